/* SPDX-License-Identifier: Apache-2.0 */
/* What each point may say, and how single values lie in registers. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/crc.h"
#include "config/base/error.h"
#include "hw/modbus/map_private.h"

#define U16_MAX INT64_C(0xFFFF)
#define U32_MAX INT64_C(0xFFFFFFFF)

#define ROW(point_, min_, max_, unit_, doc_) \
    [PROFILE_##                              \
        point_] = {.point = PROFILE_##point_, .min = (min_), .max = (max_), .unit = (unit_), .doc = (doc_)}

static const struct map_point_row rows[PROFILE_POINTS] = {
    ROW(IDENTITY_MAGIC, 0, U16_MAX, "", "refused when it is not the profile's"),
    ROW(IDENTITY_MAP_VERSION, 0, U16_MAX, "", "refused when it is not the profile's"),
    ROW(IDENTITY_SERIAL, 0, 0, "", "machine serial number, ASCII"),
    ROW(IDENTITY_FIRMWARE, 0, U16_MAX, "", "high byte major, low byte minor"),
    ROW(IDENTITY_BAYS, 1, MACHINE_BAYS_MAX, "bays", "canister seats"),
    ROW(IDENTITY_QUEUE_DEPTH, 1, 64, "jobs", "Q: jobs accepted and not begun"),
    ROW(IDENTITY_RING_SIZE, 1, 256, "results", "R: results kept until they are retired"),
    ROW(IDENTITY_CAPABILITIES, 0, U16_MAX, "", "bits: 0 FC23, 1 weigher, 2 camera, 3 SIMULATED"),
    ROW(IDENTITY_CRC, 0, U16_MAX, "", "closes the block"),
    ROW(STATUS_NONCE, 0, U16_MAX, "", "the last one written: proves that the answer is fresh"),
    ROW(STATUS_BOOT, 0, U32_MAX, "", "boot counter, non-volatile"),
    ROW(STATUS_MODE, 1, 3, "", "PackML mode: 1 Production, 2 Maintenance, 3 Manual"),
    ROW(STATUS_STATE, 1, 17, "", "PackML state"),
    ROW(STATUS_ACCEPTED, 0, U32_MAX, "", "A: last job taken into the queue"),
    ROW(STATUS_STARTED, 0, U32_MAX, "", "S: last job begun, non-volatile"),
    ROW(STATUS_DONE, 0, U32_MAX, "", "D: last job recorded, non-volatile"),
    ROW(STATUS_RETIRED, 0, U32_MAX, "", "W: last result that the controller has stored, non-volatile"),
    ROW(STATUS_HEARTBEAT, 0, U16_MAX, "", "the machine's own, changes every 100 ms"),
    ROW(STATUS_SESSION, 0, U32_MAX, "", "the owner; 0 nobody since power-up"),
    ROW(STATUS_ALARMS, 0, U16_MAX, "", "alarm number = 16 * word + bit"),
    ROW(STATUS_FIRST_ALARM, 0, U16_MAX, "", "first of the alarms that are up; 65535 none"),
    ROW(STATUS_FILM_MM, 0, 10000000, "mm", "film left"),
    ROW(STATUS_RIBBON_MM, 0, 10000000, "mm", "ribbon left"),
    ROW(STATUS_SEAL_ACTUAL, -500, 6000, "0.1 C", "seal temperature"),
    ROW(STATUS_SEAL_SET, 0, MACHINE_SEAL_MAX_DC, "0.1 C", "its set point"),
    ROW(STATUS_DOOR_CLOSED, 0, 1, "", "1 closed"),
    ROW(STATUS_ESTOP_HEALTHY, 0, 1, "", "1 healthy"),
    ROW(STATUS_PHASE, 0, U16_MAX, "", "of the pouch being filled; 0 none"),
    ROW(STATUS_COMMAND_SEQ, 0, U16_MAX, "", "the last command seen"),
    ROW(STATUS_COMMAND_RESULT, 0, 2, "", "0 none yet, 1 taken, 2 refused in this state"),
    ROW(STATUS_CRC, 0, U16_MAX, "", "closes the block"),
    ROW(CONTROL_NONCE, 0, U16_MAX, "", "comes back in the status mirror"),
    ROW(CONTROL_SESSION, 1, U32_MAX, "", "below the owner's: exception 06; above: takes the machine over"),
    ROW(CONTROL_HEARTBEAT, 0, U16_MAX, "", "unchanged for 2 s: no new pouch is begun (M7)"),
    ROW(CONTROL_COMMAND, 0, U16_MAX, "", "PackML command, 20 Confirm removed, 21 Cancel from"),
    ROW(CONTROL_COMMAND_SEQ, 0, U16_MAX, "", "a new value is a new command, the same one a repeat"),
    ROW(CONTROL_ARGUMENT, 0, U32_MAX, "", "of Cancel from: the first number cancelled"),
    ROW(CONTROL_RETIRE, 0, U32_MAX, "", "W: results up to it are stored; above D: exception 03"),
    ROW(CONTROL_SEAL_SET, 0, MACHINE_SEAL_MAX_DC, "0.1 C", "seal set point; 0 leaves it"),
    ROW(CONTROL_CRC, 0, U16_MAX, "", "closes the block; a write that reaches it makes it count"),
    ROW(MAILBOX_SEQ, 1, U32_MAX, "", "must be A + 1; up to A: ignored (M2)"),
    ROW(MAILBOX_HASH, 0, U32_MAX, "", "first 32 bits of the pouch's content hash"),
    ROW(MAILBOX_FLAGS, 0, U16_MAX, "", "0"),
    ROW(MAILBOX_ENTRY_COUNT, 1, MACHINE_ENTRIES_MAX, "", "bays in this pouch"),
    ROW(MAILBOX_ENTRIES, 0, U16_MAX, "", "pairs {bay, count}; unused ones 0"),
    ROW(MAILBOX_TOKEN, 0, 0, "", "number printed on the pouch, ASCII"),
    ROW(MAILBOX_SESSION, 0, U32_MAX, "", "must be the owner's, else exception 06"),
    ROW(MAILBOX_CRC, 0, U16_MAX, "", "closes the registers before it"),
    ROW(MAILBOX_COMMIT, 0, U16_MAX, "", "low word of seq; its write, the last, makes the job count"),
    ROW(RESULT_SEQ, 0, U32_MAX, "", "0: never written"),
    ROW(RESULT_HASH, 0, U32_MAX, "", "the job's"),
    ROW(RESULT_OUTCOME, 1, 3, "", "1 good, 2 void, 3 cancelled"),
    ROW(RESULT_REASON, 0, U16_MAX, "", "first cause when it is not good"),
    ROW(RESULT_ENTRY_COUNT, 0, MACHINE_ENTRIES_MAX, "", "entries of the job"),
    ROW(RESULT_CHECKS, 0, U16_MAX, "",
        "bits: 0 sealed, 1 print read, 2 camera right, 3 weight right, 4 late drop"),
    ROW(RESULT_SEAL_MIN, -500, 6000, "0.1 C", "coldest while sealing"),
    ROW(RESULT_SEAL_MAX, -500, 6000, "0.1 C", "hottest while sealing"),
    ROW(RESULT_DROP_MS, 0, U32_MAX, "ms", "length of the filling; the largest value means that or more"),
    ROW(RESULT_SEAL_MS, 0, U32_MAX, "ms", "machine's clock at the seal, since its boot"),
    ROW(RESULT_BOOT, 0, U32_MAX, "", "boot counter when it was recorded"),
    ROW(RESULT_ENTRIES, 0, U16_MAX, "", "pairs {requested, counted}, in the job's order"),
    ROW(RESULT_CRC, 0, U16_MAX, "", "closes the record"),
    ROW(BAY_CANISTER, 0, U32_MAX, "", "id read at the seat; 0 none"),
    ROW(BAY_LEVEL, 0, U16_MAX, "pieces", "estimate"),
    ROW(BAY_EMPTY, 0, 1, "", "1: ran out"),
    ROW(BAY_LAST_FAULT, 0, U16_MAX, "", "reason number as in a result; 0 none"),
    ROW(BAY_CRC, 0, U16_MAX, "", "closes the row"),
};

const struct map_point_row *map_point_row(enum profile_point_id point)
{
    assert(point < PROFILE_POINTS);
    return &rows[point];
}

/* ---- single values ---- */

static unsigned width_of(enum profile_type type)
{
    return type == PROFILE_U32 ? 2 : 1;
}

int64_t read_raw(const struct reader *reader, enum profile_point_id id, unsigned index)
{
    const struct profile_point *point = &reader->profile->points[id];
    const uint16_t *at = reader->registers + point->at + index * width_of(point->type);
    switch (point->type) {
    case PROFILE_U16:
    case PROFILE_ASCII:
        return at[0];
    case PROFILE_I16:
        return (int16_t)at[0];
    case PROFILE_U32:
        return reader->profile->low_word_first ? at[0] | (int64_t)at[1] << 16 : at[1] | (int64_t)at[0] << 16;
    }
    return 0;
}

int64_t read_value(struct reader *reader, enum profile_point_id id, unsigned index)
{
    const struct profile_point *point = &reader->profile->points[id];
    if (!point->present || point->coils || reader->code != 0)
        return 0;
    int64_t value = read_raw(reader, id, index) * point->scale_milli / PROFILE_SCALE_ONE;
    if (value < rows[id].min || value > rows[id].max)
        reader->code = error_set(reader->err, reader->refuse_with,
                                 "%s is %" PRId64 ", allowed are %" PRId64 " to %" PRId64,
                                 profile_point_name(id), value, rows[id].min, rows[id].max);
    return value;
}

void read_ascii(struct reader *reader, enum profile_point_id id, char *text, size_t size)
{
    const struct profile_point *point = &reader->profile->points[id];
    size_t len = 0;
    memset(text, 0, size);
    if (reader->code != 0)
        return;
    for (unsigned i = 0; i < 2u * point->length; i++) {
        uint16_t word = reader->registers[point->at + i / 2];
        char c = (char)(i % 2 == 0 ? word >> 8 : word & 0xFF);
        bool fits = i + 1 < size;
        if (fits)
            text[i] = c;
        if (c == '\0' || c == ' ')
            continue;
        if (!fits || c < 0x20 || c > 0x7E) {
            reader->code =
                error_set(reader->err, reader->refuse_with, "%s is not 1 to %zu printable ASCII characters",
                          profile_point_name(id), size - 1);
            return;
        }
        len = i + 1;
    }
    memset(text + len, 0, size - len);
    if (len == 0 || strlen(text) != len)
        reader->code =
            error_set(reader->err, reader->refuse_with, "%s is empty or has a gap", profile_point_name(id));
}

void read_crc(struct reader *reader, enum profile_point_id crc)
{
    uint16_t at = reader->profile->points[crc].at;
    if (reader->code == 0 && crc16_registers(reader->registers, at) != reader->registers[at])
        reader->code = error_set(reader->err, E_FRAME, "%s does not match the registers before it",
                                 profile_point_name(crc));
}

static void type_range(enum profile_type type, int64_t *ret_min, int64_t *ret_max)
{
    *ret_min = type == PROFILE_I16 ? INT16_MIN : 0;
    *ret_max = type == PROFILE_I16 ? INT16_MAX : type == PROFILE_U32 ? U32_MAX : U16_MAX;
}

void write_value(struct writer *writer, enum profile_point_id id, unsigned index, int64_t value)
{
    const struct profile_point *point = &writer->profile->points[id];
    if (!point->present || point->coils)
        return;
    int64_t min, max;
    type_range(point->type, &min, &max);
    int64_t raw = value * PROFILE_SCALE_ONE / point->scale_milli;
    if ((raw < min || raw > max) && !writer->clamps) {
        if (writer->code == 0)
            writer->code =
                error_set(writer->err, E_LIMIT, "%s cannot say %" PRId64, profile_point_name(id), value);
        return;
    }
    raw = raw < min ? min : raw > max ? max : raw;
    uint16_t *at = writer->registers + point->at + index * width_of(point->type);
    if (point->type == PROFILE_U32) {
        at[writer->profile->low_word_first ? 0 : 1] = (uint16_t)(raw & 0xFFFF);
        at[writer->profile->low_word_first ? 1 : 0] = (uint16_t)(raw >> 16);
    } else {
        at[0] = (uint16_t)(raw & 0xFFFF);
    }
}

void write_ascii(struct writer *writer, enum profile_point_id id, const char *text)
{
    const struct profile_point *point = &writer->profile->points[id];
    size_t len = strlen(text);
    if (len > 2u * point->length && !writer->clamps) {
        if (writer->code == 0)
            writer->code = error_set(writer->err, E_LIMIT, "%s holds %u characters, not %zu",
                                     profile_point_name(id), 2u * point->length, len);
        return;
    }
    for (unsigned i = 0; i < point->length; i++) {
        unsigned high = 2 * i < len ? (unsigned char)text[2 * i] : 0;
        unsigned low = 2 * i + 1 < len ? (unsigned char)text[2 * i + 1] : 0;
        writer->registers[point->at + i] = (uint16_t)(high << 8 | low);
    }
}

void write_crc(struct writer *writer, enum profile_point_id crc)
{
    uint16_t at = writer->profile->points[crc].at;
    writer->registers[at] = crc16_registers(writer->registers, at);
}
