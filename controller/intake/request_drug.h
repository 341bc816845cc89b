/* SPDX-License-Identifier: Apache-2.0 */
/* request_drug: which product an order means, and whether it may go into a pouch. Private to the intake. */
#ifndef CONTROLLER_INTAKE_REQUEST_DRUG_H
#define CONTROLLER_INTAKE_REQUEST_DRUG_H

#include "controller/intake/request.h"

/* Codes, name and form of the drug. medication: the referenced resource, or NULL. Texts point into the JSON.
 */
struct request_drug {
    int code_count;
    struct drug_code codes[DRUG_CODES_MAX];
    const char *name;    /* for people */
    const char *rx_name; /* the RxNorm display where there is one: forms are written out there */
    const char *form;    /* Medication.form in words; "" none */
};

void request_drug_read(const struct tree *request, const struct tree *medication, struct request_drug *ret);
/* By codes, then by each of the names. */
enum catalogue_match request_drug_find(const struct catalogue *catalogue, const struct request_drug *drug,
                                       const struct catalogue_row **ret_row);
/* Finds or derives the product and adds what speaks against it. medication may be NULL. */
int request_drug_match(const struct request_context *context, const struct request_drug *drug,
                       const struct tree *medication, struct reasons *reasons,
                       const struct catalogue_row **ret_row, struct error *err);

/* The product that a pharmacist chose instead: what speaks against the product itself. NULL when it is gone.
 */
const struct catalogue_row *request_drug_choose(const struct request_context *context, const char *code,
                                                struct reasons *reasons);

#endif
