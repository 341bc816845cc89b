/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can everything be taken in k slots? Depth first over "dose i is in slot p", narrowing the net after each
 * decision. When every dose has one slot left, the earliest times of the slots are a schedule: the remaining
 * rules only say "at least so much later", which have a smallest solution.
 *
 * What makes it quick: the dose with the fewest slots for its record of failures comes first (weights grow
 * with each failure and survive restarts), and a failure that does not follow from the last decisions is
 * carried back over them, together with its subtree, so that the tree holds only decisions that mattered.
 */
#include "scheduler/slots_net.h"

#include <string.h>

enum { RESTART_FIRST = 100 };

struct search {
    struct problem *problem;
    int slots;
    struct tree *tree;
    int *cell;
    struct net *frame; /* one per depth, made when first needed */
    size_t frames;
    size_t frame_cap;
    uint64_t run_nodes;
    uint64_t run_limit;
    uint32_t weight[REGIMEN_DOSES_MAX];
};

static struct net *search_frame(struct search *s, size_t depth, const struct net *model)
{
    if (depth >= s->frame_cap)
        return NULL;
    while (s->frames <= depth) {
        if (!net_create_like(&s->frame[s->frames], model, s->problem->arena))
            return NULL;
        s->frames++;
    }
    return &s->frame[depth];
}

static void search_blame(struct search *s, const struct clash *clash)
{
    if (clash->a < s->problem->count)
        s->weight[clash->a]++;
    if (clash->b < s->problem->count && clash->b != clash->a)
        s->weight[clash->b]++;
}

/* The open dose with the fewest slots per weight; count when every dose has its slot. */
static size_t search_choose(const struct search *s, const struct net *net)
{
    size_t best = s->problem->count;
    uint64_t best_size = 0;
    for (size_t i = 0; i < s->problem->count; i++) {
        uint64_t size = (uint64_t)__builtin_popcountll(net->mask[i]);
        if (size < 2)
            continue;
        if (best == s->problem->count || size * s->weight[best] < best_size * s->weight[i]) {
            best = i;
            best_size = size;
        }
    }
    return best;
}

/* A drug whose state is open while the earliest times mix inside and outside; drug_count when there is none.
 */
static size_t search_mixed_state(const struct problem *problem, const struct net *net)
{
    for (size_t d = 0; d < problem->regimen->drug_count; d++) {
        if (!problem->has_state[d] || net->state[d])
            continue;
        bool seen[2] = {false, false};
        for (size_t i = 0; i < problem->count; i++) {
            if (problem->drug_of[i] == d) {
                int cell = net_earliest(net, __builtin_ctzll(net->mask[i]));
                seen[cells_have(problem->inside + d * (size_t)problem->words, cell)] = true;
            }
        }
        if (seen[0] && seen[1])
            return d;
    }
    return problem->regimen->drug_count;
}

/* Slots of a dose in the order of trying: the roomiest first. */
static int search_order(const struct net *net, size_t dose, int *order)
{
    int words = net->problem->words;
    const uint64_t *window = net_window(net, dose);
    int room[SLOTS_MAX];
    int n = 0;
    for (uint64_t left = net->mask[dose]; left; left &= left - 1) {
        int p = __builtin_ctzll(left);
        int size = 0;
        for (int w = 0; w < words; w++)
            size += __builtin_popcountll(net->dom[p * words + w] & window[w]);
        int k = n++;
        for (; k > 0 && room[k - 1] < size; k--) {
            room[k] = room[k - 1];
            order[k] = order[k - 1];
        }
        room[k] = size;
        order[k] = p;
    }
    return n;
}

static int search_node(struct search *s, struct net *net, size_t depth, int branch, struct reason *why);

/* One branch: decide in a copy, narrow, go on. */
static int search_branch(struct search *s, const struct net *net, size_t depth, bool state, size_t what,
                         int value, struct reason *why)
{
    struct net *child = search_frame(s, depth + 1, net);
    struct clash clash = {.a = SIZE_MAX, .b = SIZE_MAX};
    if (!child)
        return OUTCOME_MEMORY;
    s->problem->nodes++;
    s->run_nodes++;
    if (s->problem->budget && s->problem->nodes > s->problem->budget)
        return OUTCOME_BUDGET;
    if (s->run_nodes > s->run_limit)
        return OUTCOME_AGAIN;
    net_copy(child, net);
    if (state)
        net_set_state(child, what, value);
    else
        net_put(child, what, value);
    if (net_propagate(child, &clash))
        return search_node(s, child, depth + 1, value, why);
    search_blame(s, &clash);
    *why = clash.why;
    struct slots_node leaf = {.kind = SLOTS_NODE_LEAF, .branch = value, .rule = clash.rule};
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

static int search_node(struct search *s, struct net *net, size_t depth, int branch, struct reason *why)
{
    const struct problem *problem = s->problem;
    size_t what = search_choose(s, net);
    bool state = what == problem->count;
    int order[SLOTS_MAX];
    int n;
    if (state) {
        what = problem->states ? search_mixed_state(problem, net) : problem->regimen->drug_count;
        if (what == problem->regimen->drug_count) {
            for (size_t i = 0; i < problem->count; i++)
                s->cell[i] = net_earliest(net, __builtin_ctzll(net->mask[i]));
            return OUTCOME_YES;
        }
        order[0] = 1;
        order[1] = 2;
        n = 2;
    } else {
        n = search_order(net, what, order);
    }
    unsigned bit = (unsigned)(state ? REGIMEN_DOSES_MAX + what : what);
    size_t row = s->tree->count;
    struct slots_node node = {.kind = state ? SLOTS_NODE_STATE : SLOTS_NODE_SLOT,
                              .dose = (uint32_t)what,
                              .branches = (uint32_t)n,
                              .branch = branch};
    if (!tree_add(s->tree, node))
        return OUTCOME_MEMORY;
    struct reason all = state ? net->state_why[what] : net->mask_why[what];
    for (int k = 0; k < n; k++) {
        size_t start = s->tree->count;
        struct reason part = {{0}};
        int outcome = search_branch(s, net, depth, state, what, order[k], &part);
        if (outcome != OUTCOME_NO)
            return outcome;
        if (!reason_has(&part, bit)) {
            search_lift(s->tree, row, start, branch);
            *why = part;
            return OUTCOME_NO;
        }
        reason_or(&all, &part);
    }
    reason_drop(&all, bit);
    *why = all;
    return OUTCOME_NO;
}

enum outcome search_solve(struct problem *problem, int slots, uint64_t allowance, int *cell,
                          struct tree *tree)
{
    struct search s = {.problem = problem, .slots = slots, .tree = tree, .cell = cell};
    struct net root;
    struct clash clash = {.a = SIZE_MAX, .b = SIZE_MAX};
    s.frame_cap = problem->count + problem->regimen->drug_count + 2;
    s.frame = arena_array(problem->arena, s.frame_cap, sizeof *s.frame);
    if (!s.frame || !net_create(&root, problem, slots, true))
        return OUTCOME_MEMORY;
    for (size_t i = 0; i < problem->count; i++)
        s.weight[i] = 1 + (problem->pair_start[i + 1] - problem->pair_start[i]) / 4;
    problem->nodes++;
    tree->count = 0;
    if (!net_propagate(&root, &clash)) {
        struct slots_node leaf = {.kind = SLOTS_NODE_LEAF, .rule = clash.rule};
        return tree_add(tree, leaf) ? OUTCOME_NO : OUTCOME_MEMORY;
    }
    for (s.run_limit = RESTART_FIRST;; s.run_limit += s.run_limit / 2) {
        struct reason why;
        allowance -= s.run_nodes < allowance ? s.run_nodes : allowance;
        if (allowance == 0)
            return OUTCOME_AGAIN;
        s.run_limit = s.run_limit < allowance ? s.run_limit : allowance;
        s.run_nodes = 0;
        tree->count = 0;
        int outcome = search_node(&s, &root, 0, 0, &why);
        if (outcome == OUTCOME_MEMORY && tree->full)
            return OUTCOME_BUDGET;
        if (outcome != OUTCOME_AGAIN)
            return (enum outcome)outcome;
    }
}
