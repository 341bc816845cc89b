/* SPDX-License-Identifier: Apache-2.0 */
/* wait: following a line or a batch by what sachetd writes into machine_state. One thread; sleeps between two
 * looks. */
#ifndef TOOLS_SACHET_WAIT_H
#define TOOLS_SACHET_WAIT_H

#include <jansson.h>
#include <stdint.h>

struct cli;
struct error;
struct store;

/* `batch wait`: CLI_FOUND when the batch rests and is not done. */
int wait_batch(struct cli *cli, struct error *err);
/* `watch`: the lines of all machines, or of one, until interrupted. */
int wait_watch(struct cli *cli, struct error *err);
/* What a line last said of itself; NULL with 0 when it never said anything. */
int wait_line_state(struct store *store, const char *machine, json_t **ret_state, int64_t *ret_updated_ms,
                    struct error *err);
/* Remarks on stderr that nobody keeps the states up to date, when it is so. */
void wait_remark_daemon(struct cli *cli);
/* One line for people, and a line for the note and each alarm. */
void wait_print_line(struct cli *cli, const char *machine, const json_t *state, int64_t updated_ms);

#endif
