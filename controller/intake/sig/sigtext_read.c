/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for every meaning of a text. All items at all places are found first; then every chain of items
 * from the first word to the last is built, and the meanings are counted: none, one, or more than one.
 */
#include "controller/intake/sig/sigtext.h"

#include "config/base/buf.h"
#include "controller/intake/sig/sigtext_build_private.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEANING_BYTES = 24 * 1024 };

struct search {
    struct tokens tokens;
    int item_count;
    struct item items[SIGTEXT_ITEMS_MAX];
    int first[SIGTEXT_TOKENS_MAX + 1];  /* of the items at a place */
    bool leads[SIGTEXT_TOKENS_MAX + 1]; /* some chain of items goes from here to the end */
    int tries;

    int meanings; /* 0, 1 or 2: more are not counted */
    struct sigtext meaning;
    const struct item *doubt_at; /* of the meaning */
    const struct item *directed;
    char written[MEANING_BYTES]; /* the meaning as JSON, to be compared */
    char other[MEANING_BYTES];
    char said[2][SIGTEXT_REASON_BYTES]; /* the first two meanings for people */

    const char *conflict; /* of the chain that came furthest */
    int conflict_from, conflict_to;

    struct sigtext settled;
    struct build builds[SIGTEXT_TOKENS_MAX + 1];
};

static void note_conflict(struct search *search, const char *conflict, int from, int to)
{
    if (search->conflict != NULL && to <= search->conflict_to)
        return;
    search->conflict = conflict;
    search->conflict_from = from;
    search->conflict_to = to;
}

/*
 * What two meanings are compared by. Texts are left out, and the instructions are one run of words, so that
 * two ways to cut the same meaning ("swallow whole", "do not crush") compare equal.
 */
static void write_meaning(struct sigtext *sig, bool directed, char *text, size_t size)
{
    struct buf out;
    int notes[SIGTEXT_DOSAGES_MAX];
    buf_init_fixed(&out, text, size);
    if (directed) {
        buf_text(&out, "as directed"); /* whatever else it says */
        return;
    }
    for (int i = 0; i < sig->dosage_count; i++) {
        struct sigtext_dosage *dosage = &sig->dosages[i];
        notes[i] = dosage->note_count;
        dosage->note_count = 0;
        for (int k = 0; k < notes[i]; k++)
            buf_printf(&out, " %s", dosage->notes[k]);
        buf_char(&out, '|');
    }
    sigtext_write_dosage(sig, NULL, 0, &out);
    for (int i = 0; i < sig->dosage_count; i++)
        sig->dosages[i].note_count = notes[i];
}

/* Of two ways to cut one meaning, what either of them keeps out of a pouch stays out. */
static void merge_flags(struct sigtext *to, const struct sigtext *from)
{
    for (int i = 0; i < to->dosage_count && i < from->dosage_count; i++) {
        to->dosages[i].out_of_pouch |= from->dosages[i].out_of_pouch;
        to->dosages[i].meal_beside |= from->dosages[i].meal_beside;
        to->dosages[i].states_strength |= from->dosages[i].states_strength;
    }
}

static void settle(struct search *search, const struct build *build)
{
    const char *conflict = build_settle(build, &search->settled);
    if (conflict != NULL) {
        note_conflict(search, conflict, 0, search->tokens.count);
        return;
    }
    write_meaning(&search->settled, build->directed != NULL, search->other, sizeof search->other);
    bool better = search->meanings == 1 && search->meaning.refusal == SIGTEXT_DOUBTFUL &&
                  search->settled.refusal == SIGTEXT_NONE;
    if (search->meanings > 0 && strcmp(search->written, search->other) != 0) {
        if (search->meanings == 1) {
            struct buf said;
            buf_init_fixed(&said, search->said[1], sizeof search->said[1]);
            sigtext_describe(&search->settled, &said);
        }
        search->meanings = 2;
        return;
    }
    if (search->meanings > 0 && !better) {
        merge_flags(&search->meaning, &search->settled);
        return;
    }
    struct buf said;
    buf_init_fixed(&said, search->said[0], sizeof search->said[0]);
    sigtext_describe(&search->settled, &said);
    search->meanings = 1;
    search->meaning = search->settled;
    search->doubt_at = build->doubt_at;
    search->directed = build->directed;
    memcpy(search->written, search->other, sizeof search->written);
}

static void walk(struct search *search, int at, int depth)
{
    const struct build *build = &search->builds[depth];
    if (at == search->tokens.count) {
        settle(search, build);
        return;
    }
    for (int i = search->first[at]; i < search->first[at + 1] && search->meanings < 2; i++) {
        const struct item *item = &search->items[i];
        if (!search->leads[item->to])
            continue;
        if (++search->tries > SIGTEXT_TRIES_MAX)
            return;
        struct build *next = &search->builds[depth + 1];
        *next = *build;
        const char *conflict = build_add(next, item);
        if (conflict != NULL)
            note_conflict(search, conflict, item->from, item->to);
        else
            walk(search, item->to, depth + 1);
    }
}

/* Finds the items; the furthest token that a chain from the start reaches. -1: too many items. */
static int find_items(struct search *search)
{
    const struct tokens *tokens = &search->tokens;
    bool reached[SIGTEXT_TOKENS_MAX + 1] = {true};
    int furthest = 0;
    for (int at = 0; at < tokens->count; at++) {
        search->first[at] = search->item_count;
        if (!reached[at])
            continue;
        furthest = at;
        if (!sigtext_items(tokens, at, search->items, &search->item_count, SIGTEXT_ITEMS_MAX))
            return -1;
        for (int i = search->first[at]; i < search->item_count; i++)
            reached[search->items[i].to] = true;
    }
    search->first[tokens->count] = search->item_count;
    for (int at = 0; at <= tokens->count; at++)
        search->leads[at] = at == tokens->count;
    for (int at = tokens->count - 1; at >= 0; at--) {
        for (int i = search->first[at]; i < search->first[at + 1]; i++)
            search->leads[at] = search->leads[at] || search->leads[search->items[i].to];
    }
    return reached[tokens->count] ? tokens->count : furthest;
}

/* Tokens from..to-1 as they stand in the text, added to left_over. */
static void leave_over(const struct tokens *tokens, int from, int to, struct sigtext *sig)
{
    size_t used = strlen(sig->left_over);
    if (from >= to || from >= tokens->count)
        return;
    int first = tokens->list[from].from, last = tokens->list[to - 1].to;
    if (used + (size_t)(last - first) + 3 > sizeof sig->left_over) {
        if (used + 4 < sizeof sig->left_over && (used < 3 || strcmp(sig->left_over + used - 3, "...") != 0))
            memcpy(sig->left_over + used, "...", 4);
        return;
    }
    (void)snprintf(sig->left_over + used, sizeof sig->left_over - used, "%s%.*s", used > 0 ? " | " : "",
                   last - first, tokens->text + first);
    for (char *c = sig->left_over; *c != '\0'; c++) {
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
    }
}

static bool is_known(const struct token *token)
{
    if (token->kind == TOKEN_WORD)
        return token->word >= 0;
    return token->kind != TOKEN_MARK || token->word >= 0 ||
           (token->mark != '\0' && strchr(",;.:-()", token->mark));
}

/* Runs of unknown words; false when there are none. */
static bool leave_unknown(const struct tokens *tokens, struct sigtext *sig)
{
    bool any = false;
    for (int i = 0; i < tokens->count; i++) {
        int end = i;
        while (end < tokens->count && !is_known(&tokens->list[end]))
            end++;
        if (end == i)
            continue;
        leave_over(tokens, i, end, sig);
        any = true;
        i = end;
    }
    return any;
}

static void refuse(struct sigtext *sig, enum sigtext_refusal refusal, const char *why)
{
    sig->refusal = refusal;
    sig->dosage_count = 0;
    if (why != NULL)
        (void)snprintf(sig->reason, sizeof sig->reason, "%s", why); /* cut to fit */
}

static void conclude(struct search *search, struct sigtext *sig)
{
    const struct tokens *tokens = &search->tokens;
    if (search->tries > SIGTEXT_TRIES_MAX) {
        refuse(sig, SIGTEXT_TOO_LONG, "too many ways to read it");
        return;
    }
    if (search->meanings == 0) {
        refuse(sig, SIGTEXT_CONTRADICTORY, search->conflict);
        leave_over(tokens, search->conflict_from, search->conflict_to, sig);
        return;
    }
    if (search->meanings > 1) {
        refuse(sig, SIGTEXT_AMBIGUOUS, NULL);
        (void)snprintf(sig->reason, sizeof sig->reason, "it can mean \"%.90s\" or \"%.90s\"", search->said[0],
                       search->said[1]);
        leave_over(tokens, 0, tokens->count, sig);
        return;
    }
    const struct sigtext found = search->meaning;
    if (found.refusal == SIGTEXT_NONE) {
        *sig = found;
        return;
    }
    refuse(sig, found.refusal, found.reason);
    if (found.refusal == SIGTEXT_DOUBTFUL && search->doubt_at != NULL)
        leave_over(tokens, search->doubt_at->from, search->doubt_at->to, sig);
    if (found.refusal == SIGTEXT_DIRECTED && search->directed != NULL)
        leave_over(tokens, search->directed->from, search->directed->to, sig);
}

static void read_tokens(struct search *search, struct sigtext *sig)
{
    const struct tokens *tokens = &search->tokens;
    if (leave_unknown(tokens, sig)) {
        refuse(sig, SIGTEXT_UNKNOWN_WORDS, NULL);
        sigtext_propose(tokens, sig);
        return;
    }
    int reach = find_items(search);
    if (reach < 0) {
        refuse(sig, SIGTEXT_TOO_LONG, "too many ways to read it");
        return;
    }
    if (reach < tokens->count) {
        refuse(sig, SIGTEXT_NOT_UNDERSTOOD, NULL);
        leave_over(tokens, reach, tokens->count, sig);
        return;
    }
    build_init(&search->builds[0], tokens);
    walk(search, 0, 0);
    conclude(search, sig);
}

static const char *const refusal_names[] = {
#define SIGTEXT_REFUSAL_NAME(name, text) #name,
    SIGTEXT_REFUSAL_TABLE(SIGTEXT_REFUSAL_NAME)
#undef SIGTEXT_REFUSAL_NAME
};
static const char *const refusal_texts[] = {
#define SIGTEXT_REFUSAL_TEXT(name, text) text,
    SIGTEXT_REFUSAL_TABLE(SIGTEXT_REFUSAL_TEXT)
#undef SIGTEXT_REFUSAL_TEXT
};

const char *sigtext_refusal_name(enum sigtext_refusal refusal)
{
    return refusal_names[refusal];
}

/* The table's sentence before what was found in this text. */
static void complete_reason(struct sigtext *sig)
{
    char detail[SIGTEXT_REASON_BYTES];
    if (sig->refusal == SIGTEXT_NONE)
        return;
    (void)snprintf(detail, sizeof detail, "%s", sig->reason);
    (void)snprintf(sig->reason, sizeof sig->reason, "%s%s%.180s", refusal_texts[sig->refusal],
                   detail[0] != '\0' ? ": " : "", detail);
}

void sigtext_read(const struct sigtext_table *table, enum sigtext_language language, const char *text,
                  size_t len, struct sigtext *ret)
{
    *ret = (struct sigtext){.refusal = SIGTEXT_NONE};
    struct search *search = NULL;
    if (table->settings[language].known) {
        search = atomic_exchange(&table->spare->search, NULL);
        search = search != NULL ? search : malloc(sizeof *search);
    }
    if (search == NULL) {
        refuse(ret, SIGTEXT_LANGUAGE, table->settings[language].known ? "no memory to read it" : NULL);
        complete_reason(ret);
        return;
    }
    /* Only the heads: the big arrays are written before they are read. */
    search->item_count = search->tries = search->meanings = 0;
    search->conflict = NULL;
    search->doubt_at = search->directed = NULL;
    search->conflict_from = search->conflict_to = 0;
    memset(search->said, 0, sizeof search->said);
    memset(&search->settled, 0, sizeof search->settled);
    ret->refusal = sigtext_cut(table, language, text, len, &search->tokens, ret);
    if (ret->refusal == SIGTEXT_NONE)
        read_tokens(search, ret);
    complete_reason(ret);
    free(atomic_exchange(&table->spare->search, search)); /* another thread may have brought one back */
}
