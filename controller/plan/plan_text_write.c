/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/plan_text.h"
#include "controller/plan/plan_text_private.h"
#include "controller/seal/seal.h"

static void quoted(struct buf *out, const char *before, const char *text)
{
    buf_text(out, before);
    buf_char(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_char(out, '\\');
        if (*at == '\n')
            buf_text(out, "\\n");
        else
            buf_char(out, *at);
    }
    buf_char(out, '"');
}

static void date(struct buf *out, const char *before, int32_t day)
{
    char text[CIVIL_TEXT_BYTES] = "-";
    if (day != CIVIL_DAY_NONE)
        civil_format(day, text);
    buf_text(out, before);
    buf_text(out, text);
}

static void clock_time(struct buf *out, const char *before, int minute)
{
    char text[TOD_TEXT_BYTES];
    tod_format(minute, text);
    buf_text(out, before);
    buf_text(out, text);
}

static void hash(struct buf *out, const char *before, const uint8_t bytes[PLAN_HASH_BYTES])
{
    char text[SEAL_HASH_TEXT_BYTES];
    seal_hash_text(bytes, text);
    buf_text(out, before);
    buf_text(out, text);
}

static void amount(struct buf *out, const char *before, int64_t milli)
{
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(milli, text);
    buf_text(out, before);
    buf_text(out, text);
}

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

static void meal(struct buf *out, const char *before, int minute)
{
    if (minute < 0)
        buf_printf(out, "%s-", before);
    else
        clock_time(out, before, minute);
}

static void day_write(const struct plan_day *day, struct buf *out)
{
    clock_time(out, "\nday wake=", day->wake);
    meal(out, " breakfast=", day->breakfast);
    meal(out, " lunch=", day->lunch);
    meal(out, " dinner=", day->dinner);
    clock_time(out, " bed=", day->bed);
    buf_printf(out, " own=%s", yes_no(day->own));
}

static void header_write(const struct plan_text *plan, struct buf *out)
{
    buf_printf(out, PLAN_FORMAT_STEM "%d\n", plan->format);
    quoted(out, "patient ", plan->patient_id);
    quoted(out, " ", plan->patient_name);
    date(out, " born=", plan->birth_day);
    buf_printf(out, "\nplan version=%d", plan->version);
    date(out, " start=", plan->start_day);
    buf_printf(out, " days=%d", plan->days);
    clock_time(out, " day-start=", plan->day_start);
    buf_printf(out, " limits=%d/%d/%d", plan->limits.pieces_max, plan->limits.entries_max,
               plan->limits.lines_max);
    if (plan->format > PLAN_FORMAT_FIRST)
        day_write(&plan->day, out);
    quoted(out, "\nrules timing=", plan->timing_version);
    hash(out, " ", plan->timing_hash);
    quoted(out, " packing=", plan->packing_version);
    hash(out, " ", plan->packing_hash);
    hash(out, " regimen=", plan->regimen_hash);
    buf_char(out, '\n');
    if (plan->format > PLAN_FORMAT_SECOND) {
        buf_printf(out, "jurisdiction %s", plan->jurisdiction);
        quoted(out, " ", plan->jurisdiction_version);
        hash(out, " ", plan->jurisdiction_hash);
        buf_char(out, '\n');
    }
}

static void edit_write(const struct plan_edit *edit, struct buf *out)
{
    buf_printf(out, "edit %lld %s", (long long)edit->id, plan_edit_kind_text(edit->kind));
    quoted(out, " ", edit->source_id);
    quoted(out, " ", edit->value);
    quoted(out, " reason=", edit->reason);
    buf_printf(out, " by=%s\n", edit->login);
}

static void override_write(const struct plan_override *said, struct buf *out)
{
    buf_printf(out, "override %lld %s", (long long)said->id, said->product);
    quoted(out, " ", said->rule);
    hash(out, " ", said->rule_hash);
    buf_printf(out, " red=%s", yes_no(said->red));
    date(out, " from=", said->from_day);
    date(out, " until=", said->until_day);
    quoted(out, " reason=", said->reason);
    buf_printf(out, " by=%s second=%s\n", said->login, said->second[0] ? said->second : "-");
}

static void product_write(const struct plan_product *product, struct buf *out)
{
    buf_printf(out, "product %s", product->code);
    quoted(out, " ", product->name);
    quoted(out, " strength=", product->strength);
    quoted(out, " form=", product->form);
    quoted(out, " look=", product->look);
    buf_printf(out, " alone=%s provisional=%s", yes_no(product->alone), yes_no(product->provisional));
    hash(out, " row=", product->row_hash);
    buf_char(out, '\n');
}

static void order_write(const struct plan_order *order, struct buf *out)
{
    buf_printf(out, "order %lld", (long long)order->id);
    quoted(out, " ", order->source_id);
    buf_printf(out, " version=%d", order->version);
    hash(out, " hash=", order->hash);
    buf_printf(out, " product=%s state=%s", order->product ? order->product : "-",
               plan_state_text(order->state));
    date(out, " begins=", order->begins);
    quoted(out, " ", order->drug);
    quoted(out, " reason=", order->reason);
    buf_char(out, '\n');
}

static void slot_write(const struct plan_slot *slot, struct buf *out)
{
    buf_printf(out, "slot %d", slot->number);
    clock_time(out, " ", slot->minute);
    buf_printf(out, " +%d %s\n", slot->offset, slot->name);
}

static void weekdays_write(unsigned weekdays, struct buf *out)
{
    buf_text(out, " weekdays=");
    if (weekdays == 0)
        buf_char(out, '-');
    for (int i = 0; i < 7; i++) {
        if (weekdays & 1u << i)
            buf_char(out, (char)('1' + i));
    }
}

static void take_write(const struct plan_take *take, struct buf *out)
{
    buf_printf(out, "take %lld slot=%d", (long long)take->order_id, take->slot);
    amount(out, " amount=", take->amount_milli);
    date(out, " first=", take->pattern.first_day);
    date(out, " last=", take->pattern.last_day);
    buf_printf(out, " every=%d", take->pattern.every_days);
    date(out, " anchor=", take->pattern.anchor_day);
    weekdays_write(take->pattern.weekdays, out);
    buf_printf(out, " days=%d\n", take->days);
}

static void note_write(const struct plan_note *note, struct buf *out)
{
    buf_printf(out, "note %s %lld", plan_note_kind_text(note->kind), (long long)note->order_id);
    quoted(out, " ", note->text);
    buf_char(out, '\n');
}

static void pouch_write(const struct plan_pouch *pouch, struct buf *out)
{
    buf_printf(out, "pouch %d", pouch->number);
    date(out, " ", pouch->day);
    clock_time(out, " ", pouch->minute);
    buf_printf(out, " %s %d/%d", pouch->slot, pouch->part, pouch->parts);
    quoted(out, " label=", pouch->label);
    for (size_t i = 0; i < pouch->item_count; i++) {
        const struct plan_item *item = &pouch->items[i];
        buf_printf(out, "%s%s:%s:%d", i == 0 ? " items=" : ",", item->code, roll_piece_text(item->piece),
                   item->count);
    }
    buf_char(out, '\n');
}

static void totals_write(const struct plan_text *plan, struct buf *out)
{
    long long pieces = 0;
    for (size_t i = 0; i < plan->total_count; i++) {
        const struct plan_total *total = &plan->totals[i];
        buf_printf(out, "total %s", total->code);
        amount(out, " amount=", total->amount_milli);
        buf_printf(out, " whole=%lld half=%lld\n", (long long)total->whole, (long long)total->half);
        pieces += total->whole + total->half;
    }
    buf_printf(out, "end pouches=%zu pieces=%lld\n", plan->pouch_count, pieces);
}

void plan_text_put(const struct plan_text *plan, struct buf *out)
{
    header_write(plan, out);
    for (size_t i = 0; i < plan->edit_count; i++)
        edit_write(&plan->edits[i], out);
    for (size_t i = 0; i < plan->override_count; i++)
        override_write(&plan->overrides[i], out);
    for (size_t i = 0; i < plan->product_count; i++)
        product_write(&plan->products[i], out);
    for (size_t i = 0; i < plan->order_count; i++)
        order_write(&plan->orders[i], out);
    for (size_t i = 0; i < plan->slot_count; i++)
        slot_write(&plan->slots[i], out);
    for (size_t i = 0; i < plan->take_count; i++)
        take_write(&plan->takes[i], out);
    for (size_t i = 0; i < plan->note_count; i++)
        note_write(&plan->notes[i], out);
    for (size_t i = 0; i < plan->pouch_count; i++)
        pouch_write(&plan->pouches[i], out);
    totals_write(plan, out);
}

int plan_text_write(const struct plan_text *plan, struct buf *out, struct error *err)
{
    int status = plan_text_check(plan, err);
    if (status < 0)
        return status;
    size_t before = out->len;
    plan_text_put(plan, out);
    if (out->failed)
        return error_set(err, E_MEMORY, "no memory for the plan's text");
    if (out->len - before > PLAN_TEXT_BYTES_MAX)
        return error_set(err, E_LIMIT, "the plan's text has more than %d bytes", PLAN_TEXT_BYTES_MAX);
    return 0;
}
