/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of controller/store share; nobody else includes it but this room's own tests.
 */
#ifndef CONTROLLER_STORE_STORE_PRIVATE_H
#define CONTROLLER_STORE_STORE_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/base/error.h"
#include "controller/store/lock.h"

struct store;

enum {
    STORE_BUSY_MS = 5000,
    STORE_STATEMENTS = 512,      /* places of the statement cache */
    STORE_STATEMENTS_MOST = 384, /* most statements kept prepared */
    STORE_RESERVE_BYTES = 4 * 1024 * 1024,
};

/* A prepared statement. While `active` a query runs on it. */
struct store_rows {
    struct store *store;
    const char *sql; /* NULL: a free place of the cache */
    sqlite3_stmt *stmt;
    bool active;
    bool loose; /* not in the cache: freed when done */
};

struct store {
    sqlite3 *db;
    char *path;
    struct store_lock lock;
    int lock_wait_ms; /* STORE_LOCK_WAIT_MS; tests wait less */
    bool in_write;
    bool in_read;
    bool broken;
    struct error broken_by; /* the first failure, for whoever asks later */
    bool internal;          /* our own statement is being prepared: the authorizer lets it pass */
    int wal_pages;          /* after our last commit */
    int statement_count;
    struct store_rows statements[STORE_STATEMENTS];
};

/* One step of the schema: takes a store of version - 1 to version. */
struct migrate_step {
    int version;
    const char *name;
    const char *sql;
};
extern const struct migrate_step migrate_steps[];
extern const int migrate_step_count;

/* Runs the steps above the file's user_version, one transaction each; a step that fails leaves the version
 * before it. The caller holds the lock. */
int migrate_run(struct store *store, const struct migrate_step *steps, int count, struct error *err);
/* PRAGMA user_version and application_id. */
int migrate_version(struct store *store, int *ret_version, int64_t *ret_application, struct error *err);

/* Opens the connection with the pragmas of this house. flags as in sqlite3_open_v2. */
int store_connect(struct store *store, int flags, struct error *err);
/* Closes what store_connect opened; half-built stores too. */
void store_disconnect(struct store *store);
/* Our own statements: BEGIN, PRAGMA, schema. */
int store_raw(struct store *store, const char *sql, struct error *err);
/* The first column of the first row of our own statement as a text, "" when there is none. */
int store_raw_text(struct store *store, const char *sql, char *ret_text, size_t size, struct error *err);
/* Nothing may be written any more: the first failure stands. Returns its code; err gets its message. */
int store_refuse(const struct store *store, struct error *err);
/* Gives every cached statement back. */
void store_forget_statements(struct store *store);
/* Checks: "ok" or the first finding of PRAGMA `check`. */
int store_pragma_check(struct store *store, const char *check, struct error *err);

/*
 * trouble.c: turns SQLite's code of the connection into ours and sets `broken` where nothing may be written
 * any more. `doing` reads like "commit". Returns the code that err got.
 */
int store_trouble(struct store *store, int sqlite_code, const char *doing, struct error *err);

/* files.c */
/* Makes PATH.reserve when it is missing and the disk has room for several of it; no reserve is no error. */
void store_reserve_make(const struct store *store);
/* True when there was a reserve to give back. */
bool store_reserve_release(const struct store *store);

/* The folder of path, 0700, when it is missing. */
int store_folder_make(const char *path, struct error *err);
/* Removes a database and what SQLite lays beside it, whichever of them are there. */
void store_files_remove(const char *path);

/* fsync of a file and of the folder that holds it. */
int store_sync_file(const char *path, struct error *err);
int store_sync_folder(const char *path, struct error *err);

#endif
