/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/hl7/hl7_message.h"

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/hl7/hl7_request.h"
#include "controller/intake/hl7/hl7_times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The messages that are read. An event that is empty stands for MSH-9 without one, as version 2.1 allows. */
static const struct {
    const char *type, *event;
} messages[] = {
    {"RDE", "O11"}, {"RDE", "O25"}, {"RDE", "O01"}, {"RDE", ""},    {"OMP", "O09"},
    {"RDS", "O13"}, {"RDS", "O01"}, {"RDS", ""},    {"ORM", "O01"}, {"ORM", ""},
};

static const char *const versions[] = {"2.1", "2.2", "2.3",   "2.3.1", "2.4",   "2.5",  "2.5.1",
                                       "2.6", "2.7", "2.7.1", "2.8",   "2.8.1", "2.8.2"};

enum effect {
    ORDERS,  /* the group is an order */
    CHANGES, /* the group is the order anew */
    STOPS,   /* … and nothing else */
    CANCELS,
    HOLDS,
    RELEASES,
    REPLACED,  /* stopped when its replacement follows in the message */
    OUTSIDE,   /* an order that somebody else shall dispense */
    BY_STATUS, /* ORC-5 tells */
};

/* Table 0119: what is done, and the answer's code when it was done and when it could not be. */
static const struct control {
    const char *code;
    enum effect effect;
    const char *done, *unable;
} controls[] = {
    {"NW", ORDERS, "OK", "UA"},   {"RE", ORDERS, "OK", "UA"},   {"RO", ORDERS, "OK", "UA"},
    {"XO", CHANGES, "XR", "UX"},  {"XX", CHANGES, "XR", "UX"},  {"DC", STOPS, "DR", "UD"},
    {"OD", STOPS, "DR", "UD"},    {"CA", CANCELS, "CR", "UC"},  {"OC", CANCELS, "CR", "UC"},
    {"HD", HOLDS, "HR", "UH"},    {"OH", HOLDS, "HR", "UH"},    {"RL", RELEASES, "OR", "UR"},
    {"OE", RELEASES, "OR", "UR"}, {"RP", REPLACED, "RQ", "UM"}, {"RU", REPLACED, "RQ", "UM"},
    {"OP", OUTSIDE, "OK", "UA"},  {"PY", OUTSIDE, "OK", "UA"},  {"SC", BY_STATUS, "OK", "UX"},
};

/* Table 0038 (ORC-5) as FHIR's status. Empty and others that are not listed: nothing is said. */
static const struct {
    const char *code, *status;
} statuses[] = {
    {"CA", "cancelled"},        {"CM", "completed"}, {"DC", "stopped"},
    {"ER", "entered-in-error"}, {"HD", "on-hold"},   {"RP", "stopped"},
};

/* The first repetition with the separators and escapes that answers use, whatever the sender's are. */
static void raw(const struct hl7 *message, int segment, int field, char *out, size_t size)
{
    struct buf text;
    size_t kept = 0;
    buf_init_fixed(&text, out, size);
    for (int component = 1; component <= 4; component++) {
        char part[HL7_SENDER_BYTES];
        if (component > 1)
            buf_char(&text, '^');
        if (hl7_text(message, segment, field, component, part, sizeof part) > 0) {
            hl7_escape(part, &text);
            kept = text.len;
        }
    }
    out[text.failed ? 0 : kept] = '\0';
}

void hl7_header_read(const struct hl7 *message, struct hl7_header *ret)
{
    *ret = (struct hl7_header){0};
    if (message->count == 0)
        return;
    raw(message, 0, 3, ret->application, sizeof ret->application);
    raw(message, 0, 4, ret->facility, sizeof ret->facility);
    raw(message, 0, 5, ret->to_application, sizeof ret->to_application);
    raw(message, 0, 6, ret->to_facility, sizeof ret->to_facility);
    (void)hl7_text(message, 0, 10, 1, ret->control_id, sizeof ret->control_id);
    (void)hl7_text(message, 0, 9, 1, ret->type, sizeof ret->type);
    (void)hl7_text(message, 0, 9, 2, ret->event, sizeof ret->event);
    (void)hl7_text(message, 0, 11, 1, ret->processing, sizeof ret->processing);
    (void)hl7_text(message, 0, 12, 1, ret->version, sizeof ret->version);
    (void)snprintf(ret->sender, sizeof ret->sender, "%s|%s", ret->application, ret->facility);
}

/* Is it a message of ours? The first thing that is wrong decides the answer. */
static bool header_right(const struct hl7 *message, const struct hl7_header *header, const char *processing,
                         struct hl7_fault *fault)
{
    bool type = false, event = false, version = false;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        type = type || strcmp(messages[i].type, header->type) == 0;
        event = event || (strcmp(messages[i].type, header->type) == 0 &&
                          strcmp(messages[i].event, header->event) == 0);
    }
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        version = version || strcmp(versions[i], header->version) == 0;
    if (!type)
        hl7_blame(fault, HL7_MESSAGE_TYPE, "MSH^1^9",
                  "message type %s is not read here: send RDE, OMP, RDS or ORM",
                  header->type[0] ? header->type : "(none)");
    else if (!event)
        hl7_blame(fault, HL7_EVENT, "MSH^1^9", "event %s of %s is not read here", header->event,
                  header->type);
    else if (!version)
        hl7_blame(fault, HL7_VERSION_ID, "MSH^1^12", "version %s is not one of 2.1 to 2.8.2",
                  header->version[0] ? header->version : "(none)");
    else if (header->processing[0] == '\0' || header->processing[1] != '\0' ||
             strchr(processing, header->processing[0]) == NULL)
        hl7_blame(fault, HL7_PROCESSING_ID, "MSH^1^11", "processing id %s is not taken here",
                  header->processing[0] ? header->processing : "(none)");
    else if (hl7_repeats(message, 0, 14) > 0)
        hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "MSH^1^14", "a message in parts (continuation) is not taken");
    return fault->code == HL7_ACCEPTED;
}

/* Patient. */

static void segment_place(char *out, size_t size, const char *name, int number, int field)
{
    (void)snprintf(out, size, "%s^%d^%d", name, number, field);
}

/* PID-3 (a medical record number first), else PID-2 of old versions: "1234", "1234@HOSPITAL". */
static void patient_id(const struct hl7 *message, int pid, char *out, size_t size)
{
    char number[128] = "", authority[128] = "", type[16];
    int best = 1;
    for (int i = 1; i <= hl7_repeats(message, pid, 3); i++) {
        (void)hl7_get(message, (struct hl7_at){pid, 3, i, 5, 1}, type, sizeof type);
        if (strcmp(type, "MR") == 0) {
            best = i;
            break;
        }
    }
    struct hl7_at at = {pid, 3, best, 1, 1};
    if (hl7_get(message, at, number, sizeof number) == 0) {
        at = (struct hl7_at){pid, 2, 1, 1, 1};
        (void)hl7_get(message, at, number, sizeof number);
    }
    at.component = 4;
    (void)hl7_get(message, at, authority, sizeof authority);
    (void)snprintf(out, size, "%s%s%s", number, number[0] && authority[0] ? "@" : "",
                   number[0] ? authority : "");
}

static json_t *patient_read(const struct hl7 *message, int pid, const char *id)
{
    char family[128], given[128], middle[128], ts[40], day[48], dead[8];
    (void)hl7_text(message, pid, 5, 1, family, sizeof family);
    (void)hl7_text(message, pid, 5, 2, given, sizeof given);
    (void)hl7_text(message, pid, 5, 3, middle, sizeof middle);
    json_t *patient = json_pack("{s:s, s:s}", "resourceType", "Patient", "id", id);
    json_t *names = json_array();
    if (given[0] != '\0')
        (void)json_array_append_new(names, json_string(given));
    if (middle[0] != '\0')
        (void)json_array_append_new(names, json_string(middle));
    if (family[0] != '\0')
        (void)json_object_set_new(patient, "name",
                                  json_pack("[{s:s, s:O}]", "family", family, "given", names));
    json_decref(names);
    if (hl7_text(message, pid, 7, 1, ts, sizeof ts) > 0) {
        hl7_day(ts, day, sizeof day);
        (void)json_object_set_new(patient, "birthDate", json_string(day));
    }
    (void)hl7_text(message, pid, 30, 1, dead, sizeof dead);
    if (hl7_text(message, pid, 29, 1, ts, sizeof ts) > 0) {
        hl7_day(ts, day, sizeof day);
        (void)json_object_set_new(patient, "deceasedDateTime", json_string(day));
    } else if (dead[0] != '\0' && strcmp(dead, "N") != 0) {
        (void)json_object_set_new(patient, "deceasedBoolean", json_true());
    }
    return patient;
}

/* Orders. */

/* "NUMBER@NAMESPACE" of an EI; the sender's own name where the field has no namespace. */
static void order_id(const struct hl7 *message, int orc, char *out, size_t size)
{
    out[0] = '\0';
    for (int field = 2; field <= 3 && out[0] == '\0'; field++) {
        char number[128], space[128];
        if (hl7_text(message, orc, field, 1, number, sizeof number) == 0)
            continue;
        for (int component = 2; component <= 3; component++) {
            if (hl7_text(message, orc, field, component, space, sizeof space) > 0)
                break;
        }
        if (space[0] == '\0')
            (void)hl7_text(message, 0, 3, 1, space, sizeof space);
        (void)snprintf(out, size, "%s%s%s%s", field == 3 ? "filler:" : "", number, space[0] ? "@" : "",
                       space);
    }
}

struct conversion {
    const struct hl7 *message;
    const struct hl7_known *known;
    struct hl7_result *ret;
    struct error *err;
    json_t *entries;
    char patient[HL7_ID_BYTES];
};

static void add_entry(struct conversion *c, json_t *resource)
{
    if (resource != NULL)
        (void)json_array_append_new(c->entries, json_pack("{s:o}", "resource", resource));
}

static const struct control *find_control(const char *code)
{
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        if (strcmp(controls[i].code, code) == 0)
            return &controls[i];
    }
    return NULL;
}

static const char *find_status(const char *code)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (strcmp(statuses[i].code, code) == 0)
            return statuses[i].status;
    }
    return NULL;
}

/* 1 known and of this patient, 0 unknown, negative error. A known one of another patient is a fault. */
static int find_known(struct conversion *c, const char *id, const char *place, json_t **ret)
{
    char patient[HL7_ID_BYTES] = "";
    *ret = NULL;
    int found = c->known != NULL && id[0] != '\0'
                    ? c->known->find(c->known->data, id, ret, patient, sizeof patient, c->err)
                    : 0;
    if (found == 1 && strcmp(patient, c->patient) != 0) {
        hl7_blame(&c->ret->fault, HL7_UNKNOWN_KEY, place, "order %s belongs to another patient", id);
        json_decref(*ret);
        *ret = NULL;
    }
    return found;
}

/* A stored request under its new status. The status that it must have before is the caller's to check. */
static void set_status(struct conversion *c, const struct hl7_group *group, json_t *request,
                       const char *status)
{
    char reason[HL7_TEXT_BYTES];
    (void)json_object_set_new(request, "status", json_string(status));
    if (hl7_text(c->message, group->first, 16, 2, reason, sizeof reason) == 0)
        (void)hl7_text(c->message, group->first, 16, 1, reason, sizeof reason);
    if (strcmp(status, "active") == 0 || reason[0] == '\0')
        (void)json_object_del(request, "statusReason");
    else
        (void)json_object_set_new(request, "statusReason", json_pack("{s:s}", "text", reason));
}

/* A stop, hold or release of an order that is known, or whose content stands in the message. */
static int change_status(struct conversion *c, const struct hl7_group *group, struct hl7_row *row,
                         const char *status, const char *place)
{
    json_t *known;
    int found = find_known(c, row->id, place, &known);
    if (found < 0 || c->ret->fault.code != HL7_ACCEPTED)
        return found < 0 ? found : 0;
    const bool release = strcmp(status, "active") == 0, hold = strcmp(status, "on-hold") == 0;
    if (known == NULL && hl7_group_has_order(group) && !release) {
        known = hl7_request(c->message, group, c->patient);
        (void)json_object_set_new(known, "id", json_string(row->id));
    } else if (known == NULL) {
        hl7_blame(&c->ret->fault, HL7_UNKNOWN_KEY, place, "%s of order %s, which is not known here",
                  row->control, row->id[0] ? row->id : "(none)");
        return 0;
    } else {
        const char *now = fhir_text(known, "status");
        bool live = strcmp(now, "active") == 0 || strcmp(now, "on-hold") == 0;
        if ((hold || release) && !live) {
            hl7_blame(&c->ret->fault, HL7_TABLE_VALUE, place, "%s of order %s, which is %s", row->control,
                      row->id, now);
            json_decref(known);
            return 0;
        }
        if (!live) { /* stopped already: it stays as it was stopped */
            add_entry(c, known);
            return 0;
        }
    }
    set_status(c, group, known, status);
    add_entry(c, known);
    return 0;
}

/* NW, XO and the like: the whole order. */
static int take_order(struct conversion *c, const struct hl7_group *group, struct hl7_row *row,
                      const struct control *control, const char *place)
{
    char code[8];
    json_t *known;
    if (!hl7_group_has_order(group)) {
        if (group->rxd < 0)
            hl7_blame(&c->ret->fault, HL7_SEGMENT_SEQUENCE, place, "%s without RXE or RXO: no pharmacy order",
                      row->control);
        return 0;
    }
    int found = find_known(c, row->id, place, &known);
    if (found < 0 || c->ret->fault.code != HL7_ACCEPTED)
        return found < 0 ? found : 0;
    json_t *request = hl7_request(c->message, group, c->patient);
    if (row->id[0] != '\0')
        (void)json_object_set_new(request, "id", json_string(row->id));
    (void)hl7_text(c->message, group->first, 5, 1, code, sizeof code);
    const char *status = find_status(code);
    (void)json_object_set_new(request, "status", json_string(status != NULL ? status : "active"));
    if (control->effect == OUTSIDE)
        hl7_request_reason(request, REASON_CODE_CONTROL_UNCLEAR, "%s: for dispensing outside", row->control);
    if (control->effect == REPLACED)
        hl7_request_reason(request, REASON_CODE_CONTROL_UNCLEAR, "%s without the order that replaces it",
                           row->control);
    /* A new order under a number that stands for something else, a change of one that was stopped. */
    const char *before = fhir_text(known, "status");
    if (known != NULL && control->effect == ORDERS && !json_equal(known, request))
        hl7_request_reason(request, REASON_CODE_ID_CLASH, "%s under a number that is in use", row->control);
    if (known != NULL && control->effect == CHANGES && strcmp(before, "active") != 0 &&
        strcmp(before, "on-hold") != 0)
        hl7_request_reason(request, REASON_CODE_CONTROL_UNCLEAR, "%s of an order that is %s", row->control,
                           before);
    if (known != NULL && control->effect == CHANGES && strcmp(before, "on-hold") == 0 && status == NULL)
        (void)json_object_set_new(request, "status", json_string("on-hold")); /* only a release ends a hold */
    json_decref(known);
    add_entry(c, request);
    return 0;
}

static bool replacement_follows(const struct hl7 *message, int end)
{
    char control[8];
    return hl7_is(message, end, "ORC") && hl7_text(message, end, 1, 1, control, sizeof control) > 0 &&
           strcmp(control, "RO") == 0;
}

static int take_group(struct conversion *c, int first, int end, int number)
{
    char place[32], code[8];
    struct hl7_group group;
    struct hl7_result *ret = c->ret;
    struct hl7_row *row = &ret->rows[ret->count++];
    segment_place(place, sizeof place, "ORC", number, 1);
    if (!hl7_group_read(c->message, first, end, &group, &ret->fault))
        return 0;
    (void)hl7_text(c->message, first, 1, 1, row->control, sizeof row->control);
    raw(c->message, first, 2, row->placer, sizeof row->placer);
    raw(c->message, first, 3, row->filler, sizeof row->filler);
    order_id(c->message, first, row->id, sizeof row->id);
    const struct control *control = find_control(row->control);
    if (control == NULL) {
        hl7_blame(&ret->fault, row->control[0] ? HL7_TABLE_VALUE : HL7_FIELD_MISSING, place,
                  "control code %s is not one that this reader acts on",
                  row->control[0] ? row->control : "(none)");
        return 0;
    }
    row->done = control->done;
    row->unable = control->unable;
    row->stops = control->effect == STOPS || control->effect == CANCELS || control->effect == HOLDS ||
                 control->effect == BY_STATUS || control->effect == REPLACED;
    int rc = 0;
    switch (control->effect) {
    case ORDERS:
    case CHANGES:
    case OUTSIDE:
        rc = take_order(c, &group, row, control, place);
        break;
    case REPLACED:
        rc = replacement_follows(c->message, end) ? change_status(c, &group, row, "stopped", place)
                                                  : take_order(c, &group, row, control, place);
        break;
    case STOPS:
        rc = change_status(c, &group, row, "stopped", place);
        break;
    case CANCELS:
        rc = change_status(c, &group, row, "cancelled", place);
        break;
    case HOLDS:
        rc = change_status(c, &group, row, "on-hold", place);
        break;
    case RELEASES:
        rc = change_status(c, &group, row, "active", place);
        break;
    case BY_STATUS:
        (void)hl7_text(c->message, first, 5, 1, code, sizeof code);
        if (find_status(code) != NULL)
            rc = change_status(c, &group, row, find_status(code), place);
        else
            hl7_blame(&ret->fault, HL7_TABLE_VALUE, place, "SC with the status \"%s\" (ORC-5)", code);
        break;
    }
    if (rc == 0 && ret->fault.code == HL7_ACCEPTED)
        add_entry(c, hl7_dispense(c->message, &group, row->id, c->patient));
    return rc;
}

static int take_groups(struct conversion *c)
{
    const struct hl7 *message = c->message;
    struct hl7_fault *fault = &c->ret->fault;
    int pid = -1, number = 0, rc = 0;
    for (int i = 0; i < message->count; i++) {
        if (!hl7_is(message, i, "PID"))
            continue;
        if (pid >= 0)
            hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "PID", "two patients in one message");
        pid = i;
    }
    if (pid < 0) {
        hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "PID", "the message names no patient (PID)");
        return 0;
    }
    patient_id(message, pid, c->patient, sizeof c->patient);
    if (c->patient[0] == '\0') {
        hl7_blame(fault, HL7_FIELD_MISSING, "PID^1^3", "the patient has no number (PID-3)");
        return 0;
    }
    add_entry(c, patient_read(message, pid, c->patient));
    for (int i = 0; i < message->count && rc == 0 && fault->code == HL7_ACCEPTED; i++) {
        bool part = hl7_is(message, i, "RXO") || hl7_is(message, i, "RXE") || hl7_is(message, i, "RXD");
        if (part && number == 0)
            hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "ORC", "an order without its ORC");
        if (!hl7_is(message, i, "ORC"))
            continue;
        int end = i + 1;
        while (end < message->count && !hl7_is(message, end, "ORC"))
            end++;
        if (++number > HL7_ORDERS_MAX)
            hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "ORC", "more than %d orders in one message",
                      HL7_ORDERS_MAX);
        else
            rc = take_group(c, i, end, number);
    }
    if (number == 0)
        hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "ORC", "the message holds no order (ORC)");
    return rc;
}

int hl7_convert(const char *bytes, size_t len, const char *processing, const struct hl7_known *known,
                struct hl7_result *ret, struct error *err)
{
    struct hl7 message;
    struct conversion c = {.message = &message, .known = known, .ret = ret, .err = err};
    *ret = (struct hl7_result){.answer = HL7_AR};
    if (!hl7_parse(bytes, len, &message, &ret->fault))
        return 0;
    int rc = 0;
    hl7_header_read(&message, &ret->header);
    if (header_right(&message, &ret->header, processing, &ret->fault)) {
        ret->rows = calloc(HL7_ORDERS_MAX, sizeof *ret->rows);
        c.entries = json_array();
        rc = ret->rows != NULL && c.entries != NULL ? take_groups(&c)
                                                    : error_set(err, E_MEMORY, "hl7: out of memory");
        ret->answer = ret->fault.code == HL7_ACCEPTED ? HL7_AA : HL7_AE;
        if (rc == 0 && ret->answer == HL7_AA)
            ret->bundle =
                json_pack("{s:s, s:s, s:O}", "resourceType", "Bundle", "type", "message", "entry", c.entries);
        json_decref(c.entries);
    }
    hl7_finish(&message);
    if (rc == 0 && ret->answer == HL7_AA && ret->bundle == NULL)
        rc = error_set(err, E_MEMORY, "hl7: out of memory");
    return rc;
}

void hl7_result_finish(struct hl7_result *result)
{
    json_decref(result->bundle);
    free(result->rows);
    *result = (struct hl7_result){0};
}
