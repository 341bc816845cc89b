/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask of a schedule: what keeps each dose from the other slots, and which single rule costs a
 * slot (solved again without it, level 1 only). Rules are tried in canonical order.
 */
#include <string.h>

#include "scheduler/slots_private.h"

static int explain_no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory to explain a schedule");
}

/* The first rule against dose at cell while all others stay; false when it could go there. */
static bool binding_at(const struct problem *problem, const int *cell, size_t dose, int at,
                       struct slots_binding *ret)
{
    ret->other = dose;
    if (!cells_have(problem->win[0] + dose * (size_t)problem->words, at)) {
        ret->rule = (struct slots_rule){SLOTS_RULE_WINDOW, problem->drug_of[dose]};
        return true;
    }
    for (size_t k = problem->pair_start[dose]; k < problem->pair_start[dose + 1]; k++) {
        const struct pair *pair = &problem->pairs[problem->pair_of[k]];
        int ti = pair->i == dose ? at : cell[pair->i];
        int tj = pair->j == dose ? at : cell[pair->j];
        if (pair_allows(pair, ti, tj))
            continue;
        bool order = tj - ti < pair->lo || tj - ti > pair->hi;
        ret->other = pair->i == dose ? pair->j : pair->i;
        ret->rule = order ? pair->why_order : pair->why_apart;
        return true;
    }
    size_t drug = problem->drug_of[dose];
    const uint64_t *inside = problem->inside + drug * (size_t)problem->words;
    for (size_t i = 0; problem->has_state[drug] && i < problem->count; i++) {
        if (problem->drug_of[i] == drug && i != dose &&
            cells_have(inside, cell[i]) != cells_have(inside, at)) {
            ret->other = i;
            ret->rule = (struct slots_rule){SLOTS_RULE_STATE, drug};
            return true;
        }
    }
    return false;
}

static int explain_bindings(const struct regimen *regimen, struct arena *arena, struct slots_result *result,
                            struct error *err)
{
    struct arena work;
    arena_init(&work, 0);
    struct problem *problem = problem_create(regimen, NULL, &work);
    int *cell = arena_array(&work, result->dose_count, sizeof *cell);
    struct slots_binding *list = arena_array(arena, result->dose_count * result->slot_count, sizeof *list);
    size_t n = 0;
    if (problem && cell && list) {
        for (size_t i = 0; i < result->dose_count; i++)
            cell[i] = result->times[i] / regimen->grid;
        for (size_t i = 0; i < result->dose_count; i++) {
            for (size_t s = 0; s < result->slot_count; s++) {
                struct slots_binding binding = {.dose = i, .minute = result->slot_times[s]};
                if (result->slot_times[s] != result->times[i] &&
                    binding_at(problem, cell, i, result->slot_times[s] / regimen->grid, &binding))
                    list[n++] = binding;
            }
        }
    }
    arena_finish(&work);
    if (!problem || !cell || !list)
        return explain_no_memory(err);
    result->bindings = list;
    result->binding_count = n;
    return 0;
}

static bool in_conflict(const struct slots_result *result, struct slots_rule rule)
{
    for (size_t i = 0; i < result->conflict_count; i++) {
        if (result->conflict[i].kind == rule.kind && result->conflict[i].place == rule.place)
            return true;
    }
    return false;
}

/* Solves without the rule; true when that is worth telling. */
static int explain_price(const struct regimen *regimen, const struct slots_options *options, size_t number,
                         const struct slots_result *result, struct slots_price *price, bool *ret_tell,
                         struct error *err)
{
    struct slots_options quick = {
        .node_budget = options->node_budget, .levels = 1, .scratch = options->scratch, .no_conflict = true};
    struct slots_result without = {.dose_count = result->dose_count};
    struct rules rules;
    struct arena arena;
    memset(&rules, 0xff, sizeof rules);
    rules.word[number / 64] &= ~(UINT64_C(1) << (number % 64));
    arena_init(&arena, 0);
    int rc = solve_with_rules(regimen, &rules, &quick, &arena, &without, err);
    arena_finish(&arena);
    if (rc == E_LIMIT) { /* more than SLOTS_MAX slots without the rule: nothing to gain */
        *ret_tell = false;
        return 0;
    }
    price->status = without.status;
    price->slots = without.slot_count;
    *ret_tell = result->status == SLOTS_INFEASIBLE ||
                (without.status == SLOTS_OPTIMAL && without.slot_count < result->slot_count);
    return rc;
}

static int explain_prices(const struct regimen *regimen, const struct slots_options *options,
                          struct arena *arena, struct slots_result *result, struct error *err)
{
    struct slots_rule *all = arena_array(arena, rules_most(regimen), sizeof *all);
    struct slots_price *list = arena_array(arena, rules_most(regimen), sizeof *list);
    if (!all || !list)
        return explain_no_memory(err);
    size_t count = rules_list(regimen, all);
    for (size_t i = 0; i < count; i++) {
        struct slots_price price = {.rule = all[i]};
        bool tell = false;
        if (!rule_exists(regimen, all[i]) ||
            (result->status == SLOTS_INFEASIBLE && !in_conflict(result, all[i])))
            continue;
        int rc = explain_price(regimen, options, i, result, &price, &tell, err);
        if (rc)
            return rc;
        if (tell)
            list[result->price_count++] = price;
    }
    result->prices = list;
    return 0;
}

int explain_fill(const struct regimen *regimen, const struct slots_options *options, struct arena *arena,
                 struct slots_result *result, struct error *err)
{
    int rc = result->has_schedule ? explain_bindings(regimen, arena, result, err) : 0;
    if (!rc && result->status != SLOTS_BUDGET)
        rc = explain_prices(regimen, options, arena, result, err);
    return rc;
}
