/* SPDX-License-Identifier: Apache-2.0 */
/* allergy: what an AllergyIntolerance (FHIR R4, STU3) says. Private to the intake. Pure. */
#ifndef CONTROLLER_INTAKE_ALLERGY_H
#define CONTROLLER_INTAKE_ALLERGY_H

#include "controller/intake/intake.h"
#include "controller/intake/tree.h"

struct buf;

enum allergy_kind {
    ALLERGY_READ,
    ALLERGY_NONE_KNOWN, /* "no known allergies": a statement, not a substance */
    ALLERGY_UNKEPT,     /* without an id or a patient it can't be kept */
};

/*
 * substance and codes are written into the bufs. Everything that names the substance is put side by side
 * (text, displays, substances of reactions, and the ingredient of the product that a code leads to), so that
 * a word of any of them is found. Without any words the codes stand there: a person must see it. What is
 * doubtful about its status counts as current.
 */
enum allergy_kind allergy_read(const struct tree *allergy, const struct catalogue *catalogue,
                               struct buf *substance, struct buf *codes, struct intake_allergy *ret_allergy);

#endif
