/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue: the products that an order may lead to: the site's formulary as it stands in the store, or
 * provisional products that are derived from the orders' own names and codes (marked, checked by nobody).
 *
 * The catalogue owns its rows; they stay where they are until catalogue_destroy. One thread at a time.
 */
#ifndef CONTROLLER_INTAKE_CATALOGUE_H
#define CONTROLLER_INTAKE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/intake/drug_name.h"

struct error;

enum {
    CATALOGUE_ROWS_MAX = 100000,
    CATALOGUE_CODE_BYTES = 33,
    DRUG_CODES_MAX = 8, /* codings of one drug that are looked at */
};

enum packable { PACKABLE_NO, PACKABLE_YES, PACKABLE_PHARMACIST };

struct catalogue_row {
    const char *code, *name, *ingredient, *strength, *form, *release;
    const char *rxcui, *ndc; /* codes with a space between */
    const char *note;
    enum packable packable;
    bool halves;
    bool provisional;
    bool fresh;          /* made in this run, not in the store yet */
    enum drug_kind kind; /* of a provisional row: why it is not packable */
    bool rxnorm;         /* of a provisional row: named as RxNorm names, so the ingredient is no brand */
    bool oral;           /* counts in the search for duplicates */
    int strength_count;  /* 0: not an amount a piece */
    struct measured strengths[DRUG_PARTS_MAX];
};

/* One coding of a drug. */
struct drug_code {
    const char *system;
    const char *code;
    const char *display; /* "" when absent */
};

/* What the packing rules say of a row: worked out once a run by whoever asks (they are slow to go through).
 */
struct catalogue_verdict {
    bool known;
    bool solid; /* its form may go into a pouch */
    int policy; /* enum rules_policy */
    int rule;   /* which one; -1 none */
};

struct catalogue;

struct catalogue *catalogue_create(void);
void catalogue_destroy(struct catalogue *catalogue);
/* Copies the row with its texts and enters its codes and its name. E_LIMIT, E_MEMORY. */
int catalogue_add(struct catalogue *catalogue, const struct catalogue_row *row, struct error *err);
size_t catalogue_count(const struct catalogue *catalogue);
const struct catalogue_row *catalogue_at(const struct catalogue *catalogue, size_t index);

/* The product with this code, or NULL. Goes through all rows. */
const struct catalogue_row *catalogue_by_code(const struct catalogue *catalogue, const char *code);

/* The place for the verdict on a row of this catalogue. */
struct catalogue_verdict *catalogue_verdict(struct catalogue *catalogue, const struct catalogue_row *row);

enum catalogue_match { CATALOGUE_NONE, CATALOGUE_ONE, CATALOGUE_SEVERAL };

/*
 * The product of a drug: by RxNorm code and NDC, and by name. Two ways that lead to different products give
 * CATALOGUE_SEVERAL, and *ret_row is one of them.
 */
enum catalogue_match catalogue_find(const struct catalogue *catalogue, const struct drug_code *codes,
                                    int code_count, const char *name, const struct catalogue_row **ret_row);
/*
 * Makes the provisional product of a drug that is not in the catalogue. The code comes from the RxNorm code,
 * the NDC or a hash of the name, so that it is the same in every run. Packable is only what is named as
 * RxNorm names it; elsewhere a brand might hide the ingredient from the packing rules, so a pharmacist
 * decides.
 */
int catalogue_derive(struct catalogue *catalogue, const struct drug_code *codes, int code_count,
                     const char *name, const char *form, const struct catalogue_row **ret_row,
                     struct error *err);

/* Before any order points to it: a provisional row that was named in another way is named anew when `name` is
 * RxNorm's. */
void catalogue_improve(struct catalogue *catalogue, const struct catalogue_row *row, const char *name,
                       const char *form);

/*
 * When all names of a run were seen: a provisional row whose name is not RxNorm's becomes packable when each
 * of its ingredients stands in an RxNorm name or in a row that a person gave, and so is no brand.
 */
int catalogue_settle(struct catalogue *catalogue, struct error *err);

/* The ways that messages name RxNorm and the NDC directory. */
bool code_is_rxnorm(const char *system);
bool code_is_ndc(const char *system);

#endif
