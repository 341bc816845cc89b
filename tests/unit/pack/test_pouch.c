/* SPDX-License-Identifier: Apache-2.0 */
/* Printed numbers and what a result is worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "controller/pack/outcome.h"
#include "controller/pack/token.h"

static void a_token_reads_back(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {{1, 1, 0}, {12, 17, 0}, {12, 17, 1}, {99999, 20000, 12}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char token[TOKEN_BYTES];
        int64_t batch = 0, pouch = 0, remake = -1;
        assert_true(token_format(cases[i][0], cases[i][1], cases[i][2], token));
        assert_true(token_parse(token, &batch, &pouch, &remake));
        assert_int_equal(batch, cases[i][0]);
        assert_int_equal(pouch, cases[i][1]);
        assert_int_equal(remake, cases[i][2]);
    }
    char token[TOKEN_BYTES];
    assert_true(token_format(12, 17, 1, token));
    assert_memory_equal(token, "12-00017R1-", 11);
    assert_false(token_format(0, 1, 0, token));
    assert_false(token_format(INT64_MAX, INT64_MAX, 1, token));
}

/* No single wrong character and no swap of neighbours passes, hyphens included. */
static void no_single_slip_passes(const char *token)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    char wrong[TOKEN_BYTES];
    int64_t b = 0, p = 0, r = 0;
    for (size_t i = 0; token[i]; i++) {
        for (size_t k = 0; letters[k]; k++) {
            strcpy(wrong, token);
            wrong[i] = letters[k];
            if (letters[k] != token[i])
                assert_false(token_parse(wrong, &b, &p, &r));
        }
        if (token[i + 1] && token[i] != token[i + 1]) {
            strcpy(wrong, token);
            wrong[i] = token[i + 1];
            wrong[i + 1] = token[i];
            assert_false(token_parse(wrong, &b, &p, &r));
        }
    }
    assert_false(token_parse("", &b, &p, &r));
    assert_false(token_parse("4711", &b, &p, &r));
}

static void no_single_slip_of_a_token_passes(void **state)
{
    (void)state;
    char token[TOKEN_BYTES];
    assert_true(token_format(4711, 342, 3, token));
    no_single_slip_passes(token);
    assert_true(token_mark_simulated(token));
    no_single_slip_passes(token);
}

/* Simulated work never counts as dispensed: it says so on the pouch. */
static void a_simulated_pouch_says_so_and_reads_back(void **state)
{
    (void)state;
    char token[TOKEN_BYTES], real[TOKEN_BYTES];
    int64_t batch = 0, pouch = 0, remake = -1;
    assert_true(token_format(12, 17, 1, token));
    strcpy(real, token);
    assert_false(token_is_simulated(token));
    assert_true(token_mark_simulated(token));
    assert_memory_equal(token, "SIM12-00017R1-", 14);
    assert_true(token_is_simulated(token));
    assert_true(token_parse(token, &batch, &pouch, &remake));
    assert_int_equal(batch, 12);
    assert_int_equal(pouch, 17);
    assert_int_equal(remake, 1);
    assert_false(token_parse("SIM12-00017R1-0", &batch, &pouch, &remake) &&
                 token_parse("SIM12-00017R1-1", &batch, &pouch, &remake));
    /* The mark cannot be added or cut off unseen. */
    char cut[TOKEN_BYTES];
    strcpy(cut, token + 3);
    assert_false(token_parse(cut, &batch, &pouch, &remake));
    char added[TOKEN_BYTES + 3] = "SIM";
    strcat(added, real);
    assert_false(token_parse(added, &batch, &pouch, &remake));
}

static const struct outcome_band band = {.seal_min_dc = 1300, .seal_max_dc = 1800};

static struct machine_result good(void)
{
    struct machine_result result = {.seq = 7,
                                    .hash = 0xABCD,
                                    .outcome = MACHINE_GOOD,
                                    .entry_count = 2,
                                    .checks = MACHINE_CHECK_SEALED | MACHINE_CHECK_PRINT_READ,
                                    .seal_min_dc = 1500,
                                    .seal_max_dc = 1510};
    result.entries[0].requested = result.entries[0].counted = 2;
    result.entries[1].requested = result.entries[1].counted = 1;
    return result;
}

static enum outcome_verdict judge(const struct machine_result *result, uint16_t caps, bool late)
{
    const char *reason = NULL;
    enum outcome_verdict verdict = outcome_judge(result, caps, &band, late, &reason);
    assert_non_null(reason);
    assert_int_equal(verdict == OUTCOME_GOOD, reason[0] == '\0');
    return verdict;
}

static void good_needs_every_count_and_every_sensor(void **state)
{
    (void)state;
    struct machine_result r = good();
    assert_int_equal(judge(&r, 0, false), OUTCOME_GOOD);
    assert_int_equal(judge(&r, 0, true), OUTCOME_VOID); /* a late pill may lie in it */
    assert_int_equal(judge(&r, MACHINE_CAP_VISION, false), OUTCOME_VOID);
    assert_int_equal(judge(&r, MACHINE_CAP_WEIGHER, false), OUTCOME_VOID);
    r.checks |= MACHINE_CHECK_VISION_OK | MACHINE_CHECK_WEIGHT_OK;
    assert_int_equal(judge(&r, MACHINE_CAP_VISION | MACHINE_CAP_WEIGHER, false), OUTCOME_GOOD);
    for (int i = 0; i < 2; i++) {
        for (int d = -1; d <= 1; d += 2) {
            r = good();
            r.entries[i].counted = (uint16_t)(r.entries[i].counted + d);
            assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
        }
    }
    r = good();
    r.checks = MACHINE_CHECK_PRINT_READ;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
    r.checks = MACHINE_CHECK_SEALED;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
    r = good();
    r.checks |= MACHINE_CHECK_LATE_DROP;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
    r = good();
    r.seal_min_dc = 1299;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
    r = good();
    r.seal_max_dc = 1801;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
    r = good();
    r.reason = MACHINE_REASON_JAM; /* GOOD with a reason is no word to trust */
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
    r = good();
    r.outcome = MACHINE_VOID;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID);
}

static void cancelled_is_only_a_pouch_that_was_never_begun(void **state)
{
    (void)state;
    struct machine_result r = good();
    r.outcome = MACHINE_CANCELLED;
    assert_int_equal(judge(&r, 0, false), OUTCOME_VOID); /* pills fell */
    r.entries[0].counted = r.entries[1].counted = 0;
    assert_int_equal(judge(&r, 0, false), OUTCOME_CANCELLED);
}

static void a_result_for_something_else_is_not_believed(void **state)
{
    (void)state;
    const struct outcome_expected expected = {
        .seq = 7, .hash = 0xABCD, .entry_count = 2, .requested = {2, 1}};
    struct machine_result r = good();
    assert_null(outcome_doubt(&r, &expected));
    r.seq = 8;
    assert_non_null(outcome_doubt(&r, &expected));
    r = good();
    r.hash++;
    assert_non_null(outcome_doubt(&r, &expected));
    r = good();
    r.entry_count = 1;
    assert_non_null(outcome_doubt(&r, &expected));
    r = good();
    r.entries[1].requested = 2;
    assert_non_null(outcome_doubt(&r, &expected));
    r = good();
    r.outcome = (enum machine_outcome)9;
    assert_non_null(outcome_doubt(&r, &expected));
}

static void a_cut_off_pouch_blames_no_bay(void **state)
{
    (void)state;
    struct machine_result r = good();
    r.entries[0].counted = 1;
    r.outcome = MACHINE_VOID;
    r.reason = MACHINE_REASON_COUNT;
    assert_true(outcome_blames_bay(&r, 0));
    assert_false(outcome_blames_bay(&r, 1));
    r.reason = MACHINE_REASON_POWER_LOSS;
    assert_false(outcome_blames_bay(&r, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_reads_back),
        cmocka_unit_test(no_single_slip_of_a_token_passes),
        cmocka_unit_test(a_simulated_pouch_says_so_and_reads_back),
        cmocka_unit_test(good_needs_every_count_and_every_sensor),
        cmocka_unit_test(cancelled_is_only_a_pouch_that_was_never_begun),
        cmocka_unit_test(a_result_for_something_else_is_not_believed),
        cmocka_unit_test(a_cut_off_pouch_blames_no_bay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
