/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: requests and answers of the machine port as JSON objects and back, for traces. One table of fields
 * a block feeds writer and reader. Enumerations are their numbers, except what a person reads first: kind,
 * did and error. Private to hw/wrap; pure.
 */
#ifndef HW_WRAP_VALUES_PRIVATE_H
#define HW_WRAP_VALUES_PRIVATE_H

#include <jansson.h>

#include "hw/machine.h"

struct error;

/* New objects without the caller's ids; NULL: no memory. */
json_t *values_of_request(const struct machine_request *request);
json_t *values_of_answer(const struct machine_answer *answer);
/* E_INPUT: what is missing or out of its type's range. Unknown keys are skipped. */
int values_read_answer(const json_t *object, struct machine_answer *ret_answer, struct error *err);

#endif
