/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "tests/unit/scheduler/relaxed.h"

static bool listed(const struct slots_rule *rules, size_t count, enum slots_rule_kind kind, size_t place)
{
    for (size_t i = 0; i < count; i++) {
        if (rules[i].kind == kind && rules[i].place == place)
            return true;
    }
    return false;
}

struct regimen *relaxed_or_fail(const struct regimen *regimen, const struct slots_rule *rules, size_t count,
                                bool keep, struct arena *arena)
{
    static const struct regimen_interval whole_day[] = {{0, REGIMEN_DAY - 1}};
    struct regimen *copy = regimen_create(arena, regimen->id, regimen->grid, regimen->period_days);
    struct error err = {0};
    assert_non_null(copy);
    copy->patient = regimen->patient;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        const struct regimen_drug *from = &regimen->drugs[d];
        struct regimen_drug *to;
        assert_int_equal(regimen_add_drug(copy, arena, from->id, from->name, from->dose_count, &to, NULL), 0);
        to->days = from->days;
        bool window = listed(rules, count, SLOTS_RULE_WINDOW, d) == keep;
        for (size_t i = 0; i < from->dose_count; i++)
            to->doses[i].allowed =
                window ? from->doses[i].allowed : (struct regimen_intervals){.item = whole_day, .count = 1};
        if (listed(rules, count, SLOTS_RULE_GAP, d) == keep) {
            to->gap_min = from->gap_min;
            to->gap_max = from->gap_max;
        }
        if (listed(rules, count, SLOTS_RULE_OVERNIGHT, d) == keep) {
            to->overnight_min = from->overnight_min;
            to->overnight_max = from->overnight_max;
        }
        if (listed(rules, count, SLOTS_RULE_STATE, d) == keep) {
            to->same_state = from->same_state;
            to->state = from->state;
        }
    }
    for (size_t s = 0; s < regimen->separation_count; s++) {
        if (listed(rules, count, SLOTS_RULE_SEP, s) == keep)
            copy->separations[copy->separation_count++] = regimen->separations[s];
    }
    for (size_t s = 0; s < regimen->same_slot_count; s++) {
        if (listed(rules, count, SLOTS_RULE_SAME, s) == keep)
            copy->same_slot[copy->same_slot_count++] = regimen->same_slot[s];
    }
    for (size_t s = 0; s < regimen->not_same_slot_count; s++) {
        if (listed(rules, count, SLOTS_RULE_NOTSAME, s) == keep)
            copy->not_same_slot[copy->not_same_slot_count++] = regimen->not_same_slot[s];
    }
    if (regimen_ready(copy, arena, &err))
        fail_msg("%s", err.message);
    return copy;
}

static enum slots_status status_or_fail(const struct regimen *regimen, struct arena *arena)
{
    struct slots_options options = {.levels = 1, .no_conflict = true};
    struct slots_result *result;
    struct error err = {0};
    if (slots_solve(regimen, &options, arena, &result, &err))
        fail_msg("%s: %s", regimen->id, err.message);
    return result->status;
}

void conflict_is_minimal_or_fail(const struct regimen *regimen, const struct slots_result *result,
                                 struct arena *arena)
{
    struct slots_rule rest[64];
    assert_in_range(result->conflict_count, 1, 64);
    struct regimen *alone = relaxed_or_fail(regimen, result->conflict, result->conflict_count, true, arena);
    if (status_or_fail(alone, arena) != SLOTS_INFEASIBLE)
        fail_msg("%s: the conflict alone is feasible", regimen->id);
    for (size_t skip = 0; skip < result->conflict_count; skip++) {
        size_t n = 0;
        for (size_t i = 0; i < result->conflict_count; i++) {
            if (i != skip)
                rest[n++] = result->conflict[i];
        }
        if (status_or_fail(relaxed_or_fail(regimen, rest, n, true, arena), arena) != SLOTS_OPTIMAL)
            fail_msg("%s: the conflict is not minimal, member %zu is not needed", regimen->id, skip);
    }
}
