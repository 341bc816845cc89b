/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/documents/json_values.h"
#include "controller/review/review.h"

static json_t *notes_json(const struct review *r, enum plan_note_kind kind, int64_t order_id)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->plan->note_count; i++) {
        const struct plan_note *note = &r->plan->notes[i];
        if (note->kind == kind && (order_id < 0 || note->order_id == order_id))
            json_array_append_new(list, json_string(note->text));
    }
    return list;
}

static json_t *drugs_json(const struct review *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->drug_count; i++) {
        const struct review_drug *d = &r->drugs[i];
        json_array_append_new(
            list, json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:s,s:o}", "order", d->source_id,
                            "order_version", (json_int_t)d->order_id, "drug", d->drug, "words", d->words,
                            "state", plan_state_text(d->state), "reason", d->reason, "provisional",
                            d->provisional, "planned", d->planned, "change", review_change_text(d->change),
                            "before", d->before, "look", d->look, "look_before", d->look_before, "why",
                            notes_json(r, PLAN_WHY, d->order_id)));
    }
    return list;
}

static json_t *clocks_json(const int *minutes, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_tod(minutes[i]));
    return list;
}

static json_t *delta_json(const struct review *r)
{
    const struct delta *d = &r->delta;
    json_t *groups = json_array();
    if (!r->signed_before) {
        json_decref(groups);
        return json_null();
    }
    for (size_t i = 0; i < d->group_count; i++) {
        char hash[SEAL_HASH_TEXT_BYTES];
        seal_hash_text(d->groups[i].hash, hash);
        json_array_append_new(groups, json_pack("{s:o,s:s,s:s,s:o,s:i,s:s}", "time",
                                                json_tod(d->groups[i].minute), "was", d->groups[i].was, "is",
                                                d->groups[i].is, "first", json_day(d->groups[i].first_day),
                                                "pouches", d->groups[i].count, "hash", hash));
    }
    return json_pack("{s:o,s:o,s:i,s:o}", "new_times", clocks_json(d->new_times, d->new_count), "gone_times",
                     clocks_json(d->gone_times, d->gone_count), "pouches_same", d->same, "pouches_changed",
                     groups);
}

static json_t *edits_json(const struct plan_text *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->edit_count; i++) {
        const struct plan_edit *e = &plan->edits[i];
        json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "edit", (json_int_t)e->id, "kind",
                                              plan_edit_kind_text(e->kind), "order", e->source_id, "value",
                                              e->value, "reason", e->reason, "by", e->login));
    }
    return list;
}

static json_t *overrides_json(const struct plan_text *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->override_count; i++) {
        const struct plan_override *said = &plan->overrides[i];
        char until[CIVIL_TEXT_BYTES];
        civil_format(said->until_day, until);
        json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:b,s:s,s:s,s:s,s:s}", "override",
                                              (json_int_t)said->id, "product", said->product, "rule",
                                              said->rule, "red", (int)said->red, "reason", said->reason, "by",
                                              said->login, "second", said->second, "until", until));
    }
    return list;
}

static json_t *slots_json(const struct plan_text *plan)
{
    json_t *list = json_array();
    for (size_t s = 0; s < plan->slot_count; s++) {
        json_t *takes = json_array();
        for (size_t t = 0; t < plan->take_count; t++) {
            if (plan->takes[t].slot == plan->slots[s].number)
                json_array_append_new(takes, json_pack("{s:I,s:o,s:i}", "order_version",
                                                       (json_int_t)plan->takes[t].order_id, "amount",
                                                       json_quantity(plan->takes[t].amount_milli), "days",
                                                       plan->takes[t].days));
        }
        json_array_append_new(list, json_pack("{s:o,s:s,s:b,s:o}", "time", json_tod(plan->slots[s].minute),
                                              "name", plan->slots[s].name, "next_date", plan->slots[s].offset,
                                              "takes", takes));
    }
    return list;
}

static json_t *totals_json(const struct plan_text *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->total_count; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:I,s:I,s:b,s:b}", "product", plan->totals[i].code, "name",
                            plan->products[i].name, "whole", (json_int_t)plan->totals[i].whole, "half",
                            (json_int_t)plan->totals[i].half, "alone", plan->products[i].alone, "provisional",
                            plan->products[i].provisional));
    return list;
}

/* What the scheduler said when the plan was made: what binds each dose, the price of each rule. */
static json_t *explain_json(const struct review *r)
{
    json_t *schedule = json_loads(r->row.schedule, 0, NULL);
    json_t *explain = json_incref(json_object_get(schedule, "explain"));
    json_decref(schedule);
    return explain ? explain : json_array();
}

static json_t *signature_json(const struct review *r)
{
    char when[INSTANT_TEXT_BYTES];
    if (!r->is_signed)
        return json_null();
    instant_format(r->signature.signed_ms, when);
    return json_pack("{s:s,s:s,s:s,s:s}", "meaning", r->signature.meaning, "login", r->signature.login,
                     "name", r->signature.name, "time", when);
}

/* null when nothing was looked for. */
static json_t *findings_json(const struct review *r)
{
    struct buf text;
    buf_init(&text);
    json_t *list = NULL;
    if (r->has_findings && clinical_to_json(&r->findings, &text, NULL) == 0)
        list = json_loads(buf_string(&text), 0, NULL);
    buf_finish(&text);
    return list ? list : json_null();
}

int review_to_json(const struct review *r, struct buf *out, struct error *err)
{
    const struct plan_text *plan = r->plan;
    json_t *object = json_pack(
        "{s:s,s:I,s:i,s:s,s:{s:s,s:s,s:o},s:o,s:i,s:i,s:i,s:i,s:o,s:b,s:s}", "format", "sachet-review/1",
        "plan", (json_int_t)r->row.id, "version", plan->version, "state", plan_row_state_text(&r->row),
        "patient", "id", plan->patient_id, "name", plan->patient_name, "born", json_day(plan->birth_day),
        "start", json_day(plan->start_day), "days", plan->days, "times_written", r->row.times_written,
        "times_planned", r->row.times_planned, "pouches", (int)plan->pouch_count, "signature",
        signature_json(r), "holds", r->holds == 0, "trouble", r->trouble);
    if (object) {
        json_object_set_new(object, "to_answer", notes_json(r, PLAN_SWITCH, -1));
        json_object_set_new(object, "clinical", findings_json(r));
        json_object_set_new(object, "warnings", notes_json(r, PLAN_WARNING, -1));
        json_object_set_new(object, "why_not_fewer", notes_json(r, PLAN_FLOOR, -1));
        json_object_set_new(object, "explain", explain_json(r));
        json_object_set_new(object, "signed_before",
                            r->signed_before ? json_integer(r->signed_before_id) : json_null());
        json_object_set_new(object, "delta", delta_json(r));
        json_object_set_new(object, "edits", edits_json(plan));
        json_object_set_new(object, "overrides", overrides_json(plan));
        json_object_set_new(object, "changes", json_integer(r->changes));
        json_object_set_new(object, "slots", slots_json(plan));
        json_object_set_new(object, "drugs", drugs_json(r));
        json_object_set_new(object, "totals", totals_json(plan));
    }
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text)
        return error_set(err, E_MEMORY, "no memory for the review");
    buf_text(out, text);
    free(text);
    return 0;
}
