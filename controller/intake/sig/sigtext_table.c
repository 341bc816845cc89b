/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of phrases, compiled: words become numbers, ways to write become patterns of elements. A group in
 * brackets that holds a space is written out as patterns of its own.
 */
#include "controller/intake/sig/sigtext.h"

#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/intake/reading.h"
#include "controller/intake/sig/sigtext_private.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERNS_MAX = 12000, PATTERN_BYTES = 400, WORDS_MAX = 6000, GROUPS_DEEP_MAX = 12 };

struct compiler {
    const struct conf *conf;
    struct sigtext_table *table;
    struct error *err;
    int word_count; /* while they are collected, doubled ones too */
    const char **words;
    int pass; /* 0 collects words, 1 makes patterns */
    int row;
    bool many;
};

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int sigtext_word(const struct sigtext_table *table, const char *word, size_t len)
{
    int low = 0, high = table->word_count - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        int order = strncmp(word, table->words[middle], len);
        if (order == 0 && table->words[middle][len] != '\0')
            order = -1;
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return -1;
}

static const struct {
    const char *text;
    enum sigtext_slot slot;
} slot_names[] = {
    {"<n>", SLOT_NUMBER},  {"<amount>", SLOT_AMOUNT}, {"<days>", SLOT_DAYS},
    {"<time>", SLOT_TIME}, {"<date>", SLOT_DATE},     {"<reason>", SLOT_REASON},
};

static int limit_error(const struct compiler *compiler, const char *what)
{
    return error_set(compiler->err, E_LIMIT, "%s: phrases[%d]: %s", conf_file(compiler->conf), compiler->row,
                     what);
}

static int collect_word(struct compiler *compiler, const char *word, size_t len)
{
    if (compiler->word_count == WORDS_MAX * 4)
        return limit_error(compiler, "the table has too many words");
    const char *copy = arena_text(&compiler->table->arena, word, len);
    if (copy == NULL)
        return error_set(compiler->err, E_MEMORY, "no memory for the table of words");
    compiler->words[compiler->word_count++] = copy;
    return 0;
}

/* One element: "a|b", "[a|b]" or a slot. */
static int add_element(struct compiler *compiler, struct sigtext_pattern *pattern, const char *text,
                       size_t len)
{
    struct sigtext_element element = {.slot = SLOT_WORD};
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        element.optional = true;
        text++;
        len -= 2;
    }
    for (size_t i = 0; i < sizeof slot_names / sizeof slot_names[0]; i++) {
        if (strlen(slot_names[i].text) == len && strncmp(slot_names[i].text, text, len) == 0)
            element.slot = slot_names[i].slot;
    }
    while (element.slot == SLOT_WORD && len > 0) {
        size_t part = 0;
        while (part < len && text[part] != '|')
            part++;
        if (compiler->pass == 0) {
            int code = collect_word(compiler, text, part);
            if (code != 0)
                return code;
        } else {
            if (element.count == SIGTEXT_CHOICES_MAX)
                return limit_error(compiler, "too many words between bars");
            static_assert(WORDS_MAX * 4 < SHRT_MAX, "words are numbered in a short");
            int word = sigtext_word(compiler->table, text, part);
            assert(word >= 0); /* collected in the first pass */
            compiler->table->word_languages[word] |= compiler->table->rows[compiler->row].languages;
            element.words[element.count++] = (short)word;
        }
        text += part < len ? part + 1 : part;
        len -= part < len ? part + 1 : part;
    }
    if (pattern->count == SIGTEXT_ELEMENTS_MAX)
        return limit_error(compiler, "a phrase of too many words");
    pattern->elements[pattern->count++] = element;
    return 0;
}

static int add_plain(struct compiler *compiler, const char *text)
{
    struct sigtext_pattern pattern = {.row = compiler->row, .many = compiler->many};
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, " ");
        int code = len > 0 ? add_element(compiler, &pattern, at, len) : 0;
        if (code != 0)
            return code;
        at += len;
        at += *at == ' ';
    }
    bool something = false;
    for (int i = 0; i < pattern.count; i++)
        something = something || !pattern.elements[i].optional;
    if (!something)
        return limit_error(compiler, "a phrase may not be missing as a whole");
    if (compiler->pass == 0)
        return 0;
    if (compiler->table->pattern_count == PATTERNS_MAX)
        return limit_error(compiler, "too many phrases");
    compiler->table->patterns[compiler->table->pattern_count++] = pattern;
    return 0;
}

/* Writes groups with spaces out: "[as a] single dose" is "single dose" and "as a single dose". */
static int add_pattern(struct compiler *compiler, const char *text, int deep)
{
    const char *open = strchr(text, '[');
    while (open != NULL) {
        size_t len = strcspn(open, "]");
        if (memchr(open, ' ', len) != NULL)
            break;
        open = strchr(open + 1, '[');
    }
    if (open == NULL)
        return add_plain(compiler, text);
    if (deep == GROUPS_DEEP_MAX)
        return limit_error(compiler, "too many groups in a phrase");
    const char *close = strchr(open, ']');
    assert(close != NULL); /* conf_sig has checked the brackets */
    const char *choice = open + 1;
    for (bool last = false, none = true; !last || none;) {
        char written[PATTERN_BYTES];
        size_t len = 0;
        if (none && last)
            none = false; /* once more, without the group */
        else
            len = strcspn(choice, "|]");
        int n = snprintf(written, sizeof written, "%.*s%.*s%s", (int)(open - text), text, (int)len, choice,
                         close + 1);
        if (n < 0 || n >= (int)sizeof written)
            return limit_error(compiler, "a phrase is too long");
        int code = add_pattern(compiler, written, deep + 1);
        if (code != 0)
            return code;
        if (!last) {
            choice += len;
            last = choice == close;
            choice += !last;
        }
    }
    return 0;
}

static int add_row_patterns(struct compiler *compiler)
{
    for (int many = 0; many < 2; many++) {
        const char *key = many ? "many" : "words";
        compiler->many = many != 0;
        for (int i = 0; i < conf_count(compiler->conf, "phrases[%d].%s", compiler->row, key); i++) {
            int code = add_pattern(compiler,
                                   conf_text(compiler->conf, "phrases[%d].%s[%d]", compiler->row, key, i), 0);
            if (code != 0)
                return code;
        }
    }
    return 0;
}

static int number_of(const struct conf *conf, int row, const char *key)
{
    int64_t value = conf_int(conf, "phrases[%d].%s", row, key);
    return value == CONF_NONE ? 0 : (int)value;
}

static const char *keep(struct compiler *compiler, const char *key)
{
    const char *text = conf_text(compiler->conf, "phrases[%d].%s", compiler->row, key);
    return arena_text(&compiler->table->arena, text, strlen(text));
}

static bool row_read(struct compiler *compiler, struct sigtext_row *row)
{
    const struct conf *conf = compiler->conf;
    int at = compiler->row;
    row->kind = (enum sigtext_kind)conf_int(conf, "phrases[%d].kind", at);
    for (int i = 0; i < conf_count(conf, "phrases[%d].in", at); i++)
        row->languages |= 1u << conf_int(conf, "phrases[%d].in[%d]", at, i);
    row->name = keep(compiler, "name");
    row->code = keep(compiler, "code");
    row->site = keep(compiler, "site");
    row->value = conf_has(conf, "phrases[%d].value", at) ? conf_int(conf, "phrases[%d].value", at) : -1;
    row->max = conf_has(conf, "phrases[%d].max", at) ? conf_int(conf, "phrases[%d].max", at) : 0;
    row->measure = (enum sigtext_measure)conf_int(conf, "phrases[%d].measure", at);
    row->times = number_of(conf, at, "times");
    row->period = number_of(conf, at, "period");
    row->unit = (enum sigtext_time_unit)conf_int(conf, "phrases[%d].unit", at);
    row->event = -1;
    if (conf_has(conf, "phrases[%d].event", at))
        row->event = READING_MORN + (int)conf_int(conf, "phrases[%d].event", at);
    row->splits = conf_bool(conf, "phrases[%d].splits", at);
    row->whole = conf_bool(conf, "phrases[%d].whole", at);
    row->weak = conf_bool(conf, "phrases[%d].weak", at);
    row->after = conf_bool(conf, "phrases[%d].after", at);
    row->pouch = conf_bool(conf, "phrases[%d].pouch", at);
    row->bound = (enum sigtext_bound)conf_int(conf, "phrases[%d].bound", at);
    row->day = number_of(conf, at, "day");
    for (int i = 0; i < conf_count(conf, "phrases[%d].routes", at); i++)
        row->routes |= 1u << conf_int(conf, "phrases[%d].routes[%d]", at, i);
    if (row->routes == 0)
        row->routes = ~0u;
    return row->name != NULL && row->code != NULL && row->site != NULL;
}

static int words_sort(struct compiler *compiler)
{
    struct sigtext_table *table = compiler->table;
    qsort(compiler->words, (size_t)compiler->word_count, sizeof compiler->words[0], compare_words);
    table->words = arena_array(&table->arena, (size_t)compiler->word_count + 1, sizeof table->words[0]);
    table->word_languages =
        arena_array(&table->arena, (size_t)compiler->word_count + 1, sizeof table->word_languages[0]);
    table->word_letters =
        arena_array(&table->arena, (size_t)compiler->word_count + 1, sizeof table->word_letters[0]);
    if (table->words == NULL || table->word_languages == NULL || table->word_letters == NULL)
        return error_set(compiler->err, E_MEMORY, "no memory for the table of words");
    for (int i = 0; i < compiler->word_count; i++) {
        if (i > 0 && strcmp(compiler->words[i], compiler->words[i - 1]) == 0)
            continue;
        table->word_letters[table->word_count] = sigtext_letters(compiler->words[i]);
        table->words[table->word_count++] = compiler->words[i];
    }
    return 0;
}

static void patterns_sort(struct sigtext_table *table, struct sigtext_pattern *sorted)
{
    int count = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        table->first[kind] = count;
        for (int i = 0; i < table->pattern_count; i++) {
            if ((int)table->rows[table->patterns[i].row].kind == kind)
                sorted[count++] = table->patterns[i];
        }
    }
    table->first[KIND_COUNT] = count;
    assert(count == table->pattern_count);
}

/* Calls note for each word that the pattern may begin with, and for word_count when that may be no word. */
static void starts_of(const struct sigtext_table *table, int pattern, void (*note)(void *, int, int),
                      void *user)
{
    const struct sigtext_pattern *at = &table->patterns[pattern];
    for (int i = 0; i < at->count; i++) {
        const struct sigtext_element *element = &at->elements[i];
        for (int k = 0; k < element->count; k++)
            note(user, pattern, element->words[k]);
        if (element->slot != SLOT_WORD)
            note(user, pattern, table->word_count);
        if (!element->optional)
            return;
    }
}

static void count_start(void *user, int pattern, int word)
{
    struct sigtext_table *table = user;
    (void)pattern; /* the second round puts it down */
    table->start_of[word + 1]++;
}

static void put_start(void *user, int pattern, int word)
{
    struct sigtext_table *table = user;
    table->starts[table->start_of[word + 1]++] = pattern;
}

/* Counts, sums up, fills: afterwards start_of[w] is the first place of word w again. */
static bool starts_index(struct sigtext_table *table)
{
    size_t words = (size_t)table->word_count;
    table->start_of = arena_array(&table->arena, words + 3, sizeof table->start_of[0]);
    if (table->start_of == NULL)
        return false;
    for (int i = 0; i < table->pattern_count; i++)
        starts_of(table, i, count_start, table);
    int total = 0;
    for (size_t w = 0; w <= words; w++) {
        int count = table->start_of[w + 1];
        table->start_of[w + 1] = total;
        total += count;
    }
    table->starts = arena_array(&table->arena, (size_t)total + 1, sizeof table->starts[0]);
    if (table->starts == NULL)
        return false;
    for (int i = 0; i < table->pattern_count; i++)
        starts_of(table, i, put_start, table);
    return true;
}

/* The first of the patterns listed for a word that is not below from. */
static int next_of(const struct sigtext_table *table, int word, int from)
{
    int low = table->start_of[word], high = table->start_of[word + 1];
    while (low < high) {
        int middle = (low + high) / 2;
        if (table->starts[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->start_of[word + 1] ? table->starts[low] : table->pattern_count;
}

int sigtext_next(const struct tokens *tokens, int at, int from)
{
    const struct sigtext_table *table = tokens->table;
    if (at >= tokens->count)
        return table->pattern_count;
    int loose = next_of(table, table->word_count, from);
    int word = tokens->list[at].word;
    int worded = word >= 0 ? next_of(table, word, from) : table->pattern_count;
    return worded < loose ? worded : loose;
}

static void settings_read(const struct conf *conf, struct sigtext_table *table)
{
    for (int i = 0; i < conf_count(conf, "languages"); i++) {
        struct sigtext_settings *settings = &table->settings[conf_int(conf, "languages[%d].code", i)];
        settings->known = true;
        settings->comma = strcmp(conf_text(conf, "languages[%d].decimal", i), "comma") == 0;
        settings->time_first = conf_bool(conf, "languages[%d].time_first", i);
        settings->slots = conf_bool(conf, "languages[%d].slots", i);
    }
}

static int compile(struct compiler *compiler)
{
    struct sigtext_table *table = compiler->table;
    struct sigtext_pattern *sorted;
    int code = 0;
    for (compiler->pass = 0; compiler->pass < 2 && code == 0; compiler->pass++) {
        for (compiler->row = 0; compiler->row < table->row_count && code == 0; compiler->row++) {
            if (compiler->pass == 0 && !row_read(compiler, &table->rows[compiler->row]))
                return error_set(compiler->err, E_MEMORY, "no memory for the table of words");
            code = add_row_patterns(compiler);
        }
        if (compiler->pass == 0 && code == 0)
            code = words_sort(compiler);
    }
    if (code != 0)
        return code;
    sorted = arena_array(&table->arena, (size_t)table->pattern_count + 1, sizeof *sorted);
    if (sorted == NULL)
        return error_set(compiler->err, E_MEMORY, "no memory for the table of words");
    patterns_sort(table, sorted);
    table->patterns = sorted; /* the unsorted ones are the caller's */
    if (!starts_index(table))
        return error_set(compiler->err, E_MEMORY, "no memory for the table of words");
    return 0;
}

int sigtext_table_create(const struct conf *conf, struct sigtext_table **ret_table, struct error *err)
{
    struct sigtext_table *table = calloc(1, sizeof *table);
    struct sigtext_pattern *patterns = calloc(PATTERNS_MAX, sizeof *patterns);
    struct compiler compiler = {.conf = conf, .table = table, .err = err};
    int code = E_MEMORY;
    compiler.words = calloc(WORDS_MAX * 4, sizeof *compiler.words);
    if (table != NULL)
        table->spare = calloc(1, sizeof *table->spare);
    if (table == NULL || table->spare == NULL || patterns == NULL || compiler.words == NULL) {
        (void)error_set(err, E_MEMORY, "no memory for the table of words");
        goto out;
    }
    arena_init(&table->arena, 0);
    settings_read(conf, table);
    table->patterns = patterns;
    table->row_count = conf_count(conf, "phrases");
    table->rows = arena_array(&table->arena, (size_t)table->row_count, sizeof table->rows[0]);
    code = table->rows != NULL ? compile(&compiler)
                               : error_set(err, E_MEMORY, "no memory for the table of words");
out:
    free(patterns);
    free(compiler.words);
    if (code != 0) {
        sigtext_table_destroy(table);
        return code;
    }
    *ret_table = table;
    return 0;
}

int sigtext_table_load(const char *file, struct sigtext_table **ret_table, struct error *err)
{
    char path[4096];
    struct conf *conf = NULL;
    int code = 0;
    if (file == NULL) {
        code = paths_data("sig.yaml", path, sizeof path, err);
        file = path;
    }
    if (code == 0)
        code = conf_load(&conf_sig, file, &conf, err);
    if (code == 0)
        code = sigtext_table_create(conf, ret_table, err);
    conf_destroy(conf);
    return code;
}

void sigtext_table_destroy(struct sigtext_table *table)
{
    if (table == NULL)
        return;
    if (table->spare != NULL)
        free(atomic_load(&table->spare->search));
    free(table->spare);
    arena_finish(&table->arena);
    free(table);
}

const char *sigtext_row_name(const struct sigtext_row *row)
{
    return row->name;
}
