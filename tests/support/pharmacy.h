/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pharmacy: the small pharmacy of tools/stage/demo_store.h in a scratch folder, for tests that pack. For
 * cmocka: what goes wrong while it is set up fails the test.
 */
#ifndef TESTS_SUPPORT_PHARMACY_H
#define TESTS_SUPPORT_PHARMACY_H

#include <stdint.h>

#include "tests/support/scratch.h"
#include "tools/stage/demo_store.h"

struct store;

enum {
    PHARMACY_BAYS = DEMO_BAYS,
    PHARMACY_FIRST_CANISTER = DEMO_FIRST_CANISTER,
    PHARMACY_PIECES = DEMO_PIECES,
    PHARMACY_POUCHES_A_DAY = DEMO_POUCHES_A_DAY,
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
