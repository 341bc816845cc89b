/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/keymap.h"

#include "config/base/arena.h"

#include <stdlib.h>
#include <string.h>

struct keymap_cell {
    const char *key; /* NULL: free */
    size_t len;
    uint64_t hash;
    void *value;
};

uint64_t keymap_hash(uint64_t hash, const void *data, size_t len)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void keymap_init(struct keymap *map, struct arena *arena)
{
    *map = (struct keymap){.arena = arena};
}

void keymap_finish(struct keymap *map)
{
    free(map->cells);
    *map = (struct keymap){0};
}

static struct keymap_cell *cell_of(const struct keymap *map, const char *key, size_t len, uint64_t hash)
{
    size_t at = (size_t)hash & (map->cap - 1);
    for (;; at = (at + 1) & (map->cap - 1)) {
        struct keymap_cell *cell = &map->cells[at];
        if (cell->key == NULL || (cell->hash == hash && cell->len == len && memcmp(cell->key, key, len) == 0))
            return cell;
    }
}

static int keymap_grow(struct keymap *map)
{
    struct keymap bigger = *map;
    bigger.cap = map->cap == 0 ? 64 : map->cap * 2;
    bigger.cells = calloc(bigger.cap, sizeof *bigger.cells);
    if (bigger.cells == NULL)
        return -1;
    for (size_t i = 0; i < map->cap; i++) {
        const struct keymap_cell *cell = &map->cells[i];
        if (cell->key != NULL)
            *cell_of(&bigger, cell->key, cell->len, cell->hash) = *cell;
    }
    free(map->cells);
    *map = bigger;
    return 0;
}

void **keymap_put(struct keymap *map, const char *key, size_t len)
{
    if (map->count * 4 >= map->cap * 3 && keymap_grow(map) != 0)
        return NULL;
    uint64_t hash = keymap_hash(KEYMAP_HASH_START, key, len);
    struct keymap_cell *cell = cell_of(map, key, len, hash);
    if (cell->key == NULL) {
        char *copy = arena_text(map->arena, key, len);
        if (copy == NULL)
            return NULL;
        *cell = (struct keymap_cell){.key = copy, .len = len, .hash = hash};
        map->count++;
    }
    return &cell->value;
}

void *keymap_get(const struct keymap *map, const char *key, size_t len)
{
    if (map->cap == 0)
        return NULL;
    return cell_of(map, key, len, keymap_hash(KEYMAP_HASH_START, key, len))->value;
}
