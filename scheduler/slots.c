/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fewest daily dose slots.
 *
 * The hard part is to prove that k - 1 slots are too few. How it is done:
 *
 *   slots_problem   every rule between two doses becomes one range of differences with a forbidden band
 *   slots_times     is there any schedule at all? A search over the doses' times; its root also takes away
 *                   every time that has no partner. No: the regimen is infeasible, slots_conflict finds a
 *                   minimal set of rules to blame, and the refutation of that small set is the proof.
 *   slots_clique    the largest set of doses that can never share: a bound on the slots, and the proof when
 *                   it is tight
 *   slots_search    for k = bound, bound + 1, ...: a search over which dose goes to which of k ordered slots,
 *                   on top of slots_net, which narrows slots, cells and differences. The times never have to
 *                   be searched: with every dose in a slot, the earliest times are a solution. The failed
 *                   search for k - 1 is the refutation tree.
 *   slots_optimise  the further levels by branch and bound in the same net, with the relaxation of slots_cost
 *
 * The slots are in order, so there is no symmetry to break, and nothing depends on addresses, hashes or time.
 * Integers only.
 */
#include "scheduler/slots.h"

#include <string.h>

#include "scheduler/slots_private.h"

static int solve_no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory to compute a schedule");
}

/* The clique with one reason a pair, in flat dose numbers. */
static bool solve_clique(const struct problem *problem, const size_t *dose, size_t count, struct arena *arena,
                         struct slots_result *result)
{
    size_t *clique = arena_array(arena, count, sizeof *clique);
    struct slots_apart *apart = arena_array(arena, count * count / 2 + 1, sizeof *apart);
    if (!clique || !apart)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        clique[i] = dose[i];
        for (size_t j = i + 1; j < count; j++)
            apart[n++] = (struct slots_apart){
                .a = dose[i], .b = dose[j], .why = apart_reason(problem, dose[i], dose[j])};
    }
    result->clique = clique;
    result->clique_count = count;
    result->apart = apart;
    result->apart_count = n;
    return true;
}

static bool solve_times(const struct problem *problem, const int *cell, struct arena *arena,
                        struct slots_result *result)
{
    bool used[REGIMEN_DAY] = {false};
    result->times = arena_array(arena, problem->count, sizeof *result->times);
    if (!result->times)
        return false;
    for (size_t i = 0; i < problem->count; i++) {
        result->times[i] = cell[i] * problem->regimen->grid;
        used[result->times[i]] = true;
    }
    result->slot_count = 0;
    for (int t = 0; t < REGIMEN_DAY; t++) {
        if (used[t] && result->slot_count < SLOTS_MAX)
            result->slot_times[result->slot_count++] = t;
    }
    result->has_schedule = true;
    return true;
}

/* The rules in `rules` (all that are there for NULL) as the conflict. */
static bool solve_conflict(const struct regimen *regimen, const struct rules *rules, struct arena *arena,
                           struct slots_result *result)
{
    struct slots_rule *all = arena_array(arena, RULES_MAX, sizeof *all);
    struct slots_rule *conflict = arena_array(arena, RULES_MAX, sizeof *conflict);
    if (!all || !conflict)
        return false;
    size_t count = rules_list(regimen, all);
    for (size_t i = 0; i < count; i++) {
        if (rules ? rules_have(rules, i) : rule_exists(regimen, all[i]))
            conflict[result->conflict_count++] = all[i];
    }
    result->conflict = conflict;
    return true;
}

/* No schedule at all: whom to blame, and the proof over the blamed rules alone. */
static int solve_infeasible(struct problem *problem, const struct slots_options *options,
                            const struct tree *tree, struct arena *arena, struct slots_result *result,
                            struct error *err)
{
    const struct regimen *regimen = problem->regimen;
    struct rules rules;
    result->status = SLOTS_INFEASIBLE;
    if (options->no_conflict)
        return 0;
    if (options->any_conflict) {
        result->proof = SLOTS_PROOF_TIMES;
        result->tree = tree->row;
        result->tree_count = tree->count;
        return solve_conflict(regimen, NULL, arena, result) ? 0 : solve_no_memory(err);
    }
    enum outcome outcome = conflict_find(regimen, problem, arena, &rules);
    if (outcome == OUTCOME_MEMORY)
        return solve_no_memory(err);
    if (outcome == OUTCOME_BUDGET) {
        result->status = SLOTS_BUDGET;
        return 0;
    }
    struct problem *core = problem_create(regimen, &rules, arena);
    if (!core || !solve_conflict(regimen, &rules, arena, result))
        return solve_no_memory(err);
    struct tree proof = {.wanted = true, .arena = arena};
    int cell[REGIMEN_DOSES_MAX];
    outcome = times_solve(core, cell, &proof);
    if (outcome == OUTCOME_BUDGET) {
        result->status = SLOTS_BUDGET;
        result->conflict_count = 0;
        return 0;
    }
    if (outcome != OUTCOME_NO)
        return solve_no_memory(err);
    problem->nodes += core->nodes;
    result->proof = SLOTS_PROOF_TIMES;
    result->tree = proof.row;
    result->tree_count = proof.count;
    return 0;
}

/* Level 1: counts up from the bound. cell[] holds some schedule when it returns YES or BUDGET. */
static enum outcome solve_fewest(struct problem *problem, size_t bound, int *cell, struct arena *arena,
                                 struct slots_result *result)
{
    struct tree tree = {.wanted = true, .arena = arena};
    result->lower_bound = bound;
    for (size_t k = bound ? bound : 1; k <= SLOTS_MAX; k++) {
        enum outcome outcome = search_solve(problem, (int)k, cell, &tree);
        if (outcome != OUTCOME_NO)
            return outcome;
        result->proof = SLOTS_PROOF_TREE;
        result->refuted_slots = k;
        result->lower_bound = k + 1;
        struct slots_node *rows = arena_array(arena, tree.count, sizeof *rows);
        if (!rows)
            return OUTCOME_MEMORY;
        memcpy(rows, tree.row, tree.count * sizeof *rows);
        result->tree = rows;
        result->tree_count = tree.count;
    }
    return OUTCOME_NO;
}

static int solve_feasible(struct problem *problem, const struct slots_options *options, int *cell,
                          struct arena *arena, struct slots_result *result, struct error *err)
{
    struct apart *apart = arena_alloc(problem->arena, sizeof *apart);
    size_t clique[REGIMEN_DOSES_MAX];
    if (!apart)
        return solve_no_memory(err);
    apart_build(problem, apart);
    size_t bound = clique_find(problem, apart, clique);
    if (!solve_clique(problem, clique, bound, arena, result))
        return solve_no_memory(err);
    if (bound > SLOTS_MAX)
        return error_set(err, E_LIMIT, "regimen \"%s\": needs %zu slots a day, more than the limit of %d",
                         problem->regimen->id, bound, SLOTS_MAX);
    result->proof = SLOTS_PROOF_CLIQUE;
    enum outcome outcome = solve_fewest(problem, bound, cell, arena, result);
    if (outcome == OUTCOME_MEMORY)
        return solve_no_memory(err);
    if (outcome == OUTCOME_NO)
        return error_set(err, E_LIMIT, "regimen \"%s\": needs more than %d slots a day", problem->regimen->id,
                         SLOTS_MAX);
    struct cost cost = {.soft = 0};
    int levels = options->levels ? options->levels : 5;
    int slots = outcome == OUTCOME_YES ? (int)result->lower_bound : 0;
    result->status = outcome == OUTCOME_YES ? SLOTS_OPTIMAL : SLOTS_BUDGET;
    outcome = optimise(problem, slots, slots ? levels : 1, cell, &cost);
    if (outcome == OUTCOME_MEMORY || !solve_times(problem, cell, arena, result))
        return solve_no_memory(err);
    if (outcome == OUTCOME_BUDGET)
        result->status = SLOTS_BUDGET;
    result->soft_cost = cost.soft;
    result->by_previous = cost.by_previous;
    result->move_minutes = cost.by_previous ? cost.move : 0;
    result->anchor_minutes = cost.by_previous ? 0 : cost.move;
    result->balance_minutes = cost.balance;
    return 0;
}

static int solve_problem(struct problem *problem, const struct slots_options *options, struct arena *arena,
                         struct slots_result *result, struct error *err)
{
    int *cell = arena_array(problem->arena, REGIMEN_DOSES_MAX, sizeof *cell);
    struct tree tree = {.wanted = options->any_conflict, .arena = arena};
    if (!cell)
        return solve_no_memory(err);
    enum outcome outcome = times_solve(problem, cell, &tree);
    if (outcome == OUTCOME_MEMORY)
        return solve_no_memory(err);
    if (outcome == OUTCOME_BUDGET) {
        result->status = SLOTS_BUDGET;
        return 0;
    }
    if (outcome == OUTCOME_NO)
        return solve_infeasible(problem, options, &tree, arena, result, err);
    problem_cut_states(problem);
    return solve_feasible(problem, options, cell, arena, result, err);
}

int solve_with_rules(const struct regimen *regimen, const struct rules *rules,
                     const struct slots_options *options, struct arena *arena, struct slots_result *result,
                     struct error *err)
{
    struct arena own;
    arena_init(&own, 0);
    struct arena *work = options->scratch ? options->scratch : &own;
    struct problem *problem = problem_create(regimen, rules, work);
    int rc = problem ? 0 : solve_no_memory(err);
    if (problem) {
        problem->budget = options->node_budget;
        rc = solve_problem(problem, options, arena, result, err);
        result->nodes = problem->nodes;
    }
    arena_finish(&own);
    if (options->scratch)
        arena_reset(options->scratch);
    return rc;
}

int slots_solve(const struct regimen *regimen, const struct slots_options *options, struct arena *arena,
                struct slots_result **ret, struct error *err)
{
    static const struct slots_options defaults = {.levels = 5};
    struct slots_result *result = arena_alloc(arena, sizeof *result);
    options = options ? options : &defaults;
    if (!result)
        return solve_no_memory(err);
    result->dose_count = regimen_dose_total(regimen);
    if (result->dose_count == 0) {
        result->has_schedule = true;
        *ret = result;
        return 0;
    }
    int rc = solve_with_rules(regimen, NULL, options, arena, result, err);
    if (!rc && options->explain)
        rc = explain_fill(regimen, options, arena, result, err);
    if (!rc)
        *ret = result;
    return rc;
}
