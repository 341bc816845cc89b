/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller's host loses power while a batch is packed: what was not synced is lost, sector by sector
 * (tests/support/disk_vfs.h). After each loss: no acknowledged transaction is missing, none is there by half,
 * and the batch ends with exactly one good pouch a job. Then a disk whose n-th sync fails or whose n-th write
 * finds no space, for every n: nothing is dispensed or tried again, and the next start goes on.
 *
 * usage: test-crash-power [SEEDS [FIRST]]     default 100 seeds from 1
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"
#include "hw/machine.h"
#include "hw/sim/world.h"
#include "tests/crash/trial.h"
#include "tests/support/disk_vfs.h"

enum { SEEDS = 100, MUTANT_SEEDS = 200 };

static unsigned seeds = SEEDS, first = 1;

static const struct trial_params six = {
    .patients = 1, .days = 3, .seed = 7, .acknowledged = true, .checkpoint_every = 7};

/* The controller starts on this disk. */
static void start_on_disk(struct trial *t, enum disk_fault fault, uint64_t nth, bool normal)
{
    struct error err = {0};
    disk_on(fault, nth);
    t->pharmacy.store = store_open(t->pharmacy.path, false, &err);
    if (!t->pharmacy.store)
        fail_msg("%s", err.message);
    if (normal && store_raw(t->pharmacy.store, "PRAGMA synchronous = NORMAL", &err) < 0)
        fail_msg("%s", err.message);
    trial_raise(t);
}

static void count_undisturbed(uint64_t *ret_changes, uint64_t *ret_writes, uint64_t *ret_syncs)
{
    struct trial t;
    struct error err = {0};
    trial_init(&t, &six);
    trial_drop(&t);
    start_on_disk(&t, DISK_FINE, 0, false);
    if (trial_run(&t, &err) < 0 || trial_check(&t, &err) < 0)
        fail_msg("%s", err.message);
    *ret_changes = disk_changes();
    *ret_writes = disk_writes();
    *ret_syncs = disk_syncs();
    trial_drop(&t);
    disk_off();
    pharmacy_reopen(&t.pharmacy);
    trial_finish(&t);
}

/* The books after a loss are those of the last acknowledged commit, or of the one that was under way. */
static int compare_books(struct trial *t, struct error *err)
{
    char now[TRIAL_DIGEST_BYTES];
    int rc = trial_digest(t, now, err);
    if (rc == 0 && strcmp(now, t->acknowledged) != 0 && strcmp(now, t->in_flight) != 0)
        rc = error_set(err, E_TAMPERED, "an acknowledged transaction is lost: %.100s instead of %.100s", now,
                       t->acknowledged);
    return rc == 0 ? store_check(t->pharmacy.store, err) : rc;
}

struct tally {
    uint64_t losses;
    uint64_t sectors;
};

/* One batch, with up to three losses of power. 0 or what was found. */
static int survive(unsigned seed, bool normal, enum trial_mutant mutant, struct tally *tally,
                   struct error *err)
{
    struct trial t;
    struct rng rng;
    uint64_t changes = 0, writes = 0, syncs = 0;
    static uint64_t usual;
    if (usual == 0) {
        count_undisturbed(&changes, &writes, &syncs);
        usual = changes;
    }
    rng_init(&rng, seed, 21);
    struct trial_params params = six;
    params.seed = seed;
    params.mutant = mutant;
    if (mutant == TRIAL_UNDURABLE)
        params.checkpoint_every = 0; /* it never leaves its transaction, and that alone would be refused */
    params.cut_at = mutant == TRIAL_NO_INTENT || rng_below(&rng, 3) == 0 ? 1 + rng_below(&rng, 120) : 0;
    trial_init(&t, &params);
    trial_drop(&t);
    int rc = E_STORE;
    for (int loss = 0; rc != 0 && loss < 3; loss++) {
        start_on_disk(&t, DISK_STOP, 1 + rng_below(&rng, (uint32_t)usual), normal);
        rc = trial_run(&t, err);
        bool struck = disk_struck();
        trial_drop(&t);
        disk_lose(&rng);
        tally->losses++;
        tally->sectors += disk_lost_sectors();
        pharmacy_reopen(&t.pharmacy);
        int found = compare_books(&t, err);
        if (found < 0 || (rc < 0 && !struck)) {
            rc = found < 0 ? found : rc;
            goto out;
        }
        trial_raise(&t); /* on a sound disk, to keep struct trial whole; dropped again for the next loss */
        if (rc != 0 && loss < 2)
            trial_drop(&t);
    }
    if (rc != 0)
        rc = trial_run(&t, err);
    if (rc == 0)
        rc = trial_check(&t, err);
out:
    trial_finish(&t);
    return rc;
}

static void no_acknowledged_transaction_is_lost_with_the_power(void **state)
{
    (void)state;
    struct tally tally = {0};
    print_message("seeds %u to %u\n", first, first + seeds - 1);
    for (unsigned seed = first; seed < first + seeds; seed++) {
        struct error err = {0};
        if (survive(seed, false, TRIAL_RIGHT, &tally, &err) < 0)
            fail_msg("seed %u: %s", seed, err.message);
    }
    print_message("%u batches, %" PRIu64 " losses of power, %" PRIu64 " unsynced sectors lost\n", seeds,
                  tally.losses, tally.sectors);
    assert_true(tally.losses > seeds && tally.sectors > seeds);
}

static void synchronous_normal_is_caught(void **state)
{
    (void)state;
    struct tally tally = {0};
    for (unsigned seed = 1; seed <= MUTANT_SEEDS; seed++) {
        struct error err = {0};
        if (survive(seed, true, TRIAL_RIGHT, &tally, &err) < 0) {
            print_message("caught at seed %u: %s\n", seed, err.message);
            return;
        }
    }
    fail_msg("%d seeds with synchronous=NORMAL, and nothing was found", MUTANT_SEEDS);
}

/* The child looks until something is found: an assertion of ours that fires there counts, too. */
static void look_for(enum trial_mutant mutant)
{
    struct tally tally = {0};
    for (unsigned seed = 1; seed <= MUTANT_SEEDS; seed++) {
        struct error err = {0};
        if (survive(seed, false, mutant, &tally, &err) < 0) {
            fprintf(stderr, "    %s: caught at seed %u: %s\n", trial_mutant_name(mutant), seed, err.message);
            _exit(1);
        }
    }
    _exit(0);
}

static void wrong_controllers_and_machines_are_caught(void **state)
{
    (void)state;
    for (int m = TRIAL_RIGHT + 1; m < TRIAL_MUTANTS; m++) {
        int status = 0;
        (void)fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
            look_for((enum trial_mutant)m);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status))
            print_message("    %s: caught by an assertion\n", trial_mutant_name((enum trial_mutant)m));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            fail_msg("not caught: %s", trial_mutant_name((enum trial_mutant)m));
    }
}

/* One failing disk; true when it struck. */
static bool stop_and_go_on(enum disk_fault fault, uint64_t nth, int expected)
{
    struct trial t;
    struct rng rng;
    struct error err = {0};
    trial_init(&t, &six);
    trial_drop(&t);
    start_on_disk(&t, fault, nth, false);
    int rc = trial_run(&t, &err);
    bool struck = disk_struck();
    if (!struck && rc < 0)
        fail_msg("%s", err.message);
    if (struck && rc == 0) /* a checkpoint after the last pouch: told by the next transaction */
        assert_true(store_broken(t.pharmacy.store));
    if (struck && rc < 0) {
        if (rc != expected)
            fail_msg("fault %d at %" PRIu64 ": %s", (int)fault, nth, err.message);
        assert_true(store_broken(t.pharmacy.store));
        assert_false(store_in_write(t.pharmacy.store));
        uint64_t tried = disk_changes(), requests = t.requests;
        machine_make_safe(t.machine); /* what sachetd does then */
        assert_int_equal(store_write_begin(t.pharmacy.store, &err), expected);
        assert_int_equal(store_checkpoint(t.pharmacy.store, &err), expected);
        assert_int_equal(disk_changes(), tried);
        assert_int_equal(t.requests, requests);
        assert_int_equal(disk_changes_after_fault(), 0); /* the failed one was the last */
    }
    uint64_t before = disk_changes();
    trial_drop(&t);
    if (struck)
        assert_int_equal(disk_changes(), before); /* closing tries nothing either */
    rng_init(&rng, nth, 22);
    if (fault == DISK_SYNC)
        disk_lose(&rng); /* a failed sync may have dropped what it should have written */
    else
        disk_off();
    pharmacy_reopen(&t.pharmacy);
    if (struck && compare_books(&t, &err) < 0)
        fail_msg("fault %d at %" PRIu64 ": %s", (int)fault, nth, err.message);
    trial_raise(&t);
    if (trial_run(&t, &err) < 0 || trial_check(&t, &err) < 0)
        fail_msg("after fault %d at %" PRIu64 ": %s", (int)fault, nth, err.message);
    trial_finish(&t);
    return struck;
}

static void stop_at_each(enum disk_fault fault, int expected)
{
    uint64_t nth = 1;
    while (stop_and_go_on(fault, nth, expected))
        nth++;
    print_message("%" PRIu64 " places failed in turn\n", nth - 1);
    assert_true(nth > 10);
}

static void a_failed_sync_stops_dispensing_and_nothing_is_tried_again(void **state)
{
    (void)state;
    stop_at_each(DISK_SYNC, E_STORE);
}

static void a_full_disk_stops_dispensing_and_nothing_is_tried_again(void **state)
{
    (void)state;
    stop_at_each(DISK_FULL, E_FULL);
}

static int group_setup(void **state)
{
    (void)state;
    disk_install();
    return 0;
}

int main(int argc, char **argv)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* the disk that matters is ours */
    if (argc > 1)
        seeds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first = (unsigned)strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_acknowledged_transaction_is_lost_with_the_power),
        cmocka_unit_test(synchronous_normal_is_caught),
        cmocka_unit_test(wrong_controllers_and_machines_are_caught),
        cmocka_unit_test(a_failed_sync_stops_dispensing_and_nothing_is_tried_again),
        cmocka_unit_test(a_full_disk_stops_dispensing_and_nothing_is_tried_again),
    };
    return cmocka_run_group_tests_name("power", tests, group_setup, NULL);
}
