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

/*
 * Until when facts and the fills that stand before this one last, from its date on. The model knows one
 * run-out only; pouches behind a hole, of a roll that was packed ahead, are more.
 */
static int32_t covered_until(const struct refill *refill, const struct refill_drug *drug,
                             const struct supply_list *kept, int32_t date)
{
    const struct book *book = refill->book;
    struct supply_walk walk =
        supply_walk(book, account_of(book, drug->order->product->code), drug->loose_milli, drug->held_milli);
    int32_t day = refill->today, end = book->first_day + book->day_count;
    walk.rolls = kept;
    while (day < end && (supply_step(&walk, day) != SUPPLY_NOTHING || day < date))
        day++;
    return day;
}

/* The fills of one drug that are proposals: not denied, not for days behind its end, and not there already.
 */
static int drug_fills_keep(const struct refill *refill, struct sync_drug *planned, struct arena *arena)
{
    const struct refill_drug *drug = refill_drug_of(refill, planned->rx->id);
    struct supply_list kept = {0};
    size_t count = 0;
    for (size_t i = 0; i < planned->fill_count; i++) {
        const struct sync_fill fill = planned->fills[i];
        if (is_denied(refill, &fill) || is_stopped(refill, &fill) ||
            covered_until(refill, drug, &kept, fill.date) >= fill.lasts_until)
            continue;
        planned->fills[count++] = fill;
        const struct supply_in in = {.day = fill.date, .milli = refill_fill_milli(refill, drug, &fill)};
        if (!supply_add(arena, &kept, in))
            return E_MEMORY;
    }
    planned->fill_count = count;
    return 0;
}

static bool is_kept(const struct sync_plan *plan, const struct sync_fill *fill)
{
    for (size_t i = 0; i < plan->drug_count; i++) {
        const struct sync_drug *drug = &plan->drugs[i];
        if (strcmp(drug->rx->id, fill->id) != 0)
            continue;
        for (size_t k = 0; k < drug->fill_count; k++) {
            if (drug->fills[k].date == fill->date)
                return true;
        }
    }
    return false;
}

static int fills_keep(const struct refill *refill, struct sync_plan *plan, struct arena *arena,
                      struct error *err)
{
    size_t count = 0;
    int status = 0;
    for (size_t i = 0; status == 0 && i < plan->drug_count; i++)
        status = drug_fills_keep(refill, &plan->drugs[i], arena);
    if (status < 0)
        return error_set(err, status, "no memory for the calendar");
    for (size_t i = 0; i < plan->fill_count; i++) {
        if (is_kept(plan, &plan->fills[i]))
            plan->fills[count++] = plan->fills[i];
    }
    plan->fill_count = count;
    return 0;
}

/* The day of the first roll of a patient who had none: the anchor, or as soon as one can be there. */
static int32_t first_roll(const struct refill *refill, const struct refill_site *site,
                          const struct sync_plan *plan)
{
    int32_t soon = refill->today + site->lead_days;
    if (refill->anchor != CIVIL_DAY_NONE)
        return refill->anchor >= refill->today ? refill->anchor : soon;
    if (!plan->feasible)
        return soon;
    return plan->anchor < soon ? plan->anchor + refill->c.cycle_days : plan->anchor;
}

bool refill_is_apart(const struct refill *refill, const struct refill_site *site,
                     const struct sync_plan *plan, const struct sync_fill *fill)
{
    return !refill->book->rolls && fill->lasts_until - fill->days < first_roll(refill, site, plan);
}

/* What nobody covers yet asks for no roll. */
static int32_t drug_open_day(const struct refill_drug *drug, const struct sync_drug *planned)
{
    if (drug->held_milli > 0)
        return drug->loose_until;
    for (size_t i = 0; i < planned->fill_count; i++) {
        if (!planned->fills[i].conditional)
            return planned->fills[i].date > drug->loose_until ? planned->fills[i].date : drug->loose_until;
    }
    return INT32_MAX;
}

int32_t refill_open_day(const struct refill *refill, const struct sync_plan *plan)
{
    int32_t first = INT32_MAX;
    for (size_t i = 0; i < plan->drug_count; i++) {
        const struct refill_drug *drug = refill_drug_of(refill, plan->drugs[i].rx->id);
        if (plan->drugs[i].excluded)
            continue;
        int32_t day = plan->feasible ? drug_open_day(drug, &plan->drugs[i]) : drug->loose_until;
        if (day < first && (drug->stops_on == CIVIL_DAY_NONE || day < drug->stops_on))
            first = day;
    }
    return first;
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
    status = fills_keep(refill, plan, arena, err);
    if (status < 0)
        return status;
    if (ret_case)
        *ret_case = c;
    *ret_plan = plan;
    return 0;
}
