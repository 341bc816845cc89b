/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_rows: the rows that all rule files share: classes of ingredients, and which products a rule speaks of.
 * config/rules.h says how they match. Only for the schemas in this folder.
 */
#ifndef CONFIG_RULE_ROWS_H
#define CONFIG_RULE_ROWS_H

#include <stdbool.h>

#include "config/conf.h"

/* A release as in the formulary, for the choices of RULE_MATCH_ROWS. */
extern const char *const rule_releases[];
/* Whether somebody compared a rule with its source. */
extern const char *const rule_states[];

#define RULE_RANGE(least, most) .range = true, .min = (least), .max = (most)

/* The list of classes; name and member are examples. */
#define RULE_CLASS_ROWS(name, member)                                                             \
    {.path = "classes",                                                                           \
     .type = CONF_MAPS,                                                                           \
     .items_max = 500,                                                                            \
     .doc = "Groups of ingredients that rules speak of."},                                        \
        {.path = "classes[].name",                                                                \
         .type = CONF_TEXT,                                                                       \
         .required = true,                                                                        \
         .unique = true,                                                                          \
         RULE_RANGE(1, 40),                                                                       \
         .example = (name),                                                                       \
         .doc = "Name."},                                                                         \
    {                                                                                             \
        .path = "classes[].ingredients", .type = CONF_TEXTS, .required = true, .items_min = 1,    \
        .items_max = 500, .example = "[" member "]",                                              \
        .doc = "Ingredients as in the formulary, small letters; salts match by their first word." \
    }

/* What is inside one group that names products: "match" or "other". */
#define RULE_PRODUCT_ROWS(group, ingredient, class, form)                                                   \
    {.path = "rules[]." group ".ingredients",                                                               \
     .type = CONF_TEXTS,                                                                                    \
     .items_max = 200,                                                                                      \
     .example = "[" ingredient "]",                                                                         \
     .doc = "Ingredient, or one part of a combination."},                                                   \
        {.path = "rules[]." group ".classes",                                                               \
         .type = CONF_TEXTS,                                                                                \
         .items_max = 50,                                                                                   \
         .example = "[" class "]",                                                                          \
         .doc = "Class from the list above."},                                                              \
        {.path = "rules[]." group ".forms",                                                                 \
         .type = CONF_TEXTS,                                                                                \
         .items_max = 50,                                                                                   \
         .example = "[" form "]",                                                                           \
         .doc = "Dose form as in the formulary."},                                                          \
    {                                                                                                       \
        .path = "rules[]." group ".releases", .type = CONF_ENUMS, .choices = rule_releases, .items_max = 3, \
        .example = "[IR]", .doc = "Release as in the formulary."                                            \
    }

#define RULE_MATCH_ROWS(ingredient, class, form)                                    \
    {.path = "rules[].match",                                                       \
     .type = CONF_MAP,                                                              \
     .required = true,                                                              \
     .doc = "Which products. Each key that is given must fit; in a list any one."}, \
        RULE_PRODUCT_ROWS("match", ingredient, class, form)

/* Where a rule comes from and who has looked at it. */
#define RULE_PASSPORT_ROWS(text)                                                                           \
    {.path = "rules[].source",                                                                             \
     .type = CONF_TEXT,                                                                                    \
     .required = true,                                                                                     \
     RULE_RANGE(3, 400),                                                                                   \
     .example = (text),                                                                                    \
     .doc = "Where it comes from."},                                                                       \
        {.path = "rules[].date",                                                                           \
         .type = CONF_DATE,                                                                                \
         .required = true,                                                                                 \
         .example = "2026-11-21",                                                                          \
         .doc = "When the source was looked at."},                                                         \
        {.path = "rules[].state",                                                                          \
         .type = CONF_ENUM,                                                                                \
         .required = true,                                                                                 \
         .choices = rule_states,                                                                           \
         .example = "to-check",                                                                            \
         .doc = "checked: compared with the source by a pharmacist. to-check: not yet; screens say so."},  \
        {.path = "rules[].reviewer",                                                                       \
         .type = CONF_TEXT,                                                                                \
         RULE_RANGE(1, 80),                                                                                \
         .example = "login of the pharmacist",                                                             \
         .doc = "Who compared it with the source. Required of a checked rule."},                           \
    {                                                                                                      \
        .path = "rules[].review_by", .type = CONF_DATE, .example = "2027-11-21",                           \
        .doc =                                                                                             \
            "When it must be looked at again; from then on screens say that it is overdue. Required of a " \
            "checked rule."                                                                                \
    }

/* Faults for classes that the file does not have, in `rules[index].group`. */
void rule_check_classes(const struct conf *conf, struct conf_check *check, int index, const char *group);
/* A checked rule says by whom and until when. */
void rule_check_passport(const struct conf *conf, struct conf_check *check, int index);
/* Keys of `rules[index].group` that name something; 0: it would fit every product. */
int rule_named(const struct conf *conf, int index, const char *group);

#endif
