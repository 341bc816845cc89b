/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/wrap/values_private.h"

#include <assert.h>
#include <string.h>

#include "config/base/error.h"

enum field_type {
    FIELD_U16,
    FIELD_U32,
    FIELD_I16,
    FIELD_BOOL,
    FIELD_ENUM,
    FIELD_TEXT,
    FIELD_WORDS,
    FIELD_PAIRS
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    size_t size;         /* of a text; words of FIELD_WORDS, most pairs of FIELD_PAIRS */
    size_t count_offset; /* FIELD_PAIRS: the u16 that counts them */
};

#define U16(block_, name_)                                                          \
    {                                                                               \
        .name = #name_, .type = FIELD_U16, .offset = offsetof(struct block_, name_) \
    }
#define U32(block_, name_)                                                          \
    {                                                                               \
        .name = #name_, .type = FIELD_U32, .offset = offsetof(struct block_, name_) \
    }
#define I16(block_, name_)                                                          \
    {                                                                               \
        .name = #name_, .type = FIELD_I16, .offset = offsetof(struct block_, name_) \
    }
#define BOOL(block_, name_)                                                          \
    {                                                                                \
        .name = #name_, .type = FIELD_BOOL, .offset = offsetof(struct block_, name_) \
    }
#define ENUM(block_, name_)                                                          \
    {                                                                                \
        .name = #name_, .type = FIELD_ENUM, .offset = offsetof(struct block_, name_) \
    }
#define TEXT(block_, name_)                                                           \
    {                                                                                 \
        .name = #name_, .type = FIELD_TEXT, .offset = offsetof(struct block_, name_), \
        .size = sizeof(((struct block_ *)0)->name_)                                   \
    }
#define PAIRS(block_)                                                                       \
    {                                                                                       \
        .name = "entries", .type = FIELD_PAIRS, .offset = offsetof(struct block_, entries), \
        .size = MACHINE_ENTRIES_MAX, .count_offset = offsetof(struct block_, entry_count)   \
    }

static const struct field identity_fields[] = {
    U16(machine_identity, map_version), TEXT(machine_identity, serial),     U16(machine_identity, firmware),
    U16(machine_identity, bays),        U16(machine_identity, queue_depth), U16(machine_identity, ring_size),
    U16(machine_identity, caps),
};
static const struct field status_fields[] = {
    U16(machine_status, nonce),
    U32(machine_status, boot),
    ENUM(machine_status, mode),
    ENUM(machine_status, state),
    U32(machine_status, accepted),
    U32(machine_status, started),
    U32(machine_status, done),
    U32(machine_status, retired),
    U16(machine_status, heartbeat),
    U32(machine_status, session),
    {.name = "alarms",
     .type = FIELD_WORDS,
     .offset = offsetof(struct machine_status, alarms),
     .size = MACHINE_ALARM_WORDS},
    U16(machine_status, first_alarm),
    U32(machine_status, film_mm),
    U32(machine_status, ribbon_mm),
    I16(machine_status, seal_actual_dc),
    I16(machine_status, seal_set_dc),
    BOOL(machine_status, door_closed),
    BOOL(machine_status, estop_healthy),
    U16(machine_status, phase),
    U16(machine_status, command_seq),
    U16(machine_status, command_result),
};
static const struct field control_fields[] = {
    U16(machine_control, nonce),    U32(machine_control, session),     U16(machine_control, heartbeat),
    ENUM(machine_control, command), U16(machine_control, command_seq), U32(machine_control, argument),
    U32(machine_control, retire),   I16(machine_control, seal_set_dc),
};
static const struct field job_fields[] = {
    U32(machine_job, seq), U32(machine_job, hash),   U16(machine_job, flags),
    PAIRS(machine_job),    TEXT(machine_job, token),
};
static const struct field result_fields[] = {
    U32(machine_result, seq),
    U32(machine_result, hash),
    ENUM(machine_result, outcome),
    ENUM(machine_result, reason),
    PAIRS(machine_result),
    U16(machine_result, checks),
    I16(machine_result, seal_min_dc),
    I16(machine_result, seal_max_dc),
    U32(machine_result, drop_ms),
    U32(machine_result, seal_ms),
    U32(machine_result, boot),
};
static const struct field bay_fields[] = {
    U32(machine_bay, canister),
    U16(machine_bay, level),
    BOOL(machine_bay, empty),
    U16(machine_bay, last_fault),
};

static_assert(sizeof(struct machine_entry) == 2 * sizeof(uint16_t), "entries are pairs of words");
static_assert(sizeof(((struct machine_result *)0)->entries[0]) == 2 * sizeof(uint16_t), "so are counts");
static_assert(sizeof(enum machine_state) == sizeof(unsigned), "enumerations are read as unsigned");

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* ---- single fields ---- */

static json_t *write_words(const uint16_t *words, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, json_integer(words[i])); /* a short array is seen by its reader */
    return array;
}

static json_t *write_field(const struct field *field, const void *block)
{
    const char *at = (const char *)block + field->offset;
    uint16_t word = 0;
    uint32_t wide = 0;
    unsigned number = 0;
    int16_t small = 0;
    switch (field->type) {
    case FIELD_U16:
        memcpy(&word, at, sizeof word);
        return json_integer(word);
    case FIELD_U32:
        memcpy(&wide, at, sizeof wide);
        return json_integer(wide);
    case FIELD_I16:
        memcpy(&small, at, sizeof small);
        return json_integer(small);
    case FIELD_ENUM:
        memcpy(&number, at, sizeof number);
        return json_integer(number);
    case FIELD_BOOL:
        return json_boolean(*(const bool *)(const void *)at);
    case FIELD_TEXT:
        return json_stringn(at, strnlen(at, field->size));
    case FIELD_WORDS:
        return write_words((const uint16_t *)(const void *)at, field->size);
    case FIELD_PAIRS:
        memcpy(&word, (const char *)block + field->count_offset, sizeof word);
        return write_words((const uint16_t *)(const void *)at, 2 * (word < field->size ? word : field->size));
    }
    return NULL;
}

static bool read_number(const json_t *value, int64_t min, int64_t max, int64_t *ret_number)
{
    int64_t number = json_integer_value(value);
    *ret_number = number;
    return json_is_integer(value) && number >= min && number <= max;
}

static bool read_words(const json_t *value, size_t least, size_t most, uint16_t *words)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count < least || count > most)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t number;
        if (!read_number(json_array_get(value, i), 0, UINT16_MAX, &number))
            return false;
        words[i] = (uint16_t)number;
    }
    return true;
}

static bool read_field(const struct field *field, const json_t *value, void *block)
{
    char *at = (char *)block + field->offset;
    int64_t number = 0;
    switch (field->type) {
    case FIELD_U16:
        if (!read_number(value, 0, UINT16_MAX, &number))
            return false;
        memcpy(at, &(uint16_t){(uint16_t)number}, sizeof(uint16_t));
        return true;
    case FIELD_U32:
    case FIELD_ENUM:
        if (!read_number(value, 0, UINT32_MAX, &number))
            return false;
        memcpy(at, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
        return true;
    case FIELD_I16:
        if (!read_number(value, INT16_MIN, INT16_MAX, &number))
            return false;
        memcpy(at, &(int16_t){(int16_t)number}, sizeof(int16_t));
        return true;
    case FIELD_BOOL:
        *(bool *)(void *)at = json_is_true(value);
        return json_is_boolean(value);
    case FIELD_TEXT:
        if (!json_is_string(value) || json_string_length(value) >= field->size)
            return false;
        memcpy(at, json_string_value(value), json_string_length(value) + 1);
        return true;
    case FIELD_WORDS:
        return read_words(value, field->size, field->size, (uint16_t *)(void *)at);
    case FIELD_PAIRS:
        if (json_array_size(value) % 2 != 0 || !read_words(value, 0, 2 * field->size, (uint16_t *)(void *)at))
            return false;
        memcpy((char *)block + field->count_offset, &(uint16_t){(uint16_t)(json_array_size(value) / 2)},
               sizeof(uint16_t));
        return true;
    }
    return false;
}

/* ---- blocks ---- */

static void write_block(const struct field *fields, size_t count, const void *block, json_t *object)
{
    for (size_t i = 0; i < count; i++)
        (void)json_object_set_new(object, fields[i].name, write_field(&fields[i], block)); /* see below */
}

static int read_block(const struct field *fields, size_t count, const json_t *object, void *block,
                      struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!read_field(&fields[i], json_object_get(object, fields[i].name), block))
            return error_set(err, E_INPUT, "`%s` is missing or out of range", fields[i].name);
    }
    return 0;
}

static const char *const kinds[] = {
    [MACHINE_IDENTIFY] = "identify", [MACHINE_READ_STATUS] = "read_status", [MACHINE_CONTROL] = "control",
    [MACHINE_PUT_JOB] = "put_job",   [MACHINE_READ_RESULT] = "read_result", [MACHINE_READ_BAYS] = "read_bays",
};
static const char *const dids[] = {
    [MACHINE_DONE] = "done", [MACHINE_NOT_DONE] = "not_done", [MACHINE_UNKNOWN] = "unknown"};

/* The row of the table, or -1. */
static int find_name(const char *const *names, size_t count, const json_t *value)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

json_t *values_of_request(const struct machine_request *request)
{
    json_t *object = json_pack("{s:s}", "kind", kinds[request->kind]);
    if (object && request->deadline_ms)
        (void)json_object_set_new(object, "deadline_ms", json_integer(request->deadline_ms));
    switch (object ? request->kind : MACHINE_IDENTIFY) {
    case MACHINE_IDENTIFY:
    case MACHINE_READ_STATUS:
        break;
    case MACHINE_CONTROL:
        write_block(control_fields, COUNT(control_fields), &request->control, object);
        break;
    case MACHINE_PUT_JOB:
        write_block(job_fields, COUNT(job_fields), &request->job, object);
        break;
    case MACHINE_READ_RESULT:
        (void)json_object_set_new(object, "seq", json_integer(request->seq));
        break;
    case MACHINE_READ_BAYS:
        (void)json_object_set_new(object, "bay", json_integer(request->bay));
        break;
    }
    return object;
}

static void write_bays(const struct machine_answer *answer, json_t *object)
{
    json_t *rows = json_array();
    (void)json_object_set_new(object, "first", json_integer(answer->bays.first));
    for (unsigned i = 0; i < answer->bays.count && i < MACHINE_BAYS_PER_READ; i++) {
        json_t *row = json_object();
        write_block(bay_fields, COUNT(bay_fields), &answer->bays.rows[i], row);
        (void)json_array_append_new(rows, row);
    }
    (void)json_object_set_new(object, "rows", rows);
}

json_t *values_of_answer(const struct machine_answer *answer)
{
    json_t *object = json_pack("{s:s,s:s,s:I}", "kind", kinds[answer->kind], "did", dids[answer->did],
                               "took_ms", (json_int_t)answer->took_ms);
    if (!object)
        return NULL;
    if (answer->code != 0) {
        (void)json_object_set_new(object, "code", json_integer(answer->code));
        (void)json_object_set_new(object, "error", json_string(error_name(answer->code)));
        return object;
    }
    switch (answer->kind) {
    case MACHINE_IDENTIFY:
        write_block(identity_fields, COUNT(identity_fields), &answer->identity, object);
        break;
    case MACHINE_READ_STATUS:
        write_block(status_fields, COUNT(status_fields), &answer->status, object);
        break;
    case MACHINE_READ_RESULT:
        write_block(result_fields, COUNT(result_fields), &answer->result, object);
        break;
    case MACHINE_READ_BAYS:
        write_bays(answer, object);
        break;
    case MACHINE_CONTROL:
    case MACHINE_PUT_JOB:
        break;
    }
    return object;
}

static int read_bays(const json_t *object, struct machine_answer *answer, struct error *err)
{
    int64_t first = 0;
    const json_t *rows = json_object_get(object, "rows");
    if (!read_number(json_object_get(object, "first"), 0, MACHINE_BAYS_MAX, &first) || !json_is_array(rows) ||
        json_array_size(rows) > MACHINE_BAYS_PER_READ)
        return error_set(err, E_INPUT, "`first` or `rows` is missing or out of range");
    answer->bays.first = (uint16_t)first;
    answer->bays.count = (uint16_t)json_array_size(rows);
    int rc = 0;
    for (size_t i = 0; i < json_array_size(rows) && rc == 0; i++)
        rc = read_block(bay_fields, COUNT(bay_fields), json_array_get(rows, i), &answer->bays.rows[i], err);
    return rc;
}

int values_read_answer(const json_t *object, struct machine_answer *ret_answer, struct error *err)
{
    struct machine_answer answer = {0};
    int64_t took_ms = 0, code = 0;
    int kind = find_name(kinds, COUNT(kinds), json_object_get(object, "kind"));
    int did = find_name(dids, COUNT(dids), json_object_get(object, "did"));
    const json_t *error = json_object_get(object, "code");
    if (kind < 0 || did < 0 || !read_number(json_object_get(object, "took_ms"), 0, UINT32_MAX, &took_ms) ||
        (error && !read_number(error, -9999, -1, &code)))
        return error_set(err, E_INPUT, "`kind`, `did`, `took_ms` or `code` is missing or out of range");
    answer.kind = (enum machine_request_kind)kind;
    answer.did = (enum machine_did)did;
    answer.took_ms = (uint32_t)took_ms;
    answer.code = (int)code;
    int rc = 0;
    if (code == 0 && answer.kind == MACHINE_IDENTIFY)
        rc = read_block(identity_fields, COUNT(identity_fields), object, &answer.identity, err);
    else if (code == 0 && answer.kind == MACHINE_READ_STATUS)
        rc = read_block(status_fields, COUNT(status_fields), object, &answer.status, err);
    else if (code == 0 && answer.kind == MACHINE_READ_RESULT)
        rc = read_block(result_fields, COUNT(result_fields), object, &answer.result, err);
    else if (code == 0 && answer.kind == MACHINE_READ_BAYS)
        rc = read_bays(object, &answer, err);
    if (rc == 0)
        *ret_answer = answer;
    return rc;
}
