/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refill: the cycles of a patient: which roll begins when, what must be dispensed for it, and what holds.
 *
 * There are three kinds of things, and nothing else:
 *
 *   facts      what happened. Pouches that a machine made (job, fill), with the fills that they were made
 * from (plan_fill), what was handed out or billed elsewhere (dispense), what a person counted (supply_count),
 * what left the house (handover), what was called back (pouch_recall), what people and parties told
 * (refill_event, answers to tasks), what the prescriptions and the site allow (order_version, product_terms).
 * Facts are only added; a wrong one is corrected by a newer one. locks      what somebody decided. The anchor
 * of the patient's cycles (refill_anchor), set once at enrolment and then only by a person with a reason, and
 * a pharmacist's date or quantity for a next fill (refill_lock). proposals  everything else: the calendar,
 * the drafts, the requests.
 *
 * The calendar is a pure function of facts, locks and today: refill_load gathers them into a case of SYNC-1
 * (scheduler/sync.h), sync_solve answers. Asking again changes nothing, and asking tomorrow, when nothing
 * happened, gives the same dates. A plan is one version of one cycle's pouches; it never changes. When its
 * reasons do, a newer version supersedes it and says why (plan_reason); pouches that are made already stay
 * facts of theirs: those that the new version has, too, are kept (pouch_kept), the others are called back.
 *
 * Where a dose comes from. Each day of each drug has one source. First what the patient has loose at home
 * (counted, or dispensed apart, bridge fills among it); then the pouches. So a drug's first pouch is that of
 * the day on which its loose supply ends, and from then on every roll holds all of its days. A fill of more
 * than one cycle is held by the pharmacy and packed roll by roll. The account of a product is:
 *
 *   loose  counted or assumed + dispensed apart since then - doses of days without a pouch
 *   held   fills for rolls - what lies in good pouches that were not called back
 *   pouch  days for which a good pouch is there and not called back
 *
 * Run-out is the first day on which a dose is due that none of the three covers. Products, not orders, have
 * an account, so that a renewed prescription goes on with what is there. A product of which nobody knows
 * anything is assumed to last until the first roll can be there; the assumption is stored and said.
 *
 * Whoever calls owns the arena, in which everything lies that is returned. Blocks for the store. One thread a
 * store. Writing functions that say so run in the caller's write transaction.
 */
#ifndef CONTROLLER_REFILL_REFILL_H
#define CONTROLLER_REFILL_REFILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/input.h"
#include "scheduler/sync.h"

struct arena;
struct book;
struct conf;
struct error;
struct policy;
struct store;

enum {
    REFILL_DAYS_AHEAD = 400,   /* supply is followed so far, and counts as this much at most */
    REFILL_DAYS_BACK = 1100,   /* older facts are history only */
    REFILL_SAME_FILL_DAYS = 7, /* a bill so near to a roll's anchor is the bill for that roll */
    REFILL_REASON_BYTES_MAX = 400,
};

/* The site's words, from the keys `cycle` and `refill` of its file. */
struct refill_site {
    int cycle_days, lead_days;
    int horizon_days, max_carry_days;
    int renewal_lead_days, pa_lead_days;
    int threshold_pct, controlled_pct; /* of schedules 3..5 */
    int min_days;
    int freeze_days;      /* before a cycle begins */
    int claim_lead_days;  /* test claims before a fill, eligibility before a cycle */
    int check_lead_days;  /* pre-shipment check before a cycle */
    unsigned asks;        /* bit 1 << enum task_kind of what is asked by itself, see asks.h */
    bool count_simulated; /* a rehearsal: pouches of simulated machines count as dispensed */
};
void refill_site_load(const struct conf *site, struct refill_site *ret_site);

/* What a prescription allows, from its own request. */
struct refill_authority {
    int32_t fills;      /* in all; SYNC_NONE: not said */
    int64_t fill_milli; /* pieces of one fill; SYNC_NONE: not said */
    int32_t fill_days;  /* SYNC_NONE: not said */
    int32_t expires;    /* last day; CIVIL_DAY_NONE: not said */
    int64_t since_ms;   /* fills from this instant on count against it (a renewed one); 0: all */
};
/* original: the request as JSON (order_version.original). What is not said or cannot be read is not said. */
void refill_authority_read(const char *original, struct refill_authority *ret_authority);

/* In what the calendar counts a drug. */
enum refill_unit {
    REFILL_PIECE,
    REFILL_HALF, /* half pieces: some dose has one */
    REFILL_DAY,  /* days: not the same every day */
};
const char *refill_unit_text(enum refill_unit unit);

/* How the supply of a product is known. */
enum refill_basis {
    REFILL_UNKNOWN, /* nobody said anything: nothing is there */
    REFILL_ASSUMED, /* at enrolment, until a day */
    REFILL_HISTORY, /* from what was dispensed, taken as ordered */
    REFILL_COUNTED,
};
const char *refill_basis_text(enum refill_basis basis);

/* One prescription of the case; rx[i] of the case is drug i. */
struct refill_drug {
    const struct input_order *order;
    struct refill_authority authority;
    enum refill_unit unit;
    int64_t unit_milli; /* of PIECE and HALF */
    enum refill_basis basis;
    int32_t basis_day;     /* of the count, the assumption or the first dispensing; CIVIL_DAY_NONE */
    int64_t loose_milli;   /* at the start of today */
    int64_t held_milli;    /* dispensed for rolls, in no pouch yet */
    int32_t pouches_until; /* first day after the last live pouch; CIVIL_DAY_NONE: none */
    int32_t loose_until;   /* first day on which neither loose supply nor a pouch covers a dose */
    int32_t run_out;
    int32_t last_fill;    /* by the facts; may lie ahead when a roll was packed early; CIVIL_DAY_NONE */
    int32_t last_days;    /* SYNC_NONE */
    int64_t last_fill_ms; /* when that fill was planned or recorded */
    bool denied;          /* no renewal will come */
    int32_t begins_on;    /* a new drug, by a person's word; CIVIL_DAY_NONE */
    int32_t stops_on;     /* by a person's word; CIVIL_DAY_NONE */
    int32_t not_before;   /* the payer's date of the newest rejected claim; CIVIL_DAY_NONE */
    int64_t imported_ms;  /* when this version of the order came */
    const int32_t *due;   /* [day - today], REFILL_DAYS_AHEAD of them: milli-pieces of its product */
};

/* A current prescription that is no part of the case, with its reason. */
struct refill_apart {
    const char *order;
    const char *drug;
    const char *reason;
};

struct refill {
    struct input input;
    int32_t today;
    int32_t anchor; /* locked; CIVIL_DAY_NONE: not enrolled */
    int64_t anchor_id;
    const char *anchor_reason;
    int32_t hospital_since; /* CIVIL_DAY_NONE: at home */
    struct sync_case c;     /* id is the patient's source id */
    struct refill_drug *drugs;
    struct refill_apart *aparts;
    size_t apart_count;
    struct book *book;          /* of this room alone */
    const char **assumed_codes; /* products that enrolment will assume something of */
    size_t assumed_count;
};

/*
 * Facts and locks of one patient as a case for today. locks (may be NULL) are tried on top of the stored
 * ones. Before enrolment the anchor is free. E_NOT_FOUND, E_INPUT, E_LIMIT, E_MEMORY, store errors.
 */
int refill_load(struct store *store, const struct policy *policy, const struct refill_site *site,
                int64_t patient, int32_t today, const struct sync_lock *locks, size_t lock_count,
                struct arena *arena, struct refill **ret_refill, struct error *err);

/*
 * The calendar. Before enrolment the anchor lies lead_days ahead at least, so that the first roll can be
 * made; fills that a denied renewal would have covered are left out. *ret_case (may be NULL) is the case that
 * was solved, for sync_explain. Errors as sync_solve.
 */
int refill_solve(const struct refill *refill, const struct refill_site *site, struct arena *arena,
                 struct sync_case *ret_case, struct sync_plan **ret_plan, struct error *err);

/*
 * The fills of drugs that are in rolls go into pouches: a roll begins on each date that the calendar has,
 * those between two anchors are strips for the days until the next date. Only what is needed before a
 * patient's first roll can be there is handed out apart.
 */
bool refill_is_apart(const struct refill *refill, const struct refill_site *site,
                     const struct sync_plan *plan, const struct sync_fill *fill);

/* The first day that new pouches must cover: somebody covers it, and neither pouch nor home supply does.
 * INT32_MAX: none. */
int32_t refill_open_day(const struct refill *refill, const struct sync_plan *plan);

/* Days for which a dose is due and nothing will be there, as facts and calendar stand today. */
enum refill_gap_why {
    REFILL_GAP_PAYER,        /* no payer pays before the next fill */
    REFILL_GAP_PRESCRIPTION, /* a new prescription is asked for */
    REFILL_GAP_DENIED,       /* and will not come */
    REFILL_GAP_ANCHOR,       /* no anchor suits all drugs: there is no calendar */
};
const char *refill_gap_text(enum refill_gap_why why);
struct refill_gap {
    const struct refill_drug *drug;
    int32_t from, until; /* until exclusive; CIVIL_DAY_NONE: for good */
    enum refill_gap_why why;
};
/* By drug, then day; up to the calendar's horizon. In the arena. E_MEMORY. */
int refill_gaps(const struct refill *refill, const struct refill_site *site, const struct sync_plan *plan,
                struct arena *arena, struct refill_gap **ret_gaps, size_t *ret_count, struct error *err);

/* Pieces of a fill, in thousandths, whatever the unit of the drug is. */
int64_t refill_fill_milli(const struct refill *refill, const struct refill_drug *drug,
                          const struct sync_fill *fill);
/* The drug of an order, NULL when it is not in the case. */
const struct refill_drug *refill_drug_of(const struct refill *refill, const char *order);
/* First day of the cycle that holds day. */
int32_t refill_cycle_of(int32_t anchor, int cycle_days, int32_t day);

#endif
