/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what this site has decided about times and pouches, read once from its files (site, timing rules,
 * packing rules, jurisdiction) into plain structs.
 *
 * A policy owns its memory; the conf structs must live as long as it does. One thread at a time, because it
 * keeps what it has looked up. Minutes of a day are minutes after day.day_start unless they are called
 * clock minutes.
 */
#ifndef CONTROLLER_PLAN_POLICY_H
#define CONTROLLER_PLAN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/rules.h"
#include "controller/intake/reading.h"
#include "controller/plan/plan_text.h"
#include "scheduler/regimen.h"
#include "scheduler/roll.h"

struct conf;
struct error;
struct jurisdiction;
struct packing_verdict;

/* Points of a patient's day that windows hang on. */
enum policy_anchor {
    POLICY_DAY_START,
    POLICY_WAKE,
    POLICY_BREAKFAST,
    POLICY_LUNCH,
    POLICY_DINNER,
    POLICY_BED,
};

struct policy_window {
    enum policy_anchor from, to;
    int from_offset, to_offset; /* minutes */
};

struct policy_windows {
    const struct policy_window *item;
    int count;
};

/* Clock minutes. */
struct policy_clocks {
    const int *item;
    int count;
};

/* Bounds in minutes, or REGIMEN_NONE. */
struct policy_gaps {
    int gap_min, gap_max;
    int overnight_min, overnight_max;
};

/* "n times a day". */
struct policy_per_day {
    int times;
    struct policy_windows windows; /* one for all doses, or one a dose */
    struct policy_gaps gaps;
    struct policy_clocks as_written;
};

/* "every n hours". */
struct policy_interval {
    int minutes;
    int tolerance;
    bool night; /* doses may fall between bed and wake */
    struct policy_clocks as_written;
};

/* A FHIR event timing; windows.count 0: the site does not say. */
struct policy_when {
    struct policy_windows windows;
    int as_written; /* clock minute */
};

struct policy_slot {
    const char *name;
    int from, to; /* clock minutes; from > to: over midnight */
};

enum policy_kind {
    POLICY_KIND_WINDOW,
    POLICY_KIND_SEP,
    POLICY_KIND_GAP,
    POLICY_KIND_ORDER,
    POLICY_KIND_AVOID,
    POLICY_KIND_FIXED,
    POLICY_KIND_CALENDAR,
    POLICY_KIND_SAME_STATE,
};

enum policy_severity { POLICY_HARD, POLICY_SOFT, POLICY_WARN };

/* A timing rule; which members count is said by kind, as in the schema sachet-timing/1. */
struct policy_rule {
    const char *id;
    enum policy_kind kind;
    enum policy_severity severity;
    int times;                            /* only for so many doses a day; 0 any */
    const struct regimen_window *windows; /* any of these */
    int window_count;
    int after, before;
    bool or_with_food;
    struct policy_gaps gaps;
    bool uneven;
    int within;
    int every_days;
    int cost;
    bool checked; /* figures were compared with the label */
    const char *cite;
    const char *text;
};

/* Which rules speak of one product. */
struct policy_fits {
    const bool *match;                     /* one a rule: as its own */
    const bool *other;                     /* one a rule: as its partner */
    const struct packing_verdict *packing; /* of the packing rules alone */
};

/* Behind the id of a rule whose figures nobody has compared with the current label. */
#define POLICY_UNCHECKED ", unchecked"

struct policy {
    struct regimen_patient day; /* the ordinary day of this site's patients */
    int grid;
    int clock_tolerance;
    const struct policy_per_day *per_day;
    int per_day_count;
    const struct policy_interval *intervals;
    int interval_count;
    struct policy_when when[READING_WHEN_COUNT];
    const struct policy_slot *slots;
    int slot_count;
    const struct policy_rule *rules;
    int rule_count;

    const char *timing_version, *packing_version;
    uint8_t timing_hash[PLAN_HASH_BYTES], packing_hash[PLAN_HASH_BYTES]; /* of the files' bytes */

    int cycle_days;
    int lead_days;
    struct roll_limits limits; /* lines_max is 0: it depends on the patient's name */
    int label_lines, label_columns;
    const char *pharmacy, *phone, *address;
    struct jurisdiction *jurisdiction; /* the policy's own */
};

/* E_INPUT with the place in the file where it says what cannot be used here; E_MEMORY. */
int policy_create(const struct conf *site, const struct conf *timing, const struct conf *packing,
                  const struct conf *jurisdiction, struct policy **ret_policy, struct error *err);
/* The ordinary day of a site's patients. */
struct regimen_patient policy_day(const struct conf *site);
/* NULL is allowed. */
void policy_destroy(struct policy *policy);

/* The rules that speak of a product; looked up in the files once for each, kept with the policy. NULL: no
 * memory. */
const struct policy_fits *policy_fits(struct policy *policy, const struct rules_product *product);

/* NULL when the site has none. */
const struct policy_per_day *policy_per_day(const struct policy *policy, int times);
const struct policy_interval *policy_interval(const struct policy *policy, int minutes);
/* The word for a clock minute, never NULL: "DOSE" where the site has no words. */
const char *policy_slot_name(const struct policy *policy, int clock_minute);
/* Minutes after day_start; REGIMEN_NONE for a meal that is not eaten. */
int policy_anchor(const struct regimen_patient *day, enum policy_anchor anchor);

#endif
