/* SPDX-License-Identifier: Apache-2.0 */
/* The composition root of the command line: the only place of it that reads a clock and ends the process. */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/conf.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"
#include "tools/sachet/cli.h"
#include "tools/version.h"

/* A verb of two words wins over one of a single word ("batch list" over "batch"). */
static const struct cli_verb *find_verb(int argc, char **argv, int *ret_words)
{
    for (int words = 2; words >= 1; words--) {
        if (argc < words)
            continue;
        for (size_t g = 0; g < cli_group_count; g++) {
            for (size_t i = 0; i < cli_groups[g]->count; i++) {
                const struct cli_verb *verb = &cli_groups[g]->rows[i];
                const char *space = strchr(verb->name, ' ');
                if ((space != NULL) != (words == 2))
                    continue;
                size_t first = space ? (size_t)(space - verb->name) : strlen(verb->name);
                if (strlen(argv[0]) != first || strncmp(argv[0], verb->name, first) != 0)
                    continue;
                if (space && strcmp(argv[1], space + 1) != 0)
                    continue;
                *ret_words = words;
                return verb;
            }
        }
    }
    return NULL;
}

static const struct cli_option_row *find_option(const struct cli_option_row *rows, const char *name,
                                                size_t len)
{
    for (; rows && rows->name; rows++) {
        if (strlen(rows->name) == len && strncmp(rows->name, name, len) == 0)
            return rows;
    }
    return NULL;
}

/* Sorts the words behind the verb into options and arguments. */
static int parse_words(struct cli *cli, int argc, char **argv, struct error *err)
{
    bool only_arguments = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || strcmp(word, "-") == 0) {
            if (cli->argc >= CLI_ARGUMENTS_MAX)
                return error_set(err, E_ARG, "more than %d arguments", CLI_ARGUMENTS_MAX);
            cli->argv[cli->argc++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_arguments = true;
            continue;
        }
        if (strcmp(word, "-h") == 0)
            word = "--help";
        const char *equals = strchr(word, '=');
        size_t len = word[1] == '-' ? (equals ? (size_t)(equals - word) : strlen(word)) - 2 : 0;
        const struct cli_option_row *row = len ? find_option(cli->verb->options, word + 2, len) : NULL;
        if (!row && len)
            row = find_option(cli_common_options, word + 2, len);
        if (!row)
            return error_set(err, E_ARG, "%s: no such option; see 'sachet %s --help'", word, cli->verb->name);
        if (cli->given_count >= CLI_OPTIONS_MAX)
            return error_set(err, E_ARG, "more than %d options", CLI_OPTIONS_MAX);
        struct cli_given *given = &cli->given[cli->given_count++];
        given->name = row->name;
        if (row->arg && equals) {
            given->value = equals + 1;
        } else if (row->arg) {
            if (i + 1 >= argc)
                return error_set(err, E_ARG, "--%s needs a value: --%s %s", row->name, row->name, row->arg);
            given->value = argv[++i];
        } else if (equals) {
            return error_set(err, E_ARG, "--%s takes no value", row->name);
        }
    }
    return 0;
}

static int check_count(const struct cli *cli, struct error *err)
{
    const struct cli_verb *verb = cli->verb;
    if (cli->argc < verb->args_min)
        return error_set(err, E_ARG, "too few arguments: sachet %s %s", verb->name, verb->args);
    if (verb->args_max >= 0 && cli->argc > verb->args_max)
        return error_set(err, E_ARG, "%s: too many arguments: sachet %s %s", cli->argv[verb->args_max],
                         verb->name, verb->args);
    return 0;
}

/* Today where the program runs: the clock's instant, moved by the zone of the machine. */
static int32_t local_day(struct clock *clock)
{
    int64_t wall_ms = clock_wall_ms(clock);
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    if (!localtime_r(&seconds, &local))
        return instant_day(wall_ms);
    return instant_day(wall_ms + (int64_t)local.tm_gmtoff * 1000);
}

static int run(struct cli *cli, int argc, char **argv, struct error *err)
{
    int rc = parse_words(cli, argc, argv, err);
    if (rc < 0)
        return rc;
    cli->json = cli_flag(cli, "json");
    if (cli_flag(cli, "help")) {
        help_verb(cli->verb, cli->out);
        return 0;
    }
    rc = check_count(cli, err);
    if (rc == 0)
        rc = cli_option_day(cli, "today", local_day(cli->clock), &cli->today, err);
    if (rc < 0)
        return rc;
    rc = seal_init(err);
    if (rc < 0)
        return rc;
    rc = cli->verb->run(cli, err);
    store_close(cli->store);
    conf_destroy(cli->site);
    return rc;
}

/* Whoever read our output has seen enough and closed the pipe (head, less): no failure of ours. */
static bool reader_left(int fd)
{
    struct pollfd pipe = {.fd = fd, .events = POLLOUT};
    return poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR);
}

static const struct cli_verb *verb_or_complain(int argc, char **argv, int *ret_words)
{
    const struct cli_verb *verb = find_verb(argc - 1, argv + 1, ret_words);
    struct error err = {0};
    if (verb)
        return verb;
    if (argv[1][0] == '-')
        (void)error_set(&err, E_ARG, "%s: options stand behind the command: sachet VERB %s", argv[1],
                        argv[1]);
    else
        (void)error_set(&err, E_ARG, "%s: no such command; 'sachet help' lists them", argv[1]);
    fprintf(stderr, "sachet: %s\n", err.message);
    return NULL;
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* only widths of printed text depend on it */
    (void)signal(SIGPIPE, SIG_IGN);       /* a closed pipe is an error of the write */
    struct clock *clock = clock_system();
    log_init("sachet", LOG_WARNING, clock);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_all(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("sachet %s\n", SACHET_VERSION);
        return 0;
    }
    int words = 0;
    const struct cli_verb *verb = verb_or_complain(argc, argv, &words);
    if (!verb)
        return error_exit_status(E_ARG);
    static struct cli cli; /* 32 KiB of argument pointers: not on the stack */
    cli.program = "sachet";
    cli.verb = verb;
    cli.clock = clock;
    cli.out = stdout;
    cli.terminal = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    struct error err = {0};
    int rc = run(&cli, argc - 1 - words, argv + 1 + words, &err);
    if (rc < 0)
        fprintf(stderr, "sachet: %s\n", err.message[0] ? err.message : error_text(rc));
    if ((fflush(stdout) != 0 || ferror(stdout)) && !reader_left(STDOUT_FILENO)) {
        fprintf(stderr, "sachet: output could not be written: %s\n", strerror(errno));
        return 3;
    }
    return rc > 0 ? 1 : error_exit_status(rc);
}
