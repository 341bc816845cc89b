/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which orders may go into pouches. Intake has looked at most of this before; it is looked at again here,
 * because formulary and rules may have changed since, and because two locks are better than one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/base/utf8.h"
#include "controller/plan/compose_private.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/override.h"
#include "controller/plan/packing.h"
#include "controller/plan/plan.h"

bool is_included(const struct composer *c, size_t order)
{
    return c->proposal->members[order].state == PLAN_INCLUDED;
}

bool rule_fits(const struct composer *c, int rule, size_t order, int times)
{
    int wanted = c->policy->rules[rule].times;
    return c->fits[order] && c->fits[order]->match[rule] && (wanted == 0 || wanted == times);
}

const char *drug_of(const struct composer *c, size_t order)
{
    const struct input_order *o = &c->input->orders[order];
    return o->product ? o->product->name : o->drug;
}

int leave_out(struct composer *c, size_t order, enum plan_state state, const char *format, ...)
{
    struct member *member = &c->proposal->members[order];
    if (member->state != PLAN_INCLUDED)
        return 0;
    char text[PLAN_NAME_BYTES_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len >= (int)sizeof text)
        utf8_ellipsis(text, sizeof text);
    member->state = state;
    member->reason = arena_text(c->arena, text, strlen(text));
    return member->reason ? 0 : error_set(c->err, E_MEMORY, "no memory for the plan");
}

/* What intake said of an order that is not packable. */
static int screen_outcome(struct composer *c, size_t i)
{
    const struct input_order *order = &c->input->orders[i];
    const char *reasons = order->reasons[0] ? order->reasons : "the importer gave no reason";
    if (order->outcome == INPUT_REFUSED)
        return leave_out(c, i, PLAN_APART, "%s", reasons);
    if (order->outcome == INPUT_WAITING && !order->asks) /* else screen_product looks for the word */
        return leave_out(c, i, PLAN_WAITING, "%s", reasons);
    if (!order->product)
        return leave_out(c, i, PLAN_WAITING, "its product %s is not in the formulary",
                         order->product_code ? order->product_code : "-");
    if (!order->reading || order->reading->phase_count == 0)
        return leave_out(c, i, PLAN_WAITING, "what the order says of doses and times is missing");
    if (order->reading->as_needed)
        return leave_out(c, i, PLAN_APART, "as needed: never in a dated pouch");
    return 0;
}

/* The first override in force that answers what the rules ask. *ret_why: what is wrong with the last that
 * does not, NULL when there is none. */
static const struct plan_override *override_of(const struct composer *c, const struct product *product,
                                               const struct packing_verdict *verdict, const char **ret_why)
{
    *ret_why = NULL;
    for (size_t i = 0; i < c->input->override_count; i++) {
        const struct plan_override *said = &c->input->overrides[i];
        if (strcmp(said->product, product->code) == 0 &&
            override_holds(said, verdict, c->input->today, ret_why))
            return said;
    }
    return NULL;
}

/* A product that the rules or the formulary leave to the pharmacist: only with his word. */
static int screen_ask(struct composer *c, size_t i, const struct packing_verdict *verdict)
{
    const struct product *product = c->input->orders[i].product;
    const char *why = NULL;
    bool formulary = strcmp(verdict->id, PACKING_FORMULARY) == 0;
    c->proposal->members[i].said = override_of(c, product, verdict, &why);
    if (c->proposal->members[i].said)
        return 0;
    return leave_out(c, i, PLAN_WAITING, "%s%s asks for a pharmacist (%s)%s%s: sachet override add %s",
                     formulary ? "the " : "packing rule ", verdict->id,
                     verdict->reason[0] ? verdict->reason : "no reason is given",
                     why ? ", and of the override that there is: " : "", why ? why : "", product->code);
}

static int screen_product(struct composer *c, size_t i)
{
    const struct input_order *order = &c->input->orders[i];
    const struct packing_verdict verdict = packing_judge(c->fits[i]->packing, order->product);
    if (order->schedule >= JURISDICTION_SCHEDULE_FIRST && order->schedule <= JURISDICTION_SCHEDULE_LAST) {
        const struct jurisdiction_rule *law = &c->policy->jurisdiction->controlled[order->schedule];
        if (law->outside)
            return leave_out(c, i, PLAN_APART, "schedule %d, rule %s: %s", order->schedule, law->id,
                             law->text);
    }
    c->proposal->members[i].alone = verdict.alone;
    if (verdict.policy == RULES_PHARMACIST)
        return screen_ask(c, i, &verdict);
    if (verdict.policy == RULES_NEVER || verdict.policy == RULES_ORIGINAL)
        return strcmp(verdict.id, PACKING_FORMULARY) == 0
                   ? leave_out(c, i, PLAN_APART, "the formulary says: not for pouches%s%s",
                               verdict.reason[0] ? ": " : "", verdict.reason)
                   : leave_out(c, i, PLAN_APART, "packing rule %s: %s", verdict.id, verdict.reason);
    if (order->asks) /* what was asked when it came is asked no more: whoever reads it again says so */
        return leave_out(c, i, PLAN_WAITING, "%s; the rules say otherwise now: import the order again",
                         order->reasons);
    return 0;
}

static int screen_amounts(struct composer *c, size_t i)
{
    const struct input_order *order = &c->input->orders[i];
    for (int p = 0; p < order->reading->phase_count; p++) {
        const struct reading_phase *phase = &order->reading->phases[p];
        for (int d = 0; d < phase->dose_count; d++) {
            int64_t amount = phase->doses[d].amount_milli;
            char text[QUANTITY_TEXT_BYTES];
            quantity_format(amount, text);
            if (amount < 1 || amount > ROLL_AMOUNT_MILLI_MAX || amount % (QUANTITY_ONE / 2) != 0)
                return leave_out(c, i, PLAN_WAITING,
                                 "a dose of %s pieces is not made of whole and half pieces", text);
            if (amount % QUANTITY_ONE != 0 && !order->product->halves)
                return leave_out(c, i, PLAN_WAITING, "a dose of %s pieces, but %s cannot be had in halves",
                                 text, order->product->name);
        }
    }
    return 0;
}

static int screen_label(struct composer *c, size_t i)
{
    int lines = label_lines_of(&c->proposal->label, c->input->orders[i].product->name, true);
    if (lines <= c->proposal->label_lines)
        return 0;
    return leave_out(c, i, PLAN_WAITING, "its name needs %d lines of the label, which has room for %d", lines,
                     c->proposal->label_lines);
}

/* The order in the last signed plan, when it had begun by then. */
static const struct plan_order *signed_order(const struct composer *c, size_t i)
{
    const struct plan_text *plan = c->input->signed_plan;
    for (size_t k = 0; plan && k < plan->order_count; k++) {
        if (strcmp(plan->orders[k].source_id, c->input->orders[i].source_id) == 0)
            return plan->orders[k].begins != CIVIL_DAY_NONE ? &plan->orders[k] : NULL;
    }
    return NULL;
}

/* A course: something that ends or changes by itself, so that the day on which it began decides the dose. */
static bool is_course(const struct reading *reading)
{
    bool course = false;
    for (int p = 0; p < reading->phase_count; p++)
        course |= reading->phases[p].length_days > 0 || reading->phases[p].group != reading->phases[0].group;
    return course;
}

/*
 * Where the order's courses count from. An order with no date of its own that was planned before goes on from
 * where it began then, so that a taper is never started a second time and a rhythm keeps its days. The day is
 * carried from plan to plan even while the order is left out.
 */
static int screen_begin(struct composer *c, size_t i)
{
    const struct input_order *order = &c->input->orders[i];
    const struct plan_order *before = signed_order(c, i);
    struct member *member = &c->proposal->members[i];
    if (before)
        member->begins = before->begins;
    if (!is_included(c, i))
        return 0;
    bool undated = course_needs_begin(order->reading);
    bool goes_on = before && order->same_reading && before->state != PLAN_WAITING;
    if (undated && is_course(order->reading) && (before || order->planned_before) && !goes_on)
        return leave_out(
            c, i, PLAN_WAITING,
            "it changed or was interrupted in the middle of a course: a pharmacist must say on which "
            "day it goes on");
    if (!undated || !before)
        member->begins = course_begin(order->reading, c->start_day);
    return 0;
}

static int screen_courses(struct composer *c, size_t i)
{
    struct member *member = &c->proposal->members[i];
    struct course *courses = arena_array(c->arena, COURSES_MAX, sizeof *courses);
    struct error why = {0};
    if (!courses)
        return error_set(c->err, E_MEMORY, "no memory for the plan");
    const struct plan_span *span = c->input->orders[i].span;
    int32_t first = c->start_day, last = c->start_day + c->days - 1;
    if (span && span->first_day > first)
        first = span->first_day;
    if (span && span->last_day < last)
        last = span->last_day;
    if (first > last)
        return leave_out(c, i, PLAN_APART, "%s", span ? span->reason : "");
    int count = courses_of(c->input->orders[i].reading, member->begins, first, last - first + 1,
                           c->input->day.day_start, courses, &why);
    if (count < 0)
        return leave_out(c, i, PLAN_WAITING, "%s", why.message);
    if (count == 0)
        return leave_out(c, i, PLAN_APART, "none of its doses falls into this cycle");
    member->courses = courses;
    member->course_count = count;
    if (last - first + 1 < c->days)
        return proposal_note(c->proposal, c->input, c->arena, PLAN_WARNING, i, "%s: %s", drug_of(c, i),
                             span->reason);
    return 0;
}

static bool taken_on(const struct member *member, int32_t day)
{
    for (int k = 0; k < member->course_count; k++) {
        if (roll_pattern_has(&member->courses[k].pattern, day))
            return true;
    }
    return false;
}

/* Hard stop of the calendar: methotrexate every day has killed (ISMP). */
static int screen_calendar(struct composer *c, size_t i)
{
    const struct member *member = &c->proposal->members[i];
    for (int r = 0; r < c->policy->rule_count; r++) {
        const struct policy_rule *rule = &c->policy->rules[r];
        if (rule->kind != POLICY_KIND_CALENDAR || !c->fits[i]->match[r])
            continue;
        int32_t last = CIVIL_DAY_NONE;
        bool often = false;
        for (int k = 0; k < member->course_count; k++) {
            const struct roll_pattern *pattern = &member->courses[k].pattern;
            int weekdays = __builtin_popcount(pattern->weekdays);
            often |= (weekdays ? 7 / weekdays : pattern->every_days) < rule->every_days;
        }
        for (int32_t day = c->start_day; day < c->start_day + c->days; day++) {
            if (!taken_on(member, day))
                continue;
            often |= last != CIVIL_DAY_NONE && day - last < rule->every_days;
            last = day;
        }
        if (often && rule->severity == POLICY_HARD)
            return leave_out(c, i, PLAN_WAITING, "rule %s: more often than every %d days. %s [%s]", rule->id,
                             rule->every_days, rule->text, rule->cite);
        if (often)
            return proposal_note(c->proposal, c->input, c->arena, PLAN_WARNING, i, "%s: %s [%s, %s]",
                                 drug_of(c, i), rule->text, rule->id, rule->cite);
    }
    return 0;
}

static bool share_days(const struct composer *c, const struct member *a, const struct member *b)
{
    for (int32_t day = c->start_day; day < c->start_day + c->days; day++) {
        if (taken_on(a, day) && taken_on(b, day))
            return true;
    }
    return false;
}

/* One product in two orders on one day: never added up, never chosen between. */
static int screen_doubles(struct composer *c)
{
    size_t count = c->input->order_count;
    bool *doubled = arena_array(c->arena, count, sizeof *doubled);
    if (!doubled)
        return error_set(c->err, E_MEMORY, "no memory for the plan");
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            if (!is_included(c, i) || !is_included(c, k) ||
                strcmp(c->input->orders[i].product->code, c->input->orders[k].product->code) != 0 ||
                !share_days(c, &c->proposal->members[i], &c->proposal->members[k]))
                continue;
            doubled[i] = doubled[k] = true;
        }
    }
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (doubled[i])
            status = leave_out(c, i, PLAN_WAITING, "%s stands in several current orders", drug_of(c, i));
    }
    return status;
}

int screen_orders(struct composer *c)
{
    static int (*const checks[])(struct composer *, size_t) = {screen_outcome, screen_product, screen_amounts,
                                                               screen_label};
    int status = 0;
    for (size_t i = 0; status == 0 && i < c->input->order_count; i++) {
        for (size_t k = 0; status == 0 && is_included(c, i) && k < sizeof checks / sizeof *checks; k++)
            status = checks[k](c, i);
        if (status == 0)
            status = screen_begin(c, i);
        if (status == 0 && is_included(c, i))
            status = screen_courses(c, i);
        if (status == 0 && is_included(c, i))
            status = screen_calendar(c, i);
    }
    return status < 0 ? status : screen_doubles(c);
}
