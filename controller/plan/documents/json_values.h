/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_values: days, times and amounts as JSON, the same in every document. Each returns a new reference, or
 * NULL without memory (which json_pack and the like take as their own failure).
 */
#ifndef CONTROLLER_PLAN_DOCUMENTS_JSON_VALUES_H
#define CONTROLLER_PLAN_DOCUMENTS_JSON_VALUES_H

#include <jansson.h>
#include <stdint.h>

json_t *json_day(int32_t day);        /* "2026-11-22"; null for CIVIL_DAY_NONE */
json_t *json_tod(int minute);         /* minute of the day: "07:30" */
json_t *json_instant(int64_t ms);     /* since 1970, UTC: "2026-11-22T07:30:00.000Z" */
json_t *json_quantity(int64_t milli); /* thousandths as text: "0.5" */
json_t *json_pieces(int64_t milli);   /* thousandths as a number; multiples of 500 are exact in binary */

#endif
