/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory for one piece of work (a solve, an import), given back all at once.
 *
 * The caller owns the struct. Memory from it is zeroed, aligned for any type, and valid until arena_reset or
 * arena_finish. One thread at a time.
 */
#ifndef CONFIG_BASE_ARENA_H
#define CONFIG_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_block *spare;  /* given back by arena_reset, used again before the system is asked */
    size_t used;                /* bytes handed out since the last reset, for reports */
    size_t limit;               /* most bytes to hand out; 0 none */
};

/* limit_bytes 0: as much as the system gives. */
void arena_init(struct arena *arena, size_t limit_bytes);
void arena_finish(struct arena *arena);
/* Gives everything back at once; keeps the blocks for the next piece of work. */
void arena_reset(struct arena *arena);

/* Zeroed memory, or NULL when the limit or the system's memory is reached. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same for count objects of size bytes, with the product checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy of text[0..len-1] with a NUL behind it, or NULL. */
char *arena_text(struct arena *arena, const char *text, size_t len);

#endif
