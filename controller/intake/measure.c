/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/measure.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *text;
    enum measure kind;
    int64_t scale; /* base units in one */
};

/* SNOMED CT codes are those that the public examples of HL7, NHS England and HL7 Switzerland use: unit of
 * presentation (7329…) and dm+d unit dose forms (428…). */
static const struct unit units[] = {
    {"{tablet}", MEASURE_PIECE, 1000},
    {"{tablets}", MEASURE_PIECE, 1000},
    {"{tab}", MEASURE_PIECE, 1000},
    {"{tabs}", MEASURE_PIECE, 1000},
    {"{tbl}", MEASURE_PIECE, 1000},
    {"{capsule}", MEASURE_PIECE, 1000},
    {"{capsules}", MEASURE_PIECE, 1000},
    {"{cap}", MEASURE_PIECE, 1000},
    {"{caps}", MEASURE_PIECE, 1000},
    {"{caplet}", MEASURE_PIECE, 1000},
    {"{pill}", MEASURE_PIECE, 1000},
    {"tab", MEASURE_PIECE, 1000},
    {"tabs", MEASURE_PIECE, 1000},
    {"tabl", MEASURE_PIECE, 1000},
    {"tablet", MEASURE_PIECE, 1000},
    {"tablets", MEASURE_PIECE, 1000},
    {"tablet(s)", MEASURE_PIECE, 1000},
    {"tab(s)", MEASURE_PIECE, 1000},
    {"tablette", MEASURE_PIECE, 1000},
    {"tabletten", MEASURE_PIECE, 1000},
    {"tablet (unit of presentation)", MEASURE_PIECE, 1000},
    {"filmtablette", MEASURE_PIECE, 1000},
    {"cap", MEASURE_PIECE, 1000},
    {"caps", MEASURE_PIECE, 1000},
    {"capsule", MEASURE_PIECE, 1000},
    {"capsules", MEASURE_PIECE, 1000},
    {"capsule(s)", MEASURE_PIECE, 1000},
    {"capsule (unit of presentation)", MEASURE_PIECE, 1000},
    {"kapsel", MEASURE_PIECE, 1000},
    {"kapseln", MEASURE_PIECE, 1000},
    {"caplet", MEASURE_PIECE, 1000},
    {"caplets", MEASURE_PIECE, 1000},
    {"pill", MEASURE_PIECE, 1000},
    {"pills", MEASURE_PIECE, 1000},
    {"stueck", MEASURE_PIECE, 1000},
    {"st\xc3\xbc"
     "ck",
     MEASURE_PIECE, 1000},
    {"ertab", MEASURE_PIECE, 1000}, /* v3-orderableDrugForm */
    {"ectab", MEASURE_PIECE, 1000},
    {"ercap", MEASURE_PIECE, 1000},
    {"eccap", MEASURE_PIECE, 1000},
    {"orcap", MEASURE_PIECE, 1000},
    {"ortab", MEASURE_PIECE, 1000},
    {"732936001", MEASURE_PIECE, 1000}, /* tablet (unit of presentation) */
    {"732937005", MEASURE_PIECE, 1000}, /* capsule (unit of presentation) */
    {"428673006", MEASURE_PIECE, 1000}, /* tablet */
    {"428641000", MEASURE_PIECE, 1000}, /* capsule */
    {"385055001", MEASURE_PIECE, 1000}, /* tablet dose form */
    {"385049006", MEASURE_PIECE, 1000}, /* capsule dose form */
    {"g", MEASURE_MASS, 1000000000},
    {"gm", MEASURE_MASS, 1000000000},
    {"gram", MEASURE_MASS, 1000000000},
    {"grams", MEASURE_MASS, 1000000000},
    {"258682000", MEASURE_MASS, 1000000000},
    {"mg", MEASURE_MASS, 1000000},
    {"mgs", MEASURE_MASS, 1000000},
    {"milligram", MEASURE_MASS, 1000000},
    {"milligrams", MEASURE_MASS, 1000000},
    {"258684004", MEASURE_MASS, 1000000},
    {"ug", MEASURE_MASS, 1000},
    {"mcg", MEASURE_MASS, 1000},
    {"\xc2\xb5g", MEASURE_MASS, 1000}, /* micro sign */
    {"\xce\xbcg", MEASURE_MASS, 1000}, /* Greek mu */
    {"microgram", MEASURE_MASS, 1000},
    {"micrograms", MEASURE_MASS, 1000},
    {"258685003", MEASURE_MASS, 1000},
    {"unt", MEASURE_IU, 1000},
    {"iu", MEASURE_IU, 1000},
    {"[iu]", MEASURE_IU, 1000},
    {"unit", MEASURE_IU, 1000},
    {"units", MEASURE_IU, 1000},
    {"unit(s)", MEASURE_IU, 1000},
    {"[usp'u]", MEASURE_IU, 1000},
    {"u", MEASURE_IU, 1000},
    {"meq", MEASURE_MEQ, 1000},
    {"milliequivalent", MEASURE_MEQ, 1000},
    {"mg/kg", MEASURE_BODY, 0},
    {"ug/kg", MEASURE_BODY, 0},
    {"mcg/kg", MEASURE_BODY, 0},
    {"g/kg", MEASURE_BODY, 0},
    {"mg/m2", MEASURE_BODY, 0},
    {"ml/kg", MEASURE_BODY, 0},
    {"[iu]/kg", MEASURE_BODY, 0},
    {"u/kg", MEASURE_BODY, 0},
    {"ml", MEASURE_OTHER, 0},
    {"mls", MEASURE_OTHER, 0},
    {"milliliter", MEASURE_OTHER, 0},
    {"milliliters", MEASURE_OTHER, 0},
    {"millilitre", MEASURE_OTHER, 0},
    {"millilitres", MEASURE_OTHER, 0},
    {"258773002", MEASURE_OTHER, 0},
    {"l", MEASURE_OTHER, 0},
    {"liter", MEASURE_OTHER, 0},
    {"litre", MEASURE_OTHER, 0},
    {"[drp]", MEASURE_OTHER, 0},
    {"drop", MEASURE_OTHER, 0},
    {"drops", MEASURE_OTHER, 0},
    {"{drop}", MEASURE_OTHER, 0},
    {"gtt", MEASURE_OTHER, 0},
    {"tropfen", MEASURE_OTHER, 0},
    {"puff", MEASURE_OTHER, 0},
    {"puffs", MEASURE_OTHER, 0},
    {"{puff}", MEASURE_OTHER, 0},
    {"actuat", MEASURE_OTHER, 0},
    {"actuation", MEASURE_OTHER, 0},
    {"{actuat}", MEASURE_OTHER, 0},
    {"inhalation", MEASURE_OTHER, 0},
    {"spray", MEASURE_OTHER, 0},
    {"sprays", MEASURE_OTHER, 0},
    {"{spray}", MEASURE_OTHER, 0},
    {"patch", MEASURE_OTHER, 0},
    {"{patch}", MEASURE_OTHER, 0},
    {"419702001", MEASURE_OTHER, 0}, /* patch */
    {"application", MEASURE_OTHER, 0},
    {"{application}", MEASURE_OTHER, 0},
    {"inj", MEASURE_OTHER, 0},
    {"injection", MEASURE_OTHER, 0},
    {"suppository", MEASURE_OTHER, 0},
    {"{suppository}", MEASURE_OTHER, 0},
    {"sachet", MEASURE_OTHER, 0},
    {"{sachet}", MEASURE_OTHER, 0},
    {"spoonful", MEASURE_OTHER, 0},
    {"[tsp_us]", MEASURE_OTHER, 0},
    {"[tbs_us]", MEASURE_OTHER, 0},
    {"teaspoon", MEASURE_OTHER, 0},
    {"tablespoon", MEASURE_OTHER, 0},
    {"cm", MEASURE_OTHER, 0},
    {"[in_i]", MEASURE_OTHER, 0},
    {"vial", MEASURE_OTHER, 0},
    {"ampoule", MEASURE_OTHER, 0},
    {"ampule", MEASURE_OTHER, 0},
    {"lozenge", MEASURE_OTHER, 0},
    {"ring", MEASURE_OTHER, 0},
    {"film", MEASURE_OTHER, 0},
    {"%", MEASURE_OTHER, 0},
    {"mmol", MEASURE_OTHER, 0},
};

static const struct unit *unit_find(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].text) == len && strncasecmp(units[i].text, text, len) == 0)
            return &units[i];
    }
    return NULL;
}

enum measure measure_of(const char *unit, size_t len)
{
    const struct unit *found = unit_find(unit, len);
    return found != NULL ? found->kind : MEASURE_UNKNOWN;
}

/* "0.005" in millionths; thousands may be set off with commas, "50,000". Zeros beyond the sixth place are
 * allowed, other digits there are not. */
static bool read_micro(const char *text, size_t len, int64_t *ret_micro)
{
    int64_t value = 0, place = 0; /* place 0: before the point */
    bool digit = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '.' && place == 0 && digit) {
            value *= 1000000;
            place = 1000000;
        } else if (c == ',' && place == 0 && digit && len - i > 3) {
            continue;
        } else if (!isdigit((unsigned char)c)) {
            return false;
        } else if (place == 0) {
            digit = true;
            value = value * 10 + (c - '0');
            if (value > INT64_C(1000000000))
                return false;
        } else if (place > 1) {
            place /= 10;
            value += (c - '0') * place;
        } else if (c != '0') {
            return false;
        }
    }
    *ret_micro = place == 0 ? value * 1000000 : value;
    return digit;
}

bool measure_read(const char *number, size_t number_len, const char *unit, size_t unit_len,
                  struct measured *ret)
{
    const struct unit *found = unit_find(unit, unit_len);
    int64_t micro, scaled;
    if (found == NULL || !read_micro(number, number_len, &micro))
        return false;
    ret->kind = found->kind;
    ret->amount = 0;
    if (found->scale == 0)
        return true;
    /* Scales are multiples of a thousand, so that thousandths of micro stay whole. */
    if (__builtin_mul_overflow(micro, found->scale / 1000, &scaled) || scaled % 1000 != 0)
        return false;
    ret->amount = scaled / 1000;
    return true;
}

bool measure_scale(int64_t value_milli, const char *unit, struct measured *ret)
{
    const struct unit *found = unit_find(unit, strlen(unit));
    if (found == NULL)
        return false;
    ret->kind = found->kind;
    ret->amount = 0;
    if (found->scale == 0)
        return true;
    return !__builtin_mul_overflow(value_milli, found->scale / 1000, &ret->amount);
}
