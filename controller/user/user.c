/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login claims its attempt before the password is looked at: one transaction counts a failure, then the
 * password is hashed, then a right password takes the count back. So a hundred guesses at the same instant
 * are a hundred failures, and a program killed while it hashes has not guessed for nothing.
 *
 * Unknown logins hash against a text that no password fits, so that they take as long as the others. They
 * leave no audit row: people type passwords where the login belongs.
 */
#include "controller/user/user.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

static const char denied[] =
    "login or password is wrong, or the login is locked or disabled (a pharmacist sees "
    "which with `sachet user list`)";

#define USER_COLUMNS                                                                                        \
    "id, login, name, role, public_key, secret_key, disabled, failed_logins, locked_until_ms, created_ms, " \
    "password"

/* What user_login needs beside the public struct. */
struct user_row {
    struct user user;
    char password[SEAL_PASSWORD_TEXT_BYTES];
};

bool user_was_pharmacist(const struct user *user)
{
    return user->id > 0 && strcmp(user->role, USER_PHARMACIST) == 0;
}

bool user_is_pharmacist(const struct user *user)
{
    return user_was_pharmacist(user) && !user->disabled;
}

static void text_copy(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from); /* lengths were checked when the row was written */
}

static int row_read(struct store_rows *rows, struct user_row *ret_row, struct error *err)
{
    struct user_row row = {.user.id = store_int(rows, 0)};
    struct user *user = &row.user;
    size_t public_len = 0;
    size_t secret_len = 0;
    const void *public_key = store_blob(rows, 4, &public_len);
    if (public_len == sizeof user->public_key)
        memcpy(user->public_key, public_key, public_len);
    const void *secret_key = store_blob(rows, 5, &secret_len);
    if (secret_len == sizeof user->secret_key)
        memcpy(user->secret_key, secret_key, secret_len);
    if (public_len != sizeof user->public_key || secret_len != sizeof user->secret_key)
        return error_set(err, E_TAMPERED, "user %" PRId64 " has no proper key: restore the last backup",
                         user->id);
    text_copy(user->login, sizeof user->login, store_text(rows, 1));
    text_copy(user->name, sizeof user->name, store_text(rows, 2));
    text_copy(user->role, sizeof user->role, store_text(rows, 3));
    user->disabled = store_int(rows, 6) != 0;
    user->failed_logins = (int)store_int(rows, 7);
    user->locked_until_ms = store_int(rows, 8);
    user->created_ms = store_int(rows, 9);
    text_copy(row.password, sizeof row.password, store_text(rows, 10));
    *ret_row = row;
    return 0;
}

static int row_by_login(struct store *store, const char *login, struct user_row *ret_row, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT " USER_COLUMNS " FROM user WHERE login = ?", "t", login);
    if (rc)
        return rc;
    rc = store_next(rows, err);
    if (rc == 1)
        rc = row_read(rows, ret_row, err);
    else if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "no user %s: `sachet user list` shows them", login);
    store_done(rows);
    return rc;
}

int user_by_login(struct store *store, const char *login, struct user *ret_user, struct error *err)
{
    struct user_row row;
    int rc = row_by_login(store, login, &row, err);
    if (rc == 0)
        *ret_user = row.user;
    return rc;
}

int user_by_id(struct store *store, int64_t id, struct user *ret_user, struct error *err)
{
    struct user_row row;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT " USER_COLUMNS " FROM user WHERE id = ?", "i", id);
    if (rc)
        return rc;
    rc = store_next(rows, err);
    if (rc == 1)
        rc = row_read(rows, &row, err);
    else if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "no user with the number %" PRId64, id);
    store_done(rows);
    if (rc == 0)
        *ret_user = row.user;
    return rc;
}

int user_list(struct store *store, struct user **ret_users, int *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    struct user *users = calloc(USER_COUNT_MAX, sizeof *users);
    if (!users)
        return error_set(err, E_MEMORY, "out of memory listing the users");
    int count = 0;
    int rc = store_query(store, &rows, err, "SELECT " USER_COLUMNS " FROM user ORDER BY login LIMIT ?", "i",
                         USER_COUNT_MAX);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct user_row row;
        rc = row_read(rows, &row, err);
        if (rc == 0)
            users[count++] = row.user;
    }
    store_done(rows);
    if (rc) {
        free(users);
        return rc;
    }
    *ret_users = users;
    *ret_count = count;
    return 0;
}

static bool login_ok(const char *login)
{
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strnlen(login, USER_LOGIN_BYTES);
    return len >= USER_LOGIN_MIN && len < USER_LOGIN_BYTES && login[0] >= 'a' && login[0] <= 'z' &&
           strspn(login, others) == len;
}

static int new_user_check(const char *login, const char *name, const char *role, struct error *err)
{
    size_t len = strnlen(name, USER_NAME_BYTES);
    if (!login_ok(login))
        return error_set(err, E_INPUT,
                         "a login has %d to %d characters a-z 0-9 . _ - and starts with a letter",
                         USER_LOGIN_MIN, USER_LOGIN_BYTES - 1);
    if (len == 0 || len >= USER_NAME_BYTES || name[0] == ' ' || name[len - 1] == ' ' ||
        !utf8_printable(name, len))
        return error_set(err, E_INPUT,
                         "a name has 1 to %d bytes of printable UTF-8 and no space at its ends: it stands in "
                         "signatures",
                         USER_NAME_BYTES - 1);
    if (strcmp(role, USER_TECHNICIAN) != 0 && strcmp(role, USER_PHARMACIST) != 0)
        return error_set(err, E_INPUT, "role %.40s: give %s or %s", role, USER_TECHNICIAN, USER_PHARMACIST);
    return 0;
}

static int audit_user(struct store *store, int64_t wall_ms, const char *actor, const char *action, int64_t id,
                      const char *detail, struct error *err)
{
    char subject[32];
    (void)snprintf(subject, sizeof subject, "user:%" PRId64, id);
    return audit_add(store, wall_ms, actor, action, subject, detail, err);
}

/* Is by somebody who may decide about people, by what the store says now? */
static int pharmacist_check(struct store *store, const struct user *by, struct error *err)
{
    struct user now;
    int rc = user_by_id(store, by ? by->id : 0, &now, err);
    if (rc == E_NOT_FOUND || (rc == 0 && !user_is_pharmacist(&now)))
        return error_set(err, E_DENIED, "this needs a pharmacist: give --user LOGIN of one");
    return rc;
}

/* Within the write transaction: who may add whom. */
static int add_check(struct store *store, const struct user *by, const char *login, const char *role,
                     struct error *err)
{
    int64_t count = 0;
    int64_t same = 0;
    int rc = store_get_int(store, &count, err, "SELECT count(*) FROM user", "");
    if (rc == 0 && count == 0)
        return strcmp(role, USER_PHARMACIST) == 0
                   ? 0
                   : error_set(err, E_DENIED, "the first user must be a pharmacist: he adds the others");
    if (rc == 0)
        rc = pharmacist_check(store, by, err);
    if (rc == 0)
        rc = store_get_int(store, &same, err, "SELECT count(*) FROM user WHERE login = ?", "t", login);
    if (rc == 0 && same > 0)
        rc = error_set(err, E_EXISTS, "user %s is there already: choose another login", login);
    if (rc == 0 && count >= USER_COUNT_MAX)
        rc = error_set(err, E_LIMIT, "there are %d users already, which is the most", USER_COUNT_MAX);
    return rc;
}

int user_add(struct store *store, const struct user *by, const char *login, const char *name,
             const char *role, const char *password, int64_t wall_ms, int64_t *ret_id, struct error *err)
{
    char hash[SEAL_PASSWORD_TEXT_BYTES];
    char detail[USER_LOGIN_BYTES + 64];
    struct user user = {0};
    int64_t id = 0;
    int rc = new_user_check(login, name, role, err);
    if (rc == 0)
        rc = seal_password_hash(password, hash, err);
    if (rc == 0)
        rc = seal_key_create(password, user.public_key, user.secret_key, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc)
        return rc;
    rc = add_check(store, by, login, role, err);
    if (rc == 0)
        rc =
            store_insert(store, err, &id,
                         "INSERT INTO user (login, name, role, password, public_key, secret_key, created_ms) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?)",
                         "ttttbbi", login, name, role, hash, user.public_key, sizeof user.public_key,
                         user.secret_key, sizeof user.secret_key, wall_ms);
    /* login and role were checked and hold nothing that JSON would have to escape */
    (void)snprintf(detail, sizeof detail, "{\"login\":\"%s\",\"role\":\"%s\"}", login, role);
    if (rc == 0)
        rc = audit_user(store, wall_ms, by ? by->login : login, "user.add", id, detail, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    if (rc == 0)
        *ret_id = id;
    return rc;
}

/* A lock ends when its time is over. One that lies further ahead than any lock can was made by a clock that
 * has been set back since, and does not count. */
static bool locked(const struct user *user, int64_t wall_ms)
{
    return wall_ms < user->locked_until_ms && user->locked_until_ms - wall_ms <= USER_LOCK_MS;
}

/* Counts an attempt as failed before it is made. *ret_open tells whether the password will be looked at. */
static int attempt_claim(struct store *store, int lock_after, const char *login, int64_t wall_ms,
                         struct user_row *ret_row, bool *ret_open, struct error *err)
{
    *ret_open = false;
    int rc = store_write_begin(store, err);
    if (rc)
        return rc;
    rc = row_by_login(store, login, ret_row, err);
    if (rc == E_NOT_FOUND || (rc == 0 && (ret_row->user.disabled || locked(&ret_row->user, wall_ms)))) {
        store_write_rollback(store);
        return 0;
    }
    const struct user *user = &ret_row->user;
    int failed = user->failed_logins + 1;
    bool lock = failed >= lock_after;
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE user SET failed_logins = ?, locked_until_ms = ? WHERE id = ?",
                        "iii", lock ? 0 : failed, lock ? wall_ms + USER_LOCK_MS : 0, user->id);
    if (rc == 0 && lock)
        rc = audit_user(store, wall_ms, user->login, "user.lock", user->id, NULL, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    if (rc == 0)
        *ret_open = true;
    return rc;
}

/* What the claimed attempt turned out to be. */
static int attempt_settle(struct store *store, const struct user *user, bool right, int64_t wall_ms,
                          struct error *err)
{
    int rc = store_write_begin(store, err);
    if (rc == 0 && right)
        rc = store_exec(store, err, "UPDATE user SET failed_logins = 0, locked_until_ms = 0 WHERE id = ?",
                        "i", user->id);
    if (rc == 0 && !right)
        rc = audit_user(store, wall_ms, user->login, "user.login_failed", user->id, NULL, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

int user_login(struct store *store, int lock_after, const char *login, const char *password, int64_t wall_ms,
               struct user *ret_user, struct error *err)
{
    struct user_row row = {0};
    bool open = false;
    int rc = attempt_claim(store, lock_after, login, wall_ms, &row, &open, err);
    if (rc)
        return rc;
    bool right = open && seal_password_matches(row.password, password);
    if (!open)
        seal_password_waste(password);
    seal_wipe(row.password, sizeof row.password);
    if (open)
        rc = attempt_settle(store, &row.user, right, wall_ms, err);
    if (rc)
        return rc;
    if (!right)
        return error_set(err, E_DENIED, "%s", denied);
    row.user.failed_logins = 0;
    row.user.locked_until_ms = 0;
    *ret_user = row.user;
    return 0;
}

static int user_set_disabled(struct store *store, const struct user *by, const char *login, bool disabled,
                             int64_t wall_ms, struct error *err)
{
    struct user user = {0};
    int rc = store_write_begin(store, err);
    if (rc)
        return rc;
    rc = pharmacist_check(store, by, err);
    if (rc == 0)
        rc = user_by_login(store, login, &user, err);
    if (rc == 0 && disabled && user.id == by->id)
        rc = error_set(err, E_STATE, "%s cannot disable himself: another pharmacist does it", login);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE user SET disabled = ?, failed_logins = 0, locked_until_ms = 0 WHERE id = ?",
                        "ii", disabled, user.id);
    if (rc == 0)
        rc = audit_user(store, wall_ms, by->login, disabled ? "user.disable" : "user.enable", user.id, NULL,
                        err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

int user_disable(struct store *store, const struct user *by, const char *login, int64_t wall_ms,
                 struct error *err)
{
    return user_set_disabled(store, by, login, true, wall_ms, err);
}

int user_enable(struct store *store, const struct user *by, const char *login, int64_t wall_ms,
                struct error *err)
{
    return user_set_disabled(store, by, login, false, wall_ms, err);
}

int user_password_change(struct store *store, int lock_after, const char *login, const char *password,
                         const char *new_password, int64_t wall_ms, struct error *err)
{
    struct user user;
    char hash[SEAL_PASSWORD_TEXT_BYTES];
    uint8_t secret[SEAL_SECRET_BYTES];
    int rc = user_login(store, lock_after, login, password, wall_ms, &user, err);
    if (rc == 0)
        rc = seal_password_hash(new_password, hash, err);
    if (rc == 0)
        rc = seal_key_reseal(user.secret_key, password, new_password, secret, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc)
        return rc;
    /* Two changes at one time: the second sealed a key with a password that is not valid any more. */
    rc =
        store_exec(store, err, "UPDATE user SET password = ?, secret_key = ? WHERE id = ? AND secret_key = ?",
                   "tbib", hash, secret, sizeof secret, user.id, user.secret_key, sizeof user.secret_key);
    if (rc == 0 && store_changes(store) != 1)
        rc = error_set(err, E_STATE, "the password of %s was changed by somebody else meanwhile: try again",
                       login);
    if (rc == 0)
        rc = audit_user(store, wall_ms, login, "user.password", user.id, NULL, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

int user_key_open(const struct user *user, const char *password, struct seal_key **ret_key, struct error *err)
{
    struct seal_key *key = NULL;
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    int rc = seal_key_open(user->secret_key, password, &key, err);
    if (rc)
        return rc;
    seal_key_public(key, public_key);
    if (!seal_equal(public_key, user->public_key, sizeof public_key)) {
        seal_key_close(key);
        return error_set(err, E_TAMPERED, "the signing key of %s is not the one of its public half",
                         user->login);
    }
    *ret_key = key;
    return 0;
}

int user_sign(const struct user *user, const char *password, const void *data, size_t len,
              uint8_t ret_signature[SEAL_SIGNATURE_BYTES], struct error *err)
{
    struct seal_key *key = NULL;
    int rc = user_key_open(user, password, &key, err);
    if (rc)
        return rc;
    seal_key_sign(key, data, len, ret_signature);
    seal_key_close(key);
    return 0;
}
