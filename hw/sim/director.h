/* SPDX-License-Identifier: Apache-2.0 */
/*
 * director: plays a scenario on one world. It listens to the world's events, notices the moments that the
 * scenario names, and does at each what stands there; what is not the machine's own (line, controller,
 * people) it hands out. All its chance comes from a generator of its own, so that a scenario never moves the
 * machine's draws.
 *
 * deed_do is the same for a single deed, for rigs that give their orders live. One thread; nothing blocks;
 * allocates only at creation.
 */
#ifndef HW_SIM_DIRECTOR_H
#define HW_SIM_DIRECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/scenario.h"

struct director;
struct error;
struct world;

/* for_us: 0, or it is meant to last so long (freeze-controller). Called from inside world_advance: keep it
 * for later. */
typedef void director_outside(void *data, const struct scenario_deed *deed, int64_t for_us);

/* Takes its place in the world (world_direct); scenario and world must outlive it. outside may be NULL when
 * the scenario has nothing but the machine's own deeds (director_needs_outside). NULL: E_INPUT (bay or value
 * that this machine does not have, with the event's number), E_MEMORY. */
struct director *director_create(const struct scenario *scenario, uint64_t seed, struct world *world,
                                 director_outside *outside, void *data, struct error *err);
/* Leaves the world. NULL is allowed. */
void director_destroy(struct director *director);
/* Something is planned for a time that is known already. */
bool director_is_busy(const struct director *director);
/* The first event that has not happened so far; -1: each one has, at least once. */
int director_first_unseen(const struct director *director);
/* The first event that is of the controller or people; -1: none. */
int director_needs_crew(const struct scenario *scenario);
/* The first event that is not the machine's own; -1: none. */
int director_needs_outside(const struct scenario *scenario);

/* Does one of the machine's own deeds now. E_INPUT: bay, canister or value that this machine does not have,
 * E_ARG: not the machine's own. */
int deed_do(struct world *world, const struct scenario_deed *deed, struct error *err);
int deed_check(const struct world *world, const struct scenario_deed *deed, struct error *err);

#endif
