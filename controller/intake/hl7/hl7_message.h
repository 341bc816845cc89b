/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hl7_message: one HL7 v2 pharmacy message turned into FHIR R4 resources, so that HL7 and FHIR orders are
 * read by one reader and end in the same reasons. hl7-format.md lists messages, fields and control codes.
 *
 * A message is taken whole or not at all: one order that cannot be understood as an order (an unknown control
 * code, a stop for an order that nobody knows) turns all of it down with AE. What is understood and only not
 * packable is taken (AA) and waits or is refused like any other order. Reasons that only the HL7 form has
 * (TQ1 differs from RXE-1) travel in the request as an extension that can make an order heavier, never
 * lighter.
 *
 * Pure but for the caller's look-up. One thread.
 */
#ifndef CONTROLLER_INTAKE_HL7_HL7_MESSAGE_H
#define CONTROLLER_INTAKE_HL7_HL7_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller/intake/hl7/hl7.h"

struct buf;
struct error;

enum { HL7_ORDERS_MAX = 200, HL7_ID_BYTES = 320 };

/* MSH, as far as answers and checks need it. */
struct hl7_header {
    char application[HL7_SENDER_BYTES], facility[HL7_SENDER_BYTES];       /* MSH-3, MSH-4 as written */
    char to_application[HL7_SENDER_BYTES], to_facility[HL7_SENDER_BYTES]; /* MSH-5, MSH-6 */
    char control_id[HL7_CONTROL_ID_BYTES];                                /* MSH-10 */
    char type[8], event[8];                                               /* MSH-9 */
    char processing[8], version[16];
    char sender[2 * HL7_SENDER_BYTES]; /* "application|facility": with control_id the idempotency key */
};

enum hl7_answer { HL7_AA, HL7_AE, HL7_AR };

/* One ORC group, for the answer. */
struct hl7_row {
    char id[HL7_ID_BYTES]; /* as the store keeps the order; "" none */
    char control[8];
    char placer[HL7_SENDER_BYTES], filler[HL7_SENDER_BYTES]; /* ORC-2, ORC-3 as written */
    const char *done, *unable;                               /* control codes of the answer */
    bool stops; /* a stop or a hold: a refused order is what was asked for */
};

struct hl7_result {
    struct hl7_header header;
    enum hl7_answer answer;
    struct hl7_fault fault; /* of AE and AR */
    json_t *bundle;         /* NULL unless AA; hl7_result_finish gives it back */
    int count;
    struct hl7_row *rows;
};

/* What is known of an order from before. */
struct hl7_known {
    void *data;
    /* 1 found: *ret_original is its newest request as JSON (a new reference) and patient its patient's id; 0
     * unknown. */
    int (*find)(void *data, const char *order_id, json_t **ret_original, char *ret_patient,
                size_t patient_size, struct error *err);
};

/* Reads the header of anything that begins with MSH, as far as it goes. */
void hl7_header_read(const struct hl7 *message, struct hl7_header *ret);
/*
 * Reads one message. processing: the processing ids that are taken ("P" on a live line, "PTD" for files).
 * Always fills *ret; negative only for an error of known->find or memory.
 */
int hl7_convert(const char *bytes, size_t len, const char *processing, const struct hl7_known *known,
                struct hl7_result *ret, struct error *err);
void hl7_result_finish(struct hl7_result *result);

/* One outcome for the answer: packable and waiting orders are taken, refused ones are not. */
struct hl7_outcome {
    const char *id;
    bool refused;
    const char *reason; /* "PRN"; "" none */
};

/*
 * The answer as HL7 v2 in the sender's version: MSA, ERR, and for each order its ORC. own_id: MSH-10 of the
 * answer. outcomes may be NULL.
 */
void hl7_answer_write(const struct hl7_result *result, const struct hl7_outcome *outcomes, int outcome_count,
                      const char *own_id, int64_t wall_ms, struct buf *out);
/* A negative answer to bytes that are no message at all. */
void hl7_answer_refuse(const struct hl7_header *header, enum hl7_answer answer, const struct hl7_fault *fault,
                       const char *own_id, int64_t wall_ms, struct buf *out);
const char *hl7_answer_text(enum hl7_answer answer); /* "AA" */
/* text with HL7's escapes, added to out; control characters become blanks. */
void hl7_escape(const char *text, struct buf *out);

#endif
