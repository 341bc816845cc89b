/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content: what a canister holds, bound to the audit chain. Product, piece, lot and expiry of a canister's
 * row are what the chain says of its last load; a row that says something else was changed behind sachet's
 * back, and nothing is packed from it. Blocks for the store.
 */
#ifndef CONTROLLER_STOCK_CONTENT_H
#define CONTROLLER_STOCK_CONTENT_H

#include <stdint.h>

struct error;
struct store;

/* The audit row of a load of so many pieces, from the canister's row as it is now; within the transaction of
 * the load. */
int content_seal(struct store *store, int64_t canister, int64_t pieces, const char *actor, int64_t wall_ms,
                 struct error *err);
/* E_TAMPERED, E_NOT_FOUND. */
int content_verify(struct store *store, int64_t canister, struct error *err);
/* The day of the first load since the canister was emptied last; CIVIL_DAY_NONE: never loaded. */
int content_since(struct store *store, int64_t canister, int32_t *ret_day, struct error *err);

#endif
