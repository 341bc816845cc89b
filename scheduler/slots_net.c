/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of propagation (the verifier has its own writing of the same list):
 *   N1  slots are in order, and differences of times are closed under addition
 *   N2  a slot's cells lie between its earliest and latest time, and those are among its cells
 *   N3  a dose may go to a slot only when some cell of the slot is in the dose's window
 *   N4  a dose with one slot left confines the slot to its window
 *   N5  a dose's first possible slot is not later than its window's end, its last not earlier than its start
 *   N6  for each pair, a slot of one dose needs a slot of the other at an allowed difference
 *   N7  for each pair, the difference between extreme slots follows the pair's limits
 *   N8  all doses of a drug with same_state times inside or all outside
 */
#include "scheduler/slots_net.h"

#include <string.h>

struct work {
    struct net *net;
    struct clash *clash;
    uint64_t slots_dirty;           /* cells changed since the windows were looked at */
    uint64_t dose_dirty[2];         /* slots of the dose changed since the pairs were looked at */
    uint64_t dist_dirty[SLOTS_MAX]; /* slot -> slots whose difference to it changed since then */
    bool changed;
};

static size_t net_bytes(const struct problem *problem, int slots, bool track)
{
    size_t k = (size_t)slots;
    size_t n = problem->count;
    size_t drugs = problem->regimen->drug_count;
    size_t bytes = n * 8 + k * (size_t)problem->words * 8;
    if (track)
        bytes += (n + k + (k + 1) * (k + 1) + drugs) * sizeof(struct reason);
    bytes += (k + 1) * (k + 1) * sizeof(int16_t) + drugs;
    return bytes;
}

/* Lays the arrays out in one block, widest first. */
static void net_place(struct net *net, uint8_t *block)
{
    size_t k = (size_t)net->slots;
    size_t n = net->problem->count;
    size_t drugs = net->problem->regimen->drug_count;
    uint64_t *wide = (uint64_t *)(void *)block;
    net->mask = wide;
    net->dom = net->mask + n;
    wide = net->dom + k * (size_t)net->problem->words;
    if (net->track) {
        net->mask_why = (struct reason *)(void *)wide;
        net->dom_why = net->mask_why + n;
        net->dist_why = net->dom_why + k;
        net->state_why = net->dist_why + (k + 1) * (k + 1);
        wide = (uint64_t *)(void *)(net->state_why + drugs);
    }
    net->dist = (int16_t *)(void *)wide;
    net->state = (uint8_t *)(net->dist + (k + 1) * (k + 1));
}

static bool net_alloc(struct net *net, struct arena *arena)
{
    net->bytes = net_bytes(net->problem, net->slots, net->track);
    uint8_t *block = arena_alloc(arena, net->bytes);
    if (!block)
        return false;
    net_place(net, block);
    return true;
}

bool net_create(struct net *net, struct problem *problem, int slots, bool track)
{
    *net = (struct net){.problem = problem,
                        .slots = slots,
                        .track = track,
                        .slots_dirty = ~UINT64_C(0),
                        .dose_dirty = {~UINT64_C(0), ~UINT64_C(0)}};
    if (!net_alloc(net, problem->arena))
        return false;
    for (size_t i = 0; i < problem->count; i++)
        net->mask[i] = ~UINT64_C(0) >> (64 - slots);
    for (int p = 0; p < slots; p++) {
        for (int c = p; c <= problem->cells - slots + p; c++)
            cells_add(net->dom + p * problem->words, c);
    }
    for (int a = 0; a <= slots; a++) {
        int latest = a < slots ? problem->cells - slots + a : 0;
        for (int b = 0; b <= slots; b++) {
            int earliest = b < slots ? b : 0;
            int least = earliest - latest;
            if (a < slots && b < slots && b > a && b - a > least)
                least = b - a;
            *net_dist(net, a, b) = (int16_t)(a == b ? 0 : least);
        }
    }
    return true;
}

bool net_create_like(struct net *net, const struct net *model, struct arena *arena)
{
    *net = *model;
    return net_alloc(net, arena);
}

void net_copy(struct net *to, const struct net *from)
{
    memcpy(to->mask, from->mask, from->bytes);
    to->slots_dirty = from->slots_dirty;
    to->dose_dirty[0] = from->dose_dirty[0];
    to->dose_dirty[1] = from->dose_dirty[1];
}

void net_put(struct net *net, size_t dose, int slot)
{
    net->mask[dose] = UINT64_C(1) << slot;
    net->dose_dirty[dose / 64] |= UINT64_C(1) << (dose % 64);
    if (net->track)
        reason_add(&net->mask_why[dose], (unsigned)dose);
}

void net_set_state(struct net *net, size_t drug, int state)
{
    net->state[drug] = (uint8_t)state;
    net->slots_dirty = ~UINT64_C(0); /* the windows of its doses changed */
    if (net->track)
        reason_add(&net->state_why[drug], (unsigned)(REGIMEN_DOSES_MAX + drug));
}

void net_clip(struct net *net, int slot, int from, int to)
{
    if (cells_clip(net->dom + slot * net->problem->words, net->problem->words, from, to))
        net_touch(net, slot);
}

static bool work_fail(struct work *w, const struct reason *why, struct slots_rule rule, size_t a, size_t b)
{
    if (w->net->track && why)
        w->clash->why = *why;
    w->clash->rule = rule;
    w->clash->a = a;
    w->clash->b = b;
    return false;
}

/* time of b - time of a is at least `least`. N1 */
static bool work_edge(struct work *w, int a, int b, int least, const struct reason *why,
                      struct slots_rule rule, size_t dose_a, size_t dose_b)
{
    struct net *net = w->net;
    int nodes = net->slots + 1;
    if (least <= *net_dist(net, a, b))
        return true;
    if (*net_dist(net, b, a) + least > 0) {
        if (net->track) {
            struct reason both = net->dist_why[b * nodes + a];
            reason_or(&both, why);
            return work_fail(w, &both, rule, dose_a, dose_b);
        }
        return work_fail(w, NULL, rule, dose_a, dose_b);
    }
    w->changed = true;
    for (int x = 0; x < nodes; x++) {
        int to_a = *net_dist(net, x, a);
        int16_t *row = net->dist + x * nodes;
        const int16_t *from_b = net->dist + b * nodes;
        for (int y = 0; y < nodes; y++) {
            int through = to_a + least + from_b[y];
            if (through <= row[y])
                continue;
            row[y] = (int16_t)through;
            if (x < net->slots && y < net->slots) {
                w->dist_dirty[x] |= UINT64_C(1) << y;
                w->dist_dirty[y] |= UINT64_C(1) << x;
            }
            if (net->track) {
                struct reason *to = &net->dist_why[x * nodes + y];
                struct reason sum = *why;
                reason_or(&sum, &net->dist_why[x * nodes + a]);
                reason_or(&sum, &net->dist_why[b * nodes + y]);
                *to = sum;
            }
        }
    }
    return true;
}

bool net_spread(struct net *net, int a, int b, int least)
{
    struct clash clash;
    struct work w = {.net = net, .clash = &clash};
    if (!work_edge(&w, a, b, least, NULL, (struct slots_rule){SLOTS_RULE_SLOTS, 0}, SIZE_MAX, SIZE_MAX))
        return false;
    if (w.changed) { /* any pair may care */
        net->slots_dirty = ~UINT64_C(0);
        net->dose_dirty[0] = ~UINT64_C(0);
        net->dose_dirty[1] = ~UINT64_C(0);
    }
    return true;
}

/* N2, to its own fixpoint. */
static bool work_trim(struct work *w)
{
    struct net *net = w->net;
    int words = net->problem->words;
    int nodes = net->slots + 1;
    const struct slots_rule slots_rule = {SLOTS_RULE_SLOTS, 0};
    for (bool again = true; again;) {
        again = false;
        for (int p = 0; p < net->slots; p++) {
            uint64_t *dom = net->dom + p * words;
            if (cells_clip(dom, words, net_earliest(net, p), net_latest(net, p))) {
                w->slots_dirty |= UINT64_C(1) << p;
                w->changed = true;
                if (net->track) {
                    reason_or(&net->dom_why[p], &net->dist_why[net->slots * nodes + p]);
                    reason_or(&net->dom_why[p], &net->dist_why[p * nodes + net->slots]);
                }
            }
            int first = cells_first(dom, words);
            if (first < 0)
                return work_fail(w, net->track ? &net->dom_why[p] : NULL, slots_rule, SIZE_MAX, SIZE_MAX);
            int last = cells_last(dom, words);
            if (first > net_earliest(net, p)) {
                again = true;
                if (!work_edge(w, net->slots, p, first, net->track ? &net->dom_why[p] : NULL, slots_rule,
                               SIZE_MAX, SIZE_MAX))
                    return false;
            }
            if (last < net_latest(net, p)) {
                again = true;
                if (!work_edge(w, p, net->slots, -last, net->track ? &net->dom_why[p] : NULL, slots_rule,
                               SIZE_MAX, SIZE_MAX))
                    return false;
            }
        }
    }
    return true;
}

/* N3, N4, N5 for one dose. */
static bool work_window(struct work *w, size_t dose)
{
    struct net *net = w->net;
    const struct problem *problem = net->problem;
    int words = problem->words;
    size_t drug = problem->drug_of[dose];
    const struct slots_rule rule = {net->state[drug] ? SLOTS_RULE_STATE : SLOTS_RULE_WINDOW, drug};
    const uint64_t *window = net_window(net, dose);
    uint64_t mask = net->mask[dose];
    for (uint64_t left = mask; left; left &= left - 1) {
        int p = __builtin_ctzll(left);
        if (cells_meet(net->dom + p * words, window, words))
            continue;
        mask &= ~(UINT64_C(1) << p);
        if (net->track) {
            reason_or(&net->mask_why[dose], &net->dom_why[p]);
            reason_or(&net->mask_why[dose], &net->state_why[drug]);
        }
    }
    if (mask != net->mask[dose]) {
        net->mask[dose] = mask;
        w->dose_dirty[dose / 64] |= UINT64_C(1) << (dose % 64);
        w->changed = true;
    }
    struct reason why = {{0}};
    if (net->track) {
        why = net->mask_why[dose];
        reason_or(&why, &net->state_why[drug]);
    }
    if (!mask)
        return work_fail(w, &why, rule, dose, dose);
    int low = __builtin_ctzll(mask);
    int high = 63 - __builtin_clzll(mask);
    if (low == high) {
        uint64_t gone = 0;
        for (int k = 0; k < words; k++) {
            gone |= net->dom[low * words + k] & ~window[k];
            net->dom[low * words + k] &= window[k];
        }
        if (gone) {
            w->slots_dirty |= UINT64_C(1) << low;
            w->changed = true;
            if (net->track)
                reason_or(&net->dom_why[low], &why);
        }
        return true;
    }
    return work_edge(w, low, net->slots, -cells_last(window, words), &why, rule, dose, dose) &&
           work_edge(w, net->slots, high, cells_first(window, words), &why, rule, dose, dose);
}

/* The differences time(q) - time(p) that a pair allows for the doses in slots p and q, p != q. */
static void pair_range(const struct pair *pair, int p, int q, int *from, int *to)
{
    *from = pair->lo;
    *to = pair->hi;
    if (p < q) {
        int least = pair->after > 1 ? pair->after : 1;
        *from = *from > least ? *from : least;
    } else {
        int most = pair->before > 1 ? -pair->before : -1;
        *to = *to < most ? *to : most;
    }
}

/* Could the doses be in one slot, whatever slot it is? */
static bool pair_may_join(const struct pair *pair)
{
    return pair->lo <= 0 && pair->hi >= 0 && ((pair->before == 0 && pair->after == 0) || pair->together);
}

static bool pair_fits(const struct net *net, const struct pair *pair, int p, int q)
{
    int words = net->problem->words;
    if (p == q) {
        const uint64_t *dom = net->dom + p * words;
        if (!pair_may_join(pair))
            return false;
        if ((pair->before > 0 || pair->after > 0) && !cells_meet(dom, pair->together, words))
            return false;
        return cells_meet3(dom, net_window(net, pair->i), net_window(net, pair->j), words);
    }
    int from;
    int to;
    pair_range(pair, p, q, &from, &to);
    return from <= to && *net_dist(net, p, q) <= to && -*net_dist(net, q, p) >= from;
}

/* The facts behind a misfit of slots p and q. */
static void pair_blame(const struct net *net, const struct pair *pair, int p, int q, struct reason *why)
{
    int nodes = net->slots + 1;
    if (p != q) {
        reason_or(why, &net->dist_why[p * nodes + q]);
        reason_or(why, &net->dist_why[q * nodes + p]);
        return;
    }
    if (!pair_may_join(pair))
        return;
    reason_or(why, &net->dom_why[p]);
    reason_or(why, &net->state_why[net->problem->drug_of[pair->i]]);
    reason_or(why, &net->state_why[net->problem->drug_of[pair->j]]);
}

static struct slots_rule pair_rule(const struct pair *pair)
{
    return pair->why_apart.kind != SLOTS_RULE_TIMES ? pair->why_apart : pair->why_order;
}

static bool work_mask(struct work *w, size_t dose, uint64_t keep, const struct reason *why,
                      const struct pair *pair)
{
    struct net *net = w->net;
    if (net->mask[dose] == keep)
        return true;
    net->mask[dose] = keep;
    w->dose_dirty[dose / 64] |= UINT64_C(1) << (dose % 64);
    w->changed = true;
    if (net->track)
        reason_or(&net->mask_why[dose], why);
    if (!keep)
        return work_fail(w, net->track ? &net->mask_why[dose] : NULL, pair_rule(pair), pair->i, pair->j);
    return true;
}

/* The misfits of all slots in mi and mj, and the decisions that left those. */
static void pair_blame_all(const struct net *net, const struct pair *pair, uint64_t mi, uint64_t mj,
                           struct reason *why)
{
    for (uint64_t pi = mi; pi; pi &= pi - 1) {
        for (uint64_t qj = mj; qj; qj &= qj - 1) {
            int p = __builtin_ctzll(pi);
            int q = __builtin_ctzll(qj);
            if (!pair_fits(net, pair, p, q))
                pair_blame(net, pair, p, q, why);
        }
    }
    reason_or(why, &net->mask_why[pair->i]);
    reason_or(why, &net->mask_why[pair->j]);
}

/* N7 with what N6 left: neg, zero and pos say which signs of the difference are still possible; from_i and
 * from_j are the slots that N6 began with. */
static bool work_pair_edges(struct work *w, const struct pair *pair, bool neg, bool zero, bool pos,
                            uint64_t from_i, uint64_t from_j)
{
    struct net *net = w->net;
    struct reason why = {{0}};
    uint64_t mi = net->mask[pair->i];
    uint64_t mj = net->mask[pair->j];
    int i_low = __builtin_ctzll(mi);
    int i_high = 63 - __builtin_clzll(mi);
    int j_low = __builtin_ctzll(mj);
    int j_high = 63 - __builtin_clzll(mj);
    int lo = pair->lo;
    int hi = pair->hi;
    if (!neg) {
        int least = zero ? 0 : pair->after > 1 ? pair->after : 1;
        lo = lo > least ? lo : least;
    }
    if (!pos) {
        int most = zero ? 0 : pair->before > 1 ? -pair->before : -1;
        hi = hi < most ? hi : most;
    }
    struct slots_rule rule = pair_rule(pair);
    int words = net->problem->words;
    if (i_low == i_high && j_low == j_high && i_low == j_low) {
        if (pair->before == 0 && pair->after == 0)
            return true;
        uint64_t gone = 0;
        for (int k = 0; k < words; k++)
            gone |= net->dom[i_low * words + k] & ~pair->together[k];
        if (!gone)
            return true;
        if (net->track) {
            pair_blame_all(net, pair, from_i, from_j, &why);
            reason_or(&net->dom_why[i_low], &why);
        }
        for (int k = 0; k < words; k++)
            net->dom[i_low * words + k] &= pair->together[k];
        w->slots_dirty |= UINT64_C(1) << i_low;
        w->changed = true;
        return true;
    }
    bool first = i_low != j_high && lo > *net_dist(net, i_low, j_high);
    bool second = i_high != j_low && -hi > *net_dist(net, j_low, i_high);
    if (!first && !second)
        return true;
    if (net->track)
        pair_blame_all(net, pair, from_i, from_j, &why);
    if (first && !work_edge(w, i_low, j_high, lo, &why, rule, pair->i, pair->j))
        return false;
    return !second || work_edge(w, j_low, i_high, -hi, &why, rule, pair->i, pair->j);
}

/* N6 and N7 for one pair. */
static bool work_pair(struct work *w, const struct pair *pair)
{
    struct net *net = w->net;
    uint64_t mi = net->mask[pair->i];
    uint64_t mj = net->mask[pair->j];
    uint64_t keep_i = 0;
    uint64_t keep_j = 0;
    bool neg = false;
    bool zero = false;
    bool pos = false;
    for (uint64_t pi = mi; pi; pi &= pi - 1) {
        int p = __builtin_ctzll(pi);
        uint64_t here = UINT64_C(1) << p;
        for (uint64_t qj = mj; qj; qj &= qj - 1) {
            if (keep_i & here) { /* only what would be new */
                uint64_t seen = (neg ? here - 1 : 0) | (zero ? here : 0) | (pos ? ~(here | (here - 1)) : 0);
                qj &= ~(keep_j & seen);
                if (!qj)
                    break;
            }
            int q = __builtin_ctzll(qj);
            bool *sign = q < p ? &neg : q > p ? &pos : &zero;
            if (!pair_fits(net, pair, p, q))
                continue;
            keep_i |= UINT64_C(1) << p;
            keep_j |= UINT64_C(1) << q;
            *sign = true;
        }
    }
    if (net->track && (keep_i != mi || keep_j != mj)) {
        struct reason why_i = net->mask_why[pair->j];
        struct reason why_j = net->mask_why[pair->i];
        for (uint64_t pi = mi & ~keep_i; pi; pi &= pi - 1) {
            for (uint64_t qj = mj; qj; qj &= qj - 1)
                pair_blame(net, pair, __builtin_ctzll(pi), __builtin_ctzll(qj), &why_i);
        }
        for (uint64_t qj = mj & ~keep_j; qj; qj &= qj - 1) {
            for (uint64_t pi = mi; pi; pi &= pi - 1)
                pair_blame(net, pair, __builtin_ctzll(pi), __builtin_ctzll(qj), &why_j);
        }
        if (!work_mask(w, pair->i, keep_i, &why_i, pair) || !work_mask(w, pair->j, keep_j, &why_j, pair))
            return false;
    } else if (!work_mask(w, pair->i, keep_i, NULL, pair) || !work_mask(w, pair->j, keep_j, NULL, pair)) {
        return false;
    }
    return work_pair_edges(w, pair, neg, zero, pos, mi, mj);
}

/* N8 */
static bool work_states(struct work *w)
{
    struct net *net = w->net;
    const struct problem *problem = net->problem;
    int words = problem->words;
    for (size_t i = 0; i < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        if (!problem->has_state[drug] || net->state[drug])
            continue;
        bool can[PROBLEM_STATES] = {false, false, false};
        for (uint64_t left = net->mask[i]; left; left &= left - 1) {
            const uint64_t *dom = net->dom + __builtin_ctzll(left) * words;
            for (int s = 1; s < PROBLEM_STATES; s++)
                can[s] |= cells_meet(dom, problem->win[s] + i * (size_t)words, words);
        }
        if (can[1] && can[2])
            continue;
        if (net->track) {
            reason_or(&net->state_why[drug], &net->mask_why[i]);
            for (uint64_t left = net->mask[i]; left; left &= left - 1)
                reason_or(&net->state_why[drug], &net->dom_why[__builtin_ctzll(left)]);
        }
        if (!can[1] && !can[2])
            return work_fail(w, net->track ? &net->state_why[drug] : NULL,
                             (struct slots_rule){SLOTS_RULE_STATE, drug}, i, i);
        net->state[drug] = can[1] ? 1 : 2;
        w->slots_dirty = ~UINT64_C(0); /* look at every window again */
        w->changed = true;
    }
    return true;
}

/* Did a difference change between slots that the pair's doses may go to? */
static bool slots_moved(const uint64_t *dist, uint64_t mi, uint64_t mj)
{
    for (uint64_t left = mi; left; left &= left - 1) {
        if (dist[__builtin_ctzll(left)] & mj)
            return true;
    }
    return false;
}

bool net_propagate(struct net *net, struct clash *clash)
{
    const struct problem *problem = net->problem;
    struct work w = {.net = net,
                     .clash = clash,
                     .slots_dirty = net->slots_dirty,
                     .dose_dirty = {net->dose_dirty[0], net->dose_dirty[1]}};
    uint64_t dist[SLOTS_MAX];
    do {
        w.changed = false;
        if (!work_trim(&w))
            return false;
        uint64_t slots = w.slots_dirty;
        w.slots_dirty = 0;
        for (size_t i = 0; i < problem->count; i++) {
            bool fresh = w.dose_dirty[i / 64] >> (i % 64) & 1;
            if ((fresh || (net->mask[i] & slots)) && !work_window(&w, i))
                return false;
        }
        uint64_t doses[2] = {w.dose_dirty[0], w.dose_dirty[1]};
        size_t dist_bytes = (size_t)net->slots * sizeof *dist;
        memcpy(dist, w.dist_dirty, dist_bytes);
        memset(w.dist_dirty, 0, dist_bytes);
        w.dose_dirty[0] = 0;
        w.dose_dirty[1] = 0;
        for (size_t k = 0; k < problem->pair_count; k++) {
            const struct pair *pair = &problem->pairs[k];
            bool fresh =
                (doses[pair->i / 64] >> (pair->i % 64) & 1) || (doses[pair->j / 64] >> (pair->j % 64) & 1);
            bool meet = net->mask[pair->i] & net->mask[pair->j] & (slots | w.slots_dirty);
            if ((fresh || meet || slots_moved(dist, net->mask[pair->i], net->mask[pair->j])) &&
                !work_pair(&w, pair))
                return false;
        }
        if (problem->states && !work_states(&w))
            return false;
    } while (w.changed);
    net->slots_dirty = 0;
    net->dose_dirty[0] = 0;
    net->dose_dirty[1] = 0;
    return true;
}
