/* SPDX-License-Identifier: Apache-2.0 */
/* build: a solved proposal as a plan, in memory: slots, takes, roll, labels, notes, totals. Pure. */
#ifndef CONTROLLER_PLAN_BUILD_H
#define CONTROLLER_PLAN_BUILD_H

#include "controller/plan/compose.h"
#include "controller/plan/plan_text.h"
#include "scheduler/slots.h"

struct build {
    const struct policy *policy;
    const struct input *input;
    struct proposal *proposal;
    const struct slots_result *result;
    int32_t start_day;
    int days;
    int version;
};

/* The plan lives in the arena. E_LIMIT, E_INPUT, E_MEMORY. Whoever writes it out has it checked. */
int build_plan(const struct build *build, struct arena *arena, struct plan_text *ret_plan, struct error *err);

/* Notes on what the solver found: why not fewer, moved clock times, soft rules that are not kept. */
int build_notes(const struct build *build, struct arena *arena);

#endif
