/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row's hash is BLAKE2b-256 over its canonical text: a format line, then each field as "name length:value"
 * (lengths in bytes, so that no value can pass for another field), then the hash of the row before in hex.
 * The first row follows a hash of zeros. Sequence numbers have no gap. What the chain alone cannot show is a
 * cut at its end, or that all of it was written anew: for that there are anchors (anchor.h).
 */
#include "controller/store/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"

struct audit_row {
    int64_t seq;
    int64_t at_ms;
    const char *actor;
    const char *action;
    const char *subject;
    const char *detail;
};

static void field_add(struct buf *buf, const char *name, const char *value)
{
    buf_printf(buf, "%s %zu:%s\n", name, strlen(value), value);
}

static int row_hash(const struct audit_row *row, const uint8_t prev[SEAL_HASH_BYTES],
                    uint8_t ret_hash[SEAL_HASH_BYTES], struct error *err)
{
    struct buf buf;
    char prev_text[SEAL_HASH_TEXT_BYTES];
    seal_hash_text(prev, prev_text);
    buf_init(&buf);
    buf_text(&buf, "sachet-audit/1\n");
    buf_printf(&buf, "seq %" PRId64 "\nat_ms %" PRId64 "\n", row->seq, row->at_ms);
    field_add(&buf, "actor", row->actor);
    field_add(&buf, "action", row->action);
    field_add(&buf, "subject", row->subject);
    field_add(&buf, "detail", row->detail);
    field_add(&buf, "prev", prev_text);
    bool failed = buf.failed;
    if (!failed)
        seal_hash(buf.data, buf.len, ret_hash);
    buf_finish(&buf);
    return failed ? error_set(err, E_MEMORY, "out of memory hashing an audit row") : 0;
}

/* The last row's number, hash and instant; zeros for an empty chain. */
static int head_read(struct store *store, int64_t *ret_seq, uint8_t ret_hash[SEAL_HASH_BYTES],
                     int64_t *ret_at_ms, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err, "SELECT seq, hash, at_ms FROM audit ORDER BY seq DESC LIMIT 1", "");
    if (rc)
        return rc;
    rc = store_next(rows, err);
    if (rc == 1) {
        size_t len = 0;
        const void *hash = store_blob(rows, 1, &len);
        *ret_seq = store_int(rows, 0);
        *ret_at_ms = store_int(rows, 2);
        rc = 0;
        if (len == SEAL_HASH_BYTES)
            memcpy(ret_hash, hash, len);
        else
            rc = error_set(err, E_TAMPERED, "audit row %" PRId64 " has no proper hash: `sachet audit verify`",
                           *ret_seq);
    } else if (rc == 0) {
        *ret_seq = 0;
        *ret_at_ms = 0;
        memset(ret_hash, 0, SEAL_HASH_BYTES);
    }
    store_done(rows);
    return rc;
}

int audit_head(struct store *store, int64_t *ret_seq, uint8_t ret_hash[SEAL_HASH_BYTES], struct error *err)
{
    int64_t at_ms;
    return head_read(store, ret_seq, ret_hash, &at_ms, err);
}

/* Puts the row behind `prev`, which becomes its own hash. */
static int row_add(struct store *store, struct audit_row *row, uint8_t prev[SEAL_HASH_BYTES],
                   struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    row->seq++;
    int rc = row_hash(row, prev, hash, err);
    if (rc == 0)
        rc = store_exec(store, err,
                        "INSERT INTO audit (seq, at_ms, actor, action, subject, detail, prev_hash, hash) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        "iittttbb", row->seq, row->at_ms, row->actor, row->action, row->subject, row->detail,
                        prev, (size_t)SEAL_HASH_BYTES, hash, sizeof hash);
    memcpy(prev, hash, sizeof hash);
    return rc;
}

int audit_add(struct store *store, int64_t wall_ms, const char *actor, const char *action,
              const char *subject, const char *detail_json, struct error *err)
{
    uint8_t prev[SEAL_HASH_BYTES];
    char back[80];
    int64_t before = 0;
    struct audit_row row = {.at_ms = wall_ms,
                            .actor = actor,
                            .action = action,
                            .subject = subject,
                            .detail = detail_json ? detail_json : "{}"};
    if (!store_in_write(store))
        return error_set(err, E_STATE, "an audit row needs the transaction of what it tells");
    int rc = head_read(store, &row.seq, prev, &before, err);
    if (rc == 0 && before - wall_ms > AUDIT_BACK_MS) {
        (void)snprintf(back, sizeof back, "{\"from_ms\":%" PRId64 ",\"to_ms\":%" PRId64 "}", before,
                       wall_ms); /* fits */
        struct audit_row said = row;
        said.actor = "sachet";
        said.action = AUDIT_CLOCK_BACK;
        said.subject = "clock";
        said.detail = back;
        rc = row_add(store, &said, prev, err);
        row.seq = said.seq;
    }
    return rc == 0 ? row_add(store, &row, prev, err) : rc;
}

/* Checks the row under the cursor against what came before, and moves `seq` and `prev` on to it. */
static int row_verify(struct store_rows *rows, int64_t *seq, uint8_t prev[SEAL_HASH_BYTES], struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    const struct audit_row row = {.seq = store_int(rows, 0),
                                  .at_ms = store_int(rows, 1),
                                  .actor = store_text(rows, 2),
                                  .action = store_text(rows, 3),
                                  .subject = store_text(rows, 4),
                                  .detail = store_text(rows, 5)};
    if (row.seq != *seq + 1)
        return error_set(err, E_TAMPERED, "audit row %" PRId64 " is missing: %" PRId64 " follows %" PRId64,
                         *seq + 1, row.seq, *seq);
    size_t prev_len = 0;
    size_t hash_len = 0;
    const void *stored_prev = store_blob(rows, 6, &prev_len);
    const void *stored_hash = store_blob(rows, 7, &hash_len);
    if (prev_len != SEAL_HASH_BYTES || memcmp(stored_prev, prev, SEAL_HASH_BYTES) != 0)
        return error_set(err, E_TAMPERED, "audit row %" PRId64 " does not follow the row before it", row.seq);
    int rc = row_hash(&row, prev, hash, err);
    if (rc)
        return rc;
    if (hash_len != SEAL_HASH_BYTES || memcmp(stored_hash, hash, SEAL_HASH_BYTES) != 0)
        return error_set(err, E_TAMPERED, "audit row %" PRId64 " was changed after it was written", row.seq);
    *seq = row.seq;
    memcpy(prev, hash, sizeof hash);
    return 0;
}

/* The row under the cursor as it was written, whatever stands before it. */
static int row_alone_verify(struct store_rows *rows, struct error *err)
{
    size_t len = 0;
    uint8_t prev[SEAL_HASH_BYTES];
    int64_t before = store_int(rows, 0) - 1;
    const void *stored = store_blob(rows, 6, &len);
    if (len != sizeof prev)
        return error_set(err, E_TAMPERED, "audit row %" PRId64 " has no proper hash", before + 1);
    memcpy(prev, stored, sizeof prev);
    return row_verify(rows, &before, prev, err);
}

int audit_last(struct store *store, const char *subject, const char *actions,
               char ret_action[AUDIT_ACTION_BYTES], struct buf *detail, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(store, &rows, err,
                    "SELECT seq, at_ms, actor, action, subject, detail, prev_hash, hash FROM audit WHERE "
                    "subject = ? AND action GLOB ? ORDER BY seq DESC LIMIT 1",
                    "tt", subject, actions);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "the audit says nothing of %s", subject);
    if (rc == 1)
        rc = row_alone_verify(rows, err);
    if (rc == 0) {
        (void)snprintf(ret_action, AUDIT_ACTION_BYTES, "%s", store_text(rows, 3)); /* actions are short */
        buf_text(detail, store_text(rows, 5));
        if (detail->failed)
            rc = error_set(err, E_MEMORY, "out of memory reading the audit");
    }
    store_done(rows);
    return rc;
}

int audit_says(struct store *store, const char *subject, const char *actions, const char *action,
               const char *detail, struct error *err)
{
    char said[AUDIT_ACTION_BYTES];
    struct buf text;
    buf_init(&text);
    int rc = audit_last(store, subject, actions, said, &text, err);
    if (rc == E_NOT_FOUND ||
        (rc == 0 && (strcmp(said, action) != 0 || strcmp(buf_string(&text), detail) != 0)))
        rc = error_set(err, E_TAMPERED,
                       "%s is not what the audit says of it: it was changed outside of sachet", subject);
    buf_finish(&text);
    return rc;
}

int audit_verify(struct store *store, int64_t *ret_rows, struct error *err)
{
    struct store_rows *rows = NULL;
    uint8_t prev[SEAL_HASH_BYTES] = {0};
    int64_t seq = 0;
    int rc = store_query(store, &rows, err,
                         "SELECT seq, at_ms, actor, action, subject, detail, prev_hash, hash FROM audit "
                         "ORDER BY seq",
                         "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1)
        rc = row_verify(rows, &seq, prev, err);
    store_done(rows);
    *ret_rows = seq;
    return rc;
}
