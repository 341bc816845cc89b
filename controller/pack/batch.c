/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/pack/alarm.h"
#include "controller/pack/trust_private.h"
#include "controller/plan/plan_text.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

enum { NEEDS_MAX = 1024 };

/* ---- which plans ---- */

/* Something of the plan is not made and not wanted by a batch that lives. */
#define PLAN_OPEN_SQL                                                                            \
    "p.state = 'signed' AND p.pouches > (SELECT count(*) FROM job j WHERE j.plan_id = p.id"      \
    " AND j.state <> 'cancelled') + (SELECT count(*) FROM withdrawn w WHERE w.plan_id = p.id"    \
    " AND NOT EXISTS (SELECT 1 FROM job j WHERE j.plan_id = w.plan_id AND j.pouch = w.pouch AND" \
    " j.state <> 'cancelled')) + (SELECT count(*) FROM pouch_kept k WHERE k.plan_id = p.id)"

static int open_plans(struct store *store, struct arena *arena, int64_t **ret_ids, size_t *ret_count,
                      struct error *err)
{
    int64_t *ids = arena_array(arena, BATCH_PLANS_MAX, sizeof *ids);
    if (!ids)
        return error_set(err, E_MEMORY, "no memory for the plans of a batch");
    size_t count = 0;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT p.id FROM plan p JOIN patient a ON a.id = p.patient_id WHERE " PLAN_OPEN_SQL
                         " ORDER BY a.name, a.source_id, p.version",
                         "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        if (count == BATCH_PLANS_MAX)
            rc = error_set(err, E_LIMIT, "more than %d plans in one batch; name the patients",
                           BATCH_PLANS_MAX);
        else
            ids[count++] = store_int(rows, 0);
    }
    store_done(rows);
    *ret_ids = ids;
    *ret_count = count;
    return rc;
}

/* The signed plans of one patient that have something to make, by day; the newest one when none has. */
static int patient_plans(struct store *store, const char *patient, int64_t *ids, size_t *count,
                         struct error *err)
{
    struct store_rows *rows = NULL;
    size_t before = *count;
    int status = store_query(store, &rows, err,
                             "SELECT p.id FROM plan p JOIN patient a ON a.id = p.patient_id WHERE "
                             "a.source_id = ?1 AND p.state = 'signed' AND (" PLAN_OPEN_SQL
                             " OR p.version = (SELECT max(version) FROM plan n WHERE n.patient_id = a.id AND "
                             "n.state = 'signed')) ORDER BY p.start_day, p.version",
                             "t", patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        if (*count == BATCH_PLANS_MAX)
            status = error_set(err, E_LIMIT, "more than %d plans in one batch", BATCH_PLANS_MAX);
        else
            ids[(*count)++] = store_int(rows, 0);
    }
    store_done(rows);
    if (status == 0 && more == 0 && *count == before)
        status =
            error_set(err, E_NOT_FOUND, "%s: no signed plan; plan, review and approve it first", patient);
    return status < 0 ? status : more;
}

/* Those of each patient that was named, in that order. */
static int named_plans(struct store *store, const struct batch_request *request, struct arena *arena,
                       int64_t **ret_ids, size_t *ret_count, struct error *err)
{
    if (request->patient_count > BATCH_PLANS_MAX)
        return error_set(err, E_LIMIT, "more than %d patients in one batch", BATCH_PLANS_MAX);
    int64_t *ids = arena_array(arena, BATCH_PLANS_MAX, sizeof *ids);
    size_t count = 0;
    if (!ids)
        return error_set(err, E_MEMORY, "no memory for the plans of a batch");
    for (size_t i = 0; i < request->patient_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(request->patients[k], request->patients[i]) == 0)
                return error_set(err, E_ARG, "%s: named twice", request->patients[i]);
        }
        int rc = patient_plans(store, request->patients[i], ids, &count, err);
        if (rc < 0)
            return rc;
    }
    *ret_ids = ids;
    *ret_count = count;
    return 0;
}

/* ---- what they need ---- */

struct work {
    struct store *store;
    const struct batch_request *request;
    struct arena *arena;
    struct trust *trust;
    struct batch_created created;
    struct batch_need *needs;
    int32_t last_day;
    int64_t position;
};

static int add_need(struct work *w, const struct plan_item *item, struct error *err)
{
    size_t at = 0;
    for (; at < w->created.need_count; at++) {
        int order = strcmp(w->needs[at].code, item->code);
        if (order == 0 && w->needs[at].piece == item->piece) {
            w->needs[at].pieces += item->count;
            return 0;
        }
        if (order > 0 || (order == 0 && w->needs[at].piece > item->piece))
            break;
    }
    if (w->created.need_count == NEEDS_MAX)
        return error_set(err, E_LIMIT, "more than %d products in one batch; name fewer patients", NEEDS_MAX);
    const char *code = arena_text(w->arena, item->code, strlen(item->code));
    if (!code)
        return error_set(err, E_MEMORY, "no memory for the needs of a batch");
    memmove(&w->needs[at + 1], &w->needs[at], (w->created.need_count - at) * sizeof w->needs[0]);
    w->needs[at] = (struct batch_need){.code = code, .piece = item->piece, .pieces = item->count};
    w->created.need_count++;
    return 0;
}

/* Fills in what the machine has; E_NOT_FOUND when something has no canister at all. */
static int check_needs(struct work *w, struct error *err)
{
    const struct batch_need *missing = NULL;
    int missing_count = 0;
    for (size_t i = 0; i < w->created.need_count; i++) {
        struct batch_need *need = &w->needs[i];
        struct store_rows *rows = NULL;
        int rc = store_query(
            w->store, &rows, err,
            "SELECT count(*), coalesce(sum(max(level, 0)), 0) FROM canister WHERE machine = ?"
            " AND product_code = ? AND piece = ? AND expiry_day >= ?",
            "ttti", w->request->machine, need->code, roll_piece_text(need->piece), (int64_t)w->last_day);
        if (rc == 0)
            rc = store_next(rows, err);
        if (rc == 1) {
            need->canisters = store_int(rows, 0);
            need->available = store_int(rows, 1);
        }
        store_done(rows);
        if (rc < 0)
            return rc;
        if (need->available < need->pieces)
            w->created.short_count++;
        if (need->canisters == 0 && missing_count++ == 0)
            missing = need;
    }
    if (missing)
        return error_set(
            err, E_NOT_FOUND,
            "machine %s has no canister of %s (%s)%s; load it ('sachet stock load', 'sachet stock "
            "seat') or leave its patients out",
            w->request->machine, missing->code, roll_piece_text(missing->piece),
            missing_count > 1 ? " and of others" : "");
    return 0;
}

/* ---- writing ---- */

static int insert_job(struct work *w, int64_t plan, const struct plan_pouch *pouch, struct error *err)
{
    uint8_t hash[PLAN_HASH_BYTES];
    plan_pouch_hash(pouch->line, pouch->line_len, hash);
    char *line = arena_text(w->arena, pouch->line, pouch->line_len);
    if (!line)
        return error_set(err, E_MEMORY, "no memory for a pouch");
    return store_exec(w->store, err,
                      "INSERT INTO job (batch_id, position, plan_id, pouch, pouch_line, pouch_hash, state)"
                      " VALUES (?, ?, ?, ?, ?, ?, 'waiting')",
                      "iiiitb", w->created.id, w->position, plan, (int64_t)pouch->number, line, hash,
                      sizeof hash);
}

/* Made or wanted by a batch that lives, withdrawn for good, or served by a pouch that an earlier plan made.
 */
static int is_settled(struct work *w, int64_t plan, const struct plan_pouch *pouch, bool *ret_settled,
                      struct error *err)
{
    int64_t rows = 0;
    int rc = store_get_int(
        w->store, &rows, err,
        "SELECT (SELECT count(*) FROM job WHERE plan_id = ?1 AND pouch = ?2 AND state <> 'cancelled')"
        " + (SELECT count(*) FROM withdrawn WHERE plan_id = ?1 AND pouch = ?2)"
        " + (SELECT count(*) FROM pouch_kept WHERE plan_id = ?1 AND pouch = ?2)",
        "ii", plan, (int64_t)pouch->number);
    *ret_settled = rows > 0;
    return rc;
}

static int add_plan(struct work *w, int64_t plan_id, struct error *err)
{
    const struct plan_text *plan = NULL;
    int64_t before = w->created.pouches;
    int rc = trust_plan(w->trust, w->store, plan_id, &plan, err);
    for (size_t i = 0; rc == 0 && i < plan->pouch_count; i++) {
        const struct plan_pouch *pouch = &plan->pouches[i];
        bool settled = false;
        rc = is_settled(w, plan_id, pouch, &settled, err);
        if (rc < 0 || settled)
            continue;
        if (++w->created.pouches > BATCH_POUCHES_MAX)
            return error_set(err, E_LIMIT, "more than %d pouches in one batch; name fewer patients",
                             BATCH_POUCHES_MAX);
        w->position++;
        if (pouch->day > w->last_day)
            w->last_day = pouch->day;
        for (size_t k = 0; rc == 0 && k < pouch->item_count; k++) {
            w->created.pieces += pouch->items[k].count;
            rc = add_need(w, &pouch->items[k], err);
        }
        if (rc == 0)
            rc = insert_job(w, plan_id, pouch, err);
    }
    if (rc == 0 && w->created.pouches > before) {
        w->created.plans++;
        rc =
            store_exec(w->store, err, "INSERT INTO batch_plan (batch_id, position, plan_id) VALUES (?, ?, ?)",
                       "iii", w->created.id, w->created.plans, plan_id);
    }
    return rc;
}

static int write_batch(struct work *w, const int64_t *plans, size_t count, struct error *err)
{
    int rc =
        store_insert(w->store, err, &w->created.id,
                     "INSERT INTO batch (machine, state, created_by, created_ms) VALUES (?, 'created', ?, ?)",
                     "tti", w->request->machine, w->request->actor, w->request->wall_ms);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_plan(w, plans[i], err);
    if (rc == 0 && w->created.pouches == 0)
        rc = error_set(err, E_EXISTS,
                       "nothing to pack: every signed pouch is made, stands in a batch or was withdrawn");
    if (rc == 0)
        rc = check_needs(w, err);
    char subject[32], detail[96];
    (void)snprintf(subject, sizeof subject, "batch:%" PRId64, w->created.id); /* both always fit */
    (void)snprintf(detail, sizeof detail, "{\"plans\":%" PRId64 ",\"pouches\":%" PRId64 "}", w->created.plans,
                   w->created.pouches);
    if (rc == 0)
        rc =
            audit_add(w->store, w->request->wall_ms, w->request->actor, "batch.create", subject, detail, err);
    return rc;
}

int batch_create(struct store *store, const struct batch_request *request, struct arena *arena,
                 struct batch_created *ret_created, struct error *err)
{
    struct work w = {.store = store, .request = request, .arena = arena, .last_day = INT32_MIN};
    w.needs = arena_array(arena, NEEDS_MAX + 1, sizeof w.needs[0]);
    w.created.needs = w.needs;
    w.trust = trust_create(request->rules, err);
    if (!w.needs || !w.trust) {
        trust_destroy(w.trust);
        return error_set(err, E_MEMORY, "no memory for a batch");
    }
    int64_t *plans = NULL;
    size_t count = 0;
    int rc = store_write_begin(store, err);
    if (rc == 0)
        rc = request->patients ? named_plans(store, request, arena, &plans, &count, err)
                               : open_plans(store, arena, &plans, &count, err);
    if (rc == 0)
        rc = write_batch(&w, plans, count, err);
    if (rc == 0 && !request->dry_run)
        rc = store_write_commit(store, err);
    store_write_rollback(store); /* nothing after a commit */
    trust_destroy(w.trust);
    if (rc < 0 || request->dry_run)
        w.created.id = 0;
    if (rc == 0 || rc == E_NOT_FOUND)
        *ret_created = w.created;
    return rc;
}

/* ---- asking ---- */

static int ask(struct store *store, const char *machine, int64_t batch, const char *verb, const char *actor,
               int64_t wall_ms, int64_t *ret_command, struct error *err)
{
    int rc = store_write_begin(store, err);
    if (rc == 0 && batch)
        rc = store_insert(
            store, err, ret_command,
            "INSERT INTO command (machine, batch_id, verb, actor, asked_ms) VALUES (?, ?, ?, ?, ?)", "titti",
            machine, batch, verb, actor, wall_ms);
    else if (rc == 0)
        rc = store_insert(store, err, ret_command,
                          "INSERT INTO command (machine, verb, actor, asked_ms) VALUES (?, ?, ?, ?)", "ttti",
                          machine, verb, actor, wall_ms);
    char subject[BATCH_NAME_BYTES + 16], action[48];
    if (batch)
        (void)snprintf(subject, sizeof subject, "batch:%" PRId64, batch); /* all of these fit */
    else
        (void)snprintf(subject, sizeof subject, "machine:%s", machine);
    (void)snprintf(action, sizeof action, "command.%s", verb);
    if (rc == 0)
        rc = audit_add(store, wall_ms, actor, action, subject, "{}", err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store); /* nothing after a commit */
    return rc;
}

int batch_ask(struct store *store, int64_t batch, const char *verb, const char *actor, int64_t wall_ms,
              int64_t *ret_command, struct error *err)
{
    struct batch_info info;
    int rc = batch_get(store, batch, &info, err);
    if (rc == 0 && (strcmp(info.state, "done") == 0 || strcmp(info.state, "cancelled") == 0))
        rc = error_set(err, E_STATE, "batch %" PRId64 " is %s; there is nothing left to %s", batch,
                       info.state, verb);
    return rc < 0 ? rc : ask(store, info.machine, batch, verb, actor, wall_ms, ret_command, err);
}

int machine_ask(struct store *store, const char *machine, const char *verb, const char *actor,
                int64_t wall_ms, int64_t *ret_command, struct error *err)
{
    return ask(store, machine, 0, verb, actor, wall_ms, ret_command, err);
}

int command_result(struct store *store, int64_t command, char ret_result[BATCH_NOTE_BYTES], struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err,
                    "SELECT result FROM command WHERE id = ? AND taken_ms IS NOT NULL AND result IS NOT NULL",
                    "i", command);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        (void)snprintf(ret_result, BATCH_NOTE_BYTES, "%s", store_text(rows, 0)); /* our own sentences */
    store_done(rows);
    return rc;
}

int bay_unlock(struct store *store, const char *machine, int bay, const char *actor, int64_t wall_ms,
               struct error *err)
{
    char subject[BATCH_NAME_BYTES + 32];
    (void)snprintf(subject, sizeof subject, "bay:%s/%d", machine, bay); /* names are bounded */
    int rc = store_write_begin(store, err);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE bay SET locked = 0, bad_run = 0, note = '', changed_ms = ? WHERE machine = ?"
                        " AND bay = ? AND locked = 1",
                        "iti", wall_ms, machine, (int64_t)bay);
    if (rc == 0 && store_changes(store) == 0)
        rc = error_set(err, E_NOT_FOUND, "bay %d of %s is not locked", bay, machine);
    if (rc == 0)
        rc = alarm_clear(store, machine, ALARM_BAY_LOCKED + bay, wall_ms, err);
    if (rc == 0)
        rc = audit_add(store, wall_ms, actor, "bay.unlock", subject, "{}", err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store); /* nothing after a commit */
    return rc;
}
