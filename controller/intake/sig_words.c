/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/sig_private.h"

#include "config/base/civil.h"
#include "config/base/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool word_is(const struct sig_word *word, const char *text, size_t len)
{
    return strncmp(word->text, text, len) == 0 && word->text[len] == '\0';
}

static const struct {
    const char *text;
    int64_t milli;
} number_words[] = {
    {"one", 1000},   {"two", 2000},   {"three", 3000}, {"four", 4000}, {"five", 5000},    {"six", 6000},
    {"seven", 7000}, {"eight", 8000}, {"nine", 9000},  {"ten", 10000}, {"twelve", 12000}, {"1/2", 500},
};

static void number_read(struct sig_word *word)
{
    word->number = quantity_parse(word->text, &word->milli) && word->milli >= 0;
    for (size_t i = 0; i < sizeof number_words / sizeof number_words[0] && !word->number; i++) {
        if (strcmp(number_words[i].text, word->text) == 0) {
            word->number = true;
            word->milli = number_words[i].milli;
        }
    }
}

static void words_add(struct sig_words *words, const char *text, size_t len)
{
    if (len == 0)
        return;
    if (words->count == SIG_WORDS_MAX || len >= SIG_WORD_BYTES) {
        words->overflow = true;
        return;
    }
    struct sig_word *word = &words->list[words->count++];
    *word = (struct sig_word){0};
    memcpy(word->text, text, len);
    number_read(word);
}

/* Whole words of digits and letters are parted where a number meets a unit or an x: "100mg", "2x/day", "x10".
 */
static void words_part(struct sig_words *words, const char *text, size_t len)
{
    size_t digits = 0;
    while (digits < len && (isdigit((unsigned char)text[digits]) || text[digits] == '.'))
        digits++;
    if (len > 1 && text[0] == 'x' && isdigit((unsigned char)text[1])) {
        words_add(words, text, 1);
        words_part(words, text + 1, len - 1);
    } else if (digits > 0 && digits < len && text[digits] == 'x') {
        words_add(words, text, digits);
        words_add(words, text + digits, 1);
        if (len - digits > 1)
            words_add(words, text + digits + 1 + (text[digits + 1] == '/'),
                      len - digits - 1 - (text[digits + 1] == '/'));
    } else if (digits > 0 && digits < len && measure_of(text + digits, len - digits) != MEASURE_UNKNOWN) {
        words_add(words, text, digits);
        words_add(words, text + digits, len - digits);
    } else {
        words_add(words, text, len);
    }
}

/* "b.i.d." -> "bid"; the full stop at a word's end goes; digits keep theirs. */
static void words_cut(const char *text, struct sig_words *words)
{
    char word[SIG_WORD_BYTES];
    size_t len = 0;
    for (const char *p = text;; p++) {
        char c = (char)tolower((unsigned char)*p);
        bool breaks = c == '\0' || isspace((unsigned char)c) || strchr(",;()[]!\"", c) != NULL;
        bool stop = c == '.' &&
                    !(isdigit((unsigned char)p[1]) && (len == 0 || isdigit((unsigned char)word[len - 1])));
        bool colon = c == ':' && !isdigit((unsigned char)p[1]);
        if (breaks || colon || (stop && (p[1] == '\0' || isspace((unsigned char)p[1])))) {
            words_part(words, word, len);
            bool clause = c != '\0' && !isspace((unsigned char)c);
            if (clause && words->count > 0)
                words->list[words->count - 1].clause_ends = true;
            len = 0;
            if (c == '\0')
                return;
        } else if (stop) {
            continue; /* inside an abbreviation */
        } else if (len < SIG_WORD_BYTES - 1) {
            word[len++] = c;
        } else {
            words->overflow = true;
        }
    }
}

static void words_drop(struct sig_words *words, int at)
{
    memmove(&words->list[at], &words->list[at + 1], (size_t)(words->count - at - 1) * sizeof words->list[0]);
    words->count--;
}

/* "1 1/2" is one number, and so is "2 (two)", as many pharmacies print it. */
static void words_join(struct sig_words *words)
{
    for (int i = 0; i + 1 < words->count; i++) {
        struct sig_word *a = &words->list[i], *b = &words->list[i + 1];
        if (!a->number)
            continue;
        if (a->milli % 1000 == 0 && strcmp(b->text, "1/2") == 0 && !a->clause_ends) {
            a->milli += 500;
            a->clause_ends = b->clause_ends;
            words_drop(words, i + 1);
        } else if (b->number && a->milli == b->milli && a->clause_ends && b->clause_ends) {
            a->clause_ends = false;
            words_drop(words, i + 1);
        }
    }
}

static bool catch_clock(const char *text, int64_t *ret_minute)
{
    int minute;
    char hhmm[8] = "";
    const char *colon = strchr(text, ':');
    size_t len = strlen(text);
    if (colon == NULL) {
        /* "8am", "8pm" */
        if (len < 3 || len > 4 || !isdigit((unsigned char)text[0]) || text[len - 1] != 'm' ||
            (text[len - 2] != 'a' && text[len - 2] != 'p') || (len == 4 && !isdigit((unsigned char)text[1])))
            return false;
        int hour = atoi(text);
        if (hour < 1 || hour > 12)
            return false;
        *ret_minute = (hour % 12 + (text[len - 2] == 'p' ? 12 : 0)) * 60;
        return true;
    }
    size_t hours = (size_t)(colon - text);
    if (hours < 1 || hours > 2 || strlen(colon) < 3)
        return false;
    (void)snprintf(hhmm, sizeof hhmm, "%s%.*s%.3s", hours == 1 ? "0" : "", (int)hours, text, colon);
    if (!tod_parse(hhmm, &minute))
        return false;
    const char *rest = colon + 3;
    if (strcmp(rest, "pm") == 0 && minute < 720)
        minute += 720;
    else if (strcmp(rest, "am") == 0 && minute >= 720 && minute < 780)
        minute -= 720;
    else if (*rest != '\0' && strcmp(rest, "am") != 0 && strcmp(rest, "pm") != 0)
        return false;
    *ret_minute = minute;
    return true;
}

static bool catch_hours(const char *text, int64_t *ret_hours)
{
    static const char *const ends[] = {"h", "hr", "hrs", "hour", "hours", "hourly"};
    size_t digits = 1;
    if (text[0] != 'q')
        return false;
    while (isdigit((unsigned char)text[digits]))
        digits++;
    if (digits == 1 || digits > 4)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (strcmp(text + digits, ends[i]) == 0) {
            *ret_hours = atoi(text + 1);
            return true;
        }
    }
    return false;
}

static bool catch_weekday(const char *text, int64_t *ret_mask)
{
    static const char *const names[7] = {"monday", "tuesday",  "wednesday", "thursday",
                                         "friday", "saturday", "sunday"};
    size_t len = strlen(text);
    for (int i = 0; i < 7; i++) {
        size_t full = strlen(names[i]);
        bool plural = len == full + 1 && text[len - 1] == 's' && strncmp(text, names[i], full) == 0;
        bool brief = len == 3 && i < 5 && strncmp(text, names[i], 3) == 0;
        if (plural || brief || strcmp(text, names[i]) == 0) {
            *ret_mask = 1 << i;
            return true;
        }
    }
    return false;
}

/* "1-2", "4-6h" without a unit behind it. */
static bool catch_range(const char *text)
{
    size_t a = strspn(text, "0123456789./");
    if (a == 0 || text[a] != '-')
        return false;
    size_t b = strspn(text + a + 1, "0123456789./");
    return b > 0 && text[a + 1 + b] == '\0' && a + b < 8;
}

static bool placeholder(char kind, const struct sig_word *word, struct sig_caught *caught)
{
    int32_t day;
    switch (kind) {
    case 'N':
        if (!word->number || caught->numbers == 2)
            return false;
        caught->number[caught->numbers++] = word->milli;
        return true;
    case 'U':
        caught->unit = word->text;
        return measure_of(word->text, strlen(word->text)) != MEASURE_UNKNOWN;
    case 'H':
        return catch_hours(word->text, &caught->value);
    case 'T':
        return catch_clock(word->text, &caught->value);
    case 'D':
        if (!civil_parse(word->text, &day))
            return false;
        caught->value = day;
        return true;
    case 'W':
        return catch_weekday(word->text, &caught->value);
    case 'R':
        return catch_range(word->text);
    default:
        return kind == '*';
    }
}

int sig_phrase_match(const char *phrase, const struct sig_words *words, int at, struct sig_caught *caught)
{
    int taken = 0;
    *caught = (struct sig_caught){0};
    /* Most phrases differ in their first letter (placeholders are capitals): no need to look further. */
    if (*phrase >= 'a' && *phrase <= 'z' && at < words->count && words->list[at].text[0] != *phrase)
        return 0;
    for (const char *p = phrase; *p != '\0';) {
        size_t len = strcspn(p, " ");
        if (at + taken >= words->count || (taken > 0 && words->list[at + taken - 1].clause_ends))
            return 0;
        const struct sig_word *word = &words->list[at + taken];
        bool fits = (len == 1 && strchr("NUHTDWR*", *p) != NULL) ? placeholder(*p, word, caught)
                                                                 : word_is(word, p, len);
        if (!fits)
            return 0;
        taken++;
        p += len;
        p += *p == ' ';
    }
    return taken;
}

void sig_words_read(const char *text, struct sig_words *ret)
{
    *ret = (struct sig_words){0};
    words_cut(text, ret);
    words_join(ret);
}
