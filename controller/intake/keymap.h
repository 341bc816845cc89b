/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keymap: texts to pointers, for the references between resources and the codes of products. Open addressing,
 * doubled at three quarters; keys are copied into the caller's arena; nothing is ever taken out. Order of
 * keys is never asked for, so results do not depend on the hash. One thread at a time.
 */
#ifndef CONTROLLER_INTAKE_KEYMAP_H
#define CONTROLLER_INTAKE_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct keymap_cell;

struct keymap {
    struct arena *arena; /* the caller's; keys live there */
    struct keymap_cell *cells;
    size_t cap, count;
};

void keymap_init(struct keymap *map, struct arena *arena);
void keymap_finish(struct keymap *map);
/* The value's place for a key, made (NULL inside) when it is new; NULL when memory is short. */
void **keymap_put(struct keymap *map, const char *key, size_t len);
/* The value, or NULL. */
void *keymap_get(const struct keymap *map, const char *key, size_t len);

/* FNV-1a, 64 bits; start with KEYMAP_HASH_START. */
#define KEYMAP_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t keymap_hash(uint64_t hash, const void *data, size_t len);

#endif
