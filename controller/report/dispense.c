/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/report/dispense.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/intake/hl7/hl7_message.h"
#include "controller/intake/reason.h"
#include "controller/store/store.h"

static int check_batch(struct store *store, int64_t batch, bool simulated, bool *ret_simulated,
                       struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT coalesce(simulated, 0), (SELECT count(*) FROM job WHERE batch_id = b.id AND state = "
        "'good') FROM batch AS b WHERE id = ?",
        "i", batch);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "there is no batch %" PRId64, batch);
    else if (rc > 0 && store_int(rows, 1) == 0)
        rc = error_set(err, E_STATE, "no pouch of batch %" PRId64 " is packed yet", batch);
    else if (rc > 0 && store_int(rows, 0) != 0 && !simulated)
        rc = error_set(err, E_STATE,
                       "batch %" PRId64
                       " was packed by a SIMULATED machine and is no dispensing; give --simulated to "
                       "write it as a test",
                       batch);
    else if (rc > 0)
        *ret_simulated = store_int(rows, 0) != 0;
    store_done(rows);
    return rc < 0 ? rc : 0;
}

/* What was counted into good pouches; `where` says whose. */
#define ROWS_SQL(where)                                                                                      \
    "SELECT p.source_id, p.name, p.birth_day, i.product_code, r.name, r.form, r.rxcui, r.ndc, i.lot, "       \
    "sum(CASE i.piece "                                                                                      \
    "WHEN 'whole' THEN i.counted ELSE 0 END), sum(CASE i.piece WHEN 'half' THEN i.counted ELSE 0 END), "     \
    "max(f.result_ms), CASE WHEN count(o.id) = count(*) THEN max(o.handed_ms) ELSE 0 END, l.days, (SELECT "  \
    "group_concat(source_id, char(10)) FROM (SELECT v.source_id FROM plan_order AS o JOIN order_version AS " \
    "v ON "                                                                                                  \
    "v.id = o.order_version_id WHERE o.plan_id = l.id AND o.included = 1 AND v.product_code = "              \
    "i.product_code ORDER "                                                                                  \
    "BY v.source_id)), max(coalesce(b.simulated, 1)) FROM job AS j JOIN batch AS b ON b.id = j.batch_id "    \
    "JOIN fill AS "                                                                                          \
    "f ON f.job_id = j.id AND f.state = 'good' JOIN fill_item AS i ON i.fill_id = f.id JOIN plan AS l ON "   \
    "l.id = "                                                                                                \
    "j.plan_id JOIN patient AS p ON p.id = l.patient_id JOIN product AS r ON r.code = i.product_code LEFT "  \
    "JOIN "                                                                                                  \
    "handover_pouch AS h ON h.job_id = j.id LEFT JOIN handover AS o ON o.id = h.handover_id WHERE " where    \
    " AND j.state = 'good' GROUP BY p.source_id, l.id, i.product_code, i.lot ORDER BY p.source_id, l.id, "   \
    "i.product_code, i.lot"

int dispense_each(struct store *store, enum dispense_of of, int64_t id,
                  int (*each)(void *data, const struct dispense_row *row, struct error *err), void *data,
                  struct error *err)
{
    static const char *const sql[] = {
        [DISPENSE_BATCH] = ROWS_SQL("j.batch_id = ?"), [DISPENSE_PLAN] = ROWS_SQL("j.plan_id = ?")};
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, sql[of], "i", id);
    int more = 0;
    for (int number = 1; rc == 0 && (more = store_next(rows, err)) > 0; number++) {
        const struct dispense_row row = {.patient = store_text(rows, 0),
                                         .patient_name = store_text(rows, 1),
                                         .birth_day = store_is_null(rows, 2) ? CIVIL_DAY_NONE
                                                                             : (int32_t)store_int(rows, 2),
                                         .code = store_text(rows, 3),
                                         .name = store_text(rows, 4),
                                         .form = store_text(rows, 5),
                                         .rxcui = store_text(rows, 6),
                                         .ndc = store_text(rows, 7),
                                         .lot = store_text(rows, 8),
                                         .whole = store_int(rows, 9),
                                         .half = store_int(rows, 10),
                                         .prepared_ms = store_int(rows, 11),
                                         .handed_ms = store_int(rows, 12),
                                         .days = store_int(rows, 13),
                                         .orders = store_text(rows, 14),
                                         .simulated = store_int(rows, 15) != 0,
                                         .number = number};
        rc = each(data, &row, err);
    }
    store_done(rows);
    return rc < 0 ? rc : more < 0 ? more : 0;
}

static int64_t milli_of(const struct dispense_row *row)
{
    return row->whole * QUANTITY_ONE + row->half * (QUANTITY_ONE / 2);
}

static const char *unit_of(const struct dispense_row *row)
{
    return strstr(row->form, "tablet") != NULL    ? "tablet"
           : strstr(row->form, "capsule") != NULL ? "capsule"
                                                  : "piece";
}

/* FHIR. */

struct writing {
    int64_t batch;
    json_t *entries;
};

static json_t *codings_of(const struct dispense_row *row)
{
    static const char *const systems[] = {"http://www.nlm.nih.gov/research/umls/rxnorm",
                                          "http://hl7.org/fhir/sid/ndc"};
    const char *const codes[] = {row->rxcui, row->ndc};
    json_t *list = json_array();
    for (int i = 0; i < 2; i++) {
        size_t len = strcspn(codes[i], " "); /* the first of them; others are the same product */
        if (len > 0)
            (void)json_array_append_new(
                list, json_pack("{s:s, s:s%}", "system", systems[i], "code", codes[i], len));
    }
    return list;
}

static json_t *orders_of(const char *orders)
{
    json_t *list = json_array();
    for (const char *p = orders; *p != '\0';) {
        char reference[600];
        size_t len = strcspn(p, "\n");
        (void)snprintf(reference, sizeof reference, "MedicationRequest/%.*s", (int)len, p);
        (void)json_array_append_new(list, json_pack("{s:s}", "reference", reference));
        p += len;
        p += *p == '\n';
    }
    return list;
}

json_t *dispense_resource(const struct dispense_row *row, const char *id, const char *patient,
                          json_t *prescriptions)
{
    char prepared[INSTANT_TEXT_BYTES], handed[INSTANT_TEXT_BYTES];
    const int64_t milli = milli_of(row);
    json_t *codings = codings_of(row), *value;
    instant_format(row->prepared_ms, prepared);
    value =
        milli % QUANTITY_ONE == 0 ? json_integer(milli / QUANTITY_ONE) : json_real((double)milli / 1000.0);
    json_t *code = json_array_size(codings) > 0
                       ? json_pack("{s:O, s:s}", "coding", codings, "text", row->name)
                       : json_pack("{s:s}", "text", row->name);
    json_decref(codings);
    json_t *dispense = json_pack(
        "{s:s, s:s, s:[{s:s, s:s, s:o}], s:s, s:{s:s}, s:{s:s}, s:{s:o, s:s}, s:{s:I, s:s, s:s, s:s}, s:s}",
        "resourceType", "MedicationDispense", "id", id, "contained", "resourceType", "Medication", "id",
        "product", "code", code, "status",
        row->simulated   ? "preparation"
        : row->handed_ms ? "completed"
                         : "in-progress",
        "medicationReference", "reference", "#product", "subject", "reference", patient, "quantity", "value",
        value, "unit", unit_of(row), "daysSupply", "value", (json_int_t)row->days, "unit", "days", "system",
        "http://unitsofmeasure.org", "code", "d", "whenPrepared", prepared);
    bool failed = dispense == NULL;
    if (row->lot[0] != '\0')
        failed |= json_object_set_new(json_array_get(json_object_get(dispense, "contained"), 0), "batch",
                                      json_pack("{s:s}", "lotNumber", row->lot)) < 0;
    if (json_array_size(prescriptions) > 0)
        failed |= json_object_set(dispense, "authorizingPrescription", prescriptions) < 0;
    json_decref(prescriptions);
    if (row->handed_ms != 0 && !row->simulated) { /* never before it was ready (invariant mdd-1) */
        instant_format(row->handed_ms > row->prepared_ms ? row->handed_ms : row->prepared_ms, handed);
        failed |= json_object_set_new(dispense, "whenHandedOver", json_string(handed)) < 0;
    }
    if (row->simulated) {
        failed |= json_object_set_new(dispense, "meta",
                                      json_pack("{s:[{s:s, s:s, s:s}]}", "security", "system",
                                                "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code",
                                                "HTEST", "display", "SIMULATED: no drug was moved")) < 0;
        failed |= json_object_set_new(dispense, "note",
                                      json_pack("[{s:s}]", "text",
                                                "Packed on a simulated machine: nothing was dispensed.")) < 0;
    }
    if (!failed)
        return dispense;
    json_decref(dispense);
    return NULL;
}

static int add_dispense(void *data, const struct dispense_row *row, struct error *err)
{
    struct writing *writing = data;
    char id[64], patient[600];
    (void)snprintf(id, sizeof id, "sachet-batch-%" PRId64 "-%d", writing->batch, row->number);
    (void)snprintf(patient, sizeof patient, "Patient/%s", row->patient);
    json_t *dispense = dispense_resource(row, id, patient, orders_of(row->orders));
    json_t *entry = dispense != NULL ? json_pack("{s:o}", "resource", dispense) : NULL;
    return entry != NULL && json_array_append_new(writing->entries, entry) == 0
               ? 0
               : error_set(err, E_MEMORY, "out of memory");
}

static int write_json(const json_t *value, struct buf *out, struct error *err)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (text == NULL)
        return error_set(err, E_MEMORY, "out of memory");
    buf_printf(out, "%s\n", text);
    free(text);
    return out->failed ? error_set(err, E_MEMORY, "out of memory") : 0;
}

int dispense_write_fhir(struct store *store, int64_t batch, bool simulated, struct buf *out,
                        struct error *err)
{
    struct writing writing = {.batch = batch, .entries = json_array()};
    bool is_simulated = false; /* each row says so, too */
    int rc = check_batch(store, batch, simulated, &is_simulated, err);
    if (rc == 0)
        rc = dispense_each(store, DISPENSE_BATCH, batch, add_dispense, &writing, err);
    if (rc == 0) {
        json_t *bundle = json_pack("{s:s, s:s, s:O}", "resourceType", "Bundle", "type", "collection", "entry",
                                   writing.entries);
        rc = write_json(bundle, out, err);
        json_decref(bundle);
    }
    json_decref(writing.entries);
    return rc;
}

/* HL7 v2. */

struct messages {
    int64_t batch, wall_ms;
    bool simulated;
    struct buf *out;
    char patient[600];
    int number; /* RXD-1 within the message */
    int count;  /* messages */
};

static void write_stamp(struct buf *out, int64_t ms, bool time)
{
    int year, month, mday;
    int64_t second = ms / 1000 % 86400;
    civil_to_ymd(instant_day(ms), &year, &month, &mday);
    buf_printf(out, "%04d%02d%02d", year, month, mday);
    if (time)
        buf_printf(out, "%02d%02d%02d+0000", (int)(second / 3600), (int)(second / 60 % 60),
                   (int)(second % 60));
}

/* "NUMBER@SPACE" as NUMBER^SPACE. */
static void write_split(struct buf *out, const char *id, size_t len, const char *between)
{
    char part[600];
    const char *at = memchr(id, '@', len);
    size_t first = at != NULL ? (size_t)(at - id) : len;
    (void)snprintf(part, sizeof part, "%.*s", (int)first, id);
    hl7_escape(part, out);
    if (at != NULL) {
        buf_text(out, between);
        (void)snprintf(part, sizeof part, "%.*s", (int)(len - first - 1), at + 1);
        hl7_escape(part, out);
    }
}

static void write_header(struct messages *m, const struct dispense_row *row)
{
    const char *comma = strstr(row->patient_name, ", ");
    char family[300];
    if (m->count++ > 0)
        buf_char(m->out, '\n');
    buf_text(m->out, "MSH|^~\\&|SACHET||||");
    write_stamp(m->out, m->wall_ms, true);
    buf_printf(m->out, "||RDS^O13^RDS_O13|D%" PRId64 "-%d|%s|2.5.1\rPID|1||", m->batch, m->count,
               m->simulated ? "T" : "P");
    write_split(m->out, row->patient, strlen(row->patient), "^^^");
    buf_text(m->out, "||");
    (void)snprintf(family, sizeof family, "%.*s",
                   (int)(comma != NULL ? (size_t)(comma - row->patient_name) : strlen(row->patient_name)),
                   row->patient_name);
    hl7_escape(family, m->out);
    if (comma != NULL) {
        buf_char(m->out, '^');
        hl7_escape(comma + 2, m->out);
    }
    buf_text(m->out, "||");
    if (row->birth_day != CIVIL_DAY_NONE)
        write_stamp(m->out, (int64_t)row->birth_day * 86400000, false);
    buf_char(m->out, '\r');
    (void)snprintf(m->patient, sizeof m->patient, "%s", row->patient);
    m->number = 0;
}

static int add_message(void *data, const struct dispense_row *row, struct error *err)
{
    struct messages *m = data;
    char amount[QUANTITY_TEXT_BYTES];
    static const char filler[] = "filler:";
    if (m->count == 0 || strcmp(m->patient, row->patient) != 0)
        write_header(m, row);
    size_t len = strcspn(row->orders, "\n");
    const bool by_filler = strncmp(row->orders, filler, strlen(filler)) == 0;
    buf_text(m->out, by_filler ? "ORC|RE||" : "ORC|RE|");
    write_split(m->out, row->orders + (by_filler ? strlen(filler) : 0),
                len - (by_filler ? strlen(filler) : 0), "^");
    buf_printf(m->out, "\rRXD|%d|", ++m->number);
    const char *code = row->rxcui[0] != '\0' ? row->rxcui : row->ndc[0] != '\0' ? row->ndc : row->code;
    char first[80];
    (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(code, " "), code);
    hl7_escape(first, m->out);
    buf_char(m->out, '^');
    hl7_escape(row->name, m->out);
    buf_printf(m->out, "^%s|", row->rxcui[0] != '\0' ? "RXNORM" : row->ndc[0] != '\0' ? "NDC" : "L");
    write_stamp(m->out, row->prepared_ms, true);
    quantity_format(milli_of(row), amount);
    buf_printf(m->out, "|%s|%s|||||||||||||", amount, unit_of(row));
    hl7_escape(row->lot, m->out);
    buf_text(m->out, "\rRXR|PO^Oral^HL70162\r");
    return m->out->failed ? error_set(err, E_MEMORY, "out of memory") : 0;
}

int dispense_write_hl7(struct store *store, int64_t batch, bool simulated, int64_t wall_ms, struct buf *out,
                       struct error *err)
{
    struct messages messages = {.batch = batch, .wall_ms = wall_ms, .out = out};
    int rc = check_batch(store, batch, simulated, &messages.simulated, err);
    if (rc == 0)
        rc = dispense_each(store, DISPENSE_BATCH, batch, add_message, &messages, err);
    if (rc == 0)
        buf_char(out, '\n');
    return rc;
}

/* Orders. */

/* The request itself; where it came with its Medication, that is inside it. */
static json_t *request_of(const char *original)
{
    json_t *root = json_loads(original, 0, NULL);
    const json_t *entries = json_object_get(root, "entry");
    if (json_array_size(entries) == 0)
        return root;
    json_t *request = json_incref(json_object_get(json_array_get(entries, 0), "resource"));
    json_t *drug = json_object_get(json_array_get(entries, 1), "resource");
    if (request != NULL && drug != NULL) {
        json_t *inside = json_deep_copy(drug);
        (void)json_object_set_new(inside, "id", json_string("drug"));
        (void)json_object_set_new(request, "contained", json_pack("[o]", inside));
        (void)json_object_set_new(request, "medicationReference", json_pack("{s:s}", "reference", "#drug"));
    }
    json_decref(root);
    return request;
}

static void add_reasons(json_t *request, const char *reasons)
{
    json_t *list = json_loads(reasons, 0, NULL), *notes = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(list, i), "code"));
        const char *text = json_string_value(json_object_get(json_array_get(list, i), "text"));
        enum reason_code code;
        char note[400];
        if (name == NULL || !reason_parse(name, &code) || reason_class_of(code) == REASON_NOTE)
            continue;
        (void)snprintf(note, sizeof note, "%s: %s%s%s", name, reason_text(code),
                       text != NULL && text[0] != '\0' ? ": " : "", text != NULL ? text : "");
        (void)json_array_append_new(notes, json_pack("{s:s, s:s}", "authorString", "sachet", "text", note));
    }
    json_t *old = json_object_get(request, "note");
    if (json_is_array(old))
        (void)json_array_extend(old, notes);
    else if (json_array_size(notes) > 0)
        (void)json_object_set(request, "note", notes);
    json_decref(notes);
    json_decref(list);
}

int dispense_write_orders(struct store *store, const char *patient, struct buf *out, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT o.original, o.outcome, o.reasons, o.source_id FROM order_version AS o JOIN patient AS "
        "p ON p.id = o.patient_id WHERE o.current = 1 AND (? = '' OR p.source_id = ?) ORDER BY "
        "p.source_id, o.source_id",
        "tt", patient != NULL ? patient : "", patient != NULL ? patient : "");
    int more = 0;
    while (rc == 0 && (more = store_next(rows, err)) > 0) {
        json_t *request = request_of(store_text(rows, 0));
        if (request == NULL) {
            rc = error_set(err, E_STORE, "order %s: its stored original is no JSON", store_text(rows, 3));
            break;
        }
        json_t *meta = json_object_get(request, "meta");
        if (!json_is_object(meta)) {
            (void)json_object_set_new(request, "meta", json_object());
            meta = json_object_get(request, "meta");
        }
        json_t *tags = json_object_get(meta, "tag");
        if (!json_is_array(tags)) {
            (void)json_object_set_new(meta, "tag", json_array());
            tags = json_object_get(meta, "tag");
        }
        (void)json_array_append_new(
            tags, json_pack("{s:s, s:s}", "system", "urn:sachet:outcome", "code", store_text(rows, 1)));
        add_reasons(request, store_text(rows, 2));
        rc = write_json(request, out, err);
        json_decref(request);
    }
    store_done(rows);
    return rc < 0 ? rc : more < 0 ? more : 0;
}
