/* SPDX-License-Identifier: Apache-2.0 */
/* Trace, replay and faulty around the in-process simulator, on a virtual clock. */
#include "tests/unit/hw/rig.h"

#include "config/base/clock.h"
#include "hw/machine.h"
#include "hw/sim/sim_machine.h"
#include "hw/wrap/faulty.h"
#include "hw/wrap/replay.h"
#include "hw/wrap/trace.h"
#include "tests/support/scratch.h"

enum { ANSWERS_MAX = 64, DEADLINE_MS = 200 };

struct bench {
    struct rig rig;
    struct clock_virtual clock;
    struct scratch scratch;
    char file[SCRATCH_PATH_BYTES];
};

static void bench_open(struct bench *b)
{
    rig_init(&b->rig, rig_params());
    clock_virtual_init(&b->clock, 0, 0);
    scratch_init(&b->scratch);
    scratch_path(&b->scratch, "trace.ndjson", b->file);
    clock_virtual_advance(&b->clock, 30); /* it boots */
}

static void bench_close(struct bench *b)
{
    rig_finish(&b->rig);
    scratch_finish(&b->scratch);
}

static struct machine *sim_open(struct bench *b)
{
    struct error err = {0};
    const struct sim_machine_params params = {
        .world = b->rig.world, .clock = &b->clock.clock, .answer_ms = 3, .deadline_ms = DEADLINE_MS};
    struct machine *machine = sim_machine_create(&params, &err);
    assert_non_null(machine);
    return machine;
}

static struct machine *trace_open(struct bench *b)
{
    struct error err = {0};
    struct machine *machine = trace_create(sim_open(b), b->file, "m1", &b->clock.clock, &err);
    if (!machine)
        fail_msg("%s", err.message);
    return machine;
}

static struct machine *replay_open(struct bench *b)
{
    struct error err = {0};
    struct machine *machine = replay_create(b->file, &b->clock.clock, &err);
    if (!machine)
        fail_msg("%s", err.message);
    return machine;
}

static struct machine_answer wait_answer(struct bench *b, struct machine *machine)
{
    struct machine_answer answer;
    for (int ms = 0; ms < 1000; ms++) {
        if (machine_poll(machine, &answer))
            return answer;
        clock_virtual_advance(&b->clock, 1);
    }
    fail_msg("no answer");
    return (struct machine_answer){.code = -1};
}

static struct machine_answer ask(struct bench *b, struct machine *machine, struct machine_request request)
{
    struct error err = {0};
    if (machine_submit(machine, &request, &err) < 0)
        fail_msg("%s", err.message);
    return wait_answer(b, machine);
}

static struct machine_request plain(enum machine_request_kind kind)
{
    return (struct machine_request){.kind = kind, .id = 77};
}

static struct machine_request control_request(uint16_t nonce, enum machine_command command)
{
    return (struct machine_request){
        .kind = MACHINE_CONTROL,
        .id = 78,
        .control = {
            .nonce = nonce, .session = 5, .heartbeat = nonce, .command = command, .command_seq = nonce}};
}

/* Every kind of request, good and bad ones, and a pouch from start to end. */
static unsigned drive(struct bench *b, struct machine *machine, struct machine_answer *answers)
{
    unsigned n = 0;
    answers[n++] = ask(b, machine, plain(MACHINE_READ_STATUS)); /* no link yet */
    answers[n++] = ask(b, machine, plain(MACHINE_IDENTIFY));
    answers[n++] = ask(b, machine, control_request(1, MACHINE_COMMAND_RESET));
    clock_virtual_advance(&b->clock, 50);
    answers[n++] = ask(b, machine, control_request(2, MACHINE_COMMAND_START));
    answers[n++] = ask(b, machine, (struct machine_request){.kind = MACHINE_READ_BAYS, .bay = 15});
    answers[n++] = ask(b, machine, (struct machine_request){.kind = MACHINE_PUT_JOB, .job = rig_job(1)});
    for (uint16_t i = 3; i < 40; i++) {
        clock_virtual_advance(&b->clock, 100);
        answers[n++] = ask(b, machine, control_request(i, MACHINE_COMMAND_NONE));
    }
    answers[n++] = ask(b, machine, plain(MACHINE_READ_STATUS));
    answers[n++] = ask(b, machine, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 1});
    answers[n++] = ask(b, machine, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 2});
    assert_true(n <= ANSWERS_MAX);
    return n;
}

static void a_trace_plays_back_value_for_value(void **state)
{
    (void)state;
    static struct machine_answer real[ANSWERS_MAX], played[ANSWERS_MAX];
    struct bench b;
    bench_open(&b);
    memset(real, 0, sizeof real);
    memset(played, 0, sizeof played);
    struct machine *machine = trace_open(&b);
    unsigned count = drive(&b, machine, real);
    machine_make_safe(machine);
    machine_destroy(machine);
    assert_int_equal(real[count - 3].status.done, 1);
    assert_int_equal(real[count - 2].result.outcome, MACHINE_GOOD);
    assert_int_equal(real[count - 1].code, E_NOT_FOUND);
    assert_int_equal(real[4].bays.rows[4].canister, 20);

    machine = replay_open(&b);
    assert_int_equal(drive(&b, machine, played), count);
    assert_null(replay_difference(machine));
    assert_true(replay_is_over(machine));
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(played[i].id, real[i].id);
        assert_int_equal(played[i].code, real[i].code);
        assert_int_equal(played[i].did, real[i].did);
        assert_int_equal(played[i].took_ms, real[i].took_ms);
        if (real[i].code == 0 && real[i].kind == MACHINE_READ_STATUS)
            assert_memory_equal(&played[i].status, &real[i].status, sizeof real[i].status);
        if (real[i].code == 0 && real[i].kind == MACHINE_IDENTIFY)
            assert_memory_equal(&played[i].identity, &real[i].identity, sizeof real[i].identity);
        if (real[i].code == 0 && real[i].kind == MACHINE_READ_BAYS)
            assert_memory_equal(&played[i].bays.rows, &real[i].bays.rows, 5 * sizeof(struct machine_bay));
    }
    assert_int_equal(played[count - 2].result.entry_count, 3);
    assert_int_equal(played[count - 2].result.entries[2].counted, 3);
    assert_int_equal(played[count - 2].result.hash, real[count - 2].result.hash);
    assert_int_equal(ask(&b, machine, plain(MACHINE_READ_STATUS)).code, E_LINK); /* behind the end */
    machine_destroy(machine);
    bench_close(&b);
}

static void what_differs_is_refused_and_named(void **state)
{
    (void)state;
    struct bench b;
    static struct machine_answer answers[ANSWERS_MAX];
    bench_open(&b);
    struct machine *machine = trace_open(&b);
    drive(&b, machine, answers);
    machine_destroy(machine);
    machine = replay_open(&b);
    assert_int_equal(ask(&b, machine, plain(MACHINE_READ_STATUS)).code, E_LINK);
    assert_int_equal(ask(&b, machine, plain(MACHINE_IDENTIFY)).code, 0);
    struct machine_answer answer = ask(&b, machine, control_request(9, MACHINE_COMMAND_RESET));
    assert_int_equal(answer.code, E_MISMATCH);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    assert_string_equal(replay_difference(machine), "request 3: nonce is 9, the trace has 1");
    assert_int_equal(ask(&b, machine, plain(MACHINE_IDENTIFY)).code, E_MISMATCH); /* for good */
    assert_false(replay_is_over(machine));
    machine_destroy(machine);
    machine = replay_open(&b);
    assert_int_equal(ask(&b, machine, plain(MACHINE_IDENTIFY)).code, E_MISMATCH);
    assert_non_null(
        strstr(replay_difference(machine), "kind is \"identify\", the trace has \"read_status\""));
    machine_destroy(machine);
    bench_close(&b);
}

static void files_that_are_no_trace_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *says;
    } rows[] = {
        {"", E_INPUT, "empty"},
        {"{}\n", E_VERSION, ":1: "},
        {"{\"format\":\"sachet-trace/2\"}\n", E_VERSION, "sachet-trace/1"},
        {"{\"format\":\"sachet-trace/1\"}\nnothing\n", E_INPUT, ":2: no JSON object"},
        {"{\"format\":\"sachet-trace/1\"}\n{\"t\":1,\"answer\":1,\"kind\":\"control\"}\n", E_INPUT,
         "without a request"},
        {"{\"format\":\"sachet-trace/1\"}\n{\"t\":1,\"request\":1,\"kind\":\"identify\"}\n"
         "{\"t\":1,\"answer\":1,\"kind\":\"identify\",\"did\":\"done\",\"took_ms\":2,\"map_version\":70000}"
         "\n",
         E_INPUT, "`map_version`"},
    };
    struct bench b;
    struct error err = {0};
    bench_open(&b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scratch_write(&b.scratch, "trace.ndjson", rows[i].text, b.file);
        assert_null(replay_create(b.file, &b.clock.clock, &err));
        assert_int_equal(err.code, rows[i].code);
        assert_non_null(strstr(err.message, rows[i].says));
    }
    struct machine *inner = sim_open(&b);
    assert_null(trace_create(inner, b.file, "m1", &b.clock.clock, &err)); /* nothing is written over */
    assert_int_equal(err.code, E_EXISTS);
    machine_destroy(inner);
    assert_null(replay_create("/nonexistent/trace", &b.clock.clock, &err));
    assert_int_equal(err.code, E_FILE);
    bench_close(&b);
}

static void each_fault_looks_as_on_a_real_line(void **state)
{
    (void)state;
    static const struct {
        enum fault fault;
        int code;
        enum machine_did did;
        unsigned accepted; /* by the machine, afterwards */
        bool linked;
    } rows[] = {
        {FAULT_LOSE_REQUEST, E_TIMEOUT, MACHINE_UNKNOWN, 0, false},
        {FAULT_LOSE_ANSWER, E_TIMEOUT, MACHINE_UNKNOWN, 1, false},
        {FAULT_DAMAGE_ANSWER, E_FRAME, MACHINE_UNKNOWN, 1, false},
        {FAULT_REPEAT_REQUEST, 0, MACHINE_DONE, 1, true},
        {FAULT_RESET_LINK, E_LINK, MACHINE_UNKNOWN, 0, false},
        {FAULT_REFUSE, E_DEVICE, MACHINE_NOT_DONE, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        struct error err = {0};
        bench_open(&b);
        struct machine *machine = faulty_create(sim_open(&b), &b.clock.clock, DEADLINE_MS, &err);
        assert_non_null(machine);
        assert_int_equal(ask(&b, machine, plain(MACHINE_IDENTIFY)).code, 0);
        assert_int_equal(ask(&b, machine, control_request(1, MACHINE_COMMAND_NONE)).code, 0);
        faulty_fail(machine, rows[i].fault, 1);
        int64_t begin_ms = b.clock.mono_now_ms;
        struct machine_answer answer =
            ask(&b, machine, (struct machine_request){.kind = MACHINE_PUT_JOB, .id = 9, .job = rig_job(1)});
        assert_int_equal(answer.code, rows[i].code);
        assert_int_equal(answer.did, rows[i].did);
        assert_int_equal(answer.id, 9);
        if (rows[i].code == E_TIMEOUT)
            assert_int_equal(b.clock.mono_now_ms - begin_ms, DEADLINE_MS);
        answer = ask(&b, machine, plain(MACHINE_READ_STATUS));
        assert_int_equal(answer.code, rows[i].linked ? 0 : E_LINK);
        if (!rows[i].linked) {
            assert_int_equal(ask(&b, machine, plain(MACHINE_IDENTIFY)).code, 0);
            answer = ask(&b, machine, plain(MACHINE_READ_STATUS));
        }
        assert_int_equal(answer.status.accepted, rows[i].accepted);
        machine_destroy(machine);
        bench_close(&b);
    }
}

static void the_nth_request_fails_and_what_waits_behind_it_meets_no_link(void **state)
{
    (void)state;
    struct bench b;
    struct error err = {0};
    bench_open(&b);
    struct machine *machine = faulty_create(sim_open(&b), &b.clock.clock, DEADLINE_MS, &err);
    faulty_fail(machine, FAULT_RESET_LINK, 3);
    struct machine_request request = plain(MACHINE_IDENTIFY);
    static const int codes[MACHINE_QUEUE] = {0, 0, E_LINK, E_LINK};
    for (uint32_t i = 0; i < MACHINE_QUEUE; i++) {
        request.id = i;
        assert_int_equal(machine_submit(machine, &request, &err), 0);
        request = plain(MACHINE_READ_STATUS);
    }
    assert_int_equal(machine_submit(machine, &request, &err), E_LIMIT);
    for (uint32_t i = 0; i < 4; i++) {
        struct machine_answer answer = wait_answer(&b, machine);
        assert_int_equal(answer.id, i);
        assert_int_equal(answer.code, codes[i]);
    }
    machine_make_safe(machine);
    for (uint32_t i = 4; i < MACHINE_QUEUE; i++) {
        struct machine_answer answer = wait_answer(&b, machine);
        assert_int_equal(answer.id, i);
        assert_int_equal(answer.code, i == 4 ? E_LINK : E_STATE); /* the first had begun */
    }
    assert_int_equal(faulty_requests(machine), 3);
    machine_destroy(machine);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_plays_back_value_for_value),
        cmocka_unit_test(what_differs_is_refused_and_named),
        cmocka_unit_test(files_that_are_no_trace_are_refused),
        cmocka_unit_test(each_fault_looks_as_on_a_real_line),
        cmocka_unit_test(the_nth_request_fails_and_what_waits_behind_it_meets_no_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
