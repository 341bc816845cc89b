/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/request_memory.h"

#include <jansson.h>
#include <string.h>

#include "config/base/error.h"

void request_memory_init(struct request_memory *memory)
{
    tree_reader_init(&memory->medications);
    buf_init(&memory->original);
    buf_init(&memory->key);
    memo_init(&memory->drugs, sizeof(struct request_drug_known));
    memo_init(&memory->dosages, sizeof(struct request_dosage_known));
    memo_init(&memory->products, sizeof(struct request_product_known));
}

void request_memory_finish(struct request_memory *memory)
{
    tree_reader_finish(&memory->medications);
    buf_finish(&memory->original);
    buf_finish(&memory->key);
    memo_finish(&memory->drugs);
    memo_finish(&memory->dosages);
    memo_finish(&memory->products);
}

void request_memory_settle(struct request_memory *memory)
{
    memo_reset(&memory->drugs);
    memo_reset(&memory->dosages);
}

static void add_part(struct buf *key, const char *name, const struct tree *value)
{
    if (value == NULL)
        return;
    buf_printf(key, "%c\"%s\":", key->len > 0 ? ',' : '{', name);
    tree_write(value, key);
}

void request_memory_drug_key(struct request_memory *memory, const struct tree *request,
                             const struct tree *medication)
{
    struct buf *key = &memory->key;
    buf_reset(key);
    add_part(key, "medication", medication);
    if (medication == NULL)
        add_part(key, "concept", tree_get(request, "medicationCodeableConcept"));
    add_part(key, "reference", tree_get(request, "medicationReference"));
}

/* jansson reads the parts once more: the readers of dosages work on it. */
static int read_dosage(const char *text, size_t len, const struct catalogue_row *product,
                       const struct dosage_words *words, struct request_dosage_known *ret, struct error *err)
{
    json_t *parts = NULL;
    if (len > 0) {
        parts = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        if (parts == NULL)
            return error_set(err, E_MEMORY, "intake: out of memory");
    }
    ret->has_reading = dosage_read(json_object_get(parts, "dosage"), json_object_get(parts, "note"), product,
                                   words, &ret->reasons, &ret->reading);
    json_decref(parts);
    return 0;
}

int request_memory_dosage(struct request_memory *memory, const struct tree *list, const struct tree *notes,
                          const struct catalogue_row *product, const struct dosage_words *words,
                          const struct request_dosage_known **ret_known, struct error *err)
{
    static _Thread_local struct request_dosage_known once; /* too long to be remembered */
    struct buf *key = &memory->key;
    bool known;
    buf_reset(key);
    add_part(key, "dosage", list);
    add_part(key, "note", notes);
    if (key->len > 0)
        buf_char(key, '}');
    const size_t text_len = key->len;
    buf_add(key, &product, sizeof(struct catalogue_row *));
    if (key->failed)
        return error_set(err, E_MEMORY, "intake: out of memory");
    struct request_dosage_known *place = memo_get(&memory->dosages, key->data, key->len, &known);
    if (place == NULL) {
        memset(&once, 0, sizeof once);
        place = &once;
    }
    *ret_known = place;
    if (known)
        return 0;
    int rc = read_dosage(key->data, text_len, product, words, place, err);
    if (rc != 0)
        memo_forget(&memory->dosages, key->data, key->len);
    return rc;
}
