/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of sigtext: rows and patterns of the table, tokens of a text, what stands at a place of it. Only
 * controller/intake/sigtext*.c include this.
 *
 * sigtext_table.c compiles the rows, sigtext_tokens.c cuts the text, sigtext_number.c and sigtext_match.c
 * find what the rows say at each place (struct item), sigtext_build.c puts items together into steps and
 * doses, sigtext_settle.c turns them into dosages, sigtext_read.c searches for every way to do so,
 * sigtext_near.c proposes words.
 */
#ifndef CONTROLLER_INTAKE_SIG_SIGTEXT_PRIVATE_H
#define CONTROLLER_INTAKE_SIG_SIGTEXT_PRIVATE_H

#include "config/base/arena.h"
#include "controller/intake/sig/sigtext.h"

enum {
    SIGTEXT_ELEMENTS_MAX = 16, /* of one pattern */
    SIGTEXT_CHOICES_MAX = 16,  /* of one element */
    SIGTEXT_ITEMS_MAX = 1200,  /* found in one text */
    SIGTEXT_LANGUAGES = 2,
};

/* The order is that of `kinds` in config/sig.c. */
enum sigtext_kind {
    KIND_NUMBER,
    KIND_PLUS,
    KIND_RANGE_TO,
    KIND_UP_TO,
    KIND_UNIT,
    KIND_VERB,
    KIND_ROUTE,
    KIND_FREQUENCY,
    KIND_WHEN,
    KIND_OFFSET,
    KIND_DAY,
    KIND_DAYS,
    KIND_CLOCK,
    KIND_AM_PM,
    KIND_AS_NEEDED,
    KIND_REASON,
    KIND_PURPOSE,
    KIND_DURATION,
    KIND_MAXIMUM,
    KIND_PER,
    KIND_ONCE,
    KIND_THEN,
    KIND_STOP,
    KIND_GOES_ON,
    KIND_AND,
    KIND_INSTRUCTION,
    KIND_NOTE,
    KIND_DIRECTED,
    KIND_MONTH,
    KIND_BEGIN,
    KIND_UNTIL,
    KIND_EACH,
    KIND_COUNT,
    /* not in the file */
    KIND_AMOUNT = KIND_COUNT,
    KIND_SLOTS, /* 1-0-1-0 */
    KIND_MARK,  /* , ; . : - ( ) */
    KIND_ALL,
};

enum sigtext_measure { SIGTEXT_PIECE, SIGTEXT_MASS, SIGTEXT_OTHER };

enum sigtext_slot {
    SLOT_WORD,
    SLOT_NUMBER,
    SLOT_AMOUNT,
    SLOT_DAYS,
    SLOT_TIME,
    SLOT_DATE,
    SLOT_REASON,
};

struct sigtext_element {
    enum sigtext_slot slot;
    bool optional;
    int count;
    short words[SIGTEXT_CHOICES_MAX]; /* word numbers */
};

struct sigtext_pattern {
    int row;
    bool many; /* from `many` */
    int count;
    struct sigtext_element elements[SIGTEXT_ELEMENTS_MAX];
};

struct sigtext_row {
    enum sigtext_kind kind;
    unsigned languages;             /* bit = enum sigtext_language */
    const char *name, *code, *site; /* "" none */
    int64_t value;                  /* thousandths; -1 not given */
    int64_t max;
    enum sigtext_measure measure;
    int times, period; /* 0: not given */
    enum sigtext_time_unit unit;
    int event; /* enum reading_when; -1 none */
    bool splits, whole, weak, after, pouch;
    enum sigtext_bound bound;
    unsigned routes; /* bits; all when none are named */
    int day;         /* 0 Monday */
};

struct sigtext_settings {
    bool known;
    bool comma;
    bool time_first;
    bool slots;
};

/* Room to read one text in (about 2 MB), kept by the table from one text to the next; whoever reads takes it.
 */
struct sigtext_spare {
    _Atomic(void *) search; /* malloc()ed; NULL: taken, or none yet */
};

struct sigtext_table {
    struct arena arena;
    struct sigtext_spare *spare; /* the one thing of a table that changes */
    struct sigtext_settings settings[SIGTEXT_LANGUAGES];
    int row_count;
    struct sigtext_row *rows;
    int pattern_count;
    struct sigtext_pattern *patterns; /* sorted by kind of their row, in order of the file within */
    int first[KIND_COUNT + 1];        /* of a kind in patterns */
    int *starts; /* patterns that may begin with a word: of word w at starts[start_of[w]..start_of[w + 1] - 1]
                  */
    int *start_of; /* word w: patterns that may begin with something else at w = word_count */
    int word_count;
    const char **words; /* sorted */
    unsigned *word_languages;
    uint32_t *word_letters; /* sigtext_letters of each word */
};

enum sigtext_token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_CLOCK, TOKEN_DATE, TOKEN_MARK };

struct token {
    enum sigtext_token_kind kind;
    int from, to; /* bytes of the original text */
    bool glued;   /* no space before it */
    bool fraction;
    bool plain; /* NUMBER: digits only */
    bool soft;  /* MARK '-' between letters: may stand within a phrase */
    char mark;
    int word;      /* WORD: number in the table, -1 unknown; MARK: of its text, -1 none */
    int64_t value; /* NUMBER thousandths, CLOCK minutes, DATE day */
};

struct tokens {
    const struct sigtext_table *table;
    enum sigtext_language language;
    const char *text;
    int count;
    struct token list[SIGTEXT_TOKENS_MAX];
};

/* What a number is written like: two bare numbers side by side are only told apart by it. */
enum number_style { NUMBER_DIGITS, NUMBER_WORDS, NUMBER_BOTH };

struct number {
    int end;
    int64_t value;
    enum number_style style;
    bool needs_unit; /* "a", "half" */
    bool slash;      /* 1/2: may be one or two */
};

/* What a row says at a place of the text. */
struct item {
    enum sigtext_kind kind;
    const struct sigtext_row *row; /* NULL: KIND_SLOTS, KIND_MARK */
    int from, to;                  /* tokens */
    bool has_number;
    struct sigtext_span number; /* thousandths: <n>, <amount>, event offsets in minutes (not thousandths) */
    bool number_first;          /* its first token is a number */
    enum number_style style;    /* of that number */
    bool bare;                  /* AMOUNT without a unit */
    bool is_range;
    bool up_to;
    const char *doubt; /* why this is likely to be misread; NULL none */
    const struct sigtext_row *unit;
    int64_t strength; /* "150 mg" of "one 150 mg tab"; 0 none */
    const struct sigtext_row *strength_unit;
    const struct sigtext_row *per; /* of a maximum */
    unsigned days;
    bool days_many; /* all in the plural, or each */
    int offset_min; /* of a when, -1 none */
    int32_t day;
    int clock_count;
    int clocks[SIGTEXT_TIMES_MAX];
    int64_t slots[4];
    int reason_from, reason_to; /* tokens of <reason>; -1 none */
};

/* sigtext_table.c: the first pattern from `from` on that may begin at token `at`; pattern_count when there is
 * none. Most patterns begin with a word, so that few are looked at. */
int sigtext_next(const struct tokens *tokens, int at, int from);
/* The letters of a word as bits: two words that are a slip apart differ in one letter each at most. */
uint32_t sigtext_letters(const char *word);
/* The number of a word, -1 when the table does not have it. */
int sigtext_word(const struct sigtext_table *table, const char *word, size_t len);

/* sigtext_tokens.c: SIGTEXT_NONE, or the refusal with its reason and place. */
enum sigtext_refusal sigtext_cut(const struct sigtext_table *table, enum sigtext_language language,
                                 const char *text, size_t len, struct tokens *ret, struct sigtext *sig);

/* sigtext_number.c */
enum { NUMBERS_MAX = 8 };
/* Every number that begins at token `at`; how many were put into list. */
int sigtext_numbers(const struct tokens *tokens, int at, struct number list[NUMBERS_MAX]);

/* sigtext_match.c: everything that begins at token `at`, added to items[*count]. False when they are full. */
bool sigtext_items(const struct tokens *tokens, int at, struct item *items, int *count, int max);
/* Ends of the matches of one pattern at `at`, with what its slots caught. */
enum { MATCHES_MAX = 24 };
int sigtext_matches(const struct tokens *tokens, const struct sigtext_pattern *pattern, int at,
                    struct item matches[MATCHES_MAX]);
/* Is token `at` "am" or "pm"? */
bool sigtext_is_half_day(const struct tokens *tokens, int at);
/* sigtext_amount.c: amounts at `at`. */
int sigtext_amounts(const struct tokens *tokens, int at, struct item matches[MATCHES_MAX]);
/* sigtext_amount.c: 1-0-1-0 at `at`. */
bool sigtext_slots(const struct tokens *tokens, int at, struct item *ret);

/* sigtext_near.c: proposals for unknown words. */
void sigtext_propose(const struct tokens *tokens, struct sigtext *sig);

#endif
