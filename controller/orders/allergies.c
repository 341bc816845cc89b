/* SPDX-License-Identifier: Apache-2.0 */
/* Allergies of an input: collected in its first pass, stored before the first of its orders is. */
#include "controller/orders/intake_store_private.h"

#include "config/base/error.h"
#include "controller/intake/index.h"

#include <string.h>

struct kept_allergy {
    struct kept_allergy *next;
    struct intake_allergy allergy;
};

int run_take_allergy(void *data, const struct intake_allergy *allergy, struct error *err)
{
    struct run *run = data;
    struct kept_allergy *kept = arena_alloc(&run->arena, sizeof *kept);
    if (kept == NULL)
        return error_set(err, E_MEMORY, "intake: out of memory");
    kept->allergy = *allergy;
    const char **texts[] = {&kept->allergy.source_id, &kept->allergy.patient_ref, &kept->allergy.substance,
                            &kept->allergy.codes,     &kept->allergy.criticality, &kept->allergy.ended_why};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_text(&run->arena, *texts[i], strlen(*texts[i]));
        if (*texts[i] == NULL)
            return error_set(err, E_MEMORY, "intake: out of memory");
    }
    *run->allergies_end = kept;
    run->allergies_end = &kept->next;
    return 0;
}

int run_keep_allergies(struct run *run, struct error *err)
{
    int rc = 0;
    for (const struct kept_allergy *kept = run->allergies; kept != NULL && rc == 0; kept = kept->next) {
        const struct intake_patient *known = intake_find_patient(run->intake, kept->allergy.patient_ref);
        const char *id =
            known != NULL && known->id[0] != '\0' ? known->id : index_reference_id(kept->allergy.patient_ref);
        int64_t patient = 0;
        rc = run_begin(run, err);
        if (rc == 0)
            rc = run_keep_patient(run, id, known, true, &patient, err);
        if (rc == 0)
            rc = run->import->allergy(run->import->data, patient, &kept->allergy, err);
        if (rc == 0)
            rc = run_end(run, false, err);
    }
    return rc;
}
