/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs: from an input, or from the store itself, with their audit row. */
#include "controller/orders/intake_store_private.h"

#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int audit_run(struct run *run, const char *action, struct error *err)
{
    const struct intake_totals *totals = &run->import->totals;
    const struct intake_stored *stored = &run->import->stored;
    char detail[512];
    (void)snprintf(detail, sizeof detail,
                   "{\"requests\":%" PRId64 ",\"packable\":%" PRId64 ",\"waiting\":%" PRId64
                   ",\"refused\":%" PRId64 ",\"new\":%" PRId64 ",\"changed\":%" PRId64
                   ",\"read_anew\":%" PRId64 ",\"texts_refused\":%" PRId64 ",\"files_refused\":%" PRId64 "}",
                   totals->requests, totals->outcomes[OUTCOME_PACKABLE], totals->outcomes[OUTCOME_WAITING],
                   totals->outcomes[OUTCOME_REFUSED], stored->orders_new, stored->orders_changed,
                   stored->orders_read_anew, totals->texts_refused, totals->files_refused);
    int rc = run_begin(run, err);
    if (rc == 0)
        rc = audit_add(run->store, run->import->wall_ms, run->import->actor, action, "intake", detail, err);
    return rc == 0 ? run_end(run, true, err) : rc;
}

static int touched_index(void *data, const char *id, const struct intake_patient *known, struct error *err)
{
    struct run *run = data;
    int64_t ignored;
    run_forget(run);
    int rc = known != NULL ? run_keep_patient(run, id, known, false, &ignored, err) : 0;
    return rc == 0 ? run_each_known(run, id, false, err) : rc;
}

static int touched_read(void *data, const char *id, const struct intake_patient *known, struct error *err)
{
    (void)known;
    run_forget(data);
    return run_each_known(data, id, true, err);
}

/* What is imported: files and folders, or (paths NULL) texts that are made, or (walk NULL) one text. */
struct input {
    const char *const *paths;
    int count;
    const struct intake_texts *texts;
    const char *place, *text;
    size_t len;
};

static int index_text(void *to, const char *place, const char *text, size_t len, struct error *err)
{
    return intake_index_text(to, place, text, len, err);
}

static int read_text(void *to, const char *place, const char *text, size_t len, struct error *err)
{
    return intake_read_text(to, place, text, len, err);
}

int intake_run_walk(struct intake *intake, const struct intake_texts *texts, struct error *err)
{
    int rc = texts->walk(texts->data, index_text, intake, err);
    return rc == 0 ? texts->walk(texts->data, read_text, intake, err) : rc;
}

static int index_input(struct intake *intake, const struct input *in, struct error *err)
{
    if (in->paths != NULL)
        return intake_index(intake, in->paths, in->count, err);
    if (in->texts != NULL)
        return in->texts->walk(in->texts->data, index_text, intake, err);
    return intake_index_text(intake, in->place, in->text, in->len, err);
}

static int read_input(struct intake *intake, const struct input *in, struct error *err)
{
    if (in->paths != NULL)
        return intake_read(intake, in->paths, in->count, err);
    if (in->texts != NULL)
        return in->texts->walk(in->texts->data, read_text, intake, err);
    return intake_read_text(intake, in->place, in->text, in->len, err);
}

static int import_input(struct intake_import *import, const struct input *in, struct error *err)
{
    struct run run;
    struct intake_totals totals = {0};
    int rc = run_open(&run, import, err);
    if (rc == 0)
        rc = index_input(run.intake, in, err);
    const int64_t texts = run.intake != NULL ? intake_totals(run.intake)->texts : 0;
    if (rc == 0)
        rc = intake_touched(run.intake, touched_index, &run, err);
    if (rc == 0)
        rc = run_keep_allergies(&run, err);
    if (rc == 0)
        rc = read_input(run.intake, in, err);
    /* The totals are those of the input, without the known orders that were read once more. */
    if (run.intake != NULL)
        totals = *intake_totals(run.intake);
    totals.texts = texts;
    intake_totals_add(&import->totals, &totals);
    if (rc == 0)
        rc = intake_touched(run.intake, touched_read, &run, err);
    if (rc == 0)
        rc = run_keep_dispenses(&run, err);
    if (rc == 0)
        rc = audit_run(&run, "intake.import", err);
    run_close(&run);
    return rc;
}

int intake_import(struct intake_import *import, const char *const *paths, int count, struct error *err)
{
    return import_input(import, &(struct input){.paths = paths, .count = count}, err);
}

int intake_import_text(struct intake_import *import, const char *place, const char *text, size_t len,
                       struct error *err)
{
    return import_input(import, &(struct input){.place = place, .text = text, .len = len}, err);
}

int intake_import_texts(struct intake_import *import, const struct intake_texts *texts, struct error *err)
{
    return import_input(import, &(struct input){.texts = texts}, err);
}

/* The source ids of all patients, in one arena. */
static int all_patients(struct store *store, struct arena *arena, const char ***ret_ids, size_t *ret_count,
                        struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t count = 0;
    int rc = store_get_int(store, &count, err, "SELECT count(*) FROM patient", "");
    const char **ids = rc == 0 ? arena_array(arena, (size_t)count + 1, sizeof *ids) : NULL;
    size_t used = 0;
    if (rc == 0 && ids == NULL)
        rc = error_set(err, E_MEMORY, "intake: out of memory");
    if (rc == 0)
        rc = store_query(store, &rows, err, "SELECT source_id FROM patient ORDER BY id", "");
    while (rc == 0 && used < (size_t)count && (rc = store_next(rows, err)) > 0) {
        ids[used++] = arena_text(arena, store_text(rows, 0), strlen(store_text(rows, 0)));
        rc = ids[used - 1] != NULL ? 0 : error_set(err, E_MEMORY, "intake: out of memory");
    }
    store_done(rows);
    *ret_ids = ids;
    *ret_count = used;
    return rc < 0 ? rc : 0;
}

int intake_import_again(struct intake_import *import, struct error *err)
{
    struct run run;
    const char **ids = NULL;
    size_t count = 0;
    int rc = run_open(&run, import, err);
    if (rc == 0)
        rc = all_patients(import->store, &run.arena, &ids, &count, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = run_each_known(&run, ids[i], false, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = run_each_known(&run, ids[i], true, err);
    if (run.intake != NULL)
        intake_totals_add(&import->totals, intake_totals(run.intake));
    if (rc == 0)
        rc = audit_run(&run, "intake.again", err);
    run_close(&run);
    return rc;
}
