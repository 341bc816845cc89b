/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text cut into words, numbers and marks. Letters and digits part ("q4h" is q, 4, h), single letters with
 * dots join ("b.i.d." is bid), a number that is known for being misread (".5", "1,5", "05") ends the reading.
 */
#include "controller/intake/sig/sigtext_private.h"

#include "config/base/civil.h"
#include "config/base/utf8.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 9, PLACES_MAX = 3 };

struct cutter {
    struct tokens *tokens;
    struct sigtext *sig;
    char text[SIGTEXT_BYTES_MAX + 8]; /* small letters, one byte a mark; same length as the original */
    int len;
    int at;
    int open; /* parentheses */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters are those of ASCII and every byte of a longer character; fractions and dashes were replaced. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80 || c == '\'';
}

enum { HALF = 1, QUARTER = 2, THREE_QUARTERS = 3 }; /* bytes that cannot come from a printable text */

static bool is_vulgar(char c)
{
    return c >= HALF && c <= THREE_QUARTERS;
}

static const struct {
    const char *from;
    char to; /* the rest of the character becomes spaces, or nothing when glue is set */
} replaced[] = {
    {"\xc2\xa0", ' '},
    {"\xe2\x80\x89", ' '},
    {"\xe2\x80\xaf", ' '},
    {"\xe2\x80\x90", '-'},
    {"\xe2\x80\x91", '-'},
    {"\xe2\x80\x92", '-'},
    {"\xe2\x80\x93", '-'},
    {"\xe2\x80\x94", '-'},
    {"\xe2\x88\x92", '-'},
    {"\xc3\x97", 'x'},
    {"\xc2\xbd", HALF},
    {"\xc2\xbc", QUARTER},
    {"\xc2\xbe", THREE_QUARTERS},
    {"\xe2\x80\x99", '\''},
};

enum { FILLER = 4 }; /* stands for the further bytes of a replaced character; part of what stands before */

static void lower(struct cutter *cutter)
{
    for (int i = 0; i < cutter->len; i++) {
        char *c = &cutter->text[i];
        bool found = false;
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        if ((unsigned char)*c < 0x80)
            continue;
        for (size_t k = 0; k < sizeof replaced / sizeof replaced[0] && !found; k++) {
            size_t len = strlen(replaced[k].from);
            if (i + (int)len > cutter->len || strncmp(c, replaced[k].from, len) != 0)
                continue;
            *c = replaced[k].to;
            memset(c + 1, FILLER, len - 1);
            i += (int)len - 1;
            found = true;
        }
        if (found)
            continue;
        unsigned char next = i + 1 < cutter->len ? (unsigned char)c[1] : 0;
        if ((unsigned char)*c == 0xc3 && next >= 0x80 && next <= 0x9e) /* À..Þ */
            c[1] = (char)(next + 0x20);
        if ((unsigned char)*c == 0xce && next == 0xbc) { /* Greek mu is the micro sign */
            c[0] = (char)0xc2;
            c[1] = (char)0xb5;
        }
        while (i + 1 < cutter->len && ((unsigned char)cutter->text[i + 1] & 0xc0) == 0x80)
            i++;
    }
}

__attribute__((format(printf, 5, 6))) static enum sigtext_refusal refuse(struct cutter *cutter,
                                                                         enum sigtext_refusal refusal,
                                                                         int from, int to, const char *format,
                                                                         ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(cutter->sig->reason, sizeof cutter->sig->reason, format, args); /* cut to fit */
    va_end(args);
    (void)snprintf(cutter->sig->left_over, sizeof cutter->sig->left_over, "%.*s", to - from,
                   cutter->tokens->text + from);
    return refusal;
}

static char peek(const struct cutter *cutter, int at)
{
    return at >= 0 && at < cutter->len ? cutter->text[at] : '\0';
}

static struct token *push(struct cutter *cutter, enum sigtext_token_kind kind, int from, int to)
{
    struct tokens *tokens = cutter->tokens;
    if (tokens->count == SIGTEXT_TOKENS_MAX)
        return NULL;
    struct token *token = &tokens->list[tokens->count++];
    while (to < cutter->len && cutter->text[to] == FILLER)
        to++;
    char before = peek(cutter, from - 1);
    *token = (struct token){.kind = kind, .from = from, .to = to, .word = -1};
    token->glued =
        from > 0 && before != ' ' && !(before == FILLER && tokens->count > 1 && token[-1].to != from);
    cutter->at = to;
    return token;
}

static int known_word(const struct cutter *cutter, const char *word, size_t len)
{
    const struct tokens *tokens = cutter->tokens;
    int number = sigtext_word(tokens->table, word, len);
    if (number >= 0 && (tokens->table->word_languages[number] & 1u << tokens->language) == 0)
        return -1;
    return number;
}

/* "b.i.d." and "p.o": single letters with dots. 0 when it is none; else its length, letters in joined. */
static int dotted(const struct cutter *cutter, char joined[SIGTEXT_WORD_BYTES])
{
    int at = cutter->at, count = 0;
    while (count < SIGTEXT_WORD_BYTES - 1 && peek(cutter, at) >= 'a' && peek(cutter, at) <= 'z' &&
           !is_letter(peek(cutter, at + 1))) {
        joined[count++] = peek(cutter, at);
        at++;
        if (peek(cutter, at) != '.')
            break;
        at++;
    }
    joined[count] = '\0';
    /* The last letter of "p.o" stands before no letter; "tab.po" never comes here. */
    if (count < 2 || is_letter(peek(cutter, at)))
        return 0;
    return at - cutter->at;
}

static enum sigtext_refusal cut_word(struct cutter *cutter)
{
    char joined[SIGTEXT_WORD_BYTES];
    int from = cutter->at;
    int len = dotted(cutter, joined);
    struct token *token;
    if (len > 0) {
        token = push(cutter, TOKEN_WORD, from, from + len);
        if (token != NULL)
            token->word = known_word(cutter, joined, strlen(joined));
        return token != NULL ? SIGTEXT_NONE : SIGTEXT_TOO_LONG;
    }
    int to = from;
    while (is_letter(peek(cutter, to)))
        to++;
    int word = known_word(cutter, cutter->text + from, (size_t)(to - from));
    /* "bidx10 days": only where the rest is a word and a number follows at once */
    if (word < 0 && to - from > 2 && cutter->text[to - 1] == 'x' && is_digit(peek(cutter, to)) &&
        known_word(cutter, cutter->text + from, (size_t)(to - from - 1)) >= 0) {
        to--;
        word = known_word(cutter, cutter->text + from, (size_t)(to - from));
    }
    token = push(cutter, TOKEN_WORD, from, to);
    if (token == NULL)
        return SIGTEXT_TOO_LONG;
    token->word = word;
    if (to - from == 1 && peek(cutter, to) == '.' && !is_digit(peek(cutter, to + 1)))
        cutter->at = to + 1; /* "q. 4 h." */
    if (to - from == 1 && peek(cutter, to) == '.' && is_digit(peek(cutter, to + 1)) &&
        cutter->text[from] == 'q')
        cutter->at = to + 1; /* "q.4h" */
    if (strncmp(cutter->text + cutter->at, "(s)", 3) == 0 ||
        strncmp(cutter->text + cutter->at, "(n)", 3) == 0 ||
        strncmp(cutter->text + cutter->at, "(en)", 4) == 0)
        cutter->at += cutter->text[cutter->at + 2] == ')' ? 3 : 4; /* "tablet(s)" */
    return SIGTEXT_NONE;
}

static int digits_at(const struct cutter *cutter, int at)
{
    int n = 0;
    while (is_digit(peek(cutter, at + n)))
        n++;
    return n;
}

static int64_t value_of(const struct cutter *cutter, int at, int digits)
{
    int64_t value = 0;
    for (int i = 0; i < digits; i++)
        value = value * 10 + (cutter->text[at + i] - '0');
    return value;
}

static struct token *push_number(struct cutter *cutter, int from, int to, int64_t milli, bool plain)
{
    struct token *token = push(cutter, TOKEN_NUMBER, from, to);
    if (token == NULL)
        return NULL;
    token->value = milli;
    token->plain = plain;
    if (plain)
        token->word = known_word(cutter, cutter->text + from, (size_t)(to - from));
    return token;
}

/* 2026-11-21 or 08:00. -1: neither. */
static int cut_stamp(struct cutter *cutter, int digits)
{
    int from = cutter->at;
    char day[CIVIL_TEXT_BYTES];
    int32_t value;
    if (digits == 4 && peek(cutter, from + 4) == '-' && digits_at(cutter, from + 5) == 2 &&
        peek(cutter, from + 7) == '-' && digits_at(cutter, from + 8) == 2) {
        memcpy(day, cutter->text + from, 10);
        day[10] = '\0';
        if (!civil_parse(day, &value))
            return (int)refuse(cutter, SIGTEXT_DOUBTFUL, from, from + 10, "\"%s\" is no date", day);
        struct token *token = push(cutter, TOKEN_DATE, from, from + 10);
        if (token != NULL)
            token->value = value;
        return token != NULL ? (int)SIGTEXT_NONE : (int)SIGTEXT_TOO_LONG;
    }
    if (digits <= 2 && peek(cutter, from + digits) == ':' && is_digit(peek(cutter, from + digits + 1))) {
        int minutes = digits_at(cutter, from + digits + 1);
        int to = from + digits + 1 + minutes;
        int64_t hour = value_of(cutter, from, digits), minute = value_of(cutter, from + digits + 1, minutes);
        if (minutes != 2 || hour > 23 || minute > 59 || peek(cutter, to) == ':')
            return (int)refuse(cutter, SIGTEXT_DOUBTFUL, from, to, "\"%.*s\" is no time of day", to - from,
                               cutter->tokens->text + from);
        struct token *token = push(cutter, TOKEN_CLOCK, from, to);
        if (token != NULL)
            token->value = hour * 60 + minute;
        return token != NULL ? (int)SIGTEXT_NONE : (int)SIGTEXT_TOO_LONG;
    }
    return -1;
}

/* "1/2", "3/4"; false for "12/01" and "2/3". */
static bool cut_fraction(struct cutter *cutter, int digits)
{
    int from = cutter->at;
    if (digits != 1 || peek(cutter, from + 1) != '/' || digits_at(cutter, from + 2) != 1 ||
        peek(cutter, from + 3) == '/' || peek(cutter, from - 1) == '/')
        return false;
    int64_t over = value_of(cutter, from, 1), under = value_of(cutter, from + 2, 1);
    if (over == 0 || over >= under || (under != 2 && under != 4))
        return false;
    struct token *token = push_number(cutter, from, from + 3, over * 1000 / under, false);
    if (token != NULL)
        token->fraction = true;
    return token != NULL;
}

static enum sigtext_refusal cut_vulgar(struct cutter *cutter)
{
    static const int64_t parts[] = {0, 500, 250, 750};
    int from = cutter->at;
    struct token *token = push_number(cutter, from, from + 1, parts[(int)cutter->text[from]], false);
    if (token != NULL)
        token->fraction = true;
    return token != NULL ? SIGTEXT_NONE : SIGTEXT_TOO_LONG;
}

/* What stands behind the first digits: tenths, thousands, ½. Ends at ret_to; milli is changed. */
static enum sigtext_refusal cut_rest(struct cutter *cutter, int digits, int *ret_to, int64_t *milli,
                                     bool *plain)
{
    bool comma = cutter->tokens->table->settings[cutter->tokens->language].comma;
    int from = cutter->at, to = *ret_to;
    char mark = peek(cutter, to);
    int places = mark == '.' || mark == ',' ? digits_at(cutter, to + 1) : 0;
    if (places == 0)
        return SIGTEXT_NONE;
    int end = to + 1 + places;
    *plain = false;
    *ret_to = end;
    if (is_digit(peek(cutter, end + 1)) && (peek(cutter, end) == '.' || peek(cutter, end) == ','))
        return refuse(cutter, SIGTEXT_DOUBTFUL, from, end + 2, "a number with two marks, write it plainly");
    if (mark == (comma ? ',' : '.') || (comma && mark == '.' && places != 3)) {
        if (places > PLACES_MAX)
            return refuse(cutter, SIGTEXT_DOUBTFUL, from, end, "a number with more than %d places",
                          PLACES_MAX);
        /* "1.000 mg" where the comma parts thousands: nobody writes tenths so, and many write thousands so.
         */
        if (!comma && places == 3 && digits <= 3 && cutter->text[from] != '0')
            return refuse(cutter, SIGTEXT_DOUBTFUL, from, end,
                          "\"%.*s\" can be read as thousands or as tenths", end - from,
                          cutter->tokens->text + from);
        static const int64_t scale[] = {1, 100, 10, 1};
        *milli += value_of(cutter, to + 1, places) * scale[places];
        return SIGTEXT_NONE;
    }
    if (!comma && places == 3 && digits <= 3 && cutter->text[from] != '0') { /* 1,000 */
        *milli = *milli * 1000 + value_of(cutter, to + 1, 3) * 1000;
        return SIGTEXT_NONE;
    }
    return refuse(cutter, SIGTEXT_DOUBTFUL, from, end, "\"%.*s\" can be read as thousands or as tenths",
                  end - from, cutter->tokens->text + from);
}

static enum sigtext_refusal cut_number(struct cutter *cutter)
{
    int from = cutter->at, digits = digits_at(cutter, from);
    int stamp = cut_stamp(cutter, digits);
    if (stamp >= 0)
        return (enum sigtext_refusal)stamp;
    if (cut_fraction(cutter, digits))
        return SIGTEXT_NONE;
    if (digits > DIGITS_MAX)
        return refuse(cutter, SIGTEXT_DOUBTFUL, from, from + digits, "a number of more than %d digits",
                      DIGITS_MAX);
    int to = from + digits;
    int64_t milli = value_of(cutter, from, digits) * 1000;
    bool plain = true;
    enum sigtext_refusal refusal = cut_rest(cutter, digits, &to, &milli, &plain);
    if (refusal != SIGTEXT_NONE)
        return refusal;
    if (digits > 1 && cutter->text[from] == '0')
        return refuse(cutter, SIGTEXT_DOUBTFUL, from, to, "a number that begins with 0");
    if (is_vulgar(peek(cutter, to))) { /* 1½ */
        static const int64_t parts[] = {0, 500, 250, 750};
        if (!plain)
            return refuse(cutter, SIGTEXT_DOUBTFUL, from, to + 1, "a number with two fractions");
        milli += parts[(int)cutter->text[to]];
        plain = false;
        to++;
    }
    return push_number(cutter, from, to, milli, plain) != NULL ? SIGTEXT_NONE : SIGTEXT_TOO_LONG;
}

static enum sigtext_refusal cut_mark(struct cutter *cutter)
{
    int from = cutter->at;
    char c = cutter->text[from];
    char before = peek(cutter, from - 1), after = peek(cutter, from + 1);
    if (c == '.' && is_digit(after) && !is_letter(before))
        return refuse(cutter, SIGTEXT_DOUBTFUL, from, from + 2, "a naked decimal point, write 0 before it");
    if (c == '.' && is_digit(after))
        return refuse(cutter, SIGTEXT_DOUBTFUL, from - 1, from + 2, "a point between a word and a number");
    if (c == '-' && is_digit(after) && (before == ' ' || before == '\0'))
        return refuse(cutter, SIGTEXT_DOUBTFUL, from, from + 2, "a minus before a number");
    cutter->open += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (cutter->open < 0 || cutter->open > 1)
        return refuse(cutter, SIGTEXT_NOT_UNDERSTOOD, from, from + 1, "parentheses do not match");
    struct token *token = push(cutter, TOKEN_MARK, from, from + 1);
    if (token == NULL)
        return SIGTEXT_TOO_LONG;
    token->mark = c;
    token->word = known_word(cutter, &cutter->text[from], 1);
    token->soft = c == '-' && (is_letter(before) || is_digit(before)) &&
                  (is_letter(after) || is_digit(after)) && (is_letter(before) || is_letter(after));
    return SIGTEXT_NONE;
}

static enum sigtext_refusal cut_next(struct cutter *cutter)
{
    char c = cutter->text[cutter->at];
    if (is_digit(c))
        return cut_number(cutter);
    if (is_vulgar(c))
        return cut_vulgar(cutter);
    if (is_letter(c))
        return cut_word(cutter);
    return cut_mark(cutter);
}

enum sigtext_refusal sigtext_cut(const struct sigtext_table *table, enum sigtext_language language,
                                 const char *text, size_t len, struct tokens *ret, struct sigtext *sig)
{
    struct cutter cutter = {.tokens = ret, .sig = sig};
    enum sigtext_refusal refusal = SIGTEXT_NONE;
    *ret = (struct tokens){.table = table, .language = language, .text = text};
    if (len > SIGTEXT_BYTES_MAX) {
        (void)snprintf(sig->reason, sizeof sig->reason, "a text of %zu bytes, at most %d are read", len,
                       SIGTEXT_BYTES_MAX);
        return SIGTEXT_TOO_LONG;
    }
    memcpy(cutter.text, text, len);
    cutter.len = (int)len;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\t' || text[i] == '\n' || text[i] == '\r')
            cutter.text[i] = ' ';
    }
    if (!utf8_printable(cutter.text, len))
        return SIGTEXT_ENCODING;
    lower(&cutter);
    while (cutter.at < cutter.len && refusal == SIGTEXT_NONE) {
        if (cutter.text[cutter.at] == ' ' || cutter.text[cutter.at] == FILLER)
            cutter.at++;
        else
            refusal = cut_next(&cutter);
    }
    if (refusal == SIGTEXT_TOO_LONG)
        (void)snprintf(sig->reason, sizeof sig->reason, "more than %d words, numbers and marks",
                       SIGTEXT_TOKENS_MAX);
    else if (refusal == SIGTEXT_NONE && cutter.open != 0)
        return refuse(&cutter, SIGTEXT_NOT_UNDERSTOOD, cutter.len, cutter.len, "parentheses do not match");
    return refusal != SIGTEXT_NONE || ret->count > 0 ? refusal : SIGTEXT_EMPTY;
}
