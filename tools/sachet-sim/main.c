/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-sim: simulated packers as a process. The composition root: reads clock and files, makes the worlds,
 * puts them behind a Modbus TCP server or on a serial line, and ends on SIGTERM or SIGINT.
 *
 * With --nv each machine's memory is a shared file mapping, so that kill -9 of this process is a power cut:
 * what was stored stays, a record that was being written is torn and falls back to its other copy. (Against a
 * power cut of the host itself the files are as safe as the page cache.)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/loop.h"
#include "config/base/profile.h"
#include "config/machine.h"
#include "config/paths.h"
#include "hw/sim/serial.h"
#include "hw/sim/server.h"
#include "hw/sim/world.h"
#include "tools/sachet-sim/options.h"
#include "tools/sachet-sim/rigging.h"

struct sim {
    struct options options;
    struct clock *clock;
    struct loop *loop;
    struct profile profile;
    struct world *worlds[OPTIONS_MACHINES_MAX];
    struct world_memory *memories[OPTIONS_MACHINES_MAX];
    struct server *servers[OPTIONS_PORTS_MAX]; /* of SERVER_MACHINES_MAX machines each; or */
    struct serial *serial;
    struct rigging rigging;
    int log_fd;
    struct buf log;
    int log_code; /* of a log that could not be written */
    struct error log_error;
};

/* ---- event log ---- */

static void log_event(void *data, const struct world_event *event)
{
    world_event_write(event, &((struct sim *)data)->log);
}

/* A log with a hole would make a checker lie: the program ends instead. */
static void flush_log(void *data)
{
    struct sim *sim = data;
    for (size_t at = 0; at < sim->log.len && sim->log_code == 0;) {
        ssize_t written = write(sim->log_fd, sim->log.data + at, sim->log.len - at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            sim->log_code = error_set_errno(&sim->log_error, E_FILE, errno,
                                            "%s: the event log cannot be written", sim->options.log_file);
            loop_stop(sim->loop);
            return;
        }
        at += (size_t)written;
    }
    if (sim->log.failed) {
        sim->log_code = error_set(&sim->log_error, E_MEMORY, "no memory for the event log");
        loop_stop(sim->loop);
    }
    buf_reset(&sim->log);
}

static int open_log(struct sim *sim, struct error *err)
{
    if (!sim->options.log_file)
        return 0;
    sim->log_fd = open(sim->options.log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (sim->log_fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s", sim->options.log_file);
    return 0;
}

/* ---- machines ---- */

/* The prefix, and the number right-aligned over zeros: it stays the same as long as the prefix does. */
static void write_serial(const struct sim *sim, unsigned index, char serial[MACHINE_SERIAL_BYTES])
{
    size_t len = strlen(sim->options.prefix);
    unsigned number = index + 1;
    memset(serial, 0, MACHINE_SERIAL_BYTES);
    memcpy(serial, sim->options.prefix, len);
    for (size_t at = MACHINE_SERIAL_BYTES - 1; at-- > len; number /= 10)
        serial[at] = (char)('0' + number % 10);
}

/* Maps DIR/SERIAL.nv, zeroed when it is new. The lock goes with the process. */
static int map_memory(struct sim *sim, unsigned index, const char *serial, struct error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s.nv", sim->options.memory_dir, serial) >= (int)sizeof path)
        return error_set(err, E_ARG, "--nv: the folder's name is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    struct stat st;
    size_t size = world_memory_bytes();
    int rc = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        rc =
            error_set(err, E_FILE, "%s: another sachet-sim uses it; end that one or take another --nv", path);
    else if (fstat(fd, &st) < 0 || (st.st_size == 0 && ftruncate(fd, (off_t)size) < 0))
        rc = error_set_errno(err, E_FILE, errno, "%s", path);
    else if (st.st_size != 0 && (size_t)st.st_size != size)
        rc = error_set(err, E_FILE, "%s: not the memory of a machine of this version; remove it", path);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        close(fd);
        return error_set_errno(err, E_FILE, errno, "%s", path);
    }
    sim->memories[index] = memory; /* fd stays open: it holds the lock */
    return 0;
}

static int make_machine(struct sim *sim, unsigned index, struct error *err)
{
    const struct options *o = &sim->options;
    struct world_params params;
    world_params_default(&params, index);
    write_serial(sim, index, params.serial);
    params.seed = o->seed;
    params.now_us = clock_mono_ms(sim->clock) * 1000;
    params.speed = o->speed;
    params.map_version = sim->profile.map_version;
    params.bays = (uint16_t)o->bays;
    params.queue_depth = sim->profile.queue_depth;
    params.ring_size = sim->profile.ring_size;
    params.caps = (uint16_t)(MACHINE_CAP_SIMULATED | (sim->profile.fc23 ? MACHINE_CAP_FC23 : 0) |
                             (o->vision ? MACHINE_CAP_VISION : 0) | (o->weigher ? MACHINE_CAP_WEIGHER : 0));
    params.cycle_us = 60000000 / o->pouches_a_minute;
    params.cold_start = o->cold;
    params.fill = (uint16_t)o->fill;
    params.operator_mends = !o->no_mending;
    world_rates_scale(&params.rates, o->faults_percent);
    rigging_fit(&sim->rigging, &params);
    params.keep_truth = false; /* the log tells it */
    if (o->log_file) {
        params.log = log_event;
        params.log_data = sim;
    }
    if (o->memory_dir) {
        int rc = map_memory(sim, index, params.serial, err);
        if (rc < 0)
            return rc;
        params.memory = sim->memories[index];
    }
    sim->worlds[index] = world_create(&params, err);
    return sim->worlds[index] ? 0 : err->code;
}

/* Seats what the file says; a canister that sits there already keeps its pieces. */
static int seat_line(struct sim *sim, const char *line, int number, struct error *err)
{
    const char *file = sim->options.canister_file;
    unsigned long v[4] = {0};
    int used = 0;
    if (line[strspn(line, " \t\r\n")] == '\0' || line[strspn(line, " \t")] == '#')
        return 0;
    int fields = sscanf(line, "%lu %lu %lu %lu %n", &v[0], &v[1], &v[2], &v[3], &used);
    if (fields == 3) {
        fields = sscanf(line, "%lu %lu %lu %n", &v[1], &v[2], &v[3], &used);
        v[0] = 1;
    }
    if (fields < 3 || line[used] != '\0' || strchr(line, '-'))
        return error_set(err, E_SYNTAX, "%s:%d:1: [MACHINE] BAY CANISTER PIECES are needed, whole numbers",
                         file, number);
    if (v[0] < 1 || v[0] > sim->options.machines || v[1] >= sim->options.bays || v[2] > UINT32_MAX ||
        v[3] > WORLD_FILL_MAX)
        return error_set(err, E_INPUT, "%s:%d:1: machines are 1 to %u, bays 0 to %u, pieces 0 to %d", file,
                         number, sim->options.machines, sim->options.bays - 1, WORLD_FILL_MAX);
    struct machine_bay bay;
    struct world *world = sim->worlds[v[0] - 1];
    world_bay(world, (unsigned)v[1], &bay);
    if (bay.canister != v[2] || !sim->options.memory_dir)
        world_seat(world, (unsigned)v[1], (uint32_t)v[2], (uint16_t)v[3]);
    return 0;
}

static int seat_canisters(struct sim *sim, struct error *err)
{
    if (!sim->options.canister_file)
        return 0;
    FILE *file = fopen(sim->options.canister_file, "re");
    if (!file)
        return error_set_errno(err, E_FILE, errno, "%s", sim->options.canister_file);
    char line[256];
    int rc = 0;
    for (int number = 1; rc == 0 && fgets(line, sizeof line, file); number++)
        rc = seat_line(sim, line, number, err);
    fclose(file);
    return rc;
}

/* ---- life of the program ---- */

static int load_profile(struct sim *sim, struct error *err)
{
    char path[4096];
    const char *file = sim->options.profile_file;
    if (!file) {
        int rc = paths_data("machines/sachet-packer-1.yaml", path, sizeof path, err);
        if (rc < 0)
            return rc;
        file = path;
    }
    int rc = profile_load(file, &sim->profile, err);
    if (rc == 0 && sim->options.bays > sim->profile.bays)
        return error_set(err, E_ARG, "--bays %u: profile %s has at most %u", sim->options.bays,
                         sim->profile.name, sim->profile.bays);
    return rc;
}

/* A line a port. Written aside and renamed, so that a reader never sees half a number. */
static int write_ports(const struct sim *sim, struct error *err)
{
    char aside[4096];
    const char *file = sim->options.port_file;
    if (snprintf(aside, sizeof aside, "%s.new", file) >= (int)sizeof aside)
        return error_set(err, E_ARG, "--port-file: the name is too long");
    FILE *out = fopen(aside, "we");
    bool written = out != NULL;
    for (unsigned i = 0; written && i < OPTIONS_PORTS_MAX && sim->servers[i]; i++)
        written = fprintf(out, "%u\n", server_port(sim->servers[i])) > 0;
    written = out && fclose(out) == 0 && written;
    if (!written || rename(aside, file) < 0)
        return error_set_errno(err, E_FILE, errno, "%s", file);
    return 0;
}

static void stop(void *data, int signal)
{
    (void)signal; /* SIGTERM and SIGINT mean the same */
    loop_stop(((struct sim *)data)->loop);
}

/* Machines from 247 * port on. */
static int open_server(struct sim *sim, unsigned port, struct error *err)
{
    unsigned first = port * SERVER_MACHINES_MAX, left = sim->options.machines - first;
    const struct server_params params = {.loop = sim->loop,
                                         .clock = sim->clock,
                                         .profile = &sim->profile,
                                         .worlds = sim->worlds + first,
                                         .count = left < SERVER_MACHINES_MAX ? left : SERVER_MACHINES_MAX,
                                         .host = sim->options.host,
                                         .port = (uint16_t)(sim->options.port ? sim->options.port + port : 0),
                                         .scan_ms = sim->options.scan_ms,
                                         .answer_least_ms = sim->options.answer_least_ms,
                                         .answer_most_ms = sim->options.answer_most_ms,
                                         .connections_max = sim->options.sockets,
                                         .seed = sim->options.seed + port,
                                         .flush = flush_log,
                                         .flush_data = sim};
    sim->servers[port] = server_create(&params, err);
    if (!sim->servers[port])
        return err->code;
    log_info("sim", "listening on %s:%u machines=%u first=%u seed=%" PRIu64 " speed=%u", sim->options.host,
             server_port(sim->servers[port]), params.count, first + 1, sim->options.seed, sim->options.speed);
    return 0;
}

/* A unit id has one byte: the port after it for each further 247 machines. */
static int open_servers(struct sim *sim, struct error *err)
{
    unsigned ports = (sim->options.machines + SERVER_MACHINES_MAX - 1) / SERVER_MACHINES_MAX;
    int rc = 0;
    if (sim->options.port && sim->options.port + ports - 1 > UINT16_MAX)
        return error_set(err, E_ARG, "--tcp: %u machines take %u ports from %u on", sim->options.machines,
                         ports, sim->options.port);
    for (unsigned i = 0; i < ports && rc == 0; i++)
        rc = open_server(sim, i, err);
    return rc == 0 && sim->options.port_file ? write_ports(sim, err) : rc;
}

static int open_serial(struct sim *sim, struct error *err)
{
    const struct serial_params params = {.loop = sim->loop,
                                         .clock = sim->clock,
                                         .profile = &sim->profile,
                                         .worlds = sim->worlds,
                                         .count = sim->options.machines,
                                         .path = sim->options.rtu_path,
                                         .baud = sim->options.baud,
                                         .noise_ppm = sim->options.noise_ppm,
                                         .seed = sim->options.seed,
                                         .scan_ms = sim->options.scan_ms,
                                         .flush = flush_log,
                                         .flush_data = sim};
    sim->serial = serial_create(&params, err);
    if (!sim->serial)
        return err->code;
    log_info("sim", "serial line at %s (%s) baud=%u machines=%u seed=%" PRIu64 " speed=%u",
             sim->options.rtu_path, serial_device(sim->serial), sim->options.baud, sim->options.machines,
             sim->options.seed, sim->options.speed);
    return 0;
}

/* Of whichever wire there is; before it is there, nothing can go wrong on it. */
static bool fail_line(void *data, unsigned machine, enum sim_fault fault, uint64_t nth)
{
    const struct sim *sim = data;
    unsigned port = machine / SERVER_MACHINES_MAX;
    if (sim->servers[port])
        return server_fail(sim->servers[port], machine % SERVER_MACHINES_MAX, fault, nth);
    return sim->serial && serial_fail(sim->serial, machine, fault, nth);
}

static int run(struct sim *sim, struct error *err)
{
    static const int signals[] = {SIGTERM, SIGINT};
    int rc = load_profile(sim, err);
    if (rc == 0)
        rc = rigging_load(&sim->rigging, &sim->options, err);
    if (rc < 0)
        return rc;
    sim->rigging.fail_line = fail_line;
    sim->rigging.fail_data = sim;
    struct clock *real = sim->clock;
    sim->clock = rigging_clock(&sim->rigging, real);
    rc = open_log(sim, err);
    for (unsigned i = 0; rc == 0 && i < sim->options.machines; i++)
        rc = make_machine(sim, i, err);
    if (rc == 0)
        rc = seat_canisters(sim, err);
    if (rc == 0)
        rc = rigging_direct(&sim->rigging, sim->worlds, err);
    if (rc < 0)
        return rc;
    sim->loop = loop_create(real, err);
    if (!sim->loop)
        return err->code;
    rc = loop_add_signals(sim->loop, signals, 2, stop, sim, err);
    if (rc == 0)
        rc = sim->options.rtu_path ? open_serial(sim, err) : open_servers(sim, err);
    if (rc == 0)
        rc = rigging_open(&sim->rigging, sim->loop, sim->clock, flush_log, sim, err);
    if (rc == 0)
        rc = loop_run(sim->loop, err);
    if (rc == 0 && sim->log_code != 0) {
        *err = sim->log_error;
        rc = sim->log_code;
    }
    return rc;
}

static void finish(struct sim *sim)
{
    rigging_finish(&sim->rigging);
    for (unsigned i = 0; i < OPTIONS_PORTS_MAX; i++)
        server_destroy(sim->servers[i]);
    serial_destroy(sim->serial);
    for (unsigned i = 0; i < OPTIONS_MACHINES_MAX; i++) {
        if (sim->worlds[i])
            world_power_off(sim->worlds[i]); /* whoever ends the program pulls the plug */
        if (sim->log_fd >= 0 && sim->loop)
            flush_log(sim);
        world_destroy(sim->worlds[i]);
        if (sim->memories[i])
            munmap(sim->memories[i], world_memory_bytes());
    }
    loop_destroy(sim->loop);
    if (sim->log_fd >= 0)
        close(sim->log_fd);
    buf_finish(&sim->log);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    static struct sim sim = {.log_fd = -1};
    buf_init(&sim.log);
    int rc = options_parse(argc, argv, &sim.options, &err);
    if (rc == 1)
        return fflush(stdout) == 0 ? 0 : 3;
    if (rc == 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        sim.clock = clock_system();
        log_init("sachet-sim", LOG_INFO, sim.clock);
        rc = run(&sim, &err);
        finish(&sim);
    }
    if (rc < 0)
        fprintf(stderr, "sachet-sim: %s\n", err.message);
    return error_exit_status(rc);
}
