/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regimen to problem: every rule between two doses becomes one range of differences with one forbidden band
 * around zero, so that the engines know a single kind of pair.
 */
#include "scheduler/slots_private.h"

#include <string.h>

#include "config/base/buf.h"

enum { PAIR_NONE = UINT16_MAX };

struct builder {
    struct problem *problem;
    const struct rules *rules;
    uint16_t *at; /* count * count: place of the pair i < j, or PAIR_NONE */
    size_t cap;
    int grid;
};

size_t slots_first_dose(const struct regimen *regimen, size_t drug)
{
    size_t first = 0;
    for (size_t d = 0; d < drug; d++)
        first += regimen->drugs[d].dose_count;
    return first;
}

size_t slots_drug_of(const struct regimen *regimen, size_t dose, size_t *ret_index)
{
    size_t drug = 0;
    while (drug + 1 < regimen->drug_count && dose >= regimen->drugs[drug].dose_count) {
        dose -= regimen->drugs[drug].dose_count;
        drug++;
    }
    *ret_index = dose;
    return drug;
}

const char *slots_status_name(enum slots_status status)
{
    static const char *const names[] = {
        [SLOTS_OPTIMAL] = "optimal", [SLOTS_INFEASIBLE] = "infeasible", [SLOTS_BUDGET] = "budget"};
    return names[status];
}

void slots_rule_name(const struct regimen *regimen, struct slots_rule rule, struct buf *out)
{
    switch (rule.kind) {
    case SLOTS_RULE_WINDOW:
        buf_printf(out, "window:%s", regimen->drugs[rule.place].id);
        return;
    case SLOTS_RULE_GAP:
        buf_printf(out, "gap:%s", regimen->drugs[rule.place].id);
        return;
    case SLOTS_RULE_OVERNIGHT:
        buf_printf(out, "overnight:%s", regimen->drugs[rule.place].id);
        return;
    case SLOTS_RULE_STATE:
        buf_printf(out, "state:%s", regimen->drugs[rule.place].id);
        return;
    case SLOTS_RULE_ORDER:
        buf_printf(out, "order:%s", regimen->drugs[rule.place].id);
        return;
    case SLOTS_RULE_SEP:
        buf_printf(out, "sep:%s", regimen->separations[rule.place].id);
        return;
    case SLOTS_RULE_SAME:
        buf_printf(out, "same:%s", regimen->same_slot[rule.place].id);
        return;
    case SLOTS_RULE_NOTSAME:
        buf_printf(out, "notsame:%s", regimen->not_same_slot[rule.place].id);
        return;
    case SLOTS_RULE_TIMES:
        buf_text(out, "times");
        return;
    case SLOTS_RULE_SLOTS:
    case SLOTS_RULE_KINDS:
        break;
    }
    buf_text(out, "slots");
}

/* Windows, gaps, overnights, states by drug; then separations; then the pairs. */
size_t rule_number(const struct regimen *regimen, struct slots_rule rule)
{
    size_t drugs = regimen->drug_count;
    switch (rule.kind) {
    case SLOTS_RULE_WINDOW:
        return rule.place;
    case SLOTS_RULE_GAP:
        return drugs + rule.place;
    case SLOTS_RULE_OVERNIGHT:
        return 2 * drugs + rule.place;
    case SLOTS_RULE_STATE:
        return 3 * drugs + rule.place;
    case SLOTS_RULE_SEP:
        return 4 * drugs + rule.place;
    case SLOTS_RULE_SAME:
        return 4 * drugs + regimen->separation_count + rule.place;
    case SLOTS_RULE_NOTSAME:
        return 4 * drugs + regimen->separation_count + regimen->same_slot_count + rule.place;
    case SLOTS_RULE_ORDER:
    case SLOTS_RULE_TIMES:
    case SLOTS_RULE_SLOTS:
    case SLOTS_RULE_KINDS:
        break;
    }
    return RULES_MAX;
}

size_t rules_list(const struct regimen *regimen, struct slots_rule *out)
{
    static const enum slots_rule_kind by_drug[] = {SLOTS_RULE_WINDOW, SLOTS_RULE_GAP, SLOTS_RULE_OVERNIGHT,
                                                   SLOTS_RULE_STATE};
    const struct {
        enum slots_rule_kind kind;
        size_t count;
    } others[] = {{SLOTS_RULE_SEP, regimen->separation_count},
                  {SLOTS_RULE_SAME, regimen->same_slot_count},
                  {SLOTS_RULE_NOTSAME, regimen->not_same_slot_count}};
    size_t n = 0;
    for (size_t k = 0; k < sizeof by_drug / sizeof by_drug[0]; k++) {
        for (size_t d = 0; d < regimen->drug_count; d++)
            out[n++] = (struct slots_rule){by_drug[k], d};
    }
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        for (size_t i = 0; i < others[k].count; i++)
            out[n++] = (struct slots_rule){others[k].kind, i};
    }
    return n;
}

bool rule_exists(const struct regimen *regimen, struct slots_rule rule)
{
    const struct regimen_drug *drug = rule.place < regimen->drug_count ? &regimen->drugs[rule.place] : NULL;
    switch (rule.kind) {
    case SLOTS_RULE_GAP:
        return drug && drug->dose_count > 1 &&
               (drug->gap_min != REGIMEN_NONE || drug->gap_max != REGIMEN_NONE);
    case SLOTS_RULE_OVERNIGHT:
        return drug && (drug->overnight_min != REGIMEN_NONE || drug->overnight_max != REGIMEN_NONE);
    case SLOTS_RULE_STATE:
        return drug && drug->same_state;
    case SLOTS_RULE_WINDOW:
    case SLOTS_RULE_SEP:
    case SLOTS_RULE_SAME:
    case SLOTS_RULE_NOTSAME:
        return true;
    case SLOTS_RULE_ORDER:
    case SLOTS_RULE_TIMES:
    case SLOTS_RULE_SLOTS:
    case SLOTS_RULE_KINDS:
        break;
    }
    return false;
}

static bool builder_has(const struct builder *b, enum slots_rule_kind kind, size_t place)
{
    return rules_have(b->rules, rule_number(b->problem->regimen, (struct slots_rule){kind, place}));
}

/* The pair of two different doses; swaps so that i < j and tells the caller. NULL without memory. */
static struct pair *builder_pair(struct builder *b, size_t x, size_t y, bool *ret_swapped)
{
    struct problem *problem = b->problem;
    size_t i = x < y ? x : y;
    size_t j = x < y ? y : x;
    *ret_swapped = x > y;
    uint16_t *at = &b->at[i * problem->count + j];
    if (*at != PAIR_NONE)
        return &problem->pairs[*at];
    if (problem->pair_count == b->cap) {
        size_t cap = b->cap ? 2 * b->cap : 64;
        struct pair *grown = arena_array(problem->arena, cap, sizeof *grown);
        if (!grown) {
            problem->no_memory = true;
            return NULL;
        }
        if (problem->pair_count)
            memcpy(grown, problem->pairs, problem->pair_count * sizeof *grown);
        problem->pairs = grown;
        b->cap = cap;
    }
    *at = (uint16_t)problem->pair_count;
    problem->pairs[problem->pair_count] = (struct pair){.i = (uint16_t)i,
                                                        .j = (uint16_t)j,
                                                        .lo = -PROBLEM_FAR,
                                                        .hi = PROBLEM_FAR,
                                                        .why_order = {SLOTS_RULE_TIMES, 0},
                                                        .why_apart = {SLOTS_RULE_TIMES, 0}};
    return &problem->pairs[problem->pair_count++];
}

/* lo <= t_y - t_x <= hi */
static void builder_range(struct builder *b, size_t x, size_t y, int lo, int hi, struct slots_rule why)
{
    bool swapped;
    struct pair *pair = builder_pair(b, x, y, &swapped);
    if (!pair)
        return;
    int from = swapped ? -hi : lo;
    int to = swapped ? -lo : hi;
    if (from > pair->lo) {
        pair->lo = (int16_t)(from < PROBLEM_FAR ? from : PROBLEM_FAR);
        pair->why_order = why;
    }
    if (to < pair->hi) {
        pair->hi = (int16_t)(to > -PROBLEM_FAR ? to : -PROBLEM_FAR);
        pair->why_order = why;
    }
}

/* t_y - t_x is not in (-before, after), nor 0. */
static void builder_apart(struct builder *b, size_t x, size_t y, int after, int before, struct slots_rule why)
{
    bool swapped;
    struct pair *pair = builder_pair(b, x, y, &swapped);
    if (!pair)
        return;
    int up = swapped ? before : after;
    int down = swapped ? after : before;
    up = up < 1 ? 1 : up;
    down = down < 1 ? 1 : down;
    if (up > pair->after || down > pair->before) {
        pair->after = (int16_t)(up > pair->after ? up : pair->after);
        pair->before = (int16_t)(down > pair->before ? down : pair->before);
        pair->why_apart = why;
    }
}

/* Times at which the two may meet although they are apart: the common part of all rules that say so. NULL
 * says never. */
static void problem_together(struct problem *problem, struct pair *pair, uint64_t *together)
{
    if (!together) {
        pair->never_together = true;
        pair->together = NULL;
        return;
    }
    if (pair->never_together)
        return;
    if (!pair->together) {
        pair->together = together;
        return;
    }
    uint64_t *both = arena_array(problem->arena, (size_t)problem->words, sizeof *both);
    if (!both) {
        problem->no_memory = true;
        return;
    }
    for (int w = 0; w < problem->words; w++)
        both[w] = pair->together[w] & together[w];
    pair->together = both;
}

static int cells_up(int minutes, int grid)
{
    return (minutes + grid - 1) / grid;
}

/* A drug's own rules: order, gaps and the night. */
static void builder_drug(struct builder *b, size_t place, size_t first)
{
    struct problem *problem = b->problem;
    const struct regimen *regimen = problem->regimen;
    const struct regimen_drug *drug = &regimen->drugs[place];
    size_t last = first + drug->dose_count - 1;
    bool gaps = builder_has(b, SLOTS_RULE_GAP, place);
    for (size_t i = first; i < last; i++) {
        builder_range(b, i, i + 1, 1, PROBLEM_FAR, (struct slots_rule){SLOTS_RULE_ORDER, place});
        if (gaps && drug->gap_min != REGIMEN_NONE)
            builder_range(b, i, i + 1, cells_up(drug->gap_min, b->grid), PROBLEM_FAR,
                          (struct slots_rule){SLOTS_RULE_GAP, place});
        if (gaps && drug->gap_max != REGIMEN_NONE)
            builder_range(b, i, i + 1, -PROBLEM_FAR, drug->gap_max / b->grid,
                          (struct slots_rule){SLOTS_RULE_GAP, place});
    }
    if (!builder_has(b, SLOTS_RULE_OVERNIGHT, place) ||
        !regimen_days_meet(&drug->days, &drug->days, 1, regimen->period_days))
        return;
    struct slots_rule night = {SLOTS_RULE_OVERNIGHT, place};
    int lo =
        drug->overnight_max != REGIMEN_NONE ? problem->cells - drug->overnight_max / b->grid : -PROBLEM_FAR;
    int hi = drug->overnight_min != REGIMEN_NONE ? problem->cells - cells_up(drug->overnight_min, b->grid)
                                                 : PROBLEM_FAR;
    if (first != last) {
        if (lo > -PROBLEM_FAR || hi < PROBLEM_FAR)
            builder_range(b, first, last, lo, hi, night);
    } else if (lo > 0 || hi < 0) {
        problem->broken = true; /* one dose a day is always exactly a day after the last */
        problem->broken_rule = night;
    }
}

/* out |= the grid times of the intervals */
static void intervals_fill(const struct problem *problem, struct regimen_intervals intervals, uint64_t *out)
{
    int grid = problem->regimen->grid;
    for (size_t i = 0; i < intervals.count; i++) {
        int last = intervals.item[i].to / grid < problem->cells - 1 ? intervals.item[i].to / grid
                                                                    : problem->cells - 1;
        for (int c = cells_up(intervals.item[i].from, grid); c <= last; c++)
            cells_add(out, c);
    }
}

/* Limits of one separation between two doses, by the days that their drugs share. */
static void builder_separation(struct builder *b, size_t place, const bool meet[3])
{
    struct problem *problem = b->problem;
    const struct regimen_separation *sep = &problem->regimen->separations[place];
    struct slots_rule why = {SLOTS_RULE_SEP, place};
    int after = cells_up(sep->after, b->grid);
    int before = cells_up(sep->before, b->grid);
    uint64_t *together = NULL;
    if (sep->or_together) {
        together = arena_array(problem->arena, (size_t)problem->words, sizeof *together);
        if (!together) {
            problem->no_memory = true;
            return;
        }
        intervals_fill(problem, sep->together, together);
    }
    size_t a0 = slots_first_dose(problem->regimen, sep->a);
    size_t b0 = slots_first_dose(problem->regimen, sep->b);
    for (size_t x = a0; x < a0 + problem->regimen->drugs[sep->a].dose_count; x++) {
        for (size_t y = b0; y < b0 + problem->regimen->drugs[sep->b].dose_count; y++) {
            if (meet[1]) {
                builder_apart(b, x, y, after, before, why);
                bool swapped;
                struct pair *pair = builder_pair(b, x, y, &swapped);
                if (pair)
                    problem_together(problem, pair, together);
            }
            if (meet[2] && sep->after > 0)
                builder_range(b, x, y, after - problem->cells, PROBLEM_FAR, why);
            if (meet[0] && sep->before > 0)
                builder_range(b, x, y, -PROBLEM_FAR, problem->cells - before, why);
        }
    }
}

static void builder_pairs(struct builder *b)
{
    const struct regimen *regimen = b->problem->regimen;
    for (size_t s = 0; s < regimen->separation_count; s++) {
        const struct regimen_separation *sep = &regimen->separations[s];
        if (!builder_has(b, SLOTS_RULE_SEP, s) || sep->after + sep->before == 0)
            continue;
        bool meet[3];
        for (int o = -1; o <= 1; o++)
            meet[o + 1] = regimen_days_meet(&regimen->drugs[sep->a].days, &regimen->drugs[sep->b].days, o,
                                            regimen->period_days);
        builder_separation(b, s, meet);
    }
    for (size_t s = 0; s < regimen->same_slot_count; s++) {
        const struct regimen_pair *same = &regimen->same_slot[s];
        if (!builder_has(b, SLOTS_RULE_SAME, s))
            continue;
        size_t a0 = slots_first_dose(regimen, same->a);
        size_t b0 = slots_first_dose(regimen, same->b);
        for (size_t i = 0; i < regimen->drugs[same->a].dose_count; i++)
            builder_range(b, a0 + i, b0 + i, 0, 0, (struct slots_rule){SLOTS_RULE_SAME, s});
    }
    for (size_t s = 0; s < regimen->not_same_slot_count; s++) {
        const struct regimen_pair *apart = &regimen->not_same_slot[s];
        if (!builder_has(b, SLOTS_RULE_NOTSAME, s) ||
            !regimen_days_meet(&regimen->drugs[apart->a].days, &regimen->drugs[apart->b].days, 0,
                               regimen->period_days))
            continue;
        size_t a0 = slots_first_dose(regimen, apart->a);
        size_t b0 = slots_first_dose(regimen, apart->b);
        for (size_t i = 0; i < regimen->drugs[apart->a].dose_count; i++) {
            for (size_t j = 0; j < regimen->drugs[apart->b].dose_count; j++) {
                builder_apart(b, a0 + i, b0 + j, 1, 1, (struct slots_rule){SLOTS_RULE_NOTSAME, s});
                bool swapped;
                struct pair *pair = builder_pair(b, a0 + i, b0 + j, &swapped);
                if (pair)
                    problem_together(b->problem, pair, NULL);
            }
        }
    }
}

static void problem_windows(struct problem *problem, const struct rules *rules)
{
    const struct regimen *regimen = problem->regimen;
    size_t words = (size_t)problem->words;
    size_t dose = 0;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        const struct regimen_drug *drug = &regimen->drugs[d];
        bool window = rules_have(rules, rule_number(regimen, (struct slots_rule){SLOTS_RULE_WINDOW, d}));
        problem->has_state[d] =
            drug->same_state &&
            rules_have(rules, rule_number(regimen, (struct slots_rule){SLOTS_RULE_STATE, d}));
        problem->states |= problem->has_state[d];
        if (problem->has_state[d])
            intervals_fill(problem, drug->state, problem->inside + d * words);
        for (size_t i = 0; i < drug->dose_count; i++, dose++) {
            problem->drug_of[dose] = (uint8_t)d;
            uint64_t *win = problem->win[0] + dose * words;
            if (window)
                intervals_fill(problem, drug->doses[i].allowed, win);
            for (int c = 0; !window && c < problem->cells; c++)
                cells_add(win, c);
        }
    }
}

bool problem_index(struct problem *problem)
{
    size_t n = problem->count;
    problem->pair_of = arena_array(problem->arena, 2 * problem->pair_count + 1, sizeof *problem->pair_of);
    problem->pair_start = arena_array(problem->arena, n + 2, sizeof *problem->pair_start);
    if (!problem->pair_of || !problem->pair_start)
        return false;
    for (size_t p = 0; p < problem->pair_count; p++) {
        problem->pair_start[problem->pairs[p].i + 2]++;
        problem->pair_start[problem->pairs[p].j + 2]++;
    }
    for (size_t i = 2; i < n + 2; i++)
        problem->pair_start[i] += problem->pair_start[i - 1];
    for (size_t p = 0; p < problem->pair_count; p++) {
        problem->pair_of[problem->pair_start[problem->pairs[p].i + 1]++] = (uint16_t)p;
        problem->pair_of[problem->pair_start[problem->pairs[p].j + 1]++] = (uint16_t)p;
    }
    return true;
}

/* win[1] and win[2]: the windows cut by the state times, and by all others. */
void problem_cut_states(struct problem *problem)
{
    size_t words = (size_t)problem->words;
    for (size_t i = 0; i < problem->count; i++) {
        size_t drug = problem->drug_of[i];
        for (size_t w = 0; w < words; w++) {
            uint64_t all = problem->win[0][i * words + w];
            uint64_t inside = problem->has_state[drug] ? problem->inside[drug * words + w] : all;
            problem->win[1][i * words + w] = all & inside;
            problem->win[2][i * words + w] = problem->has_state[drug] ? all & ~inside : all;
        }
    }
}

struct problem *problem_create(const struct regimen *regimen, const struct rules *rules, struct arena *arena)
{
    struct problem *problem = arena_alloc(arena, sizeof *problem);
    if (!problem)
        return NULL;
    problem->regimen = regimen;
    problem->arena = arena;
    problem->count = regimen_dose_total(regimen);
    problem->cells = REGIMEN_DAY / regimen->grid;
    problem->words = (problem->cells + 63) / 64;
    size_t n = problem->count;
    size_t words = (size_t)problem->words;
    problem->drug_of = arena_array(arena, n, sizeof *problem->drug_of);
    problem->has_state = arena_array(arena, regimen->drug_count, sizeof *problem->has_state);
    problem->inside = arena_array(arena, regimen->drug_count * words, sizeof *problem->inside);
    for (int s = 0; s < PROBLEM_STATES; s++) {
        problem->win[s] = arena_array(arena, n * words, sizeof *problem->win[s]);
        if (!problem->win[s])
            return NULL;
    }
    struct builder b = {.problem = problem, .rules = rules, .grid = regimen->grid};
    b.at = arena_array(arena, n * n, sizeof *b.at);
    if (!problem->drug_of || !problem->has_state || !problem->inside || !b.at)
        return NULL;
    memset(b.at, 0xff, n * n * sizeof *b.at);
    problem_windows(problem, rules);
    size_t first = 0;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        builder_drug(&b, d, first);
        first += regimen->drugs[d].dose_count;
    }
    builder_pairs(&b);
    if (problem->no_memory || !problem_index(problem))
        return NULL;
    problem_cut_states(problem);
    return problem;
}
