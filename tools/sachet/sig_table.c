/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/sig_table.h"

#include <string.h>

#include "config/base/error.h"
#include "tools/sachet/cli.h"

static int language_of(const struct cli *cli, enum sigtext_language *ret_language, struct error *err)
{
    const char *name = cli_option(cli, "language");
    if (name == NULL || strcmp(name, "en") == 0)
        *ret_language = SIGTEXT_ENGLISH;
    else if (strcmp(name, "de") == 0)
        *ret_language = SIGTEXT_GERMAN;
    else
        return error_set(err, E_ARG, "--language %s: there are en and de", name);
    return 0;
}

int sig_table_open(const struct cli *cli, struct sigtext_table **ret_table,
                   enum sigtext_language *ret_language, struct error *err)
{
    int code = language_of(cli, ret_language, err);
    if (code == 0)
        code = sigtext_table_load(cli_option(cli, "table"), ret_table, err);
    return code;
}
