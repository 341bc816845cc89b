/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/proof/proof.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/legality.h"
#include "scheduler/proof/proof_private.h"

static int claim_error(struct error *err, const char *what)
{
    return error_set(err, E_TAMPERED, "%s", what);
}

/* Sum of soft costs, moves and anchors, read from the format's page. */
struct sums {
    int64_t soft, move, anchor, balance;
    bool by_previous;
};

static int64_t soft_of(const struct regimen_dose *dose, int minute)
{
    int64_t sum = 0;
    for (size_t s = 0; s < dose->soft_count; s++)
        sum += regimen_intervals_hold(dose->soft[s].unless_in, minute) ? 0 : dose->soft[s].cost;
    return sum;
}

static int64_t imbalance_of(const struct regimen *regimen, const struct regimen_drug *drug, const int *times)
{
    int longest = 0;
    int shortest = 2 * REGIMEN_DAY;
    size_t n = drug->dose_count;
    bool night = regimen_days_meet(&drug->days, &drug->days, 1, regimen->period_days);
    if (n < 2 || drug->unbalanced)
        return 0;
    for (size_t i = 0; i < (night ? n : n - 1); i++) {
        int gap = i + 1 < n ? times[i + 1] - times[i] : times[0] + REGIMEN_DAY - times[i];
        longest = gap > longest ? gap : longest;
        shortest = gap < shortest ? gap : shortest;
    }
    return longest - shortest;
}

static int64_t anchor_of(const struct regimen_patient *patient, int minute)
{
    int nearest = abs(minute - patient->wake);
    nearest = abs(minute - patient->bed) < nearest ? abs(minute - patient->bed) : nearest;
    for (int m = 0; m < REGIMEN_MEALS; m++) {
        int meal = patient->meals[m];
        if (meal != REGIMEN_NONE && abs(minute - meal) < nearest)
            nearest = abs(minute - meal);
    }
    return nearest;
}

static struct sums sums_of(const struct regimen *regimen, const struct slots_result *result)
{
    struct sums sums = {.soft = 0};
    size_t first = 0;
    for (size_t d = 0; d < regimen->drug_count; first += regimen->drugs[d].dose_count, d++) {
        const struct regimen_drug *drug = &regimen->drugs[d];
        for (size_t i = 0; i < drug->dose_count; i++) {
            sums.soft += soft_of(&drug->doses[i], result->times[first + i]);
            if (drug->previous)
                sums.move += abs(result->times[first + i] - drug->previous[i]);
        }
        sums.by_previous |= drug->previous != NULL;
        sums.balance += imbalance_of(regimen, drug, result->times + first);
    }
    for (size_t s = 0; !sums.by_previous && s < result->slot_count; s++)
        sums.anchor += anchor_of(&regimen->patient, result->slot_times[s]);
    return sums;
}

static int check_witness(const struct regimen *regimen, const struct slots_result *result, struct error *err)
{
    int rc = legality_check(regimen, result->times, result->dose_count, err);
    if (rc) {
        (void)error_prefix(err, rc, "the schedule breaks a rule");
        if (err)
            err->code = E_TAMPERED;
        return E_TAMPERED;
    }
    bool used[REGIMEN_DAY] = {false};
    size_t slots = 0;
    for (size_t i = 0; i < result->dose_count; i++)
        used[result->times[i]] = true;
    for (int t = 0; t < REGIMEN_DAY; t++) {
        if (!used[t])
            continue;
        if (slots >= result->slot_count || result->slot_times[slots] != t)
            return claim_error(err, "slot_times are not the times of the schedule");
        slots++;
    }
    if (slots != result->slot_count)
        return claim_error(err, "slots is not the number of different times");
    struct sums sums = sums_of(regimen, result);
    if (sums.soft != result->soft_cost)
        return claim_error(err, "soft_cost is not what the schedule costs");
    if (sums.move != result->move_minutes || sums.anchor != result->anchor_minutes)
        return claim_error(err, "move_steps, move_minutes or anchor_minutes are not those of the schedule");
    if (sums.balance != result->balance_minutes)
        return claim_error(err, "balance_minutes are not those of the schedule");
    return 0;
}

static bool windows_apart(const struct model *model, const uint8_t *may, size_t a, size_t b)
{
    for (int c = 0; c < model->cells; c++) {
        if (!may[a * (size_t)model->cells + (size_t)c] || !may[b * (size_t)model->cells + (size_t)c])
            continue;
        bool allowed = true;
        for (size_t i = 0; i < model->relation_count; i++) {
            const struct relation *r = &model->relation[i];
            if ((r->a == a && r->b == b) || (r->a == b && r->b == a))
                allowed = r->ok[model->cells] && (!r->together || r->together[c]);
        }
        if (allowed)
            return false;
    }
    return true;
}

/* Does the named rule alone keep the two doses from one time? */
static bool reason_holds(const struct model *model, const uint8_t *may, const struct slots_apart *pair)
{
    const struct regimen *regimen = model->regimen;
    size_t da = model->drug[pair->a];
    size_t db = model->drug[pair->b];
    if (pair->why.kind == SLOTS_RULE_ORDER)
        return da == db && pair->why.place == da;
    if (pair->why.kind == SLOTS_RULE_TIMES)
        return windows_apart(model, may, pair->a, pair->b);
    bool sep = pair->why.kind == SLOTS_RULE_SEP;
    if (!sep && pair->why.kind != SLOTS_RULE_NOTSAME)
        return false;
    const struct regimen_separation *s = sep ? &regimen->separations[pair->why.place] : NULL;
    size_t a = sep ? s->a : regimen->not_same_slot[pair->why.place].a;
    size_t b = sep ? s->b : regimen->not_same_slot[pair->why.place].b;
    if (sep && (s->or_together || s->after + s->before == 0))
        return false;
    return ((a == da && b == db) || (a == db && b == da)) &&
           regimen_days_meet(&regimen->drugs[a].days, &regimen->drugs[b].days, 0, regimen->period_days);
}

static int check_clique(const struct model *model, const struct slots_result *result, struct error *err)
{
    size_t n = result->clique_count;
    uint8_t fresh[REGIMEN_DOSES_MAX];
    memset(fresh, 1, sizeof fresh);
    bool open = model_narrow(model, model->may, fresh);
    if (!open)
        return claim_error(err, "the regimen has no schedule, a clique proves nothing");
    if (n != result->lower_bound)
        return claim_error(err, "the clique is not as large as lower_bound");
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            bool holds = false;
            for (size_t k = 0; k < result->apart_count && !holds; k++) {
                const struct slots_apart *pair = &result->apart[k];
                holds = pair->a == result->clique[i] && pair->b == result->clique[j] &&
                        reason_holds(model, model->may, pair);
            }
            if (!holds || result->clique[i] == result->clique[j])
                return error_set(err, E_TAMPERED,
                                 "clique members %zu and %zu are not apart for the reason given", i, j);
        }
    }
    return 0;
}

/* The lower bound of a result that has a schedule. */
static int check_bound(const struct regimen *regimen, const struct slots_result *result, struct arena *arena,
                       struct error *err)
{
    struct model model;
    if (result->status == SLOTS_OPTIMAL && result->lower_bound != result->slot_count)
        return claim_error(err, "the result is called optimal, but lower_bound is not slots");
    if (result->lower_bound > result->slot_count)
        return claim_error(err, "lower_bound is more than slots");
    if (result->lower_bound == 0 || result->proof == SLOTS_PROOF_NONE)
        return result->lower_bound == 0 || result->status == SLOTS_BUDGET
                   ? 0
                   : claim_error(err, "lower_bound has no proof");
    if (!model_create(&model, regimen, NULL, 0, arena))
        return error_set(err, E_MEMORY, "no memory to check a proof");
    if (result->proof == SLOTS_PROOF_CLIQUE)
        return check_clique(&model, result, err);
    bool groups = result->proof == SLOTS_PROOF_GROUPS;
    if ((!groups && result->proof != SLOTS_PROOF_TREE) || result->refuted_slots != result->lower_bound - 1 ||
        result->refuted_slots == 0 || result->refuted_slots > SLOTS_MAX)
        return claim_error(err, "the proof is not one of lower_bound");
    return (groups ? replay_groups : replay_slots)(&model, result, (int)result->refuted_slots, arena, err);
}

static int check_infeasible(const struct regimen *regimen, const struct slots_result *result,
                            struct arena *arena, struct error *err)
{
    struct model model;
    if (result->has_schedule)
        return claim_error(err, "an infeasible result with a schedule");
    if (result->conflict_count == 0 || result->proof != SLOTS_PROOF_TIMES)
        return claim_error(err, "an infeasible result without a conflict and its proof");
    if (!model_create(&model, regimen, result->conflict, result->conflict_count, arena))
        return error_set(err, E_MEMORY, "no memory to check a proof");
    return replay_times(&model, result, arena, err);
}

int proof_check(const struct regimen *regimen, const struct slots_result *result, struct error *err)
{
    struct arena arena;
    int rc = 0;
    arena_init(&arena, 0);
    if (result->status == SLOTS_INFEASIBLE)
        rc = check_infeasible(regimen, result, &arena, err);
    else if (result->has_schedule)
        rc = check_witness(regimen, result, err);
    else if (result->status == SLOTS_OPTIMAL)
        rc = claim_error(err, "the result is called optimal, but has no schedule");
    if (!rc && result->status != SLOTS_INFEASIBLE && result->has_schedule)
        rc = check_bound(regimen, result, &arena, err);
    arena_finish(&arena);
    return rc;
}
