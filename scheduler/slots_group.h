/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group: doses gathered into groups that share one slot each, the slots being in no order. Where the net
 * (slots_net.h) has to try the same doses in every order of the slots, this has one case: who is with whom.
 * A case knows for each dose the cells that are left, for each group its members and the cells that they have
 * in common, and which groups a dose may still join. With `track` each fact remembers the decisions that it
 * follows from. Not for use outside scheduler/slots*.c.
 */
#ifndef SCHEDULER_SLOTS_GROUP_H
#define SCHEDULER_SLOTS_GROUP_H

#include "scheduler/slots_pack.h"
#include "scheduler/slots_private.h"

enum {
    GROUP_NONE = 0xff,
    /* bits of a cause: a dose's group, a drug's state, a cut in a dose's times */
    CAUSE_STATE = REGIMEN_DOSES_MAX,
    CAUSE_TIME = REGIMEN_DOSES_MAX + REGIMEN_DRUGS_MAX,
    CAUSE_WORDS = (2 * REGIMEN_DOSES_MAX + REGIMEN_DRUGS_MAX) / 64,
};

/* A set of decisions. */
struct cause {
    uint64_t word[CAUSE_WORDS];
};

static inline void cause_or(struct cause *to, const struct cause *from)
{
    for (int w = 0; w < CAUSE_WORDS; w++)
        to->word[w] |= from->word[w];
}
static inline void cause_add(struct cause *to, unsigned bit)
{
    to->word[bit / 64] |= UINT64_C(1) << (bit % 64);
}
static inline void cause_drop(struct cause *to, unsigned bit)
{
    to->word[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}
static inline bool cause_has(const struct cause *set, unsigned bit)
{
    return set->word[bit / 64] >> (bit % 64) & 1;
}

/* The arrays lie in one block; those of `track` last, so that a copy can leave them out. */
struct group_case {
    const struct problem *problem;
    const struct apart *apart;
    const struct packs *packs; /* NULL: room is not looked at */
    int limit;                 /* slots */
    bool track;
    size_t bytes;
    int groups;
    uint64_t open[2]; /* doses in no group; those that are `safe` are not among them */
    uint64_t dirty[2];
    uint64_t *dom;         /* dose * words: cells; of a group those of its first dose */
    uint64_t *can;         /* dose -> groups that it may join */
    uint64_t (*member)[2]; /* group -> doses */
    uint8_t *first;        /* group -> its first dose */
    uint8_t *group_of;     /* dose -> group or GROUP_NONE */
    uint8_t *state;        /* drug -> 0 open, 1 inside, 2 outside */
    struct cause *opened;  /* one: why the groups are different slots */
    struct cause *dom_why;
    struct cause *join_why; /* dose: why it is in its group */
};

/* Why a case is closed. */
struct group_clash {
    struct cause why; /* with track */
    struct slots_rule rule;
    size_t a, b; /* doses to blame */
    bool packed; /* the groups of `set` don't find room */
    uint64_t set[2];
};

/* Every dose open, its times those of win[0], which is at its fixpoint. False without memory. */
bool group_case_create(struct group_case *c, struct problem *problem, const struct apart *apart,
                       const struct packs *packs, int limit, bool track);
bool group_case_like(struct group_case *c, const struct group_case *model, struct arena *arena);
void group_case_copy(struct group_case *to, const struct group_case *from);

/* Decisions; the caller propagates. */
void group_join(struct group_case *c, size_t dose, int group, const struct cause *why);
void group_open(struct group_case *c, size_t dose);
void group_cut(struct group_case *c, size_t dose, int from, int to);
void group_set_state(struct group_case *c, size_t drug, int state);
/* False when the case is closed. */
bool group_propagate(struct group_case *c, struct group_clash *clash);

/* The dose whose times those of `dose` are: itself, or the first of its group. */
static inline size_t group_unit(const struct group_case *c, size_t dose)
{
    return c->group_of[dose] == GROUP_NONE ? dose : c->first[c->group_of[dose]];
}
static inline uint64_t *group_dom(const struct group_case *c, size_t dose)
{
    return c->dom + group_unit(c, dose) * (size_t)c->problem->words;
}
/* Adds why the dose can't join the group. */
void group_why_not(const struct group_case *c, size_t dose, int group, struct cause *why);
/* Whatever happens to the others, the dose may follow the group: its times hold all of the group's, and no
 * rule of the dose can be broken at any of them. */
bool group_is_safe(const struct group_case *c, size_t dose, int group);

/* Is there a schedule in at most slots slots? Spends at most `allowance` nodes, then AGAIN. YES fills cell,
 * NO fills the tree. weight[count] is kept from run to run. */
enum outcome group_solve(struct problem *problem, const struct apart *apart, const struct packs *packs,
                         int slots, uint64_t allowance, uint32_t *weight, int *cell, struct tree *tree);
/* The first try of it, straight on: YES or AGAIN, MEMORY. */
enum outcome group_dive(struct problem *problem, const struct apart *apart, int slots, int *cell);

#endif
