/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig: a world under a test's hands, with its log in memory and short words for what every test does. Header
 * only; one test program, one thread.
 */
#ifndef TESTS_UNIT_HW_RIG_H
#define TESTS_UNIT_HW_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "hw/sim/world.h"

struct rig {
    struct world *world;
    struct buf log;
    int64_t now_us;
    uint16_t beat;
    uint16_t command_seq;
    uint32_t session;
    uint32_t retire;
};

static inline void rig_log(void *data, const struct world_event *event)
{
    world_event_write(event, &((struct rig *)data)->log);
}

/* A machine without faults of its own and without waits at boot and start. */
static inline struct world_params rig_params(void)
{
    struct world_params params;
    world_params_default(&params, 0);
    world_rates_none(&params.rates);
    params.boot_us = 10000;
    params.starting_us = 10000;
    params.resetting_us = 10000;
    params.bays = 20;
    return params;
}

static inline void rig_init(struct rig *rig, struct world_params params)
{
    *rig = (struct rig){.session = 1};
    buf_init(&rig->log);
    params.log = rig_log;
    params.log_data = rig;
    struct error err = {0};
    rig->world = world_create(&params, &err);
    if (!rig->world)
        fail_msg("%s", err.message);
}

static inline void rig_finish(struct rig *rig)
{
    world_destroy(rig->world);
    buf_finish(&rig->log);
}

static inline struct machine_status rig_status(struct rig *rig)
{
    struct machine_status status;
    world_status(rig->world, &status);
    return status;
}

static inline enum world_reply rig_control(struct rig *rig, enum machine_command command, uint32_t argument)
{
    const struct machine_control control = {
        .nonce = rig->beat,
        .session = rig->session,
        .heartbeat = ++rig->beat,
        .command = command,
        .command_seq = command != MACHINE_COMMAND_NONE ? ++rig->command_seq : rig->command_seq,
        .argument = argument,
        .retire = rig->retire,
    };
    return world_control(rig->world, &control);
}

/* Lets time pass without a word of the controller. */
static inline void rig_wait(struct rig *rig, int64_t ms)
{
    rig->now_us += ms * 1000;
    world_advance(rig->world, rig->now_us);
}

/* Lets time pass with a heartbeat every 100 ms. */
static inline void rig_run(struct rig *rig, int64_t ms)
{
    for (int64_t left = ms; left > 0 && world_has_power(rig->world); left -= 100) {
        rig_wait(rig, left < 100 ? left : 100);
        if (world_answers(rig->world))
            (void)rig_control(rig, MACHINE_COMMAND_NONE, 0); /* the power may go under it */
    }
}

static inline struct machine_job rig_job(uint32_t seq)
{
    struct machine_job job = {.seq = seq, .hash = 0xABC00000 + seq, .entry_count = 3};
    for (unsigned i = 0; i < 3; i++)
        job.entries[i] =
            (struct machine_entry){.bay = (uint16_t)((seq + 4 * i) % 20), .count = (uint16_t)(1 + i)};
    (void)snprintf(job.token, sizeof job.token, "S1-%u", seq);
    return job;
}

static inline enum world_reply rig_put(struct rig *rig, uint32_t seq)
{
    struct machine_job job = rig_job(seq);
    return world_put(rig->world, &job, rig->session);
}

static inline void rig_command(struct rig *rig, enum machine_command command)
{
    assert_int_equal(rig_control(rig, command, 0), WORLD_TAKEN);
    assert_int_equal(rig_status(rig).command_result, MACHINE_COMMAND_TAKEN);
}

static inline void rig_expect_state(struct rig *rig, enum machine_state state)
{
    assert_string_equal(machine_state_name(rig_status(rig).state), machine_state_name(state));
}

/* Boots (if it must), resets and starts; ends in Execute. */
static inline void rig_start(struct rig *rig)
{
    rig_wait(rig, 20);
    assert_true(world_answers(rig->world));
    rig_command(rig, MACHINE_COMMAND_RESET);
    rig_wait(rig, 20);
    rig_command(rig, MACHINE_COMMAND_START);
    rig_wait(rig, 20);
    rig_expect_state(rig, MACHINE_STATE_EXECUTE);
}

static inline struct machine_result rig_result(struct rig *rig, uint32_t seq)
{
    struct machine_identity identity;
    world_identity(rig->world, &identity);
    struct machine_result result;
    world_result(rig->world, seq % identity.ring_size, &result);
    assert_int_equal(result.seq, seq);
    return result;
}

#endif
