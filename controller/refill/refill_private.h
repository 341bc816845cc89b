/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refill_private: the accounts of products behind a case, shared by the files of this room. All memory is the
 * arena's of the refill.
 */
#ifndef CONTROLLER_REFILL_REFILL_PRIVATE_H
#define CONTROLLER_REFILL_REFILL_PRIVATE_H

#include "config/base/civil.h"
#include "controller/refill/refill.h"

enum {
    REFILL_PRODUCTS_MAX = SYNC_DRUGS_MAX,
    REFILL_STAYS_MAX = 32, /* hospital stays that are looked at */
};

/* Pieces that came or lie on a day. */
struct supply_in {
    int32_t day;
    int32_t days; /* that it is meant for; SYNC_NONE */
    int64_t milli;
    int64_t at_ms; /* when it was recorded */
    int64_t plan;  /* of a pouch or a fill */
    const char *order;
};

struct supply_list {
    struct supply_in *item;
    size_t count, cap;
};

struct account {
    const char *code;
    enum refill_basis basis;
    int32_t basis_day;
    int64_t basis_milli;
    int32_t basis_until; /* ASSUMED */
    int64_t basis_ms;
    struct supply_list apart;   /* dispensed apart: goes home loose */
    struct supply_list fills;   /* for rolls */
    struct supply_list pouches; /* live ones */
    int64_t made_milli;         /* in good pouches that were not called back */
    int32_t *due;               /* [day - book.first_day]: milli-pieces of all its orders */
    int64_t loose_milli;        /* at the start of today, see supply_settle */
    int64_t held_milli;
};

struct stay {
    int32_t from, until; /* until: the day of discharge, INT32_MAX: not known */
};

/* One thing told about an order, newest last. */
struct told {
    const char *kind;
    const char *order;
    int32_t day, recorded_day;
    int64_t recorded_ms;
};

struct book {
    struct store *store;
    struct arena *arena;
    struct error *err;
    const struct refill_site *site;
    struct refill *refill;
    int64_t patient;
    int32_t today;
    int32_t first_day; /* of the due tables */
    int day_count;
    struct account *accounts;
    size_t account_count;
    struct stay stays[REFILL_STAYS_MAX];
    size_t stay_count;
    struct told *told;
    size_t told_count, told_cap;
};

/* facts.c: everything that the store knows, into the accounts and the list of what was told. */
int facts_load(struct book *book);
struct account *account_of(const struct book *book, const char *code);
/* The newest thing of a kind that was told of an order, NULL: none. */
const struct told *told_of(const struct book *book, const char *kind, const char *order);
/* Where the courses of an order count from. */
int32_t order_begins(const struct book *book, const struct input_order *order);

/* supply.c: the due tables of all accounts; then loose and held supply at the start of today. */
int supply_settle(struct book *book);
/*
 * The first day from `from` on with a dose that nothing covers: pouches, then loose, then held supply. more
 * (may be NULL) is what will be dispensed apart. first_day + day_count when it lasts that long.
 */
int32_t supply_end(const struct book *book, const struct account *account, int32_t from, int64_t loose_milli,
                   int64_t held_milli, const struct supply_list *more);
int32_t supply_due(const struct book *book, const struct account *account, int32_t day);

bool supply_add(struct arena *arena, struct supply_list *list, struct supply_in in);

#endif
