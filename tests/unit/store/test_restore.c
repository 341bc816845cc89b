/* SPDX-License-Identifier: Apache-2.0 */
/* A backup takes the store's place whole or not at all, and nothing of the old store is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/scratch.h"

struct place {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    char backup[SCRATCH_PATH_BYTES];
    struct store *store;
};

static void write_or_fail(struct store *store, const char *key)
{
    struct error err = {0};
    int rc = store_write_begin(store, &err);
    if (rc == 0)
        rc = store_exec(store, &err, "INSERT INTO site (key, value) VALUES (?, '')", "t", key);
    if (rc == 0)
        rc = audit_add(store, 1, "test", "test.write", key, NULL, &err);
    if (rc == 0)
        rc = store_write_commit(store, &err);
    if (rc < 0)
        fail_msg("%s", err.message);
}

static struct store *open_or_fail(const char *path)
{
    struct error err = {0};
    struct store *store = store_open(path, false, &err);
    if (!store)
        fail_msg("%s", err.message);
    return store;
}

static int64_t rows_of(const char *path)
{
    struct error err = {0};
    int64_t count = -1;
    struct store *store = open_or_fail(path);
    assert_int_equal(store_get_int(store, &count, &err, "SELECT count(*) FROM site", ""), 0);
    store_close(store);
    return count;
}

/* A store with a row in the backup and one after it, which lies in the log still. */
static void place_init(struct place *p)
{
    struct error err = {0};
    scratch_init(&p->scratch);
    scratch_path(&p->scratch, "sachet.db", p->path);
    scratch_path(&p->scratch, "backup.db", p->backup);
    assert_int_equal(store_create(p->path, &err), 0);
    p->store = open_or_fail(p->path);
    write_or_fail(p->store, "before");
    assert_int_equal(store_backup(p->store, p->backup, &err), 0);
    write_or_fail(p->store, "after");
}

static void place_finish(struct place *p)
{
    store_close(p->store);
    scratch_finish(&p->scratch);
}

/* Hazard H27. */
static void a_backup_takes_the_place_and_the_old_store_is_kept(void **state)
{
    (void)state;
    struct place p;
    struct error err = {0};
    struct store_restored restored;
    place_init(&p);
    store_close(p.store);
    p.store = NULL;
    if (store_restore(p.path, p.backup, &restored, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(restored.audit_rows, 1);
    assert_int_equal(rows_of(p.path), 1);
    assert_int_equal(rows_of(restored.aside), 2); /* its log went with it */
    assert_int_equal(rows_of(p.backup), 1);       /* and the backup is still one */
    char first[STORE_PATH_BYTES];
    (void)snprintf(first, sizeof first, "%s", restored.aside);
    assert_int_equal(store_restore(p.path, first, &restored, &err), 0); /* back again */
    assert_int_equal(rows_of(p.path), 2);
    assert_string_not_equal(restored.aside, first);
    place_finish(&p);
}

static void a_restore_works_where_the_store_is_lost(void **state)
{
    (void)state;
    struct place p;
    struct error err = {0};
    struct store_restored restored;
    char log[SCRATCH_PATH_BYTES + 8];
    place_init(&p);
    store_close(p.store);
    p.store = NULL;
    assert_int_equal(unlink(p.path), 0);
    /* A log without its database must not meet the restored one. */
    (void)snprintf(log, sizeof log, "%s-wal", p.path);
    assert_int_equal(access(log, F_OK), 0);
    assert_int_equal(store_restore(p.path, p.backup, &restored, &err), 0);
    assert_int_equal(access(log, F_OK), -1);
    assert_int_equal(rows_of(p.path), 1);
    place_finish(&p);
}

static void who_still_has_the_old_store_open_cannot_write(void **state)
{
    (void)state;
    struct place p;
    struct error err = {0};
    struct store_restored restored;
    int64_t count = 0;
    place_init(&p);
    assert_int_equal(store_restore(p.path, p.backup, &restored, &err), 0);
    assert_int_equal(store_get_int(p.store, &count, &err, "SELECT count(*) FROM site", ""), 0);
    assert_int_equal(count, 2); /* what it sees is the old one */
    assert_int_equal(store_write_begin(p.store, &err), E_STORE);
    assert_non_null(strstr(err.message, "replaced"));
    assert_true(store_broken(p.store));
    assert_int_equal(rows_of(p.path), 1);
    place_finish(&p);
}

static void patch(const char *path, off_t at, const char *bytes)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, strlen(bytes), at), strlen(bytes));
    close(fd);
}

static void what_is_no_sound_backup_changes_nothing(void **state)
{
    (void)state;
    struct place p;
    struct error err = {0};
    struct store_restored restored;
    char other[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES + 16];
    place_init(&p);
    (void)snprintf(copy, sizeof copy, "%s.restore", p.path);
    assert_int_equal(store_restore(p.path, "/nonexistent/backup", &restored, &err), E_FILE);
    assert_int_equal(store_restore(p.path, p.path, &restored, &err), E_INPUT); /* a store in use */
    scratch_write(&p.scratch, "text", "no database at all, but long enough to look at", other);
    assert_int_equal(store_restore(p.path, other, &restored, &err), E_STORE);
    patch(p.backup, 4096 + 8, "damage in the first leaf of a table or index, whatever it is");
    int rc = store_restore(p.path, p.backup, &restored, &err);
    assert_true(rc == E_STORE || rc == E_TAMPERED);
    assert_int_equal(access(copy, F_OK), -1);
    write_or_fail(p.store, "still"); /* it never left its place */
    assert_int_equal(rows_of(p.path), 3);
    place_finish(&p);
}

static void a_backup_whose_audit_chain_is_broken_is_refused(void **state)
{
    (void)state;
    struct place p;
    struct error err = {0};
    struct store_restored restored;
    place_init(&p);
    int fd = open(p.backup, O_RDWR);
    static char bytes[1 << 20];
    ssize_t len = read(fd, bytes, sizeof bytes);
    assert_true(len > 0);
    char *at = memmem(bytes, (size_t)len, "test.write", 10);
    assert_non_null(at);
    close(fd);
    patch(p.backup, at - bytes, "test.WRITE"); /* pages stay sound, the chain does not */
    assert_int_equal(store_restore(p.path, p.backup, &restored, &err), E_TAMPERED);
    assert_int_equal(rows_of(p.path), 2);
    place_finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_takes_the_place_and_the_old_store_is_kept),
        cmocka_unit_test(a_restore_works_where_the_store_is_lost),
        cmocka_unit_test(who_still_has_the_old_store_open_cannot_write),
        cmocka_unit_test(what_is_no_sound_backup_changes_nothing),
        cmocka_unit_test(a_backup_whose_audit_chain_is_broken_is_refused),
    };
    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
