/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "config/base/buf.h"
#include "hw/modbus/map.h"

static const char *const block_docs[PROFILE_BLOCKS] = {
    [PROFILE_IDENTITY] = "Read once at each connect; a mismatch refuses to run.",
    [PROFILE_STATUS] = "The status mirror: what the controller sends next is a function of it alone (C3).",
    [PROFILE_CONTROL] = "Written by the controller; counts when the register of its CRC is written.",
    [PROFILE_MAILBOX] = "One job. Counts when its commit register is written, the last: in one write, or in "
                        "several. A torn one "
                        "is ignored, the controller repeats it.",
    [PROFILE_RESULT] =
        "The result ring: record k = seq mod R. It says its own seq: never trust the index alone.",
    [PROFILE_BAY] = "One row a bay, counted from 0.",
};

static const char *table_name(enum profile_table table)
{
    switch (table) {
    case PROFILE_HOLDING:
        return "holding registers";
    case PROFILE_INPUT:
        return "input registers";
    case PROFILE_COIL:
        return "coils";
    case PROFILE_DISCRETE:
        return "discrete inputs";
    }
    return "?";
}

static const char *type_name(enum profile_type type)
{
    switch (type) {
    case PROFILE_U16:
        return "u16";
    case PROFILE_U32:
        return "u32";
    case PROFILE_I16:
        return "i16";
    case PROFILE_ASCII:
        return "ascii";
    }
    return "?";
}

static void write_block(const struct profile *profile, enum profile_block_id id, struct buf *out)
{
    const struct profile_block *block = &profile->blocks[id];
    buf_printf(out, "\n## %s: %s %u to %u", profile_block_name(id), table_name(block->table), block->address,
               block->address + block->length - 1);
    if (block->stride)
        buf_printf(out, ", record k %u further each", block->stride);
    buf_printf(out,
               "\n\n%s\n\n| register | point | type | values | unit | meaning |\n|---|---|---|---|---|---|\n",
               block_docs[id]);
    for (int p = 0; p < PROFILE_POINTS; p++) {
        enum profile_point_id point_id = (enum profile_point_id)p;
        const struct profile_point *point = &profile->points[p];
        if (profile_point_block(point_id) != id || !point->present)
            continue;
        const struct map_point_row *row = map_point_row(point_id);
        unsigned first = point->coils ? point->at : (unsigned)block->address + point->at;
        buf_printf(out, point->coils ? "| coil %u" : "| %u", first);
        if (point->length > 1)
            buf_printf(out, "-%u", first + point->length - 1);
        buf_printf(out, " | %s | %s | ", profile_point_name(point_id),
                   point->coils ? "coils" : type_name(point->type));
        if (point->coils)
            buf_text(out, "one at most");
        else if (point->type == PROFILE_ASCII)
            buf_printf(out, "%u characters", 2u * point->length);
        else
            buf_printf(out, "%" PRId64 " to %" PRId64, row->min, row->max);
        buf_printf(out, " | %s | %s |\n", row->unit, row->doc);
    }
}

void map_write_page(const struct profile *profile, struct buf *out)
{
    buf_printf(
        out,
        "# Registers of %s\n\nMap version %u, magic 0x%04X. 32-bit values: %s word first; ASCII: two "
        "characters "
        "a register, high byte first. The CRC-16 of a block is that of Modbus RTU (polynomial 0xA001, start "
        "0xFFFF) over all registers of the record before it, high byte first. Registers that are not named "
        "are 0. A value outside its range is refused on either side (exception 03 by the machine).\n",
        profile->name, profile->map_version, profile->magic, profile->low_word_first ? "low" : "high");
    for (int b = 0; b < PROFILE_BLOCKS; b++)
        write_block(profile, (enum profile_block_id)b, out);
}
