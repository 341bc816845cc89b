/* SPDX-License-Identifier: Apache-2.0 */
/*
 * times: sets of minutes of the logical day, for putting windows together. A set holds minutes after
 * day_start; only at the end it becomes intervals on the scheduler's grid. Pure, any thread.
 */
#ifndef CONTROLLER_PLAN_TIMES_H
#define CONTROLLER_PLAN_TIMES_H

#include <stdbool.h>

#include "config/base/civil.h"
#include "controller/plan/policy.h"

struct arena;
struct error;

struct times {
    bool at[MINUTES_PER_DAY];
};

/* Both ends included; what lies outside the day is left out. */
void times_add(struct times *times, int from, int to);
/* The site's windows on this patient's day; a window on a meal that is not eaten adds nothing. */
void times_add_windows(struct times *times, const struct regimen_patient *day,
                       const struct policy_window *windows, int count);
/* Any of the clinical windows, minute by minute. E_INPUT for impossible parameters. */
int times_add_rule(struct times *times, const struct regimen_patient *day,
                   const struct regimen_window *windows, int count, struct error *err);
void times_keep(struct times *times, const struct times *other);
/* No grid time is in the set. */
bool times_empty(const struct times *times, int grid);
/* First and last grid minute; the set must not be empty. */
int times_first(const struct times *times, int grid);
int times_last(const struct times *times, int grid);
/* Runs of grid times; E_LIMIT, E_MEMORY. */
int times_intervals(const struct times *times, int grid, struct arena *arena, struct regimen_intervals *ret,
                    struct error *err);

#endif
