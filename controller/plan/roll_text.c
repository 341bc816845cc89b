/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/roll_text.h"

#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/utf8.h"
#include "controller/plan/label.h"
#include "controller/plan/plan_text.h"

enum { POUCHES_A_ROW = 3, CELL_COLUMNS = 12, DATE_COLUMNS = 12 };

/* Line `index` of a label, "" behind its end. */
static size_t label_line(const char *label, int index, const char **ret)
{
    while (index > 0 && *label) {
        label += strcspn(label, "\n");
        label += *label == '\n';
        index--;
    }
    *ret = label;
    return index > 0 ? 0 : strcspn(label, "\n");
}

static int columns(const char *text, size_t len)
{
    int count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static void pad(struct buf *out, char c, int count)
{
    for (int i = 0; i < count; i++)
        buf_char(out, c);
}

static void edge(struct buf *out, int pouches, int width)
{
    for (int i = 0; i < pouches; i++) {
        buf_char(out, '+');
        pad(out, '-', width + 2);
    }
    buf_text(out, "+\n");
}

/* Some pouches side by side, as on the film. */
static void strip(const struct plan_text *plan, size_t first, int count, int width, int height,
                  struct buf *out)
{
    edge(out, count, width);
    for (int line = 0; line < height; line++) {
        for (int i = 0; i < count; i++) {
            const char *text;
            size_t len = label_line(plan->pouches[first + (size_t)i].label, line, &text);
            buf_text(out, "| ");
            buf_add(out, text, len);
            pad(out, ' ', width - columns(text, len) + 1);
        }
        buf_text(out, "|\n");
    }
    edge(out, count, width);
}

static size_t first_day(const struct plan_text *plan)
{
    size_t count = 0;
    while (count < plan->pouch_count && plan->pouches[count].day == plan->pouches[0].day)
        count++;
    return count;
}

static void strips(const struct plan_text *plan, size_t count, struct buf *out)
{
    int width = 0, height = 0;
    for (size_t i = 0; i < count; i++) {
        int lines = label_line_count(plan->pouches[i].label);
        height = lines > height ? lines : height;
        for (int line = 0; line < lines; line++) {
            const char *text;
            size_t len = label_line(plan->pouches[i].label, line, &text);
            width = columns(text, len) > width ? columns(text, len) : width;
        }
    }
    for (size_t i = 0; i < count; i += POUCHES_A_ROW)
        strip(plan, i, count - i < POUCHES_A_ROW ? (int)(count - i) : POUCHES_A_ROW, width, height, out);
}

/* [ooo] three whole pieces, [o'] one and a half. Returns the columns used. */
static int pouch_cell(const struct plan_pouch *pouch, struct buf *out)
{
    int used = 2;
    buf_char(out, '[');
    for (size_t i = 0; i < pouch->item_count; i++) {
        pad(out, pouch->items[i].piece == ROLL_HALF ? '\'' : 'o', pouch->items[i].count);
        used += pouch->items[i].count;
    }
    buf_char(out, ']');
    return used;
}

static void day_row(const struct plan_text *plan, int32_t day, size_t *at, struct buf *out)
{
    static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    char date[CIVIL_TEXT_BYTES];
    civil_format(day, date);
    buf_printf(out, "%s %s  ", weekdays[civil_weekday(day)], date + 5);
    for (size_t s = 0; s < plan->slot_count; s++) {
        int used = 0;
        while (*at < plan->pouch_count && plan->pouches[*at].minute == plan->slots[s].minute &&
               plan->pouches[*at].day == day + plan->slots[s].offset)
            used += pouch_cell(&plan->pouches[(*at)++], out);
        if (s + 1 < plan->slot_count)
            pad(out, ' ', used < CELL_COLUMNS ? CELL_COLUMNS - used : 1);
    }
    buf_char(out, '\n');
}

static void calendar(const struct plan_text *plan, struct buf *out)
{
    pad(out, ' ', DATE_COLUMNS - 1);
    for (size_t s = 0; s < plan->slot_count; s++)
        buf_printf(out, s + 1 < plan->slot_count ? "%-*s" : "%.*s",
                   s + 1 < plan->slot_count ? CELL_COLUMNS : 64, plan->slots[s].name);
    buf_char(out, '\n');
    pad(out, ' ', DATE_COLUMNS - 1);
    for (size_t s = 0; s < plan->slot_count; s++) {
        char time[LABEL_TIME_BYTES];
        label_time(plan->slots[s].minute, time);
        buf_printf(out, s + 1 < plan->slot_count ? "%-*s" : "%.*s",
                   s + 1 < plan->slot_count ? CELL_COLUMNS : 64, time);
    }
    buf_char(out, '\n');
    size_t at = 0;
    for (int32_t day = plan->start_day; day < plan->start_day + plan->days; day++)
        day_row(plan, day, &at, out);
}

void roll_to_text(const struct plan_text *plan, int pouches, struct buf *out)
{
    size_t count = pouches > 0 ? (size_t)pouches : first_day(plan);
    char start[CIVIL_TEXT_BYTES];
    civil_format(plan->start_day, start);
    buf_printf(out, "%s (%s): %d days from %s, %zu pouches\n\n", plan->patient_name, plan->patient_id,
               plan->days, start, plan->pouch_count);
    strips(plan, count < plan->pouch_count ? count : plan->pouch_count, out);
    buf_char(out, '\n');
    calendar(plan, out);
    buf_text(out, "\n[oo'] is a pouch with two pieces and a half one\n");
}
