/* SPDX-License-Identifier: Apache-2.0 */
/* checks, allergy, condition: what the machine found in plans, what pharmacists answered, and what it knows
 * of a patient. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/clinical/clinical.h"
#include "controller/plan/input.h"
#include "controller/plan/plan_row.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

/* One patient's newest plan and the rules. */
struct subject {
    struct clinical_rules *rules;
    int64_t patient, plan;
};

static int subject_open(struct cli *cli, struct subject *s, struct error *err)
{
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = input_find_patient(cli->store, cli->argv[0], &s->patient, err);
    if (status == 0)
        status = plan_newest(cli->store, s->patient, false, &s->plan, err);
    if (status == 0)
        status = clinical_rules_load(cli->site, &s->rules, err);
    return status;
}

/* Counts over several patients: how much the checks ask of a pharmacist. */
struct load {
    size_t plans, with_any, open[CLINICAL_GRADES], answered;
};

static int show_one(struct cli *cli, const struct clinical_rules *rules, int64_t patient, int64_t plan,
                    struct load *load, bool quiet, struct error *err)
{
    struct arena arena;
    struct cli_patient known;
    struct clinical_findings findings;
    struct buf text;
    arena_init(&arena, 0);
    buf_init(&text);
    int status = cli_patient_get(cli, patient, &known, err);
    if (status == 0)
        status = clinical_check_plan(cli->store, rules, plan, cli->today, &arena, &findings, err);
    if (status == 0) {
        load->plans++;
        load->with_any += findings.count - findings.answered > findings.open[CLINICAL_NOTE];
        load->answered += findings.answered;
        for (int i = 0; i < CLINICAL_GRADES; i++)
            load->open[i] += findings.open[i];
    }
    if (status == 0 && !quiet && cli->json) {
        status = clinical_to_json(&findings, &text, err);
        if (status == 0)
            status = out_json(cli,
                              json_pack("{s:s,s:I,s:b,s:o}", "patient", known.id, "plan", (json_int_t)plan,
                                        "blocked", clinical_blocked(&findings, NULL) < 0, "findings",
                                        json_loads(buf_string(&text), 0, NULL)),
                              err);
    } else if (status == 0 && !quiet && (findings.count > 0 || !cli_flag(cli, "all"))) {
        clinical_to_text(&findings, cli_flag(cli, "folded"), &text);
        fprintf(cli->out, "%s, plan %" PRId64 "\n%s", known.shown, plan, buf_string(&text));
    }
    buf_finish(&text);
    arena_finish(&arena);
    return status;
}

static int load_report(struct cli *cli, const struct load *load, struct error *err)
{
    if (cli->json)
        return out_json(
            cli,
            json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "plans", (json_int_t)load->plans, "with_findings",
                      (json_int_t)load->with_any, "stop", (json_int_t)load->open[CLINICAL_STOP], "serious",
                      (json_int_t)load->open[CLINICAL_SERIOUS], "caution",
                      (json_int_t)load->open[CLINICAL_CAUTION], "note", (json_int_t)load->open[CLINICAL_NOTE],
                      "answered", (json_int_t)load->answered),
            err);
    fprintf(cli->out,
            "%zu plans, %zu with something to look at: %zu stop, %zu serious, %zu caution, %zu notes; %zu "
            "answered\n",
            load->plans, load->with_any, load->open[CLINICAL_STOP], load->open[CLINICAL_SERIOUS],
            load->open[CLINICAL_CAUTION], load->open[CLINICAL_NOTE], load->answered);
    return 0;
}

static int show_all(struct cli *cli, bool quiet, struct load *load, struct error *err)
{
    struct clinical_rules *rules = NULL;
    int64_t *patients = NULL, plan;
    size_t count = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = clinical_rules_load(cli->site, &rules, err);
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = plan_newest(cli->store, patients[i], false, &plan, err);
        if (status == E_NOT_FOUND && cli_flag(cli, "all"))
            status = 0;
        else if (status == 0)
            status = show_one(cli, rules, patients[i], plan, load, quiet, err);
    }
    clinical_rules_destroy(rules);
    free(patients);
    return status;
}

static int run_show(struct cli *cli, struct error *err)
{
    struct load load = {0};
    int status = show_all(cli, false, &load, err);
    if (status == 0 && cli_flag(cli, "all") && !cli->json)
        status = load_report(cli, &load, err);
    return status < 0 ? status : load.open[CLINICAL_STOP] + load.open[CLINICAL_SERIOUS] > 0 ? CLI_FOUND : 0;
}

static int run_load(struct cli *cli, struct error *err)
{
    struct load load = {0};
    int status = show_all(cli, true, &load, err);
    return status < 0 ? status : load_report(cli, &load, err);
}

static int said(struct cli *cli, const char *what, struct error *err)
{
    if (cli->json)
        return out_json(cli, json_pack("{s:s,s:s}", "patient", cli->argv[0], "done", what), err);
    fprintf(cli->out, "%s: %s\n", cli->argv[0], what);
    return 0;
}

static int run_answer(struct cli *cli, struct error *err)
{
    struct subject s = {0};
    struct user user;
    int32_t until = CIVIL_DAY_NONE;
    const char *reason = cli_option(cli, "reason");
    int status = cli_option_day(cli, "until", CIVIL_DAY_NONE, &until, err);
    if (status == 0 && (!reason || until == CIVIL_DAY_NONE))
        status = error_set(err, E_ARG, "why, and until when? give --reason TEXT and --until DATE");
    if (status == 0)
        status = subject_open(cli, &s, err);
    if (status == 0)
        status = cli_login(cli, USER_PHARMACIST, &user, err);
    if (status == 0)
        status = clinical_answer(cli->store, s.rules, s.plan, cli->argv[1], reason, until, cli->today, &user,
                                 clock_wall_ms(cli->clock), err);
    clinical_rules_destroy(s.rules);
    return status < 0 ? status : said(cli, "answered", err);
}

/* The patient and who acts, for what changes one fact. */
static int act_open(struct cli *cli, int64_t *ret_patient, struct user *ret_user, struct error *err)
{
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = input_find_patient(cli->store, cli->argv[0], ret_patient, err);
    return status < 0 ? status : cli_login(cli, USER_PHARMACIST, ret_user, err);
}

static int run_withdraw(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t patient;
    int status = act_open(cli, &patient, &user, err);
    if (status == 0)
        status = clinical_withdraw(cli->store, patient, cli->argv[1], &user, clock_wall_ms(cli->clock), err);
    return status < 0 ? status : said(cli, "answer withdrawn", err);
}

static int run_allergy_add(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t patient;
    int status = act_open(cli, &patient, &user, err);
    if (status == 0)
        status =
            clinical_allergy_add(cli->store, patient, cli->argv[1], &user, clock_wall_ms(cli->clock), err);
    return status < 0 ? status : said(cli, "allergy recorded", err);
}

static int run_allergy_end(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t patient;
    const char *reason = cli_option(cli, "reason");
    if (!reason)
        return error_set(err, E_ARG, "why? give --reason TEXT");
    int status = act_open(cli, &patient, &user, err);
    if (status == 0)
        status = clinical_allergy_end(cli->store, patient, cli->argv[1], reason, &user,
                                      clock_wall_ms(cli->clock), err);
    return status < 0 ? status : said(cli, "allergy ended", err);
}

static int run_condition_set(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t patient, value = 1;
    int32_t until = CIVIL_DAY_NONE;
    int status = cli_option_day(cli, "until", CIVIL_DAY_NONE, &until, err);
    if (status == 0)
        status = cli_option_int(cli, "value", 1, 200, 0, &value, err);
    if (status == 0)
        status = act_open(cli, &patient, &user, err);
    if (status == 0)
        status = clinical_condition_set(cli->store, patient, cli->argv[1], (int)value, until, &user,
                                        clock_wall_ms(cli->clock), err);
    return status < 0 ? status : said(cli, "condition recorded", err);
}

static int run_condition_end(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t patient;
    int status = act_open(cli, &patient, &user, err);
    if (status == 0)
        status =
            clinical_condition_end(cli->store, patient, cli->argv[1], &user, clock_wall_ms(cli->clock), err);
    return status < 0 ? status : said(cli, "condition ended", err);
}

static const struct cli_option_row show_options[] = {
    {"all", NULL, "every patient who has a plan, and the sum of it"},
    {"folded", NULL, "show notes and answered findings, too"},
    {NULL, NULL, NULL}};
static const struct cli_option_row load_options[] = {{"all", NULL, "every patient who has a plan"},
                                                     {NULL, NULL, NULL}};
static const struct cli_option_row answer_options[] = {
    {"reason", "TEXT", "why it may stand, 10 to 500 characters"},
    {"until", "DATE", "last day on which the answer holds, at most 366 days on"},
    {NULL, NULL, NULL}};
static const struct cli_option_row reason_options[] = {{"reason", "TEXT", "why, 10 to 500 characters"},
                                                       {NULL, NULL, NULL}};
static const struct cli_option_row condition_options[] = {
    {"value", "N", "of egfr: mL/min/1.73 m2, 1 to 200"},
    {"until", "DATE", "last day on which it holds (else until it is ended)"},
    {NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "checks show",
        .args = "[PATIENT…]",
        .args_max = -1,
        .summary = "Show what the clinical checks find in a patient's newest plan",
        .details =
            "The same findings stand in the review. A stop keeps the plan from being signed; a serious\n"
            "one needs a pharmacist's answer first. Status 1 when there is one of these.",
        .options = show_options,
        .run = run_show,
        .findings = true,
    },
    {
        .name = "checks answer",
        .args = "PATIENT FINDING",
        .args_min = 2,
        .args_max = 2,
        .summary = "Answer a finding, as a pharmacist (--user), with a reason and an end date",
        .details =
            "FINDING is its key or at least four digits from its beginning. The answer holds for this\n"
            "patient until the day, as long as the finding is about the same orders and doses.",
        .options = answer_options,
        .run = run_answer,
    },
    {
        .name = "checks withdraw",
        .args = "PATIENT FINDING",
        .args_min = 2,
        .args_max = 2,
        .summary = "Take an answer back (--user)",
        .run = run_withdraw,
    },
    {
        .name = "checks load",
        .args = "[PATIENT…]",
        .args_max = -1,
        .summary = "Report how much the checks ask of a pharmacist",
        .options = load_options,
        .run = run_load,
    },
    {
        .name = "allergy add",
        .args = "PATIENT SUBSTANCE",
        .args_min = 2,
        .args_max = 2,
        .summary = "Record what a patient does not tolerate (--user)",
        .run = run_allergy_add,
    },
    {
        .name = "allergy end",
        .args = "PATIENT SUBSTANCE",
        .args_min = 2,
        .args_max = 2,
        .summary = "Take an allergy off the patient's list, with a reason (--user)",
        .options = reason_options,
        .run = run_allergy_end,
    },
    {
        .name = "condition set",
        .args = "PATIENT KIND",
        .args_min = 2,
        .args_max = 2,
        .summary = "Record pregnant, breastfeeding or egfr of a patient (--user)",
        .options = condition_options,
        .run = run_condition_set,
    },
    {
        .name = "condition end",
        .args = "PATIENT KIND",
        .args_min = 2,
        .args_max = 2,
        .summary = "End a condition of a patient (--user)",
        .run = run_condition_end,
    },
};
const struct cli_group verbs_clinical = {
    .title = "Clinical checks", .rows = rows, .count = sizeof rows / sizeof rows[0]};
