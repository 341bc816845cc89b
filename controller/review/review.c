/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/review/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/intake/reading.h"
#include "controller/store/store.h"

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the review");
}

const char *review_change_text(enum review_change change)
{
    static const char *const texts[] = {
        [REVIEW_UNCHANGED] = "unchanged", [REVIEW_NEW] = "new",     [REVIEW_GONE] = "gone",
        [REVIEW_DOSE] = "dose",           [REVIEW_TIMES] = "times", [REVIEW_PRODUCT] = "product"};
    return texts[change];
}

/* Days of a take; dates only where a course begins or ends within the cycle. */
static void days_text(const struct plan_text *plan, const struct roll_pattern *pattern, struct buf *out)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    char first[CIVIL_TEXT_BYTES], last[CIVIL_TEXT_BYTES];
    if (pattern->every_days > 1)
        buf_printf(out, " every %d days", pattern->every_days);
    for (int i = 0; i < 7; i++) {
        if (pattern->weekdays & 1u << i)
            buf_printf(out, " %s", names[i]);
    }
    civil_format(pattern->first_day, first);
    civil_format(pattern->last_day, last);
    bool begins = pattern->first_day > plan->start_day;
    bool ends = pattern->last_day < plan->start_day + plan->days - 1;
    if (begins)
        buf_printf(out, " from %s", first);
    if (ends)
        buf_printf(out, " until %s", last);
}

/* What the pouches hold of an order. times false: without the clock times, to see whether only they moved. */
const char *review_planned(struct arena *arena, const struct plan_text *plan, int64_t order_id, bool times)
{
    struct buf text;
    buf_init(&text);
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_take *take = &plan->takes[i];
        char amount[QUANTITY_TEXT_BYTES], clock[TOD_TEXT_BYTES];
        if (take->order_id != order_id)
            continue;
        quantity_format(take->amount_milli, amount);
        tod_format(plan->slots[take->slot - 1].minute, clock);
        buf_printf(&text, "%s%s", text.len ? ", " : "", amount);
        if (times)
            buf_printf(&text, " at %s", clock);
        days_text(plan, &take->pattern, &text);
    }
    const char *copy = text.failed ? NULL : arena_text(arena, buf_string(&text), text.len);
    buf_finish(&text);
    return copy;
}

static const struct plan_order *order_by_source(const struct plan_text *plan, const char *source_id)
{
    for (size_t i = 0; plan && i < plan->order_count; i++) {
        if (strcmp(plan->orders[i].source_id, source_id) == 0)
            return &plan->orders[i];
    }
    return NULL;
}

static bool look_changed(const struct review *review, const char *code_before, const char *code)
{
    const struct plan_product *before = plan_text_product(review->signed_before, code_before);
    const struct plan_product *now = plan_text_product(review->plan, code);
    return strcmp(code_before, code) != 0 || (before && now && strcmp(before->look, now->look) != 0);
}

/* How the pill looked and looks now: what the patient sees first. */
static void look_compare(const struct review *review, struct review_drug *drug, const char *code_before,
                         const char *code)
{
    const struct plan_product *before = plan_text_product(review->signed_before, code_before);
    const struct plan_product *now = plan_text_product(review->plan, code);
    if (before && now && strcmp(before->look, now->look) != 0) {
        drug->look = now->look[0] ? now->look : "no look on file";
        drug->look_before = before->look[0] ? before->look : "no look on file";
    }
}

static int compare_drug(struct review *review, struct arena *arena, struct review_drug *drug,
                        const struct plan_order *order)
{
    const struct plan_order *old = order_by_source(review->signed_before, order->source_id);
    bool was = old && old->state == PLAN_INCLUDED, is = order->state == PLAN_INCLUDED;
    drug->before = "";
    drug->change = REVIEW_UNCHANGED;
    if (was)
        drug->before = review_planned(arena, review->signed_before, old->id, true);
    if (!drug->before)
        return E_MEMORY;
    if (is != was)
        drug->change = is ? REVIEW_NEW : REVIEW_GONE;
    if (is != was || !is)
        return 0;
    look_compare(review, drug, old->product, order->product);
    const char *dose_before = review_planned(arena, review->signed_before, old->id, false);
    const char *dose = review_planned(arena, review->plan, order->id, false);
    if (!dose_before || !dose)
        return E_MEMORY;
    if (strcmp(dose, dose_before) != 0)
        drug->change = REVIEW_DOSE;
    else if (look_changed(review, old->product, order->product))
        drug->change = REVIEW_PRODUCT;
    else if (strcmp(drug->planned, drug->before) != 0)
        drug->change = REVIEW_TIMES;
    return 0;
}

/* The order's words, from its reading. */
static int words_of(struct store *store, struct arena *arena, int64_t order_id, const char *unit,
                    const char **ret, struct error *err)
{
    struct store_rows *rows = NULL;
    struct reading reading;
    struct buf text;
    int status =
        store_query(store, &rows, err, "SELECT reading FROM order_version WHERE id = ?", "i", order_id);
    int found = status < 0 ? status : store_next(rows, err);
    buf_init(&text);
    if (found > 0 && !store_is_null(rows, 0) && reading_parse(store_text(rows, 0), &reading, NULL) == 0)
        reading_describe(&reading, unit, &text);
    store_done(rows);
    *ret = text.failed ? NULL : arena_text(arena, buf_string(&text), text.len);
    buf_finish(&text);
    if (found < 0)
        return found;
    return *ret ? 0 : no_memory(err);
}

static int drug_fill(struct store *store, struct review *review, struct arena *arena,
                     const struct plan_order *order, struct review_drug *drug, struct error *err)
{
    const struct plan_product *product =
        order->product ? plan_text_product(review->plan, order->product) : NULL;
    *drug = (struct review_drug){.source_id = order->source_id,
                                 .order_id = order->id,
                                 .drug = product ? product->name : order->drug,
                                 .state = order->state,
                                 .look = "",
                                 .look_before = "",
                                 .reason = order->reason,
                                 .provisional = product && product->provisional,
                                 .planned = review_planned(arena, review->plan, order->id, true)};
    if (!drug->planned || compare_drug(review, arena, drug, order) < 0)
        return no_memory(err);
    return words_of(store, arena, order->id, product ? product->form : "piece", &drug->words, err);
}

static void drug_gone(struct review *review, struct arena *arena, const struct plan_order *old,
                      struct review_drug *drug)
{
    const struct plan_product *product = plan_text_product(review->signed_before, old->product);
    *drug = (struct review_drug){.source_id = old->source_id,
                                 .order_id = old->id,
                                 .drug = product ? product->name : old->drug,
                                 .words = "",
                                 .state = PLAN_APART,
                                 .reason = "the order is over, stopped or gone",
                                 .planned = "",
                                 .change = REVIEW_GONE,
                                 .look = "",
                                 .look_before = "",
                                 .before = review_planned(arena, review->signed_before, old->id, true)};
}

static int drugs_load(struct store *store, struct review *review, struct arena *arena, struct error *err)
{
    const struct plan_text *plan = review->plan, *before = review->signed_before;
    size_t most = plan->order_count + (before ? before->order_count : 0);
    review->drugs = arena_array(arena, most, sizeof *review->drugs);
    if (!review->drugs)
        return no_memory(err);
    int status = 0;
    for (size_t i = 0; status == 0 && i < plan->order_count; i++)
        status = drug_fill(store, review, arena, &plan->orders[i], &review->drugs[review->drug_count++], err);
    for (size_t i = 0; status == 0 && before && i < before->order_count; i++) {
        const struct plan_order *old = &before->orders[i];
        if (old->state != PLAN_INCLUDED || order_by_source(plan, old->source_id))
            continue;
        drug_gone(review, arena, old, &review->drugs[review->drug_count]);
        if (!review->drugs[review->drug_count++].before)
            status = no_memory(err);
    }
    for (size_t i = 0; i < review->drug_count; i++)
        review->changes += review->drugs[i].change != REVIEW_UNCHANGED;
    return status;
}

/* The signed plan that a new signature would replace; of a signed plan the one signed before it. */
static int before_load(struct store *store, struct review *review, struct arena *arena, struct error *err)
{
    struct plan_row row;
    int64_t id = 0;
    int status =
        store_get_int(store, &id, err,
                      "SELECT p.id FROM plan p WHERE p.patient_id = ? AND p.version < ? AND EXISTS (SELECT 1 "
                      "FROM signature s WHERE s.plan_id = p.id) ORDER BY p.version DESC LIMIT 1",
                      "ii", review->row.patient, (int64_t)review->row.version);
    if (status == E_NOT_FOUND)
        return 0;
    if (status == 0)
        status = plan_row_load(store, id, arena, &row, err);
    if (status == 0)
        status = plan_text_parse(row.bytes, row.len, arena, &review->signed_before, err);
    review->signed_before_id = id;
    return status < 0 ? error_prefix(err, status, "the plan signed before, %lld", (long long)id) : 0;
}

/* What the clinical checks find; a draft that they block cannot be signed. */
static int findings_load(struct store *store, const struct review_rules *rules, struct review *review,
                         struct arena *arena, struct error *err)
{
    struct error why = {0};
    if (!rules || !rules->clinical || rules->today == CIVIL_DAY_NONE)
        return 0;
    int status = clinical_check_plan(store, rules->clinical, review->row.id, rules->today, arena,
                                     &review->findings, err);
    review->has_findings = status == 0;
    if (status == 0 && review->holds == 0 && !review->is_signed) {
        review->holds = clinical_blocked(&review->findings, &why);
        (void)snprintf(review->trouble, sizeof review->trouble, "%s", why.message); /* both hold a message */
    }
    return status;
}

static int state_load(struct store *store, const struct review_rules *rules, struct review *review,
                      struct error *err)
{
    struct error why = {0};
    int status = review_signature_of(store, review->row.id, &review->signature, &why);
    if (status < 0 && status != E_NOT_FOUND)
        return error_set(err, status, "%s", why.message);
    review->is_signed = status == 0;
    why = (struct error){0};
    review->holds = review->row.state == PLAN_ROW_SIGNED ? review_verify(store, review->row.id, rules, &why)
                                                         : review_check(store, review->row.id, rules, &why);
    if (review->holds < 0 && error_class_of(review->holds) != ERROR_CLASS_INPUT)
        return error_set(err, review->holds, "%s", why.message);
    (void)snprintf(review->trouble, sizeof review->trouble, "%s", why.message); /* both hold a message */
    return 0;
}

int review_load(struct store *store, int64_t plan, const struct review_rules *rules, struct arena *arena,
                struct review *ret_review, struct error *err)
{
    struct error own;
    struct review review = {0};
    err = err ? err : &own;
    int status = plan_row_load(store, plan, arena, &review.row, err);
    if (status == 0) {
        status = plan_text_parse(review.row.bytes, review.row.len, arena, &review.plan, err);
        if (status < 0 && status != E_MEMORY)
            status =
                error_set(err, E_TAMPERED, "plan %lld: its text cannot be read: plan again", (long long)plan);
    }
    if (status == 0)
        status = before_load(store, &review, arena, err);
    if (status == 0)
        status = drugs_load(store, &review, arena, err);
    if (status == 0 && review.signed_before)
        status = delta_make(review.signed_before, review.plan, arena, &review.delta, err);
    if (status == 0)
        status = state_load(store, rules, &review, err);
    if (status == 0)
        status = findings_load(store, rules, &review, arena, err);
    if (status == 0)
        *ret_review = review;
    return status;
}
