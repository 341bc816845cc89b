/* SPDX-License-Identifier: Apache-2.0 */
/* The calendar of a patient as facts, locks and today make it, and the plan that follows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/task.h"
#include "controller/refill/cycle.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

struct desk {
    struct clinic clinic;
    struct refill_site site;
    struct arena arena;
    int64_t patient;
    int32_t today;
    struct refill *refill;
    struct sync_plan *plan;
};

static struct error err;

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

static int32_t day_of(const char *text)
{
    int32_t day = 0;
    assert_true(civil_parse(text, &day));
    return day;
}

static int desk_init(void **state)
{
    static struct desk desk;
    memset(&desk, 0, sizeof desk);
    clinic_init(&desk.clinic, "cycle: {days: 28, lead_days: 5}\nrefill: {count_simulated: true}\n", NULL);
    refill_site_load(desk.clinic.site, &desk.site);
    arena_init(&desk.arena, 0);
    clinic_product(&desk.clinic, "AAA-5", "Aaa 5 mg tablet", "aaa");
    clinic_product(&desk.clinic, "BBB-5", "Bbb 5 mg tablet", "bbb");
    desk.patient = clinic_patient(&desk.clinic, "p1", "Patient One");
    desk.today = day_of("2026-11-21");
    const struct reading once = clinic_daily(1, 1000), twice = clinic_daily(2, 1000);
    clinic_order(&desk.clinic, desk.patient, "rx-a", "AAA-5", &once);
    clinic_order(&desk.clinic, desk.patient, "rx-b", "BBB-5", &twice);
    *state = &desk;
    return 0;
}

static int desk_finish(void **state)
{
    struct desk *desk = *state;
    arena_finish(&desk->arena);
    clinic_finish(&desk->clinic);
    return 0;
}

static void look(struct desk *desk)
{
    ok(refill_load(desk->clinic.store, desk->clinic.policy, &desk->site, desk->patient, desk->today, NULL, 0,
                   &desk->arena, &desk->refill, &err));
    ok(refill_solve(desk->refill, &desk->site, &desk->arena, NULL, &desk->plan, &err));
}

static struct cycle_made plan(struct desk *desk)
{
    struct cycle_made made;
    const struct cycle_request request = {
        .patient = desk->patient, .today = desk->today, .actor = "test", .wall_ms = 5};
    ok(cycle_plan(desk->clinic.store, desk->clinic.policy, &desk->site, &request, &made, &err));
    return made;
}

static struct record_by by(const struct desk *desk)
{
    return (struct record_by){"test", "", desk->today, 7};
}

static void onhand(struct desk *desk, const char *order, int64_t milli)
{
    struct record_order found;
    const struct record_by who = by(desk);
    ok(record_order_find(desk->clinic.store, desk->patient, order, &found, &err));
    ok(store_write_begin(desk->clinic.store, &err));
    ok(record_onhand(desk->clinic.store, desk->patient, &found, milli, &who, &err));
    ok(store_write_commit(desk->clinic.store, &err));
}

static void dispensed(struct desk *desk, const char *id, const char *order, const char *day, int32_t days,
                      int64_t milli, bool expect_new)
{
    bool is_new;
    const struct record_by who = by(desk);
    const struct record_dispense d = {.source_id = id,
                                      .patient_ref = "p1",
                                      .order_ref = order,
                                      .status = "completed",
                                      .day = day_of(day),
                                      .days_supply = days,
                                      .pieces_milli = milli,
                                      .file = "test:1"};
    ok(store_write_begin(desk->clinic.store, &err));
    ok(record_dispense(desk->clinic.store, &d, &who, &is_new, &err));
    ok(store_write_commit(desk->clinic.store, &err));
    assert_int_equal(is_new, expect_new);
}

static const struct refill_drug *drug(const struct desk *desk, const char *order)
{
    const struct refill_drug *found = refill_drug_of(desk->refill, order);
    assert_non_null(found);
    return found;
}

static void enrolment_proposes_the_day_on_which_a_first_roll_can_be_there_and_locks_it(void **state)
{
    struct desk *desk = *state;
    struct cycle_made made = plan(desk);
    assert_int_equal(made.plan.outcome, PLAN_MADE);
    assert_true(made.enrolled_now);
    assert_int_equal(made.assumed, 2);
    assert_int_equal(made.anchor, day_of("2026-11-26"));
    assert_int_equal(made.start_day, day_of("2026-11-26"));
    assert_int_equal(made.days, 28);
    for (int later = 0; later < 5; later++) { /* solving again changes nothing */
        desk->today = day_of("2026-11-21") + later;
        struct cycle_made again = plan(desk);
        assert_int_equal(again.plan.outcome, PLAN_SAME);
        assert_false(again.enrolled_now);
        assert_int_equal(again.anchor, made.anchor);
        look(desk);
        assert_int_equal(desk->plan->anchor, made.anchor);
        assert_int_equal(drug(desk, "rx-a")->run_out, made.anchor);
    }
    assert_int_equal(clinic_int(&desk->clinic, "SELECT count(*) FROM refill_anchor"), 1);
    assert_int_equal(clinic_int(&desk->clinic, "SELECT count(*) FROM plan_fill WHERE days = 28"), 2);
    assert_int_equal(clinic_int(&desk->clinic, "SELECT pieces_milli FROM plan_fill WHERE product_code = "
                                               "'BBB-5'"),
                     56000);
}

static void a_count_moves_the_run_out_and_pouches_begin_where_it_ends(void **state)
{
    struct desk *desk = *state;
    onhand(desk, "rx-a", 12000);
    onhand(desk, "rx-b", 18000);
    look(desk);
    assert_int_equal(drug(desk, "rx-a")->run_out, day_of("2026-12-03"));
    assert_int_equal(drug(desk, "rx-b")->run_out, day_of("2026-11-30"));
    struct cycle_made made = plan(desk);
    assert_int_equal(made.assumed, 0);
    look(desk);
    assert_int_equal(desk->plan->objective.term[SYNC_GAP_DAYS], 0);
    assert_int_equal(desk->plan->objective.term[SYNC_EXTRA_SHIPMENTS], 0);
    assert_int_equal(made.start_day, day_of("2026-11-30"));
    /* A's first pouch is that of the day on which the supply at home ends. */
    assert_int_equal(clinic_int(&desk->clinic,
                                "SELECT instr(CAST(text AS TEXT), 'first=2026-12-03') > 0 FROM "
                                "plan"),
                     1);
}

static void history_counts_once_and_a_corrected_record_takes_its_place(void **state)
{
    struct desk *desk = *state;
    dispensed(desk, "MedicationDispense/1", "rx-a", "2026-11-11", 30, 30000, true);
    dispensed(desk, "MedicationDispense/1", "rx-a", "2026-11-11", 30, 30000, false);
    look(desk);
    assert_int_equal(drug(desk, "rx-a")->basis, REFILL_HISTORY);
    assert_int_equal(drug(desk, "rx-a")->run_out, day_of("2026-12-11"));
    assert_int_equal(drug(desk, "rx-a")->last_fill, day_of("2026-11-11"));
    dispensed(desk, "MedicationDispense/1", "rx-a", "2026-11-11", 20, 20000, true);
    look(desk);
    assert_int_equal(drug(desk, "rx-a")->run_out, day_of("2026-12-01"));
    onhand(desk, "rx-a", 3000); /* what a person counted holds */
    look(desk);
    assert_int_equal(drug(desk, "rx-a")->run_out, day_of("2026-11-24"));
}

static void events_change_what_the_next_days_need(void **state)
{
    struct desk *desk = *state;
    struct record_order order;
    int64_t event;
    bool is_new;
    const struct record_by who = by(desk);
    onhand(desk, "rx-a", 10000);
    ok(record_order_find(desk->clinic.store, desk->patient, "rx-a", &order, &err));
    ok(store_write_begin(desk->clinic.store, &err));
    ok(record_event(desk->clinic.store, desk->patient, "claim-rejected", &order, day_of("2026-12-09"), "c1",
                    &who, &event, &is_new, &err));
    assert_true(is_new);
    ok(record_event(desk->clinic.store, desk->patient, "claim-rejected", &order, day_of("2026-12-09"), "c1",
                    &who, &event, &is_new, &err));
    assert_false(is_new);
    ok(store_write_commit(desk->clinic.store, &err));
    look(desk);
    assert_int_equal(desk->plan->override_count, 1);
    assert_int_equal(desk->plan->overrides[0].needed_by, day_of("2026-12-01"));
    assert_int_equal(desk->plan->drugs[0].earliest, day_of("2026-12-09"));
    ok(store_write_begin(desk->clinic.store, &err));
    ok(record_event(desk->clinic.store, desk->patient, "hospital", NULL, desk->today, "h1", &who, &event,
                    &is_new, &err));
    ok(store_write_commit(desk->clinic.store, &err));
    look(desk);
    assert_int_equal(desk->refill->hospital_since, desk->today);
    assert_int_equal(desk->plan->fill_count, 0);
    assert_int_equal(plan(desk).plan.outcome, PLAN_EMPTY);
}

static void a_prescription_that_ends_is_asked_for_once_and_its_answer_is_heard(void **state)
{
    struct desk *desk = *state;
    const struct task_act act = {"test", 9, desk->today};
    struct task task;
    bool stands;
    clinic_exec(&desk->clinic,
                "UPDATE order_version SET original = '{\"dispenseRequest\":{\"validityPeriod\":{"
                "\"end\":\"2026-11-20\"}}}' WHERE source_id = 'rx-a'");
    struct cycle_made made = plan(desk);
    assert_int_equal(clinic_int(&desk->clinic, "SELECT count(*) FROM task WHERE kind = 'renewal'"), 1);
    assert_int_equal(made.plan.drugs, 1); /* nothing is packed that no prescription covers */
    assert_int_equal(plan(desk).asked, 0);
    ok(task_find(desk->clinic.store, TASK_RENEWAL, desk->patient, "order rx-a: a new prescription",
                 &desk->arena, &task, &err));
    const struct task_answer denied = {.task = task.id,
                                       .result = TASK_DENIED,
                                       .until_day = CIVIL_DAY_NONE,
                                       .reference = "",
                                       .note = "see me first",
                                       .source = "by hand"};
    ok(store_write_begin(desk->clinic.store, &err));
    ok(task_answer_put(desk->clinic.store, &act, &denied, false, &stands, &err));
    ok(store_write_commit(desk->clinic.store, &err));
    assert_int_equal(plan(desk).plan.outcome, PLAN_SAME);
    assert_int_equal(plan(desk).plan.outcome, PLAN_SAME);
    assert_int_equal(
        clinic_int(&desk->clinic, "SELECT count(*) FROM refill_event WHERE kind = 'renewal-denied'"), 1);
    look(desk);
    assert_true(drug(desk, "rx-a")->denied);
    for (size_t i = 0; i < desk->plan->fill_count; i++)
        assert_string_equal(desk->plan->fills[i].id, "rx-b");
}

static int plan_as(struct desk *desk, bool pharmacist, const char *reason, struct cycle_made *ret_made)
{
    const struct cycle_request request = {.patient = desk->patient,
                                          .today = desk->today,
                                          .actor = "test",
                                          .pharmacist = pharmacist,
                                          .reason = reason,
                                          .wall_ms = 5};
    return cycle_plan(desk->clinic.store, desk->clinic.policy, &desk->site, &request, ret_made, &err);
}

static void inside_the_freeze_days_a_pharmacist_must_agree_and_say_why(void **state)
{
    struct desk *desk = *state;
    struct cycle_made made = plan(desk), again;
    clinic_exec(&desk->clinic, "UPDATE plan SET state = 'signed'");
    desk->today = made.start_day - desk->site.freeze_days;
    ok(plan_as(desk, false, NULL, &again)); /* nothing changed: nothing to agree to */
    assert_int_equal(again.plan.outcome, PLAN_SAME);
    desk->today--;
    onhand(desk, "rx-a", (made.start_day - desk->today + 3) * 1000);
    ok(plan_as(desk, false, NULL, &again)); /* a day before, anybody may */
    assert_int_equal(again.plan.outcome, PLAN_MADE);
    desk->today++;
    onhand(desk, "rx-a", (made.start_day - desk->today + 5) * 1000);
    int64_t plans = clinic_int(&desk->clinic, "SELECT count(*) FROM plan");
    assert_int_equal(plan_as(desk, false, "counted", &again), E_DENIED);
    assert_non_null(strstr(err.message, "a pharmacist must agree (--user LOGIN --reason TEXT)"));
    assert_int_equal(plan_as(desk, true, NULL, &again), E_DENIED);
    assert_int_equal(clinic_int(&desk->clinic, "SELECT count(*) FROM plan"), plans);
    ok(plan_as(desk, true, "counted again", &again));
    assert_int_equal(again.plan.outcome, PLAN_MADE);
    assert_int_equal(clinic_int(&desk->clinic, "SELECT reason = 'counted again' FROM plan_reason ORDER BY "
                                               "plan_id DESC LIMIT 1"),
                     1);
}

static void a_request_says_what_it_allows_and_nothing_else(void **state)
{
    (void)state;
    struct refill_authority a;
    refill_authority_read("{\"resourceType\":\"MedicationRequest\",\"dispenseRequest\":{\"validityPeriod\":{"
                          "\"end\":\"2027-03-01\"},\"numberOfRepeatsAllowed\":2,\"quantity\":{\"value\":45},"
                          "\"expectedSupplyDuration\":{\"value\":30,\"code\":\"d\"}}}",
                          &a);
    assert_int_equal(a.fills, 3);
    assert_int_equal(a.fill_milli, 45000);
    assert_int_equal(a.fill_days, 30);
    assert_int_equal(a.expires, day_of("2027-03-01"));
    assert_int_equal(a.since_ms, 0);
    refill_authority_read(
        "{\"resourceType\":\"MedicationRequest\",\"extension\":[{\"url\":\"urn:sachet:renewed\","
        "\"valueString\":\"1795000000000\"}]}",
        &a);
    assert_int_equal(a.since_ms, INT64_C(1795000000000));
    static const char odd[] = "{\"dispenseRequest\":{\"numberOfRepeatsAllowed\":\"2\","
                              "\"expectedSupplyDuration\":{\"value\":1,\"code\":\"mo\"}}}";
    const char *const silent[] = {"{}", "not json", "{\"dispenseRequest\":{\"numberOfRepeatsAllowed\":-1}}",
                                  odd};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        refill_authority_read(silent[i], &a);
        assert_int_equal(a.fills, SYNC_NONE);
        assert_int_equal(a.fill_milli, SYNC_NONE);
        assert_int_equal(a.fill_days, SYNC_NONE);
        assert_int_equal(a.expires, CIVIL_DAY_NONE);
    }
}

static void terms_are_read_whole_or_refused_by_place(void **state)
{
    struct desk *desk = *state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"product,colour\n", "colour"},
        {"schedule\n2\n", "'product' is missing"},
        {"product,schedule,schedule\n", "stands twice"},
        {"product,schedule\nAAA-5,1\n", "schedule 1"},
        {"product,schedule\nAAA-5,9\n", "0..5"},
        {"product,pack_days\nAAA-5,30\n", "both or neither"},
        {"product,prorated\nAAA-5,maybe\n", "yes or no"},
        {"product,schedule\nA B,0\n", "no product code"},
        {"product,schedule\nAAA-5\n", "1 fields"},
    };
    int64_t rows;
    const struct record_by who = by(desk);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ok(store_write_begin(desk->clinic.store, &err));
        assert_int_equal(record_terms_import(desk->clinic.store, "t.csv", bad[i].text, strlen(bad[i].text),
                                             &who, &rows, &err),
                         E_INPUT);
        if (!strstr(err.message, bad[i].says) || !strstr(err.message, "t.csv"))
            fail_msg("%s: %s", bad[i].text, err.message);
        store_write_rollback(desk->clinic.store);
    }
    static const char good[] = "product,schedule,threshold_pct,copay_cents\nAAA-5,2,,\nBBB-5,4,,1000\n";
    ok(store_write_begin(desk->clinic.store, &err));
    ok(record_terms_import(desk->clinic.store, "t.csv", good, sizeof good - 1, &who, &rows, &err));
    ok(store_write_commit(desk->clinic.store, &err));
    assert_int_equal(rows, 2);
    look(desk);
    assert_int_equal(desk->plan->drugs[0].excluded, SYNC_CII);
    assert_int_equal(desk->plan->drugs[1].rx->threshold_pct, 90); /* the site's word for controlled drugs */
    struct cycle_made made = plan(desk);
    assert_int_equal(made.plan.drugs, 1); /* schedule II never goes with the cycle */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            enrolment_proposes_the_day_on_which_a_first_roll_can_be_there_and_locks_it, desk_init,
            desk_finish),
        cmocka_unit_test_setup_teardown(a_count_moves_the_run_out_and_pouches_begin_where_it_ends, desk_init,
                                        desk_finish),
        cmocka_unit_test_setup_teardown(history_counts_once_and_a_corrected_record_takes_its_place, desk_init,
                                        desk_finish),
        cmocka_unit_test_setup_teardown(events_change_what_the_next_days_need, desk_init, desk_finish),
        cmocka_unit_test_setup_teardown(a_prescription_that_ends_is_asked_for_once_and_its_answer_is_heard,
                                        desk_init, desk_finish),
        cmocka_unit_test_setup_teardown(inside_the_freeze_days_a_pharmacist_must_agree_and_say_why, desk_init,
                                        desk_finish),
        cmocka_unit_test(a_request_says_what_it_allows_and_nothing_else),
        cmocka_unit_test_setup_teardown(terms_are_read_whole_or_refused_by_place, desk_init, desk_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
