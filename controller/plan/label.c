/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/label.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/utf8.h"
#include "scheduler/roll.h"

enum { LONG_DATE_COLUMNS = 27, INDENT = 2 };

static const char PROVISIONAL_MARK[] = "PRODUCT DATA NOT CHECKED";

/* Counts lines when out is NULL, else writes them. */
struct printer {
    struct buf *out;
    int columns;
    int lines;
};

static void put(struct printer *p, const char *text, size_t len)
{
    if (p->out)
        buf_add(p->out, text, len);
}

static void line_begin(struct printer *p, int indent)
{
    if (p->lines > 0)
        put(p, "\n", 1);
    p->lines++;
    put(p, "    ", (size_t)indent);
}

/* Bytes of the first `columns` characters of text. */
static size_t bytes_of(const char *text, size_t len, int columns)
{
    size_t at = 0;
    uint32_t c;
    for (int i = 0; i < columns && at < len; i++) {
        size_t size = utf8_next(text + at, len - at, &c);
        at += size ? size : 1;
    }
    return at;
}

static int columns_of(const char *text, size_t len)
{
    int count = 0;
    for (size_t at = 0; at < len; count++)
        at += bytes_of(text + at, len - at, 1);
    return count;
}

/* One paragraph: continuation lines are indented, so that each entry is seen as one. */
static void paragraph(struct printer *p, const char *text)
{
    int used = 0;
    bool first = true;
    line_begin(p, 0);
    for (const char *at = text + strspn(text, " "); *at;) {
        size_t len = strcspn(at, " ");
        int width = columns_of(at, len);
        if (!first && used + 1 + width > p->columns) {
            line_begin(p, INDENT);
            used = INDENT;
            first = true;
        }
        if (!first)
            put(p, " ", 1);
        used += !first;
        while (used + width > p->columns) { /* longer than a line: broken, not cut */
            size_t part = bytes_of(at, len, p->columns - used);
            put(p, at, part);
            at += part;
            len -= part;
            width -= p->columns - used;
            line_begin(p, INDENT);
            used = INDENT;
        }
        put(p, at, len);
        used += width;
        first = false;
        at += len;
        at += strspn(at, " ");
    }
}

void label_time(int minute, char text[LABEL_TIME_BYTES])
{
    int hour = minute / 60, rest = minute % 60;
    if (minute == 0)
        (void)snprintf(text, LABEL_TIME_BYTES, "12 MIDNIGHT");
    else if (minute == 720)
        (void)snprintf(text, LABEL_TIME_BYTES, "12 NOON");
    else if (rest == 0)
        (void)snprintf(text, LABEL_TIME_BYTES, "%d %s", (hour + 11) % 12 + 1, hour < 12 ? "AM" : "PM");
    else
        (void)snprintf(text, LABEL_TIME_BYTES, "%d:%02d %s", (hour + 11) % 12 + 1, rest,
                       hour < 12 ? "AM" : "PM");
}

void label_count(int whole, int half, struct buf *out)
{
    whole += half / 2;
    half %= 2;
    if (whole > 0 && half > 0)
        buf_printf(out, "%d and 1/2", whole);
    else if (half > 0)
        buf_text(out, "1/2");
    else
        buf_printf(out, "%d", whole);
}

static void date_text(int columns, int32_t day, struct buf *out)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    int year, month, mday;
    civil_to_ymd(day, &year, &month, &mday);
    const char *weekday = weekdays[civil_weekday(day)], *name = months[month - 1];
    if (columns >= LONG_DATE_COLUMNS)
        buf_printf(out, "%s %d %s %d", weekday, mday, name, year);
    else
        buf_printf(out, "%.3s %d %.3s %d", weekday, mday, name, year);
}

static void head(struct printer *p, const struct label_form *form, const struct label_pouch *pouch)
{
    char mem[128], time[LABEL_TIME_BYTES];
    struct buf line;
    if (form->patient[0])
        paragraph(p, form->patient);
    buf_init_fixed(&line, mem, sizeof mem);
    date_text(p->columns, pouch->day, &line);
    paragraph(p, buf_string(&line));
    buf_reset(&line);
    label_time(pouch->minute, time);
    buf_printf(&line, "%s %s", pouch->slot, time);
    paragraph(p, buf_string(&line));
    if (pouch->parts > 1) {
        buf_reset(&line);
        buf_printf(&line, "Pouch %d of %d for this time", pouch->part, pouch->parts);
        paragraph(p, buf_string(&line));
    }
    assert(!line.failed);
}

static void foot(struct printer *p, const struct label_form *form, bool provisional)
{
    struct buf line;
    if (provisional)
        paragraph(p, PROVISIONAL_MARK);
    buf_init(&line);
    buf_printf(&line, "%s %s", form->pharmacy, form->phone);
    paragraph(p, buf_string(&line));
    buf_finish(&line);
    if (form->address && form->address[0])
        paragraph(p, form->address);
}

static void item(struct printer *p, const char *count, const char *name)
{
    struct buf line;
    buf_init(&line);
    buf_printf(&line, "%s x %s", count, name);
    paragraph(p, buf_string(&line));
    buf_finish(&line);
}

int label_lines_for_products(const struct label_form *form)
{
    /* The longest head that this form can have: name of a slot, date, time and part. */
    static const char widest[] = "MMMMMMMMMMMMMMMM";
    _Static_assert(sizeof widest == LABEL_SLOT_COLUMNS_MAX + 1, "as long as a slot's name can be");
    struct label_pouch pouch = {.minute = 0, .slot = widest, .part = ROLL_PARTS_MAX, .parts = ROLL_PARTS_MAX};
    (void)civil_from_ymd(2026, 9, 30, &pouch.day); /* a Wednesday in September, so the longest date */
    struct printer p = {.columns = form->columns};
    head(&p, form, &pouch);
    foot(&p, form, form->provisional);
    return form->lines - p.lines;
}

int label_lines_of(const struct label_form *form, const char *name, bool halves)
{
    struct printer p = {.columns = form->columns};
    item(&p, halves ? "99 and 1/2" : "99", name);
    return p.lines;
}

void label_write(const struct label_form *form, const struct label_pouch *pouch, struct buf *out)
{
    struct printer p = {.out = out, .columns = form->columns};
    head(&p, form, pouch);
    for (int i = 0; i < pouch->item_count; i++) {
        char mem[32];
        struct buf count;
        buf_init_fixed(&count, mem, sizeof mem);
        label_count(pouch->items[i].whole, pouch->items[i].half, &count);
        item(&p, buf_string(&count), pouch->items[i].name);
    }
    foot(&p, form, pouch->provisional);
}

int label_line_count(const char *text)
{
    int lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}
