/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks: what the calendar and the rolls need from prescribers, payers, patients and the house, as tasks of
 * controller/parties, and what their answers do to the cycle.
 *
 * Nobody has to open these tasks. Whenever a patient is planned, and in each round of messages, all that the
 * facts of today call for is worked out anew (asks_wants.c, asks_house.c) and held against the tasks that are
 * there: what is missing is opened, what says something else now is revised, what nothing calls for any more
 * is taken back. A task is known by its kind, its patient and a subject that names the occasion (the
 * prescription and its last fill, the cycle), never a date that moves while nothing happens; so a second look
 * on the same day, or on the next, finds the same tasks. What a person took back, or what was answered, is
 * not asked again for the same occasion.
 *
 * | asked                | when                                                                      | until
 * |
 * |----------------------|---------------------------------------------------------------------------|-------|
 * | renewal              | renewal_lead_days before the first fill that no prescription covers       | a new
 * version of the order, or a denial | | change               | a fill is no whole number of cycles, does not
 * last one, or its packs are not | the prescription allows it | | eligibility          | at enrolment, and
 * claim_lead_days before each cycle                       | the cycle begins | | test-claim           |
 * claim_lead_days before each fill, a short one with the fill after it      | the fill | | override | the
 * payer's date lies after the run-out                                   | the next fill | |
 * prior-authorization  | pa_lead_days before the first fill that the last one does not cover       | a new
 * one | | notice               | rolls begin, or begin on other days; pouches at home must be taken out    |
 * the first cycle is over; they are back | | pre-shipment         | check_lead_days before each cycle | the
 * cycle begins | | purchase             | signed plans lack pieces, by product and week | ordered, or not
 * lacking | | work                 | lead_days before a cycle: what is left to do for its roll; an answer
 * that a person must act on | it is done |
 *
 * The tasks that are asked so are opened by ASKS_ACTOR; those of people are never changed. partners.asks of
 * the site says which kinds are. Answers become events of the patient's cycle (asks_read): denied renewals,
 * rejected claims with the payer's date, granted overrides and prior authorisations; every other answer that
 * changes something becomes work. Blocks for the store. One thread a store.
 */
#ifndef CONTROLLER_REFILL_ASKS_H
#define CONTROLLER_REFILL_ASKS_H

#include <stdint.h>

struct error;
struct policy;
struct record_by;
struct refill;
struct refill_site;
struct store;
struct sync_plan;

#define ASKS_ACTOR "sachet:calendar" /* no login has a colon */

struct asks_count {
    int opened, revised, closed; /* tasks */
    int answers;                 /* that became events */
    int patients;                /* looked at */
    int failed;                  /* whose calendar cannot be made */
};

/* Lets the tasks of the patient follow the calendar. Within the caller's write transaction. Adds to *count.
 * anchor: a day on which a cycle begins, known before it is locked. */
int asks_settle(struct store *store, const struct refill_site *site, const struct refill *refill,
                const struct sync_plan *calendar, int32_t anchor, const struct record_by *by,
                struct asks_count *count, struct error *err);

/* Standing answers of the patient that are not noted yet become events. In a write transaction of its own. */
int asks_read(struct store *store, int64_t patient, const struct record_by *by, int *ret_new,
              struct error *err);

/*
 * Both for every patient with an anchor, and the purchases of the house. A patient whose calendar cannot be
 * made is counted and does not stop the others; trouble (may be NULL) is told its row and why.
 */
int asks_all(struct store *store, struct policy *policy, const struct refill_site *site,
             const struct record_by *by, void (*trouble)(void *data, int64_t patient, const char *why),
             void *data, struct asks_count *ret_count, struct error *err);

#endif
