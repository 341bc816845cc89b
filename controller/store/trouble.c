/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trouble with the store: one table from SQLite's result codes to ours, to what a person does next, and to
 * whether this process may ever write again. A failed write or fsync is final (the kernel may have dropped
 * the pages and call the next fsync clean), so is a full disk, so is damage.
 */
#include "config/base/error.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

static const struct trouble {
    int sqlite_code; /* extended where it matters, else primary */
    int code;
    bool final;
    const char *next;
} troubles[] = {
    {.sqlite_code = SQLITE_FULL,
     .code = E_FULL,
     .final = true,
     .next = "free space on the disk, then start again"},
    {.sqlite_code = SQLITE_IOERR_NOMEM,
     .code = E_MEMORY,
     .final = false,
     .next = "free memory, then try again"},
    {.sqlite_code = SQLITE_IOERR,
     .code = E_STORE,
     .final = true,
     .next = "check the disk, then start again; what the last step stored shows then"},
    {.sqlite_code = SQLITE_CORRUPT,
     .code = E_STORE,
     .final = true,
     .next = "the file is damaged: stop all programs and restore the last backup"},
    {.sqlite_code = SQLITE_NOTADB,
     .code = E_STORE,
     .final = true,
     .next = "the file is no store of sachet, or it is damaged: restore the last backup"},
    {.sqlite_code = SQLITE_BUSY,
     .code = E_LOCKED,
     .final = false,
     .next = "a program that is not sachet's holds the file: close it, then try again"},
    {.sqlite_code = SQLITE_LOCKED, .code = E_LOCKED, .final = false, .next = "end the open query first"},
    {.sqlite_code = SQLITE_READONLY,
     .code = E_FILE,
     .final = false,
     .next = "the file or its folder may not be written: check owner and mode"},
    {.sqlite_code = SQLITE_PERM, .code = E_FILE, .final = false, .next = "check owner and mode of the file"},
    {.sqlite_code = SQLITE_CANTOPEN,
     .code = E_FILE,
     .final = false,
     .next = "check that the folder is there and its owner and mode"},
    {.sqlite_code = SQLITE_NOMEM, .code = E_MEMORY, .final = false, .next = "free memory, then try again"},
    {.sqlite_code = SQLITE_CONSTRAINT_UNIQUE,
     .code = E_EXISTS,
     .final = false,
     .next = "it is stored already"},
    {.sqlite_code = SQLITE_CONSTRAINT_PRIMARYKEY,
     .code = E_EXISTS,
     .final = false,
     .next = "it is stored already"},
    {.sqlite_code = SQLITE_CONSTRAINT_ROWID,
     .code = E_EXISTS,
     .final = false,
     .next = "it is stored already"},
    {.sqlite_code = SQLITE_CONSTRAINT,
     .code = E_INPUT,
     .final = false,
     .next = "the store's rules refuse it"},
    {.sqlite_code = SQLITE_TOOBIG, .code = E_LIMIT, .final = false, .next = "the value is too long"},
    {.sqlite_code = SQLITE_AUTH,
     .code = E_STATE,
     .final = false,
     .next = "rooms may only read and write rows, not steer the store"},
};

static const struct trouble *trouble_find(int sqlite_code)
{
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        if (troubles[i].sqlite_code == sqlite_code || troubles[i].sqlite_code == (sqlite_code & 0xff))
            return &troubles[i];
    }
    return NULL;
}

static int say_trouble(struct store *store, const struct trouble *trouble, int sqlite_code, const char *doing,
                       struct error *err)
{
    const char *text = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(sqlite_code);
    if (!trouble)
        return error_set(err, E_STORE, "store %s: %s: %s (%d)", store->path, doing, text, sqlite_code);
    if (trouble->code == E_FULL) {
        bool released = store_reserve_release(store);
        return error_set(err, E_FULL, "store %s: %s: disk full, nothing of it was kept%s: %s", store->path,
                         doing, released ? ", the reserve was given back" : "", trouble->next);
    }
    return error_set(err, trouble->code, "store %s: %s: %s: %s", store->path, doing, text, trouble->next);
}

int store_trouble(struct store *store, int sqlite_code, const char *doing, struct error *err)
{
    const struct trouble *trouble = trouble_find(sqlite_code);
    struct error why = {0};
    int rc = say_trouble(store, trouble, sqlite_code, doing, &why);
    if (trouble && trouble->final && !store->broken) {
        store->broken = true;
        store->broken_by = why;
    }
    return error_set(err, rc, "%s", why.message);
}

int store_refuse(const struct store *store, struct error *err)
{
    return error_set(err, store->broken_by.code ? store->broken_by.code : E_STORE,
                     "nothing can be stored after an earlier failure, end this program: %s",
                     store->broken_by.message);
}
