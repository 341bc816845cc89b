/* SPDX-License-Identifier: Apache-2.0 */
/* out: what verbs share for printing results. */
#ifndef TOOLS_SACHET_OUT_H
#define TOOLS_SACHET_OUT_H

#include <jansson.h>

struct cli;
struct error;

/* Prints the value on a line of cli->out and gives it back. E_MEMORY when it is NULL: json_pack failed. */
int out_json(struct cli *cli, json_t *value, struct error *err);

#endif
