/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-sim: how fast simulated machines run on a virtual clock, without a wire and without a controller:
 * pouches, pills and random draws a second of one core, and what one machine costs as their number grows.
 * Usual fault rates; every pouch takes its two and a half pieces from up to three bays. Usage: bench-sim
 * [POUCHES]
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/base/error.h"
#include "hw/sim/world.h"

enum { MACHINES_MAX = 1000, BAYS = 5, BURST_MS = 20000, POUCHES = 400000, QUEUE = 8 };

struct line {
    struct world *world;
    int64_t now_us;
    uint32_t seq;
    uint16_t beat;
    uint64_t good, pills;
};

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void control(struct line *line, enum machine_command command, uint32_t retire)
{
    struct machine_control c = {.session = 1, .heartbeat = ++line->beat, .retire = retire};
    c.command = command;
    c.command_seq = line->beat;
    (void)world_control(line->world, &c); /* a refusal shows in the counts */
}

static void on(struct line *line, int64_t ms)
{
    line->now_us += ms * 1000;
    world_advance(line->world, line->now_us);
}

static int open_line(struct line *line, unsigned index, struct error *err)
{
    struct world_params params;
    world_params_default(&params, index);
    params.bays = BAYS;
    params.fill = WORLD_FILL_MAX;
    params.keep_truth = false;
    params.silence_us = UINT32_MAX;
    *line = (struct line){.world = world_create(&params, err)};
    if (!line->world)
        return err->code;
    on(line, 10000);
    control(line, MACHINE_COMMAND_RESET, 0);
    on(line, 12000);
    control(line, MACHINE_COMMAND_START, 0);
    on(line, 6000);
    return 0;
}

static void put(struct line *line)
{
    struct machine_job job = {.seq = ++line->seq, .hash = line->seq, .entry_count = 3};
    for (uint16_t i = 0; i < 3; i++)
        job.entries[i] = (struct machine_entry){.bay = i, .count = 1};
    if (line->seq % 2 == 0) {
        job.entry_count = 1;
        job.entries[0] = (struct machine_entry){.bay = 3, .count = 2};
    }
    (void)world_put(line->world, &job, 1); /* ignored ones show in the counts */
}

/* A queue full of pouches; whatever holds the machine is mended. */
static void burst(struct line *line)
{
    struct machine_status status;
    struct machine_result result;
    world_status(line->world, &status);
    if (status.state == MACHINE_STATE_HELD)
        control(line, MACHINE_COMMAND_UNHOLD, status.done);
    else
        control(line, MACHINE_COMMAND_NONE, status.done);
    for (unsigned b = 0; b < BAYS; b++)
        world_seat(line->world, b, b + 1, WORLD_FILL_MAX);
    line->seq = status.accepted;
    for (uint32_t room = QUEUE - (status.accepted - status.done); room > 0; room--)
        put(line);
    uint32_t before = status.done;
    on(line, BURST_MS);
    world_status(line->world, &status);
    for (uint32_t s = before + 1; s <= status.done; s++) {
        world_result(line->world, s % 8, &result);
        line->good += result.outcome == MACHINE_GOOD;
        for (unsigned i = 0; i < result.entry_count; i++)
            line->pills += result.entries[i].counted;
    }
}

static int bench(unsigned machines, uint64_t pouches, struct error *err)
{
    static struct line lines[MACHINES_MAX];
    uint64_t done = 0, good = 0, pills = 0, draws = 0, steps = 0;
    int64_t virtual_us = 0;
    for (unsigned i = 0; i < machines; i++) {
        int rc = open_line(&lines[i], i, err);
        if (rc < 0)
            return rc;
    }
    int64_t begin_us = cpu_us();
    while (done < pouches) {
        done = 0;
        for (unsigned i = 0; i < machines; i++) {
            struct machine_status status;
            burst(&lines[i]);
            world_status(lines[i].world, &status);
            done += status.done;
        }
    }
    int64_t took_us = cpu_us() - begin_us;
    for (unsigned i = 0; i < machines; i++) {
        good += lines[i].good;
        pills += lines[i].pills;
        draws += world_draws(lines[i].world);
        steps += world_steps(lines[i].world);
        virtual_us += lines[i].now_us;
        world_destroy(lines[i].world);
    }
    double s = (double)took_us / 1e6;
    printf("%8u %10" PRIu64 " %12.0f %12.0f %12.0f %12.0f %10.2f %10.0f\n", machines, done, (double)done / s,
           (double)pills / s, (double)draws / s, (double)steps / s, (double)took_us / (double)done,
           (double)virtual_us / (double)took_us);
    return good * 100 > done * 90
               ? 0
               : error_set(err, E_STATE, "only %" PRIu64 " of %" PRIu64 " pouches are good", good, done);
}

int main(int argc, char **argv)
{
    static const unsigned counts[] = {1, 10, 100, 1000};
    struct error err = {0};
    char *end = NULL;
    uint64_t pouches = argc > 1 ? strtoull(argv[1], &end, 10) : POUCHES;
    if (argc > 2 || (end && (argv[1][0] < '1' || argv[1][0] > '9' || *end != '\0'))) {
        bool help = strcmp(argv[1], "--help") == 0;
        fputs("usage: bench-sim [POUCHES]: so many (400000) on 1, 10, 100 and 1000 machines\n",
              help ? stdout : stderr);
        return help ? 0 : 2;
    }
    printf(
        "machines    pouches  pouches a s    pills a s    draws a s    steps a s  us/pouch  x real time\n");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (bench(counts[i], pouches, &err) < 0) {
            fprintf(stderr, "bench-sim: %s\n", err.message);
            return 1;
        }
    }
    return 0;
}
