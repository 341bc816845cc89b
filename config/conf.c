/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading and answering. A file is read whole (bounded), read as YAML, held against its schema, and only a
 * clean one becomes a struct conf for the caller.
 */
#include "config/conf.h"

#include "config/base/error.h"
#include "config/conf_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_LIMIT = 64 * 1024 * 1024 };

const struct conf_schema *const conf_schemas[] = {
    &conf_site,     &conf_machine,      &conf_timing, &conf_packing,
    &conf_clinical, &conf_jurisdiction, &conf_sync,   &conf_sig,
    &conf_scenario, &conf_orders_csv,   NULL};

/* The file's bytes (free() them); 0 or an error code. Devices and pipes are refused: they have no end. */
static int read_file(const char *file, unsigned char **ret_bytes, size_t *ret_len, struct error *err)
{
    unsigned char *bytes = NULL;
    size_t len = 0;
    struct stat st;
    int code;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be opened", file);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        code = error_set(err, E_FILE, "%s: is not an ordinary file, give the name of a YAML file", file);
        goto done;
    }
    bytes = malloc(CONF_BYTES_MAX + 1);
    if (!bytes) {
        code = error_set(err, E_MEMORY, "%s: out of memory", file);
        goto done;
    }
    while (len <= CONF_BYTES_MAX) {
        ssize_t n = read(fd, bytes + len, CONF_BYTES_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            code = error_set_errno(err, E_FILE, errno, "%s: cannot be read", file);
            goto done;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    code = 0;
    *ret_bytes = bytes;
    *ret_len = len;
    bytes = NULL;
done:
    free(bytes);
    (void)close(fd); /* read only: nothing can be lost */
    return code;
}

static struct conf *conf_create(const struct conf_schema *schema, const char *name, const void *bytes,
                                size_t len)
{
    struct conf *conf = calloc(1, sizeof *conf);
    if (!conf)
        return NULL;
    arena_init(&conf->arena, ARENA_LIMIT);
    const char *slash = strrchr(name, '/');
    unsigned char *copy = arena_alloc(&conf->arena, len + 1);
    conf->schema = schema;
    conf->name = arena_text(&conf->arena, name, strlen(name));
    conf->folder = slash == name ? "/" : slash ? arena_text(&conf->arena, name, (size_t)(slash - name)) : ".";
    if (!copy || !conf->name || !conf->folder) {
        conf_destroy(conf);
        return NULL;
    }
    if (len > 0)
        memcpy(copy, bytes, len);
    conf->bytes = copy;
    conf->len = len;
    return conf;
}

void conf_destroy(struct conf *conf)
{
    if (!conf)
        return;
    arena_finish(&conf->arena);
    free(conf);
}

static int finding_order(const void *a, const void *b)
{
    const struct conf_finding *x = a;
    const struct conf_finding *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Reads and checks conf; the findings are sorted by place. */
static struct conf_check *run_check(struct conf *conf)
{
    struct conf_check *check = calloc(1, sizeof *check);
    if (!check)
        return NULL;
    check->conf = conf;
    if (conf->len > CONF_BYTES_MAX) {
        conf_find(check, 1, 1, E_LIMIT, "the file is over 1 MiB, that is the limit, split it");
        return check;
    }
    conf_read_yaml(check);
    if (check->count == 0 && !check->no_memory)
        conf_check_tree(check);
    else if (conf->root) /* doubled keys, anchors: the rest can still be looked at */
        conf_check_tree(check);
    if (check->count == 0 && !check->no_memory && conf->root && conf->schema->check)
        conf->schema->check(conf, check);
    qsort(check->findings, (size_t)check->count, sizeof check->findings[0], finding_order);
    return check;
}

int conf_parse(const struct conf_schema *schema, const char *name, const void *bytes, size_t len,
               struct conf **ret_conf, struct error *err)
{
    struct conf *conf = conf_create(schema, name, bytes, len);
    struct conf_check *check = conf ? run_check(conf) : NULL;
    int code = 0;
    if (!check || check->no_memory) {
        code = error_set(err, E_MEMORY, "%s: out of memory", name);
    } else if (check->count > 0) {
        const struct conf_finding *first = &check->findings[0];
        code = error_set(err, first->code, "%s:%d:%d: %s", name, first->line, first->column, first->message);
    }
    free(check);
    if (code) {
        conf_destroy(conf);
        return code;
    }
    *ret_conf = conf;
    return 0;
}

int conf_load(const struct conf_schema *schema, const char *file, struct conf **ret_conf, struct error *err)
{
    unsigned char *bytes;
    size_t len;
    int code = read_file(file, &bytes, &len, err);
    if (code)
        return code;
    code = conf_parse(schema, file, bytes, len, ret_conf, err);
    free(bytes);
    return code;
}

int conf_check_bytes(const struct conf_schema *schema, const char *name, const void *bytes, size_t len,
                     conf_report *report, void *user)
{
    struct conf *conf = conf_create(schema, name, bytes, len);
    struct conf_check *check = conf ? run_check(conf) : NULL;
    int count = check ? check->count : 0;
    for (int i = 0; i < count; i++) {
        const struct conf_finding *f = &check->findings[i];
        report(user, name, f->line, f->column, f->code, f->message);
    }
    if (!check || check->no_memory) {
        report(user, name, 0, 0, E_MEMORY, "out of memory");
        count++;
    }
    free(check);
    conf_destroy(conf);
    return count;
}

int conf_check_file(const struct conf_schema *schema, const char *file, conf_report *report, void *user)
{
    unsigned char *bytes;
    size_t len;
    struct error err = {0};
    int code = read_file(file, &bytes, &len, &err);
    if (code) {
        /* The message begins with the file's name; the report says it itself. */
        size_t skip = strlen(file) + 2;
        report(user, file, 0, 0, code, strlen(err.message) > skip ? err.message + skip : err.message);
        return 1;
    }
    int count = conf_check_bytes(schema, file, bytes, len, report, user);
    free(bytes);
    return count;
}

/* The word behind a `format:` at the beginning of a line; false when there is none. */
static bool find_format(const unsigned char *bytes, size_t len, char *word, size_t size, int *ret_line)
{
    *ret_line = 0;
    static const char mark[] = "format:";
    for (size_t at = 0; at < len;) {
        ++*ret_line;
        const unsigned char *end = memchr(bytes + at, '\n', len - at);
        size_t stop = end ? (size_t)(end - bytes) : len;
        if (at == 0 && len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
            at = 3;
        if (stop > at && stop - at > sizeof mark - 1 && memcmp(bytes + at, mark, sizeof mark - 1) == 0) {
            size_t n = 0;
            for (size_t i = at + sizeof mark - 1; i < stop && n + 1 < size; i++) {
                if (bytes[i] == '#' || ((bytes[i] <= ' ' || bytes[i] == '"' || bytes[i] == '\'') && n > 0))
                    break;
                if (bytes[i] > ' ' && bytes[i] != '"' && bytes[i] != '\'')
                    word[n++] = (char)bytes[i];
            }
            word[n] = '\0';
            return n > 0;
        }
        at = stop + 1;
    }
    return false;
}

const struct conf_schema *conf_kind_of(const char *file, struct error *err)
{
    unsigned char *bytes;
    size_t len;
    char word[64];
    int line;
    char shown[CONF_SHOWN_BYTES];
    if (read_file(file, &bytes, &len, err))
        return NULL;
    bool found = find_format(bytes, len, word, sizeof word, &line);
    free(bytes);
    if (!found) {
        (void)error_set(err, E_VERSION,
                        "%s:1:1: no `format:` line, one like `format: sachet-site/1` is required, add it as "
                        "the first line",
                        file);
        return NULL;
    }
    struct conf_nearest nearest;
    conf_nearest_init(&nearest, word);
    for (int i = 0; conf_schemas[i]; i++) {
        const char *format = conf_schemas[i]->format;
        /* Another version is still this kind: the check says which version is read. */
        if (strncmp(format, word, strcspn(format, "/") + 1) == 0)
            return conf_schemas[i];
        conf_nearest_try(&nearest, format);
    }
    (void)error_set(err, E_VERSION, "%s:%d:1: format `%s` is not known%s%s%s", file, line,
                    conf_show(word, shown), nearest.best ? ", did you mean `" : ", look at the first line",
                    nearest.best ? nearest.best : "", nearest.best ? "`?" : "");
    return NULL;
}

/* The schema's form of a concrete path: "machines[12].host" is "machines[].host". */
static void schema_path(const char *path, char schema[CONF_PATH_MAX])
{
    size_t n = 0;
    for (const char *p = path; *p && n + 1 < CONF_PATH_MAX; p++) {
        if (p > path && p[-1] == '[') {
            while (*p >= '0' && *p <= '9')
                p++;
        }
        schema[n++] = *p;
    }
    schema[n] = '\0';
}

/* The row of a concrete path: of the list itself for an element of a scalar list. */
static const struct conf_key *row_of(const struct conf *conf, const char *path)
{
    char schema[CONF_PATH_MAX];
    schema_path(path, schema);
    const struct conf_key *row = conf_schema_row(conf->schema, schema);
    size_t len = strlen(schema);
    if (!row && len > 2 && strcmp(schema + len - 2, "[]") == 0) {
        schema[len - 2] = '\0';
        row = conf_schema_row(conf->schema, schema);
    }
    return row;
}

/* The node of a concrete path, or NULL when it is an optional key that is absent. */
static const struct conf_node *node_of(const struct conf *conf, const char *path)
{
    const struct conf_node *node = conf->root;
    const char *p = path;
    while (node && *p) {
        char word[CONF_PATH_MAX];
        size_t n = strcspn(p, ".[");
        memcpy(word, p, n);
        word[n] = '\0';
        node = conf_node_child(node, word);
        p += n;
        if (*p == '[' && node) {
            char *end;
            unsigned long index = strtoul(p + 1, &end, 10);
            assert(*end == ']' && node->kind == CONF_NODE_LIST && index < (unsigned long)node->count);
            node = node->items[index];
            p = end + 1;
        }
        if (*p == '.')
            p++;
    }
    return node;
}

#define FORMAT_PATH(path, format)                              \
    char path[CONF_PATH_MAX];                                  \
    do {                                                       \
        va_list args_;                                         \
        va_start(args_, format);                               \
        int n_ = vsnprintf(path, sizeof path, format, args_);  \
        va_end(args_);                                         \
        assert(n_ > 0 && n_ < (int)sizeof path);               \
        assert(row_of(conf, path)); /* a path of the schema */ \
    } while (0)

int64_t conf_int(const struct conf *conf, const char *format, ...)
{
    FORMAT_PATH(path, format);
    const struct conf_node *node = node_of(conf, path);
    assert(!node || node->kind == CONF_NODE_SCALAR);
    return node ? node->value : CONF_NONE;
}

bool conf_bool(const struct conf *conf, const char *format, ...)
{
    FORMAT_PATH(path, format);
    assert(row_of(conf, path)->type == CONF_BOOL);
    const struct conf_node *node = node_of(conf, path);
    return node && node->value != 0;
}

const char *conf_text(const struct conf *conf, const char *format, ...)
{
    FORMAT_PATH(path, format);
    const struct conf_node *node = node_of(conf, path);
    assert(!node || node->kind == CONF_NODE_SCALAR);
    return node ? node->text : "";
}

int conf_count(const struct conf *conf, const char *format, ...)
{
    FORMAT_PATH(path, format);
    const struct conf_node *node = node_of(conf, path);
    assert(!node || node->kind == CONF_NODE_LIST);
    return node ? node->count : 0;
}

bool conf_has(const struct conf *conf, const char *format, ...)
{
    FORMAT_PATH(path, format);
    const struct conf_node *node = node_of(conf, path);
    return node && node->given;
}

const void *conf_bytes(const struct conf *conf, size_t *ret_len)
{
    *ret_len = conf->len;
    return conf->bytes;
}

const char *conf_file(const struct conf *conf)
{
    return conf->name;
}

const char *conf_folder(const struct conf *conf)
{
    return conf->folder;
}

void conf_place(const struct conf *conf, char *text, size_t size, const char *format, ...)
{
    FORMAT_PATH(path, format);
    const struct conf_node *node = node_of(conf, path);
    if (!node)
        node = conf->root;
    (void)snprintf(text, size, "%s:%d:%d", conf->name, node->line, node->column);
}

void conf_fault(struct conf_check *check, const char *path, const char *format, ...)
{
    char text[CONF_MESSAGE_BYTES];
    const struct conf_node *node = node_of(check->conf, path);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* a cut tail is still a sentence */
    va_end(args);
    if (!node)
        node = check->conf->root;
    conf_find(check, node->line, node->column, E_INPUT, "%s", text);
}
