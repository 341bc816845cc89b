/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/course.h"

enum { DAY_START = 240 };

static int32_t start; /* 2026-11-23, a Monday */

static struct reading_phase phase(int group, int64_t amount, int length)
{
    return (struct reading_phase){.group = group,
                                  .every_days = 1,
                                  .start_day = CIVIL_DAY_NONE,
                                  .end_day = CIVIL_DAY_NONE,
                                  .length_days = length,
                                  .dose_count = 1,
                                  .doses = {{.amount_milli = amount, .when = READING_MORN}}};
}

static int courses_or_fail(const struct reading *reading, int32_t begins, int32_t from, int days,
                           struct course out[COURSES_MAX])
{
    struct error err = {0};
    int count = courses_of(reading, begins, from, days, DAY_START, out, &err);
    if (count < 0)
        fail_msg("%s", err.message);
    return count;
}

static void steps_of_a_taper_follow_one_another(void **state)
{
    (void)state;
    struct course c[COURSES_MAX];
    struct reading reading = {.phase_count = 3,
                              .phases = {phase(1, 4000, 5), phase(2, 3000, 5), phase(3, 1000, 0)}};
    assert_true(course_needs_begin(&reading));
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 3);
    assert_int_equal(c[0].pattern.last_day, start + 4);
    assert_int_equal(c[1].pattern.first_day, start + 5);
    assert_int_equal(c[2].pattern.first_day, start + 10);
    assert_int_equal(c[2].pattern.last_day, start + 13);
    /* The next cycle goes on where this one ended. */
    assert_int_equal(courses_or_fail(&reading, start, start + 14, 14, c), 1);
    assert_int_equal(c[0].doses[0].amount_milli, 1000);
    reading.phase_count = 2;
    assert_int_equal(courses_or_fail(&reading, start, start + 14, 14, c), 0);
}

static void phases_side_by_side_are_one_course_in_order_of_the_day(void **state)
{
    (void)state;
    struct course c[COURSES_MAX];
    struct reading reading = {.phase_count = 2, .phases = {phase(1, 1000, 0), phase(1, 2000, 0)}};
    reading.phases[0].doses[0].when = READING_HS;
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 1);
    assert_int_equal(c[0].dose_count, 2);
    assert_int_equal(c[0].doses[0].when, READING_MORN);
    assert_int_equal(c[0].doses[0].amount_milli, 2000);
    /* "2 in the morning and 1 later" keeps its order. */
    reading.phases[0] = phase(1, 2000, 0);
    reading.phases[1] = phase(1, 1000, 0);
    reading.phases[1].doses[0].when = READING_ANY;
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 1);
    assert_int_equal(c[0].doses[0].amount_milli, 2000);
    assert_int_equal(c[0].doses[1].amount_milli, 1000);
    /* Other days or clock times make a course of their own. */
    reading.phases[1].weekdays = 1;
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 2);
    reading.phases[1].weekdays = 0;
    reading.phases[1].doses[0] =
        (struct reading_dose){.amount_milli = 500, .when = READING_CLOCK, .minute = 1200};
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 2);
}

static void rhythms_count_from_their_own_start(void **state)
{
    (void)state;
    struct course c[COURSES_MAX];
    struct reading reading = {.phase_count = 1, .phases = {phase(1, 1000, 0)}};
    reading.phases[0].every_days = 3;
    reading.phases[0].start_day = start - 7;
    assert_false(course_needs_begin(&reading));
    assert_int_equal(courses_or_fail(&reading, start + 1, start, 14, c), 1);
    assert_int_equal(c[0].pattern.anchor_day, start - 7);
    assert_true(roll_pattern_has(&c[0].pattern, start + 2));
    assert_false(roll_pattern_has(&c[0].pattern, start));
    reading.phases[0].start_day = CIVIL_DAY_NONE;
    assert_true(course_needs_begin(&reading));
    assert_int_equal(course_begin(&reading, start), start);
}

static void a_clock_time_before_the_day_begins_keeps_its_date(void **state)
{
    (void)state;
    struct course c[COURSES_MAX];
    struct reading reading = {.phase_count = 1, .phases = {phase(1, 1000, 0)}};
    reading.phases[0].weekdays = 1 | 1 << 3; /* Mondays and Thursdays at 01:00 */
    reading.phases[0].doses[0] =
        (struct reading_dose){.amount_milli = 1000, .when = READING_CLOCK, .minute = 60};
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 1);
    /* Logical Sundays and Wednesdays, whose 01:00 is on Monday and Thursday. */
    assert_int_equal(c[0].pattern.weekdays, 1 << 6 | 1 << 2);
    assert_int_equal(roll_pattern_count(&c[0].pattern, start, 14), 4);
    reading.phases[0].weekdays = 0;
    reading.phases[0].start_day = start + 3;
    reading.phases[0].end_day = start + 5;
    assert_int_equal(courses_or_fail(&reading, start, start, 14, c), 1);
    assert_int_equal(c[0].pattern.first_day, start + 2);
    assert_int_equal(c[0].pattern.last_day, start + 4);
}

static void what_cannot_be_laid_out_is_refused(void **state)
{
    (void)state;
    struct course c[COURSES_MAX];
    struct error err = {0};
    struct reading open = {.phase_count = 2, .phases = {phase(1, 1000, 0), phase(2, 500, 0)}};
    assert_int_equal(courses_of(&open, start, start, 14, DAY_START, c, &err), E_INPUT);
    struct reading overlap = {.phase_count = 2, .phases = {phase(1, 1000, 10), phase(2, 500, 5)}};
    overlap.phases[1].start_day = start + 5;
    assert_int_equal(courses_of(&overlap, start, start, 14, DAY_START, c, &err), E_INPUT);
    struct reading twice = {.phase_count = 2, .phases = {phase(1, 1000, 0), phase(1, 500, 0)}};
    for (int i = 0; i < 2; i++)
        twice.phases[i].doses[0] =
            (struct reading_dose){.amount_milli = 500, .when = READING_CLOCK, .minute = 480};
    assert_int_equal(courses_of(&twice, start, start, 14, DAY_START, c, &err), E_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_a_taper_follow_one_another),
        cmocka_unit_test(phases_side_by_side_are_one_course_in_order_of_the_day),
        cmocka_unit_test(rhythms_count_from_their_own_start),
        cmocka_unit_test(a_clock_time_before_the_day_begins_keeps_its_date),
        cmocka_unit_test(what_cannot_be_laid_out_is_refused),
    };
    if (!civil_parse("2026-11-23", &start))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
