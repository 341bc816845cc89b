/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/line_fault.h"

#include <assert.h>

bool line_faults_plan(struct line_faults *faults, enum sim_fault fault, uint64_t nth)
{
    assert(nth > 0 && fault < SIM_NO_FAULT);
    if (faults->count == LINE_FAULTS_PLANNED)
        return false;
    faults->planned[faults->count].at = faults->requests + nth;
    faults->planned[faults->count++].fault = fault;
    return true;
}

enum sim_fault line_faults_next(struct line_faults *faults)
{
    faults->requests++;
    for (unsigned i = 0; i < faults->count; i++) {
        if (faults->planned[i].at != faults->requests)
            continue;
        enum sim_fault fault = faults->planned[i].fault;
        faults->planned[i] = faults->planned[--faults->count];
        return fault;
    }
    return SIM_NO_FAULT;
}
