/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hl7_feed: HL7 v2 messages into the intake, from files and from the wire. Messages are taken one after the
 * other, each as its own import, so that a later one changes what an earlier one ordered.
 *
 * From the wire (hl7_receive) a message is durable before it is read, and its answer is durable before it is
 * handed back: sender (MSH-3, MSH-4) and control id (MSH-10) are the key under which the same message gets
 * the same answer and changes nothing twice; other bytes under that key are turned down.
 *
 * Blocks for files and the store. One thread.
 */
#ifndef CONTROLLER_ORDERS_HL7_FEED_H
#define CONTROLLER_ORDERS_HL7_FEED_H

#include <stddef.h>

#include "controller/orders/intake_store.h"

struct buf;

/* Processing ids (MSH-11) that are taken: files are given by a person and may be tests. */
#define HL7_PROCESSING_LIVE  "P"
#define HL7_PROCESSING_FILES "PTD"

/* Every HL7 file below paths into the store. What is turned down goes to import->refused. */
int hl7_import(struct intake_import *import, const char *const *paths, int count, struct error *err);
/*
 * The same without storing anything: orders go to the sink, totals are added to *totals. store: where orders
 * that a message stops or releases are looked up, besides the messages before it; NULL: only these.
 */
int hl7_dry_run(const struct intake_policy *policy, struct catalogue *catalogue,
                const struct intake_sink *sink, struct store *store, const char *const *paths, int count,
                struct intake_totals *totals, struct error *err);

/*
 * One message from the wire: answer is added to (HL7 v2, segments end with CR). 0 also when it was turned
 * down; an error when the store failed: then there must be no answer, and the sender sends again.
 */
int hl7_receive(struct intake_import *import, const char *processing, const char *bytes, size_t len,
                struct buf *answer, struct error *err);
/* After a start: reads the messages that were stored and not answered. *ret_count: how many. */
int hl7_receive_pending(struct intake_import *import, const char *processing, int64_t *ret_count,
                        struct error *err);

#endif
