/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sync_explain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/sync_private.h"

struct explainer {
    const struct sync_case *c;
    const struct sync_plan *plan;
    struct arena *arena;
    struct error *err;
    struct sync_explanation *out;
};

const char *sync_bound_text(enum sync_bound bound)
{
    static const char *const texts[SYNC_BOUNDS] = {"DUE",          "NEW_START",   "PAYER_DATE", "CARRY_CAP",
                                                   "FIXED_ANCHOR", "SHARED_DATE", "STANDARD",   "TO_ANCHOR",
                                                   "MIN_QTY",      "PACK",        "LOCK"};
    assert((unsigned)bound < SYNC_BOUNDS);
    return texts[bound];
}

const char *sync_other_text(enum sync_other_kind kind)
{
    static const char *const texts[SYNC_OTHER_KINDS] = {"FILL_WHEN_DUE", "FULL_FILL", "ANCHOR_WHEN_DUE"};
    assert((unsigned)kind < SYNC_OTHER_KINDS);
    return texts[kind];
}

static int no_memory(const struct explainer *e)
{
    return error_set(e->err, E_MEMORY, "out of memory");
}

static const struct sync_lock *lock_of(const struct sync_case *c, enum sync_lock_kind kind, const char *id)
{
    for (size_t i = 0; i < c->lock_count; i++) {
        if (c->locks[i].kind == kind && (!c->locks[i].id || strcmp(c->locks[i].id, id) == 0))
            return &c->locks[i];
    }
    return NULL;
}

/* The first fill: what of its own window, else of the cycle, holds its date. */
static enum sync_bound first_date_by(const struct explainer *e, const struct sync_drug *drug)
{
    const struct sync_fill *fill = &drug->fills[0];
    const struct sync_rx *rx = drug->rx;
    if (lock_of(e->c, SYNC_LOCK_FILL, rx->id))
        return SYNC_BY_LOCK;
    if (drug->window_from > drug->run_out)
        return SYNC_BY_PAYER_DATE;
    if (fill->date == drug->run_out)
        return rx->start != CIVIL_DAY_NONE && rx->start == drug->run_out && rx->start > e->c->today
                   ? SYNC_BY_NEW_START
                   : SYNC_BY_DUE;
    if (fill->kind == SYNC_ANCHOR && e->plan->anchor_fixed)
        return SYNC_BY_FIXED_ANCHOR;
    if (fill->kind == SYNC_ANCHOR && fill->date == drug->window_from && drug->window_from > e->c->today)
        return drug->window_from == drug->earliest ? SYNC_BY_PAYER_DATE : SYNC_BY_CARRY_CAP;
    return SYNC_BY_SHARED_DATE;
}

/* A bridge before the drug is due stands as late as the payer's wait before the next fill allows, or where
 * others ship. */
static enum sync_bound date_by(const struct explainer *e, const struct sync_drug *drug, size_t i)
{
    const struct sync_fill *fill = &drug->fills[i];
    if (i > 0 && fill->kind == SYNC_ANCHOR)
        return SYNC_BY_FIXED_ANCHOR; /* the cycle that the fills before it lead to */
    enum sync_bound bound;
    if (i == 0)
        bound = first_date_by(e, drug);
    else if (drug->fills[i - 1].lasts_until == fill->date)
        bound = SYNC_BY_DUE;
    else
        bound = SYNC_BY_SHARED_DATE;
    if (bound == SYNC_BY_SHARED_DATE && fill->kind != SYNC_ANCHOR &&
        fill->date + sync_refill_days(drug->rx, fill->days) == drug->fills[i + 1].date)
        return SYNC_BY_PAYER_DATE;
    return bound;
}

static enum sync_bound days_by(const struct explainer *e, const struct sync_drug *drug, size_t i)
{
    const struct sync_fill *fill = &drug->fills[i];
    if (i == 0 && lock_of(e->c, SYNC_LOCK_QTY, drug->rx->id))
        return SYNC_BY_LOCK;
    if (fill->kind != SYNC_BRIDGE_SHORT)
        return SYNC_BY_STANDARD;
    if (drug->rx->pack_days != SYNC_NONE)
        return SYNC_BY_PACK;
    int32_t past = (fill->lasts_until - drug->joins) % e->c->cycle_days;
    return past == 0 ? SYNC_BY_TO_ANCHOR : SYNC_BY_MIN_QTY;
}

static void compare(const struct explainer *e, bool feasible, const char *blocked_by,
                    const struct sync_objective *objective, struct sync_compared *ret)
{
    *ret = (struct sync_compared){.feasible = feasible, .blocked_by = blocked_by};
    if (!feasible)
        return;
    ret->objective = *objective;
    ret->equal = sync_objective_compare(objective, &e->plan->objective, &ret->term) == 0;
    if (!ret->equal)
        ret->difference = objective->term[ret->term] - e->plan->objective.term[ret->term];
}

/* Solves the case with other locks. A lock that the payer or the rules forbid is a result, no error. */
static int solve_with(const struct explainer *e, const struct sync_lock *locks, size_t count,
                      struct sync_compared *ret)
{
    struct sync_case c = *e->c;
    struct sync_plan *plan = NULL;
    struct error ignored; /* says why the lock is forbidden; "not feasible" is all that is shown */
    c.locks = locks;
    c.lock_count = count;
    int rc = sync_solve(&c, e->arena, &plan, &ignored);
    if (rc == E_INPUT) {
        compare(e, false, NULL, NULL, ret);
        return 0;
    }
    if (rc)
        return error_set(e->err, rc, "%s", ignored.message);
    compare(e, plan->feasible, plan->blocked_by, &plan->objective, ret);
    return 0;
}

/* The case's locks with one more; a lock of the same drug and kind gives way. */
static int solve_with_one(const struct explainer *e, struct sync_lock lock, struct sync_compared *ret)
{
    struct sync_lock *locks = arena_array(e->arena, e->c->lock_count + 1, sizeof *locks);
    size_t count = 0;
    if (!locks)
        return no_memory(e);
    for (size_t i = 0; i < e->c->lock_count; i++) {
        const struct sync_lock *old = &e->c->locks[i];
        if (old->kind != lock.kind || strcmp(old->id, lock.id) != 0)
            locks[count++] = *old;
    }
    locks[count++] = lock;
    return solve_with(e, locks, count, ret);
}

static int64_t standard_units(const struct sync_drug *drug)
{
    const struct sync_rx *rx = drug->rx;
    if (rx->pack_days != SYNC_NONE)
        return (int64_t)(drug->standard_days / rx->pack_days) * rx->pack_units;
    return (int64_t)drug->standard_days * rx->units_per_day;
}

/* The table's row for an anchor on `day`, or any day of the same congruence. */
static const struct sync_phase *phase_of(const struct explainer *e, int32_t day)
{
    for (size_t i = 0; i < e->out->phase_count; i++) {
        if ((day - e->out->phases[i].anchor) % e->c->cycle_days == 0)
            return &e->out->phases[i];
    }
    return NULL;
}

static int find_others(const struct explainer *e, const struct sync_drug *drug,
                       struct sync_drug_reason *reason)
{
    const struct sync_fill *first = &drug->fills[0];
    struct sync_other *other = &reason->others[reason->other_count];
    int rc = 0;
    if (first->date != drug->run_out && drug->window_from <= drug->run_out) {
        *other = (struct sync_other){.kind = SYNC_OTHER_DUE, .date = drug->run_out};
        rc = solve_with_one(
            e, (struct sync_lock){.kind = SYNC_LOCK_FILL, .id = drug->rx->id, .date = drug->run_out},
            &other->result);
        other = &reason->others[++reason->other_count];
    }
    int64_t units = standard_units(drug);
    if (!rc && first->kind == SYNC_BRIDGE_SHORT && units <= SYNC_COUNT_MAX) {
        *other = (struct sync_other){.kind = SYNC_OTHER_FULL, .days = drug->standard_days};
        rc = solve_with_one(
            e, (struct sync_lock){.kind = SYNC_LOCK_QTY, .id = drug->rx->id, .units = (int32_t)units},
            &other->result);
        other = &reason->others[++reason->other_count];
    }
    const struct sync_phase *phase = phase_of(e, drug->run_out);
    if (!rc && phase && phase->anchor != e->plan->anchor) {
        *other = (struct sync_other){.kind = SYNC_OTHER_ANCHOR, .date = drug->run_out};
        compare(e, phase->feasible, phase->blocked_by, &phase->objective, &other->result);
        reason->other_count++;
    }
    return rc;
}

static int explain_drug(const struct explainer *e, const struct sync_drug *drug,
                        struct sync_drug_reason *reason)
{
    reason->fills = arena_array(e->arena, drug->fill_count, sizeof reason->fills[0]);
    if (!reason->fills)
        return no_memory(e);
    int32_t supply = drug->run_out;
    for (size_t i = 0; i < drug->fill_count; i++) {
        const struct sync_fill *fill = &drug->fills[i];
        reason->fills[i].date_by = date_by(e, drug, i);
        reason->fills[i].days_by = days_by(e, drug, i);
        reason->fills[i].counted_from = supply > fill->date ? supply : fill->date;
        supply = fill->lasts_until;
    }
    return find_others(e, drug, reason);
}

/* The most days that one ordinary fill holds: whole packs of a drug in packs. */
static int32_t ordinary_days(const struct sync_rx *rx)
{
    if (rx->pack_days == SYNC_NONE)
        return rx->usual_days;
    int32_t packs = rx->usual_days / rx->pack_days;
    return rx->pack_days * (packs > 0 ? packs : 1);
}

static int day_order(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a;
    int32_t right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static int count_dates(int32_t *days, size_t count)
{
    int distinct = 0;
    qsort(days, count, sizeof *days, day_order);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || days[i] != days[i - 1];
    return distinct;
}

static int count_shipments(struct explainer *e)
{
    int32_t end = e->c->today + e->c->horizon_days;
    size_t room = e->plan->fill_count, n = 0;
    for (size_t i = 0; i < e->plan->drug_count; i++) {
        int32_t days = ordinary_days(e->plan->drugs[i].rx);
        room += days > 0 ? (size_t)(e->c->horizon_days / days) + 1 : 0;
    }
    int32_t *days = arena_array(e->arena, room, sizeof *days);
    if (!days)
        return no_memory(e);
    for (size_t i = 0; i < e->plan->drug_count; i++) {
        const struct sync_drug *drug = &e->plan->drugs[i];
        int32_t step = ordinary_days(drug->rx);
        for (int32_t day = drug->window_to; !drug->excluded && day <= end; day += step)
            days[n++] = day;
    }
    e->out->shipments_before = count_dates(days, n);
    for (n = 0; n < e->plan->fill_count; n++)
        days[n] = e->plan->fills[n].date;
    e->out->shipments_after = count_dates(days, n);
    return 0;
}

static int price_locks(struct explainer *e)
{
    size_t count = e->c->lock_count;
    e->out->locks = arena_array(e->arena, count, sizeof e->out->locks[0]);
    if (!e->out->locks)
        return no_memory(e);
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        struct sync_lock *rest = arena_array(e->arena, count, sizeof *rest);
        size_t n = 0;
        if (!rest)
            return no_memory(e);
        for (size_t k = 0; k < count; k++) {
            if (k != i)
                rest[n++] = e->c->locks[k];
        }
        e->out->locks[i].lock = e->c->locks[i];
        rc = solve_with(e, rest, n, &e->out->locks[i].without);
    }
    e->out->lock_count = count;
    return rc || count < 2 ? rc : solve_with(e, NULL, 0, &e->out->without_locks);
}

int sync_explain(const struct sync_case *c, const struct sync_plan *plan, struct arena *arena,
                 struct sync_explanation **ret_explanation, struct error *err)
{
    struct sync_explanation *out = arena_alloc(arena, sizeof *out);
    struct explainer e = {c, plan, arena, err, out};
    if (!out)
        return no_memory(&e);
    out->drugs = arena_array(arena, plan->drug_count, sizeof out->drugs[0]);
    if (!out->drugs)
        return no_memory(&e);
    int rc = 0;
    if (plan->anchor_fixed) {
        rc = sync_what_if(c, arena, &out->phases, &out->phase_count, err);
    } else {
        out->phases = plan->phases;
        out->phase_count = plan->phase_count;
    }
    for (size_t i = 0; i < plan->drug_count && plan->feasible && !rc; i++) {
        if (!plan->drugs[i].excluded)
            rc = explain_drug(&e, &plan->drugs[i], &out->drugs[i]);
    }
    if (!rc)
        rc = count_shipments(&e);
    if (!rc)
        rc = price_locks(&e);
    if (!rc)
        *ret_explanation = out;
    return rc;
}
