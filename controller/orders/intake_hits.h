/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake_hits: what a changed order meets further on: plans that were made with it, batches, pouches. Blocks
 * for the store. One thread.
 */
#ifndef CONTROLLER_ORDERS_INTAKE_HITS_H
#define CONTROLLER_ORDERS_INTAKE_HITS_H

#include <stdint.h>

struct error;
struct store;

/*
 * Withdraws the pouches of every signed plan that holds a dose of this order, from today on; inside the
 * caller's write transaction. Their number is added to *pouches.
 */
int intake_withdraw(struct store *store, const char *source_id, const char *actor, int64_t wall_ms,
                    int32_t today, int64_t *pouches, struct error *err);

struct intake_hit {
    int64_t plan;
    const char *state; /* of the plan */
    int64_t batch;     /* 0: in none */
    const char *batch_state;
    int64_t waiting, in_machine, packed, cancelled; /* jobs of the batch that are made of the plan */
};

/* Calls each for every plan, and for every batch of it, that was made with some version of the order. */
int intake_hits(struct store *store, const char *source_id,
                int (*each)(void *data, const struct intake_hit *hit, struct error *err), void *data,
                struct error *err);

#endif
