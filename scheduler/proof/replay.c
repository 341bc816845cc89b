/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaying refutation trees. A case is a copy of the tables with one more decision; propagation by the rules
 * N1..N8 that scheduler/regimen-format.md lists must close every leaf, and the branches of an inner row must
 * cover everything that propagation leaves open.
 */
#include <string.h>

#include "scheduler/proof/proof_private.h"

enum { REPLAY_FAR = 1 << 20 };

/* One case of "so many slots". Slot number `slots` in dist is the start of the day. */
struct stage {
    uint8_t *in;  /* dose * slots + slot: the dose may be in the slot */
    uint8_t *at;  /* slot * cells + cell: the slot may stand at the cell */
    int *dist;    /* a * (slots + 1) + b: time of b - time of a, at least */
    uint8_t *can; /* drug * 2 + (0 outside, 1 inside) */
};

struct replay {
    const struct model *model;
    const struct slots_result *result;
    int slots;
    uint8_t *may; /* narrowed windows */
    struct stage *stack;
    size_t depth_cap;
    size_t row;
    struct arena *arena;
    struct error *err;
};

static int tampered(const struct replay *r, const char *what)
{
    return error_set(r->err, E_TAMPERED, "the refutation tree does not hold: row %zu %s", r->row, what);
}

static bool stage_create(const struct replay *r, struct stage *stage)
{
    size_t slots = (size_t)r->slots;
    stage->in = arena_array(r->arena, r->model->count, slots);
    stage->at = arena_array(r->arena, slots, (size_t)r->model->cells);
    stage->dist = arena_array(r->arena, (slots + 1) * (slots + 1), sizeof *stage->dist);
    stage->can = arena_array(r->arena, r->model->regimen->drug_count, 2);
    return stage->in && stage->at && stage->dist && stage->can;
}

static void stage_copy(const struct replay *r, struct stage *to, const struct stage *from)
{
    size_t slots = (size_t)r->slots;
    memcpy(to->in, from->in, r->model->count * slots);
    memcpy(to->at, from->at, slots * (size_t)r->model->cells);
    memcpy(to->dist, from->dist, (slots + 1) * (slots + 1) * sizeof *to->dist);
    memcpy(to->can, from->can, r->model->regimen->drug_count * 2);
}

static bool raise_dist(const struct replay *r, const struct stage *s, int a, int b, int least)
{
    int *dist = &s->dist[a * (r->slots + 1) + b];
    if (least <= *dist)
        return false;
    *dist = least;
    return true;
}

/* N1: differences closed under addition. False on a contradiction. */
static bool close_dist(const struct replay *r, const struct stage *s)
{
    int n = r->slots + 1;
    for (int k = 0; k < n; k++) {
        for (int a = 0; a < n; a++) {
            for (int b = 0; b < n; b++)
                (void)raise_dist(r, s, a, b, s->dist[a * n + k] + s->dist[k * n + b]);
        }
    }
    for (int a = 0; a < n; a++) {
        if (s->dist[a * n + a] > 0)
            return false;
    }
    return true;
}

/* N2: cells of a slot and its earliest and latest time. */
static bool meet_cells(const struct replay *r, const struct stage *s, bool *changed)
{
    int n = r->slots + 1;
    int cells = r->model->cells;
    for (int p = 0; p < r->slots; p++) {
        int first = -1;
        int last = -1;
        for (int c = 0; c < cells; c++) {
            uint8_t *at = &s->at[p * cells + c];
            if (*at && (c < s->dist[r->slots * n + p] || c > -s->dist[p * n + r->slots])) {
                *at = 0;
                *changed = true;
            }
            if (*at && first < 0)
                first = c;
            if (*at)
                last = c;
        }
        if (first < 0)
            return false;
        *changed |= raise_dist(r, s, r->slots, p, first);
        *changed |= raise_dist(r, s, p, r->slots, -last);
    }
    return true;
}

/* May the dose be at the cell, given what its drug's state can still be? */
static bool dose_may(const struct replay *r, const struct stage *s, size_t dose, int cell)
{
    size_t cells = (size_t)r->model->cells;
    size_t drug = r->model->drug[dose];
    return r->may[dose * cells + (size_t)cell] &&
           (!r->model->has_state[drug] || s->can[drug * 2 + r->model->inside[drug * cells + (size_t)cell]]);
}

/* N3, N4, N5, N8 for one dose. */
static bool meet_window(const struct replay *r, const struct stage *s, size_t dose, bool *changed)
{
    int cells = r->model->cells;
    int low = -1;
    int high = -1;
    int first = cells;
    int last = -1;
    size_t drug = r->model->drug[dose];
    bool can[2] = {false, false};
    for (int c = 0; c < cells; c++) {
        if (dose_may(r, s, dose, c)) {
            first = c < first ? c : first;
            last = c;
        }
    }
    for (int p = 0; p < r->slots; p++) {
        uint8_t *in = &s->in[dose * (size_t)r->slots + (size_t)p];
        bool fits = false;
        for (int c = 0; *in && c < cells; c++) {
            if (s->at[p * cells + c] && dose_may(r, s, dose, c)) {
                fits = true;
                can[r->model->inside[drug * (size_t)cells + (size_t)c]] = true;
            }
        }
        if (*in && !fits) {
            *in = 0;
            *changed = true;
        }
        if (*in) {
            low = low < 0 ? p : low;
            high = p;
        }
    }
    if (low < 0)
        return false;
    for (int side = 0; r->model->has_state[drug] && side < 2; side++) {
        if (s->can[drug * 2 + (size_t)side] && !can[side]) {
            s->can[drug * 2 + (size_t)side] = 0;
            *changed = true;
        }
    }
    *changed |= raise_dist(r, s, low, r->slots, -last);
    *changed |= raise_dist(r, s, r->slots, high, first);
    for (int c = 0; low == high && c < cells; c++) {
        if (s->at[low * cells + c] && !dose_may(r, s, dose, c)) {
            s->at[low * cells + c] = 0;
            *changed = true;
        }
    }
    return true;
}

/* Extremes of the differences that the relation allows between slots p and q, as far as they can be now;
 * false when there is none. */
static bool relation_fits(const struct replay *r, const struct stage *s, const struct relation *rel, int p,
                          int q, int *least, int *most)
{
    int n = r->slots + 1;
    int cells = r->model->cells;
    int from = p == q ? 0 : p < q ? 1 : -cells;
    int to = p == q ? 0 : p < q ? cells : -1;
    bool any = false;
    if (p == q) {
        if (!rel->ok[cells])
            return false;
        for (int c = 0; c < cells && !any; c++)
            any = s->at[p * cells + c] && dose_may(r, s, rel->a, c) && dose_may(r, s, rel->b, c) &&
                  (!rel->together || rel->together[c]);
        *least = 0;
        *most = 0;
        return any;
    }
    for (int d = from; d <= to; d++) {
        if (!rel->ok[d + cells])
            continue;
        if (d >= s->dist[p * n + q] && d <= -s->dist[q * n + p])
            any = true;
        *least = d < *least ? d : *least;
        *most = d > *most ? d : *most;
    }
    return any;
}

/* N6 and N7 for one relation. */
static bool meet_relation(const struct replay *r, const struct stage *s, const struct relation *rel,
                          bool *changed)
{
    size_t slots = (size_t)r->slots;
    uint8_t *in_a = s->in + rel->a * slots;
    uint8_t *in_b = s->in + rel->b * slots;
    bool keep_a[SLOTS_MAX] = {false};
    bool keep_b[SLOTS_MAX] = {false};
    int least = REPLAY_FAR;
    int most = -REPLAY_FAR;
    for (int p = 0; p < r->slots; p++) {
        for (int q = 0; q < r->slots; q++) {
            int lo = REPLAY_FAR;
            int hi = -REPLAY_FAR;
            if (!in_a[p] || !in_b[q] || !relation_fits(r, s, rel, p, q, &lo, &hi))
                continue;
            keep_a[p] = true;
            keep_b[q] = true;
            least = lo < least ? lo : least;
            most = hi > most ? hi : most;
        }
    }
    int low_a = -1, high_a = -1, low_b = -1, high_b = -1;
    for (int p = 0; p < r->slots; p++) {
        *changed |= (in_a[p] && !keep_a[p]) || (in_b[p] && !keep_b[p]);
        in_a[p] &= keep_a[p];
        in_b[p] &= keep_b[p];
        if (in_a[p]) {
            low_a = low_a < 0 ? p : low_a;
            high_a = p;
        }
        if (in_b[p]) {
            low_b = low_b < 0 ? p : low_b;
            high_b = p;
        }
    }
    if (low_a < 0 || low_b < 0)
        return false;
    if (low_a != high_b)
        *changed |= raise_dist(r, s, low_a, high_b, least);
    if (low_b != high_a)
        *changed |= raise_dist(r, s, low_b, high_a, -most);
    if (low_a == high_a && low_b == high_b && low_a == low_b && rel->together) {
        uint8_t *at = s->at + low_a * r->model->cells;
        for (int c = 0; c < r->model->cells; c++) {
            *changed |= at[c] && !rel->together[c];
            at[c] &= rel->together[c];
        }
    }
    return true;
}

/* False when the case is closed. */
static bool stage_narrow(const struct replay *r, const struct stage *s)
{
    bool changed = true;
    while (changed) {
        changed = false;
        if (!close_dist(r, s) || !meet_cells(r, s, &changed))
            return false;
        for (size_t i = 0; i < r->model->count; i++) {
            if (!meet_window(r, s, i, &changed))
                return false;
        }
        if (!close_dist(r, s))
            return false;
        for (size_t i = 0; i < r->model->relation_count; i++) {
            if (!meet_relation(r, s, &r->model->relation[i], &changed))
                return false;
        }
        for (size_t d = 0; d < r->model->regimen->drug_count; d++) {
            if (!s->can[d * 2] && !s->can[d * 2 + 1])
                return false;
        }
    }
    return true;
}

/* The decision that a branch of `node` stands for. */
static int stage_decide(const struct replay *r, struct stage *s, const struct slots_node *node, int branch)
{
    size_t slots = (size_t)r->slots;
    if (node->kind == SLOTS_NODE_STATE) {
        if (branch != 1 && branch != 2)
            return tampered(r, "has a branch that is neither inside nor outside");
        s->can[node->dose * 2 + (branch == 1 ? 0 : 1)] = 0;
        return 0;
    }
    if (branch < 0 || branch >= r->slots)
        return tampered(r, "has a branch to a slot that is not there");
    for (size_t p = 0; p < slots; p++)
        s->in[node->dose * slots + p] &= p == (size_t)branch;
    return 0;
}

static bool node_fits(const struct replay *r, const struct slots_node *node, bool times)
{
    switch (node->kind) {
    case SLOTS_NODE_LEAF:
        return node->branches == 0;
    case SLOTS_NODE_SLOT:
        return !times && node->dose < r->model->count;
    case SLOTS_NODE_TIME:
        return times && node->dose < r->model->count && node->branches == 2;
    case SLOTS_NODE_STATE:
        return !times && node->dose < r->model->regimen->drug_count && r->model->has_state[node->dose];
    case SLOTS_NODE_PACK:
        return times && node->branches == 0;
    case SLOTS_NODE_GROUP:
        break;
    }
    return false;
}

/* Walks the subtree at r->row in the case `stack[depth]`, which is narrowed already when open is true; a
 * closed case needs no tree, but its rows are there to be walked over. */
static int replay_case(struct replay *r, size_t depth, bool open)
{
    if (r->row >= r->result->tree_count)
        return tampered(r, "is missing");
    const struct slots_node *node = &r->result->tree[r->row];
    if (!node_fits(r, node, false))
        return tampered(r, "is of a kind that has no place there");
    if (node->kind == SLOTS_NODE_LEAF) {
        if (open)
            return tampered(r, "is a leaf that nothing closes");
        r->row++;
        return 0;
    }
    if (depth + 1 >= r->depth_cap)
        return tampered(r, "is nested too deep");
    struct stage *child = &r->stack[depth + 1];
    if (!child->in && !stage_create(r, child))
        return error_set(r->err, E_MEMORY, "no memory to replay a refutation");
    bool covered[SLOTS_MAX + 1] = {false};
    r->row++;
    for (uint32_t b = 0; b < node->branches; b++) {
        if (r->row >= r->result->tree_count)
            return tampered(r, "is missing");
        int branch = r->result->tree[r->row].branch;
        stage_copy(r, child, &r->stack[depth]);
        int rc = stage_decide(r, child, node, branch);
        if (rc)
            return rc;
        covered[branch] = true;
        rc = replay_case(r, depth + 1, open && stage_narrow(r, child));
        if (rc)
            return rc;
    }
    const struct stage *stage = &r->stack[depth];
    for (int v = 0; open && v <= r->slots; v++) {
        bool needed = node->kind == SLOTS_NODE_STATE
                          ? v >= 1 && v <= 2 && stage->can[node->dose * 2 + (v == 1 ? 1 : 0)]
                          : v < r->slots && stage->in[node->dose * (size_t)r->slots + (size_t)v];
        if (needed && !covered[v])
            return tampered(r, "comes after a choice that leaves a case out");
    }
    return 0;
}

static int replay_begin(struct replay *r, const struct model *model, const struct slots_result *result,
                        struct arena *arena, struct error *err)
{
    size_t bytes = model->count * (size_t)model->cells;
    *r = (struct replay){.model = model, .result = result, .arena = arena, .err = err};
    r->depth_cap = model->count + model->regimen->drug_count + 8;
    r->may = arena_alloc(arena, bytes);
    r->stack = arena_array(arena, r->depth_cap, sizeof *r->stack);
    if (!r->may || !r->stack)
        return error_set(err, E_MEMORY, "no memory to replay a refutation");
    memcpy(r->may, model->may, bytes);
    return 0;
}

int replay_slots(const struct model *model, const struct slots_result *result, int slots, struct arena *arena,
                 struct error *err)
{
    struct replay r;
    int rc = replay_begin(&r, model, result, arena, err);
    if (rc)
        return rc;
    r.slots = slots;
    uint8_t fresh[REGIMEN_DOSES_MAX];
    memset(fresh, 1, sizeof fresh);
    bool open = model_narrow(model, r.may, fresh);
    if (!stage_create(&r, &r.stack[0]))
        return error_set(err, E_MEMORY, "no memory to replay a refutation");
    struct stage *root = &r.stack[0];
    int n = slots + 1;
    memset(root->in, 1, model->count * (size_t)slots);
    memset(root->at, 1, (size_t)slots * (size_t)model->cells);
    memset(root->can, 1, model->regimen->drug_count * 2);
    for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++)
            root->dist[a * n + b] = a == b ? 0 : -model->cells;
    }
    for (int p = 0; p + 1 < slots; p++)
        root->dist[p * n + p + 1] = 1;
    for (int p = 0; p < slots; p++)
        root->dist[slots * n + p] = 0;
    rc = replay_case(&r, 0, open && stage_narrow(&r, root));
    if (!rc && r.row != result->tree_count)
        rc = tampered(&r, "does not belong to the tree");
    return rc;
}

static int distance_between(const void *context, size_t a, size_t b)
{
    return model_distance(context, a, b);
}

/* Times: the case is a table of possible times, kept in stack[depth].at. */
static int replay_time_case(struct replay *r, size_t depth, bool open)
{
    size_t bytes = r->model->count * (size_t)r->model->cells;
    if (r->row >= r->result->tree_count)
        return tampered(r, "is missing");
    const struct slots_node *node = &r->result->tree[r->row];
    if (!node_fits(r, node, true))
        return tampered(r, "is of a kind that has no place there");
    if (node->kind == SLOTS_NODE_LEAF) {
        if (open)
            return tampered(r, "is a leaf that nothing closes");
        r->row++;
        return 0;
    }
    if (node->kind == SLOTS_NODE_PACK) {
        if (open && !model_overfull(r->model, r->stack[depth].at, node->set, distance_between, r->model))
            return tampered(r, "is a leaf whose doses find room");
        r->row++;
        return 0;
    }
    if (depth + 1 >= r->depth_cap)
        return tampered(r, "is nested too deep");
    struct stage *child = &r->stack[depth + 1];
    if (!child->at)
        child->at = arena_alloc(r->arena, bytes);
    if (!child->at)
        return error_set(r->err, E_MEMORY, "no memory to replay a refutation");
    r->row++;
    for (int b = 0; b < 2; b++) {
        if (r->row >= r->result->tree_count || r->result->tree[r->row].branch != b)
            return tampered(r, "is not the branch that comes next");
        memcpy(child->at, r->stack[depth].at, bytes);
        for (int c = 0; c < r->model->cells; c++) {
            bool early = c * r->model->regimen->grid <= node->minute;
            if (early != (b == 0))
                child->at[node->dose * (size_t)r->model->cells + (size_t)c] = 0;
        }
        uint8_t fresh[REGIMEN_DOSES_MAX] = {0};
        fresh[node->dose] = 1;
        int rc = replay_time_case(r, depth + 1, open && model_narrow(r->model, child->at, fresh));
        if (rc)
            return rc;
    }
    return 0;
}

int replay_times(const struct model *model, const struct slots_result *result, struct arena *arena,
                 struct error *err)
{
    struct replay r;
    int rc = replay_begin(&r, model, result, arena, err);
    if (rc)
        return rc;
    r.depth_cap = 2048;
    r.stack = arena_array(arena, r.depth_cap, sizeof *r.stack);
    if (!r.stack)
        return error_set(err, E_MEMORY, "no memory to replay a refutation");
    r.stack[0].at = r.may;
    uint8_t fresh[REGIMEN_DOSES_MAX];
    memset(fresh, 1, sizeof fresh);
    rc = replay_time_case(&r, 0, model_narrow(model, r.may, fresh));
    if (!rc && r.row != result->tree_count)
        rc = tampered(&r, "does not belong to the tree");
    return rc;
}
