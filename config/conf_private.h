/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of conf: the tree of one file, the findings of one check. Only config/conf*.c include this.
 *
 * conf_yaml.c turns bytes into nodes, conf_check.c holds them against the schema and fills values and
 * defaults in, conf_value.c reads one scalar, conf.c loads and answers. All memory of a file lies in its
 * arena.
 */
#ifndef CONFIG_CONF_PRIVATE_H
#define CONFIG_CONF_PRIVATE_H

#include "config/base/arena.h"
#include "config/conf.h"

enum {
    CONF_KEYS_MAX = 1000,     /* of one group, so that doubled keys are found in bounded time */
    CONF_FINDINGS_MAX = 1000, /* of one file; what comes after is not worth reading */
    CONF_MESSAGE_BYTES = 400,
    CONF_SHOWN_BYTES = 64, /* of a foreign text in a message */
};

enum conf_node_kind { CONF_NODE_SCALAR, CONF_NODE_MAP, CONF_NODE_LIST };

struct conf_node {
    enum conf_node_kind kind;
    bool given;  /* stands in the file */
    bool quoted; /* scalar in quotes or as a block */
    int line;    /* of the value, from 1 */
    int column;
    const char *key; /* in a map: its name and place */
    int key_line;
    int key_column;
    const char *text; /* scalar, NUL-ended; a file with its folder */
    size_t len;
    int64_t value; /* what conf_int gives */
    int count;     /* children */
    struct conf_node *first;
    struct conf_node *last;
    struct conf_node *next;
    struct conf_node **items; /* of a list: the children by index */
};

struct conf {
    const struct conf_schema *schema;
    struct arena arena;
    const char *name;
    const char *folder;
    const unsigned char *bytes;
    size_t len;
    struct conf_node *root;
};

struct conf_finding {
    int line;
    int column;
    int order; /* of discovery: keeps the sort stable */
    int code;
    const char *message;
};

struct conf_check {
    struct conf *conf;
    int count;
    bool no_memory;
    struct conf_finding findings[CONF_FINDINGS_MAX];
};

/* conf_check.c */
__attribute__((format(printf, 5, 6))) void conf_find(struct conf_check *check, int line, int column, int code,
                                                     const char *format, ...);
/* Zeroed memory of the file's arena; NULL notes it in check. */
void *conf_alloc(struct conf_check *check, size_t size);
struct conf_node *conf_node_new(struct conf_check *check, enum conf_node_kind kind);
void conf_node_append(struct conf_node *parent, struct conf_node *child);
struct conf_node *conf_node_child(const struct conf_node *map, const char *key);
/* False when the memory ran out. */
bool conf_node_index(struct conf_check *check, struct conf_node *list);
/* Holds the tree against the schema; values, defaults and lists are filled in. */
void conf_check_tree(struct conf_check *check);
const struct conf_key *conf_schema_row(const struct conf_schema *schema, const char *path);
/* True when row is a direct child of the group whose rows begin with prefix[0..len-1] ("" or "cycle."). */
bool conf_row_below(const struct conf_key *row, const char *prefix, size_t len);

/* conf_yaml.c: conf->bytes to conf->root; findings for what is not plain YAML. */
void conf_read_yaml(struct conf_check *check);

/* conf_value.c */
bool conf_type_is_list(enum conf_type type);
/* Type of one element of a scalar list; the type itself else. */
enum conf_type conf_type_element(enum conf_type type);
/* True for null, ~ and nothing, written without quotes. */
bool conf_value_null(const struct conf_node *node);
/* Reads one scalar. False: why[] says what it is, what is allowed and a hint. */
bool conf_value_read(const struct conf_key *key, const char *text, size_t len, bool quoted,
                     int64_t *ret_value, char why[CONF_MESSAGE_BYTES]);
/* "whole number 1..91 (days)", for messages and comments. */
void conf_value_allowed(const struct conf_key *key, struct buf *out);
/* A foreign text made fit for a one-line message: cut between characters, what is not printable as '?'. */
const char *conf_show(const char *text, char shown[CONF_SHOWN_BYTES]);
/* The nearest of count words to `word`, or NULL when none is near. */
struct conf_nearest {
    const char *word;
    const char *best;
    unsigned distance;
};
void conf_nearest_init(struct conf_nearest *nearest, const char *word);
void conf_nearest_try(struct conf_nearest *nearest, const char *candidate);

#endif
