/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/hl7/hl7_times.h"

#include "config/base/civil.h"
#include "config/base/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Table 0335 as far as it has one meaning; Q<n><unit>, Q<n>J<days> and <n>ID are read by rule below. AC and
 * PC alone do not say how many meals; QSHIFT, C (continuously) and I (between) have no fixed times: they
 * wait. */
static const struct {
    const char *code;
    int frequency, period;
    const char *unit, *when;
} patterns[] = {
    {"BID", 2, 1, "d", NULL},   {"TID", 3, 1, "d", NULL},   {"QID", 4, 1, "d", NULL},
    {"QD", 1, 1, "d", NULL},    {"DAILY", 1, 1, "d", NULL}, {"QOD", 1, 2, "d", NULL},
    {"QAM", 1, 1, "d", "MORN"}, {"QPM", 1, 1, "d", "EVE"},  {"QHS", 1, 1, "d", "HS"},
    {"ACM", 1, 1, "d", "ACM"},  {"ACD", 1, 1, "d", "ACD"},  {"ACV", 1, 1, "d", "ACV"},
    {"PCM", 1, 1, "d", "PCM"},  {"PCD", 1, 1, "d", "PCD"},  {"PCV", 1, 1, "d", "PCV"},
};

static void get(const struct hl7 *message, struct hl7_at at, int component, int sub, char *out, size_t size)
{
    at.component = component;
    at.sub = sub;
    if (hl7_get(message, at, out, size) >= size)
        (void)snprintf(out, size, "?"); /* longer than any code: nothing that is known */
}

static struct hl7_time *next_row(struct hl7_times *times)
{
    if (times->count == HL7_TIMES_MAX) {
        times->too_many = true;
        return NULL;
    }
    struct hl7_time *row = &times->rows[times->count++];
    memset(row, 0, sizeof *row);
    return row;
}

void hl7_times_add_tq(const struct hl7 *message, int segment, int field, struct hl7_times *times)
{
    int repeats = hl7_repeats(message, segment, field);
    for (int i = 1; i <= repeats; i++) {
        const struct hl7_at at = {segment, field, i, 0, 0};
        struct hl7_time *row = next_row(times);
        if (row == NULL)
            return;
        get(message, at, 1, 1, row->quantity, sizeof row->quantity);
        get(message, at, 1, 2, row->unit, sizeof row->unit);
        get(message, at, 2, 1, row->patterns[0], sizeof row->patterns[0]);
        get(message, at, 2, 2, row->explicit_times, sizeof row->explicit_times);
        get(message, at, 3, 1, row->length, sizeof row->length);
        get(message, at, 4, 1, row->start, sizeof row->start);
        get(message, at, 5, 1, row->end, sizeof row->end);
        get(message, at, 6, 1, row->priority, sizeof row->priority);
        get(message, at, 7, 1, row->condition, sizeof row->condition);
        get(message, at, 8, 1, row->text, sizeof row->text);
        get(message, at, 9, 1, row->conjunction, sizeof row->conjunction);
        get(message, at, 12, 1, row->total, sizeof row->total);
        char odd[8];
        get(message, at, 10, 1, odd, sizeof odd);
        if (odd[0] != '\0')
            (void)snprintf(row->odd, sizeof row->odd, "order sequencing (TQ-10)");
        row->pattern_count = row->patterns[0][0] != '\0';
    }
}

/* TQ1-3: the repetitions, and components that move the times: none of them has a place in a Timing. */
static void read_patterns(const struct hl7 *message, int segment, struct hl7_time *row)
{
    int repeats = hl7_repeats(message, segment, 3);
    for (int i = 1; i <= repeats; i++) {
        struct hl7_at at = {segment, 3, i, 0, 0};
        char more[32];
        if (row->pattern_count == 4) {
            (void)snprintf(row->odd, sizeof row->odd, "more than 4 repeat patterns (TQ1-3)");
            return;
        }
        char *pattern = row->patterns[row->pattern_count];
        get(message, at, 1, 1, pattern, sizeof row->patterns[0]);
        if (pattern[0] == '\0') /* some senders give the words only */
            get(message, at, 1, 2, pattern, sizeof row->patterns[0]);
        row->pattern_count += pattern[0] != '\0';
        for (int component = 2; component <= 11; component++) {
            get(message, at, component, 1, more, sizeof more);
            if (more[0] != '\0')
                (void)snprintf(row->odd, sizeof row->odd, "component %d of the repeat pattern (TQ1-3)",
                               component);
        }
    }
}

void hl7_times_add_tq1(const struct hl7 *message, int segment, struct hl7_times *times)
{
    static const struct {
        int field;
        size_t offset, size;
    } fields[] = {
        {7, offsetof(struct hl7_time, start), sizeof((struct hl7_time *)NULL)->start},
        {8, offsetof(struct hl7_time, end), sizeof((struct hl7_time *)NULL)->end},
        {9, offsetof(struct hl7_time, priority), sizeof((struct hl7_time *)NULL)->priority},
        {10, offsetof(struct hl7_time, condition), sizeof((struct hl7_time *)NULL)->condition},
        {11, offsetof(struct hl7_time, text), sizeof((struct hl7_time *)NULL)->text},
        {12, offsetof(struct hl7_time, conjunction), sizeof((struct hl7_time *)NULL)->conjunction},
        {14, offsetof(struct hl7_time, total), sizeof((struct hl7_time *)NULL)->total},
    };
    struct hl7_time *row = next_row(times);
    char value[32], unit[32];
    if (row == NULL)
        return;
    get(message, (struct hl7_at){segment, 2, 1, 0, 0}, 1, 1, row->quantity, sizeof row->quantity);
    get(message, (struct hl7_at){segment, 2, 1, 0, 0}, 2, 1, row->unit, sizeof row->unit);
    if (row->unit[0] == '\0')
        get(message, (struct hl7_at){segment, 2, 1, 0, 0}, 2, 2, row->unit, sizeof row->unit);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        get(message, (struct hl7_at){segment, fields[i].field, 1, 0, 0}, 1, 1, (char *)row + fields[i].offset,
            fields[i].size);
    read_patterns(message, segment, row);
    /* TQ1-4: times one by one. */
    int count = hl7_repeats(message, segment, 4);
    for (int i = 1; i <= count; i++) {
        char time[16];
        size_t used = strlen(row->explicit_times);
        get(message, (struct hl7_at){segment, 4, i, 0, 0}, 1, 1, time, sizeof time);
        (void)snprintf(row->explicit_times + used, sizeof row->explicit_times - used, "%s%s",
                       used > 0 ? "," : "", time);
    }
    get(message, (struct hl7_at){segment, 6, 1, 0, 0}, 1, 1, value, sizeof value);
    get(message, (struct hl7_at){segment, 6, 1, 0, 0}, 2, 1, unit, sizeof unit);
    if (value[0] != '\0')
        (void)snprintf(row->length, sizeof row->length, "%s %s", value, unit);
    if (hl7_repeats(message, segment, 5) > 0)
        (void)snprintf(row->odd, sizeof row->odd, "a relative time (TQ1-5)");
    if (hl7_repeats(message, segment, 10) > 1 || hl7_repeats(message, segment, 2) > 1)
        (void)snprintf(row->odd, sizeof row->odd, "a repeated quantity or condition");
}

bool hl7_time_says_when(const struct hl7_time *row)
{
    return row->patterns[0][0] != '\0' || row->explicit_times[0] != '\0' || row->condition[0] != '\0' ||
           row->text[0] != '\0' || row->odd[0] != '\0' || row->total[0] != '\0';
}

void hl7_day(const char *ts, char *out, size_t size)
{
    size_t digits = strspn(ts, "0123456789");
    bool rest = ts[digits] == '\0' || ts[digits] == '.' || ts[digits] == '+' || ts[digits] == '-';
    if (digits == 4 && rest)
        (void)snprintf(out, size, "%.4s", ts);
    else if (digits == 6 && rest)
        (void)snprintf(out, size, "%.4s-%.2s", ts, ts + 4);
    else if (rest && (digits == 8 || digits == 10 || digits == 12 || digits == 14))
        (void)snprintf(out, size, "%.4s-%.2s-%.2s", ts, ts + 4, ts + 6);
    else
        (void)snprintf(out, size, "%s", ts);
}

/* A time that is written and is midnight: as an end it may mean the day before. */
static bool at_midnight(const char *ts)
{
    size_t digits = strspn(ts, "0123456789");
    return digits >= 10 && strspn(ts + 8, "0") >= digits - 8;
}

static bool number(const char *text, long *ret, const char **ret_rest)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *ret = strtol(text, &end, 10);
    *ret_rest = end;
    return *ret > 0 && *ret <= 10000;
}

static bool set_repeat(json_t *repeat, int64_t frequency, int64_t period, const char *unit)
{
    return json_object_set_new(repeat, "frequency", json_integer(frequency)) == 0 &&
           json_object_set_new(repeat, "period", json_integer(period)) == 0 &&
           json_object_set_new(repeat, "periodUnit", json_string(unit)) == 0;
}

/* "Q8H", "Q2D", "Q1J135", "5ID". */
static bool by_rule(const char *code, json_t *repeat)
{
    static const struct {
        char letter;
        const char *unit;
    } units[] = {{'S', "s"}, {'M', "min"}, {'H', "h"}, {'D', "d"}, {'W', "wk"}, {'L', "mo"}};
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const char *rest;
    long count;
    if (number(code, &count, &rest) && strcasecmp(rest, "ID") == 0)
        return set_repeat(repeat, count, 1, "d");
    if (toupper((unsigned char)code[0]) != 'Q' || !number(code + 1, &count, &rest))
        return false;
    if (toupper((unsigned char)rest[0]) == 'J' && rest[1] != '\0') {
        json_t *list = json_array();
        for (const char *p = rest + 1; *p != '\0'; p++) {
            if (*p < '1' || *p > '7') {
                json_decref(list);
                return false;
            }
            (void)json_array_append_new(list, json_string(days[*p - '1']));
        }
        size_t each = json_array_size(list);
        return json_object_set_new(repeat, "dayOfWeek", list) == 0 &&
               set_repeat(repeat, (int64_t)each, count, "wk");
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (toupper((unsigned char)rest[0]) == units[i].letter && rest[1] == '\0')
            return set_repeat(repeat, 1, count, units[i].unit);
    }
    return false;
}

static bool pattern_known(const char *code, json_t *repeat, const char **ret_when)
{
    *ret_when = NULL;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (strcasecmp(patterns[i].code, code) == 0) {
            *ret_when = patterns[i].when;
            return set_repeat(repeat, patterns[i].frequency, patterns[i].period, patterns[i].unit);
        }
    }
    return by_rule(code, repeat);
}

/* "0600,1400" as timeOfDay; TM may carry seconds and a zone. */
static bool read_times(const char *text, json_t *repeat, int *ret_count)
{
    json_t *list = json_array();
    *ret_count = 0;
    for (const char *p = text; *p != '\0';) {
        size_t len = strcspn(p, ",");
        size_t digits = strspn(p, "0123456789");
        char time[16];
        bool seconds = digits == 6 && strncmp(p + 4, "00", 2) == 0;
        if (digits != len || (digits != 4 && !seconds)) {
            json_decref(list);
            return false;
        }
        (void)snprintf(time, sizeof time, "%.2s:%.2s:00", p, p + 2);
        (void)json_array_append_new(list, json_string(time));
        ++*ret_count;
        p += len;
        p += *p == ',';
    }
    return json_object_set_new(repeat, "timeOfDay", list) == 0;
}

/* "D4", "4 day", "INDEF", "X10": a length in days, a number of doses, or nothing. */
static bool read_length(const char *text, json_t *repeat, int64_t *ret_days, bool *ret_count)
{
    static const struct {
        const char *unit;
        int days;
    } units[] = {{"d", 1},  {"day", 1},  {"days", 1},  {"w", 7},
                 {"wk", 7}, {"week", 7}, {"weeks", 7}, {"wks", 7}};
    const char *rest;
    long value;
    *ret_days = 0;
    *ret_count = false;
    if (text[0] == '\0' || strcasecmp(text, "INDEF") == 0)
        return true;
    char letter = (char)toupper((unsigned char)text[0]);
    if (isalpha((unsigned char)text[0])) {
        if (!number(text + 1, &value, &rest) || *rest != '\0')
            return false;
        if (letter == 'X') {
            *ret_count = true;
            return json_object_set_new(repeat, "count", json_integer(value)) == 0;
        }
        if (letter == 'H' && value % 24 == 0)
            *ret_days = value / 24;
        else if (letter == 'D' || letter == 'W')
            *ret_days = value * (letter == 'W' ? 7 : 1);
        return *ret_days > 0;
    }
    if (!number(text, &value, &rest))
        return false;
    rest += strspn(rest, " ");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcasecmp(units[i].unit, rest) == 0)
            *ret_days = value * units[i].days;
    }
    if ((strcasecmp(rest, "h") == 0 || strcasecmp(rest, "hr") == 0) && value % 24 == 0)
        *ret_days = value / 24;
    return *ret_days > 0;
}

/* Start, end and length as one of FHIR's bounds. */
static void set_bounds(const struct hl7_time *row, json_t *repeat, char *why, size_t why_size)
{
    char start[48], end[48];
    int64_t days;
    bool count;
    int32_t first;
    hl7_day(row->start, start, sizeof start);
    hl7_day(row->end, end, sizeof end);
    if (!read_length(row->length, repeat, &days, &count))
        (void)snprintf(why, why_size, "the length \"%.40s\"", row->length);
    if (end[0] != '\0' && at_midnight(row->end))
        (void)snprintf(why, why_size, "an end at midnight: this day or the one before");
    if (days > 0 && start[0] != '\0' && end[0] == '\0' && civil_parse(start, &first) && days < 40000)
        civil_format(first + (int32_t)days - 1, end);
    else if (days > 0 && end[0] != '\0')
        (void)snprintf(why, why_size, "a length beside an end");
    json_t *period = json_object();
    if (start[0] != '\0')
        (void)json_object_set_new(period, "start", json_string(start));
    if (end[0] != '\0')
        (void)json_object_set_new(period, "end", json_string(end));
    if (json_object_size(period) > 0)
        (void)json_object_set(repeat, "boundsPeriod", period);
    else if (days > 0)
        (void)json_object_set_new(repeat, "boundsDuration",
                                  json_pack("{s:I, s:s, s:s}", "value", (json_int_t)days, "system",
                                            "http://unitsofmeasure.org", "code", "d"));
    json_decref(period);
}

/* "PRN", "BID PRN", "PRNQ4H": the rest of the code, and that it is as needed. */
static bool strip_as_needed(char *code)
{
    size_t len = strlen(code);
    if (strncasecmp(code, "PRN", 3) == 0) {
        memmove(code, code + 3, len - 2);
        code[strspn(code, " ")] == '\0'
            ? (void)(code[0] = '\0')
            : (void)memmove(code, code + strspn(code, " "), strlen(code + strspn(code, " ")) + 1);
        return true;
    }
    if (len > 4 && strcasecmp(code + len - 4, " PRN") == 0) {
        code[len - 4] = '\0';
        return true;
    }
    return false;
}

static void set_pattern(const struct hl7_time *row, json_t *repeat, json_t *timing, bool *as_needed,
                        char *why, size_t why_size)
{
    json_t *whens = json_array();
    int times = 0, known = 0;
    for (int i = 0; i < row->pattern_count; i++) {
        char code[96];
        const char *when = NULL;
        (void)snprintf(code, sizeof code, "%s", row->patterns[i]);
        *as_needed = strip_as_needed(code) || *as_needed;
        if (code[0] == '\0')
            continue;
        if (strcasecmp(code, "ONCE") == 0) {
            (void)json_object_set_new(repeat, "count", json_integer(1));
        } else if (pattern_known(code, repeat, &when)) {
            known++;
        } else {
            /* Words, or a code of the site: the reader of words compares them, and the order waits. */
            (void)json_object_set_new(timing, "code", json_pack("{s:s}", "text", code));
        }
        if (when != NULL)
            (void)json_array_append_new(whens, json_string(when));
    }
    size_t when_count = json_array_size(whens);
    if (known > 1 && (int)when_count != known)
        (void)snprintf(why, why_size, "several repeat patterns at once");
    else if (known > 1) /* "in the morning and at bedtime" */
        (void)json_object_set_new(repeat, "frequency", json_integer(known));
    if (when_count > 0)
        (void)json_object_set(repeat, "when", whens);
    json_decref(whens);
    if (row->explicit_times[0] == '\0')
        return;
    if (!read_times(row->explicit_times, repeat, &times)) {
        (void)snprintf(why, why_size, "the times \"%.40s\"", row->explicit_times);
        return;
    }
    (void)json_object_del(repeat,
                          "when"); /* the clock says it more exactly; the part of the day is compared */
    const char *unit = json_string_value(json_object_get(repeat, "periodUnit"));
    json_int_t period = json_integer_value(json_object_get(repeat, "period"));
    if (unit != NULL && strcmp(unit, "h") == 0 && period > 0 && 24 % period == 0) {
        /* "Q8H at 0600,1400,2200": the times must stand those hours apart. */
        const json_t *list = json_object_get(repeat, "timeOfDay");
        bool apart = times == 24 / period;
        for (size_t i = 1; i < json_array_size(list) && apart; i++) {
            int a, b;
            char text[2][TOD_TEXT_BYTES];
            for (size_t j = 0; j < 2; j++)
                (void)snprintf(text[j], sizeof text[j], "%.5s",
                               json_string_value(json_array_get(list, i - 1 + j)));
            apart = tod_parse(text[0], &a) && tod_parse(text[1], &b) && b - a == (int)period * 60;
        }
        if (!apart)
            (void)snprintf(why, why_size, "times that are not %d hours apart", (int)period);
        (void)set_repeat(repeat, 24 / period, 1, "d");
    }
    if (when_count == 0)
        return;
    /* FHIR knows no part of the day beside a clock time, only its code; that must then fit the time. */
    const char *code = strcasecmp(row->patterns[0], "QAM") == 0   ? "AM"
                       : strcasecmp(row->patterns[0], "QHS") == 0 ? "BED"
                                                                  : "";
    if (code[0] != '\0' && when_count == 1 && times == 1)
        (void)json_object_set_new(timing, "code",
                                  json_pack("{s:[{s:s, s:s}]}", "coding", "system",
                                            "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
                                            "code", code));
    else
        (void)snprintf(why, why_size, "a part of the day beside a clock time");
}

json_t *hl7_time_timing(const struct hl7_time *row, bool *ret_as_needed, char *ret_why, size_t why_size)
{
    json_t *repeat = json_object(), *timing = json_object();
    *ret_as_needed = row->condition[0] != '\0' || strcasecmp(row->priority, "PRN") == 0;
    ret_why[0] = '\0';
    if (row->odd[0] != '\0')
        (void)snprintf(ret_why, why_size, "%s", row->odd);
    set_pattern(row, repeat, timing, ret_as_needed, ret_why, why_size);
    set_bounds(row, repeat, ret_why, why_size);
    if (row->total[0] != '\0') {
        const char *rest;
        long total;
        if (number(row->total, &total, &rest) && *rest == '\0')
            (void)json_object_set_new(repeat, "count", json_integer(total));
        else
            (void)snprintf(ret_why, why_size, "the number of doses \"%.15s\"", row->total);
    }
    if (json_object_size(repeat) > 0)
        (void)json_object_set(timing, "repeat", repeat);
    json_decref(repeat);
    if (json_object_size(timing) > 0)
        return timing;
    json_decref(timing);
    return NULL;
}
