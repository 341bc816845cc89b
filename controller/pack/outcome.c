/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/outcome.h"

const char *outcome_doubt(const struct machine_result *result, const struct outcome_expected *expected)
{
    if (result->seq != expected->seq)
        return "a result has another number than the one asked for";
    if (result->hash != expected->hash)
        return "a result is for another content than this store gave to its number";
    if (result->entry_count != expected->entry_count)
        return "a result has another number of entries than its job";
    for (size_t i = 0; i < expected->entry_count; i++) {
        if (result->entries[i].requested != expected->requested[i])
            return "a result tells of other requested counts than its job";
    }
    switch (result->outcome) {
    case MACHINE_GOOD:
    case MACHINE_VOID:
    case MACHINE_CANCELLED:
        return NULL;
    }
    return "a result has an unknown outcome";
}

static bool counts_are_right(const struct machine_result *result)
{
    for (size_t i = 0; i < result->entry_count; i++) {
        if (result->entries[i].counted != result->entries[i].requested)
            return false;
    }
    return true;
}

static bool nothing_fell(const struct machine_result *result)
{
    for (size_t i = 0; i < result->entry_count; i++) {
        if (result->entries[i].counted != 0)
            return false;
    }
    return true;
}

static bool seal_is_in_band(const struct machine_result *result, const struct outcome_band *band)
{
    if (band->seal_min_dc == 0 && band->seal_max_dc == 0)
        return true;
    return result->seal_min_dc >= band->seal_min_dc && result->seal_max_dc <= band->seal_max_dc;
}

/* Checks that must be set, with the capability that makes them so (0: always). First cause wins. */
static const struct {
    uint16_t check;
    uint16_t cap;
    const char *missing;
} needed[] = {
    {MACHINE_CHECK_SEALED, 0, "the seal was not confirmed"},
    {MACHINE_CHECK_PRINT_READ, 0, "the printed number was not read back"},
    {MACHINE_CHECK_VISION_OK, MACHINE_CAP_VISION, "the camera saw something else"},
    {MACHINE_CHECK_WEIGHT_OK, MACHINE_CAP_WEIGHER, "the weight is not right"},
};

enum outcome_verdict outcome_judge(const struct machine_result *result, uint16_t caps,
                                   const struct outcome_band *band, bool late_before, const char **ret_reason)
{
    if (result->outcome == MACHINE_CANCELLED && nothing_fell(result)) {
        *ret_reason = "cancelled before filling";
        return OUTCOME_CANCELLED;
    }
    *ret_reason = "";
    if (result->outcome == MACHINE_CANCELLED)
        *ret_reason = "cancelled in mid pouch";
    else if (result->outcome != MACHINE_GOOD)
        *ret_reason = machine_reason_text(result->reason);
    else if (result->reason != MACHINE_REASON_NONE)
        *ret_reason = machine_reason_text(result->reason);
    else if (!counts_are_right(result))
        *ret_reason = machine_reason_text(MACHINE_REASON_COUNT);
    else if (result->checks & MACHINE_CHECK_LATE_DROP)
        *ret_reason = machine_reason_text(MACHINE_REASON_LATE_DROP);
    else if (late_before)
        *ret_reason = "a late pill of the pouch before may lie in it";
    else if (!seal_is_in_band(result, band))
        *ret_reason = machine_reason_text(MACHINE_REASON_SEAL);
    for (size_t i = 0; (*ret_reason)[0] == '\0' && i < sizeof needed / sizeof needed[0]; i++) {
        if ((needed[i].cap == 0 || (caps & needed[i].cap)) && !(result->checks & needed[i].check))
            *ret_reason = needed[i].missing;
    }
    return (*ret_reason)[0] == '\0' ? OUTCOME_GOOD : OUTCOME_VOID;
}

bool outcome_is_vouched(const struct machine_result *result, uint16_t caps)
{
    uint16_t needs = (uint16_t)((caps & MACHINE_CAP_VISION ? MACHINE_CHECK_VISION_OK : 0) |
                                (caps & MACHINE_CAP_WEIGHER ? MACHINE_CHECK_WEIGHT_OK : 0));
    if (result->outcome == MACHINE_CANCELLED)
        return nothing_fell(result);
    return result->reason != MACHINE_REASON_POWER_LOSS && result->reason != MACHINE_REASON_ABORTED &&
           counts_are_right(result) && !(result->checks & MACHINE_CHECK_LATE_DROP) &&
           (result->checks & needs) == needs;
}

bool outcome_blames_bay(const struct machine_result *result, size_t entry)
{
    switch (result->reason) {
    case MACHINE_REASON_POWER_LOSS:
    case MACHINE_REASON_ABORTED:
    case MACHINE_REASON_CANCELLED:
        return false;
    case MACHINE_REASON_NONE:
    case MACHINE_REASON_COUNT:
    case MACHINE_REASON_EMPTY:
    case MACHINE_REASON_JAM:
    case MACHINE_REASON_LATE_DROP:
    case MACHINE_REASON_SEAL:
    case MACHINE_REASON_PRINT:
    case MACHINE_REASON_FILM:
    case MACHINE_REASON_VISION:
    case MACHINE_REASON_WEIGHT:
    case MACHINE_REASON_BAY_LOCKED:
    case MACHINE_REASON_BROKEN_PILL:
        return result->entries[entry].counted != result->entries[entry].requested;
    }
    return result->entries[entry].counted != result->entries[entry].requested;
}
