/* SPDX-License-Identifier: Apache-2.0 */
/*
 * switches: the digital lines beside a simulated machine, as the controller sees them: lines in memory
 * (hw/gpio/memory.h) that follow the machine's world. A contact that changes chatters for
 * world_params.contact_us: its line flickers by chance and leaves more edges than a kernel keeps. Lamps are
 * the controller's and are only shown. One thread; nothing blocks; allocates at creation.
 */
#ifndef TOOLS_STAGE_SWITCHES_H
#define TOOLS_STAGE_SWITCHES_H

#include <stdint.h>

#include "hw/sim/world.h"

struct clock;
struct error;
struct panel;
struct switches;

/* With a panel of the machine `name` on them. world and clock are borrowed. */
struct switches *switches_create(const char *name, struct world *world, struct clock *clock, uint64_t seed,
                                 struct error *err);
/* NULL is allowed. */
void switches_destroy(struct switches *switches);
/* For the packer. */
struct panel *switches_panel(struct switches *switches);
/* Lines become what the world's are at the clock's now. */
void switches_follow(struct switches *switches);
/* When switches_follow wants to be called again; INT64_MAX: when something happens. */
int64_t switches_due_ms(const struct switches *switches);

#endif
