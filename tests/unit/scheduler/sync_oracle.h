/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_oracle: the rules of SYNC-1 done the slow way, for comparison with scheduler/sync.h. It shares nothing
 * with the planner but the structs of its input: it tries every anchor, every date of every window, every
 * size of fill and every set of shipment dates. Only for small cases. Not for several threads.
 */
#ifndef TESTS_UNIT_SCHEDULER_SYNC_ORACLE_H
#define TESTS_UNIT_SCHEDULER_SYNC_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/base/rng.h"
#include "scheduler/sync.h"

enum { ORACLE_FILLS_MAX = 4096, ORACLE_DRUGS_MAX = 12, ORACLE_ID_BYTES = 8 };

struct oracle_fill {
    int date, days;
    long qty;
    int kind; /* as enum sync_kind */
    const char *id;
};

struct oracle_plan {
    bool feasible;
    int anchor, sync_date;
    long objective[SYNC_TERMS];
    struct oracle_fill fills[ORACLE_FILLS_MAX];
    int fill_count;
};

/* product: combine every way of one drug with every way of the others, instead of looking at sets of dates.
 * Both must say the same; the product is feasible for two or three drugs only. False: too large a case,
 * nothing found. */
bool oracle_solve(const struct sync_case *c, bool product, struct oracle_plan *plan);

/* Fails the test with both plans when they differ. seed stands in the message. */
void oracle_compare_or_fail(const struct sync_case *c, const struct oracle_plan *want,
                            const struct sync_plan *got, unsigned seed);

/* A case with its own memory. */
struct oracle_case {
    struct sync_case c;
    struct sync_rx rx[ORACLE_DRUGS_MAX];
    char ids[ORACLE_DRUGS_MAX][ORACLE_ID_BYTES];
};

struct oracle_mix {
    int drugs_max;
    bool packs;    /* some drugs in packs */
    bool whole;    /* packs only of sizes whose standard fill is a whole number of cycles */
    bool tiny;     /* packs of 1 to 4 days only */
    bool odd;      /* packs of 5 to 11 days only: in a cycle of 14 they never come out even */
    bool excluded; /* some drugs that are left out */
    bool rejected; /* of some drugs a claim was rejected until a date */
    int cycle;     /* 0: one of 7, 14, 28, 30 */
};

/* The same case for the same seed. */
void oracle_random(unsigned seed, const struct oracle_mix *mix, struct oracle_case *ret);
/* The case as a line or two for a message. */
void oracle_print(const struct sync_case *c);

#endif
