/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world's clockwork: creation, the passing of time, alarms, the sealer's temperature, writes to board
 * memory.
 *
 * Time passes from event to event. After each one the machine is settled: everything that needs no time (a
 * state that is over, a pouch that moves on) happens at that instant, until nothing moves. The order is
 * fixed, so that equal instants never depend on who asked when.
 */
#include "hw/sim/world_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"

enum { SEAL_MAXIMUM_DC = 9999, ROOM_MC = 22000, SEAL_TICK_US = 1000000, SEAL_TICKS_MAX = 4000 };

void world_rates_none(struct world_rates *rates)
{
    *rates = (struct world_rates){.jam_clears = 800000000};
}

void world_rates_scale(struct world_rates *rates, uint32_t percent)
{
    uint32_t *const scaled[] = {&rates->missed, &rates->twins,        &rates->twins_unseen, &rates->broken,
                                &rates->late,   &rates->jam,          &rates->print_unread, &rates->film_slip,
                                &rates->bounce, &rates->vision_alarm, &rates->vision_miss};
    for (size_t i = 0; i < sizeof scaled / sizeof scaled[0]; i++) {
        uint64_t ppb = (uint64_t)*scaled[i] * percent / 100;
        *scaled[i] = ppb > 1000000000 ? 1000000000 : (uint32_t)ppb;
    }
}

void world_params_default(struct world_params *params, unsigned index)
{
    *params = (struct world_params){
        .index = index,
        .seed = 1,
        .speed = 1,
        .map_version = 1,
        .firmware = 0x0100,
        .bays = 60,
        .queue_depth = 8,
        .ring_size = 8,
        .caps = MACHINE_CAP_SIMULATED,
        .cycle_us = 600000,
/* clang-format off */
#define PHYSICS_USUAL(field, key, kind, factor, least, most, usual, text) .field = (usual) * (factor),
        PHYSICS_TABLE(PHYSICS_USUAL)
#undef PHYSICS_USUAL
            /* clang-format on */
            .fill = 400,
        .operator_mends = true,
        .keep_truth = true,
    };
    (void)snprintf(params->serial, sizeof params->serial, "SIM%05u", (index + 1) % 100000);
}

static int check_params(const struct world_params *p, struct error *err)
{
    if (p->bays < 1 || p->bays > MACHINE_BAYS_MAX)
        return error_set(err, E_ARG, "simulated machine %u: %u bays, allowed are 1 to %d", p->index, p->bays,
                         MACHINE_BAYS_MAX);
    if (p->ring_size < 1 || p->ring_size > WORLD_RING_MAX || p->queue_depth < 1 ||
        p->queue_depth > WORLD_QUEUE_MAX)
        return error_set(err, E_ARG, "simulated machine %u: queue and ring hold 1 to %d jobs", p->index,
                         WORLD_RING_MAX);
    if (p->speed < 1 || p->speed > WORLD_SPEED_MAX)
        return error_set(err, E_ARG, "simulated machine %u: speed %u, allowed are 1 to %d", p->index,
                         p->speed, WORLD_SPEED_MAX);
    if (p->fill > WORLD_FILL_MAX)
        return error_set(err, E_ARG, "simulated machine %u: %u pieces in a canister, allowed are 0 to %d",
                         p->index, p->fill, WORLD_FILL_MAX);
    return 0;
}

/* The memory may be a mapping that outlives this process: stores before the fence stand before those after
 * it. */
static void fence(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* A memory from the factory gets the machine's name and canisters; a used one must be this machine's. */
static int take_memory(struct world *world, struct error *err)
{
    struct world_memory *memory = world->memory;
    const struct world_params *p = &world->params;
    if (memory->magic == 0) {
        memset(memory, 0, sizeof *memory);
        memory->version = MEMORY_VERSION;
        memory->ring_size = p->ring_size;
        memory->bays = p->bays;
        memcpy(memory->serial, p->serial, sizeof memory->serial);
        memory->film_um = (int64_t)p->reel_mm * 1000;
        memory->ribbon_um = (int64_t)p->reel_mm * 1000;
        for (unsigned b = 0; b < p->bays; b++)
            memory->bay[b] =
                (struct memory_bay){.canister = p->index * 1000 + b + 1, .pieces = p->fill, .level = p->fill};
        memory->heads[0] = (struct nv_head){.generation = 2};
        nv_head_close(&memory->heads[0]);
        memory->heads[1] = (struct nv_head){.generation = 1};
        nv_head_close(&memory->heads[1]);
        fence();
        memory->magic = MEMORY_MAGIC; /* last: a half-made memory is made again */
        return 0;
    }
    if (memory->magic != MEMORY_MAGIC || memory->version != MEMORY_VERSION)
        return error_set(err, E_VERSION,
                         "simulated machine %u: its memory is of another version; remove its file", p->index);
    if (memory->ring_size != p->ring_size || memory->bays != p->bays ||
        memcmp(memory->serial, p->serial, sizeof memory->serial) != 0)
        return error_set(err, E_MISMATCH,
                         "simulated machine %u: its memory belongs to machine %.8s with %u bays and ring %u",
                         p->index, memory->serial, memory->bays, memory->ring_size);
    return 0;
}

struct world *world_create(const struct world_params *params, struct error *err)
{
    if (check_params(params, err) < 0)
        return NULL;
    struct world *world = calloc(1, sizeof *world);
    if (!world)
        goto no_memory;
    world->params = *params;
    world->params.caps |= MACHINE_CAP_SIMULATED;
    world->memory = params->memory;
    if (!world->memory)
        world->memory = world->own_memory = calloc(1, sizeof *world->own_memory);
    if (!world->memory)
        goto no_memory;
    if (take_memory(world, err) < 0)
        goto fail;
    rng_init(&world->rng, params->seed, params->index);
    world->door_closed = true;
    world->estop_healthy = true;
    world->seal_set_dc = params->seal_set_dc;
    world->seal_mc = params->cold_start ? ROOM_MC : (int64_t)params->seal_set_dc * 100;
    world->first_alarm = MACHINE_ALARM_NONE;
    world->disagree_due_us = WORLD_NEVER;
    world->base_out_us = params->now_us;
    world->state = MACHINE_STATE_STOPPED;
    if (!params->start_off)
        world_power_on(world);
    return world;
no_memory:
    error_set(err, E_MEMORY, "no memory for a simulated machine");
fail:
    world_destroy(world);
    return NULL;
}

void world_destroy(struct world *world)
{
    if (!world)
        return;
    free(world->own_memory);
    free(world->truth);
    free(world->given);
    free(world);
}

/* ---- time ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A due time that has passed waits for a condition, not for time. */
static int64_t ahead(const struct world *world, int64_t due_us)
{
    return due_us > world->now_us ? due_us : WORLD_NEVER;
}

static int64_t next_due(const struct world *world)
{
    if (!world->powered)
        return WORLD_NEVER;
    if (world->booting)
        return world->boot_due_us;
    int64_t due = least(pouch_next_due_us(world), ahead(world, world->disagree_due_us));
    due = least(due, ahead(world, world->state_due_us));
    due = least(due, ahead(world, world->starve_due_us));
    if (world->state == MACHINE_STATE_EXECUTE) {
        due = least(due, ahead(world, world->next_start_us));
        due = least(due, ahead(world, world->heard_due_us));
    }
    /* Starting waits for the sealer, whose temperature moves in ticks. */
    if (world->state == MACHINE_STATE_STARTING && world->state_due_us <= world->now_us)
        due = least(due, ahead(world, world->seal_tick_us + SEAL_TICK_US));
    return due;
}

static void assert_invariants(const struct world *world)
{
    if (!world->powered || world->nv_bad)
        return;
    const struct nv_head *head = &world->head;
    assert(head->retired <= head->done && head->done <= head->started && head->started <= world->accepted);
    assert(world->accepted - head->retired <= world->params.ring_size); /* I1 */
    unsigned busy = 0;
    for (int i = 0; i < STATIONS; i++) {
        const struct pouch *pouch = &world->stations[i];
        if (pouch->phase == POUCH_NONE)
            continue;
        busy++;
        assert(head->fills[pouch->job.seq % MEMORY_PIPELINE].seq == pouch->job.seq); /* I3 */
    }
    assert(busy == 0 || busy == head->started - head->done); /* I2 */
}

void world_settle(struct world *world)
{
    /* Each turn moves a state or a pouch on, and neither can go round in a circle without time. */
    for (int turns = 0; world->powered && !world->booting; turns++) {
        assert(turns < 1000);
        bool moved = state_settle(world);
        moved = (world->powered && pouch_cancel_head(world)) || moved;
        moved = (world->powered && pouch_settle(world)) || moved;
        if (!moved)
            break;
    }
    assert_invariants(world);
}

/* The director's turn, when it is due before anything else. It may change the speed: what is left of the time
 * outside then passes at the new one. */
static bool direct(struct world *world, int64_t due_us, int64_t *target_us)
{
    int64_t wants_us = world->director.due_us(world->director.data);
    if (wants_us > due_us || wants_us > *target_us)
        return false;
    if (wants_us > world->now_us)
        world->now_us = wants_us;
    int64_t speed = world->params.speed;
    world->director.act(world->director.data, world->now_us);
    if (world->params.speed != speed)
        *target_us = world->now_us + (*target_us - world->now_us) / speed * world->params.speed;
    return true;
}

void world_direct(struct world *world, const struct world_director *director)
{
    world->director = director ? *director : (struct world_director){0};
}

void world_advance(struct world *world, int64_t now_us)
{
    int64_t target_us = world->base_us + (now_us - world->base_out_us) * (int64_t)world->params.speed;
    for (;;) {
        int64_t due_us = next_due(world);
        if (world->director.act && direct(world, due_us, &target_us))
            continue;
        if (due_us > target_us)
            break;
        world->now_us = due_us > world->now_us ? due_us : world->now_us;
        if (world_step(world))
            continue;
        if (world->booting)
            power_finish_boot(world);
        else
            pouch_fire(world);
        if (world_answers(world) && world->now_us >= world->disagree_due_us)
            state_guard(world);
        world_settle(world);
    }
    if (target_us > world->now_us)
        world->now_us = target_us;
}

int64_t world_next_due_us(const struct world *world)
{
    int64_t due_us = next_due(world);
    if (world->director.due_us)
        due_us = least(due_us, world->director.due_us(world->director.data));
    if (due_us == WORLD_NEVER)
        return INT64_MAX;
    int64_t speed = world->params.speed;
    return world->base_out_us + (due_us - world->base_us + speed - 1) / speed;
}

void world_set_speed(struct world *world, uint32_t speed)
{
    assert(speed >= 1 && speed <= WORLD_SPEED_MAX);
    world->base_out_us += (world->now_us - world->base_us) / world->params.speed;
    world->base_us = world->now_us;
    world->params.speed = speed;
}

uint32_t world_speed(const struct world *world)
{
    return world->params.speed;
}

int64_t world_now_us(const struct world *world)
{
    return world->now_us;
}

uint32_t world_draw(struct world *world)
{
    world->draws++;
    return rng_u32(&world->rng);
}

uint32_t world_draw_below(struct world *world, uint32_t bound)
{
    world->draws++;
    return rng_below(&world->rng, bound);
}

uint64_t world_draws(const struct world *world)
{
    return world->draws;
}

/* ---- micro-steps and board memory ---- */

bool world_step(struct world *world)
{
    if (!world->powered)
        return true;
    world->steps++;
    if (world->cut_at == WORLD_NEVER_STEP || world->steps < world->cut_at)
        return false;
    world_power_off(world);
    return true;
}

uint64_t world_steps(const struct world *world)
{
    return world->steps;
}

void world_cut_power(struct world *world, uint64_t steps)
{
    world->cut_at = steps ? world->steps + steps : WORLD_NEVER_STEP;
}

/* A power cut before, in the middle of, or after the copy leaves it old, torn, or whole. */
static bool copy_in_halves(struct world *world, void *to, const void *from, size_t size)
{
    if (world_step(world))
        return false;
    fence();
    memcpy(to, from, size / 2);
    if (world_step(world))
        return false;
    fence();
    memcpy((char *)to + size / 2, (const char *)from + size / 2, size - size / 2);
    fence();
    return !world_step(world);
}

bool world_store_head(struct world *world)
{
    world->head.generation++;
    nv_head_close(&world->head);
    struct nv_head *copy = &world->memory->heads[world->head.generation % MEMORY_COPIES];
    return copy_in_halves(world, copy, &world->head, sizeof *copy);
}

bool world_store_result(struct world *world, const struct machine_result *result)
{
    struct nv_slot slot;
    memset(&slot, 0, sizeof slot); /* the holes, too: the CRC runs over them */
    slot.result = *result;
    nv_slot_close(&slot);
    if (!copy_in_halves(world, &world->memory->ring[result->seq % world->params.ring_size], &slot,
                        sizeof slot))
        return false;
    struct nv_fill *fill = &world->head.fills[result->seq % MEMORY_PIPELINE];
    if (fill->seq == result->seq)
        *fill = (struct nv_fill){0};
    world->head.done = result->seq;
    if (world->head.started < result->seq)
        world->head.started = result->seq;
    return world_store_head(world);
}

void world_spoil_memory(struct world *world, unsigned copy)
{
    world->memory->heads[copy % MEMORY_COPIES].boot ^= 0x5A5A;
}

/* ---- alarms ---- */

bool world_alarmed(const struct world *world, enum machine_alarm alarm)
{
    return (world->alarms[alarm / 16] >> (alarm % 16) & 1) != 0;
}

void world_raise(struct world *world, enum machine_alarm alarm)
{
    if (alarm == MACHINE_ALARM_NONE || world_alarmed(world, alarm))
        return;
    world->alarms[alarm / 16] = (uint16_t)(world->alarms[alarm / 16] | 1u << (alarm % 16));
    if (world->first_alarm == MACHINE_ALARM_NONE)
        world->first_alarm = (uint16_t)alarm;
    world_event(world, 0, "alarm", machine_alarm_name(alarm), 1, "number", (int64_t)alarm);
}

void world_clear(struct world *world, enum machine_alarm alarm)
{
    if (!world_alarmed(world, alarm))
        return;
    world->alarms[alarm / 16] = (uint16_t)(world->alarms[alarm / 16] & ~(1u << (alarm % 16)));
    world_event(world, 0, "alarm_over", machine_alarm_name(alarm), 1, "number", (int64_t)alarm);
    if (world->first_alarm != alarm)
        return;
    world->first_alarm = MACHINE_ALARM_NONE; /* the lowest that is still up takes its place */
    for (unsigned n = 0; n < MACHINE_ALARM_WORDS * 16; n++) {
        if (world_alarmed(world, n)) {
            world->first_alarm = (uint16_t)n;
            return;
        }
    }
}

/* ---- sealer: first order, in whole seconds and milli-degrees, so that it is the same everywhere ---- */

/* Where the heater drives the bar to now. */
static int64_t seal_target_mc(const struct world *world)
{
    /* With its thermocouple broken the machine sees the maximum and heats no more. */
    if (!world->powered || world->troubles[WORLD_TROUBLE_HEATER_OPEN] ||
        world->troubles[WORLD_TROUBLE_THERMOCOUPLE])
        return ROOM_MC;
    return (int64_t)world->seal_set_dc * 100 + world->seal_drift_mc;
}

int64_t world_seal_tick(struct world *world)
{
    int64_t ticks = (world->now_us - world->seal_tick_us) / SEAL_TICK_US;
    if (ticks == 0)
        return world->seal_mc;
    int64_t tau_s = world->params.warm_ms / 1000 ? world->params.warm_ms / 1000 : 1;
    int64_t drift_dc = world->troubles[WORLD_TROUBLE_SEAL_DRIFT];
    world->seal_tick_us += ticks * SEAL_TICK_US;
    if (ticks > SEAL_TICKS_MAX) {
        world->seal_drift_mc += drift_dc * 100 * ticks / 60;
        world->seal_mc = seal_target_mc(world);
        return world->seal_mc;
    }
    int64_t target_mc = seal_target_mc(world);
    for (; ticks > 0 && (world->seal_mc != target_mc || drift_dc); ticks--) {
        world->seal_drift_mc += drift_dc * 100 / 60;
        target_mc = seal_target_mc(world);
        int64_t change = (target_mc - world->seal_mc) / tau_s;
        if (change == 0 && world->seal_mc != target_mc) /* the last stretch, shorter than a step */
            change = target_mc > world->seal_mc ? 1 : -1;
        world->seal_mc += change;
    }
    return world->seal_mc;
}

int16_t world_seal_dc(struct world *world)
{
    int64_t mc = world_seal_tick(world);
    return (int16_t)(world->troubles[WORLD_TROUBLE_THERMOCOUPLE] ? SEAL_MAXIMUM_DC : mc / 100);
}

static bool is_in_band(const struct world *world, int64_t mc)
{
    int64_t off_mc = mc - (int64_t)world->seal_set_dc * 100;
    int64_t band_mc = (int64_t)world->params.seal_band_dc * 100;
    return off_mc >= -band_mc && off_mc <= band_mc;
}

bool world_seal_warm(struct world *world)
{
    return is_in_band(world, world_seal_tick(world));
}

bool world_seal_in_band(struct world *world)
{
    return !world->troubles[WORLD_TROUBLE_THERMOCOUPLE] && world_seal_warm(world);
}
