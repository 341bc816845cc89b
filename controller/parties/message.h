/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message: what leaves the house, as FHIR R4 (4.0.1) JSON, one Bundle of type collection a file.
 *
 * A Bundle holds all that its references name: the Task, what it is about (draft MedicationRequest, Claim,
 * CoverageEligibilityRequest, CommunicationRequest, SupplyRequest), patient, coverage and organizations. What
 * the other side sent us is named by its identifier. The same rows of the store and the same site file give
 * the same bytes; ids and versions (Task.meta.versionId is the task's revision) let a receiver see a file
 * twice without harm. messages.md in this folder is the reference page.
 *
 * Blocks for the store. One thread a store.
 */
#ifndef CONTROLLER_PARTIES_MESSAGE_H
#define CONTROLLER_PARTIES_MESSAGE_H

#include <stdint.h>

#include "controller/parties/partners.h"
#include "controller/parties/task.h"

struct buf;
struct error;
struct store;

/* Appends the Bundle of the task's present revision; ret_name gets its place in the outbox:
 * "payer/test-claim-12-1.json". */
int message_task(struct store *store, const struct partners *partners, const struct task *task,
                 struct buf *out, char ret_name[PARTNERS_NAME_BYTES], struct error *err);
/* The CarePlan of a signed or superseded plan: "patient/care-plan-7-1.json", -2 when it is superseded. */
int message_care_plan(struct store *store, const struct partners *partners, int64_t plan, struct buf *out,
                      char ret_name[PARTNERS_NAME_BYTES], struct error *err);
/* MedicationDispense of a packed roll, one a product: "records/dispense-7-1.json", -2 when it left the house.
 */
int message_dispense(struct store *store, const struct partners *partners, int64_t plan, struct buf *out,
                     char ret_name[PARTNERS_NAME_BYTES], struct error *err);

#endif
