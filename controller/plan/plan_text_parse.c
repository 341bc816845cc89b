/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading goes line by line and field by field. The first thing that is not as it must be sets `status`, and
 * every later read does nothing, so that a line's function is a plain list of its fields.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/plan_text.h"
#include "controller/plan/plan_text_private.h"
#include "controller/seal/seal.h"

enum { WORD_BYTES = 128 };

struct reader {
    const char *at; /* never behind end */
    const char *end;
    int line;
    int status;
    struct arena *arena;
    struct error *err;
};

static void fault(struct reader *r, int code, const char *what)
{
    if (r->status == 0)
        r->status = error_set(r->err, code, "line %d: %s", r->line, what);
}

static bool ahead(const struct reader *r, const char *text)
{
    size_t len = strlen(text);
    return r->status == 0 && (size_t)(r->end - r->at) >= len && memcmp(r->at, text, len) == 0;
}

static void literal(struct reader *r, const char *text)
{
    if (!ahead(r, text))
        fault(r, E_SYNTAX, "not the field that must stand here");
    else
        r->at += strlen(text);
}

static void line_end(struct reader *r)
{
    literal(r, "\n");
    r->line += r->status == 0;
}

/* The bytes up to the next blank, comma, colon, slash or line end, into word. */
static const char *word(struct reader *r, char text[WORD_BYTES])
{
    size_t len = 0;
    text[0] = '\0';
    if (r->status < 0)
        return text;
    while (r->at + len < r->end && !memchr(" ,/\n", r->at[len], 4) && len < WORD_BYTES)
        len++;
    if (len == 0 || len == WORD_BYTES || memchr(r->at, '\0', len)) {
        fault(r, E_SYNTAX, "an empty or overlong field");
        return text;
    }
    memcpy(text, r->at, len);
    text[len] = '\0';
    r->at += len;
    return text;
}

static int64_t integer(struct reader *r, int64_t min, int64_t max)
{
    int64_t value = 0;
    int digits = 0;
    for (; r->status == 0 && r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 18; digits++)
        value = value * 10 + (*r->at++ - '0');
    if (digits == 0 || value < min || value > max)
        fault(r, E_SYNTAX, "a number is missing or out of range");
    return r->status == 0 ? value : min;
}

static int int_field(struct reader *r, int min, int max)
{
    return (int)integer(r, min, max);
}

static int32_t date(struct reader *r, bool optional)
{
    char text[WORD_BYTES];
    int32_t day = CIVIL_DAY_NONE;
    (void)word(r, text);
    if (!(optional && strcmp(text, "-") == 0) && !civil_parse(text, &day))
        fault(r, E_SYNTAX, "not a date YYYY-MM-DD");
    return day;
}

static int clock_time(struct reader *r)
{
    char text[WORD_BYTES];
    int minute = 0;
    if (!tod_parse(word(r, text), &minute))
        fault(r, E_SYNTAX, "not a time HH:MM");
    return minute;
}

static void hash(struct reader *r, uint8_t bytes[PLAN_HASH_BYTES])
{
    char text[WORD_BYTES];
    if (!seal_hash_parse(word(r, text), bytes))
        fault(r, E_SYNTAX, "not a hash of 64 hexadecimal digits");
}

static int64_t amount(struct reader *r)
{
    char text[WORD_BYTES];
    int64_t milli = 0;
    if (!quantity_parse(word(r, text), &milli))
        fault(r, E_SYNTAX, "not an amount");
    return milli;
}

static bool yes_no(struct reader *r)
{
    bool yes = ahead(r, "yes");
    literal(r, yes ? "yes" : "no");
    return yes;
}

static const char *copy(struct reader *r, const char *text, size_t len)
{
    char *result = arena_text(r->arena, text, len);
    if (!result)
        fault(r, E_MEMORY, "no memory for the plan");
    return result ? result : "";
}

static const char *name(struct reader *r)
{
    char text[WORD_BYTES];
    (void)word(r, text);
    return copy(r, text, strlen(text));
}

/* "text" with its escapes undone; a line break only where lines is true. */
static const char *quoted(struct reader *r, bool lines)
{
    literal(r, "\"");
    const char *from = r->at;
    while (r->status == 0 && r->at < r->end && *r->at != '"' && *r->at != '\n')
        r->at += *r->at == '\\' && r->end - r->at > 1 ? 2 : 1;
    size_t len = (size_t)(r->at - from);
    literal(r, "\"");
    if (r->status < 0 || memchr(from, '\0', len)) {
        fault(r, E_SYNTAX, "a zero byte");
        return "";
    }
    char *text = arena_text(r->arena, from, len);
    if (!text) {
        fault(r, E_MEMORY, "no memory for the plan");
        return "";
    }
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '\\') {
            at++;
            if (*at != '"' && *at != '\\' && !(*at == 'n' && lines))
                fault(r, E_SYNTAX, "an unknown escape");
            *to++ = *at;
            if (*at == 'n')
                to[-1] = '\n';
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return text;
}

static int meal(struct reader *r)
{
    if (!ahead(r, "-"))
        return clock_time(r);
    literal(r, "-");
    return -1;
}

static void day_read(struct reader *r, struct plan_day *day)
{
    literal(r, "day wake=");
    day->wake = clock_time(r);
    literal(r, " breakfast=");
    day->breakfast = meal(r);
    literal(r, " lunch=");
    day->lunch = meal(r);
    literal(r, " dinner=");
    day->dinner = meal(r);
    literal(r, " bed=");
    day->bed = clock_time(r);
    literal(r, " own=");
    day->own = yes_no(r);
    line_end(r);
}

static void edit_read(struct reader *r, struct plan_edit *edit)
{
    char text[WORD_BYTES];
    literal(r, "edit ");
    edit->id = integer(r, 1, INT64_MAX);
    literal(r, " ");
    if (!plan_edit_kind_parse(word(r, text), &edit->kind))
        fault(r, E_SYNTAX, "not a kind of edit");
    literal(r, " ");
    edit->source_id = quoted(r, false);
    literal(r, " ");
    edit->value = quoted(r, false);
    literal(r, " reason=");
    edit->reason = quoted(r, false);
    literal(r, " by=");
    edit->login = name(r);
    line_end(r);
}

static void override_read(struct reader *r, struct plan_override *said)
{
    literal(r, "override ");
    said->id = integer(r, 1, INT64_MAX);
    literal(r, " ");
    said->product = name(r);
    literal(r, " ");
    said->rule = quoted(r, false);
    literal(r, " ");
    hash(r, said->rule_hash);
    literal(r, " red=");
    said->red = yes_no(r);
    literal(r, " from=");
    said->from_day = date(r, false);
    literal(r, " until=");
    said->until_day = date(r, false);
    literal(r, " reason=");
    said->reason = quoted(r, false);
    literal(r, " by=");
    said->login = name(r);
    literal(r, " second=");
    said->second = name(r);
    if (strcmp(said->second, "-") == 0)
        said->second = "";
    line_end(r);
}

static void header_read(struct reader *r, struct plan_text *plan)
{
    literal(r, "patient ");
    plan->patient_id = quoted(r, false);
    literal(r, " ");
    plan->patient_name = quoted(r, false);
    literal(r, " born=");
    plan->birth_day = date(r, true);
    line_end(r);
    literal(r, "plan version=");
    plan->version = int_field(r, 1, INT_MAX);
    literal(r, " start=");
    plan->start_day = date(r, false);
    literal(r, " days=");
    plan->days = int_field(r, 1, ROLL_DAYS_MAX);
    literal(r, " day-start=");
    plan->day_start = clock_time(r);
    literal(r, " limits=");
    plan->limits.pieces_max = int_field(r, 1, INT_MAX);
    literal(r, "/");
    plan->limits.entries_max = int_field(r, 1, INT_MAX);
    literal(r, "/");
    plan->limits.lines_max = int_field(r, 0, INT_MAX);
    line_end(r);
    if (plan->format > PLAN_FORMAT_FIRST)
        day_read(r, &plan->day);
    literal(r, "rules timing=");
    plan->timing_version = quoted(r, false);
    literal(r, " ");
    hash(r, plan->timing_hash);
    literal(r, " packing=");
    plan->packing_version = quoted(r, false);
    literal(r, " ");
    hash(r, plan->packing_hash);
    literal(r, " regimen=");
    hash(r, plan->regimen_hash);
    line_end(r);
    plan->jurisdiction = plan->jurisdiction_version = "";
    if (plan->format <= PLAN_FORMAT_SECOND)
        return;
    literal(r, "jurisdiction ");
    plan->jurisdiction = name(r);
    literal(r, " ");
    plan->jurisdiction_version = quoted(r, false);
    literal(r, " ");
    hash(r, plan->jurisdiction_hash);
    line_end(r);
}

static void product_read(struct reader *r, struct plan_product *product)
{
    literal(r, "product ");
    product->code = name(r);
    literal(r, " ");
    product->name = quoted(r, false);
    literal(r, " strength=");
    product->strength = quoted(r, false);
    literal(r, " form=");
    product->form = quoted(r, false);
    literal(r, " look=");
    product->look = quoted(r, false);
    literal(r, " alone=");
    product->alone = yes_no(r);
    literal(r, " provisional=");
    product->provisional = yes_no(r);
    literal(r, " row=");
    hash(r, product->row_hash);
    line_end(r);
}

static enum plan_state state(struct reader *r)
{
    for (int i = 0; i < PLAN_STATES; i++) {
        const char *text = plan_state_text((enum plan_state)i);
        if (ahead(r, text)) {
            literal(r, text);
            return (enum plan_state)i;
        }
    }
    fault(r, E_SYNTAX, "not a state of an order");
    return PLAN_WAITING;
}

static void order_read(struct reader *r, struct plan_order *order)
{
    literal(r, "order ");
    order->id = integer(r, 1, INT64_MAX);
    literal(r, " ");
    order->source_id = quoted(r, false);
    literal(r, " version=");
    order->version = int_field(r, 1, INT_MAX);
    literal(r, " hash=");
    hash(r, order->hash);
    literal(r, " product=");
    order->product = name(r);
    if (strcmp(order->product, "-") == 0)
        order->product = NULL;
    literal(r, " state=");
    order->state = state(r);
    literal(r, " begins=");
    order->begins = date(r, true);
    literal(r, " ");
    order->drug = quoted(r, false);
    literal(r, " reason=");
    order->reason = quoted(r, false);
    line_end(r);
}

static void slot_read(struct reader *r, struct plan_slot *slot)
{
    literal(r, "slot ");
    slot->number = int_field(r, 1, ROLL_SLOTS_MAX);
    literal(r, " ");
    slot->minute = clock_time(r);
    literal(r, " +");
    slot->offset = int_field(r, 0, 1);
    literal(r, " ");
    slot->name = name(r);
    line_end(r);
}

static unsigned weekdays(struct reader *r)
{
    char text[WORD_BYTES];
    unsigned days = 0;
    (void)word(r, text);
    for (const char *at = text; *at && strcmp(text, "-") != 0; at++) {
        if (*at < '1' || *at > '7')
            fault(r, E_SYNTAX, "not weekdays 1 to 7");
        else
            days |= 1u << (*at - '1');
    }
    return days;
}

static void take_read(struct reader *r, struct plan_take *take)
{
    literal(r, "take ");
    take->order_id = integer(r, 1, INT64_MAX);
    literal(r, " slot=");
    take->slot = int_field(r, 1, ROLL_SLOTS_MAX);
    literal(r, " amount=");
    take->amount_milli = amount(r);
    literal(r, " first=");
    take->pattern.first_day = date(r, false);
    literal(r, " last=");
    take->pattern.last_day = date(r, false);
    literal(r, " every=");
    take->pattern.every_days = int_field(r, 1, ROLL_DAYS_MAX);
    literal(r, " anchor=");
    take->pattern.anchor_day = date(r, false);
    literal(r, " weekdays=");
    take->pattern.weekdays = weekdays(r);
    literal(r, " days=");
    take->days = int_field(r, 1, ROLL_DAYS_MAX);
    line_end(r);
}

static enum plan_note_kind note_kind(struct reader *r)
{
    for (int i = 0; i < PLAN_NOTE_KINDS; i++) {
        const char *text = plan_note_kind_text((enum plan_note_kind)i);
        if (ahead(r, text)) {
            literal(r, text);
            return (enum plan_note_kind)i;
        }
    }
    fault(r, E_SYNTAX, "not a kind of note");
    return PLAN_WARNING;
}

static void note_read(struct reader *r, struct plan_note *note)
{
    literal(r, "note ");
    note->kind = note_kind(r);
    literal(r, " ");
    note->order_id = integer(r, 0, INT64_MAX);
    literal(r, " ");
    note->text = quoted(r, false);
    line_end(r);
}

static void item_read(struct reader *r, struct plan_item *item)
{
    size_t len = 0;
    while (r->status == 0 && r->at + len < r->end && r->at[len] != ':' && r->at[len] != '\n')
        len++;
    item->code = copy(r, r->at, len);
    r->at += r->status == 0 ? len : 0;
    literal(r, ":");
    item->piece = ahead(r, "half:") ? ROLL_HALF : ROLL_WHOLE;
    literal(r, roll_piece_text(item->piece));
    literal(r, ":");
    item->count = int_field(r, 1, PLAN_COUNT_MAX);
}

static void pouch_read(struct reader *r, struct plan_pouch *pouch)
{
    pouch->line = r->at;
    literal(r, "pouch ");
    pouch->number = int_field(r, 1, ROLL_POUCHES_MAX);
    literal(r, " ");
    pouch->day = date(r, false);
    literal(r, " ");
    pouch->minute = clock_time(r);
    literal(r, " ");
    pouch->slot = name(r);
    literal(r, " ");
    pouch->part = int_field(r, 1, ROLL_PARTS_MAX);
    literal(r, "/");
    pouch->parts = int_field(r, 1, ROLL_PARTS_MAX);
    literal(r, " label=");
    pouch->label = quoted(r, true);
    literal(r, " items=");
    size_t count = 1;
    for (const char *at = r->at; r->status == 0 && at < r->end && *at != '\n'; at++)
        count += *at == ',';
    if (count > 2 * ROLL_PRODUCTS_MAX)
        fault(r, E_LIMIT, "too many items in one pouch");
    struct plan_item *items = r->status == 0 ? arena_array(r->arena, count, sizeof *items) : NULL;
    if (!items)
        fault(r, E_MEMORY, "no memory for the plan");
    for (size_t i = 0; r->status == 0 && i < count; i++) {
        if (i > 0)
            literal(r, ",");
        item_read(r, &items[i]);
    }
    pouch->items = items;
    pouch->item_count = count;
    pouch->line_len = (size_t)(r->at - pouch->line);
    line_end(r);
}

static void total_read(struct reader *r, struct plan_total *total)
{
    literal(r, "total ");
    total->code = name(r);
    literal(r, " amount=");
    total->amount_milli = amount(r);
    literal(r, " whole=");
    total->whole = integer(r, 0, INT32_MAX);
    literal(r, " half=");
    total->half = integer(r, 0, INT32_MAX);
    line_end(r);
}

/* Lines from here on that begin with word: what a block's array must hold. */
static size_t block_count(const struct reader *r, const char *first_word)
{
    struct reader scan = *r;
    size_t count = 0;
    while (ahead(&scan, first_word)) {
        const char *lf = memchr(scan.at, '\n', (size_t)(scan.end - scan.at));
        scan.at = lf ? lf + 1 : scan.end;
        count++;
    }
    return count;
}

static void *block(struct reader *r, const char *first_word, size_t size, size_t max, size_t *ret_count)
{
    size_t count = block_count(r, first_word);
    *ret_count = 0;
    if (count > max) {
        fault(r, E_LIMIT, "more lines of this kind than a plan may have");
        return NULL;
    }
    void *items = arena_array(r->arena, count, size);
    if (!items)
        fault(r, E_MEMORY, "no memory for the plan");
    *ret_count = r->status == 0 ? count : 0;
    return items;
}

static void body_read(struct reader *r, struct plan_text *plan)
{
    struct plan_edit *edits = block(r, "edit ", sizeof *edits, PLAN_EDITS_MAX, &plan->edit_count);
    for (size_t i = 0; i < plan->edit_count; i++)
        edit_read(r, &edits[i]);
    plan->edits = edits;
    struct plan_override *overrides =
        block(r, "override ", sizeof *overrides, ROLL_PRODUCTS_MAX, &plan->override_count);
    for (size_t i = 0; i < plan->override_count; i++)
        override_read(r, &overrides[i]);
    plan->overrides = overrides;
    struct plan_product *products =
        block(r, "product ", sizeof *products, ROLL_PRODUCTS_MAX, &plan->product_count);
    for (size_t i = 0; i < plan->product_count; i++)
        product_read(r, &products[i]);
    plan->products = products;
    struct plan_order *orders = block(r, "order ", sizeof *orders, PLAN_ORDERS_MAX, &plan->order_count);
    for (size_t i = 0; i < plan->order_count; i++)
        order_read(r, &orders[i]);
    plan->orders = orders;
    struct plan_slot *slots = block(r, "slot ", sizeof *slots, ROLL_SLOTS_MAX, &plan->slot_count);
    for (size_t i = 0; i < plan->slot_count; i++)
        slot_read(r, &slots[i]);
    plan->slots = slots;
    struct plan_take *takes = block(r, "take ", sizeof *takes, ROLL_TAKES_MAX, &plan->take_count);
    for (size_t i = 0; i < plan->take_count; i++)
        take_read(r, &takes[i]);
    plan->takes = takes;
    struct plan_note *notes = block(r, "note ", sizeof *notes, PLAN_NOTES_MAX, &plan->note_count);
    for (size_t i = 0; i < plan->note_count; i++)
        note_read(r, &notes[i]);
    plan->notes = notes;
    struct plan_pouch *pouches = block(r, "pouch ", sizeof *pouches, ROLL_POUCHES_MAX, &plan->pouch_count);
    for (size_t i = 0; i < plan->pouch_count; i++)
        pouch_read(r, &pouches[i]);
    plan->pouches = pouches;
    struct plan_total *totals = block(r, "total ", sizeof *totals, ROLL_PRODUCTS_MAX, &plan->total_count);
    for (size_t i = 0; i < plan->total_count; i++)
        total_read(r, &totals[i]);
    plan->totals = totals;
}

static void end_read(struct reader *r, const struct plan_text *plan)
{
    literal(r, "end pouches=");
    int pouches = int_field(r, 0, ROLL_POUCHES_MAX);
    literal(r, " pieces=");
    int64_t pieces = integer(r, 0, INT64_MAX);
    line_end(r);
    for (size_t i = 0; i < plan->total_count; i++)
        pieces -= plan->totals[i].whole + plan->totals[i].half;
    if (r->status == 0 && ((size_t)pouches != plan->pouch_count || pieces != 0))
        fault(r, E_INPUT, "the last line does not count what stands above it");
    if (r->at != r->end)
        fault(r, E_SYNTAX, "something follows the last line");
}

/* There is one way to write a plan: what the writer makes of it must be the same bytes. */
static int canonical_check(const struct plan_text *plan, const char *text, size_t len, struct error *err)
{
    struct buf again;
    buf_init(&again);
    plan_text_put(plan, &again);
    int status = 0;
    if (again.failed)
        status = error_set(err, E_MEMORY, "no memory for the plan's text");
    else if (again.len != len || memcmp(again.data, text, len) != 0)
        status = error_set(err, E_SYNTAX, "the plan is not written in its canonical form");
    buf_finish(&again);
    return status;
}

int plan_text_parse(const char *text, size_t len, struct arena *arena, struct plan_text **ret_plan,
                    struct error *err)
{
    if (len > PLAN_TEXT_BYTES_MAX)
        return error_set(err, E_LIMIT, "a plan has at most %d bytes", PLAN_TEXT_BYTES_MAX);
    struct plan_text *plan = arena_alloc(arena, sizeof *plan);
    const char *bytes = arena_text(arena, text, len);
    if (!plan || !bytes)
        return error_set(err, E_MEMORY, "no memory for the plan");
    struct reader r = {.at = bytes, .end = bytes + len, .line = 1, .arena = arena, .err = err};
    for (int format = PLAN_FORMAT_FIRST; format <= PLAN_FORMAT_NOW; format++) {
        char first[sizeof PLAN_FORMAT_STEM + 4];
        (void)snprintf(first, sizeof first, PLAN_FORMAT_STEM "%d\n", format); /* fits */
        if (ahead(&r, first))
            plan->format = format;
    }
    if (plan->format == 0)
        return error_set(err, E_VERSION, "line 1: not a plan of format " PLAN_FORMAT_STEM "%d to %d",
                         PLAN_FORMAT_FIRST, PLAN_FORMAT_NOW);
    literal(&r, PLAN_FORMAT_STEM);
    (void)int_field(&r, PLAN_FORMAT_FIRST, PLAN_FORMAT_NOW);
    line_end(&r);
    header_read(&r, plan);
    body_read(&r, plan);
    end_read(&r, plan);
    if (r.status < 0)
        return r.status;
    int status = plan_text_check(plan, err);
    if (status == 0)
        status = canonical_check(plan, bytes, len, err);
    if (status == 0)
        *ret_plan = plan;
    return status;
}
