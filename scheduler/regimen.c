/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/regimen.h"

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"

static int regimen_no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for a regimen");
}

struct regimen *regimen_create(struct arena *arena, const char *id, int grid, int period_days)
{
    struct regimen *regimen = arena_alloc(arena, sizeof *regimen);
    if (!regimen)
        return NULL;
    regimen->grid = grid;
    regimen->period_days = period_days;
    regimen->id = arena_text(arena, id, strlen(id));
    regimen->drugs = arena_array(arena, REGIMEN_DRUGS_MAX, sizeof *regimen->drugs);
    regimen->separations = arena_array(arena, REGIMEN_SEPARATIONS_MAX, sizeof *regimen->separations);
    regimen->same_slot = arena_array(arena, REGIMEN_PAIRS_MAX, sizeof *regimen->same_slot);
    regimen->not_same_slot = arena_array(arena, REGIMEN_PAIRS_MAX, sizeof *regimen->not_same_slot);
    if (!regimen->id || !regimen->drugs || !regimen->separations || !regimen->same_slot ||
        !regimen->not_same_slot)
        return NULL;
    for (int m = 0; m < REGIMEN_MEALS; m++)
        regimen->patient.meals[m] = REGIMEN_NONE;
    return regimen;
}

int regimen_add_drug(struct regimen *regimen, struct arena *arena, const char *id, const char *name,
                     size_t dose_count, struct regimen_drug **ret, struct error *err)
{
    if (regimen->drug_count == REGIMEN_DRUGS_MAX)
        return error_set(err, E_LIMIT, "regimen \"%s\": more than %d drugs", regimen->id, REGIMEN_DRUGS_MAX);
    if (dose_count > REGIMEN_DOSES_MAX - regimen_dose_total(regimen))
        return error_set(err, E_LIMIT, "regimen \"%s\": more than %d doses a day", regimen->id,
                         REGIMEN_DOSES_MAX);
    struct regimen_drug drug = {
        .id = arena_text(arena, id, strlen(id)),
        .name = arena_text(arena, name, strlen(name)),
        .doses = arena_array(arena, dose_count, sizeof(struct regimen_dose)),
        .dose_count = dose_count,
        .gap_min = REGIMEN_NONE,
        .gap_max = REGIMEN_NONE,
        .overnight_min = REGIMEN_NONE,
        .overnight_max = REGIMEN_NONE,
    };
    if (!drug.id || !drug.name || !drug.doses)
        return regimen_no_memory(err);
    for (size_t i = 0; i < dose_count; i++)
        drug.doses[i].pills_milli = 1000;
    regimen_days_all(&drug.days, regimen->period_days);
    *ret = &regimen->drugs[regimen->drug_count];
    regimen->drugs[regimen->drug_count++] = drug;
    return 0;
}

int regimen_add_separation(struct regimen *regimen, struct arena *arena, const char *id, size_t drug_a,
                           size_t drug_b, int after, int before, struct error *err)
{
    if (regimen->separation_count == REGIMEN_SEPARATIONS_MAX)
        return error_set(err, E_LIMIT, "regimen \"%s\": more than %d separations", regimen->id,
                         REGIMEN_SEPARATIONS_MAX);
    const char *copy = arena_text(arena, id, strlen(id));
    if (!copy)
        return regimen_no_memory(err);
    regimen->separations[regimen->separation_count++] =
        (struct regimen_separation){.id = copy, .a = drug_a, .b = drug_b, .after = after, .before = before};
    return 0;
}

static int regimen_add_pair(struct regimen_pair *pairs, size_t *count, struct arena *arena,
                            struct regimen_pair pair, const char *what, struct error *err)
{
    if (*count == REGIMEN_PAIRS_MAX)
        return error_set(err, E_LIMIT, "more than %d %s rules", REGIMEN_PAIRS_MAX, what);
    pair.id = arena_text(arena, pair.id, strlen(pair.id));
    if (!pair.id)
        return regimen_no_memory(err);
    pairs[(*count)++] = pair;
    return 0;
}

int regimen_add_same_slot(struct regimen *regimen, struct arena *arena, const char *id, size_t drug_a,
                          size_t drug_b, struct error *err)
{
    return regimen_add_pair(regimen->same_slot, &regimen->same_slot_count, arena,
                            (struct regimen_pair){.id = id, .a = drug_a, .b = drug_b}, "same_slot", err);
}

int regimen_add_not_same_slot(struct regimen *regimen, struct arena *arena, const char *id, size_t drug_a,
                              size_t drug_b, struct error *err)
{
    return regimen_add_pair(regimen->not_same_slot, &regimen->not_same_slot_count, arena,
                            (struct regimen_pair){.id = id, .a = drug_a, .b = drug_b}, "not_same_slot", err);
}

int regimen_intervals_copy(struct regimen_intervals *to, struct arena *arena,
                           const struct regimen_interval *item, size_t count, struct error *err)
{
    struct regimen_interval *copy = arena_array(arena, count, sizeof *copy);
    if (!copy)
        return regimen_no_memory(err);
    for (size_t i = 0; i < count; i++)
        copy[i] = item[i];
    *to = (struct regimen_intervals){.item = copy, .count = count};
    return 0;
}

static int regimen_compile_window(const struct regimen *regimen, const struct regimen_window *window,
                                  struct regimen_intervals *to, struct arena *arena, struct error *err)
{
    if (!window || to->item)
        return 0;
    struct regimen_interval runs[REGIMEN_INTERVALS_MAX];
    int count = window_compile(window, &regimen->patient, regimen->grid, runs, err);
    if (count < 0)
        return count;
    return regimen_intervals_copy(to, arena, runs, (size_t)count, err);
}

int regimen_compile(struct regimen *regimen, struct arena *arena, struct error *err)
{
    if (regimen->grid < 1 || regimen->grid > REGIMEN_DAY)
        return error_set(err, E_INPUT, "grid: %d does not divide %d minutes", regimen->grid, REGIMEN_DAY);
    for (size_t d = 0; d < regimen->drug_count; d++) {
        struct regimen_drug *drug = &regimen->drugs[d];
        int rc = regimen_compile_window(regimen, drug->state_window, &drug->state, arena, err);
        for (size_t i = 0; !rc && i < drug->dose_count; i++)
            rc = regimen_compile_window(regimen, drug->doses[i].window, &drug->doses[i].allowed, arena, err);
        if (rc) {
            (void)error_prefix(err, rc, "drug \"%s\"", drug->id);
            return rc;
        }
    }
    for (size_t s = 0; s < regimen->separation_count; s++) {
        struct regimen_separation *sep = &regimen->separations[s];
        int rc = regimen_compile_window(regimen, sep->together_window, &sep->together, arena, err);
        if (rc) {
            (void)error_prefix(err, rc, "separation \"%s\"", sep->id);
            return rc;
        }
    }
    return 0;
}

/* One thing to order: its id and where it stood. */
struct regimen_place {
    const char *id;
    size_t place;
};

static int regimen_place_order(const void *a, const void *b)
{
    const struct regimen_place *left = a;
    const struct regimen_place *right = b;
    int order = strcmp(left->id, right->id); /* strcmp compares as unsigned bytes */
    if (order)
        return order;
    return (left->place > right->place) - (left->place < right->place);
}

/* Sorts pairs by id after their references were moved. */
static int regimen_sort_pairs(struct regimen_pair *pairs, size_t count, const size_t *moved,
                              struct arena *arena, struct error *err)
{
    struct regimen_place *places = arena_array(arena, count, sizeof *places);
    struct regimen_pair *old = arena_array(arena, count, sizeof *old);
    if (!places || !old)
        return regimen_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct regimen_place){.id = pairs[i].id, .place = i};
        old[i] = pairs[i];
    }
    qsort(places, count, sizeof *places, regimen_place_order);
    for (size_t i = 0; i < count; i++) {
        pairs[i] = old[places[i].place];
        pairs[i].a = moved[pairs[i].a];
        pairs[i].b = moved[pairs[i].b];
    }
    return 0;
}

static int regimen_sort_separations(struct regimen *regimen, const size_t *moved, struct arena *arena,
                                    struct error *err)
{
    size_t count = regimen->separation_count;
    struct regimen_place *places = arena_array(arena, count, sizeof *places);
    struct regimen_separation *old = arena_array(arena, count, sizeof *old);
    if (!places || !old)
        return regimen_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct regimen_place){.id = regimen->separations[i].id, .place = i};
        old[i] = regimen->separations[i];
    }
    qsort(places, count, sizeof *places, regimen_place_order);
    for (size_t i = 0; i < count; i++) {
        struct regimen_separation *sep = &regimen->separations[i];
        *sep = old[places[i].place];
        sep->a = moved[sep->a];
        sep->b = moved[sep->b];
    }
    return 0;
}

int regimen_sort(struct regimen *regimen, struct arena *arena, struct error *err)
{
    size_t count = regimen->drug_count;
    struct regimen_place *places = arena_array(arena, count, sizeof *places);
    struct regimen_drug *old = arena_array(arena, count, sizeof *old);
    size_t *moved = arena_array(arena, count, sizeof *moved);
    if (!places || !old || !moved)
        return regimen_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct regimen_place){.id = regimen->drugs[i].id, .place = i};
        old[i] = regimen->drugs[i];
    }
    qsort(places, count, sizeof *places, regimen_place_order);
    for (size_t i = 0; i < count; i++) {
        regimen->drugs[i] = old[places[i].place];
        moved[places[i].place] = i;
    }
    int rc = regimen_sort_separations(regimen, moved, arena, err);
    if (!rc)
        rc = regimen_sort_pairs(regimen->same_slot, regimen->same_slot_count, moved, arena, err);
    if (!rc)
        rc = regimen_sort_pairs(regimen->not_same_slot, regimen->not_same_slot_count, moved, arena, err);
    return rc;
}

int regimen_ready(struct regimen *regimen, struct arena *arena, struct error *err)
{
    int rc = regimen_compile(regimen, arena, err);
    if (!rc)
        rc = regimen_check(regimen, err);
    if (!rc)
        rc = regimen_sort(regimen, arena, err);
    return rc;
}

size_t regimen_dose_total(const struct regimen *regimen)
{
    size_t total = 0;
    for (size_t i = 0; i < regimen->drug_count; i++)
        total += regimen->drugs[i].dose_count;
    return total;
}

size_t regimen_find_drug(const struct regimen *regimen, const char *id)
{
    for (size_t i = 0; i < regimen->drug_count; i++) {
        if (strcmp(regimen->drugs[i].id, id) == 0)
            return i;
    }
    return regimen->drug_count;
}

bool regimen_intervals_hold(struct regimen_intervals intervals, int minute)
{
    for (size_t i = 0; i < intervals.count; i++) {
        if (minute >= intervals.item[i].from && minute <= intervals.item[i].to)
            return true;
    }
    return false;
}

void regimen_days_add(struct regimen_days *days, int day)
{
    days->word[day / 64] |= UINT64_C(1) << (day % 64);
}

bool regimen_days_have(const struct regimen_days *days, int day)
{
    return days->word[day / 64] >> (day % 64) & 1;
}

void regimen_days_all(struct regimen_days *days, int period_days)
{
    *days = (struct regimen_days){{0}};
    for (int d = 0; d < period_days && d < REGIMEN_PERIOD_MAX; d++)
        regimen_days_add(days, d);
}

bool regimen_days_meet(const struct regimen_days *a, const struct regimen_days *b, int offset,
                       int period_days)
{
    if (period_days == 1)
        return regimen_days_have(a, 0) && regimen_days_have(b, 0);
    for (int d = 0; d < period_days; d++) {
        if (regimen_days_have(a, d) && regimen_days_have(b, (d + offset + period_days) % period_days))
            return true;
    }
    return false;
}

static void canonical_text(struct buf *out, const char *text)
{
    buf_printf(out, " %zu:%s", strlen(text), text);
}

/* Grid points as runs "from-to". */
static void canonical_times(struct buf *out, struct regimen_intervals intervals, int grid)
{
    bool open = false;
    int from = 0;
    for (int t = 0; t <= REGIMEN_DAY; t += grid) {
        bool in = t < REGIMEN_DAY && regimen_intervals_hold(intervals, t);
        if (in && !open)
            from = t;
        if (!in && open)
            buf_printf(out, " %d-%d", from, t - grid);
        open = in;
    }
    buf_text(out, ";");
}

static void canonical_drug(struct buf *out, const struct regimen *regimen, const struct regimen_drug *drug)
{
    buf_text(out, "drug");
    canonical_text(out, drug->id);
    canonical_text(out, drug->name);
    buf_printf(out, " gap %d %d night %d %d balance %d days ", drug->gap_min, drug->gap_max,
               drug->overnight_min, drug->overnight_max, drug->unbalanced ? 0 : 1);
    for (int d = 0; d < regimen->period_days; d++)
        buf_char(out, regimen_days_have(&drug->days, d) ? '1' : '0');
    if (drug->same_state) {
        buf_text(out, " state");
        canonical_times(out, drug->state, regimen->grid);
    }
    if (drug->previous) {
        buf_text(out, " previous");
        for (size_t i = 0; i < drug->dose_count; i++)
            buf_printf(out, " %d", drug->previous[i]);
    }
    buf_char(out, '\n');
    for (size_t i = 0; i < drug->dose_count; i++) {
        const struct regimen_dose *dose = &drug->doses[i];
        buf_printf(out, "dose %lld at", (long long)dose->pills_milli);
        canonical_times(out, dose->allowed, regimen->grid);
        for (size_t s = 0; s < dose->soft_count; s++) {
            buf_printf(out, " soft %lld unless", (long long)dose->soft[s].cost);
            canonical_times(out, dose->soft[s].unless_in, regimen->grid);
        }
        buf_char(out, '\n');
    }
}

static void canonical_pairs(struct buf *out, const struct regimen *regimen, const char *what,
                            const struct regimen_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_text(out, what);
        canonical_text(out, pairs[i].id);
        canonical_text(out, regimen->drugs[pairs[i].a].id);
        canonical_text(out, regimen->drugs[pairs[i].b].id);
        buf_char(out, '\n');
    }
}

void regimen_canonical(const struct regimen *regimen, struct buf *out)
{
    const struct regimen_patient *p = &regimen->patient;
    buf_text(out, "sachet-regimen/1");
    canonical_text(out, regimen->id);
    buf_printf(out, " grid %d period %d pouch %d patient %d %d %d meals %d %d %d\n", regimen->grid,
               regimen->period_days, regimen->pouch_max_pills, p->day_start, p->wake, p->bed,
               p->meals[REGIMEN_BREAKFAST], p->meals[REGIMEN_LUNCH], p->meals[REGIMEN_DINNER]);
    for (size_t i = 0; i < regimen->drug_count; i++)
        canonical_drug(out, regimen, &regimen->drugs[i]);
    for (size_t i = 0; i < regimen->separation_count; i++) {
        const struct regimen_separation *sep = &regimen->separations[i];
        buf_text(out, "sep");
        canonical_text(out, sep->id);
        canonical_text(out, regimen->drugs[sep->a].id);
        canonical_text(out, regimen->drugs[sep->b].id);
        buf_printf(out, " after %d before %d", sep->after, sep->before);
        if (sep->or_together) {
            buf_text(out, " together");
            canonical_times(out, sep->together, regimen->grid);
        }
        buf_char(out, '\n');
    }
    canonical_pairs(out, regimen, "same", regimen->same_slot, regimen->same_slot_count);
    canonical_pairs(out, regimen, "notsame", regimen->not_same_slot, regimen->not_same_slot_count);
}
