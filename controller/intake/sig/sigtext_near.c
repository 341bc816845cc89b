/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of the table that an unknown word may have been meant to be: one slip (a letter too many, too few,
 * wrong, or two swapped) in a short word, two in a long one. They are shown, never taken.
 */
#include "controller/intake/sig/sigtext_private.h"

#include <string.h>

enum { LONG_WORD_BYTES = 8, SHORT_WORD_BYTES = 3, FAR = 99 };

/* Optimal string alignment distance; FAR when it is over `most`, which ends the work early. */
static int distance(const char *a, size_t la, const char *b, size_t lb, int most)
{
    int row[3][SIGTEXT_WORD_BYTES + 1];
    if (la > SIGTEXT_WORD_BYTES || lb > SIGTEXT_WORD_BYTES || la > lb + (size_t)most ||
        lb > la + (size_t)most)
        return FAR;
    for (size_t k = 0; k <= lb; k++)
        row[0][k] = (int)k;
    for (size_t i = 1; i <= la; i++) {
        int *now = row[i % 3], *above = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        int least = FAR;
        now[0] = (int)i;
        for (size_t k = 1; k <= lb; k++) {
            int best = above[k - 1] + (a[i - 1] != b[k - 1]);
            best = above[k] + 1 < best ? above[k] + 1 : best;
            best = now[k - 1] + 1 < best ? now[k - 1] + 1 : best;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
                best = before[k - 2] + 1;
            now[k] = best;
            least = best < least ? best : least;
        }
        if (least > most + 1) /* a swap may still take one off */
            return FAR;
    }
    return row[la % 3][lb];
}

uint32_t sigtext_letters(const char *word)
{
    uint32_t letters = 0;
    for (; *word != '\0'; word++)
        letters |= UINT32_C(1) << ((unsigned char)*word & 31);
    return letters;
}

static void propose_for(const struct tokens *tokens, const char *word, size_t len,
                        struct sigtext_proposal *ret)
{
    const struct sigtext_table *table = tokens->table;
    int far[SIGTEXT_NEAR_MAX] = {FAR, FAR, FAR};
    int allowed = len >= LONG_WORD_BYTES ? 2 : 1;
    const uint32_t letters = sigtext_letters(word);
    for (int i = 0; i < table->word_count; i++) {
        const char *known = table->words[i];
        if (__builtin_popcount(letters & ~table->word_letters[i]) > allowed ||
            __builtin_popcount(table->word_letters[i] & ~letters) > allowed)
            continue; /* most words are left here */
        size_t known_len = strlen(known);
        if ((table->word_languages[i] & 1u << tokens->language) == 0 || known_len < SHORT_WORD_BYTES - 1)
            continue;
        int d = distance(word, len, known, known_len, allowed);
        if (d > allowed || d >= far[SIGTEXT_NEAR_MAX - 1])
            continue;
        int place = SIGTEXT_NEAR_MAX - 1;
        for (; place > 0 && far[place - 1] > d; place--) {
            far[place] = far[place - 1];
            ret->near[place] = ret->near[place - 1];
        }
        far[place] = d;
        ret->near[place] = known;
        if (ret->count < SIGTEXT_NEAR_MAX)
            ret->count++;
    }
}

void sigtext_propose(const struct tokens *tokens, struct sigtext *sig)
{
    for (int i = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->list[i];
        char word[SIGTEXT_WORD_BYTES];
        size_t len = (size_t)(token->to - token->from);
        if (token->kind != TOKEN_WORD || token->word >= 0 || len < SHORT_WORD_BYTES || len >= sizeof word ||
            sig->proposal_count == SIGTEXT_PROPOSALS_MAX)
            continue;
        for (size_t k = 0; k < len; k++) {
            char c = tokens->text[token->from + (int)k];
            word[k] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        word[len] = '\0';
        struct sigtext_proposal proposal = {.count = 0};
        propose_for(tokens, word, len, &proposal);
        if (proposal.count == 0)
            continue;
        memcpy(proposal.word, tokens->text + token->from, len);
        proposal.word[len] = '\0';
        sig->proposals[sig->proposal_count++] = proposal;
    }
}
