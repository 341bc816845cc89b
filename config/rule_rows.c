/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rule_rows.h"

#include <stdio.h>
#include <string.h>

const char *const rule_releases[] = {"IR", "ER", "DR", NULL};
const char *const rule_states[] = {"checked", "to-check", NULL};

static bool class_exists(const struct conf *conf, const char *name)
{
    for (int i = 0; i < conf_count(conf, "classes"); i++) {
        if (strcmp(conf_text(conf, "classes[%d].name", i), name) == 0)
            return true;
    }
    return false;
}

void rule_check_classes(const struct conf *conf, struct conf_check *check, int index, const char *group)
{
    char place[CONF_PATH_MAX];
    for (int k = 0; k < conf_count(conf, "rules[%d].%s.classes", index, group); k++) {
        const char *name = conf_text(conf, "rules[%d].%s.classes[%d]", index, group, k);
        (void)snprintf(place, sizeof place, "rules[%d].%s.classes[%d]", index, group, k); /* fits */
        if (!class_exists(conf, name))
            conf_fault(check, place, "`%s`: there is no class `%s`, add it to `classes` or correct the name",
                       place, name);
    }
}

void rule_check_passport(const struct conf *conf, struct conf_check *check, int index)
{
    static const char *const needed[] = {"reviewer", "review_by"};
    char place[CONF_PATH_MAX];
    (void)snprintf(place, sizeof place, "rules[%d].state", index); /* fits */
    if (strcmp(conf_text(conf, "rules[%d].state", index), "checked") != 0)
        return;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!conf_has(conf, "rules[%d].%s", index, needed[i]))
            conf_fault(check, place, "`%s` is checked, but does not say `%s`", place, needed[i]);
    }
}

int rule_named(const struct conf *conf, int index, const char *group)
{
    static const char *const lists[] = {"ingredients", "classes", "forms", "releases"};
    int named = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        named += conf_count(conf, "rules[%d].%s.%s", index, group, lists[i]);
    return named;
}
