/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of the first released version, with a row in every table, opens with today's program: every step is
 * taken, every row stays as it was, and a power cut anywhere on the way leaves each step whole or undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"
#include "tests/support/disk_vfs.h"
#include "tests/support/scratch.h"

/* BLAKE2b-256 of the step that stores in the field were made with. It never changes: a new column or table
 * is a new step. */
static const char first_step_hash[] = "c0eadd910709b8b26929546f65ed0918f8fdce44d9580d4b0688b75370903240";

/* Stores of this version are out there. */
enum { OLD_VERSION = 1, SQL_BYTES = 4096, MOST_CUTS = 2000, TABLES_MAX = 64 };

static const char old_rows[] =
    "INSERT INTO site VALUES ('name', 'Corner'), ('opened', '2026-11-01');"
    "INSERT INTO user VALUES (1, 'ph', 'Sample', 'pharmacist', '$argon2id$', x'01', x'02', 2, 99, 0, 5);"
    "INSERT INTO user VALUES (2, 'tech', 'Other', 'technician', '$argon2id$', x'03', x'04', 0, 0, 1, 6);"
    "INSERT INTO product VALUES ('p1', 'One', 'one', '5 mg', 'tablet', 'IR', '1 2', '', 'yes', 1, 'white',"
    " '', 0, x'11', 7), ('p2', 'Two', 'two', '1 mg', 'capsule', '', '3', '9', 'pharmacist', 0, '', 'n', 1,"
    " x'12', 8);"
    "INSERT INTO product_identifier VALUES ('rxcui', '1', 'p1'), ('ndc', '9', 'p2');"
    "INSERT INTO patient VALUES (1, 'src-1', 'P One', NULL, 0, NULL, x'21', 9),"
    " (2, 'src-2', 'P Two', -3000, 1, '{\"wake\":\"07:00\"}', x'22', 10);"
    "INSERT INTO order_version VALUES (1, 'o-1', 1, 0, 1, 'active', 'packable', '[]', 'One', '[]', 'p1',"
    " '{}', '[]', '{}', x'31', 'a:1', 11), (2, 'o-1', 2, 1, 1, 'active', 'waiting', '[{}]', 'One', '[]',"
    " NULL, NULL, NULL, '{}', x'32', 'a:2', 12), (3, 'o-2', 1, 1, 2, 'stopped', 'refused', '[{}]', 'Two',"
    " '[]', 'p2', NULL, NULL, '{}', x'33', 'b:1', 13);"
    "INSERT INTO plan VALUES (1, 1, 1, 'superseded', 20000, 7, x'41', x'42', '{}', '{}', 1, 3, 2, 14, 0, 14),"
    " (2, 1, 2, 'signed', 20000, 7, x'43', x'44', '{}', '{}', 1, 3, 2, 14, 1, 15),"
    " (3, 2, 1, 'draft', 20001, 28, x'45', x'46', '{}', '{}', 2, 4, 3, 84, 0, 16);"
    "INSERT INTO plan_order VALUES (1, 1, 1), (2, 2, 1), (3, 3, 0);"
    "INSERT INTO signature VALUES (1, 2, 1, 'approved', 17, x'51', x'52');"
    "INSERT INTO canister VALUES (100, 'p1', 'whole', 'L1', 21000, 480, 'm1', 0, 18),"
    " (101, 'p1', 'half', 'L2', 21001, 20, NULL, NULL, 19);"
    "INSERT INTO batch VALUES (1, 'm1', 'stopped', 'why', 1, 'tech', 20, 'tech', 21, NULL),"
    " (2, 'm2', 'created', '', NULL, 'tech', 22, NULL, NULL, NULL);"
    "INSERT INTO batch_plan VALUES (1, 0, 2);"
    "INSERT INTO job VALUES (1, 1, 0, 2, 1, 'line 1', x'61', 'good', ''),"
    " (2, 1, 1, 2, 2, 'line 2', x'62', 'sent', ''), (3, 1, 2, 2, 3, 'line 3', x'63', 'cancelled', 'n'),"
    " (4, 1, 3, 2, 3, 'line 3', x'63', 'blocked', 'no canister');"
    "INSERT INTO machine VALUES ('S1', 'm1', 1, 4, 4, 2, 3, 23);"
    "INSERT INTO fill VALUES (1, 'S1', 1, 1, 77, 't-1', 'void', 'jam', NULL, 24, 25, 2, 1, 1300, 1310, 20, "
    "30,"
    " 3), (2, 'S1', 2, 1, 77, 't-1-r', 'good', '', 1, 26, 27, 1, 3, 1300, 1310, 20, 30, 3),"
    " (3, 'S1', 3, 2, 78, 't-2', 'intended', '', NULL, 28, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);"
    "INSERT INTO stock_move VALUES (1, 100, NULL, 'load', 500, 'tech', 29),"
    " (2, 100, 2, 'packed', -20, 'sachetd', 30);"
    "INSERT INTO fill_item VALUES (1, 0, 0, 100, 'p1', 'whole', 'L1', 2, 1), (2, 0, 0, 100, 'p1', 'whole',"
    " 'L1', 2, 2), (3, 0, 0, 100, 'p1', 'whole', 'L1', 1, NULL);"
    "INSERT INTO bay VALUES ('m1', 0, 100, 2, 1, 'wrong counts in a row', 31);"
    "INSERT INTO command VALUES (1, 'm1', 1, 'start', 'tech', 32, 33, 'taken'),"
    " (2, 'm1', NULL, 'adopt', 'tech', 34, NULL, NULL);"
    "INSERT INTO machine_state VALUES ('m1', 35, '{}');"
    "INSERT INTO alarm VALUES (1, 'm1', 901, 'stopped', 'look', 1, 1, '{}', 36, NULL),"
    " (2, 'm1', 3, 'jam', 'look', NULL, NULL, '{}', 37, 38);";

struct fixture {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    char was[TABLES_MAX][SQL_BYTES]; /* a query for each table's old columns */
    int tables;
    struct buf rows; /* what they gave */
    struct error err;
};

static void raw_or_fail(struct store *store, const char *sql)
{
    struct error err = {0};
    if (store_raw(store, sql, &err) < 0)
        fail_msg("%s", err.message);
}

static void exec_or_fail(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *data)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, row, data, &why) != SQLITE_OK)
        fail_msg("%.200s: %s", sql, why);
}

static int add_row(void *data, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++)
        buf_printf(data, "%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    buf_printf(data, "\n");
    return 0;
}

/* A store as the first released program made it. */
static void make_old(struct fixture *f)
{
    struct store store = {.lock.fd = -1, .path = f->path};
    char mark[64];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
    if (store_connect(&store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &f->err) < 0)
        fail_msg("%s", f->err.message);
    raw_or_fail(&store, mark);
    raw_or_fail(&store, "PRAGMA journal_mode = WAL");
    assert_int_equal(migrate_run(&store, migrate_steps, OLD_VERSION, &f->err), 0);
    raw_or_fail(&store, old_rows);
    raw_or_fail(&store, "BEGIN");
    store.in_write = true; /* under no lock: nobody else knows the file */
    for (int i = 0; i < 5; i++)
        assert_int_equal(audit_add(&store, 40 + i, "tech", "test.row", "x:1", NULL, &f->err), 0);
    store.in_write = false;
    raw_or_fail(&store, "COMMIT");
    store_disconnect(&store);
}

static int note_table(void *data, int count, char **values, char **names)
{
    struct fixture *f = data;
    (void)count, (void)names;
    assert_true(f->tables < TABLES_MAX);
    (void)snprintf(f->was[f->tables++], SQL_BYTES, "%s", values[0]);
    return 0;
}

static void read_rows(struct fixture *f, struct buf *ret_rows)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    buf_reset(ret_rows);
    for (int i = 0; i < f->tables; i++)
        exec_or_fail(db, f->was[i], add_row, ret_rows);
    sqlite3_close(db);
}

/* A query a table over the columns that it had, in the order of its rows; every table must have some. */
static void remember(struct fixture *f)
{
    static const char queries[] =
        "SELECT 'SELECT ''' || t.name || ''', '"
        "  || (SELECT group_concat('quote(' || c.name || ')', ', ') FROM pragma_table_info(t.name) c)"
        "  || ' FROM ' || t.name || ' ORDER BY '"
        "  || (SELECT group_concat(c.cid + 2, ', ') FROM pragma_table_info(t.name) c)"
        " FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name";
    sqlite3 *db = NULL;
    struct buf rows;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    exec_or_fail(db, queries, note_table, f);
    assert_true(f->tables >= 22);
    buf_init(&rows);
    for (int i = 0; i < f->tables; i++) {
        buf_reset(&rows);
        exec_or_fail(db, f->was[i], add_row, &rows);
        if (rows.len == 0)
            fail_msg("no row to keep: %s", f->was[i]);
    }
    buf_finish(&rows);
    sqlite3_close(db);
    read_rows(f, &f->rows);
}

static void expect_rows(struct fixture *f, const char *when)
{
    struct buf now;
    buf_init(&now);
    read_rows(f, &now);
    if (strcmp(buf_string(&now), buf_string(&f->rows)) != 0)
        fail_msg("%s: rows were changed:\n%s\nthey were\n%s", when, buf_string(&now), buf_string(&f->rows));
    buf_finish(&now);
}

/* Opens with today's program and looks at everything. */
static void expect_upgraded(struct fixture *f, const char *when)
{
    int version = 0;
    int64_t application = 0, audit_rows = 0;
    struct store *store = store_open(f->path, true, &f->err);
    if (!store || migrate_version(store, &version, &application, &f->err) < 0 ||
        store_check(store, &f->err) < 0 || audit_verify(store, &audit_rows, &f->err) < 0)
        fail_msg("%s: %s", when, f->err.message);
    assert_int_equal(version, migrate_step_count);
    assert_int_equal(audit_rows, 5);
    store_close(store);
    expect_rows(f, when);
}

static void schema_of(sqlite3 *db, struct buf *ret_text)
{
    buf_reset(ret_text);
    exec_or_fail(db, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", add_row,
                 ret_text);
}

/* The file's schema is that of the version it says, nothing between. */
static void expect_whole_steps(struct fixture *f, const char *when, int *ret_version)
{
    char memory[] = ":memory:";
    struct store fresh = {.lock.fd = -1, .path = memory}, found = {.lock.fd = -1, .path = f->path};
    struct buf want, have;
    int64_t application = 0;
    buf_init(&want);
    buf_init(&have);
    if (store_connect(&found, SQLITE_OPEN_READWRITE, &f->err) < 0 ||
        store_connect(&fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, &f->err) < 0 ||
        migrate_version(&found, ret_version, &application, &f->err) < 0 ||
        migrate_run(&fresh, migrate_steps, *ret_version, &f->err) < 0)
        fail_msg("%s: %s", when, f->err.message);
    schema_of(fresh.db, &want);
    schema_of(found.db, &have);
    if (strcmp(buf_string(&want), buf_string(&have)) != 0)
        fail_msg("%s: the schema is not that of version %d", when, *ret_version);
    store_disconnect(&fresh);
    store_disconnect(&found);
    buf_finish(&want);
    buf_finish(&have);
}

static void the_released_step_is_what_it_was(void **state)
{
    (void)state;
    uint8_t hash[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES];
    seal_hash(migrate_steps[0].sql, strlen(migrate_steps[0].sql), hash);
    seal_hash_text(hash, text);
    assert_string_equal(text, first_step_hash);
}

static void an_old_store_gets_every_step_and_keeps_every_row(void **state)
{
    struct fixture *f = *state;
    assert_null(store_open(f->path, false, &f->err)); /* not without the word to upgrade */
    assert_int_equal(f->err.code, E_STORE_VERSION);
    expect_upgraded(f, "upgrade");
    expect_upgraded(f, "opened again");
}

static void each_step_alone_keeps_every_row(void **state)
{
    struct fixture *f = *state;
    for (int version = OLD_VERSION + 1; version <= migrate_step_count; version++) {
        struct store store = {.lock.fd = -1, .path = f->path};
        char when[64];
        int found = 0;
        (void)snprintf(when, sizeof when, "step %s", migrate_steps[version - 1].name);
        if (store_connect(&store, SQLITE_OPEN_READWRITE, &f->err) < 0 ||
            migrate_run(&store, migrate_steps, version, &f->err) < 0)
            fail_msg("%s: %s", when, f->err.message);
        store_disconnect(&store);
        expect_whole_steps(f, when, &found);
        assert_int_equal(found, version);
        expect_rows(f, when);
    }
}

/* The n-th change of the disk is the last before the power goes. False when there are fewer. */
static bool cut_at(struct fixture *f, uint64_t nth, unsigned *undone)
{
    char when[64];
    struct rng rng;
    int version = 0;
    (void)snprintf(when, sizeof when, "power cut at change %" PRIu64, nth);
    rng_init(&rng, nth, 5);
    disk_on(DISK_STOP, nth);
    struct store *store = store_open(f->path, true, &f->err);
    bool struck = disk_struck();
    assert_true(struck || store);
    store_close(store);
    struck = struck || disk_struck();
    disk_lose(&rng);
    expect_whole_steps(f, when, &version);
    undone[version]++;
    expect_rows(f, when);
    expect_upgraded(f, when);
    return struck;
}

static void a_power_cut_leaves_each_step_whole_or_undone(void **state)
{
    struct fixture *f = *state;
    unsigned undone[100] = {0};
    assert_true(migrate_step_count < 100);
    for (uint64_t nth = 1; nth < MOST_CUTS; nth++) {
        bool struck = cut_at(f, nth, undone);
        store_files_remove(f->path);
        make_old(f);
        if (!struck) {
            print_message("%" PRIu64 " cuts; left at version", nth - 1);
            for (int i = 0; i <= migrate_step_count; i++)
                print_message(" %d: %u", i, undone[i]);
            print_message("\n");
            assert_true(undone[OLD_VERSION] > 0 && undone[migrate_step_count] > 0);
            return;
        }
    }
    fail_msg("an upgrade of more than %d changes", MOST_CUTS);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", f->path);
    buf_init(&f->rows);
    make_old(f);
    remember(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_finish(&f->rows);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

static int group_setup(void **state)
{
    (void)state;
    disk_install();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_released_step_is_what_it_was),
        cmocka_unit_test_setup_teardown(an_old_store_gets_every_step_and_keeps_every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(each_step_alone_keeps_every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_power_cut_leaves_each_step_whole_or_undone, setup, teardown),
    };
    /* The cuts are those of a disk in memory (disk_vfs.h); what lies below it need not be slow. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    return cmocka_run_group_tests_name("upgrade", tests, group_setup, NULL);
}
