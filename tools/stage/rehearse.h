/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse: a batch packed once beforehand, on a simulated machine in this process and a virtual clock, with
 * the real controller, the real signatures and the canisters as the books have them.
 *
 * It works on a copy of the store, in a folder of its own that only this user can read (in memory where the
 * system has one) and that is gone afterwards; the store itself is only read, so that a rehearsal may be
 * repeated at any time, also while the batch runs. What is neither good nor cancelled yet is made, in the
 * order of the batch.
 *
 * A canister that has not enough for the next pouch, and no other to follow, is loaded with as much as it was
 * loaded last time; the list says at which pouch. The same store, batch and request give the same result.
 * Blocks for disk and processor. One thread.
 */
#ifndef TOOLS_STAGE_REHEARSE_H
#define TOOLS_STAGE_REHEARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/stock/stock.h"

struct error;
struct profile;
struct tray_load;
struct review_rules;
struct store;

enum {
    REHEARSE_NOTE_BYTES = 256,
    REHEARSE_ROWS_MAX = 100000,
    REHEARSE_LOAD = 400, /* pieces, where a canister was never loaded before */
};

struct rehearse_request {
    struct store *store;
    int64_t batch;
    const struct profile *profile;    /* of the machine that it is for */
    const struct review_rules *rules; /* of the site as they are now; NULL: not compared */
    uint32_t pouches_a_minute;        /* 10..120 */
    uint32_t faults_percent;          /* of the usual rates; 0: nothing goes wrong */
    uint64_t seed;                    /* of what goes wrong and of the jitter */
    int64_t film_left_mm;             /* on the reel; -1 not known: a new one */
    int64_t wall_ms;                  /* now; nothing in the result depends on it */
    void (*progress)(void *data, int64_t done, int64_t total); /* may be NULL */
    void *data;
};

enum rehearse_kind {
    REHEARSE_RUNS_OUT,   /* a canister has not enough for this pouch; next_canister 0: load it */
    REHEARSE_LOT_CHANGE, /* from lot to next_lot, "" when a person chooses it */
    REHEARSE_NEW_FILM,   /* the reel ends before this pouch */
    REHEARSE_NEW_RIBBON,
    REHEARSE_NOT_MADE, /* and why */
    REHEARSE_KINDS,
};

/* Something that a technician should know of beforehand. */
struct rehearse_row {
    enum rehearse_kind kind;
    int64_t position; /* of the job in the batch */
    int64_t pouch;    /* of the patient's roll */
    char patient[128];
    int64_t at_ms; /* since the start word */
    int64_t canister;
    int bay;
    char product[PRODUCT_CODE_BYTES];
    enum roll_piece piece;
    char lot[STOCK_LOT_BYTES];
    int64_t left;   /* pieces in the canister */
    int64_t wanted; /* by the pouch */
    int64_t loaded; /* RUNS_OUT without next_canister: so many were taken to be loaded */
    int64_t next_canister;
    char next_lot[STOCK_LOT_BYTES];
    char note[REHEARSE_NOTE_BYTES];
};

struct rehearsal {
    int64_t pouches; /* to make */
    int64_t good;
    int64_t voids;
    int64_t pieces;      /* counted into pouches, void ones too */
    int64_t duration_ms; /* from the start word to the last pouch */
    int64_t film_mm;
    int64_t ribbon_mm;
    int64_t holds;             /* times that the machine held and somebody had to act */
    struct rehearse_row *rows; /* by position, then kind */
    size_t row_count;
    size_t count[REHEARSE_KINDS];
    struct tray_load *trays; /* what no canister of the machine holds (trays.h), by product */
    int tray_count;
    int64_t tray_pouches; /* that need any of it: they are not made */
};

/* 0; E_NOT_FOUND: no such batch; E_STATE: nothing is left to make; E_LIMIT; what the store and the folder
 * say. rehearsal_finish in any case. */
int rehearse(const struct rehearse_request *request, struct rehearsal *ret_rehearsal, struct error *err);
void rehearsal_finish(struct rehearsal *rehearsal);

/* "runs out", "lot change", ... */
const char *rehearse_kind_text(enum rehearse_kind kind);

#endif
