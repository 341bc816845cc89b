/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/timing.h"

#include "config/base/civil.h"
#include "controller/intake/fhir_json.h"

#include <inttypes.h>
#include <string.h>

enum { LENGTH_MAX_DAYS = 36600 };

/* Timing.repeat as it was written, numbers checked. */
struct repeat {
    bool any; /* something beside bounds and count */
    bool has_frequency, has_period, has_count, broken;
    int64_t frequency, period, count;
    char unit; /* 's' 'm' (min) 'h' 'd' 'w' 'M' 'a', 0 none */
    int when_count, time_count;
    enum reading_when when[READING_DOSES_MAX];
    int time[READING_DOSES_MAX];
    int64_t offset;
    unsigned weekdays;
    int32_t start_day, end_day;
    int length_days;
};

/* Swallowed drugs are taken once a month at the rarest (ibandronate 150 mg); more days are read, but a person
 * looks. */
enum { EVERY_USUAL_MAX = 31 };

struct abbreviation {
    const char *code;
    int frequency, period;
    char unit;
    enum reading_when when; /* READING_ANY: not stated */
    bool unclear;           /* known, but without an exact time */
};

/* v3 GTSAbbreviation. PM is afternoon or evening (FHIR R4, Timing.code), so it waits. */
static const struct abbreviation abbreviations[] = {
    {"BID", 2, 1, 'd', READING_ANY, false},   {"TID", 3, 1, 'd', READING_ANY, false},
    {"QID", 4, 1, 'd', READING_ANY, false},   {"QD", 1, 1, 'd', READING_ANY, false},
    {"QOD", 1, 2, 'd', READING_ANY, false},   {"AM", 1, 1, 'd', READING_MORN, false},
    {"PM", 1, 1, 'd', READING_ANY, true},     {"BED", 1, 1, 'd', READING_HS, false},
    {"WK", 1, 1, 'w', READING_ANY, false},    {"MO", 1, 1, 'M', READING_ANY, false},
    {"Q1H", 1, 1, 'h', READING_ANY, false},   {"Q2H", 1, 2, 'h', READING_ANY, false},
    {"Q3H", 1, 3, 'h', READING_ANY, false},   {"Q4H", 1, 4, 'h', READING_ANY, false},
    {"Q6H", 1, 6, 'h', READING_ANY, false},   {"Q8H", 1, 8, 'h', READING_ANY, false},
    {"Q12H", 1, 12, 'h', READING_ANY, false}, {"Q24H", 1, 24, 'h', READING_ANY, false},
};

int timing_part(const struct reading_dose *dose)
{
    static const int parts[READING_WHEN_COUNT] = {
        [READING_MORN] = 1, [READING_WAKE] = 1, [READING_CM] = 1,  [READING_ACM] = 1,
        [READING_PCM] = 1,  [READING_NOON] = 2, [READING_CD] = 2,  [READING_ACD] = 2,
        [READING_PCD] = 2,  [READING_AFT] = 3,  [READING_EVE] = 4, [READING_CV] = 4,
        [READING_ACV] = 4,  [READING_PCV] = 4,  [READING_HS] = 5,  [READING_NIGHT] = 5,
    };
    return parts[dose->when];
}

/* A Max element is fine only when it says the same as its base. */
static bool is_range(const json_t *repeat, const char *base, const char *max, struct reasons *reasons)
{
    int64_t low, high;
    if (json_object_get(repeat, max) == NULL)
        return false;
    if (fhir_milli(repeat, max, &high, reasons) && fhir_milli(repeat, base, &low, reasons) && low == high)
        return false;
    reasons_add(reasons, REASON_CODE_TIMING_RANGE, "%s", max);
    return true;
}

static void read_when(const json_t *repeat, struct repeat *r, struct reasons *reasons)
{
    const json_t *list = fhir_array(repeat, "when", reasons);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        enum reading_when when;
        if (text == NULL || !reading_when_parse(text, &when) || when < READING_MORN) {
            reasons_add(reasons, REASON_CODE_WHEN_UNKNOWN, "when %s", text != NULL ? text : "");
            r->broken = true;
            return;
        }
        for (int j = 0; j < r->when_count; j++) {
            if (r->when[j] == when) {
                reasons_add(reasons, REASON_CODE_TIMES_DISAGREE, "%s stands twice", text);
                r->broken = true;
            }
        }
        if (r->when_count == READING_DOSES_MAX) {
            reasons_add(reasons, REASON_CODE_TOO_MANY, "when");
            r->broken = true;
            return;
        }
        r->when[r->when_count++] = when;
    }
}

/* "08:00:00", or "08:00" as some senders write; seconds must be zero. */
static bool time_read(const char *text, int *ret_minute)
{
    char hhmm[TOD_TEXT_BYTES];
    size_t len = strlen(text);
    if (len < 5 || len > 16)
        return false;
    memcpy(hhmm, text, 5);
    hhmm[5] = '\0';
    if (!tod_parse(hhmm, ret_minute))
        return false;
    if (len == 5)
        return true;
    if (strncmp(text + 5, ":00", 3) != 0)
        return false;
    return text[8] == '\0' ||
           (text[8] == '.' && text[9] != '\0' && strspn(text + 9, "0") == strlen(text + 9));
}

static void read_times(const json_t *repeat, struct repeat *r, struct reasons *reasons)
{
    const json_t *list = fhir_array(repeat, "timeOfDay", reasons);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int minute;
        if (text == NULL || !time_read(text, &minute)) {
            reasons_add(reasons, REASON_CODE_BAD_TIME, "timeOfDay %s", text != NULL ? text : "");
            r->broken = true;
            return;
        }
        for (int j = 0; j < r->time_count; j++) {
            if (r->time[j] == minute) {
                reasons_add(reasons, REASON_CODE_TIMES_DISAGREE, "%s stands twice", text);
                r->broken = true;
            }
        }
        if (r->time_count == READING_DOSES_MAX) {
            reasons_add(reasons, REASON_CODE_TOO_MANY, "timeOfDay");
            r->broken = true;
            return;
        }
        r->time[r->time_count++] = minute;
    }
}

static void read_weekdays(const json_t *repeat, struct repeat *r, struct reasons *reasons)
{
    static const char *const names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const json_t *list = fhir_array(repeat, "dayOfWeek", reasons);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int day = 0;
        while (text != NULL && day < 7 && strcmp(names[day], text) != 0)
            day++;
        if (text == NULL || day == 7 || (r->weekdays & 1u << day) != 0) {
            reasons_add(reasons, REASON_CODE_DAYS_DISAGREE, "dayOfWeek %s", text != NULL ? text : "");
            r->broken = true;
            return;
        }
        r->weekdays |= 1u << day;
    }
}

static void read_unit(const json_t *repeat, struct repeat *r, struct reasons *reasons)
{
    static const struct {
        const char *text;
        char unit;
    } table[] = {{"s", 's'}, {"min", 'm'}, {"h", 'h'}, {"d", 'd'}, {"wk", 'w'}, {"mo", 'M'}, {"a", 'a'}};
    const char *text = fhir_text_checked(repeat, "periodUnit", reasons);
    if (text[0] == '\0') {
        if (r->has_period) {
            reasons_add(reasons, REASON_CODE_TIMING_INVALID, "a period without its unit (tim-2)");
            r->broken = true;
        }
        return;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].text, text) == 0)
            r->unit = table[i].unit;
    }
    if (r->unit == 0) {
        reasons_add(reasons, REASON_CODE_TIMING_INVALID, "period unit %s", text);
        r->broken = true;
    }
}

/* boundsDuration in whole days; months and years have no fixed length. */
static void read_bounds_duration(const json_t *duration, struct repeat *r, struct reasons *reasons)
{
    int64_t value;
    const char *unit = fhir_text(duration, "code");
    if (unit[0] == '\0')
        unit = fhir_text(duration, "unit");
    int64_t days = 0;
    if (fhir_text(duration, "comparator")[0] == '\0' && fhir_whole(duration, "value", &value, reasons) &&
        value > 0 && value <= LENGTH_MAX_DAYS) {
        if (strcmp(unit, "d") == 0 || strcmp(unit, "day") == 0 || strcmp(unit, "days") == 0)
            days = value;
        else if (strcmp(unit, "wk") == 0 || strcmp(unit, "week") == 0 || strcmp(unit, "weeks") == 0)
            days = value * 7;
        else if (strcmp(unit, "h") == 0 && value % 24 == 0)
            days = value / 24;
    }
    if (days <= 0 || days > LENGTH_MAX_DAYS) {
        reasons_add(reasons, REASON_CODE_BOUNDS_UNCLEAR, "boundsDuration in %s", unit[0] ? unit : "no unit");
        r->broken = true;
        return;
    }
    r->length_days = (int)days;
}

static void read_bounds_period(const json_t *period, struct repeat *r, struct reasons *reasons)
{
    const char *start = fhir_text_checked(period, "start", reasons);
    const char *end = fhir_text_checked(period, "end", reasons);
    int32_t first, last;
    if (start[0] != '\0') {
        if (!fhir_date_read(start, &first, &last)) {
            reasons_add(reasons, REASON_CODE_BAD_DATE, "boundsPeriod.start %s", start);
            r->broken = true;
        } else {
            r->start_day = first;
        }
    }
    if (end[0] != '\0') {
        if (!fhir_date_read(end, &first, &last)) {
            reasons_add(reasons, REASON_CODE_BAD_DATE, "boundsPeriod.end %s", end);
            r->broken = true;
        } else {
            r->end_day = last;
        }
    }
    if (r->start_day != CIVIL_DAY_NONE && r->end_day != CIVIL_DAY_NONE && r->end_day < r->start_day) {
        reasons_add(reasons, REASON_CODE_BAD_DATE, "boundsPeriod ends on %s, before its start %s", end,
                    start);
        r->broken = true;
    }
}

static void read_bounds(const json_t *repeat, struct repeat *r, struct reasons *reasons)
{
    const json_t *duration = fhir_object(repeat, "boundsDuration", reasons);
    const json_t *range = json_object_get(repeat, "boundsRange");
    const json_t *period = fhir_object(repeat, "boundsPeriod", reasons);
    if ((duration != NULL) + (range != NULL) + (period != NULL) > 1) {
        reasons_add(reasons, REASON_CODE_TIMING_INVALID, "more than one of bounds[x]");
        r->broken = true;
    }
    if (range != NULL) {
        reasons_add(reasons, REASON_CODE_BOUNDS_UNCLEAR, "boundsRange");
        r->broken = true;
    }
    if (duration != NULL)
        read_bounds_duration(duration, r, reasons);
    if (period != NULL)
        read_bounds_period(period, r, reasons);
}

static void read_repeat(const json_t *repeat, struct repeat *r, struct reasons *reasons)
{
    static const char *const keys[] = {
        "boundsDuration", "boundsRange",  "boundsPeriod", "count",  "countMax",  "duration",
        "durationMax",    "durationUnit", "frequency",    "period", "periodMax", "frequencyMax",
        "periodUnit",     "dayOfWeek",    "timeOfDay",    "when",   "offset",    NULL};
    const char *unknown = fhir_unknown_key(repeat, keys);
    if (strcmp(unknown, "periodUnits") == 0)
        reasons_add(reasons, REASON_CODE_VERSION, "timing.repeat.periodUnits is DSTU2");
    else if (unknown[0] != '\0')
        reasons_add(reasons, REASON_CODE_UNKNOWN_ELEMENT, "timing.repeat.%s", unknown);
    r->broken = unknown[0] != '\0';
    int64_t milli;
    if (json_object_get(repeat, "duration") != NULL)
        reasons_add(reasons, REASON_CODE_TIMING_DURATION, "%s", fhir_text(repeat, "durationUnit"));
    static const char *const ranges[][2] = {
        {"count", "countMax"}, {"frequency", "frequencyMax"}, {"period", "periodMax"}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (is_range(repeat, ranges[i][0], ranges[i][1], reasons))
            r->broken = true;
    }
    r->has_frequency = fhir_whole(repeat, "frequency", &r->frequency, reasons);
    r->has_count = fhir_whole(repeat, "count", &r->count, reasons);
    r->has_period = fhir_milli(repeat, "period", &milli, reasons);
    if (r->has_period && milli % 1000 != 0) {
        reasons_add(reasons, REASON_CODE_PERIOD_ODD, "a period that is not whole");
        r->broken = true;
    }
    r->period = r->has_period ? milli / 1000 : 0;
    if ((r->has_frequency && r->frequency <= 0) || (r->has_period && milli <= 0) ||
        (r->has_count && r->count <= 0)) {
        reasons_add(reasons, REASON_CODE_TIMING_INVALID, "frequency, period and count must be positive");
        r->broken = true;
    }
    read_unit(repeat, r, reasons);
    read_when(repeat, r, reasons);
    read_times(repeat, r, reasons);
    read_weekdays(repeat, r, reasons);
    read_bounds(repeat, r, reasons);
    bool has_offset = fhir_whole(repeat, "offset", &r->offset, reasons);
    if (has_offset) {
        bool meal = false;
        for (int i = 0; i < r->when_count; i++)
            meal = meal || r->when[i] == READING_C || r->when[i] == READING_CM || r->when[i] == READING_CD ||
                   r->when[i] == READING_CV;
        if (r->when_count == 0 || meal || r->offset < 0 || r->offset >= MINUTES_PER_DAY) {
            reasons_add(reasons, REASON_CODE_TIMING_INVALID, "offset without a fitting when (tim-9)");
            r->broken = true;
        }
    }
    if (r->when_count > 0 && r->time_count > 0) {
        reasons_add(reasons, REASON_CODE_TIMING_INVALID, "when and timeOfDay together (tim-10)");
        r->broken = true;
    }
    if (reasons_has(reasons, REASON_CODE_BAD_ELEMENT))
        r->broken = true;
    r->any = r->has_frequency || r->has_period || r->when_count > 0 || r->time_count > 0 || r->weekdays != 0;
}

/* The code must say what repeat says (FHIR: the code's meaning replaces frequency, period and when). */
static void join_code(const struct abbreviation *code, struct repeat *r, struct reasons *reasons)
{
    if (code->unclear) {
        reasons_add(reasons, REASON_CODE_TIMING_CODE, "%s is afternoon or evening", code->code);
        r->broken = r->broken || !r->any;
        return;
    }
    if (!r->any) {
        r->any = r->has_frequency = r->has_period = true;
        r->frequency = code->frequency;
        r->period = code->period;
        r->unit = code->unit;
        if (code->when != READING_ANY)
            r->when[r->when_count++] = code->when;
        return;
    }
    bool same = true;
    if (r->has_frequency || r->has_period)
        same = r->frequency == code->frequency &&
               ((r->period == code->period && r->unit == code->unit) ||
                (code->unit == 'd' && r->unit == 'h' && r->period == 24 * code->period));
    int times = r->when_count + r->time_count;
    if (code->unit == 'd' && code->period == 1 && times > 0 && times != code->frequency)
        same = false;
    if (code->when != READING_ANY && times == 1) {
        struct reading_dose said = {.when = code->when};
        struct reading_dose stated = {.when = r->when_count == 1 ? r->when[0] : READING_CLOCK};
        bool night = r->time_count == 1 && (r->time[0] >= 18 * 60 || r->time[0] < 4 * 60);
        bool morning = r->time_count == 1 && r->time[0] >= 4 * 60 && r->time[0] < 12 * 60;
        if (r->when_count == 1)
            same = same && timing_part(&said) == timing_part(&stated);
        else
            same = same && (code->when == READING_HS ? night : morning);
    }
    if (!same || r->weekdays != 0) {
        reasons_add(reasons, REASON_CODE_TIMING_CLASH, "code %s says otherwise than repeat", code->code);
        r->broken = true;
    } else if (code->when != READING_ANY && times == 0) {
        r->when[r->when_count++] = code->when;
    }
}

static void read_code(const json_t *timing, struct repeat *r, struct reasons *reasons, struct timing *ret)
{
    const json_t *concept = fhir_object(timing, "code", reasons);
    const json_t *codings = json_object_get(concept, "coding");
    if (concept == NULL)
        return;
    for (size_t i = 0; i < json_array_size(codings); i++) {
        const json_t *coding = json_array_get(codings, i);
        const char *code = fhir_text(coding, "code");
        const char *system = fhir_text(coding, "system");
        if (strstr(system, "GTSAbbreviation") == NULL && strstr(system, "timing-abbreviation") == NULL)
            continue;
        for (size_t j = 0; j < sizeof abbreviations / sizeof abbreviations[0]; j++) {
            if (strcmp(abbreviations[j].code, code) == 0) {
                join_code(&abbreviations[j], r, reasons);
                return;
            }
        }
    }
    ret->code_text = fhir_concept_text(concept);
    if (!r->any) {
        reasons_add(reasons, REASON_CODE_TIMING_CODE, "%s", ret->code_text);
        r->broken = true;
    }
}

static int bits(unsigned mask)
{
    return __builtin_popcount(mask);
}

/* Says how many doses fall on a day of the phase; 0 when that cannot be said (a reason is added). */
static int64_t lay_days(struct repeat *r, struct reasons *reasons, struct reading_phase *phase)
{
    int times = r->when_count + r->time_count;
    phase->every_days = 1;
    phase->weekdays = r->weekdays;
    if (!r->has_frequency) {
        if (times == 0 || (r->has_period && (r->unit == 'h' || (r->unit == 'w' && r->weekdays == 0)))) {
            reasons_mark(reasons, REASON_CODE_NO_FREQUENCY);
            return 0;
        }
        for (int i = 0; i < r->when_count; i++) {
            if (r->when[i] == READING_C || r->when[i] == READING_AC || r->when[i] == READING_PC) {
                reasons_add(reasons, REASON_CODE_NO_FREQUENCY, "\"%s\" is every meal or one of them",
                            reading_when_text(r->when[i]));
                return 0;
            }
        }
        r->frequency = times;
        if (!r->has_period) {
            r->period = 1;
            r->unit = 'd';
        } else if (r->unit == 'w') {
            r->frequency = times * bits(r->weekdays);
        }
    } else if (!r->has_period) {
        reasons_add(reasons, REASON_CODE_NO_FREQUENCY, "a frequency without a period");
        return 0;
    }
    if (r->unit == 'h' && r->period % 24 == 0) {
        r->period /= 24;
        r->unit = 'd';
    }
    if (r->unit == 'h') {
        if (times > 0 || r->weekdays != 0) {
            reasons_add(reasons, REASON_CODE_TIMING_CLASH, "hours beside times or days");
            return 0;
        }
        if (r->frequency != 1 || r->period > 24 || 24 % r->period != 0) {
            reasons_add(reasons, REASON_CODE_PERIOD_ODD, "%" PRId64 " every %" PRId64 " hours", r->frequency,
                        r->period);
            return 0;
        }
        phase->interval_min = (int)r->period * 60;
        return 24 / r->period;
    }
    if (r->unit == 'd' && r->weekdays != 0 && r->period != 1) {
        reasons_add(reasons, REASON_CODE_DAYS_DISAGREE, "every %" PRId64 " days on days of the week",
                    r->period);
        return 0;
    }
    if (r->unit == 'd' && r->period == 1)
        return r->frequency;
    if (r->unit == 'd' || (r->unit == 'w' && r->weekdays == 0)) {
        int64_t days = r->unit == 'd' ? r->period : r->period * 7;
        if (r->frequency != 1 && !(r->frequency == times && !r->has_frequency)) {
            reasons_add(reasons, r->unit == 'w' ? REASON_CODE_WEEKDAYS_MISSING : REASON_CODE_PERIOD_ODD,
                        "%" PRId64 " times in %" PRId64 " days", r->frequency, days);
            return 0;
        }
        if (r->period > READING_EVERY_MAX || days > READING_EVERY_MAX) {
            reasons_add(reasons, REASON_CODE_PERIOD_UNIT, "every %" PRId64 " days", days);
            return 0;
        }
        if (days > EVERY_USUAL_MAX)
            reasons_add(reasons, REASON_CODE_PERIOD_RARE, "every %" PRId64 " days", days);
        phase->every_days = (int)days;
        return r->frequency;
    }
    if (r->unit == 'w') {
        int64_t a_day = times > 0 ? times : 1;
        if (r->period != 1) {
            reasons_add(reasons, REASON_CODE_PERIOD_ODD, "every %" PRId64 " weeks on days of the week",
                        r->period);
            return 0;
        }
        if (r->frequency != a_day * bits(r->weekdays)) {
            reasons_add(reasons, REASON_CODE_DAYS_DISAGREE, "%" PRId64 " a week on %d days", r->frequency,
                        bits(r->weekdays));
            return 0;
        }
        return a_day;
    }
    reasons_mark(reasons, REASON_CODE_PERIOD_UNIT);
    return 0;
}

static bool lay_times(const struct repeat *r, int64_t a_day, struct reasons *reasons,
                      struct reading_phase *phase)
{
    int times = r->when_count + r->time_count;
    bool meal = r->when_count == 1 &&
                (r->when[0] == READING_C || r->when[0] == READING_AC || r->when[0] == READING_PC);
    if (a_day > READING_DOSES_MAX) {
        reasons_add(reasons, REASON_CODE_TOO_MANY, "%" PRId64 " doses a day", a_day);
        return false;
    }
    /* "3 a day with meals" is one code for several doses; a day has three meals. */
    bool spread = meal && a_day <= 3;
    if (times > 0 && times != a_day && !spread) {
        reasons_add(reasons, REASON_CODE_TIMES_DISAGREE, "%" PRId64 " a day at %d times", a_day, times);
        return false;
    }
    for (int i = 0; i < a_day; i++) {
        struct reading_dose *dose = &phase->doses[i];
        *dose = (struct reading_dose){.when = phase->interval_min > 0 ? READING_INTERVAL : READING_ANY};
        if (r->when_count > 0) {
            dose->when = r->when[spread ? 0 : i];
            dose->offset_min = (int)r->offset;
        } else if (r->time_count > 0) {
            dose->when = READING_CLOCK;
            dose->minute = r->time[i];
        }
    }
    phase->dose_count = (int)a_day;
    return true;
}

/* count limits the number of doses; it must fill whole days and agree with the bounds. */
static bool lay_bounds(const struct repeat *r, struct reasons *reasons, struct reading_phase *phase)
{
    phase->start_day = r->start_day;
    phase->end_day = r->end_day;
    phase->length_days = r->length_days;
    if (!r->has_count)
        return true;
    int64_t a_turn = phase->dose_count * (phase->weekdays != 0 ? bits(phase->weekdays) : 1);
    int64_t turn_days = phase->weekdays != 0 ? 7 : phase->every_days;
    if (r->count == 1 && r->start_day == CIVIL_DAY_NONE) {
        reasons_mark(reasons, REASON_CODE_SINGLE_DOSE);
        return false;
    }
    if (r->count % a_turn != 0 || r->count / a_turn > LENGTH_MAX_DAYS / turn_days) {
        reasons_add(reasons, REASON_CODE_COUNT_UNEVEN, "%" PRId64 " doses", r->count);
        return false;
    }
    int64_t length = r->count / a_turn * turn_days;
    int64_t last = length - turn_days + 1; /* the last dose falls on this day */
    if (r->length_days != 0 && (r->length_days < last || r->length_days > length)) {
        reasons_add(reasons, REASON_CODE_TIMING_CLASH, "count %" PRId64 " and %d days", r->count,
                    r->length_days);
        return false;
    }
    if (r->start_day != CIVIL_DAY_NONE && r->end_day != CIVIL_DAY_NONE) {
        int64_t days = (int64_t)r->end_day - r->start_day + 1;
        if (days < last || days > length) {
            reasons_add(reasons, REASON_CODE_TIMING_CLASH, "count %" PRId64 " and %" PRId64 " days", r->count,
                        days);
            return false;
        }
        return true;
    }
    phase->length_days = (int)length;
    return true;
}

void timing_read(const json_t *timing, struct reasons *reasons, struct timing *ret)
{
    static const char *const keys[] = {"event", "repeat", "code", NULL};
    struct repeat r = {.start_day = CIVIL_DAY_NONE, .end_day = CIVIL_DAY_NONE};
    *ret = (struct timing){.code_text = ""};
    ret->phase = (struct reading_phase){
        .group = 1, .every_days = 1, .start_day = CIVIL_DAY_NONE, .end_day = CIVIL_DAY_NONE};
    if (timing == NULL)
        return;
    ret->given = json_object_size(timing) > 0;
    const char *unknown = fhir_unknown_key(timing, keys);
    if (unknown[0] != '\0') {
        reasons_add(reasons, REASON_CODE_UNKNOWN_ELEMENT, "timing.%s", unknown);
        r.broken = true;
    }
    if (fhir_array(timing, "event", reasons) != NULL) {
        reasons_mark(reasons, REASON_CODE_TIMING_EVENT);
        r.broken = true;
    }
    const json_t *repeat = fhir_object(timing, "repeat", reasons);
    if (repeat != NULL)
        read_repeat(repeat, &r, reasons);
    read_code(timing, &r, reasons, ret);
    ret->phase.start_day = r.start_day;
    ret->phase.end_day = r.end_day;
    ret->phase.length_days = r.length_days;
    if (r.broken)
        return;
    if (!r.any) {
        reasons_mark(reasons, r.has_count && r.count == 1 ? REASON_CODE_SINGLE_DOSE : REASON_CODE_NO_TIMING);
        return;
    }
    int64_t a_day = lay_days(&r, reasons, &ret->phase);
    ret->laid_out =
        a_day > 0 && lay_times(&r, a_day, reasons, &ret->phase) && lay_bounds(&r, reasons, &ret->phase);
}
