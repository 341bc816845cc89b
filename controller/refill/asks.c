/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/asks.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/task.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/store/store.h"

static int ask_one(struct store *store, const struct refill *refill, enum task_kind kind,
                   const struct sync_request *request, const struct record_by *by, int *count,
                   struct error *err)
{
    const struct refill_drug *drug = refill_drug_of(refill, request->id);
    const struct task_act act = {by->actor, by->wall_ms, by->today};
    char needed[CIVIL_TEXT_BYTES], subject[TASK_SUBJECT_BYTES_MAX + 1];
    enum task_opening opening;
    int64_t task = 0;
    if (!drug || drug->denied || (request->request_on != CIVIL_DAY_NONE && request->request_on > by->today))
        return 0;
    civil_format(request->needed_by, needed);
    if (snprintf(subject, sizeof subject, "order %s needed %s", request->id, needed) >= (int)sizeof subject)
        return error_set(err, E_LIMIT, "order %s: its id is too long for a task", request->id);
    json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:s}", "order", request->id, "drug",
                              drug->order->product->name, "product", drug->order->product->code, "reason",
                              sync_ask_text(request->reason), "needed_by", needed);
    char *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    json_decref(facts);
    if (!text)
        return error_set(err, E_MEMORY, "no memory for a task");
    /* What is needed today or was needed before is due today. */
    const struct task_request open = {.kind = kind,
                                      .patient = refill->input.patient,
                                      .subject = subject,
                                      .due_day =
                                          request->needed_by > by->today ? request->needed_by : by->today,
                                      .facts = text};
    int status = task_open(store, &act, &open, &task, &opening, err);
    free(text);
    *count += status == 0 && opening == TASK_OPENED;
    return status;
}

int asks_open(struct store *store, const struct refill *refill, const struct sync_plan *calendar,
              const struct record_by *by, int *ret_new, struct error *err)
{
    int status = 0, count = 0;
    for (size_t i = 0; status == 0 && i < calendar->renewal_count; i++)
        status = ask_one(store, refill, TASK_RENEWAL, &calendar->renewals[i], by, &count, err);
    for (size_t i = 0; status == 0 && i < calendar->override_count; i++)
        status = ask_one(store, refill, TASK_OVERRIDE, &calendar->overrides[i], by, &count, err);
    for (size_t i = 0; status == 0 && i < calendar->pa_request_count; i++)
        status = ask_one(store, refill, TASK_PRIOR_AUTH, &calendar->pa_requests[i], by, &count, err);
    if (ret_new)
        *ret_new = count;
    return status;
}

/* What an answer means for the cycle; NULL: nothing by itself (a new prescription comes as an order). */
static const char *event_of(enum task_kind kind, const struct task_answer *answer, int32_t today,
                            int32_t *ret_day)
{
    static const struct {
        enum task_kind kind;
        enum task_result result;
        const char *event;
        bool until; /* the answer's day counts, else today */
    } rows[] = {
        {TASK_RENEWAL, TASK_DENIED, "renewal-denied", false},
        {TASK_OVERRIDE, TASK_APPROVED, "override-granted", false},
        {TASK_OVERRIDE, TASK_TOO_SOON, "claim-rejected", true},
        {TASK_TEST_CLAIM, TASK_TOO_SOON, "claim-rejected", true},
        {TASK_PRIOR_AUTH, TASK_APPROVED, "prior-auth", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].kind != kind || rows[i].result != answer->result ||
            (rows[i].until && answer->until_day == CIVIL_DAY_NONE))
            continue;
        *ret_day = rows[i].until ? answer->until_day : today;
        return rows[i].event;
    }
    return NULL;
}

static int read_one(struct store *store, const struct task *task, const struct record_by *by,
                    struct arena *arena, int *count, struct error *err)
{
    struct task_answer answer;
    struct record_order order;
    char id[RECORD_ORDER_BYTES], source[64];
    int32_t day = by->today;
    int64_t event;
    bool is_new = false;
    int status = task_answer_standing(store, task->id, arena, &answer, err);
    if (status == E_NOT_FOUND)
        return 0; /* silence is no answer */
    const char *kind = status == 0 ? event_of(task->kind, &answer, by->today, &day) : NULL;
    if (!kind || !task_fact_text(task->facts, "order", id, sizeof id))
        return status;
    status = record_order_find(store, task->patient, id, &order, err);
    if (status == E_NOT_FOUND) /* the order is over: nothing to refill */
        return 0;
    (void)snprintf(source, sizeof source, "answer:%" PRId64, answer.id); /* fits */
    const struct record_by teller = {by->actor, "an answer", by->today, by->wall_ms};
    if (status == 0)
        status = record_event(store, task->patient, kind, &order, day, source, &teller, &event, &is_new, err);
    *count += status == 0 && is_new;
    return status;
}

int asks_read(struct store *store, int64_t patient, const struct record_by *by, int *ret_new,
              struct error *err)
{
    struct arena arena;
    struct task *tasks = NULL;
    size_t count = 0;
    int noted = 0;
    struct task_filter filter = TASK_FILTER_OPEN;
    filter.patient = patient;
    filter.closed = true;
    arena_init(&arena, 0);
    int status = task_list(store, &filter, &arena, &tasks, &count, err);
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
