/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out to other systems: what was counted into good pouches, and where orders stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/intake/hl7/hl7_message.h"
#include "controller/orders/hl7_feed.h"
#include "controller/report/dispense.h"
#include "controller/store/store.h"
#include "tests/unit/intake/store_support.h"
#include "tests/unit/intake/support.h"

#define MESSAGE                                                                         \
    "MSH|^~\\&|EHR|W|S|P|1||RDE^O11|M1|P|2.5.1\rPID|1||4711^^^HOSP||Test^A||19500101\r" \
    "ORC|NW|A1^EHR|||||||20261101\rRXE|^BID|314076^Lisinopril 10 MG Oral Tablet^RXNORM|1||TAB\r"

static void run_sql(struct fixture *f, const char *const *sql, size_t count)
{
    struct error err = {0};
    assert_int_equal(store_write_begin(f->store, &err), 0);
    for (size_t i = 0; i < count; i++) {
        if (store_exec(f->store, &err, sql[i], "") != 0)
            fail_msg("%s: %s", sql[i], err.message);
    }
    assert_int_equal(store_write_commit(f->store, &err), 0);
}

/* One patient's order, a plan with it, and a batch of three pouches: two good, one void. */
static void pack(struct fixture *f, int simulated)
{
    struct intake_import import = fixture_import(f);
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES], batch[200];
    const char *paths[] = {scratch_write(&f->scratch, "in.hl7", MESSAGE, path)};
    if (hl7_import(&import, paths, 1, &err) != 0)
        fail_msg("%s", err.message);
    (void)snprintf(
        batch, sizeof batch,
        "INSERT INTO batch (id, machine, state, simulated, created_by, created_ms) VALUES (1, 'm', 'done', "
        "%d, 't', 1)",
        simulated);
    const char *const sql[] = {
        "INSERT INTO plan (id, patient_id, version, state, start_day, days, text, hash, regimen, schedule, "
        "drugs, "
        "times_written, times_planned, pouches, provisional, created_ms) SELECT 1, id, 1, 'signed', 20778, "
        "14, x'', "
        "x'', '', '', 1, 2, 2, 3, 1, 1 FROM patient",
        "INSERT INTO plan_order (plan_id, order_version_id, included) SELECT 1, id, 1 FROM order_version",
        batch,
        "INSERT INTO batch_plan VALUES (1, 1, 1)",
        "INSERT INTO machine VALUES ('s', 'm', 1, 1, 5, 0, 1, 1)",
        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, changed_ms) SELECT 9, "
        "product_code, "
        "'whole', 'L|1', 21000, 5, 1 FROM order_version",
        "INSERT INTO job (id, batch_id, position, plan_id, pouch, pouch_line, pouch_hash, state) VALUES (1, "
        "1, 1, 1, 1, "
        "'', x'', 'good'), (2, 1, 2, 1, 2, '', x'', 'good'), (3, 1, 3, 1, 3, '', x'', 'blocked')",
        "INSERT INTO fill (id, serial, seq, job_id, job_hash, token, state, intended_ms, result_ms) VALUES "
        "(1, 's', 1, "
        "1, 1, 't1', 'good', 1, 1795219200000), (2, 's', 2, 2, 1, 't2', 'good', 1, 1795219260000), (3, 's', "
        "3, 3, 1, "
        "'t3', 'void', 1, 1795219270000)",
        "INSERT INTO fill_item SELECT 1, 0, 0, 9, product_code, 'whole', 'L|1', 1, 1 FROM order_version",
        "INSERT INTO fill_item SELECT 2, 0, 0, 9, product_code, 'half', 'L|1', 1, 1 FROM order_version",
        "INSERT INTO fill_item SELECT 3, 0, 0, 9, product_code, 'whole', 'L|1', 7, 7 FROM order_version",
    };
    run_sql(f, sql, sizeof sql / sizeof sql[0]);
}

static void test_what_was_counted_goes_out_as_fhir(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf out;
    buf_init(&out);
    pack(f, 0);
    if (dispense_write_fhir(f->store, 1, false, &out, &err) != 0)
        fail_msg("%s", err.message);
    json_t *bundle = json_loads(buf_string(&out), JSON_REJECT_DUPLICATES, NULL);
    const json_t *row = json_object_get(json_array_get(json_object_get(bundle, "entry"), 0), "resource");
    double value = 0;
    const char *type = "", *status = "", *patient = "", *order = "", *lot = "", *unit = "", *when = "";
    assert_int_equal(json_array_size(json_object_get(bundle, "entry")), 1);
    assert_int_equal(json_unpack((json_t *)(uintptr_t)row,
                                 "{s:s, s:s, s:{s:s}, s:[{s:s}], s:{s:F, s:s}, s:[{s:{s:s}}], s:s}",
                                 "resourceType", &type, "status", &status, "subject", "reference", &patient,
                                 "authorizingPrescription", "reference", &order, "quantity", "value", &value,
                                 "unit", &unit, "contained", "batch", "lotNumber", &lot, "whenPrepared",
                                 &when),
                     0);
    assert_string_equal(type, "MedicationDispense");
    assert_string_equal(status, "in-progress");
    assert_string_equal(patient, "Patient/4711@HOSP");
    assert_string_equal(order, "MedicationRequest/A1@EHR");
    assert_true(value == 1.5); /* the void pouch does not count */
    assert_string_equal(unit, "tablet");
    assert_string_equal(lot, "L|1");
    assert_string_equal(when, "2026-11-21T00:01:00.000Z");
    assert_null(json_object_get(row, "meta"));
    json_decref(bundle);
    buf_finish(&out);
}

static void test_the_hl7_form_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf out;
    struct hl7_result result;
    buf_init(&out);
    pack(f, 0);
    if (dispense_write_hl7(f->store, 1, false, 1795219200000, &out, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(
        buf_string(&out),
        "MSH|^~\\&|SACHET||||20261121000000+0000||RDS^O13^RDS_O13|D1-1|P|2.5.1\r"
        "PID|1||4711^^^HOSP||Test^A||19500101\rORC|RE|A1^EHR\r"
        "RXD|1|314076^Lisinopril 10 MG Oral Tablet^RXNORM|20261121000100+0000|1.5|tablet|||||||||||||"
        "L\\F\\1\rRXR|PO^Oral^HL70162\r\n");
    assert_int_equal(hl7_convert(out.data, out.len, HL7_PROCESSING_LIVE, NULL, &result, &err), 0);
    if (result.answer != HL7_AA)
        fail_msg("%s", result.fault.text);
    hl7_result_finish(&result);
    buf_finish(&out);
}

static void test_simulated_work_is_no_dispensing(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf out;
    buf_init(&out);
    pack(f, 1);
    assert_int_equal(dispense_write_fhir(f->store, 1, false, &out, &err), E_STATE);
    assert_non_null(strstr(err.message, "SIMULATED"));
    assert_int_equal(dispense_write_hl7(f->store, 1, false, 1, &out, &err), E_STATE);
    assert_int_equal(dispense_write_fhir(f->store, 2, false, &out, &err), E_NOT_FOUND);
    assert_int_equal(out.len, 0);
    assert_int_equal(dispense_write_fhir(f->store, 1, true, &out, &err), 0);
    assert_non_null(strstr(buf_string(&out), "\"HTEST\""));
    buf_reset(&out);
    assert_int_equal(dispense_write_hl7(f->store, 1, true, 1, &out, &err), 0);
    assert_non_null(strstr(buf_string(&out), "|D1-1|T|"));
    buf_finish(&out);
}

static void test_nothing_packed_is_said(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf out;
    static const char *const undo[] = {"UPDATE job SET state = 'waiting' WHERE state = 'good'"};
    buf_init(&out);
    pack(f, 0);
    run_sql(f, undo, 1);
    assert_int_equal(dispense_write_fhir(f->store, 1, false, &out, &err), E_STATE);
    assert_non_null(strstr(err.message, "packed yet"));
    buf_finish(&out);
}

static void test_orders_go_out_with_what_became_of_them(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf out;
    buf_init(&out);
    pack(f, 0);
    if (dispense_write_orders(f->store, "4711@HOSP", &out, &err) != 0)
        fail_msg("%s", err.message);
    json_t *request = json_loads(buf_string(&out), JSON_REJECT_DUPLICATES, NULL);
    const char *id = "", *status = "", *outcome = "";
    assert_int_equal(json_unpack(request, "{s:s, s:s, s:{s:[{s:s}]}}", "id", &id, "status", &status, "meta",
                                 "tag", "code", &outcome),
                     0);
    assert_string_equal(id, "A1@EHR");
    assert_string_equal(status, "active");
    assert_string_equal(outcome, "packable");
    json_decref(request);
    buf_reset(&out);
    assert_int_equal(dispense_write_orders(f->store, "nobody", &out, &err), 0);
    assert_int_equal(out.len, 0);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_what_was_counted_goes_out_as_fhir),
        FIXTURE_TEST(test_the_hl7_form_is_read_back),
        FIXTURE_TEST(test_simulated_work_is_no_dispensing),
        FIXTURE_TEST(test_nothing_packed_is_said),
        FIXTURE_TEST(test_orders_go_out_with_what_became_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
