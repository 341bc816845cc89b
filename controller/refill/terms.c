/* SPDX-License-Identifier: Apache-2.0 */
/* The site's table of dispensing terms, from CSV. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/csv.h"
#include "config/base/error.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

/* Columns of numbers: what may be empty is SYNC_NONE then, the others are their default. */
static const struct column {
    const char *name;
    size_t offset;
    int32_t min, max, missing;
} columns[] = {
    {"schedule", offsetof(struct record_terms, schedule), 0, 5, 0},
    {"usual_days", offsetof(struct record_terms, usual_days), 1, SYNC_DAYS_MAX, SYNC_NONE},
    {"min_days", offsetof(struct record_terms, min_days), 0, SYNC_DAYS_MAX, SYNC_NONE},
    {"pack_days", offsetof(struct record_terms, pack_days), 1, SYNC_DAYS_MAX, SYNC_NONE},
    {"pack_pieces", offsetof(struct record_terms, pack_pieces), 1, SYNC_COUNT_MAX, SYNC_NONE},
    {"threshold_pct", offsetof(struct record_terms, threshold_pct), 0, 100, SYNC_NONE},
    {"copay_cents", offsetof(struct record_terms, copay_cents), 0, SYNC_COPAY_MAX, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], PRODUCT_COLUMN = COLUMNS, PRORATED_COLUMN, ALL_COLUMNS };

static const char *column_name(int column)
{
    return column == PRODUCT_COLUMN    ? "product"
           : column == PRORATED_COLUMN ? "prorated"
                                       : columns[column].name;
}

/* place[i]: the column of the table that field i holds. */
static int header_read(struct csv *csv, int place[CSV_FIELDS_MAX], struct error *err)
{
    bool product = false;
    int more = csv_next(csv, err);
    if (more <= 0)
        return more < 0 ? more : error_set(err, E_INPUT, "%s: is empty", csv->name);
    for (int i = 0; i < csv->count; i++) {
        place[i] = -1;
        for (int c = 0; c < ALL_COLUMNS; c++) {
            if (strcmp(csv->fields[i].text, column_name(c)) == 0)
                place[i] = c;
        }
        for (int k = 0; k < i; k++) {
            if (place[k] == place[i])
                place[i] = -1;
        }
        if (place[i] < 0)
            return error_set(err, E_INPUT, "%s:1:%d: '%s' is no column of dispensing terms, or stands twice",
                             csv->name, csv->fields[i].column, csv->fields[i].text);
        product = product || place[i] == PRODUCT_COLUMN;
    }
    return product ? csv->count : error_set(err, E_INPUT, "%s:1: the column 'product' is missing", csv->name);
}

static int field_read(const struct csv *csv, const struct csv_field *field, int column,
                      struct record_terms *terms, struct error *err)
{
    char *end;
    if (column == PRODUCT_COLUMN) {
        if (!product_code_ok(field->text))
            return error_set(err, E_INPUT, "%s:%d:%d: '%s' is no product code", csv->name, field->line,
                             field->column, field->text);
        (void)snprintf(terms->product, sizeof terms->product, "%s", field->text); /* checked just now */
        return 0;
    }
    if (column == PRORATED_COLUMN) {
        terms->prorated = strcmp(field->text, "no") != 0;
        if (terms->prorated && field->len > 0 && strcmp(field->text, "yes") != 0)
            return error_set(err, E_INPUT, "%s:%d:%d: prorated is yes or no", csv->name, field->line,
                             field->column);
        return 0;
    }
    const struct column *c = &columns[column];
    long value = strtol(field->text, &end, 10);
    if (field->len == 0)
        value = c->missing;
    else if (*end != '\0' || value < c->min || value > c->max)
        return error_set(err, E_INPUT, "%s:%d:%d: %s: '%s' is no whole number %d..%d", csv->name, field->line,
                         field->column, c->name, field->text, c->min, c->max);
    int32_t number = (int32_t)value;
    memcpy((char *)terms + c->offset, &number, sizeof number);
    return 0;
}

static int sense_check(const struct csv *csv, const struct record_terms *terms, struct error *err)
{
    if (terms->schedule == 1)
        return error_set(err, E_INPUT, "%s:%d: schedule 1 is never dispensed; 0 (none) or 2..5", csv->name,
                         csv->fields[0].line);
    if ((terms->pack_days == SYNC_NONE) != (terms->pack_pieces == SYNC_NONE))
        return error_set(err, E_INPUT, "%s:%d: pack_days and pack_pieces: both or neither", csv->name,
                         csv->fields[0].line);
    return 0;
}

static int row_keep(struct store *store, const struct record_terms *t, int64_t wall_ms, struct error *err)
{
    static const char *const set[] = {
        "UPDATE product_terms SET usual_days = ? WHERE product_code = ?",
        "UPDATE product_terms SET min_days = ? WHERE product_code = ?",
        "UPDATE product_terms SET pack_days = ? WHERE product_code = ?",
        "UPDATE product_terms SET pack_pieces = ? WHERE product_code = ?",
        "UPDATE product_terms SET threshold_pct = ? WHERE product_code = ?",
    };
    const int32_t values[] = {t->usual_days, t->min_days, t->pack_days, t->pack_pieces, t->threshold_pct};
    int status = store_exec(store, err,
                            "INSERT OR REPLACE INTO product_terms (product_code, schedule, copay_cents, "
                            "prorated, changed_ms) VALUES (?, ?, ?, ?, ?)",
                            "tiiii", t->product, (int64_t)t->schedule, (int64_t)t->copay_cents,
                            (int64_t)t->prorated, wall_ms);
    for (size_t i = 0; status == 0 && i < sizeof values / sizeof values[0]; i++) {
        if (values[i] != SYNC_NONE)
            status = store_exec(store, err, set[i], "it", (int64_t)values[i], t->product);
    }
    return status;
}

int record_terms_import(struct store *store, const char *file, const char *text, size_t len,
                        const struct record_by *by, int64_t *ret_rows, struct error *err)
{
    struct csv csv;
    int place[CSV_FIELDS_MAX], more = 0;
    int64_t rows = 0;
    char detail[64];
    csv_init(&csv, file, text, len);
    int fields = header_read(&csv, place, err);
    int status = fields < 0 ? fields : 0;
    while (status == 0 && (more = csv_next(&csv, err)) > 0) {
        struct record_terms terms = {.usual_days = SYNC_NONE,
                                     .min_days = SYNC_NONE,
                                     .pack_days = SYNC_NONE,
                                     .pack_pieces = SYNC_NONE,
                                     .threshold_pct = SYNC_NONE,
                                     .prorated = true};
        if (csv.count != fields)
            status = error_set(err, E_INPUT, "%s:%d: %d fields, the header has %d", file, csv.fields[0].line,
                               csv.count, fields);
        for (int i = 0; status == 0 && i < csv.count; i++)
            status = field_read(&csv, &csv.fields[i], place[i], &terms, err);
        if (status == 0)
            status = sense_check(&csv, &terms, err);
        if (status == 0)
            status = row_keep(store, &terms, by->wall_ms, err);
        rows++;
    }
    csv_finish(&csv);
    if (status == 0)
        status = more;
    (void)snprintf(detail, sizeof detail, "{\"rows\":%lld}", (long long)rows); /* fits */
    *ret_rows = rows;
    return status < 0
               ? status
               : audit_add(store, by->wall_ms, by->actor, "refill.terms", "product_terms", detail, err);
}
