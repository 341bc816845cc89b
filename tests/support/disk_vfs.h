/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk_vfs: a disk that loses what was not synced, below SQLite's default VFS.
 *
 * While it is on, writes to databases, journals and write-ahead logs stay in memory (the page cache) and
 * reach the real file only when SQLite syncs. A power loss then keeps a random subset of the unsynced sectors
 * of 512 bytes, perhaps one of them torn, and loses the rest, file sizes included; a killed process loses
 * nothing. Locks and the shared-memory index go to the real file. Making, naming and deleting files counts as
 * durable at once: the store syncs folders itself, outside SQLite.
 *
 * Install once, before the first connection; it becomes the default VFS and is off: files opened while it is
 * off are the real ones. One thread.
 */
#ifndef TESTS_SUPPORT_DISK_VFS_H
#define TESTS_SUPPORT_DISK_VFS_H

#include <stdbool.h>
#include <stdint.h>

struct rng;

enum disk_fault {
    DISK_FINE,
    DISK_STOP, /* the nth change (write, truncation, sync) and all later ones fail: the host goes down there
                */
    DISK_SYNC, /* the nth sync and all later ones fail */
    DISK_FULL, /* the nth write and all later ones find no space */
};

void disk_install(void);
/* On, with an empty page cache; the next connections go through it. */
void disk_on(enum disk_fault fault, uint64_t nth);
/* Changes since disk_on, failed ones included; and those that were tried after the fault had struck. */
uint64_t disk_changes(void);
uint64_t disk_syncs(void);
uint64_t disk_writes(void);
uint64_t disk_changes_after_fault(void);
bool disk_struck(void);
/* Off, with no connection open: everything unsynced reaches the files (a killed process). */
void disk_off(void);
/* Off, with no connection open: the power goes. */
void disk_lose(struct rng *rng);
/* Sectors that the last disk_lose dropped. */
uint64_t disk_lost_sectors(void);

#endif
