/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text is cut into words; at each word the longest phrase of the table that fits is taken. Words behind
 * "for" or "to" are a purpose and harmless unless they are in a table or dangerous.
 */
#include "controller/intake/sig.h"

#include "controller/intake/sig_private.h"

#include <stdio.h>
#include <string.h>

static void said(const struct sig_words *words, int at, int count, char *out, size_t size)
{
    size_t used = strlen(out);
    for (int i = at; i < at + count && used < size - 1; i++) {
        (void)snprintf(out + used, size - used, "%s%s", used > 0 ? " " : "", words->list[i].text);
        used = strlen(out);
    }
}

static struct sig_claim *claim_add(struct sig *sig, enum sig_kind kind, const struct sig_words *words, int at,
                                   int count)
{
    if (sig->count == SIG_CLAIMS_MAX) {
        sig->whole = false;
        sig->dangerous = true;
        return NULL;
    }
    struct sig_claim *claim = &sig->claims[sig->count++];
    *claim = (struct sig_claim){.kind = kind, .when = READING_ANY};
    said(words, at, count, claim->said, sizeof claim->said);
    return claim;
}

static void claim_fill(struct sig_claim *claim, const struct sig_phrase *phrase,
                       const struct sig_caught *caught)
{
    struct measured measured = {0};
    int64_t number = caught->numbers > 0 ? caught->number[0] : 0;
    claim->when = phrase->when;
    switch (claim->kind) {
    case SIG_AMOUNT:
        claim->value = phrase->value < 0 ? -phrase->value : number + phrase->value;
        if (caught->unit != NULL && measure_scale(claim->value, caught->unit, &measured)) {
            claim->measure = measured.kind;
            claim->amount = measured.amount;
        }
        break;
    case SIG_CLOCK:
        if (caught->numbers > 0) /* "8 am" */
            claim->value = (number / 1000 % 12) * 60 + phrase->value;
        else
            claim->value = caught->value;
        break;
    case SIG_DURATION:
        claim->value = number / 1000 * phrase->value;
        break;
    case SIG_PER_DAY:
    case SIG_HOURS:
    case SIG_EVERY_DAYS:
    case SIG_PER_WEEK:
        claim->value = phrase->value != 0    ? phrase->value
                       : caught->numbers > 0 ? number / 1000
                                             : caught->value;
        break;
    case SIG_WEEKDAYS:
    case SIG_FROM:
    case SIG_UNTIL:
        claim->value = caught->value;
        break;
    case SIG_AMOUNT_RANGE:
    case SIG_DAILY:
    case SIG_HOURS_RANGE:
    case SIG_MONTHLY:
    case SIG_WHEN:
    case SIG_PRN:
    case SIG_ONCE:
    case SIG_THEN:
    case SIG_STOP:
    case SIG_NOT_MOUTH:
    case SIG_DIRECTED:
        claim->value = phrase->value;
        break;
    }
}

/* Tries "30 minutes" + "before breakfast". Words taken. */
static int offset_match(struct sig *sig, const struct sig_words *words, int at)
{
    for (size_t i = 0; sig_offsets[i].text != NULL; i++) {
        struct sig_caught minutes, rest;
        int first = sig_phrase_match(sig_offsets[i].text, words, at, &minutes);
        if (first == 0)
            continue;
        for (size_t j = 0; sig_phrases[j].text != NULL; j++) {
            if (sig_phrases[j].kind != SIG_WHEN || sig_phrases[j].harmless ||
                sig_phrases[j].when < READING_HS)
                continue;
            int second = sig_phrase_match(sig_phrases[j].text, words, at + first, &rest);
            if (second == 0)
                continue;
            struct sig_claim *claim = claim_add(sig, SIG_WHEN, words, at, first + second);
            if (claim != NULL) {
                claim->when = sig_phrases[j].when;
                claim->offset_min = sig_offsets[i].factor == 0 ? -1
                                    : sig_offsets[i].factor < 0
                                        ? -sig_offsets[i].factor
                                        : (int)(minutes.number[0] / 1000) * sig_offsets[i].factor;
            }
            return first + second;
        }
    }
    return 0;
}

static int best_match(struct sig *sig, const struct sig_words *words, int at)
{
    const struct sig_phrase *best = NULL;
    struct sig_caught caught, best_caught = {0};
    int best_taken = 0;
    int taken = offset_match(sig, words, at);
    if (taken > 0)
        return taken;
    for (size_t i = 0; sig_phrases[i].text != NULL; i++) {
        taken = sig_phrase_match(sig_phrases[i].text, words, at, &caught);
        if (taken > best_taken) {
            best = &sig_phrases[i];
            best_taken = taken;
            best_caught = caught;
        }
    }
    if (best == NULL || best->harmless)
        return best_taken;
    struct sig_claim *claim = claim_add(sig, best->kind, words, at, best_taken);
    if (claim != NULL)
        claim_fill(claim, best, &best_caught);
    return best_taken;
}

static bool is_dangerous(const struct sig_word *word)
{
    if (word->number || strpbrk(word->text, "0123456789") != NULL)
        return true;
    for (size_t i = 0; sig_dangerous[i] != NULL; i++) {
        if (strcmp(sig_dangerous[i], word->text) == 0)
            return true;
    }
    return false;
}

void sig_read(const char *text, struct sig *ret)
{
    struct sig_words words;
    bool purpose = false, lost = false;
    *ret = (struct sig){.whole = true};
    sig_words_read(text, &words);
    if (words.overflow) {
        ret->whole = false;
        ret->dangerous = true;
        (void)snprintf(ret->left, sizeof ret->left, "too long");
        return;
    }
    for (int at = 0; at < words.count;) {
        const struct sig_word *word = &words.list[at];
        int taken = best_match(ret, &words, at);
        /* A number alone is the dose ("1 bid"), unless it stands behind words that were not understood. */
        bool bare = word->number && !lost && word->milli <= 20 * 1000;
        if (taken == 0 && bare) {
            struct sig_claim *claim = claim_add(ret, SIG_AMOUNT, &words, at, 1);
            if (claim != NULL) {
                claim->value = word->milli;
                claim->measure = MEASURE_UNKNOWN;
            }
            taken = 1;
        } else if (taken == 0) {
            taken = 1;
            if (!purpose && (strcmp(word->text, "for") == 0 || strcmp(word->text, "to") == 0)) {
                purpose = true;
            } else if (!purpose || is_dangerous(word)) {
                ret->whole = false;
                ret->dangerous = ret->dangerous || is_dangerous(word);
                lost = true;
                said(&words, at, 1, ret->left, sizeof ret->left);
            }
        }
        if (words.list[at + taken - 1].clause_ends)
            purpose = lost = false;
        at += taken;
    }
}
