/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving out a number (C1). The job's pouch comes from the signed text, each of its items gets a bay, and
 * fill, items and the machine's next number become durable together. A job that cannot be made is set aside
 * with the reason, and the next one is tried: the rest of the batch does not wait for one canister.
 */
#include "controller/pack/fills_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/token.h"
#include "controller/pack/trust_private.h"
#include "controller/plan/plan_text.h"
#include "controller/stock/content.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

enum { LOT_BYTES = 64 };

struct pick {
    int64_t canister;
    int64_t bay;
    char lot[LOT_BYTES];
};

/*
 * The canister that a dose comes from: of this product and piece, in this machine, not past its expiry on the
 * day the pouch is for, with enough pieces that no open fill has claimed, in a bay that is not locked (a load
 * after the lock opens it), and read by the machine at that very seat. Shortest expiry first, then the lowest
 * number. E_NOT_FOUND when there is none.
 */
static const char pick_sql[] =
    "SELECT c.id, c.bay, c.lot FROM canister c"
    " WHERE c.machine = ? AND c.product_code = ? AND c.piece = ? AND c.expiry_day >= ? AND c.bay < ?"
    " AND c.level - (SELECT coalesce(sum(i.requested), 0) FROM fill f JOIN fill_item i ON i.fill_id = f.id"
    "   WHERE f.serial = ? AND f.state = 'intended' AND i.canister_id = c.id) >= ?"
    " AND NOT " FILLS_LOCKED_SQL("c.machine", "c.bay", "c.id") " ORDER BY c.expiry_day, c.id";

/* What stands in the books of a canister is what the chain says of its load, and by the law of the place its
 * pieces may still be used on the day that the pouch is for. */
static int content_check(struct store *store, int64_t canister, int days, int32_t day, bool *ret_fresh,
                         struct error *err)
{
    int32_t since = CIVIL_DAY_NONE;
    int rc = content_verify(store, canister, err);
    if (rc == 0 && days > 0)
        rc = content_since(store, canister, &since, err);
    *ret_fresh = since == CIVIL_DAY_NONE || day <= since + days;
    return rc;
}

static int pick_canister(struct store *store, const struct fills_line *line, const struct plan_item *item,
                         int32_t day, int days, struct pick *ret_pick, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t wrong_bay = -1, wanted = 0;
    bool found = false;
    int rc = store_query(store, &rows, err, pick_sql, "tttiiti", line->machine, item->code,
                         roll_piece_text(item->piece), (int64_t)day, (int64_t)line->bays, line->serial,
                         (int64_t)item->count);
    while (rc == 0 && !found && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        ret_pick->canister = store_int(rows, 0);
        ret_pick->bay = store_int(rows, 1);
        (void)snprintf(ret_pick->lot, sizeof ret_pick->lot, "%s", store_text(rows, 2)); /* lots are short */
        bool seated = line->seated[ret_pick->bay] == ret_pick->canister, fresh = true;
        if (seated)
            rc = content_check(store, ret_pick->canister, days, day, &fresh, err);
        found = seated && fresh;
        if (!seated && wrong_bay < 0) {
            wrong_bay = ret_pick->bay;
            wanted = ret_pick->canister;
        }
    }
    store_done(rows);
    if (rc < 0 || found)
        return rc;
    if (wrong_bay >= 0)
        return error_set(err, E_NOT_FOUND,
                         "%s (%s): the books have canister %" PRId64 " in bay %" PRId64
                         ", the machine reads %" PRIu32 " there",
                         item->code, roll_piece_text(item->piece), wanted, wrong_bay,
                         line->seated[wrong_bay]);
    return error_set(err, E_NOT_FOUND, "no canister of %s (%s) with %d in an open bay", item->code,
                     roll_piece_text(item->piece), item->count);
}

struct wanted_job {
    int64_t id;
    int64_t position;
    int64_t fills;     /* earlier attempts */
    int64_t last_void; /* fill id, 0 none */
};

/* 1: there is a waiting job, 0: none. */
static int next_job(struct store *store, int64_t batch, struct wanted_job *ret_job, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err,
                    "SELECT j.id, j.position, (SELECT count(*) FROM fill f WHERE f.job_id = j.id),"
                    " (SELECT coalesce(max(f.id), 0) FROM fill f WHERE f.job_id = j.id AND f.state = 'void')"
                    " FROM job j WHERE j.batch_id = ? AND j.state = 'waiting' ORDER BY j.position LIMIT 1",
                    "i", batch);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        *ret_job = (struct wanted_job){store_int(rows, 0), store_int(rows, 1), store_int(rows, 2),
                                       store_int(rows, 3)};
    store_done(rows);
    return rc;
}

static int block_job(struct store *store, int64_t job, const char *why, int64_t wall_ms, struct error *err)
{
    char subject[32];
    (void)snprintf(subject, sizeof subject, "job:%" PRId64, job); /* always fits */
    int rc = fills_move(store, job, JOB_WAITING, JOB_EVENT_UNMAKEABLE, why, err);
    if (rc == 0)
        rc = audit_add(store, wall_ms, "sachetd", "job.block", subject, "{}", err);
    return rc;
}

static int insert_fill(struct store *store, const struct fills_line *line, int64_t batch,
                       const struct wanted_job *job, const struct plan_pouch *pouch, const struct pick *picks,
                       int64_t wall_ms, struct error *err)
{
    uint8_t hash[PLAN_HASH_BYTES];
    plan_pouch_hash(pouch->line, pouch->line_len, hash);
    int64_t hash32 = (int64_t)hash[0] << 24 | hash[1] << 16 | hash[2] << 8 | hash[3];
    char token[TOKEN_BYTES];
    if (!token_format(batch, job->position, job->fills, token) ||
        ((line->caps & MACHINE_CAP_SIMULATED) && !token_mark_simulated(token)))
        return error_set(err, E_LIMIT, "batch %" PRId64 ": the pouch number does not fit its 32 characters",
                         batch);
    int64_t seq = 0, fill = 0;
    int rc =
        store_get_int(store, &seq, err, "SELECT next_seq FROM machine WHERE serial = ?", "t", line->serial);
    if (rc == 0 && seq > UINT32_MAX - 1)
        rc = error_set(err, E_LIMIT, "machine %s: its numbers are used up", line->serial);
    if (rc == 0 && job->last_void)
        rc = store_insert(
            store, err, &fill,
            "INSERT INTO fill (serial, seq, job_id, job_hash, token, state, remake_of, intended_ms)"
            " VALUES (?, ?, ?, ?, ?, 'intended', ?, ?)",
            "tiiitii", line->serial, seq, job->id, hash32, token, job->last_void, wall_ms);
    else if (rc == 0)
        rc = store_insert(store, err, &fill,
                          "INSERT INTO fill (serial, seq, job_id, job_hash, token, state, intended_ms)"
                          " VALUES (?, ?, ?, ?, ?, 'intended', ?)",
                          "tiiiti", line->serial, seq, job->id, hash32, token, wall_ms);
    for (size_t i = 0; i < pouch->item_count && rc == 0; i++) {
        const struct plan_item *item = &pouch->items[i];
        rc = store_exec(store, err,
                        "INSERT INTO fill_item (fill_id, entry, bay, canister_id, product_code, piece, lot,"
                        " requested) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        "iiiittti", fill, (int64_t)i, picks[i].bay, picks[i].canister, item->code,
                        roll_piece_text(item->piece), picks[i].lot, (int64_t)item->count);
        /* The pick found it open although a lock is noted: it was loaded since. */
        if (rc == 0)
            rc = store_exec(store, err,
                            "UPDATE bay SET locked = 0, bad_run = 0, note = '' WHERE machine = ? AND bay = ?"
                            " AND locked = 1",
                            "ti", line->machine, picks[i].bay);
    }
    if (rc == 0)
        rc = fills_move(store, job->id, JOB_WAITING, JOB_EVENT_INTENDED, "", err);
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE machine SET next_seq = next_seq + 1 WHERE serial = ?", "t",
                        line->serial);
    return rc;
}

int fills_intend(struct store *store, const struct fills_line *line, struct trust *trust, int64_t batch,
                 int64_t wall_ms, enum fills_intended *ret_intended, struct error *err)
{
    struct wanted_job job = {0};
    int rc = next_job(store, batch, &job, err);
    if (rc == 0)
        *ret_intended = FILLS_NO_JOB;
    if (rc <= 0)
        return rc;
    const struct plan_pouch *pouch = NULL;
    struct pick picks[MACHINE_ENTRIES_MAX];
    struct error why = {0};
    rc = trust_job(trust, store, job.id, &pouch, &why);
    if (rc == 0 && (pouch->item_count == 0 || pouch->item_count > line->entries_max))
        rc = error_set(&why, E_LIMIT, "%zu entries in one pouch, machine %s takes %u", pouch->item_count,
                       line->machine, line->entries_max);
    for (size_t i = 0; rc == 0 && i < pouch->item_count; i++)
        rc = pick_canister(store, line, &pouch->items[i], pouch->day, trust_canister_days(trust), &picks[i],
                           &why);
    if (rc < 0 && error_class_of(rc) == ERROR_CLASS_INPUT) {
        *ret_intended = FILLS_BLOCKED;
        return block_job(store, job.id, why.message, wall_ms, err);
    }
    if (rc < 0)
        return error_set(err, rc, "%s", why.message);
    rc = insert_fill(store, line, batch, &job, pouch, picks, wall_ms, err);
    if (rc == 0)
        *ret_intended = FILLS_INTENDED;
    return rc;
}
