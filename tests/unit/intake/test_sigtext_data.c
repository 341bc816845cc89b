/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public sets of dosage texts: nothing that must be refused is read, nothing that is read means something
 * else than the set says. Totals are printed. And for every text of ours that is read: with an unknown word
 * anywhere in it, it is refused.
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

#include "config/base/quantity.h"
#include "tests/support/shared.h"
#include "tests/unit/intake/sigtext_support.h"

/* The file, cut into lines; skips the test when it is absent. */
struct lines {
    char *text;
    char *next;
};

static struct lines open_lines(const char *relative)
{
    struct lines lines = {NULL, NULL};
    size_t len;
    lines.text = lines.next = shared_read(relative, &len);
    if (lines.text == NULL)
        skip();
    return lines;
}

static char *next_line(struct lines *lines)
{
    for (;;) {
        char *line = lines->next;
        if (line == NULL || *line == '\0')
            return NULL;
        char *end = strchr(line, '\n');
        lines->next = end != NULL ? end + 1 : NULL;
        if (end != NULL)
            *end = '\0';
        if (*line != '\0')
            return line;
    }
}

static void texts_that_must_be_refused_are_refused(void **state)
{
    struct lines lines = open_lines("data/sig-text/sigs-nhs-must-reject.txt");
    int count = 0;
    (void)state;
    for (char *line; (line = next_line(&lines)) != NULL; count++) {
        struct sigtext sig;
        sig_read(SIGTEXT_ENGLISH, line, &sig);
        if (sig.refusal == SIGTEXT_NONE)
            fail_msg("\"%s\" was read", line);
    }
    print_message("must reject: %d texts, %d refused\n", count, count);
    free(lines.text);
}

static void number_text(int64_t milli, char text[QUANTITY_TEXT_BYTES])
{
    quantity_format(milli, text);
}

/* The amount as the set writes it: "1 to 2 tablets". */
static void amount_text(const struct sigtext_dosage *dosage, char *text, size_t size)
{
    char low[QUANTITY_TEXT_BYTES], high[QUANTITY_TEXT_BYTES];
    number_text(dosage->amount.low, low);
    number_text(dosage->amount.high, high);
    const char *unit = dosage->unit != NULL ? sigtext_row_name(dosage->unit) : "";
    bool range = dosage->amount.low != dosage->amount.high;
    (void)snprintf(text, size, "%s%s%s%s%s",
                   dosage->amount.low == 0 ? "up to "
                   : range                 ? low
                                           : "",
                   range && dosage->amount.low != 0 ? " to " : "", high, unit[0] != '\0' ? " " : "", unit);
}

static void frequency_text(const struct sigtext_dosage *dosage, char *text, size_t size)
{
    static const char *const units[] = {"minute", "hour", "day", "week", "month"};
    char times[40], period[60];
    if (dosage->times.low == 0)
        (void)snprintf(times, sizeof times, "up to %d times", (int)dosage->times.high);
    else if (dosage->times.high == 1)
        (void)snprintf(times, sizeof times, "once");
    else
        (void)snprintf(times, sizeof times, "%d times", (int)dosage->times.high);
    if (dosage->period.low != dosage->period.high)
        (void)snprintf(period, sizeof period, "%d to %d %ss", (int)dosage->period.low,
                       (int)dosage->period.high, units[dosage->period_unit]);
    else if (dosage->period.low == 1)
        (void)snprintf(period, sizeof period, "%s", units[dosage->period_unit]);
    else
        (void)snprintf(period, sizeof period, "%d %ss", (int)dosage->period.low, units[dosage->period_unit]);
    (void)snprintf(text, size, "%s every %s", times, period);
}

static void length_text(const struct sigtext_dosage *dosage, char *text, size_t size)
{
    static const char *const bounds[] = {"", "at least ", "up to "};
    static const char *const units[] = {"minute", "hour", "day", "week", "month"};
    (void)snprintf(text, size, "for %s%d %ss", bounds[dosage->length_bound], (int)dosage->length.high,
                   units[dosage->length_unit]);
}

static void max_text(const struct sigtext_dosage *dosage, char *text, size_t size)
{
    char number[QUANTITY_TEXT_BYTES];
    number_text(dosage->max, number);
    (void)snprintf(text, size, "up to a maximum of %s %ss in 1 day", number,
                   dosage->max_unit != NULL ? sigtext_row_name(dosage->max_unit) : "");
}

/* Equal but for a plural. */
static bool alike(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    return strcasecmp(a, b) == 0 || (la == lb + 1 && a[la - 1] == 's' && strncasecmp(a, b, lb) == 0) ||
           (lb == la + 1 && b[lb - 1] == 's' && strncasecmp(a, b, la) == 0);
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(text, *list) == 0)
            return true;
    }
    return false;
}

/* Is this part of the set's meaning in the reading? */
static bool says(const struct sigtext *sig, const struct sigtext_dosage *dosage, const char *bucket)
{
    static const char *const verbs[] = {"take", "apply", "instil", NULL};
    static const char *const needed[] = {"as required", "when required", "if required", "as needed", NULL};
    char text[200];
    if (is_one_of(bucket, verbs))
        return true;
    if (is_one_of(bucket, needed))
        return dosage->as_needed && dosage->as_needed_for[0] == '\0';
    if (strncmp(bucket, "as needed for ", 14) == 0)
        return dosage->as_needed && strcmp(dosage->as_needed_for, bucket + 14) == 0;
    char *means = sig_describe(sig);
    bool at_night = strstr(means, ", at night") != NULL, morning = strstr(means, ", in the morning") != NULL;
    bool at_eight = strstr(means, ", at 08:00") != NULL, once = strstr(means, ", once only") != NULL;
    bool mouth = strstr(means, "; Oral") != NULL, tongue = strstr(means, "; Sublingual") != NULL;
    bool eyes = strstr(means, "both eyes") != NULL;
    free(means);
    if (strcmp(bucket, "at night") == 0 || strcmp(bucket, "every night") == 0)
        return at_night;
    if (strcmp(bucket, "in the morning") == 0)
        return morning;
    if (strcmp(bucket, "at 8am") == 0)
        return at_eight;
    if (strcmp(bucket, "once") == 0)
        return once;
    if (strcmp(bucket, "oral") == 0 || strcmp(bucket, "sublingual") == 0)
        return bucket[0] == 'o' ? mouth : tongue;
    if (strcmp(bucket, "in each eye") == 0)
        return eyes;
    amount_text(dosage, text, sizeof text);
    if (dosage->has_amount && alike(bucket, text))
        return true;
    frequency_text(dosage, text, sizeof text);
    if (dosage->has_frequency && alike(bucket, text))
        return true;
    length_text(dosage, text, sizeof text);
    if (dosage->has_length && alike(bucket, text))
        return true;
    max_text(dosage, text, sizeof text);
    if (dosage->has_max && alike(bucket, text))
        return true;
    for (int i = 0; i < dosage->note_count; i++) {
        if (strcmp(dosage->notes[i], bucket) == 0)
            return true;
    }
    return false;
}

static void mapped_texts_that_are_read_mean_the_same(void **state)
{
    struct lines lines = open_lines("data/sig-text/sigs-nhs-mapped.ndjson");
    int read = 0, refused = 0, wrong = 0;
    (void)state;
    for (char *line; (line = next_line(&lines)) != NULL;) {
        json_t *object = json_loads(line, 0, NULL);
        json_t *bucket;
        size_t index;
        struct sigtext sig;
        assert_non_null(object);
        const char *text = json_string_value(json_object_get(object, "text"));
        assert_non_null(text);
        sig_read(SIGTEXT_ENGLISH, text, &sig);
        refused += sig.refusal != SIGTEXT_NONE;
        read += sig.refusal == SIGTEXT_NONE;
        if (sig.refusal == SIGTEXT_NONE) {
            assert_int_equal(sig.dosage_count, 1);
            json_array_foreach(json_object_get(object, "buckets"), index, bucket)
            {
                if (says(&sig, &sig.dosages[0], json_string_value(bucket)))
                    continue;
                wrong++;
                print_error("\"%s\": the reading does not say \"%s\"\n", text, json_string_value(bucket));
            }
        }
        json_decref(object);
    }
    print_message("mapped: %d read, %d refused, %d wrong\n", read, refused, wrong);
    assert_int_equal(wrong, 0);
    assert_true(read > refused);
    free(lines.text);
}

/* Doses in 60 days, in thousandths; 0 when the structure does not say. */
static double rate_of(const json_t *repeat)
{
    static const struct {
        const char *unit;
        double days;
    } units[] = {{"min", 1.0 / 1440}, {"h", 1.0 / 24}, {"d", 1}, {"wk", 7}, {"mo", 30}};
    const json_t *frequency = json_object_get(repeat, "frequency");
    const char *unit = json_string_value(json_object_get(repeat, "periodUnit"));
    for (size_t i = 0; frequency != NULL && unit != NULL && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].unit) == 0)
            return json_number_value(frequency) * 60000 /
                   (json_number_value(json_object_get(repeat, "period")) * units[i].days);
    }
    return 0;
}

static const json_t *quantity_of(const json_t *dosage)
{
    const json_t *old = json_object_get(dosage, "doseQuantity");
    const json_t *rates = json_object_get(dosage, "doseAndRate");
    return old != NULL ? old : json_object_get(json_array_get(rates, 0), "doseQuantity");
}

/* Text and structure of these orders contradict one another; the text is read rightly. Looked at one by one.
 */
static const char *const contradictory[] = {
    "4 gtt in ear bid x7 days",
    "4 gtt in ear bid x7 day",
    "1 tab qd",
    "1 cap once a week",
    "2 puffs bid",
    "One tablet daily for 4 days",
    "Use two sprays twice daily",
    NULL,
};

static bool same_as_structure(const struct sigtext *sig, const char *text, const json_t *structure)
{
    char *json = sig_json(sig, text);
    json_t *list = json_loads(json, 0, NULL);
    const json_t *ours = json_array_get(list, 0);
    double a = rate_of(json_object_get(json_object_get(structure, "timing"), "repeat"));
    double b = rate_of(json_object_get(json_object_get(ours, "timing"), "repeat"));
    const json_t *dose_a = json_object_get(quantity_of(structure), "value");
    const json_t *dose_b = json_object_get(quantity_of(ours), "value");
    bool needed = json_is_true(json_object_get(structure, "asNeededBoolean")) ||
                  json_object_get(structure, "asNeededCodeableConcept") != NULL;
    bool same = (a <= 0 || b <= 0 || (a - b < 0.01 && b - a < 0.01)) && needed == sig->dosages[0].as_needed;
    if (dose_a != NULL && dose_b != NULL) {
        double d = json_number_value(dose_a) - json_number_value(dose_b);
        same = same && d < 1e-6 && d > -1e-6;
    }
    json_decref(list);
    free(json);
    return same;
}

static void texts_beside_structures_say_the_same(void **state)
{
    struct lines lines = open_lines("data/sig-text/sig-structured-pairs.ndjson");
    int read = 0, refused = 0, differ = 0, wrong = 0;
    (void)state;
    for (char *line; (line = next_line(&lines)) != NULL;) {
        json_t *object = json_loads(line, 0, NULL);
        struct sigtext sig;
        assert_non_null(object);
        const char *text = json_string_value(json_object_get(object, "text"));
        assert_non_null(text);
        sig_read(SIGTEXT_ENGLISH, text, &sig);
        refused += sig.refusal != SIGTEXT_NONE;
        if (sig.refusal == SIGTEXT_NONE) {
            read++;
            if (!same_as_structure(&sig, text, json_object_get(object, "dosage"))) {
                differ++;
                if (!is_one_of(text, contradictory)) {
                    wrong++;
                    print_error("\"%s\" differs from its structure\n", text);
                }
            }
        }
        json_decref(object);
    }
    print_message("pairs: %d read (%d where text and structure contradict), %d refused, %d wrong\n", read,
                  differ, refused, wrong);
    assert_int_equal(wrong, 0);
    assert_true(read > refused);
    free(lines.text);
}

static void stripped_texts_are_counted(void **state)
{
    struct lines lines = open_lines("data/sig-text/sigs-coderxio.txt");
    int counts[SIGTEXT_REFUSAL_COUNT] = {0};
    (void)state;
    for (char *line; (line = next_line(&lines)) != NULL;) {
        struct sigtext sig;
        sig_read(SIGTEXT_ENGLISH, line, &sig);
        counts[sig.refusal]++;
    }
    print_message("coderxio: %d read\n", counts[SIGTEXT_NONE]);
    for (int i = 1; i < SIGTEXT_REFUSAL_COUNT; i++) {
        if (counts[i] > 0)
            print_message("coderxio: %d refused, %s\n", counts[i],
                          sigtext_refusal_name((enum sigtext_refusal)i));
    }
    assert_true(counts[SIGTEXT_NONE] >= 90);
    free(lines.text);
}

static void an_unknown_word_anywhere_refuses_a_text(void **state)
{
    static const char *const texts[] = {
        "1 tab po bid pc",
        "take 1 tablet by mouth 2 (two) times daily for 7 days",
        "1 daily",
        "1-2 tablets every 4 to 6 hours as needed for pain, max 8 tablets/24h",
        "2 tabs daily for 3 days, then 1 tab daily for 3 days then stop",
        "take one and a half tablets on alternate days",
        "2 drops in each eye twice a day",
        "1 tablet in the morning and 2 tablets at night with plenty of water",
        "take 1 tablet at 8am and 2 pm",
        "1 tab every Monday and Thursday at bedtime starting 2026-12-01",
    };
    static const char *const words[] = {"zzgl", "not-at-all", "7q", "unless", "\xe2\x82\xac", "skip", "(zz)"};
    int tried = 0;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sigtext sig;
        sig_read(SIGTEXT_ENGLISH, texts[i], &sig);
        assert_string_equal(sig.reason, "");
        for (size_t at = 0; at <= strlen(texts[i]); at++) {
            bool between = at == 0 || texts[i][at] == '\0' || texts[i][at] == ' ';
            for (size_t w = 0; w < sizeof words / sizeof words[0] && between; w++) {
                char text[200];
                (void)snprintf(text, sizeof text, "%.*s %s %s", (int)at, texts[i], words[w], texts[i] + at);
                sig_read(SIGTEXT_ENGLISH, text, &sig);
                if (sig.refusal == SIGTEXT_NONE)
                    fail_msg("\"%s\" was read", text);
                tried++;
            }
        }
    }
    print_message("unknown words: %d texts refused\n", tried);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_must_be_refused_are_refused),
        cmocka_unit_test(mapped_texts_that_are_read_mean_the_same),
        cmocka_unit_test(texts_beside_structures_say_the_same),
        cmocka_unit_test(stripped_texts_are_counted),
        cmocka_unit_test(an_unknown_word_anywhere_refuses_a_text),
    };
    return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
