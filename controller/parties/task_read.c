/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, answers and history as they lie in the store. */
#include <inttypes.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/task.h"
#include "controller/store/store.h"

/* Columns of a task, in the order of task_read. */
#define TASK_COLUMNS                                                                                       \
    "id, kind, state, level, ifnull(patient_id, 0), subject, facts, opened_day, due_day, revision, sent, " \
    "note, opened_by, opened_ms, changed_ms"
#define ANSWER_COLUMNS                                                                             \
    "id, task_id, result, stands, until_day, facts, reference, note, source, actor, answered_ms, " \
    "answered_day"

/* `whose` apart, so that the tasks of one patient are found by their index. */
#define LIST_SQL(whose)                                                                                     \
    "SELECT " TASK_COLUMNS " FROM task WHERE " whose                                                        \
    " AND (?1 OR state NOT IN ('rejected', 'completed', 'cancelled', 'failed')) AND (?3 IS NULL OR kind = " \
    "?3) "                                                                                                  \
    "AND due_day <= ?4 AND (NOT ?5 OR sent < revision) ORDER BY CASE level WHEN 'overdue' THEN 0 WHEN "     \
    "'urgent' THEN 1 WHEN 'reminded' THEN 2 ELSE 3 END, due_day, id"

static const char *kept(struct arena *arena, const char *text, bool *failed)
{
    const char *copy = arena_text(arena, text, strlen(text));
    *failed = *failed || !copy;
    return copy;
}

static int task_read(struct store_rows *rows, struct arena *arena, struct task *ret, struct error *err)
{
    bool failed = false;
    ret->id = store_int(rows, 0);
    if (!task_kind_parse(store_text(rows, 1), &ret->kind) ||
        !task_state_parse(store_text(rows, 2), &ret->state) ||
        !task_level_parse(store_text(rows, 3), &ret->level))
        return error_set(err, E_INPUT, "task %" PRId64 " has a word that this version does not know",
                         ret->id);
    ret->patient = store_int(rows, 4);
    ret->subject = kept(arena, store_text(rows, 5), &failed);
    ret->facts = kept(arena, store_text(rows, 6), &failed);
    ret->opened_day = (int32_t)store_int(rows, 7);
    ret->due_day = (int32_t)store_int(rows, 8);
    ret->revision = (int)store_int(rows, 9);
    ret->sent = (int)store_int(rows, 10);
    ret->note = kept(arena, store_text(rows, 11), &failed);
    ret->opened_by = kept(arena, store_text(rows, 12), &failed);
    ret->opened_ms = store_int(rows, 13);
    ret->changed_ms = store_int(rows, 14);
    return failed ? error_set(err, E_MEMORY, "out of memory reading tasks") : 0;
}

static int answer_read(struct store_rows *rows, struct arena *arena, struct task_answer *ret,
                       struct error *err)
{
    bool failed = false;
    ret->id = store_int(rows, 0);
    ret->task = store_int(rows, 1);
    if (!task_result_parse(store_text(rows, 2), &ret->result))
        return error_set(err, E_INPUT, "answer %" PRId64 " has a result that this version does not know",
                         ret->id);
    ret->stands = store_int(rows, 3) != 0;
    ret->until_day = store_is_null(rows, 4) ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 4);
    ret->facts = kept(arena, store_text(rows, 5), &failed);
    ret->reference = kept(arena, store_text(rows, 6), &failed);
    ret->note = kept(arena, store_text(rows, 7), &failed);
    ret->source = kept(arena, store_text(rows, 8), &failed);
    ret->actor = kept(arena, store_text(rows, 9), &failed);
    ret->answered_ms = store_int(rows, 10);
    ret->answered_day = (int32_t)store_int(rows, 11);
    return failed ? error_set(err, E_MEMORY, "out of memory reading answers") : 0;
}

static int change_read(struct store_rows *rows, struct arena *arena, struct task_change *ret,
                       struct error *err)
{
    bool failed = false;
    ret->at_ms = store_int(rows, 0);
    ret->actor = kept(arena, store_text(rows, 1), &failed);
    ret->state = kept(arena, store_text(rows, 2), &failed);
    ret->level = kept(arena, store_text(rows, 3), &failed);
    ret->revision = (int)store_int(rows, 4);
    ret->why = kept(arena, store_text(rows, 5), &failed);
    return failed ? error_set(err, E_MEMORY, "out of memory reading the history of a task") : 0;
}

/* The first row of a started query; E_NOT_FOUND without a message. */
static int task_only(struct store_rows *rows, struct arena *arena, struct task *ret_task, struct error *err)
{
    int rc = store_next(rows, err);
    if (rc == 1)
        rc = task_read(rows, arena, ret_task, err);
    else if (rc == 0)
        rc = E_NOT_FOUND;
    store_done(rows);
    return rc;
}

int task_get(struct store *store, int64_t id, struct arena *arena, struct task *ret_task, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT " TASK_COLUMNS " FROM task WHERE id = ?", "i", id);
    if (rc == 0)
        rc = task_only(rows, arena, ret_task, err);
    if (rc == E_NOT_FOUND)
        return error_set(err, rc, "no task %" PRId64 ": `sachet tasks` lists them", id);
    return rc;
}

int task_find(struct store *store, enum task_kind kind, int64_t patient, const char *subject,
              struct arena *arena, struct task *ret_task, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT " TASK_COLUMNS " FROM task WHERE kind = ? AND subject = ? "
                         "AND ifnull(patient_id, 0) = ? ORDER BY id DESC LIMIT 1",
                         "tti", task_kinds[kind].word, subject, patient);
    if (rc == 0)
        rc = task_only(rows, arena, ret_task, err);
    if (rc == E_NOT_FOUND)
        return error_set(err, rc, "no %s task \"%.100s\"", task_kinds[kind].word, subject);
    return rc;
}

int task_answer_standing(struct store *store, int64_t task, struct arena *arena,
                         struct task_answer *ret_answer, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err,
                    "SELECT " ANSWER_COLUMNS " FROM task_answer WHERE task_id = ? AND stands = 1", "i", task);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        rc = answer_read(rows, arena, ret_answer, err);
    else if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "task %" PRId64 " has no answer yet", task);
    store_done(rows);
    return rc;
}

/* Room for one more item of `size` bytes in an array of the arena that doubles; NULL: out of memory. */
static void *item_add(struct arena *arena, void **items, size_t *count, size_t *cap, size_t size)
{
    if (*count == *cap) {
        size_t more = *cap ? *cap * 2 : 64;
        char *grown = arena_array(arena, more, size);
        if (!grown)
            return NULL;
        if (*count)
            memcpy(grown, *items, *count * size);
        *items = grown;
        *cap = more;
    }
    return (char *)*items + (*count)++ * size;
}

int task_list(struct store *store, const struct task_filter *filter, struct arena *arena,
              struct task **ret_tasks, size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    void *items = NULL;
    size_t count = 0, cap = 0;
    const char *kind = filter->kind >= 0 ? task_kinds[filter->kind].word : NULL;
    int rc =
        store_query(store, &rows, err, filter->patient ? LIST_SQL("patient_id = ?2") : LIST_SQL("?2 = 0"),
                    "iitii", filter->closed, filter->patient, kind,
                    filter->due_by == CIVIL_DAY_NONE ? INT32_MAX : filter->due_by, filter->unsent);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct task task = {0};
        rc = task_read(rows, arena, &task, err);
        if (rc < 0 || (filter->party >= 0 && (int)task_kinds[task.kind].party != filter->party))
            continue;
        struct task *place = item_add(arena, &items, &count, &cap, sizeof task);
        if (place)
            *place = task;
        else
            rc = error_set(err, E_MEMORY, "out of memory listing tasks");
    }
    store_done(rows);
    if (rc == 0) {
        *ret_tasks = items;
        *ret_count = count;
    }
    return rc;
}

int task_answers(struct store *store, int64_t task, struct arena *arena, struct task_answer **ret_answers,
                 size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    void *items = NULL;
    size_t count = 0, cap = 0;
    int rc =
        store_query(store, &rows, err,
                    "SELECT " ANSWER_COLUMNS " FROM task_answer WHERE task_id = ? ORDER BY id", "i", task);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct task_answer *place = item_add(arena, &items, &count, &cap, sizeof *place);
        rc = place ? answer_read(rows, arena, place, err)
                   : error_set(err, E_MEMORY, "out of memory reading answers");
    }
    store_done(rows);
    if (rc == 0) {
        *ret_answers = items;
        *ret_count = count;
    }
    return rc;
}

int task_history(struct store *store, int64_t task, struct arena *arena, struct task_change **ret_changes,
                 size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    void *items = NULL;
    size_t count = 0, cap = 0;
    int rc = store_query(store, &rows, err,
                         "SELECT at_ms, actor, state, level, revision, why FROM task_history "
                         "WHERE task_id = ? ORDER BY id",
                         "i", task);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct task_change *place = item_add(arena, &items, &count, &cap, sizeof *place);
        rc = place ? change_read(rows, arena, place, err)
                   : error_set(err, E_MEMORY, "out of memory reading the history of a task");
    }
    store_done(rows);
    if (rc == 0) {
        *ret_changes = items;
        *ret_count = count;
    }
    return rc;
}
