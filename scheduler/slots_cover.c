/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from "exactly k slots, and fewer are impossible", for the levels after the first (no
 * certificate replays it):
 *   every slot holds a dose;
 *   doses that are pairwise apart are in different slots: a matching of doses with slots must exist, and a
 *   dose loses every slot that no such matching gives it (J.-C. Regin's filtering of all-different, 1994).
 */
#include "scheduler/slots_net.h"

#include <string.h>

/* Moves doses along until `dose` finds a slot. */
static bool match_dose(const struct net *net, const size_t *member, size_t dose, int *holder, uint64_t *seen)
{
    uint64_t left = net->mask[member[dose]] & ~*seen;
    while (left) {
        int p = __builtin_ctzll(left);
        *seen |= UINT64_C(1) << p;
        if (holder[p] < 0 || match_dose(net, member, (size_t)holder[p], holder, seen)) {
            holder[p] = (int)dose;
            return true;
        }
        left = net->mask[member[dose]] & ~*seen;
    }
    return false;
}

/* All members of a clique in different slots. False when they can't. */
static bool cover_apart(struct net *net, const struct clique *clique, bool *changed)
{
    int holder[SLOTS_MAX];
    uint64_t reach[SLOTS_MAX];
    uint64_t free = 0;
    int k = net->slots;
    for (int p = 0; p < k; p++)
        holder[p] = -1;
    for (size_t i = 0; i < clique->count; i++) {
        uint64_t seen = 0;
        if (!match_dose(net, clique->dose, i, holder, &seen))
            return false;
    }
    for (int p = 0; p < k; p++) {
        uint64_t self = UINT64_C(1) << p;
        reach[p] = self | (holder[p] < 0 ? 0 : net->mask[clique->dose[holder[p]]]);
        free |= holder[p] < 0 ? self : 0;
    }
    for (int via = 0; via < k; via++) {
        for (int p = 0; p < k; p++)
            reach[p] |= (reach[p] >> via & 1) ? reach[via] : 0;
    }
    for (int q = 0; q < k; q++) {
        if (holder[q] < 0)
            continue;
        size_t dose = clique->dose[holder[q]];
        uint64_t keep = 0;
        for (uint64_t left = net->mask[dose]; left; left &= left - 1) {
            int p = __builtin_ctzll(left);
            if (p == q || (reach[p] & (free | UINT64_C(1) << q)))
                keep |= UINT64_C(1) << p;
        }
        if (keep != net->mask[dose]) {
            net->mask[dose] = keep;
            net->dose_dirty[dose / 64] |= UINT64_C(1) << (dose % 64);
            *changed = true;
        }
    }
    return true;
}

/* Every slot holds one of the doses; its times are among theirs. */
static bool cover_slots(struct net *net, const size_t *dose, size_t count, bool *changed)
{
    int words = net->problem->words;
    for (int p = 0; p < net->slots; p++) {
        uint64_t may[(REGIMEN_DAY + 63) / 64] = {0};
        size_t holders = 0;
        size_t last = 0;
        for (size_t i = 0; i < count; i++) {
            size_t d = dose ? dose[i] : i;
            if (!(net->mask[d] >> p & 1))
                continue;
            const uint64_t *window = net_window(net, d);
            for (int w = 0; w < words; w++)
                may[w] |= window[w];
            holders++;
            last = d;
        }
        if (holders == 0)
            return false;
        if (holders == 1 && (net->mask[last] & (net->mask[last] - 1))) {
            net_put(net, last, p);
            *changed = true;
        }
        uint64_t gone = 0;
        for (int w = 0; w < words; w++) {
            gone |= net->dom[p * words + w] & ~may[w];
            net->dom[p * words + w] &= may[w];
        }
        if (gone) {
            net_touch(net, p);
            *changed = true;
        }
    }
    return true;
}

/* With as many members as slots each slot holds one of them, so neighbours keep the least distance of any two
 * that may be there. */
static bool cover_gaps(struct net *net, const struct clique *clique, const struct packs *packs, bool *changed)
{
    for (int p = 0; p + 1 < net->slots; p++) {
        int least = PROBLEM_FAR;
        int known = *net_dist(net, p, p + 1);
        for (size_t i = 0; i < clique->count && least > known; i++) {
            if (!(net->mask[clique->dose[i]] >> p & 1))
                continue;
            for (size_t j = 0; j < clique->count; j++) {
                int way = packs->distance[clique->dose[i] * packs->count + clique->dose[j]];
                if (i != j && way < least && (net->mask[clique->dose[j]] >> (p + 1) & 1))
                    least = way;
            }
        }
        if (least == PROBLEM_FAR || least <= known)
            continue;
        if (!net_spread(net, p, p + 1, least))
            return false;
        *changed = true;
    }
    return true;
}

bool net_cover(struct net *net, const struct clique *clique, size_t count, const struct packs *packs,
               struct clash *clash)
{
    for (bool changed = true; changed;) {
        changed = false;
        if (!net_propagate(net, clash))
            return false;
        clash->a = SIZE_MAX;
        clash->b = SIZE_MAX;
        if (!cover_slots(net, NULL, net->problem->count, &changed))
            return false;
        for (size_t i = 0; i < count && !changed; i++) {
            if (!cover_apart(net, &clique[i], &changed))
                return false;
            if (clique[i].count == (size_t)net->slots &&
                (!cover_slots(net, clique[i].dose, clique[i].count, &changed) ||
                 !cover_gaps(net, &clique[i], packs, &changed)))
                return false;
        }
    }
    return true;
}
