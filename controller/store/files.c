/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files beside the store: the reserve that a full disk gets back, the syncs that make a new name last,
 * and what a killed run left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/store_private.h"

static char *reserve_path(const struct store *store)
{
    char *path = NULL;
    return asprintf(&path, "%s.reserve", store->path) < 0 ? NULL : path;
}

/* A disk that is nearly full needs its last blocks for the store itself. */
static bool reserve_fits(const struct store *store)
{
    struct statvfs disk;
    return statvfs(store->path, &disk) == 0 && disk.f_bavail * disk.f_frsize >= 4ULL * STORE_RESERVE_BYTES;
}

void store_reserve_make(const struct store *store)
{
    char *path = reserve_path(store);
    if (path && access(path, F_OK) != 0 && reserve_fits(store)) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            if (posix_fallocate(fd, 0, STORE_RESERVE_BYTES) != 0)
                (void)unlink(path); /* a half reserve promises what it does not hold */
            (void)close(fd);        /* its content does not matter */
        }
    }
    free(path);
}

bool store_reserve_release(const struct store *store)
{
    char *path = reserve_path(store);
    bool released = path && unlink(path) == 0;
    free(path);
    return released;
}

int store_sync_file(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s cannot be opened", path);
    int failed = fsync(fd) != 0 ? errno : 0;
    (void)close(fd); /* what was written is synced or reported */
    return failed ? error_set_errno(err, E_STORE, failed, "%s cannot be synced to disk", path) : 0;
}

int store_sync_folder(const char *path, struct error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return error_set(err, E_MEMORY, "out of memory syncing the folder of %s", path);
    int rc = store_sync_file(dirname(copy), err);
    free(copy);
    return rc;
}

int store_folder_make(const char *path, struct error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return error_set(err, E_MEMORY, "out of memory making store %s", path);
    const char *folder = dirname(copy);
    int rc = 0;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        rc = error_set_errno(err, E_FILE, errno, "folder %s cannot be made", folder);
    free(copy);
    return rc;
}

void store_files_remove(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s%s", path, tails[i]) < 0)
            return;
        (void)unlink(name); /* most of them are not there */
        free(name);
    }
}
