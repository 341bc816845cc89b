/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness: reads the event log of one simulated machine (hw/sim/events.md) and asserts that a store tells the
 * same story. It is the model's list of invariants (tests/model/line.pml), checked on what really ran:
 *
 *   V1  a number is begun once and printed once, and the machine never takes two contents for one number
 *   V2  what is begun stands in the store, with this hash and this printed number
 *   V3  at most one good pouch a job, by the store and by the numbers printed on the pouches
 *   V4  what the store says of a pouch is its fate: a good one is closed, was not taken out and holds exactly
 *       the pieces asked for; a cancelled one was never begun
 *   V5  D rises by one, so that no result is overwritten or left out, and every number up to D has its result
 *   V6  pieces that left a canister by the books are those that fell; a power cut may hide the last drop of
 *       each bay that was at work
 *
 * Log lines come from a file (witness_read) or straight from a world (witness_event is its log function). A
 * killed process may leave its last lines out: with `lossy` a pouch whose record is missing is only checked
 * as far as it was seen. One thread; blocks for file and store.
 */
#ifndef TESTS_SUPPORT_WITNESS_H
#define TESTS_SUPPORT_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct store;
struct witness;
struct world_event;

/* NULL: no memory. machine: events of others are skipped. */
struct witness *witness_create(unsigned machine, bool lossy);
void witness_destroy(struct witness *witness);

/* data is the witness. */
void witness_event(void *data, const struct world_event *event);
/* A whole NDJSON file; a last line that a kill cut off is left out. */
int witness_read(struct witness *witness, const char *file, struct error *err);

/*
 * 0: the store's rows of this machine agree with the log, else E_TAMPERED and the first violation. settled:
 * nothing is under way, so every number that was given out has its result.
 */
int witness_check(const struct witness *witness, struct store *store, const char *serial, bool settled,
                  struct error *err);

/* What the log alone can break: V1, V3 by printed numbers, V5. For a store that is not the one that was
 * packed with (a restored backup). */
int witness_check_log(const struct witness *witness, struct error *err);

/* For messages and for tests that want something to have happened. */
uint32_t witness_pouches(const struct witness *witness); /* printed */
uint32_t witness_good(const struct witness *witness);
uint32_t witness_boots(const struct witness *witness);

#endif
