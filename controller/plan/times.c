/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/times.h"

#include <assert.h>

#include "config/base/error.h"

void times_add(struct times *times, int from, int to)
{
    for (int t = from > 0 ? from : 0; t <= to && t < MINUTES_PER_DAY; t++)
        times->at[t] = true;
}

void times_add_windows(struct times *times, const struct regimen_patient *day,
                       const struct policy_window *windows, int count)
{
    for (int i = 0; i < count; i++) {
        int from = policy_anchor(day, windows[i].from), to = policy_anchor(day, windows[i].to);
        if (from != REGIMEN_NONE && to != REGIMEN_NONE)
            times_add(times, from + windows[i].from_offset, to + windows[i].to_offset);
    }
}

int times_add_rule(struct times *times, const struct regimen_patient *day,
                   const struct regimen_window *windows, int count, struct error *err)
{
    struct regimen_interval runs[REGIMEN_INTERVALS_MAX];
    for (int i = 0; i < count; i++) {
        int found = window_compile(&windows[i], day, 1, runs, err);
        if (found < 0)
            return found;
        for (int k = 0; k < found; k++)
            times_add(times, runs[k].from, runs[k].to);
    }
    return 0;
}

void times_keep(struct times *times, const struct times *other)
{
    for (int t = 0; t < MINUTES_PER_DAY; t++)
        times->at[t] &= other->at[t];
}

bool times_empty(const struct times *times, int grid)
{
    for (int t = 0; t < MINUTES_PER_DAY; t += grid) {
        if (times->at[t])
            return false;
    }
    return true;
}

int times_first(const struct times *times, int grid)
{
    int t = 0;
    while (t < MINUTES_PER_DAY && !times->at[t])
        t += grid;
    assert(t < MINUTES_PER_DAY);
    return t;
}

int times_last(const struct times *times, int grid)
{
    int t = MINUTES_PER_DAY - grid;
    while (t >= 0 && !times->at[t])
        t -= grid;
    assert(t >= 0);
    return t;
}

int times_intervals(const struct times *times, int grid, struct arena *arena, struct regimen_intervals *ret,
                    struct error *err)
{
    struct regimen_interval runs[REGIMEN_INTERVALS_MAX];
    size_t count = 0;
    bool open = false;
    for (int t = 0; t < MINUTES_PER_DAY; t += grid) {
        if (times->at[t] && !open && count == REGIMEN_INTERVALS_MAX)
            return error_set(err, E_LIMIT, "more than %d intervals of time for one dose",
                             REGIMEN_INTERVALS_MAX);
        if (times->at[t] && !open)
            runs[count++].from = t;
        if (times->at[t])
            runs[count - 1].to = t;
        open = times->at[t];
    }
    return regimen_intervals_copy(ret, arena, runs, count, err);
}
