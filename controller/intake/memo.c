/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/memo.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/intake/keymap.h"

struct memo_entry {
    uint64_t hash;
    size_t len; /* 0: free */
    char key[MEMO_KEY_BYTES_MAX];
    alignas(max_align_t) unsigned char value[];
};

void memo_init(struct memo *memo, size_t value_bytes)
{
    *memo = (struct memo){.value_bytes = value_bytes};
}

void memo_reset(struct memo *memo)
{
    for (size_t i = 0; i < MEMO_PLACES && memo->places != NULL; i++) {
        if (memo->places[i] != NULL)
            memo->places[i]->len = 0;
    }
}

void memo_finish(struct memo *memo)
{
    for (size_t i = 0; i < MEMO_PLACES && memo->places != NULL; i++)
        free(memo->places[i]);
    free(memo->places);
    *memo = (struct memo){0};
}

static struct memo_entry **place_of(struct memo *memo, uint64_t hash)
{
    return &memo->places[(hash ^ hash >> 32) % MEMO_PLACES];
}

void *memo_get(struct memo *memo, const void *key, size_t len, bool *ret_known)
{
    *ret_known = false;
    if (len == 0 || len > MEMO_KEY_BYTES_MAX)
        return NULL;
    if (memo->places == NULL)
        memo->places = calloc(MEMO_PLACES, sizeof(struct memo_entry *));
    if (memo->places == NULL)
        return NULL;
    const uint64_t hash = keymap_hash(KEYMAP_HASH_START, key, len);
    struct memo_entry **place = place_of(memo, hash);
    if (*place == NULL)
        *place = calloc(1, sizeof **place + memo->value_bytes);
    struct memo_entry *entry = *place;
    if (entry == NULL)
        return NULL;
    if (entry->hash == hash && entry->len == len && memcmp(entry->key, key, len) == 0) {
        *ret_known = true;
        return entry->value;
    }
    entry->hash = hash;
    entry->len = len;
    memcpy(entry->key, key, len);
    memset(entry->value, 0, memo->value_bytes);
    return entry->value;
}

void memo_forget(struct memo *memo, const void *key, size_t len)
{
    if (len == 0 || len > MEMO_KEY_BYTES_MAX || memo->places == NULL)
        return;
    struct memo_entry *entry = *place_of(memo, keymap_hash(KEYMAP_HASH_START, key, len));
    if (entry != NULL)
        entry->len = 0;
}
