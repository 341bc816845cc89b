/* SPDX-License-Identifier: Apache-2.0 */
/* The rounds of `sachet tasks`: what must be asked today, and the messages about it. Verbs' run functions
 * (cli.h). */
#ifndef TOOLS_SACHET_TASKS_ROUND_H
#define TOOLS_SACHET_TASKS_ROUND_H

struct cli;
struct error;

int tasks_update(struct cli *cli, struct error *err);
int tasks_exchange(struct cli *cli, struct error *err);

#endif
