/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/clock.h"

#include <assert.h>
#include <time.h>

int64_t clock_mono_ms(struct clock *clock)
{
    return clock->mono_ms(clock);
}

int64_t clock_wall_ms(struct clock *clock)
{
    return clock->wall_ms(clock);
}

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    assert(rc == 0); /* both ids exist on every Linux */
    (void)rc;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_mono_ms(struct clock *clock)
{
    (void)clock; /* no state */
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall_ms(struct clock *clock)
{
    (void)clock; /* no state */
    return read_ms(CLOCK_REALTIME);
}

struct clock *clock_system(void)
{
    static struct clock clock = {.mono_ms = system_mono_ms, .wall_ms = system_wall_ms};
    return &clock;
}

static int64_t virtual_mono_ms(struct clock *clock)
{
    return ((struct clock_virtual *)clock)->mono_now_ms; /* clock is the first member */
}

static int64_t virtual_wall_ms(struct clock *clock)
{
    return ((struct clock_virtual *)clock)->wall_now_ms;
}

void clock_virtual_init(struct clock_virtual *v, int64_t mono_ms, int64_t wall_ms)
{
    *v = (struct clock_virtual){
        .clock = {.mono_ms = virtual_mono_ms, .wall_ms = virtual_wall_ms},
        .mono_now_ms = mono_ms,
        .wall_now_ms = wall_ms,
    };
}

void clock_virtual_advance(struct clock_virtual *v, int64_t ms)
{
    assert(ms >= 0);
    v->mono_now_ms += ms;
    v->wall_now_ms += ms;
}
