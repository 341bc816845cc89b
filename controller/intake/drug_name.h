/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drug_name: what the name of a drug says, in the manner of RxNorm ("24 HR Metformin hydrochloride 500 MG
 * Extended Release Oral Tablet [X]") or of a formulary ("Amoxicillin 250mg capsules"): ingredients,
 * strengths, dose form, release. Whatever is not an oral solid to be swallowed, or not known, is said to be
 * so; nothing is assumed. Pure, any thread.
 */
#ifndef CONTROLLER_INTAKE_DRUG_NAME_H
#define CONTROLLER_INTAKE_DRUG_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/intake/measure.h"

enum {
    DRUG_PARTS_MAX = 8,
    DRUG_TEXT_BYTES = 256,
};

enum drug_kind {
    DRUG_FORM_UNKNOWN, /* no dose form in the name, or words that are not known */
    DRUG_SOLID,        /* tablet or capsule to swallow */
    DRUG_NOT_SOLID,    /* liquid, inhaler, cream, chewable, orally disintegrating … */
    DRUG_PACK,         /* calendar pack or kit */
};

struct drug_name {
    enum drug_kind kind;
    const char *form;    /* "tablet", "film-coated tablet", "capsule"; "" unless SOLID */
    const char *release; /* "IR", "ER", "DR"; "" unless SOLID */
    bool halves;         /* plain immediate-release tablet: may be split */
    bool rxnorm;         /* written as RxNorm writes: ingredient, strength, "Oral Tablet"; a brand would be in
                            brackets */
    bool oral;           /* taken by mouth, or nothing says otherwise: counts for duplicates */
    int part_count;
    bool strengths_known; /* every part has an amount a piece */
    struct measured strengths[DRUG_PARTS_MAX];
    char ingredient[DRUG_TEXT_BYTES]; /* "carbidopa+levodopa", lower case, salts left out; "" unknown */
    char strength[DRUG_TEXT_BYTES];   /* "25 mg+100 mg"; "" unknown */
    char why[64];                     /* the word that decided NOT_SOLID or PACK */
};

/* form: what the order says of the dose form beside the name (may be ""). */
void drug_name_read(const char *name, const char *form, struct drug_name *ret);
/* The ingredient's plain name: lower case, brackets, salts and known synonyms taken off. out holds size
 * bytes. */
void drug_ingredient_plain(const char *text, char *out, size_t size);
/* "10 mg", "25 mg+100 mg", "800 unit": false when a part is no amount a piece ("2 mg/mL"). */
bool drug_strength_read(const char *text, int *ret_count, struct measured ret[DRUG_PARTS_MAX]);

#endif
