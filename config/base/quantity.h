/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantities in milli-units: 1 tablet = 1000, half a tablet = 500. Exact, no floating point in a decision. A
 * decimal that came through a double (a JSON number) is taken only when it lies on the grid of thousandths.
 * Pure, any thread.
 */
#ifndef CONFIG_BASE_QUANTITY_H
#define CONFIG_BASE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum { QUANTITY_ONE = 1000, QUANTITY_TEXT_BYTES = 24 };
#define QUANTITY_MAX_MILLI INT64_C(1000000000000) /* a thousand million units: more is a reading error */

/* Reads a plain decimal "-1.25", at most 3 places (trailing zeros beyond are allowed); false else or over the
 * limit. */
bool quantity_parse(const char *text, int64_t *ret_milli);
/* From a double of a JSON reader; false when it is off the grid by more than 1e-6 milli-units, not finite or
 * too large. */
bool quantity_from_double(double value, int64_t *ret_milli);
/* The shortest text: "1", "0.5", "2.25". */
void quantity_format(int64_t milli, char text[QUANTITY_TEXT_BYTES]);

#endif
