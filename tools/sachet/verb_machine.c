/* SPDX-License-Identifier: Apache-2.0 */
/* sachet machine, watch, report: the line and what it left behind. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/pack/batch.h"
#include "controller/report/report.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"
#include "tools/sachet/wait.h"

enum { BAYS_MAX = 511 };

/* ---- machines ---- */

static int show_one(struct cli *cli, const char *name, struct error *err)
{
    json_t *state = NULL;
    int64_t updated_ms = 0;
    int rc = wait_line_state(cli->store, name, &state, &updated_ms, err);
    if (rc == 0 && cli->json)
        rc = out_json(cli,
                      state ? json_incref(state) : json_pack("{s:s,s:s}", "machine", name, "line", "unknown"),
                      err);
    else if (rc == 0)
        wait_print_line(cli, name, state, updated_ms);
    json_decref(state);
    return rc;
}

static int run_list(struct cli *cli, struct error *err)
{
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        wait_remark_daemon(cli);
    for (int i = 0; rc == 0 && i < conf_count(cli->site, "machines"); i++)
        rc = show_one(cli, conf_text(cli->site, "machines[%d].name", i), err);
    return rc;
}

static int print_locked_bays(struct cli *cli, const char *machine, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(cli->store, &rows, err,
                         "SELECT b.bay, b.canister_id, b.note FROM bay b WHERE b.machine = ? AND b.locked = 1"
                         " ORDER BY b.bay",
                         "t", machine);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        fprintf(cli->out,
                "  bay %" PRId64 " (canister %" PRId64
                ") is locked: %s; load it, or 'sachet machine unlock %s %" PRId64 "'\n",
                store_int(rows, 0), store_int(rows, 1), store_text(rows, 2), machine, store_int(rows, 0));
    }
    store_done(rows);
    return rc;
}

static int run_show(struct cli *cli, struct error *err)
{
    int rc = cli_open_store(cli, err);
    const char *machine = rc == 0 ? ask_machine(cli, cli->argv[0], err) : NULL;
    if (!machine)
        return rc < 0 ? rc : err->code;
    wait_remark_daemon(cli);
    rc = show_one(cli, machine, err);
    if (rc < 0 || cli->json)
        return rc;
    struct store_rows *rows = NULL;
    rc = store_query(cli->store, &rows, err,
                     "SELECT m.serial, next_seq - 1, retired, boot, session, coalesce(l.actor, ''),"
                     " coalesce(l.since_ms, 0) FROM machine m LEFT JOIN machine_place l"
                     " ON l.machine = m.name AND l.serial = m.serial WHERE m.name = ? ORDER BY seen_ms DESC",
                     "t", machine);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        rc = 0;
        fprintf(cli->out,
                "  serial %s: %" PRId64 " pouches numbered, %" PRId64 " recorded, powered up %" PRId64
                " times, connection %" PRId64 "\n",
                store_text(rows, 0), store_int(rows, 1), store_int(rows, 2), store_int(rows, 3),
                store_int(rows, 4));
        if (store_text(rows, 5)[0]) {
            char since[INSTANT_TEXT_BYTES];
            instant_format(store_int(rows, 6), since);
            fprintf(cli->out, "    stands here since %.19sZ, by word of %s\n", since, store_text(rows, 5));
        }
    }
    store_done(rows);
    return rc < 0 ? rc : print_locked_bays(cli, machine, err);
}

static int run_ask(struct cli *cli, const char *verb, struct error *err)
{
    struct user user;
    int64_t command = 0;
    char what[96];
    int rc = cli_open_site(cli, err);
    const char *machine = rc == 0 ? ask_machine(cli, cli->argv[0], err) : NULL;
    if (!machine)
        return rc < 0 ? rc : err->code;
    rc = cli_login(cli, NULL, &user, err);
    if (rc == 0)
        rc = machine_ask(cli->store, machine, verb, user.login, clock_wall_ms(cli->clock), &command, err);
    if (rc < 0)
        return rc;
    (void)snprintf(what, sizeof what, "machine %s: %s", machine, verb); /* the site file bounds the name */
    return ask_tell(cli, command, what, err);
}

static int run_confirm(struct cli *cli, struct error *err)
{
    return run_ask(cli, "confirm", err);
}

static int run_clear(struct cli *cli, struct error *err)
{
    return run_ask(cli, "clear", err);
}

static int run_reset(struct cli *cli, struct error *err)
{
    return run_ask(cli, "reset", err);
}

static int run_start(struct cli *cli, struct error *err)
{
    return run_ask(cli, "start", err);
}

static int run_stop(struct cli *cli, struct error *err)
{
    return run_ask(cli, "stop", err);
}

static int run_adopt(struct cli *cli, struct error *err)
{
    return run_ask(cli, "adopt", err);
}

static int run_unlock(struct cli *cli, struct error *err)
{
    struct user user;
    char *end = NULL;
    int rc = cli_open_site(cli, err);
    const char *machine = rc == 0 ? ask_machine(cli, cli->argv[0], err) : NULL;
    if (!machine)
        return rc < 0 ? rc : err->code;
    long bay = strtol(cli->argv[1], &end, 10);
    if (end == cli->argv[1] || *end || bay < 0 || bay > BAYS_MAX)
        return error_set(err, E_ARG, "bay \"%.40s\": a number from 0 to %d is wanted", cli->argv[1],
                         BAYS_MAX);
    rc = cli_login(cli, NULL, &user, err);
    if (rc == 0)
        rc = bay_unlock(cli->store, machine, (int)bay, user.login, clock_wall_ms(cli->clock), err);
    if (rc == 0 && cli->json)
        return out_json(cli, json_pack("{s:s,s:I}", "machine", machine, "unlocked", (json_int_t)bay), err);
    if (rc == 0)
        fprintf(cli->out, "machine %s: bay %ld is open again\n", machine, bay);
    return rc;
}

/* ---- report ---- */

static int run_report(struct cli *cli, struct error *err)
{
    struct arena arena;
    struct report report;
    struct buf text;
    int64_t batch = 0;
    int rc = ask_number(cli->argv[0], "batch", &batch, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc < 0)
        return rc;
    arena_init(&arena, 0);
    buf_init(&text);
    const struct report_pharmacy pharmacy = report_pharmacy_of(cli->site);
    rc = report_batch(cli->store, batch, &arena, &report, err);
    report.pharmacy = &pharmacy;
    if (rc == 0 && cli->json)
        rc = report_json(&report, &text, err);
    else if (rc == 0)
        report_text(&report, &text);
    if (rc == 0 && text.failed)
        rc = error_set(err, E_MEMORY, "no memory for the record of batch %" PRId64, batch);
    if (rc == 0)
        fputs(buf_string(&text), cli->out);
    if (rc == 0 && cli_flag(cli, "write")) {
        char *folder = cli_site_path(cli, "records");
        rc = folder ? report_files(cli->store, batch, &pharmacy, folder, err)
                    : error_set(err, E_MEMORY, "no memory");
        free(folder);
    }
    bool quarantine = rc == 0 && !report.conserved;
    buf_finish(&text);
    arena_finish(&arena);
    return quarantine ? CLI_FOUND : rc;
}

static const struct cli_option_row watch_options[] = {
    {"for", "SECONDS", "end after so long; 0: look once"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row report_options[] = {
    {"write", NULL, "write records/batch-N.txt and .json of the site, too"},
    {NULL, NULL, NULL},
};

#define MACHINE_VERB(verb_, run_, summary_, details_)                                        \
    {                                                                                        \
        .name = verb_, .args = "MACHINE", .args_min = 1, .args_max = 1, .summary = summary_, \
        .details = details_, .run = run_                                                     \
    }

static const struct cli_verb rows[] = {
    {.name = "watch",
     .args = "[MACHINE]",
     .args_max = 1,
     .summary = "Show the lines live: state, pouch, rate, finish time, alarms",
     .options = watch_options,
     .run = wait_watch},
    {.name = "machine list", .args = "", .summary = "List the machines and their state", .run = run_list},
    {.name = "machine show",
     .args = "MACHINE",
     .args_min = 1,
     .args_max = 1,
     .summary = "Show a machine with its numbers and locked bays",
     .run = run_show},
    MACHINE_VERB(
        "machine confirm", run_confirm, "Confirm that a doubtful pouch was taken out",
        "After a stop in mid pouch: take the pouch with the shown number out, then confirm; once a pouch."),
    MACHINE_VERB("machine clear", run_clear, "Clear an abort after its cause was removed",
                 "Where the line itself is halted, it looks at the machine once more."),
    MACHINE_VERB("machine reset", run_reset, "Reset a stopped machine", NULL),
    MACHINE_VERB("machine start", run_start, "Let the machine go on with its batch",
                 "Starts the batch again that stopped last, and walks the machine to Execute."),
    MACHINE_VERB("machine stop", run_stop, "Finish the pouches under way and stop", NULL),
    MACHINE_VERB(
        "machine adopt", run_adopt, "Accept a machine that the store does not know, or not any more",
        "After a restored backup, or when another machine stands where one stood. Pouches that the store "
        "does\n"
        "not know, and those that lie in the old machine, must be taken out first; open ones are recorded\n"
        "void. Counters that went back cannot be adopted."),
    {.name = "machine unlock",
     .args = "MACHINE BAY",
     .args_min = 2,
     .args_max = 2,
     .summary = "Open a bay that wrong counts locked",
     .run = run_unlock},
    {.name = "report batch",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Print the record of a batch",
     .details =
         "Each pouch with patient, date, slot, what was expected and counted, lots, seal, attempts and who\n"
         "signed. Status 1 when expected and counted differ in a good pouch.",
     .options = report_options,
     .run = run_report,
     .findings = true},
};
const struct cli_group verbs_machine = {
    .title = "The line and its records", .rows = rows, .count = sizeof rows / sizeof rows[0]};
