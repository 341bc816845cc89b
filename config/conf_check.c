/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a file against the table of its format.
 *
 * One walk from the root: every child of a group is looked up in the table (unknown ones are findings with a
 * suggestion), then every row of the group is looked up among the children (missing ones are findings or get
 * their default). Groups that are absent get the defaults of their rows all the same, so that an accessor
 * finds a node for everything but optional keys without a default.
 */
#include "config/conf_private.h"

#include "config/base/error.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct place {
    char schema[CONF_PATH_MAX];   /* "machines[]." */
    char concrete[CONF_PATH_MAX]; /* "machines[1]." */
};

/* Paths of rows and of their items fit by CONF_PATH_MAX: rows are ours, and indexes have few digits. */
__attribute__((format(printf, 2, 3))) static void path_set(char path[CONF_PATH_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(path, CONF_PATH_MAX, format, args);
    va_end(args);
    assert(n >= 0 && n < CONF_PATH_MAX);
}

__attribute__((format(printf, 5, 0))) static void find_args(struct conf_check *check, int line, int column,
                                                            int code, const char *format, va_list args)
{
    char text[CONF_MESSAGE_BYTES];
    if (check->count >= CONF_FINDINGS_MAX)
        return;
    (void)vsnprintf(text, sizeof text, format, args); /* a cut tail is still a sentence */
    char *copy = arena_text(&check->conf->arena, text, strlen(text));
    if (!copy) {
        check->no_memory = true;
        return;
    }
    check->findings[check->count] = (struct conf_finding){
        .line = line, .column = column, .order = check->count, .code = code, .message = copy};
    check->count++;
}

void conf_find(struct conf_check *check, int line, int column, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    find_args(check, line, column, code, format, args);
    va_end(args);
}

void *conf_alloc(struct conf_check *check, size_t size)
{
    void *mem = arena_alloc(&check->conf->arena, size);
    if (!mem)
        check->no_memory = true;
    return mem;
}

struct conf_node *conf_node_new(struct conf_check *check, enum conf_node_kind kind)
{
    struct conf_node *node = conf_alloc(check, sizeof *node);
    if (node)
        node->kind = kind;
    return node;
}

void conf_node_append(struct conf_node *parent, struct conf_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

struct conf_node *conf_node_child(const struct conf_node *map, const char *key)
{
    for (struct conf_node *child = map->first; child; child = child->next) {
        if (child->key && strcmp(child->key, key) == 0)
            return child;
    }
    return NULL;
}

bool conf_node_index(struct conf_check *check, struct conf_node *list)
{
    list->items = arena_array(&check->conf->arena, (size_t)list->count, sizeof(struct conf_node *));
    if (!list->items) {
        check->no_memory = true;
        return false;
    }
    int i = 0;
    for (struct conf_node *child = list->first; child; child = child->next)
        list->items[i++] = child;
    return true;
}

const struct conf_key *conf_schema_row(const struct conf_schema *schema, const char *path)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->keys[i].path, path) == 0)
            return &schema->keys[i];
    }
    return NULL;
}

bool conf_row_below(const struct conf_key *row, const char *prefix, size_t len)
{
    return strncmp(row->path, prefix, len) == 0 && !strchr(row->path + len, '.');
}

static const char *last_word(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static void report_unknown(struct conf_check *check, const struct place *place, const struct conf_node *node)
{
    const struct conf_schema *schema = check->conf->schema;
    size_t len = strlen(place->schema);
    struct conf_nearest nearest;
    const char *elsewhere = NULL;
    char shown[CONF_SHOWN_BYTES];
    conf_nearest_init(&nearest, node->key);
    for (size_t i = 0; i < schema->count; i++) {
        if (conf_row_below(&schema->keys[i], place->schema, len))
            conf_nearest_try(&nearest, schema->keys[i].path + len);
        else if (!elsewhere && strcmp(last_word(schema->keys[i].path), node->key) == 0)
            elsewhere = schema->keys[i].path;
    }
    conf_show(node->key, shown);
    if (nearest.best && !(elsewhere && nearest.distance > 1))
        conf_find(check, node->key_line, node->key_column, E_INPUT, "unknown key `%s%s`, did you mean `%s`?",
                  place->concrete, shown, nearest.best);
    else if (elsewhere)
        conf_find(check, node->key_line, node->key_column, E_INPUT,
                  "unknown key `%s%s`, there is `%s`, mind the indentation", place->concrete, shown,
                  elsewhere);
    else
        conf_find(check, node->key_line, node->key_column, E_INPUT,
                  "unknown key `%s%s`, only the keys of %s are allowed, delete it", place->concrete, shown,
                  schema->format);
}

static const char *kind_name(const struct conf_node *node)
{
    if (node->kind == CONF_NODE_MAP)
        return "a group of keys";
    if (node->kind == CONF_NODE_LIST)
        return "a list";
    return node->len == 0 && !node->quoted ? "nothing" : "a single value";
}

static bool expect_kind(struct conf_check *check, const char *path, const struct conf_node *node,
                        enum conf_node_kind kind)
{
    static const char *const wanted[] = {
        [CONF_NODE_SCALAR] = "a single value behind the colon",
        [CONF_NODE_MAP] = "a group of indented keys",
        [CONF_NODE_LIST] = "a list, [a, b] or lines that begin with `- `",
    };
    if (node->kind == kind)
        return true;
    conf_find(check, node->line, node->column, E_INPUT, "`%s` is %s, allowed: %s", path, kind_name(node),
              wanted[kind]);
    return false;
}

/* Puts the folder of the file that names it before a relative file. */
static void resolve_file(struct conf_check *check, struct conf_node *node)
{
    const char *folder = check->conf->folder;
    if (node->text[0] == '/' || strcmp(folder, ".") == 0)
        return;
    size_t len = strlen(folder);
    char *path = conf_alloc(check, len + node->len + 2);
    if (!path)
        return;
    memcpy(path, folder, len);
    path[len] = '/';
    memcpy(path + len + 1, node->text, node->len + 1);
    node->text = path;
    node->len += len + 1;
}

static void check_scalar(struct conf_check *check, const struct conf_key *row, const char *path,
                         struct conf_node *node)
{
    char why[CONF_MESSAGE_BYTES];
    if (!expect_kind(check, path, node, CONF_NODE_SCALAR))
        return;
    if (row->nullable && conf_value_null(node)) {
        node->text = "";
        node->len = 0;
        node->value = CONF_NONE;
        return;
    }
    if (!conf_value_read(row, node->text, node->len, node->quoted, &node->value, why)) {
        conf_find(check, node->line, node->column, E_INPUT, "`%s`: %s", path, why);
        return;
    }
    if (conf_type_element(row->type) == CONF_FILE)
        resolve_file(check, node);
}

static void check_group(struct conf_check *check, const struct place *place, struct conf_node *map);

static void check_unique(struct conf_check *check, const struct conf_key *row, const struct place *place,
                         const struct conf_node *list)
{
    const char *key = last_word(row->path);
    for (const struct conf_node *a = list->first; a; a = a->next) {
        const struct conf_node *value = a->kind == CONF_NODE_MAP ? conf_node_child(a, key) : NULL;
        if (!value || !value->given || value->kind != CONF_NODE_SCALAR)
            continue;
        for (const struct conf_node *b = list->first; b != a; b = b->next) {
            const struct conf_node *other = b->kind == CONF_NODE_MAP ? conf_node_child(b, key) : NULL;
            if (!other || other->kind != CONF_NODE_SCALAR || strcmp(other->text, value->text) != 0)
                continue;
            char shown[CONF_SHOWN_BYTES];
            conf_find(check, value->line, value->column, E_INPUT,
                      "`%.*s`: `%s` is the %s of line %d already, each item needs its own",
                      (int)(strlen(place->concrete) - 1), place->concrete, conf_show(value->text, shown), key,
                      other->line);
            break;
        }
    }
}

static void check_list(struct conf_check *check, const struct conf_key *row, const char *path,
                       struct conf_node *list)
{
    int most = row->items_max ? row->items_max : CONF_LIST_MAX;
    if (!expect_kind(check, path, list, CONF_NODE_LIST))
        return;
    if (list->count < row->items_min || list->count > most) {
        conf_find(check, list->line, list->column, list->count > most ? E_LIMIT : E_INPUT,
                  "`%s` has %d items, allowed: %d to %d", path, list->count, row->items_min, most);
        return;
    }
    int i = 0;
    for (struct conf_node *child = list->first; child; child = child->next, i++) {
        struct place place;
        path_set(place.concrete, "%s[%d].", path, i);
        path_set(place.schema, "%s[].", row->path);
        if (row->type == CONF_MAPS) {
            char item[CONF_PATH_MAX];
            path_set(item, "%.*s", (int)strlen(place.concrete) - 1, place.concrete);
            if (expect_kind(check, item, child, CONF_NODE_MAP))
                check_group(check, &place, child);
        } else {
            place.concrete[strlen(place.concrete) - 1] = '\0';
            check_scalar(check, row, place.concrete, child);
        }
    }
    if (row->type != CONF_MAPS)
        return;
    struct place place;
    path_set(place.concrete, "%s.", path);
    path_set(place.schema, "%s[].", row->path);
    size_t len = strlen(place.schema);
    for (size_t k = 0; k < check->conf->schema->count; k++) {
        const struct conf_key *below = &check->conf->schema->keys[k];
        if (below->unique && conf_row_below(below, place.schema, len))
            check_unique(check, below, &place, list);
    }
}

static void check_value(struct conf_check *check, const struct conf_key *row, const struct place *place,
                        struct conf_node *node)
{
    char path[CONF_PATH_MAX];
    if (row->type == CONF_ANY)
        return;
    path_set(path, "%s%s", place->concrete, last_word(row->path));
    if (row->type == CONF_MAP) {
        struct place below;
        if (!expect_kind(check, path, node, CONF_NODE_MAP))
            return;
        path_set(below.schema, "%s.", row->path);
        path_set(below.concrete, "%s.", path);
        check_group(check, &below, node);
    } else if (row->type == CONF_MAPS || conf_type_is_list(row->type)) {
        check_list(check, row, path, node);
    } else {
        check_scalar(check, row, path, node);
    }
}

/* "[a, b]" as list items. Presets are ours and simple: no quotes, no comma inside an item. */
static bool preset_items(struct conf_check *check, const char *preset, struct conf_node *list)
{
    assert(preset[0] == '[');
    const char *p = preset + 1;
    while (*p && *p != ']') {
        size_t skip = strspn(p, " ,");
        p += skip;
        size_t len = strcspn(p, ",]");
        if (len == 0)
            break;
        struct conf_node *item = conf_node_new(check, CONF_NODE_SCALAR);
        if (!item)
            return false;
        item->text = arena_text(&check->conf->arena, p, len);
        item->len = len;
        if (!item->text) {
            check->no_memory = true;
            return false;
        }
        conf_node_append(list, item);
        p += len;
    }
    return conf_node_index(check, list);
}

/* The node of a key that is not in the file: default, empty list, or group of defaults. NULL: nothing to
 * add. */
static struct conf_node *default_node(struct conf_check *check, const struct conf_key *row)
{
    bool list = row->type == CONF_MAPS || conf_type_is_list(row->type);
    if (!list && row->type != CONF_MAP && !row->preset)
        return NULL;
    struct conf_node *node = conf_node_new(check, list                    ? CONF_NODE_LIST
                                                  : row->type == CONF_MAP ? CONF_NODE_MAP
                                                                          : CONF_NODE_SCALAR);
    if (!node)
        return NULL;
    if (list)
        return preset_items(check, row->preset ? row->preset : "[]", node) ? node : NULL;
    if (row->type != CONF_MAP) {
        node->text = row->preset;
        node->len = strlen(row->preset);
        node->quoted = row->type == CONF_TEXT; /* an empty one is a value */
    }
    return node;
}

static void report_missing(struct conf_check *check, const struct place *place, const struct conf_key *row,
                           const struct conf_node *map)
{
    conf_find(check, map->line, map->column, E_INPUT, "`%s%s` is missing and required, add `%s: %s`",
              place->concrete, last_word(row->path), last_word(row->path), row->example ? row->example : "…");
}

static void check_group(struct conf_check *check, const struct place *place, struct conf_node *map)
{
    const struct conf_schema *schema = check->conf->schema;
    size_t len = strlen(place->schema);
    int children = map->count;
    struct conf_node *child = map->first;
    for (int i = 0; i < children; i++, child = child->next) {
        char path[CONF_PATH_MAX];
        int n = snprintf(path, sizeof path, "%s%s", place->schema, child->key);
        const struct conf_key *row =
            n < (int)sizeof path && !strpbrk(child->key, ".[]") ? conf_schema_row(schema, path) : NULL;
        if (len == 0 && strcmp(child->key, "format") == 0)
            continue;
        if (row)
            check_value(check, row, place, child);
        else
            report_unknown(check, place, child);
    }
    for (size_t i = 0; i < schema->count && !check->no_memory; i++) {
        const struct conf_key *row = &schema->keys[i];
        if (!conf_row_below(row, place->schema, len) || conf_node_child(map, row->path + len))
            continue;
        if (row->required && map->given) {
            report_missing(check, place, row, map);
            continue;
        }
        struct conf_node *node = default_node(check, row);
        if (!node)
            continue;
        node->key = row->path + len;
        node->line = map->line;
        node->column = map->column;
        conf_node_append(map, node);
        int before = check->count;
        if (row->type == CONF_MAP || row->preset)
            check_value(check, row, place, node);
        assert(check->count == before || check->no_memory); /* our presets keep our own ranges */
    }
}

/* True when the file is of our format and version; else one finding, and nothing more is worth saying. */
static bool check_format(struct conf_check *check)
{
    const struct conf_node *root = check->conf->root;
    const char *ours = check->conf->schema->format;
    const char *slash = strrchr(ours, '/');
    char shown[CONF_SHOWN_BYTES];
    if (root->kind != CONF_NODE_MAP) {
        conf_find(check, root->line, root->column, E_SYNTAX,
                  "the file is %s, allowed: lines `key: value`, beginning with `format: %s`", kind_name(root),
                  ours);
        return false;
    }
    const struct conf_node *format = conf_node_child(root, "format");
    if (!format) {
        conf_find(check, root->line, root->column, E_VERSION,
                  "no `format:` line, required: `format: %s`, add it as the first line", ours);
        return false;
    }
    if (format->kind == CONF_NODE_SCALAR && strcmp(format->text, ours) == 0)
        return true;
    bool kin =
        format->kind == CONF_NODE_SCALAR && strncmp(format->text, ours, (size_t)(slash - ours) + 1) == 0;
    conf_find(check, format->line, format->column, E_VERSION, "format is `%s`, allowed: %s, %s",
              format->kind == CONF_NODE_SCALAR ? conf_show(format->text, shown) : kind_name(format), ours,
              kin ? "this version of the program reads no other version" : "this is another kind of file");
    return false;
}

void conf_check_tree(struct conf_check *check)
{
    static const struct place top = {.schema = "", .concrete = ""};
    if (check->conf->root && check_format(check))
        check_group(check, &top, check->conf->root);
}
