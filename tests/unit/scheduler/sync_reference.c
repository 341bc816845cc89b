/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/benches/sync_reference.h"

#include "tests/unit/scheduler/sync_oracle.h"

enum sync_verdict sync_reference(const struct sync_case *c, const struct sync_plan *plan)
{
    static struct oracle_plan want; /* too large for the stack; one thread */
    if (!oracle_solve(c, false, &want))
        return SYNC_TOO_LARGE;
    bool same = want.feasible == plan->feasible && (!want.feasible || want.anchor == plan->anchor);
    for (int i = 0; same && want.feasible && i < SYNC_TERMS; i++)
        same = want.objective[i] == plan->objective.term[i];
    return same ? SYNC_AGREES : SYNC_DIFFERS;
}
