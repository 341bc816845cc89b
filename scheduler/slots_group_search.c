/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can everything be taken in k slots? Depth first over "dose i is with that group, or in a slot of its own".
 * The groups are in no order, so that a bound which comes from who can't be with whom costs one case, not
 * one for each order of the slots (the scheme of D. Brelaz's DSATUR, 1979, with times). When every dose has
 * its group, the times of the groups are searched by cutting them in two.
 *
 * The dose with the fewest choices for its record of failures comes first; a dose that may follow some group
 * whatever happens is not looked at; a failure that does not follow from the last decisions is carried back
 * over them, together with its subtree.
 */
#include "scheduler/slots_group.h"

#include <string.h>

struct search {
    struct problem *problem;
    const struct apart *apart;
    const struct packs *packs;
    int slots;
    struct tree *tree;
    int cell[REGIMEN_DOSES_MAX];
    struct group_case *frame; /* one per depth, made when first needed */
    size_t frames;
    size_t frame_cap;
    uint64_t nodes;
    uint64_t allowance;
    uint64_t run_limit; /* of nodes, until the weights are used anew */
    uint32_t *weight;
    bool diving;                     /* the first failure ends the run */
    uint8_t cuts[REGIMEN_DOSES_MAX]; /* above here, of each dose's times */
};

static struct group_case *search_frame(struct search *s, size_t depth, const struct group_case *model)
{
    if (depth >= s->frame_cap)
        return NULL;
    while (s->frames <= depth) {
        if (!group_case_like(&s->frame[s->frames], model, s->problem->arena))
            return NULL;
        s->frames++;
    }
    return &s->frame[depth];
}

static void search_blame(struct search *s, const struct group_clash *clash)
{
    s->weight[clash->a]++;
    if (clash->b != clash->a)
        s->weight[clash->b]++;
}

/* A group that the dose may follow whatever happens. */
static bool search_safe(const struct group_case *c, size_t dose)
{
    for (uint64_t can = c->can[dose]; can; can &= can - 1) {
        if (group_is_safe(c, dose, __builtin_ctzll(can)))
            return true;
    }
    return false;
}

/* The open dose with the fewest choices per weight; count when there is none left. Safe doses are taken out
 * of the open ones on the way. */
static size_t search_choose(const struct search *s, struct group_case *c)
{
    for (int w = 0; w < 2 && c->groups < c->limit; w++) {
        uint64_t left = c->open[w] & s->apart->clique[w]; /* no two of them can be together */
        if (left)
            return (size_t)(w * 64 + __builtin_ctzll(left));
    }
    for (;;) {
        size_t best = s->problem->count;
        uint64_t best_size = 0;
        for (int w = 0; w < 2; w++) {
            for (uint64_t left = c->open[w]; left; left &= left - 1) {
                size_t i = (size_t)(w * 64 + __builtin_ctzll(left));
                uint64_t size = (uint64_t)__builtin_popcountll(c->can[i]) * 16;
                size += size ? (c->groups < c->limit ? 16 : 0) : 1;
                if (best == s->problem->count || size * s->weight[best] < best_size * s->weight[i]) {
                    best = i;
                    best_size = size;
                }
            }
        }
        if (best == s->problem->count || !search_safe(c, best))
            return best;
        c->open[best / 64] &= ~(UINT64_C(1) << (best % 64));
    }
}

/* How the next node is split: a dose over groups, a dose's times in two, or a drug's state. */
struct split {
    enum slots_node_kind kind; /* LEAF: not at all, there is a schedule */
    size_t what;
    int cut; /* TIME: the last cell of the earlier part */
};

/* The cell in the middle of a set: half of its members lie at or before it. */
static int cells_middle(const uint64_t *set, int words)
{
    int left = (cells_count(set, words) + 1) / 2;
    for (int c = cells_first(set, words);; c++) {
        if (cells_have(set, c) && --left == 0)
            return c;
    }
}

/* Every dose at the first time of its group; the narrower end of the first pair that objects is cut. */
static struct split search_times(struct search *s, const struct group_case *c)
{
    const struct problem *problem = s->problem;
    int words = problem->words;
    struct split split = {.kind = SLOTS_NODE_LEAF};
    int split_size = 0;
    for (size_t i = 0; i < problem->count; i++) {
        size_t unit = i;
        bool free = c->group_of[i] == GROUP_NONE;
        for (uint64_t can = free ? c->can[i] : 0; can; can &= can - 1) { /* safe with some group */
            if (group_is_safe(c, i, __builtin_ctzll(can))) {
                unit = c->first[__builtin_ctzll(can)];
                break;
            }
        }
        s->cell[i] = cells_first(group_dom(c, unit), words);
    }
    for (size_t p = 0; p < problem->pair_count; p++) {
        const struct pair *pair = &problem->pairs[p];
        if (pair_allows(pair, s->cell[pair->i], s->cell[pair->j]))
            continue;
        const size_t ends[2] = {pair->i, pair->j};
        for (int e = 0; e < 2; e++) {
            int size = cells_count(group_dom(c, ends[e]), words);
            if (size > 1 && (split.kind == SLOTS_NODE_LEAF || size < split_size)) {
                split = (struct split){.kind = SLOTS_NODE_TIME, .what = group_unit(c, ends[e])};
                split_size = size;
            }
        }
    }
    if (split.kind == SLOTS_NODE_TIME) {
        split.cut = cells_middle(group_dom(c, split.what), words);
        return split;
    }
    for (size_t i = 0; problem->states && i + 1 < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        const uint64_t *inside = problem->inside + drug * (size_t)words;
        if (problem->has_state[drug] && !c->state[drug] && problem->drug_of[i + 1] == drug &&
            cells_have(inside, s->cell[i]) != cells_have(inside, s->cell[i + 1]))
            return (struct split){.kind = SLOTS_NODE_STATE, .what = drug};
    }
    return split;
}

/* Groups that the dose may join, the roomiest first. */
static int search_order(const struct group_case *c, size_t dose, int *order)
{
    int words = c->problem->words;
    const uint64_t *own = c->dom + dose * (size_t)words;
    int room[SLOTS_MAX];
    int n = 0;
    for (uint64_t can = c->can[dose]; can; can &= can - 1) {
        int g = __builtin_ctzll(can);
        const uint64_t *shared = c->dom + c->first[g] * words;
        int size = 0;
        for (int w = 0; w < words; w++)
            size += __builtin_popcountll(shared[w] & own[w]);
        int k = n++;
        for (; k > 0 && room[k - 1] < size; k--) {
            room[k] = room[k - 1];
            order[k] = order[k - 1];
        }
        room[k] = size;
        order[k] = g;
    }
    return n;
}

static int search_node(struct search *s, struct group_case *c, size_t depth, int branch, struct cause *why);

/* One branch: decide in a copy, narrow, go on. A dive never comes back, it needs no copies. */
static int search_branch(struct search *s, struct group_case *c, size_t depth, struct split split, int value,
                         struct cause *why)
{
    struct group_case *child = s->diving ? c : search_frame(s, depth + 1, c);
    struct group_clash clash = {.a = 0, .b = 0};
    struct cause own = {{0}};
    int branch = value;
    if (!child)
        return OUTCOME_MEMORY;
    s->problem->nodes++;
    s->nodes++;
    if (s->problem->budget && s->problem->nodes > s->problem->budget)
        return OUTCOME_BUDGET;
    if (s->nodes > s->run_limit)
        return OUTCOME_AGAIN;
    if (child != c)
        group_case_copy(child, c);
    if (split.kind == SLOTS_NODE_STATE) {
        group_set_state(child, split.what, value);
    } else if (split.kind == SLOTS_NODE_TIME) {
        group_cut(child, split.what, value ? split.cut + 1 : 0, value ? s->problem->cells - 1 : split.cut);
    } else if (value == SLOTS_BRANCH_OWN) {
        group_open(child, split.what);
    } else {
        cause_add(&own, (unsigned)split.what);
        branch = c->first[value];
        group_join(child, split.what, value, &own);
    }
    if (group_propagate(child, &clash))
        return search_node(s, child, depth + 1, branch, why);
    search_blame(s, &clash);
    *why = clash.why;
    struct slots_node leaf = {.kind = clash.packed ? SLOTS_NODE_PACK : SLOTS_NODE_LEAF,
                              .branch = branch,
                              .rule = clash.rule,
                              .set = {clash.set[0], clash.set[1]}};
    return tree_add(s->tree, leaf) ? OUTCOME_NO : OUTCOME_MEMORY;
}

/* A branch that failed without the decision above it stands for the whole node. */
static void search_lift(struct tree *tree, size_t node, size_t child, int branch)
{
    if (!tree->wanted)
        return;
    memmove(&tree->row[node], &tree->row[child], (tree->count - child) * sizeof *tree->row);
    tree->count -= child - node;
    tree->row[node].branch = branch;
}

/* The choices of a split; *all gets why there are no others. */
static int search_values(const struct group_case *c, struct split split, int *value, struct cause *all)
{
    int n = 0;
    if (split.kind == SLOTS_NODE_STATE || split.kind == SLOTS_NODE_TIME) {
        value[n++] = split.kind == SLOTS_NODE_STATE ? 1 : 0;
        value[n++] = split.kind == SLOTS_NODE_STATE ? 2 : 1;
        return n;
    }
    n = search_order(c, split.what, value);
    if (c->groups < c->limit)
        value[n++] = SLOTS_BRANCH_OWN;
    if (!c->track)
        return n;
    cause_or(all, c->opened); /* the groups that there are */
    for (int g = 0; g < c->groups; g++) {
        if (!(c->can[split.what] >> g & 1))
            group_why_not(c, split.what, g, all);
    }
    return n;
}

static int search_node(struct search *s, struct group_case *c, size_t depth, int branch, struct cause *why)
{
    static const unsigned bits[] = {
        [SLOTS_NODE_GROUP] = 0, [SLOTS_NODE_STATE] = CAUSE_STATE, [SLOTS_NODE_TIME] = CAUSE_TIME};
    struct split split = {.kind = SLOTS_NODE_GROUP, .what = search_choose(s, c)};
    int value[SLOTS_MAX + 1];
    struct cause all = {{0}};
    if (split.what == s->problem->count)
        split = search_times(s, c);
    if (split.kind == SLOTS_NODE_LEAF)
        return OUTCOME_YES;
    int n = search_values(c, split, value, &all);
    unsigned bit = bits[split.kind] + (unsigned)split.what;
    size_t row = s->tree->count;
    struct slots_node node = {.kind = split.kind,
                              .dose = (uint32_t)split.what,
                              .branches = (uint32_t)n,
                              .branch = branch,
                              .minute = split.cut * s->problem->regimen->grid};
    bool cut = split.kind == SLOTS_NODE_TIME;
    if (!tree_add(s->tree, node))
        return OUTCOME_MEMORY;
    for (int k = 0; k < n; k++) {
        size_t start = s->tree->count;
        struct cause part = {{0}};
        s->cuts[split.what] = (uint8_t)(s->cuts[split.what] + cut);
        int outcome = search_branch(s, c, depth, split, value[k], &part);
        s->cuts[split.what] = (uint8_t)(s->cuts[split.what] - cut);
        if (outcome != OUTCOME_NO)
            return outcome;
        if (s->diving)
            return OUTCOME_AGAIN;
        if (!cause_has(&part, bit)) {
            search_lift(s->tree, row, start, branch);
            *why = part;
            return OUTCOME_NO;
        }
        cause_or(&all, &part);
    }
    if (!cut || s->cuts[split.what] == 0)
        cause_drop(&all, bit);
    *why = all;
    return OUTCOME_NO;
}

static enum outcome search_run(struct search *s, bool track, int *cell)
{
    struct group_case root;
    s->frame_cap = s->problem->count * 12 + s->problem->regimen->drug_count + 2;
    s->frame = arena_array(s->problem->arena, s->frame_cap, sizeof *s->frame);
    if (!s->frame || !group_case_create(&root, s->problem, s->apart, s->packs, s->slots, track))
        return OUTCOME_MEMORY;
    for (s->run_limit = s->diving ? s->allowance : s->allowance / 2;;) {
        struct cause why;
        struct group_case *start = search_frame(s, 0, &root);
        if (!start)
            return OUTCOME_MEMORY;
        group_case_copy(start, &root);
        s->tree->count = 0;
        memset(s->cuts, 0, sizeof s->cuts);
        s->run_limit = s->run_limit < s->allowance ? s->run_limit : s->allowance;
        int outcome = search_node(s, start, 0, 0, &why);
        if (outcome == OUTCOME_YES)
            memcpy(cell, s->cell, s->problem->count * sizeof *cell);
        if (outcome == OUTCOME_MEMORY && s->tree->full)
            return OUTCOME_BUDGET;
        if (outcome != OUTCOME_AGAIN || s->nodes > s->allowance || s->diving)
            return (enum outcome)outcome;
        s->run_limit = s->allowance;
    }
}

enum outcome group_solve(struct problem *problem, const struct apart *apart, const struct packs *packs,
                         int slots, uint64_t allowance, uint32_t *weight, int *cell, struct tree *tree)
{
    struct search s = {.problem = problem,
                       .apart = apart,
                       .packs = packs,
                       .slots = slots,
                       .tree = tree,
                       .allowance = allowance,
                       .weight = weight};
    return search_run(&s, true, cell);
}

enum outcome group_dive(struct problem *problem, const struct apart *apart, int slots, int *cell)
{
    struct tree none = {.wanted = false};
    uint32_t weight[REGIMEN_DOSES_MAX];
    struct search s = {.problem = problem,
                       .apart = apart,
                       .slots = slots,
                       .tree = &none,
                       .allowance = 4 * problem->count + 64,
                       .weight = weight,
                       .diving = true};
    for (size_t i = 0; i < problem->count; i++)
        weight[i] = 1;
    return search_run(&s, false, cell);
}
