/* SPDX-License-Identifier: Apache-2.0 */
/* The forecast against a recount by other means: pouch lines read as text, and plans made of the next cycles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/forecast.h"
#include "controller/parties/task.h"
#include "controller/plan/plan.h"
#include "controller/stock/stock.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

/* clinic_plan begins on 2026-11-23, a Monday; rolls are packed 5 days before. */
enum {
    TODAY = 20778 /* Saturday 2026-11-21 */,
    START = TODAY + 2,
    DAYS = 14,
    LEAD = 5,
    PATIENTS = 5,
    DRUGS = 6
};
static const char *const codes[DRUGS] = {"D0", "D1", "D2", "D3", "D4", "D5"};

struct fixture {
    struct clinic clinic;
    struct forecast forecast;
    struct error err;
    int64_t patients[PATIENTS];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic, "", NULL);
    for (int i = 0; i < DRUGS; i++)
        clinic_product(&f->clinic, codes[i], codes[i], codes[i]);
    for (int p = 0; p < PATIENTS; p++) {
        char name[20];
        (void)snprintf(name, sizeof name, "p%d", p);
        f->patients[p] = clinic_patient(&f->clinic, name, "Ann Example");
        for (int d = 0; d <= p; d++) {
            char order[20];
            /* once or twice a day, halves, every other day, by weekday, and one that ends in the second cycle
             */
            struct reading reading = clinic_daily(1 + (p + d) % 2, d == 2 ? 500 : 1000 * (1 + d % 3));
            if (d == 3)
                reading.phases[0].every_days = 2;
            if (d == 4)
                reading.phases[0].weekdays = 1U << 1 | 1U << 4;
            if (d == 1 && p == 2)
                reading.phases[0].end_day = START + 20;
            (void)snprintf(order, sizeof order, "p%d-o%d", p, d);
            (void)clinic_order(&f->clinic, f->patients[p], order, codes[(p + d) % DRUGS], &reading);
        }
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    forecast_finish(&f->forecast);
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static const struct forecast *forecast_or_fail(struct fixture *f, int weeks)
{
    struct forecast_options options = {
        .today = TODAY, .weeks = weeks, .cycle_days = DAYS, .lead_days = LEAD, .simulated = false};
    forecast_finish(&f->forecast);
    if (forecast_make(f->clinic.store, &options, &f->forecast, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return &f->forecast;
}

static const struct forecast_product *product_of(const struct forecast *forecast, const char *code)
{
    for (size_t i = 0; i < forecast->count; i++) {
        if (strcmp(forecast->products[i].code, code) == 0)
            return &forecast->products[i];
    }
    fail_msg("%s is not in the forecast", code);
    abort(); /* not reached */
}

static int64_t needed(const struct forecast *forecast, const char *code, int week, enum forecast_need need)
{
    for (size_t i = 0; i < forecast->count; i++) {
        if (strcmp(forecast->products[i].code, code) == 0)
            return forecast->products[i].weeks[week].need[need];
    }
    return 0;
}

/* Thousandths of a product in the pouch lines of the newest plans, found by looking for " items=" and
 * "CODE:". */
static int64_t recount(struct fixture *f, const char *code)
{
    struct store_rows *rows = NULL;
    int64_t milli = 0;
    assert_int_equal(
        store_query(f->clinic.store, &rows, &f->err,
                    "SELECT cast(text AS TEXT) FROM plan AS p WHERE version = (SELECT max(version) "
                    "FROM plan AS q WHERE q.patient_id = p.patient_id)",
                    ""),
        0);
    while (store_next(rows, &f->err) == 1) {
        char *text = strdup(store_text(rows, 0)), *save = NULL;
        assert_non_null(text);
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            char *items = strstr(line, " items="), *rest = NULL;
            if (strncmp(line, "pouch ", 6) != 0 || !items)
                continue;
            for (char *item = strtok_r(items + 7, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
                char *piece = strchr(item, ':');
                *piece++ = '\0';
                if (strcmp(item, code) == 0)
                    milli += atoi(strchr(piece, ':') + 1) * (strncmp(piece, "half", 4) == 0 ? 500 : 1000);
            }
        }
        free(text);
    }
    store_done(rows);
    return milli;
}

static void plan_all(struct fixture *f, int32_t start)
{
    for (int p = 0; p < PATIENTS; p++) {
        struct plan_made made;
        struct plan_request request = {
            .patient = f->patients[p], .start_day = start, .days = DAYS, .actor = "test", .wall_ms = 1};
        if (plan_make(f->clinic.store, f->clinic.policy, &request, &made, &f->err) < 0)
            fail_msg("%s", f->err.message);
        assert_int_equal(made.outcome, PLAN_MADE);
    }
}

static void signed_and_drafted_pouches_are_counted_as_they_lie_there(void **state)
{
    struct fixture *f = *state;
    plan_all(f, START);
    const struct forecast *forecast = forecast_or_fail(f, 1);
    for (int i = 0; i < DRUGS; i++) {
        assert_int_equal(needed(forecast, codes[i], 0, FORECAST_DRAFT), recount(f, codes[i]));
        assert_int_equal(needed(forecast, codes[i], 0, FORECAST_FIRM), 0);
    }
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    forecast = forecast_or_fail(f, 1);
    int64_t all = 0;
    for (int i = 0; i < DRUGS; i++) {
        assert_int_equal(needed(forecast, codes[i], 0, FORECAST_FIRM), recount(f, codes[i]));
        assert_int_equal(needed(forecast, codes[i], 0, FORECAST_DRAFT), 0);
        all += recount(f, codes[i]);
    }
    assert_true(all > 100000);
    assert_int_equal(forecast->patients, PATIENTS);
    assert_int_equal(forecast->unread, 0);
}

static void the_cycles_ahead_are_what_plans_of_them_will_say(void **state)
{
    struct fixture *f = *state;
    plan_all(f, START);
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    int64_t ahead[2][DRUGS];
    const struct forecast *forecast = forecast_or_fail(f, 8);
    for (int cycle = 0; cycle < 2; cycle++) {
        /* Monday's cycle begins in the week after that of the day on which it is packed (Wednesday). */
        int week = (START + (cycle + 1) * DAYS - LEAD - forecast->monday) / 7;
        for (int i = 0; i < DRUGS; i++)
            ahead[cycle][i] = needed(forecast, codes[i], week, FORECAST_AHEAD);
    }
    for (int cycle = 0; cycle < 2; cycle++) {
        plan_all(f, START + (cycle + 1) * DAYS);
        for (int i = 0; i < DRUGS; i++)
            assert_int_equal(ahead[cycle][i], recount(f, codes[i]));
    }
    assert_true(ahead[0][3] > 0 && ahead[0][3] != ahead[1][3]); /* the course that ends */
}

static void packed_withdrawn_and_past_pouches_need_nothing(void **state)
{
    struct fixture *f = *state;
    plan_all(f, START);
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    int64_t before = needed(forecast_or_fail(f, 1), "D0", 0, FORECAST_FIRM);
    clinic_exec(&f->clinic, "INSERT INTO withdrawn (plan_id, pouch, reason, actor, withdrawn_ms) "
                            "SELECT id, 1, 'test', 'test', 1 FROM plan WHERE patient_id = 1");
    int64_t after = needed(forecast_or_fail(f, 1), "D0", 0, FORECAST_FIRM);
    assert_int_equal(before - after, 1000);
    clinic_exec(&f->clinic,
                "INSERT INTO batch (machine, state, created_by, created_ms) VALUES ('m', 'done', 't', 1)");
    clinic_exec(&f->clinic,
                "INSERT INTO job (batch_id, position, plan_id, pouch, pouch_line, pouch_hash, state) "
                "SELECT 1, id, id, 2, '', x'00', 'good' FROM plan WHERE patient_id = 1");
    assert_int_equal(needed(forecast_or_fail(f, 1), "D0", 0, FORECAST_FIRM), before - 2000);
}

static void stock_and_orders_cover_firm_needs_first(void **state)
{
    struct fixture *f = *state;
    plan_all(f, START);
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    const struct forecast *forecast = forecast_or_fail(f, 8);
    int64_t firm = needed(forecast, "D0", 0, FORECAST_FIRM);
    assert_true(firm > 20000);
    /* A little less than the firm need in two lots, one of which expires before the second cycle; a simulated
     * and an expired canister that count for nothing. */
    char sql[500];
    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, changed_ms) VALUES "
        "(1, 'D0', 'whole', 'A', %d, %d, 1), (2, 'D0', 'half', 'B', %d, 4, 1), "
        "(3, 'D0', 'whole', 'SIM-1', %d, 999, 1), (4, 'D0', 'whole', 'C', %d, 999, 1)",
        TODAY + 3, (int)(firm / 1000) - 10, TODAY + 300, TODAY + 300, TODAY - 1);
    clinic_exec(&f->clinic, sql);
    const struct forecast_product *p = product_of(forecast_or_fail(f, 8), "D0");
    assert_int_equal(p->stock, firm - 10000 + 2000);
    assert_int_equal(p->weeks[0].stock, p->stock);
    assert_int_equal(p->weeks[0].buy_firm, 8000);
    /* An order of 20 in time: 8 for the firm need, 12 for the next cycle; one that comes too late covers
     * later ones. */
    int64_t id;
    enum task_opening opening;
    struct task_act act = {.actor = "t", .wall_ms = 1, .today = TODAY};
    struct task_request request = {.kind = TASK_PURCHASE,
                                   .subject = "one",
                                   .due_day = TODAY,
                                   .facts = "{\"product\":\"D0\",\"quantity\":20}"};
    assert_int_equal(store_write_begin(f->clinic.store, &f->err), 0);
    assert_int_equal(task_open(f->clinic.store, &act, &request, &id, &opening, &f->err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &f->err), 0);
    p = product_of(forecast_or_fail(f, 8), "D0");
    int next = (START + DAYS - LEAD - f->forecast.monday) / 7;
    assert_int_equal(p->weeks[0].buy_firm, 0);
    assert_int_equal(p->weeks[0].orders, 8000);
    assert_int_equal(p->weeks[next].orders, 12000);
    assert_int_equal(p->weeks[next].buy_conditional, p->weeks[next].need[FORECAST_AHEAD] - 12000);
    /* Answered: fifteen come, and not before the next cycle is packed. */
    struct task_answer answer = {.task = id,
                                 .result = TASK_CHANGED,
                                 .until_day = START + DAYS - LEAD,
                                 .facts = "{\"quantity\":15}",
                                 .source = "by hand"};
    bool stands;
    assert_int_equal(store_write_begin(f->clinic.store, &f->err), 0);
    assert_int_equal(task_answer_put(f->clinic.store, &act, &answer, false, &stands, &f->err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &f->err), 0);
    p = product_of(forecast_or_fail(f, 8), "D0");
    assert_int_equal(p->weeks[0].buy_firm, 8000);
    assert_int_equal(p->weeks[next].orders, 15000);
    /* Delivered: what came lies in canisters, and the task is done. */
    answer = (struct task_answer){
        .task = id, .result = TASK_DONE, .until_day = CIVIL_DAY_NONE, .source = "by hand"};
    assert_int_equal(store_write_begin(f->clinic.store, &f->err), 0);
    assert_int_equal(task_answer_put(f->clinic.store, &act, &answer, false, &stands, &f->err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &f->err), 0);
    assert_true(stands);
    assert_int_equal(product_of(forecast_or_fail(f, 8), "D0")->orders, 0);
}

static int64_t renewal_open(struct fixture *f, const char *facts)
{
    int64_t id;
    enum task_opening opening;
    struct task_act act = {.actor = "t", .wall_ms = 1, .today = TODAY};
    struct task_request request = {.kind = TASK_RENEWAL,
                                   .patient = f->patients[0],
                                   .subject = "o0",
                                   .due_day = TODAY + 7,
                                   .facts = facts};
    assert_int_equal(store_write_begin(f->clinic.store, &f->err), 0);
    assert_int_equal(task_open(f->clinic.store, &act, &request, &id, &opening, &f->err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &f->err), 0);
    return id;
}

static void what_waits_for_a_renewal_is_told_apart(void **state)
{
    struct fixture *f = *state;
    plan_all(f, START);
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    const struct forecast *forecast = forecast_or_fail(f, 8);
    int first = (START + DAYS - LEAD - forecast->monday) / 7, second = first + 2;
    int64_t all = needed(forecast, "D0", second, FORECAST_AHEAD);
    /* The validity of p0-o0 (D0, once a day) ends in the first cycle ahead. */
    clinic_exec(&f->clinic, "UPDATE order_version SET original = '{\"dispenseRequest\":{\"validityPeriod\":"
                            "{\"end\":\"2026-12-10\"}}}' WHERE source_id = 'p0-o0'");
    forecast = forecast_or_fail(f, 8);
    assert_int_equal(needed(forecast, "D0", first, FORECAST_RENEWAL), 0);
    assert_int_equal(needed(forecast, "D0", second, FORECAST_RENEWAL), 14000);
    assert_int_equal(needed(forecast, "D0", second, FORECAST_AHEAD), all - 14000);
    /* A task says it better. */
    int64_t id = renewal_open(f, "{\"order\":\"p0-o0\",\"needed_by\":\"2026-12-07\"}");
    assert_int_equal(needed(forecast_or_fail(f, 8), "D0", first, FORECAST_RENEWAL), 14000);
    struct task_act act = {.actor = "t", .wall_ms = 1, .today = TODAY};
    struct task_answer answer = {.task = id, .until_day = CIVIL_DAY_NONE, .source = "by hand"};
    bool stands;
    for (int granted = 0; granted < 2; granted++) {
        answer.result = granted ? TASK_APPROVED : TASK_DENIED;
        assert_int_equal(store_write_begin(f->clinic.store, &f->err), 0);
        assert_int_equal(task_answer_put(f->clinic.store, &act, &answer, true, &stands, &f->err), 0);
        assert_int_equal(store_write_commit(f->clinic.store, &f->err), 0);
        forecast = forecast_or_fail(f, 8);
        assert_int_equal(needed(forecast, "D0", second, FORECAST_RENEWAL), 0);
        assert_int_equal(needed(forecast, "D0", second, FORECAST_AHEAD), granted ? all : all - 14000);
    }
}

static void a_draft_in_place_of_a_signed_plan_is_not_counted_twice(void **state)
{
    struct fixture *f = *state;
    plan_all(f, START);
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    int64_t firm = needed(forecast_or_fail(f, 2), "D0", 0, FORECAST_FIRM);
    struct reading twice = clinic_daily(2, 1000);
    (void)clinic_order(&f->clinic, f->patients[0], "p0-o0", "D0", &twice);
    struct plan_made made;
    struct plan_request request = {
        .patient = f->patients[0], .start_day = START, .days = DAYS, .actor = "test", .wall_ms = 1};
    assert_int_equal(plan_make(f->clinic.store, f->clinic.policy, &request, &made, &f->err), 0);
    int64_t signed_now =
        clinic_int(&f->clinic, "SELECT count(*) FROM plan WHERE patient_id = 1 AND state = 'signed'");
    const struct forecast *forecast = forecast_or_fail(f, 2);
    int64_t sum = needed(forecast, "D0", 0, FORECAST_FIRM) + needed(forecast, "D0", 0, FORECAST_DRAFT);
    assert_int_equal(sum, signed_now ? firm : firm + 14000);
}

static void weeks_have_their_iso_names(void **state)
{
    (void)state;
    static const struct {
        const char *monday, *week;
    } rows[] = {{"2026-11-16", "2026-W47"}, {"2026-12-28", "2026-W53"}, {"2027-01-04", "2027-W01"},
                {"2024-12-30", "2025-W01"}, {"2020-12-28", "2020-W53"}, {"2018-01-01", "2018-W01"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t day;
        char text[FORECAST_WEEK_BYTES];
        assert_true(civil_parse(rows[i].monday, &day));
        forecast_week_text(day, text);
        assert_string_equal(text, rows[i].week);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signed_and_drafted_pouches_are_counted_as_they_lie_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_cycles_ahead_are_what_plans_of_them_will_say, setup, teardown),
        cmocka_unit_test_setup_teardown(packed_withdrawn_and_past_pouches_need_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(stock_and_orders_cover_firm_needs_first, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_for_a_renewal_is_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_draft_in_place_of_a_signed_plan_is_not_counted_twice, setup,
                                        teardown),
        cmocka_unit_test(weeks_have_their_iso_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
