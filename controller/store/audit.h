/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: who did what, when, to what. Append-only (triggers refuse UPDATE and DELETE) and hash-chained: each
 * row's hash covers its content and the hash before it. Details are JSON and carry ids, never a patient's
 * name.
 */
#ifndef CONTROLLER_STORE_AUDIT_H
#define CONTROLLER_STORE_AUDIT_H

#include <stdint.h>

struct error;
struct store;

/* Adds a row inside the open write transaction. actor: a login or a program; action: "plan.sign"; subject:
 * "plan:17". */
int audit_add(struct store *store, int64_t wall_ms, const char *actor, const char *action,
              const char *subject, const char *detail_json, struct error *err);
/* Walks the whole chain; *ret_rows is how many rows hold. E_TAMPERED names the first row that does not. */
int audit_verify(struct store *store, int64_t *ret_rows, struct error *err);

#endif
