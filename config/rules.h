/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: which rows of a rule file (timing, packing) speak of a product.
 *
 * Both formats have the same `match` group and the same list of `classes`. Each key of a match that is given
 * must fit; ingredients and classes together count as one key, and in a list any one will do. A combination
 * ("calcium carbonate+cholecalciferol") fits when one of its parts does. An ingredient of a rule fits a part
 * that is equal or begins with it as whole words, so "calcium" finds "calcium carbonate" and "valproate"
 * "valproate sodium". Letters' case does not count. Pure, any thread.
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include <stdbool.h>

struct conf;

/* Texts as in the formulary; NULL or "" where unknown. What is unknown fits no rule that asks for it. */
struct rules_product {
    const char *ingredient; /* "a+b" for a combination */
    const char *form;
    const char *release; /* IR, ER, DR */
};

/* Which keys of a match do not fit, for explanations. */
enum { RULES_DRUG = 1, RULES_FORM = 2, RULES_RELEASE = 4 };
/* A set of them, 0 when the rule names the product; of its own match, or of its partner's (`other`). */
unsigned rules_difference(const struct conf *conf, int index, bool other,
                          const struct rules_product *product);

/* In the order of strictness, NONE last: what packing.yaml says of a product. */
enum rules_policy {
    RULES_NEVER,
    RULES_ORIGINAL,
    RULES_PHARMACIST,
    RULES_ALONE,
    RULES_NONE, /* no rule names it: the formulary decides */
};

/* Is word the ingredient, one part of the combination "a+b", or the beginning of one as whole words? */
bool rules_ingredient(const char *ingredient, const char *word);

/* Does rule `index` name the product as its own (rules[index].match)? The key match.times is the caller's. */
bool rules_match(const struct conf *conf, int index, const struct rules_product *product);
/* ... as its partner (rules[index].other, timing only)? `any` there fits every product. */
bool rules_match_other(const struct conf *conf, int index, const struct rules_product *product);

/* The strictest packing rule that names the product; *ret_index (may be NULL) is its place in rules[], -1 for
 * RULES_NONE. Of equally strict ones the first. */
enum rules_policy rules_packing(const struct conf *packing, const struct rules_product *product,
                                int *ret_index);
/* Is the form one of packing's oral_solid_forms? False for NULL and "". */
bool rules_oral_solid(const struct conf *packing, const char *form);

/* The place in slots[] of a clock minute 0..1439, -1 when the file has no slots. */
int rules_slot(const struct conf *timing, int minute);
/* The item of per_day[] for n doses a day, of interval[] for every n hours, of when[] for a FHIR code; -1:
 * none. */
int rules_per_day(const struct conf *timing, int times);
int rules_interval(const struct conf *timing, int hours);
int rules_when(const struct conf *timing, const char *code);

#endif
