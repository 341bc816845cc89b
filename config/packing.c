/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-packing/1: what may go into a shared pouch. A red list: what it does not name is decided by the
 * site's formulary, product by product, and what is not in the formulary is never packed.
 */
#include "config/conf.h"

#include <stdio.h>
#include <string.h>

static const char *const policies[] = {"NEVER", "ORIGINAL", "PHARMACIST", "ALONE", NULL};
static const char *const as_needed[] = {"NEVER", "ORIGINAL", NULL};
static const char *const releases[] = {"IR", "ER", "DR", NULL};
static const char *const states[] = {"checked", "to-check", NULL};

#define RANGE(least, most) .range = true, .min = (least), .max = (most)
#define LABEL_TEXT         .type = CONF_TEXT, RANGE(1, 40)

static const struct conf_key packing_keys[] = {
    {.path = "version",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 32),
     .example = "2026.1",
     .doc = "Version of these rules. It and the hash of the file stand in every plan."},
    {.path = "oral_solid_forms",
     .type = CONF_TEXTS,
     .preset = "[tablet, film-coated tablet, capsule]",
     .items_min = 1,
     .items_max = 100,
     .doc =
         "Dose forms, as in the formulary, that can go into a pouch at all. Every other form stays outside."},
    {.path = "as_needed",
     .type = CONF_ENUM,
     .preset = "ORIGINAL",
     .choices = as_needed,
     .doc = "What happens to drugs that are taken only when needed: they never share a dated pouch."},

    {.path = "classes",
     .type = CONF_MAPS,
     .items_max = 500,
     .doc = "Groups of ingredients that rules speak of."},
    {.path = "classes[].name",
     .required = true,
     .unique = true,
     LABEL_TEXT,
     .example = "cytotoxic",
     .doc = "Name."},
    {.path = "classes[].ingredients",
     .type = CONF_TEXTS,
     .required = true,
     .items_min = 1,
     .items_max = 500,
     .example = "[methotrexate]",
     .doc = "Ingredients as in the formulary; salts match by their first word."},

    {.path = "rules",
     .type = CONF_MAPS,
     .items_max = 2000,
     .doc = "Exceptions. Where several fit, the strictest counts: NEVER, ORIGINAL, PHARMACIST, ALONE."},
    {.path = "rules[].id",
     .required = true,
     .unique = true,
     LABEL_TEXT,
     .example = "example",
     .doc = "Short name that messages use."},
    {.path = "rules[].match",
     .type = CONF_MAP,
     .required = true,
     .doc = "Which products. Each key that is given must fit; in a list any one."},
    {.path = "rules[].match.ingredients",
     .type = CONF_TEXTS,
     .items_max = 200,
     .example = "[dabigatran]",
     .doc = "Ingredient, or one part of a combination."},
    {.path = "rules[].match.classes",
     .type = CONF_TEXTS,
     .items_max = 50,
     .example = "[cytotoxic]",
     .doc = "Class from the list above."},
    {.path = "rules[].match.forms",
     .type = CONF_TEXTS,
     .items_max = 50,
     .example = "[effervescent tablet]",
     .doc = "Dose form as in the formulary."},
    {.path = "rules[].match.releases",
     .type = CONF_ENUMS,
     .choices = releases,
     .items_max = 3,
     .example = "[IR]",
     .doc = "Release as in the formulary."},
    {.path = "rules[].policy",
     .type = CONF_ENUM,
     .required = true,
     .choices = policies,
     .example = "PHARMACIST",
     .doc =
         "NEVER: refused. ORIGINAL: stays in its package and is listed beside the roll. PHARMACIST: only on "
         "a pharmacist's word. ALONE: only in a pouch of its own."},
    {.path = "rules[].reason",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 200),
     .example = "moisture",
     .doc = "Why, for the technician and the pharmacist."},
    {.path = "rules[].source",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 400),
     .example = "label, section 16",
     .doc = "Where it comes from."},
    {.path = "rules[].date",
     .type = CONF_DATE,
     .required = true,
     .example = "2026-11-21",
     .doc = "When the source was looked at."},
    {.path = "rules[].state",
     .type = CONF_ENUM,
     .required = true,
     .choices = states,
     .example = "to-check",
     .doc = "checked: compared with the source by a pharmacist. to-check: not yet; screens say so."},
};

static bool class_exists(const struct conf *conf, const char *name)
{
    for (int i = 0; i < conf_count(conf, "classes"); i++) {
        if (strcmp(conf_text(conf, "classes[%d].name", i), name) == 0)
            return true;
    }
    return false;
}

static void check_packing(const struct conf *conf, struct conf_check *check)
{
    char path[CONF_PATH_MAX];
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        (void)snprintf(path, sizeof path, "rules[%d].match", i);
        if (conf_count(conf, "%s.ingredients", path) + conf_count(conf, "%s.classes", path) +
                conf_count(conf, "%s.forms", path) + conf_count(conf, "%s.releases", path) ==
            0)
            conf_fault(check, path, "`%s` is empty and would fit every product, name what is meant", path);
        for (int k = 0; k < conf_count(conf, "rules[%d].match.classes", i); k++) {
            const char *name = conf_text(conf, "rules[%d].match.classes[%d]", i, k);
            (void)snprintf(path, sizeof path, "rules[%d].match.classes[%d]", i, k);
            if (!class_exists(conf, name))
                conf_fault(check, path,
                           "`%s`: there is no class `%s`, add it to `classes` or correct the name", path,
                           name);
        }
    }
}

const struct conf_schema conf_packing = {
    .format = "sachet-packing/1",
    .title = "Packing rules: what may go into a shared pouch.",
    .keys = packing_keys,
    .count = sizeof packing_keys / sizeof packing_keys[0],
    .check = check_packing,
};
