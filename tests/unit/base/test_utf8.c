/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/utf8.h"

static void characters_are_told_from_malformed_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        uint32_t value;
    } rows[] = {{"A", 1, 'A'},
                {"\xC3\xA9", 2, 0xE9},
                {"\xE2\x82\xAC", 3, 0x20AC},
                {"\xF0\x9F\x92\x8A", 4, 0x1F48A},
                {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
                {"", 0, 0},
                {"\x80", 0, 0},
                {"\xC0\x80", 0, 0},         /* overlong */
                {"\xE0\x80\x80", 0, 0},     /* overlong */
                {"\xF0\x80\x80\x80", 0, 0}, /* overlong */
                {"\xED\xA0\x80", 0, 0},     /* surrogate */
                {"\xF4\x90\x80\x80", 0, 0}, /* over U+10FFFF */
                {"\xE2\x82", 0, 0},
                {"\xC3", 0, 0},
                {"\xC3(", 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t value = 0;
        assert_int_equal(utf8_next(rows[i].text, strlen(rows[i].text), &value), rows[i].size);
        assert_int_equal(value, rows[i].value);
    }
}

static void only_printable_text_goes_on_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {{"", true},
                {"Zoë 5 µg €", true},
                {"a\tb", false},
                {"a\nb", false},
                {"a\x7F", false},
                {"a\xC2\x85", false},
                {"a\xE2\x80\xAE", false},
                {"a\xE2\x80\x8B", false},
                {"a\xEF\xBB\xBF", false},
                {"a\xFF", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(utf8_printable(rows[i].text, strlen(rows[i].text)), rows[i].ok);
    assert_false(utf8_printable("a\0b", 3));
    assert_int_equal(utf8_count("Zoë €"), 5);
}

static void a_text_that_did_not_fit_ends_at_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cut;
    } rows[] = {{"abcdefghijk", "abcdefg..."}, {"abcdef€ghi", "abcdef..."}, {"abcdeë€ghi", "abcdeë..."}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[11];
        assert_true(snprintf(text, sizeof text, "%s", rows[i].text) >= (int)sizeof text);
        utf8_ellipsis(text, sizeof text);
        assert_string_equal(text, rows[i].cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_told_from_malformed_bytes),
        cmocka_unit_test(only_printable_text_goes_on_a_line),
        cmocka_unit_test(a_text_that_did_not_fit_ends_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
