/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/disk_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/rng.h"

enum { SECTOR = 512, NODES_MAX = 8, PATH_BYTES = 512 };

/* One file as programs see it; the real file is what the disk holds. */
struct node {
    char path[PATH_BYTES]; /* "" free */
    uint8_t *data;
    uint8_t *dirty; /* a byte a sector */
    size_t size;
    size_t cap; /* of data, a multiple of SECTOR */
    size_t disk_size;
    int refs;
};

/* Our file stands in front of the real one, in one block of memory that SQLite allocates. */
struct disk_file {
    sqlite3_file base;
    sqlite3_file *real;
    struct node *node; /* NULL: straight to the real one */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    bool on;
    enum disk_fault fault;
    uint64_t nth, changes, writes, syncs, after, lost;
    bool struck;
    struct node nodes[NODES_MAX];
} disk;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct disk_file *)file)->real;
}

static struct node *node_of(sqlite3_file *file)
{
    return ((struct disk_file *)file)->node;
}

/* ---- nodes ---- */

static void node_grow(struct node *node, size_t size)
{
    if (size <= node->cap)
        return;
    size_t cap = (size + 65536) / SECTOR * SECTOR;
    node->data = realloc(node->data, cap);
    node->dirty = realloc(node->dirty, cap / SECTOR);
    assert_true(node->data && node->dirty);
    memset(node->data + node->cap, 0, cap - node->cap);
    memset(node->dirty + node->cap / SECTOR, 0, (cap - node->cap) / SECTOR);
    node->cap = cap;
}

static void node_free(struct node *node)
{
    free(node->data);
    free(node->dirty);
    *node = (struct node){0};
}

/* The page cache of a path; loaded from the file when it is not there yet. */
static struct node *node_get(const char *path)
{
    struct node *free_node = NULL;
    for (int i = 0; i < NODES_MAX; i++) {
        if (strcmp(disk.nodes[i].path, path) == 0)
            return &disk.nodes[i];
        if (!free_node && disk.nodes[i].path[0] == '\0')
            free_node = &disk.nodes[i];
    }
    assert_non_null(free_node);
    struct stat info = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        assert_int_equal(fstat(fd, &info), 0);
    (void)snprintf(free_node->path, sizeof free_node->path, "%s", path); /* scratch paths are short */
    free_node->size = free_node->disk_size = (size_t)info.st_size;
    node_grow(free_node, free_node->size + 1);
    if (fd >= 0) {
        assert_int_equal(read(fd, free_node->data, free_node->size), free_node->size);
        close(fd);
    }
    return free_node;
}

static void put_sector(int fd, const struct node *node, size_t s, size_t len)
{
    size_t at = s * SECTOR;
    assert_int_equal(pwrite(fd, node->data + at, len, (off_t)at), len);
}

static size_t sector_len(const struct node *node, size_t s)
{
    return node->size - s * SECTOR < SECTOR ? node->size - s * SECTOR : SECTOR;
}

/* What SQLite may rely on after a sync. */
static void node_sync(struct node *node)
{
    int fd = open(node->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* deleted meanwhile */
    for (size_t s = 0; s * SECTOR < node->size; s++) {
        if (node->dirty[s])
            put_sector(fd, node, s, sector_len(node, s));
        node->dirty[s] = 0;
    }
    assert_int_equal(ftruncate(fd, (off_t)node->size), 0);
    node->disk_size = node->size;
    close(fd);
}

/* Any subset of what was not synced survives, in any order. */
static void node_lose(struct node *node, struct rng *rng)
{
    int fd = open(node->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    uint32_t keep = rng_below(rng, 4) * 333; /* of a thousand: none, some, most, all */
    bool torn = rng_below(rng, 3) == 0;
    for (size_t s = 0; s * SECTOR < node->size; s++) {
        if (!node->dirty[s])
            continue;
        size_t len = sector_len(node, s);
        if (rng_below(rng, 1000) >= keep) {
            disk.lost++;
            continue;
        }
        if (torn && rng_below(rng, 8) == 0) {
            torn = false;
            len = 1 + rng_below(rng, (uint32_t)len);
        }
        put_sector(fd, node, s, len);
    }
    if (node->size < node->disk_size && rng_below(rng, 2))
        assert_int_equal(ftruncate(fd, (off_t)node->size), 0);
    close(fd);
}

/* ---- the file ---- */

/* True when this change fails. */
static bool fails(enum disk_fault kind, uint64_t count)
{
    if (disk.struck) {
        disk.after++;
        return disk.fault == DISK_STOP || disk.fault == kind;
    }
    disk.struck = disk.fault != DISK_FINE && (disk.fault == kind ? count : disk.changes) >= disk.nth &&
                  (disk.fault == DISK_STOP || disk.fault == kind);
    return disk.struck;
}

static int disk_close(sqlite3_file *file)
{
    struct node *node = node_of(file);
    if (node)
        node->refs--; /* what is in the page cache stays there */
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int disk_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    struct node *node = node_of(file);
    if (!node)
        return real_of(file)->pMethods->xRead(real_of(file), data, len, at);
    size_t have = (size_t)at < node->size ? node->size - (size_t)at : 0;
    if (have >= (size_t)len) {
        memcpy(data, node->data + at, (size_t)len);
        return SQLITE_OK;
    }
    memset(data, 0, (size_t)len);
    memcpy(data, node->data + (have ? at : 0), have);
    return SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct node *node = node_of(file);
    if (!node)
        return real_of(file)->pMethods->xWrite(real_of(file), data, len, at);
    disk.changes++;
    disk.writes++;
    if (fails(DISK_FULL, disk.writes))
        return disk.fault == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    size_t end = (size_t)at + (size_t)len;
    node_grow(node, end);
    memcpy(node->data + at, data, (size_t)len);
    if (end > node->size)
        node->size = end;
    memset(node->dirty + (size_t)at / SECTOR, 1, (end - 1) / SECTOR - (size_t)at / SECTOR + 1);
    return SQLITE_OK;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct node *node = node_of(file);
    if (!node)
        return real_of(file)->pMethods->xTruncate(real_of(file), size);
    disk.changes++;
    if (fails(DISK_STOP, disk.changes))
        return SQLITE_IOERR_TRUNCATE;
    if ((size_t)size < node->size) {
        memset(node->data + size, 0, node->size - (size_t)size);
        node->size = (size_t)size;
    }
    return SQLITE_OK;
}

static int disk_sync(sqlite3_file *file, int flags)
{
    struct node *node = node_of(file);
    if (!node)
        return real_of(file)->pMethods->xSync(real_of(file), flags);
    disk.changes++;
    disk.syncs++;
    if (fails(DISK_SYNC, disk.syncs))
        return SQLITE_IOERR_FSYNC;
    node_sync(node);
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    struct node *node = node_of(file);
    if (!node)
        return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
    *ret_size = (sqlite3_int64)node->size;
    return SQLITE_OK;
}

static int disk_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int disk_check_lock(sqlite3_file *file, int *ret_held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_held);
}

static int disk_control(sqlite3_file *file, int op, void *arg)
{
    /* The real file must not grow ahead of ours. */
    if (node_of(file) && (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE))
        return SQLITE_OK;
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int disk_sector(sqlite3_file *file)
{
    return node_of(file) ? SECTOR : real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int disk_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_map);
}

static int disk_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int disk_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2, /* no memory mapping */
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_check_lock,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* ---- the VFS ---- */

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct disk_file *ours = (struct disk_file *)file;
    ours->real = (sqlite3_file *)&ours[1];
    ours->node = NULL;
    int code = disk.real->xOpen(disk.real, name, ours->real, flags, ret_flags);
    ours->base.pMethods = ours->real->pMethods ? &disk_methods : NULL;
    bool kept = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    if (code == SQLITE_OK && disk.on && name && kept) {
        ours->node = node_get(name);
        ours->node->refs++;
    }
    return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    for (int i = 0; i < NODES_MAX; i++) {
        if (strcmp(disk.nodes[i].path, name) == 0 && disk.nodes[i].refs == 0)
            node_free(&disk.nodes[i]);
    }
    return disk.real->xDelete(disk.real, name, sync);
}

void disk_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    assert_non_null(disk.real);
    disk.vfs = *disk.real;
    disk.vfs.pNext = NULL;
    disk.vfs.zName = "disk";
    disk.vfs.szOsFile = (int)sizeof(struct disk_file) + disk.real->szOsFile;
    disk.vfs.xOpen = disk_open;
    disk.vfs.xDelete = disk_delete;
    assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

void disk_on(enum disk_fault fault, uint64_t nth)
{
    assert_false(disk.on);
    disk.on = true;
    disk.fault = fault;
    disk.nth = nth;
    disk.changes = disk.writes = disk.syncs = disk.after = disk.lost = 0;
    disk.struck = false;
}

uint64_t disk_changes(void)
{
    return disk.changes;
}

uint64_t disk_writes(void)
{
    return disk.writes;
}

uint64_t disk_syncs(void)
{
    return disk.syncs;
}

uint64_t disk_changes_after_fault(void)
{
    return disk.after;
}

bool disk_struck(void)
{
    return disk.struck;
}

uint64_t disk_lost_sectors(void)
{
    return disk.lost;
}

static void end(struct rng *rng)
{
    for (int i = 0; i < NODES_MAX; i++) {
        struct node *node = &disk.nodes[i];
        if (node->path[0] == '\0')
            continue;
        assert_int_equal(node->refs, 0);
        if (rng) {
            char index[PATH_BYTES + 8];
            node_lose(node, rng);
            (void)snprintf(index, sizeof index, "%s-shm", node->path); /* fits */
            (void)unlink(index);                                       /* it was memory */
        } else {
            node_sync(node);
        }
        node_free(node);
    }
    disk.on = false;
}

void disk_off(void)
{
    end(NULL);
}

void disk_lose(struct rng *rng)
{
    end(rng);
}
