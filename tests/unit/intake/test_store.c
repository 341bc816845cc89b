/* SPDX-License-Identifier: Apache-2.0 */
/* Orders in the store: again changes nothing, a change makes a version, what is read otherwise, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/error.h"
#include "controller/orders/intake_store.h"
#include "controller/stock/formulary.h"
#include "controller/store/store.h"
#include "tests/unit/intake/store_support.h"
#include "tests/unit/intake/support.h"

#define PATIENT(more) "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"Test\"}]" more "}\n"
#define ORDER(id, drug, status, value)                                                         \
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\",\"status\":\"" status           \
    "\",\"intent\":\"order\","                                                                 \
    "\"authoredOn\":\"2026-11-01\",\"subject\":{\"reference\":\"Patient/"                      \
    "p\"},\"medicationCodeableConcept\":{"                                                     \
    "\"text\":\"" drug "\"},\"dosageInstruction\":[{\"timing\":{\"repeat\":{"                  \
    "\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"doseAndRate\":[{\"doseQuantity\":{" \
    "\"value\":" value "}}]}]}\n"
#define A(value)  ORDER("a", "Lisinopril 10 MG Oral Tablet", "active", value)
#define B(status) ORDER("b", "Lisinopril 20 MG Oral Tablet", status, "1")

static void import_at(struct fixture *f, const char *text, bool derive, int32_t today)
{
    char path[SCRATCH_PATH_BYTES];
    struct error err = {0};
    struct intake_import import = fixture_import(f);
    import.policy.today = today;
    import.policy.derive = derive;
    int rc;
    if (text != NULL) {
        const char *paths[] = {scratch_write(&f->scratch, "in.ndjson", text, path)};
        rc = intake_import(&import, paths, 1, &err);
    } else {
        rc = intake_import_again(&import, &err);
    }
    if (rc != 0)
        fail_msg("%s", err.message);
    f->stored = import.stored;
    f->totals = import.totals;
}

static void import_or_fail(struct fixture *f, const char *text, bool derive)
{
    import_at(f, text, derive, TEST_TODAY);
}

/* Another process imports the same patient and order between the first look and the first write. */
static void import_in_between(void *data, const struct order *order)
{
    struct fixture *f = data;
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES];
    (void)order;
    if (count_or_fail(f, "SELECT count(*) FROM patient") > 0)
        return;
    struct intake_import other = fixture_import(f);
    other.store = store_open(scratch_path(&f->scratch, "sachet.db", path), false, &err);
    assert_non_null(other.store);
    if (intake_import_text(&other, "other.json", A("1"), strlen(A("1")), &err) != 0)
        fail_msg("%s", err.message);
    store_close(other.store);
}

static void test_another_import_in_between_is_no_fault(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct intake_import import = fixture_import(f);
    const char *text = "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":" A("2") "}]}";
    import.data = f;
    import.order = import_in_between;
    if (intake_import_text(&import, "in.json", text, strlen(text), &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM patient"), 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version"), 2);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version WHERE current = 1 AND version = 2"),
                     1);
}

static void test_the_same_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    import_or_fail(f, PATIENT("") A("1") B("stopped"), true);
    assert_int_equal(f->stored.orders_new, 2);
    assert_int_equal(f->stored.patients_new, 1);
    assert_int_equal(f->stored.products_new, 2);
    assert_int_equal(f->totals.outcomes[OUTCOME_PACKABLE], 1);
    for (int i = 0; i < 2; i++) {
        import_or_fail(f, PATIENT("") A("1") B("stopped"), true);
        assert_int_equal(f->stored.orders_same, 2);
        assert_int_equal(f->stored.orders_new + f->stored.orders_changed + f->stored.orders_read_anew, 0);
        assert_int_equal(f->stored.patients_new + f->stored.patients_changed + f->stored.products_new, 0);
    }
    import_or_fail(f, NULL, true);
    assert_int_equal(f->stored.orders_same, 2);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version"), 2);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit"), 4); /* one a run */
}

static void test_a_changed_order_is_a_new_version(void **state)
{
    struct fixture *f = *state;
    import_or_fail(f, PATIENT("") A("1"), true);
    import_or_fail(f, PATIENT("") A("2"), true);
    assert_int_equal(f->stored.orders_changed, 1);
    assert_int_equal(
        count_or_fail(f, "SELECT version FROM order_version WHERE source_id = 'a' AND current = 1"), 2);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version WHERE source_id = 'a'"), 2);
    assert_int_equal(
        count_or_fail(f, "SELECT reading LIKE '%\"amount\":1,%' FROM order_version WHERE version = 1"), 1);
}

static void test_orders_wait_for_the_formulary(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    struct error err = {0};
    struct formulary_result result;
    import_or_fail(f, PATIENT("") A("1"), false);
    assert_int_equal(
        count_or_fail(f, "SELECT reasons LIKE '%NOT_IN_FORMULARY%' FROM order_version WHERE current = 1"), 1);
    (void)scratch_write(&f->scratch, "formulary.csv",
                        "code,name,ingredient,strength,form,release,rxcui,ndc,packable,halves,look,note\n"
                        "LIS,Lisinopril 10 MG Oral Tablet,lisinopril,10 mg,tablet,IR,,,yes,no,,\n",
                        path);
    assert_int_equal(formulary_import(f->store, path, "test", 1, &result, &err), 0);
    import_or_fail(f, NULL, false);
    assert_int_equal(f->stored.orders_read_anew, 1);
    assert_int_equal(
        count_or_fail(
            f, "SELECT outcome = 'packable' AND product_code = 'LIS' FROM order_version WHERE current = 1"),
        1);
    assert_int_equal(
        count_or_fail(f, "SELECT count(*) FROM order_version WHERE current = 0 AND outcome = 'waiting'"), 1);
}

static void test_a_drug_in_an_old_and_a_new_order_waits(void **state)
{
    struct fixture *f = *state;
    import_or_fail(f, PATIENT("") A("1"), true);
    import_or_fail(f, B("active"), true); /* the patient is known from before */
    assert_int_equal(f->totals.requests, 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version WHERE current = 1 AND outcome = "
                                      "'waiting' AND reasons LIKE '%DUPLICATE%'"),
                     2);
    import_or_fail(f, B("active"), true);
    assert_int_equal(f->stored.orders_same, 2);
    import_or_fail(f, B("stopped"), true);
    assert_int_equal(
        count_or_fail(f,
                      "SELECT outcome = 'packable' FROM order_version WHERE current = 1 AND source_id = 'a'"),
        1);
}

static void test_a_death_reaches_known_orders(void **state)
{
    struct fixture *f = *state;
    import_or_fail(f, PATIENT("") A("1"), true);
    import_or_fail(f, PATIENT(",\"deceasedBoolean\":true"), true);
    assert_int_equal(f->stored.patients_changed, 1);
    assert_int_equal(count_or_fail(f, "SELECT deceased FROM patient"), 1);
    assert_int_equal(count_or_fail(f, "SELECT outcome = 'refused' FROM order_version WHERE current = 1"), 1);
}

static void test_an_order_before_its_patient(void **state)
{
    struct fixture *f = *state;
    import_or_fail(f, A("1"), true);
    assert_int_equal(count_or_fail(f, "SELECT outcome = 'waiting' AND reasons LIKE '%NO_PATIENT%' FROM "
                                      "order_version WHERE current = 1"),
                     1);
    import_or_fail(f, PATIENT(""), true);
    assert_int_equal(count_or_fail(f, "SELECT outcome = 'packable' FROM order_version WHERE current = 1"), 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM patient WHERE name = 'Test'"), 1);
}

static void test_time_alone_makes_an_order_old(void **state)
{
    struct fixture *f = *state;
    import_or_fail(f, PATIENT("") A("1"), true);
    import_at(f, NULL, true, TEST_TODAY + 400);
    assert_int_equal(
        count_or_fail(
            f,
            "SELECT outcome = 'waiting' AND reasons LIKE '%ORDER_OLD%' FROM order_version WHERE current = 1"),
        1);
}

static void test_patients_by_uuid_are_found_again(void **state)
{
    struct fixture *f = *state;
    import_or_fail(
        f,
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":"
        "\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"Test\"}]}},"
        "{\"fullUrl\":\"urn:uuid:2\",\"resource\":{\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":{"
        "\"text\":\"Lisinopril 10 MG Oral Tablet\"}}},"
        "{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"r\",\"status\":\"active\",\"intent\":"
        "\"order\",\"authoredOn\":\"2026-11-01\",\"subject\":{\"reference\":\"urn:uuid:1\"},"
        "\"medicationReference\":{\"reference\":\"urn:uuid:2\"},\"dosageInstruction\":[{\"timing\":{"
        "\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"doseAndRate\":[{\"doseQuantity\":{"
        "\"value\":0.5}}]}]}}]}\n",
        true);
    assert_int_equal(count_or_fail(f, "SELECT outcome = 'packable' FROM order_version WHERE current = 1"), 1);
    import_or_fail(f, NULL, true);
    assert_int_equal(f->stored.orders_same, 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM patient"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_another_import_in_between_is_no_fault),
        FIXTURE_TEST(test_the_same_again_changes_nothing),
        FIXTURE_TEST(test_a_changed_order_is_a_new_version),
        FIXTURE_TEST(test_orders_wait_for_the_formulary),
        FIXTURE_TEST(test_a_drug_in_an_old_and_a_new_order_waits),
        FIXTURE_TEST(test_a_death_reaches_known_orders),
        FIXTURE_TEST(test_an_order_before_its_patient),
        FIXTURE_TEST(test_time_alone_makes_an_order_old),
        FIXTURE_TEST(test_patients_by_uuid_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
