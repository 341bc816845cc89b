/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/sig_table.h"

#include <string.h>

#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "tools/sachet/cli.h"

enum { PATH_BYTES = 4096 };

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
    char path[PATH_BYTES];
    struct conf *conf = NULL;
    const char *file = cli_option(cli, "table");
    int code = language_of(cli, ret_language, err);
    if (code == 0 && file == NULL) {
        code = paths_data("sig.yaml", path, sizeof path, err);
        file = path;
    }
    if (code == 0)
        code = conf_load(&conf_sig, file, &conf, err);
    if (code == 0)
        code = sigtext_table_create(conf, ret_table, err);
    conf_destroy(conf);
    return code;
}
