/* SPDX-License-Identifier: Apache-2.0 */
/* options: the command line of sachet-sim as values. Reads argv only; prints nothing but help and version. */
#ifndef TOOLS_SACHET_SIM_OPTIONS_H
#define TOOLS_SACHET_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/sim/server.h"

struct error;

enum {
    OPTIONS_PREFIX_MAX = 5,
    OPTIONS_HOST_BYTES = 64,
    OPTIONS_PORTS_MAX = 20,
    OPTIONS_MACHINES_MAX = OPTIONS_PORTS_MAX * SERVER_MACHINES_MAX,
};

struct options {
    char host[OPTIONS_HOST_BYTES];
    uint16_t port;
    const char *port_file;
    const char *rtu_path; /* NULL: TCP */
    uint32_t baud;
    uint32_t noise_ppm;
    const char *log_file;
    const char *memory_dir;
    const char *canister_file;
    const char *profile_file;
    const char *prefix;
    uint32_t machines;
    uint64_t seed;
    uint32_t speed;
    uint32_t bays;
    uint32_t fill;
    uint32_t pouches_a_minute;
    uint32_t faults_percent;
    uint32_t scan_ms;
    uint32_t answer_least_ms;
    uint32_t answer_most_ms;
    bool answer_given;
    uint32_t sockets; /* 0: as many as the server takes */
    const char *scenario_file;
    const char *control_path;
    bool clock_virtual;
    bool view;
    bool seed_given;
    bool vision;
    bool weigher;
    bool cold;
    bool no_mending;
};

/* 0: run; 1: help or version was printed, end with status 0; else E_ARG. */
int options_parse(int argc, char **argv, struct options *ret_options, struct error *err);

#endif
