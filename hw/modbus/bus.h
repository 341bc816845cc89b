/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus: one Modbus line and the thread that owns it: a TCP connection to one machine, or a serial line (RTU)
 * with several machines on it. The machines' ports (modbus_machine.h) put their requests into bounded queues
 * of their own; the thread takes them in turn, one request of each machine at a time.
 *
 * No machine can take the line from the others. On a serial line a machine that did not answer twice in a row
 * rests for ten times as long as it held the line, with jitter, at most BUS_REST_MAX_MS: its requests are
 * answered NOT_DONE with E_LINK at once, without a byte on the line. One good answer ends that.
 *
 * An owner that stalls (a slow disk, a store that another program keeps) leaves its machines their heartbeat:
 * when it has not polled for BUS_KEEP_AFTER_MS the thread writes each machine's last control block again with
 * another heartbeat, which commands nothing, until BUS_KEEP_MOST_MS after the last poll. Then the machines
 * suspend by rule M7. An owner that polls and writes no control block means it: nothing is kept for it.
 *
 * All functions belong to the owner's thread; none blocks but bus_destroy and machine_destroy, which wait for
 * the request on the wire: at most one time-out and the silence after it.
 */
#ifndef HW_MODBUS_BUS_H
#define HW_MODBUS_BUS_H

#include <stdint.h>

struct bus;
struct clock;
struct error;

enum {
    BUS_MACHINES_MAX = 247,
    BUS_REST_MAX_MS = 10000,
    BUS_KEEP_AFTER_MS = 700, /* more than a heartbeat, less than half of what M7 allows */
    BUS_KEEP_MOST_MS = 4000,
};

/* host and port, or device, baud and parity. */
struct bus_params {
    struct clock *clock; /* its monotonic time, read from both threads: the system's */
    const char *host;    /* IPv4 address or name; copied, as device is. NULL: a serial line */
    uint16_t port;
    const char *device;
    uint32_t baud;
    char parity;   /* 'N', 'E' or 'O'; with 'N' there are two stop bits */
    uint64_t seed; /* of the jitter */
};

/* Does not connect. NULL: E_ARG (a place or speed that cannot be), E_MEMORY, E_SYSTEM. */
struct bus *bus_create(const struct bus_params *params, struct error *err);
/* After all its machines. NULL is allowed. */
void bus_destroy(struct bus *bus);

#endif
