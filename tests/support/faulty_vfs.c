/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/faulty_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <string.h>

/* Our file stands in front of the real one, in one block of memory that SQLite allocates. */
struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real;
    bool database; /* not a log or journal */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    enum faulty_kind kind;
    int nth;
    int writes;
    int syncs;
    bool failed;
} faulty;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

static bool fails(bool of_kind, int count)
{
    if (!of_kind || count < faulty.nth)
        return false;
    faulty.failed = true;
    return true;
}

static int faulty_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int faulty_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), data, len, at);
}

static int faulty_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    faulty.writes++;
    bool full = faulty.kind == FAULTY_WRITE_FULL ||
                (faulty.kind == FAULTY_DATABASE_FULL && ((struct faulty_file *)file)->database);
    if (fails(full, faulty.writes))
        return SQLITE_FULL;
    if (fails(faulty.kind == FAULTY_WRITE_IO, faulty.writes)) {
        (void)real_of(file)->pMethods->xWrite(real_of(file), data, len / 2, at); /* torn on purpose */
        return SQLITE_IOERR_WRITE;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), data, len, at);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    faulty.syncs++;
    if (fails(faulty.kind == FAULTY_SYNC, faulty.syncs))
        return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int faulty_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int faulty_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int faulty_check_lock(sqlite3_file *file, int *ret_held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_held);
}

static int faulty_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int faulty_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int faulty_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int faulty_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_map);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods faulty_methods = {
    .iVersion = 2,
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_size,
    .xLock = faulty_lock,
    .xUnlock = faulty_unlock,
    .xCheckReservedLock = faulty_check_lock,
    .xFileControl = faulty_control,
    .xSectorSize = faulty_sector,
    .xDeviceCharacteristics = faulty_traits,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap,
};

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct faulty_file *ours = (struct faulty_file *)file;
    ours->real = (sqlite3_file *)&ours[1];
    ours->database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    int code = faulty.real->xOpen(faulty.real, name, ours->real, flags, ret_flags);
    ours->base.pMethods = ours->real->pMethods ? &faulty_methods : NULL;
    return code;
}

void faulty_vfs_install(void)
{
    faulty.real = sqlite3_vfs_find(NULL);
    assert_non_null(faulty.real);
    faulty.vfs = *faulty.real; /* all but open goes straight to the real one */
    faulty.vfs.pNext = NULL;
    faulty.vfs.zName = "faulty";
    faulty.vfs.szOsFile = (int)sizeof(struct faulty_file) + faulty.real->szOsFile;
    faulty.vfs.xOpen = faulty_open;
    assert_int_equal(sqlite3_vfs_register(&faulty.vfs, 1), SQLITE_OK);
}

void faulty_vfs_arm(enum faulty_kind kind, int nth)
{
    faulty.kind = kind;
    faulty.nth = nth;
    faulty.writes = 0;
    faulty.syncs = 0;
    faulty.failed = false;
}

bool faulty_vfs_disarm(void)
{
    faulty.kind = FAULTY_NONE;
    return faulty.failed;
}

int faulty_vfs_writes(void)
{
    return faulty.writes;
}

int faulty_vfs_syncs(void)
{
    return faulty.syncs;
}
