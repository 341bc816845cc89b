/* SPDX-License-Identifier: Apache-2.0 */
/* help, man page and shell completion. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
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
    if (cli->argc == 0 && !cli->json) {
        help_all(cli->out);
        return 0;
    }
    bool found = cli->argc == 0;
    for (size_t g = 0; g < cli_group_count; g++) {
        for (size_t i = 0; i < cli_groups[g]->count; i++) {
            const struct cli_verb *verb = &cli_groups[g]->rows[i];
            if (cli->argc > 0 && strcmp(verb->name, name) != 0)
                continue;
            found = true;
            (cli->json ? help_json : help_verb)(verb, cli->out);
        }
    }
    return found ? 0 : error_set(err, E_ARG, "%s: no such command; 'sachet help' lists them", name);
}

static int run_completion(struct cli *cli, struct error *err)
{
    if (strcmp(cli->argv[0], "bash") != 0)
        return error_set(err, E_ARG, "%s: only bash is known", cli->argv[0]);
    if (!cli->json) {
        help_completion_bash(cli->out);
        return 0;
    }
    char *script = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&script, &len);
    if (!memory)
        return error_set(err, E_MEMORY, "no memory for the script");
    help_completion_bash(memory);
    int rc = fclose(memory) == 0
                 ? out_json(cli, json_pack("{s:s, s:s%}", "shell", cli->argv[0], "script", script, len), err)
                 : error_set(err, E_MEMORY, "no memory for the script");
    free(script);
    return rc;
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
        .details = "With --json one object a command: verb, args, summary, details, options.",
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
