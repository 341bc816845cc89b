/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two locks on one file. The lock proper is flock. Before it a taker passes a turnstile (an open-file lock on
 * the first byte) and leaves it once it has the lock: so at most one waits at the lock itself, and a program
 * that commits without a pause cannot shut the others out by taking the lock again before they wake.
 */
#include "controller/store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"

/* Waiters look again after 0.1, 0.2, 0.4, ... ms, at most 2 ms apart at the turnstile and 0.5 ms at the lock,
 * where one alone waits: a commit takes from 0.2 to some 4 ms. */
enum { STEP_FIRST_US = 100, TURN_STEP_MAX_US = 2000, LOCK_STEP_MAX_US = 500, LOCK_HOLDER_BYTES = 64 };

int lock_open(struct store_lock *lock, const char *path, struct error *err)
{
    *lock = (struct store_lock){.fd = -1};
    lock->path = strdup(path);
    if (!lock->path)
        return error_set(err, E_MEMORY, "out of memory opening %s", path);
    lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock->fd < 0)
        return error_set_errno(err, E_FILE, errno, "lock file %s cannot be opened", path);
    return 0;
}

void lock_close(struct store_lock *lock)
{
    if (lock->fd >= 0) {
        lock_release(lock);
        (void)close(lock->fd); /* nothing was buffered in it */
    }
    free(lock->path);
    *lock = (struct store_lock){.fd = -1};
}

/* The note is for people only: that it could not be written, or is cut, changes nothing. The same length each
 * time, so that no rest of an older one stays behind it. */
static void holder_write(const struct store_lock *lock, const char *program, long pid)
{
    char text[LOCK_HOLDER_BYTES + 1];
    (void)snprintf(text, sizeof text, "%-12ld %-50.40s\n", pid, program);
    ssize_t written = pwrite(lock->fd, text, strlen(text), 0);
    (void)written;
}

static void holder_read(const struct store_lock *lock, char *ret_text, size_t size)
{
    char text[LOCK_HOLDER_BYTES + 1] = "";
    ssize_t len = pread(lock->fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    long pid = 0;
    char program[LOCK_HOLDER_BYTES + 1] = "";
    if (sscanf(text, "%ld %40s", &pid, program) == 2 && pid > 0)
        (void)snprintf(ret_text, size, "%s (process %ld)", program, pid);
    else
        (void)snprintf(ret_text, size, "another program");
}

static int flock_try(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int turn_try(int fd)
{
    struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &first);
}

static void turn_leave(int fd)
{
    struct flock first = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    (void)fcntl(fd, F_OFD_SETLK, &first); /* of our own lock: cannot fail */
}

/* Tries until it works or *left_us are used up; *left_us is what stays. */
static int try_until(const struct store_lock *lock, int (*try)(int fd), int step_max_us, int64_t *left_us,
                     struct error *err)
{
    int step_us = STEP_FIRST_US;
    while (try(lock->fd) != 0) {
        if (errno != EWOULDBLOCK && errno != EACCES && errno != EINTR)
            return error_set_errno(err, E_STORE, errno, "%s cannot be locked (network file system?)",
                                   lock->path);
        if (*left_us <= 0) {
            char holder[2 * LOCK_HOLDER_BYTES];
            holder_read(lock, holder, sizeof holder);
            return error_set(err, E_LOCKED, "%s is held by %s: wait for it or stop it, then try again",
                             lock->path, holder);
        }
        const struct timespec pause = {.tv_nsec = step_us * 1000L};
        (void)nanosleep(&pause, NULL); /* woken early means only that we look early */
        *left_us -= step_us;
        step_us = step_us * 2 < step_max_us ? step_us * 2 : step_max_us;
    }
    return 0;
}

int lock_take(struct store_lock *lock, int wait_ms, struct error *err)
{
    int64_t left_us = wait_ms * INT64_C(1000);
    int rc = try_until(lock, turn_try, TURN_STEP_MAX_US, &left_us, err);
    if (rc)
        return rc;
    rc = try_until(lock, flock_try, LOCK_STEP_MAX_US, &left_us, err);
    turn_leave(lock->fd);
    if (rc)
        return rc;
    lock->held = true;
    holder_write(lock, program_invocation_short_name, (long)getpid());
    return 0;
}

void lock_release(struct store_lock *lock)
{
    if (!lock->held)
        return;
    holder_write(lock, "-", 0);
    (void)flock(lock->fd, LOCK_UN); /* of an open descriptor: cannot fail */
    lock->held = false;
}
