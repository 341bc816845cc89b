/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/dosage.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/intake/dose.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/route.h"
#include "controller/intake/sig/sigtext.h"
#include "controller/intake/sig_check.h"
#include "controller/intake/timing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct item {
    const json_t *json;
    bool has_sequence;
    int64_t sequence;
    bool as_needed;
    struct timing timing;
    struct dose dose;
    bool pieces_known;
    int64_t pieces_milli;
    struct dose max_dose;      /* maxDosePerAdministration */
    int64_t max_per_day_milli; /* 0: none */
    int group;
};

struct items {
    int count;
    struct item list[READING_PHASES_MAX];
};

static bool read_as_needed(const json_t *dosage, struct reasons *reasons)
{
    const json_t *boolean = json_object_get(dosage, "asNeededBoolean");
    const json_t *concept = fhir_object(dosage, "asNeededCodeableConcept", reasons);
    if (boolean != NULL && !json_is_boolean(boolean))
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "asNeededBoolean is not true or false");
    if (!json_is_true(boolean) && concept == NULL)
        return false;
    reasons_add(reasons, REASON_CODE_PRN, "%s", fhir_concept_text(concept));
    return true;
}

static void read_max_period(const json_t *dosage, const struct catalogue_row *product,
                            struct reasons *reasons, struct item *item)
{
    const json_t *ratio = json_object_get(dosage, "maxDosePerPeriod");
    if (ratio == NULL)
        return;
    struct reasons scratch = {0};
    struct dose most = {.unit = ""}, period = {.unit = ""};
    int64_t pieces;
    dose_quantity_read(json_object_get(ratio, "numerator"), "numerator", &scratch, &most);
    dose_quantity_read(json_object_get(ratio, "denominator"), "denominator", &scratch, &period);
    bool day =
        (period.value_milli == 1000 && (strcmp(period.unit, "d") == 0 || strcmp(period.unit, "day") == 0)) ||
        (period.value_milli == 24000 && (strcmp(period.unit, "h") == 0 || strcmp(period.unit, "hours") == 0 ||
                                         strcmp(period.unit, "hour") == 0));
    if (!day || !dose_pieces(&most, product, &scratch, &pieces))
        reasons_add(reasons, REASON_CODE_MAX_DOSE, "maxDosePerPeriod cannot be compared");
    else
        item->max_per_day_milli = pieces;
}

static void read_max(const json_t *dosage, const struct catalogue_row *product, struct reasons *reasons,
                     struct item *item)
{
    read_max_period(dosage, product, reasons, item);
    if (json_object_get(dosage, "maxDosePerLifetime") != NULL)
        reasons_add(reasons, REASON_CODE_MAX_DOSE, "maxDosePerLifetime");
    const json_t *once = fhir_object(dosage, "maxDosePerAdministration", reasons);
    if (once == NULL)
        return;
    struct reasons scratch = {0};
    struct dose most = {.unit = ""};
    int64_t pieces;
    dose_quantity_read(once, "maxDosePerAdministration", &scratch, &most);
    bool known = most.exact && dose_pieces(&most, product, &scratch, &pieces);
    if (!known)
        reasons_add(reasons, REASON_CODE_MAX_DOSE, "maxDosePerAdministration cannot be compared");
    else if (item->pieces_known && item->pieces_milli > pieces)
        reasons_add(reasons, REASON_CODE_MAX_DOSE, "more at once than maxDosePerAdministration");
}

/* In a text that only repeats the timing code or carries a dash there is nothing to keep. */
static bool worth_keeping(const char *text)
{
    return text[0] != '\0' && strcmp(text, "-") != 0;
}

static void check_texts(const struct items *items, struct item *item, const struct catalogue_row *product,
                        struct reasons *reasons)
{
    int64_t first = INT64_MAX;
    for (int i = 0; i < items->count; i++) {
        if (items->list[i].has_sequence && items->list[i].sequence < first)
            first = items->list[i].sequence;
    }
    struct sig_context context = {
        .dose = &item->dose,
        .pieces_known = item->pieces_known,
        .pieces_milli = item->pieces_milli,
        .product = product,
        .as_needed = item->as_needed,
        .follows = item->has_sequence && item->sequence > first,
        .strict = true,
        .may_take = true,
    };
    static const char *const texts[] = {"text", "patientInstruction"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = fhir_text_checked(item->json, texts[i], reasons);
        if (!worth_keeping(text))
            continue;
        sig_check(text, &context, &item->timing, reasons);
        reasons_add(reasons, REASON_CODE_INSTRUCTION, "%s", text);
    }
    if (item->timing.code_text[0] != '\0') {
        struct sig_context code = context;
        sig_check(item->timing.code_text, &code, &item->timing, reasons);
    }
    context.strict = false;
    const json_t *more = json_object_get(item->json, "additionalInstruction");
    for (size_t i = 0; i < json_array_size(more); i++) {
        const char *text = fhir_concept_text(json_array_get(more, i));
        if (!worth_keeping(text))
            continue;
        sig_check(text, &context, &item->timing, reasons);
        reasons_add(reasons, REASON_CODE_INSTRUCTION, "%s", text);
    }
}

/* Remarks on the whole order: with one dosage they are compared with it, with several any statement waits. */
static void check_notes(struct items *items, const json_t *notes, const struct catalogue_row *product,
                        struct reasons *reasons)
{
    for (size_t i = 0; i < json_array_size(notes); i++) {
        const char *text = fhir_text(json_array_get(notes, i), "text");
        if (!worth_keeping(text))
            continue;
        reasons_add(reasons, REASON_CODE_INSTRUCTION, "note: %s", text);
        for (int j = 0; j < items->count; j++) {
            struct item *item = &items->list[j];
            struct sig_context context = {
                .dose = &item->dose,
                .pieces_known = item->pieces_known,
                .pieces_milli = item->pieces_milli,
                .product = product,
                .as_needed = item->as_needed,
            };
            sig_check(text, &context, &item->timing, reasons);
        }
    }
}

/* As-needed doses are refused anyway: what else is missing is of no interest, what is wrong still is. */
static void merge(struct reasons *into, const struct reasons *from, bool only_refused)
{
    for (int i = 0; i < from->count; i++) {
        const struct reason *row = &from->rows[i];
        if (!only_refused || reason_class_of(row->code) != REASON_WAITING)
            reasons_add(into, row->code, "%s", row->text);
    }
}

static void check_missing(const struct item *item, bool worded, struct reasons *reasons)
{
    if (item->timing.given || item->dose.given) {
        if (!item->timing.given)
            reasons_mark(reasons, REASON_CODE_NO_TIMING);
        if (!item->dose.given)
            reasons_mark(reasons, REASON_CODE_DOSE_MISSING);
    } else if (worded) {
        reasons_mark(reasons, REASON_CODE_TEXT_ONLY);
    } else {
        reasons_mark(reasons, REASON_CODE_NO_DOSAGE);
    }
}

static void read_item(const struct items *items, struct item *item, const struct catalogue_row *product,
                      struct reasons *reasons)
{
    static const char *const keys[] = {"sequence",
                                       "text",
                                       "additionalInstruction",
                                       "patientInstruction",
                                       "timing",
                                       "asNeededBoolean",
                                       "asNeededCodeableConcept",
                                       "site",
                                       "route",
                                       "method",
                                       "doseAndRate",
                                       "maxDosePerPeriod",
                                       "maxDosePerAdministration",
                                       "maxDosePerLifetime",
                                       "doseQuantity",
                                       "doseSimpleQuantity",
                                       "doseRange",
                                       "rateRatio",
                                       "rateRange",
                                       "rateQuantity",
                                       "rateSimpleQuantity",
                                       "_text",
                                       "_patientInstruction",
                                       NULL};
    struct reasons found = {0};
    const json_t *dosage = item->json;
    const char *unknown = fhir_unknown_key(dosage, keys);
    if (unknown[0] != '\0')
        reasons_add(&found, REASON_CODE_UNKNOWN_ELEMENT, "dosageInstruction.%s", unknown);
    item->as_needed = read_as_needed(dosage, reasons);
    route_check(dosage, &found);
    timing_read(fhir_object(dosage, "timing", &found), &found, &item->timing);
    dose_read(dosage, &found, &item->dose);
    item->pieces_known = dose_pieces(&item->dose, product, &found, &item->pieces_milli);
    read_max(dosage, product, &found, item);
    bool worded = fhir_text(dosage, "text")[0] != '\0' || fhir_text(dosage, "patientInstruction")[0] != '\0';
    check_missing(item, worded, &found);
    check_texts(items, item, product, &found);
    merge(reasons, &found, item->as_needed);
}

/* Ranks the sequences: equal numbers are one group. */
static void number_groups(struct items *items, struct reasons *reasons)
{
    int with = 0;
    for (int i = 0; i < items->count; i++)
        with += items->list[i].has_sequence;
    if (with != 0 && with != items->count)
        reasons_mark(reasons, REASON_CODE_SEQUENCE_MIXED);
    for (int i = 0; i < items->count; i++) {
        int group = 1;
        for (int j = 0; j < items->count; j++) {
            if (items->list[j].sequence >= items->list[i].sequence)
                continue;
            bool counted = false; /* each smaller number counts once */
            for (int k = 0; k < j; k++)
                counted = counted || items->list[k].sequence == items->list[j].sequence;
            group += !counted;
        }
        items->list[i].group = group;
    }
}

static bool doses_apart(const struct reading_dose *a, const struct reading_dose *b)
{
    if (a->when == READING_CLOCK && b->when == READING_CLOCK)
        return a->minute != b->minute;
    if (a->when == READING_CLOCK || b->when == READING_CLOCK)
        return false;
    int part_a = timing_part(a), part_b = timing_part(b);
    return part_a != 0 && part_b != 0 && part_a != part_b;
}

/* True when no day can belong to both phases. */
static bool days_apart(const struct reading_phase *a, const struct reading_phase *b)
{
    if (a->weekdays != 0 && b->weekdays != 0 && (a->weekdays & b->weekdays) == 0)
        return true;
    if (a->end_day != CIVIL_DAY_NONE && b->start_day != CIVIL_DAY_NONE && a->end_day < b->start_day)
        return true;
    if (b->end_day != CIVIL_DAY_NONE && a->start_day != CIVIL_DAY_NONE && b->end_day < a->start_day)
        return true;
    return a->every_days == b->every_days && a->every_days > 1 && a->start_day != CIVIL_DAY_NONE &&
           b->start_day != CIVIL_DAY_NONE && (a->start_day - b->start_day) % a->every_days != 0;
}

static void check_side_by_side(const struct reading_phase *a, const struct reading_phase *b,
                               struct reasons *reasons)
{
    if (days_apart(a, b))
        return;
    for (int i = 0; i < a->dose_count; i++) {
        for (int j = 0; j < b->dose_count; j++) {
            if (!doses_apart(&a->doses[i], &b->doses[j])) {
                reasons_mark(reasons, REASON_CODE_SAME_SLOT);
                return;
            }
        }
    }
}

/* Last day of a phase when it begins on start; CIVIL_DAY_NONE open. */
static int32_t phase_last(const struct reading_phase *phase, int32_t start)
{
    if (phase->end_day != CIVIL_DAY_NONE)
        return phase->end_day;
    if (phase->start_day != CIVIL_DAY_NONE)
        start = phase->start_day;
    if (phase->length_days == 0 || start == CIVIL_DAY_NONE)
        return CIVIL_DAY_NONE;
    return start + phase->length_days - 1;
}

static void check_one_after_other(const struct reading_phase *a, const struct reading_phase *b,
                                  struct reasons *reasons)
{
    if (a->end_day == CIVIL_DAY_NONE && a->length_days == 0) {
        reasons_mark(reasons, REASON_CODE_SEQUENCE_OPEN);
        return;
    }
    if (b->start_day == CIVIL_DAY_NONE)
        return;
    int32_t last = phase_last(a, CIVIL_DAY_NONE);
    if (last == CIVIL_DAY_NONE || last >= b->start_day)
        reasons_mark(reasons, REASON_CODE_SEQUENCE_OVERLAP);
}

static void check_phases(const struct reading *reading, struct reasons *reasons)
{
    for (int i = 0; i < reading->phase_count; i++) {
        for (int j = i + 1; j < reading->phase_count; j++) {
            const struct reading_phase *a = &reading->phases[i], *b = &reading->phases[j];
            if (a->group == b->group)
                check_side_by_side(a, b, reasons);
            else
                check_one_after_other(a, b, reasons);
        }
    }
}

/* The most that the reading takes on one day; phases of one group are added up. */
static int64_t most_per_day(const struct reading *reading)
{
    int64_t most = 0;
    for (int i = 0; i < reading->phase_count; i++) {
        int64_t sum = 0;
        for (int j = 0; j < reading->phase_count; j++) {
            if (reading->phases[j].group != reading->phases[i].group)
                continue;
            if (j != i && days_apart(&reading->phases[i], &reading->phases[j]))
                continue;
            for (int k = 0; k < reading->phases[j].dose_count; k++)
                sum += reading->phases[j].doses[k].amount_milli;
        }
        most = sum > most ? sum : most;
    }
    return most;
}

static void add_phase(const struct item *item, struct reading *reading)
{
    int at = reading->phase_count++;
    while (at > 0 && reading->phases[at - 1].group > item->group) {
        reading->phases[at] = reading->phases[at - 1];
        at--;
    }
    struct reading_phase *phase = &reading->phases[at];
    *phase = item->timing.phase;
    phase->group = item->group;
    for (int i = 0; i < phase->dose_count; i++)
        phase->doses[i].amount_milli = item->pieces_milli;
}

/* All items complete -> reading. As-needed ones may lack times. */
static bool assemble(const struct items *items, struct reasons *reasons, struct reading *reading)
{
    int as_needed = 0;
    *reading = (struct reading){0};
    for (int i = 0; i < items->count; i++) {
        const struct item *item = &items->list[i];
        as_needed += item->as_needed;
        if (item->timing.laid_out && item->pieces_known)
            add_phase(item, reading);
        else if (!item->as_needed)
            return false;
        if (item->max_per_day_milli > 0 &&
            (reading->max_per_day_milli == 0 || item->max_per_day_milli < reading->max_per_day_milli))
            reading->max_per_day_milli = item->max_per_day_milli;
    }
    if (as_needed != 0 && as_needed != items->count) {
        reasons_mark(reasons, REASON_CODE_PRN_MIXED);
        return false;
    }
    reading->as_needed = as_needed > 0;
    check_phases(reading, reasons);
    if (reading->max_per_day_milli > 0 && most_per_day(reading) > reading->max_per_day_milli)
        reasons_add(reasons, REASON_CODE_MAX_DOSE, "more a day than maxDosePerPeriod");
    return true;
}

static bool read_list(const json_t *list, const json_t *notes, const struct catalogue_row *product,
                      struct reasons *reasons, struct reading *ret_reading)
{
    struct items items = {0};
    size_t count = json_array_size(list);
    if (count == 0) {
        reasons_mark(reasons, REASON_CODE_NO_DOSAGE);
        return false;
    }
    if (count > READING_PHASES_MAX) {
        reasons_add(reasons, REASON_CODE_TOO_MANY, "%zu dosages", count);
        return false;
    }
    items.count = (int)count;
    for (int i = 0; i < items.count; i++) {
        struct item *item = &items.list[i];
        item->json = json_array_get(list, (size_t)i);
        if (!json_is_object(item->json)) {
            reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "dosageInstruction holds no object");
            return false;
        }
        item->has_sequence = fhir_whole(item->json, "sequence", &item->sequence, reasons);
    }
    for (int i = 0; i < items.count; i++)
        read_item(&items, &items.list[i], product, reasons);
    check_notes(&items, notes, product, reasons);
    number_groups(&items, reasons);
    return assemble(&items, reasons, ret_reading);
}

/* The text of a dosage that has words and nothing else that says how much or when; "" none. */
static const char *only_words(const json_t *list)
{
    static const char *const keys[] = {
        "sequence", "text", "additionalInstruction", "patientInstruction", "route", "asNeededBoolean", NULL};
    const json_t *dosage = json_array_get(list, 0);
    const char *text = fhir_text(dosage, "text"), *other = fhir_text(dosage, "patientInstruction");
    if (json_array_size(list) != 1 || !json_is_object(dosage) || fhir_unknown_key(dosage, keys)[0] != '\0' ||
        json_is_true(json_object_get(dosage, "asNeededBoolean")))
        return "";
    if (text[0] != '\0' && other[0] != '\0' && strcmp(text, other) != 0)
        return "";
    return text[0] != '\0' ? text : other;
}

static bool as_needed(const struct sigtext *sig)
{
    bool all = sig->dosage_count > 0;
    for (int i = 0; i < sig->dosage_count; i++)
        all = all && sig->dosages[i].as_needed;
    return all;
}

/*
 * The dosages that the words say, as FHIR, with what stands beside the words in the order. NULL: they stay
 * words. A text that can be read and not laid out for a pouch (a range, a strength in it) waits with the
 * reason.
 */
static json_t *read_words(const json_t *list, const struct dosage_words *words, struct reasons *reasons)
{
    static const char *const beside[] = {"additionalInstruction", "route"};
    const char *text = only_words(list), *why = "";
    struct sigtext *sig =
        text[0] != '\0' && words != NULL && words->table != NULL ? malloc(sizeof *sig) : NULL;
    struct reading ignored;
    json_t *dosages = NULL;
    if (sig == NULL)
        return NULL;
    sigtext_read(words->table, (enum sigtext_language)words->language, text, strlen(text), sig);
    if (sig->refusal != SIGTEXT_NONE) {
        reasons_add(reasons, REASON_CODE_TEXT_ONLY, "%s%s%s", sig->reason,
                    sig->left_over[0] != '\0' ? ": " : "", sig->left_over);
    } else {
        struct buf out;
        buf_init(&out);
        sigtext_write_dosage(sig, text, strlen(text), &out);
        dosages = json_loads(buf_string(&out), JSON_REJECT_DUPLICATES, NULL);
        buf_finish(&out);
        if (!sigtext_reading(sig, &ignored, &why) && !json_is_null(dosages) && !as_needed(sig))
            reasons_add(reasons, REASON_CODE_TEXT_ONLY, "%s", why);
        reasons_add(reasons, REASON_CODE_FROM_TEXT, "\"%s\"", text);
    }
    for (size_t i = 0; i < json_array_size(dosages); i++) {
        json_t *dosage = json_array_get(dosages, i);
        (void)json_object_del(dosage, "text"); /* it says what it says */
        for (size_t j = 0; j < sizeof beside / sizeof beside[0]; j++) {
            json_t *value = json_object_get(json_array_get(list, 0), beside[j]);
            if (value != NULL)
                (void)json_object_set(dosage, beside[j], value);
        }
    }
    free(sig);
    return dosages;
}

bool dosage_read(const json_t *list, const json_t *notes, const struct catalogue_row *product,
                 const struct dosage_words *words, struct reasons *reasons, struct reading *ret_reading)
{
    json_t *said = read_words(list, words, reasons);
    bool read = read_list(said != NULL ? said : list, notes, product, reasons, ret_reading);
    json_decref(said);
    return read;
}

bool dosage_last_day(const struct reading *reading, int32_t order_day, int32_t *ret_day, bool *ret_assumed)
{
    int32_t start = order_day, last = CIVIL_DAY_NONE;
    *ret_assumed = false;
    for (int i = 0; i < reading->phase_count;) {
        int group = reading->phases[i].group;
        int32_t group_last = CIVIL_DAY_NONE;
        for (; i < reading->phase_count && reading->phases[i].group == group; i++) {
            const struct reading_phase *phase = &reading->phases[i];
            int32_t day = phase_last(phase, start);
            if (day == CIVIL_DAY_NONE)
                return false;
            if (phase->end_day == CIVIL_DAY_NONE && phase->start_day == CIVIL_DAY_NONE &&
                last == CIVIL_DAY_NONE)
                *ret_assumed = true;
            group_last = day > group_last ? day : group_last;
        }
        last = group_last;
        start = last + 1;
    }
    *ret_day = last;
    return reading->phase_count > 0;
}

int32_t dosage_first_day(const struct reading *reading)
{
    int32_t first = CIVIL_DAY_NONE;
    for (int i = 0; i < reading->phase_count; i++) {
        int32_t day = reading->phases[i].start_day;
        if (day != CIVIL_DAY_NONE && (first == CIVIL_DAY_NONE || day < first))
            first = day;
    }
    return first;
}
