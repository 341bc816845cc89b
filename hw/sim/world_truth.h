/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world_truth: what really happened in a simulated machine: pouches with their true contents and fate, and
 * the events of its log. For checkers and rigs; the controller never sees any of it.
 */
#ifndef HW_SIM_WORLD_TRUTH_H
#define HW_SIM_WORLD_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine_values.h"

struct buf;

/* What can go wrong once: with one piece, and from FILM_SLIP on with one pouch. X(name, word, text) */
#define WORLD_FAULT_TABLE(X)                                                                               \
    X(NONE, "none", "nothing")                                                                             \
    X(MISSED, "missed", "the pocket was empty: no pulse")                                                  \
    X(TWINS, "twins", "two pieces fall, the sensor sees two")                                              \
    X(TWINS_UNSEEN, "twins-unseen", "two pieces fall, the sensor sees one")                                \
    X(BROKEN, "broken", "the piece breaks, the sensor notices")                                            \
    X(LATE, "late", "the piece hangs and falls after its window closed")                                   \
    X(JAM, "jam", "the rotor sticks; two automatic reversals are tried")                                   \
    X(BOUNCE, "bounce", "the sensor gives two to six edges within 5 ms; the debounce may let one through") \
    X(FILM_SLIP, "film-slip", "the film slips under one pouch")                                            \
    X(SPLICE, "splice", "a splice of the reel lies in one pouch")                                          \
    X(PRINT_BLANK, "print-blank", "the printed number of one pouch is not readable")                       \
    X(PRINT_SHIFT, "print-shift", "one pouch bears the number of the one before")                          \
    X(SEAL_WEAK, "seal-weak", "one seal does not close although it is warm")                               \
    X(CAMERA_ALARM, "camera-alarm", "the camera refuses one right pouch")                                  \
    X(CAMERA_MISS, "camera-miss", "the camera passes one pouch whatever lies in it")                       \
    X(WEIGHT_ALARM, "weight-alarm", "the weigher refuses one right pouch")

enum world_fault {
#define WORLD_FAULT_ENUM(name, word, text) WORLD_FAULT_##name,
    WORLD_FAULT_TABLE(WORLD_FAULT_ENUM)
#undef WORLD_FAULT_ENUM
        WORLD_FAULTS,
    WORLD_FAULT_OF_POUCH = WORLD_FAULT_FILM_SLIP, /* this one and all after it */
};

/* What lasts until somebody mends it. X(name, word, of a bay, what the value says) */
#define WORLD_TROUBLE_TABLE(X)                                                                     \
    X(SENSOR_DEAD, "sensor-dead", true, "1: the count sensor sees nothing")                        \
    X(SENSOR_DUST, "sensor-dust", true, "1: the count sensor is dark all the time")                \
    X(SENSOR_BOUNCE, "sensor-bounce", true, "1: every piece bounces")                              \
    X(LID_OPEN, "lid-open", true, "1: the canister's lid is open")                                 \
    X(DOOR_CHANNEL, "door-channel", false, "second channel 1: stuck closed, 2: broken wire, open") \
    X(ESTOP_CHANNEL, "estop-channel", false, "second channel 1: stuck healthy, 2: broken wire")    \
    X(HEATER_OPEN, "heater-open", false, "1: the sealer's heater is broken")                       \
    X(THERMOCOUPLE, "thermocouple", false, "1: broken, reads its maximum")                         \
    X(SEAL_DRIFT, "seal-drift", false, "the set point runs away, 0.1 degrees Celsius a minute")    \
    X(SEAL_WEAK, "seal-bar", false, "1: the sealing bar is worn, seals do not close")              \
    X(FILM_SENSOR, "film-sensor", false, "1: the pouch sensor is dirty and sees slips")            \
    X(PRINT_HEAD, "print-head", false, "1: the print head is too hot")                             \
    X(CAMERA_BLIND, "camera-blind", false, "1: the camera passes everything")                      \
    X(CAMERA_DEAD, "camera-dead", false, "1: the camera does not answer")                          \
    X(WEIGHER_DRIFT, "weigher-drift", false, "mg that the weigher reads too much")                 \
    X(WEIGHER_DEAD, "weigher-dead", false, "1: the weigher does not answer")                       \
    X(STATE_STUCK, "state-stuck", false, "1: no acting state ends")                                \
    X(SLOW, "slow", false, "permille that is added to the cycle")

enum world_trouble {
#define WORLD_TROUBLE_ENUM(name, word, of_bay, text) WORLD_TROUBLE_##name,
    WORLD_TROUBLE_TABLE(WORLD_TROUBLE_ENUM)
#undef WORLD_TROUBLE_ENUM
        WORLD_TROUBLES,
    WORLD_TROUBLE_OF_MACHINE = WORLD_TROUBLE_DOOR_CHANNEL, /* this one and all after it */
};

enum world_fate {
    WORLD_FATE_OPEN,      /* in the machine, nothing recorded yet */
    WORLD_FATE_GOOD,      /* left the machine with a good record */
    WORLD_FATE_VOID,      /* recorded void and diverted, or taken out by a person */
    WORLD_FATE_DOUBT,     /* the machine stopped under it */
    WORLD_FATE_CANCELLED, /* never begun */
};

enum { WORLD_TRUE_PARTS_MAX = MACHINE_ENTRIES_MAX + 8 };

struct world_truth {
    uint32_t seq;
    uint32_t hash;
    char token[MACHINE_TOKEN_BYTES]; /* "" for a pouch that a killed process left behind */
    enum world_fate fate;
    bool printed; /* a pouch with this number exists */
    bool sealed;
    bool weak; /* sealed, but not closed or not warm enough */
    uint16_t part_count;
    struct {
        uint16_t bay;
        uint16_t pieces; /* broken ones count */
        uint32_t canister;
    } parts[WORLD_TRUE_PARTS_MAX];
    uint16_t foreign; /* pieces that fell in late, beside the parts' own */
    uint16_t broken;
    uint32_t boot;
    int64_t begun_us;
};

/* True when the pouch holds exactly what the job asked for, and nothing broken. */
bool world_truth_fits(const struct world_truth *truth, const struct machine_job *job);

enum { WORLD_EVENT_VALUES = 4 };

/* One line of the event log. */
struct world_event {
    int64_t t_us; /* mechanics' time since the world was made */
    unsigned machine;
    uint32_t seq; /* 0: concerns no pouch */
    const char *name;
    const char *text; /* NULL or printable ASCII */
    int values;
    struct {
        const char *key;
        int64_t value;
    } value[WORLD_EVENT_VALUES];
};

/* Adds one JSON object and a line feed (NDJSON): t, m, seq, ev, then the values. */
void world_event_write(const struct world_event *event, struct buf *out);

const char *world_fate_name(enum world_fate fate);
const char *world_fault_word(enum world_fault fault);
const char *world_trouble_word(enum world_trouble trouble);
const char *world_trouble_text(enum world_trouble trouble);
bool world_trouble_is_of_bay(enum world_trouble trouble);
/* WORLD_FAULTS or WORLD_TROUBLES: no such word. */
enum world_fault world_fault_find(const char *word);
enum world_trouble world_trouble_find(const char *word);

#endif
