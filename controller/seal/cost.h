/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost: what one password costs whoever guesses. A constant of the program, not a setting: nothing that
 * stands in a file or in the environment can make it weaker. cost.c has the product's; a test that opens many
 * keys links another one (tests/support/cheap_seal.c), with a key format of its own that the product does not
 * open.
 */
#ifndef CONTROLLER_SEAL_COST_H
#define CONTROLLER_SEAL_COST_H

#include <stddef.h>
#include <stdint.h>

enum { SEAL_KEY_FORMAT = 1 /* of a sealed key, under the product's costs */ };

struct seal_cost {
    uint8_t key_format; /* first byte of a sealed key: says with which costs it was sealed */
    unsigned long long passes;
    size_t memory; /* bytes */
};

extern const struct seal_cost seal_cost;

#endif
