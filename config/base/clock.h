/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: time comes in from outside. The core takes a `struct clock *` or plain numbers; only a program's
 * main() makes the system clock, and every test makes a virtual one.
 *
 * mono_ms never goes back and is for machines (durations, deadlines); wall_ms is for people and records
 * (milliseconds since 1970 UTC). The two are never compared with each other. One thread at a time for the
 * virtual clock.
 */
#ifndef CONFIG_BASE_CLOCK_H
#define CONFIG_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*mono_ms)(struct clock *clock);
    int64_t (*wall_ms)(struct clock *clock);
};

int64_t clock_mono_ms(struct clock *clock);
int64_t clock_wall_ms(struct clock *clock);

/* The kernel's CLOCK_MONOTONIC and CLOCK_REALTIME. For composition roots (tools/) only. */
struct clock *clock_system(void);

struct clock_virtual {
    struct clock clock; /* give &v.clock to whoever wants a clock */
    int64_t mono_now_ms;
    int64_t wall_now_ms;
};

void clock_virtual_init(struct clock_virtual *v, int64_t mono_ms, int64_t wall_ms);
/* Moves both times on; ms >= 0. */
void clock_virtual_advance(struct clock_virtual *v, int64_t ms);

#endif
