/* SPDX-License-Identifier: Apache-2.0 */
/* calendar: a patient's refill calendar for people and machines. Pure, any thread. */
#ifndef CONTROLLER_REFILL_CALENDAR_H
#define CONTROLLER_REFILL_CALENDAR_H

#include "controller/refill/refill.h"
#include "scheduler/sync_explain.h"

struct arena;
struct buf;

/* One line of JSON without its end: the plan as scheduler/sync-format.md has it, with `pieces` and `way` of
 * each fill, and `patient` (anchor, why, supply by drug), `gaps` and `apart`. What is worked out lies in the
 * arena. E_MEMORY. */
int calendar_to_json(const struct refill *refill, const struct refill_site *site, const struct sync_case *c,
                     const struct sync_plan *plan, const struct sync_explanation *explanation,
                     struct arena *arena, struct buf *out, struct error *err);
/* why: the reasons of each drug, what the locks cost, and the best plan for every other anchor, too. */
int calendar_to_text(const struct refill *refill, const struct refill_site *site,
                     const struct sync_plan *plan, const struct sync_explanation *explanation, bool why,
                     struct arena *arena, struct buf *out, struct error *err);

#endif
