/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product: the pharmacy's formulary: what a prescription may be packed with.
 *
 * A row has a hash over all that it says (product_hash). A plan carries the hash, so a row that changes after
 * the signature shows. Provisional rows were derived from orders and nobody checked them; they are marked
 * wherever they appear, and a row that a person gave replaces them.
 *
 * Identifiers: an RxCUI or an NDC may stand for several products (two makers of one clinical drug).
 * product_find gives the first by rule and says how many there are.
 *
 * The writing functions run inside the caller's write transaction; everything blocks as the store does. One
 * thread a store.
 */
#ifndef CONTROLLER_STOCK_PRODUCT_H
#define CONTROLLER_STOCK_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/base/ndc.h"
#include "controller/seal/seal.h"

struct buf;
struct error;
struct store;

enum {
    /* Bytes with the NUL; texts are printable UTF-8. */
    PRODUCT_CODE_BYTES = 65, /* letters, digits and . _ + - */
    PRODUCT_NAME_BYTES = 401,
    PRODUCT_INGREDIENT_BYTES = 401,
    PRODUCT_STRENGTH_BYTES = 201,
    PRODUCT_FORM_BYTES = 101,
    PRODUCT_RELEASE_BYTES = 4,
    PRODUCT_CODES_BYTES = 401, /* identifiers, one space between */
    PRODUCT_LOOK_BYTES = 201,
    PRODUCT_NOTE_BYTES = 401,
    PRODUCT_IDENTIFIERS_MAX = 32, /* of each kind */
    PRODUCT_NDC_BYTES = NDC_BYTES,
    PRODUCT_COUNT_MAX = 20000,
};

enum product_packable {
    PRODUCT_PACKABLE_NO,
    PRODUCT_PACKABLE_YES,
    PRODUCT_PACKABLE_PHARMACIST, /* a pharmacist decides, order by order */
};
/* "no", "yes", "pharmacist". */
const char *product_packable_text(enum product_packable packable);

struct product {
    char code[PRODUCT_CODE_BYTES];
    char name[PRODUCT_NAME_BYTES];
    char ingredient[PRODUCT_INGREDIENT_BYTES];
    char strength[PRODUCT_STRENGTH_BYTES]; /* as on the label: "12.5 mg" */
    char form[PRODUCT_FORM_BYTES];
    char release[PRODUCT_RELEASE_BYTES]; /* "IR", "ER", "DR" or "" */
    char rxcui[PRODUCT_CODES_BYTES];     /* sorted as given */
    char ndc[PRODUCT_CODES_BYTES];       /* eleven digits each */
    enum product_packable packable;
    bool halves; /* half pieces can be had, in a canister of their own */
    char look[PRODUCT_LOOK_BYTES];
    char note[PRODUCT_NOTE_BYTES];
    bool provisional;
    uint8_t row_hash[SEAL_HASH_BYTES]; /* set by product_put; see product_hash */
    int64_t changed_ms;
};

/* 1..64 letters, digits and . _ + -, as plan texts can carry. */
bool product_code_ok(const char *code);

/*
 * Sets one field by its column name of the formulary file ("name", "packable", ...) from its text, checked
 * and normalised (NDCs to eleven digits). E_INPUT says what is allowed. The code cannot be changed, only set.
 */
int product_set(struct product *product, const char *column, const char *text, struct error *err);
/* The text of a field as product_set takes it; NULL for an unknown column. Valid as long as the product. */
const char *product_field(const struct product *product, const char *column);
/* The columns in the order of the file, NULL-ended. */
extern const char *const product_columns[];
/* What concerns several fields: required ones are there, halves only of a tablet. E_INPUT names the column.
 */
int product_check(const struct product *product, struct error *err);

/*
 * BLAKE2b-256 over "sachet-product/1" and all fields with their lengths, provisional included, row_hash and
 * changed_ms not.
 */
void product_hash(const struct product *product, uint8_t ret_hash[SEAL_HASH_BYTES]);

/* An NDC as written to eleven digits (ndc_forms); false when it is none or may be several. */
bool product_ndc(const char *text, char ret_ndc[PRODUCT_NDC_BYTES]);

enum product_put { PRODUCT_SAME, PRODUCT_ADDED, PRODUCT_CHANGED, PRODUCT_KEPT };

/*
 * Stores a checked product: adds it, or changes the row of its code when something differs (new row_hash and
 * changed_ms = wall_ms). A provisional product never changes a row that a person gave: *ret_put is
 * PRODUCT_KEPT then. Within the caller's write transaction; writes no audit row.
 */
int product_put(struct store *store, struct product *product, int64_t wall_ms, enum product_put *ret_put,
                struct error *err);

/* E_NOT_FOUND when there is none. */
int product_get(struct store *store, const char *code, struct product *ret_product, struct error *err);

#define PRODUCT_RXCUI "rxcui"
#define PRODUCT_NDC   "ndc"
/*
 * By identifier (an NDC in any form that product_ndc reads). First of several: checked before provisional,
 * then the lowest code in byte order. *ret_matches (may be NULL) is how many there are; E_NOT_FOUND for none.
 */
int product_find(struct store *store, const char *system, const char *value, struct product *ret_product,
                 int *ret_matches, struct error *err);

/* Calls each for every product by code until it returns non-zero, which is returned then. */
int product_each(struct store *store, int (*each)(void *data, const struct product *product), void *data,
                 struct error *err);

#endif
