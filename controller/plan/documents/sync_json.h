/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_json: a refill-sync plan as one line of JSON (scheduler/sync-format.md). Deterministic to the byte.
 * Any thread, never blocks.
 */
#ifndef CONTROLLER_PLAN_DOCUMENTS_SYNC_JSON_H
#define CONTROLLER_PLAN_DOCUMENTS_SYNC_JSON_H

#include "scheduler/sync_explain.h"

struct buf;

/*
 * Appends the plan of the case, without a newline. explanation may be NULL; then there is no `explain`,
 * `what_if` and `locks`. E_MEMORY.
 */
int sync_to_json(const struct sync_case *c, const struct sync_plan *plan,
                 const struct sync_explanation *explanation, struct buf *out, struct error *err);

#endif
