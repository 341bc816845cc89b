/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-jurisdiction/1: what the law of a place asks of packed pouches, as data. Each rule has one kind and
 * its passport; for each kind the rule that names the site's place most closely counts.
 */
#include "config/conf.h"

#include <stdio.h>
#include <string.h>

#include "config/jurisdiction.h"
#include "config/rule_rows.h"

#define RANGE RULE_RANGE

const char *const jurisdiction_kinds[] = {"beyond-use",       "controlled", "consent",
                                          "child-resistance", "label",      NULL};
const char *const jurisdiction_elements[] = {"patient",  "date",     "time",  "drug",    "strength",
                                             "quantity", "pharmacy", "phone", "address", NULL};

static const struct conf_key jurisdiction_keys[] = {
    {.path = "version",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 32),
     .example = "2026.1",
     .doc = "Version of these rules. It and the hash of the file stand in every plan."},
    {.path = "rules",
     .type = CONF_MAPS,
     .required = true,
     .items_min = 1,
     .items_max = 500,
     .doc =
         "For each kind the rule that names the site's place counts, and before it one that names a part of "
         "the place: US-OR before US."},
    {.path = "rules[].id",
     .type = CONF_TEXT,
     .required = true,
     .unique = true,
     RANGE(1, 40),
     .example = "us-med-pak-days",
     .doc = "Short name that messages use."},
    {.path = "rules[].in",
     .type = CONF_TEXTS,
     .required = true,
     .items_min = 1,
     .items_max = 60,
     .example = "[US]",
     .doc = "Places: a country or country-part code, as `jurisdiction` of the site has it."},
    {.path = "rules[].kind",
     .type = CONF_ENUM,
     .required = true,
     .choices = jurisdiction_kinds,
     .example = "consent",
     .doc = "beyond-use: how long a pouch may be used. controlled: scheduled drugs in pouches. consent: to "
            "being "
            "packed so. child-resistance: pouches are not. label: what each pouch must say."},
    {.path = "rules[].days",
     .type = CONF_INT,
     RANGE(1, 1000),
     .unit = "days",
     .example = "60",
     .doc =
         "beyond-use: from the day of packing to the day of the last dose, at most. consent and "
         "child-resistance: how long a recorded word holds; without it, until it is taken back. controlled: "
         "the most days in one roll."},
    {.path = "rules[].canister_days",
     .type = CONF_INT,
     RANGE(1, 1000),
     .unit = "days",
     .example = "365",
     .doc = "beyond-use: from the day on which a canister was loaded to the day of the dose, at most."},
    {.path = "rules[].schedules",
     .type = CONF_INTS,
     .items_max = 4,
     RANGE(2, 5),
     .example = "[2]",
     .doc = "controlled: of which schedules the rule speaks."},
    {.path = "rules[].outside",
     .type = CONF_BOOL,
     .example = "true",
     .doc = "controlled: they stay outside of pouches."},
    {.path = "rules[].elements",
     .type = CONF_ENUMS,
     .choices = jurisdiction_elements,
     .items_max = 10,
     .example = "[patient, drug]",
     .doc = "label: what must stand on each pouch."},
    {.path = "rules[].text",
     .type = CONF_TEXT,
     .required = true,
     RANGE(3, 300),
     .example = "a pouch is used within 60 days",
     .doc = "What it asks, for the pharmacist who is stopped by it."},
    RULE_PASSPORT_ROWS("the state's code, section"),
};

/* Which keys a kind needs and may have; the others would be read by nobody. */
static const struct {
    const char *kind, *key;
    bool needed;
} kind_keys[] = {
    {"beyond-use", "days", false},       {"beyond-use", "canister_days", false},
    {"controlled", "schedules", true},   {"controlled", "outside", false},
    {"controlled", "days", false},       {"consent", "days", false},
    {"child-resistance", "days", false}, {"label", "elements", true},
};

static bool kind_has(const char *kind, const char *key, bool *ret_needed)
{
    for (size_t i = 0; i < sizeof kind_keys / sizeof *kind_keys; i++) {
        if (strcmp(kind_keys[i].kind, kind) == 0 && strcmp(kind_keys[i].key, key) == 0) {
            *ret_needed = kind_keys[i].needed;
            return true;
        }
    }
    return false;
}

static void check_jurisdiction(const struct conf *conf, struct conf_check *check)
{
    static const char *const keys[] = {"days", "canister_days", "schedules", "outside", "elements"};
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        const char *kind = conf_text(conf, "rules[%d].kind", i);
        char path[CONF_PATH_MAX];
        rule_check_passport(conf, check, i);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            bool needed = false, has = conf_has(conf, "rules[%d].%s", i, keys[k]);
            (void)snprintf(path, sizeof path, "rules[%d].%s", i, has ? keys[k] : "kind"); /* fits */
            if (kind_has(kind, keys[k], &needed) ? needed && !has : has)
                conf_fault(check, path,
                           has ? "`%s` means nothing in a rule of kind %s, take `%s` out"
                               : "`%s` is a rule of kind %s and needs `%s`",
                           path, kind, keys[k]);
        }
        (void)snprintf(path, sizeof path, "rules[%d].kind", i); /* fits */
        if (strcmp(kind, "beyond-use") == 0 && !conf_has(conf, "rules[%d].days", i) &&
            !conf_has(conf, "rules[%d].canister_days", i))
            conf_fault(check, path, "`%s`: a rule of kind beyond-use needs `days` or `canister_days`", path);
    }
}

const struct conf_schema conf_jurisdiction = {
    .format = "sachet-jurisdiction/1",
    .title = "Jurisdictions: what the law of a place asks of packed pouches.",
    .keys = jurisdiction_keys,
    .count = sizeof jurisdiction_keys / sizeof jurisdiction_keys[0],
    .check = check_jurisdiction,
};
