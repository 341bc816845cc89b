/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection and transactions.
 *
 * Every write transaction runs inside the lock file: lock, BEGIN IMMEDIATE, statements, COMMIT, perhaps a
 * checkpoint, unlock. Opening needs it only to migrate or to turn the journal mode; readers never wait for
 * it. SQLite's own locks stay on below ours and keep foreign programs (a person with the sqlite3 shell) from
 * harm.
 *
 * The database file is never opened past SQLite while a connection is open: closing any descriptor of a file
 * drops all POSIX locks that the process holds on it.
 */
#include "controller/store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/store_private.h"

/* A close does not wait long to tidy up: whoever holds the lock tidies up after itself. */
enum { CLOSE_WAIT_MS = 100 };

static int store_authorize(void *data, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)a, (void)b, (void)c, (void)d;
    const struct store *store = data;
    if (store->internal)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_PRAGMA:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return SQLITE_DENY;
    default:
        return SQLITE_OK;
    }
}

static int store_count_wal(void *data, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    struct store *store = data;
    store->wal_pages = pages;
    return SQLITE_OK;
}

int store_raw(struct store *store, const char *sql, struct error *err)
{
    store->internal = true;
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    store->internal = false;
    if (code == SQLITE_OK)
        return 0;
    char doing[40];
    (void)snprintf(doing, sizeof doing, "%.32s", sql); /* the start tells which one */
    return store_trouble(store, code, doing, err);
}

int store_raw_text(struct store *store, const char *sql, char *ret_text, size_t size, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    store->internal = true;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
    store->internal = false;
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    int rc = 0;
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
        (void)snprintf(ret_text, size, "%s", text ? (const char *)text : "");
    } else {
        rc = store_trouble(store, code, "looking after the store", err);
    }
    (void)sqlite3_finalize(stmt); /* repeats the code of the step */
    return rc;
}

int store_pragma_check(struct store *store, const char *check, struct error *err)
{
    char finding[200];
    int rc = store_raw_text(store, check, finding, sizeof finding, err);
    if (rc)
        return rc;
    if (strcmp(finding, "ok") == 0)
        return 0;
    for (char *c = finding; *c; c++) {
        if (*c == '\n')
            *c = ' ';
    }
    store->broken = true;
    error_set(&store->broken_by, E_STORE,
              "store %s is damaged (%s): stop all programs and restore the last backup", store->path,
              finding);
    return error_set(err, E_STORE, "%s", store->broken_by.message);
}

int store_connect(struct store *store, int flags, struct error *err)
{
    int code =
        sqlite3_open_v2(store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK)
        return store_trouble(store, code, "open", err);
    static const struct {
        int option;
        int value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
        {SQLITE_DBCONFIG_DQS_DML, 0},     {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        code = sqlite3_db_config(store->db, settings[i].option, settings[i].value, NULL);
        if (code != SQLITE_OK)
            return error_set(err, E_STORE, "this SQLite (%s) lacks a setting that sachet needs (%d)",
                             sqlite3_libversion(), settings[i].option);
    }
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);            /* cannot fail */
    (void)sqlite3_wal_hook(store->db, store_count_wal, store);       /* instead of automatic checkpoints */
    (void)sqlite3_set_authorizer(store->db, store_authorize, store); /* cannot fail */
    return store_raw(store,
                     "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                     "PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = ON;"
                     "PRAGMA journal_size_limit = 16777216;",
                     err);
}

void store_disconnect(struct store *store)
{
    store_forget_statements(store);
    if (store->db) {
        int code = sqlite3_close(store->db);
        assert(code == SQLITE_OK); /* else a query was not given back with store_done */
        (void)code;
    }
    store->db = NULL;
}

/* A store without a connection, with its lock file open. */
static int store_prepare(const char *path, struct store **ret_store, struct error *err)
{
    char *lock_path = NULL;
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return error_set(err, E_MEMORY, "out of memory opening store %s", path);
    store->lock.fd = -1;
    store->lock_wait_ms = STORE_LOCK_WAIT_MS;
    store->path = strdup(path);
    int rc = 0;
    if (!store->path || asprintf(&lock_path, "%s.lock", path) < 0)
        rc = error_set(err, E_MEMORY, "out of memory opening store %s", path);
    if (rc == 0)
        rc = lock_open(&store->lock, lock_path, err);
    free(lock_path);
    if (rc) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

/* The whole store under another name; the caller renames it into place. */
static int store_build(const char *path, struct error *err)
{
    struct store store = {.lock.fd = -1};
    store_files_remove(path); /* of a run that was killed */
    store.path = strdup(path);
    if (!store.path)
        return error_set(err, E_MEMORY, "out of memory making store %s", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = 0;
    if (fd < 0)
        rc = error_set_errno(err, E_FILE, errno, "store %s cannot be made", path);
    else
        (void)close(fd); /* empty */
    char mark[64];
    (void)snprintf(mark, sizeof mark, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
    if (rc == 0)
        rc = store_connect(&store, SQLITE_OPEN_READWRITE, err);
    if (rc == 0)
        rc = store_raw(&store, mark, err);
    if (rc == 0)
        rc = migrate_run(&store, migrate_steps, migrate_step_count, err);
    store_disconnect(&store);
    if (rc == 0)
        rc = store_sync_file(path, err);
    free(store.path);
    return rc;
}

int store_create(const char *path, struct error *err)
{
    struct store *store = NULL;
    char *built = NULL;
    int rc = store_folder_make(path, err);
    if (rc == 0)
        rc = store_prepare(path, &store, err);
    if (rc)
        return rc;
    rc = lock_take(&store->lock, store->lock_wait_ms, err);
    if (rc == 0 && access(path, F_OK) == 0)
        rc = error_set(err, E_EXISTS, "store %s is there already", path);
    if (rc == 0 && asprintf(&built, "%s.new", path) < 0)
        rc = error_set(err, E_MEMORY, "out of memory making store %s", path);
    if (rc == 0)
        rc = store_build(built, err);
    if (rc == 0 && rename(built, path) != 0)
        rc = error_set_errno(err, E_FILE, errno, "store %s cannot be made", path);
    if (rc == 0)
        rc = store_sync_folder(path, err);
    if (rc == 0)
        store_reserve_make(store);
    else if (built)
        store_files_remove(built);
    free(built);
    store_close(store);
    return rc;
}

static int version_check(struct store *store, bool migrate, struct error *err)
{
    int version = 0;
    int64_t application = 0;
    int rc = migrate_version(store, &version, &application, err);
    if (rc)
        return rc;
    if (application != STORE_APPLICATION_ID)
        return error_set(err, E_STORE, "%s is not a store of sachet: check the path", store->path);
    if (version > migrate_step_count)
        return error_set(err, E_STORE_VERSION,
                         "store %s is of version %d, this program knows versions up to %d: use the newer "
                         "program that made it",
                         store->path, version, migrate_step_count);
    if (version < migrate_step_count && !migrate)
        return error_set(
            err, E_STORE_VERSION,
            "store %s is of version %d, this program needs %d: back it up, then run `sachet store "
            "check` once",
            store->path, version, migrate_step_count);
    return 0;
}

/* Does opening it take more than reading? Then it is done under the lock. */
static int needs_change(struct store *store, bool *ret_needed, struct error *err)
{
    int version = 0;
    int64_t application = 0;
    char mode[16] = "";
    int rc = migrate_version(store, &version, &application, err);
    if (rc == 0)
        rc = store_raw_text(store, "PRAGMA journal_mode", mode, sizeof mode, err);
    *ret_needed = version < migrate_step_count || strcmp(mode, "wal") != 0;
    return rc;
}

/* A restored backup gets its write-ahead log back, an older schema its missing steps. The lock is held. */
static int store_change(struct store *store, struct error *err)
{
    char mode[16] = "";
    int rc = store_raw_text(store, "PRAGMA journal_mode = WAL", mode, sizeof mode, err);
    if (rc == 0 && strcmp(mode, "wal") != 0)
        rc = error_set(err, E_STORE, "store %s cannot use a write-ahead log (network file system?)",
                       store->path);
    if (rc == 0)
        rc = migrate_run(store, migrate_steps, migrate_step_count, err);
    return rc;
}

/* The connection, checked and up to date. */
static int store_bring_up(struct store *store, bool migrate, struct error *err)
{
    bool needed = false;
    int rc = store_connect(store, SQLITE_OPEN_READWRITE, err);
    if (rc == 0)
        rc = version_check(store, migrate, err);
    if (rc == 0)
        rc = store_pragma_check(store, "PRAGMA quick_check(1)", err);
    if (rc == 0)
        rc = needs_change(store, &needed, err);
    if (rc || !needed)
        return rc;
    rc = lock_take(&store->lock, store->lock_wait_ms, err);
    if (rc == 0)
        rc = store_change(store, err);
    lock_release(&store->lock);
    return rc;
}

struct store *store_open(const char *path, bool migrate, struct error *err)
{
    if (access(path, F_OK) != 0) {
        (void)error_set_errno(
            err, E_FILE, errno,
            "no store %s: is it another site (--site)? 'sachet restore' brings a backup back", path);
        return NULL;
    }
    struct store *store = NULL;
    if (store_prepare(path, &store, err) != 0)
        return NULL;
    if (store_bring_up(store, migrate, err) != 0) {
        store_close(store);
        return NULL;
    }
    store_reserve_make(store);
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_write_rollback(store);
    if (store->db && !store->broken && store->wal_pages > 0 &&
        lock_take(&store->lock, CLOSE_WAIT_MS, NULL) == 0) {
        store_forget_statements(store);
        /* Only tidying up: the WAL is as good a home, and the next one tries again. */
        (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    store_disconnect(store);
    lock_close(&store->lock);
    free(store->path);
    free(store);
}

const char *store_path(const struct store *store)
{
    return store->path;
}

/* A restore puts another file under our path: what is written into the old one would be lost without a word.
 */
static int store_is_in_place(struct store *store, struct error *err)
{
    int moved = 0;
    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || !moved)
        return 0;
    store->broken = true;
    error_set(&store->broken_by, E_STORE,
              "store %s was replaced by another one: end this program, then start again", store->path);
    return error_set(err, E_STORE, "%s", store->broken_by.message);
}

void store_lock_wait(struct store *store, int wait_ms)
{
    store->lock_wait_ms = wait_ms;
}

int store_write_begin(struct store *store, struct error *err)
{
    if (store->in_write || store->in_read)
        return error_set(err, E_STATE, "store %s: a transaction is open already", store->path);
    if (store->broken)
        return store_refuse(store, err);
    int rc = lock_take(&store->lock, store->lock_wait_ms, err);
    if (rc)
        return rc;
    rc = store_is_in_place(store, err);
    if (rc == 0)
        rc = store_raw(store, "BEGIN IMMEDIATE", err);
    if (rc) {
        lock_release(&store->lock);
        return rc;
    }
    store->in_write = true;
    return 0;
}

int store_write_commit(struct store *store, struct error *err)
{
    if (!store->in_write)
        return error_set(err, E_STATE, "store %s: no transaction is open", store->path);
    int rc = store->broken ? store_refuse(store, err) : store_raw(store, "COMMIT", err);
    if (rc) {
        store_write_rollback(store);
        return rc;
    }
    store->in_write = false;
    if (store->wal_pages > STORE_WAL_PAGES) {
        int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        /* The commit stands. A checkpoint that failed makes the store broken and the next begin says so. */
        if (code != SQLITE_OK && code != SQLITE_BUSY)
            (void)store_trouble(store, code, "checkpoint", NULL);
    }
    lock_release(&store->lock);
    return 0;
}

void store_write_rollback(struct store *store)
{
    if (!store->in_write)
        return;
    if (!sqlite3_get_autocommit(store->db))
        (void)store_raw(store, "ROLLBACK",
                        NULL); /* what cannot be undone now is undone by the next opening */
    store->in_write = false;
    lock_release(&store->lock);
}

bool store_in_write(const struct store *store)
{
    return store->in_write;
}

int store_read_begin(struct store *store, struct error *err)
{
    if (store->in_write || store->in_read)
        return error_set(err, E_STATE, "store %s: a transaction is open already", store->path);
    int rc = store_raw(store, "BEGIN", err);
    if (rc)
        return rc;
    store->in_read = true;
    return 0;
}

void store_read_end(struct store *store)
{
    if (!store->in_read)
        return;
    (void)store_raw(store, "ROLLBACK", NULL); /* nothing was written in it */
    store->in_read = false;
}

bool store_broken(const struct store *store)
{
    return store->broken;
}

int64_t store_data_version(struct store *store)
{
    char text[24];
    if (store_raw_text(store, "PRAGMA data_version", text, sizeof text, NULL) != 0)
        return -1;
    return strtoll(text, NULL, 10);
}

void store_cache(struct store *store, int kib)
{
    char sql[48];
    enum { USUAL_KIB = 2000 }; /* SQLite's own */
    (void)snprintf(sql, sizeof sql, "PRAGMA cache_size = -%d", kib > 0 ? kib : USUAL_KIB);
    (void)store_raw(store, sql, NULL); /* without it everything is only slower */
}

int store_checkpoint(struct store *store, struct error *err)
{
    if (store->in_write || store->in_read)
        return error_set(err, E_STATE, "store %s: no checkpoint within a transaction", store->path);
    if (store->broken)
        return store_refuse(store, err);
    int rc = lock_take(&store->lock, store->lock_wait_ms, err);
    if (rc)
        return rc;
    (void)sqlite3_busy_timeout(store->db, 0); /* never wait for a reader while we hold the lock */
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        rc = store_trouble(store, code, "checkpoint", err);
    else
        store->wal_pages = 0;
    lock_release(&store->lock);
    return rc;
}

int store_check(struct store *store, struct error *err)
{
    char table[128];
    int rc = store_pragma_check(store, "PRAGMA integrity_check(1)", err);
    if (rc == 0)
        rc = store_raw_text(store, "PRAGMA foreign_key_check", table, sizeof table, err);
    if (rc == 0 && table[0] != '\0')
        rc = error_set(err, E_STORE,
                       "store %s: a row of table %s refers to one that is not there: restore the last backup",
                       store->path, table);
    return rc;
}
