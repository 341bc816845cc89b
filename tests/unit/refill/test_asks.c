/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody opens tasks by hand here: what the facts call for is asked once, follows the facts, and ends with
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/task.h"
#include "controller/refill/asks.h"
#include "controller/refill/cycle.h"
#include "controller/refill/record.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

#define DAY_MS INT64_C(86400000)

struct house {
    struct clinic clinic;
    struct refill_site site;
    struct arena arena;
    int64_t patient;
    int32_t today;
    struct asks_count count; /* of the last round */
};

static struct error err;

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

static int32_t day_of(const char *text)
{
    int32_t day;
    assert_true(civil_parse(text, &day));
    return day;
}

static int house_init(void **state)
{
    static struct house h;
    memset(&h, 0, sizeof h);
    clinic_init(&h.clinic, "cycle: {days: 28, lead_days: 5}\nrefill: {count_simulated: true}\n", NULL);
    refill_site_load(h.clinic.site, &h.site);
    arena_init(&h.arena, 0);
    clinic_product(&h.clinic, "AAA-5", "Aaa 5 mg tablet", "aaa");
    clinic_product(&h.clinic, "BBB-5", "Bbb 5 mg tablet", "bbb");
    h.patient = clinic_patient(&h.clinic, "p1", "Patient One");
    h.today = day_of("2026-11-21");
    const struct reading once = clinic_daily(1, 1000), twice = clinic_daily(2, 1000);
    clinic_order(&h.clinic, h.patient, "rx-a", "AAA-5", &once);
    clinic_order(&h.clinic, h.patient, "rx-b", "BBB-5", &twice);
    *state = &h;
    return 0;
}

static int house_finish(void **state)
{
    struct house *h = *state;
    arena_finish(&h->arena);
    clinic_finish(&h->clinic);
    return 0;
}

static struct record_by by(const struct house *h)
{
    return (struct record_by){"test", "", h->today, DAY_MS * h->today + 1000};
}

static struct cycle_made plan(struct house *h)
{
    struct cycle_made made;
    const struct cycle_request request = {
        .patient = h->patient, .today = h->today, .actor = "test", .wall_ms = DAY_MS * h->today};
    ok(cycle_plan(h->clinic.store, h->clinic.policy, &h->site, &request, &made, &err));
    return made;
}

static void trouble(void *data, int64_t patient, const char *why)
{
    (void)data;
    fail_msg("patient %" PRId64 ": %s", patient, why);
}

/* A round, and a second one, which must find nothing to do. */
static void round_of(struct house *h, const char *date)
{
    struct asks_count again;
    h->today = day_of(date);
    const struct record_by who = by(h);
    ok(asks_all(h->clinic.store, h->clinic.policy, &h->site, &who, trouble, NULL, &h->count, &err));
    ok(asks_all(h->clinic.store, h->clinic.policy, &h->site, &who, trouble, NULL, &again, &err));
    if (again.opened + again.revised + again.closed + again.answers != 0)
        fail_msg("%s: the second look opened %d, revised %d, closed %d", date, again.opened, again.revised,
                 again.closed);
}

static int64_t count(struct house *h, const char *where)
{
    char sql[400];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM task WHERE %s", where);
    return clinic_int(&h->clinic, sql);
}

#define OPEN " AND state NOT IN ('rejected', 'completed', 'cancelled', 'failed')"

static struct task task_of(struct house *h, enum task_kind kind, const char *subject)
{
    struct task task;
    ok(task_find(h->clinic.store, kind, h->patient, subject, &h->arena, &task, &err));
    return task;
}

static void answer(struct house *h, int64_t task, enum task_result result, const char *until)
{
    bool stands;
    const struct task_act act = {"test", DAY_MS * h->today + 500, h->today};
    const struct task_answer given = {.task = task,
                                      .result = result,
                                      .until_day = until ? day_of(until) : CIVIL_DAY_NONE,
                                      .source = "by hand"};
    ok(store_write_begin(h->clinic.store, &err));
    ok(task_answer_put(h->clinic.store, &act, &given, false, &stands, &err));
    ok(store_write_commit(h->clinic.store, &err));
    assert_true(stands);
}

static void onhand(struct house *h, const char *order, int64_t milli)
{
    struct record_order found;
    const struct record_by who = by(h);
    ok(record_order_find(h->clinic.store, h->patient, order, &found, &err));
    ok(store_write_begin(h->clinic.store, &err));
    ok(record_onhand(h->clinic.store, h->patient, &found, milli, &who, &err));
    ok(store_write_commit(h->clinic.store, &err));
}

static void dispensed(struct house *h, const char *order, const char *day, int32_t days, int64_t milli)
{
    bool is_new;
    const struct record_by who = by(h);
    const struct record_dispense d = {.source_id = "MedicationDispense/1",
                                      .patient_ref = "p1",
                                      .order_ref = order,
                                      .status = "completed",
                                      .day = day_of(day),
                                      .days_supply = days,
                                      .pieces_milli = milli,
                                      .file = "test:1"};
    ok(store_write_begin(h->clinic.store, &err));
    ok(record_dispense(h->clinic.store, &d, &who, &is_new, &err));
    ok(store_write_commit(h->clinic.store, &err));
}

static void event(struct house *h, const char *kind, const char *order, const char *day, const char *source)
{
    struct record_order found;
    int64_t id;
    bool is_new;
    const struct record_by who = by(h);
    if (order)
        ok(record_order_find(h->clinic.store, h->patient, order, &found, &err));
    ok(store_write_begin(h->clinic.store, &err));
    ok(record_event(h->clinic.store, h->patient, kind, order ? &found : NULL, day_of(day), source, &who, &id,
                    &is_new, &err));
    ok(store_write_commit(h->clinic.store, &err));
}

static void enrolment_asks_the_payer_and_tells_the_patient_once(void **state)
{
    struct house *h = *state;
    assert_int_equal(plan(h).anchor, day_of("2026-11-26"));
    round_of(h, "2026-11-21");
    assert_int_equal(h->count.opened + h->count.revised + h->count.closed, 0); /* the plan did it */
    assert_int_equal(count(h, "kind = 'eligibility' AND subject = 'cycle of 2026-11-26'" OPEN), 1);
    assert_int_equal(count(h, "kind = 'test-claim'" OPEN), 2);
    assert_int_equal(count(h, "kind = 'notice' AND subject = 'rolls from 2026-11-26'" OPEN), 1);
    assert_int_equal(count(h, "kind = 'pre-shipment' AND subject = 'cycle of 2026-11-26'" OPEN), 1);
    assert_int_equal(count(h, "kind = 'work' AND subject = 'roll of 2026-11-26'" OPEN), 1);
    assert_int_equal(count(h, "1"), 6);
    assert_int_equal(count(h, "opened_by = '" ASKS_ACTOR "'"), 6);
    struct task claim = task_of(h, TASK_TEST_CLAIM, "order rx-b: fill of 2026-11-26");
    int64_t units = 0, days = 0;
    assert_true(task_fact_count_of(claim.facts, "quantity", &units) && units == 56);
    assert_true(task_fact_count_of(claim.facts, "days", &days) && days == 28);
    struct task notice = task_of(h, TASK_NOTICE, "rolls from 2026-11-26");
    assert_non_null(strstr(notice.facts, "Thursday 26 November 2026"));
    assert_non_null(strstr(notice.facts, "Aaa 5 mg tablet, Bbb 5 mg tablet"));
    /* A day later nothing is asked again. */
    round_of(h, "2026-11-22");
    assert_int_equal(h->count.opened + h->count.revised + h->count.closed, 0);
    /* The first cycle is over without a roll: the work on it stays, its claims have no fill to be for. */
    assert_int_equal(plan(h).plan.outcome, PLAN_SAME);
    round_of(h, "2026-12-24");
    assert_int_equal(count(h, "kind = 'eligibility' AND subject = 'cycle of 2026-12-24'" OPEN), 1);
    assert_int_equal(count(h, "kind = 'notice' AND state = 'cancelled'"), 1);
}

static void a_short_fill_is_claimed_with_the_fill_after_it(void **state)
{
    struct house *h = *state;
    onhand(h, "rx-a", 3000);
    onhand(h, "rx-b", 40000);
    struct cycle_made made = plan(h);
    int64_t days = 0;
    int32_t next = 0;
    struct task claim = task_of(h, TASK_TEST_CLAIM, "order rx-a: fill of 2026-11-24");
    assert_int_equal(made.anchor, day_of("2026-12-11"));
    assert_true(task_fact_count_of(claim.facts, "days", &days) && days == 17);
    assert_true(task_fact_day(claim.facts, "next_date", &next) && next == made.anchor);
    assert_true(task_fact_count_of(claim.facts, "next_days", &days) && days == 28);
}

static void a_claim_rejected_as_too_soon_moves_the_fill_and_is_asked_anew_for_its_day(void **state)
{
    struct house *h = *state;
    (void)plan(h);
    struct task claim = task_of(h, TASK_TEST_CLAIM, "order rx-a: fill of 2026-11-26");
    answer(h, claim.id, TASK_TOO_SOON, "2026-11-28");
    round_of(h, "2026-11-21");
    assert_int_equal(h->count.answers, 1);
    assert_int_equal(
        clinic_int(&h->clinic, "SELECT count(*) FROM refill_event WHERE kind = 'claim-rejected'"), 1);
    assert_int_equal(count(h, "kind = 'test-claim' AND subject = 'order rx-a: fill of 2026-11-28'" OPEN), 1);
    assert_int_equal(count(h, "kind = 'override' AND subject = 'order rx-a: fill early after none'" OPEN), 1);
    /* The override is granted: the fill moves back, its claim is open no more, and nothing is asked twice. */
    answer(h, task_of(h, TASK_OVERRIDE, "order rx-a: fill early after none").id, TASK_APPROVED, NULL);
    round_of(h, "2026-11-22");
    assert_int_equal(count(h, "kind = 'override'" OPEN), 0);
    assert_int_equal(count(h, "kind = 'test-claim' AND subject = 'order rx-a: fill of 2026-11-28'" OPEN), 0);
    assert_int_equal(count(h, "kind = 'override'"), 1);
}

static void waiting_for_the_payers_date_is_one_override_however_long_it_lasts(void **state)
{
    struct house *h = *state;
    (void)plan(h);
    dispensed(h, "rx-a", "2026-11-15", 30, 30000);
    onhand(h, "rx-a", 0); /* lost: the payer pays from 8 December on */
    round_of(h, "2026-11-22");
    assert_int_equal(count(h, "kind = 'override'" OPEN), 1);
    for (int32_t day = 23; day <= 29; day++) {
        char date[CIVIL_TEXT_BYTES];
        (void)snprintf(date, sizeof date, "2026-11-%02d", day);
        round_of(h, date);
        assert_int_equal(count(h, "kind = 'override'"), 1);
    }
    struct task task = task_of(h, TASK_OVERRIDE, "order rx-a: fill early after 2026-11-15");
    assert_int_equal(task.revision, 1);
    int32_t earliest = 0;
    assert_true(task_fact_day(task.facts, "earliest", &earliest) && earliest == day_of("2026-12-08"));
}

static void a_request_ends_with_its_reason_and_comes_back_with_it(void **state)
{
    struct house *h = *state;
    static const char subject[] = "order rx-a: a new prescription";
    clinic_exec(&h->clinic, "UPDATE order_version SET original = '{\"dispenseRequest\":{\"validityPeriod\":{"
                            "\"end\":\"2026-11-20\"}}}' WHERE source_id = 'rx-a'");
    (void)plan(h);
    struct task task = task_of(h, TASK_RENEWAL, subject);
    int64_t units = 0;
    assert_int_equal(task.state, TASK_DRAFT);
    assert_true(task_fact_count_of(task.facts, "quantity", &units) && units == 28);
    clinic_exec(&h->clinic, "UPDATE order_version SET original = '{}' WHERE source_id = 'rx-a'");
    round_of(h, "2026-11-21");
    assert_int_equal(task_of(h, TASK_RENEWAL, subject).state, TASK_CANCELLED);
    clinic_exec(&h->clinic, "UPDATE order_version SET original = '{\"dispenseRequest\":{\"validityPeriod\":{"
                            "\"end\":\"2026-11-20\"}}}' WHERE source_id = 'rx-a'");
    round_of(h, "2026-11-22");
    struct task again = task_of(h, TASK_RENEWAL, subject);
    assert_int_equal(again.state, TASK_DRAFT);
    assert_true(again.id > task.id);
    /* Renewed by word of mouth: the prescription must come, and when it does the work is done. */
    answer(h, again.id, TASK_APPROVED, NULL);
    round_of(h, "2026-11-23");
    char work[60];
    (void)snprintf(work, sizeof work, "answer to task %" PRId64, again.id);
    assert_int_equal(task_of(h, TASK_WORK, work).state, TASK_DRAFT);
    assert_int_equal(count(h, "kind = 'renewal'" OPEN), 0);
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE order_version SET original = '{}', imported_ms = %" PRId64
                   " WHERE source_id = 'rx-a'",
                   DAY_MS * day_of("2026-11-24"));
    clinic_exec(&h->clinic, sql);
    round_of(h, "2026-11-24");
    assert_int_equal(task_of(h, TASK_WORK, work).state, TASK_COMPLETED);
    /* When the new one ends in its turn, the old answer does not count for it. */
    clinic_exec(&h->clinic, "UPDATE order_version SET original = '{\"dispenseRequest\":{\"validityPeriod\":{"
                            "\"end\":\"2026-11-24\"}}}' WHERE source_id = 'rx-a'");
    round_of(h, "2026-11-25");
    assert_int_equal(task_of(h, TASK_RENEWAL, subject).state, TASK_DRAFT);
    assert_int_equal(count(h, "kind = 'renewal'"), 3);
}

/* A prescription that renews another one under its id: fills from before its answer do not count against it.
 */
static void repeats_of_a_renewed_prescription_count_from_its_answer_on(void **state)
{
    struct house *h = *state;
    char sql[600];
    static const char terms[] =
        "UPDATE order_version SET original = '{\"resourceType\":\"MedicationRequest\","
        "\"extension\":[{\"url\":\"urn:sachet:renewed\",\"valueString\":\"%" PRId64
        "\"}],\"dispenseRequest\":{\"numberOfRepeatsAllowed\":0,\"quantity\":{\"value\":28}}}' "
        "WHERE source_id = 'rx-a'";
    (void)plan(h);
    dispensed(h, "rx-a", "2026-11-10", 28, 28000); /* noted on 21 November */
    (void)snprintf(sql, sizeof sql, terms, INT64_C(0));
    clinic_exec(&h->clinic, sql);
    round_of(h, "2026-12-05"); /* its only fill is used up */
    assert_int_equal(count(h, "kind = 'renewal'" OPEN), 1);
    (void)snprintf(sql, sizeof sql, terms, DAY_MS * (h->today - 2));
    clinic_exec(&h->clinic, sql);
    round_of(h, "2026-12-05");
    assert_int_equal(count(h, "kind = 'renewal'" OPEN), 0);
}

static void what_a_person_took_back_stays_so_and_what_a_person_opened_is_left_alone(void **state)
{
    struct house *h = *state;
    const struct task_act act = {"pia", DAY_MS * h->today + 1, h->today};
    int64_t own;
    enum task_opening opening;
    (void)plan(h);
    struct task check = task_of(h, TASK_PRESHIP, "cycle of 2026-11-26");
    const struct task_request by_hand = {.kind = TASK_NOTICE,
                                         .patient = h->patient,
                                         .subject = "card",
                                         .due_day = CIVIL_DAY_NONE,
                                         .facts = "{\"text\":\"Please bring your card.\"}"};
    ok(store_write_begin(h->clinic.store, &err));
    ok(task_cancel(h->clinic.store, &act, check.id, "asked by phone", &err));
    ok(task_open(h->clinic.store, &act, &by_hand, &own, &opening, &err));
    ok(store_write_commit(h->clinic.store, &err));
    round_of(h, "2026-11-22");
    assert_int_equal(count(h, "kind = 'pre-shipment'"), 1);
    assert_int_equal(task_of(h, TASK_NOTICE, "card").state, TASK_DRAFT);
}

/* Answers that change something and have no event of their own become work for a person, once. */
static void no_answer_is_lost(void **state)
{
    struct house *h = *state;
    static const struct {
        enum task_kind kind;
        enum task_result result;
        const char *until;
        const char *event; /* NULL: none */
        bool work;
    } rows[] = {
        {TASK_RENEWAL, TASK_DENIED, NULL, "renewal-denied", true},
        {TASK_ELIGIBILITY, TASK_APPROVED, NULL, NULL, false},
        {TASK_ELIGIBILITY, TASK_DENIED, NULL, NULL, true},
        {TASK_TEST_CLAIM, TASK_APPROVED, NULL, NULL, false},
        {TASK_TEST_CLAIM, TASK_CHANGED, NULL, NULL, true},
        {TASK_TEST_CLAIM, TASK_DENIED, NULL, NULL, true},
        {TASK_TEST_CLAIM, TASK_TOO_SOON, "2026-11-24", "claim-rejected", false},
        {TASK_OVERRIDE, TASK_APPROVED, NULL, "override-granted", false},
        {TASK_OVERRIDE, TASK_CHANGED, NULL, NULL, true},
        {TASK_OVERRIDE, TASK_DENIED, NULL, NULL, true},
        {TASK_OVERRIDE, TASK_TOO_SOON, "2026-11-24", "claim-rejected", false},
        {TASK_PRIOR_AUTH, TASK_APPROVED, "2027-11-24", "prior-auth", false},
        {TASK_PRIOR_AUTH, TASK_APPROVED, NULL, NULL, true},
        {TASK_PRIOR_AUTH, TASK_CHANGED, "2027-11-24", "prior-auth", true},
        {TASK_PRIOR_AUTH, TASK_DENIED, NULL, NULL, true},
        {TASK_NOTICE, TASK_DONE, NULL, NULL, false},
        {TASK_PRESHIP, TASK_APPROVED, NULL, NULL, false},
        {TASK_PRESHIP, TASK_CHANGED, NULL, NULL, true},
    };
    const struct task_act act = {"pia", DAY_MS * h->today + 1, h->today};
    (void)plan(h);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char subject[40], work[60], sql[200];
        int64_t id;
        enum task_opening opening;
        int64_t events = clinic_int(&h->clinic, "SELECT count(*) FROM refill_event");
        (void)snprintf(subject, sizeof subject, "case %zu", i);
        const struct task_request asked = {.kind = rows[i].kind,
                                           .patient = h->patient,
                                           .subject = subject,
                                           .due_day = CIVIL_DAY_NONE,
                                           .facts = "{\"order\":\"rx-b\",\"text\":\"Is it so?\"}"};
        ok(store_write_begin(h->clinic.store, &err));
        ok(task_open(h->clinic.store, &act, &asked, &id, &opening, &err));
        ok(store_write_commit(h->clinic.store, &err));
        answer(h, id, rows[i].result, rows[i].until);
        round_of(h, "2026-11-21");
        if (clinic_int(&h->clinic, "SELECT count(*) FROM refill_event") != events + (rows[i].event != NULL))
            fail_msg("case %zu: events", i);
        if (rows[i].event) {
            (void)snprintf(sql, sizeof sql, "SELECT kind = '%s' FROM refill_event ORDER BY id DESC LIMIT 1",
                           rows[i].event);
            assert_int_equal(clinic_int(&h->clinic, sql), 1);
        }
        (void)snprintf(work, sizeof work, "kind = 'work' AND subject = 'answer to task %" PRId64 "'", id);
        if (count(h, work) != rows[i].work)
            fail_msg("case %zu: %" PRId64 " pieces of work", i, count(h, work));
    }
    /* Done by a person, it does not come back. */
    int64_t open = count(h, "kind = 'work' AND subject LIKE 'answer %'" OPEN);
    int64_t one =
        clinic_int(&h->clinic, "SELECT id FROM task WHERE kind = 'work' AND subject LIKE 'answer %' LIMIT 1");
    answer(h, one, TASK_DONE, NULL);
    round_of(h, "2026-11-22");
    assert_int_equal(count(h, "kind = 'work' AND subject LIKE 'answer %'" OPEN), open - 1);
}

static void a_quantity_that_fits_no_cycle_is_asked_to_be_changed_once(void **state)
{
    struct house *h = *state;
    clinic_exec(&h->clinic,
                "UPDATE order_version SET original = '{\"dispenseRequest\":{\"quantity\":{\"value\":30},"
                "\"expectedSupplyDuration\":{\"value\":30,\"code\":\"d\"},"
                "\"numberOfRepeatsAllowed\":11}}' WHERE source_id = 'rx-a'");
    clinic_exec(&h->clinic,
                "UPDATE order_version SET original = '{\"dispenseRequest\":{\"quantity\":{\"value\":56},"
                "\"expectedSupplyDuration\":{\"value\":28,\"code\":\"d\"},"
                "\"numberOfRepeatsAllowed\":11}}' WHERE source_id = 'rx-b'");
    (void)plan(h);
    struct task task = task_of(h, TASK_CHANGE, "order rx-a: a quantity for whole cycles");
    int64_t value = 0;
    char reason[40];
    assert_int_equal(count(h, "kind = 'change'"), 1);
    assert_true(task_fact_count_of(task.facts, "quantity", &value) && value == 28);
    assert_true(task_fact_text(task.facts, "reason", reason, sizeof reason));
    assert_string_equal(reason, "QTY_NOT_CYCLE");
    answer(h, task.id, TASK_DENIED, NULL);
    round_of(h, "2026-11-25");
    assert_int_equal(count(h, "kind = 'change'"), 1); /* a no is a no */
    clinic_exec(&h->clinic,
                "UPDATE order_version SET original = '{\"dispenseRequest\":{\"expectedSupplyDuration\":{"
                "\"value\":14,\"code\":\"d\"}}}' WHERE source_id = 'rx-b'");
    round_of(h, "2026-11-25");
    assert_true(task_fact_text(task_of(h, TASK_CHANGE, "order rx-b: a quantity for whole cycles").facts,
                               "reason", reason, sizeof reason));
    assert_string_equal(reason, "SUPPLY_BELOW_CYCLE");
}

static void the_work_of_a_roll_goes_step_by_step_and_ends_when_it_left_the_house(void **state)
{
    struct house *h = *state;
    (void)plan(h);
    static const char subject[] = "roll of 2026-11-26";
    assert_non_null(strstr(task_of(h, TASK_WORK, subject).facts, "Sign the plan"));
    clinic_exec(&h->clinic, "UPDATE plan SET state = 'signed'");
    round_of(h, "2026-11-22");
    struct task task = task_of(h, TASK_WORK, subject);
    assert_non_null(strstr(task.facts, "Pack the roll"));
    assert_int_equal(task.due_day, day_of("2026-11-25"));
    clinic_exec(&h->clinic, "UPDATE plan SET pouches = 1");
    clinic_exec(&h->clinic,
                "INSERT INTO batch (id, machine, state, created_by, created_ms) VALUES (1, 'sim', 'done', "
                "'pia', 1)");
    clinic_exec(&h->clinic, "INSERT INTO job (id, batch_id, plan_id, pouch, position, pouch_line, "
                            "pouch_hash, state) SELECT 1, 1, "
                            "id, 1, 1, 'pouch 1 2026-11-26 08:00 Morning 1/1 label=\"x\" "
                            "items=AAA-5:whole:1', x'00', 'good' FROM plan");
    round_of(h, "2026-11-23");
    assert_non_null(strstr(task_of(h, TASK_WORK, subject).facts, "hand it over"));
    clinic_exec(&h->clinic,
                "INSERT INTO handover (id, patient_id, plan_id, day, note, actor, handed_ms) SELECT 1, "
                "patient_id, id, 1, '', 'pia', 1 FROM plan");
    clinic_exec(&h->clinic, "INSERT INTO handover_pouch (job_id, handover_id) VALUES (1, 1)");
    round_of(h, "2026-11-24");
    assert_int_equal(task_of(h, TASK_WORK, subject).state, TASK_COMPLETED);
    /* What is at home and must not be taken is told, until it is back. */
    clinic_exec(&h->clinic, "INSERT INTO pouch_recall (job_id, kind, reason, asked_by, asked_ms) VALUES (1, "
                            "'recalled', 'stopped', 'pia', 1)");
    round_of(h, "2026-11-24");
    assert_int_equal(count(h, "kind = 'notice' AND subject LIKE 'take pouches of plan % out'" OPEN), 1);
    clinic_exec(&h->clinic, "UPDATE pouch_recall SET done_by = 'pia', done_ms = 2");
    round_of(h, "2026-11-25");
    assert_int_equal(count(h, "kind = 'notice' AND subject LIKE 'take pouches of plan % out'" OPEN), 0);
}

static void in_hospital_nothing_is_asked_for_a_roll(void **state)
{
    struct house *h = *state;
    (void)plan(h);
    event(h, "hospital", NULL, "2026-11-22", "h1");
    round_of(h, "2026-11-22");
    assert_int_equal(count(h, "opened_by = '" ASKS_ACTOR "'" OPEN), 0);
    event(h, "discharge", NULL, "2026-11-23", "d1");
    round_of(h, "2026-11-23");
    assert_int_equal(count(h, "kind = 'eligibility'" OPEN), 1);
}

static void purchases_follow_the_need_until_they_are_ordered(void **state)
{
    struct house *h = *state;
    (void)plan(h);
    clinic_exec(&h->clinic, "UPDATE plan SET state = 'signed'");
    round_of(h, "2026-11-21");
    struct task a, b;
    ok(task_find(h->clinic.store, TASK_PURCHASE, 0, "AAA-5, order 1", &h->arena, &a, &err));
    ok(task_find(h->clinic.store, TASK_PURCHASE, 0, "BBB-5, order 1", &h->arena, &b, &err));
    int64_t units = 0;
    assert_true(task_fact_count_of(a.facts, "quantity", &units) && units == 28);
    assert_true(task_fact_count_of(b.facts, "quantity", &units) && units == 56);
    answer(h, b.id, TASK_APPROVED, NULL); /* ordered: it is the wholesaler's now */
    clinic_exec(&h->clinic, "UPDATE plan SET state = 'draft'");
    round_of(h, "2026-11-21");
    ok(task_find(h->clinic.store, TASK_PURCHASE, 0, "AAA-5, order 1", &h->arena, &a, &err));
    ok(task_find(h->clinic.store, TASK_PURCHASE, 0, "BBB-5, order 1", &h->arena, &b, &err));
    assert_int_equal(a.state, TASK_CANCELLED);
    assert_int_equal(b.state, TASK_IN_PROGRESS);
    clinic_exec(&h->clinic, "UPDATE plan SET state = 'signed'");
    round_of(h, "2026-11-22");
    ok(task_find(h->clinic.store, TASK_PURCHASE, 0, "AAA-5, order 1", &h->arena, &a, &err));
    assert_int_equal(a.state, TASK_DRAFT);
    assert_int_equal(count(h, "kind = 'purchase' AND subject LIKE 'BBB-5%'"), 1); /* the order covers it */
}

static void long_ids_are_told_apart(void **state)
{
    struct house *h = *state;
    char one[SYNC_ID_BYTES_MAX + 1], two[SYNC_ID_BYTES_MAX + 1];
    const struct reading once = clinic_daily(1, 1000);
    clinic_exec(&h->clinic, "UPDATE order_version SET current = 0");
    memset(one, 'x', sizeof one - 1);
    one[sizeof one - 1] = '\0';
    memcpy(two, one, sizeof two);
    two[sizeof two - 2] = 'y';
    clinic_order(&h->clinic, h->patient, one, "AAA-5", &once);
    clinic_order(&h->clinic, h->patient, two, "BBB-5", &once);
    (void)plan(h);
    assert_int_equal(count(h, "kind = 'test-claim'" OPEN), 2);
}

static void a_site_says_what_is_asked_by_itself(void **state)
{
    struct house *h = *state;
    h->site.asks = 1U << TASK_PRESHIP;
    assert_int_equal(plan(h).asked, 1);
    assert_int_equal(count(h, "kind <> 'pre-shipment'"), 0);
}

int main(void)
{
#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, house_init, house_finish)
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(enrolment_asks_the_payer_and_tells_the_patient_once),
        HOUSE_TEST(a_short_fill_is_claimed_with_the_fill_after_it),
        HOUSE_TEST(a_claim_rejected_as_too_soon_moves_the_fill_and_is_asked_anew_for_its_day),
        HOUSE_TEST(waiting_for_the_payers_date_is_one_override_however_long_it_lasts),
        HOUSE_TEST(a_request_ends_with_its_reason_and_comes_back_with_it),
        HOUSE_TEST(repeats_of_a_renewed_prescription_count_from_its_answer_on),
        HOUSE_TEST(what_a_person_took_back_stays_so_and_what_a_person_opened_is_left_alone),
        HOUSE_TEST(no_answer_is_lost),
        HOUSE_TEST(a_quantity_that_fits_no_cycle_is_asked_to_be_changed_once),
        HOUSE_TEST(the_work_of_a_roll_goes_step_by_step_and_ends_when_it_left_the_house),
        HOUSE_TEST(in_hospital_nothing_is_asked_for_a_roll),
        HOUSE_TEST(purchases_follow_the_need_until_they_are_ordered),
        HOUSE_TEST(long_ids_are_told_apart),
        HOUSE_TEST(a_site_says_what_is_asked_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
