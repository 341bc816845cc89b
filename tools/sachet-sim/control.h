/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: the rig's hand on running simulated machines: one command a line on a local socket, one line back.
 *
 *   WORD [m=MACHINE] [bay=N] [canister=N] [value=N]   does what scenario files call WORD (tests/scenarios)
 *   state [m=MACHINE]                                 everything as one JSON object
 *   speed N [m=MACHINE]                               seconds of mechanics in one second
 *   step MS                                           with --clock virtual: lets so much time pass
 *   help                                              the words
 *
 * Machines count from 1; without m= it is machine 1 for a deed and all of them for state and speed. Answers:
 * "ok", "ok {...}" or "error TEXT". Clients wait for the answer before the next line; several may be
 * connected. Nothing blocks: runs on the caller's loop. Worlds and clock are borrowed.
 */
#ifndef TOOLS_SACHET_SIM_CONTROL_H
#define TOOLS_SACHET_SIM_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/sim/line_fault.h"

struct clock;
struct clock_virtual;
struct control;
struct error;
struct loop;
struct world;

enum { CONTROL_CLIENTS_MAX = 16, CONTROL_LINE_MAX = 512, CONTROL_STEP_MAX_MS = 86400000 };

struct control_params {
    struct loop *loop;
    const char *path; /* of the socket; an old one that nobody listens on is replaced */
    struct world **worlds;
    unsigned count;
    struct clock *clock;        /* of the worlds */
    struct clock_virtual *held; /* the same, when it only moves by step; else NULL */
    bool (*fail_line)(void *data, unsigned machine, enum sim_fault fault, uint64_t nth);
    void *fail_data;
    void (*flush)(void *data); /* after each command: a log is written out */
    void *flush_data;
};

/* NULL: E_ARG, E_MEMORY, E_SYSTEM. */
struct control *control_create(const struct control_params *params, struct error *err);
/* Removes the socket. NULL is allowed. */
void control_destroy(struct control *control);

#endif
