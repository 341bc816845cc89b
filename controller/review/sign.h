/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign: a pharmacist's signature over the bytes of a plan, and the one function that says whether it still
 * holds.
 *
 * What is signed is a statement (`sachet-signature/2`): meaning, name, login and time as 21 CFR 11.50 asks,
 * the BLAKE2b-256 of the plan's text, and that of the clinical findings that the signer saw, under the
 * pharmacist's own Ed25519 key. Statements of version 1, from before there were clinical checks, still hold.
 * review_verify takes nothing for granted: it computes the text's hash again, reads the text with the strict
 * parser, compares patient, the patient's day, orders (also: that none is new), products and rules with the
 * store as it is now, and checks the signature with the key of the pharmacist who is named. Any changed byte
 * makes the plan unsigned, and the message says which one.
 *
 * sachetd asks review_verify when it loads a plan and packs only the pouches of the text that it read there.
 * Blocks for the store. One thread a store. seal_init() must have been called.
 */
#ifndef CONTROLLER_REVIEW_SIGN_H
#define CONTROLLER_REVIEW_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/seal/seal.h"
#include "scheduler/regimen.h"

struct clinical_rules;
struct clock;
struct conf;
struct error;
struct jurisdiction;
struct packing;
struct seal_key;
struct store;
struct user;

#define REVIEW_MEANING "approved for dispensing"

/* The site's rules as they are now: hashes of the rule files, and its day; a plan that was made under others
 * is not signed any more. And packing rules, jurisdiction and clinical rules themselves: they are asked again
 * each time, because an override or a consent may have ended and an allergy become known since. */
struct review_rules {
    uint8_t timing[SEAL_HASH_BYTES];
    uint8_t packing[SEAL_HASH_BYTES];
    bool has_day;
    struct regimen_patient day;      /* the site's ordinary day, for patients without their own */
    struct clinical_rules *clinical; /* NULL: no clinical checks */
    struct conf *packing_conf;       /* behind products */
    struct packing *products;        /* NULL: not asked again */
    struct jurisdiction *law;        /* NULL: not asked */
    struct clock *clock;             /* the caller's; NULL: days of overrides and consents do not count */
    int32_t today; /* for showing what is found in a draft; CIVIL_DAY_NONE: not shown, and the clock's day
                      counts for what ends with a day */
};

/* Reads the files that the site names; review_rules_finish gives them back. clock: what "now" is. E_FILE,
 * E_SYNTAX, E_INPUT. */
int review_rules_of(const struct conf *site, struct clock *clock, struct review_rules *ret_rules,
                    struct error *err);
void review_rules_finish(struct review_rules *rules);

/*
 * Everything but the signature: text, patient, orders, products, rules (NULL: not compared). E_TAMPERED for
 * bytes that changed in the store, E_STATE for what changed in the world (a newer order, another product
 * row): plan again. E_NOT_FOUND.
 */
int review_check(struct store *store, int64_t plan, const struct review_rules *rules, struct error *err);

/*
 * Signs the patient's newest plan, in a transaction of its own with an audit row. Signed plans of the patient
 * that are over, or have a day in common with it, are superseded; the running cycle stays signed beside the
 * next one, so that what is left of it is packed and handed over. user must be an enabled pharmacist, key the
 * one that user_key_open gave for the user. E_DENIED, E_STATE (signed already, superseded, or not the
 * newest), and whatever review_check says.
 */
int review_sign(struct store *store, int64_t plan, const struct review_rules *rules, const struct user *user,
                struct seal_key *key, int64_t wall_ms, struct error *err);

/* 0 when the plan is signed, and the signature and everything under it hold now. E_STATE, E_TAMPERED,
 * E_NOT_FOUND. */
int review_verify(struct store *store, int64_t plan, const struct review_rules *rules, struct error *err);

/* Who signed a plan, for screens and records; does not verify. E_NOT_FOUND when nobody has. */
struct review_signature {
    int64_t user;
    char login[64];
    char name[160];
    char meaning[64];
    int64_t signed_ms;
};
int review_signature_of(struct store *store, int64_t plan, struct review_signature *ret_signature,
                        struct error *err);

#endif
