/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/stage.h"

#include <stdio.h>
#include <string.h>

#include "controller/pack/batch.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "tools/stage/switches.h"

enum {
    DARK_MS = 3000,
    STEP_MAX_MS = 1000,
    ANSWER_MS = 2,
    DEADLINE_MS = 200,
    ORDER_TURNS = 100,
    ORDER_MS = 50
};

static int power_up(struct stage *stage, struct error *err)
{
    const struct packer_config config = {.name = stage->name,
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = PACKER_POLL_MS,
                                         .heartbeat_ms = PACKER_HEARTBEAT_MS,
                                         .entries_max = stage->params.entries_max,
                                         .rules = stage->params.rules,
                                         .panel = stage->switches ? switches_panel(stage->switches) : NULL,
                                         .attend = stage->params.attend,
                                         .seed = 1};
    const struct sim_machine_params port = {.world = stage->world,
                                            .clock = &stage->clock.clock,
                                            .answer_ms = ANSWER_MS,
                                            .deadline_ms = DEADLINE_MS};
    stage->port = stage->machine = sim_machine_create(&port, err);
    if (stage->port && stage->params.wrap)
        stage->machine = stage->params.wrap(stage->params.wrap_data, stage->port);
    if (stage->machine)
        stage->packer = packer_create(&config, stage->machine, stage->store, err);
    return stage->packer ? 0 : err->code;
}

static void power_down(struct stage *stage)
{
    packer_destroy(stage->packer);
    machine_destroy(stage->machine);
    stage->packer = NULL;
    stage->machine = stage->port = NULL;
}

static int open_store(struct stage *stage, struct error *err)
{
    store_close(stage->store);
    stage->store = store_open(stage->store_path, false, err);
    return stage->store ? 0 : err->code;
}

int stage_init(struct stage *stage, const struct stage_params *params, struct error *err)
{
    struct world_params world = *params->world;
    *stage = (struct stage){.params = *params};
    if (snprintf(stage->store_path, sizeof stage->store_path, "%s", params->store_path) >= STAGE_PATH_BYTES ||
        snprintf(stage->name, sizeof stage->name, "%s", params->machine) >= (int)sizeof stage->name)
        return error_set(err, E_ARG, "%s: the path of the store is too long", params->store_path);
    clock_virtual_init(&stage->clock, STAGE_START_MS, params->wall_ms);
    world.now_us = STAGE_START_MS * 1000;
    int rc = open_store(stage, err);
    if (rc == 0) {
        stage->world = world_create(&world, err);
        rc = stage->world ? 0 : err->code;
    }
    if (rc == 0 && params->panel) { /* of iron: it outlives the controller */
        stage->switches = switches_create(stage->name, stage->world, &stage->clock.clock, world.seed, err);
        rc = stage->switches ? 0 : err->code;
    }
    if (rc == 0)
        rc = power_up(stage, err);
    if (rc < 0)
        stage_finish(stage);
    return rc;
}

void stage_finish(struct stage *stage)
{
    power_down(stage);
    switches_destroy(stage->switches);
    stage->switches = NULL;
    world_destroy(stage->world);
    store_close(stage->store);
    stage->world = NULL;
    stage->store = NULL;
}

int stage_crash(struct stage *stage, struct error *err)
{
    power_down(stage);
    int rc = open_store(stage, err);
    stage->crashes++;
    return rc == 0 ? power_up(stage, err) : rc;
}

/* 1 when the controller died at this boundary (and lives again). */
static int crashed(struct stage *stage, struct error *err)
{
    if (++stage->boundary != stage->params.crash_at)
        return 0;
    int rc = stage_crash(stage, err);
    return rc == 0 ? 1 : rc;
}

/* 1: something was stored, look again. */
static int one_pass(struct stage *stage, struct error *err)
{
    int rc = packer_run(stage->packer, stage->clock.mono_now_ms, stage->clock.wall_now_ms, err);
    if (rc < 0)
        return rc;
    int died = crashed(stage, err);
    if (died != 0 || rc == 0)
        return died < 0 ? died : 0;
    rc = store_write_begin(stage->store, err);
    if (rc == 0)
        rc = packer_write(stage->packer, err);
    if (rc == 0)
        rc = crashed(stage, err);
    if (rc == 0)
        rc = store_write_commit(stage->store, err);
    if (rc == 0)
        rc = crashed(stage, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    packer_written(stage->packer);
    rc = crashed(stage, err);
    return rc == 0 ? 1 : rc < 0 ? rc : 0;
}

int stage_round(struct stage *stage, struct error *err)
{
    int rc = 1;
    if (stage->before)
        stage->before(stage->before_data);
    if (stage->switches)
        switches_follow(stage->switches);
    if (stage->frozen_ms > stage->clock.mono_now_ms)
        world_advance(stage->world, stage->clock.mono_now_ms * 1000);
    else
        while ((rc = one_pass(stage, err)) == 1) {
        }
    if (!stage->params.mains_return)
        return rc < 0 ? rc : 0;
    if (!world_has_power(stage->world) && stage->power_on_ms == 0)
        stage->power_on_ms = stage->clock.mono_now_ms + DARK_MS;
    if (stage->power_on_ms && stage->clock.mono_now_ms >= stage->power_on_ms) {
        stage->power_on_ms = 0;
        world_power_on(stage->world);
    }
    return rc < 0 ? rc : 0;
}

int stage_step(struct stage *stage, struct error *err)
{
    int64_t now_ms = stage->clock.mono_now_ms, due_ms = packer_due_ms(stage->packer);
    int64_t machine_ms = sim_machine_next_due_ms(stage->port);
    if (machine_ms < due_ms)
        due_ms = machine_ms;
    int64_t switches_ms = stage->switches ? switches_due_ms(stage->switches) : INT64_MAX;
    if (switches_ms < due_ms)
        due_ms = switches_ms;
    if (due_ms <= now_ms)
        due_ms = now_ms + 1;
    if (due_ms - now_ms > STEP_MAX_MS)
        due_ms = now_ms + STEP_MAX_MS;
    clock_virtual_advance(&stage->clock, due_ms - now_ms);
    return stage_round(stage, err);
}

int stage_run_ms(struct stage *stage, int64_t ms, struct error *err)
{
    int64_t end_ms = stage->clock.mono_now_ms + ms;
    int rc = 0;
    while (rc == 0 && stage->clock.mono_now_ms < end_ms)
        rc = stage_step(stage, err);
    return rc;
}

int stage_run_batch(struct stage *stage, int64_t batch, int64_t limit_ms, struct error *err)
{
    int64_t end_ms = stage->clock.mono_now_ms + limit_ms;
    while (stage->clock.mono_now_ms < end_ms) {
        struct batch_info info;
        int rc = 0;
        for (int i = 0; i < 16 && rc == 0; i++)
            rc = stage_step(stage, err);
        if (rc == 0)
            rc = batch_get(stage->store, batch, &info, err);
        if (rc < 0)
            return rc;
        if (batch_is_resting(&info))
            return 1;
    }
    return 0;
}

int stage_order(struct stage *stage, int64_t batch, const char *verb, bool *ret_taken, char *result,
                size_t size, struct error *err)
{
    char text[BATCH_NOTE_BYTES] = "";
    int64_t command = 0;
    int rc = batch ? batch_ask(stage->store, batch, verb, "tech", 3, &command, err)
                   : machine_ask(stage->store, stage->name, verb, "tech", 3, &command, err);
    if (rc < 0)
        return rc;
    packer_orders(stage->packer);
    for (int i = 0; i < ORDER_TURNS; i++) {
        rc = stage_run_ms(stage, ORDER_MS, err);
        if (rc == 0)
            rc = command_result(stage->store, command, text, err);
        if (rc != 0)
            break;
    }
    if (rc == 0)
        return error_set(err, E_TIMEOUT, "%s: nobody took it", verb);
    if (rc < 0)
        return rc;
    *ret_taken = strncmp(text, "taken", 5) == 0;
    (void)snprintf(result, size, "%s", text); /* cut: for people */
    return 0;
}
