/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose: orders, rules and the site's policy put together into a regimen that the scheduler can solve.
 *
 * What an order says comes first: its clock times, words and intervals are windows that only shrink. The
 * site's policy fills in where the order is silent ("twice a day"). Hard rules of drugs narrow both; soft
 * rules cost, and say nothing where the order has spoken. An order that cannot keep a hard rule, that is
 * doubled, or that anything else speaks against is left out with its reason, for a pharmacist; it never
 * disappears. Everything said to people about it becomes a note.
 *
 * All memory is the arena's. Pure but for that; as slow as solving each drug alone.
 */
#ifndef CONTROLLER_PLAN_COMPOSE_H
#define CONTROLLER_PLAN_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/course.h"
#include "controller/plan/input.h"
#include "controller/plan/label.h"
#include "controller/plan/policy.h"
#include "scheduler/regimen.h"
#include "scheduler/slots.h"

struct arena;
struct error;
struct buf;

/* What became of one order. */
struct member {
    enum plan_state state;
    const char *reason;               /* "" while included */
    int32_t begins;                   /* where its courses count from; CIVIL_DAY_NONE: not known */
    bool alone;                       /* a pouch of its own */
    const struct plan_override *said; /* the override that lets it in, NULL: none is asked for */
    int course_count;
    const struct course *courses;
};

/* One course as a drug of the regimen. */
struct part {
    size_t order; /* in input.orders */
    const struct course *course;
    const char *id; /* of the regimen's drug */
    size_t drug;    /* place in the ready regimen */
};

/* Two drugs that a soft rule would rather have apart; the scheduler does not know of it. */
struct soft_pair {
    const struct policy_rule *rule;
    size_t order_a, order_b; /* in input.orders */
    const char *drug_a, *drug_b;
};

struct proposal {
    struct member *members; /* one an order of the input */
    size_t included;
    struct part *parts;
    int part_count;
    struct regimen *regimen;               /* ready; NULL when nothing is included */
    uint8_t regimen_hash[PLAN_HASH_BYTES]; /* without previous schedules */
    int times_written;
    struct label_form label;
    int label_lines; /* for products */
    struct soft_pair *soft_pairs;
    size_t soft_count;
    size_t soft_cap;
    struct plan_note *notes;
    size_t note_count;
    size_t note_cap;
};

/* E_LIMIT, E_MEMORY, E_INPUT for what concerns the patient as a whole; single orders are left out instead. */
int compose(struct policy *policy, const struct input *input, int32_t start_day, int days,
            struct arena *arena, struct proposal **ret_proposal, struct error *err);

/* Adds a note; order: place in input.orders, or SIZE_MAX for the plan as a whole. Overlong text ends in
 * "...". */
__attribute__((format(printf, 6, 7))) int proposal_note(struct proposal *proposal, const struct input *input,
                                                        struct arena *arena, enum plan_note_kind kind,
                                                        size_t order, const char *format, ...);
/* A rule of a conflict in words, with the drugs' names. */
void conflict_text(const struct policy *policy, const struct regimen *regimen, struct slots_rule rule,
                   struct buf *out);

#endif
