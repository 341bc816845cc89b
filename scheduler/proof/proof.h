/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof: checks what a schedule's result claims, without any search and without a line of the solver's code
 * (only the result's form is shared). Pure, any thread; time grows with the size of the tree.
 *
 * What is checked: the witness keeps every rule and costs what the result says; the clique's doses can't
 * share, pair by pair, for the named reason; the refutation tree covers every case, and each of its leaves is
 * closed by plain propagation. An optimal result must be proved down to the last slot. Not proved by a
 * certificate: that soft cost, moves, balance and times are the least (levels 2 to 5).
 */
#ifndef SCHEDULER_PROOF_PROOF_H
#define SCHEDULER_PROOF_PROOF_H

#include "scheduler/slots.h"

struct error;

/* The regimen must be ready, the result well-formed (every number in range, as schedule_from_json leaves it).
 * E_TAMPERED with what does not hold; E_MEMORY. */
int proof_check(const struct regimen *regimen, const struct slots_result *result, struct error *err);

#endif
