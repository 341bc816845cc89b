/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/needs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/plan_text.h"
#include "controller/store/store.h"

static int need_compare(const char *code, enum roll_piece piece, const struct stock_need *need)
{
    int order = strcmp(code, need->product_code);
    return order ? order : (int)piece - (int)need->piece;
}

/* Finds the row of a product and piece in the sorted list, or makes it. */
static struct stock_need *need_of(struct plan_needs *needs, const char *code, enum roll_piece piece)
{
    int low = 0;
    int high = needs->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = need_compare(code, piece, &needs->needs[middle]);
        if (order == 0)
            return &needs->needs[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    struct stock_need *grown = realloc(needs->needs, ((size_t)needs->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    needs->needs = grown;
    memmove(&grown[low + 1], &grown[low], (size_t)(needs->count - low) * sizeof *grown);
    needs->count++;
    grown[low] = (struct stock_need){.piece = piece};
    (void)snprintf(grown[low].product_code, sizeof grown[low].product_code, "%s",
                   code); /* one limit for both */
    return &grown[low];
}

static int pouch_add(struct plan_needs *needs, const struct plan_pouch *pouch, struct error *err)
{
    for (size_t i = 0; i < pouch->item_count; i++) {
        struct stock_need *need = need_of(needs, pouch->items[i].code, pouch->items[i].piece);
        if (!need)
            return error_set(err, E_MEMORY, "out of memory adding up what plans need");
        need->pieces += pouch->items[i].count;
    }
    needs->pouches++;
    if (needs->last_day == CIVIL_DAY_NONE || pouch->day > needs->last_day)
        needs->last_day = pouch->day;
    return 0;
}

/* done[n]: pouch n was packed good. */
static int done_read(struct store *store, int64_t plan_id, bool *done, size_t pouch_count, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT pouch FROM job WHERE plan_id = ? AND state = 'good'", "i",
                         plan_id);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        int64_t pouch = store_int(rows, 0);
        if (pouch >= 0 && (size_t)pouch <= pouch_count)
            done[pouch] = true;
        rc = 0;
    }
    store_done(rows);
    return rc;
}

static int plan_add(struct store *store, struct plan_needs *needs, int64_t plan_id, const char *text,
                    size_t len, struct arena *arena, struct error *err)
{
    struct plan_text *plan = NULL;
    int rc = plan_text_parse(text, len, arena, &plan, err);
    if (rc)
        return error_prefix(err, rc, "plan %" PRId64, plan_id);
    bool *done = arena_array(arena, plan->pouch_count + 1, sizeof *done);
    if (!done)
        return error_set(err, E_MEMORY, "out of memory adding up what plans need");
    rc = done_read(store, plan_id, done, plan->pouch_count, err);
    for (size_t i = 0; i < plan->pouch_count && rc == 0; i++) {
        if (!done[plan->pouches[i].number])
            rc = pouch_add(needs, &plan->pouches[i], err);
    }
    return rc;
}

int plan_needs_read(struct store *store, struct plan_needs *ret_needs, struct error *err)
{
    struct plan_needs needs = {.last_day = CIVIL_DAY_NONE};
    struct store_rows *rows = NULL;
    struct arena arena;
    arena_init(&arena, 0);
    int rc =
        store_query(store, &rows, err, "SELECT id, text FROM plan WHERE state = 'signed' ORDER BY id", "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        size_t len = 0;
        const char *text = store_blob(rows, 1, &len);
        rc = plan_add(store, &needs, store_int(rows, 0), text, len, &arena, err);
        arena_reset(&arena);
    }
    store_done(rows);
    arena_finish(&arena);
    if (rc) {
        plan_needs_finish(&needs);
        return rc;
    }
    *ret_needs = needs;
    return 0;
}

void plan_needs_finish(struct plan_needs *needs)
{
    free(needs->needs);
    *needs = (struct plan_needs){.last_day = CIVIL_DAY_NONE};
}
