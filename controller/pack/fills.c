/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/fills_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/pack/alarm.h"
#include "controller/pack/token.h"
#include "controller/pack/trust_private.h"
#include "controller/plan/plan_text.h"
#include "controller/stock/doubt.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

static const char actor[] = "sachetd";

/* ---- the machine's numbers ---- */

int fills_book_read(struct store *store, const char *serial, struct fills_book *ret_book, struct error *err)
{
    struct fills_book book = {0};
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err,
                    "SELECT session, next_seq, retired, boot FROM machine WHERE serial = ?", "t", serial);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        book.session = (uint32_t)store_int(rows, 0);
        book.issued = (uint32_t)(store_int(rows, 1) - 1);
        book.recorded = (uint32_t)store_int(rows, 2);
        book.boot = (uint32_t)store_int(rows, 3);
    }
    store_done(rows);
    if (rc == 0)
        return error_set(err, E_NOT_FOUND, "machine %s is not in the store", serial);
    if (rc < 0)
        return rc;
    rows = NULL;
    rc = store_query(store, &rows, err,
                     "SELECT coalesce(min(f.seq), 0), coalesce(max(f.seq), 0) FROM fill f"
                     " JOIN job j ON j.id = f.job_id JOIN batch b ON b.id = j.batch_id"
                     " WHERE f.serial = ? AND f.seq > ? AND (f.state = 'void' OR " UNWANTED_SQL ")",
                     "ti", serial, (int64_t)book.recorded);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        book.cancel_from = (uint32_t)store_int(rows, 0);
        book.cancel_to = (uint32_t)store_int(rows, 1);
    }
    store_done(rows);
    if (rc < 0)
        return rc;
    *ret_book = book;
    return 0;
}

int fills_enrol(struct store *store, const struct fills_line *line, uint32_t beyond, int64_t wall_ms,
                struct fills_book *ret_book, struct error *err)
{
    int64_t simulated = (line->caps & MACHINE_CAP_SIMULATED) != 0;
    int rc = store_exec(store, err,
                        "INSERT INTO machine (serial, name, simulated, session, next_seq, retired, boot,"
                        " seen_ms) VALUES (?, ?, ?, 0, 1, 0, 0, ?) ON CONFLICT (serial) DO NOTHING",
                        "ttii", line->serial, line->machine, simulated, wall_ms);
    bool first = rc == 0 && store_changes(store) > 0;
    if (rc == 0 && first)
        rc = audit_add(store, wall_ms, actor, "machine.new", line->serial, "{}", err);
    if (rc == 0)
        rc = store_exec(
            store, err,
            "UPDATE machine SET session = max(session, ?) + 1, name = ?, simulated = ?, seen_ms = ?"
            " WHERE serial = ?",
            "itiit", (int64_t)beyond, line->machine, simulated, wall_ms, line->serial);
    if (rc == 0)
        rc = fills_book_read(store, line->serial, ret_book, err);
    if (rc == 0)
        ret_book->first = first;
    return rc;
}

int fills_seen(struct store *store, const struct fills_line *line, uint32_t boot, int64_t wall_ms,
               struct error *err)
{
    return store_exec(store, err, "UPDATE machine SET boot = ?, seen_ms = ? WHERE serial = ?", "iit",
                      (int64_t)boot, wall_ms, line->serial);
}

int fills_misplaced(struct store *store, const struct fills_line *line, uint32_t started, uint32_t *ret_from,
                    uint32_t *ret_to, struct error *err)
{
    uint32_t from = 0, to = 0;
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT f.seq, i.bay, i.canister_id, " FILLS_LOCKED_SQL(
            "?3", "i.bay",
            "i.canister_id") " FROM fill f JOIN fill_item i ON i.fill_id = f.id"
                             " WHERE f.serial = ?1 AND f.state = 'intended' AND f.seq > ?2 ORDER BY f.seq",
        "tit", line->serial, (int64_t)started, line->machine);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        int64_t bay = store_int(rows, 1);
        rc = 0;
        bool locked = store_int(rows, 3) != 0;
        if (bay < line->bays && line->seated[bay] == store_int(rows, 2) && !locked)
            continue;
        to = (uint32_t)store_int(rows, 0);
        from = from ? from : to;
    }
    store_done(rows);
    if (rc < 0)
        return rc;
    *ret_from = from;
    *ret_to = to;
    return 0;
}

/* ---- what a number stands for ---- */

static int find_fill(struct store *store, const char *serial, uint32_t seq, int64_t *ret_fill,
                     uint32_t *ret_hash, char ret_token[MACHINE_TOKEN_BYTES], struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err, "SELECT id, job_hash, token FROM fill WHERE serial = ? AND seq = ?",
                    "ti", serial, (int64_t)seq);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        *ret_fill = store_int(rows, 0);
        *ret_hash = (uint32_t)store_int(rows, 1);
        (void)snprintf(ret_token, MACHINE_TOKEN_BYTES, "%s", store_text(rows, 2)); /* token_format's bound */
    }
    store_done(rows);
    if (rc == 0)
        return error_set(err, E_NOT_FOUND, "machine %s: number %" PRIu32 " is not in the store", serial, seq);
    return rc < 0 ? rc : 0;
}

int fills_job(struct store *store, const char *serial, uint32_t seq, struct machine_job *ret_job,
              struct error *err)
{
    struct machine_job job = {.seq = seq};
    int64_t fill = 0;
    int rc = find_fill(store, serial, seq, &fill, &job.hash, job.token, err);
    if (rc < 0)
        return rc;
    struct store_rows *rows = NULL;
    rc = store_query(store, &rows, err,
                     "SELECT bay, requested FROM fill_item WHERE fill_id = ? ORDER BY entry", "i", fill);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        if (job.entry_count == MACHINE_ENTRIES_MAX) {
            rc = error_set(err, E_LIMIT, "fill %" PRId64 " has more than %d entries", fill,
                           MACHINE_ENTRIES_MAX);
            break;
        }
        job.entries[job.entry_count].bay = (uint16_t)store_int(rows, 0);
        job.entries[job.entry_count].count = (uint16_t)store_int(rows, 1);
        job.entry_count++;
        rc = 0;
    }
    store_done(rows);
    if (rc == 0)
        *ret_job = job;
    return rc;
}

int fills_expected(struct store *store, const char *serial, uint32_t seq,
                   struct outcome_expected *ret_expected, struct error *err)
{
    struct machine_job job;
    int rc = fills_job(store, serial, seq, &job, err);
    if (rc < 0)
        return rc;
    *ret_expected = (struct outcome_expected){.seq = seq, .hash = job.hash, .entry_count = job.entry_count};
    for (size_t i = 0; i < job.entry_count; i++)
        ret_expected->requested[i] = job.entries[i].count;
    return 0;
}

/* ---- results ---- */

struct fill_row {
    int64_t id;
    int64_t job;
    int64_t batch;
    bool unwanted; /* its batch was cancelled or its pouch withdrawn */
    char token[MACHINE_TOKEN_BYTES];
    bool replaced; /* void since another machine took this one's place (fills_replace) */
};

static int read_fill_row(struct store *store, const char *serial, uint32_t seq, struct fill_row *ret_row,
                         struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT f.id, j.id, b.id, " UNWANTED_SQL ", f.state = 'void', f.token FROM fill f"
                         " JOIN job j ON j.id = f.job_id JOIN batch b ON b.id = j.batch_id"
                         " WHERE f.serial = ? AND f.seq = ?",
                         "ti", serial, (int64_t)seq);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        *ret_row = (struct fill_row){.id = store_int(rows, 0),
                                     .job = store_int(rows, 1),
                                     .batch = store_int(rows, 2),
                                     .unwanted = store_int(rows, 3) != 0,
                                     .replaced = store_int(rows, 4) != 0};
        (void)snprintf(ret_row->token, sizeof ret_row->token, "%s", store_text(rows, 5)); /* bounded there */
    }
    store_done(rows);
    if (rc == 0)
        return error_set(err, E_NOT_FOUND, "machine %s: number %" PRIu32 " is not in the store", serial, seq);
    return rc < 0 ? rc : 0;
}

/* The last pouch begun before seq had a late drop: its pill may lie in this one. */
static int read_late_before(struct store *store, const char *serial, uint32_t seq, bool *ret_late,
                            struct error *err)
{
    int64_t checks = 0;
    int rc = store_get_int(store, &checks, err,
                           "SELECT coalesce(checks, 0) FROM fill WHERE serial = ? AND seq < ?"
                           " AND state IN ('good', 'void') ORDER BY seq DESC LIMIT 1",
                           "ti", serial, (int64_t)seq);
    *ret_late = rc == 0 && (checks & MACHINE_CHECK_LATE_DROP) != 0;
    return rc == E_NOT_FOUND ? 0 : rc;
}

static int lock_bay(struct store *store, const struct fills_line *line, int64_t fill, int64_t batch,
                    int64_t bay, const char *why, int64_t wall_ms, struct error *err)
{
    char text[128], evidence[64];
    (void)snprintf(text, sizeof text, "bay %" PRId64 " is locked: %s", bay, why); /* cut, never overrun */
    (void)snprintf(evidence, sizeof evidence, "{\"bay\":%" PRId64 "}", bay);
    int rc = store_exec(store, err, "UPDATE bay SET locked = 1, note = ? WHERE machine = ? AND bay = ?",
                        "tti", why, line->machine, bay);
    const struct alarm_event event = {.machine = line->machine,
                                      .number = ALARM_BAY_LOCKED + (int)bay,
                                      .text = text,
                                      .batch = batch,
                                      .fill = fill,
                                      .evidence = evidence,
                                      .wall_ms = wall_ms};
    if (rc == 0)
        rc = alarm_raise(store, &event, err);
    if (rc == 0)
        rc = audit_add(store, wall_ms, actor, "bay.lock", line->machine, evidence, err);
    return rc;
}

/* Counts wrong counts of a bay in a row; locks it at the limit, or at once when the canister is empty. */
static int judge_bay(struct store *store, const struct fills_line *line, const struct machine_result *result,
                     size_t entry, const struct fill_row *fill, int64_t wall_ms, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t bay = 0, canister = 0;
    int rc = store_query(store, &rows, err,
                         "SELECT bay, canister_id FROM fill_item WHERE fill_id = ? AND entry = ?", "ii",
                         fill->id, (int64_t)entry);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        bay = store_int(rows, 0);
        canister = store_int(rows, 1);
    }
    store_done(rows);
    if (rc < 0)
        return rc;
    if (!outcome_blames_bay(result, entry)) {
        if (result->entries[entry].counted != result->entries[entry].requested)
            return 0; /* the pouch was cut off: says nothing of the bay */
        return store_exec(store, err,
                          "UPDATE bay SET bad_run = 0 WHERE machine = ? AND bay = ? AND bad_run > 0", "ti",
                          line->machine, bay);
    }
    rc = store_exec(store, err,
                    "INSERT INTO bay (machine, bay, canister_id, bad_run, locked, note, changed_ms)"
                    " VALUES (?, ?, ?, 1, 0, '', ?) ON CONFLICT (machine, bay) DO UPDATE SET"
                    " bad_run = CASE canister_id WHEN excluded.canister_id THEN bad_run + 1 ELSE 1 END,"
                    " locked = CASE canister_id WHEN excluded.canister_id THEN locked ELSE 0 END,"
                    " canister_id = excluded.canister_id, changed_ms = excluded.changed_ms",
                    "tiii", line->machine, bay, canister, wall_ms);
    if (rc < 0)
        return rc;
    int64_t run = 0;
    rc = store_get_int(store, &run, err,
                       "SELECT bad_run FROM bay WHERE machine = ? AND bay = ? AND locked = 0", "ti",
                       line->machine, bay);
    if (rc == E_NOT_FOUND)
        return 0; /* locked already */
    if (rc == 0 && result->reason == MACHINE_REASON_EMPTY)
        return lock_bay(store, line, fill->id, fill->batch, bay, "canister empty", wall_ms, err);
    if (rc == 0 && run >= line->bad_counts_max)
        return lock_bay(store, line, fill->id, fill->batch, bay, "wrong counts in a row", wall_ms, err);
    return rc;
}

/* What the books cannot know of an entry that nobody vouches for. */
static int open_doubt(struct store *store, const struct machine_result *result, size_t entry,
                      const struct fill_row *fill, const char *why, int64_t wall_ms, struct error *err)
{
    const struct doubt doubt =
        doubt_of_entry(result->entries[entry].requested, result->entries[entry].counted);
    int64_t canister = 0;
    int rc = store_get_int(store, &canister, err,
                           "SELECT canister_id FROM fill_item WHERE fill_id = ? AND entry = ?", "ii",
                           fill->id, (int64_t)entry);
    return rc < 0 ? rc : doubt_open(store, canister, fill->id, (int)entry, &doubt, why, wall_ms, err);
}

static int record_items(struct store *store, const struct fills_line *line,
                        const struct machine_result *result, const struct fill_row *fill,
                        enum outcome_verdict verdict, const char *reason, int64_t wall_ms, struct error *err)
{
    const char *kind = verdict == OUTCOME_GOOD ? "packed" : "voided";
    bool vouched = verdict == OUTCOME_GOOD || outcome_is_vouched(result, line->caps);
    int rc =
        fill->replaced || verdict == OUTCOME_CANCELLED ? doubt_settle_fill(store, fill->id, wall_ms, err) : 0;
    for (size_t i = 0; i < result->entry_count && rc == 0; i++) {
        int64_t counted = result->entries[i].counted;
        rc = store_exec(store, err, "UPDATE fill_item SET counted = ? WHERE fill_id = ? AND entry = ?", "iii",
                        counted, fill->id, (int64_t)i);
        if (rc == 0 && counted > 0)
            rc = store_exec(store, err,
                            "INSERT INTO stock_move (canister_id, fill_id, kind, pieces, actor, moved_ms)"
                            " SELECT canister_id, fill_id, ?, -counted, 'sachetd', ? FROM fill_item"
                            " WHERE fill_id = ? AND entry = ?",
                            "tiii", kind, wall_ms, fill->id, (int64_t)i);
        if (rc == 0 && counted > 0)
            rc = store_exec(store, err,
                            "UPDATE canister SET level = level - ?, changed_ms = ? WHERE id ="
                            " (SELECT canister_id FROM fill_item WHERE fill_id = ? AND entry = ?)",
                            "iiii", counted, wall_ms, fill->id, (int64_t)i);
        if (rc == 0 && !vouched)
            rc = open_doubt(store, result, i, fill, reason, wall_ms, err);
        if (rc == 0 && verdict != OUTCOME_CANCELLED && !fill->replaced)
            rc = judge_bay(store, line, result, i, fill, wall_ms, err);
    }
    return rc;
}

/* It came out good although nobody wants it any more: someone must take it out of the roll. */
static int tell_withdrawn(struct store *store, const struct fills_line *line, const struct fill_row *fill,
                          int64_t wall_ms, struct error *err)
{
    char text[128];
    (void)snprintf(text, sizeof text, "pouch %s was made before the machine heard that it is withdrawn",
                   fill->token); /* tokens are short */
    const struct alarm_event event = {.machine = line->machine,
                                      .number = ALARM_WITHDRAWN,
                                      .text = text,
                                      .batch = fill->batch,
                                      .fill = fill->id,
                                      .wall_ms = wall_ms};
    return alarm_raise(store, &event, err);
}

int fills_move(struct store *store, int64_t job, enum job_state from, enum job_event event, const char *note,
               struct error *err)
{
    const struct job_row *row = job_step(from, event);
    int rc = store_exec(store, err, "UPDATE job SET state = ?, note = ? WHERE id = ? AND state = ?", "ttit",
                        job_state_word(row->to), note, job, job_state_word(from));
    if (rc == 0 && store_changes(store) == 0)
        rc = error_set(err, E_STATE, "job %" PRId64 " is not %s any more: %s", job, job_state_word(from),
                       job_event_text(event));
    return rc;
}

/* Where the job goes after this result. */
static int move_job(struct store *store, const struct fills_line *line, const struct fill_row *fill,
                    enum outcome_verdict verdict, struct fills_recorded *recorded, struct error *err)
{
    if (verdict == OUTCOME_GOOD)
        return fills_move(store, fill->job, JOB_SENT, JOB_EVENT_MADE, "", err);
    if (fill->unwanted)
        return fills_move(store, fill->job, JOB_SENT, JOB_EVENT_DROPPED, "", err);
    int64_t voids = 0;
    /* A stop under a pouch says nothing of the pouch. */
    int rc = store_get_int(
        store, &voids, err,
        "SELECT count(*) FROM fill WHERE job_id = ? AND state = 'void' AND reason NOT IN (?, ?)", "itt",
        fill->job, machine_reason_text(MACHINE_REASON_POWER_LOSS),
        machine_reason_text(MACHINE_REASON_ABORTED));
    if (rc < 0)
        return rc;
    recorded->blocked = verdict == OUTCOME_VOID && voids >= line->attempts_max;
    recorded->again = !recorded->blocked;
    if (recorded->blocked)
        return fills_move(store, fill->job, JOB_SENT, JOB_EVENT_VOIDED_OFTEN,
                          "void too often: look at the machine", err);
    return fills_move(store, fill->job, JOB_SENT,
                      verdict == OUTCOME_VOID ? JOB_EVENT_VOIDED : JOB_EVENT_RETURNED, "", err);
}

int fills_record(struct store *store, const struct fills_line *line, const struct machine_result *result,
                 int64_t wall_ms, struct fills_recorded *ret_recorded, struct error *err)
{
    static const char *const states[] = {"good", "void", "cancelled"};
    struct fill_row fill = {0};
    bool late = false;
    int rc = read_fill_row(store, line->serial, result->seq, &fill, err);
    if (rc == 0)
        rc = read_late_before(store, line->serial, result->seq, &late, err);
    if (rc < 0)
        return rc;
    const char *reason = "";
    enum outcome_verdict verdict = outcome_judge(result, line->caps, &line->band, late, &reason);
    if (fill.replaced) {
        /* Its job went on without it: whatever the machine says now, the pouch stays void. */
        verdict = OUTCOME_VOID;
        reason = fills_replaced;
    }
    rc = store_exec(store, err,
                    "UPDATE fill SET state = ?, reason = ?, result_ms = ?, outcome = ?, checks = ?,"
                    " seal_min_dc = ?, seal_max_dc = ?, drop_ms = ?, seal_ms = ?, boot = ? WHERE id = ?",
                    "ttiiiiiiiii", states[verdict], reason, wall_ms, (int64_t)result->outcome,
                    (int64_t)result->checks, (int64_t)result->seal_min_dc, (int64_t)result->seal_max_dc,
                    (int64_t)result->drop_ms, (int64_t)result->seal_ms, (int64_t)result->boot, fill.id);
    struct fills_recorded recorded = {
        .batch = fill.replaced ? 0 : fill.batch, .verdict = verdict, .replaced = fill.replaced};
    if (rc == 0)
        rc = record_items(store, line, result, &fill, verdict, reason, wall_ms, err);
    if (rc == 0 && !fill.replaced)
        rc = move_job(store, line, &fill, verdict, &recorded, err);
    if (rc == 0 && fill.unwanted && !fill.replaced && verdict == OUTCOME_GOOD)
        rc = tell_withdrawn(store, line, &fill, wall_ms, err);
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE machine SET retired = ?, seen_ms = ? WHERE serial = ?", "iit",
                        (int64_t)result->seq, wall_ms, line->serial);
    char action[32], subject[32], detail[96];
    (void)snprintf(action, sizeof action, "pouch.%s", states[verdict]); /* all three always fit */
    (void)snprintf(subject, sizeof subject, "fill:%" PRId64, fill.id);
    (void)snprintf(detail, sizeof detail, "{\"batch\":%" PRId64 ",\"job\":%" PRId64 ",\"seq\":%" PRIu32 "}",
                   fill.batch, fill.job, result->seq);
    if (rc == 0)
        rc = audit_add(store, wall_ms, actor, action, subject, detail, err);
    if (rc == 0)
        *ret_recorded = recorded;
    return rc;
}
