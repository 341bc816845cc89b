/* SPDX-License-Identifier: Apache-2.0 */
/* Run-out, payer's date, window, standard fill and exclusion of one drug (spec SYNC-1, "Rules"), and what
 * locks make of them. */
#include <stdint.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/sync_private.h"

static int32_t day_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

bool sync_grow(struct arena *arena, void **items, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t grown = *cap ? *cap * 2 : 64;
    while (grown < need)
        grown *= 2;
    void *copy = arena_array(arena, grown, size);
    if (!copy)
        return false;
    if (*items)
        memcpy(copy, *items, *cap * size);
    *items = copy;
    *cap = grown;
    return true;
}

/* Days of a standard fill; 0 when a fill may not hold as much. */
static int32_t standard_days(const struct sync_case *c, const struct sync_rx *rx)
{
    if (rx->pack_days == SYNC_NONE)
        return c->cycle_days * (rx->usual_days / c->cycle_days);
    int32_t days = rx->pack_days * ((c->cycle_days + rx->pack_days - 1) / rx->pack_days);
    return days <= day_max(rx->usual_days, rx->pack_days) ? days : 0;
}

void sync_drug_derive(const struct sync_case *c, const struct sync_rx *rx, struct sync_drug *drug)
{
    *drug = (struct sync_drug){.rx = rx, .joins = CIVIL_DAY_NONE};
    drug->run_out = day_max(c->today, rx->start == CIVIL_DAY_NONE ? c->today : rx->start) +
                    rx->on_hand_units / rx->units_per_day;
    drug->earliest = c->today;
    if (rx->last_fill != CIVIL_DAY_NONE && !rx->override_granted)
        drug->earliest = rx->last_fill + sync_refill_days(rx, rx->days_supply);
    if (!rx->override_granted && rx->payer_wait_days > 0)
        drug->earliest = day_max(drug->earliest, c->today + rx->payer_wait_days);
    drug->window_from = day_max(day_max(c->today, drug->earliest), drug->run_out - c->max_carry_days);
    drug->window_to = day_max(drug->run_out, drug->window_from);
    drug->standard_days = standard_days(c, rx);
    drug->fills_left = rx->fills_left;
    drug->qty_left = rx->qty_left;
    if (rx->stopped)
        drug->excluded = SYNC_STOPPED;
    else if (rx->schedule == 2)
        drug->excluded = SYNC_CII;
    else if (rx->prn)
        drug->excluded = SYNC_PRN;
    else if (drug->standard_days == 0)
        drug->excluded = SYNC_SUPPLY_BELOW_CYCLE;
}

/* The payer and the calendar are hard limits; the carry cap is the house's own and gives way to a lock. */
static int lock_fill(const struct sync_case *c, const struct sync_drug *drug, int32_t date,
                     struct sync_facts *facts, struct error *err)
{
    char want[CIVIL_TEXT_BYTES], day[CIVIL_TEXT_BYTES];
    civil_format(date, want);
    if (date < c->today) {
        civil_format(c->today, day);
        return error_set(err, E_INPUT, "lock fill=%s:%s: lies before today, %s", drug->rx->id, want, day);
    }
    if (date < drug->earliest) {
        civil_format(drug->earliest, day);
        return error_set(err, E_INPUT, "lock fill=%s:%s: the payer pays again from %s; get an override first",
                         drug->rx->id, want, day);
    }
    facts->lo = date;
    facts->hi = date;
    return 0;
}

static int lock_qty(const struct sync_drug *drug, int32_t units, struct sync_facts *facts, struct error *err)
{
    const struct sync_rx *rx = drug->rx;
    bool packed = rx->pack_days != SYNC_NONE;
    int32_t unit = packed ? rx->pack_units : rx->units_per_day;
    int64_t days = (int64_t)(units / unit) * (packed ? rx->pack_days : 1);
    if (units <= 0 || units % unit != 0)
        return error_set(err, E_INPUT, "lock qty=%s:%d: not a whole number of %s of %d units", rx->id, units,
                         packed ? "packs" : "days", unit);
    if (days > drug->standard_days)
        return error_set(err, E_INPUT, "lock qty=%s:%d: is %lld days, a fill holds at most %d", rx->id, units,
                         (long long)days, drug->standard_days);
    if (days < rx->min_days && days != drug->standard_days)
        return error_set(err, E_INPUT, "lock qty=%s:%d: is %lld days, a short fill has at least %d", rx->id,
                         units, (long long)days, rx->min_days);
    facts->first_days = (int32_t)days;
    return 0;
}

static int lock_drug(const struct sync_case *c, const struct sync_drug *drug, struct sync_facts *facts,
                     struct error *err)
{
    int rc = 0;
    for (size_t i = 0; i < c->lock_count && !rc; i++) {
        const struct sync_lock *lock = &c->locks[i];
        if (lock->kind == SYNC_LOCK_ANCHOR || strcmp(lock->id, drug->rx->id) != 0)
            continue;
        if (drug->excluded)
            return error_set(err, E_INPUT, "lock: rx %s has no fills in the plan (%s)", lock->id,
                             sync_exclusion_text(drug->excluded));
        if (lock->kind == SYNC_LOCK_FILL)
            rc = lock_fill(c, drug, lock->date, facts, err);
        else
            rc = lock_qty(drug, lock->units, facts, err);
    }
    return rc;
}

int sync_facts_collect(const struct sync_case *c, const struct sync_drug *drugs, size_t drug_count,
                       struct sync_facts *facts, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < drug_count; i++) {
        const struct sync_drug *drug = &drugs[i];
        struct sync_facts f = {
            .rx = drug->rx,
            .drug = i,
            .run_out = drug->run_out,
            .lo = drug->window_from,
            .hi = drug->window_to,
            .standard = drug->standard_days,
        };
        int rc = lock_drug(c, drug, &f, err);
        if (rc)
            return rc;
        f.supply = day_max(f.run_out, f.hi);
        if (!drug->excluded)
            facts[count++] = f;
    }
    *ret_count = count;
    return 0;
}
