/* SPDX-License-Identifier: Apache-2.0 */
/* Files of sachet-sync/1: defaults, JSON, every refusal by name and place; the line that is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/plan/documents/sync_json.h"
#include "controller/plan/documents/sync_read.h"

#define HEAD                                                                                       \
    "format: sachet-sync/1\n"                                                                      \
    "defaults:\n"                                                                                  \
    "  case: {cycle_days: 30, current_anchor: 2027-03-05}\n"                                       \
    "  rx: {on_hand_units: 5, units_per_day: 1, usual_days: 30, threshold_pct: 75, qty_left: 9}\n" \
    "cases:\n"
#define CASE HEAD "- id: S1\n  today: 2027-03-01\n"
#define RX   CASE "  rx:\n"

static int read_text(const char *text, struct arena *arena, struct conf **conf, struct sync_case **cases,
                     size_t *count, struct error *err)
{
    int rc = conf_parse(&conf_sync, "f.yaml", text, strlen(text), conf, err);
    return rc ? rc : sync_read_cases(*conf, arena, cases, count, err);
}

static void a_case_may_overrule_defaults_even_with_null(void **state)
{
    (void)state;
    struct arena arena;
    struct conf *conf = NULL;
    struct sync_case *cases;
    size_t count;
    struct error err = {0};
    arena_init(&arena, 0);
    if (read_text(RX "  - {id: A}\n"
                     "  - {id: B, on_hand_units: 7, qty_left: null, schedule: 4, start: 2027-03-09}\n"
                     "- {id: S2, today: 2027-03-01, current_anchor: null, max_carry_days: 3, rx: []}\n",
                  &arena, &conf, &cases, &count, &err))
        fail_msg("%s", err.message);
    assert_int_equal(count, 2);
    assert_int_equal(cases[0].cycle_days, 30);
    assert_int_equal(cases[0].max_carry_days, 10); /* built in */
    assert_int_equal(cases[0].horizon_days, 60);
    int32_t anchor;
    assert_true(civil_parse("2027-03-05", &anchor));
    assert_int_equal(cases[0].current_anchor, anchor);
    assert_int_equal(cases[1].current_anchor, CIVIL_DAY_NONE);
    assert_int_equal(cases[1].max_carry_days, 3);
    const struct sync_rx *a = &cases[0].rx[0], *b = &cases[0].rx[1];
    assert_int_equal(a->on_hand_units, 5);
    assert_int_equal(a->qty_left, 9);
    assert_int_equal(a->pack_days, SYNC_NONE);
    assert_int_equal(a->last_fill, CIVIL_DAY_NONE);
    assert_int_equal(a->min_days, 1);
    assert_true(a->prorated);
    assert_int_equal(b->on_hand_units, 7);
    assert_int_equal(b->qty_left, SYNC_NONE);
    assert_int_equal(b->schedule, 4);
    assert_int_equal(b->start, anchor + 4);
    conf_destroy(conf);
    arena_finish(&arena);
}

static void wrong_cases_are_refused_by_name_and_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *begins, *holds;
    } wrongs[] = {
        {RX "  - {id: A}\n  - {id: A}\n", "f.yaml:10:10: ", "`A` is the id of line 9 already"},
        {RX "  - {id: A, on_hand_units: -1}\n", "f.yaml:9:28: `cases[0].rx[0].on_hand_units`", "too small"},
        {RX "  - {id: A, on_hand_units: 2.5}\n", "f.yaml:9:28: `cases[0].rx[0].on_hand_units`", "fraction"},
        {RX "  - {id: A, on_hand_units: null}\n", "f.yaml:9:28: `cases[0].rx[0].on_hand_units`",
         "is no value"},
        {RX "  - {id: A, units_per_day: 0}\n", "f.yaml:9:28: `cases[0].rx[0].units_per_day`", "too small"},
        {RX "  - {id: A, unitsperday: 1}\n", "f.yaml:9:13: unknown key `cases[0].rx[0].unitsperday`",
         "did you mean `units_per_day`?"},
        {RX "  - {id: A, schedule: 1}\n", "f.yaml:9:23: `cases[0].rx[0].schedule`", "0, 2, 3, 4, 5"},
        {RX "  - {id: A, threshold_pct: 101}\n", "f.yaml:9:28: ", "too large"},
        {RX "  - {id: A, expires: 2027-02-29}\n", "f.yaml:9:22: `cases[0].rx[0].expires`", "is no date"},
        {RX "  - {id: A, last_fill: 2027-02-01}\n", "f.yaml:9:5: case S1: rx A: days_supply", "is missing"},
        {RX "  - {id: A, last_fill: 2027-03-02, days_supply: 30}\n", "f.yaml:9:24: case S1: rx A: last_fill",
         "later than today"},
        {RX "  - {id: A, pack_days: 30}\n", "f.yaml:9:5: case S1: rx A: pack_days", "both or neither"},
        {RX "  - {id: A, start: 2097-03-02}\n", "f.yaml:9:20: case S1: rx A: start", "3660 days from today"},
        {RX "  - {id: A, on_hand_units: 40000}\n", "f.yaml:9:28: case S1: rx A: on_hand_units", "36500 days"},
        {RX "  - {on_hand_units: 1}\n", "f.yaml:9:5: `cases[0].rx[0].id` is missing", ""},
        {CASE "  cycle_days: 0\n  rx: []\n", "f.yaml:8:15: `cases[0].cycle_days`", "1..91"},
        {CASE "  cycle_days: 92\n  rx: []\n", "f.yaml:8:15: `cases[0].cycle_days`", "1..91"},
        {CASE "  cycles: 9\n  rx: []\n", "f.yaml:8:3: unknown key `cases[0].cycles`", ""},
        {HEAD "- {id: S1, today: 2027-13-01, rx: []}\n", "f.yaml:6:19: `cases[0].today`", "is no date"},
        {HEAD "- {id: S1, rx: []}\n", "f.yaml:6:3: `cases[0].today` is missing", ""},
        {HEAD "- {id: S1, today: 2027-03-01, rx: []}\n- {id: S1, today: 2027-03-01, rx: []}\n",
         "f.yaml:7:8: ", "`S1` is the id of line 6 already"},
        {"format: sachet-sync/1\ncases: []\n", "f.yaml:2:8: `cases` has 0 items", ""},
        {"format: sachet-sync/1\ncases:\n- {id: S1, today: 2027-03-01, rx: []}\n",
         "f.yaml:3:3: `cases[0].cycle_days` is missing", "under `defaults.case`"},
        {"format: sachet-sync/1\ncases:\n- {id: S1, cycle_days: 28, today: 2027-03-01, rx: [{id: A}]}\n",
         "f.yaml:3:52: `cases[0].rx[0].on_hand_units` is missing", "under `defaults.rx`"},
        {"format: sachet-sync/1\ndefaults: {rx: {ndc: 1}}\ncases: []\n", "f.yaml:2:17: unknown key", "ndc"},
        {"format: sachet-sync/2\ncases: []\n", "f.yaml:1:9: format", "sachet-sync/1"},
    };
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct arena arena;
        struct conf *conf = NULL;
        struct sync_case *cases;
        size_t count;
        struct error err = {0};
        arena_init(&arena, 0);
        if (read_text(wrongs[i].text, &arena, &conf, &cases, &count, &err) == 0)
            fail_msg("accepted: %s", wrongs[i].text);
        if (strncmp(err.message, wrongs[i].begins, strlen(wrongs[i].begins)) != 0 ||
            !strstr(err.message, wrongs[i].holds))
            fail_msg("\"%s\" is not \"%s ... %s\"", err.message, wrongs[i].begins, wrongs[i].holds);
        conf_destroy(conf);
        arena_finish(&arena);
    }
}

static void locks_are_read_or_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "anchor",
                                      "anchor=",
                                      "anchor=2027-02-29",
                                      "fill=A",
                                      "fill=:",
                                      "fill=A:2027",
                                      "fill=:2027-03-01",
                                      "qty=A:",
                                      "qty=A:-1",
                                      "qty=A:1x",
                                      "qty=:5",
                                      "date=2027-03-01",
                                      "anchor=2027-03-01 ",
                                      "qty=A:1e3"};
    struct arena arena;
    struct sync_lock lock;
    struct error err = {0};
    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sync_read_lock(bad[i], &arena, &lock, &err) != E_ARG)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(sync_read_lock("fill=a:b:2027-03-01", &arena, &lock, &err), 0);
    assert_string_equal(lock.id, "a:b");
    assert_int_equal(lock.kind, SYNC_LOCK_FILL);
    assert_int_equal(sync_read_lock("qty=A:30", &arena, &lock, &err), 0);
    assert_int_equal(lock.units, 30);
    assert_int_equal(sync_read_lock("anchor=2027-03-01", &arena, &lock, &err), 0);
    assert_null(lock.id);
    arena_finish(&arena);
}

/* Plans the first case of a JSON file and gives the line as a value. */
static json_t *line_or_fail(const char *text, const struct sync_lock *locks, size_t lock_count)
{
    struct arena arena;
    struct conf *conf = NULL;
    struct sync_case *cases;
    size_t count;
    struct sync_plan *plan;
    struct sync_explanation *why;
    struct buf line;
    struct error err = {0};
    arena_init(&arena, 0);
    buf_init(&line);
    if (read_text(text, &arena, &conf, &cases, &count, &err))
        fail_msg("%s", err.message);
    cases[0].locks = locks;
    cases[0].lock_count = lock_count;
    if (sync_solve(&cases[0], &arena, &plan, &err) || sync_explain(&cases[0], plan, &arena, &why, &err) ||
        sync_to_json(&cases[0], plan, why, &line, &err))
        fail_msg("%s", err.message);
    assert_null(strchr(buf_string(&line), '\n'));
    json_t *value = json_loads(buf_string(&line), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    buf_finish(&line);
    conf_destroy(conf);
    arena_finish(&arena);
    return value;
}

static void keys_or_fail(const json_t *object, const char *const *keys)
{
    size_t count = 0;
    for (; keys[count]; count++) {
        if (!json_object_get(object, keys[count]))
            fail_msg("no key %s", keys[count]);
    }
    assert_int_equal(json_object_size(object), count);
}

static void the_line_has_just_the_keys_of_the_format(void **state)
{
    (void)state;
    static const char *const keys[] = {"id",       "anchor",    "sync_date",   "objective", "fills",
                                       "renewals", "overrides", "pa_requests", "excluded",  "explain",
                                       "what_if",  "locks",     NULL};
    static const char *const fill_keys[] = {"date", "id", "days", "qty", "kind", NULL};
    static const char *const renewal_keys[] = {"id", "needed_by", "request_on", "reason", NULL};
    static const char *const pa_keys[] = {"id", "needed_by", "request_on", NULL};
    static const char *const override_keys[] = {"id", "needed_by", "reason", NULL};
    static const char json[] =
        "{\"format\":\"sachet-sync/1\",\"cases\":[{\"id\":\"J\",\"today\":\"2027-03-01\",\"cycle_days\":30,"
        "\"rx\":[{\"id\":\"B\",\"on_hand_units\":6,\"units_per_day\":1,\"usual_days\":30,\"threshold_pct\":"
        "75,"
        "\"last_fill\":\"2027-02-19\",\"days_supply\":30,\"fills_left\":0,\"pa_expires\":\"2027-03-02\"}]}]}";
    struct sync_lock lock = {.kind = SYNC_LOCK_ANCHOR};
    assert_true(civil_parse("2027-03-14", &lock.date));
    json_t *line = line_or_fail(json, &lock, 1);
    keys_or_fail(line, keys);
    keys_or_fail(json_array_get(json_object_get(line, "fills"), 0), fill_keys);
    keys_or_fail(json_array_get(json_object_get(line, "renewals"), 0), renewal_keys);
    keys_or_fail(json_array_get(json_object_get(line, "overrides"), 0), override_keys);
    keys_or_fail(json_array_get(json_object_get(line, "pa_requests"), 0), pa_keys);
    assert_string_equal(json_string_value(json_object_get(line, "anchor")), "2027-03-14");
    assert_int_equal(json_array_size(json_object_get(line, "what_if")), 30);
    json_decref(line);
}

static void a_case_that_cannot_be_planned_has_null_for_a_plan(void **state)
{
    (void)state;
    static const char text[] = RX "  - {id: A, on_hand_units: 0, pack_days: 30, pack_units: 1}\n";
    json_t *line = line_or_fail(text, NULL, 0);
    assert_true(json_is_null(json_object_get(line, "anchor")));
    assert_true(json_is_null(json_object_get(line, "objective")));
    assert_int_equal(json_array_size(json_object_get(line, "fills")), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(line, "explain"), "blocked_by")),
                        "A");
    assert_null(json_object_get(line, "locks"));
    json_decref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_may_overrule_defaults_even_with_null),
        cmocka_unit_test(wrong_cases_are_refused_by_name_and_place),
        cmocka_unit_test(locks_are_read_or_refused),
        cmocka_unit_test(the_line_has_just_the_keys_of_the_format),
        cmocka_unit_test(a_case_that_cannot_be_planned_has_null_for_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
