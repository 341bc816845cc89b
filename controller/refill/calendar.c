/* SPDX-License-Identifier: Apache-2.0 */
/* From a case to the patient's calendar. */
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/refill/refill_private.h"

/* The best anchor of those on which a first roll can be there. False when none of them suits all drugs. */
static bool reachable_anchor(const struct sync_plan *plan, int32_t from, int32_t *ret_anchor)
{
    const struct sync_phase *best = NULL;
    for (size_t i = 0; i < plan->phase_count; i++) {
        const struct sync_phase *phase = &plan->phases[i];
        if (phase->feasible && phase->anchor >= from &&
            (!best || sync_objective_compare(&phase->objective, &best->objective, NULL) < 0))
            best = phase;
    }
    if (best)
        *ret_anchor = best->anchor;
    return best != NULL;
}

static bool is_denied(const struct refill *refill, const struct sync_fill *fill)
{
    const struct refill_drug *drug = refill_drug_of(refill, fill->id);
    return fill->conditional && drug && drug->denied;
}

/* Also what lies behind the day on which somebody stopped the drug. */
static bool is_stopped(const struct refill *refill, const struct sync_fill *fill)
{
    const struct refill_drug *drug = refill_drug_of(refill, fill->id);
    return drug && drug->stops_on != CIVIL_DAY_NONE && fill->lasts_until - fill->days >= drug->stops_on;
}

/* Packed already: a fact, and no proposal any more. */
static bool is_fact(const struct refill *refill, const struct sync_fill *fill)
{
    const struct refill_drug *drug = refill_drug_of(refill, fill->id);
    const struct account *account = drug ? account_of(refill->book, drug->order->product->code) : NULL;
    for (size_t i = 0; account && i < account->fills.count; i++) {
        if (account->fills.item[i].day == fill->date && strcmp(account->fills.item[i].order, fill->id) == 0)
            return true;
    }
    return false;
}

static size_t fills_keep(const struct refill *refill, struct sync_fill *fills, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_denied(refill, &fills[i]) && !is_stopped(refill, &fills[i]) && !is_fact(refill, &fills[i]))
            fills[kept++] = fills[i];
    }
    return kept;
}

int refill_solve(const struct refill *refill, const struct refill_site *site, struct arena *arena,
                 struct sync_case *ret_case, struct sync_plan **ret_plan, struct error *err)
{
    struct sync_plan *plan = NULL;
    struct sync_case c = refill->c;
    int32_t first = refill->today + site->lead_days;
    int status = sync_solve(&c, arena, &plan, err);
    if (status == 0 && !plan->anchor_fixed && plan->feasible && plan->anchor < first &&
        reachable_anchor(plan, first, &c.current_anchor))
        status = sync_solve(&c, arena, &plan, err);
    if (status < 0)
        return status;
    plan->fill_count = fills_keep(refill, plan->fills, plan->fill_count);
    for (size_t i = 0; i < plan->drug_count; i++) {
        struct sync_drug *drug = &plan->drugs[i];
        drug->fill_count = fills_keep(refill, drug->fills, drug->fill_count);
    }
    if (ret_case)
        *ret_case = c;
    *ret_plan = plan;
    return 0;
}
