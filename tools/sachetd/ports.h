/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports: the machine ports of a site as its file says: Modbus TCP, or Modbus RTU where machines with the same
 * device share the line. Only here sachetd names a backend.
 *
 * The owner destroys the machines, then the ports.
 */
#ifndef TOOLS_SACHETD_PORTS_H
#define TOOLS_SACHETD_PORTS_H

#include <stddef.h>
#include <stdint.h>

struct clock;
struct conf;
struct error;
struct machine;
struct ports;
struct profile;

struct ports_params {
    const struct conf *site;
    struct clock *clock;
    const char *trace; /* folder for a trace of each machine (hw/wrap/trace.h); NULL: none */
    uint64_t seed;     /* of jitter */
};

/* All of params is borrowed. NULL: E_MEMORY. */
struct ports *ports_create(const struct ports_params *params, struct error *err);
/* The port of machines[index], not connected yet, and its profile. NULL: what the profile's file, the line or
 * the memory said. */
struct machine *ports_open(struct ports *ports, int index, struct profile *ret_profile, struct error *err);
/* "tcp HOST:PORT" or "rtu DEVICE", for people and for grouping; cut to size. */
void ports_line(const struct ports *ports, int index, char *text, size_t size);
/* NULL is allowed. */
void ports_destroy(struct ports *ports);

#endif
