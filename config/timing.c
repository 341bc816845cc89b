/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-timing/1: what "twice a day" means here, and what each drug asks for.
 *
 * Windows of patterns and FHIR codes hang on the patient's own day (wake, meals, bed) with an offset. Windows
 * of drug rules use the kinds and parameters of sachet-regimen/1. A rule is a proposal until a pharmacist
 * signs a plan that used it; `state` says whether its figures were checked against the label.
 */
#include "config/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/rule_rows.h"

static const char *const anchors[] = {"day-start", "wake", "breakfast", "lunch", "dinner", "bed", NULL};
static const char *const codes[] = {"MORN", "NOON", "AFT", "EVE", "NIGHT", "HS", "WAKE", "C",   "CM",  "CD",
                                    "CV",   "AC",   "ACM", "ACD", "ACV",   "PC", "PCM",  "PCD", "PCV", NULL};
static const char *const kinds[] = {"window", "sep",      "gap",        "order", "avoid",
                                    "fixed",  "calendar", "same-state", NULL};
static const char *const window_kinds[] = {"any",       "with_food",       "empty_stomach", "before_meal",
                                           "on_waking", "after_last_meal", "morning",       "evening",
                                           "bedtime",   "from_wake",       "before_bed",    NULL};
static const char *const meals[] = {"breakfast", "lunch", "dinner", NULL};
static const char *const severities[] = {"hard", "soft", "warn", NULL};
static const char *const states[] = {"checked", "to-check", NULL};

enum { KIND_WINDOW, KIND_SEP, KIND_GAP, KIND_ORDER, KIND_AVOID, KIND_FIXED, KIND_CALENDAR, KIND_SAME_STATE };

#define RANGE(least, most) .range = true, .min = (least), .max = (most)
#define MINUTES            .type = CONF_DURATION, .unit = "min"
#define LABEL_TEXT         .type = CONF_TEXT, RANGE(1, 40)

static const struct conf_key timing_keys[] = {
    {.path = "version",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 32),
     .example = "2026.1",
     .doc = "Version of these rules. It and the hash of the file stand in every plan."},
    {.path = "clock_tolerance",
     MINUTES,
     .preset = "60 min",
     RANGE(0, 240),
     .doc = "A dose for which the order gives a clock time may be planned so much earlier or later. Rules of "
            "kind fixed narrow it."},

    {.path = "per_day",
     .type = CONF_MAPS,
     .items_max = 12,
     .example = "-",
     .doc = "\"n times a day\" with no word on when. One item for each n."},
    {.path = "per_day[].times",
     .type = CONF_INT,
     .required = true,
     .unique = true,
     RANGE(1, 12),
     .example = "2",
     .doc = "n."},
    {.path = "per_day[].windows",
     .type = CONF_MAPS,
     .required = true,
     .items_min = 1,
     .items_max = 12,
     .doc = "Where the doses may lie: one window for all, or one for each dose in order."},
    {.path = "per_day[].windows[].from",
     .type = CONF_ENUM,
     .preset = "wake",
     .choices = anchors,
     .doc = "Begin, at this point of the patient's day ..."},
    {.path = "per_day[].windows[].from_offset",
     MINUTES,
     .preset = "0 min",
     RANGE(-720, 1440),
     .doc = "... and so much later (earlier when negative)."},
    {.path = "per_day[].windows[].to",
     .type = CONF_ENUM,
     .preset = "bed",
     .choices = anchors,
     .doc = "End, at this point ..."},
    {.path = "per_day[].windows[].to_offset",
     MINUTES,
     .preset = "0 min",
     RANGE(-720, 1440),
     .doc = "... and so much later."},
    {.path = "per_day[].gap_min",
     MINUTES,
     RANGE(0, 1440),
     .example = "6 h",
     .doc = "Least time between consecutive doses of a day."},
    {.path = "per_day[].gap_max",
     MINUTES,
     RANGE(0, 1440),
     .example = "14 h",
     .doc = "Most time between consecutive doses of a day."},
    {.path = "per_day[].overnight_min",
     MINUTES,
     RANGE(0, 1440),
     .example = "8 h",
     .doc = "Least time from the last dose of a day to the first of the next."},
    {.path = "per_day[].overnight_max",
     MINUTES,
     RANGE(0, 1440),
     .example = "18 h",
     .doc = "Most time from the last dose of a day to the first of the next."},
    {.path = "per_day[].as_written",
     .type = CONF_TODS,
     .required = true,
     .items_min = 1,
     .items_max = 12,
     .example = "[\"08:00\", \"20:00\"]",
     .doc = "The clock times that a patient takes who reads this label alone: what \"as written\" is counted "
            "by."},

    {.path = "interval",
     .type = CONF_MAPS,
     .items_max = 24,
     .example = "-",
     .doc = "\"every n hours\": by the clock, not n times a waking day."},
    {.path = "interval[].hours",
     .type = CONF_INT,
     .required = true,
     .unique = true,
     .unit = "hours",
     RANGE(1, 24),
     .example = "12",
     .doc = "n; 24 must be a multiple of it."},
    {.path = "interval[].tolerance",
     MINUTES,
     .preset = "60 min",
     RANGE(0, 240),
     .doc = "Each gap, the night's too, may be so much shorter or longer."},
    {.path = "interval[].night",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Doses may fall between bed and wake, because the day is too short for the gaps."},
    {.path = "interval[].as_written",
     .type = CONF_TODS,
     .required = true,
     .items_min = 1,
     .items_max = 24,
     .example = "[\"08:00\", \"20:00\"]",
     .doc = "As for per_day."},

    {.path = "when",
     .type = CONF_MAPS,
     .items_max = 32,
     .example = "-",
     .doc = "Event timings of FHIR. A dose may lie in any of the windows."},
    {.path = "when[].code",
     .type = CONF_ENUM,
     .required = true,
     .unique = true,
     .choices = codes,
     .example = "MORN",
     .doc = "Code of the FHIR value set event-timing."},
    {.path = "when[].windows",
     .type = CONF_MAPS,
     .required = true,
     .items_min = 1,
     .items_max = 6,
     .doc = "Where the dose may lie."},
    {.path = "when[].windows[].from",
     .type = CONF_ENUM,
     .preset = "wake",
     .choices = anchors,
     .doc = "Begin."},
    {.path = "when[].windows[].from_offset",
     MINUTES,
     .preset = "0 min",
     RANGE(-720, 1440),
     .doc = "Offset of the begin."},
    {.path = "when[].windows[].to", .type = CONF_ENUM, .preset = "bed", .choices = anchors, .doc = "End."},
    {.path = "when[].windows[].to_offset",
     MINUTES,
     .preset = "0 min",
     RANGE(-720, 1440),
     .doc = "Offset of the end."},
    {.path = "when[].as_written",
     .type = CONF_TOD,
     .required = true,
     .example = "08:00",
     .doc = "As for per_day."},

    {.path = "slots",
     .type = CONF_MAPS,
     .items_max = 24,
     .example = "-",
     .doc = "Words for times on labels and screens. Together they cover the day without a gap, each once."},
    {.path = "slots[].name",
     .required = true,
     .unique = true,
     LABEL_TEXT,
     .example = "DAY",
     .doc = "Word, for example MORNING. People understand words better than clock times or Latin."},
    {.path = "slots[].from", .type = CONF_TOD, .required = true, .example = "00:00", .doc = "First minute."},
    {.path = "slots[].to", .type = CONF_TOD, .required = true, .example = "23:59", .doc = "Last minute."},

    RULE_CLASS_ROWS("statin", "simvastatin"),

    {.path = "rules", .type = CONF_MAPS, .items_max = 2000, .doc = "What single drugs ask for."},
    {.path = "rules[].id",
     .required = true,
     .unique = true,
     LABEL_TEXT,
     .example = "example",
     .doc = "Short name that explanations and conflicts use."},
    RULE_MATCH_ROWS("levothyroxine", "statin", "capsule"),
    {.path = "rules[].match.times",
     .type = CONF_INT,
     RANGE(1, 12),
     .example = "2",
     .doc = "Only for so many doses a day."},
    {.path = "rules[].other", .type = CONF_MAP, .doc = "The partner drug of sep, order and avoid."},
    {.path = "rules[].other.any",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Every other drug taken by mouth."},
    RULE_PRODUCT_ROWS("other", "ferrous sulfate", "calcium", "tablet"),
    {.path = "rules[].kind",
     .type = CONF_ENUM,
     .required = true,
     .choices = kinds,
     .example = "window",
     .doc =
         "window: when. sep: minutes apart from the other. gap: between its own doses. order: the other not "
         "before it on a day. avoid: not together in one regimen. fixed: keep the order's clock times. "
         "calendar: never more often than every_days. same-state: all doses in the windows or none."},
    {.path = "rules[].windows",
     .type = CONF_MAPS,
     .items_max = 8,
     .doc = "Of kind window and same-state: any of these."},
    {.path = "rules[].windows[].kind",
     .type = CONF_ENUM,
     .required = true,
     .choices = window_kinds,
     .example = "with_food",
     .doc = "Kind of window as in sachet-regimen/1; absent parameters take its defaults."},
    {.path = "rules[].windows[].meals",
     .type = CONF_ENUMS,
     .choices = meals,
     .items_max = 3,
     .example = "[breakfast]",
     .doc = "Which meals; without it all."},
    {.path = "rules[].windows[].before",
     MINUTES,
     RANGE(0, 1440),
     .example = "60 min",
     .doc = "Of with_food, empty_stomach, evening."},
    {.path = "rules[].windows[].after",
     MINUTES,
     RANGE(0, 1440),
     .example = "120 min",
     .doc = "Of with_food, empty_stomach."},
    {.path = "rules[].windows[].min",
     MINUTES,
     RANGE(0, 1440),
     .example = "30 min",
     .doc = "Of before_meal, after_last_meal, before_bed."},
    {.path = "rules[].windows[].max", MINUTES, RANGE(0, 1440), .example = "60 min", .doc = "Of before_meal."},
    {.path = "rules[].windows[].within",
     MINUTES,
     RANGE(0, 1440),
     .example = "15 min",
     .doc = "Of on_waking, morning, bedtime."},
    {.path = "rules[].windows[].from", MINUTES, RANGE(0, 1440), .example = "0 min", .doc = "Of from_wake."},
    {.path = "rules[].windows[].to", MINUTES, RANGE(0, 1440), .example = "8 h", .doc = "Of from_wake."},
    {.path = "rules[].after",
     MINUTES,
     RANGE(0, 1440),
     .example = "4 h",
     .doc = "Of sep: a dose of the other lies at least so much later than one of ours ..."},
    {.path = "rules[].before",
     MINUTES,
     RANGE(0, 1440),
     .example = "4 h",
     .doc = "... or at least so much earlier. 0 min on one side: no limit there, but not together."},
    {.path = "rules[].or_with_food",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Of sep: or both together at a meal."},
    {.path = "rules[].gap_min",
     MINUTES,
     RANGE(0, 1440),
     .example = "11 h",
     .doc = "Of gap: between doses of a day."},
    {.path = "rules[].gap_max", MINUTES, RANGE(0, 1440), .example = "13 h", .doc = "Of gap."},
    {.path = "rules[].overnight_min",
     MINUTES,
     RANGE(0, 1440),
     .example = "11 h",
     .doc = "Of gap: last dose to the next day's first."},
    {.path = "rules[].overnight_max", MINUTES, RANGE(0, 1440), .example = "13 h", .doc = "Of gap."},
    {.path = "rules[].uneven",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Of gap: uneven by design (nitrates), so doses are not spread evenly."},
    {.path = "rules[].within",
     MINUTES,
     RANGE(0, 240),
     .example = "15 min",
     .doc = "Of fixed: most that a dose may move from its clock time."},
    {.path = "rules[].every_days",
     .type = CONF_INT,
     .unit = "days",
     RANGE(2, 366),
     .example = "7",
     .doc = "Of calendar: an order that gives it more often is for a pharmacist."},
    {.path = "rules[].severity",
     .type = CONF_ENUM,
     .required = true,
     .choices = severities,
     .example = "hard",
     .doc = "hard: never relaxed without a pharmacist. soft: costs. warn: is only said."},
    {.path = "rules[].cost",
     .type = CONF_INT,
     .preset = "10",
     RANGE(1, 1000000),
     .doc = "Of soft: what breaking it costs, once a dose."},
    {.path = "rules[].cite",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 400),
     .example = "label, section 2",
     .doc = "Where the figures come from."},
    {.path = "rules[].state",
     .type = CONF_ENUM,
     .required = true,
     .choices = states,
     .example = "to-check",
     .doc = "checked: compared with the current label. to-check: not yet; screens and plans say so."},
    {.path = "rules[].text",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 300),
     .example = "Take with food.",
     .doc = "For the patient."},
};

static void check_patterns(const struct conf *conf, struct conf_check *check)
{
    char path[CONF_PATH_MAX];
    for (int i = 0; i < conf_count(conf, "per_day"); i++) {
        int64_t times = conf_int(conf, "per_day[%d].times", i);
        int windows = conf_count(conf, "per_day[%d].windows", i);
        (void)snprintf(path, sizeof path, "per_day[%d].windows", i);
        if (windows != 1 && windows != times)
            conf_fault(check, path, "`%s` has %d items, allowed: 1 or %" PRId64 ", one a dose", path, windows,
                       times);
        (void)snprintf(path, sizeof path, "per_day[%d].as_written", i);
        if (conf_count(conf, "%s", path) != times)
            conf_fault(check, path, "`%s` has %d times, allowed: %" PRId64 ", one a dose", path,
                       conf_count(conf, "%s", path), times);
        static const char *const pairs[] = {"gap", "overnight"};
        for (size_t k = 0; k < 2; k++) {
            int64_t most = conf_int(conf, "per_day[%d].%s_max", i, pairs[k]);
            (void)snprintf(path, sizeof path, "per_day[%d].%s_min", i, pairs[k]);
            if (most != CONF_NONE && conf_int(conf, "%s", path) > most)
                conf_fault(check, path, "`%s` is over %s_max, no time could keep both", path, pairs[k]);
        }
    }
    for (int i = 0; i < conf_count(conf, "interval"); i++) {
        int64_t hours = conf_int(conf, "interval[%d].hours", i);
        (void)snprintf(path, sizeof path, "interval[%d].hours", i);
        if (24 % hours != 0)
            conf_fault(check, path,
                       "`%s`: 24 is not a multiple of %" PRId64 ", allowed: 1, 2, 3, 4, 6, 8, 12, 24", path,
                       hours);
        else if (conf_count(conf, "interval[%d].as_written", i) != 24 / hours)
            conf_fault(check, path, "`interval[%d].as_written` has %d times, allowed: %" PRId64, i,
                       conf_count(conf, "interval[%d].as_written", i), 24 / hours);
    }
}

static void check_slots(const struct conf *conf, struct conf_check *check)
{
    char path[CONF_PATH_MAX];
    int count = conf_count(conf, "slots");
    int64_t minutes = 0;
    bool broken = false;
    for (int i = 0; i < count; i++) {
        int64_t from = conf_int(conf, "slots[%d].from", i);
        int64_t to = conf_int(conf, "slots[%d].to", i);
        int64_t next = conf_int(conf, "slots[%d].from", (i + 1) % count);
        minutes += (to - from + 1440) % 1440 + 1;
        (void)snprintf(path, sizeof path, "slots[%d].to", i);
        if ((to + 1) % 1440 == next)
            continue;
        broken = true;
        conf_fault(check, path, "`%s`: the next slot must begin one minute later, it begins at %02d:%02d",
                   path, (int)next / 60, (int)next % 60);
    }
    if (count > 0 && !broken && minutes != 1440)
        conf_fault(check, "slots", "`slots` cover %" PRId64 " minutes, allowed: 1440, the whole day once",
                   minutes);
}

static void check_match(const struct conf *conf, struct conf_check *check, int i, const char *which,
                        bool needed)
{
    char path[CONF_PATH_MAX];
    (void)snprintf(path, sizeof path, "rules[%d].%s", i, which);
    bool any = strcmp(which, "other") == 0 && conf_bool(conf, "rules[%d].other.any", i);
    int named = conf_count(conf, "%s.ingredients", path) + conf_count(conf, "%s.classes", path);
    if (needed && named == 0 && !any)
        conf_fault(check, path, "`%s` names no drug, `ingredients` or `classes` is required", path);
    rule_check_classes(conf, check, i, which);
}

/* What each kind needs beside the match. */
static void check_rule(const struct conf *conf, struct conf_check *check, int i)
{
    char path[CONF_PATH_MAX];
    const char *missing = NULL;
    int64_t kind = conf_int(conf, "rules[%d].kind", i);
    bool pair = kind == KIND_SEP || kind == KIND_ORDER || kind == KIND_AVOID;
    (void)snprintf(path, sizeof path, "rules[%d].kind", i);
    check_match(conf, check, i, "match", true);
    check_match(conf, check, i, "other", pair);
    if ((kind == KIND_WINDOW || kind == KIND_SAME_STATE) && conf_count(conf, "rules[%d].windows", i) == 0)
        missing = "windows";
    else if (kind == KIND_SEP &&
             (!conf_has(conf, "rules[%d].after", i) || !conf_has(conf, "rules[%d].before", i)))
        missing = "after` and `before";
    else if (kind == KIND_GAP && !conf_has(conf, "rules[%d].gap_min", i) &&
             !conf_has(conf, "rules[%d].gap_max", i) && !conf_has(conf, "rules[%d].overnight_min", i) &&
             !conf_has(conf, "rules[%d].overnight_max", i))
        missing = "gap_min` or another gap";
    else if (kind == KIND_FIXED && !conf_has(conf, "rules[%d].within", i))
        missing = "within";
    else if (kind == KIND_CALENDAR && !conf_has(conf, "rules[%d].every_days", i))
        missing = "every_days";
    if (missing)
        conf_fault(check, path, "`rules[%d]` is of kind %s, so `%s` is required", i,
                   conf_text(conf, "rules[%d].kind", i), missing);
    if (kind == KIND_SEP && conf_int(conf, "rules[%d].after", i) == 0 &&
        conf_int(conf, "rules[%d].before", i) == 0)
        conf_fault(check, path, "`rules[%d]`: after and before are both 0, so it says nothing", i);
}

static void check_timing(const struct conf *conf, struct conf_check *check)
{
    check_patterns(conf, check);
    check_slots(conf, check);
    for (int i = 0; i < conf_count(conf, "rules"); i++)
        check_rule(conf, check, i);
}

const struct conf_schema conf_timing = {
    .format = "sachet-timing/1",
    .title = "Timing rules: what \"twice a day\" means here, and what each drug asks for.",
    .keys = timing_keys,
    .count = sizeof timing_keys / sizeof timing_keys[0],
    .check = check_timing,
};
