/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/documents/json_values.h"
#include "controller/plan/documents/sync_json.h"
#include "controller/refill/calendar.h"

static json_t *drug_json(const struct refill_drug *drug)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "id",
                     drug->order->source_id, "product", drug->order->product->code, "unit",
                     refill_unit_text(drug->unit), "supply", refill_basis_text(drug->basis), "supply_day",
                     json_day(drug->basis_day), "at_home_pieces", json_pieces(drug->loose_milli),
                     "held_pieces", json_pieces(drug->held_milli), "pouches_until",
                     json_day(drug->pouches_until), "run_out", json_day(drug->run_out), "last_fill",
                     json_day(drug->last_fill), "last_fill_days",
                     drug->last_days == SYNC_NONE ? json_null() : json_integer(drug->last_days),
                     "renewal_denied", drug->denied, "stops_on", json_day(drug->stops_on));
}

static json_t *patient_json(const struct refill *refill, const struct sync_plan *plan)
{
    json_t *drugs = json_array();
    int32_t open = refill_open_day(refill, plan);
    for (size_t i = 0; i < refill->c.rx_count; i++)
        json_array_append_new(drugs, drug_json(&refill->drugs[i]));
    return json_pack(
        "{s:o, s:i, s:o, s:s, s:o, s:o, s:o}", "today", json_day(refill->today), "cycle_days",
        refill->c.cycle_days, "locked_anchor", json_day(refill->anchor), "anchor_reason",
        refill->anchor_reason, "hospital_since", json_day(refill->hospital_since), "pouches_wanted_from",
        json_day(open < refill->today + REFILL_DAYS_AHEAD ? open : CIVIL_DAY_NONE), "drugs", drugs);
}

/* The fills of the format count in units; people and shelves count pieces. */
static void pieces_add(const struct refill *refill, const struct refill_site *site,
                       const struct sync_plan *plan, json_t *object)
{
    json_t *fills = json_object_get(object, "fills");
    for (size_t i = 0; i < plan->fill_count && i < json_array_size(fills); i++) {
        const struct refill_drug *drug = refill_drug_of(refill, plan->fills[i].id);
        bool apart = refill_is_apart(refill, site, plan, &plan->fills[i]);
        json_object_set_new(json_array_get(fills, i), "way", json_string(apart ? "apart" : "roll"));
        if (drug)
            json_object_set_new(json_array_get(fills, i), "pieces",
                                json_pieces(refill_fill_milli(refill, drug, &plan->fills[i])));
    }
}

static json_t *gaps_json(const struct refill_gap *gaps, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:s}", "id", gaps[i].drug->order->source_id,
                                              "from", json_day(gaps[i].from), "until",
                                              json_day(gaps[i].until), "why", refill_gap_text(gaps[i].why)));
    return list;
}

int calendar_to_json(const struct refill *refill, const struct refill_site *site, const struct sync_case *c,
                     const struct sync_plan *plan, const struct sync_explanation *explanation,
                     struct arena *arena, struct buf *out, struct error *err)
{
    struct buf line;
    struct refill_gap *gaps = NULL;
    size_t gap_count = 0;
    buf_init(&line);
    int status = refill_gaps(refill, site, plan, arena, &gaps, &gap_count, err);
    if (status == 0)
        status = sync_to_json(c, plan, explanation, &line, err);
    json_t *object = status == 0 ? json_loads(buf_string(&line), 0, NULL) : NULL;
    json_t *apart = json_array();
    for (size_t i = 0; i < refill->apart_count; i++)
        json_array_append_new(apart, json_pack("{s:s, s:s}", "id", refill->aparts[i].order, "reason",
                                               refill->aparts[i].reason));
    pieces_add(refill, site, plan, object);
    bool set = json_object_set_new(object, "patient", patient_json(refill, plan)) == 0;
    set = json_object_set_new(object, "gaps", gaps_json(gaps, gap_count)) == 0 && set;
    set = json_object_set_new(object, "apart", apart) == 0 && set;
    char *text = set ? json_dumps(object, JSON_COMPACT) : NULL;
    if (status == 0 && !text)
        status = error_set(err, E_MEMORY, "no memory for the calendar");
    if (text)
        buf_text(out, text);
    free(text);
    json_decref(object);
    buf_finish(&line);
    return status;
}
