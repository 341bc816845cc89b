/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rigging: what a rig hangs onto the machines of a sachet-sim: a scenario, the control socket, the live view,
 * and a clock that stands still. main.c calls it in the order of the functions here. One thread, the loop's.
 */
#ifndef TOOLS_SACHET_SIM_RIGGING_H
#define TOOLS_SACHET_SIM_RIGGING_H

#include <stdint.h>

#include "config/base/clock.h"
#include "hw/sim/server.h"
#include "tools/sachet-sim/options.h"

struct control;
struct director;
struct error;
struct loop;
struct loop_timer;
struct options;
struct scenario_file;
struct world;
struct world_params;

struct rigging {
    const struct options *options;
    struct scenario_file *scenario;
    struct director *directors[OPTIONS_MACHINES_MAX];
    struct rigged {
        struct rigging *rigging;
        unsigned machine;
    } rigged[OPTIONS_MACHINES_MAX];
    /* Of the wire, set by main(). */
    bool (*fail_line)(void *data, unsigned machine, enum sim_fault fault, uint64_t nth);
    void *fail_data;
    struct clock_virtual held; /* of the worlds, with --clock virtual */
    struct control *control;
    struct loop_timer *view;
    struct world **worlds;
};

/* Zeroed before. Reads the scenario; E_INPUT when it needs more than machines and their line. */
int rigging_load(struct rigging *rigging, const struct options *options, struct error *err);
/* The clock of the worlds: real, or the one that only `step` moves. */
struct clock *rigging_clock(struct rigging *rigging, struct clock *real);
/* What the scenario says of its machine. */
void rigging_fit(const struct rigging *rigging, struct world_params *params);
/* worlds outlive the rigging. */
int rigging_direct(struct rigging *rigging, struct world **worlds, struct error *err);
int rigging_open(struct rigging *rigging, struct loop *loop, struct clock *clock, void (*flush)(void *data),
                 void *data, struct error *err);
void rigging_finish(struct rigging *rigging);

#endif
