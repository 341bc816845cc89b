/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_store: a small pharmacy in a store of its own: people, products, canisters and signed plans, for runs
 * on simulated machines.
 *
 * Every patient has two pouches a day: in the morning one piece of A and one and a half of B, at bedtime two
 * of C. Machine "m1" holds A in bays 0 and 4, whole and half B in bays 1 and 2, C in bay 3; the canister of
 * bay b has the number 1 + b. Blocks for the disk. One thread.
 */
#ifndef TOOLS_STAGE_DEMO_STORE_H
#define TOOLS_STAGE_DEMO_STORE_H

#include <stdint.h>

struct error;
struct store;

#define DEMO_MACHINE "m1"

enum {
    DEMO_BAYS = 5,
    DEMO_FIRST_CANISTER = 1, /* as a simulated machine 0 numbers them */
    DEMO_PIECES = 5000,      /* in each canister, or as many as the batch takes */
    DEMO_POUCHES_A_DAY = 2,
};

/* Makes the new file. */
int demo_store_build(const char *path, int patients, int days, struct error *err);
/* The same, faster from the second time in a process on: a copy. */
int demo_store_copy(const char *path, int patients, int days, struct error *err);
/* Makes a batch of all plans for m1 and asks to start it. */
int demo_store_batch(struct store *store, int64_t *ret_batch, struct error *err);

#endif
