/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kill -9 trial: one batch of 40 pouches over real Modbus TCP while sachetd and sachet-sim are killed 20
 * times at seeded random moments, one or the other. The simulator keeps its non-volatile memory in files, so
 * that its death is a power cut. At the end there is exactly one good pouch a job, and the simulator's own
 * log agrees with the store about every number.
 *
 * usage: test-e2e-kill SACHETD SACHET-SIM PROFILE [SEED]
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/pharmacy.h"
#include "tests/support/witness.h"

enum {
    KILLS = 20,
    PATIENTS = 2,
    DAYS = 10,
    JOBS = PATIENTS * DAYS * PHARMACY_POUCHES_A_DAY,
    END_S = 50,
    SPEED = 20
};

static const char *sachetd, *sachet_sim, *profile;
static uint64_t seed = 20261121;

struct trial {
    struct pharmacy pharmacy;
    char port_file[SCRATCH_PATH_BYTES];
    char nv[SCRATCH_PATH_BYTES];
    char log[SCRATCH_PATH_BYTES];
    char tcp[32];
    pid_t daemon;
    pid_t sim;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL); /* a little less does no harm */
}

static pid_t spawn_limited_or_fail(struct trial *t, const char *log, const char *const *argv,
                                   void (*limit)(void))
{
    char path[SCRATCH_PATH_BYTES];
    pid_t pid = fork();
    if (pid < 0)
        fail_msg("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    int fd = open(scratch_path(&t->pharmacy.scratch, log, path), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        (void)dup2(fd, STDOUT_FILENO); /* else the output is only in the wrong place */
        (void)dup2(fd, STDERR_FILENO);
    }
    char *words[24] = {NULL};
    for (int i = 0; argv[i] && i < 23; i++)
        words[i] = strdup(argv[i]);
    if (limit)
        limit();
    execv(words[0], words);
    _exit(127);
}

static pid_t spawn_or_fail(struct trial *t, const char *log, const char *const *argv)
{
    return spawn_limited_or_fail(t, log, argv, NULL);
}

static void start_sim(struct trial *t)
{
    char fill[16], speed[16], seed_text[32];
    (void)snprintf(fill, sizeof fill, "%d", PHARMACY_PIECES); /* numbers fit */
    (void)snprintf(speed, sizeof speed, "%d", SPEED);
    (void)snprintf(seed_text, sizeof seed_text, "%" PRIu64, seed);
    const char *const argv[] = {sachet_sim, "--tcp",   t->tcp, "--port-file", t->port_file, "--nv",
                                t->nv,      "--log",   t->log, "--bays",      "5",          "--fill",
                                fill,       "--speed", speed,  "--seed",      seed_text,    NULL};
    t->sim = spawn_or_fail(t, "sim.out", argv);
}

static void start_daemon(struct trial *t)
{
    const char *const argv[] = {sachetd, "--site", t->pharmacy.scratch.folder, "--attend", NULL};
    t->daemon = spawn_or_fail(t, "sachetd.out", argv);
}

static void kill_child(pid_t *pid)
{
    if (*pid <= 0)
        return;
    (void)kill(*pid, SIGKILL); /* it may have ended by itself */
    (void)waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void print_tail(struct trial *t, const char *name)
{
    char path[SCRATCH_PATH_BYTES], command[SCRATCH_PATH_BYTES + 64];
    scratch_path(&t->pharmacy.scratch, name, path);
    (void)snprintf(command, sizeof command, "tail -n 25 %s >&2", path);
    (void)system(command); /* only for the person who reads the failure */
}

/* The port that the simulator chose; it keeps it over restarts. */
static void learn_port(struct trial *t)
{
    int64_t end_ms = now_ms() + 5000;
    int port = 0;
    while (port == 0 && now_ms() < end_ms) {
        FILE *file = fopen(t->port_file, "r");
        if (!file || fscanf(file, "%d", &port) != 1)
            port = 0;
        if (file)
            fclose(file);
        sleep_ms(10);
    }
    if (port == 0) {
        print_tail(t, "sim.out");
        fail_msg("sachet-sim does not listen");
    }
    (void)snprintf(t->tcp, sizeof t->tcp, "127.0.0.1:%d", port); /* fits */
    char text[16384], path[SCRATCH_PATH_BYTES], timing[4096], packing[4096];
    struct error err = {0};
    if (paths_data("rules/timing.yaml", timing, sizeof timing, &err) < 0 ||
        paths_data("rules/packing.yaml", packing, sizeof packing, &err) < 0)
        fail_msg("%s", err.message);
    (void)snprintf(
        text, sizeof text,
        "format: sachet-site/1\npharmacy: {name: \"Trial\", phone: \"555 0100\"}\nstore: sachet.db\n"
        "rules: {timing: \"%s\", packing: \"%s\"}\n"
        "machines:\n  - {name: m1, profile: \"%s\", host: 127.0.0.1, port: %d}\n",
        timing, packing, profile, port);
    scratch_write(&t->pharmacy.scratch, "site.yaml", text, path);
}

static struct batch_info info_or_fail(struct trial *t, int64_t batch)
{
    struct batch_info info;
    struct error err = {0};
    if (batch_get(t->pharmacy.store, batch, &info, &err) < 0)
        fail_msg("%s", err.message);
    return info;
}

/* The simulator's log and the store tell the same story. A kill may leave the last lines of a life out. */
static void check_log(struct trial *t, bool lossy)
{
    struct error err = {0};
    struct witness *witness = witness_create(0, lossy);
    assert_non_null(witness);
    int rc = witness_read(witness, t->log, &err);
    if (rc == 0)
        rc = witness_check(witness, t->pharmacy.store, "SIM00001", true, &err);
    if (rc < 0) {
        print_tail(t, "sachetd.out");
        fail_msg("%s", err.message);
    }
    print_message("%u pouches in the log, %u good, %u power-ons\n", witness_pouches(witness),
                  witness_good(witness), witness_boots(witness));
    witness_destroy(witness);
}

/* A pharmacy with a batch that waits for its start, and a simulator that listens. */
static int64_t trial_begin(struct trial *t)
{
    *t = (struct trial){0};
    pharmacy_init(&t->pharmacy, PATIENTS, DAYS);
    scratch_path(&t->pharmacy.scratch, "port", t->port_file);
    scratch_path(&t->pharmacy.scratch, "nv", t->nv);
    assert_int_equal(mkdir(t->nv, 0700), 0);
    scratch_path(&t->pharmacy.scratch, "sim.ndjson", t->log);
    (void)snprintf(t->tcp, sizeof t->tcp, "127.0.0.1:0"); /* fits */
    int64_t batch = pharmacy_batch(&t->pharmacy);
    start_sim(t);
    learn_port(t);
    return batch;
}

/* The child's exit status; it must end by itself. */
static int status_or_fail(pid_t *pid)
{
    int status = 0;
    for (int64_t end_ms = now_ms() + 20000; now_ms() < end_ms; sleep_ms(10)) {
        pid_t done = waitpid(*pid, &status, WNOHANG);
        if (done == *pid) {
            *pid = 0;
            assert_true(WIFEXITED(status));
            return WEXITSTATUS(status);
        }
    }
    kill_child(pid);
    fail_msg("a program does not end");
    return -1;
}

static void a_clean_end_loses_no_pouch_and_one_sachetd_is_enough(void **state)
{
    (void)state;
    struct trial t;
    int64_t batch = trial_begin(&t);
    start_daemon(&t);
    for (int64_t end_ms = now_ms() + 20000; info_or_fail(&t, batch).good < 5 && now_ms() < end_ms;)
        sleep_ms(10);
    assert_true(info_or_fail(&t, batch).good >= 5);
    pid_t first = t.daemon;
    start_daemon(&t); /* a second one on the same store */
    assert_int_equal(status_or_fail(&t.daemon), 3);
    assert_int_equal(kill(first, SIGTERM), 0);
    assert_int_equal(status_or_fail(&first), 0);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM batch WHERE state = 'running'"), 1);
    const char *const once[] = {sachetd, "--site", t.pharmacy.scratch.folder, "--attend", "--once", NULL};
    t.daemon = spawn_or_fail(&t, "sachetd.out", once);
    int status = status_or_fail(&t.daemon);
    struct batch_info info = info_or_fail(&t, batch);
    kill_child(&t.sim);
    if (status != 0 || info.good != JOBS)
        print_tail(&t, "sachetd.out");
    assert_int_equal(status, 0);
    assert_string_equal(info.state, "done");
    assert_int_equal(info.good, JOBS);
    char path[SCRATCH_PATH_BYTES];
    assert_int_equal(access(scratch_path(&t.pharmacy.scratch, "records/batch-1.txt", path), R_OK), 0);
    check_log(&t, false);
    pharmacy_finish(&t.pharmacy);
}

/* Whoever ends sachetd does not wait for another program that keeps the store to itself. */
static void a_clean_end_does_not_wait_long_for_the_lock(void **state)
{
    (void)state;
    struct trial t;
    struct error err = {0};
    int64_t batch = trial_begin(&t);
    start_daemon(&t);
    for (int64_t end_ms = now_ms() + 20000; info_or_fail(&t, batch).good < 3 && now_ms() < end_ms;)
        sleep_ms(10);
    assert_int_equal(store_write_begin(t.pharmacy.store, &err), 0);
    int64_t begin_ms = now_ms();
    assert_int_equal(kill(t.daemon, SIGTERM), 0);
    assert_int_equal(status_or_fail(&t.daemon), 0);
    print_message("ended after %d ms\n", (int)(now_ms() - begin_ms));
    assert_true(now_ms() - begin_ms < 8000); /* 4 s, with room for a busy machine */
    store_write_rollback(t.pharmacy.store);
    const char *const once[] = {sachetd, "--site", t.pharmacy.scratch.folder, "--attend", "--once", NULL};
    t.daemon = spawn_or_fail(&t, "sachetd.out", once);
    assert_int_equal(status_or_fail(&t.daemon), 0);
    kill_child(&t.sim);
    assert_int_equal(info_or_fail(&t, batch).good, JOBS);
    check_log(&t, false);
    pharmacy_finish(&t.pharmacy);
}

/* SIGXFSZ and EFBIG stand for a disk that takes no more. */
static void limit_files(void)
{
    const struct rlimit limit = {.rlim_cur = 0x60000, .rlim_max = 0x60000};
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &limit); /* where it does not work the test fails */
}

static void a_store_that_takes_no_more_ends_sachetd_and_the_next_one_goes_on(void **state)
{
    (void)state;
    struct trial t;
    int64_t batch = trial_begin(&t);
    const char *const argv[] = {sachetd, "--site", t.pharmacy.scratch.folder, "--attend", NULL};
    t.daemon = spawn_limited_or_fail(&t, "sachetd.out", argv, limit_files);
    int status = status_or_fail(&t.daemon);
    int64_t pouches = pharmacy_int(&t.pharmacy, "SELECT count(*) FROM fill");
    if (status != 3)
        print_tail(&t, "sachetd.out");
    assert_int_equal(status, 3);
    assert_true(info_or_fail(&t, batch).good < JOBS);
    sleep_ms(200); /* nobody is there to give numbers out */
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM fill"), pouches);
    const char *const once[] = {sachetd, "--site", t.pharmacy.scratch.folder, "--attend", "--once", NULL};
    t.daemon = spawn_or_fail(&t, "sachetd.out", once);
    status = status_or_fail(&t.daemon);
    kill_child(&t.sim);
    assert_int_equal(status, 0);
    assert_int_equal(info_or_fail(&t, batch).good, JOBS);
    check_log(&t, false);
    pharmacy_finish(&t.pharmacy);
}

static void forty_pouches_survive_twenty_kills(void **state)
{
    (void)state;
    struct trial t;
    struct rng rng;
    struct error err = {0};
    int64_t rows = 0;
    print_message("seed %" PRIu64 "\n", seed);
    rng_init(&rng, seed, 7);
    int64_t batch = trial_begin(&t);
    int64_t begin_ms = now_ms(), end_ms = begin_ms + END_S * 1000;
    start_daemon(&t);
    struct batch_info info = info_or_fail(&t, batch);
    int kills = 0;
    while (now_ms() < end_ms) {
        /* Kills are spread over the batch: the k-th comes when k/20 of it is made, or a while later. */
        int64_t wait_ms = 5 + rng_below(&rng, 50);
        for (int64_t until_ms = now_ms() + wait_ms; now_ms() < until_ms;) {
            sleep_ms(3);
            info = info_or_fail(&t, batch);
            if (batch_is_resting(&info))
                break;
        }
        if (batch_is_resting(&info) && strcmp(info.state, "stopped") != 0)
            break;
        if (kills == KILLS || info.good * KILLS < kills * (JOBS - 8))
            continue;
        if (rng_below(&rng, 2)) {
            kill_child(&t.daemon);
            start_daemon(&t);
        } else {
            kill_child(&t.sim);
            start_sim(&t);
        }
        kills++;
    }
    info = info_or_fail(&t, batch);
    print_message("%d kills, %" PRId64 " good, %" PRId64 " void, %" PRId64 " ms\n", kills, info.good,
                  info.voids, now_ms() - begin_ms);
    kill_child(&t.daemon);
    kill_child(&t.sim);
    if (strcmp(info.state, "done") != 0 || info.good != JOBS) {
        print_tail(&t, "sachetd.out");
        print_tail(&t, "sim.out");
        print_tail(&t, "sim.ndjson");
        fail_msg("%" PRId64 " of %d pouches; the batch is %s: %s", info.good, JOBS, info.state, info.note);
    }
    assert_int_equal(kills, KILLS);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM fill WHERE state = 'good'"), JOBS);
    assert_int_equal(
        pharmacy_int(&t.pharmacy, "SELECT count(DISTINCT job_id) FROM fill WHERE state = 'good'"), JOBS);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM fill WHERE state = 'intended'"), 0);
    assert_int_equal(pharmacy_int(&t.pharmacy,
                                  "SELECT count(*) FROM fill_item i JOIN fill f ON f.id = i.fill_id"
                                  " WHERE f.state = 'good' AND i.counted IS NOT i.requested"),
                     0);
    check_log(&t, true);
    if (audit_verify(t.pharmacy.store, &rows, &err) < 0)
        fail_msg("%s", err.message);
    pharmacy_finish(&t.pharmacy);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_end_loses_no_pouch_and_one_sachetd_is_enough),
        cmocka_unit_test(a_clean_end_does_not_wait_long_for_the_lock),
        cmocka_unit_test(a_store_that_takes_no_more_ends_sachetd_and_the_next_one_goes_on),
        cmocka_unit_test(forty_pouches_survive_twenty_kills),
    };
    if (argc < 4) {
        fprintf(stderr, "usage: %s SACHETD SACHET-SIM PROFILE [SEED]\n", argv[0]);
        return 2;
    }
    sachetd = argv[1];
    sachet_sim = argv[2];
    profile = argv[3];
    if (argc > 4)
        seed = strtoull(argv[4], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
