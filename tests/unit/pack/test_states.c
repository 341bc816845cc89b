/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of states and alarms are total, and the page is drawn from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "controller/pack/alarm.h"
#include "controller/pack/job.h"
#include "controller/pack/states_page.h"
#include "hw/machine.h"

static void every_job_state_and_event_has_one_row(void **state)
{
    (void)state;
    size_t count = 0;
    const struct job_row *rows = job_rows(&count);
    assert_int_equal(count, JOB_STATES * JOB_EVENTS);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(job_step(rows[i].from, rows[i].event), &rows[i]);
        assert_true(strlen(rows[i].why) > 0);
        if (rows[i].from == JOB_GOOD)
            assert_int_equal(rows[i].to, JOB_GOOD); /* made ones stay facts */
        if (rows[i].to == JOB_GOOD && rows[i].from != JOB_GOOD)
            assert_int_equal(rows[i].from, JOB_SENT); /* nothing is good without a number */
        if (rows[i].from == JOB_CANCELLED)
            assert_int_equal(rows[i].to, JOB_CANCELLED);
    }
}

static void nothing_leads_from_aborted_into_motion_but_three_words(void **state)
{
    (void)state;
    static const enum machine_command way[] = {MACHINE_COMMAND_CLEAR, MACHINE_COMMAND_RESET,
                                               MACHINE_COMMAND_START};
    enum machine_state at = MACHINE_STATE_ABORTED;
    for (int i = 0; i < 3; i++) {
        assert_null(packml_settle(at)); /* it waits */
        for (int command = MACHINE_COMMAND_RESET; command <= MACHINE_COMMAND_CLEAR; command++) {
            const struct packml_row *row = packml_take(at, (enum machine_command)command);
            if (row && command != (int)way[i])
                assert_true(row->to == MACHINE_STATE_ABORTING || row->to == MACHINE_STATE_STOPPING);
        }
        const struct packml_row *row = packml_take(at, way[i]);
        assert_non_null(row);
        at = packml_settle(row->to)->to;
    }
    assert_int_equal(at, MACHINE_STATE_EXECUTE);
}

static void every_alarm_of_the_machine_and_of_ours_has_a_whole_row(void **state)
{
    (void)state;
    static const int numbers[] = {
#define NUMBER(name, number, text, step) number,
        MACHINE_ALARM_TABLE(NUMBER)
#undef NUMBER
            ALARM_HALTED,
        ALARM_BATCH_STOPPED,
        ALARM_REPLACED,
        ALARM_WITHDRAWN,
        ALARM_SAFETY,
        ALARM_FROZEN,
        ALARM_BAY_LOCKED + 7,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct alarm_row *row = alarm_row(numbers[i]);
        if (row->number == -1)
            fail_msg("alarm %d has no row", numbers[i]);
        assert_true(row->text[0] && row->cause[0] && row->next[0] && row->resume[0]);
    }
    assert_int_equal(alarm_row(127)->number, -1); /* a number that nobody wrote down is told, too */
    assert_true(alarm_row(127)->next[0] != '\0');
    size_t count = 0;
    const struct alarm_row *rows = alarm_rows(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(rows[i].number, rows[k].number);
    }
}

/* With SACHET_WRITE_PAGES set the page is written instead of compared. */
static void the_page_is_drawn_from_the_tables(void **state)
{
    (void)state;
    struct buf page;
    buf_init(&page);
    states_page(&page);
    FILE *file = fopen(SOURCE_ROOT "/controller/pack/states.md", getenv("SACHET_WRITE_PAGES") ? "w+" : "r");
    assert_non_null(file);
    if (getenv("SACHET_WRITE_PAGES")) {
        assert_int_equal(fwrite(page.data, 1, page.len, file), page.len);
        rewind(file);
    }
    char *kept = calloc(1, page.len + 2);
    assert_non_null(kept);
    assert_int_equal(fread(kept, 1, page.len + 1, file), page.len);
    assert_string_equal(kept, buf_string(&page)); /* else: run this test with SACHET_WRITE_PAGES=1 */
    free(kept);
    fclose(file);
    buf_finish(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_state_and_event_has_one_row),
        cmocka_unit_test(nothing_leads_from_aborted_into_motion_but_three_words),
        cmocka_unit_test(every_alarm_of_the_machine_and_of_ours_has_a_whole_row),
        cmocka_unit_test(the_page_is_drawn_from_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
