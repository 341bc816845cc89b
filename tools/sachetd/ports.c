/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/ports.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/profile.h"
#include "config/conf.h"
#include "config/machine.h"
#include "hw/machine.h"
#include "hw/modbus/bus.h"
#include "hw/modbus/modbus_machine.h"
#include "hw/wrap/trace.h"

enum { BUSES_MAX = 128, TRACES_MAX = 9999, PATH_BYTES = 4096 };

/* A serial line, known by its device. */
struct shared_bus {
    const char *device; /* the site's */
    struct bus *bus;
};

struct ports {
    struct ports_params params;
    struct shared_bus buses[BUSES_MAX];
    int bus_count;
};

struct ports *ports_create(const struct ports_params *params, struct error *err)
{
    struct ports *ports = calloc(1, sizeof *ports);
    if (!ports) {
        error_set(err, E_MEMORY, "no memory for the lines of the site");
        return NULL;
    }
    ports->params = *params;
    return ports;
}

void ports_destroy(struct ports *ports)
{
    if (!ports)
        return;
    for (int i = 0; i < ports->bus_count; i++)
        bus_destroy(ports->buses[i].bus);
    free(ports);
}

/* The site's check made sure that machines with one device agree on baud and parity. */
static struct bus *bus_of(struct ports *ports, int index, struct error *err)
{
    const struct conf *site = ports->params.site;
    const char *device = conf_text(site, "machines[%d].device", index);
    for (int i = 0; i < ports->bus_count; i++) {
        if (strcmp(ports->buses[i].device, device) == 0)
            return ports->buses[i].bus;
    }
    if (ports->bus_count == BUSES_MAX) {
        error_set(err, E_LIMIT, "%s: at most %d serial lines", conf_file(site), BUSES_MAX);
        return NULL;
    }
    const struct bus_params params = {.clock = ports->params.clock,
                                      .device = device,
                                      .baud = (uint32_t)conf_int(site, "machines[%d].baud", index),
                                      .parity = "NEO"[conf_int(site, "machines[%d].parity", index)],
                                      .seed = ports->params.seed + (uint64_t)ports->bus_count};
    struct bus *bus = bus_create(&params, err);
    if (bus)
        ports->buses[ports->bus_count++] = (struct shared_bus){.device = device, .bus = bus};
    return bus;
}

static bool is_rtu(const struct ports *ports, int index)
{
    return strcmp(conf_text(ports->params.site, "machines[%d].transport", index), "rtu") == 0;
}

void ports_line(const struct ports *ports, int index, char *text, size_t size)
{
    const struct conf *site = ports->params.site;
    if (is_rtu(ports, index))
        (void)snprintf(text, size, "rtu %s", conf_text(site, "machines[%d].device", index)); /* cut */
    else
        (void)snprintf(text, size, "tcp %s:%u", conf_text(site, "machines[%d].host", index),
                       (unsigned)conf_int(site, "machines[%d].port", index)); /* cut */
}

static struct machine *open_modbus(struct ports *ports, int index, const struct profile *profile,
                                   struct error *err)
{
    const struct conf *site = ports->params.site;
    struct modbus_machine_params params = {
        .profile = profile,
        .clock = ports->params.clock,
        .host = conf_text(site, "machines[%d].host", index),
        .port = (uint16_t)conf_int(site, "machines[%d].port", index),
        .unit = (uint8_t)conf_int(site, "machines[%d].unit", index),
    };
    if (is_rtu(ports, index)) {
        params.bus = bus_of(ports, index, err);
        if (!params.bus)
            return NULL;
    }
    return modbus_machine_create(&params, err);
}

/* FOLDER/NAME.ndjson, or NAME-2.ndjson and so on: a trace is evidence and is never written over. */
static struct machine *add_trace(struct ports *ports, struct machine *machine, const char *name,
                                 struct error *err)
{
    char file[PATH_BYTES];
    for (int n = 1; n <= TRACES_MAX; n++) {
        char number[16] = "";
        if (n > 1)
            (void)snprintf(number, sizeof number, "-%d", n); /* fits */
        if (snprintf(file, sizeof file, "%s/%s%s.ndjson", ports->params.trace, name, number) >= PATH_BYTES) {
            error_set(err, E_LIMIT, "--trace: path too long, at most %d bytes", PATH_BYTES - 1);
            return NULL;
        }
        struct machine *traced = trace_create(machine, file, name, ports->params.clock, err);
        if (traced || err->code != E_EXISTS)
            return traced;
    }
    error_set(err, E_LIMIT, "%s: there are %d traces of %s already; take another folder", ports->params.trace,
              TRACES_MAX, name);
    return NULL;
}

struct machine *ports_open(struct ports *ports, int index, struct profile *ret_profile, struct error *err)
{
    const char *name = conf_text(ports->params.site, "machines[%d].name", index);
    if (profile_load(conf_text(ports->params.site, "machines[%d].profile", index), ret_profile, err) < 0)
        return NULL;
    struct machine *machine = open_modbus(ports, index, ret_profile, err);
    struct machine *traced = machine;
    if (machine && ports->params.trace)
        traced = add_trace(ports, machine, name, err);
    if (!traced) {
        (void)error_prefix(err, E_DEVICE, "machine %s", name);
        machine_destroy(machine);
    }
    return traced;
}
