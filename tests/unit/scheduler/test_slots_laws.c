/* SPDX-License-Identifier: Apache-2.0 */
/* Laws that every answer keeps: order of the input, shifting the day, a free drug, a rule less; conflicts are
 * minimal; a budget never claims to be optimal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/plan/documents/schedule_json.h"
#include "scheduler/legality.h"
#include "scheduler/proof/proof.h"
#include "scheduler/slots.h"
#include "tests/unit/scheduler/random_regimen.h"
#include "tests/unit/scheduler/relaxed.h"
#include "tools/benches/slots_made.h"

enum { SEED = 4711 };

static const struct random_shape middling = {.grid = 30, .drugs_max = 8, .doses_max = 14, .extensions = true};

static void ready_or_fail(struct regimen *regimen, struct arena *arena)
{
    struct error err = {0};
    if (regimen_ready(regimen, arena, &err))
        fail_msg("%s", err.message);
}

static struct slots_result *solve_or_fail(const struct regimen *regimen, int levels, struct arena *arena)
{
    struct slots_options options = {.levels = levels};
    struct slots_result *result;
    struct error err = {0};
    if (slots_solve(regimen, &options, arena, &result, &err))
        fail_msg("%s", err.message);
    return result;
}

/* The same regimen with drugs and rules in another order. */
static struct regimen *shuffled(const struct regimen *regimen, struct rng *rng, struct arena *arena)
{
    struct regimen *copy = regimen_create(arena, regimen->id, regimen->grid, regimen->period_days);
    size_t place[REGIMEN_DRUGS_MAX];
    size_t order[REGIMEN_DRUGS_MAX];
    assert_non_null(copy);
    copy->patient = regimen->patient;
    copy->drug_count = regimen->drug_count;
    for (size_t i = 0; i < regimen->drug_count; i++)
        order[i] = i;
    for (size_t i = regimen->drug_count; i > 1; i--) {
        size_t j = rng_below(rng, (uint32_t)i);
        size_t held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
    for (size_t i = 0; i < regimen->drug_count; i++) {
        copy->drugs[i] = regimen->drugs[order[i]];
        place[order[i]] = i;
    }
    for (size_t i = regimen->separation_count; i-- > 0;) {
        struct regimen_separation sep = regimen->separations[i];
        sep.a = place[sep.a];
        sep.b = place[sep.b];
        copy->separations[copy->separation_count++] = sep;
    }
    for (size_t i = regimen->same_slot_count; i-- > 0;) {
        struct regimen_pair pair = regimen->same_slot[i];
        copy->same_slot[copy->same_slot_count++] =
            (struct regimen_pair){.id = pair.id, .a = place[pair.a], .b = place[pair.b]};
    }
    for (size_t i = regimen->not_same_slot_count; i-- > 0;) {
        struct regimen_pair pair = regimen->not_same_slot[i];
        copy->not_same_slot[copy->not_same_slot_count++] =
            (struct regimen_pair){.id = pair.id, .a = place[pair.a], .b = place[pair.b]};
    }
    return copy;
}

static void any_order_of_the_input_gives_the_same_bytes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, SEED, 1);
    print_message("seed %d\n", SEED);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        struct buf bytes[2];
        arena_init(&arena, 0);
        struct regimen *first = random_regimen_raw_or_fail(&rng, &middling, &arena);
        struct regimen *order[2] = {first, shuffled(first, &rng, &arena)};
        for (int k = 0; k < 2; k++) {
            ready_or_fail(order[k], &arena);
            buf_init(&bytes[k]);
            struct slots_result *result = solve_or_fail(order[k], 5, &arena);
            assert_int_equal(schedule_to_json(order[k], result, &bytes[k], NULL), 0);
        }
        assert_string_equal(buf_string(&bytes[0]), buf_string(&bytes[1]));
        buf_finish(&bytes[0]);
        buf_finish(&bytes[1]);
        arena_finish(&arena);
    }
}

static struct regimen_intervals shift_intervals(struct regimen_intervals from, int minutes,
                                                struct arena *arena)
{
    struct regimen_interval item[REGIMEN_INTERVALS_MAX];
    struct regimen_intervals to;
    for (size_t i = 0; i < from.count; i++)
        item[i] = (struct regimen_interval){from.item[i].from + minutes, from.item[i].to + minutes};
    assert_int_equal(regimen_intervals_copy(&to, arena, item, from.count, NULL), 0);
    return to;
}

static void shift_drug(struct regimen_drug *drug, int minutes, struct arena *arena)
{
    struct regimen_dose *doses = arena_array(arena, drug->dose_count, sizeof *doses);
    int *previous = arena_array(arena, drug->dose_count, sizeof *previous);
    assert_true(doses && previous);
    for (size_t i = 0; i < drug->dose_count; i++) {
        doses[i] = drug->doses[i];
        doses[i].allowed = shift_intervals(doses[i].allowed, minutes, arena);
        struct regimen_soft *soft = arena_array(arena, doses[i].soft_count, sizeof *soft);
        for (size_t s = 0; s < doses[i].soft_count; s++) {
            soft[s] = doses[i].soft[s];
            soft[s].unless_in = shift_intervals(soft[s].unless_in, minutes, arena);
        }
        doses[i].soft = soft;
        if (drug->previous)
            previous[i] = drug->previous[i] + minutes;
    }
    drug->doses = doses;
    drug->previous = drug->previous ? previous : NULL;
    if (drug->same_state)
        drug->state = shift_intervals(drug->state, minutes, arena);
}

static void shifting_the_day_shifts_the_answer(void **state)
{
    (void)state;
    static const struct random_shape shape = {
        .grid = 30, .drugs_max = 7, .doses_max = 12, .extensions = true, .from = 120, .to = 1200};
    struct rng rng;
    rng_init(&rng, SEED, 2);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        int minutes = ((int)rng_below(&rng, 11) - 4) * 30;
        arena_init(&arena, 0);
        struct regimen *regimen = random_regimen_raw_or_fail(&rng, &shape, &arena);
        struct regimen *moved = shuffled(regimen, &rng, &arena);
        moved->patient.wake += minutes;
        moved->patient.bed += minutes;
        for (int m = 0; m < REGIMEN_MEALS; m++)
            moved->patient.meals[m] += moved->patient.meals[m] == REGIMEN_NONE ? 0 : minutes;
        for (size_t d = 0; d < moved->drug_count; d++)
            shift_drug(&moved->drugs[d], minutes, &arena);
        for (size_t s = 0; s < moved->separation_count; s++) {
            if (moved->separations[s].or_together)
                moved->separations[s].together =
                    shift_intervals(moved->separations[s].together, minutes, &arena);
        }
        ready_or_fail(regimen, &arena);
        ready_or_fail(moved, &arena);
        struct slots_result *one = solve_or_fail(regimen, 5, &arena);
        struct slots_result *two = solve_or_fail(moved, 5, &arena);
        assert_int_equal(one->status, two->status);
        for (size_t i = 0; one->has_schedule && i < one->dose_count; i++)
            assert_int_equal(one->times[i] + minutes, two->times[i]);
        assert_int_equal(one->conflict_count, two->conflict_count);
        arena_finish(&arena);
    }
}

static void a_free_drug_changes_nothing(void **state)
{
    (void)state;
    static const struct regimen_interval whole_day[] = {{0, REGIMEN_DAY - 1}};
    struct rng rng;
    rng_init(&rng, SEED, 3);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        struct regimen_drug *drug;
        arena_init(&arena, 0);
        struct regimen *regimen = random_regimen_raw_or_fail(&rng, &middling, &arena);
        struct regimen *more = shuffled(regimen, &rng, &arena);
        assert_int_equal(regimen_add_drug(more, &arena, "zz", "free", 1, &drug, NULL), 0);
        drug->doses[0].allowed = (struct regimen_intervals){.item = whole_day, .count = 1};
        ready_or_fail(regimen, &arena);
        ready_or_fail(more, &arena);
        struct slots_result *one = solve_or_fail(regimen, 5, &arena);
        struct slots_result *two = solve_or_fail(more, 5, &arena);
        assert_int_equal(one->status, two->status);
        if (one->has_schedule) {
            assert_int_equal(one->slot_count, two->slot_count);
            assert_memory_equal(one->times, two->times, one->dose_count * sizeof *one->times);
            assert_int_equal(two->times[one->dose_count], one->slot_times[0]);
        }
        arena_finish(&arena);
    }
}

static void dropping_a_rule_never_adds_a_slot(void **state)
{
    (void)state;
    struct rng rng;
    int fewer = 0;
    rng_init(&rng, SEED, 4);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        arena_init(&arena, 0);
        struct regimen *regimen = random_regimen_or_fail(&rng, &middling, &arena);
        struct slots_result *whole = solve_or_fail(regimen, 1, &arena);
        for (size_t s = 0; whole->has_schedule && s < regimen->separation_count; s++) {
            struct slots_rule rule = {SLOTS_RULE_SEP, s};
            struct slots_result *less =
                solve_or_fail(relaxed_or_fail(regimen, &rule, 1, false, &arena), 1, &arena);
            assert_int_equal(less->status, SLOTS_OPTIMAL);
            assert_true(less->slot_count <= whole->slot_count);
            fewer += less->slot_count < whole->slot_count;
        }
        arena_finish(&arena);
    }
    assert_true(fewer > 0);
}

static void conflicts_are_minimal(void **state)
{
    (void)state;
    struct rng rng;
    int seen = 0;
    rng_init(&rng, SEED, 5);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        arena_init(&arena, 0);
        struct regimen *regimen = random_regimen_or_fail(&rng, &middling, &arena);
        struct slots_result *result = solve_or_fail(regimen, 1, &arena);
        if (result->status == SLOTS_INFEASIBLE) {
            conflict_is_minimal_or_fail(regimen, result, &arena);
            seen++;
        }
        arena_finish(&arena);
    }
    assert_true(seen > 30);
}

static void a_budget_is_told_and_its_schedule_is_legal(void **state)
{
    (void)state;
    struct rng rng;
    int out = 0;
    rng_init(&rng, SEED, 6);
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        struct slots_result *result;
        struct error err = {0};
        struct slots_options options = {.node_budget = 1 + rng_below(&rng, 40)};
        arena_init(&arena, 0);
        struct regimen *regimen = random_regimen_or_fail(&rng, &middling, &arena);
        if (slots_solve(regimen, &options, &arena, &result, &err))
            fail_msg("%s", err.message);
        struct slots_result *truth = solve_or_fail(regimen, 5, &arena);
        if (result->status == SLOTS_BUDGET)
            out++;
        else
            assert_int_equal(result->status, truth->status);
        if (result->has_schedule && legality_check(regimen, result->times, result->dose_count, &err))
            fail_msg("round %d: %s", round, err.message);
        if (result->status == SLOTS_OPTIMAL)
            assert_memory_equal(result->times, truth->times, truth->dose_count * sizeof *truth->times);
        if (result->has_schedule)
            assert_true(result->lower_bound <= truth->slot_count);
        arena_finish(&arena);
    }
    assert_true(out > 20);
}

/* Two searches that share no propagation and no certificate: by groups with its straight try, and over
 * ordered slots alone. */
static void both_searches_need_as_many_slots(void **state)
{
    (void)state;
    static const enum made_kind kinds[] = {MADE_NONE,  MADE_ADVERSE, MADE_TAIL, MADE_LOOSE,
                                           MADE_CROWD, MADE_MONTH,   MADE_SHIFT};
    int trees = 0;
    for (int round = 0; round < 140; round++) {
        struct arena arena;
        struct slots_result *result[2];
        struct error err = {0};
        arena_init(&arena, 0);
        const struct regimen *regimen = made_regimen(kinds[(size_t)round % (sizeof kinds / sizeof kinds[0])],
                                                     SEED, (uint32_t)round, &arena);
        assert_non_null(regimen);
        for (int k = 0; k < 2; k++) {
            const struct slots_options options = {.levels = 1, .any_conflict = true, .in_order = k == 1};
            if (slots_solve(regimen, &options, &arena, &result[k], &err) ||
                proof_check(regimen, result[k], &err))
                fail_msg("%s: %s", regimen->id, err.message);
        }
        assert_int_equal(result[0]->status, result[1]->status);
        assert_int_equal(result[0]->slot_count, result[1]->slot_count);
        trees += result[0]->proof == SLOTS_PROOF_GROUPS;
        arena_finish(&arena);
    }
    print_message("%d proved by groups\n", trees);
    assert_true(trees > 5);
}

/* Whoever comes last of a crowd that keeps its distance finds no room: proved at once, whatever the order. */
static void a_crowd_without_room_is_refused_at_once(void **state)
{
    (void)state;
    for (int drugs = 3; drugs <= 40; drugs++) {
        struct arena arena;
        char id[16];
        struct error err = {0};
        arena_init(&arena, 0);
        struct regimen *regimen = regimen_create(&arena, "crowd", 15, 1);
        regimen->patient = (struct regimen_patient){.day_start = 300, .wake = 120, .bed = 1080};
        for (int d = 0; d < drugs; d++) {
            struct regimen_drug *drug;
            const struct regimen_interval run = {120, 120 + 30 * (drugs - 1) - 15};
            (void)snprintf(id, sizeof id, "d%d", d);
            assert_int_equal(regimen_add_drug(regimen, &arena, id, id, 1, &drug, NULL), 0);
            assert_int_equal(regimen_intervals_copy(&drug->doses[0].allowed, &arena, &run, 1, NULL), 0);
            for (int k = 0; k < d; k++) {
                (void)snprintf(id, sizeof id, "s%zu", regimen->separation_count);
                assert_int_equal(
                    regimen_add_separation(regimen, &arena, id, (size_t)k, (size_t)d, 30, 30, NULL), 0);
            }
        }
        ready_or_fail(regimen, &arena);
        const struct slots_options options = {.levels = 1, .any_conflict = true};
        struct slots_result *result;
        if (slots_solve(regimen, &options, &arena, &result, &err) || proof_check(regimen, result, &err))
            fail_msg("%d drugs: %s", drugs, err.message);
        assert_int_equal(result->status, SLOTS_INFEASIBLE);
        assert_int_equal(result->tree_count, 1);
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_the_input_gives_the_same_bytes),
        cmocka_unit_test(shifting_the_day_shifts_the_answer),
        cmocka_unit_test(a_free_drug_changes_nothing),
        cmocka_unit_test(dropping_a_rule_never_adds_a_slot),
        cmocka_unit_test(conflicts_are_minimal),
        cmocka_unit_test(a_budget_is_told_and_its_schedule_is_legal),
        cmocka_unit_test(both_searches_need_as_many_slots),
        cmocka_unit_test(a_crowd_without_room_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
