/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hl7: one HL7 v2 message taken apart: segments, fields, repetitions, components, sub-components, escapes.
 *
 * Takes CR, LF and mixed segment ends; the encoding characters come from MSH-1 and MSH-2. A message is taken
 * whole or refused whole with the code of table 0357 that fits, its place and a sentence. Text is UTF-8 when
 * it comes out; ISO 8859-1 is turned into it when MSH-18 says so, and nothing else is guessed. Every limit
 * has a name.
 *
 * A struct hl7 keeps the caller's bytes (they must stay) or its own copy; hl7_finish gives that back. Pure,
 * one thread at a time.
 */
#ifndef CONTROLLER_INTAKE_HL7_HL7_H
#define CONTROLLER_INTAKE_HL7_HL7_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HL7_MESSAGE_MAX = 1024 * 1024, /* bytes of one message */
    HL7_SEGMENTS_MAX = 4000,
    HL7_SEGMENT_BYTES_MAX = 256 * 1024,
    HL7_REPEATS_MAX = 64, /* repetitions of a field that are looked at; more are refused */
    HL7_TEXT_BYTES = 512, /* of one component that is read as a code or a number */
    HL7_CONTROL_ID_BYTES = 200,
    HL7_SENDER_BYTES = 256,
};

/* Codes of HL7 table 0357, as far as they are used. */
enum hl7_code {
    HL7_ACCEPTED = 0,
    HL7_SEGMENT_SEQUENCE = 100,
    HL7_FIELD_MISSING = 101,
    HL7_DATA_TYPE = 102,
    HL7_TABLE_VALUE = 103,
    HL7_MESSAGE_TYPE = 200,
    HL7_EVENT = 201,
    HL7_PROCESSING_ID = 202,
    HL7_VERSION_ID = 203,
    HL7_UNKNOWN_KEY = 204,
    HL7_DUPLICATE_KEY = 205,
    HL7_INTERNAL = 207,
};

/* What is wrong with a message; code 0: nothing. */
struct hl7_fault {
    enum hl7_code code;
    char place[32]; /* "ORC^2^1": segment, its number among those of its name, field; "" the whole message */
    char text[240]; /* one line for people */
};

struct hl7_segment {
    const char *text; /* without its end */
    size_t len;
    int line; /* in the message, from 1 */
};

struct hl7 {
    char field, component, repeat, escape, subcomponent; /* 0: the message has none */
    int count;
    struct hl7_segment *segments;
    char *copy; /* owned: bytes that were turned into UTF-8 */
};

/* A field of a segment, one repetition of it, a component, a sub-component; each from 1. */
struct hl7_at {
    int segment; /* from 0 */
    int field, repeat, component, sub;
};

/* False with *ret_fault when it is no message; *ret is empty then. len may be anything. */
bool hl7_parse(const char *bytes, size_t len, struct hl7 *ret, struct hl7_fault *ret_fault);
void hl7_finish(struct hl7 *message);

/* The name of a segment is `name`. */
bool hl7_is(const struct hl7 *message, int segment, const char *name);
/* Repetitions of a field: 0 when it is empty or absent. */
int hl7_repeats(const struct hl7 *message, int segment, int field);
/*
 * The decoded text at a place, cut at size. component 0: the whole repetition with its separators, not
 * decoded; sub 0: the whole component, sub-components and all (with sub-components: the first). Returns its
 * length before the cut; 0 when it is absent or empty. HL7's explicit null ("") counts as empty.
 */
size_t hl7_get(const struct hl7 *message, struct hl7_at at, char *out, size_t size);
/* Shorthand: first repetition. */
size_t hl7_text(const struct hl7 *message, int segment, int field, int component, char *out, size_t size);

__attribute__((format(printf, 4, 5))) void hl7_blame(struct hl7_fault *fault, enum hl7_code code,
                                                     const char *place, const char *format, ...);

/* True when bytes begin as a message or a batch does, after blanks, a byte order mark or MLLP's start byte.
 */
bool hl7_looks_like(const char *bytes, size_t len);
struct hl7_cursor {
    size_t at;
    int line; /* lines before it; CR, LF and CR LF are one end each */
};

/*
 * The next message of a file: FHS, BHS, BTS and FTS around it and MLLP's marks are skipped. The cursor,
 * zeroed at first, moves on. False at the end. *ret_line: where the message begins, from 1.
 */
bool hl7_next_message(const char *bytes, size_t len, struct hl7_cursor *cursor, const char **ret_bytes,
                      size_t *ret_len, int *ret_line);

#endif
