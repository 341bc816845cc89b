/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemons: a small pharmacy with a batch that waits, a real sachet-sim and a real sachetd on loopback, for
 * tests that kill them. The simulator keeps its memory in files, so that its death is a power cut, and its
 * log is what the witness reads. For cmocka: what goes wrong while it is set up fails the test.
 */
#ifndef TESTS_SUPPORT_DAEMONS_H
#define TESTS_SUPPORT_DAEMONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "controller/pack/batch.h"
#include "tests/support/pharmacy.h"

struct daemons_params {
    const char *sachetd;
    const char *sachet_sim;
    const char *profile;
    uint64_t seed;
    int speed; /* of the machine's mechanics */
    int patients;
    int days;
};

struct daemons {
    struct daemons_params params;
    struct pharmacy pharmacy;
    char port_file[SCRATCH_PATH_BYTES];
    char nv[SCRATCH_PATH_BYTES];
    char log[SCRATCH_PATH_BYTES];
    char tcp[32];
    pid_t daemon;
    pid_t sim;
};

/* The simulator listens; the batch's number. sachetd is the caller's to start. */
int64_t daemons_begin(struct daemons *daemons, const struct daemons_params *params);
/* Kills both, and removes everything. */
void daemons_finish(struct daemons *daemons);
void daemons_start_sim(struct daemons *daemons);
/* once: it ends when the batch is at rest. prepare: called in the child before sachetd begins; NULL nothing.
 */
void daemons_start(struct daemons *daemons, bool once, void (*prepare)(void));
void daemons_kill(pid_t *pid);
/* Waits for the child to end: its exit status, or minus the signal that ended it. Longer than limit_s:
 * killed, and the test fails. */
int daemons_wait(pid_t *pid, int limit_s);
/* The last lines of a file of the scratch folder, to stderr. */
void daemons_print_tail(struct daemons *daemons, const char *name);
struct batch_info daemons_batch(struct daemons *daemons, int64_t batch);
/* The simulator's log and the store tell the same story: 0 or E_TAMPERED. lossy: the simulator was killed,
 * which may leave the last lines of a life out. */
int daemons_check_log(struct daemons *daemons, bool lossy, struct error *err);
int64_t daemons_now_ms(void);
void daemons_sleep_ms(int64_t ms);

#endif
