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

#include "config/base/faults.h"
#include "hw/machine_values.h"

struct buf;

/* What can go wrong once, and what lasts until somebody mends it (config/base/faults.h). */
enum world_fault {
#define WORLD_FAULT_ENUM(name, word, text) WORLD_FAULT_##name,
    FAULT_TABLE(WORLD_FAULT_ENUM)
#undef WORLD_FAULT_ENUM
        WORLD_FAULTS,
    WORLD_FAULT_OF_POUCH = WORLD_FAULT_FILM_SLIP, /* this one and all after it */
};

enum world_trouble {
#define WORLD_TROUBLE_ENUM(name, word, of_bay, text) WORLD_TROUBLE_##name,
    TROUBLE_TABLE(WORLD_TROUBLE_ENUM)
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
const char *world_trouble_word(enum world_trouble trouble);
bool world_trouble_is_of_bay(enum world_trouble trouble);

#endif
