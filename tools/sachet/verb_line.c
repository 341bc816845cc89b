/* SPDX-License-Identifier: Apache-2.0 */
/* sachet line status: what the lines to the machines counted, as sachetd keeps it in line_state. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/store/store.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"
#include "tools/sachet/wait.h"

enum { LINE_BYTES = 320, MACHINE_BYTES = 64, COUNTS = 12, OLD_MS = 60000 };

/* One table: column of line_state, key in JSON, head of the column for people, how machines of one line are
 * joined. */
static const struct count_row {
    const char *name;
    const char *head;
    bool worst; /* the largest counts; else the sum */
} count_rows[COUNTS] = {
    {"requests", "requests", false},
    {"timeouts", "time-outs", false},
    {"frame_errors", "damaged", false},
    {"exceptions", "exceptions", false},
    {"reconnects", "connects", false},
    {"late", "late", false},
    {"retries", "retries", false},
    {"worst_ms", "worst ms", true},
    {"p99_ms", "p99 ms", true},
    {"accepts", "jobs", false},
    {"accept_worst_ms", "job worst", true},
    {"accept_p99_ms", "job p99", true},
};

/* Machines in a row of the query, joined as far as their line is the same. */
struct status {
    struct cli *cli;
    char line[LINE_BYTES];
    int64_t line_counts[COUNTS];
    json_t *lines;    /* finished lines */
    json_t *machines; /* of this line */
    int shown;
};

static void print_counts(struct status *s, const char *name, const int64_t *counts)
{
    fprintf(s->cli->out, "%-24.24s", name);
    for (int i = 0; i < COUNTS; i++)
        fprintf(s->cli->out, " %10" PRId64, counts[i]);
    fputc('\n', s->cli->out);
}

static void add_counts(json_t *object, const int64_t *counts)
{
    for (int i = 0; i < COUNTS; i++)
        (void)json_object_set_new(object, count_rows[i].name, json_integer(counts[i])); /* seen by out_json */
}

/* The line above its machines is printed when its last machine is known, so below them. */
static void end_line(struct status *s)
{
    if (s->line[0] == '\0')
        return;
    if (s->cli->json) {
        json_t *line = json_pack("{s:s,s:o}", "line", s->line, "machines", s->machines);
        add_counts(line, s->line_counts);
        (void)json_array_append_new(s->lines, line);
        s->machines = NULL;
    } else {
        print_counts(s, s->line, s->line_counts);
    }
    memset(s->line_counts, 0, sizeof s->line_counts);
}

static void add_machine(struct status *s, struct store_rows *rows)
{
    int64_t counts[COUNTS];
    const char *line = store_text(rows, 1);
    char since[INSTANT_TEXT_BYTES], name[MACHINE_BYTES];
    if (strcmp(line, s->line) != 0) {
        end_line(s);
        (void)snprintf(s->line, sizeof s->line, "%s", line); /* cut as sachetd cut it */
        s->machines = s->cli->json ? json_array() : NULL;
    }
    for (int i = 0; i < COUNTS; i++) {
        counts[i] = store_int(rows, 4 + i);
        if (!count_rows[i].worst)
            s->line_counts[i] += counts[i];
        else if (counts[i] > s->line_counts[i])
            s->line_counts[i] = counts[i];
    }
    instant_format(store_int(rows, 2), since);
    bool old = clock_wall_ms(s->cli->clock) - store_int(rows, 3) > OLD_MS;
    if (s->cli->json) {
        json_t *machine =
            json_pack("{s:s,s:s,s:b}", "machine", store_text(rows, 0), "since", since, "current", (int)!old);
        add_counts(machine, counts);
        (void)json_array_append_new(s->machines, machine);
    } else {
        (void)snprintf(name, sizeof name, "  %s%s", store_text(rows, 0), old ? " (old)" : ""); /* cut */
        print_counts(s, name, counts);
    }
    s->shown++;
}

static void print_head(struct cli *cli)
{
    fprintf(cli->out, "%-24s", "line");
    for (int i = 0; i < COUNTS; i++)
        fprintf(cli->out, " %10s", count_rows[i].head);
    fputc('\n', cli->out);
}

static int run_status(struct cli *cli, struct error *err)
{
    struct store_rows *rows = NULL;
    struct status s = {.cli = cli};
    int rc = cli_open_store(cli, err);
    if (rc < 0)
        return rc;
    wait_remark_daemon(cli);
    s.lines = cli->json ? json_array() : NULL;
    rc = store_query(
        cli->store, &rows, err,
        "SELECT machine, line, since_ms, updated_ms, requests, timeouts, frame_errors, exceptions,"
        " reconnects, late, retries, worst_ms, p99_ms, accepts, accept_worst_ms, accept_p99_ms FROM "
        "line_state ORDER BY line, machine",
        "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        if (s.shown == 0 && !cli->json)
            print_head(cli);
        add_machine(&s, rows);
        rc = 0;
    }
    store_done(rows);
    end_line(&s);
    if (rc < 0) {
        json_decref(s.lines);
        return rc;
    }
    if (cli->json)
        return out_json(cli, json_pack("{s:s,s:o}", "format", "sachet-lines/1", "lines", s.lines), err);
    if (s.shown == 0)
        fputs("no line has been used yet; sachetd writes here while it runs\n", cli->out);
    return 0;
}

static const struct cli_verb verb_rows[] = {
    {.name = "line status",
     .args = "",
     .summary = "Show what the lines to the machines counted: time-outs, damaged frames, worst answers",
     .details =
         "Counts since sachetd started, written every five seconds: per machine, and below its machines the\n"
         "line (a TCP connection, or a serial device with all machines on it). damaged: CRC, length or\n"
         "transaction id were wrong. late: answers to another question that were thrown away. worst and\n"
         "p99 count from the moment a request is handed to the line, waiting for its turn included. job "
         "worst and\n"
         "job p99: from writing a job until the machine shows that it took it, in ms.",
     .run = run_status},
};
const struct cli_group verbs_line = {
    .title = "The lines to the machines", .rows = verb_rows, .count = sizeof verb_rows / sizeof verb_rows[0]};
