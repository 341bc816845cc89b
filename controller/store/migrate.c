/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema's steps, forward only. PRAGMA user_version is part of the transaction of its step: a power cut
 * leaves the step whole or undone.
 */
#include <inttypes.h>
#include <stdio.h>

#include "config/base/error.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

#include "controller/store/schema.inc"

int migrate_version(struct store *store, int *ret_version, int64_t *ret_application, struct error *err)
{
    char version[24];
    char application[24];
    int rc = store_raw_text(store, "PRAGMA user_version", version, sizeof version, err);
    if (rc == 0)
        rc = store_raw_text(store, "PRAGMA application_id", application, sizeof application, err);
    if (rc)
        return rc;
    if (sscanf(version, "%d", ret_version) != 1 || sscanf(application, "%" SCNd64, ret_application) != 1)
        return error_set(err, E_STORE, "store %s: its version cannot be read", store->path);
    return 0;
}

static int step_run(struct store *store, const struct migrate_step *step, struct error *err)
{
    char version[64];
    (void)snprintf(version, sizeof version, "PRAGMA user_version = %d", step->version);
    int rc = store_raw(store, "BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    rc = store_raw(store, step->sql, err);
    if (rc == 0)
        rc = store_raw(store, version, err);
    if (rc == 0)
        rc = store_raw(store, "COMMIT", err);
    if (rc) {
        (void)store_raw(store, "ROLLBACK", NULL); /* fails when SQLite did it by itself */
        (void)error_prefix(err, rc, "schema step %s", step->name);
    }
    return rc;
}

int migrate_run(struct store *store, const struct migrate_step *steps, int count, struct error *err)
{
    int version = 0;
    int64_t application = 0;
    int rc = migrate_version(store, &version, &application, err);
    for (int i = 0; rc == 0 && i < count; i++) {
        if (steps[i].version > version)
            rc = step_run(store, &steps[i], err);
    }
    return rc;
}
