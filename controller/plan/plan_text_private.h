/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of this room only. */
#ifndef CONTROLLER_PLAN_PLAN_TEXT_PRIVATE_H
#define CONTROLLER_PLAN_PLAN_TEXT_PRIVATE_H

#include <stdbool.h>

struct buf;
struct plan_note;
struct plan_take;
struct plan_text;

enum {
    PLAN_COUNT_MAX = 1000,        /* pieces of one item */
    PLAN_ANCHOR_DAYS_MAX = 40000, /* an every-N-days count that began over a century ago */
};

/* The total order in which takes stand in a plan: below, 0 or above 0 like strcmp. */
int plan_take_compare(const struct plan_take *a, const struct plan_take *b);

/* The same for notes. */
int plan_note_compare(const struct plan_note *a, const struct plan_note *b);

/* The text without any check. */
void plan_text_put(const struct plan_text *plan, struct buf *out);

/* A product code that can stand in a plan's line without quotes. */
bool plan_code_ok(const char *code);

#endif
