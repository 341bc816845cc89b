/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/ports.h"

#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/profile.h"
#include "config/conf.h"
#include "config/machine.h"
#include "hw/machine.h"
#include "hw/modbus/bus.h"
#include "hw/modbus/modbus_machine.h"

enum { BUSES_MAX = 128 };

/* A serial line, known by its device. */
struct shared_bus {
    const char *device; /* the site's */
    struct bus *bus;
};

struct ports {
    const struct conf *site;
    struct clock *clock;
    uint64_t seed;
    struct shared_bus buses[BUSES_MAX];
    int bus_count;
};

struct ports *ports_create(const struct conf *site, struct clock *clock, uint64_t seed, struct error *err)
{
    struct ports *ports = calloc(1, sizeof *ports);
    if (!ports) {
        error_set(err, E_MEMORY, "no memory for the lines of the site");
        return NULL;
    }
    ports->site = site;
    ports->clock = clock;
    ports->seed = seed;
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
    const struct conf *site = ports->site;
    const char *device = conf_text(site, "machines[%d].device", index);
    for (int i = 0; i < ports->bus_count; i++) {
        if (strcmp(ports->buses[i].device, device) == 0)
            return ports->buses[i].bus;
    }
    if (ports->bus_count == BUSES_MAX) {
        error_set(err, E_LIMIT, "%s: at most %d serial lines", conf_file(site), BUSES_MAX);
        return NULL;
    }
    const struct bus_params params = {.clock = ports->clock,
                                      .device = device,
                                      .baud = (uint32_t)conf_int(site, "machines[%d].baud", index),
                                      .parity = "NEO"[conf_int(site, "machines[%d].parity", index)],
                                      .seed = ports->seed + (uint64_t)ports->bus_count};
    struct bus *bus = bus_create(&params, err);
    if (bus)
        ports->buses[ports->bus_count++] = (struct shared_bus){.device = device, .bus = bus};
    return bus;
}

static struct machine *open_modbus(struct ports *ports, int index, const struct profile *profile,
                                   struct error *err)
{
    const struct conf *site = ports->site;
    struct modbus_machine_params params = {
        .profile = profile,
        .clock = ports->clock,
        .host = conf_text(site, "machines[%d].host", index),
        .port = (uint16_t)conf_int(site, "machines[%d].port", index),
        .unit = (uint8_t)conf_int(site, "machines[%d].unit", index),
    };
    if (strcmp(conf_text(site, "machines[%d].transport", index), "rtu") == 0) {
        params.bus = bus_of(ports, index, err);
        if (!params.bus)
            return NULL;
    }
    return modbus_machine_create(&params, err);
}

struct machine *ports_open(struct ports *ports, int index, struct profile *ret_profile, struct error *err)
{
    if (profile_load(conf_text(ports->site, "machines[%d].profile", index), ret_profile, err) < 0)
        return NULL;
    struct machine *machine = open_modbus(ports, index, ret_profile, err);
    if (!machine)
        error_prefix(err, "machine %s", conf_text(ports->site, "machines[%d].name", index));
    return machine;
}
