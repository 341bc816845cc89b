/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/plan/build.h"
#include "controller/plan/floor_notes.h"

/* When the doses of a drug are possible, where that is not the whole waking day. */
static int possible_note(const struct build *b, struct arena *arena, const struct part *part)
{
    struct buf text;
    bool narrow = false;
    int status = 0;
    buf_init(&text);
    for (int k = 0; k < part->course->dose_count; k++) {
        buf_text(&text, k ? "; then " : "");
        narrow |= possible_text(b->proposal->regimen, part->drug, (size_t)k, &text);
    }
    if (narrow)
        status = proposal_note(b->proposal, b->input, arena, PLAN_WHY, part->order, "Possible: %s",
                               buf_string(&text));
    buf_finish(&text);
    return status;
}

/* Times of other drugs that a dose would have, were it not for a distance: "not at 07:00 (rule x, Y)". */
static int bound_note(const struct build *b, struct arena *arena, const struct part *part)
{
    const struct regimen *regimen = b->proposal->regimen;
    size_t first = slots_first_dose(regimen, part->drug), dose;
    struct buf text;
    int status = 0, last = -1;
    buf_init(&text);
    for (size_t i = 0; i < b->result->binding_count; i++) {
        const struct slots_binding *binding = &b->result->bindings[i];
        char clock[TOD_TEXT_BYTES];
        if (binding->dose < first || binding->dose >= first + regimen->drugs[part->drug].dose_count ||
            binding->rule.kind != SLOTS_RULE_SEP)
            continue;
        const char *id = regimen->separations[binding->rule.place].id;
        tod_format((b->input->day.day_start + binding->minute) % MINUTES_PER_DAY, clock);
        if (binding->minute != last)
            buf_printf(&text, "%s%s", text.len ? "; " : "Not at ", clock);
        buf_printf(&text, "%s%s (rule %.*s)", binding->minute != last ? ", too near to " : ", ",
                   regimen->drugs[slots_drug_of(regimen, binding->other, &dose)].name, (int)strcspn(id, ":"),
                   id);
        last = binding->minute;
    }
    if (text.len > 0)
        status = proposal_note(b->proposal, b->input, arena, PLAN_WHY, part->order, "%s", buf_string(&text));
    buf_finish(&text);
    return status;
}

static int dose_note(const struct build *b, struct arena *arena, const struct part *part, int k, int time)
{
    const struct reading_dose *dose = &part->course->doses[k];
    const struct product *product = b->input->orders[part->order].product;
    char written[TOD_TEXT_BYTES], planned[TOD_TEXT_BYTES];
    int clock = (b->input->day.day_start + time) % MINUTES_PER_DAY;
    tod_format(dose->minute, written);
    tod_format(clock, planned);
    if (dose->when == READING_CLOCK && dose->minute != clock)
        return proposal_note(b->proposal, b->input, arena, PLAN_WHY, part->order,
                             "The order says %s, planned at %s (within the %d minutes that the site allows)",
                             written, planned, b->policy->clock_tolerance);
    if (time < b->input->day.wake || time > b->input->day.bed)
        return proposal_note(b->proposal, b->input, arena, PLAN_WARNING, part->order,
                             "%s: a dose at %s, between bed and getting up", product->name, planned);
    return 0;
}

/* Costs that a dose pays stand for soft rules that it does not keep. */
static int soft_note(const struct build *b, struct arena *arena, const struct part *part, int k, int time)
{
    const struct regimen_dose *dose = &b->proposal->regimen->drugs[part->drug].doses[k];
    int status = 0;
    bool clock =
        part->course->doses[k].when == READING_CLOCK; /* its cost is the distance to the order's time */
    for (size_t i = clock ? 1 : 0; status == 0 && i < dose->soft_count; i++) {
        if (regimen_intervals_hold(dose->soft[i].unless_in, time))
            continue;
        status =
            proposal_note(b->proposal, b->input, arena, PLAN_WARNING, part->order,
                          "%s: planned outside its preferred times, because that makes fewer times a day or "
                          "keeps a hard rule",
                          b->input->orders[part->order].product->name);
    }
    return status;
}

/* Whether some dose of b lies nearer to one of a than the rule would have it, on a day that they share or
 * across the night. */
static bool too_near(const struct build *b, const struct policy_rule *rule, size_t drug_a, size_t drug_b)
{
    const struct regimen *r = b->proposal->regimen;
    const int *ta = b->result->times + slots_first_dose(r, drug_a);
    const int *tb = b->result->times + slots_first_dose(r, drug_b);
    for (int o = -1; o <= 1; o++) {
        if (!regimen_days_meet(&r->drugs[drug_a].days, &r->drugs[drug_b].days, o, r->period_days))
            continue;
        for (size_t i = 0; i < r->drugs[drug_a].dose_count; i++) {
            for (size_t k = 0; k < r->drugs[drug_b].dose_count; k++) {
                int distance = tb[k] + o * REGIMEN_DAY - ta[i];
                if (distance == 0 || (distance > 0 ? distance < rule->after : -distance < rule->before))
                    return true;
            }
        }
    }
    return false;
}

static int pair_notes(const struct build *b, struct arena *arena)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < b->proposal->soft_count; i++) {
        const struct soft_pair *pair = &b->proposal->soft_pairs[i];
        size_t drug_a = regimen_find_drug(b->proposal->regimen, pair->drug_a);
        size_t drug_b = regimen_find_drug(b->proposal->regimen, pair->drug_b);
        bool near = too_near(b, pair->rule, drug_a, drug_b);
        status = proposal_note(b->proposal, b->input, arena, near ? PLAN_WARNING : PLAN_WHY, pair->order_a,
                               "%s with %s, %s: %s [rule %s%s; %s]", b->proposal->regimen->drugs[drug_a].name,
                               b->proposal->regimen->drugs[drug_b].name,
                               near ? "preferred, but NOT kept" : "preferred and kept", pair->rule->text,
                               pair->rule->id, pair->rule->checked ? "" : POLICY_UNCHECKED, pair->rule->cite);
    }
    return status;
}

/* One line for all of them: their names carry the mark wherever they stand. */
static int provisional_note(const struct build *b, struct arena *arena)
{
    struct buf names;
    int count = 0, status = 0;
    buf_init(&names);
    for (size_t i = 0; i < b->input->order_count; i++) {
        const struct product *product = b->input->orders[i].product;
        if (b->proposal->members[i].state != PLAN_INCLUDED || !product->provisional)
            continue;
        buf_printf(&names, "%s%s (%s)", count++ ? ", " : "", product->name, product->code);
    }
    if (count > 0)
        status = proposal_note(b->proposal, b->input, arena, PLAN_WARNING, SIZE_MAX,
                               "%d provisional product%s, derived from orders and checked by nobody: %s",
                               count, count == 1 ? "" : "s", buf_string(&names));
    buf_finish(&names);
    return status;
}

int build_notes(const struct build *b, struct arena *arena)
{
    int status = floor_notes(b, arena);
    if (status == 0)
        status = pair_notes(b, arena);
    for (int i = 0; status == 0 && i < b->proposal->part_count; i++) {
        const struct part *part = &b->proposal->parts[i];
        size_t first = slots_first_dose(b->proposal->regimen, part->drug);
        status = possible_note(b, arena, part);
        if (status == 0)
            status = bound_note(b, arena, part);
        for (int k = 0; status == 0 && k < part->course->dose_count; k++) {
            int time = b->result->times[first + (size_t)k];
            status = dose_note(b, arena, part, k, time);
            if (status == 0)
                status = soft_note(b, arena, part, k, time);
        }
    }
    return status == 0 ? provisional_note(b, arena) : status;
}
