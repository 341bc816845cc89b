/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/reason.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
    enum reason_class class;
} table[REASON_CODE_COUNT] = {
#define REASON_ROW(name, class, text) {#name, text, REASON_##class},
    REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

const char *reason_name(enum reason_code code)
{
    assert((unsigned)code < REASON_CODE_COUNT);
    return table[code].name;
}

bool reason_parse(const char *name, enum reason_code *ret_code)
{
    for (int i = 0; i < REASON_CODE_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            *ret_code = (enum reason_code)i;
            return true;
        }
    }
    return false;
}

const char *reason_text(enum reason_code code)
{
    assert((unsigned)code < REASON_CODE_COUNT);
    return table[code].text;
}

enum reason_class reason_class_of(enum reason_code code)
{
    assert((unsigned)code < REASON_CODE_COUNT);
    return table[code].class;
}

const char *outcome_text(enum outcome outcome)
{
    static const char *const texts[] = {"packable", "waiting", "refused"};
    assert((unsigned)outcome < 3);
    return texts[outcome];
}

/* Cuts at a character's border, so that the text stays UTF-8. */
static void cut_utf8(char *text, size_t room)
{
    size_t len = strlen(text);
    if (len + 1 < room)
        return;
    while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
        len--;
    if (len > 0 && ((unsigned char)text[len - 1] & 0x80) != 0)
        len--;
    text[len] = '\0';
}

/* A place for a new row: the next free one, or in a full list that of the last note. */
static struct reason *free_row(struct reasons *reasons, enum reason_class class)
{
    if (reasons->count < REASONS_MAX)
        return &reasons->rows[reasons->count++];
    if (class == REASON_NOTE)
        return NULL;
    for (int i = REASONS_MAX - 1; i >= 0; i--) {
        if (reason_class_of(reasons->rows[i].code) == REASON_NOTE)
            return &reasons->rows[i];
    }
    return NULL;
}

/* text is cut and clean already. */
static void put(struct reasons *reasons, enum reason_code code, const char *text)
{
    enum reason_class class = reason_class_of(code);
    if (class == REASON_REFUSED)
        reasons->outcome = OUTCOME_REFUSED;
    else if (class == REASON_WAITING && reasons->outcome == OUTCOME_PACKABLE)
        reasons->outcome = OUTCOME_WAITING;
    for (int i = 0; i < reasons->count; i++) {
        if (reasons->rows[i].code == code && strcmp(reasons->rows[i].text, text) == 0)
            return;
    }
    struct reason *row = free_row(reasons, class);
    if (row == NULL)
        return;
    row->code = code;
    memcpy(row->text, text, strlen(text) + 1);
}

void reasons_add(struct reasons *reasons, enum reason_code code, const char *format, ...)
{
    char text[REASON_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cut_utf8(text, sizeof text);
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    }
    put(reasons, code, text);
}

void reasons_mark(struct reasons *reasons, enum reason_code code)
{
    put(reasons, code, "");
}

bool reasons_has(const struct reasons *reasons, enum reason_code code)
{
    for (int i = 0; i < reasons->count; i++) {
        if (reasons->rows[i].code == code)
            return true;
    }
    return false;
}

void reasons_merge(struct reasons *into, const struct reasons *from)
{
    for (int i = 0; i < from->count; i++)
        put(into, from->rows[i].code, from->rows[i].text);
}

bool reasons_settle(struct reasons *reasons, const bool accepts[REASON_CODE_COUNT])
{
    struct reasons kept = {0};
    if (reasons->count == REASONS_MAX)
        return false;
    for (int i = 0; i < reasons->count; i++) {
        const struct reason *row = &reasons->rows[i];
        if (reason_class_of(row->code) != REASON_WAITING || !accepts[row->code])
            put(&kept, row->code, row->text);
    }
    *reasons = kept;
    return true;
}
