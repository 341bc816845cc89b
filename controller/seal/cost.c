/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/seal/cost.h"

/* 2 passes over 64 MiB, above the least that OWASP's password storage sheet and RFC 9106 (second choice,
 * memory bound) ask for, and about a tenth of a second. Other costs for sealed keys need another format. */
const struct seal_cost seal_cost = {
    .key_format = SEAL_KEY_FORMAT, .passes = 2, .memory = (size_t)64 * 1024 * 1024};
