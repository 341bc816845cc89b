/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/hw/rig.h"

#include "config/base/clock.h"
#include "hw/machine.h"
#include "hw/sim/sim_machine.h"

struct line {
    struct clock_virtual clock;
    struct world *world;
    struct machine *machine;
};

static void line_open(struct line *line, uint32_t answer_ms)
{
    clock_virtual_init(&line->clock, 1000, 0);
    struct world_params params = rig_params();
    params.now_us = 1000 * 1000;
    struct error err = {0};
    line->world = world_create(&params, &err);
    assert_non_null(line->world);
    const struct sim_machine_params sim = {
        .world = line->world, .clock = &line->clock.clock, .answer_ms = answer_ms};
    line->machine = sim_machine_create(&sim, &err);
    assert_non_null(line->machine);
    struct machine_answer answer;
    clock_virtual_advance(&line->clock, 20);
    assert_false(machine_poll(line->machine, &answer)); /* it boots */
}

static void line_close(struct line *line)
{
    machine_destroy(line->machine);
    world_destroy(line->world);
}

static void submit(struct line *line, struct machine_request request)
{
    struct error err = {0};
    if (machine_submit(line->machine, &request, &err) < 0)
        fail_msg("%s", err.message);
}

static struct machine_answer ask(struct line *line, struct machine_request request)
{
    submit(line, request);
    struct machine_answer answer;
    while (!machine_poll(line->machine, &answer))
        clock_virtual_advance(&line->clock, 1);
    return answer;
}

static struct machine_request control_request(uint32_t session)
{
    return (struct machine_request){.kind = MACHINE_CONTROL, .control = {.session = session, .heartbeat = 1}};
}

static struct machine_request put_request(uint32_t seq)
{
    return (struct machine_request){.kind = MACHINE_PUT_JOB, .job = rig_job(seq)};
}

static struct machine_request plain(enum machine_request_kind kind)
{
    return (struct machine_request){.kind = kind, .id = 7};
}

static void answers_come_in_order_after_their_time(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 5);
    submit(&line, plain(MACHINE_IDENTIFY));
    submit(&line, plain(MACHINE_READ_STATUS));
    struct machine_answer answer;
    clock_virtual_advance(&line.clock, 4);
    assert_false(machine_poll(line.machine, &answer));
    clock_virtual_advance(&line.clock, 1);
    assert_true(machine_poll(line.machine, &answer));
    assert_int_equal(answer.kind, MACHINE_IDENTIFY);
    assert_int_equal(answer.id, 7);
    assert_string_equal(answer.identity.serial, "SIM00001");
    assert_true(answer.identity.caps & MACHINE_CAP_SIMULATED);
    assert_false(machine_poll(line.machine, &answer));
    clock_virtual_advance(&line.clock, 5);
    assert_true(machine_poll(line.machine, &answer));
    assert_int_equal(answer.kind, MACHINE_READ_STATUS);
    assert_int_equal(answer.status.state, MACHINE_STATE_STOPPED);
    assert_int_equal(answer.took_ms, 10);
    line_close(&line);
}

static void nothing_goes_through_before_identify(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 1);
    struct machine_answer answer = ask(&line, plain(MACHINE_READ_STATUS));
    assert_int_equal(answer.code, E_LINK);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    line_close(&line);
}

static void a_lost_request_and_a_lost_answer_look_the_same(void **state)
{
    (void)state;
    for (int lose_answer = 0; lose_answer < 2; lose_answer++) {
        struct line line;
        line_open(&line, 1);
        ask(&line, plain(MACHINE_IDENTIFY));
        ask(&line, control_request(1));
        sim_machine_fail(line.machine, lose_answer ? SIM_LOSE_ANSWER : SIM_LOSE_REQUEST, 1);
        struct machine_answer answer = ask(&line, put_request(1));
        assert_int_equal(answer.code, E_TIMEOUT);
        assert_int_equal(answer.did, MACHINE_UNKNOWN);
        assert_int_equal(ask(&line, plain(MACHINE_READ_STATUS)).code, E_LINK);
        assert_int_equal(ask(&line, plain(MACHINE_IDENTIFY)).code, 0);
        assert_int_equal(ask(&line, plain(MACHINE_READ_STATUS)).status.accepted, lose_answer);
        line_close(&line);
    }
}

static void an_older_session_is_fenced(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 1);
    ask(&line, plain(MACHINE_IDENTIFY));
    assert_int_equal(ask(&line, control_request(5)).code, 0);
    assert_int_equal(ask(&line, control_request(4)).code, E_FENCED);
    struct machine_answer answer = ask(&line, put_request(1));
    assert_int_equal(answer.code, E_FENCED);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    line_close(&line);
}

static void a_power_cycle_breaks_the_link(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 1);
    ask(&line, plain(MACHINE_IDENTIFY));
    world_power_off(line.world);
    assert_int_equal(ask(&line, plain(MACHINE_READ_STATUS)).code, E_TIMEOUT);
    assert_int_equal(ask(&line, plain(MACHINE_IDENTIFY)).code, E_LINK);
    world_power_on(line.world);
    clock_virtual_advance(&line.clock, 50);
    struct machine_answer answer;
    assert_false(machine_poll(line.machine, &answer));
    assert_int_equal(ask(&line, plain(MACHINE_IDENTIFY)).code, 0);
    assert_int_equal(ask(&line, plain(MACHINE_READ_STATUS)).status.boot, 2);
    line_close(&line);
}

static void reads_bays_in_pieces_and_results_by_number(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 1);
    ask(&line, plain(MACHINE_IDENTIFY));
    struct machine_answer answer = ask(&line, (struct machine_request){.kind = MACHINE_READ_BAYS, .bay = 15});
    assert_int_equal(answer.bays.first, 15);
    assert_int_equal(answer.bays.count, 5);
    assert_int_equal(answer.bays.rows[0].canister, 16);
    assert_int_equal(ask(&line, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 3}).code,
                     E_NOT_FOUND);
    line_close(&line);
}

static void requests_out_of_range_are_the_callers_error(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 1);
    struct error err;
    struct machine_request request = put_request(1);
    request.job.entries[0].bay = 20;
    assert_int_equal(machine_check(line.machine, &request, &err), E_LIMIT);
    request = put_request(1);
    request.job.entries[0].count = MACHINE_COUNT_MAX + 1;
    assert_int_equal(machine_check(line.machine, &request, &err), E_ARG);
    request = put_request(1);
    request.job.token[0] = '\n';
    assert_int_equal(machine_check(line.machine, &request, &err), E_ARG);
    request = control_request(0);
    assert_int_equal(machine_check(line.machine, &request, &err), E_ARG);
    for (int i = 0; i < MACHINE_QUEUE; i++)
        submit(&line, plain(MACHINE_READ_STATUS));
    request = plain(MACHINE_READ_STATUS);
    assert_int_equal(machine_submit(line.machine, &request, &err), E_LIMIT);
    line_close(&line);
}

static void making_safe_suspends_and_answers_what_waits(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, 1);
    ask(&line, plain(MACHINE_IDENTIFY));
    struct machine_request start = control_request(1);
    start.control.command = MACHINE_COMMAND_RESET;
    start.control.command_seq = 1;
    ask(&line, start);
    clock_virtual_advance(&line.clock, 50);
    ask(&line, plain(MACHINE_READ_STATUS));
    start.control.command = MACHINE_COMMAND_START;
    start.control.command_seq = 2;
    ask(&line, start);
    clock_virtual_advance(&line.clock, 50);
    assert_int_equal(ask(&line, plain(MACHINE_READ_STATUS)).status.state, MACHINE_STATE_EXECUTE);
    submit(&line, put_request(1));
    machine_make_safe(line.machine);
    machine_make_safe(line.machine);
    struct machine_answer answer;
    clock_virtual_advance(&line.clock, 5);
    assert_true(machine_poll(line.machine, &answer));
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    assert_int_equal(answer.code, E_STATE);
    clock_virtual_advance(&line.clock, 500);
    struct machine_status status = ask(&line, plain(MACHINE_READ_STATUS)).status;
    assert_int_equal(status.state, MACHINE_STATE_SUSPENDED);
    assert_int_equal(status.accepted, 0);
    line_close(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_order_after_their_time),
        cmocka_unit_test(nothing_goes_through_before_identify),
        cmocka_unit_test(a_lost_request_and_a_lost_answer_look_the_same),
        cmocka_unit_test(an_older_session_is_fenced),
        cmocka_unit_test(a_power_cycle_breaks_the_link),
        cmocka_unit_test(reads_bays_in_pieces_and_results_by_number),
        cmocka_unit_test(requests_out_of_range_are_the_callers_error),
        cmocka_unit_test(making_safe_suspends_and_answers_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
