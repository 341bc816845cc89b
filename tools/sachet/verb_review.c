/* SPDX-License-Identifier: Apache-2.0 */
/* review, approve, roll: what the pharmacist sees, and the signature. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/plan/roll_text.h"
#include "controller/review/review.h"
#include "controller/review/sign.h"
#include "controller/review/user.h"
#include "controller/seal/seal.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

static int review_one(struct cli *cli, int64_t plan, const struct review_rules *rules, struct error *err)
{
    struct arena arena;
    struct review review;
    struct buf text;
    arena_init(&arena, 0);
    buf_init(&text);
    int status = review_load(cli->store, plan, rules, &arena, &review, err);
    if (status == 0 && cli->json)
        status = review_to_json(&review, &text, err);
    else if (status == 0)
        review_to_text(&review, &text);
    if (status == 0 && text.failed)
        status = error_set(err, E_MEMORY, "no memory for the review");
    if (status == 0)
        fprintf(cli->out, "%s\n", buf_string(&text));
    buf_finish(&text);
    arena_finish(&arena);
    return status;
}

static int run_review(struct cli *cli, struct error *err)
{
    struct review_rules rules;
    int64_t *patients = NULL, plan;
    size_t count = 0;
    int found = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = review_rules_of(cli->site, &rules, err);
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = plan_newest(cli->store, patients[i], false, &plan, err);
        if (status == E_NOT_FOUND && cli_flag(cli, "all")) {
            status = 0;
            continue;
        }
        if (status == 0)
            status = review_one(cli, plan, &rules, err);
        if (status < 0 && error_class_of(status) == ERROR_CLASS_INPUT) {
            fprintf(stderr, "sachet: %s\n", err->message);
            found++;
            status = 0;
        }
    }
    free(patients);
    return status < 0 ? status : found ? CLI_FOUND : 0;
}

/* What approving one patient came to. */
static void approved(struct cli *cli, const char *name, int64_t plan, int status, const struct error *err)
{
    if (cli->json) {
        json_t *object = json_pack("{s:s,s:I,s:b,s:s}", "patient", name, "plan", (json_int_t)plan, "signed",
                                   status == 0, "why", status == 0 ? "" : err->message);
        json_dumpf(object, cli->out, JSON_COMPACT);
        fputc('\n', cli->out);
        json_decref(object);
    } else if (status == 0) {
        fprintf(cli->out, "%s: plan %" PRId64 " signed, %s\n", name, plan, REVIEW_MEANING);
    } else {
        fprintf(cli->out, "%s: NOT signed: %s\n", name, err->message);
    }
}

struct approval {
    struct review_rules rules;
    struct user user;
    struct seal_key *key;
    int signed_now, standing, refused;
};

static int approve_one(struct cli *cli, struct approval *a, int64_t patient, struct error *err)
{
    int64_t plan = 0;
    char name[256] = "?";
    int status = cli_patient_name(cli, patient, name, sizeof name, err);
    if (status < 0)
        return status;
    status = plan_newest(cli->store, patient, false, &plan, err);
    if (status == E_NOT_FOUND && cli_flag(cli, "all"))
        return 0;
    if (status == 0 && review_verify(cli->store, plan, &a->rules, NULL) == 0) {
        a->standing++;
        if (!cli->json)
            fprintf(cli->out, "%s: plan %" PRId64 " is signed already, and holds\n", name, plan);
        return 0;
    }
    if (status == 0)
        status = review_sign(cli->store, plan, &a->rules, &a->user, a->key, clock_wall_ms(cli->clock), err);
    if (status < 0 && error_class_of(status) != ERROR_CLASS_INPUT)
        return status;
    a->signed_now += status == 0;
    a->refused += status < 0;
    approved(cli, name, plan, status, err);
    return 0;
}

/* The login and the key, with one question for the password. */
static int approval_begin(struct cli *cli, struct approval *a, struct error *err)
{
    char password[SEAL_PASSWORD_MAX + 2], prompt[128];
    const char *login = cli_option(cli, "user");
    if (!login)
        return error_set(err, E_ARG, "who signs? give --user LOGIN");
    (void)snprintf(prompt, sizeof prompt, "Password of %s, to sign", login); /* a cut prompt still asks */
    int status = cli_password(cli, prompt, password, sizeof password, err);
    if (status == 0)
        status = user_login(cli->store, login, password, clock_wall_ms(cli->clock), &a->user, err);
    if (status == 0 && !user_is_pharmacist(&a->user))
        status = error_set(err, E_DENIED, "%s is a %s: only a pharmacist signs plans", login, a->user.role);
    if (status == 0)
        status = user_key_open(&a->user, password, &a->key, err);
    seal_wipe(password, sizeof password);
    return status;
}

static int run_approve(struct cli *cli, struct error *err)
{
    struct approval a = {0};
    int64_t *patients = NULL;
    size_t count = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = review_rules_of(cli->site, &a.rules, err);
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    if (status == 0)
        status = approval_begin(cli, &a, err);
    for (size_t i = 0; status == 0 && i < count; i++)
        status = approve_one(cli, &a, patients[i], err);
    seal_key_close(a.key);
    free(patients);
    if (status < 0)
        return status;
    if (!cli->json && count > 1)
        fprintf(cli->out, "%d plans signed by %s (%s), %d stood already, %d refused\n", a.signed_now,
                a.user.name, a.user.login, a.standing, a.refused);
    return a.refused ? CLI_FOUND : 0;
}

static int run_roll(struct cli *cli, struct error *err)
{
    struct arena arena;
    struct plan_row row;
    struct plan_text *plan;
    int64_t patient, id, pouches;
    int64_t *patients = NULL;
    size_t count;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = cli_option_int(cli, "pouches", 1, ROLL_POUCHES_MAX, 0, &pouches, err);
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    if (status < 0)
        return status;
    patient = patients[0];
    free(patients);
    arena_init(&arena, 0);
    status = plan_newest(cli->store, patient, false, &id, err);
    if (status == 0)
        status = plan_row_load(cli->store, id, &arena, &row, err);
    if (status == 0)
        status = plan_text_parse(row.bytes, row.len, &arena, &plan, err);
    if (status == 0) {
        struct buf text;
        buf_init(&text);
        roll_to_text(plan, (int)pouches, &text);
        fputs(buf_string(&text), cli->out);
        buf_finish(&text);
    }
    arena_finish(&arena);
    return status;
}

static const struct cli_option_row all_options[] = {{"all", NULL, "every patient who has a plan"},
                                                    {NULL, NULL, NULL}};
static const struct cli_option_row roll_options[] = {
    {"pouches", "N", "draw the labels of the first N pouches (else those of the first day)"},
    {NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "review",
        .args = "[PATIENT…]",
        .args_min = 0,
        .args_max = -1,
        .summary = "Show a patient's newest plan as a pharmacist needs to see it",
        .details =
            "Warnings first, then what changed since the last signed plan, the times a day, each drug\n"
            "with the order's words, the planned times and why, and what was left out and why. All\n"
            "of it is read from the bytes that are signed.",
        .options = all_options,
        .run = run_review,
        .findings = true,
    },
    {
        .name = "approve",
        .args = "[PATIENT…]",
        .args_min = 0,
        .args_max = -1,
        .summary = "Sign the newest plan of each patient, as a pharmacist (--user)",
        .details = "One password, one signature a plan. A plan is refused, with the reason, when an order,\n"
                   "a product or a rule changed since it was made. Status 1 when one was refused.",
        .options = all_options,
        .run = run_approve,
        .findings = true,
    },
    {
        .name = "roll",
        .args = "PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Draw the pouches of a patient's newest plan",
        .details = NULL,
        .options = roll_options,
        .run = run_roll,
    },
};
const struct cli_group verbs_review = {
    .title = "Review", .rows = rows, .count = sizeof rows / sizeof rows[0]};
