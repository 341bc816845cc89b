/* SPDX-License-Identifier: Apache-2.0 */
/* What a pharmacist may fix, what it costs, what is refused, and the reasons that a plan gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "scheduler/sync_explain.h"

struct desk {
    struct arena arena;
    struct sync_rx rx[4];
    struct sync_lock locks[4];
    struct sync_case c;
    struct sync_plan *plan;
    struct sync_explanation *why;
    struct error err;
};

static int32_t date(const char *text)
{
    int32_t day;
    assert_true(civil_parse(text, &day));
    return day;
}

/* A: runs out on 2027-03-21, the payer pays from 03-14. B: runs out on 03-06. Cycle 30 from 2027-03-01. */
static int desk_open(void **state)
{
    static struct desk desk;
    desk = (struct desk){0};
    arena_init(&desk.arena, 0);
    for (int i = 0; i < 4; i++)
        desk.rx[i] = (struct sync_rx){
            .id = (const char *const[]){"A", "B", "C", "D"}[i],
            .last_fill = date(i ? "2027-02-04" : "2027-02-19"),
            .days_supply = 30,
            .on_hand_units = i ? 5 : 20,
            .units_per_day = 1,
            .start = CIVIL_DAY_NONE,
            .usual_days = 30,
            .min_days = 1,
            .pack_days = SYNC_NONE,
            .pack_units = SYNC_NONE,
            .threshold_pct = 75,
            .prorated = true,
            .qty_left = SYNC_NONE,
            .fills_left = SYNC_NONE,
            .expires = CIVIL_DAY_NONE,
            .pa_expires = CIVIL_DAY_NONE,
        };
    desk.c = (struct sync_case){
        .id = "desk",
        .today = date("2027-03-01"),
        .cycle_days = 30,
        .horizon_days = 60,
        .current_anchor = CIVIL_DAY_NONE,
        .max_carry_days = 10,
        .renewal_lead_days = 7,
        .pa_lead_days = 14,
        .rx = desk.rx,
        .rx_count = 2,
        .locks = desk.locks,
    };
    *state = &desk;
    return 0;
}

static int desk_close(void **state)
{
    struct desk *desk = *state;
    arena_finish(&desk->arena);
    return 0;
}

static void lock_add(struct desk *desk, enum sync_lock_kind kind, const char *id, const char *day,
                     int32_t units)
{
    desk->locks[desk->c.lock_count++] =
        (struct sync_lock){.kind = kind, .id = id, .date = day ? date(day) : CIVIL_DAY_NONE, .units = units};
}

static void plan_or_fail(struct desk *desk)
{
    if (sync_solve(&desk->c, &desk->arena, &desk->plan, &desk->err) ||
        sync_explain(&desk->c, desk->plan, &desk->arena, &desk->why, &desk->err))
        fail_msg("%s", desk->err.message);
}

static void refused_or_fail(struct desk *desk, const char *holds)
{
    assert_int_equal(sync_solve(&desk->c, &desk->arena, &desk->plan, &desk->err), E_INPUT);
    if (!strstr(desk->err.message, holds))
        fail_msg("\"%s\" does not say \"%s\"", desk->err.message, holds);
}

static void an_anchor_lock_moves_the_cycle_and_shows_its_cost(void **state)
{
    struct desk *desk = *state;
    lock_add(desk, SYNC_LOCK_ANCHOR, NULL, "2027-04-05", 0); /* the same cycle as 2027-03-06 */
    plan_or_fail(desk);
    assert_int_equal(desk->plan->anchor, date("2027-03-06"));
    assert_true(desk->plan->anchor_fixed);
    assert_int_equal(desk->why->lock_count, 1);
    /* Free, the anchor is 03-21 with B short; locked, A is short and all is in step one anchor later. */
    assert_true(desk->why->locks[0].without.feasible);
    assert_int_equal(desk->why->locks[0].without.term, SYNC_ANCHORS_UNTIL_SYNC);
    assert_int_equal(desk->why->locks[0].without.difference, -1);
    assert_int_equal(desk->why->phase_count, 30);
}

static void a_fill_lock_fixes_the_date_of_the_next_fill(void **state)
{
    struct desk *desk = *state;
    lock_add(desk, SYNC_LOCK_FILL, "B", "2027-03-04", 0);
    plan_or_fail(desk);
    assert_int_equal(desk->plan->fills[0].date, date("2027-03-04"));
    assert_string_equal(desk->plan->fills[0].id, "B");
    assert_int_equal(desk->plan->fills[0].days, 15); /* still from the run-out, 03-06, to 03-21 */
    assert_true(desk->why->locks[0].without.equal);  /* only "as late as possible" was lost */
    assert_int_equal(desk->why->drugs[1].fills[0].date_by, SYNC_BY_LOCK);
}

static void a_fill_lock_after_the_run_out_costs_a_gap(void **state)
{
    struct desk *desk = *state;
    lock_add(desk, SYNC_LOCK_FILL, "B", "2027-03-08", 0);
    plan_or_fail(desk);
    assert_int_equal(desk->plan->objective.term[SYNC_GAP_DAYS], 2);
    assert_int_equal(desk->why->locks[0].without.term, SYNC_GAP_DAYS);
    assert_int_equal(desk->why->locks[0].without.difference, -2);
    assert_int_equal(desk->plan->override_count, 0); /* the payer is not the reason */
}

static void a_quantity_lock_fixes_the_days_of_the_next_fill(void **state)
{
    struct desk *desk = *state;
    lock_add(desk, SYNC_LOCK_QTY, "B", NULL, 12);
    plan_or_fail(desk);
    assert_string_equal(desk->plan->fills[0].id, "B");
    assert_int_equal(desk->plan->fills[0].qty, 12);
    assert_int_equal(desk->why->drugs[1].fills[0].days_by, SYNC_BY_LOCK);
    assert_true(desk->plan->anchor >= date("2027-03-14"));
}

static void a_quantity_that_ends_before_the_next_anchor_cannot_be_an_anchor_fill(void **state)
{
    struct desk *desk = *state;
    desk->c.rx_count = 1;
    desk->c.current_anchor = date("2027-03-21");
    lock_add(desk, SYNC_LOCK_QTY, "A", NULL, 10);
    plan_or_fail(desk);
    assert_false(desk->plan->feasible);
    assert_string_equal(desk->plan->blocked_by, "A");
    assert_true(desk->why->locks[0].without.feasible);
}

/* Hazard H10. */
static void locks_that_the_payer_or_the_rules_forbid_are_refused(void **state)
{
    struct desk *desk = *state;
    static const struct {
        enum sync_lock_kind kind;
        const char *id, *day;
        int32_t units;
        const char *holds;
    } bad[] = {
        {SYNC_LOCK_FILL, "A", "2027-03-13", 0, "pays again from 2027-03-14"},
        {SYNC_LOCK_FILL, "A", "2027-02-28", 0, "before today"},
        {SYNC_LOCK_FILL, "Z", "2027-03-14", 0, "rx Z is not in case desk"},
        {SYNC_LOCK_FILL, "A", "2099-01-01", 0, "more than 3660 days"},
        {SYNC_LOCK_FILL, "C", "2027-03-14", 0, "PRN"},
        {SYNC_LOCK_QTY, "A", NULL, 31, "at most 30"},
        {SYNC_LOCK_QTY, "A", NULL, 0, "not a whole number of days"},
        {SYNC_LOCK_QTY, "B", NULL, 2, "at least 5"},
        {SYNC_LOCK_QTY, "D", NULL, 5, "not a whole number of packs"},
    };
    desk->c.rx_count = 4;
    desk->rx[1].min_days = 5;
    desk->rx[2].prn = true;
    desk->rx[3].pack_days = 30;
    desk->rx[3].pack_units = 2;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        desk->c.lock_count = 0;
        lock_add(desk, bad[i].kind, bad[i].id, bad[i].day, bad[i].units);
        refused_or_fail(desk, bad[i].holds);
    }
    desk->c.lock_count = 0;
    lock_add(desk, SYNC_LOCK_FILL, "B", "2027-03-04", 0);
    lock_add(desk, SYNC_LOCK_FILL, "B", "2027-03-05", 0);
    refused_or_fail(desk, "given twice");
}

static void reasons_name_what_binds(void **state)
{
    struct desk *desk = *state;
    plan_or_fail(desk);
    /* A at its run-out, B short from its run-out to the anchor. */
    assert_int_equal(desk->why->drugs[0].fills[0].date_by, SYNC_BY_DUE);
    assert_int_equal(desk->why->drugs[1].fills[0].date_by, SYNC_BY_DUE);
    assert_int_equal(desk->why->drugs[1].fills[0].days_by, SYNC_BY_TO_ANCHOR);
    assert_int_equal(desk->why->drugs[1].fills[1].date_by, SYNC_BY_FIXED_ANCHOR);
    /* Instead of 15 days: a full fill of B would need the anchor where A is short. */
    const struct sync_drug_reason *b = &desk->why->drugs[1];
    assert_int_equal(b->others[0].kind, SYNC_OTHER_FULL);
    assert_true(b->others[0].result.feasible);
    assert_int_equal(b->others[0].result.term, SYNC_ANCHORS_UNTIL_SYNC);
    assert_int_equal(b->others[1].kind, SYNC_OTHER_ANCHOR);
    assert_int_equal(b->others[1].date, date("2027-03-06"));
    assert_true(desk->why->shipments_after <= desk->why->shipments_before);
}

static void a_payer_who_refuses_and_a_new_start_are_named(void **state)
{
    struct desk *desk = *state;
    desk->rx[0].on_hand_units = 6;
    desk->rx[1].last_fill = CIVIL_DAY_NONE;
    desk->rx[1].days_supply = SYNC_NONE;
    desk->rx[1].on_hand_units = 0;
    desk->rx[1].start = date("2027-03-10");
    plan_or_fail(desk);
    assert_int_equal(desk->why->drugs[0].fills[0].date_by, SYNC_BY_PAYER_DATE);
    assert_int_equal(desk->why->drugs[1].fills[0].date_by, SYNC_BY_NEW_START);
    assert_int_equal(desk->plan->override_count, 1);
}

static void authority_ends_and_later_fills_are_conditional(void **state)
{
    struct desk *desk = *state;
    desk->rx[0].fills_left = 1;
    desk->rx[1].qty_left = 40;
    desk->rx[1].pa_expires = date("2027-03-10");
    plan_or_fail(desk);
    assert_int_equal(desk->plan->renewal_count, 2);
    assert_int_equal(desk->plan->renewals[0].reason, SYNC_ASK_FILLS);
    assert_int_equal(desk->plan->renewals[0].needed_by, date("2027-04-20"));
    assert_int_equal(desk->plan->renewals[0].request_on, date("2027-04-13"));
    assert_int_equal(desk->plan->renewals[1].reason, SYNC_ASK_QTY); /* 15 covered, 25 left, 30 needed */
    assert_int_equal(desk->plan->renewals[1].needed_by, date("2027-03-21"));
    assert_int_equal(desk->plan->drugs[1].qty_left, 25);
    assert_false(desk->plan->drugs[1].fills[0].conditional);
    assert_true(desk->plan->drugs[1].fills[1].conditional);
    assert_true(desk->plan->drugs[1].fills[2].conditional);
    assert_int_equal(desk->plan->pa_request_count, 1);
    assert_int_equal(desk->plan->pa_requests[0].needed_by, date("2027-03-21"));
    assert_int_equal(desk->plan->pa_requests[0].request_on, date("2027-03-07"));
}

static void a_case_without_a_possible_anchor_says_who_blocks(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 2; i++) {
        desk->rx[i].pack_days = 30;
        desk->rx[i].pack_units = 1;
    }
    /* Packs of one cycle: A can only join from 03-07 to 03-14, B from 03-21 to 03-31. */
    desk->rx[0].on_hand_units = 10;
    desk->rx[1].on_hand_units = 0;
    plan_or_fail(desk);
    assert_false(desk->plan->feasible);
    assert_int_equal(desk->plan->fill_count, 0);
    assert_non_null(desk->plan->blocked_by);
    for (size_t i = 0; i < desk->why->phase_count; i++)
        assert_non_null(desk->why->phases[i].blocked_by);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(an_anchor_lock_moves_the_cycle_and_shows_its_cost),
        DESK_TEST(a_fill_lock_fixes_the_date_of_the_next_fill),
        DESK_TEST(a_fill_lock_after_the_run_out_costs_a_gap),
        DESK_TEST(a_quantity_lock_fixes_the_days_of_the_next_fill),
        DESK_TEST(a_quantity_that_ends_before_the_next_anchor_cannot_be_an_anchor_fill),
        DESK_TEST(locks_that_the_payer_or_the_rules_forbid_are_refused),
        DESK_TEST(reasons_name_what_binds),
        DESK_TEST(a_payer_who_refuses_and_a_new_start_are_named),
        DESK_TEST(authority_ends_and_later_fills_are_conditional),
        DESK_TEST(a_case_without_a_possible_anchor_says_who_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
