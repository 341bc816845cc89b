/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products in the store. A product's identifiers are rows of their own (product_identifier), kept in step
 * with the two columns of the product here and nowhere else.
 */
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"

#define PRODUCT_SQL_COLUMNS                                                                               \
    "p.code, p.name, p.ingredient, p.strength, p.form, p.release, p.rxcui, p.ndc, p.packable, p.halves, " \
    "p.look, p.note, p.provisional, p.row_hash, p.changed_ms"

/* Columns of the statement in the order of product_columns; then three of the store's own. */
static int product_read(struct store_rows *rows, struct product *ret_product, struct error *err)
{
    struct product product = {0};
    int rc = 0;
    int i = 0;
    for (; product_columns[i] && rc == 0; i++) {
        bool flag = strcmp(product_columns[i], "halves") == 0;
        rc = product_set(&product, product_columns[i],
                         flag ? (store_int(rows, i) ? "yes" : "no") : store_text(rows, i), err);
    }
    if (rc) {
        char code[PRODUCT_CODE_BYTES];
        (void)snprintf(code, sizeof code, "%s", store_text(rows, 0)); /* cut: it is wrong anyway */
        return error_prefix(err, rc, "product %s in the store", code);
    }
    size_t len = 0;
    const void *hash = store_blob(rows, i + 1, &len);
    product.provisional = store_int(rows, i) != 0;
    product.changed_ms = store_int(rows, i + 2);
    if (len == sizeof product.row_hash)
        memcpy(product.row_hash, hash, len);
    *ret_product = product;
    return 0;
}

int product_get(struct store *store, const char *code, struct product *ret_product, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT " PRODUCT_SQL_COLUMNS " FROM product p WHERE p.code = ?",
                         "t", code);
    if (rc)
        return rc;
    rc = store_next(rows, err);
    if (rc == 1)
        rc = product_read(rows, ret_product, err);
    else if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "no product %.80s: `sachet formulary show` lists them", code);
    store_done(rows);
    return rc;
}

int product_find(struct store *store, const char *system, const char *value, struct product *ret_product,
                 int *ret_matches, struct error *err)
{
    char ndc[PRODUCT_NDC_BYTES];
    if (strcmp(system, PRODUCT_NDC) == 0) {
        if (!product_ndc(value, ndc))
            return error_set(err, E_NOT_FOUND, "no product with %s %.40s", system, value);
        value = ndc;
    }
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT " PRODUCT_SQL_COLUMNS " FROM product_identifier i "
                         "JOIN product p ON p.code = i.product_code "
                         "WHERE i.system = ? AND i.value = ? ORDER BY p.provisional, p.code",
                         "tt", system, value);
    int matches = 0;
    while (rc == 0 && (rc = store_next(rows, err)) == 1)
        rc = matches++ == 0 ? product_read(rows, ret_product, err) : 0;
    store_done(rows);
    if (rc == 0 && matches == 0)
        rc = error_set(err, E_NOT_FOUND, "no product with %s %.40s", system, value);
    if (rc == 0 && ret_matches)
        *ret_matches = matches;
    return rc;
}

int product_each(struct store *store, int (*each)(void *data, const struct product *product), void *data,
                 struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err, "SELECT " PRODUCT_SQL_COLUMNS " FROM product p ORDER BY p.code", "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct product product;
        rc = product_read(rows, &product, err);
        if (rc == 0)
            rc = each(data, &product);
    }
    store_done(rows);
    return rc;
}

static int identifiers_put(struct store *store, const char *system, const char *values, const char *code,
                           struct error *err)
{
    for (const char *at = values; *at;) {
        char one[32];
        size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)len, at); /* checked by product_set */
        int rc = store_exec(store, err,
                            "INSERT OR IGNORE INTO product_identifier (system, value, product_code) "
                            "VALUES (?, ?, ?)",
                            "ttt", system, one, code);
        if (rc)
            return rc;
        at += len + (at[len] == ' ');
    }
    return 0;
}

static int product_write(struct store *store, const struct product *p, struct error *err)
{
    int rc = store_exec(
        store, err,
        "INSERT INTO product (code, name, ingredient, strength, form, release, rxcui, ndc, packable, halves, "
        "look, note, provisional, row_hash, changed_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
        "ON CONFLICT (code) DO UPDATE SET name = ?2, ingredient = ?3, strength = ?4, form = ?5, release = "
        "?6, "
        "rxcui = ?7, ndc = ?8, packable = ?9, halves = ?10, look = ?11, note = ?12, provisional = ?13, "
        "row_hash = ?14, changed_ms = ?15",
        "tttttttttittibi", p->code, p->name, p->ingredient, p->strength, p->form, p->release, p->rxcui,
        p->ndc, product_packable_text(p->packable), p->halves, p->look, p->note, p->provisional, p->row_hash,
        sizeof p->row_hash, p->changed_ms);
    if (rc == 0)
        rc = store_exec(store, err, "DELETE FROM product_identifier WHERE product_code = ?", "t", p->code);
    if (rc == 0)
        rc = identifiers_put(store, PRODUCT_RXCUI, p->rxcui, p->code, err);
    if (rc == 0)
        rc = identifiers_put(store, PRODUCT_NDC, p->ndc, p->code, err);
    return rc;
}

/* All fields as product_set would have them: the product may have been put together by hand. */
static int product_normalise(struct product *product, struct error *err)
{
    struct product checked = *product;
    int rc = 0;
    for (int i = 0; product_columns[i] && rc == 0; i++)
        rc = product_set(&checked, product_columns[i], product_field(product, product_columns[i]), err);
    if (rc == 0)
        rc = product_check(&checked, err);
    if (rc)
        return error_prefix(err, rc, "product %s", product->code);
    *product = checked;
    return 0;
}

int product_put(struct store *store, struct product *product, int64_t wall_ms, enum product_put *ret_put,
                struct error *err)
{
    struct product old;
    int rc = product_normalise(product, err);
    if (rc)
        return rc;
    product_hash(product, product->row_hash);
    product->changed_ms = wall_ms;
    rc = product_get(store, product->code, &old, err);
    if (rc && rc != E_NOT_FOUND)
        return rc;
    *ret_put = rc == E_NOT_FOUND ? PRODUCT_ADDED : PRODUCT_CHANGED;
    if (rc == 0 && product->provisional && !old.provisional) {
        *ret_put = PRODUCT_KEPT;
        return 0;
    }
    if (rc == 0 && seal_equal(old.row_hash, product->row_hash, sizeof old.row_hash)) {
        *ret_put = PRODUCT_SAME;
        return 0;
    }
    return product_write(store, product, err);
}
