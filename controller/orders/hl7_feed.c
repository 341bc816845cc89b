/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/orders/hl7_feed.h"

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/intake/keymap.h"
#include "controller/intake/source.h"
#include "controller/orders/hl7_feed_private.h"
#include "controller/store/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hl7_store_find(void *data, const char *order_id, json_t **ret_original, char *ret_patient,
                   size_t patient_size, struct error *err)
{
    struct store *store = data;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT o.original, p.source_id FROM order_version AS o JOIN patient AS p ON p.id = "
                         "o.patient_id WHERE o.source_id = ? AND o.current = 1",
                         "t", order_id);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc > 0) {
        *ret_original = json_loads(store_text(rows, 0), JSON_REJECT_DUPLICATES, NULL);
        (void)snprintf(ret_patient, patient_size, "%s", store_text(rows, 1));
        if (*ret_original == NULL)
            rc = error_set(err, E_STORE, "order %s: its stored original is no JSON", order_id);
    }
    store_done(rows);
    return rc;
}

/* The messages of a file. */

struct walk {
    void *data;
    int (*message)(void *data, const char *place, const char *bytes, size_t len, struct error *err);
    void (*refused)(void *data, const char *place, const char *what);
};

static int on_hl7(void *data, const char *path, const char *text, size_t len, struct error *err)
{
    struct walk *walk = data;
    struct hl7_cursor cursor = {0};
    const char *bytes;
    size_t message_len;
    int line, rc = 0;
    while (rc == 0 && hl7_next_message(text, len, &cursor, &bytes, &message_len, &line)) {
        char place[PATH_MAX + 64];
        (void)snprintf(place, sizeof place, "%s:%d", path, line);
        rc = walk->message(walk->data, place, bytes, message_len, err);
    }
    return rc;
}

static void on_refused(void *data, const char *path, int64_t line, const char *what)
{
    struct walk *walk = data;
    (void)line;
    walk->refused(walk->data, path, what);
}

static void on_file(void *data, const char *path)
{
    (void)data; /* files were counted by the walk for FHIR */
    (void)path;
}

static int on_other(void *data, const char *path, int64_t line, int whole, char *text, size_t len,
                    struct error *err)
{
    (void)data; /* never called: only_hl7 */
    (void)path;
    (void)line;
    (void)whole;
    (void)text;
    (void)len;
    (void)err;
    return 0;
}

static int walk_paths(struct walk *walk, const char *const *paths, int count, struct error *err)
{
    const struct source_events events = {.data = walk,
                                         .text = on_other,
                                         .refused = on_refused,
                                         .opened = on_file,
                                         .closed = on_file,
                                         .skipped = on_file,
                                         .hl7 = on_hl7,
                                         .only_hl7 = true};
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++)
        rc = source_walk(paths[i], &events, err);
    return rc;
}

/* What is told of a message that was turned down. */
void hl7_refusal_text(const struct hl7_result *result, char *out, size_t size)
{
    const struct hl7_fault *fault = &result->fault;
    (void)snprintf(out, size, "%s%s%s (HL7 %s %d)", fault->place, fault->place[0] ? ": " : "", fault->text,
                   hl7_answer_text(result->answer), (int)fault->code);
}

static void count_refused(struct intake_totals *totals)
{
    totals->texts++;
    totals->texts_refused++;
}

/* Into the store. */

int hl7_import_result(struct intake_import *import, const char *place, const struct hl7_result *result,
                      struct error *err)
{
    char *text = json_dumps(result->bundle, JSON_COMPACT);
    int rc = text != NULL ? intake_import_text(import, place, text, strlen(text), err)
                          : error_set(err, E_MEMORY, "hl7: out of memory");
    free(text);
    return rc;
}

static int import_message(void *data, const char *place, const char *bytes, size_t len, struct error *err)
{
    struct intake_import *import = data;
    const struct hl7_known known = {import->store, hl7_store_find};
    struct hl7_result result;
    char what[400];
    int rc = hl7_convert(bytes, len, HL7_PROCESSING_FILES, &known, &result, err);
    if (rc == 0 && result.answer != HL7_AA) {
        count_refused(&import->totals);
        hl7_refusal_text(&result, what, sizeof what);
        if (import->refused != NULL)
            import->refused(import->data, place, what);
    } else if (rc == 0) {
        rc = hl7_import_result(import, place, &result, err);
    }
    hl7_result_finish(&result);
    return rc;
}

static void import_refused(void *data, const char *place, const char *what)
{
    struct intake_import *import = data;
    if (import->refused != NULL)
        import->refused(import->data, place, what);
}

int hl7_import(struct intake_import *import, const char *const *paths, int count, struct error *err)
{
    struct walk walk = {import, import_message, import_refused};
    return walk_paths(&walk, paths, count, err);
}

/* Without a store: what earlier messages said is remembered here. */

struct remembered {
    struct remembered *next; /* of the same patient */
    const char *id, *patient, *text;
};

struct dry {
    const struct intake_policy *policy;
    struct catalogue *catalogue;
    const struct intake_sink *sink;
    struct store *store;
    struct intake_totals *totals;
    struct arena arena;
    struct keymap orders;   /* id -> struct remembered */
    struct keymap patients; /* id -> struct remembered, newest first */
};

static int dry_find(void *data, const char *order_id, json_t **ret_original, char *ret_patient,
                    size_t patient_size, struct error *err)
{
    struct dry *dry = data;
    const struct remembered *row = keymap_get(&dry->orders, order_id, strlen(order_id));
    if (row == NULL)
        return dry->store != NULL
                   ? hl7_store_find(dry->store, order_id, ret_original, ret_patient, patient_size, err)
                   : 0;
    *ret_original = json_loads(row->text, JSON_REJECT_DUPLICATES, NULL);
    (void)snprintf(ret_patient, patient_size, "%s", row->patient);
    return *ret_original != NULL ? 1 : error_set(err, E_MEMORY, "hl7: out of memory");
}

static int remember(struct dry *dry, const struct hl7_result *result, struct error *err)
{
    const json_t *entries = json_object_get(result->bundle, "entry");
    const char *patient =
        json_string_value(json_object_get(json_object_get(json_array_get(entries, 0), "resource"), "id"));
    for (size_t i = 1; i < json_array_size(entries) && patient != NULL; i++) {
        const json_t *resource = json_object_get(json_array_get(entries, i), "resource");
        const char *id = json_string_value(json_object_get(resource, "id"));
        const char *type = json_string_value(json_object_get(resource, "resourceType"));
        if (id == NULL || type == NULL || strcmp(type, "MedicationRequest") != 0)
            continue;
        void **by_id = keymap_put(&dry->orders, id, strlen(id));
        void **by_patient = keymap_put(&dry->patients, patient, strlen(patient));
        char *text = json_dumps(resource, JSON_COMPACT);
        struct remembered *row = by_id != NULL ? *by_id : NULL;
        if (row == NULL && by_id != NULL && by_patient != NULL) {
            row = arena_alloc(&dry->arena, sizeof *row);
            if (row != NULL)
                *row = (struct remembered){.next = *by_patient,
                                           .id = arena_text(&dry->arena, id, strlen(id)),
                                           .patient = arena_text(&dry->arena, patient, strlen(patient))};
            *by_id = *by_patient = row;
        }
        if (row != NULL && text != NULL)
            row->text = arena_text(&dry->arena, text, strlen(text));
        free(text);
        if (row == NULL || row->id == NULL || row->patient == NULL || row->text == NULL)
            return error_set(err, E_LIMIT, "hl7: too many orders for one dry run; give fewer files");
    }
    return 0;
}

/* The message's own orders, beside those of the patient that earlier messages brought. */
static int dry_read(struct dry *dry, const char *place, const struct hl7_result *result, struct error *err)
{
    struct intake *intake = intake_create(dry->policy, dry->catalogue, dry->sink);
    char *text = json_dumps(result->bundle, JSON_COMPACT);
    const char *patient = json_string_value(json_object_get(
        json_object_get(json_array_get(json_object_get(result->bundle, "entry"), 0), "resource"), "id"));
    int rc = intake != NULL && text != NULL ? intake_index_text(intake, place, text, strlen(text), err)
                                            : error_set(err, E_MEMORY, "hl7: out of memory");
    const struct remembered *row =
        rc == 0 && patient != NULL ? keymap_get(&dry->patients, patient, strlen(patient)) : NULL;
    const int64_t texts = rc == 0 ? intake_totals(intake)->texts : 0;
    for (; row != NULL && rc == 0; row = row->next) {
        if (!intake_has_order(intake, row->id))
            rc = intake_index_text(intake, place, row->text, strlen(row->text), err);
    }
    if (rc == 0)
        rc = intake_read_text(intake, place, text, strlen(text), err);
    if (rc == 0) {
        struct intake_totals totals = *intake_totals(intake);
        totals.texts = texts;
        intake_totals_add(dry->totals, &totals);
    }
    free(text);
    intake_destroy(intake);
    return rc;
}

static int dry_message(void *data, const char *place, const char *bytes, size_t len, struct error *err)
{
    struct dry *dry = data;
    const struct hl7_known known = {dry, dry_find};
    struct hl7_result result;
    char what[400];
    int rc = hl7_convert(bytes, len, HL7_PROCESSING_FILES, &known, &result, err);
    if (rc == 0 && result.answer != HL7_AA) {
        count_refused(dry->totals);
        hl7_refusal_text(&result, what, sizeof what);
        if (dry->sink->refused != NULL)
            dry->sink->refused(dry->sink->data, place, what);
    } else if (rc == 0) {
        rc = dry_read(dry, place, &result, err);
        if (rc == 0)
            rc = remember(dry, &result, err);
    }
    hl7_result_finish(&result);
    return rc;
}

static void dry_refused(void *data, const char *place, const char *what)
{
    struct dry *dry = data;
    if (dry->sink->refused != NULL)
        dry->sink->refused(dry->sink->data, place, what);
}

int hl7_dry_run(const struct intake_policy *policy, struct catalogue *catalogue,
                const struct intake_sink *sink, struct store *store, const char *const *paths, int count,
                struct intake_totals *totals, struct error *err)
{
    struct dry dry = {
        .policy = policy, .catalogue = catalogue, .sink = sink, .store = store, .totals = totals};
    struct walk walk = {&dry, dry_message, dry_refused};
    arena_init(&dry.arena, INTAKE_INDEX_BYTES_MAX);
    keymap_init(&dry.orders, &dry.arena);
    keymap_init(&dry.patients, &dry.arena);
    int rc = walk_paths(&walk, paths, count, err);
    keymap_finish(&dry.orders);
    keymap_finish(&dry.patients);
    arena_finish(&dry.arena);
    return rc;
}
