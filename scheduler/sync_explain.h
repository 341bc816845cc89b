/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_explain: why a plan of scheduler/sync.h is as it is. What holds each date and each quantity, what the
 * obvious alternatives would cost, what each lock costs, and the best plan for every other anchor.
 *
 * Answers come from solving again, so an explanation costs some dozen plans; it is asked for, not always
 * made. Memory is the caller's arena. Pure, any thread, never blocks.
 */
#ifndef SCHEDULER_SYNC_EXPLAIN_H
#define SCHEDULER_SYNC_EXPLAIN_H

#include "scheduler/sync.h"

/* What keeps a date or a number of days from being another. */
enum sync_bound {
    SYNC_BY_DUE,          /* the supply ends that day */
    SYNC_BY_NEW_START,    /* the drug starts that day, and nothing is at hand */
    SYNC_BY_PAYER_DATE,   /* earlier the payer refuses this fill, or later the next one */
    SYNC_BY_CARRY_CAP,    /* earlier too much supply would be left */
    SYNC_BY_FIXED_ANCHOR, /* the patient's cycle */
    SYNC_BY_SHARED_DATE,  /* one shipment with other drugs */
    SYNC_BY_STANDARD,     /* a standard fill */
    SYNC_BY_TO_ANCHOR,    /* just enough to last to an anchor */
    SYNC_BY_MIN_QTY,      /* the least that may be dispensed */
    SYNC_BY_PACK,         /* whole packs */
    SYNC_BY_LOCK,
    SYNC_BOUNDS
};

struct sync_fill_reason {
    enum sync_bound date_by;
    enum sync_bound days_by;
    int32_t counted_from; /* the days run from here to lasts_until: the date, or later when supply is left */
};

/* What else could have been done for a drug. */
enum sync_other_kind {
    SYNC_OTHER_DUE,    /* its first fill on the day its supply ends */
    SYNC_OTHER_FULL,   /* a standard fill where the plan has a short one */
    SYNC_OTHER_ANCHOR, /* an anchor on the day its supply ends */
    SYNC_OTHER_KINDS
};

/* A solution of something else, seen from the plan. */
struct sync_compared {
    bool feasible;
    const char
        *blocked_by; /* when it is not: the drug that cannot join at the anchor nearest to the plan's */
    struct sync_objective objective;
    bool equal;          /* all terms: the tie-breaks decided */
    enum sync_term term; /* the first that differs */
    int64_t difference;  /* of it: other minus plan */
};

struct sync_other {
    enum sync_other_kind kind;
    int32_t date; /* of DUE and ANCHOR */
    int32_t days; /* of FULL */
    struct sync_compared result;
};

struct sync_drug_reason {
    struct sync_fill_reason *fills; /* one for each fill of the drug */
    struct sync_other others[SYNC_OTHER_KINDS];
    size_t other_count;
};

struct sync_lock_cost {
    struct sync_lock lock;
    struct sync_compared without; /* this lock, the others hold */
};

struct sync_explanation {
    struct sync_drug_reason *drugs; /* one for each drug of the plan; empty for excluded ones */
    struct sync_phase *phases;      /* one for each day of the cycle from today on */
    size_t phase_count;
    struct sync_lock_cost *locks;
    size_t lock_count;
    struct sync_compared without_locks; /* none of them; counts only with two or more */
    int shipments_before; /* dates of fills up to the horizon, were every drug filled by itself when due */
    int shipments_after;  /* in the plan */
};

const char *sync_bound_text(enum sync_bound bound);
const char *sync_other_text(enum sync_other_kind kind);

/* plan is the one that sync_solve made of c. Errors as sync_solve. */
int sync_explain(const struct sync_case *c, const struct sync_plan *plan, struct arena *arena,
                 struct sync_explanation **ret_explanation, struct error *err);

#endif
