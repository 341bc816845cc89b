/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/dispense.h"

#include <string.h>
#include <strings.h>

#include "config/base/civil.h"
#include "controller/intake/element.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/index.h"
#include "controller/intake/request_drug.h"

enum { DAYS_MAX = 3660 };

/* Units of a quantity that count pieces, as UCUM, as HL7 dose forms, and as people write them; UCUM's words
 * of its own stand in braces. */
static bool counts_pieces(const struct tree *quantity)
{
    static const char *const units[] = {"",        "1",     "tbl",    "tab",     "tabs",     "tablet",
                                        "tablets", "cap",   "caps",   "capsule", "capsules", "each",
                                        "ea",      "piece", "pieces", "pill",    "pills"};
    const char *unit = element_text(quantity, "code");
    if (unit[0] == '\0')
        unit = element_text(quantity, "unit");
    size_t len = strlen(unit);
    if (len > 2 && unit[0] == '{' && unit[len - 1] == '}') {
        unit++;
        len -= 2;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i]) == len && strncasecmp(units[i], unit, len) == 0)
            return true;
    }
    return false;
}

static const char *product_of(const struct tree *dispense, const struct catalogue *catalogue)
{
    struct request_drug drug;
    const struct catalogue_row *row = NULL;
    request_drug_read(dispense, NULL, &drug);
    if (drug.code_count == 0 && drug.name[0] == '\0')
        return NULL;
    return request_drug_find(catalogue, &drug, &row) == CATALOGUE_ONE && !row->fresh ? row->code : NULL;
}

bool dispense_read(const struct tree *dispense, const struct catalogue *catalogue,
                   struct intake_dispense *ret_dispense)
{
    const char *when = element_text(dispense, "whenHandedOver");
    const struct tree *order = tree_at(tree_get(dispense, "authorizingPrescription"), 0);
    const struct tree *quantity = tree_get(dispense, "quantity");
    struct reasons reasons = {0};
    struct intake_dispense d = {.days_supply = -1, .pieces_milli = -1};
    int32_t last;
    int64_t value;
    if (when[0] == '\0')
        when = element_text(dispense, "whenPrepared");
    d.source_id = element_text(dispense, "id");
    d.status = element_text(dispense, "status");
    /* STU3 says with a flag of its own that nothing was handed out; R4 has the status "declined" for it. */
    if (tree_is(tree_get(dispense, "notDone"), TREE_TRUE))
        d.status = "not-done";
    d.patient_id = index_reference_id(element_text(tree_get(dispense, "subject"), "reference"));
    d.order_id = index_reference_id(element_text(order, "reference"));
    if (d.source_id[0] == '\0' || strlen(d.source_id) >= INTAKE_ID_BYTES_MAX || d.patient_id[0] == '\0' ||
        !fhir_date_read(when, &d.day, &last) || d.day != last)
        return false;
    if (counts_pieces(quantity) && element_milli(quantity, "value", &value, &reasons) && value > 0)
        d.pieces_milli = value;
    const struct tree *days = tree_get(dispense, "daysSupply");
    if (element_whole(days, "value", &value, &reasons) && value > 0 && value <= DAYS_MAX)
        d.days_supply = (int32_t)value;
    d.product = product_of(dispense, catalogue);
    *ret_dispense = d;
    return true;
}
