/* SPDX-License-Identifier: Apache-2.0 */
/* Readers by type of resource: const table `readers`. Each fills in a struct news or says why it cannot. */
#include "controller/parties/news.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/base/utf8.h"
#include "controller/intake/fhir_json.h"

enum { ADDRESS_BYTES = 320, CODES_MAX = 64, NEWS_HASH_SHOWN = 16 };

#define ADJUDICATION "http://terminology.hl7.org/CodeSystem/adjudication"

/* The reading of one resource. */
struct reader {
    const struct partners *partners;
    struct arena *arena;
    struct news *news;
    json_t *facts; /* of the answer */
    struct error *err;
};

/* Their words on one line: control characters become blanks, what is too long is cut with a mark, and text
 * that is no UTF-8 never gets here (jansson). */
static const char *one_line(struct reader *r, const char *text)
{
    char line[TASK_NOTE_BYTES_MAX + 1];
    size_t len = 0, all = strlen(text);
    for (size_t at = 0; at < all;) {
        uint32_t character;
        size_t n = utf8_next(text + at, all - at, &character);
        if (n == 0)
            break;
        if (len + n + 4 > sizeof line) {
            memcpy(line + len, "...", 3);
            len += 3;
            break;
        }
        if (utf8_printable(text + at, n)) {
            memcpy(line + len, text + at, n);
            len += n;
        } else {
            line[len++] = ' ';
        }
        at += n;
    }
    return arena_text(r->arena, line, len);
}

static bool ends_ours(const struct reader *r, const char *system, const char *name)
{
    char own[ADDRESS_BYTES];
    (void)snprintf(own, sizeof own, "%s/CodeSystem/sachet-%s", r->partners->base, name);
    return strcmp(system, own) == 0;
}

/* The code of a concept in one of our own systems, NULL when it has none. */
static const char *own_code(const struct reader *r, const json_t *concept, const char *name)
{
    size_t i;
    json_t *coding;
    json_array_foreach(json_object_get(concept, "coding"), i, coding)
    {
        if (ends_ours(r, fhir_text(coding, "system"), name))
            return fhir_text(coding, "code");
    }
    return NULL;
}

/*
 * What a concept means: by our own code system of answers, else by the site's table. 1 and *ret; 0 for a
 * concept without codings; E_INPUT for codes that nobody listed.
 */
static int concept_means(struct reader *r, const json_t *concept, enum task_result *ret)
{
    size_t i;
    json_t *coding;
    const json_t *codings = json_object_get(concept, "coding");
    const char *own = own_code(r, concept, "answer");
    if (own)
        return task_result_parse(own, ret)
                   ? 1
                   : error_set(r->err, E_INPUT, "\"%.40s\" is no word for an answer", own);
    json_array_foreach(codings, i, coding)
    {
        const char *code = fhir_text(coding, "code");
        if (partners_answer(r->partners, fhir_text(coding, "system"), code, ret)) {
            char kept[80];
            (void)snprintf(kept, sizeof kept, "%.60s", code);
            if (utf8_printable(kept, strlen(kept)))
                (void)json_object_set_new(r->facts, "code", json_string(kept));
            return 1;
        }
    }
    if (json_array_size(codings) == 0)
        return 0;
    coding = json_array_get(codings, 0);
    return error_set(r->err, E_INPUT,
                     "the code \"%.60s\" (%.100s) is not in partners.answers of site.yaml: say there what it "
                     "means",
                     fhir_text(coding, "code"), fhir_text(coding, "system"));
}

/* The meanings that a response's codes add up to. */
struct verdict {
    bool coded;
    enum task_result result;
    bool benefit; /* an amount is to be paid */
};

static int verdict_add(struct reader *r, struct verdict *verdict, const json_t *concept)
{
    enum task_result result;
    int rc = concept ? concept_means(r, concept, &result) : 0;
    if (rc <= 0)
        return rc;
    if (verdict->coded && verdict->result != result)
        return error_set(r->err, E_INPUT, "its codes say both \"%s\" and \"%s\"",
                         task_result_text(verdict->result), task_result_text(result));
    verdict->coded = true;
    verdict->result = result;
    return 0;
}

static const char *standard_code(const json_t *concept, const char *system)
{
    size_t i;
    json_t *coding;
    json_array_foreach(json_object_get(concept, "coding"), i, coding)
    {
        if (strcmp(fhir_text(coding, "system"), system) == 0)
            return fhir_text(coding, "code");
    }
    return "";
}

static int adjudications_read(struct reader *r, struct verdict *verdict, const json_t *list)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        const char *category = standard_code(json_object_get(row, "category"), ADJUDICATION);
        const json_t *value = json_object_get(json_object_get(row, "amount"), "value");
        int64_t milli;
        int rc = verdict_add(r, verdict, json_object_get(row, "reason"));
        if (rc < 0)
            return rc;
        if (strcmp(category, "benefit") == 0 && json_is_number(value) && json_number_value(value) > 0)
            verdict->benefit = true;
        if (strcmp(category, "copay") == 0 && json_is_number(value) &&
            quantity_from_double(json_number_value(value), &milli) && milli >= 0 && milli % 10 == 0 &&
            milli <= INT64_C(10000000000))
            (void)json_object_set_new(r->facts, "copay_cents", json_integer(milli / 10));
    }
    return 0;
}

/* A date element, whole days only. */
static bool day_of(const json_t *object, const char *key, int32_t *ret_day)
{
    int32_t first, last;
    const char *text = fhir_text(object, key);
    if (!text[0] || !fhir_date_read(text, &first, &last) || first != last)
        return false;
    *ret_day = first;
    return true;
}

static void fact_day_set(struct reader *r, const char *key, int32_t day)
{
    char text[CIVIL_TEXT_BYTES];
    civil_format(day, text);
    (void)json_object_set_new(r->facts, key, json_string(text));
}

/* R4 has no place for "too soon until": our extension of ClaimResponse says it as a date. */
static bool earliest_of(const struct reader *r, const json_t *resource, int32_t *ret_day)
{
    char url[ADDRESS_BYTES];
    size_t i;
    json_t *extension;
    (void)snprintf(url, sizeof url, "%s/StructureDefinition/sachet-earliest-fill", r->partners->base);
    json_array_foreach(json_object_get(resource, "extension"), i, extension)
    {
        if (strcmp(fhir_text(extension, "url"), url) == 0)
            return day_of(extension, "valueDate", ret_day);
    }
    return false;
}

static int task_reference(struct reader *r, const json_t *reference, const char *type)
{
    const char *text = fhir_text(reference, "reference");
    r->news->task = partners_task_of(r->partners, type, text);
    if (r->news->task == 0)
        return error_set(r->err, E_INPUT, "it answers \"%.80s\", which is no %s of ours", text, type);
    return 0;
}

static int status_active(struct reader *r, const json_t *resource)
{
    const char *status = fhir_text(resource, "status");
    if (strcmp(status, "active") == 0)
        return 0;
    return error_set(r->err, E_INPUT, "its status is \"%.30s\": only an active one is an answer", status);
}

static void answer_set(struct reader *r, enum task_result result, const char *note)
{
    r->news->what = NEWS_ANSWER;
    r->news->answer.result = result;
    r->news->answer.note = one_line(r, note);
}

static int event_set(struct reader *r, enum task_event event, const char *note)
{
    r->news->what = NEWS_EVENT;
    r->news->event = event;
    r->news->note = one_line(r, note);
    return 0;
}

/* outcome queued: they have it. True when that is all it says. */
static bool only_queued(struct reader *r, const json_t *resource)
{
    if (strcmp(fhir_text(resource, "outcome"), "queued") != 0)
        return false;
    (void)event_set(r, TASK_EVENT_RECEIVED, fhir_text(resource, "disposition"));
    return true;
}

static int outcome_check(struct reader *r, const json_t *resource)
{
    const char *outcome = fhir_text(resource, "outcome");
    if (strcmp(outcome, "complete") == 0 || strcmp(outcome, "error") == 0)
        return 0;
    return error_set(r->err, E_INPUT, "its outcome is \"%.30s\": only complete, error and queued are read",
                     outcome);
}

static int errors_read(struct reader *r, struct verdict *verdict, const json_t *resource)
{
    size_t i;
    json_t *row;
    int rc = 0;
    json_array_foreach(json_object_get(resource, "error"), i, row)
    {
        if (rc == 0)
            rc = verdict_add(r, verdict, json_object_get(row, "code"));
    }
    return rc;
}

/* The dates and numbers of a claim's answer. */
static int claim_terms(struct reader *r, const json_t *resource, enum task_result result)
{
    const json_t *period = json_object_get(resource, "preAuthPeriod");
    struct task_answer *answer = &r->news->answer;
    int32_t day;
    answer->reference = one_line(r, fhir_text(resource, "preAuthRef"));
    if (day_of(period, "start", &day))
        fact_day_set(r, "valid_from", day);
    if (day_of(period, "end", &day)) {
        fact_day_set(r, "valid_to", day);
        answer->until_day = day;
    }
    if (result != TASK_TOO_SOON)
        return 0;
    if (!earliest_of(r, resource, &day))
        return error_set(r->err, E_INPUT,
                         "it says \"too soon\" without the extension %s/StructureDefinition/"
                         "sachet-earliest-fill and its valueDate",
                         r->partners->base);
    answer->until_day = day;
    return 0;
}

static int claim_read(struct reader *r, const json_t *resource)
{
    struct verdict verdict = {0};
    size_t i;
    json_t *item;
    int rc = status_active(r, resource);
    if (rc == 0)
        rc = task_reference(r, json_object_get(resource, "request"), "Claim");
    if (rc < 0 || only_queued(r, resource))
        return rc;
    rc = outcome_check(r, resource);
    if (rc == 0)
        rc = errors_read(r, &verdict, resource);
    if (rc == 0)
        rc = adjudications_read(r, &verdict, json_object_get(resource, "adjudication"));
    json_array_foreach(json_object_get(resource, "item"), i, item)
    {
        if (rc == 0)
            rc = adjudications_read(r, &verdict, json_object_get(item, "adjudication"));
    }
    if (rc < 0)
        return rc;
    bool error = strcmp(fhir_text(resource, "outcome"), "error") == 0;
    if (!verdict.coded && !error && (verdict.benefit || fhir_text(resource, "preAuthRef")[0])) {
        verdict.coded = true;
        verdict.result = TASK_APPROVED;
    }
    if (!verdict.coded)
        return error_set(r->err, E_INPUT,
                         "it does not say what was decided: no known code, no preAuthRef, no benefit");
    if (error && (verdict.result == TASK_APPROVED || verdict.result == TASK_CHANGED))
        return error_set(r->err, E_INPUT, "its outcome is an error, its codes say \"%s\"",
                         task_result_text(verdict.result));
    answer_set(r, verdict.result, fhir_text(resource, "disposition"));
    return claim_terms(r, resource, verdict.result);
}

static int eligibility_read(struct reader *r, const json_t *resource)
{
    struct verdict verdict = {0};
    const json_t *insurance = json_object_get(resource, "insurance");
    const json_t *inforce = json_object_get(json_array_get(insurance, 0), "inforce");
    int rc = status_active(r, resource);
    if (rc == 0)
        rc = task_reference(r, json_object_get(resource, "request"), "CoverageEligibilityRequest");
    if (rc < 0 || only_queued(r, resource))
        return rc;
    rc = outcome_check(r, resource);
    if (rc == 0)
        rc = errors_read(r, &verdict, resource);
    if (rc < 0)
        return rc;
    if (!verdict.coded && json_array_size(insurance) == 1 && json_is_boolean(inforce)) {
        verdict.coded = true;
        verdict.result = json_is_true(inforce) ? TASK_APPROVED : TASK_DENIED;
    }
    if (!verdict.coded)
        return error_set(r->err, E_INPUT, "it does not say whether the insurance is in force");
    answer_set(r, verdict.result, fhir_text(resource, "disposition"));
    return 0;
}

/* Outputs of a Task with a code of ours are facts of the answer. */
static void outputs_read(struct reader *r, const json_t *resource)
{
    static const char *const members[] = {
        [FACT_TEXT] = "valueString", [FACT_COUNT] = "valueInteger", [FACT_DAY] = "valueDate"};
    size_t i;
    json_t *output;
    json_array_foreach(json_object_get(resource, "output"), i, output)
    {
        const char *key = own_code(r, json_object_get(output, "type"), "fact");
        for (size_t k = 0; key && k < task_fact_count; k++) {
            json_t *value = json_object_get(output, members[task_facts[k].type]);
            if (value && strcmp(task_facts[k].key, key) == 0)
                (void)json_object_set(r->facts, key, value); /* facts_read looks at it once more */
        }
    }
}

static const char *task_words(const json_t *resource)
{
    const json_t *note = json_array_get(json_object_get(resource, "note"), 0);
    const char *reason = fhir_concept_text(json_object_get(resource, "statusReason"));
    return reason[0] ? reason : fhir_text(note, "text");
}

/* A Task that is completed says in businessStatus what came of it. */
static int task_completed(struct reader *r, const json_t *resource)
{
    enum task_result result;
    int32_t day;
    int rc = concept_means(r, json_object_get(resource, "businessStatus"), &result);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return error_set(r->err, E_INPUT,
                         "the Task is completed without a businessStatus that says what came of it");
    outputs_read(r, resource);
    answer_set(r, result, task_words(resource));
    if (json_is_string(json_object_get(r->facts, result == TASK_TOO_SOON ? "earliest" : "valid_to")) &&
        civil_parse(fhir_text(r->facts, result == TASK_TOO_SOON ? "earliest" : "valid_to"), &day))
        r->news->answer.until_day = day;
    return 0;
}

static int task_status_read(struct reader *r, const json_t *resource)
{
    static const struct {
        const char *status;
        enum task_event event;
    } events[] = {{"received", TASK_EVENT_RECEIVED},   {"accepted", TASK_EVENT_ACCEPTED},
                  {"in-progress", TASK_EVENT_STARTED}, {"on-hold", TASK_EVENT_HELD},
                  {"rejected", TASK_EVENT_REFUSED},    {"failed", TASK_EVENT_FAILED}};
    const char *status = fhir_text(resource, "status"), *id = fhir_text(resource, "id");
    r->news->task = partners_task_of(r->partners, NULL, id);
    if (r->news->task == 0)
        return error_set(r->err, E_INPUT, "Task \"%.64s\" is none of ours", id);
    if (strcmp(status, "completed") == 0)
        return task_completed(r, resource);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].status, status) == 0)
            return event_set(r, events[i].event, task_words(resource));
    }
    if (strcmp(status, "requested") == 0 || strcmp(status, "ready") == 0)
        return 0; /* our own, come back: nothing new */
    return error_set(r->err, E_INPUT, "the status \"%.30s\" of a Task is not one that others may give it",
                     status);
}

static void count_fact(struct reader *r, const char *key, const json_t *quantity)
{
    const json_t *value = json_object_get(quantity, "value");
    int64_t milli;
    if (json_is_number(value) && quantity_from_double(json_number_value(value), &milli) && milli >= 0 &&
        milli % QUANTITY_ONE == 0 && milli / QUANTITY_ONE <= 1000000000)
        (void)json_object_set_new(r->facts, key, json_integer(milli / QUANTITY_ONE));
}

/* A new prescription grants what was asked or something like it. Which of the two is judged by whoever knows
 * what was asked (exchange.c); here it is "changed". */
static int prescription_read(struct reader *r, const json_t *resource)
{
    const json_t *supply = json_object_get(resource, "dispenseRequest");
    const json_t *period = json_object_get(supply, "validityPeriod");
    const json_t *repeats = json_object_get(supply, "numberOfRepeatsAllowed");
    const char *intent = fhir_text(resource, "intent");
    int32_t day;
    int rc = status_active(r, resource);
    if (rc == 0 && strcmp(intent, "order") != 0 && strcmp(intent, "original-order") != 0 &&
        strcmp(intent, "reflex-order") != 0)
        rc = error_set(r->err, E_INPUT, "its intent is \"%.30s\": that is no prescription", intent);
    if (rc == 0)
        rc = task_reference(r, json_array_get(json_object_get(resource, "basedOn"), 0), "MedicationRequest");
    if (rc < 0)
        return rc;
    count_fact(r, "quantity", json_object_get(supply, "quantity"));
    count_fact(r, "days", json_object_get(supply, "expectedSupplyDuration"));
    if (json_is_integer(repeats) && json_integer_value(repeats) >= 0 && json_integer_value(repeats) < 1000)
        (void)json_object_set(r->facts, "repeats", (json_t *)(uintptr_t)repeats);
    if (day_of(period, "start", &day))
        fact_day_set(r, "valid_from", day);
    if (day_of(period, "end", &day)) {
        fact_day_set(r, "valid_to", day);
        r->news->answer.until_day = day;
    }
    (void)json_object_set_new(r->facts, "new_order", json_string(fhir_text(resource, "id")));
    answer_set(r, TASK_CHANGED, "");
    r->news->prescription = resource;
    return 0;
}

/* What a patient writes is for a person to read, unless a category says in our own words what it comes to. */
static int communication_read(struct reader *r, const json_t *resource)
{
    const char *status = fhir_text(resource, "status");
    const json_t *payload = json_array_get(json_object_get(resource, "payload"), 0);
    enum task_result result = TASK_NEEDS_MORE;
    size_t i;
    json_t *category;
    int rc =
        task_reference(r, json_array_get(json_object_get(resource, "basedOn"), 0), "CommunicationRequest");
    if (rc < 0)
        return rc;
    if (strcmp(status, "not-done") == 0)
        return event_set(r, TASK_EVENT_FAILED, fhir_concept_text(json_object_get(resource, "statusReason")));
    if (strcmp(status, "in-progress") == 0)
        return event_set(r, TASK_EVENT_STARTED, "");
    if (strcmp(status, "completed") != 0)
        return error_set(r->err, E_INPUT,
                         "its status is \"%.30s\": completed, in-progress and not-done are read", status);
    json_array_foreach(json_object_get(resource, "category"), i, category)
    {
        const char *own = own_code(r, category, "answer");
        if (own && !task_result_parse(own, &result))
            return error_set(r->err, E_INPUT, "\"%.40s\" is no word for an answer", own);
    }
    answer_set(r, result, fhir_text(payload, "contentString"));
    return 0;
}

/* Which resources are read, and what they are answers to (a type of task_kinds, NULL: any kind). */
static const struct {
    const char *type;
    const char *about;
    int (*read)(struct reader *r, const json_t *resource); /* NULL: a companion */
} readers[] = {
    {"ClaimResponse", "Claim", claim_read},
    {"CoverageEligibilityResponse", "CoverageEligibilityRequest", eligibility_read},
    {"Task", NULL, task_status_read},
    {"MedicationRequest", "MedicationRequest", prescription_read},
    {"Communication", "CommunicationRequest", communication_read},
    {"Patient", "", NULL},
    {"Organization", "", NULL},
    {"Practitioner", "", NULL},
    {"PractitionerRole", "", NULL},
    {"Coverage", "", NULL},
    {"Medication", "", NULL},
};

bool news_fits(const char *type, enum task_kind kind)
{
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(readers[i].type, type) == 0)
            return !readers[i].about || strcmp(readers[i].about, task_kinds[kind].resource) == 0;
    }
    return false;
}

static int key_set(struct reader *r, const json_t *resource, const char *type, const char *hash)
{
    const char *id = fhir_text(resource, "id");
    const char *version = fhir_text(json_object_get(resource, "meta"), "versionId");
    if (!partners_id_valid(id))
        return error_set(r->err, E_INPUT, "a %s without a valid id cannot be told from another", type);
    if (version[0] && !partners_id_valid(version))
        return error_set(r->err, E_INPUT, "its meta.versionId is no FHIR id");
    if (version[0])
        (void)snprintf(r->news->key, NEWS_KEY_BYTES, "%s/%s/%s", type, id, version);
    else
        (void)snprintf(r->news->key, NEWS_KEY_BYTES, "%s/%s/#%.*s", type, id, NEWS_HASH_SHOWN, hash);
    return 0;
}

static int source_set(struct reader *r, const char *type, const json_t *resource)
{
    char source[PARTNERS_ID_BYTES + 60];
    (void)snprintf(source, sizeof source, "%s/%s", type, fhir_text(resource, "id")); /* checked lengths */
    r->news->answer.source = arena_text(r->arena, source, strlen(source));
    r->news->answer.task = r->news->task;
    char *facts = json_dumps(r->facts, JSON_COMPACT | JSON_SORT_KEYS);
    r->news->answer.facts = facts ? arena_text(r->arena, facts, strlen(facts)) : NULL;
    free(facts);
    return r->news->answer.source && r->news->answer.facts
               ? 0
               : error_set(r->err, E_MEMORY, "out of memory reading a message");
}

int news_read(const json_t *resource, const char *hash, const struct partners *partners, struct arena *arena,
              struct news *ret_news, struct error *err)
{
    const char *type = fhir_text(resource, "resourceType"), *url;
    size_t i = 0, count = sizeof readers / sizeof readers[0];
    *ret_news =
        (struct news){.note = "", .answer = {.until_day = CIVIL_DAY_NONE, .reference = "", .note = ""}};
    while (i < count && strcmp(readers[i].type, type) != 0)
        i++;
    if (i == count)
        return error_set(err, E_INPUT, "a resource of type \"%.40s\" is not read here", type);
    if (!readers[i].read)
        return 0;
    if (fhir_has_modifier(resource, &url) || fhir_has_key(resource, "implicitRules"))
        return error_set(err, E_INPUT, "%s: an element changes its meaning in a way that is not known here",
                         type);
    struct reader r = {.partners = partners, .arena = arena, .news = ret_news, .err = err};
    r.facts = json_object();
    int rc = r.facts ? key_set(&r, resource, type, hash)
                     : error_set(err, E_MEMORY, "out of memory reading a message");
    if (rc == 0)
        rc = readers[i].read(&r, resource);
    if (rc == 0)
        rc = source_set(&r, type, resource);
    json_decref(r.facts);
    return rc < 0 ? error_prefix(err, rc, "%s/%.64s", type, fhir_text(resource, "id")) : 0;
}
