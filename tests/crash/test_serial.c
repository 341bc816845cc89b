/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault schedules over real Modbus RTU with two machines on one line, each with a batch: the proxy loses,
 * cuts, corrupts, delays, repeats and splits frames, lets their sender hear them and adds noise. A serial
 * answer says nothing of its question, and what is late comes between others' frames. CRC and nonce must make
 * of all that what a lost frame is, so no schedule may stop for a person.
 *
 * usage: test-crash-serial [SCHEDULES [FIRST [AT A TIME]]]     default 8 from 1, 8 at a time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "hw/machine.h"
#include "hw/modbus/bus.h"
#include "hw/modbus/modbus_machine.h"
#include "hw/sim/serial.h"
#include "tests/crash/schedule.h"
#include "tests/support/scratch.h"
#include "tests/support/serial_proxy.h"

enum { BAUD = 921600, RESPONSE_MS = 150 };

struct rtu_line {
    struct scratch scratch;
    struct serial *serial;
    struct serial_proxy *proxy;
};

static void *open_line(const struct schedule_far *far, struct rng *rng)
{
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES];
    struct rtu_line *rtu = calloc(1, sizeof *rtu);
    assert_non_null(rtu);
    scratch_init(&rtu->scratch);
    const struct serial_params serial = {.loop = far->loop,
                                         .clock = far->clock,
                                         .profile = far->profile,
                                         .worlds = far->worlds,
                                         .count = far->machines,
                                         .path = scratch_path(&rtu->scratch, "tty", path),
                                         .baud = BAUD,
                                         .seed = far->seed,
                                         .scan_ms = 1};
    rtu->serial = serial_create(&serial, &err);
    if (!rtu->serial)
        fail_msg("%s", err.message);
    const struct serial_proxy_params proxy = {.loop = far->loop,
                                              .clock = far->clock,
                                              .machines = serial_device(rtu->serial),
                                              .seed = far->seed,
                                              .permille = 20 + rng_below(rng, 100),
                                              .budget = 1 + rng_below(rng, 12),
                                              .delay_ms = 3 * RESPONSE_MS};
    rtu->proxy = serial_proxy_create(&proxy, &err);
    if (!rtu->proxy)
        fail_msg("%s", err.message);
    return rtu;
}

static void close_line(void *line)
{
    struct rtu_line *rtu = line;
    serial_proxy_destroy(rtu->proxy);
    serial_destroy(rtu->serial);
    scratch_finish(&rtu->scratch);
    free(rtu);
}

static unsigned count(const void *line, unsigned fault)
{
    return serial_proxy_count(((const struct rtu_line *)line)->proxy, (enum serial_fault)fault);
}

static const char *fault_text(unsigned fault)
{
    return serial_fault_text((enum serial_fault)fault);
}

static void *dial(void *line, struct clock *clock)
{
    struct error err = {0};
    const struct bus_params params = {.clock = clock,
                                      .device = serial_proxy_device(((struct rtu_line *)line)->proxy),
                                      .baud = BAUD,
                                      .parity = 'N',
                                      .seed = 1};
    struct bus *bus = bus_create(&params, &err);
    if (!bus)
        fail_msg("%s", err.message);
    return bus;
}

static void hang_up(void *shared)
{
    bus_destroy(shared);
}

static struct machine *port(void *line, void *shared, const struct profile *profile, struct clock *clock,
                            unsigned machine, struct error *err)
{
    (void)line;
    const struct modbus_machine_params params = {
        .profile = profile, .clock = clock, .bus = shared, .unit = (uint8_t)(machine + 1)};
    return modbus_machine_create(&params, err);
}

static bool may_stop(uint64_t seed)
{
    (void)seed;
    return false;
}

int main(int argc, char **argv)
{
    static const struct schedule_line line = {.name = "serial",
                                              .machines = 2,
                                              .poll_ms = 50,
                                              .heartbeat_ms = 1500,
                                              .response_ms = RESPONSE_MS,
                                              .faults = SERIAL_FAULTS,
                                              .fault_text = fault_text,
                                              .open = open_line,
                                              .close = close_line,
                                              .count = count,
                                              .dial = dial,
                                              .hang_up = hang_up,
                                              .port = port,
                                              .may_stop = may_stop};
    return schedule_main(&line, 8, argc, argv);
}
