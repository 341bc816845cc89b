/* SPDX-License-Identifier: Apache-2.0 */
/* sachet forecast: what must be bought, by product and week. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/conf.h"
#include "controller/parties/forecast.h"
#include "controller/parties/task.h"
#include "controller/plan/documents/json_values.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

enum { WEEKS = 6, UNIT_MILLI = 1000 };

/* A line of the CSV file and an object of the JSON are a product in a week in which something is needed. */
static bool week_is_empty(const struct forecast_week *week)
{
    for (int n = 0; n < FORECAST_NEEDS; n++) {
        if (week->need[n])
            return false;
    }
    return true;
}

static int64_t conditional(const struct forecast_week *week)
{
    return week->need[FORECAST_DRAFT] + week->need[FORECAST_AHEAD] + week->need[FORECAST_RENEWAL];
}

static int json_rows(struct cli *cli, const struct forecast *f, struct error *err)
{
    json_t *products = json_array();
    for (size_t i = 0; i < f->count; i++) {
        const struct forecast_product *p = &f->products[i];
        json_t *weeks = json_array();
        for (int w = 0; w < f->weeks; w++) {
            const struct forecast_week *week = &p->weeks[w];
            char name[FORECAST_WEEK_BYTES], day[CIVIL_TEXT_BYTES];
            if (week_is_empty(week))
                continue;
            forecast_week_text(f->monday + 7 * w, name);
            civil_format(f->monday + 7 * w, day);
            json_t *row = json_pack("{s:s, s:s}", "week", name, "monday", day);
            for (int n = 0; n < FORECAST_NEEDS; n++)
                (void)json_object_set_new(row, forecast_need_text((enum forecast_need)n),
                                          json_pieces(week->need[n]));
            (void)json_object_set_new(row, "from_stock", json_pieces(week->stock));
            (void)json_object_set_new(row, "from_orders", json_pieces(week->orders));
            (void)json_object_set_new(row, "buy_firm", json_pieces(week->buy_firm));
            (void)json_object_set_new(row, "buy_conditional", json_pieces(week->buy_conditional));
            (void)json_array_append_new(weeks, row);
        }
        (void)json_array_append_new(products, json_pack("{s:s, s:s, s:o, s:o, s:o}", "product", p->code,
                                                        "name", p->name, "stock", json_pieces(p->stock),
                                                        "on_order", json_pieces(p->orders), "weeks", weeks));
    }
    return out_json(cli,
                    json_pack("{s:i, s:i, s:i, s:i, s:o}", "weeks", f->weeks, "patients", f->patients,
                              "unplanned", f->unplanned, "unread", f->unread, "products", products),
                    err);
}

static void quantity_print(FILE *out, int64_t milli, const char *before)
{
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(milli, text);
    fprintf(out, "%s%s", before, text);
}

/* Names may hold commas and quotes. */
static void csv_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void csv_rows(FILE *out, const struct forecast *f)
{
    fputs("product,name,week,monday", out);
    for (int n = 0; n < FORECAST_NEEDS; n++)
        fprintf(out, ",%s", forecast_need_text((enum forecast_need)n));
    fputs(",from_stock,from_orders,buy_firm,buy_conditional\n", out);
    for (size_t i = 0; i < f->count; i++) {
        for (int w = 0; w < f->weeks; w++) {
            const struct forecast_week *week = &f->products[i].weeks[w];
            char name[FORECAST_WEEK_BYTES], day[CIVIL_TEXT_BYTES];
            if (week_is_empty(week))
                continue;
            forecast_week_text(f->monday + 7 * w, name);
            civil_format(f->monday + 7 * w, day);
            fprintf(out, "%s,", f->products[i].code);
            csv_text(out, f->products[i].name);
            fprintf(out, ",%s,%s", name, day);
            for (int n = 0; n < FORECAST_NEEDS; n++)
                quantity_print(out, week->need[n], ",");
            quantity_print(out, week->stock, ",");
            quantity_print(out, week->orders, ",");
            quantity_print(out, week->buy_firm, ",");
            quantity_print(out, week->buy_conditional, ",");
            fputc('\n', out);
        }
    }
}

/* Whole units that cover an amount. */
static int64_t ceiling(int64_t milli)
{
    return (milli + UNIT_MILLI - 1) / UNIT_MILLI;
}

static void text_rows(FILE *out, const struct forecast *f)
{
    int64_t firm = 0, open = 0;
    fputs("Units to have on the shelf by the week of packing: needed for signed plans + conditional, and "
          "what must be "
          "bought\n\n",
          out);
    for (int w = 0; w < f->weeks; w++) {
        char name[FORECAST_WEEK_BYTES], day[CIVIL_TEXT_BYTES];
        bool headed = false;
        for (size_t i = 0; i < f->count; i++) {
            const struct forecast_week *week = &f->products[i].weeks[w];
            if (week_is_empty(week))
                continue;
            forecast_week_text(f->monday + 7 * w, name);
            civil_format(f->monday + 7 * w, day);
            if (!headed)
                fprintf(out, "%s, from %s%*s needed  conditional  stock+orders     buy  conditional\n", name,
                        day, 22, "");
            headed = true;
            fprintf(out, "  %-44.44s %6" PRId64 " %12" PRId64 " %13" PRId64 " %7" PRId64 " %12" PRId64 "\n",
                    f->products[i].name[0] ? f->products[i].name : f->products[i].code,
                    ceiling(week->need[FORECAST_FIRM]), ceiling(conditional(week)),
                    ceiling(week->stock + week->orders), ceiling(week->buy_firm),
                    ceiling(week->buy_conditional));
            firm += ceiling(week->buy_firm);
            open += ceiling(week->buy_conditional);
        }
        if (headed)
            fputc('\n', out);
    }
    fprintf(out,
            "%d patients, %d weeks: buy %" PRId64 " units for signed plans, %" PRId64
            " more if all goes on as "
            "planned\n",
            f->patients, f->weeks, firm, open);
    if (f->unplanned)
        fprintf(out, "not counted: %d patients with orders but without a plan\n", f->unplanned);
    if (f->unread)
        fprintf(out, "not counted: %d orders whose days cannot be laid out\n", f->unread);
}

/* One purchase a product and week, beside those that are open already: they were taken off before. */
static int purchase_open(struct cli *cli, const struct task_act *act, const struct forecast *f,
                         const struct forecast_product *p, int w, int64_t units, struct error *err)
{
    char week[FORECAST_WEEK_BYTES], subject[TASK_SUBJECT_BYTES_MAX + 1];
    enum task_opening opening = TASK_STANDS;
    int64_t id;
    forecast_week_text(f->monday + 7 * w, week);
    int32_t due = f->monday + 7 * w;
    json_t *facts = json_pack("{s:s, s:I, s:s*}", "product", p->code, "quantity", (json_int_t)units, "drug",
                              p->name[0] ? p->name : NULL);
    char *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    int rc = text ? 0 : error_set(err, E_MEMORY, "out of memory opening purchases");
    for (int n = 1; rc == 0 && opening != TASK_OPENED; n++) {
        (void)snprintf(subject, sizeof subject, "%s for %s, order %d", p->code, week, n); /* bounded parts */
        struct task_request request = {.kind = TASK_PURCHASE,
                                       .subject = subject,
                                       .due_day = due < act->today ? act->today : due,
                                       .facts = text};
        rc = task_open(cli->store, act, &request, &id, &opening, err);
    }
    json_decref(facts);
    free(text);
    if (rc == 0 && !cli->json)
        fprintf(cli->out, "task %" PRId64 ": buy %" PRId64 " of %s for %s\n", id, units, p->code, week);
    return rc;
}

static int purchases_open(struct cli *cli, const struct forecast *f, struct error *err)
{
    struct user user;
    int rc = cli_login(cli, NULL, &user, err);
    if (rc == 0)
        rc = store_write_begin(cli->store, err);
    if (rc)
        return rc;
    struct task_act act = {.actor = user.login, .wall_ms = clock_wall_ms(cli->clock), .today = cli->today};
    for (size_t i = 0; rc == 0 && i < f->count; i++) {
        for (int w = 0; rc == 0 && w < f->weeks; w++) {
            int64_t units = ceiling(f->products[i].weeks[w].buy_firm);
            if (units > 0)
                rc = purchase_open(cli, &act, f, &f->products[i], w, units, err);
        }
    }
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    store_write_rollback(cli->store);
    return rc;
}

static int run_forecast(struct cli *cli, struct error *err)
{
    struct forecast forecast;
    int64_t weeks;
    if (cli_flag(cli, "csv") && cli->json)
        return error_set(err, E_ARG, "--csv or --json, not both");
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = cli_option_int(cli, "weeks", 1, FORECAST_WEEKS_MAX, WEEKS, &weeks, err);
    if (rc)
        return rc;
    struct forecast_options options = {.today = cli->today,
                                       .weeks = (int)weeks,
                                       .cycle_days = (int)conf_int(cli->site, "cycle.days"),
                                       .lead_days = (int)conf_int(cli->site, "cycle.lead_days"),
                                       .simulated = cli_flag(cli, "simulated")};
    rc = forecast_make(cli->store, &options, &forecast, err);
    if (rc)
        return rc;
    if (cli_flag(cli, "csv"))
        csv_rows(cli->out, &forecast);
    else if (cli->json)
        rc = json_rows(cli, &forecast, err);
    else
        text_rows(cli->out, &forecast);
    if (rc == 0 && cli_flag(cli, "order"))
        rc = purchases_open(cli, &forecast, err);
    forecast_finish(&forecast);
    return rc;
}

static const struct cli_option_row options[] = {
    {"weeks", "N", "weeks ahead, the running one included (6)"},
    {"csv", NULL, "comma-separated values, a line a product and week"},
    {"order", NULL, "open a purchase task for what signed plans lack (--user)"},
    {"simulated", NULL, "count the canisters of simulated machines instead of real ones"},
    {NULL, NULL, NULL}};
static const struct cli_verb rows[] = {
    {
        .name = "forecast",
        .args = "",
        .summary = "Say what must be bought, by product and week, for all patients",
        .details =
            "Firm: pouches of signed plans. Conditional: drafts, the cycles after them, and those that wait\n"
            "for a renewal. Canisters and open purchases are taken off. A roll needs its pieces in the week\n"
            "in which it is packed (cycle.lead_days before its first dose).",
        .options = options,
        .run = run_forecast,
    },
};
const struct cli_group verbs_forecast = {
    .title = "Forecast", .rows = rows, .count = sizeof rows / sizeof rows[0]};
