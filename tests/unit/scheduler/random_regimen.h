/* SPDX-License-Identifier: Apache-2.0 */
/* Small random regimens for tests: every kind of rule, coarse grids, so that brute force can follow. */
#ifndef TESTS_UNIT_SCHEDULER_RANDOM_REGIMEN_H
#define TESTS_UNIT_SCHEDULER_RANDOM_REGIMEN_H

#include "config/base/rng.h"
#include "scheduler/regimen.h"

struct arena;

struct random_shape {
    int grid;
    int drugs_max;
    int doses_max; /* over all drugs */
    bool extensions;
    int reach;       /* longest window in grid steps; 0: 4 */
    int gap_percent; /* drugs with gap bounds; 0: 30 */
    int from, to;    /* times lie within these minutes; both 0: the whole day */
    bool twins;      /* many drugs are like the one before in everything but the rules between drugs */
};

/* A ready regimen; fails the test without memory. */
struct regimen *random_regimen_or_fail(struct rng *rng, const struct random_shape *shape,
                                       struct arena *arena);
/* Before regimen_ready: for tests that change it first. */
struct regimen *random_regimen_raw_or_fail(struct rng *rng, const struct random_shape *shape,
                                           struct arena *arena);

#endif
