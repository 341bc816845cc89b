/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/tasks_round.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/parties/exchange.h"
#include "controller/parties/partners.h"
#include "controller/parties/port.h"
#include "controller/refill/asks.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"

/* A round of messages. */
struct round {
    struct cli *cli;
    const char *actor;
    struct asks_count asks;
};

/* What it tells while it runs. */
static void told_answered(void *data, const char *file, const struct task *task, const char *what)
{
    struct cli *cli = ((struct round *)data)->cli;
    if (!cli->json)
        fprintf(cli->out, "in   %s: task %" PRId64 ", %s: %s\n", file, task->id, task_kinds[task->kind].title,
                what);
}

static void told_refused(void *data, const char *file, const char *why)
{
    (void)data;
    fprintf(stderr, "sachet: %s put aside: %s\n", file, why);
}

static void told_wrote(void *data, const char *name, const struct task *task)
{
    struct cli *cli = ((struct round *)data)->cli;
    (void)task;
    if (!cli->json)
        fprintf(cli->out, "out  %s\n", name);
}

static void told_unwritten(void *data, const struct task *task, const char *why)
{
    (void)data;
    fprintf(stderr, "sachet: task %" PRId64 " cannot be written: %s\n", task->id, why);
}

static void told_trouble(void *data, int64_t patient, const char *why)
{
    struct cli *cli = data;
    struct cli_patient shown;
    struct error err;
    fprintf(stderr, "sachet: patient %s: %s\n",
            cli_patient_get(cli, patient, &shown, &err) == 0 ? shown.id : "?", why);
}

/* What the calendars and the rolls of all patients call for today. */
static int ask_all(void *data, struct error *err)
{
    struct round *round = data;
    struct cli *cli = round->cli;
    struct site_rules rules;
    struct refill_site site;
    const struct record_by by = {round->actor, "", cli->today, clock_wall_ms(cli->clock)};
    int rc = site_rules_open(cli, &rules, err);
    if (rc == 0) {
        refill_site_load(cli->site, &site);
        rc = asks_all(cli->store, rules.policy, &site, &by, told_trouble, cli, &round->asks, err);
    }
    site_rules_close(&rules);
    return rc;
}

int tasks_update(struct cli *cli, struct error *err)
{
    struct round round = {.cli = cli, .actor = "sachet"};
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = ask_all(&round, err);
    if (rc < 0)
        return rc;
    const struct asks_count *n = &round.asks;
    if (cli->json)
        rc = out_json(cli,
                      json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "patients", n->patients, "opened",
                                n->opened, "revised", n->revised, "closed", n->closed, "answers", n->answers,
                                "failed", n->failed),
                      err);
    else
        fprintf(cli->out, "%d patients: %d tasks opened, %d revised, %d closed; %d answers noted\n",
                n->patients, n->opened, n->revised, n->closed, n->answers);
    return rc ? rc : n->failed ? CLI_FOUND : 0;
}

int tasks_exchange(struct cli *cli, struct error *err)
{
    struct partners partners;
    struct exchange_count n = {0};
    struct user user = {.login = "sachet"};
    struct round round = {.cli = cli, .actor = "sachet"};
    struct exchange_watch watch = {&round, told_answered, told_refused, told_wrote, told_unwritten, ask_all};
    struct port *port = NULL;
    int rc = cli_open_store(cli, err);
    /* A clock may run it: it decides nothing. Who says so shows that it is true. */
    if (rc == 0 && cli_option(cli, "user"))
        rc = cli_login(cli, NULL, &user, err);
    if (rc)
        return rc;
    round.actor = user.login;
    struct task_act act = {.actor = user.login, .wall_ms = clock_wall_ms(cli->clock), .today = cli->today};
    partners_read(cli->site, &partners);
    port = port_folder_create(conf_text(cli->site, "partners.outbox"), conf_text(cli->site, "partners.inbox"),
                              err);
    rc = port ? exchange_run(cli->store, &partners, port, &act, &watch, &n, err) : err->code;
    port_destroy(port);
    if (rc < 0)
        return rc;
    const struct asks_count *asks = &round.asks;
    bool found = n.refused + n.unwritten + asks->failed > 0;
    if (cli->json)
        rc = out_json(cli,
                      json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "files",
                                n.files, "answers", n.answers, "events", n.events, "repeated", n.repeated,
                                "refused", n.refused, "orders", n.orders, "raised", n.raised, "written",
                                n.written, "unwritten", n.unwritten, "plans", n.plans, "opened", asks->opened,
                                "revised", asks->revised, "closed", asks->closed),
                      err);
    else
        fprintf(cli->out,
                "in: %d files, %d answers, %d news, %d read before, %d put aside; out: %d requests, %d care "
                "plans; "
                "tasks: %d opened, %d revised, %d closed, %d rose\n",
                n.files, n.answers, n.events, n.repeated, n.refused, n.written, n.plans, asks->opened,
                asks->revised, asks->closed, n.raised);
    if (rc == 0 && n.orders > 0)
        fprintf(stderr, "sachet: %d new prescriptions: sachet import %s/orders\n", n.orders,
                conf_text(cli->site, "partners.inbox"));
    return rc ? rc : found ? CLI_FOUND : 0;
}
