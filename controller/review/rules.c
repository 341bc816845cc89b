/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/review/rules.h"

#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/controlled.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/override.h"
#include "controller/plan/packing.h"
#include "controller/plan/plan_text.h"
#include "controller/review/consent.h"
#include "controller/review/override_word.h"
#include "controller/review/sign.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"

static bool same_words(const struct plan_override *a, const struct plan_override *b)
{
    return strcmp(a->product, b->product) == 0 && strcmp(a->rule, b->rule) == 0 &&
           memcmp(a->rule_hash, b->rule_hash, sizeof a->rule_hash) == 0 && a->red == b->red &&
           a->from_day == b->from_day && a->until_day == b->until_day && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->login, b->login) == 0 && strcmp(a->second, b->second) == 0;
}

/* An override of the plan is what its persons signed, and nobody ended it. */
static int override_check(struct store *store, const struct plan_override *said, struct arena *arena,
                          struct error *err)
{
    struct override_row row;
    int status = override_find(store, said->id, arena, &row, err);
    if (status == E_NOT_FOUND)
        return error_set(err, E_TAMPERED, "override %lld is not in the store any more", (long long)said->id);
    if (status == 0)
        status = override_verify(store, &row, err);
    if (status < 0)
        return status;
    if (row.ended)
        return error_set(err, E_STATE, "override %lld for %s was ended by %s (%s): plan again",
                         (long long)said->id, said->product, row.ended_by, row.ended_why);
    return same_words(said, &row.said)
               ? 0
               : error_set(err, E_TAMPERED, "override %lld is not the one that the plan was made with",
                           (long long)said->id);
}

static const struct plan_override *override_for(const struct plan_text *plan, const char *product)
{
    for (size_t i = 0; i < plan->override_count; i++) {
        if (strcmp(plan->overrides[i].product, product) == 0)
            return &plan->overrides[i];
    }
    return NULL;
}

static int asked_check(const struct plan_text *plan, const struct packing_verdict *verdict,
                       const char *product, int32_t day, struct error *err)
{
    const struct plan_override *said = override_for(plan, product);
    const char *why = NULL;
    if (!said)
        return error_set(err, E_STATE,
                         "packing rule %s asks for a pharmacist (%s) and product %s has no override: sachet "
                         "override add %s, then plan again",
                         verdict->id, verdict->reason, product, product);
    if (!override_holds(said, verdict, day, &why))
        return error_set(err, E_STATE, "override %lld for %s does not hold: %s: plan again",
                         (long long)said->id, product, why);
    return 0;
}

static int packing_check(struct store *store, struct packing *packing, const struct plan_text *plan,
                         const struct plan_product *product, int32_t day, struct error *err)
{
    struct product row;
    struct packing_verdict verdict;
    int status = product_get(store, product->code, &row, err);
    if (status == 0)
        status = packing_of(packing, &row, &verdict, err);
    if (status < 0)
        return status;
    if (verdict.policy == RULES_NEVER || verdict.policy == RULES_ORIGINAL)
        return error_set(err, E_STATE, "%s keeps product %s out of pouches (%s): plan again", verdict.id,
                         product->code, verdict.reason);
    if (verdict.alone && !product->alone)
        return error_set(err, E_STATE, "a packing rule wants product %s in a pouch of its own: plan again",
                         product->code);
    return verdict.policy == RULES_PHARMACIST ? asked_check(plan, &verdict, product->code, day, err) : 0;
}

static int law_check(struct store *store, const struct plan_text *plan, int64_t patient,
                     const struct jurisdiction *law, int32_t day, struct arena *arena, struct error *err)
{
    const int *schedules = NULL;
    int status = 0;
    if (plan->format <= PLAN_FORMAT_SECOND)
        return 0; /* signed when plans knew no jurisdiction; none of these is signed any more */
    if (strcmp(plan->jurisdiction, law->code) != 0 ||
        memcmp(plan->jurisdiction_hash, law->hash, sizeof law->hash) != 0)
        return error_set(err, E_STATE, "the jurisdiction of the site or its rules changed since: plan again");
    status = controlled_schedules(store, plan, arena, &schedules, err);
    if (status == 0)
        status = jurisdiction_check(law, plan, schedules, day, err);
    return status < 0 ? status : consent_check(store, patient, law, day, arena, err);
}

static int32_t day_of(const struct review_rules *rules)
{
    if (rules && rules->clock && rules->today == CIVIL_DAY_NONE)
        return instant_day(clock_wall_ms(rules->clock));
    return rules && rules->clock ? rules->today : CIVIL_DAY_NONE;
}

int rules_review(struct store *store, const struct plan_text *plan, int64_t patient,
                 const struct review_rules *rules, struct arena *arena, struct error *err)
{
    int32_t day = day_of(rules);
    int status = 0;
    for (size_t i = 0; status == 0 && i < plan->override_count; i++)
        status = override_check(store, &plan->overrides[i], arena, err);
    for (size_t i = 0; status == 0 && rules && rules->products && i < plan->product_count; i++)
        status = packing_check(store, rules->products, plan, &plan->products[i], day, err);
    if (status == 0 && rules && rules->law)
        status = law_check(store, plan, patient, rules->law, day, arena, err);
    return status;
}
