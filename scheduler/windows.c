/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clinical windows to intervals. A rule is evaluated point by point over the grid, so that or and and are
 * plain set operations and the intervals that come out are the maximal runs of grid points. Every kind stays
 * within the waking day.
 */
#include "scheduler/regimen.h"

#include <string.h>

#include "config/base/error.h"

enum { WINDOW_MINUTES_LIMIT = REGIMEN_DAY };

enum window_field {
    FIELD_BEFORE = 1,
    FIELD_AFTER = 2,
    FIELD_MIN = 4,
    FIELD_MAX = 8,
    FIELD_WITHIN = 16,
    FIELD_FROM = 32,
    FIELD_TO = 64,
};

/* Defaults of the parameters that a kind uses. */
static const struct window_row {
    const char *name;
    unsigned fields; /* enum window_field */
    int before, after, min, max, within, from, to;
} window_table[REGIMEN_WINDOW_KINDS] = {
    [REGIMEN_WINDOW_ANY] = {.name = "any"},
    [REGIMEN_WINDOW_INTERVALS] = {.name = "intervals"},
    [REGIMEN_WINDOW_WITH_FOOD] = {.name = "with_food",
                                  .fields = FIELD_BEFORE | FIELD_AFTER,
                                  .before = 15,
                                  .after = 30},
    [REGIMEN_WINDOW_EMPTY_STOMACH] = {.name = "empty_stomach",
                                      .fields = FIELD_BEFORE | FIELD_AFTER,
                                      .before = 60,
                                      .after = 120},
    [REGIMEN_WINDOW_BEFORE_MEAL] = {.name = "before_meal",
                                    .fields = FIELD_MIN | FIELD_MAX,
                                    .min = 30,
                                    .max = 60},
    [REGIMEN_WINDOW_AFTER_LAST_MEAL] = {.name = "after_last_meal", .fields = FIELD_MIN, .min = 180},
    [REGIMEN_WINDOW_ON_WAKING] = {.name = "on_waking", .fields = FIELD_WITHIN, .within = 15},
    [REGIMEN_WINDOW_MORNING] = {.name = "morning", .fields = FIELD_WITHIN, .within = 240},
    [REGIMEN_WINDOW_EVENING] = {.name = "evening", .fields = FIELD_BEFORE, .before = 60},
    [REGIMEN_WINDOW_BEDTIME] = {.name = "bedtime", .fields = FIELD_WITHIN, .within = 60},
    [REGIMEN_WINDOW_FROM_WAKE] = {.name = "from_wake", .fields = FIELD_FROM | FIELD_TO, .to = REGIMEN_DAY},
    [REGIMEN_WINDOW_BEFORE_BED] = {.name = "before_bed", .fields = FIELD_MIN},
    [REGIMEN_WINDOW_OR] = {.name = "or"},
    [REGIMEN_WINDOW_AND] = {.name = "and"},
};

const char *window_name(enum regimen_window_kind kind)
{
    return (unsigned)kind < REGIMEN_WINDOW_KINDS ? window_table[kind].name : NULL;
}

bool window_kind_of(const char *name, enum regimen_window_kind *ret)
{
    for (unsigned i = 0; i < REGIMEN_WINDOW_KINDS; i++) {
        if (strcmp(window_table[i].name, name) == 0) {
            *ret = (enum regimen_window_kind)i;
            return true;
        }
    }
    return false;
}

struct regimen_window window_default(enum regimen_window_kind kind)
{
    return (struct regimen_window){
        .kind = kind,
        .before = REGIMEN_WINDOW_DEFAULT,
        .after = REGIMEN_WINDOW_DEFAULT,
        .min = REGIMEN_WINDOW_DEFAULT,
        .max = REGIMEN_WINDOW_DEFAULT,
        .within = REGIMEN_WINDOW_DEFAULT,
        .from = REGIMEN_WINDOW_DEFAULT,
        .to = REGIMEN_WINDOW_DEFAULT,
    };
}

static int window_pick(int value, int fallback)
{
    return value == REGIMEN_WINDOW_DEFAULT ? fallback : value;
}

/* The window with every default filled in. */
static struct regimen_window window_fill(const struct regimen_window *window)
{
    const struct window_row *row = &window_table[window->kind];
    struct regimen_window full = *window;
    full.before = window_pick(window->before, row->before);
    full.after = window_pick(window->after, row->after);
    full.min = window_pick(window->min, row->min);
    full.max = window_pick(window->max, row->max);
    full.within = window_pick(window->within, row->within);
    full.from = window_pick(window->from, row->from);
    full.to = window_pick(window->to, row->to);
    return full;
}

static bool window_in_range(int value)
{
    return value >= -WINDOW_MINUTES_LIMIT && value <= WINDOW_MINUTES_LIMIT;
}

static int window_validate(const struct regimen_window *window, int depth, struct error *err)
{
    if ((unsigned)window->kind >= REGIMEN_WINDOW_KINDS)
        return error_set(err, E_INPUT, "a window of an unknown kind");
    const char *name = window_table[window->kind].name;
    if (depth > REGIMEN_WINDOW_DEPTH_MAX)
        return error_set(err, E_LIMIT, "windows nested more than %d deep", REGIMEN_WINDOW_DEPTH_MAX);
    struct regimen_window full = window_fill(window);
    const int values[] = {full.before, full.after, full.min, full.max, full.within, full.from, full.to};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (!window_in_range(values[i]))
            return error_set(err, E_INPUT, "window %s: %d minutes is outside -%d..%d", name, values[i],
                             WINDOW_MINUTES_LIMIT, WINDOW_MINUTES_LIMIT);
    }
    if (window->meals >= 1u << REGIMEN_MEALS)
        return error_set(err, E_INPUT, "window %s: unknown meal", name);
    bool joins = window->kind == REGIMEN_WINDOW_OR || window->kind == REGIMEN_WINDOW_AND;
    if (!joins)
        return 0;
    if (window->part_count == 0 || window->part_count > REGIMEN_WINDOW_PARTS_MAX)
        return error_set(err, E_LIMIT, "window %s needs 1..%d members, not %zu", name,
                         REGIMEN_WINDOW_PARTS_MAX, window->part_count);
    for (size_t i = 0; i < window->part_count; i++) {
        int rc = window_validate(&window->parts[i], depth + 1, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* Is t in [meal - before, meal + after] of one of the meals? */
static bool window_near_meal(const struct regimen_window *w, const struct regimen_patient *p, int t,
                             int before, int after)
{
    for (int m = 0; m < REGIMEN_MEALS; m++) {
        bool meant = w->meals == 0 || (w->meals & (1u << m));
        if (meant && p->meals[m] != REGIMEN_NONE && t >= p->meals[m] - before && t <= p->meals[m] + after)
            return true;
    }
    return false;
}

/* At least `before` minutes before and `after` minutes after each meal. */
static bool window_fasting(const struct regimen_window *w, const struct regimen_patient *p, int t)
{
    for (int m = 0; m < REGIMEN_MEALS; m++) {
        bool meant = w->meals == 0 || (w->meals & (1u << m));
        if (meant && p->meals[m] != REGIMEN_NONE && t > p->meals[m] - w->before && t < p->meals[m] + w->after)
            return false;
    }
    return true;
}

static int window_last_meal(const struct regimen_patient *p)
{
    int last = REGIMEN_NONE;
    for (int m = 0; m < REGIMEN_MEALS; m++)
        last = p->meals[m] > last ? p->meals[m] : last;
    return last;
}

/* Where the evening begins: `before` minutes before dinner, and without a dinner before half past the waking
 * day. */
static int window_evening_from(const struct regimen_window *w, const struct regimen_patient *p)
{
    int dinner = p->meals[REGIMEN_DINNER];
    return (dinner != REGIMEN_NONE ? dinner : p->wake + (p->bed - p->wake) * 3 / 4) - w->before;
}

static bool window_holds(const struct regimen_window *window, const struct regimen_patient *p, int t)
{
    if (t < p->wake || t > p->bed)
        return false;
    struct regimen_window w = window_fill(window);
    switch (w.kind) {
    case REGIMEN_WINDOW_ANY:
        return true;
    case REGIMEN_WINDOW_WITH_FOOD:
        return window_near_meal(&w, p, t, w.before, w.after);
    case REGIMEN_WINDOW_EMPTY_STOMACH:
        return window_fasting(&w, p, t);
    case REGIMEN_WINDOW_BEFORE_MEAL:
        return window_near_meal(&w, p, t, w.max, -w.min);
    case REGIMEN_WINDOW_AFTER_LAST_MEAL:
        return window_last_meal(p) != REGIMEN_NONE && t >= window_last_meal(p) + w.min;
    case REGIMEN_WINDOW_ON_WAKING:
    case REGIMEN_WINDOW_MORNING:
        return t <= p->wake + w.within;
    case REGIMEN_WINDOW_EVENING:
        return t >= window_evening_from(&w, p);
    case REGIMEN_WINDOW_BEDTIME:
        return t >= p->bed - w.within;
    case REGIMEN_WINDOW_FROM_WAKE:
        return t >= p->wake + w.from && t <= p->wake + w.to;
    case REGIMEN_WINDOW_BEFORE_BED:
        return t <= p->bed - w.min;
    case REGIMEN_WINDOW_OR:
        for (size_t i = 0; i < w.part_count; i++) {
            if (window_holds(&w.parts[i], p, t))
                return true;
        }
        return false;
    case REGIMEN_WINDOW_AND:
        for (size_t i = 0; i < w.part_count; i++) {
            if (!window_holds(&w.parts[i], p, t))
                return false;
        }
        return true;
    case REGIMEN_WINDOW_INTERVALS:
    case REGIMEN_WINDOW_KINDS:
        break;
    }
    return false;
}

int window_compile(const struct regimen_window *window, const struct regimen_patient *patient, int grid,
                   struct regimen_interval out[REGIMEN_INTERVALS_MAX], struct error *err)
{
    int rc = window_validate(window, 1, err);
    if (rc)
        return rc;
    int count = 0;
    bool open = false;
    for (int t = 0; t < REGIMEN_DAY; t += grid) {
        bool in = window_holds(window, patient, t);
        if (in && !open) {
            if (count == REGIMEN_INTERVALS_MAX)
                return error_set(err, E_LIMIT, "a window of more than %d intervals", REGIMEN_INTERVALS_MAX);
            out[count].from = t;
            count++;
        }
        if (in)
            out[count - 1].to = t;
        open = in;
    }
    return count;
}
