/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements. The cache is a hash table by the address of the SQL text; the text itself is compared, too, so
 * that a caller who reuses a buffer gets a fresh statement and not another's. A statement whose query is
 * still running (a query of the same text inside its own loop) is prepared a second time, loosely.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

static struct store_rows *cache_place(struct store *store, const char *sql)
{
    size_t place = (size_t)(((uintptr_t)sql * 0x9e3779b97f4a7c15ULL) >> 32) % STORE_STATEMENTS;
    while (store->statements[place].sql && store->statements[place].sql != sql)
        place = (place + 1) % STORE_STATEMENTS; /* ends: some places stay free */
    return &store->statements[place];
}

void store_forget_statements(struct store *store)
{
    for (int i = 0; i < STORE_STATEMENTS; i++)
        (void)sqlite3_finalize(store->statements[i].stmt); /* repeats an old code */
    memset(store->statements, 0, sizeof store->statements);
    store->statement_count = 0;
}

static int rows_prepare(struct store *store, struct store_rows *rows, const char *sql, struct error *err)
{
    const char *tail = NULL;
    int code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &rows->stmt, &tail);
    if (code != SQLITE_OK || !rows->stmt) {
        int rc = store_trouble(store, code, "a statement that this store does not understand", err);
        rows->stmt = NULL;
        return rc;
    }
    assert(*tail == '\0'); /* one statement a text */
    rows->store = store;
    return 0;
}

/* A place outside the cache, for a text that runs already or a cache that is full. */
static struct store_rows *rows_loose(void)
{
    struct store_rows *rows = calloc(1, sizeof *rows);
    if (rows)
        rows->loose = true;
    return rows;
}

/* A prepared, reset statement for sql, marked active; NULL on failure. */
static struct store_rows *rows_take(struct store *store, const char *sql, struct error *err)
{
    struct store_rows *rows = cache_place(store, sql);
    if (rows->active || (!rows->sql && store->statement_count >= STORE_STATEMENTS_MOST))
        rows = rows_loose();
    if (!rows) {
        (void)error_set(err, E_MEMORY, "out of memory in store %s", store->path);
        return NULL;
    }
    if (rows->stmt && strcmp(sqlite3_sql(rows->stmt), sql) != 0) {
        (void)sqlite3_finalize(rows->stmt);
        rows->stmt = NULL;
    }
    if (!rows->stmt && rows_prepare(store, rows, sql, err) != 0) {
        if (rows->loose)
            free(rows);
        return NULL;
    }
    if (!rows->sql && !rows->loose)
        store->statement_count++;
    rows->sql = sql;
    rows->active = true;
    return rows;
}

void store_done(struct store_rows *rows)
{
    if (!rows)
        return;
    (void)sqlite3_reset(rows->stmt); /* repeats the code of the last step */
    (void)sqlite3_clear_bindings(rows->stmt);
    rows->active = false;
    if (rows->loose) {
        (void)sqlite3_finalize(rows->stmt);
        free(rows);
    }
}

/* life: SQLITE_STATIC while the caller's values outlive the statement's run (store_exec), SQLITE_TRANSIENT
 * where they may go before it (store_query). */
static int rows_bind(struct store_rows *rows, const char *types, va_list args, sqlite3_destructor_type life,
                     struct error *err)
{
    struct store *store = rows->store;
    int wanted = sqlite3_bind_parameter_count(rows->stmt);
    assert(strlen(types) == (size_t)wanted); /* a letter a parameter */
    (void)wanted;
    int code = SQLITE_OK;
    for (int i = 0; types[i] && code == SQLITE_OK; i++) {
        switch (types[i]) {
        case 'i':
            code = sqlite3_bind_int64(rows->stmt, i + 1, va_arg(args, int64_t));
            break;
        case 't':
            code = sqlite3_bind_text(rows->stmt, i + 1, va_arg(args, const char *), -1, life);
            break;
        case 'b': {
            const void *data = va_arg(args, const void *);
            size_t len = va_arg(args, size_t);
            code = data ? sqlite3_bind_blob64(rows->stmt, i + 1, len ? data : "", len, life)
                        : sqlite3_bind_null(rows->stmt, i + 1);
            break;
        }
        case 'n':
            code = sqlite3_bind_null(rows->stmt, i + 1);
            break;
        default:
            assert(false); /* a type letter is one of i, t, b, n */
        }
    }
    return code == SQLITE_OK ? 0 : store_trouble(store, code, "bind", err);
}

static int rows_start(struct store *store, const char *sql, const char *types, va_list args,
                      sqlite3_destructor_type life, struct store_rows **ret_rows, struct error *err)
{
    struct error ignored;
    if (!err)
        err = &ignored;
    struct store_rows *rows = rows_take(store, sql, err);
    if (!rows)
        return err->code;
    int rc = 0;
    if (!sqlite3_stmt_readonly(rows->stmt)) {
        if (!store->in_write)
            rc = error_set(err, E_STATE, "store %s: writing needs a write transaction: %s", store->path, sql);
        else if (store->broken)
            rc = store_refuse(store, err);
    }
    if (rc == 0)
        rc = rows_bind(rows, types, args, life, err);
    if (rc) {
        store_done(rows);
        return rc;
    }
    *ret_rows = rows;
    return 0;
}

static int exec_va(struct store *store, struct error *err, const char *sql, const char *types, va_list args)
{
    struct store_rows *rows = NULL;
    int rc = rows_start(store, sql, types, args, SQLITE_STATIC, &rows, err);
    if (rc)
        return rc;
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW)
        code = sqlite3_step(rows->stmt);
    if (code != SQLITE_DONE)
        rc = store_trouble(store, code, "write", err);
    store_done(rows);
    return rc;
}

int store_exec_values(struct store *store, struct error *err, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    int rc = exec_va(store, err, sql, types, args);
    va_end(args);
    return rc;
}

int store_insert_values(struct store *store, struct error *err, int64_t *ret_id, const char *sql,
                        const char *types, ...)
{
    va_list args;
    va_start(args, types);
    int rc = exec_va(store, err, sql, types, args);
    va_end(args);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(store->db);
    return rc;
}

int64_t store_rows_written(const struct store *store)
{
    return sqlite3_total_changes64(store->db);
}

int64_t store_changes(struct store *store)
{
    return sqlite3_changes64(store->db);
}

int store_query_values(struct store *store, struct store_rows **ret_rows, struct error *err, const char *sql,
                       const char *types, ...)
{
    *ret_rows = NULL;
    va_list args;
    va_start(args, types);
    int rc = rows_start(store, sql, types, args, SQLITE_TRANSIENT, ret_rows, err);
    va_end(args);
    return rc;
}

int store_next(struct store_rows *rows, struct error *err)
{
    int code = sqlite3_step(rows->stmt);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return store_trouble(rows->store, code, "read", err);
}

int64_t store_int(struct store_rows *rows, int column)
{
    return sqlite3_column_int64(rows->stmt, column);
}

const char *store_text(struct store_rows *rows, int column)
{
    const unsigned char *text = sqlite3_column_text(rows->stmt, column);
    return text ? (const char *)text : "";
}

const void *store_blob(struct store_rows *rows, int column, size_t *ret_len)
{
    const void *data = sqlite3_column_blob(rows->stmt, column);
    *ret_len = (size_t)sqlite3_column_bytes(rows->stmt, column);
    return data ? data : "";
}

bool store_is_null(struct store_rows *rows, int column)
{
    return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

int store_get_int_values(struct store *store, int64_t *ret_value, struct error *err, const char *sql,
                         const char *types, ...)
{
    struct store_rows *rows = NULL;
    va_list args;
    va_start(args, types);
    int rc = rows_start(store, sql, types, args, SQLITE_TRANSIENT, &rows, err);
    va_end(args);
    if (rc)
        return rc;
    rc = store_next(rows, err);
    if (rc == 1) {
        *ret_value = store_int(rows, 0);
        rc = 0;
    } else if (rc == 0) {
        rc = error_set(err, E_NOT_FOUND, "not found in store %s", store->path);
    }
    store_done(rows);
    return rc;
}
