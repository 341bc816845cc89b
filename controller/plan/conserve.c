/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/conserve.h"

#include <limits.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/plan/input.h"
#include "controller/plan/plan.h"

/* Whether a phase holds on a civil date, the groups before it being counted through from the order's begin.
 */
static bool phase_holds(const struct reading *reading, int index, int32_t begins, int32_t date)
{
    const struct reading_phase *wanted = &reading->phases[index];
    int64_t start = begins;
    for (int group = INT_MIN; group < wanted->group;) { /* the next group above, step by step */
        int next = wanted->group;
        int64_t end = INT64_MIN;
        for (int i = 0; i < reading->phase_count; i++) {
            if (reading->phases[i].group > group && reading->phases[i].group < next)
                next = reading->phases[i].group;
        }
        if (next == wanted->group)
            break;
        for (int i = 0; i < reading->phase_count; i++) {
            const struct reading_phase *phase = &reading->phases[i];
            if (phase->group != next)
                continue;
            int64_t first = phase->start_day == CIVIL_DAY_NONE ? start : phase->start_day;
            int64_t last = INT64_MAX / 2;
            if (phase->length_days > 0)
                last = first + phase->length_days - 1;
            if (phase->end_day != CIVIL_DAY_NONE && phase->end_day < last)
                last = phase->end_day;
            end = last > end ? last : end;
        }
        start = end + 1;
        group = next;
    }
    if (wanted->start_day != CIVIL_DAY_NONE)
        start = wanted->start_day;
    if (date < start || (wanted->end_day != CIVIL_DAY_NONE && date > wanted->end_day))
        return false;
    if (wanted->length_days > 0 && date >= start + wanted->length_days)
        return false;
    if (wanted->weekdays != 0)
        return wanted->weekdays >> civil_weekday(date) & 1;
    return (date - start) % wanted->every_days == 0;
}

/* Milli-pieces that an order gives on a logical day: a clock time before the day's start is the next date's.
 */
static int64_t due(const struct reading *reading, int32_t begins, int32_t day, int day_start)
{
    int64_t sum = 0;
    for (int p = 0; p < reading->phase_count; p++) {
        for (int d = 0; d < reading->phases[p].dose_count; d++) {
            const struct reading_dose *dose = &reading->phases[p].doses[d];
            bool next_date = dose->when == READING_CLOCK && dose->minute < day_start;
            if (phase_holds(reading, p, begins, day + next_date))
                sum += dose->amount_milli;
        }
    }
    return sum;
}

static const struct input_order *order_of(const struct input *input, int64_t id)
{
    for (size_t i = 0; i < input->order_count; i++) {
        if (input->orders[i].id == id)
            return &input->orders[i];
    }
    return NULL;
}

/* Milli-pieces of a product that the pouches of a logical day hold. */
static int64_t packed(const struct plan_text *plan, const char *code, int32_t day)
{
    int64_t sum = 0;
    for (size_t i = 0; i < plan->pouch_count; i++) {
        const struct plan_pouch *pouch = &plan->pouches[i];
        if (pouch->day - (pouch->minute < plan->day_start) != day)
            continue;
        for (size_t k = 0; k < pouch->item_count; k++) {
            if (strcmp(pouch->items[k].code, code) == 0)
                sum += pouch->items[k].count * (int64_t)(pouch->items[k].piece == ROLL_HALF ? 500 : 1000);
        }
    }
    return sum;
}

int conserve_check(const struct plan_text *plan, const struct input *input, struct error *err)
{
    for (int32_t day = plan->start_day; day < plan->start_day + plan->days; day++) {
        for (size_t p = 0; p < plan->product_count; p++) {
            int64_t want = 0;
            for (size_t i = 0; i < plan->order_count; i++) {
                const struct plan_order *order = &plan->orders[i];
                if (order->state != PLAN_INCLUDED || strcmp(order->product, plan->products[p].code) != 0)
                    continue;
                const struct input_order *from = order_of(input, order->id);
                if (!from || !from->reading)
                    return error_set(err, E_INPUT, "order %s of the plan is not among the patient's orders",
                                     order->source_id);
                if (!from->span || (day >= from->span->first_day && day <= from->span->last_day))
                    want += due(from->reading, order->begins, day, plan->day_start);
            }
            int64_t have = packed(plan, plan->products[p].code, day);
            if (have != want) {
                char date[CIVIL_TEXT_BYTES], a[QUANTITY_TEXT_BYTES], b[QUANTITY_TEXT_BYTES];
                civil_format(day, date);
                quantity_format(have, a);
                quantity_format(want, b);
                return error_set(
                    err, E_INPUT,
                    "%s on %s: the pouches hold %s pieces, the orders say %s; the plan is not stored",
                    plan->products[p].name, date, a, b);
            }
        }
    }
    return 0;
}
