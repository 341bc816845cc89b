/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fills: one attempt at a pouch in the store, from the intent to its result. Only the packer writes here.
 *
 * Functions that change something run inside the caller's write transaction (store_write_begin), so that a
 * result, its stock movements and the next intents become durable together (C1, C4). All block for the
 * store, none for a machine. One thread, the store's.
 */
#ifndef CONTROLLER_PACK_FILLS_PRIVATE_H
#define CONTROLLER_PACK_FILLS_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/pack/job.h"
#include "controller/pack/outcome.h"
#include "hw/machine.h"

struct error;
struct store;
struct trust;

/* Nobody wants the pouch of job j of batch b any more, whatever comes out of the machine. */
#define UNWANTED_SQL                                                                              \
    "(b.state = 'cancelled' OR EXISTS (SELECT 1 FROM withdrawn w WHERE w.plan_id = j.plan_id AND" \
    " w.pouch = j.pouch))"

/* Whose fills, and by which limits. */
struct fills_line {
    const char *machine; /* name in the site file */
    char serial[MACHINE_SERIAL_BYTES];
    uint16_t caps;
    uint16_t bays;
    uint16_t entries_max;   /* bays of one pouch */
    const uint32_t *seated; /* canister in each of the bays, as the machine reads them; 0 none */
    struct outcome_band band;
    int bad_counts_max; /* wrong counts of one bay in a row that lock it */
    int attempts_max;   /* of one pouch that may be void before a person must look */
};

/* The numbers of one machine as the store has them. */
struct fills_book {
    uint32_t session;
    uint32_t issued;
    uint32_t recorded;
    uint32_t boot;
    uint32_t cancel_from;
    uint32_t cancel_to;
    bool first; /* the serial was new */
};

/* C2: session + 1 (above `beyond` when a person decided so), durable with the caller's commit. A new serial
 * begins with number 1. */
int fills_enrol(struct store *store, const struct fills_line *line, uint32_t beyond, int64_t wall_ms,
                struct fills_book *ret_book, struct error *err);
/* Reads the book anew, without changing it. */
int fills_book_read(struct store *store, const char *serial, struct fills_book *ret_book, struct error *err);
/* The machine as seen now: boot counter, time. */
int fills_seen(struct store *store, const struct fills_line *line, uint32_t boot, int64_t wall_ms,
               struct error *err);
/* A person accepts counters that are ahead of the store: numbers up to accepted are used up, open fills up
 * to done are void. (adopt.c) */
int fills_adopt(struct store *store, const struct fills_line *line, const struct machine_status *mirror,
                const char *actor, int64_t wall_ms, struct error *err);

/* The serial of the machine that stands at the line's place; "" nobody has stood there. (adopt.c) */
int fills_place(struct store *store, const struct fills_line *line, char ret_serial[MACHINE_SERIAL_BYTES],
                struct error *err);
/* This machine stands there from now on, on somebody's word. Leaves an audit row. */
int fills_place_take(struct store *store, const struct fills_line *line, const char *actor, int64_t wall_ms,
                     struct error *err);

/* Reason of a fill that fills_replace made void. */
extern const char fills_replaced[];
/* Open fills of this line's batches in another machine, and its serial: a swapped machine, so a person must
 * decide. 0 none. */
int fills_elsewhere(struct store *store, const struct fills_line *line, int64_t *ret_count,
                    char ret_serial[MACHINE_SERIAL_BYTES], struct error *err);
/* A person decided that this machine takes the other one's place: those fills are void, their jobs are made
 * again. Results that the old machine may still give are counted and change no verdict. */
int fills_replace(struct store *store, const struct fills_line *line, const char *actor, int64_t wall_ms,
                  struct error *err);
/* Whether a bay of the machine is locked for the canister in it; loading it after the lock opens it. The
 * arguments are SQL. */
#define FILLS_LOCKED_SQL(machine_, bay_, canister_)                                                    \
    "EXISTS (SELECT 1 FROM bay b WHERE b.machine = " machine_ " AND b.bay = " bay_ " AND b.locked = 1" \
    " AND b.canister_id = " canister_                                                                  \
    " AND NOT EXISTS (SELECT 1 FROM stock_move m WHERE m.canister_id = " canister_                     \
    " AND m.kind = 'load' AND m.moved_ms > b.changed_ms))"

/* Lowest and highest open number above `started` that counts on a canister which the machine does not read at
 * its seat (any more), or whose bay is locked; 0 none. */
int fills_misplaced(struct store *store, const struct fills_line *line, uint32_t started, uint32_t *ret_from,
                    uint32_t *ret_to, struct error *err);

/* What a number was given to; E_NOT_FOUND when the store does not know it. */
int fills_expected(struct store *store, const char *serial, uint32_t seq,
                   struct outcome_expected *ret_expected, struct error *err);
/* The job of a number as it is written into the mailbox. */
int fills_job(struct store *store, const char *serial, uint32_t seq, struct machine_job *ret_job,
              struct error *err);

/* Moves a job along its table. E_STATE: it is not where the caller believes. */
int fills_move(struct store *store, int64_t job, enum job_state from, enum job_event event, const char *note,
               struct error *err);

struct fills_recorded {
    int64_t batch; /* 0 none that still waits for it */
    enum outcome_verdict verdict;
    bool replaced; /* void before its result came */
    bool again;    /* the pouch waits to be made again */
    bool blocked;  /* too many attempts */
};

/* C4: result, item counts, stock, bay locks, job and W, all in the caller's transaction. */
int fills_record(struct store *store, const struct fills_line *line, const struct machine_result *result,
                 int64_t wall_ms, struct fills_recorded *ret_recorded, struct error *err);

enum fills_intended { FILLS_NO_JOB, FILLS_INTENDED, FILLS_BLOCKED };

/* C1: gives the next number to the first waiting job of the batch, or blocks a job that cannot be made. */
int fills_intend(struct store *store, const struct fills_line *line, struct trust *trust, int64_t batch,
                 int64_t wall_ms, enum fills_intended *ret_intended, struct error *err);

#endif
