/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of sig: words of a text, phrases of the table, and what their placeholders caught. */
#ifndef CONTROLLER_INTAKE_SIG_PRIVATE_H
#define CONTROLLER_INTAKE_SIG_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/intake/sig.h"

enum { SIG_WORD_BYTES = 40 };

struct sig_word {
    char text[SIG_WORD_BYTES];
    bool clause_ends; /* a comma, semicolon, full stop or bracket stands behind it */
    bool number;      /* text reads as a number */
    int64_t milli;
};

struct sig_words {
    int count;
    bool overflow;
    struct sig_word list[SIG_WORDS_MAX];
};

struct sig_phrase {
    const char *text; /* words with one space between */
    enum sig_kind kind;
    int64_t value;          /* of the claim, unless a placeholder gives it */
    enum reading_when when; /* of SIG_WHEN */
    bool harmless;          /* no claim at all */
};

/* A length of time in front of a meal: "30 minutes" before breakfast. */
struct sig_offset {
    const char *text;
    int factor; /* minutes in one; 0: not exact; negative: minutes of the phrase itself */
};

extern const struct sig_phrase sig_phrases[]; /* ends with a NULL text, as the other tables */
extern const struct sig_offset sig_offsets[];
extern const char *const sig_dangerous[];

/* What placeholders caught. */
struct sig_caught {
    int64_t number[2];
    int numbers;
    const char *unit;
    int64_t value;
};

/* Cuts a text into words in lower case; numbers are read, clauses marked. */
void sig_words_read(const char *text, struct sig_words *ret);
/* Words of the phrase when it stands at `at`, else 0. A phrase does not reach over the end of a clause. */
int sig_phrase_match(const char *phrase, const struct sig_words *words, int at, struct sig_caught *caught);

#endif
