/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/hl7/hl7_message.h"

#include "config/base/buf.h"
#include "config/base/civil.h"

#include <stdio.h>
#include <string.h>

const char *hl7_answer_text(enum hl7_answer answer)
{
    static const char *const texts[] = {"AA", "AE", "AR"};
    return texts[answer];
}

void hl7_escape(const char *text, struct buf *out)
{
    static const char marks[] = "|^~\\&", letters[] = "FSRET";
    for (const char *p = text; *p != '\0'; p++) {
        const char *mark = strchr(marks, *p);
        if (mark != NULL)
            buf_printf(out, "\\%c\\", letters[mark - marks]);
        else
            buf_char(out, (unsigned char)*p < 0x20 ? ' ' : *p);
    }
}

/* The types of application answers to each order message (HL7 v2.5.1, chapter 4). */
static const struct {
    const char *type, *answer, *event;
} answers[] = {{"RDE", "RRE", "O12"}, {"RDS", "RRD", "O14"}, {"OMP", "ORP", "O10"}, {"ORM", "ORR", "O02"}};

static int minor(const char *version)
{
    return version[0] == '2' && version[1] == '.' ? version[2] - '0' : 5;
}

/* O25 is answered by O26, O01 by O02. */
static void write_type(const struct hl7_header *header, bool orders, struct buf *out)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0] && orders; i++) {
        if (strcmp(answers[i].type, header->type) != 0)
            continue;
        const char *event = strcmp(header->event, "O25") == 0 ? "O26"
                            : strcmp(header->event, "O01") == 0 || header->event[0] == '\0'
                                ? "O02"
                                : answers[i].event;
        buf_printf(out, "%s^%s", answers[i].answer, event);
        if (minor(header->version) >= 4)
            buf_printf(out, "^%s_%s", answers[i].answer, event);
        return;
    }
    buf_text(out, "ACK");
    if (header->event[0] != '\0')
        buf_printf(out, "^%s", header->event);
    if (minor(header->version) >= 4 && header->event[0] != '\0')
        buf_text(out, "^ACK");
}

static void write_start(const struct hl7_header *header, enum hl7_answer answer, bool orders,
                        const char *own_id, int64_t wall_ms, struct buf *out)
{
    int year, month, mday;
    int64_t second = wall_ms / 1000 % 86400;
    civil_to_ymd(instant_day(wall_ms), &year, &month, &mday);
    buf_printf(out, "MSH|^~\\&|%s|%s|%s|%s|%04d%02d%02d%02d%02d%02d+0000||",
               header->to_application[0] ? header->to_application : "SACHET", header->to_facility,
               header->application, header->facility, year, month, mday, (int)(second / 3600),
               (int)(second / 60 % 60), (int)(second % 60));
    write_type(header, orders, out);
    buf_printf(out, "|%s|%s|%s\r", own_id, header->processing[0] ? header->processing : "P",
               header->version[0] ? header->version : "2.5.1");
    buf_printf(out, "MSA|%s|", hl7_answer_text(answer));
    hl7_escape(header->control_id, out);
}

static const char *code_text(enum hl7_code code)
{
    switch (code) {
    case HL7_ACCEPTED:
        return "Message accepted";
    case HL7_SEGMENT_SEQUENCE:
        return "Segment sequence error";
    case HL7_FIELD_MISSING:
        return "Required field missing";
    case HL7_DATA_TYPE:
        return "Data type error";
    case HL7_TABLE_VALUE:
        return "Table value not found";
    case HL7_MESSAGE_TYPE:
        return "Unsupported message type";
    case HL7_EVENT:
        return "Unsupported event code";
    case HL7_PROCESSING_ID:
        return "Unsupported processing id";
    case HL7_VERSION_ID:
        return "Unsupported version id";
    case HL7_UNKNOWN_KEY:
        return "Unknown key identifier";
    case HL7_DUPLICATE_KEY:
        return "Duplicate key identifier";
    case HL7_INTERNAL:
        return "Application internal error";
    }
    return "";
}

static void write_fault(const struct hl7_header *header, const struct hl7_fault *fault, struct buf *out)
{
    if (fault->code != HL7_ACCEPTED) { /* MSA-3: for people, and for versions without ERR-8 */
        buf_char(out, '|');
        hl7_escape(fault->text, out);
    }
    buf_char(out, '\r');
    if (fault->code == HL7_ACCEPTED)
        return;
    if (minor(header->version) >= 5)
        buf_printf(out, "ERR||%s|%d^%s^HL70357|E|||", fault->place, (int)fault->code, code_text(fault->code));
    else
        buf_printf(out, "ERR|%s^%d&%s&HL70357\r", fault->place, (int)fault->code, code_text(fault->code));
    if (minor(header->version) >= 5) {
        buf_char(out, '|');
        hl7_escape(fault->text, out);
        buf_char(out, '\r');
    }
}

void hl7_answer_refuse(const struct hl7_header *header, enum hl7_answer answer, const struct hl7_fault *fault,
                       const char *own_id, int64_t wall_ms, struct buf *out)
{
    write_start(header, answer, false, own_id, wall_ms, out);
    write_fault(header, fault, out);
}

void hl7_answer_write(const struct hl7_result *result, const struct hl7_outcome *outcomes, int outcome_count,
                      const char *own_id, int64_t wall_ms, struct buf *out)
{
    bool orders = result->answer != HL7_AR;
    write_start(&result->header, result->answer, orders, own_id, wall_ms, out);
    write_fault(&result->header, &result->fault, out);
    for (int i = 0; i < result->count && orders; i++) {
        const struct hl7_row *row = &result->rows[i];
        const char *reason = "";
        bool refused = false;
        for (int j = 0; j < outcome_count; j++) {
            if (strcmp(outcomes[j].id, row->id) == 0 && row->id[0] != '\0') {
                refused = outcomes[j].refused;
                reason = outcomes[j].reason;
            }
        }
        bool unable = result->answer != HL7_AA || (refused && !row->stops);
        const char *code = row->done == NULL ? "UA" : unable ? row->unable : row->done;
        buf_printf(out, "ORC|%s|%s|%s", code, row->placer, row->filler);
        if (reason[0] != '\0')
            buf_printf(out, "|||||||||||||%s", reason);
        buf_char(out, '\r');
    }
}
