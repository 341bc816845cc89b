/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit: what a pharmacist asked of a patient's plans. An edit narrows what may be planned or accepts what a
 * plan does; it never widens what an order or a hard rule allows.
 *
 *   pin      order   "2@HH:MM"      the order's second dose of the day at this time
 *   forbid   order?  "HH:MM-HH:MM"  no dose from the first to the second minute, both included
 *   product  order   CODE           another product of the same ingredient, strength and release
 *   switch   order   DATE           the change to the plan that begins on this day is accepted as it is
 *
 * Edits stay until somebody ends them, stand in each plan's text that they have a part in, and are never
 * changed. Parsing is pure; the rest blocks for the store.
 */
#ifndef CONTROLLER_PLAN_EDIT_H
#define CONTROLLER_PLAN_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"

struct arena;
struct error;
struct store;

enum { EDIT_REASON_BYTES_MIN = 3, EDIT_REASON_BYTES_MAX = 200 };

/* What a value says; which members count is said by the kind. */
struct edit_value {
    int dose;     /* from 0 */
    int from, to; /* clock minutes; pin: both the same */
    int32_t day;
    const char *code; /* points into the edit */
};

/* E_INPUT names what is wrong with kind, order, value or reason. */
int edit_parse(const struct plan_edit *edit, struct edit_value *ret_value, struct error *err);
/* Has the edit a part in a plan of these orders that begins on start_day? */
bool edit_applies(const struct plan_edit *edit, const struct plan_order *orders, size_t order_count,
                  int32_t start_day);

/* The patient's edits that stand, by id; they lie in the arena. */
int edit_load(struct store *store, int64_t patient, struct arena *arena, struct plan_edit **ret_edits,
              size_t *ret_count, struct error *err);
/* The id that the next edit will have. */
int edit_next_id(struct store *store, int64_t *ret_id, struct error *err);
/* Within the caller's write transaction, with an audit row. E_EXISTS: somebody else took the id. */
int edit_add(struct store *store, int64_t patient, const struct plan_edit *edit, int64_t wall_ms,
             struct error *err);
/* The same for ending one. E_NOT_FOUND: the patient has no such edit that stands. */
int edit_end(struct store *store, int64_t patient, int64_t id, const char *login, int64_t wall_ms,
             struct error *err);

#endif
