/* SPDX-License-Identifier: Apache-2.0 */
/* What a pharmacist says to orders that wait: it settles what it names, is judged as an order is, and dies
 * with the order's content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/orders/exceptions.h"
#include "controller/stock/formulary.h"
#include "controller/store/store.h"
#include "tests/unit/intake/store_support.h"
#include "tests/unit/intake/support.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"Test\"}]}\n"
#define ORDER(id, drug, dosage)                                                                              \
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\",\"status\":\"active\",\"intent\":\"order\","  \
    "\"authoredOn\":\"2026-11-01\",\"subject\":{\"reference\":\"Patient/p\"},\"medicationCodeableConcept\":" \
    "{\"text\":\"" drug "\"},\"dosageInstruction\":[" dosage "]}\n"
#define LISINOPRIL "Lisinopril 10 MG Oral Tablet"
#define DAILY(value)                                                                                  \
    "{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"doseAndRate\":[{" \
    "\"doseQuantity\":{\"value\":" value "}}]}"
#define MORNING                                                                                          \
    "[{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"MORN\"]}}," \
    "\"doseAndRate\":[{\"doseQuantity\":{\"value\":2,\"unit\":\"tablet\"}}]}]"

static void import_or_fail(struct fixture *f, const char *text)
{
    char path[SCRATCH_PATH_BYTES];
    struct error err = {0};
    struct intake_import import = fixture_import(f);
    const char *paths[] = {scratch_write(&f->scratch, "in.ndjson", text, path)};
    if (intake_import(&import, paths, 1, &err) != 0)
        fail_msg("%s", err.message);
    f->stored = import.stored;
}

static int say(struct fixture *f, const struct exception_word *word, struct error *err)
{
    struct intake_import import = fixture_import(f);
    import.actor = "pharmacist";
    return exception_resolve(&import, word, err);
}

static void expect_state(struct fixture *f, const char *order, const char *outcome, int64_t version)
{
    char sql[200];
    (void)snprintf(
        sql, sizeof sql,
        "SELECT version FROM order_version WHERE source_id = '%s' AND current = 1 AND outcome = '%s'", order,
        outcome);
    assert_int_equal(count_or_fail(f, sql), version);
}

static int count_row(void *data, const struct exception_row *row, struct error *err)
{
    int *count = data;
    (void)err;
    assert_non_null(strstr(row->reasons, "\"code\""));
    ++*count;
    return 0;
}

static int waiting(struct fixture *f, const char *patient, const char *reason)
{
    struct error err = {0};
    int count = 0;
    if (exception_list(f->store, patient, reason, count_row, &count, &err) != 0)
        fail_msg("%s", err.message);
    return count;
}

static void test_what_waits_is_listed_and_completed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    import_or_fail(f,
                   PATIENT ORDER("a", LISINOPRIL, "") ORDER("b", "Metformin 500 MG Oral Tablet", DAILY("1")));
    assert_int_equal(waiting(f, NULL, NULL), 1);
    assert_int_equal(waiting(f, "p", "NO_DOSAGE"), 1);
    assert_int_equal(waiting(f, "q", NULL), 0);
    assert_int_equal(waiting(f, NULL, "DUPLICATE"), 0);
    const struct exception_word word = {.order = "a", .dosage = MORNING, .because = "asked the prescriber"};
    if (say(f, &word, &err) != 0)
        fail_msg("%s", err.message);
    expect_state(f, "a", "packable", 2);
    assert_int_equal(waiting(f, NULL, NULL), 0);
    assert_int_equal(count_or_fail(f, "SELECT reading LIKE '%\"amount\":2,%MORN%' FROM order_version WHERE "
                                      "source_id = 'a' AND current = 1"),
                     1);
    assert_int_equal(count_or_fail(f, "SELECT reasons LIKE '%COMPLETED%pharmacist: asked%' FROM "
                                      "order_version WHERE source_id = 'a' AND current = 1"),
                     1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action = 'order.complete' AND actor "
                                      "= 'pharmacist' AND subject = 'order:a'"),
                     1);
    /* The same order again, and everything read again: the word still stands, and nothing is new. */
    import_or_fail(f,
                   PATIENT ORDER("a", LISINOPRIL, "") ORDER("b", "Metformin 500 MG Oral Tablet", DAILY("1")));
    expect_state(f, "a", "packable", 2);
}

static void test_a_word_dies_with_the_content(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf changes;
    import_or_fail(f, PATIENT ORDER("a", LISINOPRIL, "{\"text\":\"take daily in the sun\"}"));
    const struct exception_word word = {.order = "a", .dosage = MORNING, .because = "as ever"};
    assert_int_equal(say(f, &word, &err), 0);
    expect_state(f, "a", "packable", 2);
    import_or_fail(f, PATIENT ORDER("a", LISINOPRIL, "{\"text\":\"take twice daily in the shade\"}"));
    expect_state(f, "a", "waiting", 3);
    buf_init(&changes);
    assert_int_equal(exception_changes(f->store, "a", &changes, &err), 0);
    assert_string_equal(buf_string(&changes),
                        "dosageInstruction[0].text: take {+twice+} daily in the [-sun-] {+shade+}\n");
    buf_finish(&changes);
    /* And comes back with it. */
    import_or_fail(f, PATIENT ORDER("a", LISINOPRIL, "{\"text\":\"take daily in the sun\"}"));
    expect_state(f, "a", "packable", 4);
}

static void test_what_is_still_open_keeps_the_order_waiting(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    import_or_fail(f, PATIENT ORDER("a", LISINOPRIL, ""));
    static const struct {
        struct exception_word word;
        int code;
        const char *says;
    } rows[] = {
        {{.order = "a", .because = "fine"}, E_INPUT, "no dosage instruction"},
        {{.order = "a", .because = ""}, E_ARG, "say why"},
        {{.order = "x", .because = "fine"}, E_NOT_FOUND, "no order x"},
        {{.order = "a", .product = "nowhere", .dosage = MORNING, .because = "fine"},
         E_NOT_FOUND,
         "not in the formulary"},
        {{.order = "a", .dosage = "[]", .because = "fine"}, E_INPUT, "no dosage instruction"},
        {{.order = "a", .dosage = "nonsense", .because = "fine"}, E_INPUT, "no dosage instruction"},
        {{.order = "a", .dosage = "[{\"asNeededBoolean\":true}]", .because = "fine"}, E_INPUT, "as needed"},
        {{.order = "a", .dosage = "[" DAILY("0.3") "]", .because = "fine"}, E_INPUT, "half a piece"},
        {{.order = "a", .dosage = "[" DAILY("20") "]", .because = "fine"}, E_INPUT, "more pieces"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err = (struct error){0};
        if (say(f, &rows[i].word, &err) != rows[i].code || strstr(err.message, rows[i].says) == NULL)
            fail_msg("%zu: %s", i, err.message);
        expect_state(f, "a", "waiting", 1);
        assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_resolution"), 0);
    }
}

static void test_a_word_settles_what_it_saw_and_nothing_later(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    import_or_fail(f, PATIENT ORDER("a", LISINOPRIL, DAILY("20")));
    expect_state(f, "a", "waiting", 1); /* DOSE_LARGE */
    assert_int_equal(say(f, &(struct exception_word){.order = "a", .because = "meant so"}, &err), 0);
    expect_state(f, "a", "packable", 2);
    /* A second order of the drug is something that nobody looked at yet. */
    import_or_fail(f, PATIENT ORDER("c", LISINOPRIL, DAILY("1")));
    expect_state(f, "a", "waiting", 3);
    assert_int_equal(waiting(f, NULL, "DUPLICATE"), 2);
    assert_int_equal(
        say(f, &(struct exception_word){.order = "c", .refuse = true, .because = "in error"}, &err), 0);
    expect_state(f, "c", "refused", 2);
    assert_int_equal(say(f, &(struct exception_word){.order = "a", .because = "the other is refused"}, &err),
                     0);
    expect_state(f, "a", "packable", 4);
}

static void test_refused_orders_and_other_states_take_no_word(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct intake_import import = fixture_import(f);
    import_or_fail(f, PATIENT ORDER("a", LISINOPRIL, "{\"asNeededBoolean\":true}")
                          ORDER("b", "Metformin 500 MG Oral Tablet", DAILY("1")));
    assert_int_equal(say(f, &(struct exception_word){.order = "a", .dosage = MORNING, .because = "x"}, &err),
                     E_STATE);
    assert_int_equal(say(f, &(struct exception_word){.order = "b", .because = "x"}, &err), E_STATE);
    assert_int_equal(exception_reopen(&import, "b", "x", &err), E_NOT_FOUND);
    /* As needed beside something that waits: the first stays. */
    import_or_fail(f, PATIENT ORDER("d", "Warfarin 5 MG Oral Tablet", ""));
    assert_int_equal(
        say(f, &(struct exception_word){.order = "d", .refuse = true, .because = "stopped"}, &err), 0);
    expect_state(f, "d", "refused", 2);
    if (exception_reopen(&import, "d", "a mistake", &err) != 0)
        fail_msg("%s", err.message);
    expect_state(f, "d", "waiting", 3);
    assert_int_equal(
        count_or_fail(f, "SELECT count(*) FROM audit WHERE action IN ('order.refuse', 'order.reopen')"), 2);
}

static void test_a_product_is_chosen_from_the_formulary_and_judged(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES], data[SCRATCH_PATH_BYTES];
    struct error err = {0};
    struct formulary_result result;
    (void)scratch_write(&f->scratch, "formulary.csv",
                        "code,name,ingredient,strength,form,release,rxcui,ndc,packable,halves,look,note\n"
                        "LIS5,Lisinopril 5 MG,lisinopril,5 mg,tablet,IR,,,yes,no,,\n"
                        "CRM,Some cream,hydrocortisone,1 %,cream,,,,no,no,,\n",
                        path);
    (void)data;
    if (formulary_import(f->store, path, "test", 1795219200000, &result, &err) != 0)
        fail_msg("%s", err.message);
    struct intake_import import = fixture_import(f);
    import.policy.derive = false;
    const char *paths[] = {
        scratch_write(&f->scratch, "in.ndjson", PATIENT ORDER("a", "Prinivil", DAILY("1")), data)};
    assert_int_equal(intake_import(&import, paths, 1, &err), 0);
    assert_int_equal(waiting(f, NULL, "NOT_IN_FORMULARY"), 1);
    assert_int_equal(say(f, &(struct exception_word){.order = "a", .because = "x"}, &err), E_INPUT);
    assert_int_equal(say(f, &(struct exception_word){.order = "a", .product = "CRM", .because = "x"}, &err),
                     E_INPUT);
    assert_int_equal(say(f,
                         &(struct exception_word){
                             .order = "a", .product = "LIS5", .dosage = "[" DAILY("0.5") "]", .because = "x"},
                         &err),
                     E_INPUT);
    assert_non_null(strstr(err.message, "halves"));
    if (say(f, &(struct exception_word){.order = "a", .product = "LIS5", .because = "a brand of it"}, &err) !=
        0)
        fail_msg("%s", err.message);
    expect_state(f, "a", "packable", 2);
    assert_int_equal(count_or_fail(f, "SELECT product_code = 'LIS5' FROM order_version WHERE current = 1"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_what_waits_is_listed_and_completed),
        FIXTURE_TEST(test_a_word_dies_with_the_content),
        FIXTURE_TEST(test_what_is_still_open_keeps_the_order_waiting),
        FIXTURE_TEST(test_a_word_settles_what_it_saw_and_nothing_later),
        FIXTURE_TEST(test_refused_orders_and_other_states_take_no_word),
        FIXTURE_TEST(test_a_product_is_chosen_from_the_formulary_and_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
