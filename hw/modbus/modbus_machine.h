/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_machine: the machine port over Modbus TCP, by libmodbus.
 *
 * One thread a line owns the libmodbus context and is the only one that touches it; the owner's calls only
 * pass requests and answers through two bounded queues under one mutex, so none of them blocks. machine_fd is
 * an eventfd that is readable while an answer waits.
 *
 * After any time-out or framing error the connection is closed, because a late answer would be taken for the
 * next one. Until the next MACHINE_IDENTIFY every other request is answered NOT_DONE with E_LINK. libmodbus'
 * own error recovery stays off: it would repeat writes. Exceptions are answers (the link stays up): 06 is
 * E_FENCED, all others E_DEVICE.
 *
 * Deadlines: a request that waited longer than its deadline before its turn is NOT_DONE with E_TIMEOUT (and
 * the link is closed, as with every link error); on the wire the response time-out is the rest of the
 * deadline, at most the profile's.
 *
 * machine_destroy waits for the thread: at most one connect or response time-out.
 */
#ifndef HW_MODBUS_MODBUS_MACHINE_H
#define HW_MODBUS_MODBUS_MACHINE_H

#include <stdint.h>

struct clock;
struct error;
struct machine;
struct profile;

struct modbus_machine_params {
    const struct profile *profile; /* copied */
    struct clock *clock;           /* its monotonic time, read from both threads: the system's */
    const char *host;              /* IPv4 address or name; copied */
    uint16_t port;
    uint8_t unit;         /* Modbus unit id, 1..247 (255 for a device without one) */
    uint32_t deadline_ms; /* of requests that name none; 0: only the profile's time-outs hold */
};

/* NULL: E_ARG, E_VERSION (a profile that this backend cannot speak), E_MEMORY, E_SYSTEM. Does not connect. */
struct machine *modbus_machine_create(const struct modbus_machine_params *params, struct error *err);

#endif
