/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_codes: what a machine says of a pouch and of itself: outcomes, reasons, sensor checks, alarms,
 * capabilities. One table each feeds the names, the decoder and the documents. Pure tables, any thread.
 */
#ifndef HW_MACHINE_CODES_H
#define HW_MACHINE_CODES_H

#include <stdbool.h>

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

/* What the sensors said of one pouch. */
enum {
    MACHINE_CHECK_SEALED = 1,     /* seal sensor confirmed */
    MACHINE_CHECK_PRINT_READ = 2, /* printed number read back and equal */
    MACHINE_CHECK_VISION_OK = 4,  /* only where the machine has a camera */
    MACHINE_CHECK_WEIGHT_OK = 8,  /* only where it has a weigher */
    MACHINE_CHECK_LATE_DROP = 16, /* a pill fell outside its window: this pouch and the next are void */
};

/* Capability bits of the identity block. */
enum { MACHINE_CAP_FC23 = 1, MACHINE_CAP_WEIGHER = 2, MACHINE_CAP_VISION = 4, MACHINE_CAP_SIMULATED = 8 };

/* Texts for people; "?" for numbers outside the table. */
const char *machine_outcome_name(enum machine_outcome outcome);
const char *machine_reason_text(enum machine_reason reason);
const char *machine_alarm_name(unsigned alarm); /* "FILM_OUT" */
const char *machine_alarm_text(unsigned alarm);
const char *machine_alarm_next_step(unsigned alarm);
bool machine_reason_known(unsigned number);
bool machine_outcome_known(unsigned number);

#endif
