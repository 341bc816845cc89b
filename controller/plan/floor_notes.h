/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why there are not fewer times a day, as a pharmacist can check it at a glance: each time that is needed
 * with the dose that needs it and when that dose is possible, what distances keep doses apart (a line a
 * rule), and which rule would have to give way to save a time. Pure but for the arena.
 */
#ifndef CONTROLLER_PLAN_FLOOR_NOTES_H
#define CONTROLLER_PLAN_FLOOR_NOTES_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;
struct build;
struct regimen;

/* Adds notes of kind PLAN_FLOOR to the proposal; a warning when the search was cut short. E_MEMORY. */
int floor_notes(const struct build *build, struct arena *arena);
/* When a dose is possible with its drug's own gaps: "07:00-08:30, 16:30-21:00"; true when that is less than
 * from waking to bed. */
bool possible_text(const struct regimen *regimen, size_t drug, size_t dose, struct buf *out);

#endif
