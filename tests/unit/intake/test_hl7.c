/* SPDX-License-Identifier: Apache-2.0 */
/* HL7 v2 messages taken apart, and what their orders are read as. */
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
#include "controller/intake/hl7/hl7.h"
#include "controller/intake/hl7/hl7_message.h"
#include "controller/orders/hl7_feed.h"
#include "tests/support/scratch.h"
#include "tests/support/shared.h"
#include "tests/unit/intake/support.h"

#define MSH(type) "MSH|^~\\&|EHR|WARD|SACHET|PHARM|20261101120000||" type "|M1|P|2.5.1\r"
#define PID       "PID|1||4711^^^HOSP^MR||Test^Anna||19500101|F\r"
#define ORC(code) "ORC|" code "|A1^EHR|F1^RX||||||20261101\r"
#define DRUG      "314076^Lisinopril 10 MG Oral Tablet^RXNORM"
#define RXE(tq)   "RXE|" tq "|" DRUG "|1||TAB^Tablet\r"
#define RXR       "RXR|PO^Oral^HL70162\r"
#define RDE(tq)   MSH("RDE^O11^RDE_O11") PID ORC("NW") RXE(tq) RXR

static void parse_or_fail(const char *text, struct hl7 *ret)
{
    struct hl7_fault fault;
    if (!hl7_parse(text, strlen(text), ret, &fault))
        fail_msg("%s: %s", text, fault.text);
}

static void expect_text(const struct hl7 *m, struct hl7_at at, const char *want)
{
    char text[HL7_TEXT_BYTES];
    (void)hl7_get(m, at, text, sizeof text);
    assert_string_equal(text, want);
}

static void test_segments_end_with_cr_lf_or_both(void **state)
{
    static const char *const texts[] = {"MSH|^~\\&|A|B\rPID|1|x\rORC|NW\r", "MSH|^~\\&|A|B\nPID|1|x\nORC|NW",
                                        "MSH|^~\\&|A|B\r\nPID|1|x\r\nORC|NW\r\n",
                                        "MSH|^~\\&|A|B\r\nPID|1|x\rORC|NW\n",
                                        "\r\nMSH|^~\\&|A|B\r\rPID|1|x  \n\nORC|NW"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct hl7 m;
        parse_or_fail(texts[i], &m);
        assert_int_equal(m.count, 3);
        expect_text(&m, (struct hl7_at){0, 4, 1, 1, 1}, "B");
        expect_text(&m, (struct hl7_at){1, 2, 1, 1, 1}, "x");
        expect_text(&m, (struct hl7_at){2, 1, 1, 1, 1}, "NW");
        hl7_finish(&m);
    }
}

static void test_encoding_characters_come_from_msh(void **state)
{
    struct hl7 m;
    (void)state;
    parse_or_fail("MSH#*+!%#A\rOBX#1#a*b%c*d+e*f#x!F!y!S!z!R!!T!!E!\r", &m);
    expect_text(&m, (struct hl7_at){1, 2, 1, 2, 2}, "c");
    expect_text(&m, (struct hl7_at){1, 2, 1, 3, 1}, "d");
    expect_text(&m, (struct hl7_at){1, 2, 2, 2, 1}, "f");
    expect_text(&m, (struct hl7_at){1, 3, 1, 1, 1}, "x#y*z+%!");
    assert_int_equal(hl7_repeats(&m, 1, 2), 2);
    assert_int_equal(hl7_repeats(&m, 1, 9), 0);
    hl7_finish(&m);
    parse_or_fail("MSH|^~\\\\&|A\rOBX|a&b\r", &m); /* a doubled escape */
    expect_text(&m, (struct hl7_at){1, 1, 1, 1, 2}, "b");
    hl7_finish(&m);
    parse_or_fail("MSH|^~\\&#|A\rOBX|a&b\r", &m); /* 2.7: a fifth one */
    expect_text(&m, (struct hl7_at){1, 1, 1, 1, 2}, "b");
    hl7_finish(&m);
}

static void test_escapes(void **state)
{
    struct hl7 m;
    (void)state;
    parse_or_fail("MSH|^~\\&|A\rNTE|1|\\H\\a\\N\\\\.br\\b|\\X41C3A4\\\\X0D\\|\\Xzz\\ \\Q\\ 1\\2|\"\"\r", &m);
    expect_text(&m, (struct hl7_at){1, 2, 1, 1, 1}, "a b");
    expect_text(&m, (struct hl7_at){1, 3, 1, 1, 1}, "A\xc3\xa4");
    expect_text(&m, (struct hl7_at){1, 4, 1, 1, 1}, "\\Xzz\\ \\Q\\ 1\\2"); /* unknown: as written */
    expect_text(&m, (struct hl7_at){1, 5, 1, 1, 1}, "");                   /* the explicit null */
    hl7_finish(&m);
}

static void test_characters_of_other_sets(void **state)
{
    struct hl7 m;
    struct hl7_fault fault;
    const char latin1[] = "MSH|^~\\&|A|B|C|D|1||ORM^O01|1|P|2.3||||||8859/1\rPID|M\xfcller\r";
    const char unsaid[] = "MSH|^~\\&|A|B|C|D|1||ORM^O01|1|P|2.3\rPID|M\xfcller\r";
    (void)state;
    parse_or_fail(latin1, &m);
    expect_text(&m, (struct hl7_at){1, 1, 1, 1, 1}, "M\xc3\xbcller");
    hl7_finish(&m);
    assert_false(hl7_parse(unsaid, strlen(unsaid), &m, &fault));
    assert_non_null(strstr(fault.text, "not UTF-8"));
}

static void test_what_is_no_message_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "does not begin with MSH"},
        {"PID|1\rMSH|^~\\&|A\r", "does not begin with MSH"},
        {"MSHA^~\\&A\r", "no separator"},
        {"MSH|^^\\&|A|B\r", "encoding characters"},
        {"MSH|^~\\&abcd|A\r", "encoding characters"},
        {"MSH|^~\\&|A\rpid|1\r", "line 2 is no segment"},
        {"MSH|^~\\&|A\rPIDX|1\r", "line 2 is no segment"},
        {"MSH|^~\\&|A\rMSH|^~\\&|B\r", "second MSH"},
        {"MSH|^~\\&|A|${{ name }}\r", "template"},
        {"MSH|^~\\&|A|{{name}}\r", "template"},
        {"MSH|^~\\&|A|\x01\r", "control character"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7 m;
        struct hl7_fault fault;
        assert_false(hl7_parse(rows[i].text, strlen(rows[i].text), &m, &fault));
        if (strstr(fault.text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].text, fault.text);
    }
    char *large = malloc(HL7_MESSAGE_MAX + 1);
    struct hl7 m;
    struct hl7_fault fault;
    assert_non_null(large);
    memset(large, 'A', HL7_MESSAGE_MAX + 1);
    memcpy(large, "MSH|^~\\&|", 9);
    assert_false(hl7_parse(large, HL7_MESSAGE_MAX + 1, &m, &fault));
    assert_non_null(strstr(fault.text, "longer than"));
    assert_false(hl7_parse(large, HL7_MESSAGE_MAX, &m, &fault));
    assert_non_null(strstr(fault.text, "segments"));
    free(large);
}

static void test_messages_of_a_file_and_a_batch(void **state)
{
    static const char file[] =
        "FHS|^~\\&|A\r\nBHS|^~\\&|A\r\nMSH|^~\\&|1\r\nPID|a\r\n\r\nMSH|^~\\&|2\nPID|b\n"
        "BTS|2\nFTS|1\n\x0bMSH|^~\\&|3\rPID|c\r\x1c\r";
    static const int lines[] = {3, 6, 10};
    struct hl7_cursor cursor = {0};
    const char *bytes;
    size_t len;
    int line;
    (void)state;
    assert_true(hl7_looks_like(file, sizeof file - 1));
    assert_true(hl7_looks_like("\xef\xbb\xbf\n MSH|", 9));
    assert_false(hl7_looks_like("{\"MSH|\":1}", 10));
    for (int i = 0; i < 3; i++) {
        struct hl7 m;
        struct hl7_fault fault;
        assert_true(hl7_next_message(file, sizeof file - 1, &cursor, &bytes, &len, &line));
        assert_int_equal(line, lines[i]);
        if (!hl7_parse(bytes, len, &m, &fault))
            fail_msg("%s", fault.text);
        assert_int_equal(m.count, 2);
        hl7_finish(&m);
    }
    assert_false(hl7_next_message(file, sizeof file - 1, &cursor, &bytes, &len, &line));
}

/* Orders. */

static const struct caught *read_or_fail(struct run *run, const char *message)
{
    run_hl7(run, &message, 1);
    if (run->count != 1)
        fail_msg("%d orders, refused: %s", run->count, run->refused[0]);
    return &run->orders[0];
}

static void test_the_same_order_in_every_message_and_version(void **state)
{
    static const char *const messages[] = {
        RDE("^BID"),
        MSH("RDE^O25^RDE_O25") PID ORC("RE") RXE("^BID") RXR,
        MSH("RDE^O11") PID ORC("NW") "RXE||" DRUG "|1||TAB\rTQ1|1||BID\r" RXR,
        MSH("OMP^O09") PID "ORC|NW|A1^EHR|||||^BID||20261101\rRXO|" DRUG "|1||TAB\r" RXR,
        MSH("OMP^O09") PID ORC("NW") "TQ1|1||BID\rRXO|" DRUG "|1||TAB\r" RXR,
        MSH("ORM^O01") PID "ORC|NW|A1^EHR|||||^BID||20261101\rRXO|" DRUG "|1||TAB\r" RXR,
        MSH("RDS^O13") PID ORC("NW") RXE("^BID") RXR "RXD|1|" DRUG "|20261102|28|TAB\r",
        "MSH|^~\\&|EHR|WARD|S|P|20261101||RDE^O01|M1|P|2.1\rPID||4711^^^HOSP||4711|Test^Anna||19500101\r"
        "ORC|NW|A1^EHR|||||||20261101\rRXE|^BID|" DRUG "|1||TAB\r",
        "MSH|^~\\&|EHR|WARD|S|P|20261101||RDE|M1|P|2.1\nPID||4711^^^HOSP|||Test^Anna||19500101\n"
        "ORC|NW|A1^EHR|||||||20261101\nRXE|^BID|" DRUG "|1||TAB\n",
        "MSH|^~\\&|EHR|WARD|S|P|20261101||RDE^O11|M1|P|2.3\r\nPID|||4711^^^HOSP||Test^Anna||19500101\r\n"
        "ORC|NW|A1^EHR|||||||20261101\rRXE|1^BID|" DRUG "|1|1|TAB\nRXR|PO\r",
    };
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        struct run run;
        const struct caught *order = read_or_fail(&run, messages[i]);
        if (order->outcome != OUTCOME_PACKABLE ||
            strcmp(order->text, "1 tablet 2 times a day, every day") != 0)
            fail_msg("%zu: %s: %s %s", i, order->reasons, order->text, messages[i]);
        assert_string_equal(order->source, "A1@EHR");
        assert_string_equal(order->patient, "4711@HOSP");
    }
}

static void test_timing(void **state)
{
    static const struct {
        const char *tq, *reasons, *text; /* reasons "": packable */
    } rows[] = {
        {"^QAM", "", "1 tablet in the morning, every day"},
        {"^QHS", "", "1 tablet at bedtime, every day"},
        {"^Q8H", "", "1 tablet every 8 hours, every day"},
        {"^Q2D", "", NULL},
        {"^QOD", "", NULL},
        {"^Q1W", "", NULL},
        {"^Q1J135", "", NULL},
        {"^4ID", "", "1 tablet 4 times a day, every day"},
        {"^ACM", "", NULL},
        {"^BID&0800,2000", "", "1 tablet at 08:00 and at 20:00, every day"},
        {"^Q12H&0800,2000", "", "1 tablet at 08:00 and at 20:00, every day"},
        {"^Q24H&0600", "", "1 tablet at 06:00, every day"},
        {"^BID^D4^20261120", "", "1 tablet 2 times a day, every day from 2026-11-20 to 2026-11-23"},
        {"^BID^W2", "BOUNDS_UNCLEAR", NULL}, /* counted from the order's day it is over */
        {"^BID^INDEF", "", "1 tablet 2 times a day, every day"},
        {"^BID^^20261101^20261231", "", NULL},
        {"^BID^^^202611300000", "TIMING_CODE", NULL}, /* midnight: which day? */
        {"^BID^M30", "TIMING_CODE", NULL},
        {"^BID&0800", "TIMES_DISAGREE", NULL},
        {"^Q12H&0800,1200", "TIMING_CODE", NULL},
        {"^BID&8am", "TIMING_CODE", NULL},
        {"^AC", "TIMING_CODE", NULL},
        {"^QSHIFT", "TIMING_CODE", NULL},
        {"^C", "TIMING_CODE", NULL},
        {"^Q5H", "PERIOD_ODD", NULL},
        {"^Q30M", "PERIOD_UNIT", NULL},
        {"^Q0H", "TIMING_CODE", NULL},
        {"^ZZZ", "TIMING_CODE", NULL},
        {"^PRN", "PRN", NULL},
        {"^BID PRN", "PRN", NULL},
        {"^PRNQ4H", "PRN", NULL},
        {"^BID^^^^PRN", "PRN", NULL},
        {"^BID^^^^^pain", "PRN", NULL},
        {"^Once", "SINGLE_DOSE", NULL},
        {"^BID^^20261399", "BAD_DATE", NULL},
        {"2^BID", "DOSE_SEVERAL", NULL},
        {"2&TAB^BID", "DOSE_SEVERAL", NULL},
        {"1&TAB^BID", "DOSE_SEVERAL", NULL}, /* TAB beside Tablet: not the same words */
        {"^QAM~^QHS", "SEQUENCE_MIXED", NULL},
        {"^QAM^^^^^^^A~^QHS", "", NULL},
        {"^BID^D2^20261120^^^^^S~^QD^D2^20261122", "", NULL},
        {"^BID^D3^20261120^^^^^S~^QD^D2^20261122", "SEQUENCE_OVERLAP", NULL},
        {"^BID^^^^^^^^1", "TIMING_CODE", NULL}, /* order sequencing */
        {"", "NO_TIMING", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[1024];
        struct run run;
        (void)snprintf(message, sizeof message,
                       MSH("RDE^O11") PID ORC("NW") "RXE|%s|" DRUG "|1||TAB^Tablet\r", rows[i].tq);
        const struct caught *order = read_or_fail(&run, message);
        bool packable = order->outcome == OUTCOME_PACKABLE;
        if (packable != (rows[i].reasons[0] == '\0') || (!packable && !has_reason(order, rows[i].reasons)) ||
            (rows[i].text != NULL && strcmp(order->text, rows[i].text) != 0))
            fail_msg("%s: %s: %s", rows[i].tq, order->reasons, order->text);
    }
}

static void test_two_statements_of_timing_must_agree(void **state)
{
    static const struct {
        const char *orc7, *rxe1, *tq1;
        bool clash;
    } rows[] = {
        {"", "^BID", "TQ1|1||BID\r", false},
        {"^BID", "^BID", "TQ1|1||BID\r", false},
        {"", "^BID", "TQ1|1||TID\r", true},
        {"^BID", "", "TQ1|1||TID\r", true},
        {"^BID", "^QD", "", true},
        {"", "^BID^D4^20261120", "TQ1|1||BID||||20261120|20261123\r", false},
        {"", "^BID^D4^20261120", "TQ1|1||BID||||20261120|20261124\r", true},
        {"", "^BID&0800,2000", "TQ1|1||BID|0800~2000\r", false},
        {"", "^BID&0800,2000", "TQ1|1||BID|0800~2100\r", true},
        {"", "^BID", "TQ1|1||BID||||||PRN\r", true},
        {"", "^BID", "TQ1|1||QAM|||||||||A\rTQ1|2||QHS\r", true},
        {"", "^^^20261120", "TQ1|1||BID\r", false}, /* a start alone says nothing of when */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[1024];
        struct run run;
        (void)snprintf(message, sizeof message,
                       MSH("RDE^O11") PID "ORC|NW|A1^EHR|||||%s||20261101\rRXE|%s|" DRUG "|1||TAB\r%s",
                       rows[i].orc7, rows[i].rxe1, rows[i].tq1);
        const struct caught *order = read_or_fail(&run, message);
        if (has_reason(order, "TIMING_CLASH") != rows[i].clash ||
            (order->outcome == OUTCOME_PACKABLE) == rows[i].clash)
            fail_msg("%zu: %s: %s", i, order->reasons, order->text);
    }
}

static void test_doses_routes_and_drugs(void **state)
{
    static const struct {
        const char *segments, *reason, *text;
    } rows[] = {
        {"RXE|^BID|" DRUG "|20||mg\r", "", "2 tablets 2 times a day, every day"},
        {"RXE|^BID|" DRUG "|20||mg^milligram^ISO+\r", "", "2 tablets 2 times a day, every day"},
        {"RXE|^BID|" DRUG "|7||mg\r", "STRENGTH_INEXACT", NULL},
        {"RXE|^BID|" DRUG "|1|2|TAB\r", "DOSE_RANGE", NULL},
        {"RXE|^BID|" DRUG "||2|TAB\r", "DOSE_RANGE", NULL},
        {"RXE|^BID|" DRUG "|1\r", "DOSE_UNIT_UNKNOWN", NULL},
        {"RXE|^BID|" DRUG "|||TAB\r", "DOSE_MISSING", NULL},
        {"RXE|^BID|" DRUG "|1-2||TAB\r", "BAD_ELEMENT", NULL},
        {"RXE|^BID|" DRUG "|0||TAB\r", "DOSE_NOT_POSITIVE", NULL},
        {"RXE|^BID|" DRUG "|1||TAB\rRXR|IV\r", "ROUTE", NULL},
        {"RXE|^BID|" DRUG "|1||TAB\rRXR|PO\rRXR|SL\r", "ROUTE", NULL},
        {"RXE|^BID|" DRUG "|1||TAB\rRXR|MTH^Mouth/Throat\r", "ROUTE", NULL},
        {"RXE|^BID|" DRUG "|1||TAB\rRXC|B|1^Water^L|1|mL\r", "COMPOUND", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||||||||||||||||||||20|mg\r", "DRUG_CONTRADICTS", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||||||||||||||||||||10|mg\r", "", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||||||||||||||1^&TAB\r", "MAX_DOSE", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||||||||||||||||||5|mL\r", "RATE", NULL},
        {"RXE|^BID||1||TAB\r", "NO_DRUG", NULL},
        {"RXE|^BID|1^Insulin 100 UNT/ML Injection^L|1||TAB\r", "NOT_ORAL_SOLID", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||^Take 1 tablet twice a day\r", "", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||^Take 1 tablet three times a day\r", "SIG_CONTRADICTS", NULL},
        {"RXE|^BID|" DRUG "|1||TAB||^Take 1 tablet twice a day by the riverside\r", "SIG_UNREAD", NULL},
        {"RXO|" DRUG "|1||TAB|||^take 2 tablets\rRXE|^BID|" DRUG "|1||TAB\r", "SIG_CONTRADICTS", NULL},
        {"RXE|^BID|" DRUG "|1||TAB\rNTE|1||Hold if dizzy, take 2 tablets\r", "SIG_CONTRADICTS", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[1024];
        struct run run;
        (void)snprintf(message, sizeof message, MSH("RDE^O11") PID ORC("NW") "%s", rows[i].segments);
        const struct caught *order = read_or_fail(&run, message);
        bool packable = order->outcome == OUTCOME_PACKABLE;
        if (packable != (rows[i].reason[0] == '\0') || (!packable && !has_reason(order, rows[i].reason)) ||
            (rows[i].text != NULL && strcmp(order->text, rows[i].text) != 0))
            fail_msg("%s: %s: %s", rows[i].segments, order->reasons, order->text);
    }
}

static void test_one_message_with_several_orders(void **state)
{
    struct run run;
    const char *message = MSH("RDE^O11") PID ORC("NW") RXE("^BID") RXR
        "ORC|NW|A2^EHR|||||||20261101\rRXE|^QAM|1^Metformin 500 MG Oral Tablet^L|1||TAB\r"
        "ORC|NW|A3^EHR|||||||20261101\rRXE|^QHS|1^Timolol 5 MG/ML Ophthalmic Solution^L|1||drop\rRXR|OP\r";
    (void)state;
    run_hl7(&run, &message, 1);
    assert_int_equal(run.count, 3);
    assert_int_equal(run.orders[0].outcome, OUTCOME_PACKABLE);
    assert_int_equal(run.orders[2].outcome, OUTCOME_REFUSED);
    assert_string_equal(run.orders[2].source, "A3@EHR");
    assert_int_equal(run.totals.texts, 1);
}

static void test_control_codes_follow_one_another(void **state)
{
    static const char *const messages[] = {
        RDE("^BID"),
        MSH("RDE^O11") PID ORC("HD"),
        MSH("RDE^O11") PID ORC("XO") RXE("^TID"),
        MSH("RDE^O11") PID ORC("RL"),
        MSH("RDE^O11") PID ORC("DC"),
        MSH("RDE^O11") PID ORC("DC"),
        MSH("RDE^O11") PID ORC("RL"),
        MSH("RDE^O11") PID ORC("XO") RXE("^QD"),
    };
    struct run run;
    (void)state;
    run_hl7(&run, messages, 8);
    assert_int_equal(run.count, 7);
    assert_int_equal(run.orders[0].outcome, OUTCOME_PACKABLE);
    assert_true(has_reason(&run.orders[1], "STATUS_NOT_ACTIVE"));
    assert_true(has_reason(&run.orders[2], "STATUS_NOT_ACTIVE")); /* a change does not end the hold */
    assert_int_equal(run.orders[3].outcome, OUTCOME_PACKABLE);
    assert_string_equal(run.orders[3].text, "1 tablet 3 times a day, every day"); /* and was not lost */
    assert_int_equal(run.orders[4].outcome, OUTCOME_REFUSED);
    assert_int_equal(run.orders[5].outcome, OUTCOME_REFUSED);
    assert_int_equal(run.refused_count, 1); /* a release of what was stopped */
    assert_non_null(strstr(run.refused[0], "which is stopped"));
    assert_true(has_reason(&run.orders[6], "CONTROL_UNCLEAR")); /* a change of what was stopped */
}

static void test_what_is_not_understood_as_an_order_turns_the_message_down(void **state)
{
    static const struct {
        const char *message, *says;
    } rows[] = {
        {MSH("ADT^A01") PID, "message type ADT"},
        {MSH("RDE^O99") PID, "event O99"},
        {"MSH|^~\\&|A|B|C|D|1||RDE^O11|1|P|9.9\r" PID, "version 9.9"},
        {"MSH|^~\\&|A|B|C|D|1||RDE^O11|1||2.5\r" PID, "processing id (none)"},
        {"MSH|^~\\&|A|B|C|D|1||RDE^O11|1|P|2.5||c\r" PID, "in parts"},
        {MSH("RDE^O11") ORC("NW") RXE("^BID"), "no patient"},
        {MSH("RDE^O11") PID PID ORC("NW") RXE("^BID"), "two patients"},
        {MSH("RDE^O11") "PID|1\r" ORC("NW") RXE("^BID"), "no number"},
        {MSH("RDE^O11") PID, "no order"},
        {MSH("RDE^O11") PID RXE("^BID"), "without its ORC"},
        {MSH("RDE^O11") PID ORC("NW") RXE("^BID") RXE("^BID"), "two RXE"},
        {MSH("RDE^O11") PID ORC("NW"), "no pharmacy order"},
        {MSH("RDE^O11") PID ORC("ZZ") RXE("^BID"), "control code ZZ"},
        {MSH("RDE^O11") PID ORC("") RXE("^BID"), "control code (none)"},
        {MSH("RDE^O11") PID ORC("RF") RXE("^BID"), "control code RF"},
        {MSH("RDE^O11") PID ORC("DC"), "not known here"},
        {MSH("RDE^O11") PID ORC("SC") RXE("^BID"), "ORC-5"},
        {MSH("RDE^O11") PID ORC("NW") RXE("^BID") "ORC|DC|A9^EHR\r", "A9@EHR"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run;
        run_hl7(&run, &rows[i].message, 1);
        assert_int_equal(run.count, 0);
        assert_int_equal(run.refused_count, 1);
        if (strstr(run.refused[0], rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].message, run.refused[0]);
    }
}

static void test_same_number_for_another_order_waits(void **state)
{
    static const char *const messages[] = {RDE("^BID"), RDE("^BID"), RDE("^TID")};
    struct run run;
    (void)state;
    run_hl7(&run, messages, 3);
    assert_int_equal(run.count, 3);
    assert_int_equal(run.orders[1].outcome, OUTCOME_PACKABLE);
    assert_true(has_reason(&run.orders[2], "ID_CLASH"));
}

static void test_patients_of_messages(void **state)
{
    struct run run;
    const char *dead =
        MSH("RDE^O11") "PID|1||4711||Test||1950|F|||||||||||||||||||||20261001|Y\r" ORC("NW") RXE("^BID");
    (void)state;
    run_hl7(&run, &dead, 1);
    assert_true(has_reason(&run.orders[0], "PATIENT_DECEASED"));
    assert_string_equal(run.orders[0].patient, "4711");
}

/* Other people's messages: each file answered, none read as packable that the converters' authors call an
 * infusion, and what they expect of dose and timing is what is read here or waits. */
static void test_messages_of_others(void **state)
{
    char path[SHARED_PATH_BYTES];
    static const char *const names[] = {"lfh_RDE_O11_61614563.hl7", "msfc_RDE-O11-01.hl7",
                                        "msfc_RDE-O25-01.hl7", "msfc_RDS-O13-01.hl7",
                                        "pharmanet_medicationdispense_TMU_bae2e976.hl7"};
    struct run run;
    (void)state;
    if (shared_path("data/hl7v2-pharmacy/messages", path) == NULL)
        skip();
    const char *paths[] = {path};
    run_hl7_paths(&run, paths, 1);
    assert_int_equal(run.totals.texts, 61);
    assert_int_equal(run.totals.texts_refused, 18); /* ZPN, PPR, templates, one without a patient */
    assert_int_equal(run.totals.outcomes[OUTCOME_PACKABLE], 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[SHARED_PATH_BYTES + 64];
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]);
        const char *one[] = {file};
        run_hl7_paths(&run, one, 1);
        assert_int_equal(run.totals.texts, 1);
        assert_int_equal(run.totals.requests, i < 4 ? 1 : 0);
        assert_int_equal(run.totals.outcomes[OUTCOME_REFUSED], i < 4 ? 1 : 0);
        if (i == 0) /* Q24H at 0600 from 2021-04-07 */
            assert_string_equal(run.orders[0].text, "1 piece at 06:00, every day from 2021-04-07");
        if (i == 1 || i == 2) { /* expected-fhir: as needed, IV, 5 mg/hr, TID of the first TQ1 against P */
            assert_true(has_reason(&run.orders[0], "PRN") && has_reason(&run.orders[0], "ROUTE"));
            assert_true(has_reason(&run.orders[0], "TIMING_CLASH"));
        }
        if (i == 3) /* expected-fhir: TID for 3 days in the code, "2 times daily" in the text */
            assert_true(has_reason(&run.orders[0], "SIG_CONTRADICTS"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_end_with_cr_lf_or_both),
        cmocka_unit_test(test_encoding_characters_come_from_msh),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_characters_of_other_sets),
        cmocka_unit_test(test_what_is_no_message_is_refused_by_name),
        cmocka_unit_test(test_messages_of_a_file_and_a_batch),
        cmocka_unit_test(test_the_same_order_in_every_message_and_version),
        cmocka_unit_test(test_timing),
        cmocka_unit_test(test_two_statements_of_timing_must_agree),
        cmocka_unit_test(test_doses_routes_and_drugs),
        cmocka_unit_test(test_one_message_with_several_orders),
        cmocka_unit_test(test_control_codes_follow_one_another),
        cmocka_unit_test(test_what_is_not_understood_as_an_order_turns_the_message_down),
        cmocka_unit_test(test_same_number_for_another_order_waits),
        cmocka_unit_test(test_patients_of_messages),
        cmocka_unit_test(test_messages_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
