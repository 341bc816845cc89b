/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: simulated machines as text for people and as JSON for rigs: state, counters, film, seal, the pouch
 * being filled, alarms, bays, and what is broken. Reads worlds only; no clock, no output of its own.
 */
#ifndef TOOLS_SACHET_SIM_VIEW_H
#define TOOLS_SACHET_SIM_VIEW_H

#include <stddef.h>

struct buf;
struct world;

enum { VIEW_MACHINES_MAX = 20, VIEW_BAYS_MAX = 60, VIEW_WIDTH = 110, VIEW_PIECE_BYTES = 100 };

/* One object: number, t_us, power, state, counters, ... number counts from 1. */
void view_json(struct world *world, unsigned number, struct buf *out);
/* A block of lines a machine, at most VIEW_MACHINES_MAX of them; lines fit into width where it is not absurd.
 * No colours: what matters stands in capitals. */
void view_text(struct world *const *worlds, unsigned count, size_t width, struct buf *out);
/* The same over what a terminal of so many rows shows; what does not fit is cut with "...". */
void view_screen(const char *text, unsigned rows, struct buf *out);

#endif
