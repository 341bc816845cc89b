/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/scratch.h"

enum { ROWS = 9 };

struct fixture {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct store *store;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", f->path);
    assert_int_equal(store_create(f->path, &f->err), 0);
    f->store = store_open(f->path, false, &f->err);
    assert_non_null(f->store);
    for (int i = 1; i <= ROWS; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof subject, "plan:%d", i);
        assert_int_equal(store_write_begin(f->store, &f->err), 0);
        assert_int_equal(
            audit_add(f->store, 1000 * i, "first", "plan.sign", subject, i % 2 ? NULL : "{\"a\":1}", &f->err),
            0);
        assert_int_equal(store_write_commit(f->store, &f->err), 0);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

/* As somebody would who knows the file and SQLite, but not this test. */
static void tamper(struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    char *text = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;", NULL, NULL, &text) ||
        sqlite3_exec(db, sql, NULL, NULL, &text))
        fail_msg("%s", text);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_whole_chain_holds(void **state)
{
    struct fixture *f = *state;
    int64_t rows = 0;
    assert_int_equal(audit_verify(f->store, &rows, &f->err), 0);
    assert_int_equal(rows, ROWS);
}

static void rows_cannot_be_changed_through_the_store(void **state)
{
    struct fixture *f = *state;
    static const char *const tries[] = {
        "UPDATE audit SET actor = 'nobody' WHERE seq = 4",
        "DELETE FROM audit WHERE seq = 9",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT seq, 1, actor, action, '', '{}', hash, hash FROM audit",
    };
    int64_t rows = 0;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        assert_int_equal(store_write_begin(f->store, &f->err), 0);
        assert_int_equal(store_exec(f->store, &f->err, tries[i], ""), E_INPUT);
        assert_non_null(strstr(f->err.message, "append-only"));
        assert_int_equal(store_write_commit(f->store, &f->err), 0);
    }
    assert_int_equal(audit_verify(f->store, &rows, &f->err), 0);
    assert_int_equal(rows, ROWS);
}

static void every_changed_column_names_its_row(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql;
        int64_t holds;
    } cases[] = {
        {.sql = "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 4", .holds = 3},
        {.sql = "UPDATE audit SET actor = 'nobody' WHERE seq = 1", .holds = 0},
        {.sql = "UPDATE audit SET action = 'plan.void' WHERE seq = 9", .holds = 8},
        {.sql = "UPDATE audit SET subject = 'plan:8' WHERE seq = 7", .holds = 6},
        {.sql = "UPDATE audit SET detail = '{}' WHERE seq = 2", .holds = 1},
        {.sql = "UPDATE audit SET prev_hash = zeroblob(32) WHERE seq = 5", .holds = 4},
        {.sql = "UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", .holds = 4},
        {.sql = "UPDATE audit SET hash = x'' WHERE seq = 5", .holds = 4},
        {.sql = "DELETE FROM audit WHERE seq = 6", .holds = 5},
        {.sql = "DELETE FROM audit WHERE seq = 1", .holds = 0},
        {.sql =
             "INSERT INTO audit SELECT 11, at_ms, actor, action, subject, detail, prev_hash, hash FROM audit "
             "WHERE seq = 9",
         .holds = 9},
        {.sql = "UPDATE audit SET actor = actor || char(10) || 'action 9:plan.void' WHERE seq = 3",
         .holds = 2},
    };
    store_close(f->store);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t rows = -1;
        char wanted[32];
        char saved[SCRATCH_PATH_BYTES + 8];
        (void)snprintf(saved, sizeof saved, "%s.saved", f->path);
        f->store = store_open(f->path, false, &f->err);
        assert_non_null(f->store);
        assert_int_equal(store_backup(f->store, saved, &f->err), 0);
        store_close(f->store);
        tamper(f, cases[i].sql);
        f->store = store_open(f->path, false, &f->err);
        assert_non_null(f->store);
        assert_int_equal(audit_verify(f->store, &rows, &f->err), E_TAMPERED);
        assert_int_equal(rows, cases[i].holds);
        (void)snprintf(wanted, sizeof wanted, "audit row %d ", (int)cases[i].holds + 1);
        assert_non_null(strstr(f->err.message, wanted));
        assert_int_equal(store_checkpoint(f->store, &f->err), 0);
        store_close(f->store);
        assert_int_equal(rename(saved, f->path), 0); /* the untouched chain again */
    }
    f->store = store_open(f->path, false, &f->err);
    assert_non_null(f->store);
}

static void a_row_lives_and_dies_with_its_transaction(void **state)
{
    struct fixture *f = *state;
    int64_t rows = 0;
    assert_int_equal(audit_add(f->store, 1, "first", "a", "b", NULL, &f->err), E_STATE);
    assert_int_equal(store_write_begin(f->store, &f->err), 0);
    assert_int_equal(audit_add(f->store, 1, "first", "a", "b", NULL, &f->err), 0);
    store_write_rollback(f->store);
    assert_int_equal(audit_verify(f->store, &rows, &f->err), 0);
    assert_int_equal(rows, ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_whole_chain_holds),
        TEST(rows_cannot_be_changed_through_the_store),
        TEST(every_changed_column_names_its_row),
        TEST(a_row_lives_and_dies_with_its_transaction),
#undef TEST
    };
    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
