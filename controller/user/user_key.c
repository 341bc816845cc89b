/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/user/user_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"

static int finish(struct store *store, int rc, int64_t user, const char *actor, const char *action,
                  int64_t wall_ms, struct error *err)
{
    char subject[32];
    (void)snprintf(subject, sizeof subject, "user:%" PRId64, user); /* fits */
    if (rc == 0)
        rc = audit_add(store, wall_ms, actor, action, subject, NULL, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

/* Remembers the present key as one that ended; a revoked one is remembered already. */
static int key_end(struct store *store, const struct user *user, int64_t wall_ms, struct error *err)
{
    return store_exec(
        store, err,
        "INSERT INTO user_key (user_id, public_key, ended_ms) SELECT ?1, ?2, ?3 WHERE NOT EXISTS "
        "(SELECT 1 FROM user_key WHERE user_id = ?1 AND public_key = ?2)",
        "ibi", user->id, (const void *)user->public_key, sizeof user->public_key, wall_ms);
}

int user_key_rotate(struct store *store, int lock_after, const char *login, const char *password,
                    int64_t wall_ms, struct error *err)
{
    struct user user;
    uint8_t public_key[SEAL_PUBLIC_BYTES], secret_key[SEAL_SECRET_BYTES];
    int rc = user_login(store, lock_after, login, password, wall_ms, &user, err);
    if (rc == 0)
        rc = seal_key_create(password, public_key, secret_key, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc)
        return rc;
    rc = key_end(store, &user, wall_ms, err);
    /* Two changes at one time: the second one's key is sealed under a password that may not be valid any
     * more. */
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE user SET public_key = ?, secret_key = ? WHERE id = ? AND public_key = ? AND "
                        "secret_key = ?",
                        "bbibb", (const void *)public_key, sizeof public_key, (const void *)secret_key,
                        sizeof secret_key, user.id, (const void *)user.public_key, sizeof user.public_key,
                        (const void *)user.secret_key, sizeof user.secret_key);
    if (rc == 0 && store_changes(store) != 1)
        rc =
            error_set(err, E_STATE, "the key of %s was changed by somebody else meanwhile: try again", login);
    return finish(store, rc, user.id, login, "user.key", wall_ms, err);
}

int user_key_revoke(struct store *store, const struct user *by, const char *login, int64_t from_ms,
                    const char *reason, int64_t wall_ms, struct error *err)
{
    static const uint8_t none[SEAL_SECRET_BYTES];
    struct user user;
    size_t len = strlen(reason);
    if (!user_is_pharmacist(by))
        return error_set(err, E_DENIED, "this needs a pharmacist: give --user LOGIN of one");
    if (len < USER_KEY_REASON_MIN || len > USER_KEY_REASON_MAX || !utf8_printable(reason, len))
        return error_set(err, E_INPUT, "a reason has %d to %d printable characters", USER_KEY_REASON_MIN,
                         USER_KEY_REASON_MAX);
    if (from_ms > wall_ms)
        return error_set(err, E_INPUT, "a key is revoked from an instant that is over");
    int rc = store_write_begin(store, err);
    if (rc)
        return rc;
    rc = user_by_login(store, login, &user, err);
    if (rc == 0)
        rc = store_exec(
            store, err,
            "INSERT INTO user_key (user_id, public_key, ended_ms, revoked_from_ms, reason) VALUES (?, ?, "
            "?, ?, ?)",
            "ibiit", user.id, (const void *)user.public_key, sizeof user.public_key, wall_ms, from_ms,
            reason);
    if (rc == E_EXISTS)
        rc = error_set(err, E_STATE,
                       "the key of %s is revoked already: he makes a new one with `sachet user key`", login);
    if (rc == 0) /* nothing opens it any more */
        rc = store_exec(store, err, "UPDATE user SET secret_key = ? WHERE id = ?", "bi", (const void *)none,
                        sizeof none, user.id);
    return finish(store, rc, rc == 0 ? user.id : 0, by->login, "user.revoke", wall_ms, err);
}

int user_key_at(struct store *store, struct user *user, int64_t at_ms, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t revoked = INT64_MAX;
    int rc = store_query(
        store, &rows, err,
        "SELECT public_key, revoked_from_ms FROM user_key WHERE user_id = ? AND ended_ms > ? ORDER BY "
        "ended_ms, id LIMIT 1",
        "ii", user->id, at_ms);
    int found = rc < 0 ? rc : store_next(rows, err);
    if (found > 0) {
        size_t len = 0;
        const void *bytes = store_blob(rows, 0, &len);
        if (len == sizeof user->public_key)
            memcpy(user->public_key, bytes, len);
        if (!store_is_null(rows, 1))
            revoked = store_int(rows, 1);
    }
    store_done(rows);
    if (found < 0)
        return found;
    if (at_ms >= revoked) {
        char since[INSTANT_TEXT_BYTES];
        instant_format(revoked, since);
        return error_set(err, E_STATE,
                         "it was signed with a key of %s that does not count since %s: sign again",
                         user->login, since);
    }
    return 0;
}
