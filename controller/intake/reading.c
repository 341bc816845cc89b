/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON form `sachet-reading/1`, one line:
 *
 *   {"format":"sachet-reading/1","as_needed":false,"max_per_day":3,
 *    "phases":[{"group":1,"every_days":1,"weekdays":["mon"],"interval_min":480,"start":"2026-11-01",
 *               "end":"2026-11-30","length_days":7,
 *               "doses":[{"amount":1.5,"when":"clock","at":"08:00"},{"amount":1,"when":"ACM","offset_min":30}]}]}
 *
 * Keys that say nothing (weekdays, interval_min, start, end, length_days, at, offset_min, max_per_day) are
 * left out. Unknown keys are refused: this form is ours, and a stranger's key could change the meaning.
 */
#include "controller/intake/reading.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define READING_FORMAT "sachet-reading/1"

static const int64_t AMOUNT_MAX_MILLI = 100000; /* 100 pieces at once: more is a reading error */
static const char *const weekday_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static const char *const when_texts[READING_WHEN_COUNT] = {
#define WHEN_TEXT(name, text) text,
    READING_WHEN_TABLE(WHEN_TEXT)
#undef WHEN_TEXT
};

const char *reading_when_text(enum reading_when when)
{
    return (unsigned)when < READING_WHEN_COUNT ? when_texts[when] : "?";
}

bool reading_when_parse(const char *text, enum reading_when *ret_when)
{
    for (int i = 0; i < READING_WHEN_COUNT; i++) {
        if (strcmp(when_texts[i], text) == 0) {
            *ret_when = (enum reading_when)i;
            return true;
        }
    }
    return false;
}

static void write_dose(const struct reading_dose *dose, struct buf *out)
{
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(dose->amount_milli, text);
    buf_printf(out, "{\"amount\":%s,\"when\":\"%s\"", text, reading_when_text(dose->when));
    if (dose->when == READING_CLOCK) {
        char at[TOD_TEXT_BYTES];
        tod_format(dose->minute, at);
        buf_printf(out, ",\"at\":\"%s\"", at);
    }
    if (dose->offset_min != 0)
        buf_printf(out, ",\"offset_min\":%d", dose->offset_min);
    buf_char(out, '}');
}

static void write_day(const char *key, int32_t day, struct buf *out)
{
    char text[CIVIL_TEXT_BYTES];
    if (day == CIVIL_DAY_NONE)
        return;
    civil_format(day, text);
    buf_printf(out, ",\"%s\":\"%s\"", key, text);
}

static void write_phase(const struct reading_phase *phase, struct buf *out)
{
    buf_printf(out, "{\"group\":%d,\"every_days\":%d", phase->group, phase->every_days);
    if (phase->weekdays != 0) {
        const char *comma = "";
        buf_text(out, ",\"weekdays\":[");
        for (int i = 0; i < 7; i++) {
            if (phase->weekdays & 1u << i) {
                buf_printf(out, "%s\"%s\"", comma, weekday_names[i]);
                comma = ",";
            }
        }
        buf_char(out, ']');
    }
    if (phase->interval_min != 0)
        buf_printf(out, ",\"interval_min\":%d", phase->interval_min);
    write_day("start", phase->start_day, out);
    write_day("end", phase->end_day, out);
    if (phase->length_days != 0)
        buf_printf(out, ",\"length_days\":%d", phase->length_days);
    buf_text(out, ",\"doses\":[");
    for (int i = 0; i < phase->dose_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        write_dose(&phase->doses[i], out);
    }
    buf_text(out, "]}");
}

void reading_write(const struct reading *reading, struct buf *out)
{
    buf_printf(out, "{\"format\":\"" READING_FORMAT "\",\"as_needed\":%s",
               reading->as_needed ? "true" : "false");
    if (reading->max_per_day_milli != 0) {
        char text[QUANTITY_TEXT_BYTES];
        quantity_format(reading->max_per_day_milli, text);
        buf_printf(out, ",\"max_per_day\":%s", text);
    }
    buf_text(out, ",\"phases\":[");
    for (int i = 0; i < reading->phase_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        write_phase(&reading->phases[i], out);
    }
    buf_text(out, "]}");
}

/* Reading back: every helper returns 0 or an error that names the key. */

static int bad(struct error *err, const char *key, const char *what)
{
    return error_set(err, E_SYNTAX, "reading: \"%s\" %s", key, what);
}

static int known_keys(const json_t *object, const char *const *keys, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        int i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL)
            return bad(err, key, "is not a key of " READING_FORMAT);
    }
    return 0;
}

static int take_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t fallback,
                    int64_t *ret, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        *ret = fallback;
        return 0;
    }
    if (!json_is_integer(value))
        return bad(err, key, "is not an integer");
    *ret = json_integer_value(value);
    if (*ret < min || *ret > max)
        return error_set(err, E_LIMIT, "reading: \"%s\" %" PRId64 " is outside %" PRId64 "..%" PRId64, key,
                         *ret, min, max);
    return 0;
}

static int take_amount(const json_t *object, const char *key, bool required, int64_t *ret, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    *ret = 0;
    if (value == NULL)
        return required ? bad(err, key, "is missing") : 0;
    if (!json_is_number(value) || !quantity_from_double(json_number_value(value), ret))
        return bad(err, key, "is not a decimal with at most 3 places");
    if (*ret <= 0 || *ret > AMOUNT_MAX_MILLI)
        return error_set(err, E_LIMIT, "reading: \"%s\" is outside 0.001..100", key);
    return 0;
}

static int take_day(const json_t *object, const char *key, int32_t *ret, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    *ret = CIVIL_DAY_NONE;
    if (value == NULL)
        return 0;
    if (!json_is_string(value) || !civil_parse(json_string_value(value), ret))
        return bad(err, key, "is not a date YYYY-MM-DD");
    return 0;
}

static int take_dose(const json_t *object, struct reading_dose *dose, struct error *err)
{
    static const char *const keys[] = {"amount", "when", "at", "offset_min", NULL};
    if (!json_is_object(object))
        return bad(err, "doses", "holds something else than an object");
    int rc = known_keys(object, keys, err);
    if (rc == 0)
        rc = take_amount(object, "amount", true, &dose->amount_milli, err);
    if (rc != 0)
        return rc;
    const json_t *when = json_object_get(object, "when");
    const json_t *at = json_object_get(object, "at");
    if (!json_is_string(when) || !reading_when_parse(json_string_value(when), &dose->when))
        return bad(err, "when", "is not one of the known words");
    if ((at != NULL) != (dose->when == READING_CLOCK))
        return bad(err, "at", "goes with \"clock\" and with nothing else");
    if (at != NULL && (!json_is_string(at) || !tod_parse(json_string_value(at), &dose->minute)))
        return bad(err, "at", "is not a time HH:MM");
    int64_t offset = 0;
    rc = take_int(object, "offset_min", 0, MINUTES_PER_DAY, 0, &offset, err);
    dose->offset_min = (int)offset;
    return rc;
}

static int take_weekdays(const json_t *object, unsigned *ret_weekdays, struct error *err)
{
    const json_t *list = json_object_get(object, "weekdays");
    *ret_weekdays = 0;
    if (list == NULL)
        return 0;
    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > 7)
        return bad(err, "weekdays", "is not a list of 1 to 7 days");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        int day = 0;
        while (name != NULL && day < 7 && strcmp(name, weekday_names[day]) != 0)
            day++;
        if (name == NULL || day == 7 || (*ret_weekdays & 1u << day) != 0)
            return bad(err, "weekdays", "holds no day, or one twice");
        *ret_weekdays |= 1u << day;
    }
    return 0;
}

static int check_phase(const struct reading_phase *phase, struct error *err)
{
    if (phase->weekdays != 0 && phase->every_days != 1)
        return bad(err, "weekdays", "needs every_days 1");
    bool interval = phase->doses[0].when == READING_INTERVAL;
    for (int i = 0; i < phase->dose_count; i++) {
        if ((phase->doses[i].when == READING_INTERVAL) != interval)
            return bad(err, "when", "mixes interval with other times in one phase");
    }
    if (interval != (phase->interval_min != 0))
        return bad(err, "interval_min", "goes with doses \"interval\" and with nothing else");
    if (interval && phase->interval_min * phase->dose_count != MINUTES_PER_DAY)
        return bad(err, "interval_min", "times the doses of a day is not 24 hours");
    if (phase->start_day != CIVIL_DAY_NONE && phase->end_day != CIVIL_DAY_NONE &&
        phase->end_day < phase->start_day)
        return bad(err, "end", "lies before start");
    return 0;
}

static int take_phase(const json_t *object, struct reading_phase *phase, struct error *err)
{
    static const char *const keys[] = {
        "group", "every_days", "weekdays", "interval_min", "start", "end", "length_days", "doses", NULL};
    int64_t group, every, interval, length;
    if (!json_is_object(object))
        return bad(err, "phases", "holds something else than an object");
    int rc = known_keys(object, keys, err);
    if (rc == 0)
        rc = take_int(object, "group", 1, 1000000, 1, &group, err);
    if (rc == 0)
        rc = take_int(object, "every_days", 1, READING_EVERY_MAX, 1, &every, err);
    if (rc == 0)
        rc = take_int(object, "interval_min", 0, MINUTES_PER_DAY, 0, &interval, err);
    if (rc == 0)
        rc = take_int(object, "length_days", 0, 36600, 0, &length, err);
    if (rc == 0)
        rc = take_weekdays(object, &phase->weekdays, err);
    if (rc == 0)
        rc = take_day(object, "start", &phase->start_day, err);
    if (rc == 0)
        rc = take_day(object, "end", &phase->end_day, err);
    if (rc != 0)
        return rc;
    phase->group = (int)group;
    phase->every_days = (int)every;
    phase->interval_min = (int)interval;
    phase->length_days = (int)length;
    const json_t *doses = json_object_get(object, "doses");
    size_t count = json_array_size(doses);
    if (count < 1 || count > READING_DOSES_MAX)
        return error_set(err, E_LIMIT, "reading: a phase has %zu doses; 1..%d are allowed", count,
                         READING_DOSES_MAX);
    for (size_t i = 0; i < count; i++) {
        rc = take_dose(json_array_get(doses, i), &phase->doses[i], err);
        if (rc != 0)
            return rc;
    }
    phase->dose_count = (int)count;
    return check_phase(phase, err);
}

static int take_reading(const json_t *object, struct reading *reading, struct error *err)
{
    static const char *const keys[] = {"format", "as_needed", "max_per_day", "phases", NULL};
    const char *format = json_string_value(json_object_get(object, "format"));
    if (format == NULL || strcmp(format, READING_FORMAT) != 0)
        return error_set(err, E_VERSION, "reading: format is \"%s\", not \"" READING_FORMAT "\"",
                         format ? format : "");
    int rc = known_keys(object, keys, err);
    if (rc == 0)
        rc = take_amount(object, "max_per_day", false, &reading->max_per_day_milli, err);
    if (rc != 0)
        return rc;
    const json_t *as_needed = json_object_get(object, "as_needed");
    if (!json_is_boolean(as_needed))
        return bad(err, "as_needed", "is not true or false");
    reading->as_needed = json_is_true(as_needed);
    const json_t *phases = json_object_get(object, "phases");
    size_t count = json_array_size(phases);
    if (!json_is_array(phases) || count > READING_PHASES_MAX || (count == 0 && !reading->as_needed))
        return error_set(err, E_LIMIT, "reading: %zu phases; 1..%d are allowed", count, READING_PHASES_MAX);
    for (size_t i = 0; i < count; i++) {
        rc = take_phase(json_array_get(phases, i), &reading->phases[i], err);
        if (rc != 0)
            return rc;
        if (i > 0 && reading->phases[i].group < reading->phases[i - 1].group)
            return bad(err, "group", "falls from one phase to the next");
    }
    reading->phase_count = (int)count;
    return 0;
}

int reading_parse(const char *json, struct reading *ret_reading, struct error *err)
{
    json_error_t where;
    struct reading reading = {0};
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL)
        return error_set(err, E_SYNTAX, "reading: column %d: %s", where.column, where.text);
    int rc = take_reading(root, &reading, err);
    json_decref(root);
    if (rc == 0)
        *ret_reading = reading;
    return rc;
}
