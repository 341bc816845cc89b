/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-machine/1: where one kind of packer keeps each logical point, and what it can do.
 *
 * The check is strict, because a wrong address moves steel: every needed point is there once, lies inside its
 * block, overlaps no other, has a width that fits its type, and blocks of one table do not overlap.
 */
#include "config/machine.h"

#include "config/base/profile.h"
#include "config/conf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const tables[] = {"holding", "input", "coil", "discrete", NULL};
static const char *const point_tables[] = {"block", "coil", NULL};
static const char *const types[] = {"u16", "u32", "i16", "ascii", NULL};
static const char *const orders[] = {"high-first", "low-first", NULL};
static const char *const block_choices[] = {
#define BLOCK_CHOICE(name, text) text,
    PROFILE_BLOCK_TABLE(BLOCK_CHOICE)
#undef BLOCK_CHOICE
        NULL,
};

#define RANGE(least, most) .range = true, .min = (least), .max = (most)

static const struct conf_key machine_keys[] = {
    {.path = "name",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, PROFILE_NAME_BYTES - 1),
     .example = "my-packer/1",
     .doc = "Name of this map, for screens and records."},
    {.path = "map_version",
     .type = CONF_INT,
     .required = true,
     RANGE(0, 65535),
     .example = "1",
     .doc = "The machine's own map version register must say this number, else it is refused."},
    {.path = "magic",
     .type = CONF_INT,
     .required = true,
     RANGE(0, 65535),
     .example = "0x5343",
     .doc = "The magic register must say this number, else it is refused."},
    {.path = "word_order",
     .type = CONF_ENUM,
     .preset = "high-first",
     .choices = orders,
     .doc = "Which register of a 32-bit value comes first."},

    {.path = "capabilities", .type = CONF_MAP, .doc = "What this kind of machine can do."},
    {.path = "capabilities.fc23",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Answers read/write multiple registers (FC23). Without it FC16 and FC03 are used."},
    {.path = "capabilities.vision",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Has a camera that judges each pouch."},
    {.path = "capabilities.weigher", .type = CONF_BOOL, .preset = "false", .doc = "Weighs each pouch."},

    {.path = "limits", .type = CONF_MAP, .doc = "Sizes. The identity block must agree with queue and ring."},
    {.path = "limits.bays",
     .type = CONF_INT,
     .preset = "512",
     .unit = "bays",
     RANGE(1, 512),
     .doc = "Most canister seats."},
    {.path = "limits.queue_depth",
     .type = CONF_INT,
     .preset = "8",
     .unit = "jobs",
     RANGE(1, 64),
     .doc = "Q: jobs that the machine holds. 8 bridges 3 s of a silent controller at 120 pouches a minute."},
    {.path = "limits.ring_size",
     .type = CONF_INT,
     .preset = "8",
     .unit = "results",
     RANGE(1, 256),
     .doc = "R: results that the machine keeps until they are retired."},
    {.path = "limits.entries_max",
     .type = CONF_INT,
     .preset = "24",
     .unit = "bays",
     RANGE(1, 24),
     .doc = "Most different bays in one job."},
    {.path = "limits.write_max",
     .type = CONF_INT,
     .preset = "123",
     .unit = "registers",
     RANGE(1, 123),
     .doc = "Most registers in one write; 123 is Modbus' own limit."},
    {.path = "limits.read_max",
     .type = CONF_INT,
     .preset = "125",
     .unit = "registers",
     RANGE(1, 125),
     .doc = "Most registers in one read; 125 is Modbus' own limit."},

    {.path = "timing", .type = CONF_MAP, .doc = "How long to wait. A time-out closes the connection."},
    {.path = "timing.connect_timeout",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "2 s",
     RANGE(50, 60000),
     .doc = "For the TCP connection."},
    {.path = "timing.response_timeout",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "500 ms",
     RANGE(10, 10000),
     .doc = "For the first byte of an answer. Some devices need more than libmodbus' 500 ms."},
    {.path = "timing.byte_timeout",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "200 ms",
     RANGE(5, 10000),
     .doc = "Between two bytes of an answer. On a serial line a few ms over the adapter's latency will do."},
    {.path = "timing.late_answer",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "100 ms",
     RANGE(0, 10000),
     .doc = "How late an answer may still come after its time-out. A serial line must then be silent for so "
            "long before anything else is asked."},
    {.path = "timing.poll",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "20 ms",
     RANGE(5, 5000),
     .doc = "How often the status mirror is read while a batch runs."},
    {.path = "timing.heartbeat",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "500 ms",
     RANGE(50, 1900),
     .doc =
         "How often the controller's heartbeat changes. The machine suspends when it stands still for 2 s."},

    {.path = "blocks",
     .type = CONF_MAPS,
     .required = true,
     .items_max = PROFILE_BLOCKS,
     .doc = "What is read or written at once, and what one CRC closes. Each block once."},
    {.path = "blocks[].name",
     .type = CONF_ENUM,
     .required = true,
     .unique = true,
     .choices = block_choices,
     .example = "identity",
     .doc = "Which block."},
    {.path = "blocks[].table",
     .type = CONF_ENUM,
     .preset = "holding",
     .choices = tables,
     .doc = "Modbus table."},
    {.path = "blocks[].address",
     .type = CONF_INT,
     .required = true,
     RANGE(0, 65535),
     .example = "0",
     .doc = "First register, counted from 0 as on the wire."},
    {.path = "blocks[].length",
     .type = CONF_INT,
     .required = true,
     .unit = "registers",
     RANGE(1, 125),
     .example = "16",
     .doc = "Registers of one record."},
    {.path = "blocks[].stride",
     .type = CONF_INT,
     .preset = "0",
     .unit = "registers",
     RANGE(0, 1024),
     .doc = "From one record to the next, for result and bay; 0: there is one record."},

    {.path = "points",
     .type = CONF_MAPS,
     .required = true,
     .items_max = PROFILE_POINTS,
     .doc = "One value each."},
    {.path = "points[].name",
     .type = CONF_TEXT,
     .required = true,
     .unique = true,
     RANGE(1, 40),
     .example = "identity.magic",
     .doc = "Block and point, as the default profile names them."},
    {.path = "points[].table",
     .type = CONF_ENUM,
     .choices = point_tables,
     .preset = "block",
     .doc =
         "block: registers of its block. coil: one coil a command, coil n is command n, written before the "
         "control block; for control.command only."},
    {.path = "points[].at",
     .type = CONF_INT,
     .required = true,
     RANGE(0, 65535),
     .example = "0",
     .doc = "Registers behind the start of the block's record; for coils the first one, counted from 0 as on "
            "the wire."},
    {.path = "points[].type",
     .type = CONF_ENUM,
     .required = true,
     .choices = types,
     .example = "u16",
     .doc = "How the registers are read. ASCII has two characters a register, high byte first."},
    {.path = "points[].length",
     .type = CONF_INT,
     .unit = "registers",
     RANGE(1, 125),
     .example = "1",
     .doc = "Registers in all, or coils; without it 2 for u32 and 1 for the others."},
    {.path = "points[].scale",
     .type = CONF_MILLI,
     .preset = "1",
     RANGE(1, 1000000),
     .doc = "Our unit is the register times this. Ours are pieces, milliseconds, millimetres and 0.1 C."},
};

static int find_point(const char *name)
{
    for (int i = 0; i < PROFILE_POINTS; i++) {
        if (strcmp(profile_point_name((enum profile_point_id)i), name) == 0)
            return i;
    }
    return -1;
}

static void read_point(const struct conf *conf, int i, struct profile_point *ret_point)
{
    enum profile_type type = (enum profile_type)conf_int(conf, "points[%d].type", i);
    int64_t length = conf_int(conf, "points[%d].length", i);
    if (length == CONF_NONE)
        length = type == PROFILE_U32 ? 2 : 1;
    *ret_point = (struct profile_point){.present = true,
                                        .coils = conf_int(conf, "points[%d].table", i) == 1,
                                        .type = type,
                                        .at = (uint16_t)conf_int(conf, "points[%d].at", i),
                                        .length = (uint16_t)length,
                                        .scale_milli = conf_int(conf, "points[%d].scale", i)};
}

static void read_blocks(const struct conf *conf, struct profile *profile)
{
    for (int i = 0; i < conf_count(conf, "blocks"); i++) {
        profile->blocks[conf_int(conf, "blocks[%d].name", i)] =
            (struct profile_block){.table = (enum profile_table)conf_int(conf, "blocks[%d].table", i),
                                   .address = (uint16_t)conf_int(conf, "blocks[%d].address", i),
                                   .length = (uint16_t)conf_int(conf, "blocks[%d].length", i),
                                   .stride = (uint16_t)conf_int(conf, "blocks[%d].stride", i)};
    }
}

static uint32_t records_of(const struct profile *profile, enum profile_block_id id)
{
    return id == PROFILE_RESULT ? profile->ring_size : id == PROFILE_BAY ? profile->bays : 1;
}

/* Registers that all records of a block cover. */
static uint32_t block_span(const struct profile *profile, enum profile_block_id id)
{
    const struct profile_block *block = &profile->blocks[id];
    return block->stride ? (records_of(profile, id) - 1) * block->stride + block->length : block->length;
}

static void check_blocks(const struct conf *conf, struct conf_check *check, const struct profile *profile)
{
    char path[CONF_PATH_MAX];
    for (int i = 0; i < conf_count(conf, "blocks"); i++) {
        enum profile_block_id a = (enum profile_block_id)conf_int(conf, "blocks[%d].name", i);
        const struct profile_block *block = &profile->blocks[a];
        (void)snprintf(path, sizeof path, "blocks[%d].address", i);
        if (block->address + block_span(profile, a) > 65536)
            conf_fault(check, path, "`%s`: the block ends behind register 65535", path);
        if (records_of(profile, a) > 1 && block->stride < block->length)
            conf_fault(check, path, "`blocks[%d]`: stride is below length, so the records of %s overlap", i,
                       profile_block_name(a));
        if (block->length > profile->read_max)
            conf_fault(check, path, "`blocks[%d].length` is over limits.read_max, a block is read at once",
                       i);
        for (int k = 0; k < i; k++) {
            enum profile_block_id b = (enum profile_block_id)conf_int(conf, "blocks[%d].name", k);
            const struct profile_block *other = &profile->blocks[b];
            if (block->table == other->table && block->address < other->address + block_span(profile, b) &&
                other->address < block->address + block_span(profile, a))
                conf_fault(check, path, "`blocks[%d]`: %s overlaps %s", i, profile_block_name(a),
                           profile_block_name(b));
        }
    }
}

/* Width that the meaning of a point asks for. */
static void check_width(const struct conf *conf, struct conf_check *check, const struct profile *profile,
                        int i, enum profile_point_id id, const struct profile_point *point)
{
    char path[CONF_PATH_MAX];
    uint32_t least = point->type == PROFILE_U32 ? 2 : 1;
    if (id == PROFILE_MAILBOX_ENTRIES || id == PROFILE_RESULT_ENTRIES)
        least = 2 * (uint32_t)profile->entries_max;
    else if (id == PROFILE_STATUS_ALARMS)
        least = 8;
    (void)snprintf(path, sizeof path, "points[%d].%s", i,
                   conf_has(conf, "points[%d].length", i) ? "length" : "at");
    if (point->length < least)
        conf_fault(check, path, "`%s`: %s has %u registers, at least %u are needed", path,
                   profile_point_name(id), point->length, least);
    else if (point->type == PROFILE_U32 && point->length != 2)
        conf_fault(check, path, "`%s`: a u32 has 2 registers, not %u", path, point->length);
    if (point->at + point->length > profile->blocks[profile_point_block(id)].length)
        conf_fault(check, path, "`points[%d]`: %s ends behind its block of %u registers", i,
                   profile_point_name(id), profile->blocks[profile_point_block(id)].length);
}

/* Which commands there are is the backend's to know; it looks again. */
static void check_coils(const struct conf *conf, struct conf_check *check, int i, enum profile_point_id id,
                        const struct profile_point *point)
{
    char path[CONF_PATH_MAX];
    (void)snprintf(path, sizeof path, "points[%d].table", i);
    if (id != PROFILE_CONTROL_COMMAND)
        conf_fault(check, path, "`%s`: %s cannot be coils, only control.command can", path,
                   profile_point_name(id));
    (void)snprintf(path, sizeof path, "points[%d].at", i);
    if (point->length > PROFILE_COILS_MAX || point->at + point->length > 65536 ||
        !conf_has(conf, "points[%d].length", i))
        conf_fault(check, path, "`points[%d]`: a length of at most %d coils is needed, up to coil 65535", i,
                   PROFILE_COILS_MAX);
}

static void check_points(const struct conf *conf, struct conf_check *check, struct profile *profile)
{
    char path[CONF_PATH_MAX];
    bool unknown = false;
    for (int i = 0; i < conf_count(conf, "points"); i++) {
        (void)snprintf(path, sizeof path, "points[%d].name", i);
        int found = find_point(conf_text(conf, "%s", path));
        if (found < 0) {
            conf_fault(check, path,
                       "`%s`: there is no point `%s`, allowed: the names in the default profile "
                       "sachet-packer-1.yaml",
                       path, conf_text(conf, "%s", path));
            unknown = true;
            continue;
        }
        enum profile_point_id id = (enum profile_point_id)found;
        struct profile_point *point = &profile->points[id];
        read_point(conf, i, point);
        if (point->coils) {
            check_coils(conf, check, i, id, point);
            continue;
        }
        check_width(conf, check, profile, i, id, point);
        for (int k = 0; k < PROFILE_POINTS; k++) {
            const struct profile_point *other = &profile->points[k];
            if (k != found && other->present && !other->coils &&
                profile_point_block((enum profile_point_id)k) == profile_point_block(id) &&
                point->at < other->at + other->length && other->at < point->at + point->length)
                conf_fault(check, path, "`points[%d]`: %s overlaps %s", i, profile_point_name(id),
                           profile_point_name((enum profile_point_id)k));
        }
    }
    /* A misspelt point would be missing, too: one finding is enough for one mistake. */
    for (int k = 0; k < PROFILE_POINTS && !unknown; k++) {
        if (profile_point_needed((enum profile_point_id)k) && !profile->points[k].present)
            conf_fault(check, "points", "`points`: %s is missing and required",
                       profile_point_name((enum profile_point_id)k));
    }
}

static void read_limits(const struct conf *conf, struct profile *profile)
{
    profile->bays = (uint16_t)conf_int(conf, "limits.bays");
    profile->queue_depth = (uint16_t)conf_int(conf, "limits.queue_depth");
    profile->ring_size = (uint16_t)conf_int(conf, "limits.ring_size");
    profile->entries_max = (uint16_t)conf_int(conf, "limits.entries_max");
    profile->write_max = (uint16_t)conf_int(conf, "limits.write_max");
    profile->read_max = (uint16_t)conf_int(conf, "limits.read_max");
}

static void check_machine(const struct conf *conf, struct conf_check *check)
{
    struct profile profile = {0};
    read_limits(conf, &profile);
    read_blocks(conf, &profile);
    check_blocks(conf, check, &profile);
    check_points(conf, check, &profile);
    if (profile.ring_size < profile.queue_depth)
        conf_fault(check, "limits.ring_size",
                   "`limits.ring_size` is below queue_depth, the queue could never fill");
}

const struct conf_schema conf_machine = {
    .format = "sachet-machine/1",
    .title = "A machine profile: register map, limits, time-outs and abilities of one kind of packer.",
    .keys = machine_keys,
    .count = sizeof machine_keys / sizeof machine_keys[0],
    .check = check_machine,
};

void profile_from_conf(const struct conf *conf, struct profile *ret_profile)
{
    struct profile profile = {0};
    (void)snprintf(profile.name, sizeof profile.name, "%s",
                   conf_text(conf, "name")); /* range of the schema */
    profile.map_version = (uint16_t)conf_int(conf, "map_version");
    profile.magic = (uint16_t)conf_int(conf, "magic");
    profile.low_word_first = conf_int(conf, "word_order") == 1;
    profile.fc23 = conf_bool(conf, "capabilities.fc23");
    profile.vision = conf_bool(conf, "capabilities.vision");
    profile.weigher = conf_bool(conf, "capabilities.weigher");
    profile.connect_timeout_ms = (uint32_t)conf_int(conf, "timing.connect_timeout");
    profile.response_timeout_ms = (uint32_t)conf_int(conf, "timing.response_timeout");
    profile.byte_timeout_ms = (uint32_t)conf_int(conf, "timing.byte_timeout");
    profile.late_ms = (uint32_t)conf_int(conf, "timing.late_answer");
    profile.poll_ms = (uint32_t)conf_int(conf, "timing.poll");
    profile.heartbeat_ms = (uint32_t)conf_int(conf, "timing.heartbeat");
    read_limits(conf, &profile);
    read_blocks(conf, &profile);
    for (int i = 0; i < conf_count(conf, "points"); i++) {
        int id = find_point(conf_text(conf, "points[%d].name", i));
        assert(id >= 0); /* checked at load */
        read_point(conf, i, &profile.points[id]);
    }
    *ret_profile = profile;
}

int profile_load(const char *file, struct profile *ret_profile, struct error *err)
{
    struct conf *conf;
    int code = conf_load(&conf_machine, file, &conf, err);
    if (code)
        return code;
    profile_from_conf(conf, ret_profile);
    conf_destroy(conf);
    return 0;
}
