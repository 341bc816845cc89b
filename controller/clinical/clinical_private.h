/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef CONTROLLER_CLINICAL_CLINICAL_PRIVATE_H
#define CONTROLLER_CLINICAL_CLINICAL_PRIVATE_H

#include "config/base/arena.h"
#include "controller/clinical/clinical.h"
#include "controller/clinical/table.h"

enum { CLINICAL_TABLES_MAX = 8 };

/* In the order of the words of rules[].kind, rules[].same and rules[].condition. */
enum clinical_kind {
    CLINICAL_DUPLICATE,
    CLINICAL_DAILY_MAX,
    CLINICAL_DAYS_A_WEEK,
    CLINICAL_SAME_SLOT,
    CLINICAL_INTERACTION,
    CLINICAL_ALLERGY,
    CLINICAL_CONDITION,
};
enum clinical_same { CLINICAL_SAME_PRODUCT, CLINICAL_SAME_INGREDIENT, CLINICAL_SAME_CLASS };
enum clinical_condition { CLINICAL_PREGNANT, CLINICAL_BREASTFEEDING, CLINICAL_RENAL };

struct clinical_rules {
    struct conf *conf;
    struct arena arena; /* of the tables */
    struct table tables[CLINICAL_TABLES_MAX];
    int table_count;
    uint8_t hash[SEAL_HASH_BYTES];
};

/* Loads what clinical_find looks at; everything lies in the arena. */
int clinical_case_load(struct store *store, int64_t plan, int32_t today, struct arena *arena,
                       struct clinical_case *ret, struct error *err);

#endif
