/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may follow what. An amount stands before its times (or behind them where the language does so); a
 * second amount needs times of its own; "and" joins times, doses and instructions, nothing else.
 */
#include "controller/intake/sig/sigtext_build_private.h"

#include "config/base/civil.h"
#include "controller/intake/reading.h"

#include <string.h>

static const char too_much[] = "more steps, amounts or instructions than can be held";

void build_init(struct build *build, const struct tokens *tokens)
{
    memset(build, 0, sizeof *build);
    build->tokens = tokens;
    build->step_count = 1;
}

static struct build_step *step_now(struct build *build)
{
    return &build->steps[build->step_count - 1];
}

static struct build_dose *dose_now(struct build *build)
{
    if (build->dose_count == 0 || build->doses[build->dose_count - 1].step != build->step_count - 1)
        return NULL;
    return &build->doses[build->dose_count - 1];
}

static struct build_dose *dose_new(struct build *build)
{
    if (build->dose_count == SIGTEXT_DOSAGES_MAX)
        return NULL;
    struct build_dose *dose = &build->doses[build->dose_count++];
    *dose = (struct build_dose){.step = build->step_count - 1, .offset_min = -1};
    return dose;
}

static bool has_time(const struct build_dose *dose)
{
    return dose->has_frequency || dose->once || dose->event_count > 0 || dose->meal != NULL ||
           dose->clock != NULL || dose->days != 0 ||
           (dose->amount != NULL && dose->amount->kind == KIND_SLOTS);
}

/* The dose that a time belongs to; a new one where the one before is full. */
static struct build_dose *timed_dose(struct build *build)
{
    struct build_dose *dose = dose_now(build);
    if (dose == NULL || (dose->time_first && dose->amount != NULL))
        return dose_new(build);
    return dose;
}

/* A number right behind a number ("1 3 times a day", "1 - 2 times") may be a range, or one number. */
static void look_at_neighbours(struct build *build, const struct item *item)
{
    const struct item *last = build->last;
    if (!item->number_first || last == NULL || last->kind != KIND_AMOUNT || !last->bare ||
        build->doubt != NULL)
        return;
    bool styles_differ = last->style != item->style;
    if (styles_differ && (build->mark == '\0' || build->mark == ','))
        return;
    /* "one three times a day"; but "one two times" may be one to two times */
    if (item->style == NUMBER_WORDS && last->style == NUMBER_WORDS && build->mark == '\0' &&
        item->has_number && item->number.low != last->number.high + 1000)
        return;
    if (last->is_range && build->mark == ',')
        return;
    build->doubt = "two numbers side by side";
    build->doubt_at = item;
}

/* The amount again, behind a dash; its unit may be left out then. */
static bool same_amount(const struct item *a, const struct item *b)
{
    return a->kind == b->kind && a->number.low == b->number.low && a->number.high == b->number.high &&
           (b->unit == NULL || a->unit == b->unit) && a->strength == b->strength;
}

static const char *add_amount(struct build *build, const struct item *item)
{
    struct build_dose *dose = dose_now(build);
    struct build_step *step = step_now(build);
    if (dose == NULL && build->and_pending)
        return "\"and\" before the first amount";
    if (dose == NULL && step->as_needed != NULL)
        return "the amount stands behind its time";
    if (dose != NULL && dose->amount == NULL) {
        if (!build->tokens->table->settings[build->tokens->language].time_first)
            return "the amount stands behind its time";
        if (step->length != NULL)
            return "an amount behind the length";
        dose->time_first = true;
        dose->amount = item;
        return NULL;
    }
    if (dose != NULL) {
        if (!has_time(dose))
            return "two amounts for one time";
        if (dose->time_first || item->kind == KIND_SLOTS || dose->amount->kind == KIND_SLOTS)
            return "an amount without its time";
        if (build->mark == '-' && same_amount(dose->amount, item)) {
            dose->said_again = true;
            return NULL;
        }
        if (build->mark == '-' || build->mark == ':')
            return "an amount behind a dash";
        if (step->length != NULL || step->max != NULL)
            return "an amount behind the length or the maximum";
    }
    dose = dose_new(build);
    if (dose == NULL)
        return too_much;
    dose->amount = item;
    return NULL;
}

/* Whole numbers of a frequency; false when they are none or out of bounds. */
static bool frequency_numbers(const struct item *item, struct sigtext_span *times,
                              struct sigtext_span *period)
{
    const struct sigtext_row *row = item->row;
    struct sigtext_span number = {item->number.low / 1000, item->number.high / 1000};
    if (item->has_number && (item->number.low % 1000 != 0 || item->number.high % 1000 != 0 || number.low < 1))
        return false;
    *times = (struct sigtext_span){row->times, row->times};
    *period = (struct sigtext_span){row->period, row->period};
    if (row->times == 0)
        *times = number;
    if (row->period == 0)
        *period = number;
    static const int64_t period_max[] = {240, 168, 366, 52, 12}; /* min, h, d, wk, mo */
    if (times->low < 1 || times->high > 24 || period->low < 1 || period->high > period_max[row->unit])
        return false;
    if (row->bound == SIGTEXT_MOST)
        times->low = 0;
    return true;
}

static bool same_span(const struct sigtext_span *a, const struct sigtext_span *b)
{
    return a->low == b->low && a->high == b->high;
}

static bool is_daily(const struct build_dose *dose)
{
    return dose->unit == SIGTEXT_D && dose->period.low == 1 && dose->period.high == 1;
}

/* -1 no relation; else the one of two events that says more: "in the morning, with breakfast". */
static int finer_event(int a, int b)
{
    static const struct {
        int coarse;
        int fine[6];
    } table[] = {
        {READING_MORN, {READING_CM, READING_ACM, READING_PCM, READING_WAKE, 0}},
        {READING_NOON, {READING_CD, READING_ACD, READING_PCD, 0}},
        {READING_EVE, {READING_CV, READING_ACV, READING_PCV, 0}},
        {READING_NIGHT, {READING_HS, 0}},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (int k = 0; table[i].fine[k] != 0; k++) {
            if ((a == table[i].coarse && b == table[i].fine[k]) ||
                (b == table[i].coarse && a == table[i].fine[k]))
                return table[i].fine[k];
        }
    }
    return -1;
}

/* A meal that is not named. */
static bool is_meal(int event)
{
    return event == READING_C || event == READING_AC || event == READING_PC;
}

static const char *add_meal(struct build *build, struct build_dose *dose, const struct item *item)
{
    if (dose->meal != NULL && (dose->meal->row->event != item->row->event ||
                               dose->meal->offset_min != item->offset_min || build->and_pending))
        return "two statements on meals";
    if (build->and_pending) {
        if (dose->event_count == 0)
            return "\"and\" before a meal";
        dose->meal_listed = true;
    }
    dose->meal = item;
    return NULL;
}

static const char *add_event(struct build *build, struct build_dose *dose, const struct item *item,
                             bool from_frequency)
{
    int event = item->row->event;
    bool joined = build->and_pending || build->mark == ',' || build->mark == ';';
    if (is_meal(event))
        return add_meal(build, dose, item);
    if (build->and_pending && dose->event_count == 0 && dose->meal == NULL)
        return "\"and\" joins a time to what is no time of day";
    if (item->offset_min > 0 && (dose->event_count > 0 || dose->offset_min > 0) &&
        dose->offset_min != item->offset_min &&
        (dose->event_count != 1 || finer_event(dose->events[0], event) != event || joined))
        return "minutes before or after one of several events";
    for (int i = 0; i < dose->event_count; i++) {
        int finer = finer_event(dose->events[i], event);
        if (dose->events[i] == event || (!build->and_pending && finer >= 0 && dose->event_count == 1)) {
            if (build->and_pending)
                return "the same time twice";
            dose->events[i] = finer >= 0 ? finer : event;
            if (item->offset_min > 0)
                dose->offset_min = item->offset_min;
            return NULL;
        }
    }
    if (dose->event_count == SIGTEXT_TIMES_MAX)
        return too_much;
    if (dose->said_again)
        return "another time behind a dash";
    if (dose->event_count > 0 && step_now(build)->length != NULL)
        return "another time behind how long";
    if (dose->event_count > 0) {
        if (from_frequency && !joined)
            return "two times, each said to be the only one of the day";
        dose->loose += !joined;
        dose->listed = dose->listed || build->and_pending;
        if (dose->offset_min > 0 && item->offset_min != dose->offset_min)
            return "minutes before or after one of several events";
    }
    if (build->and_pending && dose->event_count == 0)
        dose->meal_listed = true;
    if (item->offset_min > 0)
        dose->offset_min = item->offset_min;
    dose->events[dose->event_count++] = event;
    return NULL;
}

static const char *add_frequency(struct build *build, const struct item *item)
{
    struct sigtext_span times, period;
    struct build_dose *dose;
    if (!frequency_numbers(item, &times, &period))
        return "no such number of times";
    if (build->and_pending &&
        (item->row->event < 0 || dose_now(build) == NULL || dose_now(build)->event_count == 0))
        return "\"and\" before how often";
    dose = timed_dose(build);
    if (dose == NULL)
        return too_much;
    if (dose->once)
        return "once, and again";
    if (item->row->whole && (dose->amount == NULL || has_time(dose)))
        return "an amount of a day or week, and other times"; /* "5 days a week" */
    if (step_now(build)->length != NULL && !dose->has_frequency)
        return "how often stands behind how long";
    struct build_dose said = {.times = times,
                              .period = period,
                              .unit = item->row->unit,
                              .weak = item->row->weak || item->row->event >= 0}; /* "every morning" */
    if (dose->said_again && !dose->has_frequency)
        return "another time behind a dash";
    if (!dose->has_frequency || (dose->weak && is_daily(&said) && !dose->said_again)) {
        dose->has_frequency = true;
        dose->times = times;
        dose->period = period;
        dose->unit = item->row->unit;
        dose->weak = said.weak;
        dose->sum = item->row->whole;
    } else if (!(said.weak && is_daily(dose)) &&
               (!same_span(&dose->times, &times) || !same_span(&dose->period, &period) ||
                dose->unit != said.unit)) {
        return "two statements on how often";
    }
    return item->row->event >= 0 ? add_event(build, dose, item, true) : NULL;
}

/* The dose that a repeated time belongs to; NULL with a conflict. */
static struct build_dose *repeated_dose(struct build *build, const struct item *item,
                                        const char **ret_conflict)
{
    /* "2x täglich 1 Tablette nach dem Essen": a meal does not begin another dose */
    struct build_dose *dose = item->kind == KIND_WHEN && is_meal(item->row->event) ? dose_now(build) : NULL;
    if (dose == NULL)
        dose = timed_dose(build);
    *ret_conflict = dose == NULL ? too_much : dose->once ? "once, and at a time that comes again" : NULL;
    return dose;
}

/* "1 am 2 pm" is one in the morning and two in the evening; but it looks like a clock. */
static bool is_like_clock(const struct build *build, const struct item *item)
{
    const struct tokens *tokens = build->tokens;
    const struct item *last = build->last;
    return last != NULL && last->kind == KIND_AMOUNT && last->bare && last->style != NUMBER_WORDS &&
           last->to == item->from && sigtext_is_half_day(tokens, item->from);
}

static const char *add_when(struct build *build, const struct item *item)
{
    const char *conflict;
    struct build_dose *dose = repeated_dose(build, item, &conflict);
    if (conflict == NULL)
        dose->like_clock = is_like_clock(build, item);
    return conflict != NULL ? conflict : add_event(build, dose, item, false);
}

static const char *add_clock(struct build *build, const struct item *item)
{
    const char *conflict;
    struct build_dose *dose = repeated_dose(build, item, &conflict);
    if (conflict == NULL && (dose->clock != NULL || dose->said_again))
        conflict = "clock times without a word between";
    if (conflict == NULL)
        dose->clock = item;
    return conflict;
}

static const char *add_days(struct build *build, const struct item *item)
{
    const char *conflict;
    struct build_dose *dose = repeated_dose(build, item, &conflict);
    if (conflict == NULL && (dose->days != 0 || dose->said_again) && dose->days != item->days)
        conflict = "two statements on days of the week";
    if (conflict == NULL && step_now(build)->length != NULL && dose->days == 0)
        conflict = "days of the week behind a length";
    if (conflict == NULL) {
        dose->days = item->days;
        dose->days_single = !item->row->whole && !item->days_many;
    }
    return conflict;
}

static const char *add_once(struct build *build, const struct item *item)
{
    struct build_dose *dose = timed_dose(build);
    (void)item; /* all rows of the kind say the same */
    if (dose == NULL)
        return too_much;
    if (has_time(dose) && !dose->once)
        return "once, and again";
    dose->once = true;
    return NULL;
}

static const char *add_verb(struct build *build, const struct item *item)
{
    struct build_step *step = step_now(build);
    const struct build_dose *dose = dose_now(build);
    if (step->verb != NULL && strcmp(step->verb->name, item->row->name) != 0)
        return "two different verbs";
    if (item->row->after && dose != NULL && dose->amount != NULL && !build->and_pending) {
        step->verb = item->row;
        return NULL;
    }
    if (dose == NULL && step->verb != NULL)
        return "the verb stands twice";
    if (dose != NULL) {
        if (dose->amount == NULL || !has_time(dose))
            return "a verb in the middle";
        build->need_amount = true;
    }
    step->verb = item->row;
    return NULL;
}

static const char *add_route(struct build *build, const struct item *item)
{
    struct build_step *step = step_now(build);
    if (step->route == NULL) {
        step->route = item->row;
        return NULL;
    }
    const struct sigtext_row *old = step->route;
    if ((old->routes & item->row->routes) == 0)
        return "two different routes";
    if (old->site[0] != '\0' && item->row->site[0] != '\0' && strcmp(old->site, item->row->site) != 0)
        return "two different sites";
    if (old->site[0] == '\0' && item->row->site[0] != '\0')
        step->route = item->row;
    return NULL;
}

/* The mass beside a count: of all pieces, or of the only one. */
static const char *add_strength(struct build *build, const struct item *item)
{
    struct build_dose *dose = dose_now(build);
    const struct item *amount = build->last;
    if (dose == NULL || amount == NULL || amount->kind != KIND_AMOUNT || dose->amount != amount ||
        (build->mark != '\0' && build->mark != '('))
        return "two amounts for one time";
    if (amount->unit == NULL || amount->unit->measure != SIGTEXT_PIECE || amount->strength != 0 ||
        amount->is_range)
        return "two amounts for one time";
    if (!item->row->whole && amount->number.high != 1000)
        return "a mass beside several pieces: of each, or of all?";
    if (item->number.high <= 0)
        return "a strength of nothing";
    dose->strength = item;
    return NULL;
}

static bool same_words(const struct item *a, const struct item *b)
{
    return a->row == b->row && a->number.low == b->number.low && a->number.high == b->number.high &&
           a->unit == b->unit && a->per == b->per && a->day == b->day;
}

/* Something that a step says once; saying the same again is no harm. */
static const char *put_once(const struct item **place, const struct item *item, const char *conflict)
{
    if (*place != NULL && !same_words(*place, item))
        return conflict;
    *place = item;
    return NULL;
}

static const char *add_length(struct build *build, const struct item *item)
{
    const struct build_dose *dose = dose_now(build);
    if (dose == NULL || dose->once || (!has_time(dose) && step_now(build)->as_needed == NULL))
        return "how long stands before how often";
    if (item->has_number &&
        (item->number.low % 1000 != 0 || item->number.high % 1000 != 0 || item->number.low < 1000))
        return "no such length";
    return put_once(&step_now(build)->length, item, "two different lengths");
}

static const char *add_max(struct build *build, const struct item *item)
{
    struct build_step *step = step_now(build);
    const struct item *old = step->max;
    if (old != NULL && old->number.high == item->number.high && old->per != NULL && item->per != NULL &&
        old->per->unit == item->per->unit && old->per->whole == item->per->whole &&
        (old->unit == NULL || item->unit == NULL || old->unit == item->unit)) {
        if (old->unit == NULL)
            step->max = item;
        return NULL;
    }
    return put_once(&step->max, item, "two different maximums");
}

static const char *add_as_needed(struct build *build, const struct item *item)
{
    struct build_step *step = step_now(build);
    const struct item *old = step->as_needed;
    if (old != NULL && old->reason_from >= 0 && item->reason_from >= 0)
        return "as needed, for two reasons";
    if (old == NULL || old->reason_from < 0)
        step->as_needed = item;
    return NULL;
}

static const char *add_note(struct build *build, const struct item *item)
{
    struct build_step *step = step_now(build);
    if (step->note_count == SIGTEXT_NOTES_MAX)
        return too_much;
    step->notes[step->note_count++] = item;
    return NULL;
}

static const char *add_purpose(struct build *build, const struct item *item)
{
    struct build_step *step = step_now(build);
    if (step->purpose != NULL)
        return "two purposes";
    step->purpose = item;
    return NULL;
}

static const char *add_begin(struct build *build, const struct item *item)
{
    return put_once(&step_now(build)->begin, item, "two beginnings");
}

static const char *add_until(struct build *build, const struct item *item)
{
    return put_once(&step_now(build)->until, item, "two ends");
}

static const char *add_directed(struct build *build, const struct item *item)
{
    build->directed = item;
    return NULL;
}

static const char *add_then(struct build *build, const struct item *item)
{
    (void)item; /* all rows of the kind say the same */
    if (dose_now(build) == NULL)
        return "\"then\" behind nothing";
    if (build->step_count == SIGTEXT_DOSAGES_MAX)
        return too_much;
    build->step_count++;
    return NULL;
}

static const char *add_stop(struct build *build, const struct item *item)
{
    (void)item; /* all rows of the kind say the same */
    if (dose_now(build) == NULL)
        return "\"stop\" behind nothing";
    step_now(build)->stopped = true;
    build->stopped = true;
    return NULL;
}

/* "je 1 Tablette": only before an amount. */
static const char *add_each(struct build *build, const struct item *item)
{
    (void)item; /* all rows of the kind say the same */
    if (build->need_amount)
        return "the same word twice";
    build->need_amount = true;
    return NULL;
}

static const char *add_goes_on(struct build *build, const struct item *item)
{
    (void)item; /* all rows of the kind say the same */
    step_now(build)->goes_on = true;
    return dose_now(build) != NULL ? NULL : "it goes on before it begins";
}

static const struct {
    const char *(*add)(struct build *build, const struct item *item);
    bool joins; /* may stand behind "and" */
} rules[KIND_ALL] = {
    [KIND_AMOUNT] = {add_amount, true},    [KIND_SLOTS] = {add_amount, false},
    [KIND_VERB] = {add_verb, true},        [KIND_FREQUENCY] = {add_frequency, true},
    [KIND_WHEN] = {add_when, true},        [KIND_CLOCK] = {add_clock, false},
    [KIND_DAYS] = {add_days, false},       [KIND_INSTRUCTION] = {add_note, true},
    [KIND_MAXIMUM] = {add_max, true},      [KIND_ROUTE] = {add_route, false},
    [KIND_ONCE] = {add_once, false},       [KIND_AS_NEEDED] = {add_as_needed, false},
    [KIND_PURPOSE] = {add_purpose, false}, [KIND_DURATION] = {add_length, false},
    [KIND_BEGIN] = {add_begin, false},     [KIND_UNTIL] = {add_until, false},
    [KIND_NOTE] = {add_strength, false},   [KIND_DIRECTED] = {add_directed, false},
    [KIND_THEN] = {add_then, false},       [KIND_STOP] = {add_stop, false},
    [KIND_GOES_ON] = {add_goes_on, false}, [KIND_EACH] = {add_each, true},
};

static const char *dispatch(struct build *build, const struct item *item)
{
    if (rules[item->kind].add == NULL)
        return "something that cannot stand by itself";
    if (build->and_pending && !rules[item->kind].joins)
        return "\"and\" before something that it cannot join";
    return rules[item->kind].add(build, item);
}

const char *build_add(struct build *build, const struct item *item)
{
    if (item->kind == KIND_MARK) {
        char mark = build->tokens->list[item->from].mark;
        if (build->and_pending)
            return "\"and\" before a mark";
        build->mark = mark == ')' && build->mark != '\0' ? build->mark : mark;
        return NULL;
    }
    if (build->stopped)
        return "something stands behind the end";
    if (item->kind == KIND_AND) {
        if (build->and_pending || build->last == NULL || build->last->kind == KIND_THEN)
            return "\"and\" joins nothing";
        build->and_pending = true;
        return NULL;
    }
    if (build->need_amount && item->kind != KIND_AMOUNT)
        return "a verb without an amount";
    if (item->doubt != NULL && build->doubt == NULL) {
        build->doubt = item->doubt;
        build->doubt_at = item;
    }
    look_at_neighbours(build, item);
    const char *conflict = dispatch(build, item);
    if (conflict != NULL)
        return conflict;
    build->and_pending = build->and_pending && item->kind == KIND_EACH;
    build->need_amount = build->need_amount && item->kind != KIND_AMOUNT;
    build->mark = '\0';
    build->last = item;
    struct build_step *step = step_now(build);
    if (item->kind != KIND_THEN) {
        if (step->to == 0)
            step->from = item->from;
        step->to = item->to;
    }
    return NULL;
}
