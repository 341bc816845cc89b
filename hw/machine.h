/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: the port to one pouch-packing machine. Everything above talks to these functions and to nothing
 * else.
 *
 * A backend (Modbus TCP or RTU, simulator in-process, trace, replay, faulty) fills in `struct machine_ops`.
 * The owner calls all functions from one thread; none of them blocks. A backend that must wait for a wire
 * owns a thread for it.
 *
 * Requests are values. machine_check says whether a request could be taken at all (caller errors are found
 * there), machine_submit queues it, machine_poll hands out finished answers in the order of submission, and
 * machine_fd turns readable when there is one. At most MACHINE_QUEUE requests may be outstanding. Every
 * answer says whether the machine DID it, did NOT, or whether that is UNKNOWN: a time-out after the bytes
 * left is UNKNOWN and is never repeated blindly; the status mirror tells (spec: machine, rules C2 and C3).
 *
 * Connection: MACHINE_IDENTIFY connects (again) and reads the identity block. After any answer with a link
 * error the backend has closed the connection, and every request but MACHINE_IDENTIFY is answered NOT_DONE
 * with E_LINK until the next MACHINE_IDENTIFY. The controller then makes session + 1 durable and writes it
 * with the first MACHINE_CONTROL.
 *
 * Register map, word order and limits are the business of the machine profile (hw/modbus); names and numbers
 * of states and commands are PackML's (ISA-TR88.00.02).
 */
#ifndef HW_MACHINE_H
#define HW_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum {
    MACHINE_QUEUE = 16,       /* most outstanding requests */
    MACHINE_ENTRIES_MAX = 24, /* bays in one pouch */
    MACHINE_SERIAL_BYTES = 9, /* 8 ASCII characters and the NUL */
    MACHINE_TOKEN_BYTES = 33, /* printed pouch number, 32 ASCII characters and the NUL */
    MACHINE_ALARM_WORDS = 8,  /* 16 alarms each: alarm number = 16 * word + bit, bit 0 the lowest */
    MACHINE_BAYS_MAX = 512,
    MACHINE_BAYS_PER_READ = 15, /* bay rows in one answer */
};

/* What a command that can move something came to. */
enum machine_did { MACHINE_DONE, MACHINE_NOT_DONE, MACHINE_UNKNOWN };

/* PackML unit modes, states and commands with their standard numbers. */
enum machine_mode { MACHINE_MODE_PRODUCTION = 1, MACHINE_MODE_MAINTENANCE = 2, MACHINE_MODE_MANUAL = 3 };

#define MACHINE_STATE_TABLE(X)          \
    X(CLEARING, 1, "Clearing")          \
    X(STOPPED, 2, "Stopped")            \
    X(STARTING, 3, "Starting")          \
    X(IDLE, 4, "Idle")                  \
    X(SUSPENDED, 5, "Suspended")        \
    X(EXECUTE, 6, "Execute")            \
    X(STOPPING, 7, "Stopping")          \
    X(ABORTING, 8, "Aborting")          \
    X(ABORTED, 9, "Aborted")            \
    X(HOLDING, 10, "Holding")           \
    X(HELD, 11, "Held")                 \
    X(UNHOLDING, 12, "Unholding")       \
    X(SUSPENDING, 13, "Suspending")     \
    X(UNSUSPENDING, 14, "Unsuspending") \
    X(RESETTING, 15, "Resetting")       \
    X(COMPLETING, 16, "Completing")     \
    X(COMPLETE, 17, "Complete")

enum machine_state {
#define MACHINE_STATE_ENUM(name, number, text) MACHINE_STATE_##name = number,
    MACHINE_STATE_TABLE(MACHINE_STATE_ENUM)
#undef MACHINE_STATE_ENUM
};

#define MACHINE_COMMAND_TABLE(X)                                                                   \
    X(NONE, 0, "none")                                                                             \
    X(RESET, 1, "Reset")                                                                           \
    X(START, 2, "Start")                                                                           \
    X(STOP, 3, "Stop")                                                                             \
    X(HOLD, 4, "Hold")                                                                             \
    X(UNHOLD, 5, "Unhold")                                                                         \
    X(SUSPEND, 6, "Suspend")                                                                       \
    X(UNSUSPEND, 7, "Unsuspend")                                                                   \
    X(ABORT, 8, "Abort")                                                                           \
    X(CLEAR, 9, "Clear")                                                                           \
    X(CONFIRM_REMOVED, 20, "Confirm removed") /* a person took the doubtful pouch out (rule M6) */ \
    X(CANCEL_FROM, 21, "Cancel from")         /* argument: seq; answered by results CANCELLED (rule C8) */

enum machine_command {
#define MACHINE_COMMAND_ENUM(name, number, text) MACHINE_COMMAND_##name = number,
    MACHINE_COMMAND_TABLE(MACHINE_COMMAND_ENUM)
#undef MACHINE_COMMAND_ENUM
};

/* Outcome of one sequence number as the machine's non-volatile record has it. */
enum machine_outcome { MACHINE_GOOD = 1, MACHINE_VOID = 2, MACHINE_CANCELLED = 3 };

/* Why an outcome is not GOOD: first cause. */
#define MACHINE_REASON_TABLE(X)                    \
    X(NONE, 0, "none")                             \
    X(COUNT, 1, "wrong count")                     \
    X(EMPTY, 2, "canister empty")                  \
    X(JAM, 3, "jam")                               \
    X(LATE_DROP, 4, "late drop")                   \
    X(SEAL, 5, "seal temperature out of band")     \
    X(PRINT, 6, "print not readable")              \
    X(FILM, 7, "film fault or splice")             \
    X(VISION, 8, "vision mismatch")                \
    X(WEIGHT, 9, "weight mismatch")                \
    X(POWER_LOSS, 10, "power lost in mid pouch")   \
    X(ABORTED, 11, "machine aborted in mid pouch") \
    X(CANCELLED, 12, "cancelled before filling")   \
    X(BAY_LOCKED, 13, "bay locked")                \
    X(BROKEN_PILL, 14, "broken pill")

enum machine_reason {
#define MACHINE_REASON_ENUM(name, number, text) MACHINE_REASON_##name = number,
    MACHINE_REASON_TABLE(MACHINE_REASON_ENUM)
#undef MACHINE_REASON_ENUM
};

/* Alarm numbers of sachet-packer/1: bit number in the alarm words. X(name, number, text, one safe next step)
 */
#define MACHINE_ALARM_TABLE(X)                                                                               \
    X(ESTOP, 0, "emergency stop pressed", "make safe, release the button, then Clear, Reset, Start")         \
    X(GUARD_OPEN, 1, "guard door open", "close the door, then Clear, Reset, Start")                          \
    X(GUARD_DISCREPANCY, 2, "guard channels disagree", "call service: a safety switch is faulty")            \
    X(DOUBTFUL_POUCH, 3, "pouch in doubt after a stop", "take the pouch with the shown number out, confirm") \
    X(NV_FAULT, 4, "non-volatile memory bad", "call service: the machine must not run")                      \
    X(CANISTER_EMPTY, 5, "canister empty", "refill the shown bay with the same product, then Unhold")        \
    X(JAM, 6, "jam in a bay", "clear the bay, then Unhold")                                                  \
    X(SENSOR_FAULT, 7, "count sensor stuck or dead", "clean the sensor of the bay, then Unhold")             \
    X(FILM_OUT, 8, "film out", "thread new film, then Unhold")                                               \
    X(RIBBON_OUT, 9, "ribbon out", "change the ribbon, then Unhold")                                         \
    X(PRINTER, 10, "printer fault", "check the print head, then Unhold")                                     \
    X(SEAL_COLD, 11, "seal below its band", "wait until it is warm")                                         \
    X(SEAL_HOT, 12, "seal above its band", "let it cool, call service if it returns")                        \
    X(THERMOCOUPLE, 13, "seal thermocouple broken", "call service")                                          \
    X(CONTROLLER_SILENT, 14, "controller silent", "look at the controller; packing goes on when it is back") \
    X(CANISTER_WRONG, 15, "wrong canister in a bay", "seat the right canister")                              \
    X(CANISTER_LID, 16, "canister lid open", "close the lid, then Unhold")                                   \
    X(FILM_SLIP, 17, "film slipped", "check the film path, then Unhold")                                     \
    X(VISION_FAULT, 18, "camera fault", "call service")                                                      \
    X(WEIGHER_FAULT, 19, "weigher fault", "call service")

enum machine_alarm {
#define MACHINE_ALARM_ENUM(name, number, text, step) MACHINE_ALARM_##name = number,
    MACHINE_ALARM_TABLE(MACHINE_ALARM_ENUM)
#undef MACHINE_ALARM_ENUM
        MACHINE_ALARM_NONE = 0xFFFF,
};

/* Capability bits of the identity block. */
enum { MACHINE_CAP_FC23 = 1, MACHINE_CAP_WEIGHER = 2, MACHINE_CAP_VISION = 4, MACHINE_CAP_SIMULATED = 8 };

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
    uint16_t command_result; /* 0 none, 1 taken, 2 refused in this state */
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

enum {
    MACHINE_CHECK_SEALED = 1,     /* seal sensor confirmed */
    MACHINE_CHECK_PRINT_READ = 2, /* printed number read back and equal */
    MACHINE_CHECK_VISION_OK = 4,  /* only where the machine has a camera */
    MACHINE_CHECK_WEIGHT_OK = 8,  /* only where it has a weigher */
    MACHINE_CHECK_LATE_DROP = 16, /* a pill fell outside its window: this pouch and the next are void */
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
};

enum machine_request_kind {
    MACHINE_IDENTIFY,    /* connect and read identity */
    MACHINE_READ_STATUS, /* the mirror */
    MACHINE_CONTROL,     /* write the control block */
    MACHINE_PUT_JOB,     /* write the mailbox */
    MACHINE_READ_RESULT, /* ring record of `seq` */
    MACHINE_READ_BAYS,   /* MACHINE_BAYS_PER_READ rows from `bay` */
};

struct machine_request {
    enum machine_request_kind kind;
    uint32_t id;          /* the caller's, comes back in the answer */
    uint32_t deadline_ms; /* from submission; 0: the backend's default */
    union {
        struct machine_control control;
        struct machine_job job;
        uint32_t seq;
        uint16_t bay;
    };
};

struct machine_answer {
    enum machine_request_kind kind;
    uint32_t id;
    enum machine_did did;
    int code; /* 0 or an error code: E_LINK, E_TIMEOUT, E_FRAME, E_DEVICE, E_MISMATCH, E_FENCED, E_NOT_FOUND
               */
    uint32_t took_ms;
    union {
        struct machine_identity identity;
        struct machine_status status;
        struct machine_result result; /* its seq is the one asked for, else code is E_NOT_FOUND */
        struct {
            uint16_t first;
            uint16_t count;
            struct machine_bay rows[MACHINE_BAYS_PER_READ];
        } bays;
    };
};

/* Per line, for people (spec: machine, section 7). */
struct machine_counters {
    uint64_t requests;
    uint64_t timeouts;
    uint64_t frame_errors; /* CRC, length, transaction id */
    uint64_t exceptions;
    uint64_t reconnects;
    uint32_t worst_ms;
};

struct machine;

/* All methods are mandatory. `machine` is the first member of a backend's own struct. */
struct machine_ops {
    const char *name;
    int (*check)(struct machine *machine, const struct machine_request *request, struct error *err);
    int (*submit)(struct machine *machine, const struct machine_request *request, struct error *err);
    bool (*poll)(struct machine *machine, struct machine_answer *ret_answer);
    int (*fd)(struct machine *machine); /* -1: no fd, poll it from a timer */
    /* Forgets what waits in the queue and, if it can, asks the machine to suspend. Idempotent, callable in
     * any state. */
    void (*make_safe)(struct machine *machine);
    void (*counters)(struct machine *machine, struct machine_counters *ret_counters);
    void (*destroy)(struct machine *machine);
};

struct machine {
    const struct machine_ops *ops;
};

int machine_check(struct machine *machine, const struct machine_request *request, struct error *err);
int machine_submit(struct machine *machine, const struct machine_request *request, struct error *err);
bool machine_poll(struct machine *machine, struct machine_answer *ret_answer);
int machine_fd(struct machine *machine);
void machine_make_safe(struct machine *machine);
void machine_counters(struct machine *machine, struct machine_counters *ret_counters);
/* NULL is allowed. */
void machine_destroy(struct machine *machine);

/* Names for people; "?" for numbers outside the table. */
const char *machine_state_name(enum machine_state state);
const char *machine_command_name(enum machine_command command);
const char *machine_reason_text(enum machine_reason reason);
const char *machine_alarm_text(unsigned alarm);
const char *machine_alarm_next_step(unsigned alarm);
bool machine_alarm_is_up(const struct machine_status *status, unsigned alarm);

#endif
