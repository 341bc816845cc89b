/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/folder.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/error.h"

enum { NAME_ROOM = 64 };

static int make_in(struct folder *folder, const char *base, struct error *err)
{
    struct folder made;
    int len = snprintf(made.path, sizeof made.path, "%s/sachet-XXXXXX", base);
    folder->path[0] = '\0';
    if (len >= FOLDER_PATH_BYTES - NAME_ROOM)
        return error_set(err, E_FILE, "TMPDIR is too long, at most %d bytes",
                         FOLDER_PATH_BYTES - NAME_ROOM - 16);
    if (!mkdtemp(made.path))
        return error_set_errno(err, E_FILE, errno, "%s: no folder can be made there, set TMPDIR", made.path);
    *folder = made;
    return 0;
}

int folder_make(struct folder *folder, struct error *err)
{
    const char *base = getenv("TMPDIR");
    return make_in(folder, base && *base ? base : "/tmp", err);
}

int folder_make_in_memory(struct folder *folder, struct error *err)
{
    static const char memory[] = "/dev/shm";
    return access(memory, W_OK) == 0 ? make_in(folder, memory, err) : folder_make(folder, err);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void folder_remove(struct folder *folder)
{
    if (folder->path[0])
        (void)nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    folder->path[0] = '\0';
}

const char *folder_path(const struct folder *folder, const char *name, char ret_path[FOLDER_PATH_BYTES])
{
    int len = snprintf(ret_path, FOLDER_PATH_BYTES, "%s/%s", folder->path, name);
    assert(len > 0 && len < FOLDER_PATH_BYTES);
    return ret_path;
}
