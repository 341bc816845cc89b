/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/modbus/map.h"

#include <string.h>

#include "config/base/error.h"
#include "hw/modbus/map_private.h"

uint16_t map_length(const struct profile *profile, enum profile_block_id block)
{
    return profile->blocks[block].length;
}

uint32_t map_result_address(const struct profile *profile, uint32_t seq, uint16_t ring_size)
{
    const struct profile_block *block = &profile->blocks[PROFILE_RESULT];
    return block->address + (uint32_t)block->stride * (seq % ring_size);
}

uint32_t map_bay_address(const struct profile *profile, uint16_t bay)
{
    const struct profile_block *block = &profile->blocks[PROFILE_BAY];
    return block->address + (uint32_t)block->stride * bay;
}

int map_check_profile(const struct profile *profile, struct error *err)
{
    for (int b = 0; b < PROFILE_BLOCKS; b++) {
        const struct profile_block *block = &profile->blocks[b];
        bool written = b == PROFILE_CONTROL || b == PROFILE_MAILBOX;
        bool words = block->table == PROFILE_HOLDING || (block->table == PROFILE_INPUT && !written);
        if (!words || block->length == 0 || block->length > MAP_BLOCK_MAX)
            return error_set(err, E_VERSION,
                             "profile %s: block %s must be holding registers%s, at most %d of them",
                             profile->name, profile_block_name((enum profile_block_id)b),
                             written ? "" : " or input registers", MAP_BLOCK_MAX);
    }
    const struct profile_block *result = &profile->blocks[PROFILE_RESULT];
    const struct profile_block *bay = &profile->blocks[PROFILE_BAY];
    if ((result->stride < result->length && profile->ring_size != 1) || bay->stride < bay->length ||
        profile->ring_size == 0)
        return error_set(err, E_VERSION, "profile %s: result ring and bay table need records side by side",
                         profile->name);
    const struct profile_point *command = &profile->points[PROFILE_CONTROL_COMMAND];
    if (command->coils &&
        (command->length <= MACHINE_COMMAND_CANCEL_FROM || command->length > PROFILE_COILS_MAX))
        return error_set(err, E_VERSION, "profile %s: control.command needs %d to %d coils, one a command",
                         profile->name, MACHINE_COMMAND_CANCEL_FROM + 1, PROFILE_COILS_MAX);
    const struct profile_point *points = profile->points;
    for (int p = 0; p < PROFILE_POINTS; p++) {
        const struct profile_block *block = &profile->blocks[profile_point_block((enum profile_point_id)p)];
        bool needed = profile_point_needed((enum profile_point_id)p);
        if ((needed && !points[p].present) || (points[p].coils && p != PROFILE_CONTROL_COMMAND) ||
            (points[p].present && !points[p].coils &&
             (points[p].at + points[p].length > block->length || points[p].length == 0 ||
              points[p].scale_milli < 1)))
            return error_set(err, E_VERSION, "profile %s: point %s is missing or lies outside its block",
                             profile->name, profile_point_name((enum profile_point_id)p));
    }
    if (points[PROFILE_STATUS_ALARMS].length < MACHINE_ALARM_WORDS)
        return error_set(err, E_VERSION, "profile %s: status.alarms needs %d registers", profile->name,
                         MACHINE_ALARM_WORDS);
    if (profile->entries_max < 1 || profile->entries_max > MACHINE_ENTRIES_MAX ||
        points[PROFILE_MAILBOX_ENTRIES].length < 2 * profile->entries_max ||
        points[PROFILE_RESULT_ENTRIES].length < 2 * profile->entries_max)
        return error_set(err, E_VERSION, "profile %s: %u entries need %u registers in mailbox and result",
                         profile->name, profile->entries_max, 2u * profile->entries_max);
    return 0;
}

/* ---- controller's side ---- */

int map_decode_identity(const struct profile *profile, const uint16_t *registers,
                        struct machine_identity *ret_identity, struct error *err)
{
    struct reader r = {.profile = profile, .registers = registers, .refuse_with = E_DEVICE, .err = err};
    int64_t magic = read_raw(&r, PROFILE_IDENTITY_MAGIC, 0);
    int64_t version = read_raw(&r, PROFILE_IDENTITY_MAP_VERSION, 0);
    if (magic != profile->magic)
        return error_set(err, E_MISMATCH, "identity.magic is %u, profile %s has %u: another kind of device",
                         (unsigned)magic, profile->name, profile->magic);
    if (version != profile->map_version)
        return error_set(err, E_MISMATCH, "the machine has map version %u, profile %s has %u",
                         (unsigned)version, profile->name, profile->map_version);
    read_crc(&r, PROFILE_IDENTITY_CRC);
    struct machine_identity identity = {
        .map_version = (uint16_t)version,
        .firmware = (uint16_t)read_value(&r, PROFILE_IDENTITY_FIRMWARE, 0),
        .bays = (uint16_t)read_value(&r, PROFILE_IDENTITY_BAYS, 0),
        .queue_depth = (uint16_t)read_value(&r, PROFILE_IDENTITY_QUEUE_DEPTH, 0),
        .ring_size = (uint16_t)read_value(&r, PROFILE_IDENTITY_RING_SIZE, 0),
        .caps = (uint16_t)read_value(&r, PROFILE_IDENTITY_CAPABILITIES, 0),
    };
    read_ascii(&r, PROFILE_IDENTITY_SERIAL, identity.serial, sizeof identity.serial);
    if (r.code != 0)
        return r.code;
    if (identity.queue_depth != profile->queue_depth || identity.ring_size != profile->ring_size ||
        identity.bays > profile->bays)
        return error_set(
            err, E_MISMATCH,
            "machine %s has %u bays, queue %u, ring %u; profile %s has %u, %u, %u: change the profile",
            identity.serial, identity.bays, identity.queue_depth, identity.ring_size, profile->name,
            profile->bays, profile->queue_depth, profile->ring_size);
    *ret_identity = identity;
    return 0;
}

int map_decode_status(const struct profile *profile, const uint16_t *registers,
                      struct machine_status *ret_status, struct error *err)
{
    struct reader r = {.profile = profile, .registers = registers, .refuse_with = E_DEVICE, .err = err};
    read_crc(&r, PROFILE_STATUS_CRC);
    struct machine_status status = {
        .nonce = (uint16_t)read_value(&r, PROFILE_STATUS_NONCE, 0),
        .boot = (uint32_t)read_value(&r, PROFILE_STATUS_BOOT, 0),
        .mode = (enum machine_mode)read_value(&r, PROFILE_STATUS_MODE, 0),
        .state = (enum machine_state)read_value(&r, PROFILE_STATUS_STATE, 0),
        .accepted = (uint32_t)read_value(&r, PROFILE_STATUS_ACCEPTED, 0),
        .started = (uint32_t)read_value(&r, PROFILE_STATUS_STARTED, 0),
        .done = (uint32_t)read_value(&r, PROFILE_STATUS_DONE, 0),
        .retired = (uint32_t)read_value(&r, PROFILE_STATUS_RETIRED, 0),
        .heartbeat = (uint16_t)read_value(&r, PROFILE_STATUS_HEARTBEAT, 0),
        .session = (uint32_t)read_value(&r, PROFILE_STATUS_SESSION, 0),
        .first_alarm = (uint16_t)read_value(&r, PROFILE_STATUS_FIRST_ALARM, 0),
        .film_mm = (uint32_t)read_value(&r, PROFILE_STATUS_FILM_MM, 0),
        .ribbon_mm = (uint32_t)read_value(&r, PROFILE_STATUS_RIBBON_MM, 0),
        .seal_actual_dc = (int16_t)read_value(&r, PROFILE_STATUS_SEAL_ACTUAL, 0),
        .seal_set_dc = (int16_t)read_value(&r, PROFILE_STATUS_SEAL_SET, 0),
        .door_closed = read_value(&r, PROFILE_STATUS_DOOR_CLOSED, 0) != 0,
        .estop_healthy = read_value(&r, PROFILE_STATUS_ESTOP_HEALTHY, 0) != 0,
        .phase = (uint16_t)read_value(&r, PROFILE_STATUS_PHASE, 0),
        .command_seq = (uint16_t)read_value(&r, PROFILE_STATUS_COMMAND_SEQ, 0),
        .command_result = (uint16_t)read_value(&r, PROFILE_STATUS_COMMAND_RESULT, 0),
    };
    for (unsigned i = 0; i < MACHINE_ALARM_WORDS; i++)
        status.alarms[i] = (uint16_t)read_value(&r, PROFILE_STATUS_ALARMS, i);
    if (r.code != 0)
        return r.code;
    if (status.retired > status.done || status.done > status.started || status.started > status.accepted)
        return error_set(err, E_DEVICE, "status: W %u, D %u, S %u, A %u are out of order: call service",
                         status.retired, status.done, status.started, status.accepted);
    *ret_status = status;
    return 0;
}

int map_decode_result(const struct profile *profile, const uint16_t *registers,
                      struct machine_result *ret_result, struct error *err)
{
    struct reader r = {.profile = profile, .registers = registers, .refuse_with = E_DEVICE, .err = err};
    read_crc(&r, PROFILE_RESULT_CRC);
    struct machine_result result = {.seq = (uint32_t)read_value(&r, PROFILE_RESULT_SEQ, 0)};
    if (r.code == 0 && result.seq == 0) {
        *ret_result = result;
        return 0;
    }
    result.hash = (uint32_t)read_value(&r, PROFILE_RESULT_HASH, 0);
    result.outcome = (enum machine_outcome)read_value(&r, PROFILE_RESULT_OUTCOME, 0);
    result.reason = (enum machine_reason)read_value(&r, PROFILE_RESULT_REASON, 0);
    result.entry_count = (uint16_t)read_value(&r, PROFILE_RESULT_ENTRY_COUNT, 0);
    result.checks = (uint16_t)read_value(&r, PROFILE_RESULT_CHECKS, 0);
    result.seal_min_dc = (int16_t)read_value(&r, PROFILE_RESULT_SEAL_MIN, 0);
    result.seal_max_dc = (int16_t)read_value(&r, PROFILE_RESULT_SEAL_MAX, 0);
    result.drop_ms = (uint32_t)read_value(&r, PROFILE_RESULT_DROP_MS, 0);
    result.seal_ms = (uint32_t)read_value(&r, PROFILE_RESULT_SEAL_MS, 0);
    result.boot = (uint32_t)read_value(&r, PROFILE_RESULT_BOOT, 0);
    if (r.code == 0 && result.entry_count > profile->entries_max)
        return error_set(err, E_DEVICE, "result %u: %u entries, the profile has at most %u", result.seq,
                         result.entry_count, profile->entries_max);
    for (unsigned i = 0; r.code == 0 && i < result.entry_count; i++) {
        result.entries[i].requested = (uint16_t)read_value(&r, PROFILE_RESULT_ENTRIES, 2 * i);
        result.entries[i].counted = (uint16_t)read_value(&r, PROFILE_RESULT_ENTRIES, 2 * i + 1);
    }
    if (r.code == 0 && !machine_reason_known(result.reason))
        return error_set(err, E_DEVICE, "result %u: there is no reason %u", result.seq,
                         (unsigned)result.reason);
    if (r.code == 0)
        *ret_result = result;
    return r.code;
}

int map_decode_bay(const struct profile *profile, const uint16_t *registers, struct machine_bay *ret_bay,
                   struct error *err)
{
    struct reader r = {.profile = profile, .registers = registers, .refuse_with = E_DEVICE, .err = err};
    read_crc(&r, PROFILE_BAY_CRC);
    struct machine_bay bay = {
        .canister = (uint32_t)read_value(&r, PROFILE_BAY_CANISTER, 0),
        .level = (uint16_t)read_value(&r, PROFILE_BAY_LEVEL, 0),
        .empty = read_value(&r, PROFILE_BAY_EMPTY, 0) != 0,
        .last_fault = (uint16_t)read_value(&r, PROFILE_BAY_LAST_FAULT, 0),
    };
    if (r.code == 0)
        *ret_bay = bay;
    return r.code;
}

int map_encode_control(const struct profile *profile, const struct machine_control *control,
                       uint16_t *ret_registers, struct error *err)
{
    uint16_t registers[MAP_BLOCK_MAX] = {0};
    struct writer w = {.profile = profile, .registers = registers, .err = err};
    write_value(&w, PROFILE_CONTROL_NONCE, 0, control->nonce);
    write_value(&w, PROFILE_CONTROL_SESSION, 0, control->session);
    write_value(&w, PROFILE_CONTROL_HEARTBEAT, 0, control->heartbeat);
    write_value(&w, PROFILE_CONTROL_COMMAND, 0, control->command);
    write_value(&w, PROFILE_CONTROL_COMMAND_SEQ, 0, control->command_seq);
    write_value(&w, PROFILE_CONTROL_ARGUMENT, 0, control->argument);
    write_value(&w, PROFILE_CONTROL_RETIRE, 0, control->retire);
    write_value(&w, PROFILE_CONTROL_SEAL_SET, 0, control->seal_set_dc);
    write_crc(&w, PROFILE_CONTROL_CRC);
    if (w.code == 0)
        memcpy(ret_registers, registers, map_length(profile, PROFILE_CONTROL) * sizeof *registers);
    return w.code;
}

uint16_t map_encode_command(const struct profile *profile, enum machine_command command,
                            uint8_t ret_coils[PROFILE_COILS_MAX])
{
    const struct profile_point *point = &profile->points[PROFILE_CONTROL_COMMAND];
    memset(ret_coils, 0, PROFILE_COILS_MAX);
    if (!point->coils)
        return 0;
    if (command != MACHINE_COMMAND_NONE)
        ret_coils[command] = 1; /* the profile has a coil for every command */
    return point->length;
}

int map_encode_mailbox(const struct profile *profile, const struct machine_job *job, uint32_t session,
                       uint16_t *ret_registers, struct error *err)
{
    if (job->entry_count > profile->entries_max)
        return error_set(err, E_LIMIT, "job %u: %u entries, this machine takes %u", job->seq,
                         job->entry_count, profile->entries_max);
    uint16_t registers[MAP_BLOCK_MAX] = {0};
    struct writer w = {.profile = profile, .registers = registers, .err = err};
    write_value(&w, PROFILE_MAILBOX_SEQ, 0, job->seq);
    write_value(&w, PROFILE_MAILBOX_HASH, 0, job->hash);
    write_value(&w, PROFILE_MAILBOX_SESSION, 0, session);
    write_value(&w, PROFILE_MAILBOX_FLAGS, 0, job->flags);
    write_value(&w, PROFILE_MAILBOX_ENTRY_COUNT, 0, job->entry_count);
    for (unsigned i = 0; i < job->entry_count; i++) {
        write_value(&w, PROFILE_MAILBOX_ENTRIES, 2 * i, job->entries[i].bay);
        write_value(&w, PROFILE_MAILBOX_ENTRIES, 2 * i + 1, job->entries[i].count);
    }
    write_ascii(&w, PROFILE_MAILBOX_TOKEN, job->token);
    write_crc(&w, PROFILE_MAILBOX_CRC);
    write_value(&w, PROFILE_MAILBOX_COMMIT, 0, job->seq & 0xFFFF);
    if (w.code == 0)
        memcpy(ret_registers, registers, map_length(profile, PROFILE_MAILBOX) * sizeof *registers);
    return w.code;
}

/* ---- machine's side ---- */

void map_encode_identity(const struct profile *profile, const struct machine_identity *identity,
                         uint16_t *ret_registers)
{
    struct writer w = {.profile = profile, .registers = ret_registers, .clamps = true};
    memset(ret_registers, 0, map_length(profile, PROFILE_IDENTITY) * sizeof *ret_registers);
    write_value(&w, PROFILE_IDENTITY_MAGIC, 0, profile->magic);
    write_value(&w, PROFILE_IDENTITY_MAP_VERSION, 0, identity->map_version);
    write_ascii(&w, PROFILE_IDENTITY_SERIAL, identity->serial);
    write_value(&w, PROFILE_IDENTITY_FIRMWARE, 0, identity->firmware);
    write_value(&w, PROFILE_IDENTITY_BAYS, 0, identity->bays);
    write_value(&w, PROFILE_IDENTITY_QUEUE_DEPTH, 0, identity->queue_depth);
    write_value(&w, PROFILE_IDENTITY_RING_SIZE, 0, identity->ring_size);
    write_value(&w, PROFILE_IDENTITY_CAPABILITIES, 0, identity->caps);
    write_crc(&w, PROFILE_IDENTITY_CRC);
}

void map_encode_status(const struct profile *profile, const struct machine_status *status,
                       uint16_t *ret_registers)
{
    struct writer w = {.profile = profile, .registers = ret_registers, .clamps = true};
    memset(ret_registers, 0, map_length(profile, PROFILE_STATUS) * sizeof *ret_registers);
    write_value(&w, PROFILE_STATUS_NONCE, 0, status->nonce);
    write_value(&w, PROFILE_STATUS_BOOT, 0, status->boot);
    write_value(&w, PROFILE_STATUS_MODE, 0, status->mode);
    write_value(&w, PROFILE_STATUS_STATE, 0, status->state);
    write_value(&w, PROFILE_STATUS_ACCEPTED, 0, status->accepted);
    write_value(&w, PROFILE_STATUS_STARTED, 0, status->started);
    write_value(&w, PROFILE_STATUS_DONE, 0, status->done);
    write_value(&w, PROFILE_STATUS_RETIRED, 0, status->retired);
    write_value(&w, PROFILE_STATUS_HEARTBEAT, 0, status->heartbeat);
    write_value(&w, PROFILE_STATUS_SESSION, 0, status->session);
    for (unsigned i = 0; i < MACHINE_ALARM_WORDS; i++)
        write_value(&w, PROFILE_STATUS_ALARMS, i, status->alarms[i]);
    write_value(&w, PROFILE_STATUS_FIRST_ALARM, 0, status->first_alarm);
    write_value(&w, PROFILE_STATUS_FILM_MM, 0, status->film_mm);
    write_value(&w, PROFILE_STATUS_RIBBON_MM, 0, status->ribbon_mm);
    write_value(&w, PROFILE_STATUS_SEAL_ACTUAL, 0, status->seal_actual_dc);
    write_value(&w, PROFILE_STATUS_SEAL_SET, 0, status->seal_set_dc);
    write_value(&w, PROFILE_STATUS_DOOR_CLOSED, 0, status->door_closed);
    write_value(&w, PROFILE_STATUS_ESTOP_HEALTHY, 0, status->estop_healthy);
    write_value(&w, PROFILE_STATUS_PHASE, 0, status->phase);
    write_value(&w, PROFILE_STATUS_COMMAND_SEQ, 0, status->command_seq);
    write_value(&w, PROFILE_STATUS_COMMAND_RESULT, 0, status->command_result);
    write_crc(&w, PROFILE_STATUS_CRC);
}

void map_encode_result(const struct profile *profile, const struct machine_result *result,
                       uint16_t *ret_registers)
{
    struct writer w = {.profile = profile, .registers = ret_registers, .clamps = true};
    memset(ret_registers, 0, map_length(profile, PROFILE_RESULT) * sizeof *ret_registers);
    write_value(&w, PROFILE_RESULT_SEQ, 0, result->seq);
    write_value(&w, PROFILE_RESULT_HASH, 0, result->hash);
    write_value(&w, PROFILE_RESULT_OUTCOME, 0, result->outcome);
    write_value(&w, PROFILE_RESULT_REASON, 0, result->reason);
    write_value(&w, PROFILE_RESULT_ENTRY_COUNT, 0, result->entry_count);
    for (unsigned i = 0; i < result->entry_count && i < profile->entries_max; i++) {
        write_value(&w, PROFILE_RESULT_ENTRIES, 2 * i, result->entries[i].requested);
        write_value(&w, PROFILE_RESULT_ENTRIES, 2 * i + 1, result->entries[i].counted);
    }
    write_value(&w, PROFILE_RESULT_CHECKS, 0, result->checks);
    write_value(&w, PROFILE_RESULT_SEAL_MIN, 0, result->seal_min_dc);
    write_value(&w, PROFILE_RESULT_SEAL_MAX, 0, result->seal_max_dc);
    write_value(&w, PROFILE_RESULT_DROP_MS, 0, result->drop_ms);
    write_value(&w, PROFILE_RESULT_SEAL_MS, 0, result->seal_ms);
    write_value(&w, PROFILE_RESULT_BOOT, 0, result->boot);
    write_crc(&w, PROFILE_RESULT_CRC);
}

void map_encode_bay(const struct profile *profile, const struct machine_bay *bay, uint16_t *ret_registers)
{
    struct writer w = {.profile = profile, .registers = ret_registers, .clamps = true};
    memset(ret_registers, 0, map_length(profile, PROFILE_BAY) * sizeof *ret_registers);
    write_value(&w, PROFILE_BAY_CANISTER, 0, bay->canister);
    write_value(&w, PROFILE_BAY_LEVEL, 0, bay->level);
    write_value(&w, PROFILE_BAY_EMPTY, 0, bay->empty);
    write_value(&w, PROFILE_BAY_LAST_FAULT, 0, bay->last_fault);
    write_crc(&w, PROFILE_BAY_CRC);
}

int map_decode_control(const struct profile *profile, const uint16_t *registers,
                       struct machine_control *ret_control, struct error *err)
{
    struct reader r = {.profile = profile, .registers = registers, .refuse_with = E_INPUT, .err = err};
    read_crc(&r, PROFILE_CONTROL_CRC);
    struct machine_control control = {
        .nonce = (uint16_t)read_value(&r, PROFILE_CONTROL_NONCE, 0),
        .session = (uint32_t)read_value(&r, PROFILE_CONTROL_SESSION, 0),
        .heartbeat = (uint16_t)read_value(&r, PROFILE_CONTROL_HEARTBEAT, 0),
        .command = (enum machine_command)read_value(&r, PROFILE_CONTROL_COMMAND, 0),
        .command_seq = (uint16_t)read_value(&r, PROFILE_CONTROL_COMMAND_SEQ, 0),
        .argument = (uint32_t)read_value(&r, PROFILE_CONTROL_ARGUMENT, 0),
        .retire = (uint32_t)read_value(&r, PROFILE_CONTROL_RETIRE, 0),
        .seal_set_dc = (int16_t)read_value(&r, PROFILE_CONTROL_SEAL_SET, 0),
    };
    if (r.code == 0)
        *ret_control = control;
    return r.code;
}

int map_decode_command(const struct profile *profile, const uint8_t coils[PROFILE_COILS_MAX],
                       enum machine_command *ret_command, struct error *err)
{
    unsigned command = MACHINE_COMMAND_NONE, on = 0;
    for (unsigned i = 0; i < profile->points[PROFILE_CONTROL_COMMAND].length; i++) {
        if (coils[i]) {
            command = i;
            on++;
        }
    }
    if (on > 1 || !machine_command_known(command))
        return error_set(err, E_INPUT, "%u command coils are on, the last is %u: allowed is one of a command",
                         on, command);
    *ret_command = (enum machine_command)command;
    return 0;
}

int map_decode_mailbox(const struct profile *profile, const uint16_t *registers, struct machine_job *ret_job,
                       uint32_t *ret_session, struct error *err)
{
    struct reader r = {.profile = profile, .registers = registers, .refuse_with = E_INPUT, .err = err};
    read_crc(&r, PROFILE_MAILBOX_CRC);
    if (r.code == 0 &&
        read_raw(&r, PROFILE_MAILBOX_COMMIT, 0) != (read_raw(&r, PROFILE_MAILBOX_SEQ, 0) & 0xFFFF))
        return error_set(err, E_FRAME, "mailbox.commit is not the low word of mailbox.seq");
    struct machine_job job = {
        .seq = (uint32_t)read_value(&r, PROFILE_MAILBOX_SEQ, 0),
        .hash = (uint32_t)read_value(&r, PROFILE_MAILBOX_HASH, 0),
        .flags = (uint16_t)read_value(&r, PROFILE_MAILBOX_FLAGS, 0),
        .entry_count = (uint16_t)read_value(&r, PROFILE_MAILBOX_ENTRY_COUNT, 0),
    };
    uint32_t session = (uint32_t)read_value(&r, PROFILE_MAILBOX_SESSION, 0);
    if (r.code == 0 && job.entry_count > profile->entries_max)
        return error_set(err, E_INPUT, "mailbox.entry_count is %u, allowed are 1 to %u", job.entry_count,
                         profile->entries_max);
    for (unsigned i = 0; r.code == 0 && i < job.entry_count; i++) {
        job.entries[i].bay = (uint16_t)read_value(&r, PROFILE_MAILBOX_ENTRIES, 2 * i);
        job.entries[i].count = (uint16_t)read_value(&r, PROFILE_MAILBOX_ENTRIES, 2 * i + 1);
    }
    read_ascii(&r, PROFILE_MAILBOX_TOKEN, job.token, sizeof job.token);
    if (r.code != 0)
        return r.code;
    *ret_job = job;
    *ret_session = session;
    return 0;
}
