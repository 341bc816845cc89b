/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the facts and locks of one patient (see refill.h). */
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/course.h"
#include "controller/refill/pouch.h"
#include "controller/refill/refill_private.h"
#include "controller/store/store.h"

static int no_memory(const struct book *book)
{
    return error_set(book->err, E_MEMORY, "no memory for the patient's supply");
}

static const char *kept(const struct book *book, const char *text)
{
    return arena_text(book->arena, text, strlen(text));
}

struct account *account_of(const struct book *book, const char *code)
{
    for (size_t i = 0; i < book->account_count; i++) {
        if (strcmp(book->accounts[i].code, code) == 0)
            return &book->accounts[i];
    }
    return NULL;
}

const struct told *told_of(const struct book *book, const char *kind, const char *order)
{
    for (size_t i = book->told_count; i-- > 0;) {
        if (strcmp(book->told[i].kind, kind) == 0 && strcmp(book->told[i].order, order) == 0)
            return &book->told[i];
    }
    return NULL;
}

int32_t order_begins(const struct book *book, const struct input_order *order)
{
    const struct plan_text *plan = book->refill->input.signed_plan;
    const struct told *begin = told_of(book, "new", order->source_id);
    /* The same every day: it was so before today, too, and what was dispensed then is used up by now. */
    if (!course_needs_begin(order->reading))
        return course_begin(order->reading, book->first_day);
    for (size_t i = 0; plan && i < plan->order_count; i++) {
        if (strcmp(plan->orders[i].source_id, order->source_id) == 0 &&
            plan->orders[i].begins != CIVIL_DAY_NONE)
            return plan->orders[i].begins;
    }
    return course_begin(order->reading, begin ? begin->day : book->today);
}

static int accounts_make(struct book *book)
{
    const struct input *input = &book->refill->input;
    book->accounts = arena_array(book->arena, input->order_count, sizeof *book->accounts);
    if (!book->accounts)
        return no_memory(book);
    for (size_t i = 0; i < input->order_count; i++) {
        const struct input_order *order = &input->orders[i];
        if (!order->product || order->outcome != INPUT_PACKABLE || account_of(book, order->product->code))
            continue;
        book->accounts[book->account_count++] = (struct account){
            .code = order->product->code, .basis_day = CIVIL_DAY_NONE, .basis_until = CIVIL_DAY_NONE};
    }
    return 0;
}

static int anchor_read(struct book *book)
{
    struct store_rows *rows = NULL;
    struct refill *refill = book->refill;
    refill->anchor = CIVIL_DAY_NONE;
    refill->anchor_reason = "";
    refill->c.cycle_days = book->site->cycle_days;
    int status =
        store_query(book->store, &rows, book->err,
                    "SELECT id, anchor_day, cycle_days, reason FROM refill_anchor WHERE patient_id = "
                    "? ORDER BY id DESC LIMIT 1",
                    "i", book->patient);
    int found = status < 0 ? status : store_next(rows, book->err);
    if (found > 0) {
        refill->anchor_id = store_int(rows, 0);
        refill->anchor = (int32_t)store_int(rows, 1);
        refill->c.cycle_days = (int32_t)store_int(rows, 2);
        refill->anchor_reason = kept(book, store_text(rows, 3));
    }
    store_done(rows);
    return found < 0 ? found : refill->anchor_reason ? 0 : no_memory(book);
}

static int told_add(struct book *book, struct told told)
{
    if (book->told_count == book->told_cap) {
        size_t cap = book->told_cap ? 2 * book->told_cap : 16;
        struct told *grown = arena_array(book->arena, cap, sizeof *grown);
        if (!grown)
            return no_memory(book);
        if (book->told_count > 0)
            memcpy(grown, book->told, book->told_count * sizeof *grown);
        book->told = grown;
        book->told_cap = cap;
    }
    book->told[book->told_count++] = told;
    return told.kind && told.order ? 0 : no_memory(book);
}

static int stay_note(struct book *book, const struct told *told)
{
    bool open = book->stay_count > 0 && book->stays[book->stay_count - 1].until == INT32_MAX;
    if (strcmp(told->kind, "hospital") == 0 && !open) {
        if (book->stay_count == REFILL_STAYS_MAX) /* the oldest is long over */
            memmove(book->stays, book->stays + 1, --book->stay_count * sizeof book->stays[0]);
        book->stays[book->stay_count++] = (struct stay){told->day, INT32_MAX};
    } else if (strcmp(told->kind, "discharge") == 0 && book->stay_count > 0) {
        book->stays[book->stay_count - 1].until = told->day;
    }
    return 0;
}

static int events_read(struct book *book)
{
    struct store_rows *rows = NULL;
    int status = store_query(book->store, &rows, book->err,
                             "SELECT kind, order_source_id, day, recorded_day, recorded_ms FROM refill_event "
                             "WHERE patient_id = ? ORDER BY id",
                             "i", book->patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, book->err)) > 0) {
        struct told told = {.kind = kept(book, store_text(rows, 0)),
                            .order = kept(book, store_text(rows, 1)),
                            .day = (int32_t)store_int(rows, 2),
                            .recorded_day = (int32_t)store_int(rows, 3),
                            .recorded_ms = store_int(rows, 4)};
        status = told_add(book, told);
        if (status == 0)
            status = stay_note(book, &told);
    }
    store_done(rows);
    return status < 0 ? status : more;
}

/* The newest count or assumption of each product. */
static int counts_read(struct book *book)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(book->store, &rows, book->err,
                    "SELECT product_code, day, pieces_milli, until_day, recorded_ms FROM supply_count "
                    "WHERE patient_id = ? AND day <= ? ORDER BY id",
                    "ii", book->patient, (int64_t)book->today);
    int more = 0;
    while (status == 0 && (more = store_next(rows, book->err)) > 0) {
        struct account *account = account_of(book, store_text(rows, 0));
        if (!account)
            continue;
        bool counted = !store_is_null(rows, 2);
        account->basis = counted ? REFILL_COUNTED : REFILL_ASSUMED;
        account->basis_day = (int32_t)store_int(rows, 1);
        account->basis_milli = counted ? store_int(rows, 2) : 0;
        account->basis_until = counted ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 3);
        account->basis_ms = store_int(rows, 4);
    }
    store_done(rows);
    return status < 0 ? status : more;
}

/* A plan that was made by hand, without the calendar: its roll is its fill. */
static int fill_grow(struct book *book, struct account *account, struct supply_in in)
{
    for (size_t i = 0; i < account->fills.count; i++) {
        if (account->fills.item[i].plan == in.plan) {
            account->fills.item[i].milli += in.milli;
            return 0;
        }
    }
    return supply_add(book->arena, &account->fills, in) ? 0 : no_memory(book);
}

/* Good pouches with what lies in them. Work of a simulated machine is no medicine, unless the site is a
 * rehearsal. */
static int pouches_read(struct book *book)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        book->store, &rows, book->err,
        "SELECT j.plan_id, j.pouch_line, r.kind, " POUCH_DEAD_SQL ", p.start_day, p.days, "
        "EXISTS (SELECT 1 FROM plan_reason x WHERE x.plan_id = p.id) "
        "FROM plan p JOIN job j ON j.plan_id = p.id AND j.state <> 'cancelled' JOIN batch b ON b.id = "
        "j.batch_id "
        "LEFT JOIN pouch_recall r ON r.job_id = j.id "
        "WHERE p.patient_id = ? AND j.state = 'good' AND (? OR ifnull(b.simulated, 0) = 0) ORDER BY j.id",
        "ii", book->patient, (int64_t)book->site->count_simulated);
    int more = 0;
    while (status == 0 && (more = store_next(rows, book->err)) > 0) {
        struct pouch_content content;
        status =
            pouch_content_read(store_text(rows, 1), book->refill->input.day.day_start, &content, book->err);
        book->rolls = true;
        bool dead = store_int(rows, 3) != 0;
        bool lost = strcmp(store_text(rows, 2), "lost") == 0;
        for (int i = 0; status == 0 && i < content.count; i++) {
            struct account *account = account_of(book, content.item[i].code);
            if (!account)
                continue;
            struct supply_in in = {.day = content.day,
                                   .days = 1,
                                   .milli = content.item[i].milli,
                                   .plan = store_int(rows, 0),
                                   .order = ""};
            if ((!dead && !supply_add(book->arena, &account->pouches, in)) ||
                ((!dead || lost) && !supply_add(book->arena, &account->made, in)))
                status = no_memory(book);
            in.day = (int32_t)store_int(rows, 4);
            in.days = (int32_t)store_int(rows, 5);
            if (status == 0 && !store_int(rows, 6))
                status = fill_grow(book, account, in);
        }
    }
    store_done(rows);
    return status < 0 ? status : more;
}

int bill_count(const struct account *account, const char *order, int32_t day)
{
    int count = 0;
    for (size_t i = 0; i < account->fills.count; i++)
        count += account->fills.item[i].day == day && strcmp(account->fills.item[i].order, order) == 0;
    return count;
}

/* Of several versions of a plan that carry one bill the newest that was packed says what was dispensed. */
static int fill_note(struct book *book, struct account *account, struct supply_in in)
{
    for (size_t i = 0; i < account->fills.count; i++) {
        struct supply_in *old = &account->fills.item[i];
        if (old->day == in.day && old->nth == in.nth && strcmp(old->order, in.order) == 0) {
            in.plan = old->plan; /* the first one: pouches were made of it since */
            *old = in;
            return 0;
        }
    }
    return supply_add(book->arena, &account->fills, in) ? 0 : no_memory(book);
}

static int fills_read(struct book *book)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        book->store, &rows, book->err,
        "SELECT f.product_code, f.order_source_id, f.day, f.days, f.pieces_milli, f.plan_id, p.created_ms, "
        "ifnull(n.nth, 0) FROM plan p JOIN plan_fill f ON f.plan_id = p.id LEFT JOIN plan_fill_nth n ON "
        "n.plan_id = f.plan_id AND n.order_source_id = f.order_source_id WHERE EXISTS (SELECT 1 FROM job j "
        "JOIN batch b ON b.id = j.batch_id WHERE j.plan_id = p.id AND j.state = 'good' AND (? OR "
        "ifnull(b.simulated, 0) = 0)) AND p.patient_id = ? ORDER BY p.version",
        "ii", (int64_t)book->site->count_simulated, book->patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, book->err)) > 0) {
        struct account *account = account_of(book, store_text(rows, 0));
        if (!account)
            continue;
        struct supply_in in = {.order = kept(book, store_text(rows, 1)),
                               .day = (int32_t)store_int(rows, 2),
                               .days = (int32_t)store_int(rows, 3),
                               .milli = store_int(rows, 4),
                               .plan = store_int(rows, 5),
                               .at_ms = store_int(rows, 6),
                               .nth = (int)store_int(rows, 7)};
        if (!in.order)
            status = no_memory(book);
        else
            status = fill_note(book, account, in);
    }
    store_done(rows);
    return status < 0 ? status : more;
}

/* A bill near an anchor is the one for that roll: it is held, and counts once. */
static bool is_for_roll(const struct book *book, int32_t day)
{
    if (book->refill->anchor == CIVIL_DAY_NONE)
        return false;
    int32_t cycle = book->refill->c.cycle_days;
    int32_t next = refill_cycle_of(book->refill->anchor, cycle, day + cycle - 1);
    return next - day <= REFILL_SAME_FILL_DAYS || day - (next - cycle) <= 0;
}

static int dispense_note(struct book *book, struct account *account, struct supply_in in)
{
    for (size_t i = 0; i < account->fills.count; i++) {
        struct supply_in *fill = &account->fills.item[i];
        if (fill->plan && abs(fill->day - in.day) <= REFILL_SAME_FILL_DAYS) {
            fill->plan = 0; /* matched once */
            if (in.milli > 0)
                fill->milli = in.milli;
            if (in.days > 0)
                fill->days = in.days;
            return 0;
        }
    }
    bool roll = in.plan && is_for_roll(book, in.day);
    in.plan = 0;
    return supply_add(book->arena, roll ? &account->fills : &account->apart, in) ? 0 : no_memory(book);
}

/* What was handed out or billed elsewhere. By hand ("apart") it is never the bill of a roll. */
static int dispenses_read(struct book *book)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        book->store, &rows, book->err,
        "SELECT product_code, order_source_id, day, days_supply, pieces_milli, recorded_ms, source_id FROM "
        "dispense WHERE patient_id = ? AND current = 1 AND status = 'completed' AND product_code IS NOT NULL "
        "AND "
        "day <= ? AND day >= ? ORDER BY day, id",
        "iii", book->patient, (int64_t)book->today, (int64_t)book->today - REFILL_DAYS_BACK);
    int more = 0;
    while (status == 0 && (more = store_next(rows, book->err)) > 0) {
        struct account *account = account_of(book, store_text(rows, 0));
        if (!account)
            continue;
        bool by_hand = strncmp(store_text(rows, 6), "apart:", 6) == 0;
        struct supply_in in = {.order = kept(book, store_text(rows, 1)),
                               .day = (int32_t)store_int(rows, 2),
                               .days = store_is_null(rows, 3) ? SYNC_NONE : (int32_t)store_int(rows, 3),
                               .milli = store_is_null(rows, 4) ? 0 : store_int(rows, 4),
                               .at_ms = store_int(rows, 5),
                               .plan = !by_hand};
        if (!in.order)
            status = no_memory(book);
        else if (by_hand)
            status = supply_add(book->arena, &account->apart, in) ? 0 : no_memory(book);
        else
            status = dispense_note(book, account, in);
    }
    store_done(rows);
    return status < 0 ? status : more;
}

int facts_load(struct book *book)
{
    static int (*const steps[])(struct book *) = {accounts_make, anchor_read, events_read,   counts_read,
                                                  pouches_read,  fills_read,  dispenses_read};
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof steps / sizeof steps[0]; i++)
        status = steps[i](book);
    return status;
}
