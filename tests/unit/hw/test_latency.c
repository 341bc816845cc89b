/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw/machine_latency.h"

static void percentiles_are_at_most_an_eighth_too_high(void **state)
{
    (void)state;
    struct latency latency = {0};
    assert_int_equal(latency_percentile(&latency, 990), 0);
    for (uint32_t ms = 1; ms <= 1000; ms++)
        latency_add(&latency, ms);
    for (uint32_t permille = 1; permille <= 1000; permille += 37) {
        uint32_t got = latency_percentile(&latency, permille);
        assert_in_range(got, permille, permille + permille / 8);
    }
    assert_int_equal(latency_percentile(&latency, 10), 10); /* exact below 16 */
    assert_int_equal(latency_percentile(&latency, 1000), 1000);
}

static void the_worst_is_kept_exactly(void **state)
{
    (void)state;
    struct latency latency = {0};
    for (int i = 0; i < 99; i++)
        latency_add(&latency, 0);
    latency_add(&latency, UINT32_MAX);
    assert_int_equal(latency_percentile(&latency, 990), 0);
    assert_int_equal(latency_percentile(&latency, 1000), UINT32_MAX);
    assert_int_equal(latency.worst_ms, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_at_most_an_eighth_too_high),
        cmocka_unit_test(the_worst_is_kept_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
