/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-line: one sachetd and many simulated machines as real processes on real Modbus TCP over loopback,
 * with the store on a real disk. Every machine has a batch that outlasts the measurement. Reports how long a
 * job takes until the machine has it, how much of the time the machines work while jobs wait, what a pouch
 * costs in CPU, and commits, rows and memory.
 *
 * What machines do is read from their own event logs, what sachetd uses from /proc, the rest from the store.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "controller/stock/content.h"
#include "controller/store/store.h"
#include "hw/machine_latency.h"
#include "tools/stage/demo_store.h"
#include "tools/stage/folder.h"

enum {
    MACHINES_MAX = 128,
    SIMS_MAX = 16,
    DAYS = 28,
    POUCHES_A_PATIENT = DAYS * DEMO_POUCHES_A_DAY,
    WARM_S = 25, /* until all machines run, generously */
    PIECES = 5000,
    PATH_BYTES = 512,
    NAMES_MAX = 64,
    SETTLE_US = 2000000,
    DISTURB_AFTER_MS = 5000,
};

struct bench {
    int machines, seconds, rate, sims, freeze_ms, stall_ms;
    bool keep;
    char tools[PATH_BYTES / 2]; /* folder of the programs */
    struct folder folder;
    struct store *store;
    pid_t sim[SIMS_MAX], daemon;
    unsigned port[SIMS_MAX];
    int patients; /* a machine */
};

static int sim_of(const struct bench *b, int machine)
{
    return machine % b->sims;
}

static int unit_of(const struct bench *b, int machine)
{
    return machine / b->sims + 1;
}

/* ---- the store ---- */

static int add_canisters(struct bench *b, int machine, struct error *err)
{
    static const char *const products[DEMO_BAYS] = {"A", "B", "B", "C", "A"};
    char name[16];
    int rc = 0;
    (void)snprintf(name, sizeof name, "m%d", machine + 1);
    for (int bay = 0; bay < DEMO_BAYS && rc == 0 && machine > 0; bay++)
        rc = store_exec(b->store, err,
                        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, machine, bay,"
                        " changed_ms) VALUES (?, ?, ?, 'SIM-1', 22000, ?, ?, ?, 0)",
                        "ittiti", INT64_C(1000) * machine + bay + 1, products[bay],
                        bay == 2 ? "half" : "whole", (int64_t)PIECES, name, (int64_t)bay);
    for (int bay = 0; bay < DEMO_BAYS && rc == 0 && machine > 0; bay++)
        rc = content_seal(b->store, INT64_C(1000) * machine + bay + 1, PIECES, "bench", 1, err);
    return rc;
}

static int add_batch(struct bench *b, int machine, struct error *err)
{
    char name[16], ids[NAMES_MAX][16];
    const char *patients[NAMES_MAX];
    struct batch_created created = {0};
    struct arena arena;
    int64_t command = 0;
    (void)snprintf(name, sizeof name, "m%d", machine + 1);
    for (int i = 0; i < b->patients; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "pat-%d", machine * b->patients + i + 1);
        patients[i] = ids[i];
    }
    const struct batch_request request = {.machine = name,
                                          .actor = "tech",
                                          .wall_ms = 1,
                                          .patients = patients,
                                          .patient_count = (size_t)b->patients};
    arena_init(&arena, 0);
    int rc = batch_create(b->store, &request, &arena, &created, err);
    if (rc == 0)
        rc = batch_ask(b->store, created.id, "start", "tech", 2, &command, err);
    arena_finish(&arena);
    return rc;
}

static int make_store(struct bench *b, struct error *err)
{
    char path[FOLDER_PATH_BYTES];
    b->patients = ((b->seconds + WARM_S) * b->rate / 60 + POUCHES_A_PATIENT - 1) / POUCHES_A_PATIENT;
    if (b->patients > NAMES_MAX)
        return error_set(err, E_LIMIT, "--seconds %d: too long", b->seconds);
    folder_path(&b->folder, "sachet.db", path);
    int rc = demo_store_build(path, b->patients * b->machines, DAYS, err);
    if (rc < 0)
        return rc;
    b->store = store_open(path, false, err);
    rc = b->store ? store_write_begin(b->store, err) : err->code;
    for (int m = 0; m < b->machines && rc == 0; m++)
        rc = add_canisters(b, m, err);
    if (rc == 0)
        rc = store_write_commit(b->store, err);
    for (int m = 0; m < b->machines && rc == 0; m++)
        rc = add_batch(b, m, err);
    return rc;
}

/* ---- files ---- */

static int write_file(const struct bench *b, const char *name, const struct buf *text, struct error *err)
{
    char path[FOLDER_PATH_BYTES];
    FILE *file = fopen(folder_path(&b->folder, name, path), "w");
    if (!file || fputs(buf_string(text), file) == EOF || fclose(file) != 0)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    return 0;
}

static int write_site(const struct bench *b, struct error *err)
{
    char timing[PATH_BYTES], packing[PATH_BYTES], profile[PATH_BYTES];
    struct buf text;
    int rc = paths_data("rules/timing.yaml", timing, sizeof timing, err);
    if (rc == 0)
        rc = paths_data("rules/packing.yaml", packing, sizeof packing, err);
    if (rc == 0)
        rc = paths_data("machines/sachet-packer-1.yaml", profile, sizeof profile, err);
    if (rc < 0)
        return rc;
    buf_init(&text);
    buf_printf(&text,
               "format: sachet-site/1\npharmacy: {name: \"Bench\", phone: \"555 0100\"}\nstore: sachet.db\n"
               "rules: {timing: \"%s\", packing: \"%s\"}\nmachines:\n",
               timing, packing);
    for (int m = 0; m < b->machines; m++)
        buf_printf(&text,
                   "  - {name: m%d, transport: tcp, host: 127.0.0.1, port: %u, unit: %d, profile: \"%s\"}\n",
                   m + 1, b->port[sim_of(b, m)], unit_of(b, m), profile);
    rc = write_file(b, "site.yaml", &text, err);
    buf_finish(&text);
    return rc;
}

static int write_canisters(const struct bench *b, int sim, const char *name, struct error *err)
{
    struct buf text;
    buf_init(&text);
    for (int m = 0; m < b->machines; m++) {
        for (int bay = 0; bay < DEMO_BAYS && sim_of(b, m) == sim; bay++)
            buf_printf(&text, "%d %d %d %d\n", unit_of(b, m), bay, 1000 * m + bay + 1, PIECES);
    }
    int rc = write_file(b, name, &text, err);
    buf_finish(&text);
    return rc;
}

/* ---- processes ---- */

static pid_t spawn(const struct bench *b, const char *output, const char *const *argv, struct error *err)
{
    char path[FOLDER_PATH_BYTES];
    folder_path(&b->folder, output, path);
    pid_t pid = fork();
    if (pid < 0)
        (void)error_set_errno(err, E_SYSTEM, errno, "fork");
    if (pid != 0)
        return pid;
    if (!freopen(path, "a", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
        _exit(126);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL); /* a little less does no harm */
}

static int start_sim(struct bench *b, int sim, struct error *err)
{
    char program[PATH_BYTES], name[32], canisters[FOLDER_PATH_BYTES], port[FOLDER_PATH_BYTES],
        log[FOLDER_PATH_BYTES], count[16], rate[16], seed[16], prefix[8];
    int machines = 0;
    for (int m = 0; m < b->machines; m++)
        machines += sim_of(b, m) == sim;
    (void)snprintf(program, sizeof program, "%s/sachet-sim", b->tools);
    (void)snprintf(name, sizeof name, "canisters-%d", sim);
    int rc = write_canisters(b, sim, name, err);
    folder_path(&b->folder, name, canisters);
    (void)snprintf(name, sizeof name, "port-%d", sim);
    folder_path(&b->folder, name, port);
    (void)snprintf(name, sizeof name, "sim-%d.ndjson", sim);
    folder_path(&b->folder, name, log);
    (void)snprintf(count, sizeof count, "%d", machines);
    (void)snprintf(rate, sizeof rate, "%d", b->rate);
    (void)snprintf(seed, sizeof seed, "%d", sim + 1);
    (void)snprintf(prefix, sizeof prefix, "%c", 'A' + sim);
    const char *const argv[] = {program, "--tcp",      "127.0.0.1:0", "--port-file", port,      "--bays",
                                "5",     "--log",      log,           "--canisters", canisters, "--rate",
                                rate,    "--machines", count,         "--serial",    prefix,    "--faults",
                                "0",     "--seed",     seed,          NULL};
    if (rc == 0)
        b->sim[sim] = spawn(b, "sim.out", argv, err);
    for (int i = 0; i < 500 && rc == 0 && b->port[sim] == 0; i++) {
        FILE *file = fopen(port, "r");
        if (!file || fscanf(file, "%u", &b->port[sim]) != 1)
            sleep_ms(10);
        if (file)
            (void)fclose(file);
    }
    return rc == 0 && b->port[sim] == 0 ? error_set(err, E_SYSTEM, "%s does not start", program) : rc;
}

static int start_daemon(struct bench *b, struct error *err)
{
    char program[PATH_BYTES];
    (void)snprintf(program, sizeof program, "%s/sachetd", b->tools);
    const char *const argv[] = {program, "--site", b->folder.path, "--attend", NULL};
    b->daemon = spawn(b, "sachetd.out", argv, err);
    return b->daemon < 0 ? err->code : 0;
}

static void stop(pid_t *pid)
{
    if (*pid <= 0)
        return;
    (void)kill(*pid, SIGTERM); /* it may have ended by itself */
    (void)waitpid(*pid, NULL, 0);
    *pid = 0;
}

/* ---- what is measured ---- */

static double cpu_s(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long user = 0, system = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    char *at = fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        user = system = 0;
    (void)fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long memory_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    }
    if (file)
        (void)fclose(file);
    return kb;
}

static int64_t ask(struct bench *b, const char *sql)
{
    struct error err = {0};
    int64_t value = -1;
    if (store_get_int(b->store, &value, &err, sql, "") < 0)
        fprintf(stderr, "bench-line: %s\n", err.message);
    return value;
}

/* Pouches of one machine as its log tells them, within a window of the log's time. */
struct seen {
    int64_t first_us, last_us; /* starts */
    int64_t open_until_us;     /* a pouch is under way until then, as far as is known */
    int64_t under_way_us;
    int64_t started_us; /* of the youngest pouch */
    uint32_t started, done, accepted;
    uint64_t pouches, late_jobs;
    bool execute, left_execute;
};

struct figures {
    uint64_t pouches, late_jobs, stopped;
    int64_t under_way_us, window_us;
    int64_t worst_gap_us;
};

static int64_t value_of(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

/* All pouches that begin in [from, to): the time that at least one is under way, and those whose job was not
 * there when the machine could have begun it. */
static void see_line(struct seen *s, const char *line, int64_t from_us, int64_t to_us, int64_t cycle_us,
                     struct figures *f)
{
    int64_t t = value_of(line, "\"t\":");
    uint32_t seq = (uint32_t)value_of(line, "\"seq\":");
    bool inside = t >= from_us && t < to_us;
    if (strstr(line, "\"ev\":\"started\"")) {
        if (s->started == s->done && inside) { /* nothing was under way */
            int64_t gap_us = t - (s->open_until_us > from_us ? s->open_until_us : from_us);
            f->worst_gap_us = gap_us > f->worst_gap_us ? gap_us : f->worst_gap_us;
        }
        if (s->started == s->done)
            s->first_us = t;
        s->started = seq;
        s->started_us = t;
        f->pouches += inside;
    } else if (strstr(line, "\"ev\":\"done\"")) {
        s->done = seq;
        s->open_until_us = t;
        if (s->started == s->done) {
            int64_t a = s->first_us > from_us ? s->first_us : from_us, z = t < to_us ? t : to_us;
            f->under_way_us += z > a ? z - a : 0;
        }
    } else if (strstr(line, "\"ev\":\"accepted\"")) {
        if (inside && s->started == seq - 1 && t > s->started_us + cycle_us)
            f->late_jobs++;
        s->accepted = seq;
    } else if (inside && strstr(line, "\"ev\":\"state\"") && !strstr(line, "\"EXECUTE\"")) {
        f->stopped++;
    }
}

static void close_seen(struct seen *s, int64_t from_us, int64_t to_us, struct figures *f)
{
    if (s->started > s->done) {
        int64_t a = s->first_us > from_us ? s->first_us : from_us;
        f->under_way_us += to_us > a ? to_us - a : 0;
    }
    f->window_us += to_us - from_us;
}

/* The window begins when every machine of this process has begun its first pouch, and a little later. */
static int read_log(const struct bench *b, int sim, int64_t window_us, struct figures *f, struct error *err)
{
    static struct seen seen[MACHINES_MAX];
    static char line[4096];
    char name[32], path[FOLDER_PATH_BYTES];
    int64_t from_us = 0, cycle_us = INT64_C(60000000) / b->rate;
    (void)snprintf(name, sizeof name, "sim-%d.ndjson", sim);
    for (int pass = 0; pass < 2; pass++) {
        FILE *file = fopen(folder_path(&b->folder, name, path), "r");
        if (!file)
            return error_set_errno(err, E_FILE, errno, "%s", path);
        memset(seen, 0, sizeof seen);
        while (fgets(line, sizeof line, file)) {
            unsigned m = (unsigned)value_of(line, "\"m\":");
            if (m >= MACHINES_MAX)
                continue;
            bool start = pass == 0 && strstr(line, "\"ev\":\"started\"") && value_of(line, "\"seq\":") == 1;
            if (start && value_of(line, "\"t\":") + SETTLE_US > from_us)
                from_us = value_of(line, "\"t\":") + SETTLE_US;
            if (pass == 1)
                see_line(&seen[m], line, from_us, from_us + window_us, cycle_us, f);
        }
        (void)fclose(file);
    }
    for (int m = 0; m < b->machines; m++) {
        if (sim_of(b, m) == sim)
            close_seen(&seen[unit_of(b, m) - 1], from_us, from_us + window_us, f);
    }
    return 0;
}

/* ---- the run ---- */

static int wait_for_all(struct bench *b, struct error *err)
{
    for (int i = 0; i < 600; i++) {
        if (ask(b, "SELECT count(DISTINCT serial) FROM fill WHERE state = 'good'") == b->machines)
            return 0;
        sleep_ms(100);
    }
    return error_set(err, E_TIMEOUT, "the machines do not all begin; --keep and look at sachetd.out in %s",
                     b->folder.path);
}

static int report(struct bench *b, double cpu, int64_t pouches, struct error *err)
{
    struct figures f = {0};
    int rc = 0;
    long memory = memory_kb(b->daemon);
    stop(&b->daemon); /* its last counts are in the store now, and its log says what it committed */
    for (int s = 0; s < b->sims; s++)
        stop(&b->sim[s]);
    for (int s = 0; s < b->sims && rc == 0; s++)
        rc = read_log(b, s, (int64_t)(b->seconds - 2) * 1000000, &f, err);
    if (rc < 0)
        return rc;
    printf("machines %d at %d pouches a minute, %d simulators, %d s%s\n", b->machines, b->rate, b->sims,
           b->seconds,
           b->freeze_ms  ? ", sachetd frozen once"
           : b->stall_ms ? ", the store kept by another program once"
                         : "");
    printf("pouches begun                %8" PRIu64 "   %.1f a second, %.1f a minute and machine\n",
           f.pouches, (double)f.pouches / (b->seconds - 2),
           (double)f.pouches * 60 / (b->seconds - 2) / b->machines);
    printf("machine utilisation          %8.2f %%  a pouch under way, of the time with jobs waiting\n",
           100.0 * (double)f.under_way_us / (double)f.window_us);
    printf("longest gap without a pouch  %8.0f ms\n", (double)f.worst_gap_us / 1000);
    printf("jobs that came too late      %8" PRIu64 "\n", f.late_jobs);
    printf("states left Execute          %8" PRIu64 "\n", f.stopped);
    printf("job written to accepted      %8" PRId64 " ms p99 of the slowest machine, %" PRId64
           " ms worst, %" PRId64 " jobs\n",
           ask(b, "SELECT max(accept_p99_ms) FROM line_state"),
           ask(b, "SELECT max(accept_worst_ms) FROM line_state"),
           ask(b, "SELECT sum(accepts) FROM line_state"));
    printf("requests                     %8" PRId64 " in all, time-outs %" PRId64 ", damaged %" PRId64
           ", worst p99 %" PRId64 " ms\n",
           ask(b, "SELECT sum(requests) FROM line_state"), ask(b, "SELECT sum(timeouts) FROM line_state"),
           ask(b, "SELECT sum(frame_errors) FROM line_state"), ask(b, "SELECT max(p99_ms) FROM line_state"));
    printf("CPU of sachetd               %8.1f %%  of one core, %.2f ms a pouch\n", 100 * cpu / b->seconds,
           pouches > 0 ? 1000 * cpu / (double)pouches : 0);
    printf("memory of sachetd            %8ld KiB at most\n", memory);
    return 0;
}

/* What sachetd said of its commits at its end. */
static void say_commits(const struct bench *b)
{
    char path[FOLDER_PATH_BYTES], line[1024];
    FILE *file = fopen(folder_path(&b->folder, "sachetd.out", path), "r");
    while (file && fgets(line, sizeof line, file)) {
        const char *at = strstr(line, "commits=");
        if (at)
            printf("store                        %s", at);
    }
    if (file)
        (void)fclose(file);
}

/* The process stands still, or waits for a store that another program keeps to itself. */
static int disturb(struct bench *b, struct error *err)
{
    (void)kill(b->daemon, b->freeze_ms > 0 ? SIGSTOP : 0);
    sleep_ms(b->freeze_ms);
    (void)kill(b->daemon, b->freeze_ms > 0 ? SIGCONT : 0);
    if (b->stall_ms == 0)
        return 0;
    int rc = store_write_begin(b->store, err);
    sleep_ms(b->stall_ms);
    store_write_rollback(b->store);
    return rc;
}

static int run(struct bench *b, struct error *err)
{
    int rc = folder_make(&b->folder, err);
    if (rc == 0)
        rc = make_store(b, err);
    for (int s = 0; s < b->sims && rc == 0; s++)
        rc = start_sim(b, s, err);
    if (rc == 0)
        rc = write_site(b, err);
    if (rc == 0)
        rc = start_daemon(b, err);
    if (rc == 0)
        rc = wait_for_all(b, err);
    if (rc < 0)
        return rc;
    double cpu = cpu_s(b->daemon);
    int64_t good = ask(b, "SELECT count(*) FROM fill WHERE state = 'good'");
    int64_t left_ms = b->seconds * INT64_C(1000);
    if (b->freeze_ms + b->stall_ms > 0) {
        sleep_ms(DISTURB_AFTER_MS);
        rc = disturb(b, err);
        left_ms -= DISTURB_AFTER_MS + b->freeze_ms + b->stall_ms;
    }
    if (rc < 0)
        return rc;
    sleep_ms(left_ms);
    cpu = cpu_s(b->daemon) - cpu;
    good = ask(b, "SELECT count(*) FROM fill WHERE state = 'good'") - good;
    if (ask(b, "SELECT count(*) FROM batch WHERE state <> 'running'") > 0)
        return error_set(err, E_STATE, "a batch ended while it was measured: %s/sachetd.out", b->folder.path);
    rc = report(b, cpu, good, err);
    if (rc == 0)
        say_commits(b);
    return rc;
}

static int parse(int argc, char **argv, struct bench *b)
{
    static const struct option options[] = {{"machines", required_argument, NULL, 'm'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"sims", required_argument, NULL, 'p'},
                                            {"freeze", required_argument, NULL, 'f'},
                                            {"stall", required_argument, NULL, 't'},
                                            {"keep", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        int value = optarg ? atoi(optarg) : 0;
        switch (option) {
        case 'm':
            b->machines = value;
            break;
        case 's':
            b->seconds = value;
            break;
        case 'r':
            b->rate = value;
            break;
        case 'p':
            b->sims = value;
            break;
        case 'f':
            b->freeze_ms = value;
            break;
        case 't':
            b->stall_ms = value;
            break;
        case 'k':
            b->keep = true;
            break;
        default:
            printf(
                "usage: bench-line [--machines N (32)] [--seconds S (30)] [--rate POUCHES A MINUTE (120)]\n"
                "                  [--sims PROCESSES (4)] [--freeze MS (0)] [--stall MS (0)] [--keep]\n"
                "--freeze stops sachetd for so long in mid run, --stall keeps the store's lock from it; "
                "--keep leaves the folder with its logs.\n"
                "The store lies under $TMPDIR or /tmp: let that be a disk.\n");
            return option == 'h' ? 1 : -1;
        }
    }
    bool ok = b->machines >= 1 && b->machines <= MACHINES_MAX && b->seconds >= 5 && b->rate >= 10 &&
              b->rate <= 120 && b->sims >= 1 && b->sims <= SIMS_MAX && b->sims <= b->machines &&
              b->freeze_ms >= 0 && b->stall_ms >= 0 &&
              (b->freeze_ms + b->stall_ms == 0 ||
               DISTURB_AFTER_MS + b->freeze_ms + b->stall_ms < b->seconds * 1000);
    if (!ok)
        fprintf(stderr, "bench-line: a number is out of range, see --help\n");
    return ok ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct bench b = {.machines = 32, .seconds = 30, .rate = 120, .sims = 4};
    struct error err = {0};
    int rc = parse(argc, argv, &b);
    if (rc != 0)
        return rc > 0 ? 0 : 2;
    ssize_t len = readlink("/proc/self/exe", b.tools, sizeof b.tools - 1);
    if (len < 0)
        return 3;
    b.tools[len] = '\0';
    *strrchr(b.tools, '/') = '\0';
    rc = run(&b, &err);
    stop(&b.daemon);
    for (int s = 0; s < b.sims; s++)
        stop(&b.sim[s]);
    store_close(b.store);
    if (rc < 0)
        fprintf(stderr, "bench-line: %s\n", err.message);
    if (b.keep)
        printf("logs and store stay in %s\n", b.folder.path);
    else
        folder_remove(&b.folder);
    return rc < 0 ? 3 : 0;
}
