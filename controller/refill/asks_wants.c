/* SPDX-License-Identifier: Apache-2.0 */
/* What the calendar wants of prescribers and payers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/refill/asks_private.h"

static int64_t pieces(int64_t milli)
{
    return (milli + QUANTITY_ONE - 1) / QUANTITY_ONE; /* a half is dispensed as a whole */
}

static const struct sync_drug *planned_of(const struct asks *a, const char *id)
{
    for (size_t i = 0; i < a->calendar->drug_count; i++) {
        if (strcmp(a->calendar->drugs[i].rx->id, id) == 0)
            return &a->calendar->drugs[i];
    }
    return NULL;
}

/* Pieces of a standard fill; 0: not to be said. */
static int64_t standard_pieces(const struct refill_drug *drug, const struct sync_drug *planned)
{
    if (planned->rx->pack_units != SYNC_NONE && planned->rx->pack_days > 0)
        return (int64_t)(planned->standard_days / planned->rx->pack_days) * planned->rx->pack_units;
    if (drug->unit == REFILL_DAY)
        return 0;
    return pieces((int64_t)planned->standard_days * planned->rx->units_per_day * drug->unit_milli);
}

/* A day is told while it lies ahead: one that is today because it is overdue would change every day. */
static void ahead(const struct asks *a, json_t *facts, const char *key, int32_t day)
{
    if (day != CIVIL_DAY_NONE && day > a->by->today)
        asks_fact_day(facts, key, day);
}

/* What a prescription for whole cycles would say. */
static void standard_facts(json_t *facts, const struct refill_drug *drug, const struct sync_drug *planned)
{
    int64_t count = standard_pieces(drug, planned);
    if (count > 0)
        (void)json_object_set_new(facts, "quantity", json_integer(count));
    if (planned->standard_days > 0)
        (void)json_object_set_new(facts, "days", json_integer(planned->standard_days));
}

/* ---- prescribers ---- */

static int renewal(struct asks *a, const struct sync_request *request)
{
    const struct refill_drug *drug = refill_drug_of(a->refill, request->id);
    const struct sync_drug *planned = planned_of(a, request->id);
    if (!drug || !planned || drug->denied || request->request_on > a->by->today)
        return 0;
    json_t *facts = asks_order_facts(drug);
    (void)json_object_set_new(facts, "reason", json_string(sync_ask_text(request->reason)));
    ahead(a, facts, "needed_by", request->needed_by);
    standard_facts(facts, drug, planned);
    int status =
        want_add(a, TASK_RENEWAL, request->needed_by, facts, "order %s: a new prescription", request->id);
    if (status == 0)
        want_last(a)->since_ms = drug->imported_ms;
    return status;
}

/* What of a prescription does not fit a cycle; NULL: nothing. The words are the fact `reason`. */
static const char *misfit(const struct refill_drug *drug, const struct sync_drug *planned, int32_t cycle)
{
    const struct refill_authority *authority = &drug->authority;
    int32_t days = authority->fill_days;
    if (days == SYNC_NONE && authority->fill_milli != SYNC_NONE)
        days = planned->rx->usual_days;
    if (planned->excluded == SYNC_SUPPLY_BELOW_CYCLE)
        return "SUPPLY_BELOW_CYCLE";
    if (planned->excluded)
        return NULL;
    if (planned->rx->pack_days != SYNC_NONE)
        return planned->standard_days % cycle != 0 ? "PACK_NOT_CYCLE" : NULL;
    return days != SYNC_NONE && days % cycle != 0 ? "QTY_NOT_CYCLE" : NULL;
}

static int change(struct asks *a, const struct refill_drug *drug)
{
    static const struct {
        const char *reason, *text;
    } texts[] = {
        {"SUPPLY_BELOW_CYCLE", "One fill does not last a cycle, so it cannot go into the pouches."},
        {"PACK_NOT_CYCLE", "Its packs are not split and do not come out even with the cycles."},
        {"QTY_NOT_CYCLE", "One fill is no whole number of cycles, so that something is left over."},
    };
    const struct sync_drug *planned = planned_of(a, drug->order->source_id);
    int32_t cycle = a->refill->c.cycle_days;
    const char *reason = planned && !drug->denied ? misfit(drug, planned, cycle) : NULL;
    char text[300];
    size_t row = 0;
    if (!reason)
        return 0;
    while (strcmp(texts[row].reason, reason) != 0)
        row++;
    int32_t days = planned->excluded || planned->standard_days == 0 || planned->standard_days % cycle != 0
                       ? cycle
                       : planned->standard_days;
    (void)snprintf(text, sizeof text, "%s A cycle has %d days. Asked for: a quantity for %d days.",
                   texts[row].text, cycle, days); /* our own words */
    json_t *facts = asks_order_facts(drug);
    (void)json_object_set_new(facts, "reason", json_string(reason));
    (void)json_object_set_new(facts, "text", json_string(text));
    (void)json_object_set_new(facts, "days", json_integer(days));
    if (drug->unit != REFILL_DAY)
        (void)json_object_set_new(
            facts, "quantity",
            json_integer(pieces((int64_t)days * planned->rx->units_per_day * drug->unit_milli)));
    return want_add(a, TASK_CHANGE, CIVIL_DAY_NONE, facts, "order %s: a quantity for whole cycles",
                    drug->order->source_id);
}

/* ---- payers ---- */

static const char *day_text(int32_t day, char text[CIVIL_TEXT_BYTES])
{
    if (day == CIVIL_DAY_NONE)
        return "none";
    civil_format(day, text);
    return text;
}

static int override(struct asks *a, const struct sync_request *request)
{
    const struct refill_drug *drug = refill_drug_of(a->refill, request->id);
    const struct sync_drug *planned = planned_of(a, request->id);
    char last[CIVIL_TEXT_BYTES];
    if (!drug || !planned || drug->denied)
        return 0;
    json_t *facts = asks_order_facts(drug);
    (void)json_object_set_new(facts, "reason", json_string(sync_ask_text(request->reason)));
    ahead(a, facts, "needed_by", request->needed_by);
    ahead(a, facts, "earliest", planned->earliest);
    return want_add(a, TASK_OVERRIDE, request->needed_by, facts, "order %s: fill early after %s", request->id,
                    day_text(drug->last_fill, last));
}

static int prior_auth(struct asks *a, const struct sync_request *request)
{
    const struct refill_drug *drug = refill_drug_of(a->refill, request->id);
    const struct sync_drug *planned = planned_of(a, request->id);
    char last[CIVIL_TEXT_BYTES];
    if (!drug || !planned || drug->denied || request->request_on > a->by->today)
        return 0;
    json_t *facts = asks_order_facts(drug);
    (void)json_object_set_new(facts, "reason", json_string(sync_ask_text(request->reason)));
    ahead(a, facts, "needed_by", request->needed_by);
    asks_fact_day(facts, "valid_to", planned->rx->pa_expires); /* of the one that ends */
    standard_facts(facts, drug, planned);
    return want_add(a, TASK_PRIOR_AUTH, request->needed_by, facts, "order %s: authorization after %s",
                    request->id, day_text(planned->rx->pa_expires, last));
}

/* The day of the claim for a fill that is due now and was asked for on an earlier day, and not rejected
 * since: the same claim stands until the fill is made. */
static int32_t claim_day(const struct asks *a, const struct refill_drug *drug, const struct sync_fill *fill)
{
    char subject[TASK_SUBJECT_BYTES_MAX + 1], date[CIVIL_TEXT_BYTES];
    if (fill->date > a->by->today)
        return fill->date;
    int32_t back = a->by->today - a->refill->c.cycle_days;
    if (drug->last_fill != CIVIL_DAY_NONE && drug->last_fill >= back)
        back = drug->last_fill + 1;
    for (int32_t day = back; day < a->by->today; day++) {
        civil_format(day, date);
        (void)snprintf(subject, sizeof subject, "order %s: fill of %s", drug->order->source_id,
                       date); /* bounded parts */
        const struct task *task = asks_task(a, TASK_TEST_CLAIM, subject);
        if (task && task->state != TASK_CANCELLED && drug->not_before <= day)
            return day;
    }
    return fill->date;
}

static int test_claim(struct asks *a, const struct sync_fill *fill)
{
    const struct refill_drug *drug = refill_drug_of(a->refill, fill->id);
    const struct sync_drug *planned = planned_of(a, fill->id);
    char date[CIVIL_TEXT_BYTES];
    if (!drug || !planned || fill->conditional || fill->date > a->by->today + a->site->claim_lead_days)
        return 0;
    int32_t day = claim_day(a, drug, fill);
    civil_format(day, date);
    json_t *facts = asks_order_facts(drug);
    asks_fact_day(facts, "fill_date", day);
    if (day == fill->date) { /* else it says what was asked on that day */
        (void)json_object_set_new(facts, "days", json_integer(fill->days));
        (void)json_object_set_new(facts, "quantity",
                                  json_integer(pieces(refill_fill_milli(a->refill, drug, fill))));
        if (planned->rx->copay_cents > 0)
            (void)json_object_set_new(facts, "copay_cents", json_integer(planned->rx->copay_cents));
        for (size_t i = 0; i + 1 < planned->fill_count; i++) {
            const struct sync_fill *next = &planned->fills[i + 1];
            if (fill->kind != SYNC_BRIDGE_SHORT || planned->fills[i].date != fill->date || next->conditional)
                continue;
            asks_fact_day(facts, "next_date", next->date);
            (void)json_object_set_new(facts, "next_days", json_integer(next->days));
            (void)json_object_set_new(facts, "next_quantity",
                                      json_integer(pieces(refill_fill_milli(a->refill, drug, next))));
        }
    }
    int32_t due = day > a->by->today + 1 ? day - 1 : a->by->today;
    int status = want_add(a, TASK_TEST_CLAIM, due, facts, "order %s: fill of %s", fill->id, date);
    if (status == 0 && day != fill->date) {
        const struct task *task = asks_task(a, TASK_TEST_CLAIM, want_last(a)->subject);
        want_last(a)->facts = task->facts;
        want_last(a)->due_day = task->due_day;
    }
    return status;
}

static int eligibility(struct asks *a)
{
    char date[CIVIL_TEXT_BYTES];
    int32_t cycle = a->refill->c.cycle_days;
    if (a->anchor == CIVIL_DAY_NONE || a->refill->c.rx_count == 0)
        return 0;
    int32_t start = refill_cycle_of(a->anchor, cycle, a->by->today + cycle - 1); /* today or the next one */
    if (!a->begun && start < a->anchor)
        start = a->anchor;
    if (a->begun && start - a->site->claim_lead_days > a->by->today)
        return 0;
    civil_format(start, date);
    json_t *facts = json_object();
    asks_fact_day(facts, "anchor", start);
    return want_add(a, TASK_ELIGIBILITY, start - 1, facts, "cycle of %s", date);
}

int wants_of_calendar(struct asks *a)
{
    const struct sync_plan *calendar = a->calendar;
    int status = eligibility(a);
    for (size_t i = 0; status == 0 && a->anchor != CIVIL_DAY_NONE && i < a->refill->c.rx_count; i++)
        status = change(a, &a->refill->drugs[i]);
    for (size_t i = 0; status == 0 && i < calendar->renewal_count; i++)
        status = renewal(a, &calendar->renewals[i]);
    for (size_t i = 0; status == 0 && i < calendar->override_count; i++)
        status = override(a, &calendar->overrides[i]);
    for (size_t i = 0; status == 0 && i < calendar->pa_request_count; i++)
        status = prior_auth(a, &calendar->pa_requests[i]);
    for (size_t i = 0; status == 0 && i < calendar->fill_count; i++)
        status = test_claim(a, &calendar->fills[i]);
    return status;
}
