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
 *   slots_group     for k = bound, bound + 1, ...: a search over who is with whom in k slots without order.
 * Its first straight try settles most regimens; a bound that comes from who can't be with whom has a small
 * refutation here. slots_search    the same question as a search over which dose goes to which of k ordered
 * slots, on top of slots_net, which narrows slots, cells and differences. The times never have to be
 *                   searched: with every dose in a slot, the earliest times are a solution. A bound that
 * comes from gaps and nights has a small refutation here. The two take turns; the failed search for k - 1 is
 * the refutation tree. slots_optimise  the further levels by branch and bound in the same net, with the
 * relaxation of slots_cost
 *
 * Nothing depends on addresses, hashes or time. Integers only.
 */
#include "scheduler/slots.h"

#include <string.h>

#include "scheduler/slots_group.h"

enum {
    /* Nodes of the first turn of each of the two searches for a number of slots; they double. */
    TURN_GROUPS = 400,
    TURN_SLOTS = 100,
    /* For a good schedule when the budget is gone: nodes of each search, slots more than were tried. */
    FALLBACK_NODES = 500,
    FALLBACK_SLOTS = 8,
};

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
    size_t most = rules_most(regimen);
    struct slots_rule *all = arena_array(arena, most, sizeof *all);
    struct slots_rule *conflict = arena_array(arena, most, sizeof *conflict);
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

/* Level 1 at work. */
struct fewest {
    struct problem *problem;
    struct apart *apart;
    struct packs packs;
    size_t clique[REGIMEN_DOSES_MAX];
    size_t bound; /* size of the clique */
    uint32_t weight[REGIMEN_DOSES_MAX];
    int *cell; /* some schedule */
    bool in_order;
};

/* Are k slots enough? The two searches take turns. */
static enum outcome fewest_try(struct fewest *f, int k, struct tree *tree, enum slots_proof *ret_proof)
{
    uint64_t groups = TURN_GROUPS;
    uint64_t slots = TURN_SLOTS;
    for (;; groups *= 2, slots *= 2) {
        enum outcome outcome = OUTCOME_AGAIN;
        *ret_proof = SLOTS_PROOF_GROUPS;
        if (!f->in_order)
            outcome = group_solve(f->problem, f->apart, groups > TURN_GROUPS ? &f->packs : NULL, k, groups,
                                  f->weight, f->cell, tree);
        if (outcome != OUTCOME_AGAIN)
            return outcome;
        *ret_proof = SLOTS_PROOF_TREE;
        outcome = search_solve(f->problem, k, slots, f->cell, tree);
        if (outcome != OUTCOME_AGAIN)
            return outcome;
    }
}

/* The budget is gone while k slots were tried: a schedule with few more, without a search worth the name. */
static enum outcome fewest_fallback(struct fewest *f, size_t k)
{
    struct tree none = {.wanted = false};
    size_t last = k + FALLBACK_SLOTS < SLOTS_MAX ? k + FALLBACK_SLOTS : SLOTS_MAX;
    f->problem->budget = 0;
    while (++k <= last) {
        enum outcome outcome =
            group_solve(f->problem, f->apart, &f->packs, (int)k, FALLBACK_NODES, f->weight, f->cell, &none);
        if (outcome == OUTCOME_AGAIN)
            outcome = search_solve(f->problem, (int)k, FALLBACK_NODES, f->cell, &none);
        if (outcome == OUTCOME_MEMORY)
            return outcome;
        if (outcome == OUTCOME_YES)
            break;
    }
    return OUTCOME_BUDGET;
}

/* Counts up from the bound. */
static enum outcome solve_fewest(struct fewest *f, struct arena *arena, struct slots_result *result)
{
    struct tree tree = {.wanted = true, .arena = arena};
    size_t first = f->bound ? f->bound : 1;
    for (size_t i = 0; i < f->problem->count; i++)
        f->weight[i] = 1;
    for (size_t k = first; k <= SLOTS_MAX; k++) {
        enum slots_proof proof;
        enum outcome outcome = fewest_try(f, (int)k, &tree, &proof);
        if (outcome == OUTCOME_BUDGET)
            return fewest_fallback(f, k);
        if (outcome != OUTCOME_NO)
            return outcome;
        result->proof = proof;
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

/* Levels 2.. after level 1 ended so. */
static int solve_levels(struct fewest *f, const struct slots_options *options, enum outcome outcome,
                        struct arena *arena, struct slots_result *result, struct error *err)
{
    struct cost cost = {.soft = 0};
    int levels = options->levels ? options->levels : 5;
    int slots = outcome == OUTCOME_YES ? (int)result->lower_bound : 0;
    result->status = outcome == OUTCOME_YES ? SLOTS_OPTIMAL : SLOTS_BUDGET;
    outcome = optimise(f->problem, f->apart, slots, slots ? levels : 1, f->cell, &cost);
    if (outcome == OUTCOME_MEMORY || !solve_times(f->problem, f->cell, arena, result))
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

/* The straight try did not make it: is there any schedule, and in how many slots? */
static int solve_search(struct fewest *f, const struct slots_options *options, struct arena *arena,
                        struct slots_result *result, struct error *err)
{
    struct problem *problem = f->problem;
    struct tree tree = {.wanted = options->any_conflict, .arena = arena};
    enum outcome outcome = times_solve(problem, f->cell, &tree);
    if (outcome == OUTCOME_MEMORY)
        return solve_no_memory(err);
    if (outcome == OUTCOME_BUDGET) {
        result->status = SLOTS_BUDGET;
        return 0;
    }
    if (outcome == OUTCOME_NO)
        return solve_infeasible(problem, options, &tree, arena, result, err);
    if (!solve_clique(problem, f->clique, f->bound, arena, result))
        return solve_no_memory(err);
    if (f->bound > SLOTS_MAX)
        return error_set(err, E_LIMIT, "regimen \"%s\": needs %zu slots a day, more than the limit of %d",
                         problem->regimen->id, f->bound, SLOTS_MAX);
    result->lower_bound = f->bound;
    result->proof = SLOTS_PROOF_CLIQUE;
    if (!packs_create(&f->packs, problem, problem->arena))
        return solve_no_memory(err);
    outcome = solve_fewest(f, arena, result);
    if (outcome == OUTCOME_MEMORY)
        return solve_no_memory(err);
    if (outcome == OUTCOME_NO)
        return error_set(err, E_LIMIT, "regimen \"%s\": needs more than %d slots a day", problem->regimen->id,
                         SLOTS_MAX);
    return solve_levels(f, options, outcome, arena, result, err);
}

static int solve_problem(struct problem *problem, const struct slots_options *options, struct arena *arena,
                         struct slots_result *result, struct error *err)
{
    struct fewest f = {.problem = problem, .in_order = options->in_order};
    struct slots_rule rule;
    f.cell = arena_array(problem->arena, REGIMEN_DOSES_MAX, sizeof *f.cell);
    f.apart = arena_alloc(problem->arena, sizeof *f.apart);
    if (!f.cell || !f.apart)
        return solve_no_memory(err);
    if (!times_propagate(problem, problem->win[0], &rule))
        return solve_search(&f, options, arena, result, err);
    problem_cut_states(problem);
    apart_build(problem, f.apart);
    f.bound = clique_find(problem, f.apart, f.clique);
    enum outcome outcome = OUTCOME_AGAIN;
    if (f.bound <= SLOTS_MAX && !f.in_order)
        outcome = group_dive(problem, f.apart, (int)f.bound, f.cell);
    if (outcome == OUTCOME_MEMORY)
        return solve_no_memory(err);
    if (outcome != OUTCOME_YES)
        return solve_search(&f, options, arena, result, err);
    if (!solve_clique(problem, f.clique, f.bound, arena, result))
        return solve_no_memory(err);
    result->lower_bound = f.bound;
    result->proof = SLOTS_PROOF_CLIQUE;
    return solve_levels(&f, options, outcome, arena, result, err);
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
