/* SPDX-License-Identifier: Apache-2.0 */
/* Writing, and the round as a whole. */
#include <inttypes.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/exchange.h"
#include "controller/parties/message.h"
#include "controller/parties/port.h"
#include "controller/parties/task_private.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"

/* The file stands: now the store may say so. */
static int file_note(struct store *store, const struct task_act *act, const char *name,
                     const struct buf *text, int64_t task, int64_t plan, struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    seal_hash(text->data, text->len, hash);
    return store_exec(
        store, err,
        "INSERT INTO outbox_file (name, task_id, plan_id, hash, written_ms) "
        "VALUES (?, nullif(?, 0), nullif(?, 0), ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, written_ms = excluded.written_ms",
        "tiibi", name, task, plan, (const void *)hash, (size_t)SEAL_HASH_BYTES, act->wall_ms);
}

static int task_write(struct store *store, const struct partners *partners, struct port *port,
                      const struct task_act *act, const struct task *task, char name[PARTNERS_NAME_BYTES],
                      struct error *err)
{
    struct buf text;
    buf_init(&text);
    int rc = message_task(store, partners, task, &text, name, err);
    if (rc == 0)
        rc = port->write(port, name, text.data, text.len, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc == 0)
        rc = file_note(store, act, name, &text, task->id, 0, err);
    if (rc == 0)
        rc = task_sent(store, act, task->id, task->revision, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    buf_finish(&text);
    return rc;
}

/* What is told of plans beside tasks: a query that gives the lowest id over ?1 that somebody must hear of,
 * and the message. */
struct plan_news {
    const char *due;
    int (*message)(struct store *store, const struct partners *partners, int64_t plan, struct buf *out,
                   char ret_name[PARTNERS_NAME_BYTES], struct error *err);
};
static const struct plan_news plan_news[] = {
    /* Signed plans nobody was told of, and told ones that do not hold any more. */
    {"SELECT p.id FROM plan AS p WHERE p.id > ?1 AND ((p.state = 'signed' AND NOT EXISTS (SELECT 1 FROM "
     "outbox_file AS f WHERE f.plan_id = p.id AND f.name GLOB 'patient/*')) OR (p.state = 'superseded' AND "
     "(SELECT "
     "count(*) FROM outbox_file AS f WHERE f.plan_id = p.id AND f.name GLOB 'patient/*') = 1)) ORDER BY p.id "
     "LIMIT 1",
     message_care_plan},
    /* Rolls of which nothing is left to pack. */
    {"SELECT p.id FROM plan AS p WHERE p.id > ?1 AND EXISTS (SELECT 1 FROM job AS j WHERE j.plan_id = p.id "
     "AND "
     "j.state = 'good') AND NOT EXISTS (SELECT 1 FROM job AS j WHERE j.plan_id = p.id AND j.state IN "
     "('waiting', "
     "'sent', 'blocked')) AND NOT EXISTS (SELECT 1 FROM outbox_file AS f WHERE f.plan_id = p.id AND f.name "
     "GLOB "
     "'records/*') ORDER BY p.id LIMIT 1",
     message_dispense},
    /* Rolls that were told as ready, and have left the house. */
    {"SELECT p.id FROM plan AS p WHERE p.id > ?1 AND EXISTS (SELECT 1 FROM outbox_file AS f WHERE f.plan_id "
     "= p.id "
     "AND f.name GLOB 'records/*-1.json') AND NOT EXISTS (SELECT 1 FROM outbox_file AS f WHERE f.plan_id = "
     "p.id AND "
     "f.name GLOB 'records/*-2.json') AND NOT EXISTS (SELECT 1 FROM job AS j WHERE j.plan_id = p.id AND "
     "j.state = "
     "'good' AND NOT EXISTS (SELECT 1 FROM handover_pouch AS h WHERE h.job_id = j.id)) ORDER BY p.id LIMIT 1",
     message_dispense},
};

static int plan_write(struct store *store, const struct partners *partners, struct port *port,
                      const struct task_act *act, const struct plan_news *news, int64_t plan,
                      struct error *err)
{
    struct buf text;
    char name[PARTNERS_NAME_BYTES];
    buf_init(&text);
    int rc = news->message(store, partners, plan, &text, name, err);
    if (rc == 0)
        rc = port->write(port, name, text.data, text.len, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc == 0)
        rc = file_note(store, act, name, &text, 0, plan, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    buf_finish(&text);
    return rc;
}

static int plans_write(struct store *store, const struct partners *partners, struct port *port,
                       const struct task_act *act, const struct plan_news *news, struct exchange_count *count,
                       struct error *err)
{
    int64_t plan = 0;
    for (;;) {
        int rc = store_get_int(store, &plan, err, news->due, "i", plan);
        if (rc == E_NOT_FOUND)
            return 0;
        if (rc == 0)
            rc = plan_write(store, partners, port, act, news, plan, err);
        if (rc < 0)
            return rc;
        count->plans++;
    }
}

int exchange_write(struct store *store, const struct partners *partners, struct port *port,
                   const struct task_act *act, const struct exchange_watch *watch,
                   struct exchange_count *count, struct error *err)
{
    struct arena arena;
    struct task *tasks;
    size_t task_count = 0;
    struct error own;
    struct task_filter filter = TASK_FILTER_OPEN;
    filter.unsent = true;
    filter.closed = true; /* cancelled ones must be told, too */
    if (!err)
        err = &own;
    arena_init(&arena, 0);
    int rc = task_list(store, &filter, &arena, &tasks, &task_count, err);
    for (size_t i = 0; rc == 0 && i < task_count; i++) {
        char name[PARTNERS_NAME_BYTES];
        rc = task_write(store, partners, port, act, &tasks[i], name, err);
        if (rc == 0) {
            count->written++;
            if (watch && watch->wrote)
                watch->wrote(watch->data, name, &tasks[i]);
        } else if (error_class_of(rc) == ERROR_CLASS_INPUT) { /* one request's trouble stops no other */
            count->unwritten++;
            if (watch && watch->unwritten)
                watch->unwritten(watch->data, &tasks[i], err->message);
            rc = 0;
        }
    }
    arena_finish(&arena);
    for (size_t i = 0; rc == 0 && i < sizeof plan_news / sizeof plan_news[0]; i++)
        rc = plans_write(store, partners, port, act, &plan_news[i], count, err);
    return rc;
}

int exchange_run(struct store *store, const struct partners *partners, struct port *port,
                 const struct task_act *act, const struct exchange_watch *watch,
                 struct exchange_count *ret_count, struct error *err)
{
    struct exchange_count count = {0};
    /* Answers first: what was answered needs no reminder. */
    int rc = exchange_read(store, partners, port, act, watch, &count, err);
    if (rc == 0 && watch && watch->between)
        rc = watch->between(watch->data, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc == 0)
        rc = task_escalate(store, act, &count.raised, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    if (rc == 0)
        rc = exchange_write(store, partners, port, act, watch, &count, err);
    *ret_count = count;
    return rc;
}
