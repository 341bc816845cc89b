/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a schedule costs in levels 2 to 4, and the relaxation that bounds it from below.
 *
 * Levels 2 and 3 are one number, soft * COST_SOFT + minutes. Without the rules between doses the slots are a
 * median problem on a line: walking over the slots in order, a dose that looks for its best cell between two
 * neighbouring slots pays at least the cheaper of "somewhere at or before the left one" and "at or after the
 * right one". That walk is a shortest path over (slot, cell), exact when costs rise away from the best cell,
 * and a lower bound always; it respects the limits between neighbouring slots.
 */
#include "scheduler/slots_cost.h"

#include <stdlib.h>
#include <string.h>

static int64_t cost_soft(const struct regimen_dose *dose, int minute)
{
    int64_t sum = 0;
    for (size_t s = 0; s < dose->soft_count; s++) {
        if (!regimen_intervals_hold(dose->soft[s].unless_in, minute))
            sum += dose->soft[s].cost;
    }
    return sum;
}

static bool regimen_has_previous(const struct regimen *regimen)
{
    for (size_t d = 0; d < regimen->drug_count; d++) {
        if (regimen->drugs[d].previous)
            return true;
    }
    return false;
}

static int64_t cost_anchor(const struct regimen_patient *patient, int minute)
{
    const int anchors[] = {patient->wake, patient->meals[REGIMEN_BREAKFAST], patient->meals[REGIMEN_LUNCH],
                           patient->meals[REGIMEN_DINNER], patient->bed};
    int nearest = REGIMEN_DAY;
    for (size_t i = 0; i < sizeof anchors / sizeof anchors[0]; i++) {
        if (anchors[i] != REGIMEN_NONE && abs(minute - anchors[i]) < nearest)
            nearest = abs(minute - anchors[i]);
    }
    return nearest;
}

/* Does the drug's last dose and the next day's first count as a gap? */
static bool cost_night(const struct problem *problem, size_t drug)
{
    const struct regimen *regimen = problem->regimen;
    return regimen_days_meet(&regimen->drugs[drug].days, &regimen->drugs[drug].days, 1, regimen->period_days);
}

int64_t cost_balance_drug(const struct costs *costs, size_t drug, const int *cell)
{
    const struct problem *problem = costs->problem;
    size_t n = problem->regimen->drugs[drug].dose_count;
    int longest = 0;
    int shortest = PROBLEM_FAR;
    for (size_t i = 0; i + 1 < n + (costs->night[drug] ? 1 : 0); i++) {
        int gap = i + 1 < n ? cell[i + 1] - cell[i] : cell[0] + problem->cells - cell[n - 1];
        longest = gap > longest ? gap : longest;
        shortest = gap < shortest ? gap : shortest;
    }
    return (int64_t)(longest - shortest) * problem->regimen->grid;
}

int64_t cost_balance(const struct costs *costs, const int *cell)
{
    const struct problem *problem = costs->problem;
    const struct regimen *regimen = problem->regimen;
    int64_t sum = 0;
    size_t first = 0;
    for (size_t d = 0; d < regimen->drug_count; first += regimen->drugs[d].dose_count, d++) {
        if (costs->balanced[d])
            sum += cost_balance_drug(costs, d, cell + first);
    }
    return sum;
}

/* Levels 2 and 3 of one dose of a drug at a minute. */
static int64_t cost_dose(const struct regimen_drug *drug, size_t place, int minute)
{
    return cost_soft(&drug->doses[place], minute) * COST_SOFT +
           (drug->previous ? abs(minute - drug->previous[place]) : 0);
}

static int64_t cost_slot(const struct costs *costs, int minute)
{
    return costs->by_previous ? 0 : cost_anchor(&costs->problem->regimen->patient, minute);
}

int64_t cost_total(const struct costs *costs, const int *cell)
{
    const struct problem *problem = costs->problem;
    const struct regimen *regimen = problem->regimen;
    int64_t sum = 0;
    uint64_t used[(REGIMEN_DAY + 63) / 64] = {0};
    size_t first = 0;
    for (size_t i = 0; i < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        first = i > 0 && problem->drug_of[i - 1] == drug ? first : i;
        sum += cost_dose(&regimen->drugs[drug], i - first, cell[i] * regimen->grid);
        if (!cells_have(used, cell[i]))
            sum += cost_slot(costs, cell[i] * regimen->grid);
        cells_add(used, cell[i]);
    }
    return sum;
}

/* What cost_relax and cost_filter work on. */
static bool costs_scratch(struct costs *costs, size_t slots, struct arena *arena)
{
    size_t cells = (size_t)costs->problem->cells;
    size_t count = costs->problem->count;
    costs->walk = arena_array(arena, slots * cells, sizeof *costs->walk);
    costs->back = arena_array(arena, slots * cells, sizeof *costs->back);
    costs->own = arena_array(arena, (slots + 1) * cells, sizeof *costs->own);
    costs->reach = arena_array(arena, cells + 1, sizeof *costs->reach);
    costs->step = arena_array(arena, slots * cells, sizeof *costs->step);
    costs->left = arena_array(arena, count * cells, sizeof *costs->left);
    costs->right = arena_array(arena, count * cells, sizeof *costs->right);
    return costs->walk && costs->back && costs->own && costs->reach && costs->step && costs->left &&
           costs->right;
}

bool costs_create(struct costs *costs, const struct problem *problem, int slots, struct arena *arena)
{
    const struct regimen *regimen = problem->regimen;
    size_t cells = (size_t)problem->cells;
    *costs = (struct costs){.problem = problem, .by_previous = regimen_has_previous(regimen)};
    costs->balanced = arena_array(arena, regimen->drug_count, sizeof *costs->balanced);
    costs->night = arena_array(arena, regimen->drug_count, sizeof *costs->night);
    if (!costs->balanced || !costs->night)
        return false;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        costs->night[d] = cost_night(problem, d);
        costs->balanced[d] = regimen->drugs[d].dose_count > 1 && !regimen->drugs[d].unbalanced;
    }
    if (slots == 0)
        return true;
    costs->dose = arena_array(arena, problem->count * cells, sizeof *costs->dose);
    costs->slot = arena_array(arena, cells, sizeof *costs->slot);
    costs->priced = arena_array(arena, problem->count, sizeof *costs->priced);
    if (!costs->dose || !costs->slot || !costs->priced || !costs_scratch(costs, (size_t)slots, arena))
        return false;
    size_t dose = 0;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        const struct regimen_drug *drug = &regimen->drugs[d];
        for (size_t i = 0; i < drug->dose_count; i++, dose++) {
            for (size_t c = 0; c < cells && (drug->previous || drug->doses[i].soft_count); c++) {
                int minute = (int)c * regimen->grid;
                costs->dose[dose * cells + c] = cost_dose(drug, i, minute);
                costs->priced[dose] |= costs->dose[dose * cells + c] != 0;
            }
        }
    }
    for (size_t c = 0; c < cells; c++)
        costs->slot[c] = cost_slot(costs, (int)c * regimen->grid);
    return true;
}

/* Least cost at or before and at or after each cell, over the cells that the dose may still have. Returns the
 * best cell, or -1. */
static int relax_dose(struct costs *costs, const struct net *net, size_t dose)
{
    size_t cells = (size_t)costs->problem->cells;
    int words = costs->problem->words;
    const uint64_t *window = net_window(net, dose);
    uint64_t may[(REGIMEN_DAY + 63) / 64] = {0};
    for (uint64_t left = net->mask[dose]; left; left &= left - 1) {
        const uint64_t *dom = net->dom + __builtin_ctzll(left) * words;
        for (int w = 0; w < words; w++)
            may[w] |= dom[w] & window[w];
    }
    const int64_t *cost = costs->dose + dose * cells;
    int64_t *left = costs->left + dose * cells;
    int64_t *right = costs->right + dose * cells;
    int best = -1;
    int64_t least = COST_NEVER;
    for (size_t c = 0; c < cells; c++) {
        if (cells_have(may, (int)c) && cost[c] < least) {
            least = cost[c];
            best = (int)c;
        }
        left[c] = least;
    }
    least = COST_NEVER;
    for (size_t c = cells; c-- > 0;) {
        if (cells_have(may, (int)c) && cost[c] < least)
            least = cost[c];
        right[c] = least;
    }
    return best;
}

static void relax_insert(struct relax *relax, size_t dose, int best)
{
    size_t k = relax->count++;
    for (; k > 0 && relax->best[k - 1] > best; k--) {
        relax->best[k] = relax->best[k - 1];
        relax->dose[k] = relax->dose[k - 1];
    }
    relax->best[k] = best;
    relax->dose[k] = dose;
}

/* reach[x + 1]: how late the slot after one at x may be, so that no dose without a price falls between them.
 */
static void relax_reach(const struct costs *costs, const struct net *net)
{
    const struct problem *problem = costs->problem;
    int cells = problem->cells;
    int *reach = costs->reach;
    for (int x = 0; x <= cells; x++)
        reach[x] = cells;
    for (size_t i = 0; i < problem->count; i++) {
        if (costs->priced[i] || !(net->mask[i] & (net->mask[i] - 1)))
            continue;
        const uint64_t *window = net_window(net, i);
        int low = net_earliest(net, __builtin_ctzll(net->mask[i]));
        int high = net_latest(net, 63 - __builtin_clzll(net->mask[i]));
        int first = cells_first(window, problem->words);
        int last = cells_last(window, problem->words);
        first = first > low ? first : low;
        last = last < high ? last : high;
        reach[first] = last < reach[first] ? last : reach[first]; /* for slots at first - 1 */
    }
    for (int x = cells - 1; x >= 0; x--)
        reach[x] = reach[x + 1] < reach[x] ? reach[x + 1] : reach[x];
}

/* What the open doses with a best cell in [from, to) pay between slots at from (-1: none) and to (cells:
 * none). */
static int64_t relax_gap(const struct costs *costs, const struct relax *relax, int from, int to)
{
    int cells = costs->problem->cells;
    int64_t sum = 0;
    if (to > costs->reach[from + 1])
        return COST_NEVER;
    for (size_t k = 0; k < relax->count; k++) {
        if (relax->best[k] >= to)
            break;
        if (relax->best[k] < from)
            continue;
        size_t row = relax->dose[k] * (size_t)cells;
        int64_t left = from >= 0 ? costs->left[row + (size_t)from] : COST_NEVER;
        int64_t right = to < cells ? costs->right[row + (size_t)to] : COST_NEVER;
        int64_t least = left < right ? left : right;
        if (least >= COST_NEVER)
            return COST_NEVER;
        sum += least;
    }
    return sum;
}

/* Costs of the doses that are settled in a slot, at each of its cells. */
static void relax_own(const struct costs *costs, const struct net *net, int slot, int64_t *own)
{
    size_t cells = (size_t)costs->problem->cells;
    int first = net_earliest(net, slot);
    int last = net_latest(net, slot);
    for (int c = first; c <= last; c++)
        own[c] = costs->slot[c];
    for (size_t i = 0; i < costs->problem->count; i++) {
        if (net->mask[i] != UINT64_C(1) << slot || !costs->priced[i])
            continue;
        for (int c = first; c <= last; c++)
            own[c] += costs->dose[i * cells + (size_t)c];
    }
}

int64_t cost_relax(struct costs *costs, const struct net *net, int *ret_slot_cell)
{
    const struct problem *problem = costs->problem;
    int cells = problem->cells;
    int last = net->slots - 1;
    costs->relax.count = 0;
    relax_reach(costs, net);
    for (size_t i = 0; i < problem->count; i++) {
        if (costs->priced[i] && (net->mask[i] & (net->mask[i] - 1)))
            relax_insert(&costs->relax, i, relax_dose(costs, net, i));
    }
    for (int p = 0; p <= last; p++) {
        const uint64_t *dom = net->dom + p * problem->words;
        int64_t *walk = costs->walk + (size_t)p * (size_t)cells;
        int16_t *step = costs->step + (size_t)p * (size_t)cells;
        int64_t *own = costs->own + (size_t)p * (size_t)cells;
        relax_own(costs, net, p, own);
        for (int c = net_earliest(net, p); c <= net_latest(net, p); c++) {
            walk[c] = COST_NEVER;
            if (!cells_have(dom, c))
                continue;
            if (p == 0) {
                walk[c] = relax_gap(costs, &costs->relax, -1, c);
            } else {
                const int64_t *before = walk - cells;
                int from = c + *net_dist(net, p, p - 1);
                int to = c - *net_dist(net, p - 1, p);
                from = from > net_earliest(net, p - 1) ? from : net_earliest(net, p - 1);
                to = to < net_latest(net, p - 1) ? to : net_latest(net, p - 1);
                for (int x = from; x <= to; x++) {
                    if (before[x] >= walk[c])
                        continue;
                    int64_t total = before[x] + relax_gap(costs, &costs->relax, x, c);
                    if (total < walk[c]) {
                        walk[c] = total;
                        step[c] = (int16_t)x;
                    }
                }
            }
            if (walk[c] < COST_NEVER)
                walk[c] += own[c];
        }
    }
    int64_t best = COST_NEVER;
    const int64_t *walk = costs->walk + (size_t)last * (size_t)cells;
    for (int c = net_earliest(net, last); c <= net_latest(net, last); c++) {
        if (walk[c] >= COST_NEVER)
            continue;
        int64_t total = walk[c] + relax_gap(costs, &costs->relax, c, cells);
        if (total < best) {
            best = total;
            ret_slot_cell[last] = c;
        }
    }
    if (best >= COST_NEVER)
        return COST_NEVER;
    for (int p = last; p > 0; p--)
        ret_slot_cell[p - 1] = costs->step[(size_t)p * (size_t)cells + (size_t)ret_slot_cell[p]];
    return best;
}

/* Least and greatest time from dose x to a later dose y of the same drug. */
static void gap_bounds(const struct net *net, size_t x, size_t y, int *least, int *most)
{
    uint64_t mx = net->mask[x];
    uint64_t my = net->mask[y];
    *least = PROBLEM_FAR;
    *most = 0;
    for (uint64_t px = mx; px; px &= px - 1) {
        int p = __builtin_ctzll(px);
        for (uint64_t qy = my; qy; qy &= qy - 1) {
            int q = __builtin_ctzll(qy);
            if (q <= p)
                continue;
            int lo = *net_dist(net, p, q);
            int hi = -*net_dist(net, q, p);
            *least = lo < *least ? lo : *least;
            *most = hi > *most ? hi : *most;
        }
    }
}

/* The bound of one drug dose by dose: the extremes that each gap may have, whatever slots they take. */
static int spread_coarse(const struct costs *costs, const struct net *net, size_t first, int n, bool night)
{
    int cells = costs->problem->cells;
    int longest = 0;
    int shortest = PROBLEM_FAR;
    for (int i = 0; i < n - 1 + (night ? 1 : 0); i++) {
        int lo;
        int hi;
        if (i + 1 < n) {
            gap_bounds(net, first + (size_t)i, first + (size_t)i + 1, &lo, &hi);
        } else {
            gap_bounds(net, first, first + (size_t)n - 1, &lo, &hi);
            int least = cells - hi;
            hi = cells - lo;
            lo = least;
        }
        longest = lo > longest ? lo : longest;
        shortest = hi < shortest ? hi : shortest;
    }
    if (night) { /* the gaps make up one day */
        int up = (cells + n - 1) / n;
        int down = cells / n;
        longest = up > longest ? up : longest;
        shortest = down < shortest ? down : shortest;
    }
    return longest > shortest ? longest - shortest : 0;
}

/* The bound of one drug over every choice of slots for its doses: exact once the slots stand still. */
struct spread {
    const struct net *net;
    size_t first;
    int n;
    bool night;
    int cells;
    int best;
    int steps;
    int slot[REGIMEN_DOSES_MAX];
};

static void spread_walk(struct spread *s, int dose, int longest, int shortest)
{
    s->steps++;
    if (longest - shortest >= s->best)
        return;
    if (dose == s->n) {
        if (s->night) {
            int lo = s->cells + *net_dist(s->net, s->slot[s->n - 1], s->slot[0]);
            int hi = s->cells - *net_dist(s->net, s->slot[0], s->slot[s->n - 1]);
            longest = lo > longest ? lo : longest;
            shortest = hi < shortest ? hi : shortest;
        }
        int spread = longest > shortest ? longest - shortest : 0;
        s->best = spread < s->best ? spread : s->best;
        return;
    }
    for (uint64_t left = s->net->mask[s->first + (size_t)dose]; left; left &= left - 1) {
        int p = __builtin_ctzll(left);
        int from = longest;
        int to = shortest;
        if (dose > 0) {
            int before = s->slot[dose - 1];
            if (p <= before)
                continue;
            int lo = *net_dist(s->net, before, p);
            int hi = -*net_dist(s->net, p, before);
            from = lo > from ? lo : from;
            to = hi < to ? hi : to;
        }
        s->slot[dose] = p;
        spread_walk(s, dose + 1, from, to);
    }
}

static int spread_bound(const struct costs *costs, const struct net *net, size_t first, int n, bool night)
{
    enum { EXACT_DOSES_MAX = 5, EXACT_SLOTS_MAX = 16 };
    int coarse = spread_coarse(costs, net, first, n, night);
    if (n > EXACT_DOSES_MAX || net->slots > EXACT_SLOTS_MAX)
        return coarse;
    int cells = costs->problem->cells;
    struct spread s = {
        .net = net, .first = first, .n = n, .night = night, .cells = cells, .best = PROBLEM_FAR};
    spread_walk(&s, 0, night ? (cells + n - 1) / n : 0, night ? cells / n : PROBLEM_FAR);
    return s.best > coarse ? s.best : coarse;
}

int64_t cost_balance_bound(const struct costs *costs, const struct net *net, int64_t *ret_each)
{
    const struct regimen *regimen = costs->problem->regimen;
    int64_t sum = 0;
    size_t first = 0;
    for (size_t d = 0; d < regimen->drug_count; first += regimen->drugs[d].dose_count, d++) {
        if (!costs->balanced[d])
            continue;
        ret_each[d] =
            (int64_t)spread_bound(costs, net, first, (int)regimen->drugs[d].dose_count, costs->night[d]) *
            regimen->grid;
        sum += ret_each[d];
    }
    return sum;
}

/* The walk once more from the other end, to know what each cell costs at least on the whole. */
bool cost_filter(struct costs *costs, struct net *net, int64_t limit)
{
    const struct problem *problem = costs->problem;
    int cells = problem->cells;
    int last = net->slots - 1;
    bool changed = false;
    int64_t *back = costs->back;
    for (int p = last; p >= 0; p--) {
        uint64_t *dom = net->dom + p * problem->words;
        const int64_t *walk = costs->walk + (size_t)p * (size_t)cells;
        const int64_t *behind = p < last ? back + (size_t)(p + 1) * (size_t)cells : NULL;
        const int64_t *walk_behind = walk + cells;
        const int64_t *own_behind = costs->own + (size_t)(p + 1) * (size_t)cells;
        for (int c = net_earliest(net, p); c <= net_latest(net, p); c++) {
            int64_t *here = &back[(size_t)p * (size_t)cells + (size_t)c];
            *here = COST_NEVER;
            if (!cells_have(dom, c))
                continue;
            if (walk[c] < COST_NEVER && p == last) {
                *here = relax_gap(costs, &costs->relax, c, cells);
            } else if (walk[c] < COST_NEVER) {
                int from = c + *net_dist(net, p, p + 1);
                int to = c - *net_dist(net, p + 1, p);
                from = from > net_earliest(net, p + 1) ? from : net_earliest(net, p + 1);
                to = to < net_latest(net, p + 1) ? to : net_latest(net, p + 1);
                for (int x = from; x <= to; x++) {
                    if (behind[x] >= COST_NEVER || walk_behind[x] >= COST_NEVER)
                        continue;
                    int64_t total = behind[x] + own_behind[x];
                    if (total < *here)
                        total += relax_gap(costs, &costs->relax, c, x);
                    *here = total < *here ? total : *here;
                }
            }
            if (*here >= COST_NEVER || walk[c] + *here > limit) {
                *here = COST_NEVER;
                dom[c >> 6] &= ~(UINT64_C(1) << (c & 63));
                net_touch(net, p);
                changed = true;
            }
        }
    }
    return changed;
}
