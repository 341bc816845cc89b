/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hand: which made pouches left the house. A handover names every pouch; those that were called back never
 * go. Writing runs in the caller's write transaction. Blocks for the store. One thread a store.
 */
#ifndef CONTROLLER_REFILL_HAND_H
#define CONTROLLER_REFILL_HAND_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/refill/record.h"

struct hand_over {
    int64_t plan;
    int64_t id; /* of the handover; 0: nothing to hand over */
    int64_t pouches;
    int64_t missing;  /* pouches of the plan that are neither made nor kept nor withdrawn */
    int64_t recalled; /* made ones that stay here */
};

/*
 * The made pouches of one plan that are not handed over yet, kept ones of earlier plans among them. part:
 * also when some are missing. E_STATE for a roll that is not whole, or a plan that is not the signed one;
 * E_NOT_FOUND.
 */
int hand_over(struct store *store, int64_t plan, bool part, const struct record_by *by,
              struct hand_over *ret_over, struct error *err);
/* The patient's signed plan whose roll goes next: the earliest that has something to hand over or to make,
 * else the newest. E_NOT_FOUND. */
int hand_plan_of(struct store *store, int64_t patient, int64_t *ret_plan, struct error *err);

#endif
