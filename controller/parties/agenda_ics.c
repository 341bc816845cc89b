/* SPDX-License-Identifier: Apache-2.0 */
/* iCalendar, RFC 5545: lines end with CRLF and are folded after 75 octets, never inside a character (3.1);
 * commas, semicolons, backslashes and line breaks of texts are escaped (3.3.11). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/utf8.h"
#include "controller/parties/agenda_private.h"
#include "controller/plan/label.h"

enum { FOLD = 75, DOSE_MINUTES = 15, STAMP_BYTES = 24 };

/* One content line, folded. */
static void line_put(struct buf *out, const char *line)
{
    size_t len = strlen(line), column = 0;
    for (size_t at = 0; at < len;) {
        uint32_t character;
        size_t n = utf8_next(line + at, len - at, &character);
        if (n == 0)
            n = 1;
        if (column + n > FOLD) {
            buf_text(out, "\r\n ");
            column = 1;
        }
        buf_add(out, line + at, n);
        column += n;
        at += n;
    }
    buf_text(out, "\r\n");
}

__attribute__((format(printf, 2, 3))) static void line_printf(struct buf *out, const char *format, ...)
{
    char line[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args); /* dates, numbers, hosts: they fit */
    va_end(args);
    line_put(out, line);
}

static void text_put(struct buf *out, const char *name, const char *text)
{
    struct buf line;
    buf_init(&line);
    buf_printf(&line, "%s:", name);
    for (; *text; text++) {
        if (*text == '\n') {
            buf_text(&line, "\\n");
            continue;
        }
        if (strchr("\\;,", *text))
            buf_char(&line, '\\');
        buf_char(&line, *text);
    }
    line_put(out, buf_string(&line));
    out->failed = out->failed || line.failed;
    buf_finish(&line);
}

static void date_text(int32_t day, char text[STAMP_BYTES])
{
    int year, month, mday;
    civil_to_ymd(day, &year, &month, &mday);
    (void)snprintf(text, STAMP_BYTES, "%04d%02d%02d", year, month, mday);
}

/* "20261121T234729Z" */
static void stamp_text(int64_t wall_ms, char text[STAMP_BYTES])
{
    char date[STAMP_BYTES];
    int32_t day = instant_day(wall_ms);
    int seconds = (int)((wall_ms - (int64_t)day * 86400000) / 1000);
    date_text(day, date);
    (void)snprintf(text, STAMP_BYTES, "%.8sT%02d%02d%02dZ", date, seconds / 3600, seconds / 60 % 60,
                   seconds % 60);
}

static void event_begin(const struct agenda *a, const char *uid, int64_t wall_ms, struct buf *out)
{
    char stamp[STAMP_BYTES];
    stamp_text(wall_ms, stamp);
    line_put(out, "BEGIN:VEVENT");
    line_printf(out, "UID:%" PRId64 "-%s@%.200s", a->review.row.patient, uid, a->host);
    line_printf(out, "DTSTAMP:%s", stamp);
    line_printf(out, "SEQUENCE:%d", a->review.plan->version);
    line_put(out, "CLASS:PRIVATE");
    line_put(out, "TRANSP:TRANSPARENT");
}

static void apart_text(const struct agenda *a, struct buf *out)
{
    for (size_t i = 0; i < a->review.drug_count; i++) {
        const struct review_drug *drug = &a->review.drugs[i];
        if (drug->state == PLAN_INCLUDED || drug->change == REVIEW_GONE)
            continue;
        buf_printf(out, "\n%s: %s%s",
                   drug->state == PLAN_APART ? "Not in the pouches" : "Not in the pouches yet", drug->drug,
                   drug->words[0] ? ": " : "");
        buf_text(out, drug->words);
    }
    for (size_t n = 0; n < a->review.plan->note_count; n++) {
        struct buf line;
        buf_init(&line);
        if (agenda_distance_text(&a->review.plan->notes[n], &line))
            buf_printf(out, "\nKeep apart: %s", buf_string(&line));
        buf_finish(&line);
    }
}

static void roll_event(const struct agenda *a, int64_t wall_ms, struct buf *out)
{
    const struct plan_text *plan = a->review.plan;
    char start[STAMP_BYTES], next[STAMP_BYTES], uid[STAMP_BYTES + 8], last[AGENDA_DATE_BYTES];
    struct buf text;
    date_text(plan->start_day, start);
    date_text(plan->start_day + 1, next);
    agenda_date(plan->start_day + plan->days - 1, last);
    (void)snprintf(uid, sizeof uid, "%s-roll", start);
    event_begin(a, uid, wall_ms, out);
    line_printf(out, "DTSTART;VALUE=DATE:%s", start);
    line_printf(out, "DTEND;VALUE=DATE:%s", next);
    text_put(out, "SUMMARY",
             a->review.is_signed ? "A new roll of pouches starts" : "DRAFT: a new roll of pouches starts");
    buf_init(&text);
    buf_printf(&text, "%zu pouches, until %s. Questions: %s, phone %s.", plan->pouch_count, last, a->pharmacy,
               a->phone);
    apart_text(a, &text);
    text_put(out, "DESCRIPTION", buf_string(&text));
    out->failed = out->failed || text.failed;
    buf_finish(&text);
    line_put(out, "END:VEVENT");
}

static void dose_event(const struct agenda *a, const struct agenda_event *event, int64_t wall_ms,
                       struct buf *out)
{
    char date[STAMP_BYTES], uid[STAMP_BYTES + 8], time[LABEL_TIME_BYTES], summary[200];
    struct buf text;
    date_text(event->day, date);
    label_time(event->minute, time);
    (void)snprintf(uid, sizeof uid, "%.8sT%02d%02d", date, event->minute / 60, event->minute % 60);
    event_begin(a, uid, wall_ms, out);
    line_printf(out, "DTSTART:%.8sT%02d%02d00", date, event->minute / 60, event->minute % 60);
    line_printf(out, "DURATION:PT%dM", DOSE_MINUTES);
    if (event->gone) {
        line_put(out, "STATUS:CANCELLED");
        text_put(out, "SUMMARY", "No pouch at this time any more");
        line_put(out, "END:VEVENT");
        return;
    }
    line_put(out, a->review.is_signed ? "STATUS:CONFIRMED" : "STATUS:TENTATIVE");
    (void)snprintf(summary, sizeof summary, "%s%.80s %s: %d pouch%s", a->review.is_signed ? "" : "DRAFT ",
                   event->slot, time, event->pouches, event->pouches == 1 ? "" : "es");
    text_put(out, "SUMMARY", summary);
    buf_init(&text);
    for (size_t i = 0; i < event->item_count; i++) {
        if (i)
            buf_char(&text, '\n');
        agenda_item_text(&event->items[i], &text);
        if (event->items[i].look[0])
            buf_printf(&text, " (%s)", event->items[i].look);
    }
    text_put(out, "DESCRIPTION", buf_string(&text));
    out->failed = out->failed || text.failed;
    buf_finish(&text);
    line_put(out, "END:VEVENT");
}

void agenda_to_ics(const struct agenda *a, int64_t wall_ms, struct buf *out)
{
    char name[400];
    line_put(out, "BEGIN:VCALENDAR");
    line_put(out, "VERSION:2.0");
    line_put(out, "PRODID:-//sachet//pouch calendar 1//EN");
    line_put(out, "CALSCALE:GREGORIAN");
    line_put(out, "METHOD:PUBLISH");
    (void)snprintf(name, sizeof name, "%s%sMedicines of %.200s", agenda_banner(a),
                   agenda_banner(a)[0] ? ": " : "", a->review.plan->patient_name);
    text_put(out, "X-WR-CALNAME", name);
    roll_event(a, wall_ms, out);
    for (size_t i = 0; i < a->event_count; i++)
        dose_event(a, &a->events[i], wall_ms, out);
    line_put(out, "END:VCALENDAR");
}
