/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial_proxy: a serial line that fails, between a controller and simulated machines (hw/sim/serial.h): two
 * pseudo-terminals with this in between.
 *
 * Frames are cut out of both directions by silence, and each meets a fate that is drawn from the seed, until
 * the budget of faults is used up. A wire has no memory and no order to keep: what is delayed comes late,
 * also between other frames. One unit can be made deaf (nothing reaches it) or a babbler (noise follows each
 * frame that speaks to it). On the caller's loop, one thread, never blocks.
 */
#ifndef TESTS_SUPPORT_SERIAL_PROXY_H
#define TESTS_SUPPORT_SERIAL_PROXY_H

#include <stdint.h>

struct clock;
struct error;
struct loop;
struct serial_proxy;

/* X(name, what happens to the frame) */
#define SERIAL_FAULT_TABLE(X)                 \
    X(LOSE, "lost")                           \
    X(CUT, "short of some characters")        \
    X(CORRUPT, "corrupted")                   \
    X(DELAY, "delayed")                       \
    X(REPEAT, "repeated")                     \
    X(SPLIT, "split by a silence")            \
    X(ECHO, "heard by their own sender, too") \
    X(NOISE, "beside noise")

enum serial_fault {
#define SERIAL_FAULT_ENUM(name, text) SERIAL_FAULT_##name,
    SERIAL_FAULT_TABLE(SERIAL_FAULT_ENUM)
#undef SERIAL_FAULT_ENUM
        SERIAL_FAULTS,
};

struct serial_proxy_params {
    struct loop *loop;
    struct clock *clock;
    const char *machines; /* device of the machines' line */
    uint64_t seed;
    uint32_t permille; /* of frames that meet a fault */
    unsigned budget;   /* faults in all */
    uint32_t delay_ms; /* longest; the controller's time-out should lie within it */
    uint8_t deaf;      /* unit that hears nothing; 0 none */
    uint8_t babbler;   /* unit whose frames are followed by noise, always; 0 none */
};

struct serial_proxy *serial_proxy_create(const struct serial_proxy_params *params, struct error *err);
void serial_proxy_destroy(struct serial_proxy *proxy);
/* The device for the controller. */
const char *serial_proxy_device(const struct serial_proxy *proxy);
/* Faults so far. */
unsigned serial_proxy_count(const struct serial_proxy *proxy, enum serial_fault fault);
const char *serial_fault_text(enum serial_fault fault);

#endif
