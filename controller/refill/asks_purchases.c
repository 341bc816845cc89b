/* SPDX-License-Identifier: Apache-2.0 */
/* What signed plans lack, as purchases: one proposal a product, for the first week in which it lacks. */
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/parties/forecast.h"
#include "controller/refill/asks_private.h"
#include "controller/store/store.h"

enum { WEEKS_AHEAD = 6 };

/* A proposal of our own that nobody acted on: it follows the need. */
static bool is_proposal(const struct task *task)
{
    return strcmp(task->opened_by, ASKS_ACTOR) == 0 && task->state < TASK_ACCEPTED;
}

static int proposal(struct asks *a, const struct forecast *forecast, const struct forecast_product *product)
{
    char subject[TASK_SUBJECT_BYTES_MAX + 1];
    int64_t milli = 0;
    int32_t due = CIVIL_DAY_NONE;
    for (int w = 0; w < forecast->weeks; w++) {
        milli += product->weeks[w].buy_firm;
        if (product->weeks[w].buy_firm > 0 && due == CIVIL_DAY_NONE)
            due = forecast->monday + 7 * w;
    }
    if (milli == 0)
        return 0;
    for (int n = 1;; n++) { /* behind those that are ordered or over */
        (void)snprintf(subject, sizeof subject, "%s, order %d", product->code, n); /* a code is short */
        const struct task *task = asks_task(a, TASK_PURCHASE, subject);
        if (!task || (!task_state_closed(task->state) && is_proposal(task)) || task->state == TASK_CANCELLED)
            break;
    }
    json_t *facts = json_pack("{s:s, s:I}", "product", product->code, "quantity",
                              (json_int_t)((milli + QUANTITY_ONE - 1) / QUANTITY_ONE));
    if (product->name[0])
        asks_fact_text(facts, "drug", product->name);
    return want_add(a, TASK_PURCHASE, due, facts, "%s", subject);
}

/* Tasks that follow the need are settled; ordered ones are the wholesaler's. */
static void ordered_drop(struct asks *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->task_count; i++) {
        if (task_state_closed(a->tasks[i].state) || is_proposal(&a->tasks[i]))
            a->tasks[kept++] = a->tasks[i];
    }
    a->task_count = kept;
}

int asks_purchases(struct store *store, const struct refill_site *site, const struct record_by *by,
                   struct asks_count *count, struct error *err)
{
    struct asks a = {.store = store, .site = site, .by = by, .err = err, .anchor = CIVIL_DAY_NONE};
    struct task_filter filter = TASK_FILTER_OPEN;
    struct forecast forecast = {0};
    const struct forecast_options options = {.today = by->today,
                                             .weeks = WEEKS_AHEAD,
                                             .cycle_days = site->cycle_days,
                                             .lead_days = site->lead_days,
                                             .simulated = site->count_simulated,
                                             .proposals_of = ASKS_ACTOR};
    if (!asks_kind(&a, TASK_PURCHASE))
        return 0;
    filter.kind = TASK_PURCHASE;
    filter.closed = true;
    arena_init(&a.arena, 0);
    int status = forecast_make(store, &options, &forecast, err);
    if (status == 0)
        status = task_list(store, &filter, &a.arena, &a.tasks, &a.task_count, err);
    for (size_t i = 0; status == 0 && i < forecast.count; i++)
        status = proposal(&a, &forecast, &forecast.products[i]);
    ordered_drop(&a);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status == 0)
        status = wants_settle(&a, count);
    if (status == 0)
        status = store_write_commit(store, err);
    store_write_rollback(store); /* nothing after a commit */
    forecast_finish(&forecast);
    arena_finish(&a.arena);
    return status;
}
