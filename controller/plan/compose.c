/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/compose.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/plan/compose_private.h"
#include "controller/plan/documents/regimen_json.h"
#include "scheduler/slots.h"

enum {
    PERIOD_LCM_MAX = 60,   /* days; a longer common period is cut to the cycle */
    ALONE_BUDGET = 200000, /* search nodes for one drug alone */
};

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the plan");
}

int proposal_note(struct proposal *proposal, const struct input *input, struct arena *arena,
                  enum plan_note_kind kind, size_t order, const char *format, ...)
{
    char text[PLAN_NAME_BYTES_MAX + 1];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len >= (int)sizeof text)
        utf8_ellipsis(text, sizeof text);
    struct plan_note note = {.kind = kind,
                             .order_id = order == SIZE_MAX ? 0 : input->orders[order].id,
                             .text = arena_text(arena, text, strlen(text))};
    if (proposal->note_count == proposal->note_cap) {
        size_t cap = proposal->note_cap ? proposal->note_cap * 2 : 32;
        struct plan_note *notes = arena_array(arena, cap, sizeof *notes);
        if (!notes)
            return E_MEMORY;
        if (proposal->note_count)
            memcpy(notes, proposal->notes, proposal->note_count * sizeof *notes);
        proposal->notes = notes;
        proposal->note_cap = cap;
    }
    if (!note.text)
        return E_MEMORY;
    proposal->notes[proposal->note_count++] = note;
    return 0;
}

static int lcm(int a, int b)
{
    int x = a, y = b;
    while (y != 0) {
        int rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

static bool is_bounded(const struct composer *c, const struct roll_pattern *pattern)
{
    return pattern->first_day > c->start_day || pattern->last_day < c->start_day + c->days - 1;
}

/*
 * The days after which the calendar repeats: the common multiple of weeks and rhythms while that is short,
 * and the cycle itself where a course begins or ends within it.
 */
static int period_of(const struct composer *c)
{
    int period = 1;
    for (int i = 0; i < c->draft_count; i++) {
        const struct roll_pattern *pattern = &c->drafts[i].course->pattern;
        if (!is_included(c, c->drafts[i].order))
            continue;
        if (is_bounded(c, pattern))
            return c->days;
        period = lcm(period, pattern->weekdays ? 7 : pattern->every_days);
        if (period > PERIOD_LCM_MAX)
            return c->days;
    }
    return period;
}

static void days_fill(const struct composer *c, const struct roll_pattern *pattern, int period,
                      struct regimen_days *days)
{
    struct roll_pattern repeated = *pattern;
    if (!is_bounded(c, pattern)) {
        repeated.first_day = c->start_day;
        repeated.last_day = c->start_day + period - 1;
    }
    *days = (struct regimen_days){{0}};
    for (int d = 0; d < period; d++) {
        if (roll_pattern_has(&repeated, c->start_day + d))
            regimen_days_add(days, d);
    }
}

static int soft_fill(struct composer *c, const struct draft_dose *draft, struct regimen_dose *dose)
{
    struct regimen_soft *soft = arena_array(c->arena, (size_t)draft->soft_count, sizeof *soft);
    if (!soft)
        return no_memory(c->err);
    int status = 0;
    for (int i = 0; status == 0 && i < draft->soft_count; i++) {
        soft[i].cost = draft->soft[i].cost;
        status = times_intervals(&draft->soft[i].inside, c->grid, c->arena, &soft[i].unless_in, c->err);
    }
    dose->soft = soft;
    dose->soft_count = (size_t)draft->soft_count;
    return status;
}

static int drug_fill(struct composer *c, const struct draft *draft, int period, struct regimen_drug *drug)
{
    int status = 0;
    days_fill(c, &draft->course->pattern, period, &drug->days);
    for (int i = 0; status == 0 && i < draft->course->dose_count; i++) {
        status = times_intervals(&draft->doses[i].times, c->grid, c->arena, &drug->doses[i].allowed, c->err);
        if (status == 0)
            status = soft_fill(c, &draft->doses[i], &drug->doses[i]);
        drug->doses[i].pills_milli = draft->course->doses[i].amount_milli;
    }
    drug->gap_min = draft->gaps.gap_min;
    drug->gap_max = draft->gaps.gap_max;
    drug->overnight_min = draft->gaps.overnight_min;
    drug->overnight_max = draft->gaps.overnight_max;
    drug->unbalanced = draft->unbalanced;
    drug->same_state = draft->same_state;
    if (status == 0 && draft->same_state)
        status = times_intervals(&draft->state, c->grid, c->arena, &drug->state, c->err);
    return status;
}

/* The regimen of all included orders, or of one order alone (only != SIZE_MAX). */
static int regimen_make(struct composer *c, size_t only, struct regimen **ret)
{
    int period = period_of(c);
    struct regimen *regimen = regimen_create(c->arena, c->input->source_id, c->grid, period);
    size_t *place = arena_array(c->arena, (size_t)c->draft_count, sizeof *place);
    if (!regimen || !place)
        return no_memory(c->err);
    regimen->patient = c->input->day;
    regimen->pouch_max_pills = c->policy->limits.pieces_max;
    int status = 0;
    for (int i = 0; status == 0 && i < c->draft_count; i++) {
        const struct draft *draft = &c->drafts[i];
        struct regimen_drug *drug;
        place[i] = SIZE_MAX;
        if (!is_included(c, draft->order) || (only != SIZE_MAX && draft->order != only))
            continue;
        place[i] = regimen->drug_count;
        status = regimen_add_drug(regimen, c->arena, draft->id, drug_of(c, draft->order),
                                  (size_t)draft->course->dose_count, &drug, c->err);
        if (status == 0)
            status = drug_fill(c, draft, period, drug);
    }
    if (status == 0)
        status = pairs_add(c, regimen, place);
    if (status == 0)
        status = regimen_ready(regimen, c->arena, c->err);
    *ret = regimen;
    return status;
}

static size_t draft_of_drug(const struct proposal *proposal, const struct regimen *regimen, size_t drug)
{
    for (int i = 0; i < proposal->part_count; i++) {
        if (strcmp(proposal->parts[i].id, regimen->drugs[drug].id) == 0)
            return (size_t)i;
    }
    return SIZE_MAX;
}

static const struct policy_rule *rule_by_pair_id(const struct policy *policy, const char *id)
{
    for (int i = 0; i < policy->rule_count; i++) {
        size_t len = strlen(policy->rules[i].id);
        if (strncmp(policy->rules[i].id, id, len) == 0 && id[len] == ':')
            return &policy->rules[i];
    }
    return NULL;
}

void conflict_text(const struct policy *policy, const struct regimen *regimen, struct slots_rule r,
                   struct buf *out)
{
    const char *drug = r.kind <= SLOTS_RULE_STATE ? regimen->drugs[r.place].name : "";
    switch (r.kind) {
    case SLOTS_RULE_WINDOW:
        buf_printf(out, "the times of day of %s", drug);
        return;
    case SLOTS_RULE_GAP:
        buf_printf(out, "the gaps between doses of %s", drug);
        return;
    case SLOTS_RULE_OVERNIGHT:
        buf_printf(out, "the night's gap of %s", drug);
        return;
    case SLOTS_RULE_STATE:
        buf_printf(out, "all doses of %s with food or none", drug);
        return;
    case SLOTS_RULE_SEP: {
        const struct regimen_separation *sep = &regimen->separations[r.place];
        const struct policy_rule *from = rule_by_pair_id(policy, sep->id);
        buf_printf(out, "the distance of %s and %s", regimen->drugs[sep->a].name,
                   regimen->drugs[sep->b].name);
        if (from)
            buf_printf(out, " (rule %s)", from->id);
        return;
    }
    case SLOTS_RULE_SAME:
        buf_printf(out, "the same times for the steps of %s",
                   regimen->drugs[regimen->same_slot[r.place].a].name);
        return;
    case SLOTS_RULE_NOTSAME:
        buf_printf(out, "%s and %s apart", regimen->drugs[regimen->not_same_slot[r.place].a].name,
                   regimen->drugs[regimen->not_same_slot[r.place].b].name);
        return;
    case SLOTS_RULE_ORDER:
        buf_text(out, "doses of one drug come one after the other");
        return;
    case SLOTS_RULE_TIMES:
        buf_text(out, "no time of day suits both");
        return;
    case SLOTS_RULE_SLOTS:
    case SLOTS_RULE_KINDS:
        break;
    }
    slots_rule_name(regimen, r, out);
}

/* Whether the order can be kept at all when its drug is alone in the world; *ret_why names what speaks
 * against it. */
static int solve_alone(struct composer *c, size_t order, bool *ret_possible, struct buf *why)
{
    const struct slots_options options = {.levels = 1, .node_budget = ALONE_BUDGET};
    size_t notes = c->proposal->note_count, softs = c->proposal->soft_count;
    struct regimen *regimen;
    struct slots_result *result;
    int status = regimen_make(c, order, &regimen);
    c->proposal->note_count = notes; /* pairs_add speaks again when all drugs are there */
    c->proposal->soft_count = softs;
    if (status == 0)
        status = slots_solve(regimen, &options, c->arena, &result, c->err);
    if (status < 0)
        return status;
    *ret_possible = result->status != SLOTS_INFEASIBLE;
    buf_reset(why);
    for (size_t i = 0; i < result->conflict_count; i++) {
        buf_text(why, i ? ", " : "");
        conflict_text(c->policy, regimen, result->conflict[i], why);
    }
    return 0;
}

static bool policy_gaps_drop(struct composer *c, size_t order)
{
    bool dropped = false;
    for (int i = 0; i < c->draft_count; i++) {
        struct draft *draft = &c->drafts[i];
        if (draft->order != order || !draft->gaps_of_policy)
            continue;
        draft->gaps = (struct policy_gaps){OWN_GAP_MIN, REGIMEN_NONE, REGIMEN_NONE, REGIMEN_NONE};
        draft->gaps_of_policy = false;
        dropped = true;
    }
    return dropped;
}

/* A drug that cannot keep its rules even alone contradicts them: for the pharmacist. */
static int screen_alone(struct composer *c)
{
    struct buf why;
    buf_init(&why);
    int status = 0;
    for (size_t i = 0; status == 0 && i < c->input->order_count; i++) {
        bool possible = true;
        if (!is_included(c, i))
            continue;
        status = solve_alone(c, i, &possible, &why);
        if (status == 0 && !possible && policy_gaps_drop(c, i))
            status = solve_alone(c, i, &possible, &why);
        if (status == 0 && !possible)
            status = leave_out(c, i, PLAN_WAITING, "no time of day keeps the order and every hard rule: %s",
                               buf_string(&why));
    }
    buf_finish(&why);
    return status;
}

/* Slots of an order in the last signed plan, when they are as many as the course has doses. */
static const int *previous_of(struct composer *c, const struct draft *draft)
{
    const struct plan_text *plan = c->input->signed_plan;
    const char *source_id = c->input->orders[draft->order].source_id;
    int found = 0;
    int *times = arena_array(c->arena, COURSE_DOSES_MAX, sizeof *times);
    if (!plan || !times)
        return NULL;
    for (size_t s = 0; s < plan->slot_count; s++) {
        bool used = false;
        for (size_t t = 0; t < plan->take_count && !used; t++) {
            const struct plan_take *take = &plan->takes[t];
            for (size_t o = 0; o < plan->order_count && take->slot == plan->slots[s].number; o++)
                used |=
                    plan->orders[o].id == take->order_id && strcmp(plan->orders[o].source_id, source_id) == 0;
        }
        if (used && found == draft->course->dose_count)
            return NULL;
        if (used)
            times[found++] =
                (plan->slots[s].minute - c->input->day.day_start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
    }
    if (found != draft->course->dose_count)
        return NULL;
    for (int i = 1; i < found; i++) {
        if (times[i] <= times[i - 1])
            return NULL; /* the patient's day begins elsewhere now */
    }
    return times;
}

static void previous_set(struct composer *c)
{
    struct regimen *regimen = c->proposal->regimen;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        size_t i = draft_of_drug(c->proposal, regimen, d);
        assert(i != SIZE_MAX);
        regimen->drugs[d].previous = previous_of(c, &c->drafts[i]);
    }
}

static void written_add(bool at[MINUTES_PER_DAY], const struct policy_clocks *clocks)
{
    for (int i = 0; i < clocks->count; i++)
        at[clocks->item[i]] = true;
}

/*
 * Times a day as written: the different clock times when each label is followed alone, with the clock times
 * that the timing rules give for its words. People do so: with seven drugs that fit into four times a day 464
 * adults made six of it on average (Wolf, Arch Intern Med 2011;171:300).
 */
static int times_written(const struct composer *c)
{
    bool at[MINUTES_PER_DAY] = {false};
    for (int i = 0; i < c->draft_count; i++) {
        const struct course *course = c->drafts[i].course;
        const struct policy_per_day *per_day = policy_per_day(c->policy, course->dose_count);
        const struct policy_interval *interval = policy_interval(c->policy, course->interval_min);
        if (!is_included(c, c->drafts[i].order))
            continue;
        for (int k = 0; k < course->dose_count; k++) {
            enum reading_when when = course->doses[k].when;
            bool repeated = course->dose_count > 1 && when == course->doses[k ? 0 : 1].when;
            if (when == READING_CLOCK)
                at[course->doses[k].minute] = true;
            else if (when == READING_INTERVAL && interval)
                written_add(at, &interval->as_written);
            else if (course->doses[k].offset_min > 0 &&
                     offset_clock(c, &course->doses[k], repeated ? k : 0) >= 0)
                at[offset_clock(c, &course->doses[k], repeated ? k : 0)] = true;
            else if ((when == READING_ANY || repeated) && per_day && k < per_day->as_written.count)
                at[per_day->as_written.item[k]] = true;
            else if (when != READING_ANY && when != READING_INTERVAL)
                at[c->policy->when[when].as_written] = true;
        }
    }
    int count = 0;
    for (int t = 0; t < MINUTES_PER_DAY; t++)
        count += at[t];
    return count;
}

static int parts_set(struct composer *c)
{
    struct part *parts = arena_array(c->arena, (size_t)c->draft_count, sizeof *parts);
    int count = 0;
    if (!parts)
        return no_memory(c->err);
    for (int i = 0; i < c->draft_count; i++) {
        if (!is_included(c, c->drafts[i].order))
            continue;
        c->drafts[count] = c->drafts[i];
        parts[count] = (struct part){.order = c->drafts[i].order, .course = c->drafts[i].course};
        count++;
    }
    c->draft_count = count;
    for (int i = 0; i < count; i++)
        parts[i].id = c->drafts[i].id;
    c->proposal->parts = parts;
    c->proposal->part_count = count;
    for (size_t i = 0; i < c->input->order_count; i++)
        c->proposal->included += is_included(c, i);
    return 0;
}

static int regimen_set(struct composer *c)
{
    struct proposal *proposal = c->proposal;
    int status = regimen_make(c, SIZE_MAX, &proposal->regimen);
    if (status == 0)
        status = regimen_hash(proposal->regimen, proposal->regimen_hash, c->err);
    if (status < 0)
        return status;
    for (int i = 0; i < proposal->part_count; i++) {
        struct part *part = &proposal->parts[i];
        part->drug = regimen_find_drug(proposal->regimen, part->id);
        assert(part->drug < proposal->regimen->drug_count);
    }
    previous_set(c);
    return 0;
}

static int proposal_begin(struct composer *c)
{
    struct proposal *proposal = c->proposal;
    proposal->members = arena_array(c->arena, c->input->order_count, sizeof *proposal->members);
    c->drafts = arena_array(c->arena, DRAFT_PARTS_MAX, sizeof *c->drafts);
    c->fits = arena_array(c->arena, c->input->order_count, sizeof *c->fits);
    if (!proposal->members || !c->drafts || !c->fits)
        return no_memory(c->err);
    bool provisional = false;
    for (size_t i = 0; i < c->input->order_count; i++) {
        proposal->members[i] =
            (struct member){.state = PLAN_INCLUDED, .reason = "", .begins = CIVIL_DAY_NONE};
        const struct product *product = c->input->orders[i].product;
        if (!product)
            continue;
        struct rules_product look = {product->ingredient, product->form, product->release};
        c->fits[i] = policy_fits(c->policy, &look);
        if (!c->fits[i])
            return no_memory(c->err);
        provisional |= product->provisional;
    }
    proposal->label = (struct label_form){.lines = c->policy->label_lines,
                                          .columns = c->policy->label_columns,
                                          .patient = c->input->name,
                                          .pharmacy = c->policy->pharmacy,
                                          .phone = c->policy->phone,
                                          .address = c->policy->address,
                                          .provisional = provisional};
    proposal->label_lines = label_lines_for_products(&proposal->label);
    if (proposal->label_lines < 1)
        return error_set(
            c->err, E_LIMIT,
            "name, date and pharmacy leave no line of the label for a drug: raise pouch.label_lines or "
            "pouch.label_columns of the site");
    return 0;
}

int compose(struct policy *policy, const struct input *input, int32_t start_day, int days,
            struct arena *arena, struct proposal **ret_proposal, struct error *err)
{
    struct error own;
    struct composer c = {.policy = policy,
                         .input = input,
                         .start_day = start_day,
                         .days = days,
                         .arena = arena,
                         .err = err ? err : &own,
                         .grid = policy->grid};
    c.proposal = arena_alloc(arena, sizeof *c.proposal);
    if (!c.proposal)
        return no_memory(err);
    int status = proposal_begin(&c);
    if (status == 0)
        status = screen_orders(&c);
    if (status == 0)
        status = draft_orders(&c);
    if (status == 0)
        status = screen_alone(&c);
    if (status == 0)
        status = pairs_screen(&c);
    if (status == 0)
        status = parts_set(&c);
    if (status == 0)
        c.proposal->times_written = times_written(&c);
    if (status == 0 && c.proposal->included > 0)
        status = regimen_set(&c);
    if (status == 0)
        *ret_proposal = c.proposal;
    return status;
}
