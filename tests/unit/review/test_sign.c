/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/review/sign.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "controller/user/user_key.h"
#include "tests/support/clinic.h"

enum { BYTES_MAX = 65536 };

struct fixture {
    struct clinic clinic;
    struct review_rules rules;
    int64_t patient;
    int64_t plan;
};

static const int64_t now_ms = 1795219200000;

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic, "", NULL);
    clinic_people(&f->clinic);
    memcpy(f->rules.timing, f->clinic.policy->timing_hash, sizeof f->rules.timing);
    memcpy(f->rules.packing, f->clinic.policy->packing_hash, sizeof f->rules.packing);
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    clinic_product(&f->clinic, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    clinic_product(&f->clinic, "SIMVA", "Simvastatin 20 mg tablet", "simvastatin");
    struct reading twice = clinic_daily(2, 1500), once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &twice);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &once);
    clinic_order_as(&f->clinic, f->patient, "o3", NULL, NULL, "refused",
                    "[{\"code\":\"ROUTE\",\"text\":\"a spray\"}]");
    f->plan = clinic_plan(&f->clinic, f->patient, 3).id;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static int sign(struct fixture *f, int64_t plan, struct error *err)
{
    return review_sign(f->clinic.store, plan, &f->rules, &f->clinic.pharmacist, f->clinic.key, now_ms, err);
}

static void sign_or_fail(struct fixture *f, int64_t plan)
{
    struct error err = {0};
    if (sign(f, plan, &err) < 0)
        fail_msg("%s", err.message);
    if (review_verify(f->clinic.store, plan, &f->rules, &err) < 0)
        fail_msg("%s", err.message);
}

static int verify(struct fixture *f)
{
    struct error err = {0};
    int status = review_verify(f->clinic.store, f->plan, &f->rules, &err);
    assert_true(status == 0 || err.message[0] != '\0');
    return status;
}

static void a_pharmacist_signs_and_it_is_on_record(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    assert_int_equal(verify(f), E_STATE); /* a draft */
    assert_int_equal(review_check(f->clinic.store, f->plan, &f->rules, &err), 0);
    sign_or_fail(f, f->plan);
    struct review_signature signature;
    assert_int_equal(review_signature_of(f->clinic.store, f->plan, &signature, &err), 0);
    assert_string_equal(signature.login, "pia");
    assert_string_equal(signature.name, "Pia Pharmacist");
    assert_string_equal(signature.meaning, "approved for dispensing");
    assert_true(signature.signed_ms == now_ms);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM audit WHERE action = 'plan.sign'"), 1);
    int64_t rows;
    assert_int_equal(audit_verify(f->clinic.store, &rows, &err), 0);
    assert_int_equal(sign(f, f->plan, &err), E_STATE); /* once is enough */
}

static void only_an_enabled_pharmacist_with_the_own_key_signs(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct seal_key *key;
    assert_int_equal(user_key_open(&f->clinic.technician, CLINIC_PASSWORD, &key, &err), 0);
    assert_int_equal(
        review_sign(f->clinic.store, f->plan, &f->rules, &f->clinic.technician, key, now_ms, &err), E_DENIED);
    assert_int_equal(
        review_sign(f->clinic.store, f->plan, &f->rules, &f->clinic.pharmacist, key, now_ms, &err), E_DENIED);
    struct user liar = f->clinic.technician;
    (void)snprintf(liar.role, sizeof liar.role, "pharmacist");
    assert_int_equal(review_sign(f->clinic.store, f->plan, &f->rules, &liar, key, now_ms, &err), E_DENIED);
    seal_key_close(key);
    clinic_exec(&f->clinic, "UPDATE user SET disabled = 1 WHERE login = 'pia'");
    assert_int_equal(sign(f, f->plan, &err), E_DENIED);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM signature"), 0);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan WHERE state = 'signed'"), 0);
}

static void a_newer_plan_takes_the_place_of_the_older(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct reading other = clinic_daily(1, 2000);
    sign_or_fail(f, f->plan);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &other);
    assert_int_equal(verify(f), E_STATE); /* the order changed */
    int64_t second = clinic_plan(&f->clinic, f->patient, 3).id;
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan WHERE state = 'signed'"), 1);
    sign_or_fail(f, second);
    assert_int_equal(review_verify(f->clinic.store, f->plan, &f->rules, &err), E_STATE);
    assert_non_null(strstr(err.message, "superseded"));
    assert_int_equal(sign(f, f->plan, &err), E_STATE);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan WHERE state = 'signed'"), 1);
}

static void the_next_cycle_is_signed_beside_the_running_one(void **state)
{
    struct fixture *f = *state;
    const char *const signed_plans = "SELECT count(*) FROM plan WHERE state = 'signed'";
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'superseded'"); /* the fixture's own draft */
    int64_t running = clinic_plan_from(&f->clinic, f->patient, "2029-01-01", 14).id;
    sign_or_fail(f, running);
    int64_t next = clinic_plan_from(&f->clinic, f->patient, "2029-01-15", 14).id;
    sign_or_fail(f, next);
    assert_int_equal(clinic_int(&f->clinic, signed_plans), 2);
    assert_int_equal(review_verify(f->clinic.store, running, &f->rules, NULL), 0);
    /* A strip for the end of the running one takes its place, and leaves the next one alone. */
    int64_t strip = clinic_plan_from(&f->clinic, f->patient, "2029-01-10", 5).id;
    sign_or_fail(f, strip);
    assert_int_equal(clinic_int(&f->clinic, signed_plans), 2);
    assert_int_equal(review_verify(f->clinic.store, running, &f->rules, NULL), E_STATE);
    assert_int_equal(review_verify(f->clinic.store, next, &f->rules, NULL), 0);
    /* One day in common is enough. */
    sign_or_fail(f, clinic_plan_from(&f->clinic, f->patient, "2029-01-14", 2).id);
    assert_int_equal(clinic_int(&f->clinic, signed_plans), 1);
}

static void what_somebody_signed_holds_when_he_is_disabled(void **state)
{
    struct fixture *f = *state;
    sign_or_fail(f, f->plan);
    clinic_exec(&f->clinic, "UPDATE user SET disabled = 1 WHERE login = 'pia'");
    assert_int_equal(verify(f), 0);
    clinic_exec(&f->clinic, "UPDATE user SET role = 'technician' WHERE login = 'pia'");
    assert_int_equal(verify(f), E_TAMPERED);
}

static void a_replaced_key_leaves_its_signatures_and_a_revoked_one_does_not(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct store *store = f->clinic.store;
    const struct user *pia = &f->clinic.pharmacist;
    sign_or_fail(f, f->plan);
    assert_int_equal(user_key_rotate(store, 10, "pia", "not her password", now_ms + 1, &err), E_DENIED);
    assert_int_equal(user_key_rotate(store, 10, "pia", CLINIC_PASSWORD, now_ms + 1, &err), 0);
    assert_int_equal(verify(f), 0);
    assert_int_equal(
        user_key_revoke(store, &f->clinic.technician, "pia", now_ms, "lost her notebook", now_ms + 2, &err),
        E_DENIED);
    assert_int_equal(user_key_revoke(store, pia, "pia", now_ms + 9, "lost her notebook", now_ms + 2, &err),
                     E_INPUT);
    assert_int_equal(user_key_revoke(store, pia, "pia", now_ms, "lost her notebook", now_ms + 2, &err), 0);
    assert_int_equal(verify(f), 0); /* it was signed with the key before that one */
    assert_int_equal(user_key_revoke(store, pia, "pia", now_ms, "lost her notebook", now_ms + 3, &err),
                     E_STATE);
    clinic_exec(&f->clinic,
                "UPDATE user_key SET revoked_from_ms = 1795219200001 WHERE revoked_from_ms IS NULL");
    assert_int_equal(verify(f), 0); /* revoked from a millisecond later on */
    clinic_exec(&f->clinic, "UPDATE user_key SET revoked_from_ms = 1795219200000");
    assert_int_equal(verify(f), E_STATE);
    struct user now;
    struct seal_key *key;
    assert_int_equal(user_by_login(store, "pia", &now, &err), 0);
    assert_int_equal(user_key_open(&now, CLINIC_PASSWORD, &key, &err), E_DENIED); /* nothing opens it */
    assert_int_equal(user_key_rotate(store, 10, "pia", CLINIC_PASSWORD, now_ms + 4, &err), 0);
    assert_int_equal(user_by_login(store, "pia", &now, &err), 0);
    assert_int_equal(user_key_open(&now, CLINIC_PASSWORD, &key, &err), 0);
    seal_key_close(key);
}

static void an_older_draft_cannot_be_signed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct reading other = clinic_daily(1, 2000);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &other);
    assert_int_equal(sign(f, f->plan, &err), E_STATE);
    clinic_plan(&f->clinic, f->patient, 3);
    assert_int_equal(sign(f, f->plan, &err), E_STATE);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM signature"), 0);
}

static void what_changes_in_the_world_unsigns(void **state)
{
    static const struct {
        const char *sql;
        int code;
        const char *named;
    } rows[] = {
        {"UPDATE patient SET name = 'Bob Example'", E_STATE, "name"},
        {"UPDATE patient SET birth_day = birth_day + 1", E_STATE, "birth"},
        {"UPDATE patient SET deceased = 1", E_STATE, "died"},
        {"UPDATE patient SET source_id = 'p2'", E_TAMPERED, "another patient"},
        {"UPDATE order_version SET current = 0 WHERE source_id = 'o3'", E_STATE, "o3"},
        {"UPDATE order_version SET source_id = 'o9' WHERE source_id = 'o2'", E_TAMPERED, "o2"},
        {"UPDATE order_version SET version = 7 WHERE source_id = 'o2'", E_TAMPERED, "o2"},
        {"UPDATE product SET name = 'Amlodipine 50 mg tablet' WHERE code = 'AMLO'", E_TAMPERED, "AMLO"},
        {"UPDATE plan SET start_day = start_day + 1", E_TAMPERED, "dates"},
        {"UPDATE plan SET version = version + 1", E_TAMPERED, "version"},
        {"UPDATE plan SET pouches = pouches - 1", E_TAMPERED, "counts"},
        {"UPDATE plan SET state = 'superseded'", E_STATE, "superseded"},
        {"UPDATE plan_order SET included = 1 - included", E_TAMPERED, "orders"},
        {"DELETE FROM plan_order WHERE included = 0", E_TAMPERED, "orders"},
        {"DELETE FROM signature", E_TAMPERED, "no signature"},
        {"UPDATE signature SET user_id = 2", E_TAMPERED, "no pharmacist"},
        {"UPDATE signature SET meaning = 'seen'", E_TAMPERED, "meaning"},
        {"UPDATE signature SET signed_ms = signed_ms + 1", E_TAMPERED, "statement"},
        {"UPDATE user SET role = 'technician'", E_TAMPERED, "no pharmacist"},
        {"UPDATE user SET name = 'Somebody Else' WHERE login = 'pia'", E_TAMPERED, "statement"},
        {"UPDATE user SET login = 'zia' WHERE login = 'pia'", E_TAMPERED, "statement"},
        {"UPDATE user SET public_key = zeroblob(32) WHERE login = 'pia'", E_TAMPERED, "statement"},
    };
    struct fixture *f = *state;
    sign_or_fail(f, f->plan);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        assert_int_equal(store_write_begin(f->clinic.store, &err), 0);
        if (store_exec(f->clinic.store, &err, rows[i].sql, "") < 0)
            fail_msg("%s: %s", rows[i].sql, err.message);
        int status = review_verify(f->clinic.store, f->plan, &f->rules, &err);
        if (status != rows[i].code || !strstr(err.message, rows[i].named))
            fail_msg("%s: %s '%s'", rows[i].sql, error_name(status), err.message);
        store_write_rollback(f->clinic.store);
        assert_int_equal(verify(f), 0);
    }
    f->rules.timing[0] ^= 1;
    assert_int_equal(verify(f), E_STATE);
    f->rules.timing[0] ^= 1;
    f->rules.packing[31] ^= 1;
    assert_int_equal(verify(f), E_STATE);
}

/* One blob or text of one row: select and update take the bytes as a blob; fix runs after each change. */
struct target {
    const char *select;
    const char *update;
    const char *fix;
    size_t step; /* of bytes; 1: each */
};

static void flip_each_byte(struct fixture *f, const struct target *target)
{
    static uint8_t bytes[BYTES_MAX];
    struct store *store = f->clinic.store;
    struct store_rows *rows = NULL;
    struct error err = {0};
    size_t len;
    assert_int_equal(store_query(store, &rows, &err, target->select, ""), 0);
    assert_int_equal(store_next(rows, &err), 1);
    const void *found = store_blob(rows, 0, &len);
    assert_true(len > 0 && len < BYTES_MAX);
    memcpy(bytes, found, len);
    store_done(rows);
    assert_int_equal(verify(f), 0);
    assert_int_equal(store_write_begin(store, &err), 0);
    for (size_t i = 0; i < len; i += target->step) {
        uint8_t was = bytes[i];
        bytes[i] = (uint8_t)(was ^ (1u << i % 7));
        if (store_exec(store, &err, target->update, "b", (const void *)bytes, len) < 0)
            fail_msg("%s", err.message);
        if (target->fix) {
            uint8_t hash[SEAL_HASH_BYTES];
            seal_hash(bytes, len, hash);
            assert_int_equal(store_exec(store, &err, target->fix, "b", (const void *)hash, sizeof hash), 0);
        }
        if (verify(f) == 0)
            fail_msg("byte %zu of %zu was changed and the plan is still signed: %s", i, len, target->select);
        bytes[i] = was;
    }
    store_write_rollback(store);
    assert_int_equal(verify(f), 0);
}

/* Hazard H7. */
static void every_changed_byte_unsigns(void **state)
{
    static const struct target targets[] = {
        {"SELECT text FROM plan", "UPDATE plan SET text = ?", NULL, 1},
        {"SELECT text FROM plan", "UPDATE plan SET text = ?", "UPDATE plan SET hash = ?",
         1}, /* a clever forger */
        {"SELECT hash FROM plan", "UPDATE plan SET hash = ?", NULL, 1},
        {"SELECT statement FROM signature", "UPDATE signature SET statement = ?", NULL, 1},
        {"SELECT signature FROM signature", "UPDATE signature SET signature = ?", NULL, 1},
        {"SELECT public_key FROM user WHERE login = 'pia'",
         "UPDATE user SET public_key = ? WHERE login = 'pia'", NULL, 1},
        {"SELECT content_hash FROM order_version WHERE source_id = 'o1'",
         "UPDATE order_version SET content_hash = ? WHERE source_id = 'o1'", NULL, 1},
        {"SELECT row_hash FROM product WHERE code = 'AMLO'",
         "UPDATE product SET row_hash = ? WHERE code = 'AMLO'", NULL, 1},
    };
    struct fixture *f = *state;
    sign_or_fail(f, f->plan);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        flip_each_byte(f, &targets[i]);
}

/* Text columns are changed as texts, in SQL: one character after the other becomes another one. */
#define CHARACTER(column)                                                                  \
    {                                                                                      \
        "SELECT length(" column ") FROM order_version WHERE source_id = 'o1'",             \
            "UPDATE order_version SET " column " = substr(" column                         \
            ", 1, ? - 1) || char(unicode(substr(" column ", ?, 1)) + 1) || substr(" column \
            ", ? + 1) WHERE source_id = 'o1'"                                              \
    }

static void every_changed_character_of_an_order_unsigns(void **state)
{
    static const struct {
        const char *length;
        const char *update;
    } columns[] = {CHARACTER("status"),     CHARACTER("reasons"), CHARACTER("drug_name"),
                   CHARACTER("drug_codes"), CHARACTER("reading"), CHARACTER("dosage"),
                   CHARACTER("original")};
    struct fixture *f = *state;
    struct error err = {0};
    sign_or_fail(f, f->plan);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        int64_t len = clinic_int(&f->clinic, columns[c].length);
        assert_true(len > 0);
        for (int64_t i = 1; i <= len; i++) {
            assert_int_equal(store_write_begin(f->clinic.store, &err), 0);
            if (store_exec(f->clinic.store, &err, columns[c].update, "iii", i, i, i) < 0)
                fail_msg("%s", err.message);
            if (verify(f) == 0)
                fail_msg("character %lld was changed and the plan is still signed: %s", (long long)i,
                         columns[c].length);
            store_write_rollback(f->clinic.store);
        }
    }
    assert_int_equal(verify(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pharmacist_signs_and_it_is_on_record, setup, teardown),
        cmocka_unit_test_setup_teardown(only_an_enabled_pharmacist_with_the_own_key_signs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_plan_takes_the_place_of_the_older, setup, teardown),
        cmocka_unit_test_setup_teardown(the_next_cycle_is_signed_beside_the_running_one, setup, teardown),
        cmocka_unit_test_setup_teardown(what_somebody_signed_holds_when_he_is_disabled, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replaced_key_leaves_its_signatures_and_a_revoked_one_does_not,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_older_draft_cannot_be_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_changes_in_the_world_unsigns, setup, teardown),
        cmocka_unit_test_setup_teardown(every_changed_byte_unsigns, setup, teardown),
        cmocka_unit_test_setup_teardown(every_changed_character_of_an_order_unsigns, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
