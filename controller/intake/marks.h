/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marks: 64-bit keys to 64-bit values in 16 bytes each, for what an import must remember of every order:
 * millions of them have to fit beside each other. Keys are hashes of texts; two texts that share one are
 * taken for the same, so a caller uses them only where that errs to the safe side. Linear probing, five
 * sixths full, grown by half; nothing is taken out. One thread at a time.
 */
#ifndef CONTROLLER_INTAKE_MARKS_H
#define CONTROLLER_INTAKE_MARKS_H

#include <stddef.h>
#include <stdint.h>

struct marks_cell;

struct marks {
    struct marks_cell *cells;
    size_t cap, count;
};

void marks_init(struct marks *marks);
void marks_finish(struct marks *marks);
/* The value's place, 0 inside when the key is new; NULL when memory is short. Valid until the next put. */
uint64_t *marks_put(struct marks *marks, uint64_t key);
/* The same for a key that is there, else NULL. */
uint64_t *marks_get(const struct marks *marks, uint64_t key);

/* A key that nobody can choose: eight bytes of a cryptographic hash. */
uint64_t marks_key(const char *text, size_t len);
/* A quick key of two texts, for counts. */
uint64_t marks_pair(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
