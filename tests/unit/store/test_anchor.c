/* SPDX-License-Identifier: Apache-2.0 */
/* What the chain alone cannot show: a trail written anew, rows missing at its end, a clock set back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "controller/seal/seal.h"
#include "controller/store/anchor.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/scratch.h"

enum { DAY_MS = 86400000 };
static const int64_t start_ms = INT64_C(20000) * DAY_MS;

static struct scratch scratch;
static char path[SCRATCH_PATH_BYTES];
static struct store *store;
static struct error err;

static void ok(int rc)
{
    if (rc < 0)
        fail_msg("%s", err.message);
}

static int setup(void **state)
{
    (void)state;
    scratch_init(&scratch);
    (void)scratch_path(&scratch, "sachet.db", path);
    ok(seal_init(&err));
    ok(store_create(path, &err));
    store = store_open(path, false, &err);
    assert_non_null(store);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_close(store);
    scratch_finish(&scratch);
    return 0;
}

static void act(int64_t wall_ms, const char *action)
{
    ok(store_write_begin(store, &err));
    ok(audit_add(store, wall_ms, "pia", action, "plan:1", NULL, &err));
    ok(store_write_commit(store, &err));
}

static bool anchor(int64_t wall_ms)
{
    bool made = false;
    ok(anchor_make(store, wall_ms, &made, &err));
    return made;
}

/* Three days with two acts and an anchor each. */
static void three_days(void)
{
    for (int day = 0; day < 3; day++) {
        act(start_ms + (int64_t)day * DAY_MS, "plan.sign");
        act(start_ms + (int64_t)day * DAY_MS + 1000, "batch.start");
        assert_true(anchor(start_ms + (int64_t)day * DAY_MS + 2000));
    }
}

static void a_day_has_one_anchor(void **state)
{
    struct anchor_report report;
    (void)state;
    assert_false(anchor(start_ms)); /* nothing to anchor */
    three_days();
    assert_false(anchor(start_ms + 2 * (int64_t)DAY_MS + 9000));
    assert_false(anchor(start_ms)); /* nor one for a day that is over */
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.rows, 6);
    assert_int_equal(report.anchors, 3);
    assert_int_equal(report.last_day, 20002);
    assert_int_equal(report.set_back, 0);
    assert_int_equal(report.restored_to, 0);
}

/* Writes the whole trail anew from row `seq` on, with hashes that fit. */
static void rewrite_from(int64_t seq)
{
    char sql[160];
    ok(store_write_begin(store, &err));
    ok(store_exec(store, &err, "DROP TRIGGER audit_no_delete", ""));
    (void)snprintf(sql, sizeof sql, "DELETE FROM audit WHERE seq >= %lld", (long long)seq);
    ok(store_exec(store, &err, sql, ""));
    ok(store_write_commit(store, &err));
}

/* Hazard H27. */
static void a_trail_that_was_written_anew_is_noticed(void **state)
{
    struct anchor_report report;
    int64_t rows;
    (void)state;
    three_days();
    rewrite_from(4);
    for (int i = 0; i < 3; i++)
        act(start_ms + DAY_MS + 1000 + (int64_t)i, "something.else");
    ok(audit_verify(store, &rows, &err)); /* the chain alone sees nothing */
    assert_int_equal(rows, 6);
    assert_int_equal(anchor_verify(store, &report, &err), E_TAMPERED);
    assert_non_null(strstr(err.message, "audit row 4 is not what it was"));
}

static void rows_that_are_missing_at_the_end_are_noticed(void **state)
{
    struct anchor_report report;
    (void)state;
    three_days();
    rewrite_from(6);
    assert_int_equal(anchor_verify(store, &report, &err), E_TAMPERED);
    assert_non_null(strstr(err.message, "audit row 6 was there on"));
    assert_non_null(strstr(err.message, "older copy"));
}

static void a_restore_on_record_explains_what_is_missing(void **state)
{
    struct anchor_report report;
    (void)state;
    three_days();
    rewrite_from(4);
    act(start_ms + 3 * (int64_t)DAY_MS, "store.restore");
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.restored_to, 3);
    assert_true(anchor(start_ms + 3 * (int64_t)DAY_MS + 1)); /* and the anchors go on */
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.anchors, 4);
}

static void every_changed_byte_of_an_anchor_is_noticed(void **state)
{
    struct anchor_report report;
    struct buf bytes;
    char file[SCRATCH_PATH_BYTES + 16];
    (void)state;
    three_days();
    (void)snprintf(file, sizeof file, "%s.anchors", path);
    buf_init(&bytes);
    ok(file_read(file, 65536, &bytes, &err));
    for (size_t i = 0; i < bytes.len; i += 7) {
        char was = bytes.data[i];
        int fd = open(file, O_WRONLY | O_CLOEXEC);
        char other = (char)(was ^ 1);
        assert_int_equal(pwrite(fd, &other, 1, (off_t)i), 1);
        if (anchor_verify(store, &report, &err) != E_TAMPERED)
            fail_msg("byte %zu was changed and nobody noticed", i);
        assert_int_equal(pwrite(fd, &was, 1, (off_t)i), 1);
        (void)close(fd);
    }
    ok(anchor_verify(store, &report, &err));
    /* Cut off while it was written: the last line does not count, and the next anchor is whole. */
    assert_int_equal(truncate(file, (off_t)bytes.len - 5), 0);
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.anchors, 2);
    assert_true(anchor(start_ms + 2 * (int64_t)DAY_MS + 5000));
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.anchors, 3);
    buf_finish(&bytes);
}

/* Hazard H28. */
static void a_clock_that_was_set_back_stands_in_the_trail(void **state)
{
    struct anchor_report report;
    (void)state;
    act(start_ms, "plan.sign");
    act(start_ms - AUDIT_BACK_MS, "plan.sign"); /* within what clocks do */
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.set_back, 0);
    act(start_ms - 2 * AUDIT_BACK_MS - 1, "plan.sign");
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.set_back, 1);
    assert_int_equal(report.rows, 4); /* three acts and what the clock did */
}

/* For years no day could be anchored after one hour under a clock of the year 2030. */
static void an_anchor_from_a_clock_set_ahead_stops_no_day_once_a_person_said_so(void **state)
{
    const int64_t ahead_ms = start_ms + 1500 * (int64_t)DAY_MS;
    struct anchor_report report;
    (void)state;
    act(start_ms, "plan.sign");
    assert_true(anchor(start_ms));
    assert_int_equal(anchor_clock_word(store, "pia", "nothing is wrong here", start_ms, &err), E_STATE);
    act(ahead_ms, "plan.sign");
    assert_true(anchor(ahead_ms));
    act(start_ms + DAY_MS, "plan.sign");
    assert_false(anchor(start_ms + DAY_MS));
    assert_int_equal(anchor_clock_word(store, "pia", "too short", start_ms + DAY_MS, &err), E_INPUT);
    assert_int_equal(anchor_clock_word(store, "pia", "with a \" in its midst", start_ms + DAY_MS, &err),
                     E_INPUT);
    ok(anchor_clock_word(store, "pia", "the battery of the clock was empty", start_ms + DAY_MS, &err));
    assert_true(anchor(start_ms + DAY_MS));
    assert_false(anchor(start_ms + DAY_MS));
    act(start_ms + 2 * (int64_t)DAY_MS, "plan.sign");
    assert_true(anchor(start_ms + 2 * (int64_t)DAY_MS));
    ok(anchor_verify(store, &report, &err));
    assert_int_equal(report.anchors, 4);
    assert_int_equal(report.set_ahead, 1);
    assert_int_equal(report.set_back, 1);
    /* A second time needs a second word: the first one covers nothing that came after it. */
    act(ahead_ms, "plan.sign");
    assert_true(anchor(ahead_ms + DAY_MS));
    act(start_ms + 3 * (int64_t)DAY_MS, "plan.sign");
    assert_false(anchor(start_ms + 3 * (int64_t)DAY_MS));
    ok(anchor_clock_word(store, "pia", "and it was empty once more", start_ms + 3 * (int64_t)DAY_MS, &err));
    assert_true(anchor(start_ms + 3 * (int64_t)DAY_MS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_day_has_one_anchor),
        TEST(a_trail_that_was_written_anew_is_noticed),
        TEST(rows_that_are_missing_at_the_end_are_noticed),
        TEST(a_restore_on_record_explains_what_is_missing),
        TEST(every_changed_byte_of_an_anchor_is_noticed),
        TEST(a_clock_that_was_set_back_stands_in_the_trail),
        TEST(an_anchor_from_a_clock_set_ahead_stops_no_day_once_a_person_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
