/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways to bridge one drug to one grid of anchors (rules P1 and P2).
 *
 * A fill in a window never comes after the window's end, and the end is the day on which the supply ends; so
 * after fills of n1, n2, ... days the supply ends at `supply + n1 + n2 + ...`, on whatever dates they were
 * made. That makes "the next window contains an anchor" a bound on the date alone: with B the latest anchor
 * up to the new supply's end, B must lie within the carry cap and the date at or before B minus the payer's
 * wait. Its opposite, needed for a second bridge, is a bound from the other side. Hence the chains of plain
 * bounds.
 *
 * Of the chains only those are kept that no other one beats on every set of dates; "beats" includes the last
 * tie-breaks (later dates, then smaller fills), so that dropping the others changes no plan.
 */
#include <string.h>

#include "scheduler/sync_private.h"

struct builder {
    const struct sync_grid *grid;
    const struct sync_facts *facts;
    struct sync_chains *chains;
    struct arena *arena;
    size_t first; /* chains of this drug begin here */
    bool failed;
};

static int32_t day_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t day_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Narrows the bounds to what they leave each other; false when nothing is left. */
static bool tighten(struct sync_chain *chain)
{
    for (int i = 1; i < chain->count; i++)
        chain->from[i] = day_max(chain->from[i], chain->from[i - 1] + chain->gap[i - 1]);
    for (int i = chain->count - 1; i > 0; i--)
        chain->to[i - 1] = day_min(chain->to[i - 1], chain->to[i] - chain->gap[i - 1]);
    for (int i = 0; i < chain->count; i++) {
        if (chain->from[i] > chain->to[i])
            return false;
    }
    return true;
}

/* Least number of days between fill i and a later fill k of a chain, whatever its dates. */
static int32_t apart(const struct sync_chain *chain, int i, int k)
{
    int32_t gaps = 0;
    for (int g = i; g < k; g++)
        gaps += chain->gap[g];
    return day_max(gaps, chain->from[k] - chain->to[i]);
}

/* True when the fills of a from i on can always take the dates of some fills of b from k on, `last` being the
 * fill of b that fill i - 1 took. */
static bool fits(const struct sync_chain *a, int i, const struct sync_chain *b, int k, int last)
{
    if (i == a->count)
        return true;
    for (; b->count - k >= a->count - i; k++) {
        if (a->from[i] <= b->from[k] && a->to[i] >= b->to[k] &&
            (i == 0 || a->gap[i - 1] <= apart(b, last, k)) && fits(a, i + 1, b, k + 1, k))
            return true;
    }
    return false;
}

/* True when every set of dates that serves b serves a too, at dates that the tie-breaks like as much: with
 * fewer fills a has its first fills as late as b or later, and then none where b has another. */
static bool covers(const struct sync_chain *a, const struct sync_chain *b)
{
    return fits(a, 0, b, 0, 0);
}

/* Negative when the fills of a are the smaller ones. */
static int days_compare(const struct sync_chain *a, const struct sync_chain *b)
{
    for (int i = 0; i < a->count && i < b->count; i++) {
        if (a->days[i] != b->days[i])
            return a->days[i] < b->days[i] ? -1 : 1;
    }
    return 0;
}

static bool beats(const struct sync_chain *a, const struct sync_chain *b)
{
    if (a->weight > b->weight || !covers(a, b))
        return false;
    return a->weight < b->weight || a->count < b->count || days_compare(a, b) <= 0;
}

/* Puts a chain into the drug's list, sorted by weight, unless it is beaten; drops those that it beats. */
static void keep(struct builder *b, const struct sync_chain *chain)
{
    struct sync_chains *all = b->chains;
    size_t to = b->first;
    for (size_t i = b->first; i < all->count && all->item[i].weight <= chain->weight; i++) {
        if (beats(&all->item[i], chain))
            return;
    }
    for (size_t i = b->first; i < all->count; i++) {
        if (!beats(chain, &all->item[i]))
            all->item[to++] = all->item[i];
    }
    all->count = to;
    if (!sync_grow(b->arena, (void **)&all->item, &all->cap, all->count + 1, sizeof all->item[0])) {
        b->failed = true;
        return;
    }
    size_t at = all->count++;
    for (; at > b->first && all->item[at - 1].weight > chain->weight; at--)
        all->item[at] = all->item[at - 1];
    all->item[at] = *chain;
}

static uint64_t fill_weight(const struct sync_facts *facts, int32_t days)
{
    if (days == facts->standard)
        return 0;
    return sync_weight(1, facts->rx->prorated ? 0 : facts->rx->copay_cents, 0);
}

/*
 * Adds a fill of `days` in the window [from, to] to a chain. ret_done is the chain when it ends there in a
 * window with an anchor, ret_open the one that goes on because there is none; true for each that is possible.
 */
struct step {
    struct sync_chain done, open;
    bool can_end, can_go_on;
};

static void step_make(const struct builder *b, const struct sync_chain *before, int32_t from, int32_t to,
                      int32_t days, struct step *ret)
{
    const struct sync_facts *facts = b->facts;
    int i = before->count;
    struct sync_chain chain = *before;
    chain.count = i + 1;
    chain.from[i] = from;
    chain.to[i] = to;
    chain.days[i] = days;
    chain.gap[i] = sync_refill_days(facts->rx, days);
    chain.supply = before->supply + days;
    chain.weight = before->weight + fill_weight(facts, days);
    ret->done = chain;
    ret->open = chain;
    ret->can_end = false;
    ret->can_go_on = true;
    int32_t anchor = sync_anchor_before(b->grid, chain.supply);
    if (anchor != CIVIL_DAY_NONE && anchor >= chain.supply - b->grid->max_carry) {
        ret->done.to[i] = day_min(to, anchor - chain.gap[i]);
        ret->done.weight += sync_weight(0, 0, chain.supply - anchor);
        ret->can_end = tighten(&ret->done);
        ret->open.from[i] = day_max(from, anchor - chain.gap[i] + 1);
        ret->can_go_on = tighten(&ret->open);
    }
}

/* True when no way to go on from here can be of use: another chain does as well on the dates so far. */
static bool hopeless(const struct builder *b, const struct sync_chain *open)
{
    for (size_t i = b->first; i < b->chains->count && b->chains->item[i].weight <= open->weight; i++) {
        if (covers(&b->chains->item[i], open))
            return true;
    }
    return false;
}

/* All fills that may follow `before`, in the window [from, to]; with `depth` more to come at most. Called for
 * rising depths, so that short chains are there first to make longer ones hopeless. */
static void pack_steps(struct builder *b, const struct sync_chain *before, int32_t from, int32_t to,
                       int depth)
{
    const struct sync_facts *facts = b->facts;
    bool locked = before->count == 0 && facts->first_days;
    int32_t first = locked ? facts->first_days : facts->rx->pack_days;
    int32_t last = locked ? facts->first_days : facts->standard;
    for (int32_t days = first; days <= last && !b->failed; days += facts->rx->pack_days) {
        if (days < facts->rx->min_days && days != facts->standard)
            continue;
        struct step step;
        step_make(b, before, from, to, days, &step);
        if (depth == 0) {
            if (step.can_end)
                keep(b, &step.done);
            continue;
        }
        if (!step.can_go_on || hopeless(b, &step.open))
            continue;
        int i = before->count;
        int32_t next = day_max(step.open.from[i] + step.open.gap[i], step.open.supply - b->grid->max_carry);
        pack_steps(b, &step.open, next, step.open.supply, depth - 1);
    }
}

static void single_fill(struct builder *b, const struct sync_chain *none, int32_t days)
{
    struct step step;
    step_make(b, none, b->facts->lo, b->facts->hi, days, &step);
    if (step.can_end)
        keep(b, &step.done);
}

/*
 * A splittable drug: of all fills that lead to the same anchor the smallest is the best on every date, so one
 * a reachable anchor is enough; and once one serves the whole window with nothing carried, a bigger one
 * cannot be better.
 */
static void split_fills(struct builder *b, const struct sync_chain *none)
{
    const struct sync_facts *facts = b->facts;
    if (facts->first_days) {
        single_fill(b, none, facts->first_days);
        return;
    }
    single_fill(b, none, facts->standard);
    int32_t days = facts->rx->min_days > 1 ? facts->rx->min_days : 1;
    while (days < facts->standard && !b->failed) {
        single_fill(b, none, days);
        int32_t anchor = sync_anchor_before(b->grid, facts->supply + days);
        if (anchor == facts->supply + days)
            return;
        int32_t next = anchor == CIVIL_DAY_NONE ? b->grid->anchor : anchor + b->grid->cycle;
        days = next - facts->supply;
    }
}

bool sync_bridge(const struct sync_grid *grid, const struct sync_facts *facts, struct sync_chains *chains,
                 struct arena *arena)
{
    struct builder b = {grid, facts, chains, arena, chains->count, false};
    const struct sync_chain none = {.supply = facts->supply};
    if (facts->rx->pack_days == SYNC_NONE) {
        split_fills(&b, &none);
    } else {
        for (int depth = 0; depth < SYNC_BRIDGES_MAX && !b.failed; depth++)
            pack_steps(&b, &none, facts->lo, facts->hi, depth);
    }
    return !b.failed;
}
