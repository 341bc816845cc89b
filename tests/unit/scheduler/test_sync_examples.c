/* SPDX-License-Identifier: Apache-2.0 */
/* The worked cases of the specification, read as a user's file is read, planned, and compared field by field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/plan/documents/sync_read.h"
#include "tests/support/shared.h"

#define DATE(name)                                   \
    {                                                \
        .path = (name), .type = CONF_DATE, .doc = "" \
    }
#define INT(name)                                   \
    {                                               \
        .path = (name), .type = CONF_INT, .doc = "" \
    }
#define TEXT(name)                                   \
    {                                                \
        .path = (name), .type = CONF_TEXT, .doc = "" \
    }
#define ANY(name)                                   \
    {                                               \
        .path = (name), .type = CONF_ANY, .doc = "" \
    }
#define REQUESTS(name)                                                                    \
    {.path = (name), .type = CONF_MAPS, .required = true, .doc = ""}, TEXT(name "[].id"), \
        DATE(name "[].needed_by"), DATE(name "[].request_on"), TEXT(name "[].reason")

/* The same file, seen for what it expects. */
static const struct conf_key expected_keys[] = {
    ANY("defaults"),
    {.path = "cases", .type = CONF_MAPS, .doc = ""},
    TEXT("cases[].id"),
    ANY("cases[].title"),
    ANY("cases[].edge"),
    ANY("cases[].today"),
    ANY("cases[].cycle_days"),
    ANY("cases[].horizon_days"),
    ANY("cases[].current_anchor"),
    ANY("cases[].max_carry_days"),
    ANY("cases[].renewal_lead_days"),
    ANY("cases[].pa_lead_days"),
    ANY("cases[].rx"),
    ANY("cases[].derived"),
    ANY("cases[].why"),
    {.path = "cases[].expect", .type = CONF_MAP, .required = true, .doc = ""},
    DATE("cases[].expect.anchor"),
    DATE("cases[].expect.sync_date"),
    {.path = "cases[].expect.objective", .type = CONF_MAP, .required = true, .doc = ""},
    INT("cases[].expect.objective.gap_days"),
    INT("cases[].expect.objective.extra_shipments"),
    INT("cases[].expect.objective.short_fills"),
    INT("cases[].expect.objective.extra_copay_cents"),
    INT("cases[].expect.objective.anchors_until_sync"),
    INT("cases[].expect.objective.carry_days"),
    {.path = "cases[].expect.fills", .type = CONF_MAPS, .required = true, .doc = ""},
    DATE("cases[].expect.fills[].date"),
    TEXT("cases[].expect.fills[].id"),
    INT("cases[].expect.fills[].days"),
    INT("cases[].expect.fills[].qty"),
    TEXT("cases[].expect.fills[].kind"),
    REQUESTS("cases[].expect.renewals"),
    REQUESTS("cases[].expect.overrides"),
    REQUESTS("cases[].expect.pa_requests"),
    REQUESTS("cases[].expect.excluded"),
};
static const struct conf_schema expected_schema = {
    .format = "sachet-sync/1",
    .title = "",
    .keys = expected_keys,
    .count = sizeof expected_keys / sizeof expected_keys[0],
};

static void compare_requests(const struct conf *want, int i, const char *list, const struct sync_request *got,
                             size_t count)
{
    assert_int_equal(conf_count(want, "cases[%d].expect.%s", i, list), (int)count);
    for (int k = 0; k < (int)count; k++) {
        assert_string_equal(conf_text(want, "cases[%d].expect.%s[%d].id", i, list, k), got[k].id);
        assert_int_equal(conf_int(want, "cases[%d].expect.%s[%d].needed_by", i, list, k), got[k].needed_by);
        if (conf_has(want, "cases[%d].expect.%s[%d].request_on", i, list, k))
            assert_int_equal(conf_int(want, "cases[%d].expect.%s[%d].request_on", i, list, k),
                             got[k].request_on);
        if (conf_has(want, "cases[%d].expect.%s[%d].reason", i, list, k))
            assert_string_equal(conf_text(want, "cases[%d].expect.%s[%d].reason", i, list, k),
                                sync_ask_text(got[k].reason));
    }
}

static void compare_excluded(const struct conf *want, int i, const struct sync_plan *plan)
{
    int n = 0;
    for (size_t k = 0; k < plan->drug_count; k++) {
        if (!plan->drugs[k].excluded)
            continue;
        assert_true(n < conf_count(want, "cases[%d].expect.excluded", i));
        assert_string_equal(conf_text(want, "cases[%d].expect.excluded[%d].id", i, n), plan->drugs[k].rx->id);
        assert_string_equal(conf_text(want, "cases[%d].expect.excluded[%d].reason", i, n),
                            sync_exclusion_text(plan->drugs[k].excluded));
        n++;
    }
    assert_int_equal(conf_count(want, "cases[%d].expect.excluded", i), n);
}

static void compare_case(const struct conf *want, int i, const struct sync_plan *plan)
{
    print_message("%s\n", conf_text(want, "cases[%d].id", i));
    assert_int_equal(conf_int(want, "cases[%d].expect.anchor", i), plan->anchor);
    assert_int_equal(conf_int(want, "cases[%d].expect.sync_date", i), plan->sync_date);
    for (enum sync_term t = SYNC_GAP_DAYS; t < SYNC_TERMS; t++)
        assert_int_equal(conf_int(want, "cases[%d].expect.objective.%s", i, sync_term_text(t)),
                         plan->objective.term[t]);
    assert_int_equal(conf_count(want, "cases[%d].expect.fills", i), (int)plan->fill_count);
    for (int k = 0; k < (int)plan->fill_count; k++) {
        const struct sync_fill *fill = &plan->fills[k];
        assert_int_equal(conf_int(want, "cases[%d].expect.fills[%d].date", i, k), fill->date);
        assert_string_equal(conf_text(want, "cases[%d].expect.fills[%d].id", i, k), fill->id);
        assert_int_equal(conf_int(want, "cases[%d].expect.fills[%d].days", i, k), fill->days);
        assert_int_equal(conf_int(want, "cases[%d].expect.fills[%d].qty", i, k), fill->qty);
        assert_string_equal(conf_text(want, "cases[%d].expect.fills[%d].kind", i, k),
                            sync_kind_text(fill->kind));
    }
    compare_requests(want, i, "renewals", plan->renewals, plan->renewal_count);
    compare_requests(want, i, "overrides", plan->overrides, plan->override_count);
    compare_requests(want, i, "pa_requests", plan->pa_requests, plan->pa_request_count);
    compare_excluded(want, i, plan);
}

static void worked_cases_of_the_specification(void **state)
{
    (void)state;
    char path[SHARED_PATH_BYTES];
    struct conf *conf = NULL, *want = NULL;
    struct arena arena;
    struct sync_case *cases;
    struct error err = {0};
    size_t count = 0;
    if (!shared_path("data/sync/examples.yaml", path))
        skip();
    arena_init(&arena, 0);
    if (conf_load(&conf_sync, path, &conf, &err) || conf_load(&expected_schema, path, &want, &err) ||
        sync_read_cases(conf, &arena, &cases, &count, &err))
        fail_msg("%s", err.message);
    assert_true(count >= 8);
    for (size_t i = 0; i < count; i++) {
        struct sync_plan *plan;
        if (sync_solve(&cases[i], &arena, &plan, &err))
            fail_msg("%s", err.message);
        compare_case(want, (int)i, plan);
    }
    conf_destroy(want);
    conf_destroy(conf);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_cases_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
