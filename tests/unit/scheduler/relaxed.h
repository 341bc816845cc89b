/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a regimen with rules taken away, built without the solver's own way of doing it. */
#ifndef TESTS_UNIT_SCHEDULER_RELAXED_H
#define TESTS_UNIT_SCHEDULER_RELAXED_H

#include "scheduler/slots.h"

struct arena;

/* The regimen with only (keep) or without (not keep) the given rules. */
struct regimen *relaxed_or_fail(const struct regimen *regimen, const struct slots_rule *rules, size_t count,
                                bool keep, struct arena *arena);

/* Fails unless the conflict is infeasible alone and feasible without any one member. */
void conflict_is_minimal_or_fail(const struct regimen *regimen, const struct slots_result *result,
                                 struct arena *arena);

#endif
