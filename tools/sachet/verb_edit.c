/* SPDX-License-Identifier: Apache-2.0 */
/* plan edit: what a pharmacist asks of a plan, solved again at once, with its cost. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/edit.h"
#include "controller/plan/input.h"
#include "controller/plan/plan.h"
#include "controller/plan/plan_row.h"
#include "controller/refill/cycle.h"
#include "controller/review/review.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

enum { VALUE_BYTES = 160, SOURCE_BYTES = 512 };

/* One edit on its way from the command line into a plan. */
struct asking {
    struct cli *cli;
    struct site_rules rules;
    struct arena arena;
    struct user user;
    int64_t patient;
    struct plan_row row; /* of the newest plan */
    struct plan_text *before, *now;
    struct plan_edit edit;
    char source[SOURCE_BYTES], value[VALUE_BYTES];
    int64_t end; /* the edit to end, 0: none */
    struct plan_made made;
};

/* Which option asks for which kind. */
static const struct {
    const char *option;
    enum plan_edit_kind kind;
} asks[] = {{"pin", PLAN_EDIT_PIN},
            {"forbid", PLAN_EDIT_FORBID},
            {"product", PLAN_EDIT_PRODUCT},
            {"accept-switch", PLAN_EDIT_SWITCH}};

/* "ORDER=REST": the order's id may hold anything but the last '='. */
static int split(struct asking *a, const char *text, const char *what, const char **ret_rest,
                 struct error *err)
{
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0' || (size_t)(equals - text) >= sizeof a->source)
        return error_set(err, E_ARG, "--%s %s: ORDER=%s is wanted", what, text,
                         strcmp(what, "pin") == 0 ? "HH:MM" : "CODE");
    memcpy(a->source, text, (size_t)(equals - text));
    *ret_rest = equals + 1;
    return 0;
}

static int value_take(struct asking *a, const char *option, const char *text, struct error *err)
{
    struct cli *cli = a->cli;
    const char *rest = text;
    int64_t dose = 1;
    int status = 0;
    int len = 0;
    switch (a->edit.kind) {
    case PLAN_EDIT_PIN:
        status = cli_option_int(cli, "dose", 1, 24, 1, &dose, err);
        if (status == 0)
            status = split(a, text, option, &rest, err);
        len = snprintf(a->value, sizeof a->value, "%" PRId64 "@%s", dose, rest);
        break;
    case PLAN_EDIT_PRODUCT:
        status = split(a, text, option, &rest, err);
        len = snprintf(a->value, sizeof a->value, "%s", rest);
        break;
    case PLAN_EDIT_FORBID:
        len = snprintf(a->source, sizeof a->source, "%s",
                       cli_option(cli, "order") ? cli_option(cli, "order") : "");
        status = len >= (int)sizeof a->source ? error_set(err, E_ARG, "--order: too long") : 0;
        len = snprintf(a->value, sizeof a->value, strchr(text, '-') ? "%s" : "%s-%s", text, text);
        break;
    case PLAN_EDIT_SWITCH:
        len = snprintf(a->source, sizeof a->source, "%s", text);
        status = len >= (int)sizeof a->source ? error_set(err, E_ARG, "--accept-switch: too long") : 0;
        civil_format(a->before->start_day, a->value);
        len = 0;
        break;
    case PLAN_EDIT_KINDS:
        break;
    }
    if (status == 0 && len >= (int)sizeof a->value)
        status = error_set(err, E_ARG, "--%s: too long", option);
    return status;
}

/* What the options ask for: one edit, or the end of one; *ret_any false: nothing. */
static int edit_take(struct asking *a, bool *ret_any, struct error *err)
{
    struct cli *cli = a->cli;
    int wishes = 0, status = cli_option_int(cli, "remove", 1, INT64_MAX, 0, &a->end, err);
    wishes += a->end != 0;
    for (size_t i = 0; status == 0 && i < sizeof asks / sizeof *asks; i++) {
        const char *text = cli_option(cli, asks[i].option);
        if (!text)
            continue;
        wishes++;
        a->edit.kind = asks[i].kind;
        status = value_take(a, asks[i].option, text, err);
    }
    *ret_any = wishes > 0;
    if (status == 0 && wishes > 1)
        return error_set(err, E_ARG, "one edit at a time, so that each shows its cost");
    if (status < 0 || wishes == 0 || a->end)
        return status;
    struct edit_value value;
    a->edit.source_id = a->source;
    a->edit.value = a->value;
    a->edit.reason = cli_option(cli, "reason");
    if (!a->edit.reason)
        return error_set(err, E_ARG, "why? give --reason TEXT");
    return edit_parse(&a->edit, &value, err);
}

static int newest_load(struct asking *a, struct error *err)
{
    int64_t id = 0;
    int status = plan_newest(a->cli->store, a->patient, false, &id, err);
    if (status == 0)
        status = plan_row_load(a->cli->store, id, &a->arena, &a->row, err);
    return status < 0 ? status : plan_text_parse(a->row.bytes, a->row.len, &a->arena, &a->before, err);
}

/* By the calendar when it made the plan, so that the days of each drug stay those that it gives; else as
 * before. */
static int plan_again(struct asking *a, const struct plan_request *request, struct error *err)
{
    struct refill_site site;
    struct cycle_made made;
    bool by_calendar = false;
    const struct cycle_request cycle = {.patient = request->patient,
                                        .today = a->cli->today,
                                        .actor = request->actor,
                                        .pharmacist = true,
                                        .reason = a->end ? "an edit ended" : a->edit.reason,
                                        .wall_ms = request->wall_ms,
                                        .edit = request->edit,
                                        .end_edit = request->end_edit,
                                        .edit_start = request->start_day,
                                        .edit_days = request->days};
    int status = cycle_made_plan(a->cli->store, a->row.id, &by_calendar, err);
    if (status < 0 || !by_calendar)
        return status < 0 ? status : plan_make(a->cli->store, a->rules.policy, request, &a->made, err);
    refill_site_load(a->cli->site, &site);
    status = cycle_plan(a->cli->store, a->rules.policy, &site, &cycle, &made, err);
    if (status == 0)
        a->made = made.plan;
    return status;
}

static int solve(struct asking *a, struct error *err)
{
    struct cli *cli = a->cli;
    struct plan_row row;
    if (a->before->start_day < cli->today)
        return error_set(err, E_STATE, "plan %" PRId64 " has begun already: plan the next cycle first",
                         a->row.id);
    int status = cli_login(cli, USER_PHARMACIST, &a->user, err);
    if (status == 0 && !a->end)
        status = edit_next_id(cli->store, &a->edit.id, err);
    a->edit.login = a->user.login;
    const struct plan_request request = {.patient = a->patient,
                                         .start_day = a->before->start_day,
                                         .days = a->before->days,
                                         .actor = a->user.login,
                                         .wall_ms = clock_wall_ms(cli->clock),
                                         .edit = a->end ? NULL : &a->edit,
                                         .end_edit = a->end};
    if (status == 0)
        status = plan_again(a, &request, err);
    if (status == 0 && (a->made.outcome == PLAN_CONFLICT || a->made.outcome == PLAN_EMPTY))
        return error_set(err, E_INPUT, "nothing was changed: %s", a->made.why);
    if (status == 0)
        status = plan_row_load(cli->store, a->made.id, &a->arena, &row, err);
    return status < 0 ? status : plan_text_parse(row.bytes, row.len, &a->arena, &a->now, err);
}

static const struct plan_order *order_of(const struct plan_text *plan, const char *source_id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (strcmp(plan->orders[i].source_id, source_id) == 0)
            return &plan->orders[i];
    }
    return NULL;
}

static const char *name_of(const struct plan_text *plan, const struct plan_order *order)
{
    const struct plan_product *product = order->product ? plan_text_product(plan, order->product) : NULL;
    return product ? product->name : order->drug;
}

/* Each drug that is taken otherwise than in the plan before the edit. */
static int show_moves(struct asking *a, json_t *moves, struct error *err)
{
    for (size_t i = 0; i < a->now->order_count; i++) {
        const struct plan_order *order = &a->now->orders[i], *was = order_of(a->before, order->source_id);
        const char *now = review_planned(&a->arena, a->now, order->id, true);
        const char *before = was ? review_planned(&a->arena, a->before, was->id, true) : "";
        if (!now || !before)
            return error_set(err, E_MEMORY, "no memory for the comparison");
        const char *old = was ? name_of(a->before, was) : "", *new = name_of(a->now, order);
        if (strcmp(now, before) == 0 && strcmp(old, new) == 0)
            continue;
        if (moves)
            (void)json_array_append_new(moves, json_pack("{s:s,s:s,s:s,s:s}", "order", order->source_id,
                                                         "drug", new, "before", before, "now", now));
        else
            fprintf(a->cli->out, "  %s%s%s: %s%s%s\n", strcmp(old, new) ? old : "",
                    strcmp(old, new) ? " -> " : "", new, before[0] ? before : "not in the pouches", " -> ",
                    now[0] ? now : "not in the pouches");
    }
    return 0;
}

static int show(struct asking *a, struct error *err)
{
    struct cli *cli = a->cli;
    int cost = a->made.times_planned - a->row.times_planned;
    json_t *moves = cli->json ? json_array() : NULL;
    if (!cli->json) {
        if (a->end)
            fprintf(cli->out, "edit %" PRId64 " ended; plan %" PRId64 ": ", a->end, a->made.id);
        else
            fprintf(cli->out, "edit %" PRId64 "; plan %" PRId64 ": ", a->edit.id, a->made.id);
        fprintf(cli->out, "%d times a day, %s%d\n", a->made.times_planned,
                cost == 0  ? "as before: "
                : cost > 0 ? "it costs "
                           : "it saves ",
                cost == 0  ? a->row.times_planned
                : cost > 0 ? cost
                           : -cost);
    }
    int status = show_moves(a, moves, err);
    if (status < 0 || !cli->json) {
        json_decref(moves);
        return status;
    }
    return out_json(cli,
                    json_pack("{s:I,s:b,s:I,s:i,s:i,s:i,s:o}", "edit",
                              (json_int_t)(a->end ? a->end : a->edit.id), "ended", a->end != 0, "plan",
                              (json_int_t)a->made.id, "times_before", a->row.times_planned, "times_planned",
                              a->made.times_planned, "pouches", a->made.pouches, "moves", moves),
                    err);
}

static int list(struct asking *a, struct error *err)
{
    struct plan_edit *edits = NULL;
    size_t count = 0;
    int status = edit_load(a->cli->store, a->patient, &a->arena, &edits, &count, err);
    json_t *array = a->cli->json ? json_array() : NULL;
    for (size_t i = 0; status == 0 && i < count; i++) {
        const struct plan_edit *e = &edits[i];
        if (array)
            (void)json_array_append_new(array,
                                        json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "edit", (json_int_t)e->id,
                                                  "kind", plan_edit_kind_text(e->kind), "order", e->source_id,
                                                  "value", e->value, "reason", e->reason, "by", e->login));
        else
            fprintf(a->cli->out, "%5" PRId64 "  %-8s %-24s %-14s %s (%s)\n", e->id,
                    plan_edit_kind_text(e->kind), e->source_id[0] ? e->source_id : "all orders", e->value,
                    e->reason, e->login);
    }
    if (status == 0 && array)
        return out_json(a->cli, array, err);
    json_decref(array);
    if (status == 0 && count == 0)
        fputs("no edits of this patient's plans\n", a->cli->out);
    return status;
}

static int run_edit(struct cli *cli, struct error *err)
{
    struct asking a = {.cli = cli};
    bool any = false;
    arena_init(&a.arena, 0);
    int status = site_rules_open(cli, &a.rules, err);
    if (status == 0)
        status = input_find_patient(cli->store, cli->argv[0], &a.patient, err);
    if (status == 0)
        status = newest_load(&a, err);
    if (status == 0)
        status = edit_take(&a, &any, err);
    if (status == 0 && any)
        status = solve(&a, err);
    if (status == 0)
        status = any ? show(&a, err) : list(&a, err);
    site_rules_close(&a.rules);
    arena_finish(&a.arena);
    return status;
}

static const struct cli_option_row edit_options[] = {
    {"pin", "ORDER=HH:MM", "this order's dose at this time (--dose N: its Nth dose of the day)"},
    {"dose", "N", "which dose of the day is pinned (else the first)"},
    {"forbid", "HH:MM-HH:MM", "no dose in this span of the day, or at this one time"},
    {"order", "ORDER", "forbid it to this order only (else to all)"},
    {"product", "ORDER=CODE", "another product of the same ingredient, strength and release"},
    {"accept-switch", "ORDER", "accept how near the plan's first dose comes to the last of the old plan"},
    {"remove", "N", "end edit N"},
    {"reason", "TEXT", "why; it stands in the plan and is signed"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "plan edit",
        .args = "PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Change a patient's newest plan as a pharmacist, solved again at once (--user)",
        .details =
            "One edit at a time: it is tried, and stored only together with a plan that keeps it and every\n"
            "rule. Shown is what it costs in times a day and which drugs move. Edits stand until they are\n"
            "removed, are listed in each plan that they have a part in, and void a signature that was made\n"
            "without them. Another day of the patient is set with 'sachet patient day'. Without options\n"
            "the edits that stand are listed.",
        .options = edit_options,
        .run = run_edit,
    },
};
const struct cli_group verbs_edit = {
    .title = "Edits of plans", .rows = rows, .count = sizeof rows / sizeof rows[0]};
