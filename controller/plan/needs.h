/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needs: the pieces that signed plans still want from the canisters.
 *
 * Counts the items of every pouch of every plan in state signed, but for pouches that were packed good
 * already. Reads the plans' own text, so what is counted is what was signed. Blocks for the store; memory for
 * one plan at a time.
 */
#ifndef CONTROLLER_PLAN_NEEDS_H
#define CONTROLLER_PLAN_NEEDS_H

#include <stdint.h>

#include "controller/stock/stock.h"

struct error;
struct store;

struct plan_needs {
    struct stock_need *needs; /* by product code and piece, each once */
    int count;
    int64_t pouches;  /* that are still to be packed */
    int32_t last_day; /* of the last of them; CIVIL_DAY_NONE when there are none */
};

/* *ret_needs is the caller's until plan_needs_finish. */
int plan_needs_read(struct store *store, struct plan_needs *ret_needs, struct error *err);
void plan_needs_finish(struct plan_needs *needs);

#endif
