/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line and the machines on it: what the owner's thread and the line's share under bus->lock, and what is
 * the line's thread's alone. Private to hw/modbus.
 */
#ifndef HW_MODBUS_BUS_PRIVATE_H
#define HW_MODBUS_BUS_PRIVATE_H

#include <pthread.h>

#include "config/base/rng.h"
#include "hw/machine_latency.h"
#include "hw/modbus/bus.h"
#include "hw/modbus/station_private.h"

struct waiting {
    struct machine_request request;
    int64_t submitted_ms;
    bool called_off; /* by make_safe */
};

struct modbus_machine {
    struct machine machine; /* first: the port's pointer is ours */
    struct bus *bus;
    bool owns_bus;
    struct clock *clock;
    uint32_t deadline_ms; /* of requests that name none; 0: none */
    int answer_fd;

    /* Under bus->lock, from here to `station`. */
    bool make_safe;
    int64_t polled_ms;                      /* when the owner last asked for an answer */
    struct waiting requests[MACHINE_QUEUE]; /* rings */
    unsigned request_first, request_count;
    struct machine_answer answers[MACHINE_QUEUE];
    unsigned answer_first, answer_count;
    unsigned outstanding; /* submitted and not yet polled */
    uint16_t bays;        /* of the machine at the other end; 0: not known yet */
    struct machine_counters counters;
    struct latency latency;

    /* The thread's alone; the station's profile never changes. */
    struct station station;
    int64_t kept_ms;   /* when its heartbeat was last kept going */
    unsigned failures; /* unanswered requests in a row */
    int64_t rest_until_ms;
};

struct bus {
    struct clock *clock;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* over everything from here to `wire`, and the machines' shared part */
    pthread_cond_t work;
    pthread_cond_t idle; /* signalled when `serving` ends */
    bool stop;
    struct modbus_machine *machines[BUS_MACHINES_MAX];
    unsigned count;
    unsigned turn;                  /* the machine after the one that was served last */
    struct modbus_machine *serving; /* its request is on the wire */

    /* The thread's alone. */
    struct wire wire;
    struct rng rng;
};

/* Puts the machine on the line, at the end of the turn. E_EXISTS: its unit is there already; E_LIMIT. */
int bus_attach(struct bus *bus, struct modbus_machine *machine, struct error *err);
/* Takes it off when its request on the wire has ended. */
void bus_detach(struct bus *bus, struct modbus_machine *machine);

#endif
