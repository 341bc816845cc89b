/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/orders/worked_private.h"

#include "config/base/error.h"
#include "controller/intake/dosage.h"

#include <string.h>

void worked_init(struct worked *worked)
{
    *worked = (struct worked){.next = 0};
}

void worked_finish(struct worked *worked)
{
    buf_finish(&worked->reasons);
    buf_finish(&worked->codes);
    for (int i = 0; i < WORKED_READINGS_KEPT; i++) {
        buf_finish(&worked->kept[i].reading);
        buf_finish(&worked->kept[i].dosage);
    }
}

/* Bytes between the elements may differ where nothing else does: then it is only written once more. */
static bool same(const struct worked_reading *kept, const struct reading *reading, const char *unit)
{
    return kept->unit != NULL && strcmp(kept->unit, unit) == 0 && kept->of.as_needed == reading->as_needed &&
           kept->of.max_per_day_milli == reading->max_per_day_milli &&
           kept->of.phase_count == reading->phase_count &&
           memcmp(kept->of.phases, reading->phases,
                  (size_t)reading->phase_count * sizeof reading->phases[0]) == 0;
}

static const struct worked_reading *write_reading(struct worked *worked, const struct reading *reading,
                                                  const char *unit)
{
    for (int i = 0; i < WORKED_READINGS_KEPT; i++) {
        if (same(&worked->kept[i], reading, unit))
            return &worked->kept[i];
    }
    struct worked_reading *kept = &worked->kept[worked->next];
    worked->next = (worked->next + 1) % WORKED_READINGS_KEPT;
    kept->of = *reading;
    kept->unit = unit;
    buf_reset(&kept->reading);
    buf_reset(&kept->dosage);
    reading_write(reading, &kept->reading);
    dosage_write(reading, strcmp(unit, "piece") == 0 ? "" : unit, &kept->dosage);
    if (kept->reading.failed || kept->dosage.failed)
        kept->unit = NULL;
    return kept;
}

int worked_make(struct worked *worked, const struct order *order, struct error *err)
{
    const struct worked_reading *reading = NULL;
    buf_reset(&worked->reasons);
    buf_reset(&worked->codes);
    order_write_reasons(order, &worked->reasons);
    order_write_codes(order, &worked->codes);
    if (order->has_reading)
        reading = write_reading(worked, &order->reading, order_unit(order));
    if (worked->reasons.failed || worked->codes.failed || (reading != NULL && reading->unit == NULL))
        return error_set(err, E_MEMORY, "intake: out of memory");
    worked->reading = reading != NULL ? buf_string(&reading->reading) : NULL;
    worked->dosage = reading != NULL ? buf_string(&reading->dosage) : NULL;
    return 0;
}
