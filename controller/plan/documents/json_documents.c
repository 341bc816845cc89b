/* SPDX-License-Identifier: Apache-2.0 */
/* One object, an array of them, or one after the other: what the pure filters take. */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

#include "config/base/error.h"
#include "controller/plan/documents/regimen_json.h"

struct json_documents {
    const char *text;
    size_t len;
    size_t at;
    int line;      /* of `at`, from 1 */
    json_t *value; /* the array, or the last object */
    size_t index;  /* next in the array */
    size_t count;  /* handed out */
    bool list;
};

static void documents_skip_space(struct json_documents *d)
{
    while (d->at < d->len && isspace((unsigned char)d->text[d->at])) {
        d->line += d->text[d->at] == '\n';
        d->at++;
    }
}

/* The next value of the text into d->value. */
static int documents_load(struct json_documents *d, struct error *err)
{
    json_error_t fault;
    json_decref(d->value);
    d->value =
        json_loadb(d->text + d->at, d->len - d->at, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &fault);
    if (!d->value)
        return error_set(err, E_SYNTAX, "%d:%d: %s", d->line + (fault.line > 0 ? fault.line - 1 : 0),
                         fault.column, fault.text);
    for (size_t end = d->at + (size_t)fault.position; d->at < end; d->at++)
        d->line += d->text[d->at] == '\n';
    documents_skip_space(d);
    return 0;
}

int json_documents_open(struct json_documents **ret, const char *text, size_t len, struct error *err)
{
    if (len > JSON_DOCUMENT_BYTES_MAX)
        return error_set(err, E_LIMIT, "more than %d bytes", JSON_DOCUMENT_BYTES_MAX);
    struct json_documents *d = calloc(1, sizeof *d);
    if (!d)
        return error_set(err, E_MEMORY, "no memory to read JSON");
    d->text = text;
    d->len = len;
    d->line = 1;
    documents_skip_space(d);
    d->list = d->at < len && text[d->at] == '[';
    if (d->list) {
        int rc = documents_load(d, err);
        if (!rc && d->at < len)
            rc = error_set(err, E_SYNTAX, "%d:1: something stands after the array", d->line);
        if (rc) {
            json_documents_close(d);
            return rc;
        }
    }
    *ret = d;
    return 0;
}

void json_documents_close(struct json_documents *documents)
{
    if (!documents)
        return;
    json_decref(documents->value);
    free(documents);
}

struct json_t *json_documents_next(struct json_documents *documents, int *ret_rc, struct error *err)
{
    struct json_documents *d = documents;
    *ret_rc = 0;
    if (d->list ? d->index >= json_array_size(d->value) : d->at >= d->len)
        return NULL;
    if (d->count == JSON_DOCUMENTS_MAX) {
        *ret_rc =
            error_set(err, E_LIMIT, "%d:1: more than %d objects in one file", d->line, JSON_DOCUMENTS_MAX);
        return NULL;
    }
    d->count++;
    if (d->list)
        return json_array_get(d->value, d->index++);
    *ret_rc = documents_load(d, err);
    return *ret_rc ? NULL : d->value;
}
