/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: simulated machines behind one Modbus TCP port, on the caller's event loop.
 *
 * Machine i (from 0) answers to unit id i + 1; any connection may talk to any of them, as through a gateway.
 * An unknown unit gets exception 0B. A machine without power, or that loses it in mid request, does not
 * answer: the connection is closed, as steel would.
 *
 * An answer leaves after answer_least_ms to answer_most_ms, drawn evenly; requests of one connection are
 * answered in their order. Faults of the line (server_fail) meet requests by their unit: a late answer leaves
 * after SERVER_LATE_MS, a reset closes the connection with RST, half-open leaves it open and dead, a cut-off
 * answer is the first half of its bytes.
 *
 * Nothing here blocks and no client can stall another: frames may come in pieces or many at once, a client
 * that does not read its answers is not read from, one that leaves half a frame lying or that breaks the
 * framing is closed. Limits have names below. Worlds, loop, clock and profile are borrowed.
 */
#ifndef HW_SIM_SERVER_H
#define HW_SIM_SERVER_H

#include <stdint.h>

#include "hw/sim/line_fault.h"

struct clock;
struct error;
struct loop;
struct profile;
struct server;
struct world;

enum {
    SERVER_MACHINES_MAX = 247,    /* unit ids 1..247 */
    SERVER_CONNECTIONS_MAX = 300, /* one more is closed at once */
    SERVER_HALF_FRAME_MS = 5000,  /* a started frame must be whole within it */
    SERVER_IN_BYTES = 4096,       /* unhandled requests of one connection */
    SERVER_OUT_BYTES = 16384,     /* unread answers of one connection; then its requests wait */
    SERVER_ANSWERS_MAX = 64,      /* answers under way on one connection; then its requests wait */
    SERVER_LATE_MS = 1500,        /* of an answer that comes beyond the time-out */
    SERVER_DRIP_MS = 2,           /* between two bytes of an answer that drips */
    SERVER_TICK_MS = 20,          /* worlds move on without a request */
};

struct server_params {
    struct loop *loop;
    struct clock *clock;
    const struct profile *profile;
    struct world **worlds; /* made with now_us = 1000 * clock_mono_ms(clock) or earlier */
    unsigned count;        /* 1..SERVER_MACHINES_MAX */
    const char *host;      /* IPv4 or IPv6 address to listen on */
    uint16_t port;         /* 0: any free one, see server_port */
    uint32_t scan_ms;      /* values are frozen for so long */
    uint32_t answer_least_ms;
    uint32_t answer_most_ms;
    unsigned connections_max; /* a small machine takes 4; 0: SERVER_CONNECTIONS_MAX */
    uint64_t seed;            /* of the answers' times */
    /* Called after each request or tick before anything is sent: a log is written out here. May be NULL. */
    void (*flush)(void *data);
    void *flush_data;
};

/* Listens at once. NULL: E_ARG, E_MEMORY, E_SYSTEM (port in use: what to do stands in the message). */
struct server *server_create(const struct server_params *params, struct error *err);
void server_destroy(struct server *server);
/* The nth request from now on to this machine (from 0) meets the fault; false: too many are planned. */
bool server_fail(struct server *server, unsigned machine, enum sim_fault fault, uint64_t nth);
uint16_t server_port(const struct server *server);

struct server_counters {
    uint64_t connections;
    uint64_t refused; /* over SERVER_CONNECTIONS_MAX */
    uint64_t requests;
    uint64_t exceptions;
    uint64_t closed_bad; /* broken framing, half frames */
};
void server_counters(const struct server *server, struct server_counters *ret_counters);

#endif
