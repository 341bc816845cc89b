/* SPDX-License-Identifier: Apache-2.0 */
/* hl7_request: one group of segments (ORC with what belongs to it) as a MedicationRequest. Private to the
 * intake. Pure. */
#ifndef CONTROLLER_INTAKE_HL7_HL7_REQUEST_H
#define CONTROLLER_INTAKE_HL7_HL7_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "controller/intake/hl7/hl7.h"
#include "controller/intake/reason.h"

/* Segment numbers, -1 absent. The group's segments are first..end-1, and first is its ORC. */
struct hl7_group {
    int first, end;
    int rxo, rxe, rxd;
};

/* Finds the group's parts. False with a fault when one stands twice. */
bool hl7_group_read(const struct hl7 *message, int first, int end, struct hl7_group *ret,
                    struct hl7_fault *fault);
bool hl7_group_has_order(const struct hl7_group *group);

/* The request; status and id are the caller's to set. NULL: no memory. */
json_t *hl7_request(const struct hl7 *message, const struct hl7_group *group, const char *patient);
/* The dispense of RXD for the order `id`, or NULL when there is none. */
json_t *hl7_dispense(const struct hl7 *message, const struct hl7_group *group, const char *id,
                     const char *patient);
/* Adds a reason to a request (request.c reads it again). */
__attribute__((format(printf, 3, 4))) void hl7_request_reason(json_t *request, enum reason_code code,
                                                              const char *format, ...);

#endif
