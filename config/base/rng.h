/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng: seeded pseudo-random numbers for simulators and tests, the same on every machine. Never for secrets
 * and never in anything that a pharmacist signs. Generator: PCG-XSH-RR 64/32 (M. O'Neill, 2014). One thread
 * at a time.
 */
#ifndef CONFIG_BASE_RNG_H
#define CONFIG_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
    uint64_t stream; /* odd */
};

/* Two streams of one seed give unrelated sequences: one stream a machine. */
void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);
uint32_t rng_u32(struct rng *rng);
/* Even over 0..bound-1; bound > 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);
/* In [0, 1), 32 bits fine. */
double rng_unit(struct rng *rng);

#endif
