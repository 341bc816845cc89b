/* SPDX-License-Identifier: Apache-2.0 */
/* release: a pharmacist's look at a packed roll, pouch by flagged pouch, and the signature that lets it
 * leave. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/input.h"
#include "controller/plan/plan_row.h"
#include "controller/release/release.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/signer.h"
#include "tools/sachet/verbs.h"

/* A roll is named by its patient, whose signed plan it is, or by plan:N. */
static int find_roll(struct cli *cli, int64_t *ret_plan, struct error *err)
{
    int64_t patient;
    char *end;
    int status = cli_open_store(cli, err);
    if (status < 0)
        return status;
    if (strncmp(cli->argv[0], "plan:", 5) == 0) {
        *ret_plan = strtoll(cli->argv[0] + 5, &end, 10);
        return *end == '\0' && end != cli->argv[0] + 5
                   ? 0
                   : error_set(err, E_ARG, "%s: a plan is named plan:NUMBER", cli->argv[0]);
    }
    status = input_find_patient(cli->store, cli->argv[0], &patient, err);
    return status < 0 ? status : plan_newest(cli->store, patient, true, ret_plan, err);
}

static int run_list(struct cli *cli, struct error *err)
{
    struct store_rows *rows = NULL;
    int more = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = store_query(
            cli->store, &rows, err,
            "SELECT p.id, a.source_id, p.pouches, (SELECT count(*) FROM job j WHERE j.plan_id = p.id "
            "AND j.state = 'good'), coalesce(r.signed_ms, 0), coalesce(u.login, '') FROM plan p JOIN "
            "patient a ON a.id = p.patient_id LEFT JOIN release_signature r ON r.plan_id = p.id LEFT "
            "JOIN user u ON u.id = r.user_id WHERE p.state = 'signed' AND EXISTS (SELECT 1 FROM job j "
            "WHERE j.plan_id = p.id AND j.state = 'good') ORDER BY a.source_id",
            "");
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        if (cli->json)
            status =
                out_json(cli,
                         json_pack("{s:I,s:s,s:I,s:I,s:b,s:s}", "plan", (json_int_t)store_int(rows, 0),
                                   "patient", store_text(rows, 1), "pouches", (json_int_t)store_int(rows, 2),
                                   "good", (json_int_t)store_int(rows, 3), "released",
                                   store_int(rows, 4) != 0, "by", store_text(rows, 5)),
                         err);
        else
            fprintf(cli->out, "%-24s plan %-6" PRId64 " %4" PRId64 " of %4" PRId64 " pouches  %s%s\n",
                    store_text(rows, 1), store_int(rows, 0), store_int(rows, 3), store_int(rows, 2),
                    store_int(rows, 4) ? "released by " : "waits", store_text(rows, 5));
    }
    store_done(rows);
    return status < 0 ? status : more;
}

static int show_challenges(struct cli *cli, const struct release_roll *roll, struct arena *arena,
                           json_t *object, struct error *err)
{
    struct user user;
    struct release_challenge *list;
    size_t count;
    bool passed;
    const char *login = cli_option(cli, "user");
    if (!login || roll->released)
        return 0;
    int status = user_by_login(cli->store, login, &user, err);
    if (status == 0)
        status = release_challenges(cli->store, roll, &user, arena, &list, &count, &passed, err);
    if (status < 0)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct release_challenge *c = &list[i];
        const char *state = !c->answered ? "open" : c->caught ? "answered rightly" : "MISSED";
        (void)json_array_append_new(array, json_pack("{s:i,s:i,s:s,s:s}", "challenge", c->number, "pouch",
                                                     c->pouch, "shown", c->shown, "state", state));
        if (!cli->json)
            fprintf(cli->out, "challenge %d, pouch %d is said to hold: %s  [%s]\n", c->number, c->pouch,
                    c->shown, state);
    }
    if (object)
        (void)json_object_set_new(object, "challenges", array);
    else
        json_decref(array);
    return 0;
}

static int run_show(struct cli *cli, struct error *err)
{
    struct arena arena;
    struct release_roll roll;
    struct buf text;
    int64_t plan;
    int status = find_roll(cli, &plan, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    buf_init(&text);
    status = release_load(cli->store, plan, &arena, &roll, err);
    if (status == 0 && cli->json) {
        status = release_to_json(&roll, &text, err);
        json_t *object = status == 0 ? json_loads(buf_string(&text), 0, NULL) : NULL;
        if (status == 0)
            status = show_challenges(cli, &roll, &arena, object, err);
        if (status == 0)
            status = out_json(cli, object, err);
        else
            json_decref(object);
    } else if (status == 0) {
        release_to_text(&roll, &text);
        fputs(buf_string(&text), cli->out);
        status = show_challenges(cli, &roll, &arena, NULL, err);
    }
    buf_finish(&text);
    arena_finish(&arena);
    return status;
}

static int number_of(const char *text, const char *what, int *ret, struct error *err)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end || end == text || value < 1 || value > 1000000)
        return error_set(err, E_ARG, "%s: a %s is a number from 1", text, what);
    *ret = (int)value;
    return 0;
}

/* The word of two that the third argument is. */
static int either(const char *text, const char *yes, const char *no, bool *ret_yes, struct error *err)
{
    *ret_yes = strcmp(text, yes) == 0;
    return *ret_yes || strcmp(text, no) == 0 ? 0 : error_set(err, E_ARG, "%s: say %s or %s", text, yes, no);
}

static int run_answer(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t plan;
    int number;
    bool right, caught = false;
    int status = number_of(cli->argv[1], "challenge", &number, err);
    if (status == 0)
        status = either(cli->argv[2], "right", "wrong", &right, err);
    if (status == 0)
        status = find_roll(cli, &plan, err);
    if (status == 0)
        status = cli_login(cli, USER_PHARMACIST, &user, err);
    if (status == 0)
        status =
            release_answer(cli->store, plan, number, right, &user, clock_wall_ms(cli->clock), &caught, err);
    if (status < 0)
        return status;
    if (cli->json)
        status = out_json(cli, json_pack("{s:i,s:b}", "challenge", number, "caught", (int)caught), err);
    else
        fprintf(cli->out, "challenge %d: %s\n", number,
                caught ? "you saw rightly" : "MISSED: look at the record again; another round follows");
    return status < 0 ? status : caught ? 0 : CLI_FOUND;
}

static int run_decide(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t plan;
    int pouch;
    bool accept;
    const char *reason = cli_option(cli, "reason");
    if (!reason)
        return error_set(err, E_ARG, "why? give --reason TEXT");
    int status = number_of(cli->argv[1], "pouch", &pouch, err);
    if (status == 0)
        status = either(cli->argv[2], "accept", "reject", &accept, err);
    if (status == 0)
        status = find_roll(cli, &plan, err);
    if (status == 0)
        status = cli_login(cli, USER_PHARMACIST, &user, err);
    if (status == 0)
        status =
            release_decide(cli->store, plan, pouch, accept, reason, &user, clock_wall_ms(cli->clock), err);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli, json_pack("{s:i,s:b}", "pouch", pouch, "accepted", (int)accept), err);
    fprintf(cli->out, "pouch %d: %s\n", pouch, accept ? "accepted" : "rejected");
    return 0;
}

static int run_sign(struct cli *cli, struct error *err)
{
    struct user user;
    struct seal_key *key = NULL;
    int64_t plan;
    int status = find_roll(cli, &plan, err);
    if (status == 0)
        status = signer_open(cli, "to sign the release", &user, &key, err);
    if (status == 0)
        status = release_sign(cli->store, plan, cli->argv + 1, (size_t)cli->argc - 1, &user, key,
                              clock_wall_ms(cli->clock), err);
    seal_key_close(key);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli, json_pack("{s:I,s:b}", "plan", (json_int_t)plan, "released", 1), err);
    fprintf(cli->out, "roll of plan %" PRId64 ": %s\n", plan, RELEASE_MEANING);
    return 0;
}

static int run_verify(struct cli *cli, struct error *err)
{
    int64_t plan;
    int status = find_roll(cli, &plan, err);
    if (status == 0)
        status = release_verify(cli->store, plan, err);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli, json_pack("{s:I,s:b}", "plan", (json_int_t)plan, "holds", 1), err);
    fprintf(cli->out, "the release of plan %" PRId64 " holds\n", plan);
    return 0;
}

static const struct cli_option_row decide_options[] = {{"reason", "TEXT", "why, 10 to 500 characters"},
                                                       {NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "release list",
        .args = "",
        .summary = "List packed rolls, those that wait for a pharmacist and those that are released",
        .run = run_list,
    },
    {
        .name = "release show",
        .args = "ROLL",
        .args_min = 1,
        .args_max = 1,
        .summary = "Show a packed roll, flagged pouches first, and with --user the challenges",
        .details =
            "ROLL is a patient (the newest signed plan) or plan:NUMBER. A challenge says what a pouch is\n"
            "said to hold; some are altered on purpose. Compare it with the pouch or the record.",
        .run = run_show,
    },
    {
        .name = "release answer",
        .args = "ROLL CHALLENGE right|wrong",
        .args_min = 3,
        .args_max = 3,
        .summary = "Answer a challenge (--user)",
        .run = run_answer,
        .findings = true,
    },
    {
        .name = "release decide",
        .args = "ROLL POUCH accept|reject",
        .args_min = 3,
        .args_max = 3,
        .summary = "Decide about one flagged pouch, with a reason (--user)",
        .details = "One pouch at a time; decisions that come faster than a look takes are refused.",
        .options = decide_options,
        .run = run_decide,
    },
    {
        .name = "release sign",
        .args = "ROLL NUMBER…",
        .args_min = 1,
        .args_max = -1,
        .summary = "Release a roll, as a pharmacist who did not pack it (--user)",
        .details =
            "NUMBER… are the printed numbers scanned from the strip: its first and last pouch, and the one\n"
            "behind each cut where a void pouch was taken out.",
        .run = run_sign,
    },
    {
        .name = "release verify",
        .args = "ROLL",
        .args_min = 1,
        .args_max = 1,
        .summary = "Look again at everything that a release says",
        .run = run_verify,
    },
};
const struct cli_group verbs_release = {
    .title = "Release", .rows = rows, .count = sizeof rows / sizeof rows[0]};
