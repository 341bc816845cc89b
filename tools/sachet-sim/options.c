/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-sim/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "hw/machine_values.h"
#include "hw/sim/serial.h"
#include "hw/sim/server.h"
#include "hw/sim/world_params.h"
#include "tools/version.h"

enum option_id {
    OPT_TCP,
    OPT_PORT_FILE,
    OPT_RTU,
    OPT_BAUD,
    OPT_NOISE,
    OPT_MACHINES,
    OPT_SEED,
    OPT_SPEED,
    OPT_LOG,
    OPT_MEMORY,
    OPT_CANISTERS,
    OPT_BAYS,
    OPT_FILL,
    OPT_SERIAL,
    OPT_PROFILE,
    OPT_RATE,
    OPT_FAULTS,
    OPT_SCAN,
    OPT_ANSWER,
    OPT_SOCKETS,
    OPT_VISION,
    OPT_WEIGHER,
    OPT_COLD,
    OPT_NO_MENDING,
    OPT_SCENARIO,
    OPT_CONTROL,
    OPT_CLOCK,
    OPT_VIEW,
    OPT_HELP,
    OPT_VERSION,
};

/* One row feeds parser and help. */
static const struct option_row {
    enum option_id id;
    const char *name;
    const char *arg; /* NULL: a flag */
    const char *doc;
} option_rows[] = {
    {OPT_TCP, "--tcp", "HOST:PORT", "listen here for Modbus TCP; port 0: any free one (127.0.0.1:1502)"},
    {OPT_PORT_FILE, "--port-file", "FILE", "write the port numbers here, a line each, once it listens"},
    {OPT_RTU, "--rtu", "PATH", "instead of TCP: put a serial line (a pseudo-terminal) at this path"},
    {OPT_BAUD, "--baud", "N", "modelled speed of the serial line (115200)"},
    {OPT_NOISE, "--noise", "PPM", "damaged characters in a million on the serial line (0)"},
    {OPT_MACHINES, "--machines", "N",
     "machines; machine i answers to unit id i, from 1; machine 248 to unit 1 on the next port (1)"},
    {OPT_SEED, "--seed", "N", "of all chance: the same seed, the same machine (1)"},
    {OPT_SPEED, "--speed", "N|max", "seconds of mechanics in one second, 1 to 1000; max is 1000 (1)"},
    {OPT_LOG, "--log", "FILE", "append what happens as NDJSON: t (us of mechanics), m, seq, ev"},
    {OPT_MEMORY, "--nv", "DIR", "keep non-volatile memory here: a killed process is then a power cut"},
    {OPT_CANISTERS, "--canisters", "FILE",
     "lines [MACHINE] BAY CANISTER PIECES; machines from 1, bays from 0"},
    {OPT_BAYS, "--bays", "N", "canister seats of each machine (60)"},
    {OPT_FILL, "--fill", "N", "pieces in a canister that no file names (400)"},
    {OPT_SERIAL, "--serial", "PREFIX", "of serial numbers, up to 5 characters (SIM)"},
    {OPT_PROFILE, "--profile", "FILE", "register map, a sachet-machine/1 file (sachet-packer/1)"},
    {OPT_RATE, "--rate", "N", "pouches a minute, 10 to 120 (100)"},
    {OPT_FAULTS, "--faults", "PERCENT", "of the usual fault rates; 0: a machine that only obeys (100)"},
    {OPT_SCAN, "--scan", "MS", "values are frozen for so long (10)"},
    {OPT_ANSWER, "--answer", "MS[-MS]",
     "time from request to answer of --tcp; without it 2-20 at speed 1, and faster as the machine is"},
    {OPT_SOCKETS, "--sockets", "N", "connections of --tcp at a time; one more is closed at once (300)"},
    {OPT_VISION, "--vision", NULL, "with a camera"},
    {OPT_WEIGHER, "--weigher", NULL, "with a weigher"},
    {OPT_COLD, "--cold", NULL, "the sealer starts at room temperature and must warm up"},
    {OPT_NO_MENDING, "--no-mending", NULL, "nobody refills or threads film before Unhold and Reset"},
    {OPT_SCENARIO, "--scenario", "FILE", "a sachet-scenario/1 that happens to every machine"},
    {OPT_CONTROL, "--control", "SOCKET",
     "take commands here, a line each; 'tools/rig ctl SOCKET help' lists them"},
    {OPT_CLOCK, "--clock", "wall|virtual",
     "virtual: time stands still but for 'step' on the control socket (wall)"},
    {OPT_VIEW, "--view", NULL, "show the machines on standard output, twice a second"},
    {OPT_HELP, "--help", NULL, "print this"},
    {OPT_VERSION, "--version", NULL, "print the version"},
};
enum { ANSWER_LEAST_MS = 2, ANSWER_MOST_MS = 20, ANSWER_MAX_MS = 10000 };
enum { OPTION_ROWS = sizeof option_rows / sizeof option_rows[0] };

static void print_help(void)
{
    printf("sachet-sim: simulated pouch packers behind one Modbus TCP port or serial line\n\nusage: "
           "sachet-sim [OPTIONS]\n\n");
    for (int i = 0; i < OPTION_ROWS; i++) {
        char left[40];
        (void)snprintf(left, sizeof left, "%s %s", option_rows[i].name,
                       option_rows[i].arg ? option_rows[i].arg : "");
        printf("  %-24s %s\n", left, option_rows[i].doc);
    }
    printf("\nMachine i has the serial number PREFIX and i in eight characters (SIM00001); without a "
           "canister file\n"
           "bay b of machine i holds canister 1000 * (i - 1) + b + 1. It ends on SIGTERM or SIGINT.\n"
           "exit status: 0 ended as asked, 1 a file was refused, 2 used wrongly, 3 port, file or memory\n");
}

static int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *ret_value,
                        struct error *err)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || text[0] < '0' || text[0] > '9' || *end != '\0' || value < min || value > max)
        return error_set(err, E_ARG, "%s %.40s: a whole number from %llu to %llu is needed", option, text,
                         (unsigned long long)min, (unsigned long long)max);
    *ret_value = value;
    return 0;
}

static int parse_u32(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *ret_value,
                     struct error *err)
{
    uint64_t value = 0;
    int rc = parse_number(option, text, min, max, &value, err);
    if (rc == 0)
        *ret_value = (uint32_t)value;
    return rc;
}

static int parse_endpoint(const char *text, struct options *o, struct error *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof o->host)
        return error_set(err, E_ARG, "--tcp %.60s: HOST:PORT is needed, for example 127.0.0.1:1502", text);
    int rc = parse_number("--tcp", colon + 1, 0, 65535, &port, err);
    if (rc < 0)
        return rc;
    memset(o->host, 0, sizeof o->host);
    memcpy(o->host, text, (size_t)(colon - text));
    o->port = (uint16_t)port;
    return 0;
}

static int parse_prefix(const char *text, struct options *o, struct error *err)
{
    size_t len = strlen(text);
    bool right = len >= 1 && len <= OPTIONS_PREFIX_MAX;
    for (size_t i = 0; i < len; i++)
        right = right && text[i] > 0x20 && text[i] < 0x7F;
    if (!right)
        return error_set(err, E_ARG, "--serial %.20s: 1 to %d printable ASCII characters are needed", text,
                         OPTIONS_PREFIX_MAX);
    o->prefix = text;
    return 0;
}

/* "5" or "2-20". */
static int parse_answer(const char *text, struct options *o, struct error *err)
{
    char least[16];
    const char *dash = strchr(text, '-');
    size_t len = dash ? (size_t)(dash - text) : strlen(text);
    (void)snprintf(least, sizeof least, "%.*s", len < sizeof least ? (int)len : 15,
                   text); /* too long: refused */
    int rc = parse_u32("--answer", least, 0, ANSWER_MAX_MS, &o->answer_least_ms, err);
    if (rc == 0)
        rc = parse_u32("--answer", dash ? dash + 1 : least, o->answer_least_ms, ANSWER_MAX_MS,
                       &o->answer_most_ms, err);
    o->answer_given = rc == 0;
    return rc;
}

static int take_option(const struct option_row *row, const char *value, struct options *o, struct error *err)
{
    switch (row->id) {
    case OPT_TCP:
        return parse_endpoint(value, o, err);
    case OPT_PORT_FILE:
        o->port_file = value;
        return 0;
    case OPT_RTU:
        o->rtu_path = value;
        return 0;
    case OPT_BAUD:
        return parse_u32(row->name, value, SERIAL_BAUD_MIN, SERIAL_BAUD_MAX, &o->baud, err);
    case OPT_NOISE:
        return parse_u32(row->name, value, 0, 1000000, &o->noise_ppm, err);
    case OPT_MACHINES:
        return parse_u32(row->name, value, 1, OPTIONS_MACHINES_MAX, &o->machines, err);
    case OPT_SEED:
        o->seed_given = true;
        return parse_number(row->name, value, 0, UINT64_MAX, &o->seed, err);
    case OPT_SPEED:
        if (strcmp(value, "max") == 0) {
            o->speed = WORLD_SPEED_MAX;
            return 0;
        }
        return parse_u32(row->name, value, 1, WORLD_SPEED_MAX, &o->speed, err);
    case OPT_LOG:
        o->log_file = value;
        return 0;
    case OPT_MEMORY:
        o->memory_dir = value;
        return 0;
    case OPT_CANISTERS:
        o->canister_file = value;
        return 0;
    case OPT_BAYS:
        return parse_u32(row->name, value, 1, MACHINE_BAYS_MAX, &o->bays, err);
    case OPT_FILL:
        return parse_u32(row->name, value, 0, WORLD_FILL_MAX, &o->fill, err);
    case OPT_SERIAL:
        return parse_prefix(value, o, err);
    case OPT_PROFILE:
        o->profile_file = value;
        return 0;
    case OPT_RATE:
        return parse_u32(row->name, value, 10, 120, &o->pouches_a_minute, err);
    case OPT_FAULTS:
        return parse_u32(row->name, value, 0, 100000, &o->faults_percent, err);
    case OPT_SCAN:
        return parse_u32(row->name, value, 1, 1000, &o->scan_ms, err);
    case OPT_ANSWER:
        return parse_answer(value, o, err);
    case OPT_SOCKETS:
        return parse_u32(row->name, value, 1, SERVER_CONNECTIONS_MAX, &o->sockets, err);
    case OPT_VISION:
        o->vision = true;
        return 0;
    case OPT_WEIGHER:
        o->weigher = true;
        return 0;
    case OPT_COLD:
        o->cold = true;
        return 0;
    case OPT_NO_MENDING:
        o->no_mending = true;
        return 0;
    case OPT_SCENARIO:
        o->scenario_file = value;
        return 0;
    case OPT_CONTROL:
        o->control_path = value;
        return 0;
    case OPT_CLOCK:
        o->clock_virtual = strcmp(value, "virtual") == 0;
        if (!o->clock_virtual && strcmp(value, "wall") != 0)
            return error_set(err, E_ARG, "--clock %.20s: wall or virtual", value);
        return 0;
    case OPT_VIEW:
        o->view = true;
        return 0;
    case OPT_HELP:
        print_help();
        return 1;
    case OPT_VERSION:
        printf("sachet-sim %s\n", SACHET_VERSION);
        return 1;
    }
    return 0;
}

static const struct option_row *find_option(const char *name)
{
    for (int i = 0; i < OPTION_ROWS; i++) {
        if (strcmp(option_rows[i].name, name) == 0)
            return &option_rows[i];
    }
    return NULL;
}

int options_parse(int argc, char **argv, struct options *ret_options, struct error *err)
{
    struct options o = {.host = "127.0.0.1",
                        .port = 1502,
                        .baud = 115200,
                        .prefix = "SIM",
                        .machines = 1,
                        .seed = 1,
                        .speed = 1,
                        .bays = 60,
                        .fill = 400,
                        .pouches_a_minute = 100,
                        .faults_percent = 100,
                        .scan_ms = 10};
    for (int i = 1; i < argc; i++) {
        const struct option_row *row = find_option(argv[i]);
        if (!row)
            return error_set(err, E_ARG, "%.40s: no such option; see sachet-sim --help", argv[i]);
        if (row->arg && i + 1 >= argc)
            return error_set(err, E_ARG, "%s needs %s; see sachet-sim --help", row->name, row->arg);
        int rc = take_option(row, row->arg ? argv[++i] : NULL, &o, err);
        if (rc != 0)
            return rc;
    }
    if (o.rtu_path && o.machines > SERVER_MACHINES_MAX)
        return error_set(err, E_ARG, "--machines %u: a serial line has at most %d", o.machines,
                         SERVER_MACHINES_MAX);
    if (!o.answer_given && !o.clock_virtual) { /* its own pace, like all of it */
        o.answer_least_ms = ANSWER_LEAST_MS / o.speed;
        o.answer_most_ms = ANSWER_MOST_MS / o.speed;
    }
    *ret_options = o;
    return 0;
}
