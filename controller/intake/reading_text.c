/* SPDX-License-Identifier: Apache-2.0 */
/* A reading in words, for people: "1 tablet at 08:00 and 20:00, every day from 2026-11-01". */
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "controller/intake/reading.h"

#include <string.h>

static const char *const weekdays[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

static const char *when_words(enum reading_when when)
{
    static const char *const words[READING_WHEN_COUNT] = {
        [READING_ANY] = "at a time of the site's choice",
        [READING_INTERVAL] = "by the clock",
        [READING_MORN] = "in the morning",
        [READING_NOON] = "at noon",
        [READING_AFT] = "in the afternoon",
        [READING_EVE] = "in the evening",
        [READING_NIGHT] = "at night",
        [READING_HS] = "at bedtime",
        [READING_WAKE] = "on waking",
        [READING_C] = "with a meal",
        [READING_CM] = "with breakfast",
        [READING_CD] = "with lunch",
        [READING_CV] = "with dinner",
        [READING_AC] = "before a meal",
        [READING_ACM] = "before breakfast",
        [READING_ACD] = "before lunch",
        [READING_ACV] = "before dinner",
        [READING_PC] = "after a meal",
        [READING_PCM] = "after breakfast",
        [READING_PCD] = "after lunch",
        [READING_PCV] = "after dinner",
    };
    return words[when] != NULL ? words[when] : "";
}

static void describe_amount(int64_t milli, const char *unit, struct buf *out)
{
    char text[QUANTITY_TEXT_BYTES];
    size_t len = strlen(unit);
    quantity_format(milli, text);
    buf_printf(out, "%s %s%s", text, unit,
               milli > QUANTITY_ONE && len > 0 && unit[len - 1] != 's' ? "s" : "");
}

static void describe_when(const struct reading_dose *dose, struct buf *out)
{
    if (dose->offset_min != 0)
        buf_printf(out, "%d min ", dose->offset_min);
    if (dose->when == READING_CLOCK) {
        char at[TOD_TEXT_BYTES];
        tod_format(dose->minute, at);
        buf_printf(out, "at %s", at);
    } else {
        buf_text(out, when_words(dose->when));
    }
}

/* True when doses i and j differ only in their time. */
static bool same_amount(const struct reading_phase *phase, int i, int j)
{
    return phase->doses[i].amount_milli == phase->doses[j].amount_milli;
}

static void describe_doses(const struct reading_phase *phase, const char *unit, struct buf *out)
{
    for (int i = 0; i < phase->dose_count;) {
        int run = 1;
        while (i + run < phase->dose_count && same_amount(phase, i, i + run))
            run++;
        if (i > 0)
            buf_text(out, ", then ");
        describe_amount(phase->doses[i].amount_milli, unit, out);
        bool same_when = true;
        for (int j = 1; j < run; j++)
            same_when = same_when && phase->doses[i].when == phase->doses[i + j].when &&
                        phase->doses[i].when != READING_CLOCK;
        if (phase->doses[i].when == READING_INTERVAL) {
            if (phase->interval_min % 60 == 0)
                buf_printf(out, " every %d hours", phase->interval_min / 60);
            else
                buf_printf(out, " every %d minutes", phase->interval_min);
        } else if (same_when) {
            if (run > 1)
                buf_printf(out, " %d times a day", run);
            else if (phase->dose_count == 1 && phase->doses[i].when == READING_ANY)
                buf_text(out, " once a day");
            if (phase->doses[i].when != READING_ANY || (run == 1 && phase->dose_count > 1)) {
                buf_char(out, ' ');
                describe_when(&phase->doses[i], out);
            }
        } else {
            for (int j = 0; j < run; j++) {
                buf_text(out, j == 0 ? " " : j == run - 1 ? " and " : ", ");
                describe_when(&phase->doses[i + j], out);
            }
        }
        i += run;
    }
}

static void describe_days(const struct reading_phase *phase, struct buf *out)
{
    if (phase->weekdays != 0) {
        const char *comma = ", on ";
        for (int i = 0; i < 7; i++) {
            if (phase->weekdays & 1u << i) {
                buf_printf(out, "%s%s", comma, weekdays[i]);
                comma = ", ";
            }
        }
    } else if (phase->every_days == 1) {
        buf_text(out, ", every day");
    } else if (phase->every_days == 2) {
        buf_text(out, ", every other day");
    } else if (phase->every_days == 7) {
        buf_text(out, ", once a week");
    } else {
        buf_printf(out, ", every %d days", phase->every_days);
    }
}

static void describe_bounds(const struct reading_phase *phase, struct buf *out)
{
    char day[CIVIL_TEXT_BYTES];
    if (phase->start_day != CIVIL_DAY_NONE) {
        civil_format(phase->start_day, day);
        buf_printf(out, " from %s", day);
    }
    if (phase->end_day != CIVIL_DAY_NONE) {
        civil_format(phase->end_day, day);
        buf_printf(out, " to %s", day);
    }
    if (phase->length_days != 0)
        buf_printf(out, " for %d day%s", phase->length_days, phase->length_days == 1 ? "" : "s");
}

void reading_describe(const struct reading *reading, const char *unit, struct buf *out)
{
    if (reading->phase_count == 0)
        buf_text(out, reading->as_needed ? "as needed" : "nothing");
    for (int i = 0; i < reading->phase_count; i++) {
        const struct reading_phase *phase = &reading->phases[i];
        if (i > 0)
            buf_text(out, phase->group == reading->phases[i - 1].group ? "; and " : "; then ");
        describe_doses(phase, unit, out);
        describe_days(phase, out);
        describe_bounds(phase, out);
    }
    if (reading->phase_count > 0 && reading->as_needed)
        buf_text(out, ", as needed");
    if (reading->max_per_day_milli != 0) {
        buf_text(out, ", at most ");
        describe_amount(reading->max_per_day_milli, unit, out);
        buf_text(out, " a day");
    }
}
