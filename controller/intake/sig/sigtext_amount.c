/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amounts: "1", "1-2 tablets", "up to 5 puffs", "one 150 mg tab", and the day in four numbers "1-0-1-0". What
 * is known for being misread is marked with a doubt, which refuses the text if this is its only meaning.
 */
#include "controller/intake/sig/sigtext_private.h"

enum { BARE_MAX_MILLI = 9000 }; /* "take 11 every day", "take 120 every day" are slips of the keys */

struct amounts {
    const struct tokens *tokens;
    struct item *list;
    int count;
};

static bool is_dash(const struct tokens *tokens, int at)
{
    return at < tokens->count && tokens->list[at].kind == TOKEN_MARK && tokens->list[at].mark == '-';
}

static int skip_soft(const struct tokens *tokens, int at)
{
    return is_dash(tokens, at) && tokens->list[at].soft ? at + 1 : at;
}

static const char *doubt_of(const struct item *amount, bool many, bool slash)
{
    const struct sigtext_row *unit = amount->unit;
    bool parts = amount->number.low % 1000 != 0 || amount->number.high % 1000 != 0;
    if (amount->number.high <= 0)
        return "an amount of nothing";
    if (unit == NULL && amount->number.high > BARE_MAX_MILLI)
        return "so large a number needs its unit";
    if (unit == NULL && parts)
        return "a part of one needs its unit";
    if (unit != NULL && unit->max > 0 && amount->number.high > unit->max)
        return "more of this unit than anybody takes at once";
    if (unit != NULL && parts && !unit->splits)
        return "a part of something that has no parts";
    if (slash && !amount->is_range && many)
        return "1/2 before a plural can be a half, or 1 or 2";
    return NULL;
}

static void add(struct amounts *amounts, struct item *amount, bool many, bool slash)
{
    if (amounts->count == MATCHES_MAX)
        return;
    if (amount->doubt == NULL)
        amount->doubt = doubt_of(amount, many, slash);
    amount->bare = amount->unit == NULL;
    amounts->list[amounts->count++] = *amount;
}

/* The ways to write a unit at `at`. */
static int units_at(const struct tokens *tokens, int at, struct item list[MATCHES_MAX],
                    bool many[MATCHES_MAX])
{
    const struct sigtext_table *table = tokens->table;
    int count = 0;
    for (int i = sigtext_next(tokens, at, table->first[KIND_UNIT]); i < table->first[KIND_UNIT + 1];
         i = sigtext_next(tokens, at, i + 1)) {
        struct item matches[MATCHES_MAX];
        int n = sigtext_matches(tokens, &table->patterns[i], at, matches);
        for (int k = 0; k < n && count < MATCHES_MAX; k++) {
            many[count] = table->patterns[i].many;
            list[count++] = matches[k];
        }
    }
    return count;
}

/* "one 150 mg tab": the number of pieces, then their strength. */
static void add_with_strength(struct amounts *amounts, const struct item *amount, bool slash)
{
    const struct tokens *tokens = amounts->tokens;
    struct item masses[MATCHES_MAX], pieces[MATCHES_MAX];
    bool many[MATCHES_MAX];
    struct number strength[NUMBERS_MAX];
    if (amount->is_range || amount->up_to)
        return;
    int numbers = sigtext_numbers(tokens, amount->to, strength);
    for (int i = 0; i < numbers; i++) {
        int mass_count =
            strength[i].style == NUMBER_DIGITS ? units_at(tokens, strength[i].end, masses, many) : 0;
        for (int m = 0; m < mass_count; m++) {
            if (masses[m].row->measure != SIGTEXT_MASS)
                continue;
            int piece_count = units_at(tokens, skip_soft(tokens, masses[m].to), pieces, many);
            for (int p = 0; p < piece_count; p++) {
                struct item whole = *amount;
                if (pieces[p].row->measure != SIGTEXT_PIECE)
                    continue;
                whole.unit = pieces[p].row;
                whole.to = pieces[p].to;
                whole.strength = strength[i].value;
                whole.strength_unit = masses[m].row;
                if (amount->style == NUMBER_DIGITS)
                    whole.doubt = "two numbers side by side";
                add(amounts, &whole, many[p], slash);
            }
        }
    }
}

static void add_span(struct amounts *amounts, const struct item *amount, bool needs_unit, bool slash)
{
    const struct tokens *tokens = amounts->tokens;
    struct item units[MATCHES_MAX];
    bool many[MATCHES_MAX];
    int at = skip_soft(tokens, amount->to);
    int count = units_at(tokens, at, units, many);
    for (int i = 0; i < count; i++) {
        struct item whole = *amount;
        whole.unit = units[i].row;
        whole.to = units[i].to;
        if (tokens->list[at].kind == TOKEN_NUMBER && amount->style == NUMBER_DIGITS)
            whole.doubt = "two numbers side by side"; /* "2 5ml spoonfuls" */
        add(amounts, &whole, many[i], slash);
    }
    add_with_strength(amounts, amount, slash);
    if (!needs_unit && count == 0) {
        struct item bare = *amount;
        add(amounts, &bare, false, slash);
    }
}

/* The token behind a word or mark of a range, 0 when there is none at `at`. */
static int range_end(const struct tokens *tokens, int at, bool *ret_dash)
{
    const struct sigtext_table *table = tokens->table;
    *ret_dash = is_dash(tokens, at);
    if (*ret_dash)
        return at + 1;
    for (int i = sigtext_next(tokens, at, table->first[KIND_RANGE_TO]); i < table->first[KIND_RANGE_TO + 1];
         i = sigtext_next(tokens, at, i + 1)) {
        struct item matches[MATCHES_MAX];
        if (sigtext_matches(tokens, &table->patterns[i], at, matches) > 0)
            return matches[0].to;
    }
    return 0;
}

static void add_ranges(struct amounts *amounts, int from, const struct number *low)
{
    struct number high[NUMBERS_MAX];
    bool dash;
    int at = range_end(amounts->tokens, low->end, &dash);
    int count = at > 0 ? sigtext_numbers(amounts->tokens, at, high) : 0;
    for (int i = 0; i < count; i++) {
        if (high[i].value <= low->value || low->value == 0)
            continue;
        struct item amount = {.kind = KIND_AMOUNT,
                              .from = from,
                              .to = high[i].end,
                              .has_number = true,
                              .is_range = true,
                              .number = {low->value, high[i].value},
                              .style = high[i].style};
        bool half = (low->style == NUMBER_WORDS && low->needs_unit) ||
                    (high[i].style == NUMBER_WORDS && high[i].needs_unit);
        if (dash && (low->style != high[i].style || half))
            amount.doubt = "a dash between a word and a figure, or behind a part of one";
        add_span(amounts, &amount, low->needs_unit && high[i].needs_unit, false);
    }
}

static int up_to_end(const struct tokens *tokens, int at)
{
    const struct sigtext_table *table = tokens->table;
    for (int i = sigtext_next(tokens, at, table->first[KIND_UP_TO]); i < table->first[KIND_UP_TO + 1];
         i = sigtext_next(tokens, at, i + 1)) {
        struct item matches[MATCHES_MAX];
        if (sigtext_matches(tokens, &table->patterns[i], at, matches) > 0)
            return matches[0].to;
    }
    return 0;
}

int sigtext_amounts(const struct tokens *tokens, int at, struct item matches[MATCHES_MAX])
{
    struct amounts amounts = {.tokens = tokens, .list = matches};
    struct number numbers[NUMBERS_MAX];
    int up_to = up_to_end(tokens, at);
    int count = sigtext_numbers(tokens, up_to > 0 ? up_to : at, numbers);
    for (int i = 0; i < count; i++) {
        struct item amount = {.kind = KIND_AMOUNT,
                              .from = at,
                              .to = numbers[i].end,
                              .has_number = true,
                              .number = {numbers[i].value, numbers[i].value},
                              .style = numbers[i].style};
        if (up_to > 0) {
            amount.up_to = true;
            amount.number.low = 0;
        }
        add_span(&amounts, &amount, numbers[i].needs_unit, numbers[i].slash);
        if (up_to == 0)
            add_ranges(&amounts, at, &numbers[i]);
    }
    return amounts.count;
}

bool sigtext_slots(const struct tokens *tokens, int at, struct item *ret)
{
    int count = 0;
    bool any = false;
    if (!tokens->table->settings[tokens->language].slots)
        return false;
    *ret = (struct item){.kind = KIND_SLOTS, .from = at};
    for (;;) {
        const struct token *token = &tokens->list[at];
        if (at >= tokens->count || token->kind != TOKEN_NUMBER || count == 4)
            return false;
        any = any || token->value > 0;
        if (token->value > BARE_MAX_MILLI)
            ret->doubt = "so large a number between dashes";
        ret->slots[count++] = token->value;
        at++;
        if (!is_dash(tokens, at))
            break;
        at++;
    }
    struct item units[MATCHES_MAX];
    bool many[MATCHES_MAX];
    ret->to = at;
    if (units_at(tokens, at, units, many) > 0) {
        ret->unit = units[0].row;
        ret->to = units[0].to;
    }
    return count >= 3 && any;
}
