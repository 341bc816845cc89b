/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hl7_times: what an HL7 v2 order says of when: TQ1 segments, and the older data type TQ (ORC-7, RXE-1),
 * turned into FHIR R4 Timing so that one reader (timing.h) judges both. Codes of table 0335 come from one
 * const table; a code that is not in it, and whatever has no place in a Timing, waits under its own name.
 * Private to the intake. Pure.
 */
#ifndef CONTROLLER_INTAKE_HL7_HL7_TIMES_H
#define CONTROLLER_INTAKE_HL7_HL7_TIMES_H

#include <jansson.h>
#include <stdbool.h>

#include "controller/intake/hl7/hl7.h"

enum { HL7_TIMES_MAX = 16 };

/* One line of timing. */
struct hl7_time {
    char quantity[32], unit[64]; /* TQ-1, TQ1-2; "" none */
    char explicit_times[128];    /* "0600,1400" */
    char length[72];             /* "D4"; or value and unit of TQ1-6 as "4 day" */
    char start[40], end[40];
    char priority[32];
    char condition[HL7_TEXT_BYTES]; /* when it is to be given: as needed */
    char text[HL7_TEXT_BYTES];
    char conjunction[8];
    char total[16];       /* occurrences */
    char patterns[4][96]; /* codes as written */
    int pattern_count;
    char odd[64]; /* an element that is filled and not understood: "TQ1-5" */
};

struct hl7_times {
    int count;
    struct hl7_time rows[HL7_TIMES_MAX];
    bool too_many;
};

/* Adds one repetition of a TQ field. */
void hl7_times_add_tq(const struct hl7 *message, int segment, int field, struct hl7_times *times);
/* Adds a TQ1 segment. */
void hl7_times_add_tq1(const struct hl7 *message, int segment, struct hl7_times *times);
/* Something about when stands in it (a start alone does not count). */
bool hl7_time_says_when(const struct hl7_time *row);

/* A day of HL7's TS as FHIR has it ("2026-11-21"); what cannot be read is handed on as it is, so that the
 * reader of dates refuses it by name. "" stays "". */
void hl7_day(const char *ts, char *out, size_t size);

/*
 * The row as the Timing of one Dosage; NULL when it says nothing. *ret_as_needed; *ret_why ("" none) names
 * what has no place in it: the order waits.
 */
json_t *hl7_time_timing(const struct hl7_time *row, bool *ret_as_needed, char *ret_why, size_t why_size);

#endif
