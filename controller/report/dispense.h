/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dispense: what was packed, and where orders stand, for other systems: FHIR R4 and HL7 v2.
 *
 * What was packed is what was counted into good pouches (fill_item), by patient, product and lot; never what
 * was planned. A batch that a simulated machine made is marked as a test in both forms (HTEST, processing id
 * T) and has to be asked for. Packed and not handed over is FHIR's in-progress, "ready for pickup". Reading
 * only, blocks for the store. The same store gives the same bytes. One thread.
 */
#ifndef CONTROLLER_REPORT_DISPENSE_H
#define CONTROLLER_REPORT_DISPENSE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct error;
struct store;

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
