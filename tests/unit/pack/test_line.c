/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/rng.h"
#include "controller/pack/line.h"

static void every_state_and_event_has_a_row_that_always_holds(void **state)
{
    (void)state;
    size_t count = 0;
    const struct line_row *rows = line_rows(&count);
    for (unsigned s = 0; s < LINE_STATES; s++) {
        for (unsigned e = 0; e < LINE_EVENTS; e++) {
            bool total = false;
            for (size_t i = 0; i < count; i++)
                total = total || (rows[i].from == s && rows[i].event == e && !rows[i].guard);
            if (!total)
                fail_msg("%s + %s has no row", line_state_name((enum line_state)s),
                         line_event_name((enum line_event)e));
        }
    }
}

static void no_row_stands_behind_one_that_always_holds(void **state)
{
    (void)state;
    size_t count = 0;
    const struct line_row *rows = line_rows(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (rows[k].from == rows[i].from && rows[k].event == rows[i].event && !rows[k].guard)
                fail_msg("row %zu (%s + %s: %s) can never be reached", i, line_state_name(rows[i].from),
                         line_event_name(rows[i].event), rows[i].why);
        }
        assert_true(strlen(rows[i].why) > 0);
    }
}

static const enum machine_state packml[] = {
#define STATE(name, number, text) MACHINE_STATE_##name,
    MACHINE_STATE_TABLE(STATE)
#undef STATE
};

/* A view as it could be: counters in order, book in order, wishes at random. */
static void draw_view(struct rng *rng, struct line_view *v)
{
    *v = (struct line_view){0};
    v->identity.queue_depth = (uint16_t)(1 + rng_below(rng, 8));
    v->identity.ring_size = (uint16_t)(1 + rng_below(rng, 8));
    v->identity.caps = rng_below(rng, 2) ? MACHINE_CAP_SIMULATED : 0;
    v->recorded = rng_below(rng, 20);
    v->kept = v->recorded + rng_below(rng, v->identity.ring_size + 1u);
    v->issued = v->kept + rng_below(rng, 9);
    v->session = 1 + rng_below(rng, 3);
    v->boot = rng_below(rng, 3);
    v->mirror.session = rng_below(rng, 4);
    v->mirror.boot = rng_below(rng, 4);
    v->mirror.retired = rng_below(rng, 22);
    v->mirror.done = v->mirror.retired + rng_below(rng, 6);
    v->mirror.started = v->mirror.done + rng_below(rng, 3);
    v->mirror.accepted = v->mirror.started + rng_below(rng, 6);
    if (rng_below(rng, 2)) { /* one that the store explains */
        v->mirror.session = v->session;
        v->mirror.boot = v->boot;
        v->mirror.retired = v->recorded;
        v->mirror.done = v->kept + rng_below(rng, v->issued - v->kept + 1);
        v->mirror.started = v->mirror.done + rng_below(rng, v->issued - v->mirror.done + 1);
        v->mirror.accepted = v->mirror.started + rng_below(rng, v->issued - v->mirror.started + 1);
    }
    v->mirror.state = packml[rng_below(rng, sizeof packml / sizeof packml[0])];
    v->mirror_due = rng_below(rng, 2);
    v->want = (enum line_want)rng_below(rng, 3);
    v->orders = rng_below(rng, 8) == 0;
    v->jobs = rng_below(rng, 2);
    v->over = !v->jobs && rng_below(rng, 2);
    v->permit = rng_below(rng, 2);
    v->attend = (v->identity.caps & MACHINE_CAP_SIMULATED) && rng_below(rng, 2);
    v->closing = rng_below(rng, 4) == 0;
    v->frozen = rng_below(rng, 16) == 0;
    v->tripped = rng_below(rng, 8) == 0 ? "planted" : NULL;
    v->person = rng_below(rng, 8) == 0 ? MACHINE_COMMAND_CLEAR : MACHINE_COMMAND_NONE;
    v->bays_due = rng_below(rng, 2);
    v->back_off_over = rng_below(rng, 2);
    v->control_due = rng_below(rng, 2);
    v->command_open = rng_below(rng, 2);
    v->put_due = rng_below(rng, 2);
    if (rng_below(rng, 3) == 0 && v->issued > v->recorded) {
        v->cancel_to = v->recorded + 1 + rng_below(rng, v->issued - v->recorded);
        v->cancel_from = v->recorded + 1 + rng_below(rng, v->cancel_to - v->recorded);
    }
    v->poll_due = rng_below(rng, 2);
    v->news = rng_below(rng, 4) == 0;
    v->doubt = rng_below(rng, 8) == 0 ? "planted" : NULL;
}

static void no_random_walk_breaks_an_invariant(void **state)
{
    (void)state;
    struct rng rng;
    unsigned long effects[LINE_EFFECTS] = {0};
    print_message("seed 20261121\n");
    rng_init(&rng, 20261121, 1);
    enum line_state at = LINE_DOWN;
    for (int i = 0; i < 400000; i++) {
        struct line_view view;
        draw_view(&rng, &view);
        enum line_event event = (enum line_event)rng_below(&rng, LINE_EVENTS - 1); /* END would stay */
        if (at == LINE_CLOSED)
            at = LINE_DOWN;
        if (rng_below(&rng, 4) == 0)
            at = (enum line_state)rng_below(&rng, LINE_STATES);
        else if (rng_below(&rng, 2))
            at = LINE_READY, event = LINE_EVENT_TICK; /* where the decisions are */
        const struct line_row *row = line_step(at, event, &view);
        assert_int_equal(row->from, at);
        const char *violation = line_violation(row, &view);
        if (violation)
            fail_msg("step %d: %s + %s -> %s %s: %s", i, line_state_name(row->from), line_event_name(event),
                     line_state_name(row->to), line_effect_name(row->effect), violation);
        effects[row->effect]++;
        at = row->to;
    }
    for (unsigned e = 0; e < LINE_EFFECTS; e++) {
        if (effects[e] == 0)
            fail_msg("the walk never reached effect %s", line_effect_name((enum line_effect)e));
    }
}

/* A mirror that the store explains, at rest. */
static struct line_view quiet(void)
{
    struct line_view v = {.session = 5, .issued = 10, .kept = 10, .recorded = 10, .boot = 2};
    v.identity = (struct machine_identity){.queue_depth = 8, .ring_size = 8, .caps = MACHINE_CAP_SIMULATED};
    v.mirror = (struct machine_status){.boot = 2,
                                       .state = MACHINE_STATE_EXECUTE,
                                       .accepted = 10,
                                       .started = 10,
                                       .done = 10,
                                       .retired = 10,
                                       .session = 5};
    return v;
}

static enum line_effect tick(const struct line_view *v)
{
    return line_step(LINE_READY, LINE_EVENT_TICK, v)->effect;
}

static void what_is_sent_next_follows_from_the_mirror_alone(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.permit = v.jobs = v.put_due = true;
    assert_int_equal(tick(&v), LINE_DO_INTEND);
    v.issued = 12;
    assert_int_equal(tick(&v), LINE_DO_PUT_JOB);
    v.mirror.accepted = 12;
    v.jobs = false;
    assert_int_equal(tick(&v), LINE_DO_WAIT);
    v.mirror.started = 11;
    v.mirror.done = 11;
    assert_int_equal(tick(&v), LINE_DO_ASK_RESULT);
    v.kept = 11;
    assert_int_equal(tick(&v), LINE_DO_RECORD);
    v.recorded = 11;
    assert_int_equal(tick(&v), LINE_DO_WRITE_CONTROL); /* C5: W only now */
    v.mirror.retired = 11;
    assert_int_equal(tick(&v), LINE_DO_WAIT);
    v.mirror_due = true;
    assert_int_equal(tick(&v), LINE_DO_ASK_STATUS);
}

static void a_full_ring_and_a_full_queue_wait(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.put_due = true;
    v.want = LINE_RUN;
    v.issued = 18;
    v.mirror.accepted = 17;
    v.mirror.started = v.mirror.done = 12;
    v.kept = v.recorded = 12;
    v.mirror.retired = 12;
    assert_int_equal(tick(&v), LINE_DO_PUT_JOB);
    v.identity.ring_size = 5;
    assert_int_equal(tick(&v), LINE_DO_WAIT);
    v.identity.ring_size = 8;
    v.identity.queue_depth = 5;
    assert_int_equal(tick(&v), LINE_DO_WAIT);
}

static void counters_that_the_store_cannot_explain_stop_the_line(void **state)
{
    (void)state;
    struct line_view v = quiet();
    assert_null(line_contradiction(&v));
    v.mirror.accepted = v.mirror.started = v.mirror.done = 11; /* a number that was never given out */
    assert_non_null(line_contradiction(&v));
    assert_int_equal(tick(&v), LINE_DO_HALT);
    assert_int_equal(line_step(LINE_COMPARE, LINE_EVENT_ANSWERED, &v)->to, LINE_HALTED);
    v.adopting = true; /* a person decided */
    assert_null(line_contradiction(&v));
    v = quiet();
    v.mirror.retired = 11; /* retired without us */
    assert_non_null(line_contradiction(&v));
    v = quiet();
    v.mirror.accepted = v.mirror.started = v.mirror.done = v.mirror.retired = 3; /* memory cleared */
    assert_non_null(line_contradiction(&v));
    v.adopting = true;
    assert_non_null(line_contradiction(&v)); /* numbers would be used twice: not even a person can */
    v = quiet();
    v.mirror.boot = 1;
    assert_non_null(line_contradiction(&v));
    v = quiet();
    v.mirror.session = 6;
    assert_int_equal(tick(&v), LINE_DO_HALT); /* C9 */
}

static void nothing_restarts_an_aborted_machine_but_a_person(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof packml / sizeof packml[0]; i++) {
        struct line_view v = quiet();
        v.want = LINE_RUN;
        v.jobs = true;
        v.mirror.state = packml[i];
        enum machine_command command = line_command(&v);
        if (command != MACHINE_COMMAND_NONE && command != MACHINE_COMMAND_UNSUSPEND)
            fail_msg("%s is sent in %s without a person", machine_command_name(command),
                     machine_state_name(packml[i]));
        v.permit = true; /* a start is no clear */
        assert_int_not_equal(line_command(&v), MACHINE_COMMAND_CLEAR);
        assert_int_not_equal(line_command(&v), MACHINE_COMMAND_CONFIRM_REMOVED);
    }
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.mirror.state = MACHINE_STATE_ABORTED;
    assert_int_equal(tick(&v), LINE_DO_STOP_BATCH);
    v.attend = true; /* the stand-in, SIMULATED only */
    v.mirror.started = v.mirror.accepted = v.issued = 11;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CONFIRM_REMOVED);
    v.mirror.done = 11;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CLEAR);
}

static void a_start_walks_to_execute(void **state)
{
    (void)state;
    static const struct {
        enum machine_state state;
        enum machine_command command;
    } walk[] = {
        {MACHINE_STATE_STOPPED, MACHINE_COMMAND_RESET},  {MACHINE_STATE_RESETTING, MACHINE_COMMAND_NONE},
        {MACHINE_STATE_IDLE, MACHINE_COMMAND_START},     {MACHINE_STATE_STARTING, MACHINE_COMMAND_NONE},
        {MACHINE_STATE_EXECUTE, MACHINE_COMMAND_NONE},   {MACHINE_STATE_HELD, MACHINE_COMMAND_UNHOLD},
        {MACHINE_STATE_COMPLETE, MACHINE_COMMAND_RESET}, {MACHINE_STATE_SUSPENDED, MACHINE_COMMAND_UNSUSPEND},
    };
    for (size_t i = 0; i < sizeof walk / sizeof walk[0]; i++) {
        struct line_view v = quiet();
        v.want = LINE_RUN;
        v.permit = v.jobs = true;
        v.mirror.state = walk[i].state;
        assert_int_equal(line_command(&v), walk[i].command);
    }
}

static void a_clean_end_waits_for_the_started_pouches(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.closing = true;
    v.issued = v.mirror.accepted = 12;
    v.mirror.started = 11;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_SUSPEND);
    v.mirror.state = MACHINE_STATE_SUSPENDED;
    assert_int_equal(tick(&v), LINE_DO_WAIT); /* pouch 11 is under way */
    v.mirror.done = v.kept = v.recorded = v.mirror.retired = 11;
    assert_int_equal(tick(&v), LINE_DO_MAKE_SAFE);
}

static void cancel_reaches_the_machine_after_the_numbers(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.issued = 14;
    v.mirror.accepted = 13;
    v.cancel_from = 12;
    v.cancel_to = 14;
    v.put_due = true;
    /* A number that shall not be made is not written to a machine that would begin it at once (I10). */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_SUSPEND);
    v.command_open = true;
    assert_int_equal(tick(&v), LINE_DO_WAIT);
    v.command_open = false;
    v.mirror.state = MACHINE_STATE_SUSPENDED;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_NONE);
    assert_int_equal(tick(&v), LINE_DO_PUT_JOB);
    v.want = LINE_PAUSE; /* a paused batch gives its withdrawn numbers back, too */
    assert_int_equal(tick(&v), LINE_DO_PUT_JOB);
    v.want = LINE_RUN;
    v.mirror.accepted = 14;
    v.mirror.state = MACHINE_STATE_EXECUTE;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
    v.mirror.started = 14; /* all begun: their results tell */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_NONE);
}

/* Cancel takes every later number with it, so none is given out before it is settled. */
static void a_withdrawn_number_holds_new_ones_back(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.permit = v.jobs = v.put_due = true;
    v.issued = v.mirror.accepted = 13;
    v.mirror.started = 11;
    assert_int_equal(tick(&v), LINE_DO_INTEND);
    v.cancel_from = v.cancel_to = 12;
    assert_int_equal(tick(&v), LINE_DO_WRITE_CONTROL);
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
    v.spent = MACHINE_COMMAND_CANCEL_FROM; /* taken a moment ago */
    v.cancelled_from = v.cancelled_to = 12;
    v.cancelled_accepted = 13;
    assert_int_equal(tick(&v), LINE_DO_WAIT);
    v.mirror.state = MACHINE_STATE_HELD; /* and a held machine is let go meanwhile, for a pouch lies in it */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_UNHOLD);
    v.mirror.state = MACHINE_STATE_EXECUTE;
    v.mirror.started = 12; /* too late: its result tells */
    assert_int_equal(tick(&v), LINE_DO_INTEND);
}

static void a_held_machine_is_let_go_only_with_known_seats(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.permit = v.bays_due = true;
    v.mirror.state = MACHINE_STATE_HELD;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_NONE);
    assert_int_equal(tick(&v), LINE_DO_ASK_BAYS);
    v.bays_due = false;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_UNHOLD);
    v.issued = v.mirror.accepted = 12;
    v.cancel_from = v.cancel_to = 12; /* what was found at the seats does not fit a queued number */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
}

/* A Cancel speaks of what had been accepted when it was written. Numbers that were withdrawn, or reached the
 * machine, after it need one of their own before the machine may go on (the model's mutant 15). */
static void a_cancel_is_none_for_numbers_that_came_after_it(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.permit = true;
    v.mirror.state = MACHINE_STATE_SUSPENDED;
    v.mirror.started = v.mirror.done = v.mirror.retired = v.recorded = v.kept = 10;
    v.issued = v.mirror.accepted = 12;
    v.cancel_from = v.cancel_to = 12;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
    v.spent = MACHINE_COMMAND_CANCEL_FROM;
    v.cancelled_from = v.cancelled_to = v.cancelled_accepted = 12;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_UNSUSPEND); /* 11 is wanted, 12 is told */
    v.issued = 13;
    v.cancel_to = 13; /* not there yet: nothing may begin */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_NONE);
    v.mirror.accepted = 13;
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
    v.cancel_to = 12; /* even where only a wanted number came after it */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
    v.cancelled_accepted = 13;
    v.cancel_from = 11; /* or an earlier one was withdrawn */
    assert_int_equal(line_command(&v), MACHINE_COMMAND_CANCEL_FROM);
}

/* A gateway may go on answering for a machine whose program has hung. */
static void a_machine_whose_heartbeat_stands_still_is_not_there(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.permit = v.jobs = v.frozen = true;
    const struct line_row *row = line_step(LINE_READY, LINE_EVENT_TICK, &v);
    assert_int_equal(row->effect, LINE_DO_BACK_OFF);
    assert_int_equal(row->to, LINE_DOWN);
}

static void an_open_switch_of_the_panel_aborts_and_lets_nothing_move(void **state)
{
    (void)state;
    struct line_view v = quiet();
    v.want = LINE_RUN;
    v.permit = true;
    v.tripped = "emergency stop: open";
    assert_int_equal(line_command(&v), MACHINE_COMMAND_ABORT);
    assert_string_equal(line_standstill(&v), v.tripped);
    static const enum machine_state resting[] = {MACHINE_STATE_ABORTED, MACHINE_STATE_STOPPED,
                                                 MACHINE_STATE_IDLE};
    for (int i = 0; i < 3; i++) {
        v.mirror.state = resting[i];
        v.attend = i % 2; /* the stand-in, too */
        assert_int_equal(line_command(&v), MACHINE_COMMAND_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_event_has_a_row_that_always_holds),
        cmocka_unit_test(no_row_stands_behind_one_that_always_holds),
        cmocka_unit_test(no_random_walk_breaks_an_invariant),
        cmocka_unit_test(what_is_sent_next_follows_from_the_mirror_alone),
        cmocka_unit_test(a_full_ring_and_a_full_queue_wait),
        cmocka_unit_test(counters_that_the_store_cannot_explain_stop_the_line),
        cmocka_unit_test(nothing_restarts_an_aborted_machine_but_a_person),
        cmocka_unit_test(a_start_walks_to_execute),
        cmocka_unit_test(a_clean_end_waits_for_the_started_pouches),
        cmocka_unit_test(cancel_reaches_the_machine_after_the_numbers),
        cmocka_unit_test(a_withdrawn_number_holds_new_ones_back),
        cmocka_unit_test(a_machine_whose_heartbeat_stands_still_is_not_there),
        cmocka_unit_test(a_cancel_is_none_for_numbers_that_came_after_it),
        cmocka_unit_test(an_open_switch_of_the_panel_aborts_and_lets_nothing_move),
        cmocka_unit_test(a_held_machine_is_let_go_only_with_known_seats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
