/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growing run of bytes, for texts that are put together piece by piece.
 *
 * The caller owns the struct and the memory behind it (buf_finish frees it). A failed allocation or an
 * overrun fixed buffer sets `failed` and makes every later call do nothing, so that a writer checks once, at
 * the end. The bytes are always followed by a NUL that does not count.
 */
#ifndef CONFIG_BASE_BUF_H
#define CONFIG_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;  /* NULL until the first byte of a growing buf */
    size_t len;  /* bytes in use */
    size_t cap;  /* bytes behind data, the NUL's place included */
    bool fixed;  /* data belongs to the caller and does not grow */
    bool failed; /* something did not fit */
};

void buf_init(struct buf *buf);
/* Writes into mem[0..size-1] and never allocates. */
void buf_init_fixed(struct buf *buf, char *mem, size_t size);
void buf_finish(struct buf *buf);
/* Forgets the content, keeps the memory, clears `failed`. */
void buf_reset(struct buf *buf);

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
/* With & < > and " as entities, for HTML. */
void buf_html(struct buf *buf, const char *text);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *buf, const char *format, ...);

/* The NUL-ended text so far; "" while nothing was added. Valid until the next change. */
const char *buf_string(const struct buf *buf);
/* Hands the memory to the caller (free() it); NULL when failed. The buf is empty afterwards. Not for fixed
 * bufs. */
char *buf_take(struct buf *buf);

#endif
