/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does not work, once or until somebody mends it: faults that are planted for one pouch, troubles that
 * last, and the two channels of each safety switch.
 *
 * A safety switch has two channels, 1 = healthy. The machine is safe only if both are; when they disagree for
 * longer than params.discrepancy_us it says so and stops, and Clear is refused until service was there.
 */
#include <assert.h>
#include <string.h>

#include "hw/sim/world_private.h"

_Static_assert(WORLD_FAULTS <= 32, "planted_pouch has a bit a fault");
_Static_assert(WORLD_TROUBLE_OF_MACHINE <= 8, "bay_troubles has a bit a trouble of a bay");

bool trouble_of_bay(const struct world *world, enum world_trouble trouble, unsigned bay)
{
    return (world->bay_troubles[bay] >> trouble & 1) != 0;
}

bool trouble_take(struct world *world, enum world_fault fault)
{
    uint32_t bit = 1u << fault;
    bool planted = (world->planted_pouch & bit) != 0;
    world->planted_pouch &= ~bit;
    return planted;
}

/* ---- channels ---- */

enum { STUCK_HEALTHY = 1, BROKEN_WIRE = 2 };

static bool second_channel(const struct world *world, enum world_trouble trouble, bool first)
{
    switch (world->troubles[trouble]) {
    case STUCK_HEALTHY:
        return true;
    case BROKEN_WIRE:
        return false;
    default:
        return first;
    }
}

bool trouble_door_safe(const struct world *world)
{
    return world->door_closed && second_channel(world, WORLD_TROUBLE_DOOR_CHANNEL, world->door_closed);
}

bool trouble_estop_safe(const struct world *world)
{
    return world->estop_healthy && second_channel(world, WORLD_TROUBLE_ESTOP_CHANNEL, world->estop_healthy);
}

bool world_switch(const struct world *world, enum world_switch line)
{
    switch (line) {
    case WORLD_SWITCH_ESTOP_A:
        return world->estop_healthy;
    case WORLD_SWITCH_ESTOP_B:
        return second_channel(world, WORLD_TROUBLE_ESTOP_CHANNEL, world->estop_healthy);
    case WORLD_SWITCH_GUARD_A:
        return world->door_closed;
    case WORLD_SWITCH_GUARD_B:
        return second_channel(world, WORLD_TROUBLE_DOOR_CHANNEL, world->door_closed);
    case WORLD_SWITCH_START:
        return world->troubles[WORLD_TROUBLE_START_BUTTON] != 0;
    case WORLD_SWITCH_STOP:
        return world->troubles[WORLD_TROUBLE_STOP_BUTTON] != 0;
    case WORLD_SWITCH_RESET:
        return world->troubles[WORLD_TROUBLE_RESET_BUTTON] != 0;
    case WORLD_SWITCH_POUCH_OUT:
        return world->now_us < world->out_until_us;
    case WORLD_SWITCHES:
        break;
    }
    return false;
}

const char *world_switch_word(enum world_switch line)
{
    static const char *const words[] = {
#define WORLD_SWITCH_WORD(name, word) word,
        SWITCH_TABLE(WORLD_SWITCH_WORD)
#undef WORLD_SWITCH_WORD
    };
    return line < WORLD_SWITCHES ? words[line] : "?";
}

void trouble_watch_channels(struct world *world)
{
    bool door = world_switch(world, WORLD_SWITCH_GUARD_A) == world_switch(world, WORLD_SWITCH_GUARD_B);
    bool estop = world_switch(world, WORLD_SWITCH_ESTOP_A) == world_switch(world, WORLD_SWITCH_ESTOP_B);
    if (door && estop) {
        world->disagree_due_us = WORLD_NEVER;
        return;
    }
    if (world->disagree_due_us == WORLD_NEVER)
        world->disagree_due_us = world->now_us + world->params.discrepancy_us;
    if (world->now_us < world->disagree_due_us || world_alarmed(world, MACHINE_ALARM_GUARD_DISCREPANCY))
        return;
    world_raise(world, MACHINE_ALARM_GUARD_DISCREPANCY);
    if (world->state != MACHINE_STATE_ABORTED && world->state != MACHINE_STATE_ABORTING)
        state_enter(world, MACHINE_STATE_ABORTING);
}

/* ---- hands ---- */

void world_trouble(struct world *world, enum world_trouble trouble, unsigned bay, int32_t value)
{
    assert(trouble < WORLD_TROUBLES);
    (void)world_seal_tick(world); /* it was as it was until now */
    bool of_bay = world_trouble_is_of_bay(trouble);
    if (of_bay) {
        assert(bay < world->params.bays);
        uint8_t bit = (uint8_t)(1u << trouble);
        world->bay_troubles[bay] =
            (uint8_t)(value ? world->bay_troubles[bay] | bit : world->bay_troubles[bay] & ~bit);
    } else {
        world->troubles[trouble] = value;
    }
    if (trouble == WORLD_TROUBLE_SEAL_DRIFT && value == 0)
        world->seal_drift_mc = 0;
    world_event(world, 0, value ? "trouble" : "trouble_over", world_trouble_word(trouble), 2, "bay",
                of_bay ? (int64_t)bay : (int64_t)-1, "value", (int64_t)value);
    if ((trouble == WORLD_TROUBLE_DOOR_CHANNEL || trouble == WORLD_TROUBLE_ESTOP_CHANNEL) &&
        world_answers(world)) {
        state_guard(world);
        world_settle(world);
    }
}

int32_t world_troubled(const struct world *world, enum world_trouble trouble, unsigned bay)
{
    assert(trouble < WORLD_TROUBLES);
    if (!world_trouble_is_of_bay(trouble))
        return world->troubles[trouble];
    assert(bay < world->params.bays);
    return trouble_of_bay(world, trouble, bay);
}

void world_mend_all(struct world *world)
{
    for (unsigned trouble = 0; trouble < WORLD_TROUBLES; trouble++) {
        unsigned bays = world_trouble_is_of_bay(trouble) ? world->params.bays : 1;
        for (unsigned bay = 0; bay < bays; bay++) {
            if (world_troubled(world, trouble, bay))
                world_trouble(world, trouble, bay, 0);
        }
    }
    world->planted_pouch = 0;
    memset(world->planted, 0, sizeof world->planted);
    if (world_answers(world)) {
        state_guard(world);
        world_settle(world);
    }
}

void world_empty(struct world *world, unsigned bay)
{
    assert(bay < world->params.bays);
    world->memory->bay[bay].pieces = 0;
    world_event(world, 0, "emptied", NULL, 1, "bay", (int64_t)bay);
}

/* ---- mending ---- */

void trouble_clean(struct world *world)
{
    static const enum world_trouble cleaned[] = {WORLD_TROUBLE_SENSOR_DUST, WORLD_TROUBLE_LID_OPEN,
                                                 WORLD_TROUBLE_FILM_SENSOR, WORLD_TROUBLE_PRINT_HEAD};
    for (size_t i = 0; i < sizeof cleaned / sizeof cleaned[0]; i++) {
        unsigned bays = world_trouble_is_of_bay(cleaned[i]) ? world->params.bays : 1;
        for (unsigned bay = 0; bay < bays; bay++) {
            if (world_troubled(world, cleaned[i], bay))
                world_trouble(world, cleaned[i], bay, 0);
        }
    }
    /* A canister that was changed under accepted jobs: the right one comes back, with what is in it. */
    for (uint32_t s = world->head.started + 1; s <= world->accepted; s++) {
        const struct queued *queued = &world->queue[s % WORLD_QUEUE_MAX];
        for (unsigned i = 0; i < queued->job.entry_count && !queued->cancelled; i++) {
            struct memory_bay *bay = &world->memory->bay[queued->job.entries[i].bay];
            if (bay->canister != queued->canisters[i])
                world_seat(world, queued->job.entries[i].bay, queued->canisters[i], bay->pieces);
        }
    }
}

bool trouble_is_mended(const struct world *world)
{
    if (world->troubles[WORLD_TROUBLE_FILM_SENSOR] || world->troubles[WORLD_TROUBLE_PRINT_HEAD] ||
        (world->troubles[WORLD_TROUBLE_CAMERA_DEAD] && (world->params.caps & MACHINE_CAP_VISION)) ||
        (world->troubles[WORLD_TROUBLE_WEIGHER_DEAD] && (world->params.caps & MACHINE_CAP_WEIGHER)))
        return false;
    for (unsigned b = 0; b < world->params.bays; b++) {
        if (trouble_of_bay(world, WORLD_TROUBLE_SENSOR_DUST, b) ||
            trouble_of_bay(world, WORLD_TROUBLE_LID_OPEN, b))
            return false;
    }
    for (uint32_t s = world->head.started + 1; s <= world->accepted; s++) {
        const struct queued *queued = &world->queue[s % WORLD_QUEUE_MAX];
        for (unsigned i = 0; i < queued->job.entry_count && !queued->cancelled; i++) {
            if (world->memory->bay[queued->job.entries[i].bay].canister != queued->canisters[i])
                return false;
        }
    }
    return true;
}
