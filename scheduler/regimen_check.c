/* SPDX-License-Identifier: Apache-2.0 */
/* regimen_check: what a regimen must keep before anything is computed with it. One sentence a fault. */
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "scheduler/regimen.h"

static bool check_day_minute(int minute)
{
    return minute >= 0 && minute < REGIMEN_DAY;
}

/* Ids become parts of names such as "window:ID" and of messages on one line. */
static int check_id(const char *id, const char *what, struct error *err)
{
    if (!id || !id[0])
        return error_set(err, E_INPUT, "%s: an id is missing or empty", what);
    if (strlen(id) > REGIMEN_ID_BYTES_MAX)
        return error_set(err, E_LIMIT, "%s: an id of more than %d bytes", what, REGIMEN_ID_BYTES_MAX);
    for (const char *c = id; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return error_set(err, E_INPUT, "%s: an id with a control character", what);
    }
    return 0;
}

static int check_patient(const struct regimen *regimen, struct error *err)
{
    const struct regimen_patient *p = &regimen->patient;
    if (!check_day_minute(p->day_start))
        return error_set(err, E_INPUT, "patient.day_start: %d is no minute of the day", p->day_start);
    if (!check_day_minute(p->wake) || !check_day_minute(p->bed))
        return error_set(err, E_INPUT, "patient: wake %d and bed %d must be minutes 0..%d after day_start",
                         p->wake, p->bed, REGIMEN_DAY - 1);
    if (p->wake >= p->bed)
        return error_set(err, E_INPUT,
                         "patient: bed (%d) must come after wake (%d); let day_start lie before waking",
                         p->bed, p->wake);
    for (int m = 0; m < REGIMEN_MEALS; m++) {
        if (p->meals[m] != REGIMEN_NONE && !check_day_minute(p->meals[m]))
            return error_set(err, E_INPUT, "patient.meals: %d is no minute 0..%d after day_start",
                             p->meals[m], REGIMEN_DAY - 1);
    }
    return 0;
}

static int check_intervals(struct regimen_intervals intervals, const char *what, struct error *err)
{
    if (intervals.count > REGIMEN_INTERVALS_MAX)
        return error_set(err, E_LIMIT, "%s: more than %d intervals", what, REGIMEN_INTERVALS_MAX);
    for (size_t i = 0; i < intervals.count; i++) {
        struct regimen_interval run = intervals.item[i];
        if (run.from < 0 || run.to >= REGIMEN_DAY || run.from > run.to)
            return error_set(err, E_INPUT, "%s: [%d,%d] is no interval within 0..%d", what, run.from, run.to,
                             REGIMEN_DAY - 1);
    }
    return 0;
}

static int check_dose(const struct regimen_dose *dose, struct error *err)
{
    if (!dose->allowed.item)
        return error_set(err, E_INPUT, "neither `allowed` nor a `window` says when");
    int rc = check_intervals(dose->allowed, "allowed", err);
    if (rc)
        return rc;
    if (dose->pills_milli <= 0 || dose->pills_milli > REGIMEN_PILLS_MILLI_MAX)
        return error_set(err, E_INPUT, "pills must be more than 0 and at most %d",
                         REGIMEN_PILLS_MILLI_MAX / 1000);
    if (dose->soft_count > REGIMEN_SOFT_MAX)
        return error_set(err, E_LIMIT, "more than %d soft terms", REGIMEN_SOFT_MAX);
    for (size_t s = 0; s < dose->soft_count; s++) {
        if (dose->soft[s].cost < 0 || dose->soft[s].cost > REGIMEN_SOFT_COST_MAX)
            return error_set(err, E_INPUT, "soft cost must be 0..%d", REGIMEN_SOFT_COST_MAX);
        rc = check_intervals(dose->soft[s].unless_in, "unless_in", err);
        if (rc)
            return rc;
    }
    return 0;
}

static int check_bounds(int min, int max, const char *what, struct error *err)
{
    if (min != REGIMEN_NONE && !(min >= 0 && min <= 2 * REGIMEN_DAY))
        return error_set(err, E_INPUT, "%s_min: %d is outside 0..%d", what, min, 2 * REGIMEN_DAY);
    if (max != REGIMEN_NONE && !(max >= 0 && max <= 2 * REGIMEN_DAY))
        return error_set(err, E_INPUT, "%s_max: %d is outside 0..%d", what, max, 2 * REGIMEN_DAY);
    if (min != REGIMEN_NONE && max != REGIMEN_NONE && min > max)
        return error_set(err, E_INPUT, "%s_min (%d) is more than %s_max (%d)", what, min, what, max);
    return 0;
}

static int check_drug(const struct regimen *regimen, const struct regimen_drug *drug, struct error *err)
{
    if (strlen(drug->name) > REGIMEN_NAME_BYTES_MAX)
        return error_set(err, E_LIMIT, "a name of more than %d bytes", REGIMEN_NAME_BYTES_MAX);
    if (drug->dose_count == 0)
        return error_set(err, E_INPUT, "no doses");
    int rc = check_bounds(drug->gap_min, drug->gap_max, "gap", err);
    if (!rc)
        rc = check_bounds(drug->overnight_min, drug->overnight_max, "overnight", err);
    if (!rc && drug->same_state && !drug->state.item)
        rc = error_set(err, E_INPUT, "same_state without times or a window");
    if (!rc && drug->same_state)
        rc = check_intervals(drug->state, "same_state", err);
    if (rc)
        return rc;
    bool taken = false;
    for (int d = 0; d < REGIMEN_PERIOD_MAX; d++) {
        if (!regimen_days_have(&drug->days, d))
            continue;
        if (d >= regimen->period_days)
            return error_set(err, E_INPUT, "day %d is not in 0..%d (period_days %d)", d,
                             regimen->period_days - 1, regimen->period_days);
        taken = true;
    }
    if (!taken)
        return error_set(err, E_INPUT, "taken on no day");
    for (size_t i = 0; i < drug->dose_count; i++) {
        if (drug->previous && !check_day_minute(drug->previous[i]))
            return error_set(err, E_INPUT, "previous[%zu]: %d is no minute 0..%d", i, drug->previous[i],
                             REGIMEN_DAY - 1);
        rc = check_dose(&drug->doses[i], err);
        if (rc) {
            (void)error_prefix(err, rc, "dose %zu", i + 1);
            return rc;
        }
    }
    return 0;
}

static int check_refs(const struct regimen *regimen, size_t a, size_t b, struct error *err)
{
    if (a >= regimen->drug_count || b >= regimen->drug_count)
        return error_set(err, E_INPUT, "names a drug that is not in the regimen");
    if (a == b)
        return error_set(err, E_INPUT, "a and b are the same drug; use gap_min and overnight_min");
    return 0;
}

static int check_separation(const struct regimen *regimen, const struct regimen_separation *sep,
                            struct error *err)
{
    int rc = check_refs(regimen, sep->a, sep->b, err);
    if (rc)
        return rc;
    if (sep->after < 0 || sep->after > REGIMEN_DAY || sep->before < 0 || sep->before > REGIMEN_DAY)
        return error_set(err, E_INPUT, "after (%d) and before (%d) must be 0..%d minutes", sep->after,
                         sep->before, REGIMEN_DAY);
    if (sep->or_together && !sep->together.item)
        return error_set(err, E_INPUT, "or_together without times or a window");
    return sep->or_together ? check_intervals(sep->together, "or_together", err) : 0;
}

static int check_pair(const struct regimen *regimen, const struct regimen_pair *pair, bool same,
                      struct error *err)
{
    int rc = check_refs(regimen, pair->a, pair->b, err);
    if (rc)
        return rc;
    size_t a = regimen->drugs[pair->a].dose_count;
    size_t b = regimen->drugs[pair->b].dose_count;
    if (same && a != b)
        return error_set(err, E_INPUT, "\"%s\" has %zu doses and \"%s\" has %zu; they are matched one by one",
                         regimen->drugs[pair->a].id, a, regimen->drugs[pair->b].id, b);
    return 0;
}

static int check_text_order(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static int check_unique(const char **ids, size_t count, const char *what, struct error *err)
{
    qsort(ids, count, sizeof *ids, check_text_order);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(ids[i - 1], ids[i]) == 0)
            return error_set(err, E_INPUT, "%s: the id \"%s\" stands twice", what, ids[i]);
    }
    return 0;
}

static int check_drugs(const struct regimen *regimen, struct error *err)
{
    const char *ids[REGIMEN_DRUGS_MAX];
    for (size_t i = 0; i < regimen->drug_count; i++) {
        const struct regimen_drug *drug = &regimen->drugs[i];
        int rc = check_id(drug->id, "drugs", err);
        if (rc)
            return rc;
        rc = check_drug(regimen, drug, err);
        if (rc) {
            (void)error_prefix(err, rc, "drug \"%s\"", drug->id);
            return rc;
        }
        ids[i] = drug->id;
    }
    return check_unique(ids, regimen->drug_count, "drugs", err);
}

static int check_separations(const struct regimen *regimen, struct error *err)
{
    const char *ids[REGIMEN_SEPARATIONS_MAX];
    for (size_t i = 0; i < regimen->separation_count; i++) {
        const struct regimen_separation *sep = &regimen->separations[i];
        int rc = check_id(sep->id, "separations", err);
        if (rc)
            return rc;
        rc = check_separation(regimen, sep, err);
        if (rc) {
            (void)error_prefix(err, rc, "separation \"%s\"", sep->id);
            return rc;
        }
        ids[i] = sep->id;
    }
    return check_unique(ids, regimen->separation_count, "separations", err);
}

static int check_pairs(const struct regimen *regimen, bool same, struct error *err)
{
    const char *ids[REGIMEN_PAIRS_MAX];
    const struct regimen_pair *pairs = same ? regimen->same_slot : regimen->not_same_slot;
    size_t count = same ? regimen->same_slot_count : regimen->not_same_slot_count;
    const char *what = same ? "same_slot" : "not_same_slot";
    for (size_t i = 0; i < count; i++) {
        int rc = check_id(pairs[i].id, what, err);
        if (rc)
            return rc;
        rc = check_pair(regimen, &pairs[i], same, err);
        if (rc) {
            (void)error_prefix(err, rc, "%s \"%s\"", what, pairs[i].id);
            return rc;
        }
        ids[i] = pairs[i].id;
    }
    return check_unique(ids, count, what, err);
}

int regimen_check(const struct regimen *regimen, struct error *err)
{
    if (regimen->grid < 1 || regimen->grid > REGIMEN_DAY || REGIMEN_DAY % regimen->grid)
        return error_set(err, E_INPUT, "grid: %d does not divide %d minutes", regimen->grid, REGIMEN_DAY);
    if (regimen->period_days < 1 || regimen->period_days > REGIMEN_PERIOD_MAX)
        return error_set(err, E_LIMIT, "period_days: %d is outside 1..%d", regimen->period_days,
                         REGIMEN_PERIOD_MAX);
    if (regimen->drug_count > REGIMEN_DRUGS_MAX || regimen_dose_total(regimen) > REGIMEN_DOSES_MAX)
        return error_set(err, E_LIMIT, "more than %d drugs or %d doses a day", REGIMEN_DRUGS_MAX,
                         REGIMEN_DOSES_MAX);
    if (regimen->separation_count > REGIMEN_SEPARATIONS_MAX || regimen->same_slot_count > REGIMEN_PAIRS_MAX ||
        regimen->not_same_slot_count > REGIMEN_PAIRS_MAX)
        return error_set(err, E_LIMIT, "more than %d separations or %d pairs", REGIMEN_SEPARATIONS_MAX,
                         REGIMEN_PAIRS_MAX);
    int rc = check_patient(regimen, err);
    if (!rc)
        rc = check_drugs(regimen, err);
    if (!rc)
        rc = check_separations(regimen, err);
    if (!rc)
        rc = check_pairs(regimen, true, err);
    if (!rc)
        rc = check_pairs(regimen, false, err);
    return rc;
}
