/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/request.h"

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/dosage.h"
#include "controller/intake/dose.h"
#include "controller/intake/element.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/request_drug.h"
#include "controller/intake/request_memory.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool request_id(const struct tree *request, const char *full_url, char *out, size_t size)
{
    const char *id = element_text(request, "id");
    if (id[0] == '\0')
        id = full_url;
    if (id[0] != '\0')
        return (size_t)snprintf(out, size, "%s", id) < size;
    const struct tree *identifier = tree_at(tree_get(request, "identifier"), 0);
    const char *value = element_text(identifier, "value");
    out[0] = '\0';
    return value[0] != '\0' &&
           (size_t)snprintf(out, size, "%s|%s", element_text(identifier, "system"), value) < size;
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

static const struct tree *validity_period(const struct tree *request)
{
    return tree_get(tree_get(request, "dispenseRequest"), "validityPeriod");
}

static const struct tree *bounds_period(const struct tree *dosage)
{
    return tree_get(tree_get(tree_get(dosage, "timing"), "repeat"), "boundsPeriod");
}

static void newer(const char *text, int32_t today, int32_t *day)
{
    int32_t first, last;
    if (text[0] != '\0' && fhir_date_read(text, &first, &last) && first <= today && first > *day)
        *day = first;
}

int32_t request_newest_day(const struct tree *request, int32_t today)
{
    int32_t day = CIVIL_DAY_NONE;
    const struct tree *dosages = tree_get(request, "dosageInstruction");
    newer(element_text(request, "authoredOn"), today, &day);
    newer(element_text(validity_period(request), "start"), today, &day);
    for (size_t i = 0; i < tree_count(dosages); i++)
        newer(element_text(bounds_period(tree_at(dosages, i)), "start"), today, &day);
    return day;
}

bool request_is_current(const struct tree *request, int32_t today)
{
    const struct tree *dosages = tree_get(request, "dosageInstruction");
    int32_t first, last;
    if (strcmp(element_text(request, "status"), "active") != 0 ||
        !intent_is_order(element_text(request, "intent")) ||
        tree_is(tree_get(request, "doNotPerform"), TREE_TRUE))
        return false;
    /* Over when every dosage has an end and the last one has passed. */
    bool open = tree_count(dosages) == 0;
    for (size_t i = 0; i < tree_count(dosages); i++) {
        const char *end = element_text(bounds_period(tree_at(dosages, i)), "end");
        open = open || end[0] == '\0' || !fhir_date_read(end, &first, &last) || last >= today;
    }
    return open;
}

int request_derive(struct catalogue *catalogue, const struct tree *request, const struct tree *medication,
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

bool request_is_as_needed(const struct tree *request)
{
    const struct tree *dosages = tree_get(request, "dosageInstruction");
    size_t as_needed = 0;
    for (size_t i = 0; i < tree_count(dosages); i++) {
        const struct tree *dosage = tree_at(dosages, i);
        as_needed += tree_is(tree_get(dosage, "asNeededBoolean"), TREE_TRUE) ||
                     tree_get(dosage, "asNeededCodeableConcept") != NULL;
    }
    return as_needed > 0 && as_needed == tree_count(dosages);
}

const char *request_drug_reference(const struct tree *request, const struct tree **ret_contained)
{
    const char *reference = element_text(tree_get(request, "medicationReference"), "reference");
    *ret_contained = NULL;
    if (reference[0] != '#')
        return reference;
    const struct tree *list = tree_get(request, "contained");
    for (size_t i = 0; i < tree_count(list); i++) {
        const struct tree *resource = tree_at(list, i);
        const char *id = element_text(resource, "id");
        if (strcmp(element_text(resource, "resourceType"), "Medication") == 0 &&
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

void request_drug_key(const struct catalogue *catalogue, const struct tree *request,
                      const struct tree *medication, char key[REQUEST_KEY_BYTES])
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

static bool has_element(const void *dosage, const char *key)
{
    return tree_get(dosage, key) != NULL;
}

/* What only one of the versions has. The shape of the dose is checked against it. */
static void check_version(const struct tree *request, struct reasons *reasons)
{
    static const char *const r4_only[] = {
        "encounter",     "doNotPerform",    "statusReason",      "courseOfTherapyType",   "performer",
        "performerType", "reportedBoolean", "reportedReference", "instantiatesCanonical", "instantiatesUri"};
    static const char *const stu3_only[] = {"context", "definition"};
    bool r4 = tree_is(tree_get(request, "category"), TREE_LIST);
    bool stu3 = tree_is(tree_get(request, "category"), TREE_OBJECT) ||
                tree_get(tree_get(request, "requester"), "agent") != NULL;
    for (size_t i = 0; i < sizeof r4_only / sizeof r4_only[0]; i++)
        r4 = r4 || tree_get(request, r4_only[i]) != NULL;
    for (size_t i = 0; i < sizeof stu3_only / sizeof stu3_only[0]; i++)
        stu3 = stu3 || tree_get(request, stu3_only[i]) != NULL;
    const char *said = element_text(tree_get(request, "meta"), "fhirVersion");
    if (said[0] != '\0' && strncmp(said, "4.0", 3) != 0 && strncmp(said, "3.0", 3) != 0)
        reasons_add(reasons, REASON_CODE_VERSION, "FHIR %s", said);
    r4 = r4 || strncmp(said, "4.0", 3) == 0;
    stu3 = stu3 || strncmp(said, "3.0", 3) == 0;
    if (tree_get(request, "medication") != NULL)
        reasons_add(reasons, REASON_CODE_VERSION, "\"medication\" is FHIR R5");
    if (tree_get(request, "dateWritten") != NULL || tree_get(request, "prescriber") != NULL)
        reasons_add(reasons, REASON_CODE_VERSION, "\"dateWritten\", \"prescriber\" are FHIR DSTU2");
    const struct tree *dosages = tree_get(request, "dosageInstruction");
    bool dose_r4 = false, dose_stu3 = false;
    for (size_t i = 0; i < tree_count(dosages); i++) {
        enum dose_shape shape = dose_shape_of(has_element, tree_at(dosages, i));
        dose_r4 = dose_r4 || shape == DOSE_SHAPE_R4 || shape == DOSE_SHAPE_MIXED;
        dose_stu3 = dose_stu3 || shape == DOSE_SHAPE_STU3 || shape == DOSE_SHAPE_MIXED;
    }
    if ((dose_r4 && dose_stu3) || (dose_r4 && stu3) || (dose_stu3 && r4) || (r4 && stu3))
        reasons_mark(reasons, REASON_CODE_VERSION_MIXED);
}

static void check_standing(const struct tree *request, struct order *order)
{
    struct reasons *reasons = &order->reasons;
    const char *url = "";
    order->status = element_text_checked(request, "status", reasons);
    const char *intent = element_text_checked(request, "intent", reasons);
    if (strcmp(order->status, "active") != 0)
        reasons_add(reasons, REASON_CODE_STATUS_NOT_ACTIVE, "%s",
                    order->status[0] ? order->status : "no status");
    if (!intent_is_order(intent))
        reasons_add(reasons, REASON_CODE_NOT_AN_ORDER, "intent %s", intent[0] ? intent : "missing");
    const struct tree *not = tree_get(request, "doNotPerform");
    if (not != NULL && !tree_is(not, TREE_FALSE))
        reasons_mark(reasons, REASON_CODE_DO_NOT_PERFORM);
    const struct tree *reported = tree_get(request, "reportedBoolean");
    if ((reported != NULL && !tree_is(reported, TREE_FALSE)) ||
        tree_get(request, "reportedReference") != NULL)
        reasons_mark(reasons, REASON_CODE_REPORTED);
    if (element_has_modifier(request, &url))
        reasons_add(reasons, REASON_CODE_MODIFIER_EXTENSION, "%s", url);
    if (element_below(request, "implicitRules") != NULL)
        reasons_mark(reasons, REASON_CODE_IMPLICIT_RULES);
}

/* Reasons from before the order was FHIR (REQUEST_REASON_URL). */
static void check_reasons(const struct tree *request, struct reasons *reasons)
{
    const struct tree *list = tree_get(request, "extension");
    for (size_t i = 0; i < tree_count(list); i++) {
        const struct tree *row = tree_at(list, i), *parts = tree_get(row, "extension");
        const char *name = "", *text = "";
        enum reason_code code;
        if (strcmp(element_text(row, "url"), REQUEST_REASON_URL) != 0)
            continue;
        for (size_t j = 0; j < tree_count(parts); j++) {
            const struct tree *part = tree_at(parts, j);
            if (strcmp(element_text(part, "url"), "code") == 0)
                name = element_text(part, "valueCode");
            else if (strcmp(element_text(part, "url"), "text") == 0)
                text = element_text(part, "valueString");
        }
        if (reason_parse(name, &code))
            reasons_add(reasons, code, "%s", text);
        else
            reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s without a reason", REQUEST_REASON_URL);
    }
}

/* authoredOn; where a feed has none, the newest of start of validity, start of the dosage and last fill. */
static void check_dates(const struct request_context *context, const struct tree *request,
                        struct order *order)
{
    struct reasons *reasons = &order->reasons;
    const struct intake_policy *policy = context->policy;
    const char *authored = element_text_checked(request, "authoredOn", reasons);
    const struct tree *validity = validity_period(request);
    const char *until = element_text(validity, "end");
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

static void check_patient(const struct request_context *context, const struct tree *request,
                          struct arena *arena, struct order *order)
{
    const char *reference = element_text(tree_get(request, "subject"), "reference");
    const struct intake_patient *patient = NULL;
    order->patient_ref = reference;
    if (reference[0] == '#') {
        const struct tree *list = tree_get(request, "contained");
        for (size_t i = 0; i < tree_count(list); i++) {
            const struct tree *resource = tree_at(list, i);
            const char *id = element_text(resource, "id");
            if (strcmp(element_text(resource, "resourceType"), "Patient") == 0 &&
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

/* The referenced Medication, valid until the next one is asked for. NULL none. */
static const struct tree *find_medication(const struct request_context *context, const struct tree *request,
                                          struct reasons *reasons)
{
    const struct tree *contained;
    struct tree_fault ignored; /* it was read before */
    const char *reference = request_drug_reference(request, &contained);
    if (contained != NULL || reference[0] == '\0')
        return contained;
    const struct index_drug *row = index_drug(context->index, reference);
    if (row == NULL) {
        reasons_add(reasons, REASON_CODE_NO_DRUG, "%s is not in the input", reference);
        return NULL;
    }
    if (row->clash)
        reasons_add(reasons, REASON_CODE_ID_CLASH, "%s", reference);
    return tree_read(&context->memory->medications, row->json, strlen(row->json), &ignored);
}

static void check_medication(const struct tree *medication, struct reasons *reasons)
{
    const char *url = "";
    const char *status = element_text(medication, "status");
    if (element_has_modifier(medication, &url))
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

/* The request as text; with the Medication that it refers to in a Bundle of two. Valid until the next one. */
static const char *original_text(struct request_memory *memory, const struct tree *request,
                                 const struct tree *medication, const char *reference)
{
    struct buf *out = &memory->original;
    const bool pair = reference[0] != '\0' && medication != NULL;
    buf_reset(out);
    if (pair)
        buf_text(out, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":");
    tree_write(request, out);
    if (pair) {
        buf_text(out, "},{\"fullUrl\":");
        tree_write_text(reference, strlen(reference), out);
        buf_text(out, ",\"resource\":");
        tree_write(medication, out);
        buf_text(out, "}]}");
    }
    return out->failed ? NULL : buf_string(out);
}

int request_index_drug(struct request_memory *memory, struct catalogue *catalogue, bool derive,
                       const struct tree *request, const struct tree *medication, const char **ret_key,
                       struct error *err)
{
    static _Thread_local struct request_product_known once; /* too long to be remembered */
    bool known;
    request_memory_drug_key(memory, request, medication);
    const struct buf *key = &memory->key;
    struct request_product_known *place = memo_get(&memory->products, key->data, key->len, &known);
    *ret_key = place != NULL ? place->key : once.key;
    if (known)
        return 0;
    int rc = derive ? request_derive(catalogue, request, medication, err) : 0;
    request_drug_key(catalogue, request, medication, place != NULL ? place->key : once.key);
    if (rc != 0)
        memo_forget(&memory->products, key->data, key->len);
    return rc;
}

/* What the drug leads to, worked out once for the same words. Not `named`: the order has none that can be
 * found. */
static int know_drug(const struct request_context *context, const struct request_drug *drug, bool named,
                     const struct tree *request, const struct tree *medication,
                     const struct request_drug_known **ret_known, struct error *err)
{
    static _Thread_local struct request_drug_known once; /* too long to be remembered */
    bool known;
    request_memory_drug_key(context->memory, request, medication);
    const struct buf *key = &context->memory->key;
    struct request_drug_known *place =
        named ? memo_get(&context->memory->drugs, key->data, key->len, &known) : NULL;
    if (place == NULL) {
        memset(&once, 0, sizeof once);
        place = &once;
        known = false;
    }
    *ret_known = place;
    if (known)
        return 0;
    int rc = named ? request_drug_match(context, drug, medication, &place->reasons, &place->product, err) : 0;
    request_drug_key(context->catalogue, request, medication, place->key);
    if (rc != 0 && named)
        memo_forget(&context->memory->drugs, key->data, key->len);
    return rc;
}

/* Product and dosage as the order says them, or as a pharmacist said instead. What speaks against the
 * pharmacist's own words goes to *added: it can't be settled by them. */
static int read_drug_and_dosage(const struct request_context *context, const struct tree *request,
                                const struct request_drug_known *drug,
                                const struct intake_resolution *resolution, struct reasons *added,
                                struct order *ret, struct error *err)
{
    struct reasons *reasons = &ret->reasons;
    const struct tree *dosage = tree_get(request, "dosageInstruction");
    const struct dosage_words grammar = {context->policy->words, context->policy->language};
    const struct request_dosage_known *said = NULL;
    if (dosage != NULL && dosage->type != TREE_LIST)
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "dosageInstruction is no list");
    if (tree_count(dosage) == 0)
        dosage = NULL;
    if (resolution != NULL && resolution->product[0] != '\0') {
        ret->product = request_drug_choose(context, resolution->product, added);
    } else if (!reasons_has(reasons, REASON_CODE_NO_DRUG)) {
        ret->product = drug->product;
        reasons_merge(reasons, &drug->reasons);
    }
    int rc = request_memory_dosage(context->memory, dosage, tree_get(request, "note"), ret->product, &grammar,
                                   &said, err);
    if (rc != 0)
        return rc;
    ret->has_reading = said->has_reading;
    ret->reading = said->reading;
    if (resolution == NULL || resolution->dosage[0] == '\0') {
        reasons_merge(reasons, &said->reasons);
        return 0;
    }
    for (int i = 0; i < said->reasons.count; i++) { /* "as needed" stays so, whatever is said on top of it */
        const struct reason *row = &said->reasons.rows[i];
        if (reason_class_of(row->code) == REASON_REFUSED)
            reasons_add(reasons, row->code, "%s", row->text);
    }
    json_t *instead = json_loads(resolution->dosage, JSON_REJECT_DUPLICATES, NULL);
    ret->has_reading = dosage_read(instead, NULL, ret->product, NULL, added, &ret->reading);
    json_decref(instead);
    return 0;
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

int request_read(const struct request_context *context, const struct tree *request, struct arena *arena,
                 struct order *ret, struct error *err)
{
    struct reasons *reasons = &ret->reasons, added = {0};
    struct request_drug drug;
    const struct tree *contained;
    check_version(request, reasons);
    check_reasons(request, reasons);
    check_standing(request, ret);
    check_patient(context, request, arena, ret);
    check_dates(context, request, ret);
    const char *reference = request_drug_reference(request, &contained);
    const struct tree *medication = find_medication(context, request, reasons);
    if (medication != NULL)
        check_medication(medication, reasons);
    ret->original = original_text(context->memory, request, medication, reference);
    const struct intake_resolution *resolution =
        context->sink->resolution != NULL && ret->original != NULL
            ? context->sink->resolution(context->sink->data, ret->source_id, ret->original)
            : NULL;
    request_drug_read(request, medication, &drug);
    const struct request_drug_known *known = NULL;
    int rc = know_drug(context, &drug, !reasons_has(reasons, REASON_CODE_NO_DRUG), request, medication,
                       &known, err);
    if (rc == 0)
        rc = read_drug_and_dosage(context, request, known, resolution, &added, ret, err);
    if (rc != 0)
        return rc;
    check_end(context->policy, ret);
    if (request_is_current(request, context->policy->today)) {
        const char *key = known->key;
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
    if (rc == 0 && (ret->drug_name == NULL || ret->drug_form == NULL || ret->original == NULL))
        rc = error_set(err, E_MEMORY, "intake: out of memory");
    return rc;
}
