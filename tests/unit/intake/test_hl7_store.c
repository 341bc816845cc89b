/* SPDX-License-Identifier: Apache-2.0 */
/* HL7 v2 messages in the store: from files, and from the wire with answers that are kept. */
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
#include "controller/orders/hl7_feed.h"
#include "controller/store/store.h"
#include "tests/unit/intake/store_support.h"
#include "tests/unit/intake/support.h"

#define MSH(id)   "MSH|^~\\&|EHR|WARD|SACHET|PHARM|20261101120000||RDE^O11^RDE_O11|" id "|P|2.5.1\r"
#define PID       "PID|1||4711^^^HOSP^MR||Test^Anna||19500101|F\r"
#define ORC(code) "ORC|" code "|A1^EHR|F1^RX||||||20261101\r"
#define RXE(tq)   "RXE|" tq "|1^Lisinopril 10 MG Oral Tablet^L|1||TAB\r"
#define NEW(id)   MSH(id) PID ORC("NW") RXE("^BID")

/* The answer to one message from the wire. */
static const char *receive(struct fixture *f, const char *message)
{
    static char text[4096];
    struct intake_import import = fixture_import(f);
    struct error err = {0};
    struct buf answer;
    buf_init_fixed(&answer, text, sizeof text);
    if (hl7_receive(&import, HL7_PROCESSING_LIVE, message, strlen(message), &answer, &err) != 0)
        fail_msg("%s", err.message);
    return text;
}

static void expect_in(const char *text, const char *want)
{
    if (strstr(text, want) == NULL)
        fail_msg("no \"%s\" in \"%s\"", want, text);
}

static void test_an_order_is_answered_and_kept(void **state)
{
    struct fixture *f = *state;
    const char *answer = receive(f, NEW("M1"));
    expect_in(answer, "MSH|^~\\&|SACHET|PHARM|EHR|WARD|20261121000000+0000||RRE^O12^RRE_O12|S1|P|2.5.1\r");
    expect_in(answer, "\rMSA|AA|M1\r");
    expect_in(answer, "\rORC|OK|A1^EHR|F1^RX\r");
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version WHERE outcome = 'packable'"), 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM hl7_message WHERE code = 'AA'"), 1);
}

static void test_the_same_message_gets_the_same_answer_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    char *first = strdup(receive(f, NEW("M1")));
    assert_non_null(first);
    for (int i = 0; i < 3; i++)
        assert_string_equal(receive(f, NEW("M1")), first);
    free(first);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version"), 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM hl7_message"), 1);
    const char *other = receive(f, MSH("M1") PID ORC("NW") RXE("^TID"));
    expect_in(other, "\rMSA|AR|M1|");
    expect_in(other, "205^Duplicate key identifier^HL70357|E|");
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version"), 1);
    /* The first one's answer still stands. */
    expect_in(receive(f, NEW("M1")), "MSA|AA|M1\r");
    /* Another sender may use the id. */
    expect_in(receive(f, "MSH|^~\\&|LAB|WARD|S|P|1||RDE^O11|M1|P|2.3\r" PID ORC("NW") RXE("^BID")),
              "MSA|AA|M1\r");
}

static void test_control_codes_become_versions(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *message, *msa, *orc, *status;
        int version;
    } steps[] = {
        {NEW("M1"), "MSA|AA", "ORC|OK|", "active", 1},
        {MSH("M2") PID ORC("XO") RXE("^TID"), "MSA|AA", "ORC|XR|", "active", 2},
        {MSH("M3") PID ORC("HD"), "MSA|AA", "ORC|HR|", "on-hold", 3},
        {MSH("M4") PID ORC("RL"), "MSA|AA", "ORC|OR|", "active", 4},
        {MSH("M5") PID "ORC|DC|A1^EHR||||||||||||||1^allergy\r", "MSA|AA", "ORC|DR|", "stopped", 5},
        {MSH("M6") PID ORC("RL"), "MSA|AE", "ORC|UR|", "stopped", 5},
        {MSH("M7") PID ORC("DC"), "MSA|AA", "ORC|DR|", "stopped", 5},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char sql[200];
        const char *answer = receive(f, steps[i].message);
        expect_in(answer, steps[i].msa);
        expect_in(answer, steps[i].orc);
        (void)snprintf(
            sql, sizeof sql,
            "SELECT version FROM order_version WHERE current = 1 AND status = '%s' AND source_id = "
            "'A1@EHR'",
            steps[i].status);
        assert_int_equal(count_or_fail(f, sql), steps[i].version);
    }
    assert_int_equal(count_or_fail(f, "SELECT outcome = 'refused' FROM order_version WHERE current = 1"), 1);
    assert_int_equal(
        count_or_fail(f, "SELECT original LIKE '%allergy%' FROM order_version WHERE current = 1"), 1);
}

static void test_wrong_messages_are_answered_and_change_nothing(void **state)
{
    struct fixture *f = *state;
    (void)receive(f, NEW("M1"));
    static const struct {
        const char *message, *msa, *err;
    } rows[] = {
        {"hello", "MSA|AR||", "ERR||MSH|100^"},
        {"MSH|^~\\&|EHR|WARD|S|P|1||RDE^O11||P|2.5\r", "MSA|AR||", "ERR||MSH^1^10|101^"},
        {"MSH|^~\\&|EHR|WARD|S|P|1||ADT^A01|B1|P|2.5\r", "MSA|AR|B1|", "|200^"},
        {"MSH|^~\\&|EHR|WARD|S|P|1||RDE^O11|B2|T|2.5\r", "MSA|AR|B2|", "|202^"},
        {"MSH|^~\\&|EHR|WARD|S|P|1||RDE^O11|B3|P|3\r", "MSA|AR|B3|", "203"},
        {"MSH|^~\\&|EHR|WARD|S|P|1||RDE^O01|B4|P|2.2\r" PID, "MSA|AE|B4|",
         "ERR|ORC^100&Segment sequence error&HL70357\r"},
        {MSH("B5") PID "ORC|DC|A9^EHR\r", "MSA|AE|B5|", "ERR||ORC^1^1|204^"},
        {MSH("B6") "PID|1||5555\r" ORC("DC"), "MSA|AE|B6|", "another patient"},
        {MSH("B7") "PID|1||4711^^^HOSP||Other^Eve||19700101\r"
                   "ORC|NW|A2^EHR\r" RXE("^BID"),
         "MSA|AE|B7|", "ERR||PID^1^3|205^"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *answer = receive(f, rows[i].message);
        expect_in(answer, rows[i].msa);
        expect_in(answer, rows[i].err);
        assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version"), 1);
    }
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM hl7_message WHERE answer IS NULL"), 0);
    assert_int_equal(count_or_fail(f, "SELECT name LIKE 'Test%' FROM patient"), 1);
}

static void test_refused_orders_are_said_to_be_so(void **state)
{
    struct fixture *f = *state;
    const char *answer = receive(f, MSH("M1") PID ORC("NW") RXE("^BID^^^^PRN") "ORC|NW|A2^EHR\r" RXE("^ZZZ"));
    expect_in(answer, "MSA|AA|M1\r");
    expect_in(answer, "\rORC|UA|A1^EHR|F1^RX|||||||||||||PRN\r");
    expect_in(answer, "\rORC|OK|A2^EHR||||||||||||||"); /* waits for a pharmacist: taken, with its reason */
}

static void test_a_message_that_was_stored_and_not_answered_is_read_at_the_next_start(void **state)
{
    struct fixture *f = *state;
    struct intake_import import = fixture_import(f);
    struct error err = {0};
    int64_t count = -1;
    (void)receive(f, NEW("M1"));
    /* As a kill between the import and the answer leaves it. */
    assert_int_equal(store_write_begin(f->store, &err), 0);
    assert_int_equal(store_exec(f->store, &err, "UPDATE hl7_message SET answer = NULL, code = NULL", ""), 0);
    assert_int_equal(store_write_commit(f->store, &err), 0);
    assert_int_equal(hl7_receive_pending(&import, HL7_PROCESSING_LIVE, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM order_version"), 1);
    expect_in(receive(f, NEW("M1")), "MSA|AA|M1\r");
    assert_int_equal(hl7_receive_pending(&import, HL7_PROCESSING_LIVE, &count, &err), 0);
    assert_int_equal(count, 0);
}

static void test_files_become_versions_too(void **state)
{
    struct fixture *f = *state;
    struct intake_import import = fixture_import(f);
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES];
    const char *paths[] = {scratch_write(
        &f->scratch, "day.hl7", NEW("M1") MSH("M2") PID ORC("XO") RXE("^TID") MSH("M3") PID ORC("DC"), path)};
    if (hl7_import(&import, paths, 1, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(import.stored.orders_new, 1);
    assert_int_equal(import.stored.orders_changed, 2);
    assert_int_equal(import.totals.texts, 3);
    assert_int_equal(
        count_or_fail(f, "SELECT version FROM order_version WHERE current = 1 AND status = 'stopped'"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_an_order_is_answered_and_kept),
        FIXTURE_TEST(test_the_same_message_gets_the_same_answer_and_changes_nothing),
        FIXTURE_TEST(test_control_codes_become_versions),
        FIXTURE_TEST(test_wrong_messages_are_answered_and_change_nothing),
        FIXTURE_TEST(test_refused_orders_are_said_to_be_so),
        FIXTURE_TEST(test_a_message_that_was_stored_and_not_answered_is_read_at_the_next_start),
        FIXTURE_TEST(test_files_become_versions_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
