/* SPDX-License-Identifier: Apache-2.0 */
/* What the calendar cannot cover, so that nobody finds out on the day. */
#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/refill/refill_private.h"

const char *refill_gap_text(enum refill_gap_why why)
{
    static const char *const texts[] = {
        [REFILL_GAP_PAYER] = "no payer pays before the next fill: ask for an override",
        [REFILL_GAP_PRESCRIPTION] = "no prescription covers it: ask for a new one",
        [REFILL_GAP_DENIED] = "the renewal is denied: tell prescriber and patient",
        [REFILL_GAP_ANCHOR] = "no anchor suits all drugs: see what blocks",
    };
    return texts[why];
}

struct finding {
    const struct refill *refill;
    const struct refill_site *site;
    const struct sync_plan *plan;
    struct arena *arena;
    struct refill_gap *gaps;
    size_t count, cap;
};

static bool gap_add(struct finding *f, struct refill_gap gap)
{
    if (f->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 16;
        struct refill_gap *grown = arena_array(f->arena, cap, sizeof *grown);
        if (!grown)
            return false;
        for (size_t i = 0; i < f->count; i++)
            grown[i] = f->gaps[i];
        f->gaps = grown;
        f->cap = cap;
    }
    f->gaps[f->count++] = gap;
    return true;
}

/* What comes: loose, or for rolls. */
static int fills_sort(struct finding *f, const struct refill_drug *drug, const struct sync_drug *planned,
                      struct supply_list *apart, struct supply_list *rolls)
{
    for (size_t i = 0; i < planned->fill_count; i++) {
        const struct sync_fill *fill = &planned->fills[i];
        const struct supply_in in = {.day = fill->date, .milli = refill_fill_milli(f->refill, drug, fill)};
        bool is_apart = refill_is_apart(f->refill, f->site, f->plan, fill);
        if (!fill->conditional && !supply_add(f->arena, is_apart ? apart : rolls, in))
            return E_MEMORY;
    }
    return 0;
}

static int drug_gaps(struct finding *f, const struct sync_drug *planned)
{
    const struct refill_drug *drug = refill_drug_of(f->refill, planned->rx->id);
    const struct book *book = f->refill->book;
    struct supply_list apart = {0}, rolls = {0};
    struct supply_walk walk =
        supply_walk(book, account_of(book, drug->order->product->code), drug->loose_milli, drug->held_milli);
    int32_t end = f->refill->today + f->refill->c.horizon_days, from = CIVIL_DAY_NONE;
    bool ok = fills_sort(f, drug, planned, &apart, &rolls) == 0;
    walk.apart = &apart;
    walk.rolls = &rolls;
    for (int32_t day = f->refill->today; ok && day < end; day++) {
        enum supply_source source = supply_step(&walk, day);
        if (source == SUPPLY_NOTHING && from == CIVIL_DAY_NONE)
            from = day;
        if (source == SUPPLY_NOTHING || source == SUPPLY_NOT_DUE || from == CIVIL_DAY_NONE)
            continue;
        ok = gap_add(f, (struct refill_gap){drug, from, day, REFILL_GAP_PAYER});
        from = CIVIL_DAY_NONE;
    }
    if (ok && from != CIVIL_DAY_NONE)
        ok = gap_add(f, (struct refill_gap){drug, from, CIVIL_DAY_NONE,
                                            !f->plan->feasible ? REFILL_GAP_ANCHOR
                                            : drug->denied     ? REFILL_GAP_DENIED
                                                               : REFILL_GAP_PRESCRIPTION});
    return ok ? 0 : E_MEMORY;
}

int refill_gaps(const struct refill *refill, const struct refill_site *site, const struct sync_plan *plan,
                struct arena *arena, struct refill_gap **ret_gaps, size_t *ret_count, struct error *err)
{
    struct finding f = {.refill = refill, .site = site, .plan = plan, .arena = arena};
    int status = 0;
    for (size_t i = 0; status == 0 && i < plan->drug_count; i++) {
        if (!plan->drugs[i].excluded)
            status = drug_gaps(&f, &plan->drugs[i]);
    }
    if (status < 0)
        return error_set(err, status, "no memory for the calendar");
    *ret_gaps = f.gaps;
    *ret_count = f.count;
    return 0;
}
