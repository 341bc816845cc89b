/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/daemons.h"

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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/paths.h"
#include "controller/store/store.h"
#include "tests/support/witness.h"

int64_t daemons_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void daemons_sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL); /* a little less does no harm */
}

static pid_t spawn_or_fail(struct daemons *t, const char *log, const char *const *argv, void (*prepare)(void))
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
    if (prepare)
        prepare();
    execv(words[0], words);
    _exit(127);
}

void daemons_start_sim(struct daemons *t)
{
    char fill[16], speed[16], seed_text[32];
    (void)snprintf(fill, sizeof fill, "%d", PHARMACY_PIECES); /* numbers fit */
    (void)snprintf(speed, sizeof speed, "%d", t->params.speed);
    (void)snprintf(seed_text, sizeof seed_text, "%" PRIu64, t->params.seed);
    const char *const argv[] = {t->params.sachet_sim,
                                "--tcp",
                                t->tcp,
                                "--port-file",
                                t->port_file,
                                "--nv",
                                t->nv,
                                "--log",
                                t->log,
                                "--bays",
                                "5",
                                "--fill",
                                fill,
                                "--speed",
                                speed,
                                "--seed",
                                seed_text,
                                NULL};
    t->sim = spawn_or_fail(t, "sim.out", argv, NULL);
}

void daemons_start(struct daemons *t, bool once, void (*prepare)(void))
{
    const char *const argv[] = {t->params.sachetd,      "--site", t->pharmacy.scratch.folder, "--attend",
                                once ? "--once" : NULL, NULL};
    t->daemon = spawn_or_fail(t, "sachetd.out", argv, prepare);
}

void daemons_kill(pid_t *pid)
{
    if (*pid <= 0)
        return;
    (void)kill(*pid, SIGKILL); /* it may have ended by itself */
    (void)waitpid(*pid, NULL, 0);
    *pid = 0;
}

void daemons_print_tail(struct daemons *t, const char *name)
{
    char path[SCRATCH_PATH_BYTES], command[SCRATCH_PATH_BYTES + 64];
    scratch_path(&t->pharmacy.scratch, name, path);
    (void)snprintf(command, sizeof command, "tail -n 25 %s >&2", path);
    (void)system(command); /* only for the person who reads the failure */
}

/* The port that the simulator chose; it keeps it over restarts. */
static void learn_port(struct daemons *t)
{
    int64_t end_ms = daemons_now_ms() + 5000;
    int port = 0;
    while (port == 0 && daemons_now_ms() < end_ms) {
        FILE *file = fopen(t->port_file, "r");
        if (!file || fscanf(file, "%d", &port) != 1)
            port = 0;
        if (file)
            fclose(file);
        daemons_sleep_ms(10);
    }
    if (port == 0) {
        daemons_print_tail(t, "sim.out");
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
        timing, packing, t->params.profile, port);
    scratch_write(&t->pharmacy.scratch, "site.yaml", text, path);
}

struct batch_info daemons_batch(struct daemons *t, int64_t batch)
{
    struct batch_info info;
    struct error err = {0};
    if (batch_get(t->pharmacy.store, batch, &info, &err) < 0)
        fail_msg("%s", err.message);
    return info;
}

int daemons_check_log(struct daemons *t, bool lossy, struct error *err)
{
    struct witness *witness = witness_create(0, lossy);
    assert_non_null(witness);
    int rc = witness_read(witness, t->log, err);
    if (rc == 0)
        rc = witness_check(witness, t->pharmacy.store, "SIM00001", true, err);
    witness_destroy(witness);
    return rc;
}

int64_t daemons_begin(struct daemons *t, const struct daemons_params *params)
{
    *t = (struct daemons){.params = *params};
    pharmacy_init(&t->pharmacy, params->patients, params->days);
    scratch_path(&t->pharmacy.scratch, "port", t->port_file);
    scratch_path(&t->pharmacy.scratch, "nv", t->nv);
    assert_int_equal(mkdir(t->nv, 0700), 0);
    scratch_path(&t->pharmacy.scratch, "sim.ndjson", t->log);
    (void)snprintf(t->tcp, sizeof t->tcp, "127.0.0.1:0"); /* fits */
    int64_t batch = pharmacy_batch(&t->pharmacy);
    daemons_start_sim(t);
    learn_port(t);
    return batch;
}

void daemons_finish(struct daemons *t)
{
    daemons_kill(&t->daemon);
    daemons_kill(&t->sim);
    pharmacy_finish(&t->pharmacy);
}

int daemons_wait(pid_t *pid, int limit_s)
{
    int status = 0;
    for (int64_t end_ms = daemons_now_ms() + limit_s * 1000; daemons_now_ms() < end_ms; daemons_sleep_ms(5)) {
        if (waitpid(*pid, &status, WNOHANG) != *pid)
            continue;
        *pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    daemons_kill(pid);
    fail_msg("a program does not end");
    return -1;
}
