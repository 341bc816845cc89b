/* SPDX-License-Identifier: Apache-2.0 */
/* ctl: one command to the control socket of a sachet-sim, and its answer. Blocks, at most CTL_WAIT_MS. */
#ifndef TOOLS_SACHET_RIG_CTL_H
#define TOOLS_SACHET_RIG_CTL_H

struct buf;
struct error;

enum { CTL_WAIT_MS = 30000 };

/* Sends the words as one line; the answer is a line with its line feed. E_ARG, E_LINK, E_TIMEOUT. */
int ctl_ask(const char *socket_path, int count, char **words, struct buf *out, struct error *err);

#endif
