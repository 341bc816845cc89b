/* SPDX-License-Identifier: Apache-2.0 */
/* What a pouch packer can lay out of a text that was read; see sigtext_reading. */
#include "controller/intake/sig/sigtext.h"

#include "config/base/civil.h"
#include "controller/intake/reading.h"
#include "controller/intake/sig/sigtext_private.h"

enum {
    HALF_PIECE_MILLI = 500,
    PIECES_MAX_MILLI = 10000,
    WAY_MOUTH = 1 /* the first of `routes` in config/sig.c */
};

/* What keeps a dosage out, in the order of importance; NULL nothing. */
static const char *obstacle(const struct sigtext_dosage *dosage)
{
    if (!dosage->has_amount)
        return "no amount is stated";
    if (dosage->amount.low != dosage->amount.high)
        return "the amount is a range";
    if (dosage->unit != NULL && dosage->unit->measure != SIGTEXT_PIECE)
        return "the amount is not counted in tablets or capsules";
    if (dosage->amount.low % HALF_PIECE_MILLI != 0 || dosage->amount.low > PIECES_MAX_MILLI)
        return "the amount is no number of halves, or too many at once";
    if ((dosage->ways & WAY_MOUTH) == 0)
        return "not by mouth";
    if (dosage->out_of_pouch)
        return "an instruction that the dose must not be packed for, or that leaves its end open";
    if (dosage->meal_beside)
        return "a meal beside another time of day";
    if (dosage->states_strength)
        return "the text states a strength: compare it with the product";
    if (dosage->once)
        return "a single dose without its day";
    if (dosage->spread_open)
        return "nobody says whether it is taken at once or over the day";
    if (dosage->max_counts_doses || (dosage->has_max && dosage->max_per_dose))
        return "a maximum that is not an amount a day";
    if (dosage->has_length &&
        (dosage->length_bound != SIGTEXT_EXACT || dosage->length.low != dosage->length.high ||
         dosage->length_unit == SIGTEXT_MO))
        return "the length is not exact";
    return NULL;
}

static const char *lay_out_days(const struct sigtext_dosage *dosage, struct reading_phase *phase)
{
    phase->every_days = 1;
    phase->weekdays = dosage->weekdays;
    phase->start_day = dosage->start_day;
    phase->end_day = dosage->end_day;
    if (dosage->has_length)
        phase->length_days = (int)dosage->length.low * (dosage->length_unit == SIGTEXT_WK ? 7 : 1);
    if (!dosage->has_frequency)
        return dosage->as_needed ? NULL : "as often as there are meals";
    if (dosage->times.low != dosage->times.high || dosage->period.low != dosage->period.high)
        return "how often is a range";
    if (dosage->weekdays != 0)
        return NULL;
    if (dosage->period_unit == SIGTEXT_D)
        phase->every_days = (int)dosage->period.low;
    else if (dosage->period_unit == SIGTEXT_WK && dosage->times.low == 1)
        phase->every_days = (int)dosage->period.low * 7;
    else if (dosage->period_unit == SIGTEXT_H && dosage->period.low % 24 == 0)
        phase->every_days = (int)dosage->period.low / 24;
    else if (dosage->period_unit != SIGTEXT_H || 24 % dosage->period.low != 0)
        return "the doses do not fall on the same times every day";
    return phase->every_days <= READING_EVERY_MAX ? NULL : "too long between the doses";
}

static int doses_of_day(const struct sigtext_dosage *dosage, const struct reading_phase *phase)
{
    if (dosage->event_count > 1 || dosage->clock_count > 0)
        return dosage->event_count + dosage->clock_count;
    if (dosage->period_unit == SIGTEXT_H)
        return dosage->period.low < 24 ? (int)(24 / dosage->period.low) : 1;
    if (dosage->period_unit == SIGTEXT_WK && phase->weekdays != 0)
        return 1;
    return (int)dosage->times.low;
}

static const char *lay_out(const struct sigtext_dosage *dosage, struct reading_phase *phase)
{
    const char *why = lay_out_days(dosage, phase);
    if (why != NULL)
        return why;
    phase->group = dosage->sequence;
    phase->dose_count = doses_of_day(dosage, phase);
    if (phase->dose_count < 1 || phase->dose_count > READING_DOSES_MAX)
        return "more doses a day than can be laid out";
    bool hours = dosage->period_unit == SIGTEXT_H && dosage->period.low < 24;
    phase->interval_min = hours ? (int)dosage->period.low * 60 : 0;
    for (int i = 0; i < phase->dose_count; i++) {
        struct reading_dose *dose = &phase->doses[i];
        *dose = (struct reading_dose){.amount_milli = dosage->amount.low, .when = READING_ANY};
        if (hours)
            dose->when = READING_INTERVAL;
        if (dosage->clock_count > 0) {
            dose->when = READING_CLOCK;
            dose->minute = dosage->clocks[i];
        } else if (dosage->event_count > 0) {
            dose->when = (enum reading_when)dosage->events[dosage->event_count > 1 ? i : 0];
            dose->offset_min = dosage->offset_min;
        }
    }
    return NULL;
}

bool sigtext_reading(const struct sigtext *sig, struct reading *ret_reading, const char **ret_why)
{
    struct reading reading = {.as_needed = false};
    *ret_why = NULL;
    if (sig->refusal != SIGTEXT_NONE)
        *ret_why = "the text is refused";
    for (int i = 0; i < sig->dosage_count && *ret_why == NULL; i++) {
        const struct sigtext_dosage *dosage = &sig->dosages[i];
        struct reading_phase phase = {.group = 0};
        *ret_why = obstacle(dosage);
        if (*ret_why == NULL && !dosage->has_frequency && dosage->as_needed) {
            reading.as_needed = true; /* no times at all: a reading without phases */
            continue;
        }
        if (*ret_why == NULL)
            *ret_why = lay_out(dosage, &phase);
        if (*ret_why == NULL && reading.phase_count == READING_PHASES_MAX)
            *ret_why = "more steps than can be laid out";
        if (*ret_why != NULL)
            break;
        reading.phases[reading.phase_count++] = phase;
        reading.as_needed = reading.as_needed || dosage->as_needed;
        if (dosage->has_max && dosage->max_period != SIGTEXT_D)
            *ret_why = "a maximum that is not an amount a day";
        else if (dosage->has_max && dosage->max_unit != NULL && dosage->max_unit->measure != SIGTEXT_PIECE)
            *ret_why = "a maximum that is not counted in pieces";
        else if (dosage->has_max)
            reading.max_per_day_milli = dosage->max;
    }
    if (*ret_why != NULL)
        return false;
    *ret_reading = reading;
    return true;
}
