/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig: a packer, its store and a simulated machine on one virtual clock, and the checker that compares the
 * store with the machine's hidden truth. A controller crash is planned as a number of boundaries (between any
 * two calls that the packer's owner makes); the rig then drops packer and port, reopens the store and goes
 * on.
 */
#ifndef TESTS_SIM_RIG_H
#define TESTS_SIM_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/clock.h"
#include "controller/pack/packer.h"
#include "hw/sim/world.h"
#include "tests/support/pharmacy.h"

struct gpio;
struct machine;
struct panel;

struct rig_params {
    int patients;
    int days;
    uint64_t seed;
    uint32_t speed;    /* of the machine's mechanics; 0: 10 */
    bool faults;       /* the simulator's default fault rates; else none */
    bool no_attend;    /* no stand-in: a test's person acts */
    bool panel;        /* switches and buttons beside the machine, closed and released */
    uint64_t crash_at; /* boundary of the first controller crash; 0 never */
    uint64_t cut_at;   /* micro-step of the first power cut; 0 never */
};

struct rig {
    struct rig_params params;
    struct pharmacy pharmacy;
    struct clock_virtual clock;
    struct world *world;
    struct machine *port;    /* the simulator's */
    struct machine *machine; /* a gate before it */
    struct packer *packer;
    struct gpio *gpio; /* line of a role: its number */
    struct panel *panel;
    bool attend;
    uint64_t boundary; /* calls so far */
    uint64_t crash_at;
    unsigned crashes;
    int64_t stock_slack; /* pieces by which the machine's own estimate may be off: late ones it counts, but
                            not there */
    bool hung;     /* the machine's program: its heartbeat stands still, and something goes on answering */
    uint16_t beat; /* the last one seen before */
    int64_t power_on_ms; /* when the mains come back; 0: they are on */
};

void rig_init(struct rig *rig, const struct rig_params *params);
void rig_finish(struct rig *rig);
/* The controller dies here and comes back. */
void rig_crash(struct rig *rig);
/* A machine of this rig's kind beside the one on the line: serial SIM00001 for index 0, and so on, with
 * the same canisters seated. The caller's until it is put on the line. */
struct world *rig_world(struct rig *rig, unsigned index);
/* Another machine stands on the line now; the one before it is the caller's. */
void rig_swap(struct rig *rig, struct world *world);
/* One round of the owner's loop at the clock's now. */
void rig_round(struct rig *rig);
/* Rounds for so long on the clock. */
void rig_run_ms(struct rig *rig, int64_t ms);
/* A person asks: of the batch, or with batch 0 of the machine. Fails the test when it is refused and ok is
 * set, or taken and ok is not. */
void rig_order(struct rig *rig, int64_t batch, const char *verb, bool ok);
/* The state of the batch is this one, and its note (or "") holds the words. */
void rig_expect_batch(struct rig *rig, int64_t batch, const char *state, const char *words);
/* Rounds until the batch rests; false when it does not within limit_ms of the clock. */
bool rig_run_batch(struct rig *rig, int64_t batch, int64_t limit_ms);
/* Exactly one good pouch a job with exactly its pieces, every other pouch void, books equal to the machine's.
 * complete: every job must be good. Fails the test otherwise. */
void rig_check(struct rig *rig, int64_t batch, bool complete);
/* The same of the store's books alone, complete, when pouches of the batch were made by more than one
 * machine. */
void rig_check_books(struct rig *rig, int64_t batch);

#endif
