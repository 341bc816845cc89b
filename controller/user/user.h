/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user: the people who may act, their logins and their signing keys.
 *
 * Roles: a technician packs; a pharmacist approves, signs, decides about products and people. Each user has a
 * password (Argon2id) and an Ed25519 key whose secret half only that password opens. Users are disabled,
 * never deleted: old signatures keep their names.
 *
 * Every function that writes does so in transactions of its own (never call one inside yours) and leaves an
 * audit row. Password functions take a tenth of a second or more on purpose. What a refused login says is the
 * same for an unknown login, a wrong password, a locked and a disabled user. wall_ms is the caller's clock
 * (config/base/clock.h). seal_init() must have been called.
 */
#ifndef CONTROLLER_USER_USER_H
#define CONTROLLER_USER_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/seal/seal.h"

struct error;
struct store;

enum {
    USER_LOGIN_MIN = 2,        /* characters: a-z first, then a-z 0-9 . _ - */
    USER_LOGIN_BYTES = 33,     /* with the NUL */
    USER_NAME_BYTES = 129,     /* with the NUL; printable UTF-8, as it stands in signatures */
    USER_ROLE_BYTES = 16,      /* with the NUL */
    USER_LOCK_MS = 15 * 60000, /* for so long, or until a pharmacist enables it */
    USER_COUNT_MAX = 1000,
};

#define USER_TECHNICIAN "technician"
#define USER_PHARMACIST "pharmacist"

struct user {
    int64_t id; /* 0: nobody */
    char login[USER_LOGIN_BYTES];
    char name[USER_NAME_BYTES];
    char role[USER_ROLE_BYTES]; /* USER_TECHNICIAN or USER_PHARMACIST */
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t secret_key[SEAL_SECRET_BYTES]; /* sealed */
    bool disabled;
    int failed_logins;
    int64_t locked_until_ms; /* 0: never was locked */
    int64_t created_ms;
};

/* A pharmacist who may act now; user_was_pharmacist also when disabled, for what he signed before. */
bool user_is_pharmacist(const struct user *user);
bool user_was_pharmacist(const struct user *user);

/*
 * Adds a user. by is the pharmacist who does it. Only the very first user of a store may be added by nobody
 * (NULL) and must be a pharmacist: otherwise nobody could add another. E_DENIED, E_EXISTS, E_INPUT (login,
 * name, role or password not as above), E_LIMIT.
 */
int user_add(struct store *store, const struct user *by, const char *login, const char *name,
             const char *role, const char *password, int64_t wall_ms, int64_t *ret_id, struct error *err);

/* Checks the password. E_DENIED otherwise, and a failure is counted; *ret_user is untouched then. After
 * lock_after wrong passwords in a row (the site's users.lock_after) the login is locked. */
int user_login(struct store *store, int lock_after, const char *login, const char *password, int64_t wall_ms,
               struct user *ret_user, struct error *err);

/* E_NOT_FOUND when there is no such user. Disabled users are found, too. */
int user_by_login(struct store *store, const char *login, struct user *ret_user, struct error *err);
int user_by_id(struct store *store, int64_t id, struct user *ret_user, struct error *err);
/* All users by login; *ret_users is the caller's to free(). */
int user_list(struct store *store, struct user **ret_users, int *ret_count, struct error *err);

/* Disables or enables again (which ends a lock, too). Needs a pharmacist, who cannot disable himself:
 * so one always remains. */
int user_disable(struct store *store, const struct user *by, const char *login, int64_t wall_ms,
                 struct error *err);
int user_enable(struct store *store, const struct user *by, const char *login, int64_t wall_ms,
                struct error *err);

/* A new password for one who knows the old one; the key stays the same and is sealed anew. */
int user_password_change(struct store *store, int lock_after, const char *login, const char *password,
                         const char *new_password, int64_t wall_ms, struct error *err);

/* Opens the user's key for a series of signatures (seal_key_sign, seal_key_close). E_DENIED for a wrong
 * password, E_TAMPERED when the sealed key is not the one of the public key. */
int user_key_open(const struct user *user, const char *password, struct seal_key **ret_key,
                  struct error *err);
/* Opens, signs once, closes. */
int user_sign(const struct user *user, const char *password, const void *data, size_t len,
              uint8_t ret_signature[SEAL_SIGNATURE_BYTES], struct error *err);

#endif
