/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/request.h"

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/dosage.h"
#include "controller/intake/dose.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/request_drug.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool request_id(const json_t *request, const char *full_url, char *out, size_t size)
{
    const char *id = fhir_text(request, "id");
    if (id[0] == '\0')
        id = full_url;
    if (id[0] != '\0')
        return (size_t)snprintf(out, size, "%s", id) < size;
    const json_t *identifier = json_array_get(json_object_get(request, "identifier"), 0);
    const char *value = fhir_text(identifier, "value");
    out[0] = '\0';
    return value[0] != '\0' &&
           (size_t)snprintf(out, size, "%s|%s", fhir_text(identifier, "system"), value) < size;
}

static const char *const orders[] = {"order", "original-order", "reflex-order", "filler-order",
                                     "instance-order"};

static bool intent_is_order(const char *intent)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i], intent) == 0)
            return true;
    }
    return false;
}

static const json_t *validity_period(const json_t *request)
{
    return json_object_get(json_object_get(request, "dispenseRequest"), "validityPeriod");
}

static const json_t *bounds_period(const json_t *dosage)
{
    return json_object_get(json_object_get(json_object_get(dosage, "timing"), "repeat"), "boundsPeriod");
}

static void newer(const char *text, int32_t today, int32_t *day)
{
    int32_t first, last;
    if (text[0] != '\0' && fhir_date_read(text, &first, &last) && first <= today && first > *day)
        *day = first;
}

int32_t request_newest_day(const json_t *request, int32_t today)
{
    int32_t day = CIVIL_DAY_NONE;
    const json_t *dosages = json_object_get(request, "dosageInstruction");
    newer(fhir_text(request, "authoredOn"), today, &day);
    newer(fhir_text(validity_period(request), "start"), today, &day);
    for (size_t i = 0; i < json_array_size(dosages); i++)
        newer(fhir_text(bounds_period(json_array_get(dosages, i)), "start"), today, &day);
    return day;
}

bool request_is_current(const json_t *request, int32_t today)
{
    const json_t *dosages = json_object_get(request, "dosageInstruction");
    int32_t first, last;
    if (strcmp(fhir_text(request, "status"), "active") != 0 ||
        !intent_is_order(fhir_text(request, "intent")) ||
        json_is_true(json_object_get(request, "doNotPerform")))
        return false;
    /* Over when every dosage has an end and the last one has passed. */
    bool open = json_array_size(dosages) == 0;
    for (size_t i = 0; i < json_array_size(dosages); i++) {
        const char *end = fhir_text(bounds_period(json_array_get(dosages, i)), "end");
        open = open || end[0] == '\0' || !fhir_date_read(end, &first, &last) || last >= today;
    }
    return open;
}

int request_derive(struct catalogue *catalogue, const json_t *request, const json_t *medication,
                   struct error *err)
{
    struct request_drug drug;
    const struct catalogue_row *row = NULL;
    request_drug_read(request, medication, &drug);
    if (drug.name[0] == '\0' && drug.code_count == 0)
        return 0;
    enum catalogue_match match = request_drug_find(catalogue, &drug, &row);
    if (match == CATALOGUE_NONE)
        return catalogue_derive(catalogue, drug.codes, drug.code_count, drug.rx_name, drug.form, &row, err);
    if (match == CATALOGUE_ONE)
        catalogue_improve(catalogue, row, drug.rx_name, drug.form);
    return 0;
}

bool request_is_as_needed(const json_t *request)
{
    const json_t *dosages = json_object_get(request, "dosageInstruction");
    size_t as_needed = 0;
    for (size_t i = 0; i < json_array_size(dosages); i++) {
        const json_t *dosage = json_array_get(dosages, i);
        as_needed += json_is_true(json_object_get(dosage, "asNeededBoolean")) ||
                     json_object_get(dosage, "asNeededCodeableConcept") != NULL;
    }
    return as_needed > 0 && as_needed == json_array_size(dosages);
}

const char *request_drug_reference(const json_t *request, const json_t **ret_contained)
{
    const char *reference = fhir_text(json_object_get(request, "medicationReference"), "reference");
    *ret_contained = NULL;
    if (reference[0] != '#')
        return reference;
    const json_t *list = json_object_get(request, "contained");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *resource = json_array_get(list, i);
        const char *id = fhir_text(resource, "id");
        if (strcmp(fhir_text(resource, "resourceType"), "Medication") == 0 &&
            strcmp(id[0] == '#' ? id + 1 : id, reference + 1) == 0)
            *ret_contained = resource;
    }
    return "";
}

/* The formulary's ingredients as drug_name spells them: "carbidopa+levodopa". */
static void plain_parts(const char *ingredient, char key[REQUEST_KEY_BYTES])
{
    for (const char *p = ingredient; *p != '\0';) {
        char part[DRUG_TEXT_BYTES], plain[DRUG_TEXT_BYTES];
        size_t len = strcspn(p, "+"), used = strlen(key);
        (void)snprintf(part, sizeof part, "%.*s", (int)(len < sizeof part ? len : sizeof part - 1), p);
        drug_ingredient_plain(part, plain, sizeof plain);
        (void)snprintf(key + used, REQUEST_KEY_BYTES - used, "%s%s", used > 0 ? "+" : "", plain);
        p += len;
        p += *p == '+';
    }
}

void request_drug_key(const struct catalogue *catalogue, const json_t *request, const json_t *medication,
                      char key[REQUEST_KEY_BYTES])
{
    struct request_drug drug;
    struct drug_name name;
    const struct catalogue_row *row = NULL;
    key[0] = '\0';
    request_drug_read(request, medication, &drug);
    if (drug.name[0] == '\0' && drug.code_count == 0)
        return;
    /* A provisional row may be named after another order; the order's own name counts then. */
    if (request_drug_find(catalogue, &drug, &row) == CATALOGUE_ONE && !row->provisional) {
        if (row->oral && row->ingredient[0] != '\0')
            plain_parts(row->ingredient, key);
        else if (row->oral)
            (void)snprintf(key, REQUEST_KEY_BYTES, "%s", row->code);
        return;
    }
    drug_name_read(drug.rx_name, drug.form, &name);
    if (!name.oral)
        return;
    if (name.ingredient[0] != '\0')
        (void)snprintf(key, REQUEST_KEY_BYTES, "%s", name.ingredient);
    else if (drug.code_count > 0)
        (void)snprintf(key, REQUEST_KEY_BYTES, "%.128s|%.128s", drug.codes[0].system, drug.codes[0].code);
}

const char *request_patient_key(const struct index *index, const char *reference)
{
    if (index_plain_patient(reference))
        return index_reference_id(reference); /* as index_defer counts it */
    const struct intake_patient *patient = index_patient(index, reference);
    return patient != NULL && patient->id[0] != '\0' ? patient->id : index_reference_id(reference);
}

/* What only one of the versions has. The shape of the dose is checked against it. */
static void check_version(const json_t *request, struct reasons *reasons)
{
    static const char *const r4_only[] = {
        "encounter",     "doNotPerform",    "statusReason",      "courseOfTherapyType",   "performer",
        "performerType", "reportedBoolean", "reportedReference", "instantiatesCanonical", "instantiatesUri"};
    static const char *const stu3_only[] = {"context", "definition"};
    bool r4 = json_is_array(json_object_get(request, "category"));
    bool stu3 = json_is_object(json_object_get(request, "category")) ||
                json_object_get(json_object_get(request, "requester"), "agent") != NULL;
    for (size_t i = 0; i < sizeof r4_only / sizeof r4_only[0]; i++)
        r4 = r4 || json_object_get(request, r4_only[i]) != NULL;
    for (size_t i = 0; i < sizeof stu3_only / sizeof stu3_only[0]; i++)
        stu3 = stu3 || json_object_get(request, stu3_only[i]) != NULL;
    const char *said = fhir_text(json_object_get(request, "meta"), "fhirVersion");
    if (said[0] != '\0' && strncmp(said, "4.0", 3) != 0 && strncmp(said, "3.0", 3) != 0)
        reasons_add(reasons, REASON_CODE_VERSION, "FHIR %s", said);
    r4 = r4 || strncmp(said, "4.0", 3) == 0;
    stu3 = stu3 || strncmp(said, "3.0", 3) == 0;
    if (json_object_get(request, "medication") != NULL)
        reasons_add(reasons, REASON_CODE_VERSION, "\"medication\" is FHIR R5");
    if (json_object_get(request, "dateWritten") != NULL || json_object_get(request, "prescriber") != NULL)
        reasons_add(reasons, REASON_CODE_VERSION, "\"dateWritten\", \"prescriber\" are FHIR DSTU2");
    const json_t *dosages = json_object_get(request, "dosageInstruction");
    bool dose_r4 = false, dose_stu3 = false;
    for (size_t i = 0; i < json_array_size(dosages); i++) {
        enum dose_shape shape = dose_shape_of(json_array_get(dosages, i));
        dose_r4 = dose_r4 || shape == DOSE_SHAPE_R4 || shape == DOSE_SHAPE_MIXED;
        dose_stu3 = dose_stu3 || shape == DOSE_SHAPE_STU3 || shape == DOSE_SHAPE_MIXED;
    }
    if ((dose_r4 && dose_stu3) || (dose_r4 && stu3) || (dose_stu3 && r4) || (r4 && stu3))
        reasons_mark(reasons, REASON_CODE_VERSION_MIXED);
}

static void check_standing(const json_t *request, struct order *order)
{
    struct reasons *reasons = &order->reasons;
    const char *url = "";
    order->status = fhir_text_checked(request, "status", reasons);
    const char *intent = fhir_text_checked(request, "intent", reasons);
    if (strcmp(order->status, "active") != 0)
        reasons_add(reasons, REASON_CODE_STATUS_NOT_ACTIVE, "%s",
                    order->status[0] ? order->status : "no status");
    if (!intent_is_order(intent))
        reasons_add(reasons, REASON_CODE_NOT_AN_ORDER, "intent %s", intent[0] ? intent : "missing");
    const json_t *not = json_object_get(request, "doNotPerform");
    if (not != NULL && !json_is_false(not ))
        reasons_mark(reasons, REASON_CODE_DO_NOT_PERFORM);
    const json_t *reported = json_object_get(request, "reportedBoolean");
    if ((reported != NULL && !json_is_false(reported)) ||
        json_object_get(request, "reportedReference") != NULL)
        reasons_mark(reasons, REASON_CODE_REPORTED);
    if (fhir_has_modifier(request, &url))
        reasons_add(reasons, REASON_CODE_MODIFIER_EXTENSION, "%s", url);
    if (fhir_has_key(request, "implicitRules"))
        reasons_mark(reasons, REASON_CODE_IMPLICIT_RULES);
}

/* Reasons from before the order was FHIR (REQUEST_REASON_URL). */
static void check_reasons(const json_t *request, struct reasons *reasons)
{
    const json_t *list = json_object_get(request, "extension");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i), *parts = json_object_get(row, "extension");
        const char *name = "", *text = "";
        enum reason_code code;
        if (strcmp(fhir_text(row, "url"), REQUEST_REASON_URL) != 0)
            continue;
        for (size_t j = 0; j < json_array_size(parts); j++) {
            const json_t *part = json_array_get(parts, j);
            if (strcmp(fhir_text(part, "url"), "code") == 0)
                name = fhir_text(part, "valueCode");
            else if (strcmp(fhir_text(part, "url"), "text") == 0)
                text = fhir_text(part, "valueString");
        }
        if (reason_parse(name, &code))
            reasons_add(reasons, code, "%s", text);
        else
            reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s without a reason", REQUEST_REASON_URL);
    }
}

/* authoredOn; where a feed has none, the newest of start of validity, start of the dosage and last fill. */
static void check_dates(const struct request_context *context, const json_t *request, struct order *order)
{
    struct reasons *reasons = &order->reasons;
    const struct intake_policy *policy = context->policy;
    const char *authored = fhir_text_checked(request, "authoredOn", reasons);
    const json_t *validity = validity_period(request);
    const char *until = fhir_text(validity, "end");
    const bool checked = policy->max_order_age_days > 0;
    int32_t day = CIVIL_DAY_NONE, last;
    char text[CIVIL_TEXT_BYTES];
    if (authored[0] != '\0') {
        if (!fhir_date_read(authored, &day, &last))
            reasons_add(reasons, REASON_CODE_BAD_DATE, "authoredOn %s", authored);
        else if (day > policy->today)
            reasons_add(reasons, REASON_CODE_FUTURE_DATE, "%s", authored);
    } else {
        day = request_newest_day(request, policy->today);
        int32_t fill = index_fill(context->index, order->source_id);
        if (fill != CIVIL_DAY_NONE && fill <= policy->today && fill > day)
            day = fill;
        if (day == CIVIL_DAY_NONE) {
            reasons_mark(reasons, checked ? REASON_CODE_NO_DATE : REASON_CODE_AGE_UNCHECKED);
        } else {
            civil_format(day, text);
            reasons_add(reasons, REASON_CODE_DATE_FROM_FILL, "%s", text);
        }
    }
    order->order_day = day;
    const int age_max = checked ? policy->max_order_age_days : INTAKE_ORDER_AGE_DAYS;
    if (day != CIVIL_DAY_NONE && (int64_t)policy->today - day > age_max) {
        civil_format(day, text);
        reasons_add(reasons, checked ? REASON_CODE_ORDER_OLD : REASON_CODE_AGE_UNCHECKED,
                    "%s, more than %d days", text, age_max);
    }
    if (until[0] != '\0') {
        int32_t first;
        if (!fhir_date_read(until, &first, &last))
            reasons_add(reasons, REASON_CODE_BAD_DATE, "validityPeriod.end %s", until);
        else if (last < policy->today)
            reasons_add(reasons, REASON_CODE_VALIDITY_ENDED, "%s", until);
    }
}

static void check_patient(const struct request_context *context, const json_t *request, struct arena *arena,
                          struct order *order)
{
    const char *reference = fhir_text(json_object_get(request, "subject"), "reference");
    const struct intake_patient *patient = NULL;
    order->patient_ref = reference;
    if (reference[0] == '#') {
        const json_t *list = json_object_get(request, "contained");
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *resource = json_array_get(list, i);
            const char *id = fhir_text(resource, "id");
            if (strcmp(fhir_text(resource, "resourceType"), "Patient") == 0 &&
                strcmp(id, reference + 1) == 0) {
                struct intake_patient *inside = arena_alloc(arena, sizeof *inside);
                if (inside != NULL)
                    index_read_patient(resource, arena, inside);
                patient = inside;
            }
        }
    } else if (reference[0] != '\0') {
        patient = index_patient(context->index, reference);
        if (patient == NULL && context->sink->patient != NULL)
            patient = context->sink->patient(context->sink->data, index_reference_id(reference));
    }
    order->patient = patient;
    if (patient == NULL)
        reasons_add(&order->reasons, REASON_CODE_NO_PATIENT, "%s", reference[0] ? reference : "no subject");
    else if (patient->clash)
        reasons_add(&order->reasons, REASON_CODE_ID_CLASH, "Patient %s", patient->id);
    if (patient != NULL && patient->deceased)
        reasons_mark(&order->reasons, REASON_CODE_PATIENT_DECEASED);
}

/* The referenced Medication; the caller gives it back with json_decref. NULL none. */
static json_t *find_medication(const struct request_context *context, const json_t *request,
                               struct reasons *reasons)
{
    const json_t *contained;
    const char *reference = request_drug_reference(request, &contained);
    if (contained != NULL)
        return json_incref((json_t *)(uintptr_t)contained);
    if (reference[0] == '\0')
        return NULL;
    const struct index_drug *row = index_drug(context->index, reference);
    if (row == NULL) {
        reasons_add(reasons, REASON_CODE_NO_DRUG, "%s is not in the input", reference);
        return NULL;
    }
    if (row->clash)
        reasons_add(reasons, REASON_CODE_ID_CLASH, "%s", reference);
    return json_loads(row->json, JSON_REJECT_DUPLICATES, NULL);
}

static void check_medication(const json_t *medication, struct reasons *reasons)
{
    const char *url = "";
    const char *status = fhir_text(medication, "status");
    if (fhir_has_modifier(medication, &url))
        reasons_add(reasons, REASON_CODE_MODIFIER_EXTENSION, "Medication: %s", url);
    if (strcmp(status, "entered-in-error") == 0)
        reasons_add(reasons, REASON_CODE_NO_DRUG, "the Medication was entered in error");
}

static void check_end(const struct intake_policy *policy, struct order *order)
{
    int32_t last;
    bool assumed;
    char text[CIVIL_TEXT_BYTES];
    if (!order->has_reading || !dosage_last_day(&order->reading, order->order_day, &last, &assumed) ||
        last >= policy->today)
        return;
    civil_format(last, text);
    if (assumed)
        reasons_add(&order->reasons, REASON_CODE_BOUNDS_UNCLEAR,
                    "counted from the order's date it ended on %s", text);
    else
        reasons_add(&order->reasons, REASON_CODE_ENDED, "%s", text);
}

/* The request as text; with the Medication that it refers to in a Bundle of two. */
static const char *original_text(const json_t *request, const json_t *medication, const char *reference,
                                 struct arena *arena)
{
    json_t *root;
    if (reference[0] != '\0' && medication != NULL)
        root = json_pack("{s:s, s:s, s:[{s:O}, {s:s, s:O}]}", "resourceType", "Bundle", "type", "collection",
                         "entry", "resource", request, "fullUrl", reference, "resource", medication);
    else
        root = json_incref((json_t *)(uintptr_t)request);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    const char *copy = text != NULL ? arena_text(arena, text, strlen(text)) : NULL;
    free(text);
    json_decref(root);
    return copy;
}

/* Product and dosage as the order says them, or as a pharmacist said instead. What speaks against the
 * pharmacist's own words goes to *added: it can't be settled by them. */
static int read_drug_and_dosage(const struct request_context *context, const json_t *request,
                                const json_t *medication, const struct request_drug *drug,
                                const struct intake_resolution *resolution, struct reasons *added,
                                struct order *ret, struct error *err)
{
    struct reasons *reasons = &ret->reasons;
    const json_t *dosage = fhir_array(request, "dosageInstruction", reasons);
    int rc = 0;
    if (resolution != NULL && resolution->product[0] != '\0')
        ret->product = request_drug_choose(context, resolution->product, added);
    else if (!reasons_has(reasons, REASON_CODE_NO_DRUG))
        rc = request_drug_match(context, drug, medication, reasons, &ret->product, err);
    const struct dosage_words grammar = {context->policy->words, context->policy->language};
    struct reasons words = {0};
    ret->has_reading =
        dosage_read(dosage, json_object_get(request, "note"), ret->product, &grammar, &words, &ret->reading);
    if (resolution == NULL || resolution->dosage[0] == '\0') {
        reasons_merge(reasons, &words);
        return rc;
    }
    for (int i = 0; i < words.count; i++) { /* "as needed" stays so, whatever is said on top of it */
        if (reason_class_of(words.rows[i].code) == REASON_REFUSED)
            reasons_add(reasons, words.rows[i].code, "%s", words.rows[i].text);
    }
    json_t *said = json_loads(resolution->dosage, JSON_REJECT_DUPLICATES, NULL);
    ret->has_reading = dosage_read(said, NULL, ret->product, NULL, added, &ret->reading);
    json_decref(said);
    return rc;
}

/* The pharmacist's word: the reasons that it settles, and it alone, are gone. */
static void settle(const struct intake_resolution *resolution, const struct reasons *added,
                   struct order *order)
{
    struct reasons *reasons = &order->reasons;
    if (!resolution->refused && !reasons_settle(reasons, resolution->accepts))
        reasons_add(reasons, REASON_CODE_TOO_MANY, "more reasons than can be settled at once");
    reasons_merge(reasons, added);
    if (!resolution->refused && reasons->outcome == OUTCOME_PACKABLE) {
        if (!order->has_reading)
            reasons_mark(reasons, REASON_CODE_NO_DOSAGE);
        if (order->product == NULL)
            reasons_mark(reasons, REASON_CODE_NO_DRUG);
        if (order->patient == NULL)
            reasons_mark(reasons, REASON_CODE_NO_PATIENT);
    }
    reasons_add(reasons, resolution->refused ? REASON_CODE_PHARMACIST_REFUSED : REASON_CODE_COMPLETED,
                "%s: %s", resolution->actor, resolution->because);
}

int request_read(const struct request_context *context, const json_t *request, struct arena *arena,
                 struct order *ret, struct error *err)
{
    struct reasons *reasons = &ret->reasons, added = {0};
    struct request_drug drug;
    const json_t *contained;
    check_version(request, reasons);
    check_reasons(request, reasons);
    check_standing(request, ret);
    check_patient(context, request, arena, ret);
    check_dates(context, request, ret);
    const char *reference = request_drug_reference(request, &contained);
    json_t *medication = find_medication(context, request, reasons);
    if (medication != NULL)
        check_medication(medication, reasons);
    ret->original = original_text(request, medication, reference, arena);
    const struct intake_resolution *resolution =
        context->sink->resolution != NULL && ret->original != NULL
            ? context->sink->resolution(context->sink->data, ret->source_id, ret->original)
            : NULL;
    request_drug_read(request, medication, &drug);
    int rc = read_drug_and_dosage(context, request, medication, &drug, resolution, &added, ret, err);
    check_end(context->policy, ret);
    if (request_is_current(request, context->policy->today)) {
        char key[REQUEST_KEY_BYTES];
        request_drug_key(context->catalogue, request, medication, key);
        const char *patient = request_patient_key(context->index, ret->patient_ref);
        int taken = 0;
        if (key[0] != '\0')
            taken = index_taken(context->index, patient, key, request_is_as_needed(request));
        if (taken > 1)
            reasons_add(reasons, REASON_CODE_DUPLICATE, "%s in %d orders", key, taken);
    }
    if (resolution != NULL)
        settle(resolution, &added, ret);
    ret->drug_name = arena_text(arena, drug.name, strlen(drug.name));
    ret->drug_form = arena_text(arena, drug.form, strlen(drug.form));
    for (int i = 0; i < drug.code_count; i++) {
        ret->codes[i].system = arena_text(arena, drug.codes[i].system, strlen(drug.codes[i].system));
        ret->codes[i].code = arena_text(arena, drug.codes[i].code, strlen(drug.codes[i].code));
        ret->codes[i].display = arena_text(arena, drug.codes[i].display, strlen(drug.codes[i].display));
        if (ret->codes[i].system == NULL || ret->codes[i].code == NULL || ret->codes[i].display == NULL)
            rc = error_set(err, E_MEMORY, "intake: out of memory");
    }
    ret->code_count = drug.code_count;
    json_decref(medication);
    if (rc == 0 && (ret->drug_name == NULL || ret->drug_form == NULL || ret->original == NULL))
        rc = error_set(err, E_MEMORY, "intake: out of memory");
    return rc;
}
