/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order_row: one version of an order as the store has it, under one hash. A plan carries the hash, so that a
 * byte that changes in what was read (not only in what was received) shows. Blocks for the store.
 */
#ifndef CONTROLLER_PLAN_ORDER_ROW_H
#define CONTROLLER_PLAN_ORDER_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/seal/seal.h"

struct error;
struct store;

/*
 * BLAKE2b-256 over "sachet-order/1" and every column that says something, each with its length: source id,
 * version, patient, status, outcome, reasons, drug, codes, product, reading, dosage, original, content hash.
 * Not over where and when it was imported. *ret_current: it is the newest version. E_NOT_FOUND.
 */
int order_row_hash(struct store *store, int64_t id, uint8_t ret_hash[SEAL_HASH_BYTES], bool *ret_current,
                   struct error *err);

#endif
