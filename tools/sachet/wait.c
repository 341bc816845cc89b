/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/pack/batch.h"
#include "controller/store/store.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"

enum { STEP_MS = 200, REMARK_STEPS = 15, BAR = 30 };

int wait_line_state(struct store *store, const char *machine, json_t **ret_state, int64_t *ret_updated_ms,
                    struct error *err)
{
    struct store_rows *rows = NULL;
    json_t *state = NULL;
    int rc = store_query(store, &rows, err, "SELECT state, updated_ms FROM machine_state WHERE machine = ?",
                         "t", machine);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        state = json_loads(store_text(rows, 0), 0, NULL);
        *ret_updated_ms = store_int(rows, 1);
    }
    store_done(rows);
    if (rc < 0)
        return rc;
    *ret_state = state;
    return 0;
}

static int64_t integer_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- batch wait ---- */

/* What a person must do next about the alarms that are up. */
static void print_alarms(FILE *out, const json_t *state)
{
    size_t i = 0;
    json_t *alarm = NULL;
    json_array_foreach(json_object_get(state, "alarms"), i, alarm)
        fprintf(out, "  alarm %" PRId64 ": %s; next: %s\n", integer_of(alarm, "number"),
                text_of(alarm, "text"), text_of(alarm, "next"));
}

static void print_bar(const struct cli *cli, const struct batch_info *info, const json_t *state)
{
    char finish[CLI_TIME_BYTES] = "";
    const json_t *batch = json_object_get(state, "batch");
    int64_t finish_ms = integer_of(batch, "finish_ms");
    int filled = info->pouches ? (int)(info->good * BAR / info->pouches) : 0;
    if (finish_ms)
        cli_time(cli, finish_ms, finish);
    fprintf(stderr, "\r\033[Kbatch %" PRId64 " [%.*s%*s] %" PRId64 "/%" PRId64 "  void %" PRId64 "  %s",
            info->id, filled, "##############################", BAR - filled, "", info->good, info->pouches,
            info->voids, text_of(state, "state"));
    if (integer_of(batch, "rate_per_hour"))
        fprintf(stderr, "  %" PRId64 "/min", integer_of(batch, "rate_per_hour") / 60);
    if (finish[0])
        fprintf(stderr, "  done %s", finish + CLI_TIME_CLOCK);
    fflush(stderr);
}

static int finish_wait(struct cli *cli, const struct batch_info *info, const json_t *state, struct error *err)
{
    bool done = strcmp(info->state, "done") == 0;
    if (cli->json) {
        int rc = out_json(cli,
                          json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:I}", "batch", (json_int_t)info->id, "state",
                                    info->state, "note", info->note, "pouches", (json_int_t)info->pouches,
                                    "good", (json_int_t)info->good, "void", (json_int_t)info->voids, "remade",
                                    (json_int_t)info->remakes),
                          err);
        return rc < 0 ? rc : done ? 0 : CLI_FOUND;
    }
    fprintf(cli->out,
            "batch %" PRId64 " %s: %" PRId64 " of %" PRId64 " pouches good, %" PRId64 " void, %" PRId64
            " remade%s\n",
            info->id, info->state, info->good, info->pouches, info->voids, info->remakes,
            info->simulated == 1 ? "  SIMULATED" : "");
    if (done)
        return 0;
    if (info->note[0])
        fprintf(cli->out, "  %s\n", info->note);
    print_alarms(cli->out, state);
    return CLI_FOUND;
}

int wait_batch(struct cli *cli, struct error *err)
{
    struct batch_info info;
    int64_t batch = 0, timeout_s = 0, updated_ms = 0;
    bool terminal = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
    int rc = ask_number(cli->argv[0], "batch", &batch, err);
    if (rc == 0)
        rc = cli_option_int(cli, "timeout", 1, 1000000, 0, &timeout_s, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc < 0)
        return rc;
    int64_t end_ms = timeout_s ? clock_mono_ms(cli->clock) + timeout_s * 1000 : INT64_MAX;
    for (int step = 0;; step++) {
        json_t *state = NULL;
        rc = batch_get(cli->store, batch, &info, err);
        if (rc == 0)
            rc = wait_line_state(cli->store, info.machine, &state, &updated_ms, err);
        if (rc == 0 && terminal)
            print_bar(cli, &info, state);
        else if (rc == 0)
            cli_progress(cli, "packing", info.good, info.pouches);
        /* A batch that waits for its start may still say why it stopped before; ask again a little later. */
        int64_t open = 0;
        if (rc == 0)
            rc = store_get_int(cli->store, &open, err,
                               "SELECT count(*) FROM command WHERE batch_id = ? AND taken_ms IS NULL", "i",
                               batch);
        if (rc == 0 && open == 0 && batch_is_resting(&info)) {
            if (terminal)
                fputc('\n', stderr);
            rc = finish_wait(cli, &info, state, err);
            json_decref(state);
            return rc;
        }
        json_decref(state);
        if (rc < 0)
            return rc;
        if (clock_mono_ms(cli->clock) >= end_ms)
            return error_set(err, E_TIMEOUT, "batch %" PRId64 " is not over after %" PRId64 " s; it goes on",
                             batch, timeout_s);
        if (step == REMARK_STEPS && !ask_daemon_runs(cli))
            fprintf(stderr, "%ssachetd is not running; start it with: sachetd --site %s\n",
                    terminal ? "\n" : "", cli->site_dir);
        ask_sleep_ms(STEP_MS);
    }
}

/* ---- watch ---- */

void wait_remark_daemon(struct cli *cli)
{
    if (!ask_daemon_runs(cli))
        fprintf(stderr,
                "sachetd is not running: this is what it saw last; start it with: sachetd --site %s\n",
                cli->site_dir);
}

/* What people asked of the machine and sachetd has not taken, or the machine not answered. */
static void print_asked(struct cli *cli, const char *machine)
{
    struct store_rows *rows = NULL;
    struct error err = {0};
    int rc =
        store_query(cli->store, &rows, &err,
                    "SELECT verb, actor, asked_ms, coalesce(batch_id, 0), taken_ms IS NOT NULL FROM command"
                    " WHERE machine = ? AND (taken_ms IS NULL OR result IS NULL) ORDER BY id LIMIT 20",
                    "t", machine);
    while (rc == 0 && (rc = store_next(rows, &err)) == 1) {
        int64_t age_s = (clock_wall_ms(cli->clock) - store_int(rows, 2)) / 1000;
        rc = 0;
        fprintf(cli->out, "  asked %" PRId64 " s ago by %s: %s", age_s > 0 ? age_s : 0, store_text(rows, 1),
                store_text(rows, 0));
        if (store_int(rows, 3))
            fprintf(cli->out, " batch %" PRId64, store_int(rows, 3));
        fprintf(cli->out, ", %s\n",
                store_int(rows, 4) ? "the machine has not answered yet" : "not taken yet");
    }
    store_done(rows);
    if (rc < 0)
        fprintf(stderr, "sachet: %s\n", err.message);
}

/* Where it should be, and what to do. */
static void print_missing(struct cli *cli, const json_t *state)
{
    const char *address = text_of(state, "address");
    if (strcmp(text_of(state, "line"), "down") == 0)
        fprintf(cli->out,
                "  no machine at %s; next: look whether it is on and its cable is in; the address stands"
                " in site.yaml\n",
                address[0] ? address : "its address");
    if (text_of(state, "panel")[0])
        fprintf(cli->out, "  %s\n", text_of(state, "panel"));
}

static void print_doubtful(struct cli *cli, const json_t *state)
{
    size_t i = 0;
    json_t *token = NULL;
    json_array_foreach(json_object_get(state, "doubtful"), i, token) fprintf(
        cli->out, "  pouch %s is doubtful: take it out, then 'machine confirm'; it is void and made again\n",
        json_string_value(token));
}

void wait_print_line(struct cli *cli, const char *machine, const json_t *state, int64_t updated_ms)
{
    if (!state) {
        fprintf(cli->out, "%-12s never seen by sachetd\n", machine);
        print_asked(cli, machine);
        return;
    }
    char seen[CLI_TIME_BYTES];
    cli_time(cli, updated_ms, seen);
    fprintf(cli->out, "%-12s %-9s %-12s%s", machine, text_of(state, "line"), text_of(state, "state"),
            json_is_true(json_object_get(state, "simulated")) ? " SIMULATED" : "");
    if (json_is_true(json_object_get(state, "attended_by_program")))
        fputs(" attended by the program", cli->out);
    const json_t *batch = json_object_get(state, "batch");
    if (batch) {
        fprintf(cli->out, "  batch %" PRId64 " %s %" PRId64 "/%" PRId64 " void %" PRId64,
                integer_of(batch, "id"), text_of(batch, "state"), integer_of(batch, "good"),
                integer_of(batch, "pouches"), integer_of(batch, "void"));
        int64_t finish_ms = integer_of(batch, "finish_ms");
        if (integer_of(batch, "rate_per_hour"))
            fprintf(cli->out, "  %" PRId64 "/min", integer_of(batch, "rate_per_hour") / 60);
        if (finish_ms) {
            char finish[CLI_TIME_BYTES];
            cli_time(cli, finish_ms, finish);
            fprintf(cli->out, "  done %s", finish + CLI_TIME_CLOCK);
        }
    }
    fprintf(cli->out, "  (%s)\n", seen + CLI_TIME_CLOCK);
    if (text_of(state, "note")[0])
        fprintf(cli->out, "  %s\n", text_of(state, "note"));
    print_missing(cli, state);
    print_alarms(cli->out, state);
    print_doubtful(cli, state);
    print_asked(cli, machine);
}

int wait_watch(struct cli *cli, struct error *err)
{
    int64_t seconds = 0;
    int64_t last_version = -1;
    int rc = cli_option_int(cli, "for", 0, 1000000, -1, &seconds, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    const char *only = rc == 0 && cli->argc ? ask_machine(cli, cli->argv[0], err) : NULL;
    if (rc == 0 && cli->argc && !only)
        rc = err->code;
    if (rc == 0)
        wait_remark_daemon(cli);
    int64_t end_ms = seconds < 0 ? INT64_MAX : clock_mono_ms(cli->clock) + seconds * 1000;
    while (rc == 0) {
        int64_t version = store_data_version(cli->store);
        if (cli->terminal && !cli->json && seconds != 0)
            fputs("\033[H\033[J", cli->out);
        for (int i = 0; rc == 0 && i < conf_count(cli->site, "machines"); i++) {
            const char *name = conf_text(cli->site, "machines[%d].name", i);
            json_t *state = NULL;
            int64_t updated_ms = 0;
            if (only && strcmp(only, name) != 0)
                continue;
            if (version == last_version && !cli->terminal)
                continue; /* plain lines only when something changed */
            rc = wait_line_state(cli->store, name, &state, &updated_ms, err);
            if (rc == 0 && cli->json && state)
                rc = out_json(cli, json_incref(state), err);
            else if (rc == 0 && !cli->json)
                wait_print_line(cli, name, state, updated_ms);
            json_decref(state);
        }
        fflush(cli->out);
        last_version = version;
        if (rc < 0 || clock_mono_ms(cli->clock) >= end_ms)
            break;
        ask_sleep_ms(STEP_MS);
    }
    return rc;
}
