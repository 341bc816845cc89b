/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/hw/rig.h"

/* ---- rules M1 to M7 ---- */

static void m1_takes_only_the_owners_next_number_while_the_ring_has_room(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_wait(&rig, 20);
    assert_int_equal(rig_put(&rig, 1), WORLD_FENCED); /* nobody owns it yet */
    assert_int_equal(rig_control(&rig, MACHINE_COMMAND_NONE, 0), WORLD_TAKEN);
    assert_int_equal(rig_put(&rig, 2), WORLD_TAKEN); /* not A + 1: ignored */
    assert_int_equal(rig_status(&rig).accepted, 0);
    for (uint32_t s = 1; s <= 8; s++) {
        assert_int_equal(rig_put(&rig, s), WORLD_TAKEN);
        assert_int_equal(rig_status(&rig).accepted, s);
    }
    assert_int_equal(rig_put(&rig, 9), WORLD_TAKEN); /* A - W = R: ignored */
    assert_int_equal(rig_status(&rig).accepted, 8);
    rig.session = 2;
    assert_int_equal(rig_put(&rig, 9), WORLD_FENCED);
    rig_finish(&rig);
}

static void m1_refuses_a_job_that_it_could_not_fill(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_wait(&rig, 20);
    rig_control(&rig, MACHINE_COMMAND_NONE, 0);
    struct machine_job job = rig_job(1);
    job.entries[1].bay = 20;
    assert_int_equal(world_put(rig.world, &job, 1), WORLD_BAD_VALUE);
    job = rig_job(1);
    job.entries[1].bay = job.entries[0].bay;
    assert_int_equal(world_put(rig.world, &job, 1), WORLD_BAD_VALUE);
    job = rig_job(1);
    job.entries[0].count = 0;
    assert_int_equal(world_put(rig.world, &job, 1), WORLD_BAD_VALUE);
    assert_int_equal(rig_status(&rig).accepted, 0);
    rig_finish(&rig);
}

static void m2_a_repeated_number_is_ignored_without_error(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    for (uint32_t s = 1; s <= 3; s++)
        rig_put(&rig, s);
    struct machine_job other = rig_job(2); /* the first content under a number stays */
    other.hash = 1;
    other.entries[0].count = 9;
    assert_int_equal(world_put(rig.world, &other, 1), WORLD_TAKEN);
    assert_int_equal(rig_put(&rig, 1), WORLD_TAKEN);
    assert_int_equal(rig_status(&rig).accepted, 3);
    rig_run(&rig, 8000);
    for (uint32_t s = 1; s <= 3; s++)
        assert_int_equal(rig_put(&rig, s), WORLD_TAKEN);
    rig_run(&rig, 8000);
    assert_int_equal(rig_status(&rig).accepted, 3);
    assert_int_equal(rig_status(&rig).done, 3);
    assert_int_equal(rig_result(&rig, 2).hash, 0xABC00002);
    assert_int_equal(world_truth_count(rig.world), 3);
    rig_finish(&rig);
}

static void m3_the_number_is_durable_before_the_first_drop(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    rig_put(&rig, 1);
    rig_run(&rig, 200); /* printed, nothing fallen yet, or a piece or two */
    world_power_off(rig.world);
    world_power_on(rig.world);
    rig_wait(&rig, 20);
    struct machine_status status = rig_status(&rig);
    assert_int_equal(status.started, 1);
    assert_int_equal(status.done, 0);
    assert_int_equal(status.accepted, 1);
    assert_int_equal(status.state, MACHINE_STATE_ABORTED);
    rig_finish(&rig);
}

static void m4_result_and_done_become_visible_together(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    rig_put(&rig, 1);
    while (rig_status(&rig).done == 0)
        rig_run(&rig, 10);
    struct machine_result result = rig_result(&rig, 1);
    assert_int_equal(result.outcome, MACHINE_GOOD);
    assert_int_equal(result.hash, 0xABC00001);
    assert_int_equal(result.checks, MACHINE_CHECK_SEALED | MACHINE_CHECK_PRINT_READ);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(result.entries[i].requested, i + 1);
        assert_int_equal(result.entries[i].counted, i + 1);
    }
    struct machine_job job = rig_job(1);
    assert_true(world_truth_fits(world_truth(rig.world, 0), &job));
    assert_int_equal(world_truth(rig.world, 0)->fate, WORLD_FATE_GOOD);
    rig_finish(&rig);
}

static void m5_waits_while_no_result_is_retired(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    for (uint32_t s = 1; s <= 8; s++)
        rig_put(&rig, s);
    rig_run(&rig, 20000);
    struct machine_status status = rig_status(&rig);
    assert_int_equal(status.done, 8);
    assert_int_equal(status.state, MACHINE_STATE_SUSPENDED);
    rig_put(&rig, 9);
    rig_run(&rig, 5000);
    assert_int_equal(rig_status(&rig).accepted, 8);
    for (uint32_t s = 1; s <= 8; s++)
        assert_int_equal(rig_result(&rig, s).outcome, MACHINE_GOOD); /* none overwritten */
    rig.retire = 3;
    rig_run(&rig, 100);
    rig_put(&rig, 9);
    rig_run(&rig, 5000); /* packing goes on by itself */
    assert_int_equal(rig_status(&rig).done, 9);
    rig_finish(&rig);
}

static void m6_doubtful_pouches_are_void_after_a_person_removed_them(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    for (uint32_t s = 1; s <= 5; s++)
        rig_put(&rig, s);
    while (rig_status(&rig).started - rig_status(&rig).done < 2)
        rig_run(&rig, 10);
    uint32_t done = rig_status(&rig).done;
    uint32_t boot = rig_status(&rig).boot;
    world_power_off(rig.world);
    rig_wait(&rig, 300); /* short: the sealer stays warm */
    world_power_on(rig.world);
    rig_wait(&rig, 20);
    struct machine_status status = rig_status(&rig);
    assert_int_equal(status.boot, boot + 1);
    assert_int_equal(status.accepted, done + 2); /* A = S */
    rig_expect_state(&rig, MACHINE_STATE_ABORTED);
    assert_true(machine_alarm_is_up(&status, MACHINE_ALARM_DOUBTFUL_POUCH));
    rig_control(&rig, MACHINE_COMMAND_CLEAR, 0);
    assert_int_equal(rig_status(&rig).command_result,
                     MACHINE_COMMAND_REFUSED); /* nothing leads past the person */
    rig_command(&rig, MACHINE_COMMAND_CONFIRM_REMOVED);
    assert_int_equal(rig_status(&rig).done, done + 1);
    rig_control(&rig, MACHINE_COMMAND_CLEAR, 0);
    assert_int_equal(rig_status(&rig).command_result, MACHINE_COMMAND_REFUSED);
    rig_command(&rig, MACHINE_COMMAND_CONFIRM_REMOVED);
    for (uint32_t s = done + 1; s <= done + 2; s++) {
        assert_int_equal(rig_result(&rig, s).outcome, MACHINE_VOID);
        assert_int_equal(rig_result(&rig, s).reason, MACHINE_REASON_POWER_LOSS);
        assert_int_equal(rig_result(&rig, s).hash, 0xABC00000 + s);
    }
    assert_int_equal(rig_result(&rig, done + 1).entries[2].counted,
                     3); /* it was full and waited for its seal */
    rig_command(&rig, MACHINE_COMMAND_CLEAR);
    rig_run(&rig, 2000);
    rig_expect_state(&rig, MACHINE_STATE_STOPPED);
    status = rig_status(&rig);
    assert_false(machine_alarm_is_up(&status, MACHINE_ALARM_DOUBTFUL_POUCH));
    rig_start(&rig);
    rig_put(&rig, done + 3);
    rig_run(&rig, 5000);
    assert_int_equal(rig_result(&rig, done + 3).outcome, MACHINE_GOOD);
    rig_finish(&rig);
}

static void m7_a_silent_controller_gets_its_begun_pouches_and_no_more(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    for (uint32_t s = 1; s <= 8; s++)
        rig_put(&rig, s);
    rig_wait(&rig, 30000);
    struct machine_status status = rig_status(&rig);
    rig_expect_state(&rig, MACHINE_STATE_SUSPENDED);
    assert_true(machine_alarm_is_up(&status, MACHINE_ALARM_CONTROLLER_SILENT));
    assert_in_range(status.done, 3, 5); /* two seconds of pouches */
    assert_int_equal(status.done, status.started);
    rig_wait(&rig, 30000);
    assert_int_equal(rig_status(&rig).done, status.done);
    rig_run(&rig, 10000); /* it is back */
    status = rig_status(&rig);
    assert_int_equal(status.done, 8);
    assert_false(machine_alarm_is_up(&status, MACHINE_ALARM_CONTROLLER_SILENT));
    rig_finish(&rig);
}

static void m7_counts_the_outsides_time_at_any_speed(void **state)
{
    (void)state;
    struct world_params params = rig_params();
    params.speed = 100;
    params.starve_us = 1000000000; /* the other reason to suspend is not what this is about */
    struct rig rig;
    rig_init(&rig, params);
    rig_start(&rig);
    for (uint32_t s = 1; s <= 8; s++)
        rig_put(&rig, s);
    rig_wait(&rig, 1000); /* a hundred seconds of mechanics, one of silence */
    assert_int_equal(rig_status(&rig).done, 8);
    rig_finish(&rig);
}

/* ---- states ---- */

static void comes_up_stopped_and_runs_only_on_reset_and_start(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_wait(&rig, 20);
    rig_expect_state(&rig, MACHINE_STATE_STOPPED);
    rig_control(&rig, MACHINE_COMMAND_START, 0);
    assert_int_equal(rig_status(&rig).command_result, MACHINE_COMMAND_REFUSED);
    rig_start(&rig);
    rig_finish(&rig);
}

static void a_repeated_command_seq_is_not_a_new_command(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    struct machine_control control = {.session = 1, .heartbeat = 77, .command = MACHINE_COMMAND_STOP};
    control.command_seq = rig.command_seq;
    assert_int_equal(world_control(rig.world, &control), WORLD_TAKEN);
    rig_expect_state(&rig, MACHINE_STATE_EXECUTE);
    control.command_seq++;
    assert_int_equal(world_control(rig.world, &control), WORLD_TAKEN);
    rig_expect_state(&rig, MACHINE_STATE_STOPPING);
    rig_finish(&rig);
}

static void stop_finishes_the_pouches_that_are_begun(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    for (uint32_t s = 1; s <= 5; s++)
        rig_put(&rig, s);
    rig_run(&rig, 800);
    rig_command(&rig, MACHINE_COMMAND_STOP);
    rig_run(&rig, 5000);
    struct machine_status status = rig_status(&rig);
    rig_expect_state(&rig, MACHINE_STATE_STOPPED);
    assert_int_equal(status.started, status.done);
    assert_in_range(status.done, 1, 3);
    rig_finish(&rig);
}

static void estop_leaves_doubt_and_only_a_person_leads_out(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    rig_put(&rig, 1);
    rig_run(&rig, 300);
    world_set_estop(rig.world, false);
    rig_run(&rig, 1000);
    struct machine_status status = rig_status(&rig);
    rig_expect_state(&rig, MACHINE_STATE_ABORTED);
    assert_false(status.estop_healthy);
    assert_int_equal(status.first_alarm, MACHINE_ALARM_ESTOP);
    world_set_estop(rig.world, true);
    rig_run(&rig, 5000);
    rig_expect_state(&rig, MACHINE_STATE_ABORTED);
    rig_command(&rig, MACHINE_COMMAND_CONFIRM_REMOVED);
    assert_int_equal(rig_result(&rig, 1).reason, MACHINE_REASON_ABORTED);
    rig_command(&rig, MACHINE_COMMAND_CLEAR);
    rig_run(&rig, 2000);
    rig_expect_state(&rig, MACHINE_STATE_STOPPED);
    assert_int_equal(world_truth(rig.world, 0)->fate, WORLD_FATE_VOID);
    rig_finish(&rig);
}

static void an_open_door_stops_a_running_machine_and_not_a_held_one(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    rig_command(&rig, MACHINE_COMMAND_HOLD);
    rig_run(&rig, 2000);
    rig_expect_state(&rig, MACHINE_STATE_HELD);
    world_set_door(rig.world, false);
    rig_expect_state(&rig, MACHINE_STATE_HELD);
    rig_control(&rig, MACHINE_COMMAND_UNHOLD, 0);
    assert_int_equal(rig_status(&rig).command_result, MACHINE_COMMAND_REFUSED);
    world_set_door(rig.world, true);
    rig_command(&rig, MACHINE_COMMAND_UNHOLD);
    rig_run(&rig, 1200);
    rig_expect_state(&rig, MACHINE_STATE_EXECUTE);
    world_set_door(rig.world, false);
    rig_run(&rig, 1000);
    rig_expect_state(&rig, MACHINE_STATE_ABORTED);
    rig_finish(&rig);
}

static void suspends_when_jobs_run_out_and_goes_on_when_one_comes(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    rig_run(&rig, 2000);
    rig_expect_state(&rig, MACHINE_STATE_SUSPENDED);
    rig_put(&rig, 1);
    rig_run(&rig, 1800);
    assert_int_equal(rig_status(&rig).done, 1);
    rig_run(&rig, 2000);
    rig_command(&rig, MACHINE_COMMAND_SUSPEND); /* ordered: a job does not end it */
    rig_put(&rig, 2);
    rig_run(&rig, 5000);
    rig_expect_state(&rig, MACHINE_STATE_SUSPENDED);
    rig_command(&rig, MACHINE_COMMAND_UNSUSPEND);
    rig_run(&rig, 2200);
    assert_int_equal(rig_status(&rig).done, 2);
    rig_finish(&rig);
}

static void cancelled_jobs_are_answered_in_their_turn(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    for (uint32_t s = 1; s <= 5; s++)
        rig_put(&rig, s);
    rig_run(&rig, 300);
    assert_int_equal(rig_control(&rig, MACHINE_COMMAND_CANCEL_FROM, 3), WORLD_TAKEN);
    rig_put(&rig, 6);
    rig_run(&rig, 10000);
    assert_int_equal(rig_status(&rig).done, 6);
    assert_int_equal(rig_result(&rig, 2).outcome, MACHINE_GOOD);
    for (uint32_t s = 3; s <= 5; s++) {
        assert_int_equal(rig_result(&rig, s).outcome, MACHINE_CANCELLED);
        assert_int_equal(rig_result(&rig, s).entries[0].counted, 0);
    }
    assert_int_equal(rig_result(&rig, 6).outcome, MACHINE_GOOD);
    assert_int_equal(world_truth_count(rig.world), 3); /* none of the cancelled was ever begun */
    rig_finish(&rig);
}

/* ---- faults ---- */

static void expect_void(enum world_fault fault, enum machine_reason reason, bool held)
{
    struct world_params params = rig_params();
    params.rates.jam_clears = 0;
    struct rig rig;
    rig_init(&rig, params);
    rig_start(&rig);
    world_plant(rig.world, 1, fault); /* job 1 wants one piece of bay 1 */
    rig_put(&rig, 1);
    rig_run(&rig, 8000);
    struct machine_result result = rig_result(&rig, 1);
    assert_int_equal(result.outcome, MACHINE_VOID);
    assert_int_equal(result.reason, reason);
    assert_int_equal(world_truth(rig.world, 0)->fate, WORLD_FATE_VOID);
    rig_expect_state(&rig, held ? MACHINE_STATE_HELD : MACHINE_STATE_SUSPENDED);
    rig_finish(&rig);
}

static void a_missed_piece_voids(void **state)
{
    (void)state;
    expect_void(WORLD_FAULT_MISSED, MACHINE_REASON_COUNT, false);
}

static void twins_void(void **state)
{
    (void)state;
    expect_void(WORLD_FAULT_TWINS, MACHINE_REASON_COUNT, false);
}

static void a_broken_piece_voids(void **state)
{
    (void)state;
    expect_void(WORLD_FAULT_BROKEN, MACHINE_REASON_BROKEN_PILL, false);
}

static void a_jam_voids_and_holds(void **state)
{
    (void)state;
    expect_void(WORLD_FAULT_JAM, MACHINE_REASON_JAM, true);
}

static void a_late_piece_voids_both_pouches(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    world_plant(rig.world, 5, WORLD_FAULT_LATE);
    rig_put(&rig, 1);
    rig_run(&rig, 8000); /* it lies on the gate */
    rig_put(&rig, 2);
    rig_run(&rig, 3000);
    rig_put(&rig, 3);
    rig_run(&rig, 3000);
    rig_put(&rig, 4);
    rig_run(&rig, 3000);
    assert_int_equal(rig_result(&rig, 1).outcome, MACHINE_VOID);
    struct machine_result second = rig_result(&rig, 2);
    assert_int_equal(second.outcome, MACHINE_VOID);
    assert_int_equal(second.reason, MACHINE_REASON_LATE_DROP);
    assert_true(second.checks & MACHINE_CHECK_LATE_DROP);
    assert_int_equal(world_truth(rig.world, 1)->foreign, 1);
    /* The contract of the check: the pouch after is void, too, and the machine diverts it itself. */
    assert_int_equal(rig_result(&rig, 3).outcome, MACHINE_VOID);
    assert_false(rig_result(&rig, 3).checks & MACHINE_CHECK_LATE_DROP);
    assert_int_equal(rig_result(&rig, 4).outcome, MACHINE_GOOD);
    rig_finish(&rig);
}

static void unseen_twins_are_known_to_the_truth_alone(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    world_plant(rig.world, 5, WORLD_FAULT_TWINS_UNSEEN);
    rig_put(&rig, 1);
    rig_run(&rig, 5000);
    assert_int_equal(rig_result(&rig, 1).outcome, MACHINE_GOOD);
    struct machine_job job = rig_job(1);
    assert_false(world_truth_fits(world_truth(rig.world, 0), &job));
    rig_finish(&rig);
}

/* One piece in a bay that the numbers 1 and 5 count on. */
static void rig_run_empty(struct rig *rig)
{
    struct world_params params = rig_params();
    params.operator_mends = false;
    rig_init(rig, params);
    world_seat(rig->world, 5, 77, 1);
    rig_start(rig);
    for (uint32_t s = 1; s <= 5; s++)
        rig_put(rig, s);
    rig_run(rig, 8000);
    assert_int_equal(rig_result(rig, 1).reason, MACHINE_REASON_EMPTY);
    struct machine_bay bay;
    world_bay(rig->world, 5, &bay);
    assert_true(bay.empty);
    assert_int_equal(bay.canister, 77);
    rig_expect_state(rig, MACHINE_STATE_HELD);
    assert_true(rig_status(rig).started < 5);
    rig_control(rig, MACHINE_COMMAND_UNHOLD, 0);
    assert_int_equal(rig_status(rig).command_result, MACHINE_COMMAND_REFUSED);
}

static void an_empty_canister_holds_until_it_is_refilled(void **state)
{
    (void)state;
    struct rig rig;
    rig_run_empty(&rig);
    world_seat(rig.world, 5, 77, 100);
    rig_command(&rig, MACHINE_COMMAND_UNHOLD);
    rig_run(&rig, 8000);
    assert_int_equal(rig_result(&rig, 5).outcome, MACHINE_GOOD);
    rig_finish(&rig);
}

static void an_empty_canister_that_nobody_asks_for_any_more_stops_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_run_empty(&rig);
    assert_int_equal(rig_control(&rig, MACHINE_COMMAND_CANCEL_FROM, rig_status(&rig).started + 1),
                     WORLD_TAKEN);
    rig_command(&rig, MACHINE_COMMAND_UNHOLD);
    rig_run(&rig, 8000);
    assert_int_equal(rig_result(&rig, 5).outcome, MACHINE_CANCELLED);
    rig_finish(&rig);
}

static void film_out_holds_before_a_pouch_is_begun(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    world_set_film(rig.world, 100, 100000);
    for (uint32_t s = 1; s <= 3; s++)
        rig_put(&rig, s);
    rig_run(&rig, 5000);
    struct machine_status status = rig_status(&rig);
    assert_int_equal(status.started, 1);
    assert_int_equal(status.done, 1);
    rig_expect_state(&rig, MACHINE_STATE_HELD);
    assert_int_equal(status.first_alarm, MACHINE_ALARM_FILM_OUT);
    rig_command(&rig, MACHINE_COMMAND_UNHOLD); /* the patient operator threads new film */
    rig_run(&rig, 5000);
    assert_int_equal(rig_status(&rig).done, 3);
    rig_finish(&rig);
}

/* Hazard H25. */
static void a_cold_sealer_delays_the_start(void **state)
{
    (void)state;
    struct world_params params = rig_params();
    params.cold_start = true;
    struct rig rig;
    rig_init(&rig, params);
    rig_wait(&rig, 20);
    rig_command(&rig, MACHINE_COMMAND_RESET);
    rig_wait(&rig, 20);
    rig_command(&rig, MACHINE_COMMAND_START);
    rig_run(&rig, 180000);
    rig_expect_state(&rig, MACHINE_STATE_STARTING);
    rig_run(&rig, 300000); /* warm-up takes three to eight minutes */
    rig_expect_state(&rig, MACHINE_STATE_SUSPENDED);
    rig_finish(&rig);
}

static void one_bad_memory_copy_is_survived_two_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, rig_params());
    rig_start(&rig);
    rig_put(&rig, 1);
    rig_run(&rig, 3000);
    world_power_off(rig.world);
    world_spoil_memory(rig.world, 0);
    world_power_on(rig.world);
    rig_wait(&rig, 20);
    assert_true(rig_status(&rig).state == MACHINE_STATE_STOPPED ||
                rig_status(&rig).state == MACHINE_STATE_ABORTED);
    world_power_off(rig.world);
    world_spoil_memory(rig.world, 0);
    world_spoil_memory(rig.world, 1);
    world_power_on(rig.world);
    rig_wait(&rig, 20);
    struct machine_status status = rig_status(&rig);
    rig_expect_state(&rig, MACHINE_STATE_ABORTED);
    assert_true(machine_alarm_is_up(&status, MACHINE_ALARM_NV_FAULT));
    rig_control(&rig, MACHINE_COMMAND_CLEAR, 0);
    assert_int_equal(rig_status(&rig).command_result, MACHINE_COMMAND_REFUSED);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(m1_takes_only_the_owners_next_number_while_the_ring_has_room),
        cmocka_unit_test(m1_refuses_a_job_that_it_could_not_fill),
        cmocka_unit_test(m2_a_repeated_number_is_ignored_without_error),
        cmocka_unit_test(m3_the_number_is_durable_before_the_first_drop),
        cmocka_unit_test(m4_result_and_done_become_visible_together),
        cmocka_unit_test(m5_waits_while_no_result_is_retired),
        cmocka_unit_test(m6_doubtful_pouches_are_void_after_a_person_removed_them),
        cmocka_unit_test(m7_a_silent_controller_gets_its_begun_pouches_and_no_more),
        cmocka_unit_test(m7_counts_the_outsides_time_at_any_speed),
        cmocka_unit_test(comes_up_stopped_and_runs_only_on_reset_and_start),
        cmocka_unit_test(a_repeated_command_seq_is_not_a_new_command),
        cmocka_unit_test(stop_finishes_the_pouches_that_are_begun),
        cmocka_unit_test(estop_leaves_doubt_and_only_a_person_leads_out),
        cmocka_unit_test(an_open_door_stops_a_running_machine_and_not_a_held_one),
        cmocka_unit_test(suspends_when_jobs_run_out_and_goes_on_when_one_comes),
        cmocka_unit_test(cancelled_jobs_are_answered_in_their_turn),
        cmocka_unit_test(a_missed_piece_voids),
        cmocka_unit_test(twins_void),
        cmocka_unit_test(a_broken_piece_voids),
        cmocka_unit_test(a_jam_voids_and_holds),
        cmocka_unit_test(a_late_piece_voids_both_pouches),
        cmocka_unit_test(unseen_twins_are_known_to_the_truth_alone),
        cmocka_unit_test(an_empty_canister_holds_until_it_is_refilled),
        cmocka_unit_test(an_empty_canister_that_nobody_asks_for_any_more_stops_nothing),
        cmocka_unit_test(film_out_holds_before_a_pouch_is_begun),
        cmocka_unit_test(a_cold_sealer_delays_the_start),
        cmocka_unit_test(one_bad_memory_copy_is_survived_two_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
