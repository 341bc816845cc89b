/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check itself: each kind of rule is one function that looks at the drugs it matches and adds findings.
 * Findings are sorted at the end by grade, rule and key, and a key that comes twice stays once, so the order
 * in which rules and drugs stand decides nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/conf.h"
#include "config/rules.h"
#include "controller/clinical/clinical_private.h"

enum { NANOGRAMS_A_MG = 1000000, WEEK = 7, NAMES_MAX = 8 };

/* One ingredient of one drug. */
struct part {
    const struct clinical_drug *drug;
    const char *name;
    int index; /* among the drug's strengths */
};

struct finder {
    const struct conf *conf;
    const struct clinical_case *c;
    struct arena *arena;
    struct clinical_findings *out;
    struct error *err;
    struct part *parts;
    size_t part_count;
    /* Of the rule at hand. */
    int rule;
    bool fits[CLINICAL_DRUGS_MAX];
};

/* What a finding says beside its rule. */
struct finding_text {
    enum clinical_grade grade;
    const char *rule, *effect, *advice, *source;
    bool checked;
};

static int no_memory(const struct finder *f)
{
    return error_set(f->err, E_MEMORY, "no memory for the clinical checks");
}

static struct finding_text text_of_rule(const struct finder *f)
{
    return (struct finding_text){
        .grade = (enum clinical_grade)conf_int(f->conf, "rules[%d].grade", f->rule),
        .rule = conf_text(f->conf, "rules[%d].id", f->rule),
        .effect = conf_text(f->conf, "rules[%d].effect", f->rule),
        .advice = conf_text(f->conf, "rules[%d].advice", f->rule),
        .source = conf_text(f->conf, "rules[%d].source", f->rule),
        .checked = strcmp(conf_text(f->conf, "rules[%d].state", f->rule), "checked") == 0,
    };
}

/* about: what the key is made of, beside the rule: stable words, in a fixed order. */
static int add(struct finder *f, const struct finding_text *text, const char *about, const char *what)
{
    uint8_t hash[SEAL_HASH_BYTES];
    struct buf key;
    if (f->out->count == CLINICAL_FINDINGS_MAX)
        return error_set(f->err, E_LIMIT, "more than %d findings in one plan: the rules say too much",
                         CLINICAL_FINDINGS_MAX);
    struct clinical_finding *row = &f->out->rows[f->out->count];
    *row = (struct clinical_finding){.grade = text->grade,
                                     .rule = arena_text(f->arena, text->rule, strlen(text->rule)),
                                     .what = arena_text(f->arena, what, strlen(what)),
                                     .effect = arena_text(f->arena, text->effect, strlen(text->effect)),
                                     .advice = arena_text(f->arena, text->advice, strlen(text->advice)),
                                     .source = arena_text(f->arena, text->source, strlen(text->source)),
                                     .checked = text->checked,
                                     .answer = {.login = "", .reason = "", .until_day = CIVIL_DAY_NONE}};
    buf_init(&key);
    /* The grade belongs to it: who answered a caution has not answered what became serious since. */
    buf_printf(&key, "%s\n%s\n%s", text->rule, clinical_grade_text(text->grade), about);
    seal_hash(buf_string(&key), key.len, hash);
    bool failed = key.failed;
    buf_finish(&key);
    if (failed || !row->rule || !row->what || !row->effect || !row->advice || !row->source)
        return no_memory(f);
    for (int i = 0; i < (CLINICAL_KEY_BYTES - 1) / 2; i++)
        (void)snprintf(row->key + 2 * (size_t)i, 3, "%02x", hash[i]); /* two digits */
    f->out->count++;
    return 0;
}

/* Several drugs: the key is made of their source ids, which the case sorts them by, and of `key`; `extra` is
 * shown behind their names. */
static int add_drugs(struct finder *f, const struct finding_text *text, const bool *chosen, const char *key,
                     const char *extra)
{
    struct buf about, what;
    buf_init(&about);
    buf_init(&what);
    int shown = 0, more = 0;
    struct finding_text weighed = *text;
    for (size_t i = 0; i < f->c->drug_count; i++) {
        if (!chosen[i])
            continue;
        if (f->c->drugs[i].waiting && weighed.grade < CLINICAL_CAUTION)
            weighed.grade = CLINICAL_CAUTION;
        buf_printf(&about, "%s\n", f->c->drugs[i].source_id);
        if (shown < NAMES_MAX)
            buf_printf(&what, "%s%s", shown++ ? ", " : "", f->c->drugs[i].name);
        else
            more++;
    }
    if (more > 0)
        buf_printf(&what, " and %d more", more);
    if (extra[0])
        buf_printf(&what, ": %s", extra);
    buf_text(&about, key);
    int status =
        about.failed || what.failed ? no_memory(f) : add(f, &weighed, buf_string(&about), buf_string(&what));
    buf_finish(&about);
    buf_finish(&what);
    return status;
}

/* ---- what is taken when ---- */

/* Milli-pieces of a drug on a day: of the groups that follow one another the one that gives most, because
 * nobody knows which is running. */
static int64_t amount_on(const struct clinical_drug *drug, int32_t day)
{
    int64_t most = 0;
    for (size_t i = 0; i < drug->dose_count; i++) {
        int64_t sum = 0;
        bool first = true;
        for (size_t k = 0; k < drug->dose_count; k++) {
            const struct clinical_dose *dose = &drug->doses[k];
            if (dose->group != drug->doses[i].group)
                continue;
            first = first && k >= i;
            if (roll_pattern_has(&dose->pattern, day))
                sum += dose->amount_milli;
        }
        if (first && sum > most)
            most = sum;
    }
    return most;
}

/* ---- the kinds ---- */

static const char *class_of_rule(const struct finder *f, int k)
{
    return conf_text(f->conf, "rules[%d].match.classes[%d]", f->rule, k);
}

static bool in_class(const struct finder *f, const char *name, const char *ingredient)
{
    for (int i = 0; i < conf_count(f->conf, "classes"); i++) {
        if (strcmp(conf_text(f->conf, "classes[%d].name", i), name) != 0)
            continue;
        for (int k = 0; k < conf_count(f->conf, "classes[%d].ingredients", i); k++) {
            if (rules_ingredient(ingredient, conf_text(f->conf, "classes[%d].ingredients[%d]", i, k)))
                return true;
        }
    }
    return false;
}

static int duplicate_product(struct finder *f, const struct finding_text *text)
{
    const struct clinical_case *c = f->c;
    for (size_t i = 0; i < c->drug_count; i++) {
        bool chosen[CLINICAL_DRUGS_MAX] = {false};
        size_t same = 0, first = i;
        for (size_t k = 0; k < c->drug_count; k++) {
            chosen[k] =
                f->fits[k] && c->drugs[k].product[0] && strcmp(c->drugs[i].product, c->drugs[k].product) == 0;
            same += chosen[k];
            if (chosen[k] && k < first)
                first = k;
        }
        int status = same > 1 && first == i ? add_drugs(f, text, chosen, "", "") : 0;
        if (status < 0)
            return status;
    }
    return 0;
}

/* Different products with an ingredient in common; the same product twice is the rule before. */
static int duplicate_ingredient(struct finder *f, const struct finding_text *text)
{
    for (size_t i = 0; i < f->part_count; i++) {
        bool chosen[CLINICAL_DRUGS_MAX] = {false};
        size_t same = 0;
        bool first = true, others = false;
        for (size_t k = 0; k < f->part_count; k++) {
            size_t drug = (size_t)(f->parts[k].drug - f->c->drugs);
            if (!f->fits[drug] || strcasecmp(f->parts[k].name, f->parts[i].name) != 0 || chosen[drug])
                continue;
            first = first && k >= i;
            others = others || strcmp(f->parts[k].drug->product, f->parts[i].drug->product) != 0 ||
                     !f->parts[k].drug->product[0];
            chosen[drug] = true;
            same++;
        }
        int status = same > 1 && first && others ? add_drugs(f, text, chosen, "", f->parts[i].name) : 0;
        if (status < 0)
            return status;
    }
    return 0;
}

static int duplicate_class(struct finder *f, const struct finding_text *text)
{
    for (int n = 0; n < conf_count(f->conf, "rules[%d].match.classes", f->rule); n++) {
        const char *class = class_of_rule(f, n);
        bool chosen[CLINICAL_DRUGS_MAX] = {false};
        const char *first = NULL;
        bool different = false;
        for (size_t i = 0; i < f->part_count; i++) {
            size_t drug = (size_t)(f->parts[i].drug - f->c->drugs);
            if (!f->fits[drug] || !in_class(f, class, f->parts[i].name))
                continue;
            chosen[drug] = true;
            different = different || (first && strcasecmp(first, f->parts[i].name) != 0);
            first = first ? first : f->parts[i].name;
        }
        int status = different ? add_drugs(f, text, chosen, "", "") : 0;
        if (status < 0)
            return status;
    }
    return 0;
}

static int find_duplicate(struct finder *f, const struct finding_text *text)
{
    switch ((enum clinical_same)conf_int(f->conf, "rules[%d].same", f->rule)) {
    case CLINICAL_SAME_PRODUCT:
        return duplicate_product(f, text);
    case CLINICAL_SAME_INGREDIENT:
        return duplicate_ingredient(f, text);
    case CLINICAL_SAME_CLASS:
        return duplicate_class(f, text);
    }
    return 0;
}

/* Does the rule speak of this part of a combination, not of the other one? */
static bool part_fits(const struct finder *f, const struct part *part)
{
    struct rules_product product = {part->name, part->drug->form, part->drug->release};
    return f->fits[part->drug - f->c->drugs] && rules_match(f->conf, f->rule, &product);
}

/* What cannot be weighed is said, not passed over. */
static int add_unknown(struct finder *f, const struct part *part)
{
    struct finding_text text = {.grade = CLINICAL_NOTE,
                                .rule = "dose-unknown",
                                .effect = "its amount on a day was not compared with the daily maximum",
                                .advice = "look at it yourself; its strength or its doses are not known",
                                .source = "no rule",
                                .checked = true};
    return add(f, &text, part->drug->source_id, part->drug->name);
}

static bool weighable(const struct part *part)
{
    const struct clinical_drug *drug = part->drug;
    return drug->dose_count > 0 && part->index < drug->strength_count &&
           drug->strengths[part->index].kind == MEASURE_MASS;
}

/* Nanograms of all parts that the rule names and that go by one name, on a day. */
static int64_t nanograms_on(const struct finder *f, const char *name, int32_t day)
{
    int64_t sum = 0;
    for (size_t i = 0; i < f->part_count; i++) {
        const struct part *part = &f->parts[i];
        if (strcasecmp(part->name, name) != 0 || !part_fits(f, part) || !weighable(part))
            continue;
        int64_t product;
        if (__builtin_mul_overflow(part->drug->strengths[part->index].amount, amount_on(part->drug, day),
                                   &product) ||
            __builtin_add_overflow(sum, product / QUANTITY_ONE, &sum))
            return INT64_MAX;
    }
    return sum;
}

static int find_daily_max(struct finder *f, const struct finding_text *text)
{
    int64_t most = conf_int(f->conf, "rules[%d].most_mg", f->rule) * (NANOGRAMS_A_MG / 1000);
    for (size_t i = 0; i < f->part_count; i++) {
        const struct part *part = &f->parts[i];
        bool chosen[CLINICAL_DRUGS_MAX] = {false};
        bool first = true;
        if (!part_fits(f, part))
            continue;
        if (!weighable(part)) {
            int status = add_unknown(f, part);
            if (status < 0)
                return status;
            continue;
        }
        for (size_t k = 0; k < f->part_count; k++) {
            if (strcasecmp(f->parts[k].name, part->name) != 0 || !part_fits(f, &f->parts[k]) ||
                !weighable(&f->parts[k]))
                continue;
            first = first && k >= i;
            chosen[f->parts[k].drug - f->c->drugs] = true;
        }
        int64_t worst = 0;
        for (int d = 0; first && d < f->c->days; d++) {
            int64_t sum = nanograms_on(f, part->name, f->c->start_day + d);
            worst = sum > worst ? sum : worst;
        }
        if (worst <= most)
            continue;
        char figure[128], is[QUANTITY_TEXT_BYTES], limit[QUANTITY_TEXT_BYTES];
        quantity_format(worst / (NANOGRAMS_A_MG / 1000), is);
        quantity_format(most / (NANOGRAMS_A_MG / 1000), limit);
        (void)snprintf(figure, sizeof figure, "%.40s %s mg a day, at most %s mg", part->name, is,
                       limit);                               /* fits */
        int status = add_drugs(f, text, chosen, is, figure); /* a higher dose is another finding */
        if (status < 0)
            return status;
    }
    return 0;
}

static int find_days_a_week(struct finder *f, const struct finding_text *text)
{
    int64_t most = conf_int(f->conf, "rules[%d].days", f->rule);
    int worst = 0, length = f->c->days > WEEK ? f->c->days : WEEK;
    bool chosen[CLINICAL_DRUGS_MAX] = {false};
    for (size_t i = 0; i < f->c->drug_count; i++)
        chosen[i] = f->fits[i] && f->c->drugs[i].dose_count > 0;
    for (int from = 0; from + WEEK <= length; from++) {
        int taken = 0;
        for (int d = from; d < from + WEEK; d++) {
            bool any = false;
            for (size_t i = 0; !any && i < f->c->drug_count; i++)
                any = chosen[i] && amount_on(&f->c->drugs[i], f->c->start_day + d) > 0;
            taken += any;
        }
        worst = taken > worst ? taken : worst;
    }
    if (worst <= most)
        return 0;
    char figure[64];
    (void)snprintf(figure, sizeof figure, "on %d of 7 days, at most %" PRId64, worst, most); /* fits */
    return add_drugs(f, text, chosen, "", figure);
}

/* Different ingredients that the rule names, taken in a slot on a day; chosen gets their drugs. */
static int64_t together(const struct finder *f, int slot, int32_t day, bool *chosen)
{
    int64_t count = 0;
    memset(chosen, 0, CLINICAL_DRUGS_MAX * sizeof *chosen);
    for (size_t i = 0; i < f->part_count; i++) {
        const struct clinical_drug *drug = f->parts[i].drug;
        bool taken = false, known = false;
        if (!part_fits(f, &f->parts[i]))
            continue;
        for (size_t k = 0; !taken && k < drug->dose_count; k++)
            taken = drug->doses[k].slot == slot && roll_pattern_has(&drug->doses[k].pattern, day);
        if (!taken)
            continue;
        for (size_t k = 0; !known && k < i; k++)
            known = chosen[f->parts[k].drug - f->c->drugs] && part_fits(f, &f->parts[k]) &&
                    strcasecmp(f->parts[k].name, f->parts[i].name) == 0;
        chosen[drug - f->c->drugs] = true;
        count += !known;
    }
    return count;
}

static int find_same_slot(struct finder *f, const struct finding_text *text)
{
    int64_t most = conf_int(f->conf, "rules[%d].count", f->rule);
    for (size_t s = 0; s < f->c->slot_count; s++) {
        bool chosen[CLINICAL_DRUGS_MAX], worst_chosen[CLINICAL_DRUGS_MAX] = {false};
        int64_t worst = 0;
        for (int d = 0; d < f->c->days; d++) {
            int64_t count = together(f, (int)s + 1, f->c->start_day + d, chosen);
            if (count > worst) {
                worst = count;
                memcpy(worst_chosen, chosen, sizeof chosen);
            }
        }
        if (worst <= most)
            continue;
        char figure[96], clock[TOD_TEXT_BYTES];
        tod_format(f->c->slots[s].minute, clock);
        (void)snprintf(figure, sizeof figure, "%" PRId64 " at %s (%.40s)", worst, clock,
                       f->c->slots[s].name); /* fits */
        int status = add_drugs(f, text, worst_chosen, "", figure);
        if (status < 0)
            return status;
    }
    return 0;
}

static int add_pair(struct finder *f, const struct finding_text *text, size_t a, size_t b)
{
    bool chosen[CLINICAL_DRUGS_MAX] = {false};
    chosen[a] = chosen[b] = true;
    return add_drugs(f, text, chosen, "", "");
}

static int find_interaction(struct finder *f, const struct finding_text *text)
{
    bool other[CLINICAL_DRUGS_MAX] = {false};
    int status = 0;
    for (size_t i = 0; i < f->c->drug_count; i++) {
        const struct clinical_drug *drug = &f->c->drugs[i];
        struct rules_product product = {drug->ingredient, drug->form, drug->release};
        other[i] = rules_match_other(f->conf, f->rule, &product);
    }
    for (size_t i = 0; status == 0 && i < f->c->drug_count; i++) {
        for (size_t k = i + 1; status == 0 && k < f->c->drug_count; k++) {
            if ((f->fits[i] && other[k]) || (f->fits[k] && other[i]))
                status = add_pair(f, text, i, k);
        }
    }
    return status;
}

/* Is `word` in the text as whole words, whatever the letters' case? */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; len > 0 && *at; at++) {
        bool begins = at == text || !((at[-1] | 32) >= 'a' && (at[-1] | 32) <= 'z');
        if (begins && strncasecmp(at, word, len) == 0 && !((at[len] | 32) >= 'a' && (at[len] | 32) <= 'z'))
            return true;
    }
    return false;
}

static int find_allergy(struct finder *f, const struct finding_text *text)
{
    for (size_t a = 0; a < f->c->allergy_count; a++) {
        bool named = false;
        for (int k = 0; !named && k < conf_count(f->conf, "rules[%d].substances", f->rule); k++)
            named = has_word(f->c->allergies[a], conf_text(f->conf, "rules[%d].substances[%d]", f->rule, k));
        for (size_t i = 0; named && i < f->c->drug_count; i++) {
            bool chosen[CLINICAL_DRUGS_MAX] = {false};
            char extra[160];
            chosen[i] = f->fits[i];
            (void)snprintf(extra, sizeof extra, "allergy to %.120s",
                           f->c->allergies[a]); /* a cut word still tells */
            int status = f->fits[i] ? add_drugs(f, text, chosen, extra, extra) : 0;
            if (status < 0)
                return status;
        }
    }
    return 0;
}

static int find_condition(struct finder *f, const struct finding_text *text)
{
    char extra[64] = "";
    bool holds = false;
    switch ((enum clinical_condition)conf_int(f->conf, "rules[%d].condition", f->rule)) {
    case CLINICAL_PREGNANT:
        holds = f->c->pregnant;
        (void)snprintf(extra, sizeof extra, "pregnant"); /* fits */
        break;
    case CLINICAL_BREASTFEEDING:
        holds = f->c->breastfeeding;
        (void)snprintf(extra, sizeof extra, "breastfeeding"); /* fits */
        break;
    case CLINICAL_RENAL:
        holds = f->c->egfr > 0 && f->c->egfr < conf_int(f->conf, "rules[%d].egfr_below", f->rule);
        (void)snprintf(extra, sizeof extra, "eGFR %d", f->c->egfr); /* fits */
        break;
    }
    for (size_t i = 0; holds && i < f->c->drug_count; i++) {
        bool chosen[CLINICAL_DRUGS_MAX] = {false};
        chosen[i] = f->fits[i];
        int status = f->fits[i] ? add_drugs(f, text, chosen, "", extra) : 0;
        if (status < 0)
            return status;
    }
    return 0;
}

static int find_rule(struct finder *f)
{
    static int (*const finders[])(struct finder * f, const struct finding_text *text) = {
        [CLINICAL_DUPLICATE] = find_duplicate,     [CLINICAL_DAILY_MAX] = find_daily_max,
        [CLINICAL_DAYS_A_WEEK] = find_days_a_week, [CLINICAL_SAME_SLOT] = find_same_slot,
        [CLINICAL_INTERACTION] = find_interaction, [CLINICAL_ALLERGY] = find_allergy,
        [CLINICAL_CONDITION] = find_condition,
    };
    bool any = false;
    for (size_t i = 0; i < f->c->drug_count; i++) {
        const struct clinical_drug *drug = &f->c->drugs[i];
        struct rules_product product = {drug->ingredient, drug->form, drug->release};
        f->fits[i] = rules_match(f->conf, f->rule, &product);
        any = any || f->fits[i];
    }
    struct finding_text text = text_of_rule(f);
    return any ? finders[conf_int(f->conf, "rules[%d].kind", f->rule)](f, &text) : 0;
}

/* ---- without a rule: the interaction tables, and an allergy to the drug itself ---- */

static int find_in_table(struct finder *f, const struct table *table)
{
    size_t names = (size_t)table->name_count;
    unsigned char *fits = arena_alloc(f->arena, names * f->c->drug_count + 1);
    int status = fits ? 0 : no_memory(f);
    for (size_t i = 0; fits && i < f->c->drug_count; i++)
        table_match(table, f->c->drugs[i].ingredient, fits + i * names);
    for (int p = 0; status == 0 && p < table->pair_count; p++) {
        const struct table_pair *pair = &table->pairs[p];
        struct finding_text text = {.grade = pair->grade,
                                    .rule = "interaction",
                                    .effect = pair->effect,
                                    .advice = pair->advice,
                                    .source = pair->source};
        for (size_t i = 0; status == 0 && i < f->c->drug_count; i++) {
            const unsigned char *one = fits + i * names;
            if (!one[pair->a] && !one[pair->b])
                continue;
            for (size_t k = i + 1; status == 0 && k < f->c->drug_count; k++) {
                const unsigned char *two = fits + k * names;
                if ((one[pair->a] && two[pair->b]) || (one[pair->b] && two[pair->a]))
                    status = add_pair(f, &text, i, k);
            }
        }
    }
    return status;
}

static int find_own_allergy(struct finder *f)
{
    struct finding_text text = {.grade = CLINICAL_SERIOUS,
                                .rule = "allergy",
                                .effect = "the patient does not tolerate this ingredient",
                                .advice = "do not give it; ask the prescriber for another drug",
                                .source = "the patient's list of allergies and intolerances",
                                .checked = true};
    for (size_t a = 0; a < f->c->allergy_count; a++) {
        char plain[DRUG_TEXT_BYTES], extra[160];
        drug_ingredient_plain(f->c->allergies[a], plain, sizeof plain);
        (void)snprintf(extra, sizeof extra, "allergy to %.120s",
                       f->c->allergies[a]); /* a cut word still tells */
        for (size_t i = 0; i < f->part_count; i++) {
            bool chosen[CLINICAL_DRUGS_MAX] = {false};
            if (!has_word(f->c->allergies[a], f->parts[i].name) && !rules_ingredient(f->parts[i].name, plain))
                continue;
            chosen[f->parts[i].drug - f->c->drugs] = true;
            int status = add_drugs(f, &text, chosen, extra, extra);
            if (status < 0)
                return status;
        }
    }
    return 0;
}

/* Do the rules, or a drug of this patient, know a word of it? */
static bool allergy_is_known(const struct finder *f, const char *substance)
{
    char plain[DRUG_TEXT_BYTES];
    drug_ingredient_plain(substance, plain, sizeof plain);
    for (size_t i = 0; i < f->part_count; i++) {
        if (has_word(substance, f->parts[i].name) || rules_ingredient(f->parts[i].name, plain))
            return true;
    }
    for (int rule = 0; rule < conf_count(f->conf, "rules"); rule++) {
        for (int k = 0; k < conf_count(f->conf, "rules[%d].substances", rule); k++) {
            if (has_word(substance, conf_text(f->conf, "rules[%d].substances[%d]", rule, k)))
                return true;
        }
    }
    return false;
}

/* A substance that no rule names is compared with the drugs' own names only: somebody should know. */
static int find_unknown_allergies(struct finder *f)
{
    struct finding_text text = {.grade = CLINICAL_NOTE,
                                .rule = "allergy-unknown",
                                .effect =
                                    "no rule names this substance: only the drugs' own names were compared",
                                .advice = "compare it with the drugs yourself",
                                .source = "the patient's list of allergies and intolerances",
                                .checked = true};
    int status = 0;
    for (size_t a = 0; status == 0 && a < f->c->allergy_count; a++) {
        char what[160];
        if (allergy_is_known(f, f->c->allergies[a]))
            continue;
        (void)snprintf(what, sizeof what, "allergy to %.120s",
                       f->c->allergies[a]); /* a cut word still tells */
        status = add(f, &text, what, what);
    }
    return status;
}

/* A drug without an ingredient is matched by no rule at all. */
static int find_nameless(struct finder *f)
{
    struct finding_text text = {.grade = CLINICAL_CAUTION,
                                .rule = "ingredient-unknown",
                                .effect = "no clinical check was made for it",
                                .advice = "look at it yourself, or give its product an ingredient",
                                .source = "no rule",
                                .checked = true};
    int status = 0;
    for (size_t i = 0; status == 0 && i < f->c->drug_count; i++) {
        if (!f->c->drugs[i].ingredient[0])
            status = add(f, &text, f->c->drugs[i].source_id, f->c->drugs[i].name);
    }
    return status;
}

/* ---- together ---- */

static int split_parts(struct finder *f)
{
    f->parts = arena_array(f->arena, f->c->drug_count * DRUG_PARTS_MAX + 1, sizeof *f->parts);
    if (!f->parts)
        return no_memory(f);
    for (size_t i = 0; i < f->c->drug_count; i++) {
        const char *at = f->c->drugs[i].ingredient;
        for (int n = 0; *at && n < DRUG_PARTS_MAX; n++) {
            size_t len = strcspn(at, "+"), begin = strspn(at, " ");
            size_t end = len;
            while (end > begin && at[end - 1] == ' ')
                end--;
            const char *name = arena_text(f->arena, at + begin, end > begin ? end - begin : 0);
            if (!name)
                return no_memory(f);
            if (name[0])
                f->parts[f->part_count++] = (struct part){&f->c->drugs[i], name, n};
            at += len + (at[len] == '+');
        }
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct clinical_finding *x = a, *y = b;
    if (x->grade != y->grade)
        return x->grade < y->grade ? -1 : 1;
    int order = strcmp(x->rule, y->rule);
    return order ? order : strcmp(x->key, y->key);
}

/* A key stays once: two rows of a table may say the same of one pair. */
static void settle(struct clinical_findings *out)
{
    size_t kept = 0;
    qsort(out->rows, out->count, sizeof *out->rows, compare);
    for (size_t i = 0; i < out->count; i++) {
        bool twice = false;
        for (size_t k = 0; !twice && k < kept; k++)
            twice = strcmp(out->rows[k].key, out->rows[i].key) == 0;
        if (!twice)
            out->rows[kept++] = out->rows[i];
    }
    out->count = kept;
    for (size_t i = 0; i < kept; i++)
        out->open[out->rows[i].grade]++;
}

int clinical_find(const struct clinical_rules *rules, const struct clinical_case *c, struct arena *arena,
                  struct clinical_findings *ret, struct error *err)
{
    struct error own;
    struct clinical_findings out = {0};
    struct finder f = {.conf = rules->conf, .c = c, .arena = arena, .out = &out, .err = err ? err : &own};
    if (c->drug_count > CLINICAL_DRUGS_MAX)
        return error_set(f.err, E_LIMIT, "more than %d orders of one patient", CLINICAL_DRUGS_MAX);
    out.rows = arena_array(arena, CLINICAL_FINDINGS_MAX, sizeof *out.rows);
    int status = out.rows ? split_parts(&f) : no_memory(&f);
    for (f.rule = 0; status == 0 && f.rule < conf_count(rules->conf, "rules"); f.rule++)
        status = find_rule(&f);
    for (int i = 0; status == 0 && i < rules->table_count; i++)
        status = find_in_table(&f, &rules->tables[i]);
    if (status == 0)
        status = find_own_allergy(&f);
    if (status == 0)
        status = find_unknown_allergies(&f);
    if (status == 0)
        status = find_nameless(&f);
    if (status == 0) {
        settle(&out);
        *ret = out;
    }
    return status;
}

int clinical_blocked(const struct clinical_findings *findings, struct error *err)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct clinical_finding *row = &findings->rows[i];
        if (row->grade == CLINICAL_STOP)
            return error_set(err, E_STATE, "check %s stops it: %s: %s; %s", row->rule, row->what, row->effect,
                             row->advice);
        if (row->grade == CLINICAL_SERIOUS && row->answer.id == 0)
            return error_set(
                err, E_STATE,
                "check %s needs an answer first: %s: %s; `sachet checks answer PATIENT %s --reason "
                "TEXT --until DATE`",
                row->rule, row->what, row->effect, row->key);
    }
    return 0;
}
