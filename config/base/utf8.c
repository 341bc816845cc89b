/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/utf8.h"

#include <string.h>

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t utf8_next(const char *text, size_t len, uint32_t *ret_char)
{
    const unsigned char *at = (const unsigned char *)text;
    if (len == 0)
        return 0;
    if (at[0] < 0x80) {
        *ret_char = at[0];
        return 1;
    }
    size_t size = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0xC2 || at[0] > 0xF4 || size > len)
        return 0;
    uint32_t value = at[0] & (0xFFu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (!is_tail(at[i]))
            return 0;
        value = value << 6 | (at[i] & 0x3F);
    }
    if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *ret_char = value;
    return size;
}

static bool is_printable(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } refused[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x200B, 0x200F}, {0x2028, 0x202E},
                   {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFFE, 0xFFFF}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (c >= refused[i].from && c <= refused[i].to)
            return false;
    }
    return true;
}

bool utf8_printable(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t size = utf8_next(text + at, len - at, &c);
        if (size == 0 || !is_printable(c))
            return false;
        at += size;
    }
    return true;
}

size_t utf8_count(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += !is_tail((unsigned char)*text);
    return count;
}

void utf8_ellipsis(char *text, size_t size)
{
    size_t end = size - 4;
    while (end > 0 && is_tail((unsigned char)text[end]))
        end--;
    memcpy(text + end, "...", 4);
}
