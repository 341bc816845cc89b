/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/edit.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/patient_day.h"
#include "controller/plan/plan_text_private.h"

struct builder {
    const struct build *b;
    struct arena *arena;
    struct error *err;
    struct plan_text *plan;
};

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the plan");
}

static int compare_products(const void *a, const void *b)
{
    const struct plan_product *left = a, *right = b;
    return strcmp(left->code, right->code);
}

static int products_build(struct builder *w)
{
    const struct input *input = w->b->input;
    struct plan_product *products = arena_array(w->arena, input->order_count, sizeof *products);
    size_t count = 0;
    if (!products)
        return no_memory(w->err);
    for (size_t i = 0; i < input->order_count; i++) {
        const struct member *member = &w->b->proposal->members[i];
        const struct product *product = input->orders[i].product;
        struct plan_product *known = NULL;
        if (member->state != PLAN_INCLUDED)
            continue;
        for (size_t k = 0; k < count && !known; k++) {
            if (strcmp(products[k].code, product->code) == 0)
                known = &products[k];
        }
        if (!known) {
            known = &products[count++];
            *known = (struct plan_product){.code = product->code,
                                           .name = product->name,
                                           .strength = product->strength,
                                           .form = product->form,
                                           .look = product->look,
                                           .provisional = product->provisional};
            memcpy(known->row_hash, product->row_hash, sizeof known->row_hash);
        }
        known->alone |= member->alone;
    }
    if (count > ROLL_PRODUCTS_MAX)
        return error_set(w->err, E_LIMIT, "more than %d products in one plan", ROLL_PRODUCTS_MAX);
    qsort(products, count, sizeof *products, compare_products);
    w->plan->products = products;
    w->plan->product_count = count;
    return 0;
}

static int product_place(const struct plan_text *plan, const char *code)
{
    const struct plan_product *product = plan_text_product(plan, code);
    assert(product);
    return (int)(product - plan->products);
}

static int orders_build(struct builder *w)
{
    const struct input *input = w->b->input;
    struct plan_order *orders = arena_array(w->arena, input->order_count, sizeof *orders);
    if (!orders)
        return no_memory(w->err);
    for (size_t i = 0; i < input->order_count; i++) {
        const struct input_order *order = &input->orders[i];
        const struct member *member = &w->b->proposal->members[i];
        orders[i] = (struct plan_order){.id = order->id,
                                        .source_id = order->source_id,
                                        .version = order->version,
                                        .product = order->product_code,
                                        .state = member->state,
                                        .begins = member->begins,
                                        .drug = order->drug,
                                        .reason = member->reason};
        memcpy(orders[i].hash, order->hash, sizeof orders[i].hash);
    }
    w->plan->orders = orders;
    w->plan->order_count = input->order_count;
    return 0;
}

/* Those that have a part in this plan. */
static int edits_build(struct builder *w)
{
    const struct input *input = w->b->input;
    struct plan_edit *edits = arena_array(w->arena, input->edit_count + 1, sizeof *edits);
    size_t count = 0;
    if (!edits)
        return no_memory(w->err);
    for (size_t i = 0; i < input->edit_count; i++) {
        if (edit_applies(&input->edits[i], w->plan->orders, w->plan->order_count, w->plan->start_day))
            edits[count++] = input->edits[i];
    }
    w->plan->edits = edits;
    w->plan->edit_count = count;
    return 0;
}

static int compare_overrides(const void *a, const void *b)
{
    const struct plan_override *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Each override that lets a product in, once. */
static int overrides_build(struct builder *w)
{
    const struct input *input = w->b->input;
    struct plan_override *said = arena_array(w->arena, input->order_count + 1, sizeof *said);
    size_t count = 0;
    if (!said)
        return no_memory(w->err);
    for (size_t i = 0; i < input->order_count; i++) {
        const struct member *member = &w->b->proposal->members[i];
        bool known = member->state != PLAN_INCLUDED || !member->said;
        for (size_t k = 0; k < count && !known; k++)
            known = said[k].id == member->said->id;
        if (!known)
            said[count++] = *member->said;
    }
    qsort(said, count, sizeof *said, compare_overrides);
    w->plan->overrides = said;
    w->plan->override_count = count;
    return 0;
}

static int slots_build(struct builder *w)
{
    const struct slots_result *result = w->b->result;
    struct plan_slot *slots = arena_array(w->arena, result->slot_count, sizeof *slots);
    if (!slots)
        return no_memory(w->err);
    for (size_t i = 0; i < result->slot_count; i++) {
        slots[i].number = (int)i + 1;
        slots[i].minute = roll_slot_clock(w->plan->day_start, result->slot_times[i], &slots[i].offset);
        slots[i].name = policy_slot_name(w->b->policy, slots[i].minute);
    }
    w->plan->slots = slots;
    w->plan->slot_count = result->slot_count;
    return 0;
}

static int slot_of_time(const struct slots_result *result, int time)
{
    for (size_t i = 0; i < result->slot_count; i++) {
        if (result->slot_times[i] == time)
            return (int)i + 1;
    }
    assert(false); /* every time of a result is one of its slots */
    return 0;
}

static int compare_takes(const void *a, const void *b)
{
    return plan_take_compare(a, b);
}

static int takes_build(struct builder *w)
{
    const struct proposal *proposal = w->b->proposal;
    size_t count = 0;
    struct plan_take *takes = arena_array(w->arena, ROLL_TAKES_MAX, sizeof *takes);
    if (!takes)
        return no_memory(w->err);
    for (int i = 0; i < proposal->part_count; i++) {
        const struct part *part = &proposal->parts[i];
        size_t first = slots_first_dose(proposal->regimen, part->drug);
        for (int k = 0; k < part->course->dose_count; k++) {
            if (count == ROLL_TAKES_MAX)
                return error_set(w->err, E_LIMIT, "more than %d doses and steps in one plan", ROLL_TAKES_MAX);
            takes[count++] = (struct plan_take){
                .order_id = w->b->input->orders[part->order].id,
                .slot = slot_of_time(w->b->result, w->b->result->times[first + (size_t)k]),
                .amount_milli = part->course->doses[k].amount_milli,
                .pattern = part->course->pattern,
                .days = roll_pattern_count(&part->course->pattern, w->plan->start_day, w->plan->days)};
        }
    }
    qsort(takes, count, sizeof *takes, compare_takes);
    w->plan->takes = takes;
    w->plan->take_count = count;
    return 0;
}

static const struct plan_order *order_by_id(const struct plan_text *plan, int64_t id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (plan->orders[i].id == id)
            return &plan->orders[i];
    }
    assert(false); /* a take's order is in the plan */
    return NULL;
}

static int roll_lay(struct builder *w, struct roll *roll)
{
    struct plan_text *plan = w->plan;
    struct roll_slot *slots = arena_array(w->arena, plan->slot_count, sizeof *slots);
    struct roll_product *products = arena_array(w->arena, plan->product_count, sizeof *products);
    struct roll_take *takes = arena_array(w->arena, plan->take_count, sizeof *takes);
    if (!slots || !products || !takes)
        return no_memory(w->err);
    for (size_t i = 0; i < plan->slot_count; i++)
        slots[i].minute = w->b->result->slot_times[i];
    for (size_t i = 0; i < plan->product_count; i++)
        products[i] = (struct roll_product){
            .alone = plan->products[i].alone,
            .lines = label_lines_of(&w->b->proposal->label, plan->products[i].name, true)};
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_order *order = order_by_id(plan, plan->takes[i].order_id);
        takes[i] = (struct roll_take){.product = product_place(plan, order->product),
                                      .slot = plan->takes[i].slot - 1,
                                      .amount_milli = plan->takes[i].amount_milli,
                                      .pattern = plan->takes[i].pattern};
    }
    const struct roll_request request = {.start_day = plan->start_day,
                                         .days = plan->days,
                                         .day_start = plan->day_start,
                                         .limits = plan->limits,
                                         .slots = slots,
                                         .slot_count = (int)plan->slot_count,
                                         .products = products,
                                         .product_count = (int)plan->product_count,
                                         .takes = takes,
                                         .take_count = (int)plan->take_count};
    return roll_build(&request, w->arena, roll, w->err);
}

/* Items of a pouch by product for its label. */
static int label_items(const struct plan_text *plan, const struct roll_pouch *pouch,
                       struct label_item items[ROLL_PRODUCTS_MAX], bool *ret_provisional)
{
    int count = 0, last = -1;
    *ret_provisional = false;
    for (int i = 0; i < pouch->item_count; i++) {
        const struct roll_item *item = &pouch->items[i];
        if (item->product != last)
            items[count++] = (struct label_item){.name = plan->products[item->product].name};
        last = item->product;
        *(item->piece == ROLL_HALF ? &items[count - 1].half : &items[count - 1].whole) = item->count;
        *ret_provisional |= plan->products[item->product].provisional;
    }
    return count;
}

static int pouch_build(struct builder *w, const struct roll_pouch *from, struct plan_pouch *to)
{
    const struct plan_text *plan = w->plan;
    struct plan_item *items = arena_array(w->arena, (size_t)from->item_count, sizeof *items);
    if (!items)
        return no_memory(w->err);
    for (int i = 0; i < from->item_count; i++)
        items[i] = (struct plan_item){.code = plan->products[from->items[i].product].code,
                                      .piece = from->items[i].piece,
                                      .count = from->items[i].count};
    struct label_item lines[ROLL_PRODUCTS_MAX];
    struct label_pouch label = {.day = from->day,
                                .minute = from->minute,
                                .slot = plan->slots[from->slot].name,
                                .part = from->part,
                                .parts = from->parts,
                                .items = lines};
    label.item_count = label_items(plan, from, lines, &label.provisional);
    struct buf text;
    buf_init(&text);
    label_write(&w->b->proposal->label, &label, &text);
    *to = (struct plan_pouch){.number = from->number,
                              .day = from->day,
                              .minute = from->minute,
                              .slot = label.slot,
                              .part = from->part,
                              .parts = from->parts,
                              .items = items,
                              .item_count = (size_t)from->item_count};
    to->label = text.failed ? NULL : arena_text(w->arena, buf_string(&text), text.len);
    int lines_used = label_line_count(buf_string(&text));
    buf_finish(&text);
    if (!to->label)
        return no_memory(w->err);
    if (lines_used >
        w->b->proposal->label.lines) /* the roll was laid out by the lines that each product needs */
        return error_set(w->err, E_LIMIT, "the label of pouch %d has %d lines, it may have %d", from->number,
                         lines_used, w->b->proposal->label.lines);
    return 0;
}

static int pouches_build(struct builder *w)
{
    struct roll roll;
    int status = roll_lay(w, &roll);
    if (status < 0)
        return status;
    struct plan_pouch *pouches = arena_array(w->arena, (size_t)roll.pouch_count, sizeof *pouches);
    if (!pouches)
        return no_memory(w->err);
    for (int i = 0; status == 0 && i < roll.pouch_count; i++)
        status = pouch_build(w, &roll.pouches[i], &pouches[i]);
    w->plan->pouches = pouches;
    w->plan->pouch_count = (size_t)roll.pouch_count;
    return status;
}

/* Amounts from the doses, pieces from the pouches: plan_text_check compares them. */
static int totals_build(struct builder *w)
{
    struct plan_text *plan = w->plan;
    struct plan_total *totals = arena_array(w->arena, plan->product_count, sizeof *totals);
    if (!totals)
        return no_memory(w->err);
    for (size_t i = 0; i < plan->product_count; i++)
        totals[i].code = plan->products[i].code;
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_order *order = order_by_id(plan, plan->takes[i].order_id);
        totals[product_place(plan, order->product)].amount_milli +=
            plan->takes[i].amount_milli * plan->takes[i].days;
    }
    for (size_t i = 0; i < plan->pouch_count; i++) {
        for (size_t k = 0; k < plan->pouches[i].item_count; k++) {
            const struct plan_item *item = &plan->pouches[i].items[k];
            struct plan_total *total = &totals[product_place(plan, item->code)];
            *(item->piece == ROLL_HALF ? &total->half : &total->whole) += item->count;
        }
    }
    plan->totals = totals;
    plan->total_count = plan->product_count;
    return 0;
}

static int compare_notes(const void *a, const void *b)
{
    return plan_note_compare(a, b);
}

/* Notes in order, each once; what was said of orders that were left out after all stands in their reasons. */
static int notes_take(struct builder *w)
{
    struct proposal *proposal = w->b->proposal;
    size_t count = 0;
    for (size_t i = 0; i < proposal->note_count; i++) {
        const struct plan_note *note = &proposal->notes[i];
        if (note->order_id == 0 || order_by_id(w->plan, note->order_id)->state == PLAN_INCLUDED)
            proposal->notes[count++] = *note;
    }
    if (count > 0)
        qsort(proposal->notes, count, sizeof *proposal->notes, compare_notes);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || plan_note_compare(&proposal->notes[kept - 1], &proposal->notes[i]) != 0)
            proposal->notes[kept++] = proposal->notes[i];
    }
    if (kept > PLAN_NOTES_MAX)
        return error_set(w->err, E_LIMIT, "more than %d notes on one plan", PLAN_NOTES_MAX);
    w->plan->notes = proposal->notes;
    w->plan->note_count = kept;
    return 0;
}

int build_plan(const struct build *build, struct arena *arena, struct plan_text *ret_plan, struct error *err)
{
    const struct input *input = build->input;
    const struct policy *policy = build->policy;
    struct plan_text plan = {.format = PLAN_FORMAT_NOW,
                             .patient_id = input->source_id,
                             .patient_name = input->name,
                             .birth_day = input->birth_day,
                             .version = build->version,
                             .start_day = build->start_day,
                             .days = build->days,
                             .day_start = input->day.day_start,
                             .limits = policy->limits,
                             .day = patient_day_of_plan(&input->day, input->own_day),
                             .timing_version = policy->timing_version,
                             .packing_version = policy->packing_version,
                             .jurisdiction = policy->jurisdiction->code,
                             .jurisdiction_version = policy->jurisdiction->version};
    plan.limits.lines_max = build->proposal->label_lines;
    memcpy(plan.timing_hash, policy->timing_hash, sizeof plan.timing_hash);
    memcpy(plan.packing_hash, policy->packing_hash, sizeof plan.packing_hash);
    memcpy(plan.jurisdiction_hash, policy->jurisdiction->hash, sizeof plan.jurisdiction_hash);
    memcpy(plan.regimen_hash, build->proposal->regimen_hash, sizeof plan.regimen_hash);
    struct builder w = {.b = build, .arena = arena, .err = err, .plan = &plan};
    static int (*const steps[])(struct builder *) = {products_build,  orders_build, edits_build,
                                                     overrides_build, slots_build,  takes_build,
                                                     pouches_build,   totals_build, notes_take};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int status = steps[i](&w);
        if (status < 0)
            return status;
    }
    *ret_plan = plan;
    return 0;
}
