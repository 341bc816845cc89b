/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutant: what a wrong machine or controller does to a simulated machine, for suites that must catch it. Each
 * is done beside the right machine, by whoever owns its world, in that thread.
 */
#ifndef TESTS_CRASH_MUTANT_H
#define TESTS_CRASH_MUTANT_H

#include <stdint.h>

struct world;
struct world_memory;

/* C5 taken away: W is written although nothing is stored. */
void mutant_retire(struct world *world, uint32_t seq);
/* M5 taken away: the newest result lands in the place of the oldest unread one. */
void mutant_overwrite(struct world *world, struct world_memory *memory);
/* M3 taken away, when the power is gone: the board comes up with the belief that nothing was under way. */
void mutant_forget_begun(struct world_memory *memory);

#endif
