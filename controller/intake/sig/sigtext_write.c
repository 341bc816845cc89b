/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reading as FHIR R4 Dosage. timeOfDay stands without frequency where the days are all days, as R4 asks;
 * "up to n times" is frequencyMax alone, "up to n tablets" a range without a low end.
 */
#include "controller/intake/sig/sigtext.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "config/base/utf8.h"
#include "controller/intake/reading.h"
#include "controller/intake/sig/sigtext_private.h"

#include <inttypes.h>
#include <string.h>

static const char *const time_units[] = {"min", "h", "d", "wk", "mo"};
static const char *const time_names[] = {"minute", "hour", "day", "week", "month"};
static const char *const event_codes[] = {
#define EVENT_TEXT(name, text) text,
    READING_WHEN_TABLE(EVENT_TEXT)
#undef EVENT_TEXT
};

static void write_string(const char *text, size_t len, struct buf *out)
{
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void write_text(const char *text, struct buf *out)
{
    write_string(text, strlen(text), out);
}

static void write_number(int64_t milli, struct buf *out)
{
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(milli, text);
    buf_text(out, text);
}

static void write_quantity(int64_t milli, const struct sigtext_row *unit, struct buf *out)
{
    buf_text(out, "{\"value\":");
    write_number(milli, out);
    if (unit != NULL) {
        buf_text(out, ",\"unit\":");
        write_text(unit->name, out);
        buf_text(out, ",\"system\":\"http://unitsofmeasure.org\",\"code\":");
        write_text(unit->code, out);
    }
    buf_char(out, '}');
}

static void write_duration(int64_t value, enum sigtext_time_unit unit, struct buf *out)
{
    buf_printf(out,
               "{\"value\":%" PRId64
               ",\"unit\":\"%s\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"%s\"}",
               value, time_names[unit], time_units[unit]);
}

static const char *bounds_end(const struct sigtext_dosage *dosage, char day[CIVIL_TEXT_BYTES])
{
    int32_t end = dosage->end_day;
    if (end == CIVIL_DAY_NONE && dosage->has_length && dosage->start_day != CIVIL_DAY_NONE)
        end =
            dosage->start_day + (int32_t)dosage->length.low * (dosage->length_unit == SIGTEXT_WK ? 7 : 1) - 1;
    if (end == CIVIL_DAY_NONE)
        return NULL;
    civil_format(end, day);
    return day;
}

static const char *write_bounds(const struct sigtext_dosage *dosage, struct buf *out)
{
    char start[CIVIL_TEXT_BYTES], end[CIVIL_TEXT_BYTES];
    const char *last = bounds_end(dosage, end);
    if (dosage->start_day != CIVIL_DAY_NONE || last != NULL) {
        buf_text(out, "\"boundsPeriod\":{");
        if (dosage->start_day != CIVIL_DAY_NONE) {
            civil_format(dosage->start_day, start);
            buf_printf(out, "\"start\":\"%s\"%s", start, last != NULL ? "," : "");
        }
        if (last != NULL)
            buf_printf(out, "\"end\":\"%s\"", last);
        buf_char(out, '}');
        return ",";
    }
    if (!dosage->has_length)
        return "";
    if (dosage->length_bound == SIGTEXT_EXACT && dosage->length.low == dosage->length.high) {
        buf_text(out, "\"boundsDuration\":");
        write_duration(dosage->length.low, dosage->length_unit, out);
        return ",";
    }
    buf_text(out, "\"boundsRange\":{");
    if (dosage->length_bound != SIGTEXT_MOST) {
        buf_text(out, "\"low\":");
        write_duration(dosage->length.low, dosage->length_unit, out);
    }
    if (dosage->length_bound == SIGTEXT_EXACT)
        buf_char(out, ',');
    if (dosage->length_bound != SIGTEXT_LEAST) {
        buf_text(out, "\"high\":");
        write_duration(dosage->length.high, dosage->length_unit, out);
    }
    buf_char(out, '}');
    return ",";
}

static const char *write_frequency(const struct sigtext_dosage *dosage, const char *comma, struct buf *out)
{
    bool each_day = dosage->period_unit == SIGTEXT_D && dosage->period.low == 1 && dosage->period.high == 1;
    if (dosage->once) {
        buf_printf(out, "%s\"count\":1", comma);
        return ",";
    }
    if (!dosage->has_frequency || (dosage->clock_count > 0 && each_day && dosage->weekdays == 0))
        return comma;
    if (dosage->times.low > 0) {
        buf_printf(out, "%s\"frequency\":%" PRId64, comma, dosage->times.low);
        comma = ",";
    }
    if (dosage->times.high != dosage->times.low) {
        buf_printf(out, "%s\"frequencyMax\":%" PRId64, comma, dosage->times.high);
        comma = ",";
    }
    buf_printf(out, "%s\"period\":%" PRId64, comma, dosage->period.low);
    if (dosage->period.high != dosage->period.low)
        buf_printf(out, ",\"periodMax\":%" PRId64, dosage->period.high);
    buf_printf(out, ",\"periodUnit\":\"%s\"", time_units[dosage->period_unit]);
    return ",";
}

static void write_repeat(const struct sigtext_dosage *dosage, struct buf *out)
{
    static const char *const days[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const char *comma = write_bounds(dosage, out);
    comma = write_frequency(dosage, comma, out);
    const char *between = "";
    if (dosage->weekdays != 0) {
        buf_printf(out, "%s\"dayOfWeek\":[", comma);
        for (int i = 0; i < 7; i++) {
            if ((dosage->weekdays & 1u << i) == 0)
                continue;
            buf_printf(out, "%s\"%s\"", between, days[i]);
            between = ",";
        }
        buf_char(out, ']');
        comma = ",";
    }
    if (dosage->clock_count > 0) {
        buf_printf(out, "%s\"timeOfDay\":[", comma);
        for (int i = 0; i < dosage->clock_count; i++) {
            char at[TOD_TEXT_BYTES];
            tod_format(dosage->clocks[i], at);
            buf_printf(out, "%s\"%s:00\"", i > 0 ? "," : "", at);
        }
        buf_char(out, ']');
        comma = ",";
    }
    if (dosage->event_count > 0) {
        buf_printf(out, "%s\"when\":[", comma);
        for (int i = 0; i < dosage->event_count; i++)
            buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", event_codes[dosage->events[i]]);
        buf_char(out, ']');
        if (dosage->offset_min > 0)
            buf_printf(out, ",\"offset\":%d", dosage->offset_min);
    }
}

static void write_concept(const char *text, const char *code, struct buf *out)
{
    buf_char(out, '{');
    if (code[0] != '\0') {
        buf_text(out, "\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":");
        write_text(code, out);
        buf_text(out, ",\"display\":");
        write_text(text, out);
        buf_text(out, "}],");
    }
    buf_text(out, "\"text\":");
    write_text(text, out);
    buf_char(out, '}');
}

static void write_notes(const struct sigtext_dosage *dosage, struct buf *out)
{
    if (dosage->note_count == 0)
        return;
    buf_text(out, ",\"additionalInstruction\":[");
    for (int i = 0; i < dosage->note_count; i++) {
        const struct sigtext_row *row = dosage->note_rows[i];
        bool coded = row != NULL && row->code[0] != '\0';
        buf_text(out, i > 0 ? "," : "");
        write_concept(coded ? row->name : dosage->notes[i], coded ? row->code : "", out);
    }
    buf_char(out, ']');
}

static void write_amount(const struct sigtext_dosage *dosage, struct buf *out)
{
    if (!dosage->has_amount)
        return;
    buf_text(out, ",\"doseAndRate\":[{");
    if (dosage->amount.low == dosage->amount.high) {
        buf_text(out, "\"doseQuantity\":");
        write_quantity(dosage->amount.low, dosage->unit, out);
    } else {
        buf_text(out, "\"doseRange\":{");
        if (dosage->amount.low > 0) {
            buf_text(out, "\"low\":");
            write_quantity(dosage->amount.low, dosage->unit, out);
            buf_char(out, ',');
        }
        buf_text(out, "\"high\":");
        write_quantity(dosage->amount.high, dosage->unit, out);
        buf_char(out, '}');
    }
    buf_text(out, "}]");
}

static void write_max(const struct sigtext_dosage *dosage, struct buf *out)
{
    if (!dosage->has_max)
        return;
    if (dosage->max_per_dose) {
        buf_text(out, ",\"maxDosePerAdministration\":");
        write_quantity(dosage->max, dosage->max_unit, out);
        return;
    }
    buf_text(out, ",\"maxDosePerPeriod\":{\"numerator\":");
    if (dosage->max_counts_doses) {
        buf_text(out, "{\"value\":");
        write_number(dosage->max, out);
        buf_text(out, ",\"unit\":\"dose\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"{dose}\"}");
    } else {
        write_quantity(dosage->max, dosage->max_unit, out);
    }
    buf_text(out, ",\"denominator\":");
    write_duration(1, dosage->max_period, out);
    buf_char(out, '}');
}

static void write_dosage(const struct sigtext_dosage *dosage, const char *text, struct buf *out)
{
    char repeat[1024];
    struct buf inner;
    buf_printf(out, "{\"sequence\":%d", dosage->sequence);
    if (text != NULL) {
        buf_text(out, ",\"text\":");
        write_string(text + dosage->from, (size_t)(dosage->to - dosage->from), out);
    }
    write_notes(dosage, out);
    buf_init_fixed(&inner, repeat, sizeof repeat);
    write_repeat(dosage, &inner);
    if (inner.len > 0)
        buf_printf(out, ",\"timing\":{\"repeat\":{%s}}", buf_string(&inner));
    if (dosage->as_needed && dosage->as_needed_for[0] != '\0') {
        buf_text(out, ",\"asNeededCodeableConcept\":");
        write_concept(dosage->as_needed_for, "", out);
    } else {
        buf_printf(out, ",\"asNeededBoolean\":%s", dosage->as_needed ? "true" : "false");
    }
    if (dosage->route != NULL && dosage->route->site[0] != '\0') {
        buf_text(out, ",\"site\":");
        write_concept(dosage->route->site, "", out);
    }
    if (dosage->route != NULL) {
        buf_text(out, ",\"route\":");
        write_concept(dosage->route->name, dosage->route->code, out);
    }
    if (dosage->verb != NULL) {
        buf_text(out, ",\"method\":");
        write_concept(dosage->verb->name, dosage->verb->code, out);
    }
    write_amount(dosage, out);
    write_max(dosage, out);
    buf_char(out, '}');
}

void sigtext_write_dosage(const struct sigtext *sig, const char *text, size_t len, struct buf *out)
{
    buf_char(out, '[');
    for (int i = 0; i < sig->dosage_count; i++) {
        bool inside = text != NULL && sig->dosages[i].to <= (int)len;
        buf_text(out, i > 0 ? "," : "");
        write_dosage(&sig->dosages[i], inside ? text : NULL, out);
    }
    buf_char(out, ']');
}

static bool is_utf8(const char *text, size_t len)
{
    for (size_t at = 0, step; at < len; at += step) {
        uint32_t c;
        step = utf8_next(text + at, len - at, &c);
        if (step == 0)
            return false;
    }
    return true;
}

void sigtext_write(const struct sigtext *sig, const char *text, size_t len, struct buf *out)
{
    bool good = is_utf8(text, len);
    buf_text(out, "{\"text\":");
    if (good)
        write_string(text, len, out);
    else
        buf_text(out, "null");
    buf_printf(out, ",\"status\":\"%s\",\"dosage\":", sig->refusal == SIGTEXT_NONE ? "read" : "refused");
    sigtext_write_dosage(sig, text, len, out);
    buf_text(out, ",\"left_over\":");
    write_text(sig->left_over, out);
    buf_text(out, ",\"reason\":");
    write_text(sig->reason, out);
    buf_printf(out, ",\"code\":\"%s\",\"proposals\":[", sigtext_refusal_name(sig->refusal));
    for (int i = 0; i < sig->proposal_count; i++) {
        const struct sigtext_proposal *proposal = &sig->proposals[i];
        buf_printf(out, "%s{\"word\":", i > 0 ? "," : "");
        write_text(proposal->word, out);
        buf_text(out, ",\"near\":[");
        for (int k = 0; k < proposal->count; k++) {
            buf_text(out, k > 0 ? "," : "");
            write_text(proposal->near[k], out);
        }
        buf_text(out, "]}");
    }
    buf_text(out, "]}");
}
