/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycle: a plan of pouches for the patient's next cycle, or for what is left of one that was disturbed.
 *
 * The first call for a patient proposes the anchor and locks it; later ones follow it. Which days are planned
 * follows from the facts: the first day on which some drug of the rolls has neither a pouch nor loose supply,
 * until the next cycle begins. When nothing is missing that is the whole next cycle; after a change in the
 * middle of one it is the rest of it. The days that each drug has in the pouches go along, and what keeps it
 * out on the others. Blocks for the store and the solver. One thread a store.
 */
#ifndef CONTROLLER_REFILL_CYCLE_H
#define CONTROLLER_REFILL_CYCLE_H

#include "controller/plan/plan.h"
#include "controller/refill/refill.h"

struct plan_edit;
struct user;

struct cycle_request {
    int64_t patient;
    int32_t today;
    const char *actor;
    bool pharmacist;    /* the actor is one, and showed it */
    const char *reason; /* why another version is made; NULL: none was given */
    int64_t wall_ms;
    /* An edit of the patient's newest plan, which the calendar made: its days stay, and what each drug has of
     * them comes from the calendar as before. NULL and 0: none; see plan_request. */
    const struct plan_edit *edit;
    int64_t end_edit;
    int32_t edit_start;
    int edit_days;
};

struct cycle_made {
    struct plan_made plan;
    int32_t start_day;
    int days;
    bool enrolled_now;
    int32_t anchor;       /* CIVIL_DAY_NONE: the patient is not enrolled */
    int assumed;          /* products whose supply was assumed at enrolment */
    int asked;            /* tasks opened, see asks.h */
    const char *calendar; /* "": fills come with the plan; else why the calendar has none, for people */
};

/*
 * E_DENIED inside the freeze days, when a signed plan would be replaced without a pharmacist's reason. Else
 * as refill_load, refill_solve and plan_make. calendar lies in static memory.
 */
int cycle_plan(struct store *store, struct policy *policy, const struct refill_site *site,
               const struct cycle_request *request, struct cycle_made *ret_made, struct error *err);

/* The plan was made by the calendar, and an edit of it goes through cycle_plan. */
int cycle_made_plan(struct store *store, int64_t plan, bool *ret_made, struct error *err);

/*
 * Another anchor by a person's word, within the caller's write transaction; the cycle's length becomes the
 * site's of today. E_INPUT for a reason that is missing or too long.
 */
int cycle_anchor_set(struct store *store, int64_t patient, int32_t anchor, int cycle_days, const char *actor,
                     const char *reason, int64_t wall_ms, struct error *err);

/* The cycle that begins on start is closed for everybody but pharmacists. */
bool cycle_is_frozen(const struct refill_site *site, int32_t start, int32_t today);

#endif
