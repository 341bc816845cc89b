/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/placing.h"

#include <stdbool.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/compose.h"
#include "controller/plan/input.h"
#include "controller/plan/plan_text.h"
#include "scheduler/slots.h"

static bool same_days(const struct roll_pattern *a, const struct roll_pattern *b)
{
    return a->first_day == b->first_day && a->last_day == b->last_day && a->anchor_day == b->anchor_day &&
           a->every_days == b->every_days && a->weekdays == b->weekdays;
}

/* Takes of the plan that are exactly this dose. */
static int takes_of(const struct plan_text *plan, int64_t order, const struct course *course, int k,
                    int minute)
{
    int count = 0;
    int clock = (plan->day_start + minute) % MINUTES_PER_DAY;
    for (size_t t = 0; t < plan->take_count; t++) {
        const struct plan_take *take = &plan->takes[t];
        for (size_t s = 0; s < plan->slot_count; s++) {
            const struct plan_slot *slot = &plan->slots[s];
            count += take->order_id == order && take->slot == slot->number && slot->minute == clock &&
                     slot->offset == (plan->day_start + minute >= MINUTES_PER_DAY) &&
                     take->amount_milli == course->doses[k].amount_milli &&
                     same_days(&take->pattern, &course->pattern);
        }
    }
    return count;
}

/* The orders of the plan are those of the patient, with the fate that was decided. */
static int orders_check(const struct plan_text *plan, const struct input *input,
                        const struct proposal *proposal, struct error *err)
{
    bool same = plan->order_count == input->order_count;
    for (size_t i = 0; same && i < input->order_count; i++) {
        const struct plan_order *order = &plan->orders[i];
        const char *code = input->orders[i].product_code;
        same = order->id == input->orders[i].id &&
               strcmp(order->source_id, input->orders[i].source_id) == 0 &&
               order->state == proposal->members[i].state &&
               (code && order->product ? strcmp(order->product, code) == 0 : !code == !order->product);
    }
    return same ? 0
                : error_set(err, E_INPUT,
                            "the plan's list of orders is not that of the patient; it is not stored");
}

int placing_check(const struct plan_text *plan, const struct input *input, const struct proposal *proposal,
                  const struct slots_result *result, struct error *err)
{
    size_t doses = 0;
    int status = orders_check(plan, input, proposal, err);
    for (int p = 0; status == 0 && p < proposal->part_count; p++) {
        const struct part *part = &proposal->parts[p];
        size_t first = slots_first_dose(proposal->regimen, part->drug);
        for (int k = 0; status == 0 && k < part->course->dose_count; k++) {
            const struct input_order *order = &input->orders[part->order];
            int minute = result->times[first + (size_t)k];
            int found = takes_of(plan, order->id, part->course, k, minute), wanted = 0;
            /* Two doses of one course may be alike but for their time, never in it. */
            for (int other = 0; other < part->course->dose_count; other++)
                wanted += result->times[first + (size_t)other] == minute;
            doses++;
            if (found != 1 || wanted != 1)
                status = error_set(err, E_INPUT,
                                   "order %s: dose %d stands %d times in the plan where the schedule "
                                   "has it; it is not stored",
                                   order->source_id, k + 1, found);
        }
    }
    if (status == 0 && doses != plan->take_count)
        status = error_set(err, E_INPUT, "the plan has %zu doses, the schedule %zu; it is not stored",
                           plan->take_count, doses);
    return status;
}
