/* SPDX-License-Identifier: Apache-2.0 */
/* Allergies and intolerances that an import brings: kept by the id of their resource. */
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/clinical/clinical.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

enum { REFERENCE_BYTES = 600 };

/* The current row of this id; *ret_id 0: none. */
static int find(struct store *store, const char *source_id, int64_t patient,
                const struct clinical_allergy *allergy, int64_t *ret_id, bool *ret_same, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT id, patient_id, substance, codes, criticality FROM patient_allergy WHERE "
                         "source_id = ? AND ended_ms IS NULL",
                         "t", source_id);
    int more = rc == 0 ? store_next(rows, err) : rc;
    *ret_id = 0;
    *ret_same = false;
    if (more > 0) {
        *ret_id = store_int(rows, 0);
        *ret_same = store_int(rows, 1) == patient && strcmp(store_text(rows, 2), allergy->substance) == 0 &&
                    strcmp(store_text(rows, 3), allergy->codes) == 0 &&
                    strcmp(store_text(rows, 4), allergy->criticality) == 0;
    }
    store_done(rows);
    return more < 0 ? more : 0;
}

static int note(struct store *store, const char *action, int64_t patient, int64_t row, const char *actor,
                int64_t wall_ms, struct error *err)
{
    char subject[32], detail[64];
    (void)snprintf(subject, sizeof subject, "patient:%lld", (long long)patient); /* fits */
    (void)snprintf(detail, sizeof detail, "{\"allergy\":%lld}", (long long)row); /* fits */
    return audit_add(store, wall_ms, actor, action, subject, detail, err);
}

int clinical_allergy_take(struct store *store, int64_t patient, const struct clinical_allergy *allergy,
                          const char *actor, int64_t wall_ms, enum clinical_taken *ret_taken,
                          struct error *err)
{
    char source_id[REFERENCE_BYTES];
    int64_t old = 0, row = 0;
    bool same = false;
    const bool stands = allergy->ended_why[0] == '\0';
    if ((size_t)snprintf(source_id, sizeof source_id, "AllergyIntolerance/%s", allergy->source_id) >=
        sizeof source_id)
        return error_set(err, E_LIMIT, "allergy: an id of more than %d bytes", REFERENCE_BYTES - 20);
    *ret_taken = CLINICAL_TAKEN_SAME;
    int rc = find(store, source_id, patient, allergy, &old, &same, err);
    if (rc != 0 || (stands ? same : old == 0))
        return rc;
    if (old != 0) {
        rc = store_exec(store, err, "UPDATE patient_allergy SET ended_ms = ?, ended_why = ? WHERE id = ?",
                        "iti", wall_ms, stands ? "replaced" : allergy->ended_why, old);
        if (rc == 0)
            rc = note(store, "patient.allergy.end", patient, old, actor, wall_ms, err);
        *ret_taken = CLINICAL_TAKEN_ENDED;
    }
    if (rc != 0 || !stands)
        return rc;
    *ret_taken = old != 0 ? CLINICAL_TAKEN_CHANGED : CLINICAL_TAKEN_NEW;
    rc = store_insert(
        store, err, &row,
        "INSERT INTO patient_allergy (patient_id, source_id, substance, codes, criticality, actor, "
        "recorded_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "ittttti", patient, source_id, allergy->substance, allergy->codes, allergy->criticality, actor,
        wall_ms);
    return rc == 0 ? note(store, "patient.allergy", patient, row, actor, wall_ms, err) : rc;
}
