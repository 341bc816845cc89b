/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/regimen_write.h"

#include <jansson.h>
#include <stdlib.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/documents/json_values.h"
#include "scheduler/regimen.h"

static json_t *bound(int minutes)
{
    return minutes == REGIMEN_NONE ? json_null() : json_integer(minutes);
}

static json_t *intervals(const struct regimen_intervals *runs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < runs->count; i++)
        json_array_append_new(list, json_pack("[i,i]", runs->item[i].from, runs->item[i].to));
    return list;
}

static json_t *dose_json(const struct regimen_dose *dose)
{
    json_t *object = json_object();
    json_object_set_new(object, "allowed", intervals(&dose->allowed));
    json_object_set_new(object, "pills", json_pieces(dose->pills_milli));
    if (dose->soft_count > 0) {
        json_t *soft = json_array();
        for (size_t i = 0; i < dose->soft_count; i++)
            json_array_append_new(soft, json_pack("{s:I,s:o}", "cost", (json_int_t)dose->soft[i].cost,
                                                  "unless_in", intervals(&dose->soft[i].unless_in)));
        json_object_set_new(object, "soft", soft);
    }
    return object;
}

static json_t *drug_json(const struct regimen *regimen, const struct regimen_drug *drug)
{
    json_t *object = json_pack("{s:s,s:s}", "id", drug->id, "name", drug->name);
    json_t *days = json_array(), *doses = json_array();
    for (int d = 0; d < regimen->period_days; d++) {
        if (regimen_days_have(&drug->days, d))
            json_array_append_new(days, json_integer(d));
    }
    for (size_t i = 0; i < drug->dose_count; i++)
        json_array_append_new(doses, dose_json(&drug->doses[i]));
    json_object_set_new(object, "days", days);
    json_object_set_new(object, "doses", doses);
    json_object_set_new(object, "gap_min", bound(drug->gap_min));
    json_object_set_new(object, "gap_max", bound(drug->gap_max));
    json_object_set_new(object, "overnight_min", bound(drug->overnight_min));
    json_object_set_new(object, "overnight_max", bound(drug->overnight_max));
    if (drug->unbalanced)
        json_object_set_new(object, "balance", json_false());
    if (drug->same_state)
        json_object_set_new(object, "same_state", intervals(&drug->state));
    if (drug->previous) {
        json_t *previous = json_array();
        for (size_t i = 0; i < drug->dose_count; i++)
            json_array_append_new(previous, json_integer(drug->previous[i]));
        json_object_set_new(object, "previous", previous);
    }
    return object;
}

static json_t *pairs_json(const struct regimen *regimen, const struct regimen_pair *pairs, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s}", "id", pairs[i].id, "a",
                                        regimen->drugs[pairs[i].a].id, "b", regimen->drugs[pairs[i].b].id));
    return list;
}

static json_t *separations_json(const struct regimen *regimen)
{
    json_t *list = json_array();
    for (size_t i = 0; i < regimen->separation_count; i++) {
        const struct regimen_separation *sep = &regimen->separations[i];
        json_t *object =
            json_pack("{s:s,s:s,s:s,s:i,s:i}", "id", sep->id, "a", regimen->drugs[sep->a].id, "b",
                      regimen->drugs[sep->b].id, "after", sep->after, "before", sep->before);
        if (sep->or_together)
            json_object_set_new(object, "or_together", intervals(&sep->together));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *patient_json(const struct regimen_patient *patient)
{
    static const char *const names[REGIMEN_MEALS] = {
        [REGIMEN_BREAKFAST] = "breakfast", [REGIMEN_LUNCH] = "lunch", [REGIMEN_DINNER] = "dinner"};
    char start[TOD_TEXT_BYTES];
    tod_format(patient->day_start, start);
    json_t *meals = json_object();
    for (int m = 0; m < REGIMEN_MEALS; m++)
        json_object_set_new(meals, names[m], bound(patient->meals[m]));
    return json_pack("{s:s,s:i,s:i,s:o}", "day_start", start, "wake", patient->wake, "bed", patient->bed,
                     "meals", meals);
}

int regimen_to_json(const struct regimen *regimen, struct buf *out, struct error *err)
{
    json_t *drugs = json_array();
    for (size_t i = 0; i < regimen->drug_count; i++)
        json_array_append_new(drugs, drug_json(regimen, &regimen->drugs[i]));
    json_t *object =
        json_pack("{s:s,s:s,s:i,s:o,s:i,s:o,s:o,s:o,s:o}", "format", "sachet-regimen/1", "id", regimen->id,
                  "grid", regimen->grid, "patient", patient_json(&regimen->patient), "period_days",
                  regimen->period_days, "drugs", drugs, "separations", separations_json(regimen), "same_slot",
                  pairs_json(regimen, regimen->same_slot, regimen->same_slot_count), "not_same_slot",
                  pairs_json(regimen, regimen->not_same_slot, regimen->not_same_slot_count));
    if (object && regimen->pouch_max_pills > 0)
        json_object_set_new(object, "pouch_max_pills", json_integer(regimen->pouch_max_pills));
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(object);
    if (!text)
        return error_set(err, E_MEMORY, "no memory for the regimen, or a text in it is not UTF-8");
    buf_text(out, text);
    free(text);
    return 0;
}
