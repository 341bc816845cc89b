/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of every plan, whatever its case: the list of spec SYNC-1, "Exactness at speed". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "tests/unit/scheduler/sync_oracle.h"

enum { CASES = 2000, SEED = 400001 };

static const struct oracle_mix mixed = {.drugs_max = 8, .packs = true, .excluded = true};
/* P1 joins a drug as soon as a window holds an anchor. With packs whose standard fill is no whole number of
 * cycles that can cost carried days, so the two monotone properties are claimed for the others only. */
static const struct oracle_mix whole = {.drugs_max = 8, .packs = true, .whole = true};
static const struct oracle_mix splittable = {.drugs_max = 8};

static struct sync_plan *solve_or_fail(const struct sync_case *c, struct arena *arena, unsigned seed)
{
    struct sync_plan *plan = NULL;
    struct error err = {0};
    if (sync_solve(c, arena, &plan, &err)) {
        oracle_print(c);
        fail_msg("seed %u: %s", seed, err.message);
    }
    return plan;
}

static void same_requests_or_fail(const struct sync_request *a, size_t a_count, const struct sync_request *b,
                                  size_t b_count, int32_t shift)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_string_equal(a[i].id, b[i].id);
        assert_int_equal(a[i].needed_by + shift, b[i].needed_by);
        assert_int_equal(a[i].reason, b[i].reason);
    }
}

/* b is a with all dates `shift` days later. */
static void same_plan_or_fail(const struct sync_case *c, const struct sync_plan *a, const struct sync_plan *b,
                              int32_t shift, unsigned seed)
{
    bool same = a->feasible == b->feasible && a->fill_count == b->fill_count;
    if (same && a->feasible)
        same = a->anchor + shift == b->anchor && a->sync_date + shift == b->sync_date &&
               memcmp(&a->objective, &b->objective, sizeof a->objective) == 0;
    for (size_t i = 0; same && i < a->fill_count; i++)
        same = a->fills[i].date + shift == b->fills[i].date && a->fills[i].days == b->fills[i].days &&
               a->fills[i].qty == b->fills[i].qty && a->fills[i].kind == b->fills[i].kind &&
               strcmp(a->fills[i].id, b->fills[i].id) == 0;
    if (!same) {
        oracle_print(c);
        fail_msg("seed %u: another plan", seed);
    }
    same_requests_or_fail(a->renewals, a->renewal_count, b->renewals, b->renewal_count, shift);
    same_requests_or_fail(a->overrides, a->override_count, b->overrides, b->override_count, shift);
    same_requests_or_fail(a->pa_requests, a->pa_request_count, b->pa_requests, b->pa_request_count, shift);
}

/* Runs `check` over many cases with a fresh arena each. */
static void for_each_case(const struct oracle_mix *mix,
                          void (*check)(struct oracle_case *random, struct arena *arena, unsigned seed))
{
    print_message("seeds %d..%d\n", SEED, SEED + CASES - 1);
    for (unsigned seed = SEED; seed < SEED + CASES; seed++) {
        struct oracle_case random;
        struct arena arena;
        oracle_random(seed, mix, &random);
        for (size_t i = 0; i < random.c.rx_count; i++) { /* authority, too */
            struct sync_rx *rx = &random.rx[i];
            rx->fills_left = seed % 3 == 0 ? (int32_t)(seed % 4) : SYNC_NONE;
            rx->qty_left = seed % 5 == 0 ? (int32_t)(seed % 90) : SYNC_NONE;
            rx->expires = seed % 7 == 0 ? random.c.today + (int32_t)(seed % 50) : CIVIL_DAY_NONE;
            rx->pa_expires = seed % 4 == 0 ? random.c.today + (int32_t)(seed % 40) : CIVIL_DAY_NONE;
        }
        arena_init(&arena, 0);
        check(&random, &arena, seed);
        arena_finish(&arena);
    }
}

static void shift_day(int32_t *day, int32_t shift)
{
    if (*day != CIVIL_DAY_NONE)
        *day += shift;
}

static void check_shift(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    struct sync_plan *before = solve_or_fail(&random->c, arena, seed);
    int32_t leap_day;
    assert_true(civil_parse("2028-02-29", &leap_day));
    int32_t shift = leap_day - (int32_t)(seed % 40) - random->c.today; /* the leap day lies within the plan */
    shift_day(&random->c.today, shift);
    shift_day(&random->c.current_anchor, shift);
    for (size_t i = 0; i < random->c.rx_count; i++) {
        shift_day(&random->rx[i].last_fill, shift);
        shift_day(&random->rx[i].start, shift);
        shift_day(&random->rx[i].expires, shift);
        shift_day(&random->rx[i].pa_expires, shift);
    }
    same_plan_or_fail(&random->c, before, solve_or_fail(&random->c, arena, seed), shift, seed);
}

static void shifting_all_dates_shifts_the_plan(void **state)
{
    (void)state;
    for_each_case(&mixed, check_shift);
}

static void check_order(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    struct sync_plan *before = solve_or_fail(&random->c, arena, seed);
    struct oracle_case other = *random;
    size_t n = random->c.rx_count;
    for (size_t i = 0; i < n; i++)
        other.rx[i] = random->rx[(n - 1 - i + seed) % n];
    other.c.rx = other.rx;
    same_plan_or_fail(&random->c, before, solve_or_fail(&other.c, arena, seed), 0, seed);
}

static void the_order_of_drugs_changes_nothing(void **state)
{
    (void)state;
    for_each_case(&mixed, check_order);
}

static void check_prn(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    struct sync_plan *before = solve_or_fail(&random->c, arena, seed);
    struct sync_rx *added = &random->rx[random->c.rx_count++];
    *added = random->rx[0];
    added->id = "AAA";
    added->prn = true;
    added->stopped = false;
    added->schedule = 4;
    struct sync_plan *after = solve_or_fail(&random->c, arena, seed);
    same_plan_or_fail(&random->c, before, after, 0, seed);
    assert_int_equal(after->drug_count, random->c.rx_count);
    size_t left_out = 0;
    for (size_t i = 0; i < after->drug_count; i++)
        left_out += strcmp(after->drugs[i].rx->id, "AAA") == 0 && after->drugs[i].excluded == SYNC_PRN;
    assert_int_equal(left_out, 1);
}

static void adding_a_prn_drug_changes_nothing(void **state)
{
    (void)state;
    for_each_case(&mixed, check_prn);
}

/* better is at least as good as worse. */
static void not_better_or_fail(const struct sync_case *c, const struct sync_plan *better,
                               const struct sync_plan *worse, unsigned seed)
{
    /* A drug that the payer refuses until after its run-out must be filled on just that day. A higher
     * threshold moves it, and so can make a plan possible, with a longer gap. */
    bool moved = worse->objective.term[SYNC_GAP_DAYS] > 0 && !better->feasible;
    if (!worse->feasible || moved)
        return;
    if (!better->feasible || sync_objective_compare(&better->objective, &worse->objective, NULL) > 0) {
        oracle_print(c);
        fail_msg("seed %u: the tighter case has the better plan", seed);
    }
}

static void check_threshold(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    struct sync_plan *low = solve_or_fail(&random->c, arena, seed);
    for (size_t i = 0; i < random->c.rx_count; i++) {
        int32_t higher = random->rx[i].threshold_pct + (int32_t)(seed % 30);
        if (i % 2 == seed % 2)
            random->rx[i].threshold_pct = higher > 100 ? 100 : higher;
    }
    not_better_or_fail(&random->c, low, solve_or_fail(&random->c, arena, seed), seed);
}

static void a_higher_threshold_never_improves_the_objective(void **state)
{
    (void)state;
    for_each_case(&whole, check_threshold);
}

static void check_carry(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    struct sync_plan *low = solve_or_fail(&random->c, arena, seed);
    random->c.max_carry_days += 1 + (int32_t)(seed % 15);
    not_better_or_fail(&random->c, solve_or_fail(&random->c, arena, seed), low, seed);
}

static void a_higher_carry_cap_never_worsens_the_objective(void **state)
{
    (void)state;
    for_each_case(&whole, check_carry);
}

static void check_lock(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    struct sync_plan *free_plan = solve_or_fail(&random->c, arena, seed);
    struct sync_lock lock = {.kind = SYNC_LOCK_ANCHOR, .date = free_plan->anchor};
    if (!free_plan->feasible)
        return;
    random->c.locks = &lock;
    random->c.lock_count = 1;
    same_plan_or_fail(&random->c, free_plan, solve_or_fail(&random->c, arena, seed), 0, seed);
    random->c.lock_count = 0;
    random->c.current_anchor = free_plan->anchor + (int32_t)(seed % 5 - 2) * random->c.cycle_days;
    same_plan_or_fail(&random->c, free_plan, solve_or_fail(&random->c, arena, seed), 0, seed);
}

static void locking_the_found_anchor_reproduces_the_plan(void **state)
{
    (void)state;
    for_each_case(&mixed, check_lock);
}

/* What the day brings: fills of `today` are made, a dose is taken where one is due. */
static void live_a_day(struct oracle_case *random, const struct sync_plan *plan)
{
    struct sync_case *c = &random->c;
    for (size_t i = 0; i < c->rx_count; i++) {
        struct sync_rx *rx = &random->rx[i];
        for (size_t k = 0; k < plan->fill_count; k++) {
            const struct sync_fill *fill = &plan->fills[k];
            if (fill->date != c->today || strcmp(fill->id, rx->id) != 0)
                continue;
            rx->on_hand_units += (int32_t)fill->qty;
            rx->last_fill = c->today;
            rx->days_supply = fill->days;
            rx->override_granted = false;
        }
        bool due = rx->start == CIVIL_DAY_NONE || rx->start <= c->today;
        if (due && rx->on_hand_units >= rx->units_per_day)
            rx->on_hand_units -= rx->units_per_day;
    }
    c->today++;
    c->horizon_days--;
}

/* Solves again tomorrow with the anchor locked: what was planned from then on still is. */
static void check_next_day(struct oracle_case *random, struct arena *arena, unsigned seed)
{
    random->c.horizon_days += 20;
    for (size_t i = 0; i < random->c.rx_count; i++)
        random->rx[i].fills_left = random->rx[i].qty_left = SYNC_NONE;
    struct sync_plan *plan = solve_or_fail(&random->c, arena, seed);
    for (int days = 0; days < 10 && plan->feasible; days++) {
        bool fills_today = plan->fill_count > 0 && plan->fills[0].date == random->c.today;
        bool packs = false;
        for (size_t i = 0; i < random->c.rx_count; i++)
            packs = packs || random->rx[i].pack_days != SYNC_NONE;
        if (packs && fills_today)
            return; /* a pack may carry over more than the cap allows when it is solved again: rule P3 */
        random->c.current_anchor = plan->anchor;
        live_a_day(random, plan);
        struct sync_plan *next = solve_or_fail(&random->c, arena, seed);
        size_t past = 0;
        while (past < plan->fill_count && plan->fills[past].date < random->c.today)
            past++;
        bool same = next->feasible && plan->fill_count - past == next->fill_count &&
                    (next->anchor - plan->anchor) % random->c.cycle_days == 0;
        for (size_t i = 0; same && i < next->fill_count; i++)
            same = next->fills[i].date == plan->fills[past + i].date &&
                   next->fills[i].qty == plan->fills[past + i].qty &&
                   strcmp(next->fills[i].id, plan->fills[past + i].id) == 0;
        if (!same) {
            oracle_print(&random->c);
            fail_msg("seed %u: day %d has another plan", seed, days + 1);
        }
        plan = next;
    }
}

static void solving_again_on_the_next_days_reproduces_the_plan(void **state)
{
    (void)state;
    for_each_case(&splittable, check_next_day);
    for_each_case(&mixed, check_next_day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shifting_all_dates_shifts_the_plan),
        cmocka_unit_test(the_order_of_drugs_changes_nothing),
        cmocka_unit_test(adding_a_prn_drug_changes_nothing),
        cmocka_unit_test(a_higher_threshold_never_improves_the_objective),
        cmocka_unit_test(a_higher_carry_cap_never_worsens_the_objective),
        cmocka_unit_test(locking_the_found_anchor_reproduces_the_plan),
        cmocka_unit_test(solving_again_on_the_next_days_reproduces_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
