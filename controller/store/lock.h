/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock: the lock file beside the store (PATH.lock, flock). Who holds it may write or checkpoint; its text
 * says who that is, for the message of whoever waits in vain. The kernel gives the lock back when its holder
 * dies. The caller owns the struct. Taking waits, bounded, by sleeping and trying again.
 */
#ifndef CONTROLLER_STORE_LOCK_H
#define CONTROLLER_STORE_LOCK_H

#include <stdbool.h>

struct error;

struct store_lock {
    int fd; /* -1: not open */
    char *path;
    bool held;
};

/* Opens or makes the file `path`, mode 0600. */
int lock_open(struct store_lock *lock, const char *path, struct error *err);
/* Gives the lock back, too; half-built locks too. */
void lock_close(struct store_lock *lock);

/* E_LOCKED, naming file and holder, when wait_ms were not enough. */
int lock_take(struct store_lock *lock, int wait_ms, struct error *err);
void lock_release(struct store_lock *lock);

#endif
