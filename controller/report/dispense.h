/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dispense: what was packed, and where orders stand, for other systems: FHIR R4 and HL7 v2.
 *
 * What was packed is what was counted into good pouches (fill_item), by patient, product and lot; never what
 * was planned. A batch that a simulated machine made is marked as a test in both forms (HTEST, processing id
 * T) and has to be asked for. Reading only, blocks for the store. The same store gives the same bytes. One
 * thread.
 */
#ifndef CONTROLLER_REPORT_DISPENSE_H
#define CONTROLLER_REPORT_DISPENSE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct buf;
struct error;
struct store;

/* One product of one lot of one plan, as it was counted. Texts are valid until the next row. */
struct dispense_row {
    const char *patient, *patient_name;
    int32_t birth_day; /* CIVIL_DAY_NONE unknown */
    const char *code, *name, *form, *rxcui, *ndc, *lot;
    int64_t whole, half; /* pieces */
    int64_t prepared_ms; /* the last of its pouches */
    int64_t handed_ms;   /* when the last of them left the house; 0: some are here */
    int64_t days;        /* of the plan */
    const char *orders;  /* source ids, LF between */
    bool simulated;
    int number; /* within the batch or the plan, from 1 */
};

enum dispense_of { DISPENSE_BATCH, DISPENSE_PLAN };

/* Calls each for all rows of a batch or of a plan, by patient, product and lot. An error of each stops it. */
int dispense_each(struct store *store, enum dispense_of of, int64_t id,
                  int (*each)(void *data, const struct dispense_row *row, struct error *err), void *data,
                  struct error *err);
/*
 * The row as a FHIR R4 MedicationDispense: the only place that makes one. Real ones are in-progress (ready
 * for the patient) or completed (handed over); what a simulated machine packed was dispensed to nobody:
 * preparation, HTEST. patient: reference. prescriptions: array of references, taken over. NULL: no memory.
 */
json_t *dispense_resource(const struct dispense_row *row, const char *id, const char *patient,
                          json_t *prescriptions);

/*
 * Adds the batch's dispenses as one FHIR R4 Bundle. E_NOT_FOUND: no such batch. E_STATE: nothing was packed
 * yet, or it was packed by a simulated machine and simulated is false.
 */
int dispense_write_fhir(struct store *store, int64_t batch, bool simulated, struct buf *out,
                        struct error *err);
/* The same as RDS^O13 messages of version 2.5.1, one a patient; segments end with CR, messages with an LF
 * behind. */
int dispense_write_hl7(struct store *store, int64_t batch, bool simulated, int64_t wall_ms, struct buf *out,
                       struct error *err);
/*
 * Adds every current order (patient NULL: of everybody) as FHIR R4 MedicationRequest, one a line: as it came,
 * with its status, and what became of it here as a tag (urn:sachet:outcome) and notes with the reasons.
 */
int dispense_write_orders(struct store *store, const char *patient, struct buf *out, struct error *err);

#endif
