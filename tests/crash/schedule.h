/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule: fault schedules of small batches over a real line. Between controller and machines stands a proxy
 * that fails by seed; in some schedules the controller dies or a machine's power goes, too. Each schedule
 * must end with each pouch made once, and each machine's log must agree with its store. What kind of line it
 * is, TCP with one machine or RTU with several, is a struct schedule_line of the test.
 *
 * The packers live five times as fast as their machines' time-outs, so that back-offs do not fill the day.
 * The machines and the proxy run on a loop and a thread of their own; schedules run in forked processes.
 */
#ifndef TESTS_CRASH_SCHEDULE_H
#define TESTS_CRASH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct error;
struct loop;
struct machine;
struct profile;
struct rng;
struct world;

enum {
    SCHEDULE_MACHINES_MAX = 3,
    SCHEDULE_FAULTS_MAX = 8,
};

/* The machines' side, before its thread begins. */
struct schedule_far {
    struct clock *clock;
    struct loop *loop;
    const struct profile *profile;
    struct world **worlds;
    unsigned machines;
    uint64_t seed;
};

struct schedule_line {
    const char *name;
    unsigned machines; /* each with a batch of its own */
    uint16_t poll_ms;  /* of the packers' time; a serial line must not be full of looks and heartbeats */
    uint16_t heartbeat_ms;
    uint16_t response_ms; /* time-out of a request; the proxy should delay for longer, too */
    unsigned faults;
    const char *(*fault_text)(unsigned fault);
    /* Server and proxy; fails the test when it cannot. The rng is the schedule's. */
    void *(*open)(const struct schedule_far *far, struct rng *rng);
    void (*close)(void *line);
    unsigned (*count)(const void *line, unsigned fault);
    /* A controller comes: what its ports share, NULL nothing. */
    void *(*dial)(void *line, struct clock *clock);
    void (*hang_up)(void *shared);
    struct machine *(*port)(void *line, void *shared, const struct profile *profile, struct clock *clock,
                            unsigned machine, struct error *err);
    /* The line may show a person something that it must stop for. */
    bool (*may_stop)(uint64_t seed);
};

/* X(name, what it does) */
#define SCHEDULE_MUTANT_TABLE(X)                                           \
    X(RIGHT, "right")                                                      \
    X(FRESH, "a fresh number after a time-out")                            \
    X(UNDURABLE, "what a transaction says is used before it is committed") \
    X(RETIRE, "W is written before the result is stored")                  \
    X(NO_INTENT, "the machine forgets over a power cut what it had begun") \
    X(OVERWRITTEN, "an unread result is overwritten")

enum schedule_mutant {
#define SCHEDULE_MUTANT_ENUM(name, text) SCHEDULE_##name,
    SCHEDULE_MUTANT_TABLE(SCHEDULE_MUTANT_ENUM)
#undef SCHEDULE_MUTANT_ENUM
        SCHEDULE_MUTANTS,
};

/* main of such a test: [SCHEDULES [FIRST [AT A TIME]]]; then every mutant must be caught. */
int schedule_main(const struct schedule_line *line, unsigned schedules, int argc, char **argv);

#endif
