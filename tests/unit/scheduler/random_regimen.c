/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "tests/unit/scheduler/random_regimen.h"

static int pick(struct rng *rng, int from, int to)
{
    return from + (int)rng_below(rng, (uint32_t)(to - from + 1));
}

static bool chance(struct rng *rng, int percent)
{
    return pick(rng, 1, 100) <= percent;
}

static struct regimen_intervals random_intervals(struct rng *rng, const struct random_shape *shape,
                                                 int runs_max, struct arena *arena)
{
    struct regimen_interval runs[4];
    int grid = shape->grid;
    size_t count = (size_t)pick(rng, 1, runs_max);
    struct regimen_intervals out;
    for (size_t i = 0; i < count; i++) {
        int last = (shape->to ? shape->to : REGIMEN_DAY - 1) / grid;
        int from = pick(rng, shape->from / grid, last);
        int to = from + pick(rng, 0, shape->reach ? shape->reach : 4);
        to = to < last ? to : last;
        runs[i] = (struct regimen_interval){from * grid, to * grid};
    }
    assert_int_equal(regimen_intervals_copy(&out, arena, runs, count, NULL), 0);
    return out;
}

static void random_dose(struct rng *rng, const struct random_shape *shape, struct regimen_dose *dose,
                        struct arena *arena)
{
    dose->allowed = random_intervals(rng, shape, 2, arena);
    if (chance(rng, 40)) {
        struct regimen_soft *soft = arena_array(arena, 1, sizeof *soft);
        assert_non_null(soft);
        soft->cost = pick(rng, 0, 3);
        soft->unless_in = random_intervals(rng, shape, 2, arena);
        dose->soft = soft;
        dose->soft_count = 1;
    }
}

static void random_drug(struct rng *rng, const struct random_shape *shape, struct regimen *regimen, int place,
                        bool previous, struct arena *arena)
{
    char id[16];
    struct regimen_drug *drug;
    size_t left = (size_t)shape->doses_max - regimen_dose_total(regimen);
    size_t doses = (size_t)pick(rng, 1, 3);
    doses = doses < left ? doses : left;
    (void)snprintf(id, sizeof id, "d%d", (place * 7) % 10);
    assert_int_equal(regimen_add_drug(regimen, arena, id, id, doses, &drug, NULL), 0);
    for (size_t i = 0; i < doses; i++)
        random_dose(rng, shape, &drug->doses[i], arena);
    int gaps = shape->gap_percent ? shape->gap_percent : 30;
    if (chance(rng, gaps))
        drug->gap_min =
            pick(rng, 0, 5 + shape->reach / 2) * shape->grid - (chance(rng, 20) && shape->grid > 7 ? -7 : 0);
    if (chance(rng, gaps / 2))
        drug->gap_max = (drug->gap_min > 0 ? drug->gap_min : 0) + pick(rng, 0, 4) * shape->grid;
    if (chance(rng, 20))
        drug->overnight_min = pick(rng, 0, REGIMEN_DAY / shape->grid / 2) * shape->grid;
    if (chance(rng, 10))
        drug->overnight_max = REGIMEN_DAY - pick(rng, 0, REGIMEN_DAY / shape->grid / 2) * shape->grid;
    if (drug->overnight_max != REGIMEN_NONE && drug->overnight_max < drug->overnight_min)
        drug->overnight_max = REGIMEN_NONE;
    drug->unbalanced = chance(rng, 20);
    if (regimen->period_days > 1) {
        drug->days = (struct regimen_days){{0}};
        for (int d = 0; d < regimen->period_days; d++) {
            if (chance(rng, 60))
                regimen_days_add(&drug->days, d);
        }
        regimen_days_add(&drug->days, pick(rng, 0, regimen->period_days - 1));
    }
    if (previous && chance(rng, 70)) {
        int *times = arena_array(arena, doses, sizeof *times);
        assert_non_null(times);
        for (size_t i = 0; i < doses; i++)
            times[i] = pick(rng, shape->from / shape->grid,
                            (shape->to ? shape->to : REGIMEN_DAY - 1) / shape->grid) *
                       shape->grid;
        drug->previous = times;
    }
    if (shape->extensions && chance(rng, 30)) {
        drug->same_state = true;
        drug->state = random_intervals(rng, shape, 2, arena);
    }
}

/* A copy of the last drug under an id of its own. */
static void random_twin(struct regimen *regimen, int place, struct arena *arena)
{
    char id[16];
    struct regimen_drug *drug;
    const struct regimen_drug *like = &regimen->drugs[regimen->drug_count - 1];
    (void)snprintf(id, sizeof id, "d%d", (place * 7) % 10);
    assert_int_equal(regimen_add_drug(regimen, arena, id, id, like->dose_count, &drug, NULL), 0);
    const struct regimen_drug own = *drug;
    *drug = *like;
    drug->id = own.id;
    drug->name = own.name;
}

static void random_rules(struct rng *rng, const struct random_shape *shape, struct regimen *regimen,
                         struct arena *arena)
{
    int drugs = (int)regimen->drug_count;
    char id[16];
    for (int s = pick(rng, 0, drugs); drugs > 1 && s > 0; s--) {
        int a = pick(rng, 0, drugs - 1);
        int b = (a + pick(rng, 1, drugs - 1)) % drugs;
        int after = chance(rng, 70) ? pick(rng, 0, 4) * shape->grid : pick(rng, 0, 3 * shape->grid);
        int before = chance(rng, 70) ? pick(rng, 0, 4) * shape->grid : 0;
        (void)snprintf(id, sizeof id, "s%d", (s * 3) % 10 + 10 * s);
        assert_int_equal(
            regimen_add_separation(regimen, arena, id, (size_t)a, (size_t)b, after, before, NULL), 0);
        if (shape->extensions && chance(rng, 30)) {
            struct regimen_separation *sep = &regimen->separations[regimen->separation_count - 1];
            sep->or_together = true;
            sep->together = random_intervals(rng, shape, 2, arena);
        }
    }
    if (drugs > 1 && chance(rng, 20)) {
        int a = pick(rng, 0, drugs - 2);
        if (regimen->drugs[a].dose_count == regimen->drugs[a + 1].dose_count)
            assert_int_equal(regimen_add_same_slot(regimen, arena, "e1", (size_t)a, (size_t)a + 1, NULL), 0);
    }
    if (drugs > 1 && chance(rng, 25)) {
        int a = pick(rng, 1, drugs - 1);
        assert_int_equal(regimen_add_not_same_slot(regimen, arena, "n1", (size_t)a, (size_t)a - 1, NULL), 0);
    }
}

struct regimen *random_regimen_raw_or_fail(struct rng *rng, const struct random_shape *shape,
                                           struct arena *arena)
{
    static const int periods[] = {1, 1, 2, 3, 7};
    struct regimen *regimen = regimen_create(arena, "random", shape->grid, periods[pick(rng, 0, 4)]);
    assert_non_null(regimen);
    regimen->patient = (struct regimen_patient){.day_start = 300,
                                                .wake = 120,
                                                .bed = 1080,
                                                .meals = {180, 480, chance(rng, 80) ? 840 : REGIMEN_NONE}};
    int drugs = pick(rng, 1, shape->drugs_max);
    bool previous = chance(rng, 50);
    for (int d = 0; d < drugs && regimen_dose_total(regimen) < (size_t)shape->doses_max; d++) {
        bool room = d > 0 && regimen_dose_total(regimen) + regimen->drugs[d - 1].dose_count <=
                                 (size_t)shape->doses_max;
        if (shape->twins && room && chance(rng, 60))
            random_twin(regimen, d, arena);
        else
            random_drug(rng, shape, regimen, d, previous, arena);
    }
    random_rules(rng, shape, regimen, arena);
    return regimen;
}

struct regimen *random_regimen_or_fail(struct rng *rng, const struct random_shape *shape, struct arena *arena)
{
    struct error err = {0};
    struct regimen *regimen = random_regimen_raw_or_fail(rng, shape, arena);
    if (regimen_ready(regimen, arena, &err))
        fail_msg("%s", err.message);
    return regimen;
}
