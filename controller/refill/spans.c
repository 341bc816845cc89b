/* SPDX-License-Identifier: Apache-2.0 */
/* Which days of a roll each drug has in the pouches. */
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/refill/cycle_private.h"

const struct sync_drug *cycle_planned(const struct cycle *y, const char *order)
{
    for (size_t i = 0; y->calendar->feasible && i < y->calendar->drug_count; i++) {
        if (strcmp(y->calendar->drugs[i].rx->id, order) == 0)
            return &y->calendar->drugs[i];
    }
    return NULL;
}

/* What the pouches of the roll can be made of, and what is taken beside them. */
struct stock {
    struct account account; /* without the pouches of the roll's days: the new plan has those days, too */
    struct supply_list apart;
    int64_t held_milli;
};

static int stock_of(struct cycle *y, const struct refill_drug *drug, const struct sync_drug *planned,
                    struct stock *stock)
{
    const struct account *account = account_of(y->refill->book, drug->order->product->code);
    int32_t start = y->made.start_day, end = start + y->made.days;
    bool ok = true;
    *stock = (struct stock){.account = *account, .held_milli = drug->held_milli};
    stock->account.pouches = (struct supply_list){0};
    for (size_t i = 0; ok && i < account->pouches.count; i++) {
        const struct supply_in *in = &account->pouches.item[i];
        if (in->day >= start && in->day < end)
            stock->held_milli += in->milli;
        else
            ok = supply_add(&y->arena, &stock->account.pouches, *in);
    }
    for (size_t i = 0; ok && i < planned->fill_count; i++) {
        const struct sync_fill *fill = &planned->fills[i];
        const struct supply_in in = {.day = fill->date, .milli = refill_fill_milli(y->refill, drug, fill)};
        if (fill->conditional)
            continue;
        if (cycle_takes(y, fill))
            stock->held_milli += in.milli;
        else if (refill_is_apart(y->refill, y->site, y->calendar, fill))
            ok = supply_add(&y->arena, &stock->apart, in);
    }
    return ok ? 0 : error_set(y->err, E_MEMORY, "no memory for the plan");
}

/* Where the doses of the roll's days come from. */
struct sources {
    int32_t home;                  /* the last day that is taken from home; CIVIL_DAY_NONE: none */
    int32_t held_first, held_last; /* days of pouches */
    int32_t nothing;               /* the first day for which there is nothing */
};

static struct sources sources_of(struct cycle *y, const struct refill_drug *drug, const struct stock *stock)
{
    int32_t start = y->made.start_day, end = start + y->made.days;
    struct sources s = {CIVIL_DAY_NONE, CIVIL_DAY_NONE, CIVIL_DAY_NONE, CIVIL_DAY_NONE};
    struct supply_walk walk =
        supply_walk(y->refill->book, &stock->account, drug->loose_milli, stock->held_milli);
    walk.apart = &stock->apart;
    walk.held_from = start;
    for (int32_t day = y->request->today; day < end && s.nothing == CIVIL_DAY_NONE; day++) {
        enum supply_source source = supply_step(&walk, day);
        if (day < start) /* what is open before is the gap that the calendar shows */
            continue;
        if (source == SUPPLY_HOME)
            s.home = day;
        if (source == SUPPLY_NOTHING)
            s.nothing = day;
        if (source == SUPPLY_HELD) {
            s.held_first = s.held_first == CIVIL_DAY_NONE ? day : s.held_first;
            s.held_last = day;
        }
    }
    return s;
}

static int span_add(struct cycle *y, struct plan_span span, const char *format, int32_t day)
{
    char text[200], date[CIVIL_TEXT_BYTES] = "";
    if (day != CIVIL_DAY_NONE)
        civil_format(day, date);
    (void)snprintf(text, sizeof text, "%s%s%s", format, date[0] ? " " : "", date); /* our own words */
    span.reason = arena_text(&y->arena, text, strlen(text));
    y->spans[y->span_count++] = span;
    return span.reason ? 0 : error_set(y->err, E_MEMORY, "no memory for the plan");
}

/* What is at home is taken first; then come pouches, as long as somebody covers them. A drug without a span
 * is in the pouches on all of its days. */
static int span_of(struct cycle *y, const struct refill_drug *drug)
{
    static const char *const reasons[SYNC_EXCLUSIONS] = {
        [SYNC_STOPPED] = "stopped",
        [SYNC_CII] = "schedule II: dispensed by itself on its own prescription, never with the cycle",
        [SYNC_SUPPLY_BELOW_CYCLE] = "one fill does not last a cycle: dispensed by itself",
    };
    const struct sync_drug *planned = cycle_planned(y, drug->order->source_id);
    int32_t start = y->made.start_day, end = start + y->made.days;
    struct plan_span span = {drug->order->source_id, start, end - 1, ""};
    struct stock stock;
    if (!planned || planned->excluded == SYNC_PRN)
        return 0;
    if (planned->excluded) {
        span.last_day = start - 1;
        return span_add(y, span, reasons[planned->excluded], CIVIL_DAY_NONE);
    }
    int status = stock_of(y, drug, planned, &stock);
    if (status < 0)
        return status;
    const struct sources from = sources_of(y, drug, &stock);
    bool begins = drug->begins_on != CIVIL_DAY_NONE && drug->begins_on > start;
    bool stops = drug->stops_on != CIVIL_DAY_NONE && drug->stops_on < end;
    if (from.home != CIVIL_DAY_NONE || begins)
        span.first_day = from.held_first != CIVIL_DAY_NONE ? from.held_first : end;
    if (from.nothing != CIVIL_DAY_NONE)
        span.last_day = from.held_last != CIVIL_DAY_NONE ? from.held_last : start - 1;
    else if (stops)
        span.last_day = drug->stops_on - 1;
    /* Of several reasons the one that ends it is told; and no word hangs on today's date, so that a plan
     * stays the same tomorrow. */
    if (from.nothing != CIVIL_DAY_NONE)
        return span_add(y, span, "no prescription covers it on", from.nothing);
    if (stops)
        return span_add(y, span, "stopped from that day on:", drug->stops_on);
    if (from.home != CIVIL_DAY_NONE)
        return span_add(y, span, "taken from what is at home until", from.home);
    return begins ? span_add(y, span, "begins on", drug->begins_on) : 0;
}

int cycle_spans(struct cycle *y)
{
    const struct refill *refill = y->refill;
    y->spans = arena_array(&y->arena, refill->c.rx_count + refill->apart_count, sizeof *y->spans);
    if (!y->spans)
        return error_set(y->err, E_MEMORY, "no memory for the plan");
    for (size_t i = 0; i < refill->apart_count; i++) /* no part of the calendar: not in the roll either */
        y->spans[y->span_count++] = (struct plan_span){refill->aparts[i].order, y->made.start_day,
                                                       y->made.start_day - 1, refill->aparts[i].reason};
    int status = 0;
    for (size_t i = 0; status == 0 && i < refill->c.rx_count; i++)
        status = span_of(y, &refill->drugs[i]);
    return status;
}
