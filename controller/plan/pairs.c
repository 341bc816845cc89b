/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds between drugs: rules of kind sep, order and avoid between two orders, and what holds between the
 * courses of one order.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/compose_private.h"

enum { PAIR_ID_BYTES = 128 };

static bool is_pair_kind(const struct policy_rule *rule)
{
    return rule->kind == POLICY_KIND_SEP || rule->kind == POLICY_KIND_ORDER ||
           rule->kind == POLICY_KIND_AVOID;
}

static int times_of(const struct composer *c, size_t order)
{
    const struct member *member = &c->proposal->members[order];
    return member->course_count > 0 ? member->courses[0].dose_count : 0;
}

/* The rule speaks of orders a (its match) and b (its other). */
static bool pair_fits(const struct composer *c, int rule, size_t a, size_t b)
{
    return rule_fits(c, rule, a, times_of(c, a)) && c->fits[b] && c->fits[b]->other[rule];
}

/* owner: the order that the note stands with, one of both and in the pouches. */
static int pair_note(struct composer *c, const struct policy_rule *rule, enum plan_note_kind kind,
                     size_t owner, size_t a, size_t b, const char *how)
{
    char distance[96] = "";
    if (rule->kind == POLICY_KIND_SEP) /* fits */
        (void)snprintf(distance, sizeof distance, ", the second at least %d minutes later or %d earlier",
                       rule->after, rule->before);
    return proposal_note(c->proposal, c->input, c->arena, kind, owner, "%s with %s%s: %s [rule %s%s%s; %s]",
                         drug_of(c, a), drug_of(c, b), how, rule->text, rule->id, distance,
                         rule->checked ? "" : POLICY_UNCHECKED, rule->cite);
}

/* Drugs that are taken outside the pouches keep their distances, too, but nobody here can plan them. */
static int outside_notes(struct composer *c, int rule, size_t in, size_t out)
{
    if (c->proposal->members[out].state != PLAN_APART ||
        (!pair_fits(c, rule, in, out) && !pair_fits(c, rule, out, in)))
        return 0;
    if (!pair_fits(c, rule, in, out)) /* the note's numbers count from the drug that the rule is about */
        return pair_note(c, &c->policy->rules[rule], PLAN_WARNING, in, out, in,
                         ", the first of which is " PLAN_NOTE_OUTSIDE);
    return pair_note(c, &c->policy->rules[rule], PLAN_WARNING, in, in, out, ", which is " PLAN_NOTE_OUTSIDE);
}

static int avoid_screen(struct composer *c, const struct policy_rule *rule, size_t a, size_t b)
{
    if (rule->severity != POLICY_HARD)
        return pair_note(c, rule, PLAN_WARNING, a, a, b, "");
    int status = leave_out(c, a, PLAN_WAITING, "rule %s: not together with %s. %s [%s]", rule->id,
                           drug_of(c, b), rule->text, rule->cite);
    if (status == 0)
        status = leave_out(c, b, PLAN_WAITING, "rule %s: not together with %s. %s [%s]", rule->id,
                           drug_of(c, a), rule->text, rule->cite);
    return status;
}

/* One ingredient in two products is sometimes meant (5 mg and 2 mg make 7 mg) and sometimes a mistake. */
static int doubles_note(struct composer *c)
{
    int status = 0;
    for (size_t a = 0; status == 0 && a < c->input->order_count; a++) {
        for (size_t b = a + 1; status == 0 && b < c->input->order_count; b++) {
            if (is_included(c, a) && is_included(c, b) &&
                strcasecmp(c->input->orders[a].product->ingredient,
                           c->input->orders[b].product->ingredient) == 0)
                status = proposal_note(c->proposal, c->input, c->arena, PLAN_WARNING, a,
                                       "%s and %s hold the same ingredient: is the sum meant?", drug_of(c, a),
                                       drug_of(c, b));
        }
    }
    return status;
}

int pairs_screen(struct composer *c)
{
    size_t count = c->input->order_count;
    int status = doubles_note(c);
    for (int r = 0; r < c->policy->rule_count; r++) {
        const struct policy_rule *rule = &c->policy->rules[r];
        for (size_t a = 0; status == 0 && is_pair_kind(rule) && a < count; a++) {
            for (size_t b = 0; status == 0 && b < count; b++) {
                if (a == b || !is_included(c, a))
                    continue;
                if (!is_included(c, b))
                    status = outside_notes(c, r, a, b);
                else if (rule->kind == POLICY_KIND_AVOID && pair_fits(c, r, a, b))
                    status = avoid_screen(c, rule, a, b);
            }
        }
    }
    return status;
}

static bool days_meet(const struct regimen *regimen, size_t a, size_t b)
{
    for (int o = -1; o <= 1; o++) {
        if (regimen_days_meet(&regimen->drugs[a].days, &regimen->drugs[b].days, o, regimen->period_days))
            return true;
    }
    return false;
}

static bool days_share(const struct regimen *regimen, size_t a, size_t b)
{
    return regimen_days_meet(&regimen->drugs[a].days, &regimen->drugs[b].days, 0, regimen->period_days);
}

static int sep_add(struct composer *c, struct regimen *regimen, const struct policy_rule *rule, size_t a,
                   size_t b)
{
    char id[PAIR_ID_BYTES];
    (void)snprintf(id, sizeof id, "%s:%s:%s", rule->id, regimen->drugs[a].id,
                   regimen->drugs[b].id); /* fits */
    int status = regimen_add_separation(regimen, c->arena, id, a, b, rule->after, rule->before, c->err);
    if (status < 0 || !rule->or_with_food)
        return status;
    struct regimen_window *window = arena_alloc(c->arena, sizeof *window);
    if (!window)
        return error_set(c->err, E_MEMORY, "no memory for the plan");
    *window = window_default(REGIMEN_WINDOW_WITH_FOOD);
    struct regimen_separation *added = &regimen->separations[regimen->separation_count - 1];
    added->or_together = true;
    added->together_window = window;
    return 0;
}

/* `other` never before the drug on a day: its windows begin where those of the drug's first dose end. */
static int order_add(struct composer *c, struct regimen *regimen, const struct draft *first, size_t b)
{
    int from = times_last(&first->doses[0].times, c->grid);
    struct regimen_drug *other = &regimen->drugs[b];
    for (size_t i = 0; i < other->dose_count; i++) {
        struct times times = {{0}}, after = {{0}};
        for (size_t k = 0; k < other->doses[i].allowed.count; k++)
            times_add(&times, other->doses[i].allowed.item[k].from, other->doses[i].allowed.item[k].to);
        times_add(&after, from, REGIMEN_DAY - 1);
        times_keep(&times, &after);
        int status = times_intervals(&times, c->grid, c->arena, &other->doses[i].allowed, c->err);
        if (status < 0)
            return status;
    }
    return 0;
}

static int soft_add(struct composer *c, const struct policy_rule *rule, const struct draft *a,
                    const struct draft *b)
{
    struct proposal *p = c->proposal;
    if (p->soft_count == p->soft_cap) {
        size_t cap = p->soft_cap ? p->soft_cap * 2 : 16;
        struct soft_pair *pairs = arena_array(c->arena, cap, sizeof *pairs);
        if (!pairs)
            return error_set(c->err, E_MEMORY, "no memory for the plan");
        if (p->soft_count)
            memcpy(pairs, p->soft_pairs, p->soft_count * sizeof *pairs);
        p->soft_pairs = pairs;
        p->soft_cap = cap;
    }
    p->soft_pairs[p->soft_count++] = (struct soft_pair){
        .rule = rule, .order_a = a->order, .order_b = b->order, .drug_a = a->id, .drug_b = b->id};
    return 0;
}

static int rule_add(struct composer *c, struct regimen *regimen, const size_t *place,
                    const struct policy_rule *rule, int first, int second)
{
    const struct draft *a = &c->drafts[first], *b = &c->drafts[second];
    size_t drug_a = place[first], drug_b = place[second];
    int status = 0;
    if (rule->severity == POLICY_HARD && rule->kind == POLICY_KIND_SEP && days_meet(regimen, drug_a, drug_b))
        status = sep_add(c, regimen, rule, drug_a, drug_b);
    if (rule->severity == POLICY_HARD && rule->kind == POLICY_KIND_ORDER &&
        days_share(regimen, drug_a, drug_b) && !times_empty(&a->doses[0].times, c->grid))
        status = order_add(c, regimen, a, drug_b);
    if (status < 0)
        return status;
    if (rule->severity == POLICY_SOFT && rule->kind == POLICY_KIND_SEP)
        return soft_add(c, rule, a, b); /* whether it is kept is seen when there is a schedule */
    return pair_note(c, rule, rule->severity == POLICY_HARD ? PLAN_WHY : PLAN_WARNING, a->order, a->order,
                     b->order, "");
}

static bool same_words(const struct course *a, const struct course *b)
{
    bool same = a->dose_count == b->dose_count && a->interval_min == b->interval_min;
    for (int i = 0; same && i < a->dose_count; i++)
        same = a->doses[i].when == b->doses[i].when && a->doses[i].minute == b->doses[i].minute &&
               a->doses[i].offset_min == b->doses[i].offset_min;
    return same;
}

/*
 * Two courses of one order. On different days with the same words (steps of a taper, 1 tablet and half a
 * tablet by weekday): at the same times, people learn times and not dates. On shared days: an hour apart,
 * because what the prescriber wrote as two doses is never taken as one.
 */
static int own_add(struct composer *c, struct regimen *regimen, const struct draft *a, const struct draft *b,
                   size_t drug_a, size_t drug_b)
{
    char id[PAIR_ID_BYTES];
    (void)snprintf(id, sizeof id, "own:%s:%s", a->id, b->id); /* fits */
    if (days_share(regimen, drug_a, drug_b))
        return regimen_add_separation(regimen, c->arena, id, drug_a, drug_b, OWN_GAP_MIN, OWN_GAP_MIN,
                                      c->err);
    if (same_words(a->course, b->course))
        return regimen_add_same_slot(regimen, c->arena, id, drug_a, drug_b, c->err);
    return 0;
}

int pairs_add(struct composer *c, struct regimen *regimen, const size_t *place)
{
    int status = 0;
    for (int i = 0; status == 0 && i < c->draft_count; i++) {
        for (int k = 0; status == 0 && k < c->draft_count; k++) {
            const struct draft *a = &c->drafts[i], *b = &c->drafts[k];
            if (i == k || place[i] == SIZE_MAX || place[k] == SIZE_MAX)
                continue;
            if (a->order == b->order && i < k)
                status = own_add(c, regimen, a, b, place[i], place[k]);
            for (int r = 0; status == 0 && a->order != b->order && r < c->policy->rule_count; r++) {
                const struct policy_rule *rule = &c->policy->rules[r];
                if ((rule->kind == POLICY_KIND_SEP || rule->kind == POLICY_KIND_ORDER) &&
                    pair_fits(c, r, a->order, b->order))
                    status = rule_add(c, regimen, place, rule, i, k);
            }
        }
    }
    return status;
}
