/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/marks.h"

#include "controller/intake/keymap.h"
#include "controller/seal/seal.h"

#include <stdlib.h>
#include <string.h>

enum { CELLS_MIN = 96 };

struct marks_cell {
    uint64_t key; /* 0: free */
    uint64_t value;
};

void marks_init(struct marks *marks)
{
    *marks = (struct marks){0};
}

void marks_finish(struct marks *marks)
{
    free(marks->cells);
    *marks = (struct marks){0};
}

static struct marks_cell *cell_of(const struct marks *marks, uint64_t key)
{
    size_t at = (size_t)(key % marks->cap);
    while (marks->cells[at].key != 0 && marks->cells[at].key != key)
        at = at + 1 == marks->cap ? 0 : at + 1;
    return &marks->cells[at];
}

static int grow(struct marks *marks)
{
    struct marks bigger = *marks;
    bigger.cap = marks->cap == 0 ? CELLS_MIN : marks->cap + marks->cap / 2 + 1;
    bigger.cells = calloc(bigger.cap, sizeof *bigger.cells);
    if (bigger.cells == NULL)
        return -1;
    for (size_t i = 0; i < marks->cap; i++) {
        if (marks->cells[i].key != 0)
            *cell_of(&bigger, marks->cells[i].key) = marks->cells[i];
    }
    free(marks->cells);
    *marks = bigger;
    return 0;
}

uint64_t *marks_put(struct marks *marks, uint64_t key)
{
    key = key != 0 ? key : 1;
    if (marks->count * 6 >= marks->cap * 5 && grow(marks) != 0)
        return NULL;
    struct marks_cell *cell = cell_of(marks, key);
    marks->count += cell->key == 0;
    cell->key = key;
    return &cell->value;
}

uint64_t *marks_get(const struct marks *marks, uint64_t key)
{
    if (marks->cap == 0)
        return NULL;
    struct marks_cell *cell = cell_of(marks, key != 0 ? key : 1);
    return cell->key != 0 ? &cell->value : NULL;
}

/* One id is asked for several times in a row: its key is remembered. */
uint64_t marks_key(const char *text, size_t len)
{
    static _Thread_local struct {
        char text[128];
        size_t len;
        uint64_t key;
    } last = {.len = SIZE_MAX};
    uint8_t hash[SEAL_HASH_BYTES];
    uint64_t key;
    if (len == last.len && memcmp(last.text, text, len) == 0)
        return last.key;
    seal_hash(text, len, hash);
    memcpy(&key, hash, sizeof key);
    if (len <= sizeof last.text) {
        memcpy(last.text, text, len);
        last.len = len;
        last.key = key;
    }
    return key;
}

uint64_t marks_pair(const char *a, size_t a_len, const char *b, size_t b_len)
{
    uint64_t key = keymap_hash(keymap_hash(KEYMAP_HASH_START, a, a_len), "\n", 1);
    key = keymap_hash(key, b, b_len);
    /* The last bytes reach all bits. */
    key = (key ^ key >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return key ^ key >> 33;
}
