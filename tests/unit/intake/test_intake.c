/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as a whole: references, versions, standing, patients, dates, duplicates, and what is no order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/intake/support.h"

static struct run run;

#define DOSAGE                                                                                             \
    "\"dosageInstruction\":[{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}}," \
    "\"doseAndRate\":[{\"doseQuantity\":{\"value\":1}}]}]"
#define DAILY                                                                                          \
    "[{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"doseAndRate\":[{" \
    "\"doseQuantity\":{\"value\":1}}]}]"
#define NAMED(name) "\"medicationCodeableConcept\":{\"text\":\"" name "\"}"
#define PATIENT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\",\"name\":[{\"family\":\"Test\"}]}"
#define ORDER(id, subject, drug, more)                                                                      \
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\",\"status\":\"active\",\"intent\":\"order\"," \
    "\"authoredOn\":\"2026-11-01\",\"subject\":{\"reference\":\"" subject "\"}," drug "," DOSAGE more "}"
#define BUNDLE(entries)         "{\"resourceType\":\"Bundle\",\"type\":\"message\",\"entry\":[" entries "]}"
#define ENTRY(resource)         "{\"resource\":" resource "}"
#define ENTRY_AT(url, resource) "{\"fullUrl\":\"" url "\",\"resource\":" resource "}"
#define LISINOPRIL              NAMED("Lisinopril 10 MG Oral Tablet")

static void expect_packable(const struct caught *order)
{
    if (order->outcome != OUTCOME_PACKABLE)
        fail_msg("%s: %s", order->source, order->reasons);
}

static void test_references_lead_to_their_resources(void **state)
{
    (void)state;
    static const char *const medication =
        "{\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":{\"text\":\"Lisinopril 10 MG Oral Tablet\"}}";
    char text[4096];
    static const char *const references[] = {
        "Medication/m", "urn:uuid:m", "https://example.org/fhir/Medication/m", "Medication/m/_history/3"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(text, sizeof text,
                       BUNDLE(ENTRY(ORDER("r", "Patient/p", "\"medicationReference\":{\"reference\":\"%s\"}",
                                          "")) "," ENTRY(PATIENT("p")) ",{\"resource\":%s}"),
                       references[i], medication);
        run_text(&run, text);
        assert_int_equal(run.count, 1);
        expect_packable(&run.orders[0]);
        assert_string_equal(run.orders[0].patient, "p");
    }
    run_text(&run, BUNDLE(ENTRY(PATIENT("p")) "," ENTRY(
                       ORDER("r", "Patient/p", "\"medicationReference\":{\"reference\":\"#c\"}",
                             ",\"contained\":[{\"resourceType\":\"Medication\",\"id\":\"c\",\"code\":{"
                             "\"text\":\"Lisinopril 10 MG Oral Tablet\"}}]"))));
    expect_packable(&run.orders[0]);
    run_text(&run, BUNDLE(ENTRY_AT("urn:uuid:1",
                                   PATIENT("p")) "," ENTRY(ORDER("r", "urn:uuid:1", LISINOPRIL, ""))));
    expect_packable(&run.orders[0]);
    run_text(&run, BUNDLE(ENTRY(PATIENT("p")) "," ENTRY(ORDER(
                       "r", "Patient/p", "\"medicationReference\":{\"reference\":\"Medication/x\"}", ""))));
    assert_string_equal(run.orders[0].reasons, "NO_DRUG");
    run_text(&run, BUNDLE(ENTRY(ORDER("r", "Patient/p", LISINOPRIL, ""))));
    assert_string_equal(run.orders[0].reasons, "NO_PATIENT");
    run_text(&run, BUNDLE(ENTRY(ORDER("r", "#p", LISINOPRIL, ",\"contained\":[" PATIENT("p") "]"))));
    expect_packable(&run.orders[0]);
}

static void test_resources_may_come_one_by_one_in_any_order(void **state)
{
    (void)state;
    static const char *const texts[] = {
        ORDER("r", "Patient/p", "\"medicationReference\":{\"reference\":\"Medication/m\"}", ""),
        "{\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":{\"text\":\"Lisinopril 10 MG Oral Tablet\"}}",
        PATIENT("p"),
        "{\"source\":\"a/b.json\",\"bundle\":" BUNDLE(
            ENTRY(ORDER("s", "Patient/p", NAMED("Simvastatin 10 MG Oral Tablet"), ""))) "}",
    };
    run_texts(&run, texts, 4);
    assert_int_equal(run.count, 2);
    expect_packable(&run.orders[0]);
    expect_packable(&run.orders[1]);
    assert_string_equal(run.orders[1].place, "test.json#entry[0]");
}

static void test_standing_of_the_order(void **state)
{
    (void)state;
    static const struct {
        const char *more, *reason;
    } rows[] = {
        {",\"doNotPerform\":true", "DO_NOT_PERFORM"},
        {",\"doNotPerform\":\"false\"", "DO_NOT_PERFORM"},
        {",\"reportedBoolean\":true", "REPORTED"},
        {",\"implicitRules\":\"http://example.org\"", "IMPLICIT_RULES"},
        {",\"modifierExtension\":[{\"url\":\"http://example.org/x\",\"valueBoolean\":true}]",
         "MODIFIER_EXTENSION"},
        {",\"dispenseRequest\":{\"validityPeriod\":{\"end\":\"2026-11-20\"}}", "VALIDITY_ENDED"},
        {",\"dispenseRequest\":{\"validityPeriod\":{\"end\":\"2026-11-31\"}}", "BAD_DATE"},
        {",\"medication\":{\"concept\":{}}", "VERSION"},
        {",\"dateWritten\":\"2026-11-01\"", "VERSION"},
        {",\"meta\":{\"fhirVersion\":\"5.0.0\"}", "VERSION"},
        {",\"context\":{\"reference\":\"Encounter/1\"}", "VERSION_MIXED"}, /* STU3 with an R4 dose */
        {",\"meta\":{\"fhirVersion\":\"3.0.2\"}", "VERSION_MIXED"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct caught *order = run_dosage(&run, DAILY, rows[i].more);
        if (!has_reason(order, rows[i].reason) || order->outcome == OUTCOME_PACKABLE)
            fail_msg("%s: %s", rows[i].more, order->reasons);
    }
    /* What is not known and harmless stops nothing. */
    expect_packable(
        run_dosage(&run, DAILY,
                   ",\"extension\":[{\"url\":\"http://example.org/x\",\"valueBoolean\":true}],"
                   "\"encounter\":{\"reference\":\"Encounter/gone\"},\"requester\":{\"reference\":\"x\"},"
                   "\"reasonReference\":[{\"reference\":\"Condition/gone\"}]"));
    /* A modifierExtension in the dosage stops, too. */
    const struct caught *order = run_dosage(&run,
                                            "[{\"modifierExtension\":[{\"url\":\"u\"}],\"timing\":{"
                                            "\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},"
                                            "\"doseAndRate\":[{\"doseQuantity\":{\"value\":1}}]}]",
                                            "");
    assert_true(has_reason(order, "MODIFIER_EXTENSION"));
}

static void test_only_active_orders(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"\"status\":\"stopped\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"on-hold\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"completed\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"cancelled\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"entered-in-error\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"draft\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"unknown\",\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"intent\":\"order\"", "STATUS_NOT_ACTIVE"},
        {"\"status\":\"active\",\"intent\":\"plan\"", "NOT_AN_ORDER"},
        {"\"status\":\"active\",\"intent\":\"proposal\"", "NOT_AN_ORDER"},
        {"\"status\":\"active\",\"intent\":\"option\"", "NOT_AN_ORDER"},
        {"\"status\":\"active\"", "NOT_AN_ORDER"},
    };
    char text[2048];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        (void)snprintf(
            text, sizeof text,
            BUNDLE(ENTRY(PATIENT(
                "p")) ",{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"r\",%s,"
                      "\"authoredOn\":\"2026-11-01\",\"subject\":{\"reference\":\"Patient/p\"}," LISINOPRIL
                      "," DOSAGE "}}"),
            words[i][0]);
        run_text(&run, text);
        assert_int_equal(run.count, 1);
        assert_int_equal(run.orders[0].outcome, OUTCOME_REFUSED);
        assert_string_equal(run.orders[0].reasons, words[i][1]);
    }
}

static void test_dates_of_the_order(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"authoredOn\":\"2025-11-20\",", ""},
        {"\"authoredOn\":\"2025-11-19\",", "ORDER_OLD"},
        {"\"authoredOn\":\"1926\",", "ORDER_OLD"},
        {"\"authoredOn\":\"2026-11-22\",", "FUTURE_DATE"},
        {"\"authoredOn\":\"2026-02-30\",", "BAD_DATE"},
        {"\"authoredOn\":\"2014/09/09 12:11:11\",", "BAD_DATE"},
        {"\"authoredOn\":\"2026-11-01T25:00:00Z\",", "BAD_DATE"},
        {"\"authoredOn\":\"2026-11-01T23:59:59.5+14:00\",", ""},
        {"", "NO_DATE"},
    };
    char text[2048];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(
            text, sizeof text,
            BUNDLE(ENTRY(PATIENT("p")) ",{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"r\","
                                       "\"status\":\"active\",\"intent\":\"order\",%s\"subject\":{"
                                       "\"reference\":\"Patient/p\"}," LISINOPRIL "," DOSAGE "}}"),
            rows[i][0]);
        run_text(&run, text);
        assert_string_equal(run.orders[0].reasons, rows[i][1]);
    }
}

static void test_the_dead_get_no_pouches(void **state)
{
    (void)state;
    static const char *const dead[] = {"\"deceasedBoolean\":true", "\"deceasedDateTime\":\"1992-01-26\"",
                                       "\"deceasedBoolean\":\"false\""};
    char text[2048];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof text,
                       BUNDLE("{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",%s}}," ENTRY(
                           ORDER("r", "Patient/p", LISINOPRIL, ""))),
                       dead[i]);
        run_text(&run, text);
        assert_string_equal(run.orders[0].reasons, "PATIENT_DECEASED");
    }
    run_text(
        &run,
        BUNDLE("{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"deceasedBoolean\":false}}," ENTRY(
            ORDER("r", "Patient/p", LISINOPRIL, ""))));
    expect_packable(&run.orders[0]);
}

static void test_one_drug_in_several_orders_waits(void **state)
{
    (void)state;
    run_text(
        &run,
        BUNDLE(ENTRY(PATIENT("p")) "," ENTRY(PATIENT("q")) "," ENTRY(ORDER("a", "Patient/p", NAMED("Metoprolol tartrate 50 MG Oral Tablet"), "")) "," ENTRY(
            ORDER(
                "b", "Patient/p", NAMED("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet"),
                "")) "," ENTRY(ORDER("c", "Patient/q", NAMED("Metoprolol tartrate 50 MG Oral Tablet"),
                                     "")) "," ENTRY(ORDER("d", "Patient/p",
                                                          NAMED("Hydrochlorothiazide 12.5 MG / Lisinopril 20 "
                                                                "MG Oral Tablet"),
                                                          "")) "," ENTRY(ORDER("e", "Patient/p", LISINOPRIL,
                                                                               "")) "," ENTRY(ORDER("f",
                                                                                                    "Patient/"
                                                                                                    "p",
                                                                                                    NAMED(
                                                                                                        "Hydr"
                                                                                                        "ocor"
                                                                                                        "tiso"
                                                                                                        "ne "
                                                                                                        "10 "
                                                                                                        "MG/"
                                                                                                        "ML "
                                                                                                        "Topi"
                                                                                                        "cal "
                                                                                                        "Crea"
                                                                                                        "m"),
                                                                                                    "")) "," ENTRY(ORDER("g",
                                                                                                                         "Patient/p",
                                                                                                                         NAMED(
                                                                                                                             "Hydrocortisone 10 MG Oral Tablet"),
                                                                                                                         ""))));
    assert_int_equal(run.count, 7);
    assert_string_equal(run.orders[0].reasons, "DUPLICATE");
    assert_string_equal(run.orders[1].reasons, "DUPLICATE");
    expect_packable(&run.orders[2]);
    assert_string_equal(run.orders[3].reasons, "DUPLICATE");
    assert_string_equal(run.orders[4].reasons, "DUPLICATE");
    expect_packable(&run.orders[6]); /* a cream is no second tablet */
}

static void test_ids_that_clash(void **state)
{
    (void)state;
    run_text(&run, BUNDLE(ENTRY(PATIENT("p")) "," ENTRY(ORDER("r", "Patient/p", LISINOPRIL, "")) "," ENTRY(
                       ORDER("r", "Patient/p", NAMED("Simvastatin 10 MG Oral Tablet"), ""))));
    assert_int_equal(run.count, 2);
    assert_true(has_reason(&run.orders[0], "ID_CLASH"));
    assert_true(has_reason(&run.orders[1], "ID_CLASH"));
    /* The same once more, word for word, is one order. */
    run_text(&run, BUNDLE(ENTRY(PATIENT("p")) "," ENTRY(ORDER("r", "Patient/p", LISINOPRIL, "")) "," ENTRY(
                       ORDER("r", "Patient/p", LISINOPRIL, ""))));
    assert_int_equal(run.count, 1);
    assert_int_equal(run.totals.repeated, 1);
    expect_packable(&run.orders[0]);
    /* Two patients under one id. */
    run_text(&run, BUNDLE(ENTRY(PATIENT("p")) ",{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\","
                                              "\"name\":[{\"family\":\"Other\"}]}}," ENTRY(
                                                  ORDER("r", "Patient/p", LISINOPRIL, ""))));
    assert_string_equal(run.orders[0].reasons, "ID_CLASH");
    run_text(&run, BUNDLE(ENTRY(PATIENT("p")) ",{\"resource\":{\"resourceType\":\"MedicationRequest\","
                                              "\"status\":\"active\",\"intent\":\"order\"}}"));
    assert_true(has_reason(&run.orders[0], "NO_ID"));
}

static void test_what_is_no_order_is_refused_whole(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "cut off"},
        {"{\"resourceType\":\"Bundle\",\"entry\":[", "test.json:1:"},
        {"{\"resourceType\":\"Patient\",\"id\":\"\xff\"}", "UTF-8"},
        {"{\"resourceType\":\"Patient\",\"id\":\"a\",\"id\":\"b\"}", "twice"},
        {"[1,2]", "one JSON object"},
        {"{\"a\":1}", "no resourceType"},
        {"{\"resourceType\":\"Bundle\",\"entry\":{}}", "no list"},
        {"{\"resourceType\":\"Bundle\",\"implicitRules\":\"x\",\"entry\":[{}]}", "implicitRules"},
    };
    char deep[1024] = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_text(&run, rows[i][0]);
        if (run.refused_count != 1 || run.count != 0 || strstr(run.refused[0], rows[i][1]) == NULL)
            fail_msg("\"%s\": %d %s", rows[i][0], run.refused_count, run.refused[0]);
    }
    memset(deep, '[', 200);
    run_text(&run, deep);
    assert_non_null(strstr(run.refused[0], "64 deep"));
    run_text(&run, "{\"resourceType\":\"MedicationOrder\",\"id\":\"o\"}");
    assert_int_equal(run.count, 1);
    assert_string_equal(run.orders[0].reasons, "VERSION");
}

/* Elements of a wrong type anywhere must not be read as if they were not there. */
static void test_wrong_types_are_reasons(void **state)
{
    (void)state;
    const struct caught *order = run_dosage(&run, "{\"timing\":1}", "");
    assert_true(has_reason(order, "BAD_ELEMENT"));
    order = run_dosage(&run, "[1]", "");
    assert_true(has_reason(order, "BAD_ELEMENT"));
    order = run_dosage(&run, "[{\"timing\":[],\"doseAndRate\":{}}]", "");
    assert_true(has_reason(order, "BAD_ELEMENT"));
    order = run_dosage(&run, "[{\"text\":[\"1 daily\"]}]", "");
    assert_true(order->outcome != OUTCOME_PACKABLE);
}

static void test_product_is_decided_by_its_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"Simvastatin 10 MG Oral Tablet", ""},
        {"24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", ""},
        {"Nitrofurantoin 100 MG Oral Capsule", ""},
        {"pantoprazole 40 MG Enteric Coated Tablet", ""},
        {"Amoxicillin 250mg capsules", "PHARMACIST_PRODUCT"}, /* could be a brand */
        {"Bystolic Tablet 10mg", "PHARMACIST_PRODUCT"},
        {"Simvistatin 10 MG", "FORM_UNKNOWN"},
        {"Lasix 40mg", "FORM_UNKNOWN"},
        {"Carbamazepine[Tegretol]", "FORM_UNKNOWN"},
        {"Loratadine 5 MG Chewable Tablet", "NOT_ORAL_SOLID"},
        {"Risperidone 0.5 MG Disintegrating Oral Tablet", "NOT_ORAL_SOLID"},
        {"Nitroglycerin 0.4 MG Sublingual Tablet", "NOT_ORAL_SOLID"},
        {"Paracetamol 500mg soluble tablets", "NOT_ORAL_SOLID"},
        {"Memantine hydrochloride 2 MG/ML Oral Solution", "NOT_ORAL_SOLID"},
        {"200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "NOT_ORAL_SOLID"},
        {"Cisplatin 50 MG Injection", "NOT_ORAL_SOLID"},
        {"Hydrocortisone 10 MG/ML Topical Cream", "NOT_ORAL_SOLID"},
        {"24hr nicotine transdermal patch", "NOT_ORAL_SOLID"},
        {"Mirena 52 MG Intrauterine System", "NOT_ORAL_SOLID"},
        {"Yaz 28 Day Pack", "PACK_OR_KIT"},
        {"{4 (Risedronate 35 MG Oral Tablet [Actonel]) } Pack [Actonel 35]", "PACK_OR_KIT"},
        {"Prednisone Oral Tablet", "STRENGTH_UNKNOWN"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct caught *order = run_drug(&run, rows[i][0], DAILY);
        if (strcmp(order->reasons, rows[i][1]) != 0)
            fail_msg("%s: %s, wanted %s", rows[i][0], order->reasons, rows[i][1]);
    }
}

/* A name that is not RxNorm's is taken when the same ingredient stands in one that is; a better name of the
 * same code counts wherever it stands. */
static void test_brands_do_not_slip_by_the_rules(void **state)
{
    (void)state;
#define RX(code, display)                                                                            \
    "\"medicationCodeableConcept\":{\"coding\":[{\"system\":\"http://www.nlm.nih.gov/research/umls/" \
    "rxnorm\","                                                                                      \
    "\"code\":\"" code "\",\"display\":\"" display "\"}]}"
    run_text(
        &run,
        BUNDLE(ENTRY(PATIENT("p")) "," ENTRY(PATIENT("q")) "," ENTRY(PATIENT("s")) "," ENTRY(ORDER(
            "a", "Patient/p", NAMED("Ramipril Tablet 10mg"),
            "")) "," ENTRY(ORDER("b", "Patient/q", NAMED("Ramipril 5 MG Oral Tablet"),
                                 "")) "," ENTRY(ORDER("c", "Patient/p", RX("7", "Zetia Tablet 10mg"),
                                                      "")) "," ENTRY(ORDER("d", "Patient/q",
                                                                           RX("7", "ezetimibe 10 MG Oral "
                                                                                   "Tablet [Zetia]"),
                                                                           "")) "," ENTRY(ORDER("e",
                                                                                                "Patient/s",
                                                                                                RX("8",
                                                                                                   "Bystolic "
                                                                                                   "Tablet "
                                                                                                   "10mg"),
                                                                                                ""))));
    for (int i = 0; i < 4; i++)
        expect_packable(&run.orders[i]);
    assert_string_equal(run.orders[4].reasons, "PHARMACIST_PRODUCT");
}

static void test_halves_only_of_plain_tablets(void **state)
{
    (void)state;
    static const char *const half =
        "[{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},"
        "\"doseAndRate\":[{\"doseQuantity\":{\"value\":0.5}}]}]";
    expect_packable(run_drug(&run, "Lisinopril 10 MG Oral Tablet", half));
    assert_string_equal(run_drug(&run, "Ramipril 10 MG Oral Capsule", half)->reasons, "NO_HALVES");
    assert_string_equal(run_drug(&run, "24 HR Metformin 500 MG Extended Release Oral Tablet", half)->reasons,
                        "NO_HALVES");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references_lead_to_their_resources),
        cmocka_unit_test(test_resources_may_come_one_by_one_in_any_order),
        cmocka_unit_test(test_standing_of_the_order),
        cmocka_unit_test(test_only_active_orders),
        cmocka_unit_test(test_dates_of_the_order),
        cmocka_unit_test(test_the_dead_get_no_pouches),
        cmocka_unit_test(test_one_drug_in_several_orders_waits),
        cmocka_unit_test(test_ids_that_clash),
        cmocka_unit_test(test_what_is_no_order_is_refused_whole),
        cmocka_unit_test(test_wrong_types_are_reasons),
        cmocka_unit_test(test_product_is_decided_by_its_form),
        cmocka_unit_test(test_brands_do_not_slip_by_the_rules),
        cmocka_unit_test(test_halves_only_of_plain_tablets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
