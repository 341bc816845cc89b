/* SPDX-License-Identifier: Apache-2.0 */
/* schedule and verify-schedule: pure filters over JSON, without site, store or clock. */
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "controller/plan/documents/regimen_json.h"
#include "controller/plan/documents/schedule_json.h"
#include "controller/plan/documents/schedule_verify.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/verbs.h"

/* One regimen in, one line out. A refused one gives a line too, so that results stay in input order. */
static int schedule_one(struct cli *cli, const char *path, size_t place, const struct json_t *object,
                        const struct slots_options *options, bool *found, struct error *err)
{
    struct arena arena;
    struct buf line;
    struct regimen *regimen;
    struct slots_result *result;
    arena_init(&arena, 0);
    buf_init(&line);
    int rc = regimen_from_json(object, &arena, &regimen, err);
    if (!rc)
        rc = slots_solve(regimen, options, &arena, &result, err);
    if (!rc)
        rc = schedule_to_json(regimen, result, &line, err);
    if (!rc) {
        *found |= result->status != SLOTS_OPTIMAL;
        (void)fprintf(cli->out, "%s\n", buf_string(&line)); /* the frame checks out at the end */
    } else if (error_class_of(rc) == ERROR_CLASS_INPUT) {
        *found = true;
        (void)fprintf(stderr, "%s: regimen %zu: %s\n", path, place, err->message);
        schedule_refusal_to_json(object, err, &line);
        (void)fprintf(cli->out, "%s\n", buf_string(&line));
        rc = 0;
    }
    buf_finish(&line);
    arena_finish(&arena);
    return rc;
}

/* Half a minute of a regimen that no proof has been found for; ordinary ones need some hundred nodes. */
enum { BUDGET_DEFAULT = 1000000 };

static int run_schedule(struct cli *cli, struct error *err)
{
    struct slots_options options = {.explain = cli_flag(cli, "explain")};
    struct json_documents *documents = NULL;
    struct buf text;
    bool found = false;
    int64_t budget = 0;
    int64_t levels = 5;
    int rc = cli_option_int(cli, "budget", 0, INT64_MAX, BUDGET_DEFAULT, &budget, err);
    if (!rc)
        rc = cli_option_int(cli, "levels", 1, 5, 5, &levels, err);
    if (rc)
        return rc;
    options.node_budget = (uint64_t)budget;
    options.levels = (int)levels;
    buf_init(&text);
    rc = file_read_or_stdin(cli->argv[0], JSON_DOCUMENT_BYTES_MAX, &text, err);
    if (!rc)
        rc = json_documents_open(&documents, buf_string(&text), text.len, err);
    size_t place = 0;
    while (!rc) {
        struct json_t *object = json_documents_next(documents, &rc, err);
        if (!object)
            break;
        rc = schedule_one(cli, cli->argv[0], ++place, object, &options, &found, err);
    }
    if (rc == E_SYNTAX || rc == E_LIMIT)
        (void)error_prefix(err, rc, "%s", cli->argv[0]);
    if (!rc && place == 0)
        rc = error_set(err, E_INPUT, "%s: holds no regimen", cli->argv[0]);
    json_documents_close(documents);
    buf_finish(&text);
    return rc ? rc : found ? CLI_FOUND : 0;
}

/* Both files as documents; text[] and documents[] are the caller's to give back. */
static int open_both(struct cli *cli, struct buf text[2], struct json_documents *documents[2],
                     struct error *err)
{
    for (int i = 0; i < 2; i++) {
        int rc = file_read_or_stdin(cli->argv[i], JSON_DOCUMENT_BYTES_MAX, &text[i], err);
        if (!rc)
            rc = json_documents_open(&documents[i], buf_string(&text[i]), text[i].len, err);
        if (rc == E_SYNTAX || rc == E_LIMIT)
            (void)error_prefix(err, rc, "%s", cli->argv[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static int verify_all(struct cli *cli, struct json_documents *documents[2], size_t *ret_good, size_t *ret_bad,
                      struct error *err)
{
    for (size_t place = 1;; place++) {
        struct json_t *object[2];
        for (int i = 0; i < 2; i++) {
            int rc;
            object[i] = json_documents_next(documents[i], &rc, err);
            if (rc) {
                (void)error_prefix(err, rc, "%s", cli->argv[i]);
                return rc;
            }
        }
        if (!object[0] && !object[1])
            return 0;
        if (!object[0] || !object[1])
            return error_set(err, E_INPUT, "%s holds fewer objects than %s", cli->argv[object[0] ? 1 : 0],
                             cli->argv[object[0] ? 0 : 1]);
        struct arena arena;
        arena_init(&arena, 0);
        int rc = schedule_verify(object[0], object[1], &arena, err);
        arena_finish(&arena);
        if (rc && error_class_of(rc) != ERROR_CLASS_INPUT)
            return rc;
        if (rc)
            (void)fprintf(stderr, "%s: result %zu: %s\n", cli->argv[1], place, err->message);
        *(rc ? ret_bad : ret_good) += 1;
    }
}

static int run_verify(struct cli *cli, struct error *err)
{
    struct buf text[2];
    struct json_documents *documents[2] = {NULL, NULL};
    size_t good = 0;
    size_t bad = 0;
    buf_init(&text[0]);
    buf_init(&text[1]);
    int rc = open_both(cli, text, documents, err);
    if (!rc)
        rc = verify_all(cli, documents, &good, &bad, err);
    if (!rc && cli->json)
        (void)fprintf(cli->out, "{\"verified\":%zu,\"rejected\":%zu}\n", good, bad);
    else if (!rc)
        (void)fprintf(cli->out, "%zu verified, %zu rejected\n", good, bad);
    for (int i = 0; i < 2; i++) {
        json_documents_close(documents[i]);
        buf_finish(&text[i]);
    }
    return rc ? rc : bad ? CLI_FOUND : 0;
}

static const struct cli_option_row schedule_options[] = {
    {"explain", NULL, "say why not fewer, what binds each dose, and what each rule costs"},
    {"levels", "N", "prove only the first N of the five objectives"},
    {"budget", "NODES",
     "give up after so many search nodes (1000000; 0: never); the result then says \"budget\""},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "schedule",
        .args = "FILE|-",
        .args_min = 1,
        .args_max = 1,
        .summary = "Find the fewest daily dose slots of a regimen, with a proof",
        .details = "Reads sachet-regimen/1: one object, an array, or one object a line. Writes one\n"
                   "sachet-schedule/1 object a line in input order. Status 1 when a regimen was refused,\n"
                   "is infeasible, or ran out of its budget.",
        .options = schedule_options,
        .run = run_schedule,
        .findings = true,
    },
    {
        .name = "verify-schedule",
        .args = "INSTANCE RESULT",
        .args_min = 2,
        .args_max = 2,
        .summary = "Check a schedule and its proof without solving anything",
        .details =
            "INSTANCE holds sachet-regimen/1, RESULT what schedule wrote for it: one object each, or\n"
            "as many of one as of the other, in the same order. Replays the certificate with code of its\n"
            "own. Status 1 when a result is not what it claims to be.",
        .run = run_verify,
        .findings = true,
    },
};
const struct cli_group verbs_schedule = {
    .title = "Schedules", .rows = rows, .count = sizeof rows / sizeof rows[0]};
