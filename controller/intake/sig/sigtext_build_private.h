/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: items of a text put together one after the other. A build is copied at every fork of the search, so
 * it holds pointers to items, never items. A step is a part of a taper; a dose is an amount with its times.
 *
 * An item that cannot go on a build is a conflict: this way of reading the text is no meaning of it. A doubt
 * is a meaning that is likely to be wrong: it counts as one, and refuses the text when it is the only one.
 */
#ifndef CONTROLLER_INTAKE_SIG_SIGTEXT_BUILD_PRIVATE_H
#define CONTROLLER_INTAKE_SIG_SIGTEXT_BUILD_PRIVATE_H

#include "controller/intake/sig/sigtext_private.h"

struct build_dose {
    int step;
    const struct item *amount; /* or KIND_SLOTS; NULL none */
    bool time_first;           /* the amount came behind its time */

    bool has_frequency;
    struct sigtext_span times, period;
    enum sigtext_time_unit unit;
    bool weak;
    bool sum; /* "3 a day" */
    bool once;

    int event_count;
    int events[SIGTEXT_TIMES_MAX];
    int offset_min;          /* -1 none */
    int loose;               /* events side by side without a word or mark between */
    bool listed;             /* ... with one */
    const struct item *meal; /* C, AC or PC: the meal is not named */
    bool meal_listed;        /* "with meals and at bedtime" */
    bool like_clock;         /* "1 am": only beside others of the kind */
    const struct item *clock;
    unsigned days;
    bool days_single;            /* "on Monday": this one, or every one? */
    const struct item *strength; /* a note of mass */
    bool said_again;             /* "1 tablet - 3 times a day - one tablet three times daily" */
};

struct build_step {
    int from, to; /* tokens */
    const struct sigtext_row *verb, *route;
    const struct item *as_needed, *purpose, *length, *max, *begin, *until;
    bool goes_on, stopped;
    int note_count;
    const struct item *notes[SIGTEXT_NOTES_MAX];
};

struct build {
    const struct tokens *tokens;
    bool and_pending, need_amount, stopped;
    char mark; /* since the last item; 0 none */
    const struct item *last;
    const struct item *directed;
    const char *doubt;
    const struct item *doubt_at;
    int step_count; /* at least 1 */
    int dose_count;
    struct build_step steps[SIGTEXT_DOSAGES_MAX];
    struct build_dose doses[SIGTEXT_DOSAGES_MAX];
};

void build_init(struct build *build, const struct tokens *tokens);
/* NULL, or why the item cannot stand here. */
const char *build_add(struct build *build, const struct item *item);
/*
 * The whole as dosages. NULL with ret->refusal set (SIGTEXT_NONE, or what is missing or doubtful), or why it
 * is no meaning at all.
 */
const char *build_settle(const struct build *build, struct sigtext *ret);

#endif
