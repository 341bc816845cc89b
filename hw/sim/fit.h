/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit: makes the parameters of a world what a scenario says of its machine. Pure, any thread.
 */
#ifndef HW_SIM_FIT_H
#define HW_SIM_FIT_H

#include "config/base/scenario.h"
#include "hw/sim/world_params.h"

/* Everything but seed, speed, identity and number of bays, which are the caller's. */
void fit_params(struct world_params *params, const struct scenario_machine *machine);

#endif
