/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/image.h"

#include <stdbool.h>
#include <string.h>

#include "config/base/error.h"
#include "hw/sim/world.h"

enum { READ_MAX = 125, WRITE_MAX = 123, READ_WRITE_MAX = 121, COIL_ON = 0xFF00 };

/* Modbus exceptions, and one outcome that is no answer at all. */
enum { FINE = 0, BAD_FUNCTION = 1, BAD_ADDRESS = 2, BAD_VALUE = 3, BUSY = 6, SILENT = -1 };

void image_init(struct image *image, const struct profile *profile, struct world *world, uint32_t scan_us)
{
    *image = (struct image){
        .profile = profile, .world = world, .scan_us = scan_us ? scan_us : 1, .boots = world_boots(world)};
}

/* ---- addresses ---- */

struct place {
    enum profile_block_id block;
    uint32_t record;
    uint16_t offset;
};

static uint32_t records_of(const struct image *image, enum profile_block_id block)
{
    struct machine_identity identity;
    world_identity(image->world, &identity);
    if (block == PROFILE_RESULT)
        return identity.ring_size;
    return block == PROFILE_BAY ? identity.bays : 1;
}

static bool find_place(const struct image *image, enum profile_table table, uint32_t address,
                       struct place *ret_place)
{
    for (int b = 0; b < PROFILE_BLOCKS; b++) {
        const struct profile_block *block = &image->profile->blocks[b];
        if (block->table != table || address < block->address)
            continue;
        uint32_t behind = address - block->address;
        uint32_t record = block->stride ? behind / block->stride : 0;
        uint32_t offset = behind - record * block->stride;
        if (record >= records_of(image, (enum profile_block_id)b) || offset >= block->length)
            continue;
        *ret_place =
            (struct place){.block = (enum profile_block_id)b, .record = record, .offset = (uint16_t)offset};
        return true;
    }
    return false;
}

static void encode(struct image *image, const struct place *place, uint16_t *registers)
{
    struct machine_identity identity;
    struct machine_status status;
    struct machine_result result;
    struct machine_bay bay;
    switch (place->block) {
    case PROFILE_IDENTITY:
        world_identity(image->world, &identity);
        map_encode_identity(image->profile, &identity, registers);
        break;
    case PROFILE_STATUS:
        world_status(image->world, &status);
        map_encode_status(image->profile, &status, registers);
        break;
    case PROFILE_RESULT:
        world_result(image->world, place->record, &result);
        map_encode_result(image->profile, &result, registers);
        break;
    case PROFILE_BAY:
        world_bay(image->world, place->record, &bay);
        map_encode_bay(image->profile, &bay, registers);
        break;
    case PROFILE_CONTROL:
        memcpy(registers, image->control, sizeof image->control);
        break;
    case PROFILE_MAILBOX:
        memcpy(registers, image->mailbox, sizeof image->mailbox);
        break;
    case PROFILE_BLOCKS:
        break;
    }
}

/* ---- reading and writing ---- */

static int read_registers(struct image *image, enum profile_table table, uint32_t address, uint32_t count,
                          uint16_t *ret_registers)
{
    uint16_t record[MAP_BLOCK_MAX];
    for (uint32_t done = 0; done < count;) {
        struct place place;
        if (!find_place(image, table, address + done, &place))
            return BAD_ADDRESS;
        encode(image, &place, record);
        uint32_t here = (uint32_t)image->profile->blocks[place.block].length - place.offset;
        if (here > count - done)
            here = count - done;
        memcpy(ret_registers + done, record + place.offset, here * sizeof *record);
        done += here;
    }
    return FINE;
}

static int exception_of(enum world_reply reply)
{
    switch (reply) {
    case WORLD_TAKEN:
        return FINE;
    case WORLD_BAD_VALUE:
        return BAD_VALUE;
    case WORLD_FENCED:
        return BUSY;
    case WORLD_SILENT:
        return SILENT;
    }
    return SILENT;
}

static int take_control(struct image *image)
{
    struct machine_control control;
    if (map_decode_control(image->profile, image->control, &control, NULL) < 0)
        return BAD_VALUE;
    if (image->profile->points[PROFILE_CONTROL_COMMAND].coils &&
        map_decode_command(image->profile, image->coils, &control.command, NULL) < 0)
        return BAD_VALUE;
    return exception_of(world_control(image->world, &control));
}

static int take_mailbox(struct image *image)
{
    struct machine_job job;
    uint32_t session;
    int rc = map_decode_mailbox(image->profile, image->mailbox, &job, &session, NULL);
    if (rc == E_FRAME) { /* rule M1: no error, the controller sees it in the mirror and repeats */
        world_put_torn(image->world);
        return FINE;
    }
    return rc < 0 ? BAD_VALUE : exception_of(world_put(image->world, &job, session));
}

static int write_registers(struct image *image, uint32_t address, uint32_t count, const uint16_t *registers)
{
    struct place place;
    if (!find_place(image, PROFILE_HOLDING, address, &place))
        return BAD_ADDRESS;
    bool control = place.block == PROFILE_CONTROL;
    if ((!control && place.block != PROFILE_MAILBOX) ||
        place.offset + count > image->profile->blocks[place.block].length)
        return BAD_ADDRESS;
    memcpy((control ? image->control : image->mailbox) + place.offset, registers, count * sizeof *registers);
    const struct profile_point *points = image->profile->points;
    uint16_t trigger = control ? points[PROFILE_CONTROL_CRC].at : points[PROFILE_MAILBOX_COMMIT].at;
    if (trigger < place.offset || trigger >= place.offset + count)
        return FINE;
    return control ? take_control(image) : take_mailbox(image);
}

/* ---- PDUs ---- */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)(value & 0xFF);
}

static void get_registers(const uint8_t *at, uint32_t count, uint16_t *registers)
{
    for (uint32_t i = 0; i < count; i++)
        registers[i] = get16(at + 2 * i);
}

static size_t answer_registers(uint8_t *answer, const uint16_t *registers, uint16_t count)
{
    answer[1] = (uint8_t)(2 * count);
    for (uint16_t i = 0; i < count; i++)
        put16(answer + 2 + 2 * i, registers[i]);
    return 2 + 2 * (size_t)count;
}

static int do_read(struct image *image, enum profile_table table, const uint8_t *request, size_t len,
                   uint8_t *answer, size_t *ret_len)
{
    uint16_t registers[READ_MAX];
    if (len != 5)
        return BAD_VALUE;
    uint16_t count = get16(request + 3);
    if (count < 1 || count > READ_MAX)
        return BAD_VALUE;
    int rc = read_registers(image, table, get16(request + 1), count, registers);
    if (rc == FINE)
        *ret_len = answer_registers(answer, registers, count);
    return rc;
}

static int do_write_one(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                        size_t *ret_len)
{
    if (len != 5)
        return BAD_VALUE;
    uint16_t value = get16(request + 3);
    int rc = write_registers(image, get16(request + 1), 1, &value);
    memcpy(answer, request, 5);
    *ret_len = 5;
    return rc;
}

static int do_write(struct image *image, const uint8_t *request, size_t len, uint8_t *answer, size_t *ret_len)
{
    uint16_t registers[WRITE_MAX];
    if (len < 6)
        return BAD_VALUE;
    uint16_t count = get16(request + 3);
    if (count < 1 || count > WRITE_MAX || request[5] != 2 * count || len != 6 + 2 * (size_t)count)
        return BAD_VALUE;
    get_registers(request + 6, count, registers);
    int rc = write_registers(image, get16(request + 1), count, registers);
    memcpy(answer, request, 5);
    *ret_len = 5;
    return rc;
}

/* The write comes first, as Modbus has it. */
static int do_write_and_read(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                             size_t *ret_len)
{
    struct machine_identity identity;
    uint16_t registers[READ_MAX];
    world_identity(image->world, &identity);
    if (!(identity.caps & MACHINE_CAP_FC23))
        return BAD_FUNCTION;
    if (len < 10)
        return BAD_VALUE;
    uint16_t read_count = get16(request + 3);
    uint16_t write_count = get16(request + 7);
    if (read_count < 1 || read_count > READ_MAX || write_count < 1 || write_count > READ_WRITE_MAX ||
        request[9] != 2 * write_count || len != 10 + 2 * (size_t)write_count)
        return BAD_VALUE;
    get_registers(request + 10, write_count, registers);
    int rc = write_registers(image, get16(request + 5), write_count, registers);
    if (rc == FINE)
        rc = read_registers(image, PROFILE_HOLDING, get16(request + 1), read_count, registers);
    if (rc == FINE)
        *ret_len = answer_registers(answer, registers, read_count);
    return rc;
}

/* Whether these coils exist; they are those of the commands. */
static bool coils_exist(const struct image *image, uint32_t address, uint32_t count)
{
    const struct profile_point *point = &image->profile->points[PROFILE_CONTROL_COMMAND];
    return point->coils && address >= point->at && address + count <= (uint32_t)point->at + point->length;
}

static uint8_t *coils_at(struct image *image, uint32_t address)
{
    return image->coils + (address - image->profile->points[PROFILE_CONTROL_COMMAND].at);
}

static int do_read_coils(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                         size_t *ret_len)
{
    if (len != 5)
        return BAD_VALUE;
    uint16_t address = get16(request + 1), count = get16(request + 3);
    if (count < 1)
        return BAD_VALUE;
    if (!coils_exist(image, address, count))
        return BAD_ADDRESS;
    size_t bytes = (count + 7u) / 8;
    memset(answer + 2, 0, bytes);
    answer[1] = (uint8_t)bytes;
    for (unsigned i = 0; i < count; i++)
        answer[2 + i / 8] |= (uint8_t)(coils_at(image, address)[i] << i % 8);
    *ret_len = 2 + bytes;
    return FINE;
}

static int do_write_coil(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                         size_t *ret_len)
{
    if (len != 5)
        return BAD_VALUE;
    uint16_t address = get16(request + 1), value = get16(request + 3);
    if (value != 0 && value != COIL_ON)
        return BAD_VALUE;
    if (!coils_exist(image, address, 1))
        return BAD_ADDRESS;
    *coils_at(image, address) = value == COIL_ON;
    memcpy(answer, request, 5);
    *ret_len = 5;
    return FINE;
}

static int do_write_coils(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                          size_t *ret_len)
{
    if (len < 7)
        return BAD_VALUE;
    uint16_t address = get16(request + 1), count = get16(request + 3);
    size_t bytes = (count + 7u) / 8;
    if (count < 1 || request[5] != bytes || len != 6 + bytes)
        return BAD_VALUE;
    if (!coils_exist(image, address, count))
        return BAD_ADDRESS;
    for (unsigned i = 0; i < count; i++)
        coils_at(image, address)[i] = request[6 + i / 8] >> i % 8 & 1;
    memcpy(answer, request, 5);
    *ret_len = 5;
    return FINE;
}

/* Written registers and coils are volatile. */
static void forget_after_boot(struct image *image)
{
    if (image->boots == world_boots(image->world))
        return;
    image->boots = world_boots(image->world);
    memset(image->mailbox, 0, sizeof image->mailbox);
    memset(image->control, 0, sizeof image->control);
    memset(image->coils, 0, sizeof image->coils);
}

static int do_read_holding(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                           size_t *ret_len)
{
    return do_read(image, PROFILE_HOLDING, request, len, answer, ret_len);
}

static int do_read_input(struct image *image, const uint8_t *request, size_t len, uint8_t *answer,
                         size_t *ret_len)
{
    return do_read(image, PROFILE_INPUT, request, len, answer, ret_len);
}

static const struct function_row {
    uint8_t function;
    bool reads; /* as of the last scan */
    bool coils; /* only where the profile has some */
    int (*run)(struct image *image, const uint8_t *request, size_t len, uint8_t *answer, size_t *ret_len);
} function_rows[] = {
    {.function = 3, .run = do_read_holding, .reads = true},
    {.function = 4, .run = do_read_input, .reads = true},
    {.function = 6, .run = do_write_one},
    {.function = 16, .run = do_write},
    {.function = 23, .run = do_write_and_read},
    {.function = 1, .run = do_read_coils, .coils = true},
    {.function = 5, .run = do_write_coil, .coils = true},
    {.function = 15, .run = do_write_coils, .coils = true},
};

static const struct function_row *find_function(const struct image *image, uint8_t function)
{
    bool has_coils = image->profile->points[PROFILE_CONTROL_COMMAND].coils;
    for (size_t i = 0; i < sizeof function_rows / sizeof function_rows[0]; i++) {
        if (function_rows[i].function == function && (has_coils || !function_rows[i].coils))
            return &function_rows[i];
    }
    return NULL;
}

static size_t exception(uint8_t function, int code, uint8_t *ret_answer)
{
    ret_answer[0] = (uint8_t)(function | 0x80);
    ret_answer[1] = (uint8_t)code;
    return 2;
}

size_t image_answer(struct image *image, int64_t now_us, const uint8_t *request, size_t len,
                    uint8_t ret_answer[IMAGE_PDU_MAX])
{
    if (len == 0)
        return 0;
    const struct function_row *row = find_function(image, request[0]);
    world_advance(image->world, row && row->reads ? now_us - now_us % image->scan_us : now_us);
    if (!world_answers(image->world))
        return 0;
    forget_after_boot(image);
    size_t answer_len = 0;
    int rc = row ? row->run(image, request, len, ret_answer, &answer_len) : BAD_FUNCTION;
    if (rc == SILENT || !world_answers(image->world))
        return 0;
    ret_answer[0] = request[0];
    return rc == FINE ? answer_len : exception(request[0], rc, ret_answer);
}

size_t image_answer_through(struct image *image, enum sim_fault fault, int64_t now_us, const uint8_t *request,
                            size_t len, uint8_t ret_answer[IMAGE_PDU_MAX])
{
    uint8_t torn[IMAGE_PDU_MAX];
    if (len == 0 || len > IMAGE_PDU_MAX)
        return 0;
    switch (fault) {
    case SIM_LOSE_REQUEST:
    case SIM_RESET_LINK:
    case SIM_HALF_OPEN:
        return 0;
    case SIM_BUSY:
    case SIM_GATEWAY:
        world_advance(image->world, now_us);
        return world_answers(image->world)
                   ? exception(request[0], fault == SIM_BUSY ? BUSY : IMAGE_NO_ANSWER, ret_answer)
                   : 0;
    case SIM_TEAR_REQUEST: /* the last byte of a block that is written whole; else not a request any more */
        if (request[0] != 16)
            return 0;
        memcpy(torn, request, len);
        torn[len - 1] ^= 0x55;
        return image_answer(image, now_us, torn, len, ret_answer);
    case SIM_REPEAT_REQUEST:
        (void)image_answer(image, now_us, request, len, ret_answer); /* the second one's answer counts */
        break;
    case SIM_LOSE_ANSWER:
        (void)image_answer(image, now_us, request, len, ret_answer); /* done, and never heard of */
        return 0;
    case SIM_LATE_ANSWER:
    case SIM_TEAR_ANSWER:
    case SIM_WRONG_ID:
    case SIM_DRIP:
    case SIM_GLUE:
    case SIM_NO_FAULT:
        break;
    }
    return image_answer(image, now_us, request, len, ret_answer);
}
