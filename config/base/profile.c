/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/profile.h"

#include <assert.h>

static const char *const block_names[] = {
#define BLOCK_NAME(name, text) text,
    PROFILE_BLOCK_TABLE(BLOCK_NAME)
#undef BLOCK_NAME
};

#define BLOCK_TEXT_IDENTITY "identity"
#define BLOCK_TEXT_STATUS   "status"
#define BLOCK_TEXT_CONTROL  "control"
#define BLOCK_TEXT_MAILBOX  "mailbox"
#define BLOCK_TEXT_RESULT   "result"
#define BLOCK_TEXT_BAY      "bay"

static const struct {
    enum profile_block_id block;
    const char *name;
    bool needed;
} point_rows[] = {
#define POINT_ROW(block_, name_, text_, needed_) \
    {.block = PROFILE_##block_, .name = BLOCK_TEXT_##block_ "." text_, .needed = needed_},
    PROFILE_POINT_TABLE(POINT_ROW)
#undef POINT_ROW
};

enum profile_block_id profile_point_block(enum profile_point_id point)
{
    assert(point < PROFILE_POINTS);
    return point_rows[point].block;
}

const char *profile_block_name(enum profile_block_id block)
{
    assert(block < PROFILE_BLOCKS);
    return block_names[block];
}

const char *profile_point_name(enum profile_point_id point)
{
    assert(point < PROFILE_POINTS);
    return point_rows[point].name;
}

bool profile_point_needed(enum profile_point_id point)
{
    assert(point < PROFILE_POINTS);
    return point_rows[point].needed;
}

uint32_t profile_address(const struct profile *profile, enum profile_point_id point, uint32_t record)
{
    const struct profile_block *block = &profile->blocks[profile_point_block(point)];
    assert(record == 0 || block->stride > 0);
    return block->address + record * block->stride + profile->points[point].at;
}
