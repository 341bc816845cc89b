/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_machine: the machine port on a world in the same process, on the clock it is given. No threads, no
 * wire.
 *
 * Time is the clock's: each machine_poll brings the world up to the clock's now and hands out what is
 * answered by then. A request takes answer_ms; requests go one after the other, as on a real line. With a
 * virtual clock a day of packing takes seconds: advance the clock by sim_machine_next_due_ms or by any step,
 * and poll.
 *
 * The port borrows world and clock; several ports on one world, one after the other, are a controller that
 * restarts. The caller may use the world's hands (power, door, plants) at any time between two calls.
 *
 * Faults of the line, for tests: sim_machine_fail. A lost request or answer ends as UNKNOWN with E_TIMEOUT at
 * the request's deadline, and the link is down until the next MACHINE_IDENTIFY, as with every backend.
 */
#ifndef HW_SIM_SIM_MACHINE_H
#define HW_SIM_SIM_MACHINE_H

#include <stdint.h>

#include "hw/sim/line_fault.h"

struct clock;
struct error;
struct machine;
struct world;

struct sim_machine_params {
    struct world *world;  /* made with now_us = 1000 * clock_mono_ms(clock) or earlier */
    struct clock *clock;  /* its monotonic time drives the world */
    uint32_t answer_ms;   /* from request to answer */
    uint32_t deadline_ms; /* of requests that name none; 0: 500 */
    uint16_t map_version; /* that is expected; another one is a mismatch, as over a wire; 0: 1 */
};

struct machine *sim_machine_create(const struct sim_machine_params *params, struct error *err);

/* The nth request from now on (1: the next one that goes onto the line) meets this fault; at most
 * LINE_FAULTS_PLANNED are kept. There are no bytes here: a wrong id is an answer cut off, and drip and glue
 * change nothing. */
void sim_machine_fail(struct machine *machine, enum sim_fault fault, uint64_t nth);
/* Another machine is put on the line; the link breaks. */
void sim_machine_plug(struct machine *machine, struct world *world);
/* Requests that went onto the line so far. */
uint64_t sim_machine_requests(const struct machine *machine);
/* The clock's monotonic time at which the world or an answer is due next; INT64_MAX: nothing is. */
int64_t sim_machine_next_due_ms(const struct machine *machine);

#endif
