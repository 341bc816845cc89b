/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power and hands: what people and the mains do to a machine, and how it comes up again (rule M6).
 *
 * The boot counter moves before anything else. The queue is gone, A falls back to S; each pouch in (D, S] is
 * in doubt, and the machine comes up Aborted with its number, else Stopped, never running.
 */
#include <assert.h>
#include <string.h>

#include "hw/sim/world_private.h"

static void forget_volatile(struct world *world)
{
    world->head = (struct nv_head){0};
    world->nv_bad = false;
    world->state = MACHINE_STATE_STOPPED;
    world->state_due_us = WORLD_NEVER;
    world->suspend = 0;
    world->accepted = 0;
    memset(world->queue, 0, sizeof world->queue);
    world->session = 0;
    world->nonce = 0;
    world->heard = 0;
    world->heard_due_us = WORLD_NEVER;
    world->command_seq = 0;
    world->command_result = MACHINE_COMMAND_UNSEEN;
    memset(world->alarms, 0, sizeof world->alarms);
    world->first_alarm = MACHINE_ALARM_NONE;
    memset(world->stations, 0, sizeof world->stations);
    world->next_start_us = 0;
    world->starve_due_us = WORLD_NEVER;
    world->late_seen = false;
    memset(world->misses, 0, sizeof world->misses);
    memset(world->last_token, 0, sizeof world->last_token);
}

/* What the memory holds decides over pouches that the power left in the middle of a record. */
static void tell_truth_from_memory(struct world *world)
{
    for (size_t i = 0; i < world->truth_count; i++) {
        struct world_truth *truth = &world->truth[i];
        if (truth->fate != WORLD_FATE_DOUBT)
            continue;
        if (truth->seq > world->head.started) {
            truth->fate = WORLD_FATE_CANCELLED; /* its intent never became durable: nothing was begun */
        } else if (truth->seq <= world->head.done) {
            const struct machine_result *result =
                &world->memory->ring[truth->seq % world->params.ring_size].result;
            truth->fate = result->seq == truth->seq && result->outcome == MACHINE_GOOD ? WORLD_FATE_GOOD
                                                                                       : WORLD_FATE_VOID;
        }
    }
}

/* The head and every unretired result must be right, else the machine refuses automatic mode. */
static bool load_memory(struct world *world)
{
    const struct nv_head *head = memory_newest(world->memory);
    if (!head)
        return false;
    world->head = *head;
    for (uint32_t s = head->retired + 1; s <= head->done; s++) {
        const struct nv_slot *slot = &world->memory->ring[s % world->params.ring_size];
        if (!nv_slot_right(slot) || slot->result.seq != s)
            return false;
    }
    return head->retired <= head->done && head->done <= head->started &&
           head->started - head->done <= MEMORY_PIPELINE;
}

void world_power_on(struct world *world)
{
    if (world->powered)
        return;
    (void)world_seal_tick(world); /* it cooled until now */
    forget_volatile(world);
    world->powered = true;
    world->boots++;
    world->booting = true;
    world->boot_begun_us = world->now_us;
    world->boot_due_us = world->now_us + world->params.boot_us;
    world->nv_bad = !load_memory(world);
    if (!world->nv_bad) {
        tell_truth_from_memory(world);
        world->head.boot++;
        if (!world_store_head(world))
            return;
        world->accepted = world->head.started;
    }
    world_event(world, 0, "power_on", NULL, 3, "boot", (int64_t)world->head.boot, "S",
                (int64_t)world->head.started, "D", (int64_t)world->head.done);
}

void power_finish_boot(struct world *world)
{
    world->booting = false;
    if (world->nv_bad) {
        world_raise(world, MACHINE_ALARM_NV_FAULT);
        state_enter(world, MACHINE_STATE_ABORTED);
        return;
    }
    const struct nv_head *head = &world->head;
    for (uint32_t s = head->done + 1; s <= head->started; s++) {
        struct nv_fill *fill = &world->head.fills[s % MEMORY_PIPELINE];
        if (fill->seq == s && fill->reason == MACHINE_REASON_NONE)
            fill->reason = MACHINE_REASON_POWER_LOSS;
        world_event(world, s, "doubt", NULL, 0);
    }
    if (head->started > head->done)
        world_raise(world, MACHINE_ALARM_DOUBTFUL_POUCH);
    state_enter(world, head->started > head->done ? MACHINE_STATE_ABORTED : MACHINE_STATE_STOPPED);
    state_guard(world);
}

void world_power_off(struct world *world)
{
    if (!world->powered)
        return;
    (void)world_seal_tick(world);
    world_event(world, 0, "power_off", NULL, 1, "step", (int64_t)world->steps);
    pouch_stop(world, false);
    world->powered = false;
    world->booting = false;
    world->cut_at = WORLD_NEVER_STEP;
}

uint16_t world_pieces(const struct world *world, unsigned bay)
{
    assert(bay < world->params.bays);
    return world->memory->bay[bay].pieces;
}

unsigned world_pending(const struct world *world)
{
    return world->late_count + world->chute_count;
}

const struct world_params *world_params(const struct world *world)
{
    return &world->params;
}

bool world_has_power(const struct world *world)
{
    return world->powered;
}

bool world_answers(const struct world *world)
{
    return world->powered && !world->booting;
}

uint32_t world_boots(const struct world *world)
{
    return world->boots;
}

void world_set_door(struct world *world, bool closed)
{
    if (world->door_closed != closed)
        world_event(world, 0, closed ? "door_closed" : "door_open", NULL, 0);
    world->door_closed = closed;
    if (world_answers(world)) {
        state_guard(world);
        world_settle(world);
    }
}

void world_set_estop(struct world *world, bool healthy)
{
    if (world->estop_healthy != healthy)
        world_event(world, 0, healthy ? "estop_released" : "estop_pressed", NULL, 0);
    world->estop_healthy = healthy;
    if (world_answers(world)) {
        state_guard(world);
        world_settle(world);
    }
}

void world_seat(struct world *world, unsigned bay, uint32_t canister, uint16_t pieces)
{
    assert(bay < world->params.bays);
    if (canister == 0)
        pieces = 0;
    world->memory->bay[bay] = (struct memory_bay){.canister = canister, .pieces = pieces, .level = pieces};
    world->misses[bay] = 0;
    world_event(world, 0, "seat", NULL, 3, "bay", (int64_t)bay, "canister", (int64_t)canister, "pieces",
                (int64_t)pieces);
}

void world_plant(struct world *world, unsigned bay, enum world_fault fault)
{
    assert(fault < WORLD_FAULTS);
    if (fault >= WORLD_FAULT_OF_POUCH) {
        world->planted_pouch |= 1u << fault;
        return;
    }
    assert(bay < world->params.bays);
    world->planted[bay] = (uint8_t)fault;
}

void world_set_film(struct world *world, uint32_t film_mm, uint32_t ribbon_mm)
{
    world->memory->film_um = (int64_t)film_mm * 1000;
    world->memory->ribbon_um = (int64_t)ribbon_mm * 1000;
}
