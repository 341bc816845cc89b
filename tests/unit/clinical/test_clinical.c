/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind of rule finds what it is made for and leaves alone what lies just beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/paths.h"
#include "controller/clinical/clinical.h"
#include "tests/support/scratch.h"

enum { START = 20000, DRUGS = 12 };

static struct arena arena;
static struct error err;

static struct clinical_rules *rules_default(void)
{
    char path[4096];
    struct clinical_rules *rules = NULL;
    if (paths_data("rules/clinical.yaml", path, sizeof path, &err) < 0 ||
        clinical_rules_read(path, &rules, &err) < 0)
        fail_msg("%s", err.message);
    return rules;
}

/* A patient in the making. */
struct trial {
    struct clinical_case c;
    struct clinical_drug drugs[DRUGS];
    struct clinical_dose doses[DRUGS];
    struct clinical_slot slots[2];
    const char *allergies[2];
    char ids[DRUGS][8];
};

static void trial_begin(struct trial *t)
{
    memset(t, 0, sizeof *t);
    t->slots[0] = (struct clinical_slot){480, "MORNING"};
    t->slots[1] = (struct clinical_slot){1200, "EVENING"};
    t->c = (struct clinical_case){.start_day = START,
                                  .days = 14,
                                  .slots = t->slots,
                                  .slot_count = 2,
                                  .drugs = t->drugs,
                                  .allergies = t->allergies};
}

/* milli of a product of `mg` milligrams a piece, daily in a slot (0: not in a pouch). */
static struct clinical_drug *take(struct trial *t, const char *ingredient, int mg, int64_t milli, int slot)
{
    size_t i = t->c.drug_count++;
    assert_true(i < DRUGS);
    (void)snprintf(t->ids[i], sizeof t->ids[i], "o%02zu", i);
    t->doses[i] = (struct clinical_dose){
        .amount_milli = milli,
        .slot = slot,
        .pattern = {.first_day = START, .last_day = START + 365, .anchor_day = START, .every_days = 1}};
    t->drugs[i] = (struct clinical_drug){.order_id = (int64_t)i + 1,
                                         .source_id = t->ids[i],
                                         .name = ingredient,
                                         .product = t->ids[i],
                                         .ingredient = ingredient,
                                         .form = "tablet",
                                         .release = "IR",
                                         .included = slot > 0,
                                         .doses = &t->doses[i],
                                         .dose_count = 1,
                                         .strength_count = mg > 0,
                                         .strengths = {{MEASURE_MASS, (int64_t)mg * 1000000}}};
    return &t->drugs[i];
}

static struct clinical_findings find(const struct clinical_rules *rules, const struct trial *t)
{
    struct clinical_findings findings;
    if (clinical_find(rules, &t->c, &arena, &findings, &err) < 0)
        fail_msg("%s", err.message);
    return findings;
}

static const struct clinical_finding *finding_of(const struct clinical_findings *findings, const char *rule)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->rows[i].rule, rule) == 0)
            return &findings->rows[i];
    }
    return NULL;
}

/* Fails the test when the rule found nothing. */
static const struct clinical_finding *need(const struct clinical_findings *findings, const char *rule)
{
    static const struct clinical_finding none = {.what = ""};
    const struct clinical_finding *row = finding_of(findings, rule);
    if (!row) {
        fail_msg("%s found nothing", rule);
        return &none;
    }
    return row;
}

static bool finds(const struct clinical_rules *rules, const struct trial *t, const char *rule)
{
    struct clinical_findings findings = find(rules, t);
    return finding_of(&findings, rule) != NULL;
}

static int begin(void **state)
{
    arena_init(&arena, 0);
    *state = rules_default();
    return 0;
}

static int end(void **state)
{
    clinical_rules_destroy(*state);
    arena_finish(&arena);
    return 0;
}

static void daily_methotrexate_is_stopped_and_weekly_is_not(void **state)
{
    struct trial t;
    trial_begin(&t);
    struct clinical_drug *drug = take(&t, "methotrexate", 2, 4000, 0);
    struct clinical_findings findings = find(*state, &t);
    const struct clinical_finding *row = need(&findings, "methotrexate-weekly");
    assert_int_equal(row->grade, CLINICAL_STOP);
    assert_non_null(strstr(row->what, "on 7 of 7 days"));
    assert_int_equal(clinical_blocked(&findings, &err), E_STATE);
    t.doses[0].pattern.weekdays = 1u << 2;
    assert_false(finds(*state, &t, "methotrexate-weekly"));
    t.doses[0].pattern.weekdays = 1u << 2 | 1u << 5; /* twice a week */
    assert_true(finds(*state, &t, "methotrexate-weekly"));
    t.doses[0].pattern.weekdays = 0;
    t.doses[0].pattern.every_days = 7;
    assert_false(finds(*state, &t, "methotrexate-weekly"));
    t.doses[0].pattern.every_days = 6; /* two days within seven */
    assert_true(finds(*state, &t, "methotrexate-weekly"));
    t.c.days = 3; /* a short cycle hides nothing */
    t.doses[0].pattern.every_days = 1;
    assert_true(finds(*state, &t, "methotrexate-weekly"));
    drug->dose_count = 0; /* nothing known is no proof of harm; intake refuses such an order */
    assert_false(finds(*state, &t, "methotrexate-weekly"));
}

static void the_daily_maximum_adds_up_over_orders_and_combinations(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "acetaminophen", 500, 6000, 1); /* 3000 mg */
    struct clinical_drug *combination = take(&t, "oxycodone+acetaminophen", 5, 3000, 2);
    combination->strength_count = 2;
    combination->strengths[1] = (struct measured){MEASURE_MASS, INT64_C(325) * 1000000}; /* 975 mg */
    assert_false(finds(*state, &t, "max-acetaminophen"));                                /* 3975 of 4000 */
    t.doses[1].amount_milli = 3500;                                                      /* 4137.5 mg */
    struct clinical_findings findings = find(*state, &t);
    const struct clinical_finding *row = need(&findings, "max-acetaminophen");
    assert_non_null(strstr(row->what, "4137.5 mg a day, at most 4000 mg"));
    char key[CLINICAL_KEY_BYTES];
    memcpy(key, row->key, sizeof key);
    findings = find(*state, &t);
    assert_string_equal(need(&findings, "max-acetaminophen")->key, key); /* the same asks once */
    t.doses[1].amount_milli = 4000;
    findings = find(*state, &t);
    assert_string_not_equal(need(&findings, "max-acetaminophen")->key, key); /* more asks again */
    combination->strength_count = 0;
    findings = find(*state, &t);
    assert_null(finding_of(&findings, "max-acetaminophen"));
    assert_non_null(finding_of(&findings, "dose-unknown")); /* what cannot be weighed is said */
}

static void the_maximum_is_that_of_the_worst_day_and_of_one_course_at_a_time(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "acetaminophen", 500, 5000, 0);
    take(&t, "acetaminophen", 500, 5000, 0);
    t.doses[0].pattern.weekdays = 1u << 0;
    t.doses[1].pattern.weekdays = 1u << 1;
    assert_false(finds(*state, &t, "max-acetaminophen")); /* never on one day */
    t.doses[1].pattern.weekdays = 1u << 0;
    assert_true(finds(*state, &t, "max-acetaminophen"));
    trial_begin(&t);
    struct clinical_drug *taper = take(&t, "acetaminophen", 500, 5000, 0);
    taper->dose_count = 2;
    t.doses[1] = t.doses[0];
    t.doses[1].group = 1; /* the second course follows the first */
    assert_false(finds(*state, &t, "max-acetaminophen"));
    t.doses[1].group = 0;
    assert_true(finds(*state, &t, "max-acetaminophen"));
}

static void the_same_drug_or_class_twice_is_found(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "lisinopril", 10, 1000, 1);
    take(&t, "amlodipine", 5, 1000, 1);
    struct clinical_findings findings = find(*state, &t);
    assert_int_equal(findings.count, 0);
    struct clinical_drug *second = take(&t, "lisinopril", 20, 1000, 1);
    assert_true(finds(*state, &t, "same-ingredient"));
    assert_false(finds(*state, &t, "same-product"));
    assert_false(finds(*state, &t, "two-ace-inhibitor")); /* one drug of the class, in two strengths */
    second->product = t.drugs[0].product;
    assert_true(finds(*state, &t, "same-product"));
    assert_false(finds(*state, &t, "same-ingredient")); /* said once */
    second->product = t.ids[2];
    second->ingredient = "ramipril";
    findings = find(*state, &t);
    assert_non_null(finding_of(&findings, "two-ace-inhibitor"));
    assert_int_equal(need(&findings, "two-ace-inhibitor")->grade, CLINICAL_SERIOUS);
    char key[CLINICAL_KEY_BYTES];
    memcpy(key, need(&findings, "two-ace-inhibitor")->key, sizeof key);
    second->waiting = true; /* nobody has decided whether it is taken at all */
    findings = find(*state, &t);
    assert_string_not_equal(need(&findings, "two-ace-inhibitor")->key,
                            key); /* its answer is no answer later */
    assert_int_equal(need(&findings, "two-ace-inhibitor")->grade, CLINICAL_CAUTION);
    assert_int_equal(clinical_blocked(&findings, &err), 0);
}

static void too_many_of_a_kind_in_one_slot_are_found_by_slot_and_day(void **state)
{
    static const char *const names[] = {"lisinopril", "amlodipine", "metoprolol", "hydrochlorothiazide"};
    struct trial t;
    trial_begin(&t);
    for (size_t i = 0; i < 4; i++)
        take(&t, names[i], 5, 1000, 1);
    struct clinical_findings findings = find(*state, &t);
    const struct clinical_finding *row = need(&findings, "stacked-hypotensives");
    assert_non_null(strstr(row->what, "4 at 08:00 (MORNING)"));
    t.doses[3].slot = 2;
    assert_false(finds(*state, &t, "stacked-hypotensives"));
    t.doses[3].slot = 1;
    t.doses[3].pattern.weekdays = 1u << 3;
    t.doses[2].pattern.weekdays = 1u << 4; /* never the four on one day */
    assert_false(finds(*state, &t, "stacked-hypotensives"));
}

static void interactions_are_found_in_both_directions_and_through_classes(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "ibuprofen", 200, 1000, 1);
    take(&t, "warfarin sodium", 5, 1000, 2);
    struct clinical_findings findings = find(*state, &t);
    const struct clinical_finding *row = need(&findings, "interaction");
    assert_int_equal(row->grade, CLINICAL_SERIOUS);
    size_t count = 0;
    for (size_t i = 0; i < findings.count; i++)
        count += strcmp(findings.rows[i].rule, "interaction") == 0;
    assert_int_equal(count, 1); /* two rows of the table speak of this pair: the gravest stays */
    struct clinical_drug swap = t.drugs[0];
    t.drugs[0].ingredient = t.drugs[1].ingredient;
    t.drugs[1].ingredient = swap.ingredient;
    assert_true(finds(*state, &t, "interaction"));
    t.drugs[1].ingredient = "ibuprofenol"; /* not a word of it */
    assert_false(finds(*state, &t, "interaction"));
}

static void allergies_are_found_by_name_and_by_family(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "amoxicillin+clavulanate", 875, 1000, 1);
    assert_int_equal(find(*state, &t).count, 0);
    t.allergies[0] = "Penicillin V";
    t.c.allergy_count = 1;
    assert_true(finds(*state, &t, "allergy-penicillin"));
    assert_false(finds(*state, &t, "allergy"));
    t.allergies[0] = "Clavulanate potassium";
    assert_true(finds(*state, &t, "allergy"));
    t.allergies[0] = "peanut"; /* no rule names it: that is said, once, and nothing else */
    assert_true(finds(*state, &t, "allergy-unknown"));
    assert_int_equal(find(*state, &t).count, 1);
    assert_int_equal(find(*state, &t).rows[0].grade, CLINICAL_NOTE);
    t.allergies[0] = "Penicillin V";
    assert_false(finds(*state, &t, "allergy-unknown"));
}

static void pregnancy_and_kidneys_are_looked_at_when_known(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "metformin", 500, 2000, 1);
    take(&t, "lisinopril", 10, 1000, 1);
    assert_int_equal(find(*state, &t).count, 0);
    t.c.pregnant = true;
    assert_true(finds(*state, &t, "pregnant-ace-inhibitor"));
    t.c.pregnant = false;
    t.c.egfr = 44;
    assert_true(finds(*state, &t, "renal-metformin-45"));
    assert_false(finds(*state, &t, "renal-metformin"));
    t.c.egfr = 29;
    assert_true(finds(*state, &t, "renal-metformin"));
    t.c.egfr = 45;
    assert_int_equal(find(*state, &t).count, 0);
}

static void a_drug_without_a_name_is_never_passed_over_in_silence(void **state)
{
    struct trial t;
    trial_begin(&t);
    take(&t, "", 0, 1000, 1);
    assert_true(finds(*state, &t, "ingredient-unknown"));
}

static void the_order_of_drugs_changes_neither_keys_nor_text(void **state)
{
    static const char *const names[] = {"ibuprofen", "warfarin",    "lisinopril",
                                        "ramipril",  "simvastatin", "clarithromycin"};
    struct buf bytes[2];
    for (int turn = 0; turn < 2; turn++) {
        struct trial t;
        trial_begin(&t);
        for (size_t i = 0; i < 6; i++)
            take(&t, names[i], 10, 1000, 1);
        if (turn == 1) { /* drugs keep their ids and come in another order; names follow the ids' order */
            struct clinical_drug last = t.drugs[5];
            memmove(&t.drugs[1], &t.drugs[0], 5 * sizeof t.drugs[0]);
            t.drugs[0] = last;
        }
        struct clinical_findings findings = find(*state, &t);
        assert_true(findings.count >= 3);
        buf_init(&bytes[turn]);
        for (size_t i = 0; i < findings.count; i++)
            buf_printf(&bytes[turn], "%s %s\n", findings.rows[i].rule,
                       clinical_grade_text(findings.rows[i].grade));
    }
    assert_string_equal(buf_string(&bytes[0]), buf_string(&bytes[1]));
    buf_finish(&bytes[0]);
    buf_finish(&bytes[1]);
}

static void a_table_with_a_fault_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"a,b\n", "first line"},
        {"kind,a,b,grade,effect,advice,source\npair,x,y,grave,e,a,s\n", ":2:10: the grade"},
        {"kind,a,b,grade,effect,advice,source\npair,x,@none,stop,e,a,s\n", "no such class"},
        {"kind,a,b,grade,effect,advice,source\npair,x,,stop,e,a,s\n", "no empty field"},
        {"kind,a,b,grade,effect,advice,source\nother,x,y,stop,e,a,s\n", "neither class nor pair"},
        {"kind,a,b,grade,effect,advice,source\npair,x,y,stop\n", "seven fields"},
    };
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES], rules_path[SCRATCH_PATH_BYTES];
    struct clinical_rules *rules;
    scratch_init(&scratch);
    scratch_write(&scratch, "clinical.yaml",
                  "format: sachet-clinical/1\nversion: \"1\"\ninteractions: [table.csv]\nrules: []\n",
                  rules_path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scratch_write(&scratch, "table.csv", cases[i].text, path);
        if (clinical_rules_read(rules_path, &rules, &err) == 0)
            fail_msg("taken: %s", cases[i].text);
        if (!strstr(err.message, cases[i].says))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].says);
    }
    (void)state;
    scratch_finish(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(daily_methotrexate_is_stopped_and_weekly_is_not),
        cmocka_unit_test(the_daily_maximum_adds_up_over_orders_and_combinations),
        cmocka_unit_test(the_maximum_is_that_of_the_worst_day_and_of_one_course_at_a_time),
        cmocka_unit_test(the_same_drug_or_class_twice_is_found),
        cmocka_unit_test(too_many_of_a_kind_in_one_slot_are_found_by_slot_and_day),
        cmocka_unit_test(interactions_are_found_in_both_directions_and_through_classes),
        cmocka_unit_test(allergies_are_found_by_name_and_by_family),
        cmocka_unit_test(pregnancy_and_kidneys_are_looked_at_when_known),
        cmocka_unit_test(a_drug_without_a_name_is_never_passed_over_in_silence),
        cmocka_unit_test(the_order_of_drugs_changes_neither_keys_nor_text),
        cmocka_unit_test(a_table_with_a_fault_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
