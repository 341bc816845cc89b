/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/request_drug.h"

#include "config/base/quantity.h"
#include "config/conf.h"
#include "config/rules.h"
#include "controller/intake/element.h"
#include "controller/intake/fhir_json.h"

#include <string.h>

static void read_concept(const struct tree *concept, struct request_drug *ret)
{
    const struct tree *codings = tree_get(concept, "coding");
    const char *text = element_text(concept, "text");
    for (size_t i = 0; i < tree_count(codings) && ret->code_count < DRUG_CODES_MAX; i++) {
        const struct tree *coding = tree_at(codings, i);
        struct drug_code code = {element_text(coding, "system"), element_text(coding, "code"),
                                 element_text(coding, "display")};
        if (code.code[0] == '\0' && code.display[0] == '\0')
            continue;
        ret->codes[ret->code_count++] = code;
        if (ret->rx_name[0] == '\0' && code_is_rxnorm(code.system))
            ret->rx_name = code.display;
    }
    ret->name = text;
    for (int i = 0; i < ret->code_count && ret->name[0] == '\0'; i++)
        ret->name = ret->codes[i].display;
    if (ret->rx_name[0] == '\0')
        ret->rx_name = ret->name;
}

void request_drug_read(const struct tree *request, const struct tree *medication, struct request_drug *ret)
{
    *ret = (struct request_drug){.name = "", .rx_name = "", .form = ""};
    if (medication == NULL) {
        read_concept(tree_get(request, "medicationCodeableConcept"), ret);
    } else {
        read_concept(tree_get(medication, "code"), ret);
        const char *form = element_concept_text(tree_get(medication, "form"));
        ret->form = form;
    }
    const char *display = element_text(tree_get(request, "medicationReference"), "display");
    if (ret->name[0] == '\0')
        ret->name = ret->rx_name = display;
}

enum catalogue_match request_drug_find(const struct catalogue *catalogue, const struct request_drug *drug,
                                       const struct catalogue_row **ret_row)
{
    enum catalogue_match match =
        catalogue_find(catalogue, drug->codes, drug->code_count, drug->name, ret_row);
    if (match == CATALOGUE_NONE && strcmp(drug->rx_name, drug->name) != 0)
        match = catalogue_find(catalogue, drug->codes, 0, drug->rx_name, ret_row);
    return match;
}

/* A strength in the order's own words must be that of the product: a wrong code is a wrong drug. */
static void check_name(const char *name, const char *form, const struct catalogue_row *row,
                       struct reasons *reasons)
{
    struct drug_name drug;
    if (name[0] == '\0' || strcmp(name, row->name) == 0)
        return;
    drug_name_read(name, form, &drug);
    if (drug.kind == DRUG_NOT_SOLID && row->packable != PACKABLE_NO) {
        reasons_add(reasons, REASON_CODE_DRUG_CONTRADICTS, "\"%s\" is not %s", name, row->name);
        return;
    }
    if (!drug.strengths_known || row->strength_count == 0)
        return;
    bool same = drug.part_count == row->strength_count;
    for (int i = 0; i < drug.part_count && same; i++) {
        /* Parts may stand in any order. */
        bool found = false;
        for (int j = 0; j < row->strength_count; j++)
            found = found || (drug.strengths[i].kind == row->strengths[j].kind &&
                              drug.strengths[i].amount == row->strengths[j].amount);
        same = found;
    }
    if (!same)
        reasons_add(reasons, REASON_CODE_DRUG_CONTRADICTS, "\"%s\" is not %s %s", name, row->name,
                    row->strength);
}

/* The same for a strength that stands as an element beside the name (Medication.ingredient.strength). */
static void check_strength(const struct tree *medication, const struct catalogue_row *row,
                           struct reasons *reasons)
{
    const struct tree *list = tree_get(medication, "ingredient");
    const struct tree *strength = tree_get(tree_at(list, 0), "strength");
    const struct tree *most = tree_get(strength, "numerator"), *of = tree_get(strength, "denominator");
    struct reasons scratch = {0};
    struct measured stated;
    int64_t value, parts = QUANTITY_ONE;
    const char *unit =
        element_text(most, "unit")[0] != '\0' ? element_text(most, "unit") : element_text(most, "code");
    if (tree_count(list) != 1 || row->strength_count != 1 ||
        !element_milli(most, "value", &value, &scratch) ||
        (tree_get(of, "value") != NULL && !element_milli(of, "value", &parts, &scratch)) ||
        parts != QUANTITY_ONE || !measure_scale(value, unit, &stated))
        return;
    if (stated.kind == row->strengths[0].kind && stated.amount != row->strengths[0].amount) {
        char text[QUANTITY_TEXT_BYTES];
        quantity_format(value, text);
        reasons_add(reasons, REASON_CODE_DRUG_CONTRADICTS, "%s %s is not %s %s", text, unit, row->name,
                    row->strength);
    }
}

static void check_packable(const struct catalogue_row *row, struct reasons *reasons)
{
    if (row->packable == PACKABLE_PHARMACIST)
        reasons_add(reasons, REASON_CODE_PHARMACIST_PRODUCT, "%s%s%s", row->name, row->note[0] ? ": " : "",
                    row->note);
    if (row->packable != PACKABLE_NO)
        return;
    if (!row->provisional) {
        reasons_add(reasons, REASON_CODE_NOT_PACKABLE, "%s%s%s", row->name, row->note[0] ? ": " : "",
                    row->note);
        return;
    }
    static const enum reason_code codes[] = {
        [DRUG_FORM_UNKNOWN] = REASON_CODE_FORM_UNKNOWN,
        [DRUG_SOLID] = REASON_CODE_STRENGTH_UNKNOWN,
        [DRUG_NOT_SOLID] = REASON_CODE_NOT_ORAL_SOLID,
        [DRUG_PACK] = REASON_CODE_PACK_OR_KIT,
    };
    reasons_add(reasons, codes[row->kind], "%s%s%s", row->name, row->note[0] ? ": " : "", row->note);
}

/* The packing rules and the forms that can go into a pouch at all. */
static void check_rules(const struct request_context *context, const struct catalogue_row *row,
                        struct reasons *reasons)
{
    const struct conf *packing = context->policy->packing;
    const struct rules_product product = {
        .ingredient = row->ingredient, .form = row->form, .release = row->release};
    struct catalogue_verdict *verdict = catalogue_verdict(context->catalogue, row);
    if (packing == NULL)
        return;
    if (!verdict->known) {
        verdict->known = true;
        verdict->solid = rules_oral_solid(packing, row->form);
        verdict->policy = (int)rules_packing(packing, &product, &verdict->rule);
    }
    if (row->packable != PACKABLE_NO && !verdict->solid)
        reasons_add(reasons, REASON_CODE_NOT_ORAL_SOLID, "%s: form \"%s\"", row->name, row->form);
    if (verdict->policy != RULES_NEVER && verdict->policy != RULES_ORIGINAL &&
        verdict->policy != RULES_PHARMACIST)
        return;
    reasons_add(reasons,
                verdict->policy == RULES_PHARMACIST ? REASON_CODE_PACKING_ASK : REASON_CODE_PACKING_RULE,
                "%s (rule %s)", conf_text(packing, "rules[%d].reason", verdict->rule),
                conf_text(packing, "rules[%d].id", verdict->rule));
}

int request_drug_match(const struct request_context *context, const struct request_drug *drug,
                       const struct tree *medication, struct reasons *reasons,
                       const struct catalogue_row **ret_row, struct error *err)
{
    *ret_row = NULL;
    if (drug->name[0] == '\0' && drug->code_count == 0) {
        reasons_mark(reasons, REASON_CODE_NO_DRUG);
        return 0;
    }
    const struct catalogue_row *row = NULL;
    enum catalogue_match match = request_drug_find(context->catalogue, drug, &row);
    if (match == CATALOGUE_SEVERAL) {
        reasons_add(reasons, REASON_CODE_PRODUCT_AMBIGUOUS, "%s", drug->name);
        return 0;
    }
    if (match == CATALOGUE_NONE) {
        if (!context->policy->derive) {
            reasons_add(reasons, REASON_CODE_NOT_IN_FORMULARY, "%s", drug->name);
            return 0;
        }
        int rc = catalogue_derive(context->catalogue, drug->codes, drug->code_count, drug->rx_name,
                                  drug->form, &row, err);
        if (rc != 0)
            return rc;
    }
    *ret_row = row;
    if (row->provisional)
        reasons_add(reasons, REASON_CODE_PROVISIONAL, "%s", row->code);
    check_packable(row, reasons);
    check_rules(context, row, reasons);
    check_name(drug->name, drug->form, row, reasons);
    check_strength(medication, row, reasons);
    for (int i = 0; i < drug->code_count; i++) {
        if (strcmp(drug->codes[i].display, drug->name) != 0)
            check_name(drug->codes[i].display, drug->form, row, reasons);
    }
    return 0;
}

const struct catalogue_row *request_drug_choose(const struct request_context *context, const char *code,
                                                struct reasons *reasons)
{
    const struct catalogue_row *row = catalogue_by_code(context->catalogue, code);
    if (row == NULL) {
        reasons_add(reasons, REASON_CODE_NOT_IN_FORMULARY, "%s, which a pharmacist chose", code);
        return NULL;
    }
    if (row->provisional)
        reasons_add(reasons, REASON_CODE_PROVISIONAL, "%s", row->code);
    check_packable(row, reasons);
    check_rules(context, row, reasons);
    return row;
}
