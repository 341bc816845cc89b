/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv: comma-separated values as RFC 4180 has them, read strictly.
 *
 * Fields are separated by commas (or by another character that the caller sets behind csv_init) and may be
 * quoted; within quotes a comma, a line break and "" (one quote) stand for themselves. Lines end with LF or
 * CRLF; the last one may lack it. A byte order mark at the start is skipped. Refused: a quote within an
 * unquoted field, anything between a closing quote and the next comma, a CR alone, a NUL, malformed UTF-8, an
 * open quote at the end. No field is trimmed.
 *
 * The caller owns the struct and the text, which must stay while rows are read. A row's fields are valid
 * until the next csv_next or csv_finish. Pure, any thread.
 */
#ifndef CONFIG_BASE_CSV_H
#define CONFIG_BASE_CSV_H

#include <stddef.h>

#include "config/base/buf.h"

struct error;

enum { CSV_FIELDS_MAX = 64, CSV_ROW_BYTES_MAX = 1024 * 1024 };

struct csv_field {
    const char *text; /* without its quotes, NUL-ended */
    size_t len;
    int line;   /* where it starts, from 1 */
    int column; /* in characters, from 1 */
};

struct csv {
    const char *name; /* for messages */
    const char *text;
    size_t len;
    size_t at;
    char separator; /* ',' */
    int line;
    int column;
    struct buf row;
    size_t starts[CSV_FIELDS_MAX];
    struct csv_field fields[CSV_FIELDS_MAX];
    int count; /* fields of the row */
};

void csv_init(struct csv *csv, const char *name, const char *text, size_t len);
void csv_finish(struct csv *csv);
/* 1: a row is in fields[0..count-1]; 0: no more; E_SYNTAX or E_LIMIT as "name:line:column: ...". */
int csv_next(struct csv *csv, struct error *err);

#endif
