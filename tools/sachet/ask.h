/* SPDX-License-Identifier: Apache-2.0 */
/* ask: how the verbs speak with sachetd: a command row, a short wait for its answer, and words for people
 * when nobody answers. One thread; waits by sleeping. */
#ifndef TOOLS_SACHET_ASK_H
#define TOOLS_SACHET_ASK_H

#include <stdbool.h>
#include <stdint.h>

struct cli;
struct error;

/* A whole number from 1 on, as of batches. E_ARG. */
int ask_number(const char *text, const char *what, int64_t *ret_number, struct error *err);
/* --machine NAME, or the site's only machine; checked against the site file. NULL: err says what to give. */
const char *ask_machine(struct cli *cli, const char *name, struct error *err);
/* Someone holds the lock of sachetd on this site's store. */
bool ask_daemon_runs(struct cli *cli);
/* Waits some seconds for sachetd to take the command and tells what came of it. 0 taken (or asked while no
 * sachetd runs, with a remark); E_STATE refused. */
int ask_tell(struct cli *cli, int64_t command, const char *what, struct error *err);
void ask_sleep_ms(int ms);

#endif
