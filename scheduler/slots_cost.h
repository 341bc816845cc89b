/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of levels 2 to 4 and their lower bounds. Not for use outside scheduler/slots*.c. */
#ifndef SCHEDULER_SLOTS_COST_H
#define SCHEDULER_SLOTS_COST_H

#include "scheduler/slots_net.h"

/* One unit of soft cost, in units of level 3 minutes: more than level 3 can ever sum up to. */
#define COST_SOFT  INT64_C(1048576)
#define COST_NEVER (INT64_C(1) << 60)

/* Open doses by best cell. */
struct relax {
    size_t dose[REGIMEN_DOSES_MAX];
    int best[REGIMEN_DOSES_MAX];
    size_t count;
};

struct costs {
    const struct problem *problem;
    bool by_previous;
    int64_t *dose;  /* dose * cells: levels 2 and 3 of the dose at the cell */
    int64_t *slot;  /* cell: level 3 of a slot there, when no drug has a previous time */
    bool *priced;   /* dose: some time costs something */
    bool *balanced; /* drug: level 4 counts it */
    bool *night;    /* drug: taken on two days in a row */
    int64_t *walk;  /* scratch of cost_relax and cost_filter */
    int64_t *back;
    int64_t *own;
    int *reach;
    struct relax relax;
    int16_t *step;
    int64_t *left, *right;
};

/* slots: how many the relaxation can work on; 0: only cost_total and cost_balance will be asked. */
bool costs_create(struct costs *costs, const struct problem *problem, int slots, struct arena *arena);
/* Levels 2 and 3 together, and level 4, of a schedule. */
int64_t cost_total(const struct costs *costs, const int *cell);
int64_t cost_balance(const struct costs *costs, const int *cell);
/* No schedule within the net costs less; COST_NEVER when there is none at all. ret_slot_cell[slots]: where
 * the relaxed optimum puts the slots. */
int64_t cost_relax(struct costs *costs, const struct net *net, int *ret_slot_cell);
/* After cost_relax on the same net: takes away the cells of slots at which every schedule costs more than
 * limit. True when some went. */
bool cost_filter(struct costs *costs, struct net *net, int64_t limit);
/* Level 4 of any schedule within the net is at least this; ret_each[drug], where it counts, gets the drug's
 * part. */
int64_t cost_balance_bound(const struct costs *costs, const struct net *net, int64_t *ret_each);
/* Level 4 of one drug whose doses are at cell[0..]. */
int64_t cost_balance_drug(const struct costs *costs, size_t drug, const int *cell);

/* Adds to the problem that of twins the first by id comes first, and exchanges the times in cell, a schedule,
 * to match. False without memory. */
bool twins_break(struct problem *problem, const struct costs *costs, int *cell);

#endif
