/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner form of a regimen and the engines that work on it. Times are grid cells 0..cells-1; sets of cells
 * are bit sets of `words` 64-bit words. Everything lives in one arena. Not for use outside
 * scheduler/slots*.c.
 */
#ifndef SCHEDULER_SLOTS_PRIVATE_H
#define SCHEDULER_SLOTS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/regimen.h"
#include "scheduler/slots.h"

enum {
    PROBLEM_STATES = 3, /* 0 open, 1 all doses inside, 2 all outside */
    PROBLEM_FAR = 8192, /* beyond any difference of cells */
    RULES_MAX = 4 * REGIMEN_DRUGS_MAX + REGIMEN_SEPARATIONS_MAX + 2 * REGIMEN_PAIRS_MAX,
};

/* A set of doses (bits 0..127) and drug states (bits 128..191). */
struct reason {
    uint64_t word[3];
};

static inline void reason_or(struct reason *to, const struct reason *from)
{
    to->word[0] |= from->word[0];
    to->word[1] |= from->word[1];
    to->word[2] |= from->word[2];
}
static inline void reason_add(struct reason *to, unsigned bit)
{
    to->word[bit / 64] |= UINT64_C(1) << (bit % 64);
}
static inline void reason_drop(struct reason *to, unsigned bit)
{
    to->word[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}
static inline bool reason_has(const struct reason *set, unsigned bit)
{
    return set->word[bit / 64] >> (bit % 64) & 1;
}

/* Two doses i < j with D = t_j - t_i in cells: lo <= D <= hi, and not -before < D < after. apart: D = 0 is
 * forbidden too (before, after >= 1) unless together says at which cells it is allowed. */
struct pair {
    uint16_t i, j;
    int16_t lo, hi;
    int16_t before, after;
    const uint64_t *together; /* NULL: never at one time when before or after > 0 */
    bool never_together;      /* some rule without an exception */
    struct slots_rule why_order;
    struct slots_rule why_apart;
};

struct problem {
    const struct regimen *regimen;
    struct arena *arena;
    size_t count; /* doses */
    int cells;
    int words;
    uint64_t *win[PROBLEM_STATES]; /* count * words each; [1] and [2] cut by the drug's state times */
    uint8_t *drug_of;              /* dose -> drug */
    bool *has_state;               /* drug -> same_state applies */
    uint64_t *inside;              /* drug * words: state times */
    struct pair *pairs;
    size_t pair_count;
    uint16_t *pair_of;    /* places in pairs[], grouped by dose */
    uint32_t *pair_start; /* count + 1 */
    bool states;          /* any drug has one */
    bool broken;          /* broken_rule can't be kept at any times */
    struct slots_rule broken_rule;

    uint64_t nodes;  /* spent so far */
    uint64_t budget; /* 0: none */
    bool no_memory;
};

/* Which rules are in force: all when NULL, else bit by rule number (rules_number). */
struct rules {
    uint64_t word[(RULES_MAX + 63) / 64];
};

/* At most so many rules does it have. */
static inline size_t rules_most(const struct regimen *regimen)
{
    return 4 * regimen->drug_count + regimen->separation_count + regimen->same_slot_count +
           regimen->not_same_slot_count;
}
size_t rules_list(const struct regimen *regimen, struct slots_rule *out);
size_t rule_number(const struct regimen *regimen, struct slots_rule rule);
/* Is the rule there at all? A drug without gap bounds has no gap rule. */
bool rule_exists(const struct regimen *regimen, struct slots_rule rule);

static inline bool rules_have(const struct rules *rules, size_t number)
{
    return !rules || (rules->word[number / 64] >> (number % 64) & 1);
}

/* Compiles the regimen with the rules in force. NULL without memory. */
struct problem *problem_create(const struct regimen *regimen, const struct rules *rules, struct arena *arena);

/* The cells that have a partner in `other`, whose time minus ours (sign 1) or ours minus its (-1) the pair
 * limits. False when that is every cell of the day: out is not written then. */
bool pair_support(const struct problem *problem, const struct pair *pair, const uint64_t *other, int sign,
                  uint64_t *out);

/* Recomputes pair_of and pair_start after pairs changed. False without memory. */
bool problem_index(struct problem *problem);
/* Recomputes win[1] and win[2] after win[0] changed. */
void problem_cut_states(struct problem *problem);
/* Takes away every cell that has no partner in some pair, to the fixpoint, over dom[count * words]. False
 * when a dose has no cell left; *ret_rule names the rule that took the last one. */
bool times_propagate(const struct problem *problem, uint64_t *dom, struct slots_rule *ret_rule);

/* AGAIN: this run's own allowance is used up; another engine has its turn. */
enum outcome { OUTCOME_NO, OUTCOME_YES, OUTCOME_BUDGET, OUTCOME_MEMORY, OUTCOME_AGAIN };

/* A growing list of tree rows. */
struct tree {
    struct slots_node *row;
    size_t count;
    size_t cap;
    bool wanted;
    bool full; /* SLOTS_TREE_ROWS_MAX reached */
    struct arena *arena;
};
/* False without memory, or when the tree is full. */
bool tree_add(struct tree *tree, struct slots_node row);

/* Is there any schedule, with as many slots as it likes? YES fills cell[count]. NO fills the tree. Narrows
 * win[0] by times_propagate. */
enum outcome times_solve(struct problem *problem, int *cell, struct tree *tree);

/* The largest set of doses that are pairwise apart (exact unless huge); adjacency as bit rows. */
struct apart {
    uint64_t row[REGIMEN_DOSES_MAX][2];
    uint64_t clique[2]; /* what clique_find found */
};
void apart_build(const struct problem *problem, struct apart *apart);
size_t clique_find(const struct problem *problem, struct apart *apart, size_t *out);
/* Why two doses are apart. */
struct slots_rule apart_reason(const struct problem *problem, size_t a, size_t b);

/* Is there a schedule in at most slots slots? Spends at most `allowance` nodes, then AGAIN. YES fills
 * cell[count], NO fills the tree. */
enum outcome search_solve(struct problem *problem, int slots, uint64_t allowance, int *cell,
                          struct tree *tree);

/* The cost of a schedule in every level after the first. */
struct cost {
    int64_t soft;
    int64_t move; /* minutes, against previous times or against anchors */
    int64_t balance;
    bool by_previous;
};
/* Levels 2.. `levels` for `slots` slots; cell[] holds a schedule and becomes the best one. */
enum outcome optimise(struct problem *problem, const struct apart *apart, int slots, int levels, int *cell,
                      struct cost *ret_cost);

/* Minimal conflict of an infeasible regimen: marks in rules. */
enum outcome conflict_find(const struct regimen *regimen, struct problem *counter, struct arena *arena,
                           struct rules *ret_rules);

/* slots_solve with some rules out of force and nothing explained. */
int solve_with_rules(const struct regimen *regimen, const struct rules *rules,
                     const struct slots_options *options, struct arena *arena, struct slots_result *result,
                     struct error *err);
/* Bindings and prices. E_MEMORY. */
int explain_fill(const struct regimen *regimen, const struct slots_options *options, struct arena *arena,
                 struct slots_result *result, struct error *err);

/* Bit sets of cells. */
static inline bool cells_have(const uint64_t *set, int cell)
{
    return set[cell >> 6] >> (cell & 63) & 1;
}
static inline void cells_add(uint64_t *set, int cell)
{
    set[cell >> 6] |= UINT64_C(1) << (cell & 63);
}
static inline bool cells_empty(const uint64_t *set, int words)
{
    uint64_t any = 0;
    for (int w = 0; w < words; w++)
        any |= set[w];
    return any == 0;
}
static inline bool cells_meet(const uint64_t *a, const uint64_t *b, int words)
{
    uint64_t any = 0;
    for (int w = 0; w < words; w++)
        any |= a[w] & b[w];
    return any != 0;
}
static inline bool cells_meet3(const uint64_t *a, const uint64_t *b, const uint64_t *c, int words)
{
    uint64_t any = 0;
    for (int w = 0; w < words; w++)
        any |= a[w] & b[w] & c[w];
    return any != 0;
}
/* -1 when empty */
static inline int cells_first(const uint64_t *set, int words)
{
    for (int w = 0; w < words; w++) {
        if (set[w])
            return w * 64 + __builtin_ctzll(set[w]);
    }
    return -1;
}
static inline int cells_last(const uint64_t *set, int words)
{
    for (int w = words - 1; w >= 0; w--) {
        if (set[w])
            return w * 64 + 63 - __builtin_clzll(set[w]);
    }
    return -1;
}
static inline int cells_count(const uint64_t *set, int words)
{
    int n = 0;
    for (int w = 0; w < words; w++)
        n += __builtin_popcountll(set[w]);
    return n;
}
/* Keeps from..to; true when something went. */
static inline bool cells_clip(uint64_t *set, int words, int from, int to)
{
    bool changed = false;
    for (int w = 0; w < words; w++) {
        uint64_t keep = ~UINT64_C(0);
        int base = w * 64;
        if (from > base)
            keep = from - base >= 64 ? 0 : keep << (from - base);
        if (to < base + 63)
            keep &= to < base ? 0 : ~UINT64_C(0) >> (63 - (to - base));
        if (set[w] & ~keep) {
            set[w] &= keep;
            changed = true;
        }
    }
    return changed;
}

/* Does the pair allow these two cells? */
static inline bool pair_allows(const struct pair *pair, int ti, int tj)
{
    int d = tj - ti;
    if (d < pair->lo || d > pair->hi)
        return false;
    if (d == 0 && pair->together && cells_have(pair->together, ti))
        return true;
    return !((pair->before > 0 || pair->after > 0) && d > -pair->before && d < pair->after);
}

#endif
