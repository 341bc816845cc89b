/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packing: what the site's packing rules and the formulary say together of a product. Planning asks it, and
 * so does whoever verifies a plan before it is packed, each for itself.
 *
 * The strictest word counts. A rule that asks for a pharmacist is answered by an override (override.h), which
 * names the rule and the hash of what it said: a rule that changes ends its overrides. Where several rules
 * ask, one override answers all of them, and it is red when one of them is. ALONE counts beside every other
 * word.
 *
 * A struct packing keeps what it has looked up, so one thread at a time; the conf must live as long.
 */
#ifndef CONTROLLER_PLAN_PACKING_H
#define CONTROLLER_PLAN_PACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "config/rules.h"
#include "controller/plan/plan_text.h"

struct conf;
struct error;
struct packing;
struct product;

/* Stands in the place of a rule's id where the formulary's own row leaves a product to the pharmacist. */
#define PACKING_FORMULARY "formulary"

struct packing_verdict {
    enum rules_policy policy;
    const char *id;     /* of the rule that decides, or PACKING_FORMULARY; "" where nothing speaks */
    const char *reason; /* its own */
    bool alone;         /* only in a pouch of its own */
    bool red;           /* an override needs two persons */
    uint8_t hash[PLAN_HASH_BYTES]; /* of everything that asks for a pharmacist; zeros where nothing does */
};

/* E_MEMORY. */
int packing_create(const struct conf *conf, struct packing **ret_packing, struct error *err);
/* NULL is allowed. */
void packing_destroy(struct packing *packing);

/* What the rules alone say. NULL: no memory. */
const struct packing_verdict *packing_rules(struct packing *packing, const struct rules_product *product);
/* ... and the product's row with them. rules: from packing_rules. The texts are theirs. */
struct packing_verdict packing_judge(const struct packing_verdict *rules, const struct product *product);
/* Both steps. E_MEMORY. */
int packing_of(struct packing *packing, const struct product *product, struct packing_verdict *ret_verdict,
               struct error *err);

#endif
