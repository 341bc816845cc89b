/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords at the least cost that libsodium takes, for tests that log in dozens of times and prove something
 * else. Compiled into a test, this stands in the place of controller/seal/cost.c. tests/unit/seal proves the
 * product's costs.
 */
#include "controller/seal/cost.h"

const struct seal_cost seal_cost = {.key_format = 255, .passes = 1, .memory = 8192};
