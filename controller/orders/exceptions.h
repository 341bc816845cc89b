/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exceptions: orders that wait for a pharmacist, and what he or she says to them.
 *
 * A word on an order stands on top of what the order says (table order_resolution): it names the reasons that
 * it settles, may give product and dosage instead of the order's, and dies when the order's content changes.
 * The order is read again with it at once, by the same reader; what is still open keeps it waiting, and then
 * nothing is stored. An order that is refused (as needed, not to be swallowed …) can't be completed.
 *
 * Blocks for the store. One thread.
 */
#ifndef CONTROLLER_ORDERS_EXCEPTIONS_H
#define CONTROLLER_ORDERS_EXCEPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/orders/intake_store.h"

struct buf;

enum { EXCEPTION_BECAUSE_MAX = 500, EXCEPTION_DOSAGE_MAX = 64 * 1024 };

struct exception_row {
    const char *order; /* source id */
    int64_t version;
    const char *patient; /* source id */
    const char *drug;
    const char *reasons; /* JSON array of {code, text} */
    int64_t since_ms;    /* when this content came */
};

/* patient, reason: NULL all. Oldest first. */
int exception_list(struct store *store, const char *patient, const char *reason,
                   int (*each)(void *data, const struct exception_row *row, struct error *err), void *data,
                   struct error *err);

struct exception_word {
    const char *order;
    bool refuse;
    const char *product; /* NULL: as the order leads to */
    const char *dosage;  /* FHIR R4 Dosage array as JSON; NULL: as the order says */
    const char *because; /* not empty, for people */
};

/*
 * Says the word and reads the order again. import as for intake_import; its actor is the pharmacist's login.
 * E_NOT_FOUND, E_STATE (the order does not wait), E_INPUT (what is still open, in words); then nothing
 * changed. Audit: order.complete, order.refuse.
 */
int exception_resolve(struct intake_import *import, const struct exception_word *word, struct error *err);
/* Takes the word on an order back: it waits again. E_NOT_FOUND: there is none. Audit: order.reopen. */
int exception_reopen(struct intake_import *import, const char *order, const char *because, struct error *err);

/* What the last change of an order changed, leaf by leaf and word by word: "path: old -> new", a line each.
 */
int exception_changes(struct store *store, const char *order, struct buf *out, struct error *err);

#endif
