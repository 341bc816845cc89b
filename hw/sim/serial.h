/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial: simulated machines on one serial line (Modbus RTU): a pseudo-terminal, on the caller's event loop.
 *
 * Machine i (from 0) answers to unit id i + 1. Frames end by silence; a frame with a wrong CRC, for another
 * unit or for all (0) is not answered, nor is one to a machine without power. A pseudo-terminal knows no
 * speed, so time is modelled: 11 bits a character in both directions, 3.5 characters between frames (1.75 ms
 * above 19200 baud), a turnaround of SERIAL_TURN_MIN_MS to SERIAL_TURN_MAX_MS drawn evenly, and noise that
 * flips one bit of a character at a rate. All chance comes from the seed.
 *
 * Faults of the line (serial_fail): a lost or late answer (SERIAL_LATE_MS), a wrong CRC, another unit's id.
 * What only a connection has (reset, half-open) is a request that nobody hears; drip and glue change nothing.
 *
 * Nothing blocks: what the other end does not read is lost, as on a wire. Worlds, loop, clock and profile are
 * borrowed.
 */
#ifndef HW_SIM_SERIAL_H
#define HW_SIM_SERIAL_H

#include <stdint.h>

#include "hw/sim/line_fault.h"

struct clock;
struct error;
struct loop;
struct profile;
struct serial;
struct world;

enum {
    SERIAL_BAUD_MIN = 1200,
    SERIAL_BAUD_MAX = 921600,
    SERIAL_TURN_MIN_MS = 2,
    SERIAL_TURN_MAX_MS = 20,
    SERIAL_LATE_MS = 1500,
    SERIAL_PENDING = 4, /* answers under way; a question beyond them is not heard */
    SERIAL_TICK_MS = 20 /* worlds move on without a request */
};

struct serial_params {
    struct loop *loop;
    struct clock *clock;
    const struct profile *profile;
    struct world **worlds; /* made with now_us = 1000 * clock_mono_ms(clock) or earlier */
    unsigned count;        /* 1..247 */
    const char *path;      /* a symbolic link is put here; a link that is there is replaced, a file is not */
    uint32_t baud;         /* SERIAL_BAUD_MIN..SERIAL_BAUD_MAX */
    uint32_t noise_ppm;    /* damaged characters in a million */
    uint64_t seed;
    uint32_t scan_ms; /* values are frozen for so long */
    /* Called after each request or tick before anything is sent: a log is written out here. May be NULL. */
    void (*flush)(void *data);
    void *flush_data;
};

/* NULL: E_ARG, E_EXISTS (a file is at the path), E_MEMORY, E_SYSTEM. */
struct serial *serial_create(const struct serial_params *params, struct error *err);
/* Removes the link, if it is still ours. NULL is allowed. */
void serial_destroy(struct serial *serial);
/* The nth request from now on to this machine (from 0) meets the fault; false: too many are planned. */
bool serial_fail(struct serial *serial, unsigned machine, enum sim_fault fault, uint64_t nth);
/* The pseudo-terminal's own name. */
const char *serial_device(const struct serial *serial);

struct serial_counters {
    uint64_t frames;
    uint64_t damaged; /* wrong CRC, too short or too long */
    uint64_t ignored; /* for nobody here, for all, or beyond SERIAL_PENDING */
    uint64_t answers;
    uint64_t noise; /* characters flipped */
};
void serial_counters(const struct serial *serial, struct serial_counters *ret_counters);

#endif
