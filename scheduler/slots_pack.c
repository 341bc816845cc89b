/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/slots_pack.h"

#include <string.h>

/* Grows a clique from one dose, the doses with the most neighbours left first. */
static void clique_from(const struct apart *apart, size_t seed, struct clique *clique)
{
    uint64_t open[2] = {apart->row[seed][0], apart->row[seed][1]};
    clique->count = 0;
    clique->dose[clique->count++] = seed;
    while (open[0] | open[1]) {
        size_t best = 0;
        int best_left = -1;
        for (int w = 0; w < 2; w++) {
            for (uint64_t left = open[w]; left; left &= left - 1) {
                size_t d = (size_t)(w * 64 + __builtin_ctzll(left));
                int n = __builtin_popcountll(open[0] & apart->row[d][0]) +
                        __builtin_popcountll(open[1] & apart->row[d][1]);
                if (n > best_left) {
                    best = d;
                    best_left = n;
                }
            }
        }
        clique->dose[clique->count++] = best;
        open[0] &= apart->row[best][0];
        open[1] &= apart->row[best][1];
    }
}

static bool clique_same(const struct clique *a, const struct clique *b)
{
    uint64_t set[2] = {0, 0};
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        set[a->dose[i] / 64] ^= UINT64_C(1) << (a->dose[i] % 64);
        set[b->dose[i] / 64] ^= UINT64_C(1) << (b->dose[i] % 64);
    }
    return !(set[0] | set[1]);
}

size_t cliques_list(const struct problem *problem, const struct apart *apart, struct clique *out)
{
    size_t count = 0;
    struct clique *next = &out[CLIQUES_MAX];
    uint64_t known_doses[2] = {0, 0}; /* members so far: no seeds any more */
    for (size_t seed = 0; seed < problem->count; seed++) {
        if (known_doses[seed / 64] >> (seed % 64) & 1)
            continue;
        clique_from(apart, seed, next);
        for (size_t i = 0; i < next->count; i++)
            known_doses[next->dose[i] / 64] |= UINT64_C(1) << (next->dose[i] % 64);
        bool known = next->count < 3;
        for (size_t i = 0; i < count && !known; i++)
            known = clique_same(&out[i], next);
        if (known || (count == CLIQUES_MAX && next->count <= out[count - 1].count))
            continue;
        size_t k = count < CLIQUES_MAX ? count++ : count - 1;
        for (; k > 0 && out[k - 1].count < next->count; k--)
            out[k] = out[k - 1];
        out[k] = *next;
    }
    return count;
}

/* Least distances that a rule states: of two doses of one drug also along the doses between them. */
static void packs_distances(struct packs *packs, const struct problem *problem)
{
    size_t n = problem->count;
    for (size_t p = 0; p < problem->pair_count; p++) {
        const struct pair *pair = &problem->pairs[p];
        int up = pair->lo > pair->after ? pair->lo : pair->after; /* the least later, the least earlier */
        int down = -pair->hi > pair->before ? -pair->hi : pair->before;
        int least = up < down ? up : down;
        if (pair->lo > 0 || up > pair->hi) /* on one side only */
            least = pair->lo > 0 ? up : down;
        else if (pair->hi < 0 || down > -pair->lo)
            least = pair->hi < 0 ? down : up;
        if (pair->together && pair->lo <= 0 && pair->hi >= 0)
            least = 0;
        least = least < 0 ? 0 : least > UINT8_MAX ? UINT8_MAX : least;
        packs->distance[pair->i * n + pair->j] = (uint8_t)least;
        packs->distance[pair->j * n + pair->i] = (uint8_t)least;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        int along = packs->distance[i * n + i + 1];
        for (size_t j = i + 2; j < n && problem->drug_of[j] == problem->drug_of[i]; j++) {
            along += packs->distance[(j - 1) * n + j];
            along = along > UINT8_MAX ? UINT8_MAX : along;
            if (along > packs->distance[i * n + j]) {
                packs->distance[i * n + j] = (uint8_t)along;
                packs->distance[j * n + i] = (uint8_t)along;
            }
        }
    }
}

bool packs_create(struct packs *packs, const struct problem *problem, struct arena *arena)
{
    size_t n = problem->count;
    struct apart *graph = arena_alloc(arena, sizeof *graph);
    *packs = (struct packs){.count = n};
    packs->distance = arena_array(arena, n * n, sizeof *packs->distance);
    packs->clique = arena_array(arena, 2 * CLIQUES_MAX + 1, sizeof *packs->clique);
    if (!graph || !packs->distance || !packs->clique)
        return false;
    packs_distances(packs, problem);
    int most = 0;
    for (size_t i = 0; i < n * n; i++)
        most = packs->distance[i] > most ? packs->distance[i] : most;
    /* Cliques of any distance, and of great ones alone: a small distance more makes a shorter tree. */
    for (int least = 1; least <= most; least = least < most / 2 ? most / 2 : most + 1) {
        memset(graph, 0, sizeof *graph);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                if (packs->distance[i * n + j] >= least)
                    graph->row[i][j / 64] |= UINT64_C(1) << (j % 64);
            }
        }
        packs->cliques += cliques_list(problem, graph, packs->clique + packs->cliques);
    }
    return true;
}

/* Weight of the least tree over the chosen ones. */
static int pack_tree(const struct pack *pack, const size_t *place, size_t count)
{
    int near[REGIMEN_DOSES_MAX];
    bool in[REGIMEN_DOSES_MAX] = {false};
    int sum = 0;
    for (size_t i = 1; i < count; i++)
        near[i] = pack->distance[place[0]][place[i]];
    for (size_t done = 1; done < count; done++) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++) {
            if (!in[i] && (best == 0 || near[i] < near[best]))
                best = i;
        }
        in[best] = true;
        sum += near[best];
        for (size_t i = 1; i < count; i++) {
            int way = pack->distance[place[best]][place[i]];
            near[i] = way < near[i] ? way : near[i];
        }
    }
    return sum;
}

bool pack_overfull(const struct pack *pack, size_t *ret_place, size_t *ret_count)
{
    size_t order[REGIMEN_DOSES_MAX]; /* by last cell */
    int most = 0;
    for (size_t i = 0; i < pack->count; i++) {
        size_t k = i;
        for (; k > 0 && pack->last[order[k - 1]] > pack->last[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
        for (size_t j = 0; j < i; j++)
            most = pack->distance[i][j] > most ? pack->distance[i][j] : most;
    }
    for (size_t a = 0; a < pack->count; a++) {
        size_t n = 0;
        int from = pack->first[a];
        for (size_t k = 0; k < pack->count; k++) {
            if (pack->first[order[k]] < from)
                continue;
            ret_place[n++] = order[k];
            int room = pack->last[order[k]] - from;
            if ((int)(n - 1) * most > room && pack_tree(pack, ret_place, n) > room) {
                *ret_count = n;
                return true;
            }
        }
    }
    return false;
}

bool packs_overfull(const struct packs *packs, const struct problem *problem, const uint64_t *dom,
                    uint64_t set[2])
{
    size_t words = (size_t)problem->words;
    for (size_t c = 0; c < packs->cliques; c++) {
        const struct clique *clique = &packs->clique[c];
        struct pack pack;
        size_t place[REGIMEN_DOSES_MAX];
        size_t count;
        pack.count = clique->count;
        for (size_t i = 0; i < clique->count; i++) {
            size_t dose = clique->dose[i];
            pack.first[i] = cells_first(dom + dose * words, problem->words);
            pack.last[i] = cells_last(dom + dose * words, problem->words);
            for (size_t j = 0; j < clique->count; j++)
                pack.distance[i][j] = packs->distance[dose * packs->count + clique->dose[j]];
        }
        if (!pack_overfull(&pack, place, &count))
            continue;
        set[0] = 0;
        set[1] = 0;
        for (size_t i = 0; i < count; i++)
            set[clique->dose[place[i]] / 64] |= UINT64_C(1) << (clique->dose[place[i]] % 64);
        return true;
    }
    return false;
}
