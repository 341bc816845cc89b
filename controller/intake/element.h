/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element: small steps through FHIR JSON in a struct tree that never trust a type, as fhir_json.h has them
 * for jansson. A missing element is fine; one of the wrong type is BAD_ELEMENT. Private to the intake. Pure.
 */
#ifndef CONTROLLER_INTAKE_ELEMENT_H
#define CONTROLLER_INTAKE_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/intake/reason.h"
#include "controller/intake/tree.h"

/* The text of a string element, "" when it is absent or no string. */
const char *element_text(const struct tree *object, const char *key);
/* As element_text, and BAD_ELEMENT for another type. */
const char *element_text_checked(const struct tree *object, const char *key, struct reasons *reasons);
/* As fhir_milli and fhir_whole. */
bool element_milli(const struct tree *object, const char *key, int64_t *ret_milli, struct reasons *reasons);
bool element_whole(const struct tree *object, const char *key, int64_t *ret, struct reasons *reasons);
/* What a person reads of a CodeableConcept: its text, else the first display, else the first code. */
const char *element_concept_text(const struct tree *concept);
/* The first value of this name, not empty, at any depth below; NULL none. */
const struct tree *element_below(const struct tree *value, const char *name);
/* True when a modifierExtension (not empty) stands anywhere below; *ret_url is its first url. */
bool element_has_modifier(const struct tree *value, const char **ret_url);

#endif
