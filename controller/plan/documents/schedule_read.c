/* SPDX-License-Identifier: Apache-2.0 */
/* A result back from JSON, for verification. Every id and number is resolved or refused here, so that the
 * verifier works on places only. */
#include <jansson.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/documents/json_read.h"
#include "controller/plan/documents/schedule_json.h"
#include "controller/seal/seal.h"

struct reader {
    const struct regimen *regimen;
    struct arena *arena;
    struct error *err;
    struct slots_node *row;
    size_t rows;
    size_t row_cap;
};

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory to read a schedule");
}

static int read_sum(const json_t *object, const struct place *at, const char *member, int64_t *ret,
                    struct error *err)
{
    const json_t *value = json_object_get(object, member);
    struct place here = {.up = at, .name = member};
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return place_error(&here, E_INPUT, err, "must be a whole number, 0 or more");
    *ret = json_integer_value(value);
    return 0;
}

/* {"d1":[..],...} with every drug and every dose exactly once. */
static int read_times(struct reader *r, const json_t *object, const struct place *at, int *times)
{
    const struct regimen *regimen = r->regimen;
    if (!json_is_object(object) || json_object_size(object) != regimen->drug_count)
        return place_error(at, E_INPUT, r->err, "must hold each of the %zu drugs once", regimen->drug_count);
    size_t dose = 0;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        struct place drug = {.up = at, .name = regimen->drugs[d].id};
        const json_t *list = json_object_get(object, regimen->drugs[d].id);
        if (!json_is_array(list) || json_array_size(list) != regimen->drugs[d].dose_count)
            return place_error(&drug, E_INPUT, r->err, "must list %zu times", regimen->drugs[d].dose_count);
        for (size_t i = 0; i < regimen->drugs[d].dose_count; i++) {
            struct place here = {.up = &drug, .index = (int)i};
            int rc =
                read_int_value(json_array_get(list, i), &here, 0, REGIMEN_DAY - 1, &times[dose++], r->err);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* items[first] is a drug's id, items[first + 1] the place of its dose. */
static int read_dose(struct reader *r, const json_t *list, size_t first, const struct place *at, size_t *ret)
{
    const char *id = json_string_value(json_array_get(list, first));
    size_t drug = id ? regimen_find_drug(r->regimen, id) : r->regimen->drug_count;
    int index = 0;
    if (drug == r->regimen->drug_count)
        return place_error(at, E_INPUT, r->err, "names a drug that is not in the regimen");
    int rc = read_int_value(json_array_get(list, first + 1), at, 0,
                            (int)r->regimen->drugs[drug].dose_count - 1, &index, r->err);
    *ret = slots_first_dose(r->regimen, drug) + (size_t)index;
    return rc;
}

static bool find_place(const struct regimen *regimen, enum slots_rule_kind kind, const char *id, size_t *ret)
{
    size_t count = kind == SLOTS_RULE_SEP       ? regimen->separation_count
                   : kind == SLOTS_RULE_SAME    ? regimen->same_slot_count
                   : kind == SLOTS_RULE_NOTSAME ? regimen->not_same_slot_count
                                                : regimen->drug_count;
    for (size_t i = 0; i < count; i++) {
        const char *name = kind == SLOTS_RULE_SEP       ? regimen->separations[i].id
                           : kind == SLOTS_RULE_SAME    ? regimen->same_slot[i].id
                           : kind == SLOTS_RULE_NOTSAME ? regimen->not_same_slot[i].id
                                                        : regimen->drugs[i].id;
        if (strcmp(name, id) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static int read_rule(struct reader *r, const json_t *value, const struct place *at, struct slots_rule *ret)
{
    static const struct {
        const char *prefix;
        enum slots_rule_kind kind;
    } kinds[] = {
        {"window:", SLOTS_RULE_WINDOW},   {"gap:", SLOTS_RULE_GAP},    {"overnight:", SLOTS_RULE_OVERNIGHT},
        {"state:", SLOTS_RULE_STATE},     {"sep:", SLOTS_RULE_SEP},    {"same:", SLOTS_RULE_SAME},
        {"notsame:", SLOTS_RULE_NOTSAME}, {"order:", SLOTS_RULE_ORDER}};
    const char *name = json_string_value(value);
    *ret = (struct slots_rule){SLOTS_RULE_TIMES, 0};
    if (name && strcmp(name, "times") == 0)
        return 0;
    ret->kind = SLOTS_RULE_SLOTS;
    if (name && strcmp(name, "slots") == 0)
        return 0;
    for (size_t i = 0; name && i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(name, kinds[i].prefix, len) == 0) {
            ret->kind = kinds[i].kind;
            if (find_place(r->regimen, kinds[i].kind, name + len, &ret->place))
                return 0;
        }
    }
    return place_error(at, E_INPUT, r->err, "names no rule of this regimen: \"%.80s\"", name ? name : "");
}

static int add_row(struct reader *r, struct slots_node row)
{
    if (r->rows == SCHEDULE_TREE_ROWS_MAX)
        return error_set(r->err, E_LIMIT, "a refutation tree of more than %d rows", SCHEDULE_TREE_ROWS_MAX);
    if (r->rows == r->row_cap) {
        size_t cap = r->row_cap ? 2 * r->row_cap : 256;
        struct slots_node *grown = arena_array(r->arena, cap, sizeof *grown);
        if (!grown)
            return no_memory(r->err);
        if (r->rows)
            memcpy(grown, r->row, r->rows * sizeof *grown);
        r->row = grown;
        r->row_cap = cap;
    }
    r->row[r->rows++] = row;
    return 0;
}

/* What stands before the branches of an inner row: "slot", drug, dose | "with", drug, dose | "time", drug,
 * dose, minute | "state", drug. *ret_first is the place of the first branch. */
static int read_decision(struct reader *r, const json_t *list, const struct place *at,
                         struct slots_node *node, size_t *ret_first)
{
    const char *kind = json_string_value(json_array_get(list, 0));
    size_t dose = 0;
    int rc = 0;
    if (kind && strcmp(kind, "slot") == 0) {
        node->kind = SLOTS_NODE_SLOT;
        *ret_first = 3;
        rc = read_dose(r, list, 1, at, &dose);
    } else if (kind && strcmp(kind, "with") == 0) {
        node->kind = SLOTS_NODE_GROUP;
        *ret_first = 3;
        rc = read_dose(r, list, 1, at, &dose);
    } else if (kind && strcmp(kind, "time") == 0) {
        node->kind = SLOTS_NODE_TIME;
        *ret_first = 4;
        rc = read_dose(r, list, 1, at, &dose);
        if (!rc)
            rc = read_int_value(json_array_get(list, 3), at, 0, REGIMEN_DAY - 1, &node->minute, r->err);
    } else if (kind && strcmp(kind, "state") == 0) {
        const char *id = json_string_value(json_array_get(list, 1));
        node->kind = SLOTS_NODE_STATE;
        *ret_first = 2;
        dose = id ? regimen_find_drug(r->regimen, id) : r->regimen->drug_count;
        if (dose == r->regimen->drug_count)
            rc = place_error(at, E_INPUT, r->err, "names a drug that is not in the regimen");
    } else {
        rc = place_error(at, E_INPUT, r->err, "is no row of a refutation tree");
    }
    node->dose = (uint32_t)dose;
    return rc;
}

/* What a branch decides: a number, or of "with" the dose that it is with, or "own". */
static int read_branch(struct reader *r, const json_t *value, const struct place *at,
                       enum slots_node_kind kind, int *ret)
{
    if (kind != SLOTS_NODE_GROUP)
        return read_int_value(value, at, 0, SLOTS_MAX, ret, r->err);
    const char *own = json_string_value(value);
    size_t dose = 0;
    *ret = SLOTS_BRANCH_OWN;
    if (own && strcmp(own, "own") == 0)
        return 0;
    int rc = read_dose(r, value, 0, at, &dose);
    *ret = (int)dose;
    return rc;
}

/* A leaf "pack", drug, dose, drug, dose, ... */
static int read_pack(struct reader *r, const json_t *list, const struct place *at, struct slots_node *node)
{
    int rc = 0;
    node->kind = SLOTS_NODE_PACK;
    for (size_t i = 1; !rc && i < json_array_size(list); i += 2) {
        size_t dose = 0;
        rc = read_dose(r, list, i, at, &dose);
        if (!rc)
            node->set[dose / 64] |= UINT64_C(1) << (dose % 64);
    }
    return rc ? rc : add_row(r, *node);
}

static int read_tree(struct reader *r, const json_t *value, const struct place *at, int depth, int branch)
{
    struct slots_node node = {.kind = SLOTS_NODE_LEAF, .branch = branch};
    if (depth > SCHEDULE_TREE_DEPTH_MAX)
        return error_set(r->err, E_LIMIT, "a refutation tree nested more than %d deep",
                         SCHEDULE_TREE_DEPTH_MAX);
    if (json_is_string(value)) {
        int rc = read_rule(r, value, at, &node.rule);
        return rc ? rc : add_row(r, node);
    }
    const char *kind = json_string_value(json_array_get(value, 0));
    if (kind && strcmp(kind, "pack") == 0)
        return read_pack(r, value, at, &node);
    size_t first = 0;
    int rc = read_decision(r, value, at, &node, &first);
    size_t size = json_array_size(value);
    if (!rc && size < first)
        rc = place_error(at, E_INPUT, r->err, "a row of the refutation tree is too short");
    if (rc)
        return rc;
    node.branches = (uint32_t)(size - first);
    rc = add_row(r, node);
    for (size_t i = first; !rc && i < size; i++) {
        const json_t *pair = json_array_get(value, i);
        int decision = 0;
        if (!json_is_array(pair) || json_array_size(pair) != 2)
            return place_error(at, E_INPUT, r->err, "a branch of the refutation tree must be [decision,row]");
        rc = read_branch(r, json_array_get(pair, 0), at, node.kind, &decision);
        if (!rc)
            rc = read_tree(r, json_array_get(pair, 1), at, depth + 1, decision);
    }
    return rc;
}

static int read_clique(struct reader *r, const json_t *certificate, const struct place *at,
                       struct slots_result *result)
{
    const json_t *doses = json_object_get(certificate, "clique");
    const json_t *reasons = json_object_get(certificate, "reasons");
    size_t n = json_array_size(doses);
    size_t pairs = json_array_size(reasons);
    if (!json_is_array(doses) || !json_is_array(reasons) || n > REGIMEN_DOSES_MAX || pairs > n * n)
        return place_error(at, E_INPUT, r->err, "`clique` and `reasons` must be lists of doses and pairs");
    size_t *clique = arena_array(r->arena, n, sizeof *clique);
    struct slots_apart *apart = arena_array(r->arena, pairs, sizeof *apart);
    if (!clique || !apart)
        return no_memory(r->err);
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++)
        rc = read_dose(r, json_array_get(doses, i), 0, at, &clique[i]);
    for (size_t i = 0; !rc && i < pairs; i++) {
        const json_t *list = json_array_get(reasons, i);
        rc = read_dose(r, list, 0, at, &apart[i].a);
        if (!rc)
            rc = read_dose(r, list, 2, at, &apart[i].b);
        if (!rc)
            rc = read_rule(r, json_array_get(list, 4), at, &apart[i].why);
    }
    result->clique = clique;
    result->clique_count = n;
    result->apart = apart;
    result->apart_count = pairs;
    return rc;
}

static int read_certificate(struct reader *r, const json_t *certificate, struct slots_result *result,
                            uint8_t ret_hash[32])
{
    const struct place at = {.name = "certificate"};
    const char *hash = json_string_value(json_object_get(certificate, "instance"));
    const char *proof = json_string_value(json_object_get(certificate, "proof"));
    int rc = 0;
    if (!hash || !proof || !seal_hash_parse(hash, ret_hash))
        return place_error(&at, E_INPUT, r->err, "needs `instance` (64 hex digits) and `proof`");
    if (result->has_schedule) {
        struct place in = {.up = &at, .name = "witness"};
        int *witness = arena_array(r->arena, result->dose_count, sizeof *witness);
        if (!witness)
            return no_memory(r->err);
        rc = read_times(r, json_object_get(certificate, "witness"), &in, witness);
        if (!rc && result->dose_count &&
            memcmp(witness, result->times, result->dose_count * sizeof *witness) != 0)
            rc = error_set(r->err, E_TAMPERED, "the witness is not the schedule");
    }
    if (rc || strcmp(proof, "none") == 0)
        return rc;
    if (strcmp(proof, "clique") == 0) {
        result->proof = SLOTS_PROOF_CLIQUE;
        return read_clique(r, certificate, &at, result);
    }
    bool groups = strcmp(proof, "groups") == 0;
    bool slots = groups || strcmp(proof, "tree") == 0;
    if (!slots && strcmp(proof, "times") != 0)
        return place_error(&at, E_INPUT, r->err, "unknown proof \"%.40s\"", proof);
    result->proof = groups ? SLOTS_PROOF_GROUPS : slots ? SLOTS_PROOF_TREE : SLOTS_PROOF_TIMES;
    int refuted = 0;
    struct place in = {.up = &at, .name = "tree"};
    if (slots)
        rc = read_int(certificate, &at, "slots", 1, SLOTS_MAX, 0, &refuted, r->err);
    result->refuted_slots = (size_t)refuted;
    if (!rc)
        rc = read_tree(r, json_object_get(certificate, "tree"), &in, 0, 0);
    result->tree = r->row;
    result->tree_count = r->rows;
    return rc;
}

static int read_schedule(struct reader *r, const json_t *object, const struct place *root,
                         struct slots_result *result)
{
    const json_t *list = json_object_get(object, "slot_times");
    const struct place in_times = {.name = "schedule"};
    const struct place in_slots = {.name = "slot_times"};
    int slots = 0;
    int bound = 0;
    int64_t steps = 0;
    result->has_schedule = json_object_get(object, "schedule") != NULL;
    if (!result->has_schedule)
        return 0;
    result->times = arena_array(r->arena, result->dose_count, sizeof *result->times);
    if (!result->times)
        return no_memory(r->err);
    int rc = read_times(r, json_object_get(object, "schedule"), &in_times, result->times);
    if (!rc)
        rc = read_int(object, root, "slots", 0, SLOTS_MAX, 0, &slots, r->err);
    if (!rc)
        rc = read_int(object, root, "lower_bound", 0, SLOTS_MAX, 0, &bound, r->err);
    if (!rc && (!json_is_array(list) || json_array_size(list) != (size_t)slots))
        rc = place_error(&in_slots, E_INPUT, r->err, "must list %d times", slots);
    for (int i = 0; !rc && i < slots; i++)
        rc = read_int_value(json_array_get(list, (size_t)i), &in_slots, 0, REGIMEN_DAY - 1,
                            &result->slot_times[i], r->err);
    result->slot_count = (size_t)slots;
    result->lower_bound = (size_t)bound;
    if (!rc)
        rc = read_sum(object, root, "soft_cost", &result->soft_cost, r->err);
    if (!rc)
        rc = read_sum(object, root, "move_steps", &steps, r->err);
    if (!rc)
        rc = read_sum(object, root, "move_minutes", &result->move_minutes, r->err);
    if (!rc)
        rc = read_sum(object, root, "anchor_minutes", &result->anchor_minutes, r->err);
    if (!rc)
        rc = read_sum(object, root, "balance_minutes", &result->balance_minutes, r->err);
    if (!rc && steps != (result->move_minutes + r->regimen->grid - 1) / r->regimen->grid)
        rc = error_set(r->err, E_TAMPERED, "move_steps and move_minutes do not agree");
    return rc;
}

static int read_conflict(struct reader *r, const json_t *object, struct slots_result *result)
{
    const json_t *list = json_object_get(object, "conflict");
    const struct place at = {.name = "conflict"};
    size_t n = json_array_size(list);
    struct slots_rule *conflict = arena_array(r->arena, n, sizeof *conflict);
    int rc = conflict ? 0 : no_memory(r->err);
    for (size_t i = 0; !rc && i < n; i++)
        rc = read_rule(r, json_array_get(list, i), &at, &conflict[i]);
    result->conflict = conflict;
    result->conflict_count = n;
    return rc;
}

int schedule_from_json(const struct json_t *object, const struct regimen *regimen, struct arena *arena,
                       struct slots_result **ret, uint8_t ret_hash[32], struct error *err)
{
    struct reader r = {.regimen = regimen, .arena = arena, .err = err};
    const struct place root = {.name = ""};
    const char *format = NULL;
    const char *id = NULL;
    const char *status = NULL;
    struct slots_result *result = arena_alloc(arena, sizeof *result);
    if (!result)
        return no_memory(err);
    int rc = read_text(object, &root, "format", true, &format, err);
    if (!rc && strcmp(format, "sachet-schedule/1") != 0)
        rc = place_error(&root, E_VERSION, err, "`format` is \"%.40s\"; this program reads sachet-schedule/1",
                         format);
    if (!rc)
        rc = read_text(object, &root, "id", true, &id, err);
    if (!rc && strcmp(id, regimen->id) != 0)
        rc = error_set(err, E_TAMPERED, "the result is for \"%.80s\", not for \"%.80s\"", id, regimen->id);
    if (!rc)
        rc = read_text(object, &root, "status", true, &status, err);
    if (rc)
        return rc;
    result->status = SLOTS_OPTIMAL;
    while (strcmp(slots_status_name(result->status), status) != 0) {
        if (result->status == SLOTS_BUDGET)
            return place_error(&root, E_INPUT, err, "`status` is \"%.40s\": nothing to verify", status);
        result->status = (enum slots_status)(result->status + 1);
    }
    result->dose_count = regimen_dose_total(regimen);
    rc = read_schedule(&r, object, &root, result);
    if (!rc)
        rc = read_conflict(&r, object, result);
    if (!rc)
        rc = read_certificate(&r, json_object_get(object, "certificate"), result, ret_hash);
    if (!rc)
        *ret = result;
    return rc;
}
