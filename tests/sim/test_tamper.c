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
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/paths.h"
#include "controller/clinical/clinical.h"
#include "controller/pack/batch.h"
#include "controller/plan/edit.h"
#include "controller/release/release.h"
#include "controller/report/report.h"
#include "controller/review/consent.h"
#include "controller/review/override_word.h"
#include "controller/review/sign.h"
#include "controller/stock/content.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tests/support/clinic.h"
#include "tests/support/scratch.h"
#include "tools/stage/demo_store.h"
#include "tools/stage/stage.h"

enum {
    PATIENTS = 2,
    /* packed; one more is only signed */ DAYS = 2,
    HOUR_MS = 3600 * 1000,
    STORE_BYTES_MAX = 64 * 1024 * 1024
};

static const struct {
    const char *column, *why;
} tamper_harmless[] = {
#include "tests/sim/tamper_harmless.inc"
};

#define WORD "another good password"

static struct clinic clinic; /* the rules, and the store while it is filled */
static struct review_rules rules;
static struct clock_virtual now;
static int64_t signed_plan; /* of the patient whose plan rests on words of people */

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
    static const char word[] = WORD;
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

/* ---- a patient whose plan rests on words of people: overrides, consents, answers, edits ---- */

struct person {
    struct user user;
    struct seal_key *key;
};

static void person_take(const char *login, struct person *person)
{
    ok(user_by_login(clinic.store, login, &person->user, &err));
    ok(user_key_open(&person->user, WORD, &person->key, &err));
}

static void answer_all(int64_t plan, int32_t today, const struct user *user)
{
    struct arena arena;
    struct clinical_findings findings;
    size_t answered = 0;
    arena_init(&arena, 0);
    ok(clinical_check_plan(clinic.store, rules.clinical, plan, today, &arena, &findings, &err));
    for (size_t i = 0; i < findings.count; i++) {
        if (findings.rows[i].grade == CLINICAL_SERIOUS) {
            ok(clinical_answer(clinic.store, rules.clinical, plan, findings.rows[i].key,
                               "asked the prescriber", today + 30, today, user, now.wall_now_ms, &err));
            answered++;
        }
    }
    assert_true(answered > 0);
    arena_finish(&arena);
}

static void consents_give(int64_t patient, int32_t today, const struct user *user)
{
    int64_t id;
    const struct consent given[] = {{.patient = patient,
                                     .kind = CONSENT_PACKING,
                                     .given_by = "patient",
                                     .from_day = today,
                                     .until_day = today + 300,
                                     .note = "signed form"},
                                    {.patient = patient,
                                     .kind = CONSENT_OUTER,
                                     .given_by = "house",
                                     .from_day = today,
                                     .until_day = today + 300,
                                     .note = "a bag"}};
    for (size_t i = 0; i < 2; i++)
        ok(consent_add(clinic.store, &given[i], user, now.wall_now_ms, &id, &err));
}

static struct plan_made plan_edited(int64_t patient, int32_t today)
{
    struct plan_made made;
    struct plan_edit edit = {.kind = PLAN_EDIT_FORBID,
                             .source_id = "",
                             .value = "12:00-13:00",
                             .reason = "sleeps at noon",
                             .login = "quinn"};
    const struct plan_request request = {.patient = patient,
                                         .start_day = today + 1,
                                         .days = 3,
                                         .actor = "quinn",
                                         .wall_ms = now.wall_now_ms,
                                         .edit = &edit};
    ok(edit_next_id(clinic.store, &edit.id, &err));
    ok(plan_make(clinic.store, clinic.policy, &request, &made, &err));
    assert_int_equal(made.outcome, PLAN_MADE);
    assert_int_equal(made.drugs, 3);
    return made;
}

static void sign_another(struct store *store)
{
    const struct reading once = clinic_daily(1, 1000);
    struct person first, second;
    int64_t id;
    bool red;
    char timing[512], packing[512], lines[1200];
    ok(paths_data("rules/timing.yaml", timing, sizeof timing, &err));
    ok(paths_data("rules/packing.yaml", packing, sizeof packing, &err));
    (void)snprintf(lines, sizeof lines, "rules: {timing: \"%s\", packing: \"%s\"}\n", timing, packing);
    clinic.store = store;
    clinic_rules(&clinic, lines, NULL);
    clock_virtual_init(&now, 0, 1795300000000);
    ok(review_rules_of(clinic.site, &now.clock, &rules, &err));
    int32_t today = instant_day(now.wall_now_ms);
    ok(user_by_login(store, "quinn", &first.user, &err));
    ok(user_add(store, &first.user, "rhea", "Rhea Pharmacist", USER_PHARMACIST, WORD, 1, &id, &err));
    person_take("quinn", &first);
    person_take("rhea", &second);
    clinic_product(&clinic, "LISI", "Lisinopril 5 mg", "lisinopril");
    clinic_product(&clinic, "RAMI", "Ramipril 5 mg", "ramipril");
    clinic_product(&clinic, "OXY", "Oxycodone 5 mg", "oxycodone");
    int64_t patient = clinic_patient(&clinic, "ann-9", "Ann Onymous");
    (void)clinic_order(&clinic, patient, "x-7", "LISI", &once);
    (void)clinic_order(&clinic, patient, "x-8", "RAMI", &once);
    (void)clinic_order(&clinic, patient, "x-9", "OXY", &once);
    const struct override_asked asked = {.product = "OXY",
                                         .reason = "the ward keeps no loose ones",
                                         .from_day = today,
                                         .until_day = today + 30};
    struct override_asked later = asked; /* another one, that is taken back */
    later.until_day = today + 60;
    ok(override_add(store, rules.products, &later, today, &second.user, second.key, now.wall_now_ms, &id,
                    &red, &err));
    ok(override_revoke(store, id, "one of them is enough", &first.user, now.wall_now_ms, &err));
    ok(override_add(store, rules.products, &asked, today, &first.user, first.key, now.wall_now_ms, &id, &red,
                    &err));
    ok(override_second(store, rules.products, id, today, &second.user, second.key, now.wall_now_ms, &err));
    consents_give(patient, today, &first.user);
    ok(clinical_allergy_add(store, patient, "latex", &first.user, now.wall_now_ms, &err));
    ok(clinical_condition_set(store, patient, "egfr", 90, CIVIL_DAY_NONE, &first.user, now.wall_now_ms,
                              &err));
    signed_plan = plan_edited(patient, today).id;
    answer_all(signed_plan, today, &first.user);
    ok(review_sign(store, signed_plan, &rules, &second.user, second.key, now.wall_now_ms, &err));
    seal_key_close(first.key);
    seal_key_close(second.key);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_free(message);
}

/* ---- a row in each table that is still empty, by its columns' types ---- */

/* Values that a CHECK asks for, or that must be absent beside another. */
static const struct {
    const char *column, *value;
} filling[] = {{"alarm.fill_id", "NULL"},
               {"hl7_message.code", "'AA'"},
               {"order_resolution.kind", "'completed'"},
               {"pouch_recall.kind", "'lost'"},
               {"refill_event.kind", "'new'"},
               {"refill_lock.kind", "'fill'"},
               {"release_decision.decision", "'accept'"},
               {"stock_doubt.least", "0"},
               {"stock_doubt.settled_how", "'counted'"},
               {"supply_count.until_day", "NULL"},
               {"task.state", "'draft'"},
               {"task.level", "'calm'"},
               {"task_answer.result", "'done'"},
               {"product_identifier.system", "'ndc'"}};

static const char *filling_of(const char *table, const char *column)
{
    char name[160];
    (void)snprintf(name, sizeof name, "%.70s.%.70s", table, column); /* names are short */
    for (size_t i = 0; i < sizeof filling / sizeof filling[0]; i++) {
        if (strcmp(filling[i].column, name) == 0)
            return filling[i].value;
    }
    return NULL;
}

static const char *any_of(const char *type)
{
    return strcmp(type, "INTEGER") == 0 ? "999999" : strcmp(type, "BLOB") == 0 ? "x'0102'" : "'some text'";
}

/* What a column refers to: the newest row of that table; NULL when it refers to nothing. */
static const char *reference_of(sqlite3 *db, const char *table, const char *column, char sql[200])
{
    sqlite3_stmt *list;
    bool found = false;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT \"table\", \"to\" FROM pragma_foreign_key_list(?) WHERE \"from\" = ?",
                           -1, &list, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(list, 1, table, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(list, 2, column, -1, SQLITE_STATIC), SQLITE_OK);
    if (sqlite3_step(list) == SQLITE_ROW) {
        found = true;
        (void)snprintf(sql, 200, "(SELECT max(%.60s) FROM %.60s)", (const char *)sqlite3_column_text(list, 1),
                       (const char *)sqlite3_column_text(list, 0)); /* names are short */
    }
    (void)sqlite3_finalize(list);
    return found ? sql : NULL;
}

static void row_put(sqlite3 *db, const char *table)
{
    struct buf sql;
    sqlite3_stmt *columns;
    buf_init(&sql);
    buf_printf(&sql, "INSERT INTO %s VALUES (", table);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT name, type FROM pragma_table_info(?)", -1, &columns, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(columns, 1, table, -1, SQLITE_STATIC), SQLITE_OK);
    for (const char *between = ""; sqlite3_step(columns) == SQLITE_ROW; between = ", ") {
        char refers[200];
        const char *column = (const char *)sqlite3_column_text(columns, 0);
        const char *value = filling_of(table, column);
        if (!value)
            value = reference_of(db, table, column, refers);
        buf_printf(&sql, "%s%s", between,
                   value ? value : any_of((const char *)sqlite3_column_text(columns, 1)));
    }
    (void)sqlite3_finalize(columns);
    buf_text(&sql, ")");
    run_sql(db, buf_string(&sql));
    buf_finish(&sql);
}

static void fill_empty_tables(void)
{
    sqlite3 *db;
    sqlite3_stmt *tables;
    char names[100][64];
    int count = 0;
    assert_int_equal(sqlite3_open(good, &db), SQLITE_OK);
    run_sql(db, "PRAGMA foreign_keys = OFF");
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                           "'sqlite_%'",
                           -1, &tables, NULL),
        SQLITE_OK);
    while (count < 100 && sqlite3_step(tables) == SQLITE_ROW)
        (void)snprintf(names[count++], sizeof names[0], "%s", (const char *)sqlite3_column_text(tables, 0));
    (void)sqlite3_finalize(tables);
    for (int i = 0; i < count; i++) {
        char sql[160];
        sqlite3_stmt *any;
        (void)snprintf(sql, sizeof sql, "SELECT 1 FROM %.60s LIMIT 1", names[i]); /* fits */
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &any, NULL), SQLITE_OK);
        bool empty = sqlite3_step(any) == SQLITE_DONE;
        (void)sqlite3_finalize(any);
        if (empty)
            row_put(db, names[i]);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
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
    if (status == 0 && count != PATIENTS + 1)
        return E_TAMPERED; /* a plan that is signed no more is not packed */
    for (size_t i = 0; status == 0 && i < count; i++) {
        bool packed = plans[i] != signed_plan;
        status = review_verify(store, plans[i], packed ? NULL : &rules, &err);
        if (status == 0 && packed)
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

/* Before each pouch, of each canister that it comes from. */
static int canisters_check(struct store *store)
{
    int status = 0;
    for (int64_t id = DEMO_FIRST_CANISTER; status == 0 && id < DEMO_FIRST_CANISTER + DEMO_BAYS; id++)
        status = content_verify(store, id, &err);
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
    if (status == 0)
        status = canisters_check(store);
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
        size_t len = strcspn(tamper_harmless[i].column, "*"); /* "table.*": each that is not noticed */
        bool all = tamper_harmless[i].column[len] == '*';
        if (all ? strncmp(tamper_harmless[i].column, name, len) == 0
                : strcmp(tamper_harmless[i].column, name) == 0)
            return tamper_harmless[i].why;
    }
    return NULL;
}

/* The reason stands for all columns of the table that nobody notices. */
static bool whole_table(const char *name)
{
    char all[160];
    (void)snprintf(all, sizeof all, "%.*s.*", (int)strcspn(name, "."), name); /* fits */
    for (size_t i = 0; i < sizeof tamper_harmless / sizeof tamper_harmless[0]; i++) {
        if (strcmp(tamper_harmless[i].column, all) == 0)
            return true;
    }
    return false;
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
            print_message("%s: no row, or nothing to change it to\n", name);
            continue;
        }
        bool seen = look(bad) < 0;
        noticed += seen;
        excused += !seen && excuse(name);
        if (seen && excuse(name) && !whole_table(name))
            print_message("%s is noticed: take it out of tamper_harmless.inc\n", name);
        else if (!seen && !excuse(name))
            print_message("%s was changed and nobody noticed\n", name);
        wrong += seen ? excuse(name) && !whole_table(name) : !excuse(name);
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
    sign_another(store);
    store_close(store);
    fill_empty_tables();
    ok(look(good));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    review_rules_finish(&rules);
    clinic_rules_finish(&clinic);
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
