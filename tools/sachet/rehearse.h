/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse: `sachet batch rehearse`, the dress rehearsal of a batch, in words and as JSON
 * (tools/stage/rehearse.h). */
#ifndef TOOLS_SACHET_REHEARSE_H
#define TOOLS_SACHET_REHEARSE_H

#include "tools/sachet/cli.h"

extern const struct cli_option_row rehearse_options[];
/* CLI_FOUND: some pouches cannot be made. */
int rehearse_batch(struct cli *cli, struct error *err);

#endif
