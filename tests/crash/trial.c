/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/batch.h"
#include "controller/pack/packer.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "hw/sim/memory.h"
#include "hw/sim/sim_machine.h"
#include "hw/sim/world.h"
#include "tests/crash/mutant.h"
#include "tests/support/gate.h"
#include "tests/support/witness.h"

enum {
    START_MS = 1000,
    WALL_MS = 1000000000,
    DARK_MS = 3000,
    STEP_MAX_MS = 1000,
    LIMIT_MS = 60 * 60 * 1000,
    SPEED = 50,
    LAZY_PASSES = 4
};

static const char serial[] = "SIM00001";

const char *trial_mutant_name(enum trial_mutant mutant)
{
    static const char *const names[] = {
        "right",
        "what a transaction says is used before it is committed",
        "W is written before the result is stored",
        "no intent on the machine",
        "a fresh number after a lost connection",
        "an unread result is overwritten",
    };
    return mutant < TRIAL_MUTANTS ? names[mutant] : "?";
}

/* ---- points ---- */

/* True while the controller lives. */
static bool alive(struct trial *t)
{
    if (!t->dead && ++t->points == t->die_at)
        t->dead = true;
    return !t->dead;
}

static void blame(struct trial *t, const char *what, int64_t number)
{
    if (!t->broken[0])
        (void)snprintf(t->broken, sizeof t->broken, "%s %" PRId64, what, number); /* short */
}

/* The machine may only be told what is committed: its events come while it is told. */
static void see(void *data, const struct world_event *event)
{
    struct trial *t = data;
    if (strcmp(event->name, "retired") == 0 && event->seq > t->committed_retired)
        blame(t, "C5: retired before its result was stored:", event->seq);
    if (strcmp(event->name, "accepted") == 0 && event->seq >= t->committed_next)
        blame(t, "C1: sent before its intent was stored:", event->seq);
    witness_event(t->witness, event);
}

static bool request_leaves(void *data, const struct machine_request *request)
{
    struct trial *t = data;
    (void)request;
    if (!alive(t))
        return false;
    t->requests++;
    return true;
}

static bool answer_came(void *data, struct machine_answer *answer)
{
    struct trial *t = data;
    if (t->params.mutant == TRIAL_RETIRE_EARLY && answer->kind == MACHINE_READ_RESULT && answer->code == 0)
        mutant_retire(t->world, answer->result.seq);
    if (t->params.mutant == TRIAL_OVERWRITTEN && answer->kind == MACHINE_READ_STATUS)
        mutant_overwrite(t->world, t->memory);
    return alive(t);
}

/* ---- life of the controller ---- */

static void note_committed(struct trial *t)
{
    struct error err = {0};
    struct store *store = t->pharmacy.store;
    t->committed_retired = 0;
    t->committed_next = 1;
    (void)store_get_int(store, &t->committed_retired, &err, "SELECT retired FROM machine",
                        ""); /* none yet: 0 */
    (void)store_get_int(store, &t->committed_next, &err, "SELECT next_seq FROM machine", "");
    if (t->params.acknowledged && trial_digest(t, t->acknowledged, &err) < 0)
        fail_msg("%s", err.message);
}

void trial_raise(struct trial *t)
{
    const struct packer_config config = {.name = "m1",
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = PACKER_POLL_MS,
                                         .heartbeat_ms = PACKER_HEARTBEAT_MS,
                                         .attend = true,
                                         .seed = 1};
    const struct sim_machine_params port = {
        .world = t->world, .clock = &t->clock.clock, .answer_ms = 2, .deadline_ms = 200};
    const struct gate_hooks hooks = {.leaves = request_leaves, .came = answer_came, .data = t};
    struct error err = {0};
    if (t->params.mutant == TRIAL_FRESH_NUMBER)
        pharmacy_exec(&t->pharmacy, "UPDATE job SET state = 'waiting' WHERE state = 'sent'");
    struct machine *behind = sim_machine_create(&port, &err);
    t->machine = behind ? gate_create(behind, &hooks, &err) : NULL;
    t->packer = t->machine ? packer_create(&config, t->machine, t->pharmacy.store, &err) : NULL;
    if (!t->packer)
        fail_msg("%s", err.message);
    t->dead = false;
    note_committed(t);
}

void trial_drop(struct trial *t)
{
    packer_destroy(t->packer);
    machine_destroy(t->machine);
    store_close(t->pharmacy.store);
    t->packer = NULL;
    t->machine = NULL;
    t->pharmacy.store = NULL;
}

static void die(struct trial *t)
{
    t->deaths++;
    t->die_at = t->deaths == 1 && t->params.die_again ? t->points + t->params.die_again : 0;
    trial_drop(t);
    pharmacy_reopen(&t->pharmacy);
    trial_raise(t);
}

void trial_init(struct trial *t, const struct trial_params *params)
{
    struct error err = {0};
    struct world_params world;
    *t =
        (struct trial){.params = *params, .die_at = params->die_at, .was_powered = true, .committed_next = 1};
    pharmacy_init(&t->pharmacy, params->patients, params->days);
    t->batch = pharmacy_batch(&t->pharmacy);
    clock_virtual_init(&t->clock, START_MS, WALL_MS);
    log_init("trial", LOG_ERROR, NULL);
    t->memory = calloc(1, world_memory_bytes());
    t->witness = witness_create(0, false);
    assert_true(t->memory && t->witness);
    world_params_default(&world, 0);
    world.seed = params->seed;
    world.now_us = START_MS * 1000;
    world.speed = params->speed ? params->speed : SPEED;
    world.bays = PHARMACY_BAYS;
    world.fill = PHARMACY_PIECES;
    world.operator_mends = true;
    world.keep_truth = false;
    world.memory = t->memory;
    world.log = see;
    world.log_data = t;
    if (!params->faults)
        world_rates_none(&world.rates);
    t->world = world_create(&world, &err);
    if (!t->world)
        fail_msg("%s", err.message);
    if (params->cut_at)
        world_cut_power(t->world, params->cut_at);
    trial_raise(t);
}

void trial_finish(struct trial *t)
{
    packer_destroy(t->packer);
    machine_destroy(t->machine);
    world_destroy(t->world);
    witness_destroy(t->witness);
    free(t->memory);
    pharmacy_finish(&t->pharmacy);
}

/* ---- rounds ---- */

/* The transaction of one pass; 1: look again, 0: the controller died. */
static int store_pass(struct trial *t, struct error *err)
{
    struct store *store = t->pharmacy.store;
    bool lazy = t->params.mutant == TRIAL_UNDURABLE;
    if (!alive(t))
        return 0;
    int rc = store_in_write(store) ? 0 : store_write_begin(store, err);
    if (rc == 0)
        rc = packer_write(t->packer, err);
    if (rc == 0 && t->params.acknowledged)
        rc = trial_digest(t, t->in_flight, err);
    if (rc < 0) {
        store_write_rollback(store);
        return rc;
    }
    if (!alive(t))
        return 0;
    if (!lazy || ++t->lazy % LAZY_PASSES == 0) {
        rc = store_write_commit(store, err);
        if (rc < 0)
            return rc;
        note_committed(t);
        t->commits++;
    }
    if (!alive(t))
        return 0;
    packer_written(t->packer);
    if (!alive(t))
        return 0;
    if (t->params.checkpoint_every && t->commits % t->params.checkpoint_every == 0)
        rc = store_checkpoint(store, err);
    return rc < 0 ? rc : 1;
}

static int round_of(struct trial *t, struct error *err)
{
    int rc;
    do {
        rc = packer_run(t->packer, t->clock.mono_now_ms, t->clock.wall_now_ms, err);
        if (rc == 1 && !t->dead)
            rc = store_pass(t, err);
    } while (rc == 1 && !t->dead);
    if (rc < 0)
        return rc;
    if (t->dead)
        die(t);
    return 0;
}

static void tend_mains(struct trial *t)
{
    bool powered = world_has_power(t->world);
    if (t->was_powered && !powered) {
        t->power_on_ms = t->clock.mono_now_ms + DARK_MS;
        if (t->params.mutant == TRIAL_NO_INTENT)
            mutant_forget_begun(t->memory);
    }
    if (t->power_on_ms && t->clock.mono_now_ms >= t->power_on_ms) {
        t->power_on_ms = 0;
        world_power_on(t->world);
        powered = world_has_power(t->world);
    }
    t->was_powered = powered;
}

static void advance(struct trial *t)
{
    int64_t now_ms = t->clock.mono_now_ms, due_ms = packer_due_ms(t->packer);
    int64_t machine_ms = sim_machine_next_due_ms(gate_behind(t->machine));
    if (machine_ms < due_ms)
        due_ms = machine_ms;
    if (due_ms <= now_ms)
        due_ms = now_ms + 1;
    if (due_ms - now_ms > STEP_MAX_MS)
        due_ms = now_ms + STEP_MAX_MS;
    clock_virtual_advance(&t->clock, due_ms - now_ms);
}

/* 1: at rest. */
static int is_over(struct trial *t, struct error *err)
{
    struct batch_info info;
    int rc = batch_get(t->pharmacy.store, t->batch, &info, err);
    if (rc < 0)
        return rc;
    if (strcmp(info.state, "done") == 0)
        return 1;
    if (batch_is_resting(&info))
        return error_set(err, E_STATE, "the batch is %s: %s", info.state, info.note);
    return 0;
}

/* Until the batch is over (0), or so many commits were made (1); the clock's end is a failure. */
static int run_until(struct trial *t, unsigned commits, struct error *err)
{
    int64_t end_ms = t->clock.mono_now_ms + LIMIT_MS;
    for (unsigned i = 0; t->clock.mono_now_ms < end_ms; i++) {
        advance(t);
        int rc = round_of(t, err);
        if (rc < 0)
            return rc;
        tend_mains(t);
        if (t->broken[0])
            return error_set(err, E_TAMPERED, "%s", t->broken);
        if (t->commits >= commits)
            return 1;
        rc = i % 16 == 15 ? is_over(t, err) : 0;
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return error_set(err, E_TIMEOUT, "the batch does not end: %s", packer_note(t->packer));
}

int trial_run(struct trial *t, struct error *err)
{
    return run_until(t, UINT_MAX, err);
}

int trial_run_commits(struct trial *t, unsigned commits, struct error *err)
{
    return run_until(t, t->commits + commits, err);
}

int trial_digest(struct trial *t, char ret_digest[TRIAL_DIGEST_BYTES], struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        t->pharmacy.store, &rows, err,
        "SELECT (SELECT coalesce(max(seq), 0) || ' ' || coalesce((SELECT hex(hash) FROM audit ORDER BY seq "
        "DESC"
        " LIMIT 1), '') FROM audit) || ' ' || coalesce((SELECT session || ' ' || next_seq || ' ' || retired "
        "||"
        " ' ' || boot FROM machine), '') || ' ' || (SELECT count(*) || ' ' || sum(state = 'good') FROM fill) "
        "||"
        " ' ' || (SELECT coalesce(sum(level), 0) FROM canister) || ' ' || (SELECT count(*) FROM command WHERE"
        " taken_ms IS NULL)",
        "");
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        (void)snprintf(ret_digest, TRIAL_DIGEST_BYTES, "%s",
                       store_text(rows, 0)); /* 64 digits and numbers fit */
    store_done(rows);
    return rc < 0 ? rc : 0;
}

int trial_check(struct trial *t, struct error *err)
{
    struct batch_info info;
    int64_t rows = 0;
    if (t->broken[0])
        return error_set(err, E_TAMPERED, "%s", t->broken);
    int rc = witness_check(t->witness, t->pharmacy.store, serial, true, err);
    if (rc == 0)
        rc = batch_get(t->pharmacy.store, t->batch, &info, err);
    if (rc == 0 && info.good != info.pouches)
        rc = error_set(err, E_TAMPERED, "%" PRId64 " of %" PRId64 " pouches are good", info.good,
                       info.pouches);
    if (rc == 0)
        rc = audit_verify(t->pharmacy.store, &rows, err);
    return rc == 0 ? store_check(t->pharmacy.store, err) : rc;
}
