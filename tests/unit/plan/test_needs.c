/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/needs.h"
#include "controller/store/store.h"
#include "tests/support/pharmacy.h"

enum { PATIENTS = 3, DAYS = 4 };

static void assert_need(const struct stock_need *need, const char *code, enum roll_piece piece,
                        int64_t pieces)
{
    assert_string_equal(need->product_code, code);
    assert_int_equal(need->piece, piece);
    assert_int_equal(need->pieces, pieces);
}

static void signed_plans_add_up_by_product_and_piece(void **state)
{
    (void)state;
    struct pharmacy pharmacy;
    struct plan_needs needs;
    struct error err = {0};
    int32_t last = 0;
    pharmacy_init(&pharmacy, PATIENTS, DAYS);
    assert_int_equal(plan_needs_read(pharmacy.store, &needs, &err), 0);
    assert_true(civil_parse("2026-11-26", &last));
    assert_int_equal(needs.pouches, PATIENTS * DAYS * PHARMACY_POUCHES_A_DAY);
    assert_int_equal(needs.last_day, last);
    assert_int_equal(needs.count, 4);
    assert_need(&needs.needs[0], "A", ROLL_WHOLE, PATIENTS * DAYS);
    assert_need(&needs.needs[1], "B", ROLL_WHOLE, PATIENTS * DAYS);
    assert_need(&needs.needs[2], "B", ROLL_HALF, PATIENTS * DAYS);
    assert_need(&needs.needs[3], "C", ROLL_WHOLE, 2 * PATIENTS * DAYS);
    plan_needs_finish(&needs);
    pharmacy_finish(&pharmacy);
}

static void drafts_and_packed_pouches_need_nothing(void **state)
{
    (void)state;
    struct pharmacy pharmacy;
    struct plan_needs needs;
    struct error err = {0};
    pharmacy_init(&pharmacy, PATIENTS, DAYS);
    (void)pharmacy_batch(&pharmacy);
    pharmacy_exec(&pharmacy, "UPDATE plan SET state = 'superseded' WHERE id = 1");
    pharmacy_exec(&pharmacy, "UPDATE job SET state = 'good' WHERE plan_id = 2 AND pouch <> 1");
    pharmacy_exec(&pharmacy, "UPDATE job SET state = 'good' WHERE plan_id = 3");
    assert_int_equal(plan_needs_read(pharmacy.store, &needs, &err), 0);
    assert_int_equal(needs.pouches, 1);
    assert_int_equal(needs.count, 3);
    assert_need(&needs.needs[0], "A", ROLL_WHOLE, 1);
    plan_needs_finish(&needs);
    pharmacy_exec(&pharmacy, "UPDATE job SET state = 'good'");
    assert_int_equal(plan_needs_read(pharmacy.store, &needs, &err), 0);
    assert_int_equal(needs.count, 0);
    assert_int_equal(needs.last_day, CIVIL_DAY_NONE);
    plan_needs_finish(&needs);
    pharmacy_finish(&pharmacy);
}

static void a_broken_text_is_named(void **state)
{
    (void)state;
    struct pharmacy pharmacy;
    struct plan_needs needs;
    struct error err = {0};
    pharmacy_init(&pharmacy, PATIENTS, DAYS);
    pharmacy_exec(&pharmacy, "UPDATE plan SET text = x'00' WHERE id = 2");
    assert_true(plan_needs_read(pharmacy.store, &needs, &err) < 0);
    assert_non_null(strstr(err.message, "plan 2"));
    pharmacy_finish(&pharmacy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_plans_add_up_by_product_and_piece),
        cmocka_unit_test(drafts_and_packed_pouches_need_nothing),
        cmocka_unit_test(a_broken_text_is_named),
    };
    return cmocka_run_group_tests_name("needs", tests, NULL, NULL);
}
