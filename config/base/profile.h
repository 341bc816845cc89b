/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile: where one kind of packer keeps each logical point, as plain data.
 *
 * The names of blocks and points are fixed here; table, address, type, word order and scale come from the
 * machine profile file (sachet-machine/1, read by config/machine.c). It stands on the ground floor so that a
 * hardware backend can be handed one without knowing of YAML. Immutable after loading, any thread.
 *
 * A block is what is read or written at once and what one CRC closes; a point is one value in it. Layout and
 * meaning: the rules M1-M7 and C1-C9 of the machine contract.
 */
#ifndef CONFIG_BASE_PROFILE_H
#define CONFIG_BASE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, "name in the file") */
#define PROFILE_BLOCK_TABLE(X) \
    X(IDENTITY, "identity")    \
    X(STATUS, "status")        \
    X(CONTROL, "control")      \
    X(MAILBOX, "mailbox")      \
    X(RESULT, "result")        \
    X(BAY, "bay")

enum profile_block_id {
#define PROFILE_BLOCK_ENUM(name, text) PROFILE_##name,
    PROFILE_BLOCK_TABLE(PROFILE_BLOCK_ENUM)
#undef PROFILE_BLOCK_ENUM
        PROFILE_BLOCKS,
};

/* X(BLOCK, NAME, "name in the file", needed): a profile without a needed point is refused. */
#define PROFILE_POINT_TABLE(X)                                  \
    X(IDENTITY, MAGIC, "magic", true)                           \
    X(IDENTITY, MAP_VERSION, "map_version", true)               \
    X(IDENTITY, SERIAL, "serial", true)                         \
    X(IDENTITY, FIRMWARE, "firmware", true)                     \
    X(IDENTITY, BAYS, "bays", true)                             \
    X(IDENTITY, QUEUE_DEPTH, "queue_depth", true)               \
    X(IDENTITY, RING_SIZE, "ring_size", true)                   \
    X(IDENTITY, CAPABILITIES, "capabilities", true)             \
    X(IDENTITY, CRC, "crc", true)                               \
    X(STATUS, NONCE, "nonce", true)                             \
    X(STATUS, BOOT, "boot", true)                               \
    X(STATUS, MODE, "mode", true)                               \
    X(STATUS, STATE, "state", true)                             \
    X(STATUS, ACCEPTED, "accepted", true)                       \
    X(STATUS, STARTED, "started", true)                         \
    X(STATUS, DONE, "done", true)                               \
    X(STATUS, RETIRED, "retired", true)                         \
    X(STATUS, HEARTBEAT, "heartbeat", true)                     \
    X(STATUS, SESSION, "session", true)                         \
    X(STATUS, ALARMS, "alarms", true)                           \
    X(STATUS, FIRST_ALARM, "first_alarm", true)                 \
    X(STATUS, FILM_MM, "film_mm", false)                        \
    X(STATUS, RIBBON_MM, "ribbon_mm", false)                    \
    X(STATUS, SEAL_ACTUAL, "seal_actual", true)                 \
    X(STATUS, SEAL_SET, "seal_set", true)                       \
    X(STATUS, DOOR_CLOSED, "door_closed", true)                 \
    X(STATUS, ESTOP_HEALTHY, "estop_healthy", true)             \
    X(STATUS, PHASE, "phase", false)                            \
    X(STATUS, COMMAND_SEQ, "command_seq", true)                 \
    X(STATUS, COMMAND_RESULT, "command_result", true)           \
    X(STATUS, CRC, "crc", true)                                 \
    X(CONTROL, NONCE, "nonce", true)                            \
    X(CONTROL, SESSION, "session", true)                        \
    X(CONTROL, HEARTBEAT, "heartbeat", true)                    \
    X(CONTROL, COMMAND, "command", true)                        \
    X(CONTROL, COMMAND_SEQ, "command_seq", true)                \
    X(CONTROL, ARGUMENT, "argument", true)                      \
    X(CONTROL, RETIRE, "retire", true)                          \
    X(CONTROL, SEAL_SET, "seal_set", false)                     \
    X(CONTROL, CRC, "crc", true)                                \
    X(MAILBOX, SEQ, "seq", true)                                \
    X(MAILBOX, HASH, "hash", true)                              \
    X(MAILBOX, FLAGS, "flags", false)                           \
    X(MAILBOX, ENTRY_COUNT, "entry_count", true)                \
    X(MAILBOX, ENTRIES, "entries", true) /* {bay, count} */     \
    X(MAILBOX, TOKEN, "token", true)                            \
    X(MAILBOX, SESSION, "session", true)                        \
    X(MAILBOX, CRC, "crc", true)                                \
    X(MAILBOX, COMMIT, "commit", true)                          \
    X(RESULT, SEQ, "seq", true)                                 \
    X(RESULT, HASH, "hash", true)                               \
    X(RESULT, OUTCOME, "outcome", true)                         \
    X(RESULT, REASON, "reason", true)                           \
    X(RESULT, ENTRY_COUNT, "entry_count", true)                 \
    X(RESULT, CHECKS, "checks", true)                           \
    X(RESULT, SEAL_MIN, "seal_min", true)                       \
    X(RESULT, SEAL_MAX, "seal_max", true)                       \
    X(RESULT, DROP_MS, "drop_ms", true)                         \
    X(RESULT, SEAL_MS, "seal_ms", true)                         \
    X(RESULT, BOOT, "boot", true)                               \
    X(RESULT, ENTRIES, "entries", true) /* {wanted, counted} */ \
    X(RESULT, CRC, "crc", true)                                 \
    X(BAY, CANISTER, "canister", true)                          \
    X(BAY, LEVEL, "level", true)                                \
    X(BAY, EMPTY, "empty", true)                                \
    X(BAY, LAST_FAULT, "last_fault", true)                      \
    X(BAY, CRC, "crc", true)

enum profile_point_id {
#define PROFILE_POINT_ENUM(block, name, text, needed) PROFILE_##block##_##name,
    PROFILE_POINT_TABLE(PROFILE_POINT_ENUM)
#undef PROFILE_POINT_ENUM
        PROFILE_POINTS,
};

enum profile_table { PROFILE_HOLDING, PROFILE_INPUT, PROFILE_COIL, PROFILE_DISCRETE };
enum profile_type { PROFILE_U16, PROFILE_U32, PROFILE_I16, PROFILE_ASCII };
enum { PROFILE_NAME_BYTES = 64, PROFILE_SCALE_ONE = 1000, PROFILE_COILS_MAX = 64 };

struct profile_block {
    enum profile_table table;
    uint16_t address; /* of its first register, from 0 */
    uint16_t length;  /* registers of one record */
    uint16_t stride;  /* from one record to the next; 0: there is one record */
};

struct profile_point {
    bool present;
    bool coils; /* control.command only: one coil a command, coil n is command n; else registers */
    enum profile_type type;
    uint16_t at;         /* registers behind the start of the record; the first coil, counted from 0 */
    uint16_t length;     /* registers in all: 2 a u32, 1 for 2 characters; coils in all */
    int64_t scale_milli; /* our unit = register * scale_milli / 1000 */
};

struct profile {
    char name[PROFILE_NAME_BYTES];
    uint16_t map_version;
    uint16_t magic;
    bool low_word_first; /* of 32-bit values; ASCII is always high byte first */
    bool fc23;           /* the device answers read/write multiple registers */
    bool vision;
    bool weigher;
    uint16_t bays;        /* most bays of this kind of machine */
    uint16_t queue_depth; /* Q */
    uint16_t ring_size;   /* R */
    uint16_t entries_max; /* entries of one job */
    uint16_t write_max;   /* registers of one write */
    uint16_t read_max;    /* registers of one read */
    uint32_t response_timeout_ms;
    uint32_t byte_timeout_ms;
    uint32_t connect_timeout_ms;
    uint32_t late_ms;      /* serial: an answer may come so long after its time-out */
    uint32_t poll_ms;      /* status mirror */
    uint32_t heartbeat_ms; /* controller's heartbeat */
    struct profile_block blocks[PROFILE_BLOCKS];
    struct profile_point points[PROFILE_POINTS];
};

/* The block a point belongs to, and its full name "status.boot". */
enum profile_block_id profile_point_block(enum profile_point_id point);
const char *profile_block_name(enum profile_block_id block);
const char *profile_point_name(enum profile_point_id point);
bool profile_point_needed(enum profile_point_id point);
/* Register address of a point in record `record` of its block (0 where there is one). */
uint32_t profile_address(const struct profile *profile, enum profile_point_id point, uint32_t record);

#endif
