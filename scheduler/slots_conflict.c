/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A minimal conflict: rules that are impossible together, and possible without any one of them. Divide and
 * conquer (U. Junker's QuickXplain, 2004): most of the questions on the way are about few rules and answered
 * at once. The order of rules is canonical, so the answer depends on the regimen only.
 */
#include "scheduler/slots_private.h"

static void rules_add(struct rules *rules, size_t number)
{
    rules->word[number / 64] |= UINT64_C(1) << (number % 64);
}

static void rules_join(struct rules *rules, const struct rules *more)
{
    for (size_t w = 0; w < sizeof rules->word / sizeof rules->word[0]; w++)
        rules->word[w] |= more->word[w];
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

struct conflict_search {
    const struct regimen *regimen;
    struct problem *counter;
    const size_t *number; /* candidates in canonical order */
};

/* Adds to *ret the members of from..to-1 that a minimal conflict with `base` needs. base_grew: base has rules
 * that were not asked about yet. NO when done; else why not. */
static enum outcome conflict_divide(const struct conflict_search *s, const struct rules *base, bool base_grew,
                                    size_t from, size_t to, struct rules *ret)
{
    if (base_grew) {
        enum outcome outcome = conflict_try(s->regimen, base, s->counter);
        if (outcome != OUTCOME_YES)
            return outcome;
    }
    if (to - from == 1) {
        rules_add(ret, s->number[from]);
        return OUTCOME_NO;
    }
    size_t middle = from + (to - from) / 2;
    struct rules with_first = *base;
    struct rules second = {{0}};
    for (size_t i = from; i < middle; i++)
        rules_add(&with_first, s->number[i]);
    enum outcome outcome = conflict_divide(s, &with_first, true, middle, to, &second);
    if (outcome != OUTCOME_NO)
        return outcome;
    bool needed = false;
    for (size_t w = 0; w < sizeof second.word / sizeof second.word[0]; w++)
        needed |= second.word[w] != 0;
    struct rules with_second = *base;
    rules_join(&with_second, &second);
    rules_join(ret, &second);
    return conflict_divide(s, &with_second, needed, from, middle, ret);
}

enum outcome conflict_find(const struct regimen *regimen, struct problem *counter, struct arena *arena,
                           struct rules *ret_rules)
{
    struct slots_rule *all = arena_array(arena, rules_most(regimen), sizeof *all);
    size_t *number = arena_array(arena, rules_most(regimen), sizeof *number);
    if (!all || !number)
        return OUTCOME_MEMORY;
    size_t count = rules_list(regimen, all);
    size_t candidates = 0;
    for (size_t i = 0; i < count; i++) {
        if (rule_exists(regimen, all[i]))
            number[candidates++] = i;
    }
    const struct conflict_search search = {.regimen = regimen, .counter = counter, .number = number};
    const struct rules none = {{0}};
    *ret_rules = none;
    return candidates ? conflict_divide(&search, &none, true, 0, candidates, ret_rules) : OUTCOME_NO;
}
