/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup takes the store's place.
 *
 * The copy is made and checked beside the store first. Then the old files are moved aside, the database
 * before its write-ahead log: a log is not bound to its database, so the restored one must never find it.
 * Killed in between, there is no store under the path and every program refuses to start; doing it again goes
 * on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

enum { COPY_BYTES = 1 << 20, ASIDE_MAX = 999, TAIL_BYTES = 32 };

static int backup_is_another(const char *path, const char *backup, struct error *err)
{
    struct stat ours, theirs;
    if (stat(backup, &theirs) != 0)
        return error_set_errno(err, E_FILE, errno, "backup %s cannot be read", backup);
    if (stat(path, &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
        return error_set(err, E_INPUT, "%s is the store itself: give a backup", backup);
    return 0;
}

static int copy_bytes(int from, int to, const char *name, struct error *err)
{
    char *bytes = malloc(COPY_BYTES);
    if (!bytes)
        return error_set(err, E_MEMORY, "out of memory copying %s", name);
    ssize_t got = 0;
    int rc = 0;
    while (rc == 0 && (got = read(from, bytes, COPY_BYTES)) > 0) {
        errno = ENOSPC; /* a short write sets nothing */
        if (write(to, bytes, (size_t)got) != got)
            rc = error_set_errno(err, E_FILE, errno, "%s cannot be copied", name);
    }
    if (rc == 0 && got < 0)
        rc = error_set_errno(err, E_FILE, errno, "%s cannot be read", name);
    free(bytes);
    return rc;
}

static int copy_file(const char *from, const char *to, struct error *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return error_set_errno(err, E_FILE, errno, "backup %s cannot be read", from);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = 0;
    if (out < 0)
        rc = error_set_errno(err, E_FILE, errno, "%s cannot be made", to);
    if (rc == 0)
        rc = copy_bytes(in, out, from, err);
    if (out >= 0 && close(out) != 0 && rc == 0)
        rc = error_set_errno(err, E_FILE, errno, "%s cannot be written", to);
    (void)close(in); /* only read */
    return rc;
}

/* A backup is one file; a store that was moved aside has its log beside it, and its last rows in there. */
static int copy_store(const char *from, const char *to, struct error *err)
{
    char from_log[STORE_PATH_BYTES + TAIL_BYTES], to_log[STORE_PATH_BYTES + TAIL_BYTES];
    if (strlen(from) >= STORE_PATH_BYTES)
        return error_set(err, E_LIMIT, "backup: path too long, at most %d bytes", STORE_PATH_BYTES - 1);
    (void)snprintf(from_log, sizeof from_log, "%s-wal", from); /* both fit */
    (void)snprintf(to_log, sizeof to_log, "%s-wal", to);
    store_files_remove(to); /* of a run that was killed */
    int rc = copy_file(from, to, err);
    return rc == 0 && access(from_log, F_OK) == 0 ? copy_file(from_log, to_log, err) : rc;
}

/* Everything in it holds: pages, references, the audit chain. */
static int check_copy(const char *path, int64_t *ret_rows, struct error *err)
{
    struct store *copy = store_open(path, true, err);
    if (!copy)
        return err ? err->code : E_STORE;
    int rc = store_check(copy, err);
    if (rc == 0)
        rc = audit_verify(copy, ret_rows, err);
    if (rc == 0)
        rc = store_checkpoint(copy, err);
    char mode[16] = "";
    if (rc == 0)
        rc = store_raw_text(copy, "PRAGMA journal_mode = DELETE", mode, sizeof mode, err);
    if (rc == 0 && strcmp(mode, "delete") != 0)
        rc = error_set(err, E_STORE, "%s cannot be made a single file", path);
    store_close(copy);
    return rc == 0 ? store_sync_file(path, err) : rc;
}

/* Moves PATH and PATH-wal to a name that is free; *ret_aside "" when there was nothing. */
static int move_aside(const char *path, char *ret_aside, size_t size, struct error *err)
{
    char from[2][STORE_PATH_BYTES], to[2][STORE_PATH_BYTES];
    bool any = false, taken = true;
    for (int n = 1; taken && n <= ASIDE_MAX; n++) {
        (void)snprintf(from[0], sizeof from[0], "%s", path); /* the caller checked the length */
        (void)snprintf(from[1], sizeof from[1], "%s-wal", path);
        (void)snprintf(to[0], sizeof to[0], "%s.replaced-%d", path, n);
        (void)snprintf(to[1], sizeof to[1], "%s.replaced-%d-wal", path, n);
        taken = access(to[0], F_OK) == 0 || access(to[1], F_OK) == 0;
    }
    if (taken)
        return error_set(err, E_LIMIT, "%s: %d replaced stores lie beside it: put some away", path,
                         ASIDE_MAX);
    for (int i = 0; i < 2; i++) {
        if (access(from[i], F_OK) != 0)
            continue;
        if (rename(from[i], to[i]) != 0)
            return error_set_errno(err, E_FILE, errno, "%s cannot be moved aside", from[i]);
        any = true;
    }
    (void)snprintf(ret_aside, size, "%s", any ? to[0] : ""); /* as long as to[0] */
    return any ? store_sync_folder(path, err) : 0;
}

/* The lock is held. */
static int put_in_place(const char *path, const char *copy, struct store_restored *restored,
                        struct error *err)
{
    char index[STORE_PATH_BYTES];
    (void)snprintf(index, sizeof index, "%s-shm", path); /* the caller checked the length */
    int rc = move_aside(path, restored->aside, sizeof restored->aside, err);
    if (rc < 0)
        return rc;
    (void)unlink(index); /* the index of a log that is no longer there; most often it is not there either */
    if (rename(copy, path) != 0)
        return error_set_errno(err, E_FILE, errno, "%s cannot be put in place", copy);
    return store_sync_folder(path, err);
}

/* What opening the copy laid beside it, and the copy itself when it is of no use. */
static void remove_leftovers(const char *copy, bool failed)
{
    static const char *const tails[] = {".lock", ".reserve"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        char name[STORE_PATH_BYTES + TAIL_BYTES];
        (void)snprintf(name, sizeof name, "%s%s", copy, tails[i]); /* long enough for both */
        (void)unlink(name);                                        /* it may never have been made */
    }
    if (failed)
        store_files_remove(copy);
}

int store_restore(const char *path, const char *backup, struct store_restored *ret_restored,
                  struct error *err)
{
    struct store_lock lock = {.fd = -1};
    struct store_restored restored = {0};
    char copy[STORE_PATH_BYTES], lock_path[STORE_PATH_BYTES];
    if (strlen(path) + TAIL_BYTES > STORE_PATH_BYTES)
        return error_set(err, E_LIMIT, "%s: path too long, at most %d bytes", path,
                         STORE_PATH_BYTES - TAIL_BYTES);
    (void)snprintf(copy, sizeof copy, "%s.restore", path); /* both fit: see above */
    (void)snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    int rc = backup_is_another(path, backup, err);
    if (rc == 0)
        rc = store_folder_make(path, err);
    if (rc == 0)
        rc = lock_open(&lock, lock_path, err);
    if (rc == 0)
        rc = lock_take(&lock, STORE_LOCK_WAIT_MS, err);
    if (rc == 0)
        rc = copy_store(backup, copy, err);
    if (rc == 0)
        rc = check_copy(copy, &restored.audit_rows, err);
    if (rc == 0)
        rc = put_in_place(path, copy, &restored, err);
    if (lock.held)
        remove_leftovers(copy, rc < 0);
    lock_close(&lock);
    if (rc == 0)
        *ret_restored = restored;
    return rc;
}
