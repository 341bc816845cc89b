/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "scheduler/roll.h"

static int32_t day_or_fail(const char *text)
{
    int32_t day;
    assert_true(civil_parse(text, &day));
    return day;
}

static struct roll_pattern daily(int32_t first, int32_t last)
{
    return (struct roll_pattern){.first_day = first, .last_day = last, .anchor_day = first, .every_days = 1};
}

static const struct roll_limits wide = {.pieces_max = 20, .entries_max = 10};

static struct roll build_or_fail(const struct roll_request *request, struct arena *arena)
{
    struct roll roll;
    struct error err = {0};
    int status = roll_build(request, arena, &roll, &err);
    if (status < 0)
        fail_msg("%s", err.message);
    return roll;
}

static void a_pouch_for_each_day_and_slot_in_order(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    int32_t start = day_or_fail("2026-11-23");
    const struct roll_slot slots[] = {{210}, {960}};
    const struct roll_product products[] = {{0}, {0}};
    const struct roll_take takes[] = {
        {.product = 0, .slot = 0, .amount_milli = 1000, .pattern = daily(start, start + 27)},
        {.product = 1, .slot = 0, .amount_milli = 1500, .pattern = daily(start, start + 27)},
        {.product = 0, .slot = 1, .amount_milli = 2000, .pattern = daily(start, start + 27)},
    };
    const struct roll_request request = {.start_day = start,
                                         .days = 28,
                                         .day_start = 240,
                                         .limits = wide,
                                         .slots = slots,
                                         .slot_count = 2,
                                         .products = products,
                                         .product_count = 2,
                                         .takes = takes,
                                         .take_count = 3};
    struct roll roll = build_or_fail(&request, &arena);
    assert_int_equal(roll.pouch_count, 56);
    const struct roll_pouch *first = &roll.pouches[0];
    assert_int_equal(first->number, 1);
    assert_int_equal(first->day, start);
    assert_int_equal(first->minute, 450);
    assert_int_equal(first->item_count, 3);
    assert_int_equal(first->items[2].piece, ROLL_HALF);
    assert_int_equal(first->items[2].count, 1);
    assert_int_equal(roll.pouches[55].number, 56);
    assert_int_equal(roll.pouches[55].day, start + 27);
    assert_int_equal(roll.pouches[55].minute, 1200);
    arena_finish(&arena);
}

static void a_slot_after_midnight_carries_the_next_date(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    int32_t start = day_or_fail("2026-12-31");
    const struct roll_slot slots[] = {{180}, {1260}}; /* 07:00 and 01:00 of the next date */
    const struct roll_product products[] = {{0}};
    const struct roll_take takes[] = {
        {.slot = 0, .amount_milli = 1000, .pattern = daily(start, start)},
        {.slot = 1, .amount_milli = 1000, .pattern = daily(start, start)},
    };
    const struct roll_request request = {.start_day = start,
                                         .days = 1,
                                         .day_start = 240,
                                         .limits = wide,
                                         .slots = slots,
                                         .slot_count = 2,
                                         .products = products,
                                         .product_count = 1,
                                         .takes = takes,
                                         .take_count = 2};
    struct roll roll = build_or_fail(&request, &arena);
    assert_int_equal(roll.pouch_count, 2);
    assert_int_equal(roll.pouches[0].day, start);
    assert_int_equal(roll.pouches[1].day, day_or_fail("2027-01-01"));
    assert_int_equal(roll.pouches[1].minute, 60);
    arena_finish(&arena);
}

static void patterns_hold_over_leap_day_and_year_end(void **state)
{
    (void)state;
    int32_t start = day_or_fail("2028-02-27");
    struct roll_pattern other_day = {
        .first_day = start, .last_day = start + 9, .anchor_day = start, .every_days = 2};
    assert_true(roll_pattern_has(&other_day, day_or_fail("2028-02-29")));
    assert_false(roll_pattern_has(&other_day, day_or_fail("2028-03-01")));
    assert_int_equal(roll_pattern_count(&other_day, start, 30), 5);
    /* 2026-12-28 is a Monday. */
    struct roll_pattern mondays = {.first_day = day_or_fail("2026-12-01"),
                                   .last_day = day_or_fail("2027-01-31"),
                                   .anchor_day = day_or_fail("2026-12-01"),
                                   .every_days = 1,
                                   .weekdays = 1};
    assert_true(roll_pattern_has(&mondays, day_or_fail("2026-12-28")));
    assert_true(roll_pattern_has(&mondays, day_or_fail("2027-01-04")));
    assert_int_equal(roll_pattern_count(&mondays, day_or_fail("2026-12-28"), 14), 2);
    struct roll_pattern later = {
        .first_day = start, .last_day = start + 9, .anchor_day = start + 1, .every_days = 3};
    assert_true(roll_pattern_has(&later, start + 1));
    assert_false(roll_pattern_has(&later, start));
}

static void a_dose_stays_whole_and_nothing_shares_with_alone(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    const struct roll_slot slots[] = {{0}};
    const struct roll_product products[] = {{0}, {.alone = true}, {0}, {0}};
    const struct roll_take takes[] = {
        {.product = 0, .amount_milli = 3000, .pattern = daily(0, 0)},
        {.product = 1, .amount_milli = 1000, .pattern = daily(0, 0)},
        {.product = 2, .amount_milli = 3000, .pattern = daily(0, 0)},
        {.product = 3, .amount_milli = 1000, .pattern = daily(0, 0)},
    };
    const struct roll_request request = {.days = 1,
                                         .limits = {.pieces_max = 4, .entries_max = 8},
                                         .slots = slots,
                                         .slot_count = 1,
                                         .products = products,
                                         .product_count = 4,
                                         .takes = takes,
                                         .take_count = 4};
    struct roll roll = build_or_fail(&request, &arena);
    assert_int_equal(roll.pouch_count, 3);
    assert_int_equal(roll.pouches[0].parts, 3);
    assert_int_equal(roll.pouches[0].item_count, 2); /* 3 of product 0 and the one of product 3 */
    assert_int_equal(roll.pouches[1].items[0].product, 2);
    assert_int_equal(roll.pouches[2].item_count, 1);
    assert_int_equal(roll.pouches[2].items[0].product, 1);
    arena_finish(&arena);
}

static void a_dose_over_the_capacity_is_torn_without_loss(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    const struct roll_slot slots[] = {{0}};
    const struct roll_product products[] = {{0}};
    const struct roll_take takes[] = {{.amount_milli = 9500, .pattern = daily(0, 0)}};
    struct roll_request request = {.days = 1,
                                   .limits = {.pieces_max = 4, .entries_max = 1},
                                   .slots = slots,
                                   .slot_count = 1,
                                   .products = products,
                                   .product_count = 1,
                                   .takes = takes,
                                   .take_count = 1};
    struct roll roll = build_or_fail(&request, &arena);
    assert_int_equal(roll.pouch_count, 4); /* 4, 4, 1 and, as one bay only is allowed, the half */
    request.limits.entries_max = 2;
    roll = build_or_fail(&request, &arena);
    assert_int_equal(roll.pouch_count, 3);
    arena_finish(&arena);
}

static void requests_out_of_range_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    const struct roll_slot slots[] = {{0}};
    struct roll_product product = {.lines = 1};
    struct roll_take take = {.amount_milli = 1000, .pattern = daily(0, 0)};
    struct roll_request request = {.days = 1,
                                   .limits = wide,
                                   .slots = slots,
                                   .slot_count = 1,
                                   .products = &product,
                                   .product_count = 1,
                                   .takes = &take,
                                   .take_count = 1};
    struct roll roll;
    assert_int_equal(roll_build(&request, &arena, &roll, NULL), 0);
    take.amount_milli = 250;
    assert_int_equal(roll_build(&request, &arena, &roll, NULL), E_INPUT);
    take.amount_milli = 0;
    assert_int_equal(roll_build(&request, &arena, &roll, NULL), E_LIMIT);
    take.amount_milli = 1000;
    take.slot = 1;
    assert_int_equal(roll_build(&request, &arena, &roll, NULL), E_ARG);
    take.slot = 0;
    request.limits.lines_max = 3;
    product.lines = 4;
    assert_int_equal(roll_build(&request, &arena, &roll, NULL), E_LIMIT);
    product.lines = 1;
    take.amount_milli = 100000;
    request.limits.pieces_max = 1;
    assert_int_equal(roll_build(&request, &arena, &roll, NULL), E_LIMIT); /* 100 parts */
    arena_finish(&arena);
}

/* A request of random size; everything it points to lives in the struct. */
struct random_request {
    struct roll_request request;
    struct roll_slot slots[8];
    struct roll_product products[10];
    struct roll_take takes[24];
};

static void random_fill(struct random_request *r, struct rng *rng)
{
    memset(r, 0, sizeof *r);
    int32_t start = 20000 + (int32_t)rng_below(rng, 4000);
    int slot_count = 1 + (int)rng_below(rng, 8);
    for (int i = 0; i < slot_count; i++)
        r->slots[i].minute = i * 180 + (int)rng_below(rng, 12) * 15;
    int product_count = 1 + (int)rng_below(rng, 10);
    for (int i = 0; i < product_count; i++)
        r->products[i] =
            (struct roll_product){.alone = rng_below(rng, 5) == 0, .lines = 1 + (int)rng_below(rng, 3)};
    int take_count = (int)rng_below(rng, 25);
    for (int i = 0; i < take_count; i++) {
        int32_t first = start - 10 + (int32_t)rng_below(rng, 40);
        r->takes[i] =
            (struct roll_take){.product = (int)rng_below(rng, (uint32_t)product_count),
                               .slot = (int)rng_below(rng, (uint32_t)slot_count),
                               .amount_milli = 500 * (1 + (int64_t)rng_below(rng, 6)),
                               .pattern = {.first_day = first,
                                           .last_day = first + (int32_t)rng_below(rng, 40),
                                           .anchor_day = first,
                                           .every_days = 1 + (int)rng_below(rng, 3),
                                           .weekdays = rng_below(rng, 3) ? 0 : rng_below(rng, 128)}};
    }
    r->request =
        (struct roll_request){.start_day = start,
                              .days = 1 + (int)rng_below(rng, 31),
                              .day_start = (int)rng_below(rng, 1440),
                              .limits = {.pieces_max = 1 + (int)rng_below(rng, 8),
                                         .entries_max = 1 + (int)rng_below(rng, 5),
                                         .lines_max = rng_below(rng, 2) ? 3 + (int)rng_below(rng, 6) : 0},
                              .slots = r->slots,
                              .slot_count = slot_count,
                              .products = r->products,
                              .product_count = product_count,
                              .takes = r->takes,
                              .take_count = take_count};
}

/* Milli-pieces of a product due at a civil date and minute, counted day by day from the takes alone. */
static int64_t due_milli(const struct random_request *r, int product, int32_t day, int minute)
{
    int64_t sum = 0;
    for (int i = 0; i < r->request.take_count; i++) {
        const struct roll_take *take = &r->takes[i];
        int at = r->request.day_start + r->slots[take->slot].minute;
        int32_t logical = at >= 1440 ? day - 1 : day;
        int32_t since = logical - take->pattern.anchor_day;
        bool in_cycle = logical >= r->request.start_day && logical < r->request.start_day + r->request.days;
        bool in_bounds = logical >= take->pattern.first_day && logical <= take->pattern.last_day;
        bool on_weekday = !take->pattern.weekdays || (take->pattern.weekdays >> ((logical + 3) % 7) & 1);
        if (take->product == product && at % 1440 == minute && in_cycle && in_bounds && on_weekday &&
            since % take->pattern.every_days == 0)
            sum += take->amount_milli;
    }
    return sum;
}

static void check_pouch(const struct random_request *r, const struct roll *roll, int index)
{
    const struct roll_pouch *pouch = &roll->pouches[index];
    const struct roll_limits *limits = &r->request.limits;
    int pieces = 0, lines = 0, products = 0, last = -1;
    bool alone = false;
    for (int i = 0; i < pouch->item_count; i++) {
        const struct roll_item *item = &pouch->items[i];
        pieces += item->count;
        assert_true(item->count > 0);
        assert_true(item->product > last || (item->product == last && item->piece == ROLL_HALF));
        if (item->product != last) {
            products++;
            lines += r->products[item->product].lines;
            alone |= r->products[item->product].alone;
        }
        last = item->product;
    }
    assert_true(pouch->item_count > 0 && pieces <= limits->pieces_max);
    assert_true(pouch->item_count <= limits->entries_max);
    assert_true(limits->lines_max == 0 || lines <= limits->lines_max);
    assert_true(!alone || products == 1);
    assert_int_equal(pouch->number, index + 1);
    if (index > 0) {
        const struct roll_pouch *before = pouch - 1;
        bool same = before->day == pouch->day && before->minute == pouch->minute;
        assert_true(before->day < pouch->day ||
                    (before->day == pouch->day && before->minute <= pouch->minute));
        assert_int_equal(pouch->part, same ? before->part + 1 : 1);
        assert_true(same || before->part == before->parts);
        assert_true(!same || before->parts == pouch->parts);
    }
}

static void every_random_roll_holds_exactly_what_is_due(void **state)
{
    (void)state;
    const uint64_t seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct rng rng;
    rng_init(&rng, seed, 1);
    int torn = 0;
    for (int round = 0; round < 3000; round++) {
        static struct random_request r;
        random_fill(&r, &rng);
        struct arena arena;
        arena_init(&arena, 0);
        struct roll roll = build_or_fail(&r.request, &arena);
        int64_t packed = 0, due = 0;
        for (int i = 0; i < roll.pouch_count; i++) {
            check_pouch(&r, &roll, i);
            for (int k = 0; k < roll.pouches[i].item_count; k++)
                packed += roll.pouches[i].items[k].count *
                          (roll.pouches[i].items[k].piece == ROLL_HALF ? 500 : 1000);
        }
        for (int32_t day = r.request.start_day; day <= r.request.start_day + r.request.days; day++) {
            for (int s = 0; s < r.request.slot_count; s++) {
                int minute = (r.request.day_start + r.slots[s].minute) % 1440;
                for (int p = 0; p < r.request.product_count; p++) {
                    int64_t want = due_milli(&r, p, day, minute), have = 0;
                    int pouches = 0;
                    for (int i = 0; i < roll.pouch_count; i++) {
                        const struct roll_pouch *pouch = &roll.pouches[i];
                        bool in = false;
                        for (int k = 0; k < pouch->item_count && pouch->day == day && pouch->minute == minute;
                             k++) {
                            const struct roll_item *item = &pouch->items[k];
                            if (item->product != p)
                                continue;
                            have += item->count * (item->piece == ROLL_HALF ? 500 : 1000);
                            in = true;
                        }
                        pouches += in;
                    }
                    assert_int_equal(have, want);
                    due += want;
                    int64_t pieces = want / 1000 + want % 1000 / 500;
                    int entries = (want >= 1000) + (want % 1000 > 0);
                    bool fits =
                        pieces <= r.request.limits.pieces_max && entries <= r.request.limits.entries_max;
                    assert_true(!fits || pouches <= 1);
                    torn += pouches > 1;
                }
            }
        }
        assert_int_equal(packed, due);
        arena_finish(&arena);
    }
    assert_true(torn > 100); /* the hard case was met */
}

static void the_same_request_gives_the_same_roll(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7, 1);
    for (int round = 0; round < 50; round++) {
        static struct random_request r;
        random_fill(&r, &rng);
        struct arena arena;
        arena_init(&arena, 0);
        struct roll a = build_or_fail(&r.request, &arena);
        struct roll b = build_or_fail(&r.request, &arena);
        assert_int_equal(a.pouch_count, b.pouch_count);
        for (int i = 0; i < a.pouch_count; i++) {
            assert_int_equal(a.pouches[i].item_count, b.pouches[i].item_count);
            assert_memory_equal(a.pouches[i].items, b.pouches[i].items,
                                (size_t)a.pouches[i].item_count * sizeof(struct roll_item));
        }
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pouch_for_each_day_and_slot_in_order),
        cmocka_unit_test(a_slot_after_midnight_carries_the_next_date),
        cmocka_unit_test(patterns_hold_over_leap_day_and_year_end),
        cmocka_unit_test(a_dose_stays_whole_and_nothing_shares_with_alone),
        cmocka_unit_test(a_dose_over_the_capacity_is_torn_without_loss),
        cmocka_unit_test(requests_out_of_range_are_refused),
        cmocka_unit_test(every_random_roll_holds_exactly_what_is_due),
        cmocka_unit_test(the_same_request_gives_the_same_roll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
