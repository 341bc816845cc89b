/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta: two plans of a patient compared time by time and pouch by pouch.
 *
 * A pouch is compared with the old plan's pouch of the same date and time, and where the old plan does not
 * reach that far, with that of the same weekday in its last weeks. Pouches with the same content have the
 * same content hash and are only counted; the others are folded: one line for all that changed in the same
 * way. Pure, any thread; memory is the arena's.
 */
#ifndef CONTROLLER_REVIEW_DELTA_H
#define CONTROLLER_REVIEW_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"

struct arena;
struct error;

/* Pouches that changed in the same way. */
struct delta_group {
    int minute;        /* clock minute */
    const char *was;   /* "1 Amlodipine 5 mg, 2 Zinc 50 mg"; "" where there was no pouch */
    const char *is;    /* "" where there is none any more */
    int32_t first_day; /* date of the first of them */
    int count;
    uint8_t hash[PLAN_HASH_BYTES]; /* of the content that is, or was where there is none */
};

struct delta {
    int same; /* pouches with the same content as before */
    struct delta_group *groups;
    size_t group_count;
    int *new_times, *gone_times; /* clock minutes, in the order of the plans */
    size_t new_count, gone_count;
};

/* before: the plan that was signed last. E_MEMORY. */
int delta_make(const struct plan_text *before, const struct plan_text *now, struct arena *arena,
               struct delta *ret_delta, struct error *err);
/* BLAKE2b-256 of a pouch's time, part and items: the same for the same content on any date.
 * E_MEMORY. */
int delta_hash(const struct plan_pouch *pouch, uint8_t ret_hash[PLAN_HASH_BYTES]);

#endif
