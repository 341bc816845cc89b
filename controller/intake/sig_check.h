/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sig_check: words against structure. A word that says otherwise stops the order (SIG_CONTRADICTS); one that
 * says more exactly when ("1 qhs" coded as once a day) is taken over and recorded (FROM_TEXT), but only when
 * it fits in one way. Private to the intake. Pure.
 */
#ifndef CONTROLLER_INTAKE_SIG_CHECK_H
#define CONTROLLER_INTAKE_SIG_CHECK_H

#include <stdbool.h>

#include "controller/intake/dose.h"
#include "controller/intake/timing.h"

struct sig_context {
    const struct dose *dose;
    bool pieces_known;
    int64_t pieces_milli;
    const struct catalogue_row *product; /* may be NULL */
    bool as_needed;
    bool follows;  /* another dosage stands before this one in the sequence */
    bool strict;   /* every word must be understood; else only dangerous ones count */
    bool may_take; /* the text may make the times more exact */
};

/* Compares text with timing (laid out); may make timing->phase more exact. */
void sig_check(const char *text, const struct sig_context *context, struct timing *timing,
               struct reasons *reasons);

#endif
