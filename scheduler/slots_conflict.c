/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A minimal conflict: rules that are impossible together, and possible without any one of them. Deletion in
 * canonical order, whole runs of rules at a time while that works, so that the answer depends on the regimen
 * only.
 */
#include "scheduler/slots_private.h"

#include <string.h>

static void rules_drop(struct rules *rules, size_t number)
{
    rules->word[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

static enum outcome conflict_try(const struct regimen *regimen, const struct rules *rules,
                                 struct problem *counter)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct problem *problem = problem_create(regimen, rules, &arena);
    enum outcome outcome = OUTCOME_MEMORY;
    if (problem) {
        int cell[REGIMEN_DOSES_MAX];
        struct tree tree = {.wanted = false};
        problem->nodes = counter->nodes;
        problem->budget = counter->budget;
        outcome = times_solve(problem, cell, &tree);
        counter->nodes = problem->nodes;
    }
    arena_finish(&arena);
    return outcome;
}

enum outcome conflict_find(const struct regimen *regimen, struct problem *counter, struct arena *arena,
                           struct rules *ret_rules)
{
    struct slots_rule *all = arena_array(arena, RULES_MAX, sizeof *all);
    if (!all)
        return OUTCOME_MEMORY;
    size_t count = rules_list(regimen, all);
    struct rules rules;
    memset(&rules, 0xff, sizeof rules);
    size_t run = count / 4 ? count / 4 : 1;
    for (size_t at = 0; at < count;) {
        size_t end = at + run < count ? at + run : count;
        struct rules fewer = rules;
        for (size_t i = at; i < end; i++)
            rules_drop(&fewer, i);
        enum outcome outcome = conflict_try(regimen, &fewer, counter);
        if (outcome == OUTCOME_NO) {
            rules = fewer;
            at = end;
            run = run * 2;
        } else if (outcome != OUTCOME_YES) {
            return outcome;
        } else if (run == 1) {
            at++;
        } else {
            run = run / 2;
        }
    }
    *ret_rules = rules;
    return OUTCOME_NO;
}
