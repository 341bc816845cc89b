/* SPDX-License-Identifier: Apache-2.0 */
/* What answers do: events of the patient's cycle, or work for a person. One table says which. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/refill/asks_private.h"
#include "controller/store/store.h"

/* Answers are looked at so long; older ones that nobody acted on have been overdue for weeks. */
#define ANSWER_DAYS 60

/* A day of an effect: that of the answer (there is none: no event), today. */
enum effect_day { DAY_NONE, DAY_UNTIL, DAY_TODAY };

static const struct effect {
    enum task_kind kind;
    enum task_result result;
    const char *event; /* of refill_event; NULL: none by itself */
    enum effect_day day;
    const char *work; /* what a person must do; NULL: nothing */
    bool unless_day;  /* only when the answer has no day */
    bool until_asked; /* done when the request is not called for any more */
} effects[] = {
    {TASK_RENEWAL, TASK_DENIED, "renewal-denied", DAY_TODAY,
     "The prescriber will not renew it: the drug leaves the pouches with what is covered. Tell the patient.",
     false, false},
    {TASK_RENEWAL, TASK_APPROVED, NULL, DAY_NONE, "Renewed: the new prescription must be imported.", false,
     true},
    {TASK_RENEWAL, TASK_CHANGED, NULL, DAY_NONE,
     "Renewed otherwise than asked: the new prescription must be imported and looked at.", false, true},
    {TASK_CHANGE, TASK_APPROVED, NULL, DAY_NONE, "Changed as asked: the new prescription must be imported.",
     false, true},
    {TASK_CHANGE, TASK_CHANGED, NULL, DAY_NONE,
     "Changed otherwise than asked: the new prescription must be imported and looked at.", false, true},
    {TASK_ELIGIBILITY, TASK_DENIED, NULL, DAY_NONE,
     "The payer says that the patient is not covered: ask the patient for the card before anything is "
     "billed.",
     false, false},
    {TASK_TEST_CLAIM, TASK_TOO_SOON, "claim-rejected", DAY_UNTIL, NULL, false, false},
    {TASK_TEST_CLAIM, TASK_DENIED, NULL, DAY_NONE,
     "The payer would not pay for the fill: settle it before it is packed.", false, false},
    {TASK_TEST_CLAIM, TASK_CHANGED, NULL, DAY_NONE,
     "The payer would pay on other terms: look at them before it is "
     "packed.",
     false, false},
    {TASK_OVERRIDE, TASK_APPROVED, "override-granted", DAY_TODAY, NULL, false, false},
    {TASK_OVERRIDE, TASK_TOO_SOON, "claim-rejected", DAY_UNTIL, NULL, false, false},
    {TASK_OVERRIDE, TASK_DENIED, NULL, DAY_NONE,
     "The payer does not waive its date, and the supply ends before it: decide how the days between are "
     "covered.",
     false, false},
    {TASK_OVERRIDE, TASK_CHANGED, NULL, DAY_NONE,
     "The payer waives its date on other terms: enter what holds with `sachet change`.", false, false},
    {TASK_PRIOR_AUTH, TASK_APPROVED, "prior-auth", DAY_UNTIL,
     "Authorized without a last day: ask for it and enter it with `sachet change PATIENT prior-auth`.", true,
     false},
    {TASK_PRIOR_AUTH, TASK_CHANGED, "prior-auth", DAY_UNTIL,
     "Authorized otherwise than asked: look at the terms before the fill is packed.", false, false},
    {TASK_PRIOR_AUTH, TASK_DENIED, NULL, DAY_NONE,
     "Not authorized: settle with payer and prescriber how the drug goes on.", false, false},
    {TASK_PRESHIP, TASK_CHANGED, NULL, DAY_NONE,
     "Something changed at the patient's: enter it (`sachet change`) before the roll is packed.", false,
     false},
};

static const struct effect *effect_of(enum task_kind kind, const struct task_answer *answer)
{
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
        if (effects[i].kind == kind && effects[i].result == answer->result)
            return &effects[i];
    }
    return NULL;
}

/* ---- events ---- */

static int read_one(struct store *store, const struct task *task, const struct record_by *by,
                    struct arena *arena, int *count, struct error *err)
{
    struct task_answer answer;
    struct record_order order;
    char id[RECORD_ORDER_BYTES], source[64];
    int64_t event;
    bool is_new = false;
    int status = task_answer_standing(store, task->id, arena, &answer, err);
    if (status == E_NOT_FOUND)
        return 0; /* silence is no answer */
    const struct effect *effect = status == 0 ? effect_of(task->kind, &answer) : NULL;
    if (!effect || !effect->event || (effect->day == DAY_UNTIL && answer.until_day == CIVIL_DAY_NONE) ||
        !task_fact_text(task->facts, "order", id, sizeof id))
        return status;
    status = record_order_find(store, task->patient, id, &order, err);
    if (status == E_NOT_FOUND) /* the order is over: nothing to refill */
        return 0;
    (void)snprintf(source, sizeof source, "answer:%" PRId64, answer.id); /* fits */
    const struct record_by teller = {by->actor, "an answer", by->today, by->wall_ms};
    if (status == 0)
        status = record_event(store, task->patient, effect->event, &order,
                              effect->day == DAY_UNTIL ? answer.until_day : by->today, source, &teller,
                              &event, &is_new, err);
    *count += status == 0 && is_new;
    return status;
}

/* Something to note: a standing answer without its event. */
static int unread_count(struct store *store, int64_t patient, int64_t *ret_count, struct error *err)
{
    return store_get_int(
        store, ret_count, err,
        "SELECT count(*) FROM task AS t JOIN task_answer AS a ON a.task_id = t.id AND a.stands = 1 "
        "WHERE t.patient_id = ? AND NOT EXISTS (SELECT 1 FROM refill_event AS e WHERE e.source = "
        "'answer:' || a.id)",
        "i", patient);
}

int asks_read(struct store *store, int64_t patient, const struct record_by *by, int *ret_new,
              struct error *err)
{
    struct arena arena;
    struct task *tasks = NULL;
    size_t count = 0;
    int64_t unread = 0;
    int noted = 0;
    struct task_filter filter = TASK_FILTER_OPEN;
    filter.patient = patient;
    filter.closed = true;
    *ret_new = 0;
    int status = unread_count(store, patient, &unread, err);
    if (status < 0 || unread == 0)
        return status;
    arena_init(&arena, 0);
    status = task_list(store, &filter, &arena, &tasks, &count, err);
    if (status == 0 && count > 0) {
        status = store_write_begin(store, err);
        for (size_t i = 0; status == 0 && i < count; i++)
            status = read_one(store, &tasks[i], by, &arena, &noted, err);
        if (status == 0)
            status = store_write_commit(store, err);
        store_write_rollback(store); /* nothing after a commit */
    }
    arena_finish(&arena);
    if (status == 0)
        *ret_new = noted;
    return status;
}

/* ---- work ---- */

/* An order that is not in the calendar any more needs nobody's decision. */
static bool order_is_over(const struct asks *a, const struct task *task)
{
    char id[RECORD_ORDER_BYTES];
    return task_fact_text(task->facts, "order", id, sizeof id) && !refill_drug_of(a->refill, id);
}

/* The request would be made today, too: what the answer promised has not come. */
static bool still_asked(const struct asks *a, const struct task *task)
{
    for (size_t i = 0; i < a->want_count; i++) {
        const struct want *want = &a->wants[i];
        if (want->kind == task->kind && strcmp(want->subject, task->subject) == 0)
            return want->since_ms <= task->changed_ms;
    }
    return false;
}

static int work_add(struct asks *a, const struct task *task, const char *text, bool done)
{
    static const char *const kept[] = {"order", "drug", "anchor"};
    json_t *of = json_loads(task->facts, 0, NULL), *facts = json_object();
    asks_fact_text(facts, "text", text);
    (void)json_object_set_new(facts, "task", json_integer(task->id));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        json_t *value = json_object_get(of, kept[i]);
        if (value)
            (void)json_object_set(facts, kept[i], value);
    }
    json_decref(of);
    int status = want_add(a, TASK_WORK, CIVIL_DAY_NONE, facts, "answer to task %" PRId64, task->id);
    if (status == 0)
        want_last(a)->done = done;
    return status;
}

static int answer_want(struct asks *a, const struct task *task)
{
    struct task_answer answer;
    if (task->state == TASK_FAILED)
        return work_add(a, task,
                        "It could not be delivered: phone, and enter what was said with `sachet tasks open` "
                        "or `sachet change`.",
                        order_is_over(a, task));
    int status = task_answer_standing(a->store, task->id, &a->arena, &answer, a->err);
    if (status < 0)
        return status == E_NOT_FOUND ? 0 : status;
    const struct effect *effect = effect_of(task->kind, &answer);
    if (!effect || !effect->work || (effect->unless_day && answer.until_day != CIVIL_DAY_NONE))
        return 0;
    return work_add(a, task, effect->work,
                    order_is_over(a, task) || (effect->until_asked && !still_asked(a, task)));
}

int wants_of_answers(struct asks *a)
{
    const int64_t since = a->by->wall_ms - INT64_C(86400000) * ANSWER_DAYS;
    int status = 0;
    for (size_t i = 0; status == 0 && i < a->task_count; i++) {
        const struct task *task = &a->tasks[i];
        if ((task->state == TASK_COMPLETED || task->state == TASK_REJECTED || task->state == TASK_FAILED) &&
            task->kind != TASK_WORK && task->changed_ms >= since)
            status = answer_want(a, task);
    }
    return status;
}
