/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/refill.h"

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/conf.h"
#include "controller/parties/kind.h"
#include "controller/refill/refill_private.h"
#include "controller/store/store.h"

const char *refill_unit_text(enum refill_unit unit)
{
    static const char *const texts[] = {
        [REFILL_PIECE] = "piece", [REFILL_HALF] = "half piece", [REFILL_DAY] = "day"};
    return texts[unit];
}

const char *refill_basis_text(enum refill_basis basis)
{
    static const char *const texts[] = {[REFILL_UNKNOWN] = "unknown",
                                        [REFILL_ASSUMED] = "assumed",
                                        [REFILL_HISTORY] = "history",
                                        [REFILL_COUNTED] = "counted"};
    return texts[basis];
}

static unsigned asks_of(const struct conf *site)
{
    unsigned asks = 0;
    for (int i = 0; i < conf_count(site, "partners.asks"); i++) {
        enum task_kind kind;
        if (task_kind_parse(conf_text(site, "partners.asks[%d]", i), &kind))
            asks |= 1U << kind;
    }
    return asks;
}

void refill_site_load(const struct conf *site, struct refill_site *ret_site)
{
    *ret_site = (struct refill_site){
        .cycle_days = (int)conf_int(site, "cycle.days"),
        .lead_days = (int)conf_int(site, "cycle.lead_days"),
        .freeze_days = (int)conf_int(site, "cycle.freeze_days"),
        .horizon_days = (int)conf_int(site, "refill.horizon_days"),
        .max_carry_days = (int)conf_int(site, "refill.max_carry_days"),
        .renewal_lead_days = (int)conf_int(site, "refill.renewal_lead_days"),
        .pa_lead_days = (int)conf_int(site, "refill.prior_auth_lead_days"),
        .threshold_pct = (int)conf_int(site, "refill.threshold_pct"),
        .controlled_pct = (int)conf_int(site, "refill.controlled_threshold_pct"),
        .min_days = (int)conf_int(site, "refill.min_days"),
        .count_simulated = conf_bool(site, "refill.count_simulated"),
        .claim_lead_days = (int)conf_int(site, "refill.claim_lead_days"),
        .check_lead_days = (int)conf_int(site, "refill.check_lead_days"),
        .asks = asks_of(site),
    };
}

int32_t refill_cycle_of(int32_t anchor, int cycle_days, int32_t day)
{
    int32_t rest = (int32_t)(((int64_t)day - anchor) % cycle_days);
    return day - (rest < 0 ? rest + cycle_days : rest);
}

const struct refill_drug *refill_drug_of(const struct refill *refill, const char *order)
{
    for (size_t i = 0; i < refill->c.rx_count; i++) {
        if (strcmp(refill->drugs[i].order->source_id, order) == 0)
            return &refill->drugs[i];
    }
    return NULL;
}

int64_t refill_fill_milli(const struct refill *refill, const struct refill_drug *drug,
                          const struct sync_fill *fill)
{
    const struct sync_rx *rx = &refill->c.rx[drug - refill->drugs];
    if (rx->pack_units != SYNC_NONE)
        return fill->qty * QUANTITY_ONE;
    if (drug->unit != REFILL_DAY)
        return fill->qty * drug->unit_milli;
    int64_t sum = 0; /* the doses of its days */
    int32_t from = fill->lasts_until - fill->days;
    for (int32_t day = from; day < fill->lasts_until; day++) {
        if (day >= refill->today && day - refill->today < REFILL_DAYS_AHEAD)
            sum += drug->due[day - refill->today];
    }
    return sum;
}

/* What the site's table says of a product. */
struct terms {
    int32_t schedule, usual_days, min_days, pack_days, pack_pieces, threshold_pct, copay_cents;
    bool prorated;
};

static int32_t int_or_none(struct store_rows *rows, int column)
{
    return store_is_null(rows, column) ? SYNC_NONE : (int32_t)store_int(rows, column);
}

static int terms_read(struct book *book, const char *code, struct terms *ret_terms)
{
    struct store_rows *rows = NULL;
    struct terms terms = {.usual_days = SYNC_NONE,
                          .min_days = SYNC_NONE,
                          .pack_days = SYNC_NONE,
                          .pack_pieces = SYNC_NONE,
                          .threshold_pct = SYNC_NONE,
                          .prorated = true};
    int status = store_query(book->store, &rows, book->err,
                             "SELECT schedule, usual_days, min_days, pack_days, pack_pieces, threshold_pct, "
                             "copay_cents, prorated FROM product_terms WHERE product_code = ?",
                             "t", code);
    int found = status < 0 ? status : store_next(rows, book->err);
    if (found > 0)
        terms = (struct terms){.schedule = (int32_t)store_int(rows, 0),
                               .usual_days = int_or_none(rows, 1),
                               .min_days = int_or_none(rows, 2),
                               .pack_days = int_or_none(rows, 3),
                               .pack_pieces = int_or_none(rows, 4),
                               .threshold_pct = int_or_none(rows, 5),
                               .copay_cents = (int32_t)store_int(rows, 6),
                               .prorated = store_int(rows, 7) != 0};
    store_done(rows);
    *ret_terms = terms;
    return found < 0 ? found : 0;
}

static int authority_load(struct book *book, const struct input_order *order, struct refill_authority *ret,
                          int64_t *ret_imported_ms)
{
    struct store_rows *rows = NULL;
    int status = store_query(book->store, &rows, book->err,
                             "SELECT original, imported_ms FROM order_version WHERE id = ?", "i", order->id);
    int found = status < 0 ? status : store_next(rows, book->err);
    if (found > 0) {
        refill_authority_read(store_text(rows, 0), ret);
        *ret_imported_ms = store_int(rows, 1);
    }
    store_done(rows);
    return found < 0 ? found : 0;
}

/* The unit, and units a day: one dose pattern every day counts in pieces, everything else in days. */
static int32_t unit_choose(const struct book *book, const struct account *account, struct refill_drug *drug)
{
    int64_t each = 0;
    bool even = true;
    for (int32_t day = book->today; day < book->today + REFILL_DAYS_AHEAD; day++) {
        int64_t due = account->due[day - book->first_day];
        each = each == 0 ? due : each;
        even = even && (due == each || (due == 0 && day < drug->loose_until));
    }
    drug->unit = !even || each == 0 ? REFILL_DAY : each % QUANTITY_ONE == 0 ? REFILL_PIECE : REFILL_HALF;
    drug->unit_milli = drug->unit == REFILL_HALF ? QUANTITY_ONE / 2 : QUANTITY_ONE;
    drug->due = account->due + (book->today - book->first_day);
    return drug->unit == REFILL_DAY ? 1 : (int32_t)(each / drug->unit_milli);
}

static int32_t clamp(int64_t value, int64_t max)
{
    return (int32_t)(value < 0 ? 0 : value > max ? max : value);
}

/* Days that so many pieces last from the run-out on, for what is not the same every day. */
static int32_t days_of(const struct book *book, const struct account *account, int32_t from, int64_t milli)
{
    const struct account bare = {.due = account->due, .basis = REFILL_HISTORY};
    return supply_end(book, &bare, from, milli, 0) - from;
}

static void authority_apply(const struct book *book, const struct account *account, struct refill_drug *drug,
                            struct sync_rx *rx)
{
    const struct refill_authority *a = &drug->authority;
    int64_t used = 0, fills = 0;
    const struct supply_list *lists[] = {&account->fills, &account->apart};
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            const struct supply_in *in = &lists[l]->item[i];
            if (strcmp(in->order, drug->order->source_id) == 0 && in->at_ms >= a->since_ms) {
                used += in->milli;
                fills++;
            }
        }
    }
    rx->expires = a->expires;
    rx->fills_left = a->fills == SYNC_NONE ? SYNC_NONE : clamp(a->fills - fills, SYNC_COUNT_MAX);
    rx->qty_left = SYNC_NONE;
    if (a->fills != SYNC_NONE && a->fill_milli != SYNC_NONE) {
        int64_t left = a->fills * a->fill_milli - used;
        if (drug->unit != REFILL_DAY)
            rx->qty_left = clamp(left / drug->unit_milli, SYNC_COUNT_MAX);
        else
            rx->qty_left = days_of(book, account, drug->run_out, left > 0 ? left : 0);
    }
}

/* What an ordinary fill holds: the site's table, else the prescription, else one cycle. */
static int32_t usual_days(const struct book *book, const struct account *account,
                          const struct refill_drug *drug, const struct terms *terms)
{
    const struct refill_authority *a = &drug->authority;
    int32_t days = terms->usual_days;
    if (days == SYNC_NONE)
        days = a->fill_days;
    if (days == SYNC_NONE && a->fill_milli != SYNC_NONE)
        days = days_of(book, account, drug->run_out, a->fill_milli);
    if (days == SYNC_NONE || days == 0)
        days = book->refill->c.cycle_days;
    return clamp(days, SYNC_DAYS_MAX);
}

/* Pouches of that fill, or of later ones, are there for the days from its own on. */
static bool is_packed(const struct account *account, const struct supply_in *fill)
{
    for (size_t i = 0; i < account->pouches.count; i++) {
        if (account->pouches.item[i].day >= fill->day && account->pouches.item[i].plan >= fill->plan)
            return true;
    }
    return false;
}

static int32_t payer_day(const struct supply_in *fill, int32_t threshold_pct)
{
    return fill->day + (threshold_pct * fill->days + 99) / 100;
}

/*
 * The fill that the payer counts from. A roll that was packed ahead and is there is no reason to refuse what
 * bridges the days before it, when the fill before it allows that; else nothing is paid again until it is
 * used.
 */
static void last_fill(const struct book *book, const struct account *account, int32_t threshold_pct,
                      struct refill_drug *drug)
{
    const struct supply_list *lists[] = {&account->fills, &account->apart};
    const struct supply_in *last = NULL, *ahead = NULL;
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            const struct supply_in *in = &lists[l]->item[i];
            if (in->days == SYNC_NONE)
                continue;
            bool is_ahead = in->day > book->today && in->day > drug->run_out && is_packed(account, in);
            const struct supply_in **place = is_ahead ? &ahead : &last;
            if (!*place || (is_ahead ? in->day < ahead->day : in->day >= last->day))
                *place = in;
        }
    }
    if (ahead && last && payer_day(last, threshold_pct) >= ahead->day)
        last = ahead;
    drug->last_fill = last ? last->day : CIVIL_DAY_NONE;
    drug->last_days = last ? last->days : SYNC_NONE;
    drug->last_fill_ms = last ? last->at_ms : 0;
}

/* The payer's side: last fill, a date after a rejected claim, an override since the last fill. */
static void payer_apply(const struct book *book, const struct refill_drug *drug, struct sync_rx *rx)
{
    const char *order = drug->order->source_id;
    const struct told *rejected = told_of(book, "claim-rejected", order);
    const struct told *granted = told_of(book, "override-granted", order);
    const struct told *prior = told_of(book, "prior-auth", order);
    rx->last_fill = CIVIL_DAY_NONE;
    rx->days_supply = SYNC_NONE;
    int32_t not_before = book->today;
    if (drug->last_fill != CIVIL_DAY_NONE && drug->last_fill <= book->today) {
        rx->last_fill = drug->last_fill;
        rx->days_supply = clamp(drug->last_days, SYNC_DAYS_MAX);
    } else if (drug->last_fill != CIVIL_DAY_NONE) { /* packed ahead for a cycle that has not begun */
        not_before = drug->last_fill + (rx->threshold_pct * drug->last_days + 99) / 100;
    }
    if (rejected && rejected->day > not_before &&
        (drug->last_fill == CIVIL_DAY_NONE || rejected->recorded_day >= drug->last_fill))
        not_before = rejected->day;
    rx->payer_wait_days = not_before > book->today ? not_before - book->today : 0;
    /* By the instant, not by the day: a roll can be lost, and waived, on the day that it was for. */
    rx->override_granted =
        granted && (drug->last_fill == CIVIL_DAY_NONE || granted->recorded_ms > drug->last_fill_ms);
    rx->pa_expires = prior ? prior->day : CIVIL_DAY_NONE;
}

static int apart_add(struct book *book, const struct input_order *order, const char *format, int32_t day)
{
    char text[256], date[CIVIL_TEXT_BYTES] = "";
    if (day != CIVIL_DAY_NONE)
        civil_format(day, date);
    const char *reason = format;
    if (day != CIVIL_DAY_NONE) {
        (void)snprintf(text, sizeof text, "%s %s", format, date); /* our own words */
        reason = text;
    }
    reason = arena_text(book->arena, reason, strlen(reason));
    if (!reason)
        return error_set(book->err, E_MEMORY, "no memory for the calendar");
    book->refill->aparts[book->refill->apart_count++] =
        (struct refill_apart){order->source_id, order->product ? order->product->name : order->drug, reason};
    return 0;
}

/* Nothing of it is due from today on: a course that is over, or one that ended by somebody's word. */
static bool nothing_due(const struct book *book, const struct account *account)
{
    for (int32_t day = book->today; day < book->today + REFILL_DAYS_AHEAD; day++) {
        if (account->due[day - book->first_day] > 0)
            return false;
    }
    return true;
}

static void supply_apply(const struct book *book, struct account *account, struct refill_drug *drug)
{
    int32_t today = book->today;
    drug->basis = account->basis;
    drug->basis_day = account->basis_day;
    drug->loose_milli = account->loose_milli;
    drug->held_milli = account->held_milli;
    drug->pouches_until = CIVIL_DAY_NONE;
    for (size_t i = 0; i < account->pouches.count; i++) {
        if (account->pouches.item[i].day >= drug->pouches_until)
            drug->pouches_until = account->pouches.item[i].day + 1;
    }
    drug->loose_until = supply_end(book, account, today, drug->loose_milli, 0);
    drug->run_out = supply_end(book, account, today, drug->loose_milli, drug->held_milli);
}

/* A dose is first due on this day or later. */
static int32_t first_due(const struct book *book, const struct account *account)
{
    int32_t day = book->today;
    while (day < book->today + REFILL_DAYS_AHEAD && supply_due(book, account, day) == 0)
        day++;
    return day;
}

static int drug_add(struct book *book, const struct input_order *order, struct account *account)
{
    struct refill *refill = book->refill;
    struct refill_drug *drug = &refill->drugs[refill->c.rx_count];
    struct sync_rx *rx = (struct sync_rx *)(uintptr_t)&refill->c.rx[refill->c.rx_count];
    struct terms terms;
    *drug = (struct refill_drug){.order = order, .begins_on = CIVIL_DAY_NONE, .stops_on = CIVIL_DAY_NONE};
    int status = terms_read(book, order->product->code, &terms);
    if (status == 0)
        status = authority_load(book, order, &drug->authority, &drug->imported_ms);
    if (status < 0)
        return status;
    bool prn = order->reading->as_needed;
    if (!prn && nothing_due(book, account))
        return apart_add(book, order, "nothing of it is due any more", CIVIL_DAY_NONE);
    const struct told *denied = told_of(book, "renewal-denied", order->source_id);
    drug->denied = denied && denied->recorded_ms >= drug->imported_ms;
    drug->begins_on = supply_begins(book, account, order->source_id);
    drug->stops_on = supply_stops(book, order->source_id);
    const struct told *rejected = told_of(book, "claim-rejected", order->source_id);
    drug->not_before = rejected ? rejected->day : CIVIL_DAY_NONE;
    supply_apply(book, account, drug);
    int32_t start = prn ? book->today : first_due(book, account);
    *rx = (struct sync_rx){
        .id = order->source_id,
        .units_per_day = prn ? 1 : unit_choose(book, account, drug),
        .start = start > book->today ? start : CIVIL_DAY_NONE,
        .min_days = terms.min_days != SYNC_NONE ? terms.min_days : book->site->min_days,
        .pack_days = terms.pack_days,
        .pack_units = terms.pack_days != SYNC_NONE ? terms.pack_pieces : SYNC_NONE,
        .threshold_pct = terms.threshold_pct != SYNC_NONE ? terms.threshold_pct
                         : terms.schedule > 2             ? book->site->controlled_pct
                                                          : book->site->threshold_pct,
        .copay_cents = terms.copay_cents,
        .prorated = terms.prorated,
        .schedule = terms.schedule,
        .prn = prn,
    };
    last_fill(book, account, rx->threshold_pct, drug);
    rx->usual_days = usual_days(book, account, drug, &terms);
    int64_t days = (int64_t)drug->run_out - (start > book->today ? start : book->today);
    rx->on_hand_units = clamp((days < 0 ? 0 : days) * rx->units_per_day, SYNC_COUNT_MAX);
    authority_apply(book, account, drug, rx);
    payer_apply(book, drug, rx);
    refill->c.rx_count++;
    return 0;
}

static int order_sort(struct book *book, const struct input_order *order)
{
    struct refill *refill = book->refill;
    if (refill->input.deceased)
        return apart_add(book, order, "the patient has died", CIVIL_DAY_NONE);
    if (refill->hospital_since != CIVIL_DAY_NONE)
        return apart_add(book, order, "nothing is shipped: in hospital since", refill->hospital_since);
    if (order->outcome == INPUT_WAITING)
        return apart_add(book, order, "waits for a pharmacist", CIVIL_DAY_NONE);
    if (order->outcome == INPUT_REFUSED)
        return apart_add(book, order, "not for a pouch", CIVIL_DAY_NONE);
    if (!order->product || !order->reading || order->reading->phase_count == 0)
        return apart_add(book, order, "its product or doses are not known", CIVIL_DAY_NONE);
    if (refill->c.rx_count == SYNC_DRUGS_MAX)
        return error_set(book->err, E_LIMIT, "more than %d prescriptions", SYNC_DRUGS_MAX);
    return drug_add(book, order, account_of(book, order->product->code));
}

/* In hospital today, by the newest stay. */
static void hospital_note(struct book *book)
{
    book->refill->hospital_since = CIVIL_DAY_NONE;
    if (book->stay_count == 0)
        return;
    const struct stay *stay = &book->stays[book->stay_count - 1];
    if (stay->until == INT32_MAX && stay->from <= book->today)
        book->refill->hospital_since = stay->from;
}

/* Before enrolment nothing known is taken to last until the first roll can be there. */
static int assume(struct book *book)
{
    struct refill *refill = book->refill;
    refill->assumed_codes = arena_array(book->arena, book->account_count, sizeof *refill->assumed_codes);
    if (!refill->assumed_codes)
        return error_set(book->err, E_MEMORY, "no memory for the calendar");
    for (size_t i = 0; refill->anchor == CIVIL_DAY_NONE && i < book->account_count; i++) {
        struct account *account = &book->accounts[i];
        if (account->basis != REFILL_UNKNOWN || account->apart.count + account->fills.count > 0)
            continue;
        account->basis = REFILL_ASSUMED;
        account->basis_day = book->today;
        account->basis_until = book->today + book->site->lead_days;
        refill->assumed_codes[refill->assumed_count++] = account->code;
    }
    return 0;
}

/* Stored locks that still speak of a fill to come, then those that are tried. */
static int locks_load(struct book *book, const struct sync_lock *tried, size_t tried_count)
{
    struct refill *refill = book->refill;
    struct sync_lock *locks = arena_array(book->arena, SYNC_LOCKS_MAX + tried_count, sizeof *locks);
    struct store_rows *rows = NULL;
    size_t count = 0;
    if (!locks)
        return error_set(book->err, E_MEMORY, "no memory for the calendar");
    int status =
        store_query(book->store, &rows, book->err,
                    "SELECT kind, order_source_id, day, units, set_ms FROM refill_lock WHERE patient_id "
                    "= ? AND lifted_ms IS NULL ORDER BY id",
                    "i", book->patient);
    int more = 0;
    while (status == 0 && count < SYNC_LOCKS_MAX && (more = store_next(rows, book->err)) > 0) {
        const struct refill_drug *drug = refill_drug_of(refill, store_text(rows, 1));
        struct sync_lock lock = {.kind = strcmp(store_text(rows, 0), "fill") == 0 ? SYNC_LOCK_FILL
                                                                                  : SYNC_LOCK_QTY,
                                 .date = (int32_t)store_int(rows, 2),
                                 .units = (int32_t)store_int(rows, 3)};
        bool used = !drug || (lock.kind == SYNC_LOCK_FILL && lock.date < book->today) ||
                    (drug->last_fill != CIVIL_DAY_NONE && drug->last_fill >= instant_day(store_int(rows, 4)));
        if (used)
            continue;
        lock.id = drug->order->source_id;
        bool tried_too = false;
        for (size_t i = 0; i < tried_count; i++)
            tried_too = tried_too || (tried[i].kind == lock.kind && strcmp(tried[i].id, lock.id) == 0);
        if (!tried_too)
            locks[count++] = lock;
    }
    store_done(rows);
    for (size_t i = 0; i < tried_count; i++)
        locks[count++] = tried[i];
    refill->c.locks = locks;
    refill->c.lock_count = count;
    return status < 0 ? status : more < 0 ? more : 0;
}

static int case_make(struct book *book)
{
    struct refill *refill = book->refill;
    size_t count = refill->input.order_count;
    size_t room = count < SYNC_DRUGS_MAX ? count : SYNC_DRUGS_MAX;
    refill->c.rx = arena_array(book->arena, room, sizeof *refill->c.rx);
    refill->drugs = arena_array(book->arena, room, sizeof *refill->drugs);
    refill->aparts = arena_array(book->arena, count, sizeof *refill->aparts);
    if (!refill->c.rx || !refill->drugs || !refill->aparts)
        return error_set(book->err, E_MEMORY, "no memory for the calendar");
    refill->c.id = refill->input.source_id;
    refill->c.today = book->today;
    refill->c.horizon_days = book->site->horizon_days;
    refill->c.current_anchor = refill->anchor;
    refill->c.max_carry_days = book->site->max_carry_days;
    refill->c.renewal_lead_days = book->site->renewal_lead_days;
    refill->c.pa_lead_days = book->site->pa_lead_days;
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = order_sort(book, &refill->input.orders[i]);
    return status;
}

int refill_load(struct store *store, const struct policy *policy, const struct refill_site *site,
                int64_t patient, int32_t today, const struct sync_lock *locks, size_t lock_count,
                struct arena *arena, struct refill **ret_refill, struct error *err)
{
    struct error own;
    struct book *book = arena_alloc(arena, sizeof *book);
    struct refill *refill = arena_alloc(arena, sizeof *refill);
    if (!book || !refill)
        return error_set(err, E_MEMORY, "no memory for the calendar");
    *book = (struct book){.store = store,
                          .arena = arena,
                          .err = err ? err : &own,
                          .site = site,
                          .refill = refill,
                          .patient = patient,
                          .today = today,
                          .first_day = today - REFILL_DAYS_BACK,
                          .day_count = REFILL_DAYS_BACK + REFILL_DAYS_AHEAD};
    refill->today = today;
    refill->book = book;
    int status = input_load(store, policy, patient, arena, &refill->input, book->err);
    if (status == 0)
        status = facts_load(book);
    if (status == 0)
        status = assume(book);
    if (status == 0)
        status = supply_settle(book);
    if (status == 0)
        hospital_note(book);
    if (status == 0)
        status = case_make(book);
    if (status == 0)
        status = locks_load(book, locks, lock_count);
    if (status == 0)
        *ret_refill = refill;
    return status;
}
