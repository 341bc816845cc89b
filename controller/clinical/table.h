/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: interactions as a CSV table (sachet-interactions/1), for lists too long for a rule file.
 *
 *   kind,a,b,grade,effect,advice,source
 *   class,nsaid,ibuprofen,,,,                      ibuprofen belongs to the class nsaid
 *   pair,warfarin,@nsaid,serious,bleeding,avoid,…  an ingredient or @class on either side
 *
 * Ingredients match as in config/rules.h. The names of a table are numbered, so that a drug is matched with
 * each name once and each pair is two look-ups. Loading blocks for the disk; the rest is pure.
 */
#ifndef CONTROLLER_CLINICAL_TABLE_H
#define CONTROLLER_CLINICAL_TABLE_H

#include <stddef.h>

#include "controller/clinical/clinical.h"

struct arena;
struct error;

enum { TABLE_BYTES_MAX = 16 * 1024 * 1024, TABLE_ROWS_MAX = 100000 };

struct table_pair {
    int a, b; /* places in names */
    enum clinical_grade grade;
    const char *effect, *advice, *source;
};

struct table {
    const char **names; /* "warfarin", "@nsaid" */
    int name_count;
    struct table_member {
        int class_name; /* place in names */
        const char *ingredient;
    } * members;
    int member_count;
    struct table_pair *pairs;
    int pair_count;
    const void *bytes; /* the file */
    size_t len;
};

/* Everything lies in the arena. E_FILE, E_SYNTAX, E_INPUT, E_LIMIT, E_MEMORY as "file:line:column: ...". */
int table_read(const char *file, struct arena *arena, struct table *ret_table, struct error *err);
/* fits[i] is set for each name that the ingredient belongs to. */
void table_match(const struct table *table, const char *ingredient, unsigned char *fits);

#endif
