/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/modbus/station_private.h"

#include <time.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "hw/modbus/map.h"

/* One request under way. */
struct ask {
    struct station *station;
    uint32_t wait_ms;
    struct machine_answer *answer;
    struct error *err;
};

void station_init(struct station *station, const struct profile *profile, struct wire *wire, uint8_t unit)
{
    *station = (struct station){.profile = *profile,
                                .wire = wire,
                                .peer = {.unit = unit,
                                         .connect_ms = profile->connect_timeout_ms,
                                         .byte_ms = profile->byte_timeout_ms,
                                         .late_ms = profile->late_ms}};
}

/* ---- the link ---- */

bool station_is_linked(const struct station *station)
{
    return station->linked && wire_is_open(station->wire) && station->generation == station->wire->generation;
}

void station_unlink(struct station *station)
{
    station->linked = false;
    if (station->wire->kind == WIRE_TCP)
        wire_close(station->wire);
}

/* What came cannot be believed, and something may still come. */
static void distrust(struct station *station)
{
    station->linked = false;
    wire_distrust(station->wire, &station->peer);
}

/* Answers in the port's words. A write that met a broken line may have been done. */
static void tell(const struct ask *ask, enum wire_outcome outcome)
{
    static const struct {
        enum machine_did did;
        int code;
        bool ends_link; /* the wire has done its part already */
    } rows[] = {
        [WIRE_DONE] = {MACHINE_DONE, 0, false},
        [WIRE_REFUSED] = {MACHINE_NOT_DONE, E_DEVICE, false},
        [WIRE_BUSY] = {MACHINE_NOT_DONE, E_DEVICE, false},
        [WIRE_UNSURE] = {MACHINE_UNKNOWN, E_DEVICE, false},
        [WIRE_LOST] = {MACHINE_UNKNOWN, E_LINK, true},
        [WIRE_TIMEOUT] = {MACHINE_UNKNOWN, E_TIMEOUT, true},
        [WIRE_DAMAGED] = {MACHINE_UNKNOWN, E_FRAME, true},
    };
    struct station *station = ask->station;
    ask->answer->did = rows[outcome].did;
    ask->answer->code = rows[outcome].code;
    if (rows[outcome].ends_link)
        station->linked = false;
    station->counters.timeouts += outcome == WIRE_TIMEOUT;
    station->counters.frame_errors += outcome == WIRE_DAMAGED;
    station->counters.exceptions += outcome == WIRE_REFUSED || outcome == WIRE_BUSY || outcome == WIRE_UNSURE;
}

/* The registers came, but do not say what they should: a wrong CRC ends the link like any damaged frame. */
static void tell_code(const struct ask *ask, int code)
{
    ask->answer->did = code == 0 || code == E_NOT_FOUND ? MACHINE_DONE : MACHINE_NOT_DONE;
    ask->answer->code = code;
    if (code == E_FRAME) {
        ask->station->counters.frame_errors++;
        distrust(ask->station);
    }
}

/* ---- registers ---- */

static enum wire_outcome read_block(const struct ask *ask, enum profile_block_id block, uint32_t address,
                                    uint16_t count, uint16_t *registers)
{
    struct station *s = ask->station;
    s->counters.requests++;
    return wire_read(s->wire, &s->peer, s->profile.blocks[block].table, address, count, registers,
                     ask->wait_ms, ask->err);
}

static enum wire_outcome write_piece(const struct ask *ask, uint32_t address, uint16_t count,
                                     const uint16_t *registers)
{
    struct station *s = ask->station;
    s->counters.requests++;
    return wire_write(s->wire, &s->peer, address, count, registers, ask->wait_ms, ask->err);
}

/*
 * Writes a block so that its register `last` is written last: in one piece where the device takes that many
 * and it is the last register anyway, else in pieces and then that one alone.
 */
static enum wire_outcome write_block(const struct ask *ask, enum profile_block_id id,
                                     enum profile_point_id last, const uint16_t *registers)
{
    const struct profile *profile = &ask->station->profile;
    const struct profile_block *block = &profile->blocks[id];
    uint16_t last_at = profile->points[last].at;
    if (block->length <= profile->write_max && last_at == block->length - 1)
        return write_piece(ask, block->address, block->length, registers);
    for (uint16_t at = 0; at < block->length;) {
        uint16_t end = at < last_at ? last_at : block->length;
        uint16_t count = (uint16_t)(end - at);
        if (at == last_at) {
            at++;
            continue;
        }
        if (count > profile->write_max)
            count = profile->write_max;
        enum wire_outcome outcome = write_piece(ask, (uint32_t)block->address + at, count, registers + at);
        if (outcome != WIRE_DONE)
            return outcome;
        at = (uint16_t)(at + count);
    }
    return write_piece(ask, (uint32_t)block->address + last_at, 1, registers + last_at);
}

/* ---- requests ---- */

static void identify(const struct ask *ask)
{
    struct station *s = ask->station;
    bool first = s->counters.requests == 0;
    s->linked = false;
    s->session = 0;
    s->nonce_known = false;
    s->boot_known = false;
    s->coils_known = false;
    if (wire_open(s->wire, &s->peer, ask->err) < 0) {
        ask->answer->did = MACHINE_NOT_DONE;
        ask->answer->code = E_LINK;
        return;
    }
    s->counters.reconnects += !first;
    const struct profile_block *block = &s->profile.blocks[PROFILE_IDENTITY];
    uint16_t registers[MAP_BLOCK_MAX];
    enum wire_outcome outcome = read_block(ask, PROFILE_IDENTITY, block->address, block->length, registers);
    tell(ask, outcome);
    if (outcome != WIRE_DONE) {
        station_unlink(s); /* an exception here is another kind of device: nothing more is asked of it */
        ask->answer->code = ask->answer->code == E_DEVICE ? E_MISMATCH : ask->answer->code;
        ask->answer->did = MACHINE_NOT_DONE;
        return;
    }
    int code = map_decode_identity(&s->profile, registers, &ask->answer->identity, ask->err);
    tell_code(ask, code);
    if (code != 0) {
        station_unlink(s);
        return;
    }
    s->identity = ask->answer->identity;
    s->linked = true;
    s->generation = s->wire->generation;
}

/* The session was ours when the nonce was written, and nobody newer has come: the nonce must be ours, too. */
static bool mirror_is_stale(const struct station *s, const struct machine_status *status)
{
    return s->nonce_known && status->session <= s->session && status->nonce != s->nonce;
}

static bool mirror_is_of_another_boot(const struct station *s, const struct machine_status *status)
{
    return s->boot_known && status->boot != s->boot;
}

static int read_mirror(const struct ask *ask)
{
    struct station *s = ask->station;
    const struct profile_block *block = &s->profile.blocks[PROFILE_STATUS];
    uint16_t registers[MAP_BLOCK_MAX];
    enum wire_outcome outcome = read_block(ask, PROFILE_STATUS, block->address, block->length, registers);
    tell(ask, outcome);
    if (outcome == WIRE_DONE)
        tell_code(ask, map_decode_status(&s->profile, registers, &ask->answer->status, ask->err));
    return ask->answer->code;
}

static void read_status(const struct ask *ask)
{
    struct station *s = ask->station;
    const struct machine_status *status = &ask->answer->status;
    const struct timespec pause = {.tv_nsec = STATION_STALE_PAUSE * 1000000L};
    for (int stale = 0;
         read_mirror(ask) == 0 && !mirror_is_of_another_boot(s, status) && mirror_is_stale(s, status);) {
        s->counters.late++;
        if (++stale > STATION_STALE_MAX) {
            tell_code(ask, error_set(ask->err, E_FRAME, "the mirror keeps showing nonce %u, written was %u",
                                     status->nonce, s->nonce));
            return;
        }
        (void)nanosleep(&pause, NULL); /* a little less does no harm */
        s->counters.retries++;
    }
    if (ask->answer->code != 0)
        return;
    if (mirror_is_of_another_boot(s, status)) {
        station_unlink(s);
        ask->answer->did = MACHINE_NOT_DONE;
        ask->answer->code =
            error_set(ask->err, E_LINK, "the machine has booted: its boot counter is %u, was %u",
                      status->boot, s->boot);
        return;
    }
    s->boot = status->boot;
    s->boot_known = true;
}

/* Exception 06 means a fence only if a newer session stands in the mirror; else the device was just busy. */
static void tell_write(const struct ask *ask, enum wire_outcome outcome)
{
    tell(ask, outcome);
    if (outcome != WIRE_BUSY)
        return;
    struct machine_answer mirror = {.kind = MACHINE_READ_STATUS};
    struct error ignored;
    const struct ask look = {
        .station = ask->station, .wait_ms = ask->wait_ms, .answer = &mirror, .err = &ignored};
    read_status(&look);
    if (mirror.code == 0 && mirror.status.session > ask->station->session)
        ask->answer->code = E_FENCED;
}

/*
 * Where commands are coils they are written before the block whose new command number makes them count, so a
 * coil that is left on by a lost block does nothing: the next command writes all coils anew.
 */
static enum wire_outcome write_command(const struct ask *ask, enum machine_command command)
{
    struct station *s = ask->station;
    uint8_t coils[PROFILE_COILS_MAX];
    uint16_t count = map_encode_command(&s->profile, command, coils);
    if (count == 0 || (s->coils_known && s->coil == command))
        return WIRE_DONE;
    s->counters.requests++;
    enum wire_outcome outcome =
        wire_write_coils(s->wire, &s->peer, s->profile.points[PROFILE_CONTROL_COMMAND].at, count, coils,
                         ask->wait_ms, ask->err);
    s->coils_known = outcome == WIRE_DONE;
    s->coil = command;
    return outcome;
}

static void control(const struct ask *ask, const struct machine_control *control)
{
    struct station *s = ask->station;
    uint16_t registers[MAP_BLOCK_MAX];
    s->session = control->session;
    s->heartbeat = control->heartbeat;
    int code = map_encode_control(&s->profile, control, registers, ask->err);
    if (code < 0) {
        tell_code(ask, code);
        return;
    }
    enum wire_outcome outcome = write_command(ask, control->command);
    if (outcome == WIRE_DONE)
        outcome = write_block(ask, PROFILE_CONTROL, PROFILE_CONTROL_CRC, registers);
    if (outcome == WIRE_DONE)
        s->nonce = control->nonce;
    s->last = *control;
    s->last_known = outcome == WIRE_DONE;
    if (outcome == WIRE_DONE || outcome == WIRE_UNSURE)
        s->nonce_known = outcome == WIRE_DONE;
    tell_write(ask, outcome);
}

static void put_job(const struct ask *ask, const struct machine_job *job)
{
    struct station *s = ask->station;
    uint16_t registers[MAP_BLOCK_MAX];
    int code = map_encode_mailbox(&s->profile, job, s->session, registers, ask->err);
    if (code < 0)
        tell_code(ask, code);
    else
        tell_write(ask, write_block(ask, PROFILE_MAILBOX, PROFILE_MAILBOX_COMMIT, registers));
}

static void read_result(const struct ask *ask, uint32_t seq)
{
    struct station *s = ask->station;
    uint16_t registers[MAP_BLOCK_MAX];
    uint32_t address = map_result_address(&s->profile, seq, s->identity.ring_size);
    enum wire_outcome outcome =
        read_block(ask, PROFILE_RESULT, address, map_length(&s->profile, PROFILE_RESULT), registers);
    tell(ask, outcome);
    if (outcome != WIRE_DONE)
        return;
    struct machine_result *result = &ask->answer->result;
    int code = map_decode_result(&s->profile, registers, result, ask->err);
    if (code == 0 && result->seq != seq)
        code = error_set(ask->err, E_NOT_FOUND, "the ring's place of %u holds %u", seq, result->seq);
    tell_code(ask, code);
}

/*
 * Rows of the page that begins at `first`: the first page is the longest, each one behind it a row less than
 * the one before, and after the page of one row it begins again. So a late answer fits no other page of 120
 * bays. Rows with holes between them are read one by one, since many devices refuse a read across a hole.
 */
static uint16_t page_rows(const struct station *s, uint16_t first)
{
    const struct profile_block *block = &s->profile.blocks[PROFILE_BAY];
    unsigned most = 1;
    if (block->stride == block->length)
        most = s->profile.read_max / block->length;
    unsigned left = (unsigned)s->identity.bays - first;
    unsigned widest = most < MACHINE_BAYS_PER_READ ? most : MACHINE_BAYS_PER_READ;
    unsigned at = first % (widest * (widest + 1) / 2);
    unsigned rows = widest;
    while (at >= rows)
        at -= rows--;
    rows -= at; /* somewhere in a page: up to its end */
    return (uint16_t)(rows < left ? rows : left);
}

/* Nothing lies on the line and the next answer has its own shape: then the page was the answer to its
 * question. */
static bool page_is_proved(const struct ask *ask, uint64_t strays)
{
    struct machine_answer mirror = {.kind = MACHINE_READ_STATUS};
    const struct ask look = {
        .station = ask->station, .wait_ms = ask->wait_ms, .answer = &mirror, .err = ask->err};
    read_status(&look);
    return mirror.code == 0 && ask->station->wire->strays == strays;
}

static void read_bays(const struct ask *ask, uint16_t first)
{
    struct station *s = ask->station;
    const struct profile_block *block = &s->profile.blocks[PROFILE_BAY];
    if (first >= s->identity.bays) {
        tell_code(ask, error_set(ask->err, E_LIMIT, "bay %u: this machine has %u", first, s->identity.bays));
        return;
    }
    uint16_t rows = page_rows(s, first);
    uint16_t registers[MAP_BLOCK_MAX];
    uint16_t count = (uint16_t)((rows - 1) * block->stride + block->length);
    enum wire_outcome outcome =
        read_block(ask, PROFILE_BAY, map_bay_address(&s->profile, first), count, registers);
    uint64_t strays = s->wire->strays;
    tell(ask, outcome);
    ask->answer->bays.first = first;
    ask->answer->bays.count = 0;
    for (uint16_t i = 0; outcome == WIRE_DONE && ask->answer->code == 0 && i < rows; i++) {
        tell_code(ask, map_decode_bay(&s->profile, registers + i * block->stride, &ask->answer->bays.rows[i],
                                      ask->err));
        ask->answer->bays.count = (uint16_t)(i + 1);
    }
    if (ask->answer->code == 0 && s->wire->kind == WIRE_SERIAL && !page_is_proved(ask, strays)) {
        s->counters.late++;
        tell_code(ask, error_set(ask->err, E_FRAME, "bays from %u: something else was on the line", first));
    }
}

void station_perform(struct station *station, const struct machine_request *request, uint32_t wait_ms,
                     struct machine_answer *answer)
{
    struct error err = {0};
    const struct ask ask = {.station = station, .wait_ms = wait_ms, .answer = answer, .err = &err};
    if (request->kind != MACHINE_IDENTIFY && !station_is_linked(station)) {
        answer->did = MACHINE_NOT_DONE;
        answer->code = E_LINK;
        return;
    }
    switch (request->kind) {
    case MACHINE_IDENTIFY:
        identify(&ask);
        break;
    case MACHINE_READ_STATUS:
        read_status(&ask);
        break;
    case MACHINE_CONTROL:
        control(&ask, &request->control);
        break;
    case MACHINE_PUT_JOB:
        put_job(&ask, &request->job);
        break;
    case MACHINE_READ_RESULT:
        read_result(&ask, request->seq);
        break;
    case MACHINE_READ_BAYS:
        read_bays(&ask, request->bay);
        break;
    }
    /* The answer carries a code only; the sentence is for the engineer who looks after the line. */
    if (answer->code != 0 && answer->code != E_NOT_FOUND)
        log_debug("modbus", "unit=%u %s code=%s", station->peer.unit, err.message, error_name(answer->code));
}

bool station_may_keep(const struct station *station)
{
    return station_is_linked(station) && station->last_known;
}

/* The same command number is a repeat and W is the same, so nothing but the heartbeat changes. */
bool station_keep(struct station *station)
{
    if (!station_may_keep(station))
        return false;
    struct error err = {0};
    struct machine_control again = station->last;
    struct machine_answer answer = {.kind = MACHINE_CONTROL};
    const struct ask ask = {
        .station = station, .wait_ms = station->profile.response_timeout_ms, .answer = &answer, .err = &err};
    again.heartbeat ^= 0x8000; /* never the one that the owner writes next */
    control(&ask, &again);
    return true;
}

void station_suspend(struct station *station)
{
    if (!station_is_linked(station) || station->session == 0)
        return;
    struct error err = {0};
    struct machine_answer mirror = {.kind = MACHINE_READ_STATUS};
    const struct ask look = {
        .station = station, .wait_ms = station->profile.response_timeout_ms, .answer = &mirror, .err = &err};
    read_status(&look);
    if (mirror.code != 0)
        return;
    const struct machine_control order = {.nonce = mirror.status.nonce,
                                          .session = station->session,
                                          .heartbeat = station->heartbeat,
                                          .command = MACHINE_COMMAND_SUSPEND,
                                          .command_seq = (uint16_t)(mirror.status.command_seq + 1),
                                          .retire = mirror.status.retired};
    struct machine_answer answer = {.kind = MACHINE_CONTROL};
    const struct ask ask = {.station = station, .wait_ms = look.wait_ms, .answer = &answer, .err = &err};
    control(&ask, &order); /* refused where nothing runs: as safe as it can be */
    station->last_known = false;
}
