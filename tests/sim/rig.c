/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/batch.h"
#include "controller/pack/panel.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "hw/gpio/memory.h"
#include "hw/machine.h"
#include "hw/sim/sim_machine.h"
#include "tests/support/gate.h"

enum { START_MS = 1000, WALL_MS = 1000000000, DARK_MS = 3000, STEP_MAX_MS = 1000 };

static bool request_leaves(void *data, const struct machine_request *request)
{
    (void)data, (void)request;
    return true;
}

static bool answer_came(void *data, struct machine_answer *answer)
{
    struct rig *rig = data;
    if (answer->kind != MACHINE_READ_STATUS || answer->code != 0)
        return true;
    if (!rig->hung)
        rig->beat = answer->status.heartbeat;
    answer->status.heartbeat = rig->beat;
    return true;
}

static void power_up(struct rig *rig)
{
    const struct packer_config config = {.name = "m1",
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = PACKER_POLL_MS,
                                         .heartbeat_ms = PACKER_HEARTBEAT_MS,
                                         .attend = rig->attend,
                                         .panel = rig->panel,
                                         .seed = 1};
    const struct sim_machine_params port = {
        .world = rig->world, .clock = &rig->clock.clock, .answer_ms = 2, .deadline_ms = 200};
    const struct gate_hooks hooks = {.leaves = request_leaves, .came = answer_came, .data = rig};
    struct error err = {0};
    rig->port = sim_machine_create(&port, &err);
    rig->machine = rig->port ? gate_create(rig->port, &hooks, &err) : NULL;
    if (rig->machine)
        rig->packer = packer_create(&config, rig->machine, rig->pharmacy.store, &err);
    if (!rig->machine || !rig->packer)
        fail_msg("%s", err.message);
}

struct world *rig_world(struct rig *rig, unsigned index)
{
    struct error err = {0};
    struct world_params params;
    world_params_default(&params, 0);
    (void)snprintf(params.serial, sizeof params.serial, "SIM%05u", index + 1); /* five digits fit */
    params.seed = rig->params.seed;
    params.now_us = rig->clock.mono_now_ms * 1000;
    params.speed = rig->params.speed ? rig->params.speed : 10;
    params.bays = PHARMACY_BAYS;
    params.fill = PHARMACY_PIECES;
    params.operator_mends = true;
    params.keep_truth = true;
    if (!rig->params.faults)
        world_rates_none(&params.rates);
    struct world *world = world_create(&params, &err);
    if (!world)
        fail_msg("%s", err.message);
    return world;
}

/* It lives as long as the rig: the switches are iron, only the controller dies. */
static void add_panel(struct rig *rig)
{
    static const struct panel_config config = {
        .name = "m1",
        .chip = "panel",
        .lines = {"E1", "E2", "G1", "G2", "START", "STOP", "RESET", "OUT", "RED", "AMBER", "GREEN", "HORN"}};
    struct gpio_line lines[GPIO_LINES_MAX];
    struct error err = {0};
    unsigned count = 0;
    if (panel_lines(&config, lines, &count, &err) == 0)
        rig->gpio = gpio_memory_create(lines, count, &rig->clock.clock, &err);
    rig->panel = rig->gpio ? panel_create(&config, rig->gpio, rig->clock.mono_now_ms, &err) : NULL;
    if (!rig->panel)
        fail_msg("%s", err.message);
    for (unsigned role = PANEL_ESTOP_A; role <= PANEL_GUARD_B; role++)
        gpio_memory_pull(rig->gpio, role, true);
    struct gpio_event event;
    while (gpio_event(rig->gpio, &event, NULL) == 1) {
    }
}

void rig_init(struct rig *rig, const struct rig_params *params)
{
    *rig = (struct rig){.crash_at = params->crash_at, .attend = !params->no_attend};
    pharmacy_init(&rig->pharmacy, params->patients, params->days);
    clock_virtual_init(&rig->clock, START_MS, WALL_MS);
    log_init("test", LOG_ERROR, NULL);
    rig->params = *params;
    rig->world = rig_world(rig, 0);
    if (params->cut_at)
        world_cut_power(rig->world, params->cut_at);
    if (params->panel)
        add_panel(rig);
    power_up(rig);
}

void rig_finish(struct rig *rig)
{
    packer_destroy(rig->packer);
    machine_destroy(rig->machine);
    panel_destroy(rig->panel);
    gpio_destroy(rig->gpio);
    world_destroy(rig->world);
    pharmacy_finish(&rig->pharmacy);
}

void rig_crash(struct rig *rig)
{
    packer_destroy(rig->packer);
    machine_destroy(rig->machine);
    rig->packer = NULL;
    rig->machine = NULL;
    pharmacy_reopen(&rig->pharmacy);
    rig->crashes++;
    power_up(rig);
}

void rig_swap(struct rig *rig, struct world *world)
{
    sim_machine_plug(rig->port, world);
    rig->world = world;
    rig->power_on_ms = 0;
}

/* True when the controller died at this boundary (and lives again). */
static bool crashed(struct rig *rig)
{
    if (++rig->boundary != rig->crash_at)
        return false;
    rig_crash(rig);
    return true;
}

/* 1: something was stored, look again. */
static int one_pass(struct rig *rig)
{
    struct error err = {0};
    struct store *store = rig->pharmacy.store;
    int rc = packer_run(rig->packer, rig->clock.mono_now_ms, rig->clock.wall_now_ms, &err);
    if (rc < 0)
        fail_msg("%s", err.message);
    if (crashed(rig) || rc == 0)
        return 0;
    if (store_write_begin(store, &err) < 0 || packer_write(rig->packer, &err) < 0)
        fail_msg("%s", err.message);
    if (crashed(rig))
        return 0;
    if (store_write_commit(store, &err) < 0)
        fail_msg("%s", err.message);
    if (crashed(rig))
        return 0;
    packer_written(rig->packer);
    return crashed(rig) ? 0 : 1;
}

void rig_round(struct rig *rig)
{
    while (one_pass(rig) == 1) {
    }
    if (!world_has_power(rig->world) && rig->power_on_ms == 0)
        rig->power_on_ms = rig->clock.mono_now_ms + DARK_MS;
    if (rig->power_on_ms && rig->clock.mono_now_ms >= rig->power_on_ms) {
        rig->power_on_ms = 0;
        world_power_on(rig->world);
    }
}

static void step(struct rig *rig)
{
    int64_t now_ms = rig->clock.mono_now_ms, due_ms = packer_due_ms(rig->packer);
    int64_t machine_ms = sim_machine_next_due_ms(rig->port);
    if (machine_ms < due_ms)
        due_ms = machine_ms;
    if (due_ms <= now_ms)
        due_ms = now_ms + 1;
    if (due_ms - now_ms > STEP_MAX_MS)
        due_ms = now_ms + STEP_MAX_MS;
    clock_virtual_advance(&rig->clock, due_ms - now_ms);
    rig_round(rig);
}

void rig_run_ms(struct rig *rig, int64_t ms)
{
    int64_t end_ms = rig->clock.mono_now_ms + ms;
    while (rig->clock.mono_now_ms < end_ms)
        step(rig);
}

static bool batch_rests(struct rig *rig, int64_t batch)
{
    struct batch_info info;
    struct error err = {0};
    if (batch_get(rig->pharmacy.store, batch, &info, &err) < 0)
        fail_msg("%s", err.message);
    return batch_is_resting(&info);
}

bool rig_run_batch(struct rig *rig, int64_t batch, int64_t limit_ms)
{
    int64_t end_ms = rig->clock.mono_now_ms + limit_ms;
    while (rig->clock.mono_now_ms < end_ms) {
        for (int i = 0; i < 16; i++)
            step(rig);
        if (batch_rests(rig, batch))
            return true;
    }
    return false;
}

void rig_order(struct rig *rig, int64_t batch, const char *verb, bool ok)
{
    struct error err = {0};
    char result[BATCH_NOTE_BYTES] = "";
    int64_t command = 0;
    int rc = batch ? batch_ask(rig->pharmacy.store, batch, verb, "tech", 3, &command, &err)
                   : machine_ask(rig->pharmacy.store, "m1", verb, "tech", 3, &command, &err);
    if (rc == E_STATE && !ok)
        return; /* refused by name, before anybody is asked */
    if (rc < 0)
        fail_msg("%s", err.message);
    packer_orders(rig->packer);
    for (int i = 0; i < 100 && rc == 0; i++) {
        rig_run_ms(rig, 50);
        rc = command_result(rig->pharmacy.store, command, result, &err);
    }
    if (rc != 1)
        fail_msg("%s: not taken: %s", verb, err.message);
    if ((strncmp(result, "taken", 5) == 0) != ok)
        fail_msg("%s: %s", verb, result);
}

void rig_expect_batch(struct rig *rig, int64_t batch, const char *state, const char *words)
{
    struct batch_info info;
    struct error err = {0};
    if (batch_get(rig->pharmacy.store, batch, &info, &err) < 0)
        fail_msg("%s", err.message);
    if (strcmp(info.state, state) != 0 || !strstr(info.note, words))
        fail_msg("the batch is %s: %s; expected %s: %s", info.state, info.note, state, words);
}

/* ---- the checker ---- */

struct fill_seen {
    bool good;
    bool ended;
    struct machine_job job;
};

static bool read_fill(struct store *store, uint32_t seq, struct fill_seen *ret_seen)
{
    struct store_rows *rows = NULL;
    struct error err = {0};
    *ret_seen = (struct fill_seen){0};
    int rc =
        store_query(store, &rows, &err,
                    "SELECT f.state = 'good', f.state <> 'intended', f.job_hash, f.token, i.bay, i.requested"
                    " FROM fill f JOIN fill_item i ON i.fill_id = f.id WHERE f.seq = ? ORDER BY i.entry",
                    "i", (int64_t)seq);
    while (rc == 0 && (rc = store_next(rows, &err)) == 1) {
        struct machine_entry *entry = &ret_seen->job.entries[ret_seen->job.entry_count++];
        ret_seen->good = store_int(rows, 0) != 0;
        ret_seen->ended = store_int(rows, 1) != 0;
        ret_seen->job.hash = (uint32_t)store_int(rows, 2);
        (void)snprintf(ret_seen->job.token, sizeof ret_seen->job.token, "%s", store_text(rows, 3));
        entry->bay = (uint16_t)store_int(rows, 4);
        entry->count = (uint16_t)store_int(rows, 5);
        rc = 0;
    }
    store_done(rows);
    if (rc < 0)
        fail_msg("%s", err.message);
    return ret_seen->job.entry_count > 0;
}

static void check_truth(struct rig *rig)
{
    for (size_t i = 0; i < world_truth_count(rig->world); i++) {
        const struct world_truth *truth = world_truth(rig->world, i);
        struct fill_seen seen;
        if (truth->fate == WORLD_FATE_CANCELLED && !truth->printed)
            continue;
        if (!read_fill(rig->pharmacy.store, truth->seq, &seen))
            fail_msg("pouch %" PRIu32 " was made and the store does not know it", truth->seq);
        if (!seen.ended)
            fail_msg("pouch %" PRIu32 " has no result in the store (fate %s)", truth->seq,
                     world_fate_name(truth->fate));
        if (truth->token[0])
            assert_string_equal(truth->token, seen.job.token);
        if (seen.good && truth->fate != WORLD_FATE_GOOD)
            fail_msg("pouch %" PRIu32 " is good in the store and %s in truth", truth->seq,
                     world_fate_name(truth->fate));
        if (seen.good && !world_truth_fits(truth, &seen.job))
            fail_msg("pouch %" PRIu32 " is good in the store and holds something else", truth->seq);
        for (size_t k = 0; k < i; k++) { /* at most once per number */
            if (world_truth(rig->world, k)->seq == truth->seq && truth->printed &&
                world_truth(rig->world, k)->printed)
                fail_msg("number %" PRIu32 " was made twice", truth->seq);
        }
    }
}

/* A pulse that a power cut kept from the machine's memory is missing in the result, too: one piece a cut. */
static void check_stock(struct rig *rig)
{
    int64_t slack = (int64_t)world_boots(rig->world) - 1 + rig->stock_slack;
    for (unsigned b = 0; b < PHARMACY_BAYS; b++) {
        struct machine_bay bay;
        struct error err = {0};
        int64_t level = 0;
        world_bay(rig->world, b, &bay);
        if (store_get_int(rig->pharmacy.store, &level, &err, "SELECT level FROM canister WHERE bay = ?", "i",
                          (int64_t)b) < 0)
            fail_msg("%s", err.message);
        if (level < bay.level - rig->stock_slack || level > bay.level + slack)
            fail_msg("bay %u: the books say %" PRId64 ", the machine %u", b, level, bay.level);
    }
}

static void check_books(struct rig *rig, int64_t batch, bool complete)
{
    struct batch_info info;
    struct error err = {0};
    int64_t rows = 0;
    if (batch_get(rig->pharmacy.store, batch, &info, &err) < 0)
        fail_msg("%s", err.message);
    if (complete) {
        if (info.good != info.pouches)
            fail_msg("%" PRId64 " of %" PRId64 " pouches are good; batch is %s: %s", info.good, info.pouches,
                     info.state, info.note);
        assert_string_equal(info.state, "done");
    }
    assert_int_equal(pharmacy_int(&rig->pharmacy, "SELECT count(*) FROM fill WHERE state = 'intended'"), 0);
    assert_int_equal(
        pharmacy_int(&rig->pharmacy,
                     "SELECT count(*) FROM job j WHERE (j.state = 'good') <> (SELECT count(*) FROM "
                     "fill f WHERE f.job_id = j.id AND f.state = 'good')"),
        0);
    /* Conservation: what was counted into pouches is what left the books. */
    assert_int_equal(pharmacy_int(&rig->pharmacy, "SELECT coalesce(sum(counted), 0) FROM fill_item"),
                     -pharmacy_int(&rig->pharmacy,
                                   "SELECT coalesce(sum(pieces), 0) FROM stock_move WHERE kind IN "
                                   "('packed', 'voided')"));
    assert_int_equal(pharmacy_int(&rig->pharmacy,
                                  "SELECT count(*) FROM fill_item i JOIN fill f ON f.id = i.fill_id WHERE "
                                  "f.state = 'good' AND i.counted <> i.requested"),
                     0);
    if (audit_verify(rig->pharmacy.store, &rows, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(rows > 0);
}

void rig_check(struct rig *rig, int64_t batch, bool complete)
{
    check_books(rig, batch, complete);
    check_truth(rig);
    check_stock(rig);
}

void rig_check_books(struct rig *rig, int64_t batch)
{
    check_books(rig, batch, true);
}
