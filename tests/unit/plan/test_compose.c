/* SPDX-License-Identifier: Apache-2.0 */
/* What the site's timing rules do to a plan, with rules made for the purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "tests/support/clinic.h"

static const char rules[] =
    "format: sachet-timing/1\n"
    "version: test\n"
    "clock_tolerance: 60 min\n"
    "per_day:\n"
    "  - {times: 1, windows: [{from: wake, to: bed}], as_written: ['08:00']}\n"
    "  - {times: 2, windows: [{from: wake, to: bed}], gap_min: 8 h, gap_max: 14 h, as_written: ['08:00', "
    "'20:00']}\n"
    "  - {times: 3, windows: [{from: wake, to: bed}], gap_min: 4 h, gap_max: 8 h,\n"
    "     as_written: ['08:00', '14:00', '20:00']}\n"
    "interval:\n"
    "  - {hours: 12, tolerance: 60 min, as_written: ['09:00', '21:00']}\n"
    "  - {hours: 6, tolerance: 30 min, night: true, as_written: ['06:00', '12:00', '18:00', '00:00']}\n"
    "when:\n"
    "  - {code: MORN, windows: [{from: wake, to: wake, to_offset: 2 h}], as_written: '08:30'}\n"
    "  - {code: HS, windows: [{from: bed, from_offset: -60 min, to: bed}], as_written: '22:00'}\n"
    "  - {code: CM, windows: [{from: breakfast, to: breakfast}], as_written: '07:45'}\n"
    "  - code: C\n"
    "    windows: [{from: breakfast, to: breakfast}, {from: lunch, to: lunch}, {from: dinner, to: dinner}]\n"
    "    as_written: '07:45'\n"
    "slots:\n"
    "  - {name: early day, from: '04:00', to: '11:59'}\n"
    "  - {name: LATE, from: '12:00', to: '03:59'}\n"
    "rules:\n"
    "  - {id: soft-evening, match: {ingredients: [soft]}, kind: window, windows: [{kind: evening}], "
    "severity: soft,\n"
    "     cost: 3, cite: none, state: to-check, text: Best in the evening.}\n"
    "  - {id: hard-bed, match: {ingredients: [bed]}, kind: window, windows: [{kind: bedtime, within: 0 "
    "min}],\n"
    "     severity: hard, cite: none, state: checked, text: At bedtime only.}\n"
    "  - {id: exact, match: {ingredients: [exact]}, kind: fixed, within: 0 min, severity: hard, cite: none,\n"
    "     state: to-check, text: Exactly then.}\n"
    "  - {id: gap-9h, match: {ingredients: [gap], times: 2}, kind: gap, gap_min: 9 h, gap_max: 9 h, "
    "severity: hard,\n"
    "     uneven: true, cite: none, state: to-check, text: Nine hours.}\n"
    "  - {id: weekly, match: {ingredients: [weekly]}, kind: calendar, every_days: 7, severity: hard, cite: "
    "none,\n"
    "     state: to-check, text: Once a week.}\n"
    "  - {id: never-both, match: {ingredients: [fire]}, other: {ingredients: [water]}, kind: avoid, "
    "severity: hard,\n"
    "     cite: none, state: to-check, text: Never together.}\n"
    "  - {id: apart-4h, match: {ingredients: [one]}, other: {ingredients: [two]}, kind: sep, after: 4 h, "
    "before: 4 h,\n"
    "     severity: hard, cite: none, state: to-check, text: Four hours apart.}\n"
    "  - {id: rather-2h, match: {ingredients: [soft]}, other: {ingredients: [loud]}, kind: sep, after: 2 h,\n"
    "     before: 2 h, severity: soft, cite: none, state: to-check, text: Rather two hours apart.}\n"
    "  - {id: say-it, match: {ingredients: [loud]}, kind: window, windows: [{kind: any}], severity: warn, "
    "cite: none,\n"
    "     state: to-check, text: Say this aloud.}\n";

struct fixture {
    struct clinic clinic;
    struct arena arena;
    int64_t patient;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic, "", rules);
    arena_init(&f->arena, 0);
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    static const char *const names[] = {"soft",  "bed", "exact", "gap",  "weekly", "fire",
                                        "water", "one", "two",   "loud", "plain",  "other"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        clinic_product(&f->clinic, names[i], names[i], names[i]);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_finish(&f->arena);
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static void order(struct fixture *f, const char *product, const struct reading *reading)
{
    clinic_order(&f->clinic, f->patient, product, product,
                 reading); /* the order's id is the product's code */
}

static struct reading word(enum reading_when when, int minute)
{
    struct reading reading = clinic_daily(1, 1000);
    reading.phases[0].doses[0].when = when;
    reading.phases[0].doses[0].minute = minute;
    return reading;
}

static const struct plan_text *plan(struct fixture *f, struct plan_made *ret_made)
{
    struct plan_row row;
    struct plan_text *text;
    *ret_made = clinic_plan(&f->clinic, f->patient, 14);
    if (ret_made->id == 0)
        fail_msg("no plan: %s", ret_made->why);
    assert_int_equal(plan_row_load(f->clinic.store, ret_made->id, &f->arena, &row, NULL), 0);
    assert_int_equal(plan_text_parse(row.bytes, row.len, &f->arena, &text, NULL), 0);
    return text;
}

static const struct plan_order *order_of(const struct plan_text *text, const char *id)
{
    for (size_t i = 0; i < text->order_count; i++) {
        if (strcmp(text->orders[i].source_id, id) == 0)
            return &text->orders[i];
    }
    fail_msg("no order %s", id);
    return NULL;
}

/* Clock minutes of an order's doses, in the order of the day; their number. */
static int minutes_of(const struct plan_text *text, const char *id, int minutes[8])
{
    int count = 0;
    for (size_t i = 0; i < text->take_count; i++) {
        if (text->takes[i].order_id == order_of(text, id)->id && count < 8)
            minutes[count++] = text->slots[text->takes[i].slot - 1].minute;
    }
    return count;
}

static int minute_of(const struct plan_text *text, const char *id)
{
    int minutes[8];
    assert_int_equal(minutes_of(text, id, minutes), 1);
    return minutes[0];
}

static bool noted(const struct plan_text *text, enum plan_note_kind kind, const char *part)
{
    for (size_t i = 0; i < text->note_count; i++) {
        if (text->notes[i].kind == kind && strstr(text->notes[i].text, part))
            return true;
    }
    return false;
}

static void an_orders_own_words_outrank_a_soft_rule(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading any = clinic_daily(1, 1000), morning = word(READING_MORN, 0);
    order(f, "soft", &any);
    assert_true(minute_of(plan(f, &made), "soft") >= 1020);
    order(f, "soft", &morning);
    const struct plan_text *text = plan(f, &made);
    assert_true(minute_of(text, "soft") <= 540);
    assert_true(noted(text, PLAN_WHY, "not used, because the order says when"));
    assert_true(noted(text, PLAN_WHY, ", unchecked; "));
}

static void a_soft_rule_gives_way_to_fewer_times_and_says_so(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading any = clinic_daily(1, 1000), morning = word(READING_MORN, 0);
    order(f, "soft", &any);
    order(f, "plain", &morning);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(made.times_planned, 1);
    assert_true(noted(text, PLAN_WARNING, "outside its preferred times"));
}

static void a_hard_rule_outranks_the_policy_but_not_the_order(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading any = clinic_daily(1, 1000), morning = word(READING_MORN, 0);
    order(f, "bed", &any);
    order(f, "plain", &any);
    assert_int_equal(minute_of(plan(f, &made), "bed"), 1320);
    order(f, "bed", &morning);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(order_of(text, "bed")->state, PLAN_WAITING);
    assert_non_null(strstr(order_of(text, "bed")->reason, "hard-bed"));
    assert_int_equal(made.waiting, 1);
}

static void clock_times_move_within_the_sites_hour_only_to_save_a_time(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading nine = word(READING_CLOCK, 540), half_past = word(READING_CLOCK, 510),
                   eleven = word(READING_CLOCK, 660);
    order(f, "plain", &nine);
    assert_int_equal(minute_of(plan(f, &made), "plain"), 540); /* alone it stays where the order has it */
    order(f, "other", &half_past);
    order(f, "one", &eleven);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(made.times_written, 3);
    assert_int_equal(made.times_planned, 2);
    assert_int_equal(minute_of(text, "plain"), minute_of(text, "other"));
    assert_int_equal(minute_of(text, "one"), 660);
    assert_true(noted(text, PLAN_WHY, "The order says"));
}

static void a_fixed_drug_does_not_move_and_a_finer_grid_is_made_for_it(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading odd = word(READING_CLOCK, 547), nine = word(READING_CLOCK, 540);
    order(f, "exact", &odd);
    order(f, "plain", &nine);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(minute_of(text, "exact"), 547);
    assert_int_equal(made.times_planned, 1); /* the other one comes to it */
    assert_int_equal(minute_of(text, "plain"), 547);
}

static void close_clock_times_stay_apart(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading pair = clinic_daily(2, 1000);
    pair.phases[0].doses[0] =
        (struct reading_dose){.amount_milli = 2000, .when = READING_CLOCK, .minute = 480};
    pair.phases[0].doses[1] =
        (struct reading_dose){.amount_milli = 1000, .when = READING_CLOCK, .minute = 540};
    struct reading nine = word(READING_CLOCK, 570);
    order(f, "plain", &pair);
    order(f, "other", &nine);
    int minutes[8];
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(minutes_of(text, "plain", minutes), 2);
    assert_true(minutes[1] - minutes[0] >= 30);
}

static void every_twelve_hours_is_not_twice_a_day(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading twelve = clinic_daily(2, 1000);
    twelve.phases[0].interval_min = 720;
    twelve.phases[0].doses[0].when = twelve.phases[0].doses[1].when = READING_INTERVAL;
    order(f, "plain", &twelve);
    int minutes[8];
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(minutes_of(text, "plain", minutes), 2);
    int gap = minutes[1] - minutes[0];
    assert_true(gap >= 660 && gap <= 780 && 1440 - gap >= 660 && 1440 - gap <= 780);
    assert_int_equal(made.times_written, 2);
}

static void every_six_hours_needs_the_night_and_says_so(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading six = clinic_daily(4, 1000);
    six.phases[0].interval_min = 360;
    for (int i = 0; i < 4; i++)
        six.phases[0].doses[i].when = READING_INTERVAL;
    order(f, "plain", &six);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(made.times_planned, 4);
    assert_true(noted(text, PLAN_WARNING, "between bed and getting up"));
    struct reading eight = six;
    eight.phases[0].dose_count = 3;
    eight.phases[0].interval_min = 480; /* the site's rules have no such interval */
    order(f, "plain", &eight);
    struct plan_made none = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(none.outcome, PLAN_EMPTY);
    assert_int_equal(none.waiting, 1);
}

static void a_gap_of_the_drug_replaces_the_policys(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading twice = clinic_daily(2, 1000);
    order(f, "gap", &twice);
    int minutes[8];
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(minutes_of(text, "gap", minutes), 2);
    assert_int_equal(minutes[1] - minutes[0], 540);
}

static void with_meals_twice_a_day_keeps_the_policys_gap(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading meals = clinic_daily(2, 1000);
    meals.phases[0].doses[0].when = meals.phases[0].doses[1].when = READING_C;
    order(f, "plain", &meals);
    int minutes[8];
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(minutes_of(text, "plain", minutes), 2);
    assert_int_equal(minutes[0], 480);  /* breakfast, not breakfast and lunch */
    assert_int_equal(minutes[1], 1080); /* dinner */
}

static void an_offset_counts_from_the_meal(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading before = word(READING_ACM, 0), after = word(READING_PCV, 0);
    before.phases[0].doses[0].offset_min = 45;
    after.phases[0].doses[0].offset_min = 90;
    order(f, "plain", &before);
    order(f, "other", &after);
    const struct plan_text *text = plan(f, &made);
    assert_true(minute_of(text, "plain") <= 435 && minute_of(text, "plain") >= 405);
    assert_true(minute_of(text, "other") >= 1170 && minute_of(text, "other") <= 1200);
    /* A word that the site's rules do not know is for the pharmacist. */
    struct reading noon = word(READING_NOON, 0);
    order(f, "other", &noon);
    text = plan(f, &made);
    assert_int_equal(order_of(text, "other")->state, PLAN_WAITING);
    assert_non_null(strstr(order_of(text, "other")->reason, "NOON"));
}

static void a_weekly_drug_every_day_is_stopped(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading daily = clinic_daily(1, 1000), weekly = clinic_daily(1, 1000),
                   twice = clinic_daily(1, 1000);
    weekly.phases[0].weekdays = 1;
    twice.phases[0].weekdays = 1 | 1 << 3;
    order(f, "plain", &daily);
    order(f, "weekly", &daily);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(order_of(text, "weekly")->state, PLAN_WAITING);
    order(f, "weekly", &twice);
    assert_int_equal(order_of(plan(f, &made), "weekly")->state, PLAN_WAITING);
    order(f, "weekly", &weekly);
    assert_int_equal(order_of(plan(f, &made), "weekly")->state, PLAN_INCLUDED);
}

static void drugs_that_must_not_meet_both_wait(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading once = clinic_daily(1, 1000);
    order(f, "fire", &once);
    order(f, "water", &once);
    order(f, "plain", &once);
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(order_of(text, "fire")->state, PLAN_WAITING);
    assert_int_equal(order_of(text, "water")->state, PLAN_WAITING);
    assert_int_equal(made.drugs, 1);
}

static void what_is_taken_as_needed_warns_about_its_distance(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading once = clinic_daily(1, 1000), needed = clinic_daily(1, 1000);
    needed.as_needed = true;
    order(f, "one", &once);
    order(f, "two", &needed);
    const struct plan_text *text = plan(f, &made);
    assert_true(noted(text, PLAN_WARNING,
                      "one with two, which is taken outside the pouches: Four hours apart. [rule "
                      "apart-4h, the second at least 240 minutes later or 240 earlier"));
    order(f, "two", &once); /* the other way round: what the rule is about is taken as needed */
    order(f, "one", &needed);
    text = plan(f, &made);
    assert_true(noted(text, PLAN_WARNING,
                      "one with two, the first of which is taken outside the pouches: Four hours"));
    order(f, "one", &once);
    text = plan(f, &made);
    assert_int_equal(made.times_planned, 2);
    assert_true(noted(text, PLAN_WHY, "Four hours apart."));
    int distance = minute_of(text, "one") - minute_of(text, "two");
    assert_true(distance >= 240 || distance <= -240);
}

static void a_soft_distance_warns_only_when_it_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading morning = word(READING_MORN, 0), bed = word(READING_HS, 0);
    order(f, "soft", &morning);
    order(f, "loud", &bed);
    const struct plan_text *text = plan(f, &made);
    assert_true(noted(text, PLAN_WHY, "preferred and kept: Rather two hours apart."));
    order(f, "loud", &morning);
    text = plan(f, &made);
    assert_int_equal(made.times_planned, 1);
    assert_true(noted(text, PLAN_WARNING, "NOT kept: Rather two hours apart."));
}

static void a_warning_rule_is_only_said(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading once = clinic_daily(1, 1000);
    order(f, "loud", &once);
    assert_true(noted(plan(f, &made), PLAN_WARNING, "Say this aloud."));
}

static void steps_of_a_taper_keep_their_time(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading taper = clinic_daily(1, 3000), twice = clinic_daily(2, 1000);
    taper.phase_count = 2;
    taper.phases[0].length_days = 5;
    taper.phases[1] = taper.phases[0];
    taper.phases[1].group = 2;
    taper.phases[1].doses[0].amount_milli = 1500;
    order(f, "plain", &taper);
    order(f, "other", &twice);
    int minutes[8];
    const struct plan_text *text = plan(f, &made);
    assert_int_equal(made.times_planned, 2);
    assert_int_equal(minutes_of(text, "plain", minutes), 2);
    assert_int_equal(minutes[0], minutes[1]);
}

static void as_written_counts_each_label_alone(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading twice = clinic_daily(2, 1000), twelve = clinic_daily(2, 1000), food = word(READING_CM, 0),
                   morning = word(READING_MORN, 0), bed = word(READING_HS, 0), once = clinic_daily(1, 1000);
    twelve.phases[0].interval_min = 720;
    twelve.phases[0].doses[0].when = twelve.phases[0].doses[1].when = READING_INTERVAL;
    order(f, "plain", &twice);  /* 08:00 20:00 */
    order(f, "other", &twelve); /* 09:00 21:00 */
    order(f, "one", &food);     /* 07:45 */
    order(f, "fire", &morning); /* 08:30 */
    order(f, "exact", &bed);    /* 22:00 */
    order(f, "loud", &once);    /* 08:00 again */
    (void)plan(f, &made);
    assert_int_equal(made.times_written, 7);
    assert_int_equal(made.times_planned, 2); /* 08:00 and 21:00 do for all of them */
}

static void slot_names_fit_plans_and_labels(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct reading morning = word(READING_MORN, 0);
    order(f, "plain", &morning);
    const struct plan_text *text = plan(f, &made);
    assert_string_equal(text->slots[0].name, "EARLY-DAY");
    assert_non_null(strstr(text->pouches[0].label, "EARLY-DAY 7"));
}

static void the_same_patient_gives_the_same_bytes(void **state)
{
    (void)state;
    char *texts[2];
    for (int i = 0; i < 2; i++) {
        struct fixture *f;
        struct plan_made made;
        struct plan_row row;
        struct reading twice = clinic_daily(2, 500), morning = word(READING_MORN, 0),
                       bed = word(READING_HS, 0);
        assert_int_equal(setup((void **)&f), 0);
        order(f, "plain", &twice);
        order(f, "soft", &morning);
        order(f, "one", &bed);
        order(f, "two", &twice);
        made = clinic_plan(&f->clinic, f->patient, 28);
        assert_int_equal(plan_row_load(f->clinic.store, made.id, &f->arena, &row, NULL), 0);
        texts[i] = strdup(row.bytes);
        assert_non_null(texts[i]);
        assert_int_equal(teardown((void **)&f), 0);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_orders_own_words_outrank_a_soft_rule),
        TEST(a_soft_rule_gives_way_to_fewer_times_and_says_so),
        TEST(a_hard_rule_outranks_the_policy_but_not_the_order),
        TEST(clock_times_move_within_the_sites_hour_only_to_save_a_time),
        TEST(a_fixed_drug_does_not_move_and_a_finer_grid_is_made_for_it),
        TEST(close_clock_times_stay_apart),
        TEST(every_twelve_hours_is_not_twice_a_day),
        TEST(every_six_hours_needs_the_night_and_says_so),
        TEST(a_gap_of_the_drug_replaces_the_policys),
        TEST(with_meals_twice_a_day_keeps_the_policys_gap),
        TEST(an_offset_counts_from_the_meal),
        TEST(a_weekly_drug_every_day_is_stopped),
        TEST(drugs_that_must_not_meet_both_wait),
        TEST(what_is_taken_as_needed_warns_about_its_distance),
        TEST(a_soft_distance_warns_only_when_it_is_not_kept),
        TEST(a_warning_rule_is_only_said),
        TEST(steps_of_a_taper_keep_their_time),
        TEST(as_written_counts_each_label_alone),
        TEST(slot_names_fit_plans_and_labels),
        cmocka_unit_test(the_same_patient_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
