/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: who did what, when, to what. Append-only (triggers refuse UPDATE and DELETE) and hash-chained: each
 * row's hash covers its content and the hash before it. Details are JSON and carry ids, never a patient's
 * name.
 */
#ifndef CONTROLLER_STORE_AUDIT_H
#define CONTROLLER_STORE_AUDIT_H

#include <stdint.h>

#include "controller/seal/seal.h"

struct buf;
struct error;
struct store;

/* A clock that stands so far before the last row was set back: a row of its own says so. */
enum { AUDIT_BACK_MS = 5 * 60 * 1000, AUDIT_ACTION_BYTES = 64 };
#define AUDIT_CLOCK_BACK "clock.back"

/* Adds a row inside the open write transaction. actor: a login or a program; action: "plan.sign"; subject:
 * "plan:17". */
int audit_add(struct store *store, int64_t wall_ms, const char *actor, const char *action,
              const char *subject, const char *detail_json, struct error *err);
/* The last row's number and hash; 0 and zeros for an empty chain. */
int audit_head(struct store *store, int64_t *ret_seq, uint8_t ret_hash[SEAL_HASH_BYTES], struct error *err);
/*
 * The last row of a subject whose action fits the GLOB pattern ("consent.*"), by its own hash; detail gets
 * what it says. For rows of other tables that are relied on: what the chain says of them last is what they
 * must say. E_NOT_FOUND, E_TAMPERED for a row that is not what was written.
 */
int audit_last(struct store *store, const char *subject, const char *actions,
               char ret_action[AUDIT_ACTION_BYTES], struct buf *detail, struct error *err);
/* The last of those rows is `action`, and says exactly `detail`; E_TAMPERED otherwise. */
int audit_says(struct store *store, const char *subject, const char *actions, const char *action,
               const char *detail, struct error *err);
/* Walks the whole chain; *ret_rows is how many rows hold. E_TAMPERED names the first row that does not. */
int audit_verify(struct store *store, int64_t *ret_rows, struct error *err);

#endif
