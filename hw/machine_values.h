/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_values: the blocks of a packing machine as plain values: identity, status mirror, job, result, bay
 * rows, control. They know no register; hw/modbus/map.h turns them into registers and back. Any thread.
 */
#ifndef HW_MACHINE_VALUES_H
#define HW_MACHINE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/machine_codes.h"
#include "hw/packml.h"

enum {
    MACHINE_QUEUE = 16,       /* most outstanding requests */
    MACHINE_ENTRIES_MAX = 24, /* bays in one pouch */
    MACHINE_SERIAL_BYTES = 9, /* 8 ASCII characters and the NUL */
    MACHINE_TOKEN_BYTES = 33, /* printed pouch number, 32 ASCII characters and the NUL */
    MACHINE_ALARM_WORDS = 8,  /* 16 alarms each: alarm number = 16 * word + bit, bit 0 the lowest */
    MACHINE_BAYS_MAX = 512,
    MACHINE_BAYS_PER_READ = 15, /* bay rows in one answer */
    MACHINE_COUNT_MAX = 99,     /* pieces of one entry */
    MACHINE_SEAL_MIN_DC = 500,  /* a set point outside these is a slip of the pen */
    MACHINE_SEAL_MAX_DC = 2500,
};

struct machine_identity {
    uint16_t map_version;
    char serial[MACHINE_SERIAL_BYTES];
    uint16_t firmware; /* high byte major, low byte minor */
    uint16_t bays;
    uint16_t queue_depth; /* Q */
    uint16_t ring_size;   /* R */
    uint16_t caps;        /* MACHINE_CAP_* */
};

struct machine_status {
    uint16_t nonce; /* echo of the last one written */
    uint32_t boot;  /* boot counter */
    enum machine_mode mode;
    enum machine_state state;
    uint32_t accepted; /* A */
    uint32_t started;  /* S */
    uint32_t done;     /* D */
    uint32_t retired;  /* W */
    uint16_t heartbeat;
    uint32_t session; /* owner */
    uint16_t alarms[MACHINE_ALARM_WORDS];
    uint16_t first_alarm;   /* enum machine_alarm, MACHINE_ALARM_NONE when none is up */
    uint32_t film_mm;       /* left */
    uint32_t ribbon_mm;     /* left */
    int16_t seal_actual_dc; /* 0.1 degrees Celsius */
    int16_t seal_set_dc;
    bool door_closed;
    bool estop_healthy;
    uint16_t phase; /* of the pouch in progress, profile's own numbers, 0 none */
    uint16_t command_seq;
    uint16_t command_result; /* enum machine_command_result */
};

struct machine_entry {
    uint16_t bay;   /* 0.. */
    uint16_t count; /* pieces */
};

struct machine_job {
    uint32_t seq;
    uint32_t hash;  /* first 32 bits of the pouch's content hash, big end first */
    uint16_t flags; /* 0; kept for profiles */
    uint16_t entry_count;
    struct machine_entry entries[MACHINE_ENTRIES_MAX];
    char token[MACHINE_TOKEN_BYTES];
};

struct machine_result {
    uint32_t seq;
    uint32_t hash;
    enum machine_outcome outcome;
    enum machine_reason reason;
    uint16_t entry_count;
    struct {
        uint16_t requested;
        uint16_t counted;
    } entries[MACHINE_ENTRIES_MAX];
    uint16_t checks; /* MACHINE_CHECK_* bits: what the sensors said */
    int16_t seal_min_dc;
    int16_t seal_max_dc;
    uint32_t drop_ms; /* length of the filling */
    uint32_t seal_ms; /* machine's clock at the seal, ms since its boot */
    uint32_t boot;
};

struct machine_bay {
    uint32_t canister; /* id as the machine reads it at the seat; 0 none */
    uint16_t level;    /* estimate, pieces */
    bool empty;
    uint16_t last_fault; /* enum machine_reason */
};

struct machine_control {
    uint16_t nonce;
    uint32_t session;
    uint16_t heartbeat;
    enum machine_command command;
    uint16_t command_seq; /* new value: new command; same value: repeat, nothing happens */
    uint32_t argument;    /* of CANCEL_FROM */
    uint32_t retire;      /* W: results up to it are in the store */
    int16_t seal_set_dc;  /* set point, 0.1 degrees Celsius; 0: leave it as it is */
};

/* Whether an alarm's bit is up; false for numbers outside the words. */
bool machine_alarm_is_up(const struct machine_status *status, unsigned alarm);

#endif
