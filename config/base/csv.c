/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/csv.h"

#include <stdbool.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/utf8.h"

void csv_init(struct csv *csv, const char *name, const char *text, size_t len)
{
    *csv = (struct csv){.name = name, .text = text, .len = len, .separator = ',', .line = 1, .column = 1};
    buf_init(&csv->row);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
}

void csv_finish(struct csv *csv)
{
    buf_finish(&csv->row);
}

static int csv_error(const struct csv *csv, int code, struct error *err, const char *what)
{
    return error_set(err, code, "%s:%d:%d: %s", csv->name, csv->line, csv->column, what);
}

/* The next byte as a number, or -1 at the end. */
static int csv_peek(const struct csv *csv)
{
    return csv->at < csv->len ? (unsigned char)csv->text[csv->at] : -1;
}

static bool at_line_end(const struct csv *csv)
{
    return csv->text[csv->at] == '\n' ||
           (csv->text[csv->at] == '\r' && csv->at + 1 < csv->len && csv->text[csv->at + 1] == '\n');
}

static void csv_skip_line_end(struct csv *csv)
{
    csv->at += csv->text[csv->at] == '\r' ? 2 : 1;
    csv->line++;
    csv->column = 1;
}

/* Adds one character to the field and moves over it. */
static int csv_take(struct csv *csv, struct error *err)
{
    uint32_t character = 0;
    size_t len = utf8_next(csv->text + csv->at, csv->len - csv->at, &character);
    if (len == 0)
        return csv_error(csv, E_SYNTAX, err, "not UTF-8: save the file as UTF-8");
    if (character == 0 || (character == '\r' && !at_line_end(csv)))
        return csv_error(csv, E_SYNTAX, err, "a control character that CSV does not know: remove it");
    if (csv->row.len + len >= CSV_ROW_BYTES_MAX)
        return csv_error(csv, E_LIMIT, err, "row is longer than 1 MiB: an open quote somewhere above?");
    if (at_line_end(csv)) { /* within quotes; a CRLF stays one line break */
        buf_char(&csv->row, '\n');
        csv_skip_line_end(csv);
        return 0;
    }
    buf_add(&csv->row, csv->text + csv->at, len);
    csv->at += len;
    csv->column++;
    return 0;
}

/* Behind the opening quote, up to and over the closing one. */
static int csv_quoted(struct csv *csv, struct error *err)
{
    for (;;) {
        int c = csv_peek(csv);
        if (c < 0)
            return csv_error(csv, E_SYNTAX, err, "the file ends within quotes: close them");
        if (c == '"') {
            csv->at++;
            csv->column++;
            if (csv_peek(csv) != '"')
                break;
        }
        int rc = csv_take(csv, err);
        if (rc)
            return rc;
    }
    if (csv_peek(csv) >= 0 && csv_peek(csv) != csv->separator && !at_line_end(csv))
        return csv_error(csv, E_SYNTAX, err,
                         "text behind a closing quote: only a separator or the line's end may follow");
    return 0;
}

static int csv_plain(struct csv *csv, struct error *err)
{
    while (csv_peek(csv) >= 0 && csv_peek(csv) != csv->separator && !at_line_end(csv)) {
        if (csv_peek(csv) == '"')
            return csv_error(csv, E_SYNTAX, err,
                             "a quote within a field: quote the whole field and write it twice");
        int rc = csv_take(csv, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int csv_field_read(struct csv *csv, struct error *err)
{
    if (csv->count >= CSV_FIELDS_MAX)
        return csv_error(csv, E_LIMIT, err, "more than 64 fields on a line");
    struct csv_field *field = &csv->fields[csv->count];
    *field = (struct csv_field){.line = csv->line, .column = csv->column};
    csv->starts[csv->count] = csv->row.len;
    int rc = 0;
    if (csv_peek(csv) == '"') {
        csv->at++;
        csv->column++;
        rc = csv_quoted(csv, err);
    } else {
        rc = csv_plain(csv, err);
    }
    field->len = csv->row.len - csv->starts[csv->count];
    buf_char(&csv->row, '\0');
    csv->count++;
    return rc;
}

int csv_next(struct csv *csv, struct error *err)
{
    if (csv->at >= csv->len)
        return 0;
    buf_reset(&csv->row);
    csv->count = 0;
    for (;;) {
        int rc = csv_field_read(csv, err);
        if (rc)
            return rc;
        if (csv_peek(csv) != csv->separator)
            break;
        csv->at++;
        csv->column++;
    }
    if (csv->row.failed)
        return error_set(err, E_MEMORY, "out of memory reading %s", csv->name);
    if (csv->at < csv->len)
        csv_skip_line_end(csv);
    for (int i = 0; i < csv->count; i++) /* the row's memory has come to rest */
        csv->fields[i].text = csv->row.data + csv->starts[i];
    return 1;
}
