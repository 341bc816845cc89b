/* SPDX-License-Identifier: Apache-2.0 */
/* Orders whose dosage stands in words alone: read whole or waiting, with what stands beside the words kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/error.h"
#include "controller/intake/sig/sigtext.h"
#include "tests/unit/intake/support.h"

static const struct {
    const char *dosage, *reason, *text; /* reason "": packable */
} rows[] = {
    {"{\"text\":\"take 1 tablet by mouth twice daily after meals\"}", "",
     "1 tablet 2 times a day after a meal, every day"},
    {"{\"text\":\"1 tab po qhs\"}", "", "1 tablet at bedtime, every day"},
    {"{\"patientInstruction\":\"take 2 tablets every morning\"}", "", "2 tablets in the morning, every day"},
    {"{\"text\":\"1 tab po qd\",\"patientInstruction\":\"1 tab po qd\"}", "",
     "1 tablet once a day, every day"},
    {"{\"text\":\"1 tab po qd\",\"asNeededBoolean\":false,\"sequence\":1}", "",
     "1 tablet once a day, every day"},
    {"{\"text\":\"take half a tablet daily\",\"route\":{\"text\":\"oral\"}}", "",
     "0.5 tablet once a day, every day"},
    /* What stands beside the words still counts. */
    {"{\"text\":\"1 tab qd\",\"route\":{\"text\":\"intravenous\"}}", "ROUTE", NULL},
    {"{\"text\":\"1 tab qd\",\"asNeededBoolean\":true}", "PRN", NULL},
    {"{\"text\":\"1 tab qd\",\"additionalInstruction\":[{\"text\":\"take 3 times a day\"}]}",
     "SIG_CONTRADICTS", NULL},
    {"{\"text\":\"1 tab qd\",\"patientInstruction\":\"2 tabs bid\"}", "TEXT_ONLY", NULL},
    {"{\"text\":\"1 tab qd\",\"maxDosePerPeriod\":{}}", "TEXT_ONLY", NULL},
    {"{\"text\":\"1 tab qd\"},{\"text\":\"1 tab qhs\"}", "TEXT_ONLY",
     NULL}, /* side by side, or instead? nobody says */
    /* Words that are read and cannot be laid out, and words that are not read. */
    {"{\"text\":\"1 tab bid prn pain\"}", "PRN", NULL},
    {"{\"text\":\"take 1 to 2 tablets daily\"}", "DOSE_RANGE", NULL},
    {"{\"text\":\"1 tab sl qd\"}", "ROUTE", NULL},
    {"{\"text\":\"take 10 mg daily\"}", "TEXT_ONLY", NULL},
    {"{\"text\":\"as directed\"}", "TEXT_ONLY", NULL},
    {"{\"text\":\"take daily\"}", "TEXT_ONLY", NULL},
    {"{\"text\":\"1 ttablet qd\"}", "TEXT_ONLY", NULL},
    {"{\"text\":\"1 - 2 times every day\"}", "TEXT_ONLY", NULL},
    {"{\"text\":\"\"}", "NO_DOSAGE", NULL},
};

static void test_words_are_read_whole_or_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char list[512];
        struct run run;
        (void)snprintf(list, sizeof list, "[%s]", rows[i].dosage);
        const struct caught *order = run_dosage(&run, list, "");
        bool packable = order->outcome == OUTCOME_PACKABLE;
        if (packable != (rows[i].reason[0] == '\0') || (!packable && !has_reason(order, rows[i].reason)) ||
            (rows[i].text != NULL && strcmp(order->text, rows[i].text) != 0))
            fail_msg("%s: %s: %s", rows[i].dosage, order->reasons, order->text);
        if (packable)
            assert_non_null(strstr(order->notes, "FROM_TEXT"));
    }
}

static void test_without_words_all_of_it_waits(void **state)
{
    struct run run;
    (void)state;
    run_set_words(NULL);
    assert_true(has_reason(run_dosage(&run, "[{\"text\":\"1 tab po qd\"}]", ""), "TEXT_ONLY"));
}

int main(void)
{
    struct sigtext_table *words = NULL;
    struct error err = {0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_read_whole_or_wait),
        cmocka_unit_test(test_without_words_all_of_it_waits),
    };
    if (sigtext_table_load(NULL, &words, &err) != 0) {
        print_error("%s\n", err.message);
        return 1;
    }
    run_set_words(words);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sigtext_table_destroy(words);
    return failed;
}
