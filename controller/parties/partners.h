/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partners: the part `partners` of the site file, and the names that our resources go by in messages.
 *
 * Codes of payers are opaque texts that the site lists; none comes with the program. Texts point into the
 * struct conf, which must live as long. Pure, any thread.
 */
#ifndef CONTROLLER_PARTIES_PARTNERS_H
#define CONTROLLER_PARTIES_PARTNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/parties/kind.h"

struct conf;

enum {
    PARTNERS_ID_BYTES = 65,    /* a FHIR id and the NUL */
    PARTNERS_NAME_BYTES = 120, /* of a file in the outbox, with its folder */
};

struct partners {
    const struct conf *site;
    const char *base;     /* "https://pharmacy.example/fhir" */
    const char *prefix;   /* of our ids */
    const char *payer;    /* name */
    const char *pharmacy; /* name */
    const char *phone;
};

void partners_read(const struct conf *site, struct partners *ret_partners);
/* The code that a request of this kind carries; false when the site lists none. */
bool partners_request_code(const struct partners *partners, enum task_kind kind, const char **ret_system,
                           const char **ret_code);
/* What a code of an answer means here; false when the site does not list it. */
bool partners_answer(const struct partners *partners, const char *system, const char *code,
                     enum task_result *ret_result);

/* "sachet-12": the id of a task and of what it is about. */
void partners_task_id(const struct partners *partners, int64_t task, char ret_id[PARTNERS_ID_BYTES]);
/* The task behind an id, a reference "Claim/sachet-12" or an address that ends so; 0 when it is not ours.
 * type NULL: a bare id; else the reference must name this type. */
int64_t partners_task_of(const struct partners *partners, const char *type, const char *text);
/* True for 1 to 64 letters, digits, - and . (hl7.org/fhir/R4/datatypes.html#id). */
bool partners_id_valid(const char *text);

#endif
