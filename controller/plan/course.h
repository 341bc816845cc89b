/* SPDX-License-Identifier: Apache-2.0 */
/*
 * course: an order's reading cut into the pieces that a calendar can hold.
 *
 * A course is one set of daily doses on one set of days of one cycle. A taper gives a course a step; phases
 * that run side by side on the same days are one course with all their doses, phases on different days are
 * courses of their own, and so are clock times, doses by the interval, and doses by words. Doses with a clock
 * time before the logical day begins belong to the evening of the logical day before, and their days move
 * with them, so that "Mondays at 01:00" stays Monday's date.
 *
 * Pure, plain data, any thread.
 */
#ifndef CONTROLLER_PLAN_COURSE_H
#define CONTROLLER_PLAN_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/intake/reading.h"
#include "scheduler/roll.h"

struct error;

enum { COURSES_MAX = 2 * READING_PHASES_MAX, COURSE_DOSES_MAX = 24 };

struct course {
    int group;                   /* of the reading */
    struct roll_pattern pattern; /* within the cycle */
    int interval_min;            /* > 0: INTERVAL doses stand so far apart */
    int dose_count;
    struct reading_dose doses[COURSE_DOSES_MAX]; /* in order within the logical day */
};

/* True when the reading does not say itself on which date it begins, and it matters: tapers, courses of a
 * length, rhythms of every N days. */
bool course_needs_begin(const struct reading *reading);
/* Where the reading says that it begins, else fallback. */
int32_t course_begin(const struct reading *reading, int32_t fallback);

/*
 * The courses that have a day within start_day .. start_day + days - 1, in order of group and first day; 0
 * when none has. begins: where a reading without a date of its own starts to count. Returns their number, or
 * E_INPUT with what cannot be laid out, or E_LIMIT.
 */
int courses_of(const struct reading *reading, int32_t begins, int32_t start_day, int days, int day_start,
               struct course out[COURSES_MAX], struct error *err);

#endif
