/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_book: what a machine's line counted, in the table line_state of the store, for `sachet line status`.
 * Counters change with every poll, so a row is written every few seconds only. One thread.
 */
#ifndef TOOLS_SACHETD_LINE_BOOK_H
#define TOOLS_SACHETD_LINE_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/machine.h"

struct error;
struct packer;
struct store;

enum { LINE_BOOK_MS = 5000, LINE_BOOK_LINE_BYTES = 320 };

/* Zeroed but for the first three is empty. */
struct line_book {
    const char *machine;             /* its name in the site file; borrowed */
    char line[LINE_BOOK_LINE_BYTES]; /* "tcp HOST:PORT" or "rtu DEVICE" */
    int64_t since_ms;                /* wall clock */
    bool written;
    int64_t written_ms; /* monotonic */
    uint64_t requests;  /* as written */
};

/* The last row is old enough and the line has counted since. */
bool line_book_due(const struct line_book *book, struct machine *machine, int64_t mono_ms);
/* Inside a transaction of the caller. */
int line_book_write(struct line_book *book, struct machine *machine, const struct packer *packer,
                    struct store *store, int64_t mono_ms, int64_t wall_ms, struct error *err);

#endif
