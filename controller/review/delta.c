/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/review/delta.h"

#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/label.h"
#include "controller/seal/seal.h"

enum { WEEK_DAYS = 7 };

struct comparing {
    const struct plan_text *before, *now;
    struct arena *arena;
    struct error *err;
    struct delta delta;
    size_t cap;
};

static int no_memory(struct comparing *c)
{
    return error_set(c->err, E_MEMORY, "no memory for the comparison of two plans");
}

int delta_hash(const struct plan_pouch *pouch, uint8_t ret_hash[PLAN_HASH_BYTES])
{
    struct buf text;
    buf_init(&text);
    buf_printf(&text, "%d %d/%d", pouch->minute, pouch->part, pouch->parts);
    for (size_t i = 0; i < pouch->item_count; i++)
        buf_printf(&text, " %s:%s:%d", pouch->items[i].code, roll_piece_text(pouch->items[i].piece),
                   pouch->items[i].count);
    bool whole = !text.failed;
    if (whole)
        seal_hash(text.data, text.len, ret_hash);
    buf_finish(&text);
    return whole ? 0 : E_MEMORY;
}

/* "1 Amlodipine 5 mg tablet, 1 and 1/2 Warfarin 5 mg tablet" */
static const char *content(struct comparing *c, const struct plan_text *plan, const struct plan_pouch *pouch)
{
    struct buf text;
    if (!pouch)
        return "";
    buf_init(&text);
    for (size_t i = 0; i < pouch->item_count; i++) {
        const struct plan_item *item = &pouch->items[i];
        const struct plan_product *product = plan_text_product(plan, item->code);
        bool half = i + 1 < pouch->item_count && strcmp(item[1].code, item->code) == 0;
        buf_text(&text, text.len ? ", " : "");
        label_count(item->piece == ROLL_WHOLE ? item->count : 0,
                    item->piece == ROLL_HALF ? item->count
                    : half                   ? item[1].count
                                             : 0,
                    &text);
        buf_printf(&text, " %s", product ? product->name : item->code);
        i += half;
    }
    const char *copy = text.failed ? NULL : arena_text(c->arena, buf_string(&text), text.len);
    buf_finish(&text);
    return copy;
}

static const struct plan_pouch *pouch_at(const struct plan_text *plan, int32_t day, int minute, int part)
{
    size_t low = 0, high = plan->pouch_count;
    while (low < high) { /* they stand by date, time and part */
        size_t middle = low + (high - low) / 2;
        const struct plan_pouch *p = &plan->pouches[middle];
        int64_t is = ((int64_t)p->day * MINUTES_PER_DAY + p->minute) * ROLL_PARTS_MAX + p->part;
        int64_t wanted = ((int64_t)day * MINUTES_PER_DAY + minute) * ROLL_PARTS_MAX + part;
        if (is == wanted)
            return p;
        if (is < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The logical day of the old plan that a day of the new one is held against. */
static int32_t counterpart(const struct comparing *c, int32_t day)
{
    int32_t end = c->before->start_day + c->before->days;
    return day < end ? day : day - (day - end + WEEK_DAYS) / WEEK_DAYS * WEEK_DAYS;
}

static int change_add(struct comparing *c, const struct plan_pouch *was, const struct plan_pouch *is)
{
    struct delta *d = &c->delta;
    const struct plan_pouch *shown = is ? is : was;
    const char *before = content(c, c->before, was), *now = content(c, c->now, is);
    if (!before || !now)
        return no_memory(c);
    for (size_t i = 0; i < d->group_count; i++) {
        if (d->groups[i].minute == shown->minute && strcmp(d->groups[i].was, before) == 0 &&
            strcmp(d->groups[i].is, now) == 0) {
            d->groups[i].count++;
            return 0;
        }
    }
    if (d->group_count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16;
        struct delta_group *grown = arena_array(c->arena, cap, sizeof *grown);
        if (!grown)
            return no_memory(c);
        if (c->cap)
            memcpy(grown, d->groups, c->cap * sizeof *grown);
        d->groups = grown;
        c->cap = cap;
    }
    struct delta_group *group = &d->groups[d->group_count++];
    *group = (struct delta_group){
        .minute = shown->minute, .was = before, .is = now, .first_day = shown->day, .count = 1};
    return delta_hash(shown, group->hash) < 0 ? no_memory(c) : 0;
}

static int pouches_compare(struct comparing *c)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < c->now->pouch_count; i++) {
        const struct plan_pouch *is = &c->now->pouches[i];
        const struct plan_pouch *was = pouch_at(c->before, counterpart(c, is->day), is->minute, is->part);
        uint8_t a[PLAN_HASH_BYTES], b[PLAN_HASH_BYTES];
        if (was && (delta_hash(is, a) < 0 || delta_hash(was, b) < 0))
            return no_memory(c);
        if (was && memcmp(a, b, sizeof a) == 0)
            c->delta.same++;
        else
            status = change_add(c, was, is);
    }
    /* What the old plan's last weeks have, in as many days as the new one lasts, and the new one has not. */
    for (int32_t day = c->now->start_day; status == 0 && day <= c->now->start_day + c->now->days; day++) {
        for (size_t i = 0; status == 0 && i < c->before->pouch_count; i++) {
            const struct plan_pouch *was = &c->before->pouches[i];
            if (was->day == counterpart(c, day) && !pouch_at(c->now, day, was->minute, was->part) &&
                day - (was->minute < c->now->day_start) >= c->now->start_day &&
                day - (was->minute < c->now->day_start) < c->now->start_day + c->now->days)
                status = change_add(c, was, NULL);
        }
    }
    return status;
}

static size_t times_missing(const struct plan_text *of, const struct plan_text *in, int *out)
{
    size_t count = 0;
    for (size_t i = 0; i < of->slot_count; i++) {
        bool found = false;
        for (size_t k = 0; k < in->slot_count && !found; k++)
            found = in->slots[k].minute == of->slots[i].minute;
        if (!found)
            out[count++] = of->slots[i].minute;
    }
    return count;
}

int delta_make(const struct plan_text *before, const struct plan_text *now, struct arena *arena,
               struct delta *ret_delta, struct error *err)
{
    struct comparing c = {.before = before, .now = now, .arena = arena, .err = err};
    c.delta.new_times = arena_array(arena, now->slot_count + 1, sizeof *c.delta.new_times);
    c.delta.gone_times = arena_array(arena, before->slot_count + 1, sizeof *c.delta.gone_times);
    if (!c.delta.new_times || !c.delta.gone_times)
        return no_memory(&c);
    c.delta.new_count = times_missing(now, before, c.delta.new_times);
    c.delta.gone_count = times_missing(before, now, c.delta.gone_times);
    int status = pouches_compare(&c);
    if (status == 0)
        *ret_delta = c.delta;
    return status;
}
