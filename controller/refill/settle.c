/* SPDX-License-Identifier: Apache-2.0 */
/* Which made pouches serve in a newer plan, which are called back, and who has them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/refill/change.h"
#include "controller/refill/pouch.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

struct settling {
    struct store *store;
    const struct record_by *by;
    struct error *err;
    struct arena arena;
    int64_t plan;
    struct plan_text *text;
    bool *taken; /* [pouch of text]: a made pouch serves in its place */
    int kept, called;
};

/* A made, live pouch of an earlier plan. */
struct made_pouch {
    int64_t job;
    const char *line;
    int32_t day;
    struct made_pouch *next;
};

/* All that a pouch is but its number: date, time, slot, part, label, content. */
static const char *line_body(const char *line)
{
    const char *number = strchr(line, ' ');
    const char *body = number ? strchr(number + 1, ' ') : NULL;
    return body ? body : "";
}

static int signed_load(struct settling *s, int64_t plan)
{
    struct plan_row row;
    int status = plan_row_load(s->store, plan, &s->arena, &row, s->err);
    s->plan = plan;
    return status < 0 ? status : plan_text_parse(row.bytes, row.len, &s->arena, &s->text, s->err);
}

static int made_before(struct settling *s, int64_t patient, struct made_pouch **ret_list)
{
    struct store_rows *rows = NULL;
    int status = store_query(s->store, &rows, s->err,
                             "SELECT j.id, j.pouch_line FROM plan p JOIN job j ON j.plan_id = p.id AND "
                             "j.state <> 'cancelled' LEFT "
                             "JOIN pouch_recall r ON r.job_id = j.id WHERE p.patient_id = ? AND p.id <> ? "
                             "AND p.start_day + p.days "
                             ">= ? AND j.state = 'good' AND NOT " POUCH_DEAD_SQL " ORDER BY j.id DESC",
                             "iii", patient, s->plan, (int64_t)s->text->start_day);
    int more = 0;
    *ret_list = NULL;
    while (status == 0 && (more = store_next(rows, s->err)) > 0) {
        struct pouch_content content;
        const char *line = store_text(rows, 1);
        struct made_pouch *made = arena_alloc(&s->arena, sizeof *made);
        char *copy = arena_text(&s->arena, line, strlen(line));
        if (!made || !copy)
            status = error_set(s->err, E_MEMORY, "no memory for made pouches");
        else
            status = pouch_content_read(copy, s->text->day_start, &content, s->err);
        if (status == 0) {
            *made = (struct made_pouch){store_int(rows, 0), copy, content.day, *ret_list};
            *ret_list = made;
        }
    }
    store_done(rows);
    return status < 0 ? status : more;
}

static int kept_before(struct settling *s)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(s->store, &rows, s->err,
                    "SELECT pouch FROM pouch_kept WHERE plan_id = ? UNION SELECT pouch FROM job WHERE "
                    "plan_id = ? AND state <> 'cancelled'",
                    "ii", s->plan, s->plan);
    int more = 0;
    while (status == 0 && (more = store_next(rows, s->err)) > 0) {
        int64_t number = store_int(rows, 0);
        if (number >= 1 && (size_t)number <= s->text->pouch_count)
            s->taken[number - 1] = true;
    }
    store_done(rows);
    return status < 0 ? status : more;
}

static bool is_kept_job(struct settling *s, int64_t job, int *ret_status)
{
    int64_t count = 0;
    *ret_status =
        store_get_int(s->store, &count, s->err,
                      "SELECT count(*) FROM pouch_kept WHERE plan_id = ? AND job_id = ?", "ii", s->plan, job);
    return count > 0;
}

static int serve_or_call(struct settling *s, const struct made_pouch *made)
{
    int status = 0;
    if (is_kept_job(s, made->job, &status) || status < 0)
        return status;
    for (size_t i = 0; i < s->text->pouch_count; i++) {
        const struct plan_pouch *pouch = &s->text->pouches[i];
        if (s->taken[i] ||
            strncmp(line_body(pouch->line), line_body(made->line), strlen(line_body(made->line))) ||
            strlen(line_body(made->line)) != pouch->line_len - (size_t)(line_body(pouch->line) - pouch->line))
            continue;
        s->taken[i] = true;
        s->kept++;
        return store_exec(s->store, s->err,
                          "INSERT INTO pouch_kept (plan_id, pouch, job_id) VALUES (?, ?, ?)", "iii", s->plan,
                          (int64_t)pouch->number, made->job);
    }
    s->called++;
    char reason[64];
    (void)snprintf(reason, sizeof reason, "not in plan %" PRId64, s->plan); /* fits */
    return store_exec(
        s->store, s->err,
        "INSERT OR IGNORE INTO pouch_recall (job_id, kind, reason, asked_by, asked_ms) VALUES (?, "
        "'recalled', ?, ?, ?)",
        "itti", made->job, reason, s->by->actor, s->by->wall_ms);
}

static int settle_plan(struct settling *s, int64_t patient, int64_t plan)
{
    struct made_pouch *list = NULL;
    char subject[32], detail[80];
    int kept = s->kept, called = s->called;
    int found = signed_load(s, plan);
    if (found < 0)
        return found;
    s->taken = arena_array(&s->arena, s->text->pouch_count, sizeof *s->taken);
    if (!s->taken)
        return error_set(s->err, E_MEMORY, "no memory for made pouches");
    int status = kept_before(s);
    if (status == 0)
        status = made_before(s, patient, &list);
    for (; status == 0 && list; list = list->next) {
        if (list->day >= s->text->start_day && list->day < s->text->start_day + s->text->days)
            status = serve_or_call(s, list);
    }
    kept = s->kept - kept;
    called = s->called - called;
    if (status < 0 || kept + called == 0)
        return status;
    (void)snprintf(subject, sizeof subject, "plan:%" PRId64, s->plan); /* both fit */
    (void)snprintf(detail, sizeof detail, "{\"kept\":%d,\"called_back\":%d}", kept, called);
    return audit_add(s->store, s->by->wall_ms, s->by->actor, "refill.settle", subject, detail, s->err);
}

enum { SIGNED_MAX = 64 }; /* signed plans of one patient: the running cycle, strips of it, the next one */

/* Each signed plan for its own days. */
static int settle(struct settling *s, int64_t patient)
{
    struct store_rows *rows = NULL;
    int64_t plans[SIGNED_MAX];
    size_t count = 0;
    int status = store_query(s->store, &rows, s->err,
                             "SELECT id FROM plan WHERE patient_id = ? AND state = 'signed' ORDER BY version",
                             "i", patient);
    int more = 0;
    while (status == 0 && count < SIGNED_MAX && (more = store_next(rows, s->err)) > 0)
        plans[count++] = store_int(rows, 0);
    store_done(rows);
    if (status == 0)
        status = more < 0 ? more : 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = settle_plan(s, patient, plans[i]);
    return status;
}

int change_settle(struct store *store, int64_t patient, const struct record_by *by, int *ret_kept,
                  int *ret_called, struct error *err)
{
    struct error own;
    struct settling s = {.store = store, .by = by, .err = err ? err : &own};
    arena_init(&s.arena, 0);
    int status = store_write_begin(store, s.err);
    if (status == 0)
        status = settle(&s, patient);
    if (status == 0)
        status = store_write_commit(store, s.err);
    store_write_rollback(store); /* nothing after a commit */
    arena_finish(&s.arena);
    if (status == 0 && ret_kept)
        *ret_kept = s.kept;
    if (status == 0 && ret_called)
        *ret_called = s.called;
    return status;
}

int change_settle_all(struct store *store, const struct record_by *by, struct error *err)
{
    struct store_rows *rows = NULL;
    struct arena arena;
    int64_t *patients = NULL, count = 0, used = 0;
    arena_init(&arena, 0);
    int status = store_get_int(store, &count, err, "SELECT count(*) FROM plan WHERE state = 'signed'", "");
    if (status == 0 && !(patients = arena_array(&arena, (size_t)count, sizeof *patients)))
        status = error_set(err, E_MEMORY, "no memory for the patients");
    /* Only patients with made pouches of an earlier plan have anything to settle. */
    if (status == 0)
        status = store_query(
            store, &rows, err,
            "SELECT DISTINCT p.patient_id FROM plan p JOIN plan o ON o.patient_id = p.patient_id "
            "AND o.id <> p.id AND o.start_day + o.days >= p.start_day WHERE p.state = 'signed' AND "
            "EXISTS (SELECT 1 FROM job j WHERE j.plan_id = o.id AND j.state <> 'cancelled' AND "
            "j.state = 'good') ORDER BY 1",
            "");
    int more = 0;
    while (status == 0 && used < count && (more = store_next(rows, err)) > 0)
        patients[used++] = store_int(rows, 0);
    store_done(rows);
    if (status == 0 && more < 0)
        status = more;
    for (int64_t i = 0; status == 0 && i < used; i++)
        status = change_settle(store, patients[i], by, NULL, NULL, err);
    arena_finish(&arena);
    return status;
}

/* ---- what must be fetched ---- */

static int pull_add(struct store_rows *rows, struct arena *arena, struct change_pouch **pouches,
                    size_t *count, size_t *cap, struct error *err)
{
    struct pouch_content content;
    if (*count == *cap) {
        size_t grown_cap = *cap ? 2 * *cap : 64;
        struct change_pouch *grown = arena_array(arena, grown_cap, sizeof *grown);
        if (!grown)
            return error_set(err, E_MEMORY, "no memory for the pull list");
        if (*count > 0)
            memcpy(grown, *pouches, *count * sizeof *grown);
        *pouches = grown;
        *cap = grown_cap;
    }
    int status = pouch_content_read(store_text(rows, 4), 0, &content, err);
    const char *token = arena_text(arena, store_text(rows, 5), strlen(store_text(rows, 5)));
    const char *reason = arena_text(arena, store_text(rows, 7), strlen(store_text(rows, 7)));
    if (status == 0 && (!token || !reason))
        status = error_set(err, E_MEMORY, "no memory for the pull list");
    (*pouches)[(*count)++] =
        (struct change_pouch){.job = store_int(rows, 0),
                              .plan = store_int(rows, 1),
                              .batch = store_int(rows, 2),
                              .number = (int)store_int(rows, 3),
                              .day = content.label_day,
                              .minute = content.minute,
                              .place = store_int(rows, 6) ? CHANGE_PLACE_SHIPPED : CHANGE_PLACE_ON_SHELF,
                              .token = token,
                              .reason = reason};
    return status;
}

int pull_list(struct store *store, int64_t patient, struct arena *arena,
              const struct change_pouch **ret_pouches, size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    struct change_pouch *pouches = NULL;
    size_t count = 0, cap = 0;
    int status = store_query(
        store, &rows, err,
        "SELECT j.id, j.plan_id, j.batch_id, j.pouch, j.pouch_line, ifnull((SELECT f.token FROM fill f WHERE "
        "f.job_id = j.id AND f.state = 'good'), ''), EXISTS (SELECT 1 FROM handover_pouch h WHERE h.job_id = "
        "j.id), ifnull(r.reason, 'withdrawn while it was made') FROM plan p JOIN job j ON j.plan_id = p.id "
        "AND "
        "j.state <> 'cancelled' LEFT JOIN pouch_recall r ON r.job_id = j.id WHERE (? = 0 OR p.patient_id = "
        "?) AND "
        "j.state = 'good' AND " POUCH_DEAD_SQL
        " AND r.done_ms IS NULL AND ifnull(r.kind, '') <> 'lost' ORDER BY "
        "p.patient_id, j.plan_id, j.pouch",
        "ii", patient, patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0)
        status = pull_add(rows, arena, &pouches, &count, &cap, err);
    store_done(rows);
    *ret_pouches = pouches;
    *ret_count = count;
    return status < 0 ? status : more;
}

static int pull_one(struct store *store, const struct change_pouch *pouch, const struct record_by *by,
                    struct error *err)
{
    int status =
        store_exec(store, err,
                   "INSERT OR IGNORE INTO pouch_recall (job_id, kind, reason, asked_by, asked_ms) VALUES "
                   "(?, 'recalled', ?, ?, ?)",
                   "itti", pouch->job, pouch->reason, by->actor, by->wall_ms);
    if (status == 0)
        status = store_exec(store, err, "UPDATE pouch_recall SET done_by = ?, done_ms = ? WHERE job_id = ?",
                            "tii", by->actor, by->wall_ms, pouch->job);
    return status;
}

static const struct change_pouch *by_token(const struct change_pouch *pouches, size_t count,
                                           const char *token)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pouches[i].token, token) == 0)
            return &pouches[i];
    }
    return NULL;
}

int pull_done(struct store *store, int64_t patient, const char *const *tokens, size_t token_count,
              const struct record_by *by, int64_t *ret_count, struct error *err)
{
    struct arena arena;
    const struct change_pouch *pouches = NULL;
    size_t count = 0;
    char subject[32], detail[48];
    arena_init(&arena, 0);
    *ret_count = 0;
    int status = pull_list(store, patient, &arena, &pouches, &count, err);
    for (size_t i = 0; status == 0 && i < (tokens ? token_count : count); i++) {
        const struct change_pouch *pouch = tokens ? by_token(pouches, count, tokens[i]) : &pouches[i];
        status = pouch ? pull_one(store, pouch, by, err)
                       : error_set(err, E_NOT_FOUND, "pouch %s is not to be pulled: `sachet pull` lists them",
                                   tokens[i]);
        *ret_count += status == 0;
    }
    arena_finish(&arena);
    if (status < 0 || *ret_count == 0)
        return status;
    (void)snprintf(subject, sizeof subject, "patient:%" PRId64, patient); /* both fit */
    (void)snprintf(detail, sizeof detail, "{\"pouches\":%" PRId64 "}", *ret_count);
    return audit_add(store, by->wall_ms, by->actor, "pull.done", subject, detail, err);
}
