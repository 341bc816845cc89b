/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/rng.h"
#include "config/base/utf8.h"
#include "controller/plan/label.h"

static const struct label_form form = {.lines = 14,
                                       .columns = 32,
                                       .patient = "Sample, Patient 01",
                                       .pharmacy = "My Pharmacy",
                                       .phone = "555 0100"};

static void a_label_reads_like_this(void **state)
{
    (void)state;
    const struct label_item items[] = {
        {.name = "Metformin 500 mg tablet", .whole = 2},
        {.name = "Warfarin 5 mg tablet, scored on both sides", .whole = 1, .half = 1},
        {.name = "Digoxin 0.125 mg tablet", .half = 1}};
    struct label_pouch pouch = {
        .slot = "MORNING", .minute = 480, .part = 1, .parts = 2, .items = items, .item_count = 3};
    assert_true(civil_parse("2026-11-23", &pouch.day));
    struct buf out;
    buf_init(&out);
    label_write(&form, &pouch, &out);
    assert_string_equal(buf_string(&out), "Sample, Patient 01\n"
                                          "Monday 23 November 2026\n"
                                          "MORNING 8 AM\n"
                                          "Pouch 1 of 2 for this time\n"
                                          "2 x Metformin 500 mg tablet\n"
                                          "1 and 1/2 x Warfarin 5 mg\n"
                                          "  tablet, scored on both sides\n"
                                          "1/2 x Digoxin 0.125 mg tablet\n"
                                          "My Pharmacy 555 0100");
    buf_finish(&out);
}

static void times_are_written_for_people(void **state)
{
    (void)state;
    static const struct {
        int minute;
        const char *text;
    } rows[] = {{0, "12 MIDNIGHT"}, {30, "12:30 AM"},  {60, "1 AM"},  {450, "7:30 AM"}, {719, "11:59 AM"},
                {720, "12 NOON"},   {750, "12:30 PM"}, {780, "1 PM"}, {1200, "8 PM"},   {1439, "11:59 PM"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[LABEL_TIME_BYTES];
        label_time(rows[i].minute, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* Hazard H18. Every letter of every name is on the label, no line is too wide, and the announced lines
 * suffice. */
static void nothing_is_cut_off_whatever_the_names(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 20261121, 3);
    print_message("seed 20261121\n");
    for (int round = 0; round < 3000; round++) {
        char patient[200], name[3][200];
        char *texts[] = {patient, name[0], name[1], name[2]};
        for (size_t t = 0; t < 4; t++) {
            size_t len = 1 + rng_below(&rng, 90);
            for (size_t i = 0; i < len; i++)
                texts[t][i] = i > 0 && rng_below(&rng, 9) == 0 ? ' ' : (char)('a' + rng_below(&rng, 26));
            texts[t][len] = '\0';
        }
        struct label_form f = form;
        f.patient = patient;
        f.columns = LABEL_COLUMNS_MIN + (int)rng_below(&rng, 40);
        f.lines = 40;
        f.provisional = true;
        struct label_item items[3];
        int lines = 0;
        for (int i = 0; i < 3; i++) {
            items[i] = (struct label_item){.name = name[i], .whole = (int)rng_below(&rng, 12), .half = 1};
            lines += label_lines_of(&f, name[i], true);
        }
        struct label_pouch pouch = {.day = 20000 + (int32_t)rng_below(&rng, 3000),
                                    .minute = (int)rng_below(&rng, 1440),
                                    .slot = "AFTERNOON",
                                    .part = 2,
                                    .parts = 3,
                                    .provisional = true,
                                    .items = items,
                                    .item_count = 3};
        struct buf out;
        buf_init(&out);
        label_write(&f, &pouch, &out);
        int fixed = f.lines - label_lines_for_products(&f);
        assert_true(label_line_count(buf_string(&out)) <= fixed + lines);
        for (const char *at = buf_string(&out); *at;) {
            size_t len = strcspn(at, "\n");
            assert_true(len <= (size_t)f.columns && len > 0);
            at += len + (at[len] == '\n');
        }
        char squeezed[2048];
        size_t n = 0;
        for (const char *at = buf_string(&out); *at; at++) {
            if (*at != ' ' && *at != '\n')
                squeezed[n++] = *at;
        }
        squeezed[n] = '\0';
        for (size_t t = 0; t < 4; t++) {
            char want[200];
            size_t k = 0;
            for (const char *at = texts[t]; *at; at++) {
                if (*at != ' ')
                    want[k++] = *at;
            }
            want[k] = '\0';
            assert_non_null(strstr(squeezed, want));
        }
        buf_finish(&out);
    }
}

static void letters_of_several_bytes_are_not_torn(void **state)
{
    (void)state;
    struct label_form f = form;
    f.columns = LABEL_COLUMNS_MIN;
    f.patient = "ÄÖÜäöüßéèêëàâùûîïôç";
    struct label_pouch pouch = {.slot = "NOON", .minute = 720, .part = 1, .parts = 1, .day = 20000};
    struct buf out;
    buf_init(&out);
    label_write(&f, &pouch, &out);
    for (const char *at = buf_string(&out); *at;) {
        size_t len = strcspn(at, "\n");
        assert_true(utf8_printable(at, len));
        at += len + (at[len] == '\n');
    }
    assert_memory_equal(buf_string(&out), "ÄÖÜäöüßéèêëàâùûî\n  ïôç\n", strlen("ÄÖÜäöüßéèêëàâùûî\n  ïôç\n"));
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_reads_like_this),
        cmocka_unit_test(times_are_written_for_people),
        cmocka_unit_test(nothing_is_cut_off_whatever_the_names),
        cmocka_unit_test(letters_of_several_bytes_are_not_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
