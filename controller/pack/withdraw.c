/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/withdraw.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/plan_text.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

const char *withdraw_place_text(enum withdraw_place place)
{
    static const char *const texts[] = {
#define WITHDRAW_PLACE_TEXT(name, text) text,
        WITHDRAW_PLACE_TABLE(WITHDRAW_PLACE_TEXT)
#undef WITHDRAW_PLACE_TEXT
    };
    return place < WITHDRAW_PLACES ? texts[place] : "?";
}

/* A plan as far as it can be read. */
struct subject {
    struct plan_text *text; /* NULL: its text cannot be read */
    int64_t pouches;        /* by the store's count and its jobs */
};

static int read_subject(struct store *store, int64_t plan, struct arena *arena, struct subject *ret_subject,
                        struct error *err)
{
    struct subject subject = {0};
    struct error unread = {0};
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT text, max(pouches, (SELECT coalesce(max(pouch), 0) FROM job WHERE plan_id ="
                         " plan.id)) FROM plan WHERE id = ?",
                         "i", plan);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        size_t len = 0;
        const char *text = store_blob(rows, 0, &len);
        subject.pouches = store_int(rows, 1);
        /* A damaged text is no reason to go on packing: it is withdrawn by its numbers. */
        if (plan_text_parse(text, len, arena, &subject.text, &unread) < 0)
            subject.text = NULL;
    }
    store_done(rows);
    if (rc == 0)
        return error_set(err, E_NOT_FOUND, "plan %" PRId64 " does not exist", plan);
    if (rc == 1)
        *ret_subject = subject;
    return rc < 0 ? rc : 0;
}

static const struct plan_pouch *pouch_of(const struct subject *subject, int64_t number)
{
    if (!subject->text || number < 1 || (size_t)number > subject->text->pouch_count)
        return NULL;
    return &subject->text->pouches[number - 1];
}

/* ---- which pouches ---- */

static bool holds_product(const struct plan_pouch *pouch, const char *code)
{
    for (size_t i = 0; i < pouch->item_count; i++) {
        if (strcmp(pouch->items[i].code, code) == 0)
            return true;
    }
    return false;
}

static const struct plan_order *order_of(const struct plan_text *plan, const char *source_id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (strcmp(plan->orders[i].source_id, source_id) == 0)
            return &plan->orders[i];
    }
    return NULL;
}

static const struct plan_slot *slot_of(const struct plan_text *plan, int number)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (plan->slots[i].number == number)
            return &plan->slots[i];
    }
    return NULL;
}

/* A slot that is split has several pouches at one time: the product says which of them is meant. */
static bool holds_order(const struct plan_text *plan, const struct plan_pouch *pouch, const char *source_id)
{
    const struct plan_order *order = order_of(plan, source_id);
    if (!order || !order->product || !holds_product(pouch, order->product))
        return false;
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_take *take = &plan->takes[i];
        const struct plan_slot *slot = take->order_id == order->id ? slot_of(plan, take->slot) : NULL;
        if (slot && slot->minute == pouch->minute &&
            roll_pattern_has(&take->pattern, pouch->day - slot->offset))
            return true;
    }
    return false;
}

static int check_request(const struct subject *subject, const struct withdraw_request *request,
                         struct error *err)
{
    bool chosen = request->product || request->order || request->from_day != CIVIL_DAY_NONE;
    if (!request->reason || request->reason[0] == '\0' || strlen(request->reason) > WITHDRAW_REASON_BYTES_MAX)
        return error_set(err, E_ARG, "a withdrawal wants a reason of at most %d bytes",
                         WITHDRAW_REASON_BYTES_MAX);
    if (!subject->text && chosen)
        return error_set(err, E_TAMPERED, "plan %" PRId64 " cannot be read; withdraw it whole",
                         request->plan);
    if (request->product && !plan_text_product(subject->text, request->product))
        return error_set(err, E_NOT_FOUND, "plan %" PRId64 " holds no product %s", request->plan,
                         request->product);
    if (request->order && !order_of(subject->text, request->order))
        return error_set(err, E_NOT_FOUND, "plan %" PRId64 " holds no order %s", request->plan,
                         request->order);
    return 0;
}

static bool is_meant(const struct subject *subject, const struct withdraw_request *request, int64_t number)
{
    const struct plan_pouch *pouch = pouch_of(subject, number);
    if (!pouch)
        return !subject->text;
    if (request->from_day != CIVIL_DAY_NONE && pouch->day < request->from_day)
        return false;
    if (request->product && !holds_product(pouch, request->product))
        return false;
    return !request->order || holds_order(subject->text, pouch, request->order);
}

/* ---- marking ---- */

static int mark(struct store *store, const struct withdraw_request *request, int64_t number,
                struct error *err)
{
    int rc = store_exec(store, err,
                        "INSERT INTO withdrawn (plan_id, pouch, reason, actor, withdrawn_ms)"
                        " SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT (?6 AND EXISTS (SELECT 1 FROM job j WHERE"
                        " j.plan_id = ?1 AND j.pouch = ?2 AND j.state = 'good'))"
                        " ON CONFLICT (plan_id, pouch) DO NOTHING",
                        "iittii", request->plan, number, request->reason, request->actor, request->wall_ms,
                        (int64_t)request->unmade_only);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE job SET state = 'cancelled', note = ? WHERE plan_id = ? AND pouch = ?"
                        " AND state IN ('waiting', 'blocked')",
                        "tii", request->reason, request->plan, number);
    return rc;
}

/* ---- reading back ---- */

static const char list_sql[] =
    "SELECT w.pouch, coalesce(j.id, 0), coalesce(j.batch_id, 0), coalesce(j.state, ''), w.reason,"
    " coalesce((SELECT f.token FROM fill f WHERE f.job_id = j.id AND f.state IN ('intended', 'good')"
    " ORDER BY f.id DESC LIMIT 1), '') FROM withdrawn w LEFT JOIN job j ON j.plan_id = w.plan_id"
    " AND j.pouch = w.pouch AND j.state <> 'cancelled' WHERE w.plan_id = ? ORDER BY w.pouch";

static int read_row(struct store_rows *rows, const struct subject *subject, struct arena *arena,
                    struct withdraw_pouch *ret_pouch, struct error *err)
{
    int64_t number = store_int(rows, 0);
    const char *state = store_text(rows, 3), *reason = store_text(rows, 4), *token = store_text(rows, 5);
    const struct plan_pouch *pouch = pouch_of(subject, number);
    *ret_pouch = (struct withdraw_pouch){
        .number = (int)number,
        .day = pouch ? pouch->day : CIVIL_DAY_NONE,
        .minute = pouch ? pouch->minute : 0,
        .job = store_int(rows, 1),
        .batch = store_int(rows, 2),
        .place = strcmp(state, "good") == 0   ? WITHDRAW_PACKED
                 : strcmp(state, "sent") == 0 ? WITHDRAW_IN_MACHINE
                                              : WITHDRAW_NOT_PACKED,
        .token = arena_text(arena, token, strlen(token)),
        .reason = arena_text(arena, reason, strlen(reason)),
    };
    return ret_pouch->token && ret_pouch->reason
               ? 0
               : error_set(err, E_MEMORY, "no memory for withdrawn pouches");
}

/* request NULL: all of them. */
static int list(struct store *store, int64_t plan, const struct subject *subject,
                const struct withdraw_request *request, struct arena *arena,
                struct withdraw_result *ret_result, struct error *err)
{
    struct withdraw_result result = {0};
    struct withdraw_pouch *pouches =
        arena_array(arena, (size_t)subject->pouches + 1, sizeof *pouches); /* none may be none */
    struct store_rows *rows = NULL;
    if (!pouches)
        return error_set(err, E_MEMORY, "no memory for withdrawn pouches");
    int rc = store_query(store, &rows, err, list_sql, "i", plan);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        if (request && !is_meant(subject, request, store_int(rows, 0)))
            continue;
        rc = read_row(rows, subject, arena, &pouches[result.count], err);
        if (rc == 0)
            result.places[pouches[result.count++].place]++;
    }
    store_done(rows);
    result.pouches = pouches;
    if (rc == 0)
        *ret_result = result;
    return rc;
}

int withdraw_list(struct store *store, int64_t plan, struct arena *arena, struct withdraw_result *ret_result,
                  struct error *err)
{
    struct subject subject;
    int rc = read_subject(store, plan, arena, &subject, err);
    return rc < 0 ? rc : list(store, plan, &subject, NULL, arena, ret_result, err);
}

int batch_withdraw(struct store *store, const struct withdraw_request *request, struct arena *arena,
                   struct withdraw_result *ret_result, struct error *err)
{
    struct subject subject;
    struct withdraw_result result;
    char name[32], detail[128];
    int rc = read_subject(store, request->plan, arena, &subject, err);
    if (rc == 0)
        rc = check_request(&subject, request, err);
    for (int64_t number = 1; rc == 0 && number <= subject.pouches; number++) {
        if (is_meant(&subject, request, number))
            rc = mark(store, request, number, err);
    }
    if (rc == 0)
        rc = list(store, request->plan, &subject, request, arena, &result, err);
    if (rc < 0)
        return rc;
    (void)snprintf(name, sizeof name, "plan:%" PRId64, request->plan); /* both always fit */
    (void)snprintf(detail, sizeof detail, "{\"pouches\":%zu,\"in_machine\":%zu,\"packed\":%zu}", result.count,
                   result.places[WITHDRAW_IN_MACHINE], result.places[WITHDRAW_PACKED]);
    rc = audit_add(store, request->wall_ms, request->actor, "plan.withdraw", name, detail, err);
    if (rc == 0)
        *ret_result = result;
    return rc;
}
