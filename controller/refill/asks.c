/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted against what is there; see asks.h. */
#include "controller/refill/asks_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/store/store.h"

/* Why a task was taken back by this room: one that was so may be opened again when its occasion comes back.
 */
#define GONE_NOTE "nothing calls for it any more"

bool asks_kind(const struct asks *a, enum task_kind kind)
{
    return a->site->asks & 1U << kind;
}

json_t *asks_order_facts(const struct refill_drug *drug)
{
    return json_pack("{s:s, s:s, s:s}", "order", drug->order->source_id, "drug", drug->order->product->name,
                     "product", drug->order->product->code);
}

void asks_fact_day(json_t *facts, const char *key, int32_t day)
{
    char text[CIVIL_TEXT_BYTES];
    civil_format(day, text);
    (void)json_object_set_new(facts, key, json_string(text)); /* what is missing shows when facts are read */
}

void asks_fact_text(json_t *facts, const char *key, const char *text)
{
    size_t len = strlen(text);
    if (len > TASK_FACT_TEXT_MAX) {
        len = TASK_FACT_TEXT_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    (void)json_object_set_new(facts, key, json_stringn(text, len));
}

static int wants_grow(struct asks *a)
{
    size_t cap = a->want_cap ? 2 * a->want_cap : 32;
    struct want *grown = arena_array(&a->arena, cap, sizeof *grown);
    if (!grown)
        return error_set(a->err, E_MEMORY, "no memory for tasks");
    if (a->want_count)
        memcpy(grown, a->wants, a->want_count * sizeof *grown);
    a->wants = grown;
    a->want_cap = cap;
    return 0;
}

int want_add(struct asks *a, enum task_kind kind, int32_t due_day, json_t *facts, const char *subject, ...)
{
    char text[TASK_SUBJECT_BYTES_MAX + 1];
    va_list args;
    va_start(args, subject);
    int n = vsnprintf(text, sizeof text, subject, args); /* an id of the calendar is short enough */
    va_end(args);
    char *json = facts ? json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(facts);
    int status =
        n < 0 || n >= (int)sizeof text ? error_set(a->err, E_LIMIT, "subject of a task: too long") : 0;
    if (status == 0 && a->want_count == a->want_cap)
        status = wants_grow(a);
    if (status == 0) {
        struct want *want = &a->wants[a->want_count];
        *want = (struct want){.kind = kind,
                              .subject = arena_text(&a->arena, text, strlen(text)),
                              .facts = json ? arena_text(&a->arena, json, strlen(json)) : NULL,
                              .due_day = due_day};
        if (want->subject && want->facts)
            a->want_count++;
        else
            status = error_set(a->err, E_MEMORY, "no memory for tasks");
    }
    free(json);
    return status;
}

struct want *want_last(struct asks *a)
{
    return &a->wants[a->want_count - 1];
}

const struct task *asks_task(const struct asks *a, enum task_kind kind, const char *subject)
{
    const struct task *newest = NULL;
    for (size_t i = 0; i < a->task_count; i++) {
        const struct task *task = &a->tasks[i];
        if (task->kind == kind && strcmp(task->subject, subject) == 0 && (!newest || task->id > newest->id))
            newest = task;
    }
    return newest;
}

/* ---- what is there follows ---- */

static bool is_own(const struct task *task)
{
    return strcmp(task->opened_by, ASKS_ACTOR) == 0;
}

static int want_open(struct asks *a, const struct task_act *act, const struct want *want, bool again,
                     struct asks_count *count)
{
    enum task_opening opening;
    int64_t id;
    int32_t due = want->due_day;
    if (due != CIVIL_DAY_NONE && due < act->today) /* what was needed before is due today */
        due = act->today;
    const struct task_request open = {.kind = want->kind,
                                      .patient = a->refill ? a->refill->input.patient : 0,
                                      .subject = want->subject,
                                      .due_day = due,
                                      .facts = want->facts,
                                      .again = again};
    int status = task_open(a->store, act, &open, &id, &opening, a->err);
    count->opened += status == 0 && opening == TASK_OPENED;
    return status;
}

static int want_done(struct asks *a, const struct task_act *act, const struct task *task,
                     struct asks_count *count)
{
    const struct task_answer answer = {
        .task = task->id, .result = TASK_DONE, .until_day = CIVIL_DAY_NONE, .source = "as the store shows"};
    bool stands;
    count->closed++;
    return task_answer_put(a->store, act, &answer, false, &stands, a->err);
}

/* An open task of our own that says something else than the facts of today. */
static int want_revise(struct asks *a, const struct task_act *act, const struct want *want,
                       const struct task *task, struct asks_count *count)
{
    bool moved = want->due_day != CIVIL_DAY_NONE && want->due_day != task->due_day &&
                 (want->due_day > act->today || task->due_day > act->today);
    if (!moved && strcmp(want->facts, task->facts) == 0)
        return 0;
    count->revised++;
    return task_revise(a->store, act, task->id, want->facts, moved ? want->due_day : task->due_day,
                       "the calendar changed", a->err);
}

static int want_settle(struct asks *a, const struct task_act *act, const struct want *want,
                       struct asks_count *count)
{
    const struct task *task = asks_task(a, want->kind, want->subject);
    if (!task)
        return want->done ? 0 : want_open(a, act, want, false, count);
    if (!task_state_closed(task->state)) {
        if (want->done)
            return is_own(task) ? want_done(a, act, task, count) : 0;
        return is_own(task) ? want_revise(a, act, want, task, count) : 0;
    }
    if (want->done)
        return 0;
    if (task->state == TASK_CANCELLED)
        return strcmp(task->note, GONE_NOTE) == 0 ? want_open(a, act, want, false, count) : 0;
    if (want->since_ms > task->changed_ms)
        return want_open(a, act, want, true, count);
    return 0; /* answered, or it could not be delivered: work for a person by then */
}

static bool is_wanted(const struct asks *a, const struct task *task)
{
    for (size_t i = 0; i < a->want_count; i++) {
        if (a->wants[i].kind == task->kind && strcmp(a->wants[i].subject, task->subject) == 0)
            return true;
    }
    return false;
}

/* By whom it was asked does not matter to the task; that the calendar did so matters to this room. */
int wants_settle(struct asks *a, struct asks_count *count)
{
    const struct task_act act = {ASKS_ACTOR, a->by->wall_ms, a->by->today};
    int status = 0;
    for (size_t i = 0; status == 0 && i < a->want_count; i++) {
        if (asks_kind(a, a->wants[i].kind))
            status = want_settle(a, &act, &a->wants[i], count);
    }
    /* A calendar that no anchor suits says nothing of fills: then nothing is taken back. */
    for (size_t i = 0; status == 0 && i < a->task_count && (!a->calendar || a->calendar->feasible); i++) {
        const struct task *task = &a->tasks[i];
        if (task_state_closed(task->state) || !is_own(task) || is_wanted(a, task))
            continue;
        count->closed++;
        status = task_cancel(a->store, &act, task->id, GONE_NOTE, a->err);
    }
    return status;
}

/* ---- one patient ---- */

static int patient_read(struct asks *a)
{
    struct task_filter filter = TASK_FILTER_OPEN;
    int64_t made = 0;
    filter.patient = a->refill->input.patient;
    filter.closed = true;
    int status = task_list(a->store, &filter, &a->arena, &a->tasks, &a->task_count, a->err);
    if (status == 0)
        status =
            store_get_int(a->store, &made, a->err,
                          "SELECT EXISTS (SELECT 1 FROM plan AS p JOIN job AS j ON j.plan_id = p.id WHERE "
                          "p.patient_id = ? AND j.state = 'good')",
                          "i", a->refill->input.patient);
    a->begun = made != 0;
    return status;
}

static int wants_make(struct asks *a)
{
    int status = patient_read(a);
    if (status == 0)
        status = wants_of_calendar(a);
    if (status == 0)
        status = wants_of_house(a);
    return status == 0 ? wants_of_answers(a) : status;
}

int asks_settle(struct store *store, const struct refill_site *site, const struct refill *refill,
                const struct sync_plan *calendar, int32_t anchor, const struct record_by *by,
                struct asks_count *count, struct error *err)
{
    struct error own;
    struct asks a = {.store = store,
                     .site = site,
                     .refill = refill,
                     .calendar = calendar,
                     .by = by,
                     .err = err ? err : &own,
                     .anchor = anchor};
    arena_init(&a.arena, 0);
    int status = wants_make(&a);
    if (status == 0)
        status = wants_settle(&a, count);
    arena_finish(&a.arena);
    return status;
}

/* ---- everybody ---- */

static int patients_read(struct store *store, struct arena *arena, int64_t **ret_patients, int64_t *ret_count,
                         struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t count = 0, used = 0, *patients = NULL;
    int status =
        store_get_int(store, &count, err, "SELECT count(DISTINCT patient_id) FROM refill_anchor", "");
    if (status == 0 && !(patients = arena_array(arena, (size_t)count, sizeof *patients)))
        status = error_set(err, E_MEMORY, "no memory for the patients");
    if (status == 0)
        status =
            store_query(store, &rows, err, "SELECT DISTINCT patient_id FROM refill_anchor ORDER BY 1", "");
    int more = 0;
    while (status == 0 && used < count && (more = store_next(rows, err)) > 0)
        patients[used++] = store_int(rows, 0);
    store_done(rows);
    *ret_patients = patients;
    *ret_count = used;
    return status < 0 ? status : more < 0 ? more : 0;
}

static int patient_settle(struct store *store, struct policy *policy, const struct refill_site *site,
                          int64_t patient, const struct record_by *by, struct arena *arena,
                          struct asks_count *count, struct error *err)
{
    struct refill *refill;
    struct sync_plan *calendar;
    int answers = 0;
    int status = asks_read(store, patient, by, &answers, err);
    count->answers += answers;
    if (status == 0)
        status = refill_load(store, policy, site, patient, by->today, NULL, 0, arena, &refill, err);
    if (status == 0)
        status = refill_solve(refill, site, arena, NULL, &calendar, err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status == 0)
        status = asks_settle(store, site, refill, calendar, refill->anchor, by, count, err);
    if (status == 0)
        status = store_write_commit(store, err);
    store_write_rollback(store); /* nothing after a commit */
    return status;
}

int asks_all(struct store *store, struct policy *policy, const struct refill_site *site,
             const struct record_by *by, void (*trouble)(void *data, int64_t patient, const char *why),
             void *data, struct asks_count *ret_count, struct error *err)
{
    struct arena all, one;
    struct asks_count count = {0};
    struct error own;
    int64_t *patients = NULL, patient_count = 0;
    if (!err)
        err = &own;
    arena_init(&all, 0);
    arena_init(&one, 0);
    int status = patients_read(store, &all, &patients, &patient_count, err);
    for (int64_t i = 0; status == 0 && i < patient_count; i++) {
        struct asks_count before = count;
        arena_reset(&one);
        count.patients++;
        status = patient_settle(store, policy, site, patients[i], by, &one, &count, err);
        if (status < 0 &&
            error_class_of(status) == ERROR_CLASS_INPUT) { /* one patient's trouble is his own */
            count = before;
            count.patients++;
            count.failed++;
            if (trouble)
                trouble(data, patients[i], err->message);
            status = 0;
        }
    }
    if (status == 0)
        status = asks_purchases(store, site, by, &count, err);
    arena_finish(&one);
    arena_finish(&all);
    if (status == 0)
        *ret_count = count;
    return status;
}
