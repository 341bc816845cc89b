/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memo: what was worked out of the same bytes before. Orders of a feed repeat the same drugs and the same
 * dosages over and over; what they lead to depends on those bytes alone, so that it is read once and
 * remembered. A key is compared as a whole, never by its hash alone; another key in the same place takes it
 * over. Private to the intake.
 */
#ifndef CONTROLLER_INTAKE_MEMO_H
#define CONTROLLER_INTAKE_MEMO_H

#include <stdbool.h>
#include <stddef.h>

enum { MEMO_PLACES = 512, MEMO_KEY_BYTES_MAX = 4096 };

struct memo_entry;

struct memo {
    size_t value_bytes;
    struct memo_entry **places; /* MEMO_PLACES, made with the first key */
};

/* Values are plain bytes without anything to give back. */
void memo_init(struct memo *memo, size_t value_bytes);
void memo_finish(struct memo *memo);
/* Forgets everything. */
void memo_reset(struct memo *memo);
/*
 * The value's place under a key; *ret_known: it was filled before, else it is zeroed and the caller fills it
 * or calls memo_forget. NULL when the key is too long to be kept or memory is short: then the work is done
 * each time.
 */
void *memo_get(struct memo *memo, const void *key, size_t len, bool *ret_known);
/* The value of the last memo_get is not to be used. */
void memo_forget(struct memo *memo, const void *key, size_t len);

#endif
