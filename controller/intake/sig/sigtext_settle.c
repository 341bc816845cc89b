/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A build that has come to the end of its text, turned into dosages. Here stands what must agree: how often
 * and at which times, unit and verb and route, one unit in all amounts, the lengths of a taper.
 */
#include "controller/intake/sig/sigtext_build_private.h"

#include "config/base/civil.h"
#include "controller/intake/reading.h"

#include <stdio.h>
#include <string.h>

enum { LIKE_CLOCK_MAX_MILLI = 4000 };

struct settler {
    const struct build *build;
    struct sigtext *sig;
    const char *conflict;
    const char *doubt;
    enum sigtext_refusal missing;
};

static void disagree(struct settler *settler, const char *why)
{
    if (settler->conflict == NULL)
        settler->conflict = why;
}

static void miss(struct settler *settler, enum sigtext_refusal refusal)
{
    if (settler->missing == SIGTEXT_NONE)
        settler->missing = refusal;
}

/* The words of tokens from..to-1 as written, without what a line cannot hold. */
static void quote(const struct tokens *tokens, int from, int to, char *text, size_t size)
{
    int first = tokens->list[from].from, last = tokens->list[to - 1].to;
    int len = last - first;
    if (len >= (int)size) { /* cut before a whole character */
        len = (int)size - 1;
        while (len > 0 && ((unsigned char)tokens->text[first + len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(text, tokens->text + first, (size_t)len);
    text[len] = '\0';
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
    }
}

static void add_note(struct settler *settler, struct sigtext_dosage *dosage, const struct item *item)
{
    if (dosage->note_count == SIGTEXT_NOTES_MAX) {
        disagree(settler, "more instructions than can be held");
        return;
    }
    quote(settler->build->tokens, item->from, item->to, dosage->notes[dosage->note_count],
          sizeof dosage->notes[0]);
    dosage->note_rows[dosage->note_count++] = item->kind == KIND_INSTRUCTION ? item->row : NULL;
}

static bool clock_fits(int event, int minute)
{
    switch (event) {
    case READING_MORN:
        return minute >= 4 * 60 && minute < 12 * 60;
    case READING_AFT:
        return minute >= 12 * 60 && minute < 18 * 60;
    case READING_EVE:
        return minute >= 16 * 60 && minute < 23 * 60;
    case READING_NIGHT:
        return minute >= 19 * 60 || minute < 4 * 60;
    default:
        return false;
    }
}

static void set_frequency(struct sigtext_dosage *dosage, int64_t times, enum sigtext_time_unit unit)
{
    dosage->has_frequency = true;
    dosage->times = (struct sigtext_span){times, times};
    dosage->period = (struct sigtext_span){1, 1};
    dosage->period_unit = unit;
}

static void settle_clock(struct settler *settler, const struct build_dose *dose,
                         struct sigtext_dosage *dosage)
{
    dosage->clock_count = dose->clock->clock_count;
    for (int i = 0; i < dosage->clock_count; i++) {
        dosage->clocks[i] = dose->clock->clocks[i];
        for (int k = 0; k < i; k++) {
            if (dosage->clocks[k] == dosage->clocks[i])
                disagree(settler, "the same clock time twice");
        }
        if (dose->event_count == 1 && !clock_fits(dose->events[0], dosage->clocks[i]))
            disagree(settler, "clock time and time of day differ");
    }
    if (dose->event_count > 1 || dose->offset_min > 0)
        disagree(settler, "clock times beside other times of day");
    dosage->event_count = 0;
}

/* "with food" beside a clock or another event is an instruction; beside a number of times it is their time.
 */
static void settle_meal(struct settler *settler, const struct build_dose *dose, struct sigtext_dosage *dosage)
{
    const struct item *meal = dose->meal;
    if (dose->meal_listed) {
        if (dose->has_frequency)
            disagree(settler, "how often and the times listed differ");
        if (dosage->event_count == SIGTEXT_TIMES_MAX ||
            (dose->offset_min > 0 && dose->offset_min != meal->offset_min))
            disagree(settler, "minutes before or after one of several events");
        else
            dosage->events[dosage->event_count++] = meal->row->event;
        return;
    }
    bool by_hours = dose->has_frequency && (dose->unit == SIGTEXT_H || dose->unit == SIGTEXT_MIN);
    if (dosage->event_count > 0 || dosage->clock_count > 0 || by_hours ||
        (!dose->has_frequency && !meal->row->whole)) {
        add_note(settler, dosage, meal);
        dosage->meal_beside = true;
        return;
    }
    dosage->events[dosage->event_count++] = meal->row->event;
    dosage->offset_min = meal->offset_min > 0 ? meal->offset_min : 0;
}

static void settle_days(struct settler *settler, const struct build_dose *dose, struct sigtext_dosage *dosage)
{
    int days = __builtin_popcount(dose->days);
    dosage->weekdays = dose->days;
    /* Three days or more in one breath are a week's plan; one or two may be meant for this week only. */
    if (dose->days_single && days < 3 && (!dosage->has_frequency || dose->unit != SIGTEXT_WK))
        settler->doubt = "one such day, or every one";
    if (dosage->has_frequency) {
        bool each_day = dose->unit == SIGTEXT_D && dose->period.low == 1 && dose->period.high == 1;
        bool each_week = dose->unit == SIGTEXT_WK && dose->period.low == 1 && dose->period.high == 1;
        if (each_day && dose->weak)
            disagree(settler, "every day, and on some days of the week");
        if (!each_day && !(each_week && dose->times.low == days && dose->times.high == days))
            disagree(settler, "how often and the days of the week differ");
    }
}

/* How often, from what was said of it and from the times that were listed. */
static void settle_frequency(struct settler *settler, const struct build_dose *dose,
                             struct sigtext_dosage *dosage)
{
    int listed = dosage->event_count + dosage->clock_count;
    int days = dose->days != 0 ? __builtin_popcount(dose->days) : 1;
    if (!dose->has_frequency) {
        if (dose->meal != NULL &&
            (dose->meal_listed || (listed > 0 && dosage->events[0] == dose->meal->row->event)))
            return; /* as often as there are meals */
        if (listed > 0 || dose->days != 0)
            set_frequency(dosage, (listed > 0 ? listed : 1) * days, dose->days != 0 ? SIGTEXT_WK : SIGTEXT_D);
        return;
    }
    bool meal = dosage->event_count == 1 && dose->meal != NULL && dosage->events[0] == dose->meal->row->event;
    if (listed == 0 || meal)
        return;
    bool exact = dose->times.low == dose->times.high && dose->period.low == dose->period.high;
    if (!exact || dose->unit == SIGTEXT_H || dose->unit == SIGTEXT_MIN)
        disagree(settler, "how often and the times listed differ");
    else if (dose->unit == SIGTEXT_D && dose->weak && dose->times.low == 1)
        dosage->times = (struct sigtext_span){listed, listed};
    else if (dose->unit == SIGTEXT_D ? dose->times.low != listed : listed != 1)
        disagree(settler, "how often and the times listed differ");
}

static void settle_times(struct settler *settler, const struct build_dose *dose,
                         struct sigtext_dosage *dosage)
{
    dosage->once = dose->once;
    dosage->has_frequency = dose->has_frequency;
    dosage->times = dose->times;
    dosage->period = dose->period;
    dosage->period_unit = dose->unit;
    dosage->event_count = dose->event_count;
    memcpy(dosage->events, dose->events, sizeof dosage->events);
    dosage->offset_min = dose->offset_min > 0 ? dose->offset_min : 0;
    if (dose->loose > 0 && !dose->listed)
        disagree(settler, "times side by side without a word between");
    if (dose->clock != NULL)
        settle_clock(settler, dose, dosage);
    if (dose->days != 0)
        settle_days(settler, dose, dosage);
    if (dose->meal != NULL)
        settle_meal(settler, dose, dosage);
    settle_frequency(settler, dose, dosage);
    dosage->spread_open = dose->sum && dosage->amount.high > 1000 && dosage->event_count == 0;
}

static void settle_amount(const struct settler *settler, const struct build_dose *dose,
                          struct sigtext_dosage *dosage)
{
    const struct item *amount = dose->amount;
    if (amount == NULL)
        return;
    dosage->has_amount = true;
    dosage->amount = amount->number;
    dosage->unit = amount->unit;
    if (amount->strength != 0 || dose->strength != NULL) {
        dosage->states_strength = true;
        int from = amount->from, to = amount->to;
        if (dose->strength != NULL) {
            from = dose->strength->from;
            to = dose->strength->to;
        }
        quote(settler->build->tokens, from, to, dosage->notes[dosage->note_count], sizeof dosage->notes[0]);
        dosage->note_rows[dosage->note_count++] = NULL;
    }
}

static const struct sigtext_row *said_before(const struct settler *settler, int step, bool verb)
{
    for (; step >= 0; step--) {
        const struct build_step *at = &settler->build->steps[step];
        const struct sigtext_row *row = verb ? at->verb : at->route;
        if (row != NULL)
            return row;
    }
    return NULL;
}

static void settle_step(struct settler *settler, const struct build_dose *dose, struct sigtext_dosage *dosage)
{
    const struct build_step *step = &settler->build->steps[dose->step];
    const struct tokens *tokens = settler->build->tokens;
    dosage->sequence = dose->step + 1;
    dosage->from = tokens->list[step->from].from;
    dosage->to = tokens->list[step->to > 0 ? step->to - 1 : 0].to;
    dosage->verb = said_before(settler, dose->step, true);
    dosage->route = said_before(settler, dose->step, false);
    unsigned routes = (dosage->verb != NULL ? dosage->verb->routes : ~0u) &
                      (dosage->route != NULL ? dosage->route->routes : ~0u) &
                      (dosage->unit != NULL ? dosage->unit->routes : ~0u);
    dosage->ways = routes;
    if (routes == 0)
        disagree(settler, "verb, unit and route do not go together");
    dosage->out_of_pouch = dosage->verb != NULL && !dosage->verb->pouch;
    if (step->as_needed != NULL) {
        dosage->as_needed = true;
        if (step->as_needed->reason_from >= 0)
            quote(tokens, step->as_needed->reason_from, step->as_needed->reason_to, dosage->as_needed_for,
                  sizeof dosage->as_needed_for);
    }
    /* "as needed, for pain" and "as needed for pain" are the same. */
    const struct item *purpose = step->purpose;
    if (purpose != NULL && dosage->as_needed && dosage->as_needed_for[0] == '\0' && purpose->reason_from >= 0)
        quote(tokens, purpose->reason_from, purpose->reason_to, dosage->as_needed_for,
              sizeof dosage->as_needed_for);
    else if (purpose != NULL)
        add_note(settler, dosage, purpose);
    for (int i = 0; i < step->note_count; i++) {
        add_note(settler, dosage, step->notes[i]);
        dosage->out_of_pouch = dosage->out_of_pouch || !step->notes[i]->row->pouch;
    }
    if (step->max != NULL) {
        dosage->has_max = true;
        dosage->max = step->max->number.high;
        dosage->max_unit = step->max->unit;
        dosage->max_counts_doses = step->max->per == NULL;
        dosage->max_per_dose = step->max->per != NULL && step->max->per->whole;
        dosage->max_period = step->max->per != NULL ? step->max->per->unit : step->max->row->unit;
    }
}

static void settle_length(struct settler *settler, const struct build_dose *dose,
                          struct sigtext_dosage *dosage)
{
    const struct build_step *step = &settler->build->steps[dose->step];
    dosage->start_day = step->begin != NULL ? step->begin->day : CIVIL_DAY_NONE;
    dosage->end_day = step->until != NULL ? step->until->day : CIVIL_DAY_NONE;
    if (step->length != NULL) {
        const struct sigtext_row *row = step->length->row;
        dosage->has_length = true;
        dosage->length = (struct sigtext_span){row->period, row->period};
        if (step->length->has_number)
            dosage->length =
                (struct sigtext_span){step->length->number.low / 1000, step->length->number.high / 1000};
        dosage->length_unit = row->unit;
        dosage->length_bound = row->bound;
        if (dosage->length.high > 3660)
            disagree(settler, "no such length");
    }
    if (dosage->end_day != CIVIL_DAY_NONE && dosage->has_length)
        disagree(settler, "a length and a last day");
    if (dosage->start_day != CIVIL_DAY_NONE && dosage->end_day != CIVIL_DAY_NONE &&
        dosage->end_day < dosage->start_day)
        disagree(settler, "the end lies before the beginning");
    if (dosage->start_day != CIVIL_DAY_NONE && dosage->has_length &&
        (dosage->length.low != dosage->length.high || dosage->length_bound != SIGTEXT_EXACT ||
         (dosage->length_unit != SIGTEXT_D && dosage->length_unit != SIGTEXT_WK)))
        disagree(settler, "a beginning and no exact length");
    if ((dosage->start_day != CIVIL_DAY_NONE || dosage->end_day != CIVIL_DAY_NONE) &&
        settler->build->step_count > 1)
        disagree(settler, "dates in a course of several steps");
}

static void settle_dose(struct settler *settler, const struct build_dose *dose)
{
    if (settler->sig->dosage_count == SIGTEXT_DOSAGES_MAX) {
        disagree(settler, "more amounts than can be held");
        return;
    }
    struct sigtext_dosage *dosage = &settler->sig->dosages[settler->sig->dosage_count++];
    *dosage = (struct sigtext_dosage){.length_bound = SIGTEXT_EXACT};
    settle_amount(settler, dose, dosage);
    settle_times(settler, dose, dosage);
    settle_step(settler, dose, dosage);
    settle_length(settler, dose, dosage);
    bool timed = dosage->has_frequency || dosage->event_count > 0 || dosage->clock_count > 0;
    if (!timed && !dosage->once && !dosage->as_needed)
        miss(settler, SIGTEXT_NO_TIMES);
    if (dosage->once && dosage->has_length)
        disagree(settler, "once, and a length");
}

/* 1-0-1-0: one dosage for each different amount, at the places where it stands. */
static void settle_slots(struct settler *settler, const struct build_dose *dose)
{
    static const int events[4] = {READING_MORN, READING_NOON, READING_EVE, READING_NIGHT};
    const struct item *slots = dose->amount;
    if (dose->event_count > 0 || dose->clock != NULL || dose->once ||
        (dose->has_frequency && !(dose->weak && dose->unit == SIGTEXT_D)))
        disagree(settler, "numbers for the day, and other times");
    for (int i = 0; i < 4; i++) {
        bool seen = slots->slots[i] == 0;
        for (int k = 0; k < i; k++)
            seen = seen || slots->slots[k] == slots->slots[i];
        if (seen)
            continue;
        struct item amount = {.kind = KIND_AMOUNT, .from = slots->from, .to = slots->to, .unit = slots->unit};
        struct build_dose part = *dose;
        amount.number = (struct sigtext_span){slots->slots[i], slots->slots[i]};
        if (slots->slots[i] % 1000 != 0 && slots->unit != NULL && !slots->unit->splits)
            disagree(settler, "a part of something that has no parts");
        part.amount = &amount;
        part.has_frequency = false;
        for (int k = i; k < 4; k++) {
            if (slots->slots[k] == slots->slots[i])
                part.events[part.event_count++] = events[k];
        }
        part.listed = true;
        settle_dose(settler, &part);
    }
}

static bool overlap(const struct sigtext_dosage *a, const struct sigtext_dosage *b)
{
    if (a->weekdays != 0 && b->weekdays != 0 && (a->weekdays & b->weekdays) == 0)
        return false;
    if (a->event_count + a->clock_count == 0 || b->event_count + b->clock_count == 0)
        return true;
    for (int i = 0; i < a->event_count; i++) {
        for (int k = 0; k < b->event_count; k++) {
            if (a->events[i] == b->events[k])
                return true;
        }
    }
    for (int i = 0; i < a->clock_count; i++) {
        for (int k = 0; k < b->clock_count; k++) {
            if (a->clocks[i] == b->clocks[k])
                return true;
        }
    }
    return false;
}

static bool same_period(const struct sigtext_dosage *a, const struct sigtext_dosage *b)
{
    return a->has_frequency == b->has_frequency && a->period.low == b->period.low &&
           a->period.high == b->period.high && a->period_unit == b->period_unit;
}

/* What several amounts must have in common, and what they may not. */
static void settle_together(struct settler *settler)
{
    const struct sigtext *sig = settler->sig;
    for (int i = 0; i < sig->dosage_count; i++) {
        const struct sigtext_dosage *a = &sig->dosages[i];
        if (sig->dosage_count > 1 && !a->has_amount)
            miss(settler, SIGTEXT_NO_AMOUNT);
        if (sig->dosage_count > 1 && (a->as_needed || a->once))
            disagree(settler, "as needed or once, and several amounts");
        for (int k = 0; k < i; k++) {
            const struct sigtext_dosage *b = &sig->dosages[k];
            bool bare = a->has_amount && b->has_amount && a->unit == NULL && b->unit == NULL;
            if (bare && (a->clock_count > 0) != (b->clock_count > 0))
                disagree(settler,
                         "a bare number that may be a clock time"); /* "1 at 8am, 2 in the afternoon" */
            if (a->has_amount && b->has_amount && (a->unit == NULL) != (b->unit == NULL))
                disagree(settler, "the unit stands at one amount and not at another");
            else if (a->has_amount && b->has_amount && a->unit != b->unit)
                disagree(settler, "two different units");
            if (a->sequence != b->sequence)
                continue;
            if (overlap(a, b))
                disagree(settler, "two amounts for one time");
            if (a->weekdays == b->weekdays && !same_period(a, b))
                disagree(settler, "amounts with different periods side by side");
        }
    }
}

/* "1 am 2 pm": small numbers, and nothing else than such doses; "1 at 7 am 7 pm" is no amount of 7. */
static void settle_like_clock(struct settler *settler)
{
    const struct build *build = settler->build;
    bool any = false, all = true;
    for (int i = 0; i < build->dose_count; i++) {
        const struct build_dose *dose = &build->doses[i];
        any = any || dose->like_clock;
        all = all && dose->like_clock && dose->amount != NULL &&
              dose->amount->number.high <= LIKE_CLOCK_MAX_MILLI;
    }
    if (any && !all)
        disagree(settler, "an amount that looks like a clock time");
}

static void settle_course(struct settler *settler)
{
    const struct build *build = settler->build;
    for (int i = 0; i < build->step_count; i++) {
        const struct build_step *step = &build->steps[i];
        bool last = i == build->step_count - 1;
        bool length =
            step->length != NULL && step->length->row->bound == SIGTEXT_EXACT && !step->length->is_range;
        if (build->step_count > 1 && !length && !(last && step->goes_on))
            miss(settler, SIGTEXT_OPEN_STEP);
        if (last && build->stopped && !length)
            miss(settler, SIGTEXT_OPEN_STEP);
        if (step->goes_on && (step->length != NULL || !last))
            disagree(settler, "it goes on, and ends");
        bool doses = false;
        for (int k = 0; k < build->dose_count; k++)
            doses = doses || build->doses[k].step == i;
        if (!doses && build->step_count > 1)
            disagree(settler, "\"then\" before nothing");
    }
}

/* What a dosage comes to in a day, in thousandths; 0 when that is not fixed. */
static int64_t total_of_day(const struct sigtext_dosage *dosage)
{
    if (!dosage->has_amount || !dosage->has_frequency || dosage->weekdays != 0 || dosage->period.low < 1)
        return 0;
    if (dosage->period_unit == SIGTEXT_D && dosage->period.low == 1)
        return dosage->amount.low * dosage->times.low;
    if (dosage->period_unit == SIGTEXT_H && dosage->period.high <= 24)
        return dosage->amount.low * (24 / dosage->period.high);
    return 0;
}

/* More than the text itself allows. What is taken as needed has its maximum for that very reason. */
static void settle_max(struct settler *settler)
{
    int64_t total = 0;
    int sequence = 0;
    const struct sigtext *sig = settler->sig;
    for (int i = 0; i < sig->dosage_count; i++) {
        const struct sigtext_dosage *dosage = &sig->dosages[i];
        bool same_unit = dosage->max_unit == NULL || dosage->max_unit == dosage->unit;
        if (!dosage->has_max || dosage->max_counts_doses || dosage->as_needed || !dosage->has_amount ||
            !same_unit)
            continue;
        total = (dosage->sequence == sequence ? total : 0) + total_of_day(dosage);
        sequence = dosage->sequence;
        bool over = dosage->max_per_dose ? dosage->amount.low > dosage->max
                                         : (dosage->max_period == SIGTEXT_D && total > dosage->max) ||
                                               (dosage->max_period == SIGTEXT_WK && total * 7 > dosage->max);
        if (over)
            disagree(settler, "more than the maximum that is stated");
    }
}

const char *build_settle(const struct build *build, struct sigtext *ret)
{
    struct settler settler = {.build = build, .sig = ret};
    ret->refusal = SIGTEXT_NONE;
    ret->dosage_count = 0;
    ret->reason[0] = '\0';
    if (build->and_pending)
        return "\"and\" joins nothing";
    if (build->need_amount)
        return "a verb without an amount";
    settle_course(&settler);
    settle_like_clock(&settler);
    for (int i = 0; i < build->dose_count; i++) {
        const struct item *amount = build->doses[i].amount;
        if (amount != NULL && amount->kind == KIND_SLOTS)
            settle_slots(&settler, &build->doses[i]);
        else
            settle_dose(&settler, &build->doses[i]);
    }
    if (build->dose_count == 0) {
        struct build_dose empty = {.offset_min = -1};
        settle_dose(&settler, &empty);
    }
    settle_together(&settler);
    settle_max(&settler);
    if (settler.conflict != NULL)
        return settler.conflict;
    ret->refusal = build->directed != NULL ? SIGTEXT_DIRECTED : settler.missing;
    const char *doubt = build->doubt != NULL ? build->doubt : settler.doubt;
    if (ret->refusal == SIGTEXT_NONE && doubt != NULL) {
        ret->refusal = SIGTEXT_DOUBTFUL;
        (void)snprintf(ret->reason, sizeof ret->reason, "%s", doubt);
    }
    return NULL;
}
