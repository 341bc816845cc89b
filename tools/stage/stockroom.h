/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stockroom: the person who keeps the canisters of a stage: fills them up, and counts them.
 *
 * Whatever is done to the machine is booked by the product's own functions (controller/stock), as a
 * technician does it. For a count the stockroom has the batch paused, waits until the machine has ended what
 * it began and nothing hangs in it any more, tells the books what lies in each canister, and lets the batch
 * go on. Each count must be explained by the doubts that the books had (controller/stock/doubt.h); what is
 * not adds up in `unexplained`.
 *
 * The owner keeps struct stockroom, zeroed but for stage and batch, and calls stockroom_turn now and then.
 * One thread; blocks for the store.
 */
#ifndef TOOLS_STAGE_STOCKROOM_H
#define TOOLS_STAGE_STOCKROOM_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct stage;

struct stockroom {
    struct stage *stage;
    int64_t batch;
    bool wanted; /* a count is on */
    bool paused; /* by the stockroom */
    int64_t still_ms;
    /* So far. */
    unsigned counts;     /* of all canisters */
    int64_t corrected;   /* pieces by which the books were put right, either way */
    int64_t unexplained; /* pieces that no doubt explains */
};

/* The books begin with what really lies in the canisters. Inside no transaction. */
int stockroom_begin(struct stockroom *room, struct error *err);
/* Puts so much into the canister of a bay that it holds `pieces`, and books it. */
int stockroom_refill(struct stockroom *room, unsigned bay, uint16_t pieces, struct error *err);
/* Counts all canisters at once. */
int stockroom_count(struct stockroom *room, struct error *err);
/* Asks for a count of all canisters as soon as the line rests. */
int stockroom_want_count(struct stockroom *room, struct error *err);
/* Counts when it can be done now. */
int stockroom_turn(struct stockroom *room, struct error *err);

#endif
