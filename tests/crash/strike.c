/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strike: kills the program that it is loaded into (LD_PRELOAD) with SIGKILL at one of its own system calls.
 * It stands between sachetd and libc, so the product knows nothing of it.
 *
 * Points are counted from 1, for all threads together: of kind "store" each write, sync and truncation of a
 * file of the store (its name begins with sachet.db), of kind "frame" each frame that leaves and each piece
 * of one that came. "before" is before the call does anything, "after" before the program hears what came of
 * it.
 *
 *   STRIKE_KIND=store|frame STRIKE_WHEN=before|after STRIKE_AT=n     n 0: never
 *   STRIKE_COUNTS=FILE     both counts are written there when the program ends by itself
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { STORE, FRAME, KINDS };

static uint64_t counts[KINDS]; /* atomic */
static uint64_t strike_at;
static enum kind strike_kind;
static bool strike_after;
static const char *counts_path;

__attribute__((constructor)) static void read_orders(void)
{
    const char *kind = getenv("STRIKE_KIND"), *when = getenv("STRIKE_WHEN"), *at = getenv("STRIKE_AT");
    strike_kind = kind && strcmp(kind, "frame") == 0 ? FRAME : STORE;
    strike_after = when && strcmp(when, "after") == 0;
    strike_at = at ? strtoull(at, NULL, 10) : 0;
    counts_path = getenv("STRIKE_COUNTS");
}

__attribute__((destructor)) static void tell_counts(void)
{
    FILE *file = counts_path ? fopen(counts_path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%llu %llu\n", (unsigned long long)counts[STORE], (unsigned long long)counts[FRAME]);
    fclose(file);
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause(); /* the signal is on its way */
}

/* The number of this point; dies where the orders say "before". */
static uint64_t reach(enum kind kind)
{
    uint64_t n = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    if (kind == strike_kind && n == strike_at && !strike_after)
        die();
    return n;
}

static void leave(enum kind kind, uint64_t n)
{
    if (kind == strike_kind && n == strike_at && strike_after)
        die();
}

static bool is_store(int fd)
{
    char link[32], path[4096];
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd); /* fits */
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return false;
    path[len] = '\0';
    const char *name = strrchr(path, '/');
    return name && strncmp(name, "/sachet.db", 10) == 0;
}

/* The next function of this name, behind ours. */
static void *real(const char *name, void **kept)
{
    void *found = __atomic_load_n(kept, __ATOMIC_ACQUIRE);
    if (!found) {
        found = dlsym(RTLD_NEXT, name);
        if (!found)
            abort();
        __atomic_store_n(kept, found, __ATOMIC_RELEASE);
    }
    return found;
}

/* One function of libc: what it is, and whether this call of it is a point. */
#define STAND_BEFORE(type_, name_, params_, args_, kind_, is_point_)               \
    type_ name_ params_;                                                           \
    type_ name_ params_                                                            \
    {                                                                              \
        static void *kept;                                                         \
        type_(*behind) params_ = (type_(*) params_)(uintptr_t)real(#name_, &kept); \
        if (!(is_point_))                                                          \
            return behind args_;                                                   \
        uint64_t n = reach(kind_);                                                 \
        type_ result = behind args_;                                               \
        leave(kind_, n);                                                           \
        return result;                                                             \
    }

STAND_BEFORE(ssize_t, pwrite64, (int fd, const void *bytes, size_t len, off64_t at), (fd, bytes, len, at),
             STORE, is_store(fd))
STAND_BEFORE(ssize_t, write, (int fd, const void *bytes, size_t len), (fd, bytes, len), STORE, is_store(fd))
STAND_BEFORE(int, fdatasync, (int fd), (fd), STORE, is_store(fd))
STAND_BEFORE(int, fsync, (int fd), (fd), STORE, is_store(fd))
STAND_BEFORE(int, ftruncate64, (int fd, off64_t len), (fd, len), STORE, is_store(fd))
STAND_BEFORE(ssize_t, send, (int fd, const void *bytes, size_t len, int flags), (fd, bytes, len, flags),
             FRAME, true)

/* A piece of a frame is a point when it has come: before it is read, and before the program sees it. */
STAND_BEFORE(ssize_t, recv, (int fd, void *bytes, size_t len, int flags), (fd, bytes, len, flags), FRAME,
             true)
