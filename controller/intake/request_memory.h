/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_memory: what the reading of orders keeps from one to the next: memory for texts, and what the same
 * drug and the same dosage led to before (memo.h). Private to the intake.
 */
#ifndef CONTROLLER_INTAKE_REQUEST_MEMORY_H
#define CONTROLLER_INTAKE_REQUEST_MEMORY_H

#include "config/base/buf.h"
#include "controller/intake/dosage.h"
#include "controller/intake/memo.h"
#include "controller/intake/request.h"
#include "controller/intake/tree.h"

struct request_memory {
    struct tree_reader medications; /* the referenced Medication of the order in work */
    struct buf original;            /* of the order in work */
    struct buf key;
    struct memo drugs;    /* struct request_drug_known */
    struct memo dosages;  /* struct request_dosage_known */
    struct memo products; /* first pass: struct request_product_known */
};

/* What a drug, as the order writes it, led to. */
struct request_drug_known {
    const struct catalogue_row *product;
    struct reasons reasons;
    char key[REQUEST_KEY_BYTES]; /* request_drug_key */
};

struct request_dosage_known {
    bool has_reading;
    struct reading reading;
    struct reasons reasons;
};

/* A drug whose product was derived. */
struct request_product_known {
    char key[REQUEST_KEY_BYTES];
};

void request_memory_init(struct request_memory *memory);
void request_memory_finish(struct request_memory *memory);
/* The catalogue is complete now: what drugs led to before no longer counts. */
void request_memory_settle(struct request_memory *memory);
/* The bytes of the order (or of the Medication that it refers to) that tell its drug, in memory->key. */
void request_memory_drug_key(struct request_memory *memory, const struct tree *request,
                             const struct tree *medication);

/* dosage_read of the order's dosageInstruction and notes, both as they stand; NULL: none. */
int request_memory_dosage(struct request_memory *memory, const struct tree *list, const struct tree *notes,
                          const struct catalogue_row *product, const struct dosage_words *words,
                          const struct request_dosage_known **ret_known, struct error *err);

#endif
