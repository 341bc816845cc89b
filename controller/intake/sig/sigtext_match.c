/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the table say at a place of a text. A pattern may fit in several ways and lengths; all of
 * them are found, and the search in sigtext_read.c tells which can be part of a whole.
 */
#include "controller/intake/sig/sigtext_private.h"

#include "config/base/civil.h"
#include "controller/intake/reading.h"

#include <string.h>

enum { SMALL_HOUR = 4 }; /* "1 am": at one o'clock, or one in the morning? */

struct matcher {
    const struct tokens *tokens;
    const struct sigtext_pattern *pattern;
    struct item *list;
    int count;
};

static void fit(struct matcher *matcher, int element, int at, const struct item *so_far);

static bool is_mark(const struct tokens *tokens, int at, char mark)
{
    return at < tokens->count && tokens->list[at].kind == TOKEN_MARK && tokens->list[at].mark == mark;
}

/* The end of the first phrase of a kind at `at`, 0 when there is none; *ret_row is its row. */
static int phrase_end(const struct tokens *tokens, enum sigtext_kind kind, int at,
                      const struct sigtext_row **ret_row, bool *ret_many)
{
    const struct sigtext_table *table = tokens->table;
    int best = 0;
    for (int i = sigtext_next(tokens, at, table->first[kind]); i < table->first[kind + 1];
         i = sigtext_next(tokens, at, i + 1)) {
        struct item matches[MATCHES_MAX];
        int n = sigtext_matches(tokens, &table->patterns[i], at, matches);
        for (int k = 0; k < n; k++) {
            if (matches[k].to <= best)
                continue;
            best = matches[k].to;
            if (ret_row != NULL)
                *ret_row = matches[k].row;
            if (ret_many != NULL)
                *ret_many = table->patterns[i].many;
        }
    }
    return best;
}

/* Behind ", and" and the like; `at` itself when nothing joins. */
static int joined(const struct tokens *tokens, int at, bool slash)
{
    int next = at;
    if (is_mark(tokens, next, ',') || (slash && is_mark(tokens, next, '/')))
        next++;
    int and = phrase_end(tokens, KIND_AND, next, NULL, NULL);
    return and > 0 ? and : next;
}

static void fit_numbers(struct matcher *matcher, int element, int at, const struct item *so_far)
{
    const struct tokens *tokens = matcher->tokens;
    struct number low[NUMBERS_MAX], high[NUMBERS_MAX];
    int count = sigtext_numbers(tokens, at, low);
    for (int i = 0; i < count; i++) {
        struct item item = *so_far;
        if (low[i].needs_unit)
            continue; /* "a", "half": only of a unit */
        item.has_number = true;
        item.number = (struct sigtext_span){low[i].value, low[i].value};
        item.style = low[i].style;
        if (at == item.from)
            item.number_first = true;
        fit(matcher, element + 1, low[i].end, &item);
        bool dash = is_mark(tokens, low[i].end, '-');
        int next = dash ? low[i].end + 1 : phrase_end(tokens, KIND_RANGE_TO, low[i].end, NULL, NULL);
        int more = next > 0 ? sigtext_numbers(tokens, next, high) : 0;
        for (int k = 0; k < more; k++) {
            if (high[k].value <= low[i].value || high[k].needs_unit ||
                (dash && high[k].style != low[i].style))
                continue;
            item.number.high = high[k].value;
            item.is_range = true;
            fit(matcher, element + 1, high[k].end, &item);
        }
    }
}

static void fit_amounts(struct matcher *matcher, int element, int at, const struct item *so_far)
{
    struct item amounts[MATCHES_MAX];
    int count = sigtext_amounts(matcher->tokens, at, amounts);
    for (int i = 0; i < count; i++) {
        struct item item = *so_far;
        if (amounts[i].is_range || amounts[i].up_to || amounts[i].strength != 0)
            continue;
        item.has_number = true;
        item.number = amounts[i].number;
        item.unit = amounts[i].unit;
        fit(matcher, element + 1, amounts[i].to, &item);
    }
}

/* Days of the week, with commas, words for "and", or nothing between. */
static void fit_days(struct matcher *matcher, int element, int at, const struct item *so_far)
{
    struct item item = *so_far;
    item.days = 0;
    item.days_many = true;
    for (;;) {
        const struct sigtext_row *row = NULL;
        bool many = false;
        int end = phrase_end(matcher->tokens, KIND_DAY, at, &row, &many);
        if (end == 0 || row == NULL)
            return;
        if (item.days & 1u << row->day)
            item.doubt = "a day of the week stands twice";
        item.days |= 1u << row->day;
        item.days_many = item.days_many && many;
        fit(matcher, element + 1, end, &item);
        at = joined(matcher->tokens, end, true);
    }
}

static void fit_time(struct matcher *matcher, int element, int at, const struct item *so_far)
{
    const struct tokens *tokens = matcher->tokens;
    const struct sigtext_row *row = NULL;
    struct item item = *so_far;
    if (at >= tokens->count || item.clock_count == SIGTEXT_TIMES_MAX)
        return;
    const struct token *token = &tokens->list[at];
    int half = phrase_end(tokens, KIND_AM_PM, at + 1, &row, NULL);
    if (token->kind == TOKEN_CLOCK) {
        item.clocks[item.clock_count++] = (int)token->value;
        fit(matcher, element + 1, at + 1, &item);
        if (half > 0 && token->value >= 60 && token->value < 12 * 60) { /* 8:30 pm */
            item.clocks[item.clock_count - 1] += (int)(row->value / 1000) * 60;
            fit(matcher, element + 1, half, &item);
        }
        return;
    }
    if (token->kind != TOKEN_NUMBER || !token->plain)
        return;
    int hour = token->value < 24000 ? (int)(token->value / 1000) : -1;
    item.number_first = item.number_first || at == item.from;
    if (half > 0 && hour >= 1 && hour <= 11) { /* 12 am and 12 pm are often mixed up: not read */
        item.clocks[item.clock_count++] = (hour + (int)(row->value / 1000)) * 60;
        if (at == item.from && hour <= SMALL_HOUR)
            item.doubt = "a clock time without \"at\" can be an amount";
        fit(matcher, element + 1, half, &item);
    } else if (half == 0 && hour >= 0 && element + 1 < matcher->pattern->count &&
               !matcher->pattern->elements[element + 1].optional && tokens->language == SIGTEXT_GERMAN) {
        item.clocks[item.clock_count++] = hour * 60; /* "8 Uhr" */
        fit(matcher, element + 1, at + 1, &item);
    }
}

static int plain_int(const struct tokens *tokens, int at)
{
    if (at >= tokens->count || tokens->list[at].kind != TOKEN_NUMBER || !tokens->list[at].plain)
        return -1;
    int64_t value = tokens->list[at].value / 1000;
    return value <= 9999 ? (int)value : -1;
}

/* An ISO date, "January 16, 2015", "16 January 2015", "16. Januar 2015". */
static void fit_date(struct matcher *matcher, int element, int at, const struct item *so_far)
{
    const struct tokens *tokens = matcher->tokens;
    const struct sigtext_row *row = NULL;
    struct item item = *so_far;
    int month_at = at, day, year;
    if (at < tokens->count && tokens->list[at].kind == TOKEN_DATE) {
        item.day = (int32_t)tokens->list[at].value;
        fit(matcher, element + 1, at + 1, &item);
        return;
    }
    bool day_first = plain_int(tokens, at) > 0;
    if (day_first) {
        month_at = at + 1;
        month_at += is_mark(tokens, month_at, '.');
    }
    int end = phrase_end(tokens, KIND_MONTH, month_at, &row, NULL);
    if (end == 0 || row == NULL)
        return;
    day = plain_int(tokens, day_first ? at : end);
    end += !day_first;
    end += !day_first && is_mark(tokens, end, ',');
    year = plain_int(tokens, end);
    if (day > 0 && year > 0 && civil_from_ymd(year, (int)(row->value / 1000), day, &item.day))
        fit(matcher, element + 1, end + 1, &item);
}

/* "coughing, wheezing or shortness of breath". */
static void fit_reasons(struct matcher *matcher, int element, int at, const struct item *so_far)
{
    struct item item = *so_far;
    item.reason_from = at;
    for (;;) {
        int end = phrase_end(matcher->tokens, KIND_REASON, at, NULL, NULL);
        if (end == 0)
            return;
        item.reason_to = end;
        fit(matcher, element + 1, end, &item);
        at = joined(matcher->tokens, end, true);
        if (at == end) {
            int or = phrase_end(matcher->tokens, KIND_RANGE_TO, end, NULL, NULL);
            at = or > 0 ? or : at;
        }
    }
}

static bool has_word(const struct sigtext_element *element, int word)
{
    for (int i = 0; i < element->count; i++) {
        if (element->words[i] == word)
            return true;
    }
    return false;
}

static void fit(struct matcher *matcher, int index, int at, const struct item *so_far)
{
    const struct tokens *tokens = matcher->tokens;
    if (index == matcher->pattern->count) {
        struct item item = *so_far;
        item.to = at;
        for (int i = 0; i < matcher->count; i++) {
            if (memcmp(&matcher->list[i], &item, sizeof item) == 0)
                return; /* an optional element that may be missing twice over */
        }
        if (matcher->count < MATCHES_MAX && at > item.from)
            matcher->list[matcher->count++] = item;
        return;
    }
    const struct sigtext_element *element = &matcher->pattern->elements[index];
    if (element->optional)
        fit(matcher, index + 1, at, so_far);
    if (index > 0 && is_mark(tokens, at, '-') && tokens->list[at].soft && element->slot == SLOT_WORD)
        at++; /* "twice-daily" */
    switch (element->slot) {
    case SLOT_WORD:
        if (at < tokens->count && tokens->list[at].word >= 0 && has_word(element, tokens->list[at].word)) {
            if (at == so_far->from && tokens->list[at].kind == TOKEN_NUMBER) {
                struct item item = *so_far;
                item.number_first = true;
                fit(matcher, index + 1, at + 1, &item);
            } else {
                fit(matcher, index + 1, at + 1, so_far);
            }
        }
        break;
    case SLOT_NUMBER:
        fit_numbers(matcher, index, at, so_far);
        break;
    case SLOT_AMOUNT:
        fit_amounts(matcher, index, at, so_far);
        break;
    case SLOT_DAYS:
        fit_days(matcher, index, at, so_far);
        break;
    case SLOT_TIME:
        fit_time(matcher, index, at, so_far);
        break;
    case SLOT_DATE:
        fit_date(matcher, index, at, so_far);
        break;
    case SLOT_REASON:
        fit_reasons(matcher, index, at, so_far);
        break;
    }
}

int sigtext_matches(const struct tokens *tokens, const struct sigtext_pattern *pattern, int at,
                    struct item matches[MATCHES_MAX])
{
    const struct sigtext_row *row = &tokens->table->rows[pattern->row];
    struct matcher matcher = {.tokens = tokens, .pattern = pattern, .list = matches};
    if ((row->languages & 1u << tokens->language) == 0 || at >= tokens->count)
        return 0;
    struct item start;
    memset(&start, 0, sizeof start); /* padding too: matches are compared as bytes */
    start.kind = row->kind;
    start.row = row;
    start.from = at;
    start.offset_min = -1;
    start.reason_from = start.reason_to = -1;
    fit(&matcher, 0, at, &start);
    return matcher.count;
}

bool sigtext_is_half_day(const struct tokens *tokens, int at)
{
    return phrase_end(tokens, KIND_AM_PM, at, NULL, NULL) > 0;
}

struct finder {
    const struct tokens *tokens;
    struct item *items;
    int *count;
    int max;
    bool full;
};

static void found(struct finder *finder, const struct item *item)
{
    if (*finder->count == finder->max)
        finder->full = true;
    else
        finder->items[(*finder->count)++] = *item;
}

/* "30 minutes before breakfast": an offset, then an event that has a before or an after. */
static void find_offset_whens(struct finder *finder, int at)
{
    const struct sigtext_table *table = finder->tokens->table;
    for (int i = sigtext_next(finder->tokens, at, table->first[KIND_OFFSET]);
         i < table->first[KIND_OFFSET + 1]; i = sigtext_next(finder->tokens, at, i + 1)) {
        struct item offsets[MATCHES_MAX], whens[MATCHES_MAX];
        int count = sigtext_matches(finder->tokens, &table->patterns[i], at, offsets);
        for (int k = 0; k < count; k++) {
            int64_t minutes = offsets[k].row->value / 1000;
            if (offsets[k].has_number)
                minutes = minutes * offsets[k].number.low / 1000;
            if (offsets[k].is_range || minutes <= 0 || minutes > 12 * 60)
                continue;
            for (int w = sigtext_next(finder->tokens, offsets[k].to, table->first[KIND_WHEN]);
                 w < table->first[KIND_WHEN + 1]; w = sigtext_next(finder->tokens, offsets[k].to, w + 1)) {
                int n = sigtext_matches(finder->tokens, &table->patterns[w], offsets[k].to, whens);
                for (int m = 0; m < n; m++) {
                    int event = whens[m].row->event;
                    if (event != READING_HS && event != READING_WAKE && event < READING_AC)
                        continue;
                    whens[m].from = at;
                    whens[m].offset_min = (int)minutes;
                    whens[m].number_first = offsets[k].number_first;
                    whens[m].style = offsets[k].style;
                    found(finder, &whens[m]);
                }
            }
        }
    }
}

/* A list of clock times is taken as far as it goes: "at 8am and 2 pm" is never an amount of 2. */
static void find_clock(struct finder *finder, struct item item)
{
    const struct sigtext_table *table = finder->tokens->table;
    for (;;) {
        int at = joined(finder->tokens, item.to, false), best = 0;
        struct item next = item;
        for (int i = sigtext_next(finder->tokens, at, table->first[KIND_CLOCK]);
             at > item.to && i < table->first[KIND_CLOCK + 1]; i = sigtext_next(finder->tokens, at, i + 1)) {
            struct item matches[MATCHES_MAX];
            int n = sigtext_matches(finder->tokens, &table->patterns[i], at, matches);
            for (int k = 0; k < n; k++) {
                if (matches[k].to <= best || item.clock_count == SIGTEXT_TIMES_MAX)
                    continue;
                best = matches[k].to;
                next = item;
                next.clocks[next.clock_count++] = matches[k].clocks[0];
                next.to = matches[k].to;
            }
        }
        if (best == 0)
            break;
        item = next;
    }
    found(finder, &item);
}

/* "max 8 tabs / 24 h", "mdd 3". */
static void find_maximum(struct finder *finder, const struct item *prefix)
{
    const struct sigtext_table *table = finder->tokens->table;
    struct item amounts[MATCHES_MAX];
    if (prefix->has_number) { /* "max 3x a week" */
        found(finder, prefix);
        return;
    }
    int count = sigtext_amounts(finder->tokens, prefix->to, amounts);
    for (int i = 0; i < count; i++) {
        struct item item = *prefix;
        if (amounts[i].is_range || amounts[i].up_to || amounts[i].strength != 0)
            continue;
        item.has_number = true;
        item.number = amounts[i].number;
        item.unit = amounts[i].unit;
        item.to = amounts[i].to;
        item.doubt = amounts[i].number.high <= 0 ? "a maximum of nothing" : NULL;
        if (prefix->row->period > 0) {
            item.per = prefix->row;
            found(finder, &item);
        }
        for (int p = sigtext_next(finder->tokens, amounts[i].to, table->first[KIND_PER]);
             p < table->first[KIND_PER + 1]; p = sigtext_next(finder->tokens, amounts[i].to, p + 1)) {
            struct item per[MATCHES_MAX];
            int n = sigtext_matches(finder->tokens, &table->patterns[p], amounts[i].to, per);
            for (int k = 0; k < n; k++) {
                item.per = per[k].row;
                item.to = per[k].to;
                if (prefix->row->period == 0 || per[k].row->unit == prefix->row->unit)
                    found(finder, &item);
            }
        }
    }
}

static void find_row(struct finder *finder, struct item *item)
{
    switch (item->kind) {
    case KIND_CLOCK:
        find_clock(finder, *item);
        break;
    case KIND_MAXIMUM:
        find_maximum(finder, item);
        break;
    case KIND_NOTE:
        if (item->unit != NULL && item->unit->measure == SIGTEXT_MASS)
            found(finder, item);
        break;
    case KIND_WHEN:
        /* "7pm" is a clock time, never 7 in the evening */
        if (item->from == 0 || !finder->tokens->list[item->from].glued ||
            finder->tokens->list[item->from - 1].kind != TOKEN_NUMBER)
            found(finder, item);
        break;
    case KIND_DAYS:
    case KIND_VERB:
    case KIND_ROUTE:
    case KIND_FREQUENCY:
    case KIND_AS_NEEDED:
    case KIND_PURPOSE:
    case KIND_DURATION:
    case KIND_ONCE:
    case KIND_THEN:
    case KIND_STOP:
    case KIND_GOES_ON:
    case KIND_AND:
    case KIND_INSTRUCTION:
    case KIND_DIRECTED:
    case KIND_BEGIN:
    case KIND_UNTIL:
    case KIND_EACH:
        found(finder, item);
        break;
    case KIND_NUMBER:
    case KIND_PLUS:
    case KIND_RANGE_TO:
    case KIND_UP_TO:
    case KIND_UNIT:
    case KIND_OFFSET:
    case KIND_DAY:
    case KIND_AM_PM:
    case KIND_REASON:
    case KIND_PER:
    case KIND_MONTH:
    case KIND_COUNT:
    case KIND_SLOTS:
    case KIND_MARK:
    case KIND_ALL:
        break; /* parts of others */
    }
}

static void find_mark(struct finder *finder, int at)
{
    const struct token *token = &finder->tokens->list[at];
    if (token->kind == TOKEN_MARK && token->mark != '\0' && strchr(",;.:-()", token->mark) != NULL) {
        struct item item;
        memset(&item, 0, sizeof item);
        item.kind = KIND_MARK;
        item.from = at;
        item.to = at + 1;
        found(finder, &item);
    }
}

bool sigtext_items(const struct tokens *tokens, int at, struct item *items, int *count, int max)
{
    const struct sigtext_table *table = tokens->table;
    struct finder finder = {.tokens = tokens, .items = items, .count = count, .max = max};
    struct item matches[MATCHES_MAX];
    for (int i = sigtext_next(tokens, at, 0); i < table->pattern_count; i = sigtext_next(tokens, at, i + 1)) {
        int n = sigtext_matches(tokens, &table->patterns[i], at, matches);
        for (int k = 0; k < n; k++)
            find_row(&finder, &matches[k]);
    }
    int n = sigtext_amounts(tokens, at, matches);
    for (int k = 0; k < n; k++)
        found(&finder, &matches[k]);
    if (sigtext_slots(tokens, at, &matches[0]))
        found(&finder, &matches[0]);
    find_offset_whens(&finder, at);
    find_mark(&finder, at);
    return !finder.full;
}
