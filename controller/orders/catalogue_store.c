/* SPDX-License-Identifier: Apache-2.0 */
/* The formulary of the store as a catalogue. */
#include "controller/orders/intake_store.h"

#include "config/base/error.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"

struct loading {
    struct catalogue *catalogue;
    struct error *err;
};

static int add_product(void *data, const struct product *product)
{
    struct drug_name name;
    const struct loading *loading = data;
    struct catalogue_row row = {
        .code = product->code,
        .name = product->name,
        .ingredient = product->ingredient,
        .strength = product->strength,
        .form = product->form,
        .release = product->release,
        .rxcui = product->rxcui,
        .ndc = product->ndc,
        .note = product->note,
        .packable = product->packable == PRODUCT_PACKABLE_YES          ? PACKABLE_YES
                    : product->packable == PRODUCT_PACKABLE_PHARMACIST ? PACKABLE_PHARMACIST
                                                                       : PACKABLE_NO,
        .halves = product->halves,
        .provisional = product->provisional,
    };
    drug_name_read(product->name, product->form, &name);
    row.kind = name.kind;
    row.rxnorm = name.rxnorm;
    row.oral = name.oral;
    return catalogue_add(loading->catalogue, &row, loading->err);
}

int catalogue_load(struct store *store, struct catalogue **ret_catalogue, struct error *err)
{
    struct catalogue *catalogue = catalogue_create();
    struct loading loading = {catalogue, err};
    int rc = catalogue != NULL ? product_each(store, add_product, &loading, err)
                               : error_set(err, E_MEMORY, "catalogue: out of memory");
    if (rc != 0) {
        catalogue_destroy(catalogue);
        return rc;
    }
    *ret_catalogue = catalogue;
    return 0;
}
