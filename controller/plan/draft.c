/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a course to the windows, gaps and costs of its doses.
 *
 * The order's own words make the windows; the site's policy makes them where the order is silent; hard rules
 * of the drug narrow them. Where a hard rule leaves nothing of the order's own words, the order contradicts
 * it and is left out. A soft rule costs where the order is silent and is only mentioned where it is not.
 */
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/compose_private.h"

enum { CLOCK_COST = 1, NIGHT_COST = 5, OFFSET_WITHIN = 30 };

/* Meals and other points of the day that a FHIR code with an offset counts from; bit 1 << enum policy_anchor.
 */
static const struct {
    unsigned anchors;
    bool before; /* the offset lies before the point */
} code_anchors[READING_WHEN_COUNT] = {
    [READING_WAKE] = {1u << POLICY_WAKE, false},
    [READING_HS] = {1u << POLICY_BED, true},
    [READING_ACM] = {1u << POLICY_BREAKFAST, true},
    [READING_ACD] = {1u << POLICY_LUNCH, true},
    [READING_ACV] = {1u << POLICY_DINNER, true},
    [READING_AC] = {1u << POLICY_BREAKFAST | 1u << POLICY_LUNCH | 1u << POLICY_DINNER, true},
    [READING_PCM] = {1u << POLICY_BREAKFAST, false},
    [READING_PCD] = {1u << POLICY_LUNCH, false},
    [READING_PCV] = {1u << POLICY_DINNER, false},
    [READING_PC] = {1u << POLICY_BREAKFAST | 1u << POLICY_LUNCH | 1u << POLICY_DINNER, false},
    [READING_CM] = {1u << POLICY_BREAKFAST, false},
    [READING_CD] = {1u << POLICY_LUNCH, false},
    [READING_CV] = {1u << POLICY_DINNER, false},
    [READING_C] = {1u << POLICY_BREAKFAST | 1u << POLICY_LUNCH | 1u << POLICY_DINNER, false},
};

static const struct policy_gaps no_gaps = {REGIMEN_NONE, REGIMEN_NONE, REGIMEN_NONE, REGIMEN_NONE};

static int clock_rel(const struct composer *c, const struct reading_dose *dose)
{
    return (dose->minute - c->input->day.day_start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
}

/*
 * How far a clock time may move: what the site allows, what rules of kind `fixed` leave of it, and never more
 * than a quarter of the time to the next dose, so that doses an hour apart stay doses.
 */
static int clock_tolerance(const struct composer *c, const struct draft *draft)
{
    int tolerance = c->policy->clock_tolerance;
    for (int r = 0; r < c->policy->rule_count; r++) {
        const struct policy_rule *rule = &c->policy->rules[r];
        if (rule->kind == POLICY_KIND_FIXED && rule->severity == POLICY_HARD &&
            rule_fits(c, r, draft->order, draft->course->dose_count) && rule->within < tolerance)
            tolerance = rule->within;
    }
    const struct course *course = draft->course;
    for (int i = 1; i < course->dose_count; i++) {
        int quarter = (clock_rel(c, &course->doses[i]) - clock_rel(c, &course->doses[i - 1])) / 4;
        tolerance = quarter < tolerance ? quarter : tolerance;
    }
    return tolerance;
}

/* An offset to a meal, waking or bed: at that distance, and up to half an hour further. */
static int offset_times(struct composer *c, const struct reading_dose *dose, struct times *times)
{
    unsigned anchors = code_anchors[dose->when].anchors;
    if (anchors == 0)
        return E_INPUT;
    for (int a = POLICY_DAY_START; a <= POLICY_BED; a++) {
        int at = anchors & 1u << a ? policy_anchor(&c->input->day, (enum policy_anchor)a) : REGIMEN_NONE;
        if (at == REGIMEN_NONE)
            continue;
        if (code_anchors[dose->when].before)
            times_add(times, at - dose->offset_min - OFFSET_WITHIN, at - dose->offset_min);
        else
            times_add(times, at + dose->offset_min, at + dose->offset_min + OFFSET_WITHIN);
    }
    return 0;
}

int offset_clock(const struct composer *c, const struct reading_dose *dose, int k)
{
    int found = -1;
    for (int a = POLICY_DAY_START; a <= POLICY_BED && k >= 0; a++) {
        int at = policy_anchor(&c->input->day, (enum policy_anchor)a);
        if (!(code_anchors[dose->when].anchors & 1u << a) || at == REGIMEN_NONE)
            continue;
        at += code_anchors[dose->when].before ? -dose->offset_min : dose->offset_min;
        found = (c->input->day.day_start + at + 2 * MINUTES_PER_DAY) % MINUTES_PER_DAY;
        k--;
    }
    return found;
}

/* Windows of one dose as the order and the site's policy have them. E_INPUT: the site says nothing; the order
 * has been left out then. */
static int dose_times(struct composer *c, struct draft *draft, int i)
{
    const struct course *course = draft->course;
    const struct reading_dose *dose = &course->doses[i];
    struct draft_dose *out = &draft->doses[i];
    const struct policy_per_day *per_day = policy_per_day(c->policy, course->dose_count);
    const struct policy_interval *interval = policy_interval(c->policy, course->interval_min);
    const struct policy_windows *windows = NULL;
    if (dose->when == READING_CLOCK) {
        int at = clock_rel(c, dose), tolerance = clock_tolerance(c, draft);
        times_add(&out->times, at - tolerance, at + tolerance);
        out->soft[out->soft_count].cost = CLOCK_COST;
        times_add(&out->soft[out->soft_count++].inside, at, at);
        return 0;
    }
    if (dose->when == READING_INTERVAL) {
        if (!interval)
            return leave_out(c, draft->order, PLAN_WAITING,
                             "the timing rules have no `interval` of %d minutes", course->interval_min);
        if (interval->minutes * course->dose_count != MINUTES_PER_DAY)
            return leave_out(c, draft->order, PLAN_WAITING, "%d doses %d minutes apart do not fill a day",
                             course->dose_count, interval->minutes);
        if (interval->night) { /* a dose in the night only where the gaps cannot be kept without it */
            times_add(&out->times, 0, MINUTES_PER_DAY - 1);
            out->soft[out->soft_count].cost = NIGHT_COST;
            times_add(&out->soft[out->soft_count++].inside, c->input->day.wake, c->input->day.bed);
        } else {
            times_add(&out->times, c->input->day.wake, c->input->day.bed);
        }
        return 0;
    }
    if (dose->when == READING_ANY) {
        if (!per_day)
            return leave_out(c, draft->order, PLAN_WAITING, "the timing rules have no `per_day` for %d times",
                             course->dose_count);
        windows = &per_day->windows;
        int which = windows->count == 1 ? 0 : i;
        times_add_windows(&out->times, &c->input->day, &windows->item[which], 1);
        return 0;
    }
    windows = &c->policy->when[dose->when].windows;
    if (dose->offset_min > 0) {
        if (offset_times(c, dose, &out->times) < 0)
            return leave_out(c, draft->order, PLAN_WAITING, "%d minutes before or after %s says no time",
                             dose->offset_min, reading_when_text(dose->when));
    } else if (windows->count == 0) {
        return leave_out(c, draft->order, PLAN_WAITING, "the timing rules do not say when %s is",
                         reading_when_text(dose->when));
    } else {
        times_add_windows(&out->times, &c->input->day, windows->item, windows->count);
    }
    return 0;
}

static struct policy_gaps interval_gaps(const struct policy_interval *interval)
{
    int min = interval->minutes - interval->tolerance, max = interval->minutes + interval->tolerance;
    return (struct policy_gaps){min, max, min, max};
}

/*
 * Gaps that the order and the policy ask for. Clock times carry their own. Doses by different words ("in the
 * morning, at bedtime") carry theirs, too: the policy's gaps are tried and given up where they do not fit.
 */
static void base_gaps(struct composer *c, struct draft *draft)
{
    const struct course *course = draft->course;
    const struct policy_per_day *per_day = policy_per_day(c->policy, course->dose_count);
    const struct policy_interval *interval = policy_interval(c->policy, course->interval_min);
    draft->gaps = no_gaps;
    if (course->doses[0].when == READING_CLOCK)
        return;
    if (course->doses[0].when == READING_INTERVAL) {
        draft->gaps = interval ? interval_gaps(interval) : no_gaps;
        return;
    }
    bool same = true;
    for (int i = 1; i < course->dose_count; i++)
        same &= course->doses[i].when == course->doses[0].when;
    if (per_day)
        draft->gaps = per_day->gaps;
    if (course->dose_count > 1 && draft->gaps.gap_min == REGIMEN_NONE)
        draft->gaps.gap_min = OWN_GAP_MIN;
    draft->gaps_of_policy = per_day && !same;
}

static int tighter_min(int a, int b)
{
    return a == REGIMEN_NONE || (b != REGIMEN_NONE && b > a) ? b : a;
}

static int tighter_max(int a, int b)
{
    return a == REGIMEN_NONE || (b != REGIMEN_NONE && b < a) ? b : a;
}

/* A hard rule on gaps narrows what the policy says; where both together leave nothing, the rule counts. */
static void gaps_narrow(struct policy_gaps *gaps, const struct policy_gaps *rule)
{
    struct policy_gaps both = {tighter_min(gaps->gap_min, rule->gap_min),
                               tighter_max(gaps->gap_max, rule->gap_max),
                               tighter_min(gaps->overnight_min, rule->overnight_min),
                               tighter_max(gaps->overnight_max, rule->overnight_max)};
    if (both.gap_max != REGIMEN_NONE && both.gap_min > both.gap_max) {
        both.gap_min = rule->gap_min;
        both.gap_max = rule->gap_max;
    }
    if (both.overnight_max != REGIMEN_NONE && both.overnight_min > both.overnight_max) {
        both.overnight_min = rule->overnight_min;
        both.overnight_max = rule->overnight_max;
    }
    *gaps = both;
}

static int rule_note(struct composer *c, const struct draft *draft, const struct policy_rule *rule,
                     const char *how)
{
    enum plan_note_kind kind = rule->severity == POLICY_WARN ? PLAN_WARNING : PLAN_WHY;
    /* A warning stands far from its drug and names it; a reason stands under it. */
    return proposal_note(c->proposal, c->input, c->arena, kind, draft->order, "%s%s%s%s [rule %s%s; %s]",
                         kind == PLAN_WARNING ? drug_of(c, draft->order) : "",
                         kind == PLAN_WARNING ? ": " : "", how, rule->text, rule->id,
                         rule->checked ? "" : POLICY_UNCHECKED, rule->cite);
}

static int window_hard(struct composer *c, struct draft *draft, const struct policy_rule *rule,
                       const struct times *times)
{
    for (int i = 0; i < draft->course->dose_count; i++) {
        const struct reading_dose *dose = &draft->course->doses[i];
        struct times both = draft->doses[i].times;
        times_keep(&both, times);
        if (!times_empty(&both, 1)) {
            draft->doses[i].times = both;
            continue;
        }
        if (dose->when != READING_ANY || times_empty(times, 1))
            return leave_out(c, draft->order, PLAN_WAITING,
                             "the order and rule %s contradict each other: %s [%s]", rule->id, rule->text,
                             rule->cite);
        draft->doses[i].times = *times; /* the drug's own rule comes before the site's "any time" */
    }
    return rule_note(c, draft, rule, "");
}

static int window_soft(struct composer *c, struct draft *draft, const struct policy_rule *rule,
                       const struct times *times)
{
    bool used = false;
    for (int i = 0; i < draft->course->dose_count; i++) {
        struct draft_dose *dose = &draft->doses[i];
        if (draft->course->doses[i].when != READING_ANY)
            continue;
        if (dose->soft_count == DRAFT_SOFT_MAX)
            return error_set(c->err, E_LIMIT, "%s: more than %d soft rules for one dose",
                             drug_of(c, draft->order), DRAFT_SOFT_MAX);
        dose->soft[dose->soft_count++] = (struct draft_soft){.cost = rule->cost, .inside = *times};
        used = true;
    }
    return rule_note(c, draft, rule, used ? "preferred: " : "not used, because the order says when: ");
}

static int apply_rule(struct composer *c, struct draft *draft, const struct policy_rule *rule)
{
    struct times *times = arena_alloc(c->arena, sizeof *times);
    if (!times)
        return error_set(c->err, E_MEMORY, "no memory for the plan");
    int status = times_add_rule(times, &c->input->day, rule->windows, rule->window_count, c->err);
    if (status < 0)
        return error_prefix(c->err, status, "timing rule %s", rule->id);
    switch (rule->kind) {
    case POLICY_KIND_WINDOW:
        if (rule->severity == POLICY_HARD)
            return window_hard(c, draft, rule, times);
        return rule->severity == POLICY_SOFT ? window_soft(c, draft, rule, times)
                                             : rule_note(c, draft, rule, "");
    case POLICY_KIND_GAP:
        if (rule->severity == POLICY_HARD)
            gaps_narrow(&draft->gaps, &rule->gaps);
        draft->unbalanced |= rule->uneven;
        return rule_note(c, draft, rule, rule->severity == POLICY_SOFT ? "preferred: " : "");
    case POLICY_KIND_SAME_STATE:
        if (rule->severity == POLICY_HARD && !draft->same_state) {
            draft->same_state = true;
            draft->state = *times;
        }
        return rule_note(c, draft, rule, "");
    case POLICY_KIND_FIXED:
        return rule_note(c, draft, rule, "");
    case POLICY_KIND_SEP:
    case POLICY_KIND_ORDER:
    case POLICY_KIND_AVOID:
    case POLICY_KIND_CALENDAR:
        return 0; /* looked at elsewhere */
    }
    return 0;
}

static int draft_fill(struct composer *c, struct draft *draft)
{
    int status = 0;
    for (int i = 0; status == 0 && is_included(c, draft->order) && i < draft->course->dose_count; i++)
        status = dose_times(c, draft, i);
    base_gaps(c, draft);
    for (int r = 0; status == 0 && is_included(c, draft->order) && r < c->policy->rule_count; r++) {
        if (rule_fits(c, r, draft->order, draft->course->dose_count))
            status = apply_rule(c, draft, &c->policy->rules[r]);
    }
    return status == 0 && is_included(c, draft->order) ? draft_edits(c, draft) : status;
}

static int draft_add(struct composer *c, size_t order, int index)
{
    if (c->draft_count == DRAFT_PARTS_MAX)
        return error_set(c->err, E_LIMIT, "more than %d drugs and steps of courses in one plan",
                         DRAFT_PARTS_MAX);
    const struct course *course = &c->proposal->members[order].courses[index];
    struct draft *draft = &c->drafts[c->draft_count];
    *draft = (struct draft){.order = order, .course = course};
    draft->doses = arena_array(c->arena, (size_t)course->dose_count, sizeof *draft->doses);
    if (!draft->doses)
        return error_set(c->err, E_MEMORY, "no memory for the plan");
    (void)snprintf(draft->id, sizeof draft->id, "d%03zu.%02d", order % 10000 + 1, index % 100 + 1); /* fits */
    c->draft_count++;
    return draft_fill(c, draft);
}

/* A clock time off the grid needs a finer one: the largest step that both it and the grid are multiples of.
 */
static void grid_refine(struct composer *c)
{
    for (int i = 0; i < c->draft_count; i++) {
        const struct draft *draft = &c->drafts[i];
        for (int k = 0; k < draft->course->dose_count; k++) {
            const struct reading_dose *dose = &draft->course->doses[k];
            if (dose->when != READING_CLOCK || times_empty(&draft->doses[k].times, 1) ||
                !times_empty(&draft->doses[k].times, c->grid))
                continue;
            int a = c->grid, b = times_first(&draft->doses[k].times, 1);
            if (draft->doses[k].times.at[clock_rel(c, dose)])
                b = clock_rel(c, dose);
            while (b != 0) {
                int rest = a % b;
                a = b;
                b = rest;
            }
            c->grid = a;
        }
    }
}

int draft_orders(struct composer *c)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < c->input->order_count; i++) {
        int before = c->draft_count;
        for (int k = 0; status == 0 && is_included(c, i) && k < c->proposal->members[i].course_count; k++)
            status = draft_add(c, i, k);
        if (!is_included(c, i))
            c->draft_count = before;
    }
    if (status == 0)
        grid_refine(c);
    return status;
}
