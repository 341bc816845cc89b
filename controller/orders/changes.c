/* SPDX-License-Identifier: Apache-2.0 */
/* What one version of an order says and the one before did not. */
#include "controller/orders/exceptions.h"

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/store/store.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 200, PATH_BYTES = 512 };

struct words {
    int count;
    const char *text[WORDS_MAX];
    size_t len[WORDS_MAX];
};

static void split(const char *text, struct words *ret)
{
    ret->count = 0;
    for (const char *p = text; *p != '\0' && ret->count < WORDS_MAX;) {
        size_t len = strcspn(p, " ");
        if (len > 0) {
            ret->text[ret->count] = p;
            ret->len[ret->count++] = len;
        }
        p += len;
        p += *p == ' ';
    }
}

static bool same_word(const struct words *a, int i, const struct words *b, int j)
{
    return a->len[i] == b->len[j] && memcmp(a->text[i], b->text[j], a->len[i]) == 0;
}

/* "take [-1-] {+2+} tablets": the longest common run of words stays. */
static void write_words(const char *old_text, const char *new_text, struct buf *out)
{
    struct words *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    int(*common)[WORDS_MAX + 1] = calloc(WORDS_MAX + 1, sizeof *common);
    if (a == NULL || b == NULL || common == NULL) {
        buf_printf(out, "%s -> %s", old_text, new_text);
    } else {
        split(old_text, a);
        split(new_text, b);
        for (int i = a->count - 1; i >= 0; i--) {
            for (int j = b->count - 1; j >= 0; j--)
                common[i][j] = same_word(a, i, b, j)                 ? common[i + 1][j + 1] + 1
                               : common[i + 1][j] > common[i][j + 1] ? common[i + 1][j]
                                                                     : common[i][j + 1];
        }
        for (int i = 0, j = 0; i < a->count || j < b->count;) {
            const char *space = i + j > 0 ? " " : "";
            if (i < a->count && j < b->count && same_word(a, i, b, j)) {
                buf_printf(out, "%s%.*s", space, (int)a->len[i], a->text[i]);
                i++;
                j++;
            } else if (i < a->count && (j == b->count || common[i + 1][j] >= common[i][j + 1])) {
                buf_printf(out, "%s[-%.*s-]", space, (int)a->len[i], a->text[i]);
                i++;
            } else {
                buf_printf(out, "%s{+%.*s+}", space, (int)b->len[j], b->text[j]);
                j++;
            }
        }
    }
    free(a);
    free(b);
    free(common);
}

static void write_leaf(const json_t *value, struct buf *out)
{
    if (json_is_string(value)) {
        buf_text(out, json_string_value(value));
        return;
    }
    char *text =
        value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
    buf_text(out, text != NULL ? text : "(nothing)");
    free(text);
}

static void compare(const char *path, const json_t *before, const json_t *after, struct buf *out);

static void compare_objects(const char *path, const json_t *before, const json_t *after, struct buf *out)
{
    const char *key;
    json_t *value;
    char inner[PATH_BYTES];
    json_object_foreach((json_t *)(uintptr_t)before, key, value)
    {
        (void)snprintf(inner, sizeof inner, "%s%s%s", path, path[0] ? "." : "", key);
        compare(inner, value, json_object_get(after, key), out);
    }
    json_object_foreach((json_t *)(uintptr_t)after, key, value)
    {
        (void)snprintf(inner, sizeof inner, "%s%s%s", path, path[0] ? "." : "", key);
        if (json_object_get(before, key) == NULL)
            compare(inner, NULL, value, out);
    }
}

static void compare(const char *path, const json_t *before, const json_t *after, struct buf *out)
{
    if (before != NULL && after != NULL && json_equal(before, after))
        return;
    if ((before == NULL || json_is_object(before)) && (after == NULL || json_is_object(after))) {
        compare_objects(path, before, after, out);
    } else if ((before == NULL || json_is_array(before)) && (after == NULL || json_is_array(after))) {
        size_t count = json_array_size(before) > json_array_size(after) ? json_array_size(before)
                                                                        : json_array_size(after);
        for (size_t i = 0; i < count; i++) {
            char inner[PATH_BYTES];
            (void)snprintf(inner, sizeof inner, "%s[%zu]", path, i);
            compare(inner, json_array_get(before, i), json_array_get(after, i), out);
        }
    } else {
        buf_printf(out, "%s: ", path);
        const char *old_text = json_string_value(before), *new_text = json_string_value(after);
        if (old_text != NULL && new_text != NULL &&
            (strchr(old_text, ' ') != NULL || strchr(new_text, ' ') != NULL)) {
            write_words(old_text, new_text, out);
        } else {
            write_leaf(before, out);
            buf_text(out, " -> ");
            write_leaf(after, out);
        }
        buf_char(out, '\n');
    }
}

int exception_changes(struct store *store, const char *order, struct buf *out, struct error *err)
{
    struct store_rows *rows = NULL;
    json_t *versions[2] = {NULL, NULL}; /* the newest first */
    int rc = store_query(
        store, &rows, err,
        "SELECT original FROM order_version AS o WHERE source_id = ? AND version IN (SELECT "
        "min(version) FROM order_version WHERE source_id = o.source_id GROUP BY content_hash) ORDER "
        "BY version DESC LIMIT 2",
        "t", order);
    int more = 0;
    for (int i = 0; rc == 0 && i < 2 && (more = store_next(rows, err)) > 0; i++)
        versions[i] = json_loads(store_text(rows, 0), 0, NULL);
    store_done(rows);
    if (rc == 0 && more >= 0 && versions[0] == NULL)
        rc = error_set(err, E_NOT_FOUND, "there is no order %s", order);
    else if (rc == 0 && more >= 0 && versions[1] != NULL)
        compare("", versions[1], versions[0], out);
    json_decref(versions[0]);
    json_decref(versions[1]);
    return rc < 0 ? rc : more < 0 ? more : 0;
}
