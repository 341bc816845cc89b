/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/roll.h"

#include <assert.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"

enum { HALF_MILLI = QUANTITY_ONE / 2, ENTRIES_PER_PRODUCT = 2 };

/* Pieces of one product on their way into one pouch. */
struct portion {
    int product;
    int whole;
    int half;
    int lines;
};

/* A pouch that is being filled. */
struct bin {
    struct portion portions[ROLL_PRODUCTS_MAX];
    int count;
    int pieces;
    int entries;
    int lines;
    bool closed; /* nothing may join: alone, or a full part of a torn dose */
};

/* One slot of one day. */
struct bench {
    struct bin bins[ROLL_PARTS_MAX];
    int count;
};

struct builder {
    const struct roll_request *request;
    struct arena *arena;
    struct error *err;
    struct bench *bench;
    struct roll_pouch *pouches;
    int count;
    int cap;
};

const char *roll_piece_text(enum roll_piece piece)
{
    return piece == ROLL_HALF ? "half" : "whole";
}

bool roll_pattern_has(const struct roll_pattern *pattern, int32_t day)
{
    if (day < pattern->first_day || day > pattern->last_day)
        return false;
    if (pattern->weekdays && !(pattern->weekdays & 1u << civil_weekday(day)))
        return false;
    return ((int64_t)day - pattern->anchor_day) % pattern->every_days == 0;
}

int roll_pattern_count(const struct roll_pattern *pattern, int32_t start_day, int days)
{
    int count = 0;
    for (int i = 0; i < days; i++)
        count += roll_pattern_has(pattern, start_day + i);
    return count;
}

int roll_slot_clock(int day_start, int minute, int *ret_day_offset)
{
    int since = day_start + minute;
    *ret_day_offset = since / MINUTES_PER_DAY;
    return since % MINUTES_PER_DAY;
}

static int portion_pieces(const struct portion *portion)
{
    return portion->whole + portion->half;
}

static int portion_entries(const struct portion *portion)
{
    return (portion->whole > 0) + (portion->half > 0);
}

static bool bin_takes(const struct bin *bin, const struct portion *portion, const struct roll_limits *limits)
{
    return !bin->closed && bin->pieces + portion_pieces(portion) <= limits->pieces_max &&
           bin->entries + portion_entries(portion) <= limits->entries_max &&
           (limits->lines_max == 0 || bin->lines + portion->lines <= limits->lines_max);
}

static void bin_add(struct bin *bin, const struct portion *portion)
{
    assert(bin->count < ROLL_PRODUCTS_MAX);
    bin->portions[bin->count++] = *portion;
    bin->pieces += portion_pieces(portion);
    bin->entries += portion_entries(portion);
    bin->lines += portion->lines;
}

static struct bin *bench_open(struct builder *b)
{
    if (b->bench->count == ROLL_PARTS_MAX) {
        (void)error_set(b->err, E_LIMIT, "more than %d pouches would be needed at one time of one day",
                        ROLL_PARTS_MAX);
        return NULL;
    }
    struct bin *bin = &b->bench->bins[b->bench->count++];
    *bin = (struct bin){0};
    return bin;
}

/* As much of `rest` as one empty pouch holds, whole pieces first. */
static struct portion portion_cut(struct portion *rest, const struct roll_limits *limits)
{
    struct portion cut = {.product = rest->product, .lines = rest->lines};
    cut.whole = rest->whole < limits->pieces_max ? rest->whole : limits->pieces_max;
    int room = limits->pieces_max - cut.whole;
    if (cut.whole == 0 || limits->entries_max >= ENTRIES_PER_PRODUCT)
        cut.half = rest->half < room ? rest->half : room;
    rest->whole -= cut.whole;
    rest->half -= cut.half;
    return cut;
}

/*
 * First fit into the bins of this slot. What alone is more than a pouch holds is cut into full pouches first;
 * its remainder is then a portion like others.
 */
static int place(struct builder *b, struct portion portion)
{
    const struct roll_limits *limits = &b->request->limits;
    const struct bin empty = {0};
    bool alone = b->request->products[portion.product].alone;
    while (!bin_takes(&empty, &portion, limits)) {
        struct portion cut = portion_cut(&portion, limits);
        struct bin *bin = bench_open(b);
        if (!bin)
            return E_LIMIT;
        bin_add(bin, &cut);
        bin->closed = true;
    }
    struct bin *bin = NULL;
    for (int i = 0; !alone && !bin && i < b->bench->count; i++) {
        if (bin_takes(&b->bench->bins[i], &portion, limits))
            bin = &b->bench->bins[i];
    }
    if (!bin)
        bin = bench_open(b);
    if (!bin)
        return E_LIMIT;
    bin_add(bin, &portion);
    bin->closed = alone;
    return 0;
}

/* Larger portions first, so that first fit leaves fewer parts; ties by product. */
static bool portion_before(const struct portion *a, const struct portion *b)
{
    if (portion_pieces(a) != portion_pieces(b))
        return portion_pieces(a) > portion_pieces(b);
    return a->product < b->product;
}

/* What is taken in this slot on this day, by product; the number of portions, or an error. */
static int gather(struct builder *b, int32_t day, int slot, struct portion *portions)
{
    const struct roll_request *r = b->request;
    int64_t amounts[ROLL_PRODUCTS_MAX] = {0};
    for (int i = 0; i < r->take_count; i++) {
        const struct roll_take *take = &r->takes[i];
        if (take->slot == slot && roll_pattern_has(&take->pattern, day))
            amounts[take->product] += take->amount_milli;
    }
    int count = 0;
    for (int p = 0; p < r->product_count; p++) {
        if (amounts[p] == 0)
            continue;
        if (amounts[p] > ROLL_AMOUNT_MILLI_MAX)
            return error_set(b->err, E_LIMIT, "more than %d pieces of one product at one time of one day",
                             ROLL_AMOUNT_MILLI_MAX / QUANTITY_ONE);
        struct portion portion = {.product = p, .lines = r->products[p].lines};
        portion.whole = (int)(amounts[p] / QUANTITY_ONE);
        portion.half = (int)(amounts[p] % QUANTITY_ONE / HALF_MILLI);
        int at = count++;
        for (; at > 0 && portion_before(&portion, &portions[at - 1]); at--)
            portions[at] = portions[at - 1];
        portions[at] = portion;
    }
    return count;
}

/* Products of a pouch in the order of the request; shared pouches before those that stand alone. */
static void bench_sort(struct bench *bench)
{
    for (int i = 0; i < bench->count; i++) {
        struct bin *bin = &bench->bins[i];
        for (int j = 1; j < bin->count; j++) {
            struct portion moving = bin->portions[j];
            int at = j;
            for (; at > 0 && moving.product < bin->portions[at - 1].product; at--)
                bin->portions[at] = bin->portions[at - 1];
            bin->portions[at] = moving;
        }
    }
}

static int pouch_add(struct builder *b, const struct bin *bin, struct roll_pouch pouch)
{
    if (b->count == ROLL_POUCHES_MAX)
        return error_set(b->err, E_LIMIT, "a roll of more than %d pouches", ROLL_POUCHES_MAX);
    if (b->count == b->cap) {
        int cap = b->cap ? b->cap * 2 : 256;
        struct roll_pouch *pouches = arena_array(b->arena, (size_t)cap, sizeof *pouches);
        if (!pouches)
            return error_set(b->err, E_MEMORY, "no memory for the roll");
        if (b->count)
            memcpy(pouches, b->pouches, (size_t)b->count * sizeof *pouches);
        b->pouches = pouches;
        b->cap = cap;
    }
    struct roll_item *items = arena_array(b->arena, (size_t)bin->entries, sizeof *items);
    if (!items)
        return error_set(b->err, E_MEMORY, "no memory for the roll");
    int count = 0;
    for (int i = 0; i < bin->count; i++) {
        const struct portion *portion = &bin->portions[i];
        if (portion->whole > 0)
            items[count++] =
                (struct roll_item){.product = portion->product, .piece = ROLL_WHOLE, .count = portion->whole};
        if (portion->half > 0)
            items[count++] =
                (struct roll_item){.product = portion->product, .piece = ROLL_HALF, .count = portion->half};
    }
    assert(count == bin->entries);
    pouch.number = b->count + 1;
    pouch.items = items;
    pouch.item_count = count;
    b->pouches[b->count++] = pouch;
    return 0;
}

static int slot_build(struct builder *b, int32_t day, int slot)
{
    const struct roll_request *r = b->request;
    struct portion portions[ROLL_PRODUCTS_MAX];
    int count = gather(b, day, slot, portions);
    if (count <= 0)
        return count;
    b->bench->count = 0;
    /* Products that share come first, those that stand alone last. */
    for (int alone = 0; alone < 2; alone++) {
        for (int i = 0; i < count; i++) {
            if (r->products[portions[i].product].alone != (alone == 1))
                continue;
            int status = place(b, portions[i]);
            if (status < 0)
                return status;
        }
    }
    bench_sort(b->bench);
    int offset;
    int minute = roll_slot_clock(r->day_start, r->slots[slot].minute, &offset);
    for (int i = 0; i < b->bench->count; i++) {
        struct roll_pouch pouch = {
            .day = day + offset, .minute = minute, .slot = slot, .part = i + 1, .parts = b->bench->count};
        int status = pouch_add(b, &b->bench->bins[i], pouch);
        if (status < 0)
            return status;
    }
    return 0;
}

static int take_check(const struct roll_request *r, const struct roll_take *take, struct error *err)
{
    if (take->product < 0 || take->product >= r->product_count || take->slot < 0 ||
        take->slot >= r->slot_count)
        return error_set(err, E_ARG, "a take names a product or slot that is not there");
    if (take->pattern.every_days < 1 || take->pattern.weekdays > 0x7F)
        return error_set(err, E_ARG, "a take has an impossible day pattern");
    if (take->amount_milli <= 0 || take->amount_milli > ROLL_AMOUNT_MILLI_MAX)
        return error_set(err, E_LIMIT, "an amount of %lld thousandths is outside 1..%d pieces",
                         (long long)take->amount_milli, ROLL_AMOUNT_MILLI_MAX / QUANTITY_ONE);
    if (take->amount_milli % HALF_MILLI != 0)
        return error_set(err, E_INPUT, "an amount of %lld thousandths is not made of whole and half pieces",
                         (long long)take->amount_milli);
    return 0;
}

static int request_check(const struct roll_request *r, struct error *err)
{
    if (r->days < 0 || r->days > ROLL_DAYS_MAX || r->slot_count < 0 || r->slot_count > ROLL_SLOTS_MAX ||
        r->product_count < 0 || r->product_count > ROLL_PRODUCTS_MAX || r->take_count < 0 ||
        r->take_count > ROLL_TAKES_MAX)
        return error_set(err, E_LIMIT, "a roll takes at most %d days, %d slots, %d products and %d takes",
                         ROLL_DAYS_MAX, ROLL_SLOTS_MAX, ROLL_PRODUCTS_MAX, ROLL_TAKES_MAX);
    if (r->day_start < 0 || r->day_start >= MINUTES_PER_DAY || r->limits.pieces_max < 1 ||
        r->limits.entries_max < 1 || r->limits.lines_max < 0)
        return error_set(err, E_ARG, "the start of the day or a limit of the pouch is out of range");
    for (int i = 0; i < r->slot_count; i++) {
        int minute = r->slots[i].minute;
        if (minute < 0 || minute >= MINUTES_PER_DAY || (i > 0 && minute <= r->slots[i - 1].minute))
            return error_set(err, E_ARG, "slots are out of range or out of order");
    }
    for (int i = 0; i < r->product_count; i++) {
        if (r->products[i].lines < 0)
            return error_set(err, E_ARG, "a product has a negative number of label lines");
        if (r->limits.lines_max > 0 && r->products[i].lines > r->limits.lines_max)
            return error_set(err, E_LIMIT, "a product needs %d label lines, a pouch has %d",
                             r->products[i].lines, r->limits.lines_max);
    }
    for (int i = 0; i < r->take_count; i++) {
        int status = take_check(r, &r->takes[i], err);
        if (status < 0)
            return status;
    }
    return 0;
}

int roll_build(const struct roll_request *request, struct arena *arena, struct roll *ret_roll,
               struct error *err)
{
    int status = request_check(request, err);
    if (status < 0)
        return status;
    struct builder b = {.request = request, .arena = arena, .err = err};
    b.bench = arena_alloc(arena, sizeof *b.bench);
    if (!b.bench)
        return error_set(err, E_MEMORY, "no memory for the roll");
    for (int d = 0; d < request->days; d++) {
        for (int slot = 0; slot < request->slot_count; slot++) {
            status = slot_build(&b, request->start_day + d, slot);
            if (status < 0)
                return status;
        }
    }
    *ret_roll = (struct roll){.pouches = b.pouches, .pouch_count = b.count};
    return 0;
}
