/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that imported orders bring, patient by patient. */
#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/refill/change.h"
#include "controller/store/store.h"

/* Only patients whose signed pouches are not all in the past have anything to lose. */
static int touched(struct store *store, int64_t since_ms, int32_t today, struct arena *arena,
                   int64_t **ret_patients, int64_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t count = 0, used = 0, *patients = NULL;
    int status = store_get_int(store, &count, err, "SELECT count(*) FROM plan WHERE state = 'signed'", "");
    if (status == 0 && !(patients = arena_array(arena, (size_t)count, sizeof *patients)))
        status = error_set(err, E_MEMORY, "no memory for the patients");
    if (status == 0)
        status =
            store_query(store, &rows, err,
                        "SELECT DISTINCT p.patient_id FROM plan p JOIN order_version v ON v.patient_id = "
                        "p.patient_id AND v.current = 1 WHERE p.state = 'signed' AND p.start_day + p.days >= "
                        "? AND v.imported_ms >= ? ORDER BY 1",
                        "ii", (int64_t)today, since_ms);
    int more = 0;
    while (status == 0 && used < count && (more = store_next(rows, err)) > 0)
        patients[used++] = store_int(rows, 0);
    store_done(rows);
    *ret_patients = patients;
    *ret_count = used;
    return status < 0 ? status : more < 0 ? more : 0;
}

int change_notice_since(struct store *store, const struct policy *policy, const struct refill_site *site,
                        int64_t since_ms, const struct record_by *by, int64_t *ret_changes,
                        int64_t *ret_pouches, struct error *err)
{
    struct arena all, one;
    int64_t *patients = NULL, count = 0;
    *ret_changes = 0;
    *ret_pouches = 0;
    arena_init(&all, 0);
    int status = touched(store, since_ms, by->today, &all, &patients, &count, err);
    for (int64_t i = 0; status == 0 && i < count; i++) {
        struct change_made made = {0};
        int changes = 0;
        arena_init(&one, 0);
        status = change_notice(store, policy, site, patients[i], by, &one, &made, &changes, err);
        *ret_changes += changes;
        *ret_pouches += (int64_t)made.count;
        arena_finish(&one);
    }
    arena_finish(&all);
    return status;
}
