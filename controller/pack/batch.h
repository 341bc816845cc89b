/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: many signed rolls for one machine, in the order of the plans given.
 *
 * Making a batch writes jobs and nothing else; running it is the packer's work. People ask for that with
 * rows of the table `command` (batch_ask, machine_ask), which sachetd takes in order. The functions that
 * write run in a transaction of their own and leave audit rows. They block for the store. One thread a store.
 */
#ifndef CONTROLLER_PACK_BATCH_H
#define CONTROLLER_PACK_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/roll.h"

struct arena;
struct error;
struct review_rules;
struct store;

enum {
    BATCH_PLANS_MAX = 2000,
    BATCH_POUCHES_MAX = 200000,
    BATCH_STATE_BYTES = 16,
    BATCH_NOTE_BYTES = 256,
    BATCH_NAME_BYTES = 65, /* machines and logins */
};

/* Pieces of one kind that a batch takes. */
struct batch_need {
    const char *code;
    enum roll_piece piece;
    int64_t pieces;
    int64_t available; /* in the machine's canisters, not past expiry on the last day, by our books */
    int64_t canisters; /* seated ones; 0: the batch cannot be made */
};

struct batch_request {
    const char *machine;
    const char *actor; /* login */
    int64_t wall_ms;
    const char *const *patients; /* source ids: their signed plans; NULL: all with pouches to make */
    size_t patient_count;
    const struct review_rules *rules; /* of the site as they are now; NULL: not compared */
    bool dry_run;                     /* check everything, write nothing */
};

struct batch_created {
    int64_t id; /* 0 for a dry run */
    int64_t plans;
    int64_t pouches;
    int64_t pieces;
    const struct batch_need *needs; /* by code, then piece */
    size_t need_count;
    int64_t short_count; /* needs with fewer pieces available than wanted: to be loaded on the way */
};

/*
 * Verifies each plan's signature, lays its pouches out as jobs and checks that every product and piece has a
 * canister in the machine. Pouches that are made or wanted already are left out, so that asking twice makes
 * nothing twice. *ret_created is filled (in the arena) also when canisters are missing (E_NOT_FOUND): then
 * some of its needs have canisters = 0. E_EXISTS: nothing is left to pack. E_TAMPERED, E_STATE: a plan is not
 * validly signed. E_LIMIT.
 */
int batch_create(struct store *store, const struct batch_request *request, struct arena *arena,
                 struct batch_created *ret_created, struct error *err);

struct batch_info {
    int64_t id;
    char machine[BATCH_NAME_BYTES];
    char state[BATCH_STATE_BYTES];
    char note[BATCH_NOTE_BYTES];
    int simulated; /* 1, 0, or -1 until a machine took it */
    char created_by[BATCH_NAME_BYTES];
    char started_by[BATCH_NAME_BYTES]; /* "" */
    int64_t created_ms;
    int64_t started_ms; /* 0 */
    int64_t ended_ms;   /* 0 */
    int64_t plans;
    int64_t pouches; /* jobs */
    int64_t waiting;
    int64_t sent;
    int64_t good;
    int64_t blocked;
    int64_t cancelled;
    int64_t voids;   /* pouches begun and not good */
    int64_t remakes; /* attempts that replace a void one */
};

/* E_NOT_FOUND. */
int batch_get(struct store *store, int64_t batch, struct batch_info *ret_info, struct error *err);
/* Newest first; *ret_infos is the caller's to free(). */
int batch_list(struct store *store, struct batch_info **ret_infos, size_t *ret_count, struct error *err);
/* Done, stopped or cancelled with nothing under way. */
bool batch_is_resting(const struct batch_info *info);

/* A pouch that could not be made, with the reason. */
struct batch_blocked {
    int64_t position;
    const char *patient;
    int64_t pouch;
    const char *note;
};
/* In the arena; at most max. */
int batch_blocked(struct store *store, int64_t batch, size_t max, struct arena *arena,
                  const struct batch_blocked **ret_rows, size_t *ret_count, struct error *err);

/* Asks sachetd: verb "start", "pause", "resume" or "cancel". *ret_command is the row to watch. E_STATE: the
 * batch is done or cancelled. */
int batch_ask(struct store *store, int64_t batch, const char *verb, const char *actor, int64_t wall_ms,
              int64_t *ret_command, struct error *err);
/* verb "start", "stop", "clear", "reset", "confirm" or "adopt". */
int machine_ask(struct store *store, const char *machine, const char *verb, const char *actor,
                int64_t wall_ms, int64_t *ret_command, struct error *err);
/* What became of a command: 1 and its result, 0 not taken yet. */
int command_result(struct store *store, int64_t command, char ret_result[BATCH_NOTE_BYTES],
                   struct error *err);
/* Opens a locked bay after a person looked at it. E_NOT_FOUND when it is not locked. */
int bay_unlock(struct store *store, const char *machine, int bay, const char *actor, int64_t wall_ms,
               struct error *err);

#endif
