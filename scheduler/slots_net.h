/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: what is still possible for k ordered slots. Each dose has the set of slots that it may go to, each
 * slot the set of cells where it may stand, each two slots a least difference of times. net_propagate narrows
 * all three until nothing changes; the result does not depend on the order of the steps. With `track` each
 * fact also remembers the decisions that it follows from, coarsely, so that a search can jump back over
 * decisions that had no part in a failure. Not for use outside scheduler/slots*.c.
 */
#ifndef SCHEDULER_SLOTS_NET_H
#define SCHEDULER_SLOTS_NET_H

#include "scheduler/slots_pack.h"
#include "scheduler/slots_private.h"

struct net {
    const struct problem *problem;
    int slots; /* k; number k in dist stands for the start of the day */
    bool track;
    size_t bytes;   /* of one block */
    uint64_t *mask; /* dose -> slots, bit set */
    uint64_t *dom;  /* slot * words: cells */
    struct reason *mask_why, *dom_why, *dist_why, *state_why;
    int16_t *dist;  /* [a * (k + 1) + b]: time of b - time of a is at least this */
    uint8_t *state; /* drug -> 0 open, 1 inside, 2 outside */
    /* What changed since the last fixpoint; net_propagate looks only at what can follow from that. */
    uint64_t slots_dirty;   /* cells of the slot */
    uint64_t dose_dirty[2]; /* slots of the dose */
};

/* Why propagation failed. */
struct clash {
    struct reason why; /* with track */
    struct slots_rule rule;
    size_t a, b; /* doses to blame; equal when there is one */
};

/* The start: everything possible. False without memory. */
bool net_create(struct net *net, struct problem *problem, int slots, bool track);
/* A second net of the same shape, content undefined. */
bool net_create_like(struct net *net, const struct net *model, struct arena *arena);
void net_copy(struct net *to, const struct net *from);
bool net_propagate(struct net *net, struct clash *clash);

/* net_propagate and what follows from exactly so many slots, for nets without `track`. */
bool net_cover(struct net *net, const struct clique *clique, size_t count, const struct packs *packs,
               struct clash *clash);

/* Decisions; the caller propagates. */
void net_put(struct net *net, size_t dose, int slot);
void net_set_state(struct net *net, size_t drug, int state);
/* Some cells of the slot were taken away. */
static inline void net_touch(struct net *net, int slot)
{
    net->slots_dirty |= UINT64_C(1) << slot;
}
/* The time of slot b is at least so much after that of a. False when that can't be. */
bool net_spread(struct net *net, int a, int b, int least);
/* The slot's cells become those of from..to. */
void net_clip(struct net *net, int slot, int from, int to);

static inline const uint64_t *net_window(const struct net *net, size_t dose)
{
    const struct problem *p = net->problem;
    return p->win[net->state[p->drug_of[dose]]] + dose * (size_t)p->words;
}
static inline int16_t *net_dist(const struct net *net, int a, int b)
{
    return &net->dist[a * (net->slots + 1) + b];
}
static inline int net_earliest(const struct net *net, int slot)
{
    return *net_dist(net, net->slots, slot);
}
static inline int net_latest(const struct net *net, int slot)
{
    return -*net_dist(net, slot, net->slots);
}

#endif
