/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scheduler/sync_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One way of one drug: its bridges and what it costs. */
struct way {
    int count, date[3], days[3];
    long shorts, copay, carry;
    int join, run_out; /* run_out at the join, before that fill */
};

enum { SLOTS = 1 << 14, SETS_MAX = 10000 };

struct ways {
    struct way *item;
    int count, cap;
    int *slots; /* hash of a set of dates -> 1 + the best way with just these dates; 0 none */
};

struct drug {
    const struct sync_rx *rx;
    int run_out, lo, hi, standard;
    struct ways ways;
};

struct world {
    const struct sync_case *c;
    int anchor, cycle, cap;
    struct drug drugs[ORACLE_DRUGS_MAX];
    int drug_count;
    long gap;
    long sets_left; /* before the case counts as too large */
};

struct candidate {
    bool valid;
    int dates[64], date_count;
    long cost[SYNC_TERMS];
    struct way way[ORACLE_DRUGS_MAX];
};

static int greater(int a, int b)
{
    return a > b ? a : b;
}

/* The least whole number that is not below pct * days / 100. */
static int wait_days(int pct, int days)
{
    int wait = 0;
    while (wait * 100 < pct * days)
        wait++;
    return wait;
}

static bool is_anchor(const struct world *w, int day)
{
    return day >= w->anchor && (day - w->anchor) % w->cycle == 0;
}

static void ways_add(struct ways *ways, const struct way *way)
{
    if (ways->count == ways->cap) {
        ways->cap = ways->cap ? ways->cap * 2 : 64;
        ways->item = realloc(ways->item, (size_t)ways->cap * sizeof *ways->item);
        assert_non_null(ways->item);
    }
    ways->item[ways->count++] = *way;
}

/* P1 and P2 word by word. */
static void find_ways(const struct world *w, struct drug *drug, struct way way, int run_out, int lo, int hi)
{
    const struct sync_rx *rx = drug->rx;
    for (int day = hi; day >= lo; day--) {
        if (is_anchor(w, day)) {
            way.join = day;
            way.run_out = run_out;
            way.carry = greater(0, run_out - day);
            ways_add(&drug->ways, &way);
            return;
        }
    }
    bool packed = rx->pack_days != SYNC_NONE;
    if (way.count == (packed ? 3 : 1))
        return;
    for (int day = lo; day <= hi; day++) {
        for (int n = 1; n <= drug->standard; n++) {
            if ((packed && n % rx->pack_days != 0) || (n != drug->standard && n < rx->min_days))
                continue;
            struct way next = way;
            next.date[next.count] = day;
            next.days[next.count++] = n;
            if (n != drug->standard) {
                next.shorts++;
                next.copay += rx->prorated ? 0 : rx->copay_cents;
            }
            int end = greater(run_out, day) + n;
            find_ways(w, drug, next, end, greater(day + wait_days(rx->threshold_pct, n), end - w->cap), end);
        }
    }
}

/* Positive when a is the way to prefer at equal costs: later dates, then fewer, then smaller fills. */
static int way_taste(const struct way *a, const struct way *b)
{
    for (int i = 0; i < a->count && i < b->count; i++) {
        if (a->date[i] != b->date[i])
            return a->date[i] > b->date[i] ? 1 : -1;
    }
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    for (int i = 0; i < a->count; i++) {
        if (a->days[i] != b->days[i])
            return a->days[i] < b->days[i] ? 1 : -1;
    }
    return 0;
}

static int long_order(long a, long b)
{
    return (a > b) - (a < b);
}

static bool way_better(const struct way *a, const struct way *b)
{
    int order = long_order(a->shorts, b->shorts);
    order = order ? order : long_order(a->copay, b->copay);
    order = order ? order : long_order(a->carry, b->carry);
    return order ? order < 0 : way_taste(a, b) > 0;
}

static void dates_add(int *dates, int *count, int day)
{
    int at = 0;
    while (at < *count && dates[at] < day)
        at++;
    if (at < *count && dates[at] == day)
        return;
    assert_true(*count < 512);
    memmove(dates + at + 1, dates + at, (size_t)(*count - at) * sizeof *dates);
    dates[at] = day;
    (*count)++;
}

/* The slot of a set of at most three dates. */
static int *find_slot(const struct ways *ways, const int *dates, int count)
{
    unsigned hash = (unsigned)count;
    for (int i = 0; i < count; i++)
        hash = (hash ^ (unsigned)dates[i]) * 2654435761u;
    for (unsigned at = hash >> 18;; at = (at + 1) % SLOTS) {
        int *slot = &ways->slots[at];
        if (*slot == 0)
            return slot;
        int have[3], have_count = 0;
        const struct way *way = &ways->item[*slot - 1];
        for (int i = 0; i < way->count; i++)
            dates_add(have, &have_count, way->date[i]);
        if (have_count == count && memcmp(have, dates, (size_t)count * sizeof *dates) == 0)
            return slot;
    }
}

/* False when there are too many. */
static bool index_ways(struct ways *ways)
{
    if (!ways->slots)
        ways->slots = malloc(SLOTS * sizeof *ways->slots);
    assert_non_null(ways->slots);
    memset(ways->slots, 0, SLOTS * sizeof *ways->slots);
    int used = 0;
    for (int k = 0; k < ways->count; k++) {
        int set[3], count = 0;
        for (int i = 0; i < ways->item[k].count; i++)
            dates_add(set, &count, ways->item[k].date[i]);
        int *slot = find_slot(ways, set, count);
        used += *slot == 0;
        if (used > SLOTS / 2)
            return false;
        if (*slot == 0 || way_better(&ways->item[k], &ways->item[*slot - 1]))
            *slot = k + 1;
    }
    return true;
}

/* The best way whose dates are all among these. */
static const struct way *best_way(const struct ways *ways, const int *dates, int count)
{
    const struct way *best = NULL;
    for (unsigned mask = 0; mask < 1u << count; mask++) {
        int set[3], size = 0;
        if (__builtin_popcount(mask) > 3)
            continue;
        for (int i = 0; i < count; i++) {
            if (mask >> i & 1)
                set[size++] = dates[i];
        }
        int slot = *find_slot(ways, set, size);
        if (slot && (!best || way_better(&ways->item[slot - 1], best)))
            best = &ways->item[slot - 1];
    }
    return best;
}

/* Costs of a candidate whose ways are chosen. */
static void candidate_cost(const struct world *w, struct candidate *cand)
{
    cand->valid = true;
    memset(cand->cost, 0, sizeof cand->cost);
    cand->cost[SYNC_GAP_DAYS] = w->gap;
    cand->cost[SYNC_EXTRA_SHIPMENTS] = cand->date_count;
    for (int i = 0; i < w->drug_count; i++) {
        cand->cost[SYNC_SHORT_FILLS] += cand->way[i].shorts;
        cand->cost[SYNC_EXTRA_COPAY_CENTS] += cand->way[i].copay;
        cand->cost[SYNC_CARRY_DAYS] += cand->way[i].carry;
    }
    int k = 0;
    if (cand->date_count > 0) {
        while (w->anchor + k * w->cycle < cand->dates[cand->date_count - 1])
            k++;
    }
    cand->cost[SYNC_ANCHORS_UNTIL_SYNC] = k;
}

static bool candidate_better(const struct world *w, const struct candidate *a, const struct candidate *b)
{
    if (!b->valid)
        return true;
    for (int t = 0; t < SYNC_TERMS; t++) {
        if (a->cost[t] != b->cost[t])
            return a->cost[t] < b->cost[t];
    }
    for (int i = 0; i < a->date_count; i++) {
        if (a->dates[i] != b->dates[i])
            return a->dates[i] > b->dates[i];
    }
    for (int i = 0; i < w->drug_count; i++) {
        int taste = way_taste(&a->way[i], &b->way[i]);
        if (taste)
            return taste > 0;
    }
    return false;
}

/* Each drug's best way when shipments go out on these dates only. */
static void try_dates(const struct world *w, const int *dates, int count, struct candidate *best)
{
    struct candidate cand = {.date_count = count};
    memcpy(cand.dates, dates, (size_t)count * sizeof *dates);
    for (int i = 0; i < w->drug_count; i++) {
        const struct way *choice = best_way(&w->drugs[i].ways, dates, count);
        if (!choice)
            return;
        cand.way[i] = *choice;
    }
    candidate_cost(w, &cand);
    if (candidate_better(w, &cand, best))
        *best = cand;
}

static void try_sets(struct world *w, const int *all, int all_count, int *dates, int count, int size,
                     int from, struct candidate *best)
{
    if (count == size) {
        w->sets_left--;
        try_dates(w, dates, count, best);
        return;
    }
    for (int i = from; i < all_count && w->sets_left > 0; i++) {
        dates[count] = all[i];
        try_sets(w, all, all_count, dates, count + 1, size, i + 1, best);
    }
}

static void try_product(const struct world *w, struct candidate *cand, int drug, struct candidate *best)
{
    if (drug == w->drug_count) {
        int dates[512], count = 0;
        for (int i = 0; i < drug; i++) {
            for (int k = 0; k < cand->way[i].count; k++)
                dates_add(dates, &count, cand->way[i].date[k]);
        }
        memcpy(cand->dates, dates, (size_t)count * sizeof *dates);
        cand->date_count = count;
        candidate_cost(w, cand);
        if (candidate_better(w, cand, best))
            *best = *cand;
        return;
    }
    for (int k = 0; k < w->drugs[drug].ways.count; k++) {
        cand->way[drug] = w->drugs[drug].ways.item[k];
        try_product(w, cand, drug + 1, best);
    }
}

static void solve_anchor(struct world *w, bool product, struct candidate *best)
{
    int all[512], all_count = 0;
    best->valid = false;
    for (int i = 0; i < w->drug_count; i++) {
        struct drug *drug = &w->drugs[i];
        drug->ways.count = 0;
        find_ways(w, drug, (struct way){0}, drug->run_out, drug->lo, drug->hi);
        if (drug->ways.count == 0)
            return;
        for (int k = 0; k < drug->ways.count; k++) {
            for (int b = 0; b < drug->ways.item[k].count; b++)
                dates_add(all, &all_count, drug->ways.item[k].date[b]);
        }
    }
    if (product) {
        struct candidate cand = {0};
        try_product(w, &cand, 0, best);
        return;
    }
    for (int i = 0; i < w->drug_count; i++) {
        if (!index_ways(&w->drugs[i].ways))
            w->sets_left = 0;
    }
    int dates[64];
    for (int size = 0; size <= all_count && !best->valid && w->sets_left > 0; size++)
        try_sets(w, all, all_count, dates, 0, size, 0, best);
}

static int oracle_order(const void *a, const void *b)
{
    return strcmp(((const struct drug *)a)->rx->id, ((const struct drug *)b)->rx->id);
}

static void build_drugs(struct world *w)
{
    const struct sync_case *c = w->c;
    for (size_t i = 0; i < c->rx_count; i++) {
        const struct sync_rx *rx = &c->rx[i];
        struct drug d = {.rx = rx};
        int start = rx->start == INT32_MIN ? c->today : rx->start;
        d.run_out = greater(c->today, start);
        for (int left = rx->on_hand_units; left >= rx->units_per_day; left -= rx->units_per_day)
            d.run_out++;
        int earliest = c->today;
        if (rx->last_fill != INT32_MIN && !rx->override_granted)
            earliest = rx->last_fill + wait_days(rx->threshold_pct, rx->days_supply);
        if (rx->payer_wait_days > 0 && !rx->override_granted)
            earliest = greater(earliest, c->today + rx->payer_wait_days);
        d.lo = greater(greater(c->today, earliest), d.run_out - c->max_carry_days);
        d.hi = greater(d.run_out, d.lo);
        if (rx->pack_days == SYNC_NONE) {
            while (d.standard + c->cycle_days <= rx->usual_days)
                d.standard += c->cycle_days;
        } else {
            while (d.standard < c->cycle_days)
                d.standard += rx->pack_days;
            if (d.standard > rx->usual_days && d.standard > rx->pack_days)
                d.standard = 0;
        }
        if (rx->stopped || rx->schedule == 2 || rx->prn || d.standard == 0)
            continue;
        w->gap += greater(0, d.lo - d.run_out);
        w->drugs[w->drug_count++] = d;
    }
    qsort(w->drugs, (size_t)w->drug_count, sizeof w->drugs[0], oracle_order);
}

static void list_fill(struct oracle_plan *plan, const struct world *w, const struct drug *drug, int date,
                      int days, int kind)
{
    if (date > w->c->today + w->c->horizon_days)
        return;
    assert_true(plan->fill_count < ORACLE_FILLS_MAX);
    const struct sync_rx *rx = drug->rx;
    plan->fills[plan->fill_count++] =
        (struct oracle_fill){date, days,
                             rx->pack_days == SYNC_NONE ? (long)days * rx->units_per_day
                                                        : (long)days / rx->pack_days * rx->pack_units,
                             kind, rx->id};
}

static int fill_order(const void *a, const void *b)
{
    const struct oracle_fill *left = a;
    const struct oracle_fill *right = b;
    return left->date != right->date ? left->date - right->date : strcmp(left->id, right->id);
}

static void list_fills(struct oracle_plan *plan, const struct world *w, const struct candidate *best)
{
    for (int i = 0; i < w->drug_count; i++) {
        const struct drug *drug = &w->drugs[i];
        const struct way *way = &best->way[i];
        for (int k = 0; k < way->count; k++)
            list_fill(plan, w, drug, way->date[k], way->days[k],
                      way->days[k] == drug->standard ? SYNC_BRIDGE_FULL : SYNC_BRIDGE_SHORT);
        int run_out = way->run_out;
        for (int b = way->join; b <= w->c->today + w->c->horizon_days; b += w->cycle) {
            if (b > way->join && run_out >= b + w->cycle)
                continue;
            list_fill(plan, w, drug, b, drug->standard, SYNC_ANCHOR);
            run_out = greater(run_out, b) + drug->standard;
        }
    }
    qsort(plan->fills, (size_t)plan->fill_count, sizeof plan->fills[0], fill_order);
}

bool oracle_solve(const struct sync_case *c, bool product, struct oracle_plan *plan)
{
    struct world w = {.c = c, .cycle = c->cycle_days, .cap = c->max_carry_days, .sets_left = SETS_MAX};
    struct candidate best = {0}, one;
    *plan = (struct oracle_plan){0};
    build_drugs(&w);
    for (int a = c->today; a < c->today + c->cycle_days; a++) {
        if (c->current_anchor != INT32_MIN && (a - c->current_anchor) % c->cycle_days != 0)
            continue;
        w.anchor = a;
        solve_anchor(&w, product, &one);
        if (!one.valid)
            continue;
        bool better = !best.valid;
        for (int t = 0; t < SYNC_TERMS && !better; t++) {
            if (one.cost[t] > best.cost[t])
                break;
            better = one.cost[t] < best.cost[t];
        }
        if (better) {
            best = one;
            plan->anchor = a;
        }
    }
    plan->feasible = best.valid;
    if (best.valid) {
        memcpy(plan->objective, best.cost, sizeof best.cost);
        plan->sync_date = plan->anchor + (int)best.cost[SYNC_ANCHORS_UNTIL_SYNC] * c->cycle_days;
        list_fills(plan, &w, &best);
    }
    for (int i = 0; i < w.drug_count; i++) {
        free(w.drugs[i].ways.item);
        free(w.drugs[i].ways.slots);
    }
    return w.sets_left > 0;
}

void oracle_print(const struct sync_case *c)
{
    print_message("today %d cycle %d horizon %d anchor %d carry %d\n", c->today, c->cycle_days,
                  c->horizon_days, c->current_anchor, c->max_carry_days);
    for (size_t i = 0; i < c->rx_count; i++) {
        const struct sync_rx *rx = &c->rx[i];
        print_message(
            "  %s last %d+%d hand %d/%d start %d usual %d min %d pack %d/%d pct %d%s copay %d%s%s%s sch %d\n",
            rx->id, rx->last_fill, rx->days_supply, rx->on_hand_units, rx->units_per_day, rx->start,
            rx->usual_days, rx->min_days, rx->pack_days, rx->pack_units, rx->threshold_pct,
            rx->override_granted ? " override" : "", rx->copay_cents, rx->prorated ? " prorated" : "",
            rx->prn ? " prn" : "", rx->stopped ? " stopped" : "", rx->schedule);
    }
}

static bool same_plan(const struct oracle_plan *want, const struct sync_plan *got)
{
    if (want->feasible != got->feasible)
        return false;
    if (!want->feasible)
        return true;
    if (want->anchor != got->anchor || want->sync_date != got->sync_date ||
        (size_t)want->fill_count != got->fill_count)
        return false;
    for (int t = 0; t < SYNC_TERMS; t++) {
        if (want->objective[t] != got->objective.term[t])
            return false;
    }
    for (int i = 0; i < want->fill_count; i++) {
        const struct oracle_fill *a = &want->fills[i];
        const struct sync_fill *b = &got->fills[i];
        if (a->date != b->date || a->days != b->days || a->qty != b->qty || a->kind != (int)b->kind ||
            strcmp(a->id, b->id) != 0)
            return false;
    }
    return true;
}

void oracle_compare_or_fail(const struct sync_case *c, const struct oracle_plan *want,
                            const struct sync_plan *got, unsigned seed)
{
    if (same_plan(want, got))
        return;
    oracle_print(c);
    print_message("seed %u: want %d anchor %d (", seed, want->feasible, want->anchor);
    for (int t = 0; t < SYNC_TERMS; t++)
        print_message(" %ld", want->objective[t]);
    print_message(" ), got %d anchor %d (", got->feasible, got->anchor);
    for (int t = 0; t < SYNC_TERMS; t++)
        print_message(" %ld", (long)got->objective.term[t]);
    print_message(" )\n");
    for (int i = 0; i < want->fill_count; i++)
        print_message("  want %d %s %d %d\n", want->fills[i].date, want->fills[i].id, want->fills[i].days,
                      want->fills[i].kind);
    for (size_t i = 0; i < got->fill_count; i++)
        print_message("  got  %d %s %d %d\n", got->fills[i].date, got->fills[i].id, got->fills[i].days,
                      (int)got->fills[i].kind);
    fail_msg("the planner and the exhaustive solver differ");
}

static int pick(struct rng *rng, const int *values, size_t count)
{
    return values[rng_below(rng, (uint32_t)count)];
}
#define PICK(rng, ...) pick(rng, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static int between(struct rng *rng, int from, int to)
{
    return from + (int)rng_below(rng, (uint32_t)(to - from + 1));
}

static bool one_in(struct rng *rng, uint32_t n)
{
    return rng_below(rng, n) == 0;
}

static void random_pack(struct rng *rng, const struct oracle_mix *mix, int cycle, struct sync_rx *rx)
{
    /* Sizes that leave a handful of fills, so that trying all of them stays possible. */
    int sizes[8], count = 0;
    static const int all[] = {7, 10, 14, 15, 28, 30, 45, 60};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int standard = all[i] * ((cycle + all[i] - 1) / all[i]);
        if (standard / all[i] <= 3 && (!mix->whole || standard % cycle == 0))
            sizes[count++] = all[i];
    }
    if (mix->tiny)
        rx->pack_days = between(rng, 1, 4);
    else if (mix->odd)
        rx->pack_days = PICK(rng, 5, 6, 8, 9, 10, 11);
    else
        rx->pack_days = pick(rng, sizes, (size_t)count);
    rx->pack_units = between(rng, 1, 3);
    rx->usual_days = PICK(rng, 30, 30, 60, 90);
}

static void random_rx(struct rng *rng, const struct oracle_mix *mix, const struct sync_case *c,
                      struct sync_rx *rx)
{
    int cycle = c->cycle_days;
    rx->last_fill = INT32_MIN;
    rx->days_supply = SYNC_NONE;
    if (!one_in(rng, 8)) {
        rx->days_supply = PICK(rng, 7, 14, 28, 30, 30, 90);
        rx->last_fill = c->today - between(rng, 0, 40);
    }
    rx->units_per_day = PICK(rng, 1, 1, 2, 3);
    rx->on_hand_units = one_in(rng, 6) ? 0 : between(rng, 0, (cycle + 12) * rx->units_per_day);
    rx->start = one_in(rng, 6) ? c->today + between(rng, -3, 12) : INT32_MIN;
    rx->usual_days = PICK(rng, cycle, cycle, 30, 30, 60);
    if (rx->usual_days > 4 * cycle)
        rx->usual_days = 4 * cycle;
    rx->min_days = PICK(rng, 1, 1, 1, 3, 5, 7, 10, 15, 30);
    rx->pack_days = SYNC_NONE;
    rx->pack_units = SYNC_NONE;
    if (mix->packs && one_in(rng, 2))
        random_pack(rng, mix, cycle, rx);
    rx->threshold_pct = PICK(rng, 75, 75, 80, 85, 90, 100, 50, 33, 0);
    rx->override_granted = one_in(rng, 10);
    rx->payer_wait_days = mix->rejected && one_in(rng, 4) ? between(rng, 1, 20) : 0;
    rx->copay_cents = PICK(rng, 0, 500, 1000, 4000);
    rx->prorated = one_in(rng, 2);
    rx->qty_left = SYNC_NONE;
    rx->fills_left = SYNC_NONE;
    rx->expires = INT32_MIN;
    rx->pa_expires = INT32_MIN;
    if (mix->excluded && one_in(rng, 5)) {
        rx->schedule = PICK(rng, 2, 3, 4);
        rx->prn = one_in(rng, 3);
        rx->stopped = one_in(rng, 4);
    }
}

void oracle_random(unsigned seed, const struct oracle_mix *mix, struct oracle_case *ret)
{
    struct rng rng;
    rng_init(&rng, seed, 1);
    *ret = (struct oracle_case){0};
    struct sync_case *c = &ret->c;
    c->id = "random";
    c->today = PICK(&rng, 20880, 21230, 21238, 21243, 0, -30); /* 2027-03-02, around 2028-02-29, 1970 */
    c->cycle_days = mix->cycle ? mix->cycle : PICK(&rng, 7, 14, 28, 30);
    c->horizon_days = between(&rng, 0, 100);
    c->max_carry_days = PICK(&rng, 0, 2, 5, 7, 10, 10, 10, 14);
    c->current_anchor = one_in(&rng, 5) ? c->today + between(&rng, -40, 40) : INT32_MIN;
    c->rx_count = (size_t)between(&rng, 1, mix->drugs_max);
    for (size_t i = 0; i < c->rx_count; i++) {
        (void)snprintf(ret->ids[i], sizeof ret->ids[i], "%c%u", 'A' + (int)rng_below(&rng, 26), (unsigned)i);
        ret->rx[i].id = ret->ids[i];
        random_rx(&rng, mix, c, &ret->rx[i]);
    }
    c->rx = ret->rx;
}
