/* SPDX-License-Identifier: Apache-2.0 */
/* Which readings can be laid out for a pouch, as what, and why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/civil.h"
#include "controller/intake/reading.h"
#include "tests/unit/intake/sigtext_support.h"

static const char *reading_or_why(enum sigtext_language language, const char *text, struct reading *ret)
{
    struct sigtext sig;
    const char *why;
    sig_read(language, text, &sig);
    bool made = sigtext_reading(&sig, ret, &why);
    assert_true(made == (why == NULL));
    return why;
}

static void reading_or_fail(enum sigtext_language language, const char *text, struct reading *ret)
{
    const char *why = reading_or_why(language, text, ret);
    if (why != NULL)
        fail_msg("\"%s\": %s", text, why);
}

static void times_a_day_are_doses_of_any_time(void **state)
{
    struct reading reading;
    (void)state;
    reading_or_fail(SIGTEXT_ENGLISH, "1 1/2 tabs po tid x 10 days, max 5 tablets a day", &reading);
    assert_int_equal(reading.phase_count, 1);
    assert_int_equal(reading.max_per_day_milli, 5000);
    assert_int_equal(reading.phases[0].dose_count, 3);
    assert_int_equal(reading.phases[0].every_days, 1);
    assert_int_equal(reading.phases[0].length_days, 10);
    assert_int_equal(reading.phases[0].start_day, CIVIL_DAY_NONE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(reading.phases[0].doses[i].amount_milli, 1500);
        assert_int_equal(reading.phases[0].doses[i].when, READING_ANY);
    }
}

static void hours_are_intervals(void **state)
{
    struct reading reading;
    (void)state;
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab q8h", &reading);
    assert_int_equal(reading.phases[0].interval_min, 480);
    assert_int_equal(reading.phases[0].dose_count, 3);
    assert_int_equal(reading.phases[0].doses[2].when, READING_INTERVAL);
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab q48h", &reading);
    assert_int_equal(reading.phases[0].every_days, 2);
    assert_int_equal(reading.phases[0].dose_count, 1);
    assert_int_equal(reading.phases[0].interval_min, 0);
}

static void events_clocks_and_days_are_kept(void **state)
{
    struct reading reading;
    (void)state;
    reading_or_fail(SIGTEXT_ENGLISH, "2 tabs 30 minutes before breakfast", &reading);
    assert_int_equal(reading.phases[0].doses[0].when, READING_ACM);
    assert_int_equal(reading.phases[0].doses[0].offset_min, 30);
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab tid with meals", &reading);
    assert_int_equal(reading.phases[0].dose_count, 3);
    assert_int_equal(reading.phases[0].doses[2].when, READING_C);
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab at 8am and 20:30", &reading);
    assert_int_equal(reading.phases[0].doses[1].when, READING_CLOCK);
    assert_int_equal(reading.phases[0].doses[1].minute, 20 * 60 + 30);
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab every Monday and Thursday at bedtime", &reading);
    assert_int_equal(reading.phases[0].weekdays, 1 | 8);
    assert_int_equal(reading.phases[0].every_days, 1);
    assert_int_equal(reading.phases[0].dose_count, 1);
    assert_int_equal(reading.phases[0].doses[0].when, READING_HS);
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab every other week", &reading);
    assert_int_equal(reading.phases[0].every_days, 14);
}

static void steps_and_slots_are_phases(void **state)
{
    struct reading reading;
    (void)state;
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab am and 2 tabs pm for 1 week, then 1 tab am for 7 days then stop",
                    &reading);
    assert_int_equal(reading.phase_count, 3);
    assert_int_equal(reading.phases[0].group, 1);
    assert_int_equal(reading.phases[1].group, 1);
    assert_int_equal(reading.phases[1].doses[0].amount_milli, 2000);
    assert_int_equal(reading.phases[2].group, 2);
    assert_int_equal(reading.phases[1].length_days, 7);
    reading_or_fail(SIGTEXT_GERMAN, "1-0-\xc2\xbd-1 Tabletten", &reading);
    assert_int_equal(reading.phase_count, 2);
    assert_int_equal(reading.phases[0].dose_count, 2);
    assert_int_equal(reading.phases[0].doses[1].when, READING_NIGHT);
    assert_int_equal(reading.phases[1].doses[0].amount_milli, 500);
    assert_int_equal(reading.phases[1].doses[0].when, READING_EVE);
}

static void as_needed_is_said(void **state)
{
    struct reading reading;
    (void)state;
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab q6h prn pain", &reading);
    assert_true(reading.as_needed);
    reading_or_fail(SIGTEXT_ENGLISH, "1 tab prn", &reading);
    assert_true(reading.as_needed);
    assert_int_equal(reading.phase_count, 0);
}

static void what_has_no_fixed_pieces_and_times_is_not_laid_out(void **state)
{
    static const char *const texts[] = {
        "2 puffs bid",
        "10 ml bid",
        "500 mg bid",
        "1-2 tabs bid",
        "up to 2 tabs bid",
        "apply bid",
        "1/4 tab bid",
        "12 tablets daily",
        "1 tab sl bid",
        "chew 1 tab bid",
        "inhale 1 capsule daily",
        "1 tab q5h",
        "1 tab q36h",
        "1 tab every 4 to 6 hours",
        "1 tab up to 3 times a day",
        "1 tab once",
        "3 a day",
        "1 tab monthly",
        "1 tab twice weekly",
        "1 tab bid for at least 5 days",
        "1 tab bid for 5 to 7 days",
        "1 tab bid for 1 month",
        "1 tab ac and hs",
        "1 tab (20 mg total) bid",
        "1 tab bid until finished",
        "1 tab in the morning with food",
        "1 tab bid on an empty stomach",
        "1 tab bid max 60 mg per day",
        "1 tab bid max 20 tablets per week",
        "1 od",
        "1 tab bid as directed",
        "1 tab vaginally at night",
    };
    struct reading reading;
    (void)state;
    memset(&reading, 0x5a, sizeof reading);
    const struct reading before = reading;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (reading_or_why(SIGTEXT_ENGLISH, texts[i], &reading) == NULL)
            fail_msg("\"%s\" was laid out", texts[i]);
        assert_memory_equal(&reading, &before, sizeof reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_a_day_are_doses_of_any_time),
        cmocka_unit_test(hours_are_intervals),
        cmocka_unit_test(events_clocks_and_days_are_kept),
        cmocka_unit_test(steps_and_slots_are_phases),
        cmocka_unit_test(as_needed_is_said),
        cmocka_unit_test(what_has_no_fixed_pieces_and_times_is_not_laid_out),
    };
    return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
