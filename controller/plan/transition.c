/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/transition.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"

enum { WEEK_DAYS = 7, NEAR_DAYS = 4 };

/* Doses of one drug in one plan, by time; days: the logical days on which it is taken. */
struct doses {
    int64_t *at;
    size_t count;
    int32_t first_day, last_day;
    int a_day;          /* doses on its first day */
    int step, step_max; /* days from one of its days to the next */
    int night_min;      /* from the last dose of a day to the first of the next, TRANSITION_MINUTES_NONE */
    int night_max;
};

struct check {
    const struct transition_request *r;
    struct arena *arena;
    struct error *err;
    int32_t last_day; /* the last logical day on which the old plan is followed */
    bool pause;
    struct transition_finding *findings;
    size_t count, cap;
};

const char *transition_kind_text(enum transition_kind kind)
{
    static const char *const texts[TRANSITION_KINDS] = {[TRANSITION_SOON] = "soon",
                                                        [TRANSITION_NEAR] = "near",
                                                        [TRANSITION_LATE] = "late",
                                                        [TRANSITION_PAUSE] = "pause"};
    return texts[kind];
}

bool transition_must_answer(enum transition_kind kind)
{
    return kind == TRANSITION_SOON || kind == TRANSITION_NEAR;
}

static int no_memory(struct check *c)
{
    return error_set(c->err, E_MEMORY, "no memory for the comparison of two plans");
}

static int add(struct check *c, struct transition_finding finding)
{
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16;
        struct transition_finding *grown = arena_array(c->arena, cap, sizeof *grown);
        if (!grown)
            return no_memory(c);
        if (c->count)
            memcpy(grown, c->findings, c->count * sizeof *grown);
        c->findings = grown;
        c->cap = cap;
    }
    c->findings[c->count++] = finding;
    return 0;
}

static const char *ingredient_of(const struct check *c, const char *code)
{
    for (size_t i = 0; i < c->r->product_count; i++) {
        if (strcmp(c->r->products[i].code, code) == 0)
            return c->r->products[i].ingredient;
    }
    return "";
}

static const char *name_of(const struct plan_text *plan, const char *code)
{
    const struct plan_product *product = plan_text_product(plan, code);
    return product ? product->name : code;
}

static int compare_instants(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Does the order belong to what is looked for? */
typedef bool order_wanted(const struct check *check, const struct plan_order *order, const void *what);

static const struct plan_order *order_of(const struct plan_text *plan, int64_t id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (plan->orders[i].id == id)
            return &plan->orders[i];
    }
    return NULL;
}

static void steps_set(struct doses *d, const struct roll_pattern *pattern)
{
    if (d->step > 0)
        return;
    d->step = pattern->weekdays ? WEEK_DAYS / __builtin_popcount(pattern->weekdays) : pattern->every_days;
    d->step = d->step > 0 ? d->step : 1;
    d->step_max = d->step;
}

/* One day's doses behind those of the days before it. */
static void day_add(struct doses *d, int32_t day, size_t from)
{
    size_t kept = from;
    if (d->count == from)
        return;
    qsort(d->at + from, d->count - from, sizeof *d->at, compare_instants);
    for (size_t i = from; i < d->count; i++) { /* two strengths at one time are one dose */
        if (kept == from || d->at[kept - 1] != d->at[i])
            d->at[kept++] = d->at[i];
    }
    d->count = kept;
    if (from == 0) {
        d->first_day = day;
        d->a_day = (int)d->count;
    } else {
        int step = day - d->last_day, night = (int)(d->at[from] - d->at[from - 1]);
        d->step = d->step == 0 || step < d->step ? step : d->step;
        d->step_max = step > d->step_max ? step : d->step_max;
        d->night_min = d->night_min == TRANSITION_MINUTES_NONE || night < d->night_min ? night : d->night_min;
        d->night_max = night > d->night_max ? night : d->night_max;
    }
    d->last_day = day;
}

/* The doses of all orders that are wanted, on the logical days first..last of the plan. */
static int doses_of(struct check *c, const struct plan_text *plan, int32_t first, int32_t last,
                    order_wanted *wanted, const void *what, struct doses *ret)
{
    struct doses d = {.night_min = TRANSITION_MINUTES_NONE, .night_max = TRANSITION_MINUTES_NONE};
    const struct roll_pattern *pattern = NULL;
    size_t cap = 0;
    bool *mine = arena_array(c->arena, plan->take_count + 1, sizeof *mine);
    if (!mine)
        return no_memory(c);
    for (size_t t = 0; t < plan->take_count; t++) {
        const struct plan_order *order = order_of(plan, plan->takes[t].order_id);
        mine[t] = order && wanted(c, order, what);
        if (mine[t] && last >= first)
            cap += (size_t)(last - first + 1);
    }
    d.at = arena_array(c->arena, cap + 1, sizeof *d.at);
    if (!d.at)
        return no_memory(c);
    for (int32_t day = first; day <= last; day++) {
        size_t from = d.count;
        for (size_t t = 0; t < plan->take_count; t++) {
            const struct plan_take *take = &plan->takes[t];
            if (!mine[t] || !roll_pattern_has(&take->pattern, day))
                continue;
            const struct plan_slot *slot = &plan->slots[take->slot - 1];
            d.at[d.count++] = ((int64_t)day + slot->offset) * MINUTES_PER_DAY + slot->minute;
            pattern = &take->pattern;
        }
        day_add(&d, day, from);
    }
    if (pattern)
        steps_set(&d, pattern);
    *ret = d;
    return 0;
}

static bool is_order(const struct check *c, const struct plan_order *order, const void *what)
{
    (void)c;
    return order->state == PLAN_INCLUDED && order->id == *(const int64_t *)what;
}

static bool is_product(const struct check *c, const struct plan_order *order, const void *what)
{
    (void)c;
    return order->state == PLAN_INCLUDED && strcmp(order->product, what) == 0;
}

/* How an order of the new plan is found again in the old one: by its id, by its product, by its ingredient.
 */
enum match { MATCH_ID, MATCH_PRODUCT, MATCH_INGREDIENT, MATCHES };

struct wish {
    enum match match;
    const struct plan_order *order;
};

static bool lives_on(const struct plan_text *now, const char *source_id)
{
    for (size_t i = 0; i < now->order_count; i++) {
        if (now->orders[i].state == PLAN_INCLUDED && strcmp(now->orders[i].source_id, source_id) == 0)
            return true;
    }
    return false;
}

static bool is_same_drug(const struct check *c, const struct plan_order *old, const void *what)
{
    const struct wish *wish = what;
    if (old->state != PLAN_INCLUDED)
        return false;
    if (wish->match == MATCH_ID)
        return strcmp(old->source_id, wish->order->source_id) == 0;
    if (lives_on(c->r->now, old->source_id))
        return false; /* it is compared with itself */
    if (wish->match == MATCH_PRODUCT)
        return strcmp(old->product, wish->order->product) == 0;
    const char *a = ingredient_of(c, old->product), *b = ingredient_of(c, wish->order->product);
    return a[0] != '\0' && strcasecmp(a, b) == 0;
}

static const struct plan_order *old_order(const struct check *c, const struct wish *wish)
{
    for (size_t i = 0; i < c->r->before->order_count; i++) {
        if (is_same_drug(c, &c->r->before->orders[i], wish))
            return &c->r->before->orders[i];
    }
    return NULL;
}

static const struct transition_bounds *bounds_of(const struct check *c, int64_t order_id)
{
    static const struct transition_bounds none = {0, TRANSITION_MINUTES_NONE, TRANSITION_MINUTES_NONE,
                                                  TRANSITION_MINUTES_NONE};
    for (size_t i = 0; i < c->r->bound_count; i++) {
        if (c->r->bounds[i].order_id == order_id)
            return &c->r->bounds[i];
    }
    return &none;
}

static int usual(const struct doses *d, int step)
{
    return (step - 1) * MINUTES_PER_DAY + MINUTES_PER_DAY / d->a_day;
}

static int least_of(const struct transition_bounds *b, const struct doses *now)
{
    int half = usual(now, now->step) / 2;
    int least = b->overnight_min != TRANSITION_MINUTES_NONE ? b->overnight_min
                : b->gap_min > TRANSITION_GAP_OWN_MIN       ? b->gap_min
                                                            : half;
    if (now->step > 1 && least < half)
        least = half;
    if (now->night_min != TRANSITION_MINUTES_NONE && now->night_min < least)
        least = now->night_min;
    return least;
}

static int most_of(const struct transition_bounds *b, const struct doses *now, const struct doses *old)
{
    int most = usual(now, now->step_max) * 3 / 2;
    if (now->step_max == 1 && b->overnight_max != TRANSITION_MINUTES_NONE)
        most = b->overnight_max;
    else if (now->step_max == 1 && now->a_day > 1 && b->gap_min > TRANSITION_GAP_OWN_MIN)
        most = MINUTES_PER_DAY - (now->a_day - 1) * b->gap_min;
    most = now->night_max > most ? now->night_max : most;
    return old->night_max > most ? old->night_max : most;
}

/* The nearest two doses of the one and the other; both lists rise. */
static int64_t nearest(const struct doses *old, const struct doses *now, int64_t *ret_last,
                       int64_t *ret_first)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0, k = 0; i < old->count && k < now->count;) {
        int64_t apart = now->at[k] - old->at[i];
        if (llabs(apart) < best) {
            best = llabs(apart);
            *ret_last = old->at[i];
            *ret_first = now->at[k];
        }
        if (apart > 0)
            i++;
        else
            k++;
    }
    return best;
}

static int drug_check(struct check *c, const struct plan_order *order)
{
    const struct plan_text *before = c->r->before, *now = c->r->now;
    struct wish wish = {.match = MATCH_ID, .order = order};
    const struct plan_order *match = NULL;
    struct doses old = {0}, new = {0};
    int64_t last = 0, first = 0;
    for (; wish.match < MATCHES && !(match = old_order(c, &wish));)
        wish.match++;
    if (!match)
        return 0;
    int status = doses_of(c, before, before->start_day, c->last_day, is_same_drug, &wish, &old);
    if (status == 0)
        status = doses_of(c, now, now->start_day, now->start_day + now->days - 1, is_order, &order->id, &new);
    if (status < 0 || old.count == 0 || new.count == 0)
        return status;
    const struct transition_bounds *bounds = bounds_of(c, order->id);
    struct transition_finding finding = {.order_id = order->id,
                                         .before = name_of(before, match->product),
                                         .now = name_of(now, order->product),
                                         .rule = ""};
    int least = least_of(bounds, &new), most = most_of(bounds, &new, &old);
    int64_t apart = nearest(&old, &new, &last, &first);
    if (apart < least) {
        finding.kind = TRANSITION_SOON;
        finding.last = last;
        finding.first = first;
        finding.have = (int)apart;
        finding.want = least;
        status = add(c, finding);
    }
    last = old.at[old.count - 1];
    first = INT64_MAX;
    for (size_t k = 0; k < new.count &&first == INT64_MAX; k++)
        first = new.at[k] > last ? new.at[k] : INT64_MAX;
    /* A course that was over, or one that begins later in the cycle, is not interrupted. */
    bool running = old.last_day > c->last_day - old.step_max;
    bool at_once = new.first_day < now->start_day + new.step_max;
    if (status == 0 && !c->pause && running && at_once && first != INT64_MAX && first - last > most) {
        finding.kind = TRANSITION_LATE;
        finding.last = last;
        finding.first = first;
        finding.have = (int)(first - last);
        finding.want = most;
        status = add(c, finding);
    }
    return status;
}

/* How much nearer than it may the partner's dose b lies to the drug's dose a; 0: it is far enough. */
static int missing(const struct transition_distance *d, int64_t a, int64_t b)
{
    int64_t apart = b - a;
    if (apart == 0)
        return d->together || d->after + d->before == 0 ? 0 : d->after > d->before ? d->after : d->before;
    if (apart > 0)
        return apart < d->after ? (int)(d->after - apart) : 0;
    return -apart < d->before ? (int)(d->before + apart) : 0;
}

static int64_t order_of_product(const struct plan_text *plan, const char *code)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (plan->orders[i].state == PLAN_INCLUDED && strcmp(plan->orders[i].product, code) == 0)
            return plan->orders[i].id;
    }
    return 0;
}

/* old_is_a: the rule's own drug is in the old pouches, its partner in the new ones; else the other way. */
static int distance_check(struct check *c, const struct transition_distance *d, bool old_is_a)
{
    const struct plan_text *before = c->r->before, *now = c->r->now;
    const char *old_code = old_is_a ? d->a : d->b, *new_code = old_is_a ? d->b : d->a;
    struct doses old = {0}, new = {0};
    int worst = 0;
    if (strcmp(d->a, d->b) == 0 || !plan_text_product(before, old_code) || !plan_text_product(now, new_code))
        return 0;
    /* Rules are about hours: a few days around the change are enough. */
    int32_t first_day =
        c->last_day - NEAR_DAYS > before->start_day ? c->last_day - NEAR_DAYS : before->start_day;
    int32_t end = now->start_day + (now->days < NEAR_DAYS ? now->days : NEAR_DAYS) - 1;
    int status = doses_of(c, before, first_day, c->last_day, is_product, old_code, &old);
    if (status == 0)
        status = doses_of(c, now, now->start_day, end, is_product, new_code, &new);
    struct transition_finding finding = {.kind = TRANSITION_NEAR,
                                         .order_id = order_of_product(now, new_code),
                                         .before = name_of(before, old_code),
                                         .now = name_of(now, new_code),
                                         .rule = d->rule};
    for (size_t i = 0; status == 0 && i < old.count; i++) {
        for (size_t k = 0; k < new.count; k++) {
            int lack = old_is_a ? missing(d, old.at[i], new.at[k]) : missing(d, new.at[k], old.at[i]);
            if (lack <= worst)
                continue;
            worst = lack;
            finding.last = old.at[i];
            finding.first = new.at[k];
            finding.have = (int)llabs(new.at[k] - old.at[i]);
            finding.want = finding.have + lack;
        }
    }
    return status == 0 && worst > 0 ? add(c, finding) : status;
}

static int pause_check(struct check *c)
{
    int32_t end = c->r->before->start_day + c->r->before->days; /* the first day without an old pouch */
    if (end >= c->r->now->start_day)
        return 0;
    c->pause = true;
    return add(c, (struct transition_finding){.kind = TRANSITION_PAUSE,
                                              .before = "",
                                              .now = "",
                                              .rule = "",
                                              .last = (int64_t)end * MINUTES_PER_DAY,
                                              .first = (int64_t)(c->r->now->start_day - 1) * MINUTES_PER_DAY,
                                              .have = c->r->now->start_day - end});
}

int transition_check(const struct transition_request *request, struct arena *arena,
                     struct transition_finding **ret_findings, size_t *ret_count, struct error *err)
{
    const struct plan_text *before = request->before, *now = request->now;
    struct check c = {.r = request, .arena = arena, .err = err};
    c.last_day = before->start_day + before->days - 1;
    if (c.last_day >= now->start_day)
        c.last_day = now->start_day - 1;
    int status = pause_check(&c);
    for (size_t i = 0; status == 0 && i < now->order_count; i++) {
        if (now->orders[i].state == PLAN_INCLUDED)
            status = drug_check(&c, &now->orders[i]);
    }
    for (size_t i = 0; status == 0 && i < request->distance_count; i++) {
        status = distance_check(&c, &request->distances[i], true);
        if (status == 0)
            status = distance_check(&c, &request->distances[i], false);
    }
    if (status < 0)
        return status;
    *ret_findings = c.findings;
    *ret_count = c.count;
    return 0;
}

static void instant_text(int64_t at, struct buf *out)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    char date[CIVIL_TEXT_BYTES], clock[TOD_TEXT_BYTES];
    int32_t day = (int32_t)(at / MINUTES_PER_DAY);
    civil_format(day, date);
    tod_format((int)(at % MINUTES_PER_DAY), clock);
    buf_printf(out, "%s %s %s", names[civil_weekday(day)], date, clock);
}

static void span_text(int minutes, struct buf *out)
{
    int days = minutes / MINUTES_PER_DAY, hours = minutes % MINUTES_PER_DAY / 60, rest = minutes % 60;
    if (days > 1)
        buf_printf(out, "%d days", days);
    else
        hours += days * 24;
    if (hours > 0)
        buf_printf(out, "%s%d h", days > 1 ? " " : "", hours);
    if (rest > 0 || (days < 2 && hours == 0))
        buf_printf(out, "%s%d min", days > 1 || hours > 0 ? " " : "", rest);
}

static void day_text(int64_t at, struct buf *out)
{
    char date[CIVIL_TEXT_BYTES];
    civil_format((int32_t)(at / MINUTES_PER_DAY), date);
    buf_text(out, date);
}

void transition_text(const struct transition_finding *f, struct buf *out)
{
    if (f->kind == TRANSITION_PAUSE) {
        buf_text(out, "no pouches from ");
        day_text(f->last, out);
        buf_text(out, " to ");
        day_text(f->first, out);
        buf_text(out, ": the plan before ends earlier");
        return;
    }
    bool other = strcmp(f->before, f->now) != 0;
    buf_printf(out, "%s: last from the old pouches ", f->before);
    instant_text(f->last, out);
    buf_printf(out, ", first%s%s from the new ", other ? " " : "", other ? f->now : "");
    instant_text(f->first, out);
    buf_text(out, "; ");
    span_text(f->have, out);
    buf_text(out, f->kind == TRANSITION_LATE ? " between, at most " : " between, at least ");
    span_text(f->want, out);
    if (f->kind == TRANSITION_NEAR)
        buf_printf(out, " (rule %s)", f->rule);
}
