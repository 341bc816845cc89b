/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another machine stands where a batch was begun. A new serial is nothing to go on with by itself: pouches
 * of the batch may lie in the old machine. A person decides; then each of them is void and made again, and
 * the old machine may come back later without a word of its own changing that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "tests/sim/rig.h"

enum { MINUTE_MS = 60000, JOBS = 20 };

static void begin(struct rig *rig)
{
    rig_init(rig, &(struct rig_params){.patients = 2, .days = 5, .seed = 5, .no_attend = true});
}

static int64_t count(struct rig *rig, const char *sql)
{
    return pharmacy_int(&rig->pharmacy, sql);
}

static void run_until_good(struct rig *rig, int64_t good)
{
    for (int i = 0; i < 100000; i++) {
        if (count(rig, "SELECT count(*) FROM job WHERE state = 'good'") >= good)
            return;
        rig_run_ms(rig, 20);
    }
    fail_msg("%d pouches are not made: %s", (int)good, packer_note(rig->packer));
}

/* Another machine on the line, and the batch stands; the old machine is given back. */
static struct world *swap_in_mid_batch(struct rig *rig, int64_t *ret_batch, bool power)
{
    begin(rig);
    int64_t batch = pharmacy_batch(&rig->pharmacy);
    run_until_good(rig, 5);
    assert_true(count(rig, "SELECT count(*) FROM fill WHERE state = 'intended'") > 2);
    struct world *old = rig->world;
    if (power)
        world_power_off(old);
    rig_swap(rig, rig_world(rig, 1));
    assert_true(rig_run_batch(rig, batch, MINUTE_MS));
    assert_int_equal(packer_line_state(rig->packer), LINE_HALTED);
    rig_expect_batch(rig, batch, "stopped", "SIM00001");
    *ret_batch = batch;
    return old;
}

static void another_machine_in_mid_batch_stops_and_asks(void **state)
{
    (void)state;
    struct rig rig;
    struct machine_status mirror;
    int64_t batch = 0;
    struct world *old = swap_in_mid_batch(&rig, &batch, false);
    int64_t open = count(&rig, "SELECT count(*) FROM fill WHERE state = 'intended'");
    rig_run_ms(&rig, MINUTE_MS);
    rig_order(&rig, 0, "clear", true); /* looking again changes nothing */
    rig_run_ms(&rig, MINUTE_MS);
    rig_order(&rig, batch, "start", true); /* nor does a start */
    rig_run_ms(&rig, MINUTE_MS);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_expect_batch(&rig, batch, "stopped", "SIM00001");
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill WHERE state = 'intended'"), open);
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill WHERE serial = 'SIM00002'"), 0);
    world_status(rig.world, &mirror);
    assert_int_equal(mirror.accepted, 0);
    assert_int_equal(count(&rig, "SELECT count(*) > 0 FROM alarm WHERE text LIKE '%SIM00001%'"), 1);
    world_destroy(old);
    rig_finish(&rig);
}

static void a_person_voids_what_lies_in_the_old_machine_and_the_batch_ends(void **state)
{
    (void)state;
    struct rig rig;
    int64_t batch = 0;
    struct world *old = swap_in_mid_batch(&rig, &batch, true);
    int64_t open = count(&rig, "SELECT count(*) FROM fill WHERE state = 'intended'");
    rig_order(&rig, 0, "adopt", true);
    rig_run_ms(&rig, 5000);
    assert_int_not_equal(packer_line_state(rig.packer), LINE_HALTED);
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill WHERE state = 'intended'"), 0);
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill WHERE state = 'void' AND serial = 'SIM00001'"
                                 " AND reason LIKE '%replaced%'"),
                     open);
    assert_int_equal(count(&rig, "SELECT count(*) FROM job WHERE state = 'sent'"), 0);
    assert_int_equal(count(&rig, "SELECT count(*) FROM audit WHERE action = 'machine.replace'"
                                 " AND actor = 'tech'"),
                     1);
    rig_order(&rig, batch, "start", true);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check_books(&rig, batch);
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill WHERE state = 'good'"), JOBS);
    /* Each of them is made again under a number of the new machine, and linked. */
    assert_int_equal(count(&rig, "SELECT count(*) FROM fill n JOIN fill o ON o.id = n.remake_of"
                                 " WHERE n.serial = 'SIM00002' AND o.serial = 'SIM00001'"),
                     open);
    world_destroy(old);
    rig_finish(&rig);
}

static void expect_nothing_new(struct rig *rig, struct world *old, uint32_t printed)
{
    uint32_t now = 0;
    for (size_t i = 0; i < world_truth_count(old); i++)
        now += world_truth(old, i)->printed;
    assert_int_equal(now, printed);
    assert_int_equal(count(rig, "SELECT count(*) FROM fill WHERE state = 'good'"), JOBS);
}

static void pick_up(struct rig *rig)
{
    struct machine_status mirror;
    world_status(rig->world, &mirror);
    for (int i = 0; i < 20 && mirror.state == MACHINE_STATE_ABORTED; i++) {
        rig_order(rig, 0, mirror.started > mirror.done ? "confirm" : "clear", true);
        rig_run_ms(rig, 5000);
        world_status(rig->world, &mirror);
    }
}

/* What the old machine had made or kept queued meanwhile is read and stays void. */
static void the_old_machine_comes_back(bool power)
{
    struct rig rig;
    int64_t batch = 0;
    uint32_t printed = 0;
    struct machine_status mirror;
    struct world *old = swap_in_mid_batch(&rig, &batch, power);
    rig_order(&rig, 0, "adopt", true);
    rig_order(&rig, batch, "start", true);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check_books(&rig, batch);
    struct world *second = rig.world;
    rig_swap(&rig, old);
    if (power)
        world_power_on(old);
    world_advance(old, rig.clock.mono_now_ms * 1000); /* it finished what it had begun, alone */
    for (size_t i = 0; i < world_truth_count(old); i++)
        printed += world_truth(old, i)->printed;
    rig_run_ms(&rig, MINUTE_MS);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED); /* who swaps back says so, too */
    rig_order(&rig, 0, "adopt", true);
    rig_run_ms(&rig, MINUTE_MS);
    pick_up(&rig);
    rig_run_ms(&rig, MINUTE_MS);
    assert_int_not_equal(packer_line_state(rig.packer), LINE_HALTED);
    world_status(old, &mirror);
    int64_t issued = count(&rig, "SELECT next_seq - 1 FROM machine WHERE serial = 'SIM00001'");
    assert_int_equal(mirror.done, issued); /* cancelled by the machine, number by number (C8) */
    assert_int_equal(mirror.retired, issued);
    assert_int_equal(count(&rig, "SELECT retired FROM machine WHERE serial = 'SIM00001'"), issued);
    expect_nothing_new(&rig, old, printed);
    rig_check_books(&rig, batch);
    /* And it works on. */
    pharmacy_exec(&rig.pharmacy, "UPDATE canister SET level = 300");
    pharmacy_exec(&rig.pharmacy, "UPDATE job SET state = 'cancelled' WHERE state = 'good' AND position < 6");
    pharmacy_exec(&rig.pharmacy, "UPDATE fill SET state = 'void' WHERE job_id IN (SELECT id FROM job WHERE"
                                 " state = 'cancelled')");
    int64_t again = pharmacy_batch(&rig.pharmacy);
    packer_orders(rig.packer);
    assert_true(rig_run_batch(&rig, again, 10 * MINUTE_MS));
    rig_check_books(&rig, again);
    world_destroy(second);
    rig_finish(&rig);
}

static void the_old_machine_comes_back_and_its_pouches_stay_void(void **state)
{
    (void)state;
    the_old_machine_comes_back(false);
}

static void the_old_machine_comes_back_from_a_power_loss(void **state)
{
    (void)state;
    the_old_machine_comes_back(true);
}

/* The word was given for the machine that was there. */
static void a_word_for_one_machine_is_none_for_the_next(void **state)
{
    (void)state;
    struct rig rig;
    int64_t batch = 0;
    struct world *old = swap_in_mid_batch(&rig, &batch, true);
    struct world *second = rig.world;
    world_power_off(second);
    rig_order(&rig, 0, "adopt", true); /* but nobody answers */
    rig_run_ms(&rig, 1000);
    rig_swap(&rig, rig_world(&rig, 2));
    rig_run_ms(&rig, MINUTE_MS);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_expect_batch(&rig, batch, "stopped", "SIM00001");
    assert_true(count(&rig, "SELECT count(*) FROM fill WHERE state = 'intended'") > 0);
    world_destroy(old);
    world_destroy(second);
    rig_finish(&rig);
}

/* Nothing is open anywhere, and still: another serial, or a cleared memory, is for a person to explain. */
static void a_spare_machine_without_open_pouches_waits_for_a_person(void **state)
{
    (void)state;
    struct rig rig;
    struct machine_status mirror;
    begin(&rig);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    struct world *old = rig.world;
    rig_swap(&rig, rig_world(&rig, 1));
    rig_run_ms(&rig, 5000);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    assert_non_null(strstr(packer_note(rig.packer), "SIM00001 stood here before"));
    rig_crash(&rig); /* a new process is no new answer */
    rig_run_ms(&rig, 5000);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_order(&rig, 0, "adopt", true);
    rig_run_ms(&rig, 5000);
    assert_int_not_equal(packer_line_state(rig.packer), LINE_HALTED);
    assert_int_equal(
        count(&rig, "SELECT count(*) FROM machine_place WHERE serial = 'SIM00002' AND actor = 'tech'"), 1);
    rig_crash(&rig); /* and the word holds */
    rig_run_ms(&rig, 5000);
    assert_int_not_equal(packer_line_state(rig.packer), LINE_HALTED);
    world_status(rig.world, &mirror);
    assert_int_equal(mirror.accepted, 0);
    struct world *second = rig.world;
    rig_swap(&rig, old); /* the first one again is another machine, too */
    rig_run_ms(&rig, 5000);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    world_destroy(second);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_machine_in_mid_batch_stops_and_asks),
        cmocka_unit_test(a_person_voids_what_lies_in_the_old_machine_and_the_batch_ends),
        cmocka_unit_test(the_old_machine_comes_back_and_its_pouches_stay_void),
        cmocka_unit_test(the_old_machine_comes_back_from_a_power_loss),
        cmocka_unit_test(a_word_for_one_machine_is_none_for_the_next),
        cmocka_unit_test(a_spare_machine_without_open_pouches_waits_for_a_person),
    };
    return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
