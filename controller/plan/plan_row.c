/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/plan_row.h"

#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/store/store.h"

const char *plan_row_state_text(const struct plan_row *row)
{
    static const char *const texts[] = {
        [PLAN_ROW_DRAFT] = "draft", [PLAN_ROW_SIGNED] = "signed", [PLAN_ROW_SUPERSEDED] = "superseded"};
    return texts[row->state];
}

int plan_row_load(struct store *store, int64_t plan, struct arena *arena, struct plan_row *ret_row,
                  struct error *err)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        store, &rows, err,
        "SELECT patient_id, version, state, times_written, times_planned, created_ms, hash, text, "
        "regimen, schedule FROM plan WHERE id = ?",
        "i", plan);
    int found = status < 0 ? status : store_next(rows, err);
    if (found == 0)
        found = error_set(err, E_NOT_FOUND, "there is no plan %lld", (long long)plan);
    if (found > 0) {
        struct plan_row row = {.id = plan,
                               .patient = store_int(rows, 0),
                               .version = (int)store_int(rows, 1),
                               .times_written = (int)store_int(rows, 3),
                               .times_planned = (int)store_int(rows, 4),
                               .created_ms = store_int(rows, 5)};
        const char *state = store_text(rows, 2);
        row.state = strcmp(state, "draft") == 0    ? PLAN_ROW_DRAFT
                    : strcmp(state, "signed") == 0 ? PLAN_ROW_SIGNED
                                                   : PLAN_ROW_SUPERSEDED;
        size_t len;
        const void *bytes = store_blob(rows, 6, &len);
        if (len == sizeof row.hash)
            memcpy(row.hash, bytes, len);
        bytes = store_blob(rows, 7, &row.len);
        row.bytes = arena_text(arena, bytes ? bytes : "", row.len);
        row.regimen = arena_text(arena, store_text(rows, 8), strlen(store_text(rows, 8)));
        row.schedule = arena_text(arena, store_text(rows, 9), strlen(store_text(rows, 9)));
        found = 0;
        if (!row.bytes || !row.regimen || !row.schedule)
            found = error_set(err, E_MEMORY, "no memory for the plan");
        else
            *ret_row = row;
    }
    store_done(rows);
    return found;
}

int plan_newest(struct store *store, int64_t patient, bool is_signed, int64_t *ret_plan, struct error *err)
{
    static const char any[] = "SELECT id FROM plan WHERE patient_id = ? ORDER BY version DESC LIMIT 1";
    static const char signed_one[] =
        "SELECT id FROM plan WHERE patient_id = ? AND state = 'signed' ORDER BY version DESC LIMIT 1";
    int status = store_get_int(store, ret_plan, err, is_signed ? signed_one : any, "i", patient);
    if (status == E_NOT_FOUND)
        return error_set(err, E_NOT_FOUND, "the patient has no %splan yet: run `sachet plan`",
                         is_signed ? "signed " : "");
    return status;
}

int plan_before(struct store *store, int64_t patient, int32_t start_day, int64_t *ret_plan, struct error *err)
{
    return store_get_int(store, ret_plan, err,
                         "SELECT id FROM plan p WHERE patient_id = ? AND start_day < ? AND EXISTS (SELECT 1 "
                         "FROM signature s WHERE s.plan_id = p.id) ORDER BY version DESC LIMIT 1",
                         "ii", patient, (int64_t)start_day);
}
