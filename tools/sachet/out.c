/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/out.h"

#include "config/base/error.h"
#include "tools/sachet/cli.h"

int out_json(struct cli *cli, json_t *value, struct error *err)
{
    if (!value)
        return error_set(err, E_MEMORY, "out of memory writing JSON");
    (void)json_dumpf(value, cli->out, 0); /* the frame looks at ferror(out) */
    fputc('\n', cli->out);
    json_decref(value);
    return 0;
}
