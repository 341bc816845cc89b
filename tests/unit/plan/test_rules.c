/* SPDX-License-Identifier: Apache-2.0 */
/* The timing rules that come with the program, at work: each can be kept, orders against hard ones wait, an
 * order's own words come before soft ones. */
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
#include "config/conf.h"
#include "controller/plan/compose.h"
#include "controller/plan/input.h"
#include "controller/plan/packing.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/stock/product.h"
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
    clinic_product(&f->clinic, "PLAIN", "Plain tablet", "plain"); /* so that there is always a plan */
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

static void product(struct fixture *f, const char *code, const char *ingredient, const char *form,
                    const char *release)
{
    struct product row = {.packable = PRODUCT_PACKABLE_YES};
    enum product_put put;
    (void)snprintf(row.code, sizeof row.code, "%s", code);
    (void)snprintf(row.name, sizeof row.name, "%s", ingredient);
    (void)snprintf(row.ingredient, sizeof row.ingredient, "%s", ingredient);
    (void)snprintf(row.form, sizeof row.form, "%s", form);
    (void)snprintf(row.release, sizeof row.release, "%s", release);
    (void)snprintf(row.strength, sizeof row.strength, "5 mg");
    struct error err = {0};
    assert_int_equal(store_write_begin(f->clinic.store, &err), 0);
    if (product_put(f->clinic.store, &row, 1, &put, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(store_write_commit(f->clinic.store, &err), 0);
}

/* The patient's plan with the orders so far; NULL when there is no schedule. */
static const struct plan_text *plan_of(struct fixture *f, int64_t patient)
{
    struct plan_row row;
    struct plan_text *text;
    struct plan_made made = clinic_plan(&f->clinic, patient, 14);
    if (made.id == 0)
        return NULL;
    assert_int_equal(plan_row_load(f->clinic.store, made.id, &f->arena, &row, NULL), 0);
    assert_int_equal(plan_text_parse(row.bytes, row.len, &f->arena, &text, NULL), 0);
    return text;
}

static const struct plan_order *order_of(const struct plan_text *text, const char *id)
{
    for (size_t i = 0; i < text->order_count; i++) {
        if (strcmp(text->orders[i].source_id, id) == 0)
            return &text->orders[i];
    }
    fail_msg("order %s is not in the plan", id);
    return NULL;
}

/* A patient who takes the product (times a day, no word on when) and a plain tablet: order "drug" of the
 * plan. */
static const struct plan_text *plan_with(struct fixture *f, const char *name, const char *code,
                                         const struct reading *reading)
{
    char id[64];
    struct reading once = clinic_daily(1, 1000);
    int64_t patient = clinic_patient(&f->clinic, name, name);
    (void)snprintf(id, sizeof id, "%s-plain", name);
    clinic_order(&f->clinic, patient, id, "PLAIN", &once);
    clinic_order(&f->clinic, patient, name, code, reading);
    return plan_of(f, patient);
}

/* The first ingredient that a rule names itself or by its first class. */
static const char *ingredient_of(const struct conf *conf, int rule)
{
    if (conf_count(conf, "rules[%d].match.ingredients", rule) > 0)
        return conf_text(conf, "rules[%d].match.ingredients[0]", rule);
    const char *class = conf_text(conf, "rules[%d].match.classes[0]", rule);
    for (int i = 0; i < conf_count(conf, "classes"); i++) {
        if (strcmp(conf_text(conf, "classes[%d].name", i), class) == 0)
            return conf_text(conf, "classes[%d].ingredients[0]", i);
    }
    fail_msg("no class %s", class);
    return NULL;
}

/* Composes one order in memory; what became of it. */
static const struct member *member_of(struct fixture *f, const struct product *row,
                                      const struct reading *reading)
{
    const struct input_order order = {.id = 1,
                                      .source_id = "o1",
                                      .version = 1,
                                      .outcome = INPUT_PACKABLE,
                                      .drug = row->name,
                                      .product_code = row->code,
                                      .product = row,
                                      .reading = reading,
                                      .reasons = ""};
    struct packing *packing = NULL;
    struct packing_verdict verdict;
    struct error err = {0};
    if (packing_create(f->clinic.packing, &packing, &err) < 0 || packing_of(packing, row, &verdict, &err) < 0)
        fail_msg("%s", err.message);
    struct plan_override said = {/* what packing rules leave to a pharmacist has his word here */
                                 .id = 1,
                                 .product = row->code,
                                 .rule = verdict.id,
                                 .red = verdict.red,
                                 .reason = "for the test",
                                 .login = "pia",
                                 .second = "paul",
                                 .from_day = 0,
                                 .until_day = 30000};
    memcpy(said.rule_hash, verdict.hash, sizeof said.rule_hash);
    packing_destroy(packing);
    const struct input input = {.patient = 1,
                                .today = 20000,
                                .overrides = &said,
                                .override_count = 1,
                                .source_id = "p",
                                .name = "Ann",
                                .day = f->clinic.policy->day,
                                .orders = &order,
                                .order_count = 1};
    struct proposal *proposal = NULL;
    if (compose(f->clinic.policy, &input, 20000, 14, &f->arena, &proposal, &err) < 0)
        fail_msg("%s: %s", row->name, err.message);
    return &proposal->members[0];
}

static void every_rule_can_be_kept_on_an_ordinary_day(void **state)
{
    struct fixture *f = *state;
    const struct conf *conf = f->clinic.timing;
    int packed = 0;
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        const char *id = conf_text(conf, "rules[%d].id", i);
        bool form = conf_count(conf, "rules[%d].match.forms", i) > 0;
        bool release = conf_count(conf, "rules[%d].match.releases", i) > 0;
        int64_t times = conf_int(conf, "rules[%d].match.times", i);
        struct product row = {.packable = PRODUCT_PACKABLE_YES};
        (void)snprintf(row.code, sizeof row.code, "P%d", i);
        (void)snprintf(row.name, sizeof row.name, "%s", id);
        (void)snprintf(row.ingredient, sizeof row.ingredient, "%s", ingredient_of(conf, i));
        (void)snprintf(row.form, sizeof row.form, "%s",
                       form ? conf_text(conf, "rules[%d].match.forms[0]", i) : "tablet");
        (void)snprintf(row.release, sizeof row.release, "%s",
                       release ? conf_text(conf, "rules[%d].match.releases[0]", i) : "IR");
        struct reading reading = clinic_daily(times == CONF_NONE ? 1 : (int)times, 1000);
        if (conf_has(conf, "rules[%d].every_days", i))
            reading.phases[0].every_days = (int)conf_int(conf, "rules[%d].every_days", i);
        const struct member *member = member_of(f, &row, &reading);
        packed += member->state == PLAN_INCLUDED;
        if (member->state == PLAN_WAITING ||
            (member->state == PLAN_APART && !strstr(member->reason, "packing rule")))
            fail_msg("%s: %s", id, member->reason);
    }
    assert_true(packed > 130);
}

static struct reading worded(int count, enum reading_when first, int minute, enum reading_when second,
                             int minute2)
{
    struct reading reading = clinic_daily(count, 1000);
    reading.phases[0].doses[0].when = first;
    reading.phases[0].doses[0].minute = minute;
    if (count > 1) {
        reading.phases[0].doses[1].when = second;
        reading.phases[0].doses[1].minute = minute2;
    }
    return reading;
}

#define ONCE(when, minute) 1, when, minute, READING_ANY, 0

static void an_order_against_a_hard_rule_waits_and_names_the_rule(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *ingredient, *release;
        int count;
        enum reading_when first;
        int minute;
        enum reading_when second;
        int minute2;
        const char *reason; /* rule, or what cannot be kept */
    } rows[] = {
        {"levothyroxine", "IR", ONCE(READING_CLOCK, 720), "thyroid-before-breakfast"},
        {"levothyroxine", "IR", ONCE(READING_HS, 0), "thyroid-before-breakfast"},
        {"alendronate", "IR", ONCE(READING_HS, 0), "alendronate-on-waking"},
        {"alendronate", "IR", ONCE(READING_CM, 0), "alendronate-on-waking"},
        {"risedronate", "DR", ONCE(READING_HS, 0), "risedronate-dr-after-breakfast"},
        {"omeprazole", "DR", ONCE(READING_HS, 0), "ppi-before-breakfast"},
        {"zolpidem", "IR", ONCE(READING_EVE, 0), ""}, /* evening ends at bed: can be kept */
        {"zolpidem", "IR", ONCE(READING_MORN, 0), "zolpidem-bedtime"},
        {"simvastatin", "IR", ONCE(READING_MORN, 0), "simvastatin-evening"},
        {"metformin", "IR", ONCE(READING_HS, 0), "metformin-with-meals"},
        {"prednisone", "IR", ONCE(READING_HS, 0), "corticosteroid-with-food"},
        {"glipizide", "IR", ONCE(READING_CV, 0), "glipizide-before-breakfast"},
        {"doxycycline", "IR", ONCE(READING_CLOCK, 1320),
         ""}, /* may move by the site's hour to 60 minutes before */
        {"rifampin", "IR", ONCE(READING_CM, 0), "tuberculosis-empty-stomach"},
        {"tacrolimus", "ER", ONCE(READING_EVE, 0), "tacrolimus-er-morning"},
        {"bupropion", "ER", ONCE(READING_HS, 0), "bupropion-xl-morning"},
        {"efavirenz", "IR", ONCE(READING_MORN, 0), "efavirenz-bedtime"},
        {"furosemide", "IR", 2, READING_MORN, 0, READING_HS, 0, "diuretic-not-late"},
        {"tacrolimus", "IR", 2, READING_CLOCK, 480, READING_CLOCK, 960, "the gaps between doses"},
        {"levetiracetam", "IR", 2, READING_CLOCK, 480, READING_CLOCK, 840, "the gaps between doses"},
        {"isosorbide mononitrate", "IR", 2, READING_CLOCK, 480, READING_CLOCK, 1200,
         "the gaps between doses"},
        {"bupropion", "ER", 2, READING_CLOCK, 480, READING_CLOCK, 720, "the gaps between doses"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char code[32], name[64];
        (void)snprintf(code, sizeof code, "C%zu", i);
        (void)snprintf(name, sizeof name, "%zu %s", i, rows[i].ingredient);
        product(f, code, rows[i].ingredient, "tablet", rows[i].release);
        struct reading reading =
            worded(rows[i].count, rows[i].first, rows[i].minute, rows[i].second, rows[i].minute2);
        const struct plan_text *text = plan_with(f, name, code, &reading);
        assert_non_null(text);
        const struct plan_order *order = order_of(text, name);
        if (order->state != (rows[i].reason[0] ? PLAN_WAITING : PLAN_INCLUDED) ||
            !strstr(order->reason, rows[i].reason))
            fail_msg("%s: %s, '%s'", name, plan_state_text(order->state), order->reason);
    }
}

static int minute_of(const struct plan_text *text, const char *id)
{
    for (size_t i = 0; i < text->take_count; i++) {
        if (text->takes[i].order_id == order_of(text, id)->id)
            return text->slots[text->takes[i].slot - 1].minute;
    }
    fail_msg("%s is not taken", id);
    return -1;
}

static void an_orders_own_words_come_before_soft_rules(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *ingredient, *rule;
        enum reading_when when;
        int from, to; /* clock minutes on the site's ordinary day */
    } rows[] = {
        {"warfarin", "warfarin-evening", READING_MORN, 420, 660},
        {"sertraline", "ssri-morning", READING_HS, 1260, 1320},
        {"donepezil", "sedating-bedtime", READING_MORN, 420, 660},
        {"furosemide", "diuretic-morning", READING_CV, 1065, 1110},
        {"ferrous sulfate", "iron-empty-stomach", READING_CM, 465, 510},
        {"calcium carbonate", "calcium-carbonate-with-food", READING_HS, 1260, 1320},
        {"ibuprofen", "nsaid-with-food", READING_ACM, 420, 450},
        {"melatonin", "bedtime-preferred", READING_CLOCK, 1020, 1020},
        {"pantoprazole", "ppi-any-before-breakfast", READING_HS, 1260, 1320},
        {"metoprolol", "metoprolol-with-food", READING_HS, 1260, 1320},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char code[32];
        (void)snprintf(code, sizeof code, "S%zu", i);
        product(f, code, rows[i].ingredient, "tablet", "IR");
        struct reading reading = worded(ONCE(rows[i].when, 1020));
        const struct plan_text *text = plan_with(f, rows[i].rule, code, &reading);
        assert_non_null(text);
        assert_int_equal(order_of(text, rows[i].rule)->state, PLAN_INCLUDED);
        int minute = minute_of(text, rows[i].rule);
        if (minute < rows[i].from || minute > rows[i].to)
            fail_msg("%s: at minute %d", rows[i].ingredient, minute);
        bool said = false;
        for (size_t n = 0; n < text->note_count; n++)
            said |= strstr(text->notes[n].text, rows[i].rule) &&
                    strstr(text->notes[n].text, "not used, because the order says when");
        if (!said)
            fail_msg("%s: nobody says that %s is not used", rows[i].ingredient, rows[i].rule);
    }
}

/* Dolutegravir with calcium: together at a meal, or far apart. Bictegravir: only together. */
static void either_or_rules_are_kept_in_one_of_both_ways(void **state)
{
    struct fixture *f = *state;
    struct reading breakfast = worded(ONCE(READING_CM, 0)), bed = worded(ONCE(READING_HS, 0)),
                   once = clinic_daily(1, 1000);
    product(f, "DTG", "dolutegravir", "tablet", "IR");
    product(f, "BIC", "bictegravir+emtricitabine", "tablet", "IR");
    product(f, "CAL", "calcium carbonate", "tablet", "IR");
    clinic_order(&f->clinic, f->patient, "cal", "CAL", &breakfast);
    clinic_order(&f->clinic, f->patient, "dtg", "DTG", &once);
    const struct plan_text *text = plan_of(f, f->patient);
    assert_non_null(text);
    assert_int_equal(minute_of(text, "dtg"), minute_of(text, "cal"));
    clinic_order(&f->clinic, f->patient, "cal", "CAL", &bed);
    text = plan_of(f, f->patient);
    assert_non_null(text);
    int apart = minute_of(text, "cal") - minute_of(text, "dtg"); /* dolutegravir comes first: 2 hours do */
    assert_true(apart >= 120 && 1440 - apart >= 360);
    clinic_order(&f->clinic, f->patient, "dtg", "BIC", &once); /* bedtime is no meal */
    assert_null(plan_of(f, f->patient));
    clinic_order(&f->clinic, f->patient, "cal", "CAL", &breakfast);
    text = plan_of(f, f->patient);
    assert_non_null(text);
    assert_int_equal(minute_of(text, "dtg"), minute_of(text, "cal"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_rule_can_be_kept_on_an_ordinary_day),
        TEST(an_order_against_a_hard_rule_waits_and_names_the_rule),
        TEST(an_orders_own_words_come_before_soft_rules),
        TEST(either_or_rules_are_kept_in_one_of_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
