/* SPDX-License-Identifier: Apache-2.0 */
/* help, man page and shell completion. */
#include <string.h>

#include "config/base/error.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/verbs.h"

static int run_help(struct cli *cli, struct error *err)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s%s%s", cli->argc > 0 ? cli->argv[0] : "", cli->argc > 1 ? " " : "",
                   cli->argc > 1 ? cli->argv[1] : ""); /* a name that does not fit is no verb's */
    if (cli_flag(cli, "man")) {
        help_man(cli->out);
        return 0;
    }
    if (cli->argc == 0) {
        help_all(cli->out);
        return 0;
    }
    for (size_t g = 0; g < cli_group_count; g++) {
        for (size_t i = 0; i < cli_groups[g]->count; i++) {
            if (strcmp(cli_groups[g]->rows[i].name, name) == 0) {
                help_verb(&cli_groups[g]->rows[i], cli->out);
                return 0;
            }
        }
    }
    return error_set(err, E_ARG, "%s: no such command; 'sachet help' lists them", name);
}

static int run_completion(struct cli *cli, struct error *err)
{
    if (strcmp(cli->argv[0], "bash") != 0)
        return error_set(err, E_ARG, "%s: only bash is known", cli->argv[0]);
    help_completion_bash(cli->out);
    return 0;
}

static const struct cli_option_row help_options[] = {
    {"man", NULL, "print the manual page as roff"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "help",
        .args = "[VERB [NOUN]]",
        .args_max = 2,
        .summary = "Show the commands, or explain one",
        .options = help_options,
        .run = run_help,
    },
    {
        .name = "completion",
        .args = "bash",
        .args_min = 1,
        .args_max = 1,
        .summary = "Print a completion script for the shell",
        .details = "Put it into a folder that your shell reads:\n"
                   "sachet completion bash > ~/.local/share/bash-completion/completions/sachet",
        .run = run_completion,
    },
};
const struct cli_group verbs_help = {.title = "Help", .rows = rows, .count = sizeof rows / sizeof rows[0]};
