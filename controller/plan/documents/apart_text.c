/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/apart_text.h"

#include "config/base/buf.h"

/* A set of doses. */
struct doses {
    uint64_t word[REGIMEN_DOSES_MAX / 64];
};

static void doses_add(struct doses *set, size_t dose)
{
    set->word[dose / 64] |= UINT64_C(1) << (dose % 64);
}

static bool doses_have(const struct doses *set, size_t dose)
{
    return set->word[dose / 64] >> (dose % 64) & 1;
}

static bool doses_equal(const struct doses *a, const struct doses *b)
{
    return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

static bool doses_any(const struct doses *set)
{
    return (set->word[0] | set->word[1]) != 0;
}

void dose_text(const struct regimen *regimen, size_t dose, struct buf *out)
{
    size_t index;
    const struct regimen_drug *drug = &regimen->drugs[slots_drug_of(regimen, dose, &index)];
    if (drug->dose_count > 1)
        buf_printf(out, "dose %zu of ", index + 1);
    buf_text(out, drug->name);
}

static const char *list_glue(size_t place, size_t count)
{
    return place == 0 ? "" : place + 1 == count ? " and " : ", ";
}

/* One drug's share of the set: "Iron", "dose 2 of Iron", "doses 1 and 3 of Iron". */
static void drug_doses_text(const struct regimen *regimen, size_t drug, const struct doses *set,
                            struct buf *out)
{
    size_t first = slots_first_dose(regimen, drug);
    size_t doses = regimen->drugs[drug].dose_count;
    size_t count = 0;
    for (size_t i = 0; i < doses; i++)
        count += doses_have(set, first + i);
    buf_text(out, doses == 1 ? "" : count == 1 ? "dose " : "doses ");
    size_t n = 0;
    for (size_t i = 0; doses > 1 && i < doses; i++) {
        if (doses_have(set, first + i)) {
            buf_printf(out, "%s%zu", list_glue(n, count), i + 1);
            n++;
        }
    }
    buf_printf(out, "%s%s", doses == 1 ? "" : " of ", regimen->drugs[drug].name);
}

static bool drug_in(const struct regimen *regimen, size_t drug, const struct doses *set)
{
    size_t first = slots_first_dose(regimen, drug);
    for (size_t i = 0; i < regimen->drugs[drug].dose_count; i++) {
        if (doses_have(set, first + i))
            return true;
    }
    return false;
}

static void doses_text(const struct regimen *regimen, const struct doses *set, struct buf *out)
{
    size_t count = 0;
    size_t n = 0;
    for (size_t d = 0; d < regimen->drug_count; d++)
        count += drug_in(regimen, d, set);
    for (size_t d = 0; d < regimen->drug_count; d++) {
        if (!drug_in(regimen, d, set))
            continue;
        buf_text(out, list_glue(n++, count));
        drug_doses_text(regimen, d, set, out);
    }
}

void clique_text(const struct regimen *regimen, const struct slots_result *result, struct buf *out)
{
    struct doses set = {{0}};
    for (size_t i = 0; i < result->clique_count; i++)
        doses_add(&set, result->clique[i]);
    doses_text(regimen, &set, out);
}

static bool same_rule(struct slots_rule a, struct slots_rule b)
{
    bool folded = a.kind == SLOTS_RULE_ORDER || a.kind == SLOTS_RULE_TIMES;
    return a.kind == b.kind && (folded || a.place == b.place);
}

/* The doses of one drug each: "doses 1 and 2 of Calcium; doses 1 and 2 of Iron". */
static void order_text(const struct regimen *regimen, const struct doses *set, struct buf *out)
{
    bool any = false;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        if (!drug_in(regimen, d, set))
            continue;
        buf_text(out, any ? "; " : "");
        drug_doses_text(regimen, d, set, out);
        any = true;
    }
}

/* Doses with the same partners are told together. */
static void partners_text(const struct regimen *regimen, struct doses *partners, size_t count,
                          struct buf *out)
{
    bool any = false;
    for (size_t a = 0; a < count; a++) {
        struct doses left = {{0}};
        struct doses right = partners[a];
        if (!doses_any(&right))
            continue;
        for (size_t b = a; b < count; b++) {
            if (doses_equal(&partners[b], &right)) {
                doses_add(&left, b);
                partners[b] = (struct doses){{0}};
            }
        }
        buf_text(out, any ? "; " : "");
        doses_text(regimen, &left, out);
        buf_text(out, " with ");
        doses_text(regimen, &right, out);
        any = true;
    }
}

bool apart_text(const struct regimen *regimen, const struct slots_result *result, size_t place,
                struct buf *out)
{
    const struct slots_rule rule = result->apart[place].why;
    struct doses partners[REGIMEN_DOSES_MAX] = {{{0}}};
    struct doses all = {{0}};
    for (size_t i = 0; i < place; i++) {
        if (same_rule(result->apart[i].why, rule))
            return false;
    }
    for (size_t i = place; i < result->apart_count; i++) {
        const struct slots_apart *pair = &result->apart[i];
        if (!same_rule(pair->why, rule))
            continue;
        doses_add(&partners[pair->a], pair->b);
        doses_add(&all, pair->a);
        doses_add(&all, pair->b);
    }
    if (rule.kind == SLOTS_RULE_ORDER)
        order_text(regimen, &all, out);
    else
        partners_text(regimen, partners, result->dose_count, out);
    return true;
}
