/* SPDX-License-Identifier: Apache-2.0 */
/* The record for machines, and both records as files. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "controller/report/report.h"

enum { PATH_BYTES = 4096 };

/* A value that could not be made is NULL, which jansson's setters refuse: one flag tells at the end. */
static void add(json_t *object, const char *key, json_t *value, int *failed)
{
    if (json_object_set_new(object, key, value) < 0)
        *failed = 1;
}

static void add_time(json_t *object, const char *key, int64_t ms, int *failed)
{
    char text[INSTANT_TEXT_BYTES];
    if (ms == 0) {
        add(object, key, json_null(), failed);
        return;
    }
    instant_format(ms, text);
    add(object, key, json_string(text), failed);
}

static void append(json_t *array, json_t *value, int *failed)
{
    if (json_array_append_new(array, value) < 0)
        *failed = 1;
}

static json_t *fill_json(const struct report_fill *f, int *failed)
{
    json_t *items = json_array();
    for (size_t i = 0; i < f->item_count; i++) {
        const struct report_item *item = &f->items[i];
        json_t *row =
            json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "product", item->code, "name", item->name, "piece",
                      item->piece, "lot", item->lot, "canister", (json_int_t)item->canister, "bay",
                      (json_int_t)item->bay, "expected", (json_int_t)item->expected);
        add(row, "counted", item->counted < 0 ? json_null() : json_integer(item->counted), failed);
        append(items, row, failed);
    }
    json_t *object = json_pack("{s:s,s:s,s:I,s:s,s:s}", "token", f->token, "serial", f->serial, "seq",
                               (json_int_t)f->seq, "state", f->state, "reason", f->reason);
    add(object, "remake_of", f->remake_of[0] ? json_string(f->remake_of) : json_null(), failed);
    add_time(object, "intended", f->intended_ms, failed);
    add_time(object, "result", f->result_ms, failed);
    if (f->has_seal) {
        add(object, "seal_min_dc", json_integer(f->seal_min_dc), failed);
        add(object, "seal_max_dc", json_integer(f->seal_max_dc), failed);
    }
    add(object, "items", items, failed);
    return object;
}

static json_t *pouches_json(const struct report *r, int *failed)
{
    json_t *pouches = json_array();
    for (size_t i = 0; i < r->pouch_count; i++) {
        const struct report_pouch *p = &r->pouches[i];
        json_t *fills = json_array();
        for (size_t k = 0; k < p->fill_count; k++)
            append(fills, fill_json(&p->fills[k], failed), failed);
        json_t *row =
            json_pack("{s:I,s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s}", "position", (json_int_t)p->position,
                      "patient", p->patient, "patient_name", p->patient_name, "plan", (json_int_t)p->plan,
                      "pouch", (json_int_t)p->pouch, "date", p->date, "time", p->time, "slot", p->slot,
                      "part", p->part, "state", p->state, "note", p->note);
        add(row, "attempts", fills, failed);
        append(pouches, row, failed);
    }
    return pouches;
}

static json_t *plans_json(const struct report *r, int *failed)
{
    json_t *plans = json_array();
    for (size_t i = 0; i < r->plan_count; i++) {
        const struct report_plan *p = &r->plans[i];
        json_t *row = json_pack("{s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s}", "plan", (json_int_t)p->id, "version",
                                (json_int_t)p->version, "patient", p->patient, "patient_name",
                                p->patient_name, "hash", p->hash, "signed_by", p->signed_by, "signed_login",
                                p->signed_login, "meaning", p->meaning);
        add_time(row, "signed", p->signed_ms, failed);
        append(plans, row, failed);
    }
    return plans;
}

static json_t *totals_json(const struct report *r, int *failed)
{
    const struct batch_info *b = &r->batch;
    json_t *drugs = json_array();
    for (size_t i = 0; i < r->drug_count; i++) {
        const struct report_drug *d = &r->drugs[i];
        append(drugs,
               json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "product", d->code, "name", d->name, "piece", d->piece,
                         "expected", (json_int_t)d->expected, "packed", (json_int_t)d->counted,
                         "in_void_pouches", (json_int_t)d->voided),
               failed);
    }
    json_t *totals =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:s}", "pouches", (json_int_t)b->pouches, "good",
                  (json_int_t)b->good, "void", (json_int_t)b->voids, "remade", (json_int_t)b->remakes,
                  "not_made", (json_int_t)(b->blocked + b->waiting + b->sent), "cancelled",
                  (json_int_t)b->cancelled, "expected_pieces", (json_int_t)r->expected, "counted_pieces",
                  (json_int_t)r->counted, "conserved", (int)r->conserved, "finding", r->finding);
    add(totals, "drugs", drugs, failed);
    return totals;
}

int report_json(const struct report *r, struct buf *out, struct error *err)
{
    const struct batch_info *b = &r->batch;
    int failed = 0;
    json_t *object =
        json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s}", "format", "sachet-batch-record/1", "batch",
                  (json_int_t)b->id, "state", b->state, "note", b->note, "machine", b->machine, "serials",
                  r->serials, "created_by", b->created_by, "started_by", b->started_by);
    add(object, "simulated", b->simulated < 0 ? json_null() : json_boolean(b->simulated), &failed);
    if (r->pharmacy)
        add(object, "pharmacy",
            json_pack("{s:s,s:s,s:s,s:s}", "name", r->pharmacy->name, "address", r->pharmacy->address,
                      "phone", r->pharmacy->phone, "license", r->pharmacy->license),
            &failed);
    add_time(object, "created", b->created_ms, &failed);
    add_time(object, "started", b->started_ms, &failed);
    add_time(object, "ended", b->ended_ms, &failed);
    add(object, "totals", totals_json(r, &failed), &failed);
    add(object, "plans", plans_json(r, &failed), &failed);
    add(object, "pouches", pouches_json(r, &failed), &failed);
    char *text = failed ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    if (!text)
        return error_set(err, E_MEMORY, "no memory for the record of batch %" PRId64, b->id);
    buf_text(out, text);
    buf_char(out, '\n');
    free(text);
    return out->failed ? error_set(err, E_MEMORY, "no memory for the record of batch %" PRId64, b->id) : 0;
}

static int write_file(const char *folder, const char *name, const struct buf *text, struct error *err)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || n >= PATH_BYTES)
        return error_set(err, E_LIMIT, "%s: path too long, at most %d bytes", folder, PATH_BYTES - 1);
    return file_replace(path, text->data, text->len, err);
}

int report_files(struct store *store, int64_t batch, const struct report_pharmacy *pharmacy,
                 const char *folder, struct error *err)
{
    struct arena arena;
    struct buf text, json;
    struct report report;
    char name[64];
    arena_init(&arena, 0);
    buf_init(&text);
    buf_init(&json);
    int rc = report_batch(store, batch, &arena, &report, err);
    report.pharmacy = pharmacy;
    if (rc == 0)
        report_text(&report, &text);
    if (rc == 0)
        rc = report_json(&report, &json, err);
    if (rc == 0 && text.failed)
        rc = error_set(err, E_MEMORY, "no memory for the record of batch %" PRId64, batch);
    if (rc == 0 && mkdir(folder, 0750) < 0 && errno != EEXIST)
        rc = error_set_errno(err, E_FILE, errno, "%s: folder cannot be made", folder);
    (void)snprintf(name, sizeof name, "batch-%" PRId64 ".txt", batch); /* a number fits */
    if (rc == 0)
        rc = write_file(folder, name, &text, err);
    (void)snprintf(name, sizeof name, "batch-%" PRId64 ".json", batch);
    if (rc == 0)
        rc = write_file(folder, name, &json, err);
    buf_finish(&json);
    buf_finish(&text);
    arena_finish(&arena);
    return rc;
}
