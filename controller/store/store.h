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
 * One struct store a thread, never across a fork. store_write_begin may wait for the lock (bounded, then
 * E_LOCKED); commits block for the disk. After E_STORE or E_FULL from a write the store is broken for good in
 * this process (`store_broken`): whether that last commit is stored shows at the next start. Stop dispensing
 * and exit; a commit is never retried. On E_FULL the reserve file is given back, so that the next start finds
 * room to work.
 *
 * Error codes besides: E_EXISTS for a value that must be unique, E_INPUT for a value that the schema refuses.
 */
#ifndef CONTROLLER_STORE_STORE_H
#define CONTROLLER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/store/values.h"

struct error;
struct store;
struct store_rows;

enum {
    STORE_LOCK_WAIT_MS = 5000,
    STORE_APPLICATION_ID = 0x73616368, /* "sach" */
    STORE_WAL_PAGES = 4000,            /* a commit that leaves more in the WAL checkpoints it */
};

/* Makes the file `path` (mode 0600) with the newest schema, its lock file and its reserve file, and its
 * folder (0700) when that is missing. All or nothing; E_EXISTS when the file is there. */
int store_create(const char *path, struct error *err);
/*
 * Opens, checks application id, version (newer than ours: E_STORE_VERSION), quick_check; migrates an older
 * one forward, one transaction a step, when migrate is true (else E_STORE_VERSION). NULL on failure, err says
 * why and what to do.
 */
struct store *store_open(const char *path, bool migrate, struct error *err);
/* Undoes an open write transaction. NULL is allowed. */
void store_close(struct store *store);
/* As given to store_open. */
const char *store_path(const struct store *store);

/* How long store_write_begin waits for the lock before it says E_LOCKED; STORE_LOCK_WAIT_MS at first. */
void store_lock_wait(struct store *store, int wait_ms);
int store_write_begin(struct store *store, struct error *err);
int store_write_commit(struct store *store, struct error *err);
/* Undoes the open transaction; nothing when there is none. */
void store_write_rollback(struct store *store);
bool store_in_write(const struct store *store);
/* One snapshot for the queries up to store_read_end, whatever others commit meanwhile. Not in a write
 * transaction, and no write may begin inside. */
int store_read_begin(struct store *store, struct error *err);
void store_read_end(struct store *store);
/* A commit or sync failed earlier: nothing may be written in this process any more. */
bool store_broken(const struct store *store);

/*
 * Runs one statement. types has a letter a value: 'i' an integer, 't' const char * (NULL binds NULL), 'b'
 * const void * and size_t (NULL binds NULL), 'n' NULL without an argument. Values are widened by STORE_VALUES
 * (values.h). Statement text is best a string literal: the address finds the prepared statement. Outside a
 * write transaction only reading statements are allowed; BEGIN, COMMIT, PRAGMA and ATTACH never are (E_STATE:
 * a programming error).
 *
 *   int store_exec(struct store *, struct error *, const char *sql, const char *types, ...);
 */
#define store_exec(store, err, sql, ...) store_exec_values(store, err, sql, STORE_VALUES(__VA_ARGS__))
int store_exec_values(struct store *store, struct error *err, const char *sql, const char *types, ...);
/* The same, and the new row's id.
 *   int store_insert(struct store *, struct error *, int64_t *ret_id, const char *sql, const char *types,
 * ...);
 */
#define store_insert(store, err, ret_id, sql, ...) \
    store_insert_values(store, err, ret_id, sql, STORE_VALUES(__VA_ARGS__))
int store_insert_values(struct store *store, struct error *err, int64_t *ret_id, const char *sql,
                        const char *types, ...);
/* Rows added, changed and removed by this connection since it was opened. */
int64_t store_rows_written(const struct store *store);
/* Rows changed by the last store_exec. */
int64_t store_changes(struct store *store);

/*
 * Starts a query; *ret_rows (NULL on failure) must be given back with store_done, on the way out of an early
 * return, too.
 *
 *   int store_query(struct store *, struct store_rows **ret_rows, struct error *, const char *sql,
 *                   const char *types, ...);
 */
#define store_query(store, ret_rows, err, sql, ...) \
    store_query_values(store, ret_rows, err, sql, STORE_VALUES(__VA_ARGS__))
int store_query_values(struct store *store, struct store_rows **ret_rows, struct error *err, const char *sql,
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

/* One value of the first row; E_NOT_FOUND when there is none.
 *   int store_get_int(struct store *, int64_t *ret_value, struct error *, const char *sql, const char *types,
 *                     ...);
 */
#define store_get_int(store, ret_value, err, sql, ...) \
    store_get_int_values(store, ret_value, err, sql, STORE_VALUES(__VA_ARGS__))
int store_get_int_values(struct store *store, int64_t *ret_value, struct error *err, const char *sql,
                         const char *types, ...);

/* Changes whenever another connection has committed: a cheap "look again" (PRAGMA data_version). */
int64_t store_data_version(struct store *store);
/* Memory for pages: an import that writes many rows at once asks for more, and gives it back (0: as before).
 */
void store_cache(struct store *store, int kib);
/* WAL back into the file, as far as readers let it, under the lock. Called on close after writing, by a
 * commit over STORE_WAL_PAGES, and by sachetd when idle. */
int store_checkpoint(struct store *store, struct error *err);
/* Online backup into the new file `path` (0600; E_EXISTS when it is there): copy, pages, references and audit
 * chain of the copy checked, fsync, rename. Others may write meanwhile. */
int store_backup(struct store *store, const char *path, struct error *err);
/* FOLDER/sachet-20261121T234500.123Z.db, where the next backup goes; makes the folder (0700) when it is
 * missing. */
int store_backup_name(const char *folder, int64_t wall_ms, char *ret_path, size_t size, struct error *err);
/* Deletes backups of such names, the oldest first, until `keep` are left with `newest`, which always stays.
 */
int store_backup_rotate(const char *folder, const char *newest, int keep, int *ret_deleted,
                        struct error *err);

enum { STORE_PATH_BYTES = 4096 };

struct store_restored {
    char aside[STORE_PATH_BYTES]; /* where the old store lies now; "" there was none */
    int64_t audit_rows;           /* of the restored one */
};

/*
 * The backup takes the place of the store `path`, whose files are moved aside, not deleted. Pages, references
 * and audit chain of the backup are checked on a copy before anything moves; an older schema is brought
 * forward. A program that has the old store open can read on, but its next write fails for good (E_STORE).
 * What machines did since the backup was made is found out at the next connect, by their counters (rule C7).
 * E_FILE, E_INPUT (the store itself is no backup), E_STORE, E_STORE_VERSION, E_TAMPERED, E_LOCKED.
 */
int store_restore(const char *path, const char *backup, struct store_restored *ret_restored,
                  struct error *err);
/* integrity_check and foreign_key_check of the whole file; E_STORE names the first finding. */
int store_check(struct store *store, struct error *err);

#endif
