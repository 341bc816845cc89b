/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/hl7/hl7_request.h"

#include "config/base/buf.h"
#include "config/base/quantity.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/hl7/hl7_times.h"
#include "controller/intake/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Which fields of RXE, RXO and RXD say the same thing; 0: the segment has no such field (HL7 v2.5.1, 4.14).
 */
struct fields {
    int code, low, high, unit, form, text, pharmacy, amount, amount_unit, refills, strength, strength_unit;
    int indication, rate, rate_unit, daily;
};
static const struct fields rxe = {2, 3, 4, 5, 6, 7, 21, 10, 11, 12, 25, 26, 27, 23, 24, 19};
static const struct fields rxo = {1, 2, 3, 4, 5, 7, 6, 11, 12, 13, 18, 19, 20, 21, 22, 23};

void hl7_request_reason(json_t *request, enum reason_code code, const char *format, ...)
{
    char text[REASON_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_t *list = json_object_get(request, "extension");
    if (list == NULL) {
        (void)json_object_set_new(request, "extension", json_array());
        list = json_object_get(request, "extension");
    }
    json_t *row =
        json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "url", REQUEST_REASON_URL, "extension", "url", "code",
                  "valueCode", reason_name(code), "url", "text", "valueString", text);
    if (row != NULL)
        (void)json_array_append_new(list, row);
}

bool hl7_group_read(const struct hl7 *message, int first, int end, struct hl7_group *ret,
                    struct hl7_fault *fault)
{
    *ret = (struct hl7_group){first, end, -1, -1, -1};
    const struct {
        const char *name;
        int *place;
    } parts[] = {{"RXO", &ret->rxo}, {"RXE", &ret->rxe}, {"RXD", &ret->rxd}};
    for (int i = first; i < end; i++) {
        for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++) {
            if (!hl7_is(message, i, parts[j].name))
                continue;
            if (*parts[j].place >= 0 && parts[j].place != &ret->rxd) {
                hl7_blame(fault, HL7_SEGMENT_SEQUENCE, parts[j].name, "two %s under one ORC", parts[j].name);
                return false;
            }
            *parts[j].place = i;
        }
    }
    return true;
}

bool hl7_group_has_order(const struct hl7_group *group)
{
    return group->rxe >= 0 || group->rxo >= 0;
}

/* The segment that orders, and its fields: the encoded order before the requested one. */
static int ordering(const struct hl7_group *group, const struct fields **ret_fields)
{
    *ret_fields = group->rxe >= 0 ? &rxe : &rxo;
    return group->rxe >= 0 ? group->rxe : group->rxo;
}

static const char *system_uri(const char *name, char *out, size_t size)
{
    static const struct {
        const char *name, *uri;
    } systems[] = {
        {"NDC", "http://hl7.org/fhir/sid/ndc"},
        {"RXNORM", "http://www.nlm.nih.gov/research/umls/rxnorm"},
        {"RXN", "http://www.nlm.nih.gov/research/umls/rxnorm"},
        {"SCT", "http://snomed.info/sct"},
        {"SNM3", "http://snomed.info/sct"},
        {"UCUM", "http://unitsofmeasure.org"},
    };
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (strcasecmp(systems[i].name, name) == 0)
            return systems[i].uri;
    }
    if (name[0] != '\0')
        (void)snprintf(out, size, "urn:hl7v2:%s", name);
    else
        out[0] = '\0';
    return out;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text[0] != '\0')
        (void)json_object_set_new(object, key, json_string(text));
}

/* CE and CWE: code^text^system^code^text^system … the original text stands in component 9. NULL when empty.
 */
static json_t *concept(const struct hl7 *message, int segment, int field, int repeat)
{
    json_t *ret = json_object(), *codings = json_array();
    char original[HL7_TEXT_BYTES], name[64];
    for (int i = 0; i < 2; i++) {
        char code[HL7_TEXT_BYTES], display[HL7_TEXT_BYTES], system[sizeof name + 16];
        struct hl7_at at = {segment, field, repeat, 3 * i + 1, 1};
        (void)hl7_get(message, at, code, sizeof code);
        at.component++;
        (void)hl7_get(message, at, display, sizeof display);
        at.component++;
        (void)hl7_get(message, at, name, sizeof name);
        if (code[0] == '\0' && display[0] == '\0')
            continue;
        json_t *coding = json_object();
        set_text(coding, "system", system_uri(name, system, sizeof system));
        set_text(coding, "code", code);
        set_text(coding, "display", display);
        (void)json_array_append_new(codings, coding);
    }
    (void)hl7_get(message, (struct hl7_at){segment, field, repeat, 9, 1}, original, sizeof original);
    set_text(ret, "text", original);
    if (json_array_size(codings) > 0)
        (void)json_object_set(ret, "coding", codings);
    json_decref(codings);
    if (json_object_size(ret) > 0)
        return ret;
    json_decref(ret);
    return NULL;
}

static void set_concept(json_t *object, const char *key, const struct hl7 *message, int segment, int field)
{
    json_t *value = field > 0 ? concept(message, segment, field, 1) : NULL;
    if (value != NULL)
        (void)json_object_set_new(object, key, value);
}

/* A number as JSON; what is none stays a text, so that the reader of numbers refuses it by name. */
static json_t *number(const char *text)
{
    int64_t milli;
    if (!quantity_parse(text, &milli))
        return json_string(text);
    return milli % QUANTITY_ONE == 0 ? json_integer(milli / QUANTITY_ONE) : json_real((double)milli / 1000.0);
}

/* NULL when the value is absent. Units: CE, or the second component of CQ (sub-components). */
static json_t *quantity(const struct hl7 *message, int segment, int value_field, int unit_field)
{
    char value[64], code[64], text[64];
    if (value_field == 0 || hl7_text(message, segment, value_field, 1, value, sizeof value) == 0)
        return NULL;
    if (unit_field > 0) {
        (void)hl7_text(message, segment, unit_field, 1, code, sizeof code);
        (void)hl7_text(message, segment, unit_field, 2, text, sizeof text);
    } else {
        (void)hl7_get(message, (struct hl7_at){segment, value_field, 1, 2, 1}, code, sizeof code);
        (void)hl7_get(message, (struct hl7_at){segment, value_field, 1, 2, 2}, text, sizeof text);
    }
    json_t *ret = json_object();
    (void)json_object_set_new(ret, "value", number(value));
    set_text(ret, "unit", text[0] != '\0' ? text : code);
    if (text[0] != '\0')
        set_text(ret, "code", code);
    return ret;
}

/* All repetitions of a text field, "; " between. */
static void texts(const struct hl7 *message, int segment, int field, struct buf *out)
{
    if (segment < 0 || field == 0)
        return;
    int count = hl7_repeats(message, segment, field);
    for (int i = 1; i <= count; i++) {
        char text[2048];
        if (hl7_get(message, (struct hl7_at){segment, field, i, 2, 1}, text, sizeof text) == 0)
            (void)hl7_get(message, (struct hl7_at){segment, field, i, 1, 1}, text, sizeof text);
        if (text[0] != '\0' && strstr(buf_string(out), text) == NULL)
            buf_printf(out, "%s%s", out->len > 0 ? "; " : "", text);
    }
}

static void add_note(json_t *request, const char *text)
{
    json_t *list = json_object_get(request, "note");
    if (text[0] == '\0')
        return;
    if (list == NULL) {
        (void)json_object_set_new(request, "note", json_array());
        list = json_object_get(request, "note");
    }
    (void)json_array_append_new(list, json_pack("{s:s}", "text", text));
}

/* Timing. */

enum { SOURCES = 4 };
static const char *const source_names[SOURCES] = {"TQ1 of RXE", "RXE-1", "TQ1 of ORC", "ORC-7"};

static void gather(const struct hl7 *message, const struct hl7_group *group, struct hl7_times times[SOURCES])
{
    for (int i = group->first; i < group->end; i++) {
        if (hl7_is(message, i, "TQ1"))
            hl7_times_add_tq1(message, i, &times[group->rxe >= 0 && i > group->rxe ? 0 : 2]);
    }
    if (group->rxe >= 0)
        hl7_times_add_tq(message, group->rxe, 1, &times[1]);
    hl7_times_add_tq(message, group->first, 7, &times[3]);
}

static bool says_when(const struct hl7_times *times)
{
    for (int i = 0; i < times->count; i++) {
        if (hl7_time_says_when(&times->rows[i]))
            return true;
    }
    return false;
}

static bool equal(const json_t *a, const json_t *b)
{
    bool empty_a = json_object_size(a) == 0, empty_b = json_object_size(b) == 0;
    return empty_a || empty_b ? empty_a == empty_b : json_equal(a, b) != 0;
}

/* Two Timings that do not contradict each other: bounds and clock times may stand in one of them only. */
static bool agree(const struct hl7_time *a, const struct hl7_time *b)
{
    static const char *const soft[] = {"boundsPeriod", "boundsDuration", "count", "timeOfDay"};
    bool needed_a, needed_b;
    char why[128];
    json_t *left = hl7_time_timing(a, &needed_a, why, sizeof why);
    json_t *right = hl7_time_timing(b, &needed_b, why, sizeof why);
    json_t *repeats[2] = {json_object_get(left, "repeat"), json_object_get(right, "repeat")};
    for (size_t i = 0; i < sizeof soft / sizeof soft[0]; i++) {
        if (json_object_get(repeats[0], soft[i]) != NULL && json_object_get(repeats[1], soft[i]) != NULL)
            continue;
        (void)json_object_del(repeats[0], soft[i]);
        (void)json_object_del(repeats[1], soft[i]);
    }
    bool same = needed_a == needed_b && equal(repeats[0], repeats[1]);
    same = same && strcasecmp(fhir_text(json_object_get(left, "code"), "text"),
                              fhir_text(json_object_get(right, "code"), "text")) == 0;
    json_decref(left);
    json_decref(right);
    return same;
}

static void compare(const struct hl7_times *chosen, const char *chosen_name, const struct hl7_times *other,
                    const char *other_name, json_t *request)
{
    bool same = chosen->count == other->count;
    for (int i = 0; i < chosen->count && same; i++)
        same = agree(&chosen->rows[i], &other->rows[i]);
    if (!same)
        hl7_request_reason(request, REASON_CODE_TIMING_CLASH, "%s says \"%s\", %s says \"%s\"", chosen_name,
                           chosen->rows[0].patterns[0], other_name, other->rows[0].patterns[0]);
}

/* The dose of one line: RXE-3 for all of them, or the quantity of the line where it carries its unit. */
static void set_dose(const struct hl7_time *row, const json_t *dose, json_t *dosage, json_t *request)
{
    json_t *value = dose != NULL ? json_deep_copy(dose) : NULL;
    if (row != NULL && row->quantity[0] != '\0') {
        int64_t milli;
        bool one = quantity_parse(row->quantity, &milli) && milli == QUANTITY_ONE && row->unit[0] == '\0';
        json_t *own = json_object();
        (void)json_object_set_new(own, "value", number(row->quantity));
        set_text(own, "unit", row->unit);
        const json_t *said = json_object_get(value, "doseQuantity");
        bool same = row->unit[0] != '\0' &&
                    json_equal(json_object_get(said, "value"), json_object_get(own, "value")) &&
                    strcasecmp(row->unit, fhir_text(said, "unit")) == 0;
        if (value == NULL && row->unit[0] != '\0')
            value = json_pack("{s:O}", "doseQuantity", own);
        else if (!one && !same)
            hl7_request_reason(request, REASON_CODE_DOSE_SEVERAL, "a quantity of %s %s beside the dose",
                               row->quantity, row->unit);
        json_decref(own);
    }
    if (value != NULL)
        (void)json_object_set_new(dosage, "doseAndRate", json_pack("[o]", value));
}

static json_t *dose_and_rate(const struct hl7 *message, int segment, const struct fields *f, json_t *request)
{
    json_t *low = quantity(message, segment, f->low, f->unit);
    json_t *high = quantity(message, segment, f->high, f->unit);
    json_t *rate = quantity(message, segment, f->rate, f->rate_unit);
    json_t *ret = json_object();
    if ((low != NULL || high != NULL) && fhir_text(low != NULL ? low : high, "unit")[0] == '\0')
        hl7_request_reason(request, REASON_CODE_DOSE_UNIT_UNKNOWN, "the dose has no unit");
    if (high != NULL && (low == NULL || !json_equal(low, high)))
        (void)json_object_set_new(ret, "doseRange",
                                  low != NULL ? json_pack("{s:O, s:O}", "low", low, "high", high)
                                              : json_pack("{s:O}", "high", high));
    else if (low != NULL)
        (void)json_object_set(ret, "doseQuantity", low);
    if (rate != NULL)
        (void)json_object_set(ret, "rateQuantity", rate);
    json_decref(low);
    json_decref(high);
    json_decref(rate);
    if (json_object_size(ret) > 0)
        return ret;
    json_decref(ret);
    return NULL;
}

/* Every RXR of the group counts: one that is not by mouth is one too many. */
static void set_route(const struct hl7 *message, const struct hl7_group *group, json_t *dosage)
{
    json_t *codings = json_array();
    for (int i = group->first; i < group->end; i++) {
        if (!hl7_is(message, i, "RXR"))
            continue;
        json_t *route = concept(message, i, 1, 1);
        (void)json_array_extend(codings, json_object_get(route, "coding"));
        json_decref(route);
        if (json_object_get(dosage, "site") == NULL)
            set_concept(dosage, "site", message, i, 2);
        if (json_object_get(dosage, "method") == NULL)
            set_concept(dosage, "method", message, i, 4);
    }
    if (json_array_size(codings) > 0)
        (void)json_object_set_new(dosage, "route", json_pack("{s:O}", "coding", codings));
    json_decref(codings);
}

static bool indicated_as_needed(const struct hl7 *message, const struct hl7_group *group, int segment,
                                const struct fields *f)
{
    char reason[16], indication[16];
    (void)hl7_text(message, group->first, 16, 3, reason, sizeof reason);
    (void)hl7_text(message, segment, f->indication, 3, indication, sizeof indication);
    return strcasecmp(reason, "PRN") == 0 || strcasecmp(indication, "PRN") == 0;
}

/* Sequence numbers: S one after the other, A side by side (table 0472); without it nobody says. */
static void number_rows(const struct hl7_times *times, json_t *list, json_t *request)
{
    int sequence = 1;
    if (times->count < 2)
        return;
    for (int i = 0; i < times->count; i++) {
        (void)json_object_set_new(json_array_get(list, (size_t)i), "sequence", json_integer(sequence));
        if (i + 1 == times->count)
            break;
        const char *conjunction = times->rows[i].conjunction;
        if (strcasecmp(conjunction, "S") == 0)
            sequence++;
        else if (strcasecmp(conjunction, "A") != 0)
            hl7_request_reason(request, REASON_CODE_SEQUENCE_MIXED,
                               "lines of timing with \"%s\" between them", conjunction);
    }
}

static void set_words(const struct hl7 *message, const struct hl7_group *group, const struct hl7_time *row,
                      json_t *dosage)
{
    struct buf own, other;
    buf_init(&own);
    buf_init(&other);
    texts(message, group->rxe, rxe.text, &own);
    texts(message, group->rxo, rxo.text, &other);
    if (row != NULL && row->text[0] != '\0' && strstr(buf_string(&own), row->text) == NULL)
        buf_printf(&own, "%s%s", own.len > 0 ? "; " : "", row->text);
    set_text(dosage, "text", buf_string(&own));
    if (strcmp(buf_string(&own), buf_string(&other)) != 0)
        set_text(dosage, own.len > 0 ? "patientInstruction" : "text", buf_string(&other));
    buf_finish(&own);
    buf_finish(&other);
}

/* Which source counts: the encoded before the requested, TQ1 before the older type. -1: none says anything.
 */
static int choose(const struct hl7_times times[SOURCES], json_t *request)
{
    int chosen = -1;
    for (int i = 0; i < SOURCES; i++) {
        if (times[i].too_many)
            hl7_request_reason(request, REASON_CODE_TOO_MANY, "lines of timing in %s", source_names[i]);
        if (!says_when(&times[i]))
            continue;
        if (chosen >= 0)
            compare(&times[chosen], source_names[chosen], &times[i], source_names[i], request);
        else
            chosen = i;
    }
    for (int i = 0; chosen < 0 && i < SOURCES; i++) /* a start or a length without a pattern */
        chosen = times[i].count > 0 ? i : -1;
    return chosen;
}

/* What is the same for all lines of an order. */
struct common {
    const struct hl7 *message;
    const struct hl7_group *group;
    json_t *request, *dose, *daily;
    bool as_needed;
};

/* row: NULL where the order has no timing. */
static json_t *make_dosage(const struct common *common, const struct hl7_time *row)
{
    bool as_needed = false;
    char why[128] = "";
    json_t *dosage = json_object();
    json_t *timing = row != NULL ? hl7_time_timing(row, &as_needed, why, sizeof why) : NULL;
    set_words(common->message, common->group, row, dosage);
    if (timing != NULL)
        (void)json_object_set_new(dosage, "timing", timing);
    if (why[0] != '\0')
        hl7_request_reason(common->request, REASON_CODE_TIMING_CODE, "%s", why);
    if (row != NULL && row->condition[0] != '\0')
        (void)json_object_set_new(dosage, "asNeededCodeableConcept",
                                  json_pack("{s:s}", "text", row->condition));
    else if (as_needed || common->as_needed)
        (void)json_object_set_new(dosage, "asNeededBoolean", json_true());
    set_route(common->message, common->group, dosage);
    set_dose(row, common->dose, dosage, common->request);
    if (common->daily != NULL)
        (void)json_object_set_new(dosage, "maxDosePerPeriod",
                                  json_pack("{s:O, s:{s:i, s:s}}", "numerator", common->daily, "denominator",
                                            "value", 1, "unit", "d"));
    return dosage;
}

static void set_dosages(const struct hl7 *message, const struct hl7_group *group, json_t *request)
{
    const struct fields *f;
    const int segment = ordering(group, &f);
    struct hl7_times *times = calloc(SOURCES, sizeof *times);
    json_t *list = json_array();
    struct common common = {.message = message,
                            .group = group,
                            .request = request,
                            .dose = dose_and_rate(message, segment, f, request),
                            .daily = quantity(message, segment, f->daily, 0),
                            .as_needed = indicated_as_needed(message, group, segment, f)};
    if (times != NULL) {
        gather(message, group, times);
        int chosen = choose(times, request);
        int rows = chosen >= 0 ? times[chosen].count : 1;
        for (int i = 0; i < rows; i++) {
            json_t *dosage = make_dosage(&common, chosen >= 0 ? &times[chosen].rows[i] : NULL);
            if (json_object_size(dosage) > 0)
                (void)json_array_append(list, dosage);
            json_decref(dosage);
        }
        if (chosen >= 0 && json_array_size(list) == (size_t)rows)
            number_rows(&times[chosen], list, request);
    } else {
        hl7_request_reason(request, REASON_CODE_NO_TIMING, "out of memory");
    }
    if (json_array_size(list) > 0)
        (void)json_object_set(request, "dosageInstruction", list);
    free(times);
    json_decref(list);
    json_decref(common.dose);
    json_decref(common.daily);
}

/* The drug with form and strength as a contained Medication. */
static void set_drug(const struct hl7 *message, int segment, const struct fields *f, json_t *request)
{
    json_t *code = concept(message, segment, f->code, 1);
    if (code == NULL)
        return;
    json_t *drug = json_pack("{s:s, s:s, s:o}", "resourceType", "Medication", "id", "drug", "code", code);
    set_concept(drug, "form", message, segment, f->form);
    json_t *strength = quantity(message, segment, f->strength, f->strength_unit);
    if (fhir_text(strength, "unit")[0] != '\0')
        (void)json_object_set_new(
            drug, "ingredient",
            json_pack("[{s:{s:O, s:{s:i}}}]", "strength", "numerator", strength, "denominator", "value", 1));
    json_decref(strength);
    (void)json_object_set_new(request, "contained", json_pack("[o]", drug));
    (void)json_object_set_new(request, "medicationReference", json_pack("{s:s}", "reference", "#drug"));
}

static void set_supply(const struct hl7 *message, int segment, const struct fields *f, json_t *request)
{
    char refills[16];
    json_t *supply = json_object(), *amount = quantity(message, segment, f->amount, f->amount_unit);
    if (amount != NULL)
        (void)json_object_set_new(supply, "quantity", amount);
    if (hl7_text(message, segment, f->refills, 1, refills, sizeof refills) > 0 &&
        strspn(refills, "0123456789") == strlen(refills))
        (void)json_object_set_new(supply, "numberOfRepeatsAllowed", json_integer(strtol(refills, NULL, 10)));
    if (json_object_size(supply) > 0)
        (void)json_object_set(request, "dispenseRequest", supply);
    json_decref(supply);
}

static void set_notes(const struct hl7 *message, const struct hl7_group *group, json_t *request)
{
    struct buf text;
    buf_init(&text);
    texts(message, group->rxo, rxo.pharmacy, &text);
    texts(message, group->rxe, rxe.pharmacy, &text);
    add_note(request, buf_string(&text));
    buf_finish(&text);
    for (int i = group->first; i < group->end; i++) {
        char note[2048];
        if (hl7_is(message, i, "NTE") && hl7_text(message, i, 3, 1, note, sizeof note) > 0)
            add_note(request, note);
    }
}

json_t *hl7_request(const struct hl7 *message, const struct hl7_group *group, const char *patient)
{
    const struct fields *f;
    const int segment = ordering(group, &f);
    char ts[40], day[48], reference[400];
    json_t *request = json_object();
    (void)snprintf(reference, sizeof reference, "Patient/%s", patient);
    (void)json_object_set_new(request, "resourceType", json_string("MedicationRequest"));
    (void)json_object_set_new(request, "intent", json_string("order"));
    (void)json_object_set_new(request, "subject", json_pack("{s:s}", "reference", reference));
    if (hl7_text(message, group->first, 9, 1, ts, sizeof ts) == 0)
        (void)hl7_text(message, group->first, 15, 1, ts, sizeof ts);
    hl7_day(ts, day, sizeof day);
    set_text(request, "authoredOn", day);
    set_drug(message, segment, f, request);
    for (int i = group->first; i < group->end; i++) {
        if (hl7_is(message, i, "RXC")) {
            char part[HL7_TEXT_BYTES];
            if (hl7_text(message, i, 2, 2, part, sizeof part) == 0)
                (void)hl7_text(message, i, 2, 1, part, sizeof part);
            hl7_request_reason(request, REASON_CODE_COMPOUND, "%s", part);
        }
    }
    set_dosages(message, group, request);
    set_supply(message, segment, f, request);
    set_notes(message, group, request);
    return request;
}

json_t *hl7_dispense(const struct hl7 *message, const struct hl7_group *group, const char *id,
                     const char *patient)
{
    char ts[40], day[48], reference[400], order[400], number_text[32], own[400];
    if (group->rxd < 0)
        return NULL;
    (void)hl7_text(message, group->rxd, 3, 1, ts, sizeof ts);
    (void)hl7_text(message, group->rxd, 1, 1, number_text, sizeof number_text);
    hl7_day(ts, day, sizeof day);
    (void)snprintf(reference, sizeof reference, "Patient/%s", patient);
    (void)snprintf(order, sizeof order, "MedicationRequest/%s", id);
    (void)snprintf(own, sizeof own, "%s-%s-%s", id, day, number_text);
    json_t *ret = json_pack("{s:s, s:s, s:s, s:{s:s}, s:[{s:s}]}", "resourceType", "MedicationDispense", "id",
                            own, "status", "completed", "subject", "reference", reference,
                            "authorizingPrescription", "reference", order);
    set_concept(ret, "medicationCodeableConcept", message, group->rxd, 2);
    json_t *amount = quantity(message, group->rxd, 4, 5);
    if (amount != NULL)
        (void)json_object_set_new(ret, "quantity", amount);
    set_text(ret, "whenHandedOver", day);
    return ret;
}
