/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at: the orders of a plan with their doses (as planned when they are in the pouches, as
 * ordered when they are taken from elsewhere), and what is known of the patient.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/clinical/clinical_private.h"
#include "controller/intake/reading.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the clinical checks");
}

static const char *copy(struct arena *arena, const char *text)
{
    return arena_text(arena, text, strlen(text));
}

/* Who and what a drug is: from its product, else from the order's own words. */
static int identify(struct store *store, struct arena *arena, const struct plan_order *order,
                    struct clinical_drug *drug, struct error *err)
{
    struct product product;
    int status = order->product ? product_get(store, order->product, &product, err) : E_NOT_FOUND;
    if (status < 0 && status != E_NOT_FOUND)
        return status;
    if (status == 0) {
        drug->name = copy(arena, product.name);
        drug->product = copy(arena, product.code);
        drug->ingredient = copy(arena, product.ingredient);
        drug->form = copy(arena, product.form);
        drug->release = copy(arena, product.release);
        if (!drug_strength_read(product.strength, &drug->strength_count, drug->strengths))
            drug->strength_count = 0;
    } else {
        struct drug_name name;
        drug_name_read(order->drug, "", &name);
        drug->name = order->drug;
        drug->product = "";
        drug->ingredient = copy(arena, name.ingredient);
        drug->form = name.form;
        drug->release = name.release;
        drug->strength_count = name.strengths_known ? name.part_count : 0;
        memcpy(drug->strengths, name.strengths, sizeof drug->strengths);
    }
    if (!drug->name || !drug->product || !drug->ingredient || !drug->form || !drug->release)
        return no_memory(err);
    return 0;
}

static int doses_planned(const struct plan_text *plan, struct arena *arena, struct clinical_drug *drug,
                         struct error *err)
{
    struct clinical_dose *doses = arena_array(arena, plan->take_count + 1, sizeof *doses);
    if (!doses)
        return no_memory(err);
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_take *take = &plan->takes[i];
        if (take->order_id == drug->order_id)
            doses[drug->dose_count++] = (struct clinical_dose){
                .amount_milli = take->amount_milli, .slot = take->slot, .pattern = take->pattern};
    }
    drug->doses = doses;
    return 0;
}

/* A phase without a date may run on any day, so it counts on all. */
static struct roll_pattern pattern_of(const struct plan_text *plan, const struct reading_phase *phase)
{
    int32_t first = phase->start_day != CIVIL_DAY_NONE ? phase->start_day : plan->start_day;
    int32_t last = phase->end_day != CIVIL_DAY_NONE ? phase->end_day : plan->start_day + ROLL_DAYS_MAX;
    return (struct roll_pattern){.first_day = first,
                                 .last_day = last,
                                 .anchor_day = first,
                                 .every_days = phase->every_days > 0 ? phase->every_days : 1,
                                 .weekdays = phase->weekdays};
}

static int doses_ordered(struct store *store, const struct plan_text *plan, struct arena *arena,
                         struct clinical_drug *drug, struct error *err)
{
    struct store_rows *rows = NULL;
    struct reading reading;
    int status =
        store_query(store, &rows, err, "SELECT reading FROM order_version WHERE id = ?", "i", drug->order_id);
    int found = status < 0 ? status : store_next(rows, err);
    bool known = found > 0 && !store_is_null(rows, 0) &&
                 reading_parse(store_text(rows, 0), &reading, NULL) == 0; /* else: not known, and said so */
    store_done(rows);
    if (found < 0 || !known)
        return found < 0 ? found : 0;
    struct clinical_dose *doses =
        arena_array(arena, (size_t)READING_PHASES_MAX * READING_DOSES_MAX, sizeof *doses);
    if (!doses)
        return no_memory(err);
    for (int p = 0; p < reading.phase_count; p++) {
        const struct reading_phase *phase = &reading.phases[p];
        for (int d = 0; d < phase->dose_count; d++)
            doses[drug->dose_count++] = (struct clinical_dose){.amount_milli = phase->doses[d].amount_milli,
                                                               .group = phase->group,
                                                               .pattern = pattern_of(plan, phase)};
    }
    drug->as_needed = reading.as_needed;
    drug->doses = doses;
    return 0;
}

static int drugs_load(struct store *store, const struct plan_text *plan, struct arena *arena,
                      struct clinical_case *c, struct error *err)
{
    struct clinical_drug *drugs = arena_array(arena, plan->order_count + 1, sizeof *drugs);
    int status = drugs ? 0 : no_memory(err);
    for (size_t i = 0; status == 0 && i < plan->order_count; i++) {
        const struct plan_order *order = &plan->orders[i];
        drugs[i] = (struct clinical_drug){.order_id = order->id,
                                          .source_id = order->source_id,
                                          .included = order->state == PLAN_INCLUDED,
                                          .waiting = order->state == PLAN_WAITING};
        status = identify(store, arena, order, &drugs[i], err);
        if (status == 0)
            status = drugs[i].included ? doses_planned(plan, arena, &drugs[i], err)
                                       : doses_ordered(store, plan, arena, &drugs[i], err);
    }
    c->drugs = drugs;
    c->drug_count = plan->order_count;
    return status;
}

static int slots_load(const struct plan_text *plan, struct arena *arena, struct clinical_case *c,
                      struct error *err)
{
    struct clinical_slot *slots = arena_array(arena, plan->slot_count + 1, sizeof *slots);
    if (!slots)
        return no_memory(err);
    for (size_t i = 0; i < plan->slot_count; i++)
        slots[i] = (struct clinical_slot){plan->slots[i].minute, plan->slots[i].name};
    c->slots = slots;
    c->slot_count = plan->slot_count;
    return 0;
}

static int allergies_load(struct store *store, struct arena *arena, struct clinical_case *c,
                          struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t count = 0;
    int status = store_get_int(
        store, &count, err, "SELECT count(*) FROM patient_allergy WHERE patient_id = ? AND ended_ms IS NULL",
        "i", c->patient);
    const char **list = arena_array(arena, (size_t)count + 1, sizeof *list);
    if (status == 0 && !list)
        status = no_memory(err);
    if (status == 0)
        status =
            store_query(store, &rows, err,
                        "SELECT substance FROM patient_allergy WHERE patient_id = ? AND ended_ms IS NULL "
                        "ORDER BY substance, source_id",
                        "i", c->patient);
    for (int more = 1; status == 0 && c->allergy_count < (size_t)count;) {
        more = store_next(rows, err);
        if (more <= 0) {
            status = more;
            break;
        }
        list[c->allergy_count] = copy(arena, store_text(rows, 0));
        if (!list[c->allergy_count++])
            status = no_memory(err);
    }
    store_done(rows);
    c->allergies = list;
    return status;
}

static int conditions_load(struct store *store, int32_t today, struct clinical_case *c, struct error *err)
{
    struct store_rows *rows = NULL;
    int more = 0;
    int status =
        store_query(store, &rows, err,
                    "SELECT kind, value FROM patient_condition WHERE patient_id = ? AND ended_ms IS NULL "
                    "AND (until_day IS NULL OR until_day >= ?)",
                    "ii", c->patient, (int64_t)today);
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        const char *kind = store_text(rows, 0);
        c->pregnant = c->pregnant || strcmp(kind, "pregnant") == 0;
        c->breastfeeding = c->breastfeeding || strcmp(kind, "breastfeeding") == 0;
        if (strcmp(kind, "egfr") == 0)
            c->egfr = (int)store_int(rows, 1);
    }
    store_done(rows);
    return status < 0 ? status : more;
}

int clinical_case_load(struct store *store, int64_t plan_id, int32_t today, struct arena *arena,
                       struct clinical_case *ret, struct error *err)
{
    struct plan_row row;
    struct plan_text *plan;
    struct clinical_case c = {0};
    int status = plan_row_load(store, plan_id, arena, &row, err);
    if (status == 0 && plan_text_parse(row.bytes, row.len, arena, &plan, err) < 0)
        status =
            error_set(err, E_TAMPERED, "plan %lld: its text cannot be read: plan again", (long long)plan_id);
    if (status < 0)
        return status;
    c.patient = row.patient;
    c.start_day = plan->start_day;
    c.days = plan->days;
    status = slots_load(plan, arena, &c, err);
    if (status == 0)
        status = drugs_load(store, plan, arena, &c, err);
    if (status == 0)
        status = allergies_load(store, arena, &c, err);
    if (status == 0)
        status = conditions_load(store, today, &c, err);
    if (status == 0)
        *ret = c;
    return status;
}
