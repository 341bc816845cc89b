/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of propagation (the verifier has its own writing of the same list):
 *   G1  a time goes when some rule leaves it no partner among the other dose's times
 *   G2  doses of one group have the times that they have in common, and that their rules allow together
 *   G3  a dose may join a group only when some time is left for it there and no member is apart from it
 *   G4  with as many groups as slots: a dose that may join no group closes the case, one that may join
 *       only one group joins it
 *   G5  all doses of a drug with same_state times inside or all outside
 *   G6  the groups find room for their distances between the first and the last time that is left to them
 */
#include "scheduler/slots_group.h"

#include <string.h>

static void set_add(uint64_t set[2], size_t dose)
{
    set[dose / 64] |= UINT64_C(1) << (dose % 64);
}

static void set_drop(uint64_t set[2], size_t dose)
{
    set[dose / 64] &= ~(UINT64_C(1) << (dose % 64));
}

static bool set_has(const uint64_t set[2], size_t dose)
{
    return set[dose / 64] >> (dose % 64) & 1;
}

/* Takes the first member out; -1 when there is none. */
static int set_take(uint64_t set[2])
{
    int w = set[0] ? 0 : 1;
    if (!set[w])
        return -1;
    int dose = w * 64 + __builtin_ctzll(set[w]);
    set[w] &= set[w] - 1;
    return dose;
}

/* Lays the arrays out in one block, widest first; without a block it only says how many bytes that takes. */
static size_t case_place(struct group_case *c, uint8_t *block)
{
    size_t n = c->problem->count;
    size_t k = (size_t)c->limit;
    size_t drugs = c->problem->regimen->drug_count;
    size_t bytes = (n * (size_t)c->problem->words + n + 2 * k) * sizeof(uint64_t) + k + n + drugs;
    bytes = (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
    size_t causes = c->track ? (2 * n + 1) * sizeof(struct cause) : 0;
    if (!block)
        return bytes + causes;
    c->dom = (uint64_t *)(void *)block;
    c->can = c->dom + n * (size_t)c->problem->words;
    c->member = (uint64_t(*)[2])(void *)(c->can + n);
    c->first = (uint8_t *)(void *)(c->member + k);
    c->group_of = c->first + k;
    c->state = c->group_of + n;
    if (c->track) {
        c->opened = (struct cause *)(void *)(block + bytes);
        c->dom_why = c->opened + 1;
        c->join_why = c->dom_why + n;
    }
    return bytes + causes;
}

static bool case_alloc(struct group_case *c, struct arena *arena)
{
    struct group_case shape = *c;
    c->bytes = case_place(&shape, NULL);
    uint8_t *block = arena_alloc(arena, c->bytes);
    if (block)
        (void)case_place(c, block);
    return block != NULL;
}

bool group_case_create(struct group_case *c, struct problem *problem, const struct apart *apart,
                       const struct packs *packs, int limit, bool track)
{
    *c = (struct group_case){
        .problem = problem, .apart = apart, .packs = packs, .limit = limit, .track = track};
    if (!case_alloc(c, problem->arena))
        return false;
    memcpy(c->dom, problem->win[0], problem->count * (size_t)problem->words * sizeof *c->dom);
    memset(c->group_of, GROUP_NONE, problem->count);
    for (size_t i = 0; i < problem->count; i++)
        set_add(c->open, i);
    return true;
}

bool group_case_like(struct group_case *c, const struct group_case *model, struct arena *arena)
{
    *c = *model;
    return case_alloc(c, arena);
}

void group_case_copy(struct group_case *to, const struct group_case *from)
{
    memcpy(to->dom, from->dom, from->bytes);
    to->groups = from->groups;
    memcpy(to->open, from->open, sizeof to->open);
    memcpy(to->dirty, from->dirty, sizeof to->dirty);
}

void group_join(struct group_case *c, size_t dose, int group, const struct cause *why)
{
    const struct problem *problem = c->problem;
    int words = problem->words;
    size_t first = c->first[group];
    uint64_t *shared = c->dom + first * (size_t)words;
    const uint64_t *own = c->dom + dose * (size_t)words;
    if (c->track) {
        c->join_why[dose] = *why;
        cause_or(&c->dom_why[first], &c->dom_why[dose]);
        cause_or(&c->dom_why[first], why);
    }
    for (int w = 0; w < words; w++)
        shared[w] &= own[w];
    c->group_of[dose] = (uint8_t)group;
    set_add(c->member[group], dose);
    set_drop(c->open, dose);
    set_add(c->dirty, first);
    uint64_t left[2] = {c->open[0] & c->apart->row[dose][0], c->open[1] & c->apart->row[dose][1]};
    for (int other; (other = set_take(left)) >= 0;)
        c->can[other] &= ~(UINT64_C(1) << group);
}

void group_open(struct group_case *c, size_t dose)
{
    int group = c->groups++;
    int words = c->problem->words;
    const uint64_t *own = c->dom + dose * (size_t)words;
    c->first[group] = (uint8_t)dose;
    c->group_of[dose] = (uint8_t)group;
    c->member[group][0] = 0;
    c->member[group][1] = 0;
    set_add(c->member[group], dose);
    set_drop(c->open, dose);
    if (c->track)
        cause_add(c->opened, (unsigned)dose);
    uint64_t left[2] = {c->open[0] & ~c->apart->row[dose][0], c->open[1] & ~c->apart->row[dose][1]};
    for (int other; (other = set_take(left)) >= 0;) {
        if (cells_meet(own, c->dom + other * words, words))
            c->can[other] |= UINT64_C(1) << group;
    }
}

void group_cut(struct group_case *c, size_t dose, int from, int to)
{
    size_t unit = group_unit(c, dose);
    (void)cells_clip(c->dom + unit * (size_t)c->problem->words, c->problem->words, from, to);
    set_add(c->dirty, unit);
    if (c->track)
        cause_add(&c->dom_why[unit], (unsigned)(CAUSE_TIME + dose));
}

void group_set_state(struct group_case *c, size_t drug, int state)
{
    const struct problem *problem = c->problem;
    const uint64_t *inside = problem->inside + drug * (size_t)problem->words;
    c->state[drug] = (uint8_t)state;
    for (size_t i = 0; i < problem->count; i++) {
        if (problem->drug_of[i] != drug)
            continue;
        size_t unit = group_unit(c, i);
        uint64_t *dom = c->dom + unit * (size_t)problem->words;
        for (int w = 0; w < problem->words; w++)
            dom[w] &= state == 1 ? inside[w] : ~inside[w];
        set_add(c->dirty, unit);
        if (c->track) {
            cause_add(&c->dom_why[unit], (unsigned)(CAUSE_STATE + drug));
            cause_or(&c->dom_why[unit], &c->join_why[i]);
        }
    }
}

void group_why_not(const struct group_case *c, size_t dose, int group, struct cause *why)
{
    uint64_t apart[2] = {c->member[group][0] & c->apart->row[dose][0],
                         c->member[group][1] & c->apart->row[dose][1]};
    size_t first = c->first[group];
    if (set_has(apart, first))
        return;
    int member = set_take(apart);
    if (member >= 0) {
        cause_or(why, &c->join_why[member]);
        return;
    }
    cause_or(why, &c->dom_why[first]);
    cause_or(why, &c->dom_why[dose]);
}

bool group_is_safe(const struct group_case *c, size_t dose, int group)
{
    const struct problem *problem = c->problem;
    int words = problem->words;
    const uint64_t *own = c->dom + dose * (size_t)words;
    const uint64_t *shared = c->dom + c->first[group] * (size_t)words;
    if (problem->has_state[problem->drug_of[dose]])
        return false;
    for (int w = 0; w < words; w++) {
        if (shared[w] & ~own[w])
            return false;
    }
    int first = cells_first(shared, words);
    int last = cells_last(shared, words);
    for (size_t k = problem->pair_start[dose]; k < problem->pair_start[dose + 1]; k++) {
        const struct pair *pair = &problem->pairs[problem->pair_of[k]];
        const uint64_t *other = group_dom(c, pair->i == dose ? pair->j : pair->i);
        int low = cells_first(other, words) - last; /* other - ours */
        int high = cells_last(other, words) - first;
        if (pair->j == dose) {
            int held = low;
            low = -high;
            high = -held;
        }
        bool band = pair->before > 0 || pair->after > 0;
        if (low < pair->lo || high > pair->hi || (band && low < pair->after && high > -pair->before))
            return false;
    }
    return true;
}

struct work {
    struct group_case *c;
    struct group_clash *clash;
    uint64_t seen[2]; /* units that changed in this call and whose joins have not been looked at */
};

static struct slots_rule pair_rule(const struct pair *pair)
{
    return pair->why_apart.kind != SLOTS_RULE_TIMES ? pair->why_apart : pair->why_order;
}

static bool work_fail(struct work *w, const struct cause *why, struct slots_rule rule, size_t a, size_t b)
{
    if (w->c->track && why)
        w->clash->why = *why;
    w->clash->rule = rule;
    w->clash->a = a;
    w->clash->b = b;
    return false;
}

/* G1 and G2: what the times of `from` leave of those of `to`. */
static bool work_pair(struct work *w, const struct pair *pair, size_t from, size_t to)
{
    struct group_case *c = w->c;
    int words = c->problem->words;
    size_t source = group_unit(c, from);
    size_t target = group_unit(c, to);
    uint64_t *dom = c->dom + target * (size_t)words;
    uint64_t keep[(REGIMEN_DAY + 63) / 64];
    const uint64_t *allowed = keep;
    if (source == target) {
        if (pair->before == 0 && pair->after == 0)
            return true;
        allowed = pair->together; /* else they are apart and never join */
    } else if (!pair_support(c->problem, pair, c->dom + source * (size_t)words, to == pair->i ? 1 : -1,
                             keep)) {
        return true;
    }
    uint64_t gone = 0;
    uint64_t left = 0;
    for (int k = 0; k < words; k++) {
        gone |= dom[k] & ~allowed[k];
        dom[k] &= allowed[k];
        left |= dom[k];
    }
    if (!gone)
        return true;
    set_add(c->dirty, target);
    if (c->track) {
        cause_or(&c->dom_why[target], &c->dom_why[source]);
        cause_or(&c->dom_why[target], &c->join_why[from]);
        cause_or(&c->dom_why[target], &c->join_why[to]);
    }
    return left || work_fail(w, c->track ? &c->dom_why[target] : NULL, pair_rule(pair), from, to);
}

static bool work_unit(struct work *w, size_t unit)
{
    struct group_case *c = w->c;
    const struct problem *problem = c->problem;
    uint64_t doses[2] = {0, 0};
    if (c->group_of[unit] == GROUP_NONE)
        set_add(doses, unit);
    else
        memcpy(doses, c->member[c->group_of[unit]], sizeof doses);
    if (cells_empty(c->dom + unit * (size_t)problem->words, problem->words))
        return work_fail(w, c->track ? &c->dom_why[unit] : NULL, (struct slots_rule){SLOTS_RULE_TIMES, 0},
                         unit, unit);
    for (int dose; (dose = set_take(doses)) >= 0;) {
        for (size_t k = problem->pair_start[dose]; k < problem->pair_start[dose + 1]; k++) {
            const struct pair *pair = &problem->pairs[problem->pair_of[k]];
            size_t other = pair->i == dose ? pair->j : pair->i;
            if (!work_pair(w, pair, (size_t)dose, other))
                return false;
        }
    }
    return true;
}

/* G5 for one drug. */
static bool work_state(struct work *w, size_t drug)
{
    struct group_case *c = w->c;
    const struct problem *problem = c->problem;
    const uint64_t *inside = problem->inside + drug * (size_t)problem->words;
    struct cause why = {{0}};
    bool can[PROBLEM_STATES] = {true, true, true};
    for (size_t i = 0; i < problem->count && can[1] == can[2]; i++) {
        if (problem->drug_of[i] != drug)
            continue;
        const uint64_t *dom = group_dom(c, i);
        uint64_t in = 0;
        uint64_t out = 0;
        for (int k = 0; k < problem->words; k++) {
            in |= dom[k] & inside[k];
            out |= dom[k] & ~inside[k];
        }
        can[1] = in != 0;
        can[2] = out != 0;
        if (c->track && can[1] != can[2]) {
            why = c->dom_why[group_unit(c, i)];
            cause_or(&why, &c->join_why[i]);
        }
    }
    if (can[1] == can[2])
        return true;
    c->state[drug] = can[1] ? 1 : 2;
    for (size_t i = 0; i < problem->count; i++) {
        if (problem->drug_of[i] != drug)
            continue;
        size_t unit = group_unit(c, i);
        uint64_t *dom = c->dom + unit * (size_t)problem->words;
        uint64_t gone = 0;
        for (int k = 0; k < problem->words; k++) {
            uint64_t keep = can[1] ? inside[k] : ~inside[k];
            gone |= dom[k] & ~keep;
            dom[k] &= keep;
        }
        if (!gone)
            continue;
        set_add(c->dirty, unit);
        if (c->track) {
            cause_or(&c->dom_why[unit], &why);
            cause_or(&c->dom_why[unit], &c->join_why[i]);
        }
        if (cells_empty(dom, problem->words))
            return work_fail(w, c->track ? &c->dom_why[unit] : NULL,
                             (struct slots_rule){SLOTS_RULE_STATE, drug}, i, i);
    }
    return true;
}

/* G3: joins that the changed times rule out. */
static void work_joins(struct work *w)
{
    struct group_case *c = w->c;
    int words = c->problem->words;
    uint64_t changed = 0;
    for (int g = 0; g < c->groups; g++)
        changed |= (uint64_t)set_has(w->seen, c->first[g]) << g;
    uint64_t doses[2] = {c->open[0], c->open[1]};
    for (int dose; (dose = set_take(doses)) >= 0;) {
        const uint64_t *own = c->dom + dose * words;
        uint64_t look = c->can[dose] & (set_has(w->seen, (size_t)dose) ? ~UINT64_C(0) : changed);
        for (; look; look &= look - 1) {
            int g = __builtin_ctzll(look);
            if (!cells_meet(own, c->dom + c->first[g] * words, words))
                c->can[dose] &= ~(UINT64_C(1) << g);
        }
    }
    w->seen[0] = 0;
    w->seen[1] = 0;
}

/* G4 */
static bool work_full(struct work *w)
{
    struct group_case *c = w->c;
    uint64_t doses[2] = {c->open[0], c->open[1]};
    for (int dose; (dose = set_take(doses)) >= 0;) {
        uint64_t can = c->can[dose];
        struct cause why = {{0}};
        if (can & (can - 1))
            continue;
        if (c->track) {
            why = *c->opened;
            for (int g = 0; g < c->groups; g++) {
                if (!(can >> g & 1))
                    group_why_not(c, (size_t)dose, g, &why);
            }
        }
        if (!can)
            return work_fail(w, &why, (struct slots_rule){SLOTS_RULE_SLOTS, 0}, (size_t)dose, (size_t)dose);
        group_join(c, (size_t)dose, __builtin_ctzll(can), &why);
    }
    return true;
}

/* G6: the groups find room, the distance of two being the greatest of any two members. */
static bool work_room(struct work *w)
{
    struct group_case *c = w->c;
    const struct packs *packs = c->packs;
    struct pack pack = {.count = (size_t)c->groups};
    size_t place[REGIMEN_DOSES_MAX];
    size_t count;
    for (int g = 0; g < c->groups; g++) {
        const uint64_t *dom = c->dom + c->first[g] * c->problem->words;
        pack.first[g] = cells_first(dom, c->problem->words);
        pack.last[g] = cells_last(dom, c->problem->words);
        for (int h = 0; h < g; h++)
            pack.distance[g][h] = pack.distance[h][g] = 1;
    }
    for (size_t i = 0; i < packs->count; i++) {
        int g = c->group_of[i];
        for (size_t j = 0; g != GROUP_NONE && j < i; j++) {
            int h = c->group_of[j];
            uint8_t way = packs->distance[i * packs->count + j];
            if (h != GROUP_NONE && h != g && way > pack.distance[g][h])
                pack.distance[g][h] = pack.distance[h][g] = way;
        }
    }
    if (!pack_overfull(&pack, place, &count))
        return true;
    struct cause why = {{0}};
    w->clash->packed = true;
    memset(w->clash->set, 0, sizeof w->clash->set);
    if (c->track)
        why = *c->opened;
    for (size_t k = 0; k < count; k++) {
        size_t g = place[k];
        set_add(w->clash->set, c->first[g]);
        if (!c->track)
            continue;
        cause_or(&why, &c->dom_why[c->first[g]]);
        uint64_t members[2] = {c->member[g][0], c->member[g][1]};
        for (int dose; (dose = set_take(members)) >= 0;)
            cause_or(&why, &c->join_why[dose]);
    }
    return work_fail(w, &why, (struct slots_rule){SLOTS_RULE_TIMES, 0}, c->first[place[0]],
                     c->first[place[count - 1]]);
}

bool group_propagate(struct group_case *c, struct group_clash *clash)
{
    struct work w = {.c = c, .clash = clash};
    do {
        for (int unit; (unit = set_take(c->dirty)) >= 0;) {
            set_add(w.seen, (size_t)unit);
            if (!work_unit(&w, (size_t)unit))
                return false;
            /* the states last: they look at all doses of a drug */
            for (size_t d = 0;
                 c->problem->states && !(c->dirty[0] | c->dirty[1]) && d < c->problem->regimen->drug_count;
                 d++) {
                if (c->problem->has_state[d] && !work_state(&w, d))
                    return false;
            }
        }
        if (w.seen[0] | w.seen[1])
            work_joins(&w);
        if (c->groups == c->limit && !work_full(&w))
            return false;
    } while (c->dirty[0] | c->dirty[1]);
    return !c->packs || work_room(&w);
}
