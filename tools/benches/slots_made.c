/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/benches/slots_made.h"

#include <stdio.h>

#include "config/base/arena.h"
#include "config/base/rng.h"

struct maker {
    struct rng rng;
    struct regimen *regimen;
    struct arena *arena;
};

const char *made_name(enum made_kind kind)
{
    static const char *const names[MADE_KINDS] = {"real",  "calendar", "wrap",  "fine",  "forced", "adverse",
                                                  "tail",  "stuck",    "loose", "graph", "none",   "large",
                                                  "crowd", "ring",     "month", "shift"};
    return names[kind];
}

static int pick(struct maker *m, int from, int to)
{
    return from + (int)rng_below(&m->rng, (uint32_t)(to - from + 1));
}

static bool chance(struct maker *m, int percent)
{
    return pick(m, 1, 100) <= percent;
}

static bool make_dose_runs(struct maker *m, struct regimen_dose *dose, int from, int to, int runs, int reach)
{
    struct regimen_interval item[4];
    int grid = m->regimen->grid;
    for (int i = 0; i < runs; i++) {
        int begin = pick(m, from / grid, to / grid) * grid;
        int end = begin + pick(m, 0, reach / grid) * grid;
        item[i] = (struct regimen_interval){begin, end < to ? end : to};
    }
    return regimen_intervals_copy(&dose->allowed, m->arena, item, (size_t)runs, NULL) == 0;
}

static bool make_window(struct maker *m, struct regimen_dose *dose, enum regimen_window_kind kind,
                        unsigned meals)
{
    struct regimen_window *window = arena_alloc(m->arena, sizeof *window);
    if (!window)
        return false;
    *window = window_default(kind);
    window->meals = meals;
    dose->window = window;
    return true;
}

static bool make_soft(struct maker *m, struct regimen_dose *dose)
{
    struct regimen_soft *soft = arena_alloc(m->arena, sizeof *soft);
    struct regimen_interval run = {.from = pick(m, 8, 60) * 15};
    if (!soft)
        return false;
    run.to = run.from + 240;
    soft->cost = pick(m, 1, 3);
    dose->soft = soft;
    dose->soft_count = 1;
    return regimen_intervals_copy(&soft->unless_in, m->arena, &run, 1, NULL) == 0;
}

static void make_days(struct maker *m, struct regimen_drug *drug)
{
    int period = m->regimen->period_days;
    if (!chance(m, 60))
        return;
    drug->days = (struct regimen_days){{0}};
    int step = chance(m, 50) ? 7 : 2;
    for (int d = pick(m, 0, step - 1); d < period; d += step)
        regimen_days_add(&drug->days, d);
}

/* The clock of a multi-dose drug: evenly spread with some tolerance. */
static void make_gaps(struct maker *m, struct regimen_drug *drug, int percent)
{
    int n = (int)drug->dose_count;
    if (n < 2 || !chance(m, percent))
        return;
    int even = REGIMEN_DAY / n;
    int slack = pick(m, 2, 10) * 15;
    drug->gap_min = even - slack > 60 ? (even - slack) / 15 * 15 : 60;
    if (chance(m, 60))
        drug->gap_max = (even + slack) / 15 * 15;
    if (chance(m, 50))
        drug->overnight_max = (even + 2 * slack) / 15 * 15;
    if (chance(m, 50))
        drug->overnight_min = (even - 2 * slack > 120 ? even - 2 * slack : 120) / 15 * 15;
    if (drug->overnight_max != REGIMEN_NONE && drug->overnight_max < REGIMEN_DAY - 960)
        drug->overnight_max = REGIMEN_DAY - 960;
}

static bool make_clinical(struct maker *m, struct regimen_drug *drug)
{
    static const enum regimen_window_kind once[] = {
        REGIMEN_WINDOW_ANY,           REGIMEN_WINDOW_ANY,        REGIMEN_WINDOW_WITH_FOOD,
        REGIMEN_WINDOW_EMPTY_STOMACH, REGIMEN_WINDOW_MORNING,    REGIMEN_WINDOW_EVENING,
        REGIMEN_WINDOW_BEDTIME,       REGIMEN_WINDOW_ON_WAKING,  REGIMEN_WINDOW_WITH_FOOD,
        REGIMEN_WINDOW_ANY,           REGIMEN_WINDOW_BEFORE_MEAL};
    enum regimen_window_kind kind = once[pick(m, 0, (int)(sizeof once / sizeof once[0]) - 1)];
    if (drug->dose_count > 1)
        kind = chance(m, 60) ? REGIMEN_WINDOW_ANY
                             : (chance(m, 70) ? REGIMEN_WINDOW_WITH_FOOD : REGIMEN_WINDOW_EMPTY_STOMACH);
    unsigned meals = 0;
    if (kind == REGIMEN_WINDOW_BEFORE_MEAL)
        meals = 1;
    for (size_t i = 0; i < drug->dose_count; i++) {
        if (!make_window(m, &drug->doses[i], kind, meals))
            return false;
        if (chance(m, 20) && !make_soft(m, &drug->doses[i]))
            return false;
    }
    return true;
}

static bool make_abstract(struct maker *m, struct regimen_drug *drug, int runs_max, int reach)
{
    int n = (int)drug->dose_count;
    for (int i = 0; i < n; i++) {
        int from = 120 + 960 * i / n;
        int to = 120 + 960 * (i + 1) / n;
        if (!make_dose_runs(m, &drug->doses[i], from, to < 1080 ? to : 1080, pick(m, 1, runs_max), reach))
            return false;
    }
    return true;
}

static bool make_drug(struct maker *m, enum made_kind kind, int place)
{
    char id[16];
    struct regimen_drug *drug;
    int doses = chance(m, 55) ? 1 : chance(m, 65) ? 2 : 3;
    if (kind == MADE_WRAP || kind == MADE_TAIL)
        doses = chance(m, 35) ? 1 : pick(m, 2, 4);
    (void)snprintf(id, sizeof id, "d%d", place);
    if (regimen_add_drug(m->regimen, m->arena, id, id, (size_t)doses, &drug, NULL))
        return false;
    bool abstract = kind == MADE_ADVERSE || kind == MADE_FORCED || kind == MADE_TAIL;
    if (m->regimen->period_days > 1)
        make_days(m, drug);
    if (abstract && doses > 1 && chance(m, 60))
        drug->gap_min = pick(m, 4, 12) * 15;
    else
        make_gaps(m, drug, kind == MADE_WRAP ? 90 : kind == MADE_TAIL || kind == MADE_ADVERSE ? 25 : 60);
    if (kind == MADE_TAIL)
        return make_abstract(m, drug, 2, 330);
    if (kind == MADE_ADVERSE)
        return make_abstract(m, drug, 3, 120);
    return kind == MADE_FORCED ? make_abstract(m, drug, 2, 240) : make_clinical(m, drug);
}

static bool make_separation(struct maker *m, enum made_kind kind, int number, int drugs)
{
    static const int minutes[] = {0, 60, 120, 120, 180, 240, 240, 360};
    char id[16];
    int a = pick(m, 0, drugs - 1);
    int b = (a + pick(m, 1, drugs - 1)) % drugs;
    bool clinical = kind != MADE_ADVERSE && kind != MADE_TAIL && kind != MADE_FORCED;
    int after = clinical ? minutes[pick(m, 0, 7)] : pick(m, 0, 4) * 15;
    int before = clinical ? minutes[pick(m, 0, 7)] : pick(m, 1, 4) * 15;
    if (kind == MADE_FORCED)
        after = pick(m, 2, 10) * 15;
    (void)snprintf(id, sizeof id, "s%d", number);
    return regimen_add_separation(m->regimen, m->arena, id, (size_t)a, (size_t)b, after, before, NULL) == 0;
}

/* A hidden schedule in a few slots: everything made around it is kept by it. */
struct hidden {
    int slot[8];
    int slots;
    int time[REGIMEN_DOSES_MAX];
    size_t first[REGIMEN_DRUGS_MAX + 1];
};

static void hide_slots(struct maker *m, struct hidden *h)
{
    h->slots = pick(m, 4, 7);
    for (int s = 0; s < h->slots; s++) /* distinct and ascending: one in each part of the day */
        h->slot[s] = 120 + (960 * s / h->slots) / 15 * 15 + pick(m, 0, 960 / h->slots / 15 - 1) * 15;
}

static bool hide_dose(struct maker *m, enum made_kind kind, struct regimen_dose *dose, int at)
{
    struct regimen_interval item[4];
    int reach = kind == MADE_LOOSE ? 20 : kind == MADE_LARGE ? 12 : 6;
    int runs = kind == MADE_STUCK ? pick(m, 1, 4) : pick(m, 1, 2);
    for (int i = 0; i < runs; i++) {
        int near = i == 0 ? at : 120 + pick(m, 0, 64) * 15;
        int from = near - pick(m, 0, reach) * 15;
        int to = near + pick(m, 0, reach) * 15;
        item[i] = (struct regimen_interval){from > 0 ? from : 0, to < 1200 ? to : 1200};
    }
    return regimen_intervals_copy(&dose->allowed, m->arena, item, (size_t)runs, NULL) == 0;
}

static bool hide_drug(struct maker *m, enum made_kind kind, struct hidden *h, size_t place)
{
    char id[16];
    struct regimen_drug *drug;
    int doses = chance(m, 45) ? 1 : pick(m, 2, 4);
    int taken = 0;
    if (h->first[place] + (size_t)doses > REGIMEN_DOSES_MAX)
        doses = 1;
    (void)snprintf(id, sizeof id, "d%02zu", place);
    if (regimen_add_drug(m->regimen, m->arena, id, id, (size_t)doses, &drug, NULL))
        return false;
    h->first[place + 1] = h->first[place] + (size_t)doses;
    int *time = h->time + h->first[place];
    for (int s = 0; s < h->slots && taken < doses; s++) {
        if (pick(m, 1, h->slots - s) <= doses - taken) /* each choice of slots as likely */
            time[taken++] = h->slot[s];
    }
    int least = REGIMEN_DAY;
    int most = 0;
    for (int i = 0; i < doses; i++) {
        int gap = i ? time[i] - time[i - 1] : REGIMEN_DAY;
        least = i && gap < least ? gap : least;
        most = i && gap > most ? gap : most;
        if (!hide_dose(m, kind, &drug->doses[i], time[i]))
            return false;
    }
    if (doses > 1 && chance(m, 70))
        drug->gap_min = least - pick(m, 0, 2) * 15 > 15 ? least - 15 : 15;
    if (doses > 1 && chance(m, 40))
        drug->gap_max = most + pick(m, 0, 4) * 15;
    return true;
}

/* The strictest separation of a and b that the hidden schedule keeps, or none when they share a slot. */
static bool hide_separation(struct maker *m, const struct hidden *h, size_t a, size_t b, int number)
{
    char id[16];
    int after = 300;
    int before = 300;
    for (size_t x = h->first[a]; x < h->first[a + 1]; x++) {
        for (size_t y = h->first[b]; y < h->first[b + 1]; y++) {
            int d = h->time[y] - h->time[x];
            if (d == 0)
                return true;
            if (d > 0 && d < after)
                after = d;
            if (d < 0 && -d < before)
                before = -d;
        }
    }
    (void)snprintf(id, sizeof id, "s%d", number);
    return regimen_add_separation(m->regimen, m->arena, id, a, b, after, before, NULL) == 0;
}

static bool make_hidden(struct maker *m, enum made_kind kind)
{
    struct hidden h = {.slots = 0};
    size_t drugs = (size_t)(kind == MADE_NONE    ? pick(m, 3, 30)
                            : kind == MADE_LARGE ? pick(m, 50, 64)
                                                 : pick(m, 20, 40));
    hide_slots(m, &h);
    for (size_t d = 0; d < drugs; d++) {
        if (h.first[d] == REGIMEN_DOSES_MAX)
            drugs = d;
        else if (!hide_drug(m, kind, &h, d))
            return false;
    }
    int rules = pick(m, (int)drugs / 2, 2 * (int)drugs);
    for (int s = 0; s < rules; s++) {
        size_t a = (size_t)pick(m, 0, (int)drugs - 1);
        size_t b = (a + (size_t)pick(m, 1, (int)drugs - 1)) % drugs;
        if (!hide_separation(m, &h, a, b, s))
            return false;
    }
    for (int s = 0; kind == MADE_NONE && s < (int)drugs; s++) {
        if (!make_separation(m, MADE_FORCED, rules + s, (int)drugs))
            return false;
    }
    return true;
}

static bool make_graph(struct maker *m)
{
    char id[16];
    struct regimen_drug *drug;
    int drugs = pick(m, 20, 40);
    int percent = pick(m, 15, 45);
    int number = 0;
    for (int d = 0; d < drugs; d++) {
        int doses = chance(m, 70) ? 1 : 2;
        (void)snprintf(id, sizeof id, "d%02d", d);
        if (regimen_add_drug(m->regimen, m->arena, id, id, (size_t)doses, &drug, NULL))
            return false;
        for (int i = 0; i < doses; i++) {
            struct regimen_interval run = {.from = 120 + pick(m, 0, 24) * 15 + i * 240};
            run.to = run.from + pick(m, 16, 40) * 15;
            run.to = run.to < 1200 ? run.to : 1200;
            if (regimen_intervals_copy(&drug->doses[i].allowed, m->arena, &run, 1, NULL))
                return false;
        }
    }
    for (int a = 0; a < drugs; a++) {
        for (int b = a + 1; b < drugs; b++) {
            (void)snprintf(id, sizeof id, "s%d", number);
            if (!chance(m, percent))
                continue;
            if (regimen_add_separation(m->regimen, m->arena, id, (size_t)a, (size_t)b, pick(m, 1, 5) * 15,
                                       pick(m, 1, 5) * 15, NULL))
                return false;
            number++;
        }
    }
    return true;
}

/* A drug of one dose within from..to. */
static bool make_single(struct maker *m, int place, int from, int to)
{
    char id[16];
    struct regimen_drug *drug;
    const struct regimen_interval run = {from > 0 ? from : 0, to < 1200 ? to : 1200};
    (void)snprintf(id, sizeof id, "d%02d", place);
    return regimen_add_drug(m->regimen, m->arena, id, id, 1, &drug, NULL) == 0 &&
           regimen_intervals_copy(&drug->doses[0].allowed, m->arena, &run, 1, NULL) == 0;
}

static bool make_apart(struct maker *m, int a, int b, int after, int before)
{
    char id[16];
    (void)snprintf(id, sizeof id, "s%zu", m->regimen->separation_count);
    return regimen_add_separation(m->regimen, m->arena, id, (size_t)a, (size_t)b, after, before, NULL) == 0;
}

/* One after the other at hidden times; the separations ask for no more, or for a little more now and then. */
static bool make_crowd(struct maker *m)
{
    int drugs = pick(m, 6, 16);
    int greed = chance(m, 40) ? pick(m, 1, 8) : 0;
    int room = 960 / drugs / 15;
    int time[16];
    for (int i = 0, now = 120; i < drugs; now += pick(m, 2, room > 3 ? room : 3) * 15, i++)
        time[i] = now;
    for (int i = drugs; i > 1; i--) {
        int j = pick(m, 0, i - 1);
        int held = time[i - 1];
        time[i - 1] = time[j];
        time[j] = held;
    }
    for (int i = 0; i < drugs; i++) {
        if (!make_single(m, i, time[i] - pick(m, 0, 24) * 15, time[i] + pick(m, 0, 24) * 15))
            return false;
    }
    for (int a = 0; a < drugs; a++) {
        for (int b = a + 1; b < drugs; b++) {
            int way = time[a] < time[b] ? time[b] - time[a] : time[a] - time[b];
            int most = way < 120 ? way : 120;
            int ask = pick(m, most / 30, most / 15) * 15 + (chance(m, greed) ? 15 : 0);
            if (chance(m, 85) && !make_apart(m, a, b, ask, chance(m, 70) ? ask : pick(m, 1, 2) * 15))
                return false;
        }
    }
    return true;
}

/* Mycielski's construction once or twice over an odd ring. */
static bool make_ring(struct maker *m)
{
    enum { NODES_MAX = 48 };
    bool edge[NODES_MAX][NODES_MAX] = {{false}};
    int n = 5 + 2 * pick(m, 0, 3);
    for (int i = 0; i < n; i++)
        edge[i][(i + 1) % n] = edge[(i + 1) % n][i] = true;
    for (int times = pick(m, 0, 2); times > 0 && 2 * n + 1 < NODES_MAX; times--) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                if (edge[i][j])
                    edge[n + i][j] = edge[j][n + i] = true;
            }
            edge[n + i][2 * n] = edge[2 * n][n + i] = true;
        }
        n = 2 * n + 1;
    }
    for (int i = 0; i < n; i++) {
        int from = 120 + pick(m, 0, 16) * 15;
        if (!make_single(m, i, from, from + pick(m, 24, 56) * 15))
            return false;
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            if (edge[i][j] && !make_apart(m, i, j, pick(m, 1, 3) * 15, pick(m, 1, 3) * 15))
                return false;
        }
    }
    return true;
}

/* Weeks of a taper, each a drug of its own; pairs that go together or never. */
static bool make_month(struct maker *m)
{
    int drugs = pick(m, 6, 20);
    for (int d = 0; d < drugs; d++) {
        if (!make_drug(m, MADE_CALENDAR, d))
            return false;
        if (d % 4 == 3)
            continue;
        struct regimen_drug *drug = &m->regimen->drugs[d];
        drug->days = (struct regimen_days){{0}};
        for (int day = d % 4 * 7; d % 5 < 3 && day < d % 4 * 7 + 7; day++)
            regimen_days_add(&drug->days, day);
        for (int day = 0; d % 5 >= 3 && day < 28; day += pick(m, 1, 3))
            regimen_days_add(&drug->days, day);
    }
    for (int s = 0; s < drugs / 2; s++) {
        if (!make_separation(m, MADE_CALENDAR, s, drugs))
            return false;
    }
    for (int s = 0; s < drugs / 3; s++) {
        char id[16];
        size_t a = (size_t)pick(m, 0, drugs - 1);
        size_t b = (a + (size_t)pick(m, 1, drugs - 1)) % (size_t)drugs;
        bool same = m->regimen->drugs[a].dose_count == m->regimen->drugs[b].dose_count && chance(m, 30);
        (void)snprintf(id, sizeof id, "p%d", s);
        if ((same ? regimen_add_same_slot : regimen_add_not_same_slot)(m->regimen, m->arena, id, a, b, NULL))
            return false;
    }
    return true;
}

static bool make_shift(struct maker *m)
{
    int drugs = pick(m, 5, 14);
    m->regimen->patient.day_start = 960;
    m->regimen->patient.wake = 60;
    for (int d = 0; d < drugs; d++) {
        if (!make_drug(m, MADE_WRAP, d))
            return false;
        struct regimen_drug *drug = &m->regimen->drugs[d];
        int n = (int)drug->dose_count;
        if (n > 1 && chance(m, 70))
            drug->overnight_min = REGIMEN_DAY / n - pick(m, 12, 48) * 5;
    }
    for (int s = 0; s < drugs; s++) {
        if (!make_separation(m, s % 2 ? MADE_WRAP : MADE_FORCED, s, drugs))
            return false;
    }
    return true;
}

struct regimen *made_regimen(enum made_kind kind, uint64_t seed, uint32_t number, struct arena *arena)
{
    char id[32];
    struct maker m = {.arena = arena};
    rng_init(&m.rng, seed + number, (uint64_t)kind);
    (void)snprintf(id, sizeof id, "%s-%u", made_name(kind), number);
    m.regimen = regimen_create(arena, id, kind == MADE_FINE || kind == MADE_SHIFT ? 5 : 15,
                               kind == MADE_CALENDAR || kind == MADE_MONTH ? 28 : 1);
    if (!m.regimen)
        return NULL;
    m.regimen->patient = (struct regimen_patient){
        .day_start = 300, .wake = 120, .bed = 1080, .meals = {180, 480 + pick(&m, -2, 2) * 15, 840}};
    if (kind >= MADE_STUCK) {
        bool made = kind == MADE_GRAPH   ? make_graph(&m)
                    : kind == MADE_CROWD ? make_crowd(&m)
                    : kind == MADE_RING  ? make_ring(&m)
                    : kind == MADE_MONTH ? make_month(&m)
                    : kind == MADE_SHIFT ? make_shift(&m)
                                         : make_hidden(&m, kind);
        return made && regimen_ready(m.regimen, arena, NULL) == 0 ? m.regimen : NULL;
    }
    bool big = kind == MADE_ADVERSE || kind == MADE_TAIL;
    int drugs = big ? pick(&m, 20, 40) : kind == MADE_WRAP ? pick(&m, 4, 12) : pick(&m, 3, 20);
    for (int d = 0; d < drugs; d++) {
        if (!make_drug(&m, kind, d))
            return NULL;
    }
    int rules = kind == MADE_FORCED ? pick(&m, drugs, 2 * drugs)
                : big               ? pick(&m, drugs / 4, drugs)
                                    : pick(&m, 0, drugs / 2);
    for (int s = 0; s < rules; s++) {
        if (!make_separation(&m, kind, s, drugs))
            return NULL;
    }
    bool previous = chance(&m, 40);
    for (size_t d = 0; previous && d < m.regimen->drug_count; d++) {
        struct regimen_drug *drug = &m.regimen->drugs[d];
        int *times = arena_array(arena, drug->dose_count, sizeof *times);
        if (!times)
            return NULL;
        for (size_t i = 0; i < drug->dose_count; i++)
            times[i] =
                (120 + 960 * (2 * (int)i + 1) / (2 * (int)drug->dose_count) + pick(&m, -8, 8) * 15) / 15 * 15;
        drug->previous = times;
    }
    return regimen_ready(m.regimen, arena, NULL) == 0 ? m.regimen : NULL;
}
