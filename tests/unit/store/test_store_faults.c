/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails at the n-th write or sync, for every n until a run passes untouched. After each failure:
 * one clear error, a store that takes no more writes, and a file that opens again with everything that was
 * acknowledged and nothing half done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"
#include "tests/support/faulty_vfs.h"
#include "tests/support/scratch.h"

enum { TRANSACTIONS = 4, MOST_FAULTS = 500 };

static const char insert[] = "INSERT INTO site (key, value) VALUES (?, ?)";

/* Big values, so that a transaction is many pages. */
static int write_one(struct store *store, int number, struct error *err)
{
    static char value[7000];
    memset(value, 'v', sizeof value - 1);
    char key[16];
    (void)snprintf(key, sizeof key, "a%d", number);
    int rc = store_write_begin(store, err);
    if (rc == 0)
        rc = store_exec(store, err, insert, "tt", key, value);
    if (rc == 0)
        rc = audit_add(store, number, "test", "test.write", key, NULL, err);
    key[0] = 'b';
    if (rc == 0)
        rc = store_exec(store, err, insert, "tt", key, value);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

static int64_t count_or_fail(struct store *store, const char *sql)
{
    struct error err = {0};
    int64_t count = -1;
    if (store_get_int(store, &count, &err, sql, ""))
        fail_msg("%s", err.message);
    return count;
}

/* What must hold in a file whose writer acknowledged so many transactions. */
static void assert_kept(const char *path, int acknowledged)
{
    struct error err = {0};
    struct store *store = store_open(path, false, &err);
    if (!store)
        fail_msg("%s", err.message);
    int64_t rows = 0;
    int64_t found = count_or_fail(store, "SELECT count(*) FROM site");
    /* The one that failed may be there, whole: its commit was never acknowledged and never denied. */
    assert_in_range(found, 2 * acknowledged, 2 * acknowledged + 2);
    assert_int_equal(found % 2, 0);
    assert_int_equal(audit_verify(store, &rows, &err), 0);
    assert_int_equal(2 * rows, found);
    assert_int_equal(store_check(store, &err), 0);
    assert_int_equal(write_one(store, 1000, &err), 0);
    store_close(store);
}

/* One life of a program with a checkpoint in the middle; the fault strikes at the nth operation. True when
 * it did. */
static bool run(enum faulty_kind kind, int nth, int expected, int expected_too)
{
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    char reserve[SCRATCH_PATH_BYTES];
    struct error err = {0};
    scratch_init(&scratch);
    (void)scratch_path(&scratch, "sachet.db", path);
    assert_int_equal(store_create(path, &err), 0);
    struct store *store = store_open(path, false, &err);
    assert_non_null(store);
    faulty_vfs_arm(kind, nth);
    int acknowledged = 0;
    int rc = 0;
    for (int i = 0; rc == 0 && i < TRANSACTIONS; i++) {
        rc = write_one(store, i, &err);
        if (rc == 0)
            acknowledged++;
        if (rc == 0 && i == TRANSACTIONS / 2)
            rc = store_checkpoint(store, &err);
    }
    if (rc) {
        if (rc != expected && rc != expected_too)
            fail_msg("fault %d at %d: %s", kind, nth, err.message);
        assert_true(store_broken(store));
        assert_false(store_in_write(store));
        struct error later = {0};
        assert_int_equal(store_write_begin(store, &later), rc);
        assert_non_null(strstr(later.message, "earlier failure"));
        if (rc == E_FULL)
            assert_non_null(strstr(later.message, "disk full"));
        if (rc == E_FULL)
            assert_int_equal(access(scratch_path(&scratch, "sachet.db.reserve", reserve), F_OK), -1);
    }
    store_close(store);
    bool struck = faulty_vfs_disarm();
    assert_true(struck || rc == 0);
    assert_kept(path, acknowledged);
    scratch_finish(&scratch);
    return struck;
}

static void run_all(enum faulty_kind kind, int expected, int expected_too, int at_least)
{
    int nth = 1;
    while (run(kind, nth, expected, expected_too))
        assert_true(++nth < MOST_FAULTS);
    print_message("%d places failed in turn\n", nth - 1);
    assert_true(nth > at_least); /* the shim is in the way at all */
}

static void a_full_disk_at_any_write_loses_nothing_acknowledged(void **state)
{
    (void)state;
    run_all(FAULTY_WRITE_FULL, E_FULL, E_FULL, 15);
}

/* One transaction that leaves the log just short of a checkpoint. */
static void fill_log(struct store *store)
{
    struct error err = {0};
    size_t len = (STORE_WAL_PAGES - 50) * (size_t)4096;
    char *value = malloc(len + 1);
    assert_non_null(value);
    memset(value, 'v', len);
    value[len] = '\0';
    assert_int_equal(store_write_begin(store, &err), 0);
    assert_int_equal(store_exec(store, &err, insert, "tt", "fill a", value), 0);
    assert_int_equal(store_exec(store, &err, insert, "tt", "fill b", ""), 0);
    assert_int_equal(audit_add(store, 1, "test", "test.write", "fill", NULL, &err), 0);
    assert_int_equal(store_write_commit(store, &err), 0);
    assert_in_range(store->wal_pages, STORE_WAL_PAGES / 2, STORE_WAL_PAGES);
    free(value);
}

/* The commit that sets it off stands; the next step says why nothing more can be stored. */
static void a_disk_that_is_full_at_the_automatic_checkpoint_is_named(void **state)
{
    (void)state;
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct error err = {0};
    scratch_init(&scratch);
    assert_int_equal(store_create(scratch_path(&scratch, "sachet.db", path), &err), 0);
    struct store *store = store_open(path, false, &err);
    assert_non_null(store);
    fill_log(store);
    /* Room for what a transaction writes into the log, and none for the checkpoint behind it. */
    faulty_vfs_arm(FAULTY_DATABASE_FULL, 1);
    int written = 1, rc = 0;
    for (; rc == 0 && written < 100; written += rc == 0)
        rc = write_one(store, written, &err);
    assert_true(store_broken(store));
    assert_int_equal(rc, E_FULL);
    assert_non_null(strstr(err.message, "checkpoint"));
    assert_non_null(strstr(err.message, "disk full"));
    store_close(store);
    assert_true(faulty_vfs_disarm());
    assert_kept(path, written);
    scratch_finish(&scratch);
}

static void a_torn_write_loses_nothing_acknowledged(void **state)
{
    (void)state;
    run_all(FAULTY_WRITE_IO, E_STORE, E_STORE, 15);
}

static void a_failed_sync_is_final_and_loses_nothing_acknowledged(void **state)
{
    (void)state;
    run_all(FAULTY_SYNC, E_STORE, E_STORE, TRANSACTIONS);
}

static void a_store_that_cannot_be_made_whole_is_not_made(void **state)
{
    (void)state;
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    char built[SCRATCH_PATH_BYTES];
    struct error err = {0};
    scratch_init(&scratch);
    (void)scratch_path(&scratch, "sachet.db", path);
    (void)scratch_path(&scratch, "sachet.db.new", built);
    int nth = 1;
    for (;; nth++) {
        faulty_vfs_arm(FAULTY_WRITE_FULL, nth);
        int rc = store_create(path, &err);
        if (!faulty_vfs_disarm()) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, E_FULL);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(access(built, F_OK), -1);
    }
    assert_true(nth > 10);
    assert_kept(path, 0);
    scratch_finish(&scratch);
}

static int group_setup(void **state)
{
    (void)state;
    faulty_vfs_install();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_at_any_write_loses_nothing_acknowledged),
        cmocka_unit_test(a_disk_that_is_full_at_the_automatic_checkpoint_is_named),
        cmocka_unit_test(a_torn_write_loses_nothing_acknowledged),
        cmocka_unit_test(a_failed_sync_is_final_and_loses_nothing_acknowledged),
        cmocka_unit_test(a_store_that_cannot_be_made_whole_is_not_made),
    };
    return cmocka_run_group_tests_name("store_faults", tests, group_setup, NULL);
}
