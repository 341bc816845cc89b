/* SPDX-License-Identifier: Apache-2.0 */
/* AllergyIntolerance into what is known of the patient: nothing that may stand is left out, and once is
 * enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/error.h"
#include "controller/clinical/clinical.h"
#include "controller/store/store.h"
#include "tests/unit/intake/store_support.h"

#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"
#define ENTRY(resource) "{\"resource\":" resource "}"
#define PATIENT                                                                                       \
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":[{\"family\":\"Test\",\"given\":[\"A\"]}]," \
    "\"birthDate\":\"1950-01-01\"}"
#define R4(id, clinical, verification, code)                                                                 \
    "{\"resourceType\":\"AllergyIntolerance\",\"id\":\"" id "\",\"patient\":{\"reference\":\"Patient/p1\"}," \
    "\"clinicalStatus\":{\"coding\":[{\"code\":\"" clinical "\"}]},\"verificationStatus\":{\"coding\":[{"    \
    "\"code\":\"" verification "\"}]},\"criticality\":\"high\",\"code\":" code "}"
#define WORDS(text) "{\"text\":\"" text "\"}"

static int take(void *data, int64_t patient, const struct intake_allergy *allergy, struct error *err)
{
    struct fixture *f = data;
    const struct clinical_allergy record = {allergy->source_id, allergy->substance, allergy->codes,
                                            allergy->criticality, allergy->ended_why};
    enum clinical_taken taken;
    return clinical_allergy_take(f->store, patient, &record, "test", 1795219200000, &taken, err);
}

static void import_or_fail(struct fixture *f, const char *text)
{
    struct intake_import import = fixture_import(f);
    struct error err = {0};
    import.data = f;
    import.allergy = take;
    if (intake_import_text(&import, "in.json", text, strlen(text), &err) != 0)
        fail_msg("%s", err.message);
    f->totals = import.totals;
}

static int64_t standing(struct fixture *f, const char *where)
{
    char sql[512];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM patient_allergy WHERE ended_ms IS NULL AND %s",
                   where);
    return count_or_fail(f, sql);
}

static void test_r4_and_stu3_are_kept_with_all_their_words(void **state)
{
    struct fixture *f = *state;
    import_or_fail(
        f, BUNDLE(ENTRY(PATIENT) "," ENTRY(
               R4("a1", "active", "confirmed",
                  "{\"coding\":[{\"system\":\"http://snomed.info/"
                  "sct\",\"code\":\"91936005\",\"display\":\"Allergy to "
                  "penicillin\"}],\"text\":\"Pen VK\"}")) "," ENTRY("{\"resourceType\":"
                                                                    "\"AllergyIntolerance\",\"id\":\"a2\","
                                                                    "\"patient\":{\"reference\":\"Patient/"
                                                                    "p1\"},\"clinicalStatus\":\"active\","
                                                                    "\"verificationStatus\":"
                                                                    "\"unconfirmed\",\"code\":{\"text\":"
                                                                    "\"Aspirin\"},\"reaction\":[{"
                                                                    "\"substance\":{\"coding\":[{"
                                                                    "\"display\":\"Salicylate\"}]}}]}")));
    assert_int_equal(
        standing(f, "source_id = 'AllergyIntolerance/a1' AND substance = 'Pen VK; Allergy to penicillin' "
                    "AND criticality = 'high' AND codes LIKE '%91936005%'"),
        1);
    assert_int_equal(standing(f,
                              "source_id = 'AllergyIntolerance/a2' AND substance = 'Aspirin; Salicylate' AND "
                              "criticality = 'unable-to-assess'"),
                     1);
    /* Their patient is kept although no order refers to it. */
    assert_int_equal(
        count_or_fail(f, "SELECT count(*) FROM patient WHERE source_id = 'p1' AND name = 'Test, A'"), 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action = 'patient.allergy'"), 2);
}

static void test_the_same_again_changes_nothing_and_a_change_replaces(void **state)
{
    struct fixture *f = *state;
    const char *first = BUNDLE(ENTRY(PATIENT) "," ENTRY(R4("a1", "active", "confirmed", WORDS("Sulfa"))));
    import_or_fail(f, first);
    int64_t rows = count_or_fail(f, "SELECT max(id) FROM patient_allergy");
    import_or_fail(f, first);
    assert_int_equal(count_or_fail(f, "SELECT max(id) FROM patient_allergy"), rows);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action LIKE 'patient.allergy%'"), 1);
    import_or_fail(
        f, BUNDLE(ENTRY(PATIENT) "," ENTRY(R4("a1", "active", "confirmed", WORDS("Sulfamethoxazole")))));
    assert_int_equal(standing(f, "substance = 'Sulfamethoxazole'"), 1);
    assert_int_equal(standing(f, "1"), 1);
    import_or_fail(f, BUNDLE(ENTRY(R4("a1", "active", "entered-in-error", WORDS("Sulfamethoxazole")))));
    assert_int_equal(standing(f, "1"), 0);
    assert_int_equal(
        count_or_fail(f, "SELECT count(*) FROM patient_allergy WHERE ended_why = 'entered-in-error'"), 1);
    /* It stands again. */
    import_or_fail(f, first);
    assert_int_equal(standing(f, "substance = 'Sulfa'"), 1);
}

static void test_what_is_doubtful_stands_and_what_is_over_does_not(void **state)
{
    static const struct {
        const char *clinical, *verification;
        bool stands;
    } rows[] = {
        {"active", "confirmed", true}, {"active", "presumed", true},     {"", "", true},
        {"unheard-of", "later", true}, {"resolved", "confirmed", false}, {"inactive", "confirmed", false},
        {"active", "refuted", false},  {"", "entered-in-error", false},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[2048], where[64];
        (void)snprintf(text, sizeof text,
                       BUNDLE(ENTRY(PATIENT) "," ENTRY(R4("s%zu", "%s", "%s", WORDS("Codeine")))), i,
                       rows[i].clinical, rows[i].verification);
        import_or_fail(f, text);
        (void)snprintf(where, sizeof where, "source_id = 'AllergyIntolerance/s%zu'", i);
        if (standing(f, where) != rows[i].stands)
            fail_msg("\"%s\" \"%s\"", rows[i].clinical, rows[i].verification);
    }
}

static void test_a_substance_without_words_is_seen_and_none_known_is_none(void **state)
{
    struct fixture *f = *state;
    import_or_fail(
        f,
        BUNDLE(ENTRY(PATIENT) "," ENTRY(R4("c1", "active", "confirmed", "{\"coding\":[{\"system\":\"urn:x\",\"code\":\"77\"}]}")) "," ENTRY(
            R4("c2", "active", "confirmed",
               "{}")) "," ENTRY(R4("c3", "active", "confirmed",
                                   "{\"coding\":[{\"system\":\"http://snomed.info/"
                                   "sct\",\"code\":\"716186003\"}]}")) "," ENTRY(R4("c4", "active",
                                                                                    "confirmed",
                                                                                    WORDS(
                                                                                        "No known "
                                                                                        "allergies"))) "," ENTRY(R4("",
                                                                                                                    "active",
                                                                                                                    "confirmed",
                                                                                                                    WORDS(
                                                                                                                        "Iodine")))));
    assert_int_equal(standing(f, "source_id = 'AllergyIntolerance/c1' AND substance LIKE '%77%'"), 1);
    assert_int_equal(
        standing(f, "source_id = 'AllergyIntolerance/c2' AND substance = 'a substance that is not named'"),
        1);
    assert_int_equal(standing(f, "1"), 2);
    assert_int_equal(f->totals.allergies, 2);
    assert_int_equal(f->totals.allergies_unkept, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_r4_and_stu3_are_kept_with_all_their_words),
        FIXTURE_TEST(test_the_same_again_changes_nothing_and_a_change_replaces),
        FIXTURE_TEST(test_what_is_doubtful_stands_and_what_is_over_does_not),
        FIXTURE_TEST(test_a_substance_without_words_is_seen_and_none_known_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
