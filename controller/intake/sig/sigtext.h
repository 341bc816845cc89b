/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigtext: the words of a prescription ("1 tab po bid pc") read by a grammar whose words are data
 * (config/defaults/sig.yaml, format sachet-sig/1; the grammar is explained in sig-format.md).
 *
 * A text is read only when every word and mark of it was understood, and when the whole makes sense in
 * exactly one way. Everything else is refused with its reason and with what was left over. Spelling is never
 * corrected: near words are proposed to the person. A reading is not a permission to pack: sigtext_reading
 * tells whether the amounts and times can be laid out for a pouch at all.
 *
 * A table is immutable after its creation and may be used by many threads; a struct sigtext is plain data of
 * the caller that points into the table. Nothing here blocks or reads a clock; reading a text takes one block
 * of memory (about 2 MB), which the table keeps for the next one.
 */
#ifndef CONTROLLER_INTAKE_SIG_SIGTEXT_H
#define CONTROLLER_INTAKE_SIG_SIGTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct error;
struct reading;
struct sigtext_table;
struct sigtext_row;

enum {
    SIGTEXT_BYTES_MAX = 1000, /* of a text */
    SIGTEXT_TOKENS_MAX = 160, /* words, numbers and marks */
    SIGTEXT_DOSAGES_MAX = 16, /* amounts at their own times, over all steps of a taper */
    SIGTEXT_TIMES_MAX = 12,   /* events or clock times of one dosage */
    SIGTEXT_NOTES_MAX = 8,    /* instructions of one step */
    SIGTEXT_NOTE_BYTES = 80,
    SIGTEXT_REASON_BYTES = 240,
    SIGTEXT_LEFT_BYTES = 400,
    SIGTEXT_PROPOSALS_MAX = 8, /* words with proposals */
    SIGTEXT_WORD_BYTES = 32,
    SIGTEXT_NEAR_MAX = 3,      /* proposals a word */
    SIGTEXT_TRIES_MAX = 20000, /* steps of the search for another meaning */
};

enum sigtext_language { SIGTEXT_ENGLISH, SIGTEXT_GERMAN };

/* Why a text is refused. X(name, sentence) */
#define SIGTEXT_REFUSAL_TABLE(X)                                    \
    X(NONE, "")                                                     \
    X(EMPTY, "there is no text")                                    \
    X(ENCODING, "not printable UTF-8")                              \
    X(TOO_LONG, "the text is over a limit")                         \
    X(LANGUAGE, "the table has no such language")                   \
    X(UNKNOWN_WORDS, "words that are not in the table")             \
    X(NOT_UNDERSTOOD, "the words are known, but not in this order") \
    X(AMBIGUOUS, "the text can mean different things")              \
    X(DOUBTFUL, "the text is likely to be misread")                 \
    X(CONTRADICTORY, "the text contradicts itself")                 \
    X(DIRECTED, "the text refers to directions that are not in it") \
    X(NO_TIMES, "how often is not stated")                          \
    X(NO_AMOUNT, "an amount of several is not stated")              \
    X(OPEN_STEP, "how long a step lasts is not stated, and another follows or it ends the course")

enum sigtext_refusal {
#define SIGTEXT_REFUSAL_ENUM(name, text) SIGTEXT_##name,
    SIGTEXT_REFUSAL_TABLE(SIGTEXT_REFUSAL_ENUM)
#undef SIGTEXT_REFUSAL_ENUM
        SIGTEXT_REFUSAL_COUNT
};

/* FHIR's UnitsOfTime as far as they occur. */
enum sigtext_time_unit { SIGTEXT_MIN, SIGTEXT_H, SIGTEXT_D, SIGTEXT_WK, SIGTEXT_MO };

/* How a number bounds: for 5 days, for at least 5 days, for up to 5 days. */
enum sigtext_bound { SIGTEXT_EXACT, SIGTEXT_LEAST, SIGTEXT_MOST };

/* An amount or number; low == high when it is one. low 0: "up to high". Thousandths. */
struct sigtext_span {
    int64_t low;
    int64_t high;
};

/* One amount at its times: becomes one FHIR R4 Dosage. All pointers lead into the table. */
struct sigtext_dosage {
    int sequence; /* from 1; equal: side by side, rising: one after the other */
    int from, to; /* bytes of the text that this step says */

    bool has_amount;
    struct sigtext_span amount;
    const struct sigtext_row *unit; /* NULL: a bare number */

    bool once; /* a single dose */
    bool has_frequency;
    struct sigtext_span times;  /* whole numbers, not thousandths; low 0: "up to" */
    struct sigtext_span period; /* whole numbers */
    enum sigtext_time_unit period_unit;
    bool spread_open; /* "3 a day": nobody says whether at once */
    int event_count;  /* enum reading_when, in order of the text; a generic meal (C, AC, PC) last */
    int events[SIGTEXT_TIMES_MAX];
    int offset_min; /* before AC*, HS; after the others */
    int clock_count;
    int clocks[SIGTEXT_TIMES_MAX]; /* minutes of the day */
    unsigned weekdays;             /* bit 0 Monday .. bit 6 Sunday */

    bool has_length;
    struct sigtext_span length; /* whole numbers */
    enum sigtext_time_unit length_unit;
    enum sigtext_bound length_bound;
    int32_t start_day, end_day; /* CIVIL_DAY_NONE: not stated */

    bool as_needed;
    char as_needed_for[SIGTEXT_NOTE_BYTES]; /* "" not stated */
    const struct sigtext_row *verb, *route; /* NULL: not stated */
    unsigned ways; /* into the body that unit, verb and route leave open: bits of sig.yaml's `routes` */

    bool has_max;
    bool max_per_dose;
    bool max_counts_doses;              /* "max 3x a week" */
    int64_t max;                        /* thousandths of max_unit, or doses */
    const struct sigtext_row *max_unit; /* NULL: as the amount */
    enum sigtext_time_unit max_period;

    bool states_strength; /* the text names a mass beside the count: compare it with the product */
    bool meal_beside;     /* a meal stands as a note beside another time of day */
    bool out_of_pouch;    /* chew, dissolve, until finished …: not for a pouch by the text alone */
    int note_count;
    char notes[SIGTEXT_NOTES_MAX][SIGTEXT_NOTE_BYTES];
    const struct sigtext_row *note_rows[SIGTEXT_NOTES_MAX]; /* NULL: only text */
};

struct sigtext_proposal {
    char word[SIGTEXT_WORD_BYTES]; /* as written, cut to fit */
    int count;
    const char *near[SIGTEXT_NEAR_MAX]; /* words of the table, nearest first */
};

struct sigtext {
    enum sigtext_refusal refusal;       /* SIGTEXT_NONE: it was read */
    char reason[SIGTEXT_REASON_BYTES];  /* one line for people; "" when read */
    char left_over[SIGTEXT_LEFT_BYTES]; /* what was not understood, as written; "" */
    int proposal_count;
    struct sigtext_proposal proposals[SIGTEXT_PROPOSALS_MAX];
    int dosage_count; /* 0 when refused */
    struct sigtext_dosage dosages[SIGTEXT_DOSAGES_MAX];
};

/* Makes a table from a loaded sachet-sig/1 file; the conf may be destroyed afterwards. E_MEMORY, E_LIMIT. */
int sigtext_table_create(const struct conf *conf, struct sigtext_table **ret_table, struct error *err);
/* From a file; NULL: the words that come with the program (sig.yaml). As conf_load, too. */
int sigtext_table_load(const char *file, struct sigtext_table **ret_table, struct error *err);
/* NULL is allowed. */
void sigtext_table_destroy(struct sigtext_table *table);

/* Reads text[0..len-1]; always fills *ret. */
void sigtext_read(const struct sigtext_table *table, enum sigtext_language language, const char *text,
                  size_t len, struct sigtext *ret);

const char *sigtext_refusal_name(enum sigtext_refusal refusal); /* "UNKNOWN_WORDS" */
/* The name of a unit, verb or route: "tablet", "Take", "Oral". */
const char *sigtext_row_name(const struct sigtext_row *row);

/* Adds the dosages as a JSON array of FHIR R4 Dosage, one line, keys in fixed order; text as given to read.
 */
void sigtext_write_dosage(const struct sigtext *sig, const char *text, size_t len, struct buf *out);
/* Adds one JSON object: text, status, dosage, left_over, reason, code, proposals. text that is not UTF-8 is
 * written as null. */
void sigtext_write(const struct sigtext *sig, const char *text, size_t len, struct buf *out);
/* Adds one plain line for people: "1 tablet, twice a day, after a meal; by mouth". */
void sigtext_describe(const struct sigtext *sig, struct buf *out);

/*
 * The reading as a pouch packer needs it: amounts in milli-pieces of whatever product the order leads to (a
 * bare number counts as pieces). False with a reason in *ret_why (a constant text) when the text is refused
 * or says something that has no fixed pieces, days and times.
 */
bool sigtext_reading(const struct sigtext *sig, struct reading *ret_reading, const char **ret_why);

#endif
