/* SPDX-License-Identifier: Apache-2.0 */
/* The examples with proven answers: status, slots, soft cost, move steps, conflicts, windows as compiled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/documents/regimen_json.h"
#include "scheduler/legality.h"
#include "scheduler/proof/proof.h"
#include "scheduler/slots.h"
#include "tests/support/shared.h"
#include "tests/unit/scheduler/relaxed.h"

typedef void example_check(const json_t *object, const struct regimen *regimen, struct arena *arena);

static void for_each_example(example_check *check)
{
    size_t len;
    char *text = shared_read("data/slots/examples.ndjson", &len);
    if (!text)
        skip();
    struct json_documents *documents;
    struct error err = {0};
    int rc;
    size_t count = 0;
    assert_int_equal(json_documents_open(&documents, text, len, &err), 0);
    for (struct json_t *object; (object = json_documents_next(documents, &rc, &err)); count++) {
        struct arena arena;
        struct regimen *regimen;
        arena_init(&arena, 0);
        if (regimen_from_json(object, &arena, &regimen, &err))
            fail_msg("%s", err.message);
        check(object, regimen, &arena);
        arena_finish(&arena);
    }
    assert_int_equal(rc, 0);
    assert_true(count > 40);
    json_documents_close(documents);
    free(text);
}

static int64_t expected_int(const json_t *object, const char *member, int64_t fallback)
{
    const json_t *value = json_object_get(json_object_get(object, "expected"), member);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static void check_answer(const json_t *object, const struct regimen *regimen, struct arena *arena)
{
    struct slots_result *result;
    struct error err = {0};
    const char *status = json_string_value(json_object_get(json_object_get(object, "expected"), "status"));
    if (slots_solve(regimen, NULL, arena, &result, &err))
        fail_msg("%s: %s", regimen->id, err.message);
    if (strcmp(slots_status_name(result->status), status) != 0)
        fail_msg("%s: %s instead of %s", regimen->id, slots_status_name(result->status), status);
    if (proof_check(regimen, result, &err))
        fail_msg("%s: %s", regimen->id, err.message);
    if (result->status == SLOTS_INFEASIBLE) {
        conflict_is_minimal_or_fail(regimen, result, arena);
        return;
    }
    if (legality_check(regimen, result->times, result->dose_count, &err))
        fail_msg("%s: %s", regimen->id, err.message);
    if ((int64_t)result->slot_count != expected_int(object, "slots", -1))
        fail_msg("%s: %zu slots", regimen->id, result->slot_count);
    if (result->soft_cost != expected_int(object, "soft_cost", -1))
        fail_msg("%s: soft cost %lld", regimen->id, (long long)result->soft_cost);
    int64_t steps = result->move_minutes / regimen->grid;
    if (steps != expected_int(object, "move_steps", steps))
        fail_msg("%s: move steps %lld", regimen->id, (long long)steps);
}

static void examples_get_their_proven_answers(void **state)
{
    (void)state;
    for_each_example(check_answer);
}

/* Where an example gives both, a clinical window compiles to exactly the intervals beside it. */
static void check_windows(const json_t *object, const struct regimen *regimen, struct arena *arena)
{
    (void)object;
    (void)arena;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        for (size_t i = 0; i < regimen->drugs[d].dose_count; i++) {
            const struct regimen_dose *dose = &regimen->drugs[d].doses[i];
            struct regimen_interval runs[REGIMEN_INTERVALS_MAX];
            struct error err = {0};
            if (!dose->window || dose->window->kind == REGIMEN_WINDOW_INTERVALS)
                continue;
            int count = window_compile(dose->window, &regimen->patient, regimen->grid, runs, &err);
            if (count != (int)dose->allowed.count)
                fail_msg("%s, drug %s dose %zu: %d intervals, %zu given", regimen->id, regimen->drugs[d].id,
                         i, count, dose->allowed.count);
            for (int r = 0; r < count; r++) {
                assert_int_equal(runs[r].from, dose->allowed.item[r].from);
                assert_int_equal(runs[r].to, dose->allowed.item[r].to);
            }
        }
    }
}

static void windows_compile_to_the_intervals_beside_them(void **state)
{
    (void)state;
    for_each_example(check_windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_get_their_proven_answers),
        cmocka_unit_test(windows_compile_to_the_intervals_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
