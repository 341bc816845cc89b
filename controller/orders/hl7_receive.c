/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/orders/hl7_feed.h"

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/orders/hl7_feed_private.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Outcomes of one message, gathered while it is imported. */
struct gathered {
    const struct intake_import *import;
    struct hl7_outcome outcomes[HL7_ORDERS_MAX];
    char ids[HL7_ORDERS_MAX][HL7_ID_BYTES];
    int count;
};

static void gather(void *data, const struct order *order)
{
    struct gathered *gathered = data;
    if (gathered->import->order != NULL)
        gathered->import->order(gathered->import->data, order);
    if (gathered->count == HL7_ORDERS_MAX)
        return;
    int at = gathered->count++;
    (void)snprintf(gathered->ids[at], sizeof gathered->ids[at], "%s", order->source_id);
    gathered->outcomes[at] = (struct hl7_outcome){
        .id = gathered->ids[at], .refused = order->reasons.outcome == OUTCOME_REFUSED, .reason = ""};
    for (int i = 0; i < order->reasons.count; i++) {
        const enum reason_class class = reason_class_of(order->reasons.rows[i].code);
        if (class == REASON_REFUSED || (class == REASON_WAITING && !gathered->outcomes[at].refused)) {
            gathered->outcomes[at].reason = reason_name(order->reasons.rows[i].code);
            break;
        }
    }
}

/* One number with another name and another birth date is another patient: nothing is taken from such a
 * message. */
static int check_patient(struct store *store, struct hl7_result *result, struct error *err)
{
    const json_t *patient =
        json_object_get(json_array_get(json_object_get(result->bundle, "entry"), 0), "resource");
    const char *birth = json_string_value(json_object_get(patient, "birthDate"));
    const char *family =
        json_string_value(json_object_get(json_array_get(json_object_get(patient, "name"), 0), "family"));
    struct store_rows *rows = NULL;
    int32_t day;
    if (birth == NULL || family == NULL || !civil_parse(birth, &day))
        return 0;
    int rc =
        store_query(store, &rows, err,
                    "SELECT 1 FROM patient WHERE source_id = ? AND birth_day <> ? AND name <> '' AND "
                    "name <> ? AND substr(name, 1, length(?) + 2) <> ? || ', '",
                    "titt"
                    "t",
                    json_string_value(json_object_get(patient, "id")), (int64_t)day, family, family, family);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    store_done(rows);
    if (rc > 0) {
        hl7_blame(&result->fault, HL7_DUPLICATE_KEY, "PID^1^3",
                  "the patient's number is known here with another name and another date of birth");
        result->answer = HL7_AE;
    }
    return rc < 0 ? rc : 0;
}

static int audit(struct intake_import *import, const struct hl7_result *result, int64_t id, struct error *err)
{
    char detail[160], subject[40];
    (void)snprintf(subject, sizeof subject, "hl7:%" PRId64, id);
    (void)snprintf(detail, sizeof detail, "{\"answer\":\"%s\",\"code\":%d,\"orders\":%d}",
                   hl7_answer_text(result->answer), (int)result->fault.code, result->count);
    return audit_add(import->store, import->wall_ms, import->actor, "hl7.message", subject, detail, err);
}

/* Reads a stored message, imports it and stores its answer. */
static int process(struct intake_import *import, const char *processing, int64_t id, const char *bytes,
                   size_t len, struct buf *answer, struct error *err)
{
    struct intake_import own = *import;
    struct gathered *gathered = calloc(1, sizeof *gathered);
    const struct hl7_known known = {import->store, hl7_store_find};
    struct hl7_result result = {0};
    char place[48], own_id[32];
    if (gathered == NULL)
        return error_set(err, E_MEMORY, "hl7: out of memory");
    (void)snprintf(place, sizeof place, "hl7:%" PRId64, id);
    (void)snprintf(own_id, sizeof own_id, "S%" PRId64, id);
    gathered->import = import;
    own.data = gathered;
    own.order = gather;
    own.refused = NULL;
    own.progress = NULL;
    int rc = hl7_convert(bytes, len, processing, &known, &result, err);
    if (rc == 0 && result.answer == HL7_AA)
        rc = check_patient(import->store, &result, err);
    if (rc == 0 && result.answer == HL7_AA)
        rc = hl7_import_result(&own, place, &result, err);
    import->totals = own.totals;
    import->stored = own.stored;
    size_t start = answer->len;
    if (rc == 0)
        hl7_answer_write(&result, gathered->outcomes, gathered->count, own_id, import->wall_ms, answer);
    if (rc == 0 && answer->failed)
        rc = error_set(err, E_MEMORY, "hl7: out of memory");
    if (rc == 0)
        rc = store_write_begin(import->store, err);
    if (rc == 0)
        rc = store_exec(import->store, err,
                        "UPDATE hl7_message SET code = ?, answer = ?, answered_ms = ? WHERE id = ?", "tbii",
                        hl7_answer_text(result.answer), answer->data + start, answer->len - start,
                        import->wall_ms, id);
    if (rc == 0)
        rc = audit(import, &result, id, err);
    if (rc == 0)
        rc = store_write_commit(import->store, err);
    else
        store_write_rollback(import->store);
    hl7_result_finish(&result);
    free(gathered);
    return rc;
}

struct stored {
    int64_t id; /* 0: not there */
    bool same, answered;
};

static int find(struct store *store, const struct hl7_header *header, const uint8_t hash[SEAL_HASH_BYTES],
                struct stored *ret, struct buf *answer, struct error *err)
{
    struct store_rows *rows = NULL;
    size_t len = 0;
    *ret = (struct stored){0};
    int rc = store_query(store, &rows, err,
                         "SELECT id, body_hash, answer FROM hl7_message WHERE sender = ? AND control_id = ?",
                         "tt", header->sender, header->control_id);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc > 0) {
        const void *old = store_blob(rows, 1, &len);
        ret->id = store_int(rows, 0);
        ret->same = len == SEAL_HASH_BYTES && memcmp(old, hash, len) == 0;
        ret->answered = !store_is_null(rows, 2);
        if (ret->same && ret->answered) {
            const void *text = store_blob(rows, 2, &len);
            buf_add(answer, text, len);
        }
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

static int keep(struct intake_import *import, const struct hl7_header *header, const char *bytes, size_t len,
                const uint8_t hash[SEAL_HASH_BYTES], int64_t *ret_id, struct error *err)
{
    int rc = store_write_begin(import->store, err);
    if (rc == 0)
        rc = store_insert(import->store, err, ret_id,
                          "INSERT INTO hl7_message (sender, control_id, body, body_hash, received_ms) VALUES "
                          "(?, ?, ?, ?, ?)",
                          "ttbbi", header->sender, header->control_id, bytes, len, hash,
                          (size_t)SEAL_HASH_BYTES, import->wall_ms);
    if (rc == 0)
        rc = store_write_commit(import->store, err);
    else
        store_write_rollback(import->store);
    return rc;
}

int hl7_receive(struct intake_import *import, const char *processing, const char *bytes, size_t len,
                struct buf *answer, struct error *err)
{
    struct hl7 message;
    struct hl7_header header = {0};
    struct hl7_fault fault;
    struct stored stored;
    uint8_t hash[SEAL_HASH_BYTES];
    const bool parsed = hl7_parse(bytes, len, &message, &fault);
    if (parsed) {
        hl7_header_read(&message, &header);
        if (header.control_id[0] == '\0')
            hl7_blame(&fault, HL7_FIELD_MISSING, "MSH^1^10", "the message has no control id (MSH-10)");
    }
    hl7_finish(&message);
    if (fault.code != HL7_ACCEPTED) { /* nothing to keep it under */
        hl7_answer_refuse(&header, HL7_AR, &fault, "S0", import->wall_ms, answer);
        return answer->failed ? error_set(err, E_MEMORY, "hl7: out of memory") : 0;
    }
    seal_hash(bytes, len, hash);
    int rc = find(import->store, &header, hash, &stored, answer, err);
    if (rc != 0 || (stored.same && stored.answered))
        return rc;
    if (stored.id != 0 && !stored.same) {
        hl7_blame(&fault, HL7_DUPLICATE_KEY, "MSH^1^10",
                  "control id %s was used for another message; send this one under a new id",
                  header.control_id);
        hl7_answer_refuse(&header, HL7_AR, &fault, "S0", import->wall_ms, answer);
        return answer->failed ? error_set(err, E_MEMORY, "hl7: out of memory") : 0;
    }
    if (stored.id == 0)
        rc = keep(import, &header, bytes, len, hash, &stored.id, err);
    return rc == 0 ? process(import, processing, stored.id, bytes, len, answer, err) : rc;
}

int hl7_receive_pending(struct intake_import *import, const char *processing, int64_t *ret_count,
                        struct error *err)
{
    *ret_count = 0;
    for (;;) {
        struct store_rows *rows = NULL;
        struct arena arena;
        struct buf answer;
        size_t len = 0;
        int64_t id = 0;
        const char *copy = NULL;
        arena_init(&arena, 0);
        int rc = store_query(import->store, &rows, err,
                             "SELECT id, body FROM hl7_message WHERE answer IS NULL ORDER BY id LIMIT 1", "");
        if (rc == 0)
            rc = store_next(rows, err);
        if (rc > 0) {
            const char *body = store_blob(rows, 1, &len);
            id = store_int(rows, 0);
            copy = arena_text(&arena, body, len);
        }
        store_done(rows);
        const bool more = rc > 0;
        if (more && copy == NULL)
            rc = error_set(err, E_MEMORY, "hl7: out of memory");
        else if (more) {
            buf_init(&answer);
            rc = process(import, processing, id, copy, len, &answer, err);
            buf_finish(&answer);
            *ret_count += rc == 0;
        }
        arena_finish(&arena);
        if (rc < 0 || !more)
            return rc < 0 ? rc : 0;
    }
}
