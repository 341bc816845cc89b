/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_orders: a CSV file of orders, one a row, read by a mapping file (sachet-csv/1) and turned into FHIR R4,
 * so that the one reader judges it. A row that has no order in it (an id is missing, a number or a date can't
 * be read) is rejected with its line and reason; a file whose quotes or columns are wrong is refused whole.
 * Columns that the mapping does not name are not read.
 *
 * Blocks for the file. One thread.
 */
#ifndef CONTROLLER_INTAKE_CSV_ORDERS_H
#define CONTROLLER_INTAKE_CSV_ORDERS_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct csv_orders;
struct error;

enum { CSV_ORDERS_BYTES_MAX = 64 * 1024 * 1024 };

struct csv_orders_sink {
    void *data;
    /* A row as a FHIR Bundle of its patient and its order; place is "FILE:LINE". */
    int (*text)(void *data, const char *place, const char *text, size_t len, struct error *err);
    /* A row that is rejected; fields as they were read. NULL: nobody cares. */
    int (*rejected)(void *data, const char *place, int line, const char *reason, const char *const *fields,
                    int count, struct error *err);
};

/* mapping: a loaded sachet-csv/1, which must stay. E_FILE, E_LIMIT; E_INPUT when a named column is missing.
 */
int csv_orders_open(const char *file, const struct conf *mapping, struct csv_orders **ret_orders,
                    struct error *err);
/* The same from memory; text is copied, name stands in places. */
int csv_orders_parse(const char *name, const char *text, size_t len, const struct conf *mapping,
                     struct csv_orders **ret_orders, struct error *err);
void csv_orders_close(struct csv_orders *orders);
/* The titles of the first line. */
const char *const *csv_orders_titles(const struct csv_orders *orders, int *ret_count);
/* Goes through all rows; may be called again. *ret_rows, *ret_rejected: how many. */
int csv_orders_walk(const struct csv_orders *orders, const struct csv_orders_sink *sink, int64_t *ret_rows,
                    int64_t *ret_rejected, struct error *err);

#endif
