/* SPDX-License-Identifier: Apache-2.0 */
/* Walks every PackML state with every command, door and E-stop: what is not allowed changes nothing. */
#include "tests/unit/hw/rig.h"

#define S(state)   MACHINE_STATE_##state
#define C(command) MACHINE_COMMAND_##command

/* The way into each state the simulator has, from EXECUTE or from Stopped after boot, without waiting longer.
 */
static void lead_to(struct rig *rig, enum machine_state state)
{
    static const struct {
        enum machine_state state;
        bool from_stopped;
        enum machine_command commands[4];
        int64_t wait_ms[4]; /* after each */
    } ways[] = {
        {S(STOPPED), true, {0}, {0}},
        {S(RESETTING), true, {C(RESET)}, {0}},
        {S(IDLE), true, {C(RESET)}, {2000}},
        {S(STARTING), true, {C(RESET), C(START)}, {2000, 0}},
        {S(EXECUTE), false, {0}, {0}},
        {S(SUSPENDING), false, {C(SUSPEND)}, {0}},
        {S(SUSPENDED), false, {C(SUSPEND)}, {2000}},
        {S(UNSUSPENDING), false, {C(SUSPEND), C(UNSUSPEND)}, {2000, 0}},
        {S(HOLDING), false, {C(HOLD)}, {0}},
        {S(HELD), false, {C(HOLD)}, {2000}},
        {S(UNHOLDING), false, {C(HOLD), C(UNHOLD)}, {2000, 0}},
        {S(STOPPING), false, {C(STOP)}, {0}},
        {S(ABORTING), false, {C(ABORT)}, {0}},
        {S(ABORTED), false, {C(ABORT)}, {2000}},
        {S(CLEARING), false, {C(ABORT), C(CLEAR)}, {2000, 0}},
    };
    struct world_params params = rig_params();
    params.resetting_us = params.starting_us = 1000000;
    params.starve_us = 1000000000;
    rig_init(rig, params);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (ways[i].state != state)
            continue;
        rig_wait(rig, 20);
        if (!ways[i].from_stopped) {
            rig_command(rig, C(RESET));
            rig_run(rig, 1100);
            rig_command(rig, C(START));
            rig_run(rig, 1100);
        }
        for (int k = 0; k < 4 && ways[i].commands[k]; k++) {
            rig_command(rig, ways[i].commands[k]);
            rig_run(rig, ways[i].wait_ms[k]);
        }
        rig_expect_state(rig, state);
        return;
    }
    fail_msg("no way to state %d", (int)state);
}

/* Where a command is taken, and where it leads at once. Everything else must be refused. */
static const struct taken_row {
    enum machine_state state;
    enum machine_command command;
    enum machine_state to;
} taken_rows[] = {
    {S(STOPPED), C(RESET), S(RESETTING)},
    {S(IDLE), C(START), S(STARTING)},
    {S(RESETTING), C(STOP), S(STOPPING)},
    {S(IDLE), C(STOP), S(STOPPING)},
    {S(STARTING), C(STOP), S(STOPPING)},
    {S(EXECUTE), C(STOP), S(STOPPING)},
    {S(SUSPENDING), C(STOP), S(STOPPING)},
    {S(SUSPENDED), C(STOP), S(STOPPING)},
    {S(UNSUSPENDING), C(STOP), S(STOPPING)},
    {S(HOLDING), C(STOP), S(STOPPING)},
    {S(HELD), C(STOP), S(STOPPING)},
    {S(UNHOLDING), C(STOP), S(STOPPING)},
    {S(EXECUTE), C(HOLD), S(HOLDING)},
    {S(SUSPENDED), C(HOLD), S(HOLDING)},
    {S(HELD), C(UNHOLD), S(UNHOLDING)},
    {S(EXECUTE), C(SUSPEND), S(SUSPENDING)},
    {S(STARTING), C(SUSPEND), S(STARTING)},
    {S(UNHOLDING), C(SUSPEND), S(UNHOLDING)},
    {S(SUSPENDING), C(SUSPEND), S(SUSPENDING)},
    {S(SUSPENDED), C(SUSPEND), S(SUSPENDED)},
    {S(UNSUSPENDING), C(SUSPEND), S(UNSUSPENDING)},
    {S(STARTING), C(UNSUSPEND), S(STARTING)},
    {S(UNHOLDING), C(UNSUSPEND), S(UNHOLDING)},
    {S(SUSPENDING), C(UNSUSPEND), S(SUSPENDING)},
    {S(SUSPENDED), C(UNSUSPEND), S(UNSUSPENDING)},
    {S(UNSUSPENDING), C(UNSUSPEND), S(UNSUSPENDING)},
    {S(STOPPED), C(ABORT), S(ABORTING)},
    {S(RESETTING), C(ABORT), S(ABORTING)},
    {S(IDLE), C(ABORT), S(ABORTING)},
    {S(STARTING), C(ABORT), S(ABORTING)},
    {S(EXECUTE), C(ABORT), S(ABORTING)},
    {S(SUSPENDING), C(ABORT), S(ABORTING)},
    {S(SUSPENDED), C(ABORT), S(ABORTING)},
    {S(UNSUSPENDING), C(ABORT), S(ABORTING)},
    {S(HOLDING), C(ABORT), S(ABORTING)},
    {S(HELD), C(ABORT), S(ABORTING)},
    {S(UNHOLDING), C(ABORT), S(ABORTING)},
    {S(STOPPING), C(ABORT), S(ABORTING)},
    {S(CLEARING), C(ABORT), S(ABORTING)},
    {S(ABORTED), C(CLEAR), S(CLEARING)},
};

static const enum machine_state states[] = {
    S(CLEARING), S(STOPPED),   S(STARTING),   S(IDLE),         S(SUSPENDED),
    S(EXECUTE),  S(STOPPING),  S(ABORTING),   S(ABORTED),      S(HOLDING),
    S(HELD),     S(UNHOLDING), S(SUSPENDING), S(UNSUSPENDING), S(RESETTING),
};
enum { STATES = sizeof states / sizeof states[0] };

static void every_command_in_every_state_is_taken_or_refused(void **state)
{
    (void)state;
    for (int i = 0; i < STATES; i++) {
        for (int number = C(RESET); number <= C(CONFIRM_REMOVED); number++) {
            enum machine_command command = (enum machine_command)number;
            if (!machine_command_known((unsigned)number))
                continue;
            enum machine_state to = states[i];
            enum machine_command_result result = MACHINE_COMMAND_REFUSED;
            for (size_t k = 0; k < sizeof taken_rows / sizeof taken_rows[0]; k++) {
                if (taken_rows[k].state == states[i] && taken_rows[k].command == command) {
                    to = taken_rows[k].to;
                    result = MACHINE_COMMAND_TAKEN;
                }
            }
            struct rig rig;
            lead_to(&rig, states[i]);
            assert_int_equal(rig_control(&rig, command, 0), WORLD_TAKEN);
            if (rig_status(&rig).command_result != result || rig_status(&rig).state != to)
                fail_msg("%s in %s: result %u, state %s", machine_command_name(command),
                         machine_state_name(states[i]), rig_status(&rig).command_result,
                         machine_state_name(rig_status(&rig).state));
            rig_finish(&rig);
        }
    }
}

static void an_estop_aborts_every_state(void **state)
{
    (void)state;
    for (int i = 0; i < STATES; i++) {
        struct rig rig;
        lead_to(&rig, states[i]);
        world_set_estop(rig.world, false);
        rig_run(&rig, 2000);
        rig_expect_state(&rig, S(ABORTED));
        rig_control(&rig, C(CLEAR), 0);
        assert_int_equal(rig_status(&rig).command_result, MACHINE_COMMAND_REFUSED); /* it is still pressed */
        world_set_estop(rig.world, true);
        rig_run(&rig, 60000);
        rig_expect_state(&rig, S(ABORTED)); /* never by itself */
        rig_command(&rig, C(CLEAR));
        rig_run(&rig, 60000);
        rig_expect_state(&rig, S(STOPPED)); /* nor further */
        rig_finish(&rig);
    }
}

static void an_open_door_lets_nothing_move(void **state)
{
    (void)state;
    for (int i = 0; i < STATES; i++) {
        struct rig rig;
        lead_to(&rig, states[i]);
        world_set_door(rig.world, false);
        rig_run(&rig, 2000);
        enum machine_state now = rig_status(&rig).state;
        bool rests = now == S(ABORTED) || now == S(STOPPED) || now == S(IDLE) || now == S(HELD);
        assert_true(rests);
        static const enum machine_command moving[] = {C(RESET), C(START), C(UNHOLD), C(UNSUSPEND), C(CLEAR)};
        for (int k = 0; k < 5; k++) {
            rig_control(&rig, moving[k], 0);
            assert_int_equal(rig_status(&rig).command_result, MACHINE_COMMAND_REFUSED);
        }
        rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_in_every_state_is_taken_or_refused),
        cmocka_unit_test(an_estop_aborts_every_state),
        cmocka_unit_test(an_open_door_lets_nothing_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
