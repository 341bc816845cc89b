/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pharmacy: a store with people, products, canisters and signed plans, for tests that pack. For cmocka: what
 * goes wrong while it is set up fails the test.
 *
 * Every patient has two pouches a day: in the morning one piece of A and one and a half of B, at bedtime two
 * of C. Machine "m1" holds A in bays 0 and 4, whole and half B in bays 1 and 2, C in bay 3; the canister of
 * bay b has the number 1 + b.
 */
#ifndef TESTS_SUPPORT_PHARMACY_H
#define TESTS_SUPPORT_PHARMACY_H

#include <stdint.h>

#include "tests/support/scratch.h"

struct store;

enum {
    PHARMACY_BAYS = 5,
    PHARMACY_FIRST_CANISTER = 1, /* as a simulated machine 0 numbers them */
    PHARMACY_PIECES = 5000,      /* in each canister */
    PHARMACY_POUCHES_A_DAY = 2,
};

struct pharmacy {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES]; /* of the store */
    struct store *store;
};

void pharmacy_init(struct pharmacy *pharmacy, int patients, int days);
void pharmacy_finish(struct pharmacy *pharmacy);
/* Closes the store and opens it again, as another process would. */
void pharmacy_reopen(struct pharmacy *pharmacy);
/* One statement in a transaction of its own; fails the test on an error. */
void pharmacy_exec(struct pharmacy *pharmacy, const char *sql);
/* The first value of a query. */
int64_t pharmacy_int(struct pharmacy *pharmacy, const char *sql);
/* Makes a batch of all plans for m1 and asks to start it; its number. */
int64_t pharmacy_batch(struct pharmacy *pharmacy);

#endif
