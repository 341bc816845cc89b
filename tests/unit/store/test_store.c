/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"
#include "tests/support/scratch.h"

struct fixture {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct error err;
};

static const char set_site[] = "INSERT OR REPLACE INTO site (key, value) VALUES (?, ?)";

static struct store *open_or_fail(struct fixture *f)
{
    struct store *store = store_open(f->path, false, &f->err);
    if (!store)
        fail_msg("%s", f->err.message);
    return store;
}

static void put_or_fail(struct store *store, const char *key, const char *value)
{
    struct error err = {0};
    if (store_write_begin(store, &err) || store_exec(store, &err, set_site, "tt", key, value) ||
        store_write_commit(store, &err))
        fail_msg("%s", err.message);
}

static int64_t count_or_fail(struct store *store, const char *sql)
{
    struct error err = {0};
    int64_t count = -1;
    if (store_get_int(store, &count, &err, sql, ""))
        fail_msg("%s", err.message);
    return count;
}

/* A second connection past the store, as a person with the sqlite3 shell has it. */
static sqlite3 *raw_or_fail(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *text = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sql && sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s", text);
    return db;
}

static void raw_change(const char *path, const char *sql)
{
    assert_int_equal(sqlite3_close(raw_or_fail(path, sql)), SQLITE_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "store/sachet.db", f->path);
    if (store_create(f->path, &f->err))
        fail_msg("%s", f->err.message);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

static void assert_mode(const char *path, mode_t mode)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, mode);
}

static void a_new_store_is_private_complete_and_made_once(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    struct stat info;
    assert_mode(scratch_path(&f->scratch, "store", path), 0700);
    assert_mode(f->path, 0600);
    assert_mode(scratch_path(&f->scratch, "store/sachet.db.lock", path), 0600);
    assert_mode(scratch_path(&f->scratch, "store/sachet.db.reserve", path), 0600);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, STORE_RESERVE_BYTES);
    assert_true(info.st_blocks * 512 >= STORE_RESERVE_BYTES);
    assert_int_equal(access(scratch_path(&f->scratch, "store/sachet.db.new", path), F_OK), -1);
    assert_int_equal(store_create(f->path, &f->err), E_EXISTS);

    struct store *store = open_or_fail(f);
    put_or_fail(store, "name", "Corner");
    assert_mode(scratch_path(&f->scratch, "store/sachet.db-wal", path), 0600);
    assert_int_equal(store_check(store, &f->err), 0);
    store_close(store);
}

static void the_pragmas_are_those_of_the_house(void **state)
{
    struct fixture *f = *state;
    static const char *const pragmas[][2] = {
        {"PRAGMA journal_mode", "wal"},
        {"PRAGMA synchronous", "2"},
        {"PRAGMA foreign_keys", "1"},
        {"PRAGMA trusted_schema", "0"},
        {"PRAGMA cell_size_check", "1"},
        {"PRAGMA mmap_size", "0"},
        {"PRAGMA application_id", "1935762280"},
        {"PRAGMA wal_autocheckpoint", "0"},
        {"PRAGMA recursive_triggers", "1"},
        {"PRAGMA busy_timeout", "5000"},
    };
    int version = 0;
    int64_t application = 0;
    struct store *store = open_or_fail(f);
    assert_int_equal(migrate_version(store, &version, &application, &f->err), 0);
    assert_int_equal(version, migrate_step_count);
    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        char text[32];
        assert_int_equal(store_raw_text(store, pragmas[i][0], text, sizeof text, &f->err), 0);
        assert_string_equal(text, pragmas[i][1]);
    }
    int on = 0;
    assert_int_equal(sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on), SQLITE_OK);
    assert_int_equal(on, 1);
    assert_int_equal(sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &on), SQLITE_OK);
    assert_int_equal(on, 1);
    store_close(store);
}

static void every_table_is_strict(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    assert_true(count_or_fail(store, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'") > 10);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' "
                                          "AND sql NOT LIKE '%STRICT'"),
                     0);
    store_close(store);
}

static void values_come_back_as_they_were_bound(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    struct store_rows *rows = NULL;
    const uint8_t bytes[] = {0, 1, 0xff, 0};
    uint8_t small = 200;
    size_t len = 0;
    assert_int_equal(store_query(store, &rows, &f->err, "SELECT ?, ?, ?, ?, ?, ?, ?, ?", "iitbtnib", -5,
                                 small, "", bytes, sizeof bytes, NULL, INT64_MIN, "", (size_t)0),
                     0);
    assert_int_equal(store_next(rows, &f->err), 1);
    assert_int_equal(store_int(rows, 0), -5);
    assert_int_equal(store_int(rows, 1), 200);
    assert_string_equal(store_text(rows, 2), "");
    assert_false(store_is_null(rows, 2));
    assert_memory_equal(store_blob(rows, 3, &len), bytes, sizeof bytes);
    assert_int_equal(len, sizeof bytes);
    assert_true(store_is_null(rows, 4));
    assert_string_equal(store_text(rows, 4), "");
    assert_true(store_is_null(rows, 5));
    assert_true(store_int(rows, 6) == INT64_MIN);
    assert_false(store_is_null(rows, 7));
    (void)store_blob(rows, 7, &len);
    assert_int_equal(len, 0);
    assert_int_equal(store_next(rows, &f->err), 0);
    store_done(rows);
    store_close(store);
}

/* More integers than fit into registers: a plain int on the stack is what values.h is for. */
static void plain_ints_are_widened_wherever_they_stand(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    int64_t sum = 0;
    int minus = -1;
    assert_int_equal(store_get_int(store, &sum, &f->err, "SELECT ?+?+?+?+?+?+?+?+?+?+?+?", "iiiiiiiiiiii",
                                   minus, minus, minus, minus, minus, minus, minus, minus, minus, minus,
                                   minus, minus),
                     0);
    assert_int_equal(sum, -12);
    store_close(store);
}

static void rolled_back_is_gone_and_committed_stays(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    assert_int_equal(store_write_begin(store, &f->err), 0);
    assert_true(store_in_write(store));
    assert_int_equal(store_exec(store, &f->err, set_site, "tt", "a", "1"), 0);
    assert_int_equal(store_changes(store), 1);
    store_write_rollback(store);
    assert_false(store_in_write(store));
    put_or_fail(store, "b", "2");
    store_close(store);
    store = open_or_fail(f);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site WHERE key = 'a'"), 0);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site WHERE key = 'b'"), 1);
    store_close(store);
}

static void writing_outside_a_transaction_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    static const char *const refused[] = {
        "BEGIN", "COMMIT", "SAVEPOINT a", "PRAGMA journal_mode = DELETE", "ATTACH ':memory:' AS other",
    };
    assert_int_equal(store_exec(store, &f->err, set_site, "tt", "a", "1"), E_STATE);
    assert_int_equal(store_write_commit(store, &f->err), E_STATE);
    assert_int_equal(store_write_begin(store, &f->err), 0);
    assert_int_equal(store_write_begin(store, &f->err), E_STATE);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(store_exec(store, &f->err, refused[i], ""), E_STATE);
    store_write_rollback(store);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site"), 0);
    store_close(store);
}

static void errors_tell_unique_rule_and_missing_apart(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    static const char insert[] = "INSERT INTO site (key, value) VALUES (?, ?)";
    int64_t value = 77;
    put_or_fail(store, "a", "1");
    assert_int_equal(store_write_begin(store, &f->err), 0);
    assert_int_equal(store_exec(store, &f->err, insert, "tt", "a", "2"), E_EXISTS);
    assert_int_equal(store_exec(store, &f->err, insert, "tn", "b"), E_INPUT);
    assert_int_equal(
        store_exec(store, &f->err,
                   "INSERT INTO plan_order (plan_id, order_version_id, included) VALUES (1, 1, 1)", ""),
        E_INPUT);
    assert_int_equal(store_exec(store, &f->err, insert, "tt", "c", "3"), 0);
    assert_int_equal(store_write_commit(store, &f->err), 0);
    assert_int_equal(store_get_int(store, &value, &f->err, "SELECT 1 FROM site WHERE key = ?", "t", "x"),
                     E_NOT_FOUND);
    assert_int_equal(value, 77);
    assert_false(store_broken(store));
    store_close(store);
}

static void a_query_may_run_inside_its_own_loop(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    static const char all[] = "SELECT key FROM site ORDER BY key";
    struct store_rows *outer = NULL;
    struct store_rows *inner = NULL;
    int pairs = 0;
    put_or_fail(store, "a", "1");
    put_or_fail(store, "b", "2");
    assert_int_equal(store_query(store, &outer, &f->err, all, ""), 0);
    while (store_next(outer, &f->err) == 1) {
        assert_int_equal(store_query(store, &inner, &f->err, all, ""), 0);
        while (store_next(inner, &f->err) == 1)
            pairs++;
        store_done(inner);
    }
    store_done(outer);
    store_done(NULL);
    assert_int_equal(pairs, 4);
    store_close(store);
}

static void a_reused_buffer_never_runs_the_old_statement(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    char sql[64];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT %d", i);
        assert_int_equal(count_or_fail(store, sql), i);
    }
    char *texts = calloc(1000, sizeof sql);
    assert_non_null(texts);
    for (int i = 0; i < 1000; i++) {
        char *text = texts + (size_t)i * sizeof sql;
        (void)snprintf(text, sizeof sql, "SELECT %d", i);
        assert_int_equal(count_or_fail(store, text), i); /* more texts than the cache has places */
    }
    store_close(store);
    free(texts);
}

static void a_snapshot_does_not_see_later_commits(void **state)
{
    struct fixture *f = *state;
    struct store *reader = open_or_fail(f);
    struct store *writer = open_or_fail(f);
    put_or_fail(writer, "a", "1");
    assert_int_equal(store_read_begin(reader, &f->err), 0);
    assert_int_equal(count_or_fail(reader, "SELECT count(*) FROM site"), 1);
    int64_t before = store_data_version(writer);
    put_or_fail(writer, "b", "2");
    assert_int_equal(count_or_fail(reader, "SELECT count(*) FROM site"), 1);
    assert_int_equal(store_write_begin(reader, &f->err), E_STATE);
    store_read_end(reader);
    assert_int_equal(count_or_fail(reader, "SELECT count(*) FROM site"), 2);
    assert_true(store_data_version(writer) == before); /* own commits do not count */
    store_close(reader);
    store_close(writer);
}

static void the_data_version_tells_of_other_commits(void **state)
{
    struct fixture *f = *state;
    struct store *watcher = open_or_fail(f);
    struct store *writer = open_or_fail(f);
    int64_t version = store_data_version(watcher);
    assert_true(store_data_version(watcher) == version);
    put_or_fail(writer, "a", "1");
    assert_true(store_data_version(watcher) != version);
    store_close(watcher);
    store_close(writer);
}

static void a_newer_store_is_refused_and_untouched(void **state)
{
    struct fixture *f = *state;
    char as_it_was[64];
    (void)snprintf(as_it_was, sizeof as_it_was, "PRAGMA user_version = %d", migrate_step_count);
    raw_change(f->path, "PRAGMA user_version = 99");
    assert_null(store_open(f->path, true, &f->err));
    assert_int_equal(f->err.code, E_STORE_VERSION);
    assert_non_null(strstr(f->err.message, "version 99"));
    raw_change(f->path, as_it_was);
    store_close(open_or_fail(f));
}

static void an_older_store_waits_for_the_word_to_upgrade(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    char mark[64];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
    (void)snprintf(f->path, sizeof f->path, "%s", scratch_path(&f->scratch, "old.db", path));
    raw_change(f->path, mark);
    assert_null(store_open(f->path, false, &f->err));
    assert_int_equal(f->err.code, E_STORE_VERSION);
    struct store *store = store_open(f->path, true, &f->err);
    assert_non_null(store);
    put_or_fail(store, "a", "1");
    store_close(store);
}

static void a_step_that_fails_leaves_the_version_before_it(void **state)
{
    struct fixture *f = *state;
    const int ours = migrate_step_count;
    const struct migrate_step steps[] = {
        {.version = ours, .name = "ours", .sql = "this never runs"},
        {.version = ours + 1, .name = "next", .sql = "ALTER TABLE site ADD COLUMN more TEXT;"},
        {.version = ours + 2,
         .name = "wrong",
         .sql = "CREATE TABLE extra (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"},
    };
    struct store *store = open_or_fail(f);
    int version = 0;
    int64_t application = 0;
    assert_int_equal(lock_take(&store->lock, 0, &f->err), 0);
    assert_int_equal(migrate_run(store, steps, 3, &f->err), E_STORE);
    assert_non_null(strstr(f->err.message, "schema step wrong"));
    assert_int_equal(migrate_version(store, &version, &application, &f->err), 0);
    assert_int_equal(version, ours + 1);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
    lock_release(&store->lock);
    store_close(store);
}

static void what_is_no_store_is_refused_with_its_name(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    assert_null(store_open(scratch_path(&f->scratch, "none.db", path), true, &f->err));
    assert_int_equal(f->err.code, E_FILE);
    assert_non_null(strstr(f->err.message, "--site"));
    char text[4096];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_null(store_open(scratch_write(&f->scratch, "text.db", text, path), true, &f->err));
    assert_int_equal(f->err.code, E_STORE);
    assert_non_null(strstr(f->err.message, "text.db"));
    assert_null(store_open(scratch_write(&f->scratch, "empty.db", "", path), true, &f->err));
    assert_int_equal(f->err.code, E_STORE);
    raw_change(scratch_path(&f->scratch, "other.db", path), "CREATE TABLE a (b)");
    assert_null(store_open(path, true, &f->err));
    assert_int_equal(f->err.code, E_STORE);
    assert_non_null(strstr(f->err.message, "not a store of sachet"));
}

static void a_truncated_store_is_refused(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(truncate(f->path, info.st_size / 2), 0);
    assert_null(store_open(f->path, false, &f->err));
    assert_int_equal(f->err.code, E_STORE);
    assert_non_null(strstr(f->err.message, "backup"));
}

static void overwritten_pages_are_found_at_the_opening(void **state)
{
    struct fixture *f = *state;
    uint8_t junk[4096];
    memset(junk, 0xa5, sizeof junk);
    int fd = open(f->path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 4096), sizeof junk);
    assert_int_equal(close(fd), 0);
    assert_null(store_open(f->path, false, &f->err));
    assert_int_equal(f->err.code, E_STORE);
}

static void a_foreign_lock_ends_in_a_sentence(void **state)
{
    struct fixture *f = *state;
    struct store *store = open_or_fail(f);
    (void)sqlite3_busy_timeout(store->db, 20);
    sqlite3 *foreign = raw_or_fail(f->path, "BEGIN IMMEDIATE; INSERT INTO site VALUES ('x', 'y')");
    assert_int_equal(store_write_begin(store, &f->err), E_LOCKED);
    assert_false(store_broken(store));
    assert_false(store_in_write(store));
    assert_int_equal(sqlite3_close(foreign), SQLITE_OK);
    put_or_fail(store, "a", "1");
    store_close(store);
}

static off_t size_or_fail(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

/* The race of SQLite that the lock file is for needs two who write or checkpoint at one instant. */
static void nothing_is_written_or_checkpointed_past_a_held_lock(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    struct store_lock held;
    char value[40000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    struct store *store = open_or_fail(f);
    store->lock_wait_ms = 20;
    put_or_fail(store, "big", value);
    off_t before = size_or_fail(f->path);
    assert_int_equal(lock_open(&held, scratch_path(&f->scratch, "store/sachet.db.lock", path), &f->err), 0);
    assert_int_equal(lock_take(&held, 0, &f->err), 0);
    assert_int_equal(store_write_begin(store, &f->err), E_LOCKED);
    assert_int_equal(store_checkpoint(store, &f->err), E_LOCKED);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site"), 1); /* reading goes on */
    store_close(store);
    store = open_or_fail(f);
    assert_int_equal(size_or_fail(f->path), before);
    lock_close(&held);
    put_or_fail(store, "more", value);
    store_close(store);
    assert_true(size_or_fail(f->path) > before); /* a close checkpoints as soon as it may */
}

static void a_backup_is_a_checked_single_file_with_all_that_was_committed(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    char side[SCRATCH_PATH_BYTES];
    struct store *store = open_or_fail(f);
    put_or_fail(store, "a", "1"); /* still in the WAL */
    assert_int_equal(store_backup(store, scratch_path(&f->scratch, "copy.db", path), &f->err), 0);
    assert_int_equal(store_backup(store, path, &f->err), E_EXISTS);
    assert_mode(path, 0600);
    assert_int_equal(access(scratch_path(&f->scratch, "copy.db-wal", side), F_OK), -1);
    assert_int_equal(access(scratch_path(&f->scratch, "copy.db.part", side), F_OK), -1);
    put_or_fail(store, "b", "2");
    store_close(store);
    (void)snprintf(f->path, sizeof f->path, "%s", path);
    store = open_or_fail(f);
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site"), 1);
    put_or_fail(store, "c", "3"); /* a restored copy works as a store */
    store_close(store);
    char nowhere[SCRATCH_PATH_BYTES];
    store = open_or_fail(f);
    assert_int_equal(store_backup(store, scratch_path(&f->scratch, "no/such/folder.db", nowhere), &f->err),
                     E_FILE);
    store_close(store);
}

static void a_checkpoint_empties_the_wal_and_a_reader_only_delays_it(void **state)
{
    struct fixture *f = *state;
    char wal[SCRATCH_PATH_BYTES];
    struct stat info;
    struct store *store = open_or_fail(f);
    struct store *reader = open_or_fail(f);
    put_or_fail(store, "a", "1");
    assert_int_equal(store_read_begin(reader, &f->err), 0);
    assert_int_equal(count_or_fail(reader, "SELECT count(*) FROM site"), 1);
    put_or_fail(store, "b", "1");
    assert_int_equal(store_checkpoint(store, &f->err), 0);
    assert_int_equal(count_or_fail(reader, "SELECT count(*) FROM site"), 1);
    store_read_end(reader);
    assert_int_equal(store_checkpoint(store, &f->err), 0);
    assert_int_equal(stat(scratch_path(&f->scratch, "store/sachet.db-wal", wal), &info), 0);
    assert_int_equal(info.st_size, 0);
    store_close(reader);
    store_close(store);
}

static void a_long_run_of_commits_does_not_grow_the_wal_without_bound(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    struct stat info;
    char value[40000]; /* about 10 pages a commit */
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    struct store *store = open_or_fail(f);
    assert_int_equal(store_raw(store, "PRAGMA synchronous = OFF", &f->err),
                     0); /* only the size is looked at */
    for (int i = 0; i < 2 * STORE_WAL_PAGES / 10 + 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%d", i % 7);
        put_or_fail(store, key, value);
    }
    assert_int_equal(stat(scratch_path(&f->scratch, "store/sachet.db-wal", path), &info), 0);
    assert_true(info.st_size < (STORE_WAL_PAGES + 100) * 4200L);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_new_store_is_private_complete_and_made_once),
        TEST(the_pragmas_are_those_of_the_house),
        TEST(every_table_is_strict),
        TEST(values_come_back_as_they_were_bound),
        TEST(plain_ints_are_widened_wherever_they_stand),
        TEST(rolled_back_is_gone_and_committed_stays),
        TEST(writing_outside_a_transaction_is_refused),
        TEST(errors_tell_unique_rule_and_missing_apart),
        TEST(a_query_may_run_inside_its_own_loop),
        TEST(a_reused_buffer_never_runs_the_old_statement),
        TEST(a_snapshot_does_not_see_later_commits),
        TEST(the_data_version_tells_of_other_commits),
        TEST(a_newer_store_is_refused_and_untouched),
        TEST(an_older_store_waits_for_the_word_to_upgrade),
        TEST(a_step_that_fails_leaves_the_version_before_it),
        TEST(what_is_no_store_is_refused_with_its_name),
        TEST(a_truncated_store_is_refused),
        TEST(overwritten_pages_are_found_at_the_opening),
        TEST(a_foreign_lock_ends_in_a_sentence),
        TEST(nothing_is_written_or_checkpointed_past_a_held_lock),
        TEST(a_backup_is_a_checked_single_file_with_all_that_was_committed),
        TEST(a_checkpoint_empties_the_wal_and_a_reader_only_delays_it),
        TEST(a_long_run_of_commits_does_not_grow_the_wal_without_bound),
#undef TEST
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
