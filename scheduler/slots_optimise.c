/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels 2 to 5 once the number of slots is known. Three stages, each a branch and bound over the same net:
 *   COST     least soft cost and, within it, least level 3 (one number, see slots_cost.c)
 *   BALANCE  least balance among those that cost no more
 *   LATER    dose by dose in canonical order: is there one as good with this dose earlier? Until there is
 * none
 *
 * Each node asks the relaxation for a bound and for a guess of the slots' times; a guess that breaks no rule
 * is a schedule. Else the node is split where the guess fails.
 *
 * Which to split first, doses over slots or slots over cells, decides between milliseconds and minutes, and
 * no one order is best. So both take turns with a growing allowance of nodes; what one finds bounds the
 * other.
 */
#include "scheduler/slots_cost.h"

#include <string.h>

enum { RUN_FIRST = 300, GUESS_DOSES_MAX = 5 };

enum stage { STAGE_COST, STAGE_BALANCE, STAGE_LATER };

struct optimiser {
    struct problem *problem;
    struct costs costs;
    int slots;
    enum stage stage;
    int64_t best_cost;    /* COST: find less; else: do not exceed */
    int64_t best_balance; /* BALANCE: find less; LATER: do not exceed */
    bool levels_balance;  /* level 4 counts */
    bool found;
    bool slots_first; /* the order of splitting of this run */
    uint64_t run_nodes;
    uint64_t run_limit;
    int best[REGIMEN_DOSES_MAX];
    uint32_t weight[REGIMEN_DOSES_MAX]; /* failures that a dose had a part in */
    struct clique *clique;
    size_t cliques;
    struct packs packs;
    int64_t spread[REGIMEN_DRUGS_MAX]; /* the bound of level 4 at the node at hand, drug by drug */
    struct net *frame;
    size_t frames;
    size_t frame_cap;
};

static struct net *optimiser_frame(struct optimiser *o, size_t depth, const struct net *model)
{
    if (depth >= o->frame_cap) {
        size_t cap = o->frame_cap ? 2 * o->frame_cap : 64;
        struct net *grown = arena_array(o->problem->arena, cap, sizeof *grown);
        if (!grown)
            return NULL;
        if (o->frames)
            memcpy(grown, o->frame, o->frames * sizeof *grown);
        o->frame = grown;
        o->frame_cap = cap;
    }
    while (o->frames <= depth) {
        if (!net_create_like(&o->frame[o->frames], model, o->problem->arena))
            return NULL;
        o->frames++;
    }
    return &o->frame[depth];
}

static bool states_hold(const struct problem *problem, const int *cell)
{
    for (size_t i = 0; i + 1 < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        if (problem->drug_of[i + 1] != drug || !problem->has_state[drug])
            continue;
        const uint64_t *inside = problem->inside + drug * (size_t)problem->words;
        if (cells_have(inside, cell[i]) != cells_have(inside, cell[i + 1]))
            return false;
    }
    return true;
}

/* The best places of one drug's doses at the guessed slots: least cost, then least spread. */
struct spreading {
    const struct optimiser *o;
    const struct net *net;
    const int *slot_cell;
    size_t drug, first, count;
    int64_t best_cost, best_spread;
    int *best;
    int cell[GUESS_DOSES_MAX];
};

static void spreading_walk(struct spreading *s, size_t dose, int64_t cost, int before)
{
    if (cost > s->best_cost)
        return;
    if (dose == s->count) {
        int64_t spread = cost_balance_drug(&s->o->costs, s->drug, s->cell);
        if (cost < s->best_cost || spread < s->best_spread) {
            s->best_cost = cost;
            s->best_spread = spread;
            memcpy(s->best, s->cell, s->count * sizeof *s->best);
        }
        return;
    }
    size_t flat = s->first + dose;
    const uint64_t *window = net_window(s->net, flat);
    for (uint64_t left = s->net->mask[flat]; left; left &= left - 1) {
        int c = s->slot_cell[__builtin_ctzll(left)];
        if (c <= before || !cells_have(window, c))
            continue;
        s->cell[dose] = c;
        int64_t own = s->o->costs.dose[flat * (size_t)s->o->problem->cells + (size_t)c];
        spreading_walk(s, dose + 1, cost + own, c);
    }
}

/* Puts every dose where the guessed slots cost it least. False when one fits nowhere. */
static bool guess_fill(const struct optimiser *o, const struct net *net, const int *slot_cell, int *cell)
{
    const struct problem *problem = o->problem;
    for (size_t i = 0; i < problem->count; i++) {
        const uint64_t *window = net_window(net, i);
        int64_t least = COST_NEVER;
        for (uint64_t left = net->mask[i]; left; left &= left - 1) {
            int c = slot_cell[__builtin_ctzll(left)];
            int64_t cost = o->costs.dose[i * (size_t)problem->cells + (size_t)c];
            if (cells_have(window, c) && cost < least) {
                least = cost;
                cell[i] = c;
            }
        }
        if (least == COST_NEVER)
            return false;
    }
    size_t first = 0;
    for (size_t d = 0; o->stage != STAGE_COST && o->levels_balance && d < problem->regimen->drug_count; d++) {
        struct spreading s = {.o = o, .net = net, .slot_cell = slot_cell, .drug = d, .first = first};
        s.count = problem->regimen->drugs[d].dose_count;
        first += s.count;
        s.best = cell + s.first;
        s.best_cost = COST_NEVER;
        if (o->costs.balanced[d] && s.count <= GUESS_DOSES_MAX)
            spreading_walk(&s, 0, 0, -1);
    }
    return true;
}

/* The first pair that the guess breaks; pair_count when none. */
static size_t guess_broken(const struct problem *problem, const int *cell)
{
    for (size_t p = 0; p < problem->pair_count; p++) {
        const struct pair *pair = &problem->pairs[p];
        if (!pair_allows(pair, cell[pair->i], cell[pair->j]))
            return p;
    }
    return problem->pair_count;
}

/* Notes a legal schedule; true when the stage has what it wanted. */
static bool optimiser_note(struct optimiser *o, const int *cell)
{
    int64_t cost = cost_total(&o->costs, cell);
    size_t bytes = o->problem->count * sizeof *cell;
    if (o->stage == STAGE_COST) {
        if (cost < o->best_cost) {
            o->best_cost = cost;
            o->found = true;
            memcpy(o->best, cell, bytes);
        }
        return false;
    }
    if (cost > o->best_cost)
        return false;
    int64_t balance = o->levels_balance ? cost_balance(&o->costs, cell) : 0;
    if (o->stage == STAGE_BALANCE ? balance < o->best_balance : balance <= o->best_balance) {
        o->best_balance = balance;
        o->found = true;
        memcpy(o->best, cell, bytes);
        return o->stage == STAGE_LATER;
    }
    return false;
}

/* A way to split a node: a dose over its slots, a slot's cells in two, or a drug's state. */
struct split {
    enum { SPLIT_NONE, SPLIT_DOSE, SPLIT_SLOT, SPLIT_STATE } kind;
    size_t what;
    int at; /* SLOT: the first cell of the later part */
};

static bool optimiser_narrow(struct optimiser *o, struct net *net)
{
    struct clash clash = {.a = SIZE_MAX, .b = SIZE_MAX};
    if (net_cover(net, o->clique, o->cliques, &o->packs, &clash))
        return true;
    if (clash.a < o->problem->count)
        o->weight[clash.a]++;
    if (clash.b < o->problem->count && clash.b != clash.a)
        o->weight[clash.b]++;
    return false;
}

static bool dose_open(const struct net *net, size_t dose)
{
    return (net->mask[dose] & (net->mask[dose] - 1)) != 0;
}

/* The open dose with the fewest slots among those of the pairs that the guess breaks, else among those whose
 * drug level 4 counts, else among all. */
static size_t split_dose(const struct optimiser *o, const struct net *net, const int *cell)
{
    const struct problem *problem = o->problem;
    size_t best = problem->count;
    int best_class = 0;
    uint64_t best_size = 0;
    bool blamed[REGIMEN_DOSES_MAX] = {false};
    int64_t gain[REGIMEN_DRUGS_MAX] = {0}; /* what the guess has above the bound of level 4 */
    size_t first = 0;
    for (size_t d = 0;
         cell && o->stage != STAGE_COST && o->levels_balance && d < problem->regimen->drug_count; d++) {
        if (o->costs.balanced[d])
            gain[d] = cost_balance_drug(&o->costs, d, cell + first) - o->spread[d];
        first += problem->regimen->drugs[d].dose_count;
    }
    for (size_t p = 0; cell && p < problem->pair_count; p++) {
        const struct pair *pair = &problem->pairs[p];
        if (!pair_allows(pair, cell[pair->i], cell[pair->j])) {
            blamed[pair->i] = true;
            blamed[pair->j] = true;
        }
    }
    for (size_t i = 0; i < problem->count; i++) {
        if (!dose_open(net, i))
            continue;
        int class = blamed[i] ? 0 : gain[problem->drug_of[i]] > 0 ? 1 : 2;
        uint64_t size = (uint64_t)__builtin_popcountll(net->mask[i]);
        if (best == problem->count || class < best_class ||
            (class == best_class && size * o->weight[best] < best_size * o->weight[i])) {
            best = i;
            best_class = class;
            best_size = size;
        }
    }
    return best;
}

/* Two settled doses that the guess puts at a forbidden difference: cut one slot where the guess stands. */
static struct split split_slots(const struct net *net, const int *slot_cell)
{
    int k = net->slots;
    for (int a = 0; a < k; a++) {
        for (int b = 0; b < k; b++) {
            if (a == b || slot_cell[b] - slot_cell[a] >= *net_dist(net, a, b))
                continue;
            /* b must be later or a earlier */
            if (slot_cell[a] > net_earliest(net, a))
                return (struct split){.kind = SPLIT_SLOT, .what = (size_t)a, .at = slot_cell[a]};
            if (slot_cell[b] < net_latest(net, b))
                return (struct split){.kind = SPLIT_SLOT, .what = (size_t)b, .at = slot_cell[b] + 1};
        }
    }
    return (struct split){.kind = SPLIT_NONE};
}

/* The narrowest slot that still has a choice, cut in the middle; with `held` only one that may hold doses
 * which level 4 counts: once those slots stand still, its bound is exact drug by drug. */
static struct split split_narrowest(const struct optimiser *o, const struct net *net, bool held)
{
    const struct problem *problem = o->problem;
    int best = -1;
    int best_size = 0;
    uint64_t may = 0;
    for (size_t i = 0; i < problem->count; i++) {
        if (!held || o->costs.balanced[problem->drug_of[i]])
            may |= net->mask[i];
    }
    for (int p = 0; p < net->slots; p++) {
        int size = cells_count(net->dom + p * problem->words, problem->words);
        if ((may >> p & 1) && size > 1 && (best < 0 || size < best_size)) {
            best = p;
            best_size = size;
        }
    }
    if (best < 0)
        return (struct split){.kind = SPLIT_NONE};
    int middle = (net_earliest(net, best) + net_latest(net, best) + 1) / 2;
    return (struct split){.kind = SPLIT_SLOT, .what = (size_t)best, .at = middle};
}

static struct split optimiser_split(const struct optimiser *o, const struct net *net, const int *slot_cell,
                                    const int *cell, bool legal)
{
    const struct problem *problem = o->problem;
    if (o->slots_first && (o->stage == STAGE_COST || o->levels_balance)) {
        struct split early = split_narrowest(o, net, o->stage != STAGE_COST);
        if (early.kind != SPLIT_NONE)
            return early;
    }
    size_t dose = split_dose(o, net, cell);
    if (dose != problem->count)
        return (struct split){.kind = SPLIT_DOSE, .what = dose};
    struct split split = {.kind = SPLIT_NONE};
    if (!legal)
        split = split_slots(net, slot_cell);
    if (split.kind == SPLIT_NONE && problem->states) {
        for (size_t d = 0; d < problem->regimen->drug_count; d++) {
            if (problem->has_state[d] && !net->state[d])
                return (struct split){.kind = SPLIT_STATE, .what = d};
        }
    }
    return split.kind == SPLIT_NONE ? split_narrowest(o, net, false) : split;
}

static enum outcome optimiser_node(struct optimiser *o, struct net *net, size_t depth);

static enum outcome optimiser_branch(struct optimiser *o, const struct net *net, size_t depth,
                                     struct split split, int value)
{
    struct net *child = optimiser_frame(o, depth + 1, net);
    if (!child)
        return OUTCOME_MEMORY;
    o->problem->nodes++;
    if (o->problem->budget && o->problem->nodes > o->problem->budget)
        return OUTCOME_BUDGET;
    if (++o->run_nodes > o->run_limit)
        return OUTCOME_AGAIN;
    struct net copy = *child; /* frames may move while the subtree grows */
    net_copy(&copy, net);
    if (split.kind == SPLIT_DOSE)
        net_put(&copy, split.what, value);
    else if (split.kind == SPLIT_STATE)
        net_set_state(&copy, split.what, value + 1);
    else if (value == 0)
        net_clip(&copy, (int)split.what, 0, split.at - 1);
    else
        net_clip(&copy, (int)split.what, split.at, o->problem->cells - 1);
    if (!optimiser_narrow(o, &copy))
        return OUTCOME_NO;
    return optimiser_node(o, &copy, depth + 1);
}

/* Values of a split, the guess's own first. */
static int split_values(const struct optimiser *o, const struct net *net, struct split split,
                        const int *slot_cell, int *value)
{
    if (split.kind != SPLIT_DOSE) {
        bool later = split.kind == SPLIT_SLOT && slot_cell[split.what] >= split.at;
        value[0] = later ? 1 : 0;
        value[1] = later ? 0 : 1;
        return 2;
    }
    int64_t cost[SLOTS_MAX];
    int n = 0;
    for (uint64_t left = net->mask[split.what]; left; left &= left - 1) {
        int p = __builtin_ctzll(left);
        int c = slot_cell[p];
        int64_t own = cells_have(net_window(net, split.what), c)
                          ? o->costs.dose[split.what * (size_t)o->problem->cells + (size_t)c]
                          : COST_NEVER;
        int k = n++;
        for (; k > 0 && cost[k - 1] > own; k--) {
            cost[k] = cost[k - 1];
            value[k] = value[k - 1];
        }
        cost[k] = own;
        value[k] = p;
    }
    return n;
}

static bool optimiser_hopeless(struct optimiser *o, const struct net *net, int64_t cost)
{
    if (cost >= COST_NEVER)
        return true;
    if (o->stage == STAGE_COST)
        return cost >= o->best_cost;
    if (cost > o->best_cost)
        return true;
    if (!o->levels_balance)
        return false;
    int64_t balance = cost_balance_bound(&o->costs, net, o->spread);
    return o->stage == STAGE_BALANCE ? balance >= o->best_balance : balance > o->best_balance;
}

static enum outcome optimiser_node(struct optimiser *o, struct net *net, size_t depth)
{
    int slot_cell[SLOTS_MAX];
    int cell[REGIMEN_DOSES_MAX];
    if (o->stage != STAGE_COST && optimiser_hopeless(o, net, 0))
        return OUTCOME_NO;
    int64_t bound = cost_relax(&o->costs, net, slot_cell);
    if (optimiser_hopeless(o, net, bound))
        return OUTCOME_NO;
    while (cost_filter(&o->costs, net, o->stage == STAGE_COST ? o->best_cost - 1 : o->best_cost)) {
        if (!optimiser_narrow(o, net))
            return OUTCOME_NO;
        bound = cost_relax(&o->costs, net, slot_cell);
        if (optimiser_hopeless(o, net, bound))
            return OUTCOME_NO;
    }
    bool filled = guess_fill(o, net, slot_cell, cell);
    bool legal = filled && guess_broken(o->problem, cell) == o->problem->pair_count &&
                 (!o->problem->states || states_hold(o->problem, cell));
    if (legal) {
        if (optimiser_note(o, cell))
            return OUTCOME_YES;
        if (optimiser_hopeless(o, net, bound))
            return OUTCOME_NO;
    }
    struct split split = optimiser_split(o, net, slot_cell, filled ? cell : NULL, legal);
    if (split.kind == SPLIT_NONE)
        return OUTCOME_NO;
    int value[SLOTS_MAX];
    int n = split_values(o, net, split, slot_cell, value);
    for (int k = 0; k < n; k++) {
        enum outcome outcome = optimiser_branch(o, net, depth, split, value[k]);
        if (outcome != OUTCOME_NO)
            return outcome;
    }
    return OUTCOME_NO;
}

/* One stage from the root. */
static enum outcome optimiser_run(struct optimiser *o, enum stage stage)
{
    struct net root;
    o->stage = stage;
    o->found = false;
    if (!net_create(&root, o->problem, o->slots, false))
        return OUTCOME_MEMORY;
    o->problem->nodes++;
    if (!optimiser_narrow(o, &root))
        return OUTCOME_NO;
    struct net start;
    if (!net_create_like(&start, &root, o->problem->arena))
        return OUTCOME_MEMORY;
    o->slots_first = false;
    o->run_limit = RUN_FIRST;
    for (;;) {
        net_copy(&start, &root);
        o->run_nodes = 0;
        enum outcome outcome = optimiser_node(o, &start, 0);
        if (outcome != OUTCOME_AGAIN)
            return outcome;
        if (o->slots_first)
            o->run_limit *= 3;
        o->slots_first = !o->slots_first;
    }
}

/* Level 5. The windows of the problem are narrowed to what is settled, dose by dose. */
static enum outcome optimiser_smallest(struct optimiser *o, int *cell)
{
    struct problem *problem = o->problem;
    size_t words = (size_t)problem->words;
    size_t bytes = problem->count * words * sizeof(uint64_t);
    uint64_t *settled = arena_alloc(problem->arena, bytes);
    if (!settled)
        return OUTCOME_MEMORY;
    memcpy(settled, problem->win[0], bytes);
    for (size_t i = 0; i < problem->count; i++) {
        uint64_t *mine = settled + i * words;
        struct slots_rule rule;
        for (;;) {
            memcpy(problem->win[0], settled, bytes);
            (void)cells_clip(problem->win[0] + i * words, problem->words, 0, cell[i] - 1);
            if (cells_empty(problem->win[0] + i * words, problem->words) ||
                !times_propagate(problem, problem->win[0], &rule))
                break;
            problem_cut_states(problem);
            enum outcome outcome = optimiser_run(o, STAGE_LATER);
            if (outcome == OUTCOME_BUDGET || outcome == OUTCOME_MEMORY)
                return outcome;
            if (!o->found)
                break;
            memcpy(cell, o->best, problem->count * sizeof *cell);
        }
        (void)cells_clip(mine, problem->words, cell[i], cell[i]);
    }
    return OUTCOME_YES;
}

enum outcome optimise(struct problem *problem, const struct apart *apart, int slots, int levels, int *cell,
                      struct cost *ret_cost)
{
    struct optimiser o = {.problem = problem, .slots = slots, .levels_balance = levels >= 4};
    if (!costs_create(&o.costs, problem, levels >= 2 ? slots : 0, problem->arena))
        return OUTCOME_MEMORY;
    for (size_t i = 0; i < problem->count; i++)
        o.weight[i] = 1;
    if (levels >= 2) {
        o.clique = arena_array(problem->arena, CLIQUES_MAX + 1, sizeof *o.clique);
        if (!o.clique)
            return OUTCOME_MEMORY;
        o.cliques = cliques_list(problem, apart, o.clique);
        if (!twins_break(problem, &o.costs, cell) || !packs_create(&o.packs, problem, problem->arena))
            return OUTCOME_MEMORY;
    }
    enum outcome outcome = OUTCOME_YES;
    o.best_cost = cost_total(&o.costs, cell);
    if (levels >= 2) {
        outcome = optimiser_run(&o, STAGE_COST);
        if (o.found)
            memcpy(cell, o.best, problem->count * sizeof *cell);
    }
    o.best_balance = cost_balance(&o.costs, cell);
    if (levels >= 4 && outcome != OUTCOME_BUDGET && outcome != OUTCOME_MEMORY && o.best_balance > 0) {
        outcome = optimiser_run(&o, STAGE_BALANCE);
        if (o.found)
            memcpy(cell, o.best, problem->count * sizeof *cell);
    }
    if (levels >= 5 && outcome != OUTCOME_BUDGET && outcome != OUTCOME_MEMORY)
        outcome = optimiser_smallest(&o, cell);
    int64_t total = cost_total(&o.costs, cell);
    *ret_cost = (struct cost){.soft = total / COST_SOFT,
                              .move = total % COST_SOFT,
                              .balance = cost_balance(&o.costs, cell),
                              .by_previous = o.costs.by_previous};
    return outcome == OUTCOME_NO ? OUTCOME_YES : outcome;
}
