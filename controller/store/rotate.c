/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backups stay. Names carry the instant in a form that sorts, and only files whose name is exactly of
 * that form are ever deleted: a folder may hold other things, backups under names of their own included.
 */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

enum { MS_PER_S = 1000, MS_PER_DAY = 86400000 };

/* 0: a digit stands there. */
static const char form[] = "sachet-00000000T000000.000Z.db";

int store_backup_name(const char *folder, int64_t wall_ms, char *ret_path, size_t size, struct error *err)
{
    int year, month, mday;
    int32_t day = instant_day(wall_ms);
    int64_t ms = wall_ms - (int64_t)day * MS_PER_DAY;
    civil_to_ymd(day, &year, &month, &mday);
    int n = snprintf(ret_path, size, "%s/sachet-%04d%02d%02dT%02d%02d%02d.%03dZ.db", folder, year, month,
                     mday, (int)(ms / (60 * 60 * MS_PER_S)), (int)(ms / (60 * MS_PER_S) % 60),
                     (int)(ms / MS_PER_S % 60), (int)(ms % MS_PER_S));
    if (n < 0 || (size_t)n >= size)
        return error_set(err, E_LIMIT, "backup folder %s: path too long", folder);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, E_FILE, errno, "backup folder %s cannot be made", folder);
    return 0;
}

static int is_backup(const struct dirent *entry)
{
    const char *name = entry->d_name;
    if (strlen(name) != sizeof form - 1)
        return 0;
    for (size_t i = 0; form[i]; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (form[i] == '0' ? !digit : name[i] != form[i])
            return 0;
    }
    return 1;
}

/* Newest first. */
static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

static int delete_one(const char *folder, const char *name, struct error *err)
{
    char path[STORE_PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || n >= (int)sizeof path)
        return error_set(err, E_LIMIT, "backup folder %s: path too long", folder);
    return unlink(path) == 0 ? 0 : error_set_errno(err, E_FILE, errno, "backup %s cannot be deleted", path);
}

int store_backup_rotate(const char *folder, const char *newest, int keep, int *ret_deleted, struct error *err)
{
    struct dirent **entries = NULL;
    const char *slash = strrchr(newest, '/');
    const char *made = slash ? slash + 1 : newest;
    int count = scandir(folder, &entries, is_backup, compare), kept = 1, rc = 0;
    *ret_deleted = 0;
    if (count < 0)
        return error_set_errno(err, E_FILE, errno, "backup folder %s cannot be read", folder);
    for (int i = 0; i < count; i++) {
        /* The one just made stays even where a clock that went back makes it look old. */
        if (rc == 0 && strcmp(entries[i]->d_name, made) != 0 && ++kept > keep) {
            rc = delete_one(folder, entries[i]->d_name, err);
            *ret_deleted += rc == 0;
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}
