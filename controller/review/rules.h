/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: whether a plan's products and its patient may be packed by the site's rules and the law of its
 * place, asked anew, whatever was planned. Shared between the files of this room only. Blocks for the store.
 */
#ifndef CONTROLLER_REVIEW_RULES_H
#define CONTROLLER_REVIEW_RULES_H

#include <stdint.h>

struct arena;
struct error;
struct plan_text;
struct review_rules;
struct store;

/*
 * Each product of the plan: kept out by no rule, alone where that is asked, and with an override in force,
 * signed by its persons and written in the plan, where a rule leaves it to a pharmacist. Then the
 * jurisdiction: last dose, controlled drugs, labels, consents. rules NULL: only that the plan's overrides are
 * what their persons signed. E_STATE (what changed, what to do), E_TAMPERED.
 */
int rules_review(struct store *store, const struct plan_text *plan, int64_t patient,
                 const struct review_rules *rules, struct arena *arena, struct error *err);

#endif
