/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several processes on one store: nothing lost, nobody shut out, and a death in the middle of a transaction
 * leaves what was committed. Children never touch cmocka; they tell by exit status and pipe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/store/audit.h"
#include "controller/store/lock.h"
#include "controller/store/store.h"
#include "tests/support/scratch.h"

enum { WRITERS = 4, TRANSACTIONS = 100, KILLS = 12, BACKUPS = 8, SEED = 20261121 };

struct fixture {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", f->path);
    assert_int_equal(store_create(f->path, &f->err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

/* One transaction of several rows that must stand or fall together: a mark, its twin, and an audit row. */
static int write_pair(struct store *store, const char *who, int number, struct error *err)
{
    static const char insert[] = "INSERT INTO site (key, value) VALUES (?, ?)";
    char key[64];
    int rc = store_write_begin(store, err);
    (void)snprintf(key, sizeof key, "%s-%d-a", who, number);
    if (rc == 0)
        rc = store_exec(store, err, insert, "tt", key, who);
    if (rc == 0)
        rc = audit_add(store, number, who, "test.write", key, NULL, err);
    key[strlen(key) - 1] = 'b';
    if (rc == 0)
        rc = store_exec(store, err, insert, "tt", key, who);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

static void writer_main(const char *path, int writer)
{
    struct error err = {0};
    char who[16];
    (void)snprintf(who, sizeof who, "w%d", writer);
    struct store *store = store_open(path, false, &err);
    for (int i = 0; store && i < TRANSACTIONS; i++) {
        if (write_pair(store, who, i, &err))
            break;
        if (i % 25 == writer && store_checkpoint(store, &err))
            break;
    }
    store_close(store);
    if (err.code)
        fprintf(stderr, "%s: %s\n", who, err.message);
    _exit(err.code ? 1 : 0);
}

static int64_t count_or_fail(struct store *store, const char *sql)
{
    struct error err = {0};
    int64_t count = -1;
    if (store_get_int(store, &count, &err, sql, ""))
        fail_msg("%s", err.message);
    return count;
}

static void four_writers_lose_nothing(void **state)
{
    struct fixture *f = *state;
    pid_t children[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            writer_main(f->path, i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct store *store = store_open(f->path, false, &f->err);
    assert_non_null(store);
    int64_t rows = 0;
    assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site"), 2 * WRITERS * TRANSACTIONS);
    assert_int_equal(audit_verify(store, &rows, &f->err), 0);
    assert_int_equal(rows, WRITERS * TRANSACTIONS);
    assert_int_equal(store_check(store, &f->err), 0);
    store_close(store);
}

/* Writes until it is killed; says each committed number on the pipe. */
static void acknowledging_main(const char *path, int fd, int first)
{
    struct error err = {0};
    struct store *store = store_open(path, false, &err);
    for (int32_t i = first; store && write_pair(store, "k", i, &err) == 0; i++) {
        if (write(fd, &i, sizeof i) != (ssize_t)sizeof i)
            break;
    }
    fprintf(stderr, "%s\n", err.message);
    _exit(1);
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    struct fixture *f = *state;
    struct rng rng;
    rng_init(&rng, SEED, 1);
    print_message("seed %d\n", SEED);
    int32_t last = -1;
    for (int round = 0; round < KILLS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            acknowledging_main(f->path, ends[1], last + 2); /* +2: the one in flight may be stored */
        assert_int_equal(close(ends[1]), 0);
        int32_t number = 0;
        uint32_t wanted = 1 + rng_below(&rng, 8);
        for (uint32_t i = 0; i < wanted; i++) {
            assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
            last = number;
        }
        const struct timespec pause = {.tv_nsec = (long)rng_below(&rng, 5000000)};
        (void)nanosleep(&pause, NULL); /* into the middle of the next transaction */
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &number, sizeof number) == (ssize_t)sizeof number)
            last = number;
        assert_int_equal(close(ends[0]), 0);

        struct store *store = store_open(f->path, false, &f->err);
        if (!store)
            fail_msg("round %d: %s", round, f->err.message);
        int64_t found = 0;
        char key[64];
        (void)snprintf(key, sizeof key, "k-%d-b", last);
        assert_int_equal(
            store_get_int(store, &found, &f->err, "SELECT count(*) FROM site WHERE key = ?", "t", key), 0);
        assert_int_equal(found, 1);
        assert_int_equal(count_or_fail(store, "SELECT count(*) FROM site WHERE key LIKE '%a'"),
                         count_or_fail(store, "SELECT count(*) FROM site WHERE key LIKE '%b'"));
        int64_t rows = 0;
        assert_int_equal(audit_verify(store, &rows, &f->err), 0);
        assert_int_equal(2 * rows, count_or_fail(store, "SELECT count(*) FROM site"));
        store_close(store);
    }
}

/* Marks, twins and audit rows of a file that nobody writes any more belong together. */
static int64_t assert_whole(const char *path)
{
    struct error err = {0};
    int64_t rows = 0;
    struct store *store = store_open(path, false, &err);
    if (!store)
        fail_msg("%s", err.message);
    assert_int_equal(audit_verify(store, &rows, &err), 0);
    assert_int_equal(2 * rows, count_or_fail(store, "SELECT count(*) FROM site"));
    store_close(store);
    return rows;
}

static void a_backup_taken_while_another_writes_is_whole(void **state)
{
    struct fixture *f = *state;
    int64_t rows = 0;
    struct store *store = store_open(f->path, false, &f->err);
    assert_non_null(store);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        writer_main(f->path, 0);
    for (int i = 0; i < BACKUPS; i++) {
        char name[32];
        char path[SCRATCH_PATH_BYTES];
        (void)snprintf(name, sizeof name, "backup-%d.db", i);
        assert_int_equal(store_backup(store, scratch_path(&f->scratch, name, path), &f->err), 0);
        int64_t found = assert_whole(path);
        assert_true(found >= rows);
        rows = found;
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    store_close(store);
    assert_int_equal(assert_whole(f->path), TRANSACTIONS);
}

static void a_held_lock_names_its_holder_and_ends_with_it(void **state)
{
    struct fixture *f = *state;
    char lock_path[SCRATCH_PATH_BYTES];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error err = {0};
        struct store *store = store_open(f->path, false, &err);
        if (!store || store_write_begin(store, &err) || write(ends[1], "!", 1) != 1)
            _exit(1);
        (void)pause(); /* until the kill */
        _exit(0);
    }
    char mark = 0;
    assert_int_equal(read(ends[0], &mark, 1), 1);
    struct store_lock lock;
    assert_int_equal(lock_open(&lock, scratch_path(&f->scratch, "sachet.db.lock", lock_path), &f->err), 0);
    assert_int_equal(lock_take(&lock, 30, &f->err), E_LOCKED);
    char holder[64];
    (void)snprintf(holder, sizeof holder, "test-store_processes (process %d)", (int)child);
    assert_non_null(strstr(f->err.message, "sachet.db.lock"));
    assert_non_null(strstr(f->err.message, holder));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(lock_take(&lock, 1000, &f->err), 0);
    lock_close(&lock);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(four_writers_lose_nothing),
        TEST(what_was_acknowledged_survives_a_kill),
        TEST(a_backup_taken_while_another_writes_is_whole),
        TEST(a_held_lock_names_its_holder_and_ends_with_it),
#undef TEST
    };
    return cmocka_run_group_tests_name("store_processes", tests, NULL, NULL);
}
