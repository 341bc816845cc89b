/* SPDX-License-Identifier: Apache-2.0 */
/* What is found keeps a plan from being signed and from being packed, until a pharmacist answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/clinical/clinical.h"
#include "controller/review/sign.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

struct fixture {
    struct clinic clinic;
    struct review_rules rules;
    int64_t patient, plan;
    int32_t today;
};

static const int64_t now_ms = 1795219200000;
static const char reason[] = "asked the prescriber, both are meant";
static struct error err;

/* People take a second to make, so that all tests share a house; each has a patient of its own. */
static struct fixture house;

static int open_house(void **state)
{
    struct fixture *f = &house;
    clinic_init(&f->clinic, "", NULL);
    clinic_people(&f->clinic);
    memcpy(f->rules.timing, f->clinic.policy->timing_hash, sizeof f->rules.timing);
    memcpy(f->rules.packing, f->clinic.policy->packing_hash, sizeof f->rules.packing);
    if (clinical_rules_load(f->clinic.site, &f->rules.clinical, &err) < 0)
        fail_msg("%s", err.message);
    f->today = instant_day(now_ms);
    clinic_product(&f->clinic, "LISI", "Lisinopril 5 mg tablet", "lisinopril");
    clinic_product(&f->clinic, "RAMI", "Ramipril 5 mg tablet", "ramipril");
    clinic_product(&f->clinic, "AMOX", "Amoxicillin 5 mg tablet", "amoxicillin");
    (void)state;
    return 0;
}

static int close_house(void **state)
{
    review_rules_finish(&house.rules);
    clinic_finish(&house.clinic);
    (void)state;
    return 0;
}

static int setup(void **state)
{
    static const char *const products[] = {"LISI", "RAMI", "AMOX"};
    static int number;
    char id[16];
    struct fixture *f = &house;
    struct reading once = clinic_daily(1, 1000);
    (void)snprintf(id, sizeof id, "p%d", ++number);
    f->patient = clinic_patient(&f->clinic, id, "Ann Example");
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(id, sizeof id, "o%d-%zu", number, i);
        clinic_order(&f->clinic, f->patient, id, products[i], &once);
    }
    f->plan = clinic_plan(&f->clinic, f->patient, 3).id;
    *state = f;
    return 0;
}

static int sign(struct fixture *f)
{
    return review_sign(f->clinic.store, f->plan, &f->rules, &f->clinic.pharmacist, f->clinic.key, now_ms,
                       &err);
}

static int verify(struct fixture *f)
{
    return review_verify(f->clinic.store, f->plan, &f->rules, &err);
}

static void key_of(struct fixture *f, const char *rule, char key[CLINICAL_KEY_BYTES])
{
    struct arena arena;
    struct clinical_findings findings;
    arena_init(&arena, 0);
    if (clinical_check_plan(f->clinic.store, f->rules.clinical, f->plan, f->today, &arena, &findings, &err) <
        0)
        fail_msg("%s", err.message);
    key[0] = '\0';
    for (size_t i = 0; i < findings.count; i++) {
        if (strcmp(findings.rows[i].rule, rule) == 0)
            memcpy(key, findings.rows[i].key, CLINICAL_KEY_BYTES);
    }
    if (!key[0])
        fail_msg("no finding of rule %s", rule);
    arena_finish(&arena);
}

static int answer(struct fixture *f, const char *key, const char *words, int32_t until,
                  const struct user *user)
{
    return clinical_answer(f->clinic.store, f->rules.clinical, f->plan, key, words, until, f->today, user,
                           now_ms, &err);
}

static void a_serious_finding_waits_for_an_answer(void **state)
{
    struct fixture *f = *state;
    char key[CLINICAL_KEY_BYTES];
    assert_int_equal(sign(f), E_STATE);
    assert_non_null(strstr(err.message, "two-ace-inhibitor"));
    key_of(f, "two-ace-inhibitor", key);
    assert_int_equal(answer(f, key, reason, f->today, &f->clinic.technician), E_DENIED);
    assert_int_equal(answer(f, key, "fine", f->today, &f->clinic.pharmacist), E_INPUT); /* no reason at all */
    assert_int_equal(answer(f, key, reason, f->today - 1, &f->clinic.pharmacist), E_INPUT);
    assert_int_equal(answer(f, key, reason, f->today + 367, &f->clinic.pharmacist), E_INPUT);
    assert_int_equal(answer(f, "ffffffff", reason, f->today, &f->clinic.pharmacist), E_NOT_FOUND);
    assert_int_equal(sign(f), E_STATE);
    assert_int_equal(answer(f, key, reason, f->today, &f->clinic.pharmacist), 0);
    assert_int_equal(answer(f, key, reason, f->today, &f->clinic.pharmacist), E_STATE); /* once */
    assert_int_equal(sign(f), 0);
    assert_int_equal(verify(f), 0);
    int64_t rows;
    assert_int_equal(audit_verify(f->clinic.store, &rows, &err), 0);
    assert_int_equal(clinic_int(&f->clinic,
                                "SELECT count(*) FROM audit WHERE action = 'checks.answer' AND subject = "
                                "(SELECT 'patient:' || max(id) FROM patient)"),
                     1);
}

static void an_answer_ends_with_its_day_or_when_it_is_withdrawn(void **state)
{
    struct fixture *f = *state;
    char key[CLINICAL_KEY_BYTES];
    key_of(f, "two-ace-inhibitor", key);
    assert_int_equal(answer(f, key, reason, f->today, &f->clinic.pharmacist), 0);
    clinic_exec(&f->clinic, "UPDATE clinical_answer SET until_day = until_day - 1");
    assert_int_equal(sign(f), E_STATE);
    assert_int_equal(answer(f, key, reason, f->today + 30, &f->clinic.pharmacist),
                     0); /* makes room by itself */
    assert_int_equal(clinical_withdraw(f->clinic.store, f->patient, key, &f->clinic.pharmacist, now_ms, &err),
                     0);
    assert_int_equal(clinical_withdraw(f->clinic.store, f->patient, key, &f->clinic.pharmacist, now_ms, &err),
                     E_NOT_FOUND);
    assert_int_equal(sign(f), E_STATE);
}

static void answer_and_sign(struct fixture *f)
{
    char key[CLINICAL_KEY_BYTES];
    key_of(f, "two-ace-inhibitor", key);
    assert_int_equal(answer(f, key, reason, f->today, &f->clinic.pharmacist), 0);
    assert_int_equal(sign(f), 0);
    assert_int_equal(verify(f), 0);
}

static void an_allergy_that_becomes_known_later_stops_a_signed_plan(void **state)
{
    struct fixture *f = *state;
    answer_and_sign(f);
    assert_int_equal(
        clinical_allergy_add(f->clinic.store, f->patient, "Penicillin", &f->clinic.technician, now_ms, &err),
        E_DENIED);
    assert_int_equal(
        clinical_allergy_add(f->clinic.store, f->patient, "Penicillin", &f->clinic.pharmacist, now_ms, &err),
        0);
    assert_int_equal(
        clinical_allergy_add(f->clinic.store, f->patient, "penicillin", &f->clinic.pharmacist, now_ms, &err),
        E_EXISTS);
    assert_int_equal(verify(f), E_STATE);
    assert_non_null(strstr(err.message, "allergy-penicillin"));
    assert_int_equal(clinical_allergy_end(f->clinic.store, f->patient, "PENICILLIN",
                                          "it was a rash from heat", &f->clinic.pharmacist, now_ms, &err),
                     0);
    assert_int_equal(verify(f), 0);
}

static void a_pregnancy_that_becomes_known_later_stops_a_signed_plan(void **state)
{
    struct fixture *f = *state;
    answer_and_sign(f);
    assert_int_equal(clinical_condition_set(f->clinic.store, f->patient, "pregnant", 0, f->today + 100,
                                            &f->clinic.pharmacist, now_ms, &err),
                     0);
    assert_int_equal(verify(f), E_STATE);
    assert_int_equal(
        clinical_condition_end(f->clinic.store, f->patient, "pregnant", &f->clinic.pharmacist, now_ms, &err),
        0);
    assert_int_equal(verify(f), 0);
    assert_int_equal(clinical_condition_set(f->clinic.store, f->patient, "egfr", 0, CIVIL_DAY_NONE,
                                            &f->clinic.pharmacist, now_ms, &err),
                     E_INPUT);
}

static void what_the_signer_saw_cannot_be_changed(void **state)
{
    struct fixture *f = *state;
    answer_and_sign(f);
    clinic_exec(&f->clinic,
                "UPDATE signature_findings SET text = CAST(replace(CAST(text AS TEXT), 'serious', "
                "'caution') AS BLOB)");
    assert_int_equal(verify(f), E_TAMPERED);
    clinic_exec(&f->clinic, "DELETE FROM signature_findings");
    assert_int_equal(verify(f), E_TAMPERED);
}

static void a_withdrawn_answer_stops_a_signed_plan(void **state)
{
    struct fixture *f = *state;
    answer_and_sign(f);
    clinic_exec(&f->clinic, "UPDATE clinical_answer SET withdrawn_ms = 1");
    assert_int_equal(verify(f), E_STATE);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_serious_finding_waits_for_an_answer),
        TEST(an_answer_ends_with_its_day_or_when_it_is_withdrawn),
        TEST(an_allergy_that_becomes_known_later_stops_a_signed_plan),
        TEST(a_pregnancy_that_becomes_known_later_stops_a_signed_plan),
        TEST(what_the_signer_saw_cannot_be_changed),
        TEST(a_withdrawn_answer_stops_a_signed_plan),
    };
    return cmocka_run_group_tests(tests, open_house, close_house);
}
