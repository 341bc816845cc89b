/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scalar: text in, integer out, or a sentence on what is allowed. Also the two helpers of good messages:
 * showing a foreign text and finding the word that was meant.
 */
#include "config/conf_private.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "config/base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct time_unit {
    const char *name;
    int64_t ms;
} time_units[] = {
    {.name = "ms", .ms = 1},      {.name = "s", .ms = 1000},     {.name = "min", .ms = 60000},
    {.name = "h", .ms = 3600000}, {.name = "d", .ms = 86400000},
};

static const struct time_unit *find_time_unit(const char *name)
{
    for (size_t i = 0; i < sizeof time_units / sizeof time_units[0]; i++) {
        if (strcmp(time_units[i].name, name) == 0)
            return &time_units[i];
    }
    return NULL;
}

bool conf_type_is_list(enum conf_type type)
{
    return conf_type_element(type) != type;
}

enum conf_type conf_type_element(enum conf_type type)
{
    static const enum conf_type elements[] = {
        [CONF_INTS] = CONF_INT,   [CONF_TEXTS] = CONF_TEXT, [CONF_ENUMS] = CONF_ENUM,
        [CONF_FILES] = CONF_FILE, [CONF_TODS] = CONF_TOD,
    };
    return type >= CONF_INTS ? elements[type] : type;
}

const char *conf_show(const char *text, char shown[CONF_SHOWN_BYTES])
{
    size_t left = strlen(text);
    size_t n = 0;
    while (left > 0) {
        uint32_t c;
        size_t size = utf8_next(text, left, &c);
        bool plain = size > 0 && utf8_printable(text, size);
        if (n + (plain ? size : 1) > CONF_SHOWN_BYTES - 4) {
            memcpy(shown + n, "...", 3);
            n += 3;
            break;
        }
        if (plain)
            memcpy(shown + n, text, size);
        else
            shown[n] = '?';
        n += plain ? size : 1;
        text += size ? size : 1;
        left -= size ? size : 1;
    }
    shown[n] = '\0';
    return shown;
}

static void add_number(struct buf *out, enum conf_type type, int64_t value)
{
    char text[QUANTITY_TEXT_BYTES];
    switch (type) {
    case CONF_MILLI:
        quantity_format(value, text);
        buf_text(out, text);
        break;
    case CONF_TOD:
        tod_format((int)value, text);
        buf_text(out, text);
        break;
    case CONF_DATE:
        civil_format((int32_t)value, text);
        buf_text(out, text);
        break;
    case CONF_MAP:
    case CONF_MAPS:
    case CONF_INT:
    case CONF_BOOL:
    case CONF_TEXT:
    case CONF_ENUM:
    case CONF_FILE:
    case CONF_DURATION:
    case CONF_ANY:
    case CONF_INTS:
    case CONF_TEXTS:
    case CONF_ENUMS:
    case CONF_FILES:
    case CONF_TODS:
        buf_printf(out, "%" PRId64, value);
        break;
    }
}

void conf_value_allowed(const struct conf_key *key, struct buf *out)
{
    static const char *const names[] = {
        [CONF_MAP] = "group",
        [CONF_MAPS] = "list of groups",
        [CONF_INT] = "whole number",
        [CONF_BOOL] = "true or false",
        [CONF_TEXT] = "text",
        [CONF_ENUM] = "one of",
        [CONF_FILE] = "file path",
        [CONF_DATE] = "date \"YYYY-MM-DD\"",
        [CONF_TOD] = "time \"HH:MM\"",
        [CONF_DURATION] = "duration",
        [CONF_MILLI] = "decimal number with at most 3 places",
        [CONF_ANY] = "anything",
    };
    enum conf_type type = conf_type_element(key->type);
    buf_printf(out, "%s", names[type]);
    if (type == CONF_ENUM) {
        for (int i = 0; key->choices[i]; i++)
            buf_printf(out, "%s %s", i ? "," : "", key->choices[i]);
    }
    if (key->range && type == CONF_TEXT) {
        buf_printf(out, " of %" PRId64 " to %" PRId64 " bytes", key->min, key->max);
    } else if (key->range && type != CONF_MAP && type != CONF_MAPS) {
        buf_char(out, ' ');
        add_number(out, type, key->min);
        buf_text(out, "..");
        add_number(out, type, key->max);
    }
    if (type == CONF_DURATION)
        buf_printf(out, " %s, with its unit (ms, s, min, h, d)", key->unit);
    else if (key->unit)
        buf_printf(out, " (%s)", key->unit);
    if (key->nullable)
        buf_text(out, " or null");
}

static bool refuse(const struct conf_key *key, const char *text, char why[CONF_MESSAGE_BYTES],
                   const char *what, const char *hint)
{
    char mem[CONF_MESSAGE_BYTES];
    char shown[CONF_SHOWN_BYTES];
    struct buf allowed;
    buf_init_fixed(&allowed, mem, sizeof mem);
    conf_value_allowed(key, &allowed);
    /* A list of choices that does not fit is cut: the beginning is still true. */
    (void)snprintf(why, CONF_MESSAGE_BYTES, "`%s` %s, allowed: %.280s%s%s", conf_show(text, shown), what,
                   allowed.failed ? "see the reference page" : buf_string(&allowed), hint[0] ? ", " : "",
                   hint);
    return false;
}

static bool in_range(const struct conf_key *key, const char *text, int64_t value,
                     char why[CONF_MESSAGE_BYTES])
{
    if (!key->range || (value >= key->min && value <= key->max))
        return true;
    return refuse(key, text, why, value < key->min ? "is too small" : "is too large", "");
}

/* Whole number with an optional sign, decimal or 0x; *ret_end points behind it. */
static bool read_whole(const char *text, int64_t *ret_value, const char **ret_end)
{
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    if (hex ? !isxdigit((unsigned char)digits[2]) : !isdigit((unsigned char)digits[0]))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, hex ? 16 : 10);
    if (errno != 0 || value == LLONG_MIN)
        return false;
    *ret_value = value;
    *ret_end = end;
    return true;
}

static bool read_int(const struct conf_key *key, const char *text, int64_t *ret_value,
                     char why[CONF_MESSAGE_BYTES])
{
    const char *end;
    int64_t value;
    if (!read_whole(text, &value, &end))
        return refuse(key, text, why, "is not a whole number", "");
    if (*end == '.')
        return refuse(key, text, why, "has a fraction", "");
    if (*end)
        return refuse(key, text, why, "has something behind the number", "write the number alone");
    *ret_value = value;
    return in_range(key, text, value, why);
}

static bool read_duration(const struct conf_key *key, const char *text, int64_t *ret_value,
                          char why[CONF_MESSAGE_BYTES])
{
    const char *end;
    int64_t number;
    char hint[64];
    const struct time_unit *base = find_time_unit(key->unit);
    if (!read_whole(text, &number, &end))
        return refuse(key, text, why, "is not a whole number with a unit", "");
    while (*end == ' ')
        end++;
    if (!*end) {
        (void)snprintf(hint, sizeof hint, "write `%" PRId64 " %s` if that is meant", number, key->unit);
        return refuse(key, text, why, "has no unit", hint);
    }
    const struct time_unit *unit = find_time_unit(end);
    if (!unit)
        return refuse(key, text, why, "has an unknown unit", "");
    int64_t ms;
    if (__builtin_mul_overflow(number, unit->ms, &ms))
        return refuse(key, text, why, "is too large", "");
    if (ms % base->ms != 0) {
        (void)snprintf(hint, sizeof hint, "give whole %s", key->unit);
        return refuse(key, text, why, "is finer than the unit counts", hint);
    }
    *ret_value = ms / base->ms;
    return in_range(key, text, *ret_value, why);
}

static bool read_bool(const struct conf_key *key, const char *text, int64_t *ret_value,
                      char why[CONF_MESSAGE_BYTES])
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *ret_value = text[0] == 't';
        return true;
    }
    static const char *const yes[] = {"yes", "Yes", "YES", "on", "On", "ON", "y", "True", "TRUE", "1"};
    static const char *const no[] = {"no", "No", "NO", "off", "Off", "OFF", "n", "False", "FALSE", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0)
            return refuse(key, text, why, "is not a truth value here", "did you mean true?");
        if (strcmp(text, no[i]) == 0)
            return refuse(key, text, why, "is not a truth value here", "did you mean false?");
    }
    return refuse(key, text, why, "is not a truth value", "");
}

static bool read_enum(const struct conf_key *key, const char *text, int64_t *ret_value,
                      char why[CONF_MESSAGE_BYTES])
{
    struct conf_nearest nearest;
    conf_nearest_init(&nearest, text);
    for (int i = 0; key->choices[i]; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            *ret_value = i;
            return true;
        }
        conf_nearest_try(&nearest, key->choices[i]);
    }
    char hint[96] = "";
    if (nearest.best)
        (void)snprintf(hint, sizeof hint, "did you mean `%s`?", nearest.best);
    return refuse(key, text, why, "is not known", hint);
}

static bool read_text(const struct conf_key *key, const char *text, size_t len, int64_t *ret_value,
                      char why[CONF_MESSAGE_BYTES])
{
    if (!utf8_printable(text, len))
        return refuse(key, text, why, "holds a line end, control or invisible character",
                      "write it on one line of plain text");
    size_t least = key->range ? (size_t)key->min : 1;
    size_t most = key->range ? (size_t)key->max : CONF_TEXT_MAX;
    if (len < least)
        return refuse(key, text, why, len == 0 ? "is empty" : "is too short", "");
    if (len > most)
        return refuse(key, text, why, "is too long", "");
    *ret_value = 0;
    return true;
}

static bool plain_null(const char *text, size_t len, bool quoted)
{
    return !quoted && (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

bool conf_value_null(const struct conf_node *node)
{
    return plain_null(node->text, node->len, node->quoted);
}

bool conf_value_read(const struct conf_key *key, const char *text, size_t len, bool quoted,
                     int64_t *ret_value, char why[CONF_MESSAGE_BYTES])
{
    enum conf_type type = conf_type_element(key->type);
    if (plain_null(text, len, quoted))
        return refuse(key, text, why, "is no value", "give one or delete the line");
    if (strlen(text) != len)
        return refuse(key, text, why, "holds a NUL character", "");
    if (len > CONF_TEXT_MAX)
        return refuse(key, text, why, "is too long", "");
    if (quoted && (type == CONF_INT || type == CONF_BOOL || type == CONF_MILLI))
        return refuse(key, text, why, "is text", "write it without quotes");
    switch (type) {
    case CONF_INT:
        return read_int(key, text, ret_value, why);
    case CONF_BOOL:
        return read_bool(key, text, ret_value, why);
    case CONF_ENUM:
        return read_enum(key, text, ret_value, why);
    case CONF_DURATION:
        return read_duration(key, text, ret_value, why);
    case CONF_MILLI:
        if (!quantity_parse(text, ret_value))
            return refuse(key, text, why, "is not such a number", "");
        return in_range(key, text, *ret_value, why);
    case CONF_DATE: {
        int32_t day;
        if (!civil_parse(text, &day))
            return refuse(key, text, why, "is no date of the years 1800 to 2999",
                          ""); /* CIVIL_YEAR_MIN, MAX */
        *ret_value = day;
        return in_range(key, text, day, why);
    }
    case CONF_TOD: {
        int minute;
        if (!tod_parse(text, &minute))
            return refuse(key, text, why, "is no time of day", "write two digits each, 00:00 to 23:59");
        *ret_value = minute;
        return in_range(key, text, minute, why);
    }
    case CONF_TEXT:
    case CONF_FILE:
        return read_text(key, text, len, ret_value, why);
    case CONF_MAP:
    case CONF_MAPS:
    case CONF_ANY:
    case CONF_INTS:
    case CONF_TEXTS:
    case CONF_ENUMS:
    case CONF_FILES:
    case CONF_TODS:
        break;
    }
    return refuse(key, text, why, "is a single value", "");
}

/* Edits (insert, delete, change, swap neighbours) from a to b, row by row; words over 32 bytes count as far.
 */
static unsigned edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    size_t na = strlen(a);
    size_t nb = strlen(b);
    if (na > LONGEST || nb > LONGEST)
        return LONGEST;
    unsigned rows[3][LONGEST + 1];
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[na % 3][nb];
}

void conf_nearest_init(struct conf_nearest *nearest, const char *word)
{
    /* A third of the word may differ: more would suggest nonsense. */
    *nearest = (struct conf_nearest){.word = word, .distance = (unsigned)(strlen(word) / 3 + 2)};
}

void conf_nearest_try(struct conf_nearest *nearest, const char *candidate)
{
    unsigned distance = edit_distance(nearest->word, candidate);
    if (distance < nearest->distance && distance < strlen(candidate)) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}
