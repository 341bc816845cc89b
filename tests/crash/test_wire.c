/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault schedules over real Modbus TCP: the proxy loses, delays, repeats, splits, joins, resets, truncates
 * and corrupts frames.
 *
 * usage: test-crash-wire [SCHEDULES [FIRST [AT A TIME]]]     default 40 from 1, 8 at a time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "hw/machine.h"
#include "hw/modbus/modbus_machine.h"
#include "hw/sim/server.h"
#include "tests/crash/schedule.h"
#include "tests/support/proxy.h"

enum { RESPONSE_MS = 60 };

struct tcp_line {
    struct server *server;
    struct proxy *proxy;
};

static void *open_line(const struct schedule_far *far, struct rng *rng)
{
    struct error err = {0};
    struct tcp_line *tcp = calloc(1, sizeof *tcp);
    assert_non_null(tcp);
    const struct server_params server = {.loop = far->loop,
                                         .clock = far->clock,
                                         .profile = far->profile,
                                         .worlds = far->worlds,
                                         .count = far->machines,
                                         .host = "127.0.0.1",
                                         .scan_ms = 1};
    tcp->server = server_create(&server, &err);
    if (!tcp->server)
        fail_msg("%s", err.message);
    unsigned gentle = 1u << PROXY_TRUNCATE | 1u << PROXY_CORRUPT;
    const struct proxy_params proxy = {.loop = far->loop,
                                       .clock = far->clock,
                                       .machine_port = server_port(tcp->server),
                                       .seed = far->seed,
                                       .permille = 20 + rng_below(rng, 150),
                                       .budget = 1 + rng_below(rng, 12),
                                       .kinds = far->seed % 3 == 0 ? ~0u : ~gentle,
                                       .delay_ms = 3 * RESPONSE_MS};
    tcp->proxy = proxy_create(&proxy, &err);
    if (!tcp->proxy)
        fail_msg("%s", err.message);
    return tcp;
}

static void close_line(void *line)
{
    struct tcp_line *tcp = line;
    proxy_destroy(tcp->proxy);
    server_destroy(tcp->server);
    free(tcp);
}

static unsigned count(const void *line, unsigned fault)
{
    return proxy_count(((const struct tcp_line *)line)->proxy, (enum proxy_fault)fault);
}

static const char *fault_text(unsigned fault)
{
    return proxy_fault_text((enum proxy_fault)fault);
}

static void *dial(void *line, struct clock *clock)
{
    (void)line, (void)clock;
    return NULL; /* each machine has a connection of its own */
}

static void hang_up(void *shared)
{
    (void)shared;
}

static struct machine *port(void *line, void *shared, const struct profile *profile, struct clock *clock,
                            unsigned machine, struct error *err)
{
    (void)shared;
    const struct modbus_machine_params params = {.profile = profile,
                                                 .clock = clock,
                                                 .host = "127.0.0.1",
                                                 .port = proxy_port(((struct tcp_line *)line)->proxy),
                                                 .unit = (uint8_t)(machine + 1)};
    return modbus_machine_create(&params, err);
}

/* Where frames are damaged: TCP does not do that, so the damage is another machine's until a person says
 * otherwise. */
static bool may_stop(uint64_t seed)
{
    return seed % 3 == 0;
}

int main(int argc, char **argv)
{
    static const struct schedule_line line = {.name = "wire",
                                              .machines = 1,
                                              .poll_ms = 10,
                                              .heartbeat_ms = 200,
                                              .response_ms = RESPONSE_MS,
                                              .faults = PROXY_FAULTS,
                                              .fault_text = fault_text,
                                              .open = open_line,
                                              .close = close_line,
                                              .count = count,
                                              .dial = dial,
                                              .hang_up = hang_up,
                                              .port = port,
                                              .may_stop = may_stop};
    return schedule_main(&line, 40, argc, argv);
}
