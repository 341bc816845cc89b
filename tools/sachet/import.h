/* SPDX-License-Identifier: Apache-2.0 */
/* Orders in memory through the importer of `sachet import`, for verbs that receive them otherwise. The store
 * is open. */
#ifndef TOOLS_SACHET_IMPORT_H
#define TOOLS_SACHET_IMPORT_H

#include <stddef.h>

struct cli;
struct error;
struct order;

/* Reads one FHIR text without keeping anything; order hears what became of each order. */
int import_read(struct cli *cli, const char *place, const char *text, size_t len,
                int (*order)(void *data, const struct order *order, struct error *err), void *data,
                struct error *err);
/* Keeps it, with what it changes in signed plans. E_INPUT when no order in it can be read. */
int import_text(struct cli *cli, const char *actor, const char *place, const char *text, size_t len,
                struct error *err);

#endif
