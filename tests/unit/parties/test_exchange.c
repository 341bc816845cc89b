/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds of messages against a port in memory: what is written, what an answer does, what is put aside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/parties/exchange.h"
#include "controller/parties/partners.h"
#include "controller/parties/port.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

enum { TODAY = 20778 /* 2026-11-21 */, FILES = 40 };

#define BASE          "https://pharmacy.example/fhir"
#define EARLIEST      BASE "/StructureDefinition/sachet-earliest-fill"
#define BY_CODE(code) "{\"coding\":[{\"system\":\"https://payer.example/codes\",\"code\":\"" code "\"}]}"
#define OUR(word)     "{\"coding\":[{\"system\":\"" BASE "/CodeSystem/sachet-answer\",\"code\":\"" word "\"}]}"
#define CLAIM(id, rest)                                                                        \
    "{\"resourceType\":\"ClaimResponse\",\"id\":\"" id "\",\"status\":\"active\",\"request\":" \
    "{\"reference\":\"Claim/sachet-1\"}," rest "}"

/* A port whose files are strings. */
struct memory_port {
    struct port port;
    char *in[FILES];
    enum port_fate fate[FILES];
    char reason[FILES][EXCHANGE_WHY_BYTES];
    int in_count, at;
    char name[FILES][PARTNERS_NAME_BYTES];
    char *out[FILES];
    int out_count;
    int fail_write; /* the n-th write fails, from 1; 0 none */
};

struct fixture {
    struct clinic clinic;
    struct arena arena;
    struct task_act act;
    struct partners partners;
    struct memory_port port;
    struct exchange_count count;
    int64_t patient;
    struct error err;
};

static int memory_write(struct port *port, const char *name, const void *bytes, size_t len, struct error *err)
{
    struct memory_port *m = (struct memory_port *)port;
    if (m->fail_write > 0 && --m->fail_write == 0)
        return error_set(err, E_FILE, "disk gone");
    int i = 0;
    while (i < m->out_count && strcmp(m->name[i], name) != 0)
        i++;
    if (i == m->out_count) {
        assert_true(m->out_count < FILES);
        (void)snprintf(m->name[m->out_count++], PARTNERS_NAME_BYTES, "%s", name);
    } else {
        /* written again: the same bytes */
        assert_memory_equal(m->out[i], bytes, len);
        free(m->out[i]);
    }
    m->out[i] = strndup(bytes, len);
    assert_non_null(m->out[i]);
    return 0;
}

static int memory_next(struct port *port, struct port_item *ret_item, struct error *err)
{
    struct memory_port *m = (struct memory_port *)port;
    (void)err;
    if (m->at == m->in_count)
        return 0;
    *ret_item = (struct port_item){.bytes = m->in[m->at], .len = strlen(m->in[m->at])};
    (void)snprintf(ret_item->name, sizeof ret_item->name, "file-%d.json", m->at);
    m->at++;
    return 1;
}

static int memory_settle(struct port *port, const struct port_item *item, enum port_fate fate,
                         const char *reason, struct error *err)
{
    struct memory_port *m = (struct memory_port *)port;
    (void)item;
    (void)err;
    m->fate[m->at - 1] = fate;
    (void)snprintf(m->reason[m->at - 1], EXCHANGE_WHY_BYTES, "%s", reason);
    return 0;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic,
                "partners: {answers: [{code: S1, system: \"https://payer.example/codes\", means: too-soon}, "
                "{code: D1, means: denied}, {code: A1, means: approved}], "
                "requests: [{kind: override, system: \"https://payer.example/codes\", code: OV}]}\n",
                NULL);
    arena_init(&f->arena, 0);
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    clinic_product(&f->clinic, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    struct reading reading = clinic_daily(1, 1000);
    (void)clinic_order(&f->clinic, f->patient, "o1", "AMLO", &reading);
    f->act = (struct task_act){.actor = "tester", .wall_ms = 1795219200000, .today = TODAY};
    partners_read(f->clinic.site, &f->partners);
    f->port.port = (struct port){.write = memory_write, .next = memory_next, .settle = memory_settle};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < f->port.out_count; i++)
        free(f->port.out[i]);
    for (int i = 0; i < f->port.in_count; i++)
        free(f->port.in[i]);
    arena_finish(&f->arena);
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static int64_t open_kind(struct fixture *f, enum task_kind kind)
{
    int64_t id = 0;
    enum task_opening opening;
    struct task_request r = {.kind = kind,
                             .patient = kind == TASK_PURCHASE ? 0 : f->patient,
                             .subject = "order o1",
                             .due_day = TODAY + 10,
                             .facts = "{\"order\":\"o1\",\"product\":\"AMLO\",\"quantity\":28,\"days\":28,"
                                      "\"text\":\"Anything new?\"}"};
    int rc = store_write_begin(f->clinic.store, &f->err);
    if (rc == 0)
        rc = task_open(f->clinic.store, &f->act, &r, &id, &opening, &f->err);
    if (rc == 0)
        rc = store_write_commit(f->clinic.store, &f->err);
    if (rc < 0)
        fail_msg("%s", f->err.message);
    return id;
}

static void run_or_fail(struct fixture *f)
{
    if (exchange_run(f->clinic.store, &f->partners, &f->port.port, &f->act, NULL, &f->count, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

/* One more file for the inbox; its number. */
static int arrives(struct fixture *f, const char *text)
{
    assert_true(f->port.in_count < FILES);
    f->port.in[f->port.in_count] = strdup(text);
    assert_non_null(f->port.in[f->port.in_count]);
    return f->port.in_count++;
}

static struct task task_of(struct fixture *f, int64_t id)
{
    struct task task;
    if (task_get(f->clinic.store, id, &f->arena, &task, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return task;
}

static struct task_answer standing(struct fixture *f, int64_t id)
{
    struct task_answer a;
    if (task_answer_standing(f->clinic.store, id, &f->arena, &a, &f->err) < 0)
        fail_msg("%s", f->err.message);
    return a;
}

static void each_kind_is_written_once_with_what_it_is_about(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < TASK_KINDS; k++)
        (void)open_kind(f, (enum task_kind)k);
    run_or_fail(f);
    assert_int_equal(f->count.written, TASK_KINDS);
    assert_int_equal(f->count.unwritten, 0);
    for (int i = 0; i < f->port.out_count; i++) {
        json_t *bundle = json_loads(f->port.out[i], 0, NULL);
        assert_non_null(bundle);
        bool has_task = false, has_about = false;
        size_t n;
        json_t *entry;
        int64_t id = 0;
        json_array_foreach(json_object_get(bundle, "entry"), n, entry)
        {
            const json_t *resource = json_object_get(entry, "resource");
            const char *type = json_string_value(json_object_get(resource, "resourceType"));
            if (strcmp(type, "Task") == 0) {
                has_task = true;
                id = partners_task_of(&f->partners, NULL, json_string_value(json_object_get(resource, "id")));
                assert_string_equal(json_string_value(json_object_get(resource, "status")), "requested");
            }
        }
        assert_true(has_task && id > 0);
        const char *about = task_kinds[task_of(f, id).kind].resource;
        json_array_foreach(json_object_get(bundle, "entry"), n, entry)
        {
            const json_t *resource = json_object_get(entry, "resource");
            has_about |= strcmp(json_string_value(json_object_get(resource, "resourceType")), about) == 0;
        }
        assert_true(has_about || about[0] == '\0');
        json_decref(bundle);
        assert_int_equal(task_of(f, id).state, TASK_REQUESTED);
    }
    run_or_fail(f);
    assert_int_equal(f->count.written, 0);
}

static void a_round_cut_off_before_the_store_writes_the_same_bytes_again(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < TASK_KINDS; k++)
        (void)open_kind(f, (enum task_kind)k);
    run_or_fail(f);
    /* As if none had been marked: the port compares the bytes. */
    clinic_exec(&f->clinic, "UPDATE task SET sent = 0, state = 'draft'");
    f->act.wall_ms += 86400000;
    run_or_fail(f);
    assert_int_equal(f->count.written, TASK_KINDS);
    assert_int_equal(f->port.out_count, TASK_KINDS);
}

static void a_disk_that_fails_loses_no_request(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < TASK_KINDS; k++)
        (void)open_kind(f, (enum task_kind)k);
    f->port.fail_write = 4;
    assert_int_equal(
        exchange_run(f->clinic.store, &f->partners, &f->port.port, &f->act, NULL, &f->count, &f->err),
        E_FILE);
    assert_int_equal(f->port.out_count, 3);
    run_or_fail(f);
    assert_int_equal(f->port.out_count, TASK_KINDS);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task WHERE sent < revision"), 0);
}

static void what_rises_and_what_is_taken_back_is_told(void **state)
{
    struct fixture *f = *state;
    int64_t id = open_kind(f, TASK_TEST_CLAIM);
    run_or_fail(f);
    f->act.today = TODAY + 20;
    run_or_fail(f);
    assert_int_equal(f->count.raised, 1);
    assert_int_equal(f->count.written, 1);
    assert_string_equal(f->port.name[1], "payer/test-claim-1-2.json");
    assert_non_null(strstr(f->port.out[1], "\"priority\": \"stat\""));
    assert_int_equal(store_write_begin(f->clinic.store, &f->err), 0);
    assert_int_equal(task_cancel(f->clinic.store, &f->act, id, "drug stopped", &f->err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &f->err), 0);
    run_or_fail(f);
    assert_string_equal(f->port.name[2], "payer/test-claim-1-3.json");
    assert_non_null(strstr(f->port.out[2], "\"status\": \"cancelled\""));
}

/* What an answer to task 1 comes to. */
static const struct {
    enum task_kind kind;
    const char *text;
    enum task_result result;
    int until; /* days from today; -1: none */
} good[] = {
    {TASK_TEST_CLAIM,
     CLAIM("r", "\"outcome\":\"complete\",\"item\":[{\"itemSequence\":1,\"adjudication\":[{\"category\":{"
                "\"coding\":[{"
                "\"system\":\"http://terminology.hl7.org/CodeSystem/adjudication\",\"code\":\"benefit\"}]},"
                "\"amount\":{\"value\":12.5,\"currency\":\"USD\"}},{\"category\":{\"coding\":[{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/adjudication\",\"code\":\"copay\"}]},"
                "\"amount\":{\"value\":3.75,\"currency\":\"USD\"}}]}]"),
     TASK_APPROVED, -1},
    {TASK_PRIOR_AUTH,
     CLAIM("r",
           "\"outcome\":\"complete\",\"preAuthRef\":\"PA77\",\"preAuthPeriod\":{\"start\":\"2026-11-21\","
           "\"end\":\"2026-11-28\"}"),
     TASK_APPROVED, 7},
    {TASK_TEST_CLAIM,
     CLAIM("r",
           "\"outcome\":\"error\",\"extension\":[{\"url\":\"" EARLIEST "\",\"valueDate\":\"2026-11-30\"}],"
           "\"error\":[{\"code\":" BY_CODE("S1") "}]"),
     TASK_TOO_SOON, 9},
    {TASK_OVERRIDE, CLAIM("r", "\"outcome\":\"complete\",\"error\":[{\"code\":" BY_CODE("D1") "}]"),
     TASK_DENIED, -1},
    {TASK_OVERRIDE,
     CLAIM("r",
           "\"outcome\":\"complete\",\"adjudication\":[{\"category\":{\"text\":\"x\"},\"reason\":" BY_CODE(
               "A1") "}]"),
     TASK_APPROVED, -1},
    {TASK_ELIGIBILITY,
     "{\"resourceType\":\"CoverageEligibilityResponse\",\"id\":\"e\",\"status\":\"active\",\"outcome\":"
     "\"complete\","
     "\"request\":{\"reference\":\"CoverageEligibilityRequest/"
     "sachet-1\"},\"insurance\":[{\"inforce\":false}]}",
     TASK_DENIED, -1},
    {TASK_RENEWAL,
     "{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"meta\":{\"versionId\":\"9\"},\"status\":\"completed\","
     "\"businessStatus\":" OUR("denied") ",\"note\":[{\"text\":\"See me\\nfirst\"}]}",
     TASK_DENIED, -1},
    {TASK_RENEWAL, "{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"status\":\"rejected\"}", TASK_DENIED,
     -1},
    {TASK_RENEWAL,
     "{\"resourceType\":\"MedicationRequest\",\"id\":\"n1\",\"status\":\"active\",\"intent\":\"order\","
     "\"subject\":{\"reference\":\"https://x.example/Patient/p1\"},\"basedOn\":[{"
     "\"reference\":\"https://x.example/MedicationRequest/"
     "sachet-1\"}],\"dispenseRequest\":{\"numberOfRepeatsAllowed\":5,"
     "\"validityPeriod\":{\"end\":\"2027-11-21\"}}}",
     TASK_CHANGED, 365},
    {TASK_PRESHIP,
     "{\"resourceType\":\"Communication\",\"id\":\"c\",\"status\":\"completed\",\"basedOn\":[{\"reference\":"
     "\"CommunicationRequest/sachet-1\"}],\"category\":[" OUR("approved") "]}",
     TASK_APPROVED, -1},
    {TASK_PRESHIP,
     "{\"resourceType\":\"Communication\",\"id\":\"c\",\"status\":\"completed\",\"basedOn\":[{\"reference\":"
     "\"CommunicationRequest/sachet-1\"}],\"payload\":[{\"contentString\":\"I was in hospital\"}]}",
     TASK_NEEDS_MORE, -1},
};

static void answers_are_read_to_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        void *own;
        assert_int_equal(setup(&own), 0);
        struct fixture *f = own;
        int64_t id = open_kind(f, good[i].kind);
        int file = arrives(f, good[i].text);
        run_or_fail(f);
        if (f->port.fate[file] == PORT_REFUSED)
            fail_msg("row %zu: %s", i, f->port.reason[file]);
        struct task_answer a = standing(f, id);
        if (a.result != good[i].result)
            fail_msg("row %zu: %s", i, task_result_text(a.result));
        assert_int_equal(a.until_day, good[i].until < 0 ? CIVIL_DAY_NONE : TODAY + good[i].until);
        assert_int_equal(task_of(f, id).state, a.result == TASK_NEEDS_MORE ? TASK_ON_HOLD : TASK_COMPLETED);
        assert_int_equal(teardown(&own), 0);
    }
}

/* Answers to task 1, a test claim, that say nothing certain, and why. */
static const struct {
    const char *text;
    const char *says;
} bad[] = {
    {"{", "line 1"},
    {"[]", "JSON object"},
    {"{\"resourceType\":\"Observation\",\"id\":\"o\"}", "Observation"},
    {"{\"resourceType\":\"Bundle\"}", "without an entry"},
    {CLAIM("", "\"outcome\":\"complete\""), "valid id"},
    {CLAIM("r", "\"outcome\":\"complete\""), "does not say what was decided"},
    {CLAIM("r", "\"outcome\":\"complete\",\"disposition\":\"Approved!\""), "does not say what was decided"},
    {CLAIM("r", "\"outcome\":\"partial\",\"preAuthRef\":\"X\""), "partial"},
    {CLAIM("r", "\"outcome\":\"complete\",\"error\":[{\"code\":" BY_CODE("Z9") "}]"), "\"Z9\""},
    {CLAIM("r", "\"outcome\":\"complete\",\"error\":[{\"code\":" BY_CODE("S1") "}]"), "too soon"},
    {CLAIM("r",
           "\"outcome\":\"complete\",\"error\":[{\"code\":" BY_CODE("D1") "},{\"code\":" BY_CODE("A1") "}]"),
     "both"},
    {CLAIM("r", "\"outcome\":\"error\",\"error\":[{\"code\":" BY_CODE("A1") "}]"), "outcome is an error"},
    {CLAIM("r", "\"outcome\":\"complete\",\"preAuthRef\":\"X\",\"modifierExtension\":[{\"url\":\"u\"}]"),
     "meaning"},
    {"{\"resourceType\":\"ClaimResponse\",\"id\":\"r\",\"status\":\"cancelled\",\"outcome\":\"complete\","
     "\"preAuthRef\":\"X\",\"request\":{\"reference\":\"Claim/sachet-1\"}}",
     "cancelled"},
    {"{\"resourceType\":\"ClaimResponse\",\"id\":\"r\",\"status\":\"active\",\"outcome\":\"complete\","
     "\"preAuthRef\":\"X\",\"request\":{\"reference\":\"Claim/other-1\"}}",
     "no Claim of ours"},
    {"{\"resourceType\":\"ClaimResponse\",\"id\":\"r\",\"status\":\"active\",\"outcome\":\"complete\","
     "\"preAuthRef\":\"X\",\"request\":{\"reference\":\"Claim/sachet-4711\"}}",
     "4711"},
    {"{\"resourceType\":\"Communication\",\"id\":\"c\",\"status\":\"completed\",\"basedOn\":[{\"reference\":"
     "\"CommunicationRequest/sachet-1\"}]}",
     "cannot answer"},
    {"{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"status\":\"completed\"}", "what came of it"},
    {"{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"status\":\"entered-in-error\"}", "entered-in-error"},
    {"{\"resourceType\":\"Task\",\"id\":\"sachet-1x\",\"status\":\"received\"}", "none of ours"},
    {"{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"status\":\"completed\",\"businessStatus\":" OUR(
         "done") "}",
     "its answers are"},
    {"{\"resourceType\":\"ClaimResponse\",\"id\":\"r\",\"status\":\"active\",\"outcome\":\"complete\","
     "\"preAuthRef\":\"X\",\"patient\":{\"reference\":\"Patient/p2\"},\"request\":{\"reference\":\"Claim/"
     "sachet-1\"}}",
     "patient \"p2\""},
    {"{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"status\":\"received\",\"for\":{\"reference\":"
     "\"Patient/p11\"}}",
     "patient \"p11\""},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper"},
};

static void what_is_not_certain_is_put_aside_and_answers_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t id = open_kind(f, TASK_TEST_CLAIM);
    int count = (int)(sizeof bad / sizeof bad[0]);
    for (int i = 0; i < count; i++)
        assert_int_equal(arrives(f, bad[i].text), i);
    run_or_fail(f);
    assert_int_equal(f->count.refused, count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(f->port.fate[i], PORT_REFUSED);
        if (!strstr(f->port.reason[i], bad[i].says))
            fail_msg("row %d: %s", i, f->port.reason[i]);
    }
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_answer"), 0);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM inbox_resource"), 0);
    assert_int_equal(task_of(f, id).state, TASK_REQUESTED);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM audit WHERE action = 'exchange.refuse'"),
                     count);
}

#define YES CLAIM("r7", "\"outcome\":\"complete\",\"preAuthRef\":\"X\"")

static void an_answer_counts_once_however_often_it_comes(void **state)
{
    struct fixture *f = *state;
    int64_t id = open_kind(f, TASK_TEST_CLAIM);
    (void)arrives(f, YES);
    (void)arrives(f, YES);
    run_or_fail(f);
    (void)arrives(f, "  " YES "\n"); /* the same in other blanks */
    run_or_fail(f);
    assert_int_equal(f->count.repeated, 1);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_answer"), 1);
    assert_int_equal(standing(f, id).result, TASK_APPROVED);
    /* Another resource that says the same is the same answer; one that says otherwise is work. */
    (void)arrives(f, CLAIM("r8", "\"outcome\":\"complete\",\"preAuthRef\":\"X\""));
    run_or_fail(f);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task WHERE kind = 'work'"), 0);
    (void)arrives(f, CLAIM("r9", "\"outcome\":\"complete\",\"error\":[{\"code\":" BY_CODE("D1") "}]"));
    run_or_fail(f);
    assert_int_equal(standing(f, id).result, TASK_APPROVED);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task WHERE kind = 'work'"), 1);
}

static void one_version_cannot_say_two_things(void **state)
{
    struct fixture *f = *state;
    (void)open_kind(f, TASK_TEST_CLAIM);
    (void)arrives(f, CLAIM("r7", "\"meta\":{\"versionId\":\"1\"},\"outcome\":\"queued\""));
    int second = arrives(
        f, CLAIM("r7", "\"meta\":{\"versionId\":\"1\"},\"outcome\":\"complete\",\"preAuthRef\":\"X\""));
    int third = arrives(
        f, CLAIM("r7", "\"meta\":{\"versionId\":\"2\"},\"outcome\":\"complete\",\"preAuthRef\":\"X\""));
    run_or_fail(f);
    assert_int_equal(f->port.fate[second], PORT_REFUSED);
    assert_non_null(strstr(f->port.reason[second], "said something else"));
    assert_int_equal(f->port.fate[third], PORT_DONE);
    assert_int_equal(f->count.events, 1);
    assert_int_equal(f->count.answers, 1);
}

static void a_file_counts_as_a_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    int64_t id = open_kind(f, TASK_TEST_CLAIM);
    int file = arrives(f, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":" YES
                          "},{\"resource\":{\"resourceType\":\"Nonsense\",\"id\":\"n\"}}]}");
    run_or_fail(f);
    assert_int_equal(f->port.fate[file], PORT_REFUSED);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM task_answer"), 0);
    file = arrives(f, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":" YES
                      "},{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\"}}]}");
    run_or_fail(f);
    assert_int_equal(f->port.fate[file], PORT_DONE);
    assert_int_equal(standing(f, id).result, TASK_APPROVED);
}

#define RENEWED(dosage)                                                                                    \
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"n1\",\"status\":\"active\",\"intent\":\"order\","    \
    "\"subject\":{\"reference\":\"Patient/p1\"},"                                                          \
    "\"basedOn\":[{"                                                                                       \
    "\"reference\":\"MedicationRequest/"                                                                   \
    "sachet-1\"}],\"medicationCodeableConcept\":{\"coding\":[{\"system\":\"s\","                           \
    "\"code\":\"c\"}]},\"dosageInstruction\":" dosage ",\"dispenseRequest\":{\"quantity\":{\"value\":28}," \
    "\"expectedSupplyDuration\":{\"value\":28}}}"

static void a_renewed_prescription_is_as_asked_or_changed_and_waits_for_the_import(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        void *own;
        assert_int_equal(setup(&own), 0);
        struct fixture *f = own;
        clinic_exec(&f->clinic, "UPDATE order_version SET dosage = '[{\"text\":\"one a day\"}]', "
                                "drug_codes = '[{\"system\":\"s\",\"code\":\"c\"}]'");
        int64_t id = open_kind(f, TASK_RENEWAL);
        int file =
            arrives(f, same ? RENEWED("[{\"text\":\"one a day\"}]") : RENEWED("[{\"text\":\"two a day\"}]"));
        run_or_fail(f);
        assert_int_equal(standing(f, id).result, same ? TASK_APPROVED : TASK_CHANGED);
        assert_int_equal(f->port.fate[file], PORT_ORDER);
        assert_int_equal(teardown(&own), 0);
    }
}

/* Every kind that is asked of a payer or prescriber, and every answer but "done", can stand in the site file.
 */
static void site_file_takes(const char *list, const char *key, const char *word)
{
    char text[300];
    struct conf *site = NULL;
    struct error err;
    (void)snprintf(text, sizeof text,
                   "format: sachet-site/1\npharmacy: {name: P, phone: 555 0100}\n"
                   "partners: {%s: [{%s: %s, system: s, code: c}]}\n",
                   list, key, word);
    if (conf_parse(&conf_site, "site.yaml", text, strlen(text), &site, &err) < 0)
        fail_msg("%s", err.message);
    conf_destroy(site);
}

static void words_of_the_site_file_are_words_of_the_tables(void **state)
{
    for (int k = 0; k < TASK_KINDS; k++) {
        if (task_kinds[k].party == PARTY_PAYER || task_kinds[k].party == PARTY_PRESCRIBER)
            site_file_takes("requests", "kind", task_kinds[k].word);
    }
    for (int r = 0; r < TASK_DONE; r++)
        site_file_takes("answers", "means", task_result_text((enum task_result)r));
    struct fixture *f = *state;
    const char *system, *code;
    enum task_result result;
    assert_true(partners_request_code(&f->partners, TASK_OVERRIDE, &system, &code));
    assert_string_equal(code, "OV");
    assert_false(partners_request_code(&f->partners, TASK_RENEWAL, &system, &code));
    assert_true(partners_answer(&f->partners, "any", "D1", &result) && result == TASK_DENIED);
    assert_false(partners_answer(&f->partners, "other system", "S1", &result));
    assert_int_equal(partners_task_of(&f->partners, "Claim", "http://x/Claim/sachet-12/_history/3"), 12);
    assert_int_equal(partners_task_of(&f->partners, "Claim", "Claim/sachet-012"), 0);
    assert_int_equal(partners_task_of(&f->partners, "Claim", "Task/sachet-12"), 0);
    assert_int_equal(partners_task_of(&f->partners, "Claim", "MyClaim/sachet-12"), 0);
    assert_int_equal(partners_task_of(&f->partners, NULL, "sachet-99999999999999999999"), 0);
}

static void a_signed_plan_is_told_once_and_once_more_when_it_falls(void **state)
{
    struct fixture *f = *state;
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 7);
    run_or_fail(f);
    assert_int_equal(f->count.plans, 0); /* a draft is nobody's business */
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    run_or_fail(f);
    run_or_fail(f);
    assert_int_equal(f->count.plans, 0);
    assert_int_equal(f->port.out_count, 1);
    assert_non_null(strstr(f->port.out[0], "In the pouches at"));
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'superseded'");
    run_or_fail(f);
    run_or_fail(f);
    assert_int_equal(f->port.out_count, 2);
    assert_non_null(strstr(f->port.out[1], "\"revoked\""));
    assert_true(made.id > 0);
}

static void a_packed_roll_is_told_with_what_lies_in_its_good_pouches(void **state)
{
    struct fixture *f = *state;
    (void)clinic_plan(&f->clinic, f->patient, 7);
    clinic_exec(&f->clinic, "UPDATE plan SET state = 'signed'");
    clinic_exec(&f->clinic, "INSERT INTO batch (machine, state, simulated, created_by, created_ms) "
                            "VALUES ('m', 'running', 0, 't', 1)");
    for (int pouch = 1; pouch <= 7; pouch++) {
        char sql[200];
        (void)snprintf(
            sql, sizeof sql,
            "INSERT INTO job (batch_id, position, plan_id, pouch, pouch_line, pouch_hash, state) VALUES "
            "(1, %d, 1, %d, '', x'00', '%s')",
            pouch, pouch,
            pouch < 6    ? "good"
            : pouch == 6 ? "cancelled"
                         : "waiting");
        clinic_exec(&f->clinic, sql);
    }
    /* What was counted is what is told: two lots, and none of it from the pouch that was cancelled. */
    clinic_exec(&f->clinic,
                "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, changed_ms) SELECT "
                "1, code, 'whole', 'L1', 30000, 9, 1 FROM product LIMIT 1");
    clinic_exec(&f->clinic,
                "INSERT INTO machine (serial, name, simulated, session, next_seq, retired, boot, seen_ms) "
                "VALUES ('S', 'm', 0, 1, 9, 0, 1, 1)");
    clinic_exec(&f->clinic,
                "INSERT INTO fill (serial, seq, job_id, job_hash, token, state, intended_ms, result_ms) "
                "SELECT 'S', id, id, 1, 'T' || id, 'good', 1, 1795219200000 FROM job WHERE state <> "
                "'cancelled'");
    clinic_exec(
        &f->clinic,
        "INSERT INTO fill_item (fill_id, entry, bay, canister_id, product_code, piece, lot, requested, "
        "counted) SELECT f.id, 1, 1, 1, (SELECT code FROM product LIMIT 1), 'whole', CASE WHEN "
        "f.job_id < 3 THEN 'L1' ELSE 'L2' END, 1, 1 FROM fill AS f");
    run_or_fail(f);
    assert_int_equal(f->port.out_count, 1); /* the care plan: one pouch is still to be made */
    clinic_exec(&f->clinic, "UPDATE job SET state = 'good' WHERE state = 'waiting'");
    run_or_fail(f);
    run_or_fail(f);
    assert_int_equal(f->port.out_count, 2);
    assert_string_equal(f->port.name[1], "records/dispense-1-1.json");
    assert_non_null(strstr(f->port.out[1], "\"status\": \"in-progress\""));
    assert_non_null(strstr(f->port.out[1], "\"value\": 2,"));
    assert_non_null(strstr(f->port.out[1], "\"value\": 4,"));
    assert_non_null(strstr(f->port.out[1], "\"lotNumber\": \"L2\""));
    assert_null(strstr(f->port.out[1], "HTEST"));
    /* Half of it leaves, then all of it. */
    clinic_exec(&f->clinic, "INSERT INTO handover (id, patient_id, plan_id, day, note, actor, handed_ms) "
                            "VALUES (1, 1, 1, 20780, '', 't', 1795305600000)");
    clinic_exec(&f->clinic,
                "INSERT INTO handover_pouch (job_id, handover_id) SELECT id, 1 FROM job WHERE pouch < 4");
    run_or_fail(f);
    assert_int_equal(f->port.out_count, 2);
    clinic_exec(&f->clinic,
                "INSERT INTO handover_pouch (job_id, handover_id) SELECT id, 1 FROM job WHERE pouch >= 4");
    run_or_fail(f);
    run_or_fail(f);
    assert_int_equal(f->port.out_count, 3);
    assert_string_equal(f->port.name[2], "records/dispense-1-2.json");
    assert_non_null(strstr(f->port.out[2], "\"status\": \"completed\""));
    assert_non_null(strstr(f->port.out[2], "whenHandedOver"));
    clinic_exec(&f->clinic, "DELETE FROM handover_pouch");
    free(f->port.out[--f->port.out_count]);
    /* A rehearsal dispenses nothing, and says so. */
    clinic_exec(&f->clinic, "UPDATE batch SET simulated = 1");
    clinic_exec(&f->clinic, "DELETE FROM outbox_file WHERE name GLOB 'records/*'");
    free(f->port.out[1]);
    f->port.out_count = 1;
    run_or_fail(f);
    assert_non_null(strstr(f->port.out[1], "HTEST"));
    assert_non_null(strstr(f->port.out[1], "\"status\": \"preparation\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_is_written_once_with_what_it_is_about, setup, teardown),
        cmocka_unit_test_setup_teardown(a_round_cut_off_before_the_store_writes_the_same_bytes_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_loses_no_request, setup, teardown),
        cmocka_unit_test_setup_teardown(what_rises_and_what_is_taken_back_is_told, setup, teardown),
        cmocka_unit_test(answers_are_read_to_what_they_say),
        cmocka_unit_test_setup_teardown(what_is_not_certain_is_put_aside_and_answers_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_answer_counts_once_however_often_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(one_version_cannot_say_two_things, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_counts_as_a_whole_or_not_at_all, setup, teardown),
        cmocka_unit_test(a_renewed_prescription_is_as_asked_or_changed_and_waits_for_the_import),
        cmocka_unit_test_setup_teardown(words_of_the_site_file_are_words_of_the_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signed_plan_is_told_once_and_once_more_when_it_falls, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_packed_roll_is_told_with_what_lies_in_its_good_pouches, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
