/* SPDX-License-Identifier: Apache-2.0 */
/* sachet calendar: a cycle for patient and caregiver. */
#include <stdio.h>
#include <stdlib.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/parties/agenda.h"
#include "controller/plan/plan_row.h"
#include "controller/review/review.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

static int agenda_write(struct cli *cli, int64_t plan, struct error *err)
{
    struct arena arena;
    struct agenda agenda;
    struct buf out;
    arena_init(&arena, 0);
    buf_init(&out);
    int rc = agenda_load(cli->store, cli->site, plan, &arena, &agenda, err);
    /* What was signed and does not hold any more must not go home with anybody unmarked. */
    if (rc == 0 && agenda.review.is_signed && agenda.review.holds < 0 && !cli_flag(cli, "draft"))
        rc = error_set(err, E_STATE,
                       "plan %lld does not hold any more: %.300s; plan and sign again, --draft shows it",
                       (long long)plan, agenda.review.trouble);
    if (rc == 0 && cli_flag(cli, "ics"))
        agenda_to_ics(&agenda, clock_wall_ms(cli->clock), &out);
    else if (rc == 0 && cli_flag(cli, "html"))
        agenda_to_html(&agenda, &out);
    else if (rc == 0 && cli->json)
        rc = review_to_json(&agenda.review, &out, err);
    else if (rc == 0)
        agenda_to_text(&agenda, &out);
    if (rc == 0 && cli->json)
        buf_char(&out, '\n');
    if (rc == 0 && out.failed)
        rc = error_set(err, E_MEMORY, "out of memory writing a calendar");
    if (rc == 0)
        fputs(buf_string(&out), cli->out);
    buf_finish(&out);
    arena_finish(&arena);
    return rc;
}

static int run_calendar(struct cli *cli, struct error *err)
{
    int64_t *patients = NULL, plan;
    size_t count;
    if (cli_flag(cli, "ics") && cli_flag(cli, "html"))
        return error_set(err, E_ARG, "--ics or --html, not both: write two files");
    if (cli->json && (cli_flag(cli, "ics") || cli_flag(cli, "html")))
        return error_set(err, E_ARG, "--ics, --html or --json, one of them");
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = cli_patients(cli, &patients, &count, err);
    if (rc)
        return rc;
    rc = plan_newest(cli->store, patients[0], !cli_flag(cli, "draft"), &plan, err);
    free(patients);
    if (rc == E_NOT_FOUND && !cli_flag(cli, "draft"))
        return error_set(err, rc, "%s: no signed plan; 'sachet approve' signs it, --draft shows it before",
                         cli->argv[0]);
    return rc ? rc : agenda_write(cli, plan, err);
}

static const struct cli_option_row options[] = {
    {"ics", NULL, "an iCalendar file"},
    {"html", NULL, "a page to print, one file"},
    {"draft", NULL, "the newest plan, though it is not signed or does not hold; marked so"},
    {NULL, NULL, NULL}};
static const struct cli_verb rows[] = {
    {
        .name = "calendar",
        .args = "PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Write a patient's cycle for patient and caregiver",
        .details =
            "When the roll starts, what is in each pouch, what is taken beside the pouches. To a file:\n"
            "sachet calendar PATIENT --ics > roll.ics. Times are local wherever the patient is. A newer\n"
            "version replaces the events of an older one in the reader's calendar. --json is the plan's\n"
            "review.",
        .options = options,
        .run = run_calendar,
    },
};
const struct cli_group verbs_calendar = {
    .title = "Calendar", .rows = rows, .count = sizeof rows / sizeof rows[0]};
