/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of tasks. Each is one row of history and one of the audit; ids and words of tables, no names. */
#include "controller/parties/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/parties/facts.h"
#include "controller/parties/task_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

enum { SCRATCH_BYTES = 256 * 1024 };

int task_in_write(struct store *store, struct error *err)
{
    return store_in_write(store) ? 0 : error_set(err, E_STATE, "a task changes only in a write transaction");
}

static int text_check(const char *what, const char *text, size_t min, size_t max, struct error *err)
{
    size_t len = text ? strlen(text) : 0;
    if (len < min || len > max || (len > 0 && !utf8_printable(text, len)))
        return error_set(err, E_INPUT, "%s: %zu to %zu printable bytes on one line are wanted", what, min,
                         max);
    return 0;
}

int task_store(struct store *store, const struct task_act *act, const struct task *task, const char *action,
               const char *why, struct error *err)
{
    char subject[40], detail[200];
    const char *state = task_state_text(task->state), *level = task_level_text(task->level);
    int rc = store_exec(store, err,
                        "UPDATE task SET state = ?, level = ?, revision = ?, sent = ?, note = ?, "
                        "changed_ms = ? WHERE id = ?",
                        "ttiitii", state, level, task->revision, task->sent, why, act->wall_ms, task->id);
    if (rc == 0)
        rc = store_exec(store, err,
                        "INSERT INTO task_history (task_id, state, level, revision, why, actor, at_ms) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?)",
                        "ittitti", task->id, state, level, task->revision, why, act->actor, act->wall_ms);
    (void)snprintf(subject, sizeof subject, "task:%" PRId64, task->id); /* a number fits */
    (void)snprintf(detail, sizeof detail,
                   "{\"kind\":\"%s\",\"state\":\"%s\",\"level\":\"%s\",\"revision\":%d}",
                   task_kinds[task->kind].word, state, level, task->revision); /* table words fit */
    return rc ? rc : audit_add(store, act->wall_ms, act->actor, action, subject, detail, err);
}

static int request_check(struct store *store, const struct task_act *act, const struct task_request *r,
                         int32_t due, struct error *err)
{
    int64_t one;
    int rc = text_check("subject of a task", r->subject, 1, TASK_SUBJECT_BYTES_MAX, err);
    if (rc == 0 && (r->kind < 0 || r->kind >= TASK_KINDS))
        rc = error_set(err, E_ARG, "no such kind of task");
    if (rc == 0 && r->patient == 0 && task_kinds[r->kind].party != PARTY_PHARMACY)
        rc = error_set(err, E_INPUT, "a %s needs a patient", task_kinds[r->kind].word);
    if (rc == 0 && (due < act->today || due - act->today > TASK_DUE_DAYS_MAX))
        rc = error_set(err, E_INPUT, "due day of a %s: today or at most %d days later is wanted",
                       task_kinds[r->kind].word, TASK_DUE_DAYS_MAX);
    if (rc == 0 && r->patient != 0 &&
        (rc = store_get_int(store, &one, err, "SELECT 1 FROM patient WHERE id = ?", "i", r->patient)) ==
            E_NOT_FOUND)
        rc = error_set(err, rc, "patient %" PRId64 " is not in the store", r->patient);
    return rc;
}

static int open_new(struct store *store, const struct task_act *act, const struct task_request *r,
                    int32_t due, const char *facts, int64_t *ret_task, struct error *err)
{
    struct task task = {.kind = r->kind, .state = TASK_DRAFT, .revision = 1};
    const char *types = r->patient ? "tittttiitii" : "tnttttiitii";
    task.level = task_level_on(r->kind, act->today, due, act->today);
    static const char *const sql =
        "INSERT INTO task (kind, patient_id, subject, state, level, facts, opened_day, due_day, revision, "
        "opened_by, opened_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)";
    int rc = r->patient ? store_insert(store, err, &task.id, sql, types, task_kinds[r->kind].word, r->patient,
                                       r->subject, task_state_text(task.state), task_level_text(task.level),
                                       facts, act->today, due, act->actor, act->wall_ms, act->wall_ms)
                        : store_insert(store, err, &task.id, sql, types, task_kinds[r->kind].word, r->subject,
                                       task_state_text(task.state), task_level_text(task.level), facts,
                                       act->today, due, act->actor, act->wall_ms, act->wall_ms);
    if (rc == 0)
        rc = task_store(store, act, &task, "task.open", "opened", err);
    if (rc == 0)
        *ret_task = task.id;
    return rc;
}

int task_open(struct store *store, const struct task_act *act, const struct task_request *request,
              int64_t *ret_task, enum task_opening *ret_opening, struct error *err)
{
    struct arena arena;
    struct task before;
    const char *facts = NULL;
    int rc = task_in_write(store, err);
    int32_t due = request->due_day;
    if (rc == 0 && due == CIVIL_DAY_NONE && request->kind >= 0 && request->kind < TASK_KINDS)
        due = act->today + task_kinds[request->kind].due_days;
    if (rc == 0)
        rc = request_check(store, act, request, due, err);
    if (rc)
        return rc;
    arena_init(&arena, SCRATCH_BYTES);
    rc = facts_read(request->facts, &arena, &facts, err);
    if (rc == 0)
        rc = facts_needed(request->kind, facts, err);
    if (rc == 0)
        rc = task_find(store, request->kind, request->patient, request->subject, &arena, &before, err);
    bool answered = rc == 0 && (before.state == TASK_COMPLETED || before.state == TASK_REJECTED);
    if (rc == 0 && (!task_state_closed(before.state) || (answered && !request->again))) {
        *ret_task = before.id;
        *ret_opening = answered ? TASK_ANSWERED : TASK_STANDS;
    } else if (rc == 0 || rc == E_NOT_FOUND) {
        rc = open_new(store, act, request, due, facts, ret_task, err);
        if (rc == 0)
            *ret_opening = TASK_OPENED;
    }
    arena_finish(&arena);
    return rc;
}

int task_event_put(struct store *store, const struct task_act *act, int64_t id, enum task_event event,
                   const char *note, struct error *err)
{
    struct arena arena;
    struct task task;
    int rc = task_in_write(store, err);
    if (rc == 0)
        rc = text_check("note of a task", note, 0, TASK_NOTE_BYTES_MAX, err);
    if (rc)
        return rc;
    arena_init(&arena, SCRATCH_BYTES);
    rc = task_get(store, id, &arena, &task, err);
    enum task_state next = rc == 0 ? task_next(task.state, event) : TASK_STATES;
    if (rc == 0 && next == TASK_STATES)
        rc = error_set(err, E_STATE, "task %" PRId64 " is %s: it cannot be %s any more", id,
                       task_state_text(task.state), task_event_text(event));
    if (rc == 0 && next != task.state) {
        task.state = next;
        rc =
            task_store(store, act, &task, "task.state", note && note[0] ? note : task_event_text(event), err);
    }
    arena_finish(&arena);
    return rc;
}

int task_cancel(struct store *store, const struct task_act *act, int64_t id, const char *why,
                struct error *err)
{
    struct arena arena;
    struct task task;
    int rc = task_in_write(store, err);
    if (rc == 0)
        rc = text_check("reason of a cancelled task", why, 1, TASK_NOTE_BYTES_MAX, err);
    if (rc)
        return rc;
    arena_init(&arena, SCRATCH_BYTES);
    rc = task_get(store, id, &arena, &task, err);
    if (rc == 0 && !task_state_closed(task.state)) {
        task.state = task_next(task.state, TASK_EVENT_CANCELLED);
        /* Whoever never heard of it need not hear that it is gone. */
        if (task.sent > 0)
            task.revision++;
        else
            task.sent = task.revision;
        rc = task_store(store, act, &task, "task.cancel", why, err);
    }
    arena_finish(&arena);
    return rc;
}

int task_revise(struct store *store, const struct task_act *act, int64_t id, const char *facts,
                int32_t due_day, const char *why, struct error *err)
{
    struct arena arena;
    struct task task;
    const char *kept = NULL;
    int rc = task_in_write(store, err);
    if (rc == 0)
        rc = text_check("reason of a changed task", why, 1, TASK_NOTE_BYTES_MAX, err);
    if (rc)
        return rc;
    arena_init(&arena, SCRATCH_BYTES);
    rc = task_get(store, id, &arena, &task, err);
    if (rc == 0 && task_state_closed(task.state))
        rc = error_set(err, E_STATE, "task %" PRId64 " is %s: it cannot be changed any more", id,
                       task_state_text(task.state));
    if (rc == 0)
        rc = facts_read(facts, &arena, &kept, err);
    if (rc == 0)
        rc = facts_needed(task.kind, kept, err);
    if (rc == 0 && due_day - act->today > TASK_DUE_DAYS_MAX)
        rc = error_set(err, E_INPUT, "due day of a %s: at most %d days ahead", task_kinds[task.kind].word,
                       TASK_DUE_DAYS_MAX);
    task.due_day = due_day < act->today ? act->today : due_day;
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE task SET facts = ?, due_day = ? WHERE id = ?", "tii", kept,
                        (int64_t)task.due_day, id);
    if (rc == 0) {
        task.level = task_level_on(task.kind, task.opened_day, task.due_day, act->today);
        if (task.sent == task.revision) /* one that nobody has heard yet is written as it is now */
            task.revision++;
        rc = task_store(store, act, &task, "task.revise", why, err);
    }
    arena_finish(&arena);
    return rc;
}

int task_sent(struct store *store, const struct task_act *act, int64_t id, int revision, struct error *err)
{
    struct arena arena;
    struct task task;
    arena_init(&arena, SCRATCH_BYTES);
    int rc = task_get(store, id, &arena, &task, err);
    if (rc == 0 && revision > task.sent) {
        enum task_state next = task_next(task.state, TASK_EVENT_SENT);
        if (next != TASK_STATES)
            task.state = next;
        task.sent = revision;
        rc = task_store(store, act, &task, "task.send", "written out", err);
    }
    arena_finish(&arena);
    return rc;
}

int task_escalate(struct store *store, const struct task_act *act, int *ret_raised, struct error *err)
{
    struct arena arena;
    struct task *tasks;
    size_t count = 0;
    int raised = 0;
    int rc = task_in_write(store, err);
    if (rc)
        return rc;
    arena_init(&arena, 0);
    rc = task_list(store, &TASK_FILTER_OPEN, &arena, &tasks, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct task *task = &tasks[i];
        enum task_level level = task_level_on(task->kind, task->opened_day, task->due_day, act->today);
        if (level <= task->level)
            continue;
        task->level = level;
        if (task->sent == task->revision) /* one that nobody has heard yet is written with its new level */
            task->revision++;
        rc = task_store(store, act, task, "task.level", task_next_step(task->kind, level), err);
        raised++;
    }
    arena_finish(&arena);
    if (rc == 0 && ret_raised)
        *ret_raised = raised;
    return rc;
}

/* An answer that says otherwise than the one that stands is for a person to weigh. */
static int contradiction_open(struct store *store, const struct task_act *act, const struct task *task,
                              int64_t answer, struct error *err)
{
    char subject[80], facts[400];
    int64_t id;
    enum task_opening opening;
    (void)snprintf(subject, sizeof subject, "task %" PRId64 ", answer %" PRId64, task->id, answer);
    (void)snprintf(facts, sizeof facts,
                   "{\"task\":%" PRId64
                   ",\"reason\":\"CONTRADICTION\",\"text\":\"Another answer to task %" PRId64
                   " (%s) says something else than the one that stands. See `sachet tasks show %" PRId64
                   "`; `sachet tasks answer` with --overrule decides.\"}",
                   task->id, task->id, task_kinds[task->kind].word, task->id); /* numbers and a word fit */
    struct task_request request = {.kind = TASK_WORK,
                                   .patient = task->patient,
                                   .subject = subject,
                                   .due_day = CIVIL_DAY_NONE,
                                   .facts = facts};
    return task_open(store, act, &request, &id, &opening, err);
}

static int answer_check(const struct task *task, const struct task_answer *a, struct error *err)
{
    int rc = text_check("reference of an answer", a->reference, 0, TASK_SUBJECT_BYTES_MAX, err);
    if (rc == 0)
        rc = text_check("note of an answer", a->note, 0, TASK_NOTE_BYTES_MAX, err);
    if (rc == 0)
        rc = text_check("source of an answer", a->source, 1, TASK_SUBJECT_BYTES_MAX, err);
    if (rc)
        return rc;
    if (task->state == TASK_CANCELLED)
        return error_set(err, E_STATE, "task %" PRId64 " is cancelled: nobody waits for an answer", task->id);
    if (a->result < 0 || a->result >= TASK_RESULTS || !(task_kinds[task->kind].results & 1U << a->result)) {
        char list[120];
        struct buf buf;
        buf_init_fixed(&buf, list, sizeof list);
        task_results_list(task->kind, &buf);
        return error_set(err, E_INPUT, "task %" PRId64 " is a %s, its answers are: %s", task->id,
                         task_kinds[task->kind].word, list);
    }
    if (a->result == TASK_TOO_SOON && a->until_day == CIVIL_DAY_NONE)
        return error_set(err, E_INPUT, "task %" PRId64 ": \"too soon\" needs the first day that is not",
                         task->id);
    return 0;
}

static bool answer_same(const struct task_answer *a, const struct task_answer *b, const char *facts)
{
    return a->result == b->result && a->until_day == b->until_day && strcmp(a->facts, facts) == 0 &&
           strcmp(a->reference, b->reference) == 0;
}

static int answer_insert(struct store *store, const struct task_act *act, const struct task_answer *a,
                         const char *facts, bool stands, int64_t *ret_id, struct error *err)
{
    static const char *const sql =
        "INSERT INTO task_answer (task_id, result, stands, facts, reference, note, source, actor, "
        "answered_ms, answered_day, until_day) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    if (a->until_day == CIVIL_DAY_NONE)
        return store_insert(store, err, ret_id, sql,
                            "itittttti"
                            "in",
                            a->task, task_result_text(a->result), stands, facts, a->reference, a->note,
                            a->source, act->actor, act->wall_ms, act->today);
    return store_insert(store, err, ret_id, sql,
                        "itittttti"
                        "ii",
                        a->task, task_result_text(a->result), stands, facts, a->reference, a->note, a->source,
                        act->actor, act->wall_ms, act->today, a->until_day);
}

/* A question back, or a purchase that was ordered: the task goes on, and what follows stands. */
static bool is_interim(enum task_kind kind, enum task_result result)
{
    return task_kinds[kind].interim & 1U << result;
}

/* The task after an answer that stands. */
static int answer_take(struct store *store, const struct task_act *act, struct task *task,
                       const struct task_answer *a, struct error *err)
{
    char why[200];
    if (a->result == TASK_NEEDS_MORE)
        task->state = TASK_ON_HOLD;
    else if (is_interim(task->kind, a->result))
        task->state = TASK_IN_PROGRESS;
    else
        task->state = TASK_COMPLETED;
    if (task_state_closed(task->state) && task->sent == 0)
        task->sent =
            task->revision; /* answered by hand before it was written out: nobody is asked any more */
    (void)snprintf(why, sizeof why, "%s, %.100s", task_result_text(a->result), a->source);
    return task_store(store, act, task, "task.answer", why, err);
}

/* Takes the answer of a task whose standing answer, when there is one, is `before`. */
static int answer_weigh(struct store *store, const struct task_act *act, struct task *task,
                        const struct task_answer *before, const struct task_answer *a, const char *facts,
                        bool overrule, bool *ret_stands, struct error *err)
{
    int64_t id;
    int rc = 0;
    *ret_stands = true;
    bool decided = before && !is_interim(task->kind, before->result);
    if (before && answer_same(before, a, facts))
        return 0;
    if (decided && !overrule) {
        *ret_stands = false;
        rc = answer_insert(store, act, a, facts, false, &id, err);
        return rc ? rc : contradiction_open(store, act, task, id, err);
    }
    if (before)
        rc = store_exec(store, err, "UPDATE task_answer SET stands = 0 WHERE id = ?", "i", before->id);
    if (rc == 0)
        rc = answer_insert(store, act, a, facts, true, &id, err);
    return rc ? rc : answer_take(store, act, task, a, err);
}

int task_answer_put(struct store *store, const struct task_act *act, const struct task_answer *answer,
                    bool overrule, bool *ret_stands, struct error *err)
{
    struct arena arena;
    struct task task;
    struct task_answer before;
    struct task_answer given = *answer;
    const char *facts = NULL;
    given.reference = answer->reference ? answer->reference : "";
    given.note = answer->note ? answer->note : "";
    int rc = task_in_write(store, err);
    if (rc)
        return rc;
    arena_init(&arena, 2 * SCRATCH_BYTES);
    rc = task_get(store, answer->task, &arena, &task, err);
    if (rc == 0)
        rc = answer_check(&task, &given, err);
    if (rc == 0)
        rc = facts_read(answer->facts, &arena, &facts, err);
    if (rc == 0) {
        rc = task_answer_standing(store, answer->task, &arena, &before, err);
        bool found = rc == 0;
        if (rc == 0 || rc == E_NOT_FOUND)
            rc = answer_weigh(store, act, &task, found ? &before : NULL, &given, facts, overrule, ret_stands,
                              err);
    }
    arena_finish(&arena);
    return rc;
}
