/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is there any schedule at all, with as many slots as it likes? A search over the doses' own times.
 *
 * Each dose has a set of cells. A cell goes when some pair has no partner left for it (whole sets at a time,
 * by shifting bit sets). When every dose takes the first cell of its set and no pair objects, that is a
 * schedule; else the set of a dose of the first objecting pair is cut in two, the earlier half first. The
 * branches tried are the refutation tree when there is none.
 */
#include "scheduler/slots_pack.h"

#include <string.h>

bool tree_add(struct tree *tree, struct slots_node row)
{
    if (!tree->wanted)
        return true;
    tree->full = tree->count == SLOTS_TREE_ROWS_MAX;
    if (tree->full)
        return false;
    if (tree->count == tree->cap) {
        size_t cap = tree->cap ? 2 * tree->cap : 64;
        struct slots_node *grown = arena_array(tree->arena, cap, sizeof *grown);
        if (!grown)
            return false;
        if (tree->count)
            memcpy(grown, tree->row, tree->count * sizeof *grown);
        tree->row = grown;
        tree->cap = cap;
    }
    tree->row[tree->count++] = row;
    return true;
}

/* The functions below are inlined with a known number of words where speed matters. */
#define INLINE static inline __attribute__((always_inline))

/* set moved by d cells, later for d > 0; what leaves the day is gone. */
INLINE void cells_shift(uint64_t *out, const uint64_t *set, int d, int words)
{
    int far = d < 0 ? -d : d;
    int jump = far / 64;
    int bits = far % 64;
    for (int k = 0; k < words; k++) {
        int w = d > 0 ? words - 1 - k : k; /* out may be set */
        int from = d > 0 ? w - jump : w + jump;
        int next = d > 0 ? from - 1 : from + 1;
        uint64_t near = from >= 0 && from < words ? set[from] : 0;
        uint64_t rest = next >= 0 && next < words ? set[next] : 0;
        if (bits == 0)
            out[w] = near;
        else if (d > 0)
            out[w] = near << bits | rest >> (64 - bits);
        else
            out[w] = near >> bits | rest << (64 - bits);
    }
}

/* out |= set moved by each of from..to, which do not lie on both sides of 0 */
INLINE void cells_sweep(uint64_t *out, const uint64_t *set, int from, int to, int words)
{
    uint64_t sum[(REGIMEN_DAY + 63) / 64];
    uint64_t moved[(REGIMEN_DAY + 63) / 64];
    bool up = from >= 0;
    cells_shift(sum, set, up ? from : to, words);
    for (int done = 0; done < to - from;) {
        int step = done + 1 < to - from - done ? done + 1 : to - from - done;
        cells_shift(moved, sum, up ? step : -step, words);
        for (int w = 0; w < words; w++)
            sum[w] |= moved[w];
        done += step;
    }
    for (int w = 0; w < words; w++)
        out[w] |= sum[w];
}

/* out |= set moved by each of from..to. In two halves over 0: what the first move pushes out of the day would
 * not come back. */
INLINE void cells_smear(uint64_t *out, const uint64_t *set, int from, int to, int words)
{
    if (from < 0)
        cells_sweep(out, set, from, to < 0 ? to : 0, words);
    if (to >= 0)
        cells_sweep(out, set, from > 0 ? from : 0, to, words);
}

/* out |= the cells from..to */
INLINE void cells_fill(uint64_t *out, int from, int to, int words)
{
    for (int w = from >> 6; w <= to >> 6 && w < words; w++) {
        uint64_t run = ~UINT64_C(0);
        if (w == from >> 6)
            run &= ~UINT64_C(0) << (from & 63);
        if (w == to >> 6)
            run &= ~UINT64_C(0) >> (63 - (to & 63));
        out[w] |= run;
    }
}

/* A range of moves and the cells that it makes of a set from first..last, when it leaves no hole. */
struct reach {
    int from, to;
    int low, high; /* clipped to the day; low > high when empty */
    bool whole;
};

INLINE struct reach reach_of(int from, int to, int first, int last, int cells)
{
    struct reach r = {.from = from, .to = to, .low = first + from, .high = last + to};
    r.whole = to - from >= last - first;
    r.low = r.low > 0 ? r.low : 0;
    r.high = r.high < cells - 1 ? r.high : cells - 1;
    if (from > to)
        r.low = cells;
    return r;
}

/* One reach into out, which is empty. */
INLINE void reach_add(uint64_t *out, const struct reach *r, const uint64_t *set, int words)
{
    if (r->low > r->high)
        return;
    if (r->whole)
        cells_fill(out, r->low, r->high, words);
    else
        cells_smear(out, set, r->from, r->to, words);
}

INLINE bool support_words(const struct problem *problem, const struct pair *pair, const uint64_t *other,
                          int sign, uint64_t *out, int words)
{
    int first = cells_first(other, words);
    int last = cells_last(other, words);
    bool band = pair->before > 0 || pair->after > 0;
    int lo = pair->lo;
    int hi = pair->hi;
    int n = problem->cells;
    for (int w = 0; w < words; w++)
        out[w] = 0;
    if (first < 0)
        return true;
    int down = band && -pair->before < hi ? -pair->before : hi; /* lo..down and up..hi are allowed */
    struct reach r = sign > 0 ? reach_of(-down, -lo, first, last, n) : reach_of(lo, down, first, last, n);
    if (!band) {
        if (r.whole && r.low == 0 && r.high == n - 1)
            return false;
        reach_add(out, &r, other, words);
        return true;
    }
    int up = pair->after > lo ? pair->after : lo;
    struct reach q = sign > 0 ? reach_of(-hi, -up, first, last, n) : reach_of(up, hi, first, last, n);
    if (r.whole && q.whole && r.low <= r.high && q.low <= q.high) {
        int low = r.low < q.low ? r.low : q.low;
        int high = r.high > q.high ? r.high : q.high;
        bool joined = r.low <= q.high + 1 && q.low <= r.high + 1;
        if (joined && low == 0 && high == n - 1)
            return false;
    }
    reach_add(out, &r, other, words);
    reach_add(out, &q, other, words);
    if (pair->together && lo <= 0 && hi >= 0) {
        for (int w = 0; w < words; w++)
            out[w] |= other[w] & pair->together[w];
    }
    return true;
}

bool pair_support(const struct problem *problem, const struct pair *pair, const uint64_t *other, int sign,
                  uint64_t *out)
{
    if (problem->words == 2) /* a grid of 15 minutes */
        return support_words(problem, pair, other, sign, out, 2);
    return support_words(problem, pair, other, sign, out, problem->words);
}

static bool cells_keep(uint64_t *set, const uint64_t *keep, int words)
{
    uint64_t gone = 0;
    for (int w = 0; w < words; w++) {
        gone |= set[w] & ~keep[w];
        set[w] &= keep[w];
    }
    return gone != 0;
}

struct dirty {
    uint64_t word[2];
};

static void dirty_add(struct dirty *dirty, size_t dose)
{
    dirty->word[dose / 64] |= UINT64_C(1) << (dose % 64);
}

static bool dirty_has(const struct dirty *dirty, size_t dose)
{
    return dirty->word[dose / 64] >> (dose % 64) & 1;
}

/* All doses of a drug with state times are inside or all outside: as soon as one can only be one thing, the
 * others follow. False when one has no time left. */
static bool states_propagate(const struct problem *problem, uint64_t *dom, struct dirty *changed,
                             struct slots_rule *ret_rule)
{
    size_t words = (size_t)problem->words;
    for (size_t i = 0; i < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        const uint64_t *inside = problem->inside + drug * words;
        if (!problem->has_state[drug])
            continue;
        uint64_t in = 0;
        uint64_t out = 0;
        for (size_t w = 0; w < words; w++) {
            in |= dom[i * words + w] & inside[w];
            out |= dom[i * words + w] & ~inside[w];
        }
        if (in && out)
            continue;
        for (size_t j = 0; j < problem->count; j++) {
            if (problem->drug_of[j] != drug)
                continue;
            uint64_t gone = 0;
            uint64_t left = 0;
            for (size_t w = 0; w < words; w++) {
                uint64_t keep = out ? ~inside[w] : inside[w];
                gone |= dom[j * words + w] & ~keep;
                dom[j * words + w] &= keep;
                left |= dom[j * words + w];
            }
            if (gone)
                dirty_add(changed, j);
            if (!left) {
                *ret_rule = (struct slots_rule){SLOTS_RULE_STATE, drug};
                return false;
            }
        }
    }
    return true;
}

static bool times_pass(const struct problem *problem, uint64_t *dom, const struct dirty *old,
                       struct dirty *changed, struct slots_rule *ret_rule)
{
    size_t words = (size_t)problem->words;
    uint64_t keep[(REGIMEN_DAY + 63) / 64];
    for (size_t p = 0; p < problem->pair_count; p++) {
        const struct pair *pair = &problem->pairs[p];
        uint64_t *di = dom + pair->i * words;
        uint64_t *dj = dom + pair->j * words;
        bool fresh_i = dirty_has(old, pair->i) || dirty_has(changed, pair->i);
        bool fresh_j = dirty_has(old, pair->j) || dirty_has(changed, pair->j);
        size_t hit = SIZE_MAX;
        if (fresh_j) {
            if (pair_support(problem, pair, dj, 1, keep) && cells_keep(di, keep, problem->words)) {
                dirty_add(changed, pair->i);
                hit = pair->i;
                fresh_i = true;
            }
        }
        if (fresh_i && (hit == SIZE_MAX || !cells_empty(di, problem->words))) {
            if (pair_support(problem, pair, di, -1, keep) && cells_keep(dj, keep, problem->words)) {
                dirty_add(changed, pair->j);
                hit = pair->j;
            }
        }
        if (hit != SIZE_MAX && (cells_empty(di, problem->words) || cells_empty(dj, problem->words))) {
            *ret_rule = pair->why_apart.kind != SLOTS_RULE_TIMES ? pair->why_apart : pair->why_order;
            return false;
        }
    }
    return true;
}

bool times_propagate(const struct problem *problem, uint64_t *dom, struct slots_rule *ret_rule)
{
    struct dirty old = {{~UINT64_C(0), ~UINT64_C(0)}};
    if (problem->broken) {
        *ret_rule = problem->broken_rule;
        return false;
    }
    for (size_t i = 0; i < problem->count; i++) {
        if (cells_empty(dom + i * (size_t)problem->words, problem->words)) {
            *ret_rule = (struct slots_rule){SLOTS_RULE_WINDOW, problem->drug_of[i]};
            return false;
        }
    }
    for (;;) {
        struct dirty changed = {{0, 0}};
        if (!times_pass(problem, dom, &old, &changed, ret_rule))
            return false;
        if (problem->states && !states_propagate(problem, dom, &changed, ret_rule))
            return false;
        if (!changed.word[0] && !changed.word[1])
            return true;
        old = changed;
    }
}

/* The dose to cut next when every dose takes its first cell; count when nothing objects. */
static size_t times_objection(const struct problem *problem, const uint64_t *dom, const int *cell)
{
    int words = problem->words;
    size_t best = problem->count;
    int best_size = 0;
    for (size_t p = 0; p < problem->pair_count; p++) {
        const struct pair *pair = &problem->pairs[p];
        if (pair_allows(pair, cell[pair->i], cell[pair->j]))
            continue;
        const size_t ends[2] = {pair->i, pair->j};
        for (int e = 0; e < 2; e++) {
            int size = cells_count(dom + ends[e] * (size_t)words, words);
            if (size > 1 && (best == problem->count || size < best_size)) {
                best = ends[e];
                best_size = size;
            }
        }
    }
    if (best != problem->count || !problem->states)
        return best;
    for (size_t i = 0; i + 1 < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        const uint64_t *inside = problem->inside + drug * (size_t)words;
        if (problem->has_state[drug] && problem->drug_of[i + 1] == drug &&
            cells_have(inside, cell[i]) != cells_have(inside, cell[i + 1]))
            return cells_count(dom + i * (size_t)words, words) > 1 ? i : i + 1;
    }
    return problem->count;
}

/* The cell in the middle of a set: half of its members lie at or before it. */
static int cells_middle(const uint64_t *set, int words)
{
    int left = (cells_count(set, words) + 1) / 2;
    int cell = -1;
    for (int c = cells_first(set, words); left > 0; c++) {
        if (cells_have(set, c)) {
            cell = c;
            left--;
        }
    }
    return cell;
}

struct times_search {
    struct problem *problem;
    struct tree *tree;
    int *cell;
    struct packs packs;
    bool packs_made;
};

/* Do the doses find room at all? *ret gets the leaf when they don't. */
static enum outcome times_pack(struct times_search *s, const uint64_t *dom, struct slots_node *ret)
{
    if (!s->packs_made && !packs_create(&s->packs, s->problem, s->problem->arena))
        return OUTCOME_MEMORY;
    s->packs_made = true;
    ret->kind = SLOTS_NODE_PACK;
    return packs_overfull(&s->packs, s->problem, dom, ret->set) ? OUTCOME_NO : OUTCOME_YES;
}

/* narrowed: dom is at its fixpoint already */
static enum outcome times_node(struct times_search *s, uint64_t *dom, int branch, bool narrowed)
{
    struct problem *problem = s->problem;
    size_t words = (size_t)problem->words;
    struct slots_rule rule;
    if (problem->budget && problem->nodes >= problem->budget)
        return OUTCOME_BUDGET;
    problem->nodes++;
    if (!narrowed && !times_propagate(problem, dom, &rule)) {
        struct slots_node leaf = {.kind = SLOTS_NODE_LEAF, .branch = branch, .rule = rule};
        return tree_add(s->tree, leaf) ? OUTCOME_NO : OUTCOME_MEMORY;
    }
    for (size_t i = 0; i < problem->count; i++)
        s->cell[i] = cells_first(dom + i * words, problem->words);
    size_t dose = times_objection(problem, dom, s->cell);
    if (dose == problem->count)
        return OUTCOME_YES;
    struct slots_node full = {.branch = branch};
    enum outcome room = times_pack(s, dom, &full);
    if (room == OUTCOME_NO)
        return tree_add(s->tree, full) ? OUTCOME_NO : OUTCOME_MEMORY;
    if (room == OUTCOME_MEMORY)
        return room;
    int middle = cells_middle(dom + dose * words, problem->words);
    struct slots_node node = {.kind = SLOTS_NODE_TIME,
                              .dose = (uint32_t)dose,
                              .branches = 2,
                              .branch = branch,
                              .minute = middle * problem->regimen->grid};
    if (!tree_add(s->tree, node))
        return OUTCOME_MEMORY;
    size_t bytes = problem->count * words * sizeof *dom;
    uint64_t *child = arena_alloc(problem->arena, bytes);
    if (!child)
        return OUTCOME_MEMORY;
    memcpy(child, dom, bytes);
    (void)cells_clip(child + dose * words, problem->words, 0, middle);
    enum outcome outcome = times_node(s, child, 0, false);
    if (outcome != OUTCOME_NO)
        return outcome;
    (void)cells_clip(dom + dose * words, problem->words, middle + 1, problem->cells - 1);
    return times_node(s, dom, 1, false);
}

enum outcome times_solve(struct problem *problem, int *cell, struct tree *tree)
{
    size_t bytes = problem->count * (size_t)problem->words * sizeof(uint64_t);
    uint64_t *dom = arena_alloc(problem->arena, bytes);
    if (!dom)
        return OUTCOME_MEMORY;
    struct slots_rule rule;
    bool open = times_propagate(problem, problem->win[0], &rule);
    memcpy(dom, problem->win[0], bytes);
    struct times_search s = {.problem = problem, .tree = tree, .cell = cell};
    enum outcome outcome = times_node(&s, dom, 0, open);
    return outcome == OUTCOME_MEMORY && tree->full ? OUTCOME_BUDGET : outcome;
}
