/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drugs that could change places without anybody noticing: the same times, costs and rules. Of schedules that
 * differ only in which of two twins has which times, level 5 wants the one where the first has the earlier
 * ones. So the levels after the first may demand that from the start and are spared every permutation.
 */
#include <string.h>

#include "scheduler/slots_cost.h"

enum { PAIR_NONE = 0xffff };

struct twins {
    struct problem *problem;
    const struct costs *costs;
    size_t first[REGIMEN_DRUGS_MAX + 1];
    uint16_t *at; /* dose * count + dose: place of the pair, or PAIR_NONE */
};

/* Is the rule from x to z the rule from y to w? */
static bool rules_equal(const struct twins *t, size_t x, size_t z, size_t y, size_t w)
{
    const struct problem *problem = t->problem;
    uint16_t place[2] = {t->at[x * problem->count + z], t->at[y * problem->count + w]};
    if (place[0] == PAIR_NONE || place[1] == PAIR_NONE)
        return place[0] == place[1];
    const struct pair *a = &problem->pairs[place[0]];
    const struct pair *b = &problem->pairs[place[1]];
    bool turned = (a->i == x) != (b->i == y);
    if (!a->together != !b->together ||
        (a->together && memcmp(a->together, b->together, (size_t)problem->words * sizeof *a->together) != 0))
        return false;
    return turned ? a->lo == -b->hi && a->hi == -b->lo && a->after == b->before && a->before == b->after
                  : a->lo == b->lo && a->hi == b->hi && a->after == b->after && a->before == b->before;
}

static bool drugs_equal(const struct twins *t, size_t a, size_t b)
{
    const struct problem *problem = t->problem;
    const struct regimen *regimen = problem->regimen;
    size_t n = regimen->drugs[a].dose_count;
    size_t words = (size_t)problem->words;
    size_t cells = (size_t)problem->cells;
    if (n != regimen->drugs[b].dose_count || problem->has_state[a] || problem->has_state[b] ||
        t->costs->balanced[a] != t->costs->balanced[b] || t->costs->night[a] != t->costs->night[b] ||
        !regimen->drugs[a].previous != !regimen->drugs[b].previous)
        return false;
    size_t fa = t->first[a];
    size_t fb = t->first[b];
    return memcmp(problem->win[0] + fa * words, problem->win[0] + fb * words,
                  n * words * sizeof *problem->win[0]) == 0 &&
           memcmp(t->costs->dose + fa * cells, t->costs->dose + fb * cells,
                  n * cells * sizeof *t->costs->dose) == 0;
}

static bool drugs_twins(const struct twins *t, size_t a, size_t b)
{
    size_t n = t->first[a + 1] - t->first[a];
    if (!drugs_equal(t, a, b))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t x = t->first[a] + i;
        size_t y = t->first[b] + i;
        for (size_t z = 0; z < t->problem->count; z++) {
            size_t drug = t->problem->drug_of[z];
            size_t other = drug == a   ? t->first[b] + (z - t->first[a])
                           : drug == b ? t->first[a] + (z - t->first[b])
                                       : z;
            if (!rules_equal(t, x, z, y, other))
                return false;
        }
    }
    return true;
}

/* The first dose of drug a is not later than that of b. */
static bool twins_order(struct twins *t, size_t a, size_t b)
{
    struct problem *problem = t->problem;
    size_t x = t->first[a];
    size_t y = t->first[b];
    uint16_t *at = &t->at[x * problem->count + y];
    if (*at == PAIR_NONE) {
        struct pair *grown = arena_array(problem->arena, problem->pair_count + 1, sizeof *grown);
        if (!grown)
            return false;
        if (problem->pair_count > 0) /* there is no array before the first pair */
            memcpy(grown, problem->pairs, problem->pair_count * sizeof *grown);
        grown[problem->pair_count] = (struct pair){.i = (uint16_t)x,
                                                   .j = (uint16_t)y,
                                                   .lo = -PROBLEM_FAR,
                                                   .hi = PROBLEM_FAR,
                                                   .why_order = {SLOTS_RULE_ORDER, a},
                                                   .why_apart = {SLOTS_RULE_TIMES, 0}};
        problem->pairs = grown;
        *at = (uint16_t)problem->pair_count++;
    }
    struct pair *pair = &problem->pairs[*at];
    pair->lo = pair->lo > 0 ? pair->lo : 0;
    return true;
}

/* Gives the earlier times of two twins to the first. */
static void twins_sort(const struct twins *t, size_t a, size_t b, int *cell)
{
    int *x = cell + t->first[a];
    int *y = cell + t->first[b];
    if (x[0] <= y[0])
        return;
    for (size_t i = 0; i < t->first[a + 1] - t->first[a]; i++) {
        int held = x[i];
        x[i] = y[i];
        y[i] = held;
    }
}

bool twins_break(struct problem *problem, const struct costs *costs, int *cell)
{
    size_t drugs = problem->regimen->drug_count;
    size_t n = problem->count;
    struct twins t = {.problem = problem, .costs = costs};
    size_t twin_of[REGIMEN_DRUGS_MAX];
    bool any = false;
    t.at = arena_array(problem->arena, n * n, sizeof *t.at);
    if (!t.at)
        return false;
    memset(t.at, 0xff, n * n * sizeof *t.at);
    for (size_t p = 0; p < problem->pair_count; p++) {
        t.at[problem->pairs[p].i * n + problem->pairs[p].j] = (uint16_t)p;
        t.at[problem->pairs[p].j * n + problem->pairs[p].i] = (uint16_t)p;
    }
    for (size_t d = 0; d < drugs; d++)
        t.first[d + 1] = t.first[d] + problem->regimen->drugs[d].dose_count;
    for (size_t b = 0; b < drugs; b++) {
        twin_of[b] = drugs;
        for (size_t a = b; a-- > 0 && twin_of[b] == drugs;) {
            if (drugs_twins(&t, a, b))
                twin_of[b] = a;
        }
        any |= twin_of[b] != drugs;
    }
    for (size_t round = 0; any && round < drugs; round++) {
        for (size_t b = 0; b < drugs; b++) {
            if (twin_of[b] != drugs)
                twins_sort(&t, twin_of[b], b, cell);
        }
    }
    for (size_t b = 0; b < drugs; b++) {
        if (twin_of[b] != drugs && !twins_order(&t, twin_of[b], b))
            return false;
    }
    return !any || problem_index(problem);
}
