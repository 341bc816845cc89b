/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/orders/exceptions.h"

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/orders/intake_store_private.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int exception_list(struct store *store, const char *patient, const char *reason,
                   int (*each)(void *data, const struct exception_row *row, struct error *err), void *data,
                   struct error *err)
{
    struct store_rows *rows = NULL;
    char like[80] = "%";
    if (reason != NULL)
        (void)snprintf(like, sizeof like, "%%\"code\":\"%.60s\"%%", reason);
    int rc = store_query(
        store, &rows, err,
        "SELECT o.source_id, o.version, p.source_id, o.drug_name, o.reasons, (SELECT min(f.imported_ms) FROM "
        "order_version AS f WHERE f.source_id = o.source_id AND f.content_hash = o.content_hash) AS since "
        "FROM "
        "order_version AS o JOIN patient AS p ON p.id = o.patient_id WHERE o.current = 1 AND o.outcome = "
        "'waiting' "
        "AND (? = '' OR p.source_id = ?) AND o.reasons LIKE ? ORDER BY since, o.source_id",
        "ttt", patient != NULL ? patient : "", patient != NULL ? patient : "", like);
    int more = 0;
    while (rc == 0 && (more = store_next(rows, err)) > 0) {
        const struct exception_row row = {.order = store_text(rows, 0),
                                          .version = store_int(rows, 1),
                                          .patient = store_text(rows, 2),
                                          .drug = store_text(rows, 3),
                                          .reasons = store_text(rows, 4),
                                          .since_ms = store_int(rows, 5)};
        rc = each(data, &row, err);
    }
    store_done(rows);
    return rc < 0 ? rc : more < 0 ? more : 0;
}

/* The order's current version. */
struct found {
    char patient[INTAKE_ID_BYTES_MAX];
    char outcome[16];
    uint8_t hash[SEAL_HASH_BYTES];
    char accepts[2048]; /* its waiting reasons, one space between */
    char open[1024];    /* the same for people */
};

static void read_reasons(const char *json, struct found *ret)
{
    json_t *list = json_loads(json, 0, NULL);
    ret->accepts[0] = ret->open[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(row, "code"));
        const char *text = json_string_value(json_object_get(row, "text"));
        enum reason_code code;
        if (name == NULL || !reason_parse(name, &code) || reason_class_of(code) == REASON_NOTE)
            continue;
        size_t used = strlen(ret->accepts), said = strlen(ret->open);
        if (reason_class_of(code) == REASON_WAITING)
            (void)snprintf(ret->accepts + used, sizeof ret->accepts - used, "%s%s", used > 0 ? " " : "",
                           name);
        (void)snprintf(ret->open + said, sizeof ret->open - said, "%s%s%s%s", said > 0 ? "; " : "",
                       reason_text(code), text != NULL && text[0] != '\0' ? ": " : "",
                       text != NULL ? text : "");
    }
    json_decref(list);
}

static int find(struct store *store, const char *order, struct found *ret, struct error *err)
{
    struct store_rows *rows = NULL;
    size_t len = 0;
    int rc =
        store_query(store, &rows, err,
                    "SELECT p.source_id, o.outcome, o.content_hash, o.reasons FROM order_version AS o JOIN "
                    "patient AS p ON p.id = o.patient_id WHERE o.source_id = ? AND o.current = 1",
                    "t", order);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc > 0) {
        (void)snprintf(ret->patient, sizeof ret->patient, "%s", store_text(rows, 0));
        (void)snprintf(ret->outcome, sizeof ret->outcome, "%s", store_text(rows, 1));
        const void *hash = store_blob(rows, 2, &len);
        if (len == sizeof ret->hash)
            memcpy(ret->hash, hash, len);
        read_reasons(store_text(rows, 3), ret);
    }
    store_done(rows);
    return rc > 0 ? 0 : rc < 0 ? rc : error_set(err, E_NOT_FOUND, "there is no order %s", order);
}

static int end_word(struct intake_import *import, const char *order, const struct found *found,
                    struct error *err)
{
    return store_exec(import->store, err,
                      "UPDATE order_resolution SET ended_ms = ? WHERE source_id = ? AND content_hash = ? AND "
                      "ended_ms IS NULL",
                      "itb", import->wall_ms, order, found->hash, sizeof found->hash);
}

static int audit(struct intake_import *import, const char *order, const char *action, const char *accepts,
                 const char *product, bool dosage, struct error *err)
{
    char subject[INTAKE_ID_BYTES_MAX + 8];
    json_t *detail = json_pack("{s:s, s:s, s:b}", "settles", accepts, "product",
                               product != NULL ? product : "", "dosage", dosage);
    char *text = detail != NULL ? json_dumps(detail, JSON_COMPACT) : NULL;
    (void)snprintf(subject, sizeof subject, "order:%s", order);
    int rc = text != NULL
                 ? audit_add(import->store, import->wall_ms, import->actor, action, subject, text, err)
                 : error_set(err, E_MEMORY, "out of memory");
    free(text);
    json_decref(detail);
    return rc;
}

/* The patient's orders once more, in the open transaction. The run sees the word that was just written. */
static int read_again(struct intake_import *import, const char *patient, struct error *err)
{
    struct run run;
    int rc = run_open(&run, import, err);
    run.hold = true;
    if (rc == 0)
        rc = run_each_known(&run, patient, false, err);
    if (rc == 0)
        rc = run_each_known(&run, patient, true, err);
    run_close(&run);
    return rc;
}

static int check_word(const struct exception_word *word, const struct found *found, struct error *err)
{
    if (word->because == NULL || word->because[0] == '\0' || strlen(word->because) > EXCEPTION_BECAUSE_MAX)
        return error_set(err, E_ARG, "say why, in at most %d bytes", EXCEPTION_BECAUSE_MAX);
    if (word->dosage != NULL && strlen(word->dosage) > EXCEPTION_DOSAGE_MAX)
        return error_set(err, E_LIMIT, "a dosage of more than %d bytes", EXCEPTION_DOSAGE_MAX);
    if (strcmp(found->outcome, outcome_text(OUTCOME_WAITING)) != 0)
        return error_set(err, E_STATE, "order %s is %s, it does not wait%s%s", word->order, found->outcome,
                         found->open[0] ? ": " : "", found->open);
    return 0;
}

/* What was said before to the same content goes on to count, as far as nothing else is said now. */
struct before {
    char accepts[4096];
    char *product, *dosage; /* free() them */
};

static int read_before(struct intake_import *import, const char *order, const struct found *found,
                       struct before *ret, struct error *err)
{
    struct store_rows *rows = NULL;
    (void)snprintf(ret->accepts, sizeof ret->accepts, "%s", found->accepts);
    int rc = store_query(import->store, &rows, err,
                         "SELECT accepts, product_code, dosage FROM order_resolution WHERE source_id = ? AND "
                         "content_hash = ? AND ended_ms IS NULL AND kind = 'completed'",
                         "tb", order, found->hash, sizeof found->hash);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc > 0) {
        (void)snprintf(ret->accepts, sizeof ret->accepts, "%s %s", found->accepts, store_text(rows, 0));
        ret->product = store_is_null(rows, 1) ? NULL : strdup(store_text(rows, 1));
        ret->dosage = store_is_null(rows, 2) ? NULL : strdup(store_text(rows, 2));
        if ((ret->product == NULL && !store_is_null(rows, 1)) ||
            (ret->dosage == NULL && !store_is_null(rows, 2)))
            rc = error_set(err, E_MEMORY, "out of memory");
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

static int write_word(struct intake_import *import, const struct exception_word *word,
                      const struct found *found, struct error *err)
{
    struct before before = {.accepts = ""};
    int64_t ignored;
    int rc = read_before(import, word->order, found, &before, err);
    if (rc == 0)
        rc = end_word(import, word->order, found, err);
    if (rc == 0)
        rc = store_insert(
            import->store, err, &ignored,
            "INSERT INTO order_resolution (source_id, content_hash, kind, accepts, product_code, "
            "dosage, because, actor, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            "tbtttttti", word->order, found->hash, sizeof found->hash, word->refuse ? "refused" : "completed",
            word->refuse ? "" : before.accepts,
            word->product != NULL || word->refuse ? word->product : before.product,
            word->dosage != NULL || word->refuse ? word->dosage : before.dosage, word->because, import->actor,
            import->wall_ms);
    free(before.product);
    free(before.dosage);
    return rc;
}

int exception_resolve(struct intake_import *import, const struct exception_word *word, struct error *err)
{
    struct found found = {0}, after = {0};
    int64_t products = 1;
    int rc = find(import->store, word->order, &found, err);
    if (rc == 0)
        rc = check_word(word, &found, err);
    if (rc == 0 && word->product != NULL)
        rc = store_get_int(import->store, &products, err, "SELECT count(*) FROM product WHERE code = ?", "t",
                           word->product);
    if (rc == 0 && products == 0)
        rc = error_set(err, E_NOT_FOUND, "product %s is not in the formulary", word->product);
    if (rc == 0)
        rc = store_write_begin(import->store, err);
    if (rc != 0)
        return rc;
    rc = write_word(import, word, &found, err);
    if (rc == 0)
        rc = read_again(import, found.patient, err);
    if (rc == 0)
        rc = find(import->store, word->order, &after, err);
    const char *wanted = outcome_text(word->refuse ? OUTCOME_REFUSED : OUTCOME_PACKABLE);
    if (rc == 0 && strcmp(after.outcome, wanted) != 0)
        rc =
            error_set(err, E_INPUT, "order %s would still be %s: %s", word->order, after.outcome, after.open);
    if (rc == 0)
        rc = audit(import, word->order, word->refuse ? "order.refuse" : "order.complete",
                   word->refuse ? "" : found.accepts, word->product, word->dosage != NULL, err);
    if (rc == 0)
        return store_write_commit(import->store, err);
    store_write_rollback(import->store);
    return rc;
}

int exception_reopen(struct intake_import *import, const char *order, const char *because, struct error *err)
{
    struct found found = {0};
    int rc = find(import->store, order, &found, err);
    if (rc == 0 && (because == NULL || because[0] == '\0'))
        rc = error_set(err, E_ARG, "say why");
    if (rc == 0)
        rc = store_write_begin(import->store, err);
    if (rc != 0)
        return rc;
    rc = end_word(import, order, &found, err);
    if (rc == 0 && store_changes(import->store) == 0)
        rc = error_set(err, E_NOT_FOUND, "nobody said anything on order %s as it is now", order);
    if (rc == 0)
        rc = read_again(import, found.patient, err);
    if (rc == 0)
        rc = audit(import, order, "order.reopen", because, NULL, false, err);
    if (rc == 0)
        return store_write_commit(import->store, err);
    store_write_rollback(import->store);
    return rc;
}
