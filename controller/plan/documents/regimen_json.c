/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/regimen_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/documents/json_read.h"
#include "controller/seal/seal.h"

static const char *const meal_names[REGIMEN_MEALS] = {"breakfast", "lunch", "dinner"};

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for a regimen");
}

/* [[from,to],...] */
static int read_intervals(const json_t *array, const struct place *at, struct arena *arena,
                          struct regimen_intervals *ret, struct error *err)
{
    if (!json_is_array(array))
        return place_error(at, E_INPUT, err, "must be a list of [from,to]");
    size_t count = json_array_size(array);
    if (count > REGIMEN_INTERVALS_MAX)
        return place_error(at, E_LIMIT, err, "more than %d intervals", REGIMEN_INTERVALS_MAX);
    struct regimen_interval item[REGIMEN_INTERVALS_MAX];
    for (size_t i = 0; i < count; i++) {
        struct place here = {.up = at, .index = (int)i};
        const json_t *run = json_array_get(array, i);
        if (!json_is_array(run) || json_array_size(run) != 2)
            return place_error(&here, E_INPUT, err, "must be [from,to]");
        int rc = read_int_value(json_array_get(run, 0), &here, 0, REGIMEN_DAY - 1, &item[i].from, err);
        if (!rc)
            rc = read_int_value(json_array_get(run, 1), &here, 0, REGIMEN_DAY - 1, &item[i].to, err);
        if (rc)
            return rc;
        if (item[i].from > item[i].to)
            return place_error(&here, E_INPUT, err, "from %d is after to %d", item[i].from, item[i].to);
    }
    return regimen_intervals_copy(ret, arena, item, count, err);
}

static int read_meals(const json_t *array, const struct place *at, unsigned *ret, struct error *err)
{
    if (!json_is_array(array) || json_array_size(array) == 0)
        return place_error(at, E_INPUT, err, "must be a list of breakfast, lunch, dinner");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *name = json_string_value(json_array_get(array, i));
        int meal = 0;
        while (meal < REGIMEN_MEALS && (!name || strcmp(name, meal_names[meal]) != 0))
            meal++;
        if (meal == REGIMEN_MEALS)
            return place_error(at, E_INPUT, err, "must hold only breakfast, lunch, dinner");
        *ret |= 1u << meal;
    }
    return 0;
}

static int read_window(const json_t *object, const struct place *at, int depth, struct arena *arena,
                       struct regimen_window *ret, struct error *err)
{
    static const char *const known[] = {"kind",   "meals", "before", "after", "min", "max",
                                        "within", "from",  "to",     "of",    NULL};
    if (depth > REGIMEN_WINDOW_DEPTH_MAX)
        return place_error(at, E_LIMIT, err, "windows nested more than %d deep", REGIMEN_WINDOW_DEPTH_MAX);
    int rc = read_object(object, at, known, err);
    if (rc)
        return rc;
    const char *name = json_string_value(json_object_get(object, "kind"));
    enum regimen_window_kind kind;
    if (!name || !window_kind_of(name, &kind))
        return place_error(at, E_INPUT, err, "unknown kind of window: \"%s\"", name ? name : "");
    struct regimen_window window = window_default(kind);
    const struct {
        const char *name;
        int *to;
    } numbers[] = {{"before", &window.before}, {"after", &window.after},   {"min", &window.min},
                   {"max", &window.max},       {"within", &window.within}, {"from", &window.from},
                   {"to", &window.to}};
    for (size_t i = 0; !rc && i < sizeof numbers / sizeof numbers[0]; i++)
        rc = read_int(object, at, numbers[i].name, -REGIMEN_DAY, REGIMEN_DAY, REGIMEN_WINDOW_DEFAULT,
                      numbers[i].to, err);
    const json_t *meals = json_object_get(object, "meals");
    if (!rc && meals) {
        struct place here = {.up = at, .name = "meals"};
        rc = read_meals(meals, &here, &window.meals, err);
    }
    const json_t *of = json_object_get(object, "of");
    bool joins = kind == REGIMEN_WINDOW_OR || kind == REGIMEN_WINDOW_AND;
    if (!rc && joins != (of != NULL))
        rc = place_error(at, E_INPUT, err, joins ? "`of` is missing" : "`of` belongs to or, and");
    if (!rc && of) {
        size_t count = json_array_size(of);
        if (!json_is_array(of) || count == 0 || count > REGIMEN_WINDOW_PARTS_MAX)
            return place_error(at, E_LIMIT, err, "`of` must list 1..%d windows", REGIMEN_WINDOW_PARTS_MAX);
        struct regimen_window *parts = arena_array(arena, count, sizeof *parts);
        if (!parts)
            return no_memory(err);
        struct place list = {.up = at, .name = "of"};
        for (size_t i = 0; !rc && i < count; i++) {
            struct place here = {.up = &list, .index = (int)i};
            rc = read_window(json_array_get(of, i), &here, depth + 1, arena, &parts[i], err);
        }
        window.parts = parts;
        window.part_count = count;
    }
    *ret = window;
    return rc;
}

static int read_new_window(const json_t *object, const struct place *at, struct arena *arena,
                           const struct regimen_window **ret, struct error *err)
{
    struct regimen_window *window = arena_alloc(arena, sizeof *window);
    if (!window)
        return no_memory(err);
    *ret = window;
    return read_window(object, at, 1, arena, window, err);
}

/* A window object or a list of intervals. */
static int read_times(const json_t *value, const struct place *at, struct arena *arena,
                      struct regimen_intervals *intervals, const struct regimen_window **window,
                      struct error *err)
{
    return json_is_object(value) ? read_new_window(value, at, arena, window, err)
                                 : read_intervals(value, at, arena, intervals, err);
}

static int read_soft(const json_t *array, const struct place *at, struct arena *arena,
                     struct regimen_dose *dose, struct error *err)
{
    static const char *const known[] = {"cost", "unless_in", "why", NULL};
    if (!json_is_array(array))
        return place_error(at, E_INPUT, err, "must be a list");
    size_t count = json_array_size(array);
    if (count > REGIMEN_SOFT_MAX)
        return place_error(at, E_LIMIT, err, "more than %d soft terms", REGIMEN_SOFT_MAX);
    struct regimen_soft *soft = arena_array(arena, count, sizeof *soft);
    if (!soft)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct place here = {.up = at, .index = (int)i};
        const json_t *term = json_array_get(array, i);
        int cost = 0;
        int rc = read_object(term, &here, known, err);
        if (!rc && !json_object_get(term, "cost"))
            rc = place_error(&here, E_INPUT, err, "`cost` is missing");
        if (!rc)
            rc = read_int(term, &here, "cost", 0, REGIMEN_SOFT_COST_MAX, 0, &cost, err);
        struct place in = {.up = &here, .name = "unless_in"};
        if (!rc)
            rc = read_intervals(json_object_get(term, "unless_in"), &in, arena, &soft[i].unless_in, err);
        if (rc)
            return rc;
        soft[i].cost = cost;
    }
    dose->soft = soft;
    dose->soft_count = count;
    return 0;
}

static int read_dose(const json_t *object, const struct place *at, struct arena *arena,
                     struct regimen_dose *dose, struct error *err)
{
    static const char *const known[] = {"allowed", "window", "pills", "soft", NULL};
    int rc = read_object(object, at, known, err);
    const json_t *window = json_object_get(object, "window");
    const json_t *allowed = json_object_get(object, "allowed");
    const json_t *soft = json_object_get(object, "soft");
    const json_t *pills = json_object_get(object, "pills");
    struct place in_window = {.up = at, .name = "window"};
    struct place in_allowed = {.up = at, .name = "allowed"};
    struct place in_soft = {.up = at, .name = "soft"};
    if (!rc && window && !json_is_null(window))
        rc = read_new_window(window, &in_window, arena, &dose->window, err);
    if (!rc && allowed && !json_is_null(allowed))
        rc = read_intervals(allowed, &in_allowed, arena, &dose->allowed, err);
    if (!rc && !dose->allowed.item && (!dose->window || dose->window->kind == REGIMEN_WINDOW_INTERVALS))
        rc = place_error(at, E_INPUT, err, "neither `allowed` nor a clinical `window` says when");
    if (!rc && soft && !json_is_null(soft))
        rc = read_soft(soft, &in_soft, arena, dose, err);
    if (!rc && pills) {
        struct place in_pills = {.up = at, .name = "pills"};
        if (!json_is_number(pills) || !quantity_from_double(json_number_value(pills), &dose->pills_milli) ||
            dose->pills_milli <= 0 || dose->pills_milli > REGIMEN_PILLS_MILLI_MAX)
            rc = place_error(&in_pills, E_INPUT, err,
                             "must be a number more than 0, at most %d, with at most 3 places",
                             REGIMEN_PILLS_MILLI_MAX / 1000);
    }
    return rc;
}

static int read_days(const json_t *array, const struct place *at, int period, struct regimen_days *days,
                     struct error *err)
{
    *days = (struct regimen_days){{0}};
    if (!json_is_array(array) || json_array_size(array) == 0)
        return place_error(at, E_INPUT, err, "must be a list of days 0..%d", period - 1);
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct place here = {.up = at, .index = (int)i};
        int day;
        int rc = read_int_value(json_array_get(array, i), &here, 0, period - 1, &day, err);
        if (rc)
            return rc;
        if (regimen_days_have(days, day))
            return place_error(&here, E_INPUT, err, "day %d stands twice", day);
        regimen_days_add(days, day);
    }
    return 0;
}

static int read_previous(const json_t *array, const struct place *at, struct arena *arena,
                         struct regimen_drug *drug, struct error *err)
{
    if (!json_is_array(array) || json_array_size(array) != drug->dose_count)
        return place_error(at, E_INPUT, err, "must list one time for each of the %zu doses",
                           drug->dose_count);
    int *times = arena_array(arena, drug->dose_count, sizeof *times);
    if (!times)
        return no_memory(err);
    for (size_t i = 0; i < drug->dose_count; i++) {
        struct place here = {.up = at, .index = (int)i};
        int rc = read_int_value(json_array_get(array, i), &here, 0, REGIMEN_DAY - 1, &times[i], err);
        if (rc)
            return rc;
    }
    drug->previous = times;
    return 0;
}

static int read_drug(const json_t *object, const struct place *at, struct regimen *regimen,
                     struct arena *arena, struct error *err)
{
    static const char *const known[] = {"id",         "name",          "days",     "doses",         "gap_min",
                                        "gap_max",    "overnight_min", "previous", "overnight_max", "balance",
                                        "same_state", "tags",          NULL};
    const char *id = NULL;
    const char *name = NULL;
    struct regimen_drug *drug;
    int rc = read_object(object, at, known, err);
    if (!rc)
        rc = read_text(object, at, "id", true, &id, err);
    if (!rc)
        rc = read_text(object, at, "name", false, &name, err);
    const json_t *doses = json_object_get(object, "doses");
    if (!rc && (!json_is_array(doses) || json_array_size(doses) == 0))
        rc = place_error(at, E_INPUT, err, "`doses` must be a list of at least one dose");
    if (!rc)
        rc = regimen_add_drug(regimen, arena, id, name ? name : id, json_array_size(doses), &drug, err);
    if (rc)
        return rc;
    struct place list = {.up = at, .name = "doses"};
    for (size_t i = 0; !rc && i < drug->dose_count; i++) {
        struct place here = {.up = &list, .index = (int)i};
        rc = read_dose(json_array_get(doses, i), &here, arena, &drug->doses[i], err);
    }
    const struct {
        const char *name;
        int *to;
    } bounds[] = {{"gap_min", &drug->gap_min},
                  {"gap_max", &drug->gap_max},
                  {"overnight_min", &drug->overnight_min},
                  {"overnight_max", &drug->overnight_max}};
    for (size_t i = 0; !rc && i < sizeof bounds / sizeof bounds[0]; i++)
        rc = read_int(object, at, bounds[i].name, 0, 2 * REGIMEN_DAY, REGIMEN_NONE, bounds[i].to, err);
    const json_t *days = json_object_get(object, "days");
    struct place in_days = {.up = at, .name = "days"};
    if (!rc && days)
        rc = read_days(days, &in_days, regimen->period_days, &drug->days, err);
    const json_t *previous = json_object_get(object, "previous");
    struct place in_previous = {.up = at, .name = "previous"};
    if (!rc && previous && !json_is_null(previous))
        rc = read_previous(previous, &in_previous, arena, drug, err);
    const json_t *balance = json_object_get(object, "balance");
    if (!rc && balance && !json_is_boolean(balance))
        rc = place_error(at, E_INPUT, err, "`balance` must be true or false");
    drug->unbalanced = balance && json_is_false(balance);
    const json_t *state = json_object_get(object, "same_state");
    struct place in_state = {.up = at, .name = "same_state"};
    if (!rc && state && !json_is_null(state)) {
        drug->same_state = true;
        rc = read_times(state, &in_state, arena, &drug->state, &drug->state_window, err);
    }
    return rc;
}

static int read_reference(const json_t *object, const struct place *at, const char *member,
                          const struct regimen *regimen, size_t *ret, struct error *err)
{
    const char *id = NULL;
    int rc = read_text(object, at, member, true, &id, err);
    if (rc)
        return rc;
    *ret = regimen_find_drug(regimen, id);
    if (*ret == regimen->drug_count)
        return place_error(at, E_INPUT, err, "`%s` names \"%s\", which is no drug here", member, id);
    return 0;
}

static int read_separation(const json_t *object, const struct place *at, struct regimen *regimen,
                           struct arena *arena, struct error *err)
{
    static const char *const known[] = {"id", "a", "b", "after", "before", "or_together", "why", NULL};
    const char *id = NULL;
    size_t a = 0;
    size_t b = 0;
    int after = 0;
    int before = 0;
    int rc = read_object(object, at, known, err);
    if (!rc)
        rc = read_text(object, at, "id", true, &id, err);
    if (!rc)
        rc = read_reference(object, at, "a", regimen, &a, err);
    if (!rc)
        rc = read_reference(object, at, "b", regimen, &b, err);
    if (!rc)
        rc = read_int(object, at, "after", 0, REGIMEN_DAY, 0, &after, err);
    if (!rc)
        rc = read_int(object, at, "before", 0, REGIMEN_DAY, 0, &before, err);
    if (!rc)
        rc = regimen_add_separation(regimen, arena, id, a, b, after, before, err);
    const json_t *together = json_object_get(object, "or_together");
    if (!rc && together && !json_is_null(together)) {
        struct regimen_separation *sep = &regimen->separations[regimen->separation_count - 1];
        struct place here = {.up = at, .name = "or_together"};
        sep->or_together = true;
        rc = read_times(together, &here, arena, &sep->together, &sep->together_window, err);
    }
    return rc;
}

static int read_pair(const json_t *object, const struct place *at, bool same, struct regimen *regimen,
                     struct arena *arena, struct error *err)
{
    static const char *const known[] = {"id", "a", "b", "why", NULL};
    const char *id = NULL;
    size_t a = 0;
    size_t b = 0;
    int rc = read_object(object, at, known, err);
    if (!rc)
        rc = read_text(object, at, "id", true, &id, err);
    if (!rc)
        rc = read_reference(object, at, "a", regimen, &a, err);
    if (!rc)
        rc = read_reference(object, at, "b", regimen, &b, err);
    if (rc)
        return rc;
    return same ? regimen_add_same_slot(regimen, arena, id, a, b, err)
                : regimen_add_not_same_slot(regimen, arena, id, a, b, err);
}

static int read_patient(const json_t *object, const struct place *at, struct regimen_patient *patient,
                        struct error *err)
{
    static const char *const known[] = {"day_start", "wake", "bed", "meals", "clock", NULL};
    static const char *const meals_known[] = {"breakfast", "lunch", "dinner", NULL};
    const char *start = NULL;
    int rc = read_object(object, at, known, err);
    if (!rc)
        rc = read_text(object, at, "day_start", true, &start, err);
    if (!rc && !tod_parse(start, &patient->day_start))
        rc = place_error(at, E_INPUT, err, "`day_start` must be \"HH:MM\", not \"%s\"", start);
    if (!rc && (!json_object_get(object, "wake") || !json_object_get(object, "bed")))
        rc = place_error(at, E_INPUT, err, "`wake` and `bed` must be given");
    if (!rc)
        rc = read_int(object, at, "wake", 0, REGIMEN_DAY - 1, 0, &patient->wake, err);
    if (!rc)
        rc = read_int(object, at, "bed", 0, REGIMEN_DAY - 1, 0, &patient->bed, err);
    const json_t *meals = json_object_get(object, "meals");
    struct place here = {.up = at, .name = "meals"};
    if (!rc && meals)
        rc = read_object(meals, &here, meals_known, err);
    for (int m = 0; !rc && meals && m < REGIMEN_MEALS; m++)
        rc = read_int(meals, &here, meal_names[m], 0, REGIMEN_DAY - 1, REGIMEN_NONE, &patient->meals[m], err);
    return rc;
}

typedef int read_member(const json_t *object, const struct place *at, struct regimen *regimen,
                        struct arena *arena, struct error *err);

static int read_same(const json_t *object, const struct place *at, struct regimen *regimen,
                     struct arena *arena, struct error *err)
{
    return read_pair(object, at, true, regimen, arena, err);
}

static int read_not_same(const json_t *object, const struct place *at, struct regimen *regimen,
                         struct arena *arena, struct error *err)
{
    return read_pair(object, at, false, regimen, arena, err);
}

static int read_list(const json_t *object, const char *member, bool needed, read_member *read,
                     struct regimen *regimen, struct arena *arena, struct error *err)
{
    const json_t *array = json_object_get(object, member);
    struct place list = {.name = member};
    if (!array && !needed)
        return 0;
    if (!json_is_array(array))
        return place_error(&list, E_INPUT, err, "must be a list");
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct place here = {.up = &list, .index = (int)i};
        int rc = read(json_array_get(array, i), &here, regimen, arena, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* Format, grid and period: what the rest needs to be read. */
static int read_head(const json_t *object, const struct place *root, struct arena *arena,
                     struct regimen **ret, struct error *err)
{
    static const char *const known[] = {
        "format",          "id",      "grid",        "patient",   "period_days",
        "pouch_max_pills", "drugs",   "separations", "same_slot", "not_same_slot",
        "expected",        "comment", NULL};
    const char *format = NULL;
    const char *id = NULL;
    int grid = 0;
    int period = 0;
    int rc = read_object(object, root, known, err);
    if (!rc)
        rc = read_text(object, root, "format", true, &format, err);
    if (!rc && strcmp(format, "sachet-regimen/1") != 0)
        rc = place_error(root, E_VERSION, err, "`format` is \"%s\"; this program reads sachet-regimen/1",
                         format);
    if (!rc)
        rc = read_text(object, root, "id", true, &id, err);
    if (!rc)
        rc = read_int(object, root, "grid", 1, REGIMEN_DAY, 15, &grid, err);
    if (!rc && REGIMEN_DAY % grid)
        rc = place_error(root, E_INPUT, err, "`grid` %d does not divide %d minutes", grid, REGIMEN_DAY);
    if (!rc)
        rc = read_int(object, root, "period_days", 1, REGIMEN_PERIOD_MAX, 1, &period, err);
    if (rc)
        return rc;
    *ret = regimen_create(arena, id, grid, period);
    if (!*ret)
        return no_memory(err);
    return read_int(object, root, "pouch_max_pills", 1, 1000, 0, &(*ret)->pouch_max_pills, err);
}

int regimen_from_json(const struct json_t *object, struct arena *arena, struct regimen **ret,
                      struct error *err)
{
    struct regimen *regimen = NULL;
    const struct place root = {.name = ""};
    int rc = read_head(object, &root, arena, &regimen, err);
    if (!rc) {
        struct place at = {.name = "patient"};
        rc = read_patient(json_object_get(object, "patient"), &at, &regimen->patient, err);
    }
    if (!rc)
        rc = read_list(object, "drugs", true, read_drug, regimen, arena, err);
    if (!rc)
        rc = read_list(object, "separations", false, read_separation, regimen, arena, err);
    if (!rc)
        rc = read_list(object, "same_slot", false, read_same, regimen, arena, err);
    if (!rc)
        rc = read_list(object, "not_same_slot", false, read_not_same, regimen, arena, err);
    if (!rc)
        rc = regimen_ready(regimen, arena, err);
    if (!rc)
        *ret = regimen;
    return rc;
}

int regimen_hash(const struct regimen *regimen, uint8_t ret_hash[32], struct error *err)
{
    struct buf text;
    buf_init(&text);
    regimen_canonical(regimen, &text);
    bool failed = text.failed;
    if (!failed)
        seal_hash(text.data, text.len, ret_hash);
    buf_finish(&text);
    return failed ? no_memory(err) : 0;
}
