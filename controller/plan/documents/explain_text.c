/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/explain_text.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/plan/documents/apart_text.h"
#include "controller/plan/documents/json_write.h"

static void text_clock(const struct regimen *regimen, int minute, struct buf *out)
{
    char clock[TOD_TEXT_BYTES];
    tod_format(regimen->patient.day_start + minute, clock);
    buf_text(out, clock);
}

static void text_bounds(const char *what, const char *name, int min, int max, struct buf *out)
{
    buf_printf(out, "%s of %s", what, name);
    if (min != REGIMEN_NONE)
        buf_printf(out, ", at least %d min", min);
    if (max != REGIMEN_NONE)
        buf_printf(out, ", at most %d min", max);
}

static void text_separation(const struct regimen *regimen, const struct regimen_separation *sep,
                            struct buf *out)
{
    buf_text(out, regimen->drugs[sep->b].name);
    if (sep->after > 0)
        buf_printf(out, " at least %d min after", sep->after);
    if (sep->after > 0 && sep->before > 0)
        buf_text(out, " or");
    if (sep->before > 0)
        buf_printf(out, " at least %d min before", sep->before);
    buf_printf(out, " %s", regimen->drugs[sep->a].name);
    if (sep->or_together)
        buf_text(out, ", or both together at the times named");
}

/* The rule in words. */
static void text_rule(const struct regimen *regimen, struct slots_rule rule, struct buf *out)
{
    const struct regimen_drug *drug = rule.place < regimen->drug_count ? &regimen->drugs[rule.place] : NULL;
    const struct regimen_pair *pair = NULL;
    switch (rule.kind) {
    case SLOTS_RULE_WINDOW:
        buf_printf(out, "the window of %s", drug ? drug->name : "");
        return;
    case SLOTS_RULE_GAP:
        if (drug)
            text_bounds("the gaps", drug->name, drug->gap_min, drug->gap_max, out);
        return;
    case SLOTS_RULE_OVERNIGHT:
        if (drug)
            text_bounds("the night", drug->name, drug->overnight_min, drug->overnight_max, out);
        return;
    case SLOTS_RULE_STATE:
        buf_printf(out, "all doses of %s in the same state", drug ? drug->name : "");
        return;
    case SLOTS_RULE_SEP:
        text_separation(regimen, &regimen->separations[rule.place], out);
        return;
    case SLOTS_RULE_SAME:
        pair = &regimen->same_slot[rule.place];
        buf_printf(out, "%s together with %s", regimen->drugs[pair->a].name, regimen->drugs[pair->b].name);
        return;
    case SLOTS_RULE_NOTSAME:
        pair = &regimen->not_same_slot[rule.place];
        buf_printf(out, "%s never at one time with %s", regimen->drugs[pair->a].name,
                   regimen->drugs[pair->b].name);
        return;
    case SLOTS_RULE_ORDER:
        buf_text(out, "doses of one drug come one after the other");
        return;
    case SLOTS_RULE_TIMES:
    case SLOTS_RULE_SLOTS:
    case SLOTS_RULE_KINDS:
        break;
    }
    buf_text(out, "their possible times do not meet");
}

/* One explanation: a kind, JSON members, and a sentence. */
struct explanation {
    const char *kind;
    struct buf members; /* ",..." */
    struct buf text;
};

typedef void explain_emit(const struct explanation *explanation, void *context);

static void explanation_begin(struct explanation *e, const char *kind)
{
    e->kind = kind;
    buf_reset(&e->members);
    buf_reset(&e->text);
}

static void member_rule(const struct regimen *regimen, struct slots_rule rule, struct buf *out)
{
    struct buf name;
    buf_init(&name);
    slots_rule_name(regimen, rule, &name);
    json_write_text(out, buf_string(&name));
    buf_finish(&name);
}

static void member_dose(const struct regimen *regimen, size_t dose, struct buf *out)
{
    size_t index;
    size_t drug = slots_drug_of(regimen, dose, &index);
    buf_char(out, '[');
    json_write_text(out, regimen->drugs[drug].id);
    buf_printf(out, ",%zu]", index);
}

static void explain_fewer(const struct regimen *regimen, const struct slots_result *result,
                          struct explanation *e, explain_emit *emit, void *context)
{
    if (!result->has_schedule || result->clique_count == 0)
        return;
    explanation_begin(e, "why_not_fewer");
    if (result->proof == SLOTS_PROOF_TREE || result->proof == SLOTS_PROOF_GROUPS)
        buf_printf(&e->text, "%zu times a day are too few: all %zu cases of placing the doses fail. ",
                   result->refuted_slots, result->tree_count);
    buf_text(&e->members, ",\"doses\":[");
    for (size_t i = 0; i < result->clique_count; i++) {
        buf_text(&e->members, i ? "," : "");
        member_dose(regimen, result->clique[i], &e->members);
    }
    buf_char(&e->members, ']');
    if (result->clique_count > 1) {
        buf_text(&e->text, "No two of ");
        clique_text(regimen, result, &e->text);
        buf_printf(&e->text, " can ever share a time, so at least %zu are needed.", result->clique_count);
    } else {
        clique_text(regimen, result, &e->text);
        buf_text(&e->text, " alone needs one.");
    }
    emit(e, context);
    for (size_t i = 0; i < result->apart_count; i++) {
        explanation_begin(e, "apart");
        if (!apart_text(regimen, result, i, &e->text))
            continue;
        if (result->apart[i].why.kind != SLOTS_RULE_ORDER && result->apart[i].why.kind != SLOTS_RULE_TIMES) {
            buf_text(&e->members, ",\"rule\":");
            member_rule(regimen, result->apart[i].why, &e->members);
        }
        buf_text(&e->text, ": ");
        text_rule(regimen, result->apart[i].why, &e->text);
        buf_char(&e->text, '.');
        emit(e, context);
    }
}

static void explain_conflict(const struct regimen *regimen, const struct slots_result *result,
                             struct explanation *e, explain_emit *emit, void *context)
{
    if (result->conflict_count == 0)
        return;
    explanation_begin(e, "conflict");
    buf_text(&e->members, ",\"rules\":[");
    buf_text(&e->text, "These cannot all be kept, though any one less could be: ");
    for (size_t i = 0; i < result->conflict_count; i++) {
        buf_text(&e->members, i ? "," : "");
        member_rule(regimen, result->conflict[i], &e->members);
        buf_text(&e->text, i ? "; " : "");
        text_rule(regimen, result->conflict[i], &e->text);
    }
    buf_char(&e->members, ']');
    buf_char(&e->text, '.');
    emit(e, context);
}

static bool same_binding(const struct slots_binding *a, const struct slots_binding *b)
{
    return a->dose == b->dose && a->rule.kind == b->rule.kind && a->rule.place == b->rule.place;
}

/* All slots that one rule closes to a dose, told at the first of them. */
static void text_binding(const struct regimen *regimen, const struct slots_result *result, size_t place,
                         struct buf *out)
{
    const struct slots_binding *binding = &result->bindings[place];
    for (size_t b = 0; b < place; b++) {
        if (same_binding(&result->bindings[b], binding))
            return;
    }
    for (size_t b = place; b < result->binding_count; b++) {
        if (!same_binding(&result->bindings[b], binding))
            continue;
        buf_text(out, b == place ? "; not at " : ", ");
        text_clock(regimen, result->bindings[b].minute, out);
    }
    buf_text(out, " because of ");
    text_rule(regimen, binding->rule, out);
}

static void explain_dose(const struct regimen *regimen, const struct slots_result *result, size_t dose,
                         struct explanation *e, explain_emit *emit, void *context)
{
    size_t index;
    const struct regimen_drug *drug = &regimen->drugs[slots_drug_of(regimen, dose, &index)];
    struct regimen_intervals window = drug->doses[index].allowed;
    explanation_begin(e, "dose");
    buf_text(&e->members, ",\"dose\":");
    member_dose(regimen, dose, &e->members);
    buf_printf(&e->members, ",\"minute\":%d,\"binds\":[", result->times[dose]);
    dose_text(regimen, dose, &e->text);
    buf_text(&e->text, " at ");
    text_clock(regimen, result->times[dose], &e->text);
    buf_text(&e->text, ": possible ");
    for (size_t i = 0; i < window.count; i++) {
        buf_text(&e->text, i ? ", " : "");
        text_clock(regimen, window.item[i].from, &e->text);
        buf_char(&e->text, '-');
        text_clock(regimen, window.item[i].to, &e->text);
    }
    bool first = true;
    for (size_t b = 0; b < result->binding_count; b++) {
        const struct slots_binding *binding = &result->bindings[b];
        if (binding->dose != dose)
            continue;
        buf_printf(&e->members, "%s[%d,", first ? "" : ",", binding->minute);
        member_rule(regimen, binding->rule, &e->members);
        buf_char(&e->members, ']');
        first = false;
        text_binding(regimen, result, b, &e->text);
    }
    buf_char(&e->members, ']');
    buf_char(&e->text, '.');
    emit(e, context);
}

static void explain_price(const struct regimen *regimen, const struct slots_result *result,
                          const struct slots_price *price, struct explanation *e, explain_emit *emit,
                          void *context)
{
    explanation_begin(e, "price");
    buf_text(&e->members, ",\"rule\":");
    member_rule(regimen, price->rule, &e->members);
    buf_printf(&e->members, ",\"status\":\"%s\",\"slots\":%zu", slots_status_name(price->status),
               price->slots);
    buf_text(&e->text, "Without this rule (");
    text_rule(regimen, price->rule, &e->text);
    if (price->status == SLOTS_OPTIMAL && result->has_schedule && price->slots < result->slot_count) {
        buf_printf(&e->members, ",\"saves\":%zu", result->slot_count - price->slots);
        buf_printf(&e->text, ") %zu times a day would do instead of %zu.", price->slots, result->slot_count);
    } else if (price->status == SLOTS_OPTIMAL)
        buf_printf(&e->text, ") %zu times a day would do.", price->slots);
    else if (price->status == SLOTS_INFEASIBLE)
        buf_text(&e->text, ") there would still be no schedule.");
    else
        buf_text(&e->text, ") the answer was not found within the budget.");
    emit(e, context);
}

static bool explain_all(const struct regimen *regimen, const struct slots_result *result, explain_emit *emit,
                        void *context)
{
    struct explanation e;
    buf_init(&e.members);
    buf_init(&e.text);
    explain_fewer(regimen, result, &e, emit, context);
    explain_conflict(regimen, result, &e, emit, context);
    for (size_t i = 0; result->bindings && i < result->dose_count; i++)
        explain_dose(regimen, result, i, &e, emit, context);
    for (size_t i = 0; i < result->price_count; i++)
        explain_price(regimen, result, &result->prices[i], &e, emit, context);
    bool whole = !e.members.failed && !e.text.failed;
    buf_finish(&e.members);
    buf_finish(&e.text);
    return whole;
}

struct json_sink {
    struct buf *out;
    bool any;
};

static void emit_json(const struct explanation *e, void *context)
{
    struct json_sink *sink = context;
    buf_printf(sink->out, "%s{\"kind\":\"%s\"%s,\"text\":", sink->any ? "," : "", e->kind,
               buf_string(&e->members));
    json_write_text(sink->out, buf_string(&e->text));
    buf_char(sink->out, '}');
    sink->any = true;
}

static void emit_text(const struct explanation *e, void *context)
{
    struct buf *out = context;
    buf_text(out, buf_string(&e->text));
    buf_char(out, '\n');
}

void explain_to_json(const struct regimen *regimen, const struct slots_result *result, struct buf *out)
{
    struct json_sink sink = {.out = out};
    if (!explain_all(regimen, result, emit_json, &sink))
        out->failed = true;
}

void explain_to_text(const struct regimen *regimen, const struct slots_result *result, struct buf *out)
{
    if (!explain_all(regimen, result, emit_text, out))
        out->failed = true;
}
