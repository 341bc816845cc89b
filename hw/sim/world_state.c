/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PackML states of a simulated machine.
 *
 *   Stopped -Reset-> Resetting -> Idle -Start-> Starting -> EXECUTE
 *   EXECUTE -> Holding -> Held -Unhold-> Unholding -> EXECUTE            cause inside: film, jam, empty bay
 *   EXECUTE -> Suspending -> Suspended -> Unsuspending -> EXECUTE        cause outside: no jobs, silence,
 * ring any -Stop-> Stopping -> Stopped      any -Abort, E-stop, door-> Aborting -> Aborted -Clear-> Clearing
 * -> Stopped
 *
 * Stopping, Holding and Suspending let the pouches in the stations be finished first; Aborting stops under
 * them and leaves them in doubt. Nothing leads from Aborted to motion but Clear, Reset and Start, each a
 * command of its own. A suspension ends by itself when its last cause is gone; an ordered one only by
 * Unsuspend.
 */
#include "hw/sim/world_private.h"

#include <stddef.h>

#define S(state)   MACHINE_STATE_##state
#define C(command) MACHINE_COMMAND_##command

/* States that are over by themselves. */
static const struct acting_row {
    enum machine_state from;
    enum machine_state to;
    uint32_t least_us; /* 0: taken from the params */
    bool finishes_pouches;
} acting_rows[] = {
    {.from = S(CLEARING), .to = S(STOPPED), .least_us = 1000000},
    {.from = S(STARTING), .to = S(EXECUTE)},
    {.from = S(RESETTING), .to = S(IDLE)},
    {.from = S(STOPPING), .to = S(STOPPED), .least_us = 300000, .finishes_pouches = true},
    {.from = S(ABORTING), .to = S(ABORTED), .least_us = 200000},
    {.from = S(HOLDING), .to = S(HELD), .least_us = 300000, .finishes_pouches = true},
    {.from = S(UNHOLDING), .to = S(EXECUTE), .least_us = 1000000},
    {.from = S(SUSPENDING), .to = S(SUSPENDED), .least_us = 200000, .finishes_pouches = true},
    {.from = S(UNSUSPENDING), .to = S(EXECUTE), .least_us = 300000},
    {.from = S(COMPLETING), .to = S(COMPLETE), .least_us = 300000, .finishes_pouches = true},
};

/* Causes inside the machine: they hold it until a person has mended them. */
static const enum machine_alarm hold_alarms[] = {
    MACHINE_ALARM_CANISTER_EMPTY, MACHINE_ALARM_JAM,           MACHINE_ALARM_SENSOR_FAULT,
    MACHINE_ALARM_FILM_OUT,       MACHINE_ALARM_RIBBON_OUT,    MACHINE_ALARM_PRINTER,
    MACHINE_ALARM_SEAL_COLD,      MACHINE_ALARM_SEAL_HOT,      MACHINE_ALARM_FILM_SLIP,
    MACHINE_ALARM_CANISTER_WRONG, MACHINE_ALARM_CANISTER_LID,  MACHINE_ALARM_THERMOCOUPLE,
    MACHINE_ALARM_VISION_FAULT,   MACHINE_ALARM_WEIGHER_FAULT,
};
enum { HOLD_ALARMS = sizeof hold_alarms / sizeof hold_alarms[0] };

static const struct acting_row *find_acting(enum machine_state state)
{
    for (size_t i = 0; i < sizeof acting_rows / sizeof acting_rows[0]; i++) {
        if (acting_rows[i].from == state)
            return &acting_rows[i];
    }
    return NULL;
}

void state_enter(struct world *world, enum machine_state state)
{
    world->state = state;
    world->state_due_us = WORLD_NEVER;
    const struct acting_row *row = find_acting(state);
    if (row) {
        uint32_t least_us = row->least_us;
        if (state == S(STARTING))
            least_us = world->params.starting_us;
        if (state == S(RESETTING))
            least_us = world->params.resetting_us;
        world->state_due_us = world->now_us + least_us;
    }
    world_event(world, 0, "state", machine_state_name(state), 1, "number", (int64_t)state);
    switch (state) {
    case S(ABORTING):
        pouch_stop(world, true);
        break;
    case S(RESETTING):
        pouch_purge(world);
        world->suspend = 0;
        break;
    case S(EXECUTE):
        world->starve_due_us = WORLD_NEVER;
        break;
    case S(CLEARING):
    case S(STOPPED):
    case S(STARTING):
    case S(IDLE):
    case S(SUSPENDED):
    case S(STOPPING):
    case S(ABORTED):
    case S(HOLDING):
    case S(HELD):
    case S(UNHOLDING):
    case S(SUSPENDING):
    case S(UNSUSPENDING):
    case S(COMPLETING):
    case S(COMPLETE):
        break;
    }
}

bool state_runs(const struct world *world)
{
    if (world->state != S(EXECUTE) || world->suspend & ~(unsigned)SUSPEND_STARVED)
        return false;
    for (int i = 0; i < HOLD_ALARMS; i++) {
        if (world_alarmed(world, hold_alarms[i]))
            return false;
    }
    return true;
}

/* States in which something moves or may begin to move by itself: an open door ends them. */
static bool is_dangerous(enum machine_state state)
{
    switch (state) {
    case S(STARTING):
    case S(SUSPENDED):
    case S(EXECUTE):
    case S(STOPPING):
    case S(HOLDING):
    case S(UNHOLDING):
    case S(SUSPENDING):
    case S(UNSUSPENDING):
    case S(RESETTING):
    case S(COMPLETING):
        return true;
    case S(CLEARING):
    case S(STOPPED):
    case S(IDLE):
    case S(ABORTING):
    case S(ABORTED):
    case S(HELD): /* the operator is at work inside */
    case S(COMPLETE):
        return false;
    }
    return true;
}

void state_guard(struct world *world)
{
    trouble_watch_channels(world);
    bool aborted = world->state == S(ABORTED) || world->state == S(ABORTING);
    if (!trouble_estop_safe(world)) {
        world_raise(world, MACHINE_ALARM_ESTOP);
        if (!aborted) {
            state_enter(world, S(ABORTING));
            return;
        }
    }
    if (!trouble_door_safe(world)) {
        world_raise(world, MACHINE_ALARM_GUARD_OPEN);
        if (is_dangerous(world->state))
            state_enter(world, S(ABORTING));
    } else if (!aborted) {
        world_clear(world, MACHINE_ALARM_GUARD_OPEN);
    }
}

/* ---- guards of commands ---- */

/* A patient operator refills and threads; a bay with pieces in it is no longer taken for empty. */
static void mend(struct world *world)
{
    struct world_memory *memory = world->memory;
    int64_t pouch_um = (int64_t)world->params.pouch_mm * 1000;
    bool mends = world->params.operator_mends;
    for (unsigned b = 0; b < world->params.bays; b++) {
        struct memory_bay *bay = &memory->bay[b];
        if (bay->empty && bay->pieces == 0 && mends)
            world_seat(world, b, bay->canister, world->params.fill);
        if (bay->pieces > 0)
            bay->empty = false;
    }
    if (mends)
        trouble_clean(world);
    if (mends && memory->film_um < pouch_um)
        memory->film_um = (int64_t)world->params.reel_mm * 1000;
    if (mends && memory->ribbon_um < pouch_um)
        memory->ribbon_um = (int64_t)world->params.reel_mm * 1000;
}

/* No cause is left that would hold the machine again at once. */
static bool is_mended(struct world *world)
{
    int64_t pouch_um = (int64_t)world->params.pouch_mm * 1000;
    for (uint32_t s = world->head.started + 1; s <= world->accepted; s++) {
        const struct queued *queued = &world->queue[s % WORLD_QUEUE_MAX];
        for (unsigned i = 0; i < queued->job.entry_count && !queued->cancelled; i++) {
            if (world->memory->bay[queued->job.entries[i].bay].empty)
                return false; /* an empty bay that nobody asks for any more stops nothing */
        }
    }
    return world->memory->film_um >= pouch_um && world->memory->ribbon_um >= pouch_um &&
           world_seal_in_band(world) && trouble_is_mended(world);
}

static bool may_move(const struct world *world)
{
    return trouble_door_safe(world) && trouble_estop_safe(world) && !world->nv_bad;
}

static bool is_allowed(struct world *world, enum machine_command command)
{
    switch (command) {
    case C(RESET):
    case C(START):
        return may_move(world);
    case C(UNHOLD):
        return may_move(world) && is_mended(world);
    case C(CLEAR):
        return may_move(world) && world->head.started == world->head.done &&
               !(world_alarmed(world, MACHINE_ALARM_GUARD_DISCREPANCY) &&
                 (world->troubles[WORLD_TROUBLE_DOOR_CHANNEL] ||
                  world->troubles[WORLD_TROUBLE_ESTOP_CHANNEL]));
    case C(NONE):
    case C(STOP):
    case C(HOLD):
    case C(SUSPEND):
    case C(UNSUSPEND):
    case C(ABORT):
    case C(CONFIRM_REMOVED):
    case C(CANCEL_FROM):
        return true;
    }
    return false;
}

static void clear_causes(struct world *world, enum machine_command command)
{
    if (command == C(RESET) || command == C(UNHOLD)) {
        for (int i = 0; i < HOLD_ALARMS; i++)
            world_clear(world, hold_alarms[i]);
    }
    if (command == C(CLEAR)) {
        world_clear(world, MACHINE_ALARM_ESTOP);
        world_clear(world, MACHINE_ALARM_GUARD_OPEN);
        world_clear(world, MACHINE_ALARM_GUARD_DISCREPANCY);
    }
    if (command == C(SUSPEND))
        world->suspend |= SUSPEND_COMMAND;
    if (command == C(UNSUSPEND))
        world->suspend &= ~(unsigned)SUSPEND_COMMAND;
}

/* Rule C8: what is queued from seq on is not filled any more; results follow when their turn comes. */
static bool cancel_from(struct world *world, uint32_t seq)
{
    if (seq == 0)
        return false;
    uint32_t first = seq > world->head.started ? seq : world->head.started + 1;
    for (uint32_t s = first; s <= world->accepted; s++)
        world->queue[s % WORLD_QUEUE_MAX].cancelled = true;
    world_event(world, seq, "cancel_from", NULL, 1, "last", (int64_t)world->accepted);
    return true;
}

bool state_command(struct world *world, enum machine_command command, uint32_t argument)
{
    if (world->nv_bad)
        return false;
    if (command == C(CANCEL_FROM))
        return cancel_from(world, argument);
    if (command == C(CONFIRM_REMOVED))
        return world->state == S(ABORTED) && pouch_confirm_removed(world);
    const struct packml_row *row = packml_take(world->state, command);
    if (!row)
        return false;
    if (command == C(RESET) || command == C(UNHOLD))
        mend(world);
    if (!is_allowed(world, command))
        return false;
    clear_causes(world, command);
    if (row->to != row->from)
        state_enter(world, row->to);
    return true;
}

/* ---- what happens by itself ---- */

/* Brings the causes of suspension up to date. */
static void watch_causes(struct world *world)
{
    const struct nv_head *head = &world->head;
    unsigned suspend = world->suspend & SUSPEND_COMMAND;
    if (world->now_us >= world->heard_due_us)
        suspend |= SUSPEND_SILENT;
    if (head->done - head->retired >= world->params.ring_size)
        suspend |= SUSPEND_RING;
    bool idle = world->accepted == head->started && pouch_stations_empty(world);
    if (world->state == S(EXECUTE) && idle && world->starve_due_us == WORLD_NEVER)
        world->starve_due_us = world->now_us + world->params.starve_us;
    if (!idle)
        world->starve_due_us = WORLD_NEVER;
    if (idle && world->now_us >= world->starve_due_us)
        suspend |= SUSPEND_STARVED;
    world->suspend = suspend;
}

static bool is_held_back(const struct world *world)
{
    for (int i = 0; i < HOLD_ALARMS; i++) {
        if (world_alarmed(world, hold_alarms[i]))
            return true;
    }
    return false;
}

bool state_settle(struct world *world)
{
    watch_causes(world);
    if (world->state == S(EXECUTE) || world->state == S(SUSPENDED)) {
        if (is_held_back(world)) {
            state_enter(world, S(HOLDING));
            return true;
        }
    }
    if (world->state == S(EXECUTE) && world->suspend) {
        if (world->suspend & SUSPEND_SILENT)
            world_raise(world, MACHINE_ALARM_CONTROLLER_SILENT);
        state_enter(world, S(SUSPENDING));
        return true;
    }
    if (world->state == S(SUSPENDED) && !world->suspend) {
        state_enter(world, S(UNSUSPENDING));
        return true;
    }
    const struct acting_row *row = find_acting(world->state);
    if (!row || world->now_us < world->state_due_us || world->troubles[WORLD_TROUBLE_STATE_STUCK])
        return false;
    if (row->finishes_pouches && !pouch_stations_empty(world))
        return false;
    if (world->state == S(STARTING) && !world_seal_in_band(world))
        return false;
    state_enter(world, row->to);
    if (row->to == S(STOPPED) || row->to == S(IDLE) || row->to == S(HELD))
        state_guard(world);
    return true;
}
