/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transition: the night in which a patient goes over from the pouches of one plan to those of the next.
 *
 * A schedule keeps its gaps from day to day, but two schedules that each keep them may still put two doses of
 * a drug too near to each other, or too far apart, where one ends and the other begins. The old plan is
 * followed up to the logical day before the new one's first day. What a drug takes then is compared with what
 * it takes first in the new plan:
 *
 *   least    its overnight_min; else its gap_min, where that is more than the hour which keeps two doses of
 *            an order apart; else half of its usual interval
 *   most     its overnight_max; else, with several doses a day and such a gap_min, 1440 - (n - 1) * gap_min;
 *            else one and a half of its usual interval
 *
 * The usual interval of n doses a day is 1440 / n, and with s days between its days (s - 1) * 1440 more; for
 * such drugs half of it counts even where an overnight_min says less. What the new schedule does itself from
 * day to day is never a finding, and neither is a distance that the old one had, as the most. Distances
 * between two drugs hold over the night, too.
 *
 * Nothing is proposed here: which dose is left out or taken at another time is a person's decision. Pure, any
 * thread; memory is the arena's.
 */
#ifndef CONTROLLER_PLAN_TRANSITION_H
#define CONTROLLER_PLAN_TRANSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"

struct arena;
struct buf;
struct error;

enum { TRANSITION_MINUTES_NONE = -1, TRANSITION_GAP_OWN_MIN = 60 };

/* A product as far as it decides what belongs together. */
struct transition_product {
    const char *code;
    const char *ingredient;
};

/* Bounds of an order of the new plan in minutes, or TRANSITION_MINUTES_NONE. */
struct transition_bounds {
    int64_t order_id;
    int gap_min, overnight_min, overnight_max;
};

/* Products of rule's own drug and of its partner, the partner at least so many minutes after or before. */
struct transition_distance {
    const char *rule;  /* its id */
    const char *a, *b; /* product codes */
    int after, before;
    bool together; /* both at one time is allowed */
};

struct transition_request {
    const struct plan_text *before, *now;
    const struct transition_product *products; /* of both plans */
    size_t product_count;
    const struct transition_bounds *bounds;
    size_t bound_count;
    const struct transition_distance *distances;
    size_t distance_count;
};

enum transition_kind {
    TRANSITION_SOON,  /* two doses of a drug too near */
    TRANSITION_NEAR,  /* two drugs too near */
    TRANSITION_LATE,  /* too long without the drug */
    TRANSITION_PAUSE, /* days without any pouch between the plans */
    TRANSITION_KINDS,
};

/* Instants are civil minutes: day * 1440 + clock minute. */
struct transition_finding {
    enum transition_kind kind;
    int64_t order_id;         /* of the new plan; 0 for PAUSE */
    const char *before, *now; /* names of the drugs; "" for PAUSE */
    int64_t last, first; /* the dose of the old pouches, the one of the new; PAUSE: the days as minutes */
    int have, want;      /* minutes; PAUSE: days, 0 */
    const char *rule;    /* NEAR: the rule's id, else "" */
};

/* The worst of each kind a drug, a rule and its drugs. *ret_count is 0 when nothing is wrong. E_MEMORY. */
int transition_check(const struct transition_request *request, struct arena *arena,
                     struct transition_finding **ret_findings, size_t *ret_count, struct error *err);

/* Must somebody answer before the plan is signed? */
bool transition_must_answer(enum transition_kind kind);
/* The finding as a sentence. */
void transition_text(const struct transition_finding *finding, struct buf *out);
/* "soon", "near", "late", "pause". */
const char *transition_kind_text(enum transition_kind kind);

#endif
