/* SPDX-License-Identifier: Apache-2.0 */
/* The Bundle, the Task and what all messages share. */
#include "controller/parties/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/parties/message_private.h"
#include "controller/store/store.h"

enum { ADDRESS_BYTES = 320 };

void message_set(struct message *m, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        m->failed = true;
}

void message_set_text(struct message *m, json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        message_set(m, object, key, json_string(text));
}

void message_set_day(struct message *m, json_t *object, const char *key, int32_t day)
{
    char text[CIVIL_TEXT_BYTES];
    civil_format(day, text);
    message_set(m, object, key, json_string(text));
}

json_t *message_instant(int64_t ms)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(ms, text);
    return json_string(text);
}

json_t *message_resource(struct message *m, const char *type, const char *id)
{
    json_t *resource = json_pack("{s:s, s:s}", "resourceType", type, "id", id);
    if (!resource)
        m->failed = true;
    return resource;
}

void message_add(struct message *m, json_t *resource)
{
    char address[ADDRESS_BYTES];
    (void)snprintf(address, sizeof address, "%s/%s/%s", m->partners->base,
                   json_string_value(json_object_get(resource, "resourceType")),
                   json_string_value(json_object_get(resource, "id"))); /* the parts are bounded */
    if (json_array_append_new(m->entries, json_pack("{s:s, s:o}", "fullUrl", address, "resource", resource)) <
        0)
        m->failed = true;
}

json_t *message_concept(const char *system, const char *code, const char *text)
{
    return json_pack("{s:[{s:s, s:s}], s:s*}", "coding", "system", system, "code", code, "text", text);
}

json_t *message_own_concept(const struct message *m, const char *name, const char *code, const char *text)
{
    char system[ADDRESS_BYTES];
    (void)snprintf(system, sizeof system, "%s/CodeSystem/sachet-%s", m->partners->base, name);
    return message_concept(system, code, text);
}

json_t *message_reference(const char *reference)
{
    return json_pack("{s:s}", "reference", reference);
}

static void organization_id(const struct message *m, const char *what, char *ret_id, size_t size)
{
    (void)snprintf(ret_id, size, "%s-%s", m->partners->prefix, what);
}

json_t *message_organization_ref(const struct message *m, const char *what)
{
    char id[PARTNERS_ID_BYTES], reference[100];
    organization_id(m, what, id, sizeof id);
    (void)snprintf(reference, sizeof reference, "Organization/%s", id);
    return message_reference(reference);
}

void message_organization(struct message *m, const char *what, const char *name, const char *phone)
{
    char id[PARTNERS_ID_BYTES];
    organization_id(m, what, id, sizeof id);
    json_t *resource = message_resource(m, "Organization", id);
    message_set_text(m, resource, "name", name);
    if (phone)
        message_set(m, resource, "telecom", json_pack("[{s:s, s:s}]", "system", "phone", "value", phone));
    message_add(m, resource);
}

int message_patient(struct message *m, int64_t patient, struct error *err)
{
    struct store_rows *rows = NULL;
    char id[PARTNERS_ID_BYTES], system[ADDRESS_BYTES];
    int rc = store_query(m->store, &rows, err, "SELECT source_id, name, birth_day FROM patient WHERE id = ?",
                         "i", patient);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        /* An id that FHIR would not take gets one of ours; the identifier says the pharmacy's own. */
        if (partners_id_valid(store_text(rows, 0)))
            (void)snprintf(id, sizeof id, "%s", store_text(rows, 0));
        else
            (void)snprintf(id, sizeof id, "%s-patient-%" PRId64, m->partners->prefix, patient);
        (void)snprintf(system, sizeof system, "%s/NamingSystem/patient", m->partners->base);
        json_t *resource = message_resource(m, "Patient", id);
        message_set(m, resource, "identifier",
                    json_pack("[{s:s, s:s}]", "system", system, "value", store_text(rows, 0)));
        message_set(m, resource, "name", json_pack("[{s:s}]", "text", store_text(rows, 1)));
        if (!store_is_null(rows, 2))
            message_set_day(m, resource, "birthDate", (int32_t)store_int(rows, 2));
        message_add(m, resource);
        (void)snprintf(m->patient_ref, sizeof m->patient_ref, "Patient/%s", id);
        rc = 0;
    } else if (rc == 0) {
        rc = error_set(err, E_NOT_FOUND, "patient %" PRId64 " is not in the store", patient);
    }
    store_done(rows);
    return rc;
}

/* The prescriber as the order names him: what he is called, or his number; never a reference that leads
 * nowhere. */
static json_t *prescriber_of(const char *original)
{
    json_t *order = json_loads(original, JSON_DECODE_ANY, NULL);
    const json_t *requester = json_object_get(order, "requester");
    const json_t *display = json_object_get(requester, "display");
    const json_t *identifier = json_object_get(requester, "identifier");
    const json_t *value = json_object_get(identifier, "value");
    const json_t *system = json_object_get(identifier, "system");
    json_t *prescriber = NULL;
    if (json_is_string(display) || json_is_string(value))
        prescriber = json_object();
    if (json_is_string(value)) {
        json_t *kept = json_pack("{s:O}", "value", value);
        if (json_is_string(system))
            (void)json_object_set(kept, "system", (json_t *)(uintptr_t)system);
        (void)json_object_set_new(prescriber, "identifier", kept);
    }
    if (json_is_string(display) && json_string_length(display) > 0)
        (void)json_object_set_new(prescriber, "display", json_string(json_string_value(display)));
    json_decref(order);
    return prescriber;
}

static void order_row(struct message *m, struct store_rows *rows, const char *source_id,
                      struct message_order *order)
{
    char system[ADDRESS_BYTES];
    order->found = true;
    json_t *codes = json_loads(store_text(rows, 1), 0, NULL);
    order->concept = json_pack("{s:s}", "text", store_text(rows, 0));
    if (json_array_size(codes) > 0)
        message_set(m, order->concept, "coding", json_incref(codes));
    json_decref(codes);
    order->dosage = store_is_null(rows, 2) ? NULL : json_loads(store_text(rows, 2), 0, NULL);
    if (json_array_size(order->dosage) == 0) {
        json_decref(order->dosage);
        order->dosage = NULL;
    }
    order->prescriber = prescriber_of(store_text(rows, 3));
    (void)snprintf(system, sizeof system, "%s/NamingSystem/prescription", m->partners->base);
    order->prescription = json_pack("{s:s, s:{s:s, s:s}}", "type", "MedicationRequest", "identifier",
                                    "system", system, "value", source_id);
    if (!order->concept || !order->prescription)
        m->failed = true;
}

int message_order_read(struct message *m, int64_t patient, const char *source_id, const char *drug,
                       struct message_order *ret_order, struct error *err)
{
    struct store_rows *rows = NULL;
    *ret_order = (struct message_order){0};
    int rc =
        store_query(m->store, &rows, err,
                    "SELECT drug_name, drug_codes, dosage, original FROM order_version WHERE source_id = ? "
                    "AND patient_id = ? ORDER BY version DESC LIMIT 1",
                    "ti", source_id, patient);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        order_row(m, rows, source_id, ret_order);
    else if (rc == 0 && drug[0])
    ret_order->concept = json_pack("{s:s}", "text", drug);
    store_done(rows);
    return rc < 0 ? rc : 0;
}

void message_order_finish(struct message_order *order)
{
    json_decref(order->concept);
    json_decref(order->dosage);
    json_decref(order->prescriber);
    json_decref(order->prescription);
}

int message_finish(struct message *m, const char *id, int version, int64_t ms, struct buf *out,
                   struct error *err)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", version);
    json_t *bundle = m->failed ? NULL
                               : json_pack("{s:s, s:s, s:{s:s}, s:s, s:o, s:O}", "resourceType", "Bundle",
                                           "id", id, "meta", "versionId", number, "type", "collection",
                                           "timestamp", message_instant(ms), "entry", m->entries);
    char *text = bundle ? json_dumps(bundle, JSON_INDENT(2)) : NULL;
    json_decref(bundle);
    json_decref(m->entries);
    m->entries = NULL;
    if (!text)
        return error_set(err, E_MEMORY, "out of memory writing a message");
    buf_text(out, text);
    buf_char(out, '\n');
    free(text);
    return out->failed ? error_set(err, E_MEMORY, "out of memory writing a message") : 0;
}

static const char *const priorities[TASK_LEVELS] = {"routine", "urgent", "asap", "stat"};

/* Every fact as an input of the Task, so that nothing is said only in words. */
static json_t *inputs(struct message *m, const struct task *task)
{
    json_t *list = json_array();
    json_t *facts = json_loads(task->facts, 0, NULL);
    for (size_t i = 0; i < task_fact_count; i++) {
        static const char *const members[] = {
            [FACT_TEXT] = "valueString", [FACT_COUNT] = "valueInteger", [FACT_DAY] = "valueDate"};
        json_t *value = json_object_get(facts, task_facts[i].key);
        if (value && json_array_append_new(
                         list, json_pack("{s:o, s:O}", "type",
                                         message_own_concept(m, "fact", task_facts[i].key, task_facts[i].doc),
                                         members[task_facts[i].type], value)) < 0)
            m->failed = true;
    }
    json_decref(facts);
    return list;
}

/* Who is asked. A patient is a reference to the entry; a prescriber goes by the order's own words. */
static json_t *owner_of(const struct message *m, const struct task *task, const struct message_order *order)
{
    switch (task_kinds[task->kind].party) {
    case PARTY_PATIENT:
        return message_reference(m->patient_ref);
    case PARTY_PAYER:
        return message_organization_ref(m, "payer");
    case PARTY_PRESCRIBER:
        return order->prescriber ? json_incref(order->prescriber)
                                 : json_pack("{s:s}", "display", "Prescriber on record");
    case PARTY_PHARMACY:
    case TASK_PARTIES:
        break;
    }
    return message_organization_ref(m, "pharmacy");
}

static void task_add(struct message *m, const struct task *task, const struct message_order *order,
                     const char *id, json_t *focus, int64_t told_ms)
{
    const struct task_kind_row *kind = &task_kinds[task->kind];
    char number[16], text[TASK_FACT_TEXT_MAX + 1];
    json_t *resource = message_resource(m, "Task", id);
    (void)snprintf(number, sizeof number, "%d", task->revision);
    message_set(m, resource, "meta", json_pack("{s:s}", "versionId", number));
    message_set(m, resource, "status",
                json_string(task->state == TASK_DRAFT ? "requested" : task_state_text(task->state)));
    if (task->state == TASK_CANCELLED)
        message_set(m, resource, "statusReason", json_pack("{s:s}", "text", task->note));
    message_set_text(m, resource, "intent", "order");
    message_set_text(m, resource, "priority", priorities[task->level]);
    message_set(m, resource, "code", message_own_concept(m, "event", kind->word, kind->title));
    if (task_fact_text(task->facts, "text", text, sizeof text))
        message_set_text(m, resource, "description", text);
    if (focus)
        message_set(m, resource, "focus", focus);
    if (m->patient_ref[0])
        message_set(m, resource, "for", message_reference(m->patient_ref));
    message_set(m, resource, "authoredOn", message_instant(task->opened_ms));
    /* A wall clock that was set back must not make it older than its beginning (invariant inv-1). */
    message_set(m, resource, "lastModified",
                message_instant(told_ms > task->opened_ms ? told_ms : task->opened_ms));
    message_set(m, resource, "requester", message_organization_ref(m, "pharmacy"));
    message_set(m, resource, "owner", owner_of(m, task, order));
    json_t *period = json_object();
    message_set_day(m, period, "start", task->opened_day);
    message_set_day(m, period, "end", task->due_day);
    message_set(m, resource, "restriction", json_pack("{s:o}", "period", period));
    json_t *list = inputs(m, task);
    if (json_array_size(list) > 0)
        message_set(m, resource, "input", list);
    else
        json_decref(list);
    message_add(m, resource);
}

/* When the revision came to be: what makes its bytes the same whenever they are written. */
static int told_when(struct store *store, const struct task *task, int64_t *ret_ms, struct error *err)
{
    return store_get_int(store, ret_ms, err,
                         "SELECT min(at_ms) FROM task_history WHERE task_id = ? AND revision = ?", "ii",
                         task->id, task->revision);
}

static int task_entries(struct message *m, const struct task *task, const char *id, int64_t told_ms,
                        struct error *err)
{
    char source_id[TASK_FACT_TEXT_MAX + 1] = "", drug[TASK_FACT_TEXT_MAX + 1] = "";
    char authored[INSTANT_TEXT_BYTES];
    struct message_order order = {0};
    json_t *focus = NULL;
    int rc = task->patient ? message_patient(m, task->patient, err) : 0;
    (void)task_fact_text(task->facts, "order", source_id, sizeof source_id);
    (void)task_fact_text(task->facts, "drug", drug, sizeof drug);
    instant_format(task->opened_ms, authored);
    if (rc == 0)
        rc = message_order_read(m, task->patient, source_id, drug, &order, err);
    message_organization(m, "pharmacy", m->partners->pharmacy, m->partners->phone);
    if (rc == 0 && task_kinds[task->kind].party == PARTY_PAYER)
        message_organization(m, "payer", m->partners->payer, NULL);
    if (rc == 0)
        rc = message_about(m, task, &order, authored, &focus, err);
    if (rc == 0)
        task_add(m, task, &order, id, focus, told_ms);
    message_order_finish(&order);
    return rc;
}

int message_task(struct store *store, const struct partners *partners, const struct task *task,
                 struct buf *out, char ret_name[PARTNERS_NAME_BYTES], struct error *err)
{
    struct message m = {.store = store, .partners = partners, .entries = json_array()};
    const struct task_kind_row *kind = &task_kinds[task->kind];
    char id[PARTNERS_ID_BYTES];
    int64_t told_ms = 0;
    partners_task_id(partners, task->id, id);
    int rc = m.entries ? told_when(store, task, &told_ms, err)
                       : error_set(err, E_MEMORY, "out of memory writing a message");
    if (rc == 0)
        rc = task_entries(&m, task, id, told_ms, err);
    if (rc < 0) {
        json_decref(m.entries);
        return error_prefix(err, rc, "task %" PRId64, task->id);
    }
    (void)snprintf(ret_name, PARTNERS_NAME_BYTES, "%s/%s-%" PRId64 "-%d.json", task_party_text(kind->party),
                   kind->word, task->id, task->revision); /* table words and numbers fit */
    return message_finish(&m, id, task->revision, told_ms, out, err);
}
