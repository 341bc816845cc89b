/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a schedule's JSON is a true answer to a regimen's JSON: the hash of the instance, then proof_check.
 * Any thread, never blocks. */
#ifndef CONTROLLER_PLAN_DOCUMENTS_SCHEDULE_VERIFY_H
#define CONTROLLER_PLAN_DOCUMENTS_SCHEDULE_VERIFY_H

struct arena;
struct error;
struct json_t;

/* 0 when everything holds; E_TAMPERED with what does not; E_INPUT, E_VERSION, E_LIMIT for what cannot be
 * read. */
int schedule_verify(const struct json_t *regimen_object, const struct json_t *result_object,
                    struct arena *arena, struct error *err);

#endif
