/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regimen: what one patient takes, as the slot scheduler sees it (format "sachet-regimen/1", described in
 * scheduler/regimen-format.md).
 *
 * Whoever builds a regimen owns its memory, usually an arena: the regimen_* builders below take all of theirs
 * from the arena that they are given, and nothing here is freed one by one. Times are minutes after
 * patient.day_start, 0..1439; only multiples of `grid` count. A drug, a dose or a pair is referred to by its
 * place in the arrays; regimen_sort brings drugs and pairs into canonical order, so build first, sort last.
 * Pure, any thread, never blocks.
 *
 * The way to a schedule: regimen_create, fill, regimen_compile (windows to intervals), regimen_check,
 * regimen_sort, slots_solve. regimen_ready does the middle three in one call.
 */
#ifndef SCHEDULER_REGIMEN_H
#define SCHEDULER_REGIMEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct error;

enum {
    REGIMEN_DRUGS_MAX = 64,
    REGIMEN_DOSES_MAX = 128,         /* over all drugs */
    REGIMEN_SEPARATIONS_MAX = 1024,  /* separations[] */
    REGIMEN_PAIRS_MAX = 1024,        /* same_slot[] and not_same_slot[], each */
    REGIMEN_INTERVALS_MAX = 96,      /* of one dose, of one soft term */
    REGIMEN_SOFT_MAX = 16,           /* soft terms of one dose */
    REGIMEN_SOFT_COST_MAX = 1000000, /* of one soft term */
    REGIMEN_WINDOW_DEPTH_MAX = 8,    /* or/and within or/and */
    REGIMEN_WINDOW_PARTS_MAX = 16,   /* members of one or/and */
    REGIMEN_PERIOD_MAX = 384,        /* days until the calendar repeats */
    REGIMEN_ID_BYTES_MAX = 128,
    REGIMEN_NAME_BYTES_MAX = 512,
    REGIMEN_PILLS_MILLI_MAX = 100000, /* of one dose: 100 pieces */
    REGIMEN_DAY = 1440,               /* minutes */
    REGIMEN_NONE = -1,                /* an absent bound, meal or time */
};

enum regimen_meal { REGIMEN_BREAKFAST, REGIMEN_LUNCH, REGIMEN_DINNER, REGIMEN_MEALS };

/* Minutes after day_start; a meal that is not eaten is REGIMEN_NONE. */
struct regimen_patient {
    int day_start; /* clock minute 0..1439 at which the logical day begins, before waking */
    int wake;
    int bed;
    int meals[REGIMEN_MEALS];
};

/* Both ends included. */
struct regimen_interval {
    int from;
    int to;
};

struct regimen_intervals {
    const struct regimen_interval *item;
    size_t count;
};

/* Days 0..period-1 as a set of bits. */
struct regimen_days {
    uint64_t word[REGIMEN_PERIOD_MAX / 64];
};

/* Clinical rules for the time of a dose; parameters and defaults stand in scheduler/regimen-format.md. */
enum regimen_window_kind {
    REGIMEN_WINDOW_ANY,
    REGIMEN_WINDOW_INTERVALS, /* no rule: the intervals of `allowed` say it all */
    REGIMEN_WINDOW_WITH_FOOD,
    REGIMEN_WINDOW_EMPTY_STOMACH,
    REGIMEN_WINDOW_BEFORE_MEAL,
    REGIMEN_WINDOW_AFTER_LAST_MEAL,
    REGIMEN_WINDOW_ON_WAKING,
    REGIMEN_WINDOW_MORNING,
    REGIMEN_WINDOW_EVENING,
    REGIMEN_WINDOW_BEDTIME,
    REGIMEN_WINDOW_FROM_WAKE,
    REGIMEN_WINDOW_BEFORE_BED,
    REGIMEN_WINDOW_OR,
    REGIMEN_WINDOW_AND,
    REGIMEN_WINDOW_KINDS,
};

/* Parameters are minutes; REGIMEN_WINDOW_DEFAULT takes the kind's default. */
#define REGIMEN_WINDOW_DEFAULT INT32_MIN
struct regimen_window {
    enum regimen_window_kind kind;
    unsigned meals; /* bit 1 << enum regimen_meal; 0: all meals that are eaten */
    int before;     /* with_food, empty_stomach, evening */
    int after;      /* with_food, empty_stomach */
    int min;        /* before_meal, after_last_meal, before_bed */
    int max;        /* before_meal */
    int within;     /* on_waking, morning, bedtime */
    int from;       /* from_wake */
    int to;         /* from_wake */
    const struct regimen_window *parts;
    size_t part_count; /* or, and */
};

/* cost is paid when the time lies in none of unless_in. */
struct regimen_soft {
    int64_t cost;
    struct regimen_intervals unless_in;
};

struct regimen_dose {
    struct regimen_intervals allowed;    /* item NULL: compiled from window */
    const struct regimen_window *window; /* NULL: none given */
    const struct regimen_soft *soft;
    size_t soft_count;
    int64_t pills_milli;
};

struct regimen_drug {
    const char *id;
    const char *name;
    struct regimen_days days;
    struct regimen_dose *doses; /* in order within the day */
    size_t dose_count;
    int gap_min, gap_max;             /* between consecutive doses of one day, or REGIMEN_NONE */
    int overnight_min, overnight_max; /* last dose to the next day's first, or REGIMEN_NONE */
    const int *previous;              /* one time a dose, or NULL */
    bool unbalanced;                  /* JSON "balance": false */
    /* Extension same_state: all doses of the drug lie inside these intervals or all lie outside. */
    bool same_state;
    struct regimen_intervals state;
    const struct regimen_window *state_window; /* compiled to `state` when that is empty */
};

/* a and b are places in drugs[]. Every dose of b lies at least `after` later than a dose of a, or at least
 * `before` earlier, on shared days and across the night; both 0: no limit. */
struct regimen_separation {
    const char *id;
    size_t a, b;
    int after, before;
    /* Extension either_or: or taken together, at one time that lies in these intervals. */
    bool or_together;
    struct regimen_intervals together;
    const struct regimen_window *together_window; /* compiled to `together` when that is empty */
};

struct regimen_pair {
    const char *id;
    size_t a, b;
};

struct regimen {
    const char *id;
    int grid;
    int period_days;
    int pouch_max_pills; /* information only; 0 not given */
    struct regimen_patient patient;
    struct regimen_drug *drugs;
    size_t drug_count;
    struct regimen_separation *separations;
    size_t separation_count;
    struct regimen_pair *same_slot;
    size_t same_slot_count;
    struct regimen_pair *not_same_slot;
    size_t not_same_slot_count;
};

/* An empty regimen with room for every limit above, or NULL without memory. The id is copied. */
struct regimen *regimen_create(struct arena *arena, const char *id, int grid, int period_days);

/* Appends a drug with dose_count doses (each one piece, no window, no bounds), taken every day. The texts are
 * copied. E_LIMIT, E_MEMORY. The pointer is valid until regimen_sort. */
int regimen_add_drug(struct regimen *regimen, struct arena *arena, const char *id, const char *name,
                     size_t dose_count, struct regimen_drug **ret, struct error *err);
/* drug_a and drug_b are places in drugs[] before sorting. E_LIMIT, E_MEMORY. */
int regimen_add_separation(struct regimen *regimen, struct arena *arena, const char *id, size_t drug_a,
                           size_t drug_b, int after, int before, struct error *err);
int regimen_add_same_slot(struct regimen *regimen, struct arena *arena, const char *id, size_t drug_a,
                          size_t drug_b, struct error *err);
int regimen_add_not_same_slot(struct regimen *regimen, struct arena *arena, const char *id, size_t drug_a,
                              size_t drug_b, struct error *err);
/* Copies intervals into the arena. E_MEMORY. */
int regimen_intervals_copy(struct regimen_intervals *to, struct arena *arena,
                           const struct regimen_interval *item, size_t count, struct error *err);

/* Turns every `window` without intervals (doses, same_state, either_or) into intervals. E_MEMORY. A rule that
 * leaves no time of day gives no interval: the solver calls the regimen infeasible by window:<drug>. */
int regimen_compile(struct regimen *regimen, struct arena *arena, struct error *err);
/* Everything that regimen-format.md demands: limits, ranges, references, unique ids. E_INPUT or E_LIMIT, the
 * message names the place. */
int regimen_check(const struct regimen *regimen, struct error *err);
/* Canonical order: drugs by id as bytes, pairs by id as bytes; places in the pairs follow. Needs unique ids.
 * E_MEMORY. */
int regimen_sort(struct regimen *regimen, struct arena *arena, struct error *err);
/* regimen_compile, regimen_check, regimen_sort. */
int regimen_ready(struct regimen *regimen, struct arena *arena, struct error *err);
/* What an instance hash is taken over: appends a text that is the same for the same regimen in any order of
 * drugs and pairs (times as grid points, windows as compiled, texts with their lengths). The regimen must be
 * ready. */
void regimen_canonical(const struct regimen *regimen, struct buf *out);

size_t regimen_dose_total(const struct regimen *regimen);
/* The place of the drug with this id, or drug_count. */
size_t regimen_find_drug(const struct regimen *regimen, const char *id);
bool regimen_intervals_hold(struct regimen_intervals intervals, int minute);

void regimen_days_add(struct regimen_days *days, int day);
bool regimen_days_have(const struct regimen_days *days, int day);
void regimen_days_all(struct regimen_days *days, int period_days);
/* True when some day d is in a and (d + offset) mod period_days is in b; offset -1, 0 or 1. */
bool regimen_days_meet(const struct regimen_days *a, const struct regimen_days *b, int offset,
                       int period_days);

/* scheduler/windows.c. Grid times of the rule for this patient as disjoint ascending intervals; returns their
 * number (at most REGIMEN_INTERVALS_MAX), or E_INPUT for parameters out of range or too deep nesting. */
int window_compile(const struct regimen_window *window, const struct regimen_patient *patient, int grid,
                   struct regimen_interval out[REGIMEN_INTERVALS_MAX], struct error *err);
/* The name in the format, "with_food"; NULL outside the enum. */
const char *window_name(enum regimen_window_kind kind);
/* False when no kind has this name. */
bool window_kind_of(const char *name, enum regimen_window_kind *ret);
/* A window of the kind with every parameter at its default. */
struct regimen_window window_default(enum regimen_window_kind kind);

#endif
