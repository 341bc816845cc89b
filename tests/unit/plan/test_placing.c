/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between a wrong plan and the store: the plan is broken in each way that is listed here, once
 * for each place where that can be done, and one of the checks must say no.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/build.h"
#include "controller/plan/compose.h"
#include "controller/plan/conserve.h"
#include "controller/plan/input.h"
#include "controller/plan/placing.h"
#include "controller/plan/plan_text.h"
#include "scheduler/legality.h"
#include "scheduler/slots.h"
#include "tests/support/clinic.h"

enum { DAYS = 4, START = 20780 };

static struct clinic clinic;
static struct arena arena;
static struct input input;
static struct proposal *proposal;
static struct slots_result *result;
static struct plan_text good;

/* Two tablets in the morning and one at night, a drug between them, one on some days, one near another. */
static int setup(void **state)
{
    (void)state;
    struct error err = {0};
    clinic_init(&clinic, "", NULL);
    arena_init(&arena, 0);
    int64_t patient = clinic_patient(&clinic, "p1", "Ann Example");
    clinic_product(&clinic, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    clinic_product(&clinic, "CALC", "Calcium carbonate 500 mg tablet", "calcium carbonate");
    clinic_product(&clinic, "LEVO", "Levothyroxine 50 ug tablet", "levothyroxine");
    clinic_product(&clinic, "PARA", "Paracetamol 500 mg tablet", "paracetamol");
    struct reading uneven = clinic_daily(2, 2000), once = clinic_daily(1, 1000),
                   twice = clinic_daily(2, 1500);
    uneven.phases[0].doses[1].amount_milli = 1000;
    struct reading some = clinic_daily(1, 500);
    some.phases[0].every_days = 2;
    clinic_order(&clinic, patient, "o1", "PARA", &uneven);
    clinic_order(&clinic, patient, "o2", "LEVO", &once);
    clinic_order(&clinic, patient, "o3", "CALC", &twice);
    clinic_order(&clinic, patient, "o4", "AMLO", &some);
    if (input_load(clinic.store, clinic.policy, patient, &arena, &input, &err) < 0 ||
        compose(clinic.policy, &input, START, DAYS, &arena, &proposal, &err) < 0 ||
        slots_solve(proposal->regimen, NULL, &arena, &result, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(result->has_schedule);
    const struct build build = {.policy = clinic.policy,
                                .input = &input,
                                .proposal = proposal,
                                .result = result,
                                .start_day = START,
                                .days = DAYS,
                                .version = 1};
    if (build_plan(&build, &arena, &good, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_finish(&arena);
    clinic_finish(&clinic);
    return 0;
}

/* The looks that a plan passes before it is stored. */
static int looks(const struct plan_text *plan)
{
    struct buf text;
    buf_init(&text);
    int status = legality_check(proposal->regimen, result->times, result->dose_count, NULL);
    if (status == 0)
        status = conserve_check(plan, &input, NULL);
    if (status == 0)
        status = placing_check(plan, &input, proposal, result, NULL);
    if (status == 0)
        status = plan_text_write(plan, &text, NULL);
    buf_finish(&text);
    return status;
}

/* A copy with arrays of its own. */
struct copy {
    struct plan_text plan;
    struct plan_order orders[8];
    struct plan_slot slots[8];
    struct plan_take takes[16];
    struct plan_pouch pouches[64];
    struct plan_item items[64][8];
    struct plan_total totals[8];
    struct plan_product products[8];
};

static struct copy copied(void)
{
    static struct copy c;
    c.plan = good;
    assert_true(good.order_count <= 8 && good.slot_count <= 8 && good.take_count <= 15 &&
                good.pouch_count < 63);
    memcpy(c.orders, good.orders, good.order_count * sizeof *c.orders);
    memcpy(c.slots, good.slots, good.slot_count * sizeof *c.slots);
    memcpy(c.takes, good.takes, good.take_count * sizeof *c.takes);
    memcpy(c.totals, good.totals, good.total_count * sizeof *c.totals);
    memcpy(c.products, good.products, good.product_count * sizeof *c.products);
    for (size_t i = 0; i < good.pouch_count; i++) {
        c.pouches[i] = good.pouches[i];
        assert_true(good.pouches[i].item_count < 8);
        memcpy(c.items[i], good.pouches[i].items, good.pouches[i].item_count * sizeof *c.items[i]);
    }
    return c;
}

/* After copying by value the pointers must lead into this copy. */
static void aim(struct copy *c)
{
    c->plan.orders = c->orders;
    c->plan.slots = c->slots;
    c->plan.takes = c->takes;
    c->plan.pouches = c->pouches;
    c->plan.totals = c->totals;
    c->plan.products = c->products;
    for (size_t i = 0; i < 64; i++)
        c->pouches[i].items = c->items[i];
}

/* Breaks place `at`; false: there is no such place. */
typedef bool breaker(struct copy *c, size_t at);

static bool take_amount_up(struct copy *c, size_t at)
{
    if (at >= c->plan.take_count)
        return false;
    c->takes[at].amount_milli += 500;
    return true;
}

static bool take_to_the_next_slot(struct copy *c, size_t at)
{
    if (at >= c->plan.take_count)
        return false;
    c->takes[at].slot = c->takes[at].slot % (int)c->plan.slot_count + 1;
    return true;
}

static bool take_dropped(struct copy *c, size_t at)
{
    if (at >= c->plan.take_count)
        return false;
    memmove(&c->takes[at], &c->takes[at + 1], (--c->plan.take_count - at) * sizeof *c->takes);
    return true;
}

static bool take_doubled(struct copy *c, size_t at)
{
    if (at >= c->plan.take_count)
        return false;
    memmove(&c->takes[at + 1], &c->takes[at], (c->plan.take_count++ - at) * sizeof *c->takes);
    return true;
}

static bool take_of_another_order(struct copy *c, size_t at)
{
    if (at + 1 >= c->plan.take_count || c->takes[at].order_id == c->takes[at + 1].order_id)
        return at + 1 < c->plan.take_count && take_dropped(c, at);
    c->takes[at].order_id = c->takes[at + 1].order_id;
    return true;
}

static bool take_ends_a_day_early(struct copy *c, size_t at)
{
    if (at >= c->plan.take_count)
        return false;
    c->takes[at].pattern.last_day--;
    return true;
}

static bool take_on_other_weekdays(struct copy *c, size_t at)
{
    if (at >= c->plan.take_count)
        return false;
    c->takes[at].pattern.weekdays = 0x55;
    return true;
}

static bool slot_a_quarter_later(struct copy *c, size_t at)
{
    if (at >= c->plan.slot_count)
        return false;
    c->slots[at].minute += 15;
    return true;
}

static bool pouch_dropped(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    for (size_t i = at; i + 1 < c->plan.pouch_count; i++) {
        c->pouches[i] = c->pouches[i + 1];
        c->pouches[i].number = (int)i + 1;
    }
    c->plan.pouch_count--;
    return true;
}

static bool pouch_doubled(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    for (size_t i = c->plan.pouch_count; i > at; i--) {
        c->pouches[i] = c->pouches[i - 1];
        c->pouches[i].number = (int)i + 1;
    }
    c->plan.pouch_count++;
    return true;
}

static bool pouch_on_the_next_day(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    c->pouches[at].day++;
    return true;
}

static bool pouch_at_another_time(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    for (size_t s = 0; s < c->plan.slot_count; s++) {
        if (c->slots[s].minute == c->pouches[at].minute) {
            c->pouches[at].minute = c->slots[(s + 1) % c->plan.slot_count].minute;
            return true;
        }
    }
    return true;
}

static bool pouches_changed_places(struct copy *c, size_t at)
{
    if (at + 1 >= c->plan.pouch_count)
        return false;
    struct plan_item items[8];
    memcpy(items, c->items[at], sizeof items);
    memcpy(c->items[at], c->items[at + 1], sizeof items);
    memcpy(c->items[at + 1], items, sizeof items);
    size_t count = c->pouches[at].item_count;
    c->pouches[at].item_count = c->pouches[at + 1].item_count;
    c->pouches[at + 1].item_count = count;
    /* With the same content nothing is wrong: break it otherwise. */
    if (count == c->pouches[at].item_count && memcmp(c->items[at], items, count * sizeof *items) == 0)
        c->items[at][0].count++;
    return true;
}

static bool item_dropped(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    c->pouches[at].item_count--;
    return true;
}

static bool item_counted_up(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    c->items[at][0].count++;
    return true;
}

static bool item_of_another_product(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    const char *code = c->items[at][0].code;
    c->items[at][0].code = strcmp(code, "AMLO") == 0 ? "PARA" : "AMLO";
    return true;
}

static bool item_half_for_whole(struct copy *c, size_t at)
{
    if (at >= c->plan.pouch_count)
        return false;
    c->items[at][0].piece = c->items[at][0].piece == ROLL_HALF ? ROLL_WHOLE : ROLL_HALF;
    return true;
}

static bool total_changed(struct copy *c, size_t at)
{
    if (at >= c->plan.total_count)
        return false;
    c->totals[at].whole++;
    return true;
}

static bool order_left_out(struct copy *c, size_t at)
{
    if (at >= c->plan.order_count)
        return false;
    c->orders[at].state = PLAN_APART;
    c->orders[at].reason = "forgotten";
    return true;
}

static bool order_of_another_product(struct copy *c, size_t at)
{
    if (at >= c->plan.order_count)
        return false;
    c->orders[at].product = strcmp(c->orders[at].product, "AMLO") == 0 ? "PARA" : "AMLO";
    return true;
}

static bool order_gone(struct copy *c, size_t at)
{
    if (at >= c->plan.order_count)
        return false;
    memmove(&c->orders[at], &c->orders[at + 1], (--c->plan.order_count - at) * sizeof *c->orders);
    return true;
}

static void each_break_of_a_plan_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        breaker *apply;
    } breaks[] = {
#define BREAK(function) {#function, function}
        BREAK(take_amount_up),
        BREAK(take_to_the_next_slot),
        BREAK(take_dropped),
        BREAK(take_doubled),
        BREAK(take_of_another_order),
        BREAK(take_ends_a_day_early),
        BREAK(take_on_other_weekdays),
        BREAK(slot_a_quarter_later),
        BREAK(pouch_dropped),
        BREAK(pouch_doubled),
        BREAK(pouch_on_the_next_day),
        BREAK(pouch_at_another_time),
        BREAK(pouches_changed_places),
        BREAK(item_dropped),
        BREAK(item_counted_up),
        BREAK(item_of_another_product),
        BREAK(item_half_for_whole),
        BREAK(total_changed),
        BREAK(order_left_out),
        BREAK(order_of_another_product),
        BREAK(order_gone),
#undef BREAK
    };
    int broken = 0;
    struct copy whole = copied();
    aim(&whole);
    assert_int_equal(looks(&whole.plan), 0);
    for (size_t b = 0; b < sizeof breaks / sizeof *breaks; b++) {
        for (size_t at = 0;; at++) {
            struct copy c = copied();
            aim(&c);
            if (!breaks[b].apply(&c, at))
                break;
            broken++;
            if (looks(&c.plan) == 0)
                fail_msg("%s at %zu was not seen", breaks[b].name, at);
        }
    }
    print_message("%d broken plans in %zu ways\n", broken, sizeof breaks / sizeof *breaks);
    assert_true(broken > 150);
}

/* A layout that is wrong in itself and right in its sums: made from a schedule in which two doses have
 * changed places. Only the look at the places sees it. */
static void doses_that_changed_places_are_seen(void **state)
{
    (void)state;
    int seen = 0;
    for (size_t a = 0; a < result->dose_count; a++) {
        for (size_t b = a + 1; b < result->dose_count; b++) {
            int times[REGIMEN_DOSES_MAX];
            struct slots_result wrong = *result;
            struct plan_text plan;
            size_t dose_a, dose_b;
            size_t drug_a = slots_drug_of(proposal->regimen, a, &dose_a);
            size_t drug_b = slots_drug_of(proposal->regimen, b, &dose_b);
            const struct regimen_drug *drug = &proposal->regimen->drugs[drug_a];
            bool alike =
                drug_a == drug_b && drug->doses[dose_a].pills_milli == drug->doses[dose_b].pills_milli;
            if (result->times[a] == result->times[b] || alike)
                continue; /* nobody could tell */
            memcpy(times, result->times, result->dose_count * sizeof *times);
            times[a] = result->times[b];
            times[b] = result->times[a];
            wrong.times = times;
            const struct build build = {.policy = clinic.policy,
                                        .input = &input,
                                        .proposal = proposal,
                                        .result = &wrong,
                                        .start_day = START,
                                        .days = DAYS,
                                        .version = 1};
            assert_int_equal(build_plan(&build, &arena, &plan, NULL), 0);
            assert_int_equal(conserve_check(&plan, &input, NULL), 0); /* each day has its pieces */
            assert_int_equal(placing_check(&plan, &input, proposal, result, NULL), E_INPUT);
            seen++;
        }
    }
    assert_true(seen >= 8);
}

/* Each dose moved to each other time of the day: the schedule is refused, or it keeps every rule that is
 * written here a second time. */
static void moved_doses_break_a_rule_or_none(void **state)
{
    (void)state;
    const struct regimen *r = proposal->regimen;
    int refused = 0, kept = 0;
    for (size_t d = 0; d < result->dose_count; d++) {
        for (int t = 0; t < REGIMEN_DAY; t += r->grid) {
            int times[REGIMEN_DOSES_MAX];
            bool legal = true;
            memcpy(times, result->times, result->dose_count * sizeof *times);
            times[d] = t;
            for (size_t x = 0; x < r->drug_count; x++) {
                const struct regimen_drug *drug = &r->drugs[x];
                const int *own = times + slots_first_dose(r, x);
                int night = own[0] + REGIMEN_DAY - own[drug->dose_count - 1];
                for (size_t k = 0; k < drug->dose_count; k++) {
                    bool in = false;
                    for (size_t i = 0; i < drug->doses[k].allowed.count; i++)
                        in |= own[k] >= drug->doses[k].allowed.item[i].from &&
                              own[k] <= drug->doses[k].allowed.item[i].to;
                    int gap = k ? own[k] - own[k - 1] : REGIMEN_DAY;
                    legal &= in && gap > 0 && (k == 0 || gap >= drug->gap_min) &&
                             (k == 0 || drug->gap_max == REGIMEN_NONE || gap <= drug->gap_max);
                }
                bool nightly = drug->days.word[0] & (drug->days.word[0] >> 1 | (r->period_days == 1));
                legal &= !nightly || (night >= drug->overnight_min &&
                                      (drug->overnight_max == REGIMEN_NONE || night <= drug->overnight_max));
            }
            for (size_t s = 0; s < r->separation_count; s++) {
                const struct regimen_separation *sep = &r->separations[s];
                for (size_t i = 0; i < r->drugs[sep->a].dose_count; i++) {
                    for (size_t k = 0; k < r->drugs[sep->b].dose_count; k++) {
                        for (int o = -REGIMEN_DAY; o <= REGIMEN_DAY; o += REGIMEN_DAY) {
                            int apart = times[slots_first_dose(r, sep->b) + k] + o -
                                        times[slots_first_dose(r, sep->a) + i];
                            legal &= apart == 0  ? false
                                     : apart > 0 ? apart >= sep->after
                                                 : -apart >= sep->before;
                        }
                    }
                }
            }
            int status = legality_check(r, times, result->dose_count, NULL);
            if ((status == 0) != legal)
                fail_msg("dose %zu at minute %d: %s", d, t, legal ? "refused" : "taken");
            refused += status < 0;
            kept += status == 0;
        }
    }
    print_message("%d refused, %d keep every rule\n", refused, kept);
    assert_true(refused > 100 && kept > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_break_of_a_plan_is_seen),
        cmocka_unit_test(doses_that_changed_places_are_seen),
        cmocka_unit_test(moved_doses_break_a_rule_or_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
