/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One phase (anchor date) after the other, the best of them, and the plan's numbers. Within a phase a drug
 * whose first window holds an anchor is closed form; the others go to sync_bridge and sync_search.
 */
#include "scheduler/sync.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/sync_private.h"

struct solver {
    const struct sync_case *c;
    struct arena *arena;
    struct error *err;
    struct sync_facts facts[SYNC_DRUGS_MAX];
    size_t fact_count;
    int64_t gap_days;
    struct sync_chains chains;
    struct sync_stop stops[SYNC_DRUGS_MAX];
    size_t stop_count;
    int32_t joins[SYNC_DRUGS_MAX]; /* [fact]: anchor, CIVIL_DAY_NONE for a stop */
};

const char *sync_exclusion_text(enum sync_exclusion exclusion)
{
    static const char *const texts[SYNC_EXCLUSIONS] = {"INCLUDED", "STOPPED", "CII", "PRN",
                                                       "SUPPLY_BELOW_CYCLE"};
    assert((unsigned)exclusion < SYNC_EXCLUSIONS);
    return texts[exclusion];
}

const char *sync_kind_text(enum sync_kind kind)
{
    static const char *const texts[SYNC_KINDS] = {"anchor", "bridge_full", "bridge_short"};
    assert((unsigned)kind < SYNC_KINDS);
    return texts[kind];
}

const char *sync_ask_text(enum sync_ask ask)
{
    static const char *const texts[SYNC_ASKS] = {"EXPIRED", "FILLS",           "QTY",
                                                 "CII",     "REFILL_TOO_SOON", "PA_EXPIRED"};
    assert((unsigned)ask < SYNC_ASKS);
    return texts[ask];
}

const char *sync_term_text(enum sync_term term)
{
    static const char *const texts[SYNC_TERMS] = {"gap_days",          "extra_shipments",    "short_fills",
                                                  "extra_copay_cents", "anchors_until_sync", "carry_days"};
    assert((unsigned)term < SYNC_TERMS);
    return texts[term];
}

int sync_objective_compare(const struct sync_objective *a, const struct sync_objective *b,
                           enum sync_term *ret_term)
{
    for (enum sync_term t = SYNC_GAP_DAYS; t < SYNC_TERMS; t++) {
        if (a->term[t] != b->term[t]) {
            if (ret_term)
                *ret_term = t;
            return a->term[t] < b->term[t] ? -1 : 1;
        }
    }
    return 0;
}

static int32_t day_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int drug_order(const void *a, const void *b)
{
    return strcmp(((const struct sync_drug *)a)->rx->id, ((const struct sync_drug *)b)->rx->id);
}

/* The date that fixes the anchors, a lock before the case's own; CIVIL_DAY_NONE when they are free. */
static int32_t fixed_anchor(const struct sync_case *c)
{
    for (size_t i = 0; i < c->lock_count; i++) {
        if (c->locks[i].kind == SYNC_LOCK_ANCHOR)
            return c->locks[i].date;
    }
    return c->current_anchor;
}

/* The first date on or after today that is congruent to day modulo the cycle. */
static int32_t first_anchor(const struct sync_case *c, int32_t day)
{
    int32_t rest = (int32_t)(((int64_t)day - c->today) % c->cycle_days);
    return c->today + (rest < 0 ? rest + c->cycle_days : rest);
}

static struct sync_grid grid_of(const struct sync_case *c, int32_t anchor)
{
    return (struct sync_grid){anchor, c->cycle_days, c->max_carry_days};
}

/* Rule P1. False when a lock on the quantity would leave the drug without supply before the next anchor. */
static bool join_at_once(const struct solver *s, const struct sync_grid *grid, const struct sync_facts *facts,
                         int32_t *ret_join)
{
    int32_t anchor = sync_anchor_before(grid, facts->hi);
    *ret_join = CIVIL_DAY_NONE;
    if (anchor == CIVIL_DAY_NONE || anchor < facts->lo)
        return true;
    *ret_join = anchor;
    return !facts->first_days ||
           day_max(facts->run_out, anchor) + facts->first_days >= anchor + s->c->cycle_days;
}

/* Sorts the drugs of a phase into those that join at once and the stops. *ret_blocked: one that can do
 * neither. */
static int phase_open(struct solver *s, const struct sync_grid *grid, const struct sync_facts **ret_blocked,
                      uint64_t *ret_weight)
{
    s->chains.count = 0;
    s->stop_count = 0;
    *ret_weight = 0;
    *ret_blocked = NULL;
    for (size_t i = 0; i < s->fact_count; i++) {
        const struct sync_facts *facts = &s->facts[i];
        if (!join_at_once(s, grid, facts, &s->joins[i])) {
            *ret_blocked = facts;
            return 0;
        }
        if (s->joins[i] != CIVIL_DAY_NONE) {
            *ret_weight += sync_weight(0, 0, day_max(0, facts->run_out - s->joins[i]));
            continue;
        }
        struct sync_stop stop = {.facts = facts, .first = s->chains.count, .simple = true, .end = INT32_MIN};
        if (!sync_bridge(grid, facts, &s->chains, s->arena))
            return error_set(s->err, E_MEMORY, "out of memory");
        stop.count = s->chains.count - stop.first;
        for (size_t k = stop.first; k < s->chains.count; k++) {
            const struct sync_chain *chain = &s->chains.item[k];
            stop.simple = stop.simple && chain->count == 1 && chain->from[0] == facts->lo;
            stop.end = day_max(stop.end, chain->to[0]);
        }
        if (stop.count == 0) {
            *ret_blocked = facts;
            return 0;
        }
        s->stops[s->stop_count++] = stop;
    }
    return 0;
}

static int phase_solve(struct solver *s, int32_t anchor, struct sync_phase *phase, struct sync_dates *dates)
{
    struct sync_grid grid = grid_of(s->c, anchor);
    const struct sync_facts *blocked = NULL;
    uint64_t weight = 0;
    *phase = (struct sync_phase){.anchor = anchor, .sync_date = CIVIL_DAY_NONE};
    int rc = phase_open(s, &grid, &blocked, &weight);
    if (rc)
        return rc;
    if (blocked) {
        phase->blocked_by = blocked->rx->id;
        return 0;
    }
    rc = sync_search(&grid, s->stops, s->stop_count, s->chains.item, s->arena, dates, s->err);
    if (rc)
        return rc;
    weight += dates->weight;
    int32_t k = dates->count ? sync_anchor_index(&grid, dates->day[dates->count - 1]) : 0;
    phase->feasible = true;
    phase->sync_date = anchor + k * s->c->cycle_days;
    phase->objective.term[SYNC_GAP_DAYS] = s->gap_days;
    phase->objective.term[SYNC_EXTRA_SHIPMENTS] = (int64_t)dates->count;
    phase->objective.term[SYNC_SHORT_FILLS] = sync_weight_shorts(weight);
    phase->objective.term[SYNC_EXTRA_COPAY_CENTS] = sync_weight_copay(weight);
    phase->objective.term[SYNC_ANCHORS_UNTIL_SYNC] = k;
    phase->objective.term[SYNC_CARRY_DAYS] = sync_weight_carry(weight);
    return 0;
}

/* Solves the phases from `first` on; *ret_best is the place of the best, count when there is none. */
static int phases_solve(struct solver *s, int32_t first, size_t count, struct sync_phase **ret_phases,
                        struct sync_dates *ret_dates, size_t *ret_best)
{
    struct sync_phase *phases = arena_array(s->arena, count, sizeof *phases);
    if (!phases)
        return error_set(s->err, E_MEMORY, "out of memory");
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        struct sync_dates dates = {0};
        int rc = phase_solve(s, first + (int32_t)i, &phases[i], &dates);
        if (rc)
            return rc;
        if (phases[i].feasible &&
            (best == count ||
             sync_objective_compare(&phases[i].objective, &phases[best].objective, NULL) < 0)) {
            best = i;
            *ret_dates = dates;
        }
    }
    *ret_phases = phases;
    *ret_best = best;
    return 0;
}

static int64_t fill_units(const struct sync_rx *rx, int32_t days)
{
    if (rx->pack_days != SYNC_NONE)
        return (int64_t)(days / rx->pack_days) * rx->pack_units;
    return (int64_t)days * rx->units_per_day;
}

static void add_fill(struct sync_drug *drug, int32_t date, int32_t days, enum sync_kind kind, int32_t *supply)
{
    *supply = day_max(*supply, date) + days;
    drug->fills[drug->fill_count++] = (struct sync_fill){
        .date = date,
        .days = days,
        .qty = fill_units(drug->rx, days),
        .kind = kind,
        .lasts_until = *supply,
        .id = drug->rx->id,
    };
}

/* All fills of one drug: its bridges, its first anchor fill wherever it lies, the later ones to the horizon.
 */
static int drug_fills(const struct solver *s, const struct sync_grid *grid, const struct sync_facts *facts,
                      const struct sync_chain *chain, const int32_t *day, int32_t join,
                      struct sync_drug *drug)
{
    int32_t cycle = s->c->cycle_days;
    int32_t end = s->c->today + s->c->horizon_days;
    size_t room = SYNC_BRIDGES_MAX + 2 + (size_t)(s->c->horizon_days / cycle);
    drug->fills = arena_array(s->arena, room, sizeof drug->fills[0]);
    if (!drug->fills)
        return error_set(s->err, E_MEMORY, "out of memory");
    int32_t supply = facts->run_out;
    for (int i = 0; chain && i < chain->count; i++)
        add_fill(drug, day[i], chain->days[i],
                 chain->days[i] == facts->standard ? SYNC_BRIDGE_FULL : SYNC_BRIDGE_SHORT, &supply);
    drug->bridge_count = drug->fill_count;
    if (chain)
        join = sync_anchor_before(grid, supply);
    drug->joins = join;
    drug->carry_days = day_max(0, supply - join);
    int32_t days = !chain && facts->first_days ? facts->first_days : facts->standard;
    add_fill(drug, join, days, SYNC_ANCHOR, &supply);
    for (int32_t anchor = join + cycle; anchor <= end; anchor += cycle) { /* rule P3 */
        if (supply < anchor + cycle)
            add_fill(drug, anchor, facts->standard, SYNC_ANCHOR, &supply);
    }
    assert(drug->fill_count <= room);
    return 0;
}

/* Opens the best phase again and gives each drug its fills. */
static int plan_fills(struct solver *s, struct sync_plan *plan, const struct sync_dates *dates)
{
    struct sync_grid grid = grid_of(s->c, plan->anchor);
    const struct sync_facts *blocked;
    uint64_t weight;
    int rc = phase_open(s, &grid, &blocked, &weight);
    size_t stop = 0;
    for (size_t i = 0; i < s->fact_count && !rc; i++) {
        const struct sync_chain *chain = NULL;
        int32_t day[SYNC_BRIDGES_MAX];
        if (s->joins[i] == CIVIL_DAY_NONE)
            chain = sync_pick(&s->stops[stop++], s->chains.item, dates, day);
        rc = drug_fills(s, &grid, &s->facts[i], chain, day, s->joins[i], &plan->drugs[s->facts[i].drug]);
    }
    return rc;
}

static int fill_order(const void *a, const void *b)
{
    const struct sync_fill *left = a;
    const struct sync_fill *right = b;
    if (left->date != right->date)
        return left->date < right->date ? -1 : 1;
    int order = strcmp(left->id, right->id);
    return order ? order
                 : (left->lasts_until > right->lasts_until) - (left->lasts_until < right->lasts_until);
}

static int32_t request_day(const struct sync_case *c, int32_t needed_by, int32_t lead)
{
    return day_max(c->today, needed_by - lead);
}

/* The first thing that the prescription lacks for a fill; SYNC_ASKS when it covers it. */
static enum sync_ask uncovered(const struct sync_drug *drug, const struct sync_fill *fill)
{
    if (drug->rx->expires != CIVIL_DAY_NONE && fill->date > drug->rx->expires)
        return SYNC_ASK_EXPIRED;
    if (drug->fills_left == 0)
        return SYNC_ASK_FILLS;
    if (drug->qty_left != SYNC_NONE && drug->qty_left < fill->qty)
        return SYNC_ASK_QTY;
    return SYNC_ASKS;
}

/* Walks the fills of one included drug up to the horizon and notes what must be asked for. */
static void drug_requests(const struct sync_case *c, struct sync_drug *drug, struct sync_plan *plan)
{
    const struct sync_rx *rx = drug->rx;
    int32_t end = c->today + c->horizon_days;
    bool pa_asked = false, renewal_asked = false;
    if (drug->window_from > drug->run_out)
        plan->overrides[plan->override_count++] =
            (struct sync_request){rx->id, drug->run_out, CIVIL_DAY_NONE, SYNC_ASK_TOO_SOON};
    for (size_t i = 0; i < drug->fill_count && drug->fills[i].date <= end; i++) {
        struct sync_fill *fill = &drug->fills[i];
        if (!pa_asked && rx->pa_expires != CIVIL_DAY_NONE && fill->date > rx->pa_expires) {
            plan->pa_requests[plan->pa_request_count++] = (struct sync_request){
                rx->id, fill->date, request_day(c, fill->date, c->pa_lead_days), SYNC_ASK_PA};
            pa_asked = true;
        }
        enum sync_ask lack = renewal_asked ? SYNC_ASKS : uncovered(drug, fill);
        if (lack != SYNC_ASKS) {
            plan->renewals[plan->renewal_count++] = (struct sync_request){
                rx->id, fill->date, request_day(c, fill->date, c->renewal_lead_days), lack};
            renewal_asked = true;
        }
        fill->conditional = renewal_asked;
        if (renewal_asked)
            continue;
        if (drug->fills_left != SYNC_NONE)
            drug->fills_left--;
        if (drug->qty_left != SYNC_NONE)
            drug->qty_left -= (int32_t)fill->qty; /* covered, so it fits */
    }
}

static int plan_requests(const struct solver *s, struct sync_plan *plan)
{
    plan->renewals = arena_array(s->arena, plan->drug_count, sizeof plan->renewals[0]);
    plan->overrides = arena_array(s->arena, plan->drug_count, sizeof plan->overrides[0]);
    plan->pa_requests = arena_array(s->arena, plan->drug_count, sizeof plan->pa_requests[0]);
    if (!plan->renewals || !plan->overrides || !plan->pa_requests)
        return error_set(s->err, E_MEMORY, "out of memory");
    for (size_t i = 0; i < plan->drug_count; i++) {
        struct sync_drug *drug = &plan->drugs[i];
        if (drug->excluded == SYNC_CII && drug->run_out <= s->c->today + s->c->horizon_days)
            plan->renewals[plan->renewal_count++] = (struct sync_request){
                drug->rx->id, drug->run_out, request_day(s->c, drug->run_out, s->c->renewal_lead_days),
                SYNC_ASK_CII};
        if (!drug->excluded)
            drug_requests(s->c, drug, plan);
    }
    return 0;
}

static int plan_list(const struct solver *s, struct sync_plan *plan)
{
    int32_t end = s->c->today + s->c->horizon_days;
    size_t room = 0;
    for (size_t i = 0; i < plan->drug_count; i++)
        room += plan->drugs[i].fill_count;
    plan->fills = arena_array(s->arena, room, sizeof plan->fills[0]);
    if (!plan->fills)
        return error_set(s->err, E_MEMORY, "out of memory");
    for (size_t i = 0; i < plan->drug_count; i++) {
        for (size_t k = 0; k < plan->drugs[i].fill_count; k++) {
            if (plan->drugs[i].fills[k].date <= end)
                plan->fills[plan->fill_count++] = plan->drugs[i].fills[k];
        }
    }
    qsort(plan->fills, plan->fill_count, sizeof plan->fills[0], fill_order);
    return 0;
}

static int solver_init(struct solver *s, const struct sync_case *c, struct arena *arena,
                       struct sync_drug **ret_drugs, struct error *err)
{
    int rc = sync_check(c, NULL, NULL, err);
    if (rc)
        return rc;
    s->c = c;
    s->arena = arena;
    s->err = err;
    struct sync_drug *drugs = arena_array(arena, c->rx_count, sizeof *drugs);
    if (!drugs)
        return error_set(err, E_MEMORY, "out of memory");
    for (size_t i = 0; i < c->rx_count; i++)
        sync_drug_derive(c, &c->rx[i], &drugs[i]);
    qsort(drugs, c->rx_count, sizeof *drugs, drug_order);
    rc = sync_facts_collect(c, drugs, c->rx_count, s->facts, &s->fact_count, err);
    for (size_t i = 0; i < s->fact_count && !rc; i++)
        s->gap_days += day_max(0, s->facts[i].lo - s->facts[i].run_out);
    *ret_drugs = drugs;
    return rc;
}

int sync_solve(const struct sync_case *c, struct arena *arena, struct sync_plan **ret_plan, struct error *err)
{
    struct solver s = {0};
    struct sync_plan *plan = arena_alloc(arena, sizeof *plan);
    if (!plan)
        return error_set(err, E_MEMORY, "out of memory");
    int rc = solver_init(&s, c, arena, &plan->drugs, err);
    if (rc)
        return rc;
    plan->drug_count = c->rx_count;
    int32_t fixed = fixed_anchor(c);
    plan->anchor_fixed = fixed != CIVIL_DAY_NONE;
    plan->phase_count = plan->anchor_fixed ? 1 : (size_t)c->cycle_days;
    struct sync_dates dates = {0};
    size_t best = 0;
    rc = phases_solve(&s, plan->anchor_fixed ? first_anchor(c, fixed) : c->today, plan->phase_count,
                      &plan->phases, &dates, &best);
    if (rc)
        return rc;
    plan->feasible = best < plan->phase_count;
    plan->anchor = CIVIL_DAY_NONE;
    plan->sync_date = CIVIL_DAY_NONE;
    if (plan->feasible) {
        plan->anchor = plan->phases[best].anchor;
        plan->sync_date = plan->phases[best].sync_date;
        plan->objective = plan->phases[best].objective;
        rc = plan_fills(&s, plan, &dates);
    } else {
        plan->blocked_by = plan->phases[0].blocked_by;
    }
    if (!rc)
        rc = plan_requests(&s, plan);
    if (!rc)
        rc = plan_list(&s, plan);
    if (!rc)
        *ret_plan = plan;
    return rc;
}

int sync_what_if(const struct sync_case *c, struct arena *arena, struct sync_phase **ret_phases,
                 size_t *ret_count, struct error *err)
{
    struct solver s = {0};
    struct sync_drug *drugs;
    struct sync_dates dates;
    size_t best;
    int rc = solver_init(&s, c, arena, &drugs, err);
    if (!rc)
        rc = phases_solve(&s, c->today, (size_t)c->cycle_days, ret_phases, &dates, &best);
    if (!rc)
        *ret_count = (size_t)c->cycle_days;
    return rc;
}
