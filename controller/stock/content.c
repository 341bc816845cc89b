/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The detail of an audit row `stock.load`: {"product":…,"piece":…,"lot":…,"pieces":…,"expiry":…}, with codes
 * and lots that need no escapes. Rows from before there was "expiry" are compared without it.
 */
#include "controller/stock/content.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

#define LOAD "stock.load"

enum { WORDS_BYTES = 256, EXPIRY_BYTES = 32 };

/* Both ends of the detail, as they must be for the row as it is. */
struct words {
    char front[WORDS_BYTES], expiry[EXPIRY_BYTES];
};

static void subject_of(int64_t canister, char text[40])
{
    (void)snprintf(text, 40, "canister:%" PRId64, canister); /* fits */
}

static int words_of(struct store *store, int64_t canister, struct words *words, struct error *err)
{
    struct store_rows *rows = NULL;
    char day[CIVIL_TEXT_BYTES];
    int rc =
        store_query(store, &rows, err,
                    "SELECT product_code, piece, lot, expiry_day FROM canister WHERE id = ?", "i", canister);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "there is no canister %" PRId64, canister);
    if (rc == 1) {
        int64_t expiry = store_int(rows, 3);
        if (expiry < INT32_MIN / 2 || expiry > INT32_MAX / 2)
            expiry = 0; /* no date that anybody wrote */
        civil_format((int32_t)expiry, day);
        (void)snprintf(words->front, sizeof words->front,
                       "{\"product\":\"%s\",\"piece\":\"%s\",\"lot\":\"%s\",", store_text(rows, 0),
                       store_text(rows, 1), store_text(rows, 2)); /* a cut one differs */
        (void)snprintf(words->expiry, sizeof words->expiry, ",\"expiry\":\"%s\"}", day);
        rc = 0;
    }
    store_done(rows);
    return rc;
}

int content_seal(struct store *store, int64_t canister, int64_t pieces, const char *actor, int64_t wall_ms,
                 struct error *err)
{
    struct words words;
    char subject[40], detail[WORDS_BYTES + EXPIRY_BYTES + 40];
    int rc = words_of(store, canister, &words, err);
    if (rc)
        return rc;
    subject_of(canister, subject);
    (void)snprintf(detail, sizeof detail, "%s\"pieces\":%" PRId64 "%s", words.front, pieces,
                   words.expiry); /* fits */
    return audit_add(store, wall_ms, actor, LOAD, subject, detail, err);
}

static bool says(const char *detail, const struct words *words)
{
    const char *expiry = strstr(detail, ",\"expiry\":");
    return strncmp(detail, words->front, strlen(words->front)) == 0 &&
           (!expiry || strcmp(expiry, words->expiry) == 0);
}

int content_verify(struct store *store, int64_t canister, struct error *err)
{
    struct words words;
    struct buf detail;
    char subject[40], action[AUDIT_ACTION_BYTES];
    int rc = words_of(store, canister, &words, err);
    if (rc)
        return rc;
    subject_of(canister, subject);
    buf_init(&detail);
    rc = audit_last(store, subject, LOAD, action, &detail, err);
    if (rc == E_NOT_FOUND || (rc == 0 && !says(buf_string(&detail), &words)))
        rc = error_set(err, E_TAMPERED,
                       "canister %" PRId64
                       ": product, lot or expiry are not what the audit says of its last load: "
                       "empty it, look at it and load it anew",
                       canister);
    buf_finish(&detail);
    return rc;
}

int content_since(struct store *store, int64_t canister, int32_t *ret_day, struct error *err)
{
    int64_t since = 0;
    int rc = store_get_int(
        store, &since, err,
        "SELECT coalesce((SELECT min(moved_ms) FROM stock_move WHERE canister_id = ?1 AND kind = "
        "'load' AND id > coalesce((SELECT max(id) FROM stock_move WHERE canister_id = ?1 AND "
        "kind = 'removed'), 0)), -1)",
        "i", canister);
    *ret_day = since < 0 ? CIVIL_DAY_NONE : instant_day(since);
    return rc;
}
