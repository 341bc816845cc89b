/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack: times that must keep their distance and don't fit into the hours that they have. In whatever order
 * they come, the way from the first to the last is a tree over all of them, so it is at least as long as the
 * least tree (R. C. Prim, 1957) over their least distances. Not for use outside scheduler/slots*.c.
 */
#ifndef SCHEDULER_SLOTS_PACK_H
#define SCHEDULER_SLOTS_PACK_H

#include "scheduler/slots_private.h"

enum { CLIQUES_MAX = 12 };

/* Doses that are pairwise apart. */
struct clique {
    size_t count;
    size_t dose[REGIMEN_DOSES_MAX];
};

/* Large cliques, the largest first; out has room for CLIQUES_MAX + 1. */
size_t cliques_list(const struct problem *problem, const struct apart *apart, struct clique *out);

/* What packing needs to know of a problem. */
struct packs {
    size_t count;      /* doses */
    uint8_t *distance; /* dose * count + dose: least cells between them; 0 when there is no rule */
    struct clique *clique;
    size_t cliques;
};

bool packs_create(struct packs *packs, const struct problem *problem, struct arena *arena);

/* Things with a first and a last cell each, and least distances between any two. */
struct pack {
    size_t count;
    int first[REGIMEN_DOSES_MAX];
    int last[REGIMEN_DOSES_MAX];
    uint8_t distance[REGIMEN_DOSES_MAX][REGIMEN_DOSES_MAX];
};

/* Do some of them not fit? Then *ret_count and ret_place tell which. */
bool pack_overfull(const struct pack *pack, size_t *ret_place, size_t *ret_count);

/* The same of doses whose cells are dom. set gets the doses. */
bool packs_overfull(const struct packs *packs, const struct problem *problem, const uint64_t *dom,
                    uint64_t set[2]);

#endif
