/* SPDX-License-Identifier: Apache-2.0 */
/* Which pouches a withdrawal meets, and what becomes of those that have no number yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/pack/withdraw.h"
#include "controller/store/store.h"
#include "tests/support/pharmacy.h"

enum { FIRST_DAY = 20780 };

struct attempt {
    struct pharmacy pharmacy;
    struct arena arena;
    struct withdraw_result result;
    struct error err;
};

static void begin(struct attempt *t)
{
    *t = (struct attempt){0};
    pharmacy_init(&t->pharmacy, 2, 4); /* plan 1 and 2: pouches 1, 3, 5, 7 of A and B, 2, 4, 6, 8 of C */
    arena_init(&t->arena, 0);
}

static void end(struct attempt *t)
{
    arena_finish(&t->arena);
    pharmacy_finish(&t->pharmacy);
}

static int ask(struct attempt *t, struct withdraw_request request)
{
    struct store *store = t->pharmacy.store;
    request.actor = "tech";
    request.wall_ms = 9;
    int rc = store_write_begin(store, &t->err);
    if (rc == 0)
        rc = batch_withdraw(store, &request, &t->arena, &t->result, &t->err);
    if (rc == 0)
        rc = store_write_commit(store, &t->err);
    store_write_rollback(store); /* nothing after a commit */
    return rc;
}

static struct withdraw_request whole(void)
{
    return (struct withdraw_request){.plan = 1, .from_day = CIVIL_DAY_NONE, .reason = "stopped"};
}

static int64_t count(struct attempt *t, const char *sql)
{
    return pharmacy_int(&t->pharmacy, sql);
}

static void a_product_an_order_and_a_day_choose_pouches(void **state)
{
    (void)state;
    struct attempt t;
    begin(&t);
    struct withdraw_request request = whole();
    request.product = "C";
    request.from_day = FIRST_DAY + 2;
    assert_int_equal(ask(&t, request), 0);
    assert_int_equal(t.result.count, 2);
    assert_int_equal(t.result.pouches[0].number, 6);
    assert_int_equal(t.result.pouches[0].day, FIRST_DAY + 2);
    assert_int_equal(t.result.pouches[0].minute, 22 * 60);
    assert_int_equal(t.result.pouches[1].number, 8);
    assert_int_equal(t.result.places[WITHDRAW_NOT_PACKED], 2);
    request = whole();
    request.order = "o-1-1"; /* of B: every morning pouch */
    assert_int_equal(ask(&t, request), 0);
    assert_int_equal(t.result.count, 4);
    assert_int_equal(t.result.pouches[3].number, 7);
    assert_string_equal(t.result.pouches[3].reason, "stopped");
    assert_int_equal(ask(&t, whole()), 0);
    assert_int_equal(t.result.count, 8);
    assert_int_equal(count(&t, "SELECT count(*) FROM withdrawn"), 8);
    assert_int_equal(count(&t, "SELECT count(*) FROM audit WHERE action = 'plan.withdraw'"), 3);
    assert_int_equal(withdraw_list(t.pharmacy.store, 2, &t.arena, &t.result, &t.err), 0);
    assert_int_equal(t.result.count, 0);
    end(&t);
}

static void what_has_no_number_is_cancelled_and_never_wanted_again(void **state)
{
    (void)state;
    struct attempt t;
    struct batch_created created;
    begin(&t);
    int64_t batch = pharmacy_batch(&t.pharmacy);
    pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'blocked', note = 'no canister' WHERE id = 2");
    pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'sent' WHERE id = 3");
    pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'good' WHERE id = 1");
    assert_int_equal(ask(&t, whole()), 0);
    assert_int_equal(t.result.places[WITHDRAW_PACKED], 1);
    assert_int_equal(t.result.places[WITHDRAW_IN_MACHINE], 1);
    assert_int_equal(t.result.places[WITHDRAW_NOT_PACKED], 6);
    assert_int_equal(t.result.pouches[2].batch, batch);
    assert_int_equal(count(&t, "SELECT count(*) FROM job WHERE plan_id = 1 AND state = 'cancelled' AND note ="
                               " 'stopped'"),
                     6);
    assert_int_equal(count(&t, "SELECT count(*) FROM job WHERE plan_id = 2 AND state = 'waiting'"), 8);
    const struct batch_request again = {.machine = "m1", .actor = "tech", .wall_ms = 10};
    assert_int_equal(batch_create(t.pharmacy.store, &again, &t.arena, &created, &t.err), E_EXISTS);
    end(&t);
}

static void made_pouches_stay_where_a_plan_is_only_replaced(void **state)
{
    (void)state;
    struct attempt t;
    begin(&t);
    (void)pharmacy_batch(&t.pharmacy);
    pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'sent' WHERE id = 3");
    pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'good' WHERE id IN (1, 2)");
    struct withdraw_request request = whole();
    request.unmade_only = true;
    assert_int_equal(ask(&t, request), 0);
    assert_int_equal(t.result.count, 6);
    assert_int_equal(t.result.pouches[0].number, 3);
    assert_int_equal(t.result.places[WITHDRAW_IN_MACHINE], 1);
    assert_int_equal(t.result.places[WITHDRAW_NOT_PACKED], 5);
    assert_int_equal(t.result.places[WITHDRAW_PACKED], 0);
    end(&t);
}

static void a_slip_changes_nothing(void **state)
{
    (void)state;
    struct attempt t;
    begin(&t);
    struct withdraw_request request = whole();
    request.plan = 99;
    assert_int_equal(ask(&t, request), E_NOT_FOUND);
    request = whole();
    request.product = "Z";
    assert_int_equal(ask(&t, request), E_NOT_FOUND);
    request = whole();
    request.order = "o-2-0";
    assert_int_equal(ask(&t, request), E_NOT_FOUND);
    request = whole();
    request.reason = "";
    assert_int_equal(ask(&t, request), E_ARG);
    assert_int_equal(count(&t, "SELECT count(*) FROM withdrawn"), 0);
    end(&t);
}

static void a_plan_that_cannot_be_read_is_withdrawn_whole(void **state)
{
    (void)state;
    struct attempt t;
    begin(&t);
    (void)pharmacy_batch(&t.pharmacy);
    pharmacy_exec(&t.pharmacy, "UPDATE plan SET text = x'00' WHERE id = 1");
    struct withdraw_request request = whole();
    request.product = "A";
    assert_int_equal(ask(&t, request), E_TAMPERED);
    assert_int_equal(ask(&t, whole()), 0);
    assert_int_equal(t.result.count, 8);
    assert_int_equal(t.result.pouches[0].day, CIVIL_DAY_NONE);
    assert_int_equal(count(&t, "SELECT count(*) FROM job WHERE plan_id = 1 AND state <> 'cancelled'"), 0);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_an_order_and_a_day_choose_pouches),
        cmocka_unit_test(what_has_no_number_is_cancelled_and_never_wanted_again),
        cmocka_unit_test(made_pouches_stay_where_a_plan_is_only_replaced),
        cmocka_unit_test(a_slip_changes_nothing),
        cmocka_unit_test(a_plan_that_cannot_be_read_is_withdrawn_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
