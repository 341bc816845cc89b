/* SPDX-License-Identifier: Apache-2.0 */
/* sync: a pure filter from cases to plans, without site, store or clock; or the calendar of one patient of
 * the store. What names a file is a file: "-", a name with a slash or the ending of one, and whatever is
 * there under that name. Everything else is a patient. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/conf.h"
#include "controller/plan/documents/sync_json.h"
#include "controller/plan/documents/sync_read.h"
#include "controller/plan/input.h"
#include "controller/refill/calendar.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

/* The file, or standard input for "-", as a checked configuration. */
static int load(const char *path, struct conf **ret_conf, struct error *err)
{
    if (strcmp(path, "-") != 0)
        return conf_load(&conf_sync, path, ret_conf, err);
    struct buf text;
    buf_init(&text);
    int rc = file_read_stream(stdin, "standard input", CONF_BYTES_MAX, &text, err);
    if (rc == 0)
        rc = conf_parse(&conf_sync, "-", buf_string(&text), text.len, ret_conf, err);
    buf_finish(&text);
    return rc;
}

static int read_locks(const struct cli *cli, struct arena *arena, struct sync_lock **ret_locks,
                      size_t *ret_count, struct error *err)
{
    struct sync_lock *locks = arena_array(arena, CLI_OPTIONS_MAX, sizeof *locks);
    size_t count = 0;
    if (!locks)
        return error_set(err, E_MEMORY, "out of memory");
    for (int i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].name, "lock") != 0)
            continue;
        int rc = sync_read_lock(cli->given[i].value, arena, &locks[count++], err);
        if (rc)
            return rc;
    }
    *ret_locks = locks;
    *ret_count = count;
    return 0;
}

/* Writes one plan. *found: a person must look, because no anchor suits all drugs. */
static int plan_one(struct cli *cli, const struct sync_case *c, bool *found, struct error *err)
{
    struct arena arena;
    struct buf line;
    struct sync_plan *plan;
    struct sync_explanation *explanation;
    arena_init(&arena, 0);
    buf_init(&line);
    int rc = sync_solve(c, &arena, &plan, err);
    if (!rc)
        rc = sync_explain(c, plan, &arena, &explanation, err);
    if (!rc)
        rc = sync_to_json(c, plan, explanation, &line, err);
    if (!rc) {
        (void)fprintf(cli->out, "%s\n", buf_string(&line)); /* the frame checks out at the end */
        if (!plan->feasible) {
            (void)fprintf(stderr,
                          "case %s: no anchor suits all drugs; rx %s blocks the first one, see `what_if`\n",
                          c->id, plan->blocked_by);
            *found = true;
        }
    }
    buf_finish(&line);
    arena_finish(&arena);
    return rc;
}

/* ---- a patient of the store ---- */

static bool has_ending(const char *name)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t end = strlen(endings[i]);
        if (len > end && strcmp(name + len - end, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool names_file(const struct cli *cli)
{
    const char *name = cli->argv[0];
    if (cli_flag(cli, "patient"))
        return false;
    return strcmp(name, "-") == 0 || strchr(name, '/') || has_ending(name) || access(name, F_OK) == 0;
}

static int print_calendar(struct cli *cli, const struct refill *refill, const struct refill_site *site,
                          struct arena *arena, bool *found, struct error *err)
{
    struct sync_case c;
    struct sync_plan *plan;
    struct sync_explanation *explanation;
    struct buf out;
    buf_init(&out);
    int rc = refill_solve(refill, site, arena, &c, &plan, err);
    if (!rc)
        rc = sync_explain(&c, plan, arena, &explanation, err);
    if (!rc && cli->json)
        rc = calendar_to_json(refill, site, &c, plan, explanation, arena, &out, err);
    else if (!rc)
        rc = calendar_to_text(refill, site, plan, explanation, cli_flag(cli, "why"), arena, &out, err);
    if (!rc)
        (void)fprintf(cli->out, cli->json ? "%s\n" : "%s", buf_string(&out)); /* checked at the end */
    *found = !rc && !plan->feasible;
    buf_finish(&out);
    return rc;
}

static int run_patient(struct cli *cli, struct error *err)
{
    struct site_rules rules;
    struct arena arena;
    struct refill_site site;
    struct refill *refill;
    struct sync_lock *locks = NULL;
    size_t lock_count = 0;
    int64_t patient = 0;
    bool found = false;
    arena_init(&arena, 0);
    int rc = site_rules_open(cli, &rules, err);
    if (rc)
        (void)error_prefix(err, rc, "'%s' is no file, and its patients cannot be read", cli->argv[0]);
    if (!rc)
        rc = read_locks(cli, &arena, &locks, &lock_count, err);
    if (!rc)
        rc = input_find_patient(cli->store, cli->argv[0], &patient, err);
    if (rc == E_NOT_FOUND)
        rc = error_set(err, rc, "'%s' is neither a file nor a patient: `sachet patient list` lists them",
                       cli->argv[0]);
    if (!rc) {
        refill_site_load(cli->site, &site);
        rc = refill_load(cli->store, rules.policy, &site, patient, cli->today, locks, lock_count, &arena,
                         &refill, err);
    }
    if (!rc)
        rc = print_calendar(cli, refill, &site, &arena, &found, err);
    arena_finish(&arena);
    site_rules_close(&rules);
    return rc ? rc : found ? CLI_FOUND : 0;
}

/* ---- cases ---- */

static int run_cases(struct cli *cli, struct error *err)
{
    struct conf *conf = NULL;
    struct arena arena;
    struct sync_case *cases = NULL;
    struct sync_lock *locks = NULL;
    size_t count = 0, lock_count = 0, planned = 0;
    bool found = false;
    const char *wanted = cli_option(cli, "case");
    arena_init(&arena, 0);
    int rc = read_locks(cli, &arena, &locks, &lock_count, err);
    if (!rc)
        rc = load(cli->argv[0], &conf, err);
    if (!rc)
        rc = sync_read_cases(conf, &arena, &cases, &count, err);
    if (!rc && lock_count > 0 && count > 1 && !wanted)
        rc = error_set(err, E_ARG, "--lock speaks of one case, %s holds %zu; choose one with --case ID",
                       cli->argv[0], count);
    for (size_t i = 0; i < count && !rc; i++) {
        if (wanted && strcmp(wanted, cases[i].id) != 0)
            continue;
        cases[i].locks = locks;
        cases[i].lock_count = lock_count;
        planned++;
        rc = plan_one(cli, &cases[i], &found, err);
        if (rc)
            (void)error_prefix(err, rc, "%s: case %s", cli->argv[0], cases[i].id);
    }
    if (!rc && wanted && planned == 0)
        rc = error_set(err, E_NOT_FOUND, "%s: holds no case %s", cli->argv[0], wanted);
    conf_destroy(conf);
    arena_finish(&arena);
    return rc ? rc : found ? CLI_FOUND : 0;
}

static int run_sync(struct cli *cli, struct error *err)
{
    return names_file(cli) ? run_cases(cli, err) : run_patient(cli, err);
}

static const struct cli_option_row sync_options[] = {
    {"lock", "WHAT",
     "fix anchor=DATE, fill=ID:DATE or qty=ID:UNITS, and show what it costs; may be repeated"},
    {"case", "ID", "plan only this case of the file"},
    {"patient", NULL, "the argument is a patient, even if a file has the same name"},
    {"why", NULL, "of a patient: the reasons drug by drug, and what every other anchor would cost"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "sync",
        .args = "FILE|-|PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Find the date on which all refills come due, and the fills that lead there",
        .details =
            "Reads cases of sachet-sync/1, YAML or JSON. Writes one plan a case as JSON, one object a line,\n"
            "with the reason of every date and quantity and what every other anchor would cost. Status 1\n"
            "when no anchor suits all drugs of a case, or when the file is refused.\n\n"
            "Of a patient of the store: the calendar as facts, locks and today make it. A --lock is tried,\n"
            "not stored; `sachet refill lock` and `sachet change anchor` store it. The argument is a file\n"
            "when it is -, has a slash or ends in .yaml, .yml or .json, or when such a file is there.",
        .options = sync_options,
        .run = run_sync,
        .findings = true,
    },
};
const struct cli_group verbs_sync = {.title = "Refills", .rows = rows, .count = sizeof rows / sizeof rows[0]};
