/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario: what happens to a simulated machine and its line, when, and what must come of it. Plain values,
 * read from a sachet-scenario/1 file by config/scenario.h; hw/sim/director.h plays the part of the machine.
 * Texts and lists belong to whoever read the file. Immutable, any thread.
 */
#ifndef CONFIG_BASE_SCENARIO_H
#define CONFIG_BASE_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/faults.h"

enum { SCENARIO_EVENTS_MAX = 64, SCENARIO_LIST_MAX = 16, SCENARIO_ALWAYS = 0 };

/* Everything that can be done, in the order of the tables of faults.h: one number a word. */
enum scenario_action {
#define ENUM3(name, word, text)         SCENARIO_FAULT_##name,
#define ENUM4(name, word, of_bay, text) SCENARIO_TROUBLE_##name,
    FAULT_TABLE(ENUM3) TROUBLE_TABLE(ENUM4)
#undef ENUM3
#define ENUM3(name, word, text) SCENARIO_HAND_##name,
        HAND_TABLE(ENUM3)
#undef ENUM3
#define ENUM3(name, word, text) SCENARIO_LINE_##name,
            LINE_FAULT_TABLE(ENUM3)
#undef ENUM3
#define ENUM3(name, word, text) SCENARIO_CREW_##name,
                CREW_TABLE(ENUM3)
#undef ENUM3
#undef ENUM4
                    SCENARIO_ACTIONS,
    /* first of each table */
    SCENARIO_FAULTS = 0,
    SCENARIO_TROUBLES = SCENARIO_TROUBLE_SENSOR_DEAD,
    SCENARIO_HANDS = SCENARIO_HAND_POWER_OFF,
    SCENARIO_LINE_FAULTS = SCENARIO_LINE_LOSE_REQUEST,
    SCENARIO_CREW = SCENARIO_CREW_KILL,
};

/* NULL-ended, by enum scenario_action. */
extern const char *const scenario_action_words[];
const char *scenario_action_text(enum scenario_action action);
/* The action needs a bay. */
bool scenario_action_of_bay(enum scenario_action action);
/* What takes it back after `for`; SCENARIO_ACTIONS: it cannot be taken back. A trouble is taken back by
 * itself with value 0. */
enum scenario_action scenario_action_undo(enum scenario_action action);
/* SCENARIO_ACTIONS: no such word. */
enum scenario_action scenario_action_find(const char *word);

/* One a row of PHYSICS_TABLE. */
enum {
#define PHYSICS_COUNT(field, key, kind, factor, least, most, usual, text) +1
    SCENARIO_PHYSICS = 0 PHYSICS_TABLE(PHYSICS_COUNT),
#undef PHYSICS_COUNT
};
#define SCENARIO_USUAL INT64_MIN

enum scenario_trigger {
    SCENARIO_AT,    /* a time since the start */
    SCENARIO_POUCH, /* a phase of the pouch with a number */
    SCENARIO_STATE, /* the nth time that a state is entered */
    SCENARIO_DROP,  /* the nth piece that falls from a bay */
    SCENARIO_RATE,  /* by chance at each pouch that is begun */
};

/* Of a pouch: names of the log's events. */
extern const char *const scenario_phases[];
/* The machine's states by their names in the log; NULL-ended. */
extern const char *const scenario_states[];
/* The machine's alarms by their names, in the order of their numbers; NULL-ended. */
extern const char *const scenario_alarms[];

/* One thing to do; bay, canister, value and text as the action's row of faults.h says. */
struct scenario_deed {
    enum scenario_action action;
    uint16_t bay;
    uint32_t canister;
    int32_t value;
    const char *text; /* "" */
};

struct scenario_event {
    enum scenario_trigger trigger;
    int64_t at_us;        /* AT */
    uint32_t pouch;       /* POUCH: its number; SCENARIO_ALWAYS: any */
    const char *word;     /* POUCH: the phase; STATE: its name */
    uint32_t nth;         /* STATE, DROP */
    uint16_t drop_bay;    /* DROP */
    uint32_t per_million; /* RATE */
    int64_t after_us;     /* between trigger and deed */
    int64_t for_us;       /* until it is taken back; 0: never */
    uint32_t times;       /* at most; SCENARIO_ALWAYS: without end */
    struct scenario_deed deed;
};

/* What the machine is like where it is not as usual. */
struct scenario_machine {
    uint32_t speed;
    uint32_t pouches_a_minute;
    uint32_t faults_percent; /* of the usual rates */
    uint16_t map_version;
    uint16_t fill;
    bool camera;
    bool weigher;
    bool panel; /* switches, buttons and lights stand beside it, on lines of the controller */
    bool cold;
    bool mends;                        /* a patient operator mends before Unhold and Reset */
    int64_t physics[SCENARIO_PHYSICS]; /* as in the file; SCENARIO_USUAL: not said there */
};

/* -1 and "" : not looked at. */
struct scenario_expect {
    const char *batch; /* state that it ends in */
    const char *note;  /* words of its note */
    int64_t good;
    int64_t voids_least, voids_most;
    int64_t fills_most; /* numbers given out */
    int64_t slips;      /* good by the store, wrong in truth: 0 but where a hazard has no control yet */
    int64_t drift_most; /* pieces by which books and truth may differ at the end */
    const char *alarms[SCENARIO_LIST_MAX];
    int alarm_count;
    const char *reasons[SCENARIO_LIST_MAX]; /* words of the reason of a void pouch */
    int reason_count;
    const char *blocked; /* words of the note of a pouch that could not be made */
    const char *state;   /* of the machine at the end */
    bool halted;         /* the line refuses to go on */
};

struct scenario {
    const char *name;
    const char *title;
    const char *hazards[SCENARIO_LIST_MAX];
    int hazard_count;
    const char *control; /* against it */
    uint64_t seed;
    struct scenario_machine machine;
    int patients;
    int days;
    bool attend; /* a stand-in for the operator acts */
    int64_t limit_ms;
    struct scenario_event events[SCENARIO_EVENTS_MAX];
    int event_count;
    struct scenario_expect expect;
};

#endif
