/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaying refutations by groups: "so many slots are too few", told by which doses share a slot. A case is a
 * table of possible times, and groups of doses: those of one group have one time, different groups have
 * different times. The rules G1..G5 that scheduler/regimen-format.md lists must close every leaf, and the
 * branches of an inner row must cover everything that they leave open.
 */
#include <string.h>

#include "scheduler/proof/proof_private.h"

enum { ALONE = -1, DEPTH_MAX = 2048 };

struct gathering {
    uint8_t *may;   /* dose * cells + cell */
    uint8_t *fresh; /* dose: its times changed and nothing was drawn from that yet */
    int *group;     /* dose -> group or ALONE */
    size_t *first;  /* group -> the dose that it is named after */
    size_t groups;
};

struct replay {
    const struct model *model;
    const struct slots_result *result;
    const struct relation **between; /* dose * count + dose; NULL: no rule */
    int *distance;                   /* dose * count + dose: least cells between the two */
    size_t slots;
    struct gathering *stack;
    size_t row;
    struct arena *arena;
    struct error *err;
};

static int tampered(const struct replay *r, const char *what)
{
    return error_set(r->err, E_TAMPERED, "the refutation by groups does not hold: row %zu %s", r->row, what);
}

static bool gathering_create(const struct replay *r, struct gathering *g)
{
    size_t count = r->model->count;
    g->may = arena_array(r->arena, count, (size_t)r->model->cells);
    g->fresh = arena_array(r->arena, count, sizeof *g->fresh);
    g->group = arena_array(r->arena, count, sizeof *g->group);
    g->first = arena_array(r->arena, r->slots + 1, sizeof *g->first);
    return g->may && g->fresh && g->group && g->first;
}

static void gathering_copy(const struct replay *r, struct gathering *to, const struct gathering *from)
{
    size_t count = r->model->count;
    memcpy(to->may, from->may, count * (size_t)r->model->cells);
    memcpy(to->fresh, from->fresh, count * sizeof *to->fresh);
    memcpy(to->group, from->group, count * sizeof *to->group);
    memcpy(to->first, from->first, from->groups * sizeof *to->first);
    to->groups = from->groups;
}

/* May the two doses both be taken at the cell, as far as the rules between them go? */
static bool meet_at(const struct replay *r, size_t a, size_t b, int cell)
{
    const struct relation *rel = r->between[a * r->model->count + b];
    if (a != b && r->model->drug[a] == r->model->drug[b])
        return false;
    return !rel || (rel->ok[r->model->cells] && (!rel->together || rel->together[cell]));
}

/* G3: some time of the dose is one at which the whole group can be taken with it. */
static bool may_join(const struct replay *r, const struct gathering *g, size_t dose, int group)
{
    int cells = r->model->cells;
    for (int c = 0; c < cells; c++) {
        bool fits = g->may[dose * (size_t)cells + (size_t)c];
        for (size_t i = 0; fits && i < r->model->count; i++)
            fits = g->group[i] != group || (g->may[i * (size_t)cells + (size_t)c] && meet_at(r, dose, i, c));
        if (fits)
            return true;
    }
    return false;
}

/* G2: members of a group keep the times that all have and that all rules between them allow. */
static void share_times(const struct replay *r, struct gathering *g, int group, bool *changed)
{
    int cells = r->model->cells;
    size_t count = r->model->count;
    for (int c = 0; c < cells; c++) {
        bool fits = true;
        for (size_t i = 0; fits && i < count; i++) {
            if (g->group[i] != group)
                continue;
            fits = g->may[i * (size_t)cells + (size_t)c];
            for (size_t j = 0; fits && j < i; j++)
                fits = g->group[j] != group || meet_at(r, i, j, c);
        }
        for (size_t i = 0; !fits && i < count; i++) {
            uint8_t *may = &g->may[i * (size_t)cells + (size_t)c];
            if (g->group[i] == group && *may) {
                *may = 0;
                g->fresh[i] = 1;
                *changed = true;
            }
        }
    }
}

/* G4: the groups have as many times as there are slots, so everybody must find a place in one. False when a
 * dose finds none. */
static bool find_places(const struct replay *r, struct gathering *g, bool *changed)
{
    for (size_t i = 0; i < r->model->count; i++) {
        int only = ALONE;
        size_t places = 0;
        for (int k = 0; g->group[i] == ALONE && k < (int)g->groups; k++) {
            if (may_join(r, g, i, k)) {
                only = k;
                places++;
            }
        }
        if (g->group[i] == ALONE && places == 0)
            return false;
        if (g->group[i] == ALONE && places == 1) {
            g->group[i] = only;
            *changed = true;
        }
    }
    return true;
}

/* False when the case is closed. */
static bool gathering_narrow(const struct replay *r, struct gathering *g)
{
    bool changed = true;
    while (changed) {
        changed = false;
        if (!model_narrow(r->model, g->may, g->fresh))
            return false;
        for (int k = 0; k < (int)g->groups; k++)
            share_times(r, g, k, &changed);
        if (!changed && g->groups == r->slots && !find_places(r, g, &changed))
            return false;
    }
    return true;
}

static int named_after(const struct gathering *g, int dose)
{
    for (size_t k = 0; k < g->groups; k++) {
        if ((int)g->first[k] == dose)
            return (int)k;
    }
    return ALONE;
}

static void keep_times(const struct replay *r, struct gathering *g, size_t dose, const uint8_t *want,
                       uint8_t value)
{
    size_t cells = (size_t)r->model->cells;
    for (size_t c = 0; c < cells; c++) {
        if (want[c] != value)
            g->may[dose * cells + c] = 0;
    }
    g->fresh[dose] = 1;
}

/* Makes the decision that a branch of `node` stands for. *ret_open gets false when it contradicts the case.
 */
static int decide(const struct replay *r, struct gathering *g, const struct slots_node *node, int branch,
                  bool *ret_open)
{
    size_t cells = (size_t)r->model->cells;
    *ret_open = true;
    if (node->kind == SLOTS_NODE_TIME || node->kind == SLOTS_NODE_STATE) {
        int low = node->kind == SLOTS_NODE_TIME ? 0 : 1;
        uint8_t late[REGIMEN_DAY];
        if (branch != low && branch != low + 1)
            return tampered(r, "has a branch that is neither of two");
        for (size_t c = 0; c < cells; c++)
            late[c] = (int)c * r->model->regimen->grid > node->minute;
        if (node->kind == SLOTS_NODE_TIME)
            keep_times(r, g, node->dose, late, branch == 1);
        for (size_t i = 0; node->kind == SLOTS_NODE_STATE && i < r->model->count; i++) {
            if (r->model->drug[i] == node->dose)
                keep_times(r, g, i, r->model->inside + node->dose * cells, branch == 1);
        }
        return 0;
    }
    int now = g->group[node->dose];
    if (branch == SLOTS_BRANCH_OWN) {
        *ret_open = now == ALONE && g->groups < r->slots;
        if (*ret_open) {
            g->group[node->dose] = (int)g->groups;
            g->first[g->groups++] = node->dose;
        }
        return 0;
    }
    int wanted = named_after(g, branch);
    if (wanted == ALONE)
        return tampered(r, "has a branch to a dose that no group is named after");
    *ret_open = now == ALONE || now == wanted;
    g->group[node->dose] = wanted;
    return 0;
}

static bool node_fits(const struct replay *r, const struct slots_node *node)
{
    switch (node->kind) {
    case SLOTS_NODE_LEAF:
        return node->branches == 0;
    case SLOTS_NODE_GROUP:
        return node->dose < r->model->count && node->branches > 0;
    case SLOTS_NODE_TIME:
        return node->dose < r->model->count && node->branches == 2;
    case SLOTS_NODE_STATE:
        return node->dose < r->model->regimen->drug_count && r->model->has_state[node->dose] &&
               node->branches == 2;
    case SLOTS_NODE_PACK:
        return node->branches == 0;
    case SLOTS_NODE_SLOT:
        break;
    }
    return false;
}

/* Do the branches leave out a case that is open? */
static bool leaves_out(const struct replay *r, const struct gathering *g, const struct slots_node *node,
                       const bool *covered)
{
    if (node->kind == SLOTS_NODE_TIME)
        return !covered[0] || !covered[1];
    if (node->kind == SLOTS_NODE_STATE)
        return !covered[1] || !covered[2];
    int now = g->group[node->dose];
    if (now == ALONE && g->groups < r->slots && !covered[REGIMEN_DOSES_MAX])
        return true;
    for (int k = 0; k < (int)g->groups; k++) {
        bool needed = now == ALONE ? may_join(r, g, node->dose, k) : now == k;
        if (needed && !covered[g->first[k]])
            return true;
    }
    return false;
}

struct standing {
    const struct replay *r;
    const struct gathering *g;
};

/* The least distance of two groups, told by the doses that they are named after. */
static int groups_distance(const void *context, size_t a, size_t b)
{
    const struct standing *s = context;
    int most = 1;
    for (size_t i = 0; i < s->r->model->count; i++) {
        for (size_t j = 0; s->g->group[i] == s->g->group[a] && j < s->r->model->count; j++) {
            int way = s->g->group[j] == s->g->group[b] ? s->r->distance[i * s->r->model->count + j] : 0;
            most = way > most ? way : most;
        }
    }
    return most;
}

/* Each dose of the set stands for its group. */
static bool groups_overfull(const struct replay *r, const struct gathering *g, const struct slots_node *node)
{
    const struct standing s = {r, g};
    for (size_t i = 0; i < REGIMEN_DOSES_MAX; i++) {
        bool in = node->set[i / 64] >> (i % 64) & 1;
        if (in && (i >= r->model->count || g->group[i] == ALONE || g->first[g->group[i]] != i))
            return false;
    }
    return model_overfull(r->model, g->may, node->set, groups_distance, &s);
}

/* Walks the subtree at r->row in the case stack[depth], which is narrowed already when open is true; a closed
 * case needs no tree, but its rows are there to be walked over. */
static int replay_case(struct replay *r, size_t depth, bool open)
{
    if (r->row >= r->result->tree_count)
        return tampered(r, "is missing");
    const struct slots_node *node = &r->result->tree[r->row];
    if (!node_fits(r, node))
        return tampered(r, "is of a kind that has no place there");
    if (node->kind == SLOTS_NODE_LEAF) {
        if (open)
            return tampered(r, "is a leaf that nothing closes");
        r->row++;
        return 0;
    }
    if (node->kind == SLOTS_NODE_PACK) {
        if (open && !groups_overfull(r, &r->stack[depth], node))
            return tampered(r, "is a leaf whose groups find room");
        r->row++;
        return 0;
    }
    if (depth + 1 >= DEPTH_MAX)
        return tampered(r, "is nested too deep");
    struct gathering *child = &r->stack[depth + 1];
    if (!child->may && !gathering_create(r, child))
        return error_set(r->err, E_MEMORY, "no memory to replay a refutation");
    bool covered[REGIMEN_DOSES_MAX + 1] = {false};
    r->row++;
    for (uint32_t b = 0; b < node->branches; b++) {
        bool child_open = open;
        if (r->row >= r->result->tree_count)
            return tampered(r, "is missing");
        int branch = r->result->tree[r->row].branch;
        if (branch < SLOTS_BRANCH_OWN || branch >= REGIMEN_DOSES_MAX)
            return tampered(r, "has a branch to a dose that is not there");
        covered[branch == SLOTS_BRANCH_OWN ? REGIMEN_DOSES_MAX : branch] = true;
        if (open) {
            gathering_copy(r, child, &r->stack[depth]);
            int rc = decide(r, child, node, branch, &child_open);
            if (rc)
                return rc;
        }
        int rc = replay_case(r, depth + 1, child_open && gathering_narrow(r, child));
        if (rc)
            return rc;
    }
    if (open && leaves_out(r, &r->stack[depth], node, covered))
        return tampered(r, "comes after a choice that leaves a case out");
    return 0;
}

int replay_groups(const struct model *model, const struct slots_result *result, int slots,
                  struct arena *arena, struct error *err)
{
    struct replay r = {.model = model, .result = result, .slots = (size_t)slots, .arena = arena, .err = err};
    r.stack = arena_array(arena, DEPTH_MAX, sizeof *r.stack);
    r.between = arena_array(arena, model->count * model->count, sizeof *r.between);
    r.distance = arena_array(arena, model->count * model->count, sizeof *r.distance);
    if (!r.stack || !r.between || !r.distance || !gathering_create(&r, &r.stack[0]))
        return error_set(err, E_MEMORY, "no memory to replay a refutation");
    for (size_t i = 0; i < model->relation_count; i++) {
        const struct relation *rel = &model->relation[i];
        r.between[rel->a * model->count + rel->b] = rel;
        r.between[rel->b * model->count + rel->a] = rel;
    }
    for (size_t i = 0; i < model->count; i++) {
        for (size_t j = 0; j < model->count; j++)
            r.distance[i * model->count + j] = i == j ? 0 : model_distance(model, i, j);
    }
    struct gathering *root = &r.stack[0];
    memcpy(root->may, model->may, model->count * (size_t)model->cells);
    memset(root->fresh, 1, model->count);
    for (size_t i = 0; i < model->count; i++)
        root->group[i] = ALONE;
    int rc = replay_case(&r, 0, gathering_narrow(&r, root));
    if (!rc && r.row != result->tree_count)
        rc = tampered(&r, "does not belong to the tree");
    return rc;
}
