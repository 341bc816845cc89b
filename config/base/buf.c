/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf)
{
    *buf = (struct buf){0};
}

void buf_init_fixed(struct buf *buf, char *mem, size_t size)
{
    assert(mem && size > 0);
    *buf = (struct buf){.data = mem, .cap = size, .fixed = true};
    mem[0] = '\0';
}

void buf_finish(struct buf *buf)
{
    if (!buf->fixed)
        free(buf->data);
    *buf = (struct buf){0};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

/* Makes room for extra bytes and the NUL. */
static bool reserve(struct buf *buf, size_t extra)
{
    if (buf->failed)
        return false;
    if (buf->cap - buf->len > extra)
        return true;
    if (buf->fixed || extra > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
        buf->failed = true;
        return false;
    }
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap - buf->len <= extra)
        cap *= 2;
    char *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0) {
        buf->failed = true;
        return;
    }
    if (!reserve(buf, (size_t)need))
        return;
    va_start(args, format);
    (void)vsnprintf(buf->data + buf->len, (size_t)need + 1, format, args); /* measured just above */
    va_end(args);
    buf->len += (size_t)need;
}

void buf_html(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buf_text(buf, "&amp;");
            break;
        case '<':
            buf_text(buf, "&lt;");
            break;
        case '>':
            buf_text(buf, "&gt;");
            break;
        case '"':
            buf_text(buf, "&quot;");
            break;
        default:
            buf_char(buf, *text);
        }
    }
}

const char *buf_string(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    assert(!buf->fixed);
    buf_add(buf, "", 0); /* an empty buf still gives a NUL-ended text */
    char *data = buf->failed ? NULL : buf->data;
    if (buf->failed)
        free(buf->data);
    *buf = (struct buf){0};
    return data;
}
