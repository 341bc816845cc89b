/* SPDX-License-Identifier: Apache-2.0 */
/* What a FHIR MedicationRequest allows (hl7.org/fhir/R4/medicationrequest.html, dispenseRequest). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/fhir_json.h"
#include "controller/parties/renewed.h"
#include "controller/refill/refill.h"

/* A Duration in whole days; other units than days and weeks say nothing that can be relied on. */
static int32_t duration_days(const json_t *duration)
{
    static const struct {
        const char *code;
        int days;
    } units[] = {{"d", 1}, {"day", 1}, {"days", 1}, {"wk", 7}, {"week", 7}, {"weeks", 7}};
    struct reasons reasons = {0};
    int64_t value = 0;
    const char *unit = fhir_text(duration, "code");
    if (unit[0] == '\0')
        unit = fhir_text(duration, "unit");
    if (!fhir_whole(duration, "value", &value, &reasons) || value < 1 || value > SYNC_DAYS_MAX / 7)
        return SYNC_NONE;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].code, unit) == 0)
            return (int32_t)value * units[i].days;
    }
    return SYNC_NONE;
}

static const json_t *request_of(const json_t *root)
{
    const json_t *entries = json_object_get(root, "entry");
    if (strcmp(fhir_text(root, "resourceType"), "Bundle") != 0)
        return root;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *resource = json_object_get(json_array_get(entries, i), "resource");
        if (strcmp(fhir_text(resource, "resourceType"), "MedicationRequest") == 0)
            return resource;
    }
    return NULL;
}

/* When it took the place of an earlier prescription under the same id. */
static int64_t renewed_ms(const json_t *request)
{
    size_t i;
    json_t *extension;
    json_array_foreach(json_object_get(request, "extension"), i, extension)
    {
        if (strcmp(fhir_text(extension, "url"), RENEWED_URL) == 0)
            return strtoll(fhir_text(extension, "valueString"), NULL,
                           10); /* our own words; else 0: all count */
    }
    return 0;
}

void refill_authority_read(const char *original, struct refill_authority *ret_authority)
{
    *ret_authority = (struct refill_authority){
        .fills = SYNC_NONE, .fill_milli = SYNC_NONE, .fill_days = SYNC_NONE, .expires = CIVIL_DAY_NONE};
    json_t *root = json_loads(original, JSON_REJECT_DUPLICATES, NULL);
    const json_t *request = root ? request_of(root) : NULL;
    const json_t *dispense = json_object_get(request, "dispenseRequest");
    const char *end = fhir_text(json_object_get(dispense, "validityPeriod"), "end");
    struct reasons reasons = {0};
    int64_t value = 0;
    int32_t first, last;
    if (fhir_whole(dispense, "numberOfRepeatsAllowed", &value, &reasons) && value >= 0 && value < 1000)
        ret_authority->fills = (int32_t)value + 1; /* the first fill is no repeat */
    if (fhir_milli(json_object_get(dispense, "quantity"), "value", &value, &reasons) && value > 0 &&
        value <= INT64_C(1000) * SYNC_COUNT_MAX / 2)
        ret_authority->fill_milli = value;
    ret_authority->fill_days = duration_days(json_object_get(dispense, "expectedSupplyDuration"));
    if (end[0] != '\0' && fhir_date_read(end, &first, &last))
        ret_authority->expires = last;
    ret_authority->since_ms = renewed_ms(request);
    json_decref(root);
}
