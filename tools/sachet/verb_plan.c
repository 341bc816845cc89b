/* SPDX-License-Identifier: Apache-2.0 */
/* plan and show plan: schedules and rolls as drafts for the pharmacist. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/input.h"
#include "controller/plan/plan.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/policy.h"
#include "controller/refill/cycle.h"
#include "controller/user/user.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

struct totals {
    int patients, plans, same, empty, conflicts, failed;
    int drugs, waiting, apart, provisional, outdated;
    int64_t pouches, pieces, written, planned;
};

static const char *outcome_name(enum plan_outcome outcome)
{
    static const char *const names[] = {
        [PLAN_MADE] = "made", [PLAN_SAME] = "same", [PLAN_EMPTY] = "empty", [PLAN_CONFLICT] = "conflict"};
    return names[outcome];
}

static void print_rest(FILE *out, const struct plan_made *made)
{
    if (made->waiting > 0)
        fprintf(out, "; %d wait%s for a pharmacist", made->waiting, made->waiting == 1 ? "s" : "");
    if (made->apart > 0)
        fprintf(out, "; %d outside the pouches", made->apart);
    if (made->newer_orders > 0)
        fprintf(out, "; %d order%s newer than the signed plan, which holds no more", made->newer_orders,
                made->newer_orders == 1 ? "" : "s");
    if (made->provisional)
        fprintf(out, "; PROVISIONAL products");
    fputc('\n', out);
}

/* The cycle, where the calendar chose it. */
static void print_cycle(FILE *out, const struct cycle_made *cycle)
{
    char start[CIVIL_TEXT_BYTES], anchor[CIVIL_TEXT_BYTES];
    if (cycle->anchor == CIVIL_DAY_NONE || cycle->plan.id == 0)
        return;
    civil_format(cycle->start_day, start);
    civil_format(cycle->anchor, anchor);
    fprintf(out, "  %d days from %s", cycle->days, start);
    if (cycle->enrolled_now)
        fprintf(out, "; enrolled, anchor %s locked", anchor);
    if (cycle->assumed > 0)
        fprintf(out, "; supply at home of %d product%s assumed: count it (sachet patient onhand)",
                cycle->assumed, cycle->assumed == 1 ? "" : "s");
    if (cycle->plan.is_signed) /* the calendar goes on when its pouches are facts */
        fprintf(out, "; signed: pack it (sachet batch create), then the next cycle can be planned");
    fprintf(out, "%s%s\n", cycle->calendar[0] ? "; " : "", cycle->calendar);
}

static void print_text(struct cli *cli, const char *name, const struct plan_made *made,
                       const struct cycle_made *cycle)
{
    if (made->outcome == PLAN_EMPTY || made->outcome == PLAN_CONFLICT) {
        fprintf(cli->out, "%s: %s: %s", name,
                made->outcome == PLAN_EMPTY ? "no plan" : "NO SCHEDULE, for the pharmacist", made->why);
        print_rest(cli->out, made);
        return;
    }
    fprintf(cli->out,
            "%s: %d drug%s, %d time%s a day as written, %d as planned%s, %d pouch%s; plan %" PRId64 "%s",
            name, made->drugs, made->drugs == 1 ? "" : "s", made->times_written,
            made->times_written == 1 ? "" : "s", made->times_planned, made->proved ? "" : " (not proved)",
            made->pouches, made->pouches == 1 ? "" : "es", made->id,
            made->outcome == PLAN_SAME ? made->is_signed ? ", signed, unchanged" : ", unchanged" : "");
    print_rest(cli->out, made);
    print_cycle(cli->out, cycle);
}

static void print_json(struct cli *cli, const struct cli_patient *patient, const struct plan_made *made,
                       const struct cycle_made *cycle)
{
    json_t *object = json_pack(
        "{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:b,s:i,s:I,s:b,s:i}", "patient", patient->id, "name",
        patient->name, "outcome", outcome_name(made->outcome), "drugs", made->drugs, "waiting", made->waiting,
        "apart", made->apart, "times_written", made->times_written, "times_planned", made->times_planned,
        "proved", made->proved, "pouches", made->pouches, "pieces", (json_int_t)made->pieces, "provisional",
        made->provisional, "newer_orders", made->newer_orders);
    if (object && made->id) {
        json_object_set_new(object, "plan", json_integer(made->id));
        json_object_set_new(object, "version", json_integer(made->version));
        json_object_set_new(object, "signed", json_boolean(made->is_signed));
    }
    if (object && cycle->anchor != CIVIL_DAY_NONE) {
        char start[CIVIL_TEXT_BYTES], anchor[CIVIL_TEXT_BYTES];
        civil_format(cycle->start_day, start);
        civil_format(cycle->anchor, anchor);
        json_object_set_new(object, "start", json_string(start));
        json_object_set_new(object, "days", json_integer(cycle->days));
        json_object_set_new(object, "anchor", json_string(anchor));
        json_object_set_new(object, "enrolled_now", json_boolean(cycle->enrolled_now));
        json_object_set_new(object, "supply_assumed", json_integer(cycle->assumed));
    }
    if (object && made->why[0])
        json_object_set_new(object, "why", json_string(made->why));
    json_dumpf(object, cli->out, JSON_COMPACT);
    fputc('\n', cli->out);
    json_decref(object);
}

static void add(struct totals *t, const struct plan_made *made)
{
    bool planned = made->outcome == PLAN_MADE || made->outcome == PLAN_SAME;
    t->plans += planned;
    t->same += made->outcome == PLAN_SAME;
    t->empty += made->outcome == PLAN_EMPTY;
    t->conflicts += made->outcome == PLAN_CONFLICT;
    t->waiting += made->waiting;
    t->apart += made->apart;
    t->outdated += made->newer_orders > 0;
    if (!planned)
        return;
    t->drugs += made->drugs;
    t->provisional += made->provisional;
    t->pouches += made->pouches;
    t->pieces += made->pieces;
    t->written += made->times_written;
    t->planned += made->times_planned;
}

/* A mean with one decimal, in integers. */
static void print_mean(FILE *out, int64_t sum, int count)
{
    int64_t tenths = count ? (sum * 20 + count) / (2 * count) : 0;
    fprintf(out, "%" PRId64 ".%" PRId64, tenths / 10, tenths % 10);
}

static void print_totals(struct cli *cli, const struct totals *t)
{
    if (cli->json) {
        json_t *object =
            json_pack("{s:{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:i}}", "totals", "patients",
                      t->patients, "plans", t->plans, "unchanged", t->same, "empty", t->empty, "conflicts",
                      t->conflicts, "failed", t->failed, "drugs", t->drugs, "waiting", t->waiting, "apart",
                      t->apart, "pouches", (json_int_t)t->pouches, "pieces", (json_int_t)t->pieces,
                      "times_written", (json_int_t)t->written, "times_planned", (json_int_t)t->planned,
                      "signed_plans_outdated", t->outdated);
        json_dumpf(object, cli->out, JSON_COMPACT);
        fputc('\n', cli->out);
        json_decref(object);
        return;
    }
    if (t->patients == 1)
        return; /* its line has said it all */
    fprintf(cli->out,
            "%d patients: %d plans (%d unchanged), %d drugs, %" PRId64 " pouches, %" PRId64 " pieces\n",
            t->patients, t->plans, t->same, t->drugs, t->pouches, t->pieces);
    fprintf(cli->out, "times a day: ");
    print_mean(cli->out, t->written, t->plans);
    fprintf(cli->out, " as written, ");
    print_mean(cli->out, t->planned, t->plans);
    fprintf(cli->out, " as planned (mean of %d)\n", t->plans);
    if (t->waiting + t->apart + t->empty > 0)
        fprintf(cli->out,
                "left out: orders that wait for a pharmacist %d, outside the pouches %d; patients with "
                "nothing to pack "
                "%d\n",
                t->waiting, t->apart, t->empty);
    if (t->outdated > 0)
        fprintf(cli->out,
                "signed plans that hold no more, because orders came later: %d; review and approve the "
                "new ones\n",
                t->outdated);
    if (t->conflicts + t->failed > 0)
        fprintf(cli->out, "no plan: %d without a schedule, %d refused\n", t->conflicts, t->failed);
}

/* How the days are found: by the patient's calendar, unless --start or --days say them. */
struct way {
    bool by_calendar, pharmacist;
    const char *reason;
    struct refill_site site;
};

static int plan_cycle(struct cli *cli, const struct site_rules *rules, const struct way *way,
                      const struct plan_request *request, struct cycle_made *cycle, struct plan_made *made,
                      struct error *err)
{
    const struct cycle_request r = {.patient = request->patient,
                                    .today = cli->today,
                                    .actor = request->actor,
                                    .pharmacist = way->pharmacist,
                                    .reason = way->reason,
                                    .wall_ms = request->wall_ms};
    int status = cycle_plan(cli->store, rules->policy, &way->site, &r, cycle, err);
    if (status == 0)
        *made = cycle->plan;
    return status;
}

static int plan_one(struct cli *cli, const struct site_rules *rules, const struct way *way,
                    struct plan_request *request, struct totals *t, struct error *err)
{
    struct plan_made made;
    struct cli_patient patient;
    int status = cli_patient_get(cli, request->patient, &patient, err);
    if (status < 0)
        return status;
    struct cycle_made cycle = {.anchor = CIVIL_DAY_NONE};
    if (way->by_calendar)
        status = plan_cycle(cli, rules, way, request, &cycle, &made, err);
    else
        status = plan_make(cli->store, rules->policy, request, &made, err);
    t->patients++;
    if (status < 0 &&
        error_class_of(status) == ERROR_CLASS_INPUT) { /* one patient's trouble stops nobody else */
        fprintf(stderr, "sachet: %s: %s\n", patient.shown, err->message);
        t->failed++;
        return 0;
    }
    if (status < 0)
        return error_prefix(err, status, "%s", patient.shown);
    add(t, &made);
    if (cli->json)
        print_json(cli, &patient, &made, &cycle);
    else
        print_text(cli, patient.shown, &made, &cycle);
    return 0;
}

static int run_plan(struct cli *cli, struct error *err)
{
    struct site_rules rules;
    struct totals totals = {0};
    int64_t *patients = NULL, days = 0;
    size_t count = 0;
    struct user user;
    struct plan_request request = {.actor = "sachet"};
    int status = site_rules_open(cli, &rules, err);
    /* Nobody must say who plans: a draft binds nobody. Who says so shows that it is true. */
    if (status == 0 && cli_option(cli, "user")) {
        status = cli_login(cli, NULL, &user, err);
        request.actor = user.login;
    }
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    if (status == 0)
        status = cli_option_int(cli, "days", 1, PLAN_DAYS_MAX, rules.policy->cycle_days, &days, err);
    if (status == 0)
        status = cli_option_day(cli, "start", cli->today + rules.policy->lead_days, &request.start_day, err);
    /* A year typed wrongly must not become pouches for days that are over. */
    if (status == 0 && request.start_day < cli->today)
        status = error_set(err, E_ARG, "--start %s: the day is over; a cycle begins today or later",
                           cli_option(cli, "start"));
    request.days = (int)days;
    struct way way = {.by_calendar = !cli_option(cli, "start") && !cli_option(cli, "days"),
                      .pharmacist =
                          cli_option(cli, "user") && status == 0 && strcmp(user.role, USER_PHARMACIST) == 0,
                      .reason = cli_option(cli, "reason")};
    if (status == 0)
        refill_site_load(cli->site, &way.site);
    request.wall_ms = clock_wall_ms(cli->clock);
    for (size_t i = 0; status == 0 && i < count; i++) {
        request.patient = patients[i];
        status = plan_one(cli, &rules, &way, &request, &totals, err);
    }
    if (status == 0)
        print_totals(cli, &totals);
    free(patients);
    site_rules_close(&rules);
    return status < 0 ? status : totals.conflicts + totals.failed > 0 ? CLI_FOUND : 0;
}

static int run_show_plan(struct cli *cli, struct error *err)
{
    struct arena arena;
    struct plan_row row;
    int64_t number = 0;
    int status = ask_number(cli->argv[0], "plan", &number, err);
    if (status == 0)
        status = cli_open_store(cli, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = plan_row_load(cli->store, number, &arena, &row, err);
    if (status == 0 && cli->json)
        status = out_json(
            cli, json_pack("{s:I, s:s%}", "plan", (json_int_t)number, "text", row.bytes, row.len), err);
    else if (status == 0)
        (void)fwrite(row.bytes, 1, row.len, cli->out); /* the frame checks out at the end */
    arena_finish(&arena);
    return status;
}

static const struct cli_option_row plan_options[] = {
    {"all", NULL, "every patient"},
    {"start", "DATE", "first day, by hand and without the calendar (else the patient's next cycle)"},
    {"days", "N", "length, by hand and without the calendar (else until the next cycle begins)"},
    {"reason", "TEXT", "why another version is made; inside the freeze days a pharmacist must give one"},
    {NULL, NULL, NULL},
};

static const struct cli_option_row no_options[] = {{NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "plan",
        .args = "[PATIENT…]",
        .args_min = 0,
        .args_max = -1,
        .summary = "Find the fewest times a day for each patient and lay out the pouches",
        .details = "Makes a draft for the pharmacist: orders and rules become a regimen, the regimen the\n"
                   "fewest daily slots, the slots one cycle of pouches. When nothing changed since the\n"
                   "newest plan, that one stands. Orders that cannot be packed or need a decision are\n"
                   "counted here and listed by `sachet review` with their reasons. Status 1 when a patient\n"
                   "got no plan because rules contradict each other or a row was refused.\n"
                   "\"As written\" counts the different times when each label is followed alone; people\n"
                   "do that (Wolf 2011).",
        .options = plan_options,
        .run = run_plan,
        .findings = true,
    },
    {
        .name = "show plan",
        .args = "PLAN",
        .args_min = 1,
        .args_max = 1,
        .summary = "Print the bytes of a plan as they are signed",
        .details = NULL,
        .options = no_options,
        .run = run_show_plan,
    },
};
const struct cli_group verbs_plan = {.title = "Plans", .rows = rows, .count = sizeof rows / sizeof rows[0]};
