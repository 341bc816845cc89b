/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change from one plan to the next: named cases, and random pairs of plans against a reference that
 * shares nothing with the check: it walks the calendar minute by minute.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/plan/transition.h"

enum { DAY = 1440, NONE = TRANSITION_MINUTES_NONE, DRUGS = 3, TAKES = 24, MONDAY = 20780 };

/* A plan with as much in it as the check reads. */
struct sketch {
    struct plan_text text;
    struct plan_product products[DRUGS];
    struct plan_order orders[DRUGS];
    struct plan_slot slots[6];
    struct plan_take takes[TAKES];
};

static void sketch_init(struct sketch *s, int32_t start, int days, int day_start)
{
    memset(s, 0, sizeof *s);
    s->text = (struct plan_text){.format = PLAN_FORMAT_NOW,
                                 .start_day = start,
                                 .days = days,
                                 .day_start = day_start,
                                 .products = s->products,
                                 .orders = s->orders,
                                 .slots = s->slots,
                                 .takes = s->takes};
}

/* Clock times in the order of the logical day. */
static void sketch_slot(struct sketch *s, int minute)
{
    struct plan_slot *slot = &s->slots[s->text.slot_count++];
    *slot = (struct plan_slot){
        .number = (int)s->text.slot_count, .minute = minute, .offset = minute < s->text.day_start};
}

static void sketch_order(struct sketch *s, int64_t id, const char *source_id, const char *code)
{
    s->orders[s->text.order_count++] =
        (struct plan_order){.id = id, .source_id = source_id, .product = code, .state = PLAN_INCLUDED};
    for (size_t i = 0; i < s->text.product_count; i++) {
        if (strcmp(s->products[i].code, code) == 0)
            return;
    }
    size_t at = s->text.product_count++; /* by code, as plans have them */
    for (; at > 0 && strcmp(s->products[at - 1].code, code) > 0; at--)
        s->products[at] = s->products[at - 1];
    s->products[at] = (struct plan_product){.code = code, .name = code};
}

static void sketch_take(struct sketch *s, int64_t order, int slot, struct roll_pattern pattern)
{
    s->takes[s->text.take_count++] =
        (struct plan_take){.order_id = order, .slot = slot, .amount_milli = 1000, .pattern = pattern};
}

static struct roll_pattern every(const struct sketch *s, int days)
{
    return (struct roll_pattern){.first_day = s->text.start_day,
                                 .last_day = s->text.start_day + s->text.days - 1,
                                 .anchor_day = s->text.start_day,
                                 .every_days = days};
}

static struct roll_pattern on_weekdays(const struct sketch *s, unsigned weekdays)
{
    struct roll_pattern pattern = every(s, 1);
    pattern.weekdays = weekdays;
    return pattern;
}

static const struct transition_product products[] = {
    {"A", "alpha"}, {"A2", "Alpha"}, {"B", "beta"}, {"C", "gamma"}, {"D", ""}};

struct answer {
    struct arena arena;
    struct transition_finding *findings;
    size_t count;
};

static struct answer ask(const struct sketch *before, const struct sketch *now,
                         const struct transition_bounds *bounds, size_t bound_count,
                         const struct transition_distance *distances, size_t distance_count)
{
    struct answer a = {.findings = NULL};
    struct error err = {0};
    const struct transition_request request = {.before = &before->text,
                                               .now = &now->text,
                                               .products = products,
                                               .product_count = sizeof products / sizeof *products,
                                               .bounds = bounds,
                                               .bound_count = bound_count,
                                               .distances = distances,
                                               .distance_count = distance_count};
    arena_init(&a.arena, 0);
    if (transition_check(&request, &a.arena, &a.findings, &a.count, &err) < 0)
        fail_msg("%s", err.message);
    return a;
}

static void once_a_day(struct sketch *s, int32_t start, int days, int day_start, int minute)
{
    sketch_init(s, start, days, day_start);
    sketch_slot(s, minute);
    sketch_order(s, 7, "o1", "A");
    sketch_take(s, 7, 1, every(s, 1));
}

static void assert_says(const struct answer *a, enum transition_kind kind, int have, int want)
{
    assert_int_equal(a->count, 1);
    assert_int_equal(a->findings[0].kind, kind);
    assert_int_equal(a->findings[0].have, have);
    assert_int_equal(a->findings[0].want, want);
}

static void the_same_times_go_on_without_a_word(void **state)
{
    (void)state;
    struct sketch before, now;
    once_a_day(&before, MONDAY, 14, 240, 480);
    once_a_day(&now, MONDAY + 14, 14, 240, 480);
    struct answer a = ask(&before, &now, NULL, 0, NULL, 0);
    assert_int_equal(a.count, 0);
    arena_finish(&a.arena);
}

static void evening_to_morning_is_too_soon_and_morning_to_night_too_late(void **state)
{
    (void)state;
    struct sketch before, now;
    once_a_day(&before, MONDAY, 14, 240, 1320);
    once_a_day(&now, MONDAY + 14, 14, 240, 480);
    struct answer a = ask(&before, &now, NULL, 0, NULL, 0);
    assert_says(&a, TRANSITION_SOON, 600, 720);
    arena_finish(&a.arena);
    once_a_day(&before, MONDAY, 14, 240, 480);
    once_a_day(&now, MONDAY + 14, 14, 240, 1321);
    a = ask(&before, &now, NULL, 0, NULL, 0);
    assert_says(&a, TRANSITION_LATE, 2281, 2160);
    struct buf text;
    buf_init(&text);
    transition_text(&a.findings[0], &text);
    assert_string_equal(buf_string(&text),
                        "A: last from the old pouches Sun 2026-12-06 08:00, first from the new "
                        "Mon 2026-12-07 22:01; 38 h 1 min between, at most 36 h");
    buf_finish(&text);
    arena_finish(&a.arena);
}

static void bounds_come_before_the_usual_interval(void **state)
{
    (void)state;
    struct sketch before, now;
    const struct transition_bounds night = {7, 300, 630, 700}, gap = {7, 500, NONE, NONE},
                                   own = {7, TRANSITION_GAP_OWN_MIN, NONE, NONE};
    for (int i = 0; i < 3; i++) {
        sketch_init(&before, MONDAY, 7, 240);
        sketch_slot(&before, 600);
        sketch_slot(&before, 1380);
        sketch_init(&now, MONDAY + 7, 7, 240);
        sketch_slot(&now, 300);
        sketch_slot(&now, 1020); /* twelve hours either way */
        for (int k = 1; k <= 2; k++) {
            sketch_take(&before, 7, k, every(&before, 1));
            sketch_take(&now, 7, k, every(&now, 1));
        }
        sketch_order(&before, 7, "o1", "A");
        sketch_order(&now, 7, "o1", "A");
        struct answer a = ask(&before, &now, i == 0 ? &night : i == 1 ? &gap : &own, 1, NULL, 0);
        /* 23:00 to 05:00 are six hours. */
        if (i == 0)
            assert_says(&a, TRANSITION_SOON, 360, 630);
        else if (i == 1)
            assert_says(&a, TRANSITION_SOON, 360, 500);
        else
            assert_int_equal(a.count,
                             0); /* the hour between two doses says nothing of a night: half of 12 h */
        arena_finish(&a.arena);
    }
}

static void a_weekly_drug_keeps_half_a_week(void **state)
{
    (void)state;
    struct sketch before, now;
    for (int day = 0; day < 7; day++) {
        sketch_init(&before, MONDAY, 7, 240);
        sketch_slot(&before, 480);
        sketch_order(&before, 7, "o1", "A");
        sketch_take(&before, 7, 1, on_weekdays(&before, 1u << 6)); /* Sunday, the last day */
        sketch_init(&now, MONDAY + 7, 28, 240);
        sketch_slot(&now, 480);
        sketch_order(&now, 7, "o1", "A");
        sketch_take(&now, 7, 1, on_weekdays(&now, 1u << day));
        struct answer a = ask(&before, &now, NULL, 0, NULL, 0);
        if (day < 3)
            assert_says(&a, TRANSITION_SOON, (day + 1) * DAY, 7 * DAY / 2);
        else
            assert_int_equal(a.count, 0);
        arena_finish(&a.arena);
    }
}

static void a_stopped_mineral_still_keeps_its_distance_over_midnight(void **state)
{
    (void)state;
    struct sketch before, now;
    const struct transition_distance distance = {
        .rule = "thyroid-minerals", .a = "A", .b = "B", .after = 240, .before = 240};
    sketch_init(&before, MONDAY, 7, 240);
    sketch_slot(&before, 60); /* 01:00, still Sunday's logical day */
    sketch_order(&before, 3, "o9", "B");
    sketch_take(&before, 3, 1, every(&before, 1));
    once_a_day(&now, MONDAY + 7, 7, 240, 270);
    struct answer a = ask(&before, &now, NULL, 0, &distance, 1);
    assert_says(&a, TRANSITION_NEAR, 210, 240);
    assert_true(transition_must_answer(a.findings[0].kind));
    arena_finish(&a.arena);
}

static void days_without_pouches_are_said_once(void **state)
{
    (void)state;
    struct sketch before, now;
    once_a_day(&before, MONDAY, 7, 240, 480);
    once_a_day(&now, MONDAY + 9, 7, 240, 480);
    struct answer a = ask(&before, &now, NULL, 0, NULL, 0);
    assert_says(&a, TRANSITION_PAUSE, 2, 0);
    struct buf text;
    buf_init(&text);
    transition_text(&a.findings[0], &text);
    assert_string_equal(buf_string(&text),
                        "no pouches from 2026-11-30 to 2026-12-01: the plan before ends earlier");
    buf_finish(&text);
    arena_finish(&a.arena);
}

/* ---- the reference ---- */

static bool taken(const struct plan_take *take, int32_t day)
{
    const struct roll_pattern *p = &take->pattern;
    if (day < p->first_day || day > p->last_day)
        return false;
    return p->weekdays ? p->weekdays >> ((day + 3) % 7) & 1 : (day - p->anchor_day) % p->every_days == 0;
}

enum { SPAN = 80 * DAY }; /* from a week before MONDAY on */

struct calendar {
    int day_of[SPAN]; /* the logical day of a dose at this minute, 0: none */
};

static const char *ingredient(const char *code)
{
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        if (strcmp(products[i].code, code) == 0)
            return products[i].ingredient;
    }
    return "";
}

/* Marks the doses of the orders of which wanted[] is true. */
static void mark(struct calendar *c, const struct sketch *s, const bool *wanted, int32_t until)
{
    bool slot_at[DAY] = {false};
    for (size_t i = 0; i < s->text.slot_count; i++)
        slot_at[s->slots[i].minute] = true;
    memset(c, 0, sizeof *c);
    for (int at = 0; at < SPAN; at++) {
        if (!slot_at[at % DAY])
            continue;
        int32_t date = MONDAY - 7 + at / DAY;
        int32_t day = at % DAY < s->text.day_start ? date - 1 : date;
        for (size_t t = 0; t < s->text.take_count; t++) {
            const struct plan_take *take = &s->takes[t];
            for (size_t o = 0; o < s->text.order_count; o++) {
                if (s->orders[o].id == take->order_id && wanted[o] && day >= s->text.start_day &&
                    day <= until && day < s->text.start_day + s->text.days &&
                    s->slots[take->slot - 1].minute == at % DAY && taken(take, day))
                    c->day_of[at] = day;
            }
        }
    }
}

struct night {
    int shortest, longest, step, step_max, a_day, first, last, first_day, last_day;
};

static struct night measure(const struct calendar *c)
{
    struct night n = {.shortest = 1 << 30, .first = -1, .last = -1, .step = 1 << 30};
    for (int at = 0; at < SPAN; at++) {
        if (!c->day_of[at])
            continue;
        if (n.last >= 0 && c->day_of[at] != c->day_of[n.last]) {
            int apart = at - n.last, step = c->day_of[at] - c->day_of[n.last];
            n.shortest = apart < n.shortest ? apart : n.shortest;
            n.longest = apart > n.longest ? apart : n.longest;
            n.step = step < n.step ? step : n.step;
            n.step_max = step > n.step_max ? step : n.step_max;
        }
        if (n.first < 0) {
            n.first = at;
            n.first_day = c->day_of[at];
        }
        n.a_day += c->day_of[at] == n.first_day;
        n.last = at;
        n.last_day = c->day_of[at];
    }
    return n;
}

static int rhythm(const struct sketch *s, const bool *wanted, int32_t day)
{
    int step = 1;
    for (size_t t = 0; t < s->text.take_count; t++) {
        for (size_t o = 0; o < s->text.order_count; o++) {
            if (s->orders[o].id == s->takes[t].order_id && wanted[o] && taken(&s->takes[t], day)) {
                unsigned w = s->takes[t].pattern.weekdays;
                step = w ? 7 / __builtin_popcount(w) : s->takes[t].pattern.every_days;
            }
        }
    }
    return step;
}

static bool lives(const struct sketch *now, const char *source)
{
    bool found = false;
    for (size_t i = 0; i < now->text.order_count; i++)
        found |= strcmp(now->orders[i].source_id, source) == 0;
    return found;
}

/* Which orders of the old plan are the drug of new order n. */
static bool partners(const struct sketch *before, const struct sketch *now, size_t n, bool *wanted)
{
    for (int how = 0; how < 3; how++) {
        bool any = false;
        for (size_t i = 0; i < before->text.order_count; i++) {
            const struct plan_order *old = &before->orders[i], *new = &now->orders[n];
            bool same = how == 0   ? strcmp(old->source_id, new->source_id) == 0
                        : how == 1 ? strcmp(old->product, new->product) == 0
                                   : ingredient(old->product)[0] &&
                                         strcasecmp(ingredient(old->product), ingredient(new->product)) == 0;
            wanted[i] = same && (how == 0 || !lives(now, old->source_id));
            any |= wanted[i];
        }
        if (any)
            return true;
    }
    return false;
}

struct expected {
    int soon, soon_want, late, late_want; /* 0: no finding */
};

static struct calendar left, right;

static struct expected judge(const struct sketch *before, const struct sketch *now, size_t n,
                             const struct transition_bounds *b)
{
    struct expected e = {0};
    bool old_mine[DRUGS] = {false}, mine[DRUGS] = {false};
    int32_t end = before->text.start_day + before->text.days - 1;
    bool pause = end < now->text.start_day - 1;
    if (end >= now->text.start_day)
        end = now->text.start_day - 1;
    mine[n] = true;
    if (!partners(before, now, n, old_mine))
        return e;
    mark(&left, before, old_mine, end);
    mark(&right, now, mine, 1 << 30);
    struct night old = measure(&left), new = measure(&right);
    if (old.first < 0 || new.first < 0)
        return e;
    if (new.step == 1 << 30)
        new.step = new.step_max = rhythm(now, mine, new.first_day);
    if (old.step == 1 << 30)
        old.step = old.step_max = rhythm(before, old_mine, old.first_day);
    int half = ((new.step - 1) * DAY + DAY / new.a_day) / 2;
    int least = b->overnight_min != NONE ? b->overnight_min : b->gap_min > 60 ? b->gap_min : half;
    if (new.step > 1 && least < half)
        least = half;
    least = new.shortest < least ? new.shortest : least;
    int most = ((new.step_max - 1) * DAY + DAY / new.a_day) * 3 / 2;
    if (new.step_max == 1 && b->overnight_max != NONE)
        most = b->overnight_max;
    else if (new.step_max == 1 && new.a_day > 1 && b->gap_min > 60)
        most = DAY - (new.a_day - 1) * b->gap_min;
    most = new.longest > most ? new.longest : most;
    most = old.longest > most ? old.longest : most;
    int near = 1 << 30, next = -1, last_new = -1, last_old = -1;
    for (int at = 0; at < SPAN; at++) {
        if (left.day_of[at])
            last_old = at;
        if (right.day_of[at])
            last_new = at;
        if ((left.day_of[at] || right.day_of[at]) && last_old >= 0 && last_new >= 0 &&
            abs(last_old - last_new) < near)
            near = abs(last_old - last_new);
        if (right.day_of[at] && at > old.last && next < 0)
            next = at;
    }
    if (near < least) {
        e.soon = near + 1;
        e.soon_want = least;
    }
    if (!pause && next >= 0 && next - old.last > most && old.last_day > end - old.step_max &&
        new.first_day < now->text.start_day + new.step_max) {
        e.late = next - old.last;
        e.late_want = most;
    }
    return e;
}

static int near_of(const struct sketch *before, const struct sketch *now, const struct transition_distance *d,
                   bool old_is_a)
{
    const char *a = old_is_a ? d->a : d->b, *b = old_is_a ? d->b : d->a;
    bool old_mine[DRUGS] = {false}, mine[DRUGS] = {false};
    for (size_t i = 0; i < before->text.order_count; i++)
        old_mine[i] = strcmp(before->orders[i].product, a) == 0;
    for (size_t i = 0; i < now->text.order_count; i++)
        mine[i] = strcmp(now->orders[i].product, b) == 0;
    mark(&left, before, old_mine, now->text.start_day - 1);
    mark(&right, now, mine, 1 << 30);
    int worst = 0, limit = d->after > d->before ? d->after : d->before;
    for (int x = 0; x < SPAN; x++) {
        for (int y = x - limit; left.day_of[x] && y <= x + limit; y++) {
            if (y < 0 || y >= SPAN || !right.day_of[y])
                continue;
            int after_own = old_is_a ? y - x : x - y; /* the partner after the rule's own drug */
            int lack = after_own > 0   ? d->after - after_own
                       : after_own < 0 ? d->before + after_own
                       : d->together   ? 0
                                       : limit;
            worst = lack > worst ? lack : worst;
        }
    }
    return worst;
}

static int pick(struct rng *rng, int from, int to)
{
    return from + (int)rng_below(rng, (uint32_t)(to - from + 1));
}

static void random_plan(struct rng *rng, struct sketch *s, int32_t start, int days, int64_t first_id)
{
    static const int day_starts[] = {0, 240, 900, 1380};
    static const char *const sources[] = {"o1", "o2", "o3", "o4"}, *const codes[] = {"A", "A2", "B", "C",
                                                                                     "D"};
    sketch_init(s, start, days, day_starts[pick(rng, 0, 3)]);
    int slots = pick(rng, 1, 4), at = pick(rng, 0, 300);
    for (int i = 0; i < slots && at < DAY; i++, at += pick(rng, 15, 500))
        sketch_slot(s, (s->text.day_start + at) % DAY);
    int shift = pick(rng, 0, 3), drugs = pick(rng, 1, DRUGS);
    for (int d = 0; d < drugs; d++) {
        int64_t id = first_id + d;
        sketch_order(s, id, sources[(d + shift) % 4], codes[pick(rng, 0, 3) ? (d * 2 + shift) % 3 : d + 2]);
        unsigned mask = (unsigned)pick(rng, 1, (1 << s->text.slot_count) - 1);
        struct roll_pattern pattern = every(s, 1);
        int kind = pick(rng, 0, 4);
        if (kind == 1)
            pattern.weekdays = (unsigned)pick(rng, 1, 127);
        if (kind == 2)
            pattern.every_days = pick(rng, 2, 9);
        if (kind == 3) { /* a course that begins or ends within the cycle */
            pattern.first_day += pick(rng, 0, days - 1);
            pattern.last_day = pattern.first_day + pick(rng, 0, start + days - 1 - pattern.first_day);
            pattern.anchor_day = pattern.first_day;
        }
        struct roll_pattern second = pattern;
        if (kind == 4 && days > 1) { /* a taper: at other times from some day on */
            pattern.last_day = start + pick(rng, 0, days - 2);
            second.first_day = pattern.last_day + 1;
        }
        for (int i = 0; i < (int)s->text.slot_count; i++) {
            if (mask & 1u << i)
                sketch_take(s, id, i + 1, pattern);
        }
        if (kind == 4 && days > 1)
            sketch_take(s, id, pick(rng, 1, (int)s->text.slot_count), second);
    }
}

static const struct transition_finding *finding_of(const struct answer *a, enum transition_kind kind,
                                                   int64_t id)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->findings[i].kind == kind && a->findings[i].order_id == id)
            return &a->findings[i];
    }
    return NULL;
}

static void random_pairs_are_judged_as_the_calendar_says(void **state)
{
    (void)state;
    struct rng rng;
    int soon = 0, late = 0, near = 0, pauses = 0, clean = 0;
    rng_init(&rng, 20261121, 3);
    print_message("seed 20261121\n");
    for (int round = 0; round < 1500; round++) {
        struct sketch before, now;
        random_plan(&rng, &before, MONDAY + pick(&rng, 0, 6), pick(&rng, 1, 21), 1);
        int32_t end = before.text.start_day + before.text.days;
        int32_t start = before.text.start_day + 1 + pick(&rng, 0, before.text.days + 1);
        start = pick(&rng, 0, 2) == 0 ? start : end; /* mostly the one after the other */
        random_plan(&rng, &now, start, pick(&rng, 1, 21), 11);
        struct transition_bounds bounds[DRUGS];
        for (int i = 0; i < DRUGS; i++) {
            int least = pick(&rng, 0, 2) ? NONE : pick(&rng, 60, 900);
            bounds[i] =
                (struct transition_bounds){.order_id = 11 + i,
                                           .gap_min = pick(&rng, 0, 1) ? NONE : pick(&rng, 30, 700),
                                           .overnight_min = least,
                                           .overnight_max = pick(&rng, 0, 2) ? NONE : pick(&rng, 900, 1500)};
        }
        const struct transition_distance distance = {.rule = "r",
                                                     .a = "A",
                                                     .b = pick(&rng, 0, 1) ? "B" : "A2",
                                                     .after = pick(&rng, 0, 720),
                                                     .before = pick(&rng, 0, 720),
                                                     .together = pick(&rng, 0, 1)};
        struct answer a = ask(&before, &now, bounds, DRUGS, &distance, 1);
        size_t expected = 0;
        for (size_t n = 0; n < now.text.order_count; n++) {
            struct expected e = judge(&before, &now, n, &bounds[n]);
            const struct transition_finding *f = finding_of(&a, TRANSITION_SOON, now.orders[n].id);
            assert_int_equal(f ? f->have + 1 : 0, e.soon);
            assert_int_equal(f ? f->want : 0, e.soon_want);
            f = finding_of(&a, TRANSITION_LATE, now.orders[n].id);
            assert_int_equal(f ? f->have : 0, e.late);
            assert_int_equal(f ? f->want : 0, e.late_want);
            soon += e.soon > 0;
            late += e.late > 0;
            expected += (size_t)(e.soon > 0) + (size_t)(e.late > 0);
        }
        for (int way = 0; way < 2; way++) {
            int lack = near_of(&before, &now, &distance, way == 0), found = 0;
            const char *new_code = way == 0 ? distance.b : distance.a;
            for (size_t i = 0; i < a.count; i++) {
                if (a.findings[i].kind == TRANSITION_NEAR && strcmp(a.findings[i].now, new_code) == 0)
                    found = a.findings[i].want - a.findings[i].have;
            }
            assert_int_equal(found, lack);
            near += lack > 0;
            expected += (size_t)(lack > 0);
        }
        pauses += start > end;
        expected += (size_t)(start > end);
        assert_int_equal(a.count, expected);
        clean += a.count == 0;
        arena_finish(&a.arena);
    }
    print_message("%d soon, %d late, %d near, %d pauses, %d without a finding\n", soon, late, near, pauses,
                  clean);
    assert_true(soon > 20 && late > 20 && near > 20 && pauses > 5 && clean > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_times_go_on_without_a_word),
        cmocka_unit_test(evening_to_morning_is_too_soon_and_morning_to_night_too_late),
        cmocka_unit_test(bounds_come_before_the_usual_interval),
        cmocka_unit_test(a_weekly_drug_keeps_half_a_week),
        cmocka_unit_test(a_stopped_mineral_still_keeps_its_distance_over_midnight),
        cmocka_unit_test(days_without_pouches_are_said_once),
        cmocka_unit_test(random_pairs_are_judged_as_the_calendar_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
