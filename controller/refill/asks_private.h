/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of asks share: one look at one patient. All memory is the arena's. */
#ifndef CONTROLLER_REFILL_ASKS_PRIVATE_H
#define CONTROLLER_REFILL_ASKS_PRIVATE_H

#include <jansson.h>

#include "config/base/arena.h"
#include "controller/parties/task.h"
#include "controller/refill/asks.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"

/* A task that the facts of today call for. */
struct want {
    enum task_kind kind;
    bool done; /* it is seen to: an open one is answered so, a new one is not opened */
    const char *subject;
    const char *facts; /* canonical JSON */
    int32_t due_day;   /* CIVIL_DAY_NONE: as the kind says */
    int64_t since_ms;  /* answers from before this are about something else; 0: all count */
};

struct asks {
    struct store *store;
    const struct refill_site *site;
    const struct refill *refill;
    const struct sync_plan *calendar;
    const struct record_by *by;
    struct error *err;
    struct arena arena;
    int32_t anchor;     /* CIVIL_DAY_NONE: not enrolled */
    bool begun;         /* a roll was made before */
    struct task *tasks; /* of the patient, closed ones too */
    size_t task_count;
    struct want *wants;
    size_t want_count, want_cap;
};

/* Adds a task. subject: printf, of an order's id (SYNC_ID_BYTES_MAX) and a few words.
 * Takes `facts` over, NULL: out of memory. */
__attribute__((format(printf, 5, 6))) int want_add(struct asks *a, enum task_kind kind, int32_t due_day,
                                                   json_t *facts, const char *subject, ...);
/* The newest want, to say more of it. */
struct want *want_last(struct asks *a);
/* The newest task of kind and subject, NULL: none. */
const struct task *asks_task(const struct asks *a, enum task_kind kind, const char *subject);
bool asks_kind(const struct asks *a, enum task_kind kind);
/* The facts of an order: order, drug, product. */
json_t *asks_order_facts(const struct refill_drug *drug);
void asks_fact_day(json_t *facts, const char *key, int32_t day);
/* A text fact, cut to what one may hold. */
void asks_fact_text(json_t *facts, const char *key, const char *text);

/* Lets the tasks follow the wants, in the caller's write transaction. */
int wants_settle(struct asks *a, struct asks_count *count);
/* asks_wants.c: prescribers and payers. */
int wants_of_calendar(struct asks *a);
/* asks_house.c: patients and the house. */
int wants_of_house(struct asks *a);
/* asks_answers.c: answers that a person must act on. */
int wants_of_answers(struct asks *a);
/* asks_purchases.c: the house's purchases, in a write transaction of its own. */
int asks_purchases(struct store *store, const struct refill_site *site, const struct record_by *by,
                   struct asks_count *count, struct error *err);

#endif
