/* SPDX-License-Identifier: Apache-2.0 */
/* A reading in one plain line. It is made from the dosages, not from the text, so that a person sees what was
 * understood. */
#include "controller/intake/sig/sigtext.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "controller/intake/reading.h"
#include "controller/intake/sig/sigtext_private.h"

#include <inttypes.h>

static const char *const unit_names[] = {"minute", "hour", "day", "week", "month"};
static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

static const char *event_name(int event)
{
    static const char *const names[] = {
        [READING_MORN] = "in the morning",  [READING_NOON] = "at noon",
        [READING_AFT] = "in the afternoon", [READING_EVE] = "in the evening",
        [READING_NIGHT] = "at night",       [READING_HS] = "at bedtime",
        [READING_WAKE] = "on waking",       [READING_C] = "with a meal",
        [READING_CM] = "with breakfast",    [READING_CD] = "with lunch",
        [READING_CV] = "with dinner",       [READING_AC] = "before a meal",
        [READING_ACM] = "before breakfast", [READING_ACD] = "before lunch",
        [READING_ACV] = "before dinner",    [READING_PC] = "after a meal",
        [READING_PCM] = "after breakfast",  [READING_PCD] = "after lunch",
        [READING_PCV] = "after dinner",
    };
    return names[event];
}

static void number(int64_t milli, struct buf *out)
{
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(milli, text);
    buf_text(out, text);
}

static void amount(const struct sigtext_dosage *dosage, struct buf *out)
{
    if (!dosage->has_amount) {
        buf_text(out, "no amount stated");
        return;
    }
    if (dosage->amount.low == 0) {
        buf_text(out, "up to ");
    } else if (dosage->amount.low != dosage->amount.high) {
        number(dosage->amount.low, out);
        buf_text(out, " to ");
    }
    number(dosage->amount.high, out);
    if (dosage->unit != NULL)
        buf_printf(out, " %s", dosage->unit->name);
    else
        buf_text(out, " (unit not stated)");
}

static void times_in_period(const struct sigtext_dosage *dosage, struct buf *out)
{
    const char *unit = unit_names[dosage->period_unit];
    if (dosage->times.low == 0)
        buf_printf(out, "up to %" PRId64 " times", dosage->times.high);
    else if (dosage->times.low != dosage->times.high)
        buf_printf(out, "%" PRId64 " to %" PRId64 " times", dosage->times.low, dosage->times.high);
    else if (dosage->times.low == 1)
        buf_text(out, "once");
    else if (dosage->times.low == 2)
        buf_text(out, "twice");
    else
        buf_printf(out, "%" PRId64 " times", dosage->times.low);
    if (dosage->period.low != dosage->period.high)
        buf_printf(out, " every %" PRId64 " to %" PRId64 " %ss", dosage->period.low, dosage->period.high,
                   unit);
    else if (dosage->period.low == 1)
        buf_printf(out, " a %s", unit);
    else
        buf_printf(out, " every %" PRId64 " %ss", dosage->period.low, unit);
}

static void when(const struct sigtext_dosage *dosage, struct buf *out)
{
    const char *comma = ", ";
    if (dosage->once)
        buf_text(out, ", once only");
    if (dosage->has_frequency) {
        buf_text(out, ", ");
        times_in_period(dosage, out);
    }
    for (int i = 0, first = 1; i < 7; i++) {
        if ((dosage->weekdays & 1u << i) == 0)
            continue;
        buf_printf(out, "%s%s", first ? " on " : ", ", day_names[i]);
        first = 0;
    }
    for (int i = 0; i < dosage->clock_count; i++) {
        char at[TOD_TEXT_BYTES];
        tod_format(dosage->clocks[i], at);
        buf_printf(out, "%s%s%s", comma, i > 0 ? "and " : "at ", at);
        comma = " ";
    }
    for (int i = 0; i < dosage->event_count; i++) {
        buf_printf(out, "%s%s", comma, i > 0 ? "and " : "");
        if (dosage->offset_min > 0)
            buf_printf(out, "%d min ", dosage->offset_min);
        bool before_bed = dosage->offset_min > 0 && dosage->events[i] == READING_HS;
        bool after_waking = dosage->offset_min > 0 && dosage->events[i] == READING_WAKE;
        buf_text(out, before_bed     ? "before bedtime"
                      : after_waking ? "after waking"
                                     : event_name(dosage->events[i]));
        comma = " ";
    }
}

static void how_long(const struct sigtext_dosage *dosage, struct buf *out)
{
    char day[CIVIL_TEXT_BYTES];
    if (dosage->start_day != CIVIL_DAY_NONE) {
        civil_format(dosage->start_day, day);
        buf_printf(out, ", from %s", day);
    }
    if (dosage->end_day != CIVIL_DAY_NONE) {
        civil_format(dosage->end_day, day);
        buf_printf(out, ", until %s", day);
    }
    if (!dosage->has_length)
        return;
    static const char *const bounds[] = {"", "at least ", "at most "};
    buf_printf(out, ", for %s%" PRId64, bounds[dosage->length_bound], dosage->length.low);
    if (dosage->length.low != dosage->length.high)
        buf_printf(out, " to %" PRId64, dosage->length.high);
    buf_printf(out, " %s%s", unit_names[dosage->length_unit], dosage->length.high == 1 ? "" : "s");
}

static void describe(const struct sigtext_dosage *dosage, struct buf *out)
{
    amount(dosage, out);
    when(dosage, out);
    if (dosage->as_needed)
        buf_printf(out, ", only as needed%s%s", dosage->as_needed_for[0] != '\0' ? " for " : "",
                   dosage->as_needed_for);
    how_long(dosage, out);
    if (dosage->has_max) {
        buf_text(out, ", at most ");
        number(dosage->max, out);
        if (dosage->max_counts_doses)
            buf_text(out, " doses");
        else if (dosage->max_unit != NULL)
            buf_printf(out, " %s", dosage->max_unit->name);
        buf_printf(out, " a %s", dosage->max_per_dose ? "dose" : unit_names[dosage->max_period]);
    }
    if (dosage->route != NULL)
        buf_printf(out, "; %s%s%s", dosage->route->name, dosage->route->site[0] != '\0' ? ", " : "",
                   dosage->route->site);
    for (int i = 0; i < dosage->note_count; i++)
        buf_printf(out, "; %s", dosage->notes[i]);
}

void sigtext_describe(const struct sigtext *sig, struct buf *out)
{
    for (int i = 0; i < sig->dosage_count; i++) {
        if (i > 0)
            buf_text(out, sig->dosages[i].sequence == sig->dosages[i - 1].sequence ? "; and " : "; then ");
        describe(&sig->dosages[i], out);
    }
}
