/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/trust_private.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/plan_text.h"
#include "controller/review/sign.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"

struct trust {
    struct arena arena; /* of the plan in memory */
    int64_t plan_id;    /* 0 none */
    bool has_rules;
    struct review_rules rules;
    int32_t verified_on; /* with rules that have a clock: what ends with a day is asked again on the next */
    struct plan_text *plan;
};

struct trust *trust_create(const struct review_rules *rules, struct error *err)
{
    struct trust *trust = calloc(1, sizeof *trust);
    if (!trust) {
        error_set(err, E_MEMORY, "no memory for signed plans");
        return NULL;
    }
    if (rules) {
        trust->has_rules = true;
        trust->rules = *rules;
    }
    arena_init(&trust->arena, 0);
    return trust;
}

void trust_destroy(struct trust *trust)
{
    if (!trust)
        return;
    arena_finish(&trust->arena);
    free(trust);
}

void trust_forget(struct trust *trust)
{
    arena_reset(&trust->arena);
    trust->plan_id = 0;
    trust->plan = NULL;
}

int trust_canister_days(const struct trust *trust)
{
    return trust->has_rules && trust->rules.law ? trust->rules.law->beyond_use.canister_days : 0;
}

/* Superseded and withdrawn plans are not packed on, whatever was signed once. */
static int check_state(struct store *store, int64_t plan, struct error *err)
{
    int64_t is_signed = 0;
    int rc =
        store_get_int(store, &is_signed, err, "SELECT state = 'signed' FROM plan WHERE id = ?", "i", plan);
    if (rc == 0 && !is_signed)
        rc = error_set(err, E_STATE, "plan %" PRId64 " is no longer the signed one of its patient", plan);
    return rc;
}

/* The text in hand is the one that was verified: both were read in one transaction of the caller, and the
 * hash says so once more. */
static int check_hash(struct store_rows *rows, int64_t plan, const char *text, size_t len, struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    size_t stored_len = 0;
    const void *stored = store_blob(rows, 1, &stored_len);
    seal_hash(text, len, hash);
    if (stored_len != sizeof hash || memcmp(stored, hash, sizeof hash) != 0)
        return error_set(err, E_TAMPERED, "plan %" PRId64 " was changed: its text has another hash", plan);
    return 0;
}

static int32_t day_of(const struct trust *trust)
{
    return trust->has_rules && trust->rules.clock ? instant_day(clock_wall_ms(trust->rules.clock))
                                                  : CIVIL_DAY_NONE;
}

int trust_plan(struct trust *trust, struct store *store, int64_t plan, const struct plan_text **ret_plan,
               struct error *err)
{
    int rc = check_state(store, plan, err);
    if (rc == 0 && (trust->plan_id != plan || trust->verified_on != day_of(trust))) {
        struct store_rows *rows = NULL;
        trust_forget(trust);
        rc = review_verify(store, plan, trust->has_rules ? &trust->rules : NULL, err);
        if (rc < 0)
            return rc;
        rc = store_query(store, &rows, err, "SELECT text, hash FROM plan WHERE id = ?", "i", plan);
        if (rc == 0)
            rc = store_next(rows, err);
        if (rc == 1) {
            size_t len = 0;
            const char *text = store_blob(rows, 0, &len);
            rc = check_hash(rows, plan, text, len, err);
            if (rc == 0)
                rc = plan_text_parse(text, len, &trust->arena, &trust->plan, err);
        }
        store_done(rows);
        if (rc == 0) {
            trust->plan_id = plan;
            trust->verified_on = day_of(trust);
        }
    }
    if (rc < 0) {
        trust_forget(trust);
        return rc;
    }
    *ret_plan = trust->plan;
    return 0;
}

int trust_job(struct trust *trust, struct store *store, int64_t job, const struct plan_pouch **ret_pouch,
              struct error *err)
{
    const struct plan_text *plan = NULL;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT plan_id, pouch, pouch_line, pouch_hash FROM job WHERE id = ?", "i", job);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "job %" PRId64 " is not in the store", job);
    if (rc == 1)
        rc = trust_plan(trust, store, store_int(rows, 0), &plan, err);
    if (rc == 0) {
        int64_t number = store_int(rows, 1);
        const char *line = store_text(rows, 2);
        size_t hash_len = 0;
        const void *hash = store_blob(rows, 3, &hash_len);
        const struct plan_pouch *pouch = NULL;
        uint8_t right[PLAN_HASH_BYTES];
        if (number >= 1 && (size_t)number <= plan->pouch_count)
            pouch = &plan->pouches[number - 1];
        if (pouch)
            plan_pouch_hash(pouch->line, pouch->line_len, right);
        if (!pouch || strlen(line) != pouch->line_len || memcmp(line, pouch->line, pouch->line_len) != 0 ||
            hash_len != sizeof right || memcmp(hash, right, sizeof right) != 0)
            rc = error_set(err, E_TAMPERED,
                           "job %" PRId64 " is not what was signed: pouch %" PRId64
                           " of its plan reads differently",
                           job, number);
        else
            *ret_pouch = pouch;
    }
    store_done(rows);
    return rc;
}

int trust_check_batch(struct trust *trust, struct store *store, int64_t batch, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT id FROM job WHERE batch_id = ? AND state IN ('waiting', 'sent') ORDER BY position", "i",
        batch);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        const struct plan_pouch *pouch = NULL;
        rc = trust_job(trust, store, store_int(rows, 0), &pouch, err);
    }
    store_done(rows);
    return rc;
}
