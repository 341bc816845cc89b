/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pharmacy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/base/error.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"

void pharmacy_init(struct pharmacy *pharmacy, int patients, int days)
{
    struct error err = {0};
    scratch_init(&pharmacy->scratch);
    scratch_path(&pharmacy->scratch, "sachet.db", pharmacy->path);
    pharmacy->store = NULL;
    if (seal_init(&err) < 0 || demo_store_copy(pharmacy->path, patients, days, &err) < 0)
        fail_msg("%s", err.message);
    pharmacy_reopen(pharmacy);
}

void pharmacy_finish(struct pharmacy *pharmacy)
{
    store_close(pharmacy->store);
    scratch_finish(&pharmacy->scratch);
}

void pharmacy_reopen(struct pharmacy *pharmacy)
{
    struct error err = {0};
    store_close(pharmacy->store);
    pharmacy->store = store_open(pharmacy->path, false, &err);
    if (!pharmacy->store)
        fail_msg("%s", err.message);
}

void pharmacy_exec(struct pharmacy *pharmacy, const char *sql)
{
    struct error err = {0};
    if (store_write_begin(pharmacy->store, &err) < 0 || store_exec(pharmacy->store, &err, sql, "") < 0 ||
        store_write_commit(pharmacy->store, &err) < 0)
        fail_msg("%s: %s", sql, err.message);
}

int64_t pharmacy_int(struct pharmacy *pharmacy, const char *sql)
{
    struct error err = {0};
    int64_t value = 0;
    if (store_get_int(pharmacy->store, &value, &err, sql, "") < 0)
        fail_msg("%s: %s", sql, err.message);
    return value;
}

int64_t pharmacy_batch(struct pharmacy *pharmacy)
{
    struct error err = {0};
    int64_t batch = 0;
    if (demo_store_batch(pharmacy->store, &batch, &err) < 0)
        fail_msg("%s", err.message);
    return batch;
}
