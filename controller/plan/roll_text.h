/* SPDX-License-Identifier: Apache-2.0 */
/* roll_text: a picture of a roll for a terminal: the first pouches as they will hang on the strip, and every
 * day of the cycle at a glance. Pure. */
#ifndef CONTROLLER_PLAN_ROLL_TEXT_H
#define CONTROLLER_PLAN_ROLL_TEXT_H

struct buf;
struct plan_text;

/* pouches: how many are drawn with their labels; 0: those of the first day. */
void roll_to_text(const struct plan_text *plan, int pouches, struct buf *out);

#endif
