/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outcome: what a result of the machine is worth. GOOD only when every count and every sensor says so (C6);
 * everything else that was begun is void. Pure, any thread.
 */
#ifndef CONTROLLER_PACK_OUTCOME_H
#define CONTROLLER_PACK_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine.h"

/* What the store says of the number that the result is for. */
struct outcome_expected {
    uint32_t seq;
    uint32_t hash;
    uint16_t entry_count;
    uint16_t requested[MACHINE_ENTRIES_MAX];
};

/* What a seal must have been; min = max = 0: the machine's own word is enough. */
struct outcome_band {
    int16_t seal_min_dc;
    int16_t seal_max_dc;
};

enum outcome_verdict { OUTCOME_GOOD, OUTCOME_VOID, OUTCOME_CANCELLED };

/* NULL when the result belongs to the number (C4: number, hash, entries, requested counts, known outcome);
 * else why it cannot be believed. */
const char *outcome_doubt(const struct machine_result *result, const struct outcome_expected *expected);
/*
 * C6. caps: MACHINE_CAP_* of the machine, so that a camera or weigher that is there must agree. late_before:
 * a pill of the pouch before fell late and may lie in this one. *ret_reason is "" for GOOD, else a text for
 * people, a literal.
 */
enum outcome_verdict outcome_judge(const struct machine_result *result, uint16_t caps,
                                   const struct outcome_band *band, bool late_before,
                                   const char **ret_reason);
/* The counts of this result are certain: it is GOOD by outcome_judge, or the pouch went through all its
 * stations, each count is what was asked for, and each instrument that the machine has agrees. Of anything
 * else the count sensor's word is all there is (controller/stock/doubt.h). */
bool outcome_is_vouched(const struct machine_result *result, uint16_t caps);
/* The bay of entry i is to blame for a wrong count. False where the whole pouch was cut off. */
bool outcome_blames_bay(const struct machine_result *result, size_t entry);

#endif
