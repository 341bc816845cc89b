/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conserve: counts a plan's doses again from the readings, day by day, with arithmetic of its own. It shares
 * nothing with courses, roll or text: a dose that any of them lost, doubled or moved to another day shows
 * here. Pure, any thread.
 */
#ifndef CONTROLLER_PLAN_CONSERVE_H
#define CONTROLLER_PLAN_CONSERVE_H

struct error;
struct input;
struct plan_text;

/* E_INPUT with order and day of the first difference. */
int conserve_check(const struct plan_text *plan, const struct input *input, struct error *err);

#endif
