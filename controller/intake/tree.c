/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text is copied once; texts are unescaped within the copy and ended where their closing quote stood,
 * numbers stay as written. The values of an open list lie on the stack and are copied side by side when it
 * closes.
 */
#include "controller/intake/tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/utf8.h"

enum { PLAIN_KEYS_MAX = 16 }; /* more members than that are compared through a table */

struct parser {
    struct tree_reader *reader;
    const char *start;
    char *at; /* behind the last byte stands a NUL */
    const char *end;
    int depth;
    struct tree_fault *fault;
};

void tree_reader_init(struct tree_reader *reader)
{
    *reader = (struct tree_reader){0};
    arena_init(&reader->arena, 0);
}

void tree_reader_finish(struct tree_reader *reader)
{
    arena_finish(&reader->arena);
    free(reader->stack);
    *reader = (struct tree_reader){0};
}

static bool fail(struct parser *p, enum tree_fault_kind kind, const char *at, const char *what)
{
    *p->fault = (struct tree_fault){.kind = kind, .at = (size_t)(at - p->start), .what = what};
    return false;
}

/* What stands here does not belong here; at the end of the text it is cut off. */
static bool fail_here(struct parser *p, const char *what)
{
    return fail(p, p->at >= p->end ? TREE_CUT_OFF : TREE_SYNTAX, p->at, what);
}

static void skip_space(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')
        p->at++;
}

/* Four hexadecimal digits; -1 when they are none. */
static int hex_read(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char c = at[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* p->at stands on the 'u'. */
static bool unicode_read(struct parser *p, char **out)
{
    int high = hex_read(p->at + 1, p->end);
    if (high < 0)
        return fail(p, TREE_SYNTAX, p->at, "\\u without four hexadecimal digits");
    p->at += 5;
    uint32_t c = (uint32_t)high;
    if (high >= 0xd800 && high <= 0xdbff) {
        const bool more = p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u';
        int low = more ? hex_read(p->at + 2, p->end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(p, TREE_SYNTAX, p->at, "half of a character (\\u)");
        c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        p->at += 6;
    } else if (high >= 0xdc00 && high <= 0xdfff) {
        return fail(p, TREE_SYNTAX, p->at, "half of a character (\\u)");
    } else if (high == 0) {
        return fail(p, TREE_SYNTAX, p->at, "\\u0000 is not allowed");
    }
    *out = utf8_put(*out, c);
    return true;
}

/* p->at stands behind the backslash. */
static bool escape_read(struct parser *p, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p->at < p->end && *p->at == 'u')
        return unicode_read(p, out);
    const char *found = p->at < p->end && *p->at != '\0' ? strchr(from, *p->at) : NULL;
    if (found == NULL)
        return fail_here(p, "a backslash before something else");
    *(*out)++ = to[found - from];
    p->at++;
    return true;
}

/* p->at stands on the opening quote. */
static bool text_read(struct parser *p, const char **ret_text, uint32_t *ret_len, bool *ret_plain)
{
    char *text = ++p->at, *out = text;
    *ret_plain = true;
    for (;;) {
        char *run = p->at;
        while ((unsigned char)*p->at >= 0x20 && (unsigned char)*p->at < 0x80 && *p->at != '"' &&
               *p->at != '\\')
            p->at++;
        if (out != run && p->at > run)
            memmove(out, run, (size_t)(p->at - run));
        out += p->at - run;
        const unsigned char c = (unsigned char)*p->at;
        if (p->at >= p->end)
            return fail(p, TREE_CUT_OFF, p->at, "a text without its closing quote");
        if (c == '"') {
            p->at++;
            *out = '\0'; /* at the closing quote or before it */
            *ret_text = text;
            *ret_len = (uint32_t)(out - text);
            return true;
        }
        if (c == '\\') {
            *ret_plain = false;
            p->at++;
            if (!escape_read(p, &out))
                return false;
        } else if (c < 0x20) {
            return fail(p, TREE_SYNTAX, p->at, "a control character within a text");
        } else {
            uint32_t ignored;
            size_t bytes = utf8_next(p->at, (size_t)(p->end - p->at), &ignored);
            if (bytes == 0)
                return fail(p, TREE_NOT_UTF8, p->at, "a byte that is no UTF-8");
            memmove(out, p->at, bytes);
            out += bytes;
            p->at += bytes;
        }
    }
}

static bool digits_read(struct parser *p)
{
    const char *first = p->at;
    while (*p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > first || fail_here(p, "a number without digits");
}

/* Numbers that a long or a double can't hold are refused. */
static bool number_fits(struct parser *p, const char *text, enum tree_type type)
{
    enum { SHORT = 18 }; /* digits and signs that always fit */
    if (p->at - text <= SHORT && (type == TREE_INTEGER || memchr(text, 'e', (size_t)(p->at - text)) == NULL))
        if (type == TREE_INTEGER || memchr(text, 'E', (size_t)(p->at - text)) == NULL)
            return true;
    errno = 0;
    if (type == TREE_INTEGER) {
        (void)strtoll(text, NULL, 10);
        return errno == 0 || fail(p, TREE_SYNTAX, text, "too big a number");
    }
    const double value = strtod(text, NULL);
    return !(errno == ERANGE && isinf(value)) || fail(p, TREE_SYNTAX, text, "too big a number");
}

static bool number_read(struct parser *p, struct tree *ret)
{
    const char *text = p->at;
    ret->type = TREE_INTEGER;
    if (*p->at == '-')
        p->at++;
    const char *first = p->at;
    if (!digits_read(p))
        return false;
    if (*first == '0' && p->at - first > 1)
        return fail(p, TREE_SYNTAX, first, "a number that begins with 0");
    if (*p->at == '.') {
        ret->type = TREE_REAL;
        p->at++;
        if (!digits_read(p))
            return false;
    }
    if (*p->at == 'e' || *p->at == 'E') {
        ret->type = TREE_REAL;
        p->at++;
        if (*p->at == '+' || *p->at == '-')
            p->at++;
        if (!digits_read(p))
            return false;
    }
    ret->in.text = text;
    ret->len = (uint32_t)(p->at - text);
    return number_fits(p, text, ret->type);
}

static bool push(struct parser *p, const struct tree *value)
{
    struct tree_reader *reader = p->reader;
    if (reader->used == reader->cap) {
        size_t cap = reader->cap == 0 ? 256 : reader->cap * 2;
        struct tree *bigger = realloc(reader->stack, cap * sizeof *bigger);
        if (bigger == NULL)
            return fail(p, TREE_MEMORY, p->at, "out of memory");
        reader->stack = bigger;
        reader->cap = cap;
    }
    reader->stack[reader->used++] = *value;
    return true;
}

/* The values since `base` leave the stack. */
static bool close_list(struct parser *p, size_t base, struct tree *ret)
{
    struct tree_reader *reader = p->reader;
    const size_t count = reader->used - base;
    p->at++;
    p->depth--;
    ret->len = (uint32_t)count;
    ret->in.items = NULL;
    if (count == 0)
        return true;
    struct tree *items = arena_array(&reader->arena, count, sizeof *items);
    if (items == NULL)
        return fail(p, TREE_MEMORY, p->at, "out of memory");
    memcpy(items, reader->stack + base, count * sizeof *items);
    reader->used = base;
    ret->in.items = items;
    return true;
}

static bool same_key(const struct tree *a, const struct tree *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (; len >= 8; len -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    for (; len > 0; len--, bytes++)
        hash = (hash ^ *bytes) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 32) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

/* Many members: each key goes into a table of twice their number. */
static bool keys_differ_by_table(struct parser *p, const struct tree *object)
{
    size_t cap = 64;
    while (cap < (size_t)object->len * 2)
        cap *= 2;
    uint32_t *table = calloc(cap, sizeof *table);
    if (table == NULL)
        return fail(p, TREE_MEMORY, p->at, "out of memory");
    bool same = false;
    for (uint32_t i = 0; i < object->len && !same; i++) {
        const struct tree *member = &object->in.items[i];
        size_t at = (size_t)hash_bytes(0, member->key, member->key_len) & (cap - 1);
        while (table[at] != 0 && !(same = same_key(member, &object->in.items[table[at] - 1])))
            at = (at + 1) & (cap - 1);
        table[at] = i + 1;
    }
    free(table);
    return !same || fail(p, TREE_SYNTAX, p->at, "a key stands twice in one object");
}

static bool keys_differ(struct parser *p, const struct tree *object)
{
    if (object->len > PLAIN_KEYS_MAX)
        return keys_differ_by_table(p, object);
    for (uint32_t i = 1; i < object->len; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (same_key(&object->in.items[i], &object->in.items[k]))
                return fail(p, TREE_SYNTAX, p->at, "a key stands twice in one object");
        }
    }
    return true;
}

static bool value_read(struct parser *p, struct tree *ret);

static bool open_list(struct parser *p, struct tree *ret, enum tree_type type)
{
    ret->type = type;
    if (++p->depth > TREE_DEPTH_MAX)
        return fail(p, TREE_TOO_DEEP, p->at, "nested too deep");
    p->at++;
    skip_space(p);
    return true;
}

static bool list_read(struct parser *p, struct tree *ret)
{
    const size_t base = p->reader->used;
    if (!open_list(p, ret, TREE_LIST))
        return false;
    if (*p->at == ']')
        return close_list(p, base, ret);
    for (;;) {
        struct tree item = {0};
        if (!value_read(p, &item) || !push(p, &item))
            return false;
        skip_space(p);
        if (*p->at == ']')
            return close_list(p, base, ret);
        if (*p->at != ',')
            return fail_here(p, "neither a comma nor the end of the list");
        p->at++;
        skip_space(p);
    }
}

static bool object_read(struct parser *p, struct tree *ret)
{
    const size_t base = p->reader->used;
    if (!open_list(p, ret, TREE_OBJECT))
        return false;
    if (*p->at == '}')
        return close_list(p, base, ret);
    for (;;) {
        struct tree member = {0};
        const char *key;
        uint32_t key_len;
        bool key_plain;
        if (*p->at != '"')
            return fail_here(p, "a member without its key");
        if (!text_read(p, &key, &key_len, &key_plain))
            return false;
        skip_space(p);
        if (*p->at != ':')
            return fail_here(p, "a key without a colon");
        p->at++;
        skip_space(p);
        if (!value_read(p, &member))
            return false;
        member.key = key;
        member.key_len = key_len;
        member.key_plain = key_plain;
        if (!push(p, &member))
            return false;
        skip_space(p);
        if (*p->at == '}')
            return close_list(p, base, ret) && keys_differ(p, ret);
        if (*p->at != ',')
            return fail_here(p, "neither a comma nor the end of the object");
        p->at++;
        skip_space(p);
    }
}

static bool word_read(struct parser *p, struct tree *ret)
{
    static const struct {
        const char *word;
        size_t len;
        enum tree_type type;
    } words[] = {{"null", 4, TREE_NULL}, {"false", 5, TREE_FALSE}, {"true", 4, TREE_TRUE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((size_t)(p->end - p->at) >= words[i].len && memcmp(p->at, words[i].word, words[i].len) == 0) {
            p->at += words[i].len;
            ret->type = words[i].type;
            return true;
        }
    }
    return fail_here(p, "no value");
}

static bool value_read(struct parser *p, struct tree *ret)
{
    switch (*p->at) {
    case '{':
        return object_read(p, ret);
    case '[':
        return list_read(p, ret);
    case '"':
        ret->type = TREE_TEXT;
        return text_read(p, &ret->in.text, &ret->len, &ret->plain);
    default:
        return *p->at == '-' || (*p->at >= '0' && *p->at <= '9') ? number_read(p, ret) : word_read(p, ret);
    }
}

/* Lines and columns are counted only when somebody must be told. */
static void place_fault(const char *text, struct tree_fault *fault)
{
    fault->line = fault->column = 1;
    for (size_t i = 0; i < fault->at; i++) {
        fault->line += text[i] == '\n';
        fault->column = text[i] == '\n' ? 1 : fault->column + 1;
    }
}

const struct tree *tree_read(struct tree_reader *reader, const char *text, size_t len,
                             struct tree_fault *ret_fault)
{
    struct tree_fault fault = {.kind = TREE_MEMORY, .what = "out of memory"};
    arena_reset(&reader->arena);
    reader->used = 0;
    char *copy = len < UINT32_MAX / 2 ? arena_text(&reader->arena, text, len) : NULL;
    struct tree *root = arena_alloc(&reader->arena, sizeof *root);
    bool right = copy != NULL && root != NULL;
    if (right) {
        struct parser p = {.reader = reader, .start = copy, .at = copy, .end = copy + len, .fault = &fault};
        skip_space(&p);
        if (*p.at != '{' && *p.at != '[')
            right = fail_here(&p, "neither an object nor a list");
        else
            right = value_read(&p, root);
        if (right) {
            skip_space(&p);
            right = p.at == p.end || fail(&p, TREE_SYNTAX, p.at, "something behind the end");
        }
    }
    if (right)
        return root;
    place_fault(text, &fault);
    *ret_fault = fault;
    return NULL;
}

bool tree_is(const struct tree *value, enum tree_type type)
{
    return value != NULL && value->type == type;
}

const struct tree *tree_get(const struct tree *object, const char *key)
{
    if (!tree_is(object, TREE_OBJECT))
        return NULL;
    const size_t len = strlen(key);
    for (uint32_t i = 0; i < object->len; i++) {
        const struct tree *member = &object->in.items[i];
        if (member->key_len == len && memcmp(member->key, key, len) == 0)
            return member;
    }
    return NULL;
}

size_t tree_count(const struct tree *list)
{
    return tree_is(list, TREE_LIST) ? list->len : 0;
}

size_t tree_members(const struct tree *object)
{
    return tree_is(object, TREE_OBJECT) ? object->len : 0;
}

const struct tree *tree_at(const struct tree *list, size_t i)
{
    return i < tree_count(list) ? &list->in.items[i] : NULL;
}

const char *tree_text(const struct tree *value)
{
    return tree_is(value, TREE_TEXT) ? value->in.text : NULL;
}

double tree_number(const struct tree *value)
{
    return tree_is(value, TREE_INTEGER) || tree_is(value, TREE_REAL) ? strtod(value->in.text, NULL) : 0;
}

uint64_t tree_hash(const struct tree *value)
{
    uint64_t hash = (uint64_t)value->type + 1;
    if (value->type == TREE_TEXT)
        return hash_bytes(hash, value->in.text, value->len);
    if (value->type == TREE_INTEGER || value->type == TREE_REAL) {
        const double number = tree_number(value);
        return hash_bytes(TREE_REAL, &number, sizeof number); /* 1.0 is 1 */
    }
    for (size_t i = 0; i < tree_count(value) + tree_members(value); i++) {
        const struct tree *item = &value->in.items[i];
        uint64_t inner = tree_hash(item);
        if (value->type == TREE_LIST)
            hash = hash_bytes(hash, &inner, sizeof inner);
        else /* a sum: the order of keys does not matter */
            hash += hash_bytes(hash_bytes(1, item->key, item->key_len), &inner, sizeof inner);
    }
    return hash;
}
