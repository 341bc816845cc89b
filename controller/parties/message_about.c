/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Task is about. Elements that R4 requires are always there (cardinalities from hl7.org/fhir/R4: Claim
 * needs type, use, patient, created, provider, priority, insurance; CoverageEligibilityRequest needs status,
 * purpose, patient, created, insurer; SupplyRequest needs item and quantity). A task whose facts cannot fill
 * them is refused by name rather than sent half.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/parties/facts.h"
#include "controller/parties/message_private.h"
#include "controller/plan/documents/json_values.h"

#define TERMINOLOGY "http://terminology.hl7.org/CodeSystem/"

static json_t *units(int64_t count)
{
    return json_pack("{s:I, s:s}", "value", (json_int_t)count, "unit", "unit");
}

static json_t *days(int64_t count)
{
    return json_pack("{s:I, s:s, s:s, s:s}", "value", (json_int_t)count, "unit", "days", "system",
                     "http://unitsofmeasure.org", "code", "d");
}

static void set_note(struct message *m, json_t *resource, const struct task *task)
{
    char text[TASK_FACT_TEXT_MAX + 1];
    if (task_fact_text(task->facts, "text", text, sizeof text))
        message_set(m, resource, "note", json_pack("[{s:s}]", "text", text));
}

/* The drug that the task speaks of: task_open saw to it that an order or a drug is named, here it shows
 * whether the order is there. */
static int drug_needed(const struct task *task, const struct message_order *order, struct error *err)
{
    return order->concept ? 0
                          : error_set(err, E_INPUT, "the order that this %s names is not in the store",
                                      task_kinds[task->kind].word);
}

/* What the prescriber would only have to sign: the same drug and dosage, with the amount that is wanted. */
static int prescription_add(struct message *m, const struct task *task, const struct message_order *order,
                            const char *id, const char *authored, struct error *err)
{
    char reason[TASK_FACT_TEXT_MAX + 1];
    int64_t count;
    int32_t from, to;
    int rc = drug_needed(task, order, err);
    if (rc)
        return rc;
    json_t *resource = message_resource(m, "MedicationRequest", id);
    json_t *supply = json_object();
    message_set_text(m, resource, "status", task->state == TASK_CANCELLED ? "cancelled" : "draft");
    message_set_text(m, resource, "intent", "proposal");
    message_set(m, resource, "medicationCodeableConcept", json_incref(order->concept));
    message_set(m, resource, "subject", message_reference(m->patient_ref));
    message_set_text(m, resource, "authoredOn", authored);
    message_set(m, resource, "requester", message_organization_ref(m, "pharmacy"));
    if (task_fact_text(task->facts, "reason", reason, sizeof reason))
        message_set(m, resource, "reasonCode", json_pack("[{s:s}]", "text", reason));
    set_note(m, resource, task);
    if (order->dosage)
        message_set(m, resource, "dosageInstruction", json_incref(order->dosage));
    if (task_fact_day(task->facts, "valid_from", &from) && task_fact_day(task->facts, "valid_to", &to)) {
        json_t *period = json_object();
        message_set_day(m, period, "start", from);
        message_set_day(m, period, "end", to);
        message_set(m, supply, "validityPeriod", period);
    }
    if (task_fact_count_of(task->facts, "repeats", &count))
        message_set(m, supply, "numberOfRepeatsAllowed", json_integer(count));
    if (task_fact_count_of(task->facts, "quantity", &count))
        message_set(m, supply, "quantity", units(count));
    if (task_fact_count_of(task->facts, "days", &count))
        message_set(m, supply, "expectedSupplyDuration", days(count));
    if (json_object_size(supply) > 0)
        message_set(m, resource, "dispenseRequest", supply);
    else
        json_decref(supply);
    if (order->prescription)
        message_set(m, resource, "priorPrescription", json_incref(order->prescription));
    message_add(m, resource);
    return 0;
}

/* The insurance as the payer on record has it; returns a Reference to it. */
static json_t *coverage_add(struct message *m)
{
    char id[PARTNERS_ID_BYTES], reference[100];
    const char *patient = strchr(m->patient_ref, '/');
    /* An id has 64 characters at most; the patient's may fill them, so that the task's own is taken there. */
    int n = snprintf(id, sizeof id, "%s-coverage-%s", m->partners->prefix, patient ? patient + 1 : "");
    if (n < 0 || n >= (int)sizeof id)
        (void)snprintf(id, sizeof id, "%s-coverage", m->partners->prefix);
    json_t *resource = message_resource(m, "Coverage", id);
    message_set_text(m, resource, "status", "active");
    message_set(m, resource, "beneficiary", message_reference(m->patient_ref));
    message_set(m, resource, "payor", json_pack("[o]", message_organization_ref(m, "payer")));
    message_add(m, resource);
    (void)snprintf(reference, sizeof reference, "Coverage/%s", id);
    return message_reference(reference);
}

static int eligibility_add(struct message *m, const struct task *task, const char *id, const char *authored)
{
    int32_t day;
    json_t *resource = message_resource(m, "CoverageEligibilityRequest", id);
    message_set_text(m, resource, "status", task->state == TASK_CANCELLED ? "cancelled" : "active");
    message_set(m, resource, "purpose", json_pack("[s]", "validation"));
    message_set(m, resource, "patient", message_reference(m->patient_ref));
    message_set_day(m, resource, "servicedDate",
                    task_fact_day(task->facts, "fill_date", &day) ? day : task->due_day);
    message_set_text(m, resource, "created", authored);
    message_set(m, resource, "provider", message_organization_ref(m, "pharmacy"));
    message_set(m, resource, "insurer", message_organization_ref(m, "payer"));
    message_set(m, resource, "insurance", json_pack("[{s:b, s:o}]", "focal", 1, "coverage", coverage_add(m)));
    message_add(m, resource);
    return 0;
}

/* One remark of a claim; value is taken. */
static void info_add(struct message *m, json_t *list, const char *what, const char *member, json_t *value)
{
    if (json_array_append_new(list, json_pack("{s:i, s:o, s:o}", "sequence", (int)json_array_size(list) + 1,
                                              "category", message_own_concept(m, "fact", what, NULL), member,
                                              value)) < 0)
        m->failed = true;
}

static json_t *claim_infos(struct message *m, const struct task *task)
{
    static const struct {
        const char *key;
        bool is_days;
    } counts[] = {{"days", true}, {"next_quantity", false}, {"next_days", true}};
    static const char *const dates[] = {"needed_by", "earliest", "next_date"};
    char reason[TASK_FACT_TEXT_MAX + 1];
    const char *system, *code;
    int64_t count;
    int32_t day;
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (task_fact_count_of(task->facts, counts[i].key, &count))
            info_add(m, list, counts[i].key, "valueQuantity", counts[i].is_days ? days(count) : units(count));
    }
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        if (task_fact_day(task->facts, dates[i], &day))
            info_add(m, list, dates[i], "timingDate", json_day(day));
    }
    if (task_fact_text(task->facts, "reason", reason, sizeof reason))
        info_add(m, list, "reason", "valueString", json_string(reason));
    if (partners_request_code(m->partners, task->kind, &system, &code))
        info_add(m, list, "code", "code", message_concept(system, code, NULL));
    return list;
}

/* Test claims ask what would be paid, the other two ask for leave beforehand. Nothing is billed here. */
static int claim_add(struct message *m, const struct task *task, const struct message_order *order,
                     const char *id, const char *authored, struct error *err)
{
    int64_t count;
    int32_t day;
    int rc = drug_needed(task, order, err);
    if (rc)
        return rc;
    json_t *resource = message_resource(m, "Claim", id);
    message_set_text(m, resource, "status", task->state == TASK_CANCELLED ? "cancelled" : "active");
    message_set(m, resource, "type", message_concept(TERMINOLOGY "claim-type", "pharmacy", NULL));
    message_set(m, resource, "subType",
                message_own_concept(m, "event", task_kinds[task->kind].word, task_kinds[task->kind].title));
    message_set_text(m, resource, "use",
                     task->kind == TASK_TEST_CLAIM ? "predetermination" : "preauthorization");
    message_set(m, resource, "patient", message_reference(m->patient_ref));
    message_set_text(m, resource, "created", authored);
    message_set(m, resource, "insurer", message_organization_ref(m, "payer"));
    message_set(m, resource, "provider", message_organization_ref(m, "pharmacy"));
    message_set(
        m, resource, "priority",
        message_concept(TERMINOLOGY "processpriority", task->level == TASK_CALM ? "normal" : "stat", NULL));
    if (order->prescription)
        message_set(m, resource, "prescription", json_incref(order->prescription));
    json_t *infos = claim_infos(m, task);
    if (json_array_size(infos) > 0)
        message_set(m, resource, "supportingInfo", infos);
    else
        json_decref(infos);
    message_set(m, resource, "insurance",
                json_pack("[{s:i, s:b, s:o}]", "sequence", 1, "focal", 1, "coverage", coverage_add(m)));
    json_t *item = json_pack("{s:i, s:O}", "sequence", 1, "productOrService", order->concept);
    if (task_fact_day(task->facts, "fill_date", &day))
        message_set(m, item, "servicedDate", json_day(day));
    if (task_fact_count_of(task->facts, "quantity", &count))
        message_set(m, item, "quantity", units(count));
    message_set(m, resource, "item", json_pack("[o]", item));
    message_add(m, resource);
    return 0;
}

static int communication_add(struct message *m, const struct task *task, const char *id, const char *authored,
                             struct error *err)
{
    static const char *const urgency[TASK_LEVELS] = {"routine", "urgent", "asap", "stat"};
    char text[TASK_FACT_TEXT_MAX + 1];
    if (!task_fact_text(task->facts, "text", text, sizeof text))
        return facts_needed(task->kind, task->facts, err);
    json_t *resource = message_resource(m, "CommunicationRequest", id);
    message_set_text(m, resource, "status", task->state == TASK_CANCELLED ? "revoked" : "active");
    message_set(m, resource, "category",
                json_pack("[o]", message_own_concept(m, "event", task_kinds[task->kind].word,
                                                     task_kinds[task->kind].title)));
    message_set_text(m, resource, "priority", urgency[task->level]);
    message_set(m, resource, "subject", message_reference(m->patient_ref));
    message_set(m, resource, "payload", json_pack("[{s:s}]", "contentString", text));
    json_t *period = json_object();
    message_set_day(m, period, "start", task->opened_day);
    message_set_day(m, period, "end", task->due_day);
    message_set(m, resource, "occurrencePeriod", period);
    message_set_text(m, resource, "authoredOn", authored);
    message_set(m, resource, "requester", message_organization_ref(m, "pharmacy"));
    message_set(m, resource, "recipient", json_pack("[o]", message_reference(m->patient_ref)));
    message_add(m, resource);
    return 0;
}

static int supply_add(struct message *m, const struct task *task, const char *id, const char *authored,
                      struct error *err)
{
    char product[TASK_FACT_TEXT_MAX + 1], drug[TASK_FACT_TEXT_MAX + 1] = "", system[200];
    int64_t count;
    if (!task_fact_text(task->facts, "product", product, sizeof product) ||
        !task_fact_count_of(task->facts, "quantity", &count))
        return facts_needed(task->kind, task->facts, err);
    (void)task_fact_text(task->facts, "drug", drug, sizeof drug);
    json_t *resource = message_resource(m, "SupplyRequest", id);
    message_set_text(m, resource, "status", task->state == TASK_CANCELLED ? "cancelled" : "active");
    message_set_text(m, resource, "priority", task->level == TASK_CALM ? "routine" : "urgent");
    (void)snprintf(system, sizeof system, "%s/NamingSystem/product", m->partners->base);
    message_set(m, resource, "itemCodeableConcept", message_concept(system, product, drug[0] ? drug : NULL));
    message_set(m, resource, "quantity", units(count));
    message_set_day(m, resource, "occurrenceDateTime", task->due_day);
    message_set_text(m, resource, "authoredOn", authored);
    message_set(m, resource, "requester", message_organization_ref(m, "pharmacy"));
    message_add(m, resource);
    return 0;
}

int message_about(struct message *m, const struct task *task, const struct message_order *order,
                  const char *authored, json_t **ret_focus, struct error *err)
{
    char id[PARTNERS_ID_BYTES], reference[120];
    int rc = 0;
    partners_task_id(m->partners, task->id, id);
    switch (task->kind) {
    case TASK_RENEWAL:
    case TASK_CHANGE:
        rc = prescription_add(m, task, order, id, authored, err);
        break;
    case TASK_ELIGIBILITY:
        rc = eligibility_add(m, task, id, authored);
        break;
    case TASK_TEST_CLAIM:
    case TASK_OVERRIDE:
    case TASK_PRIOR_AUTH:
        rc = claim_add(m, task, order, id, authored, err);
        break;
    case TASK_NOTICE:
    case TASK_PRESHIP:
        rc = communication_add(m, task, id, authored, err);
        break;
    case TASK_PURCHASE:
        rc = supply_add(m, task, id, authored, err);
        break;
    case TASK_WORK:
    case TASK_KINDS:
        break;
    }
    if (rc == 0 && task_kinds[task->kind].resource[0]) {
        (void)snprintf(reference, sizeof reference, "%s/%s", task_kinds[task->kind].resource, id);
        *ret_focus = message_reference(reference);
    }
    return rc;
}
