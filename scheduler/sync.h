/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync: one date for all refills of a patient (model SYNC-1, format "sachet-sync/1",
 * scheduler/sync-format.md).
 *
 * A case goes in (what the patient has at hand, what payers and prescriptions allow), a plan comes out: the
 * anchor date of the cycle, the fewest bridge fills that lead there, and what must be asked of whom. The plan
 * is the exact lexicographic optimum with every tie broken by a rule, so the same case gives the same plan on
 * every machine, in whatever order its drugs stand.
 *
 * Days are civil days (config/base/civil.h), CIVIL_DAY_NONE where there is none; money is cents; all
 * integers. Whoever builds a case owns it; a plan takes all its memory from the caller's arena and points
 * into the case. Pure, any thread, never blocks.
 */
#ifndef SCHEDULER_SYNC_H
#define SCHEDULER_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct error;

enum {
    SYNC_DRUGS_MAX = 64, /* of one case, excluded ones too */
    SYNC_LOCKS_MAX = 64,
    SYNC_ID_BYTES_MAX = 128,
    SYNC_CYCLE_MAX = 91,       /* days */
    SYNC_HORIZON_MAX = 1100,   /* days: three years */
    SYNC_DAYS_MAX = 3660,      /* any other count of days, and how far from today a start or a lock may lie */
    SYNC_SUPPLY_MAX = 36500,   /* days that the units at hand may last */
    SYNC_COPAY_MAX = 10000000, /* cents of one fill */
    SYNC_COUNT_MAX = 100000000, /* units at hand or left, units a day, units a pack, fills left */
    SYNC_NONE = -1,             /* an absent count */
    SYNC_BRIDGES_MAX = 3,       /* of one drug in packs; a splittable drug has at most one */
};

/* One prescription. Field names and meanings are those of the format. */
struct sync_rx {
    const char *id;
    int32_t last_fill;   /* CIVIL_DAY_NONE: never filled */
    int32_t days_supply; /* of the last fill; SYNC_NONE */
    int32_t on_hand_units;
    int32_t units_per_day;
    int32_t start; /* first day a dose is due from home supply; CIVIL_DAY_NONE: today */
    int32_t usual_days;
    int32_t min_days;
    int32_t pack_days; /* SYNC_NONE: splittable */
    int32_t pack_units;
    int32_t threshold_pct;   /* 0..100 */
    int32_t payer_wait_days; /* from today: a later date of the payer's own, after a rejected claim; 0 none */
    bool override_granted;
    int32_t copay_cents;
    bool prorated;
    int32_t qty_left;   /* SYNC_NONE: no limit */
    int32_t fills_left; /* SYNC_NONE: no limit */
    int32_t expires;    /* CIVIL_DAY_NONE: no limit */
    int32_t pa_expires; /* CIVIL_DAY_NONE: no limit */
    int32_t schedule;   /* 0, 2..5 */
    bool prn;
    bool stopped;
};

/* What a pharmacist may fix. The fill and qty locks speak of the drug's next fill. */
enum sync_lock_kind { SYNC_LOCK_ANCHOR, SYNC_LOCK_FILL, SYNC_LOCK_QTY };

struct sync_lock {
    enum sync_lock_kind kind;
    const char *id; /* of the drug; NULL for the anchor */
    int32_t date;   /* anchor, fill */
    int32_t units;  /* qty */
};

struct sync_case {
    const char *id;
    int32_t today;
    int32_t cycle_days;
    int32_t horizon_days;
    int32_t current_anchor; /* CIVIL_DAY_NONE: free; else the anchors are the dates congruent to it */
    int32_t max_carry_days;
    int32_t renewal_lead_days;
    int32_t pa_lead_days;
    const struct sync_rx *rx;
    size_t rx_count;
    const struct sync_lock *locks;
    size_t lock_count;
};

enum sync_exclusion {
    SYNC_INCLUDED,
    SYNC_STOPPED,
    SYNC_CII,
    SYNC_PRN,
    SYNC_SUPPLY_BELOW_CYCLE,
    SYNC_EXCLUSIONS
};
enum sync_kind { SYNC_ANCHOR, SYNC_BRIDGE_FULL, SYNC_BRIDGE_SHORT, SYNC_KINDS };
enum sync_ask {
    SYNC_ASK_EXPIRED,
    SYNC_ASK_FILLS,
    SYNC_ASK_QTY,
    SYNC_ASK_CII,
    SYNC_ASK_TOO_SOON,
    SYNC_ASK_PA,
    SYNC_ASKS
};

/* In the order in which the terms are compared. */
enum sync_term {
    SYNC_GAP_DAYS,
    SYNC_EXTRA_SHIPMENTS,
    SYNC_SHORT_FILLS,
    SYNC_EXTRA_COPAY_CENTS,
    SYNC_ANCHORS_UNTIL_SYNC,
    SYNC_CARRY_DAYS,
    SYNC_TERMS
};

struct sync_objective {
    int64_t term[SYNC_TERMS];
};

struct sync_fill {
    int32_t date;
    int32_t days;
    int64_t qty; /* units */
    enum sync_kind kind;
    int32_t lasts_until; /* first day without medicine after this fill */
    bool conditional;    /* on a new prescription */
    const char *id;
};

struct sync_request {
    const char *id;
    int32_t needed_by;
    int32_t request_on; /* CIVIL_DAY_NONE for overrides */
    enum sync_ask reason;
};

/* What the rules make of one drug, in the order of ids. Of an excluded drug only run_out counts. */
struct sync_drug {
    const struct sync_rx *rx;
    enum sync_exclusion excluded;
    int32_t run_out;
    int32_t earliest; /* the payer's date */
    int32_t window_from, window_to;
    int32_t standard_days;
    int32_t joins;      /* date of its first anchor fill; CIVIL_DAY_NONE without a plan */
    int32_t carry_days; /* at that fill */
    struct sync_fill
        *fills; /* in order of dates: all bridges, the first anchor fill, later ones to the horizon */
    size_t fill_count;
    size_t bridge_count;
    int32_t fills_left, qty_left; /* after the covered fills of the horizon; SYNC_NONE: no limit */
};

/* "What if the anchor were day X": the best plan with that anchor. */
struct sync_phase {
    int32_t anchor;
    bool feasible;
    const char *blocked_by; /* the first drug, by id, that cannot join; NULL when feasible */
    int32_t sync_date;
    struct sync_objective objective;
};

struct sync_plan {
    bool feasible;          /* false: no anchor suits all drugs; then phases say which drug blocks each */
    const char *blocked_by; /* of the first anchor tried */
    int32_t anchor;
    int32_t sync_date;
    bool anchor_fixed; /* by current_anchor or a lock */
    struct sync_objective objective;
    struct sync_drug *drugs; /* all of the case, by id */
    size_t drug_count;
    struct sync_fill *fills; /* up to the horizon, by date, then id */
    size_t fill_count;
    struct sync_request *renewals, *overrides, *pa_requests; /* by id */
    size_t renewal_count, override_count, pa_request_count;
    struct sync_phase *phases; /* one an anchor tried, by date: cycle_days of them, or one when it is fixed */
    size_t phase_count;
};

/* Words of the format; and of SYNC_ASK_PA, which has no reason there, "PA_EXPIRED". */
const char *sync_exclusion_text(enum sync_exclusion exclusion);
const char *sync_kind_text(enum sync_kind kind);
const char *sync_ask_text(enum sync_ask ask);
const char *sync_term_text(enum sync_term term);

/* Negative, 0 or positive as a is better, equal or worse. *ret_term (may be NULL) is the first term that
 * differs. */
int sync_objective_compare(const struct sync_objective *a, const struct sync_objective *b,
                           enum sync_term *ret_term);

/*
 * Ranges and sense of a case: ids there and unique, counts and dates within the limits above, packs whole,
 * locks that speak of a drug that is there. 0, or E_INPUT or E_LIMIT; the message begins with the field ("rx
 * B: ..."). *ret_rx and *ret_field (may be NULL) then say where: the drug's place or SIZE_MAX, and the
 * field's name.
 */
int sync_check(const struct sync_case *c, size_t *ret_rx, const char **ret_field, struct error *err);

/*
 * The plan of a case. E_INPUT, E_LIMIT as sync_check, or for a lock that the payer or the rules forbid;
 * E_LIMIT when drugs in packs interlock so much that the exact search would exceed its bound; E_MEMORY. A
 * case for which no anchor is possible is no error: the plan says so.
 */
int sync_solve(const struct sync_case *c, struct arena *arena, struct sync_plan **ret_plan,
               struct error *err);

/* The best plan for every possible anchor, cycle_days of them from today on, whatever fixes the anchor in the
 * case. Other locks hold. Errors as sync_solve. */
int sync_what_if(const struct sync_case *c, struct arena *arena, struct sync_phase **ret_phases,
                 size_t *ret_count, struct error *err);

#endif
