/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/plan/plan_text.h"
#include "controller/seal/seal.h"

/* A plan of two products: 1.5 A in the morning of each day, 2 B at 01:00 of every other day. */
static const char sample[] =
    "sachet-plan/2\n"
    "patient \"pat-1\" \"Ann \\\"A\\\" Example\" born=1950-02-28\n"
    "plan version=3 start=2026-12-30 days=3 day-start=04:00 limits=8/6/9\n"
    "day wake=07:00 breakfast=08:00 lunch=- dinner=18:30 bed=23:00 own=yes\n"
    "rules timing=\"1\" 0000000000000000000000000000000000000000000000000000000000000000"
    " packing=\"2026.1\" 0000000000000000000000000000000000000000000000000000000000000000"
    " regimen=0000000000000000000000000000000000000000000000000000000000000000\n"
    "edit 3 pin \"o1\" \"1@08:00\" reason=\"with the carer\" by=pia\n"
    "edit 9 forbid \"\" \"12:00-14:00\" reason=\"at work\" by=pia\n"
    "product A \"Alpha 5 mg tablet\" strength=\"5 mg\" form=\"tablet\" look=\"white\" alone=no provisional=no"
    " row=1111111111111111111111111111111111111111111111111111111111111111\n"
    "product B-2 \"Beta 2 mg\" strength=\"2 mg\" form=\"capsule\" look=\"\" alone=yes provisional=yes"
    " row=2222222222222222222222222222222222222222222222222222222222222222\n"
    "order 7 \"o1\" version=1 hash=3333333333333333333333333333333333333333333333333333333333333333"
    " product=A state=included begins=2026-12-30 \"Alpha\" reason=\"\"\n"
    "order 5 \"o2\" version=2 hash=4444444444444444444444444444444444444444444444444444444444444444"
    " product=B-2 state=included begins=2026-12-01 \"Beta\" reason=\"\"\n"
    "order 6 \"o3\" version=1 hash=5555555555555555555555555555555555555555555555555555555555555555"
    " product=- state=apart begins=- \"Gamma spray\" reason=\"not a solid\"\n"
    "slot 1 08:00 +0 MORNING\n"
    "slot 2 01:00 +1 BEDTIME\n"
    "take 5 slot=2 amount=2 first=2026-12-30 last=2027-01-01 every=2 anchor=2026-12-30 weekdays=- days=2\n"
    "take 7 slot=1 amount=1.5 first=2026-12-30 last=2027-01-01 every=1 anchor=2026-12-30 weekdays=- days=3\n"
    "note switch 5 \"too near\"\n"
    "note warning 5 \"look twice\"\n"
    "note floor 0 \"two drugs may not meet\"\n"
    "note why 7 \"in the morning\"\n"
    "pouch 1 2026-12-30 08:00 MORNING 1/1 label=\"Ann\\nAlpha 1 1/2\" items=A:whole:1,A:half:1\n"
    "pouch 2 2026-12-31 01:00 BEDTIME 1/1 label=\"Ann\\nBeta 2\" items=B-2:whole:2\n"
    "pouch 3 2026-12-31 08:00 MORNING 1/1 label=\"Ann\\nAlpha 1 1/2\" items=A:whole:1,A:half:1\n"
    "pouch 4 2027-01-01 08:00 MORNING 1/1 label=\"Ann\\nAlpha 1 1/2\" items=A:whole:1,A:half:1\n"
    "pouch 5 2027-01-02 01:00 BEDTIME 1/1 label=\"Ann\\nBeta 2\" items=B-2:whole:2\n"
    "total A amount=4.5 whole=3 half=3\n"
    "total B-2 amount=4 whole=4 half=0\n"
    "end pouches=5 pieces=10\n";

static int parse(const char *text, size_t len, struct error *err)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct plan_text *plan;
    int status = plan_text_parse(text, len, &arena, &plan, err);
    arena_finish(&arena);
    return status;
}

static void a_plan_reads_back_as_it_was_written(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct plan_text *plan = NULL;
    struct error err = {0};
    int status = plan_text_parse(sample, strlen(sample), &arena, &plan, &err);
    if (status < 0)
        fail_msg("%s", err.message);
    assert_string_equal(plan->patient_name, "Ann \"A\" Example");
    assert_int_equal(plan->version, 3);
    assert_int_equal(plan->pouch_count, 5);
    assert_string_equal(plan->pouches[0].label, "Ann\nAlpha 1 1/2");
    assert_int_equal(plan->pouches[0].items[1].piece, ROLL_HALF);
    assert_int_equal(plan->orders[2].state, PLAN_APART);
    assert_null(plan->orders[2].product);
    assert_true(plan_text_product(plan, "B-2")->provisional);
    assert_null(plan_text_product(plan, "B"));
    const char *line = "pouch 2 2026-12-31 01:00 BEDTIME 1/1 label=\"Ann\\nBeta 2\" items=B-2:whole:2";
    assert_int_equal(plan->pouches[1].line_len, strlen(line));
    assert_memory_equal(plan->pouches[1].line, line, strlen(line));
    uint8_t a[PLAN_HASH_BYTES], b[PLAN_HASH_BYTES];
    plan_pouch_hash(plan->pouches[1].line, plan->pouches[1].line_len, a);
    seal_hash(line, strlen(line), b);
    assert_memory_equal(a, b, sizeof a);
    struct buf out;
    buf_init(&out);
    assert_int_equal(plan_text_write(plan, &out, NULL), 0);
    assert_string_equal(buf_string(&out), sample);
    buf_finish(&out);
    arena_finish(&arena);
}

/* The sample as the first format had it: without lines and notes that it did not know. */
static void first_format(struct buf *out, const char *keep)
{
    for (const char *at = sample; *at; at += strcspn(at, "\n") + 1) {
        bool new = strncmp(at, "day ", 4) == 0 || strncmp(at, "edit ", 5) == 0 ||
                   strncmp(at, "note switch", 11) == 0;
        if (at == sample)
            buf_text(out, "sachet-plan/1\n");
        else if (!new || (keep && strncmp(at, keep, strlen(keep)) == 0))
            buf_add(out, at, strcspn(at, "\n") + 1);
    }
}

static void plans_of_the_first_format_read_back_as_they_were(void **state)
{
    (void)state;
    static const char *const unknown[] = {"day ", "edit 3", "note switch"};
    struct arena arena;
    struct buf text, again;
    struct plan_text *plan = NULL;
    buf_init(&text);
    buf_init(&again);
    arena_init(&arena, 0);
    first_format(&text, NULL);
    assert_int_equal(plan_text_parse(text.data, text.len, &arena, &plan, NULL), 0);
    assert_int_equal(plan->format, PLAN_FORMAT_FIRST);
    assert_int_equal(plan_text_write(plan, &again, NULL), 0);
    assert_string_equal(buf_string(&again), buf_string(&text));
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        buf_reset(&text);
        first_format(&text, unknown[i]);
        assert_true(parse(text.data, text.len, NULL) < 0);
    }
    arena_finish(&arena);
    buf_finish(&again);
    buf_finish(&text);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(sample); len++)
        assert_true(parse(sample, len, NULL) < 0);
    char *longer = malloc(sizeof sample + 1);
    assert_non_null(longer);
    memcpy(longer, sample, sizeof sample);
    longer[sizeof sample - 1] = '\n';
    assert_true(parse(longer, sizeof sample, NULL) < 0);
    free(longer);
}

/* A changed byte either makes the text unreadable or is a change of meaning that reads back as it stands. */
static void no_changed_byte_is_overlooked(void **state)
{
    (void)state;
    char text[sizeof sample];
    int taken = 0;
    for (size_t i = 0; i < strlen(sample); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(text, sample, sizeof sample);
            text[i] = (char)((unsigned char)text[i] ^ 1u << bit);
            struct arena arena;
            arena_init(&arena, 0);
            struct plan_text *plan;
            if (plan_text_parse(text, strlen(sample), &arena, &plan, NULL) == 0) {
                struct buf out;
                buf_init(&out);
                assert_int_equal(plan_text_write(plan, &out, NULL), 0);
                assert_int_equal(out.len, strlen(sample));
                assert_memory_equal(out.data, text, out.len);
                buf_finish(&out);
                taken++;
            }
            arena_finish(&arena);
        }
    }
    assert_true(taken > 0 && taken < (int)strlen(sample) * 8);
}

/* Replaces the first `from` in the sample by `to` and parses; the text must be refused. */
static void assert_refused(const char *from, const char *to)
{
    const char *at = strstr(sample, from);
    assert_non_null(at);
    struct buf text;
    buf_init(&text);
    buf_add(&text, sample, (size_t)(at - sample));
    buf_text(&text, to);
    buf_text(&text, at + strlen(from));
    struct error err = {0};
    int status = parse(text.data, text.len, &err);
    if (status == 0)
        fail_msg("taken: '%s' instead of '%s'", to, from);
    assert_true(err.message[0] != '\0');
    buf_finish(&text);
}

static void wrong_plans_are_refused(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"sachet-plan/2", "sachet-plan/1"},
        {"sachet-plan/2", "sachet-plan/3"},
        {"sachet-plan/2", "sachet-plan/02"},
        {"wake=07:00", "wake=7:00"},
        {"wake=07:00", "wake=-"},
        {"lunch=-", "lunch="},
        {"lunch=-", "lunch=24:00"},
        {"bed=23:00 own=yes", "bed=23:00"},
        {"edit 3 pin", "edit 3 pinned"},
        {"edit 3 pin", "edit 9 pin"},
        {"edit 3 pin", "edit 0 pin"},
        {"by=pia\n", "by=-\n"},
        {"version=3", "version=03"},
        {"version=3", "version=0"},
        {"days=3 ", "days=2 "},
        {"start=2026-12-30", "start=2026-12-31"},
        {"start=2026-12-30", "start=2026-02-30"},
        {"limits=8", "limits=1"},
        {"product A ", "product C "},
        {"product A \"", "product A  \""},
        {"alone=yes", "alone=maybe"},
        {"state=apart", "state=included"},
        {"reason=\"not a solid\"", "reason=\"\""},
        {"begins=2026-12-01 \"Beta\"", "begins=- \"Beta\""},
        {"order 7 \"o1\"", "order 7 \"o4\""},
        {"order 6 ", "order 7 "},
        {"08:00 +0", "08:00 +1"},
        {"08:00 +0 MORNING", "08:15 +0 MORNING"},
        {"amount=1.5", "amount=1.50"},
        {"amount=1.5", "amount=1.25"},
        {"amount=1.5", "amount=2"},
        {"weekdays=-", "weekdays=21"},
        {"weekdays=-", "weekdays=1"},
        {"every=2", "every=1"},
        {"days=2\n", "days=3\n"},
        {"note warning 5", "note warning 8"},
        {"note warning 5", "note why 5"},
        {"\"look twice\"", "\"\""},
        {"pouch 2 ", "pouch 3 "},
        {"A:whole:1,A:half:1", "A:half:1,A:whole:1"},
        {"A:whole:1,A:half:1", "A:whole:2,A:half:1"},
        {"A:whole:1,A:half:1", "A:whole:1"},
        {"A:whole:1,A:half:1", "A:whole:1,A:half:1,B-2:whole:1"},
        {"A:whole:1,A:half:1", "A:whole:01,A:half:1"},
        {"MORNING 1/1", "MORNING 1/2"},
        {"BEDTIME 1/1", "MORNING 1/1"},
        {"2026-12-31 01:00", "2026-12-30 01:00"},
        {"label=\"Ann\\nBeta 2\"", "label=\"\""},
        {"Ann\\nBeta", "Ann\\tBeta"},
        {"Ann\\nBeta", "Ann\tBeta"},
        {"Ann\\nBeta", "Ann\xC3"
                       "Beta"},
        {"Ann\\nBeta", "Ann\xE2\x80\xAE"
                       "Beta"},
        {"total A amount=4.5", "total A amount=4"},
        {"whole=3 half=3", "whole=4 half=1"},
        {"pouches=5", "pouches=4"},
        {"pieces=10\n", "pieces=11\n"},
        {"pieces=10\n", "pieces=10\r\n"},
        {"pieces=10\n", "pieces=10\nend pouches=5 pieces=10\n"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_refused(pairs[i][0], pairs[i][1]);
}

static void lines_cannot_be_swapped_dropped_or_doubled(void **state)
{
    (void)state;
    const char *lines[40];
    size_t lens[40], count = 0;
    for (const char *at = sample; *at; at += lens[count++]) {
        lines[count] = at;
        lens[count] = strcspn(at, "\n") + 1;
    }
    for (size_t i = 0; i < count; i++) {
        for (int how = 0; how < 3; how++) { /* drop, double, swap with the next */
            struct buf text;
            buf_init(&text);
            for (size_t k = 0; k < count; k++) {
                size_t from = how == 2 && k == i ? i + 1 : how == 2 && k == i + 1 ? i : k;
                if (from >= count || (how == 0 && k == i))
                    continue;
                buf_add(&text, lines[from], lens[from]);
                if (how == 1 && k == i)
                    buf_add(&text, lines[from], lens[from]);
            }
            if (how == 0 || how == 1 || i + 1 < count) {
                bool apart = (strncmp(lines[i], "order 6", 7) == 0 || strncmp(lines[i], "note", 4) == 0 ||
                              strncmp(lines[i], "edit", 4) == 0) &&
                             how == 0; /* not referred to by others */
                assert_int_equal(parse(text.data, text.len, NULL) == 0, apart);
            }
            buf_finish(&text);
        }
    }
}

static void rubbish_never_crashes_the_parser(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 20261121, 2);
    print_message("seed 20261121\n");
    char text[sizeof sample];
    for (int round = 0; round < 5000; round++) {
        memcpy(text, sample, sizeof sample);
        for (uint32_t k = 1 + rng_below(&rng, 6); k > 0; k--)
            text[rng_below(&rng, sizeof sample - 1)] = (char)rng_below(&rng, 256);
        (void)parse(text, sizeof sample - 1, NULL); /* any answer will do */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_reads_back_as_it_was_written),
        cmocka_unit_test(plans_of_the_first_format_read_back_as_they_were),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(no_changed_byte_is_overlooked),
        cmocka_unit_test(wrong_plans_are_refused),
        cmocka_unit_test(lines_cannot_be_swapped_dropped_or_doubled),
        cmocka_unit_test(rubbish_never_crashes_the_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
