/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "config/base/civil.h"

/* Walks every day of the whole range with a calendar that only knows month lengths. */
static void every_day_of_the_range_round_trips(void **state)
{
    (void)state;
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t day;
    assert_true(civil_from_ymd(CIVIL_YEAR_MIN, 1, 1, &day));
    for (int year = CIVIL_YEAR_MIN; year <= CIVIL_YEAR_MAX; year++) {
        int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap);
            for (int mday = 1; mday <= length; mday++, day++) {
                int32_t got;
                int y, m, d;
                assert_true(civil_from_ymd(year, month, mday, &got));
                assert_int_equal(got, day);
                civil_to_ymd(day, &y, &m, &d);
                assert_true(y == year && m == month && d == mday);
            }
            int32_t none;
            assert_false(civil_from_ymd(year, month, length + 1, &none));
        }
    }
}

static void known_days(void **state)
{
    (void)state;
    int32_t day;
    assert_true(civil_parse("1970-01-01", &day));
    assert_int_equal(day, 0);
    assert_int_equal(civil_weekday(day), 3); /* a Thursday */
    assert_true(civil_parse("2024-02-29", &day));
    assert_int_equal(day, 19782);
    char text[CIVIL_TEXT_BYTES];
    civil_format(day, text);
    assert_string_equal(text, "2024-02-29");
}

static void dates_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"2023-02-29", "2024-13-01", "2024-00-10", "2024-04-31",
                                      "1799-12-31", "3000-01-01", "24-01-01",   "2024/01/01",
                                      "2024-1-01",  "",           "2024-01-01T"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t day = 7;
        assert_false(civil_parse(bad[i], &day));
        assert_int_equal(day, 7);
    }
}

static void times_of_day(void **state)
{
    (void)state;
    for (int minute = 0; minute < MINUTES_PER_DAY; minute++) {
        char text[TOD_TEXT_BYTES];
        int got;
        tod_format(minute + MINUTES_PER_DAY, text);
        assert_true(tod_parse(text, &got));
        assert_int_equal(got, minute);
    }
    int minute;
    assert_false(tod_parse("24:00", &minute));
    assert_false(tod_parse("7:00", &minute));
    assert_false(tod_parse("07:60", &minute));
}

static void instants_are_utc(void **state)
{
    (void)state;
    char text[INSTANT_TEXT_BYTES];
    instant_format(INT64_C(1709164799999), text);
    assert_string_equal(text, "2024-02-28T23:59:59.999Z");
    instant_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    assert_int_equal(instant_day(-1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_the_range_round_trips),
        cmocka_unit_test(known_days),
        cmocka_unit_test(dates_that_do_not_exist_are_refused),
        cmocka_unit_test(times_of_day),
        cmocka_unit_test(instants_are_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
