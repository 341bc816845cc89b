/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: from a patient's current orders to one cycle of pouches, as a draft that a pharmacist can sign.
 *
 * plan_make reads the store, puts the regimen together (compose), solves it to the fewest slots, lets an
 * independent check look at the schedule, lays out the roll, counts every dose again from the readings, and
 * only then stores the plan. Nothing that fails on this way leaves a trace in the store. A schedule that does
 * not exist is a result, named by its conflict: no drug is ever left out to make one.
 *
 * Blocks for the store and the solver. One thread a store.
 */
#ifndef CONTROLLER_PLAN_PLAN_H
#define CONTROLLER_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"

struct error;
struct policy;
struct store;

enum { PLAN_DAYS_MAX = 91, PLAN_WHY_BYTES = 512 };

enum plan_outcome {
    PLAN_MADE,     /* a new draft */
    PLAN_SAME,     /* nothing changed: the newest plan stands as it is */
    PLAN_EMPTY,    /* no order can go into pouches */
    PLAN_CONFLICT, /* no schedule keeps every rule */
};

/* The days of one order that go into these pouches; an order without a span has all. */
struct plan_span {
    const char *source_id;
    int32_t first_day, last_day; /* logical days, inclusive; first > last: none */
    const char *reason;          /* why not all of them, for people */
};

struct plan_request {
    int64_t patient;
    int32_t start_day;
    int days;          /* 1..PLAN_DAYS_MAX */
    const char *actor; /* login or program, for the audit */
    int64_t wall_ms;
    /* An edit that is stored together with the plan that keeps it, or not at all (NULL: none), and one that
     * is ended (0: none). */
    const struct plan_edit *edit;
    int64_t end_edit;
    const struct plan_span *spans;
    size_t span_count;
    bool fresh;   /* the newest plan does not stand, even if it reads the same: never PLAN_SAME */
    bool dry_run; /* find out, store nothing: PLAN_MADE has no id then */
};

struct plan_made {
    enum plan_outcome outcome;
    int64_t id; /* of the plan; 0 for PLAN_EMPTY and PLAN_CONFLICT */
    int version;
    bool is_signed;
    int drugs; /* orders in the pouches */
    int waiting;
    int apart;
    int times_written; /* times a day, each label followed alone */
    int times_planned;
    bool proved; /* no schedule has fewer times a day */
    int pouches;
    int64_t pieces;
    bool provisional;
    int newer_orders; /* current orders that the patient's signed plan does not list: it does not hold */
    char why[PLAN_WHY_BYTES]; /* PLAN_EMPTY, PLAN_CONFLICT: for people */
};

/* E_NOT_FOUND, E_INPUT, E_LIMIT, E_TAMPERED (a product row), store errors. */
int plan_make(struct store *store, struct policy *policy, const struct plan_request *request,
              struct plan_made *ret_made, struct error *err);

#endif
