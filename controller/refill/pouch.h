/* SPDX-License-Identifier: Apache-2.0 */
/* pouch: what lies in a made pouch, from its own line of the plan text. Pure, any thread. */
#ifndef CONTROLLER_REFILL_POUCH_H
#define CONTROLLER_REFILL_POUCH_H

#include <stdint.h>

#include "controller/plan/plan_text.h"

struct error;

enum { POUCH_ITEMS_MAX = 64 };

/* Of job j, joined with pouch_recall r: it must not be taken any more. */
#define POUCH_DEAD_SQL                                                                                  \
    "(r.job_id IS NOT NULL OR EXISTS (SELECT 1 FROM withdrawn dead WHERE dead.plan_id = j.plan_id AND " \
    "dead.pouch = j.pouch))"

struct pouch_item {
    char code[PLAN_CODE_BYTES_MAX + 1];
    int64_t milli; /* pieces; whole and half ones together */
};

struct pouch_content {
    int number;
    int32_t day; /* logical: what is taken after midnight belongs to the day before */
    int32_t label_day;
    int minute; /* clock minute */
    int count;
    struct pouch_item item[POUCH_ITEMS_MAX]; /* by code */
};

/* line: `pouch N DATE HH:MM ... items=CODE:whole:2,...` as in job.pouch_line. E_SYNTAX. */
int pouch_content_read(const char *line, int day_start, struct pouch_content *ret_content, struct error *err);

#endif
