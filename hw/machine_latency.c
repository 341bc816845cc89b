/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/machine_latency.h"

enum { EXACT = 16, STEPS = 8 /* an octave */ };

static unsigned bucket_of(uint32_t ms)
{
    if (ms < EXACT)
        return ms;
    unsigned octave = 31 - (unsigned)__builtin_clz(ms); /* 4 for 16..31 */
    unsigned bucket = EXACT + (octave - 4) * STEPS + (ms >> (octave - 3)) % STEPS;
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* Largest value that falls into it. */
static uint64_t end_of(unsigned bucket)
{
    if (bucket < EXACT)
        return bucket;
    unsigned octave = 4 + (bucket - EXACT) / STEPS, step = (bucket - EXACT) % STEPS;
    return (((uint64_t)STEPS + step + 1) << (octave - 3)) - 1;
}

void latency_add(struct latency *latency, uint32_t ms)
{
    latency->total++;
    latency->counts[bucket_of(ms)]++;
    if (ms > latency->worst_ms)
        latency->worst_ms = ms;
}

uint32_t latency_percentile(const struct latency *latency, uint32_t permille)
{
    uint64_t wanted = (latency->total * permille + 999) / 1000, seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS && wanted > 0; i++) {
        seen += latency->counts[i];
        if (seen >= wanted)
            return i < LATENCY_BUCKETS - 1 && end_of(i) < latency->worst_ms ? (uint32_t)end_of(i)
                                                                            : latency->worst_ms;
    }
    return 0;
}
