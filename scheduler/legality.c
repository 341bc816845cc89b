/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/legality.h"

#include "config/base/error.h"

static bool days_in_a_row(const struct regimen *regimen, const struct regimen_drug *drug)
{
    for (int d = 0; d < regimen->period_days; d++) {
        if (regimen_days_have(&drug->days, d) &&
            regimen_days_have(&drug->days, (d + 1) % regimen->period_days))
            return true;
    }
    return false;
}

static int legal_gap(int gap, int min, int max, const char *what, struct error *err)
{
    if (min != REGIMEN_NONE && gap < min)
        return error_set(err, E_INPUT, "%s of %d minutes is less than %d", what, gap, min);
    if (max != REGIMEN_NONE && gap > max)
        return error_set(err, E_INPUT, "%s of %d minutes is more than %d", what, gap, max);
    return 0;
}

static int legal_drug(const struct regimen *regimen, const struct regimen_drug *drug, const int *times,
                      struct error *err)
{
    bool first_inside = false;
    for (size_t i = 0; i < drug->dose_count; i++) {
        if (times[i] < 0 || times[i] >= REGIMEN_DAY || times[i] % regimen->grid)
            return error_set(err, E_INPUT, "dose %zu at %d is off the grid of %d minutes", i + 1, times[i],
                             regimen->grid);
        if (!regimen_intervals_hold(drug->doses[i].allowed, times[i]))
            return error_set(err, E_INPUT, "dose %zu at %d is outside its window", i + 1, times[i]);
        if (i > 0 && times[i] <= times[i - 1])
            return error_set(err, E_INPUT, "dose %zu at %d does not come after dose %zu", i + 1, times[i], i);
        int rc = i > 0 ? legal_gap(times[i] - times[i - 1], drug->gap_min, drug->gap_max, "a gap", err) : 0;
        if (rc)
            return rc;
        bool inside = drug->same_state && regimen_intervals_hold(drug->state, times[i]);
        if (i > 0 && inside != first_inside)
            return error_set(err, E_INPUT, "dose %zu at %d is not in the same state as dose 1", i + 1,
                             times[i]);
        first_inside = inside;
    }
    if (!days_in_a_row(regimen, drug))
        return 0;
    return legal_gap(times[0] + REGIMEN_DAY - times[drug->dose_count - 1], drug->overnight_min,
                     drug->overnight_max, "a night", err);
}

/* One dose of b against one of a, with b's day `offset` days after a's. */
static bool separation_keeps(const struct regimen_separation *sep, int time_a, int time_b, int offset)
{
    int later = time_b + REGIMEN_DAY * offset - time_a;
    if (sep->or_together && later == 0 && regimen_intervals_hold(sep->together, time_a))
        return true;
    if (later > 0)
        return later >= sep->after;
    if (later < 0)
        return -later >= sep->before;
    return sep->after + sep->before == 0;
}

static int legal_separation(const struct regimen *regimen, const struct regimen_separation *sep,
                            const int *times_a, const int *times_b, struct error *err)
{
    const struct regimen_drug *a = &regimen->drugs[sep->a];
    const struct regimen_drug *b = &regimen->drugs[sep->b];
    for (int offset = -1; offset <= 1; offset++) {
        if (!regimen_days_meet(&a->days, &b->days, offset, regimen->period_days))
            continue;
        for (size_t i = 0; i < a->dose_count; i++) {
            for (size_t j = 0; j < b->dose_count; j++) {
                if (!separation_keeps(sep, times_a[i], times_b[j], offset))
                    return error_set(
                        err, E_INPUT, "separation \"%s\": %d of \"%s\" and %d of \"%s\"%s are too close",
                        sep->id, times_a[i], a->id, times_b[j], b->id, offset ? " across the night" : "");
            }
        }
    }
    return 0;
}

static int legal_pair(const struct regimen *regimen, const struct regimen_pair *pair, bool same,
                      const int *times_a, const int *times_b, struct error *err)
{
    const struct regimen_drug *a = &regimen->drugs[pair->a];
    const struct regimen_drug *b = &regimen->drugs[pair->b];
    for (size_t i = 0; same && i < a->dose_count; i++) {
        if (times_a[i] != times_b[i])
            return error_set(err, E_INPUT, "same_slot \"%s\": dose %zu is at %d and at %d", pair->id, i + 1,
                             times_a[i], times_b[i]);
    }
    if (same || !regimen_days_meet(&a->days, &b->days, 0, regimen->period_days))
        return 0;
    for (size_t i = 0; i < a->dose_count; i++) {
        for (size_t j = 0; j < b->dose_count; j++) {
            if (times_a[i] == times_b[j])
                return error_set(err, E_INPUT, "not_same_slot \"%s\": both at %d", pair->id, times_a[i]);
        }
    }
    return 0;
}

int legality_check(const struct regimen *regimen, const int *times, size_t count, struct error *err)
{
    const int *start[REGIMEN_DRUGS_MAX];
    if (count != regimen_dose_total(regimen))
        return error_set(err, E_INPUT, "%zu doses are scheduled, the regimen has %zu", count,
                         regimen_dose_total(regimen));
    for (size_t d = 0; d < regimen->drug_count; d++) {
        start[d] = times;
        int rc = legal_drug(regimen, &regimen->drugs[d], times, err);
        if (rc) {
            (void)error_prefix(err, rc, "drug \"%s\"", regimen->drugs[d].id);
            return rc;
        }
        times += regimen->drugs[d].dose_count;
    }
    int rc = 0;
    for (size_t s = 0; !rc && s < regimen->separation_count; s++) {
        const struct regimen_separation *sep = &regimen->separations[s];
        rc = legal_separation(regimen, sep, start[sep->a], start[sep->b], err);
    }
    for (size_t s = 0; !rc && s < regimen->same_slot_count; s++) {
        const struct regimen_pair *pair = &regimen->same_slot[s];
        rc = legal_pair(regimen, pair, true, start[pair->a], start[pair->b], err);
    }
    for (size_t s = 0; !rc && s < regimen->not_same_slot_count; s++) {
        const struct regimen_pair *pair = &regimen->not_same_slot[s];
        rc = legal_pair(regimen, pair, false, start[pair->a], start[pair->b], err);
    }
    return rc;
}
