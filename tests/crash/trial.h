/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial: one batch on a simulated machine and a virtual clock, in which the controller dies at chosen points
 * and the machine's power goes at chosen micro-steps; afterwards the store is compared with the machine's own
 * log (tests/support/witness.h).
 *
 * Points of the controller, counted from 1: before each request leaves, after the machine did it and before
 * its answer is read, before a transaction begins, before it is committed, after it is committed, and after
 * what follows it was begun. Dying means: packer, port and store connection are dropped, nothing else.
 *
 * Mutants are wrong controllers or machines made of the right ones: the trial does beside them what they must
 * not do. Each must be caught.
 */
#ifndef TESTS_CRASH_TRIAL_H
#define TESTS_CRASH_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/clock.h"
#include "tests/support/pharmacy.h"

struct error;
struct machine;
struct packer;
struct witness;
struct world;
struct world_memory;

enum trial_mutant {
    TRIAL_RIGHT,
    TRIAL_UNDURABLE,    /* C1: what a transaction says is used before it is committed */
    TRIAL_RETIRE_EARLY, /* C5: W is written when a result was read, not when it is stored */
    TRIAL_NO_INTENT,    /* M3: the machine forgets over a power cut what it had begun */
    TRIAL_FRESH_NUMBER, /* C3: after a lost connection an open pouch gets a number anew */
    TRIAL_OVERWRITTEN,  /* M5: the machine's ring loses its oldest unread result */
    TRIAL_MUTANTS,
};

struct trial_params {
    int patients;
    int days;
    uint64_t seed;
    uint32_t speed;     /* of the mechanics; 0: 50 */
    bool faults;        /* the simulator's default rates of mechanical faults; else none */
    uint64_t die_at;    /* point at which the controller dies; 0 never */
    uint64_t die_again; /* points after that at which it dies once more; 0 never */
    uint64_t cut_at;    /* micro-step at which the power goes; 0 never */
    enum trial_mutant mutant;
    bool acknowledged;         /* keep a digest of what commits acknowledged */
    unsigned checkpoint_every; /* commits between two checkpoints; 0 none */
};

enum { TRIAL_DIGEST_BYTES = 256 };

struct trial {
    struct trial_params params;
    struct pharmacy pharmacy;
    struct clock_virtual clock;
    struct world_memory *memory;
    struct world *world;
    struct machine *machine; /* a gate */
    struct packer *packer;
    struct witness *witness;
    int64_t batch;
    uint64_t points;
    uint64_t die_at;
    bool dead;
    unsigned deaths;
    uint64_t requests;   /* that left */
    int64_t power_on_ms; /* when the mains come back; 0: they are on */
    bool was_powered;
    int64_t committed_retired; /* of the store: what the machine may have been told */
    int64_t committed_next;
    unsigned lazy;
    unsigned commits;
    char broken[160];                      /* what was seen to be wrong on the way; "" nothing */
    char acknowledged[TRIAL_DIGEST_BYTES]; /* after the last commit that returned */
    char in_flight[TRIAL_DIGEST_BYTES];    /* of the transaction whose commit was asked for last */
};

/* Ready to run, with a batch that waits to be started. The pharmacy's store is open. */
void trial_init(struct trial *trial, const struct trial_params *params);
void trial_finish(struct trial *trial);

/* Until the batch is done: 0. E_STATE: it stopped for a person. E_TIMEOUT: it does not end. E_TAMPERED: seen
 * wrong on the way. Store errors: the packer must be dropped (trial_drop), as sachetd ends then. */
int trial_run(struct trial *trial, struct error *err);
/* The same, at most until so many more commits were made: 1 then, 0 when the batch is done. */
int trial_run_commits(struct trial *trial, unsigned commits, struct error *err);
/* The controller is gone: packer and port, then the store connection. */
void trial_drop(struct trial *trial);
/* It comes back. */
void trial_raise(struct trial *trial);
/* After trial_run: every job good, store and machine agree. 0 or E_TAMPERED. */
int trial_check(struct trial *trial, struct error *err);
/* What the store says now, as one line; two equal lines are equal books. */
int trial_digest(struct trial *trial, char ret_digest[TRIAL_DIGEST_BYTES], struct error *err);

const char *trial_mutant_name(enum trial_mutant mutant);

#endif
