/* SPDX-License-Identifier: Apache-2.0 */
/* sachet alarms, states: what stopped a line, with its evidence, and the tables behind it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/pack/alarm.h"
#include "controller/pack/states_page.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

/* One alarm as a row of the store. */
#define COLUMNS                                                                                    \
    "SELECT a.id, a.machine, a.number, a.text, a.next_step, coalesce(a.batch_id, 0), a.raised_ms," \
    " coalesce(a.cleared_ms, 0), a.evidence, coalesce(f.token, '') FROM alarm a"                   \
    " LEFT JOIN fill f ON f.id = a.fill_id "

static json_t *alarm_json(struct store_rows *rows)
{
    char raised[INSTANT_TEXT_BYTES];
    const struct alarm_row *row = alarm_row((int)store_int(rows, 2));
    instant_format(store_int(rows, 6), raised);
    return json_pack("{s:I,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:b,s:s,s:o*}", "id",
                     (json_int_t)store_int(rows, 0), "machine", store_text(rows, 1), "number",
                     (json_int_t)store_int(rows, 2), "severity", alarm_severity_text(row->severity), "text",
                     store_text(rows, 3), "cause", row->cause, "pouches", alarm_pouch_text(row->pouch),
                     "next", store_text(rows, 4), "resume", row->resume, "batch",
                     (json_int_t)store_int(rows, 5), "raised", raised, "over", (int)(store_int(rows, 7) != 0),
                     "pouch", store_text(rows, 9), "evidence", json_loads(store_text(rows, 8), 0, NULL));
}

static void print_line(struct cli *cli, struct store_rows *rows)
{
    char raised[INSTANT_TEXT_BYTES];
    instant_format(store_int(rows, 6), raised);
    fprintf(cli->out, "%4" PRId64 "  %.19sZ  %-12s %4" PRId64 " %-6s  %s%s\n      next: %s\n",
            store_int(rows, 0), raised, store_text(rows, 1), store_int(rows, 2),
            alarm_severity_text(alarm_row((int)store_int(rows, 2))->severity), store_text(rows, 3),
            store_int(rows, 7) ? "  (over)" : "", store_text(rows, 4));
}

static int run_list(struct cli *cli, struct error *err)
{
    struct store_rows *rows = NULL;
    int count = 0;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_query(cli->store, &rows, err,
                         COLUMNS "WHERE ? = 1 OR a.cleared_ms IS NULL ORDER BY a.id DESC LIMIT 1000", "i",
                         (int64_t)cli_flag(cli, "all"));
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        count++;
        if (cli->json)
            rc = out_json(cli, alarm_json(rows), err);
        else
            print_line(cli, rows);
    }
    store_done(rows);
    if (rc == 0 && count == 0 && !cli->json)
        fputs("no alarms\n", cli->out);
    return rc;
}

/* The evidence one entry a line, newest last. */
static void print_evidence(struct cli *cli, const char *text)
{
    json_t *evidence = json_loads(text, 0, NULL), *entry = NULL;
    const json_t *panel = json_object_get(evidence, "panel");
    size_t i = 0;
    json_array_foreach(json_object_get(evidence, "seen"), i, entry)
    {
        char *line = json_dumps(entry, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fprintf(cli->out, "    %s\n", line ? line : "?");
        free(line);
    }
    if (panel) {
        char *line = json_dumps(panel, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fprintf(cli->out, "    panel %s\n", line ? line : "?");
        free(line);
    }
    if (evidence && !json_object_get(evidence, "seen") && json_object_size(evidence) > 0)
        fprintf(cli->out, "    %s\n", text);
    json_decref(evidence);
}

static void print_whole(struct cli *cli, struct store_rows *rows)
{
    const struct alarm_row *row = alarm_row((int)store_int(rows, 2));
    print_line(cli, rows);
    fprintf(cli->out, "      cause: %s\n      pouches: %s%s%s\n      Resume %s\n", row->cause,
            alarm_pouch_text(row->pouch), store_text(rows, 9)[0] ? "; pouch " : "", store_text(rows, 9),
            row->resume);
    fputs("      what the line saw before (ms before the alarm):\n", cli->out);
    print_evidence(cli, store_text(rows, 8));
}

static int run_show(struct cli *cli, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t id = 0;
    int rc = ask_number(cli->argv[0], "alarm", &id, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_query(cli->store, &rows, err, COLUMNS "WHERE a.id = ?", "i", id);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 0)
        rc = error_set(err, E_NOT_FOUND, "alarm %" PRId64 " does not exist; 'sachet alarms --all' lists them",
                       id);
    if (rc == 1 && cli->json)
        rc = out_json(cli, alarm_json(rows), err);
    else if (rc == 1)
        print_whole(cli, rows);
    store_done(rows);
    return rc < 0 ? rc : 0;
}

static int run_done(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t id = 0;
    int rc = ask_number(cli->argv[0], "alarm", &id, err);
    if (rc == 0)
        rc = cli_login(cli, NULL, &user, err);
    if (rc == 0)
        rc = store_write_begin(cli->store, err);
    if (rc == 0)
        rc = alarm_settle(cli->store, id, user.login, clock_wall_ms(cli->clock), err);
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    store_write_rollback(cli->store); /* nothing after a commit */
    if (rc == 0 && cli->json)
        return out_json(cli, json_pack("{s:I,s:b}", "alarm", (json_int_t)id, "over", 1), err);
    if (rc == 0)
        fprintf(cli->out, "alarm %" PRId64 " is done\n", id);
    return rc;
}

static int run_states(struct cli *cli, struct error *err)
{
    struct buf page;
    buf_init(&page);
    states_page(&page);
    int rc = page.failed ? error_set(err, E_MEMORY, "no memory for the page") : 0;
    if (rc == 0 && cli->json)
        rc = out_json(cli, json_pack("{s:s}", "markdown", buf_string(&page)), err);
    else if (rc == 0)
        fputs(buf_string(&page), cli->out);
    buf_finish(&page);
    return rc;
}

static const struct cli_option_row list_options[] = {
    {"all", NULL, "those that are over, too (the last 1000)"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {.name = "alarms",
     .args = "",
     .summary = "List alarms with the next step of each",
     .options = list_options,
     .run = run_list},
    {.name = "alarms show",
     .args = "ALARM",
     .args_min = 1,
     .args_max = 1,
     .summary = "Show an alarm: cause, pouches, next step, what Resume does, and the evidence",
     .run = run_show},
    {.name = "alarms done",
     .args = "ALARM",
     .args_min = 1,
     .args_max = 1,
     .summary = "Say that what an alarm asked for was done",
     .details = "For alarms that no machine can know to be over: a pouch to be taken out of a roll or a "
                "machine.\nThose that end by themselves, or by unlocking a bay, are refused.",
     .run = run_done},
    {.name = "states",
     .args = "",
     .summary = "Print every state machine, light and alarm of the line as Markdown",
     .run = run_states},
};
const struct cli_group verbs_alarms = {
    .title = "Alarms and states", .rows = rows, .count = sizeof rows / sizeof rows[0]};
