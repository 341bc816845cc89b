/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a line recorded, a packer lives through again: a batch is packed on the simulator with a trace around
 * its port, then once more from a fresh store with nothing but the trace behind the port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/batch.h"
#include "controller/pack/packer.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "hw/sim/sim_machine.h"
#include "hw/sim/world.h"
#include "hw/wrap/replay.h"
#include "hw/wrap/trace.h"
#include "tests/support/pharmacy.h"

enum { START_MS = 1000, WALL_MS = 1000000000, LIMIT_MS = 200000, SPEED = 20 };

static void round_or_fail(struct packer *packer, struct store *store, const struct clock_virtual *clock)
{
    struct error err = {0};
    int rc;
    while ((rc = packer_run(packer, clock->mono_now_ms, clock->wall_now_ms, &err)) == 1) {
        if (store_write_begin(store, &err) < 0 || packer_write(packer, &err) < 0 ||
            store_write_commit(store, &err) < 0)
            fail_msg("%s", err.message);
        packer_written(packer);
    }
    if (rc < 0)
        fail_msg("%s", err.message);
}

/* Packs the pharmacy's batch over the port in steps of 1 ms; the machine is destroyed. */
static void pack_or_fail(struct pharmacy *pharmacy, struct machine *machine, struct clock_virtual *clock)
{
    struct error err = {0};
    struct batch_info info = {.state = ""};
    const struct packer_config config = {.name = "m1",
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = PACKER_POLL_MS,
                                         .heartbeat_ms = PACKER_HEARTBEAT_MS,
                                         .attend = true,
                                         .seed = 1};
    int64_t batch = pharmacy_batch(pharmacy);
    struct packer *packer = packer_create(&config, machine, pharmacy->store, &err);
    if (!packer)
        fail_msg("%s", err.message);
    for (int ms = 0; ms < LIMIT_MS && strcmp(info.state, "done") != 0; ms++) {
        clock_virtual_advance(clock, 1);
        round_or_fail(packer, pharmacy->store, clock);
        if (ms % 100 == 0 && batch_get(pharmacy->store, batch, &info, &err) < 0)
            fail_msg("%s", err.message);
    }
    if (strcmp(info.state, "done") != 0)
        fail_msg("the batch is %s: %s", info.state, packer_note(packer));
    packer_destroy(packer);
}

static void a_recorded_batch_is_packed_again_from_its_trace(void **state)
{
    (void)state;
    struct pharmacy pharmacy;
    struct scratch scratch;
    struct clock_virtual clock;
    struct error err = {0};
    char file[SCRATCH_PATH_BYTES];
    log_init("test", LOG_ERROR, NULL);
    scratch_init(&scratch);
    scratch_path(&scratch, "m1.ndjson", file);

    struct world_params params;
    world_params_default(&params, 0);
    params.seed = 11;
    params.now_us = START_MS * 1000;
    params.speed = SPEED;
    params.bays = PHARMACY_BAYS;
    params.fill = PHARMACY_PIECES;
    struct world *world = world_create(&params, &err);
    assert_non_null(world);
    clock_virtual_init(&clock, START_MS, WALL_MS);
    const struct sim_machine_params port = {
        .world = world, .clock = &clock.clock, .answer_ms = 2, .deadline_ms = 200};
    struct machine *sim = sim_machine_create(&port, &err);
    struct machine *machine = sim ? trace_create(sim, file, "m1", &clock.clock, &err) : NULL;
    if (!machine)
        fail_msg("%s", err.message);
    pharmacy_init(&pharmacy, 2, 3);
    pack_or_fail(&pharmacy, machine, &clock);
    int64_t voids = pharmacy_int(&pharmacy, "SELECT count(*) FROM fill WHERE state = 'void'");
    int64_t fills = pharmacy_int(&pharmacy, "SELECT count(*) FROM fill");
    machine_destroy(machine);
    world_destroy(world);
    pharmacy_finish(&pharmacy);

    clock_virtual_init(&clock, START_MS, WALL_MS);
    machine = replay_create(file, &clock.clock, &err);
    if (!machine)
        fail_msg("%s", err.message);
    pharmacy_init(&pharmacy, 2, 3);
    pack_or_fail(&pharmacy, machine, &clock);
    if (replay_difference(machine))
        fail_msg("%s", replay_difference(machine));
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT count(*) FROM fill WHERE state = 'void'"), voids);
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT count(*) FROM fill"), fills);
    machine_destroy(machine);
    pharmacy_finish(&pharmacy);
    scratch_finish(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_batch_is_packed_again_from_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
