/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/benches/sync_reference.h"

enum sync_verdict sync_reference(const struct sync_case *c, const struct sync_plan *plan)
{
    (void)c;
    (void)plan;
    return SYNC_NO_REFERENCE;
}
