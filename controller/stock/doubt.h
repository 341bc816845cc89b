/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doubt: pieces of which the books cannot say whether they left their canister.
 *
 * A count is certain when its pouch was closed and every instrument that looks into pouches agrees with it.
 * Of any other pouch the count sensor's word is all there is: a piece that fell while the power went was
 * counted by nobody, two may have passed as one, an edge may have been counted twice. Such a pouch is booked
 * with what was counted, and beside it stands, for each of its canisters, how many pieces fewer (least, 0 or
 * negative) or more (most) may really have left. So
 *
 *     level - most <= what is in the canister <= level - least        summed over the open doubts,
 *
 * and level is exact where no doubt is open. A person who counts a canister, or empties it, settles its
 * doubts.
 *
 * How many pieces can have left: the rotor of a bay turns until the count is what was asked for, or until a
 * turn gives no pulse, which ends it. Each turn before gave a pulse at least, and no turn lets more than
 * DOUBT_POCKET_PIECES past. That much an integrator must hold to; all else follows from it.
 *
 * Pouches that were sent to a machine and have no result yet are in doubt, too, without a row. The writing
 * functions run inside the caller's write transaction. One thread a store.
 */
#ifndef CONTROLLER_STOCK_DOUBT_H
#define CONTROLLER_STOCK_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct store;

enum {
    DOUBT_POCKET_PIECES = 2, /* of one turn of a bay's rotor, at most */
    DOUBT_ENTRY_PIECES = 99, /* that one pouch can ask of one bay: MACHINE_COUNT_MAX */
};

/* So many pieces may have left beyond the books: least <= x <= most. */
struct doubt {
    int64_t least;
    int64_t most;
};

/* Of an entry of a pouch whose count nobody vouches for. counted -1: its result is not known at all. */
struct doubt doubt_of_entry(int requested, int counted);

/* fill 0: of no pouch that the store knows. Nothing is written when least = most = 0. */
int doubt_open(struct store *store, int64_t canister, int64_t fill, int entry, const struct doubt *doubt,
               const char *why, int64_t wall_ms, struct error *err);
/* All entries of the fills that a person made void at wall_ms for that reason, since no result of them is
 * known. */
int doubt_open_unknown(struct store *store, const char *reason, int64_t wall_ms, struct error *err);
/* A machine made up to so many pouches of which the store knows nothing: anything may have left the canisters
 * that sit in it. */
int doubt_open_machine(struct store *store, const char *machine, int64_t pouches, int64_t wall_ms,
                       struct error *err);
/* A person looked into a canister while pouches were under way for it: what of theirs had fallen by then will
 * be booked once more with their results. */
int doubt_open_under_way(struct store *store, int64_t canister, int64_t wall_ms, struct error *err);
/* The result of a fill has come after all, or says that nothing fell. */
int doubt_settle_fill(struct store *store, int64_t fill, int64_t wall_ms, struct error *err);
/* A person looked into the canister. how: "counted" or "emptied". */
int doubt_settle(struct store *store, int64_t canister, const char *how, const char *actor, int64_t wall_ms,
                 struct error *err);

/* What a query sums up of a canister (an SQL expression): the open doubts, and the pouches that were asked of
 * it and have no result. stock.h reads them into struct canister. */
#define DOUBT_LEAST_SQL(canister)                                                                           \
    "(SELECT coalesce(sum(least), 0) FROM stock_doubt WHERE settled_ms IS NULL AND canister_id = " canister \
    ")"
#define DOUBT_MOST_SQL(canister) \
    "(SELECT coalesce(sum(most), 0) FROM stock_doubt WHERE settled_ms IS NULL AND canister_id = " canister ")"
#define DOUBT_ASKED_SQL(canister)                                                                          \
    "(SELECT coalesce(sum(i.requested), 0) FROM fill f JOIN fill_item i ON i.fill_id = f.id WHERE f.state" \
    " = 'intended' AND i.canister_id = " canister ")"

#endif
