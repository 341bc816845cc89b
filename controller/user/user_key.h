/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_key: the signing keys that people have had. A key can be replaced (it was only old: what it signed
 * holds) or revoked (somebody else may have had it: what it signed from an instant on does not hold). A
 * disabled user signs nothing new, and what he signed before holds.
 *
 * Every function that writes does so in a transaction of its own and leaves an audit row. Blocks for the
 * store, and a tenth of a second for a password.
 */
#ifndef CONTROLLER_USER_USER_KEY_H
#define CONTROLLER_USER_USER_KEY_H

#include <stdint.h>

struct error;
struct store;
struct user;

enum { USER_KEY_REASON_MIN = 10, USER_KEY_REASON_MAX = 500 };

/* A new key for one who knows the password; signatures of the old one hold. */
int user_key_rotate(struct store *store, int lock_after, const char *login, const char *password,
                    int64_t wall_ms, struct error *err);

/* The user's present key does not count from from_ms on, and signs no more: he makes a new one. by: a
 * pharmacist. E_DENIED, E_INPUT (reason, an instant that is yet to come), E_STATE (revoked already). */
int user_key_revoke(struct store *store, const struct user *by, const char *login, int64_t from_ms,
                    const char *reason, int64_t wall_ms, struct error *err);

/* Puts the key that the user had at that instant into user->public_key. E_STATE: it was revoked, as of then.
 */
int user_key_at(struct store *store, struct user *user, int64_t at_ms, struct error *err);

#endif
