/* SPDX-License-Identifier: Apache-2.0 */
/* What a schedule's result says to people: why not fewer slots, what binds each dose, what each rule costs.
 * Any thread, never blocks. */
#ifndef CONTROLLER_PLAN_DOCUMENTS_EXPLAIN_TEXT_H
#define CONTROLLER_PLAN_DOCUMENTS_EXPLAIN_TEXT_H

#include "scheduler/slots.h"

struct buf;

/* Appends the members of `explain`, comma between them: {"kind":"why_not_fewer"|"conflict"|"dose"|"price",
 * "text":...} with the ids that the text speaks of. */
void explain_to_json(const struct regimen *regimen, const struct slots_result *result, struct buf *out);
/* The same as lines of text, each ended by a newline. */
void explain_to_text(const struct regimen *regimen, const struct slots_result *result, struct buf *out);

#endif
