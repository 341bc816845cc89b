/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/modbus/line_private.h"

#include "config/base/error.h"
#include "config/base/log.h"
#include "hw/modbus/map.h"

/* Answers in the port's words. A write that met a broken line may have been done. */
static void tell(struct line *line, struct machine_answer *answer, enum wire_outcome outcome)
{
    static const struct {
        enum machine_did did;
        int code;
    } rows[] = {
        [WIRE_DONE] = {MACHINE_DONE, 0},
        [WIRE_REFUSED] = {MACHINE_NOT_DONE, E_DEVICE},
        [WIRE_BUSY] = {MACHINE_NOT_DONE, E_DEVICE},
        [WIRE_UNSURE] = {MACHINE_UNKNOWN, E_DEVICE},
        [WIRE_LOST] = {MACHINE_UNKNOWN, E_LINK},
        [WIRE_TIMEOUT] = {MACHINE_UNKNOWN, E_TIMEOUT},
        [WIRE_DAMAGED] = {MACHINE_UNKNOWN, E_FRAME},
    };
    answer->did = rows[outcome].did;
    answer->code = rows[outcome].code;
    line->counters.timeouts += outcome == WIRE_TIMEOUT;
    line->counters.frame_errors += outcome == WIRE_DAMAGED;
    line->counters.exceptions += outcome == WIRE_REFUSED || outcome == WIRE_BUSY || outcome == WIRE_UNSURE;
}

/* The registers came, but do not say what they should: a wrong CRC closes the connection like any damaged
 * frame. */
static void tell_code(struct line *line, struct machine_answer *answer, int code)
{
    answer->did = code == 0 || code == E_NOT_FOUND ? MACHINE_DONE : MACHINE_NOT_DONE;
    answer->code = code;
    if (code == E_FRAME) {
        line->counters.frame_errors++;
        wire_close(&line->wire);
    }
}

static enum wire_outcome read_block(struct line *line, enum profile_block_id block, uint32_t address,
                                    uint16_t count, uint16_t *registers, uint32_t wait_ms, struct error *err)
{
    line->counters.requests++;
    return wire_read(&line->wire, line->profile.blocks[block].table, address, count, registers, wait_ms, err);
}

/*
 * Writes a block so that its register `last` is written last: in one piece where the device takes that many
 * and it is the last register anyway, else in pieces and then that one alone.
 */
static enum wire_outcome write_block(struct line *line, enum profile_block_id id, enum profile_point_id last,
                                     const uint16_t *registers, uint32_t wait_ms, struct error *err)
{
    const struct profile_block *block = &line->profile.blocks[id];
    uint16_t last_at = line->profile.points[last].at;
    if (block->length <= line->profile.write_max && last_at == block->length - 1) {
        line->counters.requests++;
        return wire_write(&line->wire, block->address, block->length, registers, wait_ms, err);
    }
    for (uint16_t at = 0; at < block->length;) {
        uint16_t end = at < last_at ? last_at : block->length;
        uint16_t count = (uint16_t)(end - at);
        if (at == last_at) {
            at++;
            continue;
        }
        if (count > line->profile.write_max)
            count = line->profile.write_max;
        line->counters.requests++;
        enum wire_outcome outcome =
            wire_write(&line->wire, (uint32_t)block->address + at, count, registers + at, wait_ms, err);
        if (outcome != WIRE_DONE)
            return outcome;
        at = (uint16_t)(at + count);
    }
    line->counters.requests++;
    return wire_write(&line->wire, (uint32_t)block->address + last_at, 1, registers + last_at, wait_ms, err);
}

static void identify(struct line *line, uint32_t wait_ms, struct machine_answer *answer, struct error *err)
{
    bool first = line->counters.requests == 0;
    line->session = 0;
    if (wire_open(&line->wire, err) < 0) {
        answer->did = MACHINE_NOT_DONE;
        answer->code = E_LINK;
        return;
    }
    line->counters.reconnects += !first;
    const struct profile_block *block = &line->profile.blocks[PROFILE_IDENTITY];
    uint16_t registers[MAP_BLOCK_MAX];
    enum wire_outcome outcome =
        read_block(line, PROFILE_IDENTITY, block->address, block->length, registers, wait_ms, err);
    tell(line, answer, outcome);
    if (outcome != WIRE_DONE) {
        wire_close(
            &line->wire); /* an exception here is another kind of device: nothing more is asked of it */
        answer->code = answer->code == E_DEVICE ? E_MISMATCH : answer->code;
        answer->did = MACHINE_NOT_DONE;
        return;
    }
    int code = map_decode_identity(&line->profile, registers, &answer->identity, err);
    tell_code(line, answer, code);
    if (code == 0)
        line->identity = answer->identity;
    else
        wire_close(&line->wire);
}

static void read_status(struct line *line, uint32_t wait_ms, struct machine_answer *answer, struct error *err)
{
    const struct profile_block *block = &line->profile.blocks[PROFILE_STATUS];
    uint16_t registers[MAP_BLOCK_MAX];
    enum wire_outcome outcome =
        read_block(line, PROFILE_STATUS, block->address, block->length, registers, wait_ms, err);
    tell(line, answer, outcome);
    if (outcome == WIRE_DONE)
        tell_code(line, answer, map_decode_status(&line->profile, registers, &answer->status, err));
}

/* Exception 06 means a fence only if a newer session stands in the mirror; else the device was just busy. */
static void tell_write(struct line *line, enum wire_outcome outcome, uint32_t wait_ms,
                       struct machine_answer *answer)
{
    tell(line, answer, outcome);
    if (outcome != WIRE_BUSY)
        return;
    struct machine_answer mirror = {.kind = MACHINE_READ_STATUS};
    struct error ignored;
    read_status(line, wait_ms, &mirror, &ignored);
    if (mirror.code == 0 && mirror.status.session > line->session)
        answer->code = E_FENCED;
}

static void control(struct line *line, const struct machine_control *control, uint32_t wait_ms,
                    struct machine_answer *answer, struct error *err)
{
    uint16_t registers[MAP_BLOCK_MAX];
    line->session = control->session;
    line->heartbeat = control->heartbeat;
    int code = map_encode_control(&line->profile, control, registers, err);
    if (code < 0) {
        tell_code(line, answer, code);
        return;
    }
    tell_write(line, write_block(line, PROFILE_CONTROL, PROFILE_CONTROL_CRC, registers, wait_ms, err),
               wait_ms, answer);
}

static void put_job(struct line *line, const struct machine_job *job, uint32_t wait_ms,
                    struct machine_answer *answer, struct error *err)
{
    uint16_t registers[MAP_BLOCK_MAX];
    int code = map_encode_mailbox(&line->profile, job, line->session, registers, err);
    if (code < 0) {
        tell_code(line, answer, code);
        return;
    }
    tell_write(line, write_block(line, PROFILE_MAILBOX, PROFILE_MAILBOX_COMMIT, registers, wait_ms, err),
               wait_ms, answer);
}

static void read_result(struct line *line, uint32_t seq, uint32_t wait_ms, struct machine_answer *answer,
                        struct error *err)
{
    uint16_t registers[MAP_BLOCK_MAX];
    uint32_t address = map_result_address(&line->profile, seq, line->identity.ring_size);
    enum wire_outcome outcome = read_block(
        line, PROFILE_RESULT, address, map_length(&line->profile, PROFILE_RESULT), registers, wait_ms, err);
    tell(line, answer, outcome);
    if (outcome != WIRE_DONE)
        return;
    int code = map_decode_result(&line->profile, registers, &answer->result, err);
    if (code == 0 && answer->result.seq != seq)
        code = error_set(err, E_NOT_FOUND, "the ring's place of %u holds %u", seq, answer->result.seq);
    tell_code(line, answer, code);
}

static void read_bays(struct line *line, uint16_t first, uint32_t wait_ms, struct machine_answer *answer,
                      struct error *err)
{
    const struct profile_block *block = &line->profile.blocks[PROFILE_BAY];
    uint16_t rows = (uint16_t)(1 + (line->profile.read_max - block->length) / block->stride);
    if (rows > MACHINE_BAYS_PER_READ)
        rows = MACHINE_BAYS_PER_READ;
    if (first >= line->identity.bays) {
        tell_code(line, answer,
                  error_set(err, E_LIMIT, "bay %u: this machine has %u", first, line->identity.bays));
        return;
    }
    if (rows > line->identity.bays - first)
        rows = (uint16_t)(line->identity.bays - first);
    uint16_t registers[MAP_BLOCK_MAX];
    uint16_t count = (uint16_t)((rows - 1) * block->stride + block->length);
    enum wire_outcome outcome =
        read_block(line, PROFILE_BAY, map_bay_address(&line->profile, first), count, registers, wait_ms, err);
    tell(line, answer, outcome);
    answer->bays.first = first;
    answer->bays.count = 0;
    for (uint16_t i = 0; outcome == WIRE_DONE && answer->code == 0 && i < rows; i++) {
        tell_code(line, answer,
                  map_decode_bay(&line->profile, registers + i * block->stride, &answer->bays.rows[i], err));
        answer->bays.count = (uint16_t)(i + 1);
    }
}

void line_perform(struct line *line, const struct machine_request *request, uint32_t wait_ms,
                  struct machine_answer *answer)
{
    struct error err = {0};
    if (request->kind != MACHINE_IDENTIFY && !wire_is_open(&line->wire)) {
        answer->did = MACHINE_NOT_DONE;
        answer->code = E_LINK;
        return;
    }
    switch (request->kind) {
    case MACHINE_IDENTIFY:
        identify(line, wait_ms, answer, &err);
        break;
    case MACHINE_READ_STATUS:
        read_status(line, wait_ms, answer, &err);
        break;
    case MACHINE_CONTROL:
        control(line, &request->control, wait_ms, answer, &err);
        break;
    case MACHINE_PUT_JOB:
        put_job(line, &request->job, wait_ms, answer, &err);
        break;
    case MACHINE_READ_RESULT:
        read_result(line, request->seq, wait_ms, answer, &err);
        break;
    case MACHINE_READ_BAYS:
        read_bays(line, request->bay, wait_ms, answer, &err);
        break;
    }
    /* The answer carries a code only; the sentence is for the engineer who looks after the line. */
    if (answer->code != 0 && answer->code != E_NOT_FOUND)
        log_debug("modbus", "%s code=%s", err.message, error_name(answer->code));
}

void line_suspend(struct line *line)
{
    if (!wire_is_open(&line->wire) || line->session == 0)
        return;
    uint32_t wait_ms = line->profile.response_timeout_ms;
    struct machine_answer mirror = {.kind = MACHINE_READ_STATUS};
    struct error err = {0};
    read_status(line, wait_ms, &mirror, &err);
    if (mirror.code != 0)
        return;
    const struct machine_control order = {.nonce = mirror.status.nonce,
                                          .session = line->session,
                                          .heartbeat = line->heartbeat,
                                          .command = MACHINE_COMMAND_SUSPEND,
                                          .command_seq = (uint16_t)(mirror.status.command_seq + 1),
                                          .retire = mirror.status.retired};
    struct machine_answer answer = {.kind = MACHINE_CONTROL};
    control(line, &order, wait_ms, &answer, &err); /* refused where nothing runs: as safe as it can be */
}
