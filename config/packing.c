/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-packing/1: what may go into a shared pouch. A red list: what it does not name is decided by the
 * site's formulary, product by product, and what is not in the formulary is never packed.
 */
#include "config/conf.h"

#include <stdio.h>
#include <string.h>

#include "config/rule_rows.h"

static const char *const policies[] = {"NEVER", "ORIGINAL", "PHARMACIST", "ALONE", NULL};
static const char *const as_needed[] = {"NEVER", "ORIGINAL", NULL};

#define RANGE      RULE_RANGE
#define LABEL_TEXT .type = CONF_TEXT, RANGE(1, 40)

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

    RULE_CLASS_ROWS("cytotoxic", "methotrexate"),

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
    RULE_MATCH_ROWS("dabigatran", "cytotoxic", "effervescent tablet"),
    {.path = "rules[].policy",
     .type = CONF_ENUM,
     .required = true,
     .choices = policies,
     .example = "PHARMACIST",
     .doc =
         "NEVER: refused. ORIGINAL: stays in its package and is listed beside the roll. PHARMACIST: only on "
         "a pharmacist's override, with a reason and an end (`sachet override`). ALONE: only in a pouch of "
         "its own."},
    {.path = "rules[].red",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "The pharmacist's word that a rule of policy PHARMACIST asks for needs a second pharmacist."},
    {.path = "rules[].reason",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 200),
     .example = "moisture",
     .doc = "Why, for the technician and the pharmacist."},
    RULE_PASSPORT_ROWS("label, section 16"),
};

static void check_packing(const struct conf *conf, struct conf_check *check)
{
    char path[CONF_PATH_MAX];
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        (void)snprintf(path, sizeof path, "rules[%d].match", i); /* fits */
        if (rule_named(conf, i, "match") == 0)
            conf_fault(check, path, "`%s` is empty and would fit every product, name what is meant", path);
        rule_check_classes(conf, check, i, "match");
        if (conf_bool(conf, "rules[%d].red", i) &&
            strcmp(conf_text(conf, "rules[%d].policy", i), "PHARMACIST") != 0)
            conf_fault(check, path, "`%s` is red, but only a rule of policy PHARMACIST asks anybody", path);
        rule_check_passport(conf, check, i);
    }
}

const struct conf_schema conf_packing = {
    .format = "sachet-packing/1",
    .title = "Packing rules: what may go into a shared pouch.",
    .keys = packing_keys,
    .count = sizeof packing_keys / sizeof packing_keys[0],
    .check = check_packing,
};
