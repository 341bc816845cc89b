/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legality: does a schedule keep every rule of its regimen? A short, plain reading of the format that shares
 * no code with the solver; a schedule passes it before it is stored or signed. Pure, any thread.
 */
#ifndef SCHEDULER_LEGALITY_H
#define SCHEDULER_LEGALITY_H

#include <stddef.h>

#include "scheduler/regimen.h"

struct error;

/*
 * times[]: minutes after day_start, drugs in the regimen's order, doses in order. E_INPUT names the first
 * rule that is broken: a dose too many or too few, off the grid, outside its window, out of order, gaps,
 * overnight, same_state, separations, same_slot, not_same_slot. The regimen must be ready.
 */
int legality_check(const struct regimen *regimen, const int *times, size_t count, struct error *err);

#endif
