/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing over U+10FFFF. Pure, any thread.
 */
#ifndef CONFIG_BASE_UTF8_H
#define CONFIG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text[0..len-1] (1..4), or 0 when there is none or it is malformed. */
size_t utf8_next(const char *text, size_t len, uint32_t *ret_char);

/*
 * True when all of it is well-formed and can stand on a line for people: no control character (C0, DEL, C1),
 * no line or paragraph separator, no invisible or direction-changing mark (U+200B..200F, U+202A..202E,
 * U+2060..206F, U+FEFF), which could make a printed line read as something else than its bytes say.
 */
bool utf8_printable(const char *text, size_t len);

/* For a text that did not fit its array of `size` bytes (>= 4): ends it with "..." in place of its last whole
 * characters. */
void utf8_ellipsis(char *text, size_t size);

/* Characters of a well-formed NUL-ended text: the columns that it takes on a label in one cell a character.
 */
size_t utf8_count(const char *text);

#endif
