/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"

void tree_write_text(const char *text, size_t len, struct buf *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *run = text, *end = text + len;
    buf_char(out, '"');
    for (const char *at = text; at < end; at++) {
        if ((unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
            continue;
        buf_add(out, run, (size_t)(at - run));
        run = at + 1;
        const char *found = *at != '\0' ? strchr(from, *at) : NULL;
        if (found != NULL)
            buf_add(out, (const char[]){'\\', to[found - from]}, 2);
        else
            buf_printf(out, "\\u%04X", (unsigned)(unsigned char)*at);
    }
    buf_add(out, run, (size_t)(end - run));
    buf_char(out, '"');
}

static void write_quoted(const char *text, size_t len, bool plain, struct buf *out)
{
    if (!plain) {
        tree_write_text(text, len, out);
        return;
    }
    buf_char(out, '"');
    buf_add(out, text, len);
    buf_char(out, '"');
}

/* Is "%.15g" of it the same text? So it is for a few digits, a point, and digits that end in none of 0. */
static bool is_plain(const char *text, uint32_t len)
{
    enum { DIGITS_MAX = 14 };
    const char *point = memchr(text, '.', len);
    if (point == NULL || len > DIGITS_MAX || memchr(text, 'e', len) != NULL || memchr(text, 'E', len) != NULL)
        return false;
    const char *first = text + (*text == '-');
    if (*first == '0') /* 0.00001 would be 1e-05 */
        return point[1] != '0' && text[len - 1] != '0';
    return text[len - 1] != '0' || point + 2 == text + len;
}

static void write_real(const struct tree *value, struct buf *out)
{
    char text[64];
    if (is_plain(value->in.text, value->len)) {
        buf_add(out, value->in.text, value->len);
        return;
    }
    (void)snprintf(text, sizeof text, "%.15g", tree_number(value));
    if (strpbrk(text, ".e") == NULL)
        (void)strcat(text, ".0"); /* of at most 22 bytes */
    char *exponent = strchr(text, 'e');
    if (exponent != NULL) { /* no plus, no leading zeros */
        char *digits = exponent + 1, *from = digits;
        digits += *digits == '-';
        from += *from == '-' || *from == '+';
        while (*from == '0')
            from++;
        memmove(digits, from, strlen(from) + 1);
    }
    buf_text(out, text);
}

static void write_items(const struct tree *value, struct buf *out)
{
    const bool object = value->type == TREE_OBJECT;
    buf_char(out, object ? '{' : '[');
    for (size_t i = 0; i < value->len; i++) {
        const struct tree *item = &value->in.items[i];
        if (i > 0)
            buf_char(out, ',');
        if (object) {
            write_quoted(item->key, item->key_len, item->key_plain, out);
            buf_char(out, ':');
        }
        tree_write(item, out);
    }
    buf_char(out, object ? '}' : ']');
}

void tree_write(const struct tree *value, struct buf *out)
{
    switch (value->type) {
    case TREE_NULL:
        buf_text(out, "null");
        break;
    case TREE_FALSE:
        buf_text(out, "false");
        break;
    case TREE_TRUE:
        buf_text(out, "true");
        break;
    case TREE_INTEGER:
        if (value->len == 2 && memcmp(value->in.text, "-0", 2) == 0)
            buf_char(out, '0');
        else
            buf_add(out, value->in.text, value->len);
        break;
    case TREE_REAL:
        write_real(value, out);
        break;
    case TREE_TEXT:
        write_quoted(value->in.text, value->len, value->plain, out);
        break;
    case TREE_LIST:
    case TREE_OBJECT:
        write_items(value, out);
        break;
    }
}
