/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/order_row.h"

#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/store/store.h"

enum { TEXT_COLUMNS = 10, COLUMN_VERSION = TEXT_COLUMNS, COLUMN_PATIENT, COLUMN_CONTENT, COLUMN_CURRENT };

static void field(struct buf *out, const void *data, size_t len)
{
    buf_printf(out, "%zu:", len);
    if (len > 0)
        buf_add(out, data, len);
    buf_char(out, '\n');
}

static void row_text(struct store_rows *rows, struct buf *out)
{
    buf_text(out, "sachet-order/1\n");
    for (int i = 0; i < TEXT_COLUMNS; i++) {
        const char *text = store_text(rows, i);
        if (store_is_null(rows, i))
            buf_text(out, "-\n"); /* nothing is not the same as an empty text */
        else
            field(out, text, strlen(text));
    }
    buf_printf(out, "%lld\n%lld\n", (long long)store_int(rows, COLUMN_VERSION),
               (long long)store_int(rows, COLUMN_PATIENT));
    size_t len;
    const void *hash = store_blob(rows, COLUMN_CONTENT, &len);
    field(out, hash, len);
}

int order_row_hash(struct store *store, int64_t id, uint8_t ret_hash[SEAL_HASH_BYTES], bool *ret_current,
                   struct error *err)
{
    struct store_rows *rows = NULL;
    struct buf text;
    int status = store_query(
        store, &rows, err,
        "SELECT source_id, status, outcome, reasons, drug_name, drug_codes, product_code, reading, "
        "dosage, original, version, patient_id, content_hash, current "
        "FROM order_version WHERE id = ?",
        "i", id);
    int found = status < 0 ? status : store_next(rows, err);
    buf_init(&text);
    if (found == 0)
        found = error_set(err, E_NOT_FOUND, "there is no order version %lld", (long long)id);
    if (found > 0) {
        row_text(rows, &text);
        *ret_current = store_int(rows, COLUMN_CURRENT) != 0;
        seal_hash(text.data, text.len, ret_hash);
        found = text.failed ? error_set(err, E_MEMORY, "no memory for an order") : 0;
    }
    buf_finish(&text);
    store_done(rows);
    return found;
}
