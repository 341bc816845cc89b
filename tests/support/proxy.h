/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy: a Modbus TCP line that fails, between a controller and a simulated machine.
 *
 * It cuts both directions into frames and draws a fate for each from its seed, until its budget of faults is
 * used up. Bytes stay in order on one connection, as TCP has it; what is delayed when the controller hangs up
 * is still delivered to the machine, as a request of an old connection. On the caller's loop, one thread,
 * never blocks.
 */
#ifndef TESTS_SUPPORT_PROXY_H
#define TESTS_SUPPORT_PROXY_H

#include <stdint.h>

struct clock;
struct error;
struct loop;
struct proxy;

/* X(name, what happens to the frame) */
#define PROXY_FAULT_TABLE(X)                                        \
    X(LOSE, "lost")                                                 \
    X(DELAY, "delayed")                                             \
    X(REPEAT, "repeated")                                           \
    X(SPLIT, "split")                                               \
    X(JOIN, "joined with the next")                                 \
    X(RESET, "connection reset, before or after it is delivered")   \
    X(TRUNCATE, "truncated, and what follows stands in its middle") \
    X(CORRUPT, "corrupted")

enum proxy_fault {
#define PROXY_FAULT_ENUM(name, text) PROXY_##name,
    PROXY_FAULT_TABLE(PROXY_FAULT_ENUM)
#undef PROXY_FAULT_ENUM
        PROXY_FAULTS,
};

struct proxy_params {
    struct loop *loop;
    struct clock *clock;
    uint16_t machine_port; /* on 127.0.0.1 */
    uint64_t seed;
    uint32_t permille; /* of frames that meet a fault */
    unsigned budget;   /* faults in all */
    unsigned kinds;    /* bits 1 << enum proxy_fault */
    uint32_t delay_ms; /* longest; the controller's time-out should lie within it */
};

/* Listens on a free port of 127.0.0.1. */
struct proxy *proxy_create(const struct proxy_params *params, struct error *err);
void proxy_destroy(struct proxy *proxy);
uint16_t proxy_port(const struct proxy *proxy);
/* Faults so far. */
unsigned proxy_count(const struct proxy *proxy, enum proxy_fault fault);
const char *proxy_fault_text(enum proxy_fault fault);

#endif
