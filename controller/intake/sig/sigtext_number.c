/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in digits and words: "2", "two", "2 (two)", "1/2", "1 1/2", "one and a half". */
#include "controller/intake/sig/sigtext_private.h"

struct numbers {
    const struct tokens *tokens;
    struct number *list;
    int count;
};

static void add(struct numbers *numbers, const struct number *number)
{
    for (int i = 0; i < numbers->count; i++) {
        const struct number *other = &numbers->list[i];
        if (other->end == number->end && other->value == number->value)
            return;
    }
    if (numbers->count < NUMBERS_MAX)
        numbers->list[numbers->count++] = *number;
}

static bool is_mark(const struct tokens *tokens, int at, char mark)
{
    return at < tokens->count && tokens->list[at].kind == TOKEN_MARK && tokens->list[at].mark == mark;
}

static int numbers_in_words(const struct tokens *tokens, int at, struct number list[NUMBERS_MAX])
{
    const struct sigtext_table *table = tokens->table;
    int count = 0;
    for (int i = sigtext_next(tokens, at, table->first[KIND_NUMBER]); i < table->first[KIND_NUMBER + 1];
         i = sigtext_next(tokens, at, i + 1)) {
        struct item matches[MATCHES_MAX];
        const struct sigtext_row *row = &table->rows[table->patterns[i].row];
        int n = sigtext_matches(tokens, &table->patterns[i], at, matches);
        for (int k = 0; k < n && count < NUMBERS_MAX; k++)
            list[count++] = (struct number){
                .end = matches[k].to, .value = row->value, .style = NUMBER_WORDS, .needs_unit = row->whole};
    }
    return count;
}

static int number_in_digits(const struct tokens *tokens, int at, struct number *ret)
{
    const struct token *token = &tokens->list[at];
    if (at >= tokens->count || token->kind != TOKEN_NUMBER)
        return 0;
    *ret = (struct number){.end = at + 1, .value = token->value, .style = NUMBER_DIGITS};
    if (token->fraction) {
        ret->needs_unit = true;
        ret->slash = token->to - token->from == 3 && tokens->text[token->from + 1] == '/';
    }
    return 1;
}

/* "2 (two)", "2 two", "one (1)": the same value said again in the other style. */
static void add_said_twice(struct numbers *numbers, const struct number *number)
{
    struct number again[NUMBERS_MAX];
    int at = number->end;
    bool open = is_mark(numbers->tokens, at, '(');
    at += open;
    int count = number->style == NUMBER_DIGITS ? numbers_in_words(numbers->tokens, at, again)
                                               : number_in_digits(numbers->tokens, at, again);
    for (int i = 0; i < count; i++) {
        if (again[i].value != number->value || (open && !is_mark(numbers->tokens, again[i].end, ')')))
            continue;
        struct number both = *number;
        both.end = again[i].end + open;
        both.style = NUMBER_BOTH;
        both.needs_unit = number->needs_unit && again[i].needs_unit;
        both.slash = false;
        add(numbers, &both);
    }
}

/* "one and a half", "1 1/2", "1 and 1/2". */
static void add_mixed(struct numbers *numbers, const struct number *number)
{
    const struct tokens *tokens = numbers->tokens;
    const struct sigtext_table *table = tokens->table;
    struct item matches[MATCHES_MAX];
    struct number mixed = *number;
    if (number->value % 1000 != 0 || number->value == 0 || number->style == NUMBER_BOTH)
        return;
    for (int i = sigtext_next(tokens, number->end, table->first[KIND_PLUS]); i < table->first[KIND_PLUS + 1];
         i = sigtext_next(tokens, number->end, i + 1)) {
        int n = sigtext_matches(tokens, &table->patterns[i], number->end, matches);
        for (int k = 0; k < n; k++) {
            mixed.end = matches[k].to;
            mixed.value = number->value + table->rows[table->patterns[i].row].value;
            mixed.needs_unit = false;
            add(numbers, &mixed);
        }
    }
    int at = number->end;
    for (int i = sigtext_next(tokens, number->end, table->first[KIND_AND]); i < table->first[KIND_AND + 1];
         i = sigtext_next(tokens, number->end, i + 1)) {
        if (sigtext_matches(tokens, &table->patterns[i], number->end, matches) > 0)
            at = matches[0].to;
    }
    if (number->style == NUMBER_DIGITS && at < tokens->count && tokens->list[at].kind == TOKEN_NUMBER &&
        tokens->list[at].fraction && !tokens->list[at].glued) {
        mixed.end = at + 1;
        mixed.value = number->value + tokens->list[at].value;
        mixed.needs_unit = true; /* "1 1/2" without a unit can be 1, 1 and 2 */
        add(numbers, &mixed);
    }
}

int sigtext_numbers(const struct tokens *tokens, int at, struct number list[NUMBERS_MAX])
{
    struct numbers numbers = {.tokens = tokens, .list = list};
    struct number plain[NUMBERS_MAX];
    if (at >= tokens->count)
        return 0;
    int count = number_in_digits(tokens, at, plain);
    if (count == 0)
        count = numbers_in_words(tokens, at, plain);
    for (int i = 0; i < count; i++)
        add(&numbers, &plain[i]);
    for (int i = 0; i < count; i++) {
        add_said_twice(&numbers, &plain[i]);
        add_mixed(&numbers, &plain[i]);
    }
    return numbers.count;
}
