/* SPDX-License-Identifier: Apache-2.0 */
/* request: one MedicationRequest turned into a struct order. Private to the intake. */
#ifndef CONTROLLER_INTAKE_REQUEST_H
#define CONTROLLER_INTAKE_REQUEST_H

#include <stdbool.h>

#include "controller/intake/index.h"
#include "controller/intake/intake.h"

enum { REQUEST_KEY_BYTES = 512 };

/*
 * An extension of the request: reasons that were found before it became FHIR (in HL7 v2, in CSV): extension[]
 * of "code" (valueCode, a name of the table) and "text" (valueString). Whoever sends it can only make the
 * order wait or have it refused.
 */
#define REQUEST_REASON_URL "urn:sachet:intake-reason"

struct request_memory;

struct request_context {
    const struct intake_policy *policy;
    struct catalogue *catalogue;
    const struct index *index;
    const struct intake_sink *sink;
    struct request_memory *memory;
};

/* The id that an order is kept under: id, else fullUrl, else the first identifier; false when it has none. */
bool request_id(const struct tree *request, const char *full_url, char *out, size_t size);
/* The newest date in the request that is not after today; CIVIL_DAY_NONE none. */
int32_t request_newest_day(const struct tree *request, int32_t today);

/* True when the order stands as valid today: it counts in the search for one drug in several orders. */
bool request_is_current(const struct tree *request, int32_t today);
/* True when every dosage is to be taken as needed. */
bool request_is_as_needed(const struct tree *request);
/* What the order's drug is called in that search; "" when it does not count (creams, unknown). medication is
 * the resource that the order refers to, or NULL. */
void request_drug_key(const struct catalogue *catalogue, const struct tree *request,
                      const struct tree *medication, char key[REQUEST_KEY_BYTES]);
/*
 * First pass: request_derive where `derive`, then the drug's key, both only once for the same words. The key
 * is valid until the next call. E_MEMORY, E_LIMIT.
 */
int request_index_drug(struct request_memory *memory, struct catalogue *catalogue, bool derive,
                       const struct tree *request, const struct tree *medication, const char **ret_key,
                       struct error *err);
/* First pass, with provisional products: makes the drug's product, or names it better. E_MEMORY, E_LIMIT. */
int request_derive(struct catalogue *catalogue, const struct tree *request, const struct tree *medication,
                   struct error *err);
/* The reference to a Medication outside of the request, "" none; *ret_contained is the one inside. */
const char *request_drug_reference(const struct tree *request, const struct tree **ret_contained);
/* The patient as the search for duplicates calls it: the id where the patient is known, else the reference.
 */
const char *request_patient_key(const struct index *index, const char *reference);

/*
 * Fills *ret (zeroed by the caller but for source_id and place). Texts live in request, arena or the
 * catalogue. E_MEMORY, E_LIMIT from the catalogue.
 */
int request_read(const struct request_context *context, const struct tree *request, struct arena *arena,
                 struct order *ret, struct error *err);

#endif
