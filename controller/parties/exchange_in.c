/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: files to resources, resources to news, news to tasks. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/fhir_json.h"
#include "controller/parties/exchange.h"
#include "controller/parties/message_private.h"
#include "controller/parties/news.h"
#include "controller/parties/port.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

/* One file on its way in. */
struct arrival {
    struct store *store;
    const struct partners *partners;
    const struct task_act *act;
    const struct exchange_watch *watch;
    const struct port_item *item;
    struct arena *arena;
    struct exchange_count count; /* of this file, added to the round's when it is whole */
    bool order;                  /* it holds a prescription */
};

/* Brackets outside of texts may nest so deep; jansson alone would allow thousands. */
static bool depth_fits(const char *text, size_t len)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                quoted = false;
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > EXCHANGE_DEPTH_MAX)
                return false;
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        }
    }
    return true;
}

static int item_parse(const struct port_item *item, json_t **ret_root, struct error *err)
{
    json_error_t where;
    if (!item->bytes)
        return error_set(err, E_INPUT, "%s", item->trouble);
    if (!depth_fits(item->bytes, item->len))
        return error_set(err, E_LIMIT, "nested deeper than %d", EXCHANGE_DEPTH_MAX);
    *ret_root = json_loadb(item->bytes, item->len, JSON_REJECT_DUPLICATES, &where);
    if (!*ret_root)
        return error_set(err, E_SYNTAX, "line %d, column %d: no JSON: %s", where.line, where.column,
                         where.text);
    if (!json_is_object(*ret_root)) {
        json_decref(*ret_root);
        return error_set(err, E_SYNTAX, "a FHIR resource is a JSON object");
    }
    return 0;
}

static int resource_hash(const json_t *resource, uint8_t hash[SEAL_HASH_BYTES], struct error *err)
{
    char *text = json_dumps(resource, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return error_set(err, E_MEMORY, "out of memory reading a message");
    seal_hash(text, strlen(text), hash);
    free(text);
    return 0;
}

/* 1: this very resource was read before; E_INPUT when another one had its id and version. */
static int seen_before(struct arrival *a, const char *key, const uint8_t hash[SEAL_HASH_BYTES],
                       struct error *err)
{
    struct store_rows *rows = NULL;
    size_t len;
    int rc = store_query(a->store, &rows, err, "SELECT hash FROM inbox_resource WHERE key = ?", "t", key);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        const void *before = store_blob(rows, 0, &len);
        if (len != SEAL_HASH_BYTES || memcmp(before, hash, SEAL_HASH_BYTES) != 0)
            rc = error_set(err, E_INPUT,
                           "%s was read before and said something else then: a change needs a new "
                           "version",
                           key);
    }
    store_done(rows);
    return rc;
}

/* True when every coding of the draft that we sent stands in the answer, or the answer has one of them: the
 * same drug by code. Without codes nobody can say so. */
static bool same_drug(const json_t *asked, const json_t *given)
{
    size_t i, k;
    json_t *a, *b;
    json_array_foreach(json_object_get(asked, "coding"), i, a)
    {
        json_array_foreach(json_object_get(given, "coding"), k, b)
        {
            if (fhir_text(a, "code")[0] && strcmp(fhir_text(a, "code"), fhir_text(b, "code")) == 0 &&
                strcmp(fhir_text(a, "system"), fhir_text(b, "system")) == 0)
                return true;
        }
    }
    return false;
}

/* A new prescription is "approved" only when it says the same drug, the same dosage and no less than was
 * asked; all else is "changed". */
static int prescription_judge(struct arrival *a, const struct task *task, struct news *news,
                              struct error *err)
{
    char source_id[TASK_FACT_TEXT_MAX + 1] = "";
    struct message m = {.store = a->store, .partners = a->partners, .entries = json_array()};
    struct message_order order;
    int64_t asked, given;
    (void)task_fact_text(task->facts, "order", source_id, sizeof source_id);
    int rc = message_order_read(&m, task->patient, source_id, "", &order, err);
    if (rc < 0) {
        json_decref(m.entries);
        return rc;
    }
    const json_t *dosage = json_object_get(news->prescription, "dosageInstruction");
    bool same = order.found && order.dosage && dosage &&
                json_equal(order.dosage, (json_t *)(uintptr_t)dosage) &&
                same_drug(order.concept, json_object_get(news->prescription, "medicationCodeableConcept"));
    static const char *const amounts[] = {"quantity", "days", "repeats"};
    for (size_t i = 0; same && i < sizeof amounts / sizeof amounts[0]; i++) {
        if (task_fact_count_of(task->facts, amounts[i], &asked))
            same = task_fact_count_of(news->answer.facts, amounts[i], &given) && given >= asked;
    }
    if (same)
        news->answer.result = TASK_APPROVED;
    message_order_finish(&order);
    json_decref(m.entries);
    return 0;
}

static int answer_apply(struct arrival *a, struct task *task, struct news *news, const char **ret_outcome,
                        struct error *err)
{
    bool stands = false;
    int rc = news->prescription ? prescription_judge(a, task, news, err) : 0;
    if (rc == 0)
        rc = task_answer_put(a->store, a->act, &news->answer, false, &stands, err);
    if (rc == 0 && news->prescription && stands) { /* one that does not stand is for a person to weigh */
        a->order = true;
        a->count.orders++;
    }
    *ret_outcome = stands ? task_result_text(news->answer.result) : "contradiction";
    a->count.answers++;
    return rc;
}

static int event_apply(struct arrival *a, struct task *task, const struct news *news,
                       const char **ret_outcome, struct error *err)
{
    *ret_outcome = task_event_text(news->event);
    a->count.events++;
    /* A "no" to a request is an answer where the kind has one; else they only will not deal with it. */
    if (news->event == TASK_EVENT_REFUSED && task_kinds[task->kind].results & 1U << TASK_DENIED) {
        struct news denied = *news;
        denied.answer.result = TASK_DENIED;
        denied.answer.note = news->note;
        return answer_apply(a, task, &denied, ret_outcome, err);
    }
    if (task_state_closed(task->state)) {
        *ret_outcome = "late"; /* a message that was overtaken by the answer */
        return 0;
    }
    return task_event_put(a->store, a->act, task->id, news->event, news->note, err);
}

/* The id in a reference to a Patient; NULL: it does not name one in our words (another server's address, an
 * identifier), which says nothing. A prescription is imported, so that there every address must name him. */
static const char *patient_named(struct arrival *a, const json_t *resource)
{
    static const char *const keys[] = {"patient", "subject", "for"};
    bool request = strcmp(fhir_text(resource, "resourceType"), "MedicationRequest") == 0;
    const char *text = "";
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && text[0] == '\0'; i++)
        text = fhir_text(json_object_get(resource, keys[i]), "reference");
    size_t base = strlen(a->partners->base);
    if (strncmp(text, a->partners->base, base) == 0 && text[base] == '/')
        text += base + 1;
    const char *at = request ? strstr(text, "Patient/") : strncmp(text, "Patient/", 8) == 0 ? text : NULL;
    return at ? at + 8 : request ? "" : NULL;
}

/* An answer about somebody else is no answer. */
static int patient_check(struct arrival *a, const json_t *resource, const struct task *task,
                         struct error *err)
{
    const char *named = patient_named(a, resource);
    if (!named || task->patient == 0)
        return 0;
    struct message m = {.store = a->store, .partners = a->partners, .entries = json_array()};
    int rc = message_patient(&m, task->patient, err);
    json_decref(m.entries);
    const char *ours = strchr(m.patient_ref, '/');
    size_t len = strcspn(named, "/");
    if (rc == 0 && (!ours || strlen(ours + 1) != len || strncmp(ours + 1, named, len) != 0))
        rc = error_set(err, E_INPUT, "it speaks of patient \"%.64s\": task %" PRId64 " is about another one",
                       named, task->id);
    return rc;
}

static int news_apply(struct arrival *a, const json_t *resource, struct news *news, const char **ret_outcome,
                      struct error *err)
{
    const char *type = fhir_text(resource, "resourceType");
    struct task task;
    int rc = task_get(a->store, news->task, a->arena, &task, err);
    if (rc == E_NOT_FOUND)
        return error_set(err, E_INPUT, "it speaks of task %" PRId64 ", which is not ours", news->task);
    if (rc == 0 && !news_fits(type, task.kind))
        rc = error_set(err, E_INPUT, "a %s cannot answer task %" PRId64 ", a %s", type, task.id,
                       task_kinds[task.kind].word);
    if (rc == 0)
        rc = patient_check(a, resource, &task, err);
    if (rc == 0)
        rc = news->what == NEWS_ANSWER ? answer_apply(a, &task, news, ret_outcome, err)
                                       : event_apply(a, &task, news, ret_outcome, err);
    if (rc == 0 && a->watch && a->watch->answered)
        a->watch->answered(a->watch->data, a->item->name, &task, *ret_outcome);
    return rc;
}

static int resource_apply(struct arrival *a, const json_t *resource, struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES];
    struct news news;
    const char *outcome = "nothing new";
    int rc = resource_hash(resource, hash, err);
    if (rc)
        return rc;
    seal_hash_text(hash, text);
    rc = news_read(resource, text, a->partners, a->arena, &news, err);
    if (rc < 0 || news.key[0] == '\0')
        return rc;
    rc = seen_before(a, news.key, hash, err);
    if (rc == 1)
        a->count.repeated++;
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    if (news.what != NEWS_NOTHING)
        rc = news_apply(a, resource, &news, &outcome, err);
    if (rc == 0)
        rc = store_exec(a->store, err,
                        "INSERT INTO inbox_resource (key, hash, task_id, file, outcome, read_ms) "
                        "VALUES (?, ?, (SELECT id FROM task WHERE id = ?), ?, ?, ?)",
                        "tbitti", news.key, (const void *)hash, (size_t)SEAL_HASH_BYTES, news.task,
                        a->item->name, outcome, a->act->wall_ms);
    return rc;
}

static int root_apply(struct arrival *a, const json_t *root, struct error *err)
{
    size_t i;
    json_t *entry;
    int rc = 0;
    if (strcmp(fhir_text(root, "resourceType"), "Bundle") != 0)
        return resource_apply(a, root, err);
    const json_t *entries = json_object_get(root, "entry");
    if (!json_is_array(entries) || json_array_size(entries) == 0)
        return error_set(err, E_INPUT, "a Bundle without an entry");
    if (json_array_size(entries) > EXCHANGE_RESOURCES_MAX)
        return error_set(err, E_LIMIT, "a Bundle of more than %d entries", EXCHANGE_RESOURCES_MAX);
    json_array_foreach(entries, i, entry)
    {
        if (rc == 0)
            rc = resource_apply(a, json_object_get(entry, "resource"), err);
    }
    return rc;
}

static int item_apply(struct arrival *a, struct error *err)
{
    json_t *root = NULL;
    int rc = item_parse(a->item, &root, err);
    if (rc)
        return rc;
    rc = store_write_begin(a->store, err);
    if (rc == 0)
        rc = root_apply(a, root, err);
    json_decref(root);
    if (rc == 0)
        rc = store_write_commit(a->store, err);
    store_write_rollback(a->store);
    return rc;
}

/* The audit says by hash what was put aside: names of files are the sender's, and may name people. */
static int refusal_note(struct arrival *a, struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES], subject[80];
    seal_hash(a->item->bytes ? a->item->bytes : "", a->item->len, hash);
    seal_hash_text(hash, text);
    (void)snprintf(subject, sizeof subject, "message:%.16s", text);
    int rc = store_write_begin(a->store, err);
    if (rc == 0)
        rc = audit_add(a->store, a->act->wall_ms, a->act->actor, "exchange.refuse", subject, "{}", err);
    if (rc == 0)
        rc = store_write_commit(a->store, err);
    store_write_rollback(a->store);
    return rc;
}

static void counts_add(struct exchange_count *to, const struct exchange_count *from)
{
    to->answers += from->answers;
    to->events += from->events;
    to->repeated += from->repeated;
    to->orders += from->orders;
}

static int item_take(struct arrival *a, struct port *port, struct exchange_count *count, struct error *err)
{
    char why[EXCHANGE_WHY_BYTES];
    int rc = item_apply(a, err);
    count->files++;
    if (rc == 0) {
        counts_add(count, &a->count);
        return port->settle(port, a->item, a->order ? PORT_ORDER : PORT_DONE, "", err);
    }
    /* What the message says wrongly concerns the message alone; a store that fails concerns everything. */
    if (error_class_of(rc) != ERROR_CLASS_INPUT)
        return rc;
    (void)snprintf(why, sizeof why, "%s\n", err->message);
    count->refused++;
    if (a->watch && a->watch->refused)
        a->watch->refused(a->watch->data, a->item->name, err->message);
    rc = refusal_note(a, err);
    return rc ? rc : port->settle(port, a->item, PORT_REFUSED, why, err);
}

int exchange_read(struct store *store, const struct partners *partners, struct port *port,
                  const struct task_act *act, const struct exchange_watch *watch,
                  struct exchange_count *count, struct error *err)
{
    struct port_item item;
    struct arena arena;
    struct error own;
    int rc = 0;
    if (!err)
        err = &own; /* the reason of a refused message comes through it */
    arena_init(&arena, 0);
    while (rc == 0 && (rc = port->next(port, &item, err)) == 1) {
        struct arrival a = {store, partners, act, watch, &item, &arena, {0}, false};
        arena_reset(&arena);
        rc = item_take(&a, port, count, err);
    }
    arena_finish(&arena);
    return rc;
}
