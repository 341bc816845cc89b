/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/course.h"

#include <limits.h>
#include <stddef.h>

#include "config/base/civil.h"
#include "config/base/error.h"

enum { OPEN_END = INT32_MAX / 2 };

/* First and last day of a phase, once the groups before it are known. */
struct span {
    int32_t first, last;
};

/* Where doses stand within a day, for sorting: words of FHIR in the order of a day, clock times apart. */
static const int when_rank[READING_WHEN_COUNT] = {
    [READING_WAKE] = 10, [READING_ACM] = 20,  [READING_CM] = 30,     [READING_MORN] = 40,
    [READING_PCM] = 50,  [READING_ACD] = 60,  [READING_NOON] = 70,   [READING_CD] = 80,
    [READING_PCD] = 90,  [READING_AFT] = 100, [READING_ACV] = 110,   [READING_CV] = 120,
    [READING_EVE] = 130, [READING_PCV] = 140, [READING_NIGHT] = 150, [READING_HS] = 160};

static int first_group(const struct reading *reading)
{
    int group = INT_MAX;
    for (int i = 0; i < reading->phase_count; i++)
        group = reading->phases[i].group < group ? reading->phases[i].group : group;
    return group;
}

bool course_needs_begin(const struct reading *reading)
{
    int first = first_group(reading);
    bool undated = false, counts = false;
    for (int i = 0; i < reading->phase_count; i++) {
        const struct reading_phase *phase = &reading->phases[i];
        undated |= phase->group == first && phase->start_day == CIVIL_DAY_NONE;
        counts |= phase->length_days > 0 || phase->every_days > 1 || phase->group != first;
    }
    return undated && counts;
}

int32_t course_begin(const struct reading *reading, int32_t fallback)
{
    int32_t begin = CIVIL_DAY_NONE;
    int group = first_group(reading);
    for (int i = 0; i < reading->phase_count; i++) {
        const struct reading_phase *phase = &reading->phases[i];
        if (phase->group != group || phase->start_day == CIVIL_DAY_NONE)
            continue;
        if (begin == CIVIL_DAY_NONE || phase->start_day < begin)
            begin = phase->start_day;
    }
    return begin == CIVIL_DAY_NONE ? fallback : begin;
}

static int span_of(const struct reading_phase *phase, int32_t follows, struct span *ret, struct error *err)
{
    int32_t first = phase->start_day != CIVIL_DAY_NONE ? phase->start_day : follows;
    int32_t last = OPEN_END;
    if (first == OPEN_END)
        return error_set(err, E_INPUT, "a part without an end is followed by another");
    if (phase->length_days > 0)
        last = first + phase->length_days - 1;
    if (phase->end_day != CIVIL_DAY_NONE && phase->end_day < last)
        last = phase->end_day;
    *ret = (struct span){first, last};
    return 0;
}

/* Spans of all phases; phases stand by group in the reading, but that is not taken for granted. */
static int spans_of(const struct reading *reading, int32_t begins, struct span spans[READING_PHASES_MAX],
                    struct error *err)
{
    int32_t follows = begins;
    int group = INT_MIN;
    for (;;) {
        int next = INT_MAX;
        for (int i = 0; i < reading->phase_count; i++) {
            if (reading->phases[i].group > group && reading->phases[i].group < next)
                next = reading->phases[i].group;
        }
        if (next == INT_MAX)
            return 0;
        int32_t end = INT32_MIN;
        for (int i = 0; i < reading->phase_count; i++) {
            if (reading->phases[i].group != next)
                continue;
            int status = span_of(&reading->phases[i], follows, &spans[i], err);
            if (status < 0)
                return status;
            if (spans[i].first < follows && group != INT_MIN)
                return error_set(err, E_INPUT, "two parts that follow one another overlap");
            end = spans[i].last > end ? spans[i].last : end;
        }
        follows = end == OPEN_END ? OPEN_END : end + 1;
        group = next;
    }
}

static bool same_days(const struct roll_pattern *a, const struct roll_pattern *b)
{
    return a->first_day == b->first_day && a->last_day == b->last_day && a->every_days == b->every_days &&
           a->weekdays == b->weekdays && (a->every_days == 1 || a->anchor_day == b->anchor_day);
}

static struct roll_pattern pattern_of(const struct reading_phase *phase, struct span span, bool before_start)
{
    struct roll_pattern pattern = {.first_day = span.first,
                                   .last_day = span.last,
                                   .anchor_day = span.first,
                                   .every_days = phase->every_days,
                                   .weekdays = phase->weekdays};
    if (before_start) { /* yesterday's logical day */
        pattern.first_day--;
        pattern.last_day -= pattern.last_day != OPEN_END;
        pattern.anchor_day--;
        pattern.weekdays = pattern.weekdays >> 1 | (pattern.weekdays & 1) << 6;
    }
    return pattern;
}

/* Cuts the pattern to the cycle; false when nothing of it is left. */
static bool pattern_clip(struct roll_pattern *pattern, int32_t start_day, int days)
{
    int32_t end = start_day + days - 1;
    pattern->first_day = pattern->first_day > start_day ? pattern->first_day : start_day;
    pattern->last_day = pattern->last_day < end ? pattern->last_day : end;
    if (pattern->first_day > pattern->last_day)
        return false;
    if (pattern->every_days == 1)
        pattern->anchor_day = pattern->first_day; /* no rhythm to keep: one way to write it */
    return roll_pattern_count(pattern, start_day, days) > 0;
}

static bool is_before_start(const struct reading_dose *dose, int day_start)
{
    return dose->when == READING_CLOCK && dose->minute < day_start;
}

/* Doses of different kinds are not laid in one order: they make courses of their own. */
enum dose_kind { DOSE_CLOCK, DOSE_INTERVAL, DOSE_WORD };

static enum dose_kind kind_of(const struct reading_dose *dose)
{
    if (dose->when == READING_CLOCK)
        return DOSE_CLOCK;
    return dose->when == READING_INTERVAL ? DOSE_INTERVAL : DOSE_WORD;
}

static int dose_add(struct course *out, int *count, const struct reading_phase *phase,
                    const struct roll_pattern *pattern, const struct reading_dose *dose, struct error *err)
{
    struct course *course = NULL;
    for (int i = 0; i < *count && !course; i++) {
        if (out[i].group == phase->group && out[i].interval_min == phase->interval_min &&
            kind_of(&out[i].doses[0]) == kind_of(dose) && same_days(&out[i].pattern, pattern))
            course = &out[i];
    }
    if (!course) {
        if (*count == COURSES_MAX)
            return error_set(err, E_LIMIT, "more than %d parts", COURSES_MAX);
        course = &out[(*count)++];
        *course =
            (struct course){.group = phase->group, .pattern = *pattern, .interval_min = phase->interval_min};
    }
    if (course->dose_count == COURSE_DOSES_MAX)
        return error_set(err, E_LIMIT, "more than %d doses a day", COURSE_DOSES_MAX);
    course->doses[course->dose_count++] = *dose;
    return 0;
}

static int dose_key(const struct reading_dose *dose, int day_start)
{
    if (dose->when == READING_CLOCK)
        return (dose->minute - day_start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    return when_rank[dose->when];
}

/*
 * Doses in the order of the day. A dose that says neither time nor word keeps its place behind the one before
 * it in the order's text, so that amounts stay with their doses ("2 in the morning and 1 later").
 */
static int doses_sort(struct course *course, int day_start, struct error *err)
{
    int keys[COURSE_DOSES_MAX], last = -1;
    for (int i = 0; i < course->dose_count; i++) {
        const struct reading_dose *dose = &course->doses[i];
        bool loose = when_rank[dose->when] == 0 && dose->when != READING_CLOCK;
        keys[i] = loose ? last : dose_key(dose, day_start);
        last = keys[i];
    }
    for (int i = 1; i < course->dose_count; i++) {
        struct reading_dose dose = course->doses[i];
        int moving = keys[i], at = i;
        for (; at > 0 && keys[at - 1] > moving; at--) {
            keys[at] = keys[at - 1];
            course->doses[at] = course->doses[at - 1];
        }
        keys[at] = moving;
        course->doses[at] = dose;
    }
    for (int i = 1; i < course->dose_count; i++) {
        if (course->doses[i].when == READING_CLOCK && keys[i] == keys[i - 1])
            return error_set(err, E_INPUT, "two doses at one clock time");
    }
    return 0;
}

int courses_of(const struct reading *reading, int32_t begins, int32_t start_day, int days, int day_start,
               struct course out[COURSES_MAX], struct error *err)
{
    struct span spans[READING_PHASES_MAX] = {{0, 0}};
    int count = 0;
    int status = spans_of(reading, begins, spans, err);
    for (int i = 0; status == 0 && i < reading->phase_count; i++) {
        const struct reading_phase *phase = &reading->phases[i];
        for (int k = 0; status == 0 && k < phase->dose_count; k++) {
            struct roll_pattern pattern =
                pattern_of(phase, spans[i], is_before_start(&phase->doses[k], day_start));
            if (pattern_clip(&pattern, start_day, days))
                status = dose_add(out, &count, phase, &pattern, &phase->doses[k], err);
        }
    }
    for (int i = 0; status == 0 && i < count; i++)
        status = doses_sort(&out[i], day_start, err);
    return status < 0 ? status : count;
}
