/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/slots_private.h"

int explain_fill(const struct regimen *regimen, const struct slots_options *options, struct arena *arena,
                 struct slots_result *result, struct error *err)
{
    (void)regimen;
    (void)options;
    (void)arena;
    (void)result;
    (void)err;
    return 0;
}
