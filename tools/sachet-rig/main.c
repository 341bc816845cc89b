/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-rig: runs scenarios on simulated machines and says what came of them; tools/rig starts it. The
 * composition root of the rig: reads the clock (for the day on the page) and files.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/base/log.h"
#include "config/scenario.h"
#include "controller/seal/seal.h"
#include "tools/sachet-rig/ctl.h"
#include "tools/sachet-rig/diff.h"
#include "tools/sachet-rig/page.h"
#include "tools/sachet-rig/sense.h"
#include "tools/sachet-rig/soak.h"
#include "tools/stage/play.h"
#include "tools/version.h"

enum { REPORTS_MAX = 4, LOG_BYTES_MAX = 1 << 30, SCENARIOS_MAX = 1000 };

struct run {
    const char *reports[REPORTS_MAX];
    int report_count;
    const char *log_file;
    const char *like_file; /* a log that must come again */
    struct play_options options;
    bool quiet;
    bool digest;
    struct page_row *rows;
    size_t count;
    size_t failed;
    char day[CIVIL_TEXT_BYTES];
};

static const char usage[] =
    "sachet-rig: scenarios on simulated machines\n"
    "\n"
    "usage: rig run [--report FILE.md|FILE.html] [--seed N] [--log FILE] [--like FILE]\n"
    "               [--digest] [--quiet] SCENARIO|FOLDER...\n"
    "       rig soak [--hours N|--minutes N] [--seed N] SCENARIO\n"
    "       rig sense [--challenges N] [--seed N] [--json] [SCENARIO]\n"
    "       rig diff LOG1 LOG2\n"
    "       rig words\n"
    "       rig ctl SOCKET COMMAND...\n"
    "\n"
    "run    packs a small signed batch on a simulated machine, in this process and on a virtual clock, "
    "while\n"
    "       happens what the scenario (sachet-scenario/1) says; compares the store with the machine's "
    "hidden\n"
    "       truth, and the end with what the scenario expects. --report may be given more than once; the "
    "page\n"
    "       that is there is read for the days of earlier passes. --log: the machine's events (one "
    "scenario);\n"
    "       --like: a log of --log that must come again, byte for byte, or the first difference is told;\n"
    "       --digest: a hash of them for each scenario.\n"
    "soak   plays a scenario for so many hours of mechanics (24) and looks at memory, books and truth.\n"
    "sense  plants faults into challenge pouches and says how many of them sensors see, and how many false\n"
    "       alarms they give, with 95 % intervals; SCENARIO says what the machine is like, else six kinds of "
    "it.\n"
    "diff   tells the first difference of two event logs in words.\n"
    "words  lists what a scenario can do, as Markdown.\n"
    "ctl    sends one command to the control socket of a sachet-sim and prints its answer; 'help' lists "
    "them.\n"
    "\n"
    "exit status: 0 all passed or the same, 1 something failed or differs, 2 used wrongly, 3 environment\n";

static int write_file(const char *path, const struct buf *text, struct error *err)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    bool written = !text->failed && fwrite(buf_string(text), 1, text->len, file) == text->len;
    written = fclose(file) == 0 && written;
    return written ? 0 : error_set(err, E_FILE, "%s: cannot be written", path);
}

/* ---- run ---- */

static void fill_row(struct run *run, const struct scenario *scenario, const struct play_result *result)
{
    struct page_row *row = &run->rows[run->count++];
    *row = (struct page_row){.seed = result->seed,
                             .passed = result->passed,
                             .good = result->good,
                             .voids = result->voids,
                             .slips = result->slips,
                             .ran_ms = result->ran_ms};
    /* All cut where too long: for people. */
    for (int i = 0; i < scenario->hazard_count; i++) {
        size_t used = strlen(row->hazards);
        (void)snprintf(row->hazards + used, sizeof row->hazards - used, "%s%s", used ? " " : "",
                       scenario->hazards[i]);
    }
    (void)snprintf(row->control, sizeof row->control, "%s", scenario->control);
    (void)snprintf(row->scenario, sizeof row->scenario, "%s", scenario->name);
    (void)snprintf(row->title, sizeof row->title, "%s", scenario->title);
    (void)snprintf(row->why, sizeof row->why, "%s", result->why);
    (void)snprintf(row->last_pass, sizeof row->last_pass, "%s", result->passed ? run->day : "never");
}

/* One line a log, for comparing many of them. */
static void print_digest(const char *name, const struct buf *log)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES];
    seal_hash(log->data, log->len, hash);
    seal_hash_text(hash, text);
    printf("%s %7zu bytes  %s\n", text, log->len, name);
}

/* A log that was kept is played again: the same, or the first difference in words. */
static int compare_log(struct run *run, const struct buf *log, struct error *err)
{
    struct buf kept, words;
    buf_init(&kept);
    buf_init(&words);
    int rc = file_read(run->like_file, LOG_BYTES_MAX, &kept, err);
    if (rc == 0 && !diff_logs(buf_string(&kept), buf_string(log), &words)) {
        printf("        not as in %s: %s", run->like_file, buf_string(&words));
        run->failed++;
    }
    buf_finish(&kept);
    buf_finish(&words);
    return rc;
}

static int run_one(struct run *run, const char *path, struct error *err)
{
    if (run->count == SCENARIOS_MAX)
        return error_set(err, E_LIMIT, "more than %d scenarios", SCENARIOS_MAX);
    struct scenario_file *file = NULL;
    struct play_result result;
    int rc = scenario_load(path, &file, err);
    if (rc < 0)
        return rc;
    const struct scenario *scenario = scenario_of(file);
    run->options.keep_log = run->log_file || run->like_file || run->digest;
    rc = play(scenario, &run->options, &result, err);
    if (rc == 0) {
        fill_row(run, scenario, &result);
        run->failed += !result.passed;
        if (!run->quiet || !result.passed)
            printf("%-7s %-34s seed %" PRIu64 "  good %" PRId64 "/%" PRId64 " void %" PRId64 " slips %" PRId64
                   " drift %" PRId64 "  %" PRId64 ".%" PRId64 " s%s%s\n",
                   result.passed ? "passed" : "FAILED", scenario->name, result.seed, result.good, result.jobs,
                   result.voids, result.slips, result.drift, result.ran_ms / 1000, result.ran_ms / 100 % 10,
                   result.passed ? "" : "\n        ", result.why);
        if (run->digest)
            print_digest(scenario->name, &result.log);
        if (run->like_file)
            rc = compare_log(run, &result.log, err);
        if (rc == 0 && run->log_file)
            rc = write_file(run->log_file, &result.log, err);
    }
    play_finish(&result);
    scenario_close(file);
    return rc;
}

static int write_report(const struct run *run, const char *path, struct error *err)
{
    struct buf old, text;
    buf_init(&old);
    buf_init(&text);
    if (access(path, R_OK) == 0)
        (void)file_read(path, LOG_BYTES_MAX, &old,
                        NULL); /* without it the days of earlier passes are not known */
    for (size_t i = 0; i < run->count; i++) {
        if (!run->rows[i].passed)
            page_last_pass(buf_string(&old), run->rows[i].scenario, run->rows[i].last_pass);
    }
    const char *dot = strrchr(path, '.');
    if (dot && strcmp(dot, ".html") == 0)
        page_write_html(run->rows, run->count, run->day, &text);
    else
        page_write_markdown(run->rows, run->count, run->day, &text);
    int rc = write_file(path, &text, err);
    buf_finish(&text);
    buf_finish(&old);
    return rc;
}

static int parse_run(struct run *run, int argc, char **argv, int *ret_first, struct error *err)
{
    int i = 0;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        char *end = NULL;
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--quiet") == 0) {
            run->quiet = true;
        } else if (strcmp(argv[i], "--digest") == 0) {
            run->digest = true;
        } else if (strcmp(argv[i], "--report") == 0 && more && run->report_count < REPORTS_MAX) {
            run->reports[run->report_count++] = argv[++i];
        } else if (strcmp(argv[i], "--log") == 0 && more) {
            run->log_file = argv[++i];
        } else if (strcmp(argv[i], "--like") == 0 && more) {
            run->like_file = argv[++i];
        } else if (strcmp(argv[i], "--seed") == 0 && more) {
            run->options.other_seed = true;
            run->options.seed = strtoull(argv[++i], &end, 10);
            if (argv[i][0] < '0' || argv[i][0] > '9' || *end != '\0')
                return error_set(err, E_ARG, "--seed %.40s: a whole number is needed", argv[i]);
        } else {
            return error_set(err, E_ARG, "%.40s: no such option, or its value is missing; see rig --help",
                             argv[i]);
        }
    }
    if (i == argc)
        return error_set(err, E_ARG, "which scenario? the ready ones stand in tests/scenarios");
    if ((run->log_file || run->like_file) && argc - i > 1)
        return error_set(err, E_ARG, "--log and --like are about one scenario, %d are given", argc - i);
    *ret_first = i;
    return 0;
}

static int is_scenario(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

/* A file, or every scenario of a folder in the order of their names. */
static int run_path(struct run *run, const char *path, struct error *err)
{
    struct stat st;
    struct dirent **entries = NULL;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return run_one(run, path, err);
    int count = scandir(path, &entries, is_scenario, alphasort);
    if (count <= 0)
        return error_set(err, E_FILE, "%s: no scenario (*.yaml) can be found there", path);
    int rc = 0;
    for (int i = 0; i < count; i++) {
        char file[4096];
        if (rc == 0 && snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name) >= (int)sizeof file)
            rc = error_set(err, E_FILE, "%s: the path is too long", path);
        if (rc == 0)
            rc = run_one(run, file, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int run_verb(int argc, char **argv, struct error *err)
{
    struct run run = {0};
    int first = 0;
    int rc = parse_run(&run, argc, argv, &first, err);
    if (rc < 0)
        return rc;
    civil_format((int32_t)(clock_wall_ms(clock_system()) / 86400000), run.day);
    run.rows = calloc(SCENARIOS_MAX, sizeof *run.rows);
    if (!run.rows)
        return error_set(err, E_MEMORY, "no memory for the results");
    for (int i = first; i < argc && rc == 0; i++)
        rc = run_path(&run, argv[i], err);
    page_sort(run.rows, run.count);
    for (int i = 0; i < run.report_count && rc == 0; i++)
        rc = write_report(&run, run.reports[i], err);
    if (rc == 0)
        printf("%zu of %zu scenarios passed\n", run.count - run.failed, run.count);
    free(run.rows);
    return rc < 0 ? rc : run.failed > 0;
}

/* ---- diff ---- */

static int diff_verb(int argc, char **argv, struct error *err)
{
    struct buf first, second, words;
    if (argc != 2)
        return error_set(err, E_ARG, "diff LOG1 LOG2: two files are needed");
    buf_init(&first);
    buf_init(&second);
    buf_init(&words);
    int rc = file_read(argv[0], LOG_BYTES_MAX, &first, err);
    if (rc == 0)
        rc = file_read(argv[1], LOG_BYTES_MAX, &second, err);
    if (rc == 0) {
        bool same = diff_logs(buf_string(&first), buf_string(&second), &words);
        fputs(same ? "the logs are the same\n" : buf_string(&words), stdout);
        rc = same ? 0 : 1;
    }
    buf_finish(&first);
    buf_finish(&second);
    buf_finish(&words);
    return rc;
}

/* ---- words ---- */

/* The list in tests/scenarios/README.md, which a test holds against this. */
static int words_verb(int argc, char **argv, struct error *err)
{
    static const struct {
        unsigned first;
        const char *title;
    } groups[] = {{SCENARIO_FAULT_MISSED, "Once, with the next piece of `bay` or with the next pouch"},
                  {SCENARIO_TROUBLES, "Until mended: `value` 0 mends, 1 is usual, `for` mends by itself"},
                  {SCENARIO_HANDS, "Hands and the mains"},
                  {SCENARIO_LINE_FAULTS, "The line; `value` n: with the n-th request from here"},
                  {SCENARIO_CREW, "The controller and people; not in sachet-sim"}};
    (void)argv;
    if (argc > 0)
        return error_set(err, E_ARG, "words takes no arguments");
    for (unsigned i = SCENARIO_FAULT_MISSED; i < SCENARIO_ACTIONS; i++) {
        for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
            if (groups[g].first == i)
                printf("\n**%s**\n\n| word | bay | what happens |\n|---|---|---|\n", groups[g].title);
        }
        printf("| `%s` | %s | %s |\n", scenario_action_words[i],
               scenario_action_of_bay((enum scenario_action)i) ? "yes" : "",
               scenario_action_text((enum scenario_action)i));
    }
    return 0;
}

static int ctl_verb(int argc, char **argv, struct error *err)
{
    struct buf answer;
    if (argc < 2)
        return error_set(err, E_ARG, "ctl SOCKET COMMAND...: for example ctl /tmp/sim.sock door-open m=1");
    buf_init(&answer);
    int rc = ctl_ask(argv[0], argc - 1, argv + 1, &answer, err);
    if (rc == 0) {
        const char *text = buf_string(&answer);
        fputs(strncmp(text, "ok {", 4) == 0 ? text + 3 : text, stdout); /* a state as plain JSON */
        rc = strncmp(text, "ok", 2) == 0 ? 0 : 1;
    }
    buf_finish(&answer);
    return rc;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, struct error *err); /* 0, 1 found something, or an error */
} verbs[] = {{"run", run_verb},   {"soak", soak_verb},   {"sense", sense_verb},
             {"diff", diff_verb}, {"words", words_verb}, {"ctl", ctl_verb}};

int main(int argc, char **argv)
{
    struct error err = {0};
    int rc = E_ARG;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("sachet-rig %s\n", SACHET_VERSION);
        return 0;
    }
    /* What a power cut does to the disk is tested elsewhere: here the stores may live in memory. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else it is only slower */
    log_init("sachet-rig", LOG_ERROR, clock_system());
    (void)error_set(&err, E_ARG, "%.40s: no such command; see rig --help", argv[1]);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            rc = verbs[i].run(argc - 2, argv + 2, &err);
    }
    if (rc < 0)
        fprintf(stderr, "rig: %s\n", err.message);
    if (fflush(stdout) != 0)
        return 3;
    return rc < 0 ? error_exit_status(rc) : rc;
}
