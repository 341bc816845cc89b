/* SPDX-License-Identifier: Apache-2.0 */
/* What files and wire share. Private to the intake. */
#ifndef CONTROLLER_ORDERS_HL7_FEED_PRIVATE_H
#define CONTROLLER_ORDERS_HL7_FEED_PRIVATE_H

#include "controller/intake/hl7/hl7_message.h"
#include "controller/orders/intake_store.h"

/* For struct hl7_known, data: the store. */
int hl7_store_find(void *data, const char *order_id, json_t **ret_original, char *ret_patient,
                   size_t patient_size, struct error *err);
/* The bundle of an accepted message. */
int hl7_import_result(struct intake_import *import, const char *place, const struct hl7_result *result,
                      struct error *err);
/* One line on a message that was turned down. */
void hl7_refusal_text(const struct hl7_result *result, char *out, size_t size);

#endif
