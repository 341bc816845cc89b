/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release: a pharmacist's word, after packing, that a roll may leave the house.
 *
 * A roll is all pouches of one signed plan, from whatever batches. Three things are asked before the word:
 *
 *   flags       each pouch with a history (made again after a void one, an alarm, a piece that a machine
 * doubted, not made at all) is decided on its own, with a reason. There is no "accept all". challenges  the
 * pharmacist is shown what some pouches are said to hold, drawn by a seed that the plan and the person give;
 * some of it is altered on purpose. A miss asks for another round, a second round with a miss for another
 * pharmacist. the strip   first and last printed number, and the number behind each cut where a void pouch
 * was taken out, are scanned from the strip; with numbers that carry a check character and have no gap, that
 *               proves that the roll is whole.
 *
 * Decisions of one person on one roll that come faster than a look takes are refused. Whoever started one of
 * the roll's batches does not release it. The statement (sachet-release/1) names the plan's hash, a hash over
 * all pouches as counted, what was decided and scanned, and whether the machine was simulated; it is signed
 * with the pharmacist's key, and release_verify reads everything again.
 *
 * Everything that is loaded lies in the caller's arena. Blocks for the store. One thread a store.
 */
#ifndef CONTROLLER_RELEASE_RELEASE_H
#define CONTROLLER_RELEASE_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/pack/token.h"
#include "controller/seal/seal.h"

struct arena;
struct buf;
struct error;
struct seal_key;
struct store;
struct user;

enum {
    RELEASE_CHALLENGES = 3, /* of a round; fewer for a shorter roll */
    RELEASE_ROUNDS = 2,     /* for one pharmacist */
    RELEASE_PACE_MS = 1500, /* least time between two decisions of one person on one roll */
    RELEASE_REASON_MIN = 10,
    RELEASE_REASON_MAX = 500,
    RELEASE_SCANS_MAX = 1000,
};

#define RELEASE_MEANING "released to the patient"

/* Why a pouch is looked at on its own. X(name, word, text). The first that fits counts. */
#define RELEASE_FLAG_TABLE(X)                                                    \
    X(NONE, "none", "nothing to look at")                                        \
    X(NOT_MADE, "not-made", "not made: the strip has a gap that must be filled") \
    X(WITHDRAWN, "withdrawn", "withdrawn after it was packed: take it out")      \
    X(REMADE, "remade", "made again: make sure that the void pouch is cut out")  \
    X(ALARM, "alarm", "an alarm was raised while it was made")                   \
    X(PROVISIONAL, "provisional", "holds a product that nobody has checked")

enum release_flag {
#define RELEASE_FLAG_ENUM(name, word, text) RELEASE_##name,
    RELEASE_FLAG_TABLE(RELEASE_FLAG_ENUM)
#undef RELEASE_FLAG_ENUM
        RELEASE_FLAGS,
};
const char *release_flag_word(enum release_flag flag);
const char *release_flag_text(enum release_flag flag);

struct release_pouch {
    int number; /* within the roll, from 1 */
    const char *date, *time, *slot;
    const char *holds; /* "1 x Lisinopril 5 mg tablet, 2 x ..." */
    int64_t job;       /* 0 none */
    bool good;
    char token[TOKEN_BYTES]; /* printed number of the good attempt, "" none */
    int voids;               /* attempts before it that are void */
    const char *last_void;   /* reason of the newest one, "" */
    enum release_flag flag;
    bool can_accept; /* false: nothing but making it, or pulling it, helps */
    bool decided;    /* for this flag */
    bool accepted;   /* with decided */
    const char *reason, *login;
};

/* One challenge of the round that the person is in. */
struct release_challenge {
    int number; /* from 1 */
    int pouch;
    const char *shown;
    bool altered; /* never shown before it is answered */
    bool answered;
    bool caught; /* answered rightly */
};

struct release_roll {
    int64_t plan;
    int version;
    const char *patient; /* source id */
    uint8_t plan_hash[SEAL_HASH_BYTES];
    bool simulated;
    const struct release_pouch *pouches;
    size_t pouch_count;
    size_t good, flagged, undecided, rejected;
    const char **scans; /* printed numbers to scan: first, behind each cut, last; NULL: not all are made */
    size_t scan_count;
    bool released;
    const char *released_by;
    int64_t released_ms;
};

/* E_NOT_FOUND, E_STATE (not signed), E_TAMPERED. */
int release_load(struct store *store, int64_t plan, struct arena *arena, struct release_roll *ret_roll,
                 struct error *err);

/* The round that this pharmacist is in. *ret_passed: it has no miss and is complete. E_STATE: two rounds with
 * a miss, another pharmacist must release it. */
int release_challenges(struct store *store, const struct release_roll *roll, const struct user *user,
                       struct arena *arena, struct release_challenge **ret, size_t *ret_count,
                       bool *ret_passed, struct error *err);
/* Says of challenge `number` whether what is shown is right. *ret_caught: that was so. */
int release_answer(struct store *store, int64_t plan, int number, bool right, const struct user *user,
                   int64_t wall_ms, bool *ret_caught, struct error *err);

/* Decides about one flagged pouch. E_STATE: not flagged, nothing to accept, too fast, released already. */
int release_decide(struct store *store, int64_t plan, int pouch, bool accept, const char *reason,
                   const struct user *user, int64_t wall_ms, struct error *err);

/* Signs. scans: printed numbers in any order. E_DENIED, E_STATE (what is missing), E_INPUT (a scan that does
 * not belong). */
int release_sign(struct store *store, int64_t plan, const char *const *scans, size_t scan_count,
                 const struct user *user, const struct seal_key *key, int64_t wall_ms, struct error *err);
/* 0 when the release is signed and everything under it is as it was. E_STATE, E_TAMPERED. */
int release_verify(struct store *store, int64_t plan, struct error *err);

/* For people: flagged first. */
void release_to_text(const struct release_roll *roll, struct buf *out);
int release_to_json(const struct release_roll *roll, struct buf *out, struct error *err);

#endif
