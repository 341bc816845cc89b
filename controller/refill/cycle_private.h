/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_private: one cycle_plan at work, shared by cycle.c and spans.c. */
#ifndef CONTROLLER_REFILL_CYCLE_PRIVATE_H
#define CONTROLLER_REFILL_CYCLE_PRIVATE_H

#include "config/base/arena.h"
#include "controller/refill/cycle.h"
#include "controller/refill/refill_private.h"

struct cycle {
    struct store *store;
    struct policy *policy;
    const struct refill_site *site;
    const struct cycle_request *request;
    struct error *err;
    struct arena arena;
    struct refill *refill;
    struct sync_plan *calendar;
    struct plan_span *spans;
    size_t span_count;
    struct cycle_made made;
};

/* cycle.c: does the fill go into the pouches of this roll? */
bool cycle_takes(const struct cycle *y, const struct sync_fill *fill);

/* spans.c: what the calendar says of a drug, NULL: there is none. */
const struct sync_drug *cycle_planned(const struct cycle *y, const char *order);
/* Which days of the roll each drug has in the pouches, and what keeps it out on the others, into y->spans. */
int cycle_spans(struct cycle *y);

#endif
