/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole data sets: the project's own sample orders, and sets that nobody of the project wrote, found in a
 * shared folder beside the checkout (skipped where it is absent).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/stock/formulary.h"
#include "controller/stock/product.h"
#include "tests/support/shared.h"
#include "tests/unit/intake/support.h"

static struct run run;

static int32_t day_or_fail(const char *text)
{
    int32_t day;
    assert_true(civil_parse(text, &day));
    return day;
}

static bool run_shared(const char *name, const char *today)
{
    char path[SHARED_PATH_BYTES];
    if (shared_path(name, path) == NULL)
        return false;
    const char *paths[] = {path};
    run_paths(&run, paths, 1, day_or_fail(today), 0, true);
    return true;
}

/*
 * HL7's official examples, each with what it must be. Their patient is not among them, so that not one is
 * packable. 0302: text and structure differ twice, and the first dosage has no end. 0303: "for 7 days" is 5
 * and 8 by its dates. 0309: text says twice a day, structure every other day. 0311: the note asks for the
 * morning. 0331: 7 mg of a product without a strength. 0313: 500 mg of 250 mg capsules, 5 days by the text.
 */
static void test_official_examples(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum outcome outcome;
        const char *reads;
        const char *reasons;
    } rows[] = {
        {"medrx002", OUTCOME_WAITING, "", "NO_PATIENT FUTURE_DATE PHARMACIST_PRODUCT TEXT_ONLY DUPLICATE"},
        {"medrx0302", OUTCOME_REFUSED,
         "2 pieces once a day, every day; then 1 piece 4 times a day, every day for 4 days",
         "NO_PATIENT FORM_UNKNOWN SIG_CONTRADICTS SEQUENCE_OPEN"},
        {"medrx0303", OUTCOME_WAITING,
         "4 tablets once a day, every day from 2015-01-16 to 2015-01-20; then 2 tablets once a day, every "
         "day from 2015-01-23 to 2015-01-30; then 1 tablet once a day, every day from 2015-01-31 to "
         "2015-02-06",
         "NO_PATIENT PHARMACIST_PRODUCT SIG_UNREAD SIG_CONTRADICTS"},
        {"medrx0305", OUTCOME_REFUSED, "as needed", "STATUS_NOT_ACTIVE NO_PATIENT PRN"},
        {"medrx0307", OUTCOME_REFUSED, "1 tablet every 4 hours, every day, as needed",
         "STATUS_NOT_ACTIVE NO_PATIENT STRENGTH_UNKNOWN PRN"},
        {"medrx0308", OUTCOME_REFUSED, "1 piece every 4 hours, every day, as needed",
         "STATUS_NOT_ACTIVE NO_PATIENT FORM_UNKNOWN PRN"},
        {"medrx0309", OUTCOME_REFUSED, "",
         "NO_PATIENT STRENGTH_UNKNOWN PACKING_RULE DOSE_PER_BODY SIG_UNREAD SIG_CONTRADICTS"},
        {"medrx0310", OUTCOME_REFUSED, "as needed", "NO_PATIENT STRENGTH_UNKNOWN PRN"},
        {"medrx0311", OUTCOME_WAITING, "1 tablet once a day, every day",
         "NO_PATIENT PHARMACIST_PRODUCT SIG_CONTRADICTS DUPLICATE"},
        {"medrx0312", OUTCOME_REFUSED, "", "NO_PATIENT NOT_ORAL_SOLID STRENGTH_UNKNOWN SIG_CONTRADICTS"},
        {"medrx0313", OUTCOME_REFUSED, "2 pieces once a day, every day for 5 days",
         "STATUS_NOT_ACTIVE NO_PATIENT FORM_UNKNOWN BOUNDS_UNCLEAR"},
        {"medrx0315", OUTCOME_REFUSED, "as needed", "NO_PATIENT NOT_ORAL_SOLID PRN ROUTE METHOD RATE"},
        {"medrx0318", OUTCOME_REFUSED, "",
         "NO_PATIENT NOT_ORAL_SOLID ROUTE METHOD STRENGTH_UNKNOWN SIG_UNREAD"},
        {"medrx0319", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID ROUTE RATE DOSE_SEVERAL SIG_UNREAD"},
        {"medrx0320", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID ROUTE STRENGTH_UNKNOWN SIG_UNREAD"},
        {"medrx0321", OUTCOME_REFUSED, "", "NO_PATIENT NOT_ORAL_SOLID STRENGTH_UNKNOWN SIG_UNREAD ROUTE"},
        {"medrx0322", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID PACKING_ASK ROUTE TOO_MANY RATE DOSE_SEVERAL "
         "SIG_UNREAD"},
        {"medrx0323", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NO_DRUG ROUTE METHOD SITE TIMING_EVENT RATE DOSE_SEVERAL SIG_UNREAD"},
        {"medrx0325", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID DOSE_UNIT_UNKNOWN ROUTE"},
        {"medrx0326", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID DOSE_UNIT_UNKNOWN SIG_UNREAD"},
        {"medrx0328", OUTCOME_REFUSED, "", "NO_PATIENT NOT_ORAL_SOLID DOSE_UNIT_UNKNOWN SIG_UNREAD"},
        {"medrx0331", OUTCOME_WAITING, "", "NO_PATIENT STRENGTH_UNKNOWN"},
        {"medrx0333", OUTCOME_WAITING, "", "NO_PATIENT STRENGTH_UNKNOWN PACKING_ASK DOSE_RANGE SIG_UNREAD"},
        {"medrx0334", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID DOSE_UNIT_UNKNOWN ROUTE SIG_CONTRADICTS"},
        {"medrx0335", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID DOSE_UNIT_UNKNOWN ROUTE"},
        {"medrx0336", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID ROUTE TIMING_DURATION NO_TIMING RATE SIG_UNREAD"},
        {"medrx0337", OUTCOME_REFUSED, "",
         "STATUS_NOT_ACTIVE NO_PATIENT NOT_ORAL_SOLID ROUTE TIMING_DURATION NO_TIMING RATE SIG_UNREAD"},
    };
    const size_t count = sizeof rows / sizeof rows[0];
    if (!run_shared("data/fhir-r4-hl7-examples", "2015-01-20"))
        skip();
    assert_int_equal(run.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct caught *order = &run.orders[i];
        if (strcmp(order->source, rows[i].id) != 0 || order->outcome != rows[i].outcome ||
            strcmp(order->text, rows[i].reads) != 0 || strcmp(order->reasons, rows[i].reasons) != 0)
            fail_msg("%s: %s \"%s\" %s", order->source, outcome_text(order->outcome), order->text,
                     order->reasons);
    }
}

/* Totals of the other sets; a change of one is looked at by eye before the number is changed. */
static void test_totals_of_data_sets(void **state)
{
    (void)state;
    static const struct {
        const char *name, *today;
        int64_t requests, packable, waiting, refused;
    } rows[] = {
        {"data/smart-patients-stu3", "2015-02-07", 229, 68, 46, 115},
        {"data/synthea-r4", "2021-06-01", 2665, 2, 69, 2594},
        {"data/synthea-stu3", "2021-01-01", 1505, 1, 64, 1440},
        {"data/nhs-eps-r4", "2026-11-21", 110, 0, 31, 79},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!run_shared(rows[i].name, rows[i].today))
            skip();
        const struct intake_totals *totals = &run.totals;
        if (totals->requests != rows[i].requests || totals->outcomes[0] != rows[i].packable ||
            totals->outcomes[1] != rows[i].waiting || totals->outcomes[2] != rows[i].refused)
            fail_msg("%s: %d = %d + %d + %d", rows[i].name, (int)totals->requests, (int)totals->outcomes[0],
                     (int)totals->outcomes[1], (int)totals->outcomes[2]);
        assert_int_equal(totals->texts_refused, 0);
    }
}

/* Slot dosages of Swiss and German guides, each put into an order for a 10 mg tablet. */
static void test_slot_dosages(void **state)
{
    (void)state;
    static const struct {
        const char *reads, *reasons;
    } rows[] = {
        {"0.5 tablet in the morning, every day from 2011-11-29", ""},
        {"1 tablet in the morning and in the evening, every day from 2012-02-04", ""},
        {"", "PRN ROUTE"}, /* a gel */
        {"", "PRN"},
        {"1 tablet in the morning, every day from 2011-11-29", ""},
        {"1 tablet with breakfast and with dinner, every day from 2012-02-04", ""},
        {"", "DOSE_MISSING"}, /* even and odd days in words alone */
        /* 1-0-0.5-0 with rising sequence: by the standard one after the other, and the first never ends */
        {"1 tablet in the morning, every day from 2012-02-04; then 0.5 tablet in the evening, every day",
         "SEQUENCE_OPEN"},
        {"2 tablets at 20:00, on Monday; and 1 tablet at 08:00, on Monday", ""},
        {"1 tablet in the morning, on Monday; and 2 tablets in the evening, on Monday", ""},
        {"2 tablets at 20:00, every day; and 1 tablet at 08:00, every day", ""},
        {"1 tablet at 08:00, every other day; and 2 tablets at 18:00, every other day; and 3 tablets at "
         "08:00, every other day",
         "SAME_SLOT"},
        {"", "DOSE_MISSING"},
        {"", "DOSE_MISSING"},
        {"", "WHEN_UNKNOWN"},
    };
    size_t len, at = 0;
    char *text = shared_read("data/dosage-eu-slots/dosages.ndjson", &len);
    if (text == NULL)
        skip();
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), at++) {
        json_t *root = json_loads(line, 0, NULL);
        char *dosage = json_dumps(json_object_get(root, "dosage"), JSON_COMPACT);
        const struct caught *order = run_dosage(&run, dosage, "");
        bool right = at < sizeof rows / sizeof rows[0];
        right = right && (rows[at].reads[0] == '\0' || strcmp(rows[at].reads, order->text) == 0);
        right = right && (rows[at].reasons[0] == '\0'
                              ? order->outcome == OUTCOME_PACKABLE
                              : strncmp(order->reasons, rows[at].reasons, strlen(rows[at].reasons)) == 0);
        if (!right)
            fail_msg("%zu: \"%s\" %s", at, order->text, order->reasons);
        free(dosage);
        json_decref(root);
    }
    free(text);
    assert_int_equal(at, sizeof rows / sizeof rows[0]);
}

/* The sample orders with the sample formulary: what config/sample/README.md promises. */

struct sample {
    int packable;
    int wrong;
    char message[640];
};

static int check_sample(void *data, const struct order *order, struct error *err)
{
    static const char *const waiting =
        " s12-r06 s12-r07 s12-r08 s13-r01 s15-r01 s15-r02 s16-r04 s20-r01 s07-r01 s08-r02 ";
    static const char *const refused = " s18-r01 s04-r08 s09-r07 s21-r01 s21-r02 s29-r09 s08-r03 s08-r04 "
                                       "s10-r14 s10-r15 s23-r01 s23-r02 s23-r03 s23-r04 "
                                       "s23-r05 s25-r01 s26-r10 s27-r01 s27-r02 s27-r03 s28-r11 s14-r01 "
                                       "s14-r02 s14-r03 s17-r01 s17-r02 s17-r03 s17-r04 "
                                       "s19-r01 ";
    struct sample *sample = data;
    char id[64];
    (void)err;
    (void)snprintf(id, sizeof id, " %s ", order->source_id);
    enum outcome wanted = strstr(waiting, id) != NULL   ? OUTCOME_WAITING
                          : strstr(refused, id) != NULL ? OUTCOME_REFUSED
                                                        : OUTCOME_PACKABLE;
    sample->packable += order->reasons.outcome == OUTCOME_PACKABLE;
    if (order->reasons.outcome != wanted && sample->wrong++ == 0)
        (void)snprintf(sample->message, sizeof sample->message, "%s is %s: %s %s", order->source_id,
                       outcome_text(order->reasons.outcome),
                       order->reasons.count > 0 ? reason_name(order->reasons.rows[0].code) : "",
                       order->reasons.count > 0 ? order->reasons.rows[0].text : "");
    return 0;
}

static void add_products(struct catalogue *catalogue, const struct product *products, int count)
{
    struct error err = {0};
    for (int i = 0; i < count; i++) {
        const struct product *product = &products[i];
        const struct catalogue_row row = {.code = product->code,
                                          .name = product->name,
                                          .ingredient = product->ingredient,
                                          .strength = product->strength,
                                          .form = product->form,
                                          .release = product->release,
                                          .rxcui = product->rxcui,
                                          .ndc = product->ndc,
                                          .note = product->note,
                                          .halves = product->halves,
                                          .oral = true,
                                          .packable = product->packable == PRODUCT_PACKABLE_YES ? PACKABLE_YES
                                                      : product->packable == PRODUCT_PACKABLE_PHARMACIST
                                                          ? PACKABLE_PHARMACIST
                                                          : PACKABLE_NO};
        assert_int_equal(catalogue_add(catalogue, &row, &err), 0);
    }
}

static void test_sample_orders(void **state)
{
    (void)state;
    static char text[1024 * 1024];
    struct sample sample = {0};
    struct product *products = NULL;
    struct error err = {0};
    int count = 0;
    FILE *file = fopen(SACHET_SOURCE "/config/sample/formulary.csv", "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    assert_int_equal(fclose(file), 0);
    if (formulary_parse("formulary.csv", text, len, &products, &count, &err) != 0)
        fail_msg("%s", err.message);
    struct catalogue *catalogue = catalogue_create();
    add_products(catalogue, products, count);
    free(products);
    const struct intake_policy policy = {.today = TEST_TODAY, .max_order_age_days = INTAKE_ORDER_AGE_DAYS};
    const struct intake_sink sink = {.data = &sample, .order = check_sample};
    struct intake *intake = intake_create(&policy, catalogue, &sink);
    const char *const paths[] = {SACHET_SOURCE "/config/sample/orders"};
    if (intake_run(intake, paths, 1, &err) != 0)
        fail_msg("%s", err.message);
    if (sample.wrong > 0)
        fail_msg("%d wrong; %s", sample.wrong, sample.message);
    assert_int_equal(intake_totals(intake)->requests, 234);
    assert_int_equal(sample.packable, 195);
    intake_destroy(intake);
    catalogue_destroy(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_official_examples),
        cmocka_unit_test(test_totals_of_data_sets),
        cmocka_unit_test(test_slot_dosages),
        cmocka_unit_test(test_sample_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
