/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: one JSON text as values that lie in memory as they stand in the text, for the bulk of an import. It
 * takes exactly the texts that jansson takes with JSON_REJECT_DUPLICATES (an object or a list, strict UTF-8,
 * no NUL, no key twice, numbers that fit), and writes them again byte for byte as jansson does (JSON_COMPACT,
 * 15 digits): tests/fuzz/fuzz_tree.c compares the two. Why not jansson itself: it takes a call for each byte
 * and a block of memory for each value, which was most of the time of an import, and Debian 12 has no faster
 * library in C that keeps these promises. Whoever reads a few texts, or makes some, takes jansson.
 *
 * A struct tree_reader owns the memory; its values are valid until the next tree_read. Nothing blocks; one
 * thread a reader.
 */
#ifndef CONTROLLER_INTAKE_TREE_H
#define CONTROLLER_INTAKE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/base/arena.h"

struct buf;

enum { TREE_DEPTH_MAX = 64 };

enum tree_type {
    TREE_NULL,
    TREE_FALSE,
    TREE_TRUE,
    TREE_INTEGER,
    TREE_REAL,
    TREE_TEXT,
    TREE_LIST,
    TREE_OBJECT,
};

struct tree {
    enum tree_type type;
    bool plain;     /* TEXT: nothing in it was escaped, nor needs it */
    bool key_plain; /* the same of the key */
    uint32_t key_len;
    uint32_t len;    /* bytes of a text or number, values of a list or object */
    const char *key; /* NUL-ended, within an object; else NULL */
    union {
        const char *text;         /* TEXT: NUL-ended; INTEGER, REAL: as written, not ended */
        const struct tree *items; /* LIST, OBJECT */
    } in;
};

enum tree_fault_kind { TREE_SYNTAX, TREE_CUT_OFF, TREE_NOT_UTF8, TREE_TOO_DEEP, TREE_MEMORY };

struct tree_fault {
    enum tree_fault_kind kind;
    size_t at;        /* byte of the text */
    int line, column; /* of it, from 1; the column in bytes */
    const char *what; /* a constant text */
};

struct tree_reader {
    struct arena arena;
    struct tree *stack; /* values whose list or object is not yet closed */
    size_t used, cap;
};

void tree_reader_init(struct tree_reader *reader);
void tree_reader_finish(struct tree_reader *reader);
/* NULL with *ret_fault when the text is refused. */
const struct tree *tree_read(struct tree_reader *reader, const char *text, size_t len,
                             struct tree_fault *ret_fault);

/* NULL is allowed as a value everywhere, and has nothing in it. */
bool tree_is(const struct tree *value, enum tree_type type);
/* The member of an object, NULL when there is none. */
const struct tree *tree_get(const struct tree *object, const char *key);
/* Values of a list; members of an object; 0 for everything else. */
size_t tree_count(const struct tree *list);
size_t tree_members(const struct tree *object);
const struct tree *tree_at(const struct tree *list, size_t i);
/* NULL when it is no text. */
const char *tree_text(const struct tree *value);
/* 0 when it is no number. */
double tree_number(const struct tree *value);
/* A hash of the content that does not depend on the order of keys. */
uint64_t tree_hash(const struct tree *value);

/* Adds the value in one line. */
void tree_write(const struct tree *value, struct buf *out);
/* Adds a well-formed UTF-8 text as a JSON string. */
void tree_write_text(const char *text, size_t len, struct buf *out);

#endif
