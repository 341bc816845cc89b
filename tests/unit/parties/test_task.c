/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/task.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

enum { TODAY = 20778 }; /* 2026-11-21 */

struct fixture {
    struct clinic clinic;
    struct arena arena;
    struct task_act act;
    int64_t patient;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic, "", NULL);
    arena_init(&f->arena, 0);
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    f->act = (struct task_act){.actor = "tester", .wall_ms = 1795219200000, .today = TODAY};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_finish(&f->arena);
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static void begin(struct fixture *f)
{
    if (store_write_begin(f->clinic.store, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

/* Commits what rc says was done, fails the test where nothing was. */
static void end_or_fail(struct fixture *f, int rc)
{
    if (rc == 0)
        rc = store_write_commit(f->clinic.store, &f->err);
    store_write_rollback(f->clinic.store);
    if (rc < 0)
        fail_msg("%s", f->err.message);
}

static int64_t open_or_fail(struct fixture *f, const struct task_request *request, enum task_opening expect)
{
    int64_t id = 0;
    enum task_opening opening = TASK_OPENED;
    begin(f);
    end_or_fail(f, task_open(f->clinic.store, &f->act, request, &id, &opening, &f->err));
    assert_int_equal(opening, expect);
    return id;
}

static struct task_request renewal(struct fixture *f)
{
    return (struct task_request){.kind = TASK_RENEWAL,
                                 .patient = f->patient,
                                 .subject = "order o1",
                                 .due_day = TODAY + 14,
                                 .facts = "{\"order\": \"o1\", \"days\": 28}"};
}

static struct task get_or_fail(struct fixture *f, int64_t id)
{
    struct task task;
    if (task_get(f->clinic.store, id, &f->arena, &task, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return task;
}

static int answer(struct fixture *f, struct task_answer a, bool overrule, bool *ret_stands)
{
    begin(f);
    if (!a.source)
        a.source = "by hand";
    int rc = task_answer_put(f->clinic.store, &f->act, &a, overrule, ret_stands, &f->err);
    if (rc == 0)
        rc = store_write_commit(f->clinic.store, &f->err);
    store_write_rollback(f->clinic.store);
    return rc;
}

static void the_same_question_is_one_task(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    assert_int_equal(open_or_fail(f, &r, TASK_STANDS), id);
    r.subject = "order o2";
    assert_true(open_or_fail(f, &r, TASK_OPENED) != id);
    r = renewal(f);
    r.kind = TASK_CHANGE;
    assert_true(open_or_fail(f, &r, TASK_OPENED) != id);
    struct task task = get_or_fail(f, id);
    assert_int_equal(task.state, TASK_DRAFT);
    assert_int_equal(task.level, TASK_CALM);
    assert_string_equal(task.facts, "{\"days\":28,\"order\":\"o1\"}");
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task"), 3);
}

static void an_answered_question_is_not_asked_again_by_itself(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    bool stands = false;
    assert_int_equal(
        answer(f, (struct task_answer){.task = id, .result = TASK_DENIED, .until_day = CIVIL_DAY_NONE}, false,
               &stands),
        0);
    assert_true(stands);
    assert_int_equal(open_or_fail(f, &r, TASK_ANSWERED), id);
    struct task_answer a;
    assert_int_equal(task_answer_standing(f->clinic.store, id, &f->arena, &a, &f->err), 0);
    assert_int_equal(a.result, TASK_DENIED);
    r.again = true;
    assert_true(open_or_fail(f, &r, TASK_OPENED) != id);
}

static void a_cancelled_question_can_be_asked_anew(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    begin(f);
    end_or_fail(f, task_cancel(f->clinic.store, &f->act, id, "drug stopped", &f->err));
    struct task task = get_or_fail(f, id);
    assert_int_equal(task.state, TASK_CANCELLED);
    assert_int_equal(task.sent, task.revision); /* nobody heard of it, so nobody is told */
    bool stands;
    assert_int_equal(answer(f, (struct task_answer){.task = id, .result = TASK_APPROVED}, false, &stands),
                     E_STATE);
    assert_true(open_or_fail(f, &r, TASK_OPENED) != id);
}

static void silence_raises_the_level_and_never_answers(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    static const struct {
        int days;
        enum task_level level;
        int revision;
    } steps[] = {{6, TASK_CALM, 1},    {7, TASK_REMINDED, 1}, {11, TASK_REMINDED, 1}, {12, TASK_URGENT, 1},
                 {14, TASK_URGENT, 1}, {15, TASK_OVERDUE, 1}, {400, TASK_OVERDUE, 1}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        f->act.today = TODAY + steps[i].days;
        for (int again = 0; again < 2; again++) {
            begin(f);
            end_or_fail(f, task_escalate(f->clinic.store, &f->act, NULL, &f->err));
        }
        struct task task = get_or_fail(f, id);
        assert_int_equal(task.level, steps[i].level);
        assert_int_equal(task.state, TASK_DRAFT);
        assert_int_equal(task.revision, steps[i].revision);
    }
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_answer"), 0);
    /* opened and three rises */
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_history"), 4);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM audit WHERE action = 'task.level'"), 3);
    /* and the clock set back lowers nothing */
    f->act.today = TODAY;
    begin(f);
    end_or_fail(f, task_escalate(f->clinic.store, &f->act, NULL, &f->err));
    assert_int_equal(get_or_fail(f, id).level, TASK_OVERDUE);
}

static void a_task_that_was_heard_of_is_told_its_new_level(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    clinic_exec(&f->clinic, "UPDATE task SET sent = 1, state = 'requested'");
    f->act.today = TODAY + 15;
    begin(f);
    end_or_fail(f, task_escalate(f->clinic.store, &f->act, NULL, &f->err));
    struct task task = get_or_fail(f, id);
    assert_int_equal(task.revision, 2);
    assert_int_equal(task.sent, 1);
}

static void what_was_answered_before_it_was_sent_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    bool stands;
    struct task_answer yes = {.task = id, .result = TASK_APPROVED, .until_day = CIVIL_DAY_NONE};
    assert_int_equal(answer(f, yes, false, &stands), 0);
    struct task_filter filter = TASK_FILTER_OPEN;
    struct task *tasks;
    size_t count;
    filter.closed = filter.unsent = true;
    assert_int_equal(task_list(f->clinic.store, &filter, &f->arena, &tasks, &count, &f->err), 0);
    assert_int_equal(count, 0);
}

static void another_answer_becomes_work_and_a_person_decides(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    struct task_answer yes = {
        .task = id, .result = TASK_APPROVED, .until_day = TODAY + 365, .reference = "A1"};
    struct task_answer no = {.task = id, .result = TASK_DENIED, .until_day = CIVIL_DAY_NONE};
    bool stands = false;
    assert_int_equal(answer(f, yes, false, &stands), 0);
    assert_int_equal(answer(f, yes, false, &stands), 0); /* doubled: nothing new */
    assert_true(stands);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_answer"), 1);
    assert_int_equal(answer(f, no, false, &stands), 0);
    assert_false(stands);
    struct task_answer a;
    assert_int_equal(task_answer_standing(f->clinic.store, id, &f->arena, &a, &f->err), 0);
    assert_int_equal(a.result, TASK_APPROVED);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task WHERE kind = 'work'"), 1);
    assert_int_equal(answer(f, no, true, &stands), 0);
    assert_true(stands);
    assert_int_equal(task_answer_standing(f->clinic.store, id, &f->arena, &a, &f->err), 0);
    assert_int_equal(a.result, TASK_DENIED);
}

static void a_question_back_holds_the_task_until_a_decision(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    bool stands;
    assert_int_equal(
        answer(f,
               (struct task_answer){
                   .task = id, .result = TASK_NEEDS_MORE, .until_day = CIVIL_DAY_NONE, .note = "which?"},
               false, &stands),
        0);
    assert_int_equal(get_or_fail(f, id).state, TASK_ON_HOLD);
    assert_int_equal(
        answer(f, (struct task_answer){.task = id, .result = TASK_APPROVED, .until_day = CIVIL_DAY_NONE},
               false, &stands),
        0);
    assert_true(stands);
    assert_int_equal(get_or_fail(f, id).state, TASK_COMPLETED);
}

static void what_a_kind_cannot_answer_is_refused(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    bool stands;
    assert_int_equal(answer(f, (struct task_answer){.task = id, .result = TASK_DONE}, false, &stands),
                     E_INPUT);
    assert_non_null(strstr(f->err.message, "approved, changed, denied, needs-more"));
    r.kind = TASK_TEST_CLAIM;
    id = open_or_fail(f, &r, TASK_OPENED);
    struct task_answer soon = {.task = id, .result = TASK_TOO_SOON, .until_day = CIVIL_DAY_NONE};
    assert_int_equal(answer(f, soon, false, &stands), E_INPUT);
    soon.until_day = TODAY + 3;
    assert_int_equal(answer(f, soon, false, &stands), 0);
    assert_int_equal(answer(f, (struct task_answer){.task = 999, .result = TASK_DONE}, false, &stands),
                     E_NOT_FOUND);
}

static void requests_are_checked_by_name(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *facts;
        const char *subject;
        int64_t patient;
        int due;
        const char *says;
    } bad[] = {
        {"{\"colour\": \"red\"}", "s", 1, 3, "colour"},
        {"{\"days\": -1}", "s", 1, 3, "days"},
        {"{\"days\": 1.5}", "s", 1, 3, "days"},
        {"{\"needed_by\": \"2026-02-30\"}", "s", 1, 3, "needed_by"},
        {"{\"drug\": \"a\\nb\"}", "s", 1, 3, "drug"},
        {"[]", "s", 1, 3, "JSON object"},
        {"{\"days\": 1, \"days\": 2}", "s", 1, 3, "JSON"},
        {"{}", "", 1, 3, "subject"},
        {"{}", "s", 0, 3, "needs a patient"},
        {"{}", "s", 77, 3, "patient 77"},
        {"{}", "s", 1, -1, "due day"},
        {"{}", "s", 1, 2000, "due day"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct task_request r = {.kind = TASK_RENEWAL,
                                 .patient = bad[i].patient,
                                 .subject = bad[i].subject,
                                 .due_day = TODAY + bad[i].due,
                                 .facts = bad[i].facts};
        int64_t id;
        enum task_opening opening;
        begin(f);
        int rc = task_open(f->clinic.store, &f->act, &r, &id, &opening, &f->err);
        store_write_rollback(f->clinic.store);
        assert_true(rc < 0);
        if (!strstr(f->err.message, bad[i].says))
            fail_msg("row %zu: %s", i, f->err.message);
    }
}

static void the_queue_puts_the_most_urgent_first(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    r.due_day = TODAY + 30;
    int64_t calm = open_or_fail(f, &r, TASK_OPENED);
    r.subject = "order o2";
    r.due_day = TODAY + 2;
    int64_t urgent = open_or_fail(f, &r, TASK_OPENED);
    r.kind = TASK_WORK;
    r.patient = 0;
    r.due_day = TODAY + 20;
    int64_t work = open_or_fail(f, &r, TASK_OPENED);
    struct task *tasks;
    size_t count;
    assert_int_equal(task_list(f->clinic.store, &TASK_FILTER_OPEN, &f->arena, &tasks, &count, &f->err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(tasks[0].id, urgent);
    assert_int_equal(tasks[1].id, work);
    assert_int_equal(tasks[2].id, calm);
    struct task_filter filter = TASK_FILTER_OPEN;
    filter.party = PARTY_PHARMACY;
    assert_int_equal(task_list(f->clinic.store, &filter, &f->arena, &tasks, &count, &f->err), 0);
    assert_int_equal(count, 1);
    filter = TASK_FILTER_OPEN;
    filter.due_by = TODAY + 2;
    assert_int_equal(task_list(f->clinic.store, &filter, &f->arena, &tasks, &count, &f->err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(tasks[0].id, urgent);
}

static void every_state_and_event_has_its_row(void **state)
{
    (void)state;
    for (int s = 0; s < TASK_STATES; s++) {
        for (int e = 0; e < TASK_EVENTS; e++) {
            enum task_state next = task_next((enum task_state)s, (enum task_event)e);
            if (task_state_closed((enum task_state)s)) {
                assert_int_equal(next, TASK_STATES);
                continue;
            }
            assert_true(next < TASK_STATES);
            assert_true(next != TASK_DRAFT); /* nothing leads back there */
            if (e == TASK_EVENT_ANSWERED)
                assert_int_equal(next, TASK_COMPLETED);
            if (e == TASK_EVENT_CANCELLED)
                assert_int_equal(next, TASK_CANCELLED);
            /* News that were heard twice change nothing the second time. */
            if (!task_state_closed(next))
                assert_int_equal(task_next(next, (enum task_event)e), next);
        }
    }
}

static void every_kind_is_whole(void **state)
{
    (void)state;
    for (int k = 0; k < TASK_KINDS; k++) {
        enum task_kind kind;
        const struct task_kind_row *row = &task_kinds[k];
        assert_true(task_kind_parse(row->word, &kind) && kind == (enum task_kind)k);
        assert_true(row->title && row->resource && row->results && row->due_days >= row->urgent_days);
        for (int l = 0; l < TASK_LEVELS; l++)
            assert_non_null(task_next_step((enum task_kind)k, (enum task_level)l));
    }
}

static void old_news_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct task_request r = renewal(f);
    int64_t id = open_or_fail(f, &r, TASK_OPENED);
    static const struct {
        enum task_event event;
        enum task_state state;
    } steps[] = {{TASK_EVENT_SENT, TASK_REQUESTED},       {TASK_EVENT_STARTED, TASK_IN_PROGRESS},
                 {TASK_EVENT_RECEIVED, TASK_IN_PROGRESS}, {TASK_EVENT_HELD, TASK_ON_HOLD},
                 {TASK_EVENT_ACCEPTED, TASK_ACCEPTED},    {TASK_EVENT_FAILED, TASK_FAILED}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        begin(f);
        end_or_fail(f, task_event_put(f->clinic.store, &f->act, id, steps[i].event, "", &f->err));
        assert_int_equal(get_or_fail(f, id).state, steps[i].state);
    }
    begin(f);
    assert_int_equal(task_event_put(f->clinic.store, &f->act, id, TASK_EVENT_STARTED, "", &f->err), E_STATE);
    store_write_rollback(f->clinic.store);
    int64_t rows;
    assert_int_equal(audit_verify(f->clinic.store, &rows, &f->err), 0);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_history"), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_question_is_one_task, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answered_question_is_not_asked_again_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_question_can_be_asked_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_raises_the_level_and_never_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_task_that_was_heard_of_is_told_its_new_level, setup, teardown),
        cmocka_unit_test_setup_teardown(another_answer_becomes_work_and_a_person_decides, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_answered_before_it_was_sent_is_not_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_question_back_holds_the_task_until_a_decision, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_kind_cannot_answer_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_are_checked_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(the_queue_puts_the_most_urgent_first, setup, teardown),
        cmocka_unit_test_setup_teardown(old_news_change_nothing, setup, teardown),
        cmocka_unit_test(every_state_and_event_has_its_row),
        cmocka_unit_test(every_kind_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
