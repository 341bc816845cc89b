/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/cycle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/refill/asks.h"
#include "controller/refill/record.h"
#include "controller/refill/refill_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

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

bool cycle_is_frozen(const struct refill_site *site, int32_t start, int32_t today)
{
    return today >= start - site->freeze_days;
}

/* ---- which days ---- */

/* The newest plan that was made by the calendar and has pouches to make from today on. */
static int open_cycle(struct cycle *y, int32_t *ret_start, int *ret_days)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        y->store, &rows, y->err,
        "SELECT p.start_day, p.days FROM plan p JOIN plan_reason x ON x.plan_id = p.id WHERE p.patient_id = "
        "? "
        "AND p.state <> 'superseded' AND p.start_day >= ? AND (SELECT count(*) FROM job j WHERE j.plan_id = "
        "p.id AND j.state <> 'cancelled' AND j.state = 'good') + (SELECT count(*) FROM pouch_kept k WHERE "
        "k.plan_id = p.id) < p.pouches ORDER BY p.version DESC LIMIT 1",
        "ii", y->request->patient, (int64_t)y->request->today);
    int found = status < 0 ? status : store_next(rows, y->err);
    if (found > 0) {
        *ret_start = (int32_t)store_int(rows, 0);
        *ret_days = (int)store_int(rows, 1);
    }
    store_done(rows);
    return found;
}

static const struct sync_drug *calendar_drug(const struct cycle *y, const char *id)
{
    for (size_t i = 0; y->calendar->feasible && i < y->calendar->drug_count; i++) {
        if (strcmp(y->calendar->drugs[i].rx->id, id) == 0)
            return &y->calendar->drugs[i];
    }
    return NULL;
}

/* The first day of a drug that a pouch could cover: what nobody covers yet asks for no roll. */
static int32_t drug_open_day(const struct cycle *y, const struct refill_drug *drug)
{
    const struct sync_drug *planned = calendar_drug(y, drug->order->source_id);
    if (!planned || drug->held_milli > 0)
        return drug->loose_until;
    for (size_t i = 0; i < planned->fill_count; i++) {
        if (!planned->fills[i].conditional)
            return planned->fills[i].date > drug->loose_until ? planned->fills[i].date : drug->loose_until;
    }
    return INT32_MAX;
}

/* The first day that pouches must cover, of the drugs that have been in pouches or shall be. */
static int32_t first_open_day(const struct cycle *y, bool *ret_packed)
{
    const struct refill *refill = y->refill;
    int32_t first = INT32_MAX;
    *ret_packed = false;
    for (size_t i = 0; i < refill->c.rx_count; i++) {
        const struct refill_drug *drug = &refill->drugs[i];
        *ret_packed = *ret_packed || drug->pouches_until != CIVIL_DAY_NONE;
        if (refill->c.rx[i].prn)
            continue;
        int32_t day = drug_open_day(y, drug);
        if (day < first && (drug->stops_on == CIVIL_DAY_NONE || day < drug->stops_on))
            first = day;
    }
    return first;
}

/* The day on which the cycle after day begins. */
static int32_t next_cycle(const struct cycle *y, int32_t day)
{
    int32_t cycle = y->refill->c.cycle_days;
    return refill_cycle_of(y->made.anchor, cycle, day) + cycle;
}

static int days_choose(struct cycle *y)
{
    bool packed;
    int32_t today = y->request->today, cycle = y->refill->c.cycle_days;
    /* (another anchor or length since makes the planned cycle a wrong one) */
    int32_t open = first_open_day(y, &packed), start = 0;
    int days = 0;
    int found = y->refill->anchor == CIVIL_DAY_NONE ? 0 : open_cycle(y, &start, &days);
    if (found < 0)
        return found;
    /* A cycle that is planned and not packed stays the one in hand, unless an earlier day is open. */
    if (found > 0 && start + days == next_cycle(y, start) && (!packed || open >= start)) {
        y->made.start_day = start;
        y->made.days = days;
        return 0;
    }
    int32_t first = today;
    if (!packed) { /* no roll yet: the anchor, or when that has passed, as soon as one can be there */
        first = y->made.anchor >= today ? y->made.anchor : today + y->site->lead_days;
    } else if (open > first && open < today + REFILL_DAYS_AHEAD) {
        int32_t begin = refill_cycle_of(y->made.anchor, cycle, open);
        first = begin > today ? begin : open;
        for (size_t i = 0; i < y->refill->c.rx_count; i++) { /* days that have a pouch are not packed again */
            int32_t until = y->refill->drugs[i].pouches_until;
            if (until != CIVIL_DAY_NONE && until > first && until <= open)
                first = until;
        }
    }
    y->made.start_day = first;
    y->made.days = next_cycle(y, first) - first;
    return 0;
}

/* ---- which days of which drug ---- */

static bool goes_with_roll(const struct cycle *y, const struct sync_fill *fill)
{
    return fill->date == y->made.start_day ||
           (fill->date <= y->made.start_day && y->made.start_day == y->request->today);
}

/*
 * The fills that are covered: those that go home apart before a day, and those of the roll (NULL: not
 * wanted). What is handed out apart later, in the middle of the cycle, is taken from there and not from
 * pouches.
 */
static int fills_sort(struct cycle *y, const struct refill_drug *drug, const struct sync_drug *planned,
                      int32_t before, struct supply_list *apart, struct supply_list *roll)
{
    for (size_t k = 0; k < planned->fill_count; k++) {
        const struct sync_fill *fill = &planned->fills[k];
        struct supply_in in = {.day = fill->date, .milli = refill_fill_milli(y->refill, drug, fill)};
        struct supply_list *list = goes_with_roll(y, fill) ? roll : fill->date < before ? apart : NULL;
        if (list && !fill->conditional && !supply_add(&y->arena, list, in))
            return error_set(y->err, E_MEMORY, "no memory for the plan");
    }
    return 0;
}

/* Fills of other dates go home apart; the fill of the roll is packed; what nobody covers yet is neither. */
static int span_of(struct cycle *y, size_t i)
{
    static const char *const reasons[SYNC_EXCLUSIONS] = {
        [SYNC_STOPPED] = "stopped",
        [SYNC_CII] = "schedule II: dispensed by itself on its own prescription, never with the cycle",
        [SYNC_SUPPLY_BELOW_CYCLE] = "one fill does not last a cycle: dispensed by itself",
    };
    const struct refill_drug *drug = &y->refill->drugs[i];
    const struct sync_drug *planned = calendar_drug(y, drug->order->source_id);
    const struct account *account = account_of(y->refill->book, drug->order->product->code);
    struct plan_span *span = &y->spans[y->span_count];
    struct supply_list apart = {0}, all = {0};
    char text[200], date[CIVIL_TEXT_BYTES];
    if (!planned || planned->excluded == SYNC_PRN)
        return 0;
    int32_t start = y->made.start_day, end = start + y->made.days;
    *span = (struct plan_span){drug->order->source_id, start, end - 1, ""};
    if (planned->excluded) {
        span->last_day = start - 1;
        span->reason = reasons[planned->excluded];
        y->span_count++;
        return 0;
    }
    int32_t today = y->request->today;
    /* The new plan has all of its days, also those of pouches that are there: equal ones are kept. */
    struct account before = *account;
    int64_t there = 0;
    before.pouches = (struct supply_list){0};
    for (size_t k = 0; k < account->pouches.count; k++) {
        if (account->pouches.item[k].day >= start && account->pouches.item[k].day < end)
            there += account->pouches.item[k].milli;
        else if (!supply_add(&y->arena, &before.pouches, account->pouches.item[k]))
            return error_set(y->err, E_MEMORY, "no memory for the plan");
    }
    const struct book *book = y->refill->book;
    int status = fills_sort(y, drug, planned, INT32_MAX, &apart, NULL);
    if (status < 0)
        return status;
    int32_t first = supply_end(book, &before, today, drug->loose_milli, 0, &apart);
    status = fills_sort(y, drug, planned, first, &all, &all);
    if (status < 0)
        return status;
    int32_t last = supply_end(book, &before, today, drug->loose_milli, drug->held_milli + there, &all) - 1;
    /* A day that is open before the cycle is the gap that the calendar shows; the roll begins at its start.
     */
    span->first_day = first > start ? first : start;
    span->last_day = last < end - 1 ? last : end - 1;
    if (drug->stops_on != CIVIL_DAY_NONE && drug->stops_on <= span->last_day)
        span->last_day = drug->stops_on - 1;
    if (span->first_day == start && span->last_day == end - 1)
        return 0;
    /* A day that is the first one also with nothing at home is only the first on which a dose is due: a
     * weekly drug's weekday. */
    struct account empty = before;
    struct supply_list nothing = {0};
    empty.pouches = nothing;
    if (span->last_day == end - 1 && first == supply_end(book, &empty, today, 0, 0, &nothing))
        return 0;
    if (drug->stops_on != CIVIL_DAY_NONE && span->last_day == drug->stops_on - 1) {
        civil_format(drug->stops_on, date);
        (void)snprintf(text, sizeof text, "stopped from %s on", date); /* our own words, as below */
    } else if (span->last_day < end - 1 && first <= last + 1) {
        civil_format(last + 1 > start ? last + 1 : start,
                     date); /* not today's date: a plan must stay the same */
        (void)snprintf(text, sizeof text, "no prescription covers it from %s on", date);
    } else {
        civil_format(first, date);
        (void)snprintf(text, sizeof text, "taken from what is at home until %s", date);
    }
    span->reason = arena_text(&y->arena, text, strlen(text));
    y->span_count++;
    return span->reason ? 0 : error_set(y->err, E_MEMORY, "no memory for the plan");
}

static int spans_make(struct cycle *y)
{
    y->spans = arena_array(&y->arena, y->refill->c.rx_count + y->refill->apart_count, sizeof *y->spans);
    if (!y->spans)
        return error_set(y->err, E_MEMORY, "no memory for the plan");
    int status = 0;
    for (size_t i = 0; i < y->refill->apart_count; i++) /* no part of the calendar: not in the roll either */
        y->spans[y->span_count++] = (struct plan_span){y->refill->aparts[i].order, y->made.start_day,
                                                       y->made.start_day - 1, y->refill->aparts[i].reason};
    for (size_t i = 0; status == 0 && i < y->refill->c.rx_count; i++)
        status = span_of(y, i);
    return status;
}

/* ---- keeping it ---- */

int cycle_anchor_set(struct store *store, int64_t patient, int32_t anchor, int cycle_days, const char *actor,
                     const char *reason, int64_t wall_ms, struct error *err)
{
    char subject[32], detail[96], date[CIVIL_TEXT_BYTES];
    if (!reason || reason[0] == '\0' || strlen(reason) > REFILL_REASON_BYTES_MAX)
        return error_set(err, E_INPUT, "a new anchor needs a reason of 1 to %d bytes",
                         REFILL_REASON_BYTES_MAX);
    int status = store_exec(store, err,
                            "INSERT INTO refill_anchor (patient_id, anchor_day, cycle_days, reason, actor, "
                            "set_ms) VALUES (?, ?, ?, ?, ?, ?)",
                            "iiitti", patient, (int64_t)anchor, (int64_t)cycle_days, reason, actor, wall_ms);
    civil_format(anchor, date);
    (void)snprintf(subject, sizeof subject, "patient:%" PRId64, patient); /* both fit */
    (void)snprintf(detail, sizeof detail, "{\"anchor\":\"%s\",\"cycle_days\":%d}", date, cycle_days);
    return status < 0 ? status : audit_add(store, wall_ms, actor, "refill.anchor", subject, detail, err);
}

static int enrol(struct cycle *y)
{
    const struct cycle_request *r = y->request;
    int status = cycle_anchor_set(y->store, r->patient, y->made.anchor, y->refill->c.cycle_days, r->actor,
                                  "proposed at enrolment", r->wall_ms, y->err);
    for (size_t i = 0; status == 0 && i < y->refill->assumed_count; i++)
        status = store_exec(y->store, y->err,
                            "INSERT INTO supply_count (patient_id, product_code, day, until_day, reason, "
                            "actor, recorded_ms) VALUES (?, ?, ?, ?, 'not known at enrolment', ?, ?)",
                            "itiiti", r->patient, y->refill->assumed_codes[i], (int64_t)r->today,
                            (int64_t)r->today + y->site->lead_days, r->actor, r->wall_ms);
    return status;
}

static int fills_keep(struct cycle *y)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < y->calendar->fill_count; i++) {
        const struct sync_fill *fill = &y->calendar->fills[i];
        const struct refill_drug *drug = refill_drug_of(y->refill, fill->id);
        if (!goes_with_roll(y, fill) || fill->conditional || !drug)
            continue;
        status = store_exec(
            y->store, y->err,
            "INSERT OR IGNORE INTO plan_fill (plan_id, order_source_id, product_code, day, "
            "days, pieces_milli, kind) SELECT o.plan_id, ?, ?, ?, ?, ?, ? FROM plan_order o JOIN "
            "order_version v ON v.id = o.order_version_id WHERE o.plan_id = ? AND o.included = 1 "
            "AND v.source_id = ?",
            "ttiiitit", fill->id, drug->order->product->code, (int64_t)fill->date, (int64_t)fill->days,
            refill_fill_milli(y->refill, drug, fill), sync_kind_text(fill->kind), y->made.plan.id, fill->id);
    }
    return status;
}

static int keep(struct cycle *y)
{
    const struct cycle_request *r = y->request;
    const char *reason = r->reason                   ? r->reason
                         : y->made.enrolled_now      ? "enrolment"
                         : y->made.plan.version == 1 ? "first plan"
                                                     : "planned anew from orders, supply and calendar";
    int status = store_write_begin(y->store, y->err);
    if (status == 0 && y->made.enrolled_now)
        status = enrol(y);
    if (status == 0)
        status =
            store_exec(y->store, y->err,
                       "INSERT OR IGNORE INTO plan_reason (plan_id, anchor_day, reason, actor) VALUES (?, "
                       "?, ?, ?)",
                       "iitt", y->made.plan.id, (int64_t)y->made.anchor, reason, r->actor);
    if (status == 0 && y->calendar->feasible)
        status = fills_keep(y);
    const struct record_by by = {r->actor, "", r->today, r->wall_ms};
    struct asks_count asks = {0};
    if (status == 0)
        status = asks_settle(y->store, y->site, y->refill, y->calendar, y->made.anchor, &by, &asks, y->err);
    y->made.asked = asks.opened;
    if (status == 0)
        status = store_write_commit(y->store, y->err);
    store_write_rollback(y->store); /* nothing after a commit */
    return status;
}

/* ---- freeze ---- */

static int signed_overlap(struct cycle *y, int64_t *ret_plan)
{
    int status = store_get_int(
        y->store, ret_plan, y->err,
        "SELECT id FROM plan WHERE patient_id = ? AND state = 'signed' AND start_day < ? "
        "AND start_day + days > ? ORDER BY version DESC LIMIT 1",
        "iii", y->request->patient, (int64_t)y->made.start_day + y->made.days, (int64_t)y->made.start_day);
    if (status == E_NOT_FOUND)
        *ret_plan = 0;
    return status == E_NOT_FOUND ? 0 : status;
}

static int freeze_check(struct cycle *y, struct plan_request *request)
{
    int64_t plan = 0;
    struct plan_made tried;
    char date[CIVIL_TEXT_BYTES];
    if (!cycle_is_frozen(y->site, y->made.start_day, y->request->today) ||
        (y->request->pharmacist && y->request->reason))
        return 0;
    int status = signed_overlap(y, &plan);
    if (status < 0 || plan == 0)
        return status;
    request->dry_run = true;
    status = plan_make(y->store, y->policy, request, &tried, y->err);
    request->dry_run = false;
    if (status < 0 || tried.outcome != PLAN_MADE)
        return status;
    civil_format(y->made.start_day, date);
    return error_set(y->err, E_DENIED,
                     "plan %" PRId64 " is signed and the days from %s on are frozen: a pharmacist must agree "
                     "(--user LOGIN --reason TEXT)",
                     plan, date);
}

/* ---- all of it ---- */

static int anchor_choose(struct cycle *y)
{
    y->made.anchor = y->refill->anchor;
    y->made.calendar = "";
    if (!y->calendar->feasible)
        y->made.calendar = "no anchor suits all drugs: see `sachet sync`";
    if (y->made.anchor != CIVIL_DAY_NONE)
        return 0;
    y->made.enrolled_now = true;
    y->made.assumed = (int)y->refill->assumed_count;
    int32_t first = y->request->today + y->site->lead_days;
    y->made.anchor = y->calendar->feasible ? y->calendar->anchor : first;
    if (y->made.anchor < first) /* no roll can be there before; the calendar bridges until the next one */
        y->made.anchor += y->refill->c.cycle_days;
    return 0;
}

static int plan_now(struct cycle *y)
{
    const struct cycle_request *r = y->request;
    int status = anchor_choose(y);
    if (status == 0)
        status = days_choose(y);
    if (status == 0)
        status = spans_make(y);
    struct plan_request request = {.patient = r->patient,
                                   .start_day = y->made.start_day,
                                   .days = y->made.days,
                                   .actor = r->actor,
                                   .wall_ms = r->wall_ms,
                                   .spans = y->spans,
                                   .span_count = y->span_count};
    if (status == 0)
        status = freeze_check(y, &request);
    if (status == 0)
        status = plan_make(y->store, y->policy, &request, &y->made.plan, y->err);
    if (status == 0 && y->made.plan.id)
        status = keep(y);
    return status;
}

static int plan_nothing(struct cycle *y)
{
    y->made.plan = (struct plan_made){.outcome = PLAN_EMPTY};
    y->made.anchor = y->refill->anchor;
    y->made.calendar = "";
    char date[CIVIL_TEXT_BYTES];
    civil_format(y->refill->hospital_since, date);
    (void)snprintf(y->made.plan.why, sizeof y->made.plan.why, "in hospital since %s: nothing is shipped",
                   date);
    return 0;
}

int cycle_plan(struct store *store, struct policy *policy, const struct refill_site *site,
               const struct cycle_request *request, struct cycle_made *ret_made, struct error *err)
{
    struct error own;
    struct cycle y = {
        .store = store, .policy = policy, .site = site, .request = request, .err = err ? err : &own};
    const struct record_by by = {request->actor, "", request->today, request->wall_ms};
    int answers = 0;
    arena_init(&y.arena, 0);
    int status = asks_read(store, request->patient, &by, &answers, y.err);
    if (status == 0)
        status = refill_load(store, policy, site, request->patient, request->today, NULL, 0, &y.arena,
                             &y.refill, y.err);
    if (status == 0)
        status = refill_solve(y.refill, site, &y.arena, NULL, &y.calendar, y.err);
    if (status == 0)
        status = y.refill->hospital_since != CIVIL_DAY_NONE ? plan_nothing(&y) : plan_now(&y);
    arena_finish(&y.arena);
    if (status == 0)
        *ret_made = y.made;
    return status;
}
