/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reading as FHIR R4 Dosage. A FHIR Dosage has one dose and one kind of time, so that a phase whose doses
 * differ becomes several Dosages of one sequence.
 */
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "controller/intake/dosage.h"

#include <string.h>

static void write_period(int32_t start, int32_t end, struct buf *out)
{
    char day[CIVIL_TEXT_BYTES];
    const char *comma = "";
    buf_text(out, "\"boundsPeriod\":{");
    if (start != CIVIL_DAY_NONE) {
        civil_format(start, day);
        buf_printf(out, "\"start\":\"%s\"", day);
        comma = ",";
    }
    if (end != CIVIL_DAY_NONE) {
        civil_format(end, day);
        buf_printf(out, "%s\"end\":\"%s\"", comma, day);
    }
    buf_text(out, "},");
}

static void write_bounds(const struct reading_phase *phase, struct buf *out)
{
    if (phase->start_day != CIVIL_DAY_NONE || phase->end_day != CIVIL_DAY_NONE) {
        int32_t end = phase->end_day;
        if (end == CIVIL_DAY_NONE && phase->length_days > 0)
            end = phase->start_day + phase->length_days - 1;
        write_period(phase->start_day, end, out);
    } else if (phase->length_days > 0) {
        buf_printf(
            out,
            "\"boundsDuration\":{\"value\":%d,\"unit\":\"day\",\"system\":\"http://unitsofmeasure.org\","
            "\"code\":\"d\"},",
            phase->length_days);
    }
}

static void write_turns(const struct reading_phase *phase, int count, struct buf *out)
{
    static const char *const names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    if (phase->interval_min > 0) {
        if (phase->interval_min % 60 == 0)
            buf_printf(out, "\"frequency\":1,\"period\":%d,\"periodUnit\":\"h\"", phase->interval_min / 60);
        else
            buf_printf(out, "\"frequency\":1,\"period\":%d,\"periodUnit\":\"min\"", phase->interval_min);
    } else if (phase->weekdays != 0) {
        buf_printf(out, "\"frequency\":%d,\"period\":1,\"periodUnit\":\"wk\",\"dayOfWeek\":[",
                   count * __builtin_popcount(phase->weekdays));
        const char *comma = "";
        for (int i = 0; i < 7; i++) {
            if (phase->weekdays & 1u << i) {
                buf_printf(out, "%s\"%s\"", comma, names[i]);
                comma = ",";
            }
        }
        buf_char(out, ']');
    } else if (phase->every_days % 7 == 0) {
        buf_printf(out, "\"frequency\":%d,\"period\":%d,\"periodUnit\":\"wk\"", count, phase->every_days / 7);
    } else {
        buf_printf(out, "\"frequency\":%d,\"period\":%d,\"periodUnit\":\"d\"", count, phase->every_days);
    }
}

/* Doses that one Dosage can hold: one amount, one offset, and all clock times, all codes or all without. */
static bool joins(const struct reading_dose *a, const struct reading_dose *b)
{
    bool clock_a = a->when == READING_CLOCK, clock_b = b->when == READING_CLOCK;
    bool code_a = a->when >= READING_MORN, code_b = b->when >= READING_MORN;
    return a->amount_milli == b->amount_milli && a->offset_min == b->offset_min && clock_a == clock_b &&
           code_a == code_b && (clock_a || code_a || a->when == b->when);
}

static void write_times(const struct reading_dose *first, const struct reading_dose *const *doses, int count,
                        struct buf *out)
{
    if (first->when == READING_CLOCK) {
        buf_text(out, ",\"timeOfDay\":[");
        for (int i = 0; i < count; i++) {
            char at[TOD_TEXT_BYTES];
            tod_format(doses[i]->minute, at);
            buf_printf(out, "%s\"%s:00\"", i > 0 ? "," : "", at);
        }
        buf_char(out, ']');
    } else if (first->when >= READING_MORN) {
        buf_text(out, ",\"when\":[");
        for (int i = 0; i < count; i++) {
            bool again = i > 0 && doses[i]->when == doses[i - 1]->when; /* "3 a day with meals": one code */
            if (!again)
                buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", reading_when_text(doses[i]->when));
        }
        buf_char(out, ']');
        if (first->offset_min > 0)
            buf_printf(out, ",\"offset\":%d", first->offset_min);
    }
}

static void write_one(const struct reading *reading, const struct reading_phase *phase,
                      const struct reading_dose *const *doses, int count, const char *unit, struct buf *out)
{
    char value[QUANTITY_TEXT_BYTES];
    buf_printf(out, "{\"sequence\":%d,\"timing\":{\"repeat\":{", phase->group);
    write_bounds(phase, out);
    write_turns(phase, count, out);
    write_times(doses[0], doses, count, out);
    buf_printf(out, "}},\"asNeededBoolean\":%s", reading->as_needed ? "true" : "false");
    quantity_format(doses[0]->amount_milli, value);
    buf_printf(out, ",\"doseAndRate\":[{\"doseQuantity\":{\"value\":%s", value);
    if (unit[0] != '\0')
        buf_printf(out, ",\"unit\":\"%s\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{%s}\"", unit,
                   unit);
    buf_text(out, "}}]");
    if (reading->max_per_day_milli > 0) {
        quantity_format(reading->max_per_day_milli, value);
        buf_printf(out,
                   ",\"maxDosePerPeriod\":{\"numerator\":{\"value\":%s},\"denominator\":{\"value\":1,"
                   "\"unit\":\"day\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"d\"}}",
                   value);
    }
    buf_char(out, '}');
}

void dosage_write(const struct reading *reading, const char *unit, struct buf *out)
{
    const char *comma = "";
    buf_char(out, '[');
    if (reading->phase_count == 0 && reading->as_needed)
        buf_text(out, "{\"asNeededBoolean\":true}");
    for (int i = 0; i < reading->phase_count; i++) {
        const struct reading_phase *phase = &reading->phases[i];
        bool done[READING_DOSES_MAX] = {false};
        for (int j = 0; j < phase->dose_count; j++) {
            const struct reading_dose *doses[READING_DOSES_MAX];
            int count = 0;
            for (int k = j; k < phase->dose_count && !done[j]; k++) {
                if (!done[k] && joins(&phase->doses[j], &phase->doses[k])) {
                    doses[count++] = &phase->doses[k];
                    if (k != j)
                        done[k] = true;
                }
            }
            if (done[j] || count == 0)
                continue;
            done[j] = true;
            buf_text(out, comma);
            write_one(reading, phase, doses, count, unit, out);
            comma = ",";
        }
    }
    buf_char(out, ']');
}
