/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus_machine: the machine port over Modbus TCP or RTU, by libmodbus.
 *
 * The thread of the machine's line (bus.h) is the only one that touches libmodbus; the owner's calls only
 * pass requests and answers through two bounded queues under one mutex, so none of them blocks. machine_fd is
 * an eventfd that is readable while an answer waits.
 *
 * After any time-out or framing error the link is down, because a late answer would be taken for the next
 * one: a TCP connection is closed, a serial line is listened to until it is silent. Until the next
 * MACHINE_IDENTIFY every other request is answered NOT_DONE with E_LINK. The link also ends when the mirror
 * shows another boot counter. libmodbus' own error recovery stays off: it would repeat writes. Exceptions are
 * answers (the link stays up): 06 is E_FENCED, all others E_DEVICE.
 *
 * A mirror that shows an older nonce than the last one written on this link is a late answer: it is thrown
 * away and read again, a few times, then the link is down (E_FRAME).
 *
 * Deadlines: a request that waited longer than its deadline before its turn is NOT_DONE with E_TIMEOUT (and
 * the link is down, as with every link error); on the wire the response time-out is the rest of the deadline,
 * at most the profile's.
 *
 * machine_destroy waits for the request on the wire: at most one connect or response time-out.
 */
#ifndef HW_MODBUS_MODBUS_MACHINE_H
#define HW_MODBUS_MODBUS_MACHINE_H

#include <stdint.h>

struct bus;
struct clock;
struct error;
struct machine;
struct profile;

struct modbus_machine_params {
    const struct profile *profile; /* copied */
    struct clock *clock;           /* its monotonic time, read from both threads: the system's */
    struct bus *bus;               /* a serial line with others on it; NULL: a TCP connection of its own */
    const char *host;              /* for that: IPv4 address or name; copied */
    uint16_t port;
    uint8_t unit;         /* Modbus unit id, 1..247 (TCP also 255, a device without one); once on a bus */
    uint32_t deadline_ms; /* of requests that name none; 0: only the profile's time-outs hold */
};

/* NULL: E_ARG, E_VERSION (a profile that this backend cannot speak), E_EXISTS (unit taken), E_MEMORY,
 * E_SYSTEM. Does not connect. */
struct machine *modbus_machine_create(const struct modbus_machine_params *params, struct error *err);

#endif
