/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/patient_day.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

enum { KEY_START, KEY_WAKE, KEY_BREAKFAST, KEY_LUNCH, KEY_DINNER, KEY_BED, TEMPLATE_BYTES = 256 };

const char *const patient_day_keys[PATIENT_DAY_KEYS] = {
    [KEY_START] = "start", [KEY_WAKE] = "wake",     [KEY_BREAKFAST] = "breakfast",
    [KEY_LUNCH] = "lunch", [KEY_DINNER] = "dinner", [KEY_BED] = "bed"};

static bool is_meal(int key)
{
    return key == KEY_BREAKFAST || key == KEY_LUNCH || key == KEY_DINNER;
}

static int clock_read(const json_t *value, int key, int *ret_clock, struct error *err)
{
    *ret_clock = PATIENT_DAY_AS_SITE;
    if (!value)
        return 0;
    if (is_meal(key) && json_is_null(value)) {
        *ret_clock = REGIMEN_NONE;
        return 0;
    }
    if (!json_is_string(value) || !tod_parse(json_string_value(value), ret_clock))
        return error_set(err, E_INPUT, "the patient's day: '%s' is no time HH:MM", patient_day_keys[key]);
    return 0;
}

int patient_day_parse(const char *json, struct patient_day *ret_day, struct error *err)
{
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    int status = 0;
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, E_SYNTAX, "the patient's day is no JSON object");
    }
    for (int key = 0; status == 0 && key < PATIENT_DAY_KEYS; key++)
        status = clock_read(json_object_get(object, patient_day_keys[key]), key, &ret_day->clock[key], err);
    json_decref(object);
    return status;
}

static void clocks_of(const struct regimen_patient *day, int clock[PATIENT_DAY_KEYS])
{
    struct plan_day plan = patient_day_of_plan(day, true);
    const int clocks[PATIENT_DAY_KEYS] = {
        [KEY_START] = day->day_start, [KEY_WAKE] = plan.wake,     [KEY_BREAKFAST] = plan.breakfast,
        [KEY_LUNCH] = plan.lunch,     [KEY_DINNER] = plan.dinner, [KEY_BED] = plan.bed};
    memcpy(clock, clocks, sizeof clocks);
}

static int after(int clock, int start)
{
    return clock == REGIMEN_NONE ? REGIMEN_NONE : (clock - start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
}

/* The first key that does not follow the one before it, counted from start; PATIENT_DAY_KEYS: none. */
static int out_of_order(const int clock[PATIENT_DAY_KEYS], int start, int *ret_before)
{
    int last = KEY_WAKE;
    for (int key = KEY_BREAKFAST; key < PATIENT_DAY_KEYS; key++) {
        if (clock[key] == REGIMEN_NONE)
            continue;
        /* Breakfast at the minute of waking is a breakfast; two meals at one minute are not. */
        bool same = last == KEY_WAKE && is_meal(key);
        int now = after(clock[key], start), before = after(clock[last], start);
        if (same ? now < before : now <= before) {
            *ret_before = last;
            return key;
        }
        last = key;
    }
    return PATIENT_DAY_KEYS;
}

int patient_day_apply(const struct patient_day *day, const struct regimen_patient *site,
                      struct regimen_patient *ret_day, struct error *err)
{
    int clock[PATIENT_DAY_KEYS], before = 0;
    clocks_of(site, clock);
    for (int key = 0; key < PATIENT_DAY_KEYS; key++)
        clock[key] = day->clock[key] == PATIENT_DAY_AS_SITE ? clock[key] : day->clock[key];
    if (day->clock[KEY_START] == PATIENT_DAY_AS_SITE &&
        out_of_order(clock, clock[KEY_START], &before) < PATIENT_DAY_KEYS)
        clock[KEY_START] = (clock[KEY_WAKE] - site->wake + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    int start = clock[KEY_START], key = out_of_order(clock, start, &before);
    char text[TOD_TEXT_BYTES];
    tod_format(start, text);
    if (key < PATIENT_DAY_KEYS)
        return error_set(err, E_INPUT,
                         "the patient's day: '%s' is not after '%s', counted from its start %s; the order of "
                         "a day is wake, breakfast, lunch, dinner, bed",
                         patient_day_keys[key], patient_day_keys[before], text);
    int awake = after(clock[KEY_BED], start) - after(clock[KEY_WAKE], start);
    if (awake < PATIENT_DAY_AWAKE_MIN || awake > PATIENT_DAY_AWAKE_MAX)
        return error_set(err, E_INPUT,
                         "the patient's day: %d hours and %d minutes from wake to bed; %d to %d hours are "
                         "possible",
                         awake / 60, awake % 60, PATIENT_DAY_AWAKE_MIN / 60, PATIENT_DAY_AWAKE_MAX / 60);
    *ret_day = (struct regimen_patient){.day_start = start,
                                        .wake = after(clock[KEY_WAKE], start),
                                        .bed = after(clock[KEY_BED], start),
                                        .meals = {[REGIMEN_BREAKFAST] = after(clock[KEY_BREAKFAST], start),
                                                  [REGIMEN_LUNCH] = after(clock[KEY_LUNCH], start),
                                                  [REGIMEN_DINNER] = after(clock[KEY_DINNER], start)}};
    return 0;
}

void patient_day_write(const struct regimen_patient *day, struct buf *out)
{
    int clock[PATIENT_DAY_KEYS];
    clocks_of(day, clock);
    for (int key = 0; key < PATIENT_DAY_KEYS; key++) {
        char text[TOD_TEXT_BYTES];
        buf_printf(out, "%s\"%s\":", key ? "," : "{", patient_day_keys[key]);
        if (clock[key] == REGIMEN_NONE) {
            buf_text(out, "null");
            continue;
        }
        tod_format(clock[key], text);
        buf_printf(out, "\"%s\"", text);
    }
    buf_char(out, '}');
}

static int clock_of(const struct regimen_patient *day, int minute)
{
    return minute == REGIMEN_NONE ? REGIMEN_NONE : (day->day_start + minute) % MINUTES_PER_DAY;
}

struct plan_day patient_day_of_plan(const struct regimen_patient *day, bool own)
{
    return (struct plan_day){.wake = clock_of(day, day->wake),
                             .breakfast = clock_of(day, day->meals[REGIMEN_BREAKFAST]),
                             .lunch = clock_of(day, day->meals[REGIMEN_LUNCH]),
                             .dinner = clock_of(day, day->meals[REGIMEN_DINNER]),
                             .bed = clock_of(day, day->bed),
                             .own = own};
}

struct regimen_patient patient_day_from_plan(const struct plan_day *day, int day_start)
{
    return (struct regimen_patient){.day_start = day_start,
                                    .wake = after(day->wake, day_start),
                                    .bed = after(day->bed, day_start),
                                    .meals = {[REGIMEN_BREAKFAST] = after(day->breakfast, day_start),
                                              [REGIMEN_LUNCH] = after(day->lunch, day_start),
                                              [REGIMEN_DINNER] = after(day->dinner, day_start)}};
}

/* The stored template as a JSON value, "null" for none. */
static int template_load(struct store *store, int64_t patient, struct buf *out, struct error *err)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(store, &rows, err, "SELECT day_template FROM patient WHERE id = ?", "i", patient);
    int found = status < 0 ? status : store_next(rows, err);
    if (found == 0)
        found = error_set(err, E_NOT_FOUND, "there is no patient %lld", (long long)patient);
    if (found > 0)
        buf_text(out, store_is_null(rows, 0) ? "null" : store_text(rows, 0));
    store_done(rows);
    return found < 0 ? found : 0;
}

static int day_store(struct store *store, int64_t patient, const struct buf *old, const struct buf *new,
                     const char *actor, int64_t wall_ms, struct error *err)
{
    char subject[32];
    struct buf detail;
    const char *template = buf_string(new);
    bool none = strcmp(template, "null") == 0;
    int status = store_exec(store, err, "UPDATE patient SET day_template = ?, changed_ms = ? WHERE id = ?",
                            "tii", none ? NULL : template, wall_ms, patient);
    (void)snprintf(subject, sizeof subject, "patient:%lld", (long long)patient); /* fits */
    buf_init(&detail);
    buf_printf(&detail, "{\"old\":%s,\"new\":%s}", buf_string(old), template);
    if (status == 0 && detail.failed)
        status = error_set(err, E_MEMORY, "no memory for the patient's day");
    if (status == 0)
        status = audit_add(store, wall_ms, actor, "patient.day", subject, buf_string(&detail), err);
    buf_finish(&detail);
    return status;
}

int patient_day_set(struct store *store, int64_t patient, const struct regimen_patient *day,
                    const char *actor, int64_t wall_ms, bool *ret_changed, struct error *err)
{
    struct buf old, new;
    buf_init(&old);
    buf_init(&new);
    if (day)
        patient_day_write(day, &new);
    else
        buf_text(&new, "null");
    int status = store_write_begin(store, err);
    if (status == 0) {
        status = template_load(store, patient, &old, err);
        bool same = status == 0 && strcmp(buf_string(&old), buf_string(&new)) == 0;
        if (status == 0 && !same)
            status = day_store(store, patient, &old, &new, actor, wall_ms, err);
        if (status < 0 || same)
            store_write_rollback(store);
        else
            status = store_write_commit(store, err);
        if (status == 0)
            *ret_changed = !same;
    }
    buf_finish(&new);
    buf_finish(&old);
    return status;
}
