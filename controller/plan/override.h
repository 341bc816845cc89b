/* SPDX-License-Identifier: Apache-2.0 */
/*
 * override: pharmacists' words on products that a packing rule leaves to them, as they stand in the store.
 *
 * An override names a product, the rule and the hash of what the rule said, a reason and the days on which it
 * may be packed. It counts when nobody ended it and, of a red one, when a second person stands for it.
 * Whoever makes and ends them is controller/review/override_word.h. Blocks for the store.
 */
#ifndef CONTROLLER_PLAN_OVERRIDE_H
#define CONTROLLER_PLAN_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"

struct arena;
struct error;
struct packing_verdict;
struct store;

enum {
    OVERRIDE_REASON_MIN = 10,
    OVERRIDE_REASON_MAX = 300,
    OVERRIDE_DAYS_MAX = 366, /* an override ends, at the latest so many days after its first */
    OVERRIDES_MAX = 4096,    /* that nobody ended */
};

struct override_row {
    struct plan_override said;
    int64_t user[2]; /* first and second person; 0: nobody yet */
    int64_t said_ms[2];
    const void *signature[2];
    size_t signature_len[2];
    bool ended;
    const char *ended_by, *ended_why; /* "" while it stands */
};

/* Those of a product (NULL: of all), by id; with ended ones or without. They lie in the arena. E_LIMIT. */
int override_load(struct store *store, const char *product, bool ended, struct arena *arena,
                  struct override_row **ret_rows, size_t *ret_count, struct error *err);
/* E_NOT_FOUND. Ended ones are found, too. */
int override_find(struct store *store, int64_t id, struct arena *arena, struct override_row *ret_row,
                  struct error *err);

/* Does it answer what the rules ask now, with both persons where two are asked? day: on which is packed;
 * CIVIL_DAY_NONE: whatever day. why (may be NULL) says what is missing. */
bool override_holds(const struct plan_override *said, const struct packing_verdict *verdict, int32_t day,
                    const char **ret_why);

#endif
