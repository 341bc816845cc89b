/* SPDX-License-Identifier: Apache-2.0 */
/* All five objective levels against brute force over every schedule of thousands of small random regimens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/legality.h"
#include "scheduler/proof/proof.h"
#include "scheduler/slots.h"
#include "tests/unit/scheduler/random_regimen.h"

enum { LEVELS = 5, SEED = 20261121 };

/* The levels of one schedule, read straight from the format's page. */
struct value {
    int64_t level[4];
    int times[REGIMEN_DOSES_MAX];
};

struct brute {
    const struct regimen *regimen;
    size_t count;
    bool any;
    struct value best;
    int times[REGIMEN_DOSES_MAX];
    const struct regimen_dose *dose[REGIMEN_DOSES_MAX];
    const struct regimen_drug *drug[REGIMEN_DOSES_MAX];
};

static int64_t level_soft(const struct brute *b)
{
    int64_t sum = 0;
    for (size_t i = 0; i < b->count; i++) {
        for (size_t s = 0; s < b->dose[i]->soft_count; s++)
            sum += regimen_intervals_hold(b->dose[i]->soft[s].unless_in, b->times[i])
                       ? 0
                       : b->dose[i]->soft[s].cost;
    }
    return sum;
}

static int64_t level_stability(const struct brute *b)
{
    const struct regimen *regimen = b->regimen;
    bool any = false;
    int64_t sum = 0;
    size_t dose = 0;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        for (size_t i = 0; i < regimen->drugs[d].dose_count; i++, dose++) {
            if (regimen->drugs[d].previous) {
                any = true;
                sum += abs(b->times[dose] - regimen->drugs[d].previous[i]);
            }
        }
    }
    for (int t = 0; !any && t < REGIMEN_DAY; t++) {
        bool used = false;
        for (size_t i = 0; i < b->count; i++)
            used |= b->times[i] == t;
        if (!used)
            continue;
        const struct regimen_patient *p = &regimen->patient;
        int nearest = abs(t - p->wake) < abs(t - p->bed) ? abs(t - p->wake) : abs(t - p->bed);
        for (int m = 0; m < REGIMEN_MEALS; m++) {
            if (p->meals[m] != REGIMEN_NONE && abs(t - p->meals[m]) < nearest)
                nearest = abs(t - p->meals[m]);
        }
        sum += nearest;
    }
    return sum;
}

static int64_t level_balance(const struct brute *b)
{
    int64_t sum = 0;
    size_t first = 0;
    for (size_t d = 0; d < b->regimen->drug_count; first += b->regimen->drugs[d].dose_count, d++) {
        const struct regimen_drug *drug = &b->regimen->drugs[d];
        if (drug->unbalanced || drug->dose_count < 2)
            continue;
        int longest = INT32_MIN;
        int shortest = INT32_MAX;
        for (size_t i = 0; i < drug->dose_count; i++) {
            bool night = i + 1 == drug->dose_count;
            if (night && !regimen_days_meet(&drug->days, &drug->days, 1, b->regimen->period_days))
                continue;
            int gap = night ? b->times[first] + REGIMEN_DAY - b->times[first + i]
                            : b->times[first + i + 1] - b->times[first + i];
            longest = gap > longest ? gap : longest;
            shortest = gap < shortest ? gap : shortest;
        }
        sum += longest - shortest;
    }
    return sum;
}

static void brute_leaf(struct brute *b)
{
    struct value value = {.level = {0, level_soft(b), level_stability(b), level_balance(b)}};
    for (size_t i = 0; i < b->count; i++) {
        bool new = true;
        for (size_t j = 0; j < i; j++)
            new &= b->times[i] != b->times[j];
        value.level[0] += new;
    }
    memcpy(value.times, b->times, sizeof value.times);
    for (int l = 0; b->any && l < 4; l++) {
        if (value.level[l] > b->best.level[l])
            return;
        if (value.level[l] < b->best.level[l])
            b->any = false;
    }
    if (!b->any) /* the walk is in order of time vectors: the first of equals is the smallest */
        b->best = value;
    b->any = true;
}

static void brute_walk(struct brute *b, size_t dose)
{
    if (dose == b->count) {
        if (legality_check(b->regimen, b->times, b->count, NULL) == 0)
            brute_leaf(b);
        return;
    }
    bool follows = dose > 0 && b->drug[dose] == b->drug[dose - 1];
    for (int t = follows ? b->times[dose - 1] + b->regimen->grid : 0; t < REGIMEN_DAY;
         t += b->regimen->grid) {
        if (!regimen_intervals_hold(b->dose[dose]->allowed, t))
            continue;
        b->times[dose] = t;
        brute_walk(b, dose + 1);
    }
}

static void brute_solve(struct brute *b, const struct regimen *regimen)
{
    *b = (struct brute){.regimen = regimen};
    for (size_t d = 0; d < regimen->drug_count; d++) {
        for (size_t i = 0; i < regimen->drugs[d].dose_count; i++) {
            b->drug[b->count] = &regimen->drugs[d];
            b->dose[b->count++] = &regimen->drugs[d].doses[i];
        }
    }
    brute_walk(b, 0);
}

static void compare_or_fail(const struct regimen *regimen, const struct brute *b,
                            const struct slots_result *result, int round)
{
    if (!b->any) {
        if (result->status != SLOTS_INFEASIBLE)
            fail_msg("round %d: infeasible, but the solver says %s", round,
                     slots_status_name(result->status));
        assert_true(result->conflict_count > 0);
        return;
    }
    if (result->status != SLOTS_OPTIMAL)
        fail_msg("round %d: feasible, but the solver says %s", round, slots_status_name(result->status));
    int64_t stability = result->by_previous ? result->move_minutes : result->anchor_minutes;
    const int64_t got[4] = {(int64_t)result->slot_count, result->soft_cost, stability,
                            result->balance_minutes};
    for (int l = 0; l < 4; l++) {
        if (got[l] != b->best.level[l])
            fail_msg("round %d, level %d: %lld instead of %lld", round, l + 1, (long long)got[l],
                     (long long)b->best.level[l]);
    }
    assert_int_equal(legality_check(regimen, result->times, result->dose_count, NULL), 0);
    for (size_t i = 0; i < b->count; i++) {
        if (result->times[i] != b->best.times[i])
            fail_msg("round %d, level 5: dose %zu at %d instead of %d", round, i, result->times[i],
                     b->best.times[i]);
    }
}

static void run_rounds(const struct random_shape *shape, int rounds, uint64_t stream)
{
    struct rng rng;
    int feasible = 0;
    rng_init(&rng, SEED, stream);
    print_message("seed %d, stream %d\n", SEED, (int)stream);
    for (int round = 0; round < rounds; round++) {
        struct arena arena;
        struct brute b;
        struct slots_result *result;
        struct error err = {0};
        arena_init(&arena, 0);
        struct regimen *regimen = random_regimen_or_fail(&rng, shape, &arena);
        brute_solve(&b, regimen);
        if (slots_solve(regimen, NULL, &arena, &result, &err))
            fail_msg("round %d: %s", round, err.message);
        compare_or_fail(regimen, &b, result, round);
        if (proof_check(regimen, result, &err))
            fail_msg("round %d: %s", round, err.message);
        feasible += b.any;
        arena_finish(&arena);
    }
    print_message("%d of %d feasible\n", feasible, rounds);
    assert_true(feasible > rounds / 10 && feasible < rounds);
}

/* Hazard H9. */
static void small_regimens_are_solved_as_brute_force_does(void **state)
{
    (void)state;
    run_rounds(&(struct random_shape){.grid = 60, .drugs_max = 4, .doses_max = 5}, 3000, 1);
}

static void extensions_are_solved_as_brute_force_does(void **state)
{
    (void)state;
    run_rounds(&(struct random_shape){.grid = 60, .drugs_max = 4, .doses_max = 5, .extensions = true}, 2000,
               2);
}

static void coarse_grids_with_many_doses_are_solved_as_brute_force_does(void **state)
{
    (void)state;
    run_rounds(&(struct random_shape){.grid = 180, .drugs_max = 5, .doses_max = 7}, 2000, 3);
}

static void drugs_that_could_change_places_are_solved_as_brute_force_does(void **state)
{
    (void)state;
    run_rounds(&(struct random_shape){.grid = 120, .drugs_max = 5, .doses_max = 6, .twins = true}, 1500, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_regimens_are_solved_as_brute_force_does),
        cmocka_unit_test(extensions_are_solved_as_brute_force_does),
        cmocka_unit_test(coarse_grids_with_many_doses_are_solved_as_brute_force_does),
        cmocka_unit_test(drugs_that_could_change_places_are_solved_as_brute_force_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
