/* SPDX-License-Identifier: Apache-2.0 */
/* What is there and what is coming, spent on the needs: firm ones first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/forecast_private.h"
#include "controller/parties/task.h"
#include "controller/stock/stock.h"
#include "controller/store/store.h"

/* Pieces that can be used from one day until another. */
struct supply {
    const char *code;
    int64_t milli;
    int32_t from, until; /* until: last day of use */
    bool order;
};

struct supplies {
    struct supply *items;
    size_t count;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* By product; then what expires first, then what comes first. */
static int supply_compare(const void *a, const void *b)
{
    const struct supply *x = a, *y = b;
    int order = strcmp(x->code, y->code);
    if (order)
        return order;
    if (x->until != y->until)
        return x->until < y->until ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* The last day on which a roll of this week may be packed from a lot. A roll is eaten weeks after; that
 * pieces are good on the last day of it is looked at when canisters are seated. */
static int32_t week_day(const struct forecast_options *options, const struct forecast *forecast, int week)
{
    int32_t day = forecast->monday + 7 * week;
    return day < options->today ? options->today : day;
}

static void spend(const struct forecast_options *options, struct forecast *forecast,
                  struct forecast_product *product, int week, int64_t *open, struct supply *items,
                  size_t count)
{
    int32_t day = week_day(options, forecast, week);
    for (size_t i = 0; i<count && * open> 0; i++) {
        struct supply *s = &items[i];
        /* An order that comes in the week itself is counted: the week is the unit. */
        if (s->milli <= 0 || s->from > day + 6 || s->until < day)
            continue;
        int64_t taken = least(*open, s->milli);
        s->milli -= taken;
        *open -= taken;
        if (s->order)
            product->weeks[week].orders += taken;
        else
            product->weeks[week].stock += taken;
    }
}

static void product_cover(const struct forecast_options *options, struct forecast *forecast,
                          struct forecast_product *product, struct supply *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].order)
            product->orders += items[i].milli;
        else
            product->stock += items[i].milli;
    }
    for (int firm = 1; firm >= 0; firm--) {
        for (int w = 0; w < forecast->weeks; w++) {
            struct forecast_week *week = &product->weeks[w];
            int64_t *buy = firm ? &week->buy_firm : &week->buy_conditional;
            *buy =
                firm ? week->need[FORECAST_FIRM]
                     : week->need[FORECAST_DRAFT] + week->need[FORECAST_AHEAD] + week->need[FORECAST_RENEWAL];
            spend(options, forecast, product, w, buy, items, count);
        }
    }
}

static int canisters_read(struct store *store, const struct forecast_options *options,
                          struct forecast *forecast, struct arena *arena, struct supplies *supplies,
                          struct error *err)
{
    struct canister *canisters = NULL;
    int count = 0;
    int rc = stock_list(store, NULL, &canisters, &count, err);
    if (rc)
        return rc;
    supplies->items = arena_array(arena, (size_t)count, sizeof *supplies->items);
    if (!supplies->items)
        rc = error_set(err, E_MEMORY, "out of memory adding up stock");
    for (int i = 0; rc == 0 && i < count; i++) {
        const struct canister *c = &canisters[i];
        bool simulated = strncmp(c->lot, STOCK_SIMULATED_LOT, strlen(STOCK_SIMULATED_LOT)) == 0;
        if (simulated != options->simulated || c->level <= 0 || c->expiry_day < options->today)
            continue;
        struct supply *s = &supplies->items[supplies->count++];
        *s = (struct supply){.code = arena_text(arena, c->product_code, strlen(c->product_code)),
                             .milli = c->level * (c->piece == ROLL_HALF ? 500 : 1000),
                             .from = options->today,
                             .until = c->expiry_day};
        if (!s->code || !forecast_product_of(forecast, c->product_code))
            rc = error_set(err, E_MEMORY, "out of memory adding up stock");
    }
    free(canisters);
    return rc;
}

/* An open purchase: what was answered counts before what was asked. */
static int order_read(struct store *store, const struct task *task, struct forecast *forecast,
                      struct arena *arena, struct supply *s, struct error *err)
{
    char code[PRODUCT_CODE_BYTES];
    struct task_answer answer;
    int64_t units = 0;
    if (!task_fact_text(task->facts, "product", code, sizeof code) ||
        !task_fact_count_of(task->facts, "quantity", &units))
        return 0;
    *s = (struct supply){.code = arena_text(arena, code, strlen(code)),
                         .from = task->due_day,
                         .until = INT32_MAX,
                         .order = true};
    int rc = task_answer_standing(store, task->id, arena, &answer, NULL);
    if (rc == 0) {
        (void)task_fact_count_of(answer.facts, "quantity", &units);
        if (answer.until_day != CIVIL_DAY_NONE)
            s->from = answer.until_day;
    } else if (rc != E_NOT_FOUND) {
        return error_set(err, rc, "the answers to purchases cannot be read");
    }
    s->milli = units * 1000;
    return s->code && forecast_product_of(forecast, code)
               ? 1
               : error_set(err, E_MEMORY, "out of memory adding up orders");
}

static int orders_read(struct store *store, const struct forecast_options *options, struct forecast *forecast,
                       struct arena *arena, struct supplies *supplies, struct error *err)
{
    struct task_filter filter = TASK_FILTER_OPEN;
    struct task *tasks = NULL;
    size_t count = 0;
    filter.kind = TASK_PURCHASE;
    int rc = task_list(store, &filter, arena, &tasks, &count, err);
    struct supply *items = rc == 0 ? arena_array(arena, supplies->count + count, sizeof *items) : NULL;
    if (rc == 0 && !items)
        rc = error_set(err, E_MEMORY, "out of memory adding up orders");
    if (rc < 0)
        return rc;
    if (supplies->count)
        memcpy(items, supplies->items, supplies->count * sizeof *items);
    supplies->items = items;
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        if (options->proposals_of && strcmp(tasks[i].opened_by, options->proposals_of) == 0 &&
            tasks[i].state < TASK_ACCEPTED)
            continue;
        rc = order_read(store, &tasks[i], forecast, arena, &items[supplies->count], err);
        supplies->count += rc == 1;
    }
    return rc < 0 ? rc : 0;
}

static int names_read(struct store *store, struct forecast *forecast, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < forecast->count; i++) {
        struct store_rows *rows = NULL;
        rc = store_query(store, &rows, err, "SELECT name FROM product WHERE code = ?", "t",
                         forecast->products[i].code);
        if (rc == 0 && (rc = store_next(rows, err)) == 1) {
            (void)snprintf(forecast->products[i].name, sizeof forecast->products[i].name, "%s",
                           store_text(rows, 0));
            rc = 0;
        }
        store_done(rows);
    }
    return rc;
}

int forecast_cover(struct store *store, const struct forecast_options *options, struct forecast *forecast,
                   struct error *err)
{
    struct arena arena;
    struct supplies supplies = {0};
    arena_init(&arena, 0);
    int rc = canisters_read(store, options, forecast, &arena, &supplies, err);
    if (rc == 0)
        rc = orders_read(store, options, forecast, &arena, &supplies, err);
    if (rc == 0 && supplies.count > 0)
        qsort(supplies.items, supplies.count, sizeof *supplies.items, supply_compare);
    size_t at = 0;
    for (size_t i = 0; rc == 0 && i < forecast->count; i++) {
        size_t first = at;
        while (at < supplies.count && strcmp(supplies.items[at].code, forecast->products[i].code) == 0)
            at++;
        product_cover(options, forecast, &forecast->products[i], &supplies.items[first], at - first);
    }
    if (rc == 0)
        rc = names_read(store, forecast, err);
    arena_finish(&arena);
    return rc;
}
