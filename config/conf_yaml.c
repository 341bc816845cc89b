/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that knows libyaml: bytes in, a tree of nodes out.
 *
 * Only the plain part of YAML is taken: one document, mappings with scalar keys, sequences, scalars. Anchors,
 * aliases and tags are refused, because they make a file mean something else than what stands at the place
 * that a person reads. UTF-8 is checked before libyaml sees the bytes, since libyaml would otherwise guess
 * UTF-16 and its own message has no line.
 */
#include "config/conf_private.h"

#include "config/base/error.h"
#include "config/base/utf8.h"

#include <string.h>
#include <yaml.h>

struct reader {
    struct conf_check *check;
    yaml_parser_t parser;
    yaml_event_t event;
    bool have_event;
    bool stopped; /* no further event makes sense */
    int nodes;
};

/* Line and column (in characters, from 1) of a byte offset. */
static void place_of(const struct conf *conf, size_t offset, int *ret_line, int *ret_column)
{
    int line = 1;
    int column = 1;
    for (size_t i = 0; i < offset && i < conf->len; i++) {
        unsigned char c = conf->bytes[i];
        if (c == '\n') {
            line++;
            column = 1;
        } else if ((c & 0xC0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

static bool check_utf8(struct conf_check *check)
{
    const struct conf *conf = check->conf;
    for (size_t i = 0; i < conf->len;) {
        uint32_t c;
        size_t n = utf8_next((const char *)conf->bytes + i, conf->len - i, &c);
        if (n == 0) {
            int line;
            int column;
            place_of(conf, i, &line, &column);
            conf_find(check, line, column, E_SYNTAX,
                      "byte 0x%02X is not UTF-8, only UTF-8 is allowed, save the file as UTF-8",
                      conf->bytes[i]);
            return false;
        }
        i += n;
    }
    return true;
}

static int mark_line(const yaml_mark_t *mark)
{
    return (int)mark->line + 1;
}

static int mark_column(const yaml_mark_t *mark)
{
    return (int)mark->column + 1;
}

static void report_parser_error(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const struct conf *conf = reader->check->conf;
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    if (parser->error == YAML_MEMORY_ERROR) {
        reader->check->no_memory = true;
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        int line;
        int column;
        place_of(conf, parser->problem_offset, &line, &column);
        conf_find(reader->check, line, column, E_SYNTAX,
                  "%s, only printable characters, spaces and line ends are allowed, delete it", problem);
        return;
    }
    const yaml_mark_t *mark = &parser->problem_mark;
    const char *hint = "check indentation, colons and quotes here and on the line before";
    if (mark->index < conf->len && parser->problem_mark.column < conf->len) {
        /* libyaml counts characters, so look for the tab by line and column. */
        size_t at = 0;
        for (size_t line = 0; line < mark->line && at < conf->len; at++)
            line += conf->bytes[at] == '\n';
        size_t end = at + mark->column;
        for (size_t i = at; i <= end && i < conf->len && conf->bytes[i] != '\n'; i++) {
            if (conf->bytes[i] == '\t')
                hint = "there is a tab on this line, indent with spaces only";
        }
    }
    conf_find(reader->check, mark_line(mark), mark_column(mark), E_SYNTAX, "not YAML: %s%s%s, %s",
              parser->context ? parser->context : "", parser->context ? ", " : "", problem, hint);
}

/* Makes the next event current; false at the end or on an error (reported). */
static bool next_event(struct reader *reader)
{
    if (reader->stopped)
        return false;
    if (reader->have_event)
        yaml_event_delete(&reader->event);
    reader->have_event = false;
    if (!yaml_parser_parse(&reader->parser, &reader->event)) {
        report_parser_error(reader);
        reader->stopped = true;
        return false;
    }
    reader->have_event = true;
    return true;
}

static bool stop(struct reader *reader, int code, const char *what)
{
    const yaml_mark_t *mark = &reader->event.start_mark;
    conf_find(reader->check, mark_line(mark), mark_column(mark), code, "%s", what);
    reader->stopped = true;
    return false;
}

static void refuse_decoration(struct reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    const yaml_mark_t *mark = &reader->event.start_mark;
    char shown[CONF_SHOWN_BYTES];
    if (anchor)
        conf_find(reader->check, mark_line(mark), mark_column(mark), E_SYNTAX,
                  "anchor &%s, anchors are not allowed, write the value out at each place",
                  conf_show((const char *)anchor, shown));
    if (tag)
        conf_find(reader->check, mark_line(mark), mark_column(mark), E_SYNTAX,
                  "tag %s, tags are not allowed, delete it", conf_show((const char *)tag, shown));
}

static struct conf_node *read_node(struct reader *reader, int depth);

/* The current event as a key of map: its text, or NULL (reported). */
static const char *read_key(struct reader *reader, const struct conf_node *map)
{
    struct conf_check *check = reader->check;
    const yaml_mark_t *mark = &reader->event.start_mark;
    if (reader->event.type != YAML_SCALAR_EVENT) {
        (void)stop(reader, E_SYNTAX, "a list or group as a key, only plain words are allowed");
        return NULL;
    }
    if (map->count >= CONF_KEYS_MAX) {
        (void)stop(reader, E_LIMIT, "more than 1000 keys in one group, split the file");
        return NULL;
    }
    refuse_decoration(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    const char *text = (const char *)reader->event.data.scalar.value;
    size_t len = reader->event.data.scalar.length;
    char *key = arena_text(&check->conf->arena, text, len);
    if (!key) {
        check->no_memory = true;
        reader->stopped = true;
        return NULL;
    }
    if (strlen(key) != len) {
        (void)stop(reader, E_SYNTAX, "a key with a NUL character in it, only plain words are allowed");
        return NULL;
    }
    const struct conf_node *earlier = conf_node_child(map, key);
    char shown[CONF_SHOWN_BYTES];
    if (earlier)
        conf_find(check, mark_line(mark), mark_column(mark), E_INPUT,
                  "key `%s` stands here again, once is allowed, delete it here or in line %d",
                  conf_show(key, shown), earlier->key_line);
    return key;
}

static struct conf_node *read_map(struct reader *reader, struct conf_node *map, int depth)
{
    refuse_decoration(reader, reader->event.data.mapping_start.anchor, reader->event.data.mapping_start.tag);
    while (next_event(reader) && reader->event.type != YAML_MAPPING_END_EVENT) {
        int line = mark_line(&reader->event.start_mark);
        int column = mark_column(&reader->event.start_mark);
        const char *key = read_key(reader, map);
        if (!key || !next_event(reader))
            return NULL;
        struct conf_node *child = read_node(reader, depth + 1);
        if (!child)
            return NULL;
        child->key = key;
        child->key_line = line;
        child->key_column = column;
        conf_node_append(map, child);
    }
    return reader->stopped ? NULL : map;
}

static struct conf_node *read_list(struct reader *reader, struct conf_node *list, int depth)
{
    refuse_decoration(reader, reader->event.data.sequence_start.anchor,
                      reader->event.data.sequence_start.tag);
    while (next_event(reader) && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        struct conf_node *child = read_node(reader, depth + 1);
        if (!child)
            return NULL;
        conf_node_append(list, child);
    }
    if (reader->stopped || !conf_node_index(reader->check, list))
        return NULL;
    return list;
}

static struct conf_node *read_scalar(struct reader *reader, struct conf_node *node)
{
    refuse_decoration(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    node->quoted = reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->len = reader->event.data.scalar.length;
    node->text =
        arena_text(&reader->check->conf->arena, (const char *)reader->event.data.scalar.value, node->len);
    if (!node->text) {
        reader->check->no_memory = true;
        return NULL;
    }
    return node;
}

/* The node that begins with the current event; NULL when reading must end (reported). */
static struct conf_node *read_node(struct reader *reader, int depth)
{
    yaml_event_type_t type = reader->event.type;
    if (depth > CONF_DEPTH_MAX) {
        (void)stop(reader, E_LIMIT, "more than 16 levels deep, 16 are allowed");
        return NULL;
    }
    if (++reader->nodes > CONF_NODES_MAX) {
        (void)stop(reader, E_LIMIT, "more than 100000 values in one file, split it");
        return NULL;
    }
    struct conf_node *node =
        conf_node_new(reader->check, type == YAML_MAPPING_START_EVENT    ? CONF_NODE_MAP
                                     : type == YAML_SEQUENCE_START_EVENT ? CONF_NODE_LIST
                                                                         : CONF_NODE_SCALAR);
    if (!node)
        return NULL;
    node->given = true;
    node->line = mark_line(&reader->event.start_mark);
    node->column = mark_column(&reader->event.start_mark);
    if (type == YAML_MAPPING_START_EVENT)
        return read_map(reader, node, depth);
    if (type == YAML_SEQUENCE_START_EVENT)
        return read_list(reader, node, depth);
    if (type == YAML_SCALAR_EVENT)
        return read_scalar(reader, node);
    (void)stop(reader, E_SYNTAX, "an alias (*), aliases are not allowed, write the value out at each place");
    return NULL;
}

static void read_stream(struct reader *reader)
{
    struct conf_check *check = reader->check;
    if (!next_event(reader) || !next_event(reader)) /* stream start; document start or stream end */
        return;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        conf_find(check, 1, 1, E_SYNTAX, "the file is empty, a line `format: %s` and its keys are expected",
                  check->conf->schema->format);
        return;
    }
    if (!next_event(reader))
        return;
    struct conf_node *root = read_node(reader, 1);
    if (!root)
        return;
    check->conf->root = root;
    if (!next_event(reader) || !next_event(reader)) /* document end; what follows */
        return;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        (void)stop(reader, E_SYNTAX, "a second document begins here, one is allowed, make two files of it");
}

void conf_read_yaml(struct conf_check *check)
{
    if (!check_utf8(check))
        return;
    struct reader reader = {.check = check};
    if (!yaml_parser_initialize(&reader.parser)) {
        check->no_memory = true;
        return;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    /* With the encoding set libyaml takes a byte order mark for text. */
    size_t skip = check->conf->len >= 3 && memcmp(check->conf->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    yaml_parser_set_input_string(&reader.parser, check->conf->bytes + skip, check->conf->len - skip);
    read_stream(&reader);
    if (reader.have_event)
        yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
}
