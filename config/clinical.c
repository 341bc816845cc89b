/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-clinical/1: what the machine looks for in a plan before a pharmacist does. Interactions between two
 * drugs stand in a table of their own (`interactions`), because there are thousands of them.
 */
#include "config/conf.h"

#include <stdio.h>

#include "config/rule_rows.h"

/* In the order of enum clinical_kind and enum clinical_grade (controller/clinical/clinical.h). */
static const char *const kinds[] = {"duplicate",   "daily-max", "days-a-week", "same-slot",
                                    "interaction", "allergy",   "condition",   NULL};
static const char *const grades[] = {"stop", "serious", "caution", "note", NULL};
static const char *const sames[] = {"product", "ingredient", "class", NULL};
static const char *const conditions[] = {"pregnant", "breastfeeding", "renal", NULL};

enum {
    KIND_DUPLICATE,
    KIND_DAILY_MAX,
    KIND_DAYS_A_WEEK,
    KIND_SAME_SLOT,
    KIND_INTERACTION,
    KIND_ALLERGY,
    KIND_CONDITION
};
enum { SAME_PRODUCT, SAME_INGREDIENT, SAME_CLASS };
enum { CONDITION_RENAL = 2 };

#define RANGE RULE_RANGE

static const struct conf_key clinical_keys[] = {
    {.path = "version",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 32),
     .example = "2026.1",
     .doc = "Version of these rules. It and the hash of the file stand in every signature."},
    {.path = "interactions",
     .type = CONF_FILES,
     .items_max = 8,
     .example = "[interactions.csv]",
     .doc = "Tables of interactions (sachet-interactions/1), beside the rules of kind interaction."},

    RULE_CLASS_ROWS("nsaid", "ibuprofen"),

    {.path = "rules",
     .type = CONF_MAPS,
     .items_max = 2000,
     .doc = "What is looked for. A finding names its rule, its grade, its source and what to do."},
    {.path = "rules[].id",
     .type = CONF_TEXT,
     .required = true,
     .unique = true,
     RANGE(1, 40),
     .example = "example",
     .doc = "Short name that findings use."},
    {.path = "rules[].kind",
     .type = CONF_ENUM,
     .required = true,
     .choices = kinds,
     .example = "same-slot",
     .doc = "duplicate: the same drug or class twice. daily-max: more of an ingredient on one day. "
            "days-a-week: on more days within seven. same-slot: too many of them at one time of day. "
            "interaction: match together with other. allergy: match for a patient who does not tolerate one "
            "of `substances`. condition: match for a patient in that condition."},
    {.path = "rules[].grade",
     .type = CONF_ENUM,
     .required = true,
     .choices = grades,
     .example = "caution",
     .doc = "stop: cannot be signed. serious: a pharmacist answers with a reason before it is signed. "
            "caution: shown first. note: counted, shown on demand."},
    RULE_MATCH_ROWS("ibuprofen", "nsaid", "tablet"),
    {.path = "rules[].other", .type = CONF_MAP, .doc = "Of kind interaction: the partner."},
    RULE_PRODUCT_ROWS("other", "warfarin", "nsaid", "tablet"),
    {.path = "rules[].same",
     .type = CONF_ENUM,
     .choices = sames,
     .example = "ingredient",
     .doc = "Of kind duplicate: product, the same product in two orders; ingredient, one of them in two "
            "orders; class, two different ingredients of one class that match names."},
    {.path = "rules[].most_mg",
     .type = CONF_MILLI,
     RANGE(1, 100000000),
     .unit = "mg",
     .example = "4000",
     .doc = "Of kind daily-max: so much of the ingredient on one day is still right."},
    {.path = "rules[].days",
     .type = CONF_INT,
     RANGE(1, 6),
     .example = "1",
     .doc = "Of kind days-a-week: on so many days within any seven is still right."},
    {.path = "rules[].count",
     .type = CONF_INT,
     RANGE(1, 20),
     .example = "2",
     .doc = "Of kind same-slot: so many different ingredients at one time are still right."},
    {.path = "rules[].substances",
     .type = CONF_TEXTS,
     .items_max = 50,
     .example = "[penicillin]",
     .doc = "Of kind allergy: words for what is not tolerated. An ingredient is always matched with an "
            "allergy to itself, without a rule."},
    {.path = "rules[].condition",
     .type = CONF_ENUM,
     .choices = conditions,
     .example = "pregnant",
     .doc = "Of kind condition."},
    {.path = "rules[].egfr_below",
     .type = CONF_INT,
     .unit = "mL/min/1.73 m2",
     RANGE(1, 120),
     .example = "30",
     .doc = "Of condition renal: only with an estimated glomerular filtration rate below this."},
    {.path = "rules[].effect",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 300),
     .example = "what may happen",
     .doc = "What may happen, for the pharmacist."},
    {.path = "rules[].advice",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 300),
     .example = "what to do",
     .doc = "What to do about it."},
    RULE_PASSPORT_ROWS("label, section 7"),
};

/* A key that a kind needs, or must not have. */
static void check_key(const struct conf *conf, struct conf_check *check, int i, const char *key, bool needed)
{
    char place[CONF_PATH_MAX];
    bool has = conf_has(conf, "rules[%d].%s", i, key);
    if (has == needed)
        return;
    (void)snprintf(place, sizeof place, "rules[%d].%s", i, has ? key : "kind"); /* fits */
    conf_fault(check, place,
               has ? "`rules[%d].%s` does not go with kind %s, take it out"
                   : "`rules[%d]` lacks `%s`, which kind %s needs",
               i, key, conf_text(conf, "rules[%d].kind", i));
}

static void check_clinical(const struct conf *conf, struct conf_check *check)
{
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        char place[CONF_PATH_MAX];
        int64_t kind = conf_int(conf, "rules[%d].kind", i), same = conf_int(conf, "rules[%d].same", i);
        (void)snprintf(place, sizeof place, "rules[%d].match", i); /* fits */
        check_key(conf, check, i, "same", kind == KIND_DUPLICATE);
        check_key(conf, check, i, "most_mg", kind == KIND_DAILY_MAX);
        check_key(conf, check, i, "days", kind == KIND_DAYS_A_WEEK);
        check_key(conf, check, i, "count", kind == KIND_SAME_SLOT);
        check_key(conf, check, i, "substances", kind == KIND_ALLERGY);
        check_key(conf, check, i, "condition", kind == KIND_CONDITION);
        check_key(conf, check, i, "other", kind == KIND_INTERACTION);
        check_key(conf, check, i, "egfr_below",
                  kind == KIND_CONDITION && conf_int(conf, "rules[%d].condition", i) == CONDITION_RENAL);
        /* "Every product" is what a search for doubles by product or ingredient means. */
        bool any = kind == KIND_DUPLICATE && same != SAME_CLASS;
        if (!any && rule_named(conf, i, "match") == 0)
            conf_fault(check, place, "`%s` is empty and would fit every product, name what is meant", place);
        if (kind == KIND_DUPLICATE && same == SAME_CLASS &&
            conf_count(conf, "rules[%d].match.classes", i) == 0)
            conf_fault(check, place, "`%s` names no class to find twice", place);
        if (kind == KIND_INTERACTION && rule_named(conf, i, "other") == 0)
            conf_fault(check, place, "`rules[%d].other` names no partner", i);
        rule_check_classes(conf, check, i, "match");
        rule_check_classes(conf, check, i, "other");
        rule_check_passport(conf, check, i);
    }
}

const struct conf_schema conf_clinical = {
    .format = "sachet-clinical/1",
    .title = "Clinical checks: what is looked for in a plan before it is signed.",
    .keys = clinical_keys,
    .count = sizeof clinical_keys / sizeof clinical_keys[0],
    .check = check_clinical,
};
