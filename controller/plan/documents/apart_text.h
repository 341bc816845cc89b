/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why not fewer times a day, in words: the doses of which no two can share a time, and the reasons folded by
 * rule, so that a person reads one line a rule and not one a pair. Pure; writes into the caller's buf.
 */
#ifndef CONTROLLER_PLAN_DOCUMENTS_APART_TEXT_H
#define CONTROLLER_PLAN_DOCUMENTS_APART_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/slots.h"

struct buf;

/* "Iron", "dose 2 of Iron". */
void dose_text(const struct regimen *regimen, size_t dose, struct buf *out);
/* The doses that can never share: "doses 1 and 2 of Calcium and Iron". */
void clique_text(const struct regimen *regimen, const struct slots_result *result, struct buf *out);
/* When apart[place] is the first pair of its rule: appends all pairs of the rule ("doses 1 and 2 of Calcium
 * with Iron") and returns true. Pairs of one drug's doses count as one rule, and so do pairs whose possible
 * times do not meet. */
bool apart_text(const struct regimen *regimen, const struct slots_result *result, size_t place,
                struct buf *out);

#endif
