/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/tasks_round.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/intake/intake.h"
#include "controller/parties/exchange.h"
#include "controller/parties/partners.h"
#include "controller/parties/port.h"
#include "controller/parties/renewed.h"
#include "controller/refill/asks.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/import.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"

/* A round of messages. */
struct round {
    struct cli *cli;
    const char *actor;
    const struct partners *partners;
    struct port *port;
    struct asks_count asks;
    int prescriptions, put_aside;
};

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

/* ---- prescriptions that came as answers ---- */

/* What the reader makes of each: only one that can go into pouches takes the place of the old one. */
static int judge(void *data, const struct order *order, struct error *err)
{
    struct renewed *renewed = data;
    (void)err;
    for (size_t i = 0; i < renewed->count; i++) {
        if (strcmp(renewed->items[i].old_id, order->source_id) == 0)
            renewed->items[i].as_next =
                renewed->items[i].as_next && order->reasons.outcome == OUTCOME_PACKABLE;
    }
    return 0;
}

static int prescription_import(struct round *round, const struct port_item *item, struct error *err)
{
    struct arena arena;
    struct renewed renewed = {0};
    struct buf text;
    arena_init(&arena, 0);
    buf_init(&text);
    int rc = item->bytes ? renewed_read(round->cli->store, round->partners, item->bytes, item->len, &arena,
                                        &renewed, err)
                         : error_set(err, E_INPUT, "%s", item->trouble);
    if (rc == 0)
        rc = renewed_write(&renewed, &text, err);
    if (rc == 0)
        rc = import_read(round->cli, item->name, buf_string(&text), text.len, judge, &renewed, err);
    buf_reset(&text);
    if (rc == 0)
        rc = renewed_write(&renewed, &text, err);
    if (rc == 0)
        rc = import_text(round->cli, round->actor, item->name, buf_string(&text), text.len, err);
    for (size_t i = 0; rc == 0 && i < renewed.count && !round->cli->json; i++)
        fprintf(round->cli->out, "order %s: %s%s\n", renewed.items[i].new_id,
                renewed.items[i].as_next ? "takes the place of " : "imported by itself",
                renewed.items[i].as_next ? renewed.items[i].old_id : "");
    buf_finish(&text);
    renewed_finish(&renewed);
    arena_finish(&arena);
    return rc;
}

/* All that wait in the queue; one that cannot be read is put aside with its reason and stops no other. */
static int prescriptions_import(struct round *round, struct error *err)
{
    struct port_item item;
    int rc = 0;
    while (rc == 0 && (rc = round->port->next_order(round->port, &item, err)) == 1) {
        rc = prescription_import(round, &item, err);
        if (rc == 0) {
            round->prescriptions++;
            rc = round->port->settle(round->port, &item, PORT_DONE, "", err);
        } else if (error_class_of(rc) == ERROR_CLASS_INPUT) {
            char why[EXCHANGE_WHY_BYTES];
            (void)snprintf(why, sizeof why, "%s\n", err->message);
            fprintf(stderr, "sachet: %s put aside: %s\n", item.name, err->message);
            round->put_aside++;
            rc = round->port->settle(round->port, &item, PORT_REFUSED, why, err);
        }
    }
    return rc;
}

static int between(void *data, struct error *err)
{
    struct round *round = data;
    int rc = conf_bool(round->cli->site, "partners.import_orders") ? prescriptions_import(round, err) : 0;
    return rc ? rc : ask_all(round, err);
}

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
    struct exchange_watch watch = {&round, told_answered, told_refused, told_wrote, told_unwritten, between};
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
    round.partners = &partners;
    round.port = port;
    rc = port ? exchange_run(cli->store, &partners, port, &act, &watch, &n, err) : err->code;
    port_destroy(port);
    if (rc < 0)
        return rc;
    const struct asks_count *asks = &round.asks;
    bool found = n.refused + n.unwritten + asks->failed + round.put_aside > 0;
    if (cli->json)
        rc = out_json(cli,
                      json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}",
                                "files", n.files, "answers", n.answers, "events", n.events, "repeated",
                                n.repeated, "refused", n.refused, "orders", n.orders, "raised", n.raised,
                                "written", n.written, "unwritten", n.unwritten, "plans", n.plans, "imported",
                                round.prescriptions, "opened", asks->opened, "revised", asks->revised,
                                "closed", asks->closed),
                      err);
    else
        fprintf(cli->out,
                "in: %d files, %d answers, %d news, %d read before, %d put aside; out: %d requests, %d care "
                "plans; "
                "tasks: %d opened, %d revised, %d closed, %d rose\n",
                n.files, n.answers, n.events, n.repeated, n.refused, n.written, n.plans, asks->opened,
                asks->revised, asks->closed, n.raised);
    if (rc == 0 && n.orders > round.prescriptions + round.put_aside)
        fprintf(stderr, "sachet: %d new prescriptions wait in %s/orders (partners.import_orders is off)\n",
                n.orders - round.prescriptions - round.put_aside, conf_text(cli->site, "partners.inbox"));
    return rc ? rc : found ? CLI_FOUND : 0;
}
