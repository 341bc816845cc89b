/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/trays.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/plan_text.h"
#include "controller/store/store.h"

struct reading {
    struct store *store;
    const char *machine;
    int bays;
    struct arena arena;     /* of the plan in hand */
    int64_t plan;           /* 0 none */
    struct plan_text *text; /* NULL: it cannot be read, and is packed by nobody */
    struct tray_load *loads;
    int count;
    int64_t pouches;
};

static int take_plan(struct reading *r, int64_t plan, struct error *err)
{
    struct store_rows *rows = NULL;
    if (r->plan == plan)
        return 0;
    arena_reset(&r->arena);
    r->text = NULL;
    int rc = store_query(r->store, &rows, err, "SELECT text FROM plan WHERE id = ?", "i", plan);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        size_t len = 0;
        const char *bytes = store_blob(rows, 0, &len);
        if (plan_text_parse(bytes, len, &r->arena, &r->text, NULL) < 0)
            r->text = NULL;
    }
    store_done(rows);
    r->plan = plan;
    return rc < 0 ? rc : 0;
}

static int add_load(struct reading *r, const struct plan_item *item, struct error *err)
{
    int i = 0;
    while (i < r->count && (strcmp(r->loads[i].product, item->code) != 0 || r->loads[i].piece != item->piece))
        i++;
    if (i == r->count) {
        struct tray_load *loads = realloc(r->loads, ((size_t)i + 1) * sizeof *loads);
        if (!loads)
            return error_set(err, E_MEMORY, "no memory for the tray loads");
        r->loads = loads;
        loads[r->count++] = (struct tray_load){.piece = item->piece};
        (void)snprintf(loads[i].product, sizeof loads[i].product, "%s", item->code); /* of the formulary */
    }
    r->loads[i].pouches++;
    r->loads[i].pieces += item->count;
    return 0;
}

static int take_pouch(struct reading *r, const struct plan_pouch *pouch, struct error *err)
{
    bool by_hand = false;
    int rc = 0;
    for (size_t i = 0; i < pouch->item_count && rc == 0; i++) {
        const struct plan_item *item = &pouch->items[i];
        int64_t canisters = 0;
        rc =
            store_get_int(r->store, &canisters, err,
                          "SELECT count(*) FROM canister WHERE machine = ? AND product_code = ? AND piece = ?"
                          " AND bay < ?",
                          "ttti", r->machine, item->code, roll_piece_text(item->piece), (int64_t)r->bays);
        if (rc < 0 || canisters > 0)
            continue;
        by_hand = true;
        rc = add_load(r, item, err);
    }
    r->pouches += by_hand;
    return rc;
}

static int by_product(const void *a, const void *b)
{
    const struct tray_load *x = a, *y = b;
    int code = strcmp(x->product, y->product);
    return code ? code : (int)x->piece - (int)y->piece;
}

int trays_read(struct store *store, int64_t batch, const char *machine, int bays,
               struct tray_load **ret_loads, int *ret_count, int64_t *ret_pouches, struct error *err)
{
    struct reading r = {.store = store, .machine = machine, .bays = bays};
    struct store_rows *rows = NULL;
    arena_init(&r.arena, 0);
    int rc = store_query(store, &rows, err,
                         "SELECT plan_id, pouch FROM job WHERE batch_id = ? AND state <> 'good'"
                         " ORDER BY plan_id, pouch",
                         "i", batch);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        int64_t pouch = store_int(rows, 1);
        rc = take_plan(&r, store_int(rows, 0), err);
        if (rc == 0 && r.text && pouch >= 1 && (size_t)pouch <= r.text->pouch_count)
            rc = take_pouch(&r, &r.text->pouches[pouch - 1], err);
    }
    store_done(rows);
    arena_finish(&r.arena);
    if (rc < 0) {
        free(r.loads);
        return rc;
    }
    if (r.count > 0)
        qsort(r.loads, (size_t)r.count, sizeof *r.loads, by_product);
    *ret_loads = r.loads;
    *ret_count = r.count;
    *ret_pouches = r.pouches;
    return 0;
}
