/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/fit.h"

/* What is said of a row of PHYSICS_TABLE goes into the field of its name. */
static void fit_physics(struct world_params *params, const int64_t *said)
{
    int row = 0;
#define PHYSICS_FIT(field, key, kind, factor, least, most, usual, text) \
    if (said[row++] != SCENARIO_USUAL)                                  \
        params->field = (__typeof__(params->field))(said[row - 1] * (factor));
    PHYSICS_TABLE(PHYSICS_FIT)
#undef PHYSICS_FIT
}

void fit_params(struct world_params *params, const struct scenario_machine *machine)
{
    params->cycle_us = 60000000 / machine->pouches_a_minute;
    params->cold_start = machine->cold;
    params->operator_mends = machine->mends;
    params->map_version = machine->map_version;
    params->fill = machine->fill;
    params->caps = (uint16_t)(params->caps | (machine->camera ? MACHINE_CAP_VISION : 0) |
                              (machine->weigher ? MACHINE_CAP_WEIGHER : 0));
    world_rates_scale(&params->rates, machine->faults_percent);
    fit_physics(params, machine->physics);
}
