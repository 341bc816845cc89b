/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading: what one order says about taking its drug, after everything that could be doubted has been
 * refused.
 *
 * Amounts are milli-pieces of the order's product (1000 = one tablet). A reading has phases; phases with
 * different `group` follow one another (a taper), phases of one group run side by side (2 in the morning, 1
 * in the evening). Plain data, no pointers: copy it freely. The stored form is JSON `sachet-reading/1`.
 */
#ifndef CONTROLLER_INTAKE_READING_H
#define CONTROLLER_INTAKE_READING_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct error;

enum {
    READING_PHASES_MAX = 16,
    READING_DOSES_MAX = 12, /* doses of one day in one phase */
    READING_EVERY_MAX = 366,
};

/*
 * When a dose is due. X(name, text); the words are FHIR's event-timing codes where one exists. Others: ANY at
 * a time of the site's choice; CLOCK at `minute`, a clock time that the prescriber wrote; INTERVAL doses of
 * the phase stand `interval_min` apart, by the clock.
 */
#define READING_WHEN_TABLE(X) \
    X(ANY, "any")             \
    X(CLOCK, "clock")         \
    X(INTERVAL, "interval")   \
    X(MORN, "MORN")           \
    X(NOON, "NOON")           \
    X(AFT, "AFT")             \
    X(EVE, "EVE")             \
    X(NIGHT, "NIGHT")         \
    X(HS, "HS")               \
    X(WAKE, "WAKE")           \
    X(C, "C")                 \
    X(CM, "CM")               \
    X(CD, "CD")               \
    X(CV, "CV")               \
    X(AC, "AC")               \
    X(ACM, "ACM")             \
    X(ACD, "ACD")             \
    X(ACV, "ACV")             \
    X(PC, "PC")               \
    X(PCM, "PCM")             \
    X(PCD, "PCD")             \
    X(PCV, "PCV")

enum reading_when {
#define READING_WHEN_ENUM(name, text) READING_##name,
    READING_WHEN_TABLE(READING_WHEN_ENUM)
#undef READING_WHEN_ENUM
        READING_WHEN_COUNT
};

struct reading_dose {
    int64_t amount_milli; /* > 0 */
    enum reading_when when;
    int minute;     /* CLOCK: clock minute 0..1439; else 0 */
    int offset_min; /* FHIR offset: before AC*, HS; after all others; 0 none */
};

struct reading_phase {
    int group;         /* rising: one after the other; equal: side by side */
    int every_days;    /* 1 daily, 2 every other day, 7 weekly … */
    unsigned weekdays; /* bit 0 Monday .. bit 6 Sunday; 0: not by weekday. With weekdays every_days is 1 */
    int interval_min;  /* > 0 only for INTERVAL doses */
    int32_t start_day; /* first day, or CIVIL_DAY_NONE: follows the group before, or the plan's start */
    int32_t end_day;   /* last day inclusive, or CIVIL_DAY_NONE: open */
    int length_days;   /* 0 open; else the phase lasts this long from its start */
    int dose_count;    /* 1..READING_DOSES_MAX */
    struct reading_dose doses[READING_DOSES_MAX]; /* of one day, in order of the order's text */
};

struct reading {
    bool as_needed;            /* PRN: never into a pouch */
    int64_t max_per_day_milli; /* 0: not stated */
    int phase_count;
    struct reading_phase phases[READING_PHASES_MAX];
};

const char *reading_when_text(enum reading_when when);
bool reading_when_parse(const char *text, enum reading_when *ret_when);

/* Adds the JSON form (one line, keys in fixed order) to out. */
void reading_write(const struct reading *reading, struct buf *out);
/* Reads the JSON form and checks every limit; E_SYNTAX, E_LIMIT or E_VERSION. */
int reading_parse(const char *json, struct reading *ret_reading, struct error *err);
/* One line for people: "1 tablet at 08:00 and 20:00, every day". */
void reading_describe(const struct reading *reading, const char *unit, struct buf *out);

#endif
