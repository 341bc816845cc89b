/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/parties/facts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/parties/task.h"

#define FACT_COUNT_MAX INT64_C(1000000000)

static const struct task_fact_row *fact_row(const char *key)
{
    for (size_t i = 0; i < task_fact_count; i++) {
        if (strcmp(task_facts[i].key, key) == 0)
            return &task_facts[i];
    }
    return NULL;
}

static int fact_check(const struct task_fact_row *row, const json_t *value, struct error *err)
{
    int32_t day;
    switch (row->type) {
    case FACT_COUNT:
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) > FACT_COUNT_MAX)
            return error_set(err, E_INPUT, "fact %s: a whole number 0..%" PRId64 " is wanted", row->key,
                             FACT_COUNT_MAX);
        return 0;
    case FACT_DAY:
        if (!json_is_string(value) || !civil_parse(json_string_value(value), &day))
            return error_set(err, E_INPUT, "fact %s: a date YYYY-MM-DD is wanted", row->key);
        return 0;
    case FACT_TEXT:
        if (!json_is_string(value) || json_string_length(value) == 0 ||
            json_string_length(value) > TASK_FACT_TEXT_MAX ||
            !utf8_printable(json_string_value(value), json_string_length(value)))
            return error_set(err, E_INPUT, "fact %s: a text of 1 to %d printable bytes on one line is wanted",
                             row->key, TASK_FACT_TEXT_MAX);
        return 0;
    }
    return 0;
}

int facts_read(const char *json, struct arena *arena, const char **ret_facts, struct error *err)
{
    const char *key;
    json_t *value;
    json_error_t where;
    if (!json)
        json = "{}";
    if (strlen(json) > TASK_FACTS_BYTES_MAX)
        return error_set(err, E_LIMIT, "facts of a task: more than %d bytes", TASK_FACTS_BYTES_MAX);
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, E_SYNTAX, "facts of a task: no JSON object");
    }
    int rc = 0;
    json_object_foreach(object, key, value)
    {
        const struct task_fact_row *row = fact_row(key);
        rc = row ? fact_check(row, value, err)
                 : error_set(err, E_INPUT, "fact \"%.40s\" is not in the table of facts", key);
        if (rc < 0)
            break;
    }
    char *text = rc == 0 ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(object);
    if (rc < 0)
        return rc;
    const char *kept = text ? arena_text(arena, text, strlen(text)) : NULL;
    free(text);
    if (!kept)
        return error_set(err, E_MEMORY, "out of memory reading facts");
    *ret_facts = kept;
    return 0;
}

/* True when the object has one of the keys of "order|drug". */
static bool has_one(const json_t *object, const char *keys)
{
    char key[40];
    while (*keys) {
        size_t len = strcspn(keys, "|");
        if (len < sizeof key) {
            memcpy(key, keys, len);
            key[len] = '\0';
            if (json_object_get(object, key))
                return true;
        }
        keys += len + (keys[len] == '|');
    }
    return false;
}

int facts_needed(enum task_kind kind, const char *facts, struct error *err)
{
    const struct task_kind_row *row = &task_kinds[kind];
    json_t *object = json_loads(facts, 0, NULL);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof row->needs / sizeof row->needs[0] && row->needs[i]; i++) {
        if (!has_one(object, row->needs[i]))
            rc = error_set(err, E_INPUT, "a %s task needs the fact %s", row->word, row->needs[i]);
    }
    json_decref(object);
    return rc;
}

/* The value of a key of a stored object; the caller gives *ret_object back. */
static const json_t *fact_of(const char *facts, const char *key, json_t **ret_object)
{
    *ret_object = json_loads(facts, 0, NULL);
    return json_object_get(*ret_object, key);
}

bool task_fact_text(const char *facts, const char *key, char *ret_text, size_t size)
{
    json_t *object;
    const json_t *value = fact_of(facts, key, &object);
    bool fits = json_is_string(value) && json_string_length(value) < size;
    if (fits)
        memcpy(ret_text, json_string_value(value), json_string_length(value) + 1);
    json_decref(object);
    return fits;
}

bool task_fact_count_of(const char *facts, const char *key, int64_t *ret_count)
{
    json_t *object;
    const json_t *value = fact_of(facts, key, &object);
    bool found = json_is_integer(value);
    if (found)
        *ret_count = json_integer_value(value);
    json_decref(object);
    return found;
}

bool task_fact_day(const char *facts, const char *key, int32_t *ret_day)
{
    json_t *object;
    const json_t *value = fact_of(facts, key, &object);
    bool found = json_is_string(value) && civil_parse(json_string_value(value), ret_day);
    json_decref(object);
    return found;
}
