/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/explain_text.h"

#include "config/base/buf.h"

void explain_to_json(const struct regimen *regimen, const struct slots_result *result, struct buf *out)
{
    (void)regimen;
    (void)result;
    (void)out;
}

void explain_to_text(const struct regimen *regimen, const struct slots_result *result, struct buf *out)
{
    (void)regimen;
    (void)result;
    (void)out;
}
