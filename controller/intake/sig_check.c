/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/sig_check.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/intake/sig.h"

#include <inttypes.h>
#include <string.h>

struct check {
    const struct sig_context *context;
    const struct sig *sig;
    struct timing *timing;
    struct reading_phase *phase;
    struct reasons *reasons;
    bool strong_day; /* a number of times a day or hours stands beside "daily" */
};

static void contradict(struct check *check, const struct sig_claim *claim, const char *what)
{
    reasons_add(check->reasons, REASON_CODE_SIG_CONTRADICTS, "text \"%s\", structure: %s", claim->said, what);
}

static void structure_text(const struct reading_phase *phase, char *text, size_t size)
{
    struct buf out;
    buf_init_fixed(&out, text, size);
    if (phase->interval_min > 0)
        buf_printf(&out, "every %d hours", phase->interval_min / 60);
    else
        buf_printf(&out, "%d a day", phase->dose_count);
    if (phase->weekdays != 0)
        buf_printf(&out, " on %d days a week", __builtin_popcount(phase->weekdays));
    else if (phase->every_days > 1)
        buf_printf(&out, " every %d days", phase->every_days);
}

static void contradict_times(struct check *check, const struct sig_claim *claim)
{
    char text[80];
    structure_text(check->phase, text, sizeof text);
    contradict(check, claim, text);
}

static void take(struct check *check, const struct sig_claim *claim)
{
    reasons_add(check->reasons, REASON_CODE_FROM_TEXT, "\"%s\"", claim->said);
}

static bool has_claim(const struct sig *sig, enum sig_kind kind)
{
    for (int i = 0; i < sig->count; i++) {
        if (sig->claims[i].kind == kind)
            return true;
    }
    return false;
}

static bool all_any(const struct reading_phase *phase)
{
    for (int i = 0; i < phase->dose_count; i++) {
        if (phase->doses[i].when != READING_ANY)
            return false;
    }
    return true;
}

static void check_per_day(struct check *check, const struct sig_claim *claim)
{
    const struct reading_phase *phase = check->phase;
    bool days = (phase->every_days == 1 || has_claim(check->sig, SIG_EVERY_DAYS)) &&
                (phase->weekdays == 0 || has_claim(check->sig, SIG_WEEKDAYS));
    if (claim->value != phase->dose_count || !days)
        contradict_times(check, claim);
}

static void check_hours(struct check *check, const struct sig_claim *claim)
{
    struct reading_phase *phase = check->phase;
    bool daily = phase->every_days == 1 && phase->weekdays == 0;
    if (claim->value >= 24) {
        if (claim->value % 24 != 0 || phase->every_days != claim->value / 24 || phase->dose_count != 1 ||
            phase->weekdays != 0)
            contradict_times(check, claim);
        return;
    }
    if (claim->value > 0 && phase->interval_min == claim->value * 60)
        return;
    if (daily && all_any(phase) && claim->value > 0 && claim->value * phase->dose_count == 24 &&
        check->context->may_take) {
        phase->interval_min = (int)claim->value * 60;
        for (int i = 0; i < phase->dose_count; i++)
            phase->doses[i].when = READING_INTERVAL;
        take(check, claim);
        return;
    }
    contradict_times(check, claim);
}

static void check_weekdays(struct check *check, const struct sig_claim *claim, unsigned mask)
{
    struct reading_phase *phase = check->phase;
    if (phase->weekdays == mask)
        return;
    if (phase->weekdays == 0 && phase->every_days == 7 && __builtin_popcount(mask) == 1 &&
        check->context->may_take) {
        phase->every_days = 1;
        phase->weekdays = mask;
        take(check, claim);
        return;
    }
    contradict_times(check, claim);
}

static void check_duration(struct check *check, const struct sig_claim *claim)
{
    struct reading_phase *phase = check->phase;
    if (claim->value <= 0 || claim->value > 3660) {
        contradict(check, claim, "no such length");
    } else if (phase->length_days != 0) {
        if (phase->length_days != claim->value)
            contradict(check, claim, "another number of days");
    } else if (phase->start_day != CIVIL_DAY_NONE && phase->end_day != CIVIL_DAY_NONE) {
        if ((int64_t)phase->end_day - phase->start_day + 1 != claim->value)
            contradict(check, claim, "another number of days");
    } else if (phase->end_day == CIVIL_DAY_NONE && check->context->may_take) {
        phase->length_days = (int)claim->value;
        take(check, claim);
    } else {
        contradict(check, claim, "another end");
    }
}

static bool strength_says(const struct catalogue_row *product, int64_t pieces, const struct sig_claim *claim)
{
    for (int i = 0; i < product->strength_count; i++) {
        int64_t total;
        if (product->strengths[i].kind == claim->measure &&
            !__builtin_mul_overflow(product->strengths[i].amount, pieces, &total) &&
            total / 1000 == claim->amount && total % 1000 == 0)
            return true;
    }
    return false;
}

static void check_amount(struct check *check, const struct sig_claim *claim)
{
    const struct sig_context *context = check->context;
    const struct dose *dose = context->dose;
    bool count = claim->measure == MEASURE_PIECE || claim->measure == MEASURE_UNKNOWN;
    if (!dose->exact)
        return; /* the dose has its own reason */
    bool same;
    if (count && dose->amount.kind != MEASURE_PIECE && context->pieces_known)
        same = claim->value == context->pieces_milli;
    else if (count)
        same = claim->value == dose->value_milli &&
               (claim->measure == MEASURE_UNKNOWN || dose->amount.kind == MEASURE_PIECE);
    else if (claim->measure == dose->amount.kind && claim->measure != MEASURE_OTHER)
        same = claim->amount == dose->amount.amount;
    else if (claim->measure == MEASURE_OTHER)
        same = dose->amount.kind == MEASURE_OTHER && claim->value == dose->value_milli;
    else if (context->pieces_known && context->product != NULL && context->product->strength_count > 0)
        same = strength_says(context->product, context->pieces_milli, claim);
    else {
        reasons_add(check->reasons, REASON_CODE_SIG_UNREAD, "\"%s\" cannot be compared", claim->said);
        return;
    }
    if (!same) {
        char text[96];
        struct buf out;
        buf_init_fixed(&out, text, sizeof text);
        buf_printf(&out, "%" PRId64 ".%03" PRId64 " %.40s", dose->value_milli / 1000,
                   dose->value_milli % 1000, dose->unit);
        contradict(check, claim, text);
    }
}

/* The minutes in which a part of the day may lie (timing_part). */
static bool minute_in_part(int minute, int part)
{
    static const int from[6] = {0, 240, 660, 720, 960, 1140};
    static const int to[6] = {0, 720, 840, 1080, 1320, 1620};
    return part > 0 && ((minute >= from[part] && minute < to[part]) || minute + 1440 < to[part]);
}

/* Parts of the day in the words against those of the structure. */
static void check_parts(struct check *check, const struct reading_dose *said, int count,
                        const struct sig_claim *claim)
{
    struct reading_phase *phase = check->phase;
    if (phase->interval_min > 0) {
        if (count != phase->dose_count)
            contradict_times(check, claim);
        return;
    }
    if (count != phase->dose_count) {
        contradict_times(check, claim);
        return;
    }
    bool loose = true; /* no dose of the structure has a part of the day yet */
    for (int i = 0; i < count; i++)
        loose = loose && phase->doses[i].when != READING_CLOCK && timing_part(&phase->doses[i]) == 0;
    if (loose) {
        if (!check->context->may_take) {
            contradict_times(check, claim);
            return;
        }
        for (int i = 0; i < count; i++) {
            phase->doses[i].when = said[i].when;
            phase->doses[i].offset_min = said[i].offset_min > 0 ? said[i].offset_min : 0;
        }
        take(check, claim);
        return;
    }
    bool used[READING_DOSES_MAX] = {false};
    for (int i = 0; i < count; i++) {
        int part = timing_part(&said[i]), at = -1;
        for (int j = 0; j < phase->dose_count && at < 0; j++) {
            const struct reading_dose *dose = &phase->doses[j];
            bool fits =
                dose->when == READING_CLOCK ? minute_in_part(dose->minute, part) : timing_part(dose) == part;
            if (fits && !used[j])
                at = j;
        }
        if (at < 0) {
            contradict_times(check, claim);
            return;
        }
        used[at] = true;
        struct reading_dose *dose = &phase->doses[at];
        if (dose->when == said[i].when && dose->offset_min != 0 && said[i].offset_min > 0 &&
            dose->offset_min != said[i].offset_min)
            contradict(check, claim, "another number of minutes");
    }
}

static void check_whens(struct check *check)
{
    struct reading_dose said[SIG_CLAIMS_MAX];
    const struct sig_claim *first = NULL, *meal = NULL;
    int count = 0;
    for (int i = 0; i < check->sig->count; i++) {
        const struct sig_claim *claim = &check->sig->claims[i];
        if (claim->kind != SIG_WHEN)
            continue;
        struct reading_dose dose = {.when = claim->when, .offset_min = claim->offset_min};
        if (timing_part(&dose) == 0) {
            meal = claim;
            continue;
        }
        bool again = false; /* "on waking, 30 minutes before breakfast" is one time */
        for (int j = 0; j < count; j++)
            again = again || timing_part(&said[j]) == timing_part(&dose);
        if (!again)
            said[count++] = dose;
        if (first == NULL)
            first = claim;
    }
    struct reading_phase *phase = check->phase;
    if (count > 0) {
        check_parts(check, said, count, first);
    } else if (meal != NULL && all_any(phase) && phase->dose_count <= 3 && check->context->may_take) {
        /* "twice a day with food": each dose with a meal, the meals of the site's choice. */
        for (int i = 0; i < phase->dose_count; i++)
            phase->doses[i].when = meal->when;
        take(check, meal);
    }
}

static void check_clocks(struct check *check)
{
    struct reading_phase *phase = check->phase;
    const struct sig_claim *first = NULL;
    int minutes[SIG_CLAIMS_MAX], count = 0;
    for (int i = 0; i < check->sig->count; i++) {
        const struct sig_claim *claim = &check->sig->claims[i];
        if (claim->kind != SIG_CLOCK)
            continue;
        bool again = false;
        for (int j = 0; j < count; j++)
            again = again || minutes[j] == (int)claim->value;
        if (!again)
            minutes[count++] = (int)claim->value;
        if (first == NULL)
            first = claim;
    }
    if (count == 0)
        return;
    bool same = count == phase->dose_count;
    if (same && all_any(phase) && check->context->may_take) {
        for (int i = 0; i < count; i++) {
            phase->doses[i].when = READING_CLOCK;
            phase->doses[i].minute = minutes[i];
        }
        take(check, first);
        return;
    }
    for (int i = 0; i < count && same; i++) {
        bool found = false;
        for (int j = 0; j < phase->dose_count; j++)
            found = found || (phase->doses[j].when == READING_CLOCK && phase->doses[j].minute == minutes[i]);
        same = found;
    }
    if (!same)
        contradict_times(check, first);
}

static void check_claim(struct check *check, const struct sig_claim *claim)
{
    struct reading_phase *phase = check->phase;
    switch (claim->kind) {
    case SIG_PER_DAY:
        check_per_day(check, claim);
        break;
    case SIG_DAILY:
        if (!check->strong_day)
            check_per_day(check, claim);
        break;
    case SIG_HOURS:
        check_hours(check, claim);
        break;
    case SIG_EVERY_DAYS:
        if (phase->every_days != claim->value || phase->weekdays != 0)
            contradict_times(check, claim);
        break;
    case SIG_PER_WEEK: {
        int days = phase->weekdays != 0     ? __builtin_popcount(phase->weekdays)
                   : phase->every_days == 7 ? 1
                                            : 0;
        if (phase->dose_count != 1 || days != claim->value)
            contradict_times(check, claim);
        break;
    }
    case SIG_MONTHLY:
    case SIG_HOURS_RANGE:
        contradict_times(check, claim);
        break;
    case SIG_DURATION:
        check_duration(check, claim);
        break;
    case SIG_FROM:
        if (phase->start_day != claim->value)
            contradict(check, claim, "another beginning");
        break;
    case SIG_UNTIL:
        if (phase->end_day != claim->value)
            contradict(check, claim, "another end");
        break;
    case SIG_ONCE:
        if (phase->length_days != 1)
            contradict_times(check, claim);
        break;
    case SIG_STOP:
        if (phase->length_days == 0 && phase->end_day == CIVIL_DAY_NONE)
            contradict(check, claim, "no end");
        break;
    case SIG_THEN:
        if (!check->context->follows)
            contradict(check, claim, "one dosage alone");
        break;
    case SIG_AMOUNT:
    case SIG_AMOUNT_RANGE:
    case SIG_WHEN:
    case SIG_CLOCK:
    case SIG_WEEKDAYS:
    case SIG_PRN:
    case SIG_NOT_MOUTH:
    case SIG_DIRECTED:
        break; /* looked at elsewhere */
    }
}

/* What can be compared without laid-out times. */
static void check_rest(struct check *check, const struct sig_claim *claim)
{
    if (claim->kind == SIG_PRN && !check->context->as_needed)
        contradict(check, claim, "not as needed");
    else if (claim->kind == SIG_NOT_MOUTH)
        reasons_add(check->reasons, REASON_CODE_ROUTE, "text \"%s\"", claim->said);
    else if (claim->kind == SIG_AMOUNT_RANGE && check->context->dose->exact)
        contradict(check, claim, "one amount");
    else if (claim->kind == SIG_AMOUNT)
        check_amount(check, claim);
}

void sig_check(const char *text, const struct sig_context *context, struct timing *timing,
               struct reasons *reasons)
{
    struct sig sig;
    const struct sig_claim *weekday = NULL;
    unsigned mask = 0;
    sig_read(text, &sig);
    struct check check = {context, &sig, timing, &timing->phase, reasons, false};
    if (!sig.whole && (context->strict || sig.dangerous))
        reasons_add(reasons, REASON_CODE_SIG_UNREAD, "\"%s\"", sig.left);
    for (int i = 0; i < sig.count; i++) {
        const struct sig_claim *claim = &sig.claims[i];
        check.strong_day = check.strong_day || claim->kind == SIG_PER_DAY || claim->kind == SIG_HOURS;
        if (claim->kind == SIG_WEEKDAYS) {
            mask |= (unsigned)claim->value;
            weekday = claim;
        }
    }
    for (int i = 0; i < sig.count; i++)
        check_rest(&check, &sig.claims[i]);
    if (!timing->laid_out)
        return;
    if (weekday != NULL)
        check_weekdays(&check, weekday, mask);
    for (int i = 0; i < sig.count; i++)
        check_claim(&check, &sig.claims[i]);
    check_clocks(&check);
    check_whens(&check);
}
