/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stock: canisters and what is in them, by our books.
 *
 * A canister holds one product in one kind of piece (whole, or half pieces split beforehand) of one lot with
 * one expiry day. Its number is what the machine reads at the seat. Each change of the level is a row of
 * stock_move, so that loaded = packed + voided + removed + corrected + remaining for every canister.
 *
 * Levels are books, not truth: they may fall below zero when the machine counted more than was loaded, and
 * a person counts again. What the books cannot know stands beside the level (doubt.h). Simulated stock has
 * lots "SIM-..." and nothing else has.
 *
 * The writing functions run inside the caller's write transaction and leave their own audit rows. Bays count
 * from 0, as on the wire. One thread a store.
 */
#ifndef CONTROLLER_STOCK_STOCK_H
#define CONTROLLER_STOCK_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/stock/doubt.h"
#include "controller/stock/product.h"
#include "scheduler/roll.h"

enum {
    STOCK_LOT_BYTES = 41,     /* with the NUL; letters, digits and . _ + - # / */
    STOCK_MACHINE_BYTES = 65, /* with the NUL; a machine's name in the site file */
    STOCK_CANISTERS_MAX = 20000,
    STOCK_BAY_MAX = 511,      /* MACHINE_BAYS_MAX - 1 */
    STOCK_PIECES_MAX = 20000, /* of one load */
    STOCK_NO_BAY = -1,
};
#define STOCK_CANISTER_MAX  UINT32_MAX /* the machine's number has 32 bits; 0 is "none" there */
#define STOCK_SIMULATED_LOT "SIM-"

struct canister {
    int64_t id; /* 1..STOCK_CANISTER_MAX */
    char product_code[PRODUCT_CODE_BYTES];
    enum roll_piece piece;
    char lot[STOCK_LOT_BYTES];
    int32_t expiry_day;                /* last day of use */
    int64_t level;                     /* pieces by our books */
    struct doubt doubt;                /* so many fewer (most) or more (-least) may be in it in truth */
    bool under_way;                    /* asked for by pouches that have no result yet; part of the doubt */
    char machine[STOCK_MACHINE_BYTES]; /* "" on the shelf */
    int bay;                           /* STOCK_NO_BAY on the shelf */
    int64_t changed_ms;
};

/* Who does it, when, and what day it is there. */
struct stock_act {
    const char *actor;
    int64_t wall_ms;
    int32_t today;
    bool simulated; /* lots must be "SIM-..."; otherwise they must not */
};

/*
 * Puts pieces into a canister, which is made when its number is new. Refused (E_INPUT, with what to do): an
 * unknown or not packable product, halves of a product that has none, an expired lot, a canister that still
 * holds another product, piece, lot or expiry (empty it first).
 */
int stock_load(struct store *store, const struct stock_act *act, int64_t canister, const char *product_code,
               enum roll_piece piece, const char *lot, int32_t expiry_day, int64_t pieces, struct error *err);
/* Takes everything out; only then it may be loaded with another product. */
int stock_empty(struct store *store, const struct stock_act *act, int64_t canister, struct error *err);
/*
 * Sets the level to what a person counted, and settles the canister's doubts. *ret_unexplained (may be NULL):
 * by so many pieces what was counted lies outside of what the doubts allow, positive when too many are there;
 * 0: the books were right, or a doubt explains the difference. While pouches are under way that were asked of
 * this canister nobody can tell whether their pieces fell before the count or after it: that doubt stays, as
 * after stock_empty.
 */
int stock_correct(struct store *store, const struct stock_act *act, int64_t canister, int64_t counted,
                  int64_t *ret_unexplained, struct error *err);
/* E_EXISTS when the bay is taken, E_STATE when the canister sits elsewhere. */
int stock_seat(struct store *store, const struct stock_act *act, int64_t canister, const char *machine,
               int bay, struct error *err);
int stock_unseat(struct store *store, const struct stock_act *act, int64_t canister, struct error *err);

int stock_get(struct store *store, int64_t canister, struct canister *ret_canister, struct error *err);
/* What sits in a bay; E_NOT_FOUND when nothing does. */
int stock_in_bay(struct store *store, const char *machine, int bay, struct canister *ret_canister,
                 struct error *err);
/*
 * The seated canisters of a machine with this product and piece that hold something and are good on `day`:
 * shortest expiry first, then lowest bay. At most max; *ret_count is how many were written.
 */
int stock_find(struct store *store, const char *machine, const char *product_code, enum roll_piece piece,
               int32_t day, struct canister *ret_canisters, int max, int *ret_count, struct error *err);
/* All canisters: those of machines first (by machine and bay), then the shelf (by number). machine NULL: all.
 * *ret_canisters is the caller's to free(). */
int stock_list(struct store *store, const char *machine, struct canister **ret_canisters, int *ret_count,
               struct error *err);

/* Pieces of one kind of one product that somebody needs. */
struct stock_need {
    char product_code[PRODUCT_CODE_BYTES];
    enum roll_piece piece;
    int64_t pieces;
};

/* What stock_assign did or would do for one canister, or could not do. */
enum stock_step {
    STOCK_STEP_SEATED,  /* sits there already */
    STOCK_STEP_REFILL,  /* sits there already and is simulated: filled up again */
    STOCK_STEP_SEAT,    /* from the shelf into a free bay */
    STOCK_STEP_NEW,     /* a new simulated canister in a free bay */
    STOCK_STEP_MISSING, /* pieces that no canister gives: load one */
    STOCK_STEP_NO_BAY,  /* no free bay is left */
};
struct stock_assignment {
    enum stock_step step;
    char product_code[PRODUCT_CODE_BYTES];
    enum roll_piece piece;
    int64_t pieces;   /* that this canister gives, or that are missing */
    int64_t canister; /* 0: none */
    int bay;          /* STOCK_NO_BAY: none */
};

/* "seated", "refill", "seat", "new", "missing", "no bay". */
const char *stock_step_text(enum stock_step step);

struct stock_assign {
    const char *machine;
    int bays;               /* of the machine: bays 0..bays-1 */
    bool apply;             /* book it; otherwise only propose */
    int64_t first_canister; /* simulated canisters: the one in bay b has the number first_canister + b */
    int64_t pieces;         /* of a full simulated canister */
    int32_t last_day;       /* canisters must be good on it; simulated ones are for a year from act.today */
};

/*
 * Gives each need its canisters: first those that sit in the machine, then those from the shelf into the
 * lowest free bays, each shortest expiry first; then (act.simulated only) simulated ones of the machine are
 * filled up, and new ones made, with lots "SIM-...". Deterministic: needs are taken by product and piece.
 * *ret_rows is the caller's to free(). Returns 0 also when something is missing: look at the steps.
 */
int stock_assign(struct store *store, const struct stock_act *act, const struct stock_assign *assign,
                 const struct stock_need *needs, int need_count, struct stock_assignment **ret_rows,
                 int *ret_count, struct error *err);

#endif
