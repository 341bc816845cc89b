/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as JSON, read by tree and by jansson. They take the same texts, and what is
 * taken is written again to the same bytes; nothing else differs either: types, counts, numbers.
 *
 * Build with -Dfuzz=true (clang); the unit suite replays tests/fuzz/tree.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/base/buf.h"
#include "controller/intake/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* jansson goes deeper; brackets beyond the limit are counted as it would meet them. */
static bool deeper(const json_t *value, int depth)
{
    const char *key;
    json_t *child;
    size_t i;
    if (!json_is_array(value) && !json_is_object(value))
        return false;
    if (depth > TREE_DEPTH_MAX)
        return true;
    json_array_foreach(value, i, child)
    {
        if (deeper(child, depth + 1))
            return true;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, child)
    {
        (void)key;
        if (deeper(child, depth + 1))
            return true;
    }
    return false;
}

static void compare(const struct tree *value, const json_t *other)
{
    static const json_type types[] = {JSON_NULL, JSON_FALSE,  JSON_TRUE,  JSON_INTEGER,
                                      JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT};
    assert(types[value->type] == json_typeof(other));
    if (json_is_number(other))
        assert(tree_number(value) == json_number_value(other));
    if (json_is_string(other))
        assert(strcmp(tree_text(value), json_string_value(other)) == 0);
    for (size_t i = 0; i < tree_count(value) + tree_members(value); i++) {
        const struct tree *item = &value->in.items[i];
        if (json_is_object(other)) {
            assert(tree_get(value, item->key) == item);
            compare(item, json_object_get(other, item->key));
        } else {
            compare(item, json_array_get(other, i));
        }
    }
    assert(tree_count(value) == json_array_size(other) && tree_members(value) == json_object_size(other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tree_reader reader; /* for the life of the process, as an import keeps it */
    static bool made;
    const char *text = (const char *)data;
    struct tree_fault fault = {0};
    if (!made)
        tree_reader_init(&reader);
    made = true;
    const struct tree *tree = tree_read(&reader, text, size, &fault);
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (tree == NULL) {
        assert(fault.what != NULL && fault.line >= 1 && fault.column >= 1 && fault.at <= size);
        /* jansson reads over a NUL byte behind a number or word. */
        assert(root == NULL || (fault.kind == TREE_TOO_DEEP && deeper(root, 1)) ||
               memchr(text, '\0', size) != NULL);
    } else {
        assert(root != NULL);
        compare(tree, root);
        (void)tree_hash(tree);
        char *dump = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
        struct buf out;
        buf_init(&out);
        tree_write(tree, &out);
        assert(dump != NULL && strcmp(dump, buf_string(&out)) == 0);
        buf_finish(&out);
        free(dump);
    }
    json_decref(root);
    return 0;
}
