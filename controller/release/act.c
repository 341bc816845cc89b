/* SPDX-License-Identifier: Apache-2.0 */
/* Deciding, signing, and looking again at what was signed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/plan/plan_text.h"
#include "controller/release/release_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "controller/user/user_key.h"

int release_begin(struct store *store, const struct user *user, struct error *err)
{
    if (!user_is_pharmacist(user) || user->disabled)
        return error_set(err, E_DENIED, "%s may not do this: only an enabled pharmacist releases rolls",
                         user->login);
    return store_write_begin(store, err);
}

int release_end(struct store *store, int status, struct error *err)
{
    if (status < 0) {
        store_write_rollback(store);
        return status;
    }
    return store_write_commit(store, err);
}

int release_pace(struct store *store, int64_t plan, const struct user *user, int64_t wall_ms,
                 struct error *err)
{
    int64_t last = 0;
    int status =
        store_get_int(store, &last, err,
                      "SELECT max((SELECT coalesce(max(decided_ms), 0) FROM release_decision WHERE plan_id "
                      "= ?1 AND user_id = ?2), (SELECT coalesce(max(answered_ms), 0) FROM "
                      "release_challenge WHERE plan_id = ?1 AND user_id = ?2))",
                      "ii", plan, user->id);
    if (status == 0 && last > 0 && wall_ms - last < RELEASE_PACE_MS && wall_ms >= last)
        return error_set(err, E_STATE, "too fast for a look: the last decision is less than %d ms old",
                         RELEASE_PACE_MS);
    return status;
}

static int decide_now(struct store *store, int64_t plan, int number, bool accept, const char *reason,
                      const struct user *user, struct arena *arena, int64_t wall_ms, struct error *err)
{
    struct release_loaded l;
    char subject[32], detail[64];
    int status = release_pace(store, plan, user, wall_ms, err);
    if (status == 0)
        status = release_loaded_load(store, plan, arena, &l, err);
    if (status < 0)
        return status;
    if (l.roll.released)
        return error_set(err, E_STATE, "the roll is released already");
    if (number < 1 || (size_t)number > l.roll.pouch_count)
        return error_set(err, E_NOT_FOUND, "the roll has no pouch %d, they are 1 to %zu", number,
                         l.roll.pouch_count);
    const struct release_pouch *pouch = &l.pouches[number - 1];
    if (pouch->flag == RELEASE_NONE && accept)
        return error_set(err, E_STATE, "pouch %d is not flagged: there is nothing to accept", number);
    if (accept && !pouch->can_accept)
        return error_set(err, E_STATE, "pouch %d cannot be accepted: %s", number,
                         release_flag_text(pouch->flag));
    status = store_exec(store, err,
                        "INSERT INTO release_decision (plan_id, pouch, flag, decision, reason, user_id, "
                        "decided_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        "iitttii", plan, (int64_t)number, release_flag_word(pouch->flag),
                        accept ? "accept" : "reject", reason, user->id, wall_ms);
    (void)snprintf(subject, sizeof subject, "plan:%" PRId64, plan); /* both fit */
    (void)snprintf(detail, sizeof detail, "{\"pouch\":%d,\"flag\":\"%s\"}", number,
                   release_flag_word(pouch->flag));
    return status < 0 ? status
                      : audit_add(store, wall_ms, user->login, accept ? "release.accept" : "release.reject",
                                  subject, detail, err);
}

int release_decide(struct store *store, int64_t plan, int pouch, bool accept, const char *reason,
                   const struct user *user, int64_t wall_ms, struct error *err)
{
    struct arena arena;
    size_t len = strlen(reason);
    if (len < RELEASE_REASON_MIN || len > RELEASE_REASON_MAX || !utf8_printable(reason, len))
        return error_set(err, E_INPUT, "a reason has %d to %d printable characters", RELEASE_REASON_MIN,
                         RELEASE_REASON_MAX);
    int status = release_begin(store, user, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = decide_now(store, plan, pouch, accept, reason, user, &arena, wall_ms, err);
    arena_finish(&arena);
    return release_end(store, status, err);
}

/* ---- the statement ---- */

/* What is known of how a roll came about. Each row is written as its columns with their lengths, so that no
 * value passes for another. ?1 is the plan, the order of rows is fixed. */
static const struct {
    const char *name, *sql;
    int columns;
} evidence[] = {
    {"batch",
     "SELECT id, machine, state, note, simulated, created_by, created_ms, started_by, started_ms, ended_ms "
     "FROM batch "
     "WHERE id IN (SELECT batch_id FROM job WHERE plan_id = ?1 AND state = 'good') ORDER BY id",
     10},
    {"job",
     "SELECT pouch, batch_id, position, pouch_line, hex(pouch_hash), state, note FROM job WHERE plan_id = ?1 "
     "AND state "
     "<> 'cancelled' ORDER BY pouch",
     7},
    {"fill",
     "SELECT f.id, j.pouch, f.serial, f.seq, f.job_hash, f.token, f.state, f.reason, f.remake_of, "
     "f.intended_ms, "
     "f.result_ms, f.outcome, f.checks, f.seal_min_dc, f.seal_max_dc, f.drop_ms, f.seal_ms, f.boot FROM fill "
     "f JOIN "
     "job j ON j.id = f.job_id WHERE j.plan_id = ?1 ORDER BY f.id",
     18},
    {"item",
     "SELECT t.fill_id, t.entry, t.bay, t.canister_id, t.product_code, t.piece, t.lot, t.requested, "
     "t.counted FROM "
     "fill_item t JOIN fill f ON f.id = t.fill_id JOIN job j ON j.id = f.job_id WHERE j.plan_id = ?1 ORDER "
     "BY "
     "t.fill_id, t.entry",
     9},
    {"move",
     "SELECT m.id, m.canister_id, m.fill_id, m.kind, m.pieces, m.actor, m.moved_ms FROM stock_move m JOIN "
     "fill f ON "
     "f.id = m.fill_id JOIN job j ON j.id = f.job_id WHERE j.plan_id = ?1 ORDER BY m.id",
     7},
    {"challenge",
     "SELECT user_id, round, number, pouch, shown, altered, answer, answered_ms FROM release_challenge WHERE "
     "plan_id = "
     "?1 ORDER BY user_id, round, number",
     8},
    {"decision",
     "SELECT id, pouch, flag, decision, reason, user_id, decided_ms FROM release_decision WHERE plan_id = ?1 "
     "ORDER BY "
     "id",
     7},
};

static int record_hash(struct store *store, const struct release_loaded *l, uint8_t ret_hash[SEAL_HASH_BYTES],
                       struct error *err)
{
    struct buf record;
    int status = 0;
    buf_init(&record);
    for (size_t i = 0; status == 0 && i < sizeof evidence / sizeof evidence[0]; i++) {
        struct store_rows *rows = NULL;
        int more = 0;
        status = store_query(store, &rows, err, evidence[i].sql, "i", l->roll.plan);
        while (status == 0 && (more = store_next(rows, err)) > 0) {
            buf_text(&record, evidence[i].name);
            for (int k = 0; k < evidence[i].columns; k++) {
                const char *value = store_is_null(rows, k) ? "-" : store_text(rows, k);
                buf_printf(&record, " %zu:%s", strlen(value), value);
            }
            buf_char(&record, '\n');
        }
        store_done(rows);
        status = status < 0 ? status : more;
    }
    if (status == 0 && record.failed)
        status = error_set(err, E_MEMORY, "no memory for the release");
    if (status == 0)
        seal_hash(record.data, record.len, ret_hash);
    buf_finish(&record);
    return status;
}

static int statement(struct store *store, const struct release_loaded *l, const struct user *user,
                     int64_t wall_ms, struct buf *out, struct error *err)
{
    char plan[SEAL_HASH_TEXT_BYTES], record[SEAL_HASH_TEXT_BYTES], key[SEAL_HASH_TEXT_BYTES];
    char when[INSTANT_TEXT_BYTES];
    uint8_t hash[SEAL_HASH_BYTES];
    int status = record_hash(store, l, hash, err);
    if (status < 0)
        return status;
    seal_hash_text(l->roll.plan_hash, plan);
    seal_hash_text(hash, record);
    seal_hash_text(user->public_key, key);
    instant_format(wall_ms, when);
    buf_printf(out, "sachet-release/1\nmeaning %s\nplan %" PRId64 " version %d\npatient %s\ntext %s\n",
               RELEASE_MEANING, l->roll.plan, l->roll.version, l->roll.patient, plan);
    buf_printf(out, "pouches %zu record %s simulated=%s\n", l->roll.pouch_count, record,
               l->roll.simulated ? "yes" : "no");
    for (size_t i = 0; i < l->roll.pouch_count; i++) {
        const struct release_pouch *pouch = &l->pouches[i];
        if (pouch->flag != RELEASE_NONE)
            buf_printf(out, "flag %d %s accepted by %s: %s\n", pouch->number, release_flag_word(pouch->flag),
                       pouch->login, pouch->reason);
    }
    for (size_t i = 0; i < l->roll.scan_count; i++)
        buf_printf(out, "scanned %s\n", l->roll.scans[i]);
    buf_printf(out, "signer %" PRId64 " %s %s\nname %s\nkey %s\ntime %s\n", user->id, user->role, user->login,
               user->name, key, when);
    return out->failed ? error_set(err, E_MEMORY, "no memory for the release") : 0;
}

/* ---- what must be so before it is signed ---- */

static int nobody_releases_own_work(struct store *store, int64_t plan, const struct user *user,
                                    struct error *err)
{
    int64_t own = 0;
    int status =
        store_get_int(store, &own, err,
                      "SELECT count(*) FROM job j JOIN batch b ON b.id = j.batch_id WHERE j.plan_id = ? AND "
                      "j.state <> 'cancelled' AND (b.started_by = ? OR b.created_by = ?)",
                      "itt", plan, user->login, user->login);
    return status == 0 && own > 0
               ? error_set(err, E_DENIED, "%s made or started this batch: another pharmacist must release it",
                           user->login)
               : status;
}

static int roll_is_ready(const struct release_roll *roll, struct error *err)
{
    if (roll->released)
        return error_set(err, E_STATE, "the roll is released already");
    for (size_t i = 0; i < roll->pouch_count; i++) {
        const struct release_pouch *pouch = &roll->pouches[i];
        if (pouch->decided && !pouch->accepted)
            return error_set(err, E_STATE, "pouch %d was rejected by %s: %s", pouch->number, pouch->login,
                             pouch->reason);
        if (pouch->flag != RELEASE_NONE && !pouch->can_accept)
            return error_set(err, E_STATE, "pouch %d of %zu: %s", pouch->number, roll->pouch_count,
                             release_flag_text(pouch->flag));
        if (pouch->flag != RELEASE_NONE && !pouch->decided)
            return error_set(err, E_STATE,
                             "pouch %d waits for a decision (%s): `sachet release decide %" PRId64 " %d`",
                             pouch->number, release_flag_text(pouch->flag), roll->plan, pouch->number);
    }
    return 0;
}

static bool among(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

static int strip_is_whole(const struct release_roll *roll, const char *const *scans, size_t count,
                          struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t batch, pouch, remake;
        if (!token_parse(scans[i], &batch, &pouch, &remake))
            return error_set(err, E_INPUT,
                             "%s: not a pouch's number, its check character does not fit: scan again",
                             scans[i]);
        if (!among(scans[i], roll->scans, roll->scan_count))
            return error_set(err, E_INPUT, "%s: is no end of this roll and behind none of its cuts",
                             scans[i]);
    }
    for (size_t i = 0; i < roll->scan_count; i++) {
        if (!among(roll->scans[i], scans, count))
            return error_set(err, E_STATE,
                             "%zu of %zu numbers are scanned: the %s pouch of the strip is missing", i,
                             roll->scan_count,
                             i == 0                      ? "first"
                             : i == roll->scan_count - 1 ? "last"
                                                         : "one behind a cut");
    }
    return 0;
}

static int sign_now(struct store *store, int64_t plan, const char *const *scans, size_t scan_count,
                    const struct user *user, const struct seal_key *key, int64_t wall_ms, struct arena *arena,
                    struct error *err)
{
    struct release_loaded l;
    struct release_challenge *list;
    struct buf bytes;
    uint8_t signature[SEAL_SIGNATURE_BYTES], public_key[SEAL_PUBLIC_BYTES];
    size_t count;
    bool passed = false;
    char subject[32];
    seal_key_public(key, public_key);
    if (memcmp(public_key, user->public_key, sizeof public_key) != 0)
        return error_set(err, E_DENIED, "the key is not that of %s", user->login);
    int status = release_loaded_load(store, plan, arena, &l, err);
    if (status == 0)
        status = nobody_releases_own_work(store, plan, user, err);
    if (status == 0)
        status = roll_is_ready(&l.roll, err);
    if (status == 0)
        status = release_challenges(store, &l.roll, user, arena, &list, &count, &passed, err);
    if (status == 0 && !passed)
        status =
            error_set(err, E_STATE, "challenges wait for an answer: `sachet release show %" PRId64 "`", plan);
    if (status == 0)
        status = strip_is_whole(&l.roll, scans, scan_count, err);
    if (status < 0)
        return status;
    buf_init(&bytes);
    status = statement(store, &l, user, wall_ms, &bytes, err);
    if (status == 0) {
        seal_key_sign(key, bytes.data, bytes.len, signature);
        status =
            store_exec(store, err,
                       "INSERT INTO release_signature (plan_id, user_id, simulated, signed_ms, statement, "
                       "signature) VALUES (?, ?, ?, ?, ?, ?)",
                       "iiiibb", plan, user->id, (int64_t)l.roll.simulated, wall_ms, (const void *)bytes.data,
                       bytes.len, (const void *)signature, sizeof signature);
    }
    buf_finish(&bytes);
    (void)snprintf(subject, sizeof subject, "plan:%" PRId64, plan); /* fits */
    return status < 0 ? status : audit_add(store, wall_ms, user->login, "release.sign", subject, NULL, err);
}

int release_sign(struct store *store, int64_t plan, const char *const *scans, size_t scan_count,
                 const struct user *user, const struct seal_key *key, int64_t wall_ms, struct error *err)
{
    struct arena arena;
    if (scan_count > RELEASE_SCANS_MAX)
        return error_set(err, E_LIMIT, "more than %d scanned numbers", RELEASE_SCANS_MAX);
    int status = release_begin(store, user, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = sign_now(store, plan, scans, scan_count, user, key, wall_ms, &arena, err);
    arena_finish(&arena);
    return release_end(store, status, err);
}

/* ---- looking again ---- */

static int tampered(int64_t plan, const char *what, struct error *err)
{
    return error_set(err, E_TAMPERED, "release of plan %" PRId64 ": %s; hold the roll back", plan, what);
}

static int verify_now(struct store *store, int64_t plan, struct arena *arena, struct error *err)
{
    struct release_loaded l;
    struct store_rows *rows = NULL;
    struct user user;
    struct buf expected;
    int64_t id = 0, signed_ms = 0, simulated = 0;
    size_t len = 0, signature_len = 0;
    const char *bytes = NULL;
    uint8_t signature[SEAL_SIGNATURE_BYTES] = {0};
    int status = release_loaded_load(store, plan, arena, &l, err);
    if (status == 0)
        status =
            store_query(store, &rows, err,
                        "SELECT user_id, signed_ms, simulated, statement, signature FROM release_signature "
                        "WHERE plan_id = ?",
                        "i", plan);
    int more = status < 0 ? status : store_next(rows, err);
    if (more > 0) {
        id = store_int(rows, 0);
        signed_ms = store_int(rows, 1);
        simulated = store_int(rows, 2);
        const void *blob = store_blob(rows, 3, &len);
        bytes = arena_text(arena, blob ? blob : "", len);
        blob = store_blob(rows, 4, &signature_len);
        if (signature_len == sizeof signature)
            memcpy(signature, blob, sizeof signature);
    }
    store_done(rows);
    if (more <= 0)
        return more < 0 ? more : error_set(err, E_STATE, "plan %" PRId64 " is not released", plan);
    status = user_by_id(store, id, &user, err);
    if (status == E_NOT_FOUND)
        return tampered(plan, "whoever signed it is not among the users", err);
    if (status == 0)
        status = user_key_at(store, &user, signed_ms, err);
    if (status < 0)
        return status;
    buf_init(&expected);
    status = statement(store, &l, &user, signed_ms, &expected, err);
    if (status == 0 && (!bytes || expected.len != len || memcmp(expected.data, bytes, len) != 0))
        status = tampered(plan, "pouches, decisions or people are not those that were signed", err);
    else if (status == 0 && (simulated != 0) != l.roll.simulated)
        status = tampered(plan, "it does not say rightly whether the machine was simulated", err);
    else if (status == 0 && !user_was_pharmacist(&user))
        status = tampered(plan, "it was signed by somebody who is no pharmacist", err);
    else if (status == 0 && (signature_len != sizeof signature ||
                             !seal_verify(user.public_key, expected.data, expected.len, signature)))
        status = tampered(plan, "its signature does not match", err);
    buf_finish(&expected);
    return status;
}

int release_verify(struct store *store, int64_t plan, struct error *err)
{
    struct arena arena;
    arena_init(&arena, 0);
    int status = verify_now(store, plan, &arena, err);
    arena_finish(&arena);
    return status;
}
