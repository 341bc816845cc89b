/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch of 40 pouches whose controller dies before and after every request to the machine and every write
 * to the store, and one whose machine loses power at every micro-step: enumerated, not drawn. The meson test
 * takes every n-th point, --all takes all of them.
 *
 * usage: test-crash-enumerate [--all]
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
#include "hw/sim/world.h"
#include "tests/crash/trial.h"
#include "tests/support/witness.h"

enum {
    PATIENTS = 2,
    DAYS = 10,
    POUCHES = PATIENTS * DAYS * PHARMACY_POUCHES_A_DAY,
    SEED = 7,
    SAMPLE = 60,
    SLOW = 10,
    QUICK = 50
};

static bool all;

/* A slower machine meets more requests of the controller in each of its states: --all runs it at a fifth. */
static struct trial_params forty = {.patients = PATIENTS, .days = DAYS, .seed = SEED};

/* One whole trial: 0, or what went wrong. */
static int try(const struct trial_params *params, struct error *err)
{
    struct trial trial;
    trial_init(&trial, params);
    int rc = trial_run(&trial, err);
    if (rc == 0)
        rc = trial_check(&trial, err);
    if (rc == 0 && params->die_at && !params->cut_at && trial.deaths != 1)
        rc = error_set(err, E_NOT_FOUND, "the controller did not die");
    trial_finish(&trial);
    return rc;
}

/* Points of the controller, or micro-steps of the machine, in an undisturbed batch. */
static uint64_t count_undisturbed(bool steps)
{
    struct trial trial;
    struct error err = {0};
    trial_init(&trial, &forty);
    if (trial_run(&trial, &err) < 0 || trial_check(&trial, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(witness_good(trial.witness), POUCHES);
    uint64_t count = steps ? world_steps(trial.world) : trial.points;
    trial_finish(&trial);
    return count;
}

static uint64_t stride_of(uint64_t count)
{
    return all || count < SAMPLE ? 1 : count / SAMPLE;
}

static void the_controller_may_die_at_any_point(void **state)
{
    (void)state;
    uint64_t points = count_undisturbed(false), runs = 0;
    for (uint64_t k = 1; k <= points; k += stride_of(points), runs++) {
        struct error err = {0};
        struct trial_params params = forty;
        params.die_at = k;
        if (try(&params, &err) < 0)
            fail_msg("dead at point %" PRIu64 " of %" PRIu64 ": %s", k, points, err.message);
    }
    print_message("%" PRIu64 " points, %" PRIu64 " deaths\n", points, runs);
    assert_true(points > 10 * POUCHES);
}

static void the_power_may_go_at_any_micro_step(void **state)
{
    (void)state;
    uint64_t steps = count_undisturbed(true), runs = 0;
    for (uint64_t k = 1; k <= steps; k += stride_of(steps), runs++) {
        struct error err = {0};
        struct trial_params params = forty;
        params.cut_at = k;
        if (try(&params, &err) < 0)
            fail_msg("cut at step %" PRIu64 " of %" PRIu64 ": %s", k, steps, err.message);
    }
    print_message("%" PRIu64 " micro-steps, %" PRIu64 " cuts\n", steps, runs);
    assert_true(steps > 10 * POUCHES);
}

/* Two deaths and a cut at once, and a machine with mechanical faults, at drawn moments. */
static void deaths_cuts_and_faults_may_meet(void **state)
{
    (void)state;
    struct rng rng;
    uint64_t points = count_undisturbed(false), steps = count_undisturbed(true);
    unsigned runs = all ? 2000 : 30;
    rng_init(&rng, 20261121, 11);
    print_message("seed 20261121, %u runs\n", runs);
    for (unsigned i = 0; i < runs; i++) {
        struct error err = {0};
        struct trial_params params = forty;
        params.seed = i + 1;
        params.faults = i % 2;
        params.die_at = 1 + rng_below(&rng, (uint32_t)points);
        params.die_again = 1 + rng_below(&rng, 60);
        params.cut_at = 1 + rng_below(&rng, (uint32_t)steps);
        if (try(&params, &err) < 0)
            fail_msg("run %u, dead at %" PRIu64 " and %" PRIu64 " later, cut at %" PRIu64 ": %s", i,
                     params.die_at, params.die_again, params.cut_at, err.message);
    }
}

/* ---- mutants ---- */

/* The child looks until something is found: an assertion of ours that fires there counts, too. */
static void look_for(const struct trial_params *mutant, uint64_t points, uint64_t steps)
{
    struct rng rng;
    rng_init(&rng, 1, 5);
    for (int i = 0; i < 400; i++) {
        struct error err = {0};
        struct trial_params params = *mutant;
        if (mutant->mutant == TRIAL_NO_INTENT)
            params.cut_at = 1 + rng_below(&rng, (uint32_t)steps);
        else
            params.die_at = 1 + rng_below(&rng, (uint32_t)points);
        int rc = try(&params, &err);
        if (rc < 0 && rc != E_NOT_FOUND) { /* a point behind the batch's end says nothing of the mutant */
            fprintf(stderr, "    %s: caught in run %d: %s\n", trial_mutant_name(mutant->mutant), i + 1,
                    err.message);
            _exit(1);
        }
    }
    _exit(0);
}

static void every_mutant_is_caught(void **state)
{
    (void)state;
    uint64_t points = count_undisturbed(false), steps = count_undisturbed(true);
    for (int m = TRIAL_RIGHT + 1; m < TRIAL_MUTANTS; m++) {
        struct trial_params params = forty;
        params.mutant = (enum trial_mutant)m;
        params.speed = QUICK; /* results queue up, so that there is something to lose */
        (void)fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
            look_for(&params, points, steps);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status))
            print_message("    %s: caught by an assertion\n", trial_mutant_name(params.mutant));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            fail_msg("not caught: %s", trial_mutant_name(params.mutant));
    }
}

int main(int argc, char **argv)
{
    /* What a power cut does to the disk is tested elsewhere: here the store may live in memory. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    if (all)
        forty.speed = SLOW;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_controller_may_die_at_any_point),
        cmocka_unit_test(the_power_may_go_at_any_micro_step),
        cmocka_unit_test(deaths_cuts_and_faults_may_meet),
        cmocka_unit_test(every_mutant_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
