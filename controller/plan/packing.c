/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/packing.h"

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/seal/seal.h"
#include "controller/stock/product.h"

struct known {
    struct known *next;
    const char *ingredient, *form, *release;
    struct packing_verdict verdict;
};

struct packing {
    const struct conf *conf;
    struct arena arena;
    struct known *known;
};

int packing_create(const struct conf *conf, struct packing **ret_packing, struct error *err)
{
    struct packing *packing = calloc(1, sizeof *packing);
    if (!packing)
        return error_set(err, E_MEMORY, "no memory for the packing rules");
    packing->conf = conf;
    arena_init(&packing->arena, 0);
    *ret_packing = packing;
    return 0;
}

void packing_destroy(struct packing *packing)
{
    if (!packing)
        return;
    arena_finish(&packing->arena);
    free(packing);
}

static void list_put(struct buf *out, const struct conf *conf, int rule, const char *list)
{
    buf_printf(out, "%s", list);
    for (int i = 0; i < conf_count(conf, "rules[%d].match.%s", rule, list); i++)
        buf_printf(out, "\t%s", conf_text(conf, "rules[%d].match.%s[%d]", rule, list, i));
    buf_char(out, '\n');
}

/* What a rule says and where from; who compared it with its source, and when, may change under an override.
 */
static void rule_put(struct buf *out, const struct conf *conf, int rule)
{
    static const char *const lists[] = {"ingredients", "classes", "forms", "releases"};
    static const char *const texts[] = {"id", "policy", "red", "reason", "source"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buf_printf(out, "%s\t%s\n", texts[i],
                   strcmp(texts[i], "red") != 0             ? conf_text(conf, "rules[%d].%s", rule, texts[i])
                   : conf_bool(conf, "rules[%d].red", rule) ? "yes"
                                                            : "no");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_put(out, conf, rule, lists[i]);
}

static void hash_texts(const struct buf *texts, uint8_t ret_hash[PLAN_HASH_BYTES])
{
    seal_hash(texts->data, texts->len, ret_hash);
}

/* The strictest rule gives id and reason; of those that ask for a pharmacist a red one goes first. */
static bool takes_place(const struct packing_verdict *verdict, enum rules_policy policy, bool red)
{
    return policy < verdict->policy ||
           (policy == RULES_PHARMACIST && verdict->policy == policy && red && !verdict->red);
}

static int judge_rules(const struct conf *conf, const struct rules_product *product,
                       struct packing_verdict *verdict)
{
    struct buf asking;
    buf_init(&asking);
    *verdict = (struct packing_verdict){.policy = RULES_NONE, .id = "", .reason = ""};
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        enum rules_policy policy = (enum rules_policy)conf_int(conf, "rules[%d].policy", i);
        bool red = conf_bool(conf, "rules[%d].red", i);
        if (!rules_match(conf, i, product))
            continue;
        verdict->alone |= policy == RULES_ALONE;
        if (policy == RULES_PHARMACIST)
            rule_put(&asking, conf, i);
        if (!takes_place(verdict, policy, red))
            continue;
        verdict->policy = policy;
        verdict->red = red;
        verdict->id = conf_text(conf, "rules[%d].id", i);
        verdict->reason = conf_text(conf, "rules[%d].reason", i);
    }
    if (asking.len > 0)
        hash_texts(&asking, verdict->hash);
    bool failed = asking.failed;
    buf_finish(&asking);
    return failed ? E_MEMORY : 0;
}

static const char *kept(struct packing *packing, const char *text)
{
    return arena_text(&packing->arena, text ? text : "", text ? strlen(text) : 0);
}

static bool same(const char *kept_text, const char *text)
{
    return strcmp(kept_text, text ? text : "") == 0;
}

const struct packing_verdict *packing_rules(struct packing *packing, const struct rules_product *product)
{
    for (struct known *known = packing->known; known; known = known->next) {
        if (same(known->ingredient, product->ingredient) && same(known->form, product->form) &&
            same(known->release, product->release))
            return &known->verdict;
    }
    struct known *known = arena_alloc(&packing->arena, sizeof *known);
    if (!known)
        return NULL;
    known->ingredient = kept(packing, product->ingredient);
    known->form = kept(packing, product->form);
    known->release = kept(packing, product->release);
    if (!known->ingredient || !known->form || !known->release ||
        judge_rules(packing->conf, product, &known->verdict) < 0)
        return NULL;
    known->next = packing->known;
    packing->known = known;
    return &known->verdict;
}

struct packing_verdict packing_judge(const struct packing_verdict *rules, const struct product *product)
{
    struct packing_verdict verdict = *rules;
    if (product->packable == PRODUCT_PACKABLE_NO) {
        verdict.policy = RULES_NEVER;
        verdict.id = PACKING_FORMULARY;
        verdict.reason = product->note;
    } else if (product->packable == PRODUCT_PACKABLE_PHARMACIST && verdict.policy > RULES_PHARMACIST) {
        struct buf text;
        verdict.policy = RULES_PHARMACIST;
        verdict.red = false;
        verdict.id = PACKING_FORMULARY;
        verdict.reason = product->note;
        buf_init(&text);
        buf_printf(&text, PACKING_FORMULARY "\t%s\t%s\n", product->code, product->note);
        hash_texts(&text, verdict.hash);
        buf_finish(&text);
    }
    return verdict;
}

int packing_of(struct packing *packing, const struct product *product, struct packing_verdict *ret_verdict,
               struct error *err)
{
    const struct rules_product asked = {
        .ingredient = product->ingredient, .form = product->form, .release = product->release};
    const struct packing_verdict *rules = packing_rules(packing, &asked);
    if (!rules)
        return error_set(err, E_MEMORY, "no memory for the packing rules");
    *ret_verdict = packing_judge(rules, product);
    return 0;
}
