/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/rng.h"

#include <assert.h>

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
    rng->state = 0;
    rng->stream = (stream << 1) | 1;
    (void)rng_u32(rng); /* mixes the stream in, as the generator's author seeds it */
    rng->state += seed;
    (void)rng_u32(rng);
}

uint32_t rng_u32(struct rng *rng)
{
    uint64_t old = rng->state;
    rng->state = old * UINT64_C(6364136223846793005) + rng->stream;
    uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27);
    uint32_t turn = (uint32_t)(old >> 59);
    return (mixed >> turn) | (mixed << ((32 - turn) & 31));
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    assert(bound > 0);
    uint32_t first =
        (uint32_t)(-bound) % bound; /* values below it would make the small remainders likelier */
    for (;;) {
        uint32_t value = rng_u32(rng);
        if (value >= first)
            return value % bound;
    }
}

double rng_unit(struct rng *rng)
{
    return rng_u32(rng) / 4294967296.0;
}
