/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sig: what the words of a dosage say, as far as a small table of phrases goes, so that words and structure
 * can be compared. It never reads an order from words alone; a full grammar may replace it behind this
 * header. English and the Latin abbreviations. Private to the intake. Pure, any thread.
 */
#ifndef CONTROLLER_INTAKE_SIG_H
#define CONTROLLER_INTAKE_SIG_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/intake/measure.h"
#include "controller/intake/reading.h"

enum { SIG_CLAIMS_MAX = 24, SIG_WORDS_MAX = 96, SIG_TEXT_BYTES = 1024, SIG_SAID_BYTES = 64 };

enum sig_kind {
    SIG_AMOUNT,       /* value: thousandths; measure, UNKNOWN for a bare number */
    SIG_AMOUNT_RANGE, /* "1 to 2 tablets" */
    SIG_PER_DAY,      /* value times a day */
    SIG_DAILY,        /* "daily", "a day": once, unless a number of times stands beside it */
    SIG_HOURS,        /* every value hours */
    SIG_HOURS_RANGE,
    SIG_EVERY_DAYS, /* value */
    SIG_PER_WEEK,   /* value times a week */
    SIG_MONTHLY,
    SIG_WHEN,     /* when, offset_min (-1: not exact) */
    SIG_CLOCK,    /* value: minute */
    SIG_WEEKDAYS, /* value: mask, bit 0 Monday */
    SIG_DURATION, /* value days */
    SIG_FROM,     /* value: day */
    SIG_UNTIL,    /* value: day, inclusive */
    SIG_PRN,
    SIG_ONCE,      /* a single dose */
    SIG_THEN,      /* "then" in front */
    SIG_STOP,      /* "then stop" at the end */
    SIG_NOT_MOUTH, /* under the tongue, into the eye, chew … */
    SIG_DIRECTED,  /* "as directed" */
};

struct sig_claim {
    enum sig_kind kind;
    int64_t value;
    enum measure measure;
    int64_t amount; /* base units of measure (struct measured) */
    enum reading_when when;
    int offset_min;
    char said[SIG_SAID_BYTES]; /* the words */
};

struct sig {
    int count;
    struct sig_claim claims[SIG_CLAIMS_MAX];
    bool whole;     /* every word was understood or is harmless */
    bool dangerous; /* a word that was not understood is a number or may turn the meaning ("skip", "until") */
    char left[SIG_SAID_BYTES * 4]; /* words that were not understood */
};

void sig_read(const char *text, struct sig *ret);

#endif
