/* SPDX-License-Identifier: Apache-2.0 */
/* sachet audit: who did what, when, and whether anybody changed the record of it. */
#include <inttypes.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/seal/seal.h"
#include "controller/store/anchor.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

enum {
    SHOW_MOST = 1000000,
    SHOW_DEFAULT = 50,
    DAY_MS = 24 * 60 * 60 * 1000,
    DAY_FIRST = 0,
    DAY_LAST = 2932896
};

static int run_verify(struct cli *cli, struct error *err)
{
    struct anchor_report report;
    char last[CIVIL_TEXT_BYTES] = "";
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = anchor_verify(cli->store, &report, err);
    if (rc)
        return rc;
    if (report.last_day != CIVIL_DAY_NONE)
        civil_format(report.last_day, last);
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:I, s:b, s:I, s:s, s:I, s:I, s:I}", "rows", (json_int_t)report.rows,
                                  "holds", 1, "anchors", (json_int_t)report.anchors, "last_anchor", last,
                                  "clock_set_back", (json_int_t)report.set_back, "clock_set_ahead",
                                  (json_int_t)report.set_ahead, "restored_to",
                                  (json_int_t)report.restored_to),
                        err);
    fprintf(cli->out, "%" PRId64 " audit rows, the chain holds\n", report.rows);
    if (report.anchors > 0)
        fprintf(cli->out, "%" PRId64 " anchors agree with it, the last of %s\n", report.anchors, last);
    else
        fprintf(cli->out, "no anchors: `sachet audit anchor` or sachetd makes one a day\n");
    if (report.restored_to > 0)
        fprintf(cli->out,
                "a restore went back to row %" PRId64
                ": what was recorded after it is in the store that it moved aside\n",
                report.restored_to);
    if (report.set_ahead > 0)
        fprintf(cli->out,
                "the clock had been set ahead %" PRId64
                " times, as people said: `sachet audit show --action " ANCHOR_CLOCK_WORD "`\n",
                report.set_ahead);
    if (report.set_back > 0)
        fprintf(cli->out,
                "the clock was set back %" PRId64 " times: `sachet audit show --action " AUDIT_CLOCK_BACK
                "`\n",
                report.set_back);
    return 0;
}

static int run_anchor(struct cli *cli, struct error *err)
{
    bool made = false;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = anchor_make(cli->store, clock_wall_ms(cli->clock), &made, err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:b}", "made", (int)made), err);
    fprintf(cli->out,
            made ? "today's anchor is signed, %s.anchors\n"
                 : "today or a later day has its anchor, %s.anchors\n",
            store_path(cli->store));
    return 0;
}

static int run_clock(struct cli *cli, struct error *err)
{
    struct user user;
    const char *reason = cli_option(cli, "reason");
    if (!reason)
        return error_set(err, E_ARG, "say how you know that the clock was ahead: give --reason TEXT");
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = cli_login(cli, USER_PHARMACIST, &user, err);
    if (rc == 0)
        rc = anchor_clock_word(cli->store, user.login, reason, clock_wall_ms(cli->clock), err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:b}", "recorded", 1), err);
    fprintf(cli->out, "recorded; days are anchored again from today on\n");
    return 0;
}

static json_t *audit_json(struct store_rows *rows, const char *at)
{
    json_t *detail = json_loads(store_text(rows, 5), 0, NULL);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o}", "seq", (json_int_t)store_int(rows, 0), "at", at,
                     "actor", store_text(rows, 2), "action", store_text(rows, 3), "subject",
                     store_text(rows, 4), "detail", detail ? detail : json_string(store_text(rows, 5)));
}

static int run_show(struct cli *cli, struct error *err)
{
    int64_t last = 0;
    struct store_rows *rows = NULL;
    int rc = cli_option_int(cli, "last", 1, SHOW_MOST, SHOW_DEFAULT, &last, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_query(cli->store, &rows, err,
                         "SELECT * FROM (SELECT seq, at_ms, actor, action, subject, detail FROM audit "
                         "WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR subject = ?2) "
                         "AND (?3 IS NULL OR action = ?3) ORDER BY seq DESC LIMIT ?4) ORDER BY seq",
                         "ttti", cli_option(cli, "actor"), cli_option(cli, "subject"),
                         cli_option(cli, "action"), last);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        char at[INSTANT_TEXT_BYTES];
        instant_format(store_int(rows, 1), at);
        if (cli->json) {
            rc = out_json(cli, audit_json(rows, at), err); /* NDJSON: a row a line */
            continue;
        }
        fprintf(cli->out, "%6" PRId64 "  %s  %-12s %-20s %-16s %s\n", store_int(rows, 0), at,
                store_text(rows, 2), store_text(rows, 3), store_text(rows, 4), store_text(rows, 5));
        rc = 0;
    }
    store_done(rows);
    return rc;
}

/* The rows whole, with their hashes, so that whoever gets the file can walk the chain. */
static int run_export(struct cli *cli, struct error *err)
{
    int32_t from = 0, to = 0;
    struct store_rows *rows = NULL;
    int rc = cli_option_day(cli, "from", DAY_FIRST, &from, err);
    if (rc == 0)
        rc = cli_option_day(cli, "to", DAY_LAST, &to, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_query(cli->store, &rows, err,
                         "SELECT seq, at_ms, actor, action, subject, detail, prev_hash, hash FROM audit "
                         "WHERE at_ms >= ? AND at_ms < ? ORDER BY seq",
                         "ii", (int64_t)from * DAY_MS, ((int64_t)to + 1) * DAY_MS);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        size_t prev_len = 0, hash_len = 0;
        char prev[SEAL_HASH_TEXT_BYTES] = "", hash[SEAL_HASH_TEXT_BYTES] = "";
        const void *prev_bytes = store_blob(rows, 6, &prev_len), *bytes = store_blob(rows, 7, &hash_len);
        if (prev_len == SEAL_HASH_BYTES)
            seal_hash_text(prev_bytes, prev);
        if (hash_len == SEAL_HASH_BYTES)
            seal_hash_text(bytes, hash);
        rc = out_json(cli,
                      json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "seq",
                                (json_int_t)store_int(rows, 0), "at_ms", (json_int_t)store_int(rows, 1),
                                "actor", store_text(rows, 2), "action", store_text(rows, 3), "subject",
                                store_text(rows, 4), "detail", store_text(rows, 5), "prev", prev, "hash",
                                hash),
                      err);
    }
    store_done(rows);
    return rc;
}

static const struct cli_option_row show_options[] = {
    {.name = "last", .arg = "N", .doc = "at most so many rows, the newest (50)"},
    {.name = "actor", .arg = "LOGIN", .doc = "only what this user or program did"},
    {.name = "action", .arg = "ACTION", .doc = "only this action, for example plan.sign"},
    {.name = "subject", .arg = "SUBJECT", .doc = "only what was done to this, for example plan:17"},
    {.name = NULL},
};

static const struct cli_option_row export_options[] = {
    {.name = "from", .arg = "DATE", .doc = "first day, UTC (all)"},
    {.name = "to", .arg = "DATE", .doc = "last day, UTC (all)"},
    {.name = NULL},
};

static const struct cli_option_row clock_options[] = {
    {"reason", "TEXT", "how it is known, 10 to 200 characters without quotes"}, {NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "audit verify",
        .args = "",
        .summary = "Check the whole chain of the audit trail against its anchors",
        .details =
            "Each row's hash covers what it says and the hash before it; the first row that does not hold "
            "is\n"
            "named. The anchors beside the store (STORE.anchors, signed, one a day) show a trail that was\n"
            "written anew and an older copy of the store. Copy that file elsewhere now and then.",
        .run = run_verify,
    },
    {
        .name = "audit show",
        .args = "",
        .summary = "Show who did what, when",
        .options = show_options,
        .run = run_show,
    },
    {
        .name = "audit export",
        .args = "",
        .summary = "Write the audit rows with their hashes, one JSON object a line",
        .details =
            "A row's hash is BLAKE2b-256 over: 'sachet-audit/1', seq and at_ms on lines of their own,\n"
            "then actor, action, subject, detail and prev, each as 'name BYTES:value', LF behind each.",
        .options = export_options,
        .run = run_export,
    },
    {
        .name = "audit anchor",
        .args = "",
        .summary = "Sign today's head of the audit trail, once a day (sachetd does it by itself)",
        .run = run_anchor,
    },
    {
        .name = "audit clock",
        .args = "",
        .summary =
            "Record, as a pharmacist, that the clock had been set ahead, so that days are anchored again",
        .details =
            "An anchor that was made under a clock set ahead keeps the days before its own from being\n"
            "anchored. The word stands in the trail with its reason; the anchor stays and is compared\n"
            "all the same.",
        .options = clock_options,
        .run = run_clock,
    },
};
const struct cli_group verbs_audit = {.title = "Audit", .rows = rows, .count = sizeof rows / sizeof rows[0]};
