/* SPDX-License-Identifier: Apache-2.0 */
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
#include "controller/plan/plan.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/review/sign.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

struct fixture {
    struct clinic clinic;
    struct arena arena;
    int64_t patient;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic, "", NULL);
    arena_init(&f->arena, 0);
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    clinic_product(&f->clinic, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    clinic_product(&f->clinic, "LEVO", "Levothyroxine 50 ug tablet", "levothyroxine");
    clinic_product(&f->clinic, "CALC", "Calcium carbonate 500 mg tablet", "calcium carbonate");
    clinic_product(&f->clinic, "PRED", "Prednisone 5 mg tablet", "prednisone");
    clinic_product(&f->clinic, "MTX", "Methotrexate 2.5 mg tablet", "methotrexate");
    clinic_product(&f->clinic, "SIMVA", "Simvastatin 20 mg tablet", "simvastatin");
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

static const struct plan_text *text_of(struct fixture *f, int64_t plan)
{
    struct plan_row row;
    struct plan_text *text = NULL;
    struct error err = {0};
    if (plan_row_load(f->clinic.store, plan, &f->arena, &row, &err) < 0 ||
        plan_text_parse(row.bytes, row.len, &f->arena, &text, &err) < 0)
        fail_msg("%s", err.message);
    return text;
}

static const struct plan_order *order_of(const struct plan_text *plan, const char *source_id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (strcmp(plan->orders[i].source_id, source_id) == 0)
            return &plan->orders[i];
    }
    fail_msg("order %s is not in the plan", source_id);
    return NULL;
}

static void sign_again(struct fixture *f, int64_t plan)
{
    struct error err = {0};
    if (review_sign(f->clinic.store, plan, NULL, &f->clinic.pharmacist, f->clinic.key, 1795219200000, &err) <
        0)
        fail_msg("%s", err.message);
}

static void sign_or_fail(struct fixture *f, int64_t plan)
{
    clinic_people(&f->clinic);
    sign_again(f, plan);
}

static void an_unchanged_patient_keeps_the_plan(void **state)
{
    struct fixture *f = *state;
    struct reading twice = clinic_daily(2, 1000), once = clinic_daily(1, 1500);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &twice);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.outcome, PLAN_MADE);
    assert_int_equal(made.version, 1);
    assert_int_equal(made.times_written, 2);
    assert_int_equal(made.times_planned, 2);
    assert_int_equal(made.pouches, 28);
    assert_int_equal(clinic_plan(&f->clinic, f->patient, 14).outcome, PLAN_SAME);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    struct plan_made again = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(again.outcome, PLAN_MADE);
    assert_int_equal(again.version, 2);
    assert_int_equal(again.pouches, 14);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan WHERE state = 'draft'"), 1);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan WHERE state = 'superseded'"), 1);
    const struct plan_text *text = text_of(f, again.id);
    assert_int_equal(text->totals[0].amount_milli, 14 * 1500);
    assert_int_equal(text->totals[0].whole, 14);
    assert_int_equal(text->totals[0].half, 14);
    /* After the signature the plan is still the same one, although it is measured against itself now. */
    sign_or_fail(f, again.id);
    struct plan_made third = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(third.outcome, PLAN_SAME);
    assert_true(third.is_signed);
    assert_int_equal(third.id, again.id);
}

/* Hazard H8. */
static void orders_that_cannot_be_packed_are_listed_with_their_reason(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), quarter = clinic_daily(1, 250), prn = clinic_daily(1, 1000);
    prn.as_needed = true;
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order_as(&f->clinic, f->patient, "o2", NULL, NULL, "refused",
                    "[{\"code\":\"ROUTE\",\"text\":\"an inhaler\"}]");
    clinic_order_as(&f->clinic, f->patient, "o3", "SIMVA", &once, "waiting",
                    "[{\"code\":\"SIG_CONTRADICTS\",\"text\":\"text says two\"}]");
    clinic_order_as(&f->clinic, f->patient, "o4", "SIMVA", &once, "refused",
                    "[{\"code\":\"STATUS_NOT_ACTIVE\",\"text\":\"stopped\"}]");
    clinic_order(&f->clinic, f->patient, "o5", "CALC", &quarter);
    clinic_order(&f->clinic, f->patient, "o6", "CALC", &prn);
    clinic_order(&f->clinic, f->patient, "o7", "MTX", &once);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.outcome, PLAN_MADE);
    assert_int_equal(made.drugs, 1);
    const struct plan_text *text = text_of(f, made.id);
    assert_int_equal(text->order_count, 6); /* the stopped one is history */
    assert_int_equal(order_of(text, "o2")->state, PLAN_APART);
    assert_non_null(strstr(order_of(text, "o2")->reason, "(an inhaler)"));
    assert_int_equal(order_of(text, "o3")->state, PLAN_WAITING);
    assert_int_equal(order_of(text, "o5")->state, PLAN_WAITING);
    assert_non_null(strstr(order_of(text, "o5")->reason, "half"));
    assert_int_equal(order_of(text, "o6")->state, PLAN_APART);
    assert_true(order_of(text, "o7")->state != PLAN_INCLUDED); /* never in a shared machine */
    assert_null(plan_text_product(text, "CALC"));
}

static void one_product_in_two_orders_is_never_added_up(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o3", "SIMVA", &once);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.drugs, 1);
    assert_int_equal(made.waiting, 2);
    assert_null(plan_text_product(text_of(f, made.id), "AMLO"));
}

static struct reading clock_once(int minute)
{
    struct reading reading = clinic_daily(1, 1000);
    reading.phases[0].doses[0].when = READING_CLOCK;
    reading.phases[0].doses[0].minute = minute;
    return reading;
}

static void an_order_against_a_hard_rule_waits_for_the_pharmacist(void **state)
{
    struct fixture *f = *state;
    struct reading noon = clock_once(720), once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "LEVO", &noon); /* before breakfast, says the rule */
    clinic_order(&f->clinic, f->patient, "o2", "AMLO", &once);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.drugs, 1);
    const struct plan_text *text = text_of(f, made.id);
    assert_int_equal(order_of(text, "o1")->state, PLAN_WAITING);
    assert_non_null(strstr(order_of(text, "o1")->reason, "thyroid-before-breakfast"));
}

static void rules_that_exclude_each_other_are_named_and_nothing_is_stored(void **state)
{
    struct fixture *f = *state;
    struct reading morning = clinic_daily(1, 1000), breakfast = clinic_daily(1, 1000);
    morning.phases[0].doses[0].when = READING_ACM;
    breakfast.phases[0].doses[0].when = READING_CM;
    clinic_order(&f->clinic, f->patient, "o1", "LEVO", &morning);
    clinic_order(&f->clinic, f->patient, "o2", "CALC", &breakfast);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.outcome, PLAN_CONFLICT);
    assert_non_null(strstr(made.why, "Levothyroxine"));
    assert_non_null(strstr(made.why, "Calcium"));
    assert_non_null(strstr(made.why, "thyroid-minerals"));
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan"), 0);
}

static void hard_rules_hold_between_drugs(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "LEVO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "CALC", &once);
    clinic_order(&f->clinic, f->patient, "o3", "SIMVA", &once);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.outcome, PLAN_MADE);
    assert_int_equal(made.times_planned, 2); /* levothyroxine before breakfast; the others in the evening */
    assert_true(made.proved);
    const struct plan_text *text = text_of(f, made.id);
    assert_true(text->slots[0].minute <= 450 && text->slots[1].minute >= 1020);
    static const char *const floor[] = {
        "Not fewer than 2 times a day, proved: no two of these doses can share a time",
        "at 07:00: Levothyroxine 50 ug tablet, possible 07:00-07:30",
        "at 18:00: Simvastatin 20 mg tablet, possible 17:00-22:00"};
    size_t told = 0;
    bool bound = false;
    for (size_t i = 0; i < text->note_count; i++) {
        bound |= text->notes[i].kind == PLAN_WHY &&
                 strcmp(text->notes[i].text,
                        "Not at 07:00, too near to Levothyroxine 50 ug tablet (rule thyroid-minerals)") == 0;
        if (text->notes[i].kind != PLAN_FLOOR)
            continue;
        assert_true(told < sizeof floor / sizeof *floor);
        assert_int_equal(strncmp(text->notes[i].text, floor[told], strlen(floor[told])), 0);
        told++;
    }
    assert_int_equal(told, sizeof floor / sizeof *floor);
    assert_true(bound);
}

static void amounts_stay_with_their_doses(void **state)
{
    struct fixture *f = *state;
    struct reading reading = clinic_daily(2, 1000);
    reading.phases[0].doses[0] = (struct reading_dose){.amount_milli = 2000, .when = READING_MORN};
    reading.phases[0].doses[1] = (struct reading_dose){.amount_milli = 500, .when = READING_HS};
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &reading);
    const struct plan_text *text = text_of(f, clinic_plan(&f->clinic, f->patient, 14).id);
    assert_int_equal(text->take_count, 2);
    assert_int_equal(text->takes[0].amount_milli, 2000);
    assert_true(text->slots[text->takes[0].slot - 1].minute < 720);
    assert_int_equal(text->takes[1].amount_milli, 500);
    assert_true(text->slots[text->takes[1].slot - 1].minute >= 1260);
    assert_non_null(strstr(text->pouches[1].label, "1/2 x Amlodipine"));
}

static struct reading taper(void)
{
    struct reading reading = clinic_daily(1, 4000);
    reading.phase_count = 3;
    for (int i = 1; i < 3; i++)
        reading.phases[i] = reading.phases[0];
    for (int i = 0; i < 3; i++) {
        reading.phases[i].group = i + 1;
        reading.phases[i].length_days = 7;
        reading.phases[i].doses[0].amount_milli = 4000 - i * 1500;
    }
    return reading;
}

static void a_taper_goes_on_in_the_next_cycle(void **state)
{
    struct fixture *f = *state;
    struct reading reading = taper(), once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "PRED", &reading);
    clinic_order(&f->clinic, f->patient, "o2", "AMLO", &once);
    struct plan_made first = clinic_plan_from(&f->clinic, f->patient, "2026-12-21", 14);
    const struct plan_text *text = text_of(f, first.id);
    assert_int_equal(text->totals[1].amount_milli, 7 * 4000 + 7 * 2500);
    sign_or_fail(f, first.id);
    text = text_of(f, clinic_plan_from(&f->clinic, f->patient, "2027-01-04", 14).id);
    assert_int_equal(text->totals[1].amount_milli, 7 * 1000);
    /* A change in the middle of the course is nobody's guess, also after a plan without it was signed. */
    reading.phases[2].doses[0].amount_milli = 2000;
    clinic_order(&f->clinic, f->patient, "o1", "PRED", &reading);
    for (int i = 0; i < 2; i++) {
        struct plan_made made = clinic_plan_from(&f->clinic, f->patient, "2027-01-04", 14);
        text = text_of(f, made.id);
        assert_int_equal(order_of(text, "o1")->state, PLAN_WAITING);
        if (!made.is_signed)
            sign_again(f, made.id);
    }
}

static void a_course_that_is_over_never_begins_again(void **state)
{
    struct fixture *f = *state;
    struct reading reading = taper(), once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "PRED", &reading);
    clinic_order(&f->clinic, f->patient, "o2", "AMLO", &once);
    static const char *const starts[] = {"2026-12-21", "2027-01-04", "2027-01-18", "2027-02-01",
                                         "2027-02-15"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        int64_t plan = clinic_plan_from(&f->clinic, f->patient, starts[i], 14).id;
        const struct plan_order *order = order_of(text_of(f, plan), "o1");
        assert_int_equal(order->state, i < 2 ? PLAN_INCLUDED : PLAN_APART);
        if (i == 0)
            sign_or_fail(f, plan);
        else
            sign_again(f, plan);
    }
}

static void a_course_that_was_put_on_hold_is_not_begun_again(void **state)
{
    struct fixture *f = *state;
    struct reading reading = taper(), once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "PRED", &reading);
    clinic_order(&f->clinic, f->patient, "o2", "AMLO", &once);
    sign_or_fail(f, clinic_plan_from(&f->clinic, f->patient, "2026-12-21", 7).id);
    clinic_order_as(&f->clinic, f->patient, "o1", "PRED", &reading, "refused",
                    "[{\"code\":\"STATUS_NOT_ACTIVE\",\"text\":\"on hold\"}]");
    int64_t without = clinic_plan_from(&f->clinic, f->patient, "2026-12-28", 7).id;
    assert_int_equal(text_of(f, without)->order_count, 1);
    sign_again(f, without);
    clinic_order(&f->clinic, f->patient, "o1", "PRED", &reading);
    assert_int_equal(
        order_of(text_of(f, clinic_plan_from(&f->clinic, f->patient, "2027-01-04", 7).id), "o1")->state,
        PLAN_WAITING);
}

static void days_of_the_week_and_rhythms_fall_on_their_dates(void **state)
{
    struct fixture *f = *state;
    struct reading weekly = clinic_daily(1, 1000), other_day = clinic_daily(1, 500);
    weekly.phases[0].weekdays = 1 << 3; /* Thursdays */
    other_day.phases[0].every_days = 2;
    assert_true(civil_parse("2028-02-20", &other_day.phases[0].start_day));
    clinic_order(&f->clinic, f->patient, "o1", "SIMVA", &weekly);
    clinic_order(&f->clinic, f->patient, "o2", "AMLO", &other_day);
    const struct plan_text *text =
        text_of(f, clinic_plan_from(&f->clinic, f->patient, "2028-02-21", 21).id); /* over 29 February */
    int thursdays = 0, seconds = 0;
    for (size_t i = 0; i < text->pouch_count; i++) {
        const struct plan_pouch *pouch = &text->pouches[i];
        for (size_t k = 0; k < pouch->item_count; k++) {
            bool simva = strcmp(pouch->items[k].code, "SIMVA") == 0;
            assert_true(!simva || civil_weekday(pouch->day) == 3);
            assert_true(simva || (pouch->day - other_day.phases[0].start_day) % 2 == 0);
            thursdays += simva;
            seconds += !simva;
        }
    }
    assert_int_equal(thursdays, 3);
    assert_int_equal(seconds, 10);
}

/* Hazard H28. */
static void bedtime_after_midnight_has_the_right_date(void **state)
{
    struct fixture *f = *state;
    struct reading bedtime = clinic_daily(1, 1000);
    bedtime.phases[0].doses[0].when = READING_HS;
    clinic_exec(&f->clinic,
                "UPDATE patient SET day_template = "
                "'{\"start\":\"06:00\",\"wake\":\"10:00\",\"breakfast\":\"11:00\",\"lunch\":\"15:00\","
                "\"dinner\":\"20:00\",\"bed\":\"01:30\"}'");
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &bedtime);
    const struct plan_text *text = text_of(f, clinic_plan_from(&f->clinic, f->patient, "2026-12-31", 1).id);
    assert_int_equal(text->pouch_count, 1);
    int32_t new_year;
    assert_true(civil_parse("2027-01-01", &new_year));
    assert_int_equal(text->pouches[0].day, new_year);
    assert_true(text->pouches[0].minute >= 30 && text->pouches[0].minute <= 90);
    assert_non_null(strstr(text->pouches[0].label, "Friday 1 January 2027"));
}

static void a_dead_patient_gets_no_plan(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_exec(&f->clinic, "UPDATE patient SET deceased = 1");
    assert_int_equal(clinic_plan(&f->clinic, f->patient, 14).outcome, PLAN_EMPTY);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan"), 0);
}

static void a_product_row_changed_by_hand_stops_the_plan(void **state)
{
    struct fixture *f = *state;
    struct plan_made made;
    struct error err = {0};
    struct reading once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_exec(&f->clinic, "UPDATE product SET strength = '50 mg' WHERE code = 'AMLO'");
    const struct plan_request request = {
        .patient = f->patient, .start_day = 20780, .days = 14, .actor = "test"};
    assert_int_equal(plan_make(f->clinic.store, f->clinic.policy, &request, &made, &err), E_TAMPERED);
    assert_non_null(strstr(err.message, "AMLO"));
}

/* Hazard H12. */
static void pouches_that_are_packed_already_are_spoken_of(void **state)
{
    struct fixture *f = *state;
    struct reading twice = clinic_daily(2, 1000), once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &twice);
    int64_t first = clinic_plan(&f->clinic, f->patient, 14).id;
    sign_or_fail(f, first);
    clinic_exec(&f->clinic,
                "INSERT INTO batch (machine, state, created_by, created_ms) VALUES ('m', 'running', 'x', 1)");
    clinic_exec(&f->clinic,
                "INSERT INTO job (batch_id, position, plan_id, pouch, pouch_line, pouch_hash, state) VALUES "
                "(1, 1, (SELECT max(id) FROM plan), 1, 'x', x'00', 'good')");
    assert_int_equal(clinic_plan(&f->clinic, f->patient, 14).outcome, PLAN_SAME); /* the packed plan itself */
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    struct plan_made second = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(second.outcome, PLAN_MADE);
    const struct plan_text *text = text_of(f, second.id);
    assert_int_equal(text->notes[0].kind, PLAN_WARNING);
    assert_non_null(strstr(text->notes[0].text, "packed already"));
    assert_int_equal(clinic_plan(&f->clinic, f->patient, 14).outcome, PLAN_SAME);
    text = text_of(
        f,
        clinic_plan_from(&f->clinic, f->patient, "2027-02-01", 14).id); /* other days: nothing to take back */
    assert_true(text->note_count == 0 || !strstr(text->notes[0].text, "packed already"));
}

static void one_ingredient_in_two_products_is_a_warning(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    clinic_product(&f->clinic, "AMLO-10", "Amlodipine 10 mg tablet", "amlodipine");
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "AMLO-10", &once);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_int_equal(made.drugs, 2);
    const struct plan_text *text = text_of(f, made.id);
    assert_int_equal(text->notes[0].kind, PLAN_WARNING);
    assert_non_null(strstr(text->notes[0].text, "the same ingredient"));
}

static void a_long_list_makes_parts_of_a_slot_and_no_new_slot(void **state)
{
    struct fixture *f = *state;
    struct reading many = clinic_daily(1, 5000);
    char code[16], name[64], order[16];
    for (int i = 0; i < 9; i++) {
        (void)snprintf(code, sizeof code, "X%d", i);
        (void)snprintf(name, sizeof name, "Drug number %d with a rather long name 5 mg tablet", i);
        (void)snprintf(order, sizeof order, "o%d", i);
        clinic_product(&f->clinic, code, name, "nothing special");
        clinic_order(&f->clinic, f->patient, order, code, &many);
    }
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 2);
    assert_int_equal(made.times_planned, 1);
    assert_int_equal(made.pouches, 2 * 5); /* 45 pieces, 12 in a pouch, doses of 5 stay together: 2 a pouch */
    const struct plan_text *text = text_of(f, made.id);
    assert_int_equal(text->slot_count, 1);
    assert_non_null(strstr(text->pouches[0].label, "Pouch 1 of 5 for this time"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unchanged_patient_keeps_the_plan, setup, teardown),
        cmocka_unit_test_setup_teardown(orders_that_cannot_be_packed_are_listed_with_their_reason, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_product_in_two_orders_is_never_added_up, setup, teardown),
        cmocka_unit_test_setup_teardown(an_order_against_a_hard_rule_waits_for_the_pharmacist, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rules_that_exclude_each_other_are_named_and_nothing_is_stored, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hard_rules_hold_between_drugs, setup, teardown),
        cmocka_unit_test_setup_teardown(amounts_stay_with_their_doses, setup, teardown),
        cmocka_unit_test_setup_teardown(a_taper_goes_on_in_the_next_cycle, setup, teardown),
        cmocka_unit_test_setup_teardown(a_course_that_is_over_never_begins_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_course_that_was_put_on_hold_is_not_begun_again, setup, teardown),
        cmocka_unit_test_setup_teardown(days_of_the_week_and_rhythms_fall_on_their_dates, setup, teardown),
        cmocka_unit_test_setup_teardown(bedtime_after_midnight_has_the_right_date, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dead_patient_gets_no_plan, setup, teardown),
        cmocka_unit_test_setup_teardown(a_product_row_changed_by_hand_stops_the_plan, setup, teardown),
        cmocka_unit_test_setup_teardown(pouches_that_are_packed_already_are_spoken_of, setup, teardown),
        cmocka_unit_test_setup_teardown(one_ingredient_in_two_products_is_a_warning, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_list_makes_parts_of_a_slot_and_no_new_slot, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
