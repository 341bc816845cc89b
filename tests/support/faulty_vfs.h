/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faulty_vfs: a shim over SQLite's default VFS that lets the n-th write or sync fail, and all after it.
 *
 * Install once, before the first connection; it becomes the default VFS. One thread. Reads, locks and the
 * shared-memory index pass through. The counters run from faulty_vfs_arm.
 */
#ifndef TESTS_SUPPORT_FAULTY_VFS_H
#define TESTS_SUPPORT_FAULTY_VFS_H

#include <stdbool.h>

enum faulty_kind {
    FAULTY_NONE,
    FAULTY_WRITE_FULL,    /* writes: no space left */
    FAULTY_DATABASE_FULL, /* the same, but only in the database itself: its log finds room */
    FAULTY_WRITE_IO,      /* writes: half of the bytes arrive, then an I/O error */
    FAULTY_SYNC,          /* syncs fail */
};

void faulty_vfs_install(void);
/* The nth (from 1) operation of that kind from now on fails, and every later one. */
void faulty_vfs_arm(enum faulty_kind kind, int nth);
/* Everything works again; returns true when something had failed. */
bool faulty_vfs_disarm(void);
/* Operations since faulty_vfs_arm. */
int faulty_vfs_writes(void);
int faulty_vfs_syncs(void);

#endif
