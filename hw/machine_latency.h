/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_latency: how long requests took, in a few counters: the worst one, and percentiles that are at most
 * an eighth too high. Plain values; zeroed is empty. For one thread.
 */
#ifndef HW_MACHINE_LATENCY_H
#define HW_MACHINE_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 128 };

struct latency {
    uint64_t total;
    uint32_t worst_ms;
    uint64_t counts[LATENCY_BUCKETS]; /* exact up to 15 ms, then eight an octave, the last takes the rest */
};

void latency_add(struct latency *latency, uint32_t ms);
/* Upper end of the bucket that holds it, at most the worst; 0 when empty. permille: 990 for p99. */
uint32_t latency_percentile(const struct latency *latency, uint32_t permille);

#endif
