/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hazards H7 and H27: in a store in which everything has happened (signed, packed, released), one value of
 * each column of each table is changed behind sachet's back, past all constraints and triggers. One of the
 * checks that run before a pouch is packed, a record is written or a roll leaves must notice, or the column
 * stands in the table tamper_harmless with the reason why a change of it wrongs no pouch. The table is exact:
 * a column that is noticed after all must leave it, and a new column is either noticed or gets its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "controller/pack/batch.h"
#include "controller/release/release.h"
#include "controller/report/report.h"
#include "controller/review/sign.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tests/support/scratch.h"
#include "tools/stage/demo_store.h"
#include "tools/stage/stage.h"

enum { PATIENTS = 2, DAYS = 2, HOUR_MS = 3600 * 1000, STORE_BYTES_MAX = 64 * 1024 * 1024 };

static const struct {
    const char *column, *why;
} tamper_harmless[] = {
#include "tests/sim/tamper_harmless.inc"
};

static struct scratch scratch;
static char good[SCRATCH_PATH_BYTES], bad[SCRATCH_PATH_BYTES];
static struct error err;

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

/* ---- a store in which everything has happened ---- */

static void pack_all(void)
{
    struct world_params world;
    struct stage stage;
    int64_t batch = 0;
    world_params_default(&world, 0);
    world_rates_none(&world.rates);
    const struct stage_params params = {.store_path = good,
                                        .machine = DEMO_MACHINE,
                                        .world = &world,
                                        .attend = true,
                                        .wall_ms = 1795219200000};
    ok(demo_store_build(good, PATIENTS, DAYS, &err));
    ok(stage_init(&stage, &params, &err));
    ok(demo_store_batch(stage.store, &batch, &err));
    packer_orders(stage.packer);
    assert_int_equal(stage_run_batch(&stage, batch, HOUR_MS, &err), 1);
    stage_finish(&stage);
}

static void release_all(struct store *store)
{
    static const char word[] = "another good password";
    struct arena arena;
    struct user chief, second;
    struct seal_key *key;
    int64_t id, now_ms = 1795300000000;
    ok(user_by_login(store, "pharm", &chief, &err));
    ok(user_add(store, &chief, "quinn", "Quinn Pharmacist", USER_PHARMACIST, word, 1, &id, &err));
    ok(user_by_id(store, id, &second, &err));
    ok(user_key_open(&second, word, &key, &err));
    for (int64_t plan = 1; plan <= PATIENTS; plan++) {
        struct release_roll roll;
        struct release_challenge *list;
        size_t count;
        bool passed, caught;
        arena_init(&arena, 0);
        ok(release_load(store, plan, &arena, &roll, &err));
        for (size_t i = 0; i < roll.pouch_count; i++) {
            if (roll.pouches[i].flag != RELEASE_NONE)
                ok(release_decide(store, plan, roll.pouches[i].number, true, "looked at it well", &second,
                                  now_ms += RELEASE_PACE_MS, &err));
        }
        ok(release_challenges(store, &roll, &second, &arena, &list, &count, &passed, &err));
        for (size_t i = 0; i < count; i++)
            ok(release_answer(store, plan, (int)i + 1, !list[i].altered, &second, now_ms += RELEASE_PACE_MS,
                              &caught, &err));
        ok(release_sign(store, plan, roll.scans, roll.scan_count, &second, key, now_ms += RELEASE_PACE_MS,
                        &err));
        arena_finish(&arena);
    }
    seal_key_close(key);
}

/* ---- what runs before anything leaves ---- */

static int plans_check(struct store *store)
{
    struct store_rows *rows = NULL;
    int64_t plans[PATIENTS + 1];
    size_t count = 0;
    int status =
        store_query(store, &rows, &err, "SELECT id FROM plan WHERE state = 'signed' ORDER BY id", "");
    while (status == 0 && count < PATIENTS + 1 && (status = store_next(rows, &err)) == 1) {
        plans[count++] = store_int(rows, 0);
        status = 0;
    }
    store_done(rows);
    if (status == 0 && count != PATIENTS)
        return E_TAMPERED; /* a plan that is signed no more is not packed */
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = review_verify(store, plans[i], NULL, &err);
        if (status == 0)
            status = release_verify(store, plans[i], &err);
    }
    return status;
}

static int record_check(struct store *store)
{
    struct arena arena;
    struct report report;
    arena_init(&arena, 0);
    int status = report_batch(store, 1, &arena, &report, &err);
    if (status == 0 && (!report.conserved || report.batch.good != report.batch.pouches))
        status = E_TAMPERED;
    arena_finish(&arena);
    return status;
}

static int look(const char *path)
{
    int64_t rows;
    struct store *store = store_open(path, false, &err);
    if (!store)
        return err.code;
    int status = store_check(store, &err);
    if (status == 0)
        status = audit_verify(store, &rows, &err);
    if (status == 0)
        status = plans_check(store);
    if (status == 0)
        status = record_check(store);
    store_close(store);
    return status;
}

/* ---- changing one value ---- */

static void copy_store(const struct buf *bytes)
{
    static const char *const tails[] = {"", "-wal", "-shm", ".reserve"};
    char path[SCRATCH_PATH_BYTES + 16];
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", bad, tails[i]);
        (void)unlink(path); /* may not be there */
    }
    FILE *file = fopen(bad, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
    assert_int_equal(fclose(file), 0);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_free(message);
}

/* @T table, @C column, @N what stands for NULL, @K what names a row. */
static void fill_in(const char *template, const char *const words[4], char *sql, size_t size)
{
    static const char letters[] = "TCNK";
    struct buf out;
    buf_init_fixed(&out, sql, size);
    for (const char *at = template; *at; at++) {
        const char *place = *at == '@' ? strchr(letters, at[1]) : NULL;
        if (place) {
            buf_text(&out, words[place - letters]);
            at++;
        } else {
            buf_char(&out, *at);
        }
    }
    assert_false(out.failed);
}

/* Changes the column in the table's last row; false when the table is empty or the value must be unique. */
static bool change(const char *table, const char *column, const char *type)
{
    static const char template[] =
        "UPDATE @T SET @C = CASE typeof(@C) WHEN 'integer' THEN CASE @C WHEN 1 THEN 0 ELSE @C + 1 END WHEN "
        "'text' THEN CASE WHEN @C = '' THEN 'x' "
        "ELSE substr(@C, 1, length(@C) - 1) || CASE substr(@C, -1) WHEN '1' THEN "
        "'2' ELSE '1' END END WHEN 'blob' "
        "THEN CAST(CASE hex(substr(@C, 1, 1)) WHEN 'FF' THEN x'00' ELSE x'FF' END "
        "|| substr(@C, 2) AS BLOB) ELSE @N "
        "END WHERE (@K) = (SELECT @K FROM @T ORDER BY @K DESC LIMIT 1)";
    const char *const words[4] = {table, column,
                                  strcmp(type, "INTEGER") == 0 ? "1"
                                  : strcmp(type, "BLOB") == 0  ? "x'01'"
                                                               : "'x'",
                                  strcmp(table, "product_identifier") == 0  ? "value"
                                  : strcmp(table, "release_challenge") == 0 ? "plan_id * 1000 + number"
                                                                            : "rowid"};
    char sql[2000];
    sqlite3 *db;
    fill_in(template, words, sql, sizeof sql);
    assert_int_equal(sqlite3_open(bad, &db), SQLITE_OK);
    run_sql(db, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF");
    run_sql(db, "DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete");
    char *message = NULL;
    int rc = sqlite3_exec(db, sql, NULL, NULL, &message);
    if (rc != SQLITE_OK && rc != SQLITE_CONSTRAINT)
        fail_msg("%s: %s", sql, message);
    sqlite3_free(message);
    bool changed = rc == SQLITE_OK && sqlite3_changes(db) > 0;
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return changed;
}

static const char *excuse(const char *name)
{
    for (size_t i = 0; i < sizeof tamper_harmless / sizeof tamper_harmless[0]; i++) {
        if (strcmp(tamper_harmless[i].column, name) == 0)
            return tamper_harmless[i].why;
    }
    return NULL;
}

static void a_changed_value_is_noticed_whatever_column_it_stands_in(void **state)
{
    struct buf bytes;
    sqlite3 *db;
    sqlite3_stmt *list;
    size_t noticed = 0, excused = 0, empty = 0, wrong = 0;
    (void)state;
    buf_init(&bytes);
    ok(file_read(good, STORE_BYTES_MAX, &bytes, &err));
    assert_int_equal(sqlite3_open_v2(good, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) "
                           "c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid",
                           -1, &list, NULL),
        SQLITE_OK);
    while (sqlite3_step(list) == SQLITE_ROW) {
        char name[160];
        const char *table = (const char *)sqlite3_column_text(list, 0),
                   *column = (const char *)sqlite3_column_text(list, 1);
        (void)snprintf(name, sizeof name, "%s.%s", table, column);
        copy_store(&bytes);
        if (!change(table, column, (const char *)sqlite3_column_text(list, 2))) {
            empty++;
            continue;
        }
        bool seen = look(bad) < 0;
        noticed += seen;
        excused += !seen && excuse(name);
        if (seen && excuse(name))
            print_message("%s is noticed: take it out of tamper_harmless.inc\n", name);
        else if (!seen && !excuse(name))
            print_message("%s was changed and nobody noticed\n", name);
        wrong += seen == (excuse(name) != NULL);
    }
    sqlite3_finalize(list);
    (void)sqlite3_close(db);
    buf_finish(&bytes);
    print_message("%zu columns noticed, %zu harmless with a reason, %zu without a row\n", noticed, excused,
                  empty);
    assert_int_equal(wrong, 0);
    assert_true(noticed > 60);
}

static int setup(void **state)
{
    (void)state;
    scratch_init(&scratch);
    (void)scratch_path(&scratch, "good.db", good);
    (void)scratch_path(&scratch, "bad.db", bad);
    pack_all();
    struct store *store = store_open(good, false, &err);
    assert_non_null(store);
    release_all(store);
    store_close(store);
    ok(look(good));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_finish(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_value_is_noticed_whatever_column_it_stands_in),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
