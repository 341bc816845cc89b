/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks: what the calendar needs from prescribers and payers, as tasks of controller/parties, and their
 * answers as events of the patient's cycle. Both are idempotent: a task is known by order and date, an answer
 * by its number. Blocks for the store. One thread a store.
 */
#ifndef CONTROLLER_REFILL_ASKS_H
#define CONTROLLER_REFILL_ASKS_H

#include <stdint.h>

struct arena;
struct error;
struct record_by;
struct refill;
struct store;
struct sync_plan;

/* Opens the requests of the calendar whose day has come. Within the caller's write transaction. *ret_new (may
 * be NULL) counts tasks that are new. */
int asks_open(struct store *store, const struct refill *refill, const struct sync_plan *calendar,
              const struct record_by *by, int *ret_new, struct error *err);

/* Standing answers of the patient that are not noted yet become events: denied renewals, rejected claims with
 * the payer's date, granted overrides and prior authorisations. In a write transaction of its own. */
int asks_read(struct store *store, int64_t patient, const struct record_by *by, int *ret_new,
              struct error *err);

#endif
