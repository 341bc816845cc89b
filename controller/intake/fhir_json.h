/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fhir_json: small steps through FHIR JSON that never trust a type. A missing element is fine for everybody
 * here; one of the wrong type is a reason of its own (BAD_ELEMENT), so that a text where a number belongs is
 * not read as nothing. For the rooms that read FHIR: intake and parties. Pure.
 */
#ifndef CONTROLLER_INTAKE_FHIR_JSON_H
#define CONTROLLER_INTAKE_FHIR_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller/intake/reason.h"

enum { FHIR_CODINGS_MAX = 8 };

/* The text of a string element, "" when it is absent or no string. */
const char *fhir_text(const json_t *object, const char *key);
/* As fhir_text, and BAD_ELEMENT for another type. */
const char *fhir_text_checked(const json_t *object, const char *key, struct reasons *reasons);
/* A decimal in thousandths. False when absent; BAD_ELEMENT (and false) for another type or a value off the
 * grid of thousandths. */
bool fhir_milli(const json_t *object, const char *key, int64_t *ret_milli, struct reasons *reasons);
/* A whole number; 1.0 counts as 1. As fhir_milli else. */
bool fhir_whole(const json_t *object, const char *key, int64_t *ret, struct reasons *reasons);
/* An array element; NULL when absent or empty, BAD_ELEMENT for another type. */
const json_t *fhir_array(const json_t *object, const char *key, struct reasons *reasons);
/* An object element; NULL when absent, BAD_ELEMENT for another type. */
const json_t *fhir_object(const json_t *object, const char *key, struct reasons *reasons);

/* What a person reads of a CodeableConcept: its text, else the first display, else the first code. */
const char *fhir_concept_text(const json_t *concept);

/*
 * A FHIR date or dateTime (YYYY, YYYY-MM, YYYY-MM-DD, with time and zone): the first and the last day that it
 * covers, as written, in the place where it was written. False when it does not exist or cannot be read.
 */
bool fhir_date_read(const char *text, int32_t *ret_first, int32_t *ret_last);

/* Names the first key of object that is in none of the lists, "" when all are known. Every FHIR element may
 * have id and extension; "_text" and the like are known when listed. */
const char *fhir_unknown_key(const json_t *object, const char *const *keys);

/* True when a modifierExtension (not empty) stands anywhere below; *ret_url is its first url. */
bool fhir_has_modifier(const json_t *value, const char **ret_url);
/* The same for a given, not empty element name anywhere below. */
bool fhir_has_key(const json_t *value, const char *key);

#endif
