/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random orders against the calendar. Each order is made twice at once: as a reading, and as a plain list of
 * dates with amounts that is written down day by day while the reading is made up. What comes out of the
 * planner must be that list, whatever way it went.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/plan/build.h"
#include "controller/plan/compose.h"
#include "controller/plan/conserve.h"
#include "controller/plan/input.h"
#include "controller/plan/plan_text.h"
#include "controller/plan/policy.h"
#include "scheduler/legality.h"
#include "scheduler/slots.h"

enum { ORDERS = 4, SPAN = 160, ROUNDS = 3000, DAYS_MAX = 28, LEAD = 40 };

struct made_up {
    struct input input;
    struct input_order orders[ORDERS];
    struct product products[ORDERS];
    struct reading readings[ORDERS];
    char ids[ORDERS][8];
    int64_t truth[ORDERS][SPAN]; /* milli-pieces on start_day - LEAD + index, by civil date */
    int32_t start_day;
    int days;
};

static struct conf *site, *timing, *packing, *jurisdiction;
static struct policy *policy;

static int setup(void **state)
{
    (void)state;
    char path[512];
    struct error err = {0};
    static const char text[] = "format: sachet-site/1\npharmacy: {name: My Pharmacy, phone: 555 0100}\n";
    assert_int_equal(conf_parse(&conf_site, "site.yaml", text, strlen(text), &site, &err), 0);
    assert_int_equal(paths_data("rules/timing.yaml", path, sizeof path, &err), 0);
    assert_int_equal(conf_load(&conf_timing, path, &timing, &err), 0);
    assert_int_equal(paths_data("rules/packing.yaml", path, sizeof path, &err), 0);
    assert_int_equal(conf_load(&conf_packing, path, &packing, &err), 0);
    assert_int_equal(paths_data("rules/jurisdiction.yaml", path, sizeof path, &err), 0);
    assert_int_equal(conf_load(&conf_jurisdiction, path, &jurisdiction, &err), 0);
    assert_int_equal(policy_create(site, timing, packing, jurisdiction, &policy, &err), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    policy_destroy(policy);
    conf_destroy(jurisdiction);
    conf_destroy(packing);
    conf_destroy(timing);
    conf_destroy(site);
    return 0;
}

/* Doses of a phase and their sum. Clock times may lie after midnight. */
static int64_t random_doses(struct rng *rng, struct reading_phase *phase)
{
    static const enum reading_when words[] = {READING_MORN, READING_NOON, READING_EVE, READING_HS,
                                              READING_CM};
    int64_t sum = 0;
    uint32_t kind = rng_below(rng, 4);
    phase->dose_count = kind == 2 ? 1 : 1 + (int)rng_below(rng, 3);
    for (int i = 0; i < phase->dose_count; i++) {
        struct reading_dose *dose = &phase->doses[i];
        dose->amount_milli = 500 * (1 + (int64_t)rng_below(rng, 5));
        if (kind == 1) {
            dose->when = READING_CLOCK;
            dose->minute = i * 480 + 15 * (int)rng_below(rng, 20);
        } else if (kind == 2) {
            dose->when = words[rng_below(rng, 5)];
        } else if (kind == 3 && phase->dose_count > 1) {
            dose->when = READING_INTERVAL;
            phase->interval_min = 1440 / phase->dose_count;
        }
        sum += dose->amount_milli;
    }
    return sum;
}

/* One phase with its days written down from `from` on; returns the day after it. */
static int32_t random_phase(struct rng *rng, struct made_up *m, int order, struct reading_phase *phase,
                            int32_t from, bool last)
{
    int64_t sum = random_doses(rng, phase);
    uint32_t days = rng_below(rng, 4);
    phase->every_days = days == 1 ? 2 + (int)rng_below(rng, 3) : 1;
    phase->weekdays = days == 2 ? 1 + rng_below(rng, 127) : 0;
    int length = 1 + (int)rng_below(rng, 25);
    bool open = last && rng_below(rng, 2);
    phase->length_days = open ? 0 : length;
    phase->end_day = CIVIL_DAY_NONE;
    if (!open && rng_below(rng, 3) == 0) { /* the same end, said as a date */
        phase->length_days = 0;
        phase->end_day = from + length - 1;
    }
    int32_t end = open ? m->start_day - LEAD + SPAN : from + length;
    int counter = 0;
    for (int32_t day = from; day < end; day++) {
        bool on = phase->weekdays ? phase->weekdays >> civil_weekday(day) & 1 : counter == 0;
        counter = (counter + 1) % phase->every_days;
        int index = day - (m->start_day - LEAD);
        if (on && index >= 0 && index < SPAN)
            m->truth[order][index] += sum;
    }
    return end;
}

static void random_order(struct rng *rng, struct made_up *m, int i)
{
    struct reading *reading = &m->readings[i];
    int phases = 1 + (int)rng_below(rng, 3);
    bool dated = rng_below(rng, 2);
    int32_t day = dated ? m->start_day - 20 + (int32_t)rng_below(rng, 40) : m->start_day;
    memset(reading, 0, sizeof *reading);
    reading->phase_count = phases;
    for (int p = 0; p < phases; p++) {
        struct reading_phase *phase = &reading->phases[p];
        phase->group = p + 1;
        phase->start_day = dated && p == 0 ? day : CIVIL_DAY_NONE;
        day = random_phase(rng, m, i, phase, day, p + 1 == phases);
    }
    struct product *product = &m->products[i];
    *product = (struct product){.packable = PRODUCT_PACKABLE_YES, .halves = true};
    (void)snprintf(product->code, sizeof product->code, "P%d", i);
    (void)snprintf(product->name, sizeof product->name, "Product %d 5 mg tablet", i);
    (void)snprintf(product->ingredient, sizeof product->ingredient, "nothing%d", i);
    (void)snprintf(product->form, sizeof product->form, "tablet");
    (void)snprintf(m->ids[i], sizeof m->ids[i], "o%d", i);
    m->orders[i] = (struct input_order){.id = i + 1,
                                        .source_id = m->ids[i],
                                        .version = 1,
                                        .drug = product->name,
                                        .product_code = product->code,
                                        .product = product,
                                        .reading = reading,
                                        .reasons = ""};
}

static void random_patient(struct rng *rng, struct made_up *m)
{
    memset(m, 0, sizeof *m);
    m->start_day = 20000 + (int32_t)rng_below(rng, 3000);
    m->days = 1 + (int)rng_below(rng, DAYS_MAX);
    m->input = (struct input){.patient = 1,
                              .source_id = "p",
                              .name = "Ann Example",
                              .birth_day = CIVIL_DAY_NONE,
                              .day = policy->day,
                              .orders = m->orders,
                              .order_count = 1 + rng_below(rng, ORDERS)};
    for (size_t i = 0; i < m->input.order_count; i++)
        random_order(rng, m, (int)i);
}

/* The whole way but for the store; NULL when there is no schedule or nothing to pack. */
static struct plan_text *plan_or_fail(struct made_up *m, struct arena *arena)
{
    struct error err = {0};
    struct proposal *proposal;
    struct slots_result *result;
    struct plan_text plan, *parsed = NULL;
    const struct slots_options options = {.levels = 1, .node_budget = 20000, .no_conflict = true};
    if (compose(policy, &m->input, m->start_day, m->days, arena, &proposal, &err) < 0)
        fail_msg("%s", err.message);
    if (proposal->included == 0)
        return NULL;
    if (slots_solve(proposal->regimen, &options, arena, &result, &err) < 0)
        fail_msg("%s", err.message);
    if (!result->has_schedule)
        return NULL;
    const struct build build = {.policy = policy,
                                .input = &m->input,
                                .proposal = proposal,
                                .result = result,
                                .start_day = m->start_day,
                                .days = m->days,
                                .version = 1};
    struct buf text;
    buf_init(&text);
    if (legality_check(proposal->regimen, result->times, result->dose_count, &err) < 0 ||
        build_notes(&build, arena) < 0 || build_plan(&build, arena, &plan, &err) < 0 ||
        conserve_check(&plan, &m->input, &err) < 0 || plan_text_write(&plan, &text, &err) < 0 ||
        plan_text_parse(text.data, text.len, arena, &parsed, &err) < 0)
        fail_msg("%s", err.message);
    buf_finish(&text);
    return parsed;
}

static int64_t pouches_on(const struct plan_text *plan, const char *code, int32_t logical_day)
{
    int64_t sum = 0;
    for (size_t i = 0; i < plan->pouch_count; i++) {
        const struct plan_pouch *pouch = &plan->pouches[i];
        for (size_t k = 0; k < pouch->item_count; k++) {
            if (strcmp(pouch->items[k].code, code) == 0 &&
                pouch->day - (pouch->minute < plan->day_start) == logical_day)
                sum += pouch->items[k].count * (pouch->items[k].piece == ROLL_HALF ? 500 : 1000);
        }
    }
    return sum;
}

/* Every dose of the reading lies before or behind the day's start; a mix cannot be told by dates alone. */
static bool all_early(const struct reading *reading, bool early)
{
    for (int p = 0; p < reading->phase_count; p++) {
        for (int d = 0; d < reading->phases[p].dose_count; d++) {
            const struct reading_dose *dose = &reading->phases[p].doses[d];
            if ((dose->when == READING_CLOCK && dose->minute < policy->day.day_start) != early)
                return false;
        }
    }
    return true;
}

static void what_is_packed_is_what_the_calendar_says(void **state)
{
    (void)state;
    const uint64_t seed = 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct rng rng;
    rng_init(&rng, seed, 7);
    int compared = 0, orders = 0, empty = 0, early = 0;
    for (int round = 0; round < ROUNDS; round++) {
        static struct made_up m;
        struct arena arena;
        arena_init(&arena, 0);
        random_patient(&rng, &m);
        const struct plan_text *plan = plan_or_fail(&m, &arena);
        empty += !plan;
        for (size_t i = 0; plan && i < m.input.order_count; i++) {
            bool shifted = all_early(&m.readings[i], true);
            orders++;
            if (plan->orders[i].state != PLAN_INCLUDED || (!shifted && !all_early(&m.readings[i], false)))
                continue;
            for (int32_t day = m.start_day; day < m.start_day + m.days; day++) {
                int64_t want = m.truth[i][day + shifted - (m.start_day - LEAD)];
                int64_t have = pouches_on(plan, m.products[i].code, day);
                if (have != want)
                    fail_msg("round %d, order %zu, day %d: %lld instead of %lld", round, i, day - m.start_day,
                             (long long)have, (long long)want);
            }
            compared++;
            early += shifted;
        }
        arena_finish(&arena);
    }
    print_message("%d orders of %d compared, %d early, %d patients without a plan\n", compared, orders, early,
                  empty);
    assert_true(compared > ROUNDS && early > 10 && empty < ROUNDS / 3);
}

/* Hazard H9. */
static void the_second_count_sees_a_lost_or_moved_dose(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5, 7);
    int seen = 0;
    for (int round = 0; round < 60; round++) {
        static struct made_up m;
        struct arena arena;
        struct error err = {0};
        arena_init(&arena, 0);
        random_patient(&rng, &m);
        struct plan_text *plan = plan_or_fail(&m, &arena);
        if (plan && plan->pouch_count > 0) {
            assert_int_equal(conserve_check(plan, &m.input, &err), 0);
            struct plan_item *item = &((struct plan_item *)(uintptr_t)plan->pouches[0].items)[0];
            item->count++;
            assert_int_equal(conserve_check(plan, &m.input, &err), E_INPUT);
            item->count--;
            struct plan_pouch *pouch = &((struct plan_pouch *)(uintptr_t)plan->pouches)[0];
            pouch->day += 400;
            assert_int_equal(conserve_check(plan, &m.input, &err), E_INPUT);
            seen++;
        }
        arena_finish(&arena);
    }
    assert_true(seen > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_what_the_calendar_says),
        cmocka_unit_test(the_second_count_sees_a_lost_or_moved_dose),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
