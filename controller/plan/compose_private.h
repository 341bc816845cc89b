/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of compose only. */
#ifndef CONTROLLER_PLAN_COMPOSE_PRIVATE_H
#define CONTROLLER_PLAN_COMPOSE_PRIVATE_H

#include "controller/plan/compose.h"
#include "controller/plan/times.h"

enum { DRAFT_SOFT_MAX = 8, DRAFT_ID_BYTES = 16, DRAFT_PARTS_MAX = REGIMEN_DRUGS_MAX, OWN_GAP_MIN = 60 };

struct draft_soft {
    int64_t cost;
    struct times inside;
};

struct draft_dose {
    struct times times;
    int soft_count;
    struct draft_soft soft[DRAFT_SOFT_MAX];
};

/* A course on its way into the regimen. */
struct draft {
    size_t order;
    const struct course *course;
    char id[DRAFT_ID_BYTES];
    struct draft_dose *doses;
    struct policy_gaps gaps;
    bool gaps_of_policy; /* the order's own words come before them */
    bool unbalanced;
    bool same_state;
    struct times state;
};

struct composer {
    struct policy *policy;
    const struct input *input;
    const struct policy_fits **fits; /* one an order; NULL without a product */
    int32_t start_day;
    int days;
    struct arena *arena;
    struct error *err;
    struct proposal *proposal;
    struct draft *drafts;
    int draft_count;
    int grid;
};

bool is_included(const struct composer *c, size_t order);
/* The timing rule speaks of this order's product, as its own, with so many doses a day. */
bool rule_fits(const struct composer *c, int rule, size_t order, int times);
/* Leaves an order out; the first reason stands. 0 or E_MEMORY. */
__attribute__((format(printf, 4, 5))) int leave_out(struct composer *c, size_t order, enum plan_state state,
                                                    const char *format, ...);
/* The product's name, else the order's words: for notes and reasons. */
const char *drug_of(const struct composer *c, size_t order);

/* screen.c: which orders may go into pouches at all, and their courses. */
int screen_orders(struct composer *c);
/* draft.c: windows, gaps and soft costs of each included course. */
int draft_orders(struct composer *c);
/* Clock minute of a dose that the order puts so many minutes from a meal, waking or bed; k: the how-manieth
 * of the day. -1: the code has no such point. */
int offset_clock(const struct composer *c, const struct reading_dose *dose, int k);
/* draft_edits.c: what pharmacists asked of the draft's order. E_INPUT: the edit that is being tried cannot be
 * kept; one that stands and cannot be kept any more leaves the order out. */
int draft_edits(struct composer *c, struct draft *draft);
/* pairs.c: adds what holds between drugs to the regimen; place[i]: drug of draft i, or SIZE_MAX. */
int pairs_screen(struct composer *c);
int pairs_add(struct composer *c, struct regimen *regimen, const size_t *place);

#endif
