/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake/store_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/base/error.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/unit/intake/support.h"

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES];
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", path);
    assert_int_equal(seal_init(&err), 0);
    assert_int_equal(store_create(path, &err), 0);
    f->store = store_open(path, false, &err);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    int64_t rows;
    struct error err = {0};
    if (audit_verify(f->store, &rows, &err) != 0)
        fail_msg("%s", err.message);
    store_close(f->store);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

struct intake_import fixture_import(struct fixture *f)
{
    return (struct intake_import){
        .store = f->store,
        .policy = {.today = TEST_TODAY, .max_order_age_days = INTAKE_ORDER_AGE_DAYS, .derive = true},
        .actor = "test",
        .wall_ms = 1795219200000,
    };
}

int64_t count_or_fail(struct fixture *f, const char *sql)
{
    struct error err = {0};
    int64_t count = -1;
    if (store_get_int(f->store, &count, &err, sql, "") != 0)
        fail_msg("%s: %s", sql, err.message);
    return count;
}
