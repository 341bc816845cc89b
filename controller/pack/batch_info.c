/* SPDX-License-Identifier: Apache-2.0 */
/* Reading batches back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/store/store.h"

#define COLUMNS                                                                                          \
    "SELECT b.id, b.machine, b.state, b.note, coalesce(b.simulated, -1), b.created_by,"                  \
    " coalesce(b.started_by, ''), b.created_ms, coalesce(b.started_ms, 0), coalesce(b.ended_ms, 0),"     \
    " (SELECT count(*) FROM batch_plan p WHERE p.batch_id = b.id),"                                      \
    " (SELECT count(*) FROM job j WHERE j.batch_id = b.id),"                                             \
    " (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'waiting'),"                     \
    " (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'sent'),"                        \
    " (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'good'),"                        \
    " (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'blocked'),"                     \
    " (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'cancelled'),"                   \
    " (SELECT count(*) FROM fill f JOIN job j ON j.id = f.job_id WHERE j.batch_id = b.id AND f.state = " \
    "'void'),"                                                                                           \
    " (SELECT count(*) FROM fill f JOIN job j ON j.id = f.job_id WHERE j.batch_id = b.id"                \
    "   AND f.remake_of IS NOT NULL) FROM batch b "

static void read_info(struct store_rows *rows, struct batch_info *info)
{
    *info = (struct batch_info){
        .id = store_int(rows, 0),
        .simulated = (int)store_int(rows, 4),
        .created_ms = store_int(rows, 7),
        .started_ms = store_int(rows, 8),
        .ended_ms = store_int(rows, 9),
        .plans = store_int(rows, 10),
        .pouches = store_int(rows, 11),
        .waiting = store_int(rows, 12),
        .sent = store_int(rows, 13),
        .good = store_int(rows, 14),
        .blocked = store_int(rows, 15),
        .cancelled = store_int(rows, 16),
        .voids = store_int(rows, 17),
        .remakes = store_int(rows, 18),
    };
    /* Names are bounded where they come in; a long note is cut. */
    (void)snprintf(info->machine, sizeof info->machine, "%s", store_text(rows, 1));
    (void)snprintf(info->state, sizeof info->state, "%s", store_text(rows, 2));
    (void)snprintf(info->note, sizeof info->note, "%s", store_text(rows, 3));
    (void)snprintf(info->created_by, sizeof info->created_by, "%s", store_text(rows, 5));
    (void)snprintf(info->started_by, sizeof info->started_by, "%s", store_text(rows, 6));
}

int batch_get(struct store *store, int64_t batch, struct batch_info *ret_info, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, COLUMNS "WHERE b.id = ?", "i", batch);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        read_info(rows, ret_info);
    store_done(rows);
    if (rc == 0)
        return error_set(err, E_NOT_FOUND, "batch %" PRId64 " does not exist; 'sachet batch list' shows all",
                         batch);
    return rc < 0 ? rc : 0;
}

int batch_list(struct store *store, struct batch_info **ret_infos, size_t *ret_count, struct error *err)
{
    struct batch_info *infos = NULL;
    size_t count = 0, cap = 0;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, COLUMNS "ORDER BY b.id DESC", "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        if (count == cap) {
            cap = cap ? 2 * cap : 16;
            struct batch_info *grown = realloc(infos, cap * sizeof *infos);
            if (!grown) {
                rc = error_set(err, E_MEMORY, "no memory for the list of batches");
                break;
            }
            infos = grown;
        }
        read_info(rows, &infos[count++]);
    }
    store_done(rows);
    if (rc < 0) {
        free(infos);
        return rc;
    }
    *ret_infos = infos;
    *ret_count = count;
    return 0;
}

bool batch_is_resting(const struct batch_info *info)
{
    return strcmp(info->state, "done") == 0 || strcmp(info->state, "stopped") == 0 ||
           (strcmp(info->state, "cancelled") == 0 && info->sent == 0);
}

int batch_blocked(struct store *store, int64_t batch, size_t max, struct arena *arena,
                  const struct batch_blocked **ret_rows, size_t *ret_count, struct error *err)
{
    struct batch_blocked *found = arena_array(arena, max, sizeof *found);
    if (!found)
        return error_set(err, E_MEMORY, "no memory for blocked pouches");
    size_t count = 0;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT j.position, a.source_id, j.pouch, j.note FROM job j JOIN plan p ON p.id ="
                         " j.plan_id JOIN patient a ON a.id = p.patient_id WHERE j.batch_id = ?"
                         " AND j.state = 'blocked' ORDER BY j.position LIMIT ?",
                         "ii", batch, (int64_t)max);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        const char *patient = store_text(rows, 1), *note = store_text(rows, 3);
        found[count] = (struct batch_blocked){.position = store_int(rows, 0), .pouch = store_int(rows, 2)};
        found[count].patient = arena_text(arena, patient, strlen(patient));
        found[count].note = arena_text(arena, note, strlen(note));
        rc = found[count].patient && found[count].note
                 ? 0
                 : error_set(err, E_MEMORY, "no memory for blocked pouches");
        count++;
    }
    store_done(rows);
    *ret_rows = found;
    *ret_count = rc == 0 ? count : 0;
    return rc;
}
