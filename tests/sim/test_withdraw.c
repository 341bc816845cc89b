/* SPDX-License-Identifier: Apache-2.0 */
/* Pouches that are withdrawn, or whose canister is changed, while the line runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/pack/withdraw.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "tests/sim/rig.h"

enum { MINUTE_MS = 60000, LIMIT_MS = 20 * MINUTE_MS };

static int64_t rig_good_before; /* of the first plan, when it was withdrawn */

static void withdraw(struct rig *rig, const struct withdraw_request *request, size_t places[WITHDRAW_PLACES])
{
    struct error err = {0};
    struct arena arena;
    struct withdraw_result result;
    struct withdraw_request whole = *request;
    struct store *store = rig->pharmacy.store;
    whole.reason = "order stopped";
    whole.actor = "tech";
    whole.wall_ms = 7;
    arena_init(&arena, 0);
    if (store_write_begin(store, &err) < 0 || batch_withdraw(store, &whole, &arena, &result, &err) < 0 ||
        store_write_commit(store, &err) < 0)
        fail_msg("%s", err.message);
    memcpy(places, result.places, sizeof result.places);
    rig_good_before = (int64_t)result.places[WITHDRAW_PACKED];
    arena_finish(&arena);
    packer_orders(rig->packer);
}

static const struct withdraw_request first_plan = {.plan = 1, .from_day = CIVIL_DAY_NONE};

static int64_t count(struct rig *rig, const char *sql)
{
    return pharmacy_int(&rig->pharmacy, sql);
}

static int64_t good_of(struct rig *rig, int plan)
{
    return count(rig, plan == 1 ? "SELECT count(*) FROM job WHERE state = 'good' AND plan_id = 1"
                                : "SELECT count(*) FROM job WHERE state = 'good' AND plan_id = 2");
}

static void run_until_good(struct rig *rig, int64_t wanted)
{
    for (int i = 0; i < 100000; i++) {
        if (good_of(rig, 1) + good_of(rig, 2) >= wanted)
            return;
        rig_run_ms(rig, 20);
    }
    fail_msg("%d pouches are not made: %s", (int)wanted, packer_note(rig->packer));
}

/* The first plan is withdrawn, the second is whole, nothing is open. */
static void check_end(struct rig *rig, int64_t batch)
{
    rig_check(rig, batch, false);
    rig_expect_batch(rig, batch, "done", "");
    assert_int_equal(count(rig, "SELECT count(*) FROM job WHERE plan_id = 2 AND state <> 'good'"), 0);
    assert_int_equal(
        count(rig, "SELECT count(*) FROM job WHERE plan_id = 1 AND state NOT IN ('good', 'cancelled')"), 0);
    /* Each that was made although withdrawn is called out: the store has no other way to a good one. */
    assert_int_equal(count(rig, "SELECT count(*) FROM alarm WHERE number = 903"),
                     good_of(rig, 1) - rig_good_before);
}

/* Hazard H6. */
static void what_waits_is_cancelled_at_once_and_what_is_queued_at_the_next_edge(void **state)
{
    (void)state;
    struct rig rig;
    size_t places[WITHDRAW_PLACES];
    rig_init(&rig, &(struct rig_params){.patients = 2, .days = 10, .seed = 5});
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    int64_t good = good_of(&rig, 1);
    withdraw(&rig, &first_plan, places);
    assert_int_equal(places[WITHDRAW_PACKED], good);
    assert_true(places[WITHDRAW_IN_MACHINE] > 2); /* the queue is filled ahead */
    assert_int_equal(places[WITHDRAW_NOT_PACKED], 20 - good - (int64_t)places[WITHDRAW_IN_MACHINE]);
    assert_true(rig_run_batch(&rig, batch, LIMIT_MS));
    /* Two stations: at most so many were begun before the machine heard of it. */
    assert_in_range(good_of(&rig, 1), good, good + 3);
    assert_true(count(&rig, "SELECT count(*) FROM fill WHERE state = 'cancelled'") > 0);
    check_end(&rig, batch);
    rig_expect_batch(&rig, batch, "done", "were withdrawn");
    withdraw(&rig, &first_plan, places); /* again: nothing changes, and it is known what must be pulled */
    assert_int_equal(places[WITHDRAW_PACKED], good_of(&rig, 1));
    assert_int_equal(places[WITHDRAW_IN_MACHINE], 0);
    assert_int_equal(count(&rig, "SELECT count(*) FROM withdrawn"), 20);
    rig_finish(&rig);
}

/* One batch of which a plan is withdrawn after `good` pouches, in which the controller dies at boundary `at`.
 */
static uint64_t one_death(uint64_t at, int64_t good, bool paused)
{
    struct rig rig;
    size_t places[WITHDRAW_PLACES];
    rig_init(&rig, &(struct rig_params){.patients = 2, .days = 5, .seed = 5, .crash_at = at});
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, good);
    if (paused)
        rig_order(&rig, batch, "pause", true);
    withdraw(&rig, &first_plan, places);
    if (paused) {
        rig_run_ms(&rig, 5000);
        assert_int_equal(count(&rig,
                               "SELECT count(*) FROM fill f JOIN job j ON j.id = f.job_id WHERE f.state ="
                               " 'intended' AND j.plan_id = 1"),
                         0); /* out of the machine though nothing is packed */
        rig_order(&rig, batch, "resume", true);
    }
    assert_true(rig_run_batch(&rig, batch, LIMIT_MS));
    check_end(&rig, batch);
    uint64_t boundaries = rig.boundary;
    rig_finish(&rig);
    return boundaries;
}

static void the_controller_may_die_at_any_step_of_it(void **state)
{
    (void)state;
    uint64_t all = one_death(0, 4, false), runs = 0;
    for (uint64_t at = 20; at <= all; at += 1 + all / 24, runs++)
        (void)one_death(at, 4, false);
    print_message("%" PRIu64 " boundaries, %" PRIu64 " deaths\n", all, runs);
    for (uint64_t at = 20; at <= all; at += 1 + all / 6)
        (void)one_death(at, 4, true);
}

/* The power goes, so the queue is lost and must be written again; what is withdrawn meanwhile is written, for
 * numbers are never skipped, but not made. */
static void what_is_withdrawn_in_the_dark_is_never_begun(void **state)
{
    (void)state;
    for (uint64_t step = 50; step < 250; step += 20) {
        struct rig rig;
        size_t places[WITHDRAW_PLACES];
        rig_init(&rig, &(struct rig_params){.patients = 2, .days = 5, .seed = 5, .cut_at = step});
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        for (int i = 0; i < 100000 && world_has_power(rig.world); i++)
            rig_run_ms(&rig, 5);
        assert_false(world_has_power(rig.world));
        withdraw(&rig, &first_plan, places);
        int64_t begun = (int64_t)world_truth_count(rig.world);
        assert_true(rig_run_batch(&rig, batch, LIMIT_MS));
        check_end(&rig, batch);
        for (size_t i = (size_t)begun; i < world_truth_count(rig.world); i++) {
            const struct world_truth *truth = world_truth(rig.world, i);
            char sql[128];
            (void)snprintf(
                sql, sizeof sql,
                "SELECT j.plan_id FROM fill f JOIN job j ON j.id = f.job_id WHERE f.seq = %" PRIu32,
                truth->seq);
            if (truth->printed)
                assert_int_equal(count(&rig, sql), 2);
        }
        rig_finish(&rig);
    }
}

static enum machine_state state_of(struct rig *rig)
{
    struct machine_status status;
    world_status(rig->world, &status);
    return status.state;
}

/* Orders for bay 3 lie in the machine's queue when its canister is changed. The simulated machine would
 * notice by itself; a packer that does not must not be let go on. */
static void a_canister_changed_while_held_takes_its_numbers_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, &(struct rig_params){.patients = 2, .days = 10, .seed = 5, .no_attend = true});
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    world_set_film(rig.world, 10, 100000);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    assert_int_equal(state_of(&rig), MACHINE_STATE_HELD);
    world_seat(rig.world, 3, 77, 100);
    world_set_film(rig.world, 100000, 100000);
    int64_t done = count(&rig, "SELECT retired FROM machine");
    rig_order(&rig, batch, "start", true);
    assert_true(rig_run_batch(&rig, batch, LIMIT_MS));
    char sql[160];
    (void)snprintf(
        sql, sizeof sql,
        "SELECT count(*) FROM fill f JOIN fill_item i ON i.fill_id = f.id WHERE i.bay = 3 AND f.seq >"
        " %" PRId64 " + 2 AND f.state <> 'cancelled'",
        done);
    assert_int_equal(count(&rig, sql), 0);
    assert_true(count(&rig, "SELECT count(*) FROM fill WHERE state = 'cancelled'") > 0);
    assert_int_equal(count(&rig, "SELECT count(*) FROM alarm WHERE number = 15"), 0); /* it never tried */
    rig_expect_batch(&rig, batch, "stopped", "could not be made");
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill WHERE state = 'intended'"), 0);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_cancelled_at_once_and_what_is_queued_at_the_next_edge),
        cmocka_unit_test(the_controller_may_die_at_any_step_of_it),
        cmocka_unit_test(what_is_withdrawn_in_the_dark_is_never_begun),
        cmocka_unit_test(a_canister_changed_while_held_takes_its_numbers_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
