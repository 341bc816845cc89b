/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust: the signed text of the plan that is being packed. A pouch comes from here and from nowhere else: the
 * text is read, its signature verified and its grammar checked whole, and it stays in memory as long as
 * pouches of the same plan are made. Blocks for the store. One thread, the store's.
 */
#ifndef CONTROLLER_PACK_TRUST_PRIVATE_H
#define CONTROLLER_PACK_TRUST_PRIVATE_H

#include <stdint.h>

struct error;
struct plan_pouch;
struct plan_text;
struct review_rules;
struct store;
struct trust;

/* rules: hashes of the site's rule files as they are now, copied; NULL: not compared. */
struct trust *trust_create(const struct review_rules *rules, struct error *err);
void trust_destroy(struct trust *trust);

/* A canister may be used so many days after it was loaded, by the law of the place; 0: no such rule. */
int trust_canister_days(const struct trust *trust);

/* The store may have changed: the plan in memory is verified anew before its next pouch. */
void trust_forget(struct trust *trust);

/* The plan of id, verified; valid until the next call. E_TAMPERED or E_STATE when it is not or no longer
 * signed. */
int trust_plan(struct trust *trust, struct store *store, int64_t plan, const struct plan_text **ret_plan,
               struct error *err);
/* Every plan of the batch is signed, and every job's line and hash are those of its plan's text. */
int trust_check_batch(struct trust *trust, struct store *store, int64_t batch, struct error *err);
/* The pouch of a job, if its stored line and hash are those of the signed text; else E_TAMPERED. */
int trust_job(struct trust *trust, struct store *store, int64_t job, const struct plan_pouch **ret_pouch,
              struct error *err);

#endif
