/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first level against clingo, an exact solver that shares nothing with ours but the format: small mixed
 * regimens with every kind of rule, and those of the bench with up to 40 drugs. Skipped where clingo is not
 * installed. SLOTS_RIVAL_COUNT=10000 runs as many of each half in place of the few of an ordinary run; both
 * halves together count.
 */
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
#include "tools/benches/rivals.h"
#include "tools/benches/slots_made.h"

enum { SEED = 20261121, COUNT_SHORT = 100, LIMIT_S = 20 };

static int rounds(void)
{
    const char *text = getenv("SLOTS_RIVAL_COUNT");
    int count = text ? atoi(text) : COUNT_SHORT;
    assert_in_range(count, 1, 1000000);
    return count;
}

struct score {
    int compared;
    int feasible;
    int unanswered;
};

static void compare_or_fail(const struct regimen *regimen, enum rival rival, int round, struct score *score)
{
    const struct slots_options options = {.levels = 1};
    struct slots_result *result;
    struct rival_answer answer;
    struct error err = {0};
    struct arena arena;
    arena_init(&arena, 0);
    if (slots_solve(regimen, &options, &arena, &result, &err))
        fail_msg("round %d, %s: %s", round, regimen->id, err.message);
    if (proof_check(regimen, result, &err))
        fail_msg("round %d, %s: %s", round, regimen->id, err.message);
    if (result->has_schedule && legality_check(regimen, result->times, result->dose_count, &err))
        fail_msg("round %d, %s: %s", round, regimen->id, err.message);
    if (rival_solve(rival, regimen, LIMIT_S, &answer, &err))
        fail_msg("round %d, %s: %s", round, regimen->id, err.message);
    int mine = result->status == SLOTS_INFEASIBLE ? 0 : (int)result->slot_count;
    if (answer.proved && answer.slots != mine)
        fail_msg("round %d, %s: %d slots, %s says %d", round, regimen->id, mine, rival_name(rival),
                 answer.slots);
    score->compared += answer.proved;
    score->feasible += answer.proved && answer.slots > 0;
    score->unanswered += !answer.proved;
    arena_finish(&arena);
}

static void score_or_fail(const struct score *score)
{
    print_message("seed %d: %d compared, %d of them feasible, %d without an answer in %d s\n", SEED,
                  score->compared, score->feasible, score->unanswered, LIMIT_S);
    assert_true(score->feasible > 0 && score->feasible < score->compared);
    assert_true(score->unanswered * 50 <= score->compared);
}

static void small_regimens_need_what_clingo_says(void **state)
{
    (void)state;
    static const struct random_shape shapes[] = {
        {.grid = 60, .drugs_max = 5, .doses_max = 8, .reach = 8},
        {.grid = 30, .drugs_max = 8, .doses_max = 14, .reach = 12, .gap_percent = 20},
        {.grid = 60, .drugs_max = 9, .doses_max = 12, .reach = 8, .gap_percent = 10},
    };
    struct score score = {0};
    struct rng rng;
    if (!rival_installed(RIVAL_CLINGO_PLAIN)) {
        print_message("clingo is not installed (package gringo): not compared\n");
        skip();
    }
    rng_init(&rng, SEED, 1);
    for (int round = 0; round < rounds(); round++) {
        struct arena arena;
        arena_init(&arena, 0);
        const struct random_shape *shape = &shapes[(size_t)round % (sizeof shapes / sizeof shapes[0])];
        struct regimen *regimen = random_regimen_or_fail(&rng, shape, &arena);
        compare_or_fail(regimen, round % 2 ? RIVAL_CLINGO : RIVAL_CLINGO_PLAIN, round, &score);
        arena_finish(&arena);
    }
    score_or_fail(&score);
}

static void big_regimens_need_what_clingo_says(void **state)
{
    (void)state;
    static const enum made_kind kinds[] = {MADE_REAL,  MADE_CALENDAR, MADE_WRAP,  MADE_FORCED, MADE_ADVERSE,
                                           MADE_STUCK, MADE_NONE,     MADE_CROWD, MADE_MONTH};
    struct score score = {0};
    if (!rival_installed(RIVAL_CLINGO)) {
        print_message("clingo is not installed (package gringo): not compared\n");
        skip();
    }
    for (int round = 0; round < rounds(); round++) {
        size_t kind = (size_t)round % (sizeof kinds / sizeof kinds[0]);
        struct arena arena;
        arena_init(&arena, 0);
        struct regimen *regimen = made_regimen(kinds[kind], SEED, (uint32_t)round, &arena);
        assert_non_null(regimen);
        /* Wide windows are too much for the plain model. */
        bool wide = kinds[kind] == MADE_REAL || kinds[kind] == MADE_CALENDAR || kinds[kind] == MADE_WRAP ||
                    kinds[kind] == MADE_MONTH;
        compare_or_fail(regimen, wide ? RIVAL_CLINGO : RIVAL_CLINGO_PLAIN, round, &score);
        arena_finish(&arena);
    }
    score_or_fail(&score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_regimens_need_what_clingo_says),
        cmocka_unit_test(big_regimens_need_what_clingo_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
