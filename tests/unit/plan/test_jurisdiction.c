/* SPDX-License-Identifier: Apache-2.0 */
/* Hazards H11 and H18: no roll beyond the days that the law of its place gives it, no label without what it
 * must say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/plan/jurisdiction.h"

static struct error err;
static struct conf *defaults;

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

static int at(const char *place, struct jurisdiction **ret)
{
    struct conf *site;
    struct buf text;
    buf_init(&text);
    buf_printf(&text,
               "format: sachet-site/1\njurisdiction: %s\npharmacy: {name: Corner Pharmacy, phone: 555 0100, "
               "address: "
               "\"1 Main Street, Springfield\"}\n",
               place);
    ok(conf_parse(&conf_site, "site.yaml", text.data, text.len, &site, &err));
    buf_finish(&text);
    int status = jurisdiction_create(defaults, site, ret, &err);
    conf_destroy(site);
    return status;
}

static int32_t day(const char *text)
{
    int32_t result;
    assert_true(civil_parse(text, &result));
    return result;
}

static const char label[] =
    "Ann Onymous\nTuesday 29 February 2028\nMORNING 8 AM\n1 and 1/2 x Amlodipine\n  Besilate 5 mg\n"
    "2 x Zinc 50 mg\nCorner Pharmacy 555 0100\n1 Main Street,\n  Springfield";

struct sample {
    struct plan_product products[2];
    struct plan_item items[3];
    struct plan_pouch pouch;
    struct plan_text plan;
    char label[sizeof label + 32];
};

static void sample_make(struct sample *s)
{
    memset(s, 0, sizeof *s);
    s->products[0] =
        (struct plan_product){.code = "A", .name = "Amlodipine Besilate 5 mg", .strength = "5 mg"};
    s->products[1] = (struct plan_product){.code = "Z", .name = "Zinc 50 mg", .strength = "50 mg"};
    s->items[0] = (struct plan_item){.code = "A", .piece = ROLL_WHOLE, .count = 1};
    s->items[1] = (struct plan_item){.code = "A", .piece = ROLL_HALF, .count = 1};
    s->items[2] = (struct plan_item){.code = "Z", .piece = ROLL_WHOLE, .count = 2};
    memcpy(s->label, label, sizeof label);
    s->pouch = (struct plan_pouch){.number = 1,
                                   .day = day("2028-02-29"),
                                   .minute = 480,
                                   .label = s->label,
                                   .items = s->items,
                                   .item_count = 3};
    s->plan = (struct plan_text){.patient_name = "Ann Onymous",
                                 .days = 28,
                                 .products = s->products,
                                 .product_count = 2,
                                 .pouches = &s->pouch,
                                 .pouch_count = 1};
}

static void the_rule_of_the_very_place_goes_before_that_of_its_country(void **state)
{
    static const struct {
        const char *place;
        int days, canister_days;
        bool consent, outside;
    } cases[] = {{"US", 60, 0, true, false},      {"US-OR", 60, 0, true, false},
                 {"US-MO", 90, 0, true, false},   {"US-GA", 365, 0, true, false},
                 {"US-IL", 60, 365, true, false}, {"US-WY", 60, 0, true, false},
                 {"DE", 60, 0, true, true},       {"AT", 30, 0, false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct jurisdiction *j;
        ok(at(cases[i].place, &j));
        assert_int_equal(j->beyond_use.days, cases[i].days);
        assert_int_equal(j->beyond_use.canister_days, cases[i].canister_days);
        assert_int_equal(j->consent.id[0] != '\0', cases[i].consent);
        assert_int_equal(j->controlled[2].outside, cases[i].outside);
        jurisdiction_destroy(j);
    }
}

static void a_place_of_which_no_rule_speaks_is_an_error_and_not_freedom(void **state)
{
    static const char *const places[] = {"FR", "XX-US", "USA", "us"};
    struct jurisdiction *j = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(at(places[i], &j), E_INPUT);
        assert_non_null(strstr(err.message, "has no rule of"));
    }
}

static void the_last_dose_is_on_the_last_day_of_use_or_before_it(void **state)
{
    static const struct {
        const char *place, *packed;
        int status;
    } cases[] = {
        {"US", "2027-12-31", 0},    {"US", "2027-12-30", E_STATE},    /* 60 and 61 days, over a leap day */
        {"US-MO", "2027-12-01", 0}, {"US-MO", "2027-11-30", E_STATE}, /* 90 and 91 */
        {"US-GA", "2027-03-01", 0}, {"US-GA", "2027-02-28", E_STATE}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s;
        struct jurisdiction *j;
        sample_make(&s);
        ok(at(cases[i].place, &j));
        int status = jurisdiction_check(j, &s.plan, NULL, day(cases[i].packed), &err);
        if (status != cases[i].status)
            fail_msg("%s %s: %d %s", cases[i].place, cases[i].packed, status, err.message);
        if (status)
            assert_non_null(strstr(err.message, "the last dose is on 2028-02-29"));
        jurisdiction_destroy(j);
    }
}

static void controlled_drugs_stay_outside_or_within_their_days(void **state)
{
    struct sample s;
    struct jurisdiction *j;
    int schedules[2] = {0, 2};
    (void)state;
    sample_make(&s);
    ok(at("US", &j));
    ok(jurisdiction_check(j, &s.plan, schedules, s.pouch.day, &err));
    s.plan.days = 31;
    assert_int_equal(jurisdiction_check(j, &s.plan, schedules, s.pouch.day, &err), E_STATE);
    assert_non_null(strstr(err.message, "rule us-schedule-2: Z is of schedule 2"));
    schedules[1] = 4;
    ok(jurisdiction_check(j, &s.plan, schedules, s.pouch.day, &err));
    s.plan.days = 61;
    assert_int_equal(jurisdiction_check(j, &s.plan, schedules, s.pouch.day, &err), E_STATE);
    jurisdiction_destroy(j);
    ok(at("DE", &j));
    schedules[1] = 2;
    s.plan.days = 1;
    assert_int_equal(jurisdiction_check(j, &s.plan, schedules, s.pouch.day, &err), E_STATE);
    assert_non_null(strstr(err.message, "stays outside of pouches"));
    jurisdiction_destroy(j);
}

/* Each element taken out of the label in turn. */
static void a_label_that_lacks_what_it_must_say_is_refused_with_the_element(void **state)
{
    static const struct {
        const char *was, *is, *lacks;
    } cases[] = {{"Onymous", "Nonymus", "patient"},
                 {"29 February", "28 February", "date"},
                 {"Tuesday", "Thursday", "date"},
                 {"2028", "2027", "date"},
                 {"8 AM", "8 PM", "time"},
                 {"Besilate", "Maleate", "drug"},
                 {"5 mg\n2", "6 mg\n2", "drug"},
                 {"1 and 1/2 x", "1 x", "quantity"},
                 {"2 x Zinc", "3 x Zinc", "quantity"},
                 {"Corner", "Other", "pharmacy"},
                 {"0100", "0101", "phone"},
                 {"Main", "Side", "address"}};
    struct jurisdiction *j;
    (void)state;
    ok(at("US-GA", &j));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s;
        struct buf text;
        sample_make(&s);
        const char *place = strstr(label, cases[i].was);
        assert_non_null(place);
        buf_init(&text);
        buf_add(&text, label, (size_t)(place - label));
        buf_text(&text, cases[i].is);
        buf_text(&text, place + strlen(cases[i].was));
        ok(jurisdiction_check(j, &s.plan, NULL, s.pouch.day, &err));
        s.pouch.label = buf_string(&text);
        int status = jurisdiction_check(j, &s.plan, NULL, s.pouch.day, &err);
        if (status != E_STATE || !strstr(err.message, cases[i].lacks))
            fail_msg("%s: %d %s", cases[i].is, status, status ? err.message : "");
        buf_finish(&text);
    }
    jurisdiction_destroy(j);
    struct sample s;
    sample_make(&s);
    s.products[1].strength = "12.5 mg"; /* a name that does not carry its strength */
    ok(at("US", &j));
    assert_int_equal(jurisdiction_check(j, &s.plan, NULL, s.pouch.day, &err), E_STATE);
    assert_non_null(strstr(err.message, "strength"));
    jurisdiction_destroy(j);
}

static int open_defaults(void **state)
{
    char path[512];
    (void)state;
    ok(paths_data("rules/jurisdiction.yaml", path, sizeof path, &err));
    ok(conf_load(&conf_jurisdiction, path, &defaults, &err));
    return 0;
}

static int close_defaults(void **state)
{
    (void)state;
    conf_destroy(defaults);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_of_the_very_place_goes_before_that_of_its_country),
        cmocka_unit_test(a_place_of_which_no_rule_speaks_is_an_error_and_not_freedom),
        cmocka_unit_test(the_last_dose_is_on_the_last_day_of_use_or_before_it),
        cmocka_unit_test(controlled_drugs_stay_outside_or_within_their_days),
        cmocka_unit_test(a_label_that_lacks_what_it_must_say_is_refused_with_the_element),
    };
    return cmocka_run_group_tests(tests, open_defaults, close_defaults);
}
