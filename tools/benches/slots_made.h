/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded regimens for the bench of the slot scheduler: realistic ones of 3-20 drugs and adversarial ones of
 * 20-40. The same seed and number give the same regimen everywhere. */
#ifndef TOOLS_BENCHES_SLOTS_MADE_H
#define TOOLS_BENCHES_SLOTS_MADE_H

#include <stdint.h>

#include "scheduler/regimen.h"

struct arena;

enum made_kind {
    MADE_REAL,     /* clinical windows, gaps, some separations */
    MADE_CALENDAR, /* the same with weekly and cyclic days */
    MADE_WRAP,     /* every six, eight, twelve hours across the night */
    MADE_FINE,     /* 5-minute grid */
    MADE_FORCED,   /* dense separations that force slots, many infeasible */
    MADE_ADVERSE,  /* 20-40 drugs, windows of several intervals, greedy gets stuck */
    MADE_TAIL,     /* 20-40 drugs, wide windows and many gaps, most infeasible, few with a tight clique */
    MADE_STUCK,    /* 20-40 drugs around a hidden schedule of few slots, with decoys for the greedy */
    MADE_LOOSE,    /* the same with wide windows and bounds that the hidden schedule just keeps */
    MADE_GRAPH,    /* 20-40 drugs, wide windows, short separations between many: colouring a random graph */
    MADE_NONE,     /* a hidden schedule, then separations until nothing is left */
    MADE_LARGE,    /* 50-64 drugs, up to 128 doses around a hidden schedule */
    MADE_CROWD,    /* 6-16 drugs that nearly all keep their distance, in hours that just hold them or don't */
    MADE_RING,     /* odd rings and Mycielski's graphs: no clique shows how many slots they need */
    MADE_MONTH,    /* 28 days: tapers with disjoint days, weekly drugs, same and different slots */
    MADE_SHIFT,    /* 5-minute grid, gaps and nights bound on both sides, a day that ends after midnight */
    MADE_KINDS,
};

const char *made_name(enum made_kind kind);
/* A ready regimen, or NULL without memory. */
struct regimen *made_regimen(enum made_kind kind, uint64_t seed, uint32_t number, struct arena *arena);

#endif
