/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the one SQLite file in which all processes meet, and the only room that knows sqlite3.
 *
 * A room keeps its own SQL beside its own tables and runs it through this thin layer: statements are prepared
 * once and cached by the address of their text, values are bound by a type string, and every write happens
 * between store_write_begin and store_write_commit. Both take and release the lock file beside the store,
 * because SQLite 3.7.0 to 3.51.2 can corrupt a WAL when two connections write and checkpoint at one instant
 * (spec: machine, section 9). Durability: WAL with synchronous=FULL, checkpoints only here and only under the
 * lock.
 *
 * One struct store a thread. store_write_begin may wait for the lock (bounded, then E_LOCKED); commits block
 * for the disk. After E_STORE or E_FULL from a commit the store is broken for good in this process
 * (`store_broken`): stop dispensing and exit; a commit is never retried.
 */
#ifndef CONTROLLER_STORE_STORE_H
#define CONTROLLER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct store;
struct store_rows;

enum { STORE_LOCK_WAIT_MS = 5000, STORE_APPLICATION_ID = 0x73616368 /* "sach" */ };

/* Makes DIR-less file `path` with the newest schema, its lock file and its reserve file; E_EXISTS when it is
 * there. */
int store_create(const char *path, struct error *err);
/*
 * Opens, checks application id, version (newer than ours: E_STORE_VERSION), quick_check; migrates an older
 * one forward, one transaction a step, when migrate is true. NULL on failure, err says why and what to do.
 */
struct store *store_open(const char *path, bool migrate, struct error *err);
void store_close(struct store *store);

int store_write_begin(struct store *store, struct error *err);
int store_write_commit(struct store *store, struct error *err);
/* Undoes the open transaction; nothing when there is none. */
void store_write_rollback(struct store *store);
bool store_in_write(const struct store *store);
/* A commit or sync failed earlier: nothing may be written in this process any more. */
bool store_broken(const struct store *store);

/*
 * Runs one statement. types has a letter a value: 'i' int64_t, 't' const char * (NULL binds NULL), 'b' const
 * void * and size_t, 'n' NULL without an argument. Statement text must be a string literal or live as long as
 * the store. Outside a write transaction only reading statements are allowed (E_STORE for others: a
 * programming error).
 */
int store_exec(struct store *store, struct error *err, const char *sql, const char *types, ...);
/* The same, and the new row's id. */
int store_insert(struct store *store, struct error *err, int64_t *ret_id, const char *sql, const char *types,
                 ...);
/* Rows changed by the last store_exec. */
int64_t store_changes(struct store *store);

/* Starts a query; *ret_rows must be given back with store_done, on the way out of an early return, too. */
int store_query(struct store *store, struct store_rows **ret_rows, struct error *err, const char *sql,
                const char *types, ...);
/* 1: a row is there, 0: no more, negative: error. */
int store_next(struct store_rows *rows, struct error *err);
int64_t store_int(struct store_rows *rows, int column);
/* "" for NULL; valid until the next store_next or store_done. */
const char *store_text(struct store_rows *rows, int column);
const void *store_blob(struct store_rows *rows, int column, size_t *ret_len);
bool store_is_null(struct store_rows *rows, int column);
/* NULL is allowed. */
void store_done(struct store_rows *rows);

/* One value of the first row; E_NOT_FOUND when there is none. */
int store_get_int(struct store *store, int64_t *ret_value, struct error *err, const char *sql,
                  const char *types, ...);

/* Changes whenever another connection has committed: a cheap "look again" (PRAGMA data_version). */
int64_t store_data_version(struct store *store);
/* WAL back into the file, under the lock. Called on close and by sachetd when idle. */
int store_checkpoint(struct store *store, struct error *err);
/* Online backup, integrity_check of the copy, fsync, rename. */
int store_backup(struct store *store, const char *path, struct error *err);
/* integrity_check and foreign_key_check of the whole file. */
int store_check(struct store *store, struct error *err);

#endif
