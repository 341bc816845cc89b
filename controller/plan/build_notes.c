/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/plan/apart_text.h"
#include "controller/plan/build.h"

/* Why not fewer: doses of which no two can ever be taken together, and for each rule the doses that it keeps
 * apart. */
static int floor_notes(const struct build *b, struct arena *arena)
{
    const struct slots_result *r = b->result;
    if (r->status != SLOTS_OPTIMAL)
        return proposal_note(b->proposal, b->input, arena, PLAN_WARNING, SIZE_MAX,
                             "The search was cut short: %zu times a day may not be the fewest (at least %zu)",
                             r->slot_count, r->lower_bound);
    if (r->slot_count <= 1)
        return 0;
    if (r->proof != SLOTS_PROOF_CLIQUE)
        return proposal_note(b->proposal, b->input, arena, PLAN_FLOOR, SIZE_MAX,
                             "Not fewer than %zu times a day: every way to do with fewer breaks a rule (a "
                             "proof of %zu step%s)",
                             r->slot_count, r->tree_count, r->tree_count == 1 ? "" : "s");
    struct buf text;
    buf_init(&text);
    clique_text(b->proposal->regimen, r, &text);
    int status = proposal_note(b->proposal, b->input, arena, PLAN_FLOOR, SIZE_MAX,
                               "Not fewer than %zu times a day: of %s no two can be taken together",
                               r->slot_count, buf_string(&text));
    for (size_t i = 0; status == 0 && i < r->apart_count; i++) {
        buf_reset(&text);
        if (!apart_text(b->proposal->regimen, r, i, &text))
            continue;
        buf_text(&text, ": ");
        conflict_text(b->policy, b->proposal->regimen, r->apart[i].why, &text);
        status = proposal_note(b->proposal, b->input, arena, PLAN_FLOOR, SIZE_MAX, "because of %s",
                               buf_string(&text));
    }
    buf_finish(&text);
    return status;
}

/* What one hard rule costs: without it there would be fewer times a day. */
static int price_notes(const struct build *b, struct arena *arena)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < b->result->price_count; i++) {
        const struct slots_price *price = &b->result->prices[i];
        struct buf text;
        if (price->status != SLOTS_OPTIMAL || price->slots >= b->result->slot_count)
            continue;
        buf_init(&text);
        conflict_text(b->policy, b->proposal->regimen, price->rule, &text);
        status = proposal_note(b->proposal, b->input, arena, PLAN_FLOOR, SIZE_MAX,
                               "without %s it would be %zu times a day instead of %zu", buf_string(&text),
                               price->slots, b->result->slot_count);
        buf_finish(&text);
    }
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
        return proposal_note(
            b->proposal, b->input, arena, PLAN_WHY, part->order,
            "%s: the order says %s, planned at %s (within the %d minutes that the site allows)",
            product->name, written, planned, b->policy->clock_tolerance);
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
                               "%s with %s, %s: %s [rule %s; %s%s]", b->proposal->regimen->drugs[drug_a].name,
                               b->proposal->regimen->drugs[drug_b].name,
                               near ? "preferred, but NOT kept" : "preferred and kept", pair->rule->text,
                               pair->rule->id, pair->rule->cite,
                               pair->rule->checked ? "" : "; not checked against the label yet");
    }
    return status;
}

int build_notes(const struct build *b, struct arena *arena)
{
    int status = floor_notes(b, arena);
    if (status == 0)
        status = price_notes(b, arena);
    if (status == 0)
        status = pair_notes(b, arena);
    for (int i = 0; status == 0 && i < b->proposal->part_count; i++) {
        const struct part *part = &b->proposal->parts[i];
        size_t first = slots_first_dose(b->proposal->regimen, part->drug);
        for (int k = 0; status == 0 && k < part->course->dose_count; k++) {
            int time = b->result->times[first + (size_t)k];
            status = dose_note(b, arena, part, k, time);
            if (status == 0)
                status = soft_note(b, arena, part, k, time);
        }
    }
    for (size_t i = 0; status == 0 && i < b->input->order_count; i++) {
        const struct product *product = b->input->orders[i].product;
        if (b->proposal->members[i].state == PLAN_INCLUDED && product->provisional)
            status =
                proposal_note(b->proposal, b->input, arena, PLAN_WARNING, i,
                              "%s: provisional product %s, derived from the order; nobody has checked it",
                              product->name, product->code);
    }
    return status;
}
