/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/transition_notes.h"

#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/compose.h"
#include "controller/plan/input.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/transition.h"
#include "controller/stock/product.h"

/* What is known of the products of both plans: one entry a code. */
struct known {
    struct transition_product *products;
    const struct policy_fits **fits; /* NULL for one that the formulary has no more */
    size_t count;
};

struct noting {
    const struct transition_notes *n;
    struct arena *arena;
    struct error *err;
    struct plan_text *before;
    struct known known;
    struct transition_bounds *bounds;
    struct transition_distance *distances;
    size_t bound_count, distance_count, distance_cap;
};

static int no_memory(struct noting *w)
{
    return error_set(w->err, E_MEMORY, "no memory for the comparison with the plan before");
}

static int before_load(struct noting *w)
{
    struct plan_row row;
    int64_t id = 0;
    int status = plan_before(w->n->store, w->n->input->patient, w->n->plan->start_day, &id, w->err);
    if (status == E_NOT_FOUND)
        return 0;
    if (status == 0)
        status = plan_row_load(w->n->store, id, w->arena, &row, w->err);
    if (status == 0)
        status = plan_text_parse(row.bytes, row.len, w->arena, &w->before, w->err);
    return status < 0 ? error_prefix(w->err, status, "the plan before, %lld", (long long)id) : 0;
}

static int product_know(struct noting *w, const char *code)
{
    struct product *row = arena_alloc(w->arena, sizeof *row);
    if (!row)
        return no_memory(w);
    for (size_t i = 0; i < w->known.count; i++) {
        if (strcmp(w->known.products[i].code, code) == 0)
            return 0;
    }
    struct transition_product *product = &w->known.products[w->known.count];
    *product = (struct transition_product){.code = code, .ingredient = ""};
    int status = product_get(w->n->store, code, row, w->err);
    if (status < 0 && status != E_NOT_FOUND)
        return status;
    if (status == 0) {
        const struct rules_product look = {row->ingredient, row->form, row->release};
        product->ingredient = row->ingredient;
        w->known.fits[w->known.count] = policy_fits(w->n->policy, &look);
        if (!w->known.fits[w->known.count])
            return no_memory(w);
    }
    w->known.count++;
    return 0;
}

static int products_know(struct noting *w)
{
    size_t most = w->before->product_count + w->n->plan->product_count;
    int status = 0;
    w->known.products = arena_array(w->arena, most, sizeof *w->known.products);
    w->known.fits = arena_array(w->arena, most, sizeof *w->known.fits);
    if (!w->known.products || !w->known.fits)
        return no_memory(w);
    for (size_t i = 0; status == 0 && i < w->before->product_count; i++)
        status = product_know(w, w->before->products[i].code);
    for (size_t i = 0; status == 0 && i < w->n->plan->product_count; i++)
        status = product_know(w, w->n->plan->products[i].code);
    return status;
}

/* The bounds of an order are those of its first course. */
static int bounds_take(struct noting *w)
{
    const struct proposal *proposal = w->n->proposal;
    w->bounds = arena_array(w->arena, (size_t)proposal->part_count + 1, sizeof *w->bounds);
    if (!w->bounds)
        return no_memory(w);
    for (int i = 0; i < proposal->part_count; i++) {
        const struct part *part = &proposal->parts[i];
        const struct regimen_drug *drug = &proposal->regimen->drugs[part->drug];
        if (i > 0 && part[-1].order == part->order)
            continue;
        w->bounds[w->bound_count++] =
            (struct transition_bounds){.order_id = w->n->input->orders[part->order].id,
                                       .gap_min = drug->gap_min,
                                       .overnight_min = drug->overnight_min,
                                       .overnight_max = drug->overnight_max};
    }
    return 0;
}

static int distance_add(struct noting *w, const struct policy_rule *rule, size_t a, size_t b)
{
    if (w->distance_count == w->distance_cap) {
        size_t cap = w->distance_cap ? w->distance_cap * 2 : 16;
        struct transition_distance *grown = arena_array(w->arena, cap, sizeof *grown);
        if (!grown)
            return no_memory(w);
        if (w->distance_count)
            memcpy(grown, w->distances, w->distance_count * sizeof *grown);
        w->distances = grown;
        w->distance_cap = cap;
    }
    w->distances[w->distance_count++] = (struct transition_distance){.rule = rule->id,
                                                                     .a = w->known.products[a].code,
                                                                     .b = w->known.products[b].code,
                                                                     .after = rule->after,
                                                                     .before = rule->before,
                                                                     .together = rule->or_with_food};
    return 0;
}

/* Every hard rule that keeps two of the products apart, whichever plan they are in. */
static int distances_take(struct noting *w)
{
    int status = 0;
    for (int r = 0; r < w->n->policy->rule_count; r++) {
        const struct policy_rule *rule = &w->n->policy->rules[r];
        for (size_t a = 0; a < w->known.count; a++) {
            if (rule->kind != POLICY_KIND_SEP || rule->severity != POLICY_HARD || !w->known.fits[a] ||
                !w->known.fits[a]->match[r])
                continue;
            for (size_t b = 0; status == 0 && b < w->known.count; b++) {
                if (a != b && w->known.fits[b] && w->known.fits[b]->other[r])
                    status = distance_add(w, rule, a, b);
            }
        }
    }
    return status;
}

static size_t order_place(const struct input *input, int64_t id)
{
    for (size_t i = 0; i < input->order_count; i++) {
        if (input->orders[i].id == id)
            return i;
    }
    return SIZE_MAX;
}

/* The pharmacist's word on this order's change at this first day. */
static const struct plan_edit *accepted(const struct noting *w, size_t order)
{
    char start[CIVIL_TEXT_BYTES];
    const struct input *input = w->n->input;
    civil_format(w->n->plan->start_day, start);
    for (size_t i = 0; order != SIZE_MAX && i < input->edit_count; i++) {
        const struct plan_edit *edit = &input->edits[i];
        if (edit->kind == PLAN_EDIT_SWITCH && strcmp(edit->value, start) == 0 &&
            strcmp(edit->source_id, input->orders[order].source_id) == 0)
            return edit;
    }
    return NULL;
}

static int note_add(struct noting *w, const struct transition_finding *finding)
{
    size_t order = order_place(w->n->input, finding->order_id);
    const struct plan_edit *edit = accepted(w, order);
    bool open = transition_must_answer(finding->kind) && !edit;
    struct buf text;
    buf_init(&text);
    transition_text(finding, &text);
    if (edit && transition_must_answer(finding->kind))
        buf_printf(&text, ". Accepted by %s: %s", edit->login, edit->reason);
    int status = proposal_note(w->n->proposal, w->n->input, w->arena, open ? PLAN_SWITCH : PLAN_WARNING,
                               order, "Change of plans: %s", buf_string(&text));
    buf_finish(&text);
    return status < 0 ? no_memory(w) : 0;
}

int transition_notes(const struct transition_notes *request, struct arena *arena, struct error *err)
{
    struct noting w = {.n = request, .arena = arena, .err = err};
    struct transition_finding *findings = NULL;
    size_t count = 0;
    int status = before_load(&w);
    if (status < 0 || !w.before)
        return status;
    status = products_know(&w);
    if (status == 0)
        status = bounds_take(&w);
    if (status == 0)
        status = distances_take(&w);
    const struct transition_request check = {.before = w.before,
                                             .now = request->plan,
                                             .products = w.known.products,
                                             .product_count = w.known.count,
                                             .bounds = w.bounds,
                                             .bound_count = w.bound_count,
                                             .distances = w.distances,
                                             .distance_count = w.distance_count};
    if (status == 0)
        status = transition_check(&check, arena, &findings, &count, err);
    for (size_t i = 0; status == 0 && i < count; i++)
        status = note_add(&w, &findings[i]);
    return status;
}
