/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: a whole line in one process: the controller's packer, its store, and a simulated machine, on one
 * virtual clock. A day of packing takes seconds, and the same seed gives the same run.
 *
 * The owner fills in stage_params and then moves time on. A controller crash is planned as a number of
 * boundaries (between any two calls that the packer's owner makes); the stage then drops packer and port,
 * reopens the store and goes on. What happens to the machine goes through `world`, what people want through
 * stage_order. One thread; blocks for the store's disk.
 */
#ifndef TOOLS_STAGE_STAGE_H
#define TOOLS_STAGE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/pack/packer.h"
#include "hw/sim/sim_machine.h"
#include "hw/sim/world.h"

struct batch_info;
struct machine;
struct store;
struct switches;

enum { STAGE_START_MS = 1000, STAGE_PATH_BYTES = 256 };

struct stage_params {
    const char *store_path; /* of a store that is there */
    const char *machine;    /* its name in that store */
    const struct world_params *world;
    bool attend;       /* a stand-in for the operator acts */
    bool mains_return; /* after a power cut, by themselves */
    int64_t wall_ms;
    uint64_t crash_at;    /* boundary of the first controller crash; 0 never */
    uint16_t entries_max; /* bays of one pouch; 0: as many as the protocol takes */
    bool panel;           /* switches, buttons and lights stand beside the machine */
    const struct review_rules *rules;
    /* Puts something between packer and machine, for tests of the checker: takes the port over and gives
     * another one. NULL: nothing. */
    struct machine *(*wrap)(void *data, struct machine *inner);
    void *wrap_data;
};

struct stage {
    char store_path[STAGE_PATH_BYTES];
    char name[65];
    struct store *store;
    struct clock_virtual clock;
    struct world *world;
    struct machine *port;    /* the simulator's own, for sim_machine_fail */
    struct machine *machine; /* what the packer holds: the port, or what wraps it */
    struct packer *packer;
    struct switches *switches;  /* with a panel; else NULL */
    struct stage_params params; /* its pointers may be gone, but for wrap */
    uint64_t boundary;          /* calls so far */
    unsigned crashes;
    int64_t power_on_ms;        /* when the mains come back; 0: they are on */
    int64_t frozen_ms;          /* the controller does nothing until then */
    void (*before)(void *data); /* called at the begin of each round; may be NULL */
    void *before_data;
};

/* stage must not move afterwards. On an error it is finished. */
int stage_init(struct stage *stage, const struct stage_params *params, struct error *err);
/* A stage that was zeroed is allowed. */
void stage_finish(struct stage *stage);

/* The controller dies here and comes back. */
int stage_crash(struct stage *stage, struct error *err);
/* One round of the owner's loop at the clock's now. */
int stage_round(struct stage *stage, struct error *err);
/* On to the next instant at which something is due, and a round there. */
int stage_step(struct stage *stage, struct error *err);
/* Steps for so long on the clock. */
int stage_run_ms(struct stage *stage, int64_t ms, struct error *err);
/* A person asks: of the batch, or with batch 0 of the machine. Steps until the packer has taken it, at most 5
 * s; E_TIMEOUT then. *ret_taken: it was not refused; result is its text. */
int stage_order(struct stage *stage, int64_t batch, const char *verb, bool *ret_taken, char *result,
                size_t size, struct error *err);
/* Steps until the batch rests: 1; 0 when it does not within limit_ms of the clock. */
int stage_run_batch(struct stage *stage, int64_t batch, int64_t limit_ms, struct error *err);

#endif
