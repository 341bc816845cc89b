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

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/pack/batch.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/daemons.h"

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

static int64_t begin(struct daemons *t)
{
    return daemons_begin(t, &(struct daemons_params){.sachetd = sachetd,
                                                     .sachet_sim = sachet_sim,
                                                     .profile = profile,
                                                     .seed = seed,
                                                     .speed = SPEED,
                                                     .patients = PATIENTS,
                                                     .days = DAYS});
}

static void check_or_fail(struct daemons *t, bool lossy)
{
    struct error err = {0};
    if (daemons_check_log(t, lossy, &err) < 0) {
        daemons_print_tail(t, "sachetd.out");
        fail_msg("%s", err.message);
    }
}

static void a_clean_end_loses_no_pouch_and_one_sachetd_is_enough(void **state)
{
    (void)state;
    struct daemons t;
    int64_t batch = begin(&t);
    daemons_start(&t, false, NULL);
    for (int64_t end_ms = daemons_now_ms() + 20000;
         daemons_batch(&t, batch).good < 5 && daemons_now_ms() < end_ms;)
        daemons_sleep_ms(10);
    assert_true(daemons_batch(&t, batch).good >= 5);
    pid_t first = t.daemon;
    daemons_start(&t, false, NULL); /* a second one on the same store */
    assert_int_equal(daemons_wait(&t.daemon, 20), 3);
    assert_int_equal(kill(first, SIGTERM), 0);
    assert_int_equal(daemons_wait(&first, 20), 0);
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM batch WHERE state = 'running'"), 1);
    daemons_start(&t, true, NULL);
    int status = daemons_wait(&t.daemon, 20);
    struct batch_info info = daemons_batch(&t, batch);
    daemons_kill(&t.sim);
    if (status != 0 || info.good != JOBS)
        daemons_print_tail(&t, "sachetd.out");
    assert_int_equal(status, 0);
    assert_string_equal(info.state, "done");
    assert_int_equal(info.good, JOBS);
    char path[SCRATCH_PATH_BYTES];
    assert_int_equal(access(scratch_path(&t.pharmacy.scratch, "records/batch-1.txt", path), R_OK), 0);
    check_or_fail(&t, false);
    daemons_finish(&t);
}

/* Whoever ends sachetd does not wait for another program that keeps the store to itself. */
static void a_clean_end_does_not_wait_long_for_the_lock(void **state)
{
    (void)state;
    struct daemons t;
    struct error err = {0};
    int64_t batch = begin(&t);
    daemons_start(&t, false, NULL);
    for (int64_t end_ms = daemons_now_ms() + 20000;
         daemons_batch(&t, batch).good < 3 && daemons_now_ms() < end_ms;)
        daemons_sleep_ms(10);
    assert_int_equal(store_write_begin(t.pharmacy.store, &err), 0);
    int64_t begin_ms = daemons_now_ms();
    assert_int_equal(kill(t.daemon, SIGTERM), 0);
    assert_int_equal(daemons_wait(&t.daemon, 20), 0);
    print_message("ended after %d ms\n", (int)(daemons_now_ms() - begin_ms));
    assert_true(daemons_now_ms() - begin_ms < 8000); /* 4 s, with room for a busy machine */
    store_write_rollback(t.pharmacy.store);
    daemons_start(&t, true, NULL);
    assert_int_equal(daemons_wait(&t.daemon, 20), 0);
    daemons_kill(&t.sim);
    assert_int_equal(daemons_batch(&t, batch).good, JOBS);
    check_or_fail(&t, false);
    daemons_finish(&t);
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
    struct daemons t;
    int64_t batch = begin(&t);
    daemons_start(&t, false, limit_files);
    int status = daemons_wait(&t.daemon, 20);
    int64_t pouches = pharmacy_int(&t.pharmacy, "SELECT count(*) FROM fill");
    if (status != 3)
        daemons_print_tail(&t, "sachetd.out");
    assert_int_equal(status, 3);
    assert_true(daemons_batch(&t, batch).good < JOBS);
    daemons_sleep_ms(200); /* nobody is there to give numbers out */
    assert_int_equal(pharmacy_int(&t.pharmacy, "SELECT count(*) FROM fill"), pouches);
    daemons_start(&t, true, NULL);
    status = daemons_wait(&t.daemon, 20);
    daemons_kill(&t.sim);
    assert_int_equal(status, 0);
    assert_int_equal(daemons_batch(&t, batch).good, JOBS);
    check_or_fail(&t, false);
    daemons_finish(&t);
}

static void forty_pouches_survive_twenty_kills(void **state)
{
    (void)state;
    struct daemons t;
    struct rng rng;
    struct error err = {0};
    int64_t rows = 0;
    print_message("seed %" PRIu64 "\n", seed);
    rng_init(&rng, seed, 7);
    int64_t batch = begin(&t);
    int64_t begin_ms = daemons_now_ms(), end_ms = begin_ms + END_S * 1000;
    daemons_start(&t, false, NULL);
    struct batch_info info = daemons_batch(&t, batch);
    int kills = 0;
    while (daemons_now_ms() < end_ms) {
        /* Kills are spread over the batch: the k-th comes when k/20 of it is made, or a while later. */
        int64_t wait_ms = 5 + rng_below(&rng, 50);
        for (int64_t until_ms = daemons_now_ms() + wait_ms; daemons_now_ms() < until_ms;) {
            daemons_sleep_ms(3);
            info = daemons_batch(&t, batch);
            if (batch_is_resting(&info))
                break;
        }
        if (batch_is_resting(&info) && strcmp(info.state, "stopped") != 0)
            break;
        if (kills == KILLS || info.good * KILLS < kills * (JOBS - 8))
            continue;
        if (rng_below(&rng, 2)) {
            daemons_kill(&t.daemon);
            daemons_start(&t, false, NULL);
        } else {
            daemons_kill(&t.sim);
            daemons_start_sim(&t);
        }
        kills++;
    }
    info = daemons_batch(&t, batch);
    print_message("%d kills, %" PRId64 " good, %" PRId64 " void, %" PRId64 " ms\n", kills, info.good,
                  info.voids, daemons_now_ms() - begin_ms);
    daemons_kill(&t.daemon);
    daemons_kill(&t.sim);
    if (strcmp(info.state, "done") != 0 || info.good != JOBS) {
        daemons_print_tail(&t, "sachetd.out");
        daemons_print_tail(&t, "sim.out");
        daemons_print_tail(&t, "sim.ndjson");
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
    check_or_fail(&t, true);
    if (audit_verify(t.pharmacy.store, &rows, &err) < 0)
        fail_msg("%s", err.message);
    daemons_finish(&t);
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
