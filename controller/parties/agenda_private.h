/* SPDX-License-Identifier: Apache-2.0 */
/* Words that the three forms of an agenda share. Pure. */
#ifndef CONTROLLER_PARTIES_AGENDA_PRIVATE_H
#define CONTROLLER_PARTIES_AGENDA_PRIVATE_H

#include "controller/parties/agenda.h"

/* "Fri 27 Nov" */
void agenda_date_short(int32_t day, char ret_text[AGENDA_DATE_BYTES]);
/* "2 and 1/2 x Amlodipine 5 mg tablet" */
void agenda_item_text(const struct agenda_item *item, struct buf *out);
/* "every day", or the dates of the cycle on which a take falls. */
void agenda_days_text(const struct plan_text *plan, const struct plan_take *take, struct buf *out);
/* Pieces of an amount: "1 and 1/2". */
void agenda_amount_text(int64_t milli, struct buf *out);
/* A note that tells of a distance to something outside of the pouches, without its rule and source; false for
 * any other note. */
bool agenda_distance_text(const struct plan_note *note, struct buf *out);
/* What of a reason concerns the patient: all but what the intake found, which is the pharmacist's. ""
 * nothing. */
void agenda_reason_text(const char *reason, struct buf *out);
/* The drug of an order of this plan, as the review names it. */
const char *agenda_drug(const struct agenda *agenda, int64_t order);

#endif
