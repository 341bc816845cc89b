/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_private: what the files of the refill-sync planner share. All memory is the arena's of the solve.
 *
 * For one anchor (a "phase") a drug either joins at once, or must be bridged. The ways to bridge it are
 * chains: one to three fills, each with the range of dates that it allows. A phase then looks for the set of
 * dates that serves one chain of each bridged drug at the least cost.
 */
#ifndef SCHEDULER_SYNC_PRIVATE_H
#define SCHEDULER_SYNC_PRIVATE_H

#include "config/base/civil.h"
#include "scheduler/sync.h"

/* The anchors: anchor, anchor + cycle, ... */
struct sync_grid {
    int32_t anchor;
    int32_t cycle;
    int32_t max_carry;
};

/* An included drug before its first fill. */
struct sync_facts {
    const struct sync_rx *rx;
    size_t drug; /* its place in sync_plan.drugs */
    int32_t run_out;
    int32_t lo, hi;     /* first window */
    int32_t supply;     /* first day without medicine, were the first fill of no days: max(run_out, hi) */
    int32_t standard;   /* days of a standard fill */
    int32_t first_days; /* a lock on the days of the first fill; 0 none */
};

/*
 * One way to bridge a drug: fills of days[i] on dates d[i] with from[i] <= d[i] <= to[i] and
 * d[i] + gap[i] <= d[i + 1]. Within these bounds every choice of dates keeps the rules P1 and P2.
 */
struct sync_chain {
    int count;
    int32_t from[SYNC_BRIDGES_MAX], to[SYNC_BRIDGES_MAX], gap[SYNC_BRIDGES_MAX], days[SYNC_BRIDGES_MAX];
    int32_t supply; /* first day without medicine after the last bridge */
    uint64_t weight;
};

struct sync_chains {
    struct sync_chain *item;
    size_t count, cap;
};

/* A drug that must be bridged in a phase; its chains are sorted by weight. */
struct sync_stop {
    const struct sync_facts *facts;
    size_t first, count; /* in the phase's chains */
    bool simple;         /* every chain is one fill that may be made from lo on: the earlier the cheaper */
    int32_t end;         /* of a simple drug: the last date that serves it */
};

/* The dates found for a phase. */
struct sync_dates {
    int32_t *day; /* ascending */
    size_t count;
    uint64_t weight;
};

/*
 * Short fills, then copay, then carried days in one number, so that one addition and one comparison do what
 * the lexicographic order wants. The limits of sync.h keep the fields from running over: at most 3 short
 * fills of 64 drugs in 8 bits, 192 copays in 31, 64 times 36,500 + 2 * 3,660 days in 24.
 */
enum { SYNC_WEIGHT_CARRY_BITS = 24, SYNC_WEIGHT_COPAY_BITS = 31 };

static inline uint64_t sync_weight(int64_t shorts, int64_t copay_cents, int64_t carry_days)
{
    return (uint64_t)shorts << (SYNC_WEIGHT_CARRY_BITS + SYNC_WEIGHT_COPAY_BITS) |
           (uint64_t)copay_cents << SYNC_WEIGHT_CARRY_BITS | (uint64_t)carry_days;
}
static inline int64_t sync_weight_shorts(uint64_t weight)
{
    return (int64_t)(weight >> (SYNC_WEIGHT_CARRY_BITS + SYNC_WEIGHT_COPAY_BITS));
}
static inline int64_t sync_weight_copay(uint64_t weight)
{
    return (int64_t)(weight >> SYNC_WEIGHT_CARRY_BITS & ((UINT64_C(1) << SYNC_WEIGHT_COPAY_BITS) - 1));
}
static inline int64_t sync_weight_carry(uint64_t weight)
{
    return (int64_t)(weight & ((UINT64_C(1) << SYNC_WEIGHT_CARRY_BITS) - 1));
}

/* The latest anchor on or before day, CIVIL_DAY_NONE when the first one is later. */
static inline int32_t sync_anchor_before(const struct sync_grid *grid, int32_t day)
{
    return day < grid->anchor ? CIVIL_DAY_NONE
                              : grid->anchor + (day - grid->anchor) / grid->cycle * grid->cycle;
}
/* The number, from 0, of the first anchor on or after day. */
static inline int32_t sync_anchor_index(const struct sync_grid *grid, int32_t day)
{
    return day <= grid->anchor ? 0 : (day - grid->anchor + grid->cycle - 1) / grid->cycle;
}
/* Days after a fill until the payer pays again. */
static inline int32_t sync_refill_days(const struct sync_rx *rx, int32_t days)
{
    return (int32_t)(((int64_t)rx->threshold_pct * days + 99) / 100);
}

/* An array in the arena with room for `need` items; the old ones are kept. False: out of memory. */
bool sync_grow(struct arena *arena, void **items, size_t *cap, size_t need, size_t size);

/* sync_facts.c: windows and exclusion of one drug, without locks. */
void sync_drug_derive(const struct sync_case *c, const struct sync_rx *rx, struct sync_drug *drug);
/* Facts of the included drugs with the locks in force. E_INPUT for a lock that cannot be. */
int sync_facts_collect(const struct sync_case *c, const struct sync_drug *drugs, size_t drug_count,
                       struct sync_facts *facts, size_t *ret_count, struct error *err);

/* sync_bridge.c: appends the useful chains of a drug whose first window holds no anchor. False: out of
 * memory. */
bool sync_bridge(const struct sync_grid *grid, const struct sync_facts *facts, struct sync_chains *chains,
                 struct arena *arena);

/* sync_search.c: the best set of dates for the stops. 0, E_LIMIT, E_MEMORY. */
int sync_search(const struct sync_grid *grid, const struct sync_stop *stops, size_t stop_count,
                const struct sync_chain *chains, struct arena *arena, struct sync_dates *ret_dates,
                struct error *err);
/* The chain of a stop, and its dates, that the rules prefer when shipments go out on these dates. */
const struct sync_chain *sync_pick(const struct sync_stop *stop, const struct sync_chain *chains,
                                   const struct sync_dates *dates, int32_t day[SYNC_BRIDGES_MAX]);

#endif
