/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each form of Timing and Dosage is read as, or why it is not. Each row is a dosageInstruction list of
 * an order for 10 mg tablets; `reads` is the reading in words, `reasons` what stops the order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/civil.h"
#include "tests/unit/intake/support.h"

static struct run run;

struct row {
    const char *dosages;
    const char *reads;   /* NULL: no reading */
    const char *reasons; /* "": packable; else the first one that must be among the reasons */
};

#define TABLET    "\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\"}}]"
#define TWO       "\"doseAndRate\":[{\"doseQuantity\":{\"value\":2,\"unit\":\"tablet\"}}]"
#define REPEAT(x) "[{\"timing\":{\"repeat\":{" x "}}," TABLET "}]"
#define DOSE(x)                                                                                          \
    "[{\"timing\":{\"repeat\":{\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"doseAndRate\":[{" x \
    "}]}]"
#define QUANTITY(x) DOSE("\"doseQuantity\":{" x "}")
#define DAILY       "\"frequency\":1,\"period\":1,\"periodUnit\":\"d\""

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct caught *order = run_dosage(&run, rows[i].dosages, "");
        const char *reads = rows[i].reads != NULL ? rows[i].reads : "";
        bool right = strcmp(order->text, reads) == 0 && order->has_reading == (rows[i].reads != NULL);
        if (rows[i].reasons[0] == '\0')
            right = right && order->outcome == OUTCOME_PACKABLE && order->reasons[0] == '\0';
        else
            right = right && order->outcome != OUTCOME_PACKABLE && has_reason(order, rows[i].reasons);
        if (!right)
            fail_msg("%s\n  reads \"%s\" (%s %s), wanted \"%s\" (%s)", rows[i].dosages, order->text,
                     outcome_text(order->outcome), order->reasons, reads, rows[i].reasons);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof rows[0])

static void test_frequency_per_period(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REPEAT(DAILY), "1 tablet once a day, every day", ""},
        {REPEAT("\"frequency\":2,\"period\":1.0,\"periodUnit\":\"d\""), "1 tablet 2 times a day, every day",
         ""},
        {REPEAT("\"frequency\":1,\"period\":24,\"periodUnit\":\"h\""), "1 tablet once a day, every day", ""},
        {REPEAT("\"frequency\":1,\"period\":2,\"periodUnit\":\"d\""), "1 tablet once a day, every other day",
         ""},
        {REPEAT("\"frequency\":1,\"period\":48,\"periodUnit\":\"h\""), "1 tablet once a day, every other day",
         ""},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"wk\""), "1 tablet once a day, once a week",
         ""},
        {REPEAT("\"frequency\":1,\"period\":60,\"periodUnit\":\"d\""), "1 tablet once a day, every 60 days",
         "PERIOD_RARE"},
        {REPEAT("\"frequency\":1,\"period\":31,\"periodUnit\":\"d\""), "1 tablet once a day, every 31 days",
         ""},
        {REPEAT("\"frequency\":2,\"period\":1,\"periodUnit\":\"wk\""), NULL, "WEEKDAYS_MISSING"},
        {REPEAT("\"frequency\":3,\"period\":2,\"periodUnit\":\"d\""), NULL, "PERIOD_ODD"},
        {REPEAT("\"frequency\":1,\"period\":0.5,\"periodUnit\":\"d\""), NULL, "PERIOD_ODD"},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"mo\""), NULL, "PERIOD_UNIT"},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"a\""), NULL, "PERIOD_UNIT"},
        {REPEAT("\"frequency\":1,\"period\":30,\"periodUnit\":\"min\""), NULL, "PERIOD_UNIT"},
        {REPEAT("\"frequency\":1,\"period\":367,\"periodUnit\":\"d\""), NULL, "PERIOD_UNIT"},
        {REPEAT("\"frequency\":13,\"period\":1,\"periodUnit\":\"d\""), NULL, "TOO_MANY"},
        {REPEAT("\"frequency\":0,\"period\":1,\"periodUnit\":\"d\""), NULL, "TIMING_INVALID"},
        {REPEAT("\"frequency\":-1,\"period\":1,\"periodUnit\":\"d\""), NULL, "TIMING_INVALID"},
        {REPEAT("\"frequency\":1,\"period\":1"), NULL, "TIMING_INVALID"},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"day\""), NULL, "TIMING_INVALID"},
        {REPEAT("\"frequency\":\"1\",\"period\":1,\"periodUnit\":\"d\""), NULL, "BAD_ELEMENT"},
        {REPEAT("\"period\":1,\"periodUnit\":\"d\""), NULL, "NO_FREQUENCY"},
        {REPEAT("\"frequency\":1"), NULL, "NO_FREQUENCY"},
        /* "before a meal": before each one, or once a day? */
        {REPEAT("\"when\":[\"AC\"]"), NULL, "NO_FREQUENCY"},
        {REPEAT("\"when\":[\"C\"],\"period\":1,\"periodUnit\":\"d\""), NULL, "NO_FREQUENCY"},
        {REPEAT("\"when\":[\"MORN\",\"PC\"]"), NULL, "NO_FREQUENCY"},
        {REPEAT("\"boundsPeriod\":{\"start\":\"2026-11-01\"}"), NULL, "NO_TIMING"},
        {REPEAT("\"frequency\":1,\"frequencyMax\":2,\"period\":1,\"periodUnit\":\"d\""), NULL,
         "TIMING_RANGE"},
        {REPEAT("\"frequency\":1,\"period\":4,\"periodMax\":6,\"periodUnit\":\"h\""), NULL, "TIMING_RANGE"},
        {REPEAT("\"frequency\":1,\"frequencyMax\":1,\"period\":1,\"periodUnit\":\"d\""),
         "1 tablet once a day, every day", ""},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnits\":\"d\""), NULL, "VERSION"},
        {REPEAT("\"frequency\":1,\"perod\":1,\"periodUnit\":\"d\""), NULL, "UNKNOWN_ELEMENT"},
    };
    CHECK(rows);
}

static void test_hours_are_by_the_clock(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REPEAT("\"frequency\":1,\"period\":8,\"periodUnit\":\"h\""), "1 tablet every 8 hours, every day",
         ""},
        {REPEAT("\"frequency\":1,\"period\":12,\"periodUnit\":\"h\""), "1 tablet every 12 hours, every day",
         ""},
        {REPEAT("\"frequency\":1,\"period\":7,\"periodUnit\":\"h\""), NULL, "PERIOD_ODD"},
        {REPEAT("\"frequency\":1,\"period\":36,\"periodUnit\":\"h\""), NULL, "PERIOD_ODD"},
        {REPEAT("\"frequency\":2,\"period\":12,\"periodUnit\":\"h\""), NULL, "PERIOD_ODD"},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"h\""), NULL, "TOO_MANY"},
    };
    CHECK(rows);
    const struct caught *order =
        run_dosage(&run, REPEAT("\"frequency\":1,\"period\":6,\"periodUnit\":\"h\""), "");
    assert_int_equal(order->reading.phases[0].interval_min, 360);
    assert_int_equal(order->reading.phases[0].dose_count, 4);
    assert_int_equal(order->reading.phases[0].doses[0].when, READING_INTERVAL);
}

static void test_times_of_day(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REPEAT("\"timeOfDay\":[\"08:00:00\"]"), "1 tablet at 08:00, every day", ""},
        {REPEAT("\"timeOfDay\":[\"08:00\",\"20:00\"]"), "1 tablet at 08:00 and at 20:00, every day", ""},
        {REPEAT(
             "\"frequency\":2,\"period\":1,\"periodUnit\":\"d\",\"timeOfDay\":[\"08:00:00\",\"20:00:00\"]"),
         "1 tablet at 08:00 and at 20:00, every day", ""},
        /* "once per day at 2:00 and 4:00" */
        {REPEAT(DAILY ",\"timeOfDay\":[\"02:00:00\",\"04:00:00\"]"), NULL, "TIMES_DISAGREE"},
        {REPEAT("\"timeOfDay\":[\"08:00:00\",\"08:00:00\"]"), NULL, "TIMES_DISAGREE"},
        {REPEAT("\"timeOfDay\":[\"25:00:00\"]"), NULL, "BAD_TIME"},
        {REPEAT("\"timeOfDay\":[\"08:00:30\"]"), NULL, "BAD_TIME"},
        {REPEAT("\"timeOfDay\":[8]"), NULL, "BAD_TIME"},
        {REPEAT("\"timeOfDay\":\"08:00:00\""), NULL, "BAD_ELEMENT"},
        {REPEAT("\"timeOfDay\":[\"08:00:00\"],\"when\":[\"MORN\"]"), NULL, "TIMING_INVALID"},
        {REPEAT("\"frequency\":1,\"period\":8,\"periodUnit\":\"h\",\"timeOfDay\":[\"08:00:00\"]"), NULL,
         "TIMING_CLASH"},
        {REPEAT("\"frequency\":1,\"period\":2,\"periodUnit\":\"d\",\"timeOfDay\":[\"08:00:00\"]"),
         "1 tablet at 08:00, every other day", ""},
    };
    CHECK(rows);
}

static void test_parts_of_the_day(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REPEAT("\"when\":[\"MORN\",\"EVE\"]"), "1 tablet in the morning and in the evening, every day", ""},
        {REPEAT("\"when\":[\"CM\",\"CV\"]"), "1 tablet with breakfast and with dinner, every day", ""},
        {REPEAT(DAILY ",\"when\":[\"ACM\"],\"offset\":10"), "1 tablet 10 min before breakfast, every day",
         ""},
        {REPEAT("\"frequency\":3,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"C\"]"),
         "1 tablet 3 times a day with a meal, every day", ""},
        {REPEAT("\"frequency\":4,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"C\"]"), NULL,
         "TIMES_DISAGREE"},
        {REPEAT(DAILY ",\"when\":[\"MORN\",\"EVE\"]"), NULL, "TIMES_DISAGREE"},
        {REPEAT("\"when\":[\"MORN\",\"MORN\"]"), NULL, "TIMES_DISAGREE"},
        {REPEAT("\"when\":[\"XYZ\"]"), NULL, "WHEN_UNKNOWN"},
        {REPEAT("\"when\":[\"any\"]"), NULL, "WHEN_UNKNOWN"},
        {REPEAT("\"when\":[\"MORN.early\"]"), NULL, "WHEN_UNKNOWN"},
        {REPEAT(DAILY ",\"offset\":10"), NULL, "TIMING_INVALID"},
        {REPEAT(DAILY ",\"when\":[\"CM\"],\"offset\":10"), NULL, "TIMING_INVALID"},
        {REPEAT(DAILY ",\"when\":[\"ACM\"],\"offset\":-10"), NULL, "TIMING_INVALID"},
    };
    CHECK(rows);
}

static void test_days_of_the_week(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"wk\",\"dayOfWeek\":[\"wed\"]"),
         "1 tablet once a day, on Wednesday", ""},
        {REPEAT("\"frequency\":2,\"period\":1,\"periodUnit\":\"wk\",\"dayOfWeek\":[\"mon\",\"thu\"]"),
         "1 tablet once a day, on Monday, Thursday", ""},
        {REPEAT(DAILY ",\"dayOfWeek\":[\"mon\"],\"timeOfDay\":[\"20:00\"]"), "1 tablet at 20:00, on Monday",
         ""},
        {REPEAT("\"dayOfWeek\":[\"sat\"],\"timeOfDay\":[\"07:00:00\"]"), "1 tablet at 07:00, on Saturday",
         ""},
        {REPEAT("\"frequency\":4,\"period\":1,\"periodUnit\":\"d\",\"dayOfWeek\":[\"mon\"]"),
         "1 tablet 4 times a day, on Monday", ""},
        {REPEAT("\"dayOfWeek\":[\"mon\"]"), NULL, "NO_FREQUENCY"},
        /* "every 3 days on Friday" */
        {REPEAT("\"frequency\":1,\"period\":3,\"periodUnit\":\"d\",\"dayOfWeek\":[\"fri\"]"), NULL,
         "DAYS_DISAGREE"},
        {REPEAT("\"frequency\":1,\"period\":1,\"periodUnit\":\"wk\",\"dayOfWeek\":[\"mon\",\"fri\"]"), NULL,
         "DAYS_DISAGREE"},
        {REPEAT("\"frequency\":1,\"period\":2,\"periodUnit\":\"wk\",\"dayOfWeek\":[\"mon\"]"), NULL,
         "PERIOD_ODD"},
        {REPEAT(DAILY ",\"dayOfWeek\":[\"monday\"]"), NULL, "DAYS_DISAGREE"},
        {REPEAT(DAILY ",\"dayOfWeek\":[\"mon\",\"mon\"]"), NULL, "DAYS_DISAGREE"},
    };
    CHECK(rows);
}

#define CODE(code, more)                                                                               \
    "[{\"timing\":{" more "\"code\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/" \
    "v3-GTSAbbreviation\",\"code\":\"" code "\"}]}}," TABLET "}]"

static void test_timing_codes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {CODE("BID", ""), "1 tablet 2 times a day, every day", ""},
        {CODE("TID", ""), "1 tablet 3 times a day, every day", ""},
        {CODE("QD", ""), "1 tablet once a day, every day", ""},
        {CODE("QOD", ""), "1 tablet once a day, every other day", ""},
        {CODE("AM", ""), "1 tablet in the morning, every day", ""},
        {CODE("BED", ""), "1 tablet at bedtime, every day", ""},
        {CODE("Q6H", ""), "1 tablet every 6 hours, every day", ""},
        {CODE("WK", ""), "1 tablet once a day, once a week", ""},
        {CODE("BID", "\"repeat\":{\"frequency\":2,\"period\":1,\"periodUnit\":\"d\"},"),
         "1 tablet 2 times a day, every day", ""},
        {CODE("BID", "\"repeat\":{\"boundsDuration\":{\"value\":30,\"code\":\"d\"}},"),
         "1 tablet 2 times a day, every day for 30 days", ""},
        {CODE("BED", "\"repeat\":{" DAILY "},"), "1 tablet at bedtime, every day", ""},
        {CODE("BID", "\"repeat\":{" DAILY "},"), NULL, "TIMING_CLASH"},
        {CODE("BED", "\"repeat\":{" DAILY ",\"when\":[\"MORN\"]},"), NULL, "TIMING_CLASH"},
        {CODE("QID", "\"repeat\":{\"frequency\":1,\"period\":6,\"periodUnit\":\"h\"},"), NULL,
         "TIMING_CLASH"},
        {CODE("PM", ""), NULL, "TIMING_CODE"},
        {CODE("XX", ""), NULL, "TIMING_CODE"},
        {"[{\"timing\":{\"event\":[\"2026-11-22\"]}," TABLET "}]", NULL, "TIMING_EVENT"},
        {"[{\"timing\":{\"code\":{\"text\":\"2 times daily\"},\"repeat\":{" DAILY "}}," TABLET "}]",
         "1 tablet once a day, every day", "SIG_CONTRADICTS"},
    };
    CHECK(rows);
}

static void test_bounds_and_counts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REPEAT(DAILY ",\"boundsDuration\":{\"value\":30,\"code\":\"d\"}"),
         "1 tablet once a day, every day for 30 days", ""},
        {REPEAT(DAILY ",\"boundsDuration\":{\"value\":4,\"unit\":\"week\",\"code\":\"wk\"}"),
         "1 tablet once a day, every day for 28 days", ""},
        {REPEAT(DAILY ",\"boundsDuration\":{\"value\":1,\"code\":\"mo\"}"), NULL, "BOUNDS_UNCLEAR"},
        {REPEAT(DAILY ",\"boundsDuration\":{\"value\":10,\"comparator\":\"<\",\"code\":\"d\"}"), NULL,
         "BOUNDS_UNCLEAR"},
        {REPEAT(DAILY ",\"boundsRange\":{\"low\":{\"value\":1}}"), NULL, "BOUNDS_UNCLEAR"},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"2026-11\",\"end\":\"2027-02\"}"),
         "1 tablet once a day, every day from 2026-11-01 to 2027-02-28", ""},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"2026-11-01T22:00:00+11:00\",\"end\":\"2026-12-31\"}"),
         "1 tablet once a day, every day from 2026-11-01 to 2026-12-31", ""},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"2026-11-01\",\"end\":\"2026-11-20\"}"),
         "1 tablet once a day, every day from 2026-11-01 to 2026-11-20", "ENDED"},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"2026-11-01\",\"end\":\"2026-11-21\"}"),
         "1 tablet once a day, every day from 2026-11-01 to 2026-11-21", ""},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"2026-02-30\"}"), NULL, "BAD_DATE"},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"14-09-09\"}"), NULL, "BAD_DATE"},
        {REPEAT(DAILY ",\"boundsPeriod\":{\"start\":\"2026-12-01\",\"end\":\"2026-11-30\"}"), NULL,
         "BAD_DATE"},
        {REPEAT(DAILY ",\"boundsDuration\":{\"value\":10,\"code\":\"d\"}"),
         "1 tablet once a day, every day for 10 days",
         "BOUNDS_UNCLEAR"}, /* counted from the order's date it is over */
        {REPEAT("\"count\":16,\"frequency\":1,\"period\":3,\"periodUnit\":\"wk\""),
         "1 tablet once a day, every 21 days for 336 days", ""},
        {REPEAT("\"count\":60,\"frequency\":2,\"period\":1,\"periodUnit\":\"d\""),
         "1 tablet 2 times a day, every day for 30 days", ""},
        {REPEAT("\"count\":5,\"frequency\":2,\"period\":1,\"periodUnit\":\"d\""), NULL, "COUNT_UNEVEN"},
        {REPEAT("\"count\":1"), NULL, "SINGLE_DOSE"},
        {REPEAT("\"count\":1," DAILY), NULL, "SINGLE_DOSE"},
        {REPEAT("\"count\":10," DAILY ",\"boundsDuration\":{\"value\":20,\"code\":\"d\"}"), NULL,
         "TIMING_CLASH"},
        {REPEAT(DAILY ",\"duration\":7,\"durationUnit\":\"d\""), "1 tablet once a day, every day",
         "TIMING_DURATION"},
    };
    CHECK(rows);
}

static void test_doses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {QUANTITY("\"value\":1"), "1 tablet once a day, every day", ""}, /* no unit: pieces */
        {QUANTITY("\"value\":1.0,\"unit\":\"{tablet}\",\"system\":\"http://"
                  "unitsofmeasure.org\",\"code\":\"{tablet}\""),
         "1 tablet once a day, every day", ""},
        {QUANTITY("\"value\":0.5,\"unit\":\"TAB\""), "0.5 tablet once a day, every day", ""},
        {QUANTITY("\"value\":1.5,\"system\":\"http://snomed.info/sct\",\"code\":\"732936001\""),
         "1.5 tablets once a day, every day", ""},
        {QUANTITY("\"value\":2,\"unit\":\"Stueck\""), "2 tablets once a day, every day", ""},
        {QUANTITY("\"value\":20,\"unit\":\"mg\",\"code\":\"mg\""), "2 tablets once a day, every day", ""},
        {QUANTITY("\"value\":5,\"unit\":\"mg\",\"code\":\"mg\""), "0.5 tablet once a day, every day", ""},
        {QUANTITY("\"value\":0.01,\"unit\":\"g\""), "1 tablet once a day, every day", ""},
        {QUANTITY("\"value\":10000,\"unit\":\"ug\""), "1 tablet once a day, every day", ""},
        {QUANTITY("\"value\":7,\"unit\":\"mg\""), NULL, "STRENGTH_INEXACT"},
        {QUANTITY("\"value\":0.25,\"unit\":\"tablet\""), NULL, "DOSE_OFF_GRID"},
        {QUANTITY("\"value\":0.3333333,\"unit\":\"tablet\""), NULL, "BAD_ELEMENT"},
        {QUANTITY("\"value\":0,\"unit\":\"tablet\""), NULL, "DOSE_NOT_POSITIVE"},
        {QUANTITY("\"value\":-1,\"unit\":\"tablet\""), NULL, "DOSE_NOT_POSITIVE"},
        {QUANTITY("\"value\":\"1\",\"unit\":\"tablet\""), NULL, "BAD_ELEMENT"},
        {QUANTITY("\"value\":1,\"comparator\":\"<\",\"unit\":\"tablet\""), NULL, "DOSE_COMPARATOR"},
        {QUANTITY("\"unit\":\"tablet\""), NULL, "DOSE_MISSING"},
        {QUANTITY("\"value\":5,\"unit\":\"mL\""), NULL, "DOSE_UNIT"},
        {QUANTITY("\"value\":2,\"unit\":\"{puff}\""), NULL, "DOSE_UNIT"},
        {QUANTITY("\"value\":1,\"unit\":\"ea\""), NULL, "DOSE_UNIT_UNKNOWN"},
        {QUANTITY("\"value\":1,\"unit\":\"{dose}\""), NULL, "DOSE_UNIT_UNKNOWN"},
        {QUANTITY("\"value\":1,\"unit\":\"tablet\",\"code\":\"mg\""), NULL, "DOSE_UNIT_CLASH"},
        {QUANTITY("\"value\":1000,\"unit\":\"mg/m2\",\"code\":\"mg/m2\""), NULL, "DOSE_PER_BODY"},
        {QUANTITY("\"value\":120,\"unit\":\"tablet\""), NULL, "DOSE_LARGE"},
        {QUANTITY("\"value\":11,\"unit\":\"tablet\""), "11 tablets once a day, every day", "DOSE_LARGE"},
        {DOSE("\"doseRange\":{\"low\":{\"value\":1},\"high\":{\"value\":2}}"), NULL, "DOSE_RANGE"},
        {DOSE("\"rateQuantity\":{\"value\":4}"), NULL, "RATE"},
        {DOSE("\"doseQuantity\":{\"value\":1},\"doze\":1"), NULL, "UNKNOWN_ELEMENT"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}}}]", NULL, "DOSE_MISSING"}, /* never read as 1 */
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"doseAndRate\":[{\"doseQuantity\":{\"value\":1}},"
         "{\"doseQuantity\":{\"value\":2}}]}]",
         NULL, "DOSE_SEVERAL"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"doseQuantity\":{\"value\":2}}]",
         "2 tablets once a day, every day", ""}, /* STU3 */
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"doseQuantity\":{\"value\":2}," TABLET "}]", NULL,
         "VERSION_MIXED"},
        {"["
         "{\"timing\":{\"repeat\":{" DAILY "}}," TABLET ",\"maxDosePerPeriod\":{\"numerator\":{\"value\":3,"
         "\"unit\":\"tablet\"},\"denominator\":{\"value\":1,\"unit\":\"d\"}}}]",
         "1 tablet once a day, every day, at most 3 tablets a day", ""},
        {"["
         "{\"timing\":{\"repeat\":{\"frequency\":4,\"period\":1,\"periodUnit\":\"d\"}}," TABLET
         ",\"maxDosePerPeriod\":{\"numerator\":{\"value\":30,\"unit\":\"mg\"},\"denominator\":{\"value\":24,"
         "\"unit\":\"h\"}}}]",
         "1 tablet 4 times a day, every day, at most 3 tablets a day", "MAX_DOSE"},
    };
    CHECK(rows);
}

static void test_what_never_goes_into_a_pouch(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"asNeededBoolean\":true," TABLET "}]",
         "1 tablet once a day, every day, as needed", "PRN"},
        {"[{\"asNeededBoolean\":true}]", "as needed", "PRN"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"asNeededCodeableConcept\":{\"text\":\"pain\"}," TABLET "}]",
         "1 tablet once a day, every day, as needed", "PRN"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"asNeededBoolean\":\"no\"," TABLET "}]",
         "1 tablet once a day, every day", "BAD_ELEMENT"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"route\":{\"coding\":[{\"code\":\"26643006\"}]}," TABLET
         "}]",
         "1 tablet once a day, every day", ""},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"route\":{\"text\":\"zum Einnehmen\"}," TABLET "}]",
         "1 tablet once a day, every day", ""},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"route\":{\"text\":\"sublingual\"}," TABLET "}]",
         "1 tablet once a day, every day", "ROUTE"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"route\":{\"coding\":[{\"code\":\"34206005\"}]}," TABLET
         "}]",
         "1 tablet once a day, every day", "ROUTE"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"method\":{\"text\":\"Chew\"}," TABLET "}]",
         "1 tablet once a day, every day", "METHOD"},
        {"[{\"timing\":{\"repeat\":{" DAILY "}},\"site\":{\"text\":\"left eye\"}," TABLET "}]",
         "1 tablet once a day, every day", "SITE"},
        {"[]", NULL, "NO_DOSAGE"},
        {"[{}]", NULL, "NO_DOSAGE"},
        {"[{\"text\":\"Take one tablet daily as directed\"}]", NULL, "TEXT_ONLY"},
        {"[{\"text\":\"1 daily\"," TABLET "}]", NULL, "NO_TIMING"},
        {"[{\"sequenze\":1,\"timing\":{\"repeat\":{" DAILY "}}," TABLET "}]",
         "1 tablet once a day, every day", "UNKNOWN_ELEMENT"},
    };
    CHECK(rows);
}

#define PHASE(sequence, days, dose)                                                                    \
    "{\"sequence\":" sequence ",\"timing\":{\"repeat\":{" DAILY ",\"boundsDuration\":{\"value\":" days \
    ",\"code\":\"d\"}}}," dose "}"
#define SLOT(when, dose) "{\"timing\":{\"repeat\":{\"when\":[\"" when "\"]}}," dose "}"
#define SLOT_OF(sequence, when, dose) \
    "{\"sequence\":" sequence ",\"timing\":{\"repeat\":{\"when\":[\"" when "\"]}}," dose "}"

static void test_several_dosages(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* rising: one after the other, also out of order */
        {"[" PHASE("1", "30", TWO) "," PHASE("2", "7", TABLET) "]",
         "2 tablets once a day, every day for 30 days; then 1 tablet once a day, every day for 7 days", ""},
        {"[" PHASE("2", "7", TABLET) "," PHASE("1", "30", TWO) "]",
         "2 tablets once a day, every day for 30 days; then 1 tablet once a day, every day for 7 days", ""},
        /* equal: side by side */
        {"[" SLOT_OF("1", "MORN", TWO) "," SLOT_OF("1", "EVE", TABLET) "]",
         "2 tablets in the morning, every day; and 1 tablet in the evening, every day", ""},
        {"[" SLOT("MORN", TWO) "," SLOT("EVE", TABLET) "]",
         "2 tablets in the morning, every day; and 1 tablet in the evening, every day", ""},
        /* two for one slot are never added up */
        {"[" SLOT("MORN", TWO) "," SLOT("MORN", TABLET) "]",
         "2 tablets in the morning, every day; and 1 tablet in the morning, every day", "SAME_SLOT"},
        {"[" SLOT("MORN", TWO) "," SLOT("CM", TABLET) "]",
         "2 tablets in the morning, every day; and 1 tablet with breakfast, every day", "SAME_SLOT"},
        {REPEAT(DAILY) "", "1 tablet once a day, every day", ""},
        {"[{\"timing\":{\"repeat\":{" DAILY "}}," TABLET "},{\"timing\":{\"repeat\":{" DAILY "}}," TWO "}]",
         "1 tablet once a day, every day; and 2 tablets once a day, every day", "SAME_SLOT"},
        /* by weekday they are apart */
        {"[{\"timing\":{\"repeat\":{\"dayOfWeek\":[\"mon\"],\"timeOfDay\":[\"08:00\"]}}," TABLET "},"
         "{\"timing\":{\"repeat\":{\"dayOfWeek\":[\"tue\"],\"timeOfDay\":[\"08:00\"]}}," TWO "}]",
         "1 tablet at 08:00, on Monday; and 2 tablets at 08:00, on Tuesday", ""},
        {"[" SLOT_OF("1", "MORN", TWO) "," SLOT("EVE", TABLET) "]",
         "1 tablet in the evening, every day; then 2 tablets in the morning, every day", "SEQUENCE_MIXED"},
        /* 1-0-0.5-0 with rising numbers: the first never ends */
        {"[" SLOT_OF("1", "MORN", TWO) "," SLOT_OF("2", "EVE", TABLET) "]",
         "2 tablets in the morning, every day; then 1 tablet in the evening, every day", "SEQUENCE_OPEN"},
        {"[{\"timing\":{\"repeat\":{\"when\":[\"MORN\"]}}},{\"timing\":{\"repeat\":{\"when\":[\"EVE\"]}}," TWO
         "}]",
         NULL, "DOSE_MISSING"},
        {"[" SLOT("MORN", TWO) ",{\"asNeededBoolean\":true," TABLET "}]", NULL, "PRN_MIXED"},
    };
    CHECK(rows);
    const struct caught *order =
        run_dosage(&run, "[" PHASE("7", "30", TWO) "," PHASE("7", "30", TABLET) "]", "");
    assert_true(has_reason(order, "SAME_SLOT"));
}

static void test_phases_that_overlap_wait(void **state)
{
    (void)state;
    const struct caught *order =
        run_dosage(&run,
                   "[{\"sequence\":1,\"timing\":{\"repeat\":{" DAILY
                   ",\"boundsPeriod\":{\"start\":\"2026-11-20\",\"end\":"
                   "\"2026-11-30\"}}}," TWO "},{\"sequence\":2,\"timing\":{\"repeat\":{" DAILY
                   ",\"boundsPeriod\":{\"start\":\"2026-11-30\",\"end\":\"2026-12-06\"}}}," TABLET "}]",
                   "");
    assert_true(has_reason(order, "SEQUENCE_OVERLAP"));
    order = run_dosage(&run,
                       "[{\"sequence\":1,\"timing\":{\"repeat\":{" DAILY
                       ",\"boundsPeriod\":{\"start\":\"2026-11-20\",\"end\":"
                       "\"2026-11-30\"}}}," TWO "},{\"sequence\":2,\"timing\":{\"repeat\":{" DAILY
                       ",\"boundsPeriod\":{\"start\":\"2026-12-01\",\"end\":\"2026-12-06\"}}}," TABLET "}]",
                       "");
    assert_string_equal(order->reasons, "");
    assert_string_equal(
        order->dosage,
        "[{\"sequence\":1,\"timing\":{\"repeat\":{\"boundsPeriod\":{\"start\":\"2026-11-20\",\"end\":"
        "\"2026-11-30\"},\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"asNeededBoolean\":false,"
        "\"doseAndRate\":[{\"doseQuantity\":{\"value\":2,\"unit\":\"tablet\",\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]},{\"sequence\":2,\"timing\":{\"repeat\":{"
        "\"boundsPeriod\":{\"start\":\"2026-12-01\",\"end\":\"2026-12-06\"},\"frequency\":1,\"period\":1,"
        "\"periodUnit\":\"d\"}},\"asNeededBoolean\":false,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,"
        "\"unit\":\"tablet\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{tablet}\"}}]}]");
}

/* What was written as R4 is read as the same again. */
static void test_written_dosage_reads_back_the_same(void **state)
{
    (void)state;
    static const char *const lists[] = {
        REPEAT("\"frequency\":1,\"period\":8,\"periodUnit\":\"h\""),
        REPEAT("\"frequency\":3,\"period\":1,\"periodUnit\":\"d\",\"when\":[\"C\"]"),
        REPEAT("\"timeOfDay\":[\"08:00\",\"20:00\"]"),
        REPEAT("\"frequency\":2,\"period\":1,\"periodUnit\":\"wk\",\"dayOfWeek\":[\"mon\",\"thu\"]"),
        REPEAT(DAILY ",\"when\":[\"ACM\"],\"offset\":10,\"boundsPeriod\":{\"start\":\"2026-11-01\",\"end\":"
                     "\"2026-12-31\"}"),
        REPEAT("\"frequency\":1,\"period\":2,\"periodUnit\":\"wk\""),
        "[" SLOT_OF("1", "MORN", TWO) "," SLOT_OF("1", "EVE", TABLET) "]",
        "[" PHASE("1", "30", TWO) "," PHASE("2", "7", TABLET) "]",
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char text[CAUGHT_BYTES], dosage[CAUGHT_BYTES];
        const struct caught *order = run_dosage(&run, lists[i], "");
        assert_string_equal(order->reasons, "");
        strcpy(text, order->text);
        strcpy(dosage, order->dosage);
        order = run_dosage(&run, dosage, "");
        assert_string_equal(order->reasons, "");
        assert_string_equal(order->text, text);
        assert_string_equal(order->dosage, dosage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequency_per_period),
        cmocka_unit_test(test_hours_are_by_the_clock),
        cmocka_unit_test(test_times_of_day),
        cmocka_unit_test(test_parts_of_the_day),
        cmocka_unit_test(test_days_of_the_week),
        cmocka_unit_test(test_timing_codes),
        cmocka_unit_test(test_bounds_and_counts),
        cmocka_unit_test(test_doses),
        cmocka_unit_test(test_what_never_goes_into_a_pouch),
        cmocka_unit_test(test_several_dosages),
        cmocka_unit_test(test_phases_that_overlap_wait),
        cmocka_unit_test(test_written_dosage_reads_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
