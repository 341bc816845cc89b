/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine says and takes on the wire: identity, mirror, control, mailbox, ring, bay rows. The order
 * of the tests in world_put is rule M1's and M2's.
 */
#include <assert.h>
#include <string.h>

#include "hw/sim/world_private.h"

enum { BEAT_US = 100000 };

void world_identity(const struct world *world, struct machine_identity *ret_identity)
{
    const struct world_params *p = &world->params;
    *ret_identity = (struct machine_identity){
        .map_version = p->map_version,
        .firmware = p->firmware,
        .bays = p->bays,
        .queue_depth = p->queue_depth,
        .ring_size = p->ring_size,
        .caps = p->caps,
    };
    memcpy(ret_identity->serial, p->serial, sizeof ret_identity->serial);
}

void world_status(struct world *world, struct machine_status *ret_status)
{
    const struct nv_head *head = &world->head;
    int64_t up_us = (world->now_us - world->boot_begun_us) / world->params.speed;
    *ret_status = (struct machine_status){
        .nonce = world->nonce,
        .boot = head->boot,
        .mode = MACHINE_MODE_PRODUCTION,
        .state = world->state,
        .accepted = world->accepted,
        .started = head->started,
        .done = head->done,
        .retired = head->retired,
        .heartbeat = (uint16_t)(up_us / BEAT_US),
        .session = world->session,
        .first_alarm = world->first_alarm,
        .film_mm = (uint32_t)(world->memory->film_um / 1000),
        .ribbon_mm = (uint32_t)(world->memory->ribbon_um / 1000),
        .seal_actual_dc = world_seal_dc(world),
        .seal_set_dc = world->seal_set_dc,
        .door_closed = trouble_door_safe(world),
        .estop_healthy = trouble_estop_safe(world),
        .phase = (uint16_t)world->stations[STATION_FILL].phase,
        .command_seq = world->command_seq,
        .command_result = (uint16_t)world->command_result,
    };
    memcpy(ret_status->alarms, world->alarms, sizeof ret_status->alarms);
}

static enum world_reply take_session(struct world *world, uint32_t session)
{
    if (!world_answers(world))
        return WORLD_SILENT;
    if (session == 0)
        return WORLD_BAD_VALUE;
    if (session < world->session) {
        world_event(world, 0, "fenced", NULL, 2, "session", (int64_t)session, "owner",
                    (int64_t)world->session);
        return WORLD_FENCED;
    }
    if (session > world->session)
        world_event(world, 0, "owner", NULL, 1, "session", (int64_t)session);
    world->session = session;
    return WORLD_TAKEN;
}

static void hear(struct world *world, uint16_t heartbeat)
{
    if (world->heard_due_us != WORLD_NEVER && heartbeat == world->heard)
        return;
    world->heard = heartbeat;
    world->heard_due_us = world->now_us + (int64_t)world->params.silence_us * world->params.speed;
    world_clear(world, MACHINE_ALARM_CONTROLLER_SILENT);
}

enum world_reply world_control(struct world *world, const struct machine_control *control)
{
    if (!machine_command_known(control->command))
        return WORLD_BAD_VALUE;
    if (control->seal_set_dc != 0 &&
        (control->seal_set_dc < MACHINE_SEAL_MIN_DC || control->seal_set_dc > MACHINE_SEAL_MAX_DC))
        return WORLD_BAD_VALUE;
    enum world_reply reply = take_session(world, control->session);
    if (reply != WORLD_TAKEN)
        return reply;
    if (control->retire > world->head.done)
        return WORLD_BAD_VALUE;
    world->nonce = control->nonce;
    hear(world, control->heartbeat);
    if (control->seal_set_dc != 0)
        world->seal_set_dc = control->seal_set_dc;
    if (control->retire > world->head.retired && !world->nv_bad) {
        world->head.retired = control->retire;
        world_event(world, control->retire, "retired", NULL, 0);
        if (!world_store_head(world))
            return WORLD_SILENT;
    }
    if (control->command != MACHINE_COMMAND_NONE && control->command_seq != world->command_seq) {
        world->command_seq = control->command_seq;
        bool taken = state_command(world, control->command, control->argument);
        world->command_result = taken ? MACHINE_COMMAND_TAKEN : MACHINE_COMMAND_REFUSED;
        world_event(world, 0, taken ? "command" : "command_refused", machine_command_name(control->command),
                    1, "argument", (int64_t)control->argument);
    }
    world_settle(world);
    return world->powered ? WORLD_TAKEN : WORLD_SILENT;
}

/* Bays that exist, once each, and counts that a pouch can hold. */
static bool job_is_right(const struct world *world, const struct machine_job *job)
{
    if (job->entry_count < 1 || job->entry_count > MACHINE_ENTRIES_MAX)
        return false;
    for (unsigned i = 0; i < job->entry_count; i++) {
        const struct machine_entry *entry = &job->entries[i];
        if (entry->bay >= world->params.bays || entry->count < 1 || entry->count > MACHINE_COUNT_MAX)
            return false;
        for (unsigned k = 0; k < i; k++) {
            if (job->entries[k].bay == entry->bay)
                return false;
        }
    }
    return memchr(job->token, '\0', sizeof job->token) != NULL;
}

enum world_reply world_put(struct world *world, const struct machine_job *job, uint32_t session)
{
    if (!world_answers(world))
        return WORLD_SILENT;
    if (session != world->session || session == 0) {
        world_event(world, job->seq, "fenced", NULL, 2, "session", (int64_t)session, "owner",
                    (int64_t)world->session);
        return WORLD_FENCED;
    }
    const char *ignored = NULL;
    if (world->nv_bad)
        ignored = "memory bad";
    else if (job->seq <= world->accepted)
        ignored = "accepted before";
    else if (job->seq != world->accepted + 1)
        ignored = "not the next number";
    else if (world->accepted - world->head.retired >= world->params.ring_size)
        ignored = "ring full";
    else if (world->accepted - world->head.started >= world->params.queue_depth)
        ignored = "queue full";
    if (ignored) {
        world_event(world, job->seq, "put_ignored", ignored, 0);
        return WORLD_TAKEN;
    }
    if (!job_is_right(world, job)) {
        world_event(world, job->seq, "put_refused", NULL, 0);
        return WORLD_BAD_VALUE;
    }
    world->accepted++;
    struct queued *queued = &world->queue[world->accepted % WORLD_QUEUE_MAX];
    *queued = (struct queued){.job = *job};
    for (unsigned i = 0; i < job->entry_count; i++)
        queued->canisters[i] = world->memory->bay[job->entries[i].bay].canister;
    world_event(world, job->seq, "accepted", NULL, 2, "hash", (int64_t)job->hash, "entries",
                (int64_t)job->entry_count);
    world_settle(world);
    return world->powered ? WORLD_TAKEN : WORLD_SILENT;
}

void world_put_torn(struct world *world)
{
    world_event(world, 0, "put_torn", NULL, 0);
}

void world_result(const struct world *world, unsigned slot, struct machine_result *ret_result)
{
    assert(slot < world->params.ring_size);
    const struct nv_slot *kept = &world->memory->ring[slot];
    if (nv_slot_right(kept))
        *ret_result = kept->result;
    else
        *ret_result = (struct machine_result){0};
}

void world_bay(const struct world *world, unsigned bay, struct machine_bay *ret_bay)
{
    assert(bay < world->params.bays);
    const struct memory_bay *kept = &world->memory->bay[bay];
    *ret_bay = (struct machine_bay){.canister = kept->canister,
                                    .level = kept->level,
                                    .empty = kept->empty != 0,
                                    .last_fault = kept->last_fault};
}
