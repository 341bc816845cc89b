/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regimens from JSON ("sachet-regimen/1", scheduler/regimen-format.md). Strict: wrong types, unknown members,
 * duplicate keys and broken limits are refused with the place in the document. Any thread, never blocks;
 * reading files is the caller's business.
 */
#ifndef CONTROLLER_PLAN_DOCUMENTS_REGIMEN_JSON_H
#define CONTROLLER_PLAN_DOCUMENTS_REGIMEN_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "scheduler/regimen.h"

struct arena;
struct error;
struct json_t;

enum {
    JSON_DOCUMENT_BYTES_MAX = 64 * 1024 * 1024, /* one file */
    JSON_DOCUMENTS_MAX = 100000,                /* objects in one file */
};

/* The objects of a text that holds one object, an array of objects, or objects one after the other (NDJSON).
 */
struct json_documents;
int json_documents_open(struct json_documents **ret, const char *text, size_t len, struct error *err);
/* NULL allowed. */
void json_documents_close(struct json_documents *documents);
/* The next value (borrowed until close), NULL at the end or when the rest cannot be read: then *ret_rc is
 * E_SYNTAX and the message begins with line:column. */
struct json_t *json_documents_next(struct json_documents *documents, int *ret_rc, struct error *err);

/* Reads, compiles, checks and sorts one regimen; all memory is the arena's. E_INPUT, E_LIMIT, E_VERSION,
 * E_MEMORY. */
int regimen_from_json(const struct json_t *object, struct arena *arena, struct regimen **ret,
                      struct error *err);

/* BLAKE2b-256 over regimen_canonical. E_MEMORY. */
int regimen_hash(const struct regimen *regimen, uint8_t ret_hash[32], struct error *err);

#endif
