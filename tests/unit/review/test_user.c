/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tests/support/scratch.h"

enum { LOCK_AFTER = 4 };

/* 2026-11-21 00:00 UTC */
static const int64_t now_ms = 1795219200000;
static const char password[] = "demo password 1";

struct fixture {
    struct scratch scratch;
    struct store *store;
    struct user chief; /* a pharmacist, logged in */
    struct error err;
};

static int64_t add_or_fail(struct fixture *f, const struct user *by, const char *login, const char *role)
{
    int64_t id = 0;
    if (user_add(f->store, by, login, "Test Person", role, password, now_ms, &id, &f->err))
        fail_msg("%s", f->err.message);
    return id;
}

static int64_t count_or_fail(struct fixture *f, const char *sql)
{
    int64_t count = -1;
    if (store_get_int(f->store, &count, &f->err, sql, ""))
        fail_msg("%s", f->err.message);
    return count;
}

/* Hashing ten passwords takes a second: the first of the failures are written down. */
static void failures_or_fail(struct fixture *f, int count)
{
    assert_int_equal(store_write_begin(f->store, &f->err), 0);
    assert_int_equal(store_exec(f->store, &f->err, "UPDATE user SET failed_logins = ?", "i", count), 0);
    assert_int_equal(store_write_commit(f->store, &f->err), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[SCRATCH_PATH_BYTES];
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", path);
    assert_int_equal(seal_init(&f->err), 0);
    assert_int_equal(store_create(path, &f->err), 0);
    f->store = store_open(path, false, &f->err);
    assert_non_null(f->store);
    (void)add_or_fail(f, NULL, "chief", USER_PHARMACIST);
    assert_int_equal(user_by_login(f->store, "chief", &f->chief, &f->err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    int64_t rows = 0;
    assert_int_equal(audit_verify(f->store, &rows, &f->err), 0);
    store_close(f->store);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

static void only_the_first_user_needs_nobody(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;
    struct user helper;
    assert_int_equal(
        user_add(f->store, NULL, "second", "Second", USER_PHARMACIST, password, now_ms, &id, &f->err),
        E_DENIED);
    (void)add_or_fail(f, &f->chief, "helper", USER_TECHNICIAN);
    assert_int_equal(user_by_login(f->store, "helper", &helper, &f->err), 0);
    assert_int_equal(
        user_add(f->store, &helper, "second", "Second", USER_TECHNICIAN, password, now_ms, &id, &f->err),
        E_DENIED);
    helper =
        (struct user){.id = helper.id, .role = USER_PHARMACIST}; /* what the caller claims does not count */
    assert_int_equal(
        user_add(f->store, &helper, "second", "Second", USER_TECHNICIAN, password, now_ms, &id, &f->err),
        E_DENIED);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM user"), 2);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action = 'user.add'"), 2);
}

static void the_first_user_must_be_a_pharmacist(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    int64_t id = 0;
    (void)scratch_path(&f->scratch, "other.db", path);
    assert_int_equal(store_create(path, &f->err), 0);
    struct store *store = store_open(path, false, &f->err);
    assert_non_null(store);
    assert_int_equal(
        user_add(store, NULL, "assistant", "Assistant", USER_TECHNICIAN, password, now_ms, &id, &f->err),
        E_DENIED);
    assert_int_equal(
        user_add(store, NULL, "assistant", "Assistant", USER_PHARMACIST, password, now_ms, &id, &f->err), 0);
    store_close(store);
}

static void bad_logins_names_roles_and_passwords_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *login, *name, *role, *password;
        int code;
    } cases[] = {
        {.login = "", .code = E_INPUT},
        {.login = "a", .code = E_INPUT},
        {.login = "Assistant", .code = E_INPUT},
        {.login = "1first", .code = E_INPUT},
        {.login = "fi rst", .code = E_INPUT},
        {.login = "first\n", .code = E_INPUT},
        {.login = "abcdefghijklmnopqrstuvwxyz0123456", .code = E_INPUT},
        {.login = "chief", .code = E_EXISTS},
        {.name = "", .code = E_INPUT},
        {.name = " Anna", .code = E_INPUT},
        {.name = "An\nna", .code = E_INPUT},
        {.name = "An\xff", .code = E_INPUT},
        {.role = "owner", .code = E_INPUT},
        {.role = "", .code = E_INPUT},
        {.password = "1234567", .code = E_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t id = 0;
        int rc = user_add(f->store, &f->chief, cases[i].login ? cases[i].login : "assistant",
                          cases[i].name ? cases[i].name : "Assistant",
                          cases[i].role ? cases[i].role : USER_TECHNICIAN,
                          cases[i].password ? cases[i].password : password, now_ms, &id, &f->err);
        if (rc != cases[i].code)
            fail_msg("case %zu: %d %s", i, rc, f->err.message);
        assert_false(store_in_write(f->store));
    }
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM user"), 1);
}

static void the_right_password_logs_in_and_says_who(void **state)
{
    struct fixture *f = *state;
    struct user user = {0};
    assert_int_equal(user_login(f->store, LOCK_AFTER, "chief", password, now_ms, &user, &f->err), 0);
    assert_string_equal(user.login, "chief");
    assert_string_equal(user.name, "Test Person");
    assert_true(user_is_pharmacist(&user));
}

static void every_refusal_reads_the_same(void **state)
{
    struct fixture *f = *state;
    struct user user = {0};
    struct error wrong = {0};
    (void)add_or_fail(f, &f->chief, "gone", USER_TECHNICIAN);
    assert_int_equal(user_disable(f->store, &f->chief, "gone", now_ms, &f->err), 0);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "chief", "not the password", now_ms, &user, &wrong),
                     E_DENIED);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "nobody", password, now_ms, &user, &f->err), E_DENIED);
    assert_string_equal(f->err.message, wrong.message);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "gone", password, now_ms, &user, &f->err), E_DENIED);
    assert_string_equal(f->err.message, wrong.message);
    assert_int_equal(user.id, 0);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action = 'user.login_failed'"), 1);
}

static void wrong_passwords_lock_the_login_for_a_while(void **state)
{
    struct fixture *f = *state;
    struct user user = {0};
    failures_or_fail(f, LOCK_AFTER - 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            user_login(f->store, LOCK_AFTER, "chief", "not the password", now_ms, &user, &f->err), E_DENIED);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "chief", password, now_ms, &user, &f->err), E_DENIED);
    assert_int_equal(
        user_login(f->store, LOCK_AFTER, "chief", password, now_ms + USER_LOCK_MS - 1, &user, &f->err),
        E_DENIED);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action = 'user.lock'"), 1);
    assert_int_equal(
        user_login(f->store, LOCK_AFTER, "chief", password, now_ms + USER_LOCK_MS, &user, &f->err), 0);
    assert_int_equal(count_or_fail(f, "SELECT failed_logins + locked_until_ms FROM user"), 0);
}

static void a_right_password_forgets_the_wrong_ones(void **state)
{
    struct fixture *f = *state;
    struct user user = {0};
    for (int round = 0; round < 2; round++) {
        failures_or_fail(f, round ? 1 : LOCK_AFTER - 2);
        assert_int_equal(
            user_login(f->store, LOCK_AFTER, "chief", "not the password", now_ms, &user, &f->err), E_DENIED);
        assert_int_equal(user_login(f->store, LOCK_AFTER, "chief", password, now_ms, &user, &f->err), 0);
    }
}

static void a_pharmacist_disables_and_enables_others_but_not_himself(void **state)
{
    struct fixture *f = *state;
    struct user user = {0};
    struct user other;
    (void)add_or_fail(f, &f->chief, "other", USER_PHARMACIST);
    assert_int_equal(user_by_login(f->store, "other", &other, &f->err), 0);
    assert_int_equal(user_disable(f->store, &f->chief, "chief", now_ms, &f->err), E_STATE);
    assert_int_equal(user_disable(f->store, &f->chief, "nobody", now_ms, &f->err), E_NOT_FOUND);
    assert_int_equal(user_disable(f->store, NULL, "other", now_ms, &f->err), E_DENIED);
    assert_int_equal(user_disable(f->store, &f->chief, "other", now_ms, &f->err), 0);
    /* a login from before the disabling does not help */
    assert_int_equal(user_disable(f->store, &other, "chief", now_ms, &f->err), E_DENIED);
    assert_int_equal(user_enable(f->store, &f->chief, "other", now_ms, &f->err), 0);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "other", password, now_ms, &user, &f->err), 0);
}

static void a_new_password_keeps_the_key(void **state)
{
    struct fixture *f = *state;
    static const char newer[] = "demo password 2";
    static const char text[] = "sachet-plan/1\n";
    struct user user;
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    assert_int_equal(
        user_password_change(f->store, LOCK_AFTER, "chief", "not the password", newer, now_ms, &f->err),
        E_DENIED);
    assert_int_equal(user_password_change(f->store, LOCK_AFTER, "chief", password, "short", now_ms, &f->err),
                     E_INPUT);
    assert_int_equal(user_password_change(f->store, LOCK_AFTER, "chief", password, newer, now_ms, &f->err),
                     0);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "chief", password, now_ms, &user, &f->err), E_DENIED);
    assert_int_equal(user_login(f->store, LOCK_AFTER, "chief", newer, now_ms, &user, &f->err), 0);
    assert_memory_equal(user.public_key, f->chief.public_key, sizeof user.public_key);
    assert_int_equal(user_sign(&user, password, text, sizeof text, signature, &f->err), E_DENIED);
    assert_int_equal(user_sign(&user, newer, text, sizeof text, signature, &f->err), 0);
    assert_true(seal_verify(f->chief.public_key, text, sizeof text, signature));
}

static void a_swapped_key_does_not_sign(void **state)
{
    struct fixture *f = *state;
    struct user user = f->chief;
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    user.public_key[0] ^= 1;
    assert_int_equal(user_sign(&user, password, "x", 1, signature, &f->err), E_TAMPERED);
}

static void the_list_shows_all_by_login(void **state)
{
    struct fixture *f = *state;
    struct user *users = NULL;
    int count = 0;
    (void)add_or_fail(f, &f->chief, "assistant", USER_TECHNICIAN);
    assert_int_equal(user_list(f->store, &users, &count, &f->err), 0);
    assert_int_equal(count, 2);
    assert_string_equal(users[0].login, "assistant");
    assert_string_equal(users[1].login, "chief");
    free(users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(only_the_first_user_needs_nobody),
        TEST(the_first_user_must_be_a_pharmacist),
        TEST(bad_logins_names_roles_and_passwords_are_refused),
        TEST(the_right_password_logs_in_and_says_who),
        TEST(every_refusal_reads_the_same),
        TEST(wrong_passwords_lock_the_login_for_a_while),
        TEST(a_right_password_forgets_the_wrong_ones),
        TEST(a_pharmacist_disables_and_enables_others_but_not_himself),
        TEST(a_new_password_keeps_the_key),
        TEST(a_swapped_key_does_not_sign),
        TEST(the_list_shows_all_by_login),
#undef TEST
    };
    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
