/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Online backup. The copy is made in one step, which is one read transaction: others go on writing into the
 * WAL and nothing restarts the copy. It ends as a single file (no WAL beside it) that is checked before it
 * gets its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

static int copy_all(struct store *from, struct store *to, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (!backup)
        return store_trouble(to, sqlite3_extended_errcode(to->db), "backup", err);
    int code = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        return store_trouble(to, end != SQLITE_OK ? end : code, "backup", err);
    return 0;
}

/* The finished, checked copy under the name to->path. */
static int copy_make(struct store *store, struct store *copy, struct error *err)
{
    (void)unlink(copy->path); /* of a backup that was killed */
    int fd = open(copy->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "backup %s cannot be made", copy->path);
    (void)close(fd); /* empty */
    char mode[16];
    int64_t audit_rows = 0;
    int rc = store_connect(copy, SQLITE_OPEN_READWRITE, err);
    if (rc == 0)
        rc = copy_all(store, copy, err);
    if (rc == 0)
        rc = store_raw_text(copy, "PRAGMA journal_mode = DELETE", mode, sizeof mode, err);
    if (rc == 0 && strcmp(mode, "delete") != 0)
        rc = error_set(err, E_STORE, "backup %s cannot be made a single file", copy->path);
    if (rc == 0)
        rc = store_check(copy, err);
    if (rc == 0)
        rc = audit_verify(copy, &audit_rows, err);
    store_disconnect(copy);
    if (rc == 0)
        rc = store_sync_file(copy->path, err);
    return rc;
}

int store_backup(struct store *store, const char *path, struct error *err)
{
    if (store->in_write)
        return error_set(err, E_STATE, "store %s: no backup within a transaction", store->path);
    if (access(path, F_OK) == 0)
        return error_set(err, E_EXISTS, "backup %s is there already: give a new name", path);
    struct store copy = {.lock.fd = -1};
    if (asprintf(&copy.path, "%s.part", path) < 0)
        return error_set(err, E_MEMORY, "out of memory making backup %s", path);
    int rc = copy_make(store, &copy, err);
    if (rc == 0 && rename(copy.path, path) != 0)
        rc = error_set_errno(err, E_FILE, errno, "backup %s cannot be made", path);
    if (rc)
        (void)unlink(copy.path); /* the half copy is of no use */
    else
        rc = store_sync_folder(path, err);
    free(copy.path);
    return rc;
}
