/* SPDX-License-Identifier: Apache-2.0 */
/* calendar: a patient's refill calendar for people and machines. Pure, any thread. */
#ifndef CONTROLLER_REFILL_CALENDAR_H
#define CONTROLLER_REFILL_CALENDAR_H

#include "controller/refill/refill.h"
#include "scheduler/sync_explain.h"

struct buf;

/* One line of JSON without its end: the plan as scheduler/sync-format.md has it, and `patient` (anchor, why,
 * supply by drug) and `apart`. E_MEMORY. */
int calendar_to_json(const struct refill *refill, const struct sync_case *c, const struct sync_plan *plan,
                     const struct sync_explanation *explanation, struct buf *out, struct error *err);
/* why: the reasons of each drug, what the locks cost, and the best plan for every other anchor, too. */
void calendar_to_text(const struct refill *refill, const struct sync_plan *plan,
                      const struct sync_explanation *explanation, bool why, struct buf *out);

#endif
