/* SPDX-License-Identifier: Apache-2.0 */
/* CSV files of orders: every column, every way to write dates and numbers, and rows that are rejected by
 * name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/error.h"
#include "config/conf.h"
#include "controller/intake/csv_orders.h"
#include "tests/support/scratch.h"
#include "tests/unit/intake/support.h"

#define ALL                                                                                                 \
    "columns: {order: o, patient: p, patient_name: n, birth_date: b, drug: d, ndc: c, rxnorm: r, form: f, " \
    "dose: a, "                                                                                             \
    "unit: u, times: t, sig: s, morning: m1, noon: m2, evening: m3, night: m4, route: w, as_needed: x, "    \
    "status: st, written: wr, start: sa, end: en, days: da}\n"
#define MAPPING "format: sachet-csv/1\n"
#define TITLES  "o,p,n,b,d,c,r,f,a,u,t,s,m1,m2,m3,m4,w,x,st,wr,sa,en,da,ignored\n"

struct caught_rows {
    int count, rejected;
    char places[16][64];
    char reasons[16][256];
    char *texts[16];
};

static int catch_text(void *data, const char *place, const char *text, size_t len, struct error *err)
{
    struct caught_rows *rows = data;
    (void)err;
    assert_true(rows->count < 16);
    (void)snprintf(rows->places[rows->count], sizeof rows->places[0], "%s", strrchr(place, ':') + 1);
    rows->texts[rows->count] = strndup(text, len);
    rows->count++;
    return 0;
}

static int catch_rejected(void *data, const char *place, int line, const char *reason,
                          const char *const *fields, int count, struct error *err)
{
    struct caught_rows *rows = data;
    (void)place;
    (void)fields;
    (void)err;
    assert_true(count >= 1);
    (void)snprintf(rows->reasons[rows->rejected++], sizeof rows->reasons[0], "%d: %s", line, reason);
    return 0;
}

/* 0, or the error of opening or walking. */
static int walk(const char *mapping, const char *csv, struct caught_rows *rows, struct error *err)
{
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct conf *conf = NULL;
    struct csv_orders *orders = NULL;
    int64_t count, rejected;
    memset(rows, 0, sizeof *rows);
    scratch_init(&scratch);
    (void)scratch_write(&scratch, "orders.csv", csv, path);
    if (conf_parse(&conf_orders_csv, "map.yaml", mapping, strlen(mapping), &conf, err) != 0)
        fail_msg("%s", err->message);
    int rc = csv_orders_open(path, conf, &orders, err);
    const struct csv_orders_sink sink = {rows, catch_text, catch_rejected};
    if (rc == 0)
        rc = csv_orders_walk(orders, &sink, &count, &rejected, err);
    if (rc == 0) {
        assert_int_equal(rejected, rows->rejected);
        assert_int_equal(count, rows->count + rows->rejected);
    }
    csv_orders_close(orders);
    conf_destroy(conf);
    scratch_finish(&scratch);
    return rc;
}

static void finish(struct caught_rows *rows)
{
    for (int i = 0; i < rows->count; i++)
        free(rows->texts[i]);
}

/* One row with the titles of ALL, read as an order. */
static const struct caught *read_row(struct run *run, const char *mapping, const char *row)
{
    char csv[1024];
    struct caught_rows rows;
    struct error err = {0};
    (void)snprintf(csv, sizeof csv, "%s%s\n", TITLES, row);
    if (walk(mapping, csv, &rows, &err) != 0 || rows.count != 1)
        fail_msg("%s: %s%s", row, err.message, rows.reasons[0]);
    assert_string_equal(rows.places[0], "2");
    run_text(run, rows.texts[0]);
    finish(&rows);
    if (run->count != 1)
        fail_msg("%s: %s", row, run->refused[0]);
    return &run->orders[0];
}

#define LIS "Lisinopril 10 MG Oral Tablet"
#define ROW(dose, unit, times, sig, slots, more)                                                       \
    "1,p1,\"Test, Anna\",1950-02-01," LIS ",,,," dose "," unit "," times "," sig "," slots ",po," more \
    ",active,2026-11-01"

static void test_columns_become_orders(void **state)
{
    static const struct {
        const char *row, *reason, *text;
    } rows[] = {
        {ROW("1", "tablet", "BID", "", ",,,", "") ",,,,", "", "1 tablet 2 times a day, every day"},
        {ROW("0.5", "TAB", "QHS", "", ",,,", "no") ",,,,", "", "0.5 tablet at bedtime, every day"},
        {ROW("10", "mg", "\"BID&0800,2000\"", "", ",,,", "") ",,,,", "",
         "1 tablet at 08:00 and at 20:00, every day"},
        {ROW("", "tablet", "", "", "1,0,,2", "") ",2026-11-21,,7,", "",
         "1 tablet in the morning, every day from 2026-11-21 to 2026-11-27; and 2 tablets at night, every "
         "day "
         "from "
         "2026-11-21 to 2026-11-27"},
        {ROW("1", "tablet", "QD", "", ",,,", "") ",2026-11-21,2026-11-30,,", "",
         "1 tablet once a day, every day from 2026-11-21 to 2026-11-30"},
        {ROW("1", "tablet", "BID", "take 1 tablet twice a day", ",,,", "") ",,,,", "", NULL},
        {ROW("1", "tablet", "BID", "take 2 tablets twice a day", ",,,", "") ",,,,", "SIG_CONTRADICTS", NULL},
        {ROW("", "tablet", "", "take 2 tablets at night", "1,,,", "") ",,,,", "SIG_CONTRADICTS", NULL},
        {ROW("1", "tablet", "BID", "", ",,,", "prn") ",,,,", "PRN", NULL},
        {ROW("1", "tablet", "PRN", "", ",,,", "") ",,,,", "PRN", NULL},
        {ROW("1", "", "BID", "", ",,,", "") ",,,,", "DOSE_UNIT_UNKNOWN", NULL},
        {ROW("", "tablet", "BID", "", ",,,", "") ",,,,", "DOSE_MISSING", NULL},
        {ROW("1", "tablet", "", "", ",,,", "") ",,,,", "NO_TIMING", NULL},
        {ROW("1", "tablet", "TIDPC", "", ",,,", "") ",,,,", "TIMING_CODE", NULL},
        {ROW("1", "tablet", "", "", "1,,,", "") ",,,,", "TIMING_CLASH", NULL},
        {ROW("-1", "tablet", "QD", "", ",,,", "") ",,,,", "DOSE_NOT_POSITIVE", NULL},
        {"1,p1,,,Insulin 100 UNT/ML Injection,,,,1,tablet,QD,,,,,,sc,,active,2026-11-01,,,,", "ROUTE", NULL},
        {"1,p1,,," LIS ",,,,1,tablet,QD,,,,,,,,stopped,2026-11-01,,,,", "STATUS_NOT_ACTIVE", NULL},
        {"1,p1,,," LIS ",,,,1,tablet,QD,,,,,,,,,2026-11-01,,,,", "STATUS_NOT_ACTIVE",
         NULL}, /* empty is not active */
        {"1,p1,,," LIS ",,,cream,1,tablet,QD,,,,,,,,active,2026-11-01,,,,", "NOT_ORAL_SOLID", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run;
        const struct caught *order = read_row(&run, MAPPING ALL, rows[i].row);
        bool packable = order->outcome == OUTCOME_PACKABLE;
        if (packable != (rows[i].reason[0] == '\0') || (!packable && !has_reason(order, rows[i].reason)) ||
            (rows[i].text != NULL && strcmp(rows[i].text, order->text) != 0))
            fail_msg("%s: %s: %s", rows[i].row, order->reasons, order->text);
    }
}

static void test_dates_numbers_and_values_are_read_as_the_mapping_says(void **state)
{
    static const struct {
        const char *mapping, *row;
    } rows[] = {
        {"dates: YYYYMMDD\n", "1,p1,,19500201," LIS ",,,,1.5,tablet,QD,,,,,,,,active,20261101,,,,"},
        {"dates: DD.MM.YYYY\ndecimal: comma\n",
         "1,p1,,01.02.1950," LIS ",,,,\"1,5\",tablet,QD,,,,,,,,active,01.11.2026,,,,"},
        {"dates: DD/MM/YYYY\n", "1,p1,,01/02/1950," LIS ",,,,1.5,tablet,QD,,,,,,,,active,01/11/2026,,,,"},
        {"dates: MM/DD/YYYY\n", "1,p1,,02/01/1950," LIS ",,,,1.5,tablet,QD,,,,,,,,active,11/01/2026,,,,"},
        {"values: [{column: times, from: 1xT, to: QD}, {column: status, from: A, to: active}, {column: dose, "
         "from: half, to: \"1.5\"}]\n",
         "1,p1,,1950-02-01," LIS ",,,,half,tablet,1xT,,,,,,,,A,2026-11-01,,,,"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char mapping[1024];
        struct run run;
        (void)snprintf(mapping, sizeof mapping, MAPPING "%s" ALL, rows[i].mapping);
        const struct caught *order = read_row(&run, mapping, rows[i].row);
        if (order->outcome != OUTCOME_PACKABLE ||
            strcmp(order->text, "1.5 tablets once a day, every day") != 0)
            fail_msg("%s: %s: %s", rows[i].row, order->reasons, order->text);
    }
}

static void test_rows_without_an_order_are_rejected_with_line_and_reason(void **state)
{
    struct caught_rows rows;
    struct error err = {0};
    static const char *const wanted[] = {"2: order is empty",
                                         "3: patient is empty",
                                         "4: drug is empty",
                                         "5: written: \"2026-02-30\" is no date YYYY-MM-DD",
                                         "6: dose: \"1,5\" is no number",
                                         "7: as_needed: \"maybe\" is neither yes nor no",
                                         "8: 2 fields instead of 24",
                                         "9: days: \"0\" is no number of days",
                                         "10: days and end are both given",
                                         "11: start: \"1.2.26\" is no date YYYY-MM-DD",
                                         "12: morning: \"x\" is no number"};
    (void)state;
    assert_int_equal(walk(MAPPING ALL,
                          TITLES ",p,,," LIS ",,,,1,tablet,QD,,,,,,,,active,,,,,\n"
                                 "1,,,," LIS ",,,,1,tablet,QD,,,,,,,,active,,,,,\n"
                                 "1,p,,,,,,,1,tablet,QD,,,,,,,,active,,,,,\n"
                                 "1,p,,," LIS ",,,,1,tablet,QD,,,,,,,,active,2026-02-30,,,,\n"
                                 "1,p,,," LIS ",,,,\"1,5\",tablet,QD,,,,,,,,active,,,,,\n"
                                 "1,p,,," LIS ",,,,1,tablet,QD,,,,,,,maybe,active,,,,,\n"
                                 "1,p\n"
                                 "1,p,,," LIS ",,,,1,tablet,QD,,,,,,,,active,,,,0,\n"
                                 "1,p,,," LIS ",,,,1,tablet,QD,,,,,,,,active,,,2026-11-30,7,\n"
                                 "1,p,,," LIS ",,,,1,tablet,QD,,,,,,,,active,,1.2.26,,,\n"
                                 "1,p,,," LIS ",,,,,tablet,,,x,,,,,,active,,,,,\n"
                                 "\n"
                                 "ok,p,,," LIS ",,,,1,tablet,QD,,,,,,,,active,,,,,\n",
                          &rows, &err),
                     0);
    assert_int_equal(rows.rejected, 11);
    for (int i = 0; i < 11; i++)
        assert_string_equal(rows.reasons[i], wanted[i]);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.places[0], "14");
    finish(&rows);
}

static void test_files_that_do_not_fit_are_refused_whole(void **state)
{
    static const struct {
        const char *csv, *says;
    } rows[] = {
        {"", "empty"},
        {"o,p\n", "there is no column \"d\""},
        {"o,p,d,d\n", "two columns are called \"d\""},
        {"o,p,d\n1,\"p\n", "within quotes"},
        {"o,p,d\n1,p,\"x\"y\n", "closing quote"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct caught_rows caught;
        struct error err = {0};
        int rc = walk(MAPPING "columns: {order: o, patient: p, drug: d}\n", rows[i].csv, &caught, &err);
        if (rc >= 0 || strstr(err.message, rows[i].says) == NULL)
            fail_msg("%s: %d %s", rows[i].csv, rc, err.message);
        finish(&caught);
    }
}

static void test_every_separator(void **state)
{
    static const char *const names[] = {"comma", "semicolon", "tab", "bar"};
    static const char marks[] = ",;\t|";
    (void)state;
    for (int i = 0; i < 4; i++) {
        char mapping[128], csv[128];
        struct caught_rows rows;
        struct error err = {0};
        (void)snprintf(mapping, sizeof mapping,
                       MAPPING "separator: %s\ncolumns: {order: o, patient: p, drug: d}\n", names[i]);
        (void)snprintf(csv, sizeof csv, "o%cp%cd\r\n1%c\"p%cq\"%cDrug\r\n", marks[i], marks[i], marks[i],
                       marks[i], marks[i]);
        if (walk(mapping, csv, &rows, &err) != 0)
            fail_msg("%s: %s", names[i], err.message);
        assert_int_equal(rows.count, 1);
        finish(&rows);
    }
}

static void test_a_title_that_stands_for_two_columns_is_found_in_the_mapping(void **state)
{
    const char *mapping = MAPPING "columns: {order: o, patient: o, drug: d}\n";
    struct conf *conf = NULL;
    struct error err = {0};
    (void)state;
    assert_true(conf_parse(&conf_orders_csv, "map.yaml", mapping, strlen(mapping), &conf, &err) < 0);
    assert_non_null(strstr(err.message, "named twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_become_orders),
        cmocka_unit_test(test_dates_numbers_and_values_are_read_as_the_mapping_says),
        cmocka_unit_test(test_rows_without_an_order_are_rejected_with_line_and_reason),
        cmocka_unit_test(test_files_that_do_not_fit_are_refused_whole),
        cmocka_unit_test(test_every_separator),
        cmocka_unit_test(test_a_title_that_stands_for_two_columns_is_found_in_the_mapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
