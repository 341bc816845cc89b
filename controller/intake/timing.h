/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timing: one FHIR Timing turned into the days and times of one phase, strictly. What the standard lets pass
 * but nobody can mean ("once a day at 2:00 and 4:00", "every 3 days on Friday") is refused by name; what has
 * no fixed days and times waits. Private to the intake. Pure.
 *
 * Sources: FHIR R4 datatypes, Timing (frequency per period, codes, bounds inclusive, invariants tim-1 to
 * tim-10); v3 GTSAbbreviation for the codes.
 */
#ifndef CONTROLLER_INTAKE_TIMING_H
#define CONTROLLER_INTAKE_TIMING_H

#include <jansson.h>
#include <stdbool.h>

#include "controller/intake/reading.h"
#include "controller/intake/reason.h"

struct timing {
    bool given;                 /* some timing element stood in the order */
    bool laid_out;              /* phase holds days and times; its doses have no amount yet */
    struct reading_phase phase; /* group 1 */
    const char *code_text;      /* text of a timing.code that no table knows; "" none */
};

/* timing may be NULL (no timing). Reasons are added; laid_out stays false when one of them forbids it. */
void timing_read(const json_t *timing, struct reasons *reasons, struct timing *ret);

/* The part of the day that a dose falls into: 0 unknown, 1 morning, 2 noon, 3 afternoon, 4 evening, 5 night.
 */
int timing_part(const struct reading_dose *dose);

#endif
