/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier accepts every result of the solver and rejects each kind of tampering. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/plan/documents/regimen_json.h"
#include "controller/plan/documents/schedule_json.h"
#include "controller/plan/documents/schedule_verify.h"
#include "scheduler/proof/proof.h"
#include "scheduler/slots.h"
#include "tests/unit/scheduler/random_regimen.h"

enum { SEED = 1234, ROUNDS = 600 };

/* Short windows make conflicts and cliques, long ones with gaps make bounds that no clique reaches. */
static const struct random_shape shapes[] = {
    {.grid = 30, .drugs_max = 9, .doses_max = 16, .extensions = true},
    {.grid = 30, .drugs_max = 6, .doses_max = 16, .extensions = true, .reach = 16, .gap_percent = 80},
};

/* One tampering: changes the copy; false when this result offers nothing to change. */
typedef bool tamper(struct slots_result *copy, const struct regimen *regimen, struct arena *arena);

/* Refutes so many slots, of either kind. */
static bool by_slots(const struct slots_result *result)
{
    return result->proof == SLOTS_PROOF_TREE || result->proof == SLOTS_PROOF_GROUPS;
}

static bool tamper_witness(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    if (!copy->has_schedule)
        return false;
    int *times = arena_array(arena, copy->dose_count, sizeof *times);
    memcpy(times, copy->times, copy->dose_count * sizeof *times);
    times[copy->dose_count - 1] +=
        times[copy->dose_count - 1] < REGIMEN_DAY / 2 ? regimen->grid : -regimen->grid;
    copy->times = times;
    for (size_t s = 0; s < copy->slot_count; s++) {
        if (copy->slot_times[s] == times[copy->dose_count - 1])
            return false; /* perhaps another good schedule with the same slots */
    }
    return true;
}

static bool tamper_slots(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->slot_count--;
    copy->lower_bound--;
    return copy->has_schedule;
}

static bool tamper_bound(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->lower_bound++;
    return copy->has_schedule;
}

static bool tamper_cost(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->soft_cost++;
    return copy->has_schedule;
}

static bool tamper_balance(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->balance_minutes += 30;
    return copy->has_schedule;
}

static bool tamper_no_proof(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->proof = SLOTS_PROOF_NONE;
    return true;
}

/* A member twice instead of two different ones. */
static bool tamper_clique_member(struct slots_result *copy, const struct regimen *regimen,
                                 struct arena *arena)
{
    (void)regimen;
    if (copy->proof != SLOTS_PROOF_CLIQUE || copy->clique_count < 2)
        return false;
    size_t *clique = arena_array(arena, copy->clique_count, sizeof *clique);
    memcpy(clique, copy->clique, copy->clique_count * sizeof *clique);
    clique[1] = clique[0];
    copy->clique = clique;
    return true;
}

static bool tamper_clique_reason(struct slots_result *copy, const struct regimen *regimen,
                                 struct arena *arena)
{
    (void)regimen;
    if (copy->proof != SLOTS_PROOF_CLIQUE || copy->clique_count < 2)
        return false;
    struct slots_apart *apart = arena_array(arena, copy->apart_count, sizeof *apart);
    memcpy(apart, copy->apart, copy->apart_count * sizeof *apart);
    apart[0].why = (struct slots_rule){SLOTS_RULE_GAP, 0};
    copy->apart = apart;
    return true;
}

static bool tamper_clique_missing_pair(struct slots_result *copy, const struct regimen *regimen,
                                       struct arena *arena)
{
    (void)regimen;
    (void)arena;
    if (copy->proof != SLOTS_PROOF_CLIQUE || copy->clique_count < 2)
        return false;
    copy->apart_count--;
    return true;
}

/* The row behind the subtree at row. */
static size_t tree_end(const struct slots_node *tree, size_t row)
{
    uint32_t branches = tree[row].branches;
    row++;
    for (uint32_t b = 0; b < branches; b++)
        row = tree_end(tree, row);
    return row;
}

/* More slots can't be refuted: there is a schedule with so many. */
static bool tamper_refuted(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->refuted_slots++;
    return by_slots(copy);
}

/* A refutation by groups read as one by ordered slots, and the other way round. */
static bool tamper_proof_kind(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    if (!by_slots(copy) || copy->tree_count < 2)
        return false;
    copy->proof = copy->proof == SLOTS_PROOF_TREE ? SLOTS_PROOF_GROUPS : SLOTS_PROOF_TREE;
    return true;
}

/* The first row of a kind that has more than one branch; a copy of the tree to change it in. */
static struct slots_node *tree_row(struct slots_result *copy, enum slots_node_kind kind, struct arena *arena)
{
    struct slots_node *tree = arena_array(arena, copy->tree_count, sizeof *tree);
    if (!by_slots(copy))
        return NULL;
    memcpy(tree, copy->tree, copy->tree_count * sizeof *tree);
    copy->tree = tree;
    for (size_t i = 0; i < copy->tree_count; i++) {
        if (tree[i].kind == kind && tree[i].branches > 1)
            return &tree[i];
    }
    return NULL;
}

/* The dose goes twice with the same dose instead of with two. */
static bool tamper_group_twice(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    struct slots_node *row = tree_row(copy, SLOTS_NODE_GROUP, arena);
    if (!row)
        return false;
    size_t second = tree_end(row, 1);
    row[second].branch = row[1].branch;
    return true;
}

/* With a dose that no group is named after: the dose itself. */
static bool tamper_group_name(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    struct slots_node *row = tree_row(copy, SLOTS_NODE_GROUP, arena);
    if (!row)
        return false;
    row[1].branch = (int)row->dose;
    return true;
}

/* A slot of its own is forgotten: the first such branch becomes one with a group that is there. */
static bool tamper_group_own(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    struct slots_node *tree = arena_array(arena, copy->tree_count, sizeof *tree);
    if (copy->proof != SLOTS_PROOF_GROUPS)
        return false;
    memcpy(tree, copy->tree, copy->tree_count * sizeof *tree);
    copy->tree = tree;
    for (size_t i = 1; i < copy->tree_count; i++) {
        if (tree[i].branch == SLOTS_BRANCH_OWN && tree[i - 1].branch == SLOTS_BRANCH_OWN) {
            tree[i].branch = (int)tree[0].dose;
            return true;
        }
    }
    return false;
}

/* A row about a dose that the regimen does not have. */
static bool tamper_group_dose(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    struct slots_node *row = tree_row(copy, SLOTS_NODE_GROUP, arena);
    (void)regimen;
    if (!row)
        return false;
    row->dose = (uint32_t)copy->dose_count;
    return true;
}

static bool tamper_tree_cut(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    if (copy->tree_count == 0)
        return false;
    copy->tree_count--;
    return true;
}

static bool tamper_tree_more(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    if (copy->tree_count == 0)
        return false;
    struct slots_node *tree = arena_array(arena, copy->tree_count + 1, sizeof *tree);
    memcpy(tree, copy->tree, copy->tree_count * sizeof *tree);
    tree[copy->tree_count] = tree[copy->tree_count - 1];
    copy->tree = tree;
    copy->tree_count++;
    return true;
}

/* A whole tree replaced by one leaf: nothing closes it when the solver needed to decide something. */
static bool tamper_tree_leaf(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    if (copy->tree_count < 2)
        return false;
    struct slots_node *tree = arena_array(arena, 1, sizeof *tree);
    tree[0] = (struct slots_node){.kind = SLOTS_NODE_LEAF, .rule = copy->tree[copy->tree_count - 1].rule};
    copy->tree = tree;
    copy->tree_count = 1;
    return true;
}

/* The last branch of the root left out. */
static bool tamper_tree_branch(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    if (copy->tree_count < 3 || copy->tree[0].branches < 2)
        return false;
    struct slots_node *tree = arena_array(arena, copy->tree_count, sizeof *tree);
    memcpy(tree, copy->tree, copy->tree_count * sizeof *tree);
    size_t last = 1;
    for (uint32_t b = 0; b + 1 < tree[0].branches; b++)
        last = tree_end(tree, last);
    tree[0].branches--;
    copy->tree = tree;
    copy->tree_count = last;
    return true;
}

/* One of the doses that find no room is left out. They are fewest: with one less there is room. */
static bool tamper_pack(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    struct slots_node *tree = arena_array(arena, copy->tree_count + 1, sizeof *tree);
    (void)regimen;
    if (copy->tree_count != 1 || copy->tree[0].kind != SLOTS_NODE_PACK)
        return false;
    tree[0] = copy->tree[0];
    tree[0].set[0] &= tree[0].set[0] - 1;
    copy->tree = tree;
    return true;
}

/* No room for nobody. */
static bool tamper_pack_empty(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    struct slots_node *tree = arena_array(arena, copy->tree_count + 1, sizeof *tree);
    (void)regimen;
    for (size_t i = 0; i < copy->tree_count; i++) {
        tree[i] = copy->tree[i];
        if (tree[i].kind == SLOTS_NODE_PACK) {
            tree[i].set[0] = 0;
            copy->tree = tree;
            return true;
        }
    }
    return false;
}

/* Minimal: without its last member there is a schedule, and so no proof. */
static bool tamper_conflict(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    if (copy->status != SLOTS_INFEASIBLE)
        return false;
    copy->conflict_count--;
    return true;
}

static bool tamper_status(struct slots_result *copy, const struct regimen *regimen, struct arena *arena)
{
    (void)regimen;
    (void)arena;
    copy->status = copy->status == SLOTS_INFEASIBLE ? SLOTS_OPTIMAL : SLOTS_INFEASIBLE;
    return true;
}

static const struct {
    const char *name;
    tamper *change;
} tampers[] = {
    {"witness", tamper_witness},
    {"slots", tamper_slots},
    {"bound", tamper_bound},
    {"soft cost", tamper_cost},
    {"balance", tamper_balance},
    {"no proof", tamper_no_proof},
    {"clique member", tamper_clique_member},
    {"clique reason", tamper_clique_reason},
    {"clique pair", tamper_clique_missing_pair},
    {"refuted slots", tamper_refuted},
    {"kind of proof", tamper_proof_kind},
    {"group twice", tamper_group_twice},
    {"group name", tamper_group_name},
    {"group of its own", tamper_group_own},
    {"dose that is not there", tamper_group_dose},
    {"tree cut", tamper_tree_cut},
    {"tree longer", tamper_tree_more},
    {"tree as a leaf", tamper_tree_leaf},
    {"tree without a branch", tamper_tree_branch},
    {"no room", tamper_pack},
    {"no room for nobody", tamper_pack_empty},
    {"conflict", tamper_conflict},
    {"status", tamper_status},
};

enum { TAMPERS = sizeof tampers / sizeof tampers[0] };

static void apart_or_fail(struct regimen *regimen, struct rng *rng, size_t a, size_t b, struct arena *arena)
{
    char id[16];
    int after = 30 + 30 * (int)rng_below(rng, 2);
    (void)snprintf(id, sizeof id, "s%zu", regimen->separation_count);
    assert_int_equal(regimen_add_separation(regimen, arena, id, a, b, after, 30, NULL), 0);
}

/* Mycielski's graph over an odd ring of drugs that must not meet their neighbours: four times a day where no
 * three drugs are apart. Each drug of the ring has a shadow with its neighbours, and a hub has all shadows.
 */
static struct regimen *mycielski_or_fail(struct rng *rng, struct arena *arena)
{
    struct regimen *regimen = regimen_create(arena, "mycielski", 30, 1);
    size_t ring = 5 + 2 * (size_t)rng_below(rng, 2);
    char id[16];
    assert_non_null(regimen);
    regimen->patient = (struct regimen_patient){.day_start = 300, .wake = 120, .bed = 1080};
    for (size_t i = 0; i <= 2 * ring; i++) {
        struct regimen_drug *drug;
        int from = 120 + 30 * (int)rng_below(rng, 10);
        const struct regimen_interval run = {from, from + 300 + 30 * (int)rng_below(rng, 16)};
        (void)snprintf(id, sizeof id, "d%zu", i);
        assert_int_equal(regimen_add_drug(regimen, arena, id, id, 1, &drug, NULL), 0);
        assert_int_equal(regimen_intervals_copy(&drug->doses[0].allowed, arena, &run, 1, NULL), 0);
    }
    for (size_t i = 0; i < ring; i++) {
        size_t next = (i + 1) % ring;
        apart_or_fail(regimen, rng, i, next, arena);
        apart_or_fail(regimen, rng, ring + i, next, arena);
        apart_or_fail(regimen, rng, ring + next, i, arena);
        apart_or_fail(regimen, rng, ring + i, 2 * ring, arena);
    }
    assert_int_equal(regimen_ready(regimen, arena, NULL), 0);
    return regimen;
}

/* Drugs that keep their distance from each other, one more than fit between first and last. */
static struct regimen *crowd_or_fail(struct rng *rng, struct arena *arena)
{
    struct regimen *regimen = regimen_create(arena, "crowd", 30, 1);
    size_t drugs = 4 + (size_t)rng_below(rng, 8);
    char id[16];
    assert_non_null(regimen);
    regimen->patient = (struct regimen_patient){.day_start = 300, .wake = 120, .bed = 1080};
    for (size_t i = 0; i < drugs; i++) {
        struct regimen_drug *drug;
        const struct regimen_interval run = {120, 120 + 60 * ((int)drugs - 1) - 30};
        (void)snprintf(id, sizeof id, "d%zu", i);
        assert_int_equal(regimen_add_drug(regimen, arena, id, id, 1, &drug, NULL), 0);
        assert_int_equal(regimen_intervals_copy(&drug->doses[0].allowed, arena, &run, 1, NULL), 0);
        for (size_t k = 0; k < i; k++) {
            (void)snprintf(id, sizeof id, "s%zu", regimen->separation_count);
            assert_int_equal(regimen_add_separation(regimen, arena, id, k, i, 60, 60, NULL), 0);
        }
    }
    assert_int_equal(regimen_ready(regimen, arena, NULL), 0);
    return regimen;
}

static void the_verifier_accepts_all_and_rejects_each_tampering(void **state)
{
    (void)state;
    struct rng rng;
    int tried[TAMPERS] = {0};
    int slot_trees = 0;
    int group_trees = 0;
    rng_init(&rng, SEED, 1);
    print_message("seed %d\n", SEED);
    for (int round = 0; round < ROUNDS; round++) {
        struct arena arena;
        struct slots_result *result;
        struct error err = {0};
        arena_init(&arena, 0);
        struct regimen *regimen = round % 20 == 19 ? crowd_or_fail(&rng, &arena)
                                  : round % 3 == 2 ? mycielski_or_fail(&rng, &arena)
                                                   : random_regimen_or_fail(&rng, &shapes[round % 3], &arena);
        const struct slots_options options = {.levels = 2, .in_order = round % 4 >= 2};
        if (slots_solve(regimen, &options, &arena, &result, &err))
            fail_msg("round %d: %s", round, err.message);
        slot_trees += result->proof == SLOTS_PROOF_TREE;
        group_trees += result->proof == SLOTS_PROOF_GROUPS;
        if (proof_check(regimen, result, &err))
            fail_msg("round %d: a good result is rejected: %s", round, err.message);
        for (size_t t = 0; t < TAMPERS; t++) {
            struct slots_result copy = *result;
            if (!tampers[t].change(&copy, regimen, &arena))
                continue;
            tried[t]++;
            int rc = proof_check(regimen, &copy, &err);
            if (rc != E_TAMPERED)
                fail_msg("round %d: tampering with \"%s\" gives %s", round, tampers[t].name,
                         rc ? error_name(rc) : "no error");
        }
        arena_finish(&arena);
    }
    print_message("%d refutations by slots, %d by groups\n", slot_trees, group_trees);
    assert_true(slot_trees > 0 && group_trees > 0);
    for (size_t t = 0; t < TAMPERS; t++) {
        if (tried[t] == 0)
            fail_msg("no result to try \"%s\" on", tampers[t].name);
    }
}

static const char *const instance =
    "{\"format\":\"sachet-regimen/1\",\"id\":\"x\",\"grid\":15,"
    "\"patient\":{\"day_start\":\"05:00\",\"wake\":120,\"bed\":1080,"
    "\"meals\":{\"breakfast\":180,\"lunch\":480,\"dinner\":840}},\"drugs\":["
    "{\"id\":\"a\",\"doses\":[{\"window\":{\"kind\":\"with_food\"},\"pills\":1}]},"
    "{\"id\":\"b\",\"doses\":[{\"allowed\":[[120,300]],\"pills\":0.5}]}],"
    "\"separations\":[{\"id\":\"s\",\"a\":\"a\",\"b\":\"b\",\"after\":60,\"before\":60}]}";

static json_t *json_or_fail(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static char *answer_or_fail(const json_t *object)
{
    struct arena arena;
    struct regimen *regimen;
    struct slots_result *result;
    struct buf out;
    arena_init(&arena, 0);
    buf_init(&out);
    assert_int_equal(regimen_from_json(object, &arena, &regimen, NULL), 0);
    assert_int_equal(slots_solve(regimen, NULL, &arena, &result, NULL), 0);
    assert_int_equal(schedule_to_json(regimen, result, &out, NULL), 0);
    arena_finish(&arena);
    return buf_take(&out);
}

static int verify(const json_t *regimen, const json_t *result)
{
    struct arena arena;
    arena_init(&arena, 0);
    int rc = schedule_verify(regimen, result, &arena, NULL);
    arena_finish(&arena);
    return rc;
}

static void tampered_hash_instance_and_witness_texts_are_rejected(void **state)
{
    (void)state;
    json_t *regimen = json_or_fail(instance);
    char *text = answer_or_fail(regimen);
    json_t *result = json_or_fail(text);
    assert_int_equal(verify(regimen, result), 0);

    json_t *certificate = json_object_get(result, "certificate");
    json_t *hash = json_copy(json_object_get(certificate, "instance"));
    char *digits = strdup(json_string_value(hash));
    digits[10] = digits[10] == '0' ? '1' : '0';
    json_object_set_new(certificate, "instance", json_string(digits));
    assert_int_equal(verify(regimen, result), E_TAMPERED);
    json_object_set_new(certificate, "instance", hash);
    assert_int_equal(verify(regimen, result), 0);

    json_t *witness = json_object_get(certificate, "witness");
    json_t *time = json_array_get(json_object_get(witness, "b"), 0);
    json_integer_set(time, json_integer_value(time) + 15);
    assert_int_equal(verify(regimen, result), E_TAMPERED);
    json_integer_set(time, json_integer_value(time) - 15);
    assert_int_equal(verify(regimen, result), 0);

    json_t *sep = json_array_get(json_object_get(regimen, "separations"), 0);
    json_object_set_new(sep, "after", json_integer(45));
    assert_int_equal(verify(regimen, result), E_TAMPERED);
    json_object_set_new(sep, "after", json_integer(60));
    json_t *dose =
        json_array_get(json_object_get(json_array_get(json_object_get(regimen, "drugs"), 1), "doses"), 0);
    json_object_set_new(dose, "pills", json_real(1.5));
    assert_int_equal(verify(regimen, result), E_TAMPERED);
    json_object_set_new(dose, "pills", json_real(0.5));
    assert_int_equal(verify(regimen, result), 0);

    json_object_del(json_object_get(result, "schedule"), "a");
    assert_int_equal(verify(regimen, result), E_INPUT);
    free(digits);
    free(text);
    json_decref(regimen);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verifier_accepts_all_and_rejects_each_tampering),
        cmocka_unit_test(tampered_hash_instance_and_witness_texts_are_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
