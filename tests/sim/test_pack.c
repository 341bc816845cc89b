/* SPDX-License-Identifier: Apache-2.0 */
/* A whole batch on the simulated machine, with everything going wrong that the machine contract names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/base/rng.h"
#include "hw/sim/sim_machine.h"
#include "tests/sim/rig.h"

enum { MINUTE_MS = 60000 };

static void a_batch_of_200_pouches_ends_good_with_the_machine_obeying(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, &(struct rig_params){.patients = 10, .days = 10, .seed = 1});
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    assert_true(rig_run_batch(&rig, batch, 30 * MINUTE_MS));
    rig_check(&rig, batch, true);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill"), 200);
    rig_finish(&rig);
}

static void a_batch_of_200_pouches_ends_good_with_a_faulty_machine(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct rig rig;
        print_message("seed %" PRIu64 "\n", seed);
        rig_init(&rig, &(struct rig_params){.patients = 10, .days = 10, .seed = seed, .faults = true});
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        assert_true(rig_run_batch(&rig, batch, 60 * MINUTE_MS));
        rig_check(&rig, batch, true);
        rig_finish(&rig);
    }
}

static void every_lost_repeated_or_broken_frame_is_recovered(void **state)
{
    (void)state;
    static const enum sim_fault faults[] = {SIM_LOSE_REQUEST, SIM_LOSE_ANSWER, SIM_REPEAT_REQUEST,
                                            SIM_RESET_LINK};
    /* Each frame of a short batch meets each fault, and a later one another. */
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
        for (uint64_t nth = 1; nth <= 60; nth++) {
            struct rig rig;
            rig_init(&rig, &(struct rig_params){.patients = 1, .days = 2, .seed = nth, .speed = 50});
            int64_t batch = pharmacy_batch(&rig.pharmacy);
            sim_machine_fail(rig.port, faults[f], nth);
            sim_machine_fail(rig.port, faults[(f + 1) % 4], nth + 7);
            if (!rig_run_batch(&rig, batch, 10 * MINUTE_MS))
                fail_msg("fault %d at frame %" PRIu64 ": the batch does not end: %s", (int)faults[f], nth,
                         packer_note(rig.packer));
            rig_check(&rig, batch, true);
            rig_finish(&rig);
        }
    }
}

/* Micro-steps of the machine, or boundaries of the controller, in an undisturbed batch of six pouches. */
static uint64_t count_undisturbed(bool steps)
{
    struct rig rig;
    rig_init(&rig, &(struct rig_params){.patients = 1, .days = 3, .seed = 7, .speed = 50});
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    uint64_t count = steps ? world_steps(rig.world) : rig.boundary;
    rig_finish(&rig);
    return count;
}

static void a_power_cut_at_every_micro_step_costs_no_job(void **state)
{
    (void)state;
    uint64_t steps = count_undisturbed(true);
    assert_true(steps > 50);
    print_message("%" PRIu64 " micro-steps\n", steps);
    for (uint64_t k = 1; k <= steps; k++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_params){.patients = 1, .days = 3, .seed = 7, .speed = 50, .cut_at = k});
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        if (!rig_run_batch(&rig, batch, 10 * MINUTE_MS))
            fail_msg("cut at step %" PRIu64 ": the batch does not end: %s", k, packer_note(rig.packer));
        rig_check(&rig, batch, true);
        rig_finish(&rig);
    }
}

static void a_controller_crash_at_every_boundary_costs_no_job(void **state)
{
    (void)state;
    uint64_t boundaries = count_undisturbed(false);
    uint64_t step = boundaries > 400 ? boundaries / 400 : 1;
    print_message("%" PRIu64 " boundaries, every %" PRIu64 ".\n", boundaries, step);
    for (uint64_t k = 1; k <= boundaries; k += step) {
        struct rig rig;
        rig_init(&rig, &(struct rig_params){.patients = 1, .days = 3, .seed = 7, .speed = 50, .crash_at = k});
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        if (!rig_run_batch(&rig, batch, 10 * MINUTE_MS))
            fail_msg("crash at boundary %" PRIu64 ": the batch does not end: %s", k, packer_note(rig.packer));
        rig_check(&rig, batch, true);
        assert_int_equal(rig.crashes, 1);
        rig_finish(&rig);
    }
}

static void crashes_and_power_cuts_at_random_moments_cost_no_job(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 112; seed++) {
        struct rig rig;
        struct rng rng;
        rng_init(&rng, seed, 3);
        print_message("seed %" PRIu64 "\n", seed);
        rig_init(&rig,
                 &(struct rig_params){.patients = 4, .days = 5, .seed = seed, .speed = 50, .faults = true});
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        for (int i = 0; i < 10; i++) {
            rig_run_ms(&rig, 20 + rng_below(&rng, 1500));
            if (rng_below(&rng, 2))
                rig_crash(&rig);
            else
                world_cut_power(rig.world, 1 + rng_below(&rng, 30));
            if (rng_below(&rng, 3) == 0)
                sim_machine_fail(rig.port, SIM_LOSE_ANSWER, 1 + rng_below(&rng, 10));
        }
        if (!rig_run_batch(&rig, batch, 60 * MINUTE_MS))
            fail_msg("the batch does not end: %s", packer_note(rig.packer));
        rig_check(&rig, batch, true);
        rig_finish(&rig);
    }
}

int main(void)
{
    /* What a power cut does to the disk is tested elsewhere: here the store may live in memory. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_of_200_pouches_ends_good_with_the_machine_obeying),
        cmocka_unit_test(a_batch_of_200_pouches_ends_good_with_a_faulty_machine),
        cmocka_unit_test(every_lost_repeated_or_broken_frame_is_recovered),
        cmocka_unit_test(a_power_cut_at_every_micro_step_costs_no_job),
        cmocka_unit_test(a_controller_crash_at_every_boundary_costs_no_job),
        cmocka_unit_test(crashes_and_power_cuts_at_random_moments_cost_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
