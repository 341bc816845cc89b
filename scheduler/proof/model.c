/* SPDX-License-Identifier: Apache-2.0 */
/* Rules to tables, read straight from the format's page, and the narrowing of possible times. */
#include <string.h>

#include "scheduler/proof/proof_private.h"

struct maker {
    struct model *model;
    const struct slots_rule *rules;
    size_t rule_count;
    struct arena *arena;
    size_t *first; /* drug -> its first dose */
    size_t cap;
    bool failed;
};

static bool in_force(const struct maker *m, enum slots_rule_kind kind, size_t place)
{
    if (!m->rules)
        return true;
    for (size_t i = 0; i < m->rule_count; i++) {
        if (m->rules[i].kind == kind && m->rules[i].place == place)
            return true;
    }
    return false;
}

static struct relation *relation_of(struct maker *m, size_t a, size_t b)
{
    struct model *model = m->model;
    size_t span = 2 * (size_t)model->cells + 1;
    for (size_t i = 0; i < model->relation_count; i++) {
        if (model->relation[i].a == a && model->relation[i].b == b)
            return &model->relation[i];
    }
    if (model->relation_count == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 64;
        struct relation *grown = arena_array(m->arena, cap, sizeof *grown);
        if (!grown) {
            m->failed = true;
            return NULL;
        }
        if (model->relation_count)
            memcpy(grown, model->relation, model->relation_count * sizeof *grown);
        model->relation = grown;
        m->cap = cap;
    }
    uint8_t *ok = arena_alloc(m->arena, span);
    if (!ok) {
        m->failed = true;
        return NULL;
    }
    memset(ok, 1, span);
    model->relation[model->relation_count] = (struct relation){.a = a, .b = b, .ok = ok};
    return &model->relation[model->relation_count++];
}

/* Keeps the differences t_y - t_x, in minutes, of which `allows` approves. */
typedef bool allows(int minutes, const int *limit);

static void limit_pair(struct maker *m, size_t x, size_t y, allows *rule, const int *limit)
{
    struct model *model = m->model;
    struct relation *relation = relation_of(m, x < y ? x : y, x < y ? y : x);
    for (int d = -model->cells; relation && d <= model->cells; d++) {
        int difference = (x < y ? d : -d) * model->regimen->grid;
        if (!rule(difference, limit))
            relation->ok[d + model->cells] = 0;
    }
}

static bool allows_range(int minutes, const int *limit)
{
    return (limit[0] == REGIMEN_NONE || minutes >= limit[0]) &&
           (limit[1] == REGIMEN_NONE || minutes <= limit[1]);
}

static bool allows_night(int minutes, const int *limit)
{
    return allows_range(REGIMEN_DAY - minutes, limit);
}

/* limit: after, before, day offset of the second dose */
static bool allows_separation(int minutes, const int *limit)
{
    int later = minutes + REGIMEN_DAY * limit[2];
    if (later > 0)
        return later >= limit[0];
    return later < 0 ? -later >= limit[1] : limit[0] + limit[1] == 0;
}

static bool allows_separation_or_zero(int minutes, const int *limit)
{
    return minutes + REGIMEN_DAY * limit[2] == 0 || allows_separation(minutes, limit);
}

static bool allows_same(int minutes, const int *limit)
{
    (void)limit;
    return minutes == 0;
}

static bool allows_not_same(int minutes, const int *limit)
{
    (void)limit;
    return minutes != 0;
}

static void make_drug(struct maker *m, size_t place)
{
    const struct regimen *regimen = m->model->regimen;
    const struct regimen_drug *drug = &regimen->drugs[place];
    size_t first = m->first[place];
    size_t last = first + drug->dose_count - 1;
    const int order[] = {1, REGIMEN_NONE};
    const int gap[] = {drug->gap_min, drug->gap_max};
    const int night[] = {drug->overnight_min, drug->overnight_max};
    for (size_t i = first; i < last; i++) {
        limit_pair(m, i, i + 1, allows_range, order);
        if (in_force(m, SLOTS_RULE_GAP, place))
            limit_pair(m, i, i + 1, allows_range, gap);
    }
    if (!in_force(m, SLOTS_RULE_OVERNIGHT, place) ||
        !regimen_days_meet(&drug->days, &drug->days, 1, regimen->period_days))
        return;
    if (first != last)
        limit_pair(m, first, last, allows_night, night);
    else if (!allows_night(0, night))
        m->model->impossible = true;
}

/* At one time only within these intervals. */
static void limit_together(struct maker *m, size_t x, size_t y, struct regimen_intervals times)
{
    struct model *model = m->model;
    struct relation *relation = relation_of(m, x < y ? x : y, x < y ? y : x);
    if (!relation)
        return;
    if (!relation->together) {
        relation->together = arena_alloc(m->arena, (size_t)model->cells);
        if (!relation->together) {
            m->failed = true;
            return;
        }
        memset(relation->together, 1, (size_t)model->cells);
    }
    for (int c = 0; c < model->cells; c++)
        relation->together[c] &= regimen_intervals_hold(times, c * model->regimen->grid);
}

static void make_separation(struct maker *m, size_t place)
{
    const struct regimen *regimen = m->model->regimen;
    const struct regimen_separation *sep = &regimen->separations[place];
    const struct regimen_drug *a = &regimen->drugs[sep->a];
    const struct regimen_drug *b = &regimen->drugs[sep->b];
    for (int offset = -1; offset <= 1; offset++) {
        if (!regimen_days_meet(&a->days, &b->days, offset, regimen->period_days))
            continue;
        const int limit[] = {sep->after, sep->before, offset};
        for (size_t i = 0; i < a->dose_count; i++) {
            for (size_t j = 0; j < b->dose_count; j++) {
                size_t x = m->first[sep->a] + i;
                size_t y = m->first[sep->b] + j;
                limit_pair(m, x, y, sep->or_together ? allows_separation_or_zero : allows_separation, limit);
                if (sep->or_together && offset == 0 && sep->after + sep->before > 0)
                    limit_together(m, x, y, sep->together);
            }
        }
    }
}

static void make_pair(struct maker *m, const struct regimen_pair *pair, bool same)
{
    const struct regimen *regimen = m->model->regimen;
    const struct regimen_drug *a = &regimen->drugs[pair->a];
    const struct regimen_drug *b = &regimen->drugs[pair->b];
    for (size_t i = 0; same && i < a->dose_count; i++)
        limit_pair(m, m->first[pair->a] + i, m->first[pair->b] + i, allows_same, NULL);
    if (same || !regimen_days_meet(&a->days, &b->days, 0, regimen->period_days))
        return;
    for (size_t i = 0; i < a->dose_count; i++) {
        for (size_t j = 0; j < b->dose_count; j++)
            limit_pair(m, m->first[pair->a] + i, m->first[pair->b] + j, allows_not_same, NULL);
    }
}

static void make_times(struct maker *m)
{
    struct model *model = m->model;
    const struct regimen *regimen = model->regimen;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        const struct regimen_drug *drug = &regimen->drugs[d];
        bool window = in_force(m, SLOTS_RULE_WINDOW, d);
        model->has_state[d] = drug->same_state && in_force(m, SLOTS_RULE_STATE, d);
        for (int c = 0; c < model->cells; c++) {
            int minute = c * regimen->grid;
            model->inside[d * (size_t)model->cells + (size_t)c] =
                model->has_state[d] && regimen_intervals_hold(drug->state, minute);
            for (size_t i = 0; i < drug->dose_count; i++) {
                model->drug[m->first[d] + i] = d;
                model->may[(m->first[d] + i) * (size_t)model->cells + (size_t)c] =
                    !window || regimen_intervals_hold(drug->doses[i].allowed, minute);
            }
        }
    }
}

bool model_create(struct model *model, const struct regimen *regimen, const struct slots_rule *rules,
                  size_t rule_count, struct arena *arena)
{
    struct maker m = {.model = model, .rules = rules, .rule_count = rule_count, .arena = arena};
    *model = (struct model){
        .regimen = regimen, .count = regimen_dose_total(regimen), .cells = REGIMEN_DAY / regimen->grid};
    size_t cells = (size_t)model->cells;
    model->may = arena_array(arena, model->count, cells);
    model->inside = arena_array(arena, regimen->drug_count, cells);
    model->has_state = arena_array(arena, regimen->drug_count, sizeof *model->has_state);
    model->drug = arena_array(arena, model->count, sizeof *model->drug);
    m.first = arena_array(arena, regimen->drug_count + 1, sizeof *m.first);
    if (!model->may || !model->inside || !model->has_state || !model->drug || !m.first)
        return false;
    for (size_t d = 0; d < regimen->drug_count; d++)
        m.first[d + 1] = m.first[d] + regimen->drugs[d].dose_count;
    make_times(&m);
    for (size_t d = 0; d < regimen->drug_count; d++)
        make_drug(&m, d);
    for (size_t s = 0; s < regimen->separation_count; s++) {
        if (in_force(&m, SLOTS_RULE_SEP, s))
            make_separation(&m, s);
    }
    for (size_t s = 0; s < regimen->same_slot_count; s++) {
        if (in_force(&m, SLOTS_RULE_SAME, s))
            make_pair(&m, &regimen->same_slot[s], true);
    }
    for (size_t s = 0; s < regimen->not_same_slot_count; s++) {
        if (in_force(&m, SLOTS_RULE_NOTSAME, s))
            make_pair(&m, &regimen->not_same_slot[s], false);
    }
    return !m.failed;
}

static bool has_partner(const struct model *model, const struct relation *r, bool first, int cell,
                        const uint8_t *other)
{
    for (int c = 0; c < model->cells; c++) {
        int d = first ? c - cell : cell - c;
        if (other[c] && r->ok[d + model->cells] && (d != 0 || !r->together || r->together[c]))
            return true;
    }
    return false;
}

static bool narrow_dose(const struct model *model, const struct relation *r, bool first, uint8_t *may,
                        uint8_t *changed)
{
    size_t cells = (size_t)model->cells;
    size_t dose = first ? r->a : r->b;
    uint8_t *mine = may + dose * cells;
    const uint8_t *other = may + (first ? r->b : r->a) * cells;
    bool left = false;
    for (int c = 0; c < model->cells; c++) {
        if (mine[c] && !has_partner(model, r, first, c, other)) {
            mine[c] = 0;
            changed[dose] = 1;
        }
        left |= mine[c];
    }
    return left;
}

/* All doses of a drug with same_state lie inside or all outside. */
static bool narrow_states(const struct model *model, uint8_t *may, uint8_t *changed)
{
    size_t cells = (size_t)model->cells;
    for (size_t i = 0; i < model->count; i++) {
        size_t drug = model->drug[i];
        const uint8_t *inside = model->inside + drug * cells;
        bool can[2] = {false, false};
        for (size_t c = 0; c < cells; c++) {
            if (may[i * cells + c])
                can[inside[c]] = true;
        }
        if (!can[0] && !can[1])
            return false;
        for (size_t j = 0; model->has_state[drug] && can[0] != can[1] && j < model->count; j++) {
            for (size_t c = 0; model->drug[j] == drug && c < cells; c++) {
                if (may[j * cells + c] && !can[inside[c]]) {
                    may[j * cells + c] = 0;
                    changed[j] = 1;
                }
            }
        }
    }
    return true;
}

bool model_narrow(const struct model *model, uint8_t *may, uint8_t *fresh)
{
    if (model->impossible)
        return false;
    for (bool again = true; again;) {
        uint8_t changed[REGIMEN_DOSES_MAX] = {0};
        if (!narrow_states(model, may, fresh))
            return false;
        for (size_t i = 0; i < model->relation_count; i++) {
            const struct relation *r = &model->relation[i];
            bool look = fresh[r->a] || fresh[r->b] || changed[r->a] || changed[r->b];
            if (look &&
                (!narrow_dose(model, r, true, may, changed) || !narrow_dose(model, r, false, may, changed)))
                return false;
        }
        memcpy(fresh, changed, model->count);
        again = memchr(changed, 1, model->count) != NULL;
    }
    return true;
}

static int relation_distance(const struct model *model, size_t a, size_t b)
{
    for (size_t i = 0; i < model->relation_count; i++) {
        const struct relation *r = &model->relation[i];
        if (r->a != a || r->b != b)
            continue;
        for (int d = 0; d <= model->cells; d++) {
            if (r->ok[model->cells + d] || r->ok[model->cells - d])
                return d;
        }
    }
    return 0;
}

int model_distance(const struct model *model, size_t a, size_t b)
{
    size_t low = a < b ? a : b;
    size_t high = a < b ? b : a;
    int direct = relation_distance(model, low, high);
    int along = 0;
    for (size_t i = low; model->drug[low] == model->drug[high] && i < high; i++)
        along += relation_distance(model, i, i + 1);
    return along > direct ? along : direct;
}

bool model_overfull(const struct model *model, const uint8_t *may, const uint64_t set[2],
                    distance_of *between, const void *context)
{
    size_t member[REGIMEN_DOSES_MAX];
    int way[REGIMEN_DOSES_MAX];
    size_t n = 0;
    int first = model->cells;
    int last = -1;
    int needed = 0;
    for (size_t i = 0; i < model->count; i++) {
        for (int c = 0; (set[i / 64] >> (i % 64) & 1) && c < model->cells; c++) {
            if (may[i * (size_t)model->cells + (size_t)c]) {
                first = c < first ? c : first;
                last = c > last ? c : last;
            }
        }
        if (set[i / 64] >> (i % 64) & 1)
            member[n++] = i;
    }
    if (n < 2)
        return false;
    /* The first is in the tree; the nearest of the others joins, until there is none. */
    for (size_t i = 1; i < n; i++)
        way[i] = between(context, member[0], member[i]);
    for (size_t in = 1; in < n; in++) {
        size_t nearest = in;
        for (size_t i = in; i < n; i++)
            nearest = way[i] < way[nearest] ? i : nearest;
        size_t joined = member[nearest];
        needed += way[nearest];
        member[nearest] = member[in];
        way[nearest] = way[in];
        member[in] = joined;
        for (size_t i = in + 1; i < n; i++) {
            int other = between(context, joined, member[i]);
            way[i] = other < way[i] ? other : way[i];
        }
    }
    return needed > last - first;
}
