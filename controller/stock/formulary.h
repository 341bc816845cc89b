/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formulary: the product list as a CSV file.
 *
 * The first line is exactly product_columns: code,name,ingredient,strength,form,release,rxcui,ndc,packable,
 * halves,look,note. RFC 4180, UTF-8 (a byte order mark is skipped), LF or CRLF. packable: yes, no or
 * pharmacist; halves: yes or no; rxcui and ndc: none or several with one space between.
 *
 * The whole file is refused on the first error, which reads "file:line:column: what, what is allowed".
 * Importing it again changes nothing. Products that the file does not name stay as they are and are counted.
 */
#ifndef CONTROLLER_STOCK_FORMULARY_H
#define CONTROLLER_STOCK_FORMULARY_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct product;
struct store;

enum { FORMULARY_BYTES_MAX = 64 * 1024 * 1024 };

struct formulary_result {
    int rows;
    int added;
    int changed;
    int same;
    int not_named; /* in the store, not in the file */
};

/* Reads and checks text[0..len-1]; name stands in messages. *ret_products is the caller's to free(). */
int formulary_parse(const char *name, const char *text, size_t len, struct product **ret_products,
                    int *ret_count, struct error *err);
/* Reads the file and stores it in one transaction of its own, with an audit row by actor. */
int formulary_import(struct store *store, const char *file, const char *actor, int64_t wall_ms,
                     struct formulary_result *ret_result, struct error *err);

#endif
