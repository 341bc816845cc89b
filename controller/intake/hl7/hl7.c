/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/hl7/hl7.h"

#include "config/base/utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SEGMENT_NAME_BYTES = 3, VT = 0x0b, FS = 0x1c };

void hl7_blame(struct hl7_fault *fault, enum hl7_code code, const char *place, const char *format, ...)
{
    va_list args;
    if (fault->code != HL7_ACCEPTED)
        return; /* the first fault is told */
    fault->code = code;
    (void)snprintf(fault->place, sizeof fault->place, "%s", place);
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    for (char *p = fault->text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e) /* bytes of the message stay out of it */
            *p = '?';
    }
}

/* The four or five characters of MSH-2. Some senders double the escape ("^~\\&", a literal of a programming
 * language that was not decoded): known, and read as meant. */
static bool read_encoding(const char *bytes, size_t len, struct hl7 *ret, struct hl7_fault *fault)
{
    char set[8] = "";
    size_t count = 0;
    ret->field = bytes[3];
    if (ret->field < 0x20 || ret->field == 0x7f || isalnum((unsigned char)ret->field)) {
        hl7_blame(fault, HL7_DATA_TYPE, "MSH^1^1", "MSH-1 is no separator");
        return false;
    }
    while (4 + count < len && bytes[4 + count] != ret->field && bytes[4 + count] != '\r' &&
           bytes[4 + count] != '\n' && count < sizeof set - 1) {
        set[count] = bytes[4 + count];
        count++;
    }
    set[count] = '\0';
    if (strcmp(set, "^~\\\\&") == 0) {
        (void)strcpy(set, "^~\\&"); /* NOLINT: five bytes into eight */
        count = 4;
    }
    bool right = count >= 1 && count <= 5;
    for (size_t i = 0; i < count && right; i++) {
        right = set[i] > 0x20 && set[i] < 0x7f && !isalnum((unsigned char)set[i]) && set[i] != ret->field &&
                strchr(set + i + 1, set[i]) == NULL;
    }
    if (!right) {
        hl7_blame(fault, HL7_DATA_TYPE, "MSH^1^2", "MSH-2 does not hold the encoding characters");
        return false;
    }
    ret->component = set[0];
    ret->repeat = count > 1 ? set[1] : '\0';
    ret->escape = count > 2 ? set[2] : '\0';
    ret->subcomponent = count > 3 ? set[3] : '\0';
    return true;
}

static bool segment_named_rightly(const struct hl7_segment *segment, char field)
{
    for (size_t i = 0; i < SEGMENT_NAME_BYTES; i++) {
        if (i >= segment->len || !(isupper((unsigned char)segment->text[i]) ||
                                   (i > 0 && isdigit((unsigned char)segment->text[i]))))
            return false;
    }
    return segment->len == SEGMENT_NAME_BYTES || segment->text[SEGMENT_NAME_BYTES] == field;
}

static bool split(const char *bytes, size_t len, struct hl7 *ret, struct hl7_fault *fault)
{
    int line = 0;
    ret->segments = calloc(HL7_SEGMENTS_MAX, sizeof *ret->segments);
    if (ret->segments == NULL) {
        hl7_blame(fault, HL7_INTERNAL, "", "out of memory");
        return false;
    }
    for (size_t at = 0; at < len;) {
        size_t end = at;
        while (end < len && bytes[end] != '\r' && bytes[end] != '\n')
            end++;
        struct hl7_segment segment = {bytes + at, end - at, ++line};
        at = end + (end < len && bytes[end] == '\r' && end + 1 < len && bytes[end + 1] == '\n' ? 2 : 1);
        while (segment.len > 0 && segment.text[segment.len - 1] == ' ')
            segment.len--; /* blanks behind a segment carry nothing */
        if (segment.len == 0)
            continue;
        if (ret->count == HL7_SEGMENTS_MAX || segment.len > HL7_SEGMENT_BYTES_MAX) {
            hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "", "more than %d segments, or one longer than %d bytes",
                      HL7_SEGMENTS_MAX, HL7_SEGMENT_BYTES_MAX);
            return false;
        }
        if (!segment_named_rightly(&segment, ret->field)) {
            hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "", "line %d is no segment", line);
            return false;
        }
        if (ret->count > 0 && memcmp(segment.text, "MSH", 3) == 0) {
            hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "", "a second MSH on line %d: two messages in one", line);
            return false;
        }
        ret->segments[ret->count++] = segment;
    }
    return true;
}

/* Bytes of 8859-1 as UTF-8. */
static char *from_latin1(const char *bytes, size_t len, size_t *ret_len)
{
    char *out = malloc(2 * len + 1);
    size_t at = 0;
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x80) {
            out[at++] = (char)c;
        } else {
            out[at++] = (char)(0xc0 | c >> 6);
            out[at++] = (char)(0x80 | (c & 0x3f));
        }
    }
    out[at] = '\0';
    *ret_len = at;
    return out;
}

/* MSH-18 before anything is decoded: plain text between separators. */
static bool says_latin1(const char *bytes, size_t len, char field)
{
    int number = 1;
    size_t at = 3;
    for (; at < len && bytes[at] != '\r' && bytes[at] != '\n' && number < 18; at++)
        number += bytes[at] == field;
    return number == 18 && len - at >= 6 && strncmp(bytes + at, "8859/1", 6) == 0;
}

/* Every byte is a character that may stand in a message. */
static bool right_text(const char *bytes, size_t len, struct hl7_fault *fault)
{
    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t step = utf8_next(bytes + at, len - at, &c);
        if (step == 0) {
            hl7_blame(fault, HL7_DATA_TYPE, "", "byte %zu is not UTF-8, and MSH-18 does not say 8859/1",
                      at + 1);
            return false;
        }
        if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f) {
            hl7_blame(fault, HL7_DATA_TYPE, "", "byte %zu is a control character", at + 1);
            return false;
        }
        at += step;
    }
    return true;
}

static bool parse(const char *bytes, size_t len, struct hl7 *ret, struct hl7_fault *fault)
{
    if (len > HL7_MESSAGE_MAX) {
        hl7_blame(fault, HL7_DATA_TYPE, "", "longer than %d bytes", HL7_MESSAGE_MAX);
        return false;
    }
    while (len > 0 && isspace((unsigned char)*bytes)) {
        bytes++;
        len--;
    }
    if (len < 9 || memcmp(bytes, "MSH", 3) != 0) {
        hl7_blame(fault, HL7_SEGMENT_SEQUENCE, "MSH", "the message does not begin with MSH");
        return false;
    }
    if (!read_encoding(bytes, len, ret, fault))
        return false;
    if (says_latin1(bytes, len, ret->field)) {
        ret->copy = from_latin1(bytes, len, &len);
        bytes = ret->copy;
        if (bytes == NULL) {
            hl7_blame(fault, HL7_INTERNAL, "", "out of memory");
            return false;
        }
    }
    if (!right_text(bytes, len, fault) || !split(bytes, len, ret, fault))
        return false;
    for (size_t i = 0; i + 1 < ret->segments[0].len; i++) {
        if (ret->segments[0].text[i + 1] == '{' && strchr("${", ret->segments[0].text[i]) != NULL) {
            hl7_blame(fault, HL7_DATA_TYPE, "MSH^1", "MSH holds a placeholder: a template, not a message");
            return false;
        }
    }
    return true;
}

bool hl7_parse(const char *bytes, size_t len, struct hl7 *ret, struct hl7_fault *ret_fault)
{
    *ret = (struct hl7){0};
    *ret_fault = (struct hl7_fault){.code = HL7_ACCEPTED};
    if (parse(bytes, len, ret, ret_fault))
        return true;
    hl7_finish(ret);
    return false;
}

void hl7_finish(struct hl7 *message)
{
    free(message->segments);
    free(message->copy);
    *message = (struct hl7){0};
}

bool hl7_is(const struct hl7 *message, int segment, const char *name)
{
    return segment >= 0 && segment < message->count &&
           memcmp(message->segments[segment].text, name, SEGMENT_NAME_BYTES) == 0;
}

struct piece {
    const char *text;
    size_t len;
};

/* The number-th (from 1) piece between separators; a missing separator character never splits. */
static bool nth(struct piece whole, char separator, int number, struct piece *ret)
{
    const char *at = whole.text, *end = whole.text + whole.len;
    for (int i = 1;; i++) {
        const char *next = separator != '\0' ? memchr(at, separator, (size_t)(end - at)) : NULL;
        if (i == number) {
            *ret = (struct piece){at, (size_t)((next != NULL ? next : end) - at)};
            return true;
        }
        if (next == NULL)
            return false;
        at = next + 1;
    }
}

static bool find_field(const struct hl7 *message, int segment, int field, struct piece *ret)
{
    if (segment < 0 || segment >= message->count || field < 1)
        return false;
    const struct hl7_segment *row = &message->segments[segment];
    bool header = memcmp(row->text, "MSH", 3) == 0;
    if (header && field == 1) {
        *ret = (struct piece){row->text + 3, 1};
        return true;
    }
    struct piece whole = {row->text, row->len};
    return nth(whole, message->field, header ? field : field + 1, ret);
}

static bool is_null(struct piece piece)
{
    return piece.len == 2 && piece.text[0] == '"' && piece.text[1] == '"';
}

int hl7_repeats(const struct hl7 *message, int segment, int field)
{
    struct piece whole, ignored;
    if (!find_field(message, segment, field, &whole) || whole.len == 0 || is_null(whole))
        return 0;
    int count = 1;
    while (count < HL7_REPEATS_MAX && nth(whole, message->repeat, count + 1, &ignored))
        count++;
    return count;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0'
           : (c >= 'A' && c <= 'F')  ? c - 'A' + 10
           : (c >= 'a' && c <= 'f')  ? c - 'a' + 10
                                     : -1;
}

struct text_out {
    char *data;
    size_t size, len; /* len: also what did not fit */
};

static void put(struct text_out *out, char c)
{
    if (out->len + 1 < out->size)
        out->data[out->len] = c;
    out->len++;
}

/* One escape sequence between its marks; false when it is not known: then it stays as it is written. */
static bool put_escape(const struct hl7 *message, const char *text, size_t len, struct text_out *out)
{
    static const char formats[][4] = {".br", ".sp", ".ti", ".in", ".ce", ".sk", ".fi", ".nf"};
    if (len == 1) {
        char c = text[0] == 'F'   ? message->field
                 : text[0] == 'S' ? message->component
                 : text[0] == 'T' ? message->subcomponent
                 : text[0] == 'R' ? message->repeat
                 : text[0] == 'E' ? message->escape
                                  : '\0';
        if (c != '\0')
            put(out, c);
        return c != '\0' || text[0] == 'H' || text[0] == 'N'; /* highlighting on and off: no text */
    }
    if (text[0] == 'X' && len % 2 == 1) {
        for (size_t i = 1; i < len; i += 2) {
            int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
            if (high < 0 || low < 0)
                return false;
        }
        for (size_t i = 1; i < len; i += 2) {
            int c = hex_digit(text[i]) * 16 + hex_digit(text[i + 1]);
            put(out, c >= 0x20 && c != 0x7f ? (char)c : ' ');
        }
        return true;
    }
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (len >= 3 && memcmp(text, formats[i], 3) == 0) {
            put(out, ' ');
            return true;
        }
    }
    return false;
}

/* Escapes undone; what came out of \X..\ and is no UTF-8 becomes '?'. */
static size_t decode(const struct hl7 *message, struct piece piece, char *data, size_t size)
{
    struct text_out out = {data, size, 0};
    for (size_t i = 0; i < piece.len; i++) {
        char c = piece.text[i];
        const char *end = NULL;
        if (message->escape != '\0' && c == message->escape && i + 1 < piece.len)
            end = memchr(piece.text + i + 1, message->escape, piece.len - i - 1);
        if (end != NULL && end > piece.text + i + 1 &&
            put_escape(message, piece.text + i + 1, (size_t)(end - piece.text) - i - 1, &out)) {
            i = (size_t)(end - piece.text);
            continue;
        }
        put(&out, c == '\t' ? ' ' : c);
    }
    size_t kept = out.len < size ? out.len : size - 1;
    for (size_t at = 0; at < kept;) {
        uint32_t ignored;
        size_t step = utf8_next(data + at, kept - at, &ignored);
        if (step == 0 && out.len >= size && kept - at < 4) {
            kept = at; /* a character that the cut has split */
            break;
        }
        if (step == 0)
            data[at] = '?';
        at += step > 0 ? step : 1;
    }
    data[kept] = '\0';
    return out.len;
}

static void trim(char *text)
{
    size_t len = strlen(text), start = strspn(text, " ");
    while (len > start && text[len - 1] == ' ')
        len--;
    memmove(text, text + start, len - start);
    text[len - start] = '\0';
}

size_t hl7_get(const struct hl7 *message, struct hl7_at at, char *out, size_t size)
{
    struct piece piece;
    out[0] = '\0';
    if (!find_field(message, at.segment, at.field, &piece))
        return 0;
    bool header = at.field <= 2 && hl7_is(message, at.segment, "MSH");
    if (!header && !nth(piece, message->repeat, at.repeat > 0 ? at.repeat : 1, &piece))
        return 0;
    if (at.component > 0 && !header) {
        if (!nth(piece, message->component, at.component, &piece) ||
            (message->subcomponent != '\0' &&
             !nth(piece, message->subcomponent, at.sub > 0 ? at.sub : 1, &piece)))
            return 0;
    }
    if (piece.len == 0 || is_null(piece))
        return 0;
    size_t len;
    if (at.component > 0 && !header) {
        len = decode(message, piece, out, size);
    } else {
        len = piece.len;
        (void)snprintf(out, size, "%.*s", (int)piece.len, piece.text);
    }
    trim(out);
    return out[0] != '\0' ? len : 0;
}

size_t hl7_text(const struct hl7 *message, int segment, int field, int component, char *out, size_t size)
{
    return hl7_get(message, (struct hl7_at){segment, field, 1, component, 1}, out, size);
}

static bool at_name(const char *bytes, size_t len, size_t at, const char *name)
{
    return len - at >= 4 && memcmp(bytes + at, name, 3) == 0 && !isalnum((unsigned char)bytes[at + 3]);
}

static bool skipped_byte(char c)
{
    return c == VT || c == FS || isspace((unsigned char)c) || c == '\xef' || c == '\xbb' || c == '\xbf';
}

bool hl7_looks_like(const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && skipped_byte(bytes[at]))
        at++;
    return at < len && (at_name(bytes, len, at, "MSH") || at_name(bytes, len, at, "FHS") ||
                        at_name(bytes, len, at, "BHS"));
}

/* Moves behind the end of the line. */
static size_t next_line(const char *bytes, size_t len, size_t at, int *line)
{
    while (at < len && bytes[at] != '\r' && bytes[at] != '\n')
        at++;
    if (at < len) {
        at += bytes[at] == '\r' && at + 1 < len && bytes[at + 1] == '\n' ? 2 : 1;
        ++*line;
    }
    return at;
}

bool hl7_next_message(const char *bytes, size_t len, struct hl7_cursor *cursor, const char **ret_bytes,
                      size_t *ret_len, int *ret_line)
{
    static const char *const wrappers[] = {"FHS", "BHS", "BTS", "FTS"};
    size_t start = cursor->at;
    int start_line = cursor->line;
    for (bool skipped = true; skipped && start < len;) {
        skipped = false;
        while (start < len && skipped_byte(bytes[start])) {
            bool pair = bytes[start] == '\r' && start + 1 < len && bytes[start + 1] == '\n';
            start_line += bytes[start] == '\n' || (bytes[start] == '\r' && !pair);
            start++;
        }
        for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0] && start < len; i++) {
            if (at_name(bytes, len, start, wrappers[i])) {
                start = next_line(bytes, len, start, &start_line);
                skipped = true;
            }
        }
    }
    if (start >= len)
        return false;
    size_t end = start;
    int end_line = start_line;
    do {
        end = next_line(bytes, len, end, &end_line);
        size_t mark = end; /* MLLP's marks in a file stand at the beginning of a line */
        while (mark < len && skipped_byte(bytes[mark]))
            mark++;
        if (mark >= len || at_name(bytes, len, mark, "MSH") || at_name(bytes, len, mark, "BTS") ||
            at_name(bytes, len, mark, "FTS") || at_name(bytes, len, mark, "BHS") ||
            at_name(bytes, len, mark, "FHS"))
            break;
    } while (end < len);
    *ret_bytes = bytes + start;
    *ret_len = end - start;
    /* The frame's end may stand right behind the last byte. */
    const char *frame = memchr(*ret_bytes, FS, *ret_len);
    if (frame != NULL)
        *ret_len = (size_t)(frame - *ret_bytes);
    *cursor = (struct hl7_cursor){end, end_line};
    *ret_line = start_line + 1;
    return true;
}
