/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/refill/refill.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

/* Details carry ids of ours and words of tables only, so they need no escaping. */
static int audited(struct store *store, const struct record_by *by, const char *action, int64_t patient,
                   const char *detail, struct error *err)
{
    char subject[32];
    (void)snprintf(subject, sizeof subject, "patient:%" PRId64, patient); /* fits */
    return audit_add(store, by->wall_ms, by->actor, action, subject, detail, err);
}

int record_order_find(struct store *store, int64_t patient, const char *name, struct record_order *ret_order,
                      struct error *err)
{
    struct store_rows *rows = NULL;
    char *end;
    long long number = strtoll(name, &end, 10);
    if (end == name || *end != '\0')
        number = 0;
    int status =
        store_query(store, &rows, err,
                    "SELECT id, source_id, ifnull(product_code, '') FROM order_version WHERE "
                    "patient_id = ? AND current = 1 AND (source_id = ? OR id = ? OR product_code = ?) "
                    "ORDER BY source_id <> ?, id LIMIT 2",
                    "ititt", patient, name, (int64_t)number, name, name);
    int found = status < 0 ? status : store_next(rows, err);
    if (found > 0) {
        ret_order->id = store_int(rows, 0);
        (void)snprintf(ret_order->source_id, sizeof ret_order->source_id, "%s", store_text(rows, 1));
        (void)snprintf(ret_order->product, sizeof ret_order->product, "%s", store_text(rows, 2));
        bool exact = strcmp(ret_order->source_id, name) == 0;
        int another = store_next(rows, err);
        if (another > 0 && !exact)
            found = error_set(err, E_INPUT, "'%s' fits several orders: name one by its id", name);
        else if (another < 0)
            found = another;
    } else if (found == 0) {
        found = error_set(err, E_NOT_FOUND,
                          "the patient has no current order '%s': `sachet sync PATIENT` lists them", name);
    }
    store_done(rows);
    return found < 0 ? found : 0;
}

static int product_needed(const struct record_order *order, int64_t milli, struct error *err)
{
    char text[QUANTITY_TEXT_BYTES];
    if (order->product[0] == '\0')
        return error_set(err, E_INPUT, "order %s has no product of the formulary", order->source_id);
    if (milli >= 0 && milli <= INT64_C(1000) * SYNC_COUNT_MAX / 2 && milli % (QUANTITY_ONE / 2) == 0)
        return 0;
    quantity_format(milli, text);
    return error_set(err, E_INPUT, "order %s: %s pieces: give 0 or more, whole or half pieces",
                     order->source_id, text);
}

int record_onhand(struct store *store, int64_t patient, const struct record_order *order,
                  int64_t pieces_milli, const struct record_by *by, struct error *err)
{
    char detail[160];
    int status = product_needed(order, pieces_milli, err);
    if (status == 0)
        status = store_exec(store, err,
                            "INSERT INTO supply_count (patient_id, product_code, day, pieces_milli, reason, "
                            "actor, recorded_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                            "itiitti", patient, order->product, (int64_t)by->today, pieces_milli, by->reason,
                            by->actor, by->wall_ms);
    (void)snprintf(detail, sizeof detail, "{\"product\":\"%s\",\"pieces_milli\":%" PRId64 "}", order->product,
                   pieces_milli); /* a product code is bounded */
    return status < 0 ? status : audited(store, by, "refill.onhand", patient, detail, err);
}

/* ---- dispensing ---- */

struct stored_dispense {
    int64_t patient;
    const char *product; /* NULL: none of ours */
    char code[RECORD_CODE_BYTES];
    uint8_t hash[SEAL_HASH_BYTES];
    int64_t version; /* of the row that stands, 0 none */
    bool same;
};

static void dispense_hash(const struct record_dispense *d, const struct stored_dispense *s,
                          uint8_t hash[SEAL_HASH_BYTES])
{
    struct buf text;
    buf_init(&text);
    buf_printf(&text, "%s\n%s\n%s\n%s\n%" PRId64 "\n%" PRId32 "\n%" PRId32 "\n%" PRId64 "\n", d->source_id,
               d->order_ref, d->status, s->product ? s->product : "-", s->patient, d->day, d->days_supply,
               d->pieces_milli);
    seal_hash(text.data, text.len, hash);
    buf_finish(&text);
}

static int dispense_patient(struct store *store, const struct record_dispense *d, struct stored_dispense *s,
                            struct error *err)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(store, &rows, err,
                    "SELECT patient_id, product_code FROM order_version WHERE source_id = ? AND current = 1",
                    "t", d->order_ref);
    int found = status < 0 ? status : store_next(rows, err);
    if (found > 0) {
        s->patient = store_int(rows, 0);
        if (!s->product && !store_is_null(rows, 1)) {
            (void)snprintf(s->code, sizeof s->code, "%s", store_text(rows, 1));
            s->product = s->code;
        }
    }
    store_done(rows);
    if (found == 0)
        found = store_get_int(store, &s->patient, err, "SELECT id FROM patient WHERE source_id = ?", "t",
                              d->patient_ref);
    return found < 0 ? found : 0;
}

static int dispense_before(struct store *store, const struct record_dispense *d, struct stored_dispense *s,
                           struct error *err)
{
    struct store_rows *rows = NULL;
    int status = store_query(store, &rows, err,
                             "SELECT version, content_hash FROM dispense WHERE source_id = ? AND current = 1",
                             "t", d->source_id);
    int found = status < 0 ? status : store_next(rows, err);
    if (found > 0) {
        size_t len = 0;
        const void *hash = store_blob(rows, 1, &len);
        s->version = store_int(rows, 0);
        s->same = len == sizeof s->hash && memcmp(hash, s->hash, len) == 0;
    }
    store_done(rows);
    return found < 0 ? found : 0;
}

static int dispense_insert(struct store *store, const struct record_dispense *d,
                           const struct stored_dispense *s, const struct record_by *by, struct error *err)
{
    int64_t id = 0;
    int status =
        store_exec(store, err, "UPDATE dispense SET current = 0 WHERE source_id = ?", "t", d->source_id);
    if (status == 0)
        status = store_insert(store, err, &id,
                              "INSERT INTO dispense (source_id, version, current, patient_id, "
                              "order_source_id, product_code, status, day, content_hash, file, actor, "
                              "recorded_ms) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                              "tiitttibtti", d->source_id, s->version + 1, s->patient, d->order_ref,
                              s->product, d->status, (int64_t)d->day, (const void *)s->hash, sizeof s->hash,
                              d->file, by->actor, by->wall_ms);
    if (status == 0 && d->days_supply != SYNC_NONE)
        status = store_exec(store, err, "UPDATE dispense SET days_supply = ? WHERE id = ?", "ii",
                            (int64_t)d->days_supply, id);
    if (status == 0 && d->pieces_milli != SYNC_NONE)
        status = store_exec(store, err, "UPDATE dispense SET pieces_milli = ? WHERE id = ?", "ii",
                            d->pieces_milli, id);
    return status;
}

int record_dispense(struct store *store, const struct record_dispense *dispense, const struct record_by *by,
                    bool *ret_new, struct error *err)
{
    struct stored_dispense s = {.product = dispense->product};
    *ret_new = false;
    int status = dispense_patient(store, dispense, &s, err);
    if (status < 0)
        return status;
    dispense_hash(dispense, &s, s.hash);
    status = dispense_before(store, dispense, &s, err);
    if (status < 0 || s.same)
        return status;
    status = dispense_insert(store, dispense, &s, by, err);
    *ret_new = status == 0;
    return status;
}

int record_dispensed(struct store *store, int64_t patient, const struct record_order *order, int32_t day,
                     int32_t days, int64_t pieces_milli, const struct record_by *by, struct error *err)
{
    char source_id[RECORD_CODE_BYTES + 96];
    bool is_new = false;
    int64_t count = 0;
    int status = product_needed(order, pieces_milli, err);
    if (status == 0 && (days < 1 || days > SYNC_DAYS_MAX))
        status = error_set(err, E_INPUT, "order %s: %d days: a fill lasts 1 to %d days", order->source_id,
                           days, SYNC_DAYS_MAX);
    if (status == 0 && day > by->today)
        status = error_set(err, E_INPUT, "order %s: what was handed out is no day to come", order->source_id);
    if (status == 0)
        status = store_get_int(store, &count, err, "SELECT count(*) FROM dispense WHERE patient_id = ?", "i",
                               patient);
    if (status < 0)
        return status;
    (void)snprintf(source_id, sizeof source_id, "apart:%" PRId64 ":%s:%" PRId64, patient, order->product,
                   count + 1); /* fits */
    const struct record_dispense dispense = {.source_id = source_id,
                                             .patient_ref = "",
                                             .order_ref = order->source_id,
                                             .product = order->product,
                                             .status = "completed",
                                             .day = day,
                                             .days_supply = days,
                                             .pieces_milli = pieces_milli,
                                             .file = "by hand"};
    status = record_dispense(store, &dispense, by, &is_new, err);
    char detail[160];
    (void)snprintf(detail, sizeof detail, "{\"product\":\"%s\",\"day\":%" PRId32 "}", order->product, day);
    return status < 0 ? status : audited(store, by, "refill.dispensed", patient, detail, err);
}

/* ---- events and locks ---- */

int record_event(struct store *store, int64_t patient, const char *kind, const struct record_order *order,
                 int32_t day, const char *source, const struct record_by *by, int64_t *ret_event,
                 bool *ret_new, struct error *err)
{
    char detail[160], date[CIVIL_TEXT_BYTES];
    if (strlen(by->reason) > REFILL_REASON_BYTES_MAX)
        return error_set(err, E_LIMIT, "a reason has at most %d bytes", REFILL_REASON_BYTES_MAX);
    *ret_new = false;
    int status =
        store_get_int(store, ret_event, err, "SELECT id FROM refill_event WHERE source = ?", "t", source);
    if (status != E_NOT_FOUND)
        return status;
    status =
        store_insert(store, err, ret_event,
                     "INSERT INTO refill_event (patient_id, kind, order_source_id, product_code, day, "
                     "reason, actor, source, recorded_day, recorded_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
                     "?, ?)",
                     "itttitttii", patient, kind, order ? order->source_id : "", order ? order->product : "",
                     (int64_t)day, by->reason, by->actor, source, (int64_t)by->today, by->wall_ms);
    civil_format(day, date);
    (void)snprintf(detail, sizeof detail,
                   "{\"event\":%" PRId64 ",\"kind\":\"%s\",\"order\":%" PRId64 ",\"day\":\"%s\"}", *ret_event,
                   kind, order ? order->id : 0, date); /* fits */
    *ret_new = status == 0;
    return status < 0 ? status : audited(store, by, "refill.event", patient, detail, err);
}

int record_unlock(struct store *store, int64_t patient, const struct record_order *order,
                  const struct record_by *by, int64_t *ret_count, struct error *err)
{
    int status = store_exec(store, err,
                            "UPDATE refill_lock SET lifted_ms = ? WHERE patient_id = ? AND lifted_ms IS NULL "
                            "AND (? = '' OR order_source_id = ?)",
                            "iitt", by->wall_ms, patient, order ? order->source_id : "",
                            order ? order->source_id : "");
    *ret_count = store_changes(store);
    return status < 0 || *ret_count == 0 ? status : audited(store, by, "refill.unlock", patient, "{}", err);
}

int record_lock(struct store *store, int64_t patient, const char *kind, const struct record_order *order,
                int64_t value, const struct record_by *by, struct error *err)
{
    char detail[160];
    bool fill = strcmp(kind, "fill") == 0;
    int status = store_exec(store, err,
                            "UPDATE refill_lock SET lifted_ms = ? WHERE patient_id = ? AND lifted_ms IS NULL "
                            "AND order_source_id = ? AND kind = ?",
                            "iitt", by->wall_ms, patient, order->source_id, kind);
    if (status == 0)
        status =
            store_exec(store, err,
                       fill ? "INSERT INTO refill_lock (patient_id, kind, order_source_id, day, reason, "
                              "actor, set_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
                            : "INSERT INTO refill_lock (patient_id, kind, order_source_id, units, reason, "
                              "actor, set_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       "ittitti", patient, kind, order->source_id, value, by->reason, by->actor, by->wall_ms);
    (void)snprintf(detail, sizeof detail, "{\"lock\":\"%s\",\"order\":%" PRId64 ",\"value\":%" PRId64 "}",
                   kind, order->id, value); /* fits */
    return status < 0 ? status : audited(store, by, "refill.lock", patient, detail, err);
}
