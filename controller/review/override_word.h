/* SPDX-License-Identifier: Apache-2.0 */
/*
 * override_word: pharmacists who let a product into pouches that a packing rule leaves to them.
 *
 * The first pharmacist says it, with a reason and an end; of a red rule it counts only when a second one, who
 * is not the first, says it too. Either may be the first. Each signs the whole of it with his own key, as he
 * signs plans, and the audit carries both; any pharmacist may end it. Every function that writes does so in a
 * transaction of its own. Blocks for the store. seal_init() must have been called.
 */
#ifndef CONTROLLER_REVIEW_OVERRIDE_WORD_H
#define CONTROLLER_REVIEW_OVERRIDE_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/plan/override.h"

struct error;
struct packing;
struct seal_key;
struct store;
struct user;

struct override_asked {
    const char *product; /* code */
    const char *reason;
    int32_t from_day, until_day; /* both included */
};

/*
 * E_STATE when no rule leaves the product to a pharmacist (it may be packed, or may never be), E_EXISTS when
 * an override answers the rule already, E_INPUT for reason or days, E_DENIED, E_NOT_FOUND. *ret_red: a second
 * person is needed.
 */
int override_add(struct store *store, struct packing *packing, const struct override_asked *asked,
                 int32_t today, const struct user *user, const struct seal_key *key, int64_t wall_ms,
                 int64_t *ret_id, bool *ret_red, struct error *err);
/* The second person's word. E_DENIED for the first person, E_STATE when it needs none, has one, has ended, or
 * when its rule says something else by now. */
int override_second(struct store *store, struct packing *packing, int64_t id, int32_t today,
                    const struct user *user, const struct seal_key *key, int64_t wall_ms, struct error *err);
/* Ends it; plans that need it do not hold any more. E_STATE when it has ended, E_NOT_FOUND. */
int override_revoke(struct store *store, int64_t id, const char *reason, const struct user *user,
                    int64_t wall_ms, struct error *err);

/* The row is what its persons signed, and they were pharmacists with keys that count; the audit knows of no
 * end. E_TAMPERED, E_STATE (a key that was revoked). */
int override_verify(struct store *store, const struct override_row *row, struct error *err);

#endif
