/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: the result page of many scenarios: hazard, control, scenario, seed, last pass; as Markdown or as one
 * HTML file without anything from outside. Pure, any thread.
 */
#ifndef TOOLS_SACHET_RIG_PAGE_H
#define TOOLS_SACHET_RIG_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { PAGE_TEXT_BYTES = 256, PAGE_WHY_BYTES = 600, PAGE_HAZARDS_BYTES = 80 };

struct page_row {
    char hazards[PAGE_HAZARDS_BYTES]; /* "H3 H4" */
    char control[PAGE_TEXT_BYTES];
    char scenario[PAGE_TEXT_BYTES];
    char title[PAGE_TEXT_BYTES];
    uint64_t seed;
    bool passed;
    char why[PAGE_WHY_BYTES]; /* it did not */
    int64_t good;
    int64_t voids;
    int64_t slips;
    int64_t ran_ms;
    char last_pass[32]; /* "2026-11-21" or "never" */
};

/* A row of a page that was written earlier: the day of its last pass, by scenario; "never" when it is not
 * there. page is Markdown or HTML as written here, NUL-ended. */
void page_last_pass(const char *page, const char *scenario, char ret_day[32]);

/* By hazard, then scenario. */
void page_sort(struct page_row *rows, size_t count);
/* Rows in the order given, then every hazard H1..H28 with the scenarios that show it. day: of this run. */
void page_write_markdown(const struct page_row *rows, size_t count, const char *day, struct buf *out);
void page_write_html(const struct page_row *rows, size_t count, const char *day, struct buf *out);

#endif
