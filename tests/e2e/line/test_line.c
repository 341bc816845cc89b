/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole batches with real processes over other lines than the plain one: Modbus RTU with two machines and a
 * dead one on the line, with noise, and a machine with quite another register map. Each ends done, with
 * exactly one good pouch a job.
 *
 * usage: test-e2e-line SACHETD SACHET-SIM SACHET
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "tests/support/pharmacy.h"

enum { ARGS_MAX = 32, END_S = 50 };

static const char *sachetd, *sachet_sim, *sachet;

struct plant {
    struct pharmacy pharmacy;
    int64_t batch;
    int jobs;
    char line[SCRATCH_PATH_BYTES]; /* serial line */
    char port_file[SCRATCH_PATH_BYTES];
    unsigned port;
    pid_t sim;
};

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL); /* a little less does no harm */
}

static pid_t spawn_or_fail(struct plant *p, const char *log, const char *const *argv)
{
    char path[SCRATCH_PATH_BYTES];
    pid_t pid = fork();
    if (pid < 0)
        fail_msg("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    int fd = open(scratch_path(&p->pharmacy.scratch, log, path), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        (void)dup2(fd, STDOUT_FILENO); /* else the output is only in the wrong place */
        (void)dup2(fd, STDERR_FILENO);
    }
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void print_tail(struct plant *p, const char *name)
{
    char path[SCRATCH_PATH_BYTES], command[SCRATCH_PATH_BYTES + 64];
    scratch_path(&p->pharmacy.scratch, name, path);
    (void)snprintf(command, sizeof command, "tail -n 25 %s >&2", path); /* the path is bounded */
    (void)system(command); /* only for the person who reads the failure */
}

static void plant_init(struct plant *p, int patients, int days)
{
    *p = (struct plant){.jobs = patients * days * PHARMACY_POUCHES_A_DAY};
    pharmacy_init(&p->pharmacy, patients, days);
    p->batch = pharmacy_batch(&p->pharmacy);
    scratch_path(&p->pharmacy.scratch, "tty", p->line);
    scratch_path(&p->pharmacy.scratch, "port", p->port_file);
}

static void start_sim(struct plant *p, bool rtu, const char *const *more)
{
    char fill[16];
    (void)snprintf(fill, sizeof fill, "%d", PHARMACY_PIECES); /* fits */
    const char *argv[ARGS_MAX] = {sachet_sim, "--bays", "5", "--fill", fill, "--speed", "10"};
    int n = 7;
    argv[n++] = rtu ? "--rtu" : "--tcp";
    argv[n++] = rtu ? p->line : "127.0.0.1:0";
    if (!rtu) {
        argv[n++] = "--port-file";
        argv[n++] = p->port_file;
    }
    for (int i = 0; more[i] && n < ARGS_MAX - 1; i++)
        argv[n++] = more[i];
    p->sim = spawn_or_fail(p, "sim.out", argv);
    for (int i = 0; i < 500; i++) {
        FILE *file = rtu ? NULL : fopen(p->port_file, "r");
        bool ready = rtu ? access(p->line, F_OK) == 0 : file && fscanf(file, "%u", &p->port) == 1;
        if (file)
            fclose(file);
        if (ready)
            return;
        sleep_ms(10);
    }
    print_tail(p, "sim.out");
    fail_msg("sachet-sim did not start");
}

/* Flow maps of the machines, one a line. */
static void write_site(struct plant *p, const char *machines)
{
    char text[32768], path[SCRATCH_PATH_BYTES], timing[4096], packing[4096];
    struct error err = {0};
    if (paths_data("rules/timing.yaml", timing, sizeof timing, &err) < 0 ||
        paths_data("rules/packing.yaml", packing, sizeof packing, &err) < 0)
        fail_msg("%s", err.message);
    (void)snprintf(text, sizeof text,
                   "format: sachet-site/1\npharmacy: {name: \"Trial\", phone: \"555 0100\"}\n"
                   "store: sachet.db\nrules: {timing: \"%s\", packing: \"%s\"}\nmachines:\n%s",
                   timing, packing, machines);
    scratch_write(&p->pharmacy.scratch, "site.yaml", text, path);
}

/* Runs sachetd until nothing is left to do; its exit status. */
static int run_daemon(struct plant *p, const char *const *more)
{
    const char *argv[ARGS_MAX] = {sachetd, "--site", p->pharmacy.scratch.folder, "--attend", "--once"};
    int status = 0, n = 5;
    for (int i = 0; more && more[i] && n < ARGS_MAX - 1; i++)
        argv[n++] = more[i];
    pid_t daemon = spawn_or_fail(p, "sachetd.out", argv);
    for (int i = 0; i < END_S * 50; i++) {
        if (waitpid(daemon, &status, WNOHANG) == daemon)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        sleep_ms(20);
    }
    (void)kill(daemon, SIGKILL); /* it may have ended by itself */
    (void)waitpid(daemon, NULL, 0);
    return -1;
}

static void expect_batch(struct plant *p, int got, int status, const char *state)
{
    struct batch_info info;
    struct error err = {0};
    if (batch_get(p->pharmacy.store, p->batch, &info, &err) < 0)
        fail_msg("%s", err.message);
    if (got == status && strcmp(info.state, state) == 0)
        return;
    print_tail(p, "sachetd.out");
    print_tail(p, "sim.out");
    fail_msg("status %d; %" PRId64 " of %d pouches; the batch is %s: %s", got, info.good, p->jobs, info.state,
             info.note);
}

static void pack_or_fail(struct plant *p, const char *const *more)
{
    expect_batch(p, run_daemon(p, more), 0, "done");
    assert_int_equal(
        pharmacy_int(&p->pharmacy, "SELECT count(DISTINCT job_id) FROM fill WHERE state = 'good'"), p->jobs);
    assert_int_equal(pharmacy_int(&p->pharmacy, "SELECT count(*) FROM fill WHERE state = 'good'"), p->jobs);
    assert_int_equal(pharmacy_int(&p->pharmacy, "SELECT count(*) FROM fill WHERE state = 'intended'"), 0);
}

static void plant_finish(struct plant *p)
{
    int status = 0;
    (void)kill(p->sim, SIGTERM); /* it may have ended by itself */
    assert_int_equal(waitpid(p->sim, &status, 0), p->sim);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(access(p->line, F_OK), -1);
    pharmacy_finish(&p->pharmacy);
}

/* Lines of a file of the site that hold the words. */
static int count_lines(struct plant *p, const char *name, const char *words)
{
    char path[SCRATCH_PATH_BYTES], line[8192];
    int count = 0;
    FILE *file = fopen(scratch_path(&p->pharmacy.scratch, name, path), "r");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file))
        count += strstr(line, words) != NULL;
    fclose(file);
    return count;
}

/* The first line of what a command prints. */
static void first_line(char *text, size_t size, const char *command)
{
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(text, (int)size, pipe));
    while (fgetc(pipe) != EOF) {
    }
    assert_int_equal(pclose(pipe), 0);
}

/* `sachet line status` knows one serial line with three machines, and which of them was dead. */
static void expect_line_status(struct plant *p)
{
    char command[1024], text[256];
    const char *folder = p->pharmacy.scratch.folder;
    static const struct {
        const char *ask, *says;
    } rows[] = {
        {".lines | length", "1\n"},
        {".lines[0].line | startswith(\"rtu \")", "true\n"},
        {".lines[0].machines | map(.machine) | join(\" \")", "m1 m2 m3\n"},
        {".lines[0].machines[0] | .requests > 100 and .worst_ms >= .p99_ms and .current", "true\n"},
        {".lines[0].machines[2] | .timeouts >= 2 and .timeouts == .requests", "true\n"},
        {".lines[0] | .requests == (.machines | map(.requests) | add)", "true\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(command, sizeof command, "%s line status --json --site %s 2>/dev/null | jq -r '%s'",
                       sachet, folder, rows[i].ask); /* paths are bounded */
        first_line(text, sizeof text, command);
        assert_string_equal(text, rows[i].says);
    }
    (void)snprintf(command, sizeof command, "%s line status --site %s 2>/dev/null | grep -c '^  m'", sachet,
                   folder);
    first_line(text, sizeof text, command);
    assert_string_equal(text, "3\n");
}

/* ---- */

static const char *profile_or_fail(const char *name, char path[4096])
{
    struct error err = {0};
    if (paths_data(name, path, 4096, &err) < 0)
        fail_msg("%s", err.message);
    return path;
}

/* m1 and m2 are there, nobody is unit 3. */
static void rtu_site(struct plant *p)
{
    char text[13000], profile[4096];
    profile_or_fail("machines/sachet-packer-1.yaml", profile);
    (void)snprintf(text, sizeof text,
                   "  - {name: m1, transport: rtu, device: tty, unit: 1, profile: \"%s\"}\n"
                   "  - {name: m2, transport: rtu, device: tty, unit: 2, profile: \"%s\"}\n"
                   "  - {name: m3, transport: rtu, device: tty, unit: 3, profile: \"%s\"}\n",
                   profile, profile, profile); /* fits */
    write_site(p, text);
}

static void a_batch_is_packed_over_rtu_beside_a_dead_machine(void **state)
{
    (void)state;
    struct plant p;
    plant_init(&p, 2, 4);
    const char *const args[] = {"--machines", "2", NULL};
    start_sim(&p, true, args);
    rtu_site(&p);
    const char *const trace[] = {"--trace", p.pharmacy.scratch.folder, NULL};
    pack_or_fail(&p, trace);
    /* Every job went over the line and came back, and the dead machine's line was recorded, too. */
    assert_true(count_lines(&p, "m1.ndjson", "\"kind\":\"read_result\",\"did\":\"done\"") >= p.jobs);
    assert_true(count_lines(&p, "m3.ndjson", "\"error\":\"E_TIMEOUT\"") >= 2);
    expect_line_status(&p);
    plant_finish(&p);
}

static void a_batch_is_packed_over_a_noisy_line(void **state)
{
    (void)state;
    struct plant p;
    plant_init(&p, 2, 3);
    const char *const args[] = {"--machines", "2", "--noise", "150", "--seed", "20261121", NULL};
    start_sim(&p, true, args);
    rtu_site(&p);
    pack_or_fail(&p, NULL);
    assert_true(pharmacy_int(&p.pharmacy, "SELECT max(session) FROM machine") > 1); /* it hurt */
    plant_finish(&p);
}

/* Other addresses and tables, low word first, one result set, coils for commands, a mailbox in pieces. */
static void a_batch_is_packed_by_a_machine_of_another_kind(void **state)
{
    (void)state;
    for (int rtu = 0; rtu < 2; rtu++) {
        struct plant p;
        char text[8192], profile[4096];
        profile_or_fail("machines/one-result-1.yaml", profile);
        plant_init(&p, 1, 3);
        const char *const args[] = {"--profile", profile, "--faults", "0", NULL};
        start_sim(&p, rtu, args);
        if (rtu)
            (void)snprintf(text, sizeof text,
                           "  - {name: m1, transport: rtu, device: tty, profile: \"%s\"}\n",
                           profile); /* fits, as does the other */
        else
            (void)snprintf(text, sizeof text, "  - {name: m1, port: %u, profile: \"%s\"}\n", p.port, profile);
        write_site(&p, text);
        pack_or_fail(&p, NULL);
        plant_finish(&p);
    }
}

/* The morning's pouches have three entries, this machine takes two: they are set aside, the others are made.
 */
static void pouches_that_a_machine_cannot_take_are_set_aside(void **state)
{
    (void)state;
    struct plant p;
    char text[8192], path[4096], profile[SCRATCH_PATH_BYTES];
    static char yaml[16384];
    plant_init(&p, 1, 2);
    FILE *file = fopen(profile_or_fail("machines/one-result-1.yaml", path), "r");
    assert_non_null(file);
    yaml[fread(yaml, 1, sizeof yaml - 1, file)] = '\0';
    fclose(file);
    char *limit = strstr(yaml, "entries_max: 12");
    assert_non_null(limit);
    memcpy(limit, "entries_max: 2 ", 15);
    scratch_write(&p.pharmacy.scratch, "small.yaml", yaml, profile);
    const char *const args[] = {"--profile", profile, "--faults", "0", NULL};
    start_sim(&p, false, args);
    (void)snprintf(text, sizeof text, "  - {name: m1, port: %u, profile: small.yaml}\n", p.port); /* fits */
    write_site(&p, text);
    expect_batch(&p, run_daemon(&p, NULL), 1, "stopped");
    assert_int_equal(pharmacy_int(&p.pharmacy, "SELECT count(*) FROM fill WHERE state = 'good'"), 2);
    assert_int_equal(pharmacy_int(&p.pharmacy, "SELECT count(*) FROM job WHERE state = 'blocked' AND note ="
                                               " '3 entries in one pouch, machine m1 takes 2'"),
                     2);
    plant_finish(&p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_packed_over_rtu_beside_a_dead_machine),
        cmocka_unit_test(a_batch_is_packed_over_a_noisy_line),
        cmocka_unit_test(a_batch_is_packed_by_a_machine_of_another_kind),
        cmocka_unit_test(pouches_that_a_machine_cannot_take_are_set_aside),
    };
    if (argc < 4) {
        fprintf(stderr, "usage: %s SACHETD SACHET-SIM SACHET\n", argv[0]);
        return 2;
    }
    sachetd = argv[1];
    sachet_sim = argv[2];
    sachet = argv[3];

    return cmocka_run_group_tests(tests, NULL, NULL);
}
