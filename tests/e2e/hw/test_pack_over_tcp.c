/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little controller packs over Modbus TCP on a sachet-sim that is killed with -9 again and again; then its
 * event log must show each number filled at most once and each job good exactly once.
 */
#include "tests/e2e/hw/sim_process.h"

#include <sys/stat.h>

#include "config/base/rng.h"
#include "hw/machine.h"
#include "hw/modbus/modbus_machine.h"

enum { JOBS = 80, SEQS = 400, KILLS = 6 };

struct controller {
    struct machine *machine;
    bool linked;
    uint32_t session;
    uint16_t command_seq;
    uint16_t beat;
    uint32_t stored;
    uint32_t next_seq; /* N */
    unsigned job_of[SEQS];
    bool open[JOBS];
    bool good[JOBS];
    unsigned good_count;
    unsigned boots_seen;
    uint32_t boot;
};

static struct machine_answer ask(struct controller *c, struct machine_request request)
{
    struct error err = {0};
    struct machine_answer answer;
    if (machine_submit(c->machine, &request, &err) < 0)
        fail_msg("%s", err.message);
    struct pollfd waiting = {.fd = machine_fd(c->machine), .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 10000), 1);
    assert_true(machine_poll(c->machine, &answer));
    if (answer.code == E_LINK || answer.code == E_TIMEOUT || answer.code == E_FRAME)
        c->linked = false;
    return answer;
}

static bool control(struct controller *c, enum machine_command command)
{
    struct machine_request request = {.kind = MACHINE_CONTROL,
                                      .control = {.nonce = ++c->beat,
                                                  .session = c->session,
                                                  .heartbeat = c->beat,
                                                  .command = command,
                                                  .command_seq = command ? ++c->command_seq : c->command_seq,
                                                  .retire = c->stored}};
    return ask(c, request).code == 0;
}

static void take_results(struct controller *c, uint32_t done)
{
    while (c->linked && c->stored < done) {
        struct machine_answer answer =
            ask(c, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = c->stored + 1});
        if (answer.code != 0)
            return;
        unsigned j = c->job_of[answer.result.seq];
        assert_int_equal(answer.result.hash, 0xABC00000 + answer.result.seq);
        if (answer.result.outcome == MACHINE_GOOD) {
            assert_false(c->good[j]);
            c->good[j] = true;
            c->good_count++;
        } else {
            c->open[j] = true;
        }
        c->stored = answer.result.seq;
    }
}

static void send_jobs(struct controller *c, uint32_t accepted)
{
    for (uint32_t seq = accepted + 1; c->linked && seq - c->stored <= 8; seq++) {
        if (seq > c->next_seq) {
            unsigned j = 0;
            while (j < JOBS && !c->open[j])
                j++;
            if (j == JOBS)
                return;
            assert_true(seq < SEQS);
            c->open[j] = false;
            c->job_of[seq] = j;
            c->next_seq = seq;
        }
        if (ask(c, (struct machine_request){.kind = MACHINE_PUT_JOB, .job = rig_job(seq)}).code != 0)
            return;
    }
}

static void turn(struct controller *c)
{
    if (!c->linked) {
        c->linked = true;
        if (ask(c, (struct machine_request){.kind = MACHINE_IDENTIFY}).code != 0) {
            c->linked = false;
            usleep(10000);
            return;
        }
        c->session++;
    }
    struct machine_answer answer = ask(c, (struct machine_request){.kind = MACHINE_READ_STATUS});
    if (answer.code != 0)
        return;
    const struct machine_status *status = &answer.status;
    c->boots_seen += status->boot != c->boot;
    c->boot = status->boot;
    c->command_seq = status->command_seq;
    take_results(c, status->done);
    enum machine_command command = MACHINE_COMMAND_NONE;
    if (status->state == MACHINE_STATE_ABORTED)
        command = status->started > status->done ? MACHINE_COMMAND_CONFIRM_REMOVED : MACHINE_COMMAND_CLEAR;
    if (status->state == MACHINE_STATE_STOPPED)
        command = MACHINE_COMMAND_RESET;
    if (status->state == MACHINE_STATE_IDLE)
        command = MACHINE_COMMAND_START;
    if (status->state == MACHINE_STATE_HELD)
        command = MACHINE_COMMAND_UNHOLD;
    if (c->linked && control(c, command))
        send_jobs(c, status->accepted);
    usleep(5000);
}

/* Counts lines of one event with this number in the log. */
static unsigned count_events(const char *log, const char *event, uint32_t seq, const char *text)
{
    char wanted[96];
    (void)snprintf(wanted, sizeof wanted, "\"seq\":%u,\"ev\":\"%s\"%s%s%s", seq, event,
                   text ? ",\"text\":\"" : "", text ? text : "", text ? "\"" : "");
    unsigned count = 0;
    for (const char *at = log; (at = strstr(at, wanted)) != NULL; at++)
        count++;
    return count;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct buf text;
    buf_init(&text);
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
        buf_add(&text, part, got);
    fclose(file);
    return buf_take(&text);
}

static void compare_with_log(const struct controller *c, const char *path)
{
    char *log = read_file(path);
    assert_non_null(log);
    unsigned done_good[JOBS] = {0};
    for (uint32_t seq = 1; seq <= c->next_seq; seq++) {
        assert_in_range(count_events(log, "printed", seq, NULL), 0, 1); /* one pouch a number */
        assert_in_range(count_events(log, "done", seq, NULL), 0, 1);
        done_good[c->job_of[seq]] += count_events(log, "sealed", seq, NULL) &&
                                     !count_events(log, "removed", seq, NULL) &&
                                     !count_events(log, "done", seq, "void");
    }
    for (unsigned j = 0; j < JOBS; j++)
        assert_int_equal(done_good[j], 1);
    free(log);
}

static void killed_machines_lose_and_double_nothing(void **state)
{
    (void)state;
    const uint64_t seed = 20261121;
    print_message("seed %u\n", (unsigned)seed);
    struct rng rng;
    rng_init(&rng, seed, 1);
    struct scratch scratch;
    char log[SCRATCH_PATH_BYTES];
    scratch_init(&scratch);
    scratch_path(&scratch, "log", log);
    const char *const args[] = {"--speed",  "50",  "--nv", scratch.folder, "--log", log,
                                "--faults", "500", NULL};
    struct sim_process sim;
    sim_start(&sim, &scratch, args);

    struct profile profile;
    rig_profile(&profile);
    struct controller c = {.session = 0};
    for (unsigned j = 0; j < JOBS; j++)
        c.open[j] = true;
    unsigned kills = 0;
    int64_t kill_ms = 0;
    uint16_t port = 0;
    struct clock *clock = clock_system();
    int64_t begin_ms = clock_mono_ms(clock);
    while (c.good_count < JOBS) {
        assert_true(clock_mono_ms(clock) - begin_ms < 60000);
        if (port != sim.port) { /* it came up somewhere else: another line */
            machine_destroy(c.machine);
            const struct modbus_machine_params params = {
                .profile = &profile, .clock = clock, .host = "127.0.0.1", .port = sim.port, .unit = 1};
            struct error err = {0};
            c.machine = modbus_machine_create(&params, &err);
            assert_non_null(c.machine);
            c.linked = false;
            port = sim.port;
            kill_ms = clock_mono_ms(clock) + 550 + rng_below(&rng, 150);
        }
        turn(&c);
        if (kills < KILLS && clock_mono_ms(clock) >= kill_ms) {
            kills++;
            assert_int_equal(sim_end(&sim, SIGKILL), 128 + SIGKILL);
            sim_start(&sim, &scratch, args);
        }
    }
    print_message("%u numbers for %u jobs, %u kills, %u boots seen\n", c.next_seq, JOBS, kills, c.boots_seen);
    assert_true(kills >= 2 && c.boots_seen >= 3);
    for (int i = 0; i < 5; i++)
        turn(&c);
    machine_destroy(c.machine);
    assert_int_equal(sim_end(&sim, SIGTERM), 0);
    compare_with_log(&c, log);
    scratch_finish(&scratch);
}

static struct machine_bay read_bay(const struct sim_process *sim, uint8_t unit, uint16_t bay)
{
    struct profile profile;
    struct error err = {0};
    rig_profile(&profile);
    const struct modbus_machine_params params = {
        .profile = &profile, .clock = clock_system(), .host = "127.0.0.1", .port = sim->port, .unit = unit};
    struct controller c = {.machine = modbus_machine_create(&params, &err)};
    assert_non_null(c.machine);
    while (ask(&c, (struct machine_request){.kind = MACHINE_IDENTIFY}).code != 0)
        usleep(10000);
    struct machine_answer answer = ask(&c, (struct machine_request){.kind = MACHINE_READ_BAYS, .bay = bay});
    assert_int_equal(answer.code, 0);
    machine_destroy(c.machine);
    return answer.bays.rows[0];
}

static void canisters_are_seated_as_the_file_says(void **state)
{
    (void)state;
    struct scratch scratch;
    char file[SCRATCH_PATH_BYTES];
    scratch_init(&scratch);
    scratch_write(&scratch, "canisters", "# machine bay canister pieces\n\n3 70001 55\n2 4 70002 66\n", file);
    const char *const args[] = {"--machines", "2",           "--speed", "100", "--fill",
                                "77",         "--canisters", file,      NULL};
    struct sim_process sim;
    sim_start(&sim, &scratch, args);
    assert_int_equal(read_bay(&sim, 1, 3).canister, 70001);
    assert_int_equal(read_bay(&sim, 1, 3).level, 55);
    assert_int_equal(read_bay(&sim, 2, 4).canister, 70002);
    assert_int_equal(read_bay(&sim, 2, 3).canister, 1004); /* not in the file */
    assert_int_equal(read_bay(&sim, 2, 3).level, 77);
    assert_int_equal(sim_end(&sim, SIGTERM), 0);
    static const char *const wrong[] = {"1 2\n",     "1 2 x\n",     "99 1 1\n",
                                        "3 0 1 1\n", "1 1 99999\n", "1 -1 5\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char command[768];
        scratch_write(&scratch, "canisters", wrong[i], file);
        (void)snprintf(
            command, sizeof command,
            "timeout 10 %s --tcp 127.0.0.1:0 --machines 2 --canisters %s 2>&1 | grep -q '%s:1:1: '",
            getenv("SACHET_SIM"), file, file);
        assert_int_equal(system(command), 0);
    }
    scratch_finish(&scratch);
}

static void two_processes_do_not_share_a_memory(void **state)
{
    (void)state;
    struct scratch scratch;
    scratch_init(&scratch);
    const char *const args[] = {"--nv", scratch.folder, NULL};
    struct sim_process sim;
    sim_start(&sim, &scratch, args);
    char command[512];
    (void)snprintf(command, sizeof command,
                   "%s --tcp 127.0.0.1:0 --nv %s 2>&1 | grep -q 'another sachet-sim'", getenv("SACHET_SIM"),
                   scratch.folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(sim_end(&sim, SIGTERM), 0);
    scratch_finish(&scratch);
}

static void wrong_options_are_one_clear_line(void **state)
{
    (void)state;
    static const struct {
        const char *args;
        int status;
        const char *says;
    } rows[] = {
        {"--speed 0", 2, "--speed 0: a whole number from 1"},
        {"--machines 5000", 2, "from 1 to 4940"},
        {"--tcp nowhere", 2, "HOST:PORT"},
        {"--tcp 300.0.0.1:0", 2, "no address"},
        {"--canisters /nonexistent", 3, "/nonexistent"},
        {"--nv /nonexistent", 3, "/nonexistent"},
        {"--nothing", 2, "no such option"},
        {"--seed", 2, "--seed needs N"},
        {"--serial TOOLONG", 2, "1 to 5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char command[512];
        (void)snprintf(command, sizeof command, "timeout 10 %s --tcp 127.0.0.1:0 %s 2>&1",
                       getenv("SACHET_SIM"), rows[i].args);
        FILE *pipe = popen(command, "r");
        assert_non_null(pipe);
        char line[512] = "";
        assert_non_null(fgets(line, sizeof line, pipe));
        assert_non_null(strstr(line, rows[i].says));
        assert_null(fgets(line, sizeof line, pipe)); /* one line */
        assert_int_equal(WEXITSTATUS(pclose(pipe)), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_machines_lose_and_double_nothing),
        cmocka_unit_test(canisters_are_seated_as_the_file_says),
        cmocka_unit_test(two_processes_do_not_share_a_memory),
        cmocka_unit_test(wrong_options_are_one_clear_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
