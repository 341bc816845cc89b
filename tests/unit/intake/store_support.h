/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh store in a scratch folder for a test of the intake. For cmocka. */
#ifndef TESTS_UNIT_INTAKE_STORE_SUPPORT_H
#define TESTS_UNIT_INTAKE_STORE_SUPPORT_H

#include <stdint.h>

#include "controller/orders/intake_store.h"
#include "tests/support/scratch.h"

struct fixture {
    struct scratch scratch;
    struct store *store;
    struct intake_stored stored; /* of the last import */
    struct intake_totals totals;
};

int fixture_setup(void **state);
/* The audit chain must hold at the end. */
int fixture_teardown(void **state);
/* An import as of TEST_TODAY with provisional products. */
struct intake_import fixture_import(struct fixture *f);
int64_t count_or_fail(struct fixture *f, const char *sql);

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
