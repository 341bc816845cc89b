/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/csv.h"
#include "config/base/error.h"

/* Reads all rows and joins them as fields in <> and rows with ; for comparing. */
static int join(const char *text, size_t len, struct buf *joined, struct error *err)
{
    struct csv csv;
    csv_init(&csv, "f.csv", text, len);
    int rc = 0;
    while ((rc = csv_next(&csv, err)) == 1) {
        for (int i = 0; i < csv.count; i++) {
            assert_int_equal(strlen(csv.fields[i].text), csv.fields[i].len);
            buf_printf(joined, "<%s>", csv.fields[i].text);
        }
        buf_char(joined, ';');
    }
    csv_finish(&csv);
    return rc;
}

static void rows_and_quotes_read_as_rfc_4180_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *joined;
    } cases[] = {
        {.text = "", .joined = ""},
        {.text = "a,b\n", .joined = "<a><b>;"},
        {.text = "a,b", .joined = "<a><b>;"},
        {.text = "a,b\r\nc,d\r\n", .joined = "<a><b>;<c><d>;"},
        {.text = ",\n", .joined = "<><>;"},
        {.text = "\n", .joined = "<>;"},
        {.text = "\"a,b\",c\n", .joined = "<a,b><c>;"},
        {.text = "\"a \"\"b\"\"\"\n", .joined = "<a \"b\">;"},
        {.text = "\"a\r\nb\",\"\"\n", .joined = "<a\nb><>;"},
        {.text = "\xef\xbb\xbf"
                 "a\n",
         .joined = "<a>;"},
        {.text = " a , b \n", .joined = "< a >< b >;"},
        {.text = "\xc3\xa4,\xe2\x82\xac\n", .joined = "<\xc3\xa4><\xe2\x82\xac>;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf joined;
        struct error err = {0};
        buf_init(&joined);
        assert_int_equal(join(cases[i].text, strlen(cases[i].text), &joined, &err), 0);
        assert_string_equal(buf_string(&joined), cases[i].joined);
        buf_finish(&joined);
    }
}

static void what_is_wrong_is_named_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
        size_t len;
    } cases[] = {
        {.text = "a,b\"c\n", .place = "f.csv:1:4:"},
        {.text = "a\n\"b\"c\n", .place = "f.csv:2:4:"},
        {.text = "a\n\"b\nc", .place = "f.csv:3:2:"},
        {.text = "a\rb\n", .place = "f.csv:1:2:"},
        {.text = "\xc3\xa4\xff\n", .place = "f.csv:1:2:"},
        {.text = "a\0b\n", .len = 4, .place = "f.csv:1:2:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf joined;
        struct error err = {0};
        buf_init(&joined);
        size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
        assert_int_equal(join(cases[i].text, len, &joined, &err), E_SYNTAX);
        assert_int_equal(strncmp(err.message, cases[i].place, strlen(cases[i].place)), 0);
        buf_finish(&joined);
    }
}

static void fields_tell_where_they_start(void **state)
{
    (void)state;
    static const char text[] = "\xc3\xa4"
                               "bc,d\n\"x\ny\",z\n";
    struct csv csv;
    struct error err = {0};
    csv_init(&csv, "f.csv", text, strlen(text));
    assert_int_equal(csv_next(&csv, &err), 1);
    assert_int_equal(csv.fields[1].line, 1);
    assert_int_equal(csv.fields[1].column, 5);
    assert_int_equal(csv_next(&csv, &err), 1);
    assert_int_equal(csv.fields[0].line, 2);
    assert_int_equal(csv.fields[1].line, 3);
    assert_int_equal(csv.fields[1].column, 4);
    csv_finish(&csv);
}

static void endless_rows_end_at_a_limit(void **state)
{
    (void)state;
    static char text[CSV_ROW_BYTES_MAX + 100];
    struct buf joined;
    struct error err = {0};
    memset(text, 'a', sizeof text);
    buf_init(&joined);
    assert_int_equal(join(text, sizeof text, &joined, &err), E_LIMIT);
    memset(text, ',', sizeof text);
    assert_int_equal(join(text, sizeof text, &joined, &err), E_LIMIT);
    buf_finish(&joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_quotes_read_as_rfc_4180_says),
        cmocka_unit_test(what_is_wrong_is_named_with_line_and_column),
        cmocka_unit_test(fields_tell_where_they_start),
        cmocka_unit_test(endless_rows_end_at_a_limit),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
