/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which canister for which need. Greedy and deterministic: needs by product and piece, canisters by expiry
 * and then bay or number, bays from the lowest. Works on a picture of the canisters in memory; what it
 * decides is booked through stock.h, step by step, when it applies.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/stock/stock.h"

enum { SIMULATED_DAYS = 365 };

static const char *const step_texts[] = {
    [STOCK_STEP_SEATED] = "seated", [STOCK_STEP_REFILL] = "refill",   [STOCK_STEP_SEAT] = "seat",
    [STOCK_STEP_NEW] = "new",       [STOCK_STEP_MISSING] = "missing", [STOCK_STEP_NO_BAY] = "no bay",
};

struct picture {
    struct store *store;
    const struct stock_act *act;
    const struct stock_assign *assign;
    struct canister *canisters;
    int canister_count;
    bool bay_taken[STOCK_BAY_MAX + 1];
    struct stock_assignment *rows;
    int row_count;
    int row_cap;
};

const char *stock_step_text(enum stock_step step)
{
    return step_texts[step];
}

static int need_compare(const void *a, const void *b)
{
    const struct stock_need *x = a;
    const struct stock_need *y = b;
    int order = strcmp(x->product_code, y->product_code);
    return order ? order : (int)x->piece - (int)y->piece;
}

/* By expiry, then bay (the shelf has none and comes first), then number. */
static int canister_compare(const void *a, const void *b)
{
    const struct canister *x = a;
    const struct canister *y = b;
    if (x->expiry_day != y->expiry_day)
        return x->expiry_day < y->expiry_day ? -1 : 1;
    if (x->bay != y->bay)
        return x->bay < y->bay ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int row_add(struct picture *p, const struct stock_need *need, enum stock_step step, int64_t pieces,
                   int64_t canister, int bay, struct error *err)
{
    if (p->row_count == p->row_cap) {
        int cap = p->row_cap ? 2 * p->row_cap : 64;
        struct stock_assignment *rows = realloc(p->rows, (size_t)cap * sizeof *rows);
        if (!rows)
            return error_set(err, E_MEMORY, "out of memory assigning canisters");
        p->rows = rows;
        p->row_cap = cap;
    }
    struct stock_assignment *row = &p->rows[p->row_count++];
    *row = (struct stock_assignment){
        .step = step, .piece = need->piece, .pieces = pieces, .canister = canister, .bay = bay};
    memcpy(row->product_code, need->product_code, sizeof row->product_code);
    return 0;
}

static bool gives(const struct picture *p, const struct canister *c, const struct stock_need *need)
{
    return strcmp(c->product_code, need->product_code) == 0 && c->piece == need->piece &&
           c->expiry_day >= p->assign->last_day;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool in_machine(const struct picture *p, const struct canister *c)
{
    return c->machine[0] && strcmp(c->machine, p->assign->machine) == 0 && c->bay < p->assign->bays;
}

static int free_bay(const struct picture *p, int from)
{
    for (int bay = from; bay < p->assign->bays; bay++) {
        if (!p->bay_taken[bay])
            return bay;
    }
    return STOCK_NO_BAY;
}

static int use_seated(struct picture *p, const struct stock_need *need, int64_t *left, struct error *err)
{
    int rc = 0;
    for (int i = 0; i<p->canister_count && * left> 0 && rc == 0; i++) {
        struct canister *c = &p->canisters[i];
        if (!in_machine(p, c) || !gives(p, c, need) || c->level <= 0)
            continue;
        int64_t taken = smaller(c->level, *left);
        *left -= taken;
        rc = row_add(p, need, STOCK_STEP_SEATED, taken, c->id, c->bay, err);
    }
    return rc;
}

static int use_shelf(struct picture *p, const struct stock_need *need, int64_t *left, bool *no_bay,
                     struct error *err)
{
    int rc = 0;
    for (int i = 0; i<p->canister_count && * left> 0 && rc == 0; i++) {
        struct canister *c = &p->canisters[i];
        if (c->machine[0] || !gives(p, c, need) || c->level <= 0)
            continue;
        int bay = free_bay(p, 0);
        if (bay == STOCK_NO_BAY) {
            *no_bay = true;
            break;
        }
        if (p->assign->apply)
            rc = stock_seat(p->store, p->act, c->id, p->assign->machine, bay, err);
        p->bay_taken[bay] = true;
        int64_t taken = smaller(c->level, *left);
        *left -= taken;
        if (rc == 0)
            rc = row_add(p, need, STOCK_STEP_SEAT, taken, c->id, bay, err);
    }
    return rc;
}

static int refill_simulated(struct picture *p, const struct stock_need *need, int64_t *left,
                            struct error *err)
{
    int rc = 0;
    for (int i = 0; i<p->canister_count && * left> 0 && rc == 0; i++) {
        struct canister *c = &p->canisters[i];
        bool simulated = strncmp(c->lot, STOCK_SIMULATED_LOT, strlen(STOCK_SIMULATED_LOT)) == 0;
        int64_t room = p->assign->pieces - c->level;
        if (!in_machine(p, c) || !gives(p, c, need) || !simulated || room <= 0 || c->level < 0)
            continue;
        if (p->assign->apply)
            rc = stock_load(p->store, p->act, c->id, c->product_code, c->piece, c->lot, c->expiry_day, room,
                            err);
        int64_t taken = smaller(room, *left);
        *left -= taken;
        if (rc == 0)
            rc = row_add(p, need, STOCK_STEP_REFILL, taken, c->id, c->bay, err);
    }
    return rc;
}

static bool canister_known(const struct picture *p, int64_t id)
{
    for (int i = 0; i < p->canister_count; i++) {
        if (p->canisters[i].id == id)
            return true;
    }
    return false;
}

/* The number of a simulated canister is that of its bay; a bay whose number is in use elsewhere is skipped.
 */
static int new_simulated(struct picture *p, const struct stock_need *need, int64_t *left, bool *no_bay,
                         struct error *err)
{
    while (*left > 0) {
        int bay = free_bay(p, 0);
        while (bay != STOCK_NO_BAY && canister_known(p, p->assign->first_canister + bay))
            bay = free_bay(p, bay + 1);
        if (bay == STOCK_NO_BAY) {
            *no_bay = true;
            return 0;
        }
        int64_t id = p->assign->first_canister + bay;
        char lot[STOCK_LOT_BYTES];
        (void)snprintf(lot, sizeof lot, STOCK_SIMULATED_LOT "%" PRId64, id);
        int rc = 0;
        if (p->assign->apply)
            rc = stock_load(p->store, p->act, id, need->product_code, need->piece, lot,
                            p->act->today + SIMULATED_DAYS, p->assign->pieces, err);
        if (rc == 0 && p->assign->apply)
            rc = stock_seat(p->store, p->act, id, p->assign->machine, bay, err);
        p->bay_taken[bay] = true;
        int64_t taken = smaller(p->assign->pieces, *left);
        *left -= taken;
        if (rc == 0)
            rc = row_add(p, need, STOCK_STEP_NEW, taken, id, bay, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int need_serve(struct picture *p, const struct stock_need *need, struct error *err)
{
    int64_t left = need->pieces;
    bool no_bay = false;
    int rc = use_seated(p, need, &left, err);
    if (rc == 0)
        rc = use_shelf(p, need, &left, &no_bay, err);
    if (rc == 0 && p->act->simulated)
        rc = refill_simulated(p, need, &left, err);
    if (rc == 0 && p->act->simulated && !no_bay)
        rc = new_simulated(p, need, &left, &no_bay, err);
    if (rc == 0 && left > 0)
        rc = row_add(p, need, no_bay ? STOCK_STEP_NO_BAY : STOCK_STEP_MISSING, left, 0, STOCK_NO_BAY, err);
    return rc;
}

static int assign_check(const struct stock_act *act, const struct stock_assign *assign, struct error *err)
{
    if (assign->bays < 1 || assign->bays > STOCK_BAY_MAX + 1)
        return error_set(err, E_INPUT, "%d bays: a machine has 1 to %d", assign->bays, STOCK_BAY_MAX + 1);
    if (act->simulated && (assign->pieces < 1 || assign->pieces > STOCK_PIECES_MAX))
        return error_set(err, E_INPUT, "%" PRId64 " pieces: a canister holds 1 to %d", assign->pieces,
                         STOCK_PIECES_MAX);
    if (act->simulated &&
        (assign->first_canister < 1 || assign->first_canister > (int64_t)STOCK_CANISTER_MAX - assign->bays))
        return error_set(err, E_INPUT, "canister %" PRId64 ": numbers go from 1 to %" PRIu32,
                         assign->first_canister, STOCK_CANISTER_MAX);
    return 0;
}

/* A sorted copy in which each product and piece stands once. */
static struct stock_need *needs_merge(const struct stock_need *needs, int count, int *ret_count)
{
    struct stock_need *merged = calloc((size_t)count + 1, sizeof *merged);
    int used = 0;
    if (!merged)
        return NULL;
    if (count > 0)
        memcpy(merged, needs, (size_t)count * sizeof *merged);
    qsort(merged, (size_t)count, sizeof *merged, need_compare);
    for (int i = 0; i < count; i++) {
        if (used > 0 && need_compare(&merged[used - 1], &merged[i]) == 0)
            merged[used - 1].pieces += merged[i].pieces;
        else
            merged[used++] = merged[i];
    }
    *ret_count = used;
    return merged;
}

int stock_assign(struct store *store, const struct stock_act *act, const struct stock_assign *assign,
                 const struct stock_need *needs, int need_count, struct stock_assignment **ret_rows,
                 int *ret_count, struct error *err)
{
    struct picture p = {.store = store, .act = act, .assign = assign};
    struct stock_need *merged = NULL;
    int count = 0;
    int rc = assign_check(act, assign, err);
    if (rc == 0)
        rc = stock_list(store, NULL, &p.canisters, &p.canister_count, err);
    if (rc)
        return rc;
    for (int i = 0; i < p.canister_count; i++) {
        if (strcmp(p.canisters[i].machine, assign->machine) == 0 && p.canisters[i].bay >= 0 &&
            p.canisters[i].bay <= STOCK_BAY_MAX)
            p.bay_taken[p.canisters[i].bay] = true;
    }
    qsort(p.canisters, (size_t)p.canister_count, sizeof *p.canisters, canister_compare);
    merged = needs_merge(needs, need_count, &count);
    if (!merged)
        rc = error_set(err, E_MEMORY, "out of memory assigning canisters");
    for (int i = 0; i < count && rc == 0; i++)
        rc = need_serve(&p, &merged[i], err);
    free(merged);
    free(p.canisters);
    if (rc) {
        free(p.rows);
        return rc;
    }
    *ret_rows = p.rows;
    *ret_count = p.row_count;
    return 0;
}
