/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C7: a backup that is older than what the machine did is put in the store's place. Whenever the backup was
 * made and however much was packed after it, with or without a power cut of the machine in between: the next
 * connect either finds the machine ahead and stops before anything is sent, or the two agree and the batch
 * ends with each pouch made once. Enumerated over the commits of a batch.
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
#include <unistd.h>

#include "config/base/error.h"
#include "controller/pack/packer.h"
#include "controller/store/store.h"
#include "hw/sim/world.h"
#include "tests/crash/trial.h"
#include "tests/support/witness.h"

/* What was queued goes on until the machine misses the heartbeat (M7: 2 s, at 0.6 s a pouch, and the one
 * under way). */
enum { AT_ONCE = 40, WHOLE = 1000, GOES_ON_MOST = 4 };

static const struct trial_params ten = {.patients = 1, .days = 5, .seed = 3};

struct outcome {
    bool over;    /* the batch ended before the backup was due */
    bool stopped; /* the machine was found ahead */
};

/* Backup after `before` commits, restored after `after` more. */
static struct outcome restore_after(unsigned before, unsigned after, bool power)
{
    struct trial t;
    struct error err = {0};
    struct store_restored restored;
    struct outcome outcome = {0};
    char backup[SCRATCH_PATH_BYTES];
    trial_init(&t, &ten);
    (void)scratch_path(&t.pharmacy.scratch, "backup.db", backup);
    int rc = trial_run_commits(&t, before, &err);
    outcome.over = rc == 0;
    if (rc < 0 || store_backup(t.pharmacy.store, backup, &err) < 0)
        fail_msg("%s", err.message);
    rc = after == 0 || outcome.over ? 0 : trial_run_commits(&t, after, &err);
    if (rc < 0)
        fail_msg("%s", err.message);
    trial_drop(&t);
    if (power)
        world_power_off(t.world);
    if (store_restore(t.pharmacy.path, backup, &restored, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(restored.aside[0] != '\0');
    assert_int_equal(access(restored.aside, R_OK), 0);
    pharmacy_reopen(&t.pharmacy);
    uint32_t pouches = witness_pouches(t.witness);
    trial_raise(&t);
    t.committed_retired = UINT32_MAX; /* of the store that was replaced: nothing to compare with */
    rc = trial_run(&t, &err);
    outcome.stopped = rc == E_STATE;
    if (rc < 0 && !outcome.stopped)
        fail_msg("backup at %u, restored %u later: %s", before, after, err.message);
    if (outcome.stopped) {
        assert_int_equal(packer_line_state(t.packer), LINE_HALTED);
        assert_true(strstr(err.message, "backup") || strstr(err.message, "another"));
    }
    if (outcome.stopped && witness_pouches(t.witness) > pouches + GOES_ON_MOST)
        fail_msg("backup at %u, restored %u later: the machine began %u new pouches", before, after,
                 witness_pouches(t.witness) - pouches);
    if (witness_check_log(t.witness, &err) < 0 || (!outcome.stopped && trial_check(&t, &err) < 0))
        fail_msg("backup at %u, restored %u later: %s", before, after, err.message);
    trial_finish(&t);
    return outcome;
}

static void run_all(bool power)
{
    static const unsigned later[] = {0, 1, 2, 3, 5, 8, WHOLE};
    unsigned restores = 0, stops = 0;
    for (unsigned before = 1; before < AT_ONCE; before++) {
        bool over = false;
        for (size_t i = 0; i < sizeof later / sizeof later[0] && !over; i++) {
            struct outcome outcome = restore_after(before, later[i], power);
            over = outcome.over;
            restores++;
            stops += outcome.stopped;
            if (later[i] == 0)
                assert_false(outcome.stopped); /* nothing was done since */
        }
        if (over)
            break;
    }
    print_message("%u restores, %u found the machine ahead\n", restores, stops);
    assert_true(restores > 50 && stops > restores / 4 && stops < restores);
}

static void an_older_backup_never_makes_a_pouch_twice(void **state)
{
    (void)state;
    run_all(false);
}

static void nor_after_the_machine_was_off_in_between(void **state)
{
    (void)state;
    run_all(true);
}

int main(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_backup_never_makes_a_pouch_twice),
        cmocka_unit_test(nor_after_the_machine_was_off_in_between),
    };
    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
