/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placing: does each dose of the schedule stand in the plan at its time, with its amount, on its days, and
 * nothing else? The third look before a plan is stored: legality asks whether the times keep every rule,
 * conserve whether each day has its pieces, this one whether the doses of one day have not changed places
 * (two tablets in the morning and one at night are not one and two). It shares nothing with what lays the
 * plan out. Pure, any thread.
 */
#ifndef CONTROLLER_PLAN_PLACING_H
#define CONTROLLER_PLAN_PLACING_H

struct error;
struct input;
struct plan_text;
struct proposal;
struct slots_result;

/* E_INPUT with the first dose that is missing, doubled or elsewhere. */
int placing_check(const struct plan_text *plan, const struct input *input, const struct proposal *proposal,
                  const struct slots_result *result, struct error *err);

#endif
