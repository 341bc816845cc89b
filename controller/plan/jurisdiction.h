/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jurisdiction: what the law of the site's place asks of a roll of pouches (sachet-jurisdiction/1), and the
 * checks that need no store: how long a pouch may be used, controlled drugs, what a label must say.
 *
 * For each kind the rule that names the very place counts, else that of the country before the hyphen. What
 * it asks of patients (consent, child-resistance) is checked against the store by controller/review. The
 * struct owns copies of its texts. Pure but for memory, any thread once it is made.
 */
#ifndef CONTROLLER_PLAN_JURISDICTION_H
#define CONTROLLER_PLAN_JURISDICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/base/arena.h"
#include "config/jurisdiction.h"
#include "controller/plan/plan_text.h"

struct conf;
struct error;

enum { JURISDICTION_SCHEDULE_FIRST = 2, JURISDICTION_SCHEDULE_LAST = 5 };

struct jurisdiction_rule {
    const char *id; /* "" where the place has no such rule: nothing is asked */
    const char *text;
    int days;          /* 0: none given */
    int canister_days; /* beyond-use; 0: none given */
    bool outside;      /* controlled: never in pouches */
    unsigned elements; /* label: bits of enum jurisdiction_element */
};

struct jurisdiction {
    struct arena arena;
    const char *code, *version;
    uint8_t hash[PLAN_HASH_BYTES]; /* of the file's bytes */
    struct jurisdiction_rule beyond_use, consent, child_resistance, label;
    struct jurisdiction_rule controlled[JURISDICTION_SCHEDULE_LAST + 1]; /* by schedule */
    const char *pharmacy, *phone, *address; /* the site's, as they stand on labels */
};

/* E_INPUT when no rule of the file speaks of the site's place. */
int jurisdiction_create(const struct conf *conf, const struct conf *site,
                        struct jurisdiction **ret_jurisdiction, struct error *err);
/* NULL is allowed. */
void jurisdiction_destroy(struct jurisdiction *jurisdiction);

/*
 * The last day of the pouches against the day on which they are packed (or will be at the earliest), and the
 * label of each. schedules: one a product of the plan, 0 for none. E_STATE with the rule that is not kept.
 */
int jurisdiction_check(const struct jurisdiction *jurisdiction, const struct plan_text *plan,
                       const int *schedules, int32_t packed_on, struct error *err);

#endif
