/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fewest dates, then the cheapest, then the latest, that serve every bridged drug of one phase.
 *
 * Dates are added in ascending order, layer by layer: layer m holds the states after m dates. What counts of
 * a state is its last date and how far each chain has come; two states alike in both have the same future, so
 * only the better one is kept (less weight, then later dates). A simple drug (one fill, the earlier the
 * cheaper) is always served by the first date in its range, so it needs no place in the state: this is the
 * interval stabbing of the spec. Chains take each date that they can, which is best for all that follows. The
 * first layer with a state that serves everybody has the fewest dates. It is looked for with a rising bound
 * on the number of dates, so that states which cannot make it within the bound are dropped at once.
 *
 * Only dates that cannot move one day later without cost are tried: the ends of a simple drug's price levels,
 * the last dates of a chain's fills, and such dates minus a chain's gap. The best plan with the latest dates
 * has no others, since any other date could be moved, and moving it inside windows without anchors changes no
 * objective.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/sync_private.h"

enum {
    STATES_MAX = 1 << 19,   /* of one phase: 32 MiB or so; ordinary cases need some dozens */
    PROGRESS_MAX = 1 << 26, /* chains of all states of a phase together: 128 MiB */
    DATES_MAX = 1 << 13,
    CHAIN_DEAD = 0xffff,
    CHAIN_DONE = 0xfffe,
    /* Progress of a live chain: the fill that comes next, and the place of the first date that may take it.
     */
    STAGE_SHIFT = 14,
    PLACE_MASK = (1 << STAGE_SHIFT) - 1,
};

struct state {
    uint64_t weight; /* of the simple drugs served so far */
    int32_t parent;  /* -1 at the root */
    int32_t date;    /* place in dates; -1 at the root */
    int32_t next;    /* in the list of states with this last date in this layer */
};

struct search {
    const struct sync_grid *grid;
    struct arena *arena;
    struct error *err;

    const struct sync_stop **simple; /* by lo */
    size_t simple_count;
    const struct sync_stop **packed;
    size_t packed_count;
    const struct sync_chain *chains;

    int32_t *dates;
    size_t date_count, date_cap;
    uint16_t *served;  /* [date]: simple drugs with lo on or before it */
    uint64_t *price;   /* [date][k]: weight of the first k simple drugs on that date (those it can serve) */
    int32_t *deadline; /* [k]: earliest end among the simple drugs k, k + 1, ... */

    size_t width;                          /* chains of all packed drugs: the length of a progress */
    const struct sync_chain **chain;       /* [width] */
    int32_t (*chain_to)[SYNC_BRIDGES_MAX]; /* [width]: place of the last date of each fill */
    struct state *states;
    size_t state_count, state_cap;
    uint16_t *progress; /* [state][width] */
    size_t progress_cap;
    int32_t *heads;    /* [date]: states of the layer that ends there */
    uint16_t *scratch; /* one progress */
    size_t layer;      /* that is being made */
    size_t bound;      /* dates that may be used */
};

static int no_memory(struct search *s)
{
    return error_set(s->err, E_MEMORY, "out of memory");
}

static int stop_order(const void *a, const void *b)
{
    const struct sync_stop *left = *(const struct sync_stop *const *)a;
    const struct sync_stop *right = *(const struct sync_stop *const *)b;
    return (left->facts->lo > right->facts->lo) - (left->facts->lo < right->facts->lo);
}

/* The place of the first date on or after day. */
static size_t place_after(const struct search *s, int32_t day)
{
    size_t low = 0, high = s->date_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (s->dates[mid] < day)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int add_date(struct search *s, int32_t day)
{
    size_t at = place_after(s, day);
    if (at < s->date_count && s->dates[at] == day)
        return 0;
    if (s->date_count == DATES_MAX)
        return error_set(s->err, E_LIMIT, "more than %d dates to choose from", DATES_MAX);
    if (!sync_grow(s->arena, (void **)&s->dates, &s->date_cap, s->date_count + 1, sizeof s->dates[0]))
        return no_memory(s);
    memmove(s->dates + at + 1, s->dates + at, (s->date_count - at) * sizeof s->dates[0]);
    s->dates[at] = day;
    s->date_count++;
    return 0;
}

/* The dates that a packed drug's chain needs for its next fill on `day`. */
static int add_dates_before(struct search *s, int32_t day)
{
    int rc = 0;
    for (size_t i = 0; i < s->width && !rc; i++) {
        const struct sync_chain *chain = s->chain[i];
        for (int k = 0; k + 1 < chain->count && !rc; k++) {
            int32_t before = day - chain->gap[k];
            if (day >= chain->from[k + 1] && day <= chain->to[k + 1] && before >= chain->from[k] &&
                before <= chain->to[k])
                rc = add_date(s, before);
        }
    }
    return rc;
}

static int collect_dates(struct search *s)
{
    int rc = 0;
    for (size_t i = 0; i < s->simple_count && !rc; i++) {
        for (size_t k = 0; k < s->simple[i]->count && !rc; k++)
            rc = add_date(s, s->chains[s->simple[i]->first + k].to[0]);
    }
    for (size_t i = 0; i < s->width && !rc; i++) {
        for (int k = 0; k < s->chain[i]->count && !rc; k++)
            rc = add_date(s, s->chain[i]->to[k]);
    }
    /* From the last to the first: what is added lies before, or is there already. */
    for (size_t left = s->date_count; s->width && left > 0 && !rc; left--) {
        size_t after = s->date_count - left; /* how many later dates there are; adding keeps that number */
        rc = add_dates_before(s, s->dates[left - 1]);
        left = s->date_count - after;
    }
    return rc;
}

/* Weight of a simple drug that is filled on day; 0 when it cannot be (the deadlines rule such days out). */
static uint64_t simple_weight(const struct search *s, const struct sync_stop *stop, int32_t day)
{
    for (size_t k = 0; k < stop->count; k++) {
        if (s->chains[stop->first + k].to[0] >= day)
            return s->chains[stop->first + k].weight;
    }
    return 0;
}

static int price_dates(struct search *s)
{
    size_t row = s->simple_count + 1;
    s->served = arena_array(s->arena, s->date_count + 1, sizeof s->served[0]);
    s->price = arena_array(s->arena, s->date_count * row + 1, sizeof s->price[0]);
    s->deadline = arena_array(s->arena, row, sizeof s->deadline[0]);
    s->heads = arena_array(s->arena, s->date_count + 1, sizeof s->heads[0]);
    if (!s->served || !s->price || !s->deadline || !s->heads)
        return no_memory(s);
    for (size_t t = 0; t < s->date_count; t++) {
        for (size_t k = 0; k < s->simple_count; k++) {
            s->price[t * row + k + 1] = s->price[t * row + k] + simple_weight(s, s->simple[k], s->dates[t]);
            if (s->simple[k]->facts->lo <= s->dates[t])
                s->served[t] = (uint16_t)(k + 1);
        }
    }
    s->deadline[s->simple_count] = INT32_MAX;
    for (size_t k = s->simple_count; k > 0; k--) {
        int32_t end = s->simple[k - 1]->end;
        s->deadline[k - 1] = end < s->deadline[k] ? end : s->deadline[k];
    }
    return 0;
}

static int place_chains(struct search *s)
{
    s->chain_to = arena_array(s->arena, s->width + 1, sizeof s->chain_to[0]);
    s->scratch = arena_array(s->arena, s->width + 1, sizeof s->scratch[0]);
    if (!s->chain_to || !s->scratch)
        return no_memory(s);
    for (size_t i = 0; i < s->width; i++) {
        for (int k = 0; k < s->chain[i]->count; k++)
            s->chain_to[i][k] = (int32_t)place_after(s, s->chain[i]->to[k] + 1) - 1;
    }
    return 0;
}

static int prepare(struct search *s, const struct sync_stop *stops, size_t stop_count)
{
    s->simple = arena_array(s->arena, stop_count, sizeof s->simple[0]);
    s->packed = arena_array(s->arena, stop_count, sizeof s->packed[0]);
    if (!s->simple || !s->packed)
        return no_memory(s);
    for (size_t i = 0; i < stop_count; i++) {
        if (stops[i].simple) {
            s->simple[s->simple_count++] = &stops[i];
        } else {
            s->packed[s->packed_count++] = &stops[i];
            s->width += stops[i].count;
        }
    }
    qsort(s->simple, s->simple_count, sizeof s->simple[0], stop_order);
    s->chain = arena_array(s->arena, s->width + 1, sizeof s->chain[0]);
    if (!s->chain)
        return no_memory(s);
    size_t n = 0;
    for (size_t i = 0; i < s->packed_count; i++) {
        for (size_t k = 0; k < s->packed[i]->count; k++)
            s->chain[n++] = &s->chains[s->packed[i]->first + k];
    }
    int rc = collect_dates(s);
    if (!rc)
        rc = price_dates(s);
    if (!rc)
        rc = place_chains(s);
    return rc;
}

/* Moves one chain on to date t. */
static uint16_t chain_step(const struct search *s, size_t i, uint16_t progress, size_t t)
{
    if (progress >= CHAIN_DONE)
        return progress;
    const struct sync_chain *chain = s->chain[i];
    int stage = progress >> STAGE_SHIFT;
    size_t place = progress & PLACE_MASK;
    /* Without a payer's wait one date may take two fills. */
    while (place <= t && s->chain_to[i][stage] >= (int32_t)t) {
        if (stage + 1 == chain->count)
            return CHAIN_DONE;
        int32_t next = s->dates[t] + chain->gap[stage];
        stage++;
        place = place_after(s, next > chain->from[stage] ? next : chain->from[stage]);
    }
    if (s->chain_to[i][stage] <= (int32_t)t || s->chain_to[i][stage] < (int32_t)place)
        return CHAIN_DEAD;
    return (uint16_t)(stage << STAGE_SHIFT | (int)place);
}

/* Moves all chains from `from` to date t into s->scratch. False when some drug can no longer be bridged.
 * *ret_moved: a chain made a fill. */
static bool step_chains(struct search *s, const uint16_t *from, size_t t, bool *ret_moved)
{
    size_t i = 0;
    for (size_t d = 0; d < s->packed_count; d++) {
        bool hope = false, done = false;
        for (size_t k = 0; k < s->packed[d]->count; k++, i++) {
            uint16_t now =
                done ? CHAIN_DEAD : chain_step(s, i, from[i], t); /* the rest costs as much or more */
            if (now != from[i] && now != CHAIN_DEAD)
                *ret_moved = true;
            done = done || now == CHAIN_DONE;
            hope = hope || now != CHAIN_DEAD;
            s->scratch[i] = now;
        }
        if (!hope)
            return false;
    }
    return true;
}

/* The last date on which the next shipment can go out. */
static int32_t state_deadline(const struct search *s, size_t state)
{
    int32_t date = s->states[state].date;
    int32_t deadline = s->deadline[date < 0 ? 0 : s->served[date]];
    const uint16_t *progress = s->progress + state * s->width;
    size_t i = 0;
    for (size_t d = 0; d < s->packed_count; d++) {
        int32_t last = INT32_MIN;
        for (size_t k = 0; k < s->packed[d]->count; k++, i++) {
            if (progress[i] == CHAIN_DONE)
                last = INT32_MAX;
            else if (progress[i] != CHAIN_DEAD && s->chain[i]->to[progress[i] >> STAGE_SHIFT] > last)
                last = s->chain[i]->to[progress[i] >> STAGE_SHIFT];
        }
        if (last < deadline)
            deadline = last;
    }
    return deadline;
}

/* True when the dates up to a are later than those up to b; both have as many. */
static bool later(const struct search *s, int32_t a, int32_t b)
{
    bool is_later = false;
    while (a != b) {
        if (s->states[a].date != s->states[b].date)
            is_later = s->states[a].date > s->states[b].date; /* the first that differs decides */
        a = s->states[a].parent;
        b = s->states[b].parent;
    }
    return is_later;
}

/* A new state with s->scratch as its progress, unless a better one stands at the same point. */
static int state_add(struct search *s, size_t parent, size_t t, uint64_t weight)
{
    struct state made = {weight, (int32_t)parent, (int32_t)t, s->heads[t]};
    for (int32_t i = s->heads[t]; i >= 0; i = s->states[i].next) {
        struct state *old = &s->states[i];
        if (s->width &&
            memcmp(s->progress + (size_t)i * s->width, s->scratch, s->width * sizeof s->scratch[0]))
            continue;
        bool better =
            weight < old->weight || (weight == old->weight && later(s, (int32_t)parent, old->parent));
        if (better) {
            old->weight = weight;
            old->parent = (int32_t)parent;
        }
        return 0;
    }
    if (s->state_count == STATES_MAX || (s->state_count + 1) * s->width > PROGRESS_MAX)
        return error_set(
            s->err, E_LIMIT,
            "drugs in packs interlock in more than %zu ways; fix the anchor or a fill with a lock",
            s->state_count);
    if (!sync_grow(s->arena, (void **)&s->states, &s->state_cap, s->state_count + 1, sizeof s->states[0]) ||
        !sync_grow(s->arena, (void **)&s->progress, &s->progress_cap, (s->state_count + 1) * s->width,
                   sizeof s->progress[0]))
        return no_memory(s);
    if (s->width)
        memcpy(s->progress + s->state_count * s->width, s->scratch, s->width * sizeof s->scratch[0]);
    s->heads[t] = (int32_t)s->state_count;
    s->states[s->state_count++] = made;
    return 0;
}

struct span {
    int32_t from, to;
};

/* The dates on which a packed drug's next fill can be, over all its chains. False: it needs none. */
static bool next_span(const struct search *s, const uint16_t *progress, size_t first, size_t count,
                      struct span *ret)
{
    *ret = (struct span){INT32_MAX, INT32_MIN};
    for (size_t i = first; i < first + count; i++) {
        if (progress[i] == CHAIN_DONE)
            return false;
        if (progress[i] == CHAIN_DEAD)
            continue;
        int32_t from = s->dates[progress[i] & PLACE_MASK];
        int32_t to = s->chain[i]->to[progress[i] >> STAGE_SHIFT];
        ret->from = from < ret->from ? from : ret->from;
        ret->to = to > ret->to ? to : ret->to;
    }
    return true;
}

/* At least so many dates more: drugs whose next fills cannot share a date need one each. */
static size_t still_needed(const struct search *s, size_t served, const uint16_t *progress)
{
    struct span packed[SYNC_DRUGS_MAX], span;
    size_t count = 0, needed = 0, chain = 0, p = 0;
    for (size_t d = 0; d < s->packed_count; d++) {
        bool open = next_span(s, progress, chain, s->packed[d]->count, &span);
        size_t at = open ? count++ : 0;
        chain += s->packed[d]->count;
        for (; open && at > 0 && packed[at - 1].from > span.from; at--)
            packed[at] = packed[at - 1];
        if (open)
            packed[at] = span;
    }
    int32_t end = INT32_MIN; /* of all spans since the last date that was counted */
    while (p < count || served < s->simple_count) {
        const struct sync_stop *stop = served < s->simple_count ? s->simple[served] : NULL;
        if (p < count && (!stop || packed[p].from < stop->facts->lo)) {
            span = packed[p++];
        } else {
            span = (struct span){stop->facts->lo, stop->end};
            served++;
        }
        needed += span.from > end;
        end = span.from > end || span.to < end ? span.to : end;
    }
    return needed;
}

static int expand(struct search *s, size_t state)
{
    int32_t deadline = state_deadline(s, state);
    size_t row = s->simple_count + 1;
    int32_t date = s->states[state].date;
    size_t served = date < 0 ? 0 : s->served[date];
    for (size_t t = (size_t)(date + 1); t < s->date_count && s->dates[t] <= deadline; t++) {
        bool useful = s->served[t] > served;
        if (!step_chains(s, s->progress + state * s->width, t, &useful) || !useful)
            continue;
        if (s->layer + still_needed(s, s->served[t], s->scratch) > s->bound)
            continue;
        uint64_t weight =
            s->states[state].weight + s->price[t * row + s->served[t]] - s->price[t * row + served];
        int rc = state_add(s, state, t, weight);
        if (rc)
            return rc;
    }
    return 0;
}

/* True when everybody is served; *ret_weight then includes the packed drugs. */
static bool complete(const struct search *s, size_t state, uint64_t *ret_weight)
{
    const uint16_t *progress = s->progress + state * s->width;
    if (s->served[s->states[state].date] < s->simple_count)
        return false;
    uint64_t weight = s->states[state].weight;
    size_t i = 0;
    for (size_t d = 0; d < s->packed_count; d++) {
        bool done = false;
        for (size_t k = 0; k < s->packed[d]->count; k++, i++) {
            if (progress[i] == CHAIN_DONE && !done) { /* the first is the cheapest */
                weight += s->chain[i]->weight;
                done = true;
            }
        }
        if (!done)
            return false;
    }
    *ret_weight = weight;
    return true;
}

/* Less is better: short fills and copay, then the anchor of the last date, then carried days. */
static int final_compare(const struct search *s, size_t a, uint64_t a_weight, size_t b, uint64_t b_weight)
{
    uint64_t a_high = a_weight >> SYNC_WEIGHT_CARRY_BITS;
    uint64_t b_high = b_weight >> SYNC_WEIGHT_CARRY_BITS;
    if (a_high != b_high)
        return a_high < b_high ? -1 : 1;
    int32_t a_index = sync_anchor_index(s->grid, s->dates[s->states[a].date]);
    int32_t b_index = sync_anchor_index(s->grid, s->dates[s->states[b].date]);
    if (a_index != b_index)
        return a_index < b_index ? -1 : 1;
    if (a_weight != b_weight)
        return a_weight < b_weight ? -1 : 1;
    return later(s, (int32_t)a, (int32_t)b) ? -1 : 1;
}

static int take_dates(struct search *s, size_t state, size_t count, uint64_t weight, struct sync_dates *ret)
{
    int32_t *day = arena_array(s->arena, count, sizeof *day);
    if (!day)
        return no_memory(s);
    int32_t at = (int32_t)state;
    for (size_t i = count; i > 0; i--, at = s->states[at].parent)
        day[i - 1] = s->dates[s->states[at].date];
    *ret = (struct sync_dates){day, count, weight};
    return 0;
}

/* The root is the only state; its progress is that of no date. */
static int start_again(struct search *s)
{
    if (!sync_grow(s->arena, (void **)&s->states, &s->state_cap, 1, sizeof s->states[0]) ||
        !sync_grow(s->arena, (void **)&s->progress, &s->progress_cap, s->width + 1, sizeof s->progress[0]))
        return no_memory(s);
    s->states[0] = (struct state){.parent = -1, .date = -1, .next = -1};
    for (size_t i = 0; i < s->width; i++)
        s->progress[i] = (uint16_t)place_after(s, s->chain[i]->from[0]);
    s->state_count = 1;
    return 0;
}

/* The best state of a layer that serves everybody; SIZE_MAX when none does. */
static size_t best_complete(const struct search *s, size_t from, uint64_t *ret_weight)
{
    size_t best = SIZE_MAX;
    for (size_t i = from; i < s->state_count; i++) {
        uint64_t weight;
        if (complete(s, i, &weight) &&
            (best == SIZE_MAX || final_compare(s, i, weight, best, *ret_weight) < 0)) {
            best = i;
            *ret_weight = weight;
        }
    }
    return best;
}

/* All layers up to s->bound dates; *ret_best is SIZE_MAX when so many do not suffice. */
static int layers(struct search *s, size_t *ret_best, uint64_t *ret_weight)
{
    int rc = start_again(s);
    size_t from = 0;
    for (s->layer = 1; s->layer <= s->bound && !rc; s->layer++) {
        size_t to = s->state_count;
        memset(s->heads, 0xff, s->date_count * sizeof s->heads[0]); /* -1 each */
        for (size_t i = from; i < to && !rc; i++)
            rc = expand(s, i);
        from = to;
    }
    *ret_best = rc ? SIZE_MAX : best_complete(s, from, ret_weight);
    return rc;
}

int sync_search(const struct sync_grid *grid, const struct sync_stop *stops, size_t stop_count,
                const struct sync_chain *chains, struct arena *arena, struct sync_dates *ret_dates,
                struct error *err)
{
    if (stop_count == 0) {
        *ret_dates = (struct sync_dates){0};
        return 0;
    }
    struct search s = {.grid = grid, .arena = arena, .err = err, .chains = chains};
    int rc = prepare(&s, stops, stop_count);
    if (!rc)
        rc = start_again(&s);
    if (rc)
        return rc;
    size_t best = SIZE_MAX;
    uint64_t weight = 0;
    for (s.bound = still_needed(&s, 0, s.progress); best == SIZE_MAX; s.bound++) {
        assert(s.bound <= s.date_count); /* each drug has a chain, and all dates together serve everybody */
        rc = layers(&s, &best, &weight);
        if (rc)
            return rc;
    }
    return take_dates(&s, best, s.bound - 1, weight, ret_dates);
}

/* The latest dates that serve a chain, each as late as it can be; false when they do not serve it. */
static bool chain_dates(const struct sync_chain *chain, const struct sync_dates *dates, int32_t *day)
{
    int32_t latest = INT32_MAX;
    for (int k = chain->count - 1; k >= 0; k--) {
        if (chain->to[k] < latest)
            latest = chain->to[k];
        size_t i = dates->count;
        while (i > 0 && dates->day[i - 1] > latest)
            i--;
        if (i == 0 || dates->day[i - 1] < chain->from[k])
            return false;
        day[k] = dates->day[i - 1];
        latest = k > 0 ? day[k] - chain->gap[k - 1] : latest;
    }
    return true;
}

/* True when a's dates are later than b's at the first difference, or a needs fewer, or its fills are smaller.
 */
static bool prefer(const struct sync_chain *a, const int32_t *a_day, const struct sync_chain *b,
                   const int32_t *b_day)
{
    for (int i = 0; i < a->count && i < b->count; i++) {
        if (a_day[i] != b_day[i])
            return a_day[i] > b_day[i];
    }
    if (a->count != b->count)
        return a->count < b->count;
    for (int i = 0; i < a->count; i++) {
        if (a->days[i] != b->days[i])
            return a->days[i] < b->days[i];
    }
    return false;
}

const struct sync_chain *sync_pick(const struct sync_stop *stop, const struct sync_chain *chains,
                                   const struct sync_dates *dates, int32_t day[SYNC_BRIDGES_MAX])
{
    const struct sync_chain *best = NULL;
    for (size_t k = 0; k < stop->count; k++) {
        const struct sync_chain *chain = &chains[stop->first + k];
        int32_t found[SYNC_BRIDGES_MAX];
        if (best && chain->weight > best->weight)
            break;
        if (chain_dates(chain, dates, found) && (!best || prefer(chain, found, best, day))) {
            best = chain;
            memcpy(day, found, sizeof found);
        }
    }
    assert(best);
    return best;
}
