/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/dose.h"

#include "config/base/quantity.h"
#include "controller/intake/fhir_json.h"

#include <string.h>

enum { HALF_MILLI = 500 };

static bool has_element(const void *dosage, const char *key)
{
    return json_object_get(dosage, key) != NULL;
}

enum dose_shape dose_shape_of(bool (*has)(const void *dosage, const char *key), const void *dosage)
{
    static const char *const stu3[] = {"doseQuantity", "doseSimpleQuantity", "doseRange",         "rateRatio",
                                       "rateRange",    "rateQuantity",       "rateSimpleQuantity"};
    bool old = false;
    for (size_t i = 0; i < sizeof stu3 / sizeof stu3[0]; i++)
        old = old || has(dosage, stu3[i]);
    bool new = has(dosage, "doseAndRate");
    return old && new ? DOSE_SHAPE_MIXED : new ? DOSE_SHAPE_R4 : old ? DOSE_SHAPE_STU3 : DOSE_SHAPE_NONE;
}

/* The unit's code where its system is one that is known, else the unit's text. Both given: they must agree.
 */
static void read_unit(const json_t *quantity, struct reasons *reasons, struct dose *ret)
{
    const char *text = fhir_text_checked(quantity, "unit", reasons);
    const char *code = fhir_text_checked(quantity, "code", reasons);
    enum measure by_text = measure_of(text, strlen(text));
    enum measure by_code = measure_of(code, strlen(code));
    ret->unit = text[0] != '\0' ? text : code;
    bool unity =
        strcmp(code, "1") == 0 && (text[0] == '\0' || by_text == MEASURE_PIECE || strcmp(text, "1") == 0);
    if ((text[0] == '\0' && code[0] == '\0') || unity) {
        ret->amount = (struct measured){MEASURE_PIECE, ret->value_milli};
        ret->exact = true;
        return;
    }
    if (by_text == MEASURE_UNKNOWN && by_code == MEASURE_UNKNOWN) {
        reasons_add(reasons, REASON_CODE_DOSE_UNIT_UNKNOWN, "%s", ret->unit);
        return;
    }
    struct measured text_amount, code_amount;
    bool text_right = by_text != MEASURE_UNKNOWN && measure_scale(ret->value_milli, text, &text_amount);
    bool code_right = by_code != MEASURE_UNKNOWN && measure_scale(ret->value_milli, code, &code_amount);
    if (text_right && code_right &&
        (text_amount.kind != code_amount.kind || text_amount.amount != code_amount.amount)) {
        reasons_add(reasons, REASON_CODE_DOSE_UNIT_CLASH, "%s and %s", text, code);
        return;
    }
    if (!text_right && !code_right) {
        reasons_add(reasons, REASON_CODE_DOSE_UNIT_UNKNOWN, "%s", ret->unit);
        return;
    }
    ret->amount = code_right ? code_amount : text_amount;
    ret->exact = true;
}

void dose_quantity_read(const json_t *quantity, const char *key, struct reasons *reasons, struct dose *ret)
{
    static const char *const keys[] = {"value", "comparator", "unit", "system", "code", NULL};
    ret->given = true;
    const char *unknown = fhir_unknown_key(quantity, keys);
    if (unknown[0] != '\0')
        reasons_add(reasons, REASON_CODE_UNKNOWN_ELEMENT, "%s.%s", key, unknown);
    if (fhir_text_checked(quantity, "comparator", reasons)[0] != '\0') {
        reasons_add(reasons, REASON_CODE_DOSE_COMPARATOR, "%s", fhir_text(quantity, "comparator"));
        return;
    }
    if (json_object_get(quantity, "value") == NULL) {
        reasons_add(reasons, REASON_CODE_DOSE_MISSING, "%s without a value", key);
        return;
    }
    if (!fhir_milli(quantity, "value", &ret->value_milli, reasons))
        return;
    if (ret->value_milli <= 0) {
        char text[QUANTITY_TEXT_BYTES];
        quantity_format(ret->value_milli, text);
        reasons_add(reasons, REASON_CODE_DOSE_NOT_POSITIVE, "%s", text);
        return;
    }
    read_unit(quantity, reasons, ret);
    if (unknown[0] != '\0')
        ret->exact = false;
}

/* The elements of one doseAndRate, or of an STU3 Dosage. */
static void read_elements(const json_t *object, struct reasons *reasons, struct dose *ret)
{
    static const char *const rates[] = {"rateRatio", "rateRange", "rateQuantity", "rateSimpleQuantity"};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (json_object_get(object, rates[i]) != NULL) {
            ret->given = true;
            reasons_add(reasons, REASON_CODE_RATE, "%s", rates[i]);
        }
    }
    if (json_object_get(object, "doseRange") != NULL) {
        ret->given = true;
        reasons_mark(reasons, REASON_CODE_DOSE_RANGE);
    }
    const json_t *quantity = fhir_object(object, "doseQuantity", reasons);
    if (quantity == NULL)
        quantity = fhir_object(object, "doseSimpleQuantity", reasons);
    if (quantity == NULL)
        return;
    if (ret->given)
        reasons_mark(reasons, REASON_CODE_DOSE_SEVERAL);
    bool alone = !ret->given;
    dose_quantity_read(quantity, "doseQuantity", reasons, ret);
    ret->exact = ret->exact && alone;
}

void dose_read(const json_t *dosage, struct reasons *reasons, struct dose *ret)
{
    static const char *const keys[] = {"type",         "doseRange", "doseQuantity", "rateRatio", "rateRange",
                                       "rateQuantity", NULL};
    *ret = (struct dose){.unit = ""};
    enum dose_shape shape = dose_shape_of(has_element, dosage);
    if (shape == DOSE_SHAPE_MIXED) {
        ret->given = true;
        reasons_add(reasons, REASON_CODE_VERSION_MIXED, "doseAndRate beside doseQuantity");
        return;
    }
    if (shape == DOSE_SHAPE_STU3) {
        read_elements(dosage, reasons, ret);
        return;
    }
    const json_t *list = fhir_array(dosage, "doseAndRate", reasons);
    if (json_array_size(list) > 1) {
        ret->given = true;
        reasons_add(reasons, REASON_CODE_DOSE_SEVERAL, "%zu doseAndRate", json_array_size(list));
        return;
    }
    const json_t *only = json_array_get(list, 0);
    if (only == NULL)
        return;
    if (!json_is_object(only)) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "doseAndRate holds no object");
        return;
    }
    const char *unknown = fhir_unknown_key(only, keys);
    read_elements(only, reasons, ret);
    if (unknown[0] != '\0') {
        reasons_add(reasons, REASON_CODE_UNKNOWN_ELEMENT, "doseAndRate.%s", unknown);
        ret->exact = false;
    }
}

/* dose / strength in milli-pieces when that is exact. */
static bool divide(int64_t amount, int64_t strength, int64_t *ret_milli)
{
    int64_t milli;
    if (strength <= 0 || __builtin_mul_overflow(amount, (int64_t)QUANTITY_ONE, &milli) ||
        milli % strength != 0)
        return false;
    *ret_milli = milli / strength;
    return true;
}

static bool pieces_by_strength(const struct dose *dose, const struct catalogue_row *product,
                               struct reasons *reasons, int64_t *ret_milli)
{
    if (product == NULL || product->strength_count != 1 || product->strengths[0].kind != dose->amount.kind) {
        char value[QUANTITY_TEXT_BYTES];
        quantity_format(dose->value_milli, value);
        reasons_add(reasons, REASON_CODE_STRENGTH_UNKNOWN, "%s %s of %s", value, dose->unit,
                    product == NULL                ? "an unknown product"
                    : product->strength[0] != '\0' ? product->strength
                                                   : "a product without a strength");
        return false;
    }
    if (!divide(dose->amount.amount, product->strengths[0].amount, ret_milli) ||
        *ret_milli % HALF_MILLI != 0) {
        char value[QUANTITY_TEXT_BYTES];
        quantity_format(dose->value_milli, value);
        reasons_add(reasons, REASON_CODE_STRENGTH_INEXACT, "%s %s of %s pieces", value, dose->unit,
                    product->strength);
        return false;
    }
    return true;
}

bool dose_pieces(const struct dose *dose, const struct catalogue_row *product, struct reasons *reasons,
                 int64_t *ret_milli)
{
    int64_t milli = 0;
    if (!dose->exact)
        return false;
    switch (dose->amount.kind) {
    case MEASURE_PIECE:
        milli = dose->amount.amount;
        break;
    case MEASURE_MASS:
    case MEASURE_IU:
    case MEASURE_MEQ:
        if (!pieces_by_strength(dose, product, reasons, &milli))
            return false;
        break;
    case MEASURE_BODY:
        reasons_add(reasons, REASON_CODE_DOSE_PER_BODY, "%s", dose->unit);
        return false;
    case MEASURE_OTHER:
        reasons_add(reasons, REASON_CODE_DOSE_UNIT, "%s", dose->unit);
        return false;
    case MEASURE_UNKNOWN:
        reasons_add(reasons, REASON_CODE_DOSE_UNIT_UNKNOWN, "%s", dose->unit);
        return false;
    }
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(milli, text);
    if (milli % HALF_MILLI != 0) {
        reasons_add(reasons, REASON_CODE_DOSE_OFF_GRID, "%s", text);
        return false;
    }
    if (milli % QUANTITY_ONE != 0 && product != NULL && product->packable != PACKABLE_NO && !product->halves)
        reasons_add(reasons, REASON_CODE_NO_HALVES, "%s of %s", text, product->name);
    if (milli > DOSE_PIECES_MAX_MILLI)
        reasons_add(reasons, REASON_CODE_DOSE_LARGE, "%s pieces", text);
    *ret_milli = milli;
    /* Beyond the limits of a stored reading there is nothing to hand on. */
    return milli <= 10 * (int64_t)DOSE_PIECES_MAX_MILLI;
}
