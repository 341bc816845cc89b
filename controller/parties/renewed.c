/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/parties/renewed.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/intake/fhir_json.h"
#include "controller/parties/partners.h"
#include "controller/parties/task.h"
#include "controller/store/store.h"

enum { ADDRESS_BYTES = 320 };

static bool is_request(const json_t *resource)
{
    return strcmp(fhir_text(resource, "resourceType"), "MedicationRequest") == 0;
}

static int64_t task_of(const struct partners *partners, const json_t *request)
{
    const json_t *based = json_array_get(json_object_get(request, "basedOn"), 0);
    return partners_task_of(partners, "MedicationRequest", fhir_text(based, "reference"));
}

/* The order that a task is about, when it is there for its patient. */
static int old_order(struct store *store, const struct task *task, struct arena *arena, const char **ret_id,
                     struct error *err)
{
    char id[TASK_FACT_TEXT_MAX + 1];
    int64_t one;
    *ret_id = "";
    if (!task_fact_text(task->facts, "order", id, sizeof id))
        return 0;
    int rc =
        store_get_int(store, &one, err,
                      "SELECT id FROM order_version WHERE source_id = ? AND patient_id = ? AND current = 1",
                      "ti", id, task->patient);
    if (rc == 0)
        *ret_id = arena_text(arena, id, strlen(id));
    return rc == E_NOT_FOUND     ? 0
           : rc == 0 && !*ret_id ? error_set(err, E_MEMORY, "no memory for a prescription")
                                 : rc;
}

static int one_read(struct store *store, struct renewed *renewed, const json_t *request, struct arena *arena,
                    struct error *err)
{
    struct renewed_one one = {.task = task_of(renewed->partners, request)};
    struct task task;
    struct task_answer answer;
    char new_order[TASK_FACT_TEXT_MAX + 1];
    const char *id = fhir_text(request, "id");
    if (one.task == 0)
        return error_set(err, E_INPUT, "MedicationRequest/%.64s answers none of our requests", id);
    if (renewed->count == RENEWED_MAX)
        return error_set(err, E_LIMIT, "more than %d prescriptions in one file", RENEWED_MAX);
    int rc = task_get(store, one.task, arena, &task, err);
    if (rc == 0)
        rc = task_answer_standing(store, one.task, arena, &answer, err);
    if (rc == 0 && (!task_fact_text(answer.facts, "new_order", new_order, sizeof new_order) ||
                    strcmp(new_order, id) != 0))
        rc = error_set(err, E_INPUT,
                       "MedicationRequest/%.64s is not the answer to task %" PRId64 " that stands", id,
                       one.task);
    if (rc == 0)
        rc = old_order(store, &task, arena, &one.old_id, err);
    one.new_id = rc == 0 ? arena_text(arena, id, strlen(id)) : NULL;
    if (rc < 0)
        return rc;
    one.answered_ms = answer.answered_ms;
    one.as_next = one.old_id && one.old_id[0] && strcmp(one.old_id, id) != 0;
    renewed->items[renewed->count++] = one;
    return one.new_id ? 0 : error_set(err, E_MEMORY, "no memory for a prescription");
}

int renewed_read(struct store *store, const struct partners *partners, const char *bytes, size_t len,
                 struct arena *arena, struct renewed *ret_renewed, struct error *err)
{
    json_error_t where;
    size_t i;
    json_t *entry;
    *ret_renewed = (struct renewed){.partners = partners};
    json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where);
    ret_renewed->root = root;
    if (!root)
        return error_set(err, E_SYNTAX, "line %d, column %d: no JSON: %s", where.line, where.column,
                         where.text);
    int rc = is_request(root) ? one_read(store, ret_renewed, root, arena, err) : 0;
    json_array_foreach(json_object_get(root, "entry"), i, entry)
    {
        const json_t *resource = json_object_get(entry, "resource");
        if (rc == 0 && is_request(resource))
            rc = one_read(store, ret_renewed, resource, arena, err);
    }
    if (rc == 0 && ret_renewed->count == 0)
        rc = error_set(err, E_INPUT, "no prescription in it");
    return rc;
}

static const struct renewed_one *one_of(const struct renewed *renewed, const json_t *request)
{
    int64_t task = task_of(renewed->partners, request);
    for (size_t i = 0; i < renewed->count; i++) {
        if (renewed->items[i].task == task && strcmp(renewed->items[i].new_id, fhir_text(request, "id")) == 0)
            return &renewed->items[i];
    }
    return NULL;
}

/* The same prescription as the next version of the order that it renews. */
static json_t *next_version(const struct renewed *renewed, const struct renewed_one *one,
                            const json_t *request)
{
    char system[ADDRESS_BYTES], since[32];
    json_t *next = json_deep_copy(request);
    json_t *identifiers = json_array(), *extensions = json_array();
    (void)snprintf(system, sizeof system, "%s/NamingSystem/prescription", renewed->partners->base);
    (void)snprintf(since, sizeof since, "%" PRId64, one->answered_ms); /* a number fits */
    int rc =
        json_array_append_new(identifiers, json_pack("{s:s, s:s}", "system", system, "value", one->new_id));
    rc |=
        json_array_append_new(extensions, json_pack("{s:s, s:s}", "url", RENEWED_URL, "valueString", since));
    json_t *had = json_object_get(next, "identifier");
    if (json_is_array(had))
        rc |= json_array_extend(identifiers, had);
    had = json_object_get(next, "extension");
    if (json_is_array(had))
        rc |= json_array_extend(extensions, had);
    rc |= json_object_set_new(next, "identifier", identifiers);
    rc |= json_object_set_new(next, "extension", extensions);
    rc |= json_object_set_new(next, "id", json_string(one->old_id));
    if (rc == 0)
        return next;
    json_decref(next);
    return NULL;
}

int renewed_write(const struct renewed *renewed, struct buf *out, struct error *err)
{
    json_t *root = json_copy(renewed->root), *list = json_object_get(root, "entry"), *entry;
    const struct renewed_one *one = is_request(root) ? one_of(renewed, root) : NULL;
    size_t i;
    bool failed = !root;
    if (one && one->as_next) {
        json_t *next = next_version(renewed, one, root);
        json_decref(root);
        root = next;
        failed = !next;
    } else if (list) {
        json_t *entries = json_array();
        json_array_foreach(list, i, entry)
        {
            const json_t *resource = json_object_get(entry, "resource");
            one = is_request(resource) ? one_of(renewed, resource) : NULL;
            json_t *kept = one && one->as_next
                               ? json_pack("{s:o}", "resource", next_version(renewed, one, resource))
                               : json_incref(entry);
            failed = json_array_append_new(entries, kept) < 0 || failed;
        }
        failed = json_object_set_new(root, "entry", entries) < 0 || failed;
    }
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(root);
    if (!text)
        return error_set(err, E_MEMORY, "no memory for a prescription");
    buf_text(out, text);
    free(text);
    return out->failed ? error_set(err, E_MEMORY, "no memory for a prescription") : 0;
}

void renewed_finish(struct renewed *renewed)
{
    json_decref(renewed->root);
    renewed->root = NULL;
}
