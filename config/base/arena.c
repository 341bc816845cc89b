/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit = limit_bytes};
}

void arena_finish(struct arena *arena)
{
    arena_reset(arena);
}

void arena_reset(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = size ? (size + align - 1) / align * align : align;
    if (arena->limit && (size > arena->limit || arena->used > arena->limit - size))
        return NULL;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size) {
        size_t bytes = size > ARENA_BLOCK_BYTES ? size : (size_t)ARENA_BLOCK_BYTES;
        block = malloc(sizeof *block + bytes);
        if (!block)
            return NULL;
        block->next = arena->blocks;
        block->used = 0;
        block->size = bytes;
        arena->blocks = block;
    }
    void *p = block->bytes + block->used;
    memset(p, 0, size);
    block->used += size;
    arena->used += size;
    return p;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(arena, count * size);
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, len + 1);
    if (copy && len > 0)
        memcpy(copy, text, len);
    return copy;
}
