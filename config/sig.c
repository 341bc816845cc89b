/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-sig/1: the words and codes in which prescriptions say how a drug is taken. One list of phrases; its
 * kinds, and how they are put together, are the grammar of controller/intake/sig (sig-format.md).
 */
#include "config/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const languages[] = {"en", "de", NULL};
static const char *const decimals[] = {"point", "comma", NULL};
/* The order is that of enum sigtext_kind in controller/intake/sig/sigtext_private.h. */
static const char *const kinds[] = {
    "number",   "plus",  "range-to", "up-to", "unit",  "verb",      "route",  "frequency",   "when",
    "offset",   "day",   "days",     "clock", "am-pm", "as-needed", "reason", "purpose",     "duration",
    "maximum",  "per",   "once",     "then",  "stop",  "goes-on",   "and",    "instruction", "note",
    "directed", "month", "begin",    "until", "each",  NULL};
static const char *const measures[] = {"piece", "mass", "other", NULL};
static const char *const events[] = {"MORN", "NOON", "AFT", "EVE", "NIGHT", "HS", "WAKE", "C",   "CM",  "CD",
                                     "CV",   "AC",   "ACM", "ACD", "ACV",   "PC", "PCM",  "PCD", "PCV", NULL};
static const char *const units[] = {"min", "h", "d", "wk", "mo", NULL};
static const char *const routes[] = {"mouth", "tongue", "cheek",  "eye",     "ear",       "nose",   "lung",
                                     "skin",  "rectum", "vagina", "syringe", "mouthwash", "breath", NULL};
static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
static const char *const bounds[] = {"exact", "least", "most", NULL};

#define RANGE(least, most) .range = true, .min = (least), .max = (most)

static const struct conf_key sig_keys[] = {
    {.path = "version",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 32),
     .example = "2026.1",
     .doc = "Version of this table."},

    {.path = "languages",
     .type = CONF_MAPS,
     .required = true,
     .items_min = 1,
     .items_max = 2,
     .example = "-",
     .doc = "Languages that a text can be read in, and how each writes numbers and times."},
    {.path = "languages[].code",
     .type = CONF_ENUM,
     .required = true,
     .unique = true,
     .choices = languages,
     .example = "en",
     .doc = "Language."},
    {.path = "languages[].decimal",
     .type = CONF_ENUM,
     .choices = decimals,
     .preset = "point",
     .doc = "What stands before tenths."},
    {.path = "languages[].time_first",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "The time may stand before its amount (\"morgens 1 Tablette\")."},
    {.path = "languages[].slots",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "1-0-1 and 1-0-1-0 mean morning, noon, evening, night."},

    {.path = "phrases",
     .type = CONF_MAPS,
     .required = true,
     .items_min = 1,
     .items_max = 2000,
     .example = "-",
     .doc = "What words mean. Each kind has its own keys; see the reference page."},
    {.path = "phrases[].in",
     .type = CONF_ENUMS,
     .choices = languages,
     .preset = "[en]",
     .items_min = 1,
     .items_max = 2,
     .doc = "Languages that have the phrase."},
    {.path = "phrases[].kind",
     .type = CONF_ENUM,
     .required = true,
     .choices = kinds,
     .example = "frequency",
     .doc = "What the phrase says."},
    {.path = "phrases[].words",
     .type = CONF_TEXTS,
     .required = true,
     .items_min = 1,
     .items_max = 400,
     .example = "[once daily]",
     .doc = "Ways to write it, in small letters: words, a|b either, [a] may be missing, <n> a number or "
            "range, <amount> an amount with or without its unit, <days> days of the week, <time> a clock "
            "time, <date> a date, <reason> one or more phrases of kind reason."},
    {.path = "phrases[].many",
     .type = CONF_TEXTS,
     .items_max = 40,
     .example = "[tablets]",
     .doc = "Ways to write it in the plural (unit), or for every such day (day: \"mondays\")."},
    {.path = "phrases[].name",
     .type = CONF_TEXT,
     RANGE(1, 120),
     .example = "tablet",
     .doc = "What people and FHIR are shown: unit, route, method, instruction."},
    {.path = "phrases[].code",
     .type = CONF_TEXT,
     RANGE(1, 40),
     .example = "26643006",
     .doc = "UCUM code of a unit, SNOMED CT code of a verb, route or instruction."},
    {.path = "phrases[].site",
     .type = CONF_TEXT,
     RANGE(1, 60),
     .example = "right eye",
     .doc = "Where on the body (route)."},
    {.path = "phrases[].value",
     .type = CONF_MILLI,
     RANGE(0, 1000000),
     .example = "0.5",
     .doc = "Number, or what is added to one (number, plus); minutes that one of <n> stands for, or all "
            "(offset); hours to add (am-pm); 1..12 (month)."},
    {.path = "phrases[].max",
     .type = CONF_MILLI,
     RANGE(1, 100000000),
     .example = "20",
     .doc = "More of the unit at once is refused as a slip (unit)."},
    {.path = "phrases[].measure",
     .type = CONF_ENUM,
     .choices = measures,
     .preset = "other",
     .doc = "Pieces can be counted into a pouch, a mass can be a strength (unit)."},
    {.path = "phrases[].splits",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Parts of one are possible (unit)."},
    {.path = "phrases[].times",
     .type = CONF_INT,
     RANGE(1, 24),
     .example = "2",
     .doc = "Times a period; without it the <n> of the phrase (frequency)."},
    {.path = "phrases[].period",
     .type = CONF_INT,
     RANGE(1, 366),
     .example = "1",
     .doc = "Length of the period; without it the <n> of the phrase (frequency, duration, maximum)."},
    {.path = "phrases[].unit", .type = CONF_ENUM, .choices = units, .preset = "d", .doc = "Of the period."},
    {.path = "phrases[].event",
     .type = CONF_ENUM,
     .choices = events,
     .example = "HS",
     .doc = "FHIR event code (when; frequency for a dose a day at that event)."},
    {.path = "phrases[].whole",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "The phrase says how often by itself: each meal (when), every such day (days); the amount is the "
            "total "
            "of a dose (note)."},
    {.path = "phrases[].weak",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Says only that it is every day, not how often on one (frequency)."},
    {.path = "phrases[].bound",
     .type = CONF_ENUM,
     .choices = bounds,
     .preset = "exact",
     .doc = "Whether the number is a least or a most one (frequency, duration)."},
    {.path = "phrases[].routes",
     .type = CONF_ENUMS,
     .choices = routes,
     .items_max = 12,
     .example = "[mouth]",
     .doc = "Ways into the body that go with the unit, verb or route; none given: all."},
    {.path = "phrases[].after",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "The verb may stand behind the amount (\"to be taken\")."},
    {.path = "phrases[].pouch",
     .type = CONF_BOOL,
     .preset = "true",
     .doc = "false: a dose with this verb or instruction never goes into a pouch by the text alone."},
    {.path = "phrases[].day",
     .type = CONF_ENUM,
     .choices = days,
     .example = "mon",
     .doc = "Day of the week."},
};

/* Keys that a kind cannot do without. */
static const struct {
    const char *kind;
    const char *needs;
} needed[] = {
    {"number", "value"}, {"plus", "value"},  {"unit", "name"},        {"unit", "code"},    {"unit", "max"},
    {"verb", "name"},    {"route", "name"},  {"when", "event"},       {"offset", "value"}, {"day", "day"},
    {"month", "value"},  {"am-pm", "value"}, {"instruction", "name"},
};

static void fault_at(struct conf_check *check, int phrase, const char *key, int item, const char *what)
{
    char path[CONF_PATH_MAX];
    if (item >= 0)
        (void)snprintf(path, sizeof path, "phrases[%d].%s[%d]", phrase, key, item);
    else
        (void)snprintf(path, sizeof path, "phrases[%d]%s%s", phrase, key[0] != '\0' ? "." : "", key);
    conf_fault(check, path, "`%s`: %s", path, what);
}

/* Small letters, and only what the reader of patterns knows. */
static const char *pattern_fault(const char *text)
{
    int open = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (isupper((unsigned char)*at))
            return "write it in small letters";
        if (*at == '[' && open++ > 0)
            return "[ within [ ]";
        if (*at == ']' && --open < 0)
            return "] without [";
        if (*at == '<' && strncmp(at, "<n>", 3) != 0 && strncmp(at, "<amount>", 8) != 0 &&
            strncmp(at, "<days>", 6) != 0 && strncmp(at, "<time>", 6) != 0 && strncmp(at, "<date>", 6) != 0 &&
            strncmp(at, "<reason>", 8) != 0)
            return "only <n>, <amount>, <days>, <time>, <date> and <reason> stand for something";
    }
    return open != 0 ? "[ without ]" : NULL;
}

static void check_patterns(const struct conf *conf, struct conf_check *check, int phrase, const char *key)
{
    for (int i = 0; i < conf_count(conf, "phrases[%d].%s", phrase, key); i++) {
        const char *what = pattern_fault(conf_text(conf, "phrases[%d].%s[%d]", phrase, key, i));
        if (what != NULL)
            fault_at(check, phrase, key, i, what);
    }
}

static void check_sig(const struct conf *conf, struct conf_check *check)
{
    for (int i = 0; i < conf_count(conf, "phrases"); i++) {
        const char *kind = conf_text(conf, "phrases[%d].kind", i);
        for (size_t k = 0; k < sizeof needed / sizeof needed[0]; k++) {
            char what[80];
            if (strcmp(kind, needed[k].kind) != 0 || conf_has(conf, "phrases[%d].%s", i, needed[k].needs))
                continue;
            (void)snprintf(what, sizeof what, "a phrase of kind `%s` needs `%s`", kind, needed[k].needs);
            fault_at(check, i, "", -1, what);
        }
        check_patterns(conf, check, i, "words");
        check_patterns(conf, check, i, "many");
    }
}

const struct conf_schema conf_sig = {
    .format = "sachet-sig/1",
    .title = "Words and codes of prescriptions: what a dosage text is read by.",
    .keys = sig_keys,
    .count = sizeof sig_keys / sizeof sig_keys[0],
    .check = check_sig,
};
