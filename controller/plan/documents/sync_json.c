/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is built with jansson, which keeps the order of keys. Its setters take a NULL value for a failure
 * and say so, so a failed allocation anywhere leaves `failed` set and only the end looks at it.
 */
#include "controller/plan/documents/sync_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/documents/json_values.h"

struct writer {
    const struct sync_case *c;
    const struct sync_plan *plan;
    const struct sync_explanation *why;
    bool failed;
};

static void set(struct writer *w, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        w->failed = true;
}

static void append(struct writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        w->failed = true;
}

static json_t *count(int64_t value)
{
    return value == SYNC_NONE ? json_null() : json_integer(value);
}

__attribute__((format(printf, 1, 2))) static json_t *sentence(const char *format, ...)
{
    struct buf text;
    char mem[512];
    va_list args;
    buf_init_fixed(&text, mem, sizeof mem);
    va_start(args, format);
    int n = vsnprintf(mem, sizeof mem, format, args);
    va_end(args);
    return n >= 0 && n < (int)sizeof mem ? json_string(mem) : NULL;
}

static json_t *objective(struct writer *w, const struct sync_objective *o)
{
    json_t *object = json_object();
    for (enum sync_term t = SYNC_GAP_DAYS; t < SYNC_TERMS; t++)
        set(w, object, sync_term_text(t), json_integer(o->term[t]));
    return object;
}

static json_t *fills(struct writer *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->plan->fill_count; i++) {
        const struct sync_fill *fill = &w->plan->fills[i];
        json_t *object = json_object();
        set(w, object, "date", json_day(fill->date));
        set(w, object, "id", json_string(fill->id));
        set(w, object, "days", json_integer(fill->days));
        set(w, object, "qty", json_integer(fill->qty));
        set(w, object, "kind", json_string(sync_kind_text(fill->kind)));
        append(w, list, object);
    }
    return list;
}

static json_t *requests(struct writer *w, const struct sync_request *request, size_t request_count,
                        bool with_day, bool with_reason)
{
    json_t *list = json_array();
    for (size_t i = 0; i < request_count; i++) {
        json_t *object = json_object();
        set(w, object, "id", json_string(request[i].id));
        set(w, object, "needed_by", json_day(request[i].needed_by));
        if (with_day)
            set(w, object, "request_on", json_day(request[i].request_on));
        if (with_reason)
            set(w, object, "reason", json_string(sync_ask_text(request[i].reason)));
        append(w, list, object);
    }
    return list;
}

static json_t *excluded(struct writer *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->plan->drug_count; i++) {
        const struct sync_drug *drug = &w->plan->drugs[i];
        if (!drug->excluded)
            continue;
        json_t *object = json_object();
        set(w, object, "id", json_string(drug->rx->id));
        set(w, object, "reason", json_string(sync_exclusion_text(drug->excluded)));
        append(w, list, object);
    }
    return list;
}

/* "loses" names the first term in which it is worse than the plan; against the plan itself a lock may have
 * lost. */
static void compared(struct writer *w, json_t *object, const struct sync_compared *other)
{
    if (!other->feasible) {
        set(w, object, "result", json_string("impossible"));
        set(w, object, "blocked_by", other->blocked_by ? json_string(other->blocked_by) : json_null());
        return;
    }
    if (other->equal) {
        set(w, object, "result", json_string("equal"));
    } else {
        set(w, object, "result", json_string(other->difference > 0 ? "worse" : "better"));
        set(w, object, "first_difference", json_string(sync_term_text(other->term)));
        set(w, object, "by", json_integer(llabs(other->difference)));
    }
    set(w, object, "objective", objective(w, &other->objective));
}

static json_t *run_out_sum(const struct sync_case *c, const struct sync_drug *drug)
{
    const struct sync_rx *rx = drug->rx;
    char from[CIVIL_TEXT_BYTES];
    civil_format(rx->start != CIVIL_DAY_NONE && rx->start > c->today ? rx->start : c->today, from);
    return sentence("%s plus %d units at %d a day (%d days)", from, rx->on_hand_units, rx->units_per_day,
                    rx->on_hand_units / rx->units_per_day);
}

static json_t *payer_sum(const struct sync_drug *drug)
{
    const struct sync_rx *rx = drug->rx;
    char from[CIVIL_TEXT_BYTES];
    if (rx->last_fill == CIVIL_DAY_NONE)
        return json_string("never filled: today");
    if (rx->override_granted)
        return json_string("override granted: today");
    civil_format(rx->last_fill, from);
    return sentence("%s plus %d %% of %d days (%d days)", from, rx->threshold_pct, rx->days_supply,
                    drug->earliest - rx->last_fill);
}

/* Which rule makes the window begin where it does. */
static const char *window_by(const struct sync_case *c, const struct sync_drug *drug)
{
    if (drug->window_from == drug->earliest && drug->earliest > c->today)
        return "PAYER_DATE";
    return drug->window_from == c->today ? "TODAY" : "CARRY_CAP";
}

static json_t *fill_sum(const struct sync_drug *drug, const struct sync_fill *fill,
                        const struct sync_fill_reason *reason)
{
    const struct sync_rx *rx = drug->rx;
    char from[CIVIL_TEXT_BYTES], to[CIVIL_TEXT_BYTES];
    civil_format(reason->counted_from, from);
    civil_format(fill->lasts_until, to);
    if (rx->pack_days != SYNC_NONE)
        return sentence("%s minus %s = %d days = %d packs of %d units", to, from, fill->days,
                        fill->days / rx->pack_days, rx->pack_units);
    return sentence("%s minus %s = %d days at %d units a day", to, from, fill->days, rx->units_per_day);
}

static json_t *explain_fills(struct writer *w, const struct sync_drug *drug,
                             const struct sync_drug_reason *reason)
{
    json_t *list = json_array();
    for (size_t i = 0; i < drug->fill_count; i++) {
        const struct sync_fill *fill = &drug->fills[i];
        json_t *object = json_object();
        set(w, object, "date", json_day(fill->date));
        set(w, object, "kind", json_string(sync_kind_text(fill->kind)));
        set(w, object, "days", json_integer(fill->days));
        set(w, object, "qty", json_integer(fill->qty));
        set(w, object, "sum", fill_sum(drug, fill, &reason->fills[i]));
        set(w, object, "date_by", json_string(sync_bound_text(reason->fills[i].date_by)));
        set(w, object, "days_by", json_string(sync_bound_text(reason->fills[i].days_by)));
        set(w, object, "conditional_on", fill->conditional ? json_string("prescriber") : json_null());
        append(w, list, object);
    }
    return list;
}

static json_t *explain_others(struct writer *w, const struct sync_drug_reason *reason)
{
    json_t *list = json_array();
    for (size_t i = 0; i < reason->other_count; i++) {
        const struct sync_other *other = &reason->others[i];
        json_t *object = json_object();
        set(w, object, "instead", json_string(sync_other_text(other->kind)));
        if (other->kind == SYNC_OTHER_FULL)
            set(w, object, "days", json_integer(other->days));
        else
            set(w, object, "date", json_day(other->date));
        compared(w, object, &other->result);
        append(w, list, object);
    }
    return list;
}

static json_t *authority(struct writer *w, const struct sync_drug *drug)
{
    json_t *object = json_object();
    set(w, object, "fills_left", count(drug->fills_left));
    set(w, object, "qty_left", count(drug->qty_left));
    set(w, object, "expires", json_day(drug->rx->expires));
    set(w, object, "pa_expires", json_day(drug->rx->pa_expires));
    return object;
}

static json_t *explain_drug(struct writer *w, const struct sync_drug *drug,
                            const struct sync_drug_reason *reason)
{
    json_t *object = json_object();
    set(w, object, "id", json_string(drug->rx->id));
    set(w, object, "excluded",
        drug->excluded ? json_string(sync_exclusion_text(drug->excluded)) : json_null());
    set(w, object, "run_out", json_day(drug->run_out));
    set(w, object, "run_out_sum", run_out_sum(w->c, drug));
    if (drug->excluded)
        return object;
    set(w, object, "payer_date", json_day(drug->earliest));
    set(w, object, "payer_sum", payer_sum(drug));
    set(w, object, "window_from", json_day(drug->window_from));
    set(w, object, "window_to", json_day(drug->window_to));
    set(w, object, "window_by", json_string(window_by(w->c, drug)));
    set(w, object, "standard_days", json_integer(drug->standard_days));
    set(w, object, "joins", json_day(drug->joins));
    set(w, object, "carry_days", json_integer(drug->carry_days));
    set(w, object, "binding",
        drug->fill_count ? json_string(sync_bound_text(reason->fills[0].date_by)) : json_null());
    set(w, object, "copay_cents", json_integer(drug->rx->copay_cents));
    set(w, object, "prorated", json_boolean(drug->rx->prorated));
    set(w, object, "authority_left", authority(w, drug));
    set(w, object, "fills", explain_fills(w, drug, reason));
    set(w, object, "alternatives", explain_others(w, reason));
    return object;
}

static json_t *explain(struct writer *w)
{
    json_t *object = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < w->plan->drug_count; i++)
        append(w, list, explain_drug(w, &w->plan->drugs[i], &w->why->drugs[i]));
    set(w, object, "anchor_fixed", json_boolean(w->plan->anchor_fixed));
    set(w, object, "blocked_by", w->plan->blocked_by ? json_string(w->plan->blocked_by) : json_null());
    set(w, object, "shipments_before", json_integer(w->why->shipments_before));
    set(w, object, "shipments_after", json_integer(w->why->shipments_after));
    set(w, object, "drugs", list);
    return object;
}

static json_t *what_if(struct writer *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->why->phase_count; i++) {
        const struct sync_phase *phase = &w->why->phases[i];
        json_t *object = json_object();
        set(w, object, "anchor", json_day(phase->anchor));
        set(w, object, "sync_date", json_day(phase->sync_date));
        set(w, object, "objective", phase->feasible ? objective(w, &phase->objective) : json_null());
        if (!phase->feasible)
            set(w, object, "blocked_by", json_string(phase->blocked_by));
        append(w, list, object);
    }
    return list;
}

static json_t *lock_text(const struct sync_lock *lock)
{
    char date[CIVIL_TEXT_BYTES] = "";
    if (lock->kind != SYNC_LOCK_QTY)
        civil_format(lock->date, date);
    switch (lock->kind) {
    case SYNC_LOCK_ANCHOR:
        return sentence("anchor=%s", date);
    case SYNC_LOCK_FILL:
        return sentence("fill=%s:%s", lock->id, date);
    case SYNC_LOCK_QTY:
        break;
    }
    return sentence("qty=%s:%d", lock->id, lock->units);
}

/* What the plan would be without a lock, and what the lock adds to each term. */
static json_t *lock_cost(struct writer *w, json_t *name, const struct sync_compared *without)
{
    json_t *object = json_object();
    set(w, object, "lock", name);
    set(w, object, "without", without->feasible ? objective(w, &without->objective) : json_null());
    if (!without->feasible || !w->plan->feasible)
        return object;
    json_t *costs = json_object();
    for (enum sync_term t = SYNC_GAP_DAYS; t < SYNC_TERMS; t++)
        set(w, costs, sync_term_text(t),
            json_integer(w->plan->objective.term[t] - without->objective.term[t]));
    set(w, object, "costs", costs);
    set(w, object, "first_cost", without->equal ? json_null() : json_string(sync_term_text(without->term)));
    return object;
}

static json_t *locks(struct writer *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->why->lock_count; i++)
        append(w, list, lock_cost(w, lock_text(&w->why->locks[i].lock), &w->why->locks[i].without));
    if (w->why->lock_count > 1)
        append(w, list, lock_cost(w, json_string("all"), &w->why->without_locks));
    return list;
}

int sync_to_json(const struct sync_case *c, const struct sync_plan *plan,
                 const struct sync_explanation *explanation, struct buf *out, struct error *err)
{
    struct writer w = {c, plan, explanation, false};
    json_t *line = json_object();
    set(&w, line, "id", json_string(c->id));
    set(&w, line, "anchor", json_day(plan->anchor));
    set(&w, line, "sync_date", json_day(plan->sync_date));
    set(&w, line, "objective", plan->feasible ? objective(&w, &plan->objective) : json_null());
    set(&w, line, "fills", fills(&w));
    set(&w, line, "renewals", requests(&w, plan->renewals, plan->renewal_count, true, true));
    set(&w, line, "overrides", requests(&w, plan->overrides, plan->override_count, false, true));
    set(&w, line, "pa_requests", requests(&w, plan->pa_requests, plan->pa_request_count, true, false));
    set(&w, line, "excluded", excluded(&w));
    if (explanation) {
        set(&w, line, "explain", explain(&w));
        set(&w, line, "what_if", what_if(&w));
        if (explanation->lock_count > 0)
            set(&w, line, "locks", locks(&w));
    }
    char *text = w.failed ? NULL : json_dumps(line, JSON_COMPACT);
    if (text)
        buf_text(out, text);
    json_decref(line);
    free(text);
    return text && !out->failed ? 0 : error_set(err, E_MEMORY, "out of memory");
}
