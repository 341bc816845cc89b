/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consent: what a patient agreed to, where the law of the place asks for it (controller/plan/jurisdiction.h).
 *
 *   packing   several drugs in one pouch
 *   outer     the roll leaves in a child-resistant outer package (the house says so)
 *   declined  a package that children open is wanted; pouches need no outer package then
 *
 * A consent has a first day and maybe a last one, says who gave it, and is never changed, only ended. The row
 * is bound to the audit chain: one that says something else than the chain is no consent. Every function that
 * writes does so in a transaction of its own. Blocks for the store.
 */
#ifndef CONTROLLER_REVIEW_CONSENT_H
#define CONTROLLER_REVIEW_CONSENT_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct error;
struct jurisdiction;
struct store;
struct user;

enum { CONSENT_NOTE_MIN = 3, CONSENT_NOTE_MAX = 200 };

enum consent_kind { CONSENT_PACKING, CONSENT_OUTER, CONSENT_DECLINED, CONSENT_KINDS };
extern const char *const consent_kinds[];  /* "packing", "outer", "declined" */
extern const char *const consent_givers[]; /* NULL-ended: "patient", "carer", "prescriber", "house" */

struct consent {
    int64_t id;
    int64_t patient;
    enum consent_kind kind;
    const char *given_by;
    int32_t from_day, until_day; /* CIVIL_DAY_NONE: until it is taken back */
    const char *note;
    const char *actor;
    const char *ended_by; /* "" while it stands */
};

/* E_INPUT for words or days that are not as above ('outer' is the house's word, the others are never). Any
 * enabled user records what was said. id, patient's row and actor are filled in here. */
int consent_add(struct store *store, const struct consent *consent, const struct user *user, int64_t wall_ms,
                int64_t *ret_id, struct error *err);
/* E_NOT_FOUND when no such one stands. */
int consent_end(struct store *store, int64_t id, const struct user *user, int64_t wall_ms, struct error *err);
/* All of a patient's by id, ended ones too; they lie in the arena. */
int consent_load(struct store *store, int64_t patient, struct arena *arena, struct consent **ret_consents,
                 size_t *ret_count, struct error *err);

/* What the place asks for holds on that day. E_STATE with the rule that is not kept; E_TAMPERED. */
int consent_check(struct store *store, int64_t patient, const struct jurisdiction *jurisdiction, int32_t day,
                  struct arena *arena, struct error *err);

#endif
