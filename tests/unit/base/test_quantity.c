/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "config/base/quantity.h"

static void texts_round_trip(void **state)
{
    (void)state;
    for (int64_t milli = -20000; milli <= 20000; milli++) {
        char text[QUANTITY_TEXT_BYTES];
        int64_t got, from_double;
        quantity_format(milli, text);
        assert_true(quantity_parse(text, &got));
        assert_int_equal(got, milli);
        assert_true(quantity_from_double(strtod(text, NULL), &from_double));
        assert_int_equal(from_double, milli);
    }
}

static void what_is_not_on_the_grid_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-",  ".5", "1.",  "1.0001",     "1e3",
                                      "1,5", " 1", "1 ", "0x1", "1000000001", "NaN"};
    int64_t got = 5;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(quantity_parse(bad[i], &got));
    assert_false(quantity_from_double(1.0 / 3.0, &got));
    assert_false(quantity_from_double(0.0005, &got));
    assert_false(quantity_from_double(NAN, &got));
    assert_false(quantity_from_double(INFINITY, &got));
    assert_false(quantity_from_double(1e12, &got));
    assert_int_equal(got, 5);
    assert_true(quantity_parse("1.5000", &got));
    assert_int_equal(got, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_round_trip),
        cmocka_unit_test(what_is_not_on_the_grid_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
