/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schedules to and from JSON ("sachet-schedule/1", scheduler/regimen-format.md). Writing is deterministic to
 * the byte. Reading is for verification: it resolves every name against the regimen and trusts nothing else.
 * Any thread, never blocks.
 */
#ifndef CONTROLLER_PLAN_DOCUMENTS_SCHEDULE_JSON_H
#define CONTROLLER_PLAN_DOCUMENTS_SCHEDULE_JSON_H

#include <stdint.h>

#include "scheduler/slots.h"

struct arena;
struct buf;
struct error;
struct json_t;

enum {
    SCHEDULE_TREE_ROWS_MAX = 4000000, /* of one refutation */
    SCHEDULE_TREE_DEPTH_MAX = 2048,
};

/* Appends the result as one line without a newline. The regimen must be the one that was solved. E_MEMORY. */
int schedule_to_json(const struct regimen *regimen, const struct slots_result *result, struct buf *out,
                     struct error *err);

/* Appends {"format":...,"id":...,"status":"refused","error":...} for an object that is no valid regimen. */
void schedule_refusal_to_json(const struct json_t *object, const struct error *why, struct buf *out);

/* Reads a result of this regimen; memory is the arena's. ret_hash: the instance hash that it claims. E_INPUT,
 * E_TAMPERED, E_VERSION, E_LIMIT, E_MEMORY. `explain` is not read. */
int schedule_from_json(const struct json_t *object, const struct regimen *regimen, struct arena *arena,
                       struct slots_result **ret, uint8_t ret_hash[32], struct error *err);

#endif
