/* SPDX-License-Identifier: Apache-2.0 */
/* change, pull, ship: what happens in the middle of a cycle, and where its pouches are. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/input.h"
#include "controller/refill/calendar.h"
#include "controller/refill/change.h"
#include "controller/refill/cycle.h"
#include "controller/refill/hand.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

static struct record_by by_of(struct cli *cli, const struct user *user)
{
    const char *reason = cli_option(cli, "reason");
    return (struct record_by){user->login, reason ? reason : "", cli->today, clock_wall_ms(cli->clock)};
}

static bool is_pharmacist(const struct user *user)
{
    return strcmp(user->role, USER_PHARMACIST) == 0;
}

/* ---- pouches ---- */

static json_t *pouch_json(const struct change_pouch *pouch)
{
    char day[CIVIL_TEXT_BYTES], time[TOD_TEXT_BYTES];
    civil_format(pouch->day, day);
    tod_format(pouch->minute, time);
    return json_pack("{s:I, s:I, s:i, s:s, s:s, s:s, s:s, s:s}", "plan", (json_int_t)pouch->plan, "batch",
                     (json_int_t)pouch->batch, "pouch", pouch->number, "day", day, "time", time, "place",
                     change_place_text(pouch->place), "token", pouch->token, "reason", pouch->reason);
}

static json_t *pouches_json(const struct change_pouch *pouches, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, pouch_json(&pouches[i]));
    return list;
}

static void print_pouches(FILE *out, const struct change_pouch *pouches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char day[CIVIL_TEXT_BYTES], time[TOD_TEXT_BYTES];
        civil_format(pouches[i].day, day);
        tod_format(pouches[i].minute, time);
        fprintf(out, "  roll of plan %-5" PRId64 " pouch %-4d %s %s  %-14s %s  %s\n", pouches[i].plan,
                pouches[i].number, day, time, change_place_text(pouches[i].place),
                pouches[i].token[0] ? pouches[i].token : "-", pouches[i].reason);
    }
}

/* ---- change ---- */

struct change_run {
    struct cli *cli;
    struct site_rules rules;
    struct refill_site site;
    struct arena arena;
    struct user user;
    int64_t patient;
    struct change_made made;
    struct cycle_made cycle;
    bool planned;
    char plan_trouble[ERROR_MESSAGE_BYTES];
};

static int run_open(struct change_run *run, struct error *err)
{
    struct cli *cli = run->cli;
    int status = site_rules_open(cli, &run->rules, err);
    if (status == 0)
        status = cli_login(cli, NULL, &run->user, err);
    if (status == 0)
        status = input_find_patient(cli->store, cli->argv[0], &run->patient, err);
    if (status == 0)
        refill_site_load(cli->site, &run->site);
    return status;
}

/* The pouches that take the place of the ones hit: a draft, which a pharmacist reviews and signs. */
static int plan_again(struct change_run *run, const char *word, struct error *err)
{
    struct cli *cli = run->cli;
    char reason[REFILL_REASON_BYTES_MAX + 32];
    const char *why = cli_option(cli, "reason");
    int64_t plans = 0;
    int status = store_get_int(cli->store, &plans, err,
                               "SELECT count(*) FROM plan_reason x JOIN plan p ON p.id = x.plan_id WHERE "
                               "p.patient_id = ?",
                               "i", run->patient);
    if (status < 0 || plans == 0) /* nothing was planned by the calendar: nothing to replace */
        return status;
    (void)snprintf(reason, sizeof reason, "%s%s%s", word, why ? ": " : "", why ? why : ""); /* bounded */
    const struct cycle_request request = {.patient = run->patient,
                                          .today = cli->today,
                                          .actor = run->user.login,
                                          .pharmacist = is_pharmacist(&run->user),
                                          .reason = reason,
                                          .wall_ms = clock_wall_ms(cli->clock)};
    status = cycle_plan(cli->store, run->rules.policy, &run->site, &request, &run->cycle, err);
    run->planned = status == 0;
    if (status < 0 &&
        error_class_of(status) == ERROR_CLASS_INPUT) { /* the change stands, a person must plan */
        (void)snprintf(run->plan_trouble, sizeof run->plan_trouble, "%s", err->message);
        return 0;
    }
    return status;
}

/* What another anchor costs, before it is set. */
static int anchor_cost(struct change_run *run, int32_t day, struct buf *out, struct error *err)
{
    const struct sync_lock lock = {.kind = SYNC_LOCK_ANCHOR, .date = day};
    struct refill *refill;
    struct sync_case c;
    struct sync_plan *plan;
    struct sync_explanation *explanation;
    int status = refill_load(run->cli->store, run->rules.policy, &run->site, run->patient, run->cli->today,
                             &lock, 1, &run->arena, &refill, err);
    if (status == 0)
        status = refill_solve(refill, &run->site, &run->arena, &c, &plan, err);
    if (status == 0)
        status = sync_explain(&c, plan, &run->arena, &explanation, err);
    if (status == 0)
        status = calendar_to_text(refill, &run->site, plan, explanation, false, &run->arena, out, err);
    return status;
}

static json_t *replacement_json(const struct change_run *run)
{
    char start[CIVIL_TEXT_BYTES];
    if (!run->planned || run->cycle.plan.id == 0)
        return json_null();
    civil_format(run->cycle.start_day, start);
    return json_pack("{s:I, s:s, s:i, s:i, s:b}", "plan", (json_int_t)run->cycle.plan.id, "start", start,
                     "days", run->cycle.days, "pouches", run->cycle.plan.pouches, "unchanged",
                     run->cycle.plan.outcome == PLAN_SAME);
}

static int print_change(struct change_run *run, const char *word, struct error *err)
{
    struct cli *cli = run->cli;
    const struct change_made *made = &run->made;
    if (cli->json) {
        json_t *places = json_object();
        for (int i = 0; i < CHANGE_PLACES; i++)
            json_object_set_new(places, change_place_text((enum change_place)i),
                                json_integer((json_int_t)made->places[i]));
        return out_json(cli,
                        json_pack("{s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:s}", "patient", cli->argv[0],
                                  "change", word, "event", (json_int_t)made->event, "new", made->is_new,
                                  "places", places, "pouches", pouches_json(made->pouches, made->count),
                                  "replacement", replacement_json(run), "no_plan", run->plan_trouble),
                        err);
    }
    fprintf(cli->out, "%s %s\n", word, made->is_new ? "noted" : "was noted before, nothing changed");
    if (made->count > 0)
        fprintf(cli->out, "pouches hit: %zu not packed, %zu in the machine, %zu on the shelf, %zu shipped\n",
                made->places[CHANGE_PLACE_NOT_PACKED], made->places[CHANGE_PLACE_IN_MACHINE],
                made->places[CHANGE_PLACE_ON_SHELF], made->places[CHANGE_PLACE_SHIPPED]);
    print_pouches(cli->out, made->pouches, made->count);
    if (run->planned && run->cycle.plan.id) {
        char start[CIVIL_TEXT_BYTES];
        civil_format(run->cycle.start_day, start);
        fprintf(cli->out,
                "plan %" PRId64 "%s: %d days from %s, %d pouches; those that are made and read the same "
                "are kept\n",
                run->cycle.plan.id, run->cycle.plan.outcome == PLAN_SAME ? " stands" : ", for the pharmacist",
                run->cycle.days, start, run->cycle.plan.pouches);
    } else if (run->planned && run->cycle.plan.why[0]) {
        fprintf(cli->out, "no plan: %s\n", run->cycle.plan.why);
    } else if (run->plan_trouble[0]) {
        fprintf(cli->out, "no plan yet: %s\n", run->plan_trouble);
    }
    return 0;
}

static int change_one(struct change_run *run, enum change_kind kind, struct error *err)
{
    struct cli *cli = run->cli;
    const struct change_row *row = &change_rows[kind];
    struct record_order order;
    char source[RECORD_ORDER_BYTES + 96], date[CIVIL_TEXT_BYTES];
    int32_t day = cli->today;
    bool has_order = cli->argc > 2;
    const struct record_by by = by_of(cli, &run->user);
    int status = cli_option_day(cli, "day", cli->today, &day, err);
    if (status == 0 && !has_order && row->of == CHANGE_ORDER)
        status =
            error_set(err, E_ARG, "%s: of which order? `sachet sync %s` lists them", row->word, cli->argv[0]);
    if (status == 0 && has_order)
        status = record_order_find(cli->store, run->patient, cli->argv[2], &order, err);
    if (status < 0)
        return status;
    civil_format(day, date);
    (void)snprintf(source, sizeof source, "by hand:%" PRId64 ":%s:%s:%s:%" PRId32, run->patient, row->word,
                   has_order ? order.source_id : "", date, cli->today); /* fits */
    const struct change_request request = {.patient = run->patient,
                                           .kind = kind,
                                           .order = has_order ? &order : NULL,
                                           .day = day,
                                           .source = source,
                                           .pharmacist = is_pharmacist(&run->user)};
    struct buf cost;
    buf_init(&cost);
    if (kind == CHANGE_ANCHOR)
        status = anchor_cost(run, day, &cost, err);
    if (status == 0)
        status = change_make(cli->store, &run->site, &request, &by, &run->arena, &run->made, err);
    if (status == 0)
        status = plan_again(run, row->word, err);
    if (status == 0 && !cli->json)
        fputs(buf_string(&cost), cli->out);
    buf_finish(&cost);
    return status < 0 ? status : print_change(run, row->word, err);
}

static int change_orders(struct change_run *run, struct error *err)
{
    int changes = 0;
    const struct record_by by = by_of(run->cli, &run->user);
    int status = change_notice(run->cli->store, run->rules.policy, &run->site, run->patient, &by, &run->arena,
                               &run->made, &changes, err);
    run->made.is_new = changes > 0;
    if (status == 0)
        status = plan_again(run, "orders changed", err);
    return status < 0 ? status : print_change(run, "orders", err);
}

static int run_change(struct cli *cli, struct error *err)
{
    struct change_run run = {.cli = cli};
    enum change_kind kind = CHANGE_KINDS;
    arena_init(&run.arena, 0);
    bool orders = strcmp(cli->argv[1], "orders") == 0;
    int status = 0;
    if (!orders && !change_parse(cli->argv[1], &kind)) {
        struct buf words;
        buf_init(&words);
        for (int i = 0; i < CHANGE_KINDS; i++)
            buf_printf(&words, "%s, ", change_rows[i].word);
        status =
            error_set(err, E_ARG, "'%s' is no change; there are %sorders", cli->argv[1], buf_string(&words));
        buf_finish(&words);
    }
    if (status == 0)
        status = run_open(&run, err);
    if (status == 0)
        status = orders ? change_orders(&run, err) : change_one(&run, kind, err);
    bool look = run.made.places[CHANGE_PLACE_ON_SHELF] + run.made.places[CHANGE_PLACE_SHIPPED] > 0;
    arena_finish(&run.arena);
    site_rules_close(&run.rules);
    return status ? status : look ? CLI_FOUND : 0;
}

/* ---- pull ---- */

static int run_pull(struct cli *cli, struct error *err)
{
    struct arena arena;
    const struct change_pouch *pouches = NULL;
    size_t count = 0;
    int64_t patient = 0;
    arena_init(&arena, 0);
    int status = cli_open_store(cli, err);
    if (status == 0 && cli->argc > 0)
        status = input_find_patient(cli->store, cli->argv[0], &patient, err);
    if (status == 0)
        status = pull_list(cli->store, patient, &arena, &pouches, &count, err);
    if (status == 0 && cli->json)
        status = out_json(cli, json_pack("{s:o}", "pull", pouches_json(pouches, count)), err);
    else if (status == 0 && count == 0)
        fputs("no pouch is to be pulled\n", cli->out);
    else if (status == 0)
        print_pouches(cli->out, pouches, count);
    arena_finish(&arena);
    return status < 0 ? status : count > 0 ? CLI_FOUND : 0;
}

static int run_pull_done(struct cli *cli, struct error *err)
{
    struct user user = {0};
    int64_t patient = 0, count = 0;
    bool all = cli_flag(cli, "all");
    if (all == (cli->argc > 1))
        return error_set(err, E_ARG, "name the pouches by their printed numbers, or give --all");
    int status = cli_login(cli, NULL, &user, err);
    const struct record_by by = by_of(cli, &user);
    if (status == 0)
        status = input_find_patient(cli->store, cli->argv[0], &patient, err);
    if (status == 0)
        status = store_write_begin(cli->store, err);
    if (status == 0)
        status = pull_done(cli->store, patient, all ? NULL : cli->argv + 1, (size_t)(cli->argc - 1), &by,
                           &count, err);
    if (status == 0)
        status = store_write_commit(cli->store, err);
    if (cli->store)
        store_write_rollback(cli->store); /* nothing after a commit */
    if (status == 0 && cli->json)
        return out_json(cli, json_pack("{s:s, s:I}", "patient", cli->argv[0], "pulled", (json_int_t)count),
                        err);
    if (status == 0)
        fprintf(cli->out, "%" PRId64 " pouch%s pulled\n", count, count == 1 ? "" : "es");
    return status;
}

/* ---- ship ---- */

static int ship_one(struct cli *cli, const char *name, const struct record_by *by, struct error *err)
{
    struct hand_over over;
    int64_t patient = 0, plan = 0;
    int status = input_find_patient(cli->store, name, &patient, err);
    if (status == 0)
        status = hand_plan_of(cli->store, patient, &plan, err);
    if (status == 0)
        status = store_write_begin(cli->store, err);
    if (status == 0)
        status = hand_over(cli->store, plan, cli_flag(cli, "part"), by, &over, err);
    if (status == 0)
        status = store_write_commit(cli->store, err);
    store_write_rollback(cli->store); /* nothing after a commit */
    if (status < 0)
        return error_prefix(err, status, "%s", name);
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "patient", name, "plan",
                                  (json_int_t)over.plan, "handover", (json_int_t)over.id, "pouches",
                                  (json_int_t)over.pouches, "missing", (json_int_t)over.missing,
                                  "called_back", (json_int_t)over.recalled),
                        err);
    fprintf(cli->out, "%s: plan %" PRId64 ": %" PRId64 " pouches handed over", name, over.plan, over.pouches);
    if (over.missing > 0)
        fprintf(cli->out, "; %" PRId64 " not made yet", over.missing);
    if (over.recalled > 0)
        fprintf(cli->out, "; %" PRId64 " CALLED BACK, they stay here (sachet pull)", over.recalled);
    fputc('\n', cli->out);
    return 0;
}

static int run_ship(struct cli *cli, struct error *err)
{
    struct user user = {0};
    int status = cli_login(cli, NULL, &user, err);
    const struct record_by by = by_of(cli, &user);
    for (int i = 0; status == 0 && i < cli->argc; i++)
        status = ship_one(cli, cli->argv[i], &by, err);
    return status;
}

static const struct cli_option_row change_options[] = {
    {"day", "DATE", "the day it is about (else today); what it means stands with each change"},
    {"reason", "TEXT", "why; asked for by new, stop, dose and anchor"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row done_options[] = {
    {"all", NULL, "all pouches of the patient that are to be pulled"},
    {"reason", "TEXT", "where they are now"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row ship_options[] = {
    {"part", NULL, "also when some pouches of the roll are not made yet"},
    {"reason", "TEXT", "to whom, by which way"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row no_options[] = {{NULL, NULL, NULL}};

#define CHANGE_HELP(name, word, of, hits, agree, doc) "  " word ": " doc ".\n"
static const struct cli_verb rows[] = {
    {
        .name = "change",
        .args = "PATIENT CHANGE [ORDER]",
        .args_min = 2,
        .args_max = 3,
        .summary = "Note what happened in the middle of a cycle, stop packing what it hits, and plan again",
        .details =
            "Names every pouch that is hit and where it is. Packing stops at the next pouch edge; made\n"
            "pouches are called back (`sachet pull`); a new draft covers the rest of the cycle. Status 1\n"
            "when pouches must be fetched. The changes, and what --day is:\n" CHANGE_TABLE(
                CHANGE_HELP) "  orders: compares the orders with the signed plan, as every import does.",
        .options = change_options,
        .run = run_change,
        .findings = true,
    },
    {
        .name = "pull",
        .args = "[PATIENT]",
        .args_min = 0,
        .args_max = 1,
        .summary = "List made pouches that must not be taken and that nobody has in hand yet",
        .details =
            "By roll, number and time, and whether they are on the shelf or shipped. Status 1 when there\n"
            "are some.",
        .options = no_options,
        .run = run_pull,
        .findings = true,
    },
    {
        .name = "pull done",
        .args = "PATIENT [TOKEN…]",
        .args_min = 1,
        .args_max = -1,
        .summary = "Note that called-back pouches are in hand or destroyed",
        .details = NULL,
        .options = done_options,
        .run = run_pull_done,
    },
    {
        .name = "ship",
        .args = "PATIENT…",
        .args_min = 1,
        .args_max = -1,
        .summary = "Note that a patient's roll left the house",
        .details =
            "The made pouches of the signed plan, kept ones of earlier plans among them. Pouches that\n"
            "were called back never go.",
        .options = ship_options,
        .run = run_ship,
    },
};
const struct cli_group verbs_change = {
    .title = "Changes and handover", .rows = rows, .count = sizeof rows / sizeof rows[0]};
