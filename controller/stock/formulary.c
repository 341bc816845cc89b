/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/stock/formulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/csv.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

/* A product of the file with its place, for the checks between rows. */
struct formulary_row {
    struct product product;
    int line;
};

/* One code or identifier of one row, for finding doubles by sorting. */
struct mark {
    char value[PRODUCT_CODE_BYTES];
    const struct formulary_row *row;
};

struct formulary {
    const char *name;
    struct formulary_row *rows;
    int count;
    int cap;
};

static int columns_count(void)
{
    int count = 0;
    while (product_columns[count])
        count++;
    return count;
}

static int header_check(const struct csv *csv, struct error *err)
{
    int wanted = columns_count();
    for (int i = 0; i < wanted || i < csv->count; i++) {
        if (i < wanted && i < csv->count && strcmp(csv->fields[i].text, product_columns[i]) == 0)
            continue;
        if (i >= csv->count)
            return error_set(err, E_SYNTAX, "%s:1: column %s is missing: the first line names %d columns",
                             csv->name, product_columns[i], wanted);
        if (i >= wanted)
            return error_set(err, E_SYNTAX, "%s:1:%d: column \"%.40s\" is not known: %s is the last",
                             csv->name, csv->fields[i].column, csv->fields[i].text,
                             product_columns[wanted - 1]);
        return error_set(err, E_SYNTAX, "%s:1:%d: column \"%.40s\" stands where %s must stand", csv->name,
                         csv->fields[i].column, csv->fields[i].text, product_columns[i]);
    }
    return 0;
}

static struct formulary_row *row_add(struct formulary *formulary)
{
    if (formulary->count == formulary->cap) {
        int cap = formulary->cap ? 2 * formulary->cap : 256;
        struct formulary_row *rows = realloc(formulary->rows, (size_t)cap * sizeof *rows);
        if (!rows)
            return NULL;
        formulary->rows = rows;
        formulary->cap = cap;
    }
    struct formulary_row *row = &formulary->rows[formulary->count++];
    *row = (struct formulary_row){0};
    return row;
}

/* Prefixes err with the place of a column. */
static int at_column(int code, const struct csv *csv, const char *column, struct error *err)
{
    for (int i = 0; product_columns[i] && i < csv->count; i++) {
        if (strcmp(product_columns[i], column) == 0)
            return error_prefix(err, code, "%s:%d:%d", csv->name, csv->fields[i].line, csv->fields[i].column);
    }
    return error_prefix(err, code, "%s:%d", csv->name, csv->fields[0].line);
}

static int row_read(const struct csv *csv, struct formulary_row *row, struct error *err)
{
    int wanted = columns_count();
    row->line = csv->fields[0].line;
    if (csv->count != wanted)
        return error_set(err, E_SYNTAX, "%s:%d: %d fields where %d are wanted (a comma in a text? quote it)",
                         csv->name, row->line, csv->count, wanted);
    for (int i = 0; i < wanted; i++) {
        int rc = product_set(&row->product, product_columns[i], csv->fields[i].text, err);
        if (rc)
            return at_column(rc, csv, product_columns[i], err);
    }
    int rc = product_check(&row->product, err);
    if (rc && err) {
        char column[40];
        (void)snprintf(column, sizeof column, "%.*s", (int)strcspn(err->message, ":"), err->message);
        rc = at_column(rc, csv, column, err); /* product_check names the column first */
    }
    return rc;
}

static int mark_compare(const void *a, const void *b)
{
    const struct mark *x = a;
    const struct mark *y = b;
    int order = strcmp(x->value, y->value);
    return order ? order : (x->row->line > y->row->line) - (x->row->line < y->row->line);
}

static size_t marks_add(struct mark *marks, size_t count, const char *values, const struct formulary_row *row)
{
    for (const char *at = values; *at;) {
        size_t len = strcspn(at, " ");
        (void)snprintf(marks[count].value, sizeof marks[count].value, "%.*s", (int)len,
                       at); /* checked before */
        marks[count++].row = row;
        at += len + (at[len] == ' ');
    }
    return count;
}

/* Does one RxCUI or NDC stand for two drugs? Two makers of one drug may share it. */
static bool same_drug(const struct product *a, const struct product *b)
{
    return strcmp(a->ingredient, b->ingredient) == 0 && strcmp(a->strength, b->strength) == 0 &&
           strcmp(a->release, b->release) == 0;
}

/* No two rows may have the same code; an identifier of two rows must mean the same drug. */
static int doubles_check(const struct formulary *formulary, const char *column, struct error *err)
{
    bool codes = strcmp(column, "code") == 0;
    size_t most = codes ? 1 : PRODUCT_IDENTIFIERS_MAX;
    size_t total = 0;
    if (formulary->count == 0)
        return 0;
    struct mark *marks = calloc((size_t)formulary->count * most, sizeof *marks);
    if (!marks)
        return error_set(err, E_MEMORY, "out of memory checking %s", formulary->name);
    for (int i = 0; i < formulary->count; i++)
        total =
            marks_add(marks, total, product_field(&formulary->rows[i].product, column), &formulary->rows[i]);
    qsort(marks, total, sizeof *marks, mark_compare);
    int rc = 0;
    for (size_t i = 1; i < total && rc == 0; i++) {
        const struct formulary_row *first = marks[i - 1].row;
        const struct formulary_row *second = marks[i].row;
        if (first == second || strcmp(marks[i - 1].value, marks[i].value) != 0)
            continue;
        if (codes)
            rc = error_set(err, E_INPUT, "%s:%d: code %s stands in line %d already: codes are unique",
                           formulary->name, second->line, marks[i].value, first->line);
        else if (!same_drug(&first->product, &second->product))
            rc = error_set(err, E_INPUT,
                           "%s:%d: %s %s stands in line %d already for another ingredient, strength or "
                           "release: one of them is wrong",
                           formulary->name, second->line, column, marks[i].value, first->line);
    }
    free(marks);
    return rc;
}

static int rows_read(struct formulary *formulary, const char *text, size_t len, struct error *err)
{
    struct csv csv;
    csv_init(&csv, formulary->name, text, len);
    int rc = csv_next(&csv, err);
    if (rc == 0)
        rc = error_set(err, E_SYNTAX, "%s: the file is empty: the first line names the columns",
                       formulary->name);
    else if (rc == 1)
        rc = header_check(&csv, err);
    while (rc == 0 && (rc = csv_next(&csv, err)) == 1) {
        struct formulary_row *row = row_add(formulary);
        if (!row)
            rc = error_set(err, E_MEMORY, "out of memory reading %s", formulary->name);
        else if (formulary->count > PRODUCT_COUNT_MAX)
            rc = error_set(err, E_LIMIT, "%s: more than %d products", formulary->name, PRODUCT_COUNT_MAX);
        else
            rc = row_read(&csv, row, err);
    }
    csv_finish(&csv);
    return rc;
}

int formulary_parse(const char *name, const char *text, size_t len, struct product **ret_products,
                    int *ret_count, struct error *err)
{
    struct formulary formulary = {.name = name};
    struct product *products = NULL;
    int rc = rows_read(&formulary, text, len, err);
    if (rc == 0)
        rc = doubles_check(&formulary, "code", err);
    if (rc == 0)
        rc = doubles_check(&formulary, "rxcui", err);
    if (rc == 0)
        rc = doubles_check(&formulary, "ndc", err);
    if (rc == 0) {
        products = calloc((size_t)formulary.count + 1, sizeof *products);
        if (!products)
            rc = error_set(err, E_MEMORY, "out of memory reading %s", name);
    }
    if (rc == 0) {
        for (int i = 0; i < formulary.count; i++)
            products[i] = formulary.rows[i].product;
        *ret_products = products;
        *ret_count = formulary.count;
    }
    free(formulary.rows);
    return rc;
}

/* Within the write transaction. */
static int products_put(struct store *store, struct product *products, int count, int64_t wall_ms,
                        struct formulary_result *result, struct error *err)
{
    int64_t stored = 0;
    result->rows = count;
    for (int i = 0; i < count; i++) {
        enum product_put put = PRODUCT_SAME;
        int rc = product_put(store, &products[i], wall_ms, &put, err);
        if (rc)
            return rc;
        result->added += put == PRODUCT_ADDED;
        result->changed += put == PRODUCT_CHANGED;
        result->same += put == PRODUCT_SAME;
    }
    int rc = store_get_int(store, &stored, err, "SELECT count(*) FROM product", "");
    result->not_named = (int)stored - count;
    return rc;
}

int formulary_import(struct store *store, const char *file, const char *actor, int64_t wall_ms,
                     struct formulary_result *ret_result, struct error *err)
{
    struct product *products = NULL;
    struct formulary_result result = {0};
    struct buf text;
    char detail[160];
    int count = 0;
    buf_init(&text);
    int rc = file_read(file, FORMULARY_BYTES_MAX, &text, err);
    if (rc == 0)
        rc = formulary_parse(file, buf_string(&text), text.len, &products, &count, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc == 0)
        rc = products_put(store, products, count, wall_ms, &result, err);
    (void)snprintf(detail, sizeof detail, "{\"rows\":%d,\"added\":%d,\"changed\":%d}", result.rows,
                   result.added, result.changed);
    if (rc == 0 && result.added + result.changed > 0)
        rc = audit_add(store, wall_ms, actor, "formulary.import", "formulary", detail, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    if (rc == 0)
        *ret_result = result;
    free(products);
    buf_finish(&text);
    return rc;
}
