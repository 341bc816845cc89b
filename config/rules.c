/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules.h"

#include "config/conf.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Is text[0..len-1] equal to word, or does it begin with it and go on with a new word? */
static bool part_begins(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);
    if (n == 0 || n > len || strncasecmp(text, word, n) != 0)
        return false;
    return n == len || !isalnum((unsigned char)text[n]);
}

bool rules_ingredient(const char *ingredient, const char *word)
{
    for (const char *p = ingredient; *p;) {
        p += strspn(p, " +");
        size_t len = strcspn(p, "+");
        if (part_begins(p, len, word))
            return true;
        p += len;
    }
    return false;
}

static bool class_fits(const struct conf *conf, const char *name, const char *ingredient)
{
    for (int i = 0; i < conf_count(conf, "classes"); i++) {
        if (strcmp(conf_text(conf, "classes[%d].name", i), name) != 0)
            continue;
        for (int k = 0; k < conf_count(conf, "classes[%d].ingredients", i); k++) {
            if (rules_ingredient(ingredient, conf_text(conf, "classes[%d].ingredients[%d]", i, k)))
                return true;
        }
    }
    return false;
}

static bool drug_fits(const struct conf *conf, int index, const char *group, const char *ingredient)
{
    int ingredients = conf_count(conf, "rules[%d].%s.ingredients", index, group);
    int classes = conf_count(conf, "rules[%d].%s.classes", index, group);
    if (ingredients + classes == 0)
        return true;
    if (!ingredient)
        return false;
    for (int i = 0; i < ingredients; i++) {
        if (rules_ingredient(ingredient, conf_text(conf, "rules[%d].%s.ingredients[%d]", index, group, i)))
            return true;
    }
    for (int i = 0; i < classes; i++) {
        if (class_fits(conf, conf_text(conf, "rules[%d].%s.classes[%d]", index, group, i), ingredient))
            return true;
    }
    return false;
}

/* list: "forms" or "releases". */
static bool word_fits(const struct conf *conf, int index, const char *group, const char *list,
                      const char *word)
{
    int count = conf_count(conf, "rules[%d].%s.%s", index, group, list);
    for (int i = 0; i < count; i++) {
        if (word && strcasecmp(conf_text(conf, "rules[%d].%s.%s[%d]", index, group, list, i), word) == 0)
            return true;
    }
    return count == 0;
}

static bool group_fits(const struct conf *conf, int index, const char *group,
                       const struct rules_product *product)
{
    return drug_fits(conf, index, group, product->ingredient) &&
           word_fits(conf, index, group, "forms", product->form) &&
           word_fits(conf, index, group, "releases", product->release);
}

bool rules_match(const struct conf *conf, int index, const struct rules_product *product)
{
    return group_fits(conf, index, "match", product);
}

bool rules_match_other(const struct conf *conf, int index, const struct rules_product *product)
{
    if (conf_bool(conf, "rules[%d].other.any", index))
        return true;
    /* Without a word on the partner there is none; group_fits would take everything. */
    if (conf_count(conf, "rules[%d].other.ingredients", index) +
            conf_count(conf, "rules[%d].other.classes", index) ==
        0)
        return false;
    return group_fits(conf, index, "other", product);
}

unsigned rules_difference(const struct conf *conf, int index, bool other, const struct rules_product *product)
{
    const char *group = other ? "other" : "match";
    if (other && rules_match_other(conf, index, product))
        return 0;
    bool named = !other || conf_count(conf, "rules[%d].other.ingredients", index) +
                                   conf_count(conf, "rules[%d].other.classes", index) >
                               0;
    return (named && drug_fits(conf, index, group, product->ingredient) ? 0u : RULES_DRUG) |
           (word_fits(conf, index, group, "forms", product->form) ? 0u : RULES_FORM) |
           (word_fits(conf, index, group, "releases", product->release) ? 0u : RULES_RELEASE);
}

enum rules_policy rules_packing(const struct conf *packing, const struct rules_product *product,
                                int *ret_index)
{
    enum rules_policy strictest = RULES_NONE;
    int index = -1;
    for (int i = 0; i < conf_count(packing, "rules"); i++) {
        enum rules_policy policy = (enum rules_policy)conf_int(packing, "rules[%d].policy", i);
        if (policy < strictest && rules_match(packing, i, product)) {
            strictest = policy;
            index = i;
        }
    }
    if (ret_index)
        *ret_index = index;
    return strictest;
}

bool rules_oral_solid(const struct conf *packing, const char *form)
{
    for (int i = 0; form && i < conf_count(packing, "oral_solid_forms"); i++) {
        if (strcasecmp(conf_text(packing, "oral_solid_forms[%d]", i), form) == 0)
            return true;
    }
    return false;
}

int rules_slot(const struct conf *timing, int minute)
{
    for (int i = 0; i < conf_count(timing, "slots"); i++) {
        int64_t from = conf_int(timing, "slots[%d].from", i);
        int64_t length = (conf_int(timing, "slots[%d].to", i) - from + 1440) % 1440;
        if ((minute - from + 1440) % 1440 <= length)
            return i;
    }
    return -1;
}

int rules_per_day(const struct conf *timing, int times)
{
    for (int i = 0; i < conf_count(timing, "per_day"); i++) {
        if (conf_int(timing, "per_day[%d].times", i) == times)
            return i;
    }
    return -1;
}

int rules_interval(const struct conf *timing, int hours)
{
    for (int i = 0; i < conf_count(timing, "interval"); i++) {
        if (conf_int(timing, "interval[%d].hours", i) == hours)
            return i;
    }
    return -1;
}

int rules_when(const struct conf *timing, const char *code)
{
    for (int i = 0; i < conf_count(timing, "when"); i++) {
        if (strcmp(conf_text(timing, "when[%d].code", i), code) == 0)
            return i;
    }
    return -1;
}
