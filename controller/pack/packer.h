/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packer: the controller of one machine. It joins the pure line (controller/pack/line.h), the store and the
 * machine port: every answer and every tick is one step of the line, every effect is carried out here and
 * nowhere else.
 *
 * The owner (sachetd, a test) calls in rounds, so that the store work of many packers shares one transaction:
 *
 *   need = packer_run(p)              answers and decisions until it must wait or store something
 *   store_write_begin; packer_write(p) for those that need it; store_write_commit
 *   packer_written(p)                 what may follow now that it is durable
 *
 * A packer may be dropped between any two calls; a new one on the same store and machine goes on rightly
 * (that is what the rules C1-C9 are for). After an error from packer_write the transaction must be rolled
 * back and the process must end: its memory may be ahead of the store.
 *
 * One thread. Never waits for a machine; packer_run may read the store, packer_write writes it. Allocates at
 * creation and when a plan is loaded, never per pouch.
 */
#ifndef CONTROLLER_PACK_PACKER_H
#define CONTROLLER_PACK_PACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/pack/line.h"
#include "controller/pack/outcome.h"

struct buf;
struct error;
struct machine;
struct packer;
struct panel;
struct review_rules;
struct store;

enum {
    PACKER_BAD_COUNTS = 3, /* defaults of the configuration below */
    PACKER_ATTEMPTS = 5,
    PACKER_POLL_MS = 20,
    PACKER_HEARTBEAT_MS = 500,
};

struct packer_config {
    const char *name;         /* in the site file; the store's rows carry it */
    const char *serial;       /* the only machine to accept; "" any that the store does not know otherwise */
    struct outcome_band band; /* 0, 0: the machine's own word on the seal is enough */
    int bad_counts_max;       /* wrong counts of one bay in a row that lock it */
    int attempts_max;         /* void attempts at one pouch before a person must look */
    uint32_t poll_ms;         /* status mirror while a batch runs */
    uint32_t heartbeat_ms;
    uint16_t entries_max; /* bays of one pouch that this kind of machine takes; 0: MACHINE_ENTRIES_MAX */
    const struct review_rules *rules; /* plans made under others are refused; copied, NULL: not compared */
    bool attend;         /* confirm, clear, reset and start without a person; refused on a machine that is not
                            SIMULATED */
    const char *address; /* of the machine, for people; borrowed, NULL unknown */
    struct panel *panel; /* beside the machine; the caller's, must outlive the packer; NULL none */
    uint64_t seed;       /* of the jitter of reconnects */
};

/* machine and store stay the caller's and must outlive the packer. NULL: no memory, or the store failed. */
struct packer *packer_create(const struct packer_config *config, struct machine *machine, struct store *store,
                             struct error *err);
void packer_destroy(struct packer *packer);

/* 1: packer_write must be called in a transaction; 0: nothing to store; negative: the store failed. */
int packer_run(struct packer *packer, int64_t mono_ms, int64_t wall_ms, struct error *err);
int packer_write(struct packer *packer, struct error *err);
void packer_written(struct packer *packer);
/* When packer_run wants to be called again if no answer comes before; monotonic ms. */
int64_t packer_due_ms(const struct packer *packer);

/* Someone wrote into the store: look at the command rows, and verify the plan in hand anew. */
void packer_orders(struct packer *packer);
/* Finish started pouches, suspend, end. */
void packer_close(struct packer *packer);
/* End now: the machine finishes what it started by itself (M7). */
void packer_end(struct packer *packer);
bool packer_closed(const struct packer *packer);

enum line_state packer_line_state(const struct packer *packer);
/* The batch that runs or is paused here; 0 none. */
int64_t packer_batch(const struct packer *packer);
/* A batch that ended since the last call (done, stopped or cancelled); 0 none. */
int64_t packer_take_ended(struct packer *packer);
/* What watchers see: a JSON object (format "sachet-line/1"), the same bytes for the same state. */
void packer_state_json(const struct packer *packer, struct buf *out);
/* How long jobs took from their first write until the machine's mirror showed them accepted. */
struct packer_accepts {
    uint64_t jobs;
    uint32_t p99_ms;
    uint32_t worst_ms;
};
void packer_accepts(const struct packer *packer, struct packer_accepts *ret_accepts);
/* The last thing a person should know, "" none. */
const char *packer_note(const struct packer *packer);

#endif
