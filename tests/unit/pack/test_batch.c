/* SPDX-License-Identifier: Apache-2.0 */
/* Making batches of signed plans: once each, only what is signed, only what the machine can give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "tests/support/pharmacy.h"

struct attempt {
    struct pharmacy pharmacy;
    struct arena arena;
    struct batch_created created;
    struct error err;
};

static void begin(struct attempt *t)
{
    *t = (struct attempt){0};
    pharmacy_init(&t->pharmacy, 3, 4);
    arena_init(&t->arena, 0);
}

static void end(struct attempt *t)
{
    arena_finish(&t->arena);
    pharmacy_finish(&t->pharmacy);
}

static int create(struct attempt *t, const char *const *patients, size_t count, bool dry_run)
{
    const struct batch_request request = {.machine = "m1",
                                          .actor = "tech",
                                          .wall_ms = 5,
                                          .patients = patients,
                                          .patient_count = count,
                                          .dry_run = dry_run};
    t->created = (struct batch_created){0};
    return batch_create(t->pharmacy.store, &request, &t->arena, &t->created, &t->err);
}

static void every_signed_pouch_becomes_one_job(void **state)
{
    (void)state;
    struct attempt t;
    struct batch_info info;
    begin(&t);
    assert_int_equal(create(&t, NULL, 0, true), 0); /* dry run */
    assert_int_equal(t.created.id, 0);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM job"), 0);
    assert_int_equal(create(&t, NULL, 0, false), 0);
    assert_int_equal(t.created.plans, 3);
    assert_int_equal(t.created.pouches, 24);
    assert_int_equal(t.created.pieces, 3 * 4 * 5);
    assert_int_equal(t.created.need_count, 4);
    assert_string_equal(t.created.needs[1].code, "B");
    assert_int_equal(t.created.needs[1].piece, ROLL_WHOLE);
    assert_int_equal(t.created.needs[2].piece, ROLL_HALF);
    assert_int_equal(t.created.needs[0].canisters, 2);
    assert_int_equal(t.created.short_count, 0);
    assert_int_equal(batch_get(t.pharmacy.store, t.created.id, &info, &t.err), 0);
    assert_string_equal(info.state, "created");
    assert_int_equal(info.waiting, 24);
    assert_int_equal(info.simulated, -1);
    assert_false(batch_is_resting(&info));
    end(&t);
}

static void asking_twice_makes_nothing_twice(void **state)
{
    (void)state;
    struct attempt t;
    static const char *const second[] = {"pat-2"};
    begin(&t);
    assert_int_equal(create(&t, second, 1, false), 0);
    assert_int_equal(t.created.pouches, 8);
    assert_int_equal(create(&t, second, 1, false), E_EXISTS);
    assert_int_equal(create(&t, NULL, 0, false), 0); /* the others */
    assert_int_equal(t.created.plans, 2);
    assert_int_equal(create(&t, NULL, 0, false), E_EXISTS);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM batch"), 2);
    /* What a cancelled batch left is free again, what it made is not. */
    pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'cancelled' WHERE batch_id = 1 AND position > 3");
    assert_int_equal(create(&t, second, 1, false), 0);
    assert_int_equal(t.created.pouches, 5);
    end(&t);
}

static void only_signed_plans_are_taken(void **state)
{
    (void)state;
    struct attempt t;
    static const char *const named[] = {"pat-1", "pat-3"}, *const nobody[] = {"pat-9"},
                             *const twice[] = {"pat-1", "pat-1"};
    begin(&t);
    assert_int_equal(create(&t, nobody, 1, false), E_NOT_FOUND);
    assert_non_null(strstr(t.err.message, "pat-9"));
    assert_int_equal(create(&t, twice, 2, false), E_ARG);
    pharmacy_exec(&t.pharmacy, "UPDATE plan SET state = 'draft' WHERE id = 3");
    assert_int_equal(create(&t, named, 2, false), E_NOT_FOUND);
    pharmacy_exec(&t.pharmacy, "UPDATE plan SET state = 'signed' WHERE id = 3");
    pharmacy_exec(&t.pharmacy, "UPDATE signature SET statement = x'41' WHERE plan_id = 3");
    assert_int_equal(create(&t, named, 2, false), E_TAMPERED);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM batch"), 0); /* all or nothing */
    end(&t);
}

static void a_product_without_a_canister_is_refused_and_a_short_one_told(void **state)
{
    (void)state;
    struct attempt t;
    begin(&t);
    pharmacy_exec(&t.pharmacy, "UPDATE canister SET level = 7 WHERE bay = 3");
    assert_int_equal(create(&t, NULL, 0, true), 0);
    assert_int_equal(t.created.short_count, 1);
    assert_int_equal(t.created.needs[3].available, 7);
    assert_int_equal(t.created.needs[3].pieces, 24);
    pharmacy_exec(&t.pharmacy, "UPDATE canister SET machine = NULL, bay = NULL WHERE bay = 2");
    assert_int_equal(create(&t, NULL, 0, false), E_NOT_FOUND);
    assert_non_null(strstr(t.err.message, "B (half)"));
    assert_int_equal(t.created.need_count, 4);
    assert_int_equal(t.created.needs[2].canisters, 0);
    pharmacy_exec(&t.pharmacy,
                  "UPDATE canister SET machine = 'm1', bay = 2, expiry_day = 20781 WHERE id = 3");
    assert_int_equal(create(&t, NULL, 0, false), E_NOT_FOUND); /* expires before the last pouch is taken */
    end(&t);
}

static void what_people_ask_becomes_a_command_and_an_audit_row(void **state)
{
    (void)state;
    struct attempt t;
    char result[BATCH_NOTE_BYTES] = "";
    int64_t command = 0;
    begin(&t);
    assert_int_equal(batch_ask(t.pharmacy.store, 1, "start", "tech", 6, &command, &t.err), E_NOT_FOUND);
    assert_int_equal(create(&t, NULL, 0, false), 0);
    assert_int_equal(batch_ask(t.pharmacy.store, 1, "start", "tech", 6, &command, &t.err), 0);
    assert_int_equal(command_result(t.pharmacy.store, command, result, &t.err), 0);
    pharmacy_exec(&t.pharmacy, "UPDATE command SET taken_ms = 7, result = 'taken'");
    assert_int_equal(command_result(t.pharmacy.store, command, result, &t.err), 1);
    assert_string_equal(result, "taken");
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM audit WHERE action = 'command.start'"),
                     1);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signed_pouch_becomes_one_job),
        cmocka_unit_test(asking_twice_makes_nothing_twice),
        cmocka_unit_test(only_signed_plans_are_taken),
        cmocka_unit_test(a_product_without_a_canister_is_refused_and_a_short_one_told),
        cmocka_unit_test(what_people_ask_becomes_a_command_and_an_audit_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
