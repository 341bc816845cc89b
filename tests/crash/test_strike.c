/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 of the real sachetd before and after each write of its store and each bus frame, one after the
 * other (tests/crash/strike.c says which calls are points): a batch begins, sachetd dies at the n-th point,
 * another one goes on, and at the end each pouch was made once and the machine's own log agrees with the
 * store. A trial without a strike counts the points first.
 *
 * Mutants: after its death the store loses what it was told last (a store that acknowledges before it is
 * durable), or open pouches get a number anew. Each must be noticed.
 *
 * usage: test-crash-strike SACHETD SACHET-SIM PROFILE STRIKE.so [--all | --points N] [--pouches N]
 * [--at-a-time N] Without more: 6 points of each kind and side, spread over a batch of 8 pouches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/daemons.h"

enum { SPEED = 40, SEED = 20261122, END_S = 60, AT_A_TIME_MAX = 32, MUTANT_TRIES = 40 };

enum mutant { RIGHT, FORGETS, FRESH };

static const char *const kinds[] = {"store", "frame"};
static const char *const sides[] = {"before", "after"};
static struct daemons_params params = {.seed = SEED, .speed = SPEED, .patients = 1, .days = 4};
static const char *strike;
static unsigned points = 6, at_a_time = 4; /* points 0: all */

/* Of the child that is about to begin sachetd. */
static char order_kind[16], order_side[16], order_at[24], order_counts[SCRATCH_PATH_BYTES + 16];

struct point {
    int kind, side;
    uint64_t at;
};

static struct totals {
    uint64_t struck, missed, failed, done;
    uint64_t counts[2]; /* points of a batch that is left alone */
} * totals;

static void load_strike(void)
{
    (void)setenv("LD_PRELOAD", strike, 1); /* without it no trial is struck, which the test notices */
    (void)setenv("STRIKE_KIND", order_kind, 1);
    (void)setenv("STRIKE_WHEN", order_side, 1);
    (void)setenv("STRIKE_AT", order_at, 1);
    (void)setenv("STRIKE_COUNTS", order_counts, 1);
}

static int check(struct daemons *t, int64_t batch, struct error *err)
{
    int64_t rows = 0;
    struct batch_info info = daemons_batch(t, batch);
    if (strcmp(info.state, "done") != 0 || info.good != info.pouches)
        return error_set(err, E_TAMPERED, "%" PRId64 " of %" PRId64 " pouches are good; the batch is %s: %s",
                         info.good, info.pouches, info.state, info.note);
    int rc = daemons_check_log(t, false, err);
    return rc == 0 ? audit_verify(t->pharmacy.store, &rows, err) : rc;
}

/* The last transactions were never told: the log is cut off behind its first half. */
static void forget(struct daemons *t)
{
    char path[SCRATCH_PATH_BYTES];
    struct stat st;
    scratch_path(&t->pharmacy.scratch, "sachet.db-wal", path);
    store_close(t->pharmacy.store);
    t->pharmacy.store = NULL;
    if (stat(path, &st) == 0)
        (void)truncate(path, st.st_size / 2); /* a log that cannot be cut lets the mutant live: noticed */
}

/* 1 struck, 0 the batch was over before, negative: what was found. */
static int run_trial(const struct point *point, enum mutant mutant, uint64_t *ret_counts, struct error *err)
{
    struct daemons t;
    int64_t batch = daemons_begin(&t, &params);
    (void)snprintf(order_kind, sizeof order_kind, "%s", kinds[point->kind]); /* all of them fit */
    (void)snprintf(order_side, sizeof order_side, "%s", sides[point->side]);
    (void)snprintf(order_at, sizeof order_at, "%" PRIu64, point->at);
    scratch_path(&t.pharmacy.scratch, "counts", order_counts);
    daemons_start(&t, true, load_strike);
    int status = daemons_wait(&t.daemon, END_S), rc = 0;
    bool struck = status == -SIGKILL;
    if (struck && mutant == FORGETS)
        forget(&t);
    if (!t.pharmacy.store)
        pharmacy_reopen(&t.pharmacy);
    if (struck && mutant == FRESH)
        pharmacy_exec(&t.pharmacy, "UPDATE job SET state = 'waiting' WHERE state = 'sent'");
    if (struck) {
        daemons_start(&t, true, NULL);
        status = daemons_wait(&t.daemon, END_S);
    }
    if (!struck && status != 0)
        rc = error_set(err, E_SYSTEM, "sachetd ended with %d before it was struck", status);
    else if (status != 0)
        rc = error_set(err, E_STATE, "sachetd ended with %d, %s", status, daemons_batch(&t, batch).note);
    if (rc == 0)
        rc = check(&t, batch, err);
    FILE *file = ret_counts ? fopen(order_counts, "r") : NULL;
    if (file && fscanf(file, "%" SCNu64 " %" SCNu64, &ret_counts[0], &ret_counts[1]) != 2)
        rc = error_set(err, E_STATE, "the points were not counted");
    if (file)
        fclose(file);
    if (rc < 0 && mutant == RIGHT)
        daemons_print_tail(&t, "sachetd.out");
    daemons_finish(&t);
    return rc < 0 ? rc : struck;
}

/* ---- many ---- */

static void run_share(const struct point *list, unsigned count, unsigned share)
{
    (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
    for (unsigned i = share; i < count; i += at_a_time) {
        struct error err = {0};
        int rc = run_trial(&list[i], RIGHT, NULL, &err);
        if (rc < 0)
            fprintf(stderr, "%s %s %" PRIu64 ": %s\n", sides[list[i].side], kinds[list[i].kind], list[i].at,
                    err.message);
        uint64_t *total = rc < 0 ? &totals->failed : rc ? &totals->struck : &totals->missed;
        (void)__atomic_add_fetch(total, 1, __ATOMIC_SEQ_CST);
        if (__atomic_add_fetch(&totals->done, 1, __ATOMIC_SEQ_CST) % 200 == 0)
            fprintf(stderr, "%" PRIu64 " of %u points, %" PRIu64 " wrong\n", totals->done, count,
                    totals->failed);
    }
    exit(0); /* removes the template's folder */
}

/* In a process of its own, as all trials: the template of a pharmacy belongs to the process that made it. */
static void count_points(void)
{
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct point never = {.at = 0};
        struct error err = {0};
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
        int rc = run_trial(&never, RIGHT, totals->counts, &err);
        if (rc < 0)
            fprintf(stderr, "%s\n", err.message);
        exit(rc < 0); /* removes the template's folder */
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static unsigned list_points(const uint64_t counts[2], struct point *list, unsigned room)
{
    unsigned count = 0;
    for (int kind = 0; kind < 2; kind++) {
        uint64_t step = points && counts[kind] > points ? counts[kind] / points : 1;
        for (uint64_t at = 1; at <= counts[kind]; at += step) {
            for (int side = 0; side < 2 && count < room; side++)
                list[count++] = (struct point){.kind = kind, .side = side, .at = at};
        }
    }
    return count;
}

static void each_pouch_is_made_once_whenever_sachetd_dies(void **state)
{
    (void)state;
    static struct point list[1 << 16];
    pid_t children[AT_A_TIME_MAX];
    count_points();
    const uint64_t *counts = totals->counts;
    assert_true(counts[0] > 100 && counts[1] > 100); /* else the hook sees nothing */
    unsigned count = list_points(counts, list, sizeof list / sizeof list[0]);
    print_message("%" PRIu64 " store writes and %" PRIu64 " frames: %u points, %u at a time\n", counts[0],
                  counts[1], count, at_a_time);
    (void)fflush(NULL);
    for (unsigned i = 0; i < at_a_time; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            run_share(list, count, i);
    }
    bool failed = false;
    for (unsigned i = 0; i < at_a_time; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        failed = failed || status != 0;
    }
    print_message("%" PRIu64 " deaths, %" PRIu64 " batches over before their point, %" PRIu64 " wrong\n",
                  totals->struck, totals->missed, totals->failed);
    assert_false(failed);
    assert_int_equal(totals->failed, 0);
    assert_int_equal(totals->struck + totals->missed, count);
    assert_true(totals->struck > totals->missed * 4); /* the points of two batches are not quite the same */
}

static void hunt(enum mutant mutant, const char *name)
{
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
        for (uint64_t i = 0; i < MUTANT_TRIES; i++) {
            struct error err = {0};
            const struct point point = {.kind = 1, .side = 1, .at = 60 + 7 * i};
            int rc = run_trial(&point, mutant, NULL, &err);
            if (rc == E_TAMPERED || rc == E_STATE) {
                fprintf(stderr, "    %s: noticed at frame %" PRIu64 ": %s\n", name, point.at, err.message);
                exit(1); /* removes the template's folder */
            }
        }
        exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

static void a_store_that_forgets_is_noticed(void **state)
{
    (void)state;
    hunt(FORGETS, "what was told was not durable");
}

static void fresh_numbers_are_noticed(void **state)
{
    (void)state;
    hunt(FRESH, "a fresh number after a death");
}

static bool take_option(const char *name, unsigned value)
{
    if (strcmp(name, "--points") == 0)
        points = value;
    else if (strcmp(name, "--pouches") == 0)
        params.days = (int)(value / PHARMACY_POUCHES_A_DAY);
    else if (strcmp(name, "--at-a-time") == 0 && value <= AT_A_TIME_MAX)
        at_a_time = value;
    else
        return false;
    return value > 0;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    params.sachetd = argv[1];
    params.sachet_sim = argv[2];
    params.profile = argv[3];
    strike = argv[4];
    for (int i = 5; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0)
            points = 0;
        else if (i + 1 >= argc || !take_option(argv[i], (unsigned)strtoul(argv[i + 1], NULL, 10)))
            return 2;
        else
            i++;
    }
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED)
        return 3;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pouch_is_made_once_whenever_sachetd_dies),
        cmocka_unit_test(a_store_that_forgets_is_noticed),
        cmocka_unit_test(fresh_numbers_are_noticed),
    };
    return cmocka_run_group_tests_name("strike", tests, NULL, NULL);
}
