/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/cycle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/plan_row.h"
#include "controller/refill/asks.h"
#include "controller/refill/cycle_private.h"
#include "controller/refill/record.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

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

/* The day on which the cycle after day begins. */
static int32_t next_cycle(const struct cycle *y, int32_t day)
{
    int32_t cycle = y->refill->c.cycle_days;
    return refill_cycle_of(y->made.anchor, cycle, day) + cycle;
}

/* The day before which a roll that begins on day ends: the next cycle, or an earlier date of the calendar,
 * which begins a strip of its own. */
static int32_t roll_end(const struct cycle *y, int32_t day)
{
    int32_t end = next_cycle(y, day);
    for (size_t i = 0; y->calendar->feasible && i < y->calendar->fill_count; i++) {
        const struct sync_fill *fill = &y->calendar->fills[i];
        if (fill->date > day && fill->date < end && !fill->conditional &&
            !refill_is_apart(y->refill, y->site, y->calendar, fill))
            end = fill->date;
    }
    return end;
}

/* Pouches of those days are there. */
static bool has_pouches(const struct cycle *y, int32_t from, int32_t until)
{
    const struct book *book = y->refill->book;
    for (size_t a = 0; a < book->account_count; a++) {
        for (size_t i = 0; i < book->accounts[a].pouches.count; i++) {
            int32_t day = book->accounts[a].pouches.item[i].day;
            if (day >= from && day < until)
                return true;
        }
    }
    return false;
}

static int days_choose(struct cycle *y)
{
    bool packed = y->refill->book->rolls;
    int32_t today = y->request->today, cycle = y->refill->c.cycle_days;
    int32_t open = refill_open_day(y->refill, y->calendar), start = 0;
    int days = 0;
    int found = y->refill->anchor == CIVIL_DAY_NONE ? 0 : open_cycle(y, &start, &days);
    if (found < 0)
        return found;
    int32_t first = today, soon = today + y->site->lead_days;
    if (!packed && y->made.anchor >= today) /* no roll yet: the anchor */
        first = y->made.anchor;
    else if (!packed) /* it has passed: as soon as one can be there, and when that was planned it stays */
        first = found > 0 && start < soon ? start : soon;
    else if (found > 0 && open >= start) /* planned and not packed whole: it stays the one in hand */
        first = start;
    else if (open > today && open < today + REFILL_DAYS_AHEAD) {
        int32_t begin = refill_cycle_of(y->made.anchor, cycle, open);
        first = begin > today && !has_pouches(y, begin, open) ? begin : open;
    }
    y->made.start_day = first;
    y->made.days = roll_end(y, first) - first;
    return 0;
}

/* ---- what goes with it ---- */

bool cycle_takes(const struct cycle *y, const struct sync_fill *fill)
{
    return fill->date <= y->made.start_day && !refill_is_apart(y->refill, y->site, y->calendar, fill);
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

/* A bill of that order and day is a fact already: this is another one. */
static int nth_keep(struct cycle *y, const struct refill_drug *drug, const struct sync_fill *fill)
{
    const struct account *account = account_of(y->refill->book, drug->order->product->code);
    int nth = bill_count(account, fill->id, fill->date);
    if (nth == 0)
        return 0;
    return store_exec(y->store, y->err,
                      "INSERT OR IGNORE INTO plan_fill_nth (plan_id, order_source_id, nth) SELECT plan_id, "
                      "order_source_id, ? FROM plan_fill WHERE plan_id = ? AND order_source_id = ?",
                      "iit", (int64_t)nth, y->made.plan.id, fill->id);
}

static bool is_billed_with(const struct cycle *y, const struct sync_fill *fill)
{
    return cycle_takes(y, fill) && !fill->conditional && refill_drug_of(y->refill, fill->id);
}

static int fills_keep(struct cycle *y)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < y->calendar->fill_count; i++) {
        const struct sync_fill *fill = &y->calendar->fills[i];
        const struct refill_drug *drug = refill_drug_of(y->refill, fill->id);
        if (!is_billed_with(y, fill))
            continue;
        status = store_exec(
            y->store, y->err,
            "INSERT OR IGNORE INTO plan_fill (plan_id, order_source_id, product_code, day, "
            "days, pieces_milli, kind) SELECT o.plan_id, ?, ?, ?, ?, ?, ? FROM plan_order o JOIN "
            "order_version v ON v.id = o.order_version_id WHERE o.plan_id = ? AND o.included = 1 "
            "AND v.source_id = ?",
            "ttiiitit", fill->id, drug->order->product->code, (int64_t)fill->date, (int64_t)fill->days,
            refill_fill_milli(y->refill, drug, fill), sync_kind_text(fill->kind), y->made.plan.id, fill->id);
        if (status == 0)
            status = nth_keep(y, drug, fill);
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
    if (status == 0 && y->calendar->feasible && y->made.plan.outcome == PLAN_MADE)
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

/* ---- does the newest plan stand? ---- */

/* One of its pouches for a day to come is withdrawn, called back or lost: it is made in another version only.
 */
static int has_dead_pouch(struct cycle *y, int64_t plan, bool *ret_dead)
{
    int64_t dead = 0;
    int status = store_get_int(y->store, &dead, y->err,
                               "SELECT EXISTS (SELECT 1 FROM withdrawn WHERE plan_id = ?1) OR EXISTS (SELECT "
                               "1 FROM pouch_recall r JOIN job j ON j.id = r.job_id WHERE j.plan_id = ?1 OR "
                               "j.id IN (SELECT job_id FROM pouch_kept WHERE plan_id = ?1))",
                               "i", plan);
    *ret_dead = dead != 0;
    return status;
}

/* The bills that it carries and that are no facts yet are not those that the calendar wants to go with it. */
static int has_other_bills(struct cycle *y, int64_t plan, bool *ret_other)
{
    struct store_rows *rows = NULL;
    size_t wanted = 0, found = 0;
    for (size_t i = 0; y->calendar->feasible && i < y->calendar->fill_count; i++)
        wanted += is_billed_with(y, &y->calendar->fills[i]);
    int status = store_query(y->store, &rows, y->err,
                             "SELECT order_source_id, day, days, pieces_milli FROM plan_fill WHERE plan_id = "
                             "?1 AND NOT EXISTS (SELECT 1 FROM job WHERE plan_id = ?1 AND state = 'good')",
                             "i", plan);
    int more = 0;
    *ret_other = false;
    while (status == 0 && (more = store_next(rows, y->err)) > 0) {
        bool same = false;
        for (size_t i = 0; y->calendar->feasible && i < y->calendar->fill_count; i++) {
            const struct sync_fill *fill = &y->calendar->fills[i];
            same = same || (is_billed_with(y, fill) && strcmp(fill->id, store_text(rows, 0)) == 0 &&
                            fill->date == store_int(rows, 1) && fill->days == store_int(rows, 2) &&
                            refill_fill_milli(y->refill, refill_drug_of(y->refill, fill->id), fill) ==
                                store_int(rows, 3));
        }
        found++;
        *ret_other = *ret_other || !same;
    }
    store_done(rows);
    *ret_other = *ret_other || found != wanted;
    return status < 0 ? status : more;
}

/* *ret_fresh: the newest plan must not be taken for the new one, even if it reads the same. */
static int is_fresh(struct cycle *y, bool *ret_fresh)
{
    int64_t newest = 0;
    bool dead = false, other = false;
    int status = plan_newest(y->store, y->request->patient, false, &newest, y->err);
    if (status == E_NOT_FOUND)
        return 0;
    if (status == 0)
        status = has_dead_pouch(y, newest, &dead);
    if (status == 0)
        status = has_other_bills(y, newest, &other);
    *ret_fresh = dead || other;
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
    bool edits = r->edit || r->end_edit;
    int status = anchor_choose(y);
    y->made.start_day = r->edit_start;
    y->made.days = r->edit_days;
    if (status == 0 && !edits)
        status = days_choose(y);
    if (status == 0)
        status = cycle_spans(y);
    struct plan_request request = {.patient = r->patient,
                                   .start_day = y->made.start_day,
                                   .days = y->made.days,
                                   .actor = r->actor,
                                   .wall_ms = r->wall_ms,
                                   .edit = r->edit,
                                   .end_edit = r->end_edit,
                                   .spans = y->spans,
                                   .span_count = y->span_count};
    if (status == 0)
        status = is_fresh(y, &request.fresh);
    if (status == 0)
        status = freeze_check(y, &request);
    if (status == 0)
        status = plan_make(y->store, y->policy, &request, &y->made.plan, y->err);
    if (status == 0 && y->made.plan.id)
        status = keep(y);
    return status;
}

int cycle_made_plan(struct store *store, int64_t plan, bool *ret_made, struct error *err)
{
    int64_t made = 0;
    int status =
        store_get_int(store, &made, err, "SELECT count(*) FROM plan_reason WHERE plan_id = ?", "i", plan);
    *ret_made = made > 0;
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
