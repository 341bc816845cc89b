/* SPDX-License-Identifier: Apache-2.0 */
/* Words against structure; names of drugs; units; NDCs; the stored form of a reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/ndc.h"
#include "tests/unit/intake/support.h"

static struct run run;

struct sig_row {
    const char *text;
    int frequency; /* structure: so often a day, `pieces` each */
    const char *pieces;
    const char *reads;   /* NULL: not looked at */
    const char *reasons; /* "" packable */
};

static const struct caught *run_sig(const struct sig_row *row)
{
    char dosage[1024];
    (void)snprintf(
        dosage, sizeof dosage,
        "[{\"text\":\"%s\",\"timing\":{\"repeat\":{\"frequency\":%d,\"period\":1,\"periodUnit\":\"d\"}},"
        "\"doseAndRate\":[{\"doseQuantity\":{\"value\":%s,\"unit\":\"tablet\"}}]}]",
        row->text, row->frequency, row->pieces);
    return run_dosage(&run, dosage, "");
}

static void check_sigs(const struct sig_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct caught *order = run_sig(&rows[i]);
        bool right = strcmp(order->reasons, rows[i].reasons) == 0 ||
                     (rows[i].reasons[0] != '\0' && has_reason(order, rows[i].reasons));
        if (rows[i].reads != NULL)
            right = right && strcmp(order->text, rows[i].reads) == 0;
        if (!right)
            fail_msg("\"%s\": %s, \"%s\", wanted %s, \"%s\"", rows[i].text, order->reasons, order->text,
                     rows[i].reasons, rows[i].reads != NULL ? rows[i].reads : "");
    }
}

static void test_words_that_agree(void **state)
{
    (void)state;
    static const struct sig_row rows[] = {
        {"1 daily", 1, "1", "1 tablet once a day, every day", ""},
        {"1 tab po qd", 1, "1", NULL, ""},
        {"take one tablet twice a day", 2, "1", NULL, ""},
        {"1 bid", 2, "1", NULL, ""},
        {"2 tabs b.i.d.", 2, "2", NULL, ""},
        {"1 tablet - 3 times a day - Oral route - One tablet three times daily", 3, "1", NULL, ""},
        {"take 1/2 tab by mouth daily", 1, "0.5", NULL, ""},
        {"1 1/2 tablets daily", 1, "1.5", NULL, ""},
        {"one and a half tablets daily", 1, "1.5", NULL, ""},
        {"take 2 tablets (20 mg) once a day", 1, "2", NULL, ""},
        {"take 1 tablet daily to lower cholesterol", 1, "1", NULL, ""},
        {"take one tablet bid for blood pressure", 2, "1", NULL, ""},
        {"one tablet daily on an empty stomach", 1, "1", "1 tablet once a day, every day", ""},
        {"take 1 tablet daily as directed", 1, "1", NULL, ""},
        {"Take 1 tablet (10 mg total) by mouth 2 (two) times daily.", 2, "1", NULL, ""},
        {"Take one (1) tablet by mouth every morning", 1, "1", "1 tablet in the morning, every day", ""},
    };
    check_sigs(rows, sizeof rows / sizeof rows[0]);
    assert_non_null(strstr(run_sig(&rows[12])->notes, "on an empty stomach")); /* kept to be seen */
}

static void test_words_that_are_more_exact(void **state)
{
    (void)state;
    static const struct sig_row rows[] = {
        {"1 qhs", 1, "1", "1 tablet at bedtime, every day", ""},
        {"1 tablet in the morning and at bedtime", 2, "1",
         "1 tablet in the morning and at bedtime, every day", ""},
        {"1 q8h", 3, "1", "1 tablet every 8 hours, every day", ""},
        {"1 tab daily with meal", 1, "1", "1 tablet once a day with a meal, every day", NULL},
        {"1 tab bid wf", 2, "1", "1 tablet 2 times a day with a meal, every day", ""},
        {"1 tablet at 8am and 8pm", 2, "1", "1 tablet at 08:00 and at 20:00, every day", ""},
        {"1 bid x 30 days", 2, "1", "1 tablet 2 times a day, every day for 30 days", ""},
        {"1 tablet daily 30 minutes before breakfast", 1, "1", "1 tablet 30 min before breakfast, every day",
         ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct caught *order = run_sig(&rows[i]);
        if (order->outcome != OUTCOME_PACKABLE || strstr(order->notes, "FROM_TEXT") == NULL)
            fail_msg("\"%s\": %s (%s)", rows[i].text, order->reasons, order->notes);
        if (rows[i].reasons != NULL)
            assert_string_equal(order->text, rows[i].reads);
    }
}

static void test_words_that_contradict(void **state)
{
    (void)state;
    static const struct sig_row rows[] = {
        {"1 tab qd", 2, "1", NULL, "SIG_CONTRADICTS"},
        {"1 bid", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"2 tabs bid", 2, "1", NULL, "SIG_CONTRADICTS"},
        {"1 cap once a week", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet every other day", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet daily as needed", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 prn", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 to 2 tablets daily", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1-2 tabs daily", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1/2 or 1 tab daily", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"take 20 mg daily", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet in the morning", 2, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet every 4 to 6 hours", 4, "1", NULL, "SIG_CONTRADICTS"},
        {"1 q6h", 3, "1", NULL, "SIG_CONTRADICTS"},
        {"Take 2 (two) tablets by mouth daily", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet at once", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet monthly", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"1 tablet daily on Mondays", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"Then take 1 tablet daily", 1, "1", NULL, "SIG_CONTRADICTS"},
        {"dissolve 1 tablet under the tongue daily", 1, "1", NULL, "ROUTE"},
    };
    check_sigs(rows, sizeof rows / sizeof rows[0]);
}

static void test_words_that_nobody_understands_wait(void **state)
{
    (void)state;
    static const struct sig_row rows[] = {
        {"1 tablet daily until finished then stop unless told", 1, "1", NULL, "SIG_UNREAD"},
        {"1 tablet dialy", 1, "1", NULL, "SIG_UNREAD"},
        {"1 tablet daily skip sundays", 1, "1", NULL, "SIG_UNREAD"},
        {"täglich eine Tablette", 1, "1", NULL, "SIG_UNREAD"},
        {"1-0-1-0", 2, "1", NULL, "SIG_UNREAD"},
        {"take 2 tablets on day 1 and 1 tablet on days 2-5", 1, "1", NULL, "SIG_UNREAD"},
        {"take 1 tablet on even days", 1, "1", NULL, "SIG_UNREAD"},
        {"1 po dailyx10 days", 1, "1", NULL, "SIG_UNREAD"},
        {"1 tablet daily, increase as tolerated", 1, "1", NULL, "SIG_UNREAD"},
    };
    check_sigs(rows, sizeof rows / sizeof rows[0]);
}

static void test_instructions_and_notes_are_compared_and_kept(void **state)
{
    (void)state;
    static const char *const base =
        "[{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},"
        "\"doseAndRate\":[{\"doseQuantity\":{\"value\":1}}],\"additionalInstruction\":[{%s}]}]";
    char dosage[1024];
    (void)snprintf(dosage, sizeof dosage, base, "\"coding\":[{\"display\":\"With or after food\"}]");
    const struct caught *order = run_dosage(&run, dosage, "");
    assert_int_equal(order->outcome, OUTCOME_PACKABLE);
    assert_non_null(strstr(order->notes, "With or after food"));
    (void)snprintf(dosage, sizeof dosage, base, "\"text\":\"Take at bedtime\"");
    assert_string_equal(run_dosage(&run, dosage, "")->text, "1 tablet at bedtime, every day");
    (void)snprintf(dosage, sizeof dosage, base, "\"text\":\"Take twice daily\"");
    assert_true(has_reason(run_dosage(&run, dosage, ""), "SIG_CONTRADICTS"));
    (void)snprintf(dosage, sizeof dosage, base, "\"text\":\"Colours the water\"");
    order = run_dosage(&run, dosage, ",\"note\":[{\"text\":\"take it in the morning\"}]");
    assert_true(has_reason(order, "SIG_CONTRADICTS"));
    order = run_dosage(&run, dosage, ",\"note\":[{\"text\":\"Patient told to take with food\"}]");
    assert_int_equal(order->outcome, OUTCOME_PACKABLE);
    assert_non_null(strstr(order->notes, "take with food"));
}

static void test_names_of_drugs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *ingredient, *strength, *form, *release;
        bool halves;
    } rows[] = {
        {"Simvastatin 10 MG Oral Tablet", "simvastatin", "10 mg", "tablet", "IR", true},
        {"24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "metformin", "500 mg", "tablet",
         "ER", false},
        {"Acetaminophen 325 MG / Oxycodone Hydrochloride 5 MG Oral Tablet [Percocet]",
         "acetaminophen+oxycodone", "325 mg+5 mg", "tablet", "IR", true},
        {"Codeine phosphate 30 mg and paracetamol 500 mg oral tablet", "codeine+acetaminophen",
         "30 mg+500 mg", "tablet", "IR", true},
        {"duloxetine 60 MG Enteric Coated Capsule [Cymbalta]", "duloxetine", "60 mg", "capsule", "DR", false},
        {"Estrogens, Conjugated (USP) 1.25 MG Oral Tablet [Premarin]", "estrogens conjugated", "1.25 mg",
         "tablet", "IR", true},
        {"Escitalopram Tablet 20mg", "escitalopram", "20 mg", "tablet", "IR", true},
        {"Niacin ER Tablet 500mg", "niacin", "500 mg", "tablet", "ER", false},
        {"Thyroxine 0.112 MG Oral Tablet [Synthroid]", "levothyroxine", "0.112 mg", "tablet", "IR", true},
        {"Ergocalciferol Capsule 50,000 iu", "ergocalciferol", "50,000 iu", "capsule", "IR", false},
        {"Morphine 10mg modified-release tablets", "morphine", "10 mg", "tablet", "ER", false},
        {"Calcium Carbonate 500 MG Film-coated Tablet", "calcium carbonate", "500 mg", "film-coated tablet",
         "IR", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct drug_name drug;
        drug_name_read(rows[i].name, "", &drug);
        assert_int_equal(drug.kind, DRUG_SOLID);
        assert_string_equal(drug.ingredient, rows[i].ingredient);
        assert_string_equal(drug.strength, rows[i].strength);
        assert_string_equal(drug.form, rows[i].form);
        assert_string_equal(drug.release, rows[i].release);
        assert_int_equal(drug.halves, rows[i].halves);
        assert_true(drug.strengths_known);
    }
    struct drug_name drug;
    drug_name_read("Chlorthalidone 50mg", "Tablet dose form (qualifier value)", &drug);
    assert_int_equal(drug.kind, DRUG_SOLID);
    drug_name_read("Chlorthalidone 50mg tablet", "Injection solution", &drug);
    assert_int_equal(drug.kind, DRUG_NOT_SOLID);
    drug_name_read("Co-cyprindiol 2000microgram/35microgram tablets", "", &drug);
    assert_false(drug.kind == DRUG_SOLID && drug.strengths_known);
    drug_name_read("Amlodipine 5 MG Oral Tablet for the dog", "", &drug);
    assert_int_equal(drug.kind, DRUG_FORM_UNKNOWN);
}

static void test_ndc_in_all_written_forms(void **state)
{
    (void)state;
    char forms[NDC_FORMS_MAX][NDC_BYTES];
    static const char *const rows[][2] = {
        {"0069-2587-10", "00069258710"},  {"16590-619-30", "16590061930"}, {"12345-6789-0", "12345678900"},
        {"00093-5171-44", "00093517144"}, {"00093517144", "00093517144"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ndc_forms(rows[i][0], forms), 1);
        assert_string_equal(forms[0], rows[i][1]);
    }
    assert_int_equal(ndc_forms("1234567890", forms), 3);
    assert_string_equal(forms[0], "01234567890");
    assert_string_equal(forms[1], "12345067890");
    assert_string_equal(forms[2], "12345678900");
    static const char *const wrong[] = {
        "", "2", "123-456", "1234-56789-0", "0069-2587-1O", "0069-2587-10-1", "123456789012"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(ndc_forms(wrong[i], forms), 0);
}

static void test_products_are_found_by_code_and_by_name(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_create();
    const struct catalogue_row *row = NULL;
    struct error err = {0};
    const struct catalogue_row a = {.code = "A",
                                    .name = "Drug A 5 mg tablet",
                                    .ingredient = "a",
                                    .strength = "5 mg",
                                    .form = "tablet",
                                    .release = "IR",
                                    .rxcui = "1 2",
                                    .ndc = "00093517144",
                                    .note = "",
                                    .packable = PACKABLE_YES};
    struct catalogue_row b = a, c = a;
    b.code = "B";
    b.name = "Drug B 10 mg tablet";
    b.strength = "10 mg";
    b.rxcui = "3";
    b.ndc = "";
    c.code = "A2";
    c.name = "Drug A 5 mg tablet, other maker";
    c.ndc = "";
    assert_int_equal(catalogue_add(catalogue, &a, &err), 0);
    assert_int_equal(catalogue_add(catalogue, &b, &err), 0);
    static const char *const rx = "http://www.nlm.nih.gov/research/umls/rxnorm";
    static const char *const ndc = "http://hl7.org/fhir/sid/ndc";
    struct drug_code code = {rx, "2", ""};
    assert_int_equal(catalogue_find(catalogue, &code, 1, "", &row), CATALOGUE_ONE);
    assert_string_equal(row->code, "A");
    code = (struct drug_code){ndc, "0093-5171-44", ""};
    assert_int_equal(catalogue_find(catalogue, &code, 1, "", &row), CATALOGUE_ONE);
    assert_string_equal(row->code, "A");
    assert_int_equal(catalogue_find(catalogue, NULL, 0, " drug  b 10 MG tablet", &row), CATALOGUE_ONE);
    assert_string_equal(row->code, "B");
    code = (struct drug_code){rx, "1", ""};
    assert_int_equal(catalogue_find(catalogue, &code, 1, "Drug B 10 mg tablet", &row), CATALOGUE_SEVERAL);
    code = (struct drug_code){"http://snomed.info/sct", "1", ""};
    assert_int_equal(catalogue_find(catalogue, &code, 1, "else", &row), CATALOGUE_NONE);
    /* Two makers of one drug: either will do, the lower code by rule. */
    assert_int_equal(catalogue_add(catalogue, &c, &err), 0);
    code = (struct drug_code){rx, "1", ""};
    assert_int_equal(catalogue_find(catalogue, &code, 1, "", &row), CATALOGUE_ONE);
    assert_string_equal(row->code, "A");
    catalogue_destroy(catalogue);
}

static void test_reading_is_stored_and_read_back(void **state)
{
    (void)state;
    struct reading reading = {.max_per_day_milli = 4500, .phase_count = 2}, back;
    struct error err = {0};
    struct buf out, again;
    reading.phases[0] =
        (struct reading_phase){.group = 1,
                               .every_days = 1,
                               .weekdays = 5,
                               .start_day = 20778,
                               .end_day = CIVIL_DAY_NONE,
                               .length_days = 7,
                               .dose_count = 2,
                               .doses = {{1500, READING_CLOCK, 480, 0}, {500, READING_ACM, 0, 30}}};
    reading.phases[1] = (struct reading_phase){.group = 2,
                                               .every_days = 2,
                                               .interval_min = 480,
                                               .start_day = CIVIL_DAY_NONE,
                                               .end_day = CIVIL_DAY_NONE,
                                               .dose_count = 3,
                                               .doses = {{1000, READING_INTERVAL, 0, 0},
                                                         {1000, READING_INTERVAL, 0, 0},
                                                         {1000, READING_INTERVAL, 0, 0}}};
    buf_init(&out);
    buf_init(&again);
    reading_write(&reading, &out);
    assert_string_equal(
        buf_string(&out),
        "{\"format\":\"sachet-reading/1\",\"as_needed\":false,\"max_per_day\":4.5,\"phases\":[{\"group\":1,"
        "\"every_days\":1,\"weekdays\":[\"mon\",\"wed\"],\"start\":\"2026-11-21\",\"length_days\":7,"
        "\"doses\":["
        "{\"amount\":1.5,\"when\":\"clock\",\"at\":\"08:00\"},{\"amount\":0.5,\"when\":\"ACM\",\"offset_"
        "min\":30}]},"
        "{\"group\":2,\"every_days\":2,\"interval_min\":480,\"doses\":[{\"amount\":1,\"when\":\"interval\"},"
        "{\"amount\":1,\"when\":\"interval\"},{\"amount\":1,\"when\":\"interval\"}]}]}");
    assert_int_equal(reading_parse(buf_string(&out), &back, &err), 0);
    reading_write(&back, &again);
    assert_string_equal(buf_string(&again), buf_string(&out));
    buf_finish(&out);
    buf_finish(&again);
}

static void test_reading_with_a_fault_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"format\":\"sachet-reading/2\",\"as_needed\":false,\"phases\":[]}",
        "{\"format\":\"sachet-reading/1\",\"as_needed\":false,\"phases\":[]}",
        "{\"format\":\"sachet-reading/1\",\"as_needed\":true,\"phases\":[],\"x\":1}",
#define ONE(phase) "{\"format\":\"sachet-reading/1\",\"as_needed\":false,\"phases\":[{" phase "}]}"
        ONE("\"doses\":[]"),
        ONE("\"doses\":[{\"amount\":0,\"when\":\"any\"}]"),
        ONE("\"doses\":[{\"amount\":-1,\"when\":\"any\"}]"),
        ONE("\"doses\":[{\"amount\":1,\"when\":\"soon\"}]"),
        ONE("\"doses\":[{\"amount\":1,\"when\":\"clock\"}]"),
        ONE("\"doses\":[{\"amount\":1,\"when\":\"any\",\"at\":\"08:00\"}]"),
        ONE("\"every_days\":0,\"doses\":[{\"amount\":1,\"when\":\"any\"}]"),
        ONE("\"every_days\":2,\"weekdays\":[\"mon\"],\"doses\":[{\"amount\":1,\"when\":\"any\"}]"),
        ONE("\"interval_min\":480,\"doses\":[{\"amount\":1,\"when\":\"any\"}]"),
        ONE("\"interval_min\":480,\"doses\":[{\"amount\":1,\"when\":\"interval\"}]"),
        ONE("\"start\":\"2026-02-30\",\"doses\":[{\"amount\":1,\"when\":\"any\"}]"),
        ONE("\"start\":\"2026-11-02\",\"end\":\"2026-11-01\",\"doses\":[{\"amount\":1,\"when\":\"any\"}]"),
    };
    struct reading back;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct error err = {0};
        if (reading_parse(texts[i], &back, &err) == 0)
            fail_msg("taken: %s", texts[i]);
        assert_true(err.message[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_that_agree),
        cmocka_unit_test(test_words_that_are_more_exact),
        cmocka_unit_test(test_words_that_contradict),
        cmocka_unit_test(test_words_that_nobody_understands_wait),
        cmocka_unit_test(test_instructions_and_notes_are_compared_and_kept),
        cmocka_unit_test(test_names_of_drugs),
        cmocka_unit_test(test_ndc_in_all_written_forms),
        cmocka_unit_test(test_products_are_found_by_code_and_by_name),
        cmocka_unit_test(test_reading_is_stored_and_read_back),
        cmocka_unit_test(test_reading_with_a_fault_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
