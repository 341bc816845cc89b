/* SPDX-License-Identifier: Apache-2.0 */
/* review, approve, roll: what the pharmacist sees, and the signature. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/pack/withdraw.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/plan/roll_text.h"
#include "controller/refill/change.h"
#include "controller/refill/record.h"
#include "controller/review/review.h"
#include "controller/review/sign.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/signer.h"
#include "tools/sachet/verbs.h"

enum { WITHDRAW_PLANS_MAX = 64 };

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
    struct review_rules rules = {0};
    int64_t *patients = NULL, plan;
    size_t count = 0;
    int found = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = review_rules_of(cli->site, cli->clock, &rules, err);
    rules.today = cli->today;
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
    review_rules_finish(&rules);
    free(patients);
    return status < 0 ? status : found ? CLI_FOUND : 0;
}

/* What approving one patient came to: signed now, signed before, or refused with status and err. */
static int approved(struct cli *cli, const struct cli_patient *patient, int64_t plan, bool stood, int status,
                    struct error *err)
{
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:s,s:s,s:I,s:b,s:b,s:s}", "patient", patient->id, "name", patient->name,
                                  "plan", (json_int_t)plan, "signed", status == 0, "already", stood, "why",
                                  status == 0 ? "" : err->message),
                        err);
    if (stood)
        fprintf(cli->out, "%s: plan %" PRId64 " is signed already, and holds\n", patient->shown, plan);
    else if (status == 0)
        fprintf(cli->out, "%s: plan %" PRId64 " signed, %s\n", patient->shown, plan, REVIEW_MEANING);
    else
        fprintf(cli->out, "%s: NOT signed: %s\n", patient->shown, err->message);
    return 0;
}

struct approval {
    struct review_rules rules;
    struct user user;
    struct seal_key *key;
    int signed_now, standing, refused;
};

/* Pouches of the patient's earlier plans for days that the new one covers are not made any more. Packing them
 * was refused from the signature on; this takes back what is asked of a machine already. */
static int withdraw_older(struct cli *cli, const struct approval *a, int64_t patient, int64_t plan,
                          struct error *err)
{
    struct store_rows *rows = NULL;
    struct arena arena;
    int64_t older[WITHDRAW_PLANS_MAX], start = 0;
    size_t count = 0;
    int more = 0;
    int status = store_get_int(cli->store, &start, err, "SELECT start_day FROM plan WHERE id = ?", "i", plan);
    if (status == 0)
        status = store_query(cli->store, &rows, err,
                             "SELECT DISTINCT p.id FROM plan p JOIN job j ON j.plan_id = p.id WHERE "
                             "p.patient_id = ? AND p.id <> ? AND p.start_day + p.days > ? AND j.state IN "
                             "('waiting', 'sent') ORDER BY p.id",
                             "iii", patient, plan, start);
    while (status == 0 && count < WITHDRAW_PLANS_MAX && (more = store_next(rows, err)) > 0)
        older[count++] = store_int(rows, 0);
    store_done(rows);
    if (status < 0 || more < 0 || count == 0)
        return status < 0 ? status : more < 0 ? more : 0;
    arena_init(&arena, 0);
    status = store_write_begin(cli->store, err);
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct withdraw_result result;
        char reason[64];
        (void)snprintf(reason, sizeof reason, "plan %" PRId64 " took its place", plan); /* fits */
        const struct withdraw_request request = {.plan = older[i],
                                                 .from_day = (int32_t)start,
                                                 .unmade_only = true,
                                                 .reason = reason,
                                                 .actor = a->user.login,
                                                 .wall_ms = clock_wall_ms(cli->clock)};
        status = batch_withdraw(cli->store, &request, &arena, &result, err);
    }
    status = status < 0 ? status : store_write_commit(cli->store, err);
    store_write_rollback(cli->store);
    arena_finish(&arena);
    return status;
}

/* Pouches that are made: those that read the same in the new plan serve in it, the others are called back. */
static int settle_made(struct cli *cli, const struct approval *a, int64_t patient, struct error *err)
{
    int kept = 0, called = 0;
    const struct record_by by = {a->user.login, "", cli->today, clock_wall_ms(cli->clock)};
    int status = change_settle(cli->store, patient, &by, &kept, &called, err);
    if (status == 0 && kept > 0)
        fprintf(stderr, "sachet: %d pouches that are made already serve in it\n", kept);
    if (status == 0 && called > 0)
        fprintf(stderr, "sachet: %d pouches that are made already must be taken back: sachet pull\n", called);
    return status;
}

static int approve_one(struct cli *cli, struct approval *a, int64_t patient, struct error *err)
{
    int64_t plan = 0;
    struct cli_patient known;
    int status = cli_patient_get(cli, patient, &known, err);
    if (status < 0)
        return status;
    status = plan_newest(cli->store, patient, false, &plan, err);
    if (status == E_NOT_FOUND && cli_flag(cli, "all"))
        return 0;
    if (status == 0 && review_verify(cli->store, plan, &a->rules, NULL) == 0) {
        a->standing++;
        return approved(cli, &known, plan, true, 0, err);
    }
    if (status == 0)
        status = review_sign(cli->store, plan, &a->rules, &a->user, a->key, clock_wall_ms(cli->clock), err);
    if (status < 0 && error_class_of(status) != ERROR_CLASS_INPUT)
        return status;
    if (status == 0) {
        status = withdraw_older(cli, a, patient, plan, err);
        if (status == 0)
            status = settle_made(cli, a, patient, err);
        if (status < 0)
            return error_prefix(err, status, "plan %" PRId64 " is signed, but older pouches stand", plan);
    }
    a->signed_now += status == 0;
    a->refused += status < 0;
    return approved(cli, &known, plan, false, status, err);
}

static int run_approve(struct cli *cli, struct error *err)
{
    struct approval a = {0};
    int64_t *patients = NULL;
    size_t count = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = review_rules_of(cli->site, cli->clock, &a.rules, err);
    a.rules.today = cli->today;
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    if (status == 0)
        status = signer_open(cli, "to sign", &a.user, &a.key, err);
    for (size_t i = 0; status == 0 && i < count; i++)
        status = approve_one(cli, &a, patients[i], err);
    seal_key_close(a.key);
    review_rules_finish(&a.rules);
    free(patients);
    if (status < 0)
        return status;
    if (!cli->json && count > 1)
        fprintf(cli->out, "%d plans signed by %s (%s), %d stood already, %d refused\n", a.signed_now,
                a.user.name, a.user.login, a.standing, a.refused);
    return a.refused ? CLI_FOUND : 0;
}

static json_t *pouch_json(const struct plan_pouch *pouch)
{
    char day[CIVIL_TEXT_BYTES], time[TOD_TEXT_BYTES];
    json_t *items = json_array();
    civil_format(pouch->day, day);
    tod_format(pouch->minute, time);
    for (size_t i = 0; i < pouch->item_count; i++)
        (void)json_array_append_new(items, json_pack("{s:s, s:s, s:i}", "product", pouch->items[i].code,
                                                     "piece", roll_piece_text(pouch->items[i].piece), "count",
                                                     pouch->items[i].count));
    return json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:s, s:o}", "pouch", pouch->number, "date", day, "time",
                     time, "slot", pouch->slot, "part", pouch->part, "parts", pouch->parts, "label",
                     pouch->label, "items", items);
}

static int roll_json(struct cli *cli, int64_t plan, const struct plan_text *text, struct error *err)
{
    char start[CIVIL_TEXT_BYTES];
    json_t *pouches = json_array();
    civil_format(text->start_day, start);
    for (size_t i = 0; i < text->pouch_count; i++)
        (void)json_array_append_new(pouches, pouch_json(&text->pouches[i]));
    return out_json(cli,
                    json_pack("{s:s, s:s, s:I, s:i, s:s, s:i, s:o}", "patient", text->patient_id, "name",
                              text->patient_name, "plan", (json_int_t)plan, "version", text->version, "start",
                              start, "days", text->days, "pouches", pouches),
                    err);
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
    if (status == 0 && cli->json) {
        status = roll_json(cli, id, plan, err);
    } else if (status == 0) {
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
        .details = "With --json all pouches, whatever --pouches says.",
        .options = roll_options,
        .run = run_roll,
    },
};
const struct cli_group verbs_review = {
    .title = "Review", .rows = rows, .count = sizeof rows / sizeof rows[0]};
