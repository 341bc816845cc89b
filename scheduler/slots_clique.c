/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest set of doses no two of which can ever share a slot: a lower bound on the slots that a person
 * can follow. Branch and bound over bit rows with greedy colouring as the upper bound (the scheme of E.
 * Tomita and T. Seki, 2003), cut off after a fixed number of nodes: then it is a large set, not always the
 * largest.
 */
#include "scheduler/slots_private.h"

#include <string.h>

enum { CLIQUE_NODES_MAX = 20000 };

static void apart_set(struct apart *apart, size_t a, size_t b)
{
    apart->row[a][b / 64] |= UINT64_C(1) << (b % 64);
    apart->row[b][a / 64] |= UINT64_C(1) << (a % 64);
}

static bool pair_is_apart(const struct problem *problem, const struct pair *pair)
{
    if (pair->lo > 0 || pair->hi < 0)
        return true;
    if (pair->before == 0 && pair->after == 0)
        return false;
    size_t words = (size_t)problem->words;
    return !pair->together || !cells_meet3(problem->win[0] + pair->i * words,
                                           problem->win[0] + pair->j * words, pair->together, problem->words);
}

void apart_build(const struct problem *problem, struct apart *apart)
{
    size_t words = (size_t)problem->words;
    memset(apart, 0, sizeof *apart);
    for (size_t p = 0; p < problem->pair_count; p++) {
        if (pair_is_apart(problem, &problem->pairs[p]))
            apart_set(apart, problem->pairs[p].i, problem->pairs[p].j);
    }
    for (size_t i = 0; i < problem->count; i++) {
        for (size_t j = i + 1; j < problem->count; j++) {
            if (problem->drug_of[i] == problem->drug_of[j] ||
                !cells_meet(problem->win[0] + i * words, problem->win[0] + j * words, problem->words))
                apart_set(apart, i, j);
        }
    }
}

struct slots_rule apart_reason(const struct problem *problem, size_t a, size_t b)
{
    const struct regimen *regimen = problem->regimen;
    size_t da = problem->drug_of[a];
    size_t db = problem->drug_of[b];
    if (da == db)
        return (struct slots_rule){SLOTS_RULE_ORDER, da};
    if (!regimen_days_meet(&regimen->drugs[da].days, &regimen->drugs[db].days, 0, regimen->period_days))
        return (struct slots_rule){SLOTS_RULE_TIMES, 0};
    for (size_t s = 0; s < regimen->separation_count; s++) {
        const struct regimen_separation *sep = &regimen->separations[s];
        bool ours = (sep->a == da && sep->b == db) || (sep->a == db && sep->b == da);
        if (ours && sep->after + sep->before > 0 && !sep->or_together)
            return (struct slots_rule){SLOTS_RULE_SEP, s};
    }
    for (size_t s = 0; s < regimen->not_same_slot_count; s++) {
        const struct regimen_pair *pair = &regimen->not_same_slot[s];
        if ((pair->a == da && pair->b == db) || (pair->a == db && pair->b == da))
            return (struct slots_rule){SLOTS_RULE_NOTSAME, s};
    }
    return (struct slots_rule){SLOTS_RULE_TIMES, 0};
}

struct clique_search {
    const struct apart *apart;
    size_t *best;
    size_t best_count;
    size_t current[REGIMEN_DOSES_MAX];
    size_t nodes;
};

static int set_first(const uint64_t set[2])
{
    if (set[0])
        return __builtin_ctzll(set[0]);
    return set[1] ? 64 + __builtin_ctzll(set[1]) : -1;
}

static void set_drop(uint64_t set[2], size_t dose)
{
    set[dose / 64] &= ~(UINT64_C(1) << (dose % 64));
}

static void clique_grow(struct clique_search *s, uint64_t open0, uint64_t open1, size_t count)
{
    uint64_t open[2] = {open0, open1};
    size_t order[REGIMEN_DOSES_MAX];
    size_t colour[REGIMEN_DOSES_MAX];
    size_t n = 0;
    if (count > s->best_count) {
        s->best_count = count;
        memcpy(s->best, s->current, count * sizeof *s->best);
    }
    if (s->nodes++ > CLIQUE_NODES_MAX)
        return;
    uint64_t left[2] = {open[0], open[1]};
    for (size_t c = 1; left[0] | left[1]; c++) {
        uint64_t class[2] = {left[0], left[1]};
        for (int v; (v = set_first(class)) >= 0;) {
            set_drop(left, (size_t)v);
            set_drop(class, (size_t)v);
            class[0] &= ~s->apart->row[v][0];
            class[1] &= ~s->apart->row[v][1];
            order[n] = (size_t)v;
            colour[n++] = c;
        }
    }
    while (n-- > 0) {
        size_t v = order[n];
        if (count + colour[n] <= s->best_count)
            return;
        s->current[count] = v;
        clique_grow(s, open[0] & s->apart->row[v][0], open[1] & s->apart->row[v][1], count + 1);
        set_drop(open, v);
    }
}

size_t clique_find(const struct problem *problem, struct apart *apart, size_t *out)
{
    struct clique_search s = {.apart = apart, .best = out};
    uint64_t all[2] = {0, 0};
    for (size_t i = 0; i < problem->count; i++)
        all[i / 64] |= UINT64_C(1) << (i % 64);
    clique_grow(&s, all[0], all[1], 0);
    for (size_t i = 1; i < s.best_count; i++) { /* ascending */
        size_t v = out[i];
        size_t k = i;
        for (; k > 0 && out[k - 1] > v; k--)
            out[k] = out[k - 1];
        out[k] = v;
    }
    for (size_t i = 0; i < s.best_count; i++)
        apart->clique[out[i] / 64] |= UINT64_C(1) << (out[i] % 64);
    return s.best_count;
}
